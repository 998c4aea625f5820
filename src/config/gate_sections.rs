//! `[[rollout.gate]]`.
//!
//! Must not: ask anybody.

use std::time::Duration;

use super::gate::{Comparison, Endpoint, Gate, Limits};
use super::load::Place;
use super::raw::{Section, Value};
use super::sections::duration;

/// Every key that some kind of gate reads.
const KEYS: [&str; 20] = [
    "kind",
    "max",
    "min",
    "rate",
    "same_error",
    "max_p",
    "run",
    "fails",
    "timeout",
    "url",
    "token",
    "value",
    "query",
    "baseline",
    "canary",
    "worse",
    "min_effect",
    "min_samples",
    "for",
    "runs",
];

/// How long an answer may take that says nothing of it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two samples.
const STEP: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
enum Kind {
    Regressions,
    Evidence,
    Discordant,
    Command,
    Http,
    Prometheus,
    Approval,
    Bake,
}

impl Kind {
    /// The keys that it reads.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Regressions => &["max", "rate", "same_error"],
            Self::Evidence => &["min"],
            Self::Discordant => &["max_p"],
            Self::Command => &["run", "fails", "timeout"],
            Self::Http => &["url", "token", "timeout", "value", "max", "min"],
            Self::Prometheus => &[
                "url",
                "token",
                "timeout",
                "query",
                "max",
                "min",
                "baseline",
                "canary",
                "worse",
                "max_p",
                "min_effect",
                "min_samples",
            ],
            Self::Approval => &[],
            Self::Bake => &["for", "runs", "url", "token", "timeout", "query"],
        }
    }
}

const KINDS: [(&str, Kind); 8] = [
    ("regressions", Kind::Regressions),
    ("evidence", Kind::Evidence),
    ("discordant", Kind::Discordant),
    ("command", Kind::Command),
    ("http", Kind::Http),
    ("prometheus", Kind::Prometheus),
    ("approval", Kind::Approval),
    ("bake", Kind::Bake),
];

/// Reads all of them.
pub(super) fn gates(value: &Value<'_>, place: &Place<'_>) -> Vec<Gate> {
    let mut gates = Vec::new();
    for gate in value.sections(&KEYS, "[{ kind = \"regressions\", max = 0 }]") {
        let Some(kind) = gate.need("kind", "\"regressions\"").and_then(|kind| kind.one_of(&KINDS)) else { continue };
        let name = KINDS.iter().find(|(_, other)| other.keys() == kind.keys()).map_or("", |(name, _)| name);
        for (key, value) in gate.entries() {
            if key != "kind" && KEYS.contains(&key.as_str()) && !kind.keys().contains(&key.as_str()) {
                let known = match kind.keys() {
                    [] => "it has no other key".to_owned(),
                    keys => format!("use {}", keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
                };
                value.wrong(format!("a gate of kind \"{name}\" has no `{key}`"), known);
            }
        }
        read(&gate, kind, place, &mut gates);
    }
    gates
}

fn read(gate: &Section<'_>, kind: Kind, place: &Place<'_>, gates: &mut Vec<Gate>) {
    match kind {
        Kind::Regressions => regressions(gate, gates),
        Kind::Evidence => {
            gates.extend(gate.need("min", "0").and_then(|min| min.whole(0, "0")).map(|min| Gate::Evidence { min }));
        }
        Kind::Discordant => gates.push(Gate::Discordant { max_p: level(gate) }),
        Kind::Command => gates.extend(command(gate, place)),
        Kind::Http => gates.extend(http(gate)),
        Kind::Prometheus => gates.extend(prometheus(gate)),
        Kind::Approval => gates.push(Gate::Approval),
        Kind::Bake => bake(gate, gates),
    }
}

fn regressions(gate: &Section<'_>, gates: &mut Vec<Gate>) {
    let before = gates.len();
    let (max, rate, same) = (gate.get("max"), gate.get("rate"), gate.get("same_error"));
    if max.is_none() && rate.is_none() && same.is_none() {
        gate.wrong("a gate of kind \"regressions\" needs `max`, `rate` or `same_error`", "write for example `max = 0`");
        return;
    }
    gates.extend(max.and_then(|max| max.whole(0, "0")).map(|max| Gate::Regressions { max }));
    if let Some(rate) = rate
        && let Some(text) = rate.string("\"2%\"")
    {
        let percent = text.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        match percent.filter(|percent| (0.0..=100.0).contains(percent)) {
            Some(percent) => gates.push(Gate::RegressionRate { percent }),
            None => rate.wrong(format!("{text:?} is no percentage"), "write for example \"2%\""),
        }
    }
    gates.extend(same.and_then(|times| times.whole(2, "2")).map(|times| Gate::SameError { times }));
    debug_assert!(gates.len() <= before + 3, "one gate a limit");
}

fn command(gate: &Section<'_>, place: &Place<'_>) -> Option<Gate> {
    let example = "[\"./look.sh\", \"--strict\"]";
    let run = gate.need("run", example)?;
    let words: Vec<String> = run.strings(example)?.into_iter().map(|(_, word)| word.to_owned()).collect();
    if words.first().is_none_or(|program| program.is_empty()) {
        run.wrong("this names no program", format!("write the program and its arguments: `run = {example}`"));
        return None;
    }
    let fails = gate.get("fails").and_then(|value| value.array("a list of exit codes", "[1]"));
    let fails = fails.map(|codes| codes.iter().filter_map(|code| code.whole(1, "1")).collect());
    Some(Gate::Command {
        run: words,
        fails: fails.unwrap_or_else(|| vec![1]),
        timeout: timeout(gate),
        folder: place.base().to_owned(),
    })
}

fn timeout(gate: &Section<'_>) -> Duration {
    gate.get("timeout").and_then(|value| duration(&value)).unwrap_or(PATIENCE)
}

fn endpoint(gate: &Section<'_>) -> Option<Endpoint> {
    let value = gate.need("url", "\"https://metrics.example.org\"")?;
    let url = value.string("\"https://metrics.example.org\"")?;
    if !(url.starts_with("http://") || url.starts_with("https://")) || url.chars().any(char::is_control) {
        value.wrong(format!("{url:?} is no address of HTTP"), "it starts with `https://` or `http://`");
        return None;
    }
    let token = gate.get("token").and_then(|value| value.string("\"METRICS_TOKEN\"")).map(str::to_owned);
    Some(Endpoint { url: url.trim_end_matches('/').to_owned(), token, timeout: timeout(gate) })
}

fn limits(gate: &Section<'_>) -> Limits {
    let number = |key: &str| gate.get(key).and_then(|value| value.number("0.01"));
    Limits { max: number("max"), min: number("min") }
}

fn needs_limits(gate: &Section<'_>, limits: Limits) -> Option<Limits> {
    if limits == Limits::default() {
        gate.wrong("this gate needs `max`, `min` or both", "write for example `max = 0.01`");
        return None;
    }
    Some(limits)
}

fn http(gate: &Section<'_>) -> Option<Gate> {
    let source = endpoint(gate)?;
    let pointer = gate.get("value");
    let value = pointer.as_ref().and_then(|value| value.string("\"/errors/rate\"")).map(str::to_owned);
    if let (Some(pointer), Some(text)) = (&pointer, &value)
        && !text.starts_with('/')
    {
        pointer.wrong(format!("{text:?} is no JSON pointer"), "it starts with `/`: \"/errors/rate\"");
        return None;
    }
    let limits = limits(gate);
    let limits = if value.is_some() { needs_limits(gate, limits)? } else { limits };
    Some(Gate::Http { source, value, limits })
}

fn text(gate: &Section<'_>, key: &str, example: &str) -> Option<String> {
    gate.need(key, example)?.string(example).map(str::to_owned)
}

fn prometheus(gate: &Section<'_>) -> Option<Gate> {
    let source = endpoint(gate)?;
    if gate.get("baseline").is_none() && gate.get("canary").is_none() {
        let query = text(gate, "query", "\"sum(rate(job_errors_total[5m]))\"")?;
        return Some(Gate::Query { source, query, limits: needs_limits(gate, limits(gate))? });
    }
    let worse = gate.get("worse").and_then(|value| value.one_of(&[("higher", true), ("lower", false)]));
    let effect = gate.get("min_effect").and_then(|value| within(&value, 0.5, 1.0, "0.65"));
    let samples = gate.get("min_samples").and_then(|value| value.whole(8, "20"));
    Some(Gate::Compare {
        source,
        baseline: text(gate, "baseline", "\"job_seconds{version='1'}\"")?,
        canary: text(gate, "canary", "\"job_seconds{version='2'}\"")?,
        test: Comparison {
            higher_is_worse: worse.unwrap_or(true),
            max_p: level(gate),
            min_effect: effect.unwrap_or(0.65),
            min_samples: samples.unwrap_or(20),
            step: STEP,
        },
    })
}

/// How unlikely chance must be, by default one in a hundred.
fn level(gate: &Section<'_>) -> f64 {
    gate.get("max_p").and_then(|value| within(&value, f64::MIN_POSITIVE, 0.5, "0.01")).unwrap_or(0.01)
}

fn within(value: &Value<'_>, least: f64, most: f64, example: &str) -> Option<f64> {
    let number = value.number(example)?;
    if !(least..=most).contains(&number) {
        value.wrong(format!("{number} is not between {least} and {most}"), format!("write for example {example}"));
        return None;
    }
    Some(number)
}

fn bake(gate: &Section<'_>, gates: &mut Vec<Gate>) {
    let (time, runs) = (gate.get("for"), gate.get("runs"));
    if time.is_none() && runs.is_none() {
        gate.wrong("a gate of kind \"bake\" needs `for` or `runs`", "write for example `for = \"24h\"`");
    }
    gates.extend(time.and_then(|time| duration(&time)).map(|time| Gate::Bake { time }));
    if let Some(runs) = runs.and_then(|runs| runs.whole(1, "20"))
        && let Some(source) = endpoint(gate)
        && let Some(query) = text(gate, "query", "\"sum(increase(job_runs_total[$SINCE]))\"")
    {
        gates.push(Gate::Runs { runs, source, query });
    }
}
