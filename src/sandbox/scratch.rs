//! Private folders for sandboxes, and the sweeping of those that a killed run
//! left behind.
//!
//! A folder is named `side-<pid>-<start>-<n>` after the process that owns it and
//! holds a lock for as long as that process lives. It is swept only where the
//! process is gone *and* the lock is free, so that neither a reused process id
//! nor a run in another container loses what it works on.
//!
//! Must not: touch anything that does not bear such a name.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::SandboxError;

/// The changed files, above the pinned tree.
pub const UPPER: &str = "upper";
/// The whole tree, where there is no overlay.
pub const TREE: &str = "tree";
/// The home folder of the steps.
pub const HOME: &str = "home";
/// `/tmp` of steps that run without isolation.
pub const TMP: &str = "tmp";
/// The root of the sandbox: mount points only.
pub const ROOT: &str = "root";
/// What the kernel needs beside `upper`.
pub const WORK: &str = "work";
/// What cargo unpacks, above the host's registry.
pub const REGISTRY_UPPER: &str = "registry-upper";
/// What the kernel needs beside `registry-upper`.
pub const REGISTRY_WORK: &str = "registry-work";

/// What steps left, for gander to read.
pub const CAPTURED: &str = "captured";

/// How a kept tree is entered again.
pub const KEPT: &str = "kept.json";
/// How it is entered now.
pub const ENTERED: &str = "entered.json";

const LOCK: &str = "lock";
/// How often the removal of a folder is tried.
const LEAVING: usize = 50;

/// A private folder, removed when dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes a new one below `parent`.
    pub fn new(parent: &Path) -> Result<Self, SandboxError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(parent).map_err(at(parent))?;
        let parent = parent.canonicalize().map_err(at(parent))?;
        let pid = std::process::id();
        let start = start_time(pid).unwrap_or(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("side-{pid}-{start}-{number}"));
        make_private(&path)?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&lock_path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(at(&lock_path))?;
        let scratch = Self { path, _lock: lock };
        for part in [UPPER, TREE, HOME, TMP, ROOT, WORK, REGISTRY_UPPER, REGISTRY_WORK, CAPTURED] {
            make_private(&scratch.path.join(part))?;
        }
        Ok(scratch)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it to `place`, on the same file system, where it outlives this run.
    pub fn keep(mut self, place: &Path) -> Result<(), SandboxError> {
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        if fs::symlink_metadata(place).is_ok() {
            remove_tree(place).map_err(at(place))?;
        }
        crate::files::settle_folder(&self.path, place).map_err(|error| at(place)(io::Error::other(error)))?;
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return; // it was moved away to be kept
        }
        // A step that was just killed may still be writing. What cannot be removed now is
        // swept by a later run.
        for _ in 0..LEAVING {
            if remove_tree(&self.path).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

/// Removes what killed runs left below `parent`; returns how many folders went.
/// Folders of living runs, and everything that gander did not make, stay.
pub fn sweep(parent: &Path) -> Result<usize, SandboxError> {
    let entries = match fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(at(parent))?,
    };
    let mut swept = 0;
    for entry in entries {
        let path = entry.map_err(at(parent))?.path();
        if is_leftover(&path) {
            remove_tree(&path).map_err(at(&path))?;
            swept += 1;
        }
    }
    Ok(swept)
}

fn is_leftover(path: &Path) -> bool {
    let Some((pid, start)) = path.file_name().and_then(|name| name.to_str()).and_then(owner) else {
        return false;
    };
    let is_folder = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
    let alive = start != 0 && start_time(pid) == Some(start);
    is_folder && !alive && lock_is_free(&path.join(LOCK))
}

/// Process id and start time in the name of a folder.
fn owner(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix("side-")?.split('-');
    let pid = parts.next()?.parse().ok()?;
    let start = parts.next()?.parse().ok()?;
    parts.next()?.parse::<u64>().ok()?;
    parts.next().is_none().then_some((pid, start))
}

fn lock_is_free(path: &Path) -> bool {
    match File::open(path).map(|file| file.try_lock()) {
        Ok(Ok(())) => true,
        Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) => false,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// When a process started, in the kernel's clock ticks since boot; `None` where
/// there is no such process or the system does not tell.
pub fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program may hold spaces and parentheses: count from its end.
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

/// Removes a folder, those folders included that a step has closed to us.
/// Symbolic links are removed, never followed.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    if fs::remove_dir_all(path).is_ok() {
        return Ok(());
    }
    open_folders(path)?;
    fs::remove_dir_all(path)
}

/// Removes what is in a folder of ours.
pub fn empty(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        remove_tree(&entry?.path())?;
    }
    Ok(())
}

#[cfg(unix)]
fn open_folders(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn open_folders(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn make_private(path: &Path) -> Result<(), SandboxError> {
    #[cfg(unix)]
    let made = {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new().mode(0o700).create(path)
    };
    #[cfg(not(unix))]
    let made = fs::create_dir(path);
    made.map_err(at(path))
}

/// Says which path an I/O error is about.
pub fn at(path: &Path) -> impl FnOnce(io::Error) -> SandboxError {
    let path = path.to_owned();
    move |source| SandboxError::Scratch { path, source }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_living_runs_folder_is_kept_and_a_dead_ones_goes() {
        let parent = tempfile::tempdir().unwrap();
        let mine = Scratch::new(parent.path()).unwrap();
        let dead = parent.path().join("side-4194304-7-0");
        fs::create_dir_all(dead.join("upper")).unwrap();
        // The same process id as ours, but started at another time.
        let reused = parent.path().join(format!("side-{}-1-0", std::process::id()));
        fs::create_dir(&reused).unwrap();
        let foreign = parent.path().join("side-by-side");
        fs::create_dir(&foreign).unwrap();
        assert_eq!(sweep(parent.path()).unwrap(), 2);
        assert!(mine.path().is_dir());
        assert!(foreign.is_dir());
        assert!(!reused.exists());
        let path = mine.path().to_owned();
        drop(mine);
        assert!(!path.exists());
    }

    #[test]
    fn a_held_lock_keeps_a_folder_whose_owner_cannot_be_seen() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("side-999999999-7-0");
        fs::create_dir(&folder).unwrap();
        let lock = OpenOptions::new().write(true).create_new(true).open(folder.join(LOCK)).unwrap();
        lock.lock().unwrap();
        assert_eq!(sweep(parent.path()).unwrap(), 0);
        drop(lock);
        assert_eq!(sweep(parent.path()).unwrap(), 1);
    }

    #[test]
    fn closed_folders_are_removed_and_links_not_followed() {
        let parent = tempfile::tempdir().unwrap();
        let outside = parent.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o755)).unwrap();
        let tree = parent.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        symlink(&outside, tree.join("a/link")).unwrap();
        fs::set_permissions(tree.join("a"), fs::Permissions::from_mode(0o000)).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        let mode = fs::metadata(&outside).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }
}
