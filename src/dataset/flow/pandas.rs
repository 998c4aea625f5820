//! Data frames and series of pandas.

use super::Flow;
use super::call::{Given, Method};
use super::note::Place;
use super::shape::{Shape, shape};
use super::value::{Columns, Data, Frame, Inner, Library, Mention, Rest, Row, Style, Value};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Role};
use crate::tree::Node;

/// Methods that give the same columns.
const SAME: [&str; 9] =
    ["head", "tail", "copy", "reset_index", "sample", "fillna", "dropna", "sort_index", "convert_dtypes"];
/// Methods that write names out.
pub(super) const WRITES: [&str; 9] =
    ["to_csv", "to_parquet", "to_json", "to_gbq", "to_sql", "to_excel", "to_feather", "to_html", "to_string"];
/// Methods of a series that give a number, or values without names.
pub(super) const ENDS: [&str; 23] = [
    "nunique",
    "max",
    "min",
    "sum",
    "mean",
    "count",
    "any",
    "all",
    "tolist",
    "to_list",
    "unique",
    "std",
    "var",
    "median",
    "item",
    "idxmax",
    "idxmin",
    "quantile",
    "to_numpy",
    "first",
    "last",
    "prod",
    "memory_usage",
];
/// What is read of a frame that is no column.
const MEMBERS: [&str; 14] =
    ["shape", "size", "empty", "index", "loc", "iloc", "at", "iat", "columns", "dtypes", "values", "T", "str", "dt"];
/// Other methods.
const OTHERS: [&str; 30] = [
    "merge",
    "join",
    "groupby",
    "query",
    "eval",
    "rename",
    "assign",
    "drop",
    "sort_values",
    "drop_duplicates",
    "apply",
    "iterrows",
    "itertuples",
    "to_dict",
    "astype",
    "set_index",
    "pivot",
    "pivot_table",
    "melt",
    "isin",
    "filter",
    "items",
    "pipe",
    "agg",
    "aggregate",
    "transform",
    "rank",
    "name",
    "append",
    "update",
];

/// Whether a name means something else than a column where it is an attribute.
pub(super) fn is_method(name: &str) -> bool {
    SAME.contains(&name)
        || WRITES.contains(&name)
        || ENDS.contains(&name)
        || MEMBERS.contains(&name)
        || OTHERS.contains(&name)
}

pub(super) const LEAVES: &str = "it leaves with the names of its columns";

impl<'t> Flow<'t> {
    /// A function of the module.
    pub(super) fn pandas_function(&mut self, node: Node<'t>, name: &str, given: &[Given<'t>]) -> Value<'t> {
        let method = Method { node, object: node, name: node, arguments: given.to_vec() };
        match name {
            "merge" => {
                let mut rest = method.arguments.clone();
                if rest.is_empty() {
                    return Value::Plain;
                }
                let left = rest.remove(0);
                let inner = Method { node, object: left.node, name: node, arguments: rest };
                match &left.value {
                    Value::Frame(frame) => self.merged(&frame.clone(), &inner),
                    _ => {
                        let other = Frame { library: Library::Pandas, data: Data { exact: true, ..Data::other() } };
                        self.merged(&other, &inner)
                    }
                }
            }
            "DataFrame" | "concat" | "Series" => {
                for one in given {
                    self.lost(&one.value, one.node, "it becomes a part of a new frame");
                }
                Value::Plain
            }
            "read_parquet" | "read_csv" | "read_json" | "read_orc" | "read_feather" | "read_gbq" | "read_sql_table"
            | "read_table" | "read_pickle" => self.pandas_read(name, &method),
            "read_sql" | "read_sql_query" => Value::frame(Library::Pandas, Data { exact: true, ..Data::other() }),
            "to_datetime" | "to_numeric" | "isna" | "isnull" | "notna" | "notnull" => {
                given.first().map_or(Value::Plain, |one| one.value.clone())
            }
            _ => self.unknown_call(&method),
        }
    }

    pub(super) fn pandas_read(&mut self, name: &str, method: &Method<'t>) -> Value<'t> {
        let Some(first) = method.arguments.first() else { return Value::Plain };
        let data = match (&first.value, name) {
            (Value::Text(text), "read_gbq" | "read_sql_table") => self.table_text(*text, false),
            (Value::Text(text), _) => self.path_text(*text),
            _ => None,
        };
        let Some(data) = data else {
            return Value::frame(Library::Pandas, Data { exact: true, ..Data::other() });
        };
        let mut data = Data { exact: true, ..data };
        let columns = method.named("columns").or_else(|| method.named("usecols"));
        if let Some(columns) = columns {
            data = self.picked(&data, columns);
        }
        if let Some(filters) = method.named("filters")
            && !matches!(shape(filters.node), Shape::Constant)
        {
            self.lost(&Value::frame(Library::Pandas, data.clone()), filters.node, "filters that gander does not read");
        }
        Value::frame(Library::Pandas, data)
    }

    /// Some columns of a frame, under the names that they have.
    pub(super) fn picked(&mut self, data: &Data, list: &Given<'t>) -> Data {
        let texts = self.texts_of(&list.value);
        if texts.is_empty() {
            for source in self.changing_names(data) {
                self.doubt(source, Doubt::open(list.node.range(), "which columns are taken is not written here"));
            }
            return data.clone();
        }
        let mut picked = Data { exact: true, ..Data::default() };
        for text in texts {
            let mention = Mention { whole: text, name: text, read: true, field: false };
            let parts = self.mention(&mention, data, Place::read(Library::Pandas));
            let Some((name, _)) = self.spelled(&mention) else { continue };
            picked.set(&name, self.kept(data, &name, parts));
        }
        picked
    }

    pub(super) fn pandas_method(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let (data, word) = (&frame.data, method.word());
        let value = Value::Frame(frame.clone());
        let read = Place::read(Library::Pandas);
        match word {
            _ if SAME.contains(&word) => {
                if let Some(subset) = method.named("subset") {
                    self.picked(data, subset);
                }
                let plain = |one: &&Given<'t>| !matches!(shape(one.node), Shape::Constant | Shape::Text);
                if word == "fillna" && method.plain().any(|one| plain(&one)) {
                    self.lost(&value, method.node, "columns may be named in a dictionary");
                }
                value
            }
            _ if WRITES.contains(&word) => {
                self.written_out(&value, method.name, LEAVES);
                Value::Plain
            }
            "count" | "nunique" | "max" | "min" | "sum" | "mean" | "any" | "all" | "describe" | "info" => {
                // One value for each column, under its name.
                Value::Frame(frame.clone())
            }
            "merge" => self.merged(frame, method),
            "groupby" => {
                let mut keys = Vec::new();
                if let Some(by) = method.argument(0, "by") {
                    for text in self.column_texts(by, data) {
                        let mention = Mention { whole: text, name: text, read: true, field: false };
                        self.mention(&mention, data, read.at(Position::Group));
                        if let Some((name, _)) = self.spelled(&mention) {
                            let inner = self.kept(data, &name, None);
                            keys.push((name, inner));
                        }
                    }
                }
                Value::Grouped(frame.clone(), keys)
            }
            "query" => {
                if let Some(Given { value: Value::Text(text), .. }) = method.argument(0, "expr") {
                    self.query_text(*text, data);
                } else {
                    self.lost(&value, method.node, "a query whose text is not written here");
                }
                value
            }
            "sort_values" | "drop_duplicates" | "nlargest" | "nsmallest" => {
                let at = usize::from(word.starts_with('n'));
                let name = if word == "drop_duplicates" { "subset" } else { "by" };
                match method.argument(at, name) {
                    Some(one) => {
                        let one = one.clone();
                        self.picked(data, &one);
                    }
                    None if word == "drop_duplicates" => self.grouped_whole(data, method.node),
                    None => {}
                }
                value
            }
            "rename" => self.renamed(frame, method),
            "assign" => {
                let mut after = data.clone();
                for one in &method.arguments {
                    let (Some(name), Some(node)) = (one.name, one.name_node) else {
                        self.lost(&value, one.node, "columns are named in a dictionary");
                        continue;
                    };
                    match one.value.clone() {
                        Value::Function(function) => {
                            self.run(&function, vec![value.clone()], one.node);
                        }
                        Value::Plain if matches!(shape(one.node), Shape::Name | Shape::Member { .. }) => {
                            self.lost(&value, one.node, "it may go into a function that this file does not show");
                        }
                        _ => {}
                    }
                    match self.hit(data, name) {
                        super::value::Hit::Column(..) => {
                            self.mention(
                                &Mention { whole: node, name: node, read: true, field: false },
                                data,
                                Place { role: Role::Target, ..read.at(Position::Write) },
                            );
                        }
                        _ => {
                            self.arrives(data, name, node.range());
                            after.set(name, Inner::Own);
                        }
                    }
                }
                Value::frame(Library::Pandas, after)
            }
            "drop" => {
                match method.named("columns") {
                    Some(columns) => {
                        let columns = columns.clone();
                        let gone = self.picked(data, &columns);
                        let mut after = data.clone();
                        for name in gone.names.keys() {
                            after.set(name, Inner::Own);
                        }
                        return Value::frame(Library::Pandas, after);
                    }
                    None => self.lost(&value, method.node, "what is dropped is not named as columns"),
                }
                value
            }
            "iterrows" => {
                Value::tuple(vec![Value::Plain, Value::Row(Row { style: Style::Named, data: data.clone() })]).many()
            }
            "itertuples" => Value::Row(Row { style: Style::Named, data: data.clone() }).many(),
            "to_dict" if method.arguments.iter().any(|one| one.node.text().contains("records")) => {
                Value::Row(Row { style: Style::Named, data: data.clone() }).many()
            }
            "apply" if method.named("axis").is_some_and(|axis| matches!(axis.node.text(), "1" | "\"columns\"")) => {
                let given = self.call_back(method, &[Value::Row(Row { style: Style::Named, data: data.clone() })]);
                self.lost(&given, method.node, "rows go on as they are");
                Value::Plain
            }
            "pipe" => self.call_back(method, &[value]),
            _ => {
                self.lost(&value, method.name, "gander does not know what this does with the columns");
                self.unknown_call(method);
                Value::Plain
            }
        }
    }

    /// Texts that name columns, or a doubt.
    pub(super) fn column_texts(&mut self, given: &Given<'t>, data: &Data) -> Vec<Node<'t>> {
        let texts = self.texts_of(&given.value);
        if texts.is_empty() {
            for source in self.changing_names(data) {
                self.doubt(source, Doubt::open(given.node.range(), "which columns these are is not written here"));
            }
        }
        texts
    }

    /// `rename(columns={"old": "new"})`
    pub(super) fn renamed(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let value = Value::Frame(frame.clone());
        let Some(columns) = method.named("columns") else {
            self.lost(&value, method.node, "what is renamed is not written here");
            return value;
        };
        let Shape::Pairs(pairs) = shape(columns.node) else {
            self.lost(&value, columns.node, "what is renamed is not written here");
            return value;
        };
        let data = &frame.data;
        let mut after = data.clone();
        for (key, new) in pairs {
            let mention = Mention { whole: key, name: key, read: true, field: false };
            let parts = self.mention(&mention, data, Place::read(Library::Pandas));
            let (Some((old, _)), Some((name, range))) = (self.spelled(&mention), self.literal(new)) else {
                self.lost(&value, key, "what is renamed is not written here");
                continue;
            };
            self.arrives(data, &name, range.clone());
            self.elsewhere.insert(range.start);
            after.names.remove(&after.key(&old));
            if !after.rest.is_empty() {
                after.set(&old, Inner::Own);
            }
            let bound = self.bound_in(data, &old);
            after.set(&name, Self::inner(parts, bound));
        }
        if method.named("inplace").is_some() {
            self.lost(&value, method.node, "it is changed in place");
        }
        Value::frame(Library::Pandas, after)
    }

    pub(super) fn merged(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let Some(other) = method.argument(0, "right") else { return Value::Frame(frame.clone()) };
        let right = match &other.value {
            Value::Frame(other) => other.data.clone(),
            value => {
                self.lost(&value.clone(), other.node, "it is merged in a way that gander does not follow");
                Data { exact: true, ..Data::other() }
            }
        };
        let both: Vec<usize> = frame.data.sources().into_iter().chain(right.sources()).collect();
        self.together(&both);
        let mut joined = frame.data.clone().joined(&right);
        for (word, data) in [("left_on", frame.data.clone()), ("right_on", right.clone())] {
            if let Some(one) = method.named(word) {
                let one = one.clone();
                for text in self.column_texts(&one, &data) {
                    let mention = Mention { whole: text, name: text, read: true, field: false };
                    self.mention(&mention, &data, Place::read(Library::Pandas).at(Position::Using));
                }
            }
        }
        let on = method.argument(1, "on").cloned();
        match on {
            Some(on) if on.name == Some("on") => {
                for text in self.column_texts(&on, &joined.clone()) {
                    let mention = Mention { whole: text, name: text, read: true, field: false };
                    self.join_key(&mention, &frame.data, &right, Library::Pandas);
                    if let Some((name, _)) = self.literal(text) {
                        let bound = self.bound_in(&frame.data, &name).or_else(|| self.bound_in(&right, &name));
                        joined.set(&name, Self::inner(None, bound));
                    }
                }
            }
            _ if method.named("left_on").is_some() || method.named("left_index").is_some() => {}
            _ => {
                for source in self.changing_names(&joined) {
                    let why = "it is merged by all columns that the two have in common";
                    self.doubt(source, Doubt::open(method.node.range(), why));
                }
            }
        }
        self.new_names_meet(&frame.data, &right, method.node);
        self.new_names_meet(&right, &frame.data, method.node);
        // Names that both have get suffixes.
        let (left, right_names) = (self.changing_names(&frame.data), self.changing_names(&right));
        if method.named("suffixes").is_some() {
            for source in left.into_iter().chain(right_names) {
                let why = "columns of one name get suffixes, and others have one name afterwards";
                self.doubt(source, Doubt::open(method.node.range(), why));
            }
        }
        Value::frame(Library::Pandas, joined)
    }

    /// A new name that the other frame has already: the two would get suffixes. Of a frame that
    /// is not known, it is told by whether the file speaks of the name.
    fn new_names_meet(&mut self, data: &Data, other: &Data, node: Node<'t>) {
        for (source, to) in self.arriving(data) {
            let has = |rest: &Rest| match rest {
                Rest::Known(schema) => self.datasets.schemas.has(*schema, &to),
                Rest::Other => self.speaks_of(&to),
                Rest::Source(_) | Rest::Fields(..) => false,
            };
            if other.names.contains_key(&to) || other.rest.iter().any(has) {
                let why = format!("the other frame may have a column {to}, which is the new name of one of these");
                self.doubt(source, Doubt::open(node.range(), why));
            }
        }
    }

    /// New names that columns of these get, and that the table had not before.
    pub(super) fn arriving(&self, data: &Data) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut add = |source: usize, column: Option<usize>| {
            let mapping = &self.datasets.mappings[self.datasets_of[source]];
            let columns = mapping.columns.iter().enumerate().filter(|(at, _)| column.is_none_or(|only| only == *at));
            let new = columns.filter_map(|(_, column)| column.to()).filter(|to| mapping.arrives(&to.to_lowercase()));
            found.extend(new.map(|to| (source, to.to_owned())));
        };
        for rest in &data.rest {
            if let Rest::Source(source) = rest {
                add(*source, None);
            }
        }
        for inner in data.names.values() {
            if let Inner::Raw(source, column) = inner {
                add(*source, Some(*column));
            }
        }
        found
    }

    /// Whether the file has a name as a text or as a member.
    fn speaks_of(&self, name: &str) -> bool {
        self.tree.iter().any(|node| match shape(node) {
            Shape::Text => self.literal(node).is_some_and(|(text, _)| text == name),
            Shape::Member { name: member, .. } => member.text() == name,
            _ => false,
        })
    }

    /// What a name that is taken out of `data` stands for then.
    fn kept(&self, data: &Data, name: &str, parts: Option<(usize, usize)>) -> Inner {
        match self.hit(data, name) {
            super::value::Hit::Column(source, column) => Inner::Raw(source, column),
            super::value::Hit::Carried(source, column) => Inner::Carried(source, column),
            _ => Self::inner(parts, None),
        }
    }

    /// Some columns of what is grouped.
    pub(super) fn of_grouped(
        &mut self,
        frame: &Frame,
        keys: &[(String, Inner)],
        whole: Node<'t>,
        name: Node<'t>,
    ) -> Value<'t> {
        if frame.library == Library::Spark {
            return self.column_of(frame, whole, name);
        }
        let value = match shape(name) {
            Shape::Name => Value::Plain,
            _ => self.value(name),
        };
        let data = match shape(name) {
            Shape::Name if matches!(shape(whole), Shape::Member { .. }) => {
                let mention = Mention { whole, name, read: true, field: false };
                self.mention(&mention, &frame.data, Place::read(Library::Pandas));
                let mut data = Data { exact: true, ..Data::default() };
                data.set(name.text(), self.kept(&frame.data, name.text(), None));
                data
            }
            _ => self.picked(&frame.data, &Given { name: None, name_node: None, node: name, value }),
        };
        Value::Grouped(Frame { library: Library::Pandas, data }, keys.to_vec())
    }

    pub(super) fn pandas_grouped(&mut self, frame: &Frame, keys: &[(String, Inner)], method: &Method<'t>) -> Value<'t> {
        match method.word() {
            "size" | "count" | "sum" | "mean" | "max" | "min" | "nunique" | "first" | "last" | "median" => {
                let mut data = if method.word() == "size" { Data::default() } else { frame.data.clone() };
                data.exact = true;
                keys.iter().for_each(|(name, inner)| data.set(name, *inner));
                Value::frame(Library::Pandas, data)
            }
            _ => {
                let value = Value::Frame(frame.clone());
                self.lost(&value, method.name, "gander does not know what this does with the columns");
                self.unknown_call(method);
                Value::Plain
            }
        }
    }

    pub(super) fn pandas_member(&mut self, frame: &Frame, node: Node<'t>, name: Node<'t>) -> Value<'t> {
        let value = Value::Frame(frame.clone());
        match name.text() {
            "shape" | "size" | "empty" | "index" => Value::Plain,
            "loc" => value,
            word if is_method(word) => {
                self.lost(&value, name, "the names or the places of its columns are read as values");
                Value::Plain
            }
            _ => self.column_of(frame, node, name),
        }
    }

    /// Rows are chosen by a condition: its columns stand in a filter.
    fn filters_by(&mut self, mask: &Columns<'t>) {
        for mention in mask.mentions.clone() {
            self.named_again(&mention, Place::read(Library::Pandas).at(Position::Filter));
        }
    }

    pub(super) fn pandas_index(
        &mut self,
        frame: &Frame,
        node: Node<'t>,
        keys: &[Node<'t>],
        values: &[Value<'t>],
    ) -> Value<'t> {
        let data = &frame.data;
        let value = Value::Frame(frame.clone());
        let through = match shape(node) {
            Shape::Index { object, .. } => match shape(object) {
                Shape::Member { name, .. } if matches!(name.text(), "loc") => "loc",
                _ => "",
            },
            _ => "",
        };
        for (key, one) in keys.iter().zip(values) {
            if let Value::Function(function) = one {
                self.run(function, vec![value.clone()], *key);
            }
        }
        match (keys, values) {
            ([_], [Value::Columns(mask)]) => {
                self.filters_by(mask);
                value
            }
            ([key], [Value::Text(_)]) if through.is_empty() => self.column_of(frame, node, *key),
            ([key], [list @ Value::Tuple(_)]) if through.is_empty() => {
                let given = Given { name: None, name_node: None, node: *key, value: list.clone() };
                Value::frame(Library::Pandas, self.picked(data, &given))
            }
            ([_, key], [rows, columns]) if through == "loc" => {
                if let Value::Columns(mask) = rows {
                    self.filters_by(mask);
                }
                if !matches!(rows, Value::Columns(_) | Value::Plain) {
                    self.lost(&rows.clone(), keys[0], "it is used as a key");
                }
                match columns {
                    Value::Text(_) => self.column_of(frame, node, *key),
                    Value::Tuple(_) => {
                        let given = Given { name: None, name_node: None, node: *key, value: columns.clone() };
                        Value::frame(Library::Pandas, self.picked(data, &given))
                    }
                    _ if key.text() == ":" => value,
                    _ => {
                        self.lost(&value, *key, "which columns are taken is not written here");
                        Value::Plain
                    }
                }
            }
            ([key], [_]) if matches!(key.kind(), "slice") => value,
            ([key], [inner]) => {
                // A mask, or the name of a column that is put together.
                if inner.is_plain() {
                    self.lost(&value, *key, "which columns or rows are taken is not written here");
                }
                value
            }
            _ => {
                self.lost(&value, node, "gander does not follow this way to read a frame");
                Value::Plain
            }
        }
    }

    /// What else a name may come from.
    pub(super) fn exact(rest: Rest) -> Data {
        Data { exact: true, ..Data::of(rest) }
    }
}
