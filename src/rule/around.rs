//! What lies around, below and beside a node, so that `inside` and `has` cost no walk for
//! each match.

use super::Matcher;
use crate::pattern::Bindings;
use crate::symbol::Certainty;
use crate::tree::{Node, NodeId, Tree};

/// Which nodes of one tree a context matches, or may match, so that asking costs no walk.
pub(super) struct Around {
    /// In order.
    nodes: Vec<NodeId>,
    /// For each node of the tree the nearest of them above it; its own number for none.
    nearest: Vec<u32>,
}

impl Around {
    /// `base` is what names stand for from the start.
    pub(super) fn new(tree: &Tree, matcher: &Matcher, base: &Bindings<'_>) -> Self {
        let mut nodes = Vec::new();
        let mut nearest = Vec::with_capacity(tree.len());
        let mut fits = vec![false; tree.len()];
        for node in tree.iter() {
            let own = node.id.0;
            nearest.push(node.parent().map_or(own, |parent| {
                let above = parent.id.0 as usize;
                if fits[above] {
                    parent.id.0
                } else if nearest[above] == parent.id.0 {
                    own
                } else {
                    nearest[above]
                }
            }));
            if matcher.answer(node, &mut Bindings::with(base.given().cloned())) != Certainty::No {
                fits[own as usize] = true;
                nodes.push(node.id);
            }
        }
        Self { nodes, nearest }
    }

    pub(super) fn above<'t>(&self, node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
        let next = |n: &Node<'t>| {
            let up = *self.nearest.get(n.id.0 as usize)?;
            (up != n.id.0).then(|| n.tree().node(NodeId(up)))
        };
        std::iter::successors(next(&node), next)
    }

    /// Those among its siblings that stand after it, or before it.
    pub(super) fn beside<'t>(&self, node: Node<'t>, after: bool) -> impl Iterator<Item = Node<'t>> {
        let parent = node.parent();
        let (from, to) = match (parent, after) {
            (None, _) => (node.id, node.id),
            (Some(_), true) => (NodeId(node.id.0 + node.subtree_len() as u32), NodeId(u32::MAX)),
            (Some(parent), false) => (NodeId(parent.id.0 + 1), node.id),
        };
        let first = self.nodes.partition_point(|id| *id < from);
        let all = self.nodes[first..].iter().take_while(move |id| **id < to).map(move |id| node.tree().node(*id));
        let all = all.take_while(move |n| parent.is_some_and(|p| p.contains(*n)));
        all.filter(move |n| n.parent().map(|p| p.id) == parent.map(|p| p.id))
    }

    pub(super) fn below<'t>(&self, node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
        let from = self.nodes.partition_point(|id| *id <= node.id);
        self.nodes[from..].iter().map(move |id| node.tree().node(*id)).take_while(move |n| node.contains(*n))
    }
}
