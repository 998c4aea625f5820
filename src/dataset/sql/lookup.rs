//! What a name without qualifier is, through the scopes: whose column, or a name of the
//! list, and whether a new name would be another thing there.
//!
//! Must not: note a use.

use super::path::{Path, Stand};
use super::relation::{Hit, Source};
use super::{Alias, Dialect, Relation, Resolver, folded};
use crate::dataset::mapping::Becomes;
use crate::dataset::usage::{Doubt, Form, Of};
use crate::tree::Node;

/// Which names are looked up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    /// Columns, and the list's names where there is no such column.
    Columns,
    /// `group by`, `having`, `qualify`: either, and dialects disagree.
    Either,
    /// `order by`: the list's names.
    Names,
}

/// What a name without qualifier is.
pub(super) enum Found {
    /// A hit, in a relation of a scope: both indices.
    Hit(Hit, usize, usize),
    /// A parameter.
    Local,
    Alias,
    /// A dataset's column, or another relation's: names for people.
    Ambiguous(usize, Of, String),
    /// A column that a dataset may have, though its mapping doesn't list it.
    Unlisted(usize),
    Other,
}

/// Names that look like columns and are none.
pub(super) const PSEUDO: [&str; 18] = [
    "current_date",
    "current_time",
    "current_timestamp",
    "current_datetime",
    "current_user",
    "session_user",
    "localtime",
    "localtimestamp",
    "sysdate",
    "rownum",
    "user",
    "_table_suffix",
    "_partitiontime",
    "_partitiondate",
    "_file_name",
    "default",
    "true",
    "false",
];

/// Units of time, as functions take them for arguments; `extract` is none.
const UNITS: [&str; 24] = [
    "microsecond",
    "millisecond",
    "second",
    "minute",
    "hour",
    "day",
    "dayofweek",
    "dayofyear",
    "week",
    "isoweek",
    "month",
    "quarter",
    "year",
    "isoyear",
    "epoch",
    "dow",
    "doy",
    "days",
    "weeks",
    "months",
    "years",
    "hours",
    "minutes",
    "seconds",
];

/// Whether a name is one of time, as a function takes it beside another argument.
pub(super) fn is_unit_of_time(node: Node<'_>, name: &str) -> bool {
    let argument = node.parent().filter(|parent| parent.kind() == "argument");
    // `week(monday)`
    if DAYS.contains(&name) {
        let week = |call: &Node<'_>| call.text().get(..4).is_some_and(|called| called.eq_ignore_ascii_case("week"));
        let call = argument.and_then(|argument| argument.ancestors().find(|up| up.kind() == "call"));
        return call.filter(week).and_then(|call| call.parent()).is_some_and(|around| around.kind() == "argument");
    }
    let many =
        |one: Node<'_>| [one.prev_named(), one.next_named()].into_iter().flatten().any(|one| one.kind() == "argument");
    UNITS.contains(&name) && argument.is_some_and(|one| many(one) && in_function_of_time(one))
}

/// Whether an argument is one of a function that takes a unit of time: `timestamp_trunc`, `dateadd`. To `coalesce`
/// and `date` the same name is a column.
fn in_function_of_time(argument: Node<'_>) -> bool {
    let call = argument.ancestors().find(|up| up.kind() == "call");
    let function = call.and_then(|call| call.field("function")).map_or("", Node::text);
    let name = function.rsplit('.').next().unwrap_or_default().replace('_', "").to_lowercase();
    let does = ["datetime", "date", "timestamp", "time"].iter().find_map(|of| name.strip_prefix(of));
    let takes = ["trunc", "add", "sub", "diff", "diffbig", "part", "name", "bucket", "slice"];
    name == "lastday" || does.is_some_and(|does| takes.contains(&does))
}

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl<'t> Resolver<'t> {
    pub(super) fn scopes_from(&self, scope: Option<usize>) -> impl Iterator<Item = usize> {
        std::iter::successors(scope, |scope| self.scopes[*scope].parent)
    }

    pub(super) fn local(&self, scope: usize, name: &str) -> Option<Option<(usize, usize)>> {
        self.scopes[scope].locals.get(name).copied()
    }

    /// Whether a dataset's columns are visible.
    pub(super) fn reads_a_dataset(&self, scope: Option<usize>) -> bool {
        self.scopes_from(scope)
            .any(|scope| self.scopes[scope].relations.iter().any(|one| !self.shapes.starred(&one.source).is_empty()))
    }

    /// The relation that these parts name: its scope and number.
    pub(super) fn qualified(&self, scope: Option<usize>, parts: &[Node<'t>]) -> Option<(usize, usize)> {
        let parts: Vec<String> = parts.iter().map(|part| folded(part.text())).collect();
        for scope in self.scopes_from(scope) {
            let found = self.scopes[scope].relations.iter().position(|one| match &parts[..] {
                [name] => one.name.as_deref() == Some(name),
                _ => one.path.len() >= parts.len() && one.path[one.path.len() - parts.len()..] == parts[..],
            });
            if let Some(found) = found {
                return Some((scope, found));
            }
            // A column of this name is nearer than an alias further out.
            if parts.len() == 1 {
                let column = |one: &Relation| self.shapes.find(&one.source, &parts[0]).is_certain();
                if self.scopes[scope].relations.iter().any(column) {
                    return None;
                }
            }
        }
        None
    }

    pub(super) fn whole_row(&self, scope: Option<usize>, name: &str) -> Option<(usize, (usize, usize))> {
        for scope in self.scopes_from(scope) {
            let named = |one: &Relation| one.name.as_deref() == Some(name);
            if let Some(at) = self.scopes[scope].relations.iter().position(named) {
                return Some((scope, (scope, at)));
            }
        }
        None
    }

    /// A name without qualifier, through the scopes.
    pub(super) fn lookup(&self, scope: Option<usize>, name: &str, clause: Clause) -> Found {
        self.lookup_at(scope, name, clause, None)
    }

    /// Whether a name of the list is visible at `node`: behind `order by` and `group by`, and
    /// where a dialect lets items see each other, outside of the item itself.
    pub(super) fn sees_alias(&self, clause: Clause, node: Option<Node<'t>>, name: &str) -> bool {
        let own = || {
            let item = node.and_then(|node| node.ancestors().take(256).find(|up| up.kind() == "select_item"));
            item.is_some_and(|item| self.output_name(item).as_deref() == Some(name))
        };
        clause != Clause::Columns || !self.setting.dialect.is_google() && !own()
    }

    /// Whether a column comes before a name of the list: behind `group by`, but for the items of BigQuery.
    fn groups_by_columns(&self, node: Option<Node<'t>>) -> bool {
        let around = |kind: &str| node.is_some_and(|node| node.ancestors().take(256).any(|up| up.kind() == kind));
        let google = self.setting.dialect.is_google();
        let open = google && (self.setting.dialect == Dialect::Unsaid || around("tuple"));
        around("group_by_clause") && !open
    }

    /// Whether a name of the list comes before a column: BigQuery takes an item of `group by` for one if it is
    /// nothing else, and never a part of an item.
    pub(super) fn groups_by_name(&self, node: Option<Node<'t>>) -> bool {
        let Some(node) = node.filter(|_| self.setting.dialect == Dialect::BigQuery) else { return false };
        let item = node.ancestors().find(|up| up.kind() != "parenthesized").filter(|up| up.kind() == "grouping_item");
        let clause = item.and_then(|item| item.ancestors().find(|up| up.kind() != "grouping_item"));
        // `|> aggregate … group by`
        clause.and_then(|clause| clause.parent()).is_some_and(|around| around.kind() != "aggregate")
    }

    pub(super) fn lookup_at(&self, scope: Option<usize>, name: &str, clause: Clause, node: Option<Node<'t>>) -> Found {
        let mut unlisted = None;
        let mut unknown: Vec<String> = Vec::new();
        let mut first = true;
        for index in self.scopes_from(scope) {
            let scope = &self.scopes[index];
            if scope.locals.contains_key(name) {
                return Found::Local;
            }
            let alias = scope.aliases.get(name).copied();
            let named = clause == Clause::Names && alias.is_some();
            if first && (named || alias == Some(Alias::Given) && self.groups_by_name(node)) {
                return Found::Alias;
            }
            let hits: Vec<(Hit, usize)> = scope
                .relations
                .iter()
                .enumerate()
                .map(|(at, one)| (self.shapes.find(&one.source, name), at))
                .filter(|(hit, _)| *hit != Hit::No)
                .collect();
            let certain: Vec<(Hit, usize)> = hits.iter().copied().filter(|(hit, _)| hit.is_certain()).collect();
            let maybe = hits.iter().filter(|(hit, _)| *hit == Hit::Maybe);
            unknown.extend(
                maybe.map(|(_, at)| scope.relations[*at].name.clone().unwrap_or_else(|| "a subquery".to_owned())),
            );
            if let Some(found) = self.decided(&certain, &unknown, index, name) {
                // A table further in may have it, too, and it would be the nearer one.
                if let (Some(inner), Found::Hit(hit, _, at)) = (unlisted, &found) {
                    return self.nearer(inner, *hit, scope.relations[*at].name.as_deref());
                }
                if first && clause == Clause::Either && alias == Some(Alias::Given) && !self.groups_by_columns(node) {
                    return self.either(found);
                }
                return found;
            }
            unlisted = unlisted.or(hits.iter().find_map(|(hit, _)| match hit {
                Hit::Unlisted(dataset) => Some(*dataset),
                _ => None,
            }));
            if first && alias == Some(Alias::Given) && self.sees_alias(clause, node, name) {
                return Found::Alias;
            }
            first = false;
        }
        match unlisted {
            Some(dataset) if unknown.is_empty() => Found::Unlisted(dataset),
            Some(dataset) => {
                let of = Of::Unlisted(name.to_owned());
                let table = &self.datasets.mappings[dataset].dataset;
                let why =
                    format!("may belong to {table}, whose mapping does not list it, or to {}", unknown.join(" or "));
                // A name of time in a call, or of the warehouse's own, is nobody's column.
                if PSEUDO.contains(&name) || node.is_some_and(|node| is_unit_of_time(node, name)) {
                    Found::Other
                } else {
                    Found::Ambiguous(dataset, of, why)
                }
            }
            None => Found::Other,
        }
    }

    /// A name that a dataset further in may have, though its mapping does not list it, and a
    /// relation further out has.
    fn nearer(&self, inner: usize, outer: Hit, of: Option<&str>) -> Found {
        let Some((dataset, column)) = self.changed(outer) else { return Found::Unlisted(inner) };
        let why = format!(
            "may belong to {}, whose mapping does not list it, or to {} further out",
            self.datasets.mappings[inner].dataset,
            of.unwrap_or("a subquery")
        );
        Found::Ambiguous(dataset, column, why)
    }

    /// What the certain hits of one scope come to.
    pub(super) fn decided(
        &self,
        certain: &[(Hit, usize)],
        unknown: &[String],
        scope: usize,
        name: &str,
    ) -> Option<Found> {
        let ours = certain.iter().find_map(|(hit, _)| self.changed(*hit));
        let (hit, at) = *certain.iter().find(|(hit, _)| self.changed(*hit).is_some()).or_else(|| certain.first())?;
        let merged = self.scopes[scope].natural || self.scopes[scope].merged.contains(name);
        if let Some((dataset, of)) = ours {
            let label =
                |at: usize| self.scopes[scope].relations[at].name.clone().unwrap_or_else(|| "a subquery".to_owned());
            // What `using` made one is held there, if the two sides differ.
            if certain.len() > 1 && !merged {
                let names: Vec<String> = certain.iter().map(|(_, at)| label(*at)).collect();
                return Some(Found::Ambiguous(dataset, of, format!("{} all have it", names.join(", "))));
            }
            if !unknown.is_empty() {
                let why =
                    format!("may belong to {} or to {}, whose columns are not known", label(at), unknown.join(" or "));
                return Some(Found::Ambiguous(dataset, of, why));
            }
        }
        Some(Found::Hit(hit, scope, at))
    }

    /// The column of a dataset that a hit is, if anything about it changes.
    pub(super) fn changed(&self, hit: Hit) -> Option<(usize, Of)> {
        match hit {
            Hit::Dataset(dataset, column) | Hit::Replaced(dataset, column) => {
                (!self.datasets.mappings[dataset].columns[column].is_kept()).then_some((dataset, Of::Column(column)))
            }
            Hit::Field(dataset, column, field) => {
                let (old, new) = &self.datasets.mappings[dataset].columns[column].fields[field];
                (old != new).then_some((dataset, Of::Field(column, field)))
            }
            _ => None,
        }
    }

    /// A column, and a name of the list, where either may be meant.
    pub(super) fn either(&self, found: Found) -> Found {
        match found {
            Found::Hit(hit, ..) => match self.changed(hit) {
                Some((dataset, of)) => Found::Ambiguous(
                    dataset,
                    of,
                    "a name of the list or a column: dialects disagree, and the two are not the same".to_owned(),
                ),
                None => found,
            },
            other => other,
        }
    }

    /// A name that is read without a qualifier, and that a dataset will have, too.
    pub(super) fn meets_new(&mut self, path: &Path<'t>, stand: Stand, name: &str, of: Option<(usize, usize)>) {
        let mut found = None;
        'all: for scope in self.scopes_from(stand.scope) {
            if self.scopes[scope].locals.contains_key(name) {
                break;
            }
            for (at, one) in self.scopes[scope].relations.iter().enumerate() {
                if of != Some((scope, at)) && self.shapes.will_have(&one.source, name) {
                    found = self.shapes.starred(&one.source).first().copied();
                    break 'all;
                }
            }
            if of.is_some_and(|(its, _)| its == scope) {
                break;
            }
        }
        if let Some(dataset) = found {
            let dataset = &self.datasets.mappings[dataset].dataset;
            let why = format!("{dataset} will have a column {name}, which this name would meet");
            self.doubts.push(Doubt::annotate(path.parts[0].range(), why));
        }
    }

    /// A parameter of a function around: columns of tables further in are nearer.
    pub(super) fn local_meets(&mut self, path: &Path<'t>, stand: Stand, name: &str, of: usize) {
        let inner: Vec<usize> = self.scopes_from(stand.scope).take_while(|scope| *scope != of).collect();
        let sources: Vec<Source> = inner
            .into_iter()
            .flat_map(|scope| self.scopes[scope].relations.iter().map(|one| one.source.clone()))
            .collect();
        for source in sources {
            if let Some((dataset, of)) = self.changed(self.shapes.find(&source, name)) {
                self.push(path.parts[0], dataset, of, stand.position, Form::Told);
                self.doubts.push(Doubt::annotate(path.parts[0].range(), "a column and a parameter have this name"));
            } else if self.shapes.will_have(&source, name) {
                let dataset = self.shapes.starred(&source).first().copied();
                let dataset = dataset.map_or("the table", |dataset| &self.datasets.mappings[dataset].dataset);
                let why = format!("{dataset} will have a column {name}, which would be meant and not the parameter");
                self.doubts.push(Doubt::annotate(path.parts[0].range(), why));
            }
        }
    }

    /// A table's name that qualifies: a column of a table further in would be nearer.
    pub(super) fn qualifier_meets_new(&mut self, path: &Path<'t>, stand: Stand, of: usize) {
        let name = folded(path.parts[0].text());
        let meets = self
            .scopes_from(stand.scope)
            .take_while(|scope| *scope != of)
            .any(|scope| self.scopes[scope].relations.iter().any(|one| self.shapes.will_have(&one.source, &name)));
        if meets {
            let why = format!("a table further in will have a column {name}, which would be meant and not the table");
            self.doubts.push(Doubt::annotate(path.parts[0].range(), why));
        }
    }

    /// A table without an alias is called by its name, and its new one must not be another's.
    pub(super) fn tables_meet(&mut self, scope: usize, node: Node<'t>) {
        let called = |one: &Relation| match &one.renamed {
            Some(new) => new.last().map(|last| last.to_lowercase()),
            None => one.name.clone(),
        };
        let relations = &self.scopes[scope].relations;
        let names: Vec<Option<String>> = relations.iter().map(called).collect();
        let meets = relations.iter().enumerate().find_map(|(at, one)| {
            one.renamed.as_ref()?;
            let other = names.iter().enumerate().any(|(other, name)| other != at && *name == names[at]);
            let before = relations.iter().enumerate().any(|(other, two)| other != at && two.name == one.name);
            names[at].clone().filter(|_| other && !before)
        });
        if let Some(name) = meets {
            self.doubt(node, format!("two tables of this query would be called {name}"));
        }
    }

    /// The new name of a table must not be what a query around it, or within it, calls another one.
    pub(super) fn tables_catch(&mut self, node: Node<'t>) {
        let encloses = |outer: usize, inner: usize| self.scopes_from(Some(inner)).any(|scope| scope == outer);
        let mut caught = None;
        for (at, scope) in self.scopes.iter().enumerate() {
            for one in &scope.relations {
                let Some(new) = one.renamed.as_ref().and_then(|new| new.last()).map(|last| last.to_lowercase()) else {
                    continue;
                };
                if one.name.as_ref() == Some(&new) {
                    continue;
                }
                let others = self
                    .scopes
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != at && (encloses(*other, at) || encloses(at, *other)));
                // What gets another name itself is edited wherever it qualifies.
                let same = |other: &Relation| other.name.as_ref() == Some(&new) && other.renamed.is_none();
                if others.into_iter().any(|(_, other)| other.relations.iter().any(same)) {
                    caught = Some(new);
                }
            }
        }
        if let Some(new) = caught {
            self.doubt(node, format!("its new name, {new}, is what another table is called around it or within it"));
        }
    }

    /// The new name of a column without qualifier must not be another's.
    pub(super) fn meets_others(
        &mut self,
        path: &Path<'t>,
        stand: Stand,
        new: Option<&str>,
        scope: usize,
        relation: usize,
    ) {
        let old = folded(path.parts[0].text());
        let names: Vec<String> = match new {
            Some(new) => vec![new.to_lowercase()],
            None => {
                let source = self.scopes[scope].relations[relation].source.clone();
                self.expression_names(&source, &old)
            }
        };
        for new in names.into_iter().filter(|new| *new != old) {
            let mut meets = false;
            for at in self.scopes_from(stand.scope) {
                let inner = at != scope;
                meets |= self.scopes[at].locals.contains_key(&new);
                // A table's name alone is its whole row.
                meets |= self.scopes[at].relations.iter().any(|one| one.name.as_deref() == Some(&new));
                meets |= self.scopes[at].relations.iter().enumerate().any(|(number, one)| {
                    let own = (at, number) == (scope, relation);
                    let merged =
                        self.scopes[scope].merged.contains(&old) && self.shapes.find(&one.source, &old).is_certain();
                    let hit = self.shapes.find(&one.source, &new);
                    // What the dataset itself has under this name now moves away from it.
                    let has = hit.is_certain() && self.changed(hit).is_none() || inner && hit == Hit::Maybe;
                    !own && !merged && (has || self.shapes.will_have(&one.source, &new))
                });
                let first = Some(at) == stand.scope;
                meets |= first && stand.clause != Clause::Columns && self.scopes[at].aliases.contains_key(&new);
                if !inner {
                    break;
                }
            }
            if meets {
                let why = format!("its new name, {new}, is another thing in this query");
                self.doubts.push(Doubt::annotate(path.parts[0].range(), why));
            }
        }
    }

    /// The new columns that an expression reads for the column `old` of a relation.
    pub(super) fn expression_names(&self, source: &Source, old: &str) -> Vec<String> {
        let Hit::Dataset(dataset, column) = self.shapes.find(source, old) else { return Vec::new() };
        match &self.datasets.mappings[dataset].columns[column].becomes {
            Becomes::Expressions(all) => {
                all.get("sql").into_iter().flat_map(|one| one.columns()).map(str::to_lowercase).collect()
            }
            _ => Vec::new(),
        }
    }
}
