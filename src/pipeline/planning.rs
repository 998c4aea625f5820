//! From a migration to what becomes of a fleet: discovered, read at its pins, transformed, laid out, and with
//! what was settled or has to be corrected in its place.
//!
//! Must not: verify, deliver, or write anything but caches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::base::{self, Base};
use super::correct::{self, Correction, Whose};
use super::formatting::Formatting;
use super::planned::declared;
use super::rules::{load_rules, names, review};
use super::{Options, PipelineError, Planned, Progress, Tell, not_interrupted, shard};
use crate::clock::Clock;
use crate::config::{Complete, Migration, Selector};
use crate::discover::{self, Discovered, Fetching};
use crate::index::Index;
use crate::pin::{self, PinError};
use crate::rollout::{self, NOT_CORRECTED};
use crate::rule::RuleSet;
use crate::rule_test;
use crate::state::Store;
use crate::toolchain;
use crate::transform::{self, Pinned, Plan, Transformed, WorkspacePlan};
use crate::workspace::{EntityRef, Fleet, Manifest, Pin, Workspace};

/// Discovers for a plan or a run. A run stops here where the list must be complete and
/// is not, or where consumers on record may only be missing because a source is down.
fn find(
    migration: &Migration,
    rules: &RuleSet,
    (store, fetching): (Option<&Store>, Fetching),
    clock: &Clock,
    tell: &Tell<'_>,
) -> Result<Fleet, PipelineError> {
    let required = migration.consumers.complete == Complete::Required && fetching != Fetching::Never;
    let names = required.then(|| names(migration, rules)).transpose()?;
    let discovery = discover::discover(migration, &discover::Request { clock, fetching, names })?;
    not_interrupted()?;
    let fleet = &discovery.fleet;
    tell(Progress::Discovered(fleet.consumers.len(), fleet.workspaces.len()));
    fleet.problems.iter().for_each(|problem| tell(Progress::Problem(problem)));
    nobody_meant(migration, fleet).iter().for_each(|problem| tell(Progress::Problem(problem)));
    let changes = store.map(|store| discover::changes(store, &discovery)).transpose()?.unwrap_or_default();
    if required && !discovery.is_complete() {
        return Err(PipelineError::NotComplete(Box::new(Discovered { discovery, changes })));
    }
    changes.iter().for_each(|change| tell(Progress::Changed(change)));
    let missing = store.map(|store| discover::missing(store, &discovery)).transpose()?.unwrap_or_default();
    if !missing.is_empty() && fetching != Fetching::Never {
        return Err(PipelineError::Missing(missing));
    }
    Ok(with_upstream(discovery))
}

/// What `first` and `last` name that nobody is: another one would lead. What a language selects is not known yet.
fn nobody_meant(migration: &Migration, fleet: &Fleet) -> Vec<String> {
    let known: BTreeSet<&EntityRef> = fleet.consumers.iter().map(|consumer| &consumer.entity).collect();
    let (named, lineup) = (&migration.rollout.first, &migration.rollout.lineup);
    let mut said = Vec::new();
    for (key, names, selectors) in [("first", named, &lineup.first), ("last", &lineup.last, &lineup.last_where)] {
        let names = names.iter().filter(|name| !known.contains(name)).map(ToString::to_string);
        let means = |selector: &&Selector| fleet.consumers.iter().any(|one| selector.means(one, &[]));
        let selectors = selectors.iter().filter(|one| !matches!(one, Selector::Language(_)) && !means(one));
        let nobody = names.chain(selectors.map(ToString::to_string));
        said.extend(nobody.map(|one| format!("[rollout] {key}: nobody is {one}; see `gander discover`")));
    }
    said
}

/// The fleet, and which of its consumers consume what others of it make.
fn with_upstream(discovery: discover::Discovery) -> Fleet {
    let mut fleet = discovery.fleet;
    let known: BTreeSet<&EntityRef> = fleet.consumers.iter().map(|consumer| &consumer.entity).collect();
    let mut upstream: BTreeMap<EntityRef, BTreeSet<EntityRef>> = BTreeMap::new();
    for node in discovery.graph.nodes.iter().filter(|node| known.contains(&node.entity)) {
        let makers: BTreeSet<EntityRef> = node.upstream.iter().filter(|maker| known.contains(maker)).cloned().collect();
        if !makers.is_empty() {
            upstream.insert(node.entity.clone(), makers);
        }
    }
    fleet.upstream = upstream;
    fleet
}

/// Contents are named by their digests, so that all migrations beside each other could
/// share an index; each has a file of its own in it, that forgets what is gone.
fn index_folder(migration: &Migration) -> PathBuf {
    // A migration may be called `index`: its state then holds the index, too.
    let beside = migration.state.parent().map(|folder| folder.join("index"));
    beside.filter(|folder| *folder != migration.state).unwrap_or_else(|| migration.state.join("index"))
}

pub(super) fn plan_over(
    migration: &Migration,
    options: &Options,
    (store, fetching, base): (Option<&Store>, Fetching, Base),
    clock: &Clock,
    tell: &Tell<'_>,
) -> Result<Planned, PipelineError> {
    let (rules, rules_digest) = load_rules(migration)?;
    if let Some(hint) = rule_test::hint_of_unexampled(&rules) {
        tell(Progress::Hint(&hint));
    }
    let mut fleet = find(migration, &rules, (store, fetching), clock, tell)?;
    let mut remotes = base::Remotes::default();
    if let Some(store) = store.filter(|_| base == Base::Remote) {
        remotes = base::at_remotes(migration, store, &mut fleet)?;
        not_interrupted()?;
        if remotes.behind.clones > 0 {
            tell(Progress::Behind(&remotes.behind));
        }
    }
    let identity = shard::identity(&fleet);
    if let Some(shard) = options.shard {
        shard.restrict(&mut fleet);
    }
    // A plan makes no folder unasked; it keeps an index that is there.
    let usual = || Some(index_folder(migration)).filter(|folder| fetching != Fetching::Never || folder.is_dir());
    let index = options.index.clone().or_else(usual);
    let settled = settled(store, migration, options, &mut fleet)?;
    let content = pin::manifests(&fleet.workspaces);
    note_tools(&mut fleet, &content);
    let manifests = content.iter().map(|manifest| manifest.as_ref().ok().cloned()).collect();
    let pinned: Vec<Pinned<'_>> = fleet
        .workspaces
        .iter()
        .zip(content)
        .map(|(workspace, manifest)| Pinned { workspace, content: manifest.map(|m| with_pin(workspace, m)) })
        .collect();
    let index = index.map(|folder| Index::open(&folder, std::slice::from_ref(&migration.file)));
    let answers = index.as_ref().map(Index::answers);
    let request = transform::Request {
        rules: &rules,
        rules_digest,
        partial: migration.transform.partial,
        dirty: migration.consumers.dirty,
        threads: options.threads,
        index: index.as_ref(),
        answers: answers.as_ref(),
        progress: &|done, total| tell(Progress::Transformed(done, total)),
    };
    let mut plan = transform::transform(&request, &pinned);
    let formatting = match fetching {
        Fetching::Never => None,
        _ => Formatting::new(migration, options.sandbox)?,
    };
    if let Some(formatting) = &formatting {
        formatting.lay_out(&mut plan.workspaces, &pinned, &|index| !settled.contains_key(&index))?;
    }
    let corrections = corrections(store, options, &fleet, request, formatting.as_ref())?;
    let whole = options.shard.is_none();
    let saved = index.map(|index| index.save(|l| whole && rules.speaks(l)));
    if let Some(Err(error)) = saved.and_then(|saved| Some(saved.and(answers?.save(whole)))) {
        tell(Progress::Problem(&format!("the index was not written, which costs time only: {error}")));
    }
    for (index, settled) in settled {
        plan.workspaces[index] = settled.plan;
    }
    if let Some(store) = store {
        base::refuse(&remotes.refused, store, &mut plan)?;
    }
    let outdated = install(&mut plan, corrections, store, &fleet, options.correct)?;
    let datasets = rules.datasets.clone();
    Ok(Planned {
        fleet,
        plan,
        outdated,
        tips: remotes.tips,
        standing: Vec::new(),
        manifests,
        declared: declared(&rules),
        review: review(&rules),
        datasets,
        identity,
        rules: rules_digest,
    })
}

/// Those whose recorded plans stay, and where their code has to be looked at for that.
fn settled(
    store: Option<&Store>,
    migration: &Migration,
    options: &Options,
    fleet: &mut Fleet,
) -> Result<BTreeMap<usize, rollout::Settled>, PipelineError> {
    let Some(store) = store else { return Ok(BTreeMap::new()) };
    let mut settled = rollout::settle(store, migration, fleet)?;
    if options.correct {
        // What was merged is what the rules are to look at.
        let deliveries = store.deliveries()?;
        settled.retain(|index, _| deliveries.get(&fleet.workspaces[*index].id).is_none_or(|one| one.merged.is_none()));
    }
    for (index, settled) in &settled {
        if let (Some(git), Some((commit, tree))) = (&mut fleet.workspaces[*index].git, &settled.at) {
            (git.commit, git.tree) = (commit.clone(), tree.clone());
        }
    }
    Ok(settled)
}

/// Notes what each codebase is built with.
fn note_tools(fleet: &mut Fleet, content: &[Result<Manifest, PinError>]) {
    for (workspace, manifest) in fleet.workspaces.iter().zip(content) {
        let Ok(manifest) = manifest else { continue };
        let tools = toolchain::tools(|file| manifest.entries.contains_key(file));
        if !tools.is_empty() {
            fleet.tools.insert(workspace.id.clone(), tools);
        }
    }
}

pub(super) fn with_pin(workspace: &Workspace, manifest: Manifest) -> (Manifest, Pin) {
    let pin = pin::pin_of(workspace, &manifest);
    (manifest, pin)
}

/// Looks for corrections of what was merged; by whom, the options say.
fn corrections(
    store: Option<&Store>,
    options: &Options,
    fleet: &Fleet,
    request: transform::Request<'_>,
    formatting: Option<&Formatting<'_>>,
) -> Result<BTreeMap<usize, Correction>, PipelineError> {
    let Some(store) = store else { return Ok(BTreeMap::new()) };
    let whose = if options.correct || options.replan { Whose::Everybody } else { Whose::Begun };
    let request = transform::Request { index: None, answers: None, progress: &|_, _| {}, ..request };
    correct::look(store, fleet, whose, &|pinned| {
        let mut plan = transform::transform(&request, pinned);
        if let Some(formatting) = formatting {
            formatting.lay_out(&mut plan.workspaces, pinned, &|_| true)?;
        }
        Ok(plan)
    })
}

/// Puts corrections in the place of what the rules make of the present code, where they are
/// asked for or out already. What can't be corrected, or is not asked for, is named.
fn install(
    plan: &mut Plan,
    corrections: BTreeMap<usize, Correction>,
    store: Option<&Store>,
    fleet: &Fleet,
    asked: bool,
) -> Result<BTreeMap<usize, String>, PipelineError> {
    let mut outdated = BTreeMap::new();
    let Some(store) = store.filter(|_| !corrections.is_empty()) else { return Ok(outdated) };
    let deliveries = store.deliveries()?;
    for (index, correction) in corrections {
        let record = deliveries.get(&fleet.workspaces[index].id);
        let begun = record.is_some_and(correct::is_begun);
        // What the rules make of the present code by themselves is a correction, too.
        let is_over = (asked || begun) && !record.is_some_and(correct::is_in_folder);
        let by_itself = is_over && !plan.workspaces[index].files.is_empty();
        match correction {
            Correction::Needed(wanted) if asked || begun => plan.workspaces[index] = *wanted,
            Correction::Needed(_) => {
                let why =
                    "an earlier rule made it, and its owner has merged it: `gander correct` makes a change set over it";
                outdated.insert(index, why.to_owned());
            }
            Correction::Stuck(why) if !by_itself => {
                outdated.insert(
                    index,
                    format!("an earlier rule made it, its owner has merged it, and it is {NOT_CORRECTED}{why}"),
                );
                if begun {
                    let result = Transformed::Refused(format!("its correction can't be made anew: {why}"));
                    plan.workspaces[index] =
                        WorkspacePlan { result, files: Vec::new(), ..plan.workspaces[index].clone() };
                }
            }
            Correction::Right | Correction::Stuck(_) => {}
        }
    }
    Ok(outdated)
}
