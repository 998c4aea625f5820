//! What a rollback would come to: the same questions as [`super::rollback`] asks, in its order.
//!
//! Must not: do anything, or record anything.

use std::collections::{BTreeMap, BTreeSet};

use super::RolloutError;
use super::back::is_only_below;
use super::bind::out_there;
use super::deliver::{self, Obstacle, Shipment, WayBack};
use super::end::{NOTHING_KNOWN, RunEnd};
use super::observe::{Look, as_seen, is_unclear, look_around};
use super::rollback::{BY_HAND, Scope, not_opened, nothing_out, stands_again};
use super::ship::{change_set, shipment, workspace};
use super::snapshot::Snapshot;
use super::versions::files_of;
use crate::state::{DeliveryRecord, DeliveryState, Store, Wait, WaitFor, WaveRecord, WaveState};

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
    super::recover::is_whole(store)?;
    if store.binding()?.is_none() {
        return Err(RolloutError::Undecidable(NOTHING_KNOWN.to_owned()));
    }
    let mut snapshot = Snapshot::read(store)?;
    let asked = asked(&snapshot, scope)?;
    see(store, &mut snapshot, &asked, scope)?;
    let downstream = Downstream::of(&snapshot, &asked);
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
        } else if let DeliveryState::Conflict(why) = &record.state
            && record.revert.is_some()
            && !matches!(scope, Scope::Consumer(_))
        {
            // An owner who threw the revert away has answered: only a person asks again.
            change_sets.push(plain(why, true));
        } else if out_there(&record.state) {
            change_sets.push(prospect(store, &snapshot, &downstream, (wave, id, record))?);
        } else if record.state.is_thrown_away() {
            let place = workspace(&snapshot, id)?;
            let versions = store.versions_of(id, &record.change_id)?;
            let set = change_set(&place.place, &versions);
            if deliver::is_left(&shipment(place, &versions, &set), record).unwrap_or(false) {
                change_sets.push(plain("its owner took it back: the branch that stands is deleted", false));
            }
        }
    }
    if change_sets.is_empty() {
        is_any_out(&snapshot, &asked, scope)?;
    }
    let end = end(&change_sets);
    Ok(Prospects { change_sets, end })
}

/// Whom a rollback is about, each with its wave, in the order in which they would go back.
fn asked(snapshot: &Snapshot, scope: &Scope) -> Result<Vec<(u32, String)>, RolloutError> {
    let only = match scope {
        Scope::Consumer(entity) => snapshot.consumers.iter().find(|one| one.entity == *entity),
        _ => None,
    };
    let only = only.and_then(|one| one.workspace.as_ref());
    let within = |wave: &WaveRecord, id: &String| match scope {
        Scope::All => true,
        Scope::Wave(number) => wave.number == *number,
        Scope::Consumer(_) => only == Some(id),
    };
    let mut asked: Vec<(u32, String)> = Vec::new();
    for wave in snapshot.waves.iter().rev() {
        let members = wave.members.iter().rev().filter(|id| within(wave, id));
        asked.extend(members.map(|id| (wave.number, id.clone())));
    }
    match scope {
        Scope::Consumer(entity) if asked.is_empty() => Err(RolloutError::NoSuch { what: format!("consumer {entity}") }),
        Scope::Wave(number) if asked.is_empty() => Err(RolloutError::NoSuch { what: format!("wave {number}") }),
        _ => Ok(asked),
    }
}

/// Refuses what the rollback itself refuses: of one consumer, or of a wave that was not opened, nothing is out.
fn is_any_out(snapshot: &Snapshot, asked: &[(u32, String)], scope: &Scope) -> Result<(), RolloutError> {
    let is = |is: &dyn Fn(&DeliveryState) -> bool| {
        asked.iter().filter_map(|(_, id)| snapshot.deliveries.get(id)).any(|record| is(&record.state))
    };
    match scope {
        Scope::Consumer(entity) if !is(&|state| *state == DeliveryState::RolledBack) => Err(nothing_out(entity)),
        Scope::Wave(number) if !is(&out_there) => {
            let opened = |wave: &&WaveRecord| wave.number == *number && wave.state != WaveState::Planned;
            snapshot.waves.iter().find(opened).map(|_| ()).ok_or_else(|| not_opened(*number))
        }
        _ => Ok(()),
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
    downstream: &Downstream<'_>,
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
    let dependants = downstream.left_of(id);
    Ok(Prospect { workspace: id.to_owned(), wave, what, conflict, waits, dependants })
}

/// Whose change sets are out, too, and stay, by what they consume: looked up once for all.
struct Downstream<'s> {
    /// The workspaces that consume what an entity makes.
    below: BTreeMap<&'s str, BTreeSet<&'s str>>,
    /// The entities of each workspace.
    makes: BTreeMap<&'s str, Vec<&'s str>>,
}

impl<'s> Downstream<'s> {
    fn of(snapshot: &'s Snapshot, asked: &[(u32, String)]) -> Self {
        let asked: BTreeSet<&str> = asked.iter().map(|(_, id)| id.as_str()).collect();
        let stays = |id: &str| {
            !asked.contains(id) && snapshot.deliveries.get(id).is_some_and(|record| out_there(&record.state))
        };
        let (mut below, mut makes) = (BTreeMap::new(), BTreeMap::new());
        for one in &snapshot.consumers {
            let Some(id) = one.workspace.as_deref() else { continue };
            makes.entry(id).or_insert_with(Vec::new).push(one.entity.as_str());
            for maker in one.upstream.iter().filter(|_| stays(id)) {
                below.entry(maker.as_str()).or_insert_with(BTreeSet::new).insert(id);
            }
        }
        Self { below, makes }
    }

    fn left_of(&self, id: &str) -> Vec<String> {
        let makes = self.makes.get(id).into_iter().flatten();
        let below: BTreeSet<&str> = makes.filter_map(|entity| self.below.get(entity)).flatten().copied().collect();
        below.into_iter().map(str::to_owned).collect()
    }
}
