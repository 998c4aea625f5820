//! All that is recorded of one consumer, for a person who has to decide.

use super::ledger::{LedgerRow, ledger};
use super::observe::{is_unclear, was_not_made_anew};
use super::rollback::shown;
use super::snapshot::Snapshot;
use super::{Outcome, RolloutError, Verdict, WorkspacePlan, deliver, unclear};
use crate::state::{DeliveryRecord, DeliveryState, Recorded, Store};
use crate::transform::{Finding, FindingKind};

/// All that is recorded of one consumer.
#[derive(Clone, Debug, serde::Serialize)]
pub struct View {
    /// Its line in the ledger.
    pub row: LedgerRow,
    /// The other consumers of its workspace.
    pub shared_with: Vec<String>,
    /// What the rules make of it; `None` where it is unresolved.
    pub plan: Option<WorkspacePlan>,
    /// What verification found; `None` where its wave has not come.
    pub verdict: Option<Verdict>,
    /// Where its change set stands.
    pub delivery: Option<DeliveryRecord>,
    /// What a person can do where gander does nothing by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The lines of the journal about its workspace, oldest first.
    pub history: Vec<Recorded>,
}

/// Looks up a consumer by its whole reference.
///
/// # Errors
/// [`RolloutError::NoSuch`] where there is none by that name, and where the state
/// can't be read.
pub fn look(store: &Store, entity: &str) -> Result<View, RolloutError> {
    let rows = ledger(store)?.rows;
    let row = rows.iter().find(|row| row.entity == entity).cloned();
    let row = row.ok_or_else(|| RolloutError::NoSuch { what: format!("consumer {entity}") })?;
    let mut snapshot = Snapshot::read(store)?;
    let shares = |other: &&LedgerRow| other.workspace.is_some() && other.workspace == row.workspace;
    let others = rows.iter().filter(shares).filter(|other| other.entity != entity);
    let shared_with = others.map(|other| other.entity.clone()).collect();
    let id = row.workspace.clone().unwrap_or_default();
    let history = store.journal_of(&id)?;
    let next = snapshot.deliveries.get(&id).and_then(|record| next(store, &snapshot, &id, record));
    Ok(View {
        next,
        shared_with,
        plan: snapshot.workspaces.remove(&id).map(|record| record.plan),
        verdict: snapshot.verdicts.remove(&id),
        delivery: snapshot.deliveries.remove(&id),
        history,
        row,
    })
}

/// What a person can do about a delivery of which gander does not know, or that it can't take back.
fn next(store: &Store, snapshot: &Snapshot, id: &str, record: &DeliveryRecord) -> Option<String> {
    if is_unclear(record) {
        return Some(unclear::what_to_do(snapshot, id, record));
    }
    let DeliveryState::Conflict(_) = &record.state else { return None };
    // Nobody wants it back: its owner goes on with the branch.
    if was_not_made_anew(record) {
        return None;
    }
    let name = snapshot.consumers.iter().find(|one| one.workspace.as_deref() == Some(id));
    let name = name.map_or(id, |one| shown(&one.entity));
    let sides = store.folder().join(&record.folder).join(deliver::SIDE_BY_SIDE);
    let look = match sides.is_dir() {
        true => format!("put the versions in {} together in its code", sides.display()),
        false => "mend what stands in the way".to_owned(),
    };
    Some(format!("{look}, then `gander rollback --consumer {name}`"))
}

/// What happened to a consumer and to its wave, oldest first.
///
/// # Errors
/// As [`look`].
pub fn history(store: &Store, entity: &str) -> Result<Vec<Recorded>, RolloutError> {
    let consumers = store.consumers()?;
    let found = consumers.into_iter().find(|consumer| consumer.entity == entity);
    let found = found.ok_or_else(|| RolloutError::NoSuch { what: format!("consumer {entity}") })?;
    let id = found.workspace.unwrap_or_default();
    let mut history = store.journal_of(&id)?;
    for wave in store.waves()?.iter().filter(|wave| wave.members.contains(&id)) {
        history.extend(store.journal_of(&format!("wave {}", wave.number))?);
    }
    history.sort_by_key(|line| line.seq);
    Ok(history)
}

/// What of a consumer is left to people.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Left {
    /// Its line in the ledger.
    pub row: LedgerRow,
    /// The places, in order; none where the consumer as a whole waits.
    pub findings: Vec<Finding>,
}

/// Every consumer that people have something to do for, ordered by reference: places that
/// were annotated or refused, files that could not be searched, and consumers that are held,
/// regressed or not found.
///
/// # Errors
/// Where the state can't be read.
pub fn left(store: &Store) -> Result<Vec<Left>, RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let waits = |outcome: Outcome| {
        matches!(
            outcome,
            Outcome::Annotated
                | Outcome::Refused
                | Outcome::Regressed
                | Outcome::Unverified
                | Outcome::Unresolved
                | Outcome::RolledBack
                | Outcome::Errored
        )
    };
    let of_people =
        |kind: FindingKind| matches!(kind, FindingKind::Annotated | FindingKind::Refused | FindingKind::Errored);
    let mut all = Vec::new();
    for row in ledger(store)?.rows {
        let record = row.workspace.as_ref().and_then(|id| snapshot.workspaces.get(id));
        let findings = record.map_or(&[][..], |record| record.plan.findings.as_slice());
        let findings: Vec<Finding> = findings.iter().filter(|finding| of_people(finding.kind)).cloned().collect();
        let unsearched = record.is_some_and(|record| record.plan.unsearched() > 0);
        if !findings.is_empty() || unsearched || waits(row.outcome) {
            all.push(Left { row, findings });
        }
    }
    Ok(all)
}
