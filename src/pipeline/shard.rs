//! Plans in parts: a shard of the workspaces is planned on a machine of its own, its
//! result is one file that names its own bytes, and parts merge in any order and any
//! brackets to what one run would have planned.
//!
//! Must not: read a workspace, or know how shards come to their machines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Planned, PlannedRow, rows};
use crate::config::{Dirty, Lineup, Migration, Partial, Rollout, WaveSize};
use crate::digest::{Digest, DigestBuilder};
use crate::language;
use crate::transform::{self, Plan, WorkspacePlan};
use crate::workspace::{Consumer, EntityRef, Fleet, Source, Workspace};

/// One of several equal parts of a fleet: `3/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub number: u32,
    /// How many there are; at least 1.
    pub of: u32,
}

/// More shards than any fleet has consumers.
const MAX_SHARDS: u32 = 100_000;

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(n, of)| Some((n.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((number, of)) if (1..=of).contains(&number) && of <= MAX_SHARDS => Ok(Self { number, of }),
            _ => Err(format!("{text:?} is no shard: write which one of how many, like 3/16")),
        }
    }
}

impl Shard {
    /// Whether what has this name is in the shard. A hash decides, so that a consumer
    /// that joins the fleet moves no other one.
    fn holds(self, name: &str) -> bool {
        let digest = DigestBuilder::new("gander.shard").field(name).finish();
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_bytes()[..8]);
        u64::from_le_bytes(first) % u64::from(self.of) == u64::from(self.number - 1)
    }

    /// Takes everything out of the fleet that is not in the shard. What shares a
    /// workspace stays together.
    pub(super) fn restrict(self, fleet: &mut Fleet) {
        let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
        let mut workspaces = Vec::new();
        for (index, workspace) in std::mem::take(&mut fleet.workspaces).into_iter().enumerate() {
            if self.holds(&workspace.id) {
                moved.insert(index, workspaces.len());
                workspaces.push(workspace);
            }
        }
        fleet.workspaces = workspaces;
        fleet.consumers.retain_mut(|consumer| match &mut consumer.source {
            Source::Unresolved(_) => self.holds(consumer.entity.as_str()),
            Source::Workspace(index) => match moved.get(index) {
                Some(new) => {
                    *index = *new;
                    true
                }
                None => false,
            },
        });
    }
}

/// Why parts are no plan together.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PartError {
    /// The file is something else, or was cut short or changed.
    #[error("it is no whole part of a plan: {0}; plan the shard again with --out")]
    Damaged(String),
    /// Rules, parameters, fleet or gander itself differ.
    #[error(
        "the parts were planned from different {0}; plan all shards with one gander, from one state of the catalogs"
    )]
    Differs(&'static str),
    /// Two parts say different things of one workspace or consumer.
    #[error("the parts disagree on {0}: it changed between the runs; plan all shards again")]
    Disagree(String),
}

/// The plan of some shards of a fleet: a pure function of rules, parameters and pins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What all parts of a plan have in common.
    common: Common,
    /// Which shards are in it.
    shards: BTreeSet<u32>,
    /// By entity; their workspaces are named by id.
    consumers: BTreeMap<EntityRef, Member>,
    /// By id.
    workspaces: BTreeMap<String, WorkspacePlan>,
    /// What they are built with, by id.
    #[serde(default)]
    tools: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    /// gander and its grammars.
    engine: Digest,
    /// Rules, parameters and mappings.
    rules: Digest,
    partial: Partial,
    dirty: Dirty,
    /// Who is in the fleet, and at which commits.
    fleet: Digest,
    of: u32,
    migration: String,
    waves: Vec<WaveSize>,
    seed: String,
    first: Vec<EntityRef>,
    lineup: Lineup,
    problems: Vec<String>,
    #[serde(default)]
    upstream: BTreeMap<EntityRef, BTreeSet<EntityRef>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    consumer: Consumer,
    /// The id of its workspace; `None` where it is unresolved.
    workspace: Option<String>,
}

/// Begins a part's file; the digest of the rest follows.
const MAGIC: &str = "gander-part-1 ";

/// The identity of a fleet, whole: told before it is restricted to a shard.
pub(super) fn identity(fleet: &Fleet) -> Digest {
    let mut digest = DigestBuilder::new("gander.fleet");
    for consumer in &fleet.consumers {
        let place = match &consumer.source {
            Source::Workspace(index) => fleet.workspaces.get(*index).map_or("", |w| w.id.as_str()),
            Source::Unresolved(reason) => reason.as_str(),
        };
        digest = digest.field(consumer.entity.as_str()).field(place);
    }
    for workspace in &fleet.workspaces {
        digest = digest.field(&workspace.id);
        digest = workspace.without.iter().fold(digest, DigestBuilder::field);
        if let Some(git) = &workspace.git {
            digest = digest.field(&git.prefix).field(&git.commit).field(&git.tree);
            digest = git.dirty.iter().fold(digest, DigestBuilder::field);
        }
    }
    digest.finish()
}

impl Part {
    /// What was planned of a shard.
    pub fn new(migration: &Migration, planned: Planned, shard: Shard) -> Self {
        let Planned { fleet, plan, identity, rules, .. } = planned;
        let engine = DigestBuilder::new("gander.engine").field(env!("CARGO_PKG_VERSION")).field(language::versions());
        let rollout = &migration.rollout;
        let common = Common {
            engine: engine.finish(),
            rules,
            partial: migration.transform.partial,
            dirty: migration.consumers.dirty,
            fleet: identity,
            of: shard.of,
            migration: migration.id.clone(),
            waves: rollout.waves.clone(),
            seed: rollout.seed.clone(),
            first: rollout.first.clone(),
            lineup: rollout.lineup.clone(),
            problems: fleet.problems,
            upstream: fleet.upstream,
        };
        let member = |consumer: Consumer| {
            let workspace = match &consumer.source {
                Source::Workspace(index) => fleet.workspaces.get(*index).map(|w| w.id.clone()),
                Source::Unresolved(_) => None,
            };
            // An index means nothing in another part.
            let source = if workspace.is_some() { Source::Workspace(0) } else { consumer.source.clone() };
            (consumer.entity.clone(), Member { consumer: Consumer { source, ..consumer }, workspace })
        };
        Self {
            common,
            shards: [shard.number].into(),
            consumers: fleet.consumers.into_iter().map(member).collect(),
            workspaces: plan.workspaces.into_iter().map(|w| (w.id.clone(), w)).collect(),
            tools: fleet.tools,
        }
    }

    /// Both together. Associative, commutative, and a part merged with itself is itself.
    ///
    /// # Errors
    /// Where they are not parts of one plan.
    pub fn merge(mut self, other: Self) -> Result<Self, PartError> {
        if let Some(what) = self.common.difference(&other.common) {
            return Err(PartError::Differs(what));
        }
        for (id, theirs) in other.workspaces {
            match self.workspaces.get(&id) {
                Some(ours) if bytes(ours)? != bytes(&theirs)? => return Err(PartError::Disagree(id)),
                Some(_) => {}
                None => drop(self.workspaces.insert(id, theirs)),
            }
        }
        for (entity, theirs) in other.consumers {
            match self.consumers.get(&entity) {
                Some(ours) if *ours != theirs => return Err(PartError::Disagree(entity.to_string())),
                Some(_) => {}
                None => drop(self.consumers.insert(entity, theirs)),
            }
        }
        self.shards.extend(other.shards);
        self.tools.extend(other.tools);
        Ok(self)
    }

    /// The shards that are not in it.
    pub fn missing(&self) -> Vec<u32> {
        (1..=self.common.of).filter(|number| !self.shards.contains(number)).collect()
    }

    /// What could not be read of the catalogs.
    pub fn problems(&self) -> &[String] {
        &self.common.problems
    }

    /// The bytes of its file: the same for the same plan, on every machine.
    ///
    /// # Errors
    /// Where a value can't be written as JSON, which no plan is known to cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PartError> {
        let body = bytes(self)?;
        let mut out = format!("{MAGIC}{}\n", Digest::of(&body)).into_bytes();
        out.extend(body);
        Ok(out)
    }

    /// Reads what [`Part::to_bytes`] wrote.
    ///
    /// # Errors
    /// Anything else, to the last byte.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PartError> {
        let damaged = |what: &str| PartError::Damaged(what.to_owned());
        let line = memchr::memchr(b'\n', bytes).ok_or_else(|| damaged("its first line is missing"))?;
        let (head, body) = (&bytes[..line], &bytes[line + 1..]);
        let named = std::str::from_utf8(head).ok().and_then(|head| head.strip_prefix(MAGIC));
        let named = named.ok_or_else(|| damaged("it does not begin as one"))?;
        if named != Digest::of(body).to_string() {
            return Err(damaged("its bytes are not those that its first line names"));
        }
        serde_json::from_slice(body).map_err(|error| damaged(&error.to_string()))
    }

    /// The whole plan, as one run would have made it; the fleet it is of names no
    /// place on this machine. Call it once nothing is [`Part::missing`].
    pub fn finish(self) -> Merged {
        let Common { rules, partial, dirty, migration, waves, seed, first, lineup, .. } = self.common;
        let index: BTreeMap<&String, usize> = self.workspaces.keys().enumerate().map(|(at, id)| (id, at)).collect();
        let consumer = |member: Member| {
            let at = member.workspace.and_then(|id| index.get(&id).copied());
            Consumer { source: at.map_or(member.consumer.source, Source::Workspace), ..member.consumer }
        };
        let consumers = self.consumers.into_values().map(consumer).collect();
        let place = |id: &String| Workspace {
            id: id.clone(),
            root: Default::default(),
            git: None,
            without: Vec::new(),
            origin: None,
        };
        let workspaces = self.workspaces.keys().map(place).collect();
        let fleet = Fleet {
            consumers,
            workspaces,
            problems: self.common.problems,
            upstream: self.common.upstream,
            tools: self.tools,
            ..Fleet::default()
        };
        let plans: Vec<WorkspacePlan> = self.workspaces.into_values().collect();
        let plan = Plan { digest: transform::plan_digest(rules, partial, dirty, &plans), workspaces: plans };
        let rollout = Rollout { waves, seed, first, lineup, ..Rollout::default() };
        Merged { plan, fleet, migration, rollout }
    }
}

fn bytes(value: &impl Serialize) -> Result<Vec<u8>, PartError> {
    serde_json::to_vec(value).map_err(|error| PartError::Damaged(error.to_string()))
}

impl Common {
    /// What differs, for people.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        if self == other {
            return None;
        }
        Some(match () {
            () if self.engine != other.engine => "versions of gander",
            () if self.migration != other.migration => "migrations",
            () if self.rules != other.rules => "rules, parameters or mappings",
            () if self.of != other.of => "numbers of shards",
            () if self.fleet != other.fleet || self.problems != other.problems => "fleets",
            () => "migration files",
        })
    }
}

/// A plan that was put together from parts.
pub struct Merged {
    /// The plan.
    pub plan: Plan,
    fleet: Fleet,
    migration: String,
    rollout: Rollout,
}

impl Merged {
    /// Every consumer, ordered by reference.
    pub fn rows(&self) -> Vec<PlannedRow<'_>> {
        rows(&self.migration, &self.rollout, &self.fleet, &self.plan)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests;
