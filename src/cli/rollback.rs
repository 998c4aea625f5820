//! `gander rollback`.

use super::screen::Screen;
use super::{Exit, MigrationFile, run};
use crate::clock::Clock;
use crate::pipeline::Progress;
use crate::rollout::{self, Scope};
use crate::state::{DeliveryState, Store};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander rollback migration.toml --wave 2\n  \
                        gander rollback migration.toml --consumer ads-attribution\n  gander rollback migration.toml --all")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    #[command(flatten)]
    what: What,
    /// The ledger as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct What {
    /// Everything that was delivered.
    #[arg(long)]
    all: bool,
    /// One wave, by its number.
    #[arg(long, value_name = "N")]
    wave: Option<u32>,
    /// One consumer, with those that share its code.
    #[arg(long, value_name = "CONSUMER")]
    consumer: Option<String>,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    let scope = match (&args.what.consumer, args.what.wave) {
        (Some(name), _) => {
            let names = run::consumers(std::slice::from_ref(name), screen)?;
            let entity = names.into_iter().next().ok_or(Exit::Usage)?;
            Scope::Consumer(entity.to_string())
        }
        (None, Some(wave)) => Scope::Wave(wave),
        (None, None) => Scope::All,
    };
    // Reading first: a rollback of what was never run makes no state.
    let exists = Store::read(&migration.state).map(drop);
    let store = exists.and_then(|()| Store::open(&migration.state, &Clock::System));
    let mut store = store.map_err(|error| screen.failure(&error.into()))?;
    let stuck = std::cell::Cell::new(false);
    let tell = |event: rollout::Event<'_>| {
        if let rollout::Event::Shipped { state: DeliveryState::Conflict(_), .. } = event {
            stuck.set(true);
        }
        screen.progress(&Progress::Rollout(event));
    };
    let ledger = rollout::roll_back(&mut store, &scope, &tell).map_err(|error| screen.failure(&error.into()))?;
    run::print(&ledger, args.json, screen)?;
    // What is still out there is no success, whatever the rest came to.
    Ok(if stuck.get() { Exit::Failed } else { Exit::Done })
}
