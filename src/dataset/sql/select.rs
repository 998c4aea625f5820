//! One `select`: its tables, its clauses, and its list.

use std::collections::HashSet;

use super::lookup::Clause;
use super::path::Stand;
use super::relation::{Hit, Output, Relation, Shape, Source, Star};
use super::{Alias, Around, Goes, Resolver, folded};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Of, Role, ValueUse};
use crate::tree::Node;

/// Whether another clause of the query may mean an item by its name.
fn names_its_list(clause: Node<'_>) -> bool {
    let Some(select) = clause.parent() else { return false };
    let own = select.named_children().any(|child| matches!(child.kind(), "having_clause" | "qualify_clause"));
    let query = select.parent().filter(|parent| parent.kind() == "query");
    own || query.is_some_and(|query| query.named_children().any(|child| child.kind() == "order_by_clause"))
}

const MADE_OF_TEXT: &str = "the name of what is calculated is made of the column's name, and leaves";
const NAMED_BY_TEMPLATE: &str = "a template decides what this column is called";

/// Whether a tag of a template lies in an item so that its name depends on it: `{% if x %} a {% else %} b
/// {% endif %}`. An alias behind all of them names each.
fn is_named_by_template(item: Node<'_>) -> bool {
    let mut tags = item.descendants().filter(|below| below.kind() == "jinja_tag").peekable();
    if tags.peek().is_none() {
        return false;
    }
    let alias = item.named_children().filter(|child| child.field_name() == Some("alias")).last();
    let Some(alias) = alias else { return true };
    let (mut open, mut last) = (0_i32, 0);
    for tag in tags {
        let word = Resolver::tag(tag);
        open += i32::from(matches!(word, "if" | "for")) - i32::from(word.starts_with("end"));
        last = tag.range().end;
    }
    // A tag before the item may have opened what is closed here.
    open > 0 || last > alias.range().start || is_alternative(item, alias)
}

/// Whether an alias may be that of the last of several values alone: no tag closes them before it.
fn is_alternative(item: Node<'_>, alias: Node<'_>) -> bool {
    let closes = |tag: Node<'_>| Resolver::tag(tag).starts_with("end") && tag.range().end <= alias.range().start;
    let closed = item.descendants().filter(|below| below.kind() == "jinja_tag").any(closes);
    item.field("value").is_some_and(|value| value.kind() == "alternatives") && !closed
}

impl<'t> Resolver<'t> {
    /// A `select`: its shape, and the scope that an `order by` behind it sees.
    pub(super) fn select(&mut self, node: Node<'t>, around: &Around, goes: Goes) -> (usize, usize) {
        let scope = self.scope(around.scope);
        let inner = Around { scope: Some(scope), ctes: around.ctes.clone() };
        for from in node.named_children().filter(|child| child.kind() == "from_clause") {
            self.from(from, &inner, scope);
        }
        self.tables_meet(scope, node);
        let clause = node.named_children().find(|child| child.kind() == "select_clause");
        if let Some(clause) = clause {
            self.aliases(clause, scope);
        }
        for child in node.named_children() {
            match child.kind() {
                "select_clause" | "from_clause" => {}
                "where_clause" => self.expression(child, &inner, Position::Filter),
                "group_by_clause" => self.expression_in(child, &inner, Position::Group, Clause::Either),
                "having_clause" | "qualify_clause" => {
                    self.expression_in(child, &inner, Position::Filter, Clause::Either);
                }
                "window_clause" => {
                    for window in child.named_children() {
                        window.field("name").into_iter().for_each(|name| self.account(name));
                        for part in window.named_children().filter(|part| part.field_name() != Some("name")) {
                            if part.kind() == "identifier" {
                                self.account(part);
                            } else {
                                self.expression(part, &inner, Position::Read);
                            }
                        }
                    }
                }
                "jinja_output" => self.jinja_body(child),
                "jinja_tag" => self.account(child),
                kind => {
                    self.told_tables(child);
                    self.doubt(child, format!("a clause that gander does not follow ({kind})"));
                }
            }
        }
        let shape = match clause {
            Some(clause) => self.list(clause, &inner, goes),
            None => self.shapes.add(Shape { open: true, ..Shape::default() }),
        };
        self.groups_by_place(node, shape);
        if self.has_ordinals(node) {
            // A number means a place in the list: nothing may be taken out of it.
            self.read.extend(self.shapes.all[shape].columns.iter().filter_map(|column| column.hands_on));
        }
        (shape, scope)
    }

    /// Whether a column of the list is meant by its number.
    fn has_ordinals(&self, select: Node<'t>) -> bool {
        let query = select.ancestors().find(|up| up.kind() == "query");
        let orders =
            query.into_iter().flat_map(|query| query.named_children().filter(|c| c.kind() == "order_by_clause"));
        let groups = select.named_children().filter(|child| child.kind() == "group_by_clause");
        let items = orders.chain(groups).flat_map(|clause| clause.named_children().collect::<Vec<_>>());
        items.into_iter().any(|item| {
            item.named_children().any(|value| value.kind() == "number")
                || item.children().any(|child| child.kind() == "all")
        }) || select
            .descendants()
            .any(|below| below.kind() == "group_by_clause" && below.children().any(|child| child.kind() == "all"))
    }

    /// The name that an item gives its column, in lower case.
    pub(super) fn output_name(&self, item: Node<'t>) -> Option<String> {
        if let Some(alias) = item.field("alias") {
            return Some(folded(alias.text()));
        }
        let value = item.field("value")?;
        self.path_of(value).and_then(|path| path.parts.last().map(|part| folded(part.text())))
    }

    /// Names of the list, which other clauses may mean.
    fn aliases(&mut self, clause: Node<'t>, scope: usize) {
        for item in clause.named_children().filter(|child| child.kind() == "select_item") {
            let Some(name) = self.output_name(item) else { continue };
            let given = item.field("alias").is_some();
            let same = || {
                let value = item.field("value").and_then(|value| self.path_of(value));
                value.is_some_and(|path| path.parts.last().is_some_and(|last| folded(last.text()) == name))
            };
            let alias = match given {
                true if same() => Alias::Same,
                true => Alias::Given,
                false => Alias::Column,
            };
            let known = self.scopes[scope].aliases.entry(name).or_insert(alias);
            if alias == Alias::Given {
                *known = alias;
            }
        }
    }

    /// The items of a list: what it hands on.
    pub(super) fn list(&mut self, clause: Node<'t>, around: &Around, goes: Goes) -> usize {
        let words: Vec<&str> = clause.children().filter(|child| !child.is_named()).map(Node::kind).collect();
        let distinct = words.contains(&"distinct");
        let as_struct = words.contains(&"struct") || words.contains(&"value");
        let mut shape = Shape::default();
        let named = matches!(goes, Goes::Out | Goes::Inside) || as_struct || names_its_list(clause);
        let position = if distinct { Position::Group } else { Position::Read };
        for child in clause.named_children() {
            match child.kind() {
                "select_item" => self.item(
                    child,
                    around,
                    goes,
                    Stand { scope: around.scope, position, clause: Clause::Columns, role: Role::Value, named },
                    distinct,
                    &mut shape,
                ),
                "expression_list" => self.expression(child, around, Position::Group),
                "number" | "options" | "name_path" | "identifier" => self.account(child),
                "jinja_tag" => self.account(child),
                "jinja_output" | "jinja_name" => self.jinja_body(child),
                kind => self.doubt(child, format!("gander does not follow names through this ({kind})")),
            }
        }
        self.stars_meet_names(&shape, clause);
        self.aliases_reach(&shape, around.scope);
        if distinct {
            self.stars_reach(&shape, Position::Group, clause);
        }
        if as_struct && goes != Goes::Nowhere {
            let made = Shape { columns: shape.columns.clone(), stars: shape.stars.clone(), open: shape.open };
            let made = self.shapes.add(made);
            self.hands_on_struct(made, clause);
        }
        self.shapes.add(shape)
    }

    fn hands_on_struct(&mut self, shape: usize, clause: Node<'t>) {
        self.leaves(shape, clause);
    }

    /// A name beside a star that a dataset will have, too.
    fn stars_meet_names(&mut self, shape: &Shape, clause: Node<'t>) {
        for column in &shape.columns {
            let Some(name) = &column.name else { continue };
            if shape.stars.iter().any(|star| self.shapes.will_have(&star.source, name)) {
                let why = format!("the star will have a column {name}, as the list has already");
                self.doubts.push(Doubt::annotate(clause.range(), why));
            }
        }
        let sources: Vec<&Star> = shape.stars.iter().collect();
        for (at, star) in sources.iter().enumerate() {
            for dataset in self.shapes.starred(&star.source) {
                let columns = &self.datasets.mappings[dataset].columns;
                let meets = columns.iter().filter_map(|column| column.to()).any(|to| {
                    let to = to.to_lowercase();
                    self.datasets.mappings[dataset].arrives(&to)
                        && sources.iter().enumerate().any(|(other, one)| {
                            let hit = self.shapes.find(&one.source, &to);
                            other != at && matches!(hit, Hit::Other | Hit::Maybe)
                        })
                });
                if meets {
                    self.doubts.push(Doubt::annotate(clause.range(), "two stars will have a column of the same name"));
                    return;
                }
            }
        }
    }

    fn item(&mut self, item: Node<'t>, around: &Around, goes: Goes, stand: Stand, distinct: bool, shape: &mut Shape) {
        let aliases: Vec<Node<'t>> =
            item.named_children().filter(|child| child.field_name() == Some("alias")).collect();
        for alias in &aliases {
            if alias.kind().starts_with("jinja") {
                self.jinja_body(*alias);
            } else {
                self.account(*alias);
            }
        }
        let Some(value) = item.field("value") else { return };
        if value.kind() == "star" {
            self.star(value, around, shape);
            return;
        }
        let name = self.output_name(item);
        let path = self.path_of(value).filter(|_| value.kind() != "string" || value.text().starts_with('"'));
        let carried = self.carried.len();
        let before = self.uses.len();
        let Some(path) = path else {
            self.expression(value, around, stand.position);
            if name.is_none() && self.setting.names_by_text() {
                self.doubt_name(value, before, goes, MADE_OF_TEXT);
            }
            if is_named_by_template(item) {
                self.doubt_name(item, before, goes, NAMED_BY_TEMPLATE);
            }
            self.hand_on(Output::of(name), carried, around.scope, shape);
            return;
        };
        self.path(&path, Stand { named: stand.named && aliases.is_empty(), ..stand });
        // Subscripts of the path hold expressions of their own.
        self.expression(value, around, stand.position);
        let mut hands_on = None;
        for at in before..self.uses.len() {
            let Of::Column(column) = self.uses[at].of else { continue };
            let known = &self.datasets.mappings[self.uses[at].dataset].columns[column];
            if known.values.is_some() {
                hands_on = Some(at);
            }
            if self.drops(at) {
                hands_on = Some(at);
                if goes != Goes::Inside || distinct || !aliases.is_empty() {
                    self.read.insert(at);
                }
            }
        }
        if is_named_by_template(item) {
            self.doubt_name(item, before, goes, NAMED_BY_TEMPLATE);
        }
        let element = self.array_of(value, around.scope);
        self.hand_on(Output { name, hands_on, element, ..Output::default() }, carried, around.scope, shape);
    }

    /// Holds the query where an item's name goes on that is made of a column's, which changes.
    fn doubt_name(&mut self, at: Node<'t>, before: usize, goes: Goes, why: &str) {
        let changes = |one: &crate::dataset::usage::Use| match one.of {
            Of::Column(column) => !self.datasets.mappings[one.dataset].columns[column].is_kept(),
            Of::Field(column, field) => {
                let (old, new) = &self.datasets.mappings[one.dataset].columns[column].fields[field];
                old != new
            }
            _ => false,
        };
        if matches!(goes, Goes::Out | Goes::Inside) && self.uses[before..].iter().any(changes) {
            self.doubt(at, why);
        }
    }

    /// `*`, `t.*`, with `except` and `replace`.
    fn star(&mut self, node: Node<'t>, around: &Around, shape: &mut Shape) {
        let Some(scope) = around.scope else { return };
        let mut sources: Vec<Source> = Vec::new();
        match node.field("table") {
            None => sources.extend(self.scopes[scope].relations.iter().map(|one| one.source.clone())),
            Some(table) => {
                self.account(table);
                let path = self.path_of(table);
                let named = path.and_then(|path| {
                    let name = folded(path.parts.last()?.text());
                    let alone = path.parts.len() == 1;
                    self.scopes_from(Some(scope)).find_map(|scope| {
                        let relation = self.scopes[scope]
                            .relations
                            .iter()
                            .find(|one| one.name.as_deref() == Some(&name) && (alone || !one.path.is_empty()));
                        relation.map(|one| (one.clone(), path.parts.clone()))
                    })
                });
                match named {
                    Some((relation, parts)) => {
                        if let (Source::Dataset(dataset), Some(new)) = (&relation.source, &relation.renamed) {
                            let new = &new[new.len().saturating_sub(parts.len())..];
                            let edits =
                                parts.iter().zip(new).map(|(part, new)| (self.inner(*part), self.cased(*part, new)));
                            let edits = edits.filter(|(range, new)| self.differs(range, new)).collect();
                            let last = parts[parts.len() - 1];
                            self.push(
                                last,
                                *dataset,
                                Of::Dataset,
                                Position::Read,
                                crate::dataset::usage::Form::Name(edits),
                            );
                        }
                        sources.push(relation.source);
                    }
                    // The fields of a struct.
                    None => {
                        if self.reads_a_dataset(Some(scope)) {
                            self.doubts.push(Doubt::open(node.range(), "the star of a value"));
                        }
                        shape.open = true;
                        return;
                    }
                }
            }
        }
        let (mut except, mut replaced) = (HashSet::new(), HashSet::new());
        for modifier in node.named_children().filter(|child| child.kind() == "star_modifier") {
            self.modifier(modifier, &sources, around, &mut except, &mut replaced);
        }
        for source in sources {
            let star = Star { source, except: except.clone(), replaced: replaced.clone(), at: node.range() };
            shape.stars.push(star);
        }
    }

    fn modifier(
        &mut self,
        node: Node<'t>,
        sources: &[Source],
        around: &Around,
        except: &mut HashSet<String>,
        replaced: &mut HashSet<String>,
    ) {
        let word = node.children().find(|child| !child.is_named()).map_or("", Node::kind);
        match word {
            "except" | "exclude" => {
                let list: Vec<Node<'t>> = node
                    .named_children()
                    .flat_map(|child| {
                        if child.kind() == "expression_list" { child.named_children().collect() } else { vec![child] }
                    })
                    .collect();
                for name in list {
                    let leaf = name.named_children().last().unwrap_or(name);
                    except.insert(folded(leaf.text()));
                    self.star_name(leaf, sources);
                    self.account(name);
                }
            }
            "replace" => {
                for item in node.named_children().filter(|child| child.kind() == "select_item") {
                    let before = self.carried.len();
                    if let Some(value) = item.field("value") {
                        self.expression(value, around, Position::Read);
                        self.lose(&self.carried_since(before), value);
                    }
                    if let Some(alias) = item.field("alias") {
                        replaced.insert(folded(alias.text()));
                        self.star_name(alias, sources);
                        self.account(alias);
                    }
                }
            }
            _ => {
                self.told_columns(node);
                self.account(node);
                if sources.iter().any(|source| !self.shapes.starred(source).is_empty()) {
                    self.doubts.push(Doubt::annotate(node.range(), "columns of the star are chosen or renamed"));
                }
            }
        }
    }

    /// A column of a star, by its name.
    fn star_name(&mut self, name: Node<'t>, sources: &[Source]) {
        let folded = folded(name.text());
        let hits: Vec<Hit> = sources.iter().map(|source| self.shapes.find(source, &folded)).collect();
        for hit in hits {
            match hit {
                Hit::Dataset(dataset, column) | Hit::Replaced(dataset, column) => {
                    let known = &self.datasets.mappings[dataset].columns[column];
                    if known.to().is_none() {
                        self.doubt(name, "the star of the new table has no such column, which the list names");
                    }
                    self.push_column(name, dataset, column, Position::Read, Role::Star, ValueUse::Same);
                }
                Hit::Unlisted(dataset) => self.push_unlisted(name, dataset),
                Hit::Output(shape, column) => self.read.extend(self.shapes.all[shape].columns[column].hands_on),
                _ => {}
            }
        }
    }

    /// The tables of a `from`, left to right.
    pub(super) fn from(&mut self, node: Node<'t>, around: &Around, scope: usize) {
        match node.kind() {
            "table_reference" => return self.reference(node, around, scope),
            "join" => return self.join(node, around, scope),
            _ => {}
        }
        for child in node.named_children() {
            match child.kind() {
                "table_reference" => self.reference(child, around, scope),
                "join" => self.join(child, around, scope),
                "jinja_tag" => self.account(child),
                "jinja_output" => self.jinja_body(child),
                kind => {
                    self.told_tables(child);
                    self.doubt(child, format!("gander does not follow tables through this ({kind})"));
                }
            }
        }
    }

    pub(super) fn join(&mut self, node: Node<'t>, around: &Around, scope: usize) {
        let before = self.scopes[scope].relations.len();
        let inner = Around { scope: Some(scope), ctes: around.ctes.clone() };
        let kind = node
            .children()
            .filter(|child| child.field_name() == Some("kind"))
            .map(Node::text)
            .collect::<Vec<_>>()
            .join(" ");
        if let Some(table) = node.named_children().find(|child| child.kind() == "table_reference") {
            self.reference(table, around, scope);
        }
        if kind.to_lowercase().contains("natural") || node.children().any(|child| child.kind() == "natural") {
            let touches = self.scopes[scope].relations.iter().any(|one| !self.shapes.starred(&one.source).is_empty());
            self.scopes[scope].natural = true;
            let sources: Vec<Source> = self.scopes[scope].relations.iter().map(|one| one.source.clone()).collect();
            sources.iter().for_each(|source| self.reads_all(source));
            for source in &sources {
                self.reach(&self.shapes.carried(source), Position::Using, node);
            }
            if touches {
                self.doubt(node, "a natural join joins on every common name, and names change");
            }
        }
        for child in node.named_children() {
            match child.kind() {
                "on_clause" => self.expression(child, &inner, Position::Filter),
                "using_clause" => self.using(child, scope, before),
                _ => {}
            }
        }
    }

    /// `using (a, b)`: each name is a column of both sides.
    fn using(&mut self, node: Node<'t>, scope: usize, before: usize) {
        let list: Vec<Node<'t>> =
            node.named_children().flat_map(|list| list.named_children().collect::<Vec<_>>()).collect();
        for one in list {
            let Some(leaf) = (if one.kind() == "column" { one.named_children().last() } else { Some(one) }) else {
                continue;
            };
            let name = folded(leaf.text());
            let (left, right) = self.scopes[scope].relations.split_at(before);
            let hits = |side: &[Relation]| -> Vec<Hit> {
                side.iter().map(|one| self.shapes.find(&one.source, &name)).filter(|hit| *hit != Hit::No).collect()
            };
            let (left, right) = (hits(left), hits(right));
            let all: Vec<Hit> = left.iter().chain(&right).copied().collect();
            self.account(one);
            self.outputs_reach(&all, Position::Using, leaf);
            let ours = all.iter().find_map(|hit| match hit {
                Hit::Dataset(dataset, column) | Hit::Replaced(dataset, column) => Some((*dataset, *column)),
                _ => None,
            });
            // The sides that are sure of it are what joins; the others only may have it.
            let sure = |side: &[Hit]| side.iter().any(|hit| hit.is_certain());
            match ours {
                Some((dataset, column)) => {
                    let alike = sure(&left)
                        && sure(&right)
                        && all
                            .iter()
                            .all(|hit| *hit == Hit::Dataset(dataset, column) || matches!(hit, Hit::Unlisted(_)));
                    let kept = self.datasets.mappings[dataset].columns[column].is_kept();
                    let role = if alike || kept { Role::UsingAlike } else { Role::Using };
                    let value =
                        if alike { ValueUse::Same } else { ValueUse::Elsewhere("it is joined with values that stay") };
                    self.push_column(leaf, dataset, column, Position::Using, role, value);
                    let one_sided =
                        |side: &[Hit]| !sure(side) && side.iter().any(|hit| matches!(hit, Hit::Unlisted(_)));
                    if one_sided(&left) || one_sided(&right) {
                        self.doubt(leaf, "one side may have it, though its mapping does not list it");
                    }
                    let meets =
                        self.scopes[scope].relations.iter().any(|one| self.shapes.will_have(&one.source, &name));
                    if meets && kept {
                        self.doubt(leaf, "another table will have a column of this name, too");
                    }
                }
                None => {
                    let unlisted = |side: &[Hit]| {
                        side.iter().find_map(|hit| match hit {
                            Hit::Unlisted(dataset) if !sure(side) && !side.contains(&Hit::Maybe) => Some(*dataset),
                            _ => None,
                        })
                    };
                    if let Some(dataset) = unlisted(&left).or(unlisted(&right)) {
                        self.push_unlisted(leaf, dataset);
                    }
                    if self.scopes[scope].relations.iter().any(|one| self.shapes.will_have(&one.source, &name)) {
                        self.doubt(leaf, "a dataset will have a column of this name, too");
                    }
                }
            }
            self.scopes[scope].merged.insert(name);
        }
    }
}
