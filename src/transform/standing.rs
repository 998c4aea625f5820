//! Where code may stand, as the description of its language says it: a grammar reads more than
//! its language does.
//!
//! Must not: know a language by name, or edit anything.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::moves::Moves;
use crate::edit::{Arranged, Edit, Fragment, Kept, Placed};
use crate::language::{Belonging, Likeness, Place};
use crate::rule::is_listed;
use crate::tree::{Node, Tree};

/// What opens a list.
const BRACKETS: [&str; 4] = ["(", "[", "{", "<"];

/// Whether a node is a list of its own: what is in it can be told from what is around it.
pub(super) fn is_bracketed(node: Node<'_>) -> bool {
    node.children().next().is_some_and(|first| opens(first))
}

/// Whether a token opens a list.
pub(super) fn opens(token: Node<'_>) -> bool {
    BRACKETS.contains(&token.text())
}

/// A node, and those in it that span the same.
pub(super) fn layers(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    std::iter::successors(Some(node), |n| n.children().next().filter(|c| c.local_range() == n.local_range()))
}

/// Whether a node stands in a place that the description of its language names.
pub(super) fn is_there(node: Node<'_>, place: &Place) -> bool {
    if !is_one_of(node, place) {
        return false;
    }
    let mut inner = node;
    while let Some(around) = inner.parent() {
        let ends = place.last && around.local_range().end == inner.local_range().end;
        if is_in(inner, around, place) && (ends || !place.last) {
            return stands_beside(node, place);
        }
        // What is one of several targets is a target.
        let is_through = || place.through.iter().any(|kind| kind == around.kind());
        let is_list = || around.tree().language.is_list(around.kind_id()) && !is_braced(around);
        let one_of = !place.inside.is_empty() && (is_list() || is_through());
        let leads = one_of || place.first && around.local_range().start == inner.local_range().start;
        if !(leads || ends || place.deep && !is_bracketed(around)) {
            return false;
        }
        inner = around;
    }
    false
}

/// Whether braces stand around a list: it is a block of its own.
fn is_braced(list: Node<'_>) -> bool {
    let before = list.parent().into_iter().flat_map(Node::children).take_while(|child| child.id != list.id);
    before.filter(|child| !child.is_extra()).last().is_some_and(|token| token.text() == "{")
}

fn is_in(inner: Node<'_>, around: Node<'_>, place: &Place) -> bool {
    let listed = match place.inside.is_empty() {
        true => !is_listed(around, inner, &place.outside),
        false => is_listed(around, inner, &place.inside),
    };
    let excused = || around.parent().is_some_and(|up| place.unless.iter().any(|kind| kind == up.kind()));
    listed && !excused() && (place.operators.is_empty() || place.operators.iter().any(|own| has_operator(around, own)))
}

fn is_one_of(node: Node<'_>, place: &Place) -> bool {
    // A word that is all of a node is no other one: `yield`.
    if !node.is_named() && node.parent().is_some_and(|up| up.kind() == node.kind()) {
        return false;
    }
    if place.lacks.as_ref().is_some_and(|field| node.field(field).is_some())
        || place.word.as_ref().is_some_and(|word| !begins_with(node.text(), word))
    {
        return false;
    }
    if place.kinds.is_empty() {
        return node.is_named() && !node.is_extra() && !place.except.iter().any(|kind| kind == node.kind());
    }
    let is = |node: &Node<'_>, own: bool| {
        place.kinds.iter().any(|kind| match kind.split_once(' ') {
            Some((kind, operator)) => node.kind() == kind && (!own || has_operator(*node, operator)),
            None => node.kind() == kind.as_str(),
        })
    };
    let spine =
        std::iter::successors(Some(node), |n| n.named_children().next().filter(|n| place.chain && is(n, false)));
    is(&node, false) && spine.into_iter().any(|n| is(&n, true))
}

/// Whether what stands beside a node is what a place asks for.
fn stands_beside(node: Node<'_>, place: &Place) -> bool {
    let beside = |other: Node<'_>| other.id != node.id && place.beside.iter().any(|kind| kind == other.kind());
    // `*args: int` begins with `*args`.
    let begins = |other: Node<'_>, kinds: &[String]| {
        let inner = other.named_children().next().filter(|n| n.range().start == other.range().start);
        [Some(other), inner].into_iter().flatten().any(|n| kinds.iter().any(|kind| kind == n.kind()))
    };
    let before = || node.parent().into_iter().flat_map(Node::children).take_while(|n| n.id != node.id);
    let around = || node.parent().is_some_and(|around| around.children().any(beside));
    (!place.followed || node.next_named().is_some_and(|next| !begins(next, &place.before)))
        && (place.behind.is_empty() || !before().any(|other| begins(other, &place.behind)))
        && (place.beside.is_empty() || around())
}

/// Whether code begins with a word, or a mark.
fn begins_with(code: &str, word: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    code.strip_prefix(word).is_some_and(|rest| !word.ends_with(goes_on) || !rest.starts_with(goes_on))
}

/// Whether that is an operator of an expression.
fn has_operator(node: Node<'_>, operator: &str) -> bool {
    let is = |token: &Node<'_>| token.text().eq_ignore_ascii_case(operator);
    match node.field("operator") {
        Some(own) => is(&own),
        None => node.children().filter(|n| n.is_leaf() || n.children().all(|c| !c.is_named())).any(|n| is(&n)),
    }
}

/// Whether code needs parentheses where it stands, or what it begins with, or is loose in it.
pub(super) fn needs_parentheses(node: Node<'_>, place: &Place) -> bool {
    if layers(node).any(|n| is_there(n, place)) {
        return true;
    }
    let start = node.local_range().start;
    if place.first {
        let spine =
            std::iter::successors(Some(node), |n| n.children().next().filter(|c| c.local_range().start == start));
        return spine.into_iter().any(|n| is_there(n, place));
    }
    if place.deep && is_around(node, place) {
        let mut pending = vec![node];
        while let Some(next) = pending.pop() {
            if is_there(next, place) {
                return true;
            }
            pending.extend(next.named_children().filter(|n| !is_bracketed(*n)));
        }
    }
    false
}

/// Whether a node is in what a place is inside of, with no brackets between.
fn is_around(node: Node<'_>, place: &Place) -> bool {
    let mut inner = node;
    while let Some(around) = inner.parent() {
        if is_in(inner, around, place) {
            return true;
        }
        if is_bracketed(around) {
            return false;
        }
        inner = around;
    }
    false
}

/// What the grammar reads as other code than the language does: the nodes around it.
pub(super) fn misread(tree: &Tree) -> impl Iterator<Item = Node<'_>> {
    misread_parts(tree).filter_map(|node| node.parent())
}

/// The parts of such code that are none.
fn misread_parts(tree: &Tree) -> impl Iterator<Item = Node<'_>> {
    let rows = &tree.language.facts.misread;
    let nodes = (!rows.is_empty()).then(|| tree.iter()).into_iter().flatten();
    nodes
        .filter(|node| tree.language.may_be_misread(node.kind_id()))
        .filter(|node| rows.iter().any(|row| is_there(*node, row)))
}

/// The first edit that takes or keeps code that is none: a piece of what the grammar reads as other code than the
/// language does. What holds all of that code, or stands within one of its operands, is sound.
pub(super) fn cut<'a>(tree: &'a Tree, edits: &[Edit]) -> Option<(usize, Node<'a>)> {
    let mut pieces = Vec::new();
    let is_end = |node: Node<'_>| node.is_statement() || is_bracketed(node);
    for node in misread_parts(tree) {
        let mut inside = true;
        let around = node.ancestors().take_while(|n| std::mem::replace(&mut inside, !is_end(*n)));
        // Taken whole, a statement around all of it is sound.
        let own = |n: Node<'_>| n.children().any(|child| child.id == node.id);
        pieces.push((node, true));
        pieces.extend(around.map(|n| (n, !is_end(n) || own(n) && !n.is_statement())));
    }
    if pieces.is_empty() {
        return None;
    }
    let is_cut = |range: &Range<usize>| {
        let Range { start, end } = *range;
        let meets = |own: Range<usize>, part: bool| {
            part && own == (start..end)
                || own.start < start && start < own.end && own.end < end
                || start < own.start && own.start < end && end < own.end
        };
        let cut = pieces.iter().find(|(piece, part)| meets(piece.local_range(), *part));
        cut.map(|(piece, _)| piece.parent().filter(|up| !is_end(*piece) && !is_end(*up)).unwrap_or(*piece))
    };
    edits.iter().enumerate().find_map(|(index, edit)| {
        let kept = edit.replacement.iter().filter_map(|piece| match piece {
            Fragment::Copy(range) => Some(range),
            Fragment::Text(_) => None,
        });
        // Deleted, a statement goes whole.
        let whole = (!edit.replacement.is_empty()).then_some(&edit.range);
        Some((index, whole.into_iter().chain(kept).find_map(is_cut)?))
    })
}

/// A node that stands where it may not.
pub(super) struct Illegal<'a> {
    pub node: Node<'a>,
    /// Whether parentheses would mend it.
    pub loose: bool,
}

/// The first node in or around what edits wrote that stands where it may not, and did not before.
pub(super) fn illegal<'a>(old: &Tree, new: &'a Tree, arranged: &Arranged, edits: &[Edit]) -> Option<Illegal<'a>> {
    let facts = &new.language.facts;
    let moves = Moves::new(&arranged.splices);
    let were: Vec<Range<usize>> = arranged.splices.iter().map(|s| s.range.clone()).collect();
    let found = wrong(new, moves.put());
    if found.is_empty() {
        return None;
    }
    // Where a table says more than the language does, the old code did, too.
    let mut known: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (row, node) in wrong(old, &were) {
        let start = node.local_range().start;
        known.insert((row, moves.of(start)));
        let kept = arranged.kept.iter().filter(|k| k.old.contains(&start));
        known.extend(kept.map(|k| (row, k.new + start - k.old.start)));
        let whole = |p: &&Placed| p.fragment.is_none() && edits[p.edit].range == node.local_range();
        known.extend(arranged.placed.iter().filter(whole).map(|p| (row, p.range.start)));
    }
    let rows = facts.needs_parentheses.len();
    let anew = found.into_iter().find(|(row, node)| !known.contains(&(*row, node.local_range().start)));
    anew.map(|(row, node)| Illegal { node, loose: row < rows })
}

/// What stands where it may not, of the nodes that touch one of these ranges: which row of the
/// tables says so, and the node. Ranges are in order.
fn wrong<'a>(tree: &'a Tree, ranges: &[Range<usize>]) -> Vec<(usize, Node<'a>)> {
    let mut found = Vec::new();
    let mut pending = vec![tree.root()];
    while let Some(node) = pending.pop() {
        let places = tree.language.standing(node.kind_id());
        found.extend(places.filter(|(_, place)| !place.part && is_there(node, place)).map(|(row, _)| (row, node)));
        let touches = |n: &Node<'a>| {
            let own = n.local_range();
            // A blank may be left between.
            let next = ranges.partition_point(|range| range.end + 1 < own.start);
            ranges.get(next).is_some_and(|range| range.start <= own.end + 1)
        };
        pending.extend(node.named_children().filter(touches));
    }
    found.sort_by_key(|(row, node)| (node.id, *row));
    found
}

/// What belongs to the function or loop that it stood in, and has come into another one, or into none.
pub(super) struct Stray<'a> {
    /// The edit.
    pub edit: usize,
    pub node: Node<'a>,
}

/// The first that has.
pub(super) fn stray<'a>(old: &'a Tree, new: &Tree, arranged: &Arranged, edits: &[Edit]) -> Option<Stray<'a>> {
    let belongs = &new.language.facts.belongs;
    if belongs.is_empty() {
        return None;
    }
    let wholes: HashMap<usize, &Range<usize>> =
        arranged.placed.iter().filter(|p| p.fragment.is_none()).map(|p| (p.edit, &p.range)).collect();
    for placed in &arranged.placed {
        let edit = &edits[placed.edit];
        let Some(Fragment::Copy(copied)) = placed.fragment.and_then(|f| edit.replacement.get(f)) else { continue };
        let Some(whole) = wholes.get(&placed.edit) else { continue };
        let kept = arranged.kept.iter().skip(arranged.kept.partition_point(|k| k.new < placed.range.start));
        for kept in kept.take_while(|k| k.new < placed.range.end) {
            for row in belongs {
                let mut nodes = within(old, &kept.old).filter(|n| is_one(*n, &row.kinds));
                let lost = nodes.find(|node| strays(*node, row, (copied, &edit.range, whole), kept, new));
                if let Some(node) = lost {
                    return Some(Stray { edit: placed.edit, node });
                }
            }
        }
    }
    None
}

/// What an edit writes where nothing around is what it belongs to.
pub(super) struct Homeless<'a> {
    /// The edit.
    pub edit: usize,
    pub node: Node<'a>,
    /// What it would have to stand in, for people.
    pub needs: &'static str,
}

/// The first that is: a `break` in no loop, an `await` in a function that is not `async`.
pub(super) fn homeless<'a>(new: &'a Tree, arranged: &Arranged, edits: &[Edit]) -> Option<Homeless<'a>> {
    let rows: Vec<&'static Belonging> = new.language.facts.belongs.iter().filter(|row| !row.homes.is_empty()).collect();
    if rows.is_empty() {
        return None;
    }
    arranged.placed.iter().find_map(|placed| {
        let written = placed.fragment.and_then(|at| edits[placed.edit].replacement.get(at));
        written.filter(|part| matches!(part, Fragment::Text(_)))?;
        within(new, &placed.range).find_map(|node| {
            let row = rows.iter().find(|row| is_one(node, &row.kinds) && !is_labelled(node))?;
            let at_home = home(node, row).map_or(row.top, |home| is_one(home, &row.homes));
            (!at_home).then_some(Homeless { edit: placed.edit, node, needs: &row.needs })
        })
    })
}

/// Whether a node names what it leaves, or goes on with: `break outer`.
fn is_labelled(node: Node<'_>) -> bool {
    node.named_children()
        .any(|child| child.is_leaf() && (child.kind().contains("label") || child.kind().ends_with("identifier")))
        && (node.text().starts_with("break") || node.text().starts_with("continue"))
}

/// Whether a node of what was kept has another home than it had. Of an edit: what it copied, what
/// it took, and where all of it is now.
fn strays(
    node: Node<'_>,
    row: &Belonging,
    (copied, edited, whole): (&Range<usize>, &Range<usize>, &Range<usize>),
    kept: &Kept,
    new: &Tree,
) -> bool {
    let was = home(node, row);
    // What it belongs to goes with it.
    if was.is_some_and(|was| holds(copied, &was.local_range())) {
        return false;
    }
    let place = kept.new + node.local_range().start - kept.old.start;
    let leaf = new.last_from(place);
    let same = |n: &Node<'_>| n.local_range().start == place && n.kind_id() == node.kind_id();
    let Some(now) = std::iter::once(leaf).chain(leaf.ancestors()).find(same) else { return false };
    let homes = |node: Node<'_>, range: &Range<usize>| {
        let all = node.ancestors().filter(|up| is_one(*up, &row.to));
        all.take_while(|up| holds(range, &up.local_range())).count()
    };
    let was = was.filter(|n| holds(edited, &n.local_range()));
    let is = home(now, row).filter(|n| holds(whole, &n.local_range()));
    match (was, is) {
        (None, None) => false,
        (Some(was), Some(is)) => {
            let kind = was.kind_id() == is.kind_id();
            // One takes the place of one: nothing comes between.
            let alike = match row.like {
                Likeness::Word => false,
                Likeness::Kind => kind,
                Likeness::Any => true,
            };
            !(kind && first_word(was) == first_word(is) || alike && homes(node, edited) == homes(now, whole))
        }
        _ => true,
    }
}

/// Whether a node is of one of these kinds, or of one with that word in it: `control_transfer_statement break`.
fn is_one(node: Node<'_>, kinds: &[String]) -> bool {
    kinds.iter().any(|kind| match kind.split_once(' ') {
        Some((kind, word)) => node.kind() == kind && (node.text() == word || has_operator(node, word)),
        None => node.kind() == kind.as_str(),
    })
}

/// What a node belongs to: the nearest.
fn home<'t>(node: Node<'t>, row: &Belonging) -> Option<Node<'t>> {
    node.ancestors().find(|up| is_one(*up, &row.to))
}

/// `async`, where a function begins so.
fn first_word(node: Node<'_>) -> &str {
    node.children().next().filter(|first| first.is_leaf() && !first.is_named()).map_or("", |first| first.text())
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The nodes that begin in a range.
pub(super) fn within<'a>(tree: &'a Tree, range: &Range<usize>) -> impl Iterator<Item = Node<'a>> {
    let last = tree.last_from(range.start);
    let first =
        std::iter::once(last).chain(last.ancestors()).take_while(|n| n.local_range().start >= range.start).last();
    let first = first.map_or(last.id.0 + 1, |n| n.id.0);
    let end = range.end;
    (first..tree.len() as u32)
        .map(|id| tree.node(crate::tree::NodeId(id)))
        .take_while(move |n| n.local_range().start < end)
}
