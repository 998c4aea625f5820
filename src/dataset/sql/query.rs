//! Queries: common table expressions, set operations, and what each hands on.

use std::collections::HashSet;

use super::lookup::Clause;
use super::relation::{Output, Relation, Shape, Source, Star};
use super::{Around, Goes, Resolver, folded};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Of};
use crate::tree::Node;

impl<'t> Resolver<'t> {
    /// A query; the shape that it hands on.
    pub(super) fn query(&mut self, node: Node<'t>, around: &Around, goes: Goes) -> usize {
        if self.depth >= super::MAX_DEPTH {
            self.told_tables(node);
            self.doubts.push(Doubt::refuse(node.range(), "queries lie too deep in each other"));
            self.account(node);
            return self.shapes.add(Shape { open: true, ..Shape::default() });
        }
        self.depth += 1;
        let shape = self.query_inside(node, around, goes);
        self.depth -= 1;
        shape
    }

    fn query_inside(&mut self, node: Node<'t>, around: &Around, goes: Goes) -> usize {
        let mut around = around.clone();
        let (mut shape, mut scope, mut piped) = (None, None, false);
        // A pipe renames and hands on: the list before it is inside of the query.
        let has_pipe = node.named_children().any(|child| child.kind() == "pipe_operator");
        let body_goes = if has_pipe { Goes::Inside } else { goes };
        for child in node.named_children() {
            match child.kind() {
                "with_clause" => self.with(child, &mut around),
                "pipe_operator" => {
                    piped = true;
                    let inner = scope.unwrap_or_else(|| self.scope(around.scope));
                    let (next, made) = self.pipe(child, &around, inner, shape, goes);
                    (scope, shape) = (Some(next), made);
                }
                "order_by_clause" | "limit_clause" | "fetch_clause" | "offset_clause" | "lock_clause" => {
                    let inner = scope.unwrap_or_else(|| self.scope(around.scope));
                    let inner = Around { scope: Some(inner), ctes: around.ctes.clone() };
                    let clause = if child.kind() == "order_by_clause" { Clause::Names } else { Clause::Columns };
                    self.expression_in(child, &inner, Position::Read, clause);
                }
                "jinja_output" | "jinja_name" => self.jinja_body(child),
                "jinja_tag" => self.account(child),
                _ => (shape, scope) = self.body(child, &around, body_goes),
            }
        }
        if piped && shape.is_none() {
            shape = scope.map(|scope| self.star_of(scope, node));
        }
        shape.unwrap_or_else(|| self.shapes.add(Shape { open: true, ..Shape::default() }))
    }

    /// Everything that the relations of a scope have.
    fn star_of(&mut self, scope: usize, node: Node<'t>) -> usize {
        let stars = self.scopes[scope].relations.iter().map(|one| Star {
            source: one.source.clone(),
            except: Default::default(),
            replaced: Default::default(),
            at: node.range(),
        });
        let stars = stars.collect();
        self.shapes.add(Shape { stars, ..Shape::default() })
    }

    /// The body of a query: its shape, and the scope that an `order by` sees.
    fn body(&mut self, node: Node<'t>, around: &Around, goes: Goes) -> (Option<usize>, Option<usize>) {
        match node.kind() {
            "select" => {
                let (shape, scope) = self.select(node, around, goes);
                (Some(shape), Some(scope))
            }
            "subquery" => {
                let shape = self.subquery(node, around, goes);
                let scope = self.outputs(shape, around);
                (Some(shape), Some(scope))
            }
            "set_operation" => {
                let shape = self.set_operation(node, around, goes);
                let scope = self.outputs(shape, around);
                (Some(shape), Some(scope))
            }
            "values" => {
                self.expression(node, around, Position::Read);
                (None, None)
            }
            "from_clause" => {
                let scope = self.scope(around.scope);
                let inner = Around { scope: Some(scope), ctes: around.ctes.clone() };
                self.from(node, &inner, scope);
                (Some(self.star_of(scope, node)), Some(scope))
            }
            "table_query" => {
                let Some(table) = node.field("table") else { return (None, None) };
                let relation = self.table(table, around);
                let scope = self.scope(around.scope);
                self.scopes[scope].relations.push(relation);
                (Some(self.star_of(scope, node)), Some(scope))
            }
            "identifier" if node.field_name() == Some("alias") => {
                self.account(node);
                (None, None)
            }
            kind => {
                self.told_tables(node);
                self.doubt(node, format!("gander does not follow queries through this ({kind})"));
                (None, None)
            }
        }
    }

    /// A scope in which only a query's output is seen.
    fn outputs(&mut self, shape: usize, around: &Around) -> usize {
        let scope = self.scope(around.scope);
        let relation = Relation { name: None, path: Vec::new(), renamed: None, source: Source::Derived(shape) };
        self.scopes[scope].relations.push(relation);
        scope
    }

    /// The query in parentheses; tags may part alternatives in it.
    pub(super) fn subquery(&mut self, node: Node<'t>, around: &Around, goes: Goes) -> usize {
        let mut shape = None;
        for child in node.named_children() {
            match child.kind() {
                "query" if shape.is_none() => shape = Some(self.query(child, around, goes)),
                "query" => {
                    self.query(child, around, goes);
                    self.doubt(child, "a template decides which query this is");
                }
                _ => self.jinja_body(child),
            }
        }
        shape.unwrap_or_else(|| self.shapes.add(Shape { open: true, ..Shape::default() }))
    }

    /// `a union all b …`: the first names the output.
    fn set_operation(&mut self, node: Node<'t>, around: &Around, goes: Goes) -> usize {
        let (mut branches, mut at, mut any_first) = (Vec::new(), node, false);
        let (mut by_name, mut compares): (bool, Option<Position>) = (false, None);
        while at.kind() == "set_operation" {
            if let Some(operator) = at.field("operator") {
                let text = operator.text().to_lowercase();
                by_name |= text.contains("name") || text.contains("corresponding");
                compares = compares.or(super::carry::set_position(&text));
                if operator.kind() == "jinja_output" {
                    self.jinja_body(operator);
                } else {
                    self.account(operator);
                }
            }
            // A template may leave the first out: any may name the output.
            any_first |= at.children().any(|child| child.kind() == "jinja_tag");
            branches.extend(at.field("right"));
            let Some(left) = at.field("left") else { break };
            at = left;
        }
        branches.push(at);
        branches.reverse();
        let mut first = None;
        for (number, branch) in branches.iter().enumerate() {
            let goes = match goes {
                Goes::Nowhere => Goes::Nowhere,
                _ if number == 0 || by_name || any_first => goes,
                _ => Goes::ByPlace,
            };
            let (shape, _) = self.body(*branch, around, goes);
            if let Some(shape) = shape {
                if goes != Goes::Nowhere {
                    self.paired(shape, *branch);
                }
                if let Some(position) = compares {
                    self.reach(&self.shapes.carried(&Source::Derived(shape)), position, *branch);
                }
                match first {
                    Some(first) => self.carry_into(first, shape, by_name, *branch),
                    None => first = Some(shape),
                }
            }
        }
        first.unwrap_or_else(|| self.shapes.add(Shape { open: true, ..Shape::default() }))
    }

    /// Common table expressions; each sees those before it.
    pub(super) fn with(&mut self, node: Node<'t>, around: &mut Around) {
        let recursive = node.children().any(|child| child.kind() == "recursive");
        for cte in node.named_children() {
            if cte.kind() != "cte" {
                self.jinja_body(cte);
                continue;
            }
            let (Some(name), Some(query)) = (cte.field("name"), cte.field("query")) else { continue };
            self.account(name);
            let columns: Vec<Node<'t>> =
                cte.field("columns").into_iter().flat_map(|list| list.named_children()).collect();
            columns.iter().for_each(|column| self.account(*column));
            let mut inner = around.clone();
            if recursive {
                let shape = self.foreseen(query, &columns);
                let shape = self.shapes.add(shape);
                inner.ctes = inner.ctes.with(folded(name.text()), shape);
            }
            let goes = if columns.is_empty() { Goes::Inside } else { Goes::ByPlace };
            let mut shape = self.subquery(query, &inner, goes);
            if !columns.is_empty() {
                shape = self.renamed(shape, &columns, query);
            }
            if let Some(depth) = cte.named_children().find(|child| child.kind() == "depth_clause") {
                self.account(depth);
            }
            if recursive {
                self.lose_recursion(shape, query, &folded(name.text()));
            }
            around.ctes = around.ctes.with(folded(name.text()), shape);
        }
    }

    /// The names that a recursive query hands on, before it is read.
    fn foreseen(&self, query: Node<'t>, columns: &[Node<'t>]) -> Shape {
        let output = Output::of;
        if !columns.is_empty() {
            let columns = columns.iter().map(|column| output(Some(folded(column.text())))).collect();
            return Shape { columns, ..Shape::default() };
        }
        let first = query.descendants().find(|below| below.kind() == "select_clause");
        let items =
            first.into_iter().flat_map(|clause| clause.named_children()).filter(|child| child.kind() == "select_item");
        let (mut columns, mut open) = (Vec::new(), false);
        for item in items {
            open |= item.field("value").is_some_and(|value| value.kind() == "star");
            columns.push(output(self.output_name(item)));
        }
        Shape { columns, open, ..Shape::default() }
    }

    /// A shape whose columns get other names, by place.
    pub(super) fn renamed(&mut self, shape: usize, names: &[Node<'t>], at: Node<'t>) -> usize {
        self.paired(shape, at);
        let plain = self.shapes.all[shape].stars.is_empty();
        if !plain {
            self.lose(&self.shapes.carried(&Source::Derived(shape)), at);
        }
        let carries = |place: usize| {
            let column = self.shapes.all[shape].columns.get(place).filter(|_| plain);
            column.map_or_else(Vec::new, |column| column.carries.clone())
        };
        let output = |(place, name): (usize, &Node<'t>)| {
            let name = Some(folded(name.text()));
            Output { name, carries: carries(place), ..Output::default() }
        };
        let columns = names.iter().enumerate().map(output).collect();
        self.shapes.add(Shape { columns, ..Shape::default() })
    }

    /// What a query hands on leaves for good.
    pub(super) fn leaves(&mut self, shape: usize, node: Node<'t>) {
        self.gives(shape);
        // `from t` alone.
        let listed = |below: Node<'_>| matches!(below.kind(), "select_clause" | "star");
        let why = match std::iter::once(node).chain(node.descendants()).any(listed) {
            true => "its star leaves the query, and with it every old name",
            false => "a part of a query that is put together, or all columns of the table",
        };
        self.hands_out(shape, node, why);
    }

    /// What a query hands on is paired by place with something else.
    pub(super) fn paired(&mut self, shape: usize, node: Node<'t>) {
        self.hands_out(shape, node, "columns of its star are paired by place");
    }

    /// What a query hands on leaves, as far as it may not reach every position.
    fn gives(&mut self, shape: usize) {
        for (shape, column) in self.shapes.handed_on(&Source::Derived(shape)) {
            let output = &self.shapes.all[shape].columns[column];
            if let (Some(name), Some(one)) = (&output.name, output.carries.first()) {
                self.given.push((name.clone(), *one));
            }
        }
    }

    fn hands_out(&mut self, shape: usize, node: Node<'t>, why: &str) {
        let source = Source::Derived(shape);
        self.reads_all(&source);
        if !self.shapes.starred(&source).is_empty() {
            let at = self.shapes.all[shape].stars.first().map_or(node.range(), |star| star.at.clone());
            self.doubts.push(Doubt::open(at, why));
        }
    }

    /// Every column that a relation hands on is read, under whatever name.
    pub(super) fn reads_all(&mut self, source: &Source) {
        for (shape, column) in self.shapes.handed_on(source) {
            self.read.extend(self.shapes.all[shape].columns[column].hands_on);
        }
    }

    /// Dropped columns that nothing reads may be taken out of their lists; others refuse. One
    /// whose name stands anywhere else in the statement is not taken out: who means what there
    /// depends on the dialect.
    pub(super) fn finish_drops(&mut self, node: Node<'t>) {
        use crate::dataset::usage::Form;
        let mut keep: HashSet<usize> = std::mem::take(&mut self.read);
        let drops: Vec<usize> = (0..self.uses.len()).filter(|at| self.drops(*at)).collect();
        if !drops.is_empty() && node.descendants().any(Self::is_ordinals) {
            keep.extend(&drops);
        }
        let listed = |at: &usize| matches!(&self.uses[*at].form, Form::Column(form) if form.removable.is_some());
        let own: HashSet<usize> = drops.iter().filter(|at| listed(at)).map(|at| self.uses[*at].range.start).collect();
        for at in drops {
            let Form::Column(form) = &self.uses[at].form else { continue };
            let name = folded(&form.spelled);
            let leaves = node.descendants().filter(|below| matches!(below.kind(), "identifier" | "string"));
            let others = leaves.filter(|leaf| !own.contains(&leaf.range().start));
            let others: Vec<Node<'t>> = others.filter(|leaf| folded(leaf.text()) == name).collect();
            if !others.is_empty() {
                keep.insert(at);
            }
            // Those without a qualifier are told with it.
            let (dataset, of) = (self.uses[at].dataset, self.uses[at].of.clone());
            for leaf in others.into_iter().filter(|leaf| leaf.parent().is_some_and(|up| up.subtree_len() == 2)) {
                if !self.uses.iter().any(|one| one.range.start == leaf.range().start) {
                    self.push(leaf, dataset, of.clone(), Position::Read, Form::Told);
                }
            }
        }
        for at in keep {
            if let Some(Form::Column(form)) = self.uses.get_mut(at).map(|one| &mut one.form) {
                form.removable = None;
            }
        }
    }

    /// One operator of a pipe: the scope and the shape behind it.
    fn pipe(
        &mut self,
        node: Node<'t>,
        around: &Around,
        scope: usize,
        shape: Option<usize>,
        goes: Goes,
    ) -> (usize, Option<usize>) {
        let inner = Around { scope: Some(scope), ctes: around.ctes.clone() };
        let last = node.next_named().is_none_or(|next| next.kind() != "pipe_operator");
        let goes = if last { goes } else { Goes::Inside };
        let Some(operator) = node.named_children().next() else {
            let words: Vec<&str> = node.children().map(Node::kind).collect();
            if !words.contains(&"distinct") {
                self.doubt(node, "gander does not follow this operator of a pipe");
            }
            return (scope, shape);
        };
        match operator.kind() {
            "where_clause" => self.expression(operator, &inner, Position::Filter),
            "order_by_clause" | "limit_clause" | "sample" => self.expression(operator, &inner, Position::Read),
            "join" => self.join(operator, around, scope),
            "aggregate" => {
                let shape = self.aggregate(operator, &inner, goes);
                return (self.outputs(shape, around), Some(shape));
            }
            "select_clause_pipe" => {
                if let Some(clause) = operator.named_children().find(|child| child.kind() == "select_clause") {
                    let shape = self.list(clause, &inner, goes);
                    return (self.outputs(shape, around), Some(shape));
                }
            }
            "identifier" if operator.field_name() == Some("alias") => {
                self.account(operator);
                let name = folded(operator.text());
                for one in &mut self.scopes[scope].relations {
                    (one.name, one.renamed) = (Some(name.clone()), None);
                    one.path.clear();
                }
            }
            _ => {
                self.told_tables(node);
                self.doubt(node, "gander does not follow this operator of a pipe");
            }
        }
        (scope, shape)
    }

    /// `aggregate … group by …`: groups come first in its output, under their names.
    fn aggregate(&mut self, node: Node<'t>, around: &Around, goes: Goes) -> usize {
        let mut shape = Shape::default();
        for child in node.named_children() {
            if child.kind() == "group_by_clause" {
                for item in child.named_children().filter(|item| item.kind() == "grouping_item") {
                    let before = self.carried.len();
                    let name = self.group_of_pipe(item, around, goes);
                    shape.columns.push(Output { name, carries: self.carried_since(before), ..Output::default() });
                }
            } else if let Some(item) = child.named_children().find(|item| item.kind() == "select_item") {
                let (name, before) = (self.output_name(item), self.carried.len());
                if let Some(value) = item.field("value") {
                    self.expression(value, around, Position::Read);
                }
                item.named_children().filter(|one| one.field_name() == Some("alias")).for_each(|one| self.account(one));
                shape.columns.push(Output { name, carries: self.carried_since(before), ..Output::default() });
            }
        }
        self.shapes.add(shape)
    }

    fn group_of_pipe(&mut self, item: Node<'t>, around: &Around, goes: Goes) -> Option<String> {
        let value = item.named_children().find(|child| child.field_name() != Some("alias"))?;
        let alias = item.named_children().find(|child| child.field_name() == Some("alias"));
        if let Some(alias) = alias {
            self.account(alias);
        }
        match self.path_of(value) {
            Some(path) => {
                let named = alias.is_none() && matches!(goes, Goes::Out | Goes::Inside);
                let stand = super::path::Stand {
                    scope: around.scope,
                    position: Position::Group,
                    clause: Clause::Columns,
                    role: crate::dataset::usage::Role::Value,
                    named,
                };
                self.path(&path, stand);
                // Its values are in the output.
                self.values_leave(value);
                alias.or(path.parts.last().copied()).map(|name| folded(name.text()))
            }
            None => {
                self.expression(value, around, Position::Group);
                alias.map(|name| folded(name.text()))
            }
        }
    }

    /// What is grouped by in a pipe is handed on, unlike a group of a `select`.
    fn values_leave(&mut self, node: Node<'t>) {
        use crate::dataset::usage::{Form, ValueUse};
        let range = node.range();
        for (at, one) in self.uses.iter_mut().enumerate().filter(|(_, one)| range.contains(&one.range.start)) {
            if let Form::Column(form) = &mut one.form {
                form.value = ValueUse::Elsewhere(
                    "the query gives them to what reads it: map them back by `case` there, or have it take the new ones",
                );
                let bound = matches!(one.of, Of::Column(column) if self.datasets.mappings[one.dataset].columns[column].is_bound());
                self.carried.extend(bound.then_some(at));
            }
        }
    }
}
