//! What goes with a node that is deleted: the statement that it is all of, what hangs on it
//! or is nothing without it, its lines, its separator. And what can't go: an element whose
//! place says what the others are.
//!
//! Must not: say what becomes of comments.

use std::ops::Range;

use super::deleted_lines::{comment_behind, lines_of};
use super::elements::{element, is_given, is_join};
use super::result::{has_token, needs_result};
use crate::edit::Fragment;
use crate::language::{ElementFacts, Marked};
use crate::symbol::Symbols;
use crate::tree::{Node, NodeId};

/// Tokens behind which the name of a member stands.
pub const MEMBER_DOTS: [&str; 5] = [".", "?.", "::", "&.", "->"];

/// Bytes that go, and what is left in their place.
pub type Deletion = (Range<usize>, Vec<Fragment>);

/// The deletion of a node, wherever it stands.
///
/// # Errors
/// Where the place of an element says what the others are, or something needs its value.
pub fn deletion(node: Node<'_>) -> Result<Deletion, String> {
    let node = specified(whole(node));
    // Of a body, what it is a part of may be the value of a block.
    let construct = || is_body(node).then(|| node.ancestors().find(|up| up.is_statement())).flatten();
    if let Some(around) = needs_result(node).or_else(|| construct().and_then(needs_result)) {
        let (line, column) = node.line_column();
        return Err(format!(
            "`{}` at {line}:{column} is the last of its block, whose value `{}` may need: replace it; a closure that \
             knows better says delete(node, #{{ value: \"drop\" }})",
            node.short(),
            around.short()
        ));
    }
    deletion_with_value(node)
}

/// As [`deletion`], also of what is the value of its block.
///
/// # Errors
/// Where the place of an element says what the others are.
pub fn deletion_with_value(node: Node<'_>) -> Result<Deletion, String> {
    let node = specified(whole(node));
    let facts = &node.tree().language.facts.elements;
    if let Some(around) = node.parent().filter(|_| is_assigned(node) || is_bare_hole(node)) {
        return Err(needed(node, around));
    }
    let filled = |list: &Node<'_>| node.tree().language.is_never_empty(list.kind_id());
    let in_list = node.parent().is_some_and(|list| {
        facts.empty.contains_key(list.kind()) && !filled(&list) || facts.single.iter().any(|kind| kind == list.kind())
    });
    if in_list || is_element(node) || node.parent().is_some_and(is_counted) {
        return element_gone(node);
    }
    if is_body(node) {
        // Without a body, what stands behind it would be one.
        let left = || (node.range(), vec![Fragment::Text(facts.body.clone())]);
        let collected = || node.parent().filter(|around| has_token(*around, "yield"));
        return user(node).or_else(collected).map_or_else(|| Ok(left()), |around| Err(needed(node, around)));
    }
    // A name may be all of a node that has no word of its own: of a type.
    let layers = std::iter::once(node).chain(node.ancestors());
    let mut same = layers.take_while(|up| up.id == node.id || node.is_leaf() && up.local_range() == node.local_range());
    if let Some(around) = named_by(node) {
        return Err(needed(node, around));
    }
    let is_all = |around: Node<'_>, one: Node<'_>| one.is_leaf() && around.local_range() == one.local_range();
    let needs = |around: Node<'_>, one| !is_all(around, one) && is_listed(around, one, &facts.values);
    match same.find_map(|one| one.parent().filter(|around| needs(*around, one))) {
        Some(around) => Err(needed(node, around)),
        None => Ok((whole_lines(node), Vec::new())),
    }
}

/// What a name is that of, where it has none without it: a declaration, a parameter, a call.
fn named_by(node: Node<'_>) -> Option<Node<'_>> {
    let facts = &node.tree().language.facts;
    let same = |other: &Node<'_>| other.local_range() == node.local_range();
    let is_layer = |up: &Node<'_>| facts.exact.iter().any(|kind| kind == up.kind()) && same(up);
    let name = std::iter::successors(Some(node), |n| n.children().next().filter(same)).last()?;
    let around = name.ancestors().find(|up| !is_layer(up))?;
    let nameless = &facts.elements.nameless;
    // Of a list, the only one may go.
    let listed = around.text().starts_with(['(', '[', '{', '|']);
    let is_called = || name.field_name() == Some("name") || !listed && introduces(name);
    let is_name = name.is_leaf() && !same(&around) && (is_called() || is_behind_dot(name));
    (is_name && !nameless.iter().any(|kind| kind == around.kind())).then_some(around)
}

/// Whether a name stands behind the dot of what it is a member of.
fn is_behind_dot(name: Node<'_>) -> bool {
    let before = name.local_range().start.checked_sub(1).map(|at| name.tree().last_from(at));
    before.is_some_and(|token| token.is_leaf() && !token.is_named() && MEMBER_DOTS.contains(&token.text()))
}

/// Whether a name introduces something, or is that of an argument.
fn introduces(name: Node<'_>) -> bool {
    let symbols = Symbols::of(name.tree());
    symbols.labels_by(name) || symbols.is_definition(name) && !symbols.in_import(name)
}

/// Whether a node is what stands behind an `=`.
fn is_assigned(node: Node<'_>) -> bool {
    let facts = &node.tree().language.facts;
    let before = node.parent().into_iter().flat_map(Node::children).take_while(|other| other.id != node.id);
    let before = before.filter(|other| !other.is_extra()).last();
    facts.parentheses && before.is_some_and(|token| !token.is_named() && token.text() == "=")
}

/// Whether a node is all that is in a hole of a text, where nothing but a sign opens that: `"$x"`.
fn is_bare_hole(node: Node<'_>) -> bool {
    let facts = &node.tree().language.facts.string;
    let same = std::iter::once(node).chain(node.ancestors()).take_while(|up| up.local_range() == node.local_range());
    let is_hole = |up: Node<'_>| facts.holes.iter().any(|kind| kind == up.kind());
    !facts.hole_opens.is_empty() && same.into_iter().any(is_hole)
}

/// Why a value can't go.
fn needed(node: Node<'_>, around: Node<'_>) -> String {
    let (line, column) = node.line_column();
    // What spans no more than the value says nothing.
    let more = |up: &Node<'_>| up.local_range() != node.local_range();
    let around = std::iter::once(around).chain(around.ancestors()).find(more).unwrap_or(around);
    format!(
        "`{}` at {line}:{column} is a value that `{}` needs: delete the whole of it, or replace it",
        node.short(),
        around.short()
    )
}

/// What uses the value of the construct that a body is a part of: `val x = if (a) old() else b`.
fn user(body: Node<'_>) -> Option<Node<'_>> {
    let tree = body.tree();
    let ElementFacts { bodies, branches, .. } = &tree.language.facts.elements;
    for around in body.ancestors() {
        if around.is_statement() || around.kind().ends_with("statement") {
            return None;
        }
        if !is_body(around)
            && !bodies.iter().any(|kind| kind == around.kind())
            && !branches.iter().any(|kind| kind == around.kind())
        {
            return around.parent();
        }
    }
    None
}

/// Whether a statement is all of a body that has no braces.
pub fn is_body(statement: Node<'_>) -> bool {
    let kinds = &statement.tree().language.facts.elements.bodies;
    // Some grammars hang the braces on the body itself.
    let is_open = |around: Node<'_>| around.children().all(|child| child.text() != "{");
    statement.parent().is_some_and(|around| is_listed(around, statement, kinds) && is_open(around))
}

/// Whether a node is in one of these kinds, or in that field of one: `kind.field`; `kind.` in none of its fields.
pub fn is_listed(around: Node<'_>, node: Node<'_>, kinds: &[String]) -> bool {
    kinds.iter().any(|kind| match kind.split_once('.') {
        Some((kind, field)) => around.kind() == kind && node.field_name().unwrap_or("") == field,
        None => around.kind() == kind.as_str(),
    })
}

/// The deletion of an element of a list, with its separator.
///
/// # Errors
/// Where the place of an element says what the others are.
pub fn element_gone(node: Node<'_>) -> Result<Deletion, String> {
    let all = elements_gone(&[node])?;
    Ok(all.into_iter().next().unwrap_or_else(|| (node.range(), Vec::new())))
}

/// The deletions of several elements of one list, in order: for each, what goes with it.
/// Neighbours go together, and have the same.
///
/// # Errors
/// Where the place of an element says what the others are, or the list can't do without them.
pub fn elements_gone(nodes: &[Node<'_>]) -> Result<Vec<Deletion>, String> {
    let Some((first, list)) = nodes.first().and_then(|first| Some((first, first.parent()?))) else {
        return Ok(Vec::new());
    };
    let facts = &first.tree().language.facts.elements;
    let is = |kinds: &[String]| kinds.iter().any(|kind| kind == list.kind());
    let words = |why: &str| {
        let (line, column) = first.line_column();
        Err(format!("`{}` at {line}:{column} can't go from a list {why}", first.short()))
    };
    // Between braces nothing is told by its place, wherever they stand.
    let around = list.parent().filter(|_| !list.text().starts_with('{'));
    let at = around.map(|around| format!("{}.{}", around.kind(), list.field_name().unwrap_or("")));
    let by_place =
        is(&facts.by_place) || is_given(list) || is_counted(list) || at.is_some_and(|at| facts.by_place.contains(&at));
    let unpacked = list.parent().is_some_and(|around| {
        let own = format!("{}.{}", around.kind(), list.field_name().unwrap_or(""));
        let by = facts.unpacks.get(&own);
        by.is_some_and(|kind| around.named_children().any(|other| other.id != list.id && other.kind() == kind))
    });
    if by_place || unpacked || has_holes(list) {
        return words("of which each place means something");
    }
    let mut named: Vec<Node<'_>> = list.named_children().filter(|other| !hangs(*other)).collect();
    let values: Vec<_> = named.iter().filter(|one| tail(**one).id != one.id).map(|one| tail(*one).id).collect();
    named.retain(|one| !values.contains(&one.id));
    let asked = |node: &Node<'_>| nodes.iter().any(|gone| gone.id == node.id);
    let idle = idle_markers(&named, asked);
    let goes = |node: &Node<'_>| asked(node) || idle.contains(&node.id);
    let left: Vec<&Node<'_>> = named.iter().filter(|node| !goes(node)).collect();
    let same = |deletion: Deletion| Ok(vec![deletion; nodes.len()]);
    if are_all_of(list, goes) {
        return same(deletion(list)?);
    }
    match left.as_slice() {
        [] => match facts.empty.get(list.kind()) {
            Some(text) => return same((list.range(), vec![Fragment::Text(text.clone())])),
            None if is(&facts.single) && !list.text().starts_with('(') => return words("that would be empty"),
            None if is(&facts.single) => return same((list.range(), vec![Fragment::Text("()".to_owned())])),
            None => {}
        },
        [other] if is(&facts.single) && !ends_with_separator(list) => {
            // One that is left needs its separator still.
            let range = named.iter().map(|node| head(*node).range().start).min().unwrap_or(other.range().start)
                ..named.iter().map(|node| node.range().end).max().unwrap_or(other.range().end);
            return same((range, vec![Fragment::Copy(other.range()), Fragment::Text(",".to_owned())]));
        }
        [_] if is(&facts.never_single) => return words("that would have one element only"),
        _ => {}
    }
    let all = runs(&named, goes).into_iter().filter(|(node, _)| asked(node));
    Ok(all.map(|(_, deletion)| deletion).collect())
}

/// What marks other elements of a list, and has none left to mark: the `*` before parameters that are given by name.
fn idle_markers(named: &[Node<'_>], goes: impl Fn(&Node<'_>) -> bool) -> Vec<NodeId> {
    let Some(first) = named.first() else { return Vec::new() };
    let facts = &first.tree().language.facts.elements;
    let is_marked = |node: &Node<'_>| {
        !goes(node)
            && !facts.markers.contains_key(node.kind())
            && !facts.unmarked.iter().any(|kind| kind == node.kind())
    };
    let is_idle = |(at, node): &(usize, &Node<'_>)| match facts.markers.get(node.kind()) {
        Some(Marked::Before) => !named[..*at].iter().any(is_marked),
        Some(Marked::Behind) => !named[*at..].iter().any(is_marked),
        None => false,
    };
    named.iter().enumerate().filter(is_idle).map(|(_, node)| node.id).collect()
}

/// For each element that goes, its run of neighbours that do, with the separator that goes with them.
fn runs<'t>(named: &[Node<'t>], goes: impl Fn(&Node<'t>) -> bool) -> Vec<(Node<'t>, Deletion)> {
    let mut all = Vec::new();
    for run in named.chunk_by(|a, b| goes(a) == goes(b)).filter(|run| run.first().is_some_and(&goes)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let last = tail(*last);
        let (whole, kept) = element(head(*first), last);
        let bare = whole == (head(*first).range().start..last.range().end);
        let whole = match kept.is_none() && (bare || first.is_statement() && run.len() > 1) {
            true => lines_of(first.tree(), whole),
            false => whole,
        };
        let deletion: Deletion = (whole, kept.map(Fragment::Copy).into_iter().collect());
        all.extend(run.iter().map(|node| (*node, deletion.clone())));
    }
    all
}

fn is_comma(node: &Node<'_>) -> bool {
    !node.is_named() && node.text() == "," && node.tree().language.is_separator(",")
}

/// Whether elements are left out: `[a, , b]`.
fn has_holes(list: Node<'_>) -> bool {
    let children: Vec<Node<'_>> = list.children().filter(|child| !child.is_extra()).collect();
    let opens = |node: &Node<'_>| !node.is_named() && matches!(node.text(), "[" | "{" | "(");
    children.windows(2).any(|pair| is_comma(&pair[1]) && (is_comma(&pair[0]) || opens(&pair[0])))
}

fn ends_with_separator(list: Node<'_>) -> bool {
    let tokens: Vec<Node<'_>> = list.children().filter(|child| !child.is_extra()).collect();
    let closes = |node: &Node<'_>| !node.is_named() && matches!(node.text(), ")" | "]" | "}" | ">");
    tokens.iter().rev().find(|node| !closes(node)).is_some_and(is_comma)
}

/// Whether a separator stands on one side of a node: a comma, or a `;` on its line.
fn is_element(node: Node<'_>) -> bool {
    let Some(parent) = node.parent() else { return false };
    let siblings: Vec<Node<'_>> = parent.children().filter(|child| !child.is_extra()).collect();
    let Some(at) = siblings.iter().position(|other| other.id == tail(node).id) else { return false };
    let head = siblings.iter().position(|other| other.id == head(node).id).unwrap_or(at);
    let sides = [head.checked_sub(1), Some(at + 1)].map(|at| at.and_then(|at| siblings.get(at)));
    let on_line = |other: &Node<'_>| {
        let (from, to) = (
            other.local_range().end.min(node.local_range().end),
            other.local_range().start.max(node.local_range().start),
        );
        other.tree().text().get(from..to).is_none_or(|gap| !gap.contains('\n'))
    };
    let statement = ends_with_semicolon(node);
    let parts = |side: Option<&Node<'_>>, next: Option<&Node<'_>>| {
        // Between statements only: `[old(); 3]` is no list.
        let semicolon = |s: &Node<'_>| statement && !s.is_named() && s.text() == ";" && next.is_some_and(on_line);
        side.is_some_and(|side| is_comma(side) || is_join(side) || semicolon(side))
    };
    let before = parts(sides[0], head.checked_sub(2).and_then(|at| siblings.get(at)));
    before || parts(sides[1], siblings.get(at + 2))
}

/// Whether a `;` behind a node ends it.
fn ends_with_semicolon(node: Node<'_>) -> bool {
    let kinds = &node.tree().language.facts.elements.semicolons;
    node.is_statement() || node.parent().is_some_and(|list| kinds.iter().any(|kind| kind == list.kind()))
}

/// Whether a word in a list counts its elements: `iota`.
fn is_counted(list: Node<'_>) -> bool {
    let rows = list.tree().language.facts.elements.by_place.iter();
    let mut words = rows.filter_map(|row| row.split_once(' ')).filter(|(kind, _)| *kind == list.kind());
    words.any(|(_, word)| list.descendants().any(|n| n.is_leaf() && n.text() == word))
}

/// The element of a list that a node is all of: the name in `import { a, b }` is a specifier there.
fn specified(node: Node<'_>) -> Node<'_> {
    if is_element(node) {
        return node;
    }
    let same = node.ancestors().take_while(|up| up.local_range() == node.local_range());
    same.filter(|up| is_element(*up)).last().unwrap_or(node)
}

/// The node that goes where this one does: the statement that it is all of, and what would be
/// nothing without it, as `export` or a decorator are.
fn whole(node: Node<'_>) -> Node<'_> {
    let tree = node.tree();
    let carries = |around: &Node<'_>, inner: Node<'_>| {
        let kinds = &tree.language.facts.elements.carriers;
        let last = around.named_children().last().is_some_and(|last| last.id == inner.id);
        last && is_listed(*around, inner, kinds)
    };
    let is_all = |around: &Node<'_>, inner: Node<'_>| {
        let (outer, own) = (around.local_range(), inner.local_range());
        let rest = tree.text().get(own.end..outer.end).unwrap_or("").trim();
        let ends = rest.is_empty() || tree.language.is_separator(rest);
        outer.start == own.start && ends && (around.is_statement() || is_body(*around))
    };
    let is_alone = |around: &Node<'_>, inner: Node<'_>| are_all_of(*around, |child| child.id == inner.id);
    // Layers that say no more than the name: `import a`.
    let layers = std::iter::once(node).chain(node.ancestors());
    let mut layers = layers.take_while(|up| up.local_range() == node.local_range());
    let lone = layers.find(|one| one.parent().is_some_and(|around| is_alone(&around, *one)));
    let mut inner = introduced(node).map_or(lone.unwrap_or(node), |(_, whole)| whole);
    let goes = |around: &Node<'_>, inner| carries(around, inner) || is_all(around, inner) || is_alone(around, inner);
    while let Some(around) = inner.parent().filter(|around| goes(around, inner)) {
        inner = around;
    }
    // Between a node and its statement there may be others that are all of it.
    let statement = inner.ancestors().take_while(|around| around.local_range().start == inner.local_range().start);
    match statement.filter(|around| is_all(around, inner)).last() {
        Some(statement) if statement.id != inner.id => whole(statement),
        _ => inner,
    }
}

/// The children without which a node is nothing; none where it is not of that kind.
fn needed_by(around: Node<'_>) -> Vec<Node<'_>> {
    let facts = &around.tree().language.facts.elements;
    let of_it = |kind: &&String| kind.split('.').next() == Some(around.kind());
    let kinds: Vec<String> = facts.alone.iter().filter(of_it).cloned().collect();
    let option = |child: &Node<'_>| facts.option.as_ref().is_some_and(|mark| child.text().starts_with(mark.as_str()));
    let says = |child: &Node<'_>| !child.is_extra() && !option(child) && is_listed(around, *child, &kinds);
    if kinds.is_empty() { Vec::new() } else { around.named_children().filter(says).collect() }
}

/// Whether nodes are all that another one would be nothing without.
fn are_all_of(around: Node<'_>, goes: impl Fn(&Node<'_>) -> bool) -> bool {
    let needed = needed_by(around);
    !needed.is_empty() && needed.iter().all(goes)
}

/// What a node is all of, and the token before it that is nothing without that: the `:` of `: A`.
fn introduced(node: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    let kinds = &node.tree().language.facts.elements.introduced;
    let same = |around: &Node<'_>| around.local_range() == node.local_range();
    let mut all = std::iter::once(node).chain(node.ancestors()).take_while(same);
    let whole = all.find(|one| kinds.iter().any(|kind| kind == one.kind()))?;
    let siblings: Vec<Node<'_>> = whole.parent()?.children().filter(|child| !child.is_extra()).collect();
    let at = siblings.iter().position(|one| one.id == whole.id)?;
    let token = siblings.get(at.checked_sub(1)?)?;
    let sole = !token.is_named() && !is_comma(token) && !siblings.get(at + 1).is_some_and(is_comma);
    sole.then_some((*token, whole))
}

/// Whether a node is nothing by itself, but says something of the next one.
fn hangs(node: Node<'_>) -> bool {
    let facts = &node.tree().language.facts.elements;
    if node.is_extra() {
        return node.is_named() && facts.documents.iter().any(|mark| node.text().starts_with(mark.as_str()));
    }
    facts.attached.iter().any(|kind| kind == node.kind())
}

/// The last of what an element is beside the node: the value that a parameter has.
fn tail(node: Node<'_>) -> Node<'_> {
    let facts = &node.tree().language.facts.elements;
    let has_more = |around: Node<'_>| {
        facts.defaults.iter().any(|kind| kind.contains('.')) && is_listed(around, node, &facts.defaults)
    };
    if !facts.defaults.iter().any(|kind| kind == node.kind()) && !node.parent().is_some_and(has_more) {
        return node;
    }
    let siblings: Vec<Node<'_>> = node.parent().map(|parent| parent.children().collect()).unwrap_or_default();
    let mut behind =
        siblings.into_iter().filter(|other| !other.is_extra()).skip_while(|other| other.id != node.id).skip(1);
    match (behind.next(), behind.next()) {
        (Some(equals), Some(value)) if equals.text() == "=" => value,
        (Some(contents), _) if facts.contents.iter().any(|kind| kind == contents.kind()) => contents,
        _ => node,
    }
}

/// The first of what hangs on a node, or the node.
pub(super) fn head(node: Node<'_>) -> Node<'_> {
    if let Some((token, _)) = introduced(node) {
        return token;
    }
    let siblings: Vec<Node<'_>> = node.parent().map(|parent| parent.children().collect()).unwrap_or_default();
    let at = siblings.iter().position(|other| other.id == node.id).unwrap_or(0);
    let (mut first, mut below) = (node, node);
    for other in siblings[..at].iter().rev().take_while(|other| hangs(**other) || other.is_comment()) {
        if other.is_extra() && is_parted(*other, below) {
            break;
        }
        first = if hangs(*other) && (!other.is_extra() || has_documents(node)) { *other } else { first };
        below = *other;
    }
    match first.is_extra() || first.tree().language.facts.elements.documents.is_empty() || !has_documents(node) {
        true => first,
        false => std::iter::successors(Some(first), |node| document_before(*node)).last().unwrap_or(first),
    }
}

/// Whether a comment that documents code may be about a node.
fn has_documents(node: Node<'_>) -> bool {
    !node.tree().language.facts.elements.undocumented.iter().any(|kind| kind == node.kind())
}

/// Whether a blank line parts a comment from what stands below it.
fn is_parted(comment: Node<'_>, below: Node<'_>) -> bool {
    let end = comment.local_range().start + comment.text().trim_end().len();
    let gap = comment.tree().text().get(end..below.local_range().start).unwrap_or("");
    gap.matches('\n').count() > 1
}

/// The comment right above a node that speaks of it, where a grammar takes it for a part of what stands before.
fn document_before<'t>(node: Node<'t>) -> Option<Node<'t>> {
    let tree = node.tree();
    let before = tree.text()[..node.local_range().start].trim_end();
    let last = tree.last_from(before.len().checked_sub(1)?);
    let own = last.local_range();
    let line = before[..own.start].rfind('\n').map_or(0, |at| at + 1);
    let apart = own.end == before.len() && tree.text()[line..own.start].trim().is_empty();
    (apart && last.is_extra() && hangs(last) && !is_parted(last, node)).then_some(last)
}

/// Where the code of a node ends: a comment behind it that stands no deeper is not its own.
fn content_end(node: Node<'_>) -> usize {
    let (tree, range) = (node.tree(), node.local_range());
    let column = |at: usize| at - tree.text()[..at].rfind('\n').map_or(0, |line| line + 1);
    let deep = |n: &Node<'_>| !n.is_extra() || column(n.local_range().start) > column(range.start);
    let leaves = node.descendants().filter(|n| n.is_leaf() || n.is_extra());
    leaves.filter(deep).map(|n| n.local_range().end).max().filter(|end| *end < range.end).map_or(range.end, |end| {
        let trailing = node.descendants().any(|n| n.is_extra() && n.local_range().start >= end);
        if trailing { end } else { range.end }
    })
}

/// A node and what hangs on it; its whole lines where nothing else is on them.
pub fn whole_lines(node: Node<'_>) -> Range<usize> {
    let node = whole(node);
    let tree = node.tree();
    let end = node.local_range().end;
    // What ends a statement goes with it. Not every grammar has a node for it, and where one has, it may be a separator.
    let ended =
        ends_with_semicolon(node).then(|| tree.text()[end..].trim_start_matches([' ', '\t'])).and_then(|rest| {
            let behind = tree.text().len() - rest.strip_prefix(';')?.len();
            let line = tree.text()[behind..].lines().next().unwrap_or("").trim().is_empty();
            let mark = tree.last_from(behind - 1);
            let nodeless = mark.local_range().end < behind;
            let ends = line || comment_behind(tree, behind).is_some();
            (nodeless || mark.text() == ";" && ends).then_some(behind)
        });
    let range = head(node).local_range().start..ended.unwrap_or_else(|| content_end(tail(node)));
    lines_of(tree, range.start + tree.base()..range.end + tree.base())
}
