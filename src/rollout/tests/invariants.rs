//! What holds in every history.

use crate::verify::VerdictKind;
use proptest::prelude::*;

use super::*;

fn any_result() -> impl Strategy<Value = Transformed> {
    prop_oneof![
        5 => Just(Transformed::Changed),
        2 => Just(Transformed::Annotated("left".to_owned())),
        1 => Just(Transformed::Unchanged),
        1 => Just(Transformed::Refused("no".to_owned())),
    ]
}

fn any_verdict() -> impl Strategy<Value = VerdictKind> {
    use VerdictKind as V;
    prop_oneof![
        8 => Just(V::Pass),
        1 => Just(V::Regressed),
        1 => Just(V::BaselineBroken),
        1 => Just(V::NoData),
        1 => Just(V::Infra),
    ]
}

fn any_disposition() -> impl Strategy<Value = Disposition> {
    use Disposition::{Approve, Deliver, Hold};
    prop_oneof![Just(Deliver), Just(Hold), Just(Approve)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold(
        parts in prop::collection::vec((any_result(), any_verdict()), 1..7),
        annotated in any_disposition(),
        unverified in any_disposition(),
        all in any::<bool>(),
        interruptions in prop::collection::vec(0_usize..7, 0..3),
    ) {
        let (results, verdicts): (Vec<_>, Vec<_>) = parts.iter().cloned().unzip();
        let mut world = World::new(Delivery::Checkout, &results, &verdicts);
        world.migration.policy = Policy { annotated, unverified, ..Policy::default() };
        world.migration.rollout.on_failed_gate =
            if all { OnFailedGate::RollbackAll } else { OnFailedGate::RollbackWave };
        // Earlier runs in which some verdicts did not come.
        for missing in interruptions {
            let kept = world.verdicts.remove(&missing);
            world.run().unwrap();
            kept.map(|kind| world.verdicts.insert(missing, kind));
        }
        let ledger = world.run().unwrap();
        prop_assert_eq!(ledger.rows.len(), results.len() + 1);
        let judged = |n: u32| ledger.waves.iter().any(|w| w.number == n && matches!(w.state, WaveState::Passed(_) | WaveState::RolledBack(_)));
        for (index, (result, kind)) in parts.iter().enumerate() {
            let row = &ledger.rows[index];
            let now = std::fs::read_to_string(world.root(index).join("q.sql")).unwrap();
            let is_new = now == NEW;
            prop_assert!(is_new || now == OLD);
            prop_assert_eq!(world.root(index).join("gone.sh").exists(), !is_new);
            prop_assert_eq!(world.root(index).join("new").exists(), is_new);
            if is_new {
                prop_assert!(matches!(row.outcome, Outcome::Changed | Outcome::Annotated));
                let changes = matches!(result, Transformed::Changed | Transformed::Annotated(_));
                let held = matches!(kind, VerdictKind::Regressed | VerdictKind::Infra)
                    || !changes
                    || (*kind != VerdictKind::Pass && unverified != Disposition::Deliver)
                    || (*result != Transformed::Changed && annotated != Disposition::Deliver);
                prop_assert!(!held, "{:?}", row);
                let wave = row.wave.unwrap();
                let earlier = ledger.waves.iter().filter(|w| w.number < wave);
                prop_assert!(earlier.map(|w| w.number).all(judged));
            }
            if row.outcome == Outcome::RolledBack {
                prop_assert!(!is_new);
            }
        }
        prop_assert_eq!(&world.run().unwrap(), &ledger);
        let mut verified = world.verified.borrow().clone();
        verified.sort_unstable();
        let ledger = crate::rollout::roll_back(&mut world.store(), &Scope::All, &Hooks::none()).unwrap();
        prop_assert!(ledger.rows.iter().all(|row| row.outcome != Outcome::Changed));
        prop_assert_eq!(run_git(&world.top, &["status", "--porcelain"]), "");
    }
}
