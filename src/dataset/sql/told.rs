//! Names that are told and stay: of statements about a table itself, in texts that are
//! data, in code that can't be read, and whatever no other room has accounted for.
//!
//! Must not: resolve a column.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::{Resolver, folded};
use crate::dataset::mapping::Position;
use crate::dataset::names::{Met, Part};
use crate::dataset::usage::{Doubt, Form, Of, Use};
use crate::dataset::word::words;
use crate::tree::Node;

impl<'t> Resolver<'t> {
    /// Notes a dataset by its name, where no `from` reads it.
    pub(super) fn told_table(&mut self, node: Node<'t>) {
        let leaves: Vec<Node<'t>> = node.named_children().collect();
        let parts = self.parts(&leaves);
        let before = self.uses.len();
        self.by_name(parts, node);
        for one in &mut self.uses[before..] {
            one.form = Form::Told;
        }
    }

    /// Notes every dataset that is read below a node that is not understood.
    pub(super) fn told_tables(&mut self, node: Node<'t>) {
        let tables: Vec<Node<'t>> = node.descendants().filter(|below| below.kind() == "table_name").collect();
        for table in tables {
            if table.children().any(|child| child.kind().starts_with("jinja")) {
                let before = self.uses.len();
                self.jinja_table(table);
                self.uses[before..].iter_mut().for_each(|one| one.form = Form::Told);
            } else {
                self.told_table(table);
            }
        }
    }

    /// As [`Resolver::told_tables`], by any name that is written as a table's.
    pub(super) fn named_tables(&mut self, node: Node<'t>) {
        self.told_tables(node);
        let named: Vec<Node<'t>> = node.descendants().filter(|below| below.kind() == "name_path").collect();
        named.into_iter().for_each(|one| self.told_table(one));
        if self.uses.is_empty() {
            self.names_in_words(node);
        }
    }

    /// Names in a statement of which only the words are known.
    fn names_in_words(&mut self, node: Node<'t>) {
        let text = node.text();
        let fold = self.setting.dialect.folds_tables();
        for (start, word) in words(text, true) {
            let parts: Vec<Part<'_>> = word.split(['.', ':']).map(Some).collect();
            let named = parts.len() > 1 || self.datasets.default.is_some();
            let met = if named { self.datasets.table(&parts, fold) } else { Met::Other };
            if let Met::Dataset(dataset, _) | Met::Half(dataset, _) = met {
                let range = node.range().start + start..node.range().start + start + word.len();
                let use_ = Use { range, dataset, of: Of::Dataset, position: Position::Read, form: Form::Told };
                self.uses.push(use_);
            }
        }
    }

    /// Notes what looks like a column of the datasets that the statement reads.
    pub(super) fn told_columns(&mut self, node: Node<'t>) {
        let datasets: HashSet<usize> = self.uses.iter().map(|one| one.dataset).collect();
        let leaves: Vec<Node<'t>> = std::iter::once(node)
            .chain(node.descendants())
            .filter(|below| matches!(below.kind(), "identifier" | "string") && !self.seen.contains(&below.id.0))
            .collect();
        for leaf in leaves {
            let text = leaf.text().trim_matches(['\'', '"', '`']).to_lowercase();
            for dataset in &datasets {
                let mapping = &self.datasets.mappings[*dataset];
                if let Some(column) = mapping.index(&text, true).filter(|column| !mapping.columns[*column].is_kept()) {
                    self.push(leaf, *dataset, Of::Column(column), Position::Read, Form::Told);
                }
            }
        }
    }

    /// A string in an expression: a dataset's name in it is a use.
    pub(super) fn text_as_data(&mut self, string: Node<'t>) {
        let text = string.text().trim_matches(['\'', '"', '`']);
        if let Some((dataset, _)) = self.dataset_in_text(text) {
            self.push(string, dataset, Of::Dataset, Position::Read, Form::Told);
            self.doubts.push(Doubt::open(string.range(), "the dataset's name as a value"));
        }
    }

    /// The dataset that a whole text names; whether by its last part alone.
    fn dataset_in_text(&self, text: &str) -> Option<(usize, bool)> {
        if text.is_empty() || text.contains(char::is_whitespace) {
            return None;
        }
        let parts: Vec<Part<'_>> = text.split(['.', ':']).map(Some).collect();
        // A plain word, as `store`, is a value far more often than a table.
        let is_word = parts.len() == 1 && text.chars().all(char::is_alphabetic);
        if parts.len() > 3 || is_word {
            return None;
        }
        match self.datasets.table(&parts, self.setting.dialect.folds_tables()) {
            Met::Dataset(dataset, _) => Some((dataset, false)),
            Met::Half(dataset, _) if !text.contains('*') => Some((dataset, parts.len() == 1)),
            _ => self.datasets.path(text).map(|(dataset, _)| (dataset, false)),
        }
    }

    /// Strings of a statement that name datasets; with `sql`, texts that hold queries, too.
    pub(super) fn names_as_data(&mut self, node: Node<'t>, sql: bool) {
        let strings: Vec<Node<'t>> =
            std::iter::once(node).chain(node.descendants()).filter(|below| below.kind() == "string").collect();
        for string in strings {
            self.text_as_data(string);
            if sql {
                self.names_in_text(string);
            }
        }
        if sql && !self.uses.is_empty() {
            self.doubts.push(Doubt::open(node.range(), "SQL in a text that is put together at run time"));
        }
    }

    /// Words of a text that are names of a dataset or of its columns.
    pub(super) fn names_in_text(&mut self, string: Node<'t>) {
        let start = string.range().start;
        let text = string.text();
        for (at, word) in words(text, false) {
            let lower = word.to_lowercase();
            for (dataset, mapping) in self.datasets.mappings.iter().enumerate() {
                let of = match mapping.index(&lower, true) {
                    Some(column) if !mapping.columns[column].is_kept() => Of::Column(column),
                    _ if self.datasets.words().any(|name| name.eq_ignore_ascii_case(word))
                        && self.is_last(dataset, word) =>
                    {
                        Of::Dataset
                    }
                    _ => continue,
                };
                let range = start + at..start + at + word.len();
                self.uses.push(Use { range, dataset, of, position: Position::Read, form: Form::Told });
            }
        }
    }

    /// Tables that a text of SQL names, and with them its columns; whether there is one.
    pub(super) fn tables_in_text(&mut self, string: Node<'t>) -> bool {
        let before = self.uses.len();
        let fold = self.setting.dialect.folds_tables();
        for (at, word) in words(string.text(), true) {
            let word = word.trim_end_matches(['.', ':']);
            let parts: Vec<Part<'_>> = word.split(['.', ':']).map(Some).collect();
            let met = if parts.len() > 1 { self.datasets.table(&parts, fold) } else { Met::Other };
            if let Met::Dataset(dataset, _) | Met::Half(dataset, _) = met {
                let start = string.range().start + at;
                let range = start..start + word.len();
                let told = Use { range, dataset, of: Of::Dataset, position: Position::Read, form: Form::Told };
                self.uses.push(told);
            }
        }
        let found = self.uses.len() > before;
        if found {
            self.names_in_text(string);
        }
        found
    }

    fn is_last(&self, dataset: usize, word: &str) -> bool {
        self.datasets.mappings[dataset].names.iter().any(|name| {
            name.old
                .rsplit(['.', '/'])
                .next()
                .is_some_and(|last| last.split('*').next().is_some_and(|head| head.eq_ignore_ascii_case(word)))
        })
    }

    /// Statements that the parser could not read: whatever they name is told, and refused.
    pub(super) fn unreadable(&mut self, nodes: &[Node<'t>]) {
        let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return };
        let local = first.local_range().start..last.local_range().end;
        let start = first.range().start;
        let text = self.tree.text().get(local).unwrap_or("").to_owned();
        let fold = self.setting.dialect.folds_tables();
        let mut datasets: BTreeSet<usize> = BTreeSet::new();
        let told = |at: usize, word: &str, dataset: usize, of: Of| Use {
            range: start + at..start + at + word.len(),
            dataset,
            of,
            position: Position::Read,
            form: Form::Told,
        };
        for (at, word) in words(&text, true) {
            let parts: Vec<Part<'_>> = word.split(['.', ':']).map(Some).collect();
            let named = parts.len() > 1 || self.datasets.default.is_some();
            let met = if named { self.datasets.table(&parts, fold) } else { Met::Other };
            let found = match met {
                Met::Dataset(dataset, _) | Met::Half(dataset, _) => Some(dataset),
                _ => self.datasets.path(word).map(|(dataset, _)| dataset),
            };
            if let Some(dataset) = found {
                datasets.insert(dataset);
                self.uses.push(told(at, word, dataset, Of::Dataset));
            }
        }
        nodes.iter().for_each(|node| self.unreadable_jinja(*node, &mut datasets));
        for (at, word) in words(&text, false) {
            for dataset in &datasets {
                let mapping = &self.datasets.mappings[*dataset];
                if let Some(column) = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept()) {
                    self.uses.push(told(at, word, *dataset, Of::Column(column)));
                }
                for (column, known) in mapping.columns.iter().enumerate().filter(|(_, known)| known.changes_fields()) {
                    let field = known.fields.iter().position(|(old, new)| old != new && old.eq_ignore_ascii_case(word));
                    self.uses.extend(field.map(|field| told(at, word, *dataset, Of::Field(column, field))));
                }
            }
        }
        if !datasets.is_empty() {
            let mut all = nodes.iter().flat_map(|node| std::iter::once(*node).chain(node.descendants()));
            let error = all.find(|below| below.is_error() || below.is_missing());
            let at = error.map_or(first.range(), |error| error.range());
            self.doubts.push(Doubt::refuse(at, "a statement that can't be read, and it names the dataset"));
        }
    }

    /// What is put in at run time where it may be more than a value.
    fn holes_left(&mut self, node: Node<'t>) {
        let local = node.local_range();
        let holes: Vec<Range<usize>> = self
            .setting
            .holes
            .iter()
            .filter(|hole| hole.start < local.end && local.start < hole.end && !self.values.contains(&hole.start))
            .cloned()
            .collect();
        for hole in holes {
            let at = self.tree.last_from(hole.start);
            let inside = std::iter::once(at).chain(at.ancestors()).any(|up| {
                let range = up.local_range();
                let text =
                    up.kind() == "string" && !(self.setting.dialect.quotes_names() && up.text().starts_with('"'));
                (text || up.kind() == "comment" || up.kind() == "table_name")
                    && range.start <= hole.start
                    && hole.end <= range.end
            });
            if !inside {
                let range = self.shift(hole);
                self.doubts.push(Doubt::open(range, "what is put in at run time may be any part of the query"));
            }
        }
    }

    /// Names that were not accounted for: what gander did not follow, it does not move.
    pub(super) fn sweep(&mut self, node: Node<'t>) {
        let datasets: HashSet<usize> = self.uses.iter().map(|one| one.dataset).collect();
        if datasets.is_empty() {
            return;
        }
        self.holes_left(node);
        let left: Vec<Node<'t>> = node
            .descendants()
            .filter(|below| !self.seen.contains(&below.id.0))
            .filter(|below| below.kind() == "identifier" || below.kind() == "jinja_output")
            .collect();
        for leaf in left {
            if leaf.kind() == "jinja_output" {
                let in_text = leaf.ancestors().any(|up| matches!(up.kind(), "string" | "comment"));
                if in_text || Self::is_harmless(leaf) {
                    self.jinja_left(leaf);
                } else {
                    self.jinja_body(leaf);
                }
                continue;
            }
            if leaf.ancestors().any(|up| up.kind().starts_with("jinja")) {
                continue;
            }
            let text = folded(leaf.text());
            for dataset in &datasets {
                let mapping = &self.datasets.mappings[*dataset];
                let changed = mapping.index(&text, true).filter(|column| !mapping.columns[*column].is_kept());
                if let Some(column) = changed {
                    self.push(leaf, *dataset, Of::Column(column), Position::Read, Form::Told);
                    self.doubt(leaf, "gander did not follow this name");
                }
            }
        }
        // A name as a value may come with columns as values.
        if self.doubts.iter().any(|doubt| doubt.why == "the dataset's name as a value") {
            let strings: Vec<Node<'t>> = node.descendants().filter(|below| below.kind() == "string").collect();
            for string in strings {
                self.told_columns(string);
            }
        }
    }
}
