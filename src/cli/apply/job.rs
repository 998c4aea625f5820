//! What is asked of all files together, before each is edited by itself: the facts
//! that some rules collect, and whether the result would be changed again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Exit;
use super::super::known::Known;
use super::super::screen::Screen;
use super::super::walk::{Found, each, with_bytes};
use super::builds::Near;
use super::held::{self, Held, World};
use super::place::Place;
use super::speaks;
use crate::rule::{Facts, RuleSet, Seed};
use crate::transform::{self, Fate, collect, file};

/// The rules and where they are applied.
pub(super) struct Job<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) paths: &'a [PathBuf],
    pub(super) known: &'a Known,
    pub(super) screen: &'a Screen,
    /// The builds of the paths, where rules ask for that.
    pub(super) near: Option<&'a Near>,
}

/// What all files would be after the change.
#[derive(Default)]
struct After {
    /// Those that would be others: their place, where they are not gone, and their
    /// bytes, where those are others.
    files: HashMap<PathBuf, (Option<Place>, Option<Vec<u8>>)>,
    /// New files, by root.
    worlds: Vec<World>,
}

impl After {
    /// What a file would be; `None` where it would be gone.
    fn of<'p>(&'p self, place: &'p Place, path: &Path, bytes: &'p [u8]) -> Option<(&'p Place, &'p [u8])> {
        let Some((now, changed)) = self.files.get(path) else { return Some((place, bytes)) };
        Some((now.as_ref()?, changed.as_deref().unwrap_or(bytes)))
    }

    fn new_files(&self) -> impl Iterator<Item = (&World, &str, &[u8])> {
        self.worlds.iter().flat_map(|world| {
            world.decided.new.iter().map(move |(path, new)| (world, path.as_str(), new.text.as_bytes()))
        })
    }
}

impl Job<'_> {
    /// Walks once more over all files that some rule can speak of, or that changed.
    fn each<T: Send>(
        &self,
        after: &After,
        work: impl Fn(&Path, Found<'_>) -> T + Sync,
        mut take: impl FnMut(&Path, T) -> Result<(), Exit> + Send,
    ) -> Result<(), Exit> {
        let looked_at = |path: &Path, found: Found<'_>| {
            let known = !after.files.contains_key(path) && !self.rules.spreads() && self.known.rules_out(path, found);
            (!known).then(|| work(path, found))
        };
        let wanted = |path: &Path| speaks(self.rules, path);
        each(self.paths, self.screen, wanted, looked_at, |path, done| done.map_or(Ok(()), |done| take(path, done)))
            .map(|_| ())
    }

    /// What the rules that collect learn from all files together.
    pub(super) fn facts(&self) -> Result<Arc<Facts>, Exit> {
        self.facts_after(&After::default())
    }

    fn facts_after(&self, after: &After) -> Result<Arc<Facts>, Exit> {
        let mut facts = Facts::default();
        self.near.iter().for_each(|near| facts.set_builds(near.told()));
        if !self.rules.collects() {
            return Ok(Arc::new(facts));
        }
        let failed = |why: String| {
            self.screen.diagnostic(format!("error: {why}"));
            Exit::Negative
        };
        let learn = |path: &Path, found: Found<'_>| {
            let place = Place::of(self.paths, path)?;
            with_bytes(path, found, |bytes, _| match after.of(&place, path, bytes) {
                Some((now, bytes)) => collect(self.rules, &now.name, bytes),
                None => Ok(Facts::default()),
            })?
            .map_err(|f| format!("{}:{}:{}: {}", path.display(), f.line, f.column, f.message))
        };
        self.each(after, learn, |_, learned| {
            facts.merge(learned.map_err(failed)?);
            Ok(())
        })?;
        for (_, path, bytes) in after.new_files() {
            facts.merge(collect(self.rules, path, bytes).map_err(|f| failed(f.message))?);
        }
        transform::spread(self.rules, facts, |facts| self.planted(after, facts)).map_err(|f| failed(f.message))
    }

    /// What the edits of all files ask for in every one of them.
    fn planted(&self, after: &After, facts: &Arc<Facts>) -> BTreeSet<Seed> {
        let mut all = BTreeSet::new();
        let look = |path: &Path, found: Found<'_>| {
            let place = Place::of(self.paths, path).ok()?;
            let seeds = |bytes: &[u8]| {
                let (now, bytes) = after.of(&place, path, bytes)?;
                Some(file(self.rules, facts, &now.name, bytes).seeds)
            };
            with_bytes(path, found, |bytes, _| seeds(bytes)).ok()?
        };
        // Who can't be read is told where it is edited.
        let _ = self.each(after, look, |_, seeds| {
            all.extend(seeds.unwrap_or_default());
            Ok(())
        });
        let new = after.new_files().map(|(_, path, bytes)| file(self.rules, facts, path, bytes).seeds);
        all.extend(new.flatten());
        all
    }

    /// Files that the rules would go on changing, given what the result of all files
    /// tells, or that ask for such a file, and the rule that would. Where no rule
    /// collects, each file was checked by itself.
    pub(super) fn restless(&self, before: &Arc<Facts>) -> Result<BTreeMap<PathBuf, String>, Exit> {
        let mut restless = BTreeMap::new();
        if !self.rules.collects() {
            return Ok(restless);
        }
        let (after, held) = self.after(before)?;
        let facts = self.facts_after(&after)?;
        let unsettled = |place: &Place, bytes: &[u8]| {
            let world = after.worlds.iter().find(|world| world.holds(place));
            let there = |wanted: &transform::Creation| world.is_some_and(|world| world.decided.there(wanted));
            transform::unsettled(self.rules, &facts, &place.name, bytes, &there)
        };
        let of_file = |path: &Path, found: Found<'_>| {
            let place = Place::of(self.paths, path).ok()?;
            with_bytes(path, found, |bytes, _| {
                after.of(&place, path, bytes).and_then(|(now, bytes)| unsettled(now, bytes))
            })
            .ok()?
        };
        self.each(&after, of_file, |path, rule| {
            restless.extend(rule.map(|rule| (path.to_owned(), rule)));
            Ok(())
        })?;
        for (world, path, bytes) in after.new_files() {
            let place = Place { root: world.root.clone(), name: path.to_owned() };
            let Some(rule) = unsettled(&place, bytes) else { continue };
            let asks = |held: &&Held| world.holds(&held.place) && held.asks_for(path);
            restless.extend(held.iter().filter(asks).map(|held| (held.path.clone(), rule.clone())));
        }
        Ok(restless)
    }

    /// What all files would be after the change, and those that ask for whole files.
    fn after(&self, before: &Arc<Facts>) -> Result<(After, Vec<Held>), Exit> {
        let (mut after, mut held) = (After::default(), Vec::new());
        let work = |path: &Path, found: Found<'_>| {
            let place = Place::of(self.paths, path).ok()?;
            let of = |bytes: &[u8], meta: &Metadata| {
                let report = file(self.rules, before, &place.name, bytes);
                if report.moves_files() {
                    return (None, Some(Held::new(path, &place, bytes, meta, report)));
                }
                (report.change, None)
            };
            with_bytes(path, found, of).ok()
        };
        self.each(&After::default(), work, |path, made| {
            let (change, asks) = made.unwrap_or((None, None));
            if let (Some(change), Ok(place)) = (change, Place::of(self.paths, path)) {
                after.files.insert(path.to_owned(), (Some(place), Some(change.bytes)));
            }
            held.extend(asks);
            Ok(())
        })?;
        after.worlds = held::decide(self.rules, before, &mut held, &BTreeMap::new());
        for one in &held {
            let now = match &one.report.fate {
                Fate::Stays => Some(one.place.clone()),
                Fate::Moves { to, .. } => Some(Place { name: to.clone(), ..one.place.clone() }),
                Fate::Goes { .. } => None,
            };
            let bytes = one.report.change.as_ref().map(|change| change.bytes.clone());
            after.files.insert(one.path.clone(), (now, bytes));
        }
        Ok((after, held))
    }
}
