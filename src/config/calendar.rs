//! When change sets may go out, and how many.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};

use super::raw::{Section, Value};

/// When change sets may go out, and how many: `[rollout]`'s pace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calendar {
    /// `[[rollout.window]]`: in one of these; always where there is none.
    pub windows: Vec<Window>,
    /// `[rollout.zones]`: the time zone of an owner, by its whole reference, where it is
    /// not that of the window.
    pub zones: BTreeMap<String, String>,
    /// `holidays`: on none of these days, in the zone of whoever they are asked for.
    pub holidays: Vec<Date>,
    /// `[[rollout.freeze]]`: not while one of these lasts.
    pub freezes: Vec<Freeze>,
    /// `max_open`: no more than so many branches that wait for their owners.
    pub max_open: Option<u64>,
    /// `per_hour`: no more than so many within an hour.
    pub per_hour: Option<u64>,
}

/// One `[[rollout.window]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// `days`; every day where it names none.
    pub days: Vec<Weekday>,
    /// `from`, inclusive.
    pub from: Time,
    /// `to`, exclusive, later on the same day.
    pub to: Time,
    /// `zone`, an IANA name.
    pub zone: String,
}

/// One `[[rollout.freeze]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Freeze {
    /// `from`, inclusive.
    pub from: Date,
    /// `to`, inclusive.
    pub to: Date,
    /// `reason`.
    pub reason: String,
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Reads what `[rollout]` says of it.
pub(super) fn calendar(rollout: &Section<'_>) -> Calendar {
    let windows = rollout.get("window").map(|value| windows(&value)).unwrap_or_default();
    let freezes = rollout.get("freeze").map(|value| freezes(&value)).unwrap_or_default();
    let holidays = rollout.get("holidays").and_then(|value| value.array("a list of days", "[\"2026-12-25\"]"));
    let section = rollout.section("zones", &["*"]);
    let mut zones = BTreeMap::new();
    for (owner, value) in section.entries() {
        if let Some(name) = zone(&value) {
            let whole = crate::workspace::EntityRef::parse(&owner, "group").map(|owner| owner.to_string());
            match whole {
                Some(whole) => drop(zones.insert(whole, name)),
                None => value.wrong(format!("{owner:?} is no owner"), "write for example \"group:default/ads\""),
            }
        }
    }
    Calendar {
        windows,
        zones,
        holidays: holidays.into_iter().flatten().filter_map(|day| day.date()).collect(),
        freezes,
        max_open: rollout.get("max_open").and_then(|value| value.whole(1, "50")),
        per_hour: rollout.get("per_hour").and_then(|value| value.whole(1, "20")),
    }
}

fn zone(value: &Value<'_>) -> Option<String> {
    let name = value.string("\"Europe/Berlin\"")?;
    if let Err(error) = jiff::tz::TimeZone::get(name) {
        value.wrong(format!("{error}"), "write an IANA name: \"Europe/Berlin\", \"America/New_York\", \"UTC\"");
        return None;
    }
    Some(name.to_owned())
}

fn windows(value: &Value<'_>) -> Vec<Window> {
    let example = "[{ days = [\"mon\", \"tue\"], from = \"09:00\", to = \"16:00\", zone = \"Europe/Berlin\" }]";
    let mut windows = Vec::new();
    for section in value.sections(&["days", "from", "to", "zone"], example) {
        let days = section.get("days").and_then(|value| value.array("a list of days", "[\"mon\", \"tue\"]"));
        let days = days.into_iter().flatten().filter_map(|day| day.one_of(&DAYS)).collect();
        let time = |key: &str, example: &str| section.need(key, example).and_then(|value| time(&value));
        let (from, to) = (time("from", "\"09:00\""), time("to", "\"16:00\""));
        let zone = section.get("zone").map_or_else(|| Some("UTC".to_owned()), |value| zone(&value));
        let (Some(from), Some(to), Some(zone)) = (from, to, zone) else { continue };
        if from >= to {
            section.wrong("this window ends before it opens", "`to` is later on the same day; use two for a night");
            continue;
        }
        windows.push(Window { days, from, to, zone });
    }
    windows
}

fn time(value: &Value<'_>) -> Option<Time> {
    let text = value.string("\"09:00\"")?;
    let read = Time::strptime("%H:%M", text);
    read.map_err(|_| value.wrong(format!("{text:?} is no time of day"), "write for example \"09:00\"")).ok()
}

fn freezes(value: &Value<'_>) -> Vec<Freeze> {
    let example = "[{ from = \"2026-12-20\", to = \"2027-01-03\", reason = \"end of the year\" }]";
    let mut freezes = Vec::new();
    for section in value.sections(&["from", "to", "reason"], example) {
        let day = |key: &str| section.need(key, "\"2026-12-20\"").and_then(|value| value.date());
        let (from, to) = (day("from"), day("to"));
        let reason =
            section.need("reason", "\"end of the year\"").and_then(|value| value.string("\"end of the year\""));
        let (Some(from), Some(to), Some(reason)) = (from, to, reason) else { continue };
        if from > to {
            section.wrong("this freeze ends before it begins", "`to` is the last day of it");
            continue;
        }
        freezes.push(Freeze { from, to, reason: reason.to_owned() });
    }
    freezes
}
