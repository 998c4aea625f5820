//! A name with dots: which relation, column and field it is.

use super::lookup::{Clause, Found, PSEUDO, is_unit_of_time};
use super::relation::{Hit, Source};
use super::{Resolver, folded};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Form, Of, Role, Use, ValueUse};
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
                self.qualifier_meets_new(path, stand, scope);
                self.of_relation(path, qualifier, scope, relation, stand);
                return;
            }
        }
        let name = folded(path.parts[0].text());
        let local =
            self.scopes_from(stand.scope).find_map(|scope| self.local(scope, &name).map(|local| (scope, local)));
        if let Some((scope, local)) = local {
            self.local_meets(path, stand, &name, scope);
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
                self.alias_reached(stand, &name, path.node);
                // Behind `order by` the list's names come first, at least where they stand alone.
                let whole = path.node.parent().is_some_and(|parent| parent.kind() == "order_item");
                let alone = self.groups_by_name(Some(path.node));
                if !alone && (stand.clause != Clause::Names || !whole && !self.setting.dialect.is_google()) {
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
                } else if !PSEUDO.contains(&name.as_str())
                    && !is_unit_of_time(path.node, &name)
                    && !name.starts_with('$')
                {
                    self.push_unlisted(path.parts[0], dataset);
                }
            }
        }
    }

    /// A name of which a part is put in at run time.
    fn hole(&mut self, path: &Path<'t>, stand: Stand) {
        let range = path.node.local_range();
        // `country_{suffix}` is a name that is put together.
        let holes = &self.setting.holes;
        let in_hole = |at: usize| holes.iter().any(|hole| hole.contains(&at));
        let letters = path.node.text().char_indices().filter(|(_, c)| c.is_alphabetic());
        let glued = letters.map(|(at, _)| range.start + at).any(|at| !in_hole(at));
        let compared = path.parts.len() == 1 && !glued && self.is_value_put_in(path.node);
        if compared {
            let mut here =
                self.setting.holes.iter().filter(|hole| hole.start < range.end && range.start < hole.end).peekable();
            // `{value}{more}`: what is put in behind a value may be any part of the query.
            let end = here.peek().map_or(0, |first| first.end);
            self.values.extend(here.take_while(|hole| hole.start < end).map(|hole| hole.start));
        } else if self.reads_a_dataset(stand.scope) {
            self.doubts.push(Doubt::open(path.node.range(), "what is put in at run time may name any column"));
        }
    }

    /// Whether what is put in here is a value: one that a column is compared with is none of the
    /// table's.
    pub(super) fn is_value_put_in(&self, node: Node<'t>) -> bool {
        let mut at = node;
        while let Some(parent) = at.parent().filter(|parent| parent.kind() == "parenthesized") {
            at = parent;
        }
        at.parent().is_some_and(|parent| match parent.kind() {
            "binary" => {
                let other =
                    ["left", "right"].into_iter().filter_map(|side| parent.field(side)).find(|side| side.id != at.id);
                let joins = parent.field("operator").is_some_and(|operator| matches!(operator.kind(), "and" | "or"));
                !joins && other.is_some_and(|other| self.reads_a_column(other))
            }
            "between" => parent.field("left").is_some_and(|left| left.id != at.id && self.reads_a_column(left)),
            "expression_list" => parent.parent().is_some_and(|around| {
                around.kind() == "in" && around.field("left").is_some_and(|left| self.reads_a_column(left))
            }),
            "limit_clause" | "offset_clause" | "interval" => true,
            _ => false,
        })
    }

    fn reads_a_column(&self, node: Node<'t>) -> bool {
        std::iter::once(node)
            .chain(node.descendants())
            .any(|below| below.kind() == "column" && !self.has_hole(&below.local_range()))
    }

    /// A whole row as a value.
    fn row(&mut self, node: Node<'t>, (scope, relation): (usize, usize)) {
        let source = self.scopes[scope].relations[relation].source.clone();
        self.reads_all(&source);
        self.carried.extend(self.shapes.carried(&source));
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
            let edits =
                path.parts[..qualifier].iter().zip(new).map(|(part, new)| (self.inner(*part), self.cased(*part, new)));
            let edits: Vec<_> = edits.filter(|(range, new)| self.differs(range, new)).collect();
            let last = path.parts[qualifier - 1];
            self.push(last, *dataset, Of::Dataset, Position::Read, Form::Name(edits));
        }
        let name = folded(path.parts[qualifier].text());
        let hit = self.shapes.find(&one.source, &name);
        if hit == Hit::No && self.is_named_further_out(scope, one.name.as_deref()) {
            self.doubt(path.node, "the table has no such column, and one further out has the same name");
        }
        self.hit(path, qualifier, hit, stand, None);
    }

    /// Whether a dataset further out than a scope has this name.
    fn is_named_further_out(&self, scope: usize, name: Option<&str>) -> bool {
        self.scopes_from(Some(scope)).skip(1).any(|outer| {
            let mut relations = self.scopes[outer].relations.iter();
            relations.any(|one| {
                name.is_some() && one.name.as_deref() == name && !self.shapes.starred(&one.source).is_empty()
            })
        })
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
                let carries = self.shapes.all[shape].columns[column].carries.clone();
                self.carry(&carries, stand.position, path.node);
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

    /// Whether the first name of a path is a table's, too.
    fn is_table(&self, path: &Path<'t>, at: usize, stand: Stand) -> bool {
        let name = folded(path.parts[0].text());
        let named = |scope: usize| self.scopes[scope].relations.iter().any(|one| one.name.as_deref() == Some(&name));
        at == 0 && self.scopes_from(stand.scope).any(named)
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
        } else if path.parts.len() > at + 1 && self.is_table(path, at, stand) {
            self.doubt(path.node, "a field of this column, or a column of a table further out");
        } else if path.parts.len() > at + 1 && known.to().is_none() {
            self.doubt(path.parts[at], "a field of a column that the mapping takes for a plain value");
        }
        let mut form = self.column_form(path, at, stand);
        let is_part = |node: Node<'_>| node.kind() == "subscript";
        if is_part(path.node) || path.node.descendants().any(is_part) {
            form.value = ValueUse::Elsewhere("a part of its value is taken");
        }
        let position = self.position_of(path.node, stand.position);
        let followed = known.is_bound() && !self.datasets.mappings[dataset].by_rules;
        if followed && form.value != ValueUse::Same {
            self.carried.push(self.uses.len());
        }
        self.push(path.parts[at], dataset, Of::Column(column), position, Form::Column(form));
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
}
