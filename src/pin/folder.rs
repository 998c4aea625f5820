//! The manifest of a folder as it lies on disk: everything that its own ignore
//! files don't exclude.
//!
//! Must not: follow a symbolic link, or heed ignore rules from outside the folder,
//! which differ between machines.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder};
use rayon::prelude::*;

use super::{PinError, check_paths};
use crate::digest::Digest;
use crate::files;
use crate::git::Repository;
use crate::workspace::{Entry, Manifest, Mode, Workspace};

/// What lies at a path, before its bytes were read.
struct Seen {
    path: PathBuf,
    mode: Mode,
}

/// Lists a folder and digests every file of it.
pub(super) fn manifest(workspace: &Workspace) -> Result<Manifest, PinError> {
    let root = workspace.root.as_path();
    fs::read_dir(root).map_err(|source| io(root, source))?;
    let mut manifest = Manifest::default();
    let mut seen = walk(workspace, &mut manifest)?;
    if workspace.git.is_some() {
        seen.extend(tracked(workspace)?);
    }
    let entries: Vec<(PathBuf, std::io::Result<Entry>)> = seen
        .into_par_iter()
        .map(|seen| {
            let entry = entry(&seen);
            (seen.path, entry)
        })
        .collect();
    for (path, entry) in entries {
        let below = path.strip_prefix(root).unwrap_or(&path);
        let name = inner_name(below);
        match (name, entry) {
            (Some(name), Ok(entry)) => {
                manifest.entries.insert(name, entry);
            }
            _ => manifest.unreadable.push(below.to_string_lossy().into_owned()),
        }
    }
    // Another component's code is pinned with that component.
    manifest.entries.retain(|path, _| workspace.owns(path));
    manifest.unreadable.sort();
    manifest.unreadable.dedup();
    check_paths(workspace, &manifest)?;
    Ok(manifest)
}

fn walk(workspace: &Workspace, manifest: &mut Manifest) -> Result<Vec<Seen>, PinError> {
    let root = workspace.root.as_path();
    if let Some(name) = files::barred_ignore(root) {
        return Err(barred(workspace, &root.join(name)));
    }
    let nested: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let closed: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let (found, shut) = (Arc::clone(&nested), Arc::clone(&closed));
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .parents(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(move |entry| enter(entry, &found, &shut))
        .build();
    let mut seen = Vec::new();
    for entry in walker {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let text = error.to_string();
                manifest.unreadable.push(text.replace(&*root.to_string_lossy(), ""));
                continue;
            }
        };
        let kind = entry.file_type();
        let path = entry.into_path();
        match kind.and_then(|kind| mode(&path, kind)) {
            Some(mode) => seen.push(Seen { path, mode }),
            None if kind.is_some_and(|kind| kind.is_dir()) => {}
            // A pipe, a socket, a device.
            None => {
                let below = path.strip_prefix(root).unwrap_or(&path);
                let below = below.to_string_lossy().into_owned();
                manifest.unreadable.push(below);
            }
        }
    }
    let take = |paths: &Mutex<Vec<PathBuf>>| std::mem::take(&mut *paths.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(first) = take(&closed).into_iter().min() {
        return Err(barred(workspace, &first));
    }
    seen.extend(take(&nested).into_iter().map(|path| Seen { path, mode: Mode::Submodule }));
    Ok(seen)
}

fn barred(workspace: &Workspace, path: &Path) -> PinError {
    let below = path.strip_prefix(&workspace.root).unwrap_or(path);
    PinError::IgnoreFile { workspace: workspace.id.clone(), path: below.to_string_lossy().into_owned() }
}

/// Whether the walk goes on with an entry. Repositories of their own are noted
/// and not entered, and so are folders whose ignore file must not be opened.
fn enter(entry: &DirEntry, nested: &Mutex<Vec<PathBuf>>, closed: &Mutex<Vec<PathBuf>>) -> bool {
    if entry.file_name() == ".git" {
        return false;
    }
    let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    let repository = || entry.path().join(".git").symlink_metadata().is_ok();
    if entry.depth() > 0 && folder && repository() {
        let mut nested = nested.lock().unwrap_or_else(PoisonError::into_inner);
        nested.push(entry.path().to_path_buf());
        return false;
    }
    if entry.depth() > 0
        && folder
        && let Some(name) = files::barred_ignore(entry.path())
    {
        let mut closed = closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.push(entry.path().join(name));
        return false;
    }
    true
}

/// Files that git tracks though an ignore file excludes them.
fn tracked(workspace: &Workspace) -> Result<Vec<Seen>, PinError> {
    let Some(place) = &workspace.git else {
        return Ok(Vec::new());
    };
    let listing = Repository::open(&place.toplevel)?.listing(&place.tree)?;
    let mut seen = Vec::new();
    for (path, _) in listing.below("") {
        let Ok(path) = std::str::from_utf8(path) else {
            continue;
        };
        let path = workspace.root.join(path);
        let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
        let inside = parent.is_some_and(|parent| {
            // Not behind a link, and not in a repository of its own.
            let mut above = parent.ancestors().take_while(|above| *above != workspace.root);
            parent.starts_with(&workspace.root) && !above.any(|above| above.join(".git").exists())
        });
        let kind = path.symlink_metadata().map(|meta| meta.file_type());
        if let (true, Ok(kind)) = (inside, kind)
            && let Some(mode) = mode(&path, kind)
        {
            seen.push(Seen { path, mode });
        }
    }
    Ok(seen)
}

/// The mode of a file or link; `None` for folders and for what is no file.
fn mode(path: &Path, kind: fs::FileType) -> Option<Mode> {
    if kind.is_symlink() {
        return Some(Mode::Symlink);
    }
    let executable = kind.is_file() && is_executable(path);
    match (kind.is_file(), executable) {
        (true, true) => Some(Mode::Executable),
        (true, false) => Some(Mode::File),
        _ => None,
    }
}

#[cfg(unix)]
pub(super) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let meta = path.symlink_metadata();
    meta.is_ok_and(|meta| meta.permissions().mode() & 0o100 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_executable(_: &Path) -> bool {
    false
}

fn entry(seen: &Seen) -> std::io::Result<Entry> {
    let digest = match seen.mode {
        Mode::Symlink => Digest::of(&link_target(&seen.path)?),
        Mode::Submodule => Digest::of(b""),
        Mode::File | Mode::Executable => Digest::of_reader(File::open(&seen.path)?)?,
    };
    Ok(Entry { mode: seen.mode, blob: digest.to_string() })
}

/// The target of a link, as bytes.
pub(super) fn link_target(path: &Path) -> std::io::Result<Vec<u8>> {
    let target = fs::read_link(path)?;
    Ok(target.into_os_string().into_encoded_bytes())
}

fn inner_name(path: &Path) -> Option<String> {
    let parts = path.components().map(|part| part.as_os_str().to_str());
    let parts: Option<Vec<&str>> = parts.collect();
    parts.map(|parts| parts.join("/"))
}

pub(super) fn io(path: &Path, source: std::io::Error) -> PinError {
    PinError::Io { path: path.to_path_buf(), source }
}
