//! New imports that would give one name to two things.
//!
//! Must not: edit anything.

use std::collections::BTreeSet;

use super::import_block::{Block, is_top};
use super::import_requests::{Asked, Unsettled};
use crate::symbol::{Symbols, Wanted, normal};
use crate::tree::Tree;

/// Looks for two things of one name, of which an edit brings at least one. Where code is written by what is free, the
/// old tree is told whose the name is, so that the other one gets an alias when it is made again.
///
/// # Errors
/// The first name that would be two things.
pub(super) fn looked_for(
    old: &Tree,
    new: &Tree,
    block: &Block<'_>,
    asked: &Asked,
    stays: &BTreeSet<usize>,
) -> Result<(), Unsettled> {
    let imports = block.symbols.imports();
    let whole = |wanted: &&Wanted| wanted.name.as_deref() == Some("*");
    // A name, what it brings, what it was called before, and the rule that wants it.
    let added = asked.added.iter().map(|(wanted, rule)| (wanted, None, rule));
    let heirs = asked.replaced.iter().filter(|(index, _)| stays.contains(index));
    let heirs = heirs.map(|(index, (wanted, rule))| (wanted, imports[*index].name.as_deref(), rule));
    let wanted: Vec<_> = added.chain(heirs).filter(|(wanted, ..)| !whole(wanted)).collect();
    let stay = imports.iter().enumerate().filter(|(index, import)| {
        let goes = asked.gone.contains_key(index) || asked.replaced.contains_key(index);
        !goes && is_top(new.node(import.statement)) && !block.symbols.is_for_types(new, import)
    });
    let there: Vec<(&str, String)> =
        stay.filter_map(|(_, import)| Some((import.name.as_deref()?, normal(&import.path)))).collect();
    for (at, (one, was, rule)) in wanted.iter().enumerate() {
        let (name, path) = (one.bound(), one.path());
        let before = wanted[..at].iter().find(|(other, other_was, _)| {
            // What was one name for two things already, in a `try` and its `except`, may stay so.
            other.bound() == name && other.path() != path && (was.is_none() || was != other_was)
        });
        let other = before.map(|(other, ..)| other.path());
        let beside = || there.iter().find(|(own, of)| *own == name && *of != path).map(|(_, of)| of.clone());
        let Some(other) = other.or_else(|| beside().filter(|_| was.is_none_or(|was| was != name))) else { continue };
        Symbols::of(old).claim(&name, &other);
        let why = format!(
            "`{name}` would be both `{other}` and `{path}`: give one of them another name in the rule, or narrow the rule"
        );
        return Err(Unsettled { rule: (*rule).clone(), why });
    }
    Ok(())
}
