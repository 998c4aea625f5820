//! What owners did with what was delivered to them: merged, edited, thrown away, replaced.
//! Seen at the start of each run, before anything is planned over it, and before anything is
//! taken back.
//!
//! Must not: change anything outside of the state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use super::deliver::{self, Named, trailer};
use super::machine::consumer::Event;
use super::snapshot::Snapshot;
use super::{Request, RolloutError};
use crate::config::Delivery;
use crate::files;
use crate::git::{GitError, Repository, Standings};
use crate::state::{DeliveryRecord, DeliveryState, Entry, Store, WaveRecord, WaveState};
use crate::workspace::{FileVersion, GitPlace, Pin, Workspace};

/// How many remotes are asked at once.
const AT_ONCE: usize = 16;

/// Where branches of some deliveries live.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    /// In this repository.
    Here(PathBuf),
    /// In the one with this URL.
    There(String),
}

/// A delivery whose end is looked for.
struct Subject<'a> {
    id: &'a str,
    record: &'a DeliveryRecord,
    git: Option<&'a GitPlace>,
    pinned: Option<&'a str>,
}

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Merged(String),
    Edited(String),
    Closed(String),
    Replaced(String),
    /// Its revert was merged.
    Back(String),
    /// Its revert was thrown away.
    Refused(String),
    /// It is there, though its delivery was taken to have failed.
    Arrived,
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
    for (id, seen) in look_around(store, &snapshot, look, tell)? {
        if let Some(record) = snapshot.deliveries.get(&id) {
            note(store, &id, record, &seen)?;
        }
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
/// before that.
fn is_open(record: &DeliveryRecord) -> bool {
    use DeliveryState as D;
    match &record.state {
        D::RollingBack if record.revert.is_some() => true,
        D::Delivered | D::Edited(_) | D::Superseded => record.merged.is_none(),
        D::Delivering | D::RollingBack | D::Conflict(_) | D::RolledBack => record.merged.is_none(),
        // Whoever deletes a branch may have merged its commit, or do so later.
        D::Closed(_) | D::Replaced(_) => record.merged.is_none(),
        // A push that a killed run left behind arrives when it likes.
        D::Refused(_) | D::Failed(_) => record.how == Delivery::Push && made(record).is_some(),
        D::Waiting | D::Held(_) | D::AwaitingApproval(_) => false,
    }
}

/// What became of what is out, ordered by workspace. Nothing is recorded.
pub(super) fn look_around(
    store: &Store,
    snapshot: &Snapshot,
    look: &Look<'_>,
    tell: &dyn Fn(super::Event<'_>),
) -> Result<Vec<(String, Seen)>, RolloutError> {
    let mut branches: BTreeMap<Where, Vec<Subject<'_>>> = BTreeMap::new();
    let mut found: Vec<(String, Seen)> = Vec::new();
    let asked = |id: &String| look.only.as_ref().is_none_or(|only| only.contains(id));
    for (id, record) in snapshot.deliveries.iter().filter(|(id, record)| asked(id) && is_open(record)) {
        let Some(workspace) = snapshot.workspaces.get(id) else { continue };
        let place = look.places.get(id.as_str()).copied().unwrap_or(&workspace.place);
        let pinned = match &workspace.pin {
            Some(Pin::Commit { commit, .. }) => Some(commit.as_str()),
            _ => None,
        };
        let subject = Subject { id, record, git: place.git.as_ref(), pinned };
        match (record.how, &record.remote, &place.git) {
            (Delivery::Push, Some(url), _) => branches.entry(Where::There(url.clone())).or_default().push(subject),
            (Delivery::Branch, _, Some(git)) => {
                branches.entry(Where::Here(git.toplevel.clone())).or_default().push(subject);
            }
            // What is taken back holds its files against both ends itself.
            (Delivery::Checkout, ..) if record.state == DeliveryState::Delivered && !look.closely => {
                let seen = in_place(place, pinned, &store.versions(id)?);
                found.extend(seen.map(|seen| (id.clone(), seen)));
            }
            _ => {}
        }
    }
    let Some(binding) = store.binding()? else { return Ok(found) };
    let (looked, mut unseen) = look_at_all(&format!("gander/{}/", binding.migration), branches);
    let (doubtful, sure): (Vec<_>, Vec<_>) =
        looked.into_iter().partition(|(id, seen)| is_doubtful(snapshot, look, id, seen.as_ref()));
    found.extend(sure.into_iter().filter_map(|(id, seen)| Some((id, seen?))));
    let (told, more) = by_content(store, snapshot, look, doubtful)?;
    found.extend(told.into_iter().filter_map(|(id, seen)| Some((id, seen?))));
    unseen.extend(more);
    for (url, why) in unseen {
        tell(super::Event::Unseen { place: &url, why: &why });
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Whether only its files tell if it was merged: neither its commit nor its change id is in
/// the history, and it is gone, or about to be taken back. What was taken back already is
/// not asked: the same files may be their owner's own work by now.
fn is_doubtful(snapshot: &Snapshot, look: &Look<'_>, id: &str, seen: Option<&Seen>) -> bool {
    let Some(record) = snapshot.deliveries.get(id) else { return false };
    let going = |wave: &WaveRecord| {
        matches!(wave.state, WaveState::RollingBack(_)) && wave.members.iter().any(|member| member == id)
    };
    match seen {
        _ if record.merged.is_some() || !stands(&record.state) => false,
        Some(Seen::Closed(_) | Seen::Replaced(_)) => true,
        Some(Seen::Merged(_) | Seen::Back(_) | Seen::Refused(_) | Seen::Arrived) => false,
        Some(Seen::Edited(_)) | None => {
            look.closely || record.state == DeliveryState::RollingBack || snapshot.waves.iter().any(going)
        }
    }
}

/// Whether its branch should be there: nobody took it back, threw it away or refused it.
fn stands(state: &DeliveryState) -> bool {
    use DeliveryState as D;
    !matches!(state, D::RolledBack | D::Closed(_) | D::Refused(_) | D::Failed(_))
}

/// Compares files where nothing else tells.
fn by_content(
    store: &Store,
    snapshot: &Snapshot,
    look: &Look<'_>,
    doubtful: Vec<(String, Option<Seen>)>,
) -> Result<Looked, RolloutError> {
    let mut results = (Vec::new(), Vec::new());
    for chunk in doubtful.chunks(AT_ONCE) {
        let mut loaded = Vec::with_capacity(chunk.len());
        for (id, seen) in chunk {
            let pair = snapshot.workspaces.get(id).zip(snapshot.deliveries.get(id));
            let Some((workspace, record)) = pair else { continue };
            let place = look.places.get(id.as_str()).copied().unwrap_or(&workspace.place);
            loaded.push((id, seen, place, record, store.versions_of(id, &record.change_id)?));
        }
        let compared: Vec<_> = std::thread::scope(|scope| {
            let compare = |one: &'_ (_, _, &'_ Workspace, &'_ DeliveryRecord, Vec<FileVersion>)| {
                let (place, record, versions) = (one.2, one.3, one.4.as_slice());
                deliver::merged_as_files(place, record, versions)
            };
            let handles: Vec<_> = loaded.iter().map(|one| scope.spawn(move || compare(one))).collect();
            let failed = |_| Err(deliver::Obstacle::Failed("the comparison of its files failed".to_owned()));
            handles.into_iter().map(|handle| handle.join().unwrap_or_else(failed)).collect()
        });
        for ((id, seen, ..), merged) in loaded.into_iter().zip(compared) {
            match merged {
                Ok(Some(head)) => results.0.push((id.clone(), Some(Seen::Merged(head)))),
                Ok(None) => results.0.push((id.clone(), seen.clone())),
                // Not known is not closed.
                Err(obstacle) => results.1.push((id.clone(), obstacle.into_reason())),
            }
        }
    }
    Ok(results)
}

/// What became of workspaces, and what could not be seen, with why.
type Looked = (Vec<(String, Option<Seen>)>, Vec<(String, String)>);

fn look_at_all(prefix: &str, branches: BTreeMap<Where, Vec<Subject<'_>>>) -> Looked {
    let queue = Mutex::new(branches.into_iter());
    let results = Mutex::new((Vec::new(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((place, subjects)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let looked = look_at(prefix, &place, &subjects);
                    let Ok(mut results) = results.lock() else { return };
                    match looked {
                        Ok(seen) => results.0.extend(seen),
                        Err(error) => {
                            let name = match place {
                                Where::Here(path) => path.display().to_string(),
                                Where::There(url) => url,
                            };
                            results.1.push((name, error.to_string()));
                        }
                    }
                }
            });
        }
    });
    results.into_inner().unwrap_or_default()
}

fn look_at(prefix: &str, place: &Where, subjects: &[Subject<'_>]) -> Result<Vec<(String, Option<Seen>)>, GitError> {
    let made_by_us = |subject: &Subject<'_>| {
        let revert = subject.record.revert.as_ref().map(|(_, commit)| commit.clone());
        [made(subject.record), revert].into_iter().flatten().collect::<Vec<_>>()
    };
    let asked: BTreeSet<String> = subjects.iter().flat_map(made_by_us).collect();
    let known: BTreeSet<String> = subjects.iter().filter_map(|subject| subject.pinned.map(str::to_owned)).collect();
    let lender = subjects.iter().find_map(|subject| subject.git.filter(|git| git.toplevel.is_dir()));
    let all = |repository: &Repository, standings: &Standings| {
        let seen =
            |subject: &Subject<'_>| Ok((subject.id.to_owned(), become_of(repository, standings, subject.record)?));
        subjects.iter().map(seen).collect::<Result<Vec<_>, GitError>>()
    };
    match place {
        Where::Here(toplevel) => {
            let repository = Repository::open(toplevel)?;
            repository.not_on_own_branch()?;
            let standings = repository.standings(prefix, "HEAD", &asked, &known)?;
            all(&repository, &standings)
        }
        Where::There(_) => {
            let Some(first) = subjects.first() else { return Ok(Vec::new()) };
            let remote = deliver::remote_of_record(first.record)?;
            // One call tells where nothing happened, which is nearly everywhere.
            let (head, tips) = remote.tips(prefix)?;
            let as_it_was = |subject: &Subject<'_>| {
                if subject.record.revert.is_some() {
                    return false;
                }
                let name = subject.record.branch.as_ref().map(|(name, _)| name.as_str()).unwrap_or_default();
                let left = made(subject.record).filter(|_| stands(&subject.record.state));
                tips.get(name).cloned() == left && head.as_deref() == subject.pinned
            };
            if subjects.iter().all(as_it_was) {
                return Ok(Vec::new());
            }
            let lender = lender.map(|git| Repository::open(&git.toplevel)).transpose()?;
            let history = remote.history(lender.as_ref(), prefix)?;
            let (repository, head) = history.repository();
            let standings = repository.standings(prefix, head, &asked, &known)?;
            all(repository, &standings)
        }
    }
}

/// The commit that gander made and that is out.
fn made(record: &DeliveryRecord) -> Option<String> {
    record.branch.as_ref().and_then(|(_, commit)| commit.clone())
}

/// What became of one branch.
fn become_of(
    repository: &Repository,
    standings: &Standings,
    record: &DeliveryRecord,
) -> Result<Option<Seen>, GitError> {
    if let (DeliveryState::RollingBack, Some((name, commit))) = (&record.state, &record.revert) {
        let named = standings.named.get(&deliver::revert_id(record).to_string()).cloned();
        if let Some(by) = named.or_else(|| Some(commit.clone()).filter(|commit| standings.merged.contains(commit))) {
            return Ok(Some(Seen::Back(format!("its revert is in {by}"))));
        }
        let gone = !standings.tips.contains_key(name);
        return Ok(gone.then(|| Seen::Refused(format!("its owner threw away the branch {name} that takes it back"))));
    }
    let made = made(record);
    match deliver::named(standings, &record.change_id) {
        Named::In(merged) => return Ok(Some(Seen::Merged(merged))),
        Named::Nowhere if made.as_ref().is_some_and(|made| standings.merged.contains(made)) => {
            return Ok(standings.head.clone().map(Seen::Merged));
        }
        Named::Nowhere | Named::Reverted => {}
    }
    let arrived = |(name, made): (&String, &String)| standings.tips.get(name) == Some(made);
    if matches!(record.state, DeliveryState::Failed(_) | DeliveryState::Refused(_) | DeliveryState::RolledBack) {
        let branch = record.branch.as_ref().map(|(name, _)| name).zip(made.as_ref());
        return Ok(branch.is_some_and(arrived).then_some(Seen::Arrived));
    }
    // Of all others only a merge is news.
    let is_out =
        matches!(record.state, DeliveryState::Delivered | DeliveryState::Edited(_) | DeliveryState::Superseded);
    let (Some((name, _)), Some(made), true) = (&record.branch, made, is_out) else { return Ok(None) };
    Ok(match standings.tips.get(name) {
        Some(tip) if *tip == made => None,
        // It is about to be made anew, with others or without them.
        Some(tip) if record.shared && Some(tip) == record.replaces.as_ref() => None,
        None => Some(Seen::Closed(format!("the branch {name} was deleted, and its change was not merged"))),
        Some(tip) if repository.contains(tip, &made)? => {
            Some(Seen::Edited(format!("its owner went on with the branch {name}")))
        }
        Some(tip) if repository.message(tip)?.contains(&trailer(&record.change_id)) => {
            Some(Seen::Edited(format!("its owner made the commit on the branch {name} anew")))
        }
        Some(tip) if repository.same_tree(tip, &made)? => {
            Some(Seen::Edited(format!("its owner gave the commit on the branch {name} other words")))
        }
        Some(_) => Some(Seen::Replaced(format!("the branch {name} holds something else now"))),
    })
}

/// What became of files that were written in place.
fn in_place(place: &Workspace, pinned: Option<&str>, versions: &[FileVersion]) -> Option<Seen> {
    let mut before = 0;
    for version in versions {
        let found = files::read_below(&place.root, &version.path).ok()?;
        if found == version.before && found != version.after {
            before += 1;
        } else if found != version.after {
            return Some(Seen::Edited(format!("its owner changed {} since", version.path)));
        }
    }
    // On another commit, somebody may only look at another branch.
    let same_commit = place.git.as_ref().is_none_or(|git| Some(git.commit.as_str()) == pinned);
    match before {
        0 => None,
        all if all == versions.len() && same_commit => {
            Some(Seen::Closed("its owner put its files back as they were".to_owned()))
        }
        all if all == versions.len() => None,
        _ => Some(Seen::Edited("its owner put some of its files back as they were".to_owned())),
    }
}

/// A delivery by what was seen of it.
pub(super) fn as_seen(record: &DeliveryRecord, seen: &Seen) -> DeliveryRecord {
    use DeliveryState as D;
    let state = match seen {
        Seen::Merged(_) => match &record.state {
            D::Superseded | D::Delivering => D::Delivered,
            D::Closed(_) | D::Replaced(_) | D::Failed(_) | D::Refused(_) => D::Delivered,
            // Its branch was deleted, and what is in it was not taken back.
            D::RolledBack => D::RollingBack,
            other => other.clone(),
        },
        Seen::Back(_) => D::RolledBack,
        Seen::Arrived if record.state == D::RolledBack => D::RollingBack,
        Seen::Arrived => D::Delivered,
        Seen::Refused(why) => D::Conflict(why.clone()),
        Seen::Edited(why) => D::Edited(why.clone()),
        Seen::Closed(why) => D::Closed(why.clone()),
        Seen::Replaced(why) => D::Replaced(why.clone()),
    };
    let merged = match seen {
        Seen::Merged(commit) => Some(commit.clone()),
        _ => record.merged.clone(),
    };
    DeliveryRecord { state, merged, ..record.clone() }
}

/// Records what was seen, where it is news.
fn note(store: &mut Store, id: &str, record: &DeliveryRecord, seen: &Seen) -> Result<(), RolloutError> {
    let now = as_seen(record, seen);
    if now == *record {
        return Ok(());
    }
    let (event, why) = match seen {
        Seen::Merged(commit) => {
            let entry = Entry::of("merged", id, format!("its change is in {commit}"));
            let mut record = DeliveryRecord { merged: now.merged.clone(), tries: 0, ..record.clone() };
            let event = match &record.state {
                DeliveryState::RolledBack => Event::Revert,
                DeliveryState::Closed(_) | DeliveryState::Replaced(_) => Event::Deliver,
                DeliveryState::Failed(_) | DeliveryState::Refused(_) => {
                    return arrived(store, id, &mut record, entry);
                }
                _ => return Ok(store.record_delivery(id, &now, &entry)?),
            };
            return deliver::go(store, id, &mut record, (event, now.state), entry);
        }
        Seen::Arrived => {
            let entry =
                Entry::of("arrived", id, "its branch is there after all: a push that was begun came to its end");
            if record.state == DeliveryState::RolledBack {
                return deliver::go(store, id, &mut record.clone(), (Event::Revert, now.state), entry);
            }
            return arrived(store, id, &mut record.clone(), entry);
        }
        Seen::Back(why) => (Event::Back, why),
        Seen::Refused(why) => (Event::Conflict, why),
        Seen::Edited(why) => (Event::Edit, why),
        Seen::Closed(why) => (Event::Close, why),
        Seen::Replaced(why) => (Event::Replace, why),
    };
    let entry = Entry { detail: why.clone(), ..Entry::of(format!("owner.{}", event.as_str()), id, "") };
    deliver::go(store, id, &mut record.clone(), (event, now.state), entry)
}

/// A delivery that was taken to have failed is there: it was begun again, and is done.
fn arrived(store: &mut Store, id: &str, record: &mut DeliveryRecord, entry: Entry) -> Result<(), RolloutError> {
    let begun = Entry::of("arrived", id, "");
    deliver::go(store, id, record, (Event::Stage, DeliveryState::Delivering), begun)?;
    deliver::go(store, id, record, (Event::Deliver, DeliveryState::Delivered), entry)
}
