//! `gander rollback`.

use super::decide::{self, Through};
use super::screen::Screen;
use super::{Exit, MigrationFile, run};
use crate::clock::Clock;
use crate::config::Migration;
use crate::pipeline::{Backs, Progress};
use crate::report;
use crate::rollout::{self, Ask, Hooks, NotBack, RunEnd, Scope};
use crate::state::Store;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander rollback migration.toml --wave 2\n  \
                        gander rollback migration.toml --consumer ads-attribution\n  gander rollback migration.toml --all")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    #[command(flatten)]
    what: What,
    /// Show what would be done, what would conflict, and which dependants have moved
    /// already; nothing is done.
    #[arg(long)]
    dry_run: bool,
    /// Also after the day that the migration names in `revertible_until`.
    #[arg(long)]
    late: bool,
    /// Make reverts of what is merged without building and testing them first.
    #[arg(long)]
    untested: bool,
    /// How the steps are isolated that test a revert; `none` is the explicit way round.
    #[arg(long, value_name = "MODE")]
    sandbox: Option<run::Mode>,
    /// The ledger as JSON; of a dry run, what would be done, and how it would end.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct What {
    /// Everything that was delivered.
    #[arg(long)]
    all: bool,
    /// One wave, by its number.
    #[arg(long, value_name = "N")]
    wave: Option<u32>,
    /// One consumer, with those that share its code.
    #[arg(long, value_name = "CONSUMER")]
    consumer: Option<String>,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load_of_state(screen)?;
    let scope = match (&args.what.consumer, args.what.wave) {
        (Some(name), _) => {
            let names = run::consumers(std::slice::from_ref(name), screen)?;
            let entity = names.into_iter().next().ok_or(Exit::Usage)?;
            Scope::Consumer(entity.to_string())
        }
        (None, Some(wave)) => Scope::Wave(wave),
        (None, None) => Scope::All,
    };
    if args.dry_run {
        let end = dry(args, &scope, &migration, screen)?;
        // As the rollback itself would end.
        return in_time(args, &migration, screen).map(|()| end);
    }
    in_time(args, &migration, screen)?;
    let tell = |event: rollout::Event<'_>| screen.progress(&Progress::Rollout(event));
    let ask = Ask::RollBack { scope: scope.clone(), untested: args.untested };
    let backs = Backs::new(&migration, args.sandbox.map(Into::into));
    let tested = |trials: &[rollout::Trial]| backs.try_all(trials);
    let says = (migration.title.as_str(), migration.deliver.author.as_deref());
    let mut hooks = Hooks { tell: &tell, says, ..Hooks::none() };
    if !args.untested {
        hooks.prove_back = &tested;
    }
    let done = decide::put_through(&migration, &ask, screen, |store| rollout::roll_back(store, &scope, &hooks))?;
    let ledger = match done {
        Through::Done(ledger) => {
            run::notify(&migration, &[], screen);
            ledger
        }
        Through::Answered(answer) => {
            screen.note(answer);
            let read = Store::read(&migration.state).map_err(Into::into).and_then(|store| rollout::ledger(&store));
            read.map_err(|error| screen.failure(&error.into()))?
        }
        Through::Asked(controller) => {
            screen.note(decide::later(&ask, &controller));
            return Ok(Exit::Waiting);
        }
    };
    run::print(&ledger, args.json, screen)?;
    // What is still out there is no success, whatever the rest came to.
    let store = Store::read(&migration.state).map_err(|error| screen.failure(&error.into()))?;
    Ok(match rollout::not_back(&store, &scope).map_err(|error| screen.failure(&error.into()))? {
        NotBack { stuck: true, .. } => Exit::Failed,
        NotBack { waits: true, .. } => Exit::Waiting,
        NotBack { .. } => Exit::Done,
    })
}

/// How many days there are left until a day, by the clock of this machine.
pub(super) fn days_left(day: jiff::civil::Date) -> i32 {
    let now = jiff::Timestamp::from_second(Clock::System.now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let today = now.to_zoned(jiff::tz::TimeZone::system()).date();
    (day - today).get_days()
}

/// Refuses where the last day is over on which a rollback makes sense, and nobody says that it is to be all the same.
fn in_time(args: &Args, migration: &Migration, screen: &Screen) -> Result<(), Exit> {
    let Some(day) = migration.rollout.revertible_until.filter(|day| days_left(*day) < 0 && !args.late) else {
        return Ok(());
    };
    screen.diagnostic(format!(
        "error: {day} was the last day on which a rollback makes sense, as the migration says; `--late` rolls back anyway"
    ));
    Err(Exit::Usage)
}

fn dry(args: &Args, scope: &Scope, migration: &Migration, screen: &Screen) -> Result<Exit, Exit> {
    let store = Store::read(&migration.state).map_err(|error| screen.failure(&error.into()))?;
    let prospects = rollout::dry_rollback(&store, scope).map_err(|error| screen.refusal(error))?;
    screen.result(match args.json {
        true => report::operation::prospects_json(&prospects).map_err(|error| {
            screen.diagnostic(format!("error: {error}"));
            Exit::Failed
        })?,
        false => report::operation::prospects(&prospects),
    });
    Ok(match prospects.end {
        RunEnd::Paused { .. } => Exit::Failed,
        RunEnd::Waiting { .. } => Exit::Waiting,
        _ => Exit::Done,
    })
}
