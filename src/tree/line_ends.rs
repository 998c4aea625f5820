//! Statements that end with their line, where the grammar goes on with the next one: in Kotlin, a line that
//! begins with `(` gives nothing to the call above it.
//!
//! Must not: know a language by name, or change a byte of the text.

use super::fold::children;
use super::{ERROR, EXTRA, NodeData};
use crate::language::LineEnds;

/// Whether any line begins with what may be a statement of its own, or a statement before a brace was not read: most
/// texts have none, and are not looked at.
pub(super) fn may_break(nodes: &[NodeData], ends: &LineEnds, text: &str) -> bool {
    let closed = |node: &NodeData| ends.closed(nodes[node.parent as usize].kind);
    let after_end = |node: &NodeData| ends.unended(node.kind) && nodes[node.parent as usize].flags & ERROR != 0;
    let unread =
        |node: &NodeData| node.flags & ERROR != 0 && closed(node) || after_end(node) || is_mistaken(ends, text, node);
    if nodes.iter().any(unread) {
        return true;
    }
    // An empty line tells nothing: the one behind it is asked itself.
    let blank = |c: char| c.is_whitespace() && c != '\n';
    let begins = |at: usize| ends.may_begin(text.get(at + 1..).unwrap_or("").trim_start_matches(blank));
    memchr::memchr_iter(b'\n', text.as_bytes()).any(begins)
}

/// Where the grammar has gone on over the end of a statement: each place behind what stands before it, and the
/// node that begins there.
pub(super) fn missed(nodes: &[NodeData], ends: &LineEnds, text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for around in 0..nodes.len() as u32 {
        if ends.closed(nodes[around as usize].kind) {
            found.extend(unended(nodes, text, around));
        }
        if nodes[around as usize].flags & ERROR != 0 {
            found.extend(before_braces(nodes, ends, text, around));
        }
        if is_mistaken(ends, text, &nodes[around as usize]) {
            let body = children(nodes, around).last();
            found.extend(body.and_then(|body| before_last_brace(nodes, text, body)));
        }
        let Some(word) = ends.goes_on(nodes[around as usize].kind) else { continue };
        let words = |n: u32| text.get(nodes[n as usize].start as usize..nodes[n as usize].end as usize);
        let mut before: Option<u32> = None;
        for child in children(nodes, around) {
            let NodeData { start, flags, .. } = nodes[child as usize];
            if flags & EXTRA != 0 {
                continue;
            }
            if let Some(last) = before.map(|last| nodes[last as usize].end as usize)
                && text.get(start as usize..).is_some_and(|rest| ends.begin(rest))
                && text.get(last..start as usize).is_some_and(|gap| gap.contains('\n'))
                && word.is_none_or(|word| words(around + 1) == Some(word))
                && ends_with_lines(nodes, text, child)
            {
                found.push((last, child as usize));
            }
            before = Some(child);
        }
    }
    found
}

/// Code that was not read, though a brace is behind it that ends it: where it ends, and the brace.
fn unended(nodes: &[NodeData], text: &str, around: u32) -> Option<(usize, usize)> {
    let parts: Vec<u32> =
        children(nodes, around).filter(|n| nodes[*n as usize].flags & (EXTRA | ERROR) != EXTRA).collect();
    let [.., last, brace] = parts.as_slice() else { return None };
    let (last, brace) = (&nodes[*last as usize], *brace as usize);
    (last.flags & ERROR != 0 && closes(&nodes[brace], text)).then_some((last.end as usize, brace))
}

/// What lacks an end before a brace, in code of which the rest was not read either.
fn before_braces(nodes: &[NodeData], ends: &LineEnds, text: &str, around: u32) -> Vec<(usize, usize)> {
    let parts: Vec<u32> = children(nodes, around).filter(|n| nodes[*n as usize].flags & EXTRA == 0).collect();
    let lacks = |pair: &&[u32]| ends.unended(nodes[pair[0] as usize].kind) && closes(&nodes[pair[1] as usize], text);
    parts.windows(2).filter(lacks).map(|pair| (nodes[pair[0] as usize].end as usize, pair[1] as usize)).collect()
}

/// Whether a node is what the grammar made of a declaration whose last statement has no end before the brace.
fn is_mistaken(ends: &LineEnds, text: &str, node: &NodeData) -> bool {
    ends.mistaken(node.kind, text.get(node.start as usize..node.end as usize).unwrap_or(""))
}

/// Where the last statement before the brace of a body ends, and the brace.
fn before_last_brace(nodes: &[NodeData], text: &str, body: u32) -> Option<(usize, usize)> {
    let parts: Vec<u32> = children(nodes, body).filter(|n| nodes[*n as usize].flags & EXTRA == 0).collect();
    let [.., last, brace] = parts.as_slice() else { return None };
    closes(&nodes[*brace as usize], text).then_some((nodes[*last as usize].end as usize, *brace as usize))
}

fn closes(node: &NodeData, text: &str) -> bool {
    text.get(node.start as usize..node.end as usize) == Some("}")
}

/// Whether statements end with their line where a node stands: between `(` and `)`, or `[` and `]`, nothing does.
fn ends_with_lines(nodes: &[NodeData], text: &str, mut node: u32) -> bool {
    while node > 0 {
        let around = nodes[node as usize].parent;
        let mut open = Vec::new();
        for before in children(nodes, around).take_while(|before| *before < node) {
            let NodeData { start, end, subtree_end, .. } = nodes[before as usize];
            match text.get(start as usize..end as usize) {
                Some(bracket @ ("(" | "[" | "{")) if subtree_end == before + 1 => open.push(bracket),
                Some(")" | "]" | "}") if subtree_end == before + 1 => drop(open.pop()),
                _ => {}
            }
        }
        if let Some(bracket) = open.last() {
            return *bracket == "{";
        }
        node = around;
    }
    true
}

/// Where the end of a statement may be written for the parser, behind what ends there: the first blank that is in
/// no comment. There is none where a comment fills all of the lines between.
pub(super) fn blank_behind(nodes: &[NodeData], ends: &LineEnds, text: &str, end: usize, next: usize) -> Option<usize> {
    let comments = nodes[..next].iter().rev().take_while(|n| n.start as usize >= end);
    let comments: Vec<_> =
        comments.filter(|n| n.flags & EXTRA != 0).map(|n| n.start as usize..n.end as usize).collect();
    let inside = |at: &usize| comments.iter().any(|comment| comment.contains(at));
    // The line break that ends a comment is not in it, and the comment would go on without.
    let ends_one = |at: &usize| comments.iter().any(|c| c.end == *at && ends.line_comment(&text[c.clone()]));
    let until = nodes[next].start as usize;
    (end..until).find(|at| text.as_bytes()[*at].is_ascii_whitespace() && !inside(at) && !ends_one(at))
}

/// Lets nodes end where their code does, and not behind the end of a statement that only the parser saw.
pub(super) fn without_ends(nodes: &mut [NodeData], written: &[usize]) {
    for node in nodes {
        if let Some(end) = (node.end as usize).checked_sub(1).filter(|end| written.binary_search(end).is_ok()) {
            node.end = end as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::may_break;

    #[test]
    fn empty_lines_are_looked_at_once() {
        let ends = crate::language::by_name("kotlin").unwrap().line_ends.as_ref().unwrap();
        let empty = "\n".repeat(1 << 20);
        assert!(!may_break(&[], ends, &format!("a(){empty}b()")));
        assert!(may_break(&[], ends, &format!("a(){empty}\t (b)")));
        assert!(may_break(&[], ends, "a()\n/* why */ (b).f()"));
    }
}
