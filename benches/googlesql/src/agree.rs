//! `agree CASES [--show CLASS]`: whether the tables and columns that a tree names are
//! those that `sqlparser` finds, in every case that both read.
//!
//! What only one of them calls a table or a column is put in a class by where it
//! stands; what no class explains is printed, and ends the program with an error.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use googlesql_bench::{corpora, parse, parser};
use sqlparser::ast::{AccessExpr, Expr, Ident, ObjectName, Visit, Visitor};
use sqlparser::dialect::BigQueryDialect;
use sqlparser::parser::Parser as Reader;
use tree_sitter::Node;

/// A reference that one side alone found, as text, by class and whose it is.
type Differences = BTreeMap<(&'static str, &'static str), Vec<String>>;

#[derive(Default)]
struct Found {
    tables: Vec<String>,
    columns: Vec<String>,
    /// Parts of paths that are counted as a whole, as they are visited.
    told: Vec<*const Expr>,
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let parts: Vec<&str> = name.0.iter().filter_map(|p| Some(p.as_ident()?.value.as_str())).collect();
        self.tables.push(parts.join("."));
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let known = self.told.contains(&std::ptr::from_ref(expr));
        match expr {
            // `a.b[0].c` is the column a.b, whose element has a field.
            Expr::CompoundFieldAccess { root, access_chain } => {
                let fields = access_chain.iter().filter_map(|access| match access {
                    AccessExpr::Dot(field) => Some(field),
                    AccessExpr::Subscript(_) => None,
                });
                self.told.extend(fields.map(std::ptr::from_ref));
                let mut path = match &**root {
                    Expr::Identifier(name) => name.value.clone(),
                    Expr::CompoundIdentifier(parts) => joined(parts),
                    _ => return ControlFlow::Continue(()),
                };
                self.told.push(std::ptr::from_ref(&**root));
                for access in access_chain {
                    match access {
                        AccessExpr::Dot(Expr::Identifier(name)) => path = format!("{path}.{}", name.value),
                        AccessExpr::Dot(Expr::Value(word)) => path = format!("{path}.{word}"),
                        // `a.f(b).c`: what stands before is the path of a function.
                        AccessExpr::Dot(Expr::Function(_)) => return ControlFlow::Continue(()),
                        _ => break,
                    }
                }
                self.columns.push(path);
            }
            Expr::Identifier(name) if !known => self.columns.push(name.value.clone()),
            Expr::CompoundIdentifier(parts) if !known => self.columns.push(joined(parts)),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn joined(parts: &[Ident]) -> String {
    parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".")
}

/// The parts of a path without their quotes, joined.
fn path(node: Node<'_>, text: &str) -> String {
    let mut cursor = node.walk();
    let parts: Vec<&str> = node
        .named_children(&mut cursor)
        .filter(|part| !part.is_extra())
        .map(|part| text[part.byte_range()].trim_matches(['`', '"']))
        .collect();
    parts.join(".")
}

fn all<'t>(root: Node<'t>, kinds: &[&str]) -> Vec<Node<'t>> {
    let mut found = Vec::new();
    let mut left = vec![root];
    while let Some(node) = left.pop() {
        if node.is_named() && kinds.contains(&node.kind()) {
            found.push(node);
        }
        let mut cursor = node.walk();
        left.extend(node.children(&mut cursor));
    }
    found
}

/// Takes from `theirs` what is in `ours`, too; answers what is left of `ours`. Where a name
/// is there more often than in `theirs`, what a class explains is what is left.
fn unmatched<'t>(mut ours: Vec<(String, Node<'t>)>, theirs: &mut Vec<String>) -> Vec<(String, Node<'t>)> {
    ours.sort_by_key(|(name, node)| class_of_column(*node, name).is_some());
    ours.into_iter()
        .filter(|(name, _)| {
            theirs.iter().position(|t| t.eq_ignore_ascii_case(name)).map(|at| theirs.swap_remove(at)).is_none()
        })
        .collect()
}

/// Why the tree names a table that sqlparser does not.
fn class_of_table(node: Node<'_>) -> Option<&'static str> {
    (node.parent()?.kind() == "table_query").then_some("TABLE t as a query, which sqlparser does not visit")
}

/// Why the tree calls a column what sqlparser keeps as a bare name.
fn class_of_column(node: Node<'_>, name: &str) -> Option<&'static str> {
    const CALLED: &[&str] =
        &["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_DATETIME", "SESSION_USER", "CURRENT_USER"];
    if CALLED.contains(&name.to_uppercase().as_str()) {
        return Some("a function without parentheses");
    }
    let mut child = node;
    while let Some(parent) = child.parent() {
        let field = (0..parent.child_count())
            .find(|at| parent.child(*at) == Some(child))
            .and_then(|at| parent.field_name_for_child(at));
        match (parent.kind(), field) {
            ("using_clause", _) => return Some("a column of USING, a name there"),
            ("star_modifier", _) => return Some("a column that a star leaves out or renames, a name there"),
            ("star", Some("table")) => return Some("the table before a star, a name there"),
            ("assignment", Some("target")) => return Some("the target of an assignment, a name there"),
            ("extract", Some("part")) => return Some("the part of EXTRACT, a word there"),
            ("interval", _) => return Some("within INTERVAL"),
            ("option", _) => return Some("an option, a name or a word there"),
            ("pivot" | "unpivot", _) => return Some("a name of PIVOT or UNPIVOT, a name there"),
            ("lambda", Some("parameters")) => return Some("the parameter of a lambda, a name there"),
            ("set_operator", _) => return Some("a column of CORRESPONDING or BY NAME, a name there"),
            ("type_parameters", _) => return Some("a type within another, a type there"),
            ("alter_action", _) => return Some("the column that a statement changes, a name there"),
            ("on_conflict", _) => return Some("a column of ON CONFLICT, a name there"),
            ("pipe_operator", _)
                if parent.child(1).is_some_and(|word| ["drop", "rename", "set"].contains(&word.kind())) =>
            {
                return Some("dropped, renamed or set by a pipe, a name there");
            }
            ("query" | "select", _) => return None,
            _ => child = parent,
        }
    }
    None
}

/// What sqlparser calls a column or a table, and what the tree has there.
fn class_of_theirs(name: &str, root: Node<'_>, text: &str, table: bool) -> Option<&'static str> {
    let named = |kinds: &[&str]| all(root, kinds).iter().any(|node| path(*node, text) == name);
    let written = |kinds: &[&str], after: &str| {
        all(root, kinds)
            .iter()
            .any(|node| text[node.byte_range()].strip_prefix(name).is_some_and(|rest| rest.starts_with(after)))
    };
    let first = name.split('.').next().unwrap_or(name);
    if table && named(&["name_path"]) {
        return Some("what a statement defines or changes: name_path in the tree");
    }
    if table && named(&["function_name"]) {
        return Some("a table function: function_name in the tree");
    }
    let within = |kinds: &[&str]| all(root, kinds).iter().any(|n| text[n.byte_range()].contains(first));
    if within(&["command", "grant_statement"]) {
        return Some("within a command, whose words the tree does not tell apart");
    }
    if within(&["create_entity"]) {
        return Some("within a statement about an entity of any kind, whose words the tree does not tell apart");
    }
    if table && all(root, &["string"]).iter().any(|n| text[n.byte_range()].trim_matches('\'') == name) {
        return Some("a file in quotes: a string in the tree");
    }
    if within(&["alter_statement", "drop_statement", "argument_modifier"]) {
        return Some("what a statement changes or a modifier says");
    }
    if name.starts_with('@') {
        return Some("a parameter, a name there");
    }
    if !table && within(&["function_name"]) {
        return Some("the path of a function, whose field is read");
    }
    if table && written(&["group_rows"], " ") {
        return Some("GROUP ROWS, a table named GROUP there");
    }
    if written(&["parameter", "system_variable"], "") {
        return Some("a parameter, a name there");
    }
    if written(&["string"], "'") || written(&["string"], "\"") {
        return Some("the prefix of a string, which sqlparser does not know");
    }
    if written(&["array", "typed_literal"], "") {
        return Some("the word before a literal, a name there");
    }
    if all(root, &["string"]).iter().any(|n| text[n.byte_range()].trim_matches('"') == first) {
        return Some("a name in double quotes: a string in GoogleSQL");
    }
    if ["all", "default"].contains(&name.to_lowercase().as_str()) {
        return Some("ALL or DEFAULT, a name there");
    }
    let same = |node: &&Node<'_>| text[node.byte_range()].trim_matches(['`', '"']) == name;
    match all(root, &["identifier"]).iter().find(same)?.parent()?.kind() {
        "argument" => Some("the name of an argument"),
        "column_list" => Some("BEFORE(column): an alias with its columns in GoogleSQL"),
        "typed_literal" | "interval" | "type" => Some("a type or a unit"),
        _ => None,
    }
}

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let folder = args.first().ok_or("usage: agree CASES [--show CLASS]")?;
    let shown = args.iter().position(|a| a == "--show").and_then(|at| args.get(at + 1));
    let mut trees = parser();
    let mut differences = Differences::new();
    let (mut both, mut same, mut references) = (0_u32, 0_u32, 0_usize);
    for (_, cases) in corpora(Path::new(folder))? {
        for case in cases.iter().filter(|c| c.accept) {
            let tree = parse(&mut trees, &case.text);
            let Ok(statements) = Reader::parse_sql(&BigQueryDialect {}, &case.text) else { continue };
            if tree.root_node().has_error() {
                continue;
            }
            both += 1;
            let mut theirs = Found::default();
            let _ = statements.visit(&mut theirs);
            references += theirs.tables.len() + theirs.columns.len();
            let root = tree.root_node();
            let named = |kind| all(root, &[kind]).into_iter().map(|n| (path(n, &case.text), n)).collect();
            let before: usize = differences.values().map(Vec::len).sum();
            for (table, theirs, whose) in [(true, theirs.tables, "a table"), (false, theirs.columns, "a column")] {
                let mut theirs = theirs;
                let ours = unmatched(named(if table { "table_name" } else { "column" }), &mut theirs);
                for (name, node) in ours {
                    let class = if table { class_of_table(node) } else { class_of_column(node, &name) };
                    let class = class.unwrap_or("unexplained, of the tree alone");
                    differences.entry((whose, class)).or_default().push(format!("{}: {name}", case.place));
                }
                for name in theirs {
                    let class = class_of_theirs(&name, root, &case.text, table);
                    let class = class.unwrap_or("unexplained, of sqlparser alone");
                    differences.entry((whose, class)).or_default().push(format!("{}: {name}", case.place));
                }
            }
            same += u32::from(differences.values().map(Vec::len).sum::<usize>() == before);
        }
    }
    println!("{both} cases read by both, {references} references; {same} cases name the very same");
    let mut unexplained = 0;
    for ((whose, class), names) in &differences {
        println!("{:>6} {whose}: {class}", names.len());
        let open = class.starts_with("unexplained");
        unexplained += if open { names.len() } else { 0 };
        if open || shown.is_some_and(|s| class.contains(s.as_str())) {
            names.iter().take(20_000).for_each(|name| println!("         {name}"));
        }
    }
    if unexplained > 0 { Err(format!("{unexplained} differences are unexplained")) } else { Ok(()) }
}
