//! What branches and histories tell of a delivery, without looking into any file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use super::{AT_ONCE, Fork, Seen, Sight, is_in_the_way, made, stands};
use crate::git::{self, GitError, Repository, Standings};
use crate::rollout::deliver::{self, Named, trailer};
use crate::rollout::unclear;
use crate::state::{DeliveryRecord, DeliveryState};
use crate::workspace::GitPlace;

/// Where branches of some deliveries live.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Where {
    /// In this repository.
    Here(PathBuf),
    /// In another one, by [`DeliveryRecord::pushed_to`].
    There(String),
}

impl Where {
    /// Its name, for people and for the record.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Here(path) => path.display().to_string(),
            Self::There(name) => name.clone(),
        }
    }
}

/// A delivery whose end is looked for.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub id: &'a str,
    pub record: &'a DeliveryRecord,
    pub git: Option<&'a GitPlace>,
    pub pinned: Option<&'a str>,
}

/// What was seen in one repository.
#[derive(Default)]
pub(super) struct Looked<'a> {
    pub place: String,
    /// The commit that its owners have now.
    pub head: Option<String>,
    /// The one that was looked at before.
    pub before: Option<String>,
    /// Whether both are the same.
    pub same: bool,
    pub sights: Vec<(Subject<'a>, Sight)>,
}

/// What the state knows of a migration's branches.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    /// How their names begin.
    pub prefix: &'k str,
    /// The names of all changes that were made, as commits have them.
    pub changes: &'k BTreeSet<String>,
}

/// What was seen, and what could not be, with why.
pub(super) type All<'a> = (Vec<Looked<'a>>, Vec<(String, String)>);

/// Looks at many repositories at once. `heads` are those that were looked at before.
pub(super) fn look_at_all<'a>(
    known: Known<'_>,
    branches: BTreeMap<Where, Vec<Subject<'a>>>,
    heads: &BTreeMap<String, String>,
) -> All<'a> {
    let count = branches.len();
    let queue = Mutex::new(branches.into_iter());
    let results = Mutex::new((Vec::new(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(count) {
            scope.spawn(|| {
                while let Some((place, subjects)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let name = place.name();
                    let looked = look_at(known, &place, &subjects, heads.get(&name));
                    let Ok(mut results) = results.lock() else { return };
                    match looked {
                        Ok(looked) => results.0.push(looked),
                        Err(error) => results.1.push((name, error.to_string())),
                    }
                }
            });
        }
    });
    results.into_inner().unwrap_or_default()
}

fn look_at<'a>(
    known_changes: Known<'_>,
    place: &Where,
    subjects: &[Subject<'a>],
    before: Option<&String>,
) -> Result<Looked<'a>, GitError> {
    let prefix = known_changes.prefix;
    let made_by_us = |subject: &Subject<'_>| {
        let revert = subject.record.revert.as_ref().map(|(_, commit)| commit.clone());
        let earlier = subject.record.earlier.iter().filter_map(|one| one.commit.clone());
        [made(subject.record), revert].into_iter().flatten().chain(earlier).collect::<Vec<_>>()
    };
    let asked: BTreeSet<String> = subjects.iter().flat_map(made_by_us).collect();
    let known: BTreeSet<String> = subjects.iter().filter_map(|subject| subject.pinned.map(str::to_owned)).collect();
    let lender = subjects.iter().find_map(|subject| subject.git.filter(|git| git.toplevel.is_dir()));
    let all = |repository: &Repository, standings: &Standings| {
        let seen =
            |subject: &Subject<'a>| Ok((*subject, become_of(repository, standings, subject.record, known_changes)?));
        let sights = subjects.iter().map(seen).collect::<Result<Vec<_>, GitError>>()?;
        let head = standings.head.clone();
        let same = head.is_some() && head.as_ref() == before;
        Ok(Looked { place: place.name(), same, head, before: before.cloned(), sights })
    };
    match place {
        Where::Here(toplevel) => {
            let repository = Repository::open(toplevel)?;
            repository.not_on_own_branch()?;
            let standings = repository.standings(prefix, "HEAD", &asked, &known)?;
            all(&repository, &standings)
        }
        Where::There(_) => {
            let Some(first) = subjects.first() else { return Ok(Looked::default()) };
            let remote = deliver::remote_of_record(first.record)?;
            // One call tells where nothing happened, which is nearly everywhere.
            let into = first.record.into.as_deref();
            let (head, tips) = remote.tips(into, prefix)?;
            let same = head.is_some() && head.as_ref() == before;
            let as_it_was = |subject: &Subject<'_>| {
                let record = subject.record;
                if record.revert.is_some() && record.state == DeliveryState::RollingBack {
                    return false;
                }
                if record.merged.is_some() {
                    return same;
                }
                let name = record.branch.as_ref().map(|(name, _)| name.as_str()).unwrap_or_default();
                let left = made(record).filter(|_| stands(&record.state));
                tips.get(name).cloned() == left && head.as_deref() == subject.pinned
            };
            if subjects.iter().all(as_it_was) {
                return Ok(Looked { place: place.name(), head, same, ..Looked::default() });
            }
            let lender = lender.map(|git| Repository::open(&git.toplevel)).transpose()?;
            let history = remote.history(lender.as_ref(), into, prefix)?;
            let (repository, head) = history.repository();
            let standings = repository.standings(prefix, head, &asked, &known)?;
            all(repository, &standings)
        }
    }
}

/// What became of one branch.
fn become_of(
    repository: &Repository,
    standings: &Standings,
    record: &DeliveryRecord,
    known: Known<'_>,
) -> Result<Sight, GitError> {
    let in_history = |commit: Option<&String>| commit.is_some_and(|commit| standings.merged.contains(commit));
    if let (DeliveryState::RollingBack, Some((name, commit))) = (&record.state, &record.revert) {
        let named = standings.named.get(&deliver::revert_id(record).to_string()).cloned();
        // Whoever squashes a part of it may keep the whole message.
        let named = named.or_else(|| Some(commit.clone()).filter(|commit| standings.merged.contains(commit)));
        let Some(tip) = standings.tips.get(name) else {
            let thrown = Seen::Refused(format!(
                "its owner threw away the branch {name} that takes it back: `gander rollback --consumer` asks again"
            ));
            return Ok(Sight { seen: Some(thrown), named, ..Sight::default() });
        };
        let fork = match &standings.head {
            Some(head) => Some(Fork { base: repository.fork(head, tip)?, tip: tip.clone() }),
            None => None,
        };
        return Ok(Sight { named, fork, ..Sight::default() });
    }
    if record.merged.is_some() {
        return Ok(Sight::default());
    }
    let made = made(record);
    let mut sight = Sight::default();
    match deliver::named(standings, &record.change_id) {
        Named::In(commit) if in_history(made.as_ref()) => return Ok(Seen::Merged(commit).into()),
        // Whoever squashes a part of it may keep the whole message.
        Named::In(commit) => sight.named = Some(commit),
        Named::Nowhere if in_history(made.as_ref()) => {
            return Ok(standings.head.clone().map(Seen::Merged).map(Sight::from).unwrap_or_default());
        }
        Named::Nowhere | Named::Reverted => {}
    }
    sight.earlier = record.earlier.iter().filter(|_| sight.named.is_none()).find_map(|one| {
        let commit = match deliver::named(standings, &one.change_id) {
            Named::In(commit) => Some(commit),
            Named::Nowhere if in_history(one.commit.as_ref()) => standings.head.clone(),
            Named::Nowhere | Named::Reverted => None,
        };
        Some((one.change_id, commit?))
    });
    sight.seen = of_branch((repository, standings), record, made, known)?;
    let was_merged = sight.named.is_some() || record.once.is_some();
    if record.state.is_thrown_away() && was_merged && sight.seen == Some(Seen::Arrived) {
        // It was merged, and taken back, maybe by a history without it; the branch was left where it is.
        sight.seen = None;
    }
    Ok(sight)
}

/// What is said of a branch that is gone, unless its files leave that open.
pub(super) const NOT_MERGED: &str = ", and its change was not merged";

/// What became of a branch that is in no history.
fn of_branch(
    (repository, standings): (&Repository, &Standings),
    record: &DeliveryRecord,
    made: Option<String>,
    known: Known<'_>,
) -> Result<Option<Seen>, GitError> {
    let arrived = |(name, made): (&String, &String)| standings.tips.get(name) == Some(made);
    use DeliveryState as D;
    if unclear::is_left(&record.state) {
        return Ok(None);
    }
    if matches!(record.state, D::Failed(_) | D::Refused(_) | D::RolledBack | D::Closed(_) | D::Replaced(_)) {
        let branch = record.branch.as_ref().map(|(name, _)| name).zip(made.as_ref());
        return Ok(branch.is_some_and(arrived).then_some(Seen::Arrived));
    }
    if is_in_the_way(record) {
        let gone = record.branch.as_ref().is_some_and(|(name, _)| !standings.tips.contains_key(name));
        return Ok(gone.then_some(Seen::Freed));
    }
    // Of all others only a merge is news.
    let is_out =
        matches!(record.state, DeliveryState::Delivered | DeliveryState::Edited(_) | DeliveryState::Superseded);
    let (Some((name, _)), Some(made), true) = (&record.branch, made, is_out) else { return Ok(None) };
    Ok(match standings.tips.get(name) {
        Some(tip) if *tip == made => None,
        // It is about to be made anew, with others or without them.
        Some(tip) if record.shared && Some(tip) == record.replaces.as_ref() => None,
        None => Some(Seen::Closed(format!("the branch {name} was deleted{NOT_MERGED}"))),
        Some(tip) if repository.contains(tip, &made)? => {
            Some(Seen::Edited(format!("its owner went on with the branch {name}")))
        }
        Some(tip) if repository.message(tip)?.contains(&trailer(&record.change_id)) => {
            Some(Seen::Edited(format!("its owner made the commit on the branch {name} anew")))
        }
        Some(tip) if repository.same_tree(tip, &made)? => {
            Some(Seen::Edited(format!("its owner gave the commit on the branch {name} other words")))
        }
        Some(tip) => {
            let message = repository.message(tip)?;
            let named: Vec<_> = git::changes_named(&message).collect();
            Some(match named.is_empty() {
                true if repository.same_writing(tip, &made)? => {
                    Seen::Edited(format!("its owner amended the commit on the branch {name}, and gave it other words"))
                }
                false if named.iter().any(|change| !known.changes.contains(*change)) => {
                    Seen::Replaced(format!("the branch {name} {}", deliver::NOT_OF_THIS_STATE))
                }
                _ => Seen::Replaced(format!("the branch {name} holds something else now")),
            })
        }
    })
}
