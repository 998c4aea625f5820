//! Whole queries in the texts of code, as a database would get them.
//!
//! Must not: know which of them matter.

use std::ops::Range;

use super::code::text_of;
use crate::tree::Tree;

/// What queries that can be run begin with.
const STATEMENTS: [&str; 6] = ["select", "with", "insert", "update", "delete", "merge"];
/// What stands for a value that is put in at run time: inside of quotes, and outside.
const IN_QUOTES: &str = "2024-06-01";
const BARE: &str = "1";

/// A query in a text of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Bytes of the file that its text spans, quotes included.
    pub range: Range<usize>,
    /// As SQL; where a value is put in at run time, there is some value.
    pub text: String,
}

/// Every query in the texts of a file, in order.
pub fn queries(tree: &Tree) -> Vec<Query> {
    let mut found = Vec::new();
    let mut skip_until = 0;
    for node in tree.iter() {
        if node.id.0 < skip_until {
            continue;
        }
        let Some(read) = text_of(node) else { continue };
        skip_until = node.id.0 + node.subtree_len() as u32;
        let Some(read) = read else { continue };
        let first = read.masked.trim_start_matches(|c: char| c.is_whitespace() || c == '(').to_lowercase();
        let word = first.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
        if STATEMENTS.contains(&word) || first.starts_with("--") {
            found.push(Query { range: node.range(), text: filled(&read.masked, &read.holes) });
        }
    }
    found
}

/// A text with values in its holes.
fn filled(masked: &str, holes: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(masked.len());
    let (mut at, mut quoted) = (0, None);
    for hole in holes {
        let before = masked.get(at..hole.start).unwrap_or("");
        for c in before.chars() {
            quoted = match quoted {
                None if matches!(c, '\'' | '"' | '`') => Some(c),
                Some(open) if open == c => None,
                other => other,
            };
        }
        out.push_str(before);
        out.push_str(if quoted.is_some() { IN_QUOTES } else { BARE });
        at = hole.end;
    }
    out.push_str(masked.get(at..).unwrap_or(""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;
    use crate::tree::parse;

    fn texts(language: &str, code: &str) -> Vec<String> {
        let tree = parse(by_name(language).unwrap(), code).unwrap();
        let words = |query: Query| query.text.split_whitespace().collect::<Vec<_>>().join(" ");
        queries(&tree).into_iter().map(words).collect()
    }

    #[test]
    fn queries_are_told_from_other_texts_and_holes_get_values() {
        let code =
            "a = 'selected'\nb = \"select x from t where y = 'Z'\"\nc = f\"select {d} from t where e > '{f}'\"\n";
        assert_eq!(texts("python", code), ["select x from t where y = 'Z'", "select 1 from t where e > '2024-06-01'"]);
        let java = "class A { String q = \"select a \" +\n \"from t where b = \" + c; }";
        assert_eq!(texts("java", java), ["select a from t where b = 1"]);
    }
}
