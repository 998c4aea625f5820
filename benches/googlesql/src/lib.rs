//! What the programs share: reading cases, and parsing.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tree_sitter::{Node, Parser, Tree};

/// One line of a file that `prepare.py` writes.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Where it is from.
    pub place: String,
    /// The group it is counted in.
    pub kind: String,
    /// Whether it should parse.
    pub accept: bool,
    /// `seen`, or `held` where the grammar's author did not look.
    pub half: String,
    /// The SQL.
    pub text: String,
}

/// Every corpus of the folder, by name, in order.
///
/// # Errors
/// What can't be read, with its name.
pub fn corpora(folder: &Path) -> Result<Vec<(String, Vec<Case>)>, String> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{name}: {e}"))?;
        let cases: Result<Vec<Case>, _> = text.lines().map(serde_json::from_str).collect();
        all.push((name.clone(), cases.map_err(|e| format!("{name}: {e}"))?));
    }
    Ok(all)
}

/// A parser for the grammar.
///
/// # Panics
/// Where the grammar was built for another tree-sitter.
pub fn parser() -> Parser {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_googlesql::LANGUAGE.into()).expect("the grammar loads");
    parser
}

/// Parses a text afresh.
///
/// # Panics
/// Never: there is neither a time limit nor a cancellation.
pub fn parse(parser: &mut Parser, text: &str) -> Tree {
    parser.parse(text, None).expect("no limit is set")
}

/// The processor's time that this thread has had: it does not grow while others run.
pub fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// The first ERROR or MISSING node.
pub fn first_error(root: Node<'_>) -> Option<Node<'_>> {
    if !root.has_error() {
        return None;
    }
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            return Some(node);
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
        }
    }
}
