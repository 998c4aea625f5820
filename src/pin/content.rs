//! The pinned contents of single files, from git's objects or from the folder.

use std::fs::File;
use std::io::Read;

use super::folder::{io, is_executable, link_target};
use super::{PinError, check_path};
use crate::digest::Digest;
use crate::git::{Blob, Repository};
use crate::workspace::{Entry, Manifest, Mode, Pin, Workspace};

/// What is at a path of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The bytes of a file, or the target of a symbolic link.
    Bytes(&'a [u8]),
    /// It is larger than the limit; its size in bytes.
    TooLarge(u64),
}

/// Hands the pinned bytes of each of `paths` to `sink`, in their order. Paths
/// that are no file or link of the manifest are passed over. Little more than
/// 32 MiB, or one file, is in memory at a time; files larger than `limit` bytes
/// are not read.
///
/// # Errors
/// [`PinError::Changed`] where a folder no longer holds the pinned bytes,
/// [`PinError::Absent`] where a repository lacks them, and those of `sink`.
pub fn contents<E: From<PinError>>(
    workspace: &Workspace,
    pin: &Pin,
    manifest: &Manifest,
    paths: &[&str],
    limit: u64,
    sink: &mut dyn FnMut(&str, Found<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let wanted = paths.iter().filter_map(|path| {
        let entry = manifest.entries.get(*path)?;
        (entry.mode != Mode::Submodule).then_some((*path, entry))
    });
    let wanted: Vec<(&str, &Entry)> = wanted.collect();
    // Only what is read: a large manifest is asked for in many small parts.
    wanted.iter().try_for_each(|(path, _)| check_path(workspace, manifest, path))?;
    match (pin, &workspace.git) {
        (Pin::Commit { .. }, Some(place)) => {
            let repository = Repository::open(&place.toplevel).map_err(PinError::from)?;
            from_objects(workspace, &repository, &wanted, limit, sink)
        }
        _ => wanted.into_iter().try_for_each(|(path, entry)| match on_disk(workspace, path, entry, limit)? {
            Ok(bytes) => sink(path, Found::Bytes(&bytes)),
            Err(size) => sink(path, Found::TooLarge(size)),
        }),
    }
}

/// An error of the caller on its way through git's reader.
enum Passing<E> {
    Pin(PinError),
    Caller(E),
}

impl<E> From<crate::git::GitError> for Passing<E> {
    fn from(error: crate::git::GitError) -> Self {
        Self::Pin(error.into())
    }
}

fn from_objects<E: From<PinError>>(
    workspace: &Workspace,
    repository: &Repository,
    wanted: &[(&str, &Entry)],
    limit: u64,
    sink: &mut dyn FnMut(&str, Found<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let ids: Vec<&str> = wanted.iter().map(|(_, entry)| entry.blob.as_str()).collect();
    let mut pass = |index: usize, blob: Blob<'_>| {
        let path = wanted.get(index).map_or("", |(path, _)| *path);
        let found = match blob {
            Blob::Bytes(bytes) => Found::Bytes(bytes),
            Blob::TooLarge(size) => Found::TooLarge(size),
            Blob::Missing => {
                return Err(Passing::Pin(PinError::Absent { workspace: workspace.id.clone(), path: path.to_owned() }));
            }
        };
        sink(path, found).map_err(Passing::Caller)
    };
    let read = repository.blobs::<Passing<E>>(&ids, limit, &mut pass);
    read.map_err(|error| match error {
        Passing::Pin(error) => error.into(),
        Passing::Caller(error) => error,
    })
}

/// The bytes of a file or link if they are still the pinned ones; its size where
/// that is above the limit.
pub(super) fn on_disk(
    workspace: &Workspace,
    path: &str,
    entry: &Entry,
    limit: u64,
) -> Result<Result<Vec<u8>, u64>, PinError> {
    let full = workspace.root.join(path);
    let meta = full.symlink_metadata().map_err(|source| io(&full, source))?;
    let changed = || PinError::Changed { workspace: workspace.id.clone(), path: path.to_owned() };
    let bytes = match entry.mode {
        Mode::Symlink if meta.is_symlink() => link_target(&full).map_err(|source| io(&full, source))?,
        Mode::File | Mode::Executable if meta.is_file() => {
            if meta.len() > limit {
                return Ok(Err(meta.len()));
            }
            if is_executable(&full) != (entry.mode == Mode::Executable) {
                return Err(changed());
            }
            let mut bytes = Vec::new();
            let file = File::open(&full).map_err(|source| io(&full, source))?;
            // One byte more shows that it grew since.
            let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
            read.map_err(|source| io(&full, source))?;
            bytes
        }
        _ => return Err(changed()),
    };
    match Digest::of(&bytes).to_string() == entry.blob {
        true => Ok(Ok(bytes)),
        false => Err(changed()),
    }
}
