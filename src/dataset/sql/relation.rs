//! What stands in a `from`, and what a query hands on: relations, and which of them has a
//! column.

use std::collections::HashSet;

use crate::dataset::Datasets;

/// A table, subquery or array in a `from`.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// Its alias, or the last part of its name, in lower case.
    pub(super) name: Option<String>,
    /// The table's path, in lower case, where it may qualify columns: it has no alias.
    pub(super) path: Vec<String>,
    /// New parts of the path, where it is a dataset without an alias.
    pub(super) renamed: Option<Vec<String>>,
    pub(super) source: Source,
}

/// Where a relation's columns come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A dataset that is migrated.
    Dataset(usize),
    /// Another table with a schema.
    Known(usize),
    /// Another table, which may have any column.
    Unknown,
    /// A query's output.
    Derived(usize),
    /// An element of an array of structs: dataset and column.
    Element(usize, usize),
    /// Names that belong to no table: parameters, variables, `offset`.
    Names(HashSet<String>),
}

/// What a query hands on.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) columns: Vec<Output>,
    pub(super) stars: Vec<Star>,
    /// Whether columns may be there that nobody knows of.
    pub(super) open: bool,
}

/// A column that a query hands on.
#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    /// In lower case; `None` where it has none.
    pub(super) name: Option<String>,
    /// The use that it hands on, by its index in the unit: a column that is dropped.
    pub(super) hands_on: Option<usize>,
    /// The struct or array that it is.
    pub(super) element: Option<(usize, usize)>,
    /// The uses whose value is in it and may not reach every position, by their indices.
    pub(super) carries: Vec<usize>,
}

impl Output {
    /// One of which only the name is known.
    pub(super) fn of(name: Option<String>) -> Self {
        Self { name, ..Self::default() }
    }
}

/// `*` or `t.*` of a relation.
#[derive(Clone, Debug)]
pub(super) struct Star {
    pub(super) source: Source,
    pub(super) except: HashSet<String>,
    pub(super) replaced: HashSet<String>,
    /// Where it stands.
    pub(super) at: std::ops::Range<usize>,
}

/// What a relation says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// It has none such.
    No,
    /// It may have one.
    Maybe,
    /// It is a dataset that may have one, which the mapping does not list.
    Unlisted(usize),
    /// It is a column of a dataset.
    Dataset(usize, usize),
    /// A column of a dataset that a star replaced: the name is the star's, the value is not.
    Replaced(usize, usize),
    /// A field of an element: dataset, column, field.
    Field(usize, usize, usize),
    /// It is a struct or array of a dataset under another name.
    Element(usize, usize),
    /// It has one that is not a dataset's.
    Other,
    /// An output that hands on a use: shape and column.
    Output(usize, usize),
}

impl Hit {
    /// Whether the relation certainly has it.
    pub(super) fn is_certain(self) -> bool {
        !matches!(self, Self::No | Self::Maybe | Self::Unlisted(_))
    }
}

/// How often a star of a star is followed.
const MAX_FOLLOWED: usize = 64;

/// The shapes of a statement and what they are made of.
pub(super) struct Shapes<'a> {
    pub(super) datasets: &'a Datasets,
    pub(super) all: Vec<Shape>,
}

impl Shapes<'_> {
    pub(super) fn add(&mut self, shape: Shape) -> usize {
        self.all.push(shape);
        self.all.len() - 1
    }

    /// What `source` says of `name`, which is in lower case.
    pub(super) fn find(&self, source: &Source, name: &str) -> Hit {
        self.find_within(source, name, MAX_FOLLOWED)
    }

    fn find_within(&self, source: &Source, name: &str, left: usize) -> Hit {
        match source {
            Source::Dataset(dataset) => {
                let mapping = &self.datasets.mappings[*dataset];
                match mapping.index(name, true) {
                    Some(column) => Hit::Dataset(*dataset, column),
                    None if self.datasets.surely_lacks(*dataset, name) => Hit::No,
                    None => Hit::Unlisted(*dataset),
                }
            }
            Source::Known(schema) if self.datasets.schemas.has(*schema, name) => Hit::Other,
            Source::Known(_) => Hit::No,
            Source::Unknown => Hit::Maybe,
            Source::Names(names) if names.contains(name) => Hit::Other,
            Source::Names(_) => Hit::No,
            Source::Element(dataset, column) => {
                let fields = &self.datasets.mappings[*dataset].columns[*column].fields;
                match fields.iter().position(|(old, _)| old.eq_ignore_ascii_case(name)) {
                    Some(field) => Hit::Field(*dataset, *column, field),
                    None => Hit::No,
                }
            }
            Source::Derived(shape) => self.find_output(*shape, name, left),
        }
    }

    fn find_output(&self, index: usize, name: &str, left: usize) -> Hit {
        let shape = &self.all[index];
        let named = |column: &Output| column.name.as_deref() == Some(name);
        if let Some(at) = shape.columns.iter().position(named) {
            return match &shape.columns[at] {
                Output { element: Some((dataset, column)), .. } => Hit::Element(*dataset, *column),
                Output { hands_on: None, carries, .. } if carries.is_empty() => Hit::Other,
                _ => Hit::Output(index, at),
            };
        }
        let mut best = if shape.open { Hit::Maybe } else { Hit::No };
        if left == 0 {
            return Hit::Maybe;
        }
        for star in &shape.stars {
            if star.except.contains(name) {
                continue;
            }
            let mut hit = self.find_within(&star.source, name, left - 1);
            if let (Hit::Dataset(dataset, column), true) = (hit, star.replaced.contains(name)) {
                hit = Hit::Replaced(dataset, column);
            }
            best = match (best, hit) {
                (_, hit) if hit.is_certain() => return hit,
                (Hit::Maybe, _) | (_, Hit::No) => best,
                (_, hit) => hit,
            };
        }
        best
    }

    /// Whether the relation will have a column `name`, in lower case, that it had not under
    /// this name before: a column of a dataset that is renamed to it.
    pub(super) fn will_have(&self, source: &Source, name: &str) -> bool {
        self.will_have_within(source, name, MAX_FOLLOWED)
    }

    fn will_have_within(&self, source: &Source, name: &str, left: usize) -> bool {
        match source {
            Source::Dataset(dataset) => self.datasets.mappings[*dataset].arrives(name),
            Source::Element(dataset, column) => {
                let fields = &self.datasets.mappings[*dataset].columns[*column].fields;
                fields.iter().any(|(old, new)| new.eq_ignore_ascii_case(name) && old != new)
            }
            Source::Derived(shape) if left > 0 => {
                self.all[*shape].stars.iter().any(|star| self.will_have_within(&star.source, name, left - 1))
            }
            _ => false,
        }
    }

    /// The datasets whose columns a star of this hands on.
    pub(super) fn starred(&self, source: &Source) -> Vec<usize> {
        let (mut found, mut pending, mut left) = (Vec::new(), vec![source], 4 * MAX_FOLLOWED);
        while let Some(next) = pending.pop() {
            match next {
                Source::Dataset(dataset) | Source::Element(dataset, _) => found.push(*dataset),
                Source::Derived(shape) if left > 0 => {
                    left -= 1;
                    pending.extend(self.all[*shape].stars.iter().map(|star| &star.source));
                }
                _ => {}
            }
        }
        found
    }

    /// The uses whose value is in a column that this hands on, and may not reach every position.
    pub(super) fn carried(&self, source: &Source) -> Vec<usize> {
        let columns = self.handed_on(source).into_iter();
        columns.flat_map(|(shape, column)| self.all[shape].columns[column].carries.clone()).collect()
    }

    /// The columns that a star of this hands on: shapes and places.
    pub(super) fn handed_on(&self, source: &Source) -> Vec<(usize, usize)> {
        let (mut found, mut pending, mut left) = (Vec::new(), vec![source], 4 * MAX_FOLLOWED);
        while let Some(next) = pending.pop() {
            if let Source::Derived(shape) = next
                && left > 0
            {
                left -= 1;
                found.extend((0..self.all[*shape].columns.len()).map(|at| (*shape, at)));
                pending.extend(self.all[*shape].stars.iter().map(|star| &star.source));
            }
        }
        found
    }
}
