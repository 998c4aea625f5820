//! `gander run`.

use std::collections::BTreeSet;

use super::screen::Screen;
use super::{Exit, MigrationFile};
use crate::clock::Clock;
use crate::config::SandboxMode;
use crate::pipeline::{self, Options};
use crate::report;
use crate::rollout::RunEnd;
use crate::workspace::EntityRef;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander run fixtures/fleets/users-v2/migration.toml\n  \
                        gander run migration.toml --only ads-attribution --retry")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    /// Advance only this consumer; may be given several times.
    #[arg(long, value_name = "CONSUMER")]
    only: Vec<String>,
    /// Verify again what said nothing, and deliver again what failed.
    #[arg(long)]
    retry: bool,
    /// Take in a migration, rules or consumers that changed since the rollout began;
    /// what was delivered stays accounted for.
    #[arg(long)]
    replan: bool,
    /// How steps are isolated; `none` is the explicit way round.
    #[arg(long, value_name = "MODE")]
    sandbox: Option<Mode>,
    /// The ledger as JSON.
    #[arg(long)]
    json: bool,
    /// Threads that read and rewrite; the result is the same at any number.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Mode {
    /// Linux namespaces and overlay mounts.
    Namespaces,
    /// No isolation.
    None,
}

impl From<Mode> for SandboxMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Namespaces => Self::Namespaces,
            Mode::None => Self::None,
        }
    }
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    let options = Options {
        only: consumers(&args.only, screen)?,
        retry: args.retry,
        replan: args.replan,
        sandbox: args.sandbox.map(SandboxMode::from),
        threads: args.threads,
        shard: None,
        index: None,
    };
    let ran = pipeline::run(&migration, &options, &Clock::System, &|p| screen.progress(&p));
    let ran = ran.map_err(|error| screen.failure(&error))?;
    print(&ran.ledger, args.json, screen)?;
    if ran.problems > 0 {
        let what = if ran.problems == 1 { "1 problem" } else { &format!("{} problems", ran.problems) };
        screen.diagnostic(format!(
            "warning: discovery met {what}, so that a consumer may be unknown or without its code; `gander discover` lists them"
        ));
    }
    Ok(match exit(&ran.ledger.end) {
        // What was found is done, and more may be found.
        Exit::Done if ran.problems > 0 => Exit::Waiting,
        exit => exit,
    })
}

pub(super) fn print(ledger: &crate::rollout::Ledger, json: bool, screen: &Screen) -> Result<(), Exit> {
    if json {
        let text = report::ledger_json(ledger).map_err(|error| {
            screen.diagnostic(format!("error: the ledger can't be written as JSON: {error}"));
            Exit::Failed
        })?;
        screen.result(format!("{text}\n"));
    } else {
        screen.result(report::ledger_text(ledger, screen.layout()));
    }
    Ok(())
}

pub(super) fn exit(end: &RunEnd) -> Exit {
    match end {
        RunEnd::Complete => Exit::Done,
        RunEnd::RolledBack { .. } | RunEnd::Stopped { .. } => Exit::RolledBack,
        RunEnd::Paused { .. } => Exit::Waiting,
    }
}

/// Consumers as people write them: `ads`, `component:default/ads`.
pub(super) fn consumers(names: &[String], screen: &Screen) -> Result<BTreeSet<EntityRef>, Exit> {
    let parse = |name: &String| {
        EntityRef::parse(name, "component").ok_or_else(|| {
            screen.diagnostic(format!("error: {name:?} is no entity reference; write [kind:][namespace/]name"));
            Exit::Usage
        })
    };
    names.iter().map(parse).collect()
}
