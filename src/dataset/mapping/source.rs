//! The three notations of a mapping table, TOML, YAML and CSV, read into one tree of
//! values that know their place.
//!
//! Must not: know what any key means.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use toml::de::{DeTable, DeValue};

/// Line and column of a file, from 1; columns are characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// `.toml`
    Toml,
    /// `.yaml`, `.yml`
    Yaml,
    /// `.csv`: `section,name,key,value`.
    Csv,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    pub(super) node: Node,
    pub(super) place: Place,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    Integer(i64),
    /// What no key of a table may be, and its name: "a list".
    Other(&'static str),
    /// In the order of the file.
    Table(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Value,
}

/// Text that is not what its notation asks for.
pub(super) struct Broken {
    pub(super) place: Place,
    pub(super) message: String,
}

/// Deepest nesting of a table: sections, names, keys, values.
const MAX_DEPTH: usize = 6;
/// A file that isn't TOML at all would yield an error a line.
const MAX_SYNTAX_ERRORS: usize = 20;

/// Reads a whole text.
pub(super) fn read(text: &str, notation: Notation) -> Result<Value, Vec<Broken>> {
    match notation {
        Notation::Toml => of_toml(text),
        Notation::Yaml => of_yaml(text).map_err(|broken| vec![broken]),
        Notation::Csv => of_csv(text),
    }
}

/// Line and column of every byte, asked in any order.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        Self { text, starts }
    }

    fn place(&self, at: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let before = self.text.get(self.starts[line - 1]..at).unwrap_or("");
        Place { line: line as u32, column: before.chars().count() as u32 + 1 }
    }
}

fn of_toml(text: &str) -> Result<Value, Vec<Broken>> {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let broken = |error: &toml::de::Error| Broken {
            place: lines.place(error.span().map_or(0, |span| span.start)),
            message: format!("not TOML: {}", error.message()),
        };
        return Err(errors.iter().take(MAX_SYNTAX_ERRORS).map(broken).collect());
    }
    Ok(Value { node: toml_table(table.get_ref(), &lines, 0), place: Place { line: 1, column: 1 } })
}

fn toml_table(table: &DeTable<'_>, lines: &Lines<'_>, depth: usize) -> Node {
    if depth > MAX_DEPTH {
        return Node::Other("a table that lies too deep");
    }
    let mut entries: Vec<(usize, Entry)> = table
        .iter()
        .map(|(key, value)| {
            let at = key.span().start;
            let node = match value.get_ref() {
                DeValue::String(text) => Node::Text(text.to_string()),
                DeValue::Integer(number) => {
                    number.to_string().parse().map_or(Node::Other("a number out of range"), Node::Integer)
                }
                DeValue::Table(table) => toml_table(table, lines, depth + 1),
                DeValue::Array(_) => Node::Other("a list"),
                DeValue::Boolean(_) => Node::Other("true or false"),
                _ => Node::Other("a number or a date"),
            };
            let value = Value { node, place: lines.place(value.span().start) };
            (at, Entry { key: key.get_ref().to_string(), place: lines.place(at), value })
        })
        .collect();
    entries.sort_by_key(|(at, _)| *at);
    Node::Table(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn of_yaml(text: &str) -> Result<Value, Broken> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(super::MAX_BYTES),
            max_events: 4_000_000,
            max_nodes: 2_000_000,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_depth: 16,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 50_000, max_replay_stack_depth: 16, },
    };
    serde_saphyr::from_str_with_options::<Value>(text, options).map_err(|error| {
        let place = error.location();
        let message = error.without_snippet().to_string();
        let first = message.lines().next().unwrap_or("not YAML");
        // What the library has to say of its own settings is nothing for who writes a table.
        let first = [" at line ", ", set "]
            .iter()
            .filter_map(|end| first.split_once(end))
            .map(|(head, _)| head)
            .min_by_key(|head| head.len())
            .unwrap_or(first);
        Broken {
            place: place.map_or(Place { line: 1, column: 1 }, |place| Place {
                line: place.line() as u32,
                column: place.column() as u32,
            }),
            message: format!("not YAML: {}", first.chars().take(300).collect::<String>()),
        }
    })
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Node>::deserialize(deserializer)?;
        let place = Place { line: spanned.referenced.line() as u32, column: spanned.referenced.column() as u32 };
        Ok(Self { node: spanned.value, place })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other("nothing"))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Other("nothing"))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other("true or false"))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or(Node::Other("a number out of range"), Node::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other("a number with a fraction"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        while items.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(Node::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut table: Vec<Entry> = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Value, Value>()? {
            let name = match key.node {
                Node::Text(text) => text,
                Node::Integer(number) => number.to_string(),
                _ => continue,
            };
            table.push(Entry { key: name, place: key.place, value });
        }
        Ok(Node::Table(table))
    }
}

/// The columns of the CSV notation.
const HEADER: [&str; 4] = ["section", "name", "key", "value"];

fn of_csv(text: &str) -> Result<Value, Vec<Broken>> {
    let first = Place { line: 1, column: 1 };
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map(|header| header.iter().map(str::to_lowercase).collect::<Vec<_>>());
    if !header.is_ok_and(|header| header == HEADER) {
        let message = format!("a mapping table in CSV begins with the line `{}`", HEADER.join(","));
        return Err(vec![Broken { place: first, message }]);
    }
    let (mut root, mut broken, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, |at| at.line() as u32);
                broken.push(Broken { place: Place { line, column: 1 }, message: format!("not CSV: {error}") });
                break;
            }
        };
        let place = Place { line: record.position().map_or(1, |at| at.line() as u32), column: 1 };
        if record.iter().all(str::is_empty) || record.get(0).is_some_and(|first| first.starts_with('#')) {
            continue;
        }
        let [section, name, key, value] = [0, 1, 2, 3].map(|at| record.get(at).unwrap_or(""));
        if record.len() != HEADER.len() || section.is_empty() || name.is_empty() {
            let message = format!("a line has {} cells, of which the first two say something", HEADER.len());
            broken.push(Broken { place, message });
            continue;
        }
        let (key, below) = key.split_once('.').map_or((key, None), |(key, below)| (key, Some(below)));
        let path: Vec<&str> =
            [section, name].into_iter().chain((!key.is_empty()).then_some(key)).chain(below).collect();
        if !seen.insert(path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>()) {
            broken.push(Broken { place, message: format!("`{}` is given twice", path.join(".")) });
            continue;
        }
        insert(&mut root, &path, Value { node: Node::Text(value.to_owned()), place });
    }
    if broken.is_empty() { Ok(Value { node: Node::Table(root), place: first }) } else { Err(broken) }
}

/// Puts a value below the keys of `path`; a text gives way to a table.
fn insert(table: &mut Vec<Entry>, path: &[&str], value: Value) {
    let Some((key, rest)) = path.split_first() else { return };
    let place = value.place;
    // Lines about one thing mostly follow each other: a search from the end is short.
    let found = table.iter().rposition(|entry| entry.key == *key);
    if rest.is_empty() {
        table.push(Entry { key: (*key).to_owned(), place, value });
        return;
    }
    let at = found.filter(|at| matches!(table[*at].value.node, Node::Table(_))).unwrap_or_else(|| {
        let value = Value { node: Node::Table(Vec::new()), place };
        table.push(Entry { key: (*key).to_owned(), place, value });
        table.len() - 1
    });
    if let Node::Table(below) = &mut table[at].value.node {
        insert(below, rest, value);
    }
}
