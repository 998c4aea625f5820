//! The proof of a change set: real `git apply`, there and back, in a folder of its
//! own, judged by the bytes it leaves and not by its exit code.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use walkdir::WalkDir;

use super::ChangeSet;
use crate::digest::{Digest, DigestBuilder};
use crate::files::{self, FilesError};
use crate::process::{Invocation, ProcessError};
use crate::workspace::{Content, FileVersion};

/// A change set does not do what it says. Nothing was delivered.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// git did not take the patch.
    #[error("git apply did not take {patch}: {message}")]
    NotApplied {
        /// `change.patch` or `revert.patch`.
        patch: &'static str,
        /// What git said.
        message: String,
    },
    /// The patch applied and left something else.
    #[error("after {patch}, {path} is not what it has to be: {difference}")]
    Differs {
        /// `change.patch` or `revert.patch`.
        patch: &'static str,
        /// Relative to the workspace.
        path: String,
        /// What is wrong with it.
        difference: &'static str,
    },
    /// git could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The folder of the proof could not be written or read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// There is no room for the proof.
    #[error("cannot make a folder to prove a change set in: {0}")]
    NoFolder(std::io::Error),
}

/// What this process has proven, by all that a proof rests on: the same bytes need no second one
/// where they are taken back by the run that brought them out.
static PROVEN: Mutex<BTreeSet<Digest>> = Mutex::new(BTreeSet::new());

/// Applies the change to the files as they were, then the revert, and compares
/// bytes and executable bits of every file both times; a file too many counts too.
///
/// # Errors
/// [`ProofError`], saying which patch and file.
pub fn prove(versions: &[FileVersion], set: &ChangeSet) -> Result<(), ProofError> {
    let name = rests_on(versions, set);
    let proven = || PROVEN.lock().unwrap_or_else(PoisonError::into_inner);
    if proven().contains(&name) {
        return Ok(());
    }
    apply_both(versions, set)?;
    proven().insert(name);
    Ok(())
}

/// Names a change set by its patches and both ends of its files.
fn rests_on(versions: &[FileVersion], set: &ChangeSet) -> Digest {
    let mut name = DigestBuilder::new("gander.proof").field(&set.prefix).field(&set.change).field(&set.revert);
    for version in versions {
        name = name.field(&version.path);
        for end in [&version.before, &version.after] {
            name = match end {
                None => name.field("none"),
                Some(end) => name.field(if end.executable { "runs" } else { "file" }).field(&end.bytes),
            };
        }
    }
    name.finish()
}

fn apply_both(versions: &[FileVersion], set: &ChangeSet) -> Result<(), ProofError> {
    let folder = tempfile::Builder::new().prefix("gander-proof-").tempdir().map_err(ProofError::NoFolder)?;
    let top = folder.path().canonicalize().map_err(ProofError::NoFolder)?;
    let tree = top.join("tree");
    files::make_folder(&tree)?;
    for version in versions {
        if let Some(before) = &version.before {
            files::write_scratch(&tree, &set.joined(&version.path), before)?;
        }
    }
    git_apply(&top, &tree, "change.patch", &set.change)?;
    compare(&tree, set, "change.patch", versions, |v| v.after.as_ref())?;
    git_apply(&top, &tree, "revert.patch", &set.revert)?;
    compare(&tree, set, "revert.patch", versions, |v| v.before.as_ref())
}

fn git_apply(top: &Path, tree: &Path, name: &'static str, patch: &[u8]) -> Result<(), ProofError> {
    if patch.is_empty() {
        return Ok(());
    }
    // No repository around the folder may be found: inside one, git skips paths
    // that it thinks lie elsewhere, and still exits with 0.
    let git = Invocation::new("git")
        .args(["apply", "--whitespace=nowarn", "-"])
        .current_dir(tree)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CEILING_DIRECTORIES", top)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C");
    let output = git.stdin(patch).run()?;
    if output.success() {
        return Ok(());
    }
    Err(ProofError::NotApplied { patch: name, message: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

fn compare(
    tree: &Path,
    set: &ChangeSet,
    patch: &'static str,
    versions: &[FileVersion],
    side: impl Fn(&FileVersion) -> Option<&Content>,
) -> Result<(), ProofError> {
    let differs = |path: &str, difference| ProofError::Differs { patch, path: path.to_owned(), difference };
    let mut expected = 0;
    for version in versions {
        let wanted = side(version);
        expected += usize::from(wanted.is_some());
        let found = files::read_below(tree, &set.joined(&version.path))?;
        match (wanted, &found) {
            (None, None) => {}
            (None, Some(_)) => return Err(differs(&version.path, "it is there")),
            (Some(_), None) => return Err(differs(&version.path, "it is not there")),
            (Some(wanted), Some(found)) if wanted.bytes != found.bytes => {
                return Err(differs(&version.path, "its bytes differ"));
            }
            (Some(wanted), Some(found)) if wanted.executable != found.executable => {
                return Err(differs(&version.path, "its executable bit differs"));
            }
            _ => {}
        }
    }
    let found =
        WalkDir::new(tree).into_iter().filter(|entry| entry.as_ref().is_ok_and(|e| !e.file_type().is_dir())).count();
    if found == expected { Ok(()) } else { Err(differs("the folder", "it holds another number of files")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content(text: &str) -> Option<Content> {
        Some(Content { bytes: text.as_bytes().to_vec(), executable: false })
    }

    fn version(path: &str, before: Option<Content>, after: Option<Content>) -> FileVersion {
        FileVersion { path: path.to_owned(), before, after, renamed_from: None }
    }

    fn runnable(content: Option<Content>) -> Option<Content> {
        content.map(|content| Content { executable: true, ..content })
    }

    #[test]
    fn every_kind_of_change_goes_there_and_back() {
        let versions = [
            version("plain", content("a\nb\n"), content("a\nc\n")),
            version("no newline", content("a\nb"), content("a\nb\nc")),
            version("crlf", content("a\r\nb\r\n"), content("a\r\nB\r\n")),
            version("bare cr", content("a\rb\r"), content("a\rB\r")),
            version("dir with space/q\"uo\\te", content("a\n"), content("b\n")),
            version("..\n", content("a\n"), content("b\n")),
            version("gänse/füße", content("ä\n"), content("ü\n")),
            version("made", None, content("new\n")),
            version("made empty", None, content("")),
            version("gone", content("old"), None),
            version("gone empty", content(""), None),
            version("emptied", content("x\n"), content("")),
            version("filled", content(""), content("x")),
            version("only mode", content("x\n"), runnable(content("x\n"))),
            version("mode and text", runnable(content("x\n")), content("y\n")),
            version("made runnable", None, runnable(content("#!/bin/sh\n"))),
            version("becomes a folder", content("x\n"), None),
            version("becomes a folder/inside", None, content("x\n")),
        ];
        for prefix in ["", "apps/ads server"] {
            let set = ChangeSet::new(&versions, prefix);
            assert_eq!(set.digests.len(), versions.len());
            prove(&versions, &set).unwrap();
        }
    }

    #[test]
    fn a_patch_that_lies_is_caught() {
        let versions = [version("f", content("a\n"), content("b\n"))];
        let honest = ChangeSet::new(&versions, "");
        let other = ChangeSet::new(&[version("f", content("a\n"), content("c\n"))], "");
        let wrong = ChangeSet { change: other.change, ..honest.clone() };
        let error = prove(&versions, &wrong).unwrap_err();
        assert!(matches!(error, ProofError::Differs { patch: "change.patch", .. }), "{error}");
        let wrong = ChangeSet { revert: other.revert, ..honest.clone() };
        assert!(matches!(prove(&versions, &wrong), Err(ProofError::NotApplied { .. })));
        let wrong = ChangeSet { revert: Vec::new(), ..honest };
        assert!(prove(&versions, &wrong).is_err());
    }

    fn text() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            Just("a"),
            Just("b"),
            Just("same line"),
            Just(""),
            Just("é🪿"),
            Just("tail \t"),
            Just("-x"),
            Just("+y"),
            Just("\\ No newline at end of file"),
            Just("@@ -1 +1 @@"),
        ];
        let end = prop_oneof![4 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r"), 1 => Just("")];
        prop::collection::vec((line, end), 0..24)
            .prop_map(|parts| parts.into_iter().map(|(line, end)| format!("{line}{end}")).collect())
    }

    fn end() -> impl Strategy<Value = Option<Content>> {
        prop::option::weighted(0.85, (text(), any::<bool>()))
            .prop_map(|file| file.map(|(text, executable)| Content { bytes: text.into_bytes(), executable }))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

        // Several files a case: one `git apply` proves them all.
        #[test]
        fn random_texts_survive_git(ends in prop::collection::vec((end(), end()), 1..8)) {
            let versions: Vec<FileVersion> = ends
                .into_iter()
                .enumerate()
                .filter(|(_, (before, after))| before != after)
                .map(|(n, (before, after))| version(&format!("d {n}/f\n{n}"), before, after))
                .collect();
            let set = ChangeSet::new(&versions, "");
            let proof = prove(&versions, &set);
            prop_assert!(proof.is_ok(), "{proof:?}\n{}", String::from_utf8_lossy(&set.change));
        }
    }
}
