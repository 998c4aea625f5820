//! Verdicts over a wave: asked for where there are none, and recorded each as soon as it is
//! there.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use serde::Serialize;

use super::driver::chosen;
use super::machine::consumer;
use super::requests::heed_urgent;
use super::snapshot::{Snapshot, verdict_key};
use super::{Request, RolloutError, ToVerify};
use crate::config::Disposition;
use crate::digest::Digest;
use crate::state::{DecisionKind, Entry, Store, WorkspaceRecord};
use crate::transform::WorkspacePlan;
use crate::verify::{Strength, Verdict, VerdictKind};
use crate::workspace::{Pin, Workspace};

/// Verifies those of `members` that have no verdict yet, and records each as soon
/// as it is there.
pub(super) fn verify(store: &mut Store, request: &Request<'_>, members: &[String]) -> Result<(), RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let Some(binding) = store.binding()? else {
        return Ok(());
    };
    let first = snapshot.waves.first().map(|wave| wave.members.clone()).unwrap_or_default();
    // The first wave is always challenged, also where a verdict is known from a later one; all are where the policy
    // keeps back what is weak.
    let asks = request.migration.policy.weak != Disposition::Deliver;
    let challenged = |id: &str| asks || first.iter().any(|member| member == id);
    let unchallenged = |id: &str, verdict: &Verdict| {
        challenged(id)
            && !snapshot.deliveries.contains_key(id)
            && verdict.kind == VerdictKind::Pass
            && verdict.evidence.is_none()
    };
    let lacks = |id: &str| {
        snapshot.excluded(id).is_none() && snapshot.verdict(id).is_none_or(|verdict| unchallenged(id, verdict))
    };
    let missing: BTreeSet<&str> =
        members.iter().map(String::as_str).filter(|id| lacks(id) && chosen(&snapshot, request, id)).collect();
    let places = &request.fleet.workspaces;
    let indices: Vec<usize> = (0..places.len()).filter(|index| missing.contains(places[*index].id.as_str())).collect();
    if indices.is_empty() {
        return Ok(());
    }
    let wanted: Vec<ToVerify> =
        indices.iter().map(|index| ToVerify { index: *index, challenge: challenged(&places[*index].id) }).collect();
    let allowed: BTreeSet<usize> = indices.into_iter().collect();
    let desk = Desk { shared: Mutex::new((store, None)), places, snapshot: &snapshot, steps: binding.verify_digest };
    let take = |index: usize, verdict: Verdict| {
        if allowed.contains(&index) {
            desk.record(index, &verdict);
        }
    };
    (request.verify)(&wanted, &|index| desk.may_begin(index), &take);
    let (_, error) = match desk.shared.into_inner() {
        Ok(inner) => inner,
        Err(poisoned) => poisoned.into_inner(),
    };
    match error {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Where threads that verify come by: to hear whether they may begin, and with what they found.
struct Desk<'a> {
    /// The state, and the first error in using it: then nothing more is begun or recorded.
    shared: Mutex<(&'a mut Store, Option<RolloutError>)>,
    places: &'a [Workspace],
    snapshot: &'a Snapshot,
    steps: Digest,
}

impl<'a> Desk<'a> {
    fn lock(&self) -> MutexGuard<'_, (&'a mut Store, Option<RolloutError>)> {
        match self.shared.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    /// Nobody wants an end since, and nobody has excluded it.
    fn may_begin(&self, index: usize) -> bool {
        let mut guard = self.lock();
        let (store, error) = &mut *guard;
        let Some(place) = self.places.get(index).filter(|_| error.is_none()) else { return false };
        let asked = heed_urgent(store, &|_| {})
            .and_then(|goes_on| Ok(goes_on && store.decision(DecisionKind::Exclude, &place.id)?.is_none()));
        asked.unwrap_or_else(|failed| {
            *error = Some(failed);
            false
        })
    }

    fn record(&self, index: usize, verdict: &Verdict) {
        let mut guard = self.lock();
        let (store, error) = &mut *guard;
        let record = self.places.get(index).and_then(|place| self.snapshot.workspaces.get(&place.id));
        let Some(record) = record.filter(|_| error.is_none()) else { return };
        let id = record.place.id.as_str();
        let from = match self.snapshot.verdict(id) {
            Some(_) => consumer::State::Verified,
            None => consumer::State::Transformed,
        };
        let key = verdict_key(&record.plan_digest, &self.steps);
        *error = match from.step(consumer::Event::Verify, id) {
            Err(forbidden) => Some(forbidden.into()),
            Ok(to) => {
                let entry = Entry::of("verify", id, &*verdict.reason)
                    .moving(from.as_str(), to.as_str())
                    .resting_on(&Seen::of(verdict, record, &key));
                store.record_verdict(id, &key, verdict, &entry).err().map(RolloutError::from)
            }
        };
    }
}

/// What the journal keeps of an attempt: the latest whole verdict is in the state.
#[derive(Serialize)]
struct Seen<'a> {
    verdict: VerdictKind,
    evidence: Option<Strength>,
    signature: Option<&'a str>,
    flags: usize,
    steps: (usize, usize),
    tests: (u64, u64),
    pin: Option<&'a Pin>,
    plan: String,
    key: String,
}

impl<'a> Seen<'a> {
    fn of(verdict: &'a Verdict, about: &'a WorkspaceRecord<WorkspacePlan>, key: &Digest) -> Self {
        Self {
            verdict: verdict.kind,
            evidence: verdict.strength(),
            signature: verdict.signature.as_deref(),
            flags: verdict.flags.len(),
            steps: (verdict.baseline.len(), verdict.patched.len()),
            tests: verdict.tests,
            pin: about.pin.as_ref(),
            plan: about.plan_digest.to_string(),
            key: key.to_string(),
        }
    }
}
