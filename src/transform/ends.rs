//! What a shell says behind its code: the mark that ends a heredoc stands alone on its line, and `&` speaks of the one
//! statement before it.
//!
//! Must not: move anything.

use std::ops::Range;

use super::places::Places;
use crate::edit::{Arranged, Edit};
use crate::language::EndFacts;
use crate::tree::{Node, Tree};

/// The first end that an edit misplaced: where it is in the result, and what is wrong with it.
pub(super) fn misplaced(old: &Tree, new: &Tree, edits: &[Edit], arranged: &Arranged) -> Option<(Range<usize>, String)> {
    let facts = new.language.facts.ends.as_ref()?;
    let bad = |tree: &Tree| tree.iter().filter(|node| is_beside(*node, facts)).count();
    if bad(new) > bad(old) {
        let mark = new.iter().find(|node| is_beside(*node, facts))?;
        let (line, column) = mark.line_column();
        let why = format!(
            "`{}` at {line}:{column} of the result ends the text above it only where it stands alone on its line: write \
             the text otherwise, or narrow the rule",
            mark.text()
        );
        return Some((mark.local_range(), why));
    }
    let places = Places::new(edits, arranged);
    for token in old.iter().filter(|node| binds(*node, facts)) {
        let Some(was) = before(token) else { continue };
        for now in places.of(token) {
            let token = new.last_from(now);
            let there = binds(token, facts) && token.local_range().start == now;
            let Some(is) = before(token).filter(|is| there && !is_same(was, *is, &places)) else { continue };
            let (line, column) = token.line_column();
            let why = format!(
                "`{}` at {line}:{column} of the result would speak of `{}`, and spoke of `{}`: put braces around \
                 several statements in the rule, or narrow it",
                token.text(),
                is.short(),
                was.short()
            );
            return Some((token.local_range(), why));
        }
    }
    None
}

/// Whether a statement is the one that it was, or all that took its place.
fn is_same(was: Node<'_>, is: Node<'_>, places: &Places<'_>) -> bool {
    let new = is.local_range();
    places.instead(was).map_or_else(|| places.or_new(was).contains(&new.start), |whole| whole == new)
}

fn binds(node: Node<'_>, facts: &EndFacts) -> bool {
    !node.is_named() && facts.binds.iter().any(|token| token == node.text())
}

/// What stands before a token in its list.
fn before(token: Node<'_>) -> Option<Node<'_>> {
    token.parent()?.children().take_while(|n| n.id != token.id).filter(|n| !n.is_extra()).last()
}

/// Whether a mark that has to stand alone on its line has something beside it.
fn is_beside(node: Node<'_>, facts: &EndFacts) -> bool {
    if node.kind() != facts.mark {
        return false;
    }
    let (text, own) = (node.tree().text(), node.local_range());
    let lead = &text[text[..own.start].rfind('\n').map_or(0, |at| at + 1)..own.start];
    let behind = text[own.end..].split('\n').next().unwrap_or("").trim_end_matches('\r');
    let tabs = node.parent().is_some_and(|around| around.text().starts_with(facts.tabs.as_str()));
    !behind.is_empty() || !(lead.is_empty() || tabs && lead.trim_start_matches('\t').is_empty())
}
