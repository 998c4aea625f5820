//! `gander run`.

use std::collections::BTreeSet;
use std::path::Path;

use super::screen::Screen;
use super::{Exit, MigrationFile};
use crate::clock::Clock;
use crate::config::{Migration, SandboxMode};
use crate::pipeline::{self, Options, PipelineError, Progress};
use crate::report;
use crate::rollout::{self, Judgement, Outcome, RolloutError, RunEnd};
use crate::state::{StateError, Store, WaitFor, WaveState};
use crate::workspace::EntityRef;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander run fixtures/fleets/users-v2/migration.toml\n  \
                        gander run migration.toml --only ads-attribution --retry\n  \
                        gander run migration.toml --wait --notify ./page-me.sh")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    /// Advance only this consumer; may be given several times.
    #[arg(long, value_name = "CONSUMER")]
    only: Vec<String>,
    /// Verify again what said nothing, and deliver again what failed.
    #[arg(long)]
    retry: bool,
    /// Take in a migration, rules or consumers that changed since the rollout began;
    /// what was delivered stays accounted for.
    #[arg(long)]
    replan: bool,
    /// Stay until the rollout is complete, paused or taken back: what waits for time, a
    /// window or an approval is looked at again once that may have come.
    #[arg(long)]
    wait: bool,
    /// A program that hears of every pause, failure, rollback and approval asked for, as
    /// JSON on its standard input; with its arguments after further `--notify`, in order.
    #[arg(long, value_name = "PROGRAM")]
    notify: Vec<String>,
    /// Show what the gates of the open wave would decide now; nothing is done.
    #[arg(long, conflicts_with_all = ["wait", "retry", "replan", "only"])]
    dry_run_gates: bool,
    /// How steps are isolated; `none` is the explicit way round.
    #[arg(long, value_name = "MODE")]
    sandbox: Option<Mode>,
    /// The ledger as JSON.
    #[arg(long)]
    json: bool,
    /// Threads that read and rewrite; the result is the same at any number.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Mode {
    /// Linux namespaces and overlay mounts.
    Namespaces,
    /// No isolation.
    None,
}

impl From<Mode> for SandboxMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Namespaces => Self::Namespaces,
            Mode::None => Self::None,
        }
    }
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    advance(args, false, screen)
}

/// `gander correct`: as `run --replan`, and what the changed plan wants of consumers that
/// have merged an earlier change set goes out over it.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander correct migration.toml")]
pub(super) struct Correct {
    #[command(flatten)]
    run: Args,
}

pub(super) fn correct(args: &Correct, screen: &Screen) -> Result<Exit, Exit> {
    advance(&args.run, true, screen)
}

fn advance(args: &Args, correct: bool, screen: &Screen) -> Result<Exit, Exit> {
    let (migration, missing) = match super::what_is_there(args.file.path(), screen) {
        Ok(found) => found,
        Err(exit) => {
            notify_of_file(args, screen);
            return Err(exit);
        }
    };
    if args.dry_run_gates {
        return dry_run(&migration, args.json, screen);
    }
    let mut options = Options {
        only: consumers(&args.only, screen)?,
        retry: args.retry,
        replan: args.replan || correct,
        correct,
        sandbox: args.sandbox.map(SandboxMode::from),
        threads: args.threads,
        shard: None,
        index: None,
    };
    let corrections = std::sync::atomic::AtomicUsize::new(0);
    let tell = |progress: Progress<'_>| {
        if let Progress::Rollout(rollout::Event::Corrects { .. }) = progress {
            corrections.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        screen.progress(&progress);
    };
    if let Some(missing) = missing {
        pipeline::watch(&migration, &options, &Clock::System, &tell, &missing.to_string());
        notify(&migration, &args.notify, screen);
        return Err(super::wrong(&missing, screen));
    }
    let ran = loop {
        let ran = pipeline::run(&migration, &options, &Clock::System, &tell);
        match ran.as_ref().err().filter(|error| is_unusable(error)) {
            Some(error) => notify_at_once(&migration, &args.notify, error, screen),
            None => notify(&migration, &args.notify, screen),
        }
        let ran = ran.map_err(|error| screen.failure(&error))?;
        match pause(&ran.ledger.end).filter(|_| args.wait) {
            Some(seconds) => wait(seconds, &ran.ledger.end, screen)?,
            None => break ran,
        }
        // These were about the state that was found.
        (options.retry, options.replan, options.correct) = (false, false, false);
    };
    print(&ran.ledger, args.json, screen)?;
    if ran.problems > 0 {
        let what = if ran.problems == 1 { "1 problem" } else { &format!("{} problems", ran.problems) };
        screen.diagnostic(format!(
            "warning: discovery met {what}, so that a consumer may be unknown or without its code; `gander discover` lists them"
        ));
    }
    let corrected = !correct || said_of_corrections(&ran.ledger, corrections.into_inner(), screen);
    Ok(match exit(&ran.ledger) {
        Exit::Done if !corrected => Exit::Negative,
        // A later run finds nobody either, unless somebody writes another source.
        Exit::Done if ran.problems > 0 && ran.ledger.rows.is_empty() => {
            screen.diagnostic("error: no consumer was found: correct [consumers] in the migration file".to_owned());
            Exit::Usage
        }
        // What was found is done, and more may be found.
        Exit::Done if ran.problems > 0 => Exit::Waiting,
        exit => exit,
    })
}

/// Says what came of `gander correct`; false where something is left as it is.
fn said_of_corrections(ledger: &rollout::Ledger, made: usize, screen: &Screen) -> bool {
    let left: Vec<_> = ledger.rows.iter().filter_map(|row| Some((&row.entity, row.outdated.as_ref()?))).collect();
    for (entity, why) in &left {
        screen.diagnostic(format!("not corrected: {entity}: {}", report::table::one_line(why)));
    }
    if made == 0 && left.is_empty() {
        screen.note(
            "nothing more is to be corrected: what was merged is what the rules make, or a correction of it is out",
        );
    }
    left.is_empty()
}

/// How often what waits for a person or another program is looked at again, in seconds.
const POLL: i64 = 60;

/// How long to wait before a further run, in seconds; `None` where no further run helps.
fn pause(end: &RunEnd) -> Option<i64> {
    let RunEnd::Waiting { waits, .. } = end else { return None };
    let now = Clock::System.now();
    let next = waits.iter().map(|wait| wait.until.map_or(POLL, |until| until - now)).min()?;
    // What gates watch is looked at in between, too.
    Some(next.clamp(1, POLL))
}

/// Waits, unless Ctrl-C comes.
fn wait(seconds: i64, end: &RunEnd, screen: &Screen) -> Result<(), Exit> {
    if let RunEnd::Waiting { wave, reason, .. } = end {
        screen.note(format!("wave {wave} waits: {reason}"));
    }
    crate::interrupt::listen();
    for _ in 0..seconds * 5 {
        if crate::interrupt::wanted() {
            return Err(screen.failure(&PipelineError::Interrupted));
        }
        Clock::System.sleep(std::time::Duration::from_millis(200));
    }
    Ok(())
}

/// Tells whoever is to hear of it; a listener that fails is told again by the next run.
pub(super) fn notify(migration: &Migration, listener: &[String], screen: &Screen) {
    for listener in listeners(migration, listener) {
        // Where nothing was recorded there is nothing to tell.
        if !std::fs::metadata(migration.state.join("state.db")).is_ok_and(|found| found.len() > 0) {
            return;
        }
        let told = Store::open(&migration.state, &Clock::System)
            .map_err(RolloutError::from)
            .and_then(|mut store| rollout::tell(&mut store, &migration.id, listener));
        let failed = match told {
            Ok((_, Ok(()))) => continue,
            Ok((_, Err(error))) => error,
            Err(error) => error.to_string(),
        };
        screen.diagnostic(not_told(&failed));
    }
}

fn not_told(why: &str) -> String {
    format!("warning: nobody was notified: {why}; the next run tries again")
}

/// Those that a command line and the migration name, each with the folder that it starts in.
fn listeners<'a>(
    migration: &'a Migration,
    listener: &'a [String],
) -> impl Iterator<Item = (&'a [String], Option<&'a Path>)> {
    let beside = migration.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    // What the file names lies beside it, wherever gander was started.
    let all = [(listener, None), (migration.rollout.notify.as_slice(), beside)];
    all.into_iter().filter(|(listener, _)| !listener.is_empty())
}

/// Tells whoever is to hear of it that a state can't be used, which is no outbox then: by every run.
fn notify_at_once(migration: &Migration, listener: &[String], error: &PipelineError, screen: &Screen) {
    let why = format!("no run can be begun, and nothing is watched: {}", report::table::one_line(&error.to_string()));
    for listener in listeners(migration, listener) {
        if let Err(failed) = rollout::tell_at_once(&migration.id, (&why, Clock::System.now()), listener) {
            screen.diagnostic(not_told(&failed));
        }
    }
}

/// Tells the one whom a command line names that the migration file can't be used, which names nobody then.
fn notify_of_file(args: &Args, screen: &Screen) {
    let file = args.file.path().display();
    let why = format!("no run can be begun, and nothing is watched: {file} can't be used; `gander run` says why");
    let told = rollout::tell_at_once(&file.to_string(), (&why, Clock::System.now()), (&args.notify, None));
    if let Err(failed) = told.map_err(|why| not_told(&why)) {
        screen.diagnostic(failed);
    }
}

/// The state is lost, damaged or another one's. One that is merely in use is not.
fn is_unusable(error: &PipelineError) -> bool {
    use StateError as S;
    match error {
        PipelineError::State(error) | PipelineError::Rollout(RolloutError::State(error)) => {
            !matches!(error, S::Missing { .. } | S::Locked { .. } | S::Leased { .. } | S::Fenced { .. })
        }
        error => matches!(error, PipelineError::Traces { .. }),
    }
}

fn dry_run(migration: &Migration, json: bool, screen: &Screen) -> Result<Exit, Exit> {
    let failed = |error: RolloutError| screen.failure(&error.into());
    let store = Store::read(&migration.state).map_err(|error| failed(error.into()))?;
    let Some((wave, findings, judgement)) = rollout::dry_run(&store, migration).map_err(failed)? else {
        let ledger = rollout::ledger(&store).map_err(failed)?;
        screen.note(match ledger.waves.iter().find(|wave| wave.state == WaveState::Planned) {
            Some(next) => format!("no wave is open: nothing of wave {} is out yet that gates could judge", next.number),
            None => "no wave is open".to_owned(),
        });
        if json {
            screen.result(format!("{}\n", report::gates_json(None)));
        }
        return Ok(exit(&ledger));
    };
    match json {
        true => screen.result(format!("{}\n", report::gates_json(Some((wave, &findings, &judgement))))),
        false => screen.result(report::gates_text(wave, &findings, &judgement)),
    }
    Ok(match judgement {
        Judgement::Passed(_) => Exit::Done,
        Judgement::Failed(_) => Exit::RolledBack,
        Judgement::Inconclusive(_) => Exit::Paused,
        Judgement::Waiting(waits) if waits.iter().any(|wait| wait.what == WaitFor::Resume) => Exit::Paused,
        Judgement::Waiting(_) => Exit::Waiting,
    })
}

pub(super) fn print(ledger: &crate::rollout::Ledger, json: bool, screen: &Screen) -> Result<(), Exit> {
    if json {
        let text = report::ledger_json(ledger).map_err(|error| {
            screen.diagnostic(format!("error: the ledger can't be written as JSON: {error}"));
            Exit::Failed
        })?;
        screen.result(format!("{text}\n"));
    } else {
        screen.result(report::ledger_text(ledger, screen.layout()));
    }
    Ok(())
}

/// What a rollout that stands so ends a command with.
pub(super) fn exit(ledger: &rollout::Ledger) -> Exit {
    match &ledger.end {
        // A rule or gander itself failed on somebody: nobody may take that for done.
        RunEnd::Complete if ledger.rows.iter().any(|row| row.outcome == Outcome::Errored) => Exit::Negative,
        // What a correction was to mend is out as it was.
        RunEnd::Complete if ledger.rows.iter().any(rollout::is_not_corrected) => Exit::Negative,
        RunEnd::Complete => Exit::Done,
        RunEnd::RolledBack { .. } | RunEnd::Stopped { .. } => Exit::RolledBack,
        RunEnd::Paused { .. } => Exit::Paused,
        RunEnd::Waiting { .. } => Exit::Waiting,
    }
}

/// Consumers as people write them: `ads`, `component:default/ads`.
pub(super) fn consumers(names: &[String], screen: &Screen) -> Result<BTreeSet<EntityRef>, Exit> {
    let parse = |name: &String| {
        EntityRef::parse(name, "component").ok_or_else(|| {
            screen.diagnostic(format!("error: {name:?} is no entity reference; write [kind:][namespace/]name"));
            Exit::Usage
        })
    };
    names.iter().map(parse).collect()
}
