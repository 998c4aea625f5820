//! What the person on call may do in bad hours, and what follows from it.

use super::*;
use crate::rollout::{BY_HAND, exclude, pause, retry, retry_wave, roll_back};

fn name(index: usize) -> String {
    format!("component:default/c{index}")
}

fn exclude_one(world: &World, index: usize) {
    exclude(&mut world.store().by("ana"), &name(index), "audit").unwrap();
}

pub(super) fn back(world: &World, scope: Scope) -> Result<Ledger, RolloutError> {
    roll_back(&mut world.store(), &scope, &Hooks::none())
}

/// One consumer a wave, in order; `gates` beside the one that allows no regression.
pub(super) fn in_single_file(how: Delivery, verdicts: &[VerdictKind], gates: &[Gate]) -> World {
    let mut world = World::new(how, &changed(verdicts.len()), verdicts);
    let all = 0..verdicts.len();
    world.migration.rollout.first = all.clone().map(|index| entity(&format!("c{index}"))).collect();
    world.migration.rollout.gates = [&[Gate::Regressions { max: 0 }], gates].concat();
    let size = |index: usize| {
        let count = index as u64 + 1;
        WaveSize { text: count.to_string(), parts: vec![WavePart::Count(count)] }
    };
    world.migration.rollout.waves = all.map(size).collect();
    world
}

/// A program that fails once the file `bad` lies beside the migration.
pub(super) fn look_out(world: &World) -> Gate {
    let run = ["sh", "-c", "test ! -e bad || exit 1"].map(str::to_owned).to_vec();
    Gate::Command { run, fails: vec![1], timeout: std::time::Duration::from_secs(30), folder: world.top.clone() }
}

pub(super) fn bake() -> Gate {
    Gate::Bake { time: std::time::Duration::from_secs(3600) }
}

#[test]
fn a_wave_of_which_nothing_is_out_does_not_pass_and_others_take_the_place_of_the_excluded() {
    let world = in_single_file(Delivery::Checkout, &[VerdictKind::Pass; 4], &[]);
    files::write_whole(&world.root(0).join("q.sql"), b"theirs", false).unwrap();
    let ledger = world.run().unwrap();
    let RunEnd::Paused { wave: 1, reason, .. } = &ledger.end else { panic!("{:?}", ledger.end) };
    assert!(reason.contains("nothing of it is out: 1 × refused"), "{reason}");
    assert_eq!(*world.verified.borrow(), [0], "the next wave stays closed");
    // Without it there would be no first wave: the next one comes into its place.
    exclude_one(&world, 0);
    exclude_one(&world, 1);
    let ledger = world.run().unwrap();
    let members: Vec<_> = ledger.waves.iter().map(|wave| (wave.number, wave.members.clone())).collect();
    assert_eq!(members, [(1, vec![name(0), name(2)]), (2, vec![name(1), name(3)])]);
    assert_eq!(ledger.end, RunEnd::Complete);
    assert_eq!(ledger.rows[1].reason, "excluded by ana: audit");
    let journal = world.store().journal().unwrap();
    assert!(journal.iter().any(|line| line.entry.point == "wave.fill" && line.entry.detail.contains("apps/c2")));
}

#[test]
fn who_is_excluded_before_its_wave_is_shown_so() {
    let world = in_single_file(Delivery::Patches, &[VerdictKind::Pass; 2], &[bake()]);
    world.run().unwrap();
    for _ in 0..2 {
        exclude_one(&world, 1);
    }
    let ledger = ledger(&world.store()).unwrap();
    assert_eq!((ledger.rows[1].outcome, ledger.rows[1].reason.as_str()), (Outcome::Refused, "excluded by ana: audit"));
    let journal = world.store().journal().unwrap();
    assert_eq!(journal.iter().filter(|line| line.entry.point == "exclude").count(), 1, "said once");
}

#[test]
fn what_is_taken_back_by_hand_is_no_evidence() {
    let world = in_single_file(Delivery::Patches, &[VerdictKind::Pass; 3], &[bake()]);
    world.run().unwrap();
    let ledger = back(&world, Scope::Consumer(name(0))).unwrap();
    assert_eq!(ledger.rows[0].reason, "taken back by hand");
    world.clock.advance(3600);
    let ledger = world.run().unwrap();
    let RunEnd::Paused { wave: 1, reason, .. } = &ledger.end else { panic!("{:?}", ledger.end) };
    assert!(reason.starts_with("nothing of it is out: 1 × taken back by hand;"), "{reason}");
    assert_eq!(*world.verified.borrow(), [0]);
    retry(&mut world.store(), &name(0)).unwrap();
    world.run().unwrap();
    world.clock.advance(3600);
    assert!(matches!(world.run().unwrap().end, RunEnd::Waiting { wave: 2, .. }));
}

#[test]
fn what_is_not_out_is_not_taken_back_and_what_is_back_keeps_its_reason() {
    use VerdictKind as V;
    let world = in_single_file(Delivery::Patches, &[V::Pass, V::Regressed, V::Pass], &[]);
    world.run().unwrap();
    let not_out = |scope: Scope| match back(&world, scope) {
        Err(RolloutError::Undecidable(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(not_out(Scope::Wave(3)).contains("was not opened"));
    assert!(not_out(Scope::Consumer(name(2))).contains("nothing of component:default/c2 is out"));
    assert!(matches!(back(&world, Scope::Wave(9)), Err(RolloutError::NoSuch { .. })));
    let journal = world.store().journal().unwrap();
    let ledger = back(&world, Scope::Wave(2)).unwrap();
    assert!(matches!(&ledger.waves[1].state, WaveState::RolledBack(why) if why.starts_with("1 of 1 regressed")));
    assert_eq!(world.store().journal().unwrap(), journal, "what is back already leaves no trace");
    back(&world, Scope::All).unwrap();
    let ledger = back(&world, Scope::All).unwrap();
    assert!(matches!(&ledger.waves[0].state, WaveState::RolledBack(why) if why == "rolled back by hand"));
    assert!(matches!(ledger.waves[2].state, WaveState::Planned));
}

#[test]
fn a_row_that_is_back_is_not_changed_by_what_gander_put_back() {
    let mut world = in_single_file(Delivery::Checkout, &[VerdictKind::Pass], &[]);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    run_git(&world.top, &["add", "-A"]);
    run_git(&world.top, &["commit", "-q", "-m", "taken"]);
    let ledger = back(&world, Scope::All).unwrap();
    assert_eq!(std::fs::read_to_string(world.root(0).join("q.sql")).unwrap(), OLD);
    let mut fleet = world.fleet.clone();
    let dirty = ["gone.sh", "new/made.sh", "q.sql"].map(str::to_owned).to_vec();
    fleet.workspaces[0].git.as_mut().unwrap().dirty = dirty;
    crate::rollout::settle(&world.store(), &world.migration, &mut fleet).unwrap();
    assert_eq!(fleet.workspaces[0].git.as_ref().unwrap().dirty, [""; 0], "its own writes");
    // The commit wants no change any more.
    world.plan.workspaces[0].result = Transformed::Unchanged;
    world.plan.workspaces[0].files.clear();
    assert_eq!(world.run().unwrap().rows[0].reason, ledger.rows[0].reason);
}

/// The first wave passed, the second one was taken back as `c1` regressed.
fn one_that_regressed() -> World {
    use VerdictKind as V;
    let world = in_single_file(Delivery::Patches, &[V::Pass, V::Regressed, V::Pass], &[]);
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::RolledBack { wave: 2, .. }));
    assert!(matches!(replan(&world).end, RunEnd::RolledBack { wave: 2, .. }), "nothing changed");
    world
}

fn replan(world: &World) -> Ledger {
    let only = BTreeSet::new();
    let request = Request { replan: true, ..world.request(false, &only, &|_| {}) };
    crate::rollout::run(&mut world.store(), &request).unwrap()
}

fn undecidable<T: std::fmt::Debug>(done: Result<T, RolloutError>) -> String {
    match done {
        Err(RolloutError::Undecidable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn excluding_who_broke_a_wave_lets_it_go_on_without_it() {
    for by_replan in [true, false] {
        let world = one_that_regressed();
        assert_eq!(exclude(&mut world.store(), &name(1), "later").unwrap(), Some(2), "its wave is told");
        assert!(matches!(world.run().unwrap().end, RunEnd::RolledBack { wave: 2, .. }), "not by itself");
        let ledger = match by_replan {
            true => replan(&world),
            false => {
                assert_eq!(retry_wave(&mut world.store(), 2).unwrap(), [2]);
                world.run().unwrap()
            }
        };
        assert_eq!(ledger.end, RunEnd::Complete, "{:?}", ledger.waves);
        let outcomes: Vec<Outcome> = ledger.rows[..3].iter().map(|row| row.outcome).collect();
        assert_eq!(outcomes, [Outcome::Changed, Outcome::Refused, Outcome::Changed]);
        assert_eq!(*world.verified.borrow(), [0, 1, 2], "what passed is not verified again");
    }
}

#[test]
fn a_consumer_that_mends_its_code_lets_its_wave_go_on() {
    for by_replan in [true, false] {
        let mut world = one_that_regressed();
        let alone = undecidable(retry(&mut world.store(), &name(1)));
        assert!(alone.contains("nobody goes out alone") && alone.contains("gander retry --wave 2"), "{alone}");
        world.plan.workspaces[1].pin = Some(Pin::Content { digest: Digest::of(b"mended"), dirty: false });
        world.verdicts.insert(1, VerdictKind::Pass);
        if !by_replan {
            assert!(matches!(world.run().unwrap().end, RunEnd::RolledBack { wave: 2, .. }), "not by itself");
            retry_wave(&mut world.store(), 2).unwrap();
        }
        let ledger = if by_replan { replan(&world) } else { world.run().unwrap() };
        assert_eq!((ledger.end.clone(), count(&ledger, Outcome::Changed)), (RunEnd::Complete, 3), "{:?}", ledger.rows);
        let journal = world.store().journal().unwrap();
        let line = journal.iter().find(|line| line.entry.point == "wave.again").unwrap();
        let why = if by_replan { "apps/c1 has other code" } else { "a person has it tried again" };
        assert_eq!((line.entry.detail.as_str(), line.entry.to.as_deref()), (why, Some("planned")));
    }
}

#[test]
fn what_a_person_took_back_a_person_opens_again_one_wave_after_the_other() {
    let world = in_single_file(Delivery::Checkout, &[VerdictKind::Pass; 3], &[bake()]);
    for _ in 0..3 {
        world.run().unwrap();
        world.clock.advance(3600);
    }
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    back(&world, Scope::All).unwrap();
    assert!(matches!(replan(&world).end, RunEnd::RolledBack { .. }), "a false alarm is a person's to call");
    let first = undecidable(retry_wave(&mut world.store(), 2));
    assert!(first.contains("wave 1 comes before it"), "{first}");
    assert_eq!(retry_wave(&mut world.store(), 1).unwrap(), [1, 2, 3]);
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::Waiting { wave: 1, .. }), "{:?}", ledger.end);
    let words: Vec<Outcome> = ledger.rows[..3].iter().map(|row| row.outcome).collect();
    assert_eq!(words, [Outcome::Changed, Outcome::Pending, Outcome::Pending]);
    for _ in 0..3 {
        world.clock.advance(3600);
        world.run().unwrap();
    }
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    assert_eq!(world.verified.borrow().len(), 3);
    assert!(undecidable(retry_wave(&mut world.store(), 1)).contains("nothing of wave 1 failed"));
}

#[test]
fn a_failed_wave_is_judged_again_without_whom_it_broke() {
    use VerdictKind as V;
    let mut world = in_single_file(Delivery::Checkout, &[V::Pass, V::Regressed, V::Pass], &[]);
    world.migration.rollout.waves.remove(0);
    world.migration.rollout.on_failed_gate = OnFailedGate::Stop;
    assert!(matches!(world.run().unwrap().end, RunEnd::Stopped { wave: 1, .. }));
    exclude_one(&world, 1);
    retry_wave(&mut world.store(), 1).unwrap();
    let ledger = world.run().unwrap();
    assert_eq!(ledger.end, RunEnd::Complete, "{:?}", ledger.waves);
    assert_eq!(ledger.rows[1].reason, "excluded by ana: audit");
}

#[test]
fn a_pause_is_shown_beside_whatever_else_holds() {
    let world = one_that_regressed();
    pause(&mut world.store().by("ana"), "the pager rings").unwrap();
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::RolledBack { .. }));
    assert_eq!(ledger.paused.as_ref().map(|pause| pause.reason.as_str()), Some("the pager rings"));
    let text = crate::report::ledger_text(&ledger, crate::report::table::Layout { color: false, width: None });
    assert!(text.contains("It is paused, too, by ana: the pager rings. `gander resume`"), "{text}");
    assert!(text.contains("then `gander retry --wave 2`"), "{text}");
}

#[test]
fn whom_a_gate_names_goes_back_alone_and_it_is_asked_again() {
    let mut world = in_single_file(Delivery::Checkout, &[VerdictKind::Pass; 3], &[]);
    world.migration.rollout.waves = vec![WaveSize { text: "3".to_owned(), parts: vec![WavePart::Count(3)] }];
    world.migration.rollout.on_failed_gate = OnFailedGate::RollbackConsumer;
    // It names one of them as long as that one has the change, and hears who has.
    let script = "grep -q users_v2 apps/c1/q.sql || test -e bad || exit 0; grep -q c0 - || exit 9; \
                  echo '{\"consumers\": [\"c1\", \"nobody\"]}'; exit 1";
    let run = ["sh", "-c", script].map(str::to_owned).to_vec();
    let gate =
        Gate::Command { run, fails: vec![1], timeout: std::time::Duration::from_secs(30), folder: world.top.clone() };
    world.migration.rollout.gates.push(gate);
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::Waiting { wave: 1, .. }), "{:?}", ledger.end);
    let words: Vec<Outcome> = ledger.rows[..3].iter().map(|row| row.outcome).collect();
    assert_eq!(words, [Outcome::Changed, Outcome::RolledBack, Outcome::Changed]);
    assert!(ledger.rows[1].reason.starts_with("a gate names it: `sh` fails"), "{}", ledger.rows[1].reason);
    let beside = ["./hear.sh".to_owned()];
    files::write_whole(&world.top.join("hear.sh"), b"#!/bin/sh\ncat >> heard; echo >> heard\n", true).unwrap();
    let told = crate::rollout::tell(&mut world.store(), "users-v2", (&beside, Some(&world.top))).unwrap();
    assert_eq!(told, (1, Ok(())), "somebody hears of who goes back alone");
    assert!(std::fs::read_to_string(world.top.join("heard")).unwrap().contains("\"rolled-back\""));
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    // It goes on failing by one that is back already: a person decides.
    let mut world = in_single_file(Delivery::Checkout, &[VerdictKind::Pass; 3], &[]);
    world.migration.rollout.waves = vec![WaveSize { text: "3".to_owned(), parts: vec![WavePart::Count(3)] }];
    world.migration.rollout.on_failed_gate = OnFailedGate::RollbackConsumer;
    let run = ["sh", "-c", "echo '{\"consumers\": [\"c1\"]}'; exit 1"].map(str::to_owned).to_vec();
    let gate =
        Gate::Command { run, fails: vec![1], timeout: std::time::Duration::from_secs(30), folder: world.top.clone() };
    world.migration.rollout.gates.push(gate);
    world.run().unwrap();
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::Stopped { wave: 1, .. }), "{:?}", ledger.end);
    assert_eq!(count(&ledger, Outcome::RolledBack), 1);
    // It names one of a wave that has passed.
    let mut world = in_single_file(Delivery::Checkout, &[VerdictKind::Pass; 3], &[]);
    world.migration.rollout.on_failed_gate = OnFailedGate::RollbackConsumer;
    let script = "grep -q c1 - && grep -q users_v2 apps/c0/q.sql || exit 0; echo '{\"consumers\": [\"c0\"]}'; exit 1";
    let run = ["sh", "-c", script].map(str::to_owned).to_vec();
    let gate =
        Gate::Command { run, fails: vec![1], timeout: std::time::Duration::from_secs(30), folder: world.top.clone() };
    world.migration.rollout.gates.push(gate);
    let ledger = world.run().unwrap();
    let words: Vec<Outcome> = ledger.rows[..2].iter().map(|row| row.outcome).collect();
    assert_eq!(words, [Outcome::RolledBack, Outcome::Changed], "{:?}", ledger.end);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    // One that names nobody means all of it.
    let mut world = in_single_file(Delivery::Checkout, &[VerdictKind::Pass; 3], &[]);
    world.migration.rollout.waves = vec![WaveSize { text: "3".to_owned(), parts: vec![WavePart::Count(3)] }];
    world.migration.rollout.on_failed_gate = OnFailedGate::RollbackConsumer;
    world.migration.rollout.gates.push(look_out(&world));
    files::write_whole(&world.top.join("bad"), b"", false).unwrap();
    assert_eq!(count(&world.run().unwrap(), Outcome::RolledBack), 3);
}

/// Every state that a delivery may be on record in.
fn all_states() -> Vec<DeliveryState> {
    use DeliveryState as D;
    let why = || "why".to_owned();
    vec![
        D::Waiting,
        D::Held(why()),
        D::AwaitingApproval(why()),
        D::Refused(why()),
        D::Delivering,
        D::Delivered,
        D::Superseded,
        D::RollingBack,
        D::RolledBack,
        D::Conflict(why()),
        D::Failed(why()),
        D::Edited(why()),
        D::Closed(why()),
        D::Replaced(why()),
    ]
}

#[test]
fn whatever_stands_a_decision_is_done_whole_or_not_at_all() {
    let world = in_single_file(Delivery::Patches, &[VerdictKind::Pass], &[Gate::Approval]);
    world.run().unwrap();
    let mut store = world.store().by("ana");
    let record = store.delivery("apps/c0").unwrap().unwrap();
    for state in all_states() {
        for what in ["exclude", "approve", "retry"] {
            let set = crate::state::Entry::of("test", "apps/c0", "");
            let set_to = crate::state::DeliveryRecord { state: state.clone(), ..record.clone() };
            store.record_delivery("apps/c0", &set_to, &set).unwrap();
            let before = (store.decisions().unwrap(), store.journal().unwrap());
            let done = match what {
                "exclude" => exclude(&mut store, &name(0), "audit").map(drop),
                "retry" => retry(&mut store, &name(0)).map(drop),
                _ => crate::rollout::approve(&mut store, &crate::rollout::About::Consumer(name(0)), "", &[]).map(drop),
            };
            match done {
                Ok(()) => {}
                Err(RolloutError::Undecidable(_)) => {
                    assert_eq!((store.decisions().unwrap(), store.journal().unwrap()), before, "{what} of {state:?}");
                }
                Err(error) => panic!("{what} of {state:?}: {error}"),
            }
            if what == "exclude" && done_in(&store) {
                let reason = &ledger(&store).unwrap().rows[0].reason;
                assert!(reason.contains("excluded by ana: audit"), "{state:?}: {reason}");
            }
            let include = crate::state::Entry::of("include", "apps/c0", "");
            store.undecide(crate::state::DecisionKind::Exclude, "apps/c0", &include).unwrap();
        }
    }
}

/// Whether the first consumer is excluded.
fn done_in(store: &Store) -> bool {
    store.decision(crate::state::DecisionKind::Exclude, "apps/c0").unwrap().is_some()
}

#[test]
fn what_is_tried_again_without_a_name_is_not_what_somebody_threw_away_or_took_back() {
    use DeliveryState as D;
    for state in all_states() {
        let mut world = in_single_file(Delivery::Patches, &[VerdictKind::NoData], &[]);
        world.migration.policy.unverified = Disposition::Deliver;
        assert!(matches!(world.run().unwrap().end, RunEnd::Paused { .. }));
        let mut store = world.store();
        let record = store.delivery("apps/c0").unwrap().unwrap();
        let record = crate::state::DeliveryRecord { state: state.clone(), ..record };
        store.record_delivery("apps/c0", &record, &crate::state::Entry::of("test", "apps/c0", "")).unwrap();
        crate::rollout::driver::open_silent(&mut store, None).unwrap();
        let tried = matches!(state, D::Waiting | D::Held(_) | D::AwaitingApproval(_) | D::Refused(_) | D::Failed(_));
        assert_eq!(store.delivery("apps/c0").unwrap().is_none(), tried, "{state:?}");
    }
}

#[test]
fn an_approval_that_the_policy_asks_for_is_heard_of_and_waited_for() {
    let mut world = in_single_file(Delivery::Patches, &[VerdictKind::Pass, VerdictKind::NoData], &[]);
    world.migration.rollout.waves.remove(0);
    world.migration.policy.unverified = Disposition::Approve;
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.waves[0].state, WaveState::Passed(_)), "{:?}", ledger.waves);
    let RunEnd::Waiting { wave: 1, waits, reason } = &ledger.end else { panic!("{:?}", ledger.end) };
    assert_eq!(reason, "a change set waits for approval: `gander approve c1`");
    assert_eq!(waits[0].what, crate::state::WaitFor::Approval);
    let held = &ledger.rows[1].reason;
    assert!(held.ends_with("; waits for approval: the policy on unverified change sets"), "{held}");
    let listener = ["sh", "-c", "cat > /dev/null"].map(str::to_owned).to_vec();
    assert_eq!(crate::rollout::tell(&mut world.store(), "users-v2", (&listener, None)).unwrap(), (1, Ok(())));
    // A revert that waits, too, hides nothing of it.
    let mut store = world.store();
    let (id, entry) = ("apps/c0", crate::state::Entry::of("test", "apps/c0", ""));
    let record = store.delivery(id).unwrap().unwrap();
    let revert = Some(("c0.revert".to_owned(), "1".to_owned()));
    let back = crate::state::DeliveryRecord { state: DeliveryState::RollingBack, revert, ..record.clone() };
    store.record_delivery(id, &back, &entry).unwrap();
    let RunEnd::Waiting { waits, .. } = crate::rollout::ledger(&store).unwrap().end else { panic!() };
    let kinds: Vec<_> = waits.iter().map(|wait| wait.what).collect();
    assert_eq!(kinds, [crate::state::WaitFor::Merge, crate::state::WaitFor::Approval]);
    store.record_delivery(id, &record, &entry).unwrap();
    drop(store);
    let mut store = world.store().by("ana");
    crate::rollout::approve(&mut store, &crate::rollout::About::Consumer(name(1)), "", &[]).unwrap();
    let said = &crate::rollout::ledger(&store).unwrap().rows[1].reason;
    assert_eq!(said, "approved by ana: it goes out by the next `gander run`");
    drop(store);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
}

#[test]
fn change_sets_that_wait_for_approval_are_counted_not_their_consumers() {
    for (sets, wanted) in [(1, "a change set waits"), (2, "2 change sets wait")] {
        let mut verdicts = vec![VerdictKind::NoData; sets + 1];
        verdicts[0] = VerdictKind::Pass;
        let mut world = World::new(Delivery::Patches, &changed(sets + 1), &verdicts);
        world.migration.rollout.waves.drain(..2);
        world.migration.policy.unverified = Disposition::Approve;
        for (name, index) in [("d0", 1), ("d1", sets)] {
            world.consume(name, Source::Workspace(index));
        }
        let RunEnd::Waiting { reason, .. } = world.run().unwrap().end else { panic!("{sets}") };
        assert_eq!(reason, format!("{wanted} for approval: `gander approve c1`"));
    }
}

#[test]
fn an_approval_ends_with_the_wave_that_it_was_about() {
    let mut world = in_single_file(Delivery::Patches, &[VerdictKind::Pass; 2], &[Gate::Approval]);
    world.migration.rollout.gates.push(look_out(&world));
    world.run().unwrap();
    crate::rollout::approve(&mut world.store(), &crate::rollout::About::Wave(1), "", &[Gate::Approval]).unwrap();
    files::write_whole(&world.top.join("bad"), b"", false).unwrap();
    assert!(matches!(world.run().unwrap().end, RunEnd::RolledBack { wave: 1, .. }));
    files::remove(&world.top.join("bad")).unwrap();
    retry_wave(&mut world.store(), 1).unwrap();
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::Waiting { wave: 1, .. }), "nobody has looked since: {:?}", ledger.end);
    let journal = world.store().journal().unwrap();
    let ended: Vec<&str> =
        journal.iter().filter(|line| line.entry.point == "unapprove").map(|line| line.entry.subject.as_str()).collect();
    assert_eq!(ended, ["wave 1"], "that it has ended is said once");
}

#[test]
fn a_branch_that_its_owner_goes_on_with_is_open() {
    let mut world = World::new(Delivery::Branch, &changed(2), &[VerdictKind::Pass; 2]);
    world.migration.rollout.first = vec![entity("c0"), entity("c1")];
    world.migration.rollout.waves.drain(..2);
    world.migration.rollout.calendar.max_open = Some(1);
    world.run().unwrap();
    run_git(&world.top, &["checkout", "-q", "gander/users-v2/c0"]);
    run_git(&world.top, &["commit", "-q", "--allow-empty", "-m", "mine"]);
    run_git(&world.top, &["checkout", "-q", "main"]);
    let ledger = world.run().unwrap();
    assert_eq!((ledger.rows[0].state.as_str(), ledger.rows[1].outcome), ("edited", Outcome::Pending));
}

#[test]
fn what_a_person_took_back_stays_so_whatever_else_is_taken_in_or_taken_back() {
    let mut world = in_single_file(Delivery::Patches, &[VerdictKind::Pass; 3], &[bake()]);
    world.migration.rollout.on_failed_gate = OnFailedGate::RollbackAll;
    world.migration.rollout.gates.push(look_out(&world));
    world.run().unwrap();
    world.clock.advance(3600);
    world.run().unwrap();
    back(&world, Scope::Wave(1)).unwrap();
    files::write_whole(&world.top.join("bad"), b"", false).unwrap();
    let ledger = world.run().unwrap();
    let reason = |ledger: &Ledger, index: usize| ledger.waves[index].state.reason().to_owned();
    assert_eq!(reason(&ledger, 0), BY_HAND, "it keeps its reason");
    assert!(reason(&ledger, 1).starts_with("wave 2: "), "{}", reason(&ledger, 1));
    // One alone, of a wave that passed.
    let mut world = in_single_file(Delivery::Patches, &[VerdictKind::Pass; 2], &[]);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    back(&world, Scope::Consumer(name(1))).unwrap();
    world.migration.digest = Digest::of(b"a comment more");
    let ledger = replan(&world);
    assert_eq!((ledger.rows[1].reason.as_str(), count(&ledger, Outcome::Changed)), ("taken back by hand", 1));
}

#[test]
fn a_wave_of_which_everybody_is_held_shows_nothing() {
    let mut world = in_single_file(Delivery::Patches, &[VerdictKind::Pass; 2], &[]);
    world.plan.workspaces[0].result = Transformed::Annotated("left".to_owned());
    world.migration.policy.annotated = Disposition::Hold;
    let ledger = world.run().unwrap();
    let RunEnd::Paused { wave: 1, reason, .. } = &ledger.end else { panic!("{:?}", ledger.end) };
    assert!(reason.starts_with("nothing of it is out: 1 × held"), "{reason}");
    assert_eq!(*world.verified.borrow(), [0], "the next wave stays closed");
}

#[test]
fn nobody_joins_a_wave_that_cannot_be_told() {
    let mut world = World::new(Delivery::Patches, &changed(3), &[VerdictKind::Pass; 3]);
    world.migration.rollout.waves.drain(..2);
    let run = ["sh", "-c", "exit 9"].map(str::to_owned).to_vec();
    let (folder, timeout) = (world.top.clone(), std::time::Duration::from_secs(30));
    world.migration.rollout.gates.push(Gate::Command { run, fails: vec![1], timeout, folder });
    let newcomer = (world.fleet.workspaces.pop().unwrap(), world.plan.workspaces.pop().unwrap());
    let at = world.fleet.consumers.iter().position(|one| one.entity == entity("c2")).unwrap();
    let consumer = world.fleet.consumers.remove(at);
    assert!(matches!(world.run().unwrap().end, RunEnd::Paused { wave: 1, .. }));
    world.fleet.workspaces.push(newcomer.0);
    world.plan.workspaces.push(newcomer.1);
    world.fleet.consumers.insert(at, consumer);
    let ledger = world.run().unwrap();
    let waves: Vec<usize> = ledger.waves.iter().map(|wave| wave.members.len()).collect();
    assert_eq!((waves, world.verified.borrow().contains(&2)), (vec![2, 1], false), "{:?}", ledger.waves);
}

#[test]
fn after_a_rollback_a_mended_rule_begins_small_whoever_is_stuck() {
    for stuck in 0..3_usize {
        let mut world = in_single_file(Delivery::Checkout, &[VerdictKind::Pass; 3], &[]);
        let size = |count: u64| WaveSize { text: count.to_string(), parts: vec![WavePart::Count(count)] };
        world.migration.rollout.waves = vec![size(1), size(3)];
        world.migration.rollout.on_failed_gate = OnFailedGate::RollbackAll;
        assert_eq!(world.run().unwrap().end, RunEnd::Complete);
        let theirs = world.root(stuck).join("q.sql");
        files::write_whole(&theirs, b"theirs", false).unwrap();
        let mut store = world.store();
        let waves = store.waves().unwrap();
        let all: Vec<&crate::state::WaveRecord> = waves.iter().collect();
        crate::rollout::driver::move_waves(
            &mut store,
            &all,
            crate::rollout::machine::wave::Event::RollBack,
            "wave 2: the gate failed",
        )
        .unwrap();
        drop(store);
        assert!(matches!(world.run().unwrap().end, RunEnd::RolledBack { .. }));
        world.migration.digest = Digest::of(b"mended");
        world.migration.rollout.gates.push(bake());
        let ledger = replan(&world);
        let first = ledger.waves.iter().find(|wave| !wave.members.contains(&name(stuck))).unwrap();
        assert_eq!((first.label.as_str(), first.members.len()), ("1", 1), "{stuck}: {:?}", ledger.waves);
    }
}
