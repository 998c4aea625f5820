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
    let (decisions, deliveries) = (store.decisions()?, store.deliveries()?);
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
