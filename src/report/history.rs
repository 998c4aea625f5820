//! The history of a rollout, for people, and all of its state, line by line, for
//! machines.

use std::io::{self, Write};

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::table::{escaped, one_line};
use crate::rollout::{Ledger, RolloutError};
use crate::state::{Phase, Recorded, Store};
use crate::transform::WorkspacePlan;
use crate::verify::Verdict;

/// The version of the lines that [`export`] writes.
pub const SCHEMA_VERSION: u32 = 1;

/// One line an event, oldest first: when, what, about whom, from where to where, why,
/// and who did it where a person did.
pub fn text(history: &[Recorded]) -> String {
    let width = history.iter().map(|line| line.entry.point.len()).max().unwrap_or(0);
    history.iter().map(|line| row(line, width)).collect()
}

fn row(line: &Recorded, width: usize) -> String {
    let entry = &line.entry;
    let point = format!("{:<width$}", entry.point);
    let mut out = format!("{}  {point}  {}", when(line.at), one_line(&entry.subject));
    if let (Some(from), Some(to)) = (&entry.from, &entry.to) {
        out.push_str(&format!("  {from} → {to}"));
    }
    if entry.phase == Phase::Intent {
        out.push_str("  begun");
    }
    if !entry.detail.is_empty() {
        out.push_str(&format!("  {}", one_line(&entry.detail)));
    }
    if !line.actor.is_empty() {
        out.push_str(&format!("  by {}", one_line(&line.actor)));
    }
    out.push('\n');
    out
}

/// The same for machines: one JSON object, with an object for each event.
///
/// # Errors
/// Where it can't be written as JSON.
pub fn json(history: &[Recorded]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Versioned<'a> {
        schema_version: u32,
        events: &'a [Recorded],
    }
    Ok(escaped(&serde_json::to_string_pretty(&Versioned { schema_version: SCHEMA_VERSION, events: history })?) + "\n")
}

/// A moment for people and machines: UTC, to the second.
pub fn when(seconds: i64) -> String {
    let moment = Timestamp::from_second(seconds).unwrap_or_default();
    moment.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[derive(Serialize)]
struct Line<'a, T: Serialize> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(flatten)]
    value: T,
}

/// Writes all that the state holds as NDJSON: a line that names the format, then every
/// event, wave, consumer, verdict and delivery.
///
/// # Errors
/// Where the state can't be read; those of `out`.
pub fn export(store: &Store, ledger: &Ledger, out: &mut dyn Write) -> Result<io::Result<()>, RolloutError> {
    #[derive(Serialize)]
    struct Head {
        schema_version: u32,
        migration: Option<String>,
        digest: Option<String>,
        plan: Option<String>,
    }
    #[derive(Serialize)]
    struct Of<'a, T: Serialize> {
        workspace: &'a str,
        #[serde(flatten)]
        value: T,
    }
    let binding = store.binding()?;
    let (journal, verdicts, deliveries) = (store.journal()?, store.verdicts::<Verdict>()?, store.deliveries()?);
    let workspaces = store.workspaces::<WorkspacePlan>()?;
    let mut write = || {
        let head = Head {
            schema_version: SCHEMA_VERSION,
            migration: binding.as_ref().map(|b| b.migration.clone()),
            digest: binding.as_ref().map(|b| b.migration_digest.to_string()),
            plan: binding.as_ref().map(|b| b.plan_digest.to_string()),
        };
        line(out, "gander", head)?;
        journal.iter().try_for_each(|one| line(out, "event", one))?;
        ledger.waves.iter().try_for_each(|one| line(out, "wave", one))?;
        ledger.rows.iter().try_for_each(|one| line(out, "consumer", one))?;
        workspaces.iter().try_for_each(|(id, one)| line(out, "plan", Of { workspace: id, value: &one.plan }))?;
        verdicts.iter().try_for_each(|((id, _), one)| line(out, "verdict", Of { workspace: id, value: one }))?;
        deliveries.iter().try_for_each(|(id, one)| line(out, "delivery", Of { workspace: id, value: one }))
    };
    Ok(write())
}

fn line(out: &mut dyn Write, kind: &str, value: impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(&Line { kind, value }).map_err(io::Error::from)?;
    writeln!(out, "{}", escaped(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Entry;

    #[test]
    fn an_event_is_a_line() {
        let entry = Entry::of("wave.pass", "wave 1", "1 passed\u{1b}[31m").moving("judging", "passed");
        let line = Recorded { seq: 1, at: 86_399, run: Some(1), actor: String::new(), entry };
        let begun = Entry { phase: Phase::Intent, ..Entry::of("deliver.push", "apps/ads", "") };
        let second = Recorded { seq: 2, at: 86_400, run: None, actor: "ana".to_owned(), entry: begun };
        insta::assert_snapshot!(text(&[line, second]), @r"
        1970-01-01T23:59:59Z  wave.pass     wave 1  judging → passed  1 passed�[31m
        1970-01-02T00:00:00Z  deliver.push  apps/ads  begun  by ana
        ");
    }
}
