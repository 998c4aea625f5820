//! Names that mean something else where an edit put their code: they stood in a block of their own, or what a rule
//! writes is a local there.
//!
//! Must not: rename anything.

use std::collections::BTreeMap;
use std::ops::Range;

use super::standing::within;
use crate::edit::{Arranged, Edit, Fragment};
use crate::pattern::call_at;
use crate::symbol::{Symbols, speaks};
use crate::tree::{Node, Tree};

/// A name that meets another one.
pub(super) struct Met<'a> {
    /// The edit that took its block away.
    pub edit: usize,
    /// Where it is defined, in the old code.
    pub name: Node<'a>,
    /// What it meets, in the new code.
    pub other: Node<'a>,
}

/// The first name that meets another one where an edit put its code.
pub(super) fn met<'a>(old: &'a Tree, new: &'a Tree, edits: &[Edit], arranged: &Arranged) -> Option<Met<'a>> {
    if !speaks(old.language) {
        return None;
    }
    for Run { edit: at, copied, range } in runs(old, edits, arranged) {
        let edit = &edits[at];
        // What is no statement defines nothing for others.
        let first = copied.start + old.text()[copied.clone()].len() - old.text()[copied.clone()].trim_start().len();
        let leaf = old.last_from(first);
        let starts = |n: &Node<'_>| n.local_range().start == first;
        let mut around = std::iter::once(leaf).chain(leaf.ancestors()).take_while(starts);
        let statement = around.find(|n| n.is_statement());
        let goes = |n: Node<'_>| edit.range.start <= n.local_range().start && n.local_range().end <= edit.range.end;
        // What names refer to is asked for only where a block goes.
        if !statement.and_then(|n| n.parent()).is_some_and(goes) {
            continue;
        }
        let lost = |owner: &Option<Node<'_>>| owner.is_some_and(goes);
        let names = Symbols::of(old).introduced(old, &copied);
        let lost: Vec<Node<'a>> = names.into_iter().filter(|(_, owner)| lost(owner)).map(|(name, _)| name).collect();
        if lost.is_empty() {
            continue;
        }
        let symbols = Symbols::of(new);
        for (now, owner) in symbols.introduced(new, &range) {
            let Some(name) = lost.iter().find(|name| name.text() == now.text()) else { continue };
            let mut wholes = arranged.placed.iter().filter(|p| p.edit == at && p.fragment.is_none());
            let apart = owner.is_some_and(|n| {
                wholes.any(|p| p.range.start <= n.local_range().start && n.local_range().end <= p.range.end)
            });
            if let Some(other) = symbols.met(now, &range).filter(|_| !apart) {
                return Some(Met { edit: at, name: *name, other });
            }
        }
    }
    None
}

/// The first name that an edit writes, and that a local of the code around it has caught: which edit, the name, and
/// where the local is defined, both in the new code.
///
/// What is called by a name without more is hardly ever meant to be a local; of any other name that holds where the
/// rest of the file has it, too. A name that stood in the code that was taken is the same still.
pub(super) fn caught<'a>(
    old: &Tree,
    new: &'a Tree,
    edits: &[Edit],
    arranged: &Arranged,
    means_local: &dyn Fn(&str, &str) -> bool,
) -> Option<(usize, Node<'a>, Node<'a>)> {
    if !speaks(new.language) {
        return None;
    }
    let written: Vec<(usize, &Range<usize>)> = arranged
        .placed
        .iter()
        .filter(|p| p.fragment.is_some_and(|f| matches!(edits[p.edit].replacement.get(f), Some(Fragment::Text(_)))))
        .map(|p| (p.edit, &p.range))
        .collect();
    let is_written = |node: Node<'_>| {
        let own = node.local_range();
        written.iter().any(|(_, range)| range.start <= own.start && own.end <= range.end)
    };
    let symbols = Symbols::of(new);
    written.iter().find_map(|(edit, range)| {
        let inside = within(new, range).filter(|n| n.local_range().end <= range.end);
        inside.filter(|n| symbols.speaks_by(*n)).find_map(|name| {
            let local = symbols.local_at(name)?;
            let meant = is_written(local)
                || stood(old, &edits[*edit], name.text())
                || means_local(&edits[*edit].rule, name.text());
            let called = || name.parent().and_then(call_at).is_some_and(|call| call.name.id == name.id);
            let called = called();
            // A variable is no method.
            let apart = called && new.language.facts.symbols.methods_apart;
            (!meant && !apart && (called || symbols.is_global(name.text()))).then_some((*edit, name, local))
        })
    })
}

/// The first name in code that an edit copies, and that would be what the edit itself defines: which edit, the name, and
/// where the edit defines it, both in the new code. A word that the pattern shows is meant.
pub(super) fn captured<'a>(
    old: &Tree,
    new: &'a Tree,
    edits: &[Edit],
    arranged: &Arranged,
    means_local: &dyn Fn(&str, &str) -> bool,
) -> Option<(usize, Node<'a>, Node<'a>)> {
    if !speaks(new.language) {
        return None;
    }
    let symbols = Symbols::of(new);
    let mut binders: BTreeMap<usize, Vec<Node<'a>>> = BTreeMap::new();
    for placed in &arranged.placed {
        let Some(Fragment::Text(_)) = placed.fragment.and_then(|f| edits[placed.edit].replacement.get(f)) else {
            continue;
        };
        let inside = within(new, &placed.range).filter(|n| n.local_range().end <= placed.range.end);
        let defined = inside.filter(|n| n.is_leaf() && symbols.is_definition(*n) && !symbols.in_import(*n));
        binders.entry(placed.edit).or_default().extend(defined);
    }
    binders.retain(|_, all| !all.is_empty());
    if binders.is_empty() {
        return None;
    }
    runs(old, edits, arranged).into_iter().find_map(|run| {
        let of = binders.get(&run.edit)?;
        let inside = within(new, &run.range).filter(|n| n.local_range().end <= run.range.end);
        let mut names = inside.filter(|n| symbols.speaks_by(*n) && of.iter().any(|b| b.text() == n.text()));
        names.find_map(|name| {
            let meant = symbols.definitions_of(name);
            let own = |d: &&crate::symbol::Definition| of.iter().any(|binder| binder.id == d.node);
            let binder = meant.first().filter(|_| meant.iter().all(own))?;
            let said = stood(old, &edits[run.edit], name.text()) || means_local(&edits[run.edit].rule, name.text());
            (!said).then(|| (run.edit, name, new.node(binder.node)))
        })
    })
}

/// Whether a word stood in the code that an edit takes, besides what it copies: a pattern with that word found it.
fn stood(old: &Tree, edit: &Edit, word: &str) -> bool {
    let copied = edit.replacement.iter().filter_map(|part| match part {
        Fragment::Copy(range) if edit.range.start <= range.start && range.end <= edit.range.end => Some(range),
        Fragment::Copy(_) | Fragment::Text(_) => None,
    });
    let copied: Vec<&Range<usize>> = copied.collect();
    let mut words = within(old, &edit.range).filter(|n| n.is_leaf() && n.local_range().end <= edit.range.end);
    words.any(|n| {
        let own = n.local_range();
        n.text() == word && !copied.iter().any(|range| range.start <= own.start && own.end <= range.end)
    })
}

/// Code that an edit copies in one piece, though each line of it may have got another indentation.
pub(super) struct Run {
    pub edit: usize,
    /// In the old text.
    pub copied: Range<usize>,
    /// In the new one.
    pub range: Range<usize>,
}

pub(super) fn runs(old: &Tree, edits: &[Edit], arranged: &Arranged) -> Vec<Run> {
    let (mut pieces, mut times) = (BTreeMap::new(), BTreeMap::new());
    for placed in &arranged.placed {
        let Some(number) = placed.fragment else { continue };
        if let Some(Fragment::Copy(copied)) = edits[placed.edit].replacement.get(number) {
            // What is copied twice is placed twice.
            let time = times.entry((placed.edit, number)).and_modify(|time| *time += 1).or_insert(0_usize);
            pieces.insert((placed.edit, *time, number), (copied.clone(), placed.range.clone()));
        }
    }
    let between = |from: usize, to: usize| old.text().get(from..to).is_some_and(|gap| gap.trim().is_empty());
    let mut runs: Vec<Run> = Vec::new();
    for ((edit, _, _), (copied, range)) in pieces {
        match runs.last_mut() {
            Some(run) if run.edit == edit && between(run.copied.end, copied.start) => {
                (run.copied.end, run.range.end) = (copied.end, range.end);
            }
            _ => runs.push(Run { edit, copied, range }),
        }
    }
    runs
}
