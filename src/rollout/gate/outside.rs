//! Gates that ask somebody else: a program, an endpoint, Prometheus, a person, the clock.
//! Whatever goes wrong on the way means that they can't tell.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Finding, Said, Seen, prometheus};
use crate::clock::Clock;
use crate::config::{Endpoint, Gate, Limits};
use crate::http::{Client, Secret};
use crate::process::{Exit, Invocation};
use crate::state::{Decision, Wait, WaitFor};
use crate::workspace::EntityRef;

/// The most bytes of a program's output that are read.
const MAX_OUTPUT: usize = 1 << 20;

/// The most consumers that an answer may name.
const MOST_NAMED: usize = 10_000;

/// What gates may know beside gander's own evidence.
#[derive(Debug)]
pub struct Around<'a> {
    /// The migration's id.
    pub migration: &'a str,
    /// The wave's number.
    pub wave: u32,
    /// Since when all of the wave is out.
    pub since: i64,
    /// Now, and how to wait.
    pub clock: &'a Clock,
    /// The approval of exactly this wave, where there is one.
    pub approval: Option<&'a Decision>,
    /// What gander knows of the wave.
    pub seen: &'a Seen,
    /// Its consumers whose change sets are out.
    pub out: Vec<&'a str>,
}

/// What a gate that asks outside of itself says.
pub(super) struct Answer {
    pub says: Said,
    pub why: String,
    pub wait: Option<Wait>,
    pub reading: Option<Value>,
    pub consumers: Vec<String>,
}

impl Answer {
    pub(super) fn of(says: Said, why: impl Into<String>, reading: Value) -> Self {
        Self { says, why: why.into(), wait: None, reading: Some(reading), consumers: Vec::new() }
    }

    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self { says: Said::Inconclusive, why: why.into(), wait: None, reading: None, consumers: Vec::new() }
    }

    pub(super) fn waits(what: WaitFor, until: Option<i64>, why: String) -> Self {
        let wait = Wait { what, until, why: why.clone(), maker: None };
        Self { says: Said::Wait, why, wait: Some(wait), reading: None, consumers: Vec::new() }
    }
}

/// Asks every gate that does not judge by gander's own evidence.
pub fn ask(gates: &[Gate], around: &Around<'_>) -> Vec<Finding> {
    let ask_one = |gate: &Gate| {
        let answer = answer(gate, around)?;
        Some(Finding {
            gate: gate.label(),
            says: answer.says,
            why: answer.why,
            wait: answer.wait,
            own: false,
            reading: answer.reading,
            consumers: answer.consumers,
        })
    };
    gates.iter().filter_map(ask_one).collect()
}

fn answer(gate: &Gate, around: &Around<'_>) -> Option<Answer> {
    Some(match gate {
        Gate::Command { run, fails, timeout, folder } => {
            let invocation = Invocation::new(&run[0]).args(&run[1..]).current_dir(folder).limit(*timeout);
            command(invocation, &run[0], fails, around)
        }
        Gate::Http { source, value, limits } => http(source, value.as_deref(), *limits, around),
        Gate::Query { source, query, limits } => prometheus::query(source, query, *limits, around),
        Gate::Compare { source, baseline, canary, test } => {
            prometheus::compare(source, (baseline, canary), test, around)
        }
        Gate::Runs { runs, source, query } => prometheus::runs(source, query, *runs, around),
        Gate::Approval => approval(around),
        Gate::Bake { time } => bake(*time, around),
        Gate::Regressions { .. }
        | Gate::RegressionRate { .. }
        | Gate::SameError { .. }
        | Gate::Evidence { .. }
        | Gate::Discordant { .. } => return None,
    })
}

fn approval(around: &Around<'_>) -> Answer {
    match around.approval {
        Some(given) => {
            let reason = if given.reason.is_empty() { String::new() } else { format!(": {}", given.reason) };
            Answer::of(Said::Pass, format!("approved by {}{reason}", given.actor), json!(given))
        }
        None => {
            let why = format!("approval is asked for: `gander approve --wave {}`", around.wave);
            Answer::waits(WaitFor::Approval, None, why)
        }
    }
}

fn bake(time: Duration, around: &Around<'_>) -> Answer {
    let until = around.since.saturating_add(i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let (span, now) = (span(time), around.clock.now());
    match now < until {
        // By a clock that ran ahead.
        true if now < around.since => {
            let since = jiff::Timestamp::from_second(around.since).unwrap_or_default();
            let why = format!("it bakes for {span} from {since}, which is still to come by the clock of this machine");
            Answer::waits(WaitFor::Bake, Some(until), why)
        }
        true => Answer::waits(WaitFor::Bake, Some(until), format!("it bakes for {span}")),
        false => Answer::of(Said::Pass, format!("it baked for {span}"), json!({ "until": until })),
    }
}

/// A time as people write it: `24 h`, `90 min`, `40 s`.
fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// What a program is told on its standard input.
fn told(around: &Around<'_>) -> Vec<u8> {
    let about = json!({
        "schema_version": 1,
        "migration": around.migration,
        "wave": around.wave,
        "since": around.since,
        "seen": around.seen,
        "out": around.out,
    });
    about.to_string().into_bytes()
}

fn command(invocation: Invocation, program: &str, fails: &[u64], around: &Around<'_>) -> Answer {
    let run = invocation.stdin(told(around)).output_limit(MAX_OUTPUT).interruptible().run();
    let output = match run {
        Ok(output) => output,
        Err(error) => return Answer::unknown(error.to_string()),
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let last: String = last.chars().filter(|c| !c.is_control()).take(200).collect();
    let said = |what: &str| {
        if last.is_empty() { format!("`{program}` {what}") } else { format!("`{program}` {what}: {last}") }
    };
    let (says, why) = match output.status {
        Exit::Code(0) => (Said::Pass, said("passes")),
        Exit::Code(code) if fails.iter().any(|fail| *fail == u64::try_from(code).unwrap_or(0)) => {
            (Said::Fail, said("fails"))
        }
        Exit::Code(code) => (Said::Inconclusive, said(&format!("exited with {code}, which says nothing"))),
        Exit::Signal(signal) => (Said::Inconclusive, said(&format!("was ended by signal {signal}"))),
    };
    let status = match output.status {
        Exit::Code(code) => json!({ "code": code }),
        Exit::Signal(signal) => json!({ "signal": signal }),
    };
    // One that fails by some alone says so in its last line.
    let named = serde_json::from_str::<Value>(&last_line(&text)).map(|value| named(&value)).unwrap_or_default();
    Answer { consumers: named, ..Answer::of(says, why, json!({ "status": status, "said": last })) }
}

fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}

/// The consumers that an answer names in `consumers`.
fn named(value: &Value) -> Vec<String> {
    let names = value.get("consumers").and_then(Value::as_array).into_iter().flatten();
    let whole = |name: &str| EntityRef::parse(name, "component").map(|name| name.to_string());
    names.filter_map(Value::as_str).filter_map(whole).take(MOST_NAMED).collect()
}

/// A client for one question of a gate.
pub(super) fn client(source: &Endpoint, around: &Around<'_>) -> Result<Client, String> {
    let token = match &source.token {
        None => None,
        Some(name) => Some(Secret::from_env(name, "token").map_err(|error| error.to_string())?),
    };
    Ok(Client::new(token, around.clock).within(source.timeout))
}

fn http(source: &Endpoint, pointer: Option<&str>, limits: Limits, around: &Around<'_>) -> Answer {
    let asked = client(source, around).and_then(|client| client.get::<Value>(&source.url).map_err(|e| e.to_string()));
    let found = match asked {
        Ok(found) => found,
        Err(error) => return Answer::unknown(error),
    };
    let Some(pointer) = pointer else {
        let reason = found.get("reason").and_then(Value::as_str).unwrap_or_default();
        let reason: String = reason.chars().filter(|c| !c.is_control()).take(200).collect();
        let said = |what: &str| if reason.is_empty() { format!("{} says {what}", source.url) } else { reason.clone() };
        return match found.get("result").and_then(Value::as_str) {
            Some("pass") => Answer::of(Said::Pass, said("pass"), json!({ "result": "pass" })),
            Some("fail") => {
                let answer = Answer::of(Said::Fail, said("fail"), json!({ "result": "fail" }));
                Answer { consumers: named(&found), ..answer }
            }
            _ => Answer::unknown(format!("{} says neither \"pass\" nor \"fail\" in /result", source.url)),
        };
    };
    match found.pointer(pointer).and_then(Value::as_f64).filter(|number| number.is_finite()) {
        None => Answer::unknown(format!("{} has no number at {pointer}", source.url)),
        Some(number) => {
            let (says, why) = limited(number, limits, &format!("{} {pointer}", source.url));
            Answer::of(says, why, json!({ "value": number }))
        }
    }
}

/// Whether a number keeps to its limits.
pub(super) fn limited(number: f64, limits: Limits, name: &str) -> (Said, String) {
    match (limits.max.filter(|max| number > *max), limits.min.filter(|min| number < *min)) {
        (Some(max), _) => (Said::Fail, format!("{name} is {number}, at most {max} allowed")),
        (_, Some(min)) => (Said::Fail, format!("{name} is {number}, at least {min} needed")),
        _ => (Said::Pass, format!("{name} is {number}")),
    }
}
