//! `gander new`: starting points that load, run and pass their own test at once.

use std::path::{Path, PathBuf};

use super::Exit;
use super::screen::Screen;
use crate::files;
use crate::language::{Language, Starter};
use crate::rule_test::{Memory, Options, TestError, accept, find, run};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander new rule rename-old --lang go\n  gander new migration users-v2 --lang sql")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// A rule file with an example and two cases.
    Rule(Named),
    /// A migration: its rules, a mapping table, a consumer to try it on, and a case.
    Migration(Named),
}

#[derive(clap::Args, Debug)]
struct Named {
    /// Its name: lower-case letters, digits, `-` and `_`.
    name: String,
    /// The language of the code that is to be changed.
    #[arg(long, short, default_value = "python")]
    lang: String,
    /// The folder to make it in: `rules` for a rule where there is one, else this one.
    #[arg(long, value_name = "FOLDER")]
    r#in: Option<PathBuf>,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let (named, is_rule) = match &args.what {
        What::Rule(named) => (named, true),
        What::Migration(named) => (named, false),
    };
    let usage = |why: String| {
        screen.diagnostic(format!("error: {why}"));
        Exit::Usage
    };
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if named.name.is_empty() || !named.name.chars().all(fine) || named.name.starts_with('-') {
        return Err(usage(format!("a name is lower-case letters, digits, `-` and `_`, not {:?}", named.name)));
    }
    let language = super::find::language(Some(&named.lang), Path::new(""), screen)?;
    let starter = language
        .facts
        .starter
        .as_ref()
        .ok_or_else(|| usage(format!("{} has no starting point yet", language.facts.name)))?;
    let start = Start { name: &named.name, language, starter };
    let base = named.r#in.clone().unwrap_or_else(|| {
        let rules = PathBuf::from("rules");
        if is_rule && rules.is_dir() { rules } else { PathBuf::new() }
    });
    let (made, tested) = if is_rule {
        (start.rule_files(&base), base.join(format!("{}.rhai", named.name)))
    } else {
        let folder = base.join(&named.name);
        (start.migration_files(&folder), folder)
    };
    if let Some((path, _)) = made.iter().find(|(path, _)| path.exists()) {
        return Err(usage(format!("{} is there already; nothing was written", path.display())));
    }
    let failed = |why: String| {
        screen.diagnostic(format!("error: {why}"));
        Exit::Failed
    };
    for (path, text) in &made {
        write(path, text).map_err(|e| failed(e.to_string()))?;
        screen.result(format!("made {}\n", path.display()));
    }
    first_snapshots(&tested).map_err(|e| failed(e.to_string()))?;
    screen.note(format!("`gander test {}` passes; change it from there", tested.display()));
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> Result<(), files::FilesError> {
    let path = super::screen::absolute(path);
    files::make_folder(path.parent().unwrap_or(Path::new("/")))?;
    files::write_whole(&path, text.as_bytes(), false)
}

/// Takes what came of the new cases as what is wanted.
fn first_snapshots(path: &Path) -> Result<(), TestError> {
    let report = run(find(&[path.to_owned()]), Options::default(), &Memory::default());
    for case in report.cases().filter(|c| !c.snapshot.exists() && !c.name.starts_with("unchanged")) {
        accept(&case.snapshot)?;
    }
    report.errors.into_iter().next().map_or(Ok(()), Err)
}

/// What a starting point is made of.
struct Start<'s> {
    name: &'s str,
    language: &'static Language,
    starter: &'s Starter,
}

const RULE: &str = include_str!("new/rule.rhai");
const MIGRATION: &str = include_str!("new/migration.toml");
const MIGRATION_RULE: &str = include_str!("new/migration.rhai");
const MAPPING: &str = include_str!("new/names.toml");
const TEST: &str = include_str!("new/test.sh");

impl Start<'_> {
    fn fill(&self, template: &str) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let Starter { find, replace, before, after, unchanged } = self.starter;
        template
            .replace("{{name}}", self.name)
            .replace("{{lang}}", &self.language.facts.name)
            .replace("{{file}}", &self.code_file())
            .replace("{{find}}", find)
            .replace("{{replace}}", &quoted(replace))
            .replace("{{before}}", &quoted(before))
            .replace("{{after}}", &quoted(after))
            .replace("{{unchanged}}", &quoted(unchanged))
    }

    /// A name for a file of the language.
    fn code_file(&self) -> String {
        let facts = &self.language.facts;
        let named = facts.extensions.first().map(|extension| format!("example.{extension}"));
        named.or_else(|| facts.filenames.first().cloned()).unwrap_or_else(|| "example".to_owned())
    }

    fn rule_files(&self, base: &Path) -> Vec<(PathBuf, String)> {
        let cases = base.join("tests").join(self.name);
        let line = |code: &str| format!("{code}\n");
        vec![
            (base.join(format!("{}.rhai", self.name)), self.fill(RULE)),
            (cases.join("first").join(self.code_file()), line(&self.starter.before)),
            (cases.join("unchanged-other").join(self.code_file()), line(&self.starter.unchanged)),
        ]
    }

    fn migration_files(&self, folder: &Path) -> Vec<(PathBuf, String)> {
        let line = |code: &str| format!("{code}\n");
        vec![
            (folder.join("migration.toml"), self.fill(MIGRATION)),
            (folder.join("rules").join(format!("{}.rhai", self.name)), self.fill(MIGRATION_RULE)),
            (folder.join("mapping/names.toml"), self.fill(MAPPING)),
            (folder.join("consumers/example").join(self.code_file()), line(&self.starter.before)),
            (folder.join("consumers/example/test.sh"), self.fill(TEST)),
            (folder.join("tests/first").join(self.code_file()), line(&self.starter.before)),
            (folder.join("tests/unchanged-other").join(self.code_file()), line(&self.starter.unchanged)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language;

    #[test]
    fn every_language_starts_with_tests_that_pass() {
        for language in language::all() {
            let name = &language.facts.name;
            let starter =
                language.facts.starter.as_ref().unwrap_or_else(|| panic!("{name}: language.toml lacks [starter]"));
            let start = Start { name: "first-one", language, starter };
            let root = tempfile::tempdir().unwrap();
            let mut made = start.rule_files(&root.path().join("rules"));
            made.extend(start.migration_files(&root.path().join("migration")));
            made.iter().for_each(|(path, text)| write(path, text).unwrap());
            first_snapshots(root.path()).unwrap_or_else(|e| panic!("{name}: {e}"));
            let report =
                run(find(&[root.path().to_owned()]), Options { check: true, coverage: true }, &Memory::default());
            assert!(report.passed(), "{name}: {report:#?}");
            assert_eq!(report.cases().count(), 4, "{name}");
            let text = std::fs::read_to_string(root.path().join("rules/tests/first-one/first.snap")).unwrap();
            assert!(text.contains("\nchanged\n"), "{name}: {text}");
            let text = std::fs::read_to_string(root.path().join("migration/tests/first.snap")).unwrap();
            assert!(text.contains("\nchanged\n"), "{name}: {text}");
        }
    }
}
