//! Which steps a workspace is verified by.
//!
//! Must not: look at anything but names: what a build file says is its tool's affair.

use super::detect;
use crate::config::{Step, Verify};
use crate::workspace::Manifest;

/// The steps of the migration whose `when` lies in the pinned tree; where the
/// migration names nothing but what is to be fetched, those that the files of the
/// tree suggest.
pub fn steps_for(files: &Manifest, verify: &Verify) -> Vec<Step> {
    let applies = |step: &&Step| step.when.as_deref().is_none_or(|path| files.holds(path));
    let mut steps: Vec<Step> = verify.steps.iter().filter(applies).cloned().collect();
    if verify.steps.iter().all(|step| step.fetch.is_some()) {
        steps.extend(detect::steps(|path| files.holds(path)));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Entry, Mode};
    use std::time::Duration;

    fn tree(paths: &[&str]) -> Manifest {
        let entry = Entry { mode: Mode::File, blob: String::new() };
        Manifest {
            entries: paths.iter().map(|path| ((*path).to_owned(), entry.clone())).collect(),
            unreadable: Vec::new(),
        }
    }

    fn names(paths: &[&str], verify: &Verify) -> Vec<String> {
        steps_for(&tree(paths), verify).into_iter().map(|step| step.name).collect()
    }

    #[test]
    fn the_migrations_steps_run_where_their_file_exists() {
        let step = |name: &str, when: Option<&str>| Step {
            name: name.to_owned(),
            when: when.map(str::to_owned),
            run: vec!["true".to_owned()],
            timeout: Duration::from_secs(1),
            ..Step::default()
        };
        let verify = Verify {
            challenge: false,
            sql: None,
            steps: vec![
                step("always", None),
                step("script", Some("./ci/test.sh")),
                step("folder", Some("ci/")),
                step("prefix", Some("ci/test")),
                step("absent", Some("Cargo.toml.bak")),
            ],
        };
        let paths = ["Cargo.toml", "ci/test.sh"];
        assert_eq!(names(&paths, &verify), ["always", "script", "folder"]);
        // Detection plays no part where the migration names a step.
        assert_eq!(names(&["Cargo.toml"], &verify), ["always"]);
    }

    #[test]
    fn without_steps_the_files_decide() {
        let none = Verify::default();
        assert_eq!(names(&["Cargo.toml", "Makefile"], &none), ["cargo test"]);
        assert_eq!(names(&["Makefile"], &none), ["make test"]);
        let mixed = ["package.json", "go.mod"];
        assert_eq!(names(&mixed, &none), ["npm test", "go test"]);
        assert!(names(&["sub/Cargo.toml", "README.md"], &none).is_empty());
    }
}
