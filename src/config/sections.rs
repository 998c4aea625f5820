//! What every section of a migration file means: defaults, and checks that
//! need more than the type of a value.
//!
//! Must not: read a file's content (that is `load`'s), or return at the first error.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::consumer_sections::{code, consumers, glob};
use super::format_sections::formatters;
use super::load::{Place, Seal};
use super::raw::{Section, Value};
use super::rollout_sections::rollout;
use super::verify_sections::verify;
use super::{
    BranchPer, DatasetFiles, Deliver, Delivery, Disposition, Migration, Partial, Policy, SandboxConfig, SandboxMode,
    Transform, units,
};
use crate::dataset::Dialects;
use crate::dataset::sql::Dialect;
use crate::digest::Digest;
use crate::language::{self, FileLanguages, Language};
use crate::workspace::EntityRef;

/// The sections of a migration file.
pub(super) const SECTIONS: &[&str] = &[
    "migration",
    "parameters",
    "mappings",
    "datasets",
    "languages",
    "consumers",
    "code",
    "transform",
    "format",
    "verify",
    "sandbox",
    "policy",
    "rollout",
    "deliver",
    "state",
];

const MAX_ID: usize = 64;
/// What `[[languages]]` calls files that no rule is to read.
const NO_LANGUAGE: &str = "none";

/// Reads every section. `None`, or an error noted, where something is wrong.
pub(super) fn migration(
    root: &Section<'_>,
    place: &Place<'_>,
    seal: &mut Seal,
    file: PathBuf,
    parameters: toml::Table,
    [verify_digest, gates_digest, delivery_digest]: [Digest; 3],
) -> Option<Migration> {
    let head = root.section("migration", &["id", "title", "guide", "rules", "order"]);
    let present = head.require("[migration] with `id`, `title` and `rules`");
    let id = present.then(|| id(&head)).flatten();
    let title = present.then(|| title(&head)).flatten();
    let guide = head.get("guide");
    let guide = guide.and_then(|value| value.string("\"https://…\""));
    let datasets = datasets(root, place, seal);
    let rules = present.then(|| rules(&head, place, seal, datasets.mappings.is_empty())).flatten();
    let order = order(&head);
    root.section("parameters", &["*"]);
    let mappings = mappings(root, place, seal);
    let languages = languages(root);
    let consumers = consumers(root, place);
    let code = code(root, place);
    let transform = transform(root);
    let formatters = formatters(root);
    let verify = verify(root, place, seal);
    let sandbox = sandbox(root, place);
    let policy = policy(root);
    let rollout = rollout(root, id.as_deref().unwrap_or_default(), place);
    let deliver = deliver(root, place, seal);
    let state = state(root, place);
    let id = id?;
    Some(Migration {
        state: state.unwrap_or_else(|| place.base().join(".gander").join(&id)),
        file,
        id,
        title: title?,
        guide: guide.map(str::to_owned),
        rules: rules?,
        order,
        parameters,
        mappings,
        datasets,
        languages,
        consumers,
        code,
        transform,
        formatters,
        verify,
        sandbox,
        policy,
        rollout,
        deliver,
        digest: seal.finish(),
        verify_digest,
        gates_digest,
        delivery_digest,
    })
}

fn id(head: &Section<'_>) -> Option<String> {
    let value = head.need("id", "\"users-v2\"")?;
    let id = value.string("\"users-v2\"")?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let starts = id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !starts || id.len() > MAX_ID || !id.chars().all(allowed) {
        value.wrong(
            format!("{id:?} can't name folders and branches"),
            "use a letter or digit, then lower-case letters, digits, `-` and `_`, at most 64",
        );
        return None;
    }
    Some(id.to_owned())
}

fn title(head: &Section<'_>) -> Option<String> {
    let value = head.need("title", "\"users_v1 becomes users_v2\"")?;
    let title = value.string("\"users_v1 becomes users_v2\"")?;
    if title.chars().any(char::is_control) || title.len() > 200 {
        value.wrong("a title is one line of at most 200 bytes", "shorten it; the guide has room for the rest");
        return None;
    }
    Some(title.trim().to_owned())
}

/// `needed`: whether nothing else says what is to become of code.
fn rules(head: &Section<'_>, place: &Place<'_>, seal: &mut Seal, needed: bool) -> Option<Vec<PathBuf>> {
    let example = "[\"rules/table.rhai\"]";
    let value = if needed { head.need("rules", example) } else { head.get("rules") };
    let Some(value) = value else { return (!needed).then(Vec::new) };
    let items = value.strings(example)?;
    if items.is_empty() && needed {
        value.wrong("a migration needs at least one rule file", format!("name one: `rules = {example}`"));
        return None;
    }
    let mut paths = Vec::new();
    for (item, text) in items {
        let Some(path) = place.file(&item, text) else {
            continue;
        };
        if paths.contains(&path) {
            item.wrong(format!("{text:?} is named twice"), "remove one of the two");
            continue;
        }
        seal.rule(&item, &path);
        paths.push(path);
    }
    Some(paths)
}

/// Each list needs two rules that differ: one alone is in order.
fn order(head: &Section<'_>) -> Vec<Vec<String>> {
    let example = "[[\"users-v2/first\", \"users-v2/second\"]]";
    let lists = head.get("order").and_then(|value| value.array("an array of lists of rule ids", example));
    let mut all = Vec::new();
    for list in lists.into_iter().flatten() {
        let Some(items) = list.strings(example) else { continue };
        let ids: Vec<String> = items.iter().map(|(_, id)| (*id).to_owned()).collect();
        if ids.len() < 2 {
            list.wrong("an order is of two rules at least", format!("write for example `order = {example}`"));
        }
        for (at, (item, id)) in items.iter().enumerate() {
            if ids[..at].iter().any(|earlier| earlier == id) {
                item.wrong(format!("{id:?} is named twice in one order"), "remove one of the two");
            }
        }
        all.push(ids);
    }
    all
}

fn mappings(root: &Section<'_>, place: &Place<'_>, seal: &mut Seal) -> BTreeMap<String, PathBuf> {
    let section = root.section("mappings", &["*"]);
    let mut mappings = BTreeMap::new();
    for (name, value) in section.entries() {
        let text = value.string("\"mappings/users.toml\"");
        let path = text.and_then(|text| place.file(&value, text));
        if let Some(path) = path {
            seal.mapping(&name, &value, &path);
            mappings.insert(name, path);
        }
    }
    mappings
}

/// Entity references; without `default_kind` each must name its kind.
/// The globs over paths below a consumer.
fn globs(value: &Value<'_>) -> Option<Vec<String>> {
    let items = value.strings("[\"**/*.hql\"]")?;
    let one = |(item, text): &(Value<'_>, &str)| {
        if text.is_empty() || text.starts_with(['/', '\\']) {
            item.wrong(format!("{text:?} is no path below a consumer"), "write for example \"**/*.hql\"");
            return None;
        }
        glob(item, text)
    };
    Some(items.iter().filter_map(one).collect())
}

/// Reads `[datasets]`.
fn datasets(root: &Section<'_>, place: &Place<'_>, seal: &mut Seal) -> DatasetFiles {
    let section = root.section("datasets", &["mappings", "by_rules", "schemas", "default", "dialect", "dialects"]);
    let mut named: Vec<PathBuf> = Vec::new();
    let mut tables = |key: &str| {
        let first = named.len();
        let listed = section.get(key);
        let example = "[\"mapping/users.toml\"]";
        for (item, text) in listed.as_ref().and_then(|value| value.strings(example)).unwrap_or_default() {
            let Some(path) = place.file(&item, text) else { continue };
            if named.contains(&path) {
                item.wrong(format!("{text:?} is named twice"), "remove one of the two");
                continue;
            }
            seal.mapping("dataset", &item, &path);
            named.push(path);
        }
        named[first..].to_vec()
    };
    let (mappings, by_rules) = (tables("mappings"), tables("by_rules"));
    let schemas = section.get("schemas").and_then(|value| {
        let path = place.file(&value, value.string("\"schemas.toml\"")?)?;
        seal.mapping("schemas", &value, &path);
        Some(path)
    });
    let default = section.get("default").and_then(|value| Some(value.string("\"analytics\"")?.to_owned()));
    let others = section.get("dialects");
    let sections = others.map_or_else(Vec::new, |value| {
        value.sections(&["files", "dialect"], "[[datasets.dialects]] with `files` and `dialect`")
    });
    let mut said: Vec<(String, Dialect)> = Vec::new();
    for section in sections {
        let files = section.need("files", "[\"**/*.hql\"]").and_then(|value| globs(&value));
        let dialect = section.need("dialect", "\"spark\"").and_then(|value| value.one_of(&Dialect::ALL));
        if let Some(dialect) = dialect {
            said.extend(files.unwrap_or_default().into_iter().map(|glob| (glob, dialect)));
        }
    }
    let dialect = section.get("dialect").and_then(|value| value.one_of(&Dialect::ALL)).unwrap_or_default();
    // Every glob was tried.
    let dialects = Dialects::new(dialect, said.iter().map(|(glob, dialect)| (glob.as_str(), *dialect)));
    DatasetFiles { mappings, by_rules, schemas, default, dialects: dialects.unwrap_or_default() }
}

/// Reads `[[languages]]`.
fn languages(root: &Section<'_>) -> FileLanguages {
    let mut said: Vec<(String, Option<&'static Language>)> = Vec::new();
    let sections = root.get("languages");
    let example = "[[languages]] with `files` and `language`";
    for section in sections.map_or_else(Vec::new, |value| value.sections(&["files", "language"], example)) {
        let files = section.need("files", "[\"**/*.hql\"]").and_then(|value| globs(&value));
        let named = section.need("language", "\"sql\"").and_then(|value| Some((value.string("\"sql\"")?, value)));
        let Some((name, value)) = named else { continue };
        let language = language::by_name(name);
        if language.is_none() && name != NO_LANGUAGE {
            let help = format!("{} `{NO_LANGUAGE}` leaves the files alone", language::meant(name));
            value.wrong(format!("there is no language `{name}`"), help);
        }
        said.extend(files.unwrap_or_default().into_iter().map(|glob| (glob, language)));
    }
    // Every glob was tried.
    FileLanguages::new(said.iter().map(|(glob, language)| (glob.as_str(), *language))).unwrap_or_default()
}

pub(super) fn entities(value: &Value<'_>, default_kind: Option<&str>) -> Vec<EntityRef> {
    let example = "[\"component:default/ads\"]";
    let mut entities: Vec<EntityRef> = Vec::new();
    for (item, text) in value.strings(example).unwrap_or_default() {
        if default_kind.is_none() && !text.contains(':') {
            item.wrong(
                format!("{text:?} names no kind"),
                format!("write `resource:{text}` for a resource, or `api:{text}` for an API"),
            );
            continue;
        }
        match EntityRef::parse(text, default_kind.unwrap_or("component")) {
            None => item.wrong(
                format!("{text:?} is not an entity reference"),
                "write `kind:namespace/name`, for example `resource:default/users_v1`",
            ),
            Some(entity) if entities.contains(&entity) => {
                item.wrong(format!("{text:?} is named twice"), "remove one of the two");
            }
            Some(entity) => entities.push(entity),
        }
    }
    entities
}

fn transform(root: &Section<'_>) -> Transform {
    let section = root.section("transform", &["partial"]);
    let choices = [("withhold", Partial::Withhold), ("deliver", Partial::Deliver)];
    let partial = section.get("partial").and_then(|value| value.one_of(&choices));
    Transform { partial: partial.unwrap_or_default() }
}

pub(super) fn duration(value: &Value<'_>) -> Option<Duration> {
    let read = units::duration(value.string("\"5m\"")?);
    let help = "write a number with a unit: \"90s\", \"5m\", \"2h\"";
    read.map_err(|message| value.wrong(message, help)).ok()
}

/// A size in bytes: an integer, or a string with a unit.
pub(super) fn size(value: &Value<'_>) -> Option<u64> {
    if value.is_integer() {
        return value.whole(1, "536870912");
    }
    let read = units::size(value.string("\"512MiB\"")?);
    let help = "write a number with a unit: \"512MiB\", \"2GiB\"";
    read.map_err(|message| value.wrong(message, help)).ok()
}

/// The keys of `[sandbox]`.
const SANDBOX: &[&str] = &[
    "mode",
    "memory",
    "processes",
    "cpu",
    "output",
    "file_size",
    "disk",
    "silence",
    "read_only",
    "env",
    "require",
    "jobs",
];

fn sandbox(root: &Section<'_>, place: &Place<'_>) -> SandboxConfig {
    let section = root.section("sandbox", SANDBOX);
    let default = SandboxConfig::default();
    let modes = [("namespaces", SandboxMode::Namespaces), ("none", SandboxMode::None)];
    let bytes = |key: &str, default: u64| {
        let value = section.get(key);
        value.and_then(|value| size(&value)).unwrap_or(default)
    };
    let time = |key: &str| section.get(key).and_then(|value| duration(&value));
    let strings = |key: &str, example: &str| {
        let value = section.get(key);
        value.and_then(|value| value.strings(example)).unwrap_or_default()
    };
    let folders = strings("read_only", "[\"/opt/java\"]");
    let read_only = folders.iter().filter_map(|(item, text)| place.folder(item, text));
    let require = strings("require", "[\"network-off\"]");
    let jobs = section.get("jobs").and_then(|value| value.whole(1, "4"));
    SandboxConfig {
        mode: section.get("mode").and_then(|value| value.one_of(&modes)).unwrap_or_default(),
        memory: bytes("memory", default.memory),
        processes: section.get("processes").and_then(|value| value.whole(1, "256")).unwrap_or(default.processes),
        cpu: time("cpu").unwrap_or(default.cpu),
        output: bytes("output", default.output),
        file_size: bytes("file_size", default.file_size),
        disk: bytes("disk", default.disk),
        silence: time("silence"),
        read_only: read_only.collect(),
        env: env(&section),
        require: require.into_iter().map(|(_, text)| text.to_owned()).collect(),
        jobs: jobs.map(|jobs| usize::try_from(jobs).unwrap_or(usize::MAX)),
    }
}

fn env(sandbox: &Section<'_>) -> BTreeMap<String, String> {
    let section = sandbox.section("env", &["*"]);
    let mut env = BTreeMap::new();
    for (name, value) in section.entries() {
        let Some(text) = value.any_string("\"1\"") else {
            continue;
        };
        if name.is_empty() || name.contains(['=', '\0']) || text.contains('\0') {
            value.wrong(
                "this can't be an environment variable",
                "a name is not empty and has no `=`; neither part holds a zero byte",
            );
            continue;
        }
        env.insert(name, text.to_owned());
    }
    env
}

fn policy(root: &Section<'_>) -> Policy {
    let section = root.section("policy", &["annotated", "unverified", "weak", "review"]);
    let choices = [("deliver", Disposition::Deliver), ("hold", Disposition::Hold), ("approve", Disposition::Approve)];
    let read = |key: &str| section.get(key).and_then(|value| value.one_of(&choices));
    let usual = Policy::default();
    Policy {
        annotated: read("annotated").unwrap_or(usual.annotated),
        unverified: read("unverified").unwrap_or(usual.unverified),
        weak: read("weak").unwrap_or(usual.weak),
        review: read("review").unwrap_or(usual.review),
    }
}

/// The largest template, in bytes.
const MOST_TEMPLATE: u64 = 256 << 10;

fn deliver(root: &Section<'_>, place: &Place<'_>, seal: &mut Seal) -> Deliver {
    let section = root.section("deliver", &["how", "author", "remote", "template", "branch_per"]);
    let choices = [
        ("patches", Delivery::Patches),
        ("checkout", Delivery::Checkout),
        ("branch", Delivery::Branch),
        ("push", Delivery::Push),
    ];
    let how = section.get("how").and_then(|value| value.one_of(&choices));
    let author = section.get("author").and_then(|value| author(&value));
    let remote = section.get("remote").and_then(|value| {
        let name = value.string("\"origin\"")?;
        let plain = !name.starts_with('-') && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
        if !plain {
            value.wrong(format!("{name:?} is no name of a remote"), "write a name that `git remote` lists: \"origin\"");
        }
        plain.then(|| name.to_owned())
    });
    let template = section.get("template").and_then(|value| {
        let file = place.file(&value, value.string("\"pull-request.md.jinja\"")?)?;
        seal.mapping("template", &value, &file);
        let small = std::fs::metadata(&file).is_ok_and(|meta| meta.len() <= MOST_TEMPLATE);
        match std::fs::read_to_string(&file).ok().filter(|_| small) {
            Some(text) => Some(text),
            None => {
                value.wrong("this can't be read as text of at most 256 KiB", "name a template in UTF-8");
                None
            }
        }
    });
    let choices = [("consumer", BranchPer::Consumer), ("owner", BranchPer::Owner), ("wave", BranchPer::Wave)];
    let branch_per = section.get("branch_per").and_then(|value| {
        let per = value.one_of(&choices)?;
        if per != BranchPer::Consumer && !matches!(how, Some(Delivery::Branch | Delivery::Push)) {
            value.wrong("nothing is delivered as a branch here", "write how = \"branch\" or how = \"push\" beside it");
        }
        Some(per)
    });
    let branch_per = branch_per.unwrap_or_default();
    let remote = remote.unwrap_or_else(|| "origin".to_owned());
    Deliver { how: how.unwrap_or_default(), author, remote, template, branch_per }
}

fn author(value: &Value<'_>) -> Option<String> {
    let example = "\"Data Platform <data@example.org>\"";
    let text = value.string(example)?.trim();
    let parts = text.strip_suffix('>').and_then(|rest| rest.split_once(" <"));
    let plain = |part: &str| !part.trim().is_empty() && !part.contains(['<', '>', '\n', '\r']);
    if !parts.is_some_and(|(name, address)| plain(name) && plain(address)) {
        value.wrong(format!("{text:?} is not `Name <address>`"), format!("write for example {example}"));
        return None;
    }
    Some(text.to_owned())
}

fn state(root: &Section<'_>, place: &Place<'_>) -> Option<PathBuf> {
    let section = root.section("state", &["path"]);
    let value = section.get("path")?;
    let path = place.absolute(value.string("\".gander/users-v2\"")?);
    if path.exists() && !path.is_dir() {
        value.wrong("this exists and is not a folder", "name a folder, which gander creates");
    }
    Some(path)
}
