//! What a changed rule or mapping alters: one fleet, planned by two migration files.
//!
//! Must not: write anything, or ask a remote.

use std::collections::BTreeMap;

use super::base::Base;
use super::planned::between;
use super::planning::with_pin;
use super::{Options, PipelineError, Progress, Tell, load_rules, plan_over, recorded};
use crate::clock::Clock;
use crate::config::{Delivery, Migration};
use crate::digest::Digest;
use crate::discover::Fetching;
use crate::pin;
use crate::rule::RuleSet;
use crate::state::{DeliveryRecord, DeliveryState};
use crate::transform::{self, Pinned, WorkspacePlan};
use crate::workspace::{Consumer, EntityRef, GitPlace, Manifest, Pin, Source, Workspace};

/// What another migration file makes of a consumer that this one makes something else of.
#[derive(Clone, Debug)]
pub struct Altered {
    /// The consumers that share the workspace.
    pub consumers: Vec<EntityRef>,
    /// What the two make of it: `changed`, `unchanged`, …
    pub words: (&'static str, &'static str),
    /// Why the new one does; empty where the word says it all.
    pub why: String,
    /// Where its change set stands by the state of the new one, where that was run.
    pub delivered: Option<String>,
    /// From the files as the old one leaves them to those as the new one does.
    pub diff: String,
}

/// What a changed rule or mapping alters: the same fleet, planned by two migration files. Where the
/// code here holds what was delivered already, both are run over what that was made of.
///
/// # Errors
/// See [`PipelineError`].
pub fn compare(
    old: &Migration,
    new: &Migration,
    clock: &Clock,
    tell: &Tell<'_>,
) -> Result<Vec<Altered>, PipelineError> {
    let planned = plan_over(new, &Options::default(), (None, Fetching::Never, Base::Here), clock, tell)?;
    let rules = load_rules(old)?;
    let deliveries = recorded(new)?.map(|store| store.deliveries()).transpose()?.unwrap_or_default();
    let workspaces = &planned.fleet.workspaces;
    let then: Vec<Workspace> = workspaces.iter().filter_map(|one| as_it_was(one, deliveries.get(&one.id)?)).collect();
    // Where that can't be read any more, the code as it is has to do.
    let readable = pin::manifests(&then).into_iter().map(Result::ok);
    let held: BTreeMap<&str, (&Workspace, Manifest)> =
        then.iter().zip(readable).filter_map(|(one, manifest)| Some((one.id.as_str(), (one, manifest?)))).collect();
    let here = workspaces.iter().zip(&planned.manifests).filter(|(one, _)| !held.contains_key(one.id.as_str()));
    let here: Vec<(&Workspace, Manifest)> = here.filter_map(|(one, manifest)| Some((one, manifest.clone()?))).collect();
    let was = planned_by(old, &rules, here.iter(), tell);
    let (held_was, held_now) = match held.is_empty() {
        true => (BTreeMap::new(), BTreeMap::new()),
        false => {
            let again = load_rules(new)?;
            (planned_by(old, &rules, held.values(), tell), planned_by(new, &again, held.values(), tell))
        }
    };
    let mut altered = Vec::new();
    for (index, workspace) in workspaces.iter().enumerate() {
        let id = workspace.id.as_str();
        let (was, now, diff) = match (held_was.get(id), held_now.get(id), was.get(id)) {
            (Some(was), Some(now), _) => {
                let Some((then, manifest)) = held.get(id) else { continue };
                (was, now, between((then, manifest), was, now))
            }
            (_, _, Some(was)) => (was, &planned.plan.workspaces[index], planned.between(index, was)),
            _ => continue,
        };
        let (diff, words) = (diff.map_err(PipelineError::Folder)?, (was.result.word(), now.result.word()));
        if diff.is_empty() && words.0 == words.1 {
            continue;
        }
        let here = |consumer: &&Consumer| matches!(consumer.source, Source::Workspace(at) if at == index);
        let consumers = planned.fleet.consumers.iter().filter(here).map(|one| one.entity.clone()).collect();
        let delivered = deliveries.get(id).map(|record| match &record.merged {
            Some(_) => "merged".to_owned(),
            None => record.state.as_str().to_owned(),
        });
        let why = if words.0 == words.1 { "" } else { now.result.reason() };
        altered.push(Altered { consumers, words, why: why.to_owned(), delivered, diff });
    }
    Ok(altered)
}

/// A workspace as it was when what is out was made of it, where its code holds that by now: it is
/// merged, or written into the working tree.
fn as_it_was(workspace: &Workspace, record: &DeliveryRecord) -> Option<Workspace> {
    let chain = std::iter::successors(Some(record), |one| one.over.as_deref());
    let is_in = |one: &&DeliveryRecord| {
        one.merged.is_some() || (one.how == Delivery::Checkout && one.state == DeliveryState::Delivered)
    };
    let Some(Pin::Commit { commit, tree }) = chain.filter(is_in).last()?.pin.clone() else { return None };
    let git = GitPlace { commit, tree, dirty: Vec::new(), ..workspace.git.clone()? };
    Some(Workspace { git: Some(git), ..workspace.clone() })
}

/// What the rules of a migration make of some workspaces, by id.
fn planned_by<'a>(
    migration: &Migration,
    (rules, digest): &(RuleSet, Digest),
    places: impl Iterator<Item = &'a (&'a Workspace, Manifest)>,
    tell: &Tell<'_>,
) -> BTreeMap<String, WorkspacePlan> {
    let pinned: Vec<Pinned<'_>> = places
        .map(|(workspace, manifest)| Pinned { workspace, content: Ok(with_pin(workspace, manifest.clone())) })
        .collect();
    let request = transform::Request {
        rules,
        rules_digest: *digest,
        partial: migration.transform.partial,
        dirty: migration.consumers.dirty,
        threads: None,
        index: None,
        answers: None,
        progress: &|done, total| tell(Progress::Transformed(done, total)),
    };
    let plan = transform::transform(&request, &pinned);
    plan.workspaces.into_iter().map(|plan| (plan.id.clone(), plan)).collect()
}
