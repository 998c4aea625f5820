//! What `[rollout]` means: waves, gates, and who goes first.
//!
//! Must not: know how waves are filled.

use super::calendar::calendar;
use super::gate_sections::gates;
use super::lineup::{Lineup, picks};
use super::load::Place;
use super::raw::{Section, Value};
use super::{Gate, OnFailedGate, Rollout, WavePart, WaveSize, wave};

/// Reads `[rollout]`; `id` seeds the order where nothing else is said.
pub(super) fn rollout(root: &Section<'_>, id: &str, place: &Place<'_>) -> Rollout {
    let keys = [
        "waves",
        "seed",
        "first",
        "last",
        "on_failed_gate",
        "gate",
        "notify",
        "window",
        "zones",
        "holidays",
        "freeze",
        "max_open",
        "per_hour",
        "revertible_until",
    ];
    let section = root.section("rollout", &keys);
    let choices = [
        ("rollback-consumer", OnFailedGate::RollbackConsumer),
        ("rollback-wave", OnFailedGate::RollbackWave),
        ("rollback-all", OnFailedGate::RollbackAll),
        ("stop", OnFailedGate::Stop),
    ];
    let waves = section.get("waves").map(|value| waves(&value));
    let seed = section.get("seed").and_then(|value| value.any_string("\"users-v2\""));
    let (first, first_where) = section.get("first").map(|value| picks(&value)).unwrap_or_default();
    let (last, last_where) = section.get("last").map(|value| picks(&value)).unwrap_or_default();
    let gates = section.get("gate").map(|value| gates(&value, place));
    let notify = section.get("notify").and_then(|value| value.strings("[\"./page-me.sh\"]"));
    let on_failed = section.get("on_failed_gate");
    let revertible_until = section.get("revertible_until").and_then(|value| value.date());
    Rollout {
        waves: waves.unwrap_or_else(default_waves),
        seed: seed.unwrap_or(id).to_owned(),
        first,
        lineup: Lineup { first: first_where, last, last_where },
        gates: gates.unwrap_or_else(|| vec![Gate::Regressions { max: 0 }]),
        calendar: calendar(&section),
        notify: notify.into_iter().flatten().map(|(_, word)| word.to_owned()).collect(),
        revertible_until,
        on_failed_gate: on_failed.and_then(|value| value.one_of(&choices)).unwrap_or_default(),
    }
}

fn default_waves() -> Vec<WaveSize> {
    let wave = |text: &str, part| WaveSize { text: text.to_owned(), parts: vec![part] };
    vec![wave("1", WavePart::Count(1)), wave("10%", WavePart::Percent(10.0)), wave("100%", WavePart::Percent(100.0))]
}

fn waves(value: &Value<'_>) -> Vec<WaveSize> {
    let example = "[\"1\", \"10%\", \"100%\"]";
    let help = "write a count, a percentage, or the larger of some: \"1\", \"5%\", \"max(25%, 59)\"";
    let Some(items) = value.strings(example) else {
        return Vec::new();
    };
    let mut waves: Vec<WaveSize> = Vec::new();
    for (item, text) in &items {
        match wave::parse(text) {
            Err(message) => item.wrong(message, help),
            Ok(wave) => {
                if let Some(before) = waves.last().filter(|before| wave::shrinks(before, &wave)) {
                    item.wrong(
                        format!("{text:?} is smaller than the wave before it, {:?}", before.text),
                        "waves are cumulative: each counts the consumers of all waves before it",
                    );
                }
                waves.push(wave);
            }
        }
    }
    let complete = waves.len() == items.len();
    if complete && !waves.last().is_some_and(wave::covers_all) {
        let last = items.last().map_or(value, |(item, _)| item);
        last.wrong(
            "the last wave must be \"100%\", or some consumers would never be delivered",
            format!("add it: `waves = {}`", completed(&waves)),
        );
    }
    waves
}

fn completed(waves: &[WaveSize]) -> String {
    let texts = waves.iter().map(|wave| wave.text.as_str()).chain(["100%"]);
    let texts: Vec<String> = texts.map(|text| format!("{text:?}")).collect();
    format!("[{}]", texts.join(", "))
}
