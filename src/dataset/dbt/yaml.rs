//! YAML as maps, lists and scalars, with the places of the scalars.
//!
//! Must not: read what an alias stands for, or a text with escapes.

use std::ops::Range;

use crate::tree::Node;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// A value.
pub(super) enum Item<'t> {
    Map(Vec<(Node<'t>, Item<'t>)>),
    List(Vec<Item<'t>>),
    Scalar(Node<'t>),
    /// An alias, or nothing.
    Other,
}

/// The value at a node.
pub(super) fn read(node: Node<'_>) -> Item<'_> {
    at(node, 0)
}

fn at(node: Node<'_>, depth: usize) -> Item<'_> {
    if depth > MAX_DEPTH {
        return Item::Other;
    }
    let mut below = node.named_children().filter(|child| !child.is_extra());
    match node.kind() {
        "stream" | "document" | "block_node" | "flow_node" | "block_sequence_item" => {
            let inner = below.find(|child| !matches!(child.kind(), "anchor" | "tag"));
            inner.map_or(Item::Other, |inner| at(inner, depth + 1))
        }
        "block_mapping" | "flow_mapping" => {
            let pair = |pair: Node<'_>| matches!(pair.kind(), "block_mapping_pair" | "flow_pair");
            Item::Map(below.filter(|child| pair(*child)).filter_map(|child| member(child, depth)).collect())
        }
        "block_sequence" | "flow_sequence" => Item::List(below.map(|child| at(child, depth + 1)).collect()),
        "plain_scalar" | "double_quote_scalar" | "single_quote_scalar" | "block_scalar" => Item::Scalar(node),
        _ => Item::Other,
    }
}

fn member(pair: Node<'_>, depth: usize) -> Option<(Node<'_>, Item<'_>)> {
    let key = pair.field("key")?;
    Some((key, pair.field("value").map_or(Item::Other, |value| at(value, depth + 1))))
}

/// What a scalar says, and where, if it stands there as it is.
pub(super) fn text(scalar: Node<'_>) -> Option<(&str, Range<usize>)> {
    let (text, range) = (scalar.text(), scalar.range());
    match scalar.kind() {
        "plain_scalar" => Some((text, range)),
        "double_quote_scalar" | "single_quote_scalar" if text.len() >= 2 => {
            let inner = &text[1..text.len() - 1];
            (!inner.contains(['\\', '\''])).then_some((inner, range.start + 1..range.end - 1))
        }
        _ => None,
    }
}

impl<'t> Item<'t> {
    /// The member of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(pairs) = self else { return None };
        pairs.iter().find(|(name, _)| name.text().trim_matches(['"', '\'']) == key).map(|(_, value)| value)
    }

    /// The items of a list.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// What a scalar says, and where.
    pub(super) fn scalar(&self) -> Option<(&'t str, Range<usize>)> {
        match self {
            Self::Scalar(node) => text(*node),
            _ => None,
        }
    }

    /// Every scalar with the keys on the way to it.
    pub(super) fn scalars(&self, keys: &mut Vec<&'t str>, each: &mut dyn FnMut(&[&'t str], Node<'t>)) {
        match self {
            Self::Map(pairs) => {
                for (key, value) in pairs {
                    keys.push(key.text());
                    value.scalars(keys, each);
                    keys.pop();
                }
            }
            Self::List(items) => items.iter().for_each(|item| item.scalars(keys, each)),
            Self::Scalar(node) => each(keys, *node),
            Self::Other => {}
        }
    }
}
