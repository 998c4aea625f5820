//! What happened within a span of time, counted: for whoever comes on call.

use std::collections::{BTreeMap, BTreeSet};

use super::RolloutError;
use super::ledger::{Ledger, ledger};
use crate::state::{Phase, Store};

/// What happened since some moment.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Digest {
    /// From when, in seconds since the Unix epoch.
    pub since: i64,
    /// What happened to change sets: how often, and to whom first.
    pub counts: BTreeMap<&'static str, (usize, Vec<String>)>,
    /// What waves did and people decided, oldest first: when, whom, what, why.
    pub events: Vec<(i64, String, String, String)>,
    /// Where everything stands now.
    pub now: Ledger,
}

/// How many are named of each kind.
const NAMED: usize = 5;

/// What a line of the journal counts as.
fn word(point: &str, to: Option<&str>) -> Option<&'static str> {
    Some(match (point, to) {
        ("verify", _) => "verified",
        ("merged", _) => "merged by their owners",
        ("owner.edit", _) => "edited by their owners",
        ("owner.close", _) => "thrown away by their owners",
        ("owner.replace", _) => "replaced by something else",
        ("supersede", _) => "made anew, because their base moved",
        ("depart", _) => "gone from every source",
        (_, Some("delivered")) => "delivered",
        (_, Some("reverted")) => "taken back",
        (_, Some("revert-conflict")) => "stuck on their way back",
        (point, Some("quarantined")) if !point.starts_with("wave.") => "kept back",
        (point, _) if point.starts_with("away.") => "not reached, and tried again",
        _ => return None,
    })
}

/// What happened since `since`.
///
/// # Errors
/// Where the state can't be read.
pub fn digest(store: &Store, since: i64) -> Result<Digest, RolloutError> {
    let mut subjects: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let mut events = Vec::new();
    for line in store.journal_since(since)? {
        let entry = &line.entry;
        let done = entry.phase == Phase::Done;
        if let Some(word) = word(&entry.point, entry.to.as_deref()).filter(|_| done) {
            subjects.entry(word).or_default().insert(entry.subject.clone());
        }
        let decided = ["approve", "exclude", "pause", "resume", "retry", "recover"].contains(&entry.point.as_str());
        if decided || entry.point.starts_with("wave.") {
            let who = if line.actor.is_empty() { String::new() } else { format!(" by {}", line.actor) };
            events.push((line.at, entry.subject.clone(), format!("{}{who}", entry.point), entry.detail.clone()));
        }
    }
    let counted =
        |(word, all): (&'static str, BTreeSet<String>)| (word, (all.len(), all.into_iter().take(NAMED).collect()));
    Ok(Digest { since, counts: subjects.into_iter().map(counted).collect(), events, now: ledger(store)? })
}
