//! Rows of a table: of Scio, Beam, the clients of BigQuery.

use std::rc::Rc;

use super::Flow;
use super::call::{Given, Method};
use super::note::Place;
use super::shape::{Shape, shape};
use super::value::{Data, Function, Hit, Mention, Row, Style, Value};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Of, Role};
use crate::tree::Node;

/// Methods of a row that read a column by its name.
const READS: [&str; 30] = [
    "get",
    "getString",
    "getLong",
    "getInt",
    "getBoolean",
    "getDouble",
    "getFloat",
    "getTimestamp",
    "getDate",
    "getDateTime",
    "getTime",
    "getBytes",
    "getNumeric",
    "getBigDecimal",
    "getObject",
    "getRecord",
    "getRepeated",
    "getRecordList",
    "getStringList",
    "getShort",
    "getByte",
    "getOrDefault",
    "containsKey",
    "hasField",
    "getRequired",
    "getNullable",
    "getInstant",
    "getAs",
    "isNullAt",
    "remove",
];
/// Of these the value goes on as it is.
const HANDS_ON: [&str; 10] = [
    "toString",
    "getStringValue",
    "getLongValue",
    "getBooleanValue",
    "getDoubleValue",
    "getTimestampValue",
    "isNull",
    "hashCode",
    "getNumericValue",
    "getBytesValue",
];
/// Of these a part of a struct, or its list, goes on.
const PARTS: [&str; 8] =
    ["getRecordValue", "getRepeatedValue", "getValue", "asScala", "toSeq", "toList", "asInstanceOf", "get"];

impl<'t> Flow<'t> {
    pub(super) fn row_method(&mut self, row: &Row, method: &Method<'t>) -> Value<'t> {
        let word = method.word();
        if row.style == Style::Getter {
            return self.getter_method(row, method);
        }
        if row.style == Style::Named && READS.contains(&word) {
            return match method.arguments.first() {
                Some(one) => {
                    let value = self.key_of_row(row, method.node, one.node, &one.value.clone());
                    method
                        .arguments
                        .iter()
                        .skip(1)
                        .for_each(|one| self.lost(&one.value.clone(), one.node, "it is a default"));
                    value
                }
                None => Value::row(row.style, row.data.clone()),
            };
        }
        let value = Value::Row(row.clone());
        match word {
            "copy" if row.style == Style::Field => {
                for one in &method.arguments {
                    match one.name_node {
                        Some(name) => {
                            let place = Place { role: Role::Target, ..Self::row_place().at(Position::Write) };
                            self.mention(&Mention { whole: name, name, read: true, field: false }, &row.data, place);
                        }
                        None => self.lost(&value, one.node, "a column is given by its place"),
                    }
                }
                value
            }
            "hashCode" | "equals" => Value::Plain,
            _ if PARTS.contains(&word) && method.arguments.is_empty() => value,
            // Lists of structs have methods of collections.
            _ if Self::is_of_collections(word) && matches!(row.data.rest[..], [super::value::Rest::Fields(..)]) => {
                self.many_method(&Rc::new(value), method)
            }
            // A column that is called: `user.devices(0)`.
            _ if row.style == Style::Field || self.tree.language.facts.name != "java" => {
                let hit = self.hit(&row.data, word);
                if matches!(hit, Hit::Column(..) | Hit::Field(..)) {
                    let inner = self.row_member(row, method.node, method.name);
                    self.lost(&inner, method.node, "gander does not follow this way to read a column");
                    return Value::Plain;
                }
                self.lost(&value, method.name, "gander does not know what this does with the row");
                self.unknown_call(method);
                Value::Plain
            }
            _ => {
                self.lost(&value, method.name, "gander does not know what this does with the row");
                self.unknown_call(method);
                Value::Plain
            }
        }
    }

    /// A method of a generated class.
    fn getter_method(&mut self, row: &Row, method: &Method<'t>) -> Value<'t> {
        for one in &method.arguments {
            self.lost(&one.value.clone(), one.node, "it goes into a record");
        }
        match method.word() {
            "build" | "newBuilder" | "toBuilder" | "clone" => Value::Row(row.clone()),
            "getSchema" | "getClassSchema" | "SCHEMA$" => {
                self.lost(&Value::Row(row.clone()), method.name, "its schema is read as a value");
                Value::Plain
            }
            "toString" | "hashCode" | "equals" | "compareTo" => {
                self.lost(&Value::Row(row.clone()), method.name, "it is written out with its names");
                Value::Plain
            }
            _ => self.get(row, method.name),
        }
    }

    fn get(&mut self, row: &Row, name: Node<'t>) -> Value<'t> {
        if !self.getter(name, &row.data) {
            self.lost(&Value::Row(row.clone()), name, "gander does not know this method of the class");
            return Value::Plain;
        }
        if name.text().starts_with("set") || name.text().starts_with("clear") {
            return Value::Row(row.clone());
        }
        let structs = row.data.sources().into_iter().any(|source| {
            let mapping = &self.datasets.mappings[self.datasets_of[source]];
            mapping.columns.iter().any(|column| {
                column.changes_fields()
                    && Some(super::note::camel(&column.name).as_str()) == name.text().strip_prefix("get")
            })
        });
        if structs {
            self.lost(&Value::Row(row.clone()), name, "the fields of a struct are read through a class of their own");
        }
        Value::Plain
    }

    /// `row["c"]`, `row.getString("c")`.
    pub(super) fn key_of_row(&mut self, row: &Row, whole: Node<'t>, key: Node<'t>, value: &Value<'t>) -> Value<'t> {
        let mut result: Option<Value<'t>> = None;
        for one in value.alternatives() {
            let more = match &one {
                // A constant that holds the name is not looked for: it may have other readers.
                Value::Text(text) if text.id == key.id => {
                    let mention = Mention { whole, name: key, read: true, field: false };
                    let parts = self.mention(&mention, &row.data, Self::row_place());
                    self.value_of_mention(&mention, &row.data);
                    self.part_of(&row.data, parts, row.style)
                }
                _ => {
                    let by_place = matches!(shape(key), Shape::Constant);
                    let why = if by_place {
                        "a column is read by its place"
                    } else {
                        "the name of a column is put together at run time"
                    };
                    for source in self.changing_names(&row.data) {
                        self.doubt(source, Doubt::open(key.range(), why));
                    }
                    Value::Plain
                }
            };
            result = Some(match result {
                Some(known) => self.either(known, more, whole),
                None => more,
            });
        }
        result.unwrap_or(Value::Plain)
    }

    /// `row.c`
    pub(super) fn row_member(&mut self, row: &Row, node: Node<'t>, name: Node<'t>) -> Value<'t> {
        let word = name.text();
        if row.style == Style::Getter {
            return self.get(row, name);
        }
        let hit = self.hit(&row.data, word);
        let known = !matches!(hit, Hit::Unlisted(_));
        if !known && (HANDS_ON.contains(&word) || PARTS.contains(&word)) {
            return Value::Row(row.clone());
        }
        if !known && Self::is_of_collections(word) && matches!(row.data.rest[..], [super::value::Rest::Fields(..)]) {
            let method = Method { node, object: node, name, arguments: Vec::new() };
            return self.many_method(&Rc::new(Value::Row(row.clone())), &method);
        }
        if row.style == Style::Named && matches!(self.tree.language.facts.name.as_str(), "scala" | "java") {
            self.lost(&Value::Row(row.clone()), name, "gander does not know what this does with the row");
            return Value::Plain;
        }
        let mention = Mention { whole: node, name, read: true, field: false };
        let parts = self.mention(&mention, &row.data, Self::row_place());
        self.value_of_mention(&mention, &row.data);
        self.part_of(&row.data, parts, row.style)
    }

    /// `{ c, d: e } = row`
    pub(super) fn destructure(
        &mut self,
        target: Node<'t>,
        pairs: &[(Node<'t>, Node<'t>)],
        value: &Value<'t>,
        binds: bool,
    ) {
        for one in value.alternatives() {
            let Value::Row(row) = &one else {
                if !one.is_plain() {
                    self.lost(&one, target, "it is taken apart in a way that gander does not follow");
                }
                for (key, inner) in pairs {
                    self.elsewhere.insert(key.range().start);
                    self.assign(*inner, Value::Plain, None, binds);
                }
                continue;
            };
            for (key, inner) in pairs {
                // `{ c }` names the column and the variable at once.
                let place = Place { binds: key.id == inner.id, ..Self::row_place() };
                if matches!(shape(*key), Shape::Other(_)) {
                    self.lost(&one, *key, "the rest of a row is taken with all its columns");
                    continue;
                }
                let mention = Mention { whole: *key, name: *key, read: true, field: false };
                let parts = self.mention(&mention, &row.data, place);
                let part = self.part_of(&row.data, parts, row.style);
                self.assign(*inner, part, None, binds);
            }
            self.values_of_names(row, pairs);
        }
    }

    /// A variable that holds the value of a column whose values change may be compared with
    /// anything.
    fn values_of_names(&mut self, row: &Row, pairs: &[(Node<'t>, Node<'t>)]) {
        for (key, _) in pairs {
            if let Hit::Column(source, column) | Hit::Carried(source, column) = self.hit(&row.data, key.text()) {
                self.doubt_bound(source, column, *key);
                let mapping = &self.datasets.mappings[self.datasets_of[source]];
                if mapping.columns[column].values.is_some() {
                    let why = "its values change, and a variable that holds them is not followed";
                    self.doubt(source, Doubt::annotate(key.range(), why));
                }
            }
        }
    }

    pub(super) fn function_method(&mut self, function: &Rc<Function<'t>>, method: &Method<'t>) -> Value<'t> {
        match method.word() {
            "apply" | "call" | "test" | "accept" => self.apply(function, &method.arguments, method.node),
            _ => self.unknown_call(method),
        }
    }

    /// What names a table is asked for something.
    pub(super) fn handle_method(&mut self, data: &Data, method: &Method<'t>) -> Value<'t> {
        let row = || Value::row(Style::Named, data.clone());
        match method.word() {
            "getRows" => {
                if let Some(options) = method.arguments.first() {
                    self.options_of_rows(data, options);
                }
                Value::tuple(vec![row().many(), Value::Plain, Value::Plain])
            }
            "createReadStream" => row().many(),
            "getDefinition" | "getSchema" | "getFields" => Value::Handle(data.clone()),
            "get" if !method.arguments.is_empty() => {
                let one = &method.arguments[0];
                let row = Row { style: Style::Named, data: data.clone() };
                self.key_of_row(&row, method.node, one.node, &one.value.clone());
                Value::Plain
            }
            "exists" => Value::Plain,
            _ => {
                self.lost(
                    &Value::Handle(data.clone()),
                    method.name,
                    "gander does not know what this does with the table",
                );
                self.unknown_call(method);
                Value::Plain
            }
        }
    }

    /// `{ selectedFields: "a,b" }`
    fn options_of_rows(&mut self, data: &Data, options: &Given<'t>) {
        let value = Value::Handle(data.clone());
        let Shape::Pairs(pairs) = shape(options.node) else {
            self.lost(&value, options.node, "what is read is put together where gander does not see it");
            return;
        };
        for (key, text) in pairs {
            match key.text().trim_matches(['"', '\'']) {
                "selectedFields" => self.list_in_text(text, data),
                "maxResults" | "autoPaginate" | "startIndex" | "pageToken" | "wrapIntegers" => {}
                _ => self.lost(&value, key, "an option that gander does not know"),
            }
        }
    }

    /// Names of columns in a text, parted by commas.
    pub(super) fn list_in_text(&mut self, text: Node<'t>, data: &Data) {
        let Some((content, range)) = self.literal(text) else {
            self.lost(&Value::Handle(data.clone()), text, "which columns are read is put together at run time");
            return;
        };
        let mut at = range.start;
        for part in content.split(',') {
            let name = part.trim();
            let start = at + part.len() - part.trim_start().len();
            at += part.len() + 1;
            let own = start..start + name.len();
            match self.hit(data, name) {
                Hit::Column(source, column) => self.named(source, Of::Column(column), name, own),
                Hit::Unlisted(source) => self.named(source, Of::Unlisted(name.to_owned()), name, own),
                Hit::Doubtful(source) => {
                    self.doubt(source, Doubt::open(own, "which table's column it is can't be told"));
                }
                _ => {}
            }
        }
    }
}
