//! `gander show`.

use super::screen::Screen;
use super::{Exit, load_migration, run};
use crate::report;
use crate::rollout;
use crate::state::Store;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander show geo-lookup -m fixtures/fleets/users-v2/migration.toml")]
pub(super) struct Args {
    /// The consumer: `ads`, `component:default/ads`.
    consumer: String,
    /// As it was written before `-m`.
    #[arg(hide = true, conflicts_with = "migration")]
    word: Option<std::path::PathBuf>,
    #[command(flatten)]
    file: super::MigrationOption,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = match &args.word {
        Some(word) => load_migration(word, screen)?,
        None => args.file.load(screen)?,
    };
    let entity = run::consumers(std::slice::from_ref(&args.consumer), screen)?;
    let entity = entity.into_iter().next().ok_or(Exit::Usage)?.to_string();
    let store = Store::read(&migration.state).map_err(|error| screen.failure(&error.into()))?;
    let view = rollout::look(&store, &entity).map_err(|error| screen.no_such(error, &entity))?;
    if args.json {
        let text = serde_json::to_string_pretty(&view).map_err(|error| {
            screen.diagnostic(format!("error: it can't be written as JSON: {error}"));
            Exit::Failed
        })?;
        screen.result(format!("{text}\n"));
    } else {
        screen.result(report::view_text(&view, screen.layout()));
    }
    Ok(Exit::Done)
}
