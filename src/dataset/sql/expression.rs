//! Expressions: every name in one, in a single pass; queries and lambdas inside of it are
//! read in scopes of their own.

use super::lookup::Clause;
use super::path::Stand;
use super::relation::Source;
use super::{Around, Goes, Resolver, folded};
use crate::dataset::mapping::Position;
use crate::dataset::usage::{Doubt, Form, Of, Role};
use crate::tree::Node;

/// Kinds of nodes that hold expressions, and mean nothing for names by themselves.
const PLAIN: [&str; 60] = [
    "binary",
    "unary",
    "parenthesized",
    "tuple",
    "expression_list",
    "is",
    "in",
    "like",
    "between",
    "quantified",
    "cast",
    "cast_operator",
    "at_time_zone",
    "interval",
    "case",
    "when",
    "array",
    "call_arguments",
    "argument",
    "argument_modifier",
    "within_group",
    "filter",
    "over",
    "window",
    "window_frame",
    "frame_bound",
    "partition_by",
    "order_by_clause",
    "order_item",
    "where_clause",
    "having_clause",
    "qualify_clause",
    "on_clause",
    "limit_clause",
    "offset_clause",
    "fetch_clause",
    "group_by_clause",
    "grouping_item",
    "number",
    "boolean",
    "null",
    "parameter",
    "system_variable",
    "typed_literal",
    "string",
    "struct",
    "arguments",
    "exists",
    "row",
    "default_value",
    "windowed",
    "merge_when",
    "assert_rows",
    "alternatives",
    "collate",
    "comment",
    "hint",
    "returning",
    "unnest",
    "system_time",
];

/// Variables that BigQuery has itself: others are put in by whoever reads the text.
const SYSTEM: [&str; 14] = [
    "dataset_id",
    "dataset_project_id",
    "project_id",
    "query_label",
    "time_zone",
    "row_count",
    "script",
    "session_id",
    "current_job_id",
    "last_job_id",
    "location",
    "error",
    "reservation",
    "version",
];

/// Whether a star is that of `count(*)`.
fn counts_rows(star: Node<'_>) -> bool {
    let arguments = star.parent().filter(|parent| parent.kind() == "argument").and_then(|one| one.parent());
    let Some(arguments) = arguments.filter(|one| !one.children().any(|child| child.kind() == "distinct")) else {
        return false;
    };
    let function = arguments.parent().and_then(|call| call.field("function"));
    function.is_some_and(|name| name.text().eq_ignore_ascii_case("count"))
}

/// Whether a parameter has a name of its own: `$name`, `${name}`; in a file `:name`, as `psql` has it.
fn is_named(parameter: Node<'_>, file: bool) -> bool {
    let text = parameter.text();
    let rest = text.strip_prefix('$').or_else(|| text.strip_prefix(':').filter(|_| file));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '{')))
}

impl<'t> Resolver<'t> {
    /// Every name in an expression, or in a clause that holds expressions.
    pub(super) fn expression(&mut self, node: Node<'t>, around: &Around, position: Position) {
        self.expression_in(node, around, position, Clause::Columns);
    }

    pub(super) fn expression_in(&mut self, node: Node<'t>, around: &Around, position: Position, clause: Clause) {
        let end = node.id.0 + node.subtree_len() as u32;
        // What clauses around a node say of it, nearest last: where each ends.
        let mut clauses: Vec<(u32, Position, Clause)> = vec![(end, position, clause)];
        let mut at = node.id.0;
        while at < end {
            while clauses.len() > 1 && clauses.last().is_some_and(|(end, ..)| *end <= at) {
                clauses.pop();
            }
            let one = self.tree.node(crate::tree::NodeId(at));
            let skipped = at + one.subtree_len() as u32;
            if self.seen.contains(&at) && one.is_named() && one.kind() != "comment" {
                at = skipped;
                continue;
            }
            let (_, position, clause) = clauses.last().copied().unwrap_or((end, position, clause));
            if let Some((position, clause)) = self.clause_of(one, node, position, clause) {
                clauses.push((skipped, position, clause));
            }
            if self.paths.contains(&at) {
                at += 1;
                continue;
            }
            let (_, position, clause) = clauses.last().copied().unwrap_or((end, position, clause));
            let stand = Stand { scope: around.scope, position, clause, role: Role::Value, named: false };
            at = if self.one(one, around, stand) { at + 1 } else { skipped };
        }
    }

    /// What a clause inside of an expression says of the names in it.
    fn clause_of(
        &self,
        node: Node<'t>,
        whole: Node<'t>,
        position: Position,
        clause: Clause,
    ) -> Option<(Position, Clause)> {
        match node.kind() {
            "partition_by" => Some((Position::Group, clause)),
            "group_by_clause" => Some((Position::Group, clause)),
            "order_by_clause" => Some((Position::Read, clause)),
            "where_clause" => Some((Position::Filter, clause)),
            // A window's own order sees columns, never the list's names.
            "window" if node.id != whole.id => Some((position, Clause::Columns)),
            "call_arguments" if node.children().any(|child| child.kind() == "distinct") => {
                Some((Position::Group, clause))
            }
            _ => None,
        }
    }

    /// One node of an expression; whether what is below it is looked at next.
    fn one(&mut self, node: Node<'t>, around: &Around, stand: Stand) -> bool {
        if !node.is_named() {
            return true;
        }
        match node.kind() {
            "column" | "field_access" => {
                if node.kind() == "column" && node.children().any(|child| child.kind().starts_with("jinja")) {
                    self.jinja_operand(node, stand);
                    return false;
                }
                match self.path_of(node) {
                    // Subscripts in it hold expressions of their own.
                    Some(path) => self.path(&path, stand),
                    None => return node.kind() == "field_access",
                }
                true
            }
            "subscript" => match self.path_of(node) {
                Some(path) => {
                    self.path(&path, stand);
                    true
                }
                None => true,
            },
            "parameter" if self.setting.dialect == super::Dialect::Snowflake && node.text().starts_with('$') => {
                let place = node.text()[1..].bytes().all(|c| c.is_ascii_digit());
                if place && self.reads_a_dataset(stand.scope) {
                    self.doubts.push(Doubt::open(node.range(), "columns are read by their place in the table"));
                }
                false
            }
            // `where $filter`, `${column} = 1`: what a template puts in is more than a value.
            "parameter" if is_named(node, self.setting.file) && !self.is_value_put_in(node) => {
                if self.reads_a_dataset(stand.scope) {
                    self.doubts.push(Doubt::open(node.range(), "what is put in here may name any column"));
                }
                false
            }
            "string" => {
                if self.setting.dialect.quotes_names() && node.text().starts_with('"') {
                    if let Some(path) = self.path_of(node) {
                        self.path(&path, stand);
                    }
                } else {
                    self.text_as_data(node);
                }
                false
            }
            "system_variable" => {
                let name = node.named_children().next().map_or(String::new(), |name| name.text().to_lowercase());
                if !SYSTEM.contains(&name.as_str()) && self.reads_a_dataset(stand.scope) {
                    let why = "no variable of the warehouse's: what is put in here may name any column";
                    self.doubts.push(Doubt::open(node.range(), why));
                }
                true
            }
            "subquery" => {
                let goes = self.goes(node);
                let shape = self.subquery(node, around, goes);
                if goes != Goes::Nowhere {
                    let position = self.position_of(node, stand.position);
                    self.reach(&self.shapes.carried(&Source::Derived(shape)), position, node);
                }
                match goes {
                    Goes::Out => self.leaves(shape, node),
                    Goes::ByPlace => self.paired(shape, node),
                    _ => {}
                }
                false
            }
            "function_name" => {
                self.account(node);
                if let Some(call) = node.parent().filter(|parent| matches!(parent.kind(), "call" | "table_call")) {
                    self.function(node, call, stand);
                }
                false
            }
            "call" | "table_call" => true,
            "lambda" => {
                self.lambda(node, around, stand);
                false
            }
            "over" => {
                for name in node.named_children().filter(|child| child.kind() == "name_path") {
                    self.account(name);
                }
                true
            }
            "extract" => {
                if let Some(part) = node.field("part") {
                    self.account(part);
                }
                true
            }
            "struct" | "arguments" => {
                self.named_struct(node, stand);
                true
            }
            "star" => {
                // `count(*)`; `count(t.*)` is a row.
                match node.field("table").and_then(|table| self.path_of(table)) {
                    Some(path) => self.path(&path, stand),
                    None if counts_rows(node) => {}
                    None => self.star_as_value(node, stand),
                }
                false
            }
            "type" | "array_type" | "struct_type" | "generic_type" | "type_parameters" => {
                self.account(node);
                false
            }
            "identifier" => {
                // Names of arguments, units of intervals, zones: fields of what is around.
                let known = matches!(node.field_name(), Some("name" | "unit" | "to" | "alias" | "type" | "offset"));
                if known
                    || node.parent().is_some_and(|parent| matches!(parent.kind(), "window" | "argument" | "collate"))
                {
                    self.account(node);
                }
                false
            }
            "jinja_output" | "jinja_name" | "quoted_name" => {
                self.jinja_operand(node, stand);
                false
            }
            "jinja_tag" => {
                self.account(node);
                false
            }
            "braced" => {
                for name in node.named_children().filter(|child| child.field_name() == Some("name")) {
                    self.account(name);
                }
                true
            }
            kind if PLAIN.contains(&kind) => true,
            kind => {
                if self.reads_a_dataset(stand.scope) {
                    self.doubts.push(Doubt::annotate(
                        node.range(),
                        format!("gander does not follow names through this ({kind})"),
                    ));
                }
                true
            }
        }
    }

    /// `hash(*)`, `struct(*)`: every column, most often under its name.
    fn star_as_value(&mut self, node: Node<'t>, stand: Stand) {
        let Some(scope) = stand.scope else { return };
        let sources: Vec<_> = self.scopes[scope].relations.iter().map(|one| one.source.clone()).collect();
        sources.iter().for_each(|source| self.reads_all(source));
        for dataset in sources.iter().flat_map(|source| self.shapes.starred(source)).collect::<Vec<_>>() {
            self.push(node, dataset, Of::Dataset, Position::Read, Form::Told);
            let why = "its star is a value, with every old name and the order of the columns in it";
            self.doubts.push(Doubt::open(node.range(), why));
        }
    }

    /// What becomes of the output of a subquery in an expression.
    fn goes(&self, node: Node<'t>) -> Goes {
        let Some(parent) = node.parent() else { return Goes::Out };
        match parent.kind() {
            "exists" => Goes::Nowhere,
            // Whether there is a name depends on the dialect.
            "select_item" if parent.field("alias").is_none() && !self.is_bigquery() => Goes::Out,
            _ => Goes::ByPlace,
        }
    }

    fn is_bigquery(&self) -> bool {
        self.setting.dialect.is_google()
    }

    /// Functions that take names for texts.
    fn function(&mut self, name: Node<'t>, call: Node<'t>, stand: Stand) {
        let name = name.text().to_lowercase();
        if matches!(name.as_str(), "columns" | "apply" | "object_construct") && self.reads_a_dataset(stand.scope) {
            let strings = call.descendants().filter(|below| below.kind() == "string").collect::<Vec<_>>();
            if name == "columns" {
                for string in &strings {
                    self.names_in_text(*string);
                }
                self.doubts.push(Doubt::open(call.range(), "columns are chosen by a pattern"));
            }
        }
        let given = call.descendants().any(|below| below.kind() == "parameter" || below.kind() == "string");
        if name == "identifier" && given && self.reads_a_dataset(stand.scope) {
            self.doubts.push(Doubt::open(call.range(), "a text is taken for a name"));
        }
        if name == "struct" && !self.is_bigquery() {
            // `struct(a)` of Spark is a call; its fields are named like the columns.
            let arguments: Vec<Node<'t>> =
                call.field("arguments").into_iter().flat_map(|list| list.named_children()).collect();
            for argument in arguments.into_iter().filter(|one| one.field("alias").is_none()) {
                self.named_argument(argument, stand);
            }
        }
    }

    /// `struct(a, b as c)`: a field is named like the column.
    fn named_struct(&mut self, node: Node<'t>, stand: Stand) {
        let arguments = if node.kind() == "struct" {
            node.named_children().find(|child| child.kind() == "arguments")
        } else {
            Some(node)
        };
        // `struct<a int64>(x)` names its fields itself.
        let typed = node.named_children().any(|child| child.kind() == "struct_type");
        let arguments: Vec<Node<'t>> = arguments.into_iter().flat_map(|list| list.named_children()).collect();
        for argument in arguments {
            if argument.kind() == "argument" && argument.field("alias").is_none() && !typed {
                self.named_argument(argument, stand);
            }
        }
    }

    fn named_argument(&mut self, argument: Node<'t>, stand: Stand) {
        let Some(value) = argument.field("value") else { return };
        if self.seen.contains(&value.id.0) {
            return;
        }
        if let Some(path) = self.path_of(value) {
            self.path(&path, Stand { named: true, ..stand });
            self.account(value);
        }
    }

    /// `d -> d.os_name = 'ios'` in a call whose first argument is an array of a dataset.
    fn lambda(&mut self, node: Node<'t>, around: &Around, stand: Stand) {
        let scope = self.scope(around.scope);
        let element = node
            .ancestors()
            .find(|up| up.kind() == "call_arguments")
            .and_then(|arguments| arguments.named_children().find(|child| child.kind() == "argument"))
            .and_then(|first| first.field("value"))
            .and_then(|value| self.array_of(value, stand.scope));
        if let Some(parameters) = node.field("parameters") {
            let names: Vec<Node<'t>> = std::iter::once(parameters)
                .chain(parameters.descendants())
                .filter(|below| below.kind() == "identifier")
                .collect();
            let only = names.len() == 1;
            for name in names {
                let element = element.filter(|_| only);
                self.scopes[scope].locals.insert(folded(name.text()), element);
            }
            self.account(parameters);
        }
        if let Some(body) = node.field("body") {
            let inner = Around { scope: Some(scope), ctes: around.ctes.clone() };
            self.expression(body, &inner, stand.position);
        }
    }

    /// The array of structs that an expression is, if it is a dataset's.
    pub(super) fn array_of(&self, node: Node<'t>, scope: Option<usize>) -> Option<(usize, usize)> {
        use super::lookup::Found;
        use super::relation::Hit;
        let path = self.path_of(node)?;
        let names: Vec<String> = path.parts.iter().map(|part| folded(part.text())).collect();
        let hit = match &names[..] {
            [name] => match self.lookup(scope, name, Clause::Columns) {
                Found::Hit(hit, ..) => hit,
                _ => return None,
            },
            [table, name] => {
                let one = self.scopes_from(scope).find_map(|scope| {
                    self.scopes[scope].relations.iter().find(|one| one.name.as_deref() == Some(table))
                })?;
                self.shapes.find(&one.source, name)
            }
            _ => return None,
        };
        match hit {
            Hit::Dataset(dataset, column) if !self.datasets.mappings[dataset].columns[column].fields.is_empty() => {
                Some((dataset, column))
            }
            Hit::Element(dataset, column) => Some((dataset, column)),
            _ => None,
        }
    }
}
