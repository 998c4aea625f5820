//! What sources declare against what the code shows.
//!
//! Must not: search. It only compares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use globset::GlobMatcher;
use serde::Serialize;

use super::catalog;
use super::locate::relative;
use super::search::Hits;
use crate::workspace::{EntityRef, Fleet, Source};

/// What declares and what shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Agreement {
    /// What the code was searched for.
    pub names: Vec<String>,
    /// Files that were searched.
    pub files: u64,
    /// Every consumer, ordered by reference.
    pub declared: Vec<Declared>,
    /// Found where no consumer is declared, ordered by path.
    pub undeclared: Vec<Undeclared>,
}

/// A consumer that a source declares.
#[derive(Clone, Debug, Serialize)]
pub struct Declared {
    /// Who.
    pub entity: EntityRef,
    /// What its code shows.
    pub code: Shown,
}

/// What the code of a declared consumer shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Shown {
    /// It names what is migrated.
    Used {
        /// The first place, by path: relative to the migration file.
        place: Place,
        /// Files with such a name.
        files: usize,
    },
    /// It does not.
    NotFound,
    /// There is no code to look at.
    NotSearched,
}

/// A place in the code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Relative to the migration file.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// The name that stands there.
    pub name: String,
}

/// A place that no consumer declares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Undeclared {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The component whose code it is, where a catalog knows one.
    pub component: Option<EntityRef>,
}

impl Agreement {
    /// Whether every source and the code say the same.
    pub fn holds(&self) -> bool {
        self.undeclared.is_empty() && self.declared.iter().all(|one| matches!(one.code, Shown::Used { .. }))
    }
}

/// Whose code a folder is.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// A workspace, by its index.
    Workspace(usize),
    /// A component that no source names as a consumer.
    Component(EntityRef),
    /// A consumer that is left out.
    Excluded,
}

/// Compares. `owners` says whose code a folder is; `allowed` are globs of places that
/// are nobody's, and `own` the migration's own files and folders.
pub(super) fn compare(
    fleet: &Fleet,
    names: Vec<String>,
    hits: &Hits,
    owners: &BTreeMap<PathBuf, Owner>,
    allowed: &[GlobMatcher],
    own: &BTreeSet<PathBuf>,
    base: &Path,
) -> Agreement {
    let mut used: BTreeMap<usize, (Place, usize)> = BTreeMap::new();
    let mut undeclared = Vec::new();
    // A catalog file that names it is what is compared, not code.
    let declares = |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(catalog::is_catalog_file);
    let is_own = |path: &Path| path.ancestors().any(|path| own.contains(path));
    for hit in hits.hits.iter().filter(|hit| !is_own(&hit.path) && !declares(&hit.path)) {
        let path = relative(&hit.path, base);
        let place = || Place { path: path.clone(), line: hit.line, name: hit.name.clone() };
        let owner = hit.path.ancestors().skip(1).find_map(|folder| owners.get(folder));
        match owner {
            Some(Owner::Workspace(index)) => {
                used.entry(*index).and_modify(|(_, files)| *files += 1).or_insert_with(|| (place(), 1));
            }
            Some(Owner::Excluded) => {}
            _ if allowed.iter().any(|glob| glob.is_match(&path)) => {}
            Some(Owner::Component(component)) => {
                undeclared.push(Undeclared { place: place(), component: Some(component.clone()) });
            }
            None => undeclared.push(Undeclared { place: place(), component: None }),
        }
    }
    undeclared.sort();
    let nameless = names.is_empty();
    let code = |source: &Source| match source {
        // Where there is no name to look for, not finding it says nothing.
        _ if nameless => Shown::NotSearched,
        Source::Unresolved(_) => Shown::NotSearched,
        Source::Workspace(index) => match used.get(index) {
            Some((place, files)) => Shown::Used { place: place.clone(), files: *files },
            None => Shown::NotFound,
        },
    };
    let declared = fleet.consumers.iter().map(|one| Declared { entity: one.entity.clone(), code: code(&one.source) });
    Agreement { names, files: hits.files, declared: declared.collect(), undeclared }
}
