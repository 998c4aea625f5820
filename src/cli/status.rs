//! `gander status`.

use super::screen::Screen;
use super::{Exit, MigrationFile, run};
use crate::rollout;
use crate::state::Store;

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
    let migration = args.file.load(screen)?;
    let ledger = Store::read(&migration.state).map_err(Into::into).and_then(|store| rollout::ledger(&store));
    let ledger = ledger.map_err(|error| screen.failure(&error.into()))?;
    run::print(&ledger, args.json, screen)?;
    Ok(run::exit(&ledger.end))
}
