//! The one file that composes the stages: discover → transform → format → verify →
//! rollout → report.
//!
//! Must not: print, or know the command line.

mod back;
mod base;
mod collect;
mod compare;
mod correct;
mod formatting;
mod planned;
mod planning;
mod rules;
mod shard;
mod traces;
mod uses;
mod verifying;
mod watching;

pub use back::Backs;
pub use base::Behind;
pub use collect::{Collected, collect};
pub use compare::{Altered, compare};
pub use planned::{Planned, PlannedRow};
pub use rules::load_rules;
pub use shard::{Merged, Part, PartError, Shard};
pub use traces::none_left;
pub use uses::{Checked, FleetUse, check, meant, owner, subjects};
pub use verifying::{Verified, VerifyOptions, enter, kept, prepare, verify};
pub use watching::watch;

use std::collections::BTreeSet;
use std::path::PathBuf;

use base::Base;
use planned::rows;
use planning::plan_over;
use verifying::Work;

use crate::clock::Clock;
use crate::config::{Migration, SandboxMode};
use crate::discover::{self, Change, DiscoverError, Discovered, Fetching};
use crate::files::FilesError;
use crate::report;
use crate::rollout::{self, Event, Ledger, RolloutError};
use crate::sandbox::SandboxError;
use crate::script::ScriptErrors;
use crate::state::{StateError, Store, WaveRecord, WaveState};
use crate::verify::{self, Verdict};
use crate::workspace::{Consumer, EntityRef, Fleet, Source};

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
    /// Branches of the migration are there, and no state that knows of them.
    #[error(
        "{workspace} has the branch {branch}{more} of this migration, and no state knows of it: `gander recover` rebuilds \
         the state from what is out; where another state folder has it, name that in [state] path; to begin anew, \
         delete the branches",
        more = more(*.repositories)
    )]
    Traces {
        /// The first workspace that has one.
        workspace: String,
        /// Its branch.
        branch: String,
        /// How many repositories have one.
        repositories: usize,
    },
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

fn more(repositories: usize) -> String {
    match repositories {
        0 | 1 => String::new(),
        count => format!(", as one of {count} repositories with branches"),
    }
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

/// Discovers, and compares with the code and with the last run. Clones into the state
/// folder what is not here, as far as the migration allows.
///
/// # Errors
/// Where rules, fleet or state can't be read.
pub fn discover(migration: &Migration, refresh: bool, clock: &Clock) -> Result<Discovered, PipelineError> {
    let (rules, _) = load_rules(migration)?;
    let names = rules::names(migration, &rules)?;
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

/// Advances a migration as far as it can.
///
/// # Errors
/// See [`PipelineError`]. What was done until then is recorded, and the next run
/// goes on from there. What is out already is watched all the same.
pub fn run(migration: &Migration, options: &Options, clock: &Clock, tell: &Tell<'_>) -> Result<Ran, PipelineError> {
    let ran = advance(migration, options, clock, tell);
    ran.inspect_err(|error| watching::watch_after(migration, options, clock, tell, error))
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
    if store.binding()?.is_none() {
        traces::none_in(migration, &planned.fleet, &planned.tips)?;
    }
    let work = Work::new(migration, &planned, options.sandbox, tell)?;
    let ledger = with_request(migration, options, &planned, &work, tell, |request| rollout::run(&mut store, request));
    work.finish()?;
    let ledger = ledger?;
    not_interrupted()?;
    let unresolved = |one: &&Consumer| matches!(one.source, Source::Unresolved(_));
    let unresolved = planned.fleet.consumers.iter().filter(unresolved).count();
    let problems = planned.fleet.problems.iter().filter(|problem| !discover::leaves_all_known(problem)).count();
    Ok(Ran { ledger, problems: problems + unresolved })
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
