//! `gander show`.

use super::screen::Screen;
use super::{Exit, load_migration, run};
use crate::rollout::{self, LedgerRow};
use crate::state::Store;
use crate::transform::{FindingKind, WorkspacePlan};
use crate::verify::{StepEnd, Verdict};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander show geo-lookup fixtures/fleets/users-v2/migration.toml")]
pub(super) struct Args {
    /// The consumer: `ads`, `component:default/ads`.
    consumer: String,
    /// The migration file.
    #[arg(default_value = "migration.toml")]
    migration: std::path::PathBuf,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = load_migration(&args.migration, screen)?;
    let entity = run::consumers(std::slice::from_ref(&args.consumer), screen)?;
    let entity = entity.into_iter().next().ok_or(Exit::Usage)?.to_string();
    let store = Store::read(&migration.state).map_err(|error| screen.failure(&error.into()))?;
    let ledger = rollout::ledger(&store).map_err(|error| screen.failure(&error.into()))?;
    let Some(row) = ledger.rows.iter().find(|row| row.entity == entity) else {
        screen.diagnostic(format!("error: no consumer is called {entity}; `gander status` lists them"));
        return Err(Exit::Usage);
    };
    let facts = rollout::facts(&store, row).map_err(|error| screen.failure(&error.into()))?;
    if args.json {
        let object = serde_json::json!({ "row": row, "plan": facts.plan, "verdict": facts.verdict });
        screen.result(format!("{object:#}\n"));
        return Ok(Exit::Done);
    }
    screen.result(head(row));
    if let Some(plan) = &facts.plan {
        screen.result(places(plan));
    }
    if let Some(verdict) = &facts.verdict {
        screen.result(evidence(verdict));
    }
    if let Some(folder) = &row.change_set {
        screen.result(format!("\nchange set: {}\n", migration.state.join(folder).display()));
    }
    Ok(Exit::Done)
}

fn head(row: &LedgerRow) -> String {
    let mut out = format!("{}\n  outcome:   {}: {}\n", row.entity, row.outcome, row.reason);
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out += &format!("  {:<10} {value}\n", format!("{name}:"));
        }
    };
    line("owner", row.owner.clone());
    line("code", row.workspace.clone());
    line("wave", row.wave.map(|w| w.to_string()));
    line(
        "branch",
        row.branch.as_ref().map(|(name, commit)| match commit {
            Some(commit) => format!("{name} at {commit}"),
            None => name.clone(),
        }),
    );
    out
}

fn places(plan: &WorkspacePlan) -> String {
    let mut out =
        format!("\n{} files change; {} were read, {} parsed\n", plan.files.len(), plan.files_read, plan.files_parsed);
    for (reason, count) in &plan.skipped {
        out += &format!("  {count} {}\n", reason.words());
    }
    if !plan.findings.is_empty() {
        out.push('\n');
    }
    for finding in &plan.findings {
        let word = match finding.kind {
            FindingKind::Mapped => "mapped",
            FindingKind::Annotated => "annotated",
            FindingKind::Refused => "refused",
            FindingKind::Skipped => "skipped",
            FindingKind::Errored => "errored",
        };
        let place = match finding.line {
            0 => finding.path.clone(),
            line => format!("{}:{line}:{}", finding.path, finding.column),
        };
        let message = if finding.message.is_empty() { String::new() } else { format!(": {}", finding.message) };
        out += &format!("  {word:<10} {place} [{}]{message}\n", finding.rule);
    }
    out
}

fn evidence(verdict: &Verdict) -> String {
    let mut out = format!("\nverdict: {}\n", verdict.reason);
    for (side, steps) in [("before", &verdict.baseline), ("after", &verdict.patched)] {
        for step in steps {
            out += &format!("  {side:<7} {}: {} ({} ms)\n", step.name, step.end, step.millis);
        }
    }
    let red = verdict.patched.iter().chain(&verdict.baseline).find(|s| s.end != StepEnd::Exited(0));
    if let Some(step) = red.filter(|s| !s.output.trim().is_empty()) {
        out += &format!("\nthe end of what {} printed:\n", step.name);
        let lines: Vec<&str> = step.output.trim_end().lines().collect();
        for line in &lines[lines.len().saturating_sub(30)..] {
            out += &format!("  | {line}\n");
        }
    }
    out
}
