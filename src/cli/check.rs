//! `gander check`.

use std::path::PathBuf;

use super::screen::Screen;
use super::{Exit, load_migration};
use crate::pipeline;
use crate::report::table::counted;
use crate::report::uses::{place_of, sarif, told};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander check migration.toml --since origin/main\n  \
                        gander check ../migrations/users-v2/migration.toml . --sarif > gander.sarif")]
pub(super) struct Args {
    /// The migration file.
    #[arg(value_name = "MIGRATION")]
    migration: PathBuf,
    /// A consumer's folder.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// What stood at this revision, word for word, is known.
    #[arg(long, value_name = "REVISION")]
    since: Option<String>,
    /// The places as SARIF 2.1.0.
    #[arg(long, conflicts_with = "json")]
    sarif: bool,
    /// One JSON object a place.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = load_migration(&args.migration, screen)?;
    let checked = pipeline::check(&migration, &args.folder, args.since.as_deref());
    let checked = checked.map_err(|error| screen.failure(&error))?;
    let guide = migration.guide.as_deref();
    if args.sarif {
        screen.result(format!("{:#}\n", sarif(&checked.new, guide)));
    } else if args.json {
        let line = |finding| serde_json::to_string(finding).map(|text| text + "\n");
        let lines: Result<String, _> = checked.new.iter().map(line).collect();
        let lines = lines.map_err(|error| {
            screen.diagnostic(format!("error: it can't be written as JSON: {error}"));
            Exit::Failed
        })?;
        screen.result(lines);
    } else {
        let line = |finding| format!("{}: {}\n", place_of(finding), told(finding));
        screen.result(checked.new.iter().map(line).collect::<String>());
    }
    let known = if checked.known > 0 { format!(", {} known", checked.known) } else { String::new() };
    screen.note(format!("{}{known}", counted(checked.new.len(), "new use")));
    if let Some(guide) = guide.filter(|_| !checked.new.is_empty()) {
        screen.note(format!("{}: {guide}", migration.title));
    }
    Ok(if checked.new.is_empty() { Exit::Done } else { Exit::Negative })
}
