//! Where new text goes in a file: statements, lines, indentation and line ends.
//!
//! Indentation moves code, never the inside of a literal.

use std::ops::Range;

use super::template::indented;
use crate::edit::Fragment;
use crate::tree::{Node, Tree};

/// Gives the lines of a replacement the indentation of where they go. Copied
/// lines move only where indentation means something, and never in a literal.
pub(super) fn placed(file: &Tree, range: &Range<usize>, fragments: Vec<Fragment>, embedded: bool) -> Vec<Fragment> {
    let text = file.text();
    let (indent, line_end) = (indentation(text, range.start), line_end(text));
    let mut here = indent.to_owned();
    let mut out = Vec::new();
    for fragment in fragments {
        match fragment {
            Fragment::Text(new) => {
                let new = indented(&new, indent, line_end);
                if let Some((_, last)) = new.rsplit_once('\n') {
                    here = last[..last.len() - last.trim_start_matches([' ', '\t']).len()].to_owned();
                }
                out.push(Fragment::Text(new));
            }
            Fragment::Copy(range) if embedded || !file.language.facts.indented => out.push(Fragment::Copy(range)),
            Fragment::Copy(range) => moved(file, range, &here, &mut out),
        }
    }
    out
}

/// Code as the text of a file of its own: copies come from `tree`, and their lines move
/// with the code around them; its lines end as those of `tree` do, the last one too.
pub fn written(tree: &Tree, fragments: &[Fragment]) -> String {
    let line_end = line_end(tree.text());
    let mut out = String::new();
    let copy = |range: &Range<usize>| {
        let base = tree.base();
        tree.text().get(range.start.saturating_sub(base)..range.end.saturating_sub(base)).unwrap_or("")
    };
    for fragment in fragments {
        let target = indentation(&out, out.len()).to_owned();
        match fragment {
            Fragment::Text(text) => out += &indented(text, "", line_end),
            // What lies in a literal keeps its lines.
            Fragment::Copy(range) if tree.base() > 0 => out += copy(range),
            Fragment::Copy(range) => {
                let mut pieces = Vec::new();
                moved(tree, range.clone(), &target, &mut pieces);
                pieces.iter().for_each(|piece| match piece {
                    Fragment::Text(text) => out += text,
                    Fragment::Copy(range) => out += copy(range),
                });
            }
        }
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out += line_end;
    }
    out
}

/// A copy whose lines, but for the first, are indented by `target` instead of
/// the indentation of the line that it comes from.
fn moved(tree: &Tree, range: Range<usize>, target: &str, out: &mut Vec<Fragment>) {
    let text = tree.text();
    let source = indentation(text, range.start);
    let mut from = range.start;
    if source != target {
        let breaks = memchr::memchr_iter(b'\n', &text.as_bytes()[range.clone()]).map(|at| range.start + at + 1);
        for line in breaks {
            let rest = &text[line..range.end];
            let blank = rest.lines().next().is_none_or(|l| l.trim().is_empty());
            if blank || !rest.starts_with(source) || in_literal(tree, line) {
                continue;
            }
            out.push(Fragment::Copy(from..line));
            out.push(Fragment::Text(target.to_owned()));
            from = line + source.len();
        }
    }
    out.push(Fragment::Copy(from..range.end));
}

fn in_literal(tree: &Tree, at: usize) -> bool {
    let inside = |n: &Node<'_>| n.local_range().start < at && at < n.local_range().end;
    let node = tree.last_from(at);
    std::iter::once(node).chain(node.ancestors()).any(|n| inside(&n) && tree.language.is_string(n.kind_id()))
}

/// Where the innermost statement around `node` begins that is first on its line, so
/// that a comment above it is outside of every literal and list.
pub(super) fn statement_start(node: Node<'_>) -> usize {
    let tree = node.tree();
    let text = tree.text();
    let first_on_line = |start: usize| text[line_start(text, start)..start].trim().is_empty();
    let statements = tree.statements();
    let mut around = std::iter::once(node).chain(node.ancestors());
    let innermost = around.find(|n| statements.contains(&n.id) && first_on_line(n.local_range().start));
    innermost.unwrap_or(node).local_range().start
}

pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1)
}

pub(super) fn indentation(text: &str, at: usize) -> &str {
    let line = &text[line_start(text, at)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The line end that the file uses.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if at > 0 && text.as_bytes()[at - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}
