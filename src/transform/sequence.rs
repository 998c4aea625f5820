//! Statements that an edit copies together: each is a statement still, and all are of one block. Between parentheses
//! two lines of Scala are one expression.
//!
//! Must not: edit anything.

use crate::edit::{Arranged, Edit, Fragment, Kept};
use crate::tree::{Node, Tree, parse};

use super::scopes::{Run, runs};

/// The first statement that edits made a part of something else: which edit, and the statement, in the old code.
pub(super) fn torn_apart<'a>(
    old: &'a Tree,
    new: &Tree,
    edits: &[Edit],
    arranged: &Arranged,
) -> Option<(usize, Node<'a>)> {
    runs(old, edits, arranged).into_iter().find_map(|run| {
        let statements = statements_of(old, &run);
        let (first, _) = (statements.first()?, statements.get(1)?);
        let is_block = |around: Node<'_>| {
            first.parent().is_some_and(|was| was.kind_id() == around.kind_id()) || around.text().starts_with('{')
        };
        let now = statements.iter().filter_map(|one| Some((*one, place_of(arranged, &run, *one)?)));
        let mut block = None;
        now.map(|(one, place)| (one, standing_at(new, place, one))).find_map(|(one, stands)| {
            let Some(around) = stands.and_then(|n| n.parent().filter(|up| n.is_statement() || is_block(*up))) else {
                return Some((run.edit, one));
            };
            (*block.get_or_insert(around.id) != around.id).then_some((run.edit, one))
        })
    })
}

/// The statements that a run begins with, if it begins with one.
fn statements_of<'a>(old: &'a Tree, run: &Run) -> Vec<Node<'a>> {
    let text = &old.text()[run.copied.clone()];
    let start = run.copied.start + text.len() - text.trim_start().len();
    let leaf = old.last_from(start);
    let own = |n: &Node<'a>| n.local_range().start == start && n.local_range().end <= run.copied.end;
    let mut around = std::iter::once(leaf).chain(leaf.ancestors()).filter(own);
    let Some(first) = around.find(|n| n.is_statement()) else { return Vec::new() };
    let siblings = first.parent().into_iter().flat_map(Node::named_children);
    let mine = siblings.filter(|n| n.id >= first.id && n.is_statement() && !n.is_extra());
    mine.take_while(|n| n.local_range().end <= run.copied.end).collect()
}

/// Where a statement of a run begins in the new code, if it was kept.
fn place_of(arranged: &Arranged, run: &Run, statement: Node<'_>) -> Option<usize> {
    let (from, to) = (run.range.start, run.range.end);
    let first = arranged.kept.partition_point(|kept| kept.new < from);
    let kept: &[Kept] = &arranged.kept[first..];
    let kept = &kept[..kept.partition_point(|kept| kept.new < to)];
    let start = statement.local_range().start;
    let piece = kept.get(kept.partition_point(|kept| kept.old.end <= start))?;
    piece.old.contains(&start).then(|| piece.new + start - piece.old.start)
}

/// The largest node of a kind that begins at a place of the new code, or that is a statement there.
fn standing_at<'t>(new: &'t Tree, place: usize, was: Node<'_>) -> Option<Node<'t>> {
    let leaf = new.last_from(place);
    let begins = |n: &Node<'t>| n.local_range().start == place;
    let all: Vec<Node<'t>> = std::iter::once(leaf).chain(leaf.ancestors()).take_while(begins).collect();
    let last = |fits: &dyn Fn(&Node<'t>) -> bool| all.iter().rev().copied().find(|n| fits(n));
    last(&|n| n.is_statement()).or_else(|| last(&|n| n.kind_id() == was.kind_id()))
}

/// Whether what an edit writes is several statements by itself: no parentheses make one piece of them.
pub(super) fn writes_several(old: &Tree, edit: &Edit) -> bool {
    let written = edit.replacement.iter().map(|part| match part {
        Fragment::Text(text) => text.as_str(),
        Fragment::Copy(_) => "x",
    });
    let text: String = written.collect();
    let is_code = |n: &Node<'_>| !n.is_extra();
    text.trim().contains('\n')
        && parse(old.language, text).is_ok_and(|tree| {
            tree.errors().next().is_none() && tree.root().named_children().filter(is_code).count() > 1
        })
}
