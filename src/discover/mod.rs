//! Stage 1: [`Migration`] → [`Fleet`]. Who consumes what is being replaced, and
//! where their code lies.
//!
//! Must not: change anything, fetch anything, or drop a consumer: one whose code
//! can't be found is listed as unresolved, with the reason.

mod candidate;
mod catalog;
mod entity;
mod folders;
mod locate;
mod relations;
#[cfg(test)]
mod tests;
mod workspaces;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::config::{ConsumerSource, Migration};
use crate::git::GitError;
use crate::workspace::{EntityRef, Fleet};
use candidate::{Candidate, Candidates};

/// Who a folder says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The component.
    pub entity: EntityRef,
    /// Its owner, where one is named.
    pub owner: Option<EntityRef>,
}

/// Reads the catalog file of one folder, if it has one: the first component in it.
///
/// # Errors
/// What is wrong with the file, with its place.
pub fn identify(folder: &Path) -> Result<Option<Identity>, String> {
    let Some(file) = catalog::file_in(folder) else { return Ok(None) };
    let shown = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let catalog = catalog::file(&file, folder, &shown);
    if let Some(problem) = catalog.problems.into_iter().next() {
        return Err(problem);
    }
    let component = catalog.entities.into_iter().find(|e| e.reference.as_str().starts_with("component:"));
    Ok(component.map(|e| Identity { entity: e.reference, owner: e.owner }))
}

/// Why the fleet could not be known. A single broken file, repository or
/// consumer is no such reason: it is in the [`Fleet`].
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// git itself could not be run.
    #[error("the consumers' repositories can't be read: {0}")]
    Git(#[from] GitError),
    /// A catalog's folder vanished or can't be read.
    #[error("the catalog folder {} can't be read: {source}; check the path and its permissions", folder.display())]
    Catalog {
        /// As the migration names it.
        folder: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Finds every consumer that the migration's sources know of.
///
/// # Errors
/// Where the fleet can't be known at all; what is wrong with a part of it is
/// told by the fleet itself.
pub fn discover(migration: &Migration) -> Result<Fleet, DiscoverError> {
    let base = migration.file.parent().unwrap_or(Path::new("/"));
    let shown = |path: &Path| locate::relative(path, base);
    let (mut entities, mut problems) = (Vec::new(), Vec::new());
    let mut folders = BTreeMap::new();
    for source in &migration.consumers.from {
        match source {
            ConsumerSource::Catalog(folder) => {
                let root = folder.canonicalize();
                let root = root.map_err(|source| DiscoverError::Catalog { folder: folder.clone(), source })?;
                let tree = catalog::tree(&root, &shown);
                problems.extend(tree.problems);
                entities.extend(tree.entities);
            }
            ConsumerSource::Folders(globs) => {
                let (found, missing) = folders::matching(globs, base);
                problems.extend(missing);
                folders.extend(found);
            }
        }
    }
    let of = &migration.consumers.of;
    let mut candidates = relations::consumers(of, &entities, &shown, &mut problems);
    add_folders(&folders, base, &shown, &mut candidates, &mut problems);
    problems.extend(candidates.settle());
    let mut fleet = workspaces::fleet(candidates, base)?;
    fleet.problems.extend(problems);
    let mut seen = BTreeSet::new();
    fleet.problems.retain(|problem| seen.insert(problem.clone()));
    fleet.problems.sort();
    Ok(fleet)
}

/// Makes each folder a consumer: the component that its catalog file describes,
/// or one that has the folder's name.
fn add_folders(
    folders: &BTreeMap<PathBuf, String>,
    base: &Path,
    shown: &(dyn Fn(&Path) -> String + Sync),
    candidates: &mut Candidates,
    problems: &mut Vec<String>,
) {
    let described: Vec<_> = folders
        .par_iter()
        .map(|(folder, glob)| {
            let catalog = catalog::file_in(folder).map(|file| catalog::file(&file, folder, shown));
            (folder, glob, catalog.unwrap_or_default())
        })
        .collect();
    let mut names: BTreeMap<EntityRef, usize> = BTreeMap::new();
    for (folder, _, _) in &described {
        if let Some(name) = named(folder, None) {
            *names.entry(name).or_default() += 1;
        }
    }
    for (folder, glob, catalog) in described {
        problems.extend(catalog.problems);
        let because = format!("its folder matches {glob:?}");
        let located = folder_itself(folder);
        let component = |e: &&entity::Entity| e.reference.as_str().starts_with("component:");
        let entity = catalog.entities.iter().find(component).or(catalog.entities.first());
        let candidate = match entity {
            Some(entity) => Some(Candidate::described(entity, located, vec![because], shown)),
            None => alone(folder, base, &names).map(|reference| Candidate::plain(reference, located, because)),
        };
        match candidate {
            Some(candidate) => candidates.add(candidate),
            None => problems.push(format!("{}: can't name a consumer: rename the folder", shown(folder))),
        }
    }
}

/// The name of a folder that no catalog file describes: two folders of one name
/// are two consumers, each named after its whole path.
fn alone(folder: &Path, base: &Path, names: &BTreeMap<EntityRef, usize>) -> Option<EntityRef> {
    let plain = named(folder, None)?;
    match names.get(&plain) {
        Some(count) if *count > 1 => named(folder, Some(base)),
        _ => Some(plain),
    }
}

fn folder_itself(folder: &Path) -> locate::Located {
    match folder.to_str() {
        Some(_) => Ok(folder.to_path_buf()),
        None => Err("its folder has a path that is not UTF-8: rename it".to_owned()),
    }
}

/// The component that a folder without a catalog file stands for: named after
/// the folder, or after its whole path below `base`.
fn named(folder: &Path, base: Option<&Path>) -> Option<EntityRef> {
    let name = match base {
        Some(base) => locate::relative(folder, base),
        None => folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
    };
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    let name = if name.is_empty() { "root".to_owned() } else { name };
    EntityRef::parse(&format!("component:default/{name}"), "component")
}
