//! What to run where the migration does not say: a table from the file that a
//! build tool leaves at the top of a project to the command that tests it
//! without a network.
//!
//! Must not: read those files.

use std::time::Duration;

use crate::config::Step;

/// The time that a detected step may take.
const TIMEOUT: Duration = Duration::from_secs(600);

/// File, and the command that tests what it describes. The step is named by the
/// command without its options. Every line that applies is run.
const TABLE: [(&str, &[&str]); 7] = [
    ("Cargo.toml", &["cargo", "test", "--offline"]),
    ("pyproject.toml", &["pytest", "-q"]),
    ("package.json", &["npm", "test", "--offline"]),
    ("go.mod", &["go", "test", "-json", "./..."]),
    ("pom.xml", &["mvn", "test", "--batch-mode", "--offline"]),
    ("build.sbt", &["sbt", "-Dsbt.offline=true", "test"]),
    ("dbt_project.yml", &["dbt", "parse"]),
];

/// Makefiles mostly wrap one of the tools above: they count where none of those does.
const LAST_RESORT: (&str, &[&str]) = ("Makefile", &["make", "test"]);

/// The steps for a tree, of which `exists` says what lies in it.
pub fn steps(exists: impl Fn(&str) -> bool) -> Vec<Step> {
    let mut steps: Vec<Step> = TABLE.iter().filter(|(file, _)| exists(file)).map(step).collect();
    if steps.is_empty() && exists(LAST_RESORT.0) {
        steps.push(step(&LAST_RESORT));
    }
    steps
}

fn step((file, run): &(&str, &[&str])) -> Step {
    let run: Vec<String> = run.iter().map(|word| (*word).to_owned()).collect();
    let words: Vec<&str> = run.iter().map(String::as_str).filter(|word| !word.starts_with(['-', '.'])).collect();
    let name = words.join(" ");
    Step { name, when: Some((*file).to_owned()), run, timeout: TIMEOUT, ..Step::default() }
}
