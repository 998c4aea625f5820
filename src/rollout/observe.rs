//! What owners did with what was delivered to them: merged, edited, thrown away, replaced.
//! Seen at the start of each run, before anything is planned over it, and before anything is
//! taken back.
//!
//! Must not: change anything outside of the state.

mod branches;
mod contents;
mod folder;

use std::collections::{BTreeMap, BTreeSet};

use branches::{Known, Subject, Where, look_at_all};
pub(super) use contents::{EARLIER_COMPARED, is_half, is_unclear, partly, unclear};

use super::deliver;
use super::machine::consumer::Event;
use super::snapshot::Snapshot;
use super::supersede::is_withdrawn;
use super::{Request, RolloutError};
use crate::config::Delivery;
use crate::digest::Digest;
use crate::state::{Applied, DeliveryRecord, DeliveryState, Entry, Store};
use crate::workspace::{Pin, Workspace};

/// How many remotes are asked at once.
const AT_ONCE: usize = 16;

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Merged(String),
    /// Of the change sets that this one took the place of, this one was merged.
    Earlier {
        change: Digest,
        commit: String,
    },
    Edited(String),
    Closed(String),
    /// It was merged in this commit, and is not there any more.
    Undone {
        why: String,
        commit: String,
    },
    Replaced(String),
    /// Its revert was merged.
    Back(String),
    /// Its revert was thrown away.
    Refused(String),
    /// Its branch is there, though its delivery was taken to have failed, or its owner had
    /// thrown it away.
    Arrived,
    /// What was in the way of its rollback is gone.
    Freed,
    /// Its patches are applied where gander reads, or not any more.
    Applied(Option<Applied>),
}

/// What branches and histories tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sight {
    seen: Option<Seen>,
    /// A commit that names the change, and is not gander's own: whether its files are in it,
    /// they have to tell.
    named: Option<String>,
    /// A change set that it took the place of is in the history, in this commit.
    earlier: Option<(Digest, String)>,
    /// Where the branch that takes it back would be merged.
    fork: Option<Fork>,
}

/// A branch that an owner is asked to merge, by the commit where its history parts from that of
/// the owner, where there is one, and its own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fork {
    base: Option<String>,
    tip: String,
}

impl From<Seen> for Sight {
    fn from(seen: Seen) -> Self {
        Self { seen: Some(seen), ..Self::default() }
    }
}

/// What is new of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct News {
    pub id: String,
    pub seen: Option<Seen>,
    /// What can't be told of it, where that was asked.
    pub doubt: Option<Option<String>>,
}

/// Whose ends are looked for, and how closely.
#[derive(Default)]
pub(super) struct Look<'a> {
    /// Where the code lies now; those that are not in it lie where they lay when recorded.
    pub places: BTreeMap<&'a str, &'a Workspace>,
    /// These workspaces only; all where `None`.
    pub only: Option<BTreeSet<String>>,
    /// They are about to be taken back: what their owners merged under another name is
    /// told by its files, also where the branch still stands.
    pub closely: bool,
}

impl<'a> Look<'a> {
    /// A look at everybody in a fleet.
    pub(super) fn at(request: &Request<'a>) -> Self {
        let places = request.fleet.workspaces.iter().map(|place| (place.id.as_str(), place)).collect();
        Self { places, ..Self::default() }
    }
}

/// Looks at what is out, and records what became of it. What can't be reached is looked at
/// by the next run.
pub(super) fn observe(store: &mut Store, look: &Look<'_>, tell: &dyn Fn(super::Event<'_>)) -> Result<(), RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let Around { news, heads, unseen } = look_around(store, &snapshot, look, tell)?;
    if look.only.is_none() {
        store.set_unseen_places(&unseen)?;
    }
    store.note_unseen(heads.keys(), unseen);
    for one in news {
        let Some(record) = snapshot.deliveries.get(&one.id) else { continue };
        if let Some(seen) = &one.seen {
            note(store, &one.id, record, seen)?;
        }
        if let Some(doubt) = one.doubt {
            note_doubt(store, &one.id, doubt)?;
        }
    }
    // What only some were looked for is not known of the others.
    if look.only.is_none() {
        store.set_heads(&heads)?;
    }
    Ok(())
}

/// Looks at what owners did, before anything is planned over it.
///
/// # Errors
/// Where the state can't be used.
pub fn look_at_owners(store: &mut Store, tell: &dyn Fn(super::Event<'_>)) -> Result<(), RolloutError> {
    observe(store, &Look::default(), tell)
}

/// Whether anything may have become of a delivery. What was taken back may have been merged
/// before that, and what was merged may be taken back by its owner.
fn is_open(record: &DeliveryRecord) -> bool {
    use DeliveryState as D;
    match &record.state {
        D::RollingBack if record.revert.is_some() => true,
        // What stood in the way of its revert, or of making it anew, may be gone.
        D::Conflict(_) => true,
        D::Delivered | D::Edited(_) => true,
        D::Superseded => record.merged.is_none(),
        D::Delivering | D::RollingBack | D::RolledBack => record.merged.is_none(),
        // Whoever deletes a branch may have merged its commit, or do so later.
        D::Closed(_) | D::Replaced(_) => record.merged.is_none(),
        // A push that a killed run left behind arrives when it likes.
        D::Refused(_) | D::Failed(_) => record.how == Delivery::Push && made(record).is_some(),
        D::Waiting | D::Held(_) | D::AwaitingApproval(_) => false,
    }
}

/// What there was to be seen.
pub(super) struct Around {
    /// What became of what is out, ordered by workspace.
    pub news: Vec<News>,
    /// The heads of the repositories that were looked at, by place.
    pub heads: BTreeMap<String, String>,
    /// The places that could not be looked at, and why.
    pub unseen: BTreeMap<String, String>,
}

/// Looks at what became of what is out. Nothing is recorded.
pub(super) fn look_around(
    store: &Store,
    snapshot: &Snapshot,
    look: &Look<'_>,
    tell: &dyn Fn(super::Event<'_>),
) -> Result<Around, RolloutError> {
    let mut branches: BTreeMap<Where, Vec<Subject<'_>>> = BTreeMap::new();
    let mut found: Vec<News> = Vec::new();
    let asked = |id: &String| look.only.as_ref().is_none_or(|only| only.contains(id));
    for (id, record) in snapshot.deliveries.iter().filter(|(id, record)| asked(id) && is_open(record)) {
        let Some(workspace) = snapshot.workspaces.get(id) else { continue };
        let place = look.places.get(id.as_str()).copied().unwrap_or(&workspace.place);
        let pinned = match &workspace.pin {
            Some(Pin::Commit { commit, .. }) => Some(commit.as_str()),
            _ => None,
        };
        let subject = Subject { id, record, git: place.git.as_ref(), pinned };
        match (record.how, record.pushed_to(), &place.git) {
            (Delivery::Push, Some(name), _) => branches.entry(Where::There(name)).or_default().push(subject),
            (Delivery::Branch, _, Some(git)) => {
                branches.entry(Where::Here(git.toplevel.clone())).or_default().push(subject);
            }
            (Delivery::Checkout | Delivery::Patches, ..) => {
                found.extend(folder::look(store, (place, pinned), (id, record), look.closely)?);
            }
            _ => {}
        }
    }
    let Some(binding) = store.binding()? else {
        return Ok(Around { news: found, heads: BTreeMap::new(), unseen: BTreeMap::new() });
    };
    let prefix = format!("gander/{}/", binding.migration);
    let changes = changes_known(snapshot);
    let known = Known { prefix: &prefix, changes: &changes };
    let (looked, mut unseen) = look_at_all(known, branches, &store.heads()?);
    let mut heads = contents::heads(&looked);
    let (told, more) = contents::settle(store, snapshot, look, looked)?;
    found.extend(told);
    unseen.extend(more);
    for (place, why) in &unseen {
        // It is looked at again.
        heads.remove(place);
        tell(super::Event::Unseen { place, why });
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Around { news: found, heads, unseen: unseen.into_iter().collect() })
}

/// The names of all changes that a state knows of.
fn changes_known(snapshot: &Snapshot) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for record in snapshot.deliveries.values() {
        for one in std::iter::successors(Some(record), |one| one.over.as_deref()) {
            known.insert(one.change_id.to_string());
            known.extend(one.earlier.iter().map(|earlier| earlier.change_id.to_string()));
        }
    }
    known
}

/// The commit that gander made and that is out.
fn made(record: &DeliveryRecord) -> Option<String> {
    record.branch.as_ref().and_then(|(_, commit)| commit.clone())
}

/// It was to be taken back, and what its owner did with the branch was in the way: once that is
/// merged or gone, its rollback goes on.
fn is_in_the_way(record: &DeliveryRecord) -> bool {
    let began = !record.because.is_empty() && record.revert.is_none() && record.merged.is_none();
    matches!(record.state, DeliveryState::Conflict(_)) && began && record.over.is_none()
}

/// What was to take its place could not, as its owner had moved the branch.
pub(super) fn was_not_made_anew(record: &DeliveryRecord) -> bool {
    matches!(record.state, DeliveryState::Conflict(_)) && record.because.is_empty() && record.revert.is_none()
}

/// Whether its branch should be there: nobody took it back, threw it away or refused it.
fn stands(state: &DeliveryState) -> bool {
    use DeliveryState as D;
    !matches!(state, D::RolledBack | D::Closed(_) | D::Replaced(_) | D::Refused(_) | D::Failed(_))
}

/// A delivery by what was seen of it.
pub(super) fn as_seen(record: &DeliveryRecord, seen: &Seen) -> DeliveryRecord {
    use DeliveryState as D;
    let state = match seen {
        Seen::Merged(_) | Seen::Earlier { .. } => match &record.state {
            D::Superseded | D::Delivering => D::Delivered,
            D::Closed(_) | D::Replaced(_) | D::Failed(_) | D::Refused(_) => D::Delivered,
            // Nobody wants back what gander withdrew for its base: it is merged as any other.
            D::RolledBack if is_withdrawn(record) => D::Delivered,
            // Its branch was deleted, and what is in it was not taken back.
            D::RolledBack => D::RollingBack,
            D::Conflict(_) if is_in_the_way(record) => D::RollingBack,
            D::Conflict(_) if was_not_made_anew(record) => D::Delivered,
            other => other.clone(),
        },
        Seen::Back(_) => D::RolledBack,
        Seen::Arrived if record.state == D::RolledBack => D::RollingBack,
        Seen::Arrived => D::Delivered,
        Seen::Freed => D::RollingBack,
        Seen::Applied(_) => record.state.clone(),
        Seen::Refused(why) => D::Conflict(why.clone()),
        Seen::Edited(why) => D::Edited(why.clone()),
        Seen::Closed(why) | Seen::Undone { why, .. } => D::Closed(why.clone()),
        Seen::Replaced(why) => D::Replaced(why.clone()),
    };
    let merged = match seen {
        Seen::Merged(commit) | Seen::Earlier { commit, .. } => Some(commit.clone()),
        // It is not there any more, whatever was merged once.
        Seen::Closed(_) | Seen::Undone { .. } | Seen::Back(_) => None,
        _ => record.merged.clone(),
    };
    let mut now = DeliveryRecord { state, merged, ..record.clone() };
    if matches!(seen, Seen::Back(_)) {
        // It may come again, which is about another commit then.
        let below = record.over.as_ref().and_then(|over| over.merged.clone());
        (now.once, now.revert) = (record.merged.clone().or(below), None);
    }
    match seen {
        Seen::Earlier { change, .. } => as_earlier(now, change),
        Seen::Undone { commit, .. } => DeliveryRecord { once: Some(commit.clone()), ..now },
        Seen::Applied(applied) => DeliveryRecord { applied: *applied, ..now },
        _ => now,
    }
}

/// A delivery of which one of those is merged that it took the place of: that is what is out.
pub(super) fn as_earlier(record: DeliveryRecord, change: &Digest) -> DeliveryRecord {
    let Some(at) = record.earlier.iter().position(|one| one.change_id == *change) else { return record };
    let (one, earlier) = (record.earlier[at].clone(), record.earlier[at + 1..].to_vec());
    let (change_id, before, after) = (one.change_id, one.before, one.after);
    DeliveryRecord { change_id, before, after, pin: one.pin.or(record.pin), earlier, ..record }
}

/// Records what was seen, where it is news.
fn note(store: &mut Store, id: &str, record: &DeliveryRecord, seen: &Seen) -> Result<(), RolloutError> {
    let now = as_seen(record, seen);
    if now == *record {
        return Ok(());
    }
    let (event, why) = match seen {
        Seen::Merged(commit) | Seen::Earlier { commit, .. } => {
            let entry = Entry::of("merged", id, format!("its change is in {commit}"));
            let mut record = DeliveryRecord { state: record.state.clone(), tries: 0, ..now.clone() };
            let event = match &record.state {
                DeliveryState::RolledBack if now.state == DeliveryState::Delivered => Event::Deliver,
                DeliveryState::RolledBack => Event::Revert,
                DeliveryState::Conflict(_) if is_in_the_way(&record) => Event::Revert,
                DeliveryState::Conflict(_) if was_not_made_anew(&record) => Event::Deliver,
                DeliveryState::Closed(_) | DeliveryState::Replaced(_) => Event::Deliver,
                DeliveryState::Failed(_) | DeliveryState::Refused(_) => {
                    return arrived(store, id, &mut record, entry);
                }
                _ => return Ok(store.record_delivery(id, &now, &entry)?),
            };
            return deliver::go(store, id, &mut record, (event, now.state), entry);
        }
        Seen::Arrived => {
            let after_all = "its branch is there after all: a push that was begun came to its end";
            let (event, point, why) = match &record.state {
                DeliveryState::RolledBack => (Event::Revert, "arrived", after_all),
                DeliveryState::Closed(_) | DeliveryState::Replaced(_) => {
                    let how = match record.how {
                        Delivery::Checkout | Delivery::Patches => "its files are as gander left them again",
                        Delivery::Branch | Delivery::Push => "its owner brought its branch back",
                    };
                    (Event::Deliver, "restored", how)
                }
                _ => return arrived(store, id, &mut record.clone(), Entry::of("arrived", id, after_all)),
            };
            return deliver::go(store, id, &mut record.clone(), (event, now.state), Entry::of(point, id, why));
        }
        Seen::Freed => {
            let entry = Entry::of("freed", id, "what was in the way of its rollback is gone");
            return deliver::go(store, id, &mut record.clone(), (Event::Revert, now.state), entry);
        }
        Seen::Back(why) => {
            if matches!(record.state, DeliveryState::Conflict(_)) {
                // What a person put together is the end of a rollback that was begun once more.
                let entry = Entry::of("resolved", id, "a person put it together with what stood in its way");
                let again = (Event::Revert, DeliveryState::RollingBack);
                deliver::go(store, id, &mut record.clone(), again, entry)?;
            }
            let state = DeliveryState::RollingBack;
            let mut record = DeliveryRecord { state, ..now.clone() };
            let entry = Entry { detail: why.clone(), ..Entry::of(format!("owner.{}", Event::Back.as_str()), id, "") };
            return deliver::go(store, id, &mut record, (Event::Back, now.state), entry);
        }
        Seen::Applied(applied) => {
            let what = match applied {
                Some(Applied::Here) => "its patch is applied where gander reads, and not committed",
                Some(Applied::Part) => "a part of its patch is applied where gander reads, and not committed",
                Some(Applied::Committed) => "its patch is applied and committed where gander reads",
                None => "its patch is not applied where gander reads",
            };
            return Ok(store.record_delivery(id, &now, &Entry::of("applied", id, what))?);
        }
        Seen::Refused(why) => (Event::Conflict, why),
        Seen::Edited(why) => (Event::Edit, why),
        Seen::Closed(why) | Seen::Undone { why, .. } => (Event::Close, why),
        Seen::Replaced(why) => (Event::Replace, why),
    };
    let entry = Entry { detail: why.clone(), ..Entry::of(format!("owner.{}", event.as_str()), id, "") };
    let (state, mut record) = (now.state.clone(), DeliveryRecord { state: record.state.clone(), ..now });
    deliver::go(store, id, &mut record, (event, state), entry)
}

/// Records what can't be told of a delivery, or that it can be now, where that is news.
pub(super) fn note_doubt(store: &mut Store, id: &str, doubt: Option<String>) -> Result<(), RolloutError> {
    let Some(record) = store.delivery(id)?.filter(|record| record.doubt != doubt) else { return Ok(()) };
    let entry = Entry::of("doubt", id, doubt.as_deref().unwrap_or_default());
    Ok(store.record_delivery(id, &DeliveryRecord { doubt, ..record }, &entry)?)
}

/// A delivery that was taken to have failed is there: it was begun again, and is done.
fn arrived(store: &mut Store, id: &str, record: &mut DeliveryRecord, entry: Entry) -> Result<(), RolloutError> {
    let begun = Entry::of("arrived", id, "");
    deliver::go(store, id, record, (Event::Stage, DeliveryState::Delivering), begun)?;
    deliver::go(store, id, record, (Event::Deliver, DeliveryState::Delivered), entry)
}
