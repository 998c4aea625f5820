//! Consumers while their descriptions are being put together: one entity may be
//! described in several places, which must agree.
//!
//! Must not: read files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::entity::{Entity, Spot};
use super::locate::{self, Located};
use super::location::Code;
use crate::workspace::EntityRef;

/// A consumer and what is known of it so far.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) entity: EntityRef,
    pub(super) owner: Option<EntityRef>,
    pub(super) lifecycle: Option<String>,
    pub(super) tier: Option<String>,
    pub(super) tags: BTreeSet<String>,
    pub(super) opt_out: Option<String>,
    pub(super) because: BTreeSet<String>,
    /// Indices of the sources that name it.
    pub(super) sources: BTreeSet<usize>,
    /// Where its code lies: once the union is settled, one place or a reason.
    pub(super) located: Vec<Located>,
    /// Where it is described, for people.
    places: Vec<String>,
    /// What its descriptions don't agree on.
    conflicts: BTreeSet<&'static str>,
    /// Its name is only that of its folder or repository: who describes it calls it as it
    /// is called.
    pub(super) nameless: bool,
}

impl Candidate {
    /// A consumer that a source describes.
    pub(super) fn described(
        entity: &Entity,
        because: impl IntoIterator<Item = String>,
        shown: &(dyn Fn(&Path) -> String + Sync),
    ) -> Self {
        let located = match &entity.spot {
            Spot::File { file, root, location, .. } => locate::of_entity(file, location.as_deref(), root),
            Spot::Told { code, .. } => code.clone(),
        };
        Self {
            owner: entity.owner.clone(),
            lifecycle: entity.lifecycle.clone(),
            tier: entity.tier.clone(),
            tags: entity.tags.iter().cloned().collect(),
            opt_out: entity.opt_out.clone(),
            because: because.into_iter().collect(),
            places: vec![entity.place(shown)],
            sources: BTreeSet::from([entity.source]),
            ..Self::plain(entity.reference.clone(), located)
        }
    }

    /// A consumer of which no more is known.
    pub(super) fn plain(entity: EntityRef, located: Located) -> Self {
        Self {
            entity,
            owner: None,
            lifecycle: None,
            tier: None,
            tags: BTreeSet::new(),
            opt_out: None,
            because: BTreeSet::new(),
            sources: BTreeSet::new(),
            located: vec![located],
            places: Vec::new(),
            conflicts: BTreeSet::new(),
            nameless: false,
        }
    }

    /// The same, named after nothing but its folder or repository.
    pub(super) fn nameless(self) -> Self {
        Self { nameless: true, ..self }
    }

    /// The same where its description does not make it a consumer.
    pub(super) fn unnamed(self) -> Self {
        Self { sources: BTreeSet::new(), ..self }
    }

    /// The same with its code elsewhere than its description says.
    pub(super) fn at(self, located: Located) -> Self {
        Self { located: vec![located], ..self }
    }

    /// The same with the reason and the source.
    pub(super) fn because(mut self, because: String, source: usize) -> Self {
        self.because.insert(because);
        self.sources.insert(source);
        self
    }

    fn merge(&mut self, other: Self) {
        self.because.extend(other.because);
        self.sources.extend(other.sources);
        self.nameless &= other.nameless;
        // One description that opts out is enough.
        self.opt_out = self.opt_out.take().or(other.opt_out);
        let same = self.places.iter().any(|place| other.places.contains(place));
        for located in other.located {
            // One description, found in two ways: the first way decides.
            if (!same || self.located.iter().all(Result::is_err)) && !self.located.contains(&located) {
                self.located.push(located);
            }
        }
        if same {
            return;
        }
        agree(&mut self.owner, other.owner, "owner", &mut self.conflicts);
        agree(&mut self.lifecycle, other.lifecycle, "lifecycle", &mut self.conflicts);
        agree(&mut self.tier, other.tier, "tier", &mut self.conflicts);
        self.tags.extend(other.tags);
        self.places.extend(other.places);
        self.conflicts.extend(other.conflicts);
    }

    /// The places of code that it is said to have.
    pub(super) fn codes(&self) -> impl Iterator<Item = &Code> {
        self.located.iter().filter_map(|located| located.as_ref().ok())
    }

    /// The one folder of its code, once every place has been looked up.
    fn settle(&mut self, folder: &dyn Fn(&Code) -> Result<PathBuf, String>) -> Settled {
        let found = self.located.iter().map(|located| located.clone().and_then(|code| folder(&code)));
        let (mut folders, mut reasons) = (BTreeSet::new(), BTreeSet::new());
        // A place that is known and not here is a place nevertheless.
        let mut elsewhere = false;
        for (located, found) in self.located.iter().zip(found) {
            elsewhere |= located.is_ok() && found.is_err();
            match found {
                Ok(folder) => drop(folders.insert(folder)),
                Err(reason) => drop(reasons.insert(reason)),
            }
        }
        if folders.len() > 1 || (elsewhere && !folders.is_empty()) {
            self.conflicts.insert("source");
        }
        let message = (!self.conflicts.is_empty()).then(|| {
            self.places.sort();
            let what: Vec<&str> = self.conflicts.iter().copied().collect();
            let places = self.places.join(", ");
            format!("its descriptions contradict each other in {} ({places}): keep one of them", what.join(" and "))
        });
        let mut folders = folders.into_iter();
        let place = match (folders.next(), folders.next()) {
            (Some(folder), None) if !elsewhere => Ok(folder),
            // Changing only one of them would look like success.
            (Some(_), _) => Err(message.clone().unwrap_or_default()),
            (None, _) => Err(reasons.into_iter().next().unwrap_or_default()),
        };
        Settled { place, problem: message.map(|message| format!("{}: {message}", self.entity)) }
    }
}

/// What came of a candidate.
struct Settled {
    place: Result<PathBuf, String>,
    problem: Option<String>,
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

/// A consumer and the folder of its code, or why there is none.
pub(super) type Placed = (Candidate, Result<PathBuf, String>);

/// One consumer for each repository or folder that goes by a name of its own and by one
/// that was made up for it; who named either is a witness. Two that are described stay two.
pub(super) fn together(settled: Vec<Placed>) -> Vec<Placed> {
    let mut names: BTreeMap<&PathBuf, (bool, usize, &EntityRef)> = BTreeMap::new();
    for (one, place) in &settled {
        let Ok(folder) = place else { continue };
        let first = one.sources.first().copied().unwrap_or(usize::MAX);
        // Who is described comes first, then whom the first source names.
        let rank = (one.nameless, if one.nameless { first } else { 0 }, &one.entity);
        names.entry(folder).and_modify(|known| *known = (*known).min(rank)).or_insert(rank);
    }
    let named: BTreeMap<PathBuf, EntityRef> =
        names.into_iter().map(|(folder, (_, _, entity))| (folder.clone(), entity.clone())).collect();
    let into = |(one, place): &Placed| {
        let name = place.as_ref().ok().and_then(|folder| named.get(folder))?;
        (one.nameless && *name != one.entity).then(|| name.clone())
    };
    let mut others: BTreeMap<EntityRef, Vec<Candidate>> = BTreeMap::new();
    let mut kept = Vec::new();
    for placed in settled {
        match into(&placed) {
            Some(name) => others.entry(name).or_default().push(placed.0),
            None => kept.push(placed),
        }
    }
    for (one, _) in &mut kept {
        for other in others.remove(&one.entity).into_iter().flatten() {
            one.because.extend(other.because);
            one.sources.extend(other.sources);
        }
    }
    kept
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

    /// All of them, in the order of their references.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Candidate> {
        self.0.values()
    }

    /// Takes one away.
    pub(super) fn remove(&mut self, entity: &EntityRef) -> Option<Candidate> {
        self.0.remove(entity)
    }

    /// Settles where the code of each lies, with `folder` for each place of code; and
    /// a problem for each consumer whose descriptions contradict each other.
    pub(super) fn settle(self, folder: &dyn Fn(&Code) -> Result<PathBuf, String>) -> (Vec<Placed>, Vec<String>) {
        let (mut settled, mut problems) = (Vec::new(), Vec::new());
        for mut candidate in self.0.into_values() {
            let Settled { place, problem } = candidate.settle(folder);
            problems.extend(problem);
            settled.push((candidate, place));
        }
        (settled, problems)
    }
}
