//! Data frames of Spark, in Python and in Scala.

use super::Flow;
use super::call::{Given, Method};
use super::note::Place;
use super::value::{Data, Frame, Inner, Library, Mention, Row, Style, Value};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Role};
use crate::tree::Node;

/// Methods that give the same rows and columns.
const SAME: [&str; 10] = [
    "limit",
    "cache",
    "persist",
    "unpersist",
    "checkpoint",
    "localCheckpoint",
    "sample",
    "hint",
    "coalesce",
    "distinct",
];
/// Methods that give a number, or show some rows.
pub(super) const ENDS: [&str; 6] = ["count", "isEmpty", "show", "printSchema", "explain", "isStreaming"];
/// Methods whose columns are only read.
const READS: [&str; 7] =
    ["orderBy", "sort", "sortWithinPartitions", "repartition", "repartitionByRange", "dropna", "withWatermark"];
/// What is read of a frame that is no column.
const MEMBERS: [&str; 12] = [
    "write",
    "writeStream",
    "writeTo",
    "rdd",
    "columns",
    "schema",
    "dtypes",
    "na",
    "stat",
    "sparkSession",
    "storageLevel",
    "describe",
];
/// Functions of which every text names a column.
pub(super) const ALL_TEXTS: [&str; 14] = [
    "coalesce",
    "concat",
    "greatest",
    "least",
    "struct",
    "array",
    "countDistinct",
    "count_distinct",
    "hash",
    "xxhash64",
    "datediff",
    "months_between",
    "map_from_arrays",
    "arrays_zip",
];
/// Functions without columns.
pub(super) const NO_TEXTS: [&str; 8] =
    ["lit", "typedLit", "current_date", "current_timestamp", "rand", "broadcast", "row_number", "rank"];
/// Functions that take a column first; where names are imported one by one, or all at once.
const FIRST_TEXT: [&str; 42] = [
    "max",
    "min",
    "sum",
    "avg",
    "mean",
    "count",
    "first",
    "last",
    "upper",
    "lower",
    "trim",
    "to_date",
    "to_timestamp",
    "date_trunc",
    "month",
    "year",
    "dayofmonth",
    "hour",
    "explode",
    "explode_outer",
    "size",
    "length",
    "abs",
    "round",
    "substring",
    "split",
    "regexp_replace",
    "regexp_extract",
    "date_format",
    "when",
    "approx_count_distinct",
    "collect_list",
    "collect_set",
    "desc",
    "asc",
    "isnull",
    "col",
    "column",
    "expr",
    "stddev",
    "lag",
    "lead",
];

/// Whether a name without a module is a function of Spark's.
pub(super) fn is_function(name: &str) -> bool {
    FIRST_TEXT.contains(&name) || ALL_TEXTS.contains(&name) || NO_TEXTS.contains(&name)
}

/// Whether a name means something else than a column where it is an attribute.
pub(super) fn is_method(name: &str) -> bool {
    SAME.contains(&name)
        || ENDS.contains(&name)
        || READS.contains(&name)
        || MEMBERS.contains(&name)
        || OTHERS.contains(&name)
}

/// Other methods of frames and of rows.
const OTHERS: [&str; 32] = [
    "as",
    "map",
    "select",
    "selectExpr",
    "where",
    "filter",
    "groupBy",
    "groupby",
    "agg",
    "join",
    "union",
    "unionByName",
    "unionAll",
    "drop",
    "withColumn",
    "withColumnRenamed",
    "collect",
    "first",
    "head",
    "take",
    "toLocalIterator",
    "toPandas",
    "transform",
    "dropDuplicates",
    "drop_duplicates",
    "foreach",
    "toDF",
    "alias",
    "index",
    "asDict",
    "intersect",
    "subtract",
];

const LISTS_NAMES: &str = "it leaves the file with the names of all its columns";

impl<'t> Flow<'t> {
    pub(super) fn spark_method(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let (data, word) = (&frame.data, method.word());
        let read = Place::read(Library::Spark);
        let same = || Value::frame(Library::Spark, data.clone());
        match word {
            "distinct" => {
                self.grouped_whole(data, method.node);
                same()
            }
            _ if SAME.contains(&word) => {
                if word == "hint" {
                    self.other_arguments(&same(), method, 1, &[]);
                }
                same()
            }
            _ if ENDS.contains(&word) => Value::Plain,
            "where" | "filter" => {
                for one in &method.arguments {
                    match &one.value {
                        Value::Text(text) => self.fragment(*text, data, "select 1 from spark_t where ", ""),
                        _ => {
                            self.reads(one, data, read.at(Position::Filter));
                        }
                    }
                }
                same()
            }
            _ if READS.contains(&word) => {
                self.only_read(data, method);
                same()
            }
            "select" | "groupBy" | "groupby" | "rollup" | "cube" => self.listed_or_grouped(frame, method),
            "agg" => self.aggregated(frame, &[], method),
            "withColumn" => self.with_column(frame, method),
            "withColumnRenamed" => self.with_renamed(frame, method),
            "drop" => self.spark_drop(data, method),
            "dropDuplicates" | "drop_duplicates" => {
                if method.arguments.is_empty() {
                    self.grouped_whole(data, method.node);
                }
                for one in &method.arguments {
                    self.reads(one, data, Place { role: Role::Star, ..read.at(Position::Group) });
                }
                same()
            }
            "join" => self.spark_join(frame, method),
            "unionByName" | "union" | "unionAll" => self.spark_union(frame, method),
            "collect" | "take" | "toLocalIterator" | "head" | "first" | "tail" => {
                // Names of rows are compared with their case.
                let exact = data.exact || data.names.is_empty();
                let row = Value::Row(Row { style: Style::Named, data: Data { exact, ..data.clone() } });
                let one = word == "first" || word == "head" && method.arguments.is_empty();
                if one { row } else { row.many() }
            }
            "toPandas" => Value::frame(Library::Pandas, Data { exact: true, ..data.clone() }),
            "foreach" => {
                let row = Value::Row(Row { style: Style::Named, data: data.clone() });
                self.call_back(method, &[row]);
                Value::Plain
            }
            "transform" => {
                let value = Value::Frame(frame.clone());
                self.call_back(method, &[value])
            }
            _ => {
                let value = Value::Frame(frame.clone());
                self.lost(&value, method.name, "gander does not know what this does with the columns");
                self.unknown_call(method);
                Value::Plain
            }
        }
    }

    /// Columns that rows are ordered by, or chosen by whether they are there.
    fn only_read(&mut self, data: &Data, method: &Method<'t>) {
        let reads = |one: &&Given<'t>| one.name.is_none() || matches!(one.name, Some("subset" | "cols" | "eventTime"));
        // Of `dropna` all columns decide, unless some are named; the rest of the others is a duration.
        let some = match method.word() {
            "dropna" => method.named("subset").into_iter().collect(),
            "withWatermark" => method.arguments.iter().filter(reads).take(1).collect::<Vec<_>>(),
            _ => method.arguments.iter().filter(reads).collect(),
        };
        if method.word() == "dropna" && some.is_empty() {
            self.grouped_whole(data, method.node);
        }
        let names = matches!(method.word(), "dropna" | "withWatermark");
        let place = Place { role: if names { Role::Star } else { Role::Value }, ..Place::read(Library::Spark) };
        some.into_iter().for_each(|one| drop(self.reads(one, data, place)));
    }

    /// A list of columns: a new frame, or what rows are grouped by.
    fn listed_or_grouped(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let (data, word) = (&frame.data, method.word());
        let position = if word == "select" { Position::Read } else { Position::Group };
        let place = Place { leaves: true, ..Place::read(Library::Spark).at(position) };
        let found: Vec<_> = method.arguments.iter().flat_map(|one| self.reads(one, data, place)).collect();
        self.made_names(&found, &method.arguments);
        let listed = self.listed(found, data);
        if word == "select" {
            return Value::frame(Library::Spark, listed);
        }
        let keys = listed.names.into_iter().collect();
        Value::Grouped(frame.clone(), keys)
    }

    fn spark_drop(&mut self, data: &Data, method: &Method<'t>) -> Value<'t> {
        let mut left = data.clone();
        for one in &method.arguments {
            self.reads(one, data, Place { role: Role::Star, ..Place::read(Library::Spark) });
            if let Some((name, _)) = self.literal(one.node) {
                left.set(&name, Inner::Own);
            }
        }
        Value::frame(Library::Spark, left)
    }

    /// Runs the function that is given.
    pub(super) fn call_back(&mut self, method: &Method<'t>, values: &[Value<'t>]) -> Value<'t> {
        let Some(first) = method.arguments.first() else { return Value::Plain };
        match first.value.clone() {
            Value::Function(function) => {
                // `pipe(f, since)`: what follows goes in, too.
                let more = method.arguments[1..].iter().filter(|one| one.name.is_none() && Self::hands_on_more(method));
                let values = values.iter().cloned().chain(more.map(|one| one.value.clone())).collect();
                self.called_with(&function, values, method.node)
            }
            _ => {
                for value in values {
                    self.lost(value, first.node, "it goes into a function that this file does not show");
                }
                Value::Plain
            }
        }
    }

    /// Whether a method hands the rest of its arguments to the function that it is given.
    fn hands_on_more(method: &Method<'t>) -> bool {
        matches!(method.word(), "pipe" | "transform")
    }

    /// All columns decide at once which rows there are: the new table's are others.
    pub(super) fn grouped_whole(&mut self, data: &Data, node: Node<'t>) {
        for rest in data.rest.clone() {
            let super::value::Rest::Source(source) = rest else { continue };
            let why = "which rows there are depends on all columns, and the new table has others";
            self.doubt(source, Doubt::annotate(node.range(), why));
        }
    }

    pub(super) fn aggregated(&mut self, frame: &Frame, keys: &[(String, Inner)], method: &Method<'t>) -> Value<'t> {
        let place = Place { leaves: true, ..Place::read(Library::Spark) };
        let found: Vec<_> = method.arguments.iter().flat_map(|one| self.reads(one, &frame.data, place)).collect();
        self.made_names(&found, &method.arguments);
        let mut listed = self.listed(found, &frame.data);
        for (name, inner) in keys {
            listed.set(name, *inner);
        }
        Value::frame(Library::Spark, listed)
    }

    pub(super) fn grouped_method(&mut self, frame: &Frame, keys: &[(String, Inner)], method: &Method<'t>) -> Value<'t> {
        if frame.library == Library::Pandas {
            return self.pandas_grouped(frame, keys, method);
        }
        match method.word() {
            "agg" => self.aggregated(frame, keys, method),
            "count" => {
                let mut data = Data::default();
                keys.iter().for_each(|(name, inner)| data.set(name, *inner));
                data.set("count", Inner::Own);
                Value::frame(Library::Spark, data)
            }
            _ => {
                let value = Value::Frame(frame.clone());
                self.lost(&value, method.name, "the names of what is calculated are made of the columns' names");
                for one in &method.arguments {
                    self.reads(one, &frame.data, Place::read(Library::Spark));
                }
                Value::frame(Library::Spark, Data::other())
            }
        }
    }

    pub(super) fn with_column(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let data = &frame.data;
        let Some(name) = method.argument(0, "colName") else { return Value::Frame(frame.clone()) };
        let (mut parts, mut bound) = (None, None);
        if let Some(value) = method.argument(1, "col") {
            let found = self.reads(value, data, Place::read(Library::Spark));
            parts = found.first().and_then(|read| read.parts);
            bound = found.iter().find_map(|read| read.bound);
        }
        let Some((text, range)) = self.literal(name.node) else {
            for source in self.changing_names(data) {
                self.doubt(source, Doubt::open(name.node.range(), "the name of a new column is put together"));
            }
            return Value::Frame(frame.clone());
        };
        self.arrives(data, &text, range.clone());
        // From now on the name is the author's: another column in the new table.
        let mut after = data.clone();
        if let super::value::Hit::Column(source, column) = self.hit(data, &text) {
            let mapping = &self.datasets.mappings[self.datasets_of[source]];
            if mapping.columns[column].is_kept() {
                return Value::frame(Library::Spark, after);
            }
        }
        self.elsewhere.insert(range.start);
        after.set(&text, Self::inner(parts, bound));
        Value::frame(Library::Spark, after)
    }

    /// A name of the author's that a column of the new table has, too.
    pub(super) fn arrives(&mut self, data: &Data, name: &str, range: std::ops::Range<usize>) {
        for (source, _) in self.arriving(data).into_iter().filter(|(_, to)| to.eq_ignore_ascii_case(name)) {
            let why = format!("the new table has a column {name} of its own");
            self.doubt(source, Doubt::annotate(range.clone(), why));
        }
    }

    pub(super) fn with_renamed(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let data = &frame.data;
        let (Some(old), Some(new)) = (method.argument(0, "existing"), method.argument(1, "new")) else {
            return Value::Frame(frame.clone());
        };
        let found = self.reads(old, data, Place { role: Role::Star, ..Place::read(Library::Spark) });
        let parts = found.first().and_then(|read| read.parts);
        let bound = found.iter().find_map(|read| read.bound);
        let mut after = data.clone();
        match (self.literal(old.node), self.literal(new.node)) {
            (Some((old, _)), Some((name, range))) => {
                self.arrives(data, &name, range);
                after.set(&old, Inner::Own);
                after.set(&name, Self::inner(parts, bound));
            }
            _ => {
                for source in self.changing_names(data) {
                    self.doubt(source, Doubt::open(method.node.range(), "a column's new name is put together"));
                }
            }
        }
        Value::frame(Library::Spark, after)
    }

    pub(super) fn spark_union(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let mut both = frame.data.clone();
        for one in &method.arguments {
            let other = match &one.value {
                Value::Frame(other) => other.data.clone(),
                _ => Data::other(),
            };
            let sources: Vec<usize> =
                self.changing_names(&both).into_iter().chain(self.changing_names(&other)).collect();
            if both != other {
                for source in sources {
                    let why = "it is put under another table, by the names or the order of its columns";
                    self.doubt(source, Doubt::open(one.node.range(), why));
                }
                both = both.joined(&other);
            }
        }
        Value::frame(Library::Spark, both)
    }

    pub(super) fn spark_join(&mut self, frame: &Frame, method: &Method<'t>) -> Value<'t> {
        let Some(other) = method.argument(0, "other").or_else(|| method.argument(0, "right")) else {
            return Value::Frame(frame.clone());
        };
        let data = match &other.value {
            Value::Frame(other) => other.data.clone(),
            Value::Plain => Data::other(),
            value => {
                self.lost(&value.clone(), other.node, "it is joined with a frame in a way that is not followed");
                Data::other()
            }
        };
        let both: Vec<usize> = frame.data.sources().into_iter().chain(data.sources()).collect();
        self.together(&both);
        let mut joined = frame.data.clone().joined(&data);
        if let Some(on) = method.argument(1, "on") {
            let texts = self.texts_of(&on.value);
            if texts.is_empty() {
                self.reads(on, &joined.clone(), Place::read(Library::Spark).at(Position::Filter));
            }
            for text in texts {
                let mention = Mention { whole: text, name: text, read: false, field: false };
                self.join_key(&mention, &frame.data, &data, Library::Spark);
                if let Some((name, _)) = self.literal(text) {
                    let bound = self.bound_in(&frame.data, &name).or_else(|| self.bound_in(&data, &name));
                    joined.set(&name, Self::inner(None, bound));
                }
            }
        }
        Value::frame(Library::Spark, joined)
    }

    /// Literal texts of a value: one, or a list of them.
    pub(super) fn texts_of(&self, value: &Value<'t>) -> Vec<Node<'t>> {
        match value {
            Value::Text(text) => vec![*text],
            Value::Tuple(all) if all.iter().all(|one| matches!(one, Value::Text(_))) => {
                all.iter().flat_map(|one| self.texts_of(one)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A column that two frames are joined by.
    pub(super) fn join_key(&mut self, mention: &Mention<'t>, left: &Data, right: &Data, library: Library) {
        use super::value::Hit;
        let Some((name, _)) = self.spelled(mention) else {
            self.mention(mention, left, Place::read(library));
            self.mention(mention, right, Place::read(library));
            return;
        };
        let (a, b) = (self.hit(left, &name), self.hit(right, &name));
        let alike = match (a, b) {
            (Hit::Column(a, c), Hit::Column(b, d)) => self.datasets_of[a] == self.datasets_of[b] && c == d,
            _ => false,
        };
        let role = if alike { Role::UsingAlike } else { Role::Using };
        let place = Place { position: Position::Using, role, leaves: false, binds: false, library: Some(library) };
        for (data, hit) in [(left, a), (right, b)] {
            if hit != Hit::Other {
                self.mention(mention, data, place);
            }
        }
    }

    pub(super) fn frame_member(&mut self, frame: &Frame, node: Node<'t>, name: Node<'t>) -> Value<'t> {
        let word = name.text();
        let value = Value::Frame(frame.clone());
        if frame.library == Library::Pandas {
            return self.pandas_member(frame, node, name);
        }
        match word {
            "write" | "writeStream" => {
                self.lost(&value, name, LISTS_NAMES);
                Value::Plain
            }
            "rdd" => Value::Row(Row { style: Style::Named, data: frame.data.clone() }).many(),
            "isStreaming" | "sparkSession" => Value::Plain,
            _ if is_method(word) => {
                // Scala calls methods without parentheses.
                if ENDS.contains(&word) || SAME.contains(&word) || word == "collect" || word == "first" {
                    let method = Method { node, object: node, name, arguments: Vec::new() };
                    return self.spark_method(frame, &method);
                }
                self.lost(&value, name, "the names of its columns are read as values, or more than gander follows");
                Value::Plain
            }
            _ => self.column_of(frame, node, name),
        }
    }

    /// `frame[…]`
    pub(super) fn frame_index(
        &mut self,
        frame: &Frame,
        node: Node<'t>,
        keys: &[Node<'t>],
        values: &[Value<'t>],
    ) -> Value<'t> {
        if frame.library == Library::Pandas {
            return self.pandas_index(frame, node, keys, values);
        }
        match (keys, values) {
            ([key], [Value::Text(_)]) => self.column_of(frame, node, *key),
            ([key], [value]) => {
                let given = Given { name: None, name_node: None, node: *key, value: value.clone() };
                self.reads(&given, &frame.data, Place::read(Library::Spark).at(Position::Filter));
                Value::Frame(frame.clone())
            }
            _ => {
                let value = Value::Frame(frame.clone());
                self.lost(&value, node, "gander does not follow this way to read a frame");
                Value::Plain
            }
        }
    }
}
