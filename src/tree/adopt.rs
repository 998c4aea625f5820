//! Parts that a grammar leaves behind the node that they are parts of: the accessors of a property in Kotlin.
//!
//! Nodes keep their numbers; only what holds them changes. Must not: know a language by name.

use super::{EXTRA, NodeData};

/// Puts nodes of the first kind of each pair into one of the second that stands before them.
pub(super) fn adopt(nodes: &mut [NodeData], pairs: &[(u16, u16)]) {
    if pairs.is_empty() {
        return;
    }
    for part in 1..nodes.len() {
        let Some((_, owner)) = pairs.iter().find(|(kind, _)| *kind == nodes[part].kind) else { continue };
        let around = nodes[part].parent;
        // From the part backwards: what begins behind the owner and lies in nothing but what is around both is between.
        let mut before = part;
        let found = loop {
            before -= 1;
            if before as u32 <= around {
                break None;
            }
            match nodes[before].parent == around {
                true if nodes[before].kind == *owner => break Some(before),
                true if nodes[before].flags & EXTRA == 0 => break None,
                _ => {}
            }
        };
        let Some(owner) = found else { continue };
        let end = nodes[part].subtree_end;
        for inner in nodes[owner].subtree_end as usize..=part {
            if nodes[inner].parent == around {
                nodes[inner].parent = owner as u32;
            }
        }
        (nodes[owner].end, nodes[owner].subtree_end) = (nodes[part].end, end);
    }
}
