//! What a rule makes of one match.
//!
//! Must not: look for matches.

use std::ops::Range;
use std::sync::Arc;

use super::deletion::deletion;
use super::layout::{blocks, ended};
use super::template::Filling;
use super::{Action, Bound, Comments, Decision, Facts, IfUnknown, Match, Replacement, Rule};
use crate::edit::Fragment;
use crate::language::FileLanguages;
use crate::pattern::{Binding, Bindings};
use crate::tree::{Node, Tree};
/// Why a match is in doubt.
pub(super) const DOUBT: &str = "this file alone can't tell whether this is what the rule looks for: its name may come from a \
                     wildcard import, its type is not declared here, or a literal has an odd escape";

/// The same, of a rule that asks for uses of a dataset.
pub(super) const DOUBTED_USE: &str = "gander can't tell whether a use of the dataset is here: all columns are read at once, the \
                     table may be another one, or the value is not followed to here; `gander uses` says more";

/// The same, of a rule that asks for what a column is compared with.
pub(super) const DOUBTED_VALUE: &str = "gander can't tell what the column is compared with here: it is no literal, or several where the \
                     rule speaks of one, or the column itself is in doubt; `gander uses` says more";

/// Why a text is not changed.
const NAMED: &str = "this text is what others find by its old path something that moved: look at it by hand";

/// The same, where it documents code.
const DOCUMENTED: &str = "this comment names by its old path something that moved: look at it by hand";

/// Why a text or comment is not changed that names what moved.
fn text_of(node: Node<'_>) -> Option<&'static str> {
    // The path of a package is its import.
    let brings = || crate::symbol::Symbols::of(node.tree()).imports().iter().any(|import| import.element == node.id);
    let is_text = node.tree().language.is_string(node.kind_id()) && !brings();
    is_text.then_some(NAMED).or_else(|| node.is_extra().then_some(DOCUMENTED))
}

/// What a rule does where it can't be told whether it is meant, and why it can't.
pub(super) fn in_doubt(rule: &Rule, decided: Result<Decision, String>, why: &str) -> Result<Decision, String> {
    match (rule.if_unknown, decided) {
        // A rule that looks closer and finds that it is not meant has decided.
        (_, Ok(Decision::Skip(why))) => Ok(Decision::Skip(why)),
        (IfUnknown::Match, decided) => decided,
        (IfUnknown::Skip, _) => Ok(Decision::Skip(why.to_owned())),
        (IfUnknown::Annotate, _) => Ok(Decision::Annotate(why.to_owned())),
        (IfUnknown::Refuse, _) => Ok(Decision::Refuse(why.to_owned())),
    }
}

pub(super) fn owned(tree: &Arc<Tree>, node: Node<'_>, path: &Arc<str>, bindings: &Bindings<'_>) -> Match {
    let bindings = bindings
        .iter()
        // Around a query in a text, the code of the file has a tree of its own.
        .filter(|(_, binding)| match binding {
            Binding::One(node) => std::ptr::eq(node.tree(), &raw const **tree),
            Binding::Many(nodes) => nodes.iter().all(|node| std::ptr::eq(node.tree(), &raw const **tree)),
        })
        .map(|(name, binding)| {
            let bound = match binding {
                Binding::One(node) => Bound::One(node.id),
                Binding::Many(nodes) => Bound::Many(nodes.iter().map(|n| n.id).collect()),
            };
            (name.to_owned(), bound)
        })
        .collect();
    Match { tree: Arc::clone(tree), node: node.id, path: Arc::clone(path), bindings, given: None }
}

/// What becomes of comments in code that a rule deletes.
pub(super) fn deleting(rule: &Rule) -> Comments {
    match rule.comments {
        Comments::Guard | Comments::Deleted => Comments::Drop,
        policy => policy,
    }
}

/// The deletion of a match.
fn deleted(rule: &Rule, found: &Match) -> Decision {
    let node = found.node();
    // Lines of a literal are its own.
    if node.tree().base() > 0 {
        return Decision::Edits(vec![Replacement::new(node.range(), Vec::new())]);
    }
    match deletion(node) {
        Ok((range, left)) => {
            let comments = Some(deleting(rule));
            Decision::Edits(vec![Replacement { comments, ..Replacement::new(range, left) }])
        }
        Err(why) => Decision::Refuse(why),
    }
}

pub(super) fn decide(
    rule: &Rule,
    found: &Match,
    facts: &Arc<Facts>,
    languages: &FileLanguages,
) -> Result<Decision, String> {
    match &rule.action {
        Action::Annotate(message) => Ok(Decision::Annotate(message.clone())),
        Action::Refuse(reason) => Ok(Decision::Refuse(reason.clone())),
        Action::Move(moves) if let Some(edits) = moves.given_on(found.node()) => Ok(Decision::Edits(edits)),
        Action::Move(moves) => match (text_of(found.node()), rule.if_unknown) {
            (None, _) => Ok(moves.decide(found)),
            (Some(why), IfUnknown::Match) => Ok(Decision::Skip(why.to_owned())),
            (Some(why), _) => in_doubt(rule, Ok(Decision::Edits(Vec::new())), why),
        },
        Action::Ask(closure) => closure.decide(found, facts, languages),
        Action::Collect(..) => Ok(Decision::Skip("it collects".to_owned())),
        Action::Join(_) => Ok(Decision::Skip("it waits for others".to_owned())),
        Action::Delete => Ok(deleted(rule, found)),
        Action::Replace(template) => {
            let fill = |name: &str| match found.bindings.get(name)? {
                Bound::Many(nodes) if nodes.is_empty() => Some(Filling::Nothing),
                _ => found.range_of(name).map(Filling::Copy),
            };
            let given = |name: &str| {
                let text = found.given.as_ref()?.get(name)?.text().to_owned();
                Some(if text.is_empty() { Filling::Nothing } else { Filling::Code(vec![Fragment::Text(text)]) })
            };
            let fill = |name: &str| fill(name).or_else(|| given(name));
            let fragments = template.fill(fill).map_err(|e| e.to_string())?;
            let fragments = ended(&found.tree, blocks(found.node(), fragments));
            let fragments = found.with_breaks(fragments);
            // Nothing in its place is a deletion.
            if fragments.is_empty() {
                return Ok(deleted(rule, found));
            }
            Ok(Decision::Edits(vec![Replacement::new(found.replaced_by(&fragments), fragments)]))
        }
    }
}

/// A refusal, where what is decided writes a node anew without a piece of it that no hole names, in bytes of its text. Of
/// what is deleted, all goes.
pub(super) fn refused_for(
    decided: &Result<Option<Decision>, String>,
    node: Node<'_>,
    piece: &Range<usize>,
) -> Option<Result<Option<Decision>, String>> {
    let Ok(Some(Decision::Edits(edits))) = decided else { return None };
    let (whole, base) = (node.range(), node.tree().base());
    let copied = |fragment: &Fragment| match fragment {
        Fragment::Copy(range) => range.start <= piece.start + base && piece.end + base <= range.end,
        Fragment::Text(_) => false,
    };
    let anew = |edit: &&Replacement| edit.range.start <= whole.start && whole.end <= edit.range.end;
    let drops = edits.iter().filter(anew).any(|edit| !edit.fragments.is_empty() && !edit.fragments.iter().any(copied));
    let why = || {
        let piece = &node.tree().text()[piece.clone()];
        format!("`{piece}` would go: the pattern does not have it; name it there, or edit a part of the call")
    };
    drops.then(|| Ok(Some(Decision::Refuse(why()))))
}
