//! From a plan to bytes: both ends of every file that a workspace plan changes.

use std::collections::BTreeMap;

use super::RolloutError;
use crate::changeset::ChangeSet;
use crate::digest::Digest;
use crate::edit::Splice;
use crate::pin::{self, PinError};
use crate::state::{DeliveryRecord, Store};
use crate::transform::{FileOutcome, FilePlan, WorkspacePlan};
use crate::workspace::{Content, FileVersion, Manifest, Mode, Workspace};

/// The plan does not fit the pinned bytes, or itself. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum VersionsError {
    /// The pinned bytes could not be read.
    #[error("{path}: cannot read the pinned bytes: {message}")]
    Unreadable {
        /// Relative to the workspace.
        path: String,
        /// Why.
        message: String,
    },
    /// The pinned bytes are not those that the plan was made from.
    #[error("{path} was changed after this was planned: plan again")]
    NotThePlanned {
        /// Relative to the workspace.
        path: String,
    },
    /// A splice lies outside of the file or overlaps the one before.
    #[error("{path}: the plan replaces bytes {start}..{end}, which do not fit the file")]
    BadSplice {
        /// Relative to the workspace.
        path: String,
        /// First byte.
        start: usize,
        /// Byte after the last.
        end: usize,
    },
    /// The plan speaks of the same path twice.
    #[error("{path}: the plan changes it twice")]
    Twice {
        /// Relative to the workspace.
        path: String,
    },
    /// The new bytes are not those that were parsed and checked.
    #[error("{path}: the changed bytes are not those of the plan; plan again")]
    OtherResult {
        /// Relative to the workspace.
        path: String,
    },
}

/// Both ends of every file that `plan` changes, ordered by path. `read` gives the
/// pinned bytes of a path.
///
/// # Errors
/// Where the pinned bytes are not those of the plan, in digest or mode.
pub fn versions_of(
    plan: &WorkspacePlan,
    read: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Vec<FileVersion>, VersionsError> {
    let mut versions = Vec::with_capacity(plan.files.len());
    for file in &plan.files {
        append(&mut versions, file, pinned(file, read)?)?;
    }
    versions.sort_by(|a, b| a.path.cmp(&b.path));
    for pair in versions.windows(2) {
        if pair[0].path == pair[1].path {
            let path = pair[0].path.clone();
            return Err(VersionsError::Twice { path });
        }
    }
    Ok(versions)
}

/// The same, over what is pinned of its workspace.
///
/// # Errors
/// Where the pinned bytes can't be read any more.
pub fn ends(workspace: &Workspace, manifest: &Manifest, plan: &WorkspacePlan) -> Result<Vec<FileVersion>, String> {
    let Some(pin) = &plan.pin else { return Ok(Vec::new()) };
    let paths: Vec<&str> = plan.files.iter().map(|f| f.path.as_str()).collect();
    let mut bytes: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    pin::contents(workspace, pin, manifest, &paths, u64::MAX, &mut |path, found| {
        if let pin::Found::Bytes(found) = found {
            bytes.insert(path.to_owned(), found.to_vec());
        }
        Ok::<(), PinError>(())
    })
    .map_err(|e| e.to_string())?;
    let read = |path: &str| bytes.get(path).cloned().ok_or_else(|| format!("{path} is not pinned"));
    versions_of(plan, &read).map_err(|e| e.to_string())
}

/// What a plan changes in a workspace, as a patch.
///
/// # Errors
/// Where the pinned bytes can't be read any more.
pub fn patch(workspace: &Workspace, manifest: &Manifest, plan: &WorkspacePlan) -> Result<String, String> {
    let versions = ends(workspace, manifest, plan)?;
    let prefix = workspace.git.as_ref().map_or("", |git| git.prefix.as_str());
    Ok(String::from_utf8_lossy(&ChangeSet::new(&versions, prefix).change).into_owned())
}

fn pinned(file: &FilePlan, read: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Result<Option<Content>, VersionsError> {
    let path = || file.path.clone();
    let Some(expected) = file.before else {
        return Ok(None);
    };
    let bytes = read(&file.path).map_err(|message| VersionsError::Unreadable { path: path(), message })?;
    let executable = match file.mode {
        Some(Mode::File) => false,
        Some(Mode::Executable) => true,
        _ => return Err(VersionsError::NotThePlanned { path: path() }),
    };
    if Digest::of(&bytes) != expected {
        return Err(VersionsError::NotThePlanned { path: path() });
    }
    Ok(Some(Content { bytes, executable }))
}

fn append(versions: &mut Vec<FileVersion>, file: &FilePlan, before: Option<Content>) -> Result<(), VersionsError> {
    let not_planned = || VersionsError::NotThePlanned { path: file.path.clone() };
    let mut push = |path: &str, before, after, renamed_from| {
        versions.push(FileVersion { path: path.to_owned(), before, after, renamed_from });
    };
    match &file.outcome {
        FileOutcome::Create { text, executable, .. } => {
            if before.is_some() {
                return Err(not_planned());
            }
            let after = Content { bytes: text.clone().into_bytes(), executable: *executable };
            push(&file.path, None, Some(after), None);
        }
        FileOutcome::Delete { .. } => {
            let before = before.ok_or_else(not_planned)?;
            push(&file.path, Some(before), None, None);
        }
        FileOutcome::Edit { splices, after: expected, .. } => {
            let before = before.ok_or_else(not_planned)?;
            let after = spliced(&file.path, &before, splices)?;
            if Digest::of(&after.bytes) != *expected {
                let path = file.path.clone();
                return Err(VersionsError::OtherResult { path });
            }
            push(&file.path, Some(before), Some(after), None);
        }
        FileOutcome::Rename { to, splices, after: expected, .. } => {
            let before = before.ok_or_else(not_planned)?;
            let after = spliced(&file.path, &before, splices)?;
            if Digest::of(&after.bytes) != *expected {
                let path = file.path.clone();
                return Err(VersionsError::OtherResult { path });
            }
            push(&file.path, Some(before), None, None);
            push(to, None, Some(after), Some(file.path.clone()));
        }
        FileOutcome::SetExecutable { executable, .. } => {
            let before = before.ok_or_else(not_planned)?;
            let after = Content { bytes: before.bytes.clone(), executable: *executable };
            push(&file.path, Some(before), Some(after), None);
        }
    }
    Ok(())
}

/// Splices are ordered and disjoint; what is between them is copied.
fn spliced(path: &str, before: &Content, splices: &[Splice]) -> Result<Content, VersionsError> {
    let mut bytes = Vec::with_capacity(before.bytes.len());
    let mut done = 0;
    for splice in splices {
        let (start, end) = (splice.range.start, splice.range.end);
        let kept = before.bytes.get(done..start);
        let fits = start <= end && end <= before.bytes.len();
        let kept =
            kept.filter(|_| fits).ok_or_else(|| VersionsError::BadSplice { path: path.to_owned(), start, end })?;
        bytes.extend_from_slice(kept);
        bytes.extend_from_slice(splice.text.as_bytes());
        done = end;
    }
    bytes.extend_from_slice(before.bytes.get(done..).unwrap_or_default());
    Ok(Content { bytes, executable: before.executable })
}

/// Both ends of the files of a change set, and of those that were merged under it, the newest
/// first.
pub(super) fn files_of(
    store: &Store,
    id: &str,
    record: &DeliveryRecord,
) -> Result<(Vec<FileVersion>, Vec<Vec<FileVersion>>), RolloutError> {
    let under = std::iter::successors(record.over.as_deref(), |one| one.over.as_deref());
    let under: Result<Vec<_>, _> = under.map(|one| store.versions_of(id, &one.change_id)).collect();
    Ok((store.versions_of(id, &record.change_id)?, under?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice(range: std::ops::Range<usize>, text: &str) -> Splice {
        Splice { range, text: text.to_owned() }
    }

    #[test]
    fn splices_copy_what_lies_between() {
        let before = Content { bytes: b"abcdef".to_vec(), executable: true };
        let after = spliced("f", &before, &[splice(0..0, "<"), splice(1..3, "X"), splice(6..6, ">")]);
        assert_eq!(after.unwrap(), Content { bytes: b"<aXdef>".to_vec(), executable: true });
        for bad in [vec![splice(2..9, "")], vec![splice(2..4, ""), splice(3..5, "")]] {
            assert!(spliced("f", &before, &bad).is_err());
        }
    }
}
