//! Statements: what each reads and writes.

use super::relation::{Relation, Source};
use super::{Around, Ctes, Goes, Resolver, folded};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Role, Unit};
use crate::tree::Node;

/// Statements that hold others: those are units of their own.
const BLOCKS: [&str; 5] = ["block", "if_statement", "loop_statement", "case_statement", "exception"];

impl<'t> Resolver<'t> {
    /// Every statement of the text.
    pub(super) fn file(&mut self) {
        let root = self.tree.root();
        self.variables_of(root);
        self.attachments(root);
        // What stands between two semicolons, in case it can't be read.
        let mut groups: Vec<Vec<Node<'t>>> = vec![Vec::new()];
        for child in root.children() {
            match child.kind() {
                ";" => groups.push(Vec::new()),
                _ => groups.last_mut().into_iter().for_each(|group| group.push(child)),
            }
        }
        let mut within_macro = 0_usize;
        for group in groups {
            let broken = |node: &Node<'_>| node.is_error() || node.is_missing();
            let unread = group.iter().any(|node| broken(node) || node.descendants().any(|below| broken(&below)));
            if unread || root.is_error() {
                self.unread(&group);
            } else {
                self.group(group, &mut within_macro);
            }
        }
        self.templates(root);
    }

    fn group(&mut self, mut pending: Vec<Node<'t>>, within_macro: &mut usize) {
        let is_beside = |node: &&Node<'t>| node.kind() == "jinja_output" && !Self::is_harmless(**node);
        self.beside = pending.iter().filter(is_beside).copied().collect();
        pending.reverse();
        while let Some(node) = pending.pop() {
            match node.kind() {
                "jinja_tag" => match Self::tag(node) {
                    "macro" | "call" => *within_macro += 1,
                    "endmacro" | "endcall" => *within_macro = within_macro.saturating_sub(1),
                    _ => {}
                },
                "jinja_output" => {}
                kind if BLOCKS.contains(&kind) => self.block(node, &mut pending),
                "explain_statement" => pending.extend(node.named_children()),
                _ if node.is_extra() => {}
                _ if node.is_named() => self.statement(node, *within_macro > 0),
                _ => {}
            }
        }
    }

    fn unread(&mut self, group: &[Node<'t>]) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
        let range = first.range().start..last.range().end;
        self.unit(range, |resolver| resolver.unreadable(group));
    }

    /// Names of catalogs that the text attaches: nobody knows what is in them.
    fn attachments(&mut self, root: Node<'t>) {
        let commands = root.descendants().filter(|node| node.kind() == "command");
        for command in commands.filter(|node| node.text().to_lowercase().starts_with("attach")) {
            let names = command.named_children().filter(|child| child.kind() == "identifier");
            self.attached.extend(names.map(|name| folded(name.text())));
        }
    }

    /// The parts of a block: conditions and queries of its own are units, and so is each
    /// statement in it.
    fn block(&mut self, node: Node<'t>, pending: &mut Vec<Node<'t>>) {
        let mut statements = Vec::new();
        for child in node.children().filter(|child| child.is_named() || child.is_error()) {
            match child.field_name() {
                Some("condition" | "query") => self.unit_of(child, |resolver| {
                    let scope = resolver.scope(None);
                    let around = Around { scope: Some(scope), ctes: Ctes::default() };
                    if child.kind() == "subquery" {
                        let shape = resolver.subquery(child, &around, Goes::Out);
                        resolver.leaves(shape, child);
                        resolver.lose(&resolver.shapes.carried(&Source::Derived(shape)), child);
                    } else {
                        resolver.expression(child, &around, Position::Filter);
                    }
                }),
                Some("name") => {}
                _ => statements.push(child),
            }
        }
        pending.extend(statements.into_iter().rev());
    }

    /// Reads one statement as a unit.
    pub(super) fn statement(&mut self, node: Node<'t>, within_macro: bool) {
        self.unit_of(node, |resolver| {
            if within_macro {
                resolver.doubt(node, "a macro writes this into other models");
            }
            resolver.inside(node);
            if !resolver.uses.is_empty() {
                for output in resolver.beside.clone() {
                    resolver.jinja_body(output);
                }
            }
        });
    }

    /// Opens a unit, has it read, and closes it.
    pub(super) fn unit(&mut self, range: std::ops::Range<usize>, read: impl FnOnce(&mut Self)) {
        self.uses.clear();
        self.doubts.clear();
        self.read.clear();
        self.carried.clear();
        self.given.clear();
        self.shapes.all.clear();
        self.scopes.clear();
        read(self);
        let mut uses = std::mem::take(&mut self.uses);
        let doubts = std::mem::take(&mut self.doubts);
        if uses.is_empty() {
            return;
        }
        let gives = self.names_given(&uses);
        uses.sort_by_key(|one| (one.range.start, one.range.end));
        uses.dedup_by(|a, b| a.range == b.range && a.of == b.of);
        self.units.push(Unit { range, uses, doubts, gives });
    }

    /// As [`Resolver::unit`], of a node; what was not accounted for is a doubt.
    fn unit_of(&mut self, node: Node<'t>, read: impl FnOnce(&mut Self)) {
        self.unit(node.range(), |resolver| {
            read(resolver);
            resolver.tables_catch(node);
            resolver.finish_drops(node);
            resolver.sweep(node);
        });
    }

    fn inside(&mut self, node: Node<'t>) {
        let scope = self.scope(None);
        let around = Around { scope: Some(scope), ctes: Ctes::default() };
        match node.kind() {
            "query" => {
                let shape = self.query(node, &around, Goes::Out);
                self.leaves(shape, node);
            }
            "insert_statement" => self.insert(node, around),
            "update_statement" => self.update(node, around),
            "delete_statement" => self.delete(node, around),
            "merge_statement" => self.merge(node, around),
            "create_statement" => self.create(node, &around),
            "export_data" => self.export(node, &around),
            "declare_statement" | "set_statement" | "assert_statement" | "raise_statement" => {
                for value in node.named_children() {
                    match value.field_name() {
                        Some("name" | "type") => self.account(value),
                        _ => self.expression(value, &around, Position::Read),
                    }
                }
                // The variable may be compared by any statement behind it.
                self.lose(&self.carried.clone(), node);
            }
            "call_statement" => {
                for call in node.named_children() {
                    self.expression(call, &around, Position::Read);
                }
            }
            "execute_statement" => self.names_as_data(node, true),
            "jump_statement" | "transaction_statement" | "identifier" | "label" => self.account(node),
            _ => self.about(node),
        }
    }

    /// A statement about a table itself, or one that is not understood.
    fn about(&mut self, node: Node<'t>) {
        self.named_tables(node);
        if self.uses.is_empty() {
            self.names_as_data(node, false);
        }
        if !self.uses.is_empty() {
            self.told_columns(node);
            self.doubt(node, "a statement about the table itself, not its columns");
        }
        self.account(node);
    }

    fn export(&mut self, node: Node<'t>, around: &Around) {
        for child in node.named_children() {
            match child.kind() {
                "query" => {
                    let shape = self.query(child, around, Goes::Out);
                    self.leaves(shape, child);
                }
                _ => {
                    self.names_as_data(child, false);
                    self.account(child);
                }
            }
        }
    }

    fn create(&mut self, node: Node<'t>, around: &Around) {
        let mut around = around.clone();
        let is_function = node.field("kind").is_some_and(|kind| kind.text().to_lowercase().contains("function"));
        if let Some(with) = node.named_children().find(|child| child.kind() == "with_clause") {
            self.with(with, &mut around);
        }
        if let Some(name) = node.field("name") {
            let before = self.uses.len();
            self.told_table(name);
            if self.uses.len() > before {
                self.doubt(name, "who defines the table is its owner, not a consumer");
                self.told_columns(node);
            }
        }
        let parameters: Vec<Node<'t>> =
            node.field("columns").into_iter().flat_map(|columns| columns.named_children()).collect();
        if is_function && let Some(scope) = around.scope {
            for parameter in parameters.iter().filter_map(|parameter| parameter.field("name")) {
                self.scopes[scope].locals.insert(folded(parameter.text()), None);
            }
        }
        for child in node.named_children() {
            match (child.field_name(), child.kind()) {
                (_, "with_clause") => {}
                (Some("columns"), _) => self.account(child),
                (Some("name" | "kind"), _) => self.account(child),
                (_, "as_clause") => self.as_clause(child, &around, is_function),
                (_, "block") => {
                    self.named_tables(child);
                    if !self.uses.is_empty() {
                        self.told_columns(child);
                        self.doubt(child, "the body of a procedure");
                    }
                    self.account(child);
                }
                (_, "partition_by" | "cluster_by" | "options" | "modifier" | "returns" | "language" | "property") => {
                    // They name the new table's columns.
                    self.account(child);
                    self.names_as_data(child, false);
                }
                (_, "source_clause") => {
                    self.named_tables(child);
                    if !self.uses.is_empty() {
                        self.doubt(child, "a copy of the whole table, with every old name in it");
                    }
                    self.account(child);
                }
                _ => {
                    self.named_tables(child);
                    if !self.uses.is_empty() {
                        self.told_columns(child);
                        self.doubt(child, "a clause that gander does not understand");
                    }
                    self.account(child);
                }
            }
        }
    }

    fn as_clause(&mut self, node: Node<'t>, around: &Around, is_function: bool) {
        for child in node.named_children() {
            match child.kind() {
                "query" => {
                    let shape = self.query(child, around, Goes::Out);
                    self.leaves(shape, child);
                    if let Some(statement) = node.parent() {
                        self.lose_written(statement, statement.field("name"), shape);
                    }
                }
                "string" => self.names_as_data(child, true),
                _ if is_function => self.expression(child, around, Position::Read),
                "parenthesized" | "subquery" => self.expression(child, around, Position::Read),
                _ => {
                    self.named_tables(child);
                    if !self.uses.is_empty() {
                        self.doubt(child, "a clause that gander does not understand");
                    }
                }
            }
        }
    }

    /// The table that a statement writes, as a relation; the dataset that it is.
    fn target(&mut self, node: Node<'t>, around: &Around) -> Option<(Relation, Option<usize>)> {
        let table = node.field("table")?;
        let mut relation = self.table(table, around);
        if let Some(alias) = node.field("alias") {
            self.account(alias);
            relation.name = Some(folded(alias.text()));
            relation.path.clear();
            relation.renamed = None;
        }
        let dataset = match relation.source {
            Source::Dataset(dataset) => Some(dataset),
            _ => None,
        };
        Some((relation, dataset))
    }

    fn leading_with(&mut self, node: Node<'t>, around: &mut Around) {
        if let Some(with) = node.named_children().find(|child| child.kind() == "with_clause") {
            self.with(with, around);
        }
    }

    fn insert(&mut self, node: Node<'t>, mut around: Around) {
        self.leading_with(node, &mut around);
        let Some((relation, dataset)) = self.target(node, &around) else { return };
        let by_name = node.text().to_lowercase().contains("by name");
        let columns = node.field("columns");
        let query = node.field("query");
        if let Some(dataset) = dataset {
            match columns {
                None => self.doubt(node, "an insert without a list writes every column by place"),
                Some(columns) => {
                    let sources = self.written(query, columns.named_children().count());
                    for (at, column) in columns.named_children().enumerate() {
                        let source = sources.as_ref().map(|sources| sources[at].clone());
                        self.target_column(column, dataset, source);
                    }
                }
            }
        }
        if let Some(columns) = columns {
            self.account(columns);
        }
        if let Some(query) = query {
            let goes = if by_name { Goes::Out } else { Goes::ByPlace };
            if query.kind() == "query" {
                let shape = self.query(query, &around, goes);
                self.paired(shape, query);
                self.lose_written(node, node.field("table"), shape);
            } else if self.uses.is_empty() {
                self.account(query);
            } else {
                self.doubt(query, "what is written is put in by a template");
            }
        }
        let scope = self.scope(around.scope);
        self.scopes[scope].relations.push(relation);
        let inner = Around { scope: Some(scope), ctes: around.ctes.clone() };
        for child in node.named_children() {
            match (child.field_name(), child.kind()) {
                (Some("table" | "alias" | "columns" | "query"), _) | (_, "with_clause") => {}
                (_, "expression_list") if dataset.is_none() => self.account(child),
                (_, "on_conflict" | "returning") if dataset.is_some() => {
                    self.told_columns(child);
                    self.doubt(child, "columns of the written table are read in a clause that gander does not follow");
                }
                (_, "assert_rows") => self.expression(child, &inner, Position::Read),
                _ if dataset.is_none() => self.account(child),
                _ => {
                    self.told_columns(child);
                    self.doubt(child, "a clause that gander does not understand");
                }
            }
        }
    }

    /// The values that are written into each of `count` columns, by place: those of every row,
    /// or the item of a select list.
    fn written(&self, query: Option<Node<'t>>, count: usize) -> Option<Vec<Vec<Node<'t>>>> {
        let body = query?.named_children().find(|child| matches!(child.kind(), "values" | "select"))?;
        let mut columns = vec![Vec::new(); count];
        let rows: Vec<Vec<Node<'t>>> = match body.kind() {
            "values" => body.named_children().map(|row| row.named_children().collect()).collect(),
            _ => {
                let clause = body.named_children().find(|child| child.kind() == "select_clause")?;
                let items = clause.named_children().filter(|child| child.kind() == "select_item");
                vec![items.map(|item| item.field("value")).collect::<Option<_>>()?]
            }
        };
        for row in rows {
            if row.len() != count {
                return None;
            }
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        Some(columns)
    }

    fn update(&mut self, node: Node<'t>, mut around: Around) {
        self.leading_with(node, &mut around);
        let Some((relation, dataset)) = self.target(node, &around) else { return };
        let scope = self.scope(around.scope);
        self.scopes[scope].relations.push(relation);
        let inner = Around { scope: Some(scope), ctes: around.ctes.clone() };
        for from in
            node.named_children().filter(|child| matches!(child.kind(), "from_clause" | "table_reference" | "join"))
        {
            self.from(from, &inner, scope);
        }
        for child in node.named_children() {
            match (child.field_name(), child.kind()) {
                (Some("table" | "alias"), _) | (_, "with_clause" | "from_clause" | "table_reference" | "join") => {}
                (_, "assignment") => self.assignment(child, dataset, scope, &inner),
                (_, "where_clause") => self.expression(child, &inner, Position::Filter),
                (_, "assert_rows") => self.expression(child, &inner, Position::Read),
                _ => {
                    self.told_columns(child);
                    self.doubt(child, "a clause that gander does not follow");
                }
            }
        }
    }

    /// `target = value`, of the table that is written.
    fn assignment(&mut self, node: Node<'t>, dataset: Option<usize>, scope: usize, around: &Around) {
        let (Some(target), Some(value)) = (node.field("target"), node.field("value")) else { return };
        match (target.kind(), dataset) {
            ("column", Some(dataset)) => {
                let parts: Vec<Node<'t>> = target.named_children().collect();
                let name = match parts[..] {
                    [name] => Some(name),
                    [alias, name] if self.scopes[scope].relations[0].name.as_deref() == Some(&folded(alias.text())) => {
                        self.account(alias);
                        Some(name)
                    }
                    _ => None,
                };
                match name {
                    Some(name) => self.target_column(name, dataset, Some(vec![value])),
                    None => {
                        self.told_columns(target);
                        self.doubt(target, "a part of a struct is written");
                    }
                }
                self.account(target);
            }
            (_, Some(_)) => {
                self.told_columns(target);
                self.account(target);
                self.doubt(target, "several columns, or a part of one, are written at once");
            }
            (_, None) => self.account(target),
        }
        let before = self.carried.len();
        self.expression(value, around, Position::Read);
        self.lose(&self.carried_since(before), node);
    }

    fn delete(&mut self, node: Node<'t>, mut around: Around) {
        self.leading_with(node, &mut around);
        let Some((relation, _)) = self.target(node, &around) else { return };
        let scope = self.scope(around.scope);
        self.scopes[scope].relations.push(relation);
        let inner = Around { scope: Some(scope), ctes: around.ctes.clone() };
        for child in node.named_children() {
            match (child.field_name(), child.kind()) {
                (Some("table" | "alias"), _) | (_, "with_clause") => {}
                (_, "using_tables") => self.from(child, &inner, scope),
                (_, "where_clause") => self.expression(child, &inner, Position::Filter),
                (_, "assert_rows") => self.expression(child, &inner, Position::Read),
                _ => {
                    self.told_columns(child);
                    self.doubt(child, "a clause that gander does not follow");
                }
            }
        }
    }

    fn merge(&mut self, node: Node<'t>, mut around: Around) {
        self.leading_with(node, &mut around);
        let Some((relation, dataset)) = self.target(node, &around) else { return };
        let scope = self.scope(around.scope);
        self.scopes[scope].relations.push(relation);
        if let Some(source) = node.field("source") {
            self.reference(source, &around, scope);
        }
        let inner = Around { scope: Some(scope), ctes: around.ctes.clone() };
        for child in node.named_children() {
            match (child.field_name(), child.kind()) {
                (Some("table" | "alias" | "source"), _) | (_, "with_clause") => {}
                (_, "on_clause") => self.expression(child, &inner, Position::Filter),
                (_, "merge_when") => self.merge_when(child, dataset, scope, &inner),
                _ => {
                    self.told_columns(child);
                    self.doubt(child, "a clause that gander does not follow");
                }
            }
        }
    }

    fn merge_when(&mut self, node: Node<'t>, dataset: Option<usize>, scope: usize, around: &Around) {
        let list = node.named_children().find(|child| child.kind() == "column_list");
        let row = node.named_children().find(|child| child.kind() == "row");
        let words: Vec<&str> = node.children().filter(|child| !child.is_named()).map(Node::kind).collect();
        let inserts = words.contains(&"insert");
        let starred = words.contains(&"*");
        if let Some(dataset) = dataset {
            if starred || inserts && (row.is_none() || list.is_none()) {
                self.doubts.push(Doubt::annotate(node.range(), "every column is paired by name or by place"));
            }
            if let Some(list) = list {
                let values: Vec<Node<'t>> = row.into_iter().flat_map(|row| row.named_children()).collect();
                for (at, column) in list.named_children().enumerate() {
                    self.target_column(column, dataset, values.get(at).map(|value| vec![*value]));
                }
            }
        } else if starred || inserts && row.is_none() {
            // The source's names are written into the target.
            let sources = self.scopes[scope].relations.iter().skip(1).map(|one| one.source.clone()).collect::<Vec<_>>();
            if sources.iter().any(|source| !self.shapes.starred(source).is_empty()) {
                self.doubts.push(Doubt::open(node.range(), "every column of the source is written by its name"));
            }
        }
        for child in node.named_children() {
            match child.kind() {
                "assignment" => self.assignment(child, dataset, scope, around),
                "column_list" => self.account(child),
                "row" => {
                    let before = self.carried.len();
                    self.expression(child, around, Position::Read);
                    self.lose(&self.carried_since(before), child);
                }
                _ => self.expression(child, around, Position::Filter),
            }
        }
    }

    /// A column of the table that is written, and what is written into it.
    fn target_column(&mut self, name: Node<'t>, dataset: usize, source: Option<Vec<Node<'t>>>) {
        self.account(name);
        let value = match source {
            Some(values) => self.values_written(&values),
            None => crate::dataset::usage::ValueUse::Elsewhere("what is written into it is not shown here"),
        };
        let folded = folded(name.text());
        match self.datasets.mappings[dataset].index(&folded, true) {
            Some(column) => self.push_column(name, dataset, column, Position::Write, Role::Target, value),
            None => self.push_unlisted(name, dataset),
        }
    }
}
