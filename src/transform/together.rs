//! Whether edited code holds together as it did: what was copied or put there is one piece
//! still, and what stands beside it reads as before. Parentheses go where they mend that.
//!
//! A grammar reads more than its language allows, and puts flat together what means something:
//! that new code parses proves little.
//!
//! Must not: look at what the code means, or edit anything but the replacements of edits.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::check::ends;
use super::lines::{is_broken, parted};
use super::sequence::writes_several;
use super::standing::{is_bracketed, is_there, layers, needs_parentheses};
use crate::edit::{Arranged, Edit, Fragment, Placed, Splice, apply, arrange, in_old_text};
use crate::rule::is_body;
use crate::tree::{Node, NodeId, Tree, parse};

/// A part that is no piece of its own in the new code, and what it became a part of.
pub(super) struct Torn<'a> {
    /// Which part.
    pub placed: &'a Placed,
    /// What it became a part of.
    pub around: Node<'a>,
}

/// A part of an edit that was one node of the old code.
pub(super) struct Part<'a> {
    placed: &'a Placed,
    /// That node.
    pub(super) was: Node<'a>,
    /// Whether it was copied, and not replaced.
    pub(super) copied: bool,
    /// Where it is in the new text, without the space around it.
    pub(super) range: Range<usize>,
}

/// The parts of edits that were one node.
fn parts<'a>(old: &'a Tree, new: &Tree, arranged: &'a Arranged, edits: &[Edit]) -> Vec<Part<'a>> {
    // A comment is a piece of nothing.
    let node = |range: &Range<usize>| old.spanning(range.start, range.end).filter(|n| n.is_named() && !n.is_extra());
    let part = |placed: &'a Placed| {
        let edit = &edits[placed.edit];
        let (was, copied) = match placed.fragment.map(|f| &edit.replacement[f]) {
            None if !edit.range.is_empty() && !edit.replacement.is_empty() => (node(&edit.range)?, false),
            // What holds several statements without brackets is as good as these: see `sequence`.
            Some(Fragment::Copy(range)) => (node(range).filter(|n| !is_bare_block(*n))?, true),
            None | Some(Fragment::Text(_)) => return None,
        };
        let text = new.text().get(placed.range.clone()).unwrap_or("");
        let start = placed.range.start + text.len() - text.trim_start().len();
        // A statement may hold the comment that ends it.
        let whole = start..start + text.trim().len();
        let range = if is_one(new, &whole) { whole } else { new.without_comments(whole) };
        (!range.is_empty()).then_some(Part { placed, was, copied, range })
    };
    arranged.placed.iter().filter_map(part).collect()
}

/// Whether a node is nothing but several statements on lines of their own.
fn is_bare_block(node: Node<'_>) -> bool {
    let language = node.tree().language;
    let statements = || node.named_children().filter(|child| child.is_statement() && !child.is_extra()).count();
    language.facts.indented
        && language.is_never_empty(node.kind_id())
        && !language.facts.functions.is_empty()
        && statements() > 1
}

/// Whether a range is one node, and no comment.
fn is_one(tree: &Tree, range: &Range<usize>) -> bool {
    tree.spanning(range.start, range.end).is_some_and(|node| node.is_named() && !node.is_extra())
}

/// Parts that are torn.
pub(super) fn torn<'a>(old: &'a Tree, new: &'a Tree, arranged: &'a Arranged, edits: &[Edit]) -> Vec<Torn<'a>> {
    let parts = parts(old, new, arranged, edits).into_iter();
    let torn = parts.filter_map(|part| {
        let around = apart(&part, new).or_else(|| run_together(&part, new, edits));
        around.map(|around| Torn { placed: part.placed, around })
    });
    torn.chain(parted(old, new, arranged, edits)).collect()
}

/// What several nodes became that are all that takes the place of one: `x = a, b` of `x = f(a, b)`.
fn run_together<'a>(part: &Part<'_>, new: &'a Tree, edits: &[Edit]) -> Option<Node<'a>> {
    let old = part.was.tree();
    let several = is_several(old, &edits[part.placed.edit], part.placed.fragment);
    let statement = part.was.is_statement() || layers(part.was).any(is_statement);
    new.spanning(part.range.start, part.range.end).filter(|_| !part.copied && several && !statement)
}

/// Whether a part of an edit, or all of it, is nothing but several copied nodes.
fn is_several(old: &Tree, edit: &Edit, fragment: Option<usize>) -> bool {
    let part = match (fragment, edit.replacement.as_slice()) {
        (Some(at), all) => all.get(at),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    matches!(part, Some(Fragment::Copy(range)) if ends(old, range).is_some_and(|(first, last)| first != last))
}

/// What a part became a part of, if it is no piece of its own.
fn apart<'a>(part: &Part<'_>, new: &'a Tree) -> Option<Node<'a>> {
    if let Some(crossing) = new.crossing(&part.range) {
        return Some(crossing);
    }
    if !new.language.facts.parentheses {
        return splits(part, new);
    }
    let Some(node) = new.spanning(part.range.start, part.range.end) else {
        let around = around(new, &part.range);
        return (!is_run(part, around) && !is_qualified(part, around)).then_some(around);
    };
    // A word that says something alone says it of what follows now: `yield`.
    let wrong =
        !node.is_named() || is_block(part, node) || joins(node) || is_too_loose(part, node) || is_broken(part, new);
    wrong.then(|| node.parent()).flatten()
}

/// The list of which a part became several elements: `a: b, c` is one pair on its own line, and more between braces.
fn splits<'a>(part: &Part<'_>, new: &'a Tree) -> Option<Node<'a>> {
    let language = new.language;
    if part.copied || language.facts.alike.is_empty() {
        return None;
    }
    if let Some(node) = new.spanning(part.range.start, part.range.end) {
        // At the column of its key, a value is the next pair.
        let is_value = |node: Node<'_>| layers(node).any(|n| n.field_name() == Some("value"));
        return (is_value(part.was) && !is_value(node)).then(|| node.parent()).flatten();
    }
    let list = around(new, &part.range);
    let element = part.was.parent().is_some_and(|parent| parent.kind_id() == list.kind_id());
    let anywhere = language.alike(part.was.kind_id()).len() > 1;
    (is_bracketed(list) && (anywhere || !element)).then_some(list)
}

/// Whether an expression became a statement: `{a: 1}` where one begins is a block.
fn is_block(part: &Part<'_>, node: Node<'_>) -> bool {
    let language = node.tree().language;
    let listed = |n: &Node<'_>| language.facts.blocks.iter().any(|kind| kind == n.kind());
    let is = |n: &Node<'_>| part.copied && n.kind().contains("block") || listed(n);
    let was = |n: &Node<'_>| n.kind().contains("block") || listed(n) || is_statement(*n);
    // `with (a, b):` is about two.
    let clause = part.copied && is_bracketed(part.was) && node.kind().ends_with("clause") && is_bracketed(node);
    clause || begins_statement(part, node) || layers(node).any(|n| is(&n)) && !layers(part.was).any(|n| was(&n))
}

/// Whether what takes the place of an expression is a statement of its own: `{ a } * k`.
fn begins_statement(part: &Part<'_>, node: Node<'_>) -> bool {
    let kind = |n: Node<'_>| n.parent().map(|around| around.kind_id());
    // Where the last of a block is its value, nothing stands behind it that it could go on with.
    let blocks = &node.tree().language.facts.results.blocks;
    let is_value = |up: &Node<'_>| {
        up.local_range().end == node.local_range().end
            && up.parent().is_some_and(|around| blocks.iter().any(|kind| kind == around.kind()) && is_last(*up, around))
    };
    if std::iter::once(node).chain(node.ancestors().take(1)).any(|up| is_value(&up)) {
        return false;
    }
    !part.copied && kind(part.was) != kind(node) && is_statement(node) && !layers(part.was).any(is_statement)
}

fn is_last(node: Node<'_>, around: Node<'_>) -> bool {
    around.named_children().filter(|child| !child.is_extra()).last().is_some_and(|last| last.id == node.id)
}

fn is_statement(node: Node<'_>) -> bool {
    node.is_statement() || is_body(node)
}

/// Whether a part needs parentheses where it stands, and did not where it stood.
fn is_too_loose(part: &Part<'_>, node: Node<'_>) -> bool {
    let facts = &node.tree().language.facts;
    facts
        .needs_parentheses
        .iter()
        .any(|place| needs_parentheses(node, place) && !layers(part.was).any(|n| is_there(n, place)))
}

/// The smallest node around a range.
pub(super) fn around<'a>(tree: &'a Tree, range: &Range<usize>) -> Node<'a> {
    let first = tree.last_from(range.start);
    let holds = |n: &Node<'_>| n.local_range().start <= range.start && range.end <= n.local_range().end;
    std::iter::once(first).chain(first.ancestors()).find(holds).unwrap_or_else(|| tree.root())
}

/// Whether a part that is several nodes by now may be that: statements, elements of a list
/// that a rule writes, code in a text or in a macro, of which no more is known than its tokens.
fn is_run(part: &Part<'_>, around: Node<'_>) -> bool {
    let language = around.tree().language;
    let is_text = |n: &Node<'_>| language.is_string(n.kind_id());
    if std::iter::once(around).chain(around.ancestors().take(1)).any(|n| is_text(&n)) {
        // A name in a text that has no braces goes on only as long as it is a name: `"$x"`.
        let holes = &language.facts.string.holes;
        return !(part.was.is_leaf() && layers_around(part.was).any(|n| holes.iter().any(|kind| kind == n.kind())));
    }
    if around.is_tokens() || part.was.is_unread() {
        return !is_loose_among_tokens(part, around);
    }
    let within = |n: &Node<'_>| part.range.start <= n.local_range().start && n.local_range().end <= part.range.end;
    let bracketed = is_bracketed(around);
    // Several values that nothing holds together, between parentheses of their own.
    let single = |n: Node<'_>| language.facts.elements.single.iter().any(|kind| kind == n.kind());
    if part.copied && bracketed && single(part.was) && single(around) {
        return around.named_children().filter(|n| !n.is_extra()).all(|n| within(&n));
    }
    // A sign may be a part of the number behind it.
    if around.is_leaf() && around.text().trim_start_matches(['-', '+']) == part.was.text() {
        return true;
    }
    let parting = |n: &Node<'_>| match n.text().trim() {
        ";" | "" => true,
        text => !part.copied && bracketed && language.is_separator(text),
    };
    let as_before = match part.copied {
        true => language.is_list(part.was.kind_id()),
        false => part.was.parent().is_some_and(|parent| parent.kind_id() == around.kind_id()),
    };
    // Elements of a list fill one field, if any: of `new a.b()(1)`, `a.b` and `()` do not.
    let alike = |n: &Node<'_>| match n.is_named() {
        _ if n.is_unread() => false,
        true => part.copied || n.field_id() == part.was.field_id(),
        false => parting(n),
    };
    as_before && around.children().filter(within).filter(|n| !n.is_extra()).all(|n| alike(&n))
}

/// Whether a name became a path, where the grammar has the last of it in the place of the name: `f()` and `a.b.f()`.
fn is_qualified(part: &Part<'_>, around: Node<'_>) -> bool {
    let (was, field) = (part.was, part.was.field_id());
    let named = |n: Node<'_>| n.is_leaf() && n.field_id() == field && n.local_range().end == part.range.end;
    let same = !part.copied && was.is_leaf() && was.parent().is_some_and(|up| up.kind_id() == around.kind_id());
    same && field != 0 && around.local_range().start == part.range.start && around.children().any(named)
}

/// A node, and those around it that span the same.
fn layers_around(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let own = node.local_range();
    std::iter::successors(Some(node), Node::parent).take_while(move |up| up.local_range() == own)
}

/// Whether code in what a macro is given, of which only tokens are known, may belong to the tokens beside it:
/// the `a || b` of `!a || b`.
fn is_loose_among_tokens(part: &Part<'_>, around: Node<'_>) -> bool {
    let language = around.tree().language;
    if !part.copied || !language.facts.loose.iter().any(|kind| kind == part.was.kind()) {
        return false;
    }
    let tokens = || around.children().filter(|n| !n.is_extra());
    let before = tokens().take_while(|n| n.local_range().end <= part.range.start).last();
    let behind = tokens().find(|n| part.range.end <= n.local_range().start);
    let parts = |token: Node<'_>, more: &[&str]| language.is_separator(token.text()) || more.contains(&token.text());
    let begins = before.is_none_or(|token| parts(token, &["(", "[", "{", "=", "=>", ":"]));
    let ends = behind.is_none_or(|token| parts(token, &[")", "]", "}", "=>"]));
    !(begins && ends)
}

/// Whether a sign and the one before it make another operator, or a comment.
fn joins(node: Node<'_>) -> bool {
    let (text, start) = (node.tree().text().as_bytes(), node.local_range().start);
    let pair = start.checked_sub(1).and_then(|before| text.get(before..=start));
    pair.is_some_and(|pair| [b"++", b"--", b"/*", b"//", b"<-", b"&^", b"&&"].iter().any(|one| pair == &one[..]))
}

/// A part that can't stand where it came to, parentheses or not, and what is around it.
pub(super) fn misplaced<'a>(old: &'a Tree, new: &'a Tree, arranged: &'a Arranged, edits: &[Edit]) -> Option<Torn<'a>> {
    let facts = &new.language.facts;
    let has_name = |n: &Node<'_>| {
        facts.arguments.named.iter().any(|kind| kind == n.kind()) && n.children().any(|c| matches!(c.text(), "=" | ":"))
    };
    let is_splat = |n: &Node<'_>| facts.arguments.splats.iter().any(|kind| kind == n.kind());
    // Of a list, told once, however many edits are in it.
    let mut after_named: BTreeMap<NodeId, bool> = BTreeMap::new();
    parts(old, new, arranged, edits).into_iter().find_map(|part| {
        let node = new.spanning(part.range.start, part.range.end)?;
        let parent = node.parent()?;
        let moved = part.copied && part.was.parent().is_some_and(|list| list.kind_id() != parent.kind_id());
        // A name of an argument says something in a list of arguments only, a star in any list.
        let in_list = is_bracketed(parent) && !parent.kind().contains("parenthesized");
        let argument = moved && layers(part.was).any(|n| has_name(&n) || is_splat(&n) && !in_list);
        let after =
            facts.arguments.named_last && *after_named.entry(parent.id).or_insert_with(|| has_after_named(parent));
        let is_text = |n: Node<'_>| facts.texts.iter().any(|kind| kind == n.kind());
        let text = part.copied && is_text(part.was) != layers(node).any(is_text);
        let turned = part.copied && is_turned(part.was, node);
        let placeholder = part.copied && moves_placeholder(part.was, node);
        let refused = facts
            .refused
            .iter()
            .filter(|place| place.part)
            .any(|place| layers(node).any(|n| is_there(n, place)) && !layers(part.was).any(|n| is_there(n, place)));
        let quoted = ends_its_literal(node, new.text().get(part.range.clone()).unwrap_or(""))
            && !ends_its_literal(part.was, part.was.text());
        (argument || after || text || turned || placeholder || quoted || refused)
            .then_some(Torn { placed: part.placed, around: parent })
    })
}

/// Whether the braces of a block have become those of a value, or the other way round.
fn is_turned(was: Node<'_>, now: Node<'_>) -> bool {
    let is = |node: Node<'_>, kind: &String| layers(node).any(|n| n.kind() == kind.as_str());
    let pairs = &was.tree().language.facts.unlike;
    pairs.iter().any(|[one, other]| is(was, one) && is(now, other) || is(was, other) && is(now, one))
}

/// Whether what a placeholder makes a function of has changed: `f(_)` is a function of its
/// argument, `g(f(_))` gives one to `g`.
fn moves_placeholder(was: Node<'_>, now: Node<'_>) -> bool {
    // What stands in a list of its own is a function already, and in any other one, too.
    let Some(placeholder) = &was.tree().language.facts.arguments.placeholder else { return false };
    let is_one = |n: &Node<'_>| n.kind() == placeholder.as_str();
    let free = |n: Node<'_>| {
        // One that is all of an argument belongs to the call.
        let own = n.parent().filter(|list| list.id != was.id).map(|list| list.id);
        let mut between = n.ancestors().take_while(|up| up.id != was.id);
        is_one(&n) && between.all(|up| !is_bracketed(up) || Some(up.id) == own)
    };
    if is_one(&was) {
        // It goes beyond the list that it stands in: how many lists are around it counts.
        let lists = |n: Node<'_>| {
            n.ancestors().take_while(|up| !up.kind().contains("definition")).filter(|up| is_bracketed(*up)).count()
        };
        // All of an argument, it makes a function of the call; a part of one, of that argument.
        let argument = |n: Node<'_>| n.parent().is_some_and(|list| is_bracketed(list) && list.text().starts_with('('));
        return lists(was) != lists(now) || argument(was) != argument(now);
    }
    let list = now.parent().filter(|up| is_bracketed(*up) && !up.kind().contains("parenthesized"));
    let alike = was.parent().map(|up| up.kind_id()) == now.parent().map(|up| up.kind_id());
    was.descendants().any(free) && list.is_none() && !alike
}

/// Whether code in a hole of a literal holds the quote that the literal begins with.
fn ends_its_literal(node: Node<'_>, code: &str) -> bool {
    let language = node.tree().language;
    let facts = &language.facts.string;
    let hole = node.ancestors().find(|up| facts.holes.iter().any(|kind| kind == up.kind()));
    let Some(hole) = hole.filter(|_| facts.quotes_end_holes) else { return false };
    let literal = hole.ancestors().find(|up| language.is_string(up.kind_id()));
    let text = literal.map_or("", |literal| literal.text()).trim_start_matches(char::is_alphanumeric);
    let Some(quote) = text.chars().next() else { return false };
    let triple = text.chars().take_while(|c| *c == quote).count() >= 3;
    if code.contains('\\') {
        return true;
    }
    if triple { code.contains(&quote.to_string().repeat(3)) } else { code.contains([quote, '\n']) }
}

/// Whether an argument without a name stands behind one with a name, which it may not.
fn has_after_named(parent: Node<'_>) -> bool {
    let arguments = &parent.tree().language.facts.arguments;
    let named = |n: &Node<'_>| arguments.named.iter().any(|kind| kind == n.kind());
    let splat = |n: &Node<'_>| arguments.splats.iter().any(|kind| kind == n.kind());
    let (mut seen, mut wrong) = (false, false);
    for one in parent.named_children().filter(|n| !n.is_extra()) {
        wrong |= seen && !named(&one) && !splat(&one);
        seen |= named(&one);
    }
    wrong
}

/// Puts parentheses around parts that are torn. Whether anything was changed.
pub(super) fn parenthesise(old: &Tree, new: &Tree, arranged: &Arranged, edits: &mut [Edit]) -> bool {
    if !new.language.facts.parentheses {
        return false;
    }
    let mut wraps: BTreeMap<usize, BTreeSet<Option<usize>>> = BTreeMap::new();
    let found = torn(old, new, arranged, edits);
    let within = |inner: &Placed, outer: &Placed| {
        inner.range != outer.range && outer.range.start <= inner.range.start && inner.range.end <= outer.range.end
    };
    let is_node = |p: &Placed| {
        let range = &edits[p.edit].range;
        old.spanning(range.start, range.end).is_some_and(|n| n.is_named())
    };
    let wholes: BTreeMap<usize, &Placed> =
        arranged.placed.iter().filter(|p| p.fragment.is_none()).map(|p| (p.edit, p)).collect();
    // Parts of one edit come before the whole, and inner edits before outer ones:
    // what is around a part may hold together once the part does.
    let mut innermost: Vec<&Placed> = Vec::new();
    for Torn { placed, around } in &found {
        // What goes beyond the edit tears the edit, and no part of it.
        let whole = wholes.get(&placed.edit).copied();
        let beyond = |p: &&Placed| {
            let (own, outer) = (around.local_range(), &p.range);
            let holds = own.start <= placed.range.start && placed.range.end <= own.end;
            holds && (own.start < outer.start || outer.end < own.end)
        };
        let placed = whole.filter(|p| beyond(p) && is_node(p)).unwrap_or(placed);
        let known = |p: &&Placed| p.range == placed.range || within(p, placed);
        if !innermost.iter().rev().take_while(|p| p.range.end > placed.range.start).any(known) {
            innermost.push(placed);
        }
    }
    let ends_list = |p: &&Placed| {
        let text = new.text().get(p.range.clone()).unwrap_or("").trim_end();
        new.language.facts.separators.iter().any(|s| !s.trim().is_empty() && text.ends_with(s.as_str()))
    };
    // What stands right before them would be called.
    let called = |p: &&Placed| {
        let before = new.text()[..p.range.start].chars().next_back();
        // What stood right behind a `)` was no call of it: `(int)f(x)`.
        let leads = wholes.get(&p.edit).is_some_and(|whole| whole.range.start == p.range.start);
        let stood = leads && before == Some(')') && old.text()[..edits[p.edit].range.start].ends_with(')');
        !stood && before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ')' | ']' | '"' | '\''))
    };
    // Parentheses would make one of several.
    let several = |p: &&Placed| {
        is_several(old, &edits[p.edit], p.fragment) || p.fragment.is_none() && writes_several(old, &edits[p.edit])
    };
    // A statement fits in no parentheses.
    for placed in innermost.into_iter().filter(|p| !ends_list(p) && !called(p) && !several(p)) {
        wraps.entry(placed.edit).or_default().insert(placed.fragment);
    }
    let mut changed = false;
    for (edit, parts) in wraps {
        changed |= wrap(&mut edits[edit].replacement, parts);
    }
    changed
}

/// Puts parentheses around parts of a replacement, `None` for all of it. What has some
/// already needs others: around all.
fn wrap(replacement: &mut Vec<Fragment>, mut parts: BTreeSet<Option<usize>>) -> bool {
    let parenthesis = |text: &str| Fragment::Text(text.to_owned());
    let has = |from: Option<usize>, to: usize| {
        from.and_then(|from| replacement.get(from)) == Some(&parenthesis("("))
            && replacement.get(to) == Some(&parenthesis(")"))
    };
    let all_has = has(Some(0), replacement.len().saturating_sub(1));
    // A replacement falls apart because a copy in it does: that one first.
    let whole = parts.remove(&None);
    let asked = !parts.is_empty();
    parts.retain(|part| part.is_none_or(|at| !has(at.checked_sub(1), at + 1)));
    let whole = !all_has && parts.is_empty() && (whole || asked);
    let bare = std::mem::take(replacement);
    let around = |on: bool, text: &str| on.then(|| parenthesis(text));
    replacement.extend(around(whole, "("));
    for (number, fragment) in bare.into_iter().enumerate() {
        let wrap = parts.contains(&Some(number));
        replacement.extend(around(wrap, "(").into_iter().chain([fragment]).chain(around(wrap, ")")));
    }
    replacement.extend(around(whole, ")"));
    whole || !parts.is_empty()
}

/// Edits with parentheses around parts of them that can't be read without: around what is
/// new, or what was copied, or both. `None` where none make the code read better.
pub(super) fn readable(old: &Tree, new: &Tree, arranged: &Arranged, edits: &[Edit]) -> Option<Vec<Edit>> {
    if !new.language.facts.parentheses || new.errors().next().is_none() {
        return None;
    }
    let errors = |tree: &Tree, splices: &[Splice]| new_errors(old, tree, splices).len();
    let wrong: Vec<Range<usize>> = new_errors(old, new, &arranged.splices).iter().map(|n| n.local_range()).collect();
    let near = |own: &Range<usize>| wrong.iter().any(|error| error.start <= own.end && own.start <= error.end);
    let whole = |p: &&Placed| p.fragment.is_none() && near(&p.range);
    let torn: BTreeSet<usize> = arranged.placed.iter().filter(whole).map(|p| p.edit).collect();
    let is_node = |range: &Range<usize>| {
        let node = old.spanning(range.start, range.end);
        node.is_some_and(|n| n.is_named() && n.children().next().is_some() && !is_bracketed(n))
    };
    for (outer, inner) in [(true, false), (false, true), (true, true)] {
        let mut tried = edits.to_vec();
        let mut changed = false;
        for at in &torn {
            let edit = &mut tried[*at];
            let copies = edit.replacement.iter().enumerate().filter_map(|(at, fragment)| match fragment {
                Fragment::Copy(range) if inner && is_node(range) => Some(Some(at)),
                _ => None,
            });
            let mut parts: BTreeSet<Option<usize>> = copies.collect();
            let all = outer && !edit.replacement.is_empty() && old.spanning(edit.range.start, edit.range.end).is_some();
            parts.extend(all.then_some(None));
            let both = all && parts.len() > 1;
            changed |= !parts.is_empty() && wrap(&mut edit.replacement, parts);
            if both {
                wrap(&mut edit.replacement, BTreeSet::from([None]));
            }
        }
        let Some(arranged) = changed.then(|| arrange(old.text(), &tried).ok()).flatten() else { continue };
        let Ok(tree) = parse(new.language, apply(old.text(), &arranged.splices)) else { continue };
        if errors(&tree, &arranged.splices) < wrong.len() && only_parentheses(&tree, &arranged, &tried, &torn) {
            return Some(tried);
        }
    }
    None
}

/// Whether the parentheses that edits begin or end with are that, and no list of arguments.
fn only_parentheses(tree: &Tree, arranged: &Arranged, edits: &[Edit], of: &BTreeSet<usize>) -> bool {
    arranged.placed.iter().filter(|p| of.contains(&p.edit)).all(|placed| {
        let opens = |text: &Fragment| *text == Fragment::Text("(".to_owned());
        let is = placed.fragment.is_some_and(|at| edits[placed.edit].replacement.get(at).is_some_and(opens));
        let node = tree.last_from(placed.range.start);
        !is || std::iter::once(node)
            .chain(node.ancestors())
            .find(|n| n.is_named())
            .is_some_and(|n| n.kind().contains("parenthesized") && n.local_range().start == placed.range.start)
    })
}

/// Whether the new code has errors that the old code did not have.
pub(super) fn reads_worse(old: &Tree, new: &Tree, arranged: &Arranged) -> bool {
    new.errors().next().is_some() && !new_errors(old, new, &arranged.splices).is_empty()
}

/// The errors of the new code that the old code did not have.
fn new_errors<'a>(old: &Tree, new: &'a Tree, splices: &[Splice]) -> Vec<Node<'a>> {
    let known: BTreeSet<_> = old.errors().map(|e| (e.kind_id(), e.local_range().start, e.local_range().end)).collect();
    let anew = |n: &Node<'_>| {
        let before = in_old_text(splices, &n.local_range());
        before.is_none_or(|range| !known.contains(&(n.kind_id(), range.start, range.end)))
    };
    new.errors().filter(anew).collect()
}
