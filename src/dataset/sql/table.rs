//! Tables by their names: which are datasets, and what else stands in a `from`.

use std::collections::HashSet;
use std::ops::Range;

use super::relation::{Output, Relation, Shape, Source};
use super::{Around, Goes, Resolver, folded, unquoted};
use crate::dataset::mapping::{Position, Renamed, System};
use crate::dataset::names::{Met, Part};
use crate::dataset::usage::{Doubt, Form, Of, Use};
use crate::dataset::word::each;
use crate::tree::Node;

/// A part of a table's name and its bytes in the file.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// `None` where it is put in at run time.
    text: Option<String>,
    /// What comes before a hole.
    head: Option<String>,
    /// Whether its new name is to be written in upper case.
    upper: bool,
    range: Range<usize>,
}

/// Functions that make arrays of plain values.
const SCALARS: [&str; 8] = [
    "split",
    "generate_array",
    "generate_date_array",
    "generate_timestamp_array",
    "regexp_extract_all",
    "json_extract_string_array",
    "json_value_array",
    "to_code_points",
];

impl<'t> Resolver<'t> {
    /// A table of a `from`: it becomes a relation of `scope`.
    pub(super) fn reference(&mut self, node: Node<'t>, around: &Around, scope: usize) {
        let inner = Around { scope: Some(scope), ctes: around.ctes.clone() };
        let outer = Around { scope: self.scopes[scope].parent, ctes: around.ctes.clone() };
        let alias = node.named_children().filter(|child| child.field_name() == Some("alias")).last();
        let columns: Vec<Node<'t>> = node
            .named_children()
            .filter(|child| child.field_name() == Some("columns"))
            .flat_map(|list| list.named_children().collect::<Vec<_>>())
            .collect();
        if let Some(alias) = alias {
            if alias.kind().starts_with("jinja") { self.jinja_body(alias) } else { self.account(alias) }
        }
        columns.iter().for_each(|column| self.account(*column));
        let Some(table) = node.field("table") else { return };
        let lateral = node.children().any(|child| child.kind() == "lateral");
        let before = self.carried.len();
        let mut relation = match table.kind() {
            "table_name" => self.table(table, &inner),
            "subquery" => {
                let around = if lateral { &inner } else { &outer };
                let goes = if columns.is_empty() { Goes::Inside } else { Goes::ByPlace };
                let mut shape = self.subquery(table, around, goes);
                if !columns.is_empty() {
                    shape = self.renamed(shape, &columns, table);
                }
                unnamed(Source::Derived(shape))
            }
            "unnest" => {
                self.expression(table, &inner, Position::Read);
                let argument = table.descendants().find(|below| below.kind() == "argument");
                let array =
                    argument.and_then(|one| one.field("value")).and_then(|value| self.array_of(value, Some(scope)));
                match array {
                    Some((dataset, column)) => unnamed(Source::Element(dataset, column)),
                    // Fields of structs that are written here, or of another array.
                    None => unnamed(self.elements(table, alias)),
                }
            }
            "table_call" => self.call_of_table(table, &inner),
            "parenthesized_tables" => {
                self.from(table, around, scope);
                if alias.is_some() {
                    self.doubt(table, "a join with an alias of its own");
                }
                return;
            }
            "string" => self.stored(table),
            "jinja_output" | "jinja_name" => {
                self.jinja_body(table);
                unnamed(Source::Unknown)
            }
            _ => unnamed(Source::Unknown),
        };
        if matches!(table.kind(), "unnest" | "table_call") {
            self.lose(&self.carried_since(before), table);
        }
        if let Some(alias) = alias {
            relation.name = Some(folded(alias.text()));
            relation.renamed = None;
            relation.path.clear();
        }
        if !columns.is_empty() && !matches!(relation.source, Source::Derived(_)) {
            if self.shapes.starred(&relation.source).is_empty() {
                relation.source = Source::Names(columns.iter().map(|column| folded(column.text())).collect());
            } else {
                self.doubt(table, "its columns get other names by place");
            }
        }
        self.scopes[scope].relations.push(relation);
        for operator in node.named_children().filter(|child| child.kind() == "table_operator") {
            self.operator(operator, &inner, scope);
        }
    }

    /// What an array that is no dataset's hands on: its alias, and whatever its structs have.
    fn elements(&self, unnest: Node<'t>, alias: Option<Node<'t>>) -> Source {
        let mut names: HashSet<String> = alias.into_iter().map(|alias| folded(alias.text())).collect();
        let made = unnest
            .descendants()
            .find(|below| below.kind() == "argument")
            .and_then(|argument| argument.field("value"))
            .and_then(|value| value.field("function"));
        let scalars = made.is_some_and(|name| SCALARS.contains(&name.text().to_lowercase().as_str()));
        let written = scalars || unnest.descendants().any(|below| below.kind() == "array");
        let structs: Vec<Node<'t>> =
            unnest.descendants().filter(|below| matches!(below.kind(), "struct" | "struct_type")).collect();
        if !written || structs.is_empty() {
            return if written { Source::Names(names) } else { Source::Unknown };
        }
        for below in unnest.descendants().filter(|below| matches!(below.field_name(), Some("alias" | "name"))) {
            names.insert(folded(below.text()));
        }
        Source::Names(names)
    }

    /// `with offset`, `lateral view`, samples, pivots.
    fn operator(&mut self, node: Node<'t>, around: &Around, scope: usize) {
        if let Some(offset) = node.field("offset") {
            self.account(offset);
            self.scopes[scope].relations.push(unnamed(Source::Names(HashSet::from([folded(offset.text())]))));
        }
        for child in node.named_children().filter(|child| child.field_name() != Some("offset")) {
            match child.kind() {
                "system_time" => {
                    self.expression(child, around, Position::Read);
                    // A while ago both tables are there; what a day in the past had, the new one may not.
                    if !child.text().to_ascii_lowercase().contains("current_") && !self.uses.is_empty() {
                        self.doubts.push(Doubt::annotate(child.range(), "the table is read as it was at a time"));
                    }
                }
                "sample" => self.account(child),
                "lock_clause" => {}
                "lateral_view" => self.lateral_view(child, around, scope),
                kind => {
                    let touches =
                        self.scopes[scope].relations.iter().any(|one| !self.shapes.starred(&one.source).is_empty())
                            || !self.uses.is_empty();
                    self.told_tables(child);
                    self.told_columns(child);
                    self.account(child);
                    if touches {
                        let why = match kind {
                            "pivot" => "a pivot makes columns of values, and these may change",
                            "unpivot" => "unpivot makes values of columns' names",
                            _ => "gander does not follow names through this",
                        };
                        self.doubts.push(Doubt::open(child.range(), why));
                    }
                }
            }
        }
    }

    /// `lateral view explode(t.array) name as column`.
    fn lateral_view(&mut self, node: Node<'t>, around: &Around, scope: usize) {
        let (mut names, before): (Vec<Node<'t>>, usize) = (Vec::new(), self.carried.len());
        for child in node.named_children() {
            match child.kind() {
                "table_call" => self.expression(child, around, Position::Read),
                _ => {
                    self.account(child);
                    names.push(child);
                }
            }
        }
        let alias = names.iter().find(|name| name.field_name() == Some("alias"));
        let columns: Vec<&Node<'t>> = names.iter().filter(|name| name.field_name() != Some("alias")).collect();
        let call = node.named_children().find(|child| child.kind() == "table_call");
        let argument = call.and_then(|call| call.descendants().find(|below| below.kind() == "argument"));
        let array = argument.and_then(|one| one.field("value")).and_then(|value| self.array_of(value, Some(scope)));
        let only = columns.len() == 1;
        let carries = self.carried_since(before);
        let outputs = columns.iter().map(|name| Output {
            name: Some(folded(name.text())),
            element: array.filter(|_| only),
            carries: carries.clone(),
            ..Output::default()
        });
        let outputs = outputs.collect();
        let shape = self.shapes.add(Shape { columns: outputs, ..Shape::default() });
        let mut relation = unnamed(Source::Derived(shape));
        relation.name = alias.map(|alias| folded(alias.text()));
        self.scopes[scope].relations.push(relation);
    }

    /// `flatten(…)`, `read_parquet('…')`, other functions that make tables.
    fn call_of_table(&mut self, node: Node<'t>, around: &Around) -> Relation {
        let name = node.field("function").map_or(String::new(), |name| name.text().to_lowercase());
        let strings: Vec<Node<'t>> = node.descendants().filter(|below| below.kind() == "string").collect();
        if let [string] = strings[..]
            && matches!(
                name.as_str(),
                "read_parquet"
                    | "parquet_scan"
                    | "read_csv"
                    | "read_csv_auto"
                    | "read_json"
                    | "iceberg_scan"
                    | "delta_scan"
            )
        {
            node.field("function").into_iter().for_each(|function| self.account(function));
            return self.stored(string);
        }
        let before = self.uses.len();
        if name == "external_query" {
            for string in &strings {
                if self.tables_in_text(*string) {
                    self.doubts.push(Doubt::open(string.range(), "SQL in a text that another database runs"));
                }
            }
        }
        self.expression(node, around, Position::Read);
        if matches!(name.as_str(), "flatten" | "explode" | "explode_outer") {
            let argument = node.descendants().find(|below| below.kind() == "argument");
            let array =
                argument.and_then(|one| one.field("value")).and_then(|value| self.array_of(value, around.scope));
            let value = |name: &str, element| Output { element, ..Output::of(Some(name.to_owned())) };
            let mut columns = vec![value("value", array), value("col", array)];
            columns.extend(["index", "key", "path", "seq", "this", "pos"].map(|name| value(name, None)));
            let shape = self.shapes.add(Shape { columns, ..Shape::default() });
            return unnamed(Source::Derived(shape));
        }
        // `table(flatten(…))`: what comes of a struct is read under names that are not followed.
        let fields = |one: &crate::dataset::usage::Use| match one.of {
            Of::Column(column) => self.datasets.mappings[one.dataset].columns[column].changes_fields(),
            _ => false,
        };
        if self.uses[before..].iter().any(fields) {
            let why = "the fields of a struct go through a function that makes a table";
            self.doubts.push(Doubt::open(node.range(), why));
        }
        // A table that is named in a text.
        let told = self.uses[before..].iter().find(|one| one.of == Of::Dataset).map(|one| one.dataset);
        match told {
            Some(dataset) => unnamed(Source::Dataset(dataset)),
            None => unnamed(Source::Unknown),
        }
    }

    /// A dataset by the path of its files.
    fn stored(&mut self, string: Node<'t>) -> Relation {
        self.account(string);
        let text = string.text();
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
        if self.setting.dialect.quotes_names() && text.starts_with('"') && !inner.contains('/') {
            return self.by_name(
                vec![Named {
                    text: Some(inner.to_owned()),
                    head: None,
                    upper: self.is_upper(string),
                    range: string.range().start + 1..string.range().end - 1,
                }],
                string,
            );
        }
        match self.datasets.path(inner) {
            Some((dataset, new)) if !self.has_hole(&string.local_range()) => {
                let range = string.range().start + 1..string.range().end - 1;
                self.push(string, dataset, Of::Dataset, Position::Read, Form::Name(vec![(range, new)]));
                if let Some(why) = self.datasets.partition(dataset, inner) {
                    self.doubt(string, why);
                }
                unnamed(Source::Dataset(dataset))
            }
            Some((dataset, _)) => {
                self.push(string, dataset, Of::Dataset, Position::Read, Form::Told);
                self.doubt(string, "a part of its path is put in at run time");
                unnamed(Source::Dataset(dataset))
            }
            None => unnamed(Source::Unknown),
        }
    }

    /// A table's name: a common table expression, an array of a table before it, a dataset,
    /// or another table.
    pub(super) fn table(&mut self, node: Node<'t>, around: &Around) -> Relation {
        if let Some(relation) = self.jinja_table(node) {
            return relation;
        }
        let leaves: Vec<Node<'t>> = node.named_children().filter(|child| !child.is_extra()).collect();
        if let [only] = leaves[..] {
            let name = folded(only.text());
            if let Some(shape) = around.ctes.get(&name) {
                self.account(node);
                let mut relation = unnamed(Source::Derived(shape));
                relation.name = Some(name);
                return relation;
            }
        }
        if let [table, column] = leaves[..]
            && let Some(relation) = self.array_of_relation(table, column, around)
        {
            self.account(node);
            return relation;
        }
        if let [format, path] = leaves[..]
            && ["parquet", "delta", "orc", "avro", "json", "csv", "iceberg"].contains(&folded(format.text()).as_str())
            && unquoted(path.text()).contains('/')
        {
            self.account(node);
            return self.stored(path);
        }
        let parts = self.parts(&leaves);
        let alone = parts.len() == 1;
        let relation = self.by_name(parts, node);
        if let Some(new) = relation.renamed.as_ref().and_then(|new| new.last()).filter(|_| alone)
            && around.ctes.get(&new.to_lowercase()).is_some()
        {
            self.doubt(node, format!("its new name, {new}, is a query of this statement"));
        }
        self.account(node);
        relation
    }

    /// `t.devices` behind a comma, where `t` is a table before it.
    fn array_of_relation(&mut self, table: Node<'t>, column: Node<'t>, around: &Around) -> Option<Relation> {
        let (name, field) = (folded(table.text()), folded(column.text()));
        let source = self.scopes_from(around.scope).find_map(|scope| {
            let named = |one: &&Relation| one.name.as_deref() == Some(&name);
            self.scopes[scope].relations.iter().find(named).map(|one| one.source.clone())
        })?;
        let mut relation = match self.shapes.find(&source, &field) {
            super::relation::Hit::Dataset(dataset, known) => {
                let value = crate::dataset::usage::ValueUse::Same;
                let role = crate::dataset::usage::Role::Value;
                self.push_column(column, dataset, known, Position::Read, role, value);
                let fields = &self.datasets.mappings[dataset].columns[known].fields;
                unnamed(if fields.is_empty() { Source::Unknown } else { Source::Element(dataset, known) })
            }
            super::relation::Hit::Unlisted(dataset) => {
                self.push_unlisted(column, dataset);
                unnamed(Source::Unknown)
            }
            super::relation::Hit::Element(dataset, known) => unnamed(Source::Element(dataset, known)),
            _ => unnamed(Source::Unknown),
        };
        relation.name = Some(field);
        Some(relation)
    }

    /// The parts of a name: leaves hold one, or several in one pair of backticks.
    pub(super) fn parts(&self, leaves: &[Node<'t>]) -> Vec<Named> {
        let mut parts = Vec::new();
        for leaf in leaves {
            let (text, inner) = (unquoted(leaf.text()), self.inner(*leaf));
            let base = self.tree.base();
            let mut at = 0;
            let several = text.len() != leaf.text().len();
            let ends = text.match_indices(|c: char| several && (c == '.' || c == ':')).map(|(end, _)| end);
            for end in ends.chain([text.len()]).collect::<Vec<_>>() {
                let range = inner.start + at..inner.start + end;
                let local = range.start - base..range.end - base;
                let hole = self.setting.holes.iter().find(|hole| hole.start < local.end && local.start < hole.end);
                let head = hole
                    .filter(|hole| hole.start > local.start)
                    .map(|hole| text[at..at + hole.start - local.start].to_owned());
                let plain = leaf.kind() == "identifier" && hole.is_none();
                parts.push(Named {
                    text: plain.then(|| text[at..end].to_owned()),
                    head,
                    upper: self.is_upper(*leaf),
                    range,
                });
                at = end + 1;
            }
        }
        parts
    }

    pub(super) fn by_name(&mut self, parts: Vec<Named>, node: Node<'t>) -> Relation {
        let fold = self.setting.dialect.folds_tables();
        let texts: Vec<Part<'_>> = parts
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let attached = at == 0 && parts.len() == 3;
                part.text.as_deref().filter(|text| !(attached && self.attached.contains(&text.to_lowercase())))
            })
            .collect();
        let mut relation = unnamed(Source::Unknown);
        let path: Vec<String> = parts.iter().map(|part| part.text.as_deref().unwrap_or("").to_lowercase()).collect();
        relation.name = path.last().filter(|name| !name.is_empty()).cloned();
        relation.path = path;
        if let Some(Named { head: Some(head), .. }) = parts.last()
            && let Some(dataset) = self.datasets.begins(&texts[..texts.len() - 1], head, fold)
        {
            self.push(node, dataset, Of::Dataset, Position::Read, Form::Told);
            self.doubts.push(Doubt::annotate(node.range(), "its name is put together at run time"));
            relation.source = Source::Dataset(dataset);
            return relation;
        }
        if let [.., Some(of), None] = texts[..]
            && let Some(dataset) = self.any_table_of(&texts[..texts.len() - 2], of, node)
        {
            self.push(node, dataset, Of::Dataset, Position::Read, Form::Told);
            self.doubts.push(Doubt::open(node.range(), "which table is read is put in at run time"));
            relation.source = Source::Dataset(dataset);
            return relation;
        }
        if let [Some(only)] = texts[..]
            && let Some(dataset) = self.setting.tables.get(only)
        {
            relation.source = Source::Dataset(*dataset);
            self.push(node, *dataset, Of::Dataset, Position::Read, Form::Name(Vec::new()));
            return relation;
        }
        match self.datasets.table(&texts, fold) {
            Met::Dataset(dataset, new) => {
                let changed = parts.iter().zip(&new).filter(|(part, new)| {
                    let same = |text: &String| text == *new || fold && text.eq_ignore_ascii_case(new);
                    !part.text.as_ref().is_some_and(same)
                });
                let edits = changed
                    .map(|(part, new)| (part.range.clone(), if part.upper { new.to_uppercase() } else { new.clone() }))
                    .collect();
                let range = parts.last().map_or(node.range(), |part| part.range.clone());
                self.uses.push(Use {
                    range,
                    dataset,
                    of: Of::Dataset,
                    position: Position::Read,
                    form: Form::Name(edits),
                });
                relation.source = Source::Dataset(dataset);
                relation.renamed = Some(new);
            }
            Met::Half(dataset, why) => {
                self.push(node, dataset, Of::Dataset, Position::Read, Form::Told);
                self.doubts.push(Doubt::annotate(node.range(), why));
                relation.source = Source::Dataset(dataset);
            }
            Met::Known(schema) => relation.source = Source::Known(schema),
            Met::Other => {}
        }
        relation
    }
}

impl Resolver<'_> {
    /// The dataset that lies where a table is read whose own name is put in, if the text names a column of it
    /// that changes.
    fn any_table_of(&self, project: &[Part<'_>], of: &str, node: Node<'_>) -> Option<usize> {
        let fold = self.setting.dialect.folds_tables();
        let same = |a: &str, b: &str| a == b || fold && a.eq_ignore_ascii_case(b);
        let lies = |name: &Renamed| {
            let mut back = name.old.rsplit('.').skip(1);
            back.next().is_some_and(|known| same(known, of))
                && project.iter().rev().zip(back).all(|(part, known)| part.is_none_or(|part| same(known, part)))
        };
        let root = node.ancestors().last().unwrap_or(node);
        self.datasets.mappings.iter().position(|mapping| {
            let changes = |word: &str| mapping.column(word, true).is_some_and(|column| !column.is_kept());
            mapping.names(System::Table).any(lies) && each(root.text()).any(|(_, word)| changes(word))
        })
    }
}

fn unnamed(source: Source) -> Relation {
    Relation { name: None, path: Vec::new(), renamed: None, source }
}
