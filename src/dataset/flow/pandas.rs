//! Data frames and series of pandas.

use super::Flow;
use super::call::{Given, Method};
use super::note::Place;
use super::shape::{Shape, shape};
use super::value::{Columns, Data, Frame, Inner, Library, Mention, Rest, Row, Style, Value};
use crate::dataset::mapping::{Position, Renamed, System};
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

/// Whether a member is one of what has a value for each column.
fn is_summary(member: Node<'_>) -> bool {
    let Shape::Member { object, .. } = shape(member) else { return false };
    let Shape::Call { callee: super::shape::Callee::Method { name, .. }, .. } = shape(object) else { return false };
    matches!(name.text(), "count" | "nunique" | "max" | "min" | "sum" | "mean" | "any" | "all")
}

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
        self.reads_tables(&method.arguments);
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
        // A table that names its project is not the one of who pays.
        let whole = self.literal(first.node).is_some_and(|(name, _)| name.split(['.', ':']).count() > 2);
        let project = method.named("project_id").filter(|_| !whole).and_then(|one| self.literal(one.node));
        if let Some((project, range)) = project {
            for source in data.sources() {
                let mapping = &self.datasets.mappings[self.datasets_of[source]];
                let lies =
                    |name: &Renamed| name.old.split('.').count() < 3 || name.old.starts_with(&format!("{project}."));
                if !mapping.names(System::Table).any(lies) {
                    self.doubt(source, Doubt::open(range.clone(), "another project is named here than the dataset's"));
                }
            }
        }
        let columns = method.named("columns").or_else(|| method.named("usecols"));
        if let Some(columns) = columns {
            data = self.picked(&data, columns);
        }
        if let Some(filters) = method.named("filters")
            && !matches!(shape(filters.node), Shape::Constant)
        {
            self.lost(&Value::frame(Library::Pandas, data.clone()), filters.node, "filters that gander does not read");
        }
        let value = Value::frame(Library::Pandas, data);
        self.other_arguments(&value, method, 1, &["columns", "usecols", "filters"]);
        value
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
        match word {
            _ if SAME.contains(&word) => {
                match method.named("subset") {
                    Some(subset) => drop(self.picked(data, subset)),
                    None if word == "dropna" => self.grouped_whole(data, method.node),
                    None => {}
                }
                // A number of rows is no column, whatever it is.
                let rows = matches!(word, "head" | "tail" | "sample");
                self.other_arguments(&value, method, usize::from(rows), &["subset"]);
                value
            }
            _ if WRITES.contains(&word) => {
                self.lost(&value, method.name, LEAVES);
                Value::Plain
            }
            "count" | "nunique" | "max" | "min" | "sum" | "mean" | "any" | "all" | "describe" | "info" => {
                // One value for each column, under its name.
                Value::Frame(frame.clone())
            }
            "merge" => self.merged(frame, method),
            "groupby" => self.pandas_groupby(frame, method),
            "query" => {
                if let Some(Given { value: Value::Text(text), .. }) = method.argument(0, "expr") {
                    self.query_text(*text, data);
                } else {
                    self.lost(&value, method.node, "a query whose text is not written here");
                }
                self.other_arguments(&value, method, 1, &["expr"]);
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
                self.other_arguments(&value, method, at + 1, &[name, "n", "columns"]);
                value
            }
            "rename" => self.renamed(frame, method),
            "assign" => self.assigned(frame, method),
            "drop" => self.pandas_drop(frame, method),
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

    fn pandas_groupby(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let (data, value) = (&frame.data, Value::Frame(frame.clone()));
        self.other_arguments(&value, method, 1, &["by"]);
        let mut keys = Vec::new();
        if let Some(by) = method.argument(0, "by") {
            for text in self.column_texts(by, data) {
                let mention = Mention { whole: text, name: text, read: true, field: false };
                self.mention(&mention, data, Place::read(Library::Pandas).at(Position::Group));
                if let Some((name, _)) = self.spelled(&mention) {
                    let inner = self.kept(data, &name, None);
                    keys.push((name, inner));
                }
            }
        }
        Value::Grouped(frame.clone(), keys)
    }

    /// `assign(name=value)`
    fn assigned(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let (data, value) = (&frame.data, Value::Frame(frame.clone()));
        let mut after = data.clone();
        for one in &method.arguments {
            let (Some(name), Some(node)) = (one.name, one.name_node) else {
                self.lost(&value, one.node, "columns are named in a dictionary");
                continue;
            };
            match one.value.clone() {
                Value::Function(function) => {
                    self.called_with(&function, vec![value.clone()], one.node);
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
                        Place { role: Role::Target, ..Place::read(Library::Pandas).at(Position::Write) },
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

    fn pandas_drop(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let (data, value) = (&frame.data, Value::Frame(frame.clone()));
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
            // How many columns there are is part of it.
            "size" => {
                self.grouped_whole(&frame.data, name);
                Value::Plain
            }
            "shape" => {
                let rows = |up: Node<'_>| match shape(up) {
                    Shape::Index { keys, .. } => matches!(keys[..], [key] if key.text() == "0"),
                    Shape::Call { callee, .. } => super::bound::shows(callee),
                    _ => false,
                };
                if !super::use_of_value::around(node).is_some_and(rows) {
                    self.grouped_whole(&frame.data, name);
                }
                Value::Plain
            }
            "index" if is_summary(node) => {
                self.lost(&value, name, "the names or the places of its columns are read as values");
                Value::Plain
            }
            "empty" | "index" => Value::Plain,
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
                self.called_with(function, vec![value.clone()], *key);
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
                if !matches!(inner, Value::Function(_)) {
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
