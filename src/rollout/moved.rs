//! Consumers whose code lies elsewhere now. Decisions and deliveries are on record by where code
//! lies; what a person or an owner said of a consumer holds wherever that is.
//!
//! Must not: carry over what is out, which stays on record where it was delivered.

use std::collections::BTreeMap;

use super::RolloutError;
use super::rollback::BY_HAND;
use crate::state::{ConsumerRecord, DecisionKind, DeliveryRecord, DeliveryState, Entry, Store};

/// Carries over who is left out, what a person took back and what owners threw away, for
/// consumers that lie where nobody of the rollout has lain before.
///
/// # Errors
/// Where the state can't be used.
pub(super) fn carry_over(
    store: &mut Store,
    now: &[ConsumerRecord],
    is_known: &dyn Fn(&str) -> bool,
) -> Result<(), RolloutError> {
    let before: BTreeMap<String, Option<String>> =
        store.consumers()?.into_iter().map(|one| (one.entity, one.workspace)).collect();
    let moves = now.iter().filter_map(|one| {
        let (old, new) = (before.get(&one.entity)?.as_ref()?, one.workspace.as_ref()?);
        (old != new && !is_known(new)).then_some((one.entity.as_str(), old, new))
    });
    let moves: Vec<(&str, &String, &String)> = moves.collect();
    if moves.is_empty() {
        return Ok(());
    }
    let (decisions, mut deliveries) = (store.decisions()?, store.deliveries()?);
    for (entity, old, new) in moves {
        let key = |id: &String| (DecisionKind::Exclude, id.clone());
        if decisions.contains_key(&key(old)) && !decisions.contains_key(&key(new)) {
            let entry = Entry::of("exclude", &**new, format!("{entity} lay at {old}, and was left out there"));
            store.copy_decision(DecisionKind::Exclude, (old, new), &entry)?;
        }
        let said = deliveries.get(old).and_then(|record| carried(record, old));
        if let Some(state) = said.filter(|_| !deliveries.contains_key(new)) {
            let was = &deliveries[old];
            let ends = (was.change_id, was.before, was.after);
            let record = DeliveryRecord::waiting(was.how, was.wave, was.folder.clone(), ends);
            let record = DeliveryRecord { state, because: was.because.clone(), ..record };
            let entry = Entry::of("carry", &**new, format!("{entity} lay at {old}, and {}", was.state.as_str()))
                .moving(was.state.as_str(), record.state.as_str());
            store.record_delivery(new, &record, &entry)?;
            deliveries.insert(new.clone(), record);
        }
    }
    Ok(())
}

/// Where a delivery stands that does not come again by itself, said of another place.
fn carried(record: &DeliveryRecord, old: &str) -> Option<DeliveryState> {
    match &record.state {
        DeliveryState::RolledBack if record.because == BY_HAND => Some(DeliveryState::RolledBack),
        DeliveryState::Closed(why) => Some(DeliveryState::Closed(format!("{why} (it lay at {old} then)"))),
        DeliveryState::Replaced(why) => Some(DeliveryState::Closed(format!("{why} (it lay at {old} then)"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Delivery;
    use crate::digest::Digest;
    use crate::state::Binding;
    use crate::transform::WorkspacePlan;

    #[test]
    fn of_two_that_move_to_one_place_what_was_said_first_holds() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), &Clock::at(1)).unwrap();
        let states = [DeliveryState::Closed("it was deleted".to_owned()), DeliveryState::RolledBack];
        for (name, state) in ["a", "b"].into_iter().zip(states) {
            let ends = (Digest::of(b"c"), Digest::of(b"1"), Digest::of(b"2"));
            let record = DeliveryRecord::waiting(Delivery::Push, 1, String::new(), ends);
            let record = DeliveryRecord { state, because: BY_HAND.to_owned(), ..record };
            store.record_delivery(&format!("apps/{name}"), &record, &Entry::of("x", name, "")).unwrap();
        }
        let at = |place: Option<&str>| {
            let one = |name: &str| ConsumerRecord {
                entity: name.to_owned(),
                owner: None,
                workspace: Some(place.map_or_else(|| format!("apps/{name}"), str::to_owned)),
                unresolved: None,
                lifecycle: None,
                upstream: Vec::new(),
            };
            ["a", "b"].map(one)
        };
        let [migration_digest, plan_digest, verify_digest] = [b"m", b"p", b"v"].map(|name| Digest::of(name));
        let binding = Binding {
            migration: "m".to_owned(),
            migration_digest,
            plan_digest,
            verify_digest,
            terms: Default::default(),
        };
        store.bind::<WorkspacePlan>(&binding, &at(None), &[], &[], &[]).unwrap();
        carry_over(&mut store, &at(Some("mono")), &|id| id != "mono").unwrap();
        let carried = store.delivery("mono").unwrap().unwrap();
        assert!(matches!(&carried.state, DeliveryState::Closed(why) if why.contains("apps/a")), "{carried:?}");
        assert_eq!(store.journal().unwrap().iter().filter(|line| line.entry.point == "carry").count(), 1);
    }
}
