//! Where rows come from: what a call reads, by the table, the path or the class it names.

use std::ops::Range;

use super::Flow;
use super::call::Method;
use super::shape::{Argument, Callee, Parameter, Shape, shape};
use super::value::{Data, Library, Rest, Style, Value};
use crate::dataset::mapping::Position;
use crate::dataset::mapping::System;
use crate::dataset::names::{Met, Part};
use crate::dataset::text::{self, Placeholders};
use crate::dataset::usage::{Accessor, ColumnForm, Doubt, Form, Of, Role, Use, ValueUse};
use crate::dataset::word::has_any;
use crate::tree::Node;

/// Options of what Spark reads that name no column and no version, in lower case.
const OPTIONS: [&str; 25] = [
    "table",
    "dbtable",
    "path",
    "filter",
    "basepath",
    "header",
    "inferschema",
    "mergeschema",
    "delimiter",
    "sep",
    "encoding",
    "multiline",
    "project",
    "parentproject",
    "dataset",
    "viewsenabled",
    "materializationdataset",
    "materializationproject",
    "credentialsfile",
    "url",
    "driver",
    "user",
    "password",
    "recursivefilelookup",
    "readdataformat",
];

fn is_known_option(given: &[Argument<'_>]) -> bool {
    let key = given.first().map_or("", |one| one.value.text()).trim_matches(['"', '\'']).to_ascii_lowercase();
    OPTIONS.contains(&key.as_str())
}

impl<'t> Flow<'t> {
    /// What a call reads, whose object is nothing that is followed.
    pub(super) fn reader(&mut self, method: &Method<'t>, path: Option<&str>) -> Option<Value<'t>> {
        let language = self.tree.language.facts.name.as_str();
        match language {
            "python" => self.spark_reader(method),
            "scala" => self.scio_reader(method).or_else(|| self.spark_reader(method)),
            "java" => self.java_reader(method, path),
            _ => self.node_reader(method),
        }
    }

    /// `spark.table(…)`, `spark.read….load(…)`.
    fn spark_reader(&mut self, method: &Method<'t>) -> Option<Value<'t>> {
        let frame = |data: Option<Data>| Value::frame(Library::Spark, data.unwrap_or_else(Data::other));
        let of_read = || {
            let mut at = method.object;
            loop {
                match shape(at) {
                    Shape::Member { name, .. } if matches!(name.text(), "read" | "readStream") => return true,
                    Shape::Member { object, .. } => at = object,
                    Shape::Call { callee: Callee::Method { object, .. }, .. } => at = object,
                    _ => return false,
                }
            }
        };
        let first = method.arguments.first();
        match method.word() {
            // Others have a method of the name, too.
            "table" if method.arguments.len() == 1 && self.speaks_of_spark() => {
                let data = match first.map(|one| &one.value) {
                    Some(Value::Text(text)) => self.table_text(*text, true),
                    _ => None,
                };
                Some(frame(data))
            }
            "sql" => Some(frame(None)),
            "format" | "option" | "options" | "schema" if of_read() => Some(Value::Plain),
            "parquet" | "orc" | "avro" | "json" | "csv" if of_read() => {
                let mut data = None;
                let chain = chain_of(method.object);
                for one in method.arguments.iter().filter(|one| one.name.is_none()) {
                    if let Value::Text(text) = one.value {
                        let found = self.path_text(text);
                        data = match (data, found) {
                            (None, found) => found,
                            (Some(known), Some(found)) => Some(Data::joined(known, &found)),
                            (known, None) => known,
                        };
                    }
                }
                self.options_of_read(&chain, &mut data);
                self.options_of_call(method, data.as_ref());
                Some(frame(data))
            }
            "load" if of_read() => Some(frame(self.loaded(method))),
            _ => None,
        }
    }

    /// Whether the file speaks of Spark, or of what has its methods.
    fn speaks_of_spark(&self) -> bool {
        *self.of_spark.get_or_init(|| has_any(self.tree.text(), &["spark", "snowpark", "databricks", "sqlcontext"]))
    }

    /// `spark.read.….load(…)`: by its argument, or by what the calls before say.
    fn loaded(&mut self, method: &Method<'t>) -> Option<Data> {
        let chain = chain_of(method.object);
        let mut data = match method.arguments.first().map(|one| &one.value) {
            Some(Value::Text(text)) => self.table_or_path(*text),
            _ => None,
        };
        for key in ["table", "dbtable", "path"] {
            if data.is_none()
                && let Some(text) = option(&chain, key)
            {
                data = self.table_or_path(text);
            }
        }
        if let (Some(known), Some(filter)) = (&data, option(&chain, "filter")) {
            self.fragment(filter, &known.clone(), "select 1 from spark_t where ", "");
        }
        self.options_of_read(&chain, &mut data);
        self.options_of_call(method, data.as_ref());
        data
    }

    /// What the calls before say of what is read: its columns, and where its files begin.
    fn options_of_read(&mut self, chain: &[(&'t str, Vec<Argument<'t>>)], data: &mut Option<Data>) {
        if let Some(base) = option(chain, "basePath")
            && let Some(more) = self.path_text(base)
        {
            let both: Vec<usize> = data.iter().flat_map(Data::sources).chain(more.sources()).collect();
            self.together(&both);
            *data = data.take().or(Some(more));
        }
        let first = |wanted: &str| {
            let mut given = chain.iter().filter(|(word, _)| *word == wanted);
            given.find_map(|(_, given)| given.first()).map(|one| one.value)
        };
        let (schema, open) = (first("schema"), first("options"));
        let unknown = chain.iter().any(|(word, given)| *word == "option" && !is_known_option(given));
        let other = first("option").filter(|_| unknown);
        for source in data.iter().flat_map(Data::sources).collect::<Vec<_>>() {
            for (node, why) in [
                (schema, "its columns are listed where it is read, in a way that gander does not rewrite"),
                (open, "options of what is read are not written here"),
                (other, "an option of what is read that gander does not know: it may name a column, or a version"),
            ] {
                node.into_iter().for_each(|node| self.doubt(source, Doubt::open(node.range(), why)));
            }
        }
    }

    /// Options that a call that reads files gets by their names.
    fn options_of_call(&mut self, method: &Method<'t>, data: Option<&Data>) {
        let known = |name: &str| name == "path" || OPTIONS.contains(&name.to_ascii_lowercase().as_str());
        let other = method.arguments.iter().find(|one| one.name.is_some_and(|name| name != "format" && !known(name)));
        let why = "an option of what is read that gander does not know: it may name a column, or a version";
        for source in data.into_iter().flat_map(Data::sources) {
            other.into_iter().for_each(|one| self.doubt(source, Doubt::open(one.node.range(), why)));
        }
    }

    /// What Java reads.
    fn java_reader(&mut self, method: &Method<'t>, path: Option<&str>) -> Option<Value<'t>> {
        let first = method.arguments.first().cloned();
        match method.word() {
            "of" if path.is_some_and(|path| path.ends_with("TableId.of")) => {
                let parts: Vec<Node<'t>> = method.arguments.iter().map(|one| one.node).collect();
                self.parts_of_name(&parts).map(Value::Handle)
            }
            "listTableData" | "listPartitions" => match first?.value {
                Value::Handle(data) => {
                    let schema =
                        method.arguments.iter().skip(1).find(|one| {
                            !one.node.text().contains("ListOption") && !matches!(one.value, Value::Handle(_))
                        });
                    if let Some(schema) = schema {
                        let value = Value::Handle(data.clone());
                        self.lost(&value, schema.node, "the names of its columns are said at the call");
                    }
                    Some(Value::row(Style::Named, Data { exact: true, ..data }).many())
                }
                _ => None,
            },
            "getTable" => match &first?.value {
                handle @ Value::Handle(_) => Some(handle.clone()),
                _ => None,
            },
            "from" if method.object.text().contains("readTableRows") => match &first?.value {
                Value::Text(text) => {
                    let data = self.table_text(*text, false)?;
                    Some(Value::row(Style::Named, Data { exact: true, ..data }).many())
                }
                _ => None,
            },
            "newBuilder" => {
                let source = self.generated(method.object)?;
                Some(Value::row(Style::Getter, Self::exact(Rest::Source(source))))
            }
            _ => None,
        }
    }

    /// What TypeScript and JavaScript read.
    fn node_reader(&mut self, method: &Method<'t>) -> Option<Value<'t>> {
        if method.word() != "table" {
            return None;
        }
        let Shape::Call { callee: Callee::Method { name, .. }, arguments } = shape(method.object) else { return None };
        if name.text() != "dataset" {
            return None;
        }
        let mut parts: Vec<Node<'t>> = Vec::new();
        let (dataset, table) = (arguments.first()?.value, method.arguments.first()?.node);
        if let Some(options) = arguments.get(1)
            && let Shape::Pairs(pairs) = shape(options.value)
        {
            let project = pairs.iter().find(|(key, _)| key.text().trim_matches(['"', '\'']) == "projectId");
            parts.extend(project.map(|(_, value)| *value));
        }
        parts.extend([dataset, table]);
        let data = self.parts_of_name(&parts)?;
        Some(Value::Handle(Data { exact: true, ..data }))
    }

    /// A table by texts that hold a part of its name each.
    fn parts_of_name(&mut self, parts: &[Node<'t>]) -> Option<Data> {
        let last = *parts.last()?;
        let mut named = false;
        let mut texts: Vec<Option<(String, Range<usize>)>> = Vec::new();
        for part in parts {
            self.accounted.insert(part.range().start);
            let own = self.literal(*part);
            // A constant that holds a part of a name may be a part of another's, too.
            let held = match self.value(*part) {
                Value::Text(text) if own.is_none() => self.literal(text).map(|(text, _)| (text, part.range())),
                _ => None,
            };
            named |= held.is_some();
            texts.push(own.or(held));
        }
        let names: Vec<Part<'_>> = texts.iter().map(|text| text.as_ref().map(|(name, _)| name.as_str())).collect();
        match self.datasets.table(&names, false) {
            Met::Dataset(dataset, _) if named => {
                let source = self.source(last, dataset, last.range(), Form::Told);
                self.doubt(source, Doubt::open(last.range(), "a part of the table's name is held by a name"));
                Some(Data::of(Rest::Source(source)))
            }
            Met::Dataset(dataset, new) => {
                let pairs = texts.iter().flatten().zip(&new).filter(|((old, _), new)| old != *new);
                let edits = pairs.map(|((_, range), new)| (range.clone(), new.clone())).collect();
                let range = texts.last()?.as_ref()?.1.clone();
                Some(Data::of(Rest::Source(self.source(last, dataset, range, Form::Name(edits)))))
            }
            Met::Half(dataset, why) => {
                let source = self.source(last, dataset, last.range(), Form::Told);
                self.doubt(source, Doubt::open(last.range(), why));
                Some(Data::of(Rest::Source(source)))
            }
            Met::Known(schema) => Some(Data::of(Rest::Known(schema))),
            Met::Other => Some(Data::other()),
        }
    }

    pub(super) fn table_reference(&mut self, method: &Method<'t>) -> Option<Value<'t>> {
        let mut found: [Option<Node<'t>>; 3] = [None; 3];
        let mut at = method.node;
        while let Shape::Call { callee: Callee::Method { object, name }, arguments } = shape(at) {
            let slot = ["setProjectId", "setDatasetId", "setTableId"].iter().position(|word| *word == name.text())?;
            found[slot] = arguments.first().map(|one| one.value);
            at = object;
        }
        // The outermost call has all of them.
        let outer = method
            .node
            .parent()
            .is_some_and(|up| matches!(shape(up), Shape::Member { name, .. } if name.text().starts_with("set")));
        if outer || found[1].is_none() || found[2].is_none() {
            return Some(Value::Plain);
        }
        let parts: Vec<Node<'t>> = found.into_iter().flatten().collect();
        self.parts_of_name(&parts).map(Value::Handle)
    }

    pub(super) fn table_or_path(&mut self, text: Node<'t>) -> Option<Data> {
        if text.text().contains('/') { self.path_text(text) } else { self.table_text(text, true) }
    }

    /// The table that a text names.
    pub(super) fn table_text(&mut self, text: Node<'t>, fold: bool) -> Option<Data> {
        let fold = fold || self.around.dialect.folds_tables();
        let Some((name, range)) = self.literal(text) else { return self.half_named(text, fold) };
        let mut parts: Vec<(&str, Range<usize>)> = Vec::new();
        let mut at = range.start;
        for part in name.split(['.', ':']) {
            let bare = part.trim_matches('`');
            let lead = part.len() - part.trim_start_matches('`').len();
            parts.push((bare, at + lead..at + lead + bare.len()));
            at += part.len() + 1;
        }
        let names: Vec<Part<'_>> = parts.iter().map(|(part, _)| Some(*part)).collect();
        match self.datasets.table(&names, fold) {
            Met::Dataset(dataset, new) => {
                let changed = parts
                    .iter()
                    .zip(&new)
                    .filter(|((old, _), new)| !(*old == new.as_str() || fold && old.eq_ignore_ascii_case(new)));
                let edits = changed.map(|((_, range), new)| (range.clone(), new.clone())).collect();
                let own = parts.last()?.1.clone();
                Some(Data::of(Rest::Source(self.source(text, dataset, own, Form::Name(edits)))))
            }
            Met::Half(dataset, why) => {
                let source = self.source(text, dataset, range.clone(), Form::Told);
                self.doubt(source, Doubt::open(range, why));
                Some(Data::of(Rest::Source(source)))
            }
            Met::Known(schema) => {
                self.accounted.insert(text.range().start);
                Some(Data::of(Rest::Known(schema)))
            }
            Met::Other => {
                self.accounted.insert(text.range().start);
                Some(Data::other())
            }
        }
    }

    /// A table of whose name a part is put in at run time.
    fn half_named(&mut self, text: Node<'t>, fold: bool) -> Option<Data> {
        let read = text::read(text, Placeholders::None, false)?;
        let start = read.masked.len() - read.masked.trim_start().len();
        let name = read.masked.trim();
        let mut at = start;
        let mut parts: Vec<Option<String>> = Vec::new();
        let mut head = None;
        for part in name.split(['.', ':']) {
            let hole = read.holes.iter().find(|hole| hole.start < at + part.len() && at < hole.end);
            head = hole.map(|hole| part[..hole.start.saturating_sub(at).min(part.len())].to_owned());
            parts.push(hole.is_none().then(|| part.to_owned()));
            at += part.len() + 1;
        }
        let names: Vec<Part<'_>> = parts.iter().map(Option::as_deref).collect();
        let dataset = match self.datasets.table(&names, fold) {
            Met::Dataset(dataset, _) | Met::Half(dataset, _) => Some(dataset),
            _ => head.and_then(|head| self.datasets.begins(&names[..names.len() - 1], &head, fold)),
        }?;
        let source = self.source(text, dataset, text.range(), Form::Told);
        self.doubt(source, Doubt::open(text.range(), "a part of the table's name is put in at run time"));
        Some(Data::of(Rest::Source(source)))
    }

    /// The dataset whose files a text names.
    pub(super) fn path_text(&mut self, text: Node<'t>) -> Option<Data> {
        let (name, range) = match self.literal(text) {
            Some((name, range)) => (name, range),
            None => {
                let read = text::read(text, Placeholders::None, false)?;
                let name = read.masked.trim().to_owned();
                let first = read.holes.first().map_or(name.len(), |hole| hole.start);
                let (dataset, _) = self.datasets.path(&name)?;
                let whole = self.datasets.mappings[dataset].names(System::Path).any(|known| {
                    read.masked.find(known.old.trim_end_matches('/')).is_some_and(|at| at + known.old.len() <= first)
                });
                if !whole {
                    return None;
                }
                let source = self.source(text, dataset, text.range(), Form::Told);
                self.doubt(source, Doubt::open(text.range(), "a part of the path is put in at run time"));
                return Some(Data::of(Rest::Source(source)));
            }
        };
        if let (None, Some(dataset)) = (self.datasets.path(&name), self.datasets.path_pattern(&name)) {
            let source = self.source(text, dataset, range.clone(), Form::Told);
            self.doubt(source, Doubt::open(range, "a pattern that covers the dataset and other files besides"));
            return Some(Data::of(Rest::Source(source)));
        }
        let Some((dataset, new)) = self.datasets.path(&name) else {
            self.accounted.insert(text.range().start);
            return None;
        };
        let source = self.source(text, dataset, range.clone(), Form::Name(vec![(range.clone(), new)]));
        if let Some(why) = self.datasets.partition(dataset, &name) {
            self.doubt(source, Doubt::annotate(range, why));
        }
        Some(Data::of(Rest::Source(source)))
    }

    /// `f[T](…)`, `classOf[T]`, `new C[T](…)`: `T`.
    pub(super) fn type_argument(&self, node: Node<'t>) -> Option<Node<'t>> {
        let mut at = node;
        for _ in 0..4 {
            if matches!(at.kind(), "generic_function" | "generic_type") {
                let list = at
                    .field("type_arguments")
                    .or_else(|| at.named_children().find(|child| child.kind() == "type_arguments"))?;
                return list.named_children().next();
            }
            at = at.field("function").or_else(|| at.named_children().next())?;
        }
        None
    }

    /// What a parameter is declared to be.
    pub(super) fn declared(&mut self, parameter: &Parameter<'t>, entry: bool) -> Value<'t> {
        let Some(declared) = parameter.declared else { return Value::Plain };
        let value = self.as_declared(Value::Plain, declared);
        if entry
            && let Value::Row(row) = &value
            && row.style == Style::Getter
        {
            for source in row.data.sources() {
                let why = "records of this class come from other files, which may not move with this one";
                self.doubt(source, Doubt::annotate(declared.range(), why));
            }
        }
        value
    }

    /// A value that is declared to be of a type.
    pub(super) fn as_declared(&mut self, value: Value<'t>, declared: Node<'t>) -> Value<'t> {
        if !value.is_plain() {
            self.said(&value, declared);
            return value;
        }
        let mut name = declared;
        while matches!(name.kind(), "type" | "type_annotation") {
            let Some(inner) = name.named_children().next() else { break };
            name = inner;
        }
        if let Some(source) = self.classes.get(name.text()).copied() {
            return Value::row(Style::Field, Self::exact(Rest::Source(source)));
        }
        match self.generated(name) {
            Some(source) => Value::row(Style::Getter, Self::exact(Rest::Source(source))),
            None => value,
        }
    }

    /// A name of a column in a text.
    pub(super) fn named(&mut self, source: usize, of: Of, name: &str, range: Range<usize>) {
        let form = ColumnForm {
            whole: range.clone(),
            qualifier: String::new(),
            spelled: name.to_owned(),
            inner: range.clone(),
            role: Role::Star,
            value: ValueUse::Same,
            alias: None,
            removable: None,
            operand: false,
            accessor: Some(Box::new(Accessor {
                language: "code",
                before: String::new(),
                after: String::new(),
                lead: None,
                renamed: None,
            })),
        };
        let dataset = self.datasets_of[source];
        let form = if matches!(of, Of::Unlisted(_)) { Form::Told } else { Form::Column(form) };
        self.add(source, Use { range, dataset, of, position: Position::Read, form });
    }
}

/// The calls behind which a method is called, the nearest first.
fn chain_of<'t>(object: Node<'t>) -> Vec<(&'t str, Vec<Argument<'t>>)> {
    let mut chain = Vec::new();
    let mut at = object;
    while let Shape::Call { callee: Callee::Method { object, name }, arguments } = shape(at) {
        chain.push((name.text(), arguments));
        at = object;
    }
    chain
}

/// The value of `.option("key", value)`.
fn option<'t>(chain: &[(&'t str, Vec<Argument<'t>>)], key: &str) -> Option<Node<'t>> {
    chain.iter().filter(|(word, _)| *word == "option").find_map(|(_, arguments)| match &arguments[..] {
        [name, value] if name.value.text().trim_matches(['"', '\'']) == key => Some(value.value),
        _ => None,
    })
}
