//! The one file that composes the stages: discover → transform → format → verify →
//! rollout → report.
//!
//! Must not: print, or know the command line.

mod back;
mod base;
mod correct;
mod shard;

pub use back::Backs;
use base::Base;
pub use base::Behind;
use correct::{Correction, Whose};
pub use shard::{Merged, Part, PartError, Shard};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::clock::Clock;
use crate::config::{Complete, Migration, SandboxMode};
use crate::digest::{Digest, DigestBuilder};
use crate::discover::{self, Change, DiscoverError, Discovered, Fetching};
use crate::files::FilesError;
use crate::index::Index;
use crate::pin::{self, PinError};
use crate::report;
use crate::rollout::{self, Event, Ledger, RolloutError};
use crate::rule_test::{self, Given};
use crate::sandbox::SandboxError;
use crate::script::{self, Inputs, ScriptErrors};
use crate::state::{StateError, Store, WaveRecord, WaveState};
use crate::toolchain;
use crate::transform::{self, Pinned, Plan, Transformed, WorkspacePlan};
use crate::verify::{self, Verdict};
use crate::workspace::{Consumer, EntityRef, Fleet, Manifest, Pin, Source, Workspace};

mod collect;
mod compare;
mod formatting;
mod planned;
mod uses;
mod verifying;
mod watching;

pub use collect::{Collected, collect};
pub use compare::{Altered, compare};
use formatting::Formatting;
pub use planned::{Planned, PlannedRow};
use planned::{declared, rows};
pub use uses::{Checked, FleetUse, check, meant, owner, subjects};
use verifying::Work;
pub use verifying::{Verified, VerifyOptions, enter, kept, prepare, verify};

/// Why a run could not know what to do. Everything else is an outcome.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Rules or mappings are wrong.
    #[error(transparent)]
    Rules(#[from] ScriptErrors),
    /// The fleet could not be known.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// The state can't be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The rollout could not go on.
    #[error(transparent)]
    Rollout(#[from] RolloutError),
    /// The machine does not isolate as the migration requires.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// gander's own files can't be written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// gander's own program file is not known.
    #[error("can't tell where the gander program lies: {0}")]
    Program(std::io::Error),
    /// The user wanted an end.
    #[error("interrupted; what was done is recorded, and the next run goes on from there")]
    Interrupted,
    /// There is no tree to enter.
    #[error("nothing is kept of {0}: run `gander verify {0} --keep` first")]
    NotKept(String),
    /// Consumers on record are missing, and a source could not be read.
    #[error(
        "{} that this rollout knows can't be found, while not every source could be read ({}): run again once it can be",
        count(.0.len()), some(.0)
    )]
    Missing(Vec<EntityRef>),
    /// The migration requires a complete list of consumers, and this one is not.
    #[error("the list of consumers is not complete, and [consumers] complete = \"required\": nothing was changed")]
    NotComplete(Box<Discovered>),
    /// The template of pull requests is wrong: where and why.
    #[error("[deliver] template: {0}")]
    Template(String),
    /// A folder can't be looked at: why.
    #[error("{0}")]
    Folder(String),
    /// What `[verify.sql]` needs can't be installed.
    #[error(transparent)]
    Prepare(#[from] crate::verify::sql::PrepareError),
    /// There is nothing to prepare.
    #[error("nothing is to be prepared: the migration has no [verify.sql]")]
    NothingToPrepare,
    /// `--only` names nobody: the name, and who is called nearly so.
    #[error("no consumer is called {0}{near}; `gander plan` lists them", near = near(.1))]
    NoSuchConsumer(EntityRef, Vec<EntityRef>),
}

fn near(names: &[EntityRef]) -> String {
    let names: Vec<&str> = names.iter().map(|name| rollout::shown(name.as_str())).collect();
    if names.is_empty() { String::new() } else { format!(" (is it {}?)", names.join(", ")) }
}

/// Fails where somebody is asked for who is not in the fleet.
pub(crate) fn all_known(only: &BTreeSet<EntityRef>, fleet: &Fleet) -> Result<(), PipelineError> {
    let names: Vec<&str> = fleet.consumers.iter().map(|consumer| consumer.entity.as_str()).collect();
    let Some(nobody) = only.iter().find(|one| !names.contains(&one.as_str())) else { return Ok(()) };
    // By what people type: the kind and the namespace are the same of nearly all.
    let typed: Vec<&str> = names.iter().map(|name| rollout::shown(name)).collect();
    let near = similar::get_close_matches(rollout::shown(nobody.as_str()), &typed, 3, 0.6);
    let is_near = |one: &&EntityRef| near.contains(&rollout::shown(one.as_str()));
    let near = fleet.consumers.iter().map(|one| &one.entity).filter(is_near).cloned();
    Err(PipelineError::NoSuchConsumer(nobody.clone(), near.collect()))
}

fn count(consumers: usize) -> String {
    if consumers == 1 { "a consumer".to_owned() } else { format!("{consumers} consumers") }
}

fn some(consumers: &[EntityRef]) -> String {
    let shown: Vec<&str> = consumers.iter().take(3).map(EntityRef::as_str).collect();
    format!("{}{}", shown.join(", "), if consumers.len() > 3 { ", …" } else { "" })
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    /// Where everybody stands.
    pub ledger: Ledger,
    /// What could not be read on the way, and consumers whose code was not found: while there is any, there may be consumers
    /// that nobody knows of.
    pub problems: usize,
}

/// How to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// These consumers only; all where empty.
    pub only: BTreeSet<EntityRef>,
    /// Forget verdicts that say nothing and deliveries that failed.
    pub retry: bool,
    /// Take in what changed under a rollout that has begun.
    pub replan: bool,
    /// And deliver it also over what was merged already.
    pub correct: bool,
    /// `--sandbox none`.
    pub sandbox: Option<SandboxMode>,
    /// Threads of the transform stage.
    pub threads: Option<usize>,
    /// Only this part of the fleet is planned.
    pub shard: Option<Shard>,
    /// Where to remember what lies in which file, and what came of it, instead of beside the state.
    pub index: Option<PathBuf>,
}

/// Progress, for whoever shows it.
pub enum Progress<'a> {
    /// The fleet is known: consumers and workspaces.
    Discovered(usize, usize),
    /// The fleet is another than that of the last run.
    Changed(&'a Change),
    /// Clones are behind their remotes: what is there now is planned over.
    Behind(&'a Behind),
    /// Something in a catalog could not be read; the rest was.
    Problem(&'a str),
    /// What is worth a look in the rules.
    Hint(&'a str),
    /// Files done, of how many.
    Transformed(usize, usize),
    /// A workspace was verified: its id and the verdict.
    Verified(&'a str, &'a Verdict),
    /// A verification begins or has ended.
    Verifying(&'a verify::Progress),
    /// Something happened in the rollout.
    Rollout(Event<'a>),
}

/// Hears of progress, from any thread.
pub type Tell<'a> = dyn Fn(Progress<'_>) + Sync + 'a;

/// Rules, parameters and mappings of a migration, compiled, and held to their own examples.
///
/// # Errors
/// Everything that is wrong with them.
pub fn load_rules(migration: &Migration) -> Result<(crate::rule::RuleSet, Digest), ScriptErrors> {
    let sources = script::read(&migration.rules)?;
    let mappings = script::read_mappings(&migration.mappings)?;
    let mut digest = DigestBuilder::new("gander.rules").field(migration.guide.as_deref().unwrap_or(""));
    for source in &sources {
        digest = digest.field(&source.text);
    }
    digest = digest.field(migration.parameters.to_string());
    for (name, table) in &mappings {
        digest = digest.field(name).field(table.to_string());
    }
    digest = digest.field(migration.languages.said());
    digest = digest.field(format!("{:?}", migration.order));
    for formatter in &migration.formatters {
        digest = digest.field(format!("{formatter:?}"));
    }
    let datasets = script::read_datasets(&migration.datasets)?;
    if let Some(rules) = &datasets {
        digest = digest.field(rules.identity.as_bytes());
    }
    let (parameters, languages) = (migration.parameters.clone(), migration.languages.clone());
    let order = migration.order.clone();
    let inputs =
        Inputs { parameters, mappings, guide: migration.guide.clone(), languages, datasets, order, alone: false };
    let sources: Vec<script::Source> = sources.into_iter().map(|s| relative(s, migration)).collect();
    let rules = rule_test::load(&sources, &inputs, Given::ByMigration)?;
    if rules.modular || !rules.libraries.is_empty() {
        // What they import or declare lies in files of its own; each rule's identity holds it.
        digest = rules.rules.iter().fold(digest, |digest, rule| digest.field(rule.identity.as_bytes()));
    }
    Ok((rules, digest.finish()))
}

/// Names a rule file relative to the migration, so that no absolute path gets
/// into findings.
fn relative(source: script::Source, migration: &Migration) -> script::Source {
    let folder = migration.file.parent().unwrap_or(Path::new(""));
    let name = Path::new(&source.name).strip_prefix(folder).map(|p| p.display().to_string());
    script::Source { name: name.unwrap_or(source.name), ..source }
}

/// Discovers, and compares with the code and with the last run. Clones into the state
/// folder what is not here, as far as the migration allows.
///
/// # Errors
/// Where rules, fleet or state can't be read.
pub fn discover(migration: &Migration, refresh: bool, clock: &Clock) -> Result<Discovered, PipelineError> {
    let (rules, _) = load_rules(migration)?;
    let names = names(migration, &rules)?;
    // Whoever clones holds the lock: two of them would write into the same folder.
    let store = if migration.code.clone { Some(Store::open(&migration.state, clock)?) } else { recorded(migration)? };
    let fetching = if refresh { Fetching::Refresh } else { Fetching::Missing };
    let request = discover::Request { clock, fetching, names: Some(names) };
    let discovery = discover::discover(migration, &request)?;
    not_interrupted()?;
    let changes = store.map(|store| discover::changes(&store, &discovery)).transpose()?;
    Ok(Discovered { discovery, changes: changes.unwrap_or_default() })
}

/// What was found after Ctrl-C lacks what was not asked for any more.
fn not_interrupted() -> Result<(), PipelineError> {
    if crate::interrupt::wanted() { Err(PipelineError::Interrupted) } else { Ok(()) }
}

/// The state of the last run, if there was one.
fn recorded(migration: &Migration) -> Result<Option<Store>, StateError> {
    let there = migration.state.join("state.db").is_file();
    there.then(|| Store::read(&migration.state)).transpose()
}

/// The names to search the code for.
fn names(migration: &Migration, rules: &crate::rule::RuleSet) -> Result<Vec<String>, PipelineError> {
    let mappings = script::read_mappings(&migration.mappings)?;
    let consumers = &migration.consumers;
    Ok(discover::names(&consumers.names, &consumers.datasets, rules, &mappings))
}

/// Discovers and transforms; writes nothing.
///
/// # Errors
/// Where rules, fleet or state can't be read.
pub fn plan(
    migration: &Migration,
    options: &Options,
    clock: &Clock,
    tell: &Tell<'_>,
) -> Result<Planned, PipelineError> {
    let store = recorded(migration)?;
    if let Some(first) = migration.formatters.first() {
        let name = &first.name;
        tell(Progress::Hint(&format!(
            "this is before [[format]]: `gander verify` and `gander run` have `{name}` lay it out"
        )));
    }
    let mut planned = plan_over(migration, options, (store.as_ref(), Fetching::Never, Base::Here), clock, tell)?;
    all_known(&options.only, &planned.fleet)?;
    if let Some(store) = store {
        let begun = |waves: &[WaveRecord]| waves.iter().any(|wave| wave.state != WaveState::Planned);
        planned.standing = Some(store.waves()?).filter(|waves| begun(waves)).unwrap_or_default();
    }
    Ok(planned)
}

/// Discovers for a plan or a run. A run stops here where the list must be complete and
/// is not, or where consumers on record may only be missing because a source is down.
fn find(
    migration: &Migration,
    rules: &crate::rule::RuleSet,
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

fn plan_over(
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
    let mut refused = base::Refused::new();
    if let Some(store) = store.filter(|_| base == Base::Remote) {
        let (behind, found) = base::at_remotes(migration, store, &mut fleet)?;
        refused = found;
        not_interrupted()?;
        if behind.clones > 0 {
            tell(Progress::Behind(&behind));
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
        base::refuse(&refused, store, &mut plan)?;
    }
    let outdated = install(&mut plan, corrections, store, &fleet, options.correct)?;
    let datasets = rules.datasets.clone();
    Ok(Planned {
        fleet,
        plan,
        outdated,
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

fn with_pin(workspace: &Workspace, manifest: Manifest) -> (Manifest, Pin) {
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
        let begun = deliveries.get(&fleet.workspaces[index].id).is_some_and(correct::is_begun);
        // What the rules make of the present code by themselves is a correction, too.
        let by_itself = (asked || begun) && !plan.workspaces[index].files.is_empty();
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
                    format!("an earlier rule made it, its owner has merged it, and it is not corrected: {why}"),
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

/// The rules that say `safety("review")`.
fn review(rules: &crate::rule::RuleSet) -> BTreeSet<String> {
    let wants = |rule: &&crate::rule::Rule| rule.safety == crate::rule::Safety::Review;
    rules.rules.iter().filter(wants).map(|rule| rule.id.clone()).collect()
}

/// Advances a migration as far as it can.
///
/// # Errors
/// See [`PipelineError`]. What was done until then is recorded, and the next run
/// goes on from there. What is out already is watched all the same.
pub fn run(migration: &Migration, options: &Options, clock: &Clock, tell: &Tell<'_>) -> Result<Ran, PipelineError> {
    let ran = advance(migration, options, clock, tell);
    ran.inspect_err(|error| watching::watch(migration, options, clock, tell, error))
}

fn advance(migration: &Migration, options: &Options, clock: &Clock, tell: &Tell<'_>) -> Result<Ran, PipelineError> {
    // Before anything is written: a mistake in the rules leaves no trace.
    load_rules(migration)?;
    report::pull_request::check_template(migration).map_err(PipelineError::Template)?;
    let mut store = Store::open(&migration.state, clock)?;
    if options.correct || options.replan {
        // What was merged since the last run is to be corrected, too.
        rollout::look_at_owners(&mut store, &|event| tell(Progress::Rollout(event)))?;
    }
    let planned = plan_over(migration, options, (Some(&store), Fetching::Missing, Base::Remote), clock, tell)?;
    all_known(&options.only, &planned.fleet)?;
    let work = Work::new(migration, &planned, options.sandbox, tell)?;
    let ledger = with_request(migration, options, &planned, &work, tell, |request| rollout::run(&mut store, request));
    work.finish()?;
    let ledger = ledger?;
    not_interrupted()?;
    let unresolved = |one: &&Consumer| matches!(one.source, Source::Unresolved(_));
    let unresolved = planned.fleet.consumers.iter().filter(unresolved).count();
    Ok(Ran { ledger, problems: planned.fleet.problems.len() + unresolved })
}

/// Hands `work` on as what a rollout asks for.
fn with_request<T>(
    migration: &Migration,
    options: &Options,
    planned: &Planned,
    work: &Work<'_>,
    tell: &Tell<'_>,
    with: impl FnOnce(&rollout::Request<'_>) -> T,
) -> T {
    with(&rollout::Request {
        migration,
        fleet: &planned.fleet,
        plan: &planned.plan,
        read_pinned: &|index, path| work.read(index, path),
        verify: &|wanted, may_begin, take| work.verify(wanted, may_begin, take),
        describe: &|staged| report::folder(staged),
        opted_out: &|index| work.opted_out(index),
        code_owners: &|index, paths| work.code_owners(index, paths),
        tell: &|event| tell(Progress::Rollout(event)),
        prove_back: &|trials| work.backs().try_all(trials),
        retry: options.retry,
        replan: options.replan,
        correct: options.correct,
        review: &planned.review,
        outdated: &planned.outdated,
        only: &options.only,
    })
}

/// Rebuilds a lost state as far as the world tells.
///
/// # Errors
/// See [`PipelineError`].
pub fn recover(
    migration: &Migration,
    clock: &Clock,
    tell: &Tell<'_>,
) -> Result<Vec<rollout::Recovered>, PipelineError> {
    load_rules(migration)?;
    let mut store = Store::rebuild(&migration.state, clock)?;
    let options = Options::default();
    let planned = plan_over(migration, &options, (Some(&store), Fetching::Missing, Base::Here), clock, tell)?;
    let work = Work::new(migration, &planned, None, tell)?;
    let found =
        with_request(migration, &options, &planned, &work, tell, |request| rollout::recover(&mut store, request));
    Ok(found?)
}
