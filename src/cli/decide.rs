//! What the person on call decides: `pause`, `resume`, `approve`, `exclude`, `retry`.

use std::time::{Duration, Instant};

use super::screen::Screen;
use super::{Exit, MigrationOption, run};
use crate::clock::Clock;
use crate::config::Migration;
use crate::pipeline::Backs;
use crate::rollout::{self, About, Ask, Hooks, RolloutError};
use crate::state::{self, Answer, StateError, Store};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander pause --reason \"the pager rings\"")]
pub(super) struct Pause {
    #[command(flatten)]
    file: MigrationOption,
    /// Why, for the others and the history.
    #[arg(long, value_name = "TEXT", value_parser = words)]
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
#[command(override_usage = "gander approve [OPTIONS] <CONSUMER>\n       gander approve [OPTIONS] --wave <N>")]
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
    #[arg(long, value_name = "TEXT", value_parser = words)]
    reason: String,
}

#[derive(clap::Args, Debug)]
#[command(override_usage = "gander retry [OPTIONS] <CONSUMER>\n       gander retry [OPTIONS] --wave <N>")]
#[command(after_help = "Examples:\n  gander retry geo-lookup && gander run\n  gander retry --wave 2 && gander run")]
pub(super) struct Retry {
    /// The consumer that is verified and delivered again by the next run.
    #[arg(required_unless_present = "wave", conflicts_with = "wave")]
    consumer: Option<String>,
    /// The wave that is tried again; where it was taken back, those that were taken back
    /// after it, too.
    #[arg(long, value_name = "N")]
    wave: Option<u32>,
    #[command(flatten)]
    file: MigrationOption,
}

pub(super) fn pause(args: &Pause, screen: &Screen) -> Result<Exit, Exit> {
    decide(&args.file, screen, Ask::Pause { reason: args.reason.clone() })
}

pub(super) fn resume(args: &Resume, screen: &Screen) -> Result<Exit, Exit> {
    decide(&args.file, screen, Ask::Resume { reason: args.reason.clone() })
}

pub(super) fn approve(args: &Approve, screen: &Screen) -> Result<Exit, Exit> {
    let about = match (&args.consumer, args.wave) {
        (_, Some(wave)) => About::Wave(wave),
        (Some(name), None) => About::Consumer(entity(name, screen)?),
        (None, None) => return Err(Exit::Usage),
    };
    decide(&args.file, screen, Ask::Approve { about, reason: args.reason.clone() })
}

pub(super) fn exclude(args: &Exclude, screen: &Screen) -> Result<Exit, Exit> {
    let entity = entity(&args.consumer, screen)?;
    decide(&args.file, screen, Ask::Exclude { entity, reason: args.reason.clone() })
}

pub(super) fn retry(args: &Retry, screen: &Screen) -> Result<Exit, Exit> {
    let ask = match (&args.consumer, args.wave) {
        (_, Some(number)) => Ask::RetryWave { number },
        (Some(name), None) => Ask::Retry { entity: entity(name, screen)? },
        (None, None) => return Err(Exit::Usage),
    };
    decide(&args.file, screen, ask)
}

fn entity(name: &String, screen: &Screen) -> Result<String, Exit> {
    let names = run::consumers(std::slice::from_ref(name), screen)?;
    Ok(names.into_iter().next().ok_or(Exit::Usage)?.to_string())
}

fn decide(file: &MigrationOption, screen: &Screen, ask: Ask) -> Result<Exit, Exit> {
    let migration = super::load_of_state(file.path(), screen)?;
    let gates = &migration.rollout.gates;
    let done = put_through(&migration, &ask, screen, |store| rollout::perform(store, &ask, gates, &Hooks::none()))?;
    match done {
        Through::Done(answer) => {
            screen.note(answer);
            run::notify(&migration, &[], screen);
        }
        // The one at work tells them itself.
        Through::Answered(answer) => screen.note(answer),
        Through::Asked(controller) => screen.note(later(&ask, &controller)),
    }
    Ok(Exit::Done)
}

/// What became of what a person wants.
pub(super) enum Through<T> {
    /// It was done here.
    Done(T),
    /// The controller that is at work has done it, or says why not.
    Answered(String),
    /// The controller that is at work, which will do it.
    Asked(String),
}

/// How long a controller is waited for that is at work: most begin something every few
/// seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Does what a person wants, or has the controller do it that is at work.
pub(super) fn put_through<T>(
    migration: &Migration,
    ask: &Ask,
    screen: &Screen,
    work: impl FnOnce(&mut Store) -> Result<T, RolloutError>,
) -> Result<Through<T>, Exit> {
    let failed = |error: StateError| screen.failure(&error.into());
    // Reading first: a decision about what was never run makes no state.
    let reader = Store::read(&migration.state).map_err(failed)?;
    let (clock, person) = (Clock::System, person());
    let busy = match Store::open(&migration.state, &clock) {
        Ok(store) => {
            let mut store = store.by(&person);
            heed(&mut store, migration, screen)?;
            return work(&mut store).map(Through::Done).map_err(|error| screen.refusal(error));
        }
        Err(busy @ (StateError::Locked { .. } | StateError::Leased { .. })) => busy,
        Err(error) => return Err(failed(error)),
    };
    let seq = state::ask(&migration.state, &person, clock.now(), ask, &ask.entry()).map_err(failed)?;
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match reader.answered(seq).map_err(failed)? {
            Some(Answer::Done(answer)) => return Ok(Through::Answered(answer)),
            Some(Answer::Refused(why)) => return Err(screen.refusal(RolloutError::Undecidable(why))),
            Some(Answer::Failed(why)) => return Err(screen.refusal(RolloutError::Untold(why))),
            None => {}
        }
        // It may have ended without having looked again.
        match Store::open(&migration.state, &clock) {
            Ok(mut store) => heed(&mut store, migration, screen)?,
            Err(_) => clock.sleep(Duration::from_millis(100)),
        }
    }
    Ok(Through::Asked(busy.controller()))
}

/// Does what others have asked before, and nobody did.
fn heed(store: &mut Store, migration: &Migration, screen: &Screen) -> Result<(), Exit> {
    let backs = Backs::new(migration, None);
    let tested = |trials: &[rollout::Trial]| backs.try_all(trials);
    let says = (migration.title.as_str(), migration.deliver.author.as_deref());
    let hooks = Hooks { prove_back: &tested, says, ..Hooks::none() };
    rollout::heed(store, &migration.rollout.gates, &hooks).map_err(|error| screen.failure(&error.into()))
}

/// What a controller will do, for whoever asked it.
pub(super) fn later(ask: &Ask, controller: &str) -> String {
    format!("{controller} is at work, and was asked: {}; `gander history` says when", ask.prospect())
}

/// A reason that says something.
fn words(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("say why: others will read it".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// Who is logged in, as far as the environment tells.
pub(super) fn person() -> String {
    let named = ["GANDER_ACTOR", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let named = named.filter(|name| !name.trim().is_empty());
    named.map_or_else(|| "somebody".to_owned(), |name| name.chars().filter(|c| !c.is_control()).take(100).collect())
}
