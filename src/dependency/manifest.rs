//! `package.json`, `Cargo.toml` and `pyproject.toml`.

use std::ops::Range as Bytes;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::lines::{bounds, requirement};
use super::{Declared, Range, Version};
use crate::language;
use crate::tree::{Node, parse};

/// The lists of `package.json`.
const NPM: [&str; 4] = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];

/// `package.json`.
pub(super) fn package_json(text: &str) -> Result<Vec<Declared>, String> {
    let language = language::by_name("json").ok_or("there is no grammar of JSON")?;
    let tree = parse(language, text).map_err(|error| error.to_string())?;
    if let Some(error) = tree.errors().next() {
        let (line, column) = error.line_column();
        return Err(format!("{line}:{column} is no JSON"));
    }
    let lists = tree.root().named_children().flat_map(pairs).filter(|(key, _)| NPM.contains(&inner(*key).0));
    let all = lists.flat_map(|(_, list)| pairs(list)).map(|(name, version)| {
        let (text, at) = inner(version);
        let (versions, site) = bounds(text, at.start, npm);
        Declared { name: inner(name).0.to_owned(), versions, site }
    });
    Ok(all.collect())
}

/// The pairs of an object.
fn pairs(object: Node<'_>) -> Vec<(Node<'_>, Node<'_>)> {
    let pairs = object.named_children().filter(|node| node.kind() == "pair");
    pairs.filter_map(|pair| Some((pair.field("key")?, pair.field("value")?))).collect()
}

/// A string without its quotes, and where that stands.
fn inner(node: Node<'_>) -> (&str, Bytes<usize>) {
    let (text, range) = (node.text(), node.range());
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) => (inner, range.start + 1..range.end - 1),
        None => ("", range),
    }
}

/// One bound, or two that are parted by a space.
fn npm(text: &str) -> Option<Range> {
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || ".-+_<>=^~ ".contains(c));
    if !plain(text) || text.contains(" - ") {
        return None;
    }
    let mut range = Range::default();
    for part in text.split_whitespace() {
        let split = part.find(|c: char| c.is_ascii_digit() || c == 'v')?;
        range.bound(&part[..split], Version::parse(&part[split..])?)?;
    }
    Some(range).filter(|range| *range != Range::default())
}

/// `0.12` lets it grow as `^0.12` does.
fn caret(text: &str) -> Option<Range> {
    let bare = text.trim_start().starts_with(|c: char| c.is_ascii_digit());
    Range::parse(&if bare { format!("^{}", text.trim_start()) } else { text.to_owned() })
}

type Table<'a> = DeTable<'a>;

fn toml_of(text: &str) -> Result<Spanned<Table<'_>>, String> {
    DeTable::parse(text).map_err(|error| error.message().to_owned())
}

/// The table at a path of keys.
fn at<'t, 'a>(table: &'t Table<'a>, path: &[&str]) -> Option<&'t Table<'a>> {
    path.iter().try_fold(table, |table, key| match table.get(*key)?.get_ref() {
        DeValue::Table(inner) => Some(inner),
        _ => None,
    })
}

/// `Cargo.toml`.
pub(super) fn cargo(text: &str) -> Result<Vec<Declared>, String> {
    const LISTS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let read = toml_of(text)?;
    let root = read.get_ref();
    let mut tables: Vec<&Table<'_>> = LISTS.iter().filter_map(|list| at(root, &[list])).collect();
    tables.extend(at(root, &["workspace", "dependencies"]));
    for (_, target) in at(root, &["target"]).into_iter().flat_map(|targets| targets.iter()) {
        if let DeValue::Table(target) = target.get_ref() {
            tables.extend(LISTS.iter().filter_map(|list| at(target, &[list])));
        }
    }
    Ok(tables.into_iter().flat_map(|table| list(table, text, caret)).collect())
}

/// A table of names and versions, or of tables that hold a version.
fn list(table: &Table<'_>, text: &str, read: fn(&str) -> Option<Range>) -> Vec<Declared> {
    let one = |key: &str, value: &Spanned<DeValue<'_>>| {
        let (name, version) = match value.get_ref() {
            DeValue::String(_) => (key.to_owned(), Some(value)),
            DeValue::Table(more) => {
                let named = more.get("package").and_then(|name| match name.get_ref() {
                    DeValue::String(name) => Some(name.to_string()),
                    _ => None,
                });
                (named.unwrap_or_else(|| key.to_owned()), more.get("version"))
            }
            _ => return None,
        };
        let Some(version) = version else {
            let why = "it is not written here".to_owned();
            return Some(Declared { name, versions: Err(why), site: None });
        };
        let (inner, at) = quoted(text, version.span())?;
        let (versions, site) = bounds(inner, at, read);
        Some(Declared { name, versions, site })
    };
    table.iter().filter_map(|(key, value)| one(key.get_ref(), value)).collect()
}

/// A string of TOML without its quotes and escapes, and the byte at which it begins.
fn quoted(text: &str, span: Bytes<usize>) -> Option<(&str, usize)> {
    let raw = text.get(span.clone())?;
    let quote = raw.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    let inner = raw.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(['\\', '"', '\''])).then_some((inner, span.start + 1))
}

/// `pyproject.toml`, as Python's standard has it and as Poetry does.
pub(super) fn pyproject(text: &str) -> Result<Vec<Declared>, String> {
    let read = toml_of(text)?;
    let root = read.get_ref();
    let mut all = Vec::new();
    let mut lists: Vec<&DeValue<'_>> = Vec::new();
    if let Some(project) = at(root, &["project"]) {
        lists.extend(project.get("dependencies").map(Spanned::get_ref));
        let optional = at(project, &["optional-dependencies"]).into_iter().flat_map(|groups| groups.iter());
        lists.extend(optional.map(|(_, list)| list.get_ref()));
    }
    lists.extend(at(root, &["dependency-groups"]).into_iter().flat_map(|all| all.iter()).map(|(_, l)| l.get_ref()));
    for list in lists {
        let DeValue::Array(items) = list else { continue };
        let strings = items.iter().filter_map(|item| quoted(text, item.span()));
        all.extend(strings.filter_map(|(inner, at)| requirement(inner, at)));
    }
    if let Some(poetry) = at(root, &["tool", "poetry"]) {
        let groups = at(poetry, &["group"]).into_iter().flat_map(|groups| groups.iter());
        let groups = groups.filter_map(|(_, group)| match group.get_ref() {
            DeValue::Table(group) => at(group, &["dependencies"]),
            _ => None,
        });
        let own = ["dependencies", "dev-dependencies"].iter().filter_map(|list| at(poetry, &[list]));
        all.extend(own.chain(groups).flat_map(|table| self::list(table, text, Range::parse)));
    }
    Ok(all)
}
