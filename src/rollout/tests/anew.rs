//! Change sets that are made anew, as other code lies below them, and what became of those that
//! were out before.

use super::*;
use crate::rollout::{About, approve, retry, roll_back};

/// One consumer a wave, the first one first, and a bake.
fn baking(how: Delivery, count: usize) -> World {
    let mut world = World::new(how, &changed(count), &vec![VerdictKind::Pass; count]);
    world.migration.rollout.first = (0..count).map(|index| entity(&format!("c{index}"))).collect();
    let size = |count: u64| WaveSize { text: count.to_string(), parts: vec![WavePart::Count(count)] };
    world.migration.rollout.waves = (1..=count as u64).map(size).collect();
    world.migration.rollout.gates.push(Gate::Bake { time: std::time::Duration::from_secs(3600) });
    world
}

/// Other code lies below the change set of a consumer now, and it is another one.
fn moves_on(world: &mut World, index: usize) {
    let now = world.plan.workspaces[index].files.len();
    world.plan.workspaces[index].files.truncate(now - 1);
    let pin = match &world.plan.workspaces[index].pin {
        Some(Pin::Commit { .. }) => {
            files::write_whole(&world.root(index).join("other"), &[now as u8], false).unwrap();
            run_git(&world.top, &["add", "."]);
            run_git(&world.top, &["commit", "-q", "-m", "other"]);
            let name = |what: &str| run_git(&world.top, &["rev-parse", what]);
            Pin::Commit { commit: name("HEAD"), tree: name(&format!("HEAD:apps/c{index}")) }
        }
        _ => Pin::Content { digest: Digest::of(&[now as u8]), dirty: false },
    };
    if let (Pin::Commit { commit, tree }, Some(git)) = (&pin, &mut world.fleet.workspaces[index].git) {
        (git.commit, git.tree) = (commit.clone(), tree.clone());
    }
    world.plan.workspaces[index].pin = Some(pin);
}

fn record(world: &World, index: usize) -> crate::state::DeliveryRecord {
    world.store().delivery(&format!("apps/c{index}")).unwrap().unwrap()
}

#[test]
fn a_wave_that_bakes_is_judged_with_what_is_made_anew_in_it() {
    let mut world = baking(Delivery::Patches, 3);
    world.run().unwrap();
    world.clock.advance(3000);
    moves_on(&mut world, 0);
    let ledger = world.run().unwrap();
    let RunEnd::Waiting { wave: 1, waits, .. } = &ledger.end else { panic!("{:?}", ledger.waves) };
    assert_eq!(waits[0].until, Some(1 + 3000 + 3600), "it bakes anew");
    assert_eq!(ledger.waves[0].members, ["component:default/c0"]);
    assert_eq!(*world.verified.borrow(), [0, 0], "the next wave stays closed");
    let journal = world.store().journal().unwrap();
    let line = journal.iter().find(|line| line.entry.point == "wave.reopen").unwrap();
    assert_eq!((line.entry.from.as_deref(), line.entry.to.as_deref()), (Some("baking"), Some("running")));
    world.clock.advance(3600);
    assert!(matches!(world.run().unwrap().end, RunEnd::Waiting { wave: 2, .. }));
    // Of one that has passed it goes out with the next wave, and is taken back with all.
    moves_on(&mut world, 0);
    let ledger = world.run().unwrap();
    assert_eq!(ledger.waves[2].members, ["component:default/c2", "component:default/c0"], "{:?}", ledger.waves);
    assert_eq!(record(&world, 0).state, DeliveryState::Superseded);
    let prospects = crate::rollout::dry_rollback(&world.store(), &Scope::All).unwrap();
    let ledger = roll_back(&mut world.store(), &Scope::All, &Hooks::none()).unwrap();
    assert_eq!((prospects.change_sets.len(), count(&ledger, Outcome::RolledBack)), (2, 2), "{:?}", ledger.rows);
}

#[test]
fn what_is_out_of_a_wave_to_come_goes_back_with_a_failed_gate() {
    let mut world = baking(Delivery::Checkout, 3);
    world.migration.deliver.how = Delivery::Branch;
    world.migration.rollout.on_failed_gate = OnFailedGate::RollbackAll;
    world.run().unwrap();
    world.clock.advance(3600);
    world.run().unwrap();
    moves_on(&mut world, 0);
    world.run().unwrap();
    assert_eq!(record(&world, 0).state, DeliveryState::Superseded);
    let run = ["sh", "-c", "exit 1"].map(str::to_owned).to_vec();
    let (folder, timeout) = (world.top.clone(), std::time::Duration::from_secs(30));
    world.migration.rollout.gates.push(Gate::Command { run, fails: vec![1], timeout, folder });
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::RolledBack { wave: 2, .. }), "{:?}", ledger.end);
    assert_eq!(run_git(&world.top, &["branch", "--format=%(refname:short)"]), "main");
}

#[test]
fn what_was_withdrawn_is_known_after_whatever_keeps_its_successor_back() {
    for unverified in [Disposition::Approve, Disposition::Hold] {
        let mut world = baking(Delivery::Branch, 2);
        world.migration.rollout.waves.remove(0);
        world.migration.policy.unverified = unverified;
        world.run().unwrap();
        let out = record(&world, 0);
        world.verdicts.insert(0, VerdictKind::NoData);
        moves_on(&mut world, 0);
        world.run().unwrap();
        if unverified == Disposition::Hold {
            // Its wave is opened again for somebody else.
            crate::rollout::roll_back(
                &mut world.store(),
                &Scope::Consumer("component:default/c1".to_owned()),
                &Hooks::none(),
            )
            .unwrap();
            retry(&mut world.store(), "component:default/c1").unwrap();
            world.run().unwrap();
        }
        let kept = |world: &World| {
            let record = record(world, 0);
            assert!(matches!(record.state, DeliveryState::Held(_) | DeliveryState::AwaitingApproval(_)), "{record:?}");
            record.earlier
        };
        assert_eq!(kept(&world), [crate::state::Earlier::of(&out)], "{unverified:?}");
        // Its code moves on once more.
        moves_on(&mut world, 0);
        world.run().unwrap();
        assert_eq!(kept(&world), [crate::state::Earlier::of(&out)], "{unverified:?}");
        assert_eq!(world.store().kept_versions("apps/c0", &out.change_id).unwrap().len(), 3);
    }
}

#[test]
fn a_doubt_is_said_once_whatever_else_its_owner_commits() {
    let world = baking(Delivery::Branch, 1);
    world.run().unwrap();
    files::write_whole(&world.root(0).join("q.sql"), b"select plan\r\nfrom users_v3", false).unwrap();
    run_git(&world.top, &["commit", "-q", "-a", "-m", "another way"]);
    run_git(&world.top, &["branch", "-q", "-D", "gander/users-v2/c0"]);
    for more in 0..3_u8 {
        world.run().unwrap();
        files::write_whole(&world.root(0).join("more"), &[more], false).unwrap();
        run_git(&world.top, &["add", "."]);
        run_git(&world.top, &["commit", "-q", "-m", "more"]);
    }
    let doubt = record(&world, 0).doubt.unwrap();
    assert!(doubt.starts_with("q.sql is neither as it was before nor as gander left it"), "{doubt}");
    let journal = world.store().journal().unwrap();
    assert_eq!(journal.iter().filter(|line| line.entry.point == "doubt").count(), 1);
}

#[test]
fn an_owner_may_merge_any_of_those_that_were_out() {
    let mut world = baking(Delivery::Branch, 1);
    world.run().unwrap();
    let first = record(&world, 0);
    moves_on(&mut world, 0);
    world.run().unwrap();
    // As after many more moves.
    let mut now = record(&world, 0);
    let many = (0..80_u8).map(|number| crate::state::Earlier {
        change_id: Digest::of(&[number]),
        commit: Some(format!("{number:040}")),
        ..now.earlier[0].clone()
    });
    now.earlier = many.chain(now.earlier.clone()).collect();
    world.store().record_delivery("apps/c0", &now, &crate::state::Entry::of("test", "apps/c0", "")).unwrap();
    moves_on(&mut world, 0);
    world.run().unwrap();
    assert_eq!(record(&world, 0).earlier.len(), 82);
    let (_, commit) = first.branch.clone().unwrap();
    run_git(&world.top, &["merge", "-q", "-m", "an old one", &commit.unwrap()]);
    world.run().unwrap();
    let merged = record(&world, 0);
    assert_eq!((merged.change_id, merged.merged.is_some()), (first.change_id, true));
}

#[test]
fn the_patch_of_a_wave_that_passed_is_marked_once_it_is_made_anew_in_another() {
    let mut world = baking(Delivery::Patches, 2);
    world.run().unwrap();
    world.clock.advance(3600);
    world.run().unwrap();
    moves_on(&mut world, 0);
    world.run().unwrap();
    world.clock.advance(3600);
    world.run().unwrap();
    let folder = |wave: u32| world.migration.state.join(format!("change-sets/wave-{wave}/c0"));
    let last = record(&world, 0).wave;
    assert!(last > 1, "{last}");
    assert!(folder(1).join(WITHDRAWN).is_file() && !folder(last).join(WITHDRAWN).exists());
}

#[test]
fn who_opts_out_while_a_person_is_to_look_gets_nothing_by_an_approval() {
    let mut world = baking(Delivery::Patches, 2);
    world.migration.rollout.waves.remove(0);
    world.verdicts.insert(1, VerdictKind::NoData);
    world.migration.policy.unverified = Disposition::Approve;
    world.run().unwrap();
    let about = About::Consumer("component:default/c1".to_owned());
    approve(&mut world.store(), &about, "", &[]).unwrap();
    without(&world, 1);
    assert_eq!(record(&world, 1).state, DeliveryState::Refused("it opts out: no thanks".to_owned()));
}

/// A run while the owner of one opts out.
fn without(world: &World, left: usize) -> Ledger {
    let (only, opted_out) = (BTreeSet::new(), |index: usize| (index == left).then(|| "no thanks".to_owned()));
    let request = Request { opted_out: &opted_out, ..world.request(false, &only, &|_| {}) };
    crate::rollout::run(&mut world.store(), &request).unwrap()
}

/// One wave of all, which bakes and waits for a person.
fn approving(count: usize) -> World {
    let mut world = baking(Delivery::Branch, count);
    world.migration.rollout.waves.drain(..count - 1);
    world.migration.rollout.gates.push(Gate::Approval);
    world
}

fn approve_wave(world: &World, wave: u32) {
    approve(&mut world.store(), &About::Wave(wave), "", &world.migration.rollout.gates).unwrap();
}

/// Whether a person is asked.
fn asks(ledger: &Ledger) -> bool {
    let RunEnd::Waiting { waits, .. } = &ledger.end else { panic!("{:?}", ledger.end) };
    waits.iter().any(|wait| wait.what == crate::state::WaitFor::Approval)
}

#[test]
fn who_moves_on_time_and_again_has_one_wave_after_the_others() {
    let mut world = approving(2);
    world.run().unwrap();
    for wave in [1, 2, 2] {
        world.clock.advance(3600);
        assert!(asks(&world.run().unwrap()), "what nobody has seen");
        approve_wave(&world, wave);
        let ledger = world.run().unwrap();
        assert_eq!((ledger.end, ledger.waves.last().unwrap().number), (RunEnd::Complete, wave));
        if record(&world, 0).earlier.len() < 2 {
            moves_on(&mut world, 0);
            world.run().unwrap();
        }
    }
}

#[test]
fn what_comes_once_more_is_approved_once_more_and_nobody_waits_for_it() {
    for (count, unwanted) in [(2, false), (2, true), (1, false), (1, true)] {
        let mut world = approving(count);
        assert!(asks(&world.run().unwrap()));
        approve_wave(&world, 1);
        let (last, plan) = (count - 1, world.plan.workspaces[count - 1].clone());
        if unwanted {
            let digest = Digest::of(b"theirs");
            let now = &mut world.plan.workspaces[last];
            (now.result, now.pin) = (Transformed::Unchanged, Some(Pin::Content { digest, dirty: false }));
            now.files.clear();
        }
        let ledger = if unwanted { world.run().unwrap() } else { without(&world, last) };
        assert_eq!(record(&world, last).state, DeliveryState::RolledBack, "{:?}", ledger.rows);
        match count {
            1 => assert_eq!(ledger.end, RunEnd::Complete, "nobody of it takes part any more"),
            _ => assert!(!asks(&ledger), "the other one is approved"),
        }
        world.plan.workspaces[last] = plan;
        assert!(asks(&world.run().unwrap()), "{count} {unwanted}");
        assert_eq!(record(&world, last).state, DeliveryState::Delivered, "{count} {unwanted}");
    }
}
