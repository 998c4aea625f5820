//! What the person on call decides: `pause`, `resume`, `approve`, `exclude`, `retry`.

use super::screen::Screen;
use super::{Exit, MigrationOption, run};
use crate::clock::Clock;
use crate::config::Migration;
use crate::rollout::{self, About, RolloutError};
use crate::state::Store;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander pause --reason \"the pager rings\"")]
pub(super) struct Pause {
    #[command(flatten)]
    file: MigrationOption,
    /// Why, for the others and the history.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander resume --reason \"it was another service\"")]
pub(super) struct Resume {
    #[command(flatten)]
    file: MigrationOption,
    /// Why, for the history.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander approve --wave 2\n  gander approve geo-lookup --reason \"read the diff\"")]
pub(super) struct Approve {
    /// The consumer whose change set waits.
    #[arg(required_unless_present = "wave", conflicts_with = "wave")]
    consumer: Option<String>,
    /// The wave that waits.
    #[arg(long, value_name = "N")]
    wave: Option<u32>,
    #[command(flatten)]
    file: MigrationOption,
    /// Why, for the history.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander exclude billing --reason \"frozen for the audit\"")]
pub(super) struct Exclude {
    /// The consumer; those that share its code are left out with it.
    consumer: String,
    #[command(flatten)]
    file: MigrationOption,
    /// Why, for the others and the history.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander retry geo-lookup && gander run")]
pub(super) struct Retry {
    /// The consumer that is verified and delivered again by the next run.
    consumer: String,
    #[command(flatten)]
    file: MigrationOption,
}

pub(super) fn pause(args: &Pause, screen: &Screen) -> Result<Exit, Exit> {
    decide(&args.file, screen, |store| rollout::pause(store, &args.reason))?;
    screen.note("paused: `gander run` watches and takes back, and begins nothing new; `gander resume` ends it");
    Ok(Exit::Done)
}

pub(super) fn resume(args: &Resume, screen: &Screen) -> Result<Exit, Exit> {
    decide(&args.file, screen, |store| rollout::resume(store, &args.reason))?;
    screen.note("resumed: `gander run` goes on");
    Ok(Exit::Done)
}

pub(super) fn approve(args: &Approve, screen: &Screen) -> Result<Exit, Exit> {
    let about = match (&args.consumer, args.wave) {
        (_, Some(wave)) => About::Wave(wave),
        (Some(name), None) => About::Consumer(entity(name, screen)?),
        (None, None) => return Err(Exit::Usage),
    };
    decide(&args.file, screen, |store| rollout::approve(store, &about, &args.reason))?;
    screen.note("approved: `gander run` goes on");
    Ok(Exit::Done)
}

pub(super) fn exclude(args: &Exclude, screen: &Screen) -> Result<Exit, Exit> {
    let entity = entity(&args.consumer, screen)?;
    decide(&args.file, screen, |store| rollout::exclude(store, &entity, &args.reason))?;
    screen.note(format!("excluded: {entity} gets no change set; `gander retry {}` takes it in again", args.consumer));
    Ok(Exit::Done)
}

pub(super) fn retry(args: &Retry, screen: &Screen) -> Result<Exit, Exit> {
    let entity = entity(&args.consumer, screen)?;
    decide(&args.file, screen, |store| rollout::retry(store, &entity))?;
    screen.note(format!("{entity} is verified and delivered again by the next `gander run`"));
    Ok(Exit::Done)
}

fn entity(name: &String, screen: &Screen) -> Result<String, Exit> {
    let names = run::consumers(std::slice::from_ref(name), screen)?;
    Ok(names.into_iter().next().ok_or(Exit::Usage)?.to_string())
}

fn decide(
    file: &MigrationOption,
    screen: &Screen,
    decision: impl FnOnce(&mut Store) -> Result<(), RolloutError>,
) -> Result<(), Exit> {
    let migration = file.load(screen)?;
    let mut store = open(&migration, screen)?;
    decision(&mut store).map_err(|error| match error {
        RolloutError::NoSuch { .. } | RolloutError::Undecidable(_) => {
            screen.diagnostic(format!("error: {error}"));
            Exit::Usage
        }
        error => screen.failure(&error.into()),
    })
}

/// The state, to write decisions of whoever is logged in.
fn open(migration: &Migration, screen: &Screen) -> Result<Store, Exit> {
    // Reading first: a decision about what was never run makes no state.
    let exists = Store::read(&migration.state).map(drop);
    let store = exists.and_then(|()| Store::open(&migration.state, &Clock::System));
    Ok(store.map_err(|error| screen.failure(&error.into()))?.by(&person()))
}

/// Who is logged in, as far as the environment tells.
pub(super) fn person() -> String {
    let named = ["GANDER_ACTOR", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let named = named.filter(|name| !name.trim().is_empty());
    named.map_or_else(|| "somebody".to_owned(), |name| name.chars().filter(|c| !c.is_control()).take(100).collect())
}
