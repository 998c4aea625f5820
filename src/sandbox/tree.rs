//! Lays a change set over a pinned tree: as the upper layer of an overlay, or
//! into a copy of the tree where there is no overlay.
//!
//! Must not: write to the pinned tree, or through a symbolic link of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use super::SandboxError;
use super::scratch::at;
use crate::workspace::{Content, FileVersion};

/// Writes `changes` into the empty folder `upper`, which is to be mounted over
/// `pinned`: new content as files, deletions as whiteouts.
pub fn lay_over(pinned: &Path, upper: &Path, changes: &[FileVersion]) -> Result<(), SandboxError> {
    for_each_change(pinned, changes, |path, after| match after {
        Some(content) => {
            make_parents(pinned, upper, path)?;
            write(&upper.join(path), content)
        }
        None => {
            if fs::symlink_metadata(pinned.join(path)).is_err() {
                return Ok(());
            }
            make_parents(pinned, upper, path)?;
            whiteout(&upper.join(path)).map_err(at(&upper.join(path)))
        }
    })?;
    for folder in emptied(changes) {
        if is_emptied(&pinned.join(folder), &upper.join(folder)) {
            let folder = upper.join(folder);
            fs::remove_dir_all(&folder).and_then(|()| whiteout(&folder)).map_err(at(&folder))?;
        }
    }
    Ok(())
}

/// Applies `changes` to `tree`, a private copy of the pinned tree.
pub fn apply(tree: &Path, changes: &[FileVersion]) -> Result<(), SandboxError> {
    for_each_change(tree, changes, |path, after| match after {
        Some(content) => {
            make_parents(tree, tree, path)?;
            write(&tree.join(path), content)
        }
        None => match fs::remove_file(tree.join(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&tree.join(path))(error)),
            _ => Ok(()),
        },
    })?;
    for folder in emptied(changes) {
        // Where something is left in it, it stays.
        let _ = fs::remove_dir(tree.join(folder));
    }
    Ok(())
}

/// Folders that deletions may have emptied, the innermost first. git knows no
/// empty folders, so the delivered tree would lack them; left behind, they would
/// still be packages to Python, for one.
fn emptied(changes: &[FileVersion]) -> Vec<&Path> {
    let mut folders: Vec<&Path> = changes
        .iter()
        .filter(|change| change.after.is_none())
        .flat_map(|change| Path::new(&change.path).ancestors().skip(1))
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect();
    folders.sort_by_key(|folder| (std::cmp::Reverse(folder.components().count()), *folder));
    folders.dedup();
    folders
}

/// Whether nothing is left of a folder once `upper` lies over `lower`.
fn is_emptied(lower: &Path, upper: &Path) -> bool {
    let (Ok(below), Ok(above)) = (fs::read_dir(lower), fs::read_dir(upper)) else {
        return false;
    };
    let only_whiteouts = above.flatten().all(|entry| entry.file_type().is_ok_and(is_whiteout));
    let all_hidden = below.flatten().all(|entry| {
        fs::symlink_metadata(upper.join(entry.file_name())).is_ok_and(|meta| is_whiteout(meta.file_type()))
    });
    only_whiteouts && all_hidden
}

#[cfg(unix)]
fn is_whiteout(kind: fs::FileType) -> bool {
    // Nothing else of that kind is ever written to an upper layer.
    std::os::unix::fs::FileTypeExt::is_char_device(&kind)
}

#[cfg(not(unix))]
fn is_whiteout(_kind: fs::FileType) -> bool {
    false
}

/// Copies `from` into the existing folder `to`: files with their mode and time,
/// folders, and symbolic links as links. Anything else is left out.
pub fn copy(from: &Path, to: &Path) -> Result<(), SandboxError> {
    for entry in walkdir::WalkDir::new(from).min_depth(1) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(from).to_owned();
            at(&path)(error.into())
        })?;
        let Ok(relative) = entry.path().strip_prefix(from) else {
            continue;
        };
        let target = to.join(relative);
        let kind = entry.file_type();
        let copied = if kind.is_dir() {
            fs::create_dir(&target)
        } else if kind.is_symlink() {
            fs::read_link(entry.path()).and_then(|link| symlink(&link, &target))
        } else if kind.is_file() {
            copy_file(entry.path(), &target)
        } else {
            Ok(())
        };
        copied.map_err(at(entry.path()))?;
    }
    Ok(())
}

/// Copies a file or a folder to `place`, over what may be there.
pub fn put(from: &Path, place: &Path) -> Result<(), SandboxError> {
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(at(parent))?;
    }
    if from.is_dir() {
        fs::create_dir_all(place).map_err(at(place))?;
        copy(from, place)
    } else {
        copy_file(from, place).map_err(at(from))
    }
}

/// Deletions come first: a file may make way for a folder of the same name.
fn for_each_change(
    base: &Path,
    changes: &[FileVersion],
    mut act: impl FnMut(&str, Option<&Content>) -> Result<(), SandboxError>,
) -> Result<(), SandboxError> {
    let (written, deleted): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.after.is_some());
    for change in deleted.into_iter().chain(written) {
        check(base, &change.path)?;
        act(&change.path, change.after.as_ref())?;
    }
    Ok(())
}

/// A path that leaves the tree, by `..`, from the root, or through a link, is refused.
fn check(base: &Path, path: &str) -> Result<(), SandboxError> {
    let refuse = |why: &str| SandboxError::Change { path: path.to_owned(), why: why.to_owned() };
    let relative = Path::new(path);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || path.contains('\0') || !plain {
        return Err(refuse("it does not name a file below the workspace"));
    }
    for parent in relative.ancestors().skip(1) {
        if parent.as_os_str().is_empty() {
            break;
        }
        let meta = fs::symlink_metadata(base.join(parent));
        if meta.is_ok_and(|meta| meta.is_symlink()) {
            return Err(refuse("a symbolic link is on its way"));
        }
    }
    if fs::symlink_metadata(base.join(relative)).is_ok_and(|meta| meta.is_dir()) {
        return Err(refuse("there is a folder of that name"));
    }
    Ok(())
}

/// Whether a link is on the way from `base` to what lies at `relative` below it, or is
/// what lies there.
pub fn leads_out(base: &Path, relative: &str) -> bool {
    let mut below = Path::new(relative).ancestors().filter(|part| !part.as_os_str().is_empty());
    below.any(|part| fs::symlink_metadata(base.join(part)).is_ok_and(|meta| meta.is_symlink()))
}

/// Makes the folders above `path` in `target`, with the modes they have in `model`.
fn make_parents(model: &Path, target: &Path, path: &str) -> Result<(), SandboxError> {
    let mut folders: Vec<PathBuf> = Path::new(path).ancestors().skip(1).map(Path::to_owned).collect();
    folders.reverse();
    for folder in folders.iter().filter(|folder| !folder.as_os_str().is_empty()) {
        let here = target.join(folder);
        match fs::symlink_metadata(&here) {
            Ok(meta) if meta.is_dir() => continue,
            // The whiteout of a file that makes way for this folder.
            Ok(_) => fs::remove_file(&here).map_err(at(&here))?,
            Err(_) => {}
        }
        fs::create_dir(&here).map_err(at(&here))?;
        let model = fs::symlink_metadata(model.join(folder));
        if let Some(meta) = model.ok().filter(|meta| meta.is_dir()) {
            fs::set_permissions(&here, meta.permissions()).map_err(at(&here))?;
        }
    }
    Ok(())
}

fn write(path: &Path, content: &Content) -> Result<(), SandboxError> {
    // A new file in any case: what lies there may be a link, or shared by one.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(path)(error)),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let written = options.open(path).and_then(|mut file| {
        file.write_all(&content.bytes)?;
        set_mode(path, content.executable)
    });
    written.map_err(at(path))
}

#[cfg(unix)]
fn set_mode(path: &Path, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _executable: bool) -> io::Result<()> {
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    if clone_file(from, to).is_err() {
        fs::copy(from, to)?;
    }
    let modified = fs::metadata(from)?.modified()?;
    // Build tools compare times: a copy that looks new would be built anew.
    match OpenOptions::new().append(true).open(to) {
        Ok(file) => file.set_modified(modified),
        // A read-only file keeps the time of the copy.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes `to` a file of its own that shares the blocks of `from` until either is
/// written: btrfs, xfs and others can, where both lie on the same one.
#[cfg(target_os = "linux")]
fn clone_file(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let source = File::open(from)?;
    let mode = source.metadata()?.permissions().mode() & 0o777;
    // It is to be written until it is made: the mode comes last.
    let target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let made = rustix::fs::ioctl_ficlone(&target, &source).map_err(io::Error::from);
    match made.and_then(|()| target.set_permissions(fs::Permissions::from_mode(mode))) {
        Ok(()) => Ok(()),
        Err(error) => {
            fs::remove_file(to)?;
            Err(error)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn clone_file(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(io::Error::other("files cannot be cloned on this system"))
}

/// Whether copies of trees below `folder` share their blocks.
pub fn clones(folder: &Path) -> bool {
    let Ok(place) = tempfile::tempdir_in(folder) else { return false };
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    let content = Content { bytes: b"x".to_vec(), executable: false };
    write(&from, &content).is_ok() && clone_file(&from, &to).is_ok()
}

#[cfg(unix)]
fn symlink(link: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(link, at)
}

#[cfg(not(unix))]
fn symlink(_link: &Path, _at: &Path) -> io::Result<()> {
    Err(io::Error::other("symbolic links cannot be copied on this system"))
}

/// The overlay's sign for "deleted": a character device 0:0, which every user
/// may make since Linux 5.8.
#[cfg(target_os = "linux")]
fn whiteout(path: &Path) -> io::Result<()> {
    use nix::sys::stat::{Mode, SFlag, mknod};
    mknod(path, SFlag::S_IFCHR, Mode::empty(), 0).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
fn whiteout(_path: &Path) -> io::Result<()> {
    Err(io::Error::other("there are no overlays on this system"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn change(path: &str, after: Option<(&str, bool)>) -> FileVersion {
        FileVersion {
            path: path.to_owned(),
            before: None,
            after: after.map(|(text, executable)| Content { bytes: text.as_bytes().to_vec(), executable }),
            renamed_from: None,
        }
    }

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    #[test]
    fn a_copy_takes_changes_and_the_original_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        put(&from.join("a/b.txt"), "old");
        put(&from.join("gone"), "x");
        symlink(Path::new("a/b.txt"), &from.join("link")).unwrap();
        fs::create_dir(&to).unwrap();
        copy(&from, &to).unwrap();
        let changes = [
            change("a/b.txt", Some(("new", true))),
            change("gone", None),
            change("gone/now-a-folder", Some(("y", false))),
            change("link", Some(("a file", false))),
        ];
        apply(&to, &changes).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/b.txt")).unwrap(), "new");
        let mode = fs::metadata(to.join("a/b.txt")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(fs::read_to_string(to.join("gone/now-a-folder")).unwrap(), "y");
        assert!(!fs::symlink_metadata(to.join("link")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(from.join("a/b.txt")).unwrap(), "old");
        assert_eq!(fs::read_to_string(from.join("gone")).unwrap(), "x");
    }

    #[test]
    fn paths_that_leave_the_tree_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, outside) = (dir.path().join("tree"), dir.path().join("outside"));
        fs::create_dir_all(&tree).unwrap();
        fs::create_dir_all(&outside).unwrap();
        symlink(&outside, &tree.join("link")).unwrap();
        for path in ["../outside/x", "/etc/x", "link/x", "", "a/../../x", "."] {
            let refused = apply(&tree, &[change(path, Some(("x", false)))]);
            assert!(matches!(refused, Err(SandboxError::Change { .. })), "{path:?}: {refused:?}");
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }
}
