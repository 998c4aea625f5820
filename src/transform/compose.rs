//! One text of all edits of a file, and what it takes to hold together: parentheses, blanks, imports.
//!
//! Must not: say whether that may be.

use super::asked::Asked;
use super::check::Wrong;
use super::file::syntax;
use super::{blank_lines, check, inside, neighbours, nesting, parting, together};
use crate::edit::{Arranged, ComposeError, Edit, apply, arrange};
use crate::rule::settle;
use crate::tree::{Tree, parse};

/// Rounds of parentheses before the rest is refused.
const ROUNDS: usize = 12;

/// One text of all edits, with the parentheses and imports that it needs.
pub(super) fn composed(old_tree: &Tree, asked: &mut Asked) -> Result<(Arranged, Tree), Wrong> {
    let (language, text) = (old_tree.language, old_tree.text());
    let (mut round, mut settled) = (0, asked.worked);
    // The edits before they got parentheses, which may be no help.
    let mut bare: Option<Vec<Edit>> = None;
    let mut helps = true;
    if !asked.worked {
        neighbours::join(old_tree, &mut asked.edits)?;
        nesting::join_lines(old_tree, &mut asked.edits);
    }
    loop {
        let arranged = arrange(text, &asked.edits).map_err(|error| {
            let why = match &error {
                ComposeError::Conflict { first, second, .. } if first == second => format!(
                    "two edits of rule `{first}` want to change the same code in different ways; make one of both, or \
                     narrow the rule"
                ),
                _ => format!("{error}; order them, or narrow one of them"),
            };
            Wrong { at: error.at(), rule: error.rule().to_owned(), why }
        })?;
        let new_tree = parse(language, apply(text, &arranged.splices)).map_err(syntax)?;
        round += 1;
        let done = asked.worked || round > ROUNDS;
        if !done && parting::part_words(old_tree, &new_tree, &arranged, &mut asked.edits) {
            continue;
        }
        if !done && let Some(edits) = together::readable(old_tree, &new_tree, &arranged, &asked.edits) {
            asked.edits = edits;
            continue;
        }
        if !done && check::fill_blocks(old_tree, &mut asked.edits) {
            continue;
        }
        if !done && inside::parenthesise(old_tree, &asked.literals, &mut asked.edits) {
            continue;
        }
        if !done && parting::part_statements(old_tree, &new_tree, &arranged, &mut asked.edits) {
            continue;
        }
        let first = !done && helps && bare.is_none() && !together::reads_worse(old_tree, &new_tree, &arranged);
        let before = first.then(|| asked.edits.clone());
        if !done && helps && together::parenthesise(old_tree, &new_tree, &arranged, &mut asked.edits) {
            bare = bare.or(before);
            continue;
        }
        if let Some(before) = bare.take().filter(|_| together::reads_worse(old_tree, &new_tree, &arranged)) {
            asked.edits = before;
            helps = false;
            continue;
        }
        if std::mem::replace(&mut settled, true) {
            return Ok((arranged, new_tree));
        }
        // What the imports must be is only known now.
        let more = settle(old_tree, &new_tree, &arranged, &asked.imports).map_err(|u| Wrong {
            at: 0,
            rule: u.rule,
            why: u.why,
        })?;
        if more.is_empty() {
            return Ok((arranged, new_tree));
        }
        asked.edits.extend(more);
        blank_lines::close_up(old_tree, &mut asked.edits);
    }
}
