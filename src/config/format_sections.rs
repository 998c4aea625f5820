//! `[[format]]`: the programs that lay out what changes.
//!
//! Must not: run anything, or look into a consumer.

use std::time::Duration;

use super::Formatter;
use super::raw::{Section, Value};
use super::sections::duration;
use super::verify_sections::{command, inner_path};
use crate::language;

/// The time that a call may take which does not say.
const TIMEOUT: Duration = Duration::from_secs(120);
const KEYS: [&str; 6] = ["name", "when", "languages", "run", "timeout", "fetched"];

/// Reads every section.
pub(super) fn formatters(root: &Section<'_>) -> Vec<Formatter> {
    let example = "[[format]] with `name`, `languages` and `run`";
    let sections = root.get("format").map_or_else(Vec::new, |value| value.sections(&KEYS, example));
    sections.iter().filter_map(formatter).collect()
}

fn formatter(section: &Section<'_>) -> Option<Formatter> {
    let name = section.need("name", "\"black\"").and_then(|value| Some(value.string("\"black\"")?.to_owned()));
    let when = section.get("when").and_then(|value| inner_path(&value));
    let languages = section.need("languages", "[\"python\"]").map(|value| languages(&value));
    let run = section.need("run", "[\"black\", \"--quiet\", \"{files}\"]").and_then(|value| {
        let run = command(&value)?;
        if !run[1..].iter().any(|argument| argument == Formatter::FILES) {
            value.wrong("the files have no place", "put `\"{files}\"` where the program takes the paths of files");
            return None;
        }
        Some(run)
    });
    let timeout = section.get("timeout").and_then(|value| duration(&value)).unwrap_or(TIMEOUT);
    let fetched = section.get("fetched").and_then(|value| value.truth()).unwrap_or_default();
    Some(Formatter { name: name?, when, languages: languages?, run: run?, timeout, fetched })
}

fn languages(value: &Value<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for (item, name) in value.strings("[\"python\"]").unwrap_or_default() {
        match language::by_name(name) {
            Some(language) => names.push(language.facts.name.clone()),
            None => item.wrong(format!("there is no language `{name}`"), language::meant(name)),
        }
    }
    names
}
