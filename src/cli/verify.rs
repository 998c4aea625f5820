//! `gander verify` and `gander shell`.

use std::collections::BTreeSet;
use std::io::BufRead as _;

use serde::Serialize;

use super::screen::Screen;
use super::{Exit, run};
use crate::clock::Clock;
use crate::config::SandboxMode;
use crate::pipeline::{self, Verified, VerifyOptions};
use crate::report;
use crate::sandbox::StepEnd;
use crate::verify::{Verdict, VerdictKind, accepted};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander verify -m fixtures/fleets/users-v2/migration.toml capacity-forecast\n  \
                        gander verify ads-attribution --keep && gander shell ads-attribution")]
pub(super) struct Args {
    /// The consumers: all that the migration changes where none is named.
    consumers: Vec<String>,
    #[command(flatten)]
    file: super::MigrationOption,
    /// Run the tests once more with a deliberately wrong edit.
    #[arg(long)]
    challenge: bool,
    /// Leave the changed trees for a look.
    #[arg(long)]
    keep: bool,
    /// Ask about every snapshot that differs.
    #[arg(long, conflicts_with = "json")]
    review: bool,
    /// Install what `[verify.sql]` needs, and verify nothing: the only step of it with a network.
    #[arg(long, conflicts_with_all = ["consumers", "challenge", "keep", "review", "again", "json"])]
    prepare: bool,
    /// Verify again what is known.
    #[arg(long)]
    again: bool,
    /// How steps are isolated; `none` is the explicit way round.
    #[arg(long, value_name = "MODE")]
    sandbox: Option<run::Mode>,
    /// The verdicts as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    if args.prepare {
        let place = pipeline::prepare(&migration).map_err(|error| screen.failure(&error))?;
        screen.result(format!("queries can be compared: the packages lie in {}\n", place.display()));
        return Ok(Exit::Done);
    }
    let options = VerifyOptions {
        only: run::consumers(&args.consumers, screen)?,
        sandbox: args.sandbox.map(SandboxMode::from),
        challenge: args.challenge,
        keep: args.keep,
        again: args.again,
    };
    let verified = pipeline::verify(&migration, &options, &Clock::System, &|p| screen.progress(&p));
    let verified = verified.map_err(|error| screen.failure(&error))?;
    if args.json {
        screen.result(json(&verified));
    } else {
        screen.result(report::verdicts_text(&verified.iter().map(row).collect::<Vec<_>>()));
        for one in verified.iter().filter(|one| one.kept.is_some()) {
            let name = name(one);
            let place = one.kept.as_deref().unwrap_or(std::path::Path::new("")).display();
            screen.result(format!(
                "{name} is kept in {place}; enter it with `gander shell {name} -m {}`\n",
                args.file.path().display()
            ));
        }
    }
    if args.review {
        review(&verified, screen)?;
    }
    if crate::interrupt::wanted() {
        screen.diagnostic(format!("error: {}", pipeline::PipelineError::Interrupted));
        return Ok(Exit::Interrupted);
    }
    let all: BTreeSet<VerdictKind> =
        verified.iter().filter_map(|one| one.verdict.as_ref()).map(|verdict| verdict.kind).collect();
    let fine = |kind: &VerdictKind| matches!(kind, VerdictKind::Pass | VerdictKind::Fixed | VerdictKind::NoChange);
    Ok(if all.iter().all(fine) { Exit::Done } else { Exit::Negative })
}

fn name(one: &Verified) -> String {
    let first = one.consumers.first().map_or(one.workspace.as_str(), |consumer| consumer.as_str());
    first.strip_prefix("component:default/").unwrap_or(first).to_owned()
}

fn row(one: &Verified) -> (String, Option<&Verdict>) {
    (name(one), one.verdict.as_ref())
}

fn json(verified: &[Verified]) -> String {
    #[derive(Serialize)]
    struct Row<'a> {
        consumers: Vec<&'a str>,
        workspace: &'a str,
        verdict: Option<&'a Verdict>,
    }
    let row = |one: &'_ Verified| -> String {
        let row = Row {
            consumers: one.consumers.iter().map(|consumer| consumer.as_str()).collect(),
            workspace: &one.workspace,
            verdict: one.verdict.as_ref(),
        };
        serde_json::to_string_pretty(&row).unwrap_or_default()
    };
    format!("[{}]\n", verified.iter().map(row).collect::<Vec<_>>().join(",\n"))
}

/// Shows each snapshot that differs and asks whether that is meant.
fn review(verified: &[Verified], screen: &Screen) -> Result<(), Exit> {
    let mut answers = std::io::stdin().lock().lines();
    let (mut accepted_count, mut open) = (0, 0);
    for one in verified {
        let snapshots = one.verdict.iter().flat_map(|verdict| &verdict.snapshots);
        for snapshot in snapshots.filter(|snapshot| snapshot.after.is_some() && !snapshot.meant) {
            let (before, after) = (snapshot.before.as_deref().unwrap_or(""), snapshot.after.as_deref().unwrap_or(""));
            // The name is that of a file which a step has made: it must not steer the terminal.
            let what = snapshot.name.escape_debug();
            screen.result(format!("\n{}: {what} of step `{}`\n", name(one), snapshot.step));
            screen.result(report::difference(before, after));
            screen.result("accept this? [y]es, [n]o, [q]uit: ");
            let answer = answers.next().and_then(Result::ok).unwrap_or_else(|| "q".to_owned());
            match answer.trim().chars().next() {
                Some('y' | 'Y') => {
                    accepted::save(&one.accepted, &snapshot.step, &snapshot.name, after).map_err(|error| {
                        screen.diagnostic(format!("error: {error}"));
                        Exit::Failed
                    })?;
                    accepted_count += 1;
                }
                Some('q' | 'Q') => {
                    screen.result(format!("\naccepted {accepted_count}; the rest is left as it is\n"));
                    return Ok(());
                }
                _ => open += 1,
            }
        }
    }
    screen.result(format!("\naccepted {accepted_count}, refused {open}"));
    screen.result(if accepted_count > 0 { "; `gander verify` takes it in\n" } else { "\n" });
    Ok(())
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander shell ads-attribution -- pytest -x")]
pub(super) struct Shell {
    /// The consumer, of which `gander verify --keep` has left the tree.
    consumer: String,
    #[command(flatten)]
    file: super::MigrationOption,
    /// What to run instead of a shell.
    #[arg(last = true)]
    command: Vec<String>,
}

pub(super) fn shell(args: &Shell, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    let consumer = run::consumers(std::slice::from_ref(&args.consumer), screen)?;
    let consumer = consumer.into_iter().next().ok_or(Exit::Usage)?;
    let shell = || vec!["sh".to_owned(), "-i".to_owned()];
    let command = if args.command.is_empty() { shell() } else { args.command.clone() };
    match pipeline::enter(&migration, &consumer, &command).map_err(|error| screen.failure(&error))? {
        StepEnd::Exited(0) => Ok(Exit::Done),
        _ => Ok(Exit::Negative),
    }
}
