//! The pinned contents of many workspaces at once: git is asked once for
//! thousands of files, not once a workspace.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::content::{Found, on_disk};
use super::{PinError, check_paths};
use crate::git::{Blob, GitError, Repository};
use crate::workspace::{Entry, Manifest, Mode, Pin, Workspace};

/// How many files one call of git is asked for: many, so that few processes are
/// started, and few where that keeps every core busy.
fn chunk_of(files: usize) -> usize {
    (files / (4 * rayon::current_num_threads())).clamp(32, 4096)
}

/// What is to be read of one workspace.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// Its pin.
    pub pin: &'a Pin,
    /// Its manifest.
    pub manifest: &'a Manifest,
    /// Which files of it; those that are no file or link of the manifest are passed over.
    pub paths: Vec<&'a str>,
}

/// One file: the index of its workspace, its path and what the manifest says of it.
type File<'a> = (usize, &'a str, &'a Entry);

/// As [`super::contents`] for many workspaces. `sink` is called with the index of
/// the workspace in `wanted`, from several threads and in no order; each file
/// comes once. Returns, for each workspace, whether all of it was read; after the
/// first error in a workspace the rest of it may be left out.
pub fn contents_of<E: From<PinError> + Send>(
    wanted: &[Wanted<'_>],
    limit: u64,
    sink: &(dyn Fn(usize, &str, Found<'_>) -> Result<(), E> + Sync),
) -> Vec<Result<(), E>> {
    let errors: Vec<Mutex<Option<E>>> = wanted.iter().map(|_| Mutex::new(None)).collect();
    let reading = Reading { wanted, limit, sink, errors: &errors };
    let mut repositories: BTreeMap<&Path, Vec<File<'_>>> = BTreeMap::new();
    let mut folders = Vec::new();
    for (index, want) in wanted.iter().enumerate() {
        if let Err(error) = check_paths(want.workspace, want.manifest) {
            reading.fail(index, error.into());
            continue;
        }
        let entries = want.paths.iter().filter_map(|path| Some((index, *path, want.manifest.entries.get(*path)?)));
        let files = entries.filter(|(_, _, entry)| entry.mode != Mode::Submodule);
        match (want.pin, &want.workspace.git) {
            (Pin::Commit { .. }, Some(place)) => repositories.entry(&place.toplevel).or_default().extend(files),
            _ => folders.extend(files),
        }
    }
    let repositories: Vec<_> = repositories.into_iter().collect();
    rayon::join(
        || repositories.par_iter().for_each(|(toplevel, files)| reading.repository(toplevel, files)),
        || folders.par_iter().for_each(|file| reading.folder(*file)),
    );
    let result = |error: Mutex<Option<E>>| {
        let error = error.into_inner().unwrap_or_else(PoisonError::into_inner);
        error.map_or(Ok(()), Err)
    };
    errors.into_iter().map(result).collect()
}

/// A reading of many workspaces while it goes on.
struct Reading<'a, E> {
    wanted: &'a [Wanted<'a>],
    limit: u64,
    sink: &'a (dyn Fn(usize, &str, Found<'_>) -> Result<(), E> + Sync),
    errors: &'a [Mutex<Option<E>>],
}

impl<E: From<PinError> + Send> Reading<'_, E> {
    fn repository(&self, toplevel: &Path, files: &[File<'_>]) {
        match Repository::open(toplevel) {
            Err(error) => self.fail_all(files, &error),
            Ok(repository) => files.par_chunks(chunk_of(files.len())).for_each(|chunk| {
                if let Err(error) = self.chunk(&repository, chunk) {
                    self.fail_all(chunk, &error);
                }
            }),
        }
    }

    fn chunk(&self, repository: &Repository, files: &[File<'_>]) -> Result<(), GitError> {
        let ids: Vec<&str> = files.iter().map(|(_, _, entry)| entry.blob.as_str()).collect();
        repository.blobs(&ids, self.limit, &mut |at, blob| {
            let Some((index, path, _)) = files.get(at) else { return Ok(()) };
            match blob {
                Blob::Bytes(bytes) => self.hand(*index, path, Found::Bytes(bytes)),
                Blob::TooLarge(size) => self.hand(*index, path, Found::TooLarge(size)),
                Blob::Missing => {
                    let workspace = self.id(*index);
                    self.fail(*index, PinError::Absent { workspace, path: (*path).to_owned() }.into());
                }
            }
            Ok(())
        })
    }

    fn folder(&self, (index, path, entry): File<'_>) {
        let Some(want) = self.wanted.get(index) else { return };
        match on_disk(want.workspace, path, entry, self.limit) {
            Err(error) => self.fail(index, error.into()),
            Ok(Ok(bytes)) => self.hand(index, path, Found::Bytes(&bytes)),
            Ok(Err(size)) => self.hand(index, path, Found::TooLarge(size)),
        }
    }

    fn hand(&self, index: usize, path: &str, found: Found<'_>) {
        if let Err(error) = (self.sink)(index, path, found) {
            self.fail(index, error);
        }
    }

    /// Every workspace that has a file here learns of the repository's error.
    fn fail_all(&self, files: &[File<'_>], error: &GitError) {
        for (index, _, _) in files {
            let (workspace, message) = (self.id(*index), error.to_string());
            self.fail(*index, PinError::Repository { workspace, message }.into());
        }
    }

    /// The first error of a workspace stands.
    fn fail(&self, index: usize, error: E) {
        if let Some(slot) = self.errors.get(index) {
            slot.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    fn id(&self, index: usize) -> String {
        self.wanted.get(index).map_or_else(String::new, |want| want.workspace.id.clone())
    }
}
