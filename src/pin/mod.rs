//! Which bytes of a workspace are meant, and how to get at exactly these: the
//! [`Manifest`] and [`Pin`] of a workspace, its pinned contents, and a copy of
//! them elsewhere.
//!
//! A clean git workspace is read from its commit's objects, never from the work
//! tree, so that neither filters nor a concurrent edit can change what is read.
//! Anything else is read from the folder and compared with its digest.
//!
//! Must not: know a stage, or write anywhere but below a destination it is given.

mod content;
mod folder;
mod many;
mod materialise;
#[cfg(test)]
mod tests;

pub use content::{Found, contents};
pub use many::{Wanted, contents_of};
pub use materialise::materialise;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::digest::DigestBuilder;
use crate::git::{GitError, Listing, Repository, TreeEntry};
use crate::workspace::{Entry, GitPlace, Manifest, Mode, Pin, Workspace, is_inner_path};

/// Why the pinned bytes could not be told or had.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// git could not answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The repository that many workspaces share could not be read.
    #[error("{workspace}: {message}")]
    Repository {
        /// [`Workspace::id`].
        workspace: String,
        /// What git says.
        message: String,
    },
    /// The file system refused something.
    #[error("{}: {source}; check that it exists and its permissions", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A tree holds a path that would lead out of the workspace or into `.git`.
    #[error("{workspace}: the path {path:?} is not one that a checkout may hold: remove it from the repository")]
    HostilePath {
        /// [`Workspace::id`].
        workspace: String,
        /// The path.
        path: String,
    },
    /// One path is a file and a folder at the same time.
    #[error(
        "{workspace}: {path:?} lies below something that is no folder: the tree is damaged or hostile, check it with `git fsck`"
    )]
    Clash {
        /// [`Workspace::id`].
        workspace: String,
        /// The path.
        path: String,
    },
    /// An ignore file is a pipe, a device or huge, and was not opened.
    #[error("{workspace}: {path:?} is no file that lists what to ignore: remove it, or leave the consumer out")]
    IgnoreFile {
        /// [`Workspace::id`].
        workspace: String,
        /// Relative to the workspace.
        path: String,
    },
    /// The bytes on disk are no longer the pinned ones.
    #[error("{workspace}: {path:?} changed while gander was at work: run again")]
    Changed {
        /// [`Workspace::id`].
        workspace: String,
        /// The path.
        path: String,
    },
    /// The repository lacks the bytes.
    #[error(
        "{workspace}: the repository lacks the content of {path:?} (a partial clone?): run `git fetch --refetch`, then again"
    )]
    Absent {
        /// [`Workspace::id`].
        workspace: String,
        /// The path.
        path: String,
    },
    /// A file is larger than any that is copied.
    #[error("{workspace}: {path:?} holds {bytes} bytes, more than gander copies: move it out of the repository")]
    TooLarge {
        /// [`Workspace::id`].
        workspace: String,
        /// The path.
        path: String,
        /// Its size.
        bytes: u64,
    },
    /// The destination holds something already.
    #[error("{} is not empty: nothing is written over it", .0.display())]
    NotEmpty(PathBuf),
    /// This system has no symbolic links to make.
    #[error("{0:?} is a symbolic link, which this system can't make: use Linux or macOS for this workspace")]
    NoLinks(String),
}

/// Every file of a workspace's pinned bytes: what git tracks in its commit, or,
/// where it has no git or is dirty, what lies in the folder and is not ignored.
///
/// # Errors
/// Where it can't be listed, or holds a path that no checkout may hold.
pub fn manifest(workspace: &Workspace) -> Result<Manifest, PinError> {
    match committed(workspace) {
        Some(place) => {
            let repository = Repository::open(&place.toplevel)?;
            let listing = repository.listing(&place.tree)?;
            of_tree(workspace, &mut listing.below(""))
        }
        None => folder::manifest(workspace),
    }
}

/// As [`manifest`], for many workspaces, in their order: each repository's commit
/// is listed once, however many workspaces lie in it.
pub fn manifests(workspaces: &[Workspace]) -> Vec<Result<Manifest, PinError>> {
    let mut shared: BTreeMap<(&Path, &str), usize> = BTreeMap::new();
    for place in workspaces.iter().filter_map(committed) {
        *shared.entry((&place.toplevel, &place.commit)).or_default() += 1;
    }
    shared.retain(|_, count| *count > 1);
    let keys: Vec<(&Path, &str)> = shared.into_keys().collect();
    let list = |(toplevel, commit): &(&Path, &str)| {
        let repository = Repository::open(toplevel).ok()?;
        repository.listing(commit).ok()
    };
    let listings: Vec<Option<Listing>> = keys.par_iter().map(list).collect();
    let listings: BTreeMap<(&Path, &str), Option<Listing>> = keys.iter().copied().zip(listings).collect();
    let one = |workspace: &Workspace| {
        let place = committed(workspace);
        let key = place.map(|place| (place.toplevel.as_path(), place.commit.as_str()));
        let listing = key.and_then(|key| listings.get(&key)?.as_ref());
        match (place, listing) {
            (Some(place), Some(listing)) => of_tree(workspace, &mut listing.below(&place.prefix)),
            // Alone in its repository, or one that can't be listed: it tells why itself.
            _ => manifest(workspace),
        }
    };
    workspaces.par_iter().map(one).collect()
}

/// The name of a workspace's pinned bytes.
pub fn pin_of(workspace: &Workspace, manifest: &Manifest) -> Pin {
    if let Some(place) = committed(workspace) {
        return Pin::Commit { commit: place.commit.clone(), tree: place.tree.clone() };
    }
    let mut digest = DigestBuilder::new("manifest");
    for (path, entry) in &manifest.entries {
        let mode = match entry.mode {
            Mode::File => "file",
            Mode::Executable => "executable",
            Mode::Symlink => "symlink",
            Mode::Submodule => "submodule",
        };
        digest = digest.field(path).field(mode).field(&entry.blob);
    }
    for path in &manifest.unreadable {
        digest = digest.field(path).field("unreadable");
    }
    Pin::Content { digest: digest.finish(), dirty: workspace.git.is_some() }
}

/// The place in git of a workspace whose bytes are those of its commit.
fn committed(workspace: &Workspace) -> Option<&GitPlace> {
    workspace.git.as_ref().filter(|place| place.dirty.is_empty())
}

fn of_tree<'a>(
    workspace: &Workspace,
    entries: &mut dyn Iterator<Item = (&'a [u8], &'a TreeEntry)>,
) -> Result<Manifest, PinError> {
    let mut manifest = Manifest::default();
    for (path, entry) in entries {
        let Ok(path) = std::str::from_utf8(path) else {
            manifest.unreadable.push(String::from_utf8_lossy(path).into_owned());
            continue;
        };
        let blob = entry.object.clone();
        let mode = entry.mode;
        manifest.entries.insert(path.to_owned(), Entry { mode, blob });
    }
    check_paths(workspace, &manifest)?;
    Ok(manifest)
}

/// Refuses paths that lead elsewhere, and files below files: a tree or a stored
/// manifest may hold anything.
fn check_paths(workspace: &Workspace, manifest: &Manifest) -> Result<(), PinError> {
    manifest.entries.keys().try_for_each(|path| check_path(workspace, manifest, path))
}

fn check_path(workspace: &Workspace, manifest: &Manifest, path: &str) -> Result<(), PinError> {
    let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
    let clash = above.any(|above| manifest.entries.contains_key(above));
    let names = || (workspace.id.clone(), path.to_owned());
    if !is_inner_path(path) {
        let (workspace, path) = names();
        return Err(PinError::HostilePath { workspace, path });
    }
    if clash {
        let (workspace, path) = names();
        return Err(PinError::Clash { workspace, path });
    }
    Ok(())
}
