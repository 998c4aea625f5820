//! What is taken back, and in which order: the newest wave first, and within it the
//! last one first.

use std::collections::BTreeSet;

use super::back::take_back_all;
use super::bind::out_there;
use super::deliver::{self, Shipment, Told};
use super::driver::move_waves;
use super::end::NOTHING_KNOWN;
use super::judge::note_waits;
use super::ledger::{Ledger, ledger};
use super::machine::consumer::Event as Turn;
use super::machine::wave::Event as Move;
use super::observe::{Look, is_unclear, observe};
use super::ship::{change_set, shipment, workspace};
use super::snapshot::Snapshot;
use super::versions::files_of;
use super::{Event, Hooks, RolloutError, Trial, unclear};
use crate::config::Delivery;
use crate::state::{DeliveryRecord, DeliveryState, Entry, Store, Wait, WaitFor, WaveRecord, WaveState};

/// What to take back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every delivered wave.
    All,
    /// One wave, by number.
    Wave(u32),
    /// One consumer, by reference, with those that share its workspace.
    Consumer(String),
}

/// Why something is back that a person asked for.
pub const BY_HAND: &str = "rolled back by hand";

/// How the reason begins why one is back that a gate names.
pub(super) const NAMED: &str = "a gate names it";

/// Looks at what became of what a person asks for, takes it back, the newest wave first, and
/// closes its waves. What is back already stays as it is, with its reason.
///
/// # Errors
/// [`RolloutError::Undecidable`] where nothing of it is out, [`RolloutError::NoSuch`] where
/// there is no such wave or consumer, and where the state can't be used.
pub fn roll_back(store: &mut Store, scope: &Scope, hooks: &Hooks<'_>) -> Result<Ledger, RolloutError> {
    super::recover::is_whole(store)?;
    if store.binding()?.is_none() {
        return Err(RolloutError::Undecidable(NOTHING_KNOWN.to_owned()));
    }
    look_at_begun(store, hooks)?;
    match scope {
        Scope::Consumer(entity) => consumer_back(store, entity, hooks)?,
        Scope::All | Scope::Wave(_) => waves_back(store, scope, hooks)?,
    }
    finish_rollbacks(store, hooks, true)?;
    ledger(store)
}

/// Looks at what earlier commands began to take back, which goes on with this one: what its owners did since
/// is not known otherwise, and a branch that is gone may be merged.
fn look_at_begun(store: &mut Store, hooks: &Hooks<'_>) -> Result<(), RolloutError> {
    let waves = store.waves()?;
    let going = waves.iter().filter(|wave| matches!(wave.state, WaveState::RollingBack(_)));
    let going: BTreeSet<&String> = going.flat_map(|wave| &wave.members).collect();
    let begun = |(id, record): &(String, DeliveryRecord)| {
        record.state == DeliveryState::RollingBack || (going.contains(id) && out_there(&record.state))
    };
    let begun: BTreeSet<String> = store.deliveries()?.into_iter().filter(begun).map(|(id, _)| id).collect();
    if begun.is_empty() {
        return Ok(());
    }
    observe(store, &Look { only: Some(begun), closely: true, ..Look::default() }, hooks.tell)
}

/// What is not back of what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotBack {
    /// A person has to look at some of it.
    pub stuck: bool,
    /// A remote is away, or owners have to merge reverts.
    pub waits: bool,
}

/// What is not back of what a rollback was asked for, as it is on record.
///
/// # Errors
/// Where the state can't be read.
pub fn not_back(store: &Store, scope: &Scope) -> Result<NotBack, RolloutError> {
    let deliveries = store.deliveries()?;
    let members: Vec<String> = match scope {
        Scope::All => deliveries.keys().cloned().collect(),
        Scope::Wave(number) => {
            store.waves()?.into_iter().filter(|wave| wave.number == *number).flat_map(|wave| wave.members).collect()
        }
        Scope::Consumer(entity) => {
            store.consumers()?.into_iter().filter(|one| one.entity == *entity).filter_map(|one| one.workspace).collect()
        }
    };
    let mut left = NotBack::default();
    for record in members.iter().filter_map(|id| deliveries.get(id)) {
        let stuck = matches!(record.state, DeliveryState::Conflict(_)) || is_unclear(record) || stands_again(record);
        left.stuck |= stuck;
        left.waits |= record.state == DeliveryState::RollingBack;
    }
    let within = |wave: &WaveRecord| match scope {
        Scope::All => true,
        Scope::Wave(number) => wave.number == *number,
        Scope::Consumer(_) => false,
    };
    let is_going = |wave: &WaveRecord| within(wave) && matches!(wave.state, WaveState::RollingBack(_));
    left.waits |= store.waves()?.iter().any(is_going);
    Ok(left)
}

fn consumer_back(store: &mut Store, entity: &str, hooks: &Hooks<'_>) -> Result<(), RolloutError> {
    let found = store.consumers()?.into_iter().find(|c| c.entity == *entity);
    let found = found.ok_or_else(|| RolloutError::NoSuch { what: format!("consumer {entity}") })?;
    let id = found.workspace.unwrap_or_default();
    let only = Some([id.clone()].into());
    observe(store, &Look { only, closely: true, ..Look::default() }, hooks.tell)?;
    let mut snapshot = Snapshot::read(store)?;
    if let Some(record) = snapshot.deliveries.get(&id).filter(|record| stands_again(record)) {
        merged_after_all(store, &snapshot, &id, &mut record.clone())?;
        snapshot = Snapshot::read(store)?;
    }
    let taken = take_back_all(store, &snapshot, &[(&id, BY_HAND)], hooks)?;
    if let Some(record) = snapshot.deliveries.get(&id).filter(|record| is_unclear(record)) {
        let doubt = record.doubt.clone().unwrap_or_default();
        let places = unclear::places(store, &snapshot, &id, record)?.map(|places| format!(" ({places})"));
        let (places, todo) = (places.unwrap_or_default(), unclear::what_to_do(&snapshot, &id, record));
        return Err(RolloutError::Untold(format!("{doubt}{places}\n  = help: {todo}")));
    }
    let is_back = snapshot.deliveries.get(&id).is_some_and(|record| record.state == DeliveryState::RolledBack);
    if taken.is_empty() && !is_back {
        return Err(nothing_out(entity));
    }
    Ok(())
}

/// Of one consumer, nothing is out.
pub(super) fn nothing_out(entity: &str) -> RolloutError {
    RolloutError::Undecidable(format!(
        "nothing of {entity} is out, so that nothing can be taken back; `gander show {}` says where it stands",
        shown(entity)
    ))
}

/// Of a wave, nothing can be out yet.
pub(super) fn not_opened(number: u32) -> RolloutError {
    RolloutError::Undecidable(format!(
        "wave {number} was not opened, so that nothing of it can be taken back; \
         `gander exclude` leaves consumers out, `gander pause` keeps it closed"
    ))
}

/// It was taken back, and its files are there all the same.
pub(super) fn stands_again(record: &DeliveryRecord) -> bool {
    record.state == DeliveryState::RolledBack && record.merged.is_none() && record.doubt.is_some()
}

/// A person says of what was taken back, and is there all the same, that it is to go.
fn merged_after_all(
    store: &mut Store,
    snapshot: &Snapshot,
    id: &str,
    record: &mut DeliveryRecord,
) -> Result<(), RolloutError> {
    let versions = store.versions_of(id, &record.change_id)?;
    let place = &workspace(snapshot, id)?.place;
    if matches!(record.how, Delivery::Checkout | Delivery::Patches)
        && let Ok(Told::There | Told::Unclear { whole: Some(_), .. }) = deliver::tells_here(&place.root, &versions)
    {
        let entry = Entry::of("again", id, "what was taken back is there all the same");
        let mut now = DeliveryRecord { doubt: None, ..record.clone() };
        return deliver::go(store, id, &mut now, (Turn::Revert, DeliveryState::RollingBack), entry);
    }
    let Some(git) = &place.git else { return Ok(()) };
    let Ok(present) = deliver::present(git, record) else { return Ok(()) };
    match present.tells(&git.prefix, &versions) {
        Ok(Told::There) if versions.iter().any(|one| one.before != one.after) => {}
        // A part of what was taken back came again.
        Ok(Told::Unclear { whole: Some(_), .. }) if record.once.is_some() => {}
        _ => return Ok(()),
    }
    let head = present.head().to_owned();
    let entry = Entry::of("merged", id, format!("its change is in {head}, by its files"));
    // Files of a working tree are put back, whatever was committed.
    let merged = Some(head).filter(|_| record.how != Delivery::Checkout);
    let mut now = DeliveryRecord { merged, doubt: None, ..record.clone() };
    deliver::go(store, id, &mut now, (Turn::Revert, DeliveryState::RollingBack), entry)
}

/// Takes back what is out of waves that have not opened: it was delivered in an earlier one, and is
/// to be made anew in that. How many.
pub(super) fn early_back(
    store: &mut Store,
    only: Option<u32>,
    because: &str,
    hooks: &Hooks<'_>,
) -> Result<usize, RolloutError> {
    let asked = |wave: &&WaveRecord| wave.state == WaveState::Planned && only.is_none_or(|only| only == wave.number);
    let waves = store.waves()?;
    let waves: Vec<&WaveRecord> = waves.iter().filter(asked).collect();
    let deliveries = store.deliveries()?;
    let is_out = |id: &&String| deliveries.get(*id).is_some_and(|record| out_there(&record.state));
    let members: Vec<&String> = waves.iter().rev().flat_map(|wave| wave.members.iter().rev()).filter(is_out).collect();
    if members.is_empty() {
        return Ok(0);
    }
    let only = Some(members.iter().map(|id| (*id).clone()).collect());
    observe(store, &Look { only, closely: true, ..Look::default() }, hooks.tell)?;
    let snapshot = Snapshot::read(store)?;
    let all: Vec<(&str, &str)> = members.iter().map(|id| (id.as_str(), because)).collect();
    take_back_all(store, &snapshot, &all, hooks)?;
    Ok(members.len())
}

fn waves_back(store: &mut Store, scope: &Scope, hooks: &Hooks<'_>) -> Result<(), RolloutError> {
    let number = if let Scope::Wave(number) = scope { Some(*number) } else { None };
    let early = early_back(store, number, BY_HAND, hooks)?;
    let waves = store.waves()?;
    let within = |wave: &&WaveRecord| match scope {
        Scope::Wave(number) => wave.number == *number,
        _ => wave.state != WaveState::Planned,
    };
    let asked: Vec<&WaveRecord> = waves.iter().filter(within).collect();
    if let Scope::Wave(number) = scope {
        match asked.first().map(|wave| &wave.state) {
            None => return Err(RolloutError::NoSuch { what: format!("wave {number}") }),
            Some(WaveState::Planned) if early > 0 => return Ok(()),
            Some(WaveState::Planned) => return Err(not_opened(*number)),
            Some(_) => {}
        }
    }
    let only = asked.iter().flat_map(|wave| wave.members.iter().cloned()).collect();
    observe(store, &Look { only: Some(only), closely: true, ..Look::default() }, hooks.tell)?;
    let deliveries = store.deliveries()?;
    let is_out = |id: &String| deliveries.get(id).is_some_and(|record| out_there(&record.state));
    let mut fresh = Vec::new();
    for wave in asked {
        match &wave.state {
            WaveState::RollingBack(_) => {}
            // Of some that could not be taken back then it is tried again.
            WaveState::RolledBack(reason) if wave.members.iter().any(is_out) => {
                move_waves(store, &[wave], Move::RollBack, reason_alone(reason))?;
            }
            WaveState::RolledBack(_) => {}
            _ => fresh.push(wave),
        }
    }
    move_waves(store, &fresh, Move::RollBack, BY_HAND)
}

/// A consumer as it is typed: one whose name begins with a dash would be taken for an option.
pub fn shown(entity: &str) -> &str {
    let name = entity.strip_prefix("component:default/").unwrap_or(entity);
    if name.starts_with('-') { entity } else { name }
}

/// What a wave's reason says of those that were left over.
const LEFT_OVER: &str = " could not be taken back";

fn reason_alone(reason: &str) -> &str {
    match reason.rsplit_once("; ") {
        Some((reason, left)) if left.ends_with(LEFT_OVER) => reason,
        _ => reason,
    }
}

/// Takes back the waves that are on their way back, the newest first, and goes on with
/// rollbacks of single consumers that were begun. A wave of which a remote is away stays
/// on its way until the next run. What could not be taken back with its wave is tried again where a person `asks`.
pub(super) fn finish_rollbacks(store: &mut Store, hooks: &Hooks<'_>, asks: bool) -> Result<(), RolloutError> {
    let is_going_back = |wave: &WaveRecord| matches!(wave.state, WaveState::RollingBack(_));
    let waves = store.waves()?;
    let deliveries = store.deliveries()?;
    let going: Vec<&WaveRecord> = waves.iter().filter(|wave| is_going_back(wave)).collect();
    let alone = |(id, record): &(&String, &DeliveryRecord)| {
        record.state == DeliveryState::RollingBack && !going.iter().any(|wave| wave.members.contains(id))
    };
    let alone: Vec<(&String, &DeliveryRecord)> = deliveries.iter().filter(alone).collect();
    if going.is_empty() && alone.is_empty() {
        return Ok(());
    }
    let snapshot = Snapshot::read(store)?;
    let why = |record: &'_ DeliveryRecord| {
        if record.because.is_empty() { BY_HAND.to_owned() } else { record.because.clone() }
    };
    let alone: Vec<(&str, String)> = alone.into_iter().map(|(id, record)| (id.as_str(), why(record))).collect();
    let alone: Vec<(&str, &str)> = alone.iter().map(|(id, why)| (*id, why.as_str())).collect();
    take_back_all(store, &snapshot, &alone, hooks)?;
    for wave in going.iter().rev() {
        let WaveState::RollingBack(reason) = &wave.state else {
            continue;
        };
        let (stuck, waits) = members_back(store, &snapshot, wave, (reason, asks), hooks)?;
        if !waits.is_empty() {
            note_waits(store, wave, &waits)?;
            continue;
        }
        let reason = match stuck {
            0 => reason.clone(),
            count => format!("{reason}; {count}{LEFT_OVER}"),
        };
        move_waves(store, &[wave], Move::Back, &reason)?;
        let (number, state) = (wave.number, WaveState::RolledBack(reason));
        (hooks.tell)(Event::WaveJudged { number, state: &state });
    }
    Ok(())
}

/// Takes back the members of a wave, the last one first: how many could not be, and what
/// the others wait for.
fn members_back(
    store: &mut Store,
    snapshot: &Snapshot,
    wave: &WaveRecord,
    (reason, asks): (&str, bool),
    hooks: &Hooks<'_>,
) -> Result<(usize, Vec<Wait>), RolloutError> {
    let tell = hooks.tell;
    prove_together(store, snapshot, wave, hooks)?;
    let (mut stuck, mut going) = (0, Vec::new());
    for member in wave.members.iter().rev() {
        // An owner who threw the revert away has answered, and what failed with this wave does so again: only a person
        // asks once more.
        let is_answered = |record: &DeliveryRecord| {
            matches!(record.state, DeliveryState::Conflict(_))
                && (record.revert.is_some() || (!asks && record.because == reason))
        };
        if let Some(record) = snapshot.deliveries.get(member).filter(|one| is_answered(one) || is_unclear(one)) {
            let doubt = || record.doubt.clone().map(DeliveryState::Conflict);
            let state = if is_unclear(record) { doubt() } else { None };
            tell(Event::Shipped { workspace: member, state: state.as_ref().unwrap_or(&record.state) });
            stuck += 1;
            continue;
        }
        going.push((member.as_str(), reason));
    }
    let taken = take_back_all(store, snapshot, &going, hooks)?;
    let (mut away, mut asked) = (Vec::new(), Vec::new());
    for (member, record) in &taken {
        match record.state {
            DeliveryState::RolledBack | DeliveryState::Closed(_) | DeliveryState::Replaced(_) => {}
            DeliveryState::RollingBack if record.revert.is_some() => asked.push(member.as_str()),
            DeliveryState::RollingBack => away.push((member.as_str(), record.again)),
            _ => stuck += 1,
        }
    }
    let mut waits = Vec::new();
    if let Some((first, _)) = away.first() {
        let why = format!("the remote of {first} can't be reached, and {} wait to be taken back", away.len());
        waits.push(Wait {
            what: WaitFor::Remote,
            until: away.iter().filter_map(|(_, again)| *again).min(),
            why,
            maker: None,
        });
    }
    if let Some(first) = asked.first() {
        let reverts = if asked.len() == 1 { "a revert".to_owned() } else { format!("{} reverts", asked.len()) };
        let why = format!("owners have to merge {reverts}, first that of {first}");
        waits.push(Wait { what: WaitFor::Merge, until: None, why, maker: None });
    }
    Ok((stuck, waits))
}

/// Has the reverts that a wave needs tested all at once: each of them is used after that, one
/// after the other.
fn prove_together(
    store: &Store,
    snapshot: &Snapshot,
    wave: &WaveRecord,
    hooks: &Hooks<'_>,
) -> Result<(), RolloutError> {
    let mut reverses = Vec::new();
    for id in &wave.members {
        let record = snapshot.deliveries.get(id).filter(|record| out_there(&record.state) && record.revert.is_none());
        let Some((record, workspace)) = record.zip(snapshot.workspaces.get(id)) else { continue };
        if record.merged.is_some() || record.over.is_some() {
            let (versions, under) = files_of(store, id, record)?;
            let set = change_set(&workspace.place, &versions);
            let shipment = Shipment { under: &under, ..shipment(workspace, &versions, &set) };
            // What can't be made is told when it is to be used.
            reverses.extend(deliver::trial(&shipment, record).ok().flatten());
        }
    }
    if reverses.len() > 1 {
        let trials: Vec<Trial> = reverses.iter().map(|(_, trial)| trial.clone()).collect();
        (hooks.prove_back)(&trials);
    }
    Ok(())
}
