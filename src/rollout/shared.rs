//! Branches that several consumers of one repository share: one commit with the files of all
//! of them and a change id for each, made anew where one of them comes or goes.
//!
//! Must not: move a branch from a commit that gander did not put there, or make one again
//! that somebody has deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::RolloutError;
use super::deliver::{self, Obstacle, Shipment};
use super::ship::Begun;
use crate::config::Delivery;
use crate::fault;
use crate::files;
use crate::git::{self, GitError, Present, Push, Remote, Repository, Work};
use crate::state::{DeliveryRecord, DeliveryState, Entry, Store, WaveState};
use crate::workspace::{FileVersion, GitPlace, Pin, Workspace, below};

/// Which branch it is: by its name, and where it counts. Two clones of one remote have one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Whose {
    name: String,
    remote: Option<String>,
    /// Where there is no remote.
    toplevel: Option<PathBuf>,
}

impl Whose {
    pub(super) fn of(record: &DeliveryRecord, place: &Workspace) -> Self {
        let name = record.branch.as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
        let toplevel = place.git.as_ref().map(|git| git.toplevel.clone());
        let toplevel = toplevel.filter(|_| record.how != Delivery::Push);
        Self { name, remote: record.remote.clone(), toplevel }
    }

    /// Whether a change set would go onto it: where it is pushed, it has no remote on record yet,
    /// and one name stands for one branch of a rollout.
    pub(super) fn is_that_of(&self, record: &DeliveryRecord, place: &Workspace) -> bool {
        let other = Self::of(record, place);
        record.shared && self.name == other.name && self.toplevel == other.toplevel
    }
}

/// One of those who share a branch.
struct Rider {
    id: String,
    prefix: String,
    base: Option<String>,
    versions: Vec<FileVersion>,
    record: DeliveryRecord,
}

/// A branch that is shared, and where it stands.
struct Branch {
    name: String,
    repository: Repository,
    /// Where it counts, and where that stands.
    remote: Option<(Remote, Present)>,
    /// The commit that it counts to be at: at the remote, where there is one.
    tip: Option<String>,
    /// The commit that it is at here.
    here: Option<String>,
    /// Commits that gander has put there.
    known: BTreeSet<String>,
}

/// What a commit says.
struct Says<'a> {
    head: &'a str,
    author: Option<&'a str>,
    time: i64,
}

/// Puts change sets on the branches that they share, each branch once, beside those that are
/// on it already, and records how that ended.
pub(super) fn deliver_together(
    store: &mut Store,
    begun: Vec<Begun<'_>>,
    (head, author): (&str, Option<&str>),
    mut ended: impl FnMut(&Store, &Begun<'_>),
) -> Result<(), RolloutError> {
    let mut groups: BTreeMap<Whose, Vec<Begun<'_>>> = BTreeMap::new();
    for one in begun {
        groups.entry(Whose::of(&one.record, &one.parcel.workspace.place)).or_default().push(one);
    }
    for (whose, mut group) in groups {
        let says = Says { head, author, time: store.now() };
        let made = put(store, &whose, &mut group, &says)?;
        for (mut one, made) in group.into_iter().zip(made) {
            deliver::finish(store, one.parcel.id, &mut one.record, made)?;
            ended(store, &one);
        }
    }
    Ok(())
}

/// Puts some change sets on one branch; what came of each.
fn put(
    store: &mut Store,
    whose: &Whose,
    group: &mut [Begun<'_>],
    says: &Says<'_>,
) -> Result<Vec<Result<(), Obstacle>>, RolloutError> {
    let name = whose.name.as_str();
    let ids: BTreeSet<&str> = group.iter().map(|one| one.parcel.id).collect();
    // One that is to be made anew may not fit what is there now: it comes again itself.
    let (stay, left): (Vec<Rider>, Vec<Rider>) = riders(store, whose, &|id| !ids.contains(id))?
        .into_iter()
        .partition(|rider| rider.record.state == DeliveryState::Delivered);
    let known = known(store, whose)?;
    let toplevel = group.first().and_then(|one| one.parcel.workspace.place.git.as_ref());
    let toplevel = toplevel.map(|git| git.toplevel.clone()).unwrap_or_default();
    let mut made: Vec<Result<(), Obstacle>> = Vec::with_capacity(group.len());
    let folder = store.folder().to_owned();
    let branch = group.first().map(|first| Branch::find(name, &toplevel, &first.record, known));
    // What somebody has deleted or merged meanwhile is not made again: the next run looks at it.
    let gone = !stay.is_empty() && matches!(&branch, Some(Ok(branch)) if branch.tip.is_none());
    for one in group.iter_mut() {
        let written = files::write_folder_whole(&folder.join(&one.record.folder), &one.folder).map_err(Obstacle::from);
        let fits = written.and_then(|()| match &branch {
            Some(Ok(_)) if gone => {
                Err(Obstacle::Moved(format!("the branch {name} that it would join is gone, merged or deleted")))
            }
            Some(Ok(branch)) => branch.takes(&one.shipment(), &one.record),
            Some(Err(obstacle)) => Err(obstacle.clone()),
            None => Ok(()),
        });
        made.push(fits);
    }
    let Some(Ok(branch)) = branch else { return Ok(made) };
    let come: Vec<Rider> =
        group.iter().zip(&made).filter(|(_, made)| made.is_ok()).map(|(one, _)| one.rider()).collect();
    if come.is_empty() {
        return Ok(made);
    }
    let coming: BTreeSet<String> = come.iter().map(|rider| rider.id.clone()).collect();
    let all: Vec<Rider> = stay.into_iter().chain(come).collect();
    let done = match branch.commit(&all, says) {
        Ok(commit) => {
            // What is on the branch is on record before it is there.
            record(store, &branch, &all, &commit, &coming)?;
            leave(store, &left)?;
            for (one, _) in group.iter_mut().zip(&made).filter(|(_, made)| made.is_ok()) {
                one.record.replaces.clone_from(&branch.tip);
            }
            let (commit, published) = publish(store, &branch, &all, commit, &coming)?;
            for (one, _) in group.iter_mut().zip(&made).filter(|(_, made)| made.is_ok()) {
                one.record.branch = Some((name.to_owned(), Some(commit.clone())));
            }
            restore(store, &all, &coming, &published)?;
            restore(store, &left, &BTreeSet::new(), &published)?;
            published
        }
        Err(obstacle) => Err(obstacle),
    };
    Ok(made.into_iter().map(|fits| fits.and_then(|()| done.clone())).collect())
}

/// Takes one change set out of the branch that it shares: the branch is made anew without it,
/// and deleted where nobody is left on it.
///
/// # Errors
/// Where the state can't be used; what keeps it from coming about is the inner one.
pub(super) fn take_out(
    store: &mut Store,
    shipment: &Shipment<'_>,
    record_of: &DeliveryRecord,
) -> Result<Result<(), Obstacle>, RolloutError> {
    let (Some((name, _)), Some(git)) = (&record_of.branch, &shipment.place.git) else { return Ok(Ok(())) };
    let going: BTreeSet<String> = store
        .waves()?
        .into_iter()
        .filter(|wave| matches!(wave.state, WaveState::RollingBack(_)))
        .flat_map(|wave| wave.members)
        .collect();
    let whose = Whose::of(record_of, shipment.place);
    let stay = riders(store, &whose, &|id| id != shipment.place.id && !going.contains(id))?;
    let branch = match Branch::find(name, &git.toplevel, record_of, known(store, &whose)?) {
        Ok(branch) => branch,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    // Whoever deleted it has taken it back already.
    let Some(tip) = branch.tip.clone() else { return Ok(branch.forget()) };
    if !branch.known.contains(&tip) {
        return Ok(Err(Obstacle::Conflict(format!("somebody else moved the branch {name}"))));
    }
    if stay.is_empty() {
        return Ok(branch.delete(&tip));
    }
    let said = branch.repository.message(&tip).ok();
    let head: Vec<&str> =
        said.iter().flat_map(|said| said.lines()).filter(|line| git::changes_named(line).next().is_none()).collect();
    let author = branch.repository.said(&tip).ok().flatten().map(|(author, _)| author);
    let head = head.join("\n");
    let says = Says { head: head.trim_end(), author: author.as_deref(), time: store.now() };
    let commit = match branch.commit(&stay, &says) {
        Ok(commit) => commit,
        Err(obstacle) => return Ok(Err(obstacle)),
    };
    let nobody = BTreeSet::new();
    record(store, &branch, &stay, &commit, &nobody)?;
    let (_, published) = publish(store, &branch, &stay, commit, &nobody)?;
    restore(store, &stay, &nobody, &published)?;
    Ok(published)
}

/// Brings a branch to a commit that is on record. Where it may only go forward, to one that comes
/// after what is there: which.
fn publish(
    store: &mut Store,
    branch: &Branch,
    riders: &[Rider],
    commit: String,
    coming: &BTreeSet<String>,
) -> Result<(String, Result<(), Obstacle>), RolloutError> {
    let published = branch.publish(&commit, branch.here.as_deref());
    let (Err(GitError::Rejected { .. }), Some(tip)) = (&published, &branch.tip) else {
        let published = branch.unless_undone(&commit, published);
        return Ok((commit, published));
    };
    let after = match branch.repository.after(&commit, tip) {
        Ok(after) => after,
        Err(error) => {
            let published = branch.unless_undone(&commit, Err(error));
            return Ok((commit, published));
        }
    };
    record(store, branch, riders, &after, coming)?;
    let published = branch.publish(&after, Some(&commit));
    let published = branch.unless_undone(&after, published);
    Ok((after, published))
}

/// Where a branch could not be moved, those who are on it are where they were. Of a remote
/// that went away nobody knows: it is at the one commit or the other, and both are on record.
fn restore(
    store: &mut Store,
    riders: &[Rider],
    coming: &BTreeSet<String>,
    published: &Result<(), Obstacle>,
) -> Result<(), RolloutError> {
    if matches!(published, Ok(()) | Err(Obstacle::Away(_))) {
        return Ok(());
    }
    for rider in riders.iter().filter(|rider| !coming.contains(&rider.id)) {
        let entry = Entry::of("share", &*rider.id, "its branch could not be moved, and is what it was");
        store.record_delivery(&rider.id, &rider.record, &entry)?;
    }
    Ok(())
}

/// Those who are on a branch and whose owners have not merged it.
fn riders(store: &Store, whose: &Whose, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Rider>, RolloutError> {
    let places = store.workspaces::<serde::de::IgnoredAny>()?;
    let mut riders = Vec::new();
    for (id, record) in store.deliveries()? {
        let out = matches!(record.state, DeliveryState::Delivered | DeliveryState::Superseded);
        // Whoever left has no code here any more that a new commit could be made over.
        let on = record.shared && out && record.merged.is_none() && !record.departed;
        let on = on && record.branch.as_ref().is_some_and(|(_, commit)| commit.is_some());
        let Some(place) = places.get(&id).filter(|_| on && wanted(&id)) else { continue };
        let Some(git) = place.place.git.as_ref().filter(|_| Whose::of(&record, &place.place) == *whose) else {
            continue;
        };
        let versions = store.versions_of(&id, &record.change_id)?;
        // What is out was made of its own pin, and not of what its workspace is planned over now.
        let pin = record.pin.as_ref().or(place.pin.as_ref());
        riders.push(rider(&id, git, pin, &versions, &record));
    }
    Ok(riders)
}

fn rider(id: &str, git: &GitPlace, pin: Option<&Pin>, versions: &[FileVersion], record: &DeliveryRecord) -> Rider {
    let base = match pin {
        Some(Pin::Commit { commit, .. }) => Some(commit.clone()),
        _ => None,
    };
    Rider { id: id.to_owned(), prefix: git.prefix.clone(), base, versions: versions.to_vec(), record: record.clone() }
}

/// Commits that gander has put on a branch, by what is on record of anybody.
fn known(store: &Store, whose: &Whose) -> Result<BTreeSet<String>, RolloutError> {
    let places = store.workspaces::<serde::de::IgnoredAny>()?;
    let mut known = BTreeSet::new();
    for (id, record) in store.deliveries()? {
        let here = places.get(&id).is_some_and(|place| Whose::of(&record, &place.place) == *whose);
        if let Some((_, commit)) = record.branch.filter(|_| here) {
            known.extend(commit.into_iter().chain(record.replaces));
        }
    }
    Ok(known)
}

/// Puts on record, of everybody who stays on a branch, at which commit it is about to be.
fn record(
    store: &mut Store,
    branch: &Branch,
    riders: &[Rider],
    commit: &str,
    coming: &BTreeSet<String>,
) -> Result<(), RolloutError> {
    for rider in riders {
        let branch_now = Some((branch.name.clone(), Some(commit.to_owned())));
        if rider.record.branch == branch_now {
            continue;
        }
        let record = DeliveryRecord { branch: branch_now, replaces: branch.tip.clone(), ..rider.record.clone() };
        let why = match coming.contains(&rider.id) {
            true => format!("its branch {} is about to be at {commit}", branch.name),
            false => format!("the branch {} is made anew: another one comes or goes", branch.name),
        };
        store.record_delivery(&rider.id, &record, &Entry::of("share", &*rider.id, why))?;
    }
    Ok(())
}

/// Puts on record, of those who are to be made anew, that they are not on their branch any more:
/// nobody has thrown them away.
fn leave(store: &mut Store, left: &[Rider]) -> Result<(), RolloutError> {
    for Rider { id, record, .. } in left {
        store.keep_versions(id, &record.change_id)?;
        let branch = record.branch.as_ref().map(|(name, _)| (name.clone(), None));
        let earlier = super::record::earlier(Some(record), &[]);
        let now = DeliveryRecord { branch, replaces: None, earlier, ..record.clone() };
        let why = "its branch is made anew without it: it is made anew itself";
        store.record_delivery(id, &now, &Entry::of("share", &**id, why))?;
    }
    Ok(())
}

impl Branch {
    fn find(name: &str, toplevel: &Path, record: &DeliveryRecord, known: BTreeSet<String>) -> Result<Self, Obstacle> {
        let repository = Repository::open(toplevel)?;
        let remote = match record.how {
            Delivery::Push => {
                let remote = deliver::remote_of_record(record)?;
                let present = remote.present(&repository.follows()?, "gander/")?;
                Some((remote, present))
            }
            _ => None,
        };
        let tip = match &remote {
            Some((_, present)) => present.tips.get(name).cloned(),
            None => repository.branch(name)?,
        };
        // Another clone of the same remote may have made it.
        if let (Some((remote, _)), Some(tip)) = (&remote, &tip) {
            remote.bring_branches(&repository, &BTreeMap::from([(name, tip.as_str())]))?;
        }
        let here = repository.branch(name)?;
        Ok(Self { name: name.to_owned(), repository, remote, tip, here, known })
    }

    /// Whether a change set may go onto it now.
    fn takes(&self, shipment: &Shipment<'_>, record: &DeliveryRecord) -> Result<(), Obstacle> {
        if let Some(tip) = self.tip.as_ref().filter(|tip| !self.known.contains(*tip)) {
            return Err(Obstacle::Taken(format!(
                "the branch {} that it would share is at {tip}, where gander did not put it: merge, rename or delete \
                 it, then run again with --retry",
                self.name
            )));
        }
        let on_it =
            self.tip.is_some() && record.branch.as_ref().and_then(|(_, commit)| commit.as_ref()) == self.tip.as_ref();
        if on_it {
            return Ok(());
        }
        let looked = match &self.remote {
            Some((remote, present)) => {
                deliver::not_moved(shipment, &self.repository, (remote, present))?;
                deliver::no_clash(shipment, &self.name, &self.repository, (Some(remote), &present.tips))
            }
            None => {
                let tips = self.repository.tips("gander/")?;
                deliver::no_clash(shipment, &self.name, &self.repository, (None, &tips))
            }
        };
        deliver::unless_approved(record, looked)
    }

    /// The commit that holds the change sets of all of them.
    fn commit(&self, riders: &[Rider], says: &Says<'_>) -> Result<String, Obstacle> {
        let Some(base) = self.newest(riders)? else {
            return Err(Obstacle::Refused(
                "it was pinned with uncommitted changes, and a branch starts from a commit".to_owned(),
            ));
        };
        let mut files = Vec::new();
        let mut paths = Vec::new();
        for rider in riders {
            paths.extend(rider.versions.iter().map(|version| below(&rider.prefix, &version.path)));
        }
        let now = self.repository.files_at(&base, &paths)?;
        for rider in riders {
            for version in &rider.versions {
                let path = below(&rider.prefix, &version.path);
                if now.get(&path) != version.before.as_ref() {
                    return Err(Obstacle::Moved(format!("the code of {} moved on, and {path} with it", rider.id)));
                }
                files.push(FileVersion { path, ..version.clone() });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut trailers: Vec<String> = riders.iter().map(|rider| deliver::trailer(&rider.record.change_id)).collect();
        trailers.sort();
        let message = format!("{}\n\n{}", says.head, trailers.join("\n"));
        let place = GitPlace {
            toplevel: self.repository.toplevel().to_owned(),
            prefix: String::new(),
            commit: base,
            tree: String::new(),
            dirty: Vec::new(),
        };
        if let Some(here) = self.here.as_ref().filter(|here| !self.known.contains(*here)) {
            return Err(Obstacle::Taken(format!(
                "the branch {} is at {here} here, where gander did not put it: rename or delete it, then run again \
                 with --retry",
                self.name
            )));
        }
        let (author, time) = (says.author, says.time);
        let work = Work { branch: &self.name, files: &files, message: &message, author, time, replaces: None };
        Ok(git::commit_beside(&place, &work)?)
    }

    /// Of the commits that some were made over, the one that has all others in it.
    fn newest(&self, riders: &[Rider]) -> Result<Option<String>, Obstacle> {
        let bases: BTreeSet<&String> = riders.iter().filter_map(|rider| rider.base.as_ref()).collect();
        for base in &bases {
            let mut all = true;
            for other in &bases {
                all &= self.repository.contains(base, other)?;
            }
            if all {
                return Ok(Some((*base).clone()));
            }
        }
        Ok(bases.into_iter().next_back().cloned())
    }

    /// Brings the branch to a commit, here and where it counts. What is on it is on record by now.
    fn publish(&self, commit: &str, from: Option<&str>) -> Result<(), GitError> {
        self.repository.set_branch(&self.name, commit, from)?;
        fault::point("git.branch-made");
        let Some((remote, _)) = &self.remote else { return Ok(()) };
        if self.tip.as_deref() == Some(commit) {
            return Ok(());
        }
        let push = Push { branch: &self.name, commit, replaces: self.tip.as_deref() };
        match remote.push(&self.repository, &push) {
            Err(error @ (GitError::Moved { .. } | GitError::Rejected { .. })) => {
                // The push of a run that was killed goes on without it, and may have come first.
                if remote.branch(&self.name)?.as_deref() == Some(commit) { Ok(()) } else { Err(error) }
            }
            pushed => pushed,
        }
    }

    /// Puts the branch back to where it was here, where its remote refused to move it: nobody would know it for gander's
    /// own once its delivery is forgotten. Of a remote that went away nobody knows.
    fn unless_undone(&self, commit: &str, published: Result<(), GitError>) -> Result<(), Obstacle> {
        let published = published.map_err(Obstacle::from);
        if matches!(published, Err(ref why) if !matches!(why, Obstacle::Away(_))) {
            // What can't be put back is named by the next try.
            let _ = match &self.here {
                Some(here) => self.repository.set_branch(&self.name, here, Some(commit)),
                None => self.repository.delete_branch(&self.name, commit),
            };
        }
        published
    }

    fn delete(&self, tip: &str) -> Result<(), Obstacle> {
        if let Some((remote, _)) = &self.remote {
            remote.delete(&self.name, tip)?;
        }
        self.forget()
    }

    /// Deletes what stands for it here, where it is gander's own.
    fn forget(&self) -> Result<(), Obstacle> {
        match self.repository.branch(&self.name)? {
            Some(here) if self.known.contains(&here) => Ok(self.repository.delete_branch(&self.name, &here)?),
            _ => Ok(()),
        }
    }
}

impl Begun<'_> {
    fn rider(&self) -> Rider {
        let workspace: &Workspace = &self.parcel.workspace.place;
        let git = workspace.git.clone().unwrap_or_else(|| GitPlace {
            toplevel: PathBuf::new(),
            prefix: String::new(),
            commit: String::new(),
            tree: String::new(),
            dirty: Vec::new(),
        });
        rider(self.parcel.id, &git, self.parcel.workspace.pin.as_ref(), &self.parcel.versions, &self.record)
    }
}
