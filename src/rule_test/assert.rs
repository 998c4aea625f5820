//! Rules as part of `cargo test`, through insta.

use std::path::{Path, PathBuf};

use super::{ExampleResult, Found, Memory, Options, Outcome, find, run};

/// A case for `insta::assert_snapshot!`.
#[derive(Clone, Debug)]
pub struct ForInsta {
    /// The snapshot's name.
    pub name: String,
    /// The folder of the snapshot, absolute.
    pub folder: PathBuf,
    /// The code of the case, absolute.
    pub input: PathBuf,
    /// What came of it.
    pub text: String,
}

/// Runs the rules at or below `path`, and gives what came of their cases. Writes nothing.
///
/// # Errors
/// Everything but the snapshots that is not as it should be: rules that don't load,
/// examples that fail, code that changed where nothing may.
pub fn for_insta(path: &Path) -> Result<Vec<ForInsta>, String> {
    let path = path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?;
    let found = find(&[path]);
    // Without snapshots every case is new, and tells what came of it.
    let bare = |mut suite: super::Suite| {
        suite.cases.iter_mut().filter(|c| !c.must_stay()).for_each(|c| c.snapshot = PathBuf::from("\0"));
        suite
    };
    let found = Found { suites: found.suites.into_iter().map(bare).collect(), errors: found.errors };
    let report = run(found, Options { check: true, coverage: false }, &Memory::default());
    let mut wrong: Vec<String> = report.errors.iter().map(ToString::to_string).collect();
    let examples = report.suites.iter().flat_map(|s| &s.examples).filter(|e| !e.passed());
    wrong.extend(examples.map(said));
    let mut all = Vec::new();
    for case in report.cases() {
        match &case.outcome {
            Outcome::Passed => {}
            Outcome::Touched(text) => {
                wrong.push(format!("{}: it must stay as it is, but:\n{text}", case.folder.display()))
            }
            Outcome::New(text) | Outcome::Changed { new: text, .. } => all.push(ForInsta {
                name: case.name.clone(),
                folder: case.folder.parent().unwrap_or(Path::new("")).to_owned(),
                input: case.folder.clone(),
                text: text.trim_end().to_owned(),
            }),
        }
    }
    if wrong.is_empty() { Ok(all) } else { Err(wrong.join("\n\n")) }
}

fn said(example: &ExampleResult) -> String {
    let ExampleResult { rule, place, number, before, wanted, came, failed, .. } = example;
    let why = failed.as_ref().map_or(String::new(), |why| format!(" ({why})"));
    format!("{place}: example {number} of {rule}{why}\n--- of\n{before}\n--- came\n{came}\n--- not\n{wanted}")
}

/// Tests the rules at or below a path, relative to the crate, in a `#[test]`: their
/// examples, and their cases against the snapshots beside them, through insta. The
/// crate that uses it depends on `insta`.
///
/// ```no_run
/// #[test]
/// fn rules() {
///     gander::assert_rules!("rules");
/// }
/// ```
#[macro_export]
macro_rules! assert_rules {
    ($path:expr $(,)?) => {{
        let path = ::std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join($path);
        let cases = match $crate::rule_test::for_insta(&path) {
            Ok(cases) => cases,
            Err(wrong) => panic!("{wrong}"),
        };
        let mut failed = ::std::vec::Vec::new();
        for case in &cases {
            // All cases are looked at, so that one review shows them all.
            let held = ::std::panic::catch_unwind(|| {
                ::insta::with_settings!({
                    snapshot_path => &case.folder,
                    prepend_module_to_snapshot => false,
                    omit_expression => true,
                    input_file => &case.input,
                }, {
                    ::insta::assert_snapshot!(case.name.as_str(), case.text);
                });
            });
            if held.is_err() {
                failed.push(case.input.display().to_string());
            }
        }
        assert!(failed.is_empty(), "not as their snapshots say: {failed:#?}");
    }};
}
