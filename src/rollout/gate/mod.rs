//! Whether a wave may be followed by the next. Each gate says pass, fail, that it can't
//! tell, or that it waits; together they fail where one fails, and pass where all pass.
//! What is not known never passes.
//!
//! Must not: move a wave, or record anything (the driver does, before it acts).

mod counts;
mod outside;
mod own;
mod prometheus;
pub mod statistics;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use counts::{Counts, Seen, Sent};
pub use outside::{Around, ask};

use crate::config::Gate;
use crate::state::{Wait, WaitFor};

/// What a gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// Nothing speaks against the next wave.
    Pass,
    /// The wave got worse.
    Fail,
    /// No data, an empty answer, an error or a time-out.
    Inconclusive,
    /// It can't tell yet.
    Wait,
}

impl Said {
    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Wait => "wait",
        }
    }
}

/// What one gate saw, and what it says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The gate, for people.
    pub gate: String,
    /// What it says.
    pub says: Said,
    /// Why, in one line.
    pub why: String,
    /// What it waits for.
    pub wait: Option<Wait>,
    /// Whether it rests on gander's own evidence, which waiting does not change.
    pub own: bool,
    /// What it read from somebody else.
    pub reading: Option<Value>,
    /// The consumers that it fails by, where it names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<String>,
}

/// What the gates of a wave say together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "reason")]
pub enum Judgement {
    /// The next wave may open.
    Passed(String),
    /// The wave got worse.
    Failed(String),
    /// It can't be told; the rollout pauses.
    Inconclusive(String),
    /// It can't be told yet.
    Waiting(Vec<Wait>),
}

/// What gander's own gates find. A migration that wants to go on without any evidence
/// has to say so with an evidence gate of `min = 0`.
pub fn own(gates: &[Gate], seen: &Seen) -> Vec<Finding> {
    let asked = gates.iter().any(|gate| matches!(gate, Gate::Evidence { .. }));
    let least = (!asked).then_some(Gate::Evidence { min: 1 });
    let mut findings: Vec<Finding> = gates
        .iter()
        .chain(&least)
        .filter_map(|gate| {
            let (says, why) = own::say(gate, seen)?;
            Some(Finding { gate: gate.label(), says, why, wait: None, own: true, reading: None, consumers: Vec::new() })
        })
        .collect();
    if let Some(finding) = nothing_out(&seen.sent) {
        // That nobody is left to yield evidence says the same.
        findings.retain(|finding| seen.counts.consumers > 0 || finding.says != Said::Inconclusive);
        findings.push(finding);
    }
    if seen.undelivered > 0 {
        findings.push(Finding {
            gate: "delivery".to_owned(),
            says: Said::Inconclusive,
            why: format!("{} could not be delivered; see why and use --retry", seen.undelivered),
            wait: None,
            own: true,
            reading: None,
            consumers: Vec::new(),
        });
    }
    findings
}

/// What is not out of a wave, counted; nothing where all of it is.
fn not_out(sent: &Sent) -> String {
    let parts = [
        (sent.asked, "approval is asked for (`gander approve CONSUMER`)"),
        (sent.refused, "refused"),
        (sent.held, "held"),
        (sent.back, "taken back by hand"),
        (sent.named, "taken back because a gate names it"),
        (sent.withdrawn, "withdrawn by gander, as its row says"),
        (sent.closed, "closed by the owner"),
        (sent.opted_out, "opted out"),
        (sent.unwanted, "without anything to change any more"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    parts.map(|(count, what)| format!("{count} × {what}")).collect::<Vec<_>>().join(", ")
}

/// A wave of which nothing is out shows nothing, whatever was verified: it does not pass,
/// unless nothing of it was to go out.
fn nothing_out(sent: &Sent) -> Option<Finding> {
    // Who takes no part holds nobody up.
    let others = not_out(&Sent { opted_out: 0, unwanted: 0, ..*sent });
    if sent.out > 0 || (others.is_empty() && sent.going == 0) {
        return None;
    }
    let wait =
        |what: WaitFor, why: String| (Said::Wait, why.clone(), Some(Wait { what, until: None, why, maker: None }));
    let why = format!("nothing of it is out: {others}");
    let (says, why, wait) = match (sent.going, sent.asked) {
        (0, 0) => (Said::Inconclusive, format!("{why}; `gander retry` or `gander exclude` them"), None),
        (0, _) => wait(WaitFor::Approval, why),
        // What is merged is out until its owner has merged what takes it back.
        (count, _) => {
            let rest = if others.is_empty() { String::new() } else { format!("; of the rest {why}") };
            wait(WaitFor::Merge, format!("{count} × on the way back, by reverts that owners have to merge{rest}"))
        }
    };
    Some(Finding { gate: "delivery".to_owned(), says, why, wait, own: true, reading: None, consumers: Vec::new() })
}

/// What findings say together: failed where one fails; else, where gander's own evidence
/// is not enough, or nobody waits and somebody can't tell, inconclusive; else they wait
/// where one waits.
pub fn together(findings: &[Finding], seen: &Seen) -> Judgement {
    let of = |says: Said| findings.iter().filter(move |finding| finding.says == says);
    let why = |findings: &mut dyn Iterator<Item = &Finding>| {
        findings.map(|finding| finding.why.as_str()).collect::<Vec<_>>().join("; ")
    };
    if of(Said::Fail).next().is_some() {
        return Judgement::Failed(why(&mut of(Said::Fail)));
    }
    if of(Said::Inconclusive).any(|finding| finding.own) {
        return Judgement::Inconclusive(why(&mut of(Said::Inconclusive)));
    }
    let waits: Vec<Wait> = of(Said::Wait).filter_map(|finding| finding.wait.clone()).collect();
    if !waits.is_empty() {
        return Judgement::Waiting(waits);
    }
    if of(Said::Inconclusive).next().is_some() {
        return Judgement::Inconclusive(why(&mut of(Said::Inconclusive)));
    }
    Judgement::Passed(passed(findings, seen))
}

fn passed(findings: &[Finding], seen: &Seen) -> String {
    let counts = &seen.counts;
    let worth = match (counts.strong, counts.weak) {
        (0, 0) => String::new(),
        (strong, weak) => format!(" ({strong} strong, {weak} weak)"),
    };
    let mut text = format!(
        "{} passed{worth}, {} regressed, {} without evidence",
        counts.pass,
        counts.regressed,
        counts.consumers.saturating_sub(counts.evidence())
    );
    let others = not_out(&seen.sent);
    if !others.is_empty() {
        text.push_str(&format!("; not out: {others}"));
    }
    for finding in findings.iter().filter(|finding| !finding.own) {
        text.push_str(&format!("; {}", finding.why));
    }
    text
}
