//! From values with places to a [`Mapping`], or everything that is wrong with it.

use std::collections::{BTreeMap, HashMap};

use super::error::{MappingErrors, Notes, nearest};
use super::expression::{Expression, is_name};
use super::source::{self, Entry, Node, Notation, Place, Value};
use super::{At, Becomes, Column, Literal, MAX_BYTES, Mapping, Position, Renamed, System, Values};
use crate::language;
use crate::tree::parse;

/// The most columns of a table.
pub const MAX_COLUMNS: usize = 100_000;
/// The longest name, in bytes.
const MAX_NAME: usize = 1024;

/// Languages that expressions may be written in: the key, and the language that reads them.
const EXPRESSIONS: [(&str, &str); 6] = [
    ("sql", "sql"),
    ("pyspark", "python"),
    ("pandas", "python"),
    ("scala", "scala"),
    ("java", "java"),
    ("typescript", "typescript"),
];

/// Reads a table; `file` is its path as the user wrote it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(text: &str, notation: Notation, file: &str) -> Result<Mapping, MappingErrors> {
    let mut notes = Notes::default();
    let first = Place { line: 1, column: 1 };
    if text.len() > MAX_BYTES {
        let message = format!("the table is longer than {} MiB", MAX_BYTES >> 20);
        notes.add(first, "", message, "split the dataset's columns over several datasets");
        return Err(MappingErrors { file: file.to_owned(), errors: notes.into_errors() });
    }
    let mapping = match source::read(text.strip_prefix('\u{feff}').unwrap_or(text), notation) {
        Ok(root) => mapping(&root, &mut notes),
        Err(broken) => {
            for one in broken {
                notes.add(one.place, "", one.message, "correct it here; the rest is checked once this can be read");
            }
            None
        }
    };
    let errors = notes.into_errors();
    match mapping {
        Some(mapping) if errors.is_empty() => Ok(mapping),
        _ => Err(MappingErrors { file: file.to_owned(), errors }),
    }
}

/// The entries of a table; says so where it is none.
fn table<'v>(value: &'v Value, key: &str, notes: &mut Notes) -> &'v [Entry] {
    match &value.node {
        Node::Table(entries) => entries,
        _ => {
            notes.add(value.place, key, "this is no table", format!("write `[{key}]` and its keys below"));
            &[]
        }
    }
}

fn text<'v>(value: &'v Value, key: &str, notes: &mut Notes) -> Option<&'v str> {
    match &value.node {
        Node::Text(text) if !text.trim().is_empty() && text.len() <= 16 * MAX_NAME => return Some(text),
        Node::Text(text) if text.len() > 16 * MAX_NAME => {
            notes.add(value.place, key, "this text is too long", "shorten it");
        }
        Node::Text(_) => notes.add(value.place, key, "this is empty", "give a text"),
        _ => notes.add(value.place, key, "this is no text", "put it in quotes"),
    }
    None
}

fn known(entries: &[Entry], keys: &[&str], path: &str, notes: &mut Notes) {
    let mut seen = std::collections::HashSet::new();
    for entry in entries {
        let key = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
        if !keys.contains(&entry.key.as_str()) {
            notes.add(entry.place, &key, "this key is not known", nearest(&entry.key, keys));
        } else if !seen.insert(&entry.key) {
            notes.add(entry.place, &key, "this key is given twice", "keep one of them");
        }
    }
}

fn get<'v>(entries: &'v [Entry], key: &str) -> Option<&'v Value> {
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

fn mapping(root: &Value, notes: &mut Notes) -> Option<Mapping> {
    let entries = table(root, "", notes);
    known(entries, &["dataset", "names", "columns"], "", notes);
    for (section, example) in [
        ("dataset", "name = \"users\""),
        ("names", "table = { old = \"…\", new = \"…\" }"),
        ("columns", "user_id = \"user_id\""),
    ] {
        if get(entries, section).is_none() {
            let help = format!("add it: `[{section}]` with `{example}`");
            notes.add(root.place, section, "this section is missing", help);
        }
    }
    let about = get(entries, "dataset").map(|value| table(value, "dataset", notes)).unwrap_or_default();
    known(about, &["name", "guide"], "dataset", notes);
    let name = get(about, "name").and_then(|value| {
        let name = text(value, "dataset.name", notes)?;
        if !is_name(&name.replace('-', "_")) {
            notes.add(value.place, "dataset.name", format!("{name:?} is no name"), "use letters, digits, `_` and `-`");
        }
        Some(name.to_owned())
    });
    if name.is_none() && get(about, "name").is_none() && get(entries, "dataset").is_some() {
        notes.add(root.place, "dataset.name", "this key is missing", "add it: `name = \"users\"`");
    }
    let guide = get(about, "guide").and_then(|value| Some(text(value, "dataset.guide", notes)?.to_owned()));
    let columns = get(entries, "columns").map(|value| columns(value, notes)).unwrap_or_default();
    let names = get(entries, "names").map(|value| names(value, &columns, notes)).unwrap_or_default();
    distinct(&columns, notes);
    Some(Mapping::new(name?, guide, names, columns))
}

fn names(value: &Value, columns: &[Column], notes: &mut Notes) -> Vec<Renamed> {
    let entries = table(value, "names", notes);
    let words = System::ALL.map(|(word, _)| word);
    known(entries, &words, "names", notes);
    if entries.is_empty() && matches!(value.node, Node::Table(_)) {
        let help = "add one: `table = { old = \"project.dataset.table\", new = \"…\" }`";
        notes.add(value.place, "names", "the dataset has no name", help);
    }
    let mut names = Vec::new();
    for entry in entries {
        let Some((word, system)) = System::ALL.into_iter().find(|(word, _)| *word == entry.key) else { continue };
        let key = format!("names.{word}");
        let pair = table(&entry.value, &key, notes);
        known(pair, &["old", "new"], &key, notes);
        let mut side = |which: &str| match get(pair, which) {
            Some(value) => Some((text(value, &format!("{key}.{which}"), notes)?.trim().to_owned(), value.place)),
            None => {
                let help = format!("write `{word} = {{ old = \"…\", new = \"…\" }}`");
                notes.add(entry.place, &format!("{key}.{which}"), "this key is missing", help);
                None
            }
        };
        let (Some((old, at)), Some((new, new_at))) = (side("old"), side("new")) else { continue };
        if old == new {
            let swaps = chains(columns);
            let message = match &swaps {
                Some(names) => format!("the dataset keeps its name, while names of columns move ({names})"),
                None => "old and new are the same".to_owned(),
            };
            let help = match swaps {
                Some(_) => {
                    "a chain or a swap of names needs a dataset of another name: nobody could tell, by a column alone, which of the two is read"
                }
                None => "give the new name, or leave this line out",
            };
            notes.add(new_at, &key, message, help);
            continue;
        }
        if let Some(wrong) = shape(system, &old) {
            notes.add(at, &format!("{key}.old"), wrong.0, wrong.1);
        }
        match shape(system, &new) {
            Some(wrong) => notes.add(new_at, &format!("{key}.new"), wrong.0, wrong.1),
            None if old.matches('*').count() != new.matches('*').count() => {
                let message = "a `*` stands for the same text in both names";
                notes.add(new_at, &key, message, "put one `*` into each, or none");
            }
            None => {}
        }
        names.push(Renamed { system, old, new });
    }
    names
}

/// A chain or a swap among the columns, for people.
fn chains(columns: &[Column]) -> Option<String> {
    let old: HashMap<&str, &Column> = columns.iter().map(|column| (column.name.as_str(), column)).collect();
    let moved = |column: &&Column| column.to().is_some_and(|to| to != column.name && old.contains_key(to));
    columns.iter().find(moved).map(|column| format!("{} becomes {}", column.name, column.to().unwrap_or_default()))
}

/// What is wrong with a name of a system.
fn shape(system: System, name: &str) -> Option<(String, &'static str)> {
    let parts: Vec<&str> = name.split('.').collect();
    let empty = parts.iter().any(|part| part.is_empty());
    let wrong = |what: &str, help| Some((format!("{name:?} is {what}"), help));
    if name.len() > MAX_NAME || name.chars().any(|c| c.is_control() || c.is_whitespace() || "`'\"".contains(c)) {
        return wrong("no name", "write it without quotes and white space");
    }
    if name.matches('*').count() > 1 || name.contains('*') && !parts.last().is_some_and(|last| last.contains('*')) {
        return wrong("a pattern with more than one `*`", "one `*` may stand in the last part");
    }
    match system {
        System::Table if empty || !(2..=3).contains(&parts.len()) => {
            wrong("no table", "write `project.dataset.table`, or `dataset.table`")
        }
        System::DbtSource if empty || parts.len() != 2 => wrong("no source of dbt", "write `source.table`"),
        System::DbtRef if empty || parts.len() > 2 => wrong("no model of dbt", "write `model`, or `package.model`"),
        System::Type if empty || parts.len() < 2 => wrong("no class", "write it with its package"),
        System::Path if !name.contains('/') => wrong("no path", "write it with its scheme, as `gs://bucket/folder`"),
        _ => None,
    }
}

fn columns(value: &Value, notes: &mut Notes) -> Vec<Column> {
    let entries = table(value, "columns", notes);
    if entries.len() > MAX_COLUMNS {
        let message = format!("{} columns, more than {MAX_COLUMNS}", entries.len());
        notes.add(value.place, "columns", message, "no dataset has so many; look at how the table was made");
        return Vec::new();
    }
    let mut seen: HashMap<String, Place> = HashMap::new();
    let mut columns = Vec::new();
    for entry in entries {
        let key = format!("columns.{}", entry.key);
        if let Some(first) = seen.get(&entry.key.to_lowercase()) {
            let message = format!("the column was given at {}:{} already", first.line, first.column);
            notes.add(entry.place, &key, message, "columns are compared without case: keep one of them");
            continue;
        }
        seen.insert(entry.key.to_lowercase(), entry.place);
        column_name(&entry.key, entry.place, &key, notes);
        columns.extend(column(entry, &key, notes));
    }
    columns
}

fn column_name(name: &str, place: Place, key: &str, notes: &mut Notes) {
    if !is_name(name) || name.len() > MAX_NAME {
        notes.add(place, key, format!("{name:?} is no name of a column"), "use letters, digits and `_`");
    }
}

fn column(entry: &Entry, key: &str, notes: &mut Notes) -> Option<Column> {
    let made = |becomes| Column {
        name: entry.key.clone(),
        becomes,
        positions: BTreeMap::new(),
        values: None,
        fields: Vec::new(),
        place: entry.place,
    };
    let entries = match &entry.value.node {
        Node::Text(_) => {
            let to = text(&entry.value, key, notes)?;
            column_name(to, entry.value.place, key, notes);
            return Some(made(Becomes::To(to.to_owned())));
        }
        Node::Table(entries) => entries,
        _ => {
            let help = "give the new name in quotes, or a table: `{ to = \"…\" }`, `{ drop = \"why\" }`";
            notes.add(entry.value.place, key, "this is no name", help);
            return None;
        }
    };
    let positions = Position::ALL.map(|(word, _)| word);
    let keys: Vec<&str> = ["to", "annotate", "drop", "refuse", "values", "literals", "fields"]
        .into_iter()
        .chain(EXPRESSIONS.map(|(word, _)| word))
        .chain(positions)
        .collect();
    known(entries, &keys, key, notes);
    let mut column = made(becomes(entries, entry.place, key, notes)?);
    for (word, position) in Position::ALL {
        let Some(value) = get(entries, word) else { continue };
        let key = format!("{key}.{word}");
        let at = match text(value, &key, notes) {
            Some("map") => At::Map,
            Some("annotate") => At::Annotate,
            Some("refuse") => At::Refuse,
            Some(other) => {
                let help = nearest(other, &["map", "annotate", "refuse"]);
                notes.add(value.place, &key, format!("{other:?} is nothing that is done"), help);
                continue;
            }
            None => continue,
        };
        column.positions.insert(position, at);
    }
    column.values = values(entries, key, notes);
    column.fields = fields(entries, key, notes);
    let plain = matches!(column.becomes, Becomes::To(_));
    for what in ["values", "fields"] {
        if let Some(value) = get(entries, what).filter(|_| !plain) {
            let help = "give `to`, the name of the new column";
            notes.add(value.place, &format!("{key}.{what}"), "only a column with a new name has these", help);
        }
    }
    if !matches!(column.becomes, Becomes::To(_) | Becomes::Expressions(_)) && !column.positions.is_empty() {
        let help = "give `to`, or leave the positions out";
        notes.add(entry.place, key, "a column that never moves has no positions", help);
    }
    Some(column)
}

/// The one thing that becomes of a column.
fn becomes(entries: &[Entry], place: Place, key: &str, notes: &mut Notes) -> Option<Becomes> {
    let mut found: Vec<(&str, Becomes)> = Vec::new();
    let mut given = 0;
    for (word, make) in [
        ("to", Becomes::To as fn(String) -> Becomes),
        ("annotate", Becomes::Annotate),
        ("drop", Becomes::Drop),
        ("refuse", Becomes::Refuse),
    ] {
        let Some(value) = get(entries, word) else { continue };
        given += 1;
        let Some(said) = text(value, &format!("{key}.{word}"), notes) else { continue };
        if word == "to" {
            column_name(said, value.place, &format!("{key}.to"), notes);
        }
        found.push((word, make(said.to_owned())));
    }
    let mut expressions = BTreeMap::new();
    for (word, language) in EXPRESSIONS {
        let Some(value) = get(entries, word) else { continue };
        let key = format!("{key}.{word}");
        let Some(code) = text(value, &key, notes) else { continue };
        match expression(code, language) {
            Ok(expression) => {
                expressions.insert(word.to_owned(), expression);
            }
            Err(why) => notes.add(value.place, &key, why, "write `{name}` for a column of the new dataset"),
        }
    }
    let wrong = entries.iter().any(|entry| EXPRESSIONS.iter().any(|(word, _)| *word == entry.key));
    if !expressions.is_empty() {
        found.push(("an expression", Becomes::Expressions(expressions)));
    }
    match found.len() {
        1 => found.pop().map(|(_, becomes)| becomes),
        0 if given > 0 || wrong => None,
        0 => {
            let help = "give one of `to`, `sql`, `annotate`, `drop` and `refuse`";
            notes.add(place, key, "nothing says what becomes of the column", help);
            None
        }
        _ => {
            let words: Vec<&str> = found.iter().map(|(word, _)| *word).collect();
            notes.add(place, key, format!("{} contradict each other", words.join(" and ")), "keep one of them");
            None
        }
    }
}

/// Reads an expression, which must be one of its language.
fn expression(code: &str, language: &str) -> Result<Expression, String> {
    let expression = Expression::parse(code)?;
    let spelled = expression.write(|name| name.to_owned());
    let Some(grammar) = language::by_name(language) else { return Ok(expression) };
    let (before, after) = match language {
        "sql" => ("select ", " from t"),
        "java" => ("class A { Object x = ", "; }"),
        "scala" => ("object A { val x = ", "\n}"),
        _ => ("x = ", "\n"),
    };
    let whole = format!("{before}{spelled}{after}");
    let tree = parse(grammar, whole.clone()).map_err(|error| error.to_string())?;
    // One expression, not two: a comma would make two columns of it.
    let one = || {
        let range = before.len()..before.len() + spelled.trim_end().len();
        language != "sql"
            || tree.iter().any(|node| node.local_range() == range && node.kind() != "select_item")
                && tree.iter().filter(|node| node.kind() == "select_item").take(2).count() == 1
    };
    match tree.errors().next() {
        Some(_) => Err(format!("this is no expression of {language}: `{code}`")),
        None if !one() => Err(format!("this is not one expression of {language}: `{code}`")),
        None => Ok(expression),
    }
}

fn values(entries: &[Entry], key: &str, notes: &mut Notes) -> Option<Values> {
    let literals = get(entries, "literals");
    let Some(value) = get(entries, "values") else {
        if let Some(literals) = literals {
            notes.add(
                literals.place,
                &format!("{key}.literals"),
                "there are no `values`",
                "add them, or leave this out",
            );
        }
        return None;
    };
    let (mut old, mut new) = (Literal::String, Literal::String);
    if let Some(literals) = literals {
        let key = format!("{key}.literals");
        let entries = table(literals, &key, notes);
        known(entries, &["old", "new"], &key, notes);
        for (side, literal) in [("old", &mut old), ("new", &mut new)] {
            let Some(value) = get(entries, side) else { continue };
            let key = format!("{key}.{side}");
            let Some(word) = text(value, &key, notes) else { continue };
            match Literal::ALL.iter().find(|(known, _)| *known == word) {
                Some((_, found)) => *literal = *found,
                None => {
                    let help = nearest(word, &Literal::ALL.map(|(word, _)| word));
                    notes.add(value.place, &key, format!("{word:?} is no kind of literal"), help);
                }
            }
        }
    }
    let key = format!("{key}.values");
    let mut rows = BTreeMap::new();
    for row in table(value, &key, notes) {
        let said = match &row.value.node {
            Node::Text(text) => text.clone(),
            Node::Integer(number) => number.to_string(),
            _ => {
                notes.add(row.value.place, &key, "this is no literal", "put it in quotes");
                continue;
            }
        };
        for (what, literal, text, place) in [("old", old, &row.key, row.place), ("new", new, &said, row.value.place)] {
            if !literal.reads(text) {
                let message = format!("{text:?} is not of the {what} literals' kind");
                let help = "say which kinds they are: `literals = { old = \"integer\", new = \"string\" }`";
                notes.add(place, &key, message, help);
            }
        }
        // In quotes of SQL it would end the text, or begin an escape.
        if said.contains(['\'', '"', '\\', '`', '\n', '\r', '{', '}', '$']) {
            let help = "gander writes it into code of many languages: leave the literal to people (`annotate`)";
            notes.add(row.value.place, &key, format!("{said:?} holds a character that needs an escape"), help);
        }
        if rows.insert(row.key.clone(), said).is_some() {
            notes.add(row.place, &key, format!("{:?} has two rows", row.key), "keep one of them");
        }
    }
    if rows.is_empty() && matches!(value.node, Node::Table(_)) {
        notes.add(value.place, &key, "there is no row", "add one, or leave `values` out");
    }
    Some(Values { old, new, rows })
}

fn fields(entries: &[Entry], key: &str, notes: &mut Notes) -> Vec<(String, String)> {
    let Some(value) = get(entries, "fields") else { return Vec::new() };
    let key = format!("{key}.fields");
    let (mut fields, mut to): (Vec<(String, String)>, HashMap<String, String>) = Default::default();
    for entry in table(value, &key, notes) {
        let key = format!("{key}.{}", entry.key);
        column_name(&entry.key, entry.place, &key, notes);
        let Some(new) = text(&entry.value, &key, notes) else { continue };
        column_name(new, entry.value.place, &key, notes);
        if let Some(other) = to.insert(new.to_lowercase(), entry.key.clone()) {
            let message = format!("{other} becomes {new} already");
            notes.add(entry.value.place, &key, message, "two fields can't become one");
        }
        fields.push((entry.key.clone(), new.to_owned()));
    }
    fields
}

/// No two columns become one.
fn distinct(columns: &[Column], notes: &mut Notes) {
    let mut to: HashMap<String, &Column> = HashMap::new();
    for column in columns {
        let Some(new) = column.to() else { continue };
        if let Some(other) = to.insert(new.to_lowercase(), column) {
            let message = format!("{} (line {}) becomes {new} already", other.name, other.place.line);
            let help = "two columns can't become one: give one of them another name, an expression or `annotate`";
            notes.add(column.place, &format!("columns.{}", column.name), message, help);
        }
    }
}
