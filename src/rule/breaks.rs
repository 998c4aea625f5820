//! Which line breaks of the old code new code keeps.
//!
//! Must not: change how lines go in.

use std::ops::Range;

use super::layout::step;
use crate::edit::Fragment;
use crate::tree::{Node, Tree};

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
    let step = " ".repeat(step(&fragments).unwrap_or(4));
    // Whether a block was opened on lines of its own that had no braces there.
    let mut owed = false;
    for (at, fragment) in fragments.iter().enumerate() {
        let Fragment::Text(new) = fragment else {
            out.push(fragment.clone());
            continue;
        };
        let left = at.checked_sub(1).and_then(|before| inside(fragments.get(before)));
        let right = inside(fragments.get(at + 1));
        let broken = match (left, right) {
            (None, Some(right)) if at == 0 => opened(text, whole.start..right.start, new),
            (Some(left), Some(right)) if left.end <= right.start => {
                let old = left.end..right.start;
                let same =
                    depth > 0 && text[old.clone()].contains('\n') && same_tokens(text, &tokens(node, &old), &old, new);
                match same {
                    true => Some(vec![Fragment::Copy(old)]),
                    false => opened(text, old.clone(), new).or_else(|| begun(text, whole.start..left.end, old, new)),
                }
            }
            (Some(left), None) if depth > 0 && at + 1 == fragments.len() => {
                closed(tree, left.end..whole.end, new, comma_stays(tree, &fragments[..at]))
            }
            _ => None,
        };
        depth += brackets(new).iter().map(|(_, bracket)| if "([{".contains(*bracket) { 1 } else { -1 }).sum::<isize>();
        let broken = broken.or_else(|| {
            let [left, right] = [at.checked_sub(1), Some(at + 1)].map(|at| inside(fragments.get(at?)));
            in_block(text, left, right, new)
        });
        let closes = std::mem::take(&mut owed) && new.trim_start().starts_with('}');
        let broken = broken.or_else(|| {
            let right = inside(fragments.get(at + 1)).filter(|right| begins_its_line(text, right, new));
            owed = right.is_some();
            right.map(|_| vec![Fragment::Text(format!("{}\n{step}", new.trim_end()))])
        });
        // What was put on lines of its own ends on one.
        let broken = broken.or_else(|| closes.then(|| vec![Fragment::Text(format!("\n{}", new.trim_start()))]));
        out.extend(broken.unwrap_or_else(|| vec![fragment.clone()]));
    }
    out
}

/// The text between two holes that closes a block, or opens one, with the breaks that were between these braces
/// and what stands in them.
fn in_block(text: &str, left: Option<Range<usize>>, right: Option<Range<usize>>, new: &str) -> Option<Vec<Fragment>> {
    let closes = left.filter(|_| new.trim_start().starts_with('}')).and_then(|left| {
        let rest = text[left.end..].trim_start();
        let gap = left.end..text.len() - rest.len();
        (rest.starts_with('}') && text[gap.clone()].contains('\n')).then_some(gap)
    });
    let opens = right.filter(|_| new.trim_end().ends_with('{')).and_then(|right| {
        let head = text[..right.start].trim_end();
        let gap = head.len()..right.start;
        (head.ends_with('{') && text[gap.clone()].contains('\n')).then_some(gap)
    });
    let (start, end) = (closes.is_some(), opens.is_some());
    let new = if start { new.trim_start() } else { new };
    let new = if end { new.trim_end() } else { new };
    let all = [closes.map(Fragment::Copy), Some(Fragment::Text(new.to_owned())), opens.map(Fragment::Copy)];
    (start || end).then(|| all.into_iter().flatten().collect())
}

/// Whether new code opens a block with what began its line, and has several, though no brace stood before it there.
fn begins_its_line(text: &str, right: &Range<usize>, new: &str) -> bool {
    let head = text[..right.start].trim_end();
    let begins = text[head.len()..right.start].contains('\n') && text[right.clone()].contains('\n');
    begins && new.trim_end().ends_with('{') && !new.contains('\n')
}

/// The tokens of a node within these bytes, in order; a string literal is one.
fn tokens(node: Node<'_>, within: &Range<usize>) -> Vec<Range<usize>> {
    let language = node.tree().language;
    let (mut out, mut pending) = (Vec::new(), vec![node]);
    while let Some(next) = pending.pop() {
        if next.is_leaf() || language.is_string(next.kind_id()) {
            let blank = next.text().trim().is_empty();
            out.extend((!blank).then(|| next.local_range()));
            continue;
        }
        let touches = |n: &Node<'_>| n.local_range().start < within.end && within.start < n.local_range().end;
        let children: Vec<Node<'_>> = next.children().filter(touches).collect();
        pending.extend(children.into_iter().rev());
    }
    out
}

/// Whether new code has the tokens of the old, whatever white space parts them. White
/// space that parts two tokens of which none is a comma or a parenthesis is in both.
fn same_tokens(text: &str, tokens: &[Range<usize>], old: &Range<usize>, new: &str) -> bool {
    let free = |c: Option<char>| c.is_some_and(|c| ",()".contains(c));
    let (mut from, mut rest, mut last) = (old.start, new, None);
    for token in tokens {
        // Half a token says nothing.
        if token.start < old.start || old.end < token.end {
            return false;
        }
        let (gap, token_text, trimmed) = (&text[from..token.start], &text[token.clone()], rest.trim_start());
        let parted = gap.is_empty() == (trimmed.len() == rest.len());
        if !gap.trim().is_empty() || !(parted || free(last) || free(token_text.chars().next())) {
            return false;
        }
        let Some(after) = trimmed.strip_prefix(token_text) else { return false };
        (from, rest, last) = (token.end, after, token_text.chars().next_back());
    }
    let gap = &text[from..old.end];
    gap.trim().is_empty() && rest.trim().is_empty() && (gap.is_empty() == rest.is_empty() || free(last))
}

/// The brackets of new code and where they are, but for those in quotes.
fn brackets(new: &str) -> Vec<(usize, char)> {
    let (mut out, mut skip) = (Vec::new(), 0);
    for (at, c) in new.char_indices().filter(|(_, c)| "([{)]}\"'`".contains(*c)) {
        if at < skip {
            continue;
        }
        match c {
            '"' | '\'' | '`' => skip = new[at + 1..].find(c).map_or(skip, |end| at + 1 + end + 1),
            bracket => out.push((at, bracket)),
        }
    }
    out
}

/// The text before the first hole, with the break that follows its bracket in `old`.
fn opened(text: &str, old: Range<usize>, new: &str) -> Option<Vec<Fragment>> {
    let head = text[old.clone()].trim_end();
    let (gap, bracket) = (old.start + head.len()..old.end, head.chars().next_back()?);
    let fits = "([{".contains(bracket) && new.trim_end().ends_with(bracket) && text[gap.clone()].contains('\n');
    fits.then(|| vec![Fragment::Text(new.trim_end().to_owned()), Fragment::Copy(gap)])
}

/// The text between two holes that opens a list with what stood in the middle of one, and began its line there:
/// `f(⏎ a,⏎ b,⏎)` → `$A.f($$$B)`. The break is that behind the bracket which stood before both, in `list`.
fn begun(text: &str, list: Range<usize>, old: Range<usize>, new: &str) -> Option<Vec<Fragment>> {
    let gap = old.start + text[old.clone()].trim_end().len()..old.end;
    let fits = text[old].trim() == "," && new.trim_end().ends_with(['(', '[', '{']) && text[gap.clone()].contains('\n');
    let first = text[list.clone()].find(['(', '[', '{']).map(|at| {
        let from = list.start + at + 1;
        from..list.end - text[from..list.end].trim_start().len()
    });
    let gap = first.filter(|first| text[first.clone()].contains('\n')).unwrap_or(gap);
    fits.then(|| vec![Fragment::Text(new.trim_end().to_owned()), Fragment::Copy(gap)])
}

/// The text after the last hole, with the break that precedes its bracket in `old`; a
/// comma at the end stays where it means as little as it did.
fn closed(tree: &Tree, old: Range<usize>, new: &str, comma_stays: bool) -> Option<Vec<Fragment>> {
    let text = tree.text();
    let tail = &text[old.clone()];
    let rest = tail.trim_start();
    let comma = rest.starts_with(',');
    let rest = if comma { rest[1..].trim_start() } else { rest };
    let gap = old.start..old.end - rest.len();
    let bracket = rest.chars().next()?;
    let fits = ")]}".contains(bracket) && new.trim_start().starts_with(bracket) && text[gap.clone()].contains('\n');
    // Where a break ends a statement, it stands behind one, or a comma, or not at all.
    let last = tree.last_from(old.start.saturating_sub(1));
    let ends = |n: &Node<'_>| n.local_range().end == old.start;
    let statement =
        bracket == '}' && std::iter::once(last).chain(last.ancestors()).filter(ends).any(Node::is_statement);
    if !fits || tree.language.is_separator("\n") && !(statement || comma && comma_stays) {
        return None;
    }
    let from = match text[gap.clone()].find(',') {
        Some(at) if !comma_stays => gap.start + at + 1,
        _ => gap.start,
    };
    Some(vec![Fragment::Copy(from..gap.end), Fragment::Text(new.trim_start().to_owned())])
}

/// Whether a comma before the bracket that closes says nothing in new code, which is open
/// behind these fragments: in a call, in braces, and in a list that is all there is.
fn comma_stays(tree: &Tree, fragments: &[Fragment]) -> bool {
    let mut open: Vec<(usize, &str, char)> = Vec::new();
    for (index, fragment) in fragments.iter().enumerate() {
        let Fragment::Text(text) = fragment else { continue };
        for (at, bracket) in brackets(text) {
            if "([{".contains(bracket) {
                open.push((index, &text[..at], bracket));
            } else {
                open.pop();
            }
        }
    }
    match open.pop() {
        // What is copied right before the parenthesis is called.
        Some((index, "", '(')) => index > 0,
        Some((_, before, '(')) => {
            let last = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
            !last.is_empty() && tree.language.kind_id(last, false).is_none()
        }
        Some((_, _, '{')) => true,
        Some((index, before, '[')) => index == 0 && before.is_empty(),
        _ => false,
    }
}
