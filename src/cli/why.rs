//! `gander why`.

use super::screen::Screen;
use super::{Exit, run};
use crate::report;
use crate::rollout::{self, RolloutError};
use crate::script;
use crate::state::Store;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander why ads-attribution\n  gander why ads-attribution queries/daily.sql:12")]
pub(super) struct Args {
    /// The consumer: `ads`, `component:default/ads`.
    consumer: String,
    /// A file of it, or a line of one: `FILE`, `FILE:LINE`.
    #[arg(value_name = "FILE[:LINE]")]
    place: Option<String>,
    #[command(flatten)]
    file: super::MigrationOption,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    let entity = run::consumers(std::slice::from_ref(&args.consumer), screen)?;
    let entity = entity.into_iter().next().ok_or(Exit::Usage)?.to_string();
    let place = args.place.as_deref().map(|place| match place.rsplit_once(':') {
        Some((file, line)) if line.parse::<u32>().is_ok() => (file, line.parse().ok()),
        _ => (place, None),
    });
    let tables = script::read_mappings(&migration.mappings).map_err(|error| screen.failure(&error.into()))?;
    let store = Store::read(&migration.state).map_err(|error| screen.failure(&error.into()))?;
    let why = rollout::why(&store, &entity, place, &rollout::rows(&tables));
    let why = why.map_err(|error| match error {
        RolloutError::Undecidable(_) => screen.refusal(error),
        error => screen.no_such(error, &entity),
    })?;
    if args.json {
        let text = serde_json::to_string_pretty(&why).map_err(|error| {
            screen.diagnostic(format!("error: it can't be written as JSON: {error}"));
            Exit::Failed
        })?;
        screen.result(format!("{text}\n"));
    } else {
        screen.result(report::operation::why(&why));
    }
    Ok(if why.reasons.is_empty() && why.findings.is_empty() { Exit::Negative } else { Exit::Done })
}
