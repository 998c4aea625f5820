//! `gander simulate`.

use rayon::prelude::*;

use super::screen::Screen;
use super::{Exit, MigrationFile};
use crate::report;
use crate::rollout::simulate::{self, Odds};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander simulate migration.toml\n  \
                        gander simulate migration.toml --consumers 400 --broken 2 --noticed 50 --silent 30")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    /// How many consumers.
    #[arg(long, value_name = "N", default_value_t = 12_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    consumers: u32,
    /// Per cent of them whose change is broken.
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, value_parser = percent)]
    broken: f64,
    /// Per cent of the broken whose own tests notice.
    #[arg(long, value_name = "PERCENT", default_value_t = 60.0, value_parser = percent)]
    noticed: f64,
    /// Per cent that nothing tests.
    #[arg(long, value_name = "PERCENT", default_value_t = 20.0, value_parser = percent)]
    silent: f64,
    /// Per cent of good changes over which a verdict says regressed, reruns and all.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.01, value_parser = percent)]
    flaky: f64,
    /// Per cent of broken consumers in the field that a gate which watches them notices.
    #[arg(long, value_name = "PERCENT", default_value_t = 20.0, value_parser = percent)]
    field: f64,
    /// Seconds that one verification takes.
    #[arg(long, value_name = "N", default_value_t = 120)]
    seconds: u32,
    /// Verifications at once.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    jobs: u32,
    /// Hours until a person approves.
    #[arg(long, value_name = "N", default_value_t = 4)]
    approval: u32,
    /// How many rollouts, each with dice of its own.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// The seed of the dice.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    let number: f64 =
        text.trim_end_matches('%').trim().parse().map_err(|_| "write a number from 0 to 100".to_owned())?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err("write a number from 0 to 100".to_owned()) }
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    let odds = Odds {
        consumers: args.consumers,
        broken: args.broken / 100.0,
        noticed: args.noticed / 100.0,
        silent: args.silent / 100.0,
        flaky: args.flaky / 100.0,
        field: args.field / 100.0,
        seconds: args.seconds,
        jobs: args.jobs,
        approval: args.approval,
    };
    let runs: Result<Vec<_>, _> = (0..u64::from(args.runs))
        .into_par_iter()
        .map(|n| simulate::simulate(&migration, &odds, args.seed.wrapping_add(n)))
        .collect();
    let summary = simulate::summary(&runs.map_err(|error| screen.failure(&error.into()))?);
    match args.json {
        true => {
            let text = serde_json::to_string_pretty(
                &serde_json::json!({ "schema_version": 1, "odds": odds, "summary": summary }),
            );
            screen.result(format!(
                "{}\n",
                text.map_err(|error| {
                    screen.diagnostic(format!("error: it can't be written as JSON: {error}"));
                    Exit::Failed
                })?
            ));
        }
        false => screen.result(report::simulation(&odds, &summary)),
    }
    Ok(Exit::Done)
}
