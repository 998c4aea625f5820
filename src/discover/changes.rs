//! A fleet that moves: what became of it since the rollout recorded it.
//!
//! Must not: change the record. That is the next run's business.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Discovery;
use crate::state::{ConsumerRecord, StateError, Store, WaveState};
use crate::workspace::{Consumer, EntityRef, Fleet, Source, Workspace};

/// What became of a consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Who.
    pub entity: String,
    /// What happened.
    pub what: What,
    /// What the next run does about it, for people.
    pub means: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum What {
    /// A source names it that did not before.
    Born,
    /// The same code had this name before.
    Renamed(String),
    /// Its code lies elsewhere now.
    Moved(String),
    /// Its repository had this name before.
    Repository(String),
    /// Its lifecycle says now that it is on its way out.
    Archived(String),
    /// It is left out now.
    Excluded,
    /// No source names it any more.
    Gone,
    /// No source names it, but not every source could be read.
    Missing,
}

/// Words for a lifecycle that ends. Backstage's own is `deprecated`.
const ENDING: [&str; 7] = ["archived", "deprecated", "decommissioned", "end-of-life", "eol", "retired", "sunset"];

/// Compares a discovery with the record of the last run. Nothing where nothing was run.
///
/// # Errors
/// Where the state can't be read.
pub fn changes(store: &Store, discovery: &Discovery) -> Result<Vec<Change>, StateError> {
    let mut recorded = store.consumers()?;
    // Whoever has moved is on record twice, where they were under no name of anybody's.
    recorded.retain(|one| EntityRef::parse(&one.entity, "component").is_some());
    if recorded.is_empty() && store.binding()?.is_none() {
        return Ok(Vec::new());
    }
    let waves = store.waves()?;
    let begun = waves.iter().any(|wave| wave.state != WaveState::Planned);
    let last = waves.last().map(|wave| match wave.state {
        WaveState::Planned => wave.number,
        _ => wave.number + 1,
    });
    let delivered: BTreeSet<&str> = waves
        .iter()
        .filter(|wave| wave.state != WaveState::Planned)
        .flat_map(|wave| wave.members.iter().map(String::as_str))
        .collect();
    let means = Means { last: last.filter(|_| begun), delivered };
    let mut changes = compare(&recorded, discovery, &means);
    changes.extend(repositories(&store.places()?, &discovery.fleet));
    changes.sort_by(|a, b| a.entity.cmp(&b.entity));
    Ok(changes)
}

struct Means<'a> {
    /// The wave that newcomers join, once a rollout has begun.
    last: Option<u32>,
    /// Workspaces in waves that were opened.
    delivered: BTreeSet<&'a str>,
}

impl Means<'_> {
    fn joins(&self) -> String {
        match self.last {
            Some(wave) => format!("joins wave {wave}, the last, if it has something to change"),
            None => "is planned with the others".to_owned(),
        }
    }

    fn leaves(&self, workspace: Option<&String>) -> String {
        match workspace.filter(|id| self.delivered.contains(id.as_str())) {
            Some(_) => "its wave was opened: it stays in it, and what was delivered stays".to_owned(),
            None => "leaves its wave".to_owned(),
        }
    }
}

fn workspace_of<'f>(fleet: &'f Fleet, source: &Source) -> Option<&'f str> {
    match source {
        Source::Workspace(index) => fleet.workspaces.get(*index).map(|workspace| workspace.id.as_str()),
        Source::Unresolved(_) => None,
    }
}

/// Said once, when it becomes so: such a consumer is migrated like any other.
fn archived(now: Option<&String>, before: Option<&String>) -> Option<What> {
    let ends = |text: Option<&String>| text.is_some_and(|text| ENDING.contains(&text.to_lowercase().as_str()));
    now.filter(|_| ends(now) && !ends(before)).map(|text| What::Archived(text.clone()))
}

fn compare(recorded: &[ConsumerRecord], discovery: &Discovery, means: &Means<'_>) -> Vec<Change> {
    let fleet = &discovery.fleet;
    let now: BTreeMap<&str, Option<&str>> =
        fleet.consumers.iter().map(|one| (one.entity.as_str(), workspace_of(fleet, &one.source))).collect();
    let lifecycles: BTreeMap<&str, Option<&String>> =
        fleet.consumers.iter().map(|one| (one.entity.as_str(), one.lifecycle.as_ref())).collect();
    let before: BTreeMap<&str, &ConsumerRecord> = recorded.iter().map(|one| (one.entity.as_str(), one)).collect();
    let excluded: BTreeSet<&str> = discovery.excluded.iter().map(|one| one.entity.as_str()).collect();
    let lost: Vec<&ConsumerRecord> = recorded.iter().filter(|one| !now.contains_key(one.entity.as_str())).collect();
    let mut renamed: BTreeSet<&str> = BTreeSet::new();
    let mut changes = Vec::new();
    for (entity, workspace) in &now {
        let Some(old) = before.get(entity) else {
            let same = |one: &&&ConsumerRecord| {
                workspace.is_some() && one.workspace.as_deref() == *workspace && !renamed.contains(one.entity.as_str())
            };
            let (what, means) = match lost.iter().find(same) {
                Some(one) => {
                    renamed.insert(&one.entity);
                    (What::Renamed(one.entity.clone()), "keeps its wave and what was delivered".to_owned())
                }
                None => (What::Born, means.joins()),
            };
            changes.push(Change { entity: (*entity).to_owned(), what, means });
            continue;
        };
        if let Some(what) = archived(lifecycles.get(entity).copied().flatten(), old.lifecycle.as_ref()) {
            let means = "stays in its wave: leave it out with [[consumers.exclude]] if nobody will run it".to_owned();
            changes.push(Change { entity: (*entity).to_owned(), what, means });
        }
        if let (Some(from), Some(to)) = (&old.workspace, workspace)
            && from != to
        {
            let text = format!("{}; its new code {}", means.leaves(Some(from)), means.joins());
            changes.push(Change { entity: (*entity).to_owned(), what: What::Moved(from.clone()), means: text });
        }
    }
    for one in lost.iter().filter(|one| !renamed.contains(one.entity.as_str())) {
        let leaves = means.leaves(one.workspace.as_ref());
        let (what, means) = if excluded.contains(one.entity.as_str()) {
            (What::Excluded, leaves)
        } else if discovery.sources_failed() {
            (What::Missing, "the next run waits until every source can be read".to_owned())
        } else {
            (What::Gone, leaves)
        };
        changes.push(Change { entity: one.entity.clone(), what, means });
    }
    changes
}

/// Consumers whose clone is that of a repository by another name.
fn repositories(before: &BTreeMap<String, Workspace>, fleet: &Fleet) -> Vec<Change> {
    let renamed = |one: &Consumer| {
        let Source::Workspace(index) = &one.source else { return None };
        let now = fleet.workspaces.get(*index)?;
        let old =
            before.get(&now.id)?.origin.as_ref().filter(|old| now.origin.as_ref().is_some_and(|new| new != *old))?;
        let means = "its history is the same: it keeps its clone, its wave and what was delivered".to_owned();
        Some(Change { entity: one.entity.to_string(), what: What::Repository(old.clone()), means })
    };
    fleet.consumers.iter().filter_map(renamed).collect()
}

/// Consumers on record that no source names, while not every source could be read: who
/// they are now nobody can say.
///
/// # Errors
/// Where the state can't be read.
pub fn missing(store: &Store, discovery: &Discovery) -> Result<Vec<EntityRef>, StateError> {
    let found = changes(store, discovery)?;
    let missing = found.into_iter().filter(|change| change.what == What::Missing);
    Ok(missing.filter_map(|change| EntityRef::parse(&change.entity, "component")).collect())
}
