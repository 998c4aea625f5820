//! `gander discover`.

use super::screen::Screen;
use super::{Exit, MigrationFile};
use crate::clock::Clock;
use crate::pipeline;
use crate::report::discovery;
use crate::report::table::one_line;
use crate::workspace::EntityRef;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander discover fixtures/fleets/users-v2/migration.toml\n  \
                        gander discover migration.toml --why ads-attribution\n  \
                        gander discover migration.toml --format dot | dot -Tsvg > consumers.svg\n\n\
                        It ends with 1 where the list is not complete.")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    /// Bring clones to their newest commit.
    #[arg(long)]
    refresh: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as `--format json`, as other commands have it.
    #[arg(long, conflicts_with_all = ["format", "why"])]
    json: bool,
    /// Why this one is a consumer: the chain of relations, and who says so.
    #[arg(long, value_name = "CONSUMER", conflicts_with = "format")]
    why: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Consumers, who is downstream of them, and what sources and code disagree on.
    Table,
    /// What is migrated, with everybody downstream below it.
    Tree,
    /// For machines.
    Json,
    /// For Graphviz.
    Dot,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    let found = pipeline::discover(&migration, args.refresh, &Clock::System);
    let found = found.map_err(|error| screen.failure(&error))?;
    if let Some(name) = &args.why {
        let entity = EntityRef::parse(name, "component");
        let Some(text) = entity.and_then(|entity| discovery::why(&found, &entity)) else {
            screen.diagnostic(format!("error: no consumer is called {name:?}; `gander discover` lists them"));
            return Err(Exit::Usage);
        };
        screen.result(text);
        return Ok(Exit::Done);
    }
    let format = if args.json { Format::Json } else { args.format };
    screen.result(match format {
        Format::Table => discovery::table(&found),
        Format::Tree => discovery::tree(&found),
        Format::Dot => discovery::dot(&found),
        Format::Json => discovery::json(&found).map_err(|error| {
            screen.diagnostic(format!("error: the consumers can't be written as JSON: {error}"));
            Exit::Failed
        })?,
    });
    if format != Format::Table {
        for problem in &found.discovery.fleet.problems {
            screen.diagnostic(format!("warning: {}", one_line(problem)));
        }
    }
    Ok(if found.discovery.is_complete() { Exit::Done } else { Exit::Negative })
}
