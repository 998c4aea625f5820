//! `gander recover`.

use super::screen::Screen;
use super::{Exit, MigrationFile};
use crate::clock::Clock;
use crate::pipeline;
use crate::report;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander recover migration.toml && gander run migration.toml")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    let found = pipeline::recover(&migration, &Clock::System, &|p| screen.progress(&p));
    let found = found.map_err(|error| screen.failure(&error))?;
    screen.result(report::operation::recovered(&found));
    Ok(if found.iter().any(|one| one.state == crate::rollout::UNKNOWN) { Exit::Waiting } else { Exit::Done })
}
