//! `gander history` and `gander export`.

use std::io::Write as _;

use super::screen::Screen;
use super::{Exit, MigrationFile, run};
use crate::report;
use crate::rollout;
use crate::state::Store;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander history migration.toml\n  \
                        gander history migration.toml --consumer ads-attribution")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    /// Only what happened to this consumer and to its wave.
    #[arg(long, value_name = "CONSUMER")]
    consumer: Option<String>,
    /// The events as JSON; `gander export` writes the rest of the state, too.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander export migration.toml > rollout.ndjson")]
pub(super) struct Export {
    #[command(flatten)]
    file: MigrationFile,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load_of_state(screen)?;
    let store = Store::read(&migration.state).map_err(|error| screen.failure(&error.into()))?;
    let history = match &args.consumer {
        None => store.journal().map_err(|error| screen.failure(&error.into()))?,
        Some(name) => {
            let names = run::consumers(std::slice::from_ref(name), screen)?;
            let entity = names.into_iter().next().ok_or(Exit::Usage)?.to_string();
            rollout::history(&store, &entity).map_err(|error| screen.no_such(error, &entity))?
        }
    };
    let text = match args.json {
        false => report::history::text(&history),
        true => report::history::json(&history).map_err(|error| {
            screen.diagnostic(format!("error: the history can't be written as JSON: {error}"));
            Exit::Failed
        })?,
    };
    screen.result(text);
    Ok(Exit::Done)
}

pub(super) fn export(args: &Export, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load_of_state(screen)?;
    let store = Store::read(&migration.state).map_err(|error| screen.failure(&error.into()))?;
    let ledger = rollout::ledger(&store).map_err(|error| screen.failure(&error.into()))?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = report::history::export(&store, &ledger, &mut out).map_err(|error| screen.failure(&error.into()))?;
    // A reader that went away (`| head`) is no failure.
    let _ = written.and_then(|()| out.flush());
    Ok(Exit::Done)
}
