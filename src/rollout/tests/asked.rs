//! What people ask of a run while it is at work: it reads that before each thing that it
//! begins.

use super::*;
use crate::rollout::{Ask, heed};
use crate::state::{self, Answer, DeliveryRecord, Entry};

/// Leaves a request as another process does, beside the controller that holds the lock.
fn ask(world: &World, what: &Ask) {
    state::ask(&world.migration.state, "ana", world.clock.now(), what, &what.entry()).unwrap();
}

/// Runs, and asks once the consumer `at` is verified.
fn run_and_ask(world: &World, at: usize, what: &Ask) -> Ledger {
    let (only, mut store) = (BTreeSet::new(), world.store());
    let verify = |wanted: &[ToVerify], may_begin: &MayBegin<'_>, take: &TakeVerdict<'_>| {
        for index in wanted.iter().map(|wanted| wanted.index).filter(|index| may_begin(*index)) {
            world.verified.borrow_mut().push(index);
            if let Some(kind) = world.verdicts.get(&index) {
                take(index, verdict(*kind));
            }
            if index == at {
                ask(world, what);
            }
        }
    };
    let request = Request { verify: &verify, ..world.request(false, &only, &|_| {}) };
    crate::rollout::run(&mut store, &request).unwrap()
}

/// Three consumers in one wave, or one after the other.
fn world(one_wave: bool) -> World {
    let mut world = World::new(Delivery::Checkout, &changed(3), &[VerdictKind::Pass; 3]);
    world.migration.rollout.first = (0..3).map(|index| entity(&format!("c{index}"))).collect();
    let size = |count: u64| WaveSize { text: count.to_string(), parts: vec![WavePart::Count(count)] };
    world.migration.rollout.waves = if one_wave { vec![size(3)] } else { (1..4).map(size).collect() };
    world
}

fn outs(world: &World) -> Vec<bool> {
    (0..3).map(|index| std::fs::read_to_string(world.root(index).join("q.sql")).unwrap() == NEW).collect()
}

/// The points of the journal that `ana` is named for.
fn by_ana(world: &World) -> Vec<String> {
    let journal = world.store().journal().unwrap();
    journal.into_iter().filter(|line| line.actor == "ana").map(|line| line.entry.point).collect()
}

#[test]
fn a_pause_gets_through_to_a_run_at_work() {
    let world = world(true);
    let ledger = run_and_ask(&world, 0, &Ask::Pause { reason: "the pager rings".to_owned() });
    let RunEnd::Paused { wave: 1, by: Some(by), .. } = &ledger.end else { panic!("{:?}", ledger.end) };
    assert_eq!((by.as_str(), world.verified.borrow().as_slice()), ("ana", &[0][..]), "nothing more is begun");
    assert_eq!(outs(&world), [false; 3]);
    assert_eq!(by_ana(&world), ["asked.pause", "pause"]);
    crate::rollout::resume(&mut world.store(), "").unwrap();
    assert_eq!(world.run().unwrap().end, RunEnd::Complete);
}

#[test]
fn whom_somebody_excludes_meanwhile_is_left_out() {
    let world = world(true);
    let (entity, reason) = ("component:default/c2".to_owned(), "audit".to_owned());
    let ledger = run_and_ask(&world, 0, &Ask::Exclude { entity, reason });
    assert_eq!((ledger.end.clone(), outs(&world)), (RunEnd::Complete, vec![true, true, false]));
    assert_eq!(*world.verified.borrow(), [0, 1]);
    assert_eq!(ledger.rows[2].reason, "excluded by ana: audit");
    // After it was verified, it is kept back just before it would go out.
    let world = self::world(true);
    let (entity, reason) = ("component:default/c2".to_owned(), "audit".to_owned());
    let ledger = run_and_ask(&world, 2, &Ask::Exclude { entity, reason });
    assert_eq!((ledger.end.clone(), outs(&world)), (RunEnd::Complete, vec![true, true, false]));
}

#[test]
fn a_rollback_stops_a_run_at_work_and_takes_back() {
    let world = world(false);
    let ledger = run_and_ask(&world, 1, &Ask::RollBack { scope: Scope::All, untested: false });
    assert!(matches!(&ledger.end, RunEnd::RolledBack { reason, .. } if reason == "rolled back by hand"));
    assert_eq!((outs(&world), world.verified.borrow().as_slice()), (vec![false; 3], &[0, 1][..]));
    assert_eq!(ledger.rows[0].reason, "taken back by hand");
    let asked = by_ana(&world);
    assert_eq!((asked[0].as_str(), asked[1].as_str()), ("asked.rollback", "wave.rollback"));
}

#[test]
fn what_nobody_answered_the_next_one_does_and_what_cannot_be_is_said() {
    let world = world(false);
    world.run_as(false, &BTreeSet::from([entity("c0")])).unwrap();
    ask(&world, &Ask::RollBack { scope: Scope::Wave(3), untested: false });
    ask(&world, &Ask::Pause { reason: "lunch".to_owned() });
    let ledger = world.run().unwrap();
    assert!(matches!(ledger.end, RunEnd::Paused { by: Some(_), .. }), "{:?}", ledger.end);
    let mut store = world.store();
    let answered = |seq| store.answered(seq).unwrap().unwrap();
    assert!(matches!(answered(1), Answer::Refused(why) if why.contains("wave 3 was not opened")));
    assert!(matches!(answered(2), Answer::Done(text) if text.starts_with("paused: ")));
    let journal = store.journal().unwrap();
    heed(&mut store, &[], &Hooks::none()).unwrap();
    assert_eq!(store.journal().unwrap(), journal, "once");
    // What nobody can tell is no wrong question: it ends as it does where nobody else is at work.
    let id = store.deliveries().unwrap().into_keys().next().unwrap();
    let found = store.delivery(&id).unwrap().unwrap();
    let (state, doubt) = (DeliveryState::Closed("gone".to_owned()), Some("nobody can tell".to_owned()));
    let record = DeliveryRecord { state, doubt, ..found };
    store.record_delivery(&id, &record, &Entry::of("doubt", &*id, "nobody can tell")).unwrap();
    ask(&world, &Ask::RollBack { scope: Scope::Consumer("component:default/c0".to_owned()), untested: false });
    heed(&mut store, &[], &Hooks::none()).unwrap();
    let answer = store.answered(3).unwrap().unwrap();
    assert!(matches!(&answer, Answer::Failed(why) if why.contains("nobody can tell")), "{answer:?}");
}

#[test]
fn who_is_excluded_after_a_retry_was_asked_for_stays_excluded() {
    let world = world(false);
    let entity = || "component:default/c2".to_owned();
    let (only, mut store) = (BTreeSet::new(), world.store());
    let verify = |wanted: &[ToVerify], may_begin: &MayBegin<'_>, take: &TakeVerdict<'_>| {
        for index in wanted.iter().map(|wanted| wanted.index).filter(|index| may_begin(*index)) {
            take(index, verdict(VerdictKind::Pass));
            if index == 0 {
                ask(&world, &Ask::Retry { entity: entity() });
                ask(&world, &Ask::Exclude { entity: entity(), reason: "audit".to_owned() });
            }
        }
    };
    let request = Request { verify: &verify, ..world.request(false, &only, &|_| {}) };
    let ledger = crate::rollout::run(&mut store, &request).unwrap();
    assert_eq!(ledger.rows[2].reason, "excluded by ana: audit");
    let answered = |seq| store.answered(seq).unwrap().unwrap();
    assert!(
        matches!(answered(1), Answer::Refused(why) if why.contains("something else was asked")),
        "the later one holds"
    );
    assert!(matches!(answered(2), Answer::Done(_)));
}
