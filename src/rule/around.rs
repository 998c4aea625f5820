//! What lies around, below and beside a node: `inside`, `has`, `precedes` …, in a way that costs
//! no walk for each match.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use super::Matcher;
use crate::pattern::{Bindings, Givens};
use crate::symbol::Certainty;
use crate::tree::{Node, NodeId, Tree};

/// Where a condition looks, and whether it must find something there or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Some node around must fit.
    Inside,
    /// None around may.
    Outside,
    /// Some node below must fit.
    Has,
    /// None below may.
    Lacks,
    /// Some sibling after it must fit.
    Precedes,
    /// Some sibling before it must fit.
    Follows,
}

impl Side {
    /// As rules write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inside => "inside",
            Self::Outside => "outside",
            Self::Has => "has",
            Self::Lacks => "lacks",
            Self::Precedes => "precedes",
            Self::Follows => "follows",
        }
    }

    /// Whether something must be found.
    pub fn wants(self) -> bool {
        !matches!(self, Self::Outside | Self::Lacks)
    }
}

/// A condition on what is around, below or beside a node.
pub struct Context {
    /// Where it looks.
    pub side: Side,
    /// What is looked for.
    pub sought: Matcher,
    /// What it does not look beyond; the node that fits is looked at still.
    pub stop: Option<Matcher>,
    /// Tells it from every other condition of this process: trees keep what fits.
    number: u64,
}

/// What fits in one tree, for names that stand for something from the start.
struct Known {
    /// Held, so that no other ones come to lie there.
    given: Option<Arc<Givens>>,
    sought: Around,
    stops: Option<Around>,
}

impl Context {
    /// Looks for `sought` on one side of a node, and not beyond `stop`.
    pub fn new(side: Side, sought: Matcher, stop: Option<Matcher>) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self { side, sought, stop, number: NUMBERS.fetch_add(1, Ordering::Relaxed) }
    }

    /// Whether it asks for uses of datasets.
    pub(crate) fn asks_for_uses(&self) -> bool {
        self.sought.asks_for_uses() || self.stop.as_ref().is_some_and(Matcher::asks_for_uses)
    }

    /// Whether it holds at a node. What is found binds its holes.
    pub(super) fn answer<'t>(&self, node: Node<'t>, bindings: &mut Bindings<'t>) -> Certainty {
        let known = self.known(node.tree(), bindings);
        let fits = &known.sought;
        match self.side {
            Side::Inside => self.some(&known, node, fits.above(node), bindings),
            Side::Outside => self.some(&known, node, fits.above(node), &mut bindings.clone()).negated(),
            Side::Has => self.some(&known, node, fits.below(node), bindings),
            Side::Lacks => self.some(&known, node, fits.below(node), &mut bindings.clone()).negated(),
            Side::Precedes => self.some(&known, node, fits.beside(node, true), bindings),
            Side::Follows => self.some(&known, node, fits.beside(node, false), bindings),
        }
    }

    /// Whether some of these nodes fit; the first that does gives its bindings. Each fits alone: what
    /// remains is whether shared names agree, and whether something stands between that ends the search.
    fn some<'t>(
        &self,
        known: &Known,
        from: Node<'t>,
        nodes: impl Iterator<Item = Node<'t>>,
        bindings: &mut Bindings<'t>,
    ) -> Certainty {
        let mut sum = Certainty::No;
        let stops = known.stops.as_ref().map(|stops| (stops, self.nearest(stops, from)));
        for node in nodes {
            let free =
                stops.as_ref().map_or(Certainty::Yes, |(stops, near)| self.is_free(from, node, (known, stops), *near));
            if free == Certainty::No && matches!(self.side, Side::Inside | Side::Outside | Side::Precedes) {
                break;
            }
            let mut found = bindings.clone();
            sum = sum.or(|| free.and(|| self.sought.answer(node, &mut found)));
            if sum == Certainty::Yes {
                *bindings = found;
                break;
            }
        }
        sum
    }

    /// The nearest node on its side that ends the search; below a node there may be many.
    fn nearest<'t>(&self, stops: &Around, from: Node<'t>) -> Option<Node<'t>> {
        match self.side {
            Side::Inside | Side::Outside => stops.above(from).next(),
            Side::Has | Side::Lacks => None,
            Side::Precedes => stops.beside(from, true).next(),
            Side::Follows => stops.beside(from, false).last(),
        }
    }

    /// Whether nothing between the two ends the search.
    fn is_free<'t>(
        &self,
        from: Node<'t>,
        node: Node<'t>,
        (known, stops): (&Known, &Around),
        near: Option<Node<'t>>,
    ) -> Certainty {
        let between = match self.side {
            Side::Has | Side::Lacks => stops.above(node).next().filter(|stop| stop.id > from.id),
            Side::Precedes => near.filter(|stop| stop.id < node.id),
            Side::Inside | Side::Outside | Side::Follows => near.filter(|stop| stop.id > node.id),
        };
        let given = || Bindings::with(known.given.clone());
        let ends = |stop: Node<'t>| self.stop.as_ref().map(|matcher| matcher.answer(stop, &mut given()));
        between.and_then(ends).map_or(Certainty::Yes, Certainty::negated)
    }

    /// What fits in a tree: looked for once.
    fn known(&self, tree: &Tree, base: &Bindings<'_>) -> Arc<Known> {
        let given = base.given();
        let key = (self.number, given.map_or(0, |given| Arc::as_ptr(given) as usize));
        let mut all = tree.around.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&key).and_then(|known| Arc::clone(known).downcast().ok()) {
            return known;
        }
        drop(all);
        let known = Arc::new(Known {
            given: given.cloned(),
            sought: Around::new(tree, &self.sought, given),
            stops: self.stop.as_ref().map(|stop| Around::new(tree, stop, given)),
        });
        all = tree.around.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key, Arc::clone(&known) as Arc<dyn Any + Send + Sync>);
        known
    }
}

/// Which nodes of one tree a matcher fits, or may fit, so that asking costs no walk.
struct Around {
    /// In order.
    nodes: Vec<NodeId>,
    /// For each node of the tree the nearest of them above it; its own number for none.
    nearest: Vec<u32>,
}

impl Around {
    /// `given` is what names stand for from the start.
    fn new(tree: &Tree, matcher: &Matcher, given: Option<&Arc<Givens>>) -> Self {
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
            if matcher.answer(node, &mut Bindings::with(given.cloned())) != Certainty::No {
                fits[own as usize] = true;
                nodes.push(node.id);
            }
        }
        Self { nodes, nearest }
    }

    fn above<'t>(&self, node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
        let next = |n: &Node<'t>| {
            let up = *self.nearest.get(n.id.0 as usize)?;
            (up != n.id.0).then(|| n.tree().node(NodeId(up)))
        };
        std::iter::successors(next(&node), next)
    }

    /// Those among its siblings that stand after it, or before it. What is all of a statement stands where
    /// the statement does.
    fn beside<'t>(&self, node: Node<'t>, after: bool) -> impl Iterator<Item = Node<'t>> {
        let node = standing(node);
        let parent = node.parent();
        let (from, to) = match (parent, after) {
            (None, _) => (node.id, node.id),
            (Some(_), true) => (NodeId(node.id.0 + node.subtree_len() as u32), NodeId(u32::MAX)),
            (Some(parent), false) => (NodeId(parent.id.0 + 1), node.id),
        };
        let first = self.nodes.partition_point(|id| *id < from);
        let all = self.nodes[first..].iter().take_while(move |id| **id < to).map(move |id| node.tree().node(*id));
        let all = all.take_while(move |n| parent.is_some_and(|p| p.contains(*n)));
        all.filter(move |n| standing(*n).parent().map(|p| p.id) == parent.map(|p| p.id))
    }

    fn below<'t>(&self, node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
        let from = self.nodes.partition_point(|id| *id <= node.id);
        self.nodes[from..].iter().map(move |id| node.tree().node(*id)).take_while(move |n| node.contains(*n))
    }
}

/// The statement that a node is all of, or the node.
fn standing(node: Node<'_>) -> Node<'_> {
    let own = node.local_range();
    let tree = node.tree();
    let all = |around: &Node<'_>| {
        let range = around.local_range();
        let rest = tree.text().get(own.end..range.end).unwrap_or("").trim();
        range.start == own.start && (rest.is_empty() || tree.language.is_separator(rest))
    };
    let mut around = node.ancestors().take_while(all);
    if node.is_statement() { node } else { around.find(|up| up.is_statement()).unwrap_or(node) }
}
