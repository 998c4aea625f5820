//! An order in which everything comes after what it consumes, and the circles that
//! make one impossible.

use std::collections::{BTreeMap, BTreeSet};

use crate::workspace::EntityRef;

/// An order of entities.
pub(super) struct Ordered<'e> {
    /// Each entity once.
    pub(super) order: Vec<&'e EntityRef>,
    /// Circles, each sorted, by their first members.
    pub(super) cycles: Vec<Vec<EntityRef>>,
}

/// Orders the keys of `depth` so that each comes after its `upstream`; among what is
/// free the lesser depth comes first, then the lesser reference. A circle is cut
/// before its member of the least depth and reference. The same for the same graph.
pub(super) fn upstream_first<'e>(
    depth: &BTreeMap<&'e EntityRef, u32>,
    upstream: &BTreeMap<&'e EntityRef, BTreeSet<&'e EntityRef>>,
) -> Ordered<'e> {
    let names: Vec<&EntityRef> = depth.keys().copied().collect();
    let index: BTreeMap<&EntityRef, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let mut above: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    for (entity, others) in upstream {
        if let Some(at) = index.get(entity) {
            above[*at] = others.iter().filter_map(|other| index.get(other).copied()).collect();
        }
    }
    let group = groups(&above);
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    group.iter().enumerate().for_each(|(at, group)| members.entry(*group).or_default().push(at));
    let key = |at: usize| (depth[names[at]], names[at], at);
    // What waits for what: whole groups, so that a circle stands together.
    let mut below: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut waits: BTreeMap<usize, usize> = members.keys().map(|group| (*group, 0)).collect();
    for (at, others) in above.iter().enumerate() {
        for other in others.iter().filter(|other| group[**other] != group[at]) {
            if below.entry(group[*other]).or_default().insert(group[at]) {
                *waits.entry(group[at]).or_default() += 1;
            }
        }
    }
    for list in members.values_mut() {
        list.sort_by_key(|at| key(*at));
    }
    let rank = |group: usize| (key(members[&group][0]), group);
    let mut free: BTreeSet<_> = waits.iter().filter(|(_, count)| **count == 0).map(|(g, _)| rank(*g)).collect();
    let (mut order, mut cycles) = (Vec::with_capacity(names.len()), Vec::new());
    while let Some((_, next)) = free.pop_first() {
        let list = &members[&next];
        if list.len() > 1 {
            let mut cycle: Vec<EntityRef> = list.iter().map(|at| names[*at].clone()).collect();
            cycle.sort();
            cycles.push(cycle);
        }
        order.extend(list.iter().map(|at| names[*at]));
        for group in below.get(&next).into_iter().flatten() {
            let count = waits.entry(*group).or_default();
            *count -= 1;
            if *count == 0 {
                free.insert(rank(*group));
            }
        }
    }
    cycles.sort();
    Ordered { order, cycles }
}

/// The strongly connected component of each node, by Tarjan's algorithm ("Depth-first
/// search and linear graph algorithms", 1972), without recursion.
fn groups(above: &[Vec<usize>]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let count = above.len();
    let (mut number, mut low, mut group) = (vec![NONE; count], vec![NONE; count], vec![NONE; count]);
    let (mut stack, mut work, mut next, mut found) = (Vec::new(), Vec::new(), 0, 0);
    for start in 0..count {
        if number[start] == NONE {
            work.push((start, 0));
        }
        while let Some((at, edge)) = work.pop() {
            if edge == 0 {
                number[at] = next;
                low[at] = next;
                next += 1;
                stack.push(at);
            }
            match above[at].get(edge) {
                Some(other) => {
                    work.push((at, edge + 1));
                    if number[*other] == NONE {
                        work.push((*other, 0));
                    } else if group[*other] == NONE {
                        low[at] = low[at].min(number[*other]);
                    }
                }
                None => {
                    if low[at] == number[at] {
                        while let Some(member) = stack.pop() {
                            group[member] = found;
                            if member == at {
                                break;
                            }
                        }
                        found += 1;
                    }
                    if let Some((parent, _)) = work.last() {
                        low[*parent] = low[*parent].min(low[at]);
                    }
                }
            }
        }
    }
    group
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entity(name: &str) -> EntityRef {
        EntityRef::parse(name, "component").unwrap()
    }

    /// Orders a graph that is given by `consumer < consumed` pairs; depths are all 1.
    fn ordered(pairs: &[(&str, &str)]) -> (Vec<String>, Vec<Vec<String>>) {
        let entities: BTreeSet<EntityRef> = pairs.iter().flat_map(|(a, b)| [entity(a), entity(b)]).collect();
        let depth = entities.iter().map(|entity| (entity, 1)).collect();
        let mut upstream: BTreeMap<&EntityRef, BTreeSet<&EntityRef>> = BTreeMap::new();
        for (consumer, consumed) in pairs {
            let of = |name: &str| entities.get(&entity(name)).unwrap();
            upstream.entry(of(consumer)).or_default().insert(of(consumed));
        }
        let found = upstream_first(&depth, &upstream);
        let name = |entity: &EntityRef| entity.name().to_owned();
        let cycles = found.cycles.iter().map(|cycle| cycle.iter().map(name).collect()).collect();
        (found.order.into_iter().map(name).collect(), cycles)
    }

    #[test]
    fn what_is_consumed_comes_first() {
        let (order, cycles) = ordered(&[("a", "z"), ("b", "a"), ("c", "z"), ("c", "b")]);
        assert_eq!((order.join(" "), cycles.len()), ("z a b c".to_owned(), 0));
    }

    #[test]
    fn circles_are_told_and_cut_where_they_always_are() {
        let pairs = [("b", "a"), ("c", "b"), ("a", "c"), ("d", "c"), ("x", "y"), ("y", "x"), ("a", "z")];
        let (order, cycles) = ordered(&pairs);
        assert_eq!(order.join(" "), "x y z a b c d");
        assert_eq!(cycles, [vec!["a", "b", "c"], vec!["x", "y"]]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let names: Vec<String> = (0..20_000).map(|n| format!("n{n:05}")).collect();
        let pairs: Vec<(&str, &str)> = names.windows(2).map(|pair| (pair[1].as_str(), pair[0].as_str())).collect();
        assert_eq!(ordered(&pairs).0, names);
    }

    proptest! {
        #[test]
        fn outside_of_circles_nobody_comes_before_what_it_consumes(
            pairs in prop::collection::vec((0_usize..12, 0_usize..12), 1..30),
        ) {
            let names: Vec<String> = (0..12).map(|n| format!("n{n:02}")).collect();
            let pairs: Vec<(&str, &str)> =
                pairs.iter().filter(|(a, b)| a != b).map(|(a, b)| (names[*a].as_str(), names[*b].as_str())).collect();
            prop_assume!(!pairs.is_empty());
            let (order, cycles) = ordered(&pairs);
            let at = |name: &str| order.iter().position(|other| other == name).unwrap();
            let together = |a: &str, b: &str| {
                cycles.iter().any(|c| c.iter().any(|n| n == a) && c.iter().any(|n| n == b))
            };
            for (consumer, consumed) in &pairs {
                prop_assert!(at(consumer) > at(consumed) || together(consumer, consumed));
            }
            let all: BTreeSet<&str> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
            prop_assert_eq!(order.len(), all.len());
        }
    }
}
