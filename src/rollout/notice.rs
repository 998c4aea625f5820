//! What somebody has to hear of: every pause, failure, rollback and approval asked for.
//! The journal is the outbox, so that a notice is not lost with the process that should
//! have given it; a listener may hear of one twice, never not at all.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::RolloutError;
use super::decisions::ROLLOUT;
use super::driver::{GOES_ON, STOPPED};
use super::end::RunEnd;
use super::judge::WAITS;
use super::ledger::{Ledger, is_not_corrected};
use super::outcome::Outcome;
use super::rollback::{NAMED, shown};
use crate::process::{Exit, Invocation, ProcessError};
use crate::state::{DeliveryState, Entry, Recorded, Store, Wait, WaitFor, WaveState};

/// How long a listener may take for one notice.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happened, for a listener: JSON on its standard input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// The version of this form.
    pub schema_version: u32,
    /// What it is about.
    pub kind: Kind,
    /// The migration's id.
    pub migration: String,
    /// `wave 2`, or a workspace.
    pub subject: String,
    /// Why, in one line.
    pub reason: String,
    /// When, in seconds since the Unix epoch.
    pub at: i64,
    /// The number of its line in the journal.
    pub seq: i64,
}

/// What notices are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A gate can't tell, a person paused the rollout, no run can be begun, or every wave passed and somebody has to look
    /// at what is left.
    Paused,
    /// A gate failed.
    Failed,
    /// A wave was taken back.
    RolledBack,
    /// A person has to say yes.
    ApprovalAsked,
    /// Something can't be taken back by itself.
    Conflict,
    /// A person let it go on, or runs can be begun again.
    Resumed,
}

/// What a line of the journal means for a listener.
fn kind(line: &Recorded) -> Option<Kind> {
    let entry = &line.entry;
    match entry.point.as_str() {
        "wave.doubt" | "pause" | STOPPED => Some(Kind::Paused),
        "resume" | GOES_ON => Some(Kind::Resumed),
        "wave.fail" | "wave.rollback" => Some(Kind::Failed),
        "wave.rolled-back" => Some(Kind::RolledBack),
        WAITS => {
            let waits: Vec<Wait> = serde_json::from_value(entry.evidence.clone()?).ok()?;
            let any = |what: WaitFor| waits.iter().any(|wait| wait.what == what);
            let paused = any(WaitFor::Person).then_some(Kind::Paused);
            paused.or(any(WaitFor::Approval).then_some(Kind::ApprovalAsked))
        }
        point if point.starts_with("keep.") => {
            let state = serde_json::from_value::<DeliveryState>(entry.evidence.clone()?).ok()?;
            matches!(state, DeliveryState::AwaitingApproval(_)).then_some(Kind::ApprovalAsked)
        }
        LEFT => (!entry.detail.is_empty()).then_some(Kind::Paused),
        // What the world does not tell of it; empty once it does.
        "doubt" => (!entry.detail.is_empty()).then_some(Kind::Conflict),
        // Whoever goes back alone, as a gate names it: of a wave one hears as a whole.
        point if point.starts_with("rollback.") && entry.detail.starts_with(NAMED) => {
            (entry.from.as_deref() != Some("reverting")).then_some(Kind::RolledBack)
        }
        _ => (entry.to.as_deref() == Some("revert-conflict")).then_some(Kind::Conflict),
    }
}

/// Tells a listener, which starts in `folder` where one is given, of everything that it was not
/// told of yet; one that was never told anything hears of all that happened so far. How many notices it got, and why it got no
/// more: then it is told again by the next run.
///
/// # Errors
/// Where the state can't be used.
pub fn tell(
    store: &mut Store,
    migration: &str,
    (listener, folder): (&[String], Option<&Path>),
) -> Result<(usize, Result<(), String>), RolloutError> {
    let Some((program, arguments)) = listener.split_first() else { return Ok((0, Ok(()))) };
    let name = listener.join("\u{1f}");
    let told = store.told(&name)?.unwrap_or(0);
    let news = store.journal_after(told)?;
    let (mut count, mut last) = (0, told);
    for line in &news {
        if let Some(kind) = kind(line) {
            let notice = Notice {
                schema_version: 1,
                kind,
                migration: migration.to_owned(),
                subject: line.entry.subject.clone(),
                reason: line.entry.detail.clone(),
                at: line.at,
                seq: line.seq,
            };
            match send(&notice, (program, arguments), folder)? {
                Ok(()) => count += 1,
                Err(why) => {
                    keep(store, &name, told, last)?;
                    return Ok((count, Err(why)));
                }
            }
        }
        last = line.seq;
    }
    keep(store, &name, told, last)?;
    Ok((count, Ok(())))
}

/// Tells a listener of what no state can keep, as it can't be used: each run does so again.
///
/// # Errors
/// Why the listener got nothing.
pub fn tell_at_once(
    migration: &str,
    (why, at): (&str, i64),
    (listener, folder): (&[String], Option<&Path>),
) -> Result<(), String> {
    let Some((program, arguments)) = listener.split_first() else { return Ok(()) };
    let notice = Notice {
        schema_version: 1,
        kind: Kind::Paused,
        migration: migration.to_owned(),
        subject: ROLLOUT.to_owned(),
        reason: why.to_owned(),
        at,
        seq: 0,
    };
    send(&notice, (program, arguments), folder).unwrap_or_else(|error| Err(error.to_string()))
}

/// Starts a listener with a notice; why it did not take it.
fn send(
    notice: &Notice,
    (program, arguments): (&String, &[String]),
    folder: Option<&Path>,
) -> Result<Result<(), String>, serde_json::Error> {
    let text = serde_json::to_vec(notice)?;
    let run = Invocation::new(program).args(arguments).stdin(text).limit(PATIENCE).output_limit(1 << 20);
    let run = match folder {
        Some(folder) => run.current_dir(folder),
        None => run,
    };
    Ok(match run.run() {
        Ok(output) if output.success() => Ok(()),
        ended => Err(failed(program, ended)),
    })
}

/// The point of the journal that says what a person has to look at though every wave has passed, or none is left;
/// empty once there is nothing any more.
const LEFT: &str = "run.left";

/// Notes what a run leaves to a person that no wave says, where that is news.
pub(super) fn note_left(store: &mut Store, ledger: &Ledger) -> Result<(), RolloutError> {
    let passed = ledger.waves.iter().all(|wave| matches!(wave.state, WaveState::Passed(_)));
    let why = match &ledger.end {
        RunEnd::Paused { by: None, reason, .. } if passed => reason.clone(),
        RunEnd::Complete => errored(ledger).unwrap_or_default(),
        _ => String::new(),
    };
    let last = store.last_of(ROLLOUT, (LEFT, LEFT))?.map(|line| line.entry.detail).unwrap_or_default();
    if why != last {
        store.note(&Entry::of(LEFT, ROLLOUT, why))?;
    }
    Ok(())
}

/// Who ended as errored, or is not corrected.
fn errored(ledger: &Ledger) -> Option<String> {
    let rows: Vec<_> =
        ledger.rows.iter().filter(|row| row.outcome == Outcome::Errored || is_not_corrected(row)).collect();
    let first = rows.first()?;
    let more = if rows.len() > 1 { format!(" ({} more)", rows.len() - 1) } else { String::new() };
    Some(format!("every wave passed, and somebody has to look at {}: {}{more}", shown(&first.entity), first.reason))
}

fn keep(store: &mut Store, name: &str, told: i64, last: i64) -> Result<(), RolloutError> {
    if last > told {
        store.set_told(name, last)?;
    }
    Ok(())
}

fn failed(program: &str, ended: Result<crate::process::Output, ProcessError>) -> String {
    match ended.map(|output| output.status) {
        Err(error) => error.to_string(),
        Ok(Exit::Code(code)) => format!("`{program}` exited with {code}"),
        Ok(Exit::Signal(signal)) => format!("`{program}` was ended by signal {signal}"),
    }
}
