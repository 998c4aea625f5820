//! What the state folder holds and nothing needs any more: copies of pinned trees, clones of
//! repositories that no consumer lies in, leftovers of killed runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::PipelineError;
use crate::clock::Clock;
use crate::config::Migration;
use crate::files;
use crate::state::Store;
use crate::workspace::Pin;

/// Removes what nothing needs, and says what that was, with its bytes. All of it can be made
/// again; what was delivered, and what a rollback rests on, stays.
///
/// # Errors
/// Where the state can't be read, or a folder not be removed.
pub fn collect(migration: &Migration, dry: bool, clock: &Clock) -> Result<Vec<(PathBuf, u64)>, PipelineError> {
    // Whoever holds the lock is alone here.
    drop(Store::read(&migration.state)?);
    let mut store = Store::open(&migration.state, clock)?;
    let workspaces = store.workspaces::<serde::de::IgnoredAny>()?;
    let pins: BTreeSet<String> = workspaces.values().filter_map(|one| one.pin.as_ref().map(Pin::key)).collect();
    let roots: Vec<&Path> = workspaces.values().map(|one| one.place.root.as_path()).collect();
    let mut gone = Vec::new();
    let mut take = |folder: &str, needed: &dyn Fn(&Path, &str) -> bool| -> Result<(), PipelineError> {
        for entry in std::fs::read_dir(migration.state.join(folder)).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) || needed(&path, &name) {
                continue;
            }
            let bytes = size(&path);
            if !dry {
                files::remove_folder(&path)?;
            }
            gone.push((path, bytes));
        }
        Ok(())
    };
    take("pins", &|_, name| pins.contains(name))?;
    take("scratch", &|_, _| false)?;
    take("clones", &|path, _| roots.iter().any(|root| root.starts_with(path)))?;
    gone.sort();
    if !dry {
        store.sweep_versions()?;
    }
    Ok(gone)
}

fn size(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    files.filter_map(|entry| entry.metadata().ok().filter(std::fs::Metadata::is_file)).map(|meta| meta.len()).sum()
}
