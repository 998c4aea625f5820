//! One controller at a time: a file that the kernel locks, and lets go of by
//! itself when its process dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use super::StateError;

/// Held for as long as it lives; the kernel ends it with the process, so the
/// lock of a dead controller is free to be taken.
#[derive(Debug)]
pub(super) struct ControllerLock(File);

/// How long a lock is asked for again before it counts as held: a program that a
/// dead controller was just starting holds it until its own first instruction.
const PATIENCE: Duration = Duration::from_millis(500);

impl Drop for ControllerLock {
    fn drop(&mut self) {
        // Closing alone would not do while a program is being started.
        let _ = self.0.unlock();
    }
}

/// The process that holds the lock of a state folder, where one does.
pub(super) fn holder(folder: &Path) -> Option<String> {
    let mut file = File::open(folder.join("lock")).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).ok()?;
            Some(holder.trim().to_owned())
        }
        _ => None,
    }
}

/// Takes the lock of a state folder.
pub(super) fn take(folder: &Path) -> Result<ControllerLock, StateError> {
    let path = folder.join("lock");
    let failed = |source| StateError::Lock { path: path.clone(), source };
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    let deadline = Instant::now() + PATIENCE;
    let mut taken = file.try_lock();
    while matches!(taken, Err(TryLockError::WouldBlock)) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
        taken = file.try_lock();
    }
    match taken {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.take(32).read_to_string(&mut holder);
            return Err(StateError::Locked { folder: folder.to_owned(), pid: holder.trim().to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    // The number is for people; the lock itself is the kernel's.
    let noted = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    noted.map_err(failed)?;
    Ok(ControllerLock(file))
}
