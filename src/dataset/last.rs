//! Names of which only the last part is written where they are read: `BASE + "/users_v1"`,
//! `{"table": "users_v1"}`, `${dataset}.users_v1`.
//!
//! What stands before the part tells: what is put in there may be the rest of the name, and a
//! written word that is no part of it makes another name of it. A part that stands alone is a
//! dataset's where it can hardly be anything else, or where something beside it says "table".
//! Must not: read code, or edit.

use std::ops::Range;

use super::Datasets;
use super::mapping::{Position, System};
use super::usage::{Doubt, Form, Of, Unit, Use};
use super::visible;
use super::word::{each, is_word};
use crate::tree::{Node, Tree, is_text};

/// The last part of a name.
pub(super) struct Last<'d> {
    pub(super) dataset: usize,
    /// Up to a `*`.
    text: &'d str,
    /// Whether something stands for the rest of it.
    goes_on: bool,
    /// The parts before it, the nearest first.
    parts: Vec<&'d str>,
    system: System,
}

/// The last parts of the names that tables and files have.
pub(super) fn lasts(datasets: &Datasets) -> Vec<Last<'_>> {
    let mut all = Vec::new();
    for (dataset, mapping) in datasets.mappings.iter().enumerate() {
        for name in &mapping.names {
            let mut parts: Vec<&str> = match name.system {
                System::Table => name.old.rsplit('.').collect(),
                System::Path => name.old.trim_end_matches('/').rsplit('/').collect(),
                _ => continue,
            };
            let last = parts.remove(0);
            let (text, goes_on) = last.split_once('*').map_or((last, false), |(head, _)| (head, true));
            if !text.is_empty() {
                all.push(Last { dataset, text, goes_on, parts, system: name.system });
            }
        }
    }
    all
}

/// Where a last part stands in a text, so that it may be the dataset's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// Alone.
    Alone,
    /// Behind what is put in at run time, or written elsewhere.
    Behind,
    /// As [`Stands::Behind`], where what is put in stands in the text itself.
    Joined,
}

impl Last<'_> {
    /// Every place in `source` where it stands as a word, and how.
    pub(super) fn places(&self, source: &str) -> Vec<(Range<usize>, Stands)> {
        let folds = self.system != System::Path;
        let same = |word: &str| match (word.get(..self.text.len()), self.goes_on) {
            (Some(head), true) => head.eq_ignore_ascii_case(self.text) && is_rest(&word[self.text.len()..]),
            (Some(_), false) if folds => word.eq_ignore_ascii_case(self.text),
            _ => word == self.text,
        };
        let words = each(source).filter(|(_, word)| same(word));
        let at = words.map(|(at, word)| at..at + word.len());
        at.filter_map(|range| Some((range.clone(), self.stands(source, &range)?))).collect()
    }

    /// How a word stands there; `None` where what is written around it makes another name of it.
    fn stands(&self, source: &str, word: &Range<usize>) -> Option<Stands> {
        let (before, after) = (&source[..word.start], &source[word.end..]);
        let mut next = after.chars();
        let goes_on = match next.next() {
            Some('.') => next.next().is_some_and(is_word),
            Some(c) => c == '-',
            None => false,
        };
        if goes_on || before.ends_with('-') {
            return None;
        }
        let head = before.trim_end_matches(QUOTES);
        match head.chars().next_back() {
            Some('.') => self.behind_a_dot(&head[..head.len() - 1]),
            Some('/') => self.in_a_path(&head[..head.len() - 1]),
            _ => Some(Stands::Alone),
        }
    }

    /// `head` is what stands before the dot.
    fn behind_a_dot(&self, head: &str) -> Option<Stands> {
        if self.system == System::Path {
            return None;
        }
        if ends_in_hole(head) {
            return Some(Stands::Joined);
        }
        let bare = head.trim_end_matches(QUOTES);
        match (bare.len() == head.len(), bare.chars().next_back()) {
            // The text begins with the dot.
            (_, None) => Some(Stands::Behind),
            (false, Some(c)) if !is_word(c) && !ends_in_hole(bare) => Some(Stands::Behind),
            (false, Some(_)) if ends_in_hole(bare) => Some(Stands::Joined),
            _ => None,
        }
    }

    /// `head` is what stands before the last `/`.
    fn in_a_path(&self, head: &str) -> Option<Stands> {
        let start = head.rfind(|c: char| c.is_whitespace() || QUOTES.contains(&c) || "(=,;<>".contains(c));
        let path = &head[start.map_or(0, |at| at + 1)..];
        let segments: Vec<&str> = path.rsplit('/').collect();
        if self.system != System::Path {
            let of = self.parts.first().copied().unwrap_or("");
            let near = segments.first().copied().unwrap_or("");
            let table = near.eq_ignore_ascii_case(of) || near.eq_ignore_ascii_case("tables");
            let stored = near.len() == of.len() + 3 && near.to_ascii_lowercase().ends_with(".db");
            let stored = stored && near[..of.len()].eq_ignore_ascii_case(of);
            return (!of.is_empty() && (table || stored)).then_some(Stands::Joined);
        }
        let mut known = self.parts.iter();
        let mut met = false;
        for segment in &segments {
            if is_hole(segment) {
                return Some(Stands::Joined);
            }
            // What the text begins with stands behind what is put before it.
            if segment.is_empty() && !path.contains("//") {
                return Some(if met { Stands::Joined } else { Stands::Behind });
            }
            if known.next() != Some(segment) {
                return None;
            }
            met = true;
        }
        Some(Stands::Joined)
    }

    /// Whether a part like this is hardly anything else's name.
    fn is_telling(&self) -> bool {
        self.text.len() >= MIN_TELLING && self.text.contains(|c: char| c.is_ascii_digit())
    }

    /// Whether a place in a text of code is the dataset's; `at` is the word in the text.
    pub(super) fn is_meant(&self, stands: Stands, text: Node<'_>, at: &Range<usize>) -> bool {
        let imports = text.ancestors().take(4).any(|up| up.kind().contains("import"));
        let other = || beside(text).is_some_and(|other| !self.parts.iter().any(|part| same(part, other)));
        if imports || other() {
            return false;
        }
        let source = text.text();
        if stands == Stands::Joined {
            return self.is_telling() || is_joined(text) || !source.contains(char::is_whitespace);
        }
        let before = source[..at.start].trim_end_matches(['.', '/']);
        let after = &source[at.end..];
        let ends = ["/", "$", "@", "*"];
        let ends = after.is_empty() || after.starts_with(QUOTES) || ends.iter().any(|end| after.starts_with(end));
        let ends = ends || self.goes_on && after.starts_with(['{', '%']);
        let begins = before.is_empty() || before.ends_with(QUOTES);
        begins && ends && (self.is_telling() || is_called_table(text))
    }

    /// Whether a place in a file that no grammar reads is the dataset's.
    pub(super) fn is_named(&self, stands: Stands, source: &str, at: usize) -> bool {
        let line = &source[source[..at].rfind('\n').map_or(0, |end| end + 1)..at];
        let comment = ["#", "//", "--", ";", "*"].iter().any(|mark| line.trim_start().starts_with(mark));
        let table = || {
            let key = line.trim_end_matches(|c: char| !is_word(c));
            line.len() - key.len() <= MOST_BETWEEN && key.len() < line.len() && says_table(key)
        };
        !comment && (stands == Stands::Joined || table())
    }
}

/// Tables of SQL of whose name all but the last part is put in at run time, in a way that the grammar does
/// not read, with the columns that their statement names: `${dataset}.users_v1`.
pub(super) fn behind_holes(tree: &Tree, datasets: &Datasets) -> Vec<Unit> {
    let mut found: Vec<Unit> = Vec::new();
    for last in lasts(datasets) {
        for (range, _) in last.places(tree.text()).into_iter().filter(|(_, stands)| *stands == Stands::Joined) {
            let node = tree.last_from(range.start);
            let around = || std::iter::once(node).chain(node.ancestors());
            let comment = around().any(|node| node.is_extra() && node.kind().contains("comment"));
            if comment || around().any(is_text) || found.iter().any(|unit| unit.range == range) {
                continue;
            }
            let told = |range: Range<usize>, of: Of| Use {
                range,
                dataset: last.dataset,
                of,
                position: Position::Read,
                form: Form::Told,
            };
            let mut uses = vec![told(range.clone(), Of::Dataset)];
            let statement = around().take_while(|node| node.parent().is_some()).last().unwrap_or(node);
            let mapping = &datasets.mappings[last.dataset];
            for (at, word) in each(statement.text()) {
                let changes = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept());
                let start = statement.local_range().start + at;
                uses.extend(changes.map(|column| told(start..start + word.len(), Of::Column(column))));
            }
            uses.sort_by_key(|one| (one.range.start, one.range.end));
            let doubts = vec![Doubt::open(range.clone(), "a part of its name is put in at run time")];
            found.push(Unit { range, uses, doubts, ..Unit::default() });
        }
    }
    found
}

/// Sources and models of dbt that its command line selects, where a line speaks of dbt: `dbt run -s
/// source:analytics.users_v1+`.
pub(super) fn selected(text: &str, datasets: &Datasets) -> Vec<(Range<usize>, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        if !line.contains("dbt ") {
            continue;
        }
        for (dataset, mapping) in datasets.mappings.iter().enumerate() {
            for name in mapping.names.iter() {
                let selector = match name.system {
                    System::DbtSource => format!("source:{}", name.old),
                    System::DbtRef => name.old.rsplit('.').next().unwrap_or(&name.old).to_owned(),
                    _ => continue,
                };
                for (place, _) in line.match_indices(&selector) {
                    let end = place + selector.len();
                    let inside = line[..place].ends_with(|c: char| is_word(c) || matches!(c, '.' | '/' | '-'))
                        || line[end..].starts_with(|c: char| is_word(c) || matches!(c, '.' | '/' | '-'));
                    let own = end - name.old.rsplit('.').next().unwrap_or(&name.old).len();
                    if !inside {
                        found.push((at + own..at + end, dataset));
                    }
                }
            }
        }
    }
    found
}

const QUOTES: [char; 3] = ['`', '"', '\''];
/// The shortest part that tells by itself, in bytes.
const MIN_TELLING: usize = 4;
/// Most of what stands between a key and its value, in bytes.
const MOST_BETWEEN: usize = 8;
/// What says that a name is a table's.
const TABLES: [&str; 3] = ["table", "tbl", "dataset"];
/// What says that a name is that of what a table lies in.
const HOLDERS: [&str; 4] = ["dataset", "schema", "database", "namespace"];

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b.rsplit('.').next().unwrap_or(b))
}

/// What may stand for a `*`.
fn is_rest(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text ends in what is put in at run time.
fn ends_in_hole(text: &str) -> bool {
    let word = text.trim_end_matches(is_word);
    let named = word.len() < text.len();
    let mark = word.chars().next_back();
    text.ends_with(['}', '>'])
        || [")s", "%s", "%v", "%S"].iter().any(|end| text.ends_with(end))
        || text.ends_with(')') && text.rfind("$(").is_some_and(|at| !text[at..].contains(char::is_whitespace))
        || named && matches!(mark, Some('$' | '@' | '&'))
        || named && mark == Some(':') && !word[..word.len() - 1].ends_with(|c: char| is_word(c) || c == '-')
}

/// Whether a part of a path is put in at run time.
fn is_hole(segment: &str) -> bool {
    segment.contains(['{', '}', '$']) || ["%s", "%v"].iter().any(|mark| segment.contains(mark))
}

fn says_table(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let last = lower.rsplit(|c: char| !is_word(c)).next().unwrap_or("");
    TABLES.iter().any(|word| last.contains(word))
}

/// Whether a text is put together of several, or has something put in.
fn is_joined(text: Node<'_>) -> bool {
    !text.tree().language.is_string(text.kind_id()) && text.named_children().next().is_some()
}

/// Whether what a text is given to is called a table.
fn is_called_table(text: Node<'_>) -> bool {
    for up in text.ancestors().take(6) {
        let kind = up.kind();
        let key = ["key", "name", "function", "left"].iter().find_map(|field| up.field(field));
        if key.is_some_and(|key| !key.contains(text) && says_table(key.text())) {
            return true;
        }
        if visible::targets(up).iter().any(|(name, _)| says_table(name)) {
            return true;
        }
        if kind.ends_with("statement") || kind.contains("block") && !kind.contains("mapping") && !kind.contains("node")
        {
            return false;
        }
    }
    false
}

/// What a table is said to lie in, beside a text that holds a part of its name: another argument,
/// another key, or what the call before was given.
fn beside(text: Node<'_>) -> Option<&str> {
    let mut at = text;
    for up in text.ancestors().take(8) {
        let kind = up.kind();
        if kind.ends_with("statement") || kind.ends_with("declaration") || kind.ends_with("definition") {
            break;
        }
        // `TableId.of("crm", "users_v1")`
        let table = || {
            up.parent().is_some_and(|call| {
                call.text()[..up.range().start - call.range().start].to_ascii_lowercase().contains("table")
            })
        };
        if kind.contains("argument")
            && let Some(name) = at.prev_named().and_then(name_in)
            && !says_table(name)
            && table()
        {
            return Some(name);
        }
        at = up;
        if let Some(found) = holder(up, text) {
            return Some(found);
        }
        if matches!(kind, "object" | "dictionary" | "block_mapping" | "flow_mapping") {
            break;
        }
    }
    None
}

/// The name that a literal holds.
fn name_in(node: Node<'_>) -> Option<&str> {
    let whole = node.text().trim_matches(QUOTES);
    let name = |c: char| is_word(c) || matches!(c, '-' | '.');
    let written = node.tree().language.is_string(node.kind_id()) || node.kind() == "plain_scalar";
    (written && !whole.is_empty() && whole.chars().all(name)).then_some(whole)
}

/// `"dataset": "crm"`, `schema="crm"`, `.setDatasetId("crm")` beside a text: `crm`.
fn holder<'t>(around: Node<'t>, text: Node<'_>) -> Option<&'t str> {
    let (whole, own) = (around.text(), text.range());
    for (at, word) in each(whole) {
        let lower = word.to_ascii_lowercase();
        let start = around.range().start + at;
        if !HOLDERS.iter().any(|name| lower.contains(name)) || own.contains(&start) {
            continue;
        }
        let rest = &whole[at + word.len()..];
        let value = rest.trim_start_matches(|c: char| c.is_whitespace() || "\"':=(".contains(c));
        let between = &rest[..rest.len() - value.len()];
        let end = value.find(|c: char| !is_word(c) && !matches!(c, '-' | '.')).unwrap_or(value.len());
        let quoted = between.ends_with(['"', '\'']) && value[end..].starts_with(['"', '\'']);
        let plain = text.tree().language.facts.name == "yaml" && between.trim_start().starts_with(':');
        let itself = own.contains(&(start + word.len() + between.len()));
        if between.contains([':', '=', '(']) && end > 0 && (quoted || plain) && !itself {
            return Some(&value[..end]);
        }
    }
    None
}
