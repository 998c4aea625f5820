//! `gander todo`.

use super::screen::Screen;
use super::{Exit, MigrationFile};
use crate::pipeline;
use crate::report::uses::todo_text;
use crate::rollout;
use crate::state::Store;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander todo fixtures/fleets/users-v2/migration.toml --owner crm-automation")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    /// Only consumers of this group or user.
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    let owner = super::uses::owner(args.owner.as_deref(), screen)?;
    let left = Store::read(&migration.state).map_err(Into::into).and_then(|store| rollout::left(&store));
    let mut left = left.map_err(|error| screen.failure(&error.into()))?;
    if let Some(owner) = owner {
        left.retain(|one| one.row.owner.as_deref().and_then(pipeline::owner).as_ref() == Some(&owner));
    }
    if args.json {
        let text = serde_json::to_string_pretty(&left).map_err(|error| {
            screen.diagnostic(format!("error: it can't be written as JSON: {error}"));
            Exit::Failed
        })?;
        screen.result(format!("{text}\n"));
    } else {
        screen.result(todo_text(&left, migration.guide.as_deref(), screen.layout()));
    }
    Ok(Exit::Done)
}
