//! `export { f } from "m"`: what a file gives on to others under names of its own, where it moves.
//!
//! Must not: change the names that others know.

use super::import_block::left_out;
use super::layout::line_end;
use super::{Moves, Replacement};
use crate::edit::Fragment;
use crate::symbol::{Wanted, normal};
use crate::tree::{Node, literal_value};

/// The names that a statement gives on from the module that a text names; none where it gives all on.
pub(super) fn given<'t>(module: Node<'t>) -> Option<(Node<'t>, Vec<Node<'t>>)> {
    let kinds = &module.tree().language.facts.symbols.given_on;
    let is = |n: &Node<'_>| kinds.iter().any(|k| k == n.kind());
    let statement = module.parent().filter(|up| is(up) && module.field_name() == Some("source"))?;
    let names: Vec<Node<'t>> = statement.descendants().filter(is).collect();
    Some((statement, names))
}

/// A name as the module has it.
pub(super) fn given_name<'t>(given: Node<'t>) -> &'t str {
    given.field("name").map_or("", Node::text)
}

impl Moves {
    /// What becomes of a statement that gives names on, told by the text of its module; nothing where that is not
    /// known, or none of them moves.
    pub(super) fn given_on(&self, module: Node<'_>) -> Option<Vec<Replacement>> {
        let (language, tree) = (module.tree().language, module.tree());
        let (statement, names) = given(module)?;
        let old = normal(&literal_value(module)?);
        let quote = module.text().chars().next()?;
        if statement.descendants().any(Node::is_extra) {
            return None;
        }
        let mut groups: Vec<(String, Vec<Node<'_>>, Vec<String>)> = Vec::new();
        for name in &names {
            let Some((_, new)) = self.of_path(language, &format!("{old}.{}", given_name(*name))) else { continue };
            let wanted = Wanted::parse(language, new);
            let new_name = wanted.name.filter(|name| !name.contains('.'))?;
            let known = name.field("alias").or_else(|| name.field("name"))?.text();
            // `type as kind` gives on a value of that name.
            let begins = name
                .children()
                .next()
                .is_some_and(|first| first.text() == "type" && first.field_name() != Some("name"));
            let kind = if begins { "type " } else { "" };
            let text =
                if known == new_name { format!("{kind}{known}") } else { format!("{kind}{new_name} as {known}") };
            match groups.iter_mut().find(|(module, ..)| *module == wanted.module) {
                Some((_, of, texts)) => (of.push(*name), texts.push(text)).1,
                None => groups.push((wanted.module, vec![*name], vec![text])),
            }
        }
        let moved: Vec<Node<'_>> = groups.iter().flat_map(|(_, of, _)| of.iter().copied()).collect();
        let write = |range, text: String| Replacement::new(range, vec![Fragment::Text(text)]);
        let (mut edits, mut rest) = (Vec::new(), groups.as_slice());
        if moved.len() == names.len()
            && let Some(((module_name, of, texts), others)) = groups.split_last()
        {
            let goes: Vec<Node<'_>> = moved.iter().filter(|one| !of.iter().any(|n| n.id == one.id)).copied().collect();
            edits.push(write(module.range(), format!("{quote}{module_name}{quote}")));
            let changed = of.iter().zip(texts).filter(|(one, text)| one.text() != text.as_str());
            edits.extend(changed.map(|(one, text)| write(one.range(), text.clone())));
            let gone = if goes.is_empty() { Vec::new() } else { left_out(statement, &names, &goes) };
            edits.extend(gone.into_iter().map(|range| Replacement::new(range, Vec::new())));
            rest = others;
        } else if !moved.is_empty() {
            let gone = left_out(statement, &names, &moved);
            edits.extend(gone.into_iter().map(|range| Replacement::new(range, Vec::new())));
        }
        let (whole, list) = (statement.local_range(), names.first()?.parent()?.local_range());
        let (head, tail) = (&tree.text()[whole.start..list.start], &tree.text()[module.local_range().end..whole.end]);
        let line = |(module, _, texts): &(String, Vec<Node<'_>>, Vec<String>)| {
            format!("{head}{{ {} }} from {quote}{module}{quote}{tail}{}", texts.join(", "), line_end(tree.text()))
        };
        let lines: String = rest.iter().map(line).collect();
        let start = statement.range().start;
        edits.extend((!lines.is_empty()).then(|| write(start..start, lines)));
        (!edits.is_empty()).then_some(edits)
    }
}
