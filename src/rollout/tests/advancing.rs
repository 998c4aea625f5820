//! Waves are opened, judged and closed; second runs and changed plans.

use super::*;
use crate::verify::VerdictKind;

#[test]
fn every_consumer_has_its_outcome_and_a_second_run_does_nothing() {
    let results = [
        Transformed::Changed,
        Transformed::Unchanged,
        Transformed::Annotated("one use is left".to_owned()),
        Transformed::Refused("overlap".to_owned()),
        Transformed::Errored("cannot read".to_owned()),
        Transformed::Changed,
        Transformed::Changed,
    ];
    use VerdictKind as V;
    let verdicts = [V::Pass, V::Pass, V::Pass, V::Pass, V::Pass, V::NoData, V::Infra];
    let mut world = World::new(Delivery::Patches, &results, &verdicts);
    world.migration.rollout.first = vec![entity("c0"), entity("c2")];
    let before = world.bytes();
    let ledger = world.run().unwrap();
    use Outcome as O;
    let expected = [
        ("c0", O::Changed),
        ("c1", O::Unchanged),
        ("c2", O::Annotated),
        ("c3", O::Refused),
        ("c4", O::Errored),
        ("c5", O::Unverified),
        ("c6", O::Errored),
        ("zz-lost", O::Unresolved),
    ];
    assert_eq!(outcomes(&ledger), expected);
    // The last wave holds nothing but silence, which is no success.
    assert!(matches!(ledger.end, RunEnd::Paused { wave: 3, .. }), "{:?}", ledger.end);
    assert_eq!(world.bytes(), before, "patches touch no consumer");
    let verified = world.verified.borrow().len();
    let journal = world.store().journal().unwrap();
    assert_eq!(world.run().unwrap(), ledger);
    assert_eq!(world.verified.borrow().len(), verified, "no work twice");
    assert_eq!(world.store().journal().unwrap(), journal);
    assert!(world.migration.state.join("change-sets/wave-1/c0/change.patch").is_file());
}

#[test]
fn a_wave_of_silence_pauses_and_a_retry_opens_it_again() {
    use VerdictKind as V;
    let mut world = World::new(Delivery::Patches, &changed(4), &[V::Pass, V::NoData, V::Infra, V::Pass]);
    world.migration.rollout.first = vec![entity("c1"), entity("c0"), entity("c2"), entity("c3")];
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::Paused { wave: 1, .. }), "{:?}", ledger.end);
    assert_eq!(count(&ledger, Outcome::Unverified), 1);
    assert_eq!(count(&ledger, Outcome::Pending), 3);
    assert_eq!(*world.verified.borrow(), [1]);
    assert_eq!(world.run().unwrap(), ledger);
    assert_eq!(*world.verified.borrow(), [1]);
    // Somebody installs the missing program and has the wave tried again.
    world.verdicts.insert(1, V::Pass);
    let ledger = world.run_as(true, &BTreeSet::new()).unwrap();
    assert_eq!(*world.verified.borrow(), [1, 1, 0, 2, 3]);
    assert_eq!(ledger.end, RunEnd::Complete);
    assert_eq!(count(&ledger, Outcome::Changed), 3);
    assert_eq!(count(&ledger, Outcome::Errored), 1);
}

#[test]
fn a_changed_plan_is_never_mixed_in_silently() {
    use VerdictKind as V;
    let mut world = World::new(Delivery::Patches, &changed(3), &[V::Pass, V::NoData, V::Pass]);
    world.migration.rollout.first = vec![entity("c0"), entity("c1"), entity("c2")];
    let size = |count: u64| WaveSize { text: count.to_string(), parts: vec![WavePart::Count(count)] };
    world.migration.rollout.waves = vec![size(1), size(2), size(3)];
    assert!(matches!(world.run().unwrap().end, RunEnd::Paused { wave: 2, .. }));
    // A later gander may name the way to verify otherwise: nobody changed anything.
    let named = std::mem::replace(&mut world.migration.verify_digest, Digest::of(b"later"));
    assert!(matches!(world.run().unwrap().end, RunEnd::Paused { wave: 2, .. }));
    assert_eq!(*world.verified.borrow(), [0, 1]);
    world.migration.verify_digest = named;
    // The rule is mended: the second consumer is left alone now.
    world.plan.workspaces[1].result = Transformed::Unchanged;
    world.plan.workspaces[1].files.clear();
    world.migration.digest = Digest::of(b"mended");
    let error = world.run().unwrap_err().to_string();
    assert!(error.contains("a rule") && error.contains("--replan"), "{error}");
    let ledger = world.run_as(true, &BTreeSet::new()).unwrap();
    assert_eq!(ledger.end, RunEnd::Complete);
    assert_eq!(count(&ledger, Outcome::Changed), 2);
    assert_eq!(count(&ledger, Outcome::Unchanged), 1);
    assert_eq!(*world.verified.borrow(), [0, 1, 2], "the delivered one is not verified again");
    // Nobody has taken the first one yet: another change takes its place, and is verified.
    world.plan.workspaces[0].files.truncate(1);
    let ledger = world.run_as(true, &BTreeSet::new()).unwrap();
    assert_eq!((ledger.end, *world.verified.borrow().last().unwrap()), (RunEnd::Complete, 0));
    let folder = world.migration.state.join("change-sets/wave-1/c0/change.patch");
    assert!(!std::fs::read_to_string(folder).unwrap().contains("users_v2"), "the folder holds the new one");
    crate::rollout::roll_back(&mut world.store(), &Scope::All, &Hooks::none()).unwrap();
    assert!(matches!(world.run_as(true, &BTreeSet::new()).unwrap().end, RunEnd::RolledBack { .. }), "it stays so");
    world.migration.digest = Digest::of(b"mended again");
    let ledger = world.run_as(true, &BTreeSet::new()).unwrap();
    assert!(matches!(ledger.end, RunEnd::RolledBack { .. }), "also where something else changed: {:?}", ledger.end);
    assert_eq!(count(&ledger, Outcome::RolledBack), 2, "{:?}", ledger.rows);
    crate::rollout::retry_wave(&mut world.store(), 1).unwrap();
    let ledger = world.run().unwrap();
    assert_eq!(ledger.end, RunEnd::Complete, "{:?}", ledger.rows);
    world.migration.id = "other".to_owned();
    assert!(matches!(world.run(), Err(RolloutError::OtherMigration { .. })));
}

#[test]
fn what_lies_in_place_is_taken_back_before_other_rules_change_it() {
    let mut world = World::new(Delivery::Checkout, &changed(2), &[VerdictKind::Pass; 2]);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    world.plan.workspaces[0].files.truncate(1);
    world.migration.digest = Digest::of(b"mended");
    let error = world.run_as(true, &BTreeSet::new()).unwrap_err();
    assert!(matches!(error, RolloutError::Delivered { .. }), "{error}");
}

#[test]
fn consumers_of_one_workspace_share_its_fate_and_count_each() {
    use VerdictKind as V;
    let mut world = World::new(Delivery::Patches, &changed(2), &[V::Regressed, V::Pass]);
    world.consume("b-second", Source::Workspace(0));
    world.fleet.consumers.sort_by(|a, b| a.entity.cmp(&b.entity));
    world.migration.rollout.waves.drain(..2);
    world.migration.rollout.gates = vec![Gate::Regressions { max: 1 }];
    let ledger = world.run().unwrap();
    assert_eq!(ledger.waves[0].counts.regressed, 2);
    assert_eq!(count(&ledger, Outcome::Regressed), 2);
    assert!(matches!(ledger.end, RunEnd::RolledBack { wave: 1, .. }));
    assert_eq!(*world.verified.borrow(), [0, 1]);
    assert!(world.migration.state.join("change-sets/held/b-second").is_dir());
}

#[test]
fn only_some_consumers_can_be_advanced() {
    let mut world = World::new(Delivery::Patches, &changed(4), &[VerdictKind::Pass; 4]);
    world.migration.rollout.first = vec![entity("c0")];
    let ledger = world.run_as(false, &BTreeSet::from([entity("c3")])).unwrap();
    assert_eq!(*world.verified.borrow(), [3]);
    assert_eq!(count(&ledger, Outcome::Pending), 4, "wave 1 comes before it");
    assert!(matches!(&ledger.end, RunEnd::Waiting { reason, .. } if reason.contains("wave 1 comes first")));
    let ledger = world.run_as(false, &BTreeSet::from([entity("c0")])).unwrap();
    assert_eq!(count(&ledger, Outcome::Changed), 1);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    assert_eq!(world.verified.borrow().len(), 4);
}

#[test]
fn a_verdict_that_was_not_given_keeps_the_wave_open() {
    let mut world = World::new(Delivery::Patches, &changed(2), &[VerdictKind::Pass]);
    world.migration.rollout.waves.remove(0);
    world.migration.rollout.waves.remove(0);
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::Waiting { wave: 1, .. }));
    assert_eq!(count(&ledger, Outcome::Pending), 1);
    world.verdicts.insert(1, VerdictKind::Pass);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    assert_eq!(*world.verified.borrow(), [0, 1, 1]);
}

#[test]
fn pinned_bytes_that_changed_are_noticed() {
    let mut world = World::new(Delivery::Patches, &changed(1), &[VerdictKind::Pass]);
    world.pinned.insert((0, "q.sql".to_owned()), b"other".to_vec());
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Errored);
    assert!(matches!(ledger.end, RunEnd::Paused { wave: 1, .. }), "{:?}", ledger.end);
    world.pinned.insert((0, "q.sql".to_owned()), OLD.as_bytes().to_vec());
    assert_eq!(world.run_as(true, &BTreeSet::new()).unwrap().end, RunEnd::Complete);
}

#[test]
fn a_small_wave_sees_every_build_tool() {
    let mut world = World::new(Delivery::Patches, &changed(12), &[VerdictKind::Pass; 12]);
    let size = |count: u64| WaveSize { text: count.to_string(), parts: vec![WavePart::Count(count)] };
    world.migration.rollout.waves = vec![size(3), size(12)];
    for (index, tool) in [(4, "npm"), (9, "maven")] {
        world.fleet.tools.insert(format!("apps/c{index}"), [tool.to_owned()].into());
    }
    let waves = crate::rollout::explain("users-v2", &world.migration.rollout, (&world.fleet, &world.plan), &[]);
    let kinds: Vec<&str> = waves[0].strata.keys().map(String::as_str).collect();
    let endings = ["", "with maven", "with npm"];
    assert!(kinds.len() == 3 && kinds.iter().zip(endings).all(|(kind, end)| kind.ends_with(end)), "{kinds:?}");
}
