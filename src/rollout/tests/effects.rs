//! What reaches the consumers' folders and repositories, and how it goes back.

use super::*;
use crate::verify::VerdictKind;

#[test]
fn a_failed_wave_is_taken_back_in_bytes() {
    for how in [Delivery::Patches, Delivery::Checkout, Delivery::Branch] {
        let (world, ledger) = failing(how, OnFailedGate::RollbackWave);
        use Outcome as O;
        let expected = [
            ("c0", O::Changed),
            ("c1", O::RolledBack),
            ("c2", O::Regressed),
            ("c3", O::Pending),
            ("zz-lost", O::Unresolved),
        ];
        assert_eq!(outcomes(&ledger), expected, "{how:?}");
        assert!(matches!(ledger.end, RunEnd::RolledBack { wave: 2, .. }));
        assert!(!world.verified.borrow().contains(&3), "wave 3 was never opened");
        let read = |index| std::fs::read_to_string(world.root(index).join("q.sql")).unwrap();
        let delivered = if how == Delivery::Checkout { NEW } else { OLD };
        assert_eq!(read(0), delivered);
        for index in 1..4 {
            assert_eq!(read(index), OLD, "{how:?} {index}");
        }
        let sets = world.migration.state.join("change-sets");
        assert!(sets.join("wave-2/c1").join(WITHDRAWN).is_file());
        assert!(!sets.join("wave-1/c0").join(WITHDRAWN).exists());
        assert!(sets.join("held/c2/change.patch").is_file());
        if how == Delivery::Branch {
            let branches = run_git(&world.top, &["branch", "--format=%(refname:short)"]);
            assert_eq!(branches, "gander/users-v2/c0\nmain");
            assert_eq!(run_git(&world.top, &["status", "--porcelain"]), "");
        }
        assert_eq!(world.run().unwrap(), ledger);
    }
}

#[test]
fn nothing_goes_out_of_a_wave_that_fails_by_its_verdicts() {
    for on_failed in [OnFailedGate::RollbackWave, OnFailedGate::RollbackAll, OnFailedGate::Stop] {
        let mut world = failing_world(None, Delivery::Branch, on_failed);
        world.migration.rollout.gates = vec![Gate::Regressions { max: 0 }];
        // One of the wave would want an approval.
        world.migration.rollout.waves.remove(1);
        world.migration.policy.unverified = Disposition::Approve;
        world.verdicts.insert(3, VerdictKind::NoData);
        let ledger = world.run().unwrap();
        let stopped = on_failed == OnFailedGate::Stop;
        assert!(matches!(ledger.end, RunEnd::RolledBack { wave: 2, .. } | RunEnd::Stopped { wave: 2, .. }));
        let words = outcomes(&ledger);
        assert_eq!((words[1], words[2]), (("c1", Outcome::Pending), ("c2", Outcome::Regressed)), "{on_failed:?}");
        let why =
            if stopped { "its wave failed before it went out" } else { "its wave was rolled back before it went out" };
        assert_eq!(ledger.rows[1].reason, why);
        for id in ["apps/c1", "apps/c3"] {
            let journal = world.store().journal_of(id).unwrap();
            assert!(journal.iter().all(|line| line.entry.point == "verify"), "{journal:?}");
        }
        assert_eq!(words[0].1 == Outcome::RolledBack, on_failed == OnFailedGate::RollbackAll);
        // What a person has to look at is there.
        assert!(world.migration.state.join("change-sets/held/c2/change.patch").is_file());
        assert_eq!(world.run().unwrap(), ledger, "{on_failed:?}");
        // Mended, it is tried again.
        world.verdicts.insert(2, VerdictKind::Pass);
        let first = if on_failed == OnFailedGate::RollbackAll { 1 } else { 2 };
        retry_wave(&mut world.store(), first).unwrap();
        let RunEnd::Waiting { waits, .. } = world.run().unwrap().end else { panic!("{on_failed:?}") };
        assert_eq!(waits[0].what, crate::state::WaitFor::Approval, "{on_failed:?}");
        approve(&mut world.store(), &About::Consumer("component:default/c3".to_owned()), "", &[]).unwrap();
        assert_eq!(world.run().unwrap().end, RunEnd::Complete, "{on_failed:?}");
    }
}

#[test]
fn everything_can_be_taken_back_to_the_bytes_of_the_pin() {
    for how in [Delivery::Checkout, Delivery::Branch] {
        let (world, ledger) = failing(how, OnFailedGate::RollbackAll);
        assert_eq!(count(&ledger, Outcome::RolledBack), 2, "{how:?}");
        assert!(matches!(ledger.end, RunEnd::RolledBack { wave: 2, .. }));
        let status = run_git(&world.top, &["status", "--porcelain"]);
        assert_eq!(status, "", "{how:?}");
        assert_eq!(run_git(&world.top, &["branch", "--format=%(refname)"]), "refs/heads/main");
        assert!(!world.root(0).join("new").exists());
    }
    let (world, ledger) = failing(Delivery::Checkout, OnFailedGate::Stop);
    assert!(matches!(ledger.end, RunEnd::Stopped { wave: 2, .. }));
    assert_eq!(count(&ledger, Outcome::Changed), 2);
    let mut store = world.store();
    let ledger = crate::rollout::roll_back(&mut store, &Scope::All, &Hooks::none()).unwrap();
    assert_eq!(count(&ledger, Outcome::RolledBack), 2);
    let again = crate::rollout::roll_back(&mut store, &Scope::All, &Hooks::none()).unwrap();
    assert_eq!(outcomes(&again), outcomes(&ledger));
    assert_eq!(run_git(&world.top, &["status", "--porcelain"]), "");
}

#[test]
fn what_a_person_changed_since_is_a_conflict_and_stays() {
    let world = World::new(Delivery::Checkout, &changed(1), &[VerdictKind::Pass]);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    let theirs = world.root(0).join("q.sql");
    files::write_whole(&theirs, b"theirs", false).unwrap();
    let ledger = crate::rollout::roll_back(&mut world.store(), &Scope::Wave(1), &Hooks::none()).unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Errored);
    assert!(ledger.rows[0].reason.contains("q.sql"), "{}", ledger.rows[0].reason);
    assert_eq!(std::fs::read(&theirs).unwrap(), b"theirs");
    assert!(world.root(0).join("new/made.sh").exists(), "nothing is half taken back");
    // Once they put it back, the rollback can be asked for again.
    files::write_whole(&theirs, NEW.as_bytes(), false).unwrap();
    let entity = ledger.rows[0].entity.clone();
    let ledger = crate::rollout::roll_back(&mut world.store(), &Scope::Consumer(entity), &Hooks::none()).unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::RolledBack);
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), OLD);
}

#[test]
fn a_dirty_checkout_is_refused_and_untouched() {
    let dirt: [(&str, &[u8]); 3] = [("q.sql", b"theirs"), ("untracked", b"new"), ("new/made.sh", b"x")];
    for (path, bytes) in dirt {
        let world = World::new(Delivery::Checkout, &changed(1), &[VerdictKind::Pass]);
        let content = crate::workspace::Content { bytes: bytes.to_vec(), executable: false };
        files::apply_below(world.root(0), path, Some(&content)).unwrap();
        let before = world.bytes();
        let ledger = world.run().unwrap();
        assert_eq!(ledger.rows[0].outcome, Outcome::Refused, "{path}: {}", ledger.rows[0].reason);
        assert_eq!(world.bytes(), before);
    }
    let world = World::new(Delivery::Checkout, &changed(1), &[VerdictKind::Pass]);
    files::write_whole(&world.root(0).join("q.sql"), b"moved on", false).unwrap();
    run_git(&world.top, &["commit", "-q", "-a", "-m", "two"]);
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Refused);
    assert!(ledger.rows[0].reason.contains("HEAD"), "{}", ledger.rows[0].reason);
}

#[test]
fn a_symlink_in_the_way_is_refused() {
    let world = World::new(Delivery::Checkout, &changed(1), &[VerdictKind::Pass]);
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), world.root(0).join("new")).unwrap();
    run_git(&world.top, &["add", "."]);
    run_git(&world.top, &["commit", "-q", "-m", "link"]);
    let mut world = world;
    let tree = run_git(&world.top, &["rev-parse", "HEAD:apps/c0"]);
    let commit = run_git(&world.top, &["rev-parse", "HEAD"]);
    world.plan.workspaces[0].pin = Some(Pin::Commit { commit, tree });
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Refused, "{}", ledger.rows[0].reason);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    assert_eq!(std::fs::read_to_string(world.root(0).join("q.sql")).unwrap(), OLD);
}

#[test]
fn a_second_run_knows_its_own_writes() {
    let world = World::new(Delivery::Checkout, &changed(2), &[VerdictKind::Pass; 2]);
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    let mut fleet = world.fleet.clone();
    let dirty: Vec<String> = ["gone.sh", "new/made.sh", "q.sql", "theirs"].map(str::to_owned).to_vec();
    // A write that was killed before its rename.
    let leftover = files::leftover_of(Path::new("q.sql")).unwrap().to_str().unwrap().to_owned();
    let dirty = [dirty, vec![leftover]].concat();
    files::write_whole(&world.root(0).join("theirs"), b"1", false).unwrap();
    for workspace in &mut fleet.workspaces {
        workspace.git.as_mut().unwrap().dirty = dirty.clone();
    }
    let settled = crate::rollout::settle(&world.store(), &world.migration, &mut fleet).unwrap();
    assert!(settled.is_empty(), "a commit can be read again");
    for workspace in &fleet.workspaces {
        assert_eq!(workspace.git.as_ref().unwrap().dirty, ["theirs"]);
    }
}

#[test]
fn a_folder_without_git_is_taken_back_and_known_again() {
    let mut world = World::new(Delivery::Patches, &changed(1), &[VerdictKind::Pass]);
    world.migration.deliver.how = Delivery::Checkout;
    let before = world.bytes();
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    let mut fleet = world.fleet.clone();
    let settled = crate::rollout::settle(&world.store(), &world.migration, &mut fleet).unwrap();
    assert_eq!(settled[&0].pin, world.plan.workspaces[0].pin);
    assert_eq!(settled[&0].plan.files.len(), 3);
    let ledger = crate::rollout::roll_back(&mut world.store(), &Scope::All, &Hooks::none()).unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::RolledBack);
    assert_eq!(world.bytes(), before);
    assert!(crate::rollout::settle(&world.store(), &world.migration, &mut fleet).unwrap().is_empty());
    let mut world = World::new(Delivery::Patches, &changed(1), &[VerdictKind::Pass]);
    world.migration.deliver.how = Delivery::Branch;
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Refused, "{}", ledger.rows[0].reason);
}

#[test]
fn a_delivery_that_fails_half_way_is_undone() {
    let world = World::new(Delivery::Checkout, &changed(1), &[VerdictKind::Pass]);
    // A folder where the temporary file of the last file would have to be.
    let name = format!(".gander-{}.tmp", Digest::of(b"q.sql").short());
    let blocker = world.root(0).join(name);
    files::make_folder(&blocker).unwrap();
    let before = world.bytes();
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Errored);
    assert!(ledger.rows[0].reason.contains("as they were"), "{}", ledger.rows[0].reason);
    assert_eq!(world.bytes(), before);
    assert!(matches!(ledger.end, RunEnd::Paused { wave: 1, .. }));
    files::remove_folder(&blocker).unwrap();
    assert_eq!(world.run_as(true, &BTreeSet::new()).unwrap().end, RunEnd::Complete);
}

#[test]
fn a_branch_that_is_taken_is_left_alone() {
    let world = World::new(Delivery::Branch, &changed(1), &[VerdictKind::Pass]);
    run_git(&world.top, &["branch", "gander/users-v2/c0"]);
    let ledger = world.run().unwrap();
    assert_eq!(ledger.rows[0].outcome, Outcome::Refused, "{}", ledger.rows[0].reason);
    assert!(ledger.rows[0].reason.contains("gander/users-v2/c0"), "{}", ledger.rows[0].reason);
    crate::rollout::roll_back(&mut world.store(), &Scope::All, &Hooks::none()).unwrap();
    let branches = run_git(&world.top, &["branch", "--format=%(refname:short)"]);
    assert_eq!(branches, "gander/users-v2/c0\nmain");
}

#[test]
fn a_consumer_can_be_looked_at() {
    let world = World::new(Delivery::Patches, &changed(2), &[VerdictKind::Pass, VerdictKind::Pass]);
    world.run().unwrap();
    let store = Store::read(&world.migration.state).unwrap();
    let view = crate::rollout::look(&store, "component:default/c1").unwrap();
    assert_eq!(view.row.outcome, Outcome::Changed);
    assert_eq!(view.plan.unwrap().id, "apps/c1");
    assert_eq!(view.delivery.unwrap().state, DeliveryState::Delivered);
    let points: Vec<&str> = view.history.iter().map(|line| line.entry.point.as_str()).collect();
    assert_eq!(points, ["verify", "deliver.patches", "deliver.patches"]);
    let lost = crate::rollout::look(&store, "component:default/zz-lost").unwrap();
    assert!(lost.plan.is_none() && lost.history.is_empty());
    assert!(matches!(crate::rollout::look(&store, "component:default/no"), Err(RolloutError::NoSuch { .. })));
}

#[test]
fn an_owner_may_commit_what_was_delivered() {
    let world = World::new(Delivery::Checkout, &changed(2), &[VerdictKind::Pass; 2]);
    let only = BTreeSet::from([entity("c0"), entity("c1")]);
    assert_eq!(world.run_as(false, &only).unwrap().end, RunEnd::Complete);
    run_git(&world.top, &["add", "apps/c0"]);
    run_git(&world.top, &["commit", "-q", "-m", "take it"]);
    // The next run discovers another commit; one workspace has another tree.
    let mut world = world;
    let head = run_git(&world.top, &["rev-parse", "HEAD"]);
    for (index, workspace) in world.fleet.workspaces.iter_mut().enumerate() {
        let git = workspace.git.as_mut().unwrap();
        git.commit = head.clone();
        git.tree = run_git(&world.top, &["rev-parse", &format!("HEAD:apps/c{index}")]);
        let pin = Pin::Commit { commit: head.clone(), tree: git.tree.clone() };
        world.plan.workspaces[index].pin = Some(pin);
    }
    world.plan.workspaces[0].result = Transformed::Unchanged;
    world.plan.workspaces[0].files.clear();
    let ledger = world.run().unwrap();
    assert_eq!((ledger.end.clone(), count(&ledger, Outcome::Changed)), (RunEnd::Complete, 2), "they have it");
    let mut fleet = world.fleet.clone();
    let settled = crate::rollout::settle(&world.store(), &world.migration, &mut fleet).unwrap();
    assert_eq!(settled.keys().collect::<Vec<_>>(), [&0]);
    for (index, settled) in settled {
        world.plan.workspaces[index] = settled.plan;
    }
    let ledger = world.run().unwrap();
    assert_eq!((ledger.end.clone(), count(&ledger, Outcome::Changed)), (RunEnd::Complete, 2));
    assert_eq!(world.verified.borrow().len(), 2, "nothing is verified again");
}

#[test]
fn a_fleet_that_was_moved_is_found_where_it_is() {
    let mut world = World::new(Delivery::Checkout, &changed(2), &[VerdictKind::Pass]);
    world.migration.rollout.first = vec![entity("c0"), entity("c1")];
    assert!(matches!(world.run().unwrap().end, RunEnd::Waiting { .. }));
    let elsewhere = tempfile::tempdir().unwrap();
    let top = elsewhere.path().canonicalize().unwrap().join("moved");
    let from = world.top.to_str().unwrap().to_owned();
    let moved = crate::process::Invocation::new("cp").args(["-a", &from, top.to_str().unwrap()]).run().unwrap();
    assert!(moved.success());
    let old = world.bytes();
    let (how, results) = (Delivery::Checkout, changed(2));
    let mut there = World::over(&top, how, &results, &[VerdictKind::Pass; 2]);
    there.migration.rollout.first = world.migration.rollout.first.clone();
    assert_eq!(there.run().unwrap().end, RunEnd::Complete);
    assert_eq!(std::fs::read_to_string(there.root(1).join("q.sql")).unwrap(), NEW);
    assert_eq!(world.bytes(), old, "the old place is not touched");
}
