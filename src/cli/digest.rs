//! `gander digest`.

use super::screen::Screen;
use super::{Exit, MigrationFile};
use crate::clock::Clock;
use crate::report;
use crate::rollout;
use crate::state::Store;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander digest migration.toml --since 24h")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    /// How far back: `24h`, `90m`, `7d`.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = seconds)]
    since: i64,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no time: write `24h`, `90m` or `7d`");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit)).filter(|span| *span >= 0).ok_or_else(wrong)
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load_of_state(screen)?;
    let store = Store::read(&migration.state).map_err(|error| screen.failure(&error.into()))?;
    let since = Clock::System.now().saturating_sub(args.since);
    let digest = rollout::digest(&store, since).map_err(|error| screen.failure(&error.into()))?;
    if args.json {
        let text = serde_json::to_string_pretty(&digest).map_err(|error| {
            screen.diagnostic(format!("error: it can't be written as JSON: {error}"));
            Exit::Failed
        })?;
        screen.result(format!("{text}\n"));
    } else {
        screen.result(report::operation::digest(&digest));
    }
    Ok(Exit::Done)
}
