//! What a new plan means for what is recorded of a consumer: its base moved, or a rule is
//! another one. What owners have taken stays as it was made; what they have not is made
//! anew, over the old one.

use std::collections::BTreeMap;

use super::back::look_once_more;
use super::bind::deliverable;
use super::decisions::end_approval_of;
use super::deliver::{self, Shipment, Told};
use super::machine::consumer::{Event, State};
use super::ship::{OPTED_OUT, change_set, shipment};
use super::versions::{files_of, versions_of};
use super::{Request, RolloutError, observe};
use crate::config::Delivery;
use crate::git::Repository;
use crate::state::{DecisionKind, DeliveryRecord, DeliveryState, Entry, KeptBack, Store, WorkspaceRecord};
use crate::transform::{Transformed, WorkspacePlan};
use crate::workspace::{Pin, Workspace};

/// What becomes of a recorded workspace by a new plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The new plan holds, and what is recorded of its delivery, too.
    Fresh,
    /// The new plan holds, and nothing is out: it is verified and delivered anew.
    Anew,
    /// The new plan holds, and its change set replaces the one that is out.
    Over,
    /// The new plan wants no change: the change set that is out is withdrawn.
    Withdraw,
    /// The old plan stays: the owner has what was made of it.
    Keep,
}

/// Why a change set is withdrawn that nobody needs any more.
pub(super) const UNWANTED: &str = "its base moved, and the rules want no change of it any more";

/// Why a change set is withdrawn whose successor goes another way.
const ELSEWHERE: &str = "it is delivered in another way, or to another remote, from now on";

/// Why what is out is withdrawn where its successor does not go out.
pub(super) const MADE_ANEW: &str = "its base moved, and what was made anew does not go out";

/// Whether it was out, and gander withdrew it for what its base or its way has become: nobody took
/// it back, so that it goes out again once it can.
pub(super) fn is_withdrawn(record: &DeliveryRecord) -> bool {
    let because = record.because.as_str();
    record.state == DeliveryState::RolledBack
        && record.merged.is_none()
        && (because == UNWANTED || because == ELSEWHERE || because.starts_with(MADE_ANEW))
}

/// What was decided of all workspaces.
#[derive(Default)]
pub(super) struct Turned<'b> {
    /// The records that hold from now on, in the order of the new ones.
    pub records: Vec<WorkspaceRecord<&'b WorkspacePlan>>,
    /// Those to be verified and delivered again, of which nothing is out.
    pub anew: Vec<String>,
    /// Those whose change set is out and is to be replaced.
    pub over: Vec<String>,
    /// Those whose files were written in place and would be others now.
    pub stuck: Vec<String>,
}

fn turn(old: &WorkspaceRecord<WorkspacePlan>, now: &WorkspacePlan, record: &DeliveryRecord, correct: bool) -> Turn {
    use DeliveryState as D;
    let wanted = deliverable(now);
    match &record.state {
        D::Waiting | D::Held(_) | D::AwaitingApproval(_) | D::Refused(_) | D::Failed(_) => Turn::Anew,
        // One that was killed on its way goes on with it.
        D::RollingBack if record.because == UNWANTED && record.revert.is_none() && !wanted => Turn::Withdraw,
        // Also where it was withdrawn to be delivered elsewhere, and the run was killed in between.
        D::RolledBack if is_withdrawn(record) && wanted => Turn::Anew,
        D::RolledBack | D::Closed(_) | D::Replaced(_) => Turn::Fresh,
        D::Superseded if wanted => Turn::Over,
        D::Superseded if record.merged.is_some() => Turn::Keep,
        // A correction that can't be made over what is there now stays what it is.
        D::Delivered | D::Superseded if record.over.is_some() && matches!(now.result, Transformed::Refused(_)) => {
            Turn::Keep
        }
        D::Superseded => Turn::Withdraw,
        // It has a change set of its own, over the merged one.
        D::Delivered if record.merged.is_some() && correct && wanted && !same_change(&old.plan, now) => Turn::Over,
        D::Delivered if record.merged.is_some() || record.how == Delivery::Checkout => Turn::Keep,
        // The same edits of the same files still apply where their owner merges them.
        D::Delivered if same_change(&old.plan, now) => Turn::Keep,
        D::Delivered if wanted => Turn::Over,
        D::Delivered => Turn::Withdraw,
        D::Delivering | D::Edited(_) | D::RollingBack | D::Conflict(_) => Turn::Keep,
    }
}

fn same_change(old: &WorkspacePlan, now: &WorkspacePlan) -> bool {
    let files = |plan: &WorkspacePlan| serde_json::to_vec(&plan.files).ok();
    old.result == now.result && files(old) == files(now)
}

/// Whether the rules make what is out, to the byte and of the same code: after a lost state it was known by its
/// files alone.
fn is_what_is_out(request: &Request<'_>, fresh: &WorkspaceRecord<&WorkspacePlan>, record: &DeliveryRecord) -> bool {
    let index = request.fleet.workspaces.iter().position(|place| place.id == fresh.place.id);
    let read = |path: &str| match index {
        Some(index) => (request.read_pinned)(index, path),
        None => Err(format!("{path} is in no fleet")),
    };
    record.state == DeliveryState::Delivered
        && record.pin == fresh.pin
        && deliverable(fresh.plan)
        && versions_of(fresh.plan, &read).is_ok_and(|made| change_set(&fresh.place, &made).id() == record.change_id)
}

/// Decides what becomes of every workspace whose plan is another one, and records it.
///
/// # Errors
/// Where the state can't be used.
pub(super) fn turn_all<'b>(
    store: &mut Store,
    request: &Request<'_>,
    before: &'b BTreeMap<String, WorkspaceRecord<WorkspacePlan>>,
    now: Vec<WorkspaceRecord<&'b WorkspacePlan>>,
) -> Result<Turned<'b>, RolloutError> {
    let (deliveries, decisions, waves) = (store.deliveries()?, store.decisions()?, store.waves()?);
    let mut turned = Turned::default();
    let another = store.binding()?.is_some_and(|found| found.migration_digest != request.migration.digest);
    for mut fresh in now {
        let id = fresh.place.id.clone();
        let approval = decisions.get(&(DecisionKind::Approve, id.clone()));
        // Where all is as it was, what was kept back would only be kept back again.
        let anew =
            request.correct && (another || before.get(&id).is_none_or(|old| old.plan_digest != fresh.plan_digest));
        let goes_out =
            |kept: &KeptBack| anew || approval.is_some_and(|approval| approval.about == kept.change_id.to_string());
        // What corrects a merged change set and was kept back goes out after all; of what could not be corrected it
        // is tried again.
        let kept = deliveries.get(&id).filter(|one| one.state == DeliveryState::Delivered && one.merged.is_some());
        let was_not = |one: &DeliveryRecord| {
            let why = one.outdated.as_ref().and_then(|why| why.strip_prefix(deliver::NOT_CORRECTED));
            let opted_out = || index_of(request, &id).is_some_and(|index| (request.opted_out)(index).is_some());
            let is_in = |why: &String| why.starts_with(OPTED_OUT) && !opted_out();
            let why = why.map(str::to_owned);
            why.is_some_and(|why| anew || (request.correct && is_in(&why))) && deliverable(fresh.plan)
        };
        let kept = kept.filter(|one| one.correction.as_ref().is_some_and(goes_out) || was_not(one));
        if let Some((old, record)) = before.get(&id).zip(kept) {
            if !deliverable(fresh.plan) {
                fresh = WorkspaceRecord { place: fresh.place, pin: old.pin.clone(), plan: &old.plan, ..fresh };
                fresh.plan_digest = old.plan_digest;
            }
            (request.tell)(super::Event::Corrects { workspace: &id });
            let (entry, mut record) = (Entry::of("supersede", &*id, "its correction may go out"), record.clone());
            deliver::go(store, &id, &mut record, (Event::Supersede, DeliveryState::Superseded), entry)?;
            turned.over.push(id);
            turned.records.push(fresh);
            continue;
        }
        let moved_on = before.get(&id).filter(|old| old.plan_digest != fresh.plan_digest);
        // Read now: what shares a branch with another one may have moved with it.
        let pair =
            moved_on.map(|old| Ok::<_, RolloutError>(store.delivery(&id)?.map(|record| (old, record)))).transpose()?;
        let Some((old, mut record)) = pair.flatten() else {
            turned.records.push(fresh);
            continue;
        };
        if record.recovered && is_what_is_out(request, &fresh, &record) {
            turned.records.push(fresh);
            continue;
        }
        let mut turn = turn(old, fresh.plan, &record, request.correct);
        if is_in_again(request, &fresh, &record) {
            turn = Turn::Anew;
        }
        // Somebody is at work there, so that nobody knows what its base is: what is out stays.
        let at_work = fresh.place.git.as_ref().is_some_and(|git| !git.dirty.is_empty());
        if turn == Turn::Withdraw && at_work && record.state == DeliveryState::Delivered {
            turn = Turn::Keep;
        }
        // One that was thrown away may have been merged under another name.
        let gone = record.state.is_thrown_away() && !deliverable(fresh.plan);
        let asked = gone || matches!(turn, Turn::Withdraw | Turn::Over);
        if asked && record.merged.is_none() {
            turn = unless_merged(store, &fresh.place, &mut record, turn)?;
        }
        if turn == Turn::Withdraw {
            turn = withdraw(store, old, &mut record, (UNWANTED, request))?;
        }
        if turn == Turn::Over && record.merged.is_none() && goes_elsewhere(request, &fresh.place, &record) {
            turn = match withdraw(store, old, &mut record, (ELSEWHERE, request))? {
                Turn::Fresh => Turn::Anew,
                stays => stays,
            };
        }
        match turn {
            Turn::Fresh | Turn::Withdraw => turned.records.push(fresh),
            Turn::Anew => {
                let from = State::of_delivery(&record.state);
                let to = from.step(Event::Supersede, &id)?;
                let entry = Entry::of("supersede", &*id, moved(old, &fresh)).moving(from.as_str(), to.as_str());
                if record.state == DeliveryState::RolledBack {
                    end_approval_of(store, &waves, (&id, &record))?;
                }
                store.note(&entry)?;
                turned.anew.push(id);
                turned.records.push(fresh);
            }
            Turn::Over => {
                let entry = Entry::of("supersede", &*id, moved(old, &fresh));
                if record.merged.is_some() {
                    // A state of an older gander has it with the workspace alone.
                    record.pin = record.pin.take().or_else(|| old.pin.clone());
                    (request.tell)(super::Event::Corrects { workspace: &id });
                }
                deliver::go(store, &id, &mut record, (Event::Supersede, DeliveryState::Superseded), entry)?;
                turned.over.push(id);
                turned.records.push(fresh);
            }
            Turn::Keep => {
                let in_place = record.how == Delivery::Checkout && record.state == DeliveryState::Delivered;
                if in_place && record.merged.is_none() && !same_change(&old.plan, fresh.plan) {
                    turned.stuck.push(id.clone());
                }
                let edited = matches!(record.state, DeliveryState::Edited(_)) && record.merged.is_none();
                if edited && request.replan && !same_change(&old.plan, fresh.plan) {
                    let why = "an earlier rule made it, and its owner goes on with it: tell them";
                    note_outdated(store, &id, why)?;
                }
                turned.records.push(WorkspaceRecord {
                    place: fresh.place,
                    pin: old.pin.clone(),
                    plan: &old.plan,
                    plan_digest: old.plan_digest,
                });
            }
        }
    }
    for (index, place) in request.fleet.workspaces.iter().enumerate() {
        let why = request.outdated.get(&index);
        if let Some(why) = why {
            note_outdated(store, &place.id, why)?;
        }
        let may_be = |record: &DeliveryRecord| {
            record.merged.is_some() || matches!(record.how, Delivery::Checkout | Delivery::Patches)
        };
        let was = deliveries.get(&place.id).filter(|record| may_be(record) && record.outdated.is_some());
        // What was to be corrected and could not be is not right by that.
        let is_wanted =
            |record: &DeliveryRecord| record.merged.is_some() && deliverable(&request.plan.workspaces[index]);
        if why.is_none() && request.replan && was.is_some_and(|record| !is_wanted(record)) {
            note_outdated(store, &place.id, "")?;
        }
    }
    Ok(turned)
}

/// Where a workspace is in the fleet.
fn index_of(request: &Request<'_>, id: &str) -> Option<usize> {
    request.fleet.workspaces.iter().position(|place| place.id == id)
}

/// Whether its owners opted out, and do so no more.
fn is_in_again(request: &Request<'_>, fresh: &WorkspaceRecord<&WorkspacePlan>, record: &DeliveryRecord) -> bool {
    let opted_out = record.state == DeliveryState::RolledBack && record.because.starts_with(OPTED_OUT);
    let index = || index_of(request, &fresh.place.id);
    opted_out && deliverable(fresh.plan) && index().is_some_and(|index| (request.opted_out)(index).is_none())
}

/// Puts on record that what is out is not what the rules make now, where that is news; that
/// it is again where `why` is empty.
fn note_outdated(store: &mut Store, id: &str, why: &str) -> Result<(), RolloutError> {
    let Some(record) = store.delivery(id)? else { return Ok(()) };
    let outdated = Some(why.to_owned()).filter(|why| !why.is_empty());
    if record.outdated == outdated || record.state == DeliveryState::Superseded {
        return Ok(());
    }
    let said = if why.is_empty() { "it is what the rules make" } else { why };
    let entry = Entry::of("outdated", id, said);
    Ok(store.record_delivery(id, &DeliveryRecord { outdated, ..record }, &entry)?)
}

/// Before anything of it is withdrawn or made anew: its owner may have merged it under another
/// name, which its files tell. What can't be known stays what it is.
fn unless_merged(
    store: &mut Store,
    place: &Workspace,
    record: &mut DeliveryRecord,
    turn: Turn,
) -> Result<Turn, RolloutError> {
    if record.how == Delivery::Patches && record.state == DeliveryState::Delivered {
        let versions = store.versions_of(&place.id, &record.change_id)?;
        // Whoever has applied it, or a part of it, has what was made of their code as it was.
        let is_applied = matches!(
            deliver::tells_here(&place.root, &versions),
            Ok(Told::There | Told::Unclear { whole: Some(_), .. }) if versions.iter().any(|one| one.before != one.after)
        );
        return Ok(if is_applied { Turn::Keep } else { turn });
    }
    if !matches!(record.how, Delivery::Branch | Delivery::Push) {
        return Ok(turn);
    }
    let Some(git) = &place.git else { return Ok(turn) };
    let Ok(present) = deliver::present(git, record) else { return Ok(Turn::Keep) };
    let ours = store.versions_of(&place.id, &record.change_id)?;
    let mut asked = vec![(None, ours.clone())];
    for one in record.earlier.iter().take(observe::EARLIER_COMPARED) {
        asked.push((Some(one.change_id), store.kept_versions(&place.id, &one.change_id)?));
    }
    // What changes nothing, or is not kept any more, tells nothing.
    asked.retain(|(_, versions)| versions.iter().any(|one| one.before != one.after));
    let mut part = None;
    for (earlier, versions) in asked {
        match present.tells(&git.prefix, &versions) {
            Ok(Told::There) => {
                let head = present.head().to_owned();
                let entry = Entry::of("merged", &*place.id, format!("its change is in {head}, by its files"));
                let (merged, state) = (Some(head), DeliveryState::Delivered);
                *record = DeliveryRecord { merged, state, ..record.clone() };
                if let Some(change) = earlier {
                    *record = observe::as_earlier(record.clone(), &change);
                }
                store.record_delivery(&place.id, record, &entry)?;
                return Ok(Turn::Keep);
            }
            // Made anew it would be the rest alone, and nobody would know what to take back of what is there.
            Ok(Told::Unclear { whole: Some(_), path, neither, .. }) if earlier.is_none() => {
                part = Some(neither.map_or_else(|| observe::partly(&path), |neither| observe::unclear(&neither)));
            }
            Ok(_) => {}
            Err(_) => return Ok(Turn::Keep),
        }
    }
    if let Some(doubt) = part {
        observe::note_doubt(store, &place.id, Some(doubt))?;
        return Ok(Turn::Keep);
    }
    match present.half(&git.prefix, &ours) {
        Ok(None) => Ok(turn),
        Ok(Some(path)) => {
            observe::note_doubt(store, &place.id, Some(observe::unclear(&path)))?;
            Ok(Turn::Keep)
        }
        Err(_) => Ok(Turn::Keep),
    }
}

/// Whether what is made anew can't take the place of what is out, as it goes another way.
fn goes_elsewhere(request: &Request<'_>, place: &Workspace, record: &DeliveryRecord) -> bool {
    let deliver = &request.migration.deliver;
    if record.how != deliver.how {
        return true;
    }
    let git = place.git.as_ref().filter(|_| record.how == Delivery::Push);
    let url = git.and_then(|git| Repository::open(&git.toplevel).ok()?.push_url(&deliver.remote).ok()?);
    url.is_some_and(|url| record.remote.as_ref() != Some(&url))
}

/// Withdraws a change set that nobody needs any more; where that can't be done now, it
/// stays what it is.
fn withdraw(
    store: &mut Store,
    old: &WorkspaceRecord<WorkspacePlan>,
    record: &mut DeliveryRecord,
    (because, request): (&str, &Request<'_>),
) -> Result<Turn, RolloutError> {
    let (versions, under) = files_of(store, &old.place.id, record)?;
    let set = change_set(&old.place, &versions);
    let shipment = Shipment { under: &under, ..shipment(old, &versions, &set) };
    if record.over.is_some() {
        deliver::step_down(store, &shipment, record, because)?;
        return Ok(Turn::Keep);
    }
    deliver::roll_back(store, &shipment, record, (because, &request.hooks()))?;
    look_once_more(store, &old.place.id, record, &request.hooks())?;
    (request.tell)(super::Event::Shipped { workspace: &old.place.id, state: &record.state });
    Ok(if record.state == DeliveryState::RolledBack { Turn::Fresh } else { Turn::Keep })
}

/// From where to where a base moved.
fn moved(old: &WorkspaceRecord<WorkspacePlan>, now: &WorkspaceRecord<&WorkspacePlan>) -> String {
    let name = |pin: &Option<Pin>| match pin {
        Some(Pin::Commit { commit, .. }) => commit.chars().take(12).collect(),
        Some(Pin::Content { digest, .. }) => digest.short(),
        None => "nothing".to_owned(),
    };
    match (name(&old.pin), name(&now.pin)) {
        (from, to) if from == to => "its plan is another one".to_owned(),
        (from, to) => format!("its base moved from {from} to {to}"),
    }
}
