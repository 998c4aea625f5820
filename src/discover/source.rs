//! What every source of consumers is: something with a name for people that is read
//! once, and says what it could not read.
//!
//! Must not: decide who is a consumer. That is the union's business.

use std::path::Path;

use serde::{Deserialize, Deserializer};

use super::candidate::Candidate;
use super::dataset::Datasets;
use super::entity::Entity;
use super::{access_log, backstage, catalog, dbt, folders, marquez, openlineage, repositories};
use crate::clock::Clock;
use crate::config::{ConsumerSource, Consumers};

/// The most that one source may report, so that one of them can't drown the others.
pub(super) const MAX_PROBLEMS: usize = 50;
/// The most that is held of what is wrong: of a source that is wrong from end to end the
/// rest is only counted.
const MAX_HELD: usize = 1_000;

/// What sources need to know of the migration.
pub(super) struct Context<'a> {
    pub(super) consumers: &'a Consumers,
    pub(super) datasets: &'a Datasets,
    /// The folder of the migration file.
    pub(super) base: &'a Path,
    /// Turns a path into the form that people see.
    pub(super) shown: &'a (dyn Fn(&Path) -> String + Sync),
    pub(super) clock: &'a Clock,
}

/// What a source says.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Entities with their relations.
    pub(super) entities: Vec<Entity>,
    /// Consumers that are named as such, by no relation.
    pub(super) consumers: Vec<Candidate>,
    /// What could not be read: place, and what to do.
    pub(super) problems: Vec<String>,
    /// What is wrong with what could be read. It hides nobody that was known before.
    pub(super) doubts: Vec<String>,
    /// Problems that are only counted.
    pub(super) unsaid: usize,
}

impl Found {
    /// Notes a problem, or counts it where there are many.
    pub(super) fn note(&mut self, problem: String) {
        match self.problems.len() < MAX_HELD {
            true => self.problems.push(problem),
            false => self.unsaid += 1,
        }
    }

    /// Nothing but a problem.
    pub(super) fn problem(problem: String) -> Self {
        Self { problems: vec![problem], ..Self::default() }
    }
}

/// Where consumers come from.
pub(super) trait Source {
    /// What people call it.
    fn label(&self, cx: &Context<'_>) -> String;

    /// Reads all of it, or as much as there is.
    fn read(&self, cx: &Context<'_>) -> Found;
}

/// The source that a migration names.
pub(super) fn of(source: &ConsumerSource) -> Box<dyn Source + '_> {
    match source {
        ConsumerSource::Catalog(folder) => Box::new(catalog::Tree(folder)),
        ConsumerSource::Folders(globs) => Box::new(folders::Globs(globs)),
        ConsumerSource::Backstage(live) => Box::new(backstage::Live(live)),
        ConsumerSource::Dbt { manifest, code } => Box::new(dbt::Project { manifest, code: code.as_deref() }),
        ConsumerSource::OpenLineage(file) => Box::new(openlineage::Events(file)),
        ConsumerSource::Marquez(live) => Box::new(marquez::Live(live)),
        ConsumerSource::Repositories(file) => Box::new(repositories::List(file)),
        ConsumerSource::AccessLog(log) => Box::new(access_log::Reads(log)),
    }
}

/// Reads a source, and has everything that it found point to it.
pub(super) fn read(source: &dyn Source, index: usize, cx: &Context<'_>) -> Found {
    let mut found = source.read(cx);
    found.entities.iter_mut().for_each(|entity| entity.source = index);
    for candidate in &mut found.consumers {
        candidate.sources.clear();
        candidate.sources.insert(index);
    }
    let unsaid = found.unsaid;
    for (list, unsaid) in [(&mut found.problems, unsaid), (&mut found.doubts, 0)] {
        let more = list.len().saturating_sub(MAX_PROBLEMS) + unsaid;
        if more > 0 {
            list.truncate(MAX_PROBLEMS);
            list.push(format!("{}: and {more} more problems", source.label(cx)));
        }
    }
    found
}

/// Servers and tools write `null` for what they do not know as often as they leave it out.
pub(super) fn null_is_default<'de, T, D>(value: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(value)?.unwrap_or_default())
}
