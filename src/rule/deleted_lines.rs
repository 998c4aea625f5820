//! Which lines, or blanks, go with code that goes.
//!
//! Must not: say which code does.

use std::ops::Range;

use crate::tree::{Node, Tree};

/// A range of the file; its whole lines where nothing else is on them, else with the blanks that parted it.
pub(super) fn lines_of(tree: &Tree, range: Range<usize>) -> Range<usize> {
    let (text, base) = (tree.text(), tree.base());
    let own = range.start - base..range.end - base;
    let start = text[..own.start].rfind('\n').map_or(0, |i| i + 1);
    let behind = comment_behind(tree, own.end).unwrap_or(own.end);
    let end = text[behind..].find('\n').map_or(text.len(), |i| behind + i + 1);
    let alone = text[start..own.start].trim().is_empty() && text[behind..end].trim().is_empty();
    let own = if alone && !goes_on(tree, start) { start..end } else { unparted(tree, own) };
    own.start + base..own.end + base
}

/// Where a comment ends that stands behind this place, as the last of its line: it speaks of what begins the line.
pub fn comment_behind(tree: &Tree, at: usize) -> Option<usize> {
    let text = tree.text();
    let line = text[at..].lines().next()?.trim_end();
    let start = text.len() - text[at..].trim_start_matches([' ', '\t']).len();
    let found = tree.last_from(start);
    let comment = std::iter::once(found).chain(found.ancestors()).find(|n| n.is_comment())?;
    let own = comment.local_range();
    let text = comment.text().trim_end();
    (own.start == start && start + text.len() == at + line.len()).then_some(start + text.len())
}

/// Whether the line that begins here goes on with the one before. Two marks are one that is escaped, and in a
/// comment there is none.
fn goes_on(tree: &Tree, line: usize) -> bool {
    let Some(before) = tree.text()[..line].strip_suffix('\n') else { return false };
    let before = before.strip_suffix('\r').unwrap_or(before);
    let Some(mark) = tree.language.facts.continuation.as_deref().filter(|mark| before.ends_with(mark)) else {
        return false;
    };
    let marks = (before.len() - before.trim_end_matches(mark).len()) / mark.len();
    let at = before.len() - mark.len();
    let last = tree.last_from(at);
    let comment = |n: &Node<'_>| n.is_comment() && n.local_range().contains(&at);
    marks % 2 == 1 && !std::iter::once(last).chain(last.ancestors()).any(|n| comment(&n))
}

/// A part of a line with the blanks on one side of it, so that what stays is parted as it was. Where lines
/// go on, their ends are blanks.
fn unparted(tree: &Tree, own: Range<usize>) -> Range<usize> {
    let text = tree.text();
    let blank = |c: char| c == ' ' || c == '\t';
    let (mut before, mut behind) = (own.start, own.end);
    loop {
        before = text[..before].trim_end_matches(blank).len();
        let Some(line) = text[..before].strip_suffix('\n').filter(|_| goes_on(tree, before)) else { break };
        before = line.strip_suffix('\r').unwrap_or(line).len() - mark(tree).len();
    }
    loop {
        behind = text.len() - text[behind..].trim_start_matches(blank).len();
        let next = text[behind..].strip_prefix(mark(tree)).map(|rest| rest.strip_prefix('\r').unwrap_or(rest));
        let Some(rest) = next.and_then(|rest| rest.strip_prefix('\n')).filter(|_| !mark(tree).is_empty()) else {
            break;
        };
        behind = text.len() - rest.len();
    }
    if let Some(range) = first_of_item(tree, &own, behind) {
        return range;
    }
    let (last, next) = (text[..before].chars().next_back(), text[behind..].chars().next());
    let comment = tree.language.facts.line_comment.as_deref().is_some_and(|mark| text[behind..].starts_with(mark));
    let is = |c: Option<char>, any: &str| c.is_none_or(|c| any.contains(c));
    let (line_begins, line_ends) = (is(last, "\r\n"), is(next, "\r\n"));
    let range = match (before < own.start, own.end < behind) {
        (true, _) if line_ends && !line_begins => before..behind,
        (true, false) if is(next, ")]};,") && !is(last, "([{:)\r\n") => before..own.end,
        (parted, true) if !(line_ends || line_begins && comment) && (parted || is(last, "([{\r\n")) => {
            own.start..behind
        }
        _ => return own,
    };
    let gaps = [range.start..own.start, own.end..range.end];
    if gaps.into_iter().filter(|gap| !gap.is_empty()).any(|gap| is_data(tree, gap.start)) { own } else { range }
}

/// Of several lines that go in behind a bullet, the first goes with the white space before the second.
fn first_of_item(tree: &Tree, own: &Range<usize>, behind: usize) -> Option<Range<usize>> {
    let text = tree.text();
    let before = &text[text[..own.start].rfind('\n').map_or(0, |at| at + 1)..own.start];
    let bullet = |word: &str| tree.language.facts.bullets.iter().any(|bullet| bullet == word);
    let rest = text[behind..].trim_start_matches('\r').strip_prefix('\n')?;
    let code = rest.trim_start_matches(' ');
    let alike = rest.len() - code.len() == before.len() && !code.starts_with(['#', '\n', '\r']);
    let item = !before.trim().is_empty() && before.split_whitespace().all(bullet);
    (item && alike && !code.is_empty()).then(|| own.start..text.len() - code.len())
}

fn mark(tree: &Tree) -> &str {
    tree.language.facts.continuation.as_deref().unwrap_or("")
}

/// Whether a text keeps the empty lines that follow it, as one behind `|+` does in YAML.
pub fn keeps_lines(node: Node<'_>) -> bool {
    node.kind() == "block_scalar" && node.text().lines().next().is_some_and(|head| head.contains('+'))
}

/// Whether a blank is a part of a text.
pub fn is_data(tree: &Tree, at: usize) -> bool {
    let node = tree.last_from(at);
    let holds = |n: &Node<'_>| n.local_range().contains(&at);
    let text = |n: &Node<'_>| tree.language.is_verbatim(n.kind_id()) || n.is_leaf() && !n.is_extra();
    std::iter::once(node).chain(node.ancestors()).any(|n| holds(&n) && text(&n))
}
