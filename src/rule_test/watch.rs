//! Waits until something below the paths changes.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher, recommended_watcher};

use super::TestError;

/// An editor writes a file in several steps: they are one change.
const QUIET: Duration = Duration::from_millis(50);

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// From now on no change is missed.
    Ready,
    /// Something changed.
    Changed,
}

/// Calls `changed` when it is ready, and after each change below `paths`, until it says to stop. What
/// gander itself writes (`.snap.new`) is no change.
///
/// # Errors
/// Where the system can't watch one of them.
pub fn watch(paths: &[PathBuf], mut changed: impl FnMut(Watched) -> bool) -> Result<(), TestError> {
    let (send, receive) = channel();
    let failed = |path: &PathBuf| {
        let path = path.clone();
        move |e: notify::Error| TestError::Watch { path, why: e.to_string() }
    };
    let first = paths.first().cloned().unwrap_or_default();
    let mut watcher = recommended_watcher(move |event| {
        // Nobody listens any more: the program is about to end.
        let _ = send.send(event);
    })
    .map_err(failed(&first))?;
    for path in paths {
        watcher.watch(path, RecursiveMode::Recursive).map_err(failed(path))?;
    }
    if !changed(Watched::Ready) {
        return Ok(());
    }
    let ours = |event: &notify::Result<notify::Event>| match event {
        Ok(event) => {
            matches!(event.kind, EventKind::Access(_))
                || !event.paths.is_empty()
                    && event.paths.iter().all(|path| path.extension().is_some_and(|e| e == "new" || e == "tmp"))
        }
        Err(_) => false,
    };
    loop {
        let Ok(event) = receive.recv() else { return Ok(()) };
        if ours(&event) {
            continue;
        }
        while let Ok(_) | Err(RecvTimeoutError::Disconnected) = receive.recv_timeout(QUIET) {}
        if !changed(Watched::Changed) {
            return Ok(());
        }
    }
}
