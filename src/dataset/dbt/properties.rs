//! What the YAML files of a project say of a dataset: sources with their columns and tests,
//! and `ref` and `source` wherever a value has them.
//!
//! Must not: take a column of the project's own models for one of the dataset's.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use super::yaml::{self, Item};
use crate::dataset::Datasets;
use crate::dataset::mapping::{Position, System};
use crate::dataset::names::{Met, Part};
use crate::dataset::sql::{Dialect, Known, Project};
use crate::dataset::usage::{Accessor, ColumnForm, Doubt, Form, LiteralUse, Of, Role, Unit, Use, ValueUse};
use crate::dataset::word::words;
use crate::tree::{Node, Tree};

/// Keys under which lists of columns stand, in tests of tables.
const LISTS: [&str; 6] =
    ["combination_of_columns", "column_list", "compare_columns", "group_by_columns", "unique_key", "column_names"];
/// Keys that hold one column.
const SINGLE: [&str; 4] = ["loaded_at_field", "column_name", "field_name", "partition_by"];
const ANOTHER_SCHEMA: &str = "the new table lies in another schema than the source";
/// Keys whose values are for people, or for dbt.
pub(super) const PROSE: [&str; 8] = ["description", "meta", "tags", "owner", "label", "docs", "loader", "name"];

/// A YAML file, and what it says of datasets.
pub(super) struct Properties<'a> {
    datasets: &'a Datasets,
    project: &'a Project,
    dialect: Dialect,
    /// By dataset.
    pub(super) units: BTreeMap<usize, Unit>,
    /// What `source(a, b)` means where that is not its name.
    pub(super) sources: BTreeMap<(String, String), Known>,
    /// Datasets that a source of the project declares.
    pub(super) declared: BTreeSet<usize>,
    /// Where scalars begin that are accounted for.
    seen: HashSet<usize>,
}

impl<'a> Properties<'a> {
    pub(super) fn of(datasets: &'a Datasets, project: &'a Project, dialect: Dialect) -> Self {
        Self {
            datasets,
            project,
            dialect,
            units: BTreeMap::new(),
            sources: BTreeMap::new(),
            declared: BTreeSet::new(),
            seen: HashSet::new(),
        }
    }

    pub(super) fn read(tree: &Tree, datasets: &'a Datasets, project: &'a Project, dialect: Dialect) -> Self {
        let mut found = Self::of(datasets, project, dialect);
        let documents: Vec<Item<'_>> = tree.root().named_children().map(yaml::read).collect();
        for document in &documents {
            for source in document.get("sources").map_or(&[][..], Item::items) {
                found.source(source);
            }
            found.calls(document);
            found.described(document, 0);
            found.paths(document);
        }
        for unit in found.units.values_mut() {
            unit.uses.sort_by_key(|one| (one.range.start, one.range.end));
            unit.uses.dedup();
            unit.range = 0..tree.text().len();
        }
        found
    }

    pub(super) fn add(&mut self, one: Use) {
        self.units.entry(one.dataset).or_default().uses.push(one);
    }

    pub(super) fn doubt(&mut self, dataset: usize, range: Range<usize>, why: &str) {
        self.units.entry(dataset).or_default().doubts.push(Doubt::annotate(range, why));
    }

    pub(super) fn named(&mut self, dataset: usize, range: Range<usize>, edits: Vec<(Range<usize>, String)>) {
        let form = Form::Name(edits);
        self.add(Use { range, dataset, of: Of::Dataset, position: Position::Read, form });
    }

    fn source(&mut self, source: &Item<'_>) {
        let tables = source.get("tables").map_or(&[][..], Item::items);
        let Some((name, name_range)) = source.get("name").and_then(Item::scalar) else { return };
        for table in tables {
            let Some((own, own_range)) = table.get("name").and_then(Item::scalar) else { continue };
            let met = self.table(source, table, name, own);
            let identifier = table.get("identifier").and_then(Item::scalar);
            match met {
                Table::Other => {
                    self.sources.insert((name.to_owned(), own.to_owned()), Known::Other);
                }
                Table::Unsaid => {}
                Table::Half(dataset, why) => {
                    self.declared.insert(dataset);
                    self.sources.insert((name.to_owned(), own.to_owned()), Known::Dataset(dataset));
                    self.named(dataset, own_range.clone(), Vec::new());
                    self.doubt(dataset, own_range, &why);
                    self.columns(table, dataset);
                }
                Table::Stored(dataset, new) => {
                    self.declared.insert(dataset);
                    self.sources.insert((name.to_owned(), own.to_owned()), Known::Dataset(dataset));
                    match identifier {
                        Some((_, range)) => self.named(dataset, range.clone(), vec![(range, new)]),
                        None => {
                            self.named(dataset, own_range.clone(), Vec::new());
                            self.doubt(dataset, own_range, "the table's own name must become an identifier");
                        }
                    }
                    self.columns(table, dataset);
                }
                Table::Named(dataset, new_source, new_table) => {
                    self.declared.insert(dataset);
                    if let Some((_, range)) = identifier {
                        self.doubt(dataset, range, "the source has the dataset's name and an identifier besides");
                    }
                    let mut edits = Vec::new();
                    if new_table != own {
                        edits.push((own_range.clone(), new_table));
                    }
                    if new_source != name {
                        edits.push((name_range.clone(), new_source));
                        if tables.len() > 1 {
                            let why = "the source gets another name, and other tables of it do not";
                            self.doubt(dataset, name_range.clone(), why);
                        }
                        if source.get("schema").is_some() {
                            self.doubt(dataset, name_range.clone(), "the source says itself which schema it is in");
                        }
                    }
                    self.named(dataset, own_range, edits);
                    self.columns(table, dataset);
                }
            }
        }
    }

    /// What a table of a source is.
    fn table(&self, source: &Item<'_>, table: &Item<'_>, name: &str, own: &str) -> Table {
        let schema = source.get("schema").map(|schema| schema.scalar().map(|(text, _)| text));
        let identifier = table.get("identifier").map(|item| item.scalar().map(|(text, _)| text));
        let database = source.get("database").map(|item| item.scalar().map(|(text, _)| text));
        let unsaid = |text: &str| text.contains("{{") || text.contains("{%");
        let part = |said: Option<Option<&'_ str>>, or: &str| match said {
            None => Some(or.to_owned()),
            Some(text) => text.filter(|text| !unsaid(text)).map(str::to_owned),
        };
        let (schema_of, table_of) = (part(schema, name), part(identifier, own));
        let mut parts: Vec<Part<'_>> = vec![schema_of.as_deref(), table_of.as_deref()];
        if let Some(Some(database)) = database.filter(|database| database.is_some_and(|text| !unsaid(text))) {
            parts.insert(0, Some(database));
        }
        let folds = self.dialect.folds_tables();
        let stored = self.datasets.table(&parts, folds);
        let same = |a: &str, b: &str| a == b || folds && a.eq_ignore_ascii_case(b);
        if let Met::Dataset(dataset, new) = self.datasets.source(Some(name), Some(own))
            && let [new_source, new_table] = &new[..]
        {
            let plain = identifier.is_none() && schema_of.as_deref().is_none_or(|schema| schema == name);
            // Where a table is stored tells it from the dataset only where the mapping says where that is.
            let has_tables = self.datasets.mappings[dataset].names(System::Table).next().is_some();
            match &stored {
                Met::Dataset(one, new) if *one == dataset && identifier.is_none() && !plain => {
                    let (schema, table) = (new.iter().rev().nth(1), new.last());
                    let differ = |a: Option<&String>, b: Option<&String>| match (a, b) {
                        (Some(a), Some(b)) => !same(a, b),
                        _ => a != b,
                    };
                    return match (differ(schema, schema_of.as_ref()), differ(table, Some(new_table))) {
                        (true, _) => Table::Half(dataset, ANOTHER_SCHEMA.to_owned()),
                        (_, true) => {
                            Table::Half(dataset, "the new table and the new source have different names".to_owned())
                        }
                        _ => Table::Named(dataset, new_source.clone(), new_table.clone()),
                    };
                }
                _ if plain || !has_tables => return Table::Named(dataset, new_source.clone(), new_table.clone()),
                _ => {}
            }
        }
        match stored {
            Met::Dataset(dataset, new) => {
                let moves =
                    new.len() >= 2 && !schema_of.as_deref().is_some_and(|schema| same(&new[new.len() - 2], schema));
                match new.last() {
                    Some(last) if !moves => {
                        // Where names are in upper case by themselves, the new one is written as the old one was.
                        let upper = self.dialect == Dialect::Snowflake
                            && table_of
                                .as_deref()
                                .is_some_and(|old| old.chars().any(char::is_alphabetic) && old == old.to_uppercase());
                        Table::Stored(dataset, if upper { last.to_uppercase() } else { last.clone() })
                    }
                    _ => Table::Half(dataset, ANOTHER_SCHEMA.to_owned()),
                }
            }
            Met::Half(dataset, why) => Table::Half(dataset, why),
            // It has the dataset's name in dbt, and is another table.
            _ if self.datasets.source(Some(name), Some(own)) != Met::Other => Table::Other,
            _ => Table::Unsaid,
        }
    }

    /// Columns of a table of a source, and whatever else its entry says of them.
    fn columns(&mut self, table: &Item<'_>, dataset: usize) {
        for column in table.get("columns").map_or(&[][..], Item::items) {
            let Some((name, range)) = column.get("name").and_then(Item::scalar) else { continue };
            let values = self.values(column, dataset);
            self.tests_compare(column, dataset, name, &range);
            match name.split_once('.') {
                Some((of, field)) => self.field(dataset, (of, field), &range),
                None => self.column(dataset, name, range, values),
            }
        }
        let Item::Map(pairs) = table else { return };
        for (key, value) in pairs {
            if matches!(key.text(), "name" | "identifier" | "description") {
                continue;
            }
            let mut keys = vec![key.text()];
            let mut found: Vec<(Vec<String>, Node<'_>)> = Vec::new();
            value.scalars(&mut keys, &mut |keys, node| {
                found.push((keys.iter().map(|key| (*key).to_owned()).collect(), node));
            });
            for (keys, node) in found {
                self.beside(&keys, node, dataset);
            }
        }
    }

    /// Tests of a column that compare its values with others.
    fn tests_compare(&mut self, column: &Item<'_>, dataset: usize, name: &str, range: &Range<usize>) {
        let tests = column.get("tests").or_else(|| column.get("data_tests"));
        let counts = |test: &Item<'_>| test.scalar().is_some_and(|(text, _)| matches!(text, "not_null" | "unique"));
        if tests.map_or(&[][..], Item::items).iter().any(|test| !counts(test)) {
            self.compared(dataset, name, range);
        }
    }

    /// The values of a column are compared with others.
    fn compared(&mut self, dataset: usize, name: &str, range: &Range<usize>) {
        let column = self.datasets.mappings[dataset].column(name, true);
        if let Some(column) = column.filter(|column| column.is_bound()) {
            self.doubt(dataset, range.clone(), &column.held_as_it_goes_on("a test compares its values"));
        }
    }

    /// A scalar in the entry of a table that is no column's name.
    fn beside(&mut self, keys: &[String], node: Node<'_>, dataset: usize) {
        let last = keys.last().map_or("", String::as_str);
        if keys.iter().any(|key| PROSE.contains(&key.as_str())) || !self.seen.insert(node.range().start) {
            return;
        }
        // A column of the table that a relationship leads to.
        if keys.iter().any(|key| key == "relationships") || last == "values" || last == "quote" {
            return;
        }
        let mapping = &self.datasets.mappings[dataset];
        let changed = |word: &str| mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept());
        let Some((text, range)) = yaml::text(node) else {
            let text = node.text();
            if words(text, false).into_iter().any(|(_, word)| changed(word).is_some()) {
                self.doubt(dataset, node.range(), "a text of several lines names a column");
            }
            return;
        };
        if (LISTS.contains(&last) || SINGLE.contains(&last)) && changed(text).is_some() {
            self.column(dataset, text, range, ValueUse::Same);
            return;
        }
        let told: Vec<(usize, usize, usize)> = words(text, false)
            .into_iter()
            .filter_map(|(at, word)| changed(word).map(|column| (range.start + at, word.len(), column)))
            .collect();
        for (at, len, column) in told {
            let of = Of::Column(column);
            self.add(Use { range: at..at + len, dataset, of, position: Position::Read, form: Form::Told });
            self.doubt(dataset, at..at + len, "gander does not know what this says of the column");
        }
    }

    /// The values that a test of a column accepts.
    fn values(&mut self, column: &Item<'_>, dataset: usize) -> ValueUse {
        let mut literals = Vec::new();
        let tests = column.get("tests").or_else(|| column.get("data_tests"));
        for test in tests.map_or(&[][..], Item::items) {
            let Some(accepted) = test.get("accepted_values") else { continue };
            let given = accepted.get("arguments").unwrap_or(accepted);
            for value in given.get("values").map_or(&[][..], Item::items) {
                let Item::Scalar(node) = value else {
                    let dataset_range = column.scalar().map_or(0..0, |(_, range)| range);
                    self.doubt(dataset, dataset_range, "accepted values that are put together");
                    continue;
                };
                let quoted = node.kind() != "plain_scalar";
                let known = yaml::text(*node).map(|(text, _)| text.to_owned());
                literals.push(LiteralUse { range: node.range(), text: node.text().to_owned(), value: known, quoted });
            }
            let quote = given.get("quote").and_then(Item::scalar);
            if let Some((_, range)) = quote
                && let Some((name, _)) = column.get("name").and_then(Item::scalar)
            {
                // Whether values are quoted may change with their kind.
                let mapping = &self.datasets.mappings[dataset];
                let turns = mapping.column(name, true).and_then(|column| column.values.as_ref());
                if turns.is_some_and(|values| values.old != values.new) {
                    self.doubt(dataset, range.clone(), "the values are of another kind from now on: quote them");
                    let index = mapping.index(name, true).unwrap_or(0);
                    let of = Of::Column(index);
                    self.add(Use { range, dataset, of, position: Position::Read, form: Form::Told });
                }
            }
        }
        ValueUse::Literals(literals)
    }

    /// `address.postcode`: a column, and a field of it.
    fn field(&mut self, dataset: usize, (name, field): (&str, &str), range: &Range<usize>) {
        let (at, mapping) = (range.start + name.len() + 1, &self.datasets.mappings[dataset]);
        let Some(column) = mapping.index(name, true) else { return };
        let fields = &mapping.columns[column].fields;
        let known = fields.iter().position(|(old, _)| old.eq_ignore_ascii_case(field));
        self.column(dataset, name, range.start..range.start + name.len(), ValueUse::Same);
        match known {
            Some(known) => self.use_of(dataset, Of::Field(column, known), field, at..range.end, ValueUse::Same),
            None if fields.is_empty() => {}
            None => self.doubt(dataset, at..range.end, "the mapping does not list this field of the column"),
        }
    }

    pub(super) fn column(&mut self, dataset: usize, name: &str, range: Range<usize>, value: ValueUse) {
        self.seen.insert(range.start);
        let Some(column) = self.datasets.mappings[dataset].index(name, true) else { return };
        self.use_of(dataset, Of::Column(column), name, range, value);
    }

    fn use_of(&mut self, dataset: usize, of: Of, name: &str, range: Range<usize>, value: ValueUse) {
        let accessor =
            Accessor { language: "yaml", before: String::new(), after: String::new(), lead: None, renamed: None };
        let form = ColumnForm {
            whole: range.clone(),
            qualifier: String::new(),
            spelled: name.to_owned(),
            inner: range.clone(),
            role: Role::Value,
            value,
            alias: None,
            removable: None,
            operand: false,
            accessor: Some(Box::new(accessor)),
        };
        self.add(Use { range, dataset, of, position: Position::Read, form: Form::Column(form) });
    }

    /// `ref(…)` and `source(…)` in values; the field that a relationship leads to.
    fn calls(&mut self, document: &Item<'_>) {
        let mut found: Vec<(String, Node<'_>)> = Vec::new();
        document.scalars(&mut Vec::new(), &mut |keys, node| {
            found.push((keys.last().copied().unwrap_or("").to_owned(), node));
        });
        let mut leads: Option<usize> = None;
        for (key, node) in found {
            if key == "field" {
                if let (Some(dataset), Some((name, range))) = (leads.take(), yaml::text(node)) {
                    self.compared(dataset, name, &range);
                    self.column(dataset, name, range, ValueUse::Same);
                }
                continue;
            }
            if PROSE.contains(&key.as_str()) {
                continue;
            }
            let met = call(node.text()).and_then(|(function, arguments)| self.met(function, &arguments, node));
            if key == "to" {
                leads = met;
            }
        }
    }

    fn met(&mut self, function: &str, arguments: &[(usize, &str)], node: Node<'_>) -> Option<usize> {
        let start = node.range().start;
        let met = match self.meant(function, arguments) {
            Meant::Known(known) => return known,
            Meant::Met(met) => met,
        };
        match met {
            Met::Dataset(dataset, new) => {
                let last = &arguments[arguments.len() - new.len()..];
                let pairs = last.iter().zip(&new).filter(|((_, old), new)| old != new);
                let edits = pairs.map(|((at, old), new)| (start + at..start + at + old.len(), new.clone())).collect();
                let (at, old) = arguments.last()?;
                self.named(dataset, start + at..start + at + old.len(), edits);
                if node.text()[*at..].split(')').next().is_some_and(|rest| rest.contains('=')) {
                    let why = "a version of the model is asked for, and the new one has others";
                    self.doubt(dataset, node.range(), why);
                }
                Some(dataset)
            }
            Met::Half(dataset, why) => {
                self.named(dataset, node.range(), Vec::new());
                self.doubt(dataset, node.range(), &why);
                Some(dataset)
            }
            _ => None,
        }
    }

    /// What a call of `ref` or `source` is.
    fn meant(&self, function: &str, arguments: &[(usize, &str)]) -> Meant {
        match (function, arguments) {
            ("source", [(_, source), (_, table)]) => {
                match self.sources.get(&((*source).to_owned(), (*table).to_owned())) {
                    Some(Known::Dataset(dataset)) => Meant::Known(Some(*dataset)),
                    Some(Known::Other) => Meant::Known(None),
                    None => Meant::Met(self.datasets.source(Some(source), Some(table))),
                }
            }
            ("ref", [(_, model)]) => Meant::Met(self.project.model(self.datasets, None, model)),
            ("ref", [(_, package), (_, model)]) => Meant::Met(self.project.model(self.datasets, Some(package), model)),
            _ => Meant::Met(Met::Other),
        }
    }

    /// The dataset that a value names by `ref` or `source`.
    pub(super) fn dataset_of(&self, text: &str) -> Option<usize> {
        let (function, arguments) = call(text)?;
        match self.meant(function, &arguments) {
            Meant::Known(dataset) => dataset,
            Meant::Met(Met::Dataset(dataset, _) | Met::Half(dataset, _)) => Some(dataset),
            Meant::Met(_) => None,
        }
    }

    pub(super) fn datasets(&self) -> &'a Datasets {
        self.datasets
    }

    pub(super) fn project(&self) -> &'a Project {
        self.project
    }

    /// What a table of a source is by its name in dbt; `None` where the project says what it is.
    pub(super) fn met_by_name(&self, source: &str, table: &str) -> Option<Met> {
        match self.meant("source", &[(0, source), (0, table)]) {
            Meant::Known(_) => None,
            Meant::Met(met) => Some(met),
        }
    }

    /// Whether a place is a use already.
    pub(super) fn is_seen(&self, range: &Range<usize>) -> bool {
        let meets = |one: &Use| one.places().iter().any(|place| place.start < range.end && range.start < place.end);
        self.units.values().any(|unit| unit.uses.iter().any(meets))
    }

    /// Tables by their paths, in any value: told, since nothing says what reads them.
    fn paths(&mut self, document: &Item<'_>) {
        let mut found: Vec<(Range<usize>, usize)> = Vec::new();
        let selects = document.get("selectors").is_some();
        document.scalars(&mut Vec::new(), &mut |keys, node| {
            if keys.iter().any(|key| PROSE.contains(key)) {
                return;
            }
            for (at, word) in words(node.text(), true) {
                let word = word.trim_end_matches(['.', ':']);
                let (at, word) = match word.strip_prefix("source:") {
                    Some(rest) => (at + "source:".len(), rest),
                    None => (at, word),
                };
                let parts: Vec<Part<'_>> = word.split(['.', ':']).map(Some).collect();
                let table = (parts.len() > 1).then(|| self.datasets.table(&parts, true));
                let dataset = match table {
                    Some(Met::Dataset(dataset, _) | Met::Half(dataset, _)) => Some(dataset),
                    _ => self.datasets.path(word).map(|(dataset, _)| dataset),
                };
                let dataset = dataset.or_else(|| {
                    let source = || match parts[..] {
                        [Some(source), table] => Some(self.meant("source", &[(0, source), (0, table?)])),
                        _ => None,
                    };
                    let model = || Some(self.meant("ref", &[(0, word)]));
                    // `--select` and `selectors.yml` name models and sources without a call.
                    match if parts.len() == 1 { model() } else { source() }.filter(|_| selects)? {
                        Meant::Known(dataset) => dataset,
                        Meant::Met(Met::Dataset(dataset, _) | Met::Half(dataset, _)) => Some(dataset),
                        Meant::Met(_) => None,
                    }
                });
                let start = node.range().start + at;
                found.extend(dataset.map(|dataset| (start..start + word.len(), dataset)));
            }
        });
        for (range, dataset) in found {
            self.add(Use {
                range: range.clone(),
                dataset,
                of: Of::Dataset,
                position: Position::Read,
                form: Form::Told,
            });
            self.doubt(dataset, range, "the dataset is named as a value: what reads it is not shown here");
        }
    }
}

/// What a call is.
enum Meant {
    /// A table of the project's own sources, and the dataset that it is.
    Known(Option<usize>),
    /// By its name.
    Met(Met),
}

/// What a table of a source is.
enum Table {
    /// The dataset by its name in dbt, and its new one.
    Named(usize, String, String),
    /// The dataset under a name of the project's own, and the table's new name.
    Stored(usize, String),
    /// It is, or may be, and can't move.
    Half(usize, String),
    /// Another table under the dataset's name.
    Other,
    /// Another table.
    Unsaid,
}

/// `ref('a')`, `source("a", 'b')`: the function, and its arguments with their places.
fn call(text: &str) -> Option<(&str, Vec<(usize, &str)>)> {
    let at = ["ref", "source"].iter().filter_map(|word| text.find(&format!("{word}(")).map(|at| (at, *word))).min()?;
    let (start, function) = at;
    let open = start + function.len() + 1;
    let close = open + text[open..].find(')')?;
    let mut arguments = Vec::new();
    let mut at = open;
    for part in text[open..close].split(',') {
        let lead = part.len() - part.trim_start().len();
        let trimmed = part.trim();
        if trimmed.contains('=') && !trimmed.starts_with(['\'', '"']) {
            at += part.len() + 1;
            continue;
        }
        let inner = trimmed.strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"'])?;
        arguments.push((at + lead + 1, inner));
        at += part.len() + 1;
    }
    Some((function, arguments))
}
