//! SQL in the texts of code and configuration, and datasets that these name.
//!
//! A query in a text is a unit. Where names are put in at run time, or leave in a way that
//! the query does not show, what else in the file looks like one of the names is told with
//! it. Must not: follow values; a dataset's name that is no query's is told, and stays.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::dbt;
use super::decide::{Fate, Host, decide};
use super::elsewhere::Seen;
use super::file::{Around, Decided};
use super::flow;
use super::last;
use super::mapping::{Position, held_as_it_goes_on};
use super::names::{Datasets, Met, Part};
use super::put_in::{self, Table};
use super::replace::Replaced;
use super::sql::{self, Setting};
use super::text::{self, Placeholders, Text};
use super::usage::{Doubt, Form, Of, Unit, Use};
use super::visible;
use super::word::{self, is_name, is_word, words};
use crate::language::by_name;
use crate::tree::{Node, ParseError, Tree, is_text, operands, parse_embedded};

/// What queries begin with.
const STATEMENTS: [&str; 14] = [
    "select", "with", "insert", "update", "delete", "merge", "create", "from", "declare", "export", "truncate", "drop",
    "alter", "begin",
];

/// What parts of queries begin with.
const FRAGMENTS: [&str; 14] = [
    "where", "and", "or", "from", "join", "left", "inner", "group", "order", "having", "select", "union", "set",
    "qualify",
];

/// Every unit of a file of code or configuration.
///
/// # Errors
/// The parser gave up.
pub(super) fn decided(tree: &Tree, datasets: &Datasets, around: &Around) -> Result<Vec<Decided>, ParseError> {
    let followed = flow::followed(tree, datasets, around);
    let mut file = File {
        tree,
        datasets,
        around,
        found: followed.units,
        named: Vec::new(),
        holed: Vec::new(),
        texts: Vec::new(),
        loose: Vec::new(),
        accounted: followed.accounted,
        replaced: Replaced::of(tree),
        by_text: word::has_any(tree.text(), &BY_TEXT),
    };
    let mut skip_until = 0;
    for node in tree.iter() {
        if node.id.0 < skip_until {
            continue;
        }
        if visible::is_said(node) {
            skip_until = node.id.0 + node.subtree_len() as u32;
        } else if let Some(read) = text_of(node) {
            skip_until = node.id.0 + node.subtree_len() as u32;
            file.text(node, read)?;
            // A hole may hold a text of its own.
            file.nested(node)?;
        }
    }
    file.name_what_is_left();
    file.found.sort_by_key(|one| one.unit.range.start);
    Ok(file.found)
}

/// The text at a node; the inner `None` where it can't be read whole.
pub(super) fn text_of(node: Node<'_>) -> Option<Option<Text>> {
    if matches!(node.kind(), "plain_scalar" | "block_scalar") && node.tree().language.facts.name == "yaml" {
        return Some(text::plain(node));
    }
    // `f(x) + g(x)` is no text.
    if !is_text(node) || !operands(node).iter().any(|one| node.tree().language.is_string(one.kind_id())) {
        return None;
    }
    let (placeholders, margin) = call_around(node);
    // Who fills them in may be anywhere.
    let placeholders = if placeholders == Placeholders::None { Placeholders::Any } else { placeholders };
    Some(text::read(node, placeholders, margin))
}

/// What a call behind or around a text does with it.
fn call_around(node: Node<'_>) -> (Placeholders, bool) {
    let source = node.tree().text();
    let range = node.local_range();
    let after = source[range.end..].trim_start_matches([')', ' ', '\n']);
    let before = source[..range.start].trim_end();
    let formats = ["String.format(", "Sprintf(", "printf(", "Fprintf(", "formatted(", "sprintf("];
    let percent =
        after.starts_with('%') || after.starts_with(".formatted(") || formats.iter().any(|call| before.ends_with(call));
    // Macros of Rust that put values in.
    let macros = ["format!(", "println!(", "print!(", "write!(", "writeln!("];
    let braces = after.starts_with(".format(") || macros.iter().any(|call| before.ends_with(call));
    let placeholders = match (braces, percent) {
        (true, _) => Placeholders::Braces,
        (false, true) => Placeholders::Percent,
        (false, false) => Placeholders::None,
    };
    let margin = after.starts_with(".stripMargin") || after.starts_with(".trimMargin");
    (placeholders, margin)
}

/// Whether a text is put together with others, step by step.
fn is_piece(node: Node<'_>) -> bool {
    let source = node.tree().text();
    let before = source[..node.local_range().start].trim_end();
    ["StringBuilder(", "StringBuffer(", ".append(", "+=", ".push(", "WriteString("]
        .iter()
        .any(|call| before.ends_with(call))
}

struct File<'a> {
    tree: &'a Tree,
    datasets: &'a Datasets,
    around: &'a Around,
    found: Vec<Decided>,
    /// Texts that are a dataset's name, and nothing else.
    named: Vec<(Range<usize>, usize)>,
    /// Queries whose table is put in at run time: where, what they say, and these tables.
    holed: Vec<(usize, String, Vec<Table>)>,
    /// Texts that hold no unit: where, and what they say.
    texts: Vec<(usize, String)>,
    /// Their nodes, but for those that are put into another text.
    loose: Vec<Node<'a>>,
    /// Where texts begin that name tables, and that the flow of values knows.
    accounted: BTreeSet<usize>,
    /// What is replaced in texts.
    replaced: Replaced,
    /// Whether a library of the file names what is calculated by its text.
    by_text: bool,
}

/// Libraries that do.
const BY_TEXT: [&str; 9] =
    ["spark", "snowpark", "databricks", "duckdb", "snowflake", "mysql", "mariadb", "sqlite", "clickhouse"];

impl<'a> File<'a> {
    fn text(&mut self, node: Node<'a>, read: Option<Text>) -> Result<(), ParseError> {
        let Some(mut read) = read else {
            self.half_known(node);
            return Ok(());
        };
        let lower = read.masked.to_ascii_lowercase();
        let named = self.datasets.words().any(|word| lower.contains(&word.to_ascii_lowercase()));
        let (replaced, open) = if named { self.replaced.in_text(node) } else { (Vec::new(), false) };
        read.replace(&replaced);
        let first = read.masked.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        let word: String = first.chars().take_while(|c| c.is_alphabetic()).collect::<String>().to_lowercase();
        if STATEMENTS.contains(&word.as_str()) || first.starts_with("--") || first.starts_with("{%") {
            let Some(language) = by_name("sql") else { return Ok(()) };
            let tree = parse_embedded(language, read.masked.as_str(), read.start)?;
            let setting = Setting {
                dialect: self.around.dialect,
                holes: read.holes.clone(),
                project: self.around.project.clone(),
                by_text: self.by_text,
                ..Setting::default()
            };
            let units = sql::units(&tree, self.datasets, &setting);
            if !units.is_empty() {
                let open = open || puts_names_in(&read.masked);
                for mut unit in units {
                    if open {
                        let why = "something in the query is replaced, and what that is is not written out";
                        unit.doubts.push(Doubt::open(unit.range.clone(), why));
                    }
                    self.unit(unit, &read, node);
                }
                return Ok(());
            }
            let tables = put_in::tables(&read.masked, &read.holes);
            if !tables.is_empty() && (lower.contains("select") || tree.errors().next().is_none()) {
                self.holed.push((read.start, read.masked, tables));
                return Ok(());
            }
        }
        if self.accounted.contains(&node.range().start) {
            return Ok(());
        }
        match self.names_dataset(read.masked.trim()) {
            Some(dataset) => {
                let lead = read.masked.len() - read.masked.trim_start().len();
                let at = read.start + lead;
                self.named.push((at..at + read.masked.trim().len(), dataset));
            }
            None => {
                self.texts.push((read.start, read.masked));
                self.loose.push(node);
            }
        }
        Ok(())
    }

    /// The dataset that a whole text names: by its table, or by its path.
    fn names_dataset(&self, text: &str) -> Option<usize> {
        if text.is_empty() || text.len() > 1024 || text.contains(char::is_whitespace) {
            return None;
        }
        let parts: Vec<Part<'_>> = text.split(['.', ':']).map(Some).collect();
        if (2..=3).contains(&parts.len())
            && let Met::Dataset(dataset, _) = self.datasets.table(&parts, self.around.dialect.folds_tables())
        {
            return Some(dataset);
        }
        self.datasets.path(text).map(|(dataset, _)| dataset).or_else(|| self.datasets.path_pattern(text))
    }

    fn unit(&mut self, mut unit: Unit, read: &Text, node: Node<'_>) {
        if is_piece(node) {
            unit.doubts.push(Doubt::open(unit.range.clone(), "the query is put together piece by piece"));
        }
        self.doubt_given(&mut unit, node);
        let fate = decide(&unit, self.datasets, &Literal { read });
        self.found.push(Decided { unit, fate });
    }

    /// A value that may not reach every position leaves the query for code that speaks of it.
    fn doubt_given(&self, unit: &mut Unit, text: Node<'_>) {
        let inside = text.range();
        let given = std::mem::take(&mut unit.gives);
        if let Some(((_, column), place)) = given.first().zip(self.tree.iter().find(|node| is_by_place(*node))) {
            let why = held_as_it_goes_on(column, "this file reads what queries give by its place");
            unit.doubts.push(Doubt::annotate(place.range(), why));
        }
        for (name, column) in given {
            // A field of Go or Kotlin has the name without its lines: `UserTier`, `userTier`.
            let bare = |word: &str| word.replace('_', "").to_ascii_lowercase();
            let own = bare(&name);
            let speaks = |node: &Node<'_>| {
                let word = node.text().trim_matches(['"', '\'', '`', '$']);
                let range = node.range();
                node.is_leaf()
                    && !(inside.start <= range.start && range.end <= inside.end)
                    && word.len() >= own.len()
                    && (bare(word) == own || bare(word).strip_prefix("get") == Some(&*own))
            };
            if let Some(node) = self.tree.iter().find(speaks) {
                let why = held_as_it_goes_on(&column, "what this does with it is not followed");
                unit.doubts.push(Doubt::annotate(node.range(), why));
            } else if let Some(place) = self.around.spoken(&name, &Seen::Imported) {
                let why = held_as_it_goes_on(&column, &format!("{place} speaks of {name}"));
                unit.doubts.push(Doubt::annotate(unit.range.clone(), why));
            }
        }
    }

    /// Texts in the holes of a text.
    fn nested(&mut self, node: Node<'_>) -> Result<(), ParseError> {
        let language = node.tree().language;
        let facts = &language.facts.string;
        let holes = node.descendants().filter(|below| facts.holes.iter().any(|hole| hole == below.kind()));
        let operands = operands(node).into_iter().filter(|one| one.id != node.id && !language.is_string(one.kind_id()));
        let mut until = 0;
        for hole in holes.chain(operands) {
            for below in std::iter::once(hole).chain(hole.descendants()) {
                if below.id.0 < until || !is_text(below) {
                    continue;
                }
                until = below.id.0 + below.subtree_len() as u32;
                let (placeholders, margin) = call_around(below);
                if let Some(read) = text::read(below, placeholders, margin) {
                    self.texts.push((read.start, read.masked));
                }
            }
        }
        Ok(())
    }

    /// A text that can't be read whole, and names a dataset: told, never moved.
    fn half_known(&mut self, node: Node<'_>) {
        let (start, source) = (node.range().start, node.text());
        let mut unit = Unit { range: node.range(), ..Unit::default() };
        for (at, word) in words(source, true) {
            let parts: Vec<Part<'_>> = word.split(['.', ':']).map(Some).collect();
            let whole = (parts.len() > 1).then(|| self.datasets.table(&parts, true));
            let dataset = match whole {
                Some(Met::Dataset(dataset, _) | Met::Half(dataset, _)) => Some(dataset),
                _ => {
                    let (head, last) = word.rsplit_once('.').unwrap_or(("", word));
                    let heads: Vec<Part<'_>> = head.split('.').filter(|part| !part.is_empty()).map(Some).collect();
                    let ends = source[at + word.len()..].starts_with(['"', '\'', '`', '$', '{']);
                    if ends && !heads.is_empty() { self.datasets.begins(&heads, last, true) } else { None }
                }
            };
            if let Some(dataset) = dataset {
                unit.uses.push(told(start + at..start + at + word.len(), dataset, Of::Dataset));
            }
        }
        if unit.uses.is_empty() {
            return;
        }
        let datasets: BTreeSet<usize> = unit.uses.iter().map(|one| one.dataset).collect();
        unit.uses.extend(self.columns_in(start, source, &datasets));
        unit.doubts.push(Doubt::open(node.range(), "a text that is put together at run time names the dataset"));
        self.push(unit);
    }

    fn push(&mut self, mut unit: Unit) {
        unit.uses.sort_by_key(|one| (one.range.start, one.range.end));
        unit.uses.dedup_by(|a, b| a.range == b.range);
        let fate = decide(&unit, self.datasets, &super::decide::Plain);
        self.found.push(Decided { unit, fate });
    }

    /// Words of a text that are columns, or fields, of these datasets.
    fn columns_in(&self, start: usize, text: &str, datasets: &BTreeSet<usize>) -> Vec<Use> {
        let mut found = Vec::new();
        for (at, word) in words(text, false) {
            for dataset in datasets {
                let mapping = &self.datasets.mappings[*dataset];
                let changed = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept());
                if let Some(column) = changed {
                    found.push(told(start + at..start + at + word.len(), *dataset, Of::Column(column)));
                }
            }
        }
        found
    }

    /// Names outside of queries: datasets as values, and what looks like a column wherever
    /// the file's names leave a query unseen.
    fn name_what_is_left(&mut self) {
        let holed = std::mem::take(&mut self.holed);
        let named = std::mem::take(&mut self.named);
        let (split, last) = (self.split_reference(), self.last_parts());
        let whole = !named.is_empty() || !split.is_empty();
        if whole || !last.is_empty() {
            let mut unit = Unit { range: 0..self.tree.text().len(), ..Unit::default() };
            unit.uses.extend(named.iter().map(|(range, dataset)| told(range.clone(), *dataset, Of::Dataset)));
            unit.uses.extend(split.into_iter().chain(last));
            unit.uses.sort_by_key(|one| (one.range.start, one.range.end));
            let datasets: BTreeSet<usize> = unit.uses.iter().map(|one| one.dataset).collect();
            let why = match (holed.is_empty(), whole) {
                (false, _) => "a query's table is put in at run time",
                (true, true) => "the dataset is named as a value: what is read through it is not shown here",
                (true, false) => "the last part of the dataset's name stands here, and the rest is put in elsewhere",
            };
            let read = datasets.iter().find_map(|dataset| self.around.read_elsewhere(*dataset));
            let why = match read {
                Some((column, place)) => {
                    format!("{why}; {place} reads a table whose name is put in, and names {column}")
                }
                None => why.to_owned(),
            };
            let named = unit.uses.iter().find(|one| one.of == Of::Dataset);
            let first = named.map_or(0..0, |one| one.range.clone());
            unit.doubts.push(Doubt::open(first, why));
            let more = self.loose_columns(&datasets);
            unit.uses.extend(more);
            self.push(unit);
        }
        for (start, query, tables) in &holed {
            let loose = |dataset: usize| self.loose_columns(&BTreeSet::from([dataset]));
            let named = |dataset: usize| self.around.names(self.tree.text(), self.datasets, dataset);
            let units = put_in::units((*start, query), tables, self.datasets, &loose, &named);
            units.into_iter().for_each(|unit| self.push(unit));
        }
        for at in 0..self.found.len() {
            let one = &self.found[at];
            let open = one.unit.doubts.iter().any(|doubt| doubt.opens);
            if !open || matches!(one.fate, Fate::Mapped(_)) {
                continue;
            }
            let datasets: BTreeSet<usize> = one.unit.uses.iter().map(|one| one.dataset).collect();
            let mut more = self.loose_columns(&datasets);
            // One that came of another query is told with that.
            let told: HashSet<(usize, usize)> =
                self.found.iter().flat_map(|one| &one.unit.uses).map(|one| (one.range.start, one.dataset)).collect();
            more.retain(|one| !told.contains(&(one.range.start, one.dataset)));
            let unit = &mut self.found[at].unit;
            unit.uses.extend(more);
            unit.uses.sort_by_key(|one| (one.range.start, one.range.end));
            unit.uses.dedup_by(|a, b| a.range == b.range);
        }
    }

    /// What looks like a column outside of queries: a whole text, a part of a query, a list of
    /// names in a text, an attribute.
    fn loose_columns(&self, datasets: &BTreeSet<usize>) -> Vec<Use> {
        let mut found = Vec::new();
        for (start, text) in &self.texts {
            let trimmed = text.trim();
            let first = trimmed.split(|c: char| !c.is_alphabetic()).next().unwrap_or("").to_lowercase();
            let list = trimmed.split(',').all(|part| is_name(part.trim()));
            if list || FRAGMENTS.contains(&first.as_str()) {
                found.extend(self.columns_in(*start, text, datasets));
            }
        }
        let attributes = self.tree.iter().filter(|node| {
            node.is_leaf()
                && (node.kind().contains("identifier") || node.kind() == "string_scalar")
                && node.prev_named().is_some()
                && node.parent().is_some_and(|parent| {
                    let kind = parent.kind();
                    ["attribute", "member_expression", "field_expression", "navigation", "selector"]
                        .iter()
                        .any(|word| kind.contains(word))
                })
        });
        let described = self.tree.iter().filter(|node| {
            let kind = node.parent().map_or("", |parent| parent.kind());
            let member = matches!(kind, "class_parameter" | "property_signature" | "object_pattern" | "pair_pattern");
            node.is_leaf() && member && matches!(node.field_name(), None | Some("name" | "key"))
        });
        for node in attributes.chain(described) {
            found.extend(self.columns_in(node.range().start, node.text(), datasets));
        }
        // What moves is known for what it is.
        let moving: Vec<Range<usize>> = self
            .found
            .iter()
            .filter(|one| matches!(one.fate, Fate::Mapped(_)))
            .flat_map(|one| one.unit.uses.iter().flat_map(Use::places))
            .collect();
        found.retain(|one| !moving.iter().any(|place| place.start < one.range.end && one.range.start < place.end));
        found
    }

    /// Names of which only the last part is written: see [`last`].
    fn last_parts(&self) -> Vec<Use> {
        let mut found = Vec::new();
        for node in &self.loose {
            let selected = dbt::selected(node.text(), self.datasets).into_iter();
            let start = node.range().start;
            found.extend(selected.map(|(at, dataset)| told(start + at.start..start + at.end, dataset, Of::Dataset)));
        }
        // `Class.forName("com.acme.schemas.UserV1")`
        for (dataset, mapping) in self.datasets.mappings.iter().enumerate() {
            for name in mapping.names(super::mapping::System::Type) {
                found.extend(self.texts_that_are(&name.old, dataset));
            }
        }
        for last in last::lasts(self.datasets) {
            for node in &self.loose {
                let places = last.places(node.text()).into_iter();
                let meant = places.filter(|(at, stands)| last.is_meant(*stands, *node, at));
                let start = node.range().start;
                found.extend(meant.map(|(at, _)| told(start + at.start..start + at.end, last.dataset, Of::Dataset)));
            }
        }
        found
    }

    /// Texts that are this and nothing else, as names of a dataset.
    fn texts_that_are<'s>(&'s self, name: &'s str, dataset: usize) -> impl Iterator<Item = Use> + 's {
        self.texts.iter().filter(move |(_, text)| text.trim() == name).map(move |(start, text)| {
            let at = start + text.len() - text.trim_start().len();
            told(at..at + name.len(), dataset, Of::Dataset)
        })
    }

    /// `"datasetId": "analytics", "tableId": "users_v1"`: a name in its parts.
    fn split_reference(&self) -> Vec<Use> {
        let values: BTreeSet<&str> = self.texts.iter().map(|(_, text)| text.trim()).collect();
        let mut found = Vec::new();
        for (dataset, mapping) in self.datasets.mappings.iter().enumerate() {
            for name in mapping.names(super::mapping::System::Table) {
                let parts: Vec<&str> = name.old.split('.').collect();
                let [.., of, last] = parts[..] else { continue };
                if !values.contains(of) {
                    continue;
                }
                found.extend(self.texts_that_are(last, dataset));
            }
            for name in mapping.names(super::mapping::System::Type) {
                let Some((of, last)) = name.old.rsplit_once('.') else { continue };
                if values.contains(of) {
                    found.extend(self.texts_that_are(last, dataset));
                }
            }
            for name in mapping.names(super::mapping::System::Path) {
                let Some((of, last)) = name.old.trim_end_matches('/').rsplit_once('/') else { continue };
                let beside = self.texts.iter().any(|(_, text)| text.trim().trim_end_matches(['/', 'x']) == of);
                if beside {
                    found.extend(self.texts_that_are(last, dataset));
                }
            }
        }
        found
    }
}

/// Whether a library puts names into a query: `$1:name`, `${columns:csv}`, `$<c~>`.
fn puts_names_in(query: &str) -> bool {
    query.match_indices('$').any(|(at, _)| {
        let rest = query[at + 1..].trim_start_matches(['{', '(', '<', '[', '/']);
        let rest = rest.trim_start_matches(is_word);
        rest.starts_with(['~', '^'])
            || [":name", ":raw", ":alias", ":csv", ":value"].iter().any(|end| rest.starts_with(end))
    })
}

/// Whether something is read by its place: `row[1]`, `row.getLong(1)`, `for a, b in rows`.
fn is_by_place(node: Node<'_>) -> bool {
    let kind = node.kind();
    let number = |node: Node<'_>| node.text().bytes().all(|byte| byte.is_ascii_digit());
    if kind.contains("subscript") || kind.contains("index") || kind == "array_access" {
        return node.named_children().skip(1).any(number);
    }
    if kind.contains("call") || kind == "method_invocation" {
        let text = node.text();
        let (head, arguments) = text.split_once('(').unwrap_or((text, ""));
        let name = head.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        let digits = arguments.trim_end_matches(')');
        let place = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        return name == "Scan" || name.starts_with("get") && place;
    }
    kind == "pattern_list" || kind == "tuple_pattern"
}

fn told(range: Range<usize>, dataset: usize, of: Of) -> Use {
    Use { range, dataset, of, position: Position::Read, form: Form::Told }
}

/// A query in literals of code.
struct Literal<'a> {
    read: &'a Text,
}

impl Host for Literal<'_> {
    fn fits(&self, range: &Range<usize>, text: &str) -> bool {
        fits_literal(self.read, range, text)
    }

    fn quote(&self, range: &Range<usize>) -> Option<char> {
        match self.read.quote_at(range.start) {
            Some("'") => None,
            _ => Some('\''),
        }
    }
}

/// Whether `text` may stand at a place of a text: no quote, escape or hole is crossed.
pub(super) fn fits_literal(read: &Text, range: &Range<usize>, text: &str) -> bool {
    let crosses = read.opaque.iter().any(|one| range.start < one.end && one.start < range.end);
    let quote = read.quote_at(range.start);
    let Some(quote) = quote.filter(|_| !crosses) else { return false };
    let special = ['\\', '\n', '\r', '{', '}', '$', '%'];
    let ends = quote.chars().next().is_some_and(|first| text.contains(first) && quote.len() == 1);
    !text.contains(special) && !ends
}
