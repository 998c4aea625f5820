//! What the state folder holds and nothing needs any more: copies of pinned trees, clones of
//! repositories that no consumer lies in, leftovers of killed runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::PipelineError;
use crate::clock::Clock;
use crate::config::Migration;
use crate::discover;
use crate::files::{self, FilesError};
use crate::state::Store;
use crate::workspace::Pin;

/// What was found that no run needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// What is gone, or would be, with its bytes.
    pub gone: Vec<(PathBuf, u64)>,
    /// Clones that stay, each with why.
    pub kept: Vec<(PathBuf, String)>,
}

/// Removes what nothing needs, and says what that was. All of it can be made again; what was
/// delivered, what a rollback rests on, and clones in which somebody works stay.
///
/// # Errors
/// Where the state can't be read, or a folder not be removed.
pub fn collect(migration: &Migration, dry: bool, clock: &Clock) -> Result<Collected, PipelineError> {
    // Whoever holds the lock is alone here.
    drop(Store::read(&migration.state)?);
    let mut store = Store::open(&migration.state, clock)?;
    let workspaces = store.workspaces::<serde::de::IgnoredAny>()?;
    let pins: BTreeSet<String> = workspaces.values().filter_map(|one| one.pin.as_ref().map(Pin::key)).collect();
    let roots: Vec<&Path> = workspaces.values().map(|one| one.place.root.as_path()).collect();
    let mut found = Collected::default();
    for path in folders(migration, "pins").filter(|path| !pins.contains(&name_of(path))) {
        found.take(path, dry, files::remove_folder)?;
    }
    for path in folders(migration, "scratch") {
        found.take(path, dry, files::remove_folder)?;
    }
    for path in folders(migration, "clones").filter(|path| !roots.iter().any(|root| root.starts_with(path))) {
        match discover::holds_work(&path) {
            Ok(false) => found.take(path, dry, discover::remove_clone)?,
            Ok(true) => found.kept.push((path, "somebody's work is in it".to_owned())),
            Err(why) => found.kept.push((path, format!("it can't be read: {why}"))),
        }
    }
    // A formatter makes it again.
    let formatted = migration.state.join(super::formatting::FOLDER);
    if formatted.is_dir() {
        found.take(formatted, dry, files::remove_folder)?;
    }
    found.gone.sort();
    found.kept.sort();
    if !dry {
        store.sweep_versions()?;
    }
    Ok(found)
}

impl Collected {
    fn take(
        &mut self,
        path: PathBuf,
        dry: bool,
        remove: impl Fn(&Path) -> Result<(), FilesError>,
    ) -> Result<(), PipelineError> {
        let bytes = size(&path);
        if !dry {
            remove(&path)?;
        }
        self.gone.push((path, bytes));
        Ok(())
    }
}

/// The folders in one of the state folder's own.
fn folders(migration: &Migration, name: &str) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(migration.state.join(name)).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn size(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    files.filter_map(|entry| entry.metadata().ok().filter(std::fs::Metadata::is_file)).map(|meta| meta.len()).sum()
}
