//! What a rollback would come to: the same questions as [`super::rollback`] asks, in its order.
//!
//! Must not: do anything, or record anything.

use super::RolloutError;
use super::back::is_only_below;
use super::bind::out_there;
use super::deliver::{self, Obstacle, Shipment, WayBack};
use super::end::RunEnd;
use super::observe::{Look, as_seen, is_unclear, look_around};
use super::rollback::{BY_HAND, Scope, stands_again};
use super::ship::{change_set, shipment, workspace};
use super::snapshot::Snapshot;
use super::versions::files_of;
use crate::state::{ConsumerRecord, DeliveryRecord, DeliveryState, Store, Wait, WaitFor};

/// What a rollback would come to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Prospects {
    /// What would be done, in its order.
    pub change_sets: Vec<Prospect>,
    /// Where what was asked for would stand then: rolled back, waiting, or paused where some of it needs a person.
    pub end: RunEnd,
}

/// What would come of taking back one consumer's change set.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Prospect {
    /// The workspace.
    pub workspace: String,
    /// Its wave.
    pub wave: u32,
    /// What would be done; why it can't be where `conflict` says so.
    pub what: String,
    /// A person would have to look.
    pub conflict: bool,
    /// What it would wait for, where it would not be back at once.
    pub waits: Option<WaitFor>,
    /// Consumers downstream whose change sets are out, too, and not part of this.
    pub dependants: Vec<String>,
}

/// What a rollback would come to, in its order: nothing is done, and nothing is recorded.
///
/// # Errors
/// As [`super::roll_back`].
pub fn dry_rollback(store: &Store, scope: &Scope) -> Result<Prospects, RolloutError> {
    let mut snapshot = Snapshot::read(store)?;
    let asked = asked(&snapshot, scope)?;
    see(store, &mut snapshot, &asked, scope)?;
    let known = asked.iter().filter_map(|(wave, id)| Some((*wave, id.as_str(), snapshot.deliveries.get(id)?)));
    let mut change_sets = Vec::new();
    for (wave, id, record) in known {
        let plain = |what: &str, conflict| Prospect {
            workspace: id.to_owned(),
            wave,
            what: what.to_owned(),
            conflict,
            waits: None,
            dependants: Vec::new(),
        };
        // One that stands again is left alone by a rollback of many.
        if is_unclear(record) || stands_again(record) {
            change_sets.push(plain(record.doubt.as_deref().unwrap_or_default(), true));
        } else if out_there(&record.state) {
            change_sets.push(prospect(store, &snapshot, &asked, (wave, id, record))?);
        } else if record.state.is_thrown_away() {
            let place = workspace(&snapshot, id)?;
            let versions = store.versions_of(id, &record.change_id)?;
            let set = change_set(&place.place, &versions);
            if deliver::is_left(&shipment(place, &versions, &set), record).unwrap_or(false) {
                change_sets.push(plain("its owner took it back: the branch that stands is deleted", false));
            }
        }
    }
    let end = end(&change_sets);
    Ok(Prospects { change_sets, end })
}

/// Whom a rollback is about, each with its wave, in the order in which they would go back.
fn asked(snapshot: &Snapshot, scope: &Scope) -> Result<Vec<(u32, String)>, RolloutError> {
    let mut asked: Vec<(u32, String)> = Vec::new();
    for wave in snapshot.waves.iter().rev() {
        let within = |id: &&String| match scope {
            Scope::All => true,
            Scope::Wave(number) => wave.number == *number,
            Scope::Consumer(entity) => {
                let of = |one: &&ConsumerRecord| one.entity == *entity;
                snapshot.consumers.iter().find(of).is_some_and(|one| one.workspace.as_deref() == Some(id.as_str()))
            }
        };
        asked.extend(wave.members.iter().rev().filter(within).map(|id| (wave.number, id.clone())));
    }
    match scope {
        Scope::Consumer(entity) if asked.is_empty() => Err(RolloutError::NoSuch { what: format!("consumer {entity}") }),
        Scope::Wave(number) if asked.is_empty() => Err(RolloutError::NoSuch { what: format!("wave {number}") }),
        _ => Ok(asked),
    }
}

/// Takes into a snapshot what their owners did, and what a person says by asking.
fn see(store: &Store, snapshot: &mut Snapshot, asked: &[(u32, String)], scope: &Scope) -> Result<(), RolloutError> {
    let only = asked.iter().map(|(_, id)| id.clone()).collect();
    // A remote that is away is told by the trial.
    let look = Look { only: Some(only), closely: true, ..Look::default() };
    for news in look_around(store, snapshot, &look, &|_| {})?.news {
        let Some(record) = snapshot.deliveries.get_mut(&news.id) else { continue };
        if let Some(seen) = &news.seen {
            *record = as_seen(record, seen);
        }
        record.doubt = news.doubt.unwrap_or(record.doubt.take());
    }
    for record in snapshot.deliveries.values_mut().filter(|record| is_only_below(record)) {
        if let Some(below) = record.over.take() {
            *record = *below;
        }
    }
    if matches!(scope, Scope::Consumer(_)) {
        // A person says of one that is there all the same that it is to go.
        for (_, id) in asked {
            if let Some(record) = snapshot.deliveries.get_mut(id).filter(|record| stands_again(record)) {
                // Which commit it is in, the trial does not ask.
                (record.state, record.merged) = (DeliveryState::RollingBack, Some(String::new()));
            }
        }
    }
    Ok(())
}

/// Where all of it would stand then: what needs a person outweighs what waits for somebody.
fn end(change_sets: &[Prospect]) -> RunEnd {
    let wave_of = |one: Option<&Prospect>| one.map_or(0, |one| one.wave);
    let conflict = change_sets.iter().find(|one| one.conflict);
    if let Some(first) = conflict {
        let reason = format!("somebody has to look at {}: {}", first.workspace, first.what);
        return RunEnd::Paused { wave: first.wave, reason, by: None };
    }
    let mut waits: Vec<Wait> = Vec::new();
    for (what, why) in
        [(WaitFor::Merge, "reverts that owners have to merge"), (WaitFor::Remote, "remotes that are away")]
    {
        let count = change_sets.iter().filter(|one| one.waits == Some(what)).count();
        if count > 0 {
            waits.push(Wait {
                what,
                until: None,
                why: format!("{why}, for {count} of {}", change_sets.len()),
                maker: None,
            });
        }
    }
    let wave = wave_of(change_sets.iter().find(|one| one.waits.is_some()));
    match waits.is_empty() {
        false => {
            let reason = waits.iter().map(|wait| wait.why.as_str()).collect::<Vec<_>>().join("; ");
            RunEnd::Waiting { wave, waits, reason }
        }
        true => RunEnd::RolledBack { wave: wave_of(change_sets.first()), reason: BY_HAND.to_owned() },
    }
}

/// What taking back one change set would come to.
fn prospect(
    store: &Store,
    snapshot: &Snapshot,
    asked: &[(u32, String)],
    (wave, id, record): (u32, &str, &DeliveryRecord),
) -> Result<Prospect, RolloutError> {
    let place = workspace(snapshot, id)?;
    let (versions, under) = files_of(store, id, record)?;
    let set = change_set(&place.place, &versions);
    let shipment = Shipment { under: &under, ..shipment(place, &versions, &set) };
    let (what, conflict, waits) = match deliver::try_back(&shipment, record) {
        Ok(WayBack::Now(what)) => (what.to_owned(), false, None),
        Ok(WayBack::Merge(what)) => (what.to_owned(), false, Some(WaitFor::Merge)),
        // What is merely away is taken back by a later run.
        Err(Obstacle::Away(why)) => (format!("{why}; it is taken back once it can be"), false, Some(WaitFor::Remote)),
        Err(obstacle) => (obstacle.into_reason(), true, None),
    };
    let is_out = |other: &String| snapshot.deliveries.get(other).is_some_and(|record| out_there(&record.state));
    let below = |other: &&String| {
        is_out(other) && !asked.iter().any(|(_, one)| one == *other) && workspace_is_below(snapshot, id, other)
    };
    let dependants = snapshot.deliveries.keys().filter(below).cloned().collect();
    Ok(Prospect { workspace: id.to_owned(), wave, what, conflict, waits, dependants })
}

/// Whether some consumer of `other` consumes what one of `id` makes.
fn workspace_is_below(snapshot: &Snapshot, id: &str, other: &str) -> bool {
    let of = |id: &str| {
        snapshot.consumers.iter().filter(move |one| one.workspace.as_deref() == Some(id)).collect::<Vec<_>>()
    };
    let upstream = of(id);
    of(other).iter().any(|one| one.upstream.iter().any(|name| upstream.iter().any(|up| up.entity == *name)))
}
