//! Where nodes of the old text are in the new one: a node that was copied is in several places.
//!
//! Must not: know a rule, or judge where something came to be.

use std::collections::HashMap;
use std::ops::Range;

use super::covers::Covers;
use super::moves::Moves;
use crate::edit::{Arranged, Edit};
use crate::tree::Node;

/// Where nodes of the old text are now.
pub(super) struct Places<'a> {
    moves: Moves<'a>,
    kept: Covers<usize>,
    /// What edits took, by where it began, and what they put there.
    new: HashMap<usize, (Range<usize>, Range<usize>)>,
}

impl<'a> Places<'a> {
    pub(super) fn new(edits: &[Edit], arranged: &'a Arranged) -> Self {
        let kept = Covers::new(arranged.kept.iter().map(|kept| (kept.old.clone(), kept.new)));
        let whole = arranged.placed.iter().filter(|placed| placed.fragment.is_none());
        let new = whole.map(|placed| (edits[placed.edit].range.clone(), placed.range.clone()));
        let new = new.map(|(was, is)| (was.start, (was, is))).collect();
        Self { moves: Moves::new(&arranged.splices), kept, new }
    }

    /// The same, or where what took its place begins.
    pub(super) fn or_new(&self, node: Node<'_>) -> Vec<usize> {
        let new = self.new.get(&node.local_range().start).map(|(_, is)| is.start);
        self.of(node).into_iter().chain(new).collect()
    }

    /// What took the place of all of a node.
    pub(super) fn instead(&self, node: Node<'_>) -> Option<Range<usize>> {
        let own = node.local_range();
        self.new.get(&own.start).filter(|(was, _)| *was == own).map(|(_, is)| is.clone())
    }

    /// Where a node begins now: where it was left, and where it was copied to.
    pub(super) fn of(&self, node: Node<'_>) -> Vec<usize> {
        let start = node.local_range().start;
        let left = (!self.moves.took(start)).then(|| self.moves.of(start));
        let begins = start..start + 1;
        let copies = self.kept.of(&begins).map(|(old, new)| new + start - old.start);
        left.into_iter().chain(copies).collect()
    }
}
