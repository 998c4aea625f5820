//! Names in copied code that mean another one where it came to stand: a local of that name is nearer there.
//!
//! Must not: rename anything.

use std::ops::Range;

use super::places::Places;
use super::standing::within;
use crate::edit::{Arranged, Edit, Fragment};
use crate::symbol::{Symbols, speaks};
use crate::tree::{Node, Tree};

/// A name that a local has caught where it was copied to.
pub(super) struct Shadowed<'a> {
    /// The edit that copied it.
    pub edit: usize,
    /// The name, in the new code.
    pub name: Node<'a>,
    /// Where the local is defined, in the new code.
    pub local: Node<'a>,
}

/// The first name that is.
///
/// What the edit itself defines is looked at elsewhere, and so is what has lost its own definition.
pub(super) fn shadowed<'a>(
    old: &Tree,
    new: &'a Tree,
    edits: &[Edit],
    arranged: &Arranged,
    means_local: &dyn Fn(&str, &str) -> bool,
) -> Option<Shadowed<'a>> {
    if !speaks(new.language) || arranged.kept.is_empty() {
        return None;
    }
    let (before, after) = (Symbols::of(old), Symbols::of(new));
    let places = Places::new(edits, arranged);
    for kept in &arranged.kept {
        let range = kept.new..kept.new + kept.old.len();
        let names = within(new, &range).filter(|n| n.local_range().end <= range.end && after.speaks_by(*n));
        for name in names {
            let Some(local) = after.local_at(name) else { continue };
            let was = old.last_from(kept.old.start + name.local_range().start - kept.new);
            if was.text() != name.text() {
                continue;
            }
            let own = before.definitions_of(was);
            let meant: Vec<usize> = own.iter().flat_map(|own| places.of(old.node(own.node))).collect();
            let now = after.definitions_of(name);
            let mut now = now.iter().map(|definition| new.node(definition.node).local_range());
            let is_other = match own.is_empty() {
                true => now.all(|definition| arranged.is_old(&definition)),
                false => !meant.is_empty() && !now.any(|definition| meant.contains(&definition.start)),
            };
            let edit = is_other.then(|| copier(edits, arranged, &name.local_range())).flatten();
            if let Some(edit) = edit.filter(|edit| !means_local(&edits[*edit].rule, name.text())) {
                return Some(Shadowed { edit, name, local });
            }
        }
    }
    None
}

/// The innermost edit that copied a range of the new code.
fn copier(edits: &[Edit], arranged: &Arranged, range: &Range<usize>) -> Option<usize> {
    let copies = arranged.placed.iter().filter(|placed| {
        let part = placed.fragment.and_then(|at| edits[placed.edit].replacement.get(at));
        matches!(part, Some(Fragment::Copy(_))) && placed.range.start <= range.start && range.end <= placed.range.end
    });
    copies.min_by_key(|placed| placed.range.len()).map(|placed| placed.edit)
}
