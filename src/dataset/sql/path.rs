//! A name with dots: which relation, column and field it is.

use super::relation::{Hit, Source};
use super::{Alias, Resolver, folded, unquoted};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{ColumnForm, Doubt, Form, Of, Role, Use, ValueUse};
use crate::tree::Node;

/// A path's names, outermost first, and the expression that they are.
pub(super) struct Path<'t> {
    /// The whole expression.
    pub(super) node: Node<'t>,
    pub(super) parts: Vec<Node<'t>>,
    /// How many of the parts come before a subscript: more can't be a qualifier.
    pub(super) before: usize,
}

/// Where a path stands.
#[derive(Clone, Copy)]
pub(super) struct Stand {
    pub(super) scope: Option<usize>,
    pub(super) position: Position,
    pub(super) clause: Clause,
    pub(super) role: Role,
    /// It is the whole value of an item without an alias, whose name is wanted.
    pub(super) named: bool,
}

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
const PSEUDO: [&str; 18] = [
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

/// Units of time, as functions take them for arguments.
const UNITS: [&str; 27] = [
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
    "date",
    "time",
    "datetime",
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

impl<'t> Resolver<'t> {
    /// Reads `a`, `a.b`, `"a"."b"`, `a[0].b` as a path.
    pub(super) fn path_of(&self, node: Node<'t>) -> Option<Path<'t>> {
        let (mut at, mut fields, mut subscripted) = (node, Vec::new(), None);
        for _ in 0..64 {
            match at.kind() {
                "field_access" => {
                    fields.push(at.field("field").filter(|field| field.kind() == "identifier")?);
                    at = at.field("value")?;
                }
                "subscript" => {
                    subscripted = Some(fields.len());
                    at = at.field("value")?;
                }
                "column" => {
                    let mut parts: Vec<Node<'t>> = at.named_children().collect();
                    if parts.is_empty() || parts.iter().any(|part| part.kind() != "identifier") {
                        return None;
                    }
                    let before = if subscripted.is_some() { parts.len() } else { parts.len() + fields.len() };
                    parts.extend(fields.into_iter().rev());
                    return Some(Path { node, parts, before });
                }
                "string" if self.setting.dialect.quotes_names() && at.text().starts_with('"') => {
                    let before = if subscripted.is_some() { 1 } else { 1 + fields.len() };
                    let mut parts = vec![at];
                    parts.extend(fields.into_iter().rev());
                    return Some(Path { node, parts, before });
                }
                _ => return None,
            }
        }
        None
    }

    /// Resolves a path, and notes the use that it is.
    pub(super) fn path(&mut self, path: &Path<'t>, stand: Stand) {
        for part in &path.parts {
            self.account(*part);
        }
        let mut at = path.node;
        while matches!(at.kind(), "field_access" | "subscript" | "column" | "string") {
            self.paths.insert(at.id.0);
            match at.field("value") {
                Some(value) => at = value,
                None => break,
            }
        }
        if self.has_hole(&path.node.local_range()) {
            self.hole(path, stand);
            return;
        }
        // The longest qualifier first.
        for qualifier in (1..path.before.min(4)).rev() {
            if let Some((scope, relation)) = self.qualified(stand.scope, &path.parts[..qualifier]) {
                self.of_relation(path, qualifier, scope, relation, stand);
                return;
            }
        }
        let name = folded(path.parts[0].text());
        let local = self.scopes_from(stand.scope).find_map(|scope| self.local(scope, &name));
        if let Some(local) = local {
            if let Some((dataset, column)) = local {
                self.fields(path, 1, dataset, column, stand);
            }
            return;
        }
        match self.lookup_at(stand.scope, &name, stand.clause, Some(path.node)) {
            Found::Hit(hit, scope, relation) => {
                self.meets_new(path, stand, &name, Some((scope, relation)));
                self.hit(path, 0, hit, stand, Some((scope, relation)));
            }
            Found::Local | Found::Other => {
                self.meets_new(path, stand, &name, None);
                if let Some((_, relation)) = self.whole_row(stand.scope, &name).filter(|_| path.parts.len() == 1) {
                    self.row(path.node, relation);
                }
            }
            Found::Alias => {
                if stand.clause == Clause::Either {
                    self.meets_new(path, stand, &name, None);
                }
            }
            Found::Ambiguous(dataset, of, why) => {
                let name = path.parts[0];
                self.push(name, dataset, of, stand.position, Form::Told);
                self.doubts.push(Doubt::refuse(name.range(), why));
            }
            Found::Unlisted(dataset) => {
                if let Some((_, relation)) = self.whole_row(stand.scope, &name).filter(|_| path.parts.len() == 1) {
                    self.row(path.node, relation);
                } else if !PSEUDO.contains(&name.as_str()) && !self.is_unit_of_time(path) && !name.starts_with('$') {
                    self.push_unlisted(path.parts[0], dataset);
                }
            }
        }
    }

    fn is_unit_of_time(&self, path: &Path<'t>) -> bool {
        let argument = path.node.parent().filter(|parent| parent.kind() == "argument");
        path.parts.len() == 1 && argument.is_some() && UNITS.contains(&path.parts[0].text().to_lowercase().as_str())
    }

    /// A name of which a part is put in at run time.
    fn hole(&mut self, path: &Path<'t>, stand: Stand) {
        // A value that a column is compared with is none of the table's.
        let mut at = path.node;
        while let Some(parent) = at.parent().filter(|parent| parent.kind() == "parenthesized") {
            at = parent;
        }
        let parent = at.parent();
        let compared = path.parts.len() == 1
            && parent.is_some_and(|parent| match parent.kind() {
                "binary" => {
                    let other = ["left", "right"]
                        .into_iter()
                        .filter_map(|side| parent.field(side))
                        .find(|side| side.id != at.id);
                    let joins =
                        parent.field("operator").is_some_and(|operator| matches!(operator.kind(), "and" | "or"));
                    !joins && other.is_some_and(|other| self.reads_a_column(other))
                }
                "between" => parent.field("left").is_some_and(|left| left.id != at.id && self.reads_a_column(left)),
                "expression_list" => parent.parent().is_some_and(|around| {
                    around.kind() == "in" && around.field("left").is_some_and(|left| self.reads_a_column(left))
                }),
                "limit_clause" | "offset_clause" | "interval" => true,
                _ => false,
            });
        if compared {
            let range = path.node.local_range();
            let here = self.setting.holes.iter().filter(|hole| hole.start < range.end && range.start < hole.end);
            self.values.extend(here.map(|hole| hole.start));
        } else if self.reads_a_dataset(stand.scope) {
            self.doubts.push(Doubt::open(path.node.range(), "what is put in at run time may name any column"));
        }
    }

    fn reads_a_column(&self, node: Node<'t>) -> bool {
        std::iter::once(node)
            .chain(node.descendants())
            .any(|below| below.kind() == "column" && !self.has_hole(&below.local_range()))
    }

    pub(super) fn scopes_from(&self, scope: Option<usize>) -> impl Iterator<Item = usize> {
        std::iter::successors(scope, |scope| self.scopes[*scope].parent)
    }

    fn local(&self, scope: usize, name: &str) -> Option<Option<(usize, usize)>> {
        self.scopes[scope].locals.get(name).copied()
    }

    /// Whether a dataset's columns are visible.
    pub(super) fn reads_a_dataset(&self, scope: Option<usize>) -> bool {
        self.scopes_from(scope)
            .any(|scope| self.scopes[scope].relations.iter().any(|one| !self.shapes.starred(&one.source).is_empty()))
    }

    /// The relation that these parts name: its scope and number.
    fn qualified(&self, scope: Option<usize>, parts: &[Node<'t>]) -> Option<(usize, usize)> {
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
                let column = |one: &super::Relation| self.shapes.find(&one.source, &parts[0]).is_certain();
                if self.scopes[scope].relations.iter().any(column) {
                    return None;
                }
            }
        }
        None
    }

    fn whole_row(&self, scope: Option<usize>, name: &str) -> Option<(usize, (usize, usize))> {
        for scope in self.scopes_from(scope) {
            let named = |one: &super::Relation| one.name.as_deref() == Some(name);
            if let Some(at) = self.scopes[scope].relations.iter().position(named) {
                return Some((scope, (scope, at)));
            }
        }
        None
    }

    /// A whole row as a value.
    fn row(&mut self, node: Node<'t>, (scope, relation): (usize, usize)) {
        let source = self.scopes[scope].relations[relation].source.clone();
        if let Source::Element(dataset, column) = source {
            if self.datasets.mappings[dataset].columns[column].changes_fields() {
                self.push(node, dataset, Of::Column(column), Position::Read, Form::Told);
                self.doubts.push(Doubt::open(node.range(), "the whole struct is a value, with its fields' old names"));
            }
            return;
        }
        for dataset in self.shapes.starred(&source) {
            self.push(node, dataset, Of::Dataset, Position::Read, Form::Told);
            self.doubts.push(Doubt::open(node.range(), "the whole row is a value, with every old name in it"));
        }
    }

    /// A path of which the first `qualifier` parts name a relation.
    fn of_relation(&mut self, path: &Path<'t>, qualifier: usize, scope: usize, relation: usize, stand: Stand) {
        let one = self.scopes[scope].relations[relation].clone();
        if let (Source::Dataset(dataset), Some(new)) = (&one.source, &one.renamed) {
            // The table's own name qualifies, and moves with the table.
            let new = &new[new.len().saturating_sub(qualifier)..];
            let edits = path.parts[..qualifier].iter().zip(new).map(|(part, new)| (self.inner(*part), new.clone()));
            let edits: Vec<_> = edits.filter(|(range, new)| self.differs(range, new)).collect();
            let last = path.parts[qualifier - 1];
            self.push(last, *dataset, Of::Dataset, Position::Read, Form::Name(edits));
        }
        let name = folded(path.parts[qualifier].text());
        let hit = self.shapes.find(&one.source, &name);
        self.hit(path, qualifier, hit, stand, None);
    }

    /// What is known of `parts[at]`, a column.
    fn hit(&mut self, path: &Path<'t>, at: usize, hit: Hit, stand: Stand, bare: Option<(usize, usize)>) {
        match hit {
            Hit::Dataset(dataset, column) | Hit::Replaced(dataset, column) => {
                let replaced = matches!(hit, Hit::Replaced(..));
                self.column(path, at, dataset, column, stand, bare, replaced);
            }
            Hit::Field(dataset, column, field) => {
                self.push_field(path, at, (dataset, column, field), stand);
            }
            Hit::Element(dataset, column) => self.fields(path, at + 1, dataset, column, stand),
            Hit::Output(shape, column) => {
                if let Some(one) = self.shapes.all[shape].columns[column].hands_on {
                    self.read.insert(one);
                    let (dataset, of) = (self.uses[one].dataset, self.uses[one].of.clone());
                    let drops = self.drops(one);
                    match self.value_use(path.node) {
                        // What it is compared with are values of the dataset.
                        ValueUse::Literals(literals) if !drops => {
                            self.uses.extend(literals.into_iter().map(|literal| Use {
                                range: literal.range,
                                dataset,
                                of: of.clone(),
                                position: stand.position,
                                form: Form::Told,
                            }));
                        }
                        _ if drops => self.push(path.parts[at], dataset, of, stand.position, Form::Told),
                        _ => {}
                    }
                }
            }
            Hit::Unlisted(dataset) if !PSEUDO.contains(&folded(path.parts[at].text()).as_str()) => {
                self.push_unlisted(path.parts[at], dataset);
            }
            _ => {}
        }
    }

    /// A column of a dataset, with what comes behind it.
    #[expect(clippy::too_many_arguments, reason = "one place makes every use of a column")]
    fn column(
        &mut self,
        path: &Path<'t>,
        at: usize,
        dataset: usize,
        column: usize,
        stand: Stand,
        bare: Option<(usize, usize)>,
        replaced: bool,
    ) {
        let known = &self.datasets.mappings[dataset].columns[column];
        if replaced {
            let simple = known.to().is_some() && known.values.is_none() && known.fields.is_empty();
            if !simple {
                self.doubt(path.parts[at], "a star replaced it, and its mapping says more than a name");
            }
        }
        if let Some((scope, relation)) = bare {
            self.meets_others(path, stand, known.to(), scope, relation);
        }
        if !known.fields.is_empty() {
            let whole = path.parts.len() == at + 1;
            if !whole {
                self.push_struct(path, at, dataset, column, stand);
                self.fields(path, at + 1, dataset, column, stand);
                return;
            }
            if known.changes_fields() && !self.is_taken_apart(path.node) {
                self.push_struct(path, at, dataset, column, stand);
                let why = "the whole struct goes on, and one of its fields is renamed";
                self.doubts.push(Doubt::annotate(path.parts[at].range(), why));
                return;
            }
        } else if path.parts.len() > at + 1 && known.to() != Some(&known.name) && known.to().is_none() {
            self.doubt(path.parts[at], "a field of a column that the mapping takes for a plain value");
        }
        let form = self.column_form(path, at, stand);
        self.push(path.parts[at], dataset, Of::Column(column), stand.position, Form::Column(form));
    }

    /// The struct of a path into it; its own name may change, too.
    fn push_struct(&mut self, path: &Path<'t>, at: usize, dataset: usize, column: usize, stand: Stand) {
        let mut form = self.column_form(path, at, stand);
        form.alias = None;
        form.removable = None;
        form.value = ValueUse::Same;
        self.push(path.parts[at], dataset, Of::Column(column), stand.position, Form::Column(form));
    }

    /// The fields behind a struct.
    fn fields(&mut self, path: &Path<'t>, at: usize, dataset: usize, column: usize, stand: Stand) {
        let known = &self.datasets.mappings[dataset].columns[column];
        let Some(part) = path.parts.get(at) else {
            if known.changes_fields() && !self.is_taken_apart(path.node) {
                let last = path.parts[at - 1];
                self.push(last, dataset, Of::Column(column), stand.position, Form::Told);
                self.doubts
                    .push(Doubt::annotate(last.range(), "the whole struct goes on, and one of its fields is renamed"));
            }
            return;
        };
        let name = folded(part.text());
        match known.fields.iter().position(|(old, _)| old.eq_ignore_ascii_case(&name)) {
            Some(field) => self.push_field(path, at, (dataset, column, field), stand),
            // A field that is not listed may be another one afterwards.
            None if known.fields.is_empty() => {}
            None => {
                self.push(*part, dataset, Of::Unlisted(format!("{}.{name}", known.name)), stand.position, Form::Told);
                self.doubt(*part, "a field that the mapping does not list");
            }
        }
    }

    fn push_field(
        &mut self,
        path: &Path<'t>,
        at: usize,
        (dataset, column, field): (usize, usize, usize),
        stand: Stand,
    ) {
        let mut form = self.column_form(path, at, stand);
        form.value = ValueUse::Same;
        form.removable = None;
        if path.parts.len() > at + 1 {
            form.alias = None;
        }
        self.push(path.parts[at], dataset, Of::Field(column, field), stand.position, Form::Column(form));
    }

    /// Whether a struct or array is only looked into here: unnested, counted, indexed.
    fn is_taken_apart(&self, node: Node<'t>) -> bool {
        let Some(parent) = node.parent() else { return false };
        match parent.kind() {
            "is" => true,
            "argument" => {
                let around = parent.parent().and_then(|arguments| arguments.parent());
                around.is_some_and(|around| match around.kind() {
                    "unnest" => true,
                    "call" | "table_call" => {
                        let name = around.field("function").map_or(String::new(), |name| name.text().to_lowercase());
                        let looks = [
                            "count",
                            "array_length",
                            "size",
                            "cardinality",
                            "len",
                            "explode",
                            "explode_outer",
                            "flatten",
                            "unnest",
                        ];
                        let asks = ["exists", "any_match", "all_match", "none_match", "forall"];
                        let has_lambda = || around.descendants().any(|below| below.kind() == "lambda");
                        looks.contains(&name.as_str())
                            || asks.contains(&name.as_str()) && has_lambda()
                            || matches!(name.as_str(), "filter" | "list_filter" | "array_filter")
                                && has_lambda()
                                && self.is_taken_apart(around)
                    }
                    _ => false,
                })
            }
            "expression_list" => parent.parent().is_some_and(|around| around.kind() == "star_modifier"),
            _ => false,
        }
    }

    /// How the text of `parts[at]` may be rewritten.
    fn column_form(&self, path: &Path<'t>, at: usize, stand: Stand) -> ColumnForm {
        let (first, name) = (path.parts[0], path.parts[at]);
        let whole = first.range().start..name.range().end;
        let spelled = name.text().to_owned();
        let item = path.node.parent().filter(|parent| parent.kind() == "select_item");
        ColumnForm {
            qualifier: self.text(first.local_range().start..name.local_range().start),
            alias: stand.named.then(|| format!(" {} {spelled}", self.as_keyword(path.node))),
            inner: self.inner(name),
            removable: item.filter(|_| stand.named).and_then(|item| self.removable(item)),
            operand: !matches!(
                path.node.parent().map(Node::kind),
                Some("select_item" | "argument" | "order_item" | "grouping_item")
            ),
            value: self.value_use(path.node),
            role: stand.role,
            whole,
            spelled,
        }
    }

    /// Whether a use is of a column that has no successor.
    pub(super) fn drops(&self, one: usize) -> bool {
        let one = &self.uses[one];
        let Of::Column(column) = one.of else { return false };
        matches!(self.datasets.mappings[one.dataset].columns[column].becomes, crate::dataset::mapping::Becomes::Drop(_))
    }

    /// Whether other text stands at these bytes of the file.
    pub(super) fn differs(&self, range: &std::ops::Range<usize>, new: &str) -> bool {
        let base = self.tree.base();
        self.text(range.start - base..range.end - base) != new
    }

    fn text(&self, range: std::ops::Range<usize>) -> String {
        self.tree.text().get(range).unwrap_or("").to_owned()
    }

    /// `as`, in the case of the statement's `select`.
    fn as_keyword(&self, node: Node<'t>) -> &'static str {
        let statement = std::iter::once(node).chain(node.ancestors().take(256));
        let word = statement.flat_map(Node::children).find(|child| child.kind() == "select");
        if word.is_some_and(|word| word.text().starts_with('S') && word.text().ends_with('T')) { "AS" } else { "as" }
    }

    /// A list item and the comma that goes with it.
    fn removable(&self, item: Node<'t>) -> Option<std::ops::Range<usize>> {
        let clause = item.parent()?;
        let items: Vec<Node<'t>> = clause.children().filter(|child| child.kind() == "select_item").collect();
        let at = items.iter().position(|one| one.id == item.id)?;
        let clean = |range: &std::ops::Range<usize>| {
            let between = self.text(range.clone());
            between.chars().all(|c| c.is_whitespace() || c == ',') && between.matches(',').count() == 1
        };
        if items.len() < 2 {
            return None;
        }
        let own = item.local_range();
        let (gap, whole) = if at > 0 {
            let before = items[at - 1].local_range().end;
            (before..own.start, before..own.end)
        } else {
            let after = items[at + 1].local_range().start;
            (own.end..after, own.start..after)
        };
        clean(&gap).then(|| self.shift(whole))
    }

    /// Bytes of a name between its quotes.
    pub(super) fn inner(&self, name: Node<'t>) -> std::ops::Range<usize> {
        let (range, text) = (name.range(), name.text());
        let quotes = (text.len() - unquoted(text).len()) / 2;
        range.start + quotes..range.end - quotes
    }

    pub(super) fn push(&mut self, node: Node<'t>, dataset: usize, of: Of, position: Position, form: Form) {
        self.uses.push(Use { range: node.range(), dataset, of, position, form });
    }

    pub(super) fn push_unlisted(&mut self, node: Node<'t>, dataset: usize) {
        let name = unquoted(node.text()).to_owned();
        let why = format!("the mapping of {} does not list {name}", self.datasets.mappings[dataset].dataset);
        self.push(node, dataset, Of::Unlisted(name), Position::Read, Form::Told);
        self.doubt(node, why);
    }

    /// A column by its name alone, outside of any expression.
    pub(super) fn push_column(
        &mut self,
        name: Node<'t>,
        dataset: usize,
        column: usize,
        position: Position,
        role: Role,
        value: ValueUse,
    ) {
        let form = ColumnForm {
            whole: name.range(),
            qualifier: String::new(),
            spelled: name.text().to_owned(),
            inner: self.inner(name),
            role,
            value,
            alias: None,
            removable: None,
            operand: false,
        };
        self.push(name, dataset, Of::Column(column), position, Form::Column(form));
    }

    /// A name without qualifier, through the scopes.
    pub(super) fn lookup(&self, scope: Option<usize>, name: &str, clause: Clause) -> Found {
        self.lookup_at(scope, name, clause, None)
    }

    /// Whether a name of the list is visible at `node`: behind `order by` and `group by`, and
    /// where a dialect lets items see each other, outside of the item itself.
    fn sees_alias(&self, clause: Clause, node: Option<Node<'t>>, name: &str) -> bool {
        let own = || {
            let item = node.and_then(|node| node.ancestors().take(256).find(|up| up.kind() == "select_item"));
            item.is_some_and(|item| self.output_name(item).as_deref() == Some(name))
        };
        clause != Clause::Columns || self.setting.dialect != super::Dialect::BigQuery && !own()
    }

    fn lookup_at(&self, scope: Option<usize>, name: &str, clause: Clause, node: Option<Node<'t>>) -> Found {
        let mut unlisted = None;
        let mut unknown: Vec<String> = Vec::new();
        let mut first = true;
        for index in self.scopes_from(scope) {
            let scope = &self.scopes[index];
            if scope.locals.contains_key(name) {
                return Found::Local;
            }
            let alias = scope.aliases.get(name).copied();
            if first && clause == Clause::Names && alias.is_some() {
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
                if first && clause == Clause::Either && alias == Some(Alias::Given) {
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
                // A name of time or of the warehouse's own is nobody's column.
                if PSEUDO.contains(&name) || UNITS.contains(&name) {
                    Found::Other
                } else {
                    Found::Ambiguous(dataset, of, why)
                }
            }
            None => Found::Other,
        }
    }

    /// What the certain hits of one scope come to.
    fn decided(&self, certain: &[(Hit, usize)], unknown: &[String], scope: usize, name: &str) -> Option<Found> {
        let (hit, at) = *certain.first()?;
        let ours = certain.iter().find_map(|(hit, _)| self.changed(*hit));
        let merged = self.scopes[scope].natural || self.scopes[scope].merged.contains(name);
        if let Some((dataset, of)) = ours {
            let label =
                |at: usize| self.scopes[scope].relations[at].name.clone().unwrap_or_else(|| "a subquery".to_owned());
            let alike = certain.iter().all(|(other, _)| *other == hit);
            if certain.len() > 1 && !(merged && alike) {
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
    fn changed(&self, hit: Hit) -> Option<(usize, Of)> {
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
    fn either(&self, found: Found) -> Found {
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
    fn meets_new(&mut self, path: &Path<'t>, stand: Stand, name: &str, of: Option<(usize, usize)>) {
        let mut found = None;
        'all: for scope in self.scopes_from(stand.scope) {
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

    /// The new name of a column without qualifier must not be another's.
    fn meets_others(&mut self, path: &Path<'t>, stand: Stand, new: Option<&str>, scope: usize, relation: usize) {
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
    fn expression_names(&self, source: &Source, old: &str) -> Vec<String> {
        let Hit::Dataset(dataset, column) = self.shapes.find(source, old) else { return Vec::new() };
        match &self.datasets.mappings[dataset].columns[column].becomes {
            crate::dataset::mapping::Becomes::Expressions(all) => {
                all.get("sql").into_iter().flat_map(|one| one.columns()).map(str::to_lowercase).collect()
            }
            _ => Vec::new(),
        }
    }
}
