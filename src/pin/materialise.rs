//! A copy of the pinned bytes in an empty folder.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::content::{Found, contents, on_disk};
use super::folder::io;
use super::{PinError, check_paths};
use crate::workspace::{Manifest, Mode, Pin, Workspace};

/// The largest file that is copied, in bytes: it is held in memory on the way.
const MAX_FILE: u64 = 1 << 30;

/// Writes exactly the pinned bytes, executable bits and symbolic links below
/// `dest`, which is made if need be and must be empty. No filter, line-end
/// conversion or substitution is applied; a submodule is an empty folder.
///
/// Links are made last and nothing existing is opened, so that nothing can be
/// written through them, whatever the tree holds.
///
/// # Errors
/// [`PinError`]; `dest` may then hold a part, and is to be thrown away.
pub fn materialise(workspace: &Workspace, pin: &Pin, manifest: &Manifest, dest: &Path) -> Result<(), PinError> {
    check_paths(workspace, manifest)?;
    fs::create_dir_all(dest).map_err(|source| io(dest, source))?;
    let mut inside = fs::read_dir(dest).map_err(|source| io(dest, source))?;
    if inside.next().is_some() {
        return Err(PinError::NotEmpty(dest.to_path_buf()));
    }
    folders(manifest, dest)?;
    files(workspace, pin, manifest, dest)?;
    let links = paths(manifest, |mode| mode == Mode::Symlink);
    let make = &mut |path: &str, found: Found<'_>| match found {
        Found::TooLarge(bytes) => Err(too_large(workspace, path, bytes)),
        Found::Bytes(target) => link(&dest.join(path), target),
    };
    contents(workspace, pin, manifest, &links, MAX_FILE, make)
}

fn files(workspace: &Workspace, pin: &Pin, manifest: &Manifest, dest: &Path) -> Result<(), PinError> {
    let files = paths(manifest, |mode| matches!(mode, Mode::File | Mode::Executable));
    let put = |path: &str, found: Found<'_>| match found {
        Found::TooLarge(bytes) => Err(too_large(workspace, path, bytes)),
        Found::Bytes(bytes) => {
            let mode = manifest.entries.get(path).map(|entry| entry.mode);
            write(&dest.join(path), bytes, mode == Some(Mode::Executable))
        }
    };
    if let Pin::Commit { .. } = pin {
        let put = &mut |path: &str, found: Found<'_>| put(path, found);
        return contents(workspace, pin, manifest, &files, MAX_FILE, put);
    }
    // A folder can be read by several threads.
    files.par_iter().try_for_each(|path| match manifest.entries.get(*path) {
        None => Ok(()),
        Some(entry) => match on_disk(workspace, path, entry, MAX_FILE)? {
            Ok(bytes) => put(path, Found::Bytes(&bytes)),
            Err(size) => put(path, Found::TooLarge(size)),
        },
    })
}

/// The paths whose mode is one that is wanted.
fn paths(manifest: &Manifest, wanted: fn(Mode) -> bool) -> Vec<&str> {
    let entries = manifest.entries.iter();
    let wanted = entries.filter(|(_, entry)| wanted(entry.mode));
    wanted.map(|(path, _)| path.as_str()).collect()
}

fn too_large(workspace: &Workspace, path: &str, bytes: u64) -> PinError {
    PinError::TooLarge { workspace: workspace.id.clone(), path: path.to_owned(), bytes }
}

/// Makes every folder that an entry needs, each once.
fn folders(manifest: &Manifest, dest: &Path) -> Result<(), PinError> {
    let mut made: HashSet<PathBuf> = HashSet::new();
    for (path, entry) in &manifest.entries {
        let path = dest.join(path);
        let folder = match entry.mode {
            Mode::Submodule => Some(path.as_path()),
            _ => path.parent(),
        };
        if let Some(folder) = folder
            && made.insert(folder.to_path_buf())
        {
            fs::create_dir_all(folder).map_err(|source| io(folder, source))?;
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8], executable: bool) -> Result<(), PinError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if executable { 0o755 } else { 0o644 });
    }
    #[cfg(not(unix))]
    let _ = executable;
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|source| io(path, source))
}

#[cfg(unix)]
fn link(path: &Path, target: &[u8]) -> Result<(), PinError> {
    use std::os::unix::ffi::OsStrExt;
    let target = std::ffi::OsStr::from_bytes(target);
    std::os::unix::fs::symlink(target, path).map_err(|source| io(path, source))
}

#[cfg(not(unix))]
fn link(path: &Path, _: &[u8]) -> Result<(), PinError> {
    Err(PinError::NoLinks(path.display().to_string()))
}
