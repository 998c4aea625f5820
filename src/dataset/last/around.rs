//! What stands around a last part in code: whether it is given to a table, what a table is said to lie in, and
//! what is put in before it.
//!
//! Must not: follow a value, look into another file, or edit.

use std::ops::Range;

use super::{Last, QUOTES, Stands, lasts, same, says_table};
use crate::dataset::Datasets;
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Form, Of, Unit, Use};
use crate::dataset::visible;
use crate::dataset::word::{each, is_word};
use crate::tree::{Node, Tree, is_text};

/// What says that a name is that of what a table lies in.
const HOLDERS: [&str; 4] = ["dataset", "schema", "database", "namespace"];
/// What is longer is no call and no entry, in bytes.
const MOST_AROUND: usize = 4096;

impl Last<'_> {
    /// Whether a place in a text of code is the dataset's; `at` is the word in the text.
    pub(in crate::dataset) fn is_meant(&self, stands: Stands, text: Node<'_>, at: &Range<usize>) -> bool {
        let imports = || text.ancestors().take(4).any(|up| up.kind().contains("import"));
        let other = || beside(text).is_some_and(|other| !self.parts.iter().any(|part| same(part, other)));
        self.may_be_meant(stands, text, at) && !imports() && !other()
    }

    /// The same, told by the text and what it is given to.
    fn may_be_meant(&self, stands: Stands, text: Node<'_>, at: &Range<usize>) -> bool {
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
}

/// Tables of SQL of whose name all but the last part is put in at run time, in a way that the grammar does
/// not read, with the columns that their statement names: `${dataset}.users_v1`.
pub(in crate::dataset) fn behind_holes(tree: &Tree, datasets: &Datasets) -> Vec<Unit> {
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
    if whole.len() > MOST_AROUND {
        return None;
    }
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
