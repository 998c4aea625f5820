//! A copy of the pinned bytes in an empty folder.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::content::{Found, contents, on_disk};
use super::folder::io;
use super::{PinError, check_paths};
use crate::workspace::{Entry, Manifest, Mode, Pin, Workspace};

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
    let entries = || manifest.entries.iter();
    let is_file = |entry: &Entry| matches!(entry.mode, Mode::File | Mode::Executable);
    let files: Vec<(&str, &Entry)> =
        entries().filter(|(_, entry)| is_file(entry)).map(|(path, entry)| (path.as_str(), entry)).collect();
    let links: Vec<&str> =
        entries().filter(|(_, entry)| entry.mode == Mode::Symlink).map(|(path, _)| path.as_str()).collect();
    let too_large =
        |path: &str, bytes: u64| PinError::TooLarge { workspace: workspace.id.clone(), path: path.to_owned(), bytes };
    match pin {
        Pin::Commit { .. } => {
            let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
            contents(workspace, pin, manifest, &paths, MAX_FILE, &mut |path, found| match found {
                Found::TooLarge(bytes) => Err(too_large(path, bytes)),
                Found::Bytes(bytes) => {
                    let mode = manifest.entries.get(path).map(|entry| entry.mode);
                    write(&dest.join(path), bytes, mode == Some(Mode::Executable))
                }
            })?;
        }
        Pin::Content { .. } => {
            files.par_iter().try_for_each(|(path, entry)| match on_disk(workspace, path, entry, MAX_FILE)? {
                Err(bytes) => Err(too_large(path, bytes)),
                Ok(bytes) => write(&dest.join(path), &bytes, entry.mode == Mode::Executable),
            })?
        }
    }
    contents(workspace, pin, manifest, &links, MAX_FILE, &mut |path, found| match found {
        Found::TooLarge(bytes) => Err(too_large(path, bytes)),
        Found::Bytes(target) => link(&dest.join(path), target),
    })
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
