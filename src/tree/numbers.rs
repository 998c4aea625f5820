//! Which of our nodes is which of tree-sitter's: what its queries find is found in its own tree.

use std::collections::HashMap;

use super::fold::Folded;
use super::{NodeId, Tree};

/// Our numbers of tree-sitter's nodes.
pub(crate) struct Numbers<'t> {
    by_id: HashMap<usize, u32>,
    folded: Option<&'t Folded>,
}

impl Numbers<'_> {
    fn theirs(&self, node: tree_sitter::Node<'_>) -> Option<u32> {
        self.by_id.get(&node.id()).copied()
    }

    /// What stands where this node stands in its parent: the operand of a call, the statement of a block.
    pub(crate) fn get(&self, node: tree_sitter::Node<'_>) -> Option<NodeId> {
        let number = self.theirs(node)?;
        Some(NodeId(self.folded.map_or(number, |folded| folded.place[number as usize])))
    }

    /// The node itself: the call, wherever it belongs.
    pub(crate) fn itself(&self, node: tree_sitter::Node<'_>) -> Option<NodeId> {
        let number = self.theirs(node)?;
        Some(NodeId(self.folded.map_or(number, |folded| folded.own[number as usize])))
    }

    /// Whether the node, or what it holds, is put together otherwise in our tree.
    pub(crate) fn is_moved(&self, node: tree_sitter::Node<'_>) -> bool {
        let (Some(number), Some(folded)) = (self.theirs(node), self.folded) else { return false };
        let at = number as usize;
        folded.place[at] != folded.own[at] || folded.rebuilt.contains(&number)
    }
}

impl Tree {
    /// Our number of each of tree-sitter's nodes.
    pub(crate) fn numbers(&self) -> Numbers<'_> {
        let mut cursor = self.inner.walk();
        let mut by_id = HashMap::with_capacity(self.nodes.len());
        for number in 0.. {
            by_id.insert(cursor.node().id(), number);
            if cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return Numbers { by_id, folded: self.folded.as_ref() };
                }
            }
        }
        Numbers { by_id, folded: self.folded.as_ref() }
    }
}
