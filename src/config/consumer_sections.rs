//! Reads `[consumers]` and `[code]`.
//!
//! Must not: read a source, or return at the first error.

use std::collections::BTreeMap;
use std::time::Duration;

use super::load::Place;
use super::raw::{Section, Value};
use super::sections::{duration, entities, size};
use super::{
    AccessLog, Backstage, CodeConfig, Complete, ConsumerSource, Consumers, Dirty, Exclusion, Marquez, Token, Trust, Who,
};
use crate::workspace::EntityRef;

const CONSUMERS: &[&str] = &["of", "datasets", "names", "search", "complete", "dirty", "from", "exclude"];
/// The keys that tell the kind of a source, of which each has exactly one.
const KINDS: [&str; 8] =
    ["catalog", "folders", "backstage", "dbt", "openlineage", "marquez", "repositories", "access_log"];
/// The protocols that git knows and that start no program of the URL's choice.
const PROTOCOLS: [&str; 5] = ["https", "ssh", "http", "git", "file"];

/// Reads `[consumers]`.
pub(super) fn consumers(root: &Section<'_>, place: &Place<'_>) -> Consumers {
    let section = root.section("consumers", CONSUMERS);
    if !section.require("[consumers] with `of`, and [[consumers.from]] with `catalog` or `folders`") {
        return Consumers::default();
    }
    let dirty = section.get("dirty");
    let dirty = dirty.and_then(|value| value.one_of(&[("refuse", Dirty::Refuse), ("pin", Dirty::Pin)]));
    let complete = section.get("complete");
    let levels = [("reported", Complete::Reported), ("required", Complete::Required)];
    let complete = complete.and_then(|value| value.one_of(&levels));
    let of = section.get("of").map(|value| (entities(&value, None), value));
    let texts = |key: &str, example: &str| -> Vec<String> {
        let items = section.get(key).and_then(|value| value.strings(example)).unwrap_or_default();
        items.into_iter().map(|(_, text)| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
    };
    let datasets = texts("datasets", "[\"analytics.users_v1\"]");
    let from = match section.need("from", "[{ catalog = \"services\" }]") {
        None => Vec::new(),
        Some(value) => sources(&value, place),
    };
    needs(&section, of.as_ref(), &datasets, &from);
    let search = section.get("search").and_then(|value| value.strings("[\"..\"]")).unwrap_or_default();
    Consumers {
        of: of.map(|(of, _)| of).unwrap_or_default(),
        datasets,
        names: texts("names", "[\"users_v1\"]"),
        from,
        exclude: section.get("exclude").map(|value| exclusions(&value)).unwrap_or_default(),
        search: search.iter().filter_map(|(item, text)| place.folder(item, text)).collect(),
        complete: complete.unwrap_or_default(),
        dirty: dirty.unwrap_or_default(),
    }
}

/// Each source needs to know what is replaced, by the name that it has there.
fn needs(
    section: &Section<'_>,
    of: Option<&(Vec<EntityRef>, Value<'_>)>,
    datasets: &[String],
    from: &[ConsumerSource],
) {
    use ConsumerSource as S;
    let needs_of = from.iter().any(|source| matches!(source, S::Catalog(_) | S::Backstage(_)));
    match of {
        None if needs_of => {
            section.need("of", "[\"resource:default/users_v1\"]");
        }
        Some((of, value)) if needs_of && of.is_empty() => value.wrong(
            "a catalog has no consumers of nothing",
            "name what is replaced, for example `of = [\"resource:default/users_v1\"]`",
        ),
        _ => {}
    }
    let lineage = |s: &S| matches!(s, S::Dbt { .. } | S::OpenLineage(_) | S::Marquez(_) | S::AccessLog(_));
    if datasets.is_empty() && from.iter().any(lineage) {
        section.need("datasets", "[\"analytics.users_v1\"]");
    }
}

fn sources(value: &Value<'_>, place: &Place<'_>) -> Vec<ConsumerSource> {
    let example = "[{ catalog = \"services\" }]";
    let mut sources = Vec::new();
    let keys = [
        &KINDS[..],
        &["token_env", "token_file", "ca_file", "limit", "github", "page", "settle", "code", "namespace"],
        &["who", "dataset", "when", "since", "principals"],
    ];
    let sections = value.sections(&keys.concat(), example);
    let none = value.array("an array of tables", example).is_some_and(|items| items.is_empty());
    if none {
        value.wrong("consumers must come from somewhere", format!("write for example `from = {example}`"));
    }
    for section in sections {
        let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| section.get(kind).is_some()).collect();
        let [kind] = kinds.as_slice() else {
            section.wrong(
                format!("needs exactly one of {}", list(&KINDS)),
                "write one [[consumers.from]] for each place that consumers come from",
            );
            continue;
        };
        only(&section, kind);
        if let Some(value) = section.get(kind) {
            sources.extend(source(kind, &value, &section, place));
        }
    }
    sources
}

/// Notes the keys that a source of this kind does not read.
fn only(section: &Section<'_>, kind: &str) {
    let known: &[&str] = match kind {
        "backstage" => &["token_env", "token_file", "ca_file", "limit", "github", "page", "settle"],
        "marquez" => &["token_env", "token_file", "ca_file", "limit", "namespace"],
        "dbt" => &["code"],
        "access_log" => &["who", "dataset", "when", "since", "principals"],
        _ => &[],
    };
    for (key, value) in section.entries() {
        if key != kind && !known.contains(&key.as_str()) && !KINDS.contains(&key.as_str()) {
            let known = if known.is_empty() { "nothing more".to_owned() } else { list(known) };
            value
                .wrong(format!("a source of kind `{kind}` does not read this"), format!("remove it; it reads {known}"));
        }
    }
}

fn source(kind: &str, value: &Value<'_>, section: &Section<'_>, place: &Place<'_>) -> Option<ConsumerSource> {
    let text = |key: &str, default: &str| {
        let value = section.get(key).and_then(|value| value.string(&format!("\"{default}\"")).map(str::to_owned));
        value.unwrap_or_else(|| default.to_owned())
    };
    let file = |example: &str| value.string(example).and_then(|text| place.file(value, text));
    Some(match kind {
        "catalog" => ConsumerSource::Catalog(place.folder(value, value.string("\"services\"")?)?),
        "folders" => ConsumerSource::Folders(folders(value)?),
        "dbt" => ConsumerSource::Dbt {
            manifest: file("\"target/manifest.json\"")?,
            code: section.get("code").and_then(|value| value.string("\"dbt/shop\"")).map(str::to_owned),
        },
        "openlineage" => ConsumerSource::OpenLineage(file("\"events.ndjson\"")?),
        "repositories" => ConsumerSource::Repositories(file("\"repositories.txt\"")?),
        "backstage" => {
            let token = token(section, place);
            ConsumerSource::Backstage(Backstage {
                url: address(value, "/api/catalog", token.is_some())?,
                token,
                trust: trust(section, place),
                github: section.get("github").and_then(|value| address(&value, "", false)),
                page: section.get("page").and_then(|value| value.whole(1, "500")).unwrap_or(500).min(5000),
                settle: section.get("settle").and_then(|v| duration(&v)).unwrap_or(Duration::from_secs(5)),
            })
        }
        "marquez" => {
            let token = token(section, place);
            let namespace = section.need("namespace", "\"warehouse\"")?;
            ConsumerSource::Marquez(Marquez {
                url: address(value, "/api/v1", token.is_some())?,
                namespace: namespace.string("\"warehouse\"")?.to_owned(),
                token,
                trust: trust(section, place),
            })
        }
        _ => ConsumerSource::AccessLog(AccessLog {
            file: file("\"reads.csv\"")?,
            who: text("who", "principal"),
            dataset: text("dataset", "dataset"),
            when: text("when", "time"),
            since: section.get("since").and_then(|value| value.date()).map(midnight),
            principals: principals(section),
        }),
    })
}

/// The first second of a day, in UTC.
fn midnight(date: jiff::civil::Date) -> i64 {
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC);
    zoned.map_or(i64::MIN, |zoned| zoned.timestamp().as_second())
}

fn trust(section: &Section<'_>, place: &Place<'_>) -> Trust {
    let file = section.get("ca_file").and_then(|v| place.file(&v, v.string("\"company-ca.pem\"")?));
    let limit = section.get("limit").and_then(|v| duration(&v)).unwrap_or(Duration::from_secs(1800));
    Trust { authorities: file, limit }
}

fn token(section: &Section<'_>, place: &Place<'_>) -> Option<Token> {
    let env = section.get("token_env").and_then(|v| Some((v.string("\"BACKSTAGE_TOKEN\"")?.to_owned(), v)));
    let file = section.get("token_file").and_then(|v| place.file(&v, v.string("\"token\"")?));
    match (env, file) {
        (Some((_, value)), Some(_)) => {
            value.wrong("the token comes from two places", "keep one of `token_env` and `token_file`");
            None
        }
        (Some((name, value)), None) => {
            // A token pasted here by mistake must not be repeated in a message.
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) || name.len() > 128 {
                value.wrong_unseen("the value is not a variable's name", "name the variable that holds the token");
                return None;
            }
            Some(Token::Env(name))
        }
        (None, file) => file.map(Token::File),
    }
}

/// An `http` or `https` address without a trailing `/` and `suffix`.
fn address(value: &Value<'_>, suffix: &str, has_token: bool) -> Option<String> {
    let example = "\"https://backstage.example.org\"";
    let text = value.string(example)?.trim().trim_end_matches('/');
    let text = text.strip_suffix(suffix).filter(|_| !suffix.is_empty()).unwrap_or(text).trim_end_matches('/');
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    let fine = |text: &str| !text.contains(|c: char| c.is_whitespace() || c.is_control() || "?#".contains(c));
    let Some(host) = host.filter(|host| !host.is_empty() && fine(text)) else {
        value.wrong("this is not the address of a server", format!("write for example {example}"));
        return None;
    };
    if host.contains('@') {
        value.wrong("an address holds no name and password", "put the token into a variable: `token_env = \"…\"`");
        return None;
    }
    let near = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "localhost" | "127.0.0.1" | "[::1]")
    };
    if has_token && text.starts_with("http://") && !near(host) {
        value.wrong("the token would travel in the clear", "use https, or leave the token out");
        return None;
    }
    Some(text.to_owned())
}

fn principals(section: &Section<'_>) -> BTreeMap<String, EntityRef> {
    let mut principals = BTreeMap::new();
    for (name, value) in section.section("principals", &["*"]).entries() {
        let Some(text) = value.string("\"component:default/ads\"") else { continue };
        match EntityRef::parse(text, "component") {
            Some(entity) => drop(principals.insert(name, entity)),
            None => value.wrong(format!("{text:?} is not an entity reference"), "write `kind:namespace/name`"),
        }
    }
    principals
}

fn exclusions(value: &Value<'_>) -> Vec<Exclusion> {
    let example = "[{ consumer = \"component:ads\", reason = \"…\", until = 2027-01-31 }]";
    let mut exclusions = Vec::new();
    for section in value.sections(&["consumer", "path", "reason", "until"], example) {
        let who = match (section.get("consumer"), section.get("path")) {
            (Some(value), None) => value.string("\"component:default/ads\"").and_then(|text| {
                let entity = EntityRef::parse(text, "component");
                if entity.is_none() {
                    value.wrong(format!("{text:?} is not an entity reference"), "write `kind:namespace/name`");
                }
                entity.map(Who::Consumer)
            }),
            (None, Some(value)) => value.string("\"docs/**\"").and_then(|text| relative(&value, text)).map(Who::Path),
            _ => {
                section.wrong("needs exactly one of `consumer` and `path`", format!("write for example {example}"));
                None
            }
        };
        let reason = section.need("reason", "\"moves with its own team\"").and_then(|value| value.string("\"…\""));
        let until = section.need("until", "2027-01-31").and_then(|value| value.date());
        if let (Some(who), Some(reason), Some(until)) = (who, reason, until) {
            exclusions.push(Exclusion { who, reason: reason.to_owned(), until });
        }
    }
    exclusions
}

fn folders(value: &Value<'_>) -> Option<Vec<String>> {
    let items = value.strings("[\"services/*\"]")?;
    if items.is_empty() {
        value.wrong("no glob, no consumer", "write for example `folders = [\"services/*\"]`");
    }
    Some(items.iter().filter_map(|(item, text)| relative(item, text)).collect())
}

fn relative(item: &Value<'_>, text: &str) -> Option<String> {
    if text.is_empty() || text.starts_with(['/', '\\']) {
        item.wrong(format!("{text:?} is not relative to the migration file"), "write for example \"services/*\"");
        return None;
    }
    glob(item, text)
}

/// Notes what is no glob.
pub(super) fn glob(item: &Value<'_>, text: &str) -> Option<String> {
    if let Err(error) = globset::Glob::new(text) {
        item.wrong(
            format!("not a glob: {}", error.kind()),
            "`*` stands for a name, `**` for any depth, `{a,b}` for a choice",
        );
        return None;
    }
    Some(text.to_owned())
}

/// Reads `[code]`.
pub(super) fn code(root: &Section<'_>, place: &Place<'_>) -> CodeConfig {
    let section = root.section("code", &["mirror", "monorepo", "clone", "protocols", "jobs", "disk"]);
    let mut code = CodeConfig::default();
    if let Some(value) = section.get("mirror") {
        code.mirror = value.string("\"/mirrors/{host}/{path}\"").and_then(|text| mirror(&value, text, place));
    }
    for (url, value) in section.section("monorepo", &["*"]).entries() {
        if let Some(folder) = value.string("\"..\"").and_then(|text| place.folder(&value, text)) {
            code.monorepo.insert(url, folder);
        }
    }
    if let Some(value) = section.get("clone") {
        code.clone = value.boolean().unwrap_or(false);
    }
    if let Some(items) = section.get("protocols").and_then(|value| value.strings("[\"https\"]")) {
        code.protocols.clear();
        for (item, text) in items {
            if PROTOCOLS.contains(&text) {
                code.protocols.push(text.to_owned());
            } else {
                item.wrong(format!("git may not clone by {text:?}"), format!("choose of {}", list(&PROTOCOLS)));
            }
        }
    }
    if let Some(jobs) = section.get("jobs").and_then(|value| value.whole(1, "4")) {
        code.jobs = usize::try_from(jobs).unwrap_or(64).min(64);
    }
    if let Some(bytes) = section.get("disk").and_then(|value| size(&value)) {
        code.disk = bytes;
    }
    code
}

fn mirror(value: &Value<'_>, text: &str, place: &Place<'_>) -> Option<String> {
    let mut rest = text.to_owned();
    for part in ["{host}", "{path}", "{owner}", "{name}"] {
        rest = rest.replace(part, "");
    }
    if rest == text || rest.contains(['{', '}']) {
        value.wrong(
            "a mirror is a folder for each repository",
            "use `{host}`, `{path}`, `{owner}` and `{name}`: \"/mirrors/{host}/{path}\"",
        );
        return None;
    }
    Some(place.absolute(text).to_string_lossy().into_owned())
}

fn list(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
