//! The only module that writes users' files and gander's own durable files:
//! whole or not at all, and never through a symbolic link.
//!
//! Must not: decide what is written; know git, a stage or a migration.

mod modes;
#[cfg(test)]
mod tests;

pub use modes::Modes;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use crate::digest::Digest;
use crate::fault;
use crate::workspace::{Content, is_inner_path};

/// The largest file that is read whole, in bytes.
pub const LARGEST_FILE: u64 = 256 << 20;

/// A file could not be read or written; nothing was half written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The file system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path is not one that may be touched.
    #[error("{path:?} {reason}; gander touches only plain files below a consumer's folder")]
    Forbidden {
        /// The relative path as it was given.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What lies there is no regular file.
    #[error("{} is not a regular file; move it away or leave the consumer out", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// It is larger than gander reads.
    #[error("{} has {size} bytes, more than the {LARGEST_FILE} that gander reads", path.display())]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FilesError {
    let path = path.to_owned();
    move |source| FilesError::Io { action, path, source }
}

/// The place of `relative` (with `/`) below `root`.
///
/// # Errors
/// Where the path is empty or absolute, holds `.`, `..`, a NUL or a `.git`
/// component (in any case), or where it or a folder on the way is a symbolic link.
pub fn below(root: &Path, relative: &str) -> Result<PathBuf, FilesError> {
    let forbidden = |reason| FilesError::Forbidden { path: relative.to_owned(), reason };
    if let Some(reason) = unfit(relative) {
        return Err(forbidden(reason));
    }
    let mut place = root.to_owned();
    for component in relative.split('/') {
        place.push(component);
        match fs::symlink_metadata(&place) {
            Ok(metadata) if metadata.file_type().is_symlink() => {
                return Err(forbidden("is, or lies behind, a symbolic link"));
            }
            Ok(_) => {}
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(failed("look at it", &place)(error)),
        }
    }
    Ok(place)
}

/// What is wrong with a relative path, judged by its text alone.
fn unfit(relative: &str) -> Option<&'static str> {
    if !is_inner_path(relative) {
        return Some("is no plain path below its folder, or lies in git's own");
    }
    // What this system reads otherwise: a drive or a backslash on Windows.
    let foreign = |part: &str| {
        let mut components = Path::new(part).components();
        !matches!(
            (components.next(), components.next()),
            (Some(Component::Normal(name)), None) if name == part
        )
    };
    relative.split('/').any(foreign).then_some("is not a plain path on this system")
}

/// Nothing is there, or something else stands where a folder would have to.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Reads the file at `relative` below `root`; `None` where nothing, or a folder,
/// is there.
///
/// # Errors
/// As [`below`], and where it is a device or the like, too large or unreadable.
pub fn read_below(root: &Path, relative: &str) -> Result<Option<Content>, FilesError> {
    let place = below(root, relative)?;
    let metadata = match fs::symlink_metadata(&place) {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(failed("look at it", &place)(error)),
    };
    if metadata.is_dir() {
        return Ok(None);
    }
    if !metadata.is_file() {
        return Err(FilesError::NotAFile { path: place });
    }
    if metadata.len() > LARGEST_FILE {
        return Err(FilesError::TooLarge { path: place, size: metadata.len() });
    }
    let file = File::open(&place).map_err(failed("open it", &place))?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(failed("read it", &place))?;
    Ok(Some(Content { bytes, executable: is_executable(&metadata) }))
}

/// Brings the file at `relative` below `root` to `content`, as [`Modes::apply_below`]
/// does where no file moves.
///
/// # Errors
/// As [`below`], and where the file system refuses.
pub fn apply_below(root: &Path, relative: &str, content: Option<&Content>) -> Result<(), FilesError> {
    Modes::read(root, &[]).apply_below(root, relative, content)
}

/// Writes a file of a temporary folder: fast, and not durable.
///
/// # Errors
/// As [`below`], and where something lies there or the file system refuses.
pub fn write_scratch(root: &Path, relative: &str, content: &Content) -> Result<(), FilesError> {
    let place = below(root, relative)?;
    make_folders(root, &place)?;
    let mut file = create_new(&place, content.executable)?;
    file.write_all(&content.bytes).map_err(failed("write it", &place))
}

/// Makes the folders between `root` and `place`, one at a time, so that none of
/// them is made behind a link.
fn make_folders(root: &Path, place: &Path) -> Result<(), FilesError> {
    let Some(folder) = place.parent() else {
        return Ok(());
    };
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|ancestor| *ancestor != root && !ancestor.is_dir()).collect();
    for ancestor in missing.into_iter().rev() {
        match fs::create_dir(ancestor) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed("make the folder", ancestor)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn prune_empty(root: &Path, place: &Path) -> Result<(), FilesError> {
    for folder in place.ancestors().skip(1) {
        // Removing a folder that is not empty fails, which is the test we want.
        if folder == root || fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Writes a file whole or not at all: a temporary file beside it, fsync, rename,
/// fsync of the folder. The permissions of a file that stood there are kept but
/// for the executable bits. A symbolic link at `path` is replaced, not followed.
///
/// # Errors
/// Where the file system refuses; the old file is then untouched.
pub fn write_whole(path: &Path, bytes: &[u8], executable: bool) -> Result<(), FilesError> {
    write_as(path, bytes, executable, None)
}

/// The same; where no file stood there, it gets the permissions `like`.
fn write_as(path: &Path, bytes: &[u8], executable: bool, like: Option<&fs::Permissions>) -> Result<(), FilesError> {
    let temporary = temporary_name(path)?;
    // A killed run may have left one; its name is always the same so that it is found.
    discard_file(&temporary)?;
    let written = write_new(&temporary, bytes, executable)
        .and_then(|()| keep_permissions(path, &temporary, executable, like))
        .and_then(|()| {
            fault::point("files.before-rename");
            rename(&temporary, path)
        });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    fault::point("files.after-rename");
    sync_folder(path.parent())
}

/// Replaces a file that may be lost at any time: readers see the old bytes or the new
/// ones, whoever else writes it, but a power cut may leave neither.
///
/// # Errors
/// Where the file system refuses; the old file is then untouched.
pub fn write_cache(path: &Path, bytes: &[u8]) -> Result<(), FilesError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed("create a file in it", folder))?;
    file.write_all(bytes).map_err(failed("write it", path))?;
    file.persist(path).map_err(|error| failed("write it", path)(error.error))?;
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8], executable: bool) -> Result<(), FilesError> {
    let mut file = create_new(path, executable)?;
    file.write_all(bytes).map_err(failed("write it", path))?;
    file.sync_all().map_err(failed("write it to disk", path))
}

fn create_new(path: &Path, executable: bool) -> Result<File, FilesError> {
    let mut options = OpenOptions::new();
    // `create_new` follows no link and takes no file that somebody put there.
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if executable { 0o777 } else { 0o666 });
    }
    #[cfg(not(unix))]
    let _ = executable;
    options.open(path).map_err(failed("create it", path))
}

#[cfg(unix)]
fn keep_permissions(
    old: &Path,
    new: &Path,
    executable: bool,
    like: Option<&fs::Permissions>,
) -> Result<(), FilesError> {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = match fs::symlink_metadata(old) {
        Ok(metadata) if metadata.is_file() => Some(metadata.permissions()),
        Ok(_) => None,
        Err(_) => like.cloned(),
    };
    let Some(permissions) = permissions else { return Ok(()) };
    let old_bits = permissions.mode() & 0o777;
    let was_executable = old_bits & 0o100 != 0;
    let bits = match (was_executable, executable) {
        (true, false) => old_bits & !0o111,
        // Whoever may read may run, which is what git's checkout does under a umask.
        (false, true) => old_bits | ((old_bits & 0o444) >> 2),
        _ => old_bits,
    };
    fs::set_permissions(new, fs::Permissions::from_mode(bits)).map_err(failed("set its permissions", new))
}

#[cfg(not(unix))]
fn keep_permissions(
    _old: &Path,
    _new: &Path,
    _executable: bool,
    _like: Option<&fs::Permissions>,
) -> Result<(), FilesError> {
    Ok(())
}

/// Whether somebody may execute the file.
#[cfg(unix)]
pub fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

/// Whether somebody may execute the file.
#[cfg(not(unix))]
pub fn is_executable(_metadata: &fs::Metadata) -> bool {
    false
}

/// Writes a folder whole or not at all: built beside its place, then renamed
/// into it. A folder that stood there is moved aside first and then removed; one
/// that holds exactly these files already is left alone. Keys are plain relative
/// paths with `/`.
///
/// # Errors
/// Where a key is not a path below the folder, or the file system refuses.
pub fn write_folder_whole(path: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), FilesError> {
    let temporary = temporary_name(path)?;
    let aside = temporary.with_extension("old");
    // One that was killed after its last step has left what it put aside.
    discard(&temporary)?;
    if folder_digest(path)? == Some(digest_of_folder(files)) {
        return discard(&aside);
    }
    discard(&aside)?;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed("make the folder", parent))?;
    }
    fs::create_dir(&temporary).map_err(failed("make the folder", &temporary))?;
    for (relative, bytes) in files {
        let place = below(&temporary, relative)?;
        make_folders(&temporary, &place)?;
        write_new(&place, bytes, false)?;
    }
    sync_folder(Some(&temporary))?;
    fault::point("files.before-folder-rename");
    if fs::symlink_metadata(path).is_ok() {
        rename(path, &aside)?;
        fault::point("files.folder-aside");
    }
    rename(&temporary, path)?;
    fault::point("files.after-folder-rename");
    sync_folder(path.parent())?;
    discard(&aside)
}

/// The digest that [`folder_digest`] finds once these files lie in a folder.
pub fn digest_of_folder(files: &BTreeMap<String, Vec<u8>>) -> Digest {
    let mut digest = crate::digest::DigestBuilder::new("gander.folder");
    for (path, bytes) in files {
        digest = digest.field(path).field(bytes);
    }
    digest.finish()
}

/// The digest of a file's bytes, or of names and bytes of all files in a folder.
///
/// # Errors
/// Where there is neither, or something can't be read.
pub fn content_digest(path: &Path) -> Result<Digest, FilesError> {
    if let Some(digest) = folder_digest(path)? {
        return Ok(digest);
    }
    File::open(path).and_then(Digest::of_reader).map_err(failed("read it", path))
}

/// The digest over names and bytes of all files in a folder; `None` where there
/// is no folder. Links in it are named, not followed.
///
/// # Errors
/// Where something in it can't be read.
pub fn folder_digest(path: &Path) -> Result<Option<Digest>, FilesError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Ok(None),
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(failed("look at it", path)(error)),
    }
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(path).follow_links(false) {
        let entry = entry.map_err(|error| failed("list it", path)(error.into()))?;
        if entry.file_type().is_dir() {
            continue;
        }
        let relative = entry.path().strip_prefix(path).unwrap_or(entry.path());
        let name = relative.to_string_lossy().replace('\\', "/");
        let bytes = if entry.file_type().is_file() {
            fs::read(entry.path()).map_err(failed("read it", entry.path()))?
        } else {
            b"not a regular file".to_vec()
        };
        files.insert(name, bytes);
    }
    Ok(Some(digest_of_folder(&files)))
}

/// Takes away what a killed write of `relative` below `root` may have left.
///
/// # Errors
/// As [`below`], and where the file system refuses.
pub fn sweep_below(root: &Path, relative: &str) -> Result<(), FilesError> {
    discard_file(&temporary_name(&below(root, relative)?)?)
}

/// The largest ignore file that is obeyed, in bytes.
const LARGEST_IGNORE: u64 = 1 << 20;

/// An ignore file in `folder` that nobody must open: a pipe or a device, on which
/// reading may never end, or one that is too large. Walkers that obey ignore files
/// open them without asking.
pub fn barred_ignore(folder: &Path) -> Option<&'static str> {
    [".gitignore", ".ignore"].into_iter().find(|name| {
        let found = fs::metadata(folder.join(name));
        found.is_ok_and(|meta| !meta.is_dir() && (!meta.is_file() || meta.len() > LARGEST_IGNORE))
    })
}

/// Removes a folder of gander's own with all that is in it; nothing there is fine.
///
/// # Errors
/// Where the file system refuses.
pub fn remove_folder(path: &Path) -> Result<(), FilesError> {
    discard(path)?;
    sync_folder(path.parent().filter(|parent| parent.is_dir()))
}

/// Removes a file, and what a killed write may have left beside it; nothing, or a
/// folder, there is fine.
///
/// # Errors
/// Where the file system refuses.
pub fn remove(path: &Path) -> Result<(), FilesError> {
    discard_file(&temporary_name(path)?)?;
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
        return Ok(());
    }
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(failed("remove it", path)(error)),
    }
    fault::point("files.after-remove");
    sync_folder(path.parent())
}

/// Makes a folder of gander's own, with those above it.
///
/// # Errors
/// Where the file system refuses.
pub fn make_folder(path: &Path) -> Result<(), FilesError> {
    fs::create_dir_all(path).map_err(failed("make the folder", path))
}

/// Replaces the bytes of a file that is there, whole or not at all; its
/// executable bit stays. A symbolic link is not followed.
///
/// # Errors
/// Where it is no regular file, and where the file system refuses.
pub fn rewrite(path: &Path, bytes: &[u8]) -> Result<(), FilesError> {
    let metadata = fs::symlink_metadata(path).map_err(failed("read it", path))?;
    if !metadata.is_file() {
        return Err(FilesError::Forbidden { path: path.to_string_lossy().into_owned(), reason: "is no regular file" });
    }
    write_whole(path, bytes, is_executable(&metadata))
}

/// Moves a finished folder of gander's own into its place, where nothing is yet.
///
/// # Errors
/// Where the file system refuses.
pub fn settle_folder(finished: &Path, place: &Path) -> Result<(), FilesError> {
    fault::point("files.before-settle");
    rename(finished, place)?;
    fault::point("files.after-settle");
    sync_folder(place.parent())
}

/// Where a killed write of `path` may have left its temporary file; the next write
/// or removal takes it away.
pub fn leftover_of(path: &Path) -> Option<PathBuf> {
    temporary_name(path).ok()
}

/// Whether a path has the form of [`leftover_of`] some file: a cheap first look.
pub fn may_be_leftover(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".gander-"))
}

/// The same name for the same place, every time: what a killed process left is
/// found and taken away by the next write.
fn temporary_name(path: &Path) -> Result<PathBuf, FilesError> {
    let name = path
        .file_name()
        .ok_or_else(|| FilesError::Forbidden { path: path.to_string_lossy().into_owned(), reason: "names no file" })?;
    let digest = Digest::of(name.as_encoded_bytes()).short();
    Ok(path.with_file_name(format!(".gander-{digest}.tmp")))
}

/// Takes a leftover away; a folder of that name is not one of ours, and stays.
fn discard_file(path: &Path) -> Result<(), FilesError> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
        return Ok(());
    }
    discard(path)
}

fn discard(path: &Path) -> Result<(), FilesError> {
    let gone = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => Err(error),
    };
    gone.map_err(failed("remove it", path))
}

fn rename(from: &Path, to: &Path) -> Result<(), FilesError> {
    #[expect(clippy::disallowed_methods, reason = "this is the module that writes files")]
    fs::rename(from, to).map_err(failed("rename into its place", to))
}

/// A rename is durable only once the folder is.
fn sync_folder(folder: Option<&Path>) -> Result<(), FilesError> {
    let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    if !cfg!(unix) {
        return Ok(());
    }
    File::open(folder).and_then(|file| file.sync_all()).map_err(failed("write the folder to disk", folder))
}
