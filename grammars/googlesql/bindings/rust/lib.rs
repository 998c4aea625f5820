//! GoogleSQL, as BigQuery and dbt users write it, for tree-sitter.
//!
//! ```
//! let mut parser = tree_sitter::Parser::new();
//! parser.set_language(&tree_sitter_googlesql::LANGUAGE.into()).unwrap();
//! let tree = parser.parse("select id from {{ ref('users') }} as u", None).unwrap();
//! assert!(!tree.root_node().has_error());
//! ```
//!
//! Node kinds and fields are listed in the README. This is the only place of the
//! workspace with `unsafe`: the one line that hands over the language.

use tree_sitter_language::LanguageFn;

extern "C" {
    fn tree_sitter_googlesql() -> *const ();
}

/// The grammar.
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_googlesql) };

/// Every node kind with its fields and children, as JSON.
pub const NODE_TYPES: &str = include_str!("../../src/node-types.json");
/// For syntax highlighting.
pub const HIGHLIGHTS_QUERY: &str = include_str!("../../queries/highlights.scm");
/// For scopes of names.
pub const LOCALS_QUERY: &str = include_str!("../../queries/locals.scm");
/// For code of other languages in strings.
pub const INJECTIONS_QUERY: &str = include_str!("../../queries/injections.scm");
