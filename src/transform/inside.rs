//! Code inside of literals, and the edits of it, as those of a file of its own: it holds
//! together as any other code does.
//!
//! Must not: know a rule, or refuse anything.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::together;
use crate::edit::{Arranged, Edit, Fragment, apply, arrange};
use crate::language::Language;
use crate::rule::{Embedded, embed};
use crate::tree::{Tree, parse};

/// The code in a literal, and the edits of it. Their ranges are bytes of that code.
pub(super) struct Inside {
    pub tree: Arc<Tree>,
    pub edits: Vec<Edit>,
    pub arranged: Arranged,
    /// Which of all edits they are.
    numbers: Vec<usize>,
}

/// Reads the literal that has this range.
pub(super) fn read(tree: &Tree, range: &Range<usize>, language: &'static Language) -> Option<Embedded> {
    let mut node = tree.spanning(range.start, range.end)?;
    loop {
        if let Ok(Some(embedded)) = embed(node, language) {
            return Some(embedded);
        }
        node = node.children().find(|c| c.local_range() == *range)?;
    }
}

impl Inside {
    /// `None` where nothing in the literal is edited by itself.
    pub(super) fn new(old: &Tree, range: &Range<usize>, language: &'static Language, edits: &[Edit]) -> Option<Self> {
        let within = |r: &Range<usize>| range.start < r.start && r.end < range.end;
        let shift = |r: &Range<usize>| r.start - range.start..r.end - range.start;
        let fragment = |fragment: &Fragment| match fragment {
            Fragment::Copy(copied) => within(copied).then(|| Fragment::Copy(shift(copied))),
            Fragment::Text(text) => Some(Fragment::Text(text.clone())),
        };
        let (mut numbers, mut own) = (Vec::new(), Vec::new());
        for (number, edit) in edits.iter().enumerate().filter(|(_, edit)| within(&edit.range)) {
            let replacement = edit.replacement.iter().map(fragment).collect::<Option<Vec<_>>>()?;
            own.push(Edit { range: shift(&edit.range), replacement, ..edit.clone() });
            numbers.push(number);
        }
        if own.is_empty() {
            return None;
        }
        let tree = read(old, range, language)?.tree;
        let arranged = arrange(tree.text(), &own).ok()?;
        Some(Self { tree, edits: own, arranged, numbers })
    }
}

/// Puts parentheses where code in literals needs them. Whether anything was changed.
pub(super) fn parenthesise(
    old: &Tree,
    literals: &BTreeMap<(usize, usize), &'static Language>,
    edits: &mut [Edit],
) -> bool {
    let mut changed = false;
    for ((start, end), language) in literals {
        let Some(mut inside) = Inside::new(old, &(*start..*end), language, edits) else { continue };
        let text = apply(inside.tree.text(), &inside.arranged.splices);
        let Ok(new) = parse(language, text) else { continue };
        match together::readable(&inside.tree, &new, &inside.arranged, &inside.edits) {
            Some(readable) => inside.edits = readable,
            None if together::parenthesise(&inside.tree, &new, &inside.arranged, &mut inside.edits) => {}
            None => continue,
        }
        changed = true;
        let back = |fragment: Fragment| match fragment {
            Fragment::Copy(range) => Fragment::Copy(range.start + start..range.end + start),
            text => text,
        };
        for (number, edit) in inside.numbers.into_iter().zip(inside.edits) {
            edits[number].replacement = edit.replacement.into_iter().map(back).collect();
        }
    }
    changed
}
