//! `gander status`.

use super::screen::Screen;
use super::{Exit, MigrationFile, run};
use crate::clock::Clock;
use crate::pipeline;
use crate::rollout;
use crate::state::{StateError, Store};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander status fixtures/fleets/users-v2/migration.toml --json")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    /// The ledger as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load_of_state(screen)?;
    let store = Store::read(&migration.state);
    // Nothing was run yet, or its state is gone: what is out tells.
    let is_new = match &store {
        Ok(store) => store.binding().is_ok_and(|found| found.is_none()),
        Err(error) => matches!(error, StateError::Missing { .. }),
    };
    if is_new {
        pipeline::none_left(&migration, &Clock::System).map_err(|error| screen.failure(&error))?;
    }
    let ledger = store.map_err(Into::into).and_then(|store| rollout::ledger(&store));
    let ledger = ledger.map_err(|error| screen.failure(&error.into()))?;
    run::print(&ledger, args.json, screen)?;
    if let Some(day) = migration.rollout.revertible_until.filter(|_| !args.json) {
        screen.result(match super::rollback::days_left(day) {
            left if left < 0 => format!("{day} was the last day on which a rollback made sense.\n"),
            0 => "A rollback makes sense until the end of today.\n".to_owned(),
            1 => format!("1 day is left to roll back (until {day}).\n"),
            left => format!("{left} days are left to roll back (until {day}).\n"),
        });
    }
    Ok(run::exit(&ledger))
}
