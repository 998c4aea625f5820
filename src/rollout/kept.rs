//! The waves that stand when a changed plan or migration is taken in. One of which nothing is
//! otherwise than it was stays what it is: it passed by what is still there, or bakes on.

use std::collections::{BTreeMap, BTreeSet};

use super::RolloutError;
use super::bind::{deliverable, out_there};
use super::reopen;
use super::rollback::BY_HAND;
use super::supersede::Turned;
use crate::digest::Digest;
use crate::state::{Binding, DeliveryRecord, DeliveryState, Store, WaveRecord, WaveState, WorkspaceRecord};
use crate::transform::WorkspacePlan;

/// The waves that stand.
pub(super) struct Kept {
    pub waves: Vec<WaveRecord>,
    /// Those of them that failed or were taken back: what is still out of them shows nothing.
    pub back: BTreeSet<u32>,
}

/// What is as it was before the change.
pub(super) struct Still<'t> {
    /// How change sets are verified, and what waves are judged by.
    gates: bool,
    /// Which change sets go out, and where.
    delivery: bool,
    plans: BTreeMap<&'t str, Digest>,
    /// Whose change sets are made anew.
    anew: BTreeSet<&'t str>,
}

impl<'t> Still<'t> {
    /// By what the state is bound to and what it is to be bound to, where there is both.
    pub(super) fn of(
        store: &Store,
        bindings: Option<(&Binding, &Binding)>,
        (before, turned): (&'t BTreeMap<String, WorkspaceRecord<WorkspacePlan>>, &'t Turned<'_>),
    ) -> Result<Self, RolloutError> {
        let (mut gates, mut delivery) = (false, false);
        if let Some((found, wanted)) = bindings {
            let (terms, now) = (store.bound_terms(&found.migration)?, &wanted.terms);
            gates = terms.gates.is_some() && terms.gates == now.gates && found.verify_digest == wanted.verify_digest;
            delivery = terms.delivery.is_some() && terms.delivery == now.delivery;
        }
        let plans = before.iter().map(|(id, record)| (id.as_str(), record.plan_digest)).collect();
        let anew = turned.anew.iter().chain(&turned.over).map(String::as_str).collect();
        Ok(Self { gates, delivery, plans, anew })
    }

    /// Whether a wave and all that it was judged by are the same.
    fn holds(&self, wave: &WaveRecord, is_same: &dyn Fn(&str) -> bool) -> bool {
        use WaveState as W;
        self.gates
            && matches!(wave.state, W::Passed(_) | W::Baking | W::Judging | W::Inconclusive(_))
            && wave.members.iter().all(|id| is_same(id))
    }
}

/// The waves that stand when a change is taken in: those of which nothing changed, as they are, and those
/// with a change set that is out. What else is in these is verified again, and they are judged again.
/// And whose deliveries are forgotten.
pub(super) fn kept_waves(
    store: &Store,
    now: &[WorkspaceRecord<&WorkspacePlan>],
    still: &Still<'_>,
) -> Result<(Kept, Vec<String>), RolloutError> {
    let now: BTreeMap<&str, &WorkspaceRecord<&WorkspacePlan>> = now.iter().map(|w| (w.place.id.as_str(), w)).collect();
    let deliveries = store.deliveries()?;
    let is_out = |id: &str| deliveries.get(id).is_some_and(|record| out_there(&record.state));
    let by_hand = |id: &str| {
        deliveries.get(id).is_some_and(|one| one.state == DeliveryState::RolledBack && one.because == BY_HAND)
    };
    // What owners threw away, or a person took back, comes again unasked for nobody.
    let thrown = |id: &str| by_hand(id) || deliveries.get(id).is_some_and(|one| one.state.is_thrown_away());
    let is_same = |id: &str| {
        let here = now.get(id).map_or_else(|| is_out(id), |w| still.plans.get(id) == Some(&w.plan_digest));
        // What was kept back, or failed, meets the same end again where nothing says otherwise.
        let ended =
            deliveries.get(id).is_some_and(|record| has_ended(record) && (still.delivery || out_there(&record.state)));
        here && !still.anew.contains(id) && (ended || thrown(id))
    };
    let mut kept = Kept { waves: Vec::new(), back: BTreeSet::new() };
    let mut stay: BTreeSet<String> = BTreeSet::new();
    for mut wave in store.waves()? {
        if still.holds(&wave, &is_same) {
            stay.extend(wave.members.iter().cloned());
            kept.waves.push(wave);
            continue;
        }
        let stays = |id: &str| now.get(id).map_or_else(|| is_out(id), |w| deliverable(w.plan));
        wave.members.retain(|id| stays(id));
        if reopen::is_back(&wave) {
            kept.back.insert(wave.number);
            if !reopen::is_by_hand(&wave) {
                // Only what is stuck: everybody else comes again in waves of their own.
                wave.members.retain(|id| is_out(id));
            }
        }
        if reopen::is_by_hand(&wave) {
            kept.waves.push(wave);
        } else if wave.members.iter().any(|id| is_out(id)) {
            wave.state = WaveState::Running;
            wave.since = None;
            kept.waves.push(wave);
        } else if wave.members.iter().any(|id| by_hand(id)) {
            // Nobody else of it got anything: whoever is left of it is planned anew.
            wave.members.retain(|id| by_hand(id));
            kept.waves.push(wave);
        }
    }
    let forgotten = deliveries.keys().filter(|id| !is_out(id) && !thrown(id) && !stay.contains(*id)).cloned().collect();
    Ok((kept, forgotten))
}

/// Nothing of it is on its way, or to be made anew.
fn has_ended(record: &DeliveryRecord) -> bool {
    use DeliveryState as D;
    !matches!(record.state, D::Waiting | D::Superseded | D::Delivering)
}
