//! What owners did with what was delivered to them: merged, edited, thrown away, replaced.
//! Seen at the start of each run, before anything is planned over it.
//!
//! Must not: change anything outside of the state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use super::deliver::{self, trailer};
use super::machine::consumer::Event;
use super::snapshot::Snapshot;
use super::{Request, RolloutError};
use crate::config::Delivery;
use crate::files;
use crate::git::{GitError, Repository, Standings};
use crate::state::{DeliveryRecord, DeliveryState, Entry, Store};
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
enum Seen {
    Merged(String),
    Edited(String),
    Closed(String),
    Replaced(String),
    /// Its revert was merged.
    Back(String),
    /// Its revert was thrown away.
    Refused(String),
}

/// Looks at what is out, and records what became of it. What can't be reached is looked at
/// by the next run.
pub(super) fn observe(store: &mut Store, request: &Request<'_>) -> Result<(), RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let current: BTreeMap<&str, &Workspace> =
        request.fleet.workspaces.iter().map(|place| (place.id.as_str(), place)).collect();
    let mut branches: BTreeMap<Where, Vec<Subject<'_>>> = BTreeMap::new();
    let mut found: Vec<(String, Seen)> = Vec::new();
    for (id, record) in &snapshot.deliveries {
        let open =
            matches!(record.state, DeliveryState::Delivered | DeliveryState::Edited(_) | DeliveryState::Superseded);
        let reverting = record.state == DeliveryState::RollingBack && record.revert.is_some();
        let open = (open && record.merged.is_none()) || reverting;
        let Some(workspace) = snapshot.workspaces.get(id).filter(|_| open) else { continue };
        let place = current.get(id.as_str()).copied().unwrap_or(&workspace.place);
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
            (Delivery::Checkout, ..) if record.state == DeliveryState::Delivered => {
                let seen = in_place(place, pinned, &store.versions(id)?);
                found.extend(seen.map(|seen| (id.clone(), seen)));
            }
            _ => {}
        }
    }
    let prefix = format!("gander/{}/", request.migration.id);
    let (looked, unseen) = look_at_all(&prefix, branches);
    found.extend(looked);
    for (url, why) in unseen {
        (request.tell)(super::Event::Unseen { place: &url, why: &why });
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    for (id, seen) in found {
        if let Some(record) = snapshot.deliveries.get(&id) {
            note(store, &id, record, seen)?;
        }
    }
    Ok(())
}

/// What became of workspaces, and what could not be seen, with why.
type Looked = (Vec<(String, Seen)>, Vec<(String, String)>);

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

fn look_at(prefix: &str, place: &Where, subjects: &[Subject<'_>]) -> Result<Vec<(String, Seen)>, GitError> {
    let made_by_us = |subject: &Subject<'_>| {
        let revert = subject.record.revert.as_ref().map(|(_, commit)| commit.clone());
        [made(subject.record), revert].into_iter().flatten().collect::<Vec<_>>()
    };
    let asked: BTreeSet<String> = subjects.iter().flat_map(made_by_us).collect();
    let known: BTreeSet<String> = subjects.iter().filter_map(|subject| subject.pinned.map(str::to_owned)).collect();
    let lender = subjects.iter().find_map(|subject| subject.git.filter(|git| git.toplevel.is_dir()));
    let all = |repository: &Repository, standings: &Standings| {
        let seen = |subject: &Subject<'_>| {
            Ok(become_of(repository, standings, subject.record)?.map(|s| (subject.id.to_owned(), s)))
        };
        subjects.iter().filter_map(|subject| seen(subject).transpose()).collect::<Result<Vec<_>, GitError>>()
    };
    match place {
        Where::Here(toplevel) => {
            let repository = Repository::open(toplevel)?;
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
                tips.get(name).cloned() == made(subject.record) && head.as_deref() == subject.pinned
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
        let named = standings.named.get(&deliver::revert_id(&record.change_id).to_string()).cloned();
        if let Some(by) = named.or_else(|| Some(commit.clone()).filter(|commit| standings.merged.contains(commit))) {
            return Ok(Some(Seen::Back(format!("its revert is in {by}"))));
        }
        let gone = !standings.tips.contains_key(name);
        return Ok(gone.then(|| Seen::Refused(format!("its owner threw away the branch {name} that takes it back"))));
    }
    let (Some((name, _)), Some(made)) = (&record.branch, made(record)) else { return Ok(None) };
    let merged = standings.named.get(&record.change_id.to_string()).cloned();
    if let Some(merged) = merged.or_else(|| standings.head.clone().filter(|_| standings.merged.contains(&made))) {
        return Ok(Some(Seen::Merged(merged)));
    }
    Ok(match standings.tips.get(name) {
        Some(tip) if *tip == made => None,
        None => Some(Seen::Closed(format!("the branch {name} was deleted, and its change was not merged"))),
        Some(tip) if repository.contains(tip, &made)? => {
            Some(Seen::Edited(format!("its owner went on with the branch {name}")))
        }
        Some(tip) if repository.message(tip)?.contains(&trailer(&record.change_id)) => {
            Some(Seen::Edited(format!("its owner made the commit on the branch {name} anew")))
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

/// Records what was seen, where it is news.
fn note(store: &mut Store, id: &str, record: &DeliveryRecord, seen: Seen) -> Result<(), RolloutError> {
    let (event, state, why) = match seen {
        Seen::Merged(commit) => {
            let entry = Entry::of("merged", id, format!("its change is in {commit}"));
            let state = match &record.state {
                DeliveryState::Superseded => DeliveryState::Delivered,
                other => other.clone(),
            };
            let merged = DeliveryRecord { merged: Some(commit), state, ..record.clone() };
            return Ok(store.record_delivery(id, &merged, &entry)?);
        }
        Seen::Back(why) => (Event::Back, DeliveryState::RolledBack, why),
        Seen::Refused(why) => (Event::Conflict, DeliveryState::Conflict(why.clone()), why),
        Seen::Edited(why) => (Event::Edit, DeliveryState::Edited(why.clone()), why),
        Seen::Closed(why) => (Event::Close, DeliveryState::Closed(why.clone()), why),
        Seen::Replaced(why) => (Event::Replace, DeliveryState::Replaced(why.clone()), why),
    };
    if state == record.state {
        return Ok(());
    }
    let entry = Entry { detail: why, ..Entry::of(format!("owner.{}", event.as_str()), id, "") };
    deliver::go(store, id, &mut record.clone(), (event, state), entry)
}
