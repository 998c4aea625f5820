//! Calls, members and indices: whose they are, and what is known of it.

use std::rc::Rc;

use super::Flow;
use super::shape::{Argument, Callee, Parameter, Shape, shape};
use super::value::{Body, Data, Function, Library, Mention, Rest, Style, Value};
use crate::dataset::usage::Doubt;
use crate::tree::Node;

/// An argument and its value.
#[derive(Clone)]
pub(super) struct Given<'t> {
    pub(super) name: Option<&'t str>,
    pub(super) name_node: Option<Node<'t>>,
    pub(super) node: Node<'t>,
    pub(super) value: Value<'t>,
}

/// A call of a method.
pub(super) struct Method<'t> {
    /// The whole call.
    pub(super) node: Node<'t>,
    pub(super) object: Node<'t>,
    pub(super) name: Node<'t>,
    pub(super) arguments: Vec<Given<'t>>,
}

impl<'t> Method<'t> {
    pub(super) fn word(&self) -> &'t str {
        self.name.text()
    }

    /// The argument at a place, or of a name.
    pub(super) fn argument(&self, at: usize, name: &str) -> Option<&Given<'t>> {
        let named = self.arguments.iter().find(|one| one.name == Some(name));
        named.or_else(|| self.arguments.iter().filter(|one| one.name.is_none()).nth(at))
    }

    /// The argument of a name.
    pub(super) fn named(&self, name: &str) -> Option<&Given<'t>> {
        self.arguments.iter().find(|one| one.name == Some(name))
    }

    pub(super) fn plain(&self) -> impl Iterator<Item = &Given<'t>> {
        self.arguments.iter().filter(|one| one.name.is_none())
    }
}

/// Functions that any value may go into: they give a number, or values without names.
const HARMLESS: [&str; 16] = [
    "len", "set", "list", "int", "float", "str", "bool", "sum", "max", "min", "sorted", "print", "any", "all", "round",
    "tuple",
];

/// The most segments of a path.
const MAX_PATH: usize = 32;
const UNKNOWN: &str = "it goes where this file does not show what is done with it";

impl<'t> Flow<'t> {
    pub(super) fn call(&mut self, node: Node<'t>, callee: Callee<'t>, arguments: Vec<Argument<'t>>) -> Value<'t> {
        let given: Vec<Given<'t>> = arguments.into_iter().map(|one| self.argument(one)).collect();
        given.iter().for_each(|one| self.mix(&one.value));
        let path = match callee {
            Callee::Method { object, name } => self.path(object).map(|path| format!("{path}.{}", name.text())),
            Callee::Value(function) => self.path(function),
        };
        if let Some(path) = &path
            && let Some(value) = self.of_module(node, path, &given)
        {
            return value;
        }
        match callee {
            Callee::Method { object, name } => {
                if let Some(value) = self.own_method(object, name, &given, node) {
                    return value;
                }
                let receiver = self.value(object);
                let method = Method { node, object, name, arguments: given };
                if receiver.is_plain()
                    && let Some(value) = self.reader(&method, path.as_deref())
                {
                    self.reads_tables(&method.arguments);
                    return value;
                }
                self.method(&receiver, &method)
            }
            Callee::Value(function) if matches!(shape(function), Shape::Name) => {
                self.plain_call(node, function, &given)
            }
            Callee::Value(function) => {
                let called = self.value(function);
                self.apply_value(&called, &given, node)
            }
        }
    }

    fn argument(&mut self, one: Argument<'t>) -> Given<'t> {
        let placeholder = self.tree.language.facts.name == "scala" && super::scala::is_placeholder(one.value);
        let value = if placeholder {
            self.function(one.value, Vec::new(), Body::Nodes(vec![one.value]))
        } else {
            self.value(one.value)
        };
        Given { name: one.name, name_node: one.name_node, node: one.value, value }
    }

    /// A call of a name.
    fn plain_call(&mut self, node: Node<'t>, function: Node<'t>, given: &[Given<'t>]) -> Value<'t> {
        let name = function.text();
        if let Some(value) = self.bound(name).cloned() {
            return self.apply_value(&value, given, node);
        }
        if HARMLESS.contains(&name) {
            return self.harmless(name, given);
        }
        if matches!(name, "List" | "Seq" | "Vector" | "Array" | "Set") {
            return Value::tuple(given.iter().map(|one| one.value.clone()).collect());
        }
        let method = Method { node, object: function, name: function, arguments: given.to_vec() };
        if let Some(value) = self.reader(&method, Some(name)) {
            self.reads_tables(given);
            return value;
        }
        if let Some(source) = self.classes.get(name).copied() {
            return self.constructed(source, given);
        }
        self.unknown_call(&method)
    }

    /// What a function of the language gives of values.
    fn harmless(&mut self, name: &str, given: &[Given<'t>]) -> Value<'t> {
        if name == "len" {
            return Value::Plain;
        }
        let lists = matches!(name, "list" | "sorted" | "set" | "tuple");
        if let Some(first) = given.first().filter(|first| lists && matches!(first.value, Value::Many(_))) {
            let element = self.element(&first.value, first.node);
            for one in &given[1..] {
                match &one.value {
                    Value::Function(function) => {
                        self.called_with(function, vec![element.clone()], one.node);
                    }
                    _ if matches!(shape(one.node), Shape::Constant) => {}
                    _ => self.lost(&first.value, one.node, "what it is sorted by is not shown here"),
                }
            }
            return first.value.clone();
        }
        for one in given {
            let series = matches!(&one.value, Value::Columns(columns) if columns.parts.is_none());
            if !series {
                self.unknown_argument(one, "it is printed or listed with the names or in the order of its columns");
            }
        }
        Value::Plain
    }

    /// `User(country_code = …)` of a class that has the columns of a table.
    fn constructed(&mut self, source: usize, given: &[Given<'t>]) -> Value<'t> {
        let data = Data { exact: true, ..Data::of(Rest::Source(source)) };
        for one in given {
            match one.name_node {
                Some(name) => {
                    self.mention(&Mention { whole: name, name, read: true, field: false }, &data, Self::row_place());
                }
                None => self.doubt(source, Doubt::open(one.node.range(), "a column is given by its place")),
            }
        }
        Value::row(Style::Field, data)
    }

    /// What a value does where it is called.
    pub(super) fn apply_value(&mut self, value: &Value<'t>, given: &[Given<'t>], node: Node<'t>) -> Value<'t> {
        if let Some(known) = self.overloaded(value, given.len()) {
            let Some(only) = known else {
                for argument in given {
                    self.unknown_argument(argument, "several functions of this file have the name");
                }
                return Value::Plain;
            };
            return self.apply(&only, given, node);
        }
        let mut result: Option<Value<'t>> = None;
        for one in value.alternatives() {
            let more = match &one {
                Value::Function(function) => self.apply(function, given, node),
                // `users("country_code")` of Scala's frames.
                Value::Frame(frame) => match given {
                    [only] => self.column_of(&frame.clone(), node, only.node),
                    _ => Value::Plain,
                },
                Value::Row(row) => match given {
                    [only] => self.key_of_row(&row.clone(), node, only.node, &only.value),
                    _ => Value::Plain,
                },
                _ => {
                    self.lost(&one, node, "it is called, which gander does not follow");
                    for argument in given {
                        self.unknown_argument(argument, UNKNOWN);
                    }
                    Value::Plain
                }
            };
            result = Some(match result {
                Some(known) => self.either(known, more, node),
                None => more,
            });
        }
        result.unwrap_or(Value::Plain)
    }

    /// Where several functions share a name: the only one with so many parameters, if it is.
    fn overloaded(&self, value: &Value<'t>, arguments: usize) -> Option<Option<Rc<Function<'t>>>> {
        if !matches!(self.tree.language.facts.name.as_str(), "java" | "scala") {
            return None;
        }
        let functions = value.alternatives().into_iter().filter_map(|one| match one {
            Value::Function(function) => Some(function),
            _ => None,
        });
        let functions: Vec<Rc<Function<'t>>> = functions.collect();
        let name = |function: &Rc<Function<'t>>| self.declaration(function.id).map(|(_, name)| name.text());
        let shared = functions.len() > 1 && name(&functions[0]).is_some();
        if !shared || functions.iter().any(|one| name(one) != name(&functions[0])) {
            return None;
        }
        let mut fitting = functions.into_iter().filter(|one| self.takes(one, arguments));
        let first = fitting.next();
        Some(first.filter(|_| fitting.next().is_none()))
    }

    /// Whether a function may be called with so many arguments.
    fn takes(&self, function: &Function<'t>, arguments: usize) -> bool {
        let list = self.tree.node(function.id).field("parameters").map_or("", Node::text);
        let default = |one: &&Parameter<'t>| one.pattern.parent().is_some_and(|up| up.field("default_value").is_some());
        let needed = function.parameters.len() - function.parameters.iter().filter(default).count();
        list.contains("...") || list.contains('*') || (needed..=function.parameters.len()).contains(&arguments)
    }

    /// Runs a function that code elsewhere calls with these values. Of one that takes more nothing
    /// is known of the rest: it may be of the same rows.
    pub(super) fn called_with(
        &mut self,
        function: &Rc<Function<'t>>,
        mut values: Vec<Value<'t>>,
        at: Node<'t>,
    ) -> Value<'t> {
        // `map((key, row) => …)` of pairs.
        if let ([Value::Tuple(parts)], true) = (&values[..], function.parameters.len() > 1)
            && parts.len() == function.parameters.len()
        {
            values = parts.to_vec();
        }
        if function.parameters.len() > values.len() {
            let why = "it goes into a function that takes more than is known here";
            values.iter().for_each(|value| self.lost(value, at, why));
        }
        self.run(function, values, at)
    }

    /// Arguments of a call that reads tables, or of a function whose parameters hold them.
    pub(super) fn reads_tables(&mut self, given: &[Given<'t>]) {
        given.iter().filter(|one| !matches!(one.value, Value::Plain)).for_each(|one| self.read_as_table(one.node));
    }

    /// Runs a function with arguments by place and by name.
    pub(super) fn apply(&mut self, function: &Rc<Function<'t>>, given: &[Given<'t>], node: Node<'t>) -> Value<'t> {
        let mut values: Vec<Value<'t>> = Vec::new();
        let mut by_place = given.iter().filter(|one| one.name.is_none());
        if function.parameters.is_empty() {
            values.extend(by_place.map(|one| one.value.clone()));
        } else {
            for parameter in &function.parameters {
                let named = given.iter().find(|one| one.name == Some(parameter.pattern.text()));
                let one = named.or_else(|| by_place.next());
                values.push(match one {
                    Some(one) => one.value.clone(),
                    None => self.declared(parameter, false),
                });
            }
            for one in by_place {
                self.lost(&one.value, one.node, "an argument that the function names no parameter for");
            }
        }
        self.reads_tables(given);
        self.run(function, values, node)
    }

    /// `self.method(…)`, `Object.method(…)`: a function of this file.
    fn own_method(
        &mut self,
        object: Node<'t>,
        name: Node<'t>,
        given: &[Given<'t>],
        node: Node<'t>,
    ) -> Option<Value<'t>> {
        let of = object.text();
        let own = matches!(of, "self" | "this" | "cls") || self.bound(of).is_none() && self.classes_here.contains(of);
        let value = self.bound(name.text()).cloned().filter(|_| own)?;
        if self.overloaded(&value, given.len()).is_some() {
            return Some(self.apply_value(&value, given, node));
        }
        let Value::Function(function) = value else { return None };
        let mut given = given.to_vec();
        let first = function.parameters.first().map(|first: &Parameter<'t>| first.pattern.text());
        if matches!(first, Some("self" | "cls")) {
            given.insert(0, Given { name: None, name_node: None, node: object, value: Value::Plain });
        }
        Some(self.apply(&function, &given, node))
    }

    /// The path of a function that an import brings, or of a name that nothing here defines.
    pub(super) fn path(&self, node: Node<'t>) -> Option<String> {
        self.path_at(node, 0)
    }

    fn path_at(&self, node: Node<'t>, depth: usize) -> Option<String> {
        if depth > MAX_PATH {
            return None;
        }
        match shape(node) {
            Shape::Name => {
                let name = node.text();
                if self.bound(name).is_some() {
                    return None;
                }
                Some(self.imported(name).unwrap_or(name).to_owned())
            }
            Shape::Member { object, name } => Some(format!("{}.{}", self.path_at(object, depth + 1)?, name.text())),
            Shape::Same(inner) => self.path_at(inner, depth + 1),
            _ => None,
        }
    }

    /// A function of a library that is known.
    fn of_module(&mut self, node: Node<'t>, path: &str, given: &[Given<'t>]) -> Option<Value<'t>> {
        let spark = ["pyspark.sql.functions.", "org.apache.spark.sql.functions."];
        if let Some(name) = spark.iter().find_map(|of| path.strip_prefix(of)) {
            return Some(self.spark_function(node, name, given));
        }
        let wild = self.wildcards.iter().any(|of| spark.iter().any(|known| known.trim_end_matches('.') == of));
        if wild && !path.contains('.') && super::spark::is_function(path) {
            return Some(self.spark_function(node, path, given));
        }
        if path.ends_with("Window.partitionBy") || path.ends_with("Window.orderBy") {
            let Value::Columns(columns) = self.all_columns(given) else { return None };
            let groups = path.ends_with("partitionBy");
            return Some(Value::Columns(Rc::new(super::value::Columns { groups, ..(*columns).clone() })));
        }
        if let Some(name) = path.strip_prefix("pandas.") {
            return Some(self.pandas_function(node, name, given));
        }
        None
    }

    /// A method, on each of what its object may be.
    pub(super) fn method(&mut self, receiver: &Value<'t>, method: &Method<'t>) -> Value<'t> {
        let mut result: Option<Value<'t>> = None;
        for one in receiver.alternatives() {
            let more = match &one {
                Value::Frame(frame) if frame.library == Library::Spark => self.spark_method(&frame.clone(), method),
                Value::Frame(frame) => self.pandas_method(&frame.clone(), method),
                Value::Grouped(frame, keys) => self.grouped_method(frame, keys, method),
                Value::Columns(columns) => self.columns_method(columns, method),
                Value::Row(row) => self.row_method(row, method),
                Value::Many(element) => self.many_method(element, method),
                Value::Handle(data) => self.handle_method(data, method),
                Value::Tuple(all) => self.tuple_method(all, method),
                Value::Function(function) => self.function_method(function, method),
                Value::Plain | Value::Nothing | Value::Text(_) | Value::Either(_) => self.unknown_call(method),
            };
            result = Some(match result {
                Some(known) => self.either(known, more, method.node),
                None => more,
            });
        }
        result.unwrap_or(Value::Plain)
    }

    /// A call of which nothing is known.
    pub(super) fn unknown_call(&mut self, method: &Method<'t>) -> Value<'t> {
        // `pipeline.apply(read)`, `transform.via(row -> …)`: what goes in comes out.
        if let [only] = &method.arguments[..] {
            let passes =
                matches!((method.word(), &only.value), ("apply", Value::Many(_)) | ("via" | "by", Value::Function(_)));
            if passes {
                return only.value.clone();
            }
        }
        for one in &method.arguments {
            self.unknown_argument(one, UNKNOWN);
        }
        Value::Plain
    }

    fn unknown_argument(&mut self, one: &Given<'t>, why: &str) {
        self.lost(&one.value, one.node, why);
        self.read_elsewhere(&one.value);
        if let Value::Text(text) = &one.value
            && let Some((_, range)) = self.literal(*text)
        {
            self.unfollowed.insert(range.start);
        }
        for value in one.value.alternatives() {
            if let Value::Function(function) = value {
                let values = function.parameters.iter().map(|parameter| self.declared(parameter, false)).collect();
                let given = self.run(&function, values, one.node);
                self.lost(&given, one.node, "a function that is called elsewhere gives it");
            }
        }
    }

    /// `object.name`
    pub(super) fn member(&mut self, node: Node<'t>, object: Node<'t>, name: Node<'t>) -> Value<'t> {
        if let Some(path) = self.path(node)
            && path.split('.').count() > 1
            && self.imported(path.split('.').next().unwrap_or("")).is_some()
        {
            return Value::Plain;
        }
        let receiver = self.value(object);
        if receiver.is_plain() {
            // `this.users`, `Tables.USERS`: what the class gave the name to.
            let own = matches!(object.text(), "self" | "this" | "cls") || self.classes_here.contains(object.text());
            if let Some(value) = self.bound(name.text()).cloned().filter(|value| own && !value.is_plain()) {
                return value;
            }
            self.elsewhere.insert(name.range().start);
            return Value::Plain;
        }
        let mut result: Option<Value<'t>> = None;
        for one in receiver.alternatives() {
            let more = self.member_of(node, name, &one);
            result = Some(match result {
                Some(known) => self.either(known, more, node),
                None => more,
            });
        }
        result.unwrap_or(Value::Plain)
    }

    fn member_of(&mut self, node: Node<'t>, name: Node<'t>, value: &Value<'t>) -> Value<'t> {
        match value {
            Value::Plain | Value::Nothing | Value::Text(_) | Value::Function(_) | Value::Either(_) => {
                self.elsewhere.insert(name.range().start);
                Value::Plain
            }
            Value::Frame(frame) => self.frame_member(frame, node, name),
            Value::Grouped(frame, keys) => self.of_grouped(frame, keys, node, name),
            Value::Columns(columns) => self.columns_member(columns, node, name),
            Value::Row(row) => self.row_member(row, node, name),
            Value::Tuple(values) => self.tuple_member(values, node, name),
            // A call without arguments, as Scala writes it.
            Value::Many(element) => {
                let method = Method { node, object: node, name, arguments: Vec::new() };
                self.many_method(element, &method)
            }
            Value::Handle(data) => {
                let method = Method { node, object: node, name, arguments: Vec::new() };
                self.handle_method(data, &method)
            }
        }
    }

    /// `object[keys]`
    pub(super) fn index(&mut self, node: Node<'t>, object: Node<'t>, keys: &[Node<'t>]) -> Value<'t> {
        let receiver = self.value(object);
        let values: Vec<Value<'t>> = keys.iter().map(|key| self.value(*key)).collect();
        let mut result: Option<Value<'t>> = None;
        for one in receiver.alternatives() {
            let more = match &one {
                Value::Plain | Value::Nothing | Value::Text(_) | Value::Function(_) | Value::Either(_) => {
                    for (key, value) in keys.iter().zip(&values) {
                        self.read_elsewhere(value);
                        self.lost(value, *key, "it is used as a key");
                    }
                    Value::Plain
                }
                Value::Frame(frame) => self.frame_index(&frame.clone(), node, keys, &values),
                Value::Grouped(frame, of) => match keys {
                    [only] => self.of_grouped(frame, of, node, *only),
                    _ => Value::Plain,
                },
                Value::Row(row) => match (keys, &values[..]) {
                    ([key], [value]) => self.key_of_row(row, node, *key, value),
                    _ => Value::Plain,
                },
                // One of many, or some of them.
                Value::Many(element) => match keys {
                    [key] if matches!(shape(*key), Shape::Constant) => (**element).clone(),
                    _ => one.clone(),
                },
                Value::Tuple(all) => match keys {
                    [key] => {
                        key.text().parse::<usize>().ok().and_then(|at| all.get(at).cloned()).unwrap_or_else(|| {
                            self.lost(&one, node, "one of several values is taken");
                            Value::Plain
                        })
                    }
                    _ => Value::Plain,
                },
                Value::Columns(columns) => self.columns_index(columns, node, keys),
                Value::Handle(_) => {
                    self.lost(&one, node, "gander does not follow values through this");
                    Value::Plain
                }
            };
            result = Some(match result {
                Some(known) => self.either(known, more, node),
                None => more,
            });
        }
        result.unwrap_or(Value::Plain)
    }

    /// Texts and expressions that name columns, as one.
    pub(super) fn all_columns(&mut self, given: &[Given<'t>]) -> Value<'t> {
        let mut columns = super::value::Columns::default();
        for one in given {
            Self::gather_columns(&one.value, &mut columns);
            let parts = match &one.value {
                Value::Tuple(all) => all.iter().flat_map(Value::alternatives).collect(),
                other => other.alternatives(),
            };
            let unseen = |value: &Value<'t>| matches!(value, Value::Plain | Value::Many(_));
            if parts.iter().any(unseen) && !matches!(shape(one.node), Shape::Constant) {
                columns.mentions.push(Self::unseen(one.node));
            }
        }
        Value::Columns(Rc::new(columns))
    }

    fn gather_columns(value: &Value<'t>, into: &mut super::value::Columns<'t>) {
        match value {
            Value::Text(text) => into.mentions.push(Mention { whole: *text, name: *text, read: false, field: false }),
            Value::Columns(more) => into.mentions.extend(more.mentions.iter().copied()),
            Value::Tuple(all) | Value::Either(all) => {
                for one in all.iter() {
                    Self::gather_columns(one, into);
                }
            }
            _ => {}
        }
    }

    /// What an element of a collection is.
    pub(super) fn element(&mut self, value: &Value<'t>, node: Node<'t>) -> Value<'t> {
        let mut result: Option<Value<'t>> = None;
        for one in value.alternatives() {
            let more = match &one {
                Value::Many(element) => (**element).clone(),
                Value::Tuple(all) => {
                    let mut element: Option<Value<'t>> = None;
                    for value in all.iter() {
                        element = Some(match element {
                            Some(known) => self.either(known, value.clone(), node),
                            None => value.clone(),
                        });
                    }
                    element.unwrap_or(Value::Plain)
                }
                Value::Plain | Value::Text(_) => Value::Plain,
                Value::Columns(columns) if columns.parts.is_none() => Value::Plain,
                _ => {
                    self.lost(&one, node, "its names are gone through one by one");
                    Value::Plain
                }
            };
            result = Some(match result {
                Some(known) => self.either(known, more, node),
                None => more,
            });
        }
        result.unwrap_or(Value::Plain)
    }
}
