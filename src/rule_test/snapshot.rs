//! Snapshots in insta's own format, read by insta itself, so that `cargo insta`
//! works on them as they are.
//!
//! A `.snap` is written only by [`accept`]. Must not: decide what is accepted.

use std::path::{Path, PathBuf};

use insta::TextSnapshotKind;
use insta::internals::TextSnapshotContents;

use super::suite::read_text;
use super::{Case, Suite, TestError};
use crate::files;

/// Larger snapshots are refused.
const MAX_SNAPSHOT: u64 = 64 << 20;

/// The file of a result that nobody has accepted yet.
pub(super) fn pending(snapshot: &Path) -> PathBuf {
    let mut name = snapshot.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// What a snapshot says; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>, TestError> {
    let wrong = |why: String| TestError::NotASnapshot { path: path.to_owned(), why };
    if std::fs::symlink_metadata(path).is_err() {
        return Ok(None);
    }
    let text = read_text(path, MAX_SNAPSHOT).map_err(wrong)?;
    let head = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"));
    if !head.is_some_and(|rest| rest.lines().any(|line| line == "---")) {
        return Err(wrong("it lacks insta's head between two lines `---`".to_owned()));
    }
    let snapshot = insta::Snapshot::from_file(path).map_err(|e| wrong(e.to_string()))?;
    let text = snapshot.as_text().ok_or_else(|| wrong("it is a binary one".to_owned()))?;
    Ok(Some(text.to_string()))
}

/// Whether insta would take both for the same.
pub(super) fn same(old: &str, new: &str) -> bool {
    let contents = |text: &str| TextSnapshotContents::new(text.to_owned(), TextSnapshotKind::File);
    contents(old).matches_latest(&contents(new))
}

/// Writes `CASE.snap.new`. What lies there already must be one.
pub(super) fn propose(suite: &Suite, case: &Case, text: &str) -> Result<(), TestError> {
    let path = pending(&case.snapshot);
    read(&path)?;
    Ok(files::write_whole(&path, rendered(suite, case, text).as_bytes(), false)?)
}

/// Removes `CASE.snap.new`, if there is one.
pub(super) fn settle(case: &Case) -> Result<(), TestError> {
    Ok(reject(&case.snapshot)?)
}

/// Makes a result the one that is wanted. `snapshot` is the `.snap` file, and
/// `CASE.snap.new` beside it is what becomes of it.
///
/// # Errors
/// Where one of the two is no snapshot; nothing was written then.
pub fn accept(snapshot: &Path) -> Result<(), TestError> {
    let new = pending(snapshot);
    read(snapshot)?;
    if read(&new)?.is_none() {
        return Err(TestError::Absent(new));
    }
    let wrong = |why: String| TestError::NotASnapshot { path: new.clone(), why };
    let text = read_text(&new, MAX_SNAPSHOT).map_err(wrong)?;
    files::write_whole(snapshot, text.as_bytes(), false)?;
    Ok(files::remove(&new)?)
}

/// Forgets a result that is not wanted.
///
/// # Errors
/// Where the file system refuses.
pub fn reject(snapshot: &Path) -> Result<(), files::FilesError> {
    let new = pending(snapshot);
    if std::fs::symlink_metadata(&new).is_err() {
        return Ok(());
    }
    files::remove(&new)
}

/// The whole file. Paths in it are relative to the repository, or to the rules.
fn rendered(suite: &Suite, case: &Case, text: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let source = from_root(&suite.file);
    let mut out = format!("---\nsource: {}\n", quoted(&source));
    if let Some(description) = &case.description {
        out += &format!("description: {}\n", quoted(description));
    }
    out += &format!("expression: {}\n", quoted(&format!("gander test {}", from_root(&case.folder))));
    out += &format!("input_file: {}\n---\n{}\n", quoted(&from_root(&case.folder)), text.trim_end());
    out
}

/// A path relative to the repository that it lies in, so that it is the same everywhere.
pub(super) fn from_root(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let root = full.ancestors().find(|folder| folder.join(".git").exists());
    let below = root.and_then(|root| full.strip_prefix(root).ok()).unwrap_or(path);
    below.to_string_lossy().replace('\\', "/")
}
