//! Consumers while their descriptions are being put together: one entity may be
//! described in several places, which must agree.
//!
//! Must not: read files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::entity::Entity;
use super::locate::Located;
use crate::workspace::EntityRef;

/// A consumer and what is known of it so far.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) entity: EntityRef,
    pub(super) owner: Option<EntityRef>,
    pub(super) lifecycle: Option<String>,
    pub(super) tags: BTreeSet<String>,
    pub(super) because: BTreeSet<String>,
    pub(super) located: Located,
    /// Where it is described, for people.
    places: Vec<String>,
    /// What its descriptions don't agree on.
    conflicts: BTreeSet<&'static str>,
}

impl Candidate {
    /// A consumer that a catalog file describes.
    pub(super) fn described(
        entity: &Entity,
        located: Located,
        because: impl IntoIterator<Item = String>,
        shown: &(dyn Fn(&Path) -> String + Sync),
    ) -> Self {
        Self {
            owner: entity.owner.clone(),
            lifecycle: entity.lifecycle.clone(),
            tags: entity.tags.iter().cloned().collect(),
            because: because.into_iter().collect(),
            places: vec![format!("{}:{}", shown(&entity.file), entity.line)],
            ..Self::plain(entity.reference.clone(), located, String::new())
        }
    }

    /// A consumer of which no more is known.
    pub(super) fn plain(entity: EntityRef, located: Located, because: String) -> Self {
        Self {
            entity,
            owner: None,
            lifecycle: None,
            tags: BTreeSet::new(),
            because: BTreeSet::from([because]),
            located,
            places: Vec::new(),
            conflicts: BTreeSet::new(),
        }
    }

    fn merge(&mut self, other: Self) {
        if self.places.iter().any(|place| other.places.contains(place)) {
            // One description, found in two ways: the first way decides.
            self.because.extend(other.because);
            if self.located.is_err() {
                self.located = other.located;
            }
            return;
        }
        agree(&mut self.owner, other.owner, "owner", &mut self.conflicts);
        agree(&mut self.lifecycle, other.lifecycle, "lifecycle", &mut self.conflicts);
        match (&self.located, other.located) {
            (Ok(mine), Ok(theirs)) if *mine != theirs => {
                self.conflicts.insert("source");
            }
            (Err(_), theirs @ Ok(_)) => self.located = theirs,
            _ => {}
        }
        self.tags.extend(other.tags);
        self.because.extend(other.because);
        self.places.extend(other.places);
        self.conflicts.extend(other.conflicts);
    }
}

fn agree<T: PartialEq>(
    mine: &mut Option<T>,
    theirs: Option<T>,
    what: &'static str,
    conflicts: &mut BTreeSet<&'static str>,
) {
    match (&mine, theirs) {
        (Some(a), Some(b)) if *a != b => {
            conflicts.insert(what);
        }
        (None, theirs) => *mine = theirs,
        _ => {}
    }
}

/// Every consumer found so far, by reference.
#[derive(Debug, Default)]
pub(super) struct Candidates(BTreeMap<EntityRef, Candidate>);

impl Candidates {
    /// Adds a consumer, or what is known of it.
    pub(super) fn add(&mut self, candidate: Candidate) {
        match self.0.get_mut(&candidate.entity) {
            Some(known) => known.merge(candidate),
            None => {
                self.0.insert(candidate.entity.clone(), candidate);
            }
        }
    }

    /// A problem for each consumer whose descriptions contradict each other. One
    /// with two places of code is unresolved: changing only one of them would
    /// look like success.
    pub(super) fn settle(&mut self) -> Vec<String> {
        let mut problems = Vec::new();
        for candidate in self.0.values_mut() {
            if candidate.conflicts.is_empty() {
                continue;
            }
            candidate.places.sort();
            let what: Vec<&str> = candidate.conflicts.iter().copied().collect();
            let message = format!(
                "its descriptions contradict each other in {} ({}): keep one of them",
                what.join(" and "),
                candidate.places.join(", "),
            );
            problems.push(format!("{}: {message}", candidate.entity));
            if candidate.conflicts.contains("source") {
                candidate.located = Err(message);
            }
        }
        problems
    }

    /// All of them, in the order of their references.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = Candidate> {
        self.0.into_values()
    }
}
