//! Rows of a table, and collections of them: Scio, Beam, the clients of BigQuery, arrays.

use std::rc::Rc;

use super::Flow;
use super::call::{Given, Method};
use super::note::Place;
use super::shape::{Shape, shape};
use super::value::{Data, Function, Hit, Mention, Row, Style, Value};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Of, Role};
use crate::tree::Node;

/// What a method of a collection does with its elements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    /// A new collection of what the function gives.
    Map,
    /// As [`Does::Map`], of what is in what it gives.
    Flat,
    /// The same elements, or some of them.
    Keep,
    /// The function looks at each; a number or nothing comes out.
    Look,
    /// One element.
    One,
    /// A number, or nothing.
    End,
    /// Pairs of a key and an element.
    Key,
    /// Pairs by their keys.
    Join,
    /// Both collections.
    Union,
    /// The second of each pair.
    Values,
}

/// Methods of collections, whatever the language.
const METHODS: [(&str, Does); 61] = [
    ("map", Does::Map),
    ("collect", Does::Map),
    ("mapToObj", Does::Map),
    ("flatMap", Does::Flat),
    ("filter", Does::Keep),
    ("filterNot", Does::Keep),
    ("withFilter", Does::Keep),
    ("takeWhile", Does::Keep),
    ("dropWhile", Does::Keep),
    ("sortBy", Does::Keep),
    ("sorted", Does::Keep),
    ("reverse", Does::Keep),
    ("slice", Does::Keep),
    ("distinctBy", Does::Keep),
    ("tap", Does::Keep),
    ("withName", Does::Keep),
    ("foreach", Does::Look),
    ("forEach", Does::Look),
    ("exists", Does::Look),
    ("forall", Does::Look),
    ("some", Does::Look),
    ("every", Does::Look),
    ("anyMatch", Does::Look),
    ("allMatch", Does::Look),
    ("noneMatch", Does::Look),
    ("find", Does::One),
    ("head", Does::One),
    ("first", Does::One),
    ("headOption", Does::One),
    ("next", Does::One),
    ("findFirst", Does::One),
    ("last", Does::One),
    ("at", Does::One),
    ("pop", Does::One),
    ("shift", Does::One),
    ("count", Does::End),
    ("size", Does::End),
    ("length", Does::End),
    ("isEmpty", Does::End),
    ("nonEmpty", Does::End),
    ("hasNext", Does::End),
    ("close", Does::End),
    ("keyBy", Does::Key),
    ("join", Does::Join),
    ("leftOuterJoin", Does::Join),
    ("hashJoin", Does::Join),
    ("union", Does::Union),
    ("concat", Does::Union),
    ("++", Does::Union),
    ("iterateAll", Does::Keep),
    ("getValues", Does::Keep),
    ("stream", Does::Keep),
    ("iterator", Does::Keep),
    ("toList", Does::Keep),
    ("toSeq", Does::Keep),
    ("toStream", Does::Keep),
    ("values", Does::Values),
    ("toArray", Does::Keep),
    ("take", Does::Keep),
    ("parallelStream", Does::Keep),
    ("streamAll", Does::Keep),
];

/// Those of them that ask a function of each element, and give elements.
const ASKS: [&str; 10] =
    ["filter", "filterNot", "withFilter", "takeWhile", "dropWhile", "sortBy", "sorted", "distinctBy", "tap", "find"];
/// Those that compare two elements.
const SORTS: [&str; 2] = ["sorted", "sort"];
/// Functions of a language that read no column.
const HARMLESS: [&str; 3] = ["Boolean", "Objects::nonNull", "Objects::isNull"];

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
            _ if Self::does(word).is_some() && matches!(row.data.rest[..], [super::value::Rest::Fields(..)]) => {
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
        if !known && Self::does(word).is_some() && matches!(row.data.rest[..], [super::value::Rest::Fields(..)]) {
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

    fn does(word: &str) -> Option<Does> {
        METHODS.iter().find(|(name, _)| *name == word).map(|(_, does)| *does)
    }

    pub(super) fn many_method(&mut self, element: &Rc<Value<'t>>, method: &Method<'t>) -> Value<'t> {
        let one = || (**element).clone();
        let many = || Value::Many(Rc::clone(element));
        let word = method.word();
        if word.starts_with("save") || word.starts_with("write") || word.starts_with("to") && word.ends_with("File") {
            self.lost(&many(), method.name, "the rows are written with the names of their columns");
            return Value::Plain;
        }
        if word == "apply" {
            return match method.arguments.first().map(|one| one.value.clone()) {
                Some(Value::Function(function)) => {
                    let given = self.called_with(&function, vec![one()], method.node).many();
                    // Rows that a filter leaves are what they were.
                    let filters = method.arguments.first().is_some_and(|only| only.node.text().starts_with("Filter"));
                    if filters { many() } else { given }
                }
                _ => {
                    self.lost(&many(), method.node, "it goes through a transform that this file does not show");
                    Value::Plain
                }
            };
        }
        if word == "reduce" && method.arguments.len() == 2 {
            return self.call_back(method, &[Value::Plain, one(), Value::Plain, many()]);
        }
        let each = self.each(element);
        match Self::does(word) {
            Some(Does::Map) if !method.arguments.is_empty() => self.call_back(method, &each).many(),
            Some(Does::Flat) => match self.call_back(method, &each) {
                Value::Many(inner) => Value::Many(inner),
                other => other.many(),
            },
            Some(Does::Keep | Does::Map) => {
                self.asked(method, &each);
                many()
            }
            Some(Does::Look) => {
                self.call_back(method, &each);
                Value::Plain
            }
            Some(Does::One) => {
                self.asked(method, &each);
                one()
            }
            Some(Does::End) => {
                if !method.arguments.is_empty() {
                    self.call_back(method, &each);
                }
                Value::Plain
            }
            Some(Does::Key) => {
                let key = self.call_back(method, &each);
                Value::tuple(vec![key, one()]).many()
            }
            Some(Does::Values) => match one() {
                Value::Tuple(pair) if pair.len() == 2 => pair[1].clone().many(),
                _ => many(),
            },
            Some(Does::Join) => self.join_pairs(one(), method),
            Some(Does::Union) => {
                let mut both = one();
                for argument in &method.arguments {
                    let other = match &argument.value {
                        Value::Many(other) => (**other).clone(),
                        other => other.clone(),
                    };
                    both = self.either(both, other, argument.node);
                }
                both.many()
            }
            None => {
                self.lost(&many(), method.name, "gander does not know what this does with the rows");
                self.unknown_call(method);
                Value::Plain
            }
        }
    }

    /// What a function of a collection is called with, for each element: in TypeScript its place and
    /// the collection, too.
    fn each(&self, element: &Rc<Value<'t>>) -> Vec<Value<'t>> {
        let mut each = vec![(**element).clone()];
        if !matches!(self.tree.language.facts.name.as_str(), "java" | "scala" | "python") {
            each.extend([Value::Plain, Value::Many(Rc::clone(element))]);
        }
        each
    }

    /// What is asked of each element: a function that is not shown here may read any column.
    fn asked(&mut self, method: &Method<'t>, each: &[Value<'t>]) {
        let element = &each[0];
        for argument in &method.arguments {
            for one in argument.value.alternatives() {
                match one {
                    // `sorted((a, b) -> …)`: both are elements.
                    Value::Function(function) if SORTS.contains(&method.word()) && function.parameters.len() == 2 => {
                        self.run(&function, vec![element.clone(), element.clone()], method.node);
                    }
                    Value::Function(function) => {
                        self.called_with(&function, each.to_vec(), method.node);
                    }
                    _ if ASKS.contains(&method.word()) && !HARMLESS.contains(&argument.node.text()) => {
                        self.lost(element, argument.node, "it goes into a function that this file does not show");
                    }
                    _ => {}
                }
            }
        }
    }

    /// Collections of pairs, by their keys: a pair of the key and of both values.
    fn join_pairs(&mut self, left: Value<'t>, method: &Method<'t>) -> Value<'t> {
        let Some(other) = method.arguments.first() else { return left.many() };
        if let Value::Text(_) = other.value {
            // `rows.join(",")` of an array.
            self.lost(&left, method.node, "it becomes a text");
            return Value::Plain;
        }
        let (key, left) = match &left {
            Value::Tuple(pair) if pair.len() == 2 => (pair[0].clone(), pair[1].clone()),
            _ => {
                self.lost(&left, method.node, "it is joined in a way that gander does not follow");
                return Value::Plain;
            }
        };
        let right = match &other.value {
            Value::Many(element) => match &**element {
                Value::Tuple(pair) if pair.len() == 2 => pair[1].clone(),
                other => other.clone(),
            },
            other => other.clone(),
        };
        let both: Vec<usize> = left.sources().into_iter().chain(right.sources()).collect();
        self.together(&both);
        Value::tuple(vec![key, Value::tuple(vec![left, right])]).many()
    }

    pub(super) fn tuple_method(&mut self, values: &Rc<Vec<Value<'t>>>, method: &Method<'t>) -> Value<'t> {
        let whole = Value::Tuple(Rc::clone(values));
        if matches!(method.word(), "then" | "map" | "filter" | "forEach" | "some" | "every" | "find") {
            let element = if method.word() == "then" { whole } else { self.element(&whole, method.node) };
            return self.call_back(method, &[element, Value::Plain]).many();
        }
        self.lost(&whole, method.name, "gander does not know what this does with the values");
        self.unknown_call(method);
        Value::Plain
    }

    pub(super) fn tuple_member(&mut self, values: &Rc<Vec<Value<'t>>>, node: Node<'t>, name: Node<'t>) -> Value<'t> {
        let place = name.text().strip_prefix('_').and_then(|at| at.parse::<usize>().ok());
        if let Some(value) = place.and_then(|at| values.get(at.checked_sub(1)?)) {
            return value.clone();
        }
        if name.text() == "length" {
            return Value::Plain;
        }
        self.lost(&Value::Tuple(Rc::clone(values)), node, "gander does not know what this does with the values");
        Value::Plain
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
