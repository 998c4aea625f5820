//! Columns and what is calculated of them: read of a frame at once, or when one reads them.
//!
//! Must not: know what a method of a frame gives.

use std::rc::Rc;

use super::Flow;
use super::call::{Given, Method};
use super::note::Place;
use super::shape::{Callee, Shape, shape};
use super::spark::{ALL_TEXTS, NO_TEXTS};
use super::value::{Columns, Data, Frame, Inner, Library, Mention, Named, Rest, Value};
use crate::dataset::mapping::Position;
use crate::dataset::usage::Doubt;
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

/// Functions whose first argument is no column, besides those without any.
const FIRST_IS_NONE: [&str; 6] = ["udf", "pandas_udf", "date_trunc", "concat_ws", "format_string", "broadcast"];

/// Whether the first argument of a function is a column, or a condition.
fn takes_a_column(function: &str) -> bool {
    !FIRST_IS_NONE.contains(&function) && !NO_TEXTS.contains(&function)
}

impl<'t> Flow<'t> {
    /// A function of Spark's: what it is calculated of.
    pub(super) fn spark_function(&mut self, node: Node<'t>, name: &str, given: &[Given<'t>]) -> Value<'t> {
        let mut columns = Columns::default();
        if name == "broadcast" {
            return given.first().map_or(Value::Plain, |one| one.value.clone());
        }
        for (at, one) in given.iter().enumerate() {
            match &one.value {
                Value::Text(text) => {
                    let is_column = match name {
                        "col" | "column" => {
                            return self.unread(node, *text, Named::Column);
                        }
                        "expr" => {
                            let mention = Mention { whole: node, name: *text, read: false, field: false };
                            let columns = Columns { mentions: vec![mention], ..Columns::default() };
                            return Value::Columns(Rc::new(Columns { named: Named::Given(String::new()), ..columns }));
                        }
                        _ if NO_TEXTS.contains(&name) || name == "when" => false,
                        _ => at == 0 || ALL_TEXTS.contains(&name),
                    };
                    if is_column {
                        columns.mentions.push(Mention { whole: *text, name: *text, read: false, field: false });
                    }
                }
                Value::Columns(more) => columns.add(more),
                Value::Plain if matches!(name, "col" | "column" | "expr") => {
                    // A name that is put together: whatever is read, it may be it.
                    columns.mentions.push(Mention { whole: node, name: node, read: false, field: false });
                }
                Value::Tuple(_) => {
                    let Value::Columns(more) = self.all_columns(std::slice::from_ref(one)) else { continue };
                    columns.mentions.extend(more.mentions.iter().copied());
                }
                Value::Plain
                    if (at == 0 && takes_a_column(name) || ALL_TEXTS.contains(&name))
                        && !matches!(shape(one.node), Shape::Constant) =>
                {
                    columns.mentions.push(Self::unseen(one.node));
                }
                Value::Plain | Value::Function(_) => {}
                other => self.lost(&other.clone(), one.node, "a function of Spark's that gander does not know"),
            }
        }
        if name == "struct" {
            columns.mentions.iter_mut().for_each(|mention| mention.field = true);
        }
        columns.named = match name {
            "explode" | "explode_outer" => Named::Given("col".to_owned()),
            // Several columns come of it.
            "posexplode" | "posexplode_outer" | "inline" => Named::Given(String::new()),
            _ => Named::Made,
        };
        // The elements keep their parts.
        Value::Columns(Rc::new(columns))
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
            "over" | "partitionBy" | "orderBy" | "when" | "otherwise" | "isin" | "between" => {
                for one in &method.arguments {
                    let texts = matches!(word, "partitionBy" | "orderBy");
                    after.groups |= word == "partitionBy";
                    match &one.value {
                        Value::Columns(more) => after.add(more),
                        Value::Text(text) if texts => {
                            after.mentions.push(Mention { whole: *text, name: *text, read: false, field: false });
                        }
                        // A window, or names, of another file.
                        Value::Plain if texts || word == "over" => after.mentions.push(Self::unseen(one.node)),
                        _ => {}
                    }
                }
            }
            _ => {
                for one in &method.arguments {
                    if let Value::Columns(more) = &one.value {
                        after.add(more);
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
