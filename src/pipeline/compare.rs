//! What a changed rule or mapping alters: one fleet, planned by two migration files.
//!
//! Must not: write anything, or ask a remote.

use std::collections::BTreeMap;

use super::base::Base;
use super::{Options, PipelineError, Progress, Tell, load_rules, plan_over, recorded};
use crate::clock::Clock;
use crate::config::Migration;
use crate::discover::Fetching;
use crate::pin;
use crate::transform::{self, Pinned, WorkspacePlan};
use crate::workspace::{Consumer, EntityRef, Source};

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

/// What a changed rule or mapping alters: the same fleet, planned by two migration files.
///
/// # Errors
/// See [`PipelineError`].
pub fn compare(
    old: &Migration,
    new: &Migration,
    clock: &Clock,
    tell: &Tell<'_>,
) -> Result<Vec<Altered>, PipelineError> {
    let options = Options::default();
    // Over the code as it is, also where a change set was merged.
    let planned = plan_over(new, &options, (None, Fetching::Never, Base::Here), clock, tell)?;
    let (rules, digest) = load_rules(old)?;
    let mut before = Vec::new();
    for (workspace, manifest) in planned.fleet.workspaces.iter().zip(&planned.manifests) {
        let content = match manifest {
            Some(manifest) => Ok((manifest.clone(), pin::pin_of(workspace, manifest))),
            None => continue,
        };
        before.push(Pinned { workspace, content });
    }
    let request = transform::Request {
        rules: &rules,
        rules_digest: digest,
        partial: old.transform.partial,
        dirty: old.consumers.dirty,
        threads: None,
        index: None,
        answers: None,
        progress: &|done, total| tell(Progress::Transformed(done, total)),
    };
    let plans = transform::transform(&request, &before);
    let by_id: BTreeMap<&str, &WorkspacePlan> = plans.workspaces.iter().map(|plan| (plan.id.as_str(), plan)).collect();
    let deliveries = recorded(new)?.map(|store| store.deliveries()).transpose()?.unwrap_or_default();
    let mut altered = Vec::new();
    for (index, now) in planned.plan.workspaces.iter().enumerate() {
        let Some(was) = by_id.get(now.id.as_str()) else { continue };
        let diff = planned.between(index, was).map_err(PipelineError::Folder)?;
        let words = (was.result.word(), now.result.word());
        if diff.is_empty() && words.0 == words.1 {
            continue;
        }
        let here = |consumer: &&Consumer| matches!(consumer.source, Source::Workspace(at) if at == index);
        let consumers = planned.fleet.consumers.iter().filter(here).map(|one| one.entity.clone()).collect();
        let delivered = deliveries.get(&now.id).map(|record| match &record.merged {
            Some(_) => "merged".to_owned(),
            None => record.state.as_str().to_owned(),
        });
        let why = if words.0 == words.1 { "" } else { now.result.reason() };
        altered.push(Altered { consumers, words, why: why.to_owned(), delivered, diff });
    }
    Ok(altered)
}
