//! Expressions put together as their language binds its operators, where the grammar binds them
//! otherwise: `a == b && c` is a conjunction, whatever the parser made of it.
//!
//! Operands and operators keep their bytes and their order; only what holds what changes.
//! Must not: know a language by name, or look at what operators mean.

use std::collections::{HashMap, HashSet};

use super::{ERROR, EXTRA, MISSING, NAMED, NodeData};
use crate::language::{Binding, Operation, Operators, Side};

/// Where nodes of the parser's tree are in ours, by their numbers there.
pub(super) struct Folded {
    /// What stands where the node stood: another operand, where operators were put together anew.
    pub(super) place: Vec<u32>,
    /// The node itself.
    pub(super) own: Vec<u32>,
    /// Operations that hold other operands than the parser gave them, as they were numbered there.
    pub(super) rebuilt: HashSet<u32>,
}

/// The operands at the ends of an operation: on which side of them its operator stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Ends {
    left: Option<u32>,
    right: Option<u32>,
}

/// An operand, or an operation with the ends that it has in the parser's tree.
struct Token {
    node: u32,
    operation: Option<(Binding, Ends)>,
}

/// Puts the operations of a tree together anew; `None` where all of them bind as they should.
pub(super) fn fold(nodes: &mut Vec<NodeData>, operators: &Operators, text: &str) -> Option<Folded> {
    if !operators.concern(nodes.iter().map(|node| node.kind), text) {
        return None;
    }
    let mut seen = vec![false; nodes.len()];
    let (mut ends, mut tops) = (HashMap::new(), HashMap::new());
    for top in 0..nodes.len() as u32 {
        if operators.of(nodes[top as usize].kind).is_none() || seen[top as usize] {
            continue;
        }
        let tokens = tokens(nodes, operators, text, top, &mut seen);
        let bindings = || tokens.iter().filter_map(|token| token.operation).map(|(binding, _)| binding);
        let around = std::iter::successors(Some(top), |node| (*node > 0).then(|| nodes[*node as usize].parent));
        let mut around = around.skip(1).map(|node| nodes[node as usize].kind);
        if bindings().count() < 2
            || !bindings().any(|binding| binding.doubtful)
            || !operators.holds_here(nodes[top as usize].kind, &mut around)
        {
            continue;
        }
        let Some((root, built)) = climb(&tokens) else { continue };
        let same = |(node, new): (&u32, &Ends)| open(nodes, operators, *node).is_some_and(|(_, old)| old == *new);
        if !built.iter().all(same) {
            ends.extend(built);
            tops.insert(top, root);
        }
    }
    if ends.is_empty() {
        return None;
    }
    Some(rebuild(nodes, operators, &ends, &tops))
}

/// The children of a node, by their numbers.
pub(super) fn children(nodes: &[NodeData], node: u32) -> std::vec::IntoIter<u32> {
    let end = nodes[node as usize].subtree_end;
    let mut all = Vec::new();
    let mut next = node + 1;
    while next < end {
        all.push(next);
        next = nodes[next as usize].subtree_end;
    }
    all.into_iter()
}

/// What a node is as an operation, and its operands; `None` for an operand.
fn open<'o>(nodes: &[NodeData], operators: &'o Operators, node: u32) -> Option<(&'o Operation, Ends)> {
    let operation = operators.of(nodes[node as usize].kind)?;
    let all: Vec<u32> = children(nodes, node).collect();
    let flags = |n: &u32| nodes[*n as usize].flags;
    if all.len() < 2 || all.iter().any(|n| flags(n) & (ERROR | MISSING) != 0) {
        return None;
    }
    let operand = |n: Option<&u32>| n.copied().filter(|n| flags(n) & (NAMED | EXTRA) == NAMED);
    let (first, last) = (operand(all.first()), operand(all.last()));
    let ends = match operation.side {
        Side::Before => Ends { left: None, right: Some(last?) },
        Side::Behind => Ends { left: Some(first?), right: None },
        Side::Between => Ends { left: Some(first?), right: Some(last?) },
        Side::Beside if first.is_some() == last.is_some() => return None,
        Side::Beside => Ends { left: first, right: last },
    };
    Some((operation, ends))
}

/// The operands and operators of an expression, in order.
fn tokens(nodes: &[NodeData], operators: &Operators, text: &str, top: u32, seen: &mut [bool]) -> Vec<Token> {
    let mut tokens = Vec::new();
    // What is still to be taken apart, and operators whose left side has been.
    let mut pending = vec![(top, None)];
    while let Some((node, operation)) = pending.pop() {
        if operation.is_some() {
            tokens.push(Token { node, operation });
            continue;
        }
        let Some((operation, ends)) = open(nodes, operators, node) else {
            tokens.push(Token { node, operation: None });
            continue;
        };
        seen[node as usize] = true;
        let own = children(nodes, node).filter(|c| Some(*c) != ends.left && Some(*c) != ends.right);
        let texts: Vec<&str> =
            own.filter_map(|c| text.get(nodes[c as usize].start as usize..nodes[c as usize].end as usize)).collect();
        pending.extend(ends.right.map(|right| (right, None)));
        pending.push((node, Some((operation.binding(&texts), ends))));
        pending.extend(ends.left.map(|left| (left, None)));
    }
    tokens
}

/// Puts operators and operands together by how tightly they bind: the outermost operation, and what
/// each holds.
fn climb(tokens: &[Token]) -> Option<(u32, HashMap<u32, Ends>)> {
    let (mut held, mut waiting) = (Vec::new(), Vec::<(u32, Binding, Ends)>::new());
    let mut built = HashMap::new();
    let take = |held: &mut Vec<u32>, node: u32, was: Ends, built: &mut HashMap<u32, Ends>| {
        let right = if was.right.is_none() { None } else { Some(held.pop()?) };
        let left = if was.left.is_none() { None } else { Some(held.pop()?) };
        built.insert(node, Ends { left, right });
        held.push(node);
        Some(())
    };
    for token in tokens {
        let Some((binding, was)) = token.operation else {
            held.push(token.node);
            continue;
        };
        if was.left.is_some() {
            while let Some((node, tighter, before)) = waiting.last().copied()
                && (tighter.level < binding.level || tighter.level == binding.level && !binding.right)
            {
                waiting.pop();
                take(&mut held, node, before, &mut built)?;
            }
        }
        match was.right {
            None => take(&mut held, token.node, was, &mut built)?,
            Some(_) => waiting.push((token.node, binding, was)),
        }
    }
    while let Some((node, _, was)) = waiting.pop() {
        take(&mut held, node, was, &mut built)?;
    }
    Some((held.pop()?, built))
}

/// A step of writing a tree down.
enum Step {
    /// A node, the number of the one around it, the field that it fills, and whose place it has.
    Open { node: u32, parent: u32, field: u16, place: u32 },
    /// The end of a node, by its new number.
    Close { number: u32, anew: bool },
}

/// Lays the nodes out again, with what operations hold now.
fn rebuild(
    nodes: &mut Vec<NodeData>,
    operators: &Operators,
    ends: &HashMap<u32, Ends>,
    tops: &HashMap<u32, u32>,
) -> Folded {
    let mut made: Vec<NodeData> = Vec::with_capacity(nodes.len());
    let mut folded =
        Folded { place: vec![0; nodes.len()], own: vec![0; nodes.len()], rebuilt: ends.keys().copied().collect() };
    let top = tops.get(&0).copied().unwrap_or(0);
    let mut steps = vec![Step::Open { node: top, parent: 0, field: 0, place: 0 }];
    while let Some(step) = steps.pop() {
        let (node, number) = match step {
            Step::Open { node, parent, field, place } => {
                let number = made.len() as u32;
                folded.own[node as usize] = number;
                folded.place[place as usize] = number;
                made.push(NodeData { parent, field, ..nodes[node as usize] });
                steps.push(Step::Close { number, anew: ends.contains_key(&node) });
                (node, number)
            }
            Step::Close { number, anew } => {
                made[number as usize].subtree_end = made.len() as u32;
                if anew && let Some(last) = children(&made, number).next_back() {
                    made[number as usize].start = made[number as usize + 1].start;
                    made[number as usize].end = made[last as usize].end;
                }
                continue;
            }
        };
        let now = ends.get(&node).copied().unwrap_or_default();
        let was = match ends.contains_key(&node) {
            true => open(nodes, operators, node).map_or(now, |(_, ends)| ends),
            false => now,
        };
        // From behind, since the last step comes first.
        for child in children(nodes, node).rev() {
            let inner = match Some(child) {
                end if end == was.left => now.left,
                end if end == was.right => now.right,
                _ => tops.get(&child).copied(),
            };
            let field = nodes[child as usize].field;
            steps.push(Step::Open { node: inner.unwrap_or(child), parent: number, field, place: child });
        }
    }
    *nodes = made;
    folded
}
