//! A rollout that is killed at every durable write and external effect.

use rayon::prelude::*;

use super::*;

const CHILD_TOP: &str = "GANDER_TEST_TOP";
const CHILD_HOW: &str = "GANDER_TEST_HOW";

fn how_named(name: &str) -> (Delivery, OnFailedGate) {
    match name {
        "patches" => (Delivery::Patches, OnFailedGate::RollbackWave),
        "checkout" => (Delivery::Checkout, OnFailedGate::RollbackAll),
        "by hand" => (Delivery::Checkout, OnFailedGate::Stop),
        REVERT | SUPERSEDE | RECOVER => (Delivery::Branch, OnFailedGate::RollbackWave),
        _ => (Delivery::Branch, OnFailedGate::RollbackAll),
    }
}

/// A merged change set gets a revert, and the others are withdrawn.
const REVERT: &str = "revert";
/// A base moved: what is out is replaced by what is made anew, or withdrawn.
const SUPERSEDE: &str = "supersede";
/// A lost state is rebuilt.
const RECOVER: &str = "recover";

/// What is rolled out, as it stands when [`child`] begins; `top` where that is another one's.
fn world_of(name: &str, top: Option<&Path>) -> World {
    let (how, on_failed_gate) = how_named(name);
    if ![REVERT, SUPERSEDE, RECOVER].contains(&name) {
        return failing_world(top, how, on_failed_gate);
    }
    let verdicts = [VerdictKind::Pass; 3];
    let mut world = match top {
        Some(top) => World::over(top, how, &changed(3), &verdicts),
        None => World::new(how, &changed(3), &verdicts),
    };
    world.migration.rollout.first = (0..3).map(|index| entity(&format!("c{index}"))).collect();
    if name == SUPERSEDE && top.is_some() {
        world.plan.workspaces[0].files.truncate(1);
        world.plan.workspaces[1].result = Transformed::Unchanged;
        world.plan.workspaces[1].files.clear();
    }
    world
}

/// Brings a new world to where [`child`] begins.
fn begun(name: &str) -> World {
    let world = world_of(name, None);
    if ![REVERT, SUPERSEDE, RECOVER].contains(&name) {
        return world;
    }
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
    if name == SUPERSEDE {
        files::write_whole(&world.top.join("apps/more"), b"more", false).unwrap();
        run_git(&world.top, &["add", "."]);
        run_git(&world.top, &["commit", "-q", "-m", "two"]);
    } else {
        run_git(&world.top, &["merge", "-q", "--no-ff", "-m", "merged", "gander/users-v2/c1"]);
    }
    if name == RECOVER {
        files::remove(&world.migration.state.join("state.db")).unwrap();
    }
    let World { _temporary: folder, top, .. } = world;
    World { _temporary: folder, ..world_of(name, Some(&top)) }
}

fn to_the_end(world: &World, name: &str) -> Ledger {
    if name == RECOVER {
        let (none, mut store) = (BTreeSet::new(), Store::rebuild(&world.migration.state, &world.clock).unwrap());
        match crate::rollout::recover(&mut store, &world.request(false, &none, &|_| {})) {
            Ok(found) => assert_eq!(found.len(), 3, "{found:?}"),
            // The kill came after its last write.
            Err(error) => assert!(error.to_string().contains("the state is there"), "{error}"),
        }
    }
    if name != REVERT {
        let ledger = world.run().unwrap();
        if name != "by hand" {
            return ledger;
        }
    }
    let ledger = crate::rollout::roll_back(&mut world.store(), &Scope::All, &Hooks::none()).unwrap();
    if name == REVERT { world.run().unwrap() } else { ledger }
}

#[test]
#[ignore = "started by the other tests of this room, which kill it"]
fn child() {
    let top = PathBuf::from(std::env::var_os(CHILD_TOP).unwrap());
    let name = std::env::var(CHILD_HOW).unwrap();
    to_the_end(&world_of(&name, Some(&top)), &name);
}

/// Runs [`child`] over `world` with a fault; its status and whether it was killed.
fn run_child(world: &World, how: &str, variable: &str, value: &str) -> bool {
    let child = crate::process::Invocation::new(std::env::current_exe().unwrap())
        .args(["--exact", "rollout::tests::killed::child", "--ignored", "--test-threads=1"])
        .env(CHILD_TOP, &world.top)
        .env(CHILD_HOW, how)
        .env(variable, value);
    let output = child.run().unwrap();
    output.status.success()
}

type End = (Ledger, Option<String>, Option<Digest>, Bytes);

/// What has to be the same however often a run was killed.
fn end_of(world: &World, mut ledger: Ledger) -> End {
    // Commits carry the time at which they were made; their branches do not.
    for row in &mut ledger.rows {
        row.branch = row.branch.take().map(|(name, _)| (name, None));
    }
    let branches = world.fleet.workspaces[0]
        .git
        .as_ref()
        .map(|_| run_git(&world.top, &["for-each-ref", "--format=%(refname) %(tree)", "refs/heads"]));
    let sets = files::folder_digest(&world.migration.state.join("change-sets")).unwrap();
    let relative = |(path, content): (PathBuf, _)| (path.strip_prefix(&world.top).unwrap().to_owned(), content);
    let bytes: BTreeMap<_, _> = world.bytes().into_iter().map(relative).collect();
    (ledger, branches, sets, bytes)
}

/// Kills `name` at every point that it passes, and runs it to its end again.
fn killed_everywhere(name: &str) {
    let whole = begun(name);
    let log = whole.top.join("points");
    assert!(run_child(&whole, name, crate::fault::LOG_VARIABLE, log.to_str().unwrap()));
    let log = std::fs::read_to_string(&log).unwrap();
    let expected = end_of(&whole, to_the_end(&whole, name));
    let mut hits: BTreeMap<&str, u32> = BTreeMap::new();
    let points: Vec<String> = log
        .lines()
        .map(|point| {
            let hit = hits.entry(point).or_default();
            *hit += 1;
            format!("{point}#{hit}")
        })
        .collect();
    assert!(points.len() > 20, "{points:?}");
    // What goes back by hand got there as `checkout` does, which is killed already.
    let begin = if name == "by hand" {
        points.iter().position(|point| point.starts_with("journal.wave.rollback"))
    } else {
        Some(0)
    };
    points[begin.unwrap()..].par_iter().for_each(|point| {
        let world = begun(name);
        let ended = run_child(&world, name, crate::fault::POINT_VARIABLE, point);
        assert!(!ended, "{name}: {point} killed nothing");
        let found = end_of(&world, to_the_end(&world, name));
        assert_eq!(found, expected, "{name}: killed at {point}");
    });
}

#[test]
fn patches_end_the_same_wherever_they_are_killed() {
    killed_everywhere("patches");
}

#[test]
fn checkouts_end_the_same_wherever_they_are_killed() {
    killed_everywhere("checkout");
}

#[test]
fn branches_end_the_same_wherever_they_are_killed() {
    killed_everywhere("branch");
}

#[test]
fn a_rollback_by_hand_ends_the_same_wherever_it_is_killed() {
    killed_everywhere("by hand");
}

#[test]
fn reverts_end_the_same_wherever_they_are_killed() {
    killed_everywhere(REVERT);
}

#[test]
fn what_is_made_anew_ends_the_same_wherever_it_is_killed() {
    killed_everywhere(SUPERSEDE);
}

#[test]
fn a_recovery_ends_the_same_wherever_it_is_killed() {
    killed_everywhere(RECOVER);
}
