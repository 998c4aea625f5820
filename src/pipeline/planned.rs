//! A fleet and what the rules make of it, before anything is verified.
//!
//! Must not: run rules, or read anything but pinned bytes.

use std::collections::{BTreeMap, BTreeSet};

use crate::changeset::ChangeSet;
use crate::config::{Migration, Rollout};
use crate::digest::Digest;
use crate::rollout::{self, ends, patch};
use crate::state::WaveRecord;
use crate::transform::{Finding, FindingKind, Plan, Transformed, WorkspacePlan};
use crate::verify::{Declared, Scope};
use crate::workspace::{Consumer, EntityRef, FileVersion, Fleet, Manifest, Source, Workspace};

/// A fleet and what the rules make of it.
pub struct Planned {
    /// Who consumes.
    pub fleet: Fleet,
    /// What becomes of it.
    pub plan: Plan,
    /// What is pinned of each workspace; `None` where it can't be read.
    pub(super) manifests: Vec<Option<Manifest>>,
    /// The languages that each rule declares.
    pub(super) declared: Declared,
    /// The datasets that are migrated, if any are.
    pub(super) datasets: Option<std::sync::Arc<crate::rule::DatasetRules>>,
    /// Rules whose changes want a person's look.
    pub(super) review: BTreeSet<String>,
    /// What owners have merged and the rules would make otherwise now, by workspace.
    pub(super) outdated: BTreeMap<usize, String>,
    /// The waves of a rollout that has begun: they stay what they are.
    pub(super) standing: Vec<WaveRecord>,
    /// The branches of the migration at the remotes that were asked for what they have now.
    pub(super) tips: super::base::Tips,
    /// Of the whole fleet, also where only a shard of it was planned.
    pub(super) identity: Digest,
    /// Of rules, parameters and mappings.
    pub(super) rules: Digest,
}

/// A consumer in a plan, before anything is verified.
pub struct PlannedRow<'a> {
    /// Who.
    pub entity: &'a EntityRef,
    /// `changed`, `annotated`, `unchanged`, `refused`, `errored` or `unresolved`.
    pub word: &'static str,
    /// Why; empty where the word says it all.
    pub reason: &'a str,
    /// Index of its workspace.
    pub workspace: Option<usize>,
    /// Its wave, from 1, where it has something to deliver.
    pub wave: Option<u32>,
    /// What names a dataset and stays as it is, where nothing else becomes of the consumer.
    pub left: Vec<&'a Finding>,
}

/// Every consumer, ordered by reference.
pub(super) fn rows<'a>(migration: &str, rollout: &Rollout, fleet: &'a Fleet, plan: &'a Plan) -> Vec<PlannedRow<'a>> {
    let waves = rollout::preview(migration, rollout, fleet, plan);
    fleet.consumers.iter().map(|consumer| row(consumer, plan, &waves)).collect()
}

fn row<'a>(consumer: &'a Consumer, plan: &'a Plan, waves: &BTreeMap<usize, u32>) -> PlannedRow<'a> {
    let entity = &consumer.entity;
    let index = match &consumer.source {
        Source::Unresolved(reason) => {
            return PlannedRow { entity, word: "unresolved", reason, workspace: None, wave: None, left: Vec::new() };
        }
        Source::Workspace(index) => *index,
    };
    let result = &plan.workspaces[index].result;
    let (word, reason) = (result.word(), result.reason());
    let left = |finding: &&Finding| finding.kind == FindingKind::Skipped && finding.rule.starts_with("dataset/");
    let unchanged = matches!(result, Transformed::Unchanged).then_some(&plan.workspaces[index].findings);
    let left = unchanged.into_iter().flatten().filter(left).collect();
    PlannedRow { entity, word, reason, workspace: Some(index), wave: waves.get(&index).copied(), left }
}

impl Planned {
    /// Every consumer, ordered by reference.
    pub fn rows(&self, migration: &Migration) -> Vec<PlannedRow<'_>> {
        let mut rows = rows(&migration.id, &migration.rollout, &self.fleet, &self.plan);
        if !self.standing.is_empty() {
            let waves: BTreeMap<&str, u32> = self
                .standing
                .iter()
                .flat_map(|wave| wave.members.iter().map(|member| (member.as_str(), wave.number)))
                .collect();
            for row in &mut rows {
                let id = row.workspace.map(|index| self.plan.workspaces[index].id.as_str());
                row.wave = id.and_then(|id| waves.get(id)).copied();
            }
        }
        rows
    }

    /// Who would be in which wave, and why.
    pub fn waves(&self, migration: &Migration) -> Vec<rollout::Preview> {
        rollout::explain(&migration.id, &migration.rollout, (&self.fleet, &self.plan), &self.standing)
    }

    /// From the files as another plan leaves them to those as this one does.
    ///
    /// # Errors
    /// Where the pinned bytes can't be read any more.
    pub(super) fn between(&self, index: usize, other: &WorkspacePlan) -> Result<String, String> {
        let Some(manifest) = &self.manifests[index] else { return Ok(String::new()) };
        between((&self.fleet.workspaces[index], manifest), other, &self.plan.workspaces[index])
    }

    /// The change of a workspace as a patch.
    ///
    /// # Errors
    /// Where the pinned bytes can't be read any more.
    pub fn diff(&self, index: usize) -> Result<String, String> {
        let Some(manifest) = &self.manifests[index] else { return Ok(String::new()) };
        patch(&self.fleet.workspaces[index], manifest, &self.plan.workspaces[index])
    }
}

/// From the files of a workspace as one plan leaves them to those as another one does.
///
/// # Errors
/// Where the pinned bytes can't be read any more.
pub(super) fn between(
    (workspace, manifest): (&Workspace, &Manifest),
    was: &WorkspacePlan,
    now: &WorkspacePlan,
) -> Result<String, String> {
    let (was, now) = (ends(workspace, manifest, was)?, ends(workspace, manifest, now)?);
    let find = |all: &[FileVersion], path: &str| all.iter().find(|one| one.path == path).cloned();
    let mut paths: Vec<&str> = was.iter().chain(&now).map(|version| version.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut versions = Vec::new();
    for path in paths {
        let (was, now) = (find(&was, path), find(&now, path));
        // What one of the plans leaves alone is as it is pinned.
        let pinned = || was.as_ref().or(now.as_ref()).and_then(|version| version.before.clone());
        let before = was.as_ref().map_or_else(pinned, |version| version.after.clone());
        let after = now.as_ref().map_or_else(pinned, |version| version.after.clone());
        if before != after {
            versions.push(FileVersion { path: path.to_owned(), before, after, renamed_from: None });
        }
    }
    let prefix = workspace.git.as_ref().map_or("", |git| git.prefix.as_str());
    Ok(String::from_utf8_lossy(&ChangeSet::new(&versions, prefix).change).into_owned())
}

/// What each rule declares to be its business, hosts of embedded code included.
pub(super) fn declared(rules: &crate::rule::RuleSet) -> Declared {
    let languages = |rule: &crate::rule::Rule| {
        let of = |variant: &crate::rule::Variant| {
            let hosts = variant.hosts.iter().map(|host| host.language);
            hosts.chain([variant.language]).map(|language| language.facts.name.clone()).collect::<Vec<_>>()
        };
        rule.variants.iter().flat_map(of).collect()
    };
    let scope = |rule: &crate::rule::Rule| Scope {
        languages: languages(rule),
        paths: rule.paths.clone(),
        builds: !rule.sets.is_empty(),
    };
    let datasets = || rules.datasets.iter().flat_map(|datasets| datasets.ids());
    // Datasets are looked for in every language; what is not edited may get a comment.
    let all = crate::language::all().iter().map(|language| language.facts.name.clone()).collect();
    let anywhere = Scope { languages: all, ..Scope::default() };
    let of_rules = rules.rules.iter().map(|rule| (rule.id.clone(), scope(rule)));
    of_rules.chain(datasets().map(|id| (id.clone(), anywhere.clone()))).collect()
}
