//! `package.json`, `Cargo.toml` and `pyproject.toml`.

use std::ops::Range as Bytes;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::lines::{bounds, pythons, requirement};
use super::{Contents, Declared, Range, Role, Version};
use crate::language;
use crate::tree::{Node, parse};

/// The lists of `package.json`.
const NPM: [&str; 4] = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];

/// What says of dependencies of dependencies which version is installed, in npm, Yarn and pnpm.
const INSTEAD: [&[&str]; 3] = [&["overrides"], &["resolutions"], &["pnpm", "overrides"]];

/// `package.json`.
pub(super) fn package_json(text: &str) -> Result<Contents, String> {
    let language = language::by_name("json").ok_or("there is no grammar of JSON")?;
    let tree = parse(language, text).map_err(|error| error.to_string())?;
    if let Some(error) = tree.errors().next() {
        let (line, column) = error.line_column();
        return Err(format!("{line}:{column} is no JSON"));
    }
    let root: Vec<_> = tree.root().named_children().flat_map(pairs).collect();
    let lists = root.iter().filter(|(key, _)| NPM.contains(&inner(*key).0));
    let mut all = Vec::new();
    for (name, version) in lists.flat_map(|(_, list)| pairs(*list)) {
        let (text, at) = inner(version);
        let (versions, site) = bounds(text, at.start, npm);
        all.push(Declared::new(inner(name).0, versions, site));
    }
    for path in INSTEAD {
        let why = format!("`{}` says what is installed instead", path[path.len() - 1]);
        // One within another is that of a dependency of it.
        let mut waiting = path.iter().fold(root.clone(), |list, key| below(list, key));
        while !waiting.is_empty() {
            all.extend(
                waiting.iter().map(|(name, _)| Declared::unknown(selected(inner(*name).0), &why).with(Role::Replaces)),
            );
            waiting = waiting.into_iter().flat_map(|(_, value)| pairs(value)).collect();
        }
    }
    Ok(all.into())
}

/// The dependency that a selector ends with: that of `**/a`, `x>a@1` and `@s/a`.
fn selected(selector: &str) -> &str {
    let last = selector.rsplit('>').next().unwrap_or(selector);
    let last = last.rfind('@').filter(|at| *at > 0 && !last[..*at].ends_with('/')).map_or(last, |at| &last[..at]);
    let scope = last.rfind("/@").map(|at| at + 1).or_else(|| last.starts_with('@').then_some(0));
    let plain = || last.rfind('/').map_or(0, |at| at + 1);
    &last[scope.unwrap_or_else(plain)..]
}

/// The pairs of an object.
fn pairs(object: Node<'_>) -> Vec<(Node<'_>, Node<'_>)> {
    let pairs = object.named_children().filter(|node| node.kind() == "pair");
    pairs.filter_map(|pair| Some((pair.field("key")?, pair.field("value")?))).collect()
}

/// The pairs of what stands under a key.
fn below<'t>(list: Vec<(Node<'t>, Node<'t>)>, key: &str) -> Vec<(Node<'t>, Node<'t>)> {
    list.into_iter().filter(|(name, _)| inner(*name).0 == key).flat_map(|(_, value)| pairs(value)).collect()
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
    // A sign may stand apart from its number.
    let mut sign = "";
    for part in text.split_whitespace() {
        let split = part.find(|c: char| c.is_ascii_digit() || c == 'v').unwrap_or(part.len());
        if split == part.len() && sign.is_empty() {
            sign = part;
            continue;
        }
        if !sign.is_empty() && split > 0 {
            return None;
        }
        let operator = if sign.is_empty() { &part[..split] } else { std::mem::take(&mut sign) };
        range.bound_of_many(operator, Version::parse(&part[split..])?)?;
    }
    Some(range).filter(|range| sign.is_empty() && *range != Range::default())
}

/// `0.12` lets it grow as `^0.12` does.
fn caret(text: &str) -> Option<Range> {
    let mut range = Range::default();
    for part in text.split(',').map(str::trim) {
        let split = part.find(|c: char| !"<>=~^".contains(c))?;
        let operator = if split == 0 { "^" } else { &part[..split] };
        range.bound_of_many(operator, Version::parse(&part[split..])?)?;
    }
    Some(range)
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

/// The names in a table, as what takes the place of what is asked for.
fn replaced<'t>(table: Option<&'t Table<'_>>, why: &'t str) -> impl Iterator<Item = Declared> + 't {
    let names = table.into_iter().flat_map(|table| table.keys());
    // `[replace]` names versions, too.
    names.map(move |name| {
        let name = name.get_ref().split(':').next().unwrap_or_default();
        Declared::unknown(name, why).with(Role::Replaces)
    })
}

/// `Cargo.toml`.
pub(super) fn cargo(text: &str) -> Result<Contents, String> {
    const LISTS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let read = toml_of(text)?;
    let root = read.get_ref();
    let mut tables: Vec<&Table<'_>> = LISTS.iter().filter_map(|list| at(root, &[list])).collect();
    for (_, target) in at(root, &["target"]).into_iter().flat_map(|targets| targets.iter()) {
        if let DeValue::Table(target) = target.get_ref() {
            tables.extend(LISTS.iter().filter_map(|list| at(target, &[list])));
        }
    }
    let cargos = |text: &str, at: usize| bounds(text, at, caret);
    let mut all: Vec<Declared> = tables.into_iter().flat_map(|table| list(table, text, cargos)).collect();
    let managed = at(root, &["workspace", "dependencies"]).into_iter().flat_map(|table| list(table, text, cargos));
    all.extend(managed.map(|one| one.with(Role::Manages)));
    for (_, source) in at(root, &["patch"]).into_iter().flat_map(|sources| sources.iter()) {
        if let DeValue::Table(source) = source.get_ref() {
            all.extend(replaced(Some(source), "`[patch]` says what is built instead"));
        }
    }
    all.extend(replaced(at(root, &["replace"]), "`[replace]` says what is built instead"));
    Ok(all.into())
}

/// Reads versions that begin at this byte.
type Read = fn(&str, usize) -> (Result<Range, String>, Result<Bytes<usize>, String>);

/// A table of names and versions, or of tables that hold a version.
fn list(table: &Table<'_>, text: &str, read: Read) -> Vec<Declared> {
    let all = table.iter().flat_map(|(key, value)| match value.get_ref() {
        DeValue::Array(several) => several.iter().map(|one| entry(key.get_ref(), one, text, read)).collect(),
        _ => vec![entry(key.get_ref(), value, text, read)],
    });
    all.collect()
}

fn entry(key: &str, value: &Spanned<DeValue<'_>>, text: &str, read: Read) -> Declared {
    let DeValue::Table(more) = value.get_ref() else { return versions(key, value, text, read) };
    let name = match more.get("package").map(Spanned::get_ref) {
        Some(DeValue::String(name)) => name,
        _ => key,
    };
    let workspace = more.get("workspace").map(Spanned::get_ref);
    match (more.get("version"), workspace) {
        (Some(version), _) => versions(name, version, text, read),
        (None, Some(DeValue::Boolean(true))) => Declared::unknown(name, "its workspace decides it").with(Role::Defers),
        (None, _) => Declared::unknown(name, "it is not written here"),
    }
}

fn versions(name: &str, value: &Spanned<DeValue<'_>>, text: &str, read: Read) -> Declared {
    let DeValue::String(written) = value.get_ref() else { return Declared::unknown(name, "it is not read") };
    let (versions, site) = match plain(text, value.span(), written) {
        Some(at) => read(written, at),
        None => (read(written, 0).0, Err(ESCAPED.to_owned())),
    };
    Declared::new(name, versions, site)
}

/// Why a text has no place for another number.
const ESCAPED: &str = "it is written with escapes or in several lines";

/// The byte at which a string of TOML begins, where it is written as it reads.
fn plain(text: &str, span: Bytes<usize>, written: &str) -> Option<usize> {
    let inner = text.get(span.start + 1..span.end.checked_sub(1)?)?;
    (inner == written).then_some(span.start + 1)
}

/// `pyproject.toml`, as Python's standard has it and as Poetry does.
pub(super) fn pyproject(text: &str) -> Result<Contents, String> {
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
    all.extend(lists.into_iter().flat_map(|list| required(list, text)));
    if let Some(poetry) = at(root, &["tool", "poetry"]) {
        let groups = at(poetry, &["group"]).into_iter().flat_map(|groups| groups.iter());
        let groups = groups.filter_map(|(_, group)| match group.get_ref() {
            DeValue::Table(group) => at(group, &["dependencies"]),
            _ => None,
        });
        let own = ["dependencies", "dev-dependencies"].iter().filter_map(|list| at(poetry, &[list]));
        all.extend(own.chain(groups).flat_map(|table| list(table, text, pythons)));
    }
    if let Some(uv) = at(root, &["tool", "uv"]) {
        const WHY: &str = "`tool.uv` says what is installed instead";
        all.extend(replaced(at(uv, &["sources"]), WHY));
        let instead = uv.get("override-dependencies").into_iter().flat_map(|list| required(list.get_ref(), text));
        all.extend(instead.map(|one| Declared::unknown(&one.name, WHY).with(Role::Replaces)));
    }
    Ok(all.into())
}

/// The requirements in a list.
fn required(list: &DeValue<'_>, text: &str) -> Vec<Declared> {
    let DeValue::Array(items) = list else { return Vec::new() };
    let one = |item: &Spanned<DeValue<'_>>| {
        // `{ include-group = … }` is none.
        let DeValue::String(written) = item.get_ref() else { return None };
        match plain(text, item.span(), written) {
            Some(at) => requirement(written, at),
            None => requirement(written, 0).map(|one| Declared { site: one.site.and(Err(ESCAPED.to_owned())), ..one }),
        }
    };
    items.iter().filter_map(one).collect()
}
