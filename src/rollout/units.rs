//! What travels together, of which kind it is, and which wave it would be in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::bind::deliverable;
use super::waves::{self, Earlier, Unit};
use crate::config::{Lineup, Rollout, Selector};
use crate::language;
use crate::state::WaveRecord;
use crate::transform::{FileOutcome, FilePlan, Plan, Transformed, WorkspacePlan};
use crate::workspace::{EntityRef, Fleet, Source};

/// What travels together, by workspace index: the workspaces that have something
/// to deliver, with their consumers.
pub(super) fn units_of(lineup: &Lineup, fleet: &Fleet, plans: &[&WorkspacePlan]) -> BTreeMap<usize, Unit> {
    let mut units: BTreeMap<usize, Unit> = BTreeMap::new();
    let home: BTreeMap<&EntityRef, usize> = fleet
        .consumers
        .iter()
        .filter_map(|consumer| match consumer.source {
            Source::Workspace(index) => Some((&consumer.entity, index)),
            Source::Unresolved(_) => None,
        })
        .collect();
    for consumer in &fleet.consumers {
        let Source::Workspace(index) = &consumer.source else {
            continue;
        };
        let Some(plan) = plans.get(*index).filter(|plan| deliverable(plan)) else {
            continue;
        };
        let shape = Shape::of(plan);
        let unit = units.entry(*index).or_insert_with(|| {
            let stratum = shape.stratum(fleet.tools.get(&plan.id));
            Unit { stratum, ..Unit::new(plan.id.clone(), Vec::new()) }
        });
        let makers = fleet.upstream.get(&consumer.entity).into_iter().flatten().filter_map(|maker| home.get(maker));
        let makers = makers.filter(|maker| *maker != index).filter_map(|maker| plans.get(*maker));
        unit.after.extend(makers.map(|plan| plan.id.clone()));
        unit.consumers.push(consumer.entity.clone());
        let means = |selector: &Selector| selector.means(consumer, &shape.languages);
        let lead = lineup.first.iter().position(means);
        unit.lead = [unit.lead, lead].into_iter().flatten().min();
        unit.tail |= lineup.last.contains(&consumer.entity) || lineup.last_where.iter().any(means);
    }
    units
}

/// The rules that a change set is made by.
pub(super) fn rules_of(plan: &WorkspacePlan) -> BTreeSet<&str> {
    let mut rules: BTreeSet<&str> = BTreeSet::new();
    for file in &plan.files {
        match &file.outcome {
            FileOutcome::Edit { edits, .. } => rules.extend(edits.iter().map(|edit| edit.rule.as_str())),
            FileOutcome::Rename { edits, rule, .. } => {
                rules.extend(edits.iter().map(|edit| edit.rule.as_str()).chain([rule.as_str()]));
            }
            FileOutcome::Create { rule, .. }
            | FileOutcome::Delete { rule }
            | FileOutcome::SetExecutable { rule, .. } => drop(rules.insert(rule)),
        }
    }
    rules
}

/// The shape of a change: which rules make it, in which languages, and whether something is
/// left to a person. With what its workspace is built with, it is the kind of a unit.
struct Shape<'a> {
    rules: BTreeSet<&'a str>,
    languages: Vec<&'static str>,
    left: bool,
}

impl<'a> Shape<'a> {
    fn of(plan: &'a WorkspacePlan) -> Self {
        let of_path =
            |file: &FilePlan| language::of_path(Path::new(&file.path)).map(|language| language.facts.name.as_str());
        let languages: BTreeSet<&'static str> = plan.files.iter().filter_map(of_path).collect();
        let rules = rules_of(plan);
        Self { rules, languages: languages.into_iter().collect(), left: plan.result != Transformed::Changed }
    }

    fn stratum(&self, tools: Option<&BTreeSet<String>>) -> String {
        let rules: Vec<&str> = self.rules.iter().copied().collect();
        let left = if self.left { ", something left" } else { "" };
        let tools = tools.map(|tools| tools.iter().cloned().collect::<Vec<_>>().join(" + "));
        let tools = tools.map_or_else(String::new, |tools| format!(" with {tools}"));
        format!("{} in {}{tools}{left}", rules.join(" + "), self.languages.join(" + "))
    }
}

/// A wave as it would be filled now, for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Preview {
    /// From 1.
    pub number: u32,
    /// Its size as the migration writes it.
    pub label: String,
    /// How many consumers are in it.
    pub consumers: usize,
    /// Its members, in the order of the rollout: workspace, first consumer, kind, and why
    /// it is in this wave.
    pub members: Vec<(String, String, String, &'static str)>,
    /// How many of each kind.
    pub strata: BTreeMap<String, usize>,
}

/// The waves as they would be filled now, explained; those that `standing` has, where there are any.
pub fn explain(
    migration: &str,
    rollout: &Rollout,
    (fleet, plan): (&Fleet, &Plan),
    standing: &[WaveRecord],
) -> Vec<Preview> {
    let plans: Vec<&WorkspacePlan> = plan.workspaces.iter().collect();
    let mut units: Vec<Unit> = units_of(&rollout.lineup, fleet, &plans).into_values().collect();
    waves::order(&mut units, &rollout.first, &rollout.seed, migration);
    let by_id: BTreeMap<&str, &Unit> = units.iter().map(|unit| (unit.workspace.as_str(), unit)).collect();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut previews = Vec::new();
    let stands = !standing.is_empty();
    let filled: Vec<(u32, String, Vec<String>)> = match stands {
        true => standing.iter().map(|wave| (wave.number, wave.label.clone(), wave.members.clone())).collect(),
        false => waves::fill(&rollout.waves, &units, Earlier::default())
            .into_iter()
            .map(|wave| (wave.number, wave.label, wave.members))
            .collect(),
    };
    for (number, label, all) in filled {
        let members: Vec<&Unit> = all.iter().filter_map(|id| by_id.get(id.as_str()).copied()).collect();
        let mut strata: BTreeMap<String, usize> = BTreeMap::new();
        let mut rows = Vec::new();
        for unit in &members {
            *strata.entry(unit.stratum.clone()).or_default() += 1;
            let why = match () {
                () if stands => "the rollout has it there",
                () if unit.lead.is_some() => "it goes first",
                () if unit.tail => "it goes last",
                () if seen.insert(&unit.stratum) => "the first of its kind",
                () => "by lot",
            };
            seen.insert(&unit.stratum);
            let first = unit.consumers.first().map(ToString::to_string).unwrap_or_default();
            rows.push((unit.workspace.clone(), first, unit.stratum.clone(), why));
        }
        let consumers = members.iter().map(|unit| unit.consumers.len()).sum();
        previews.push(Preview { number, label, consumers, members: rows, strata });
    }
    previews
}

/// The wave of each workspace, by its index, were the rollout to begin now.
pub fn preview(migration: &str, rollout: &Rollout, fleet: &Fleet, plan: &Plan) -> BTreeMap<usize, u32> {
    let plans: Vec<&WorkspacePlan> = plan.workspaces.iter().collect();
    let mut units: Vec<Unit> = units_of(&rollout.lineup, fleet, &plans).into_values().collect();
    waves::order(&mut units, &rollout.first, &rollout.seed, migration);
    let filled = waves::fill(&rollout.waves, &units, Earlier::default());
    let numbers: BTreeMap<&str, u32> =
        filled.iter().flat_map(|wave| wave.members.iter().map(|m| (m.as_str(), wave.number))).collect();
    let number = |(index, plan): (usize, &WorkspacePlan)| Some((index, *numbers.get(plan.id.as_str())?));
    plan.workspaces.iter().enumerate().filter_map(number).collect()
}
