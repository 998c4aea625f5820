//! Which of our nodes is which of tree-sitter's: what its queries find is found in its own tree.

use std::collections::HashMap;

use tree_sitter::{Query, QueryCursor, QueryMatch, StreamingIterator};

use super::fold::Folded;
use super::given::NONE;
use super::{NodeId, Tree};

/// Our numbers of tree-sitter's nodes.
pub(crate) struct Numbers<'t> {
    by_id: HashMap<usize, u32>,
    folded: Option<&'t Folded>,
    /// Where its nodes are, if some are in no tree of ours.
    place: Option<&'t [u32]>,
}

impl Numbers<'_> {
    fn theirs(&self, node: tree_sitter::Node<'_>) -> Option<u32> {
        let number = self.by_id.get(&node.id()).copied()?;
        self.place.map_or(Some(number), |place| place.get(number as usize).copied().filter(|n| *n != NONE))
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
    /// What a query finds in the tree, and in what macros are given, with our number of each node.
    pub(crate) fn each_match(&self, query: &Query, mut take: impl FnMut(&QueryMatch<'_, '_>, &Numbers<'_>)) {
        let mut cursor = QueryCursor::new();
        let mut ask = |root: tree_sitter::Node<'_>, text: &[u8], numbers: &Numbers<'_>| {
            let mut found = cursor.matches(query, root, text);
            while let Some(one) = found.next() {
                take(one, numbers);
            }
        };
        let by_id: HashMap<usize, u32> = nodes_of(&self.inner).map(|node| node.id()).zip(0..).collect();
        let given = self.given.as_ref();
        let numbers = Numbers { by_id, folded: self.folded.as_ref(), place: given.map(|given| given.place.as_slice()) };
        ask(self.inner.root_node(), self.text.as_bytes(), &numbers);
        for reading in given.into_iter().flat_map(|given| &given.readings) {
            let nodes: Vec<tree_sitter::Node<'_>> = nodes_of(&reading.inner).collect();
            let by_id = nodes.iter().map(|node| node.id()).zip(0..).collect();
            let numbers = Numbers { by_id, folded: None, place: Some(&reading.place) };
            for element in reading.elements.iter().filter_map(|number| nodes.get(*number as usize)) {
                ask(*element, &reading.text, &numbers);
            }
        }
    }
}

/// All nodes of tree-sitter's, in the order of their numbers.
fn nodes_of(tree: &tree_sitter::Tree) -> impl Iterator<Item = tree_sitter::Node<'_>> {
    let mut cursor = tree.walk();
    let mut next = Some(cursor.node());
    std::iter::from_fn(move || {
        let node = next.take()?;
        let mut more = cursor.goto_first_child();
        while !more {
            more = cursor.goto_next_sibling();
            if !more && !cursor.goto_parent() {
                return Some(node);
            }
        }
        next = Some(cursor.node());
        Some(node)
    })
}
