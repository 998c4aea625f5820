//! Values that may not reach every position, as `filter = "annotate"` says: where they go from
//! the place at which the column itself stands.
//!
//! What a query hands on carries them under its own names, and whoever reads such a name reads
//! them. Where they go on in a way that is not followed, the unit stays.
//! Must not: say what a name is.

use super::path::Stand;
use super::relation::{Hit, Output, Shape, Source};
use super::{Resolver, folded};
use crate::dataset::mapping::{At, Position};
use crate::dataset::usage::{Doubt, Of, Use, ValueUse};
use crate::tree::Node;

/// Operators that compare what stands on both sides.
const COMPARE: [&str; 9] = ["=", "==", "<>", "!=", "<=>", "<", ">", "<=", ">="];

/// Functions that compare their arguments.
const COMPARING: [&str; 16] = [
    "nullif",
    "decode",
    "equal_null",
    "starts_with",
    "startswith",
    "ends_with",
    "endswith",
    "contains",
    "contains_substr",
    "regexp_contains",
    "regexp_like",
    "rlike",
    "array_contains",
    "list_contains",
    "array_position",
    "array_includes",
];

/// What an operator between queries asks of their values.
pub(super) fn set_position(operator: &str) -> Option<Position> {
    match operator {
        _ if operator.contains("intersect") || operator.contains("except") || operator.contains("minus") => {
            Some(Position::Filter)
        }
        _ if operator.contains("all") => None,
        _ => Some(Position::Group),
    }
}

impl<'t> Resolver<'t> {
    /// The position of what is read at `node`: what is compared decides, wherever it stands.
    pub(super) fn position_of(&self, node: Node<'t>, position: Position) -> Position {
        if position == Position::Read && self.is_compared(node) { Position::Filter } else { position }
    }

    /// Whether the value of `node`, or what is calculated of it, is compared with something.
    fn is_compared(&self, node: Node<'t>) -> bool {
        let mut at = node;
        for up in node.ancestors() {
            let is = |field: &str| up.field(field).is_some_and(|one| one.id == at.id);
            match up.kind() {
                "binary" if up.field("operator").is_some_and(|one| COMPARE.contains(&one.kind())) => return true,
                "in" | "like" | "between" | "is" => return true,
                "case" if is("value") => return true,
                "when" if is("condition") => return true,
                "argument" => {
                    let mut around = up.ancestors().take(2);
                    let (list, call) = (around.next(), around.next());
                    let name = call.and_then(|call| call.field("function")).map_or("", Node::text);
                    let first = list.and_then(|list| list.named_children().next()).is_some_and(|one| one.id == up.id);
                    let is = |word: &&str| name.eq_ignore_ascii_case(word);
                    if first && ["if", "iff"].iter().any(&is) || COMPARING.iter().any(is) {
                        return true;
                    }
                    if self.value_use(at) == ValueUse::Same {
                        return false;
                    }
                }
                "select_item" | "select_clause" | "subquery" | "query" | "order_item" | "grouping_item"
                | "partition_by" => return false,
                _ => {}
            }
            at = up;
        }
        false
    }

    /// What was carried to here since `before`.
    pub(super) fn carried_since(&self, before: usize) -> Vec<usize> {
        let mut all = self.carried[before..].to_vec();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The column that a use is of.
    fn bound(&self, one: usize) -> Option<&'t crate::dataset::mapping::Column> {
        let one = &self.uses[one];
        let Of::Column(column) = one.of else { return None };
        let datasets = self.datasets;
        Some(&datasets.mappings[one.dataset].columns[column])
    }

    /// Values are read at `node`, and go on from there.
    pub(super) fn carry(&mut self, values: &[usize], position: Position, node: Node<'t>) {
        let position = self.position_of(node, position);
        self.reach(values, position, node);
        if self.value_use(node) != ValueUse::Same {
            self.carried.extend(values);
        }
    }

    /// Values come to a position.
    pub(super) fn reach(&mut self, values: &[usize], position: Position, node: Node<'t>) {
        self.reach_at(values, position, node.range());
    }

    fn reach_at(&mut self, values: &[usize], position: Position, range: std::ops::Range<usize>) {
        for one in values {
            let Some(column) = self.bound(*one) else { continue };
            let at = column.at(position);
            if at != At::Map {
                let why = column.held_at(position);
                let refuses = at == At::Refuse;
                self.doubts.push(Doubt { refuses, ..Doubt::annotate(range.clone(), why) });
            }
        }
    }

    /// Values go on in a way that is not followed.
    pub(super) fn lose(&mut self, values: &[usize], node: Node<'t>) {
        let Some(column) = values.iter().find_map(|one| self.bound(*one)) else { return };
        let why = column.held_as_it_goes_on("its value goes on where it is not followed");
        self.doubts.push(Doubt::annotate(node.range(), why));
    }

    /// A column of a list, with what is carried since `before`.
    pub(super) fn hand_on(&mut self, output: Output, before: usize, scope: Option<usize>, shape: &mut Shape) {
        let carries = self.carried_since(before);
        if let (Some(scope), Some(name), false) = (scope, &output.name, carries.is_empty()) {
            self.scopes[scope].carries.entry(name.clone()).or_default().extend(&carries);
        }
        shape.columns.push(Output { carries, ..output });
    }

    /// A name of the list is read.
    pub(super) fn alias_reached(&mut self, stand: Stand, name: &str, node: Node<'t>) {
        let Some(scope) = stand.scope else { return };
        match self.scopes[scope].carries.get(name).cloned() {
            Some(values) => self.carry(&values, stand.position, node),
            None => {
                let position = self.position_of(node, stand.position);
                self.scopes[scope].asked.push((name.to_owned(), position, node.range()));
            }
        }
    }

    /// Names of the list that were read before it.
    pub(super) fn aliases_reach(&mut self, shape: &Shape, scope: Option<usize>) {
        let Some(scope) = scope else { return };
        for (name, position, range) in std::mem::take(&mut self.scopes[scope].asked) {
            for column in shape.columns.iter().filter(|column| column.name.as_deref() == Some(&name)) {
                self.reach_at(&column.carries, position, range.clone());
            }
        }
    }

    /// `group by 1`, `group by all`
    pub(super) fn groups_by_place(&mut self, select: Node<'t>, shape: usize) {
        for clause in select.named_children().filter(|child| child.kind() == "group_by_clause") {
            let all = clause.descendants().any(|below| below.kind() == "all");
            let numbers: Vec<Node<'t>> = clause
                .named_children()
                .filter_map(|item| item.named_children().find(|value| value.kind() == "number"))
                .collect();
            if !all && numbers.is_empty() {
                continue;
            }
            let starred = !self.shapes.all[shape].stars.is_empty();
            let places: Vec<usize> = numbers.iter().filter_map(|number| number.text().parse().ok()).collect();
            let columns = self.shapes.all[shape].columns.iter().enumerate();
            let meant = columns.filter(|(at, _)| all || starred || places.contains(&(at + 1)));
            let values: Vec<usize> = meant.flat_map(|(_, column)| column.carries.clone()).collect();
            self.reach(&values, Position::Group, clause);
        }
    }

    /// All columns of the stars of a list come to a position.
    pub(super) fn stars_reach(&mut self, shape: &Shape, position: Position, clause: Node<'t>) {
        for star in &shape.stars {
            self.reach(&self.shapes.carried(&star.source), position, clause);
            for dataset in self.shapes.starred(&star.source) {
                // What is filtered by is named, and decided there.
                let mapping = &self.datasets.mappings[dataset];
                let uneven = mapping.columns.iter().any(|column| {
                    column.at(position) != At::Map || column.values.as_ref().is_some_and(|one| !one.are_distinct())
                });
                if uneven || position == Position::Group {
                    let why = "rows are the same or not by all columns, and the new table has others";
                    self.doubts.push(Doubt::annotate(clause.range(), why));
                }
            }
        }
    }

    /// What outputs carry comes to a position.
    pub(super) fn outputs_reach(&mut self, hits: &[Hit], position: Position, node: Node<'t>) {
        for hit in hits {
            if let Hit::Output(shape, column) = *hit {
                self.reach(&self.shapes.all[shape].columns[column].carries.clone(), position, node);
            }
        }
    }

    /// The values of another branch of a set operation are under the names of the first.
    pub(super) fn carry_into(&mut self, first: usize, other: usize, by_name: bool, node: Node<'t>) {
        let plain = |shape: usize| self.shapes.all[shape].stars.is_empty();
        let (plain, columns) = (plain(first) && plain(other), self.shapes.all[other].columns.clone());
        let mut lost = self.shapes.carried(&Source::Derived(other));
        for (at, column) in columns.into_iter().enumerate().filter(|_| plain) {
            let names = &mut self.shapes.all[first].columns;
            let same = names.iter().position(|one| one.name.is_some() && one.name == column.name);
            if let Some(into) = (if by_name { same } else { Some(at) }).and_then(|at| names.get_mut(at)) {
                lost.retain(|one| !column.carries.contains(one));
                into.carries.extend(column.carries);
            }
        }
        self.lose(&lost, node);
    }

    /// A query that reads itself: what it hands on comes back to it.
    pub(super) fn lose_recursion(&mut self, shape: usize, query: Node<'t>, name: &str) {
        let own = |below: Node<'t>| below.kind() == "identifier" && folded(below.text()) == name;
        if query.descendants().any(own) {
            self.lose(&self.shapes.carried(&Source::Derived(shape)), query);
        }
    }

    /// What a statement writes into a table is lost: whoever reads that is not seen.
    pub(super) fn lose_written(&mut self, statement: Node<'t>, table: Option<Node<'t>>, shape: usize) {
        if table.is_some() {
            self.lose(&self.shapes.carried(&Source::Derived(shape)), statement);
        }
    }

    /// The names under which values leave, with the columns that they are of.
    pub(super) fn names_given(&self, uses: &[Use]) -> Vec<(String, String)> {
        let column = |one: &Use| match one.of {
            Of::Column(column) => Some(self.datasets.mappings[one.dataset].columns[column].name.clone()),
            _ => None,
        };
        let all = self.given.iter().filter_map(|(name, at)| Some((name.clone(), column(uses.get(*at)?)?)));
        all.collect()
    }
}
