//! What is known of a value: whether rows of a dataset are in it, and under which names.
//!
//! Must not: read code.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::shape::{Case, Parameter};
use crate::dataset::Datasets;
use crate::tree::{Node, NodeId};

/// What is known of a value.
#[derive(Clone)]
pub(super) enum Value<'t> {
    /// Nothing of a dataset is in it.
    Plain,
    /// Nothing at all: `None`, `null`. Whatever reads it fails.
    Nothing,
    /// A text that is written out.
    Text(Node<'t>),
    /// A data frame.
    Frame(Frame),
    /// A data frame that is grouped, by columns of these names.
    Grouped(Frame, Vec<(String, Inner)>),
    /// One row, or a part of it.
    Row(Row),
    /// A column, or what is calculated of some.
    Columns(Rc<Columns<'t>>),
    /// Many of one kind.
    Many(Rc<Value<'t>>),
    /// Values side by side.
    Tuple(Rc<Vec<Value<'t>>>),
    /// A function.
    Function(Rc<Function<'t>>),
    /// What names a table, and has no rows yet.
    Handle(Data),
    /// One of these.
    Either(Rc<Vec<Value<'t>>>),
}

/// A data frame.
#[derive(Clone, PartialEq)]
pub(super) struct Frame {
    pub(super) library: Library,
    pub(super) data: Data,
}

/// Whose data frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Library {
    Spark,
    Pandas,
}

/// A row.
#[derive(Clone, PartialEq)]
pub(super) struct Row {
    pub(super) style: Style,
    pub(super) data: Data,
}

/// How a row's columns are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// `row["c"]`, `row.getString("c")`, `row.c`
    Named,
    /// `row.getCountryCode()`: a generated class.
    Getter,
    /// `row.c` alone: a case class.
    Field,
}

/// Which names there are, and what they stand for.
#[derive(Clone, Default, PartialEq, Debug)]
pub(super) struct Data {
    /// Names that are known by themselves.
    pub(super) names: BTreeMap<String, Inner>,
    /// Where all other names come from.
    pub(super) rest: Vec<Rest>,
    /// Whether case counts in names.
    pub(super) exact: bool,
}

/// Where names come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rest {
    /// A dataset, by the number of its source.
    Source(usize),
    /// Fields of a column of a dataset.
    Fields(usize, usize),
    /// Another table, whose columns are known.
    Known(usize),
    /// Another table.
    Other,
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Inner {
    /// Something of the author's own.
    Own,
    /// A column of a source under the name that the table gives it.
    Raw(usize, usize),
    /// What a column holds that has parts: fields.
    Fields(usize, usize),
    /// The value of a column that may not reach every position, under a name of its own.
    Carried(usize, usize),
}

/// What a name is found to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hit {
    /// A column of a source.
    Column(usize, usize),
    /// A field of a column of a source.
    Field(usize, usize, usize),
    /// Of a source, whose mapping does not list it.
    Unlisted(usize),
    /// A name of the author's own, or of another table.
    Other,
    /// The parts of a column that has an own name.
    Parts(usize, usize),
    /// The value of a column that has an own name, and may not reach every position.
    Carried(usize, usize),
    /// Of a source, or of another table.
    Doubtful(usize),
}

/// Columns in an expression that is not yet read from anything, or is.
#[derive(Clone, Default)]
pub(super) struct Columns<'t> {
    pub(super) mentions: Vec<Mention<'t>>,
    /// The name that a list gives it.
    pub(super) named: Named,
    /// Names that leave with it, where it is a series.
    pub(super) keeps: Option<Data>,
    /// What its elements have, where they have parts.
    pub(super) parts: Option<(usize, usize)>,
    /// Whether it is compared with something.
    pub(super) compares: bool,
    /// Whether something is grouped by it.
    pub(super) groups: bool,
    /// Whether it is what a function or a method makes of them.
    pub(super) calculated: bool,
}

impl<'t> Columns<'t> {
    /// Adds what another expression is calculated of.
    pub(super) fn add(&mut self, more: &Self) {
        self.mentions.extend(more.mentions.iter().copied());
        self.compares |= more.compares;
        self.groups |= more.groups;
        self.calculated |= more.calculated;
    }
}

/// The name of an expression.
#[derive(Clone, Default, PartialEq)]
pub(super) enum Named {
    /// That of its only column.
    Column,
    /// Given by the author.
    Given(String),
    /// Made of what is calculated.
    #[default]
    Made,
}

/// A column that is named.
#[derive(Clone, Copy)]
pub(super) struct Mention<'t> {
    /// What an expression would replace.
    pub(super) whole: Node<'t>,
    /// The node that holds its name.
    pub(super) name: Node<'t>,
    /// Whether it is known already whose column it is.
    pub(super) read: bool,
    /// Whether it becomes the name of a field.
    pub(super) field: bool,
}

/// A function.
pub(super) struct Function<'t> {
    pub(super) parameters: Vec<Parameter<'t>>,
    pub(super) body: Body<'t>,
    /// How many scopes it sees.
    pub(super) depth: usize,
    pub(super) id: NodeId,
}

#[derive(Clone)]
pub(super) enum Body<'t> {
    Nodes(Vec<Node<'t>>),
    Cases(Vec<Case<'t>>),
}

impl Data {
    pub(super) fn of(rest: Rest) -> Self {
        Self { rest: vec![rest], ..Self::default() }
    }

    pub(super) fn other() -> Self {
        Self::of(Rest::Other)
    }

    pub(super) fn key(&self, name: &str) -> String {
        if self.exact { name.to_owned() } else { name.to_lowercase() }
    }

    /// Gives a name to something.
    pub(super) fn set(&mut self, name: &str, inner: Inner) {
        self.names.insert(self.key(name), inner);
    }

    /// What a name is; `sources` tells the dataset of a source.
    pub(super) fn find(&self, name: &str, sources: &[usize], datasets: &Datasets) -> Hit {
        match self.names.get(&self.key(name)) {
            Some(Inner::Own) => return Hit::Other,
            Some(Inner::Raw(source, column)) => return Hit::Column(*source, *column),
            Some(Inner::Fields(source, column)) => return Hit::Parts(*source, *column),
            Some(Inner::Carried(source, column)) => return Hit::Carried(*source, *column),
            None => {}
        }
        let mut hits: Vec<Hit> = Vec::new();
        for rest in &self.rest {
            match *rest {
                Rest::Source(source) => {
                    let mapping = &datasets.mappings[sources[source]];
                    hits.push(match mapping.index(name, !self.exact) {
                        Some(column) => Hit::Column(source, column),
                        None => Hit::Unlisted(source),
                    });
                }
                Rest::Fields(source, column) => {
                    let fields = &datasets.mappings[sources[source]].columns[column].fields;
                    let same = |old: &str| if self.exact { old == name } else { old.eq_ignore_ascii_case(name) };
                    hits.push(match fields.iter().position(|(old, _)| same(old)) {
                        Some(field) => Hit::Field(source, column, field),
                        None => Hit::Unlisted(source),
                    });
                }
                Rest::Known(schema) if datasets.schemas.has(schema, name) => hits.push(Hit::Other),
                Rest::Known(_) => {}
                // Any name may be its.
                Rest::Other if self.rest.len() == 1 => return Hit::Other,
                Rest::Other => hits.push(Hit::Other),
            }
        }
        let certain: Vec<Hit> = hits.iter().copied().filter(|hit| !matches!(hit, Hit::Unlisted(_))).collect();
        match certain[..] {
            [] => hits.first().copied().unwrap_or(Hit::Other),
            [only] if only != Hit::Other || self.rest.iter().all(|rest| !matches!(rest, Rest::Other)) => only,
            [Hit::Other] => Hit::Other,
            [first, ..] => {
                let source = certain.iter().chain([&first]).find_map(|hit| hit.source());
                source.map_or(Hit::Other, Hit::Doubtful)
            }
        }
    }

    /// The sources whose own names are among these.
    pub(super) fn sources(&self) -> Vec<usize> {
        let named = self.names.values().filter_map(|inner| match inner {
            Inner::Raw(source, _) | Inner::Fields(source, _) | Inner::Carried(source, _) => Some(*source),
            Inner::Own => None,
        });
        let rest = self.rest.iter().filter_map(|rest| match rest {
            Rest::Source(source) | Rest::Fields(source, _) => Some(*source),
            _ => None,
        });
        let mut all: Vec<usize> = named.chain(rest).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Names of both.
    pub(super) fn joined(mut self, other: &Self) -> Self {
        for (name, inner) in &other.names {
            self.names.entry(name.clone()).or_insert(*inner);
        }
        self.rest.extend(other.rest.iter().copied());
        self
    }
}

impl Hit {
    pub(super) fn source(self) -> Option<usize> {
        match self {
            Self::Column(source, _)
            | Self::Field(source, ..)
            | Self::Unlisted(source)
            | Self::Doubtful(source)
            | Self::Parts(source, _)
            | Self::Carried(source, _) => Some(source),
            Self::Other => None,
        }
    }
}

/// How many values one may be.
const MAX_ALTERNATIVES: usize = 6;

impl<'t> Value<'t> {
    pub(super) fn frame(library: Library, data: Data) -> Self {
        Self::Frame(Frame { library, data })
    }

    pub(super) fn row(style: Style, data: Data) -> Self {
        Self::Row(Row { style, data })
    }

    pub(super) fn many(self) -> Self {
        match self {
            Self::Plain | Self::Nothing => Self::Plain,
            value => Self::Many(Rc::new(value)),
        }
    }

    pub(super) fn tuple(values: Vec<Self>) -> Self {
        Self::Tuple(Rc::new(values))
    }

    /// The sources whose rows, or names, are in it.
    pub(super) fn sources(&self) -> Vec<usize> {
        let mut found = Vec::new();
        self.gather(&mut found);
        found.sort_unstable();
        found.dedup();
        found
    }

    fn gather(&self, found: &mut Vec<usize>) {
        match self {
            Self::Plain | Self::Nothing | Self::Text(_) | Self::Function(_) => {}
            Self::Frame(frame) | Self::Grouped(frame, _) => found.extend(frame.data.sources()),
            Self::Row(row) => found.extend(row.data.sources()),
            Self::Columns(columns) => {
                found.extend(columns.keeps.iter().flat_map(Data::sources));
                found.extend(columns.parts.map(|(source, _)| source));
            }
            Self::Many(inner) => inner.gather(found),
            Self::Tuple(all) | Self::Either(all) => all.iter().for_each(|one| one.gather(found)),
            Self::Handle(data) => found.extend(data.sources()),
        }
    }

    /// Whether anything is known of it.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain | Self::Nothing | Self::Text(_))
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain, Self::Plain) | (Self::Nothing, Self::Nothing) => true,
            (Self::Text(a), Self::Text(b)) => a.id == b.id,
            (Self::Frame(a), Self::Frame(b)) => a == b,
            (Self::Grouped(a, c), Self::Grouped(b, d)) => a == b && c == d,
            (Self::Row(a), Self::Row(b)) => a == b,
            (Self::Columns(a), Self::Columns(b)) => {
                a.named == b.named
                    && a.keeps == b.keeps
                    && a.parts == b.parts
                    && (a.compares, a.groups) == (b.compares, b.groups)
                    && a.mentions.len() == b.mentions.len()
                    && a.mentions.iter().zip(&b.mentions).all(|(a, b)| a.name.id == b.name.id && a.read == b.read)
            }
            (Self::Many(a), Self::Many(b)) => a.same(b),
            (Self::Tuple(a), Self::Tuple(b)) | (Self::Either(a), Self::Either(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same(b))
            }
            (Self::Function(a), Self::Function(b)) => a.id == b.id && a.depth == b.depth,
            (Self::Handle(a), Self::Handle(b)) => a == b,
            _ => false,
        }
    }

    /// One of two; `None` where they are too many.
    pub(super) fn or(self, other: Self) -> Option<Self> {
        if self.same(&other) || matches!(other, Self::Nothing) {
            return Some(self);
        }
        if matches!(self, Self::Nothing) {
            return Some(other);
        }
        let mut all = self.alternatives();
        for one in other.alternatives() {
            if !all.iter().any(|known| known.same(&one)) {
                all.push(one);
            }
        }
        (all.len() <= MAX_ALTERNATIVES).then(|| if all.len() == 1 { all.remove(0) } else { Self::Either(Rc::new(all)) })
    }

    /// What it may be.
    pub(super) fn alternatives(&self) -> Vec<Self> {
        match self {
            Self::Either(all) => all.to_vec(),
            Self::Nothing => vec![Self::Plain],
            one => vec![one.clone()],
        }
    }
}
