//! Code inside string literals: a masked copy of the same length, so that every
//! place in it is the same place of the host file.
//!
//! Quotes, prefixes, escapes, holes and the operators that join literals become
//! white space or a stand-in name; an edit that touches one of them is refused.

use std::ops::Range;
use std::sync::Arc;

use crate::language::{Language, literal};
use crate::tree::{Node, ParseError, Tree, joins, operands, parse_embedded};

/// An embedded text, parsed.
pub struct Embedded {
    /// Its tree; offsets are those of the host file once [`Tree::base`] is added.
    pub tree: Arc<Tree>,
    /// Bytes of the host file that an edit must not touch, sorted.
    pub opaque: Vec<Range<usize>>,
}

impl Embedded {
    /// Whether an edit of these bytes of the host file would cross a quote, an
    /// escape or a hole.
    pub fn crosses(&self, range: &Range<usize>) -> bool {
        self.opaque.iter().any(|o| range.start < o.end && o.start < range.end)
    }
}

/// Reads the literal, or the literals joined by operators, at `node` as `language`.
/// The inner `None` means that it can't be read with certainty.
///
/// # Errors
/// The parser gave up.
pub fn embed(node: Node<'_>, language: &'static Language) -> Result<Option<Embedded>, ParseError> {
    let host = node.tree().language;
    let whole = node.local_range();
    let mut masked = vec![b' '; whole.len()];
    let mut opaque: Vec<Range<usize>> = Vec::new();
    let literals = literals_of(node);
    if literals.is_empty() {
        return Ok(None);
    }
    let mut at = whole.start;
    let (mut comments, mut breaks) = (false, false);
    // Whether what stands before goes on in the next piece.
    let mut open_word = false;
    for piece in &literals {
        let range = piece.local_range();
        opaque.push(at..range.start);
        at = range.end;
        let text = piece.text();
        let content = if host.is_string(piece.kind_id()) {
            match literal::dissect(host, text) {
                Some(parts) => &text[parts.content],
                None => return Ok(None),
            }
        } else {
            "x"
        };
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        if open_word && word(content.chars().next()) {
            // `"users" + "_v1"` is one name: with white space between it would be two.
            return Ok(None);
        }
        if !content.is_empty() {
            open_word = word(content.chars().last());
        }
        if !host.is_string(piece.kind_id()) {
            // A value that is only known at run time stands for one name.
            masked[range.start - whole.start..range.end - whole.start].fill(b'x');
            opaque.push(range);
            continue;
        }
        let mut inside = Vec::new();
        let Some(mut content) = literal::mask(host, piece.text(), &mut inside) else { return Ok(None) };
        // What breaks a line in the text breaks none in its masked copy, where a comment
        // would go on.
        let is_break = |at: &usize| content[*at] == b' ' && matches!(text.as_bytes().get(at + 1), Some(b'n' | b'r'));
        breaks |= memchr::memchr_iter(b'\\', text.as_bytes()).any(|at| is_break(&at));
        let marks = language.facts.line_comment.as_deref().into_iter().chain(["#"]);
        comments |= marks.into_iter().any(|mark| text.contains(mark));
        for hole in piece.descendants().filter(|n| host.facts.string.holes.iter().any(|h| h == n.kind())) {
            let hole = hole.local_range();
            let local = hole.start - range.start..hole.end - range.start;
            content[local.clone()].fill(b'x');
            inside.push(local);
        }
        opaque.extend(inside.into_iter().map(|r| r.start + range.start..r.end + range.start));
        masked[range.start - whole.start..range.end - whole.start].copy_from_slice(&content);
    }
    if comments && breaks {
        return Ok(None);
    }
    opaque.push(at..whole.end);
    let base = node.range().start;
    opaque.retain(|r| !r.is_empty());
    opaque.sort_by_key(|r| r.start);
    let shift = node.tree().base();
    opaque.iter_mut().for_each(|r| *r = r.start + shift..r.end + shift);
    let Ok(text) = String::from_utf8(masked) else { return Ok(None) };
    Ok(Some(Embedded { tree: Arc::new(parse_embedded(language, text, base)?), opaque }))
}

/// The text at `node`: what the literals stand for, or else the code, and whether it is certain.
pub(super) fn told(node: Node<'_>) -> (String, bool) {
    let host = node.tree().language;
    let literals = literals_of(node);
    if literals.is_empty() {
        return (node.text().to_owned(), true);
    }
    let part = |piece: &Node<'_>| {
        let code = !host.is_string(piece.kind_id());
        if code { Some(piece.text().to_owned()) } else { literal::value(host, piece.text()) }
    };
    let whole: Option<String> = literals.iter().map(part).collect();
    let certain = whole.is_some();
    (whole.unwrap_or_else(|| node.text().to_owned()), certain)
}

/// The literal that a node is what stands between its quotes, or a part of that; else the node.
pub(super) fn quoted(node: Node<'_>) -> Node<'_> {
    let is_text = |node: &Node<'_>| node.tree().language.is_string(node.kind_id());
    node.parent().filter(|around| !is_text(&node) && is_text(around)).unwrap_or(node)
}

/// The whole of a text that `node` is a piece of.
pub(super) fn joined(node: Node<'_>) -> Node<'_> {
    let mut whole = node;
    while let Some(parent) = whole.parent().filter(|p| joins(*p)) {
        whole = parent;
    }
    whole
}

/// The [`operands`] of a text; empty where none of them is a literal.
fn literals_of(node: Node<'_>) -> Vec<Node<'_>> {
    let pieces = operands(node);
    let host = node.tree().language;
    if pieces.iter().any(|piece| host.is_string(piece.kind_id())) { pieces } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;
    use crate::tree::parse;

    fn check(host: &str, code: &str, sought: &str) -> Option<(String, bool)> {
        let tree = parse(by_name(host).unwrap(), code).unwrap();
        let language = by_name("sql").unwrap();
        let embedded = tree.iter().find_map(|n| embed(n, language).unwrap())?;
        let at = code.find(sought).unwrap();
        let found = embedded.tree.iter().find(|n| n.range() == (at..at + sought.len()) && n.is_leaf())?;
        Some((found.kind().to_owned(), embedded.crosses(&found.range())))
    }

    #[test]
    fn places_in_the_literal_are_places_of_the_file() {
        let sql = "select country_code from users_v1";
        for (host, code) in [
            ("python", format!("x = f('{sql}')")),
            ("python", format!("x = f(\"\"\"{sql}\nwhere a = 1\"\"\")")),
            ("scala", format!("val x = f(\"\"\"{sql}\"\"\")")),
            ("typescript", format!("const x = f(`{sql} where d = ${{day}}`)")),
            ("go", format!("package p\nvar x = f(`{sql}`)")),
        ] {
            assert_eq!(check(host, &code, "users_v1"), Some(("identifier".into(), false)), "{host}: {code}");
        }
    }

    #[test]
    fn joined_literals_are_one_text() {
        let java = r#"class A { String q = "select country_code " + "from users_v1 where \"day\" = " + day; }"#;
        assert_eq!(check("java", java, "country_code"), Some(("identifier".into(), false)));
        assert_eq!(check("java", java, "users_v1"), Some(("identifier".into(), false)));
    }

    #[test]
    fn pieces_that_grow_together_are_not_read() {
        for code in [
            r#"class A { String q = "select a from users" + suffix; }"#,
            r#"class A { String q = "select a from users" + "_v1"; }"#,
            r#"class A { boolean q = "select a from users" == x; }"#,
        ] {
            let whole = parse(by_name("java").unwrap(), code).unwrap();
            let join = whole.iter().find(|n| n.kind() == "binary_expression").unwrap();
            assert!(embed(join, by_name("sql").unwrap()).unwrap().is_none(), "{code}");
        }
        let quoted = r#"class A { String q = "select \"country_code\" from users_v1"; }"#;
        assert_eq!(check("java", quoted, "users_v1"), Some(("identifier".into(), false)));
        let hole = "x = f'select {é} from users_v1 where a = \"ü\"'";
        assert_eq!(check("python", hole, "users_v1"), Some(("identifier".into(), false)));
    }

    #[test]
    fn a_comment_does_not_go_on_behind_a_break_that_is_an_escape() {
        let sql = r#"x = f("select a -- why\nfrom users_v1")"#;
        assert_eq!(check("python", sql, "users_v1"), None);
        let joined = r#"class A { String q = "select a -- why\n" + "from users_v1"; }"#;
        let tree = parse(by_name("java").unwrap(), joined).unwrap();
        let join = tree.iter().find(|n| n.kind() == "binary_expression").unwrap();
        assert!(embed(join, by_name("sql").unwrap()).unwrap().is_none());
        let plain = r#"x = f("select a\nfrom users_v1")"#;
        assert_eq!(check("python", plain, "users_v1"), Some(("identifier".into(), false)));
        let long = "x = f(\"\"\"select a -- why\nfrom users_v1\"\"\")";
        assert_eq!(check("python", long, "users_v1"), Some(("identifier".into(), false)));
    }

    #[test]
    fn an_escape_without_counterpart_is_not_read() {
        assert_eq!(check("java", r#"class A { String q = "select \u0061 from users_v1"; }"#, "users_v1"), None);
    }
}
