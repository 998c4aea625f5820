//! Jinja in SQL: `ref` and `source` are tables; anything else that a template puts in may
//! be any name.

use std::collections::HashSet;

use super::path::{Path, Stand};
use super::relation::{Relation, Source};
use super::{Known, Resolver};
use crate::dataset::mapping::Position;
use crate::dataset::mapping::{Mapping, System};
use crate::dataset::names::{Met, last_part};
use crate::dataset::usage::{Doubt, Form, Of, Use};
use crate::dataset::word::{each, is_name};
use crate::tree::Node;

/// What a template calls; `builtins.ref` is `ref`.
fn called(call: Node<'_>) -> &str {
    let name = call.field("function").map_or("", Node::text);
    name.strip_prefix("builtins.").unwrap_or(name)
}

/// Arguments of `ref` and `source`, those that are given by their names in their places.
fn by_place<'t>(arguments: &[Node<'t>]) -> Vec<Node<'t>> {
    let mut plain = Vec::new();
    for wanted in [None, Some(["source_name", "package_name", "package"]), Some(["table_name", "model_name", "name"])] {
        for one in arguments {
            match wanted {
                None if one.kind() != "keyword_argument" => plain.push(*one),
                Some(names) if one.field("name").is_some_and(|name| names.contains(&name.text())) => {
                    plain.extend(one.field("value"));
                }
                _ => {}
            }
        }
    }
    plain
}

/// A text of a template without its quotes, and with those that are in it: `"'x'"` is a literal.
fn unquoted(text: Node<'_>) -> &str {
    let text = text.text();
    let ends = text.len() > 1 && text.starts_with(['\'', '"']) && text.ends_with(['\'', '"']);
    if ends { &text[1..text.len() - 1] } else { text }
}

impl<'t> Resolver<'t> {
    /// The word of a tag: `if`, `endfor`.
    pub(super) fn tag(node: Node<'t>) -> &'t str {
        node.field("tag").map_or("", Node::text)
    }

    /// `{% set users = source(…) %}`, once in the text.
    pub(super) fn variables_of(&mut self, root: Node<'t>) {
        let mut twice = std::collections::HashSet::new();
        for tag in root.descendants().filter(|below| below.kind() == "jinja_tag" && Self::tag(*below) == "set") {
            let Some(pair) = tag.named_children().find(|child| child.kind() == "keyword_argument") else { continue };
            let (Some(name), Some(value)) = (pair.field("name"), pair.field("value")) else { continue };
            if self.variables.insert(name.text().to_owned(), value).is_some() {
                twice.insert(name.text().to_owned());
            }
        }
        self.variables.retain(|name, _| !twice.contains(name));
    }

    /// `{{ this }}`: what the model has built before, under the names of its own list. They stay
    /// what they are.
    fn own_outputs(&self, node: Node<'t>) -> Source {
        let outer = node.ancestors().filter(|up| up.kind() == "query").last();
        let select = outer.and_then(|query| query.named_children().find(|child| child.kind() == "select"));
        let clause = select.and_then(|select| select.named_children().find(|child| child.kind() == "select_clause"));
        let items: Vec<Node<'t>> = clause.into_iter().flat_map(Node::named_children).collect();
        let name = |item: &Node<'t>| (item.kind() == "select_item").then(|| self.output_name(*item)).flatten();
        let names: Option<HashSet<String>> = items.iter().map(name).collect();
        names.filter(|names| !names.is_empty()).map_or(Source::Unknown, Source::Names)
    }

    /// The table that a name is which a template puts in; `None` where it is a plain one.
    pub(super) fn jinja_table(&mut self, node: Node<'t>) -> Option<Relation> {
        let output = node.children().find(|child| child.kind() == "jinja_output")?;
        let alone = node.named_children().filter(|child| child.kind() != "comment").count() <= 1
            && output.local_range() == node.local_range();
        let mut relation = Relation { name: None, path: Vec::new(), renamed: None, source: Source::Unknown };
        if !alone {
            // Parts of a name: those that are written are looked at by the caller.
            return None;
        }
        self.account(node);
        let content = output.named_children().find(|child| child.kind() != "comment")?;
        let content = match content.kind() {
            "identifier" => match self.variables.get(content.text()) {
                Some(value) => *value,
                None => {
                    if content.text() == "this" {
                        relation.source = self.own_outputs(node);
                    }
                    return Some(relation);
                }
            },
            _ => content,
        };
        relation.source = self.relation_of(content, node);
        if matches!(relation.source, Source::Unknown) && !matches!(called(content), "ref" | "source") {
            self.jinja_left(node);
        }
        Some(relation)
    }

    /// What a call of `ref` or `source` is.
    fn relation_of(&mut self, call: Node<'t>, at: Node<'t>) -> Source {
        let function = called(call);
        let arguments: Vec<Node<'t>> =
            call.field("arguments").into_iter().flat_map(|list| list.named_children()).collect();
        let plain: Vec<Node<'t>> = by_place(&arguments);
        let text =
            |node: &Node<'t>| (node.kind() == "string").then(|| node.text().trim_matches(['\'', '"']).to_owned());
        let texts: Vec<Option<String>> = plain.iter().map(text).collect();
        let met = match (function, &texts[..]) {
            ("source", [source, table]) => {
                if let (Some(source), Some(table)) = (source, table)
                    && let Some(known) = self.setting.project.sources.get(&(source.clone(), table.clone()))
                {
                    return match known {
                        Known::Dataset(dataset) => {
                            self.push(plain[1], *dataset, Of::Dataset, Position::Read, Form::Name(Vec::new()));
                            Source::Dataset(*dataset)
                        }
                        Known::Other => Source::Unknown,
                    };
                }
                self.datasets.source(source.as_deref(), table.as_deref())
            }
            ("ref", [Some(model)]) => self.setting.project.model(self.datasets, None, model),
            ("ref", [Some(package), Some(model)]) => self.setting.project.model(self.datasets, Some(package), model),
            ("ref", [None] | [_, None]) => self.put_in(at, System::DbtRef),
            _ => Met::Other,
        };
        let met = match met {
            Met::Other if function == "source" && texts.iter().all(Option::is_none) => {
                self.put_in(at, System::DbtSource)
            }
            met => met,
        };
        let met = match met {
            Met::Dataset(dataset, _) if plain.len() != arguments.len() => {
                Met::Half(dataset, "a version of the model is asked for, and the new one has others".to_owned())
            }
            met => met,
        };
        let last = plain.last().copied().unwrap_or(at);
        match met {
            Met::Dataset(dataset, new) => {
                let strings = &plain[plain.len().saturating_sub(new.len())..];
                let inner = |node: &Node<'t>| node.range().start + 1..node.range().end - 1;
                let edits = strings.iter().zip(&new).map(|(node, new)| (inner(node), new.clone()));
                let edits = edits.filter(|(range, new)| self.differs(range, new)).collect();
                self.push(last, dataset, Of::Dataset, Position::Read, Form::Name(edits));
                Source::Dataset(dataset)
            }
            Met::Half(dataset, why) => {
                self.push(last, dataset, Of::Dataset, Position::Read, Form::Told);
                self.doubts.push(Doubt::annotate(at.range(), why));
                Source::Dataset(dataset)
            }
            _ => Source::Unknown,
        }
    }

    /// The dataset that `ref(var('model'))` may be: a text of the file, or a variable of the project, is its
    /// name.
    fn put_in(&self, at: Node<'t>, system: System) -> Met {
        let root = at.ancestors().last().unwrap_or(at);
        let written = |last: &str| {
            let text = |node: Node<'_>| node.kind() == "string" && node.text().trim_matches(['\'', '"']) == last;
            self.setting.project.variables.contains(last) || root.descendants().any(text)
        };
        let named = |mapping: &Mapping| {
            mapping
                .names(system)
                .any(|name| !self.setting.project.models.contains(&name.old) && written(last_part(&name.old)))
        };
        match self.datasets.mappings.iter().position(named) {
            Some(dataset) => Met::Half(dataset, "its name is put in by a template".to_owned()),
            None => Met::Other,
        }
    }

    /// What a template puts in where an operand stands.
    pub(super) fn jinja_operand(&mut self, node: Node<'t>, stand: Stand) {
        if self.macro_of_column(node, stand) {
            self.account(node);
            return;
        }
        self.jinja_left(node);
        self.account(node);
        if self.reads_a_dataset(stand.scope) {
            self.doubts.push(Doubt::open(node.range(), "what a template writes here may name any column"));
        }
    }

    /// `{{ clean('country_code') }}`, where the project's macro puts its argument where a
    /// column goes.
    fn macro_of_column(&mut self, node: Node<'t>, stand: Stand) -> bool {
        let Some(call) = node.descendants().find(|below| below.kind() == "jinja_call") else { return false };
        let name = call.field("function").map_or("", Node::text);
        let Some(parameters) = self.setting.project.macros.get(name) else { return false };
        let mut arguments: Vec<Node<'t>> =
            call.field("arguments").into_iter().flat_map(|list| list.named_children()).collect();
        let mut parameters = parameters.clone();
        if parameters.first().and_then(Option::as_deref) == Some(super::LIST) {
            if let [list] = arguments[..]
                && list.kind() == "jinja_list"
            {
                arguments = list.named_children().collect();
            }
            parameters.resize(arguments.len(), Some(super::LIST.to_owned()));
        }
        let plain = call.parent().is_some_and(|parent| parent.kind() == "jinja_output");
        let taken = |(argument, parameter): (&Node<'t>, &Option<String>)| match parameter {
            Some(_) => argument.kind() == "string" && is_name(unquoted(*argument)),
            None => self.names_no_column(*argument),
        };
        if !plain || arguments.len() != parameters.len() || !arguments.iter().zip(&parameters).all(taken) {
            return false;
        }
        let columns = arguments.iter().zip(&parameters).filter(|(_, parameter)| parameter.is_some());
        for (argument, _) in columns {
            let at = self.uses.len();
            let path = Path { node: *argument, parts: vec![*argument], before: 1 };
            self.path(&path, stand);
            for one in &mut self.uses[at..] {
                if let Form::Column(form) = &mut one.form {
                    // The macro does what it will with the value; its name is all that is known.
                    form.inner = argument.range().start + 1..argument.range().end - 1;
                    form.value = crate::dataset::usage::ValueUse::Elsewhere("a macro does something with its value");
                    form.alias = None;
                    form.removable = None;
                    form.role = crate::dataset::usage::Role::Star;
                }
            }
        }
        true
    }

    /// Whether an argument is a part of a date, a number, a type or the like.
    fn names_no_column(&self, argument: Node<'t>) -> bool {
        let types = ["api.Column.translate_type(", "dbt.type_"];
        // `-1`
        let signed = argument.kind() == "operation"
            && argument.text().starts_with('-')
            && argument.named_children().all(|child| child.kind() == "number")
            && argument.named_children().count() == 1;
        let plain = matches!(argument.kind(), "string" | "number")
            || signed
            || types.iter().any(|call| argument.text().starts_with(call));
        plain
            && each(argument.text()).all(|(_, word)| {
                let changes =
                    |mapping: &Mapping| mapping.index(word, true).map(|column| !mapping.columns[column].is_kept());
                !self.datasets.mappings.iter().any(|mapping| changes(mapping) == Some(true))
            })
    }

    /// What a template puts in where a whole clause or query stands.
    pub(super) fn jinja_body(&mut self, node: Node<'t>) {
        self.jinja_left(node);
        self.account(node);
        self.doubts.push(Doubt::open(node.range(), "what a template writes here may name any column"));
    }

    /// Whether what a template writes is no part of a query, or only joins parts of one:
    /// `{{ config(…) }}`, `{{ "," if not loop.last }}`.
    pub(super) fn is_harmless(node: Node<'t>) -> bool {
        let calls = || node.descendants().filter(|below| below.kind() == "jinja_call");
        if let Some(call) = calls().next() {
            let name = call.field("function").map_or("", Node::text);
            let only = call.parent().is_some_and(|parent| parent.id == node.id);
            return only && matches!(name, "config" | "log" | "print" | "debug" | "docs") || Self::is_ordinals(node);
        }
        let joins = ["union", "all", "distinct", "and", "or", "intersect", "except"];
        node.descendants().all(|below| match below.kind() {
            "string" => crate::dataset::word::words(below.text(), false)
                .into_iter()
                .all(|(_, word)| joins.contains(&word.to_lowercase().as_str())),
            "identifier" => matches!(below.text(), "loop" | "last" | "first"),
            _ => true,
        })
    }

    /// `{{ dbt_utils.group_by(n=2) }}`: places of the list.
    pub(super) fn is_ordinals(node: Node<'t>) -> bool {
        let mut calls = node.named_children().filter(|child| child.kind() == "jinja_call");
        calls.any(|call| {
            let numbers = |list: Node<'t>| !list.descendants().any(|below| below.kind() == "string");
            call.field("function").map(Node::text) == Some("dbt_utils.group_by")
                && call.field("arguments").is_some_and(numbers)
                && call.descendants().filter(|below| below.kind() == "identifier").count() <= 3
        })
    }

    /// Datasets that templates name and no statement reads: `{{ macro(ref('x')) }}`, SQL in a
    /// text that a template runs.
    pub(super) fn templates(&mut self, root: Node<'t>) {
        let is_template = |node: &Node<'t>| matches!(node.kind(), "jinja_output" | "jinja_tag");
        for template in root.descendants().filter(is_template).collect::<Vec<_>>() {
            let known = self.units.iter().flat_map(|unit| &unit.uses).map(|one| one.range.clone());
            let range = template.range();
            let known: Vec<_> = known.filter(|one| range.start <= one.start && one.end <= range.end).collect();
            let is_known = |node: Node<'t>| {
                let range = node.range();
                known.iter().any(|one| one.start < range.end && range.start < one.end)
            };
            self.unit(range, |resolver| {
                for below in template.descendants() {
                    match below.kind() {
                        "string" if !is_known(below) && resolver.tables_in_text(below) => {
                            resolver.doubt(below, "SQL in a text of a template");
                        }
                        "jinja_call" if !is_known(below) && matches!(called(below), "ref" | "source") => {
                            let before = resolver.uses.len();
                            resolver.relation_of(below, below);
                            let found = resolver.uses.len() > before;
                            resolver.uses[before..].iter_mut().for_each(|one| one.form = Form::Told);
                            if found {
                                let why = "a template does with it what is not shown here";
                                resolver.doubts.push(Doubt::open(below.range(), why));
                            }
                        }
                        _ => {}
                    }
                }
                if !resolver.uses.is_empty() {
                    resolver.told_columns(template);
                }
            });
        }
    }

    /// Datasets and columns that a template's output names.
    pub(super) fn jinja_left(&mut self, node: Node<'t>) {
        let calls: Vec<Node<'t>> = node.descendants().filter(|below| below.kind() == "jinja_call").collect();
        for call in calls {
            if !matches!(called(call), "ref" | "source") || call.id == node.id {
                continue;
            }
            let before = self.uses.len();
            let texts = call
                .field("arguments")
                .into_iter()
                .flat_map(|list| list.named_children())
                .all(|one| one.kind() == "string");
            if texts {
                self.relation_of(call, node);
            }
            self.uses[before..].iter_mut().for_each(|one| one.form = Form::Told);
        }
        let datasets: Vec<usize> = self.uses.iter().map(|one: &Use| one.dataset).collect();
        if !datasets.is_empty() {
            self.told_columns(node);
        }
    }

    /// As [`Resolver::unreadable`], for `ref` and `source`.
    pub(super) fn unreadable_jinja(&mut self, node: Node<'t>, datasets: &mut std::collections::BTreeSet<usize>) {
        let before = self.uses.len();
        let calls: Vec<Node<'t>> = node.descendants().filter(|below| below.kind() == "jinja_call").collect();
        for call in calls {
            if matches!(called(call), "ref" | "source") {
                self.relation_of(call, call);
            }
        }
        self.uses[before..].iter_mut().for_each(|one| one.form = Form::Told);
        datasets.extend(self.uses[before..].iter().map(|one| one.dataset));
    }
}
