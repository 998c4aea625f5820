//! `gander gc`.

use super::screen::Screen;
use super::{Exit, MigrationFile};
use crate::clock::Clock;
use crate::pipeline;
use crate::report;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander gc migration.toml --dry-run")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    /// Show what would go; nothing does.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    let found = pipeline::collect(&migration, args.dry_run, &Clock::System).map_err(|error| screen.failure(&error))?;
    screen.result(report::operation::collected(&found.gone, &found.kept, &migration.state, args.dry_run));
    Ok(Exit::Done)
}
