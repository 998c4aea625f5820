//! Which bytes go with an element of a list: its separator and the space around
//! it, never a comment that belongs to what stays.

use std::collections::BTreeSet;
use std::ops::Range;

use super::deleted_lines::comment_behind;
use crate::tree::Node;

/// A node, from what hangs on it, with the separator that belongs to it and the space between;
/// and what of that stays, where a comment of a neighbour stands there.
pub(super) fn element(head: Node<'_>, node: Node<'_>) -> (Range<usize>, Option<Range<usize>>) {
    let siblings: Vec<Node<'_>> = node.parent().map(|p| p.children().collect()).unwrap_or_default();
    let at = siblings.iter().position(|s| s.id == node.id).unwrap_or(0);
    let after = siblings[(at + 1).min(siblings.len())..].iter().find(|s| !s.is_extra());
    let range = head.range().start..node.range().end;
    let before_head = siblings.iter().position(|s| s.id == head.id).unwrap_or(at);
    let parting = after.filter(|s| is_separator(s));
    // What ends its line speaks of it.
    let ended = parting.map_or(range.end, |parting| parting.range().end);
    let own = trailing(head, ended);
    if let Some(parting) = parting
        && let Some(next) = siblings.iter().find(|s| s.id > parting.id && s.is_named() && own <= s.range().start)
    {
        // A comment before the separator is this element's, one after it may be the next one's.
        return (range.start..next.range().start, None);
    }
    if parting.is_some() && own > ended {
        return (alone_on_lines(node, range.start..own), None);
    }
    if let Some(before) = siblings[..before_head].iter().rev().find(|s| !s.is_extra()).filter(|s| is_separator(s)) {
        let comments = siblings.iter().any(|s| s.is_extra() && before.id < s.id && s.id < head.id);
        let end = if parting.is_none() { own } else { range.end };
        let kept = comments.then(|| before.range().end..range.start).map(|kept| line_kept(node, kept, end));
        let start = if is_join(before) { before_blanks(before) } else { before.range().start };
        return (start..end, kept);
    }
    // The only element, and what ends the list behind it.
    if let Some(parting) = parting {
        return (alone_on_lines(node, range.start..parting.range().end), None);
    }
    (range, None)
}

/// Where the comment ends that ends the line which an element begins, behind this place; else the place.
fn trailing(head: Node<'_>, end: usize) -> usize {
    let (tree, base) = (head.tree(), head.tree().base());
    let before = &tree.text()[..head.local_range().start];
    let begins = before.rsplit('\n').next().unwrap_or("").trim().is_empty();
    let behind = begins.then(|| comment_behind(tree, end - base)).flatten();
    behind.map_or(end, |behind| behind + base)
}

/// Comments that stay before a node that goes, all up to `end`, without the line of the node where the next one begins
/// behind it.
fn line_kept(node: Node<'_>, kept: Range<usize>, end: usize) -> Range<usize> {
    let (text, base) = (node.tree().text(), node.tree().base());
    let comments = &text[kept.start - base..kept.end - base];
    let ends = text[end - base..].trim_start_matches([' ', '\t']).starts_with(['\n', '\r']);
    let last = comments.trim_end().len();
    if ends && comments[last..].contains('\n') { kept.start..kept.start + last } else { kept }
}

/// A range, with its lines where nothing else is on them.
fn alone_on_lines(node: Node<'_>, range: Range<usize>) -> Range<usize> {
    let (text, base) = (node.tree().text(), node.tree().base());
    let own = range.start - base..range.end - base;
    let start = text[..own.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[own.end..].find('\n').map_or(text.len(), |at| own.end + at + 1);
    let alone = start > 0 && text[start..own.start].trim().is_empty() && text[own.end..end].trim().is_empty();
    if alone {
        return start + base..end + base;
    }
    let blanks = text[own.end..].len() - text[own.end..].trim_start_matches(' ').len();
    range.start..range.end + if text[..own.start].ends_with(' ') { blanks } else { 0 }
}

fn siblings(node: Node<'_>) -> Vec<Node<'_>> {
    node.parent().map(|p| p.children().filter(|c| !c.is_extra()).collect()).unwrap_or_default()
}

fn is_separator(node: &Node<'_>) -> bool {
    !node.is_named() && (node.text() == ";" || node.tree().language.is_separator(node.kind())) || is_join(node)
}

/// Whether it is a token that parts elements as a comma does, where it stands.
pub(super) fn is_join(node: &Node<'_>) -> bool {
    let joins = &node.tree().language.facts.elements.joins;
    let is = |join: &String| {
        join.split_once(' ').is_some_and(|(kind, token)| {
            token == node.text() && node.parent().is_some_and(|around| around.kind() == kind)
        })
    };
    !node.is_named() && joins.iter().any(is)
}

/// Where the blanks begin that stand before a node on its line, with the line break where it begins the line.
fn before_blanks(node: &Node<'_>) -> usize {
    let before = node.tree().text()[..node.local_range().start].trim_end_matches([' ', '\t']);
    let before = before.strip_suffix('\n').map_or(before, |line| line.strip_suffix('\r').unwrap_or(line));
    before.len() + node.tree().base()
}

/// Several elements of one list at once: ranges of the file, in order, disjoint.
/// A comment goes only where it ends a line that holds nothing else but them.
/// `None` where they are not elements of one list.
pub fn elements(nodes: &[Node<'_>]) -> Option<Vec<Range<usize>>> {
    let first = *nodes.first()?;
    let parent = first.parent()?;
    if nodes.iter().any(|n| n.parent().map(|p| p.id) != Some(parent.id)) {
        return None;
    }
    let gone: BTreeSet<usize> = nodes.iter().map(|n| n.local_range().start).collect();
    let siblings = siblings(first);
    let goes = |n: &Node<'_>| gone.contains(&n.local_range().start) && nodes.iter().any(|m| m.id == n.id);
    let text = first.tree().text();
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut last_kept = None;
    let mut unended = false;
    for (at, node) in siblings.iter().enumerate() {
        let separator = siblings.get(at + 1).filter(|s| is_separator(s));
        if !goes(node) {
            if node.is_named() && separator.is_some() {
                last_kept = separator.map(|s| s.local_range());
            }
            continue;
        }
        unended |= separator.is_none();
        let range = node.local_range().start..separator.unwrap_or(node).local_range().end;
        match runs.last_mut() {
            Some(run) if is_space(text, run.end..range.start) => run.end = range.end,
            _ => runs.push(range),
        }
    }
    let mut ranges: Vec<Range<usize>> = runs.into_iter().map(|run| with_space(text, parent, run)).collect();
    // The list ended without a separator, and so it does afterwards.
    if unended && let Some(separator) = last_kept {
        ranges.push(separator);
        ranges.sort_by_key(|r| r.start);
    }
    let base = first.tree().base();
    Some(ranges.into_iter().map(|r| r.start + base..r.end + base).collect())
}

/// Whether nothing but space of one line lies there.
fn is_space(text: &str, range: Range<usize>) -> bool {
    text.get(range).is_some_and(|gap| gap.chars().all(|c| c == ' ' || c == '\t'))
}

fn with_space(text: &str, list: Node<'_>, run: Range<usize>) -> Range<usize> {
    let line = text[..run.start].rfind('\n').map_or(0, |i| i + 1);
    let end = text[run.end..].find('\n').map_or(text.len(), |i| run.end + i);
    let comment = list.children().find(|c| c.is_extra() && run.end <= c.local_range().start);
    let comment = comment.map(|c| c.local_range()).filter(|c| c.start < end);
    let rest = run.end..comment.as_ref().map_or(end, |c| c.start);
    let blank = text[rest].trim().is_empty();
    let ends_line = comment.is_none_or(|c| c.end >= text[..end].trim_end().len());
    if blank && ends_line && is_space(text, line..run.start) {
        return line..(end + 1).min(text.len());
    }
    let after = run.end + text[run.end..].len() - text[run.end..].trim_start_matches([' ', '\t']).len();
    let followed = list.named_children().any(|c| !c.is_extra() && c.local_range().start == after);
    if followed {
        return run.start..after;
    }
    let before = text[..run.start].trim_end_matches([' ', '\t']).len();
    if before == line { run } else { before..run.end }
}

/// Whether a list is what a macro is given: what each of them means, the macro knows.
pub(super) fn is_given(list: Node<'_>) -> bool {
    let call = list.parent().filter(|_| list.is_list_of_macro());
    let name = call.and_then(|call| call.children().next()).map_or("", Node::text);
    let calls = list.tree().language.macro_calls.as_ref();
    call.is_some() && calls.is_none_or(|calls| !calls.has_equals(calls.name(name)))
}
