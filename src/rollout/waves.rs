//! Who travels in which wave: a pure function of sizes, seed and references.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{WavePart, WaveSize};
use crate::digest::{Digest, DigestBuilder};
use crate::workspace::EntityRef;

/// What travels together: a workspace and all consumers that point to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The workspace's id.
    pub workspace: String,
    /// Its consumers, ordered; the first one decides the place in the rollout.
    pub consumers: Vec<EntityRef>,
    /// What kind it is of: a wave sees as many kinds as it can.
    pub stratum: String,
    /// Its place among those that go first, where it is one of them.
    pub lead: Option<usize>,
    /// Whether it goes last.
    pub tail: bool,
    /// Workspaces that make what it consumes: none of them goes after it.
    pub after: BTreeSet<String>,
}

impl Unit {
    /// One like any other.
    pub fn new(workspace: String, consumers: Vec<EntityRef>) -> Self {
        Self { workspace, consumers, stratum: String::new(), lead: None, tail: false, after: BTreeSet::new() }
    }
}

/// A wave's new members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// From 1: the place of its size in the migration. Waves that would be empty
    /// are left out, so that numbers may be missing.
    pub number: u32,
    /// The size as the migration writes it.
    pub label: String,
    /// Workspace ids, in the order of the rollout.
    pub members: Vec<String>,
}

/// What earlier waves hold already, where a rollout is planned anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// The highest wave that stands.
    pub waves: u32,
    /// Consumers in the waves that stand.
    pub consumers: u64,
}

/// Puts units in the order of the rollout: those of `first`, in that order, then those
/// that lead, then by a hash of seed, migration and reference; those of the tail last. Of
/// units that depend on each other, what is upstream comes first, and goes first with
/// those of which somebody wants that.
pub fn order(units: &mut [Unit], first: &[EntityRef], seed: &str, migration: &str) {
    let led: BTreeMap<&EntityRef, usize> = first.iter().enumerate().map(|(n, entity)| (entity, n)).collect();
    for unit in units.iter_mut() {
        let named = unit.consumers.iter().filter_map(|c| led.get(c)).min().copied();
        // Whom a selector means comes after those that are named.
        unit.lead = named.or(unit.lead.map(|rank| rank.saturating_add(first.len())));
    }
    pull_along(units);
    units.sort_by_cached_key(|unit| {
        let name = unit.consumers.first().map_or("", EntityRef::as_str);
        let lead = unit.lead.unwrap_or(usize::MAX);
        (lead, unit.tail && unit.lead.is_none(), shuffled(seed, migration, name), unit.workspace.clone())
    });
    upstream_first(units);
}

/// Whatever is upstream of one that leads leads with it; what is downstream of the tail is
/// of the tail.
fn pull_along(units: &mut [Unit]) {
    if units.iter().all(|unit| unit.after.is_empty()) {
        return;
    }
    let index: BTreeMap<String, usize> =
        units.iter().enumerate().map(|(n, unit)| (unit.workspace.clone(), n)).collect();
    loop {
        let mut changed = false;
        for at in 0..units.len() {
            for maker in units[at].after.clone() {
                let Some(maker) = index.get(&maker).copied().filter(|maker| *maker != at) else { continue };
                let lead = [units[maker].lead, units[at].lead].into_iter().flatten().min();
                if lead != units[maker].lead {
                    units[maker].lead = lead;
                    changed = true;
                }
                if units[maker].tail && units[maker].lead.is_none() && !units[at].tail {
                    units[at].tail = true;
                    changed = true;
                }
            }
        }
        if !changed {
            return;
        }
    }
}

/// Moves each unit behind those that it comes after, and leaves the order as it is
/// otherwise. Of a circle, what comes first stays first, and waits for nobody in it.
fn upstream_first(units: &mut [Unit]) {
    let index: BTreeMap<String, usize> =
        units.iter().enumerate().map(|(n, unit)| (unit.workspace.clone(), n)).collect();
    let mut place = vec![usize::MAX; units.len()];
    let mut next = 0;
    for start in 0..units.len() {
        // An own stack: chains may be long.
        let mut stack = vec![start];
        let mut entered = BTreeSet::new();
        while let Some(at) = stack.last().copied() {
            let waits = units[at].after.iter().filter_map(|maker| index.get(maker)).copied();
            let open = waits.filter(|maker| place[*maker] == usize::MAX && !entered.contains(maker)).min();
            entered.insert(at);
            match open {
                Some(maker) if maker != at => stack.push(maker),
                _ => {
                    stack.pop();
                    if place[at] == usize::MAX {
                        place[at] = next;
                        next += 1;
                    }
                }
            }
        }
    }
    let places: BTreeMap<String, usize> =
        units.iter().zip(&place).map(|(unit, at)| (unit.workspace.clone(), *at)).collect();
    for unit in units.iter_mut() {
        let own = places.get(&unit.workspace).copied();
        unit.after.retain(|maker| places.get(maker).copied() < own && places.contains_key(maker));
    }
    units.sort_by_key(|unit| places.get(&unit.workspace).copied());
}

fn shuffled(seed: &str, migration: &str, entity: &str) -> Digest {
    DigestBuilder::new("gander.wave-order").field(seed).field(migration).field(entity).finish()
}

/// How many of `total` consumers are in waves up to the one of this size.
pub fn cumulative(size: &WaveSize, total: u64) -> u64 {
    let parts = size.parts.iter().map(|part| match part {
        WavePart::Count(count) => *count,
        WavePart::Percent(percent) => share(*percent, total),
    });
    parts.max().unwrap_or(0).min(total)
}

/// `percent` of `total`, rounded up; the remainder that floating point leaves
/// above a whole number does not count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "counts of consumers lie far below 2^52, and casts from floats saturate"
)]
fn share(percent: f64, total: u64) -> u64 {
    let exact = percent * total as f64 / 100.0;
    (exact - 1e-9).ceil().max(0.0) as u64
}

/// Fills the waves with `units`, which stand in the order of the rollout and are
/// in no wave yet. A wave takes units until it and the earlier ones hold at least
/// as many consumers as its size says; a workspace is never split. What lies
/// beyond the last size is in no wave, but for a rollout that is planned anew:
/// once all sizes are used up, one more wave takes the rest.
///
/// A wave takes those that lead first, then one of each stratum that no wave has seen,
/// then one of each that it has not seen itself, then whoever comes next, and those of the
/// tail once nobody else is left. So a wave with as many members as there are strata sees
/// all of them that are left.
pub fn fill(sizes: &[WaveSize], units: &[Unit], earlier: Earlier) -> Vec<Wave> {
    let total = earlier.consumers + units.iter().map(|u| u.consumers.len() as u64).sum::<u64>();
    let mut rest: Vec<&Unit> = units.iter().collect();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut assigned = earlier.consumers;
    let mut waves = Vec::new();
    let all = WaveSize { text: "100%".to_owned(), parts: vec![WavePart::Percent(100.0)] };
    let used_up = sizes.len() <= earlier.waves as usize;
    let extra = used_up.then_some((earlier.waves + 1, &all));
    let sizes = (1_u32..).zip(sizes).filter(|(number, _)| *number > earlier.waves);
    for (number, size) in sizes.chain(extra) {
        let goal = cumulative(size, total);
        let taken = take(&rest, goal, &mut assigned, &seen);
        if taken.is_empty() {
            continue;
        }
        let members = taken.iter().map(|index| rest[*index].workspace.clone()).collect();
        seen.extend(taken.iter().map(|index| rest[*index].stratum.as_str()));
        let mut index = 0;
        rest.retain(|_| {
            index += 1;
            !taken.contains(&(index - 1))
        });
        waves.push(Wave { number, label: size.text.clone(), members });
    }
    waves
}

/// Who of `rest` is in the next wave, as indices, in their order.
fn take(rest: &[&Unit], goal: u64, assigned: &mut u64, seen: &BTreeSet<&str>) -> BTreeSet<usize> {
    let mut taken = BTreeSet::new();
    let mut here: BTreeSet<&str> = BTreeSet::new();
    for pass in 0..5 {
        for (index, unit) in rest.iter().enumerate() {
            if *assigned >= goal {
                return taken;
            }
            let plain = unit.lead.is_none() && !unit.tail;
            let wanted = match pass {
                0 => unit.lead.is_some(),
                1 => plain && !seen.contains(unit.stratum.as_str()) && !here.contains(unit.stratum.as_str()),
                2 => plain && !here.contains(unit.stratum.as_str()),
                3 => plain,
                _ => true,
            };
            // What it comes after is in an earlier wave, or in this one already.
            let ready = |maker: &String| {
                rest.iter().position(|other| other.workspace == *maker).is_none_or(|at| taken.contains(&at))
            };
            if wanted && unit.after.iter().all(ready) && taken.insert(index) {
                here.insert(&unit.stratum);
                *assigned += unit.consumers.len() as u64;
            }
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entity(name: &str) -> EntityRef {
        EntityRef::parse(name, "component").unwrap()
    }

    fn units(count: usize) -> Vec<Unit> {
        (0..count).map(|n| Unit::new(format!("w{n:03}"), vec![entity(&format!("c{n:03}"))])).collect()
    }

    fn size(text: &str, parts: &[WavePart]) -> WaveSize {
        WaveSize { text: text.to_owned(), parts: parts.to_vec() }
    }

    fn issue_sizes() -> Vec<WaveSize> {
        use WavePart::{Count, Percent};
        vec![
            size("1", &[Count(1)]),
            size("5%", &[Percent(5.0)]),
            size("max(25%, 59)", &[Percent(25.0), Count(59)]),
            size("100%", &[Percent(100.0)]),
        ]
    }

    #[test]
    fn upstream_goes_before_downstream() {
        let waves = |units: &[(usize, &[usize])], sizes: &[u64], first: &[&str]| {
            let mut all = self::units(8);
            for (at, after) in units {
                all[*at].after = after.iter().map(|n| format!("w{n:03}")).collect();
                all[*at].stratum = "its own".to_owned();
            }
            let first: Vec<EntityRef> = first.iter().map(|name| entity(name)).collect();
            order(&mut all, &first, "s", "m");
            let sizes: Vec<WaveSize> = sizes.iter().map(|n| size(&n.to_string(), &[WavePart::Count(*n)])).collect();
            fill(&sizes, &all, Earlier::default())
        };
        let place = |waves: &[Wave], n: usize| {
            let all = waves.iter().flat_map(|wave| &wave.members).position(|id| *id == format!("w{n:03}"));
            all.unwrap()
        };
        for chain in [[0, 1, 2], [2, 1, 0], [5, 0, 7], [7, 3, 4]] {
            let links: [(usize, &[usize]); 2] = [(chain[1], &chain[..1]), (chain[2], &chain[1..2])];
            for sizes in [&[1, 3, 8][..], &[8], &[2, 8]] {
                let filled = waves(&links, sizes, &[]);
                assert_eq!(filled.iter().map(|wave| wave.members.len()).sum::<usize>(), 8);
                assert!(place(&filled, chain[0]) < place(&filled, chain[1]), "{chain:?} {filled:?}");
                assert!(place(&filled, chain[1]) < place(&filled, chain[2]), "{chain:?} {filled:?}");
            }
            // Whoever is to go first takes along what it comes after.
            let filled = waves(&links, &[1, 3, 8], &[&format!("c{:03}", chain[2])]);
            assert_eq!(chain.map(|n| place(&filled, n)), [0, 1, 2], "{filled:?}");
        }
        // A circle has a beginning, and nobody is lost.
        let circle = waves(&[(1, &[2]), (2, &[1])], &[1, 8], &[]);
        assert_eq!(circle.iter().map(|wave| wave.members.len()).sum::<usize>(), 8);
    }

    #[test]
    fn sizes_are_cumulative_and_rounded_up() {
        let counts = |total| {
            let waves = fill(&issue_sizes(), &units(total), Earlier::default());
            waves.iter().map(|w| (w.number, w.members.len())).collect::<Vec<_>>()
        };
        assert_eq!(counts(0), []);
        assert_eq!(counts(1), [(1, 1)]);
        assert_eq!(counts(21), [(1, 1), (2, 1), (3, 19)]);
        assert_eq!(counts(100), [(1, 1), (2, 4), (3, 54), (4, 41)]);
        assert_eq!(counts(400), [(1, 1), (2, 19), (3, 80), (4, 300)]);
        assert_eq!(share(10.0, 30), 3);
        assert_eq!(share(7.0, 100), 7);
        assert_eq!(share(0.1, 1), 1);
    }

    #[test]
    fn the_order_leads_with_the_first_and_is_shuffled_by_the_seed() {
        let order_of = |seed: &str| {
            let mut units = units(40);
            order(&mut units, &[entity("c007"), entity("c003")], seed, "users-v2");
            units.into_iter().map(|u| u.workspace).collect::<Vec<_>>()
        };
        let one = order_of("a");
        assert_eq!(&one[..2], ["w007", "w003"]);
        assert_eq!(one, order_of("a"));
        assert_ne!(one, order_of("b"));
        let mut reversed = units(40);
        reversed.reverse();
        order(&mut reversed, &[entity("c007"), entity("c003")], "a", "users-v2");
        assert_eq!(one, reversed.into_iter().map(|u| u.workspace).collect::<Vec<_>>());
    }

    #[test]
    fn what_shares_a_workspace_travels_together() {
        let mut shared = units(4);
        shared[0].consumers = vec![entity("a"), entity("b"), entity("c")];
        let waves = fill(&issue_sizes(), &shared, Earlier::default());
        assert_eq!(waves[0].members, ["w000"]);
        // Three of six already are more than 5 % of them.
        assert_eq!(waves[1].number, 3);
    }

    #[test]
    fn planning_anew_goes_on_after_the_waves_that_stand() {
        let earlier = Earlier { waves: 2, consumers: 5 };
        let waves = fill(&issue_sizes(), &units(95), earlier);
        assert_eq!(waves.iter().map(|w| (w.number, w.members.len())).collect::<Vec<_>>(), [(3, 54), (4, 41)]);
        let earlier = Earlier { waves: 4, consumers: 90 };
        let waves = fill(&issue_sizes(), &units(10), earlier);
        assert_eq!((waves.len(), waves[0].number, waves[0].members.len()), (1, 5, 10));
    }

    #[test]
    fn a_wave_of_as_many_as_there_are_strata_sees_all_of_them() {
        use WavePart::{Count, Percent};
        let mut many = units(300);
        for (index, unit) in many.iter_mut().enumerate() {
            // Ten kinds, nine of them rare.
            unit.stratum = if index % 15 == 0 { format!("rare {}", index / 15 % 9) } else { "plain".to_owned() };
        }
        order(&mut many, &[entity("c001")], "a", "m");
        let strata: BTreeMap<&str, &str> =
            many.iter().map(|unit| (unit.workspace.as_str(), unit.stratum.as_str())).collect();
        let sizes =
            [size("1", &[Count(1)]), size("4", &[Count(4)]), size("14", &[Count(14)]), size("100%", &[Percent(100.0)])];
        let waves = fill(&sizes, &many, Earlier::default());
        let kinds = |wave: &Wave| wave.members.iter().map(|m| strata[m.as_str()]).collect::<BTreeSet<_>>();
        assert_eq!(waves[0].members, ["w001"], "who leads goes first, whatever it is");
        assert_eq!((waves[1].members.len(), kinds(&waves[1]).len()), (3, 3));
        assert_eq!((waves[2].members.len(), kinds(&waves[2]).len()), (10, 10), "the first with ten has all ten");
        let seen: BTreeSet<&str> = waves[..2].iter().flat_map(kinds).collect();
        assert_eq!(seen.len(), 4, "what nobody has seen comes first");
    }

    #[test]
    fn who_goes_last_goes_last() {
        let mut all = units(20);
        all[3].tail = true;
        all[4].lead = Some(0);
        order(&mut all, &[entity("c007")], "a", "m");
        let names: Vec<&str> = all.iter().map(|unit| unit.workspace.as_str()).collect();
        assert_eq!((&names[..2], names[19]), (&["w007", "w004"][..], "w003"));
        let waves = fill(&issue_sizes(), &all, Earlier::default());
        assert_eq!(waves.last().unwrap().members.last().unwrap(), "w003");
    }

    proptest! {
        #[test]
        fn every_unit_is_in_exactly_one_wave(
            sharing in prop::collection::vec(1_usize..4, 0..80),
            counts in prop::collection::vec(0_u64..70, 0..4),
        ) {
            let mut units = units(sharing.len());
            for (unit, extra) in units.iter_mut().zip(&sharing) {
                let name = unit.workspace.clone();
                unit.consumers = (0..*extra).map(|n| entity(&format!("{name}-{n}"))).collect();
            }
            let mut sizes: Vec<_> = counts.iter().map(|c| size("n", &[WavePart::Count(*c)])).collect();
            sizes.push(size("100%", &[WavePart::Percent(100.0)]));
            let waves = fill(&sizes, &units, Earlier::default());
            let members: Vec<_> = waves.iter().flat_map(|w| w.members.clone()).collect();
            let expected: Vec<_> = units.iter().map(|u| u.workspace.clone()).collect();
            prop_assert_eq!(members, expected);
            prop_assert!(waves.windows(2).all(|pair| pair[0].number < pair[1].number));
        }
    }
}
