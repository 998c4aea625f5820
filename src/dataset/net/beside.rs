//! What stands beside a query in a file of configuration, and code that reads a file which holds one.
//!
//! Must not: read a query.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::ops::Range;

use super::{grown, hold};
use crate::dataset::Datasets;
use crate::dataset::decide::{Fate, Reason};
use crate::dataset::file::{Around, Decided};
use crate::dataset::mapping::held_as_it_goes_on;
use crate::dataset::usage::Unit;
use crate::dataset::word::each;
use crate::tree::{Node, Tree};

/// Keys of configuration whose values are for people, or name what stands there.
const PROSE: [&str; 14] = [
    "description",
    "doc",
    "docs",
    "comment",
    "title",
    "summary",
    "note",
    "notes",
    "$comment",
    "name",
    "labels",
    "tags",
    "id",
    "owner",
];

/// Holds the queries of a file of configuration beside which a column that changes is named: a
/// filter, a list of columns, a key.
pub(in crate::dataset) fn hold_what_stands_beside(tree: &Tree, datasets: &Datasets, units: &mut [Decided]) {
    let moves = |one: &Decided| matches!(one.fate, Fate::Mapped(_));
    let moving: BTreeSet<usize> =
        units.iter().filter(|one| moves(one)).flat_map(|one| one.unit.uses.iter().map(|one| one.dataset)).collect();
    if moving.is_empty() {
        return;
    }
    let held = |range: &Range<usize>| {
        let within =
            |unit: &Unit| unit.uses.iter().any(|one| one.range.start < range.end && range.start < one.range.end);
        units.iter().any(|one| {
            within(&one.unit) || one.unit.range.start <= range.start && range.end <= one.unit.range.end && moves(one)
        })
    };
    let prose = |node: Node<'_>| {
        std::iter::once(node).chain(node.ancestors()).take(16).any(|up| {
            let key = up.field("key").map(|key| key.text().trim_matches(['"', '\'']).to_lowercase());
            key.is_some_and(|key| PROSE.contains(&key.as_str()))
        })
    };
    // A query of its own is looked at by itself.
    let is_query = |node: Node<'_>| grown::is_query(node.text().trim_start_matches(|c: char| !c.is_alphanumeric()));
    let mut beside: Vec<(usize, usize, Range<usize>)> = Vec::new();
    for (at, word) in each(tree.text()) {
        let range = at + tree.base()..at + tree.base() + word.len();
        for dataset in &moving {
            let mapping = &datasets.mappings[*dataset];
            let changes = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept());
            let node = || tree.last_from(range.start);
            if let Some(column) = changes.filter(|_| !held(&range))
                && !node().is_extra()
                && !prose(node())
                && !is_query(node())
            {
                beside.push((*dataset, column, range.clone()));
            }
        }
    }
    for (dataset, column, range) in beside {
        let name = &datasets.mappings[dataset].columns[column].name;
        let why = format!("{name} is named beside a query of this file");
        hold(units, (dataset, column), &range, &why, |_| true);
    }
}

/// Holds the queries of a file of SQL or configuration that code reads which has parts of queries, too.
pub(in crate::dataset) fn hold_what_code_adds(tree: &Tree, around: &Around, units: &mut [Decided]) {
    let Some((path, elsewhere)) = &around.elsewhere else { return };
    // What is bound (`?`, `:id`, `@id`) is a value for sure.
    let open = ["{", "$", "%s", "%("].iter().any(|mark| tree.text().contains(mark));
    let beside = LazyCell::new(|| elsewhere.beside(path));
    for one in units.iter_mut().filter(|one| matches!(one.fate, Fate::Mapped(_))) {
        let Some(first) = one.unit.uses.first().map(|first| first.range.clone()) else { continue };
        let datasets: BTreeSet<usize> = one.unit.uses.iter().map(|one| one.dataset).collect();
        if let Some((column, place)) = datasets.iter().find_map(|dataset| beside.part(*dataset, open)) {
            let why = format!("code names this file, and may put a part behind the query that names {column}: {place}");
            one.fate = Fate::Annotated(Reason { range: first, why });
            continue;
        }
        let given = one.unit.gives.iter();
        let told = given.into_iter().find_map(|(name, column)| Some((name, column, beside.spoken(name)?)));
        if let Some((name, column, place)) = told {
            let why = held_as_it_goes_on(column, &format!("code that names this file speaks of {name}: {place}"));
            one.fate = Fate::Annotated(Reason { range: first, why });
        }
    }
}
