//! Columns and what is calculated of them: read of a frame at once, or when one reads them.
//!
//! Must not: know what a method of a frame gives.

use std::rc::Rc;

use super::Flow;
use super::call::{Given, Method};
use super::note::Place;
use super::shape::{Callee, Shape, shape};
use super::spark::{ALL_TEXTS, NO_TEXTS};
use super::value::{Columns, Data, Frame, Hit, Inner, Library, Mention, Named, Rest, Value};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Of};
use crate::dataset::word::words;
use crate::tree::Node;

/// What an argument reads: what it is called, its parts, and where its name stands.
pub(super) struct Read<'t> {
    pub(super) named: Named,
    pub(super) parts: Option<(usize, usize)>,
    pub(super) node: Option<Node<'t>>,
    /// The column whose value is in it and may not reach every position.
    pub(super) bound: Option<(usize, usize)>,
}

/// What is read of a column that is no field of it.
const MEMBERS: [&str; 14] = [
    "isNull",
    "isNotNull",
    "isNaN",
    "desc",
    "asc",
    "desc_nulls_last",
    "desc_nulls_first",
    "asc_nulls_first",
    "asc_nulls_last",
    "unary_!",
    "expr",
    "over",
    "distinct",
    "toString",
];

/// Functions that take an array of structs apart, or count it.
const TAKES_APART: [&str; 9] =
    ["explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "size", "count", "isnull", "isnotnull"];

/// Functions whose first argument is no column, besides those without any.
const FIRST_IS_NONE: [&str; 6] = ["udf", "pandas_udf", "date_trunc", "concat_ws", "format_string", "broadcast"];

/// Whether the first argument of a function is a column, or a condition.
fn takes_a_column(function: &str) -> bool {
    !FIRST_IS_NONE.contains(&function) && !NO_TEXTS.contains(&function)
}

/// Functions that take values after their first argument, or none at all.
const VALUES: [&str; 40] = [
    "when",
    "date_add",
    "date_sub",
    "add_months",
    "round",
    "bround",
    "substring",
    "split",
    "regexp_replace",
    "regexp_extract",
    "lag",
    "lead",
    "date_format",
    "to_date",
    "to_timestamp",
    "to_utc_timestamp",
    "from_utc_timestamp",
    "from_unixtime",
    "unix_timestamp",
    "lpad",
    "rpad",
    "percentile_approx",
    "approx_count_distinct",
    "array_contains",
    "element_at",
    "from_json",
    "from_csv",
    "to_json",
    "window",
    "nth_value",
    "sha2",
    "conv",
    "trunc",
    "first",
    "last",
    "slice",
    "next_day",
    "format_number",
    "udf",
    "pandas_udf",
];

/// Whether what follows the first argument of a function is a value, not a column.
fn takes_values(function: &str) -> bool {
    VALUES.contains(&function) || NO_TEXTS.contains(&function)
}

impl<'t> Flow<'t> {
    /// A function of Spark's: what it is calculated of.
    pub(super) fn spark_function(&mut self, node: Node<'t>, name: &str, given: &[Given<'t>]) -> Value<'t> {
        let mut columns = Columns::default();
        if name == "broadcast" {
            return given.first().map_or(Value::Plain, |one| one.value.clone());
        }
        for (at, one) in given.iter().enumerate() {
            for value in one.value.alternatives() {
                if let Some(column) = self.argument_of_function((node, name), (at, one), &value, &mut columns) {
                    return column;
                }
            }
        }
        if name == "struct" || name != "count" && columns.mentions.iter().any(|mention| self.is_star(mention)) {
            columns.mentions.iter_mut().for_each(|mention| mention.field = true);
        }
        columns.named = match name {
            "explode" | "explode_outer" => Named::Given("col".to_owned()),
            // Several columns come of it.
            "posexplode" | "posexplode_outer" | "inline" => Named::Given(String::new()),
            _ => Named::Made,
        };
        // The elements keep their parts.
        columns.calculated |= !TAKES_APART.contains(&name);
        Value::Columns(Rc::new(columns))
    }

    /// What an argument adds to a function's columns; the column that it is, of `col` and `expr`.
    fn argument_of_function(
        &mut self,
        (node, name): (Node<'t>, &str),
        (at, one): (usize, &Given<'t>),
        value: &Value<'t>,
        columns: &mut Columns<'t>,
    ) -> Option<Value<'t>> {
        let names_a_column = if takes_a_column(name) { at == 0 } else { at > 0 && !takes_values(name) };
        let is_column = names_a_column || ALL_TEXTS.contains(&name);
        match value {
            Value::Text(text) if matches!(name, "col" | "column") => {
                return Some(self.unread(node, *text, Named::Column));
            }
            Value::Text(text) if name == "expr" => {
                let mention = Mention { whole: node, name: *text, read: false, field: false };
                let columns = Columns { mentions: vec![mention], ..Columns::default() };
                return Some(Value::Columns(Rc::new(Columns { named: Named::Given(String::new()), ..columns })));
            }
            Value::Text(text) if is_column && name != "when" => {
                columns.mentions.push(Mention { whole: *text, name: *text, read: false, field: false });
            }
            Value::Columns(more) => {
                if !TAKES_APART.contains(&name) {
                    self.struct_goes_on(more.parts, one.node);
                } else if name.contains("explode") {
                    columns.parts = more.parts;
                }
                if matches!(name, "struct" | "named_struct") && more.named == Named::Column {
                    self.names_a_field(more, one.node);
                }
                columns.add(more);
            }
            Value::Plain if matches!(name, "col" | "column" | "expr") => {
                // A name that is put together: whatever is read, it may be it.
                columns.mentions.push(Mention { whole: node, name: node, read: false, field: false });
            }
            Value::Tuple(_) => {
                if let Value::Columns(more) = self.all_columns(std::slice::from_ref(one)) {
                    columns.mentions.extend(more.mentions.iter().copied());
                }
            }
            Value::Plain if matches!(shape(one.node), Shape::Constant) => {}
            Value::Plain if is_column || at > 0 && !takes_values(name) || self.may_be_column(one.node) => {
                columns.mentions.push(Self::unseen(one.node));
            }
            Value::Text(_) | Value::Plain | Value::Function(_) | Value::Nothing => {}
            other => self.lost(other, one.node, "a function of Spark's that gander does not know"),
        }
        None
    }

    /// A column that is read already becomes a field of its name, if that changes.
    fn names_a_field(&mut self, columns: &Columns<'t>, node: Node<'t>) {
        for mention in columns.mentions.iter().filter(|mention| mention.read) {
            let Some((_, range)) = self.spelled(mention) else { continue };
            let known = self.noted.get(&(range.start, range.end)).cloned().unwrap_or_default();
            for (source, one) in known {
                let kept = |column: usize| self.datasets.mappings[one.dataset].columns[column].is_kept();
                if !matches!(one.of, Of::Column(column) if kept(column)) {
                    let why = "the name of a field is made of the column's name, which changes";
                    self.doubt(source, Doubt::annotate(node.range(), why));
                }
            }
        }
    }

    /// Structs that a part of a query hands on as a whole: `F.expr("explode(devices)")`.
    fn structs_in_text(&mut self, text: Node<'t>, data: &Data) {
        let Some((content, _)) = self.literal(text) else { return };
        for (at, word) in words(&content, false) {
            let whole = !content[at + word.len()..].starts_with('.');
            if let (true, Hit::Column(source, column)) = (whole, self.hit(data, word)) {
                self.struct_goes_on(Some((source, column)), text);
            }
        }
    }

    fn is_star(&self, mention: &Mention<'t>) -> bool {
        self.spelled(mention).is_some_and(|(name, _)| name == "*")
    }

    /// Columns that are put together where nothing shows them: whatever is read, it may be they.
    pub(super) fn unseen(node: Node<'t>) -> Mention<'t> {
        Mention { whole: node, name: node, read: false, field: false }
    }

    /// Whether a mention is a part of a query: `F.expr("…")`.
    pub(super) fn is_expression(mention: &Mention<'t>) -> bool {
        matches!(shape(mention.whole), Shape::Call { callee: Callee::Method { name: word, .. } | Callee::Value(word), .. } if word.text() == "expr")
            && mention.whole.id != mention.name.id
    }

    /// Notes what an argument reads of `data`; what it is called, and its parts.
    pub(super) fn reads(&mut self, one: &Given<'t>, data: &Data, place: Place) -> Vec<Read<'t>> {
        let mut found = Vec::new();
        self.reads_value(&one.value.clone(), one.node, data, place, &mut found);
        found
    }

    pub(super) fn reads_value(
        &mut self,
        value: &Value<'t>,
        node: Node<'t>,
        data: &Data,
        place: Place,
        found: &mut Vec<Read<'t>>,
    ) {
        for one in value.alternatives() {
            match &one {
                Value::Text(text) => {
                    let mention = Mention { whole: *text, name: *text, read: false, field: false };
                    let parts = self.mention(&mention, data, place);
                    let bound = self.bound_by(&mention, data);
                    found.push(Read { named: Named::Column, parts, node: Some(*text), bound });
                }
                Value::Columns(columns) => {
                    let bare = columns.named == Named::Column;
                    let place = Place { leaves: place.leaves && bare, ..place };
                    let place = if columns.compares { place.compared() } else { place };
                    let place = if columns.groups { place.grouped() } else { place };
                    let mut parts = columns.parts;
                    for mention in &columns.mentions {
                        if Self::is_expression(mention) {
                            self.fragment(mention.name, data, "select ", " from spark_t");
                            self.structs_in_text(mention.name, data);
                        } else if mention.name.id == mention.whole.id
                            && !matches!(shape(mention.name), Shape::Text | Shape::Mention)
                            && !mention.read
                        {
                            for source in self.changing_names(data) {
                                let why = "the name of a column is put together at run time";
                                self.doubt(source, Doubt::open(mention.whole.range(), why));
                            }
                        } else if mention.read {
                            if place.leaves || place.position != Position::Read {
                                self.named_again(mention, place);
                            }
                        } else {
                            let more = self.mention(mention, data, place);
                            if columns.calculated {
                                self.struct_goes_on(more, mention.whole);
                            }
                            parts = parts.or(more);
                        }
                    }
                    let name = columns.mentions.first().map(|mention| mention.name);
                    let bound = columns.mentions.iter().find_map(|mention| self.bound_by(mention, data));
                    found.push(Read { named: columns.named.clone(), parts, node: name, bound });
                }
                Value::Tuple(all) => {
                    for inner in all.iter() {
                        self.reads_value(inner, node, data, place, found);
                    }
                }
                Value::Plain if matches!(shape(node), Shape::Constant) => {}
                _ => {
                    for source in self.changing_names(data) {
                        let why = "what is read here is put together where gander does not see it";
                        self.doubt(source, Doubt::open(node.range(), why));
                    }
                    found.push(Read { named: Named::Made, parts: None, node: None, bound: None });
                }
            }
        }
    }

    /// A column that is known already is read here, or leaves under its own name.
    pub(super) fn named_again(&mut self, mention: &Mention<'t>, place: Place) {
        let Some((_, range)) = self.spelled(mention) else { return };
        let known = self.noted.get(&(range.start, range.end)).cloned().unwrap_or_default();
        for (source, _) in known {
            let data = Data::of(Rest::Source(source));
            self.mention(mention, &data, place);
        }
    }

    /// What a list of columns gives: own names, each with what it has in it.
    pub(super) fn listed(&mut self, found: Vec<Read<'t>>, data: &Data) -> Data {
        let mut names = Data::default();
        for Read { named, parts, node, bound } in found {
            let inner = Self::inner(parts, bound);
            let nameless = matches!(&named, Named::Made) || matches!(&named, Named::Given(name) if name.is_empty());
            if let (true, Some((source, column)), Some(node)) = (nameless, bound, node) {
                self.doubt_bound(source, column, node);
            }
            match named {
                Named::Given(name) if name.is_empty() => {
                    names.rest = vec![Rest::Other];
                    if let (Some((source, _)), Some(node)) = (parts, node) {
                        let why = "fields of a column go on under names that are not followed";
                        self.doubt(source, Doubt::open(node.range(), why));
                    }
                }
                Named::Given(name) => names.set(&name, inner),
                Named::Column => {
                    let mention = node.map(|node| Mention { whole: node, name: node, read: false, field: false });
                    match mention.and_then(|mention| self.spelled(&mention)) {
                        Some((name, _)) if name == "*" => {
                            names = names.joined(data);
                        }
                        Some((name, _)) => names.set(name.rsplit('.').next().unwrap_or(&name), inner),
                        None => {}
                    }
                }
                Named::Made => names.rest = vec![Rest::Other],
            }
        }
        names
    }

    /// A name that is made of the columns it is calculated of leaves with it.
    pub(super) fn made_names(&mut self, found: &[Read<'t>], given: &[Given<'t>]) {
        if !found.iter().any(|read| read.named == Named::Made) {
            return;
        }
        for one in given {
            let Value::Columns(columns) = &one.value else { continue };
            if columns.named != Named::Made {
                continue;
            }
            let mentions = columns.mentions.clone();
            for mention in mentions {
                let Some((_, range)) = self.spelled(&mention) else { continue };
                let known = self.noted.get(&(range.start, range.end)).cloned().unwrap_or_default();
                for (source, use_) in known {
                    let changed = match use_.of {
                        crate::dataset::usage::Of::Column(column) => {
                            !self.datasets.mappings[use_.dataset].columns[column].is_kept()
                        }
                        _ => true,
                    };
                    if changed {
                        let why = "the name of what is calculated is made of the column's name, and leaves";
                        self.doubt(source, Doubt::annotate(one.node.range(), why));
                    }
                }
            }
        }
    }

    /// `frame.c`, `frame["c"]`: a column of it.
    pub(super) fn column_of(&mut self, frame: &Frame, whole: Node<'t>, name: Node<'t>) -> Value<'t> {
        let named = match shape(name) {
            Shape::Text if self.literal(name).is_some() => true,
            Shape::Text => {
                self.mention(
                    &Mention { whole, name, read: true, field: false },
                    &frame.data,
                    Place::read(frame.library),
                );
                return Value::Columns(Rc::new(Columns::default()));
            }
            _ => name.id != whole.id && matches!(shape(whole), Shape::Member { .. }),
        };
        if !named {
            for source in self.changing_names(&frame.data) {
                let why = "the name of a column is put together at run time";
                self.doubt(source, Doubt::open(name.range(), why));
            }
            return Value::Columns(Rc::new(Columns::default()));
        }
        let mention = Mention { whole, name, read: true, field: false };
        let parts = self.mention(&mention, &frame.data, Place::read(frame.library));
        if frame.library == Library::Pandas {
            self.value_of_mention(&mention, &frame.data);
            self.struct_goes_on(parts, whole);
        }
        let mut keeps = None;
        if let (Library::Pandas, Some((name, _))) = (frame.library, self.spelled(&mention)) {
            let mut data = Data { exact: true, ..Data::default() };
            if let super::value::Hit::Column(source, column) = self.hit(&frame.data, &name) {
                data.set(&name, Inner::Raw(source, column));
                keeps = Some(data);
            }
        }
        Value::Columns(Rc::new(Columns {
            mentions: vec![mention],
            named: Named::Column,
            keeps,
            parts,
            ..Columns::default()
        }))
    }

    /// A struct is a value as a whole: what reads its fields behind that is not followed.
    pub(super) fn struct_goes_on(&mut self, parts: Option<(usize, usize)>, node: Node<'t>) {
        let Some((source, column)) = parts else { return };
        let known = &self.datasets.mappings[self.datasets_of[source]].columns[column];
        if known.changes_fields() && !super::use_of_value::counts(node) {
            let why = "the whole struct goes on, and one of its fields is renamed";
            self.doubt(source, Doubt::open(node.range(), why));
        }
    }

    /// Methods of columns.
    pub(super) fn columns_method(&mut self, columns: &Rc<Columns<'t>>, method: &Method<'t>) -> Value<'t> {
        let word = method.word();
        if columns.keeps.is_some()
            || columns.mentions.iter().any(|mention| mention.read) && self.pandas_columns(columns)
        {
            return self.series_method(columns, method);
        }
        let mut after = Columns { named: Named::Made, ..(**columns).clone() };
        after.compares |= super::use_of_value::compares(word);
        match word {
            "alias" | "as" | "name" => {
                let only = method.plain().next().filter(|_| method.plain().count() == 1);
                let given = only.and_then(|one| self.literal(one.node));
                after.named = Named::Given(given.map_or(String::new(), |(name, _)| name));
                if let Some((_, range)) = method.plain().next().and_then(|one| self.literal(one.node)) {
                    self.elsewhere.insert(range.start);
                }
                return Value::Columns(Rc::new(after));
            }
            "getField" | "getItem" => {
                if let Some(one) = method.plain().next() {
                    return self.column_part(columns, method.node, one.node);
                }
            }
            "withField" | "dropFields" => {
                let unseen = |one: &&Given<'t>| !matches!(shape(one.node), Shape::Text | Shape::Constant);
                let names = method.arguments.iter().take(if word == "withField" { 1 } else { usize::MAX });
                after.mentions.extend(names.filter(unseen).map(|one| Self::unseen(one.node)));
            }
            "over" | "partitionBy" | "orderBy" | "when" | "otherwise" | "isin" | "between" => {
                for one in &method.arguments {
                    let texts = matches!(word, "partitionBy" | "orderBy");
                    after.groups |= word == "partitionBy";
                    for value in one.value.alternatives() {
                        match &value {
                            Value::Columns(more) => after.add(more),
                            Value::Text(text) if texts => {
                                after.mentions.push(Mention { whole: *text, name: *text, read: false, field: false });
                            }
                            // A window, or names, of another file.
                            Value::Plain if texts || word == "over" || self.may_be_column(one.node) => {
                                after.mentions.push(Self::unseen(one.node));
                            }
                            _ => {}
                        }
                    }
                }
            }
            _ => {
                self.struct_goes_on(columns.parts, method.object);
                after.calculated |= !super::use_of_value::counts(method.object);
                for one in &method.arguments {
                    for value in one.value.alternatives() {
                        match &value {
                            Value::Columns(more) => after.add(more),
                            Value::Plain if self.may_be_column(one.node) => {
                                after.mentions.push(Self::unseen(one.node));
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
        Value::Columns(Rc::new(after))
    }

    /// A field of a column that is a struct.
    pub(super) fn column_part(&mut self, columns: &Rc<Columns<'t>>, whole: Node<'t>, name: Node<'t>) -> Value<'t> {
        let Some((source, column)) = columns.parts else {
            // It may be of a column that is not read yet.
            let mut after = (**columns).clone();
            after.named = Named::Made;
            after.mentions.push(Mention { whole, name: whole, read: false, field: false });
            return Value::Columns(Rc::new(after));
        };
        let data = Data::of(Rest::Fields(source, column));
        let mention = Mention { whole, name, read: true, field: false };
        self.mention(&mention, &data, Place::read(Library::Spark));
        Value::Columns(Rc::new(Columns { mentions: columns.mentions.clone(), ..Columns::default() }))
    }

    pub(super) fn columns_member(&mut self, columns: &Rc<Columns<'t>>, node: Node<'t>, name: Node<'t>) -> Value<'t> {
        if columns.keeps.is_some() || self.pandas_columns(columns) {
            return self.series_member(columns, name);
        }
        if columns.parts.is_some() || !MEMBERS.contains(&name.text()) {
            return self.column_part(columns, node, name);
        }
        let after = Columns { named: Named::Made, ..(**columns).clone() };
        Value::Columns(Rc::new(after))
    }

    pub(super) fn columns_index(&mut self, columns: &Rc<Columns<'t>>, node: Node<'t>, keys: &[Node<'t>]) -> Value<'t> {
        match keys {
            [key] if !self.pandas_columns(columns) && matches!(shape(*key), Shape::Text) => {
                self.column_part(columns, node, *key)
            }
            _ => Value::Columns(Rc::new(Columns { named: Named::Made, ..(**columns).clone() })),
        }
    }

    pub(super) fn pandas_columns(&self, columns: &Columns<'t>) -> bool {
        columns.keeps.is_some()
    }
}
