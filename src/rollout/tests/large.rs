//! A fleet of 12,000 in the state: what the person on call asks for is answered at once.

use std::time::Instant;

use super::*;
use crate::state::{Binding, ConsumerRecord, DeliveryRecord, Entry, WaveRecord, WorkspaceRecord};
use crate::verify::{StepEnd, StepResult};

const FLEET: usize = 12_000;

/// A state as a rollout of 12,000 leaves it: plans of the size of real ones, every
/// verdict with what its steps printed, every change set out.
fn fleet(world: &World, store: &mut Store) {
    let step = || StepResult {
        name: "tests".to_owned(),
        command: vec!["sh".to_owned(), "ci.sh".to_owned()],
        end: StepEnd::Exited(0),
        millis: 1200,
        output: "collected 41 items\n".repeat(60),
    };
    let name = |index: usize| format!("apps/c{index:05}");
    let plan = &world.plan.workspaces[0];
    let workspaces: Vec<WorkspaceRecord<WorkspacePlan>> = (0..FLEET)
        .map(|index| WorkspaceRecord {
            place: Workspace { id: name(index), ..world.fleet.workspaces[0].clone() },
            pin: plan.pin.clone(),
            plan: WorkspacePlan { id: name(index), ..plan.clone() },
            plan_digest: Digest::of(name(index).as_bytes()),
        })
        .collect();
    let consumers: Vec<ConsumerRecord> = (0..FLEET)
        .map(|index| ConsumerRecord {
            entity: format!("component:default/c{index:05}"),
            owner: Some("group:default/team".to_owned()),
            workspace: Some(name(index)),
            unresolved: None,
            lifecycle: None,
            upstream: Vec::new(),
        })
        .collect();
    let sizes = [1, 11, 588, 11_400];
    let mut all = (0..FLEET).map(name);
    let waves: Vec<WaveRecord> = (1..)
        .zip(sizes)
        .map(|(number, size)| WaveRecord {
            state: if number < 4 { WaveState::Passed("well".to_owned()) } else { WaveState::Running },
            ..WaveRecord::planned(number, size.to_string(), all.by_ref().take(size).collect())
        })
        .collect();
    let digest = Digest::of(b"m");
    let binding = Binding {
        migration: "users-v2".to_owned(),
        migration_digest: digest,
        plan_digest: digest,
        verify_digest: digest,
        terms: Default::default(),
    };
    let by_plan: Vec<WorkspaceRecord<&WorkspacePlan>> = workspaces
        .iter()
        .map(|one| WorkspaceRecord {
            place: one.place.clone(),
            pin: one.pin.clone(),
            plan: &one.plan,
            plan_digest: one.plan_digest,
        })
        .collect();
    store.bind(&binding, &consumers, &by_plan, &waves, &[]).unwrap();
    let verdict = Verdict { baseline: vec![step()], patched: vec![step()], ..verdict(VerdictKind::Pass) };
    for (index, record) in workspaces.iter().enumerate() {
        let key = crate::rollout::snapshot::verdict_key(&record.plan_digest, &digest);
        let id = name(index);
        store.record_verdict(&id, &key, &verdict, &Entry::of("verify", &*id, "")).unwrap();
        let folder = format!("change-sets/wave-1/c{index:05}");
        let waiting = DeliveryRecord::waiting(Delivery::Patches, 1, folder, (digest, digest, digest));
        let delivery = DeliveryRecord { state: DeliveryState::Delivered, ..waiting };
        store.record_delivery(&id, &delivery, &Entry::of("deliver.patches", &*id, "")).unwrap();
    }
}

#[test]
#[ignore = "a figure, not a promise of a busy machine: cargo test --release --lib large -- --ignored --nocapture"]
fn status_and_a_decision_over_12_000_consumers() {
    let mut world = World::new(Delivery::Patches, &changed(1), &[VerdictKind::Pass]);
    world.migration.state = tempfile::tempdir_in("/dev/shm").unwrap().keep();
    let mut store = world.store();
    fleet(&world, &mut store);
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        println!("{what}: {} ms", begun.elapsed().as_millis());
    };
    timed("status", &mut || assert_eq!(ledger(&store).unwrap().rows.len(), FLEET));
    let only = BTreeSet::new();
    let request = world.request(false, &only, &|_| {});
    let wave = store.waves().unwrap().pop().unwrap();
    crate::rollout::driver::move_waves(&mut store, &[&wave], crate::rollout::machine::wave::Event::Whole, "").unwrap();
    timed("a wave decision", &mut || {
        assert!(crate::rollout::judge::judge_wave(&mut store, &request, 4).unwrap());
    });
    drop(store);
    std::fs::remove_dir_all(&world.migration.state).unwrap();
}
