//! `[verify]`: the steps, and what is fetched for them.
//!
//! Must not: run anything, or look into a consumer.

use std::collections::BTreeSet;
use std::time::Duration;

use super::load::{Place, Seal};
use super::raw::{Section, Value};
use super::sections::duration;
use super::{Fetch, Filter, Replace, Seed, Step, Verify, VerifySql};

/// The time that a step may take which does not say.
const TIMEOUT: Duration = Duration::from_secs(600);
const STEP: [&str; 9] = ["name", "when", "run", "timeout", "results", "snapshot", "filters", "differs", "seed"];
const FETCH: [&str; 8] = ["name", "when", "run", "timeout", "seed", "hosts", "credentials", "caches"];

/// Reads the section.
pub(super) fn verify(root: &Section<'_>, place: &Place<'_>, seal: &mut Seal) -> Verify {
    let section = root.section("verify", &["step", "fetch", "challenge", "sql"]);
    let mut reader = Reader { names: BTreeSet::new(), place, seal };
    let mut steps = Vec::new();
    if let Some(value) = section.get("fetch") {
        for fetch in value.sections(&FETCH, "[{ name = \"fetch\", run = [\"cargo\", \"fetch\"] }]") {
            let what = Fetch {
                hosts: list(&fetch, "hosts", "[\"index.example.org:443\"]", host),
                credentials: list(&fetch, "credentials", "[\"REGISTRY_TOKEN\"]", credential),
                caches: list(&fetch, "caches", "[\"~/.m2\"]", path),
            };
            steps.extend(reader.step(&fetch).map(|step| Step { fetch: Some(what), ..step }));
        }
    }
    if let Some(value) = section.get("step") {
        for step in value.sections(&STEP, "[{ name = \"test\", run = [\"make\", \"test\"] }]") {
            steps.extend(reader.step(&step));
        }
    }
    let challenge = section.get("challenge").and_then(|value| value.truth()).unwrap_or_default();
    Verify { steps, challenge, sql: section.get("sql").and_then(|value| sql(&value, place)) }
}

/// Reads `[verify.sql]`.
fn sql(value: &Value<'_>, place: &Place<'_>) -> Option<VerifySql> {
    let section = value.as_section(&["python", "timeout", "within"])?;
    let python = section.get("python").and_then(|value| {
        let path = place.absolute(value.string("\"/usr/bin/python3\"")?);
        if !path.is_file() {
            value.wrong("there is no such program", "name the file of a Python 3.10 or later");
        }
        Some(path)
    });
    let time = |key: &str, usual: u64| {
        let read = section.get(key).and_then(|value| duration(&value));
        read.unwrap_or(Duration::from_secs(usual))
    };
    Some(VerifySql { python, timeout: time("timeout", 10), within: time("within", 300) })
}

struct Reader<'a, 'b> {
    names: BTreeSet<String>,
    place: &'a Place<'b>,
    seal: &'a mut Seal,
}

impl Reader<'_, '_> {
    /// What both kinds of steps have.
    fn step(&mut self, section: &Section<'_>) -> Option<Step> {
        let name = section.need("name", "\"test\"").and_then(|value| self.name(&value));
        let when = section.get("when").and_then(|value| inner_path(&value));
        let run = section.need("run", "[\"make\", \"test\"]").and_then(|value| command(&value));
        let timeout = section.get("timeout").and_then(|value| duration(&value));
        let results = list(section, "results", "[\"build/reports/*.xml\"]", glob);
        let snapshot = list(section, "snapshot", "[\"stdout\", \"out/*.csv\"]", glob);
        let filters = section.get("filters").map(|value| filters(&value)).unwrap_or_default();
        let differs = section.get("differs").map(|value| replacements(&value)).unwrap_or_default();
        let seeds = section.get("seed").map(|value| self.seeds(&value)).unwrap_or_default();
        let timeout = timeout.unwrap_or(TIMEOUT);
        Some(Step { name: name?, when, run: run?, timeout, results, snapshot, filters, differs, seeds, fetch: None })
    }

    fn name(&mut self, value: &Value<'_>) -> Option<String> {
        let name = value.string("\"test\"")?.to_owned();
        if !self.names.insert(name.clone()) {
            value.wrong(format!("the step {name:?} is there twice"), "give each step a name of its own");
        }
        Some(name)
    }

    fn seeds(&mut self, value: &Value<'_>) -> Vec<Seed> {
        let example = "[{ from = \"schemas\", to = \"~/.bigquery\" }]";
        let mut seeds = Vec::new();
        for section in value.sections(&["from", "to"], example) {
            let to = section.need("to", "\"~/.bigquery\"").and_then(|value| path(&value, value.string("\"x\"")?));
            let Some(from) = section.need("from", "\"schemas\"") else { continue };
            let there = from.string("\"schemas\"").map(|text| self.place.absolute(text));
            match there.and_then(|path| path.canonicalize().ok()) {
                Some(path) if path.is_file() || path.is_dir() => {
                    self.seal.seed(&from, &path);
                    seeds.extend(to.map(|to| Seed { from: path, to }));
                }
                _ => self.place.missing(&from, "there is no such file or folder"),
            }
        }
        seeds
    }
}

/// Strings that `read` understands.
fn list(
    section: &Section<'_>,
    key: &str,
    example: &str,
    read: impl Fn(&Value<'_>, &str) -> Option<String>,
) -> Vec<String> {
    let items = section.get(key).and_then(|value| value.strings(example)).unwrap_or_default();
    items.iter().filter_map(|(item, text)| read(item, text)).collect()
}

fn climbs(text: &str) -> bool {
    text.is_empty()
        || text.starts_with(['/', '\\'])
        || text.contains('\0')
        || text.split(['/', '\\']).any(|part| part == "..")
}

/// A path below the consumer.
pub(super) fn inner_path(value: &Value<'_>) -> Option<String> {
    let text = value.string("\"Cargo.toml\"")?;
    if climbs(text) {
        value.wrong(
            format!("{text:?} leaves the consumer's folder"),
            "name a file relative to the consumer, for example \"Cargo.toml\"",
        );
        return None;
    }
    Some(text.to_owned())
}

/// A path below the consumer or, with `~/`, below the home folder of the sandbox.
fn path(value: &Value<'_>, text: &str) -> Option<String> {
    let below = text.strip_prefix("~/").unwrap_or(text).trim_end_matches('/');
    if climbs(below) || below == "." {
        value.wrong(
            format!("{text:?} is neither below the consumer nor below `~/`"),
            "name a folder like \"node_modules\" or \"~/.m2\"",
        );
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

fn glob(value: &Value<'_>, text: &str) -> Option<String> {
    let below = text.strip_prefix("~/").unwrap_or(text);
    if climbs(below) {
        value.wrong(format!("{text:?} leaves the sandbox's folders"), "write for example \"out/**/*.csv\"");
        return None;
    }
    if let Err(error) = globset::Glob::new(below) {
        value.wrong(format!("not a glob: {}", error.kind()), "`*` stands for a name, `**` for any depth");
        return None;
    }
    Some(text.to_owned())
}

/// `name:port`; the port of TLS where none is given.
fn host(value: &Value<'_>, text: &str) -> Option<String> {
    let (name, port) = text.rsplit_once(':').unwrap_or((text, "443"));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || !name.chars().all(plain) || port.parse::<u16>().is_err() {
        value.wrong(
            format!("{text:?} is not a host with a port"),
            "write for example \"index.example.org:443\"; there are no wildcards",
        );
        return None;
    }
    Some(format!("{}:{port}", name.to_ascii_lowercase()))
}

fn credential(value: &Value<'_>, text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.is_empty() || !text.chars().all(plain) {
        value.wrong(
            format!("{text:?} is not the name of a variable"),
            "name the variable that holds the secret; the secret itself must not stand here",
        );
        return None;
    }
    Some(text.to_owned())
}

fn filters(value: &Value<'_>) -> Vec<Filter> {
    let example = "[\"times\", { match = \"id=[0-9]+\", replace = \"id=N\" }]";
    let names = [("times", Filter::Times), ("paths", Filter::Paths), ("order", Filter::Order)];
    let mut filters = Vec::new();
    for item in value.array("an array of filters", example).unwrap_or_default() {
        if item.is_table() {
            filters.extend(item.as_section(&["match", "replace"]).and_then(|s| replacement(&s)).map(Filter::Replace));
            continue;
        }
        let known: Vec<(&str, usize)> = names.iter().enumerate().map(|(index, (name, _))| (*name, index)).collect();
        filters.extend(item.one_of(&known).map(|index| names[index].1.clone()));
    }
    filters
}

fn replacements(value: &Value<'_>) -> Vec<Replace> {
    let example = "[{ match = \"users_v1\", replace = \"users_v2\" }]";
    value.sections(&["match", "replace"], example).iter().filter_map(replacement).collect()
}

fn replacement(section: &Section<'_>) -> Option<Replace> {
    let pattern = section.need("match", "\"users_v1\"");
    let with = section.need("replace", "\"users_v2\"").and_then(|value| value.any_string("\"users_v2\""));
    let pattern = pattern.and_then(|value| Some((value.string("\"users_v1\"")?, value)));
    let (pattern, value) = pattern?;
    if let Err(error) = regex::Regex::new(pattern) {
        let last = error.to_string();
        let last = last.lines().last().unwrap_or_default().to_owned();
        value.wrong(format!("not a regular expression: {last}"), "the syntax is that of Rust's `regex` crate");
        return None;
    }
    Some(Replace { pattern: pattern.to_owned(), with: with?.to_owned() })
}

pub(super) fn command(value: &Value<'_>) -> Option<Vec<String>> {
    let example = "[\"make\", \"test\"]";
    let items = value.strings(example)?;
    if items.first().is_none_or(|(_, program)| program.is_empty()) {
        value.wrong("names no program", format!("write for example `run = {example}`"));
        return None;
    }
    if let Some((item, _)) = items.iter().find(|(_, text)| text.contains('\0')) {
        item.wrong("a zero byte can't stand in an argument", "remove it");
        return None;
    }
    Some(items.into_iter().map(|(_, text)| text.to_owned()).collect())
}
