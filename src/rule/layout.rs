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
            Fragment::Copy(range) => {
                // Behind a break that was copied, code stands where it stood.
                let copied = text.get(range.clone()).unwrap_or("");
                let last = copied.rsplit_once('\n').map(|(_, last)| last).filter(|last| last.trim().is_empty());
                moved(file, range, &here, &mut out);
                if let Some(last) = last {
                    here = last.to_owned();
                }
            }
        }
    }
    out
}

/// A replacement that keeps the line breaks of the code that it takes the place of,
/// where it writes the same between the same holes: after a bracket, between two holes,
/// and before the bracket that closes. `f(⏎ a,⏎ b,⏎)` → `g($A, $B)` stays on four lines.
pub(super) fn with_breaks(node: Node<'_>, fragments: Vec<Fragment>) -> Vec<Fragment> {
    let (tree, whole) = (node.tree(), node.range());
    if tree.base() > 0 || !node.text().contains('\n') {
        return fragments;
    }
    let inside = |fragment: Option<&Fragment>| match fragment {
        Some(Fragment::Copy(range)) if whole.start <= range.start && range.end <= whole.end => Some(range.clone()),
        _ => None,
    };
    let (mut out, mut depth, text) = (Vec::new(), 0_isize, tree.text());
    for (at, fragment) in fragments.iter().enumerate() {
        let Fragment::Text(new) = fragment else {
            out.push(fragment.clone());
            continue;
        };
        let left = at.checked_sub(1).and_then(|before| inside(fragments.get(before)));
        let right = inside(fragments.get(at + 1));
        let broken = match (left, right) {
            (None, Some(right)) if at == 0 => opened(text, whole.start..right.start, new),
            (Some(left), Some(right)) if depth > 0 && left.end <= right.start => {
                let old = left.end..right.start;
                let same = squashed(&text[old.clone()]) == squashed(new) && text[old.clone()].contains('\n');
                same.then(|| vec![Fragment::Copy(old)])
            }
            (Some(left), None) if depth > 0 && at + 1 == fragments.len() => {
                let call = fragments.first().is_some_and(|head| is_call(tree, head));
                closed(text, left.end..whole.end, new, call)
            }
            _ => None,
        };
        depth +=
            new.chars().map(|c| if "([{".contains(c) { 1 } else { -isize::from(")]}".contains(c)) }).sum::<isize>();
        out.extend(broken.unwrap_or_else(|| vec![fragment.clone()]));
    }
    out
}

fn squashed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The text before the first hole, with the break that follows its bracket in `old`.
fn opened(text: &str, old: Range<usize>, new: &str) -> Option<Vec<Fragment>> {
    let head = text[old.clone()].trim_end();
    let (gap, bracket) = (old.start + head.len()..old.end, head.chars().next_back()?);
    let fits = "([{".contains(bracket) && new.trim_end().ends_with(bracket) && text[gap.clone()].contains('\n');
    fits.then(|| vec![Fragment::Text(new.trim_end().to_owned()), Fragment::Copy(gap)])
}

/// The text after the last hole, with the break that precedes its bracket in `old`; a
/// comma at the end stays where both are calls.
fn closed(text: &str, old: Range<usize>, new: &str, call: bool) -> Option<Vec<Fragment>> {
    let tail = &text[old.clone()];
    let rest = tail.trim_start();
    let comma = rest.starts_with(',');
    let rest = if comma { rest[1..].trim_start() } else { rest };
    let gap = old.start..old.end - rest.len();
    let bracket = rest.chars().next()?;
    let fits = ")]}".contains(bracket) && new.trim_start().starts_with(bracket) && text[gap.clone()].contains('\n');
    let from = match text[gap.clone()].find(',') {
        Some(at) if !call => gap.start + at + 1,
        _ => gap.start,
    };
    fits.then(|| vec![Fragment::Copy(from..gap.end), Fragment::Text(new.trim_start().to_owned())])
}

/// Whether new code begins as a call: a name and its bracket.
fn is_call(tree: &Tree, head: &Fragment) -> bool {
    let Fragment::Text(text) = head else { return false };
    let Some(name) = text.trim_end().strip_suffix('(') else { return false };
    let last = name.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    let path = name.chars().all(|c| c.is_alphanumeric() || "_.:$".contains(c));
    path && !last.is_empty() && tree.language.kind_id(last, false).is_none()
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
