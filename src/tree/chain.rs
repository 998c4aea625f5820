//! Chains of members and indexes that a grammar lays out flat, put around each other: in the `a.b.c` of
//! Kotlin's `a.b.c = 1` there is an `a.b`, as there is in every other `a.b.c`.
//!
//! Bytes stay where they are, and every node of the parser is kept. Must not: know a language by name.

use super::fold::{Folded, children};
use super::{ERROR, EXTRA, MISSING, NAMED, NodeData};
use crate::language::Chains;

/// A node that is put around what stands before a part of a chain, and the part.
struct Around {
    /// The first node in it, as the parser numbers it, and one past the last.
    first: u32,
    until: u32,
    kind: u16,
    end: u32,
}

/// A node that comes to stand in one that is put around it.
struct Held {
    child: u32,
    /// What all of these begin with, and which of them it is in, the outermost being 0.
    first: u32,
    depth: u32,
}

/// Puts the parts of all chains around each other; `None` where there are none.
pub(super) fn chain(nodes: &mut Vec<NodeData>, chains: &Chains) -> Option<Folded> {
    let (mut made, mut held) = (Vec::new(), Vec::new());
    for flat in 0..nodes.len() as u32 {
        if chains.holds(nodes[flat as usize].kind) {
            take_apart(nodes, chains, flat, &mut made, &mut held);
        }
    }
    if made.is_empty() {
        return None;
    }
    // One chain may lie in a part of another.
    held.sort_unstable_by_key(|one| one.child);
    // For each of the parser's nodes, where those that are put around it begin, and where it is itself.
    let (mut place, mut own) = (Vec::with_capacity(nodes.len() + 1), Vec::with_capacity(nodes.len()));
    let mut so_far = 0;
    for number in 0..nodes.len() as u32 {
        place.push(number + so_far);
        so_far += made[so_far as usize..].iter().take_while(|one| one.first == number).count() as u32;
        own.push(number + so_far);
    }
    place.push(nodes.len() as u32 + so_far);
    *nodes = lay_out(nodes, &made, &held, &place, &own);
    Some(Folded { place: own.clone(), own, rebuilt: std::collections::HashSet::new() })
}

/// Says which nodes are put around the children of one that holds a chain, the outermost first, and in which
/// of them its children then are.
fn take_apart(nodes: &[NodeData], chains: &Chains, flat: u32, made: &mut Vec<Around>, held: &mut Vec<Held>) {
    let all: Vec<u32> = children(nodes, flat).collect();
    let flags = |n: &u32| nodes[*n as usize].flags;
    let Some((&first, rest)) = all.split_first() else { return };
    let around = |n: &u32| chains.around(nodes[*n as usize].kind).map(|kind| (*n, kind));
    let parts: Option<Vec<(u32, u16)>> = rest.iter().filter(|n| flags(n) & EXTRA == 0).map(around).collect();
    let odd = all.iter().any(|n| flags(n) & (ERROR | MISSING) != 0) || flags(&first) & EXTRA != 0;
    let Some(parts) = parts.filter(|_| !odd) else { return };
    for (part, kind) in parts.iter().rev() {
        let NodeData { end, subtree_end, .. } = nodes[*part as usize];
        made.push(Around { first, until: subtree_end, kind: *kind, end });
    }
    // A comment is in what holds the part behind it.
    let mut nearest = 0;
    for child in all {
        if parts.get(nearest).is_some_and(|(part, _)| child > *part) {
            nearest += 1;
        }
        if nearest < parts.len() {
            held.push(Held { child, first, depth: (parts.len() - 1 - nearest) as u32 });
        }
    }
}

fn lay_out(nodes: &[NodeData], made: &[Around], held: &[Held], place: &[u32], own: &[u32]) -> Vec<NodeData> {
    let mut all = Vec::with_capacity(nodes.len() + made.len());
    let (mut made, mut held) = (made.iter().peekable(), held.iter().peekable());
    for (number, node) in nodes.iter().enumerate() {
        let around = own[node.parent as usize];
        let mut parent = around;
        while let Some(one) = made.next_if(|one| one.first as usize == number) {
            let (start, end, subtree_end) = (node.start, one.end, place[one.until as usize]);
            all.push(NodeData { start, end, parent, subtree_end, kind: one.kind, field: 0, flags: NAMED });
            parent = all.len() as u32 - 1;
        }
        let parent = held
            .next_if(|one| one.child as usize == number)
            .map_or(around, |one| place[one.first as usize] + one.depth);
        all.push(NodeData { parent, subtree_end: place[node.subtree_end as usize], ..*node });
    }
    all
}
