//! The tags of templates around code, as `{% if x %}` and `{% endif %}`: they are code of another language that no
//! rule sees, and stand in pairs.
//!
//! Must not: know how the code between them reads.

use std::ops::Range;

use super::places::Places;
use crate::edit::{Arranged, Edit};
use crate::language::TagFacts;
use crate::tree::{Node, Tree};

/// The first tag that went without its other half, or that parts nothing any more: where it was, and what is wrong.
pub(super) fn torn(old: &Tree, new: &Tree, edits: &[Edit], arranged: &Arranged) -> Option<(Range<usize>, String)> {
    let facts = old.language.facts.tags.as_ref()?;
    let mut tags = tags(old, facts).peekable();
    tags.peek()?;
    let places = Places::new(edits, arranged);
    if let Some(output) = beside(old, facts, arranged, &places) {
        let why = format!(
            "the edit would take `{}` away, which stands beside the code that goes: edit this place by hand",
            output.short()
        );
        return Some((output.local_range(), why));
    }
    // Those that go with one edit must be whole in it.
    let gone = tags.filter(|tag| places.of(*tag).is_empty());
    let mut gone: Vec<(usize, Node<'_>)> = gone.map(|tag| (splice_of(arranged, tag), tag)).collect();
    gone.sort_by_key(|(splice, tag)| (*splice, tag.id));
    for run in gone.chunk_by(|a, b| a.0 == b.0) {
        if let Some(tag) = unpaired(run.iter().map(|(_, tag)| *tag), facts, true) {
            let why = format!(
                "the edit would take away the tag `{}`, which is no part of the code that goes: edit this place by hand",
                tag.short()
            );
            return Some((tag.local_range(), why));
        }
    }
    if unpaired(self::tags(old, facts), facts, false).is_some() {
        return None;
    }
    let tag = unpaired(self::tags(new, facts), facts, false)?;
    let (line, column) = tag.line_column();
    let why = format!("the tag `{}` at {line}:{column} of the result would have lost its other half", tag.short());
    let at = arranged.splices.first().map_or(0, |splice| splice.range.start);
    Some((at..at, why))
}

/// What a template writes at an end of code that goes, where it may be a part of other code.
fn beside<'t>(old: &'t Tree, facts: &TagFacts, arranged: &Arranged, places: &Places<'_>) -> Option<Node<'t>> {
    let output = |node: &Node<'t>| node.is_extra() && node.kind() == facts.output;
    old.iter().filter(output).filter(|node| places.of(*node).is_empty()).find(|node| {
        let Some(splice) = arranged.splices.get(splice_of(arranged, *node)) else { return false };
        let own = node.local_range();
        let says = |range: Range<usize>| {
            let blank = |c: char| c.is_whitespace() || old.language.is_separator(&c.to_string());
            old.text().get(range).is_some_and(|text| text.contains(|c| !blank(c)))
        };
        !says(splice.range.start..own.start) || !says(own.end..splice.range.end)
    })
}

fn splice_of(arranged: &Arranged, tag: Node<'_>) -> usize {
    arranged.splices.partition_point(|splice| splice.range.end <= tag.local_range().start)
}

fn tags<'t>(tree: &'t Tree, facts: &'t TagFacts) -> impl Iterator<Item = Node<'t>> {
    tree.iter().filter(|node| node.kind() == facts.kind)
}

/// The first of some tags that has no other half among them. With `all`, one that needs none is one, too.
fn unpaired<'t>(tags: impl Iterator<Item = Node<'t>>, facts: &TagFacts, all: bool) -> Option<Node<'t>> {
    let mut open: Vec<(Node<'t>, &str)> = Vec::new();
    for tag in tags {
        let name = tag.field(&facts.name).map_or("", |name| name.text());
        if facts.opens.iter().any(|opens| opens == name) && !is_alone(tag, facts) {
            open.push((tag, name));
        } else if let Some(ended) = name.strip_prefix(facts.end.as_str()).filter(|rest| !rest.is_empty()) {
            match open.pop() {
                Some((_, name)) if name == ended => {}
                _ => return Some(tag),
            }
        } else if match facts.parts.iter().any(|parts| parts == name) {
            true => open.is_empty(),
            false => all,
        } {
            return Some(tag);
        }
    }
    open.pop().map(|(tag, _)| tag)
}

/// Whether a tag says all by itself, as `{% set a = 1 %}` does.
fn is_alone(tag: Node<'_>, facts: &TagFacts) -> bool {
    facts.alone_with.as_ref().is_some_and(|kind| tag.named_children().any(|child| child.kind() == kind))
}
