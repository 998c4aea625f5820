//! What the person on call reads besides the ledger: why, what happened, what a rollback
//! would come to, what was recovered and collected.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::table::{code_line, counted, escaped, one_line, summary};
use crate::rollout::{Digest, Prospect, Prospects, Recovered, UNKNOWN, Why, held_after};
use crate::transform::FindingKind;

fn moment(at: i64) -> String {
    jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// What `gander why` prints.
pub fn why(why: &Why) -> String {
    let mut out = format!("{}\n", one_line(&why.entity));
    for reason in &why.reasons {
        let path = one_line(&reason.path);
        let place = if reason.line == 0 { path } else { format!("{path}:{}", reason.line) };
        let number = if reason.match_number == 0 { String::new() } else { format!(", match {}", reason.match_number) };
        let _ = writeln!(out, "\n{place}  {}{number}", one_line(&reason.rule));
        for line in &reason.before {
            let _ = writeln!(out, "  - {}", code_line(line));
        }
        for line in &reason.after {
            let _ = writeln!(out, "  + {}", code_line(line));
        }
        for row in &reason.mappings {
            let _ = writeln!(out, "  mapping   {} = {:?}", one_line(&row.place), row.to);
        }
        if let Some(noticed) = &reason.noticed {
            let _ = writeln!(out, "  evidence  {}", one_line(noticed));
        }
    }
    if !why.findings.is_empty() {
        out.push('\n');
    }
    for finding in &why.findings {
        let (path, message) = (one_line(&finding.path), one_line(&finding.message));
        let place = if finding.line == 0 { path } else { format!("{path}:{}:{}", finding.line, finding.column) };
        let kind = match finding.kind {
            FindingKind::Mapped => "mapped",
            FindingKind::Annotated => "annotated",
            FindingKind::Refused => "refused",
            FindingKind::Skipped => "left alone",
            FindingKind::Errored => "failed",
        };
        let message = if message.is_empty() { String::new() } else { format!(": {message}") };
        let _ = writeln!(out, "{place}  {kind}{message} [{}]", one_line(&finding.rule));
    }
    match &why.unresolved {
        Some(unresolved) => {
            let _ = writeln!(out, "its code was not found: {}", one_line(unresolved));
        }
        None if why.reasons.is_empty() && why.findings.is_empty() => {
            out.push_str("nothing was done there, and nothing is left there\n");
        }
        None => {}
    }
    if let Some(evidence) = &why.evidence {
        let _ = writeln!(out, "\nverified: {}", one_line(evidence));
    }
    out
}

/// What `gander digest` prints.
pub fn digest(digest: &Digest) -> String {
    let mut out = match digest.since {
        ..=0 => "since the beginning\n".to_owned(),
        since => format!("since {}\n", moment(since)),
    };
    if digest.counts.is_empty() && digest.events.is_empty() {
        out.push_str("nothing happened\n");
    }
    for (word, (count, named)) in &digest.counts {
        let more = if *count > named.len() { ", …" } else { "" };
        let _ = writeln!(out, "  {count:>6}  {word}: {}{more}", one_line(&named.join(", ")));
    }
    if !digest.events.is_empty() {
        out.push('\n');
    }
    for (at, subject, what, why) in &digest.events {
        let why = if why.is_empty() { String::new() } else { format!(": {}", one_line(why)) };
        let _ = writeln!(out, "{}  {}  {}{why}", moment(*at), one_line(subject), one_line(what));
    }
    let _ = write!(out, "\nnow: {}", summary(&digest.now));
    out
}

/// What `gander rollback --dry-run` prints.
pub fn prospects(prospects: &Prospects) -> String {
    let mut out = String::new();
    for one in &prospects.change_sets {
        let mark = if one.conflict { "CONFLICT  " } else { "" };
        let _ = writeln!(out, "{}  wave {}  {mark}{}", one_line(&one.workspace), one.wave, one_line(&one.what));
        if !one.dependants.is_empty() {
            let _ = writeln!(out, "    its dependants have moved already: {}", one_line(&one.dependants.join(", ")));
        }
    }
    let count = |is: fn(&Prospect) -> bool| prospects.change_sets.iter().filter(|one| is(one)).count();
    let (all, person, waits) =
        (prospects.change_sets.len(), count(|one| one.conflict), count(|one| one.waits.is_some()));
    let need = if person == 1 { "needs" } else { "need" };
    let _ = writeln!(
        out,
        "{}: {} would be back at once, {waits} would wait for owners or remotes, {person} {need} a person",
        counted(all, "change set"),
        all - person - waits
    );
    out
}

/// The version of what a dry rollback prints for machines.
const SCHEMA_VERSION: u32 = 1;

/// The same for machines.
///
/// # Errors
/// Where it can't be written as JSON.
pub fn prospects_json(prospects: &Prospects) -> Result<String, serde_json::Error> {
    #[derive(serde::Serialize)]
    struct Versioned<'a> {
        schema_version: u32,
        #[serde(flatten)]
        prospects: &'a Prospects,
    }
    Ok(escaped(&serde_json::to_string_pretty(&Versioned { schema_version: SCHEMA_VERSION, prospects })?) + "\n")
}

/// What `gander recover` prints.
pub fn recovered(found: &[Recovered]) -> String {
    let mut out = String::new();
    if found.is_empty() {
        out.push_str("Nothing tells that anything is out: `gander run` begins with the first wave.\n");
        return out;
    }
    for one in found {
        let _ = writeln!(out, "{}  {}: {}", one_line(&one.workspace), one.state, one_line(&one.because));
    }
    let unknown = found.iter().filter(|one| one.state == UNKNOWN).count();
    if unknown > 0 {
        let _ = writeln!(
            out,
            "{} can't be told: nothing is begun before `gander recover` has seen all. Mend what keeps it from that, or \
             leave a consumer that is gone for good out with [[consumers.exclude]]; then `gander recover` again.",
            counted(unknown, "change set")
        );
        return out;
    }
    let _ = writeln!(
        out,
        "{} recovered; of the others nothing tells that anything is out. Verdicts, gates and decisions are lost: \
         `gander run` verifies and judges again.",
        counted(found.len(), "change set")
    );
    if let Some(why) = held_after(found) {
        let _ = writeln!(out, "Paused: {}.", one_line(&why));
    }
    out
}

/// What `gander gc` prints: what went, below the state folder, with its bytes.
pub fn collected(gone: &[(PathBuf, u64)], kept: &[(PathBuf, String)], state: &Path, dry: bool) -> String {
    let mut out = String::new();
    let shown = |path: &Path| one_line(&path.strip_prefix(state).unwrap_or(path).display().to_string());
    for (path, bytes) in gone {
        let _ = writeln!(out, "{bytes:>12}  {}", shown(path));
    }
    for (path, why) in kept {
        let _ = writeln!(out, "{:>12}  {}: {}", "kept", shown(path), one_line(why));
    }
    let total: u64 = gone.iter().map(|(_, bytes)| bytes).sum();
    let what = if dry { "would go" } else { "are gone" };
    let _ = writeln!(out, "{} and {total} bytes {what}", counted(gone.len(), "folder"));
    out
}
