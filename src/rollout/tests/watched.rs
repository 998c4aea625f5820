//! What is out is watched, whatever else holds.

use super::on_call::{back, bake, in_single_file, look_out};
use super::*;
use crate::rollout::pause;

#[test]
fn what_is_out_after_a_wave_that_was_taken_back_is_watched_on() {
    let mut world = in_single_file(Delivery::Patches, &[VerdictKind::Pass; 3], &[bake()]);
    world.migration.rollout.gates.push(look_out(&world));
    world.run().unwrap();
    world.clock.advance(3600);
    assert!(matches!(world.run().unwrap().end, RunEnd::Waiting { wave: 2, .. }));
    back(&world, Scope::Wave(1)).unwrap();
    let store = Store::read(&world.migration.state).unwrap();
    let (asked, ..) = crate::rollout::dry_run(&store, &world.migration).unwrap().unwrap();
    assert_eq!(asked, 2, "the one that is taken back is not asked about");
    world.run().unwrap();
    files::write_whole(&world.top.join("bad"), b"", false).unwrap();
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.waves[1].state, WaveState::RolledBack(_)), "{:?}", ledger.waves);
    assert_eq!(ledger.rows[1].outcome, Outcome::RolledBack);
    assert_eq!(*world.verified.borrow(), [0, 1], "the third one was never opened");
}

#[test]
fn what_is_out_is_watched_while_the_rest_of_its_wave_waits() {
    let mut world = in_single_file(Delivery::Patches, &[VerdictKind::Pass; 2], &[]);
    world.migration.rollout.waves.remove(0);
    world.migration.rollout.calendar.per_hour = Some(1);
    world.migration.rollout.gates.push(look_out(&world));
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Changed);
    let waits = "verified, and not out yet: 1 went out within the hour, at most 1 may";
    assert_eq!((ledger.rows[1].outcome, ledger.rows[1].reason.as_str()), (Outcome::Pending, waits));
    files::write_whole(&world.top.join("bad"), b"", false).unwrap();
    assert!(matches!(world.run().unwrap().end, RunEnd::RolledBack { wave: 1, .. }));
    assert_eq!(world.run().unwrap().rows[1].reason, "its wave was rolled back before it went out");
}

#[test]
fn what_is_out_is_watched_between_two_waves() {
    for (paused, on_failed_gate) in [
        (false, OnFailedGate::RollbackWave),
        (false, OnFailedGate::RollbackAll),
        (true, OnFailedGate::RollbackAll),
        (true, OnFailedGate::Stop),
    ] {
        let mut world = in_single_file(Delivery::Patches, &[VerdictKind::Pass; 2], &[]);
        world.migration.rollout.gates.push(look_out(&world));
        world.migration.rollout.on_failed_gate = on_failed_gate;
        let bakes = [world.migration.rollout.gates.clone(), vec![bake()]].concat();
        let gates = std::mem::replace(&mut world.migration.rollout.gates, bakes);
        world.run().unwrap();
        world.clock.advance(3600);
        if paused {
            pause(&mut world.store(), "lunch").unwrap();
        }
        world.migration.rollout.calendar.max_open = Some(0);
        world.migration.rollout.gates = gates;
        let ledger = world.run().unwrap();
        assert!(matches!(ledger.waves[0].state, WaveState::Passed(_)), "{:?}", ledger.waves);
        assert_eq!(ledger.waves[1].state == WaveState::Planned, paused);
        files::write_whole(&world.top.join("bad"), b"", false).unwrap();
        world.migration.rollout.calendar.max_open = None;
        let store = Store::read(&world.migration.state).unwrap();
        let dry = crate::rollout::dry_run(&store, &world.migration).unwrap().unwrap();
        assert!(matches!(dry, (1, _, Judgement::Failed(_))), "{dry:?}");
        drop(store);
        let ledger = world.run().unwrap();
        let stops = on_failed_gate == OnFailedGate::Stop;
        assert_eq!(ledger.rows[0].outcome == Outcome::RolledBack, !stops, "{:?}", ledger.rows[0]);
        assert_eq!(matches!(ledger.waves[0].state, WaveState::Failed(_)), stops, "{:?}", ledger.waves);
        assert_eq!(ledger.rows[1].outcome, Outcome::Pending, "{:?}", ledger.rows[1]);
        let history = world.store().journal_of(ledger.rows[1].workspace.as_ref().unwrap()).unwrap();
        assert!(history.iter().all(|line| !line.entry.point.starts_with("deliver")), "nothing new goes out");
    }
}
