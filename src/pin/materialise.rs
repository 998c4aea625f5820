//! A copy of the pinned bytes in an empty folder.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::content::{Found, contents, on_disk};
use super::folder::{io, is_executable};
use super::{PinError, check_paths};
use crate::digest::Digest;
use crate::git::Repository;
use crate::workspace::{Entry, Manifest, Mode, Pin, Workspace};

/// The largest file that is copied, in bytes.
const MAX_FILE: u64 = 1 << 30;
/// Files up to this size are held in memory on the way; larger ones flow through.
const HELD: u64 = 8 << 20;

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
    let executable = |path: &str| manifest.entries.get(path).is_some_and(|entry| entry.mode == Mode::Executable);
    if let (Pin::Commit { .. }, Some(place)) = (pin, &workspace.git) {
        let mut large = Vec::new();
        contents(workspace, pin, manifest, &files, HELD, &mut |path, found| match found {
            Found::Bytes(bytes) => write(&dest.join(path), bytes, executable(path)),
            Found::TooLarge(size) if size > MAX_FILE => Err(too_large(workspace, path, size)),
            Found::TooLarge(_) => {
                large.push(path.to_owned());
                Ok(())
            }
        })?;
        let repository = Repository::open(&place.toplevel)?;
        return large.iter().try_for_each(|path| {
            let to = dest.join(path);
            let file = create(&to, executable(path)).map_err(|source| io(&to, source))?;
            let blob = manifest.entries.get(path).map_or("", |entry| entry.blob.as_str());
            Ok(repository.blob_into(blob, file)?)
        });
    }
    // A folder can be read by several threads.
    files.par_iter().try_for_each(|path| match manifest.entries.get(*path) {
        None => Ok(()),
        Some(entry) => match on_disk(workspace, path, entry, HELD)? {
            Ok(bytes) => write(&dest.join(path), &bytes, executable(path)),
            Err(size) if size > MAX_FILE => Err(too_large(workspace, path, size)),
            Err(_) => flow(workspace, path, entry, &dest.join(path)),
        },
    })
}

/// Copies a large file and compares what went by with its pin.
fn flow(workspace: &Workspace, path: &str, entry: &Entry, to: &Path) -> Result<(), PinError> {
    let from = workspace.root.join(path);
    let executable = is_executable(&from);
    let file = File::open(&from).map_err(|source| io(&from, source))?;
    let into = create(to, executable).map_err(|source| io(to, source))?;
    let digest = Digest::of_reader(Tee { from: file.take(MAX_FILE + 1), into }).map_err(|source| io(to, source))?;
    if digest.to_string() == entry.blob && executable == (entry.mode == Mode::Executable) {
        return Ok(());
    }
    Err(PinError::Changed { workspace: workspace.id.clone(), path: path.to_owned() })
}

/// Writes what is read through it.
struct Tee<R> {
    from: R,
    into: File,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.into.write_all(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }
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
    let written = create(path, executable).and_then(|mut file| file.write_all(bytes));
    written.map_err(|source| io(path, source))
}

fn create(path: &Path, executable: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if executable { 0o755 } else { 0o644 });
    }
    #[cfg(not(unix))]
    let _ = executable;
    options.open(path)
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
