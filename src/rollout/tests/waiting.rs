//! What a rollout waits for: time, people, other programs; on virtual time.

use std::time::Duration;

use super::*;
use crate::rollout::{About, approve, exclude, pause, resume, retry, tell};
use crate::state::{Wait, WaitFor};

const HOUR: i64 = 3600;

/// Three consumers in as many waves, all well, with these gates.
fn world(gates: &[Gate]) -> World {
    let mut world = World::new(Delivery::Patches, &changed(3), &[VerdictKind::Pass; 3]);
    world.migration.rollout.first = vec![entity("c0"), entity("c1"), entity("c2")];
    world.migration.rollout.gates = [&[Gate::Regressions { max: 0 }], gates].concat();
    let size = |count: u64| WaveSize { text: count.to_string(), parts: vec![WavePart::Count(count)] };
    world.migration.rollout.waves = vec![size(1), size(2), size(3)];
    world
}

fn bake(hours: u64) -> Gate {
    Gate::Bake { time: Duration::from_secs(hours * 3600) }
}

fn waits(ledger: &Ledger) -> (u32, Vec<(WaitFor, Option<i64>)>) {
    let RunEnd::Waiting { wave, waits, .. } = &ledger.end else { panic!("{:?}", ledger.end) };
    (*wave, waits.iter().map(|Wait { what, until, .. }| (*what, *until)).collect())
}

fn states(ledger: &Ledger) -> Vec<&str> {
    ledger.rows.iter().map(|row| row.state.as_str()).collect()
}

#[test]
fn a_wave_bakes_across_runs_and_nothing_is_done_meanwhile() {
    let world = world(&[bake(24)]);
    world.clock.advance(1000);
    let ledger = world.run().unwrap();
    assert_eq!(waits(&ledger), (1, vec![(WaitFor::Bake, Some(1001 + 24 * HOUR))]));
    assert_eq!(states(&ledger), ["baking", "transformed", "transformed", "discovered"]);
    let journal = world.store().journal().unwrap();
    world.clock.advance(24 * HOUR - 1);
    assert_eq!(world.run().unwrap(), ledger, "a second too early");
    assert_eq!(world.store().journal().unwrap(), journal, "waiting leaves no trace");
    world.clock.advance(1);
    let ledger = world.run().unwrap();
    assert_eq!(waits(&ledger), (2, vec![(WaitFor::Bake, Some(1001 + 48 * HOUR))]));
    assert_eq!(states(&ledger)[..2], ["healthy", "baking"]);
    for _ in 0..2 {
        world.clock.advance(24 * HOUR);
        world.run().unwrap();
    }
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    assert_eq!(*world.verified.borrow(), [0, 1, 2]);
}

#[test]
fn a_gate_that_fails_while_another_waits_is_heard_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let run = ["sh", "-c", "test ! -e bad || exit 1"].map(str::to_owned).to_vec();
    let place = folder.path().to_owned();
    let look = Gate::Command { run, fails: vec![1], timeout: Duration::from_secs(30), folder: place };
    let world = world(&[bake(24), look]);
    world.run().unwrap();
    world.clock.advance(HOUR);
    assert_eq!(waits(&world.run().unwrap()).0, 1);
    files::write_whole(&folder.path().join("bad"), b"", false).unwrap();
    let ledger = world.run().unwrap();
    assert!(matches!(&ledger.end, RunEnd::RolledBack { wave: 1, .. }), "{:?}", ledger.end);
    assert_eq!(states(&ledger)[0], "reverted");
}

#[test]
fn doubt_pauses_after_the_bake_and_ends_where_the_gate_can_tell() {
    let folder = tempfile::tempdir().unwrap();
    let run = ["sh", "-c", "test -e well || exit 7"].map(str::to_owned).to_vec();
    let place = folder.path().to_owned();
    let look = Gate::Command { run, fails: vec![1], timeout: Duration::from_secs(30), folder: place };
    let world = world(&[bake(1), look]);
    assert_eq!(waits(&world.run().unwrap()).0, 1);
    world.clock.advance(HOUR);
    let ledger = world.run().unwrap();
    assert!(
        matches!(&ledger.end, RunEnd::Paused { wave: 1, reason, by: None } if reason.contains("says nothing")),
        "{:?}",
        ledger.end
    );
    let journal = world.store().journal().unwrap();
    assert_eq!(world.run().unwrap(), ledger);
    assert_eq!(world.store().journal().unwrap(), journal);
    files::write_whole(&folder.path().join("well"), b"", false).unwrap();
    assert_eq!(waits(&world.run().unwrap()).0, 2);
}

#[test]
fn an_approval_is_about_exactly_what_was_seen() {
    let mut world = world(&[Gate::Approval]);
    let gates = &world.migration.rollout.gates.clone();
    assert_eq!(waits(&world.run().unwrap()), (1, vec![(WaitFor::Approval, None)]));
    let unasked = approve(&mut world.store(), &About::Wave(1), "", &[]).unwrap_err();
    assert!(unasked.to_string().contains("no gate of wave 1 asks"), "{unasked}");
    let too_early = approve(&mut world.store(), &About::Wave(2), "", gates).unwrap_err();
    assert!(matches!(too_early, RolloutError::Undecidable(_)), "{too_early}");
    approve(&mut world.store().by("ana"), &About::Wave(1), "read the diff", gates).unwrap();
    assert_eq!(waits(&world.run().unwrap()).0, 2);
    let journal = world.store().journal().unwrap();
    let approval = journal.iter().find(|line| line.entry.point == "approve").unwrap();
    assert_eq!((approval.actor.as_str(), approval.entry.detail.as_str()), ("ana", "read the diff"));
    // Wave 2 was approved, and then another consumer joined it.
    approve(&mut world.store(), &About::Wave(2), "", gates).unwrap();
    world.fleet.consumers.retain(|one| one.entity != entity("c1"));
    world.consume("c1", Source::Workspace(1));
    let mut store = world.store();
    let mut waves = store.waves().unwrap();
    let third = waves[2].members.pop().unwrap();
    waves[1].members.push(third.clone());
    let binding = store.binding().unwrap().unwrap();
    let (consumers, workspaces) = (store.consumers().unwrap(), store.workspaces::<WorkspacePlan>().unwrap());
    let workspaces: Vec<_> = workspaces
        .values()
        .map(|one| crate::state::WorkspaceRecord {
            place: one.place.clone(),
            pin: one.pin.clone(),
            plan: &one.plan,
            plan_digest: one.plan_digest,
        })
        .collect();
    store.bind(&binding, &consumers, &workspaces, &waves, &[]).unwrap();
    let given = store.decisions().unwrap().remove(&(crate::state::DecisionKind::Approve, "wave 2".to_owned())).unwrap();
    let is_covered = |store: &crate::state::Store| {
        let snapshot = crate::rollout::snapshot::Snapshot::read(store).unwrap();
        let now = crate::rollout::decisions::wave_digest(&snapshot, &snapshot.waves[1]);
        crate::rollout::decisions::covers(&given, &now)
    };
    assert!(is_covered(&store), "nothing of it is out");
    let out = store.delivery(&waves[1].members[0]).unwrap().unwrap();
    store.record_delivery(&third, &out, &crate::state::Entry::of("deliver", &*third, "")).unwrap();
    assert!(!is_covered(&store));
}

#[test]
fn what_comes_again_unchanged_is_approved_again() {
    let world = world(&[Gate::Approval]);
    let gates = &world.migration.rollout.gates.clone();
    world.run().unwrap();
    approve(&mut world.store(), &About::Wave(1), "", gates).unwrap();
    let first = world.fleet.consumers.iter().find(|one| one.source == Source::Workspace(0)).unwrap().entity.to_string();
    crate::rollout::roll_back(&mut world.store(), &Scope::Consumer(first.clone()), &Hooks::none()).unwrap();
    retry(&mut world.store(), &first).unwrap();
    assert_eq!(waits(&world.run().unwrap()), (1, vec![(WaitFor::Approval, None)]));
    approve(&mut world.store(), &About::Wave(1), "", gates).unwrap();
    assert_eq!(waits(&world.run().unwrap()).0, 2);
}

#[test]
fn a_pause_begins_nothing_and_still_takes_back() {
    let world = world(&[bake(1)]);
    world.run().unwrap();
    pause(&mut world.store().by("ana"), "the pager rings").unwrap();
    world.clock.advance(HOUR);
    let ledger = world.run().unwrap();
    let (reason, by) = ("paused by ana: the pager rings".to_owned(), Some("ana".to_owned()));
    assert_eq!(ledger.end, RunEnd::Paused { wave: 2, reason, by });
    assert!(matches!(ledger.waves[0].state, WaveState::Passed(_)), "what is open is judged on");
    assert_eq!(*world.verified.borrow(), [0], "nothing new is begun");
    let mut store = world.store();
    crate::rollout::roll_back(&mut store, &Scope::Wave(1), &Hooks::none()).unwrap();
    drop(store);
    resume(&mut world.store(), "").unwrap();
    let again = resume(&mut world.store(), "").unwrap_err();
    assert!(matches!(again, RolloutError::Undecidable(_)));
}

#[test]
fn what_waits_for_approval_goes_out_once_it_has_it() {
    let mut world = World::new(Delivery::Checkout, &changed(2), &[VerdictKind::Pass; 2]);
    world.plan.workspaces[0].result = Transformed::Annotated("left".to_owned());
    world.migration.policy.annotated = Disposition::Approve;
    world.migration.rollout.first = vec![entity("c0"), entity("c1")];
    let ledger = world.run().unwrap();
    assert_eq!((ledger.rows[0].outcome, states(&ledger)[0]), (Outcome::Pending, "quarantined"));
    assert_eq!(std::fs::read_to_string(world.root(0).join("q.sql")).unwrap(), OLD);
    let name = ledger.rows[0].entity.clone();
    let wrong = About::Consumer(ledger.rows[1].entity.clone());
    assert!(matches!(approve(&mut world.store(), &wrong, "", &[]), Err(RolloutError::Undecidable(_))));
    approve(&mut world.store().by("ana"), &About::Consumer(name), "", &[]).unwrap();
    let ledger = world.run().unwrap();
    assert_eq!((ledger.rows[0].outcome, states(&ledger)[0]), (Outcome::Annotated, "healthy"));
    assert_eq!(std::fs::read_to_string(world.root(0).join("q.sql")).unwrap(), NEW);
    assert!(world.migration.state.join("change-sets/wave-1/c0").is_dir());
    assert!(!world.migration.state.join("change-sets/held/c0").exists());
}

#[test]
fn whom_a_person_excludes_is_left_alone_until_tried_again() {
    let world = world(&[]);
    world.run_as(false, &BTreeSet::from([entity("c0")])).unwrap();
    let names: Vec<String> = (0..3).map(|n| format!("component:default/c{n}")).collect();
    let out = exclude(&mut world.store(), &names[0], "no").unwrap_err();
    assert!(out.to_string().contains("rollback --consumer"), "{out}");
    exclude(&mut world.store().by("ana"), &names[1], "frozen for the audit").unwrap();
    let ledger = world.run().unwrap();
    assert_eq!(*world.verified.borrow(), [0, 2], "it is not even verified");
    assert_eq!(ledger.rows[1].outcome, Outcome::Refused);
    assert_eq!(ledger.rows[1].reason, "excluded by ana: frozen for the audit");
    // Its wave held nobody else.
    assert!(
        matches!(&ledger.end, RunEnd::Paused { wave: 2, .. }) || ledger.end == RunEnd::Complete,
        "{:?}",
        ledger.end
    );
    retry(&mut world.store(), &names[1]).unwrap();
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    assert_eq!(world.verified.borrow().iter().filter(|index| **index == 1).count(), 1);
}

#[test]
fn a_listener_hears_of_everything_once_and_later_where_it_failed() {
    let world = world(&[Gate::Approval]);
    world.run().unwrap();
    let log = world.top.join("heard");
    let script = format!("cat >> {0}; echo >> {0}", log.display());
    let listener = ["sh", "-c", &script].map(str::to_owned).to_vec();
    let failing = ["sh", "-c", "exit 1"].map(str::to_owned).to_vec();
    let mut store = world.store();
    let (count, ended) = tell(&mut store, "users-v2", (&failing, None)).unwrap();
    assert!(count == 0 && ended.is_err());
    let heard = |store: &mut Store| tell(store, "users-v2", (&listener, None)).unwrap().0;
    assert_eq!(heard(&mut store), 1);
    assert_eq!(heard(&mut store), 0, "once");
    drop(store);
    pause(&mut world.store(), "lunch").unwrap();
    crate::rollout::roll_back(&mut world.store(), &Scope::All, &Hooks::none()).unwrap();
    assert_eq!(heard(&mut world.store()), 3);
    let lines = std::fs::read_to_string(&log).unwrap();
    let kinds: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["approval-asked", "paused", "failed", "rolled-back"]);
    let (count, _) = tell(&mut world.store(), "users-v2", (&failing, None)).unwrap();
    assert_eq!(count, 0, "the one that failed still has all of it before it");
}

#[test]
fn what_a_person_has_heard_is_not_said_again_as_other_waits_move() {
    let world = world(&[]);
    world.run().unwrap();
    let (mut store, listener) = (world.store(), ["true".to_owned()]);
    tell(&mut store, "users-v2", (&listener, None)).unwrap().1.unwrap();
    let wait = |what, why: &str| Wait { what, until: None, why: why.to_owned(), maker: None };
    let person = || wait(WaitFor::Person, "1 could not be delivered");
    let pace = |count: u32| wait(WaitFor::Pace, &format!("{count} went out within the hour"));
    for (waits, heard) in [
        (vec![person(), pace(1)], 1),
        (vec![person(), pace(2)], 0),
        (vec![wait(WaitFor::Person, "2 could not be delivered"), pace(2)], 1),
        (vec![pace(2)], 0),
        (vec![person(), pace(2)], 1),
    ] {
        let wave = store.waves().unwrap().remove(0);
        crate::rollout::judge::note_waits(&mut store, &wave, &waits).unwrap();
        assert_eq!(tell(&mut store, "users-v2", (&listener, None)).unwrap(), (heard, Ok(())), "{waits:?}");
    }
}

#[test]
fn change_sets_go_out_at_their_pace() {
    let mut world = World::new(Delivery::Patches, &changed(5), &[VerdictKind::Pass; 5]);
    world.migration.rollout.waves.drain(..2);
    world.migration.rollout.calendar.per_hour = Some(2);
    let ledger = world.run().unwrap();
    assert_eq!(waits(&ledger), (1, vec![(WaitFor::Pace, Some(1 + HOUR))]));
    assert_eq!(count(&ledger, Outcome::Changed), 2);
    assert_eq!(world.verified.borrow().len(), 5, "all are verified meanwhile");
    let journal = world.store().journal().unwrap();
    assert_eq!(world.run().unwrap(), ledger);
    assert_eq!(world.store().journal().unwrap(), journal, "waiting leaves no trace");
    world.clock.advance(HOUR);
    assert_eq!(count(&world.run().unwrap(), Outcome::Changed), 4);
    world.clock.advance(HOUR);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    let mut open = World::new(Delivery::Branch, &changed(3), &[VerdictKind::Pass; 3]);
    open.migration.rollout.waves.drain(..2);
    open.migration.rollout.calendar.max_open = Some(2);
    let ledger = open.run().unwrap();
    assert_eq!((waits(&ledger).1, count(&ledger, Outcome::Changed)), (vec![(WaitFor::Pace, None)], 2));
}

#[test]
fn what_is_taken_in_opens_only_what_it_is_about() {
    type Change = fn(&mut crate::config::Migration);
    let digest = || Digest::of(b"another one");
    let rows: [(&str, Change, bool); 4] = [
        ("the pace", |migration| migration.rollout.calendar.per_hour = Some(2), true),
        ("the policy", |migration| migration.delivery_digest = Digest::of(b"hold"), true),
        ("the gates", |migration| migration.gates_digest = Digest::of(b"more"), false),
        ("verification", |migration| migration.verify_digest = Digest::of(b"more"), false),
    ];
    for (what, change, stays) in rows {
        let mut world = world(&[bake(24)]);
        world.migration.rollout.waves.remove(1);
        world.migration.rollout.calendar.per_hour = Some(1);
        for _ in 0..2 {
            world.run().unwrap();
            world.clock.advance(24 * HOUR);
        }
        // The first wave has passed, one of the second is out, and then both are.
        let before = world.run().unwrap();
        assert_eq!(states(&before)[..3], ["healthy", "baking", "baking"], "{what}");
        world.clock.advance(HOUR);
        (world.migration.digest, world.migration.rollout.calendar.per_hour) = (digest(), Some(1));
        change(&mut world.migration);
        let only = BTreeSet::new();
        let request = Request { replan: true, ..world.request(false, &only, &|_| {}) };
        let after = crate::rollout::run(&mut world.store(), &request).unwrap();
        if stays {
            assert_eq!((&after.end, &after.waves), (&before.end, &before.waves), "{what}");
        } else {
            assert_eq!(waits(&after), (1, vec![(WaitFor::Bake, Some(world.clock.now() + 24 * HOUR))]), "{what}");
            let said = if what == "verification" { "to be verified: wave 1 comes first" } else { "Pass" };
            assert!(after.rows[1].reason.contains(said), "{what}: {}", after.rows[1].reason);
        }
    }
}

#[test]
fn who_waits_for_an_earlier_wave_is_told_so() {
    let mut world = world(&[bake(24)]);
    world.migration.rollout.waves.remove(1);
    world.migration.rollout.calendar.per_hour = Some(1);
    world.run().unwrap();
    world.clock.advance(24 * HOUR);
    world.run().unwrap();
    (world.migration.digest, world.migration.gates_digest) = (Digest::of(b"m2"), Digest::of(b"g2"));
    let only = BTreeSet::new();
    let request = Request { replan: true, ..world.request(false, &only, &|_| {}) };
    let ledger = crate::rollout::run(&mut world.store(), &request).unwrap();
    let comes_first = "verified, and not out yet: wave 1 comes first, and has not passed yet: it bakes for 24 h";
    assert_eq!(ledger.rows[2].reason, comes_first);
}
