//! Change sets that their owners have merged: a change of its own takes them back, made
//! over the present head and proven there. Where later commits changed the same lines, a
//! person gets the three versions side by side.

use std::collections::BTreeMap;
use std::path::Path;

use super::effect::{remote_of_record, trailer};
use super::{Obstacle, Shipment};
use crate::changeset::{self, ChangeSet};
use crate::config::Delivery;
use crate::digest::{Digest, DigestBuilder};
use crate::fault;
use crate::files;
use crate::git::{self, Abroad, GitError, NewCommit, Remote, Repository, Standings};
use crate::rollout::{Hooks, ProveBack, Trial, Tried};
use crate::state::DeliveryRecord;
use crate::workspace::{Content, FileVersion, GitPlace, Pin, Workspace};

/// The folder of the three versions, beside the patches.
pub const SIDE_BY_SIDE: &str = "conflict";

/// Where a change set is taken back.
pub(super) enum Ground {
    /// In the consumer's repository here.
    Here(Repository),
    /// In its remote, of which the present head was fetched.
    There(Remote, Abroad),
}

impl Ground {
    pub(super) fn repository(&self) -> &Repository {
        match self {
            Self::Here(repository) => repository,
            Self::There(_, abroad) => abroad.repository().0,
        }
    }
}

/// A change that takes a merged change set back.
pub struct Reverse {
    ground: Ground,
    head: String,
    /// Both ends of the files that are not back yet.
    pub(super) files: Vec<FileVersion>,
}

/// What a revert needs besides.
pub(super) struct Reverting<'a> {
    /// The folder of its change set.
    pub folder: &'a Path,
    /// Of the commit, in seconds since the Unix epoch.
    pub time: i64,
    /// In whose name the change set was delivered, and what its commit is called.
    pub said: Option<(String, String)>,
    /// Builds and tests it; what it is called where no commit is here that tells.
    pub hooks: &'a Hooks<'a>,
}

impl Reverse {
    /// What is to be built and tested: the present head with the files that go back. `None`
    /// where that is the code which the change set was made of, of which its verification knows.
    fn trial(&self, shipment: &Shipment<'_>) -> Result<Option<Trial>, Obstacle> {
        let (repository, prefix) = (self.ground.repository(), shipment.set.prefix.as_str());
        let new = NewCommit {
            branch: "",
            expected: None,
            base: &self.head,
            prefix,
            files: &self.files,
            message: "",
            author: "",
            time: 0,
        };
        let back = repository.trees(&repository.tree_of(&new)?, &[prefix])?.pop().flatten();
        if matches!((shipment.pin, &back), (Some(Pin::Commit { tree, .. }), Some(back)) if tree == back) {
            return Ok(None);
        }
        let tree = repository.trees(&self.head, &[prefix])?.pop().flatten().unwrap_or_default();
        let git = GitPlace {
            toplevel: repository.toplevel().to_owned(),
            prefix: prefix.to_owned(),
            commit: self.head.clone(),
            tree,
            dirty: Vec::new(),
        };
        let place = Workspace { git: Some(git), ..shipment.place.clone() };
        Ok(Some(Trial { place, files: self.files.clone() }))
    }
}

/// What has to be tested before a change set that was merged is taken back from the present
/// head; it lives as long as the first one.
///
/// # Errors
/// As [`plan`].
pub fn trial(shipment: &Shipment<'_>, record: &DeliveryRecord) -> Result<Option<(Reverse, Trial)>, Obstacle> {
    let reverse = plan(shipment, record, None)?;
    if reverse.files.is_empty() {
        return Ok(None);
    }
    Ok(reverse.trial(shipment)?.map(|trial| (reverse, trial)))
}

/// Tests a revert, and says in its commit what came of that.
fn tested(reverse: &Reverse, shipment: &Shipment<'_>, prove: &ProveBack<'_>) -> Result<String, Obstacle> {
    let Some(trial) = reverse.trial(shipment)? else {
        return Ok("It leaves the code that the change was made of, which its verification has run.".to_owned());
    };
    let (head, name) = (&reverse.head, &shipment.place.id);
    match prove(&[trial]).pop() {
        Some(Tried::Green(why)) => Ok(format!("Over {head} it was built and tested: {why}.")),
        Some(Tried::Unknown(why)) => Ok(format!("Over {head} no test of it says anything: {why}.")),
        Some(Tried::Red(why)) => Err(Obstacle::Conflict(format!(
            "it is not taken back from {name}: over {head} that turns something red ({why}); \
             `gander rollback --consumer … --untested` makes the revert all the same"
        ))),
        Some(Tried::Ended) | None => Err(Obstacle::Away("the test of its revert was interrupted".to_owned())),
    }
}

/// Names the change that takes a change set back from where it was merged: merged again, it
/// is another one.
pub fn revert_id(record: &DeliveryRecord) -> Digest {
    let below = record.over.as_ref().and_then(|over| over.merged.as_deref());
    revert_of(&record.change_id, record.merged.as_deref().or(below).unwrap_or_default())
}

/// What the message of a revert says before the name of a change, and the branch by which that came.
const TAKES_BACK: &str = "This takes back what was merged here as ";

/// Whether a message is that of a revert of what came by a branch below `prefix`.
pub fn is_revert(message: &str, prefix: &str) -> bool {
    message.lines().any(|line| line.starts_with(TAKES_BACK) && line.contains(&format!(" ({prefix}")))
}

/// As [`revert_id`], of a change that was merged in a commit.
fn revert_of(change: &Digest, merged: &str) -> Digest {
    DigestBuilder::new("gander.revert").field(change.as_bytes()).field(merged).finish()
}

/// What the commits of a history say of a change by its name.
#[derive(Debug, PartialEq, Eq)]
pub enum Named {
    /// No commit names it.
    Nowhere,
    /// It is in this commit.
    In(String),
    /// It was in one, and another one takes that back. Delivered again, it has the same name.
    Reverted,
}

/// Looks a change up in a history; the last time that it was merged is what counts.
pub fn named(standings: &Standings, change: &Digest) -> Named {
    match standings.named.get(&change.to_string()) {
        None => Named::Nowhere,
        Some(commit) if standings.named.contains_key(&revert_of(change, commit).to_string()) => Named::Reverted,
        Some(commit) => Named::In(commit.clone()),
    }
}

/// The branch that takes back what was delivered as `branch`. What shared one goes back by a
/// branch of its own, named as the folder of its change set.
fn revert_branch(branch: &str, record: &DeliveryRecord) -> String {
    match (branch.rsplit_once('/'), record.folder.rsplit_once('/')) {
        (Some((folder, _)), Some((_, name))) if record.shared => {
            let name = name.replace("..", "-");
            format!("{folder}/{}.revert", name.trim_end_matches('.'))
        }
        _ => format!("{branch}.revert"),
    }
}

/// What would take the change set back from the present head. Nothing is made yet.
///
/// # Errors
/// [`Obstacle::Conflict`] naming the files whose lines were changed since.
pub(super) fn plan(
    shipment: &Shipment<'_>,
    record: &DeliveryRecord,
    side_by_side: Option<&Path>,
) -> Result<Reverse, Obstacle> {
    let place = shipment.place.git.as_ref();
    let place = place.ok_or_else(|| Obstacle::Failed("its repository is not here any more".to_owned()))?;
    let (ground, head) = ground(place, record)?;
    let mut files = Vec::new();
    let mut stuck: Vec<(&str, bool)> = Vec::new();
    let mut versions: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (path, made) in merged(shipment, record) {
        let present = ground.repository().file_at(&head, &shipment.set.joined(path))?;
        match back(&made, present.as_ref())? {
            Some(wanted) if wanted == present => {}
            Some(wanted) => {
                files.push(FileVersion { path: path.to_owned(), before: present, after: wanted, renamed_from: None })
            }
            None => {
                stuck.push((path, present.is_none()));
                let sides = [
                    ("before", made.last().and_then(|version| version.before.as_ref())),
                    ("delivered", made.first().and_then(|version| version.after.as_ref())),
                    ("now", present.as_ref()),
                ];
                for (name, content) in sides {
                    let bytes = content.map_or_else(Vec::new, |content| content.bytes.clone());
                    versions.insert(format!("{path}.{name}"), bytes);
                }
            }
        }
    }
    if !stuck.is_empty() {
        let mut reason = changed_since(&stuck);
        if let Some(folder) = side_by_side {
            files::write_folder_whole(&folder.join(SIDE_BY_SIDE), &versions)?;
            reason.push_str(": the three versions lie side by side in the folder `conflict` of its change set");
        }
        return Err(Obstacle::Conflict(reason));
    }
    Ok(Reverse { ground, head, files })
}

/// What is said of files, each with whether it is gone, in which something can't be merged or taken back.
pub fn changed_since(files: &[(&str, bool)]) -> String {
    let Some((first, is_gone)) = files.first() else { return String::new() };
    let more = if files.len() > 1 { format!(" ({} more files)", files.len() - 1) } else { String::new() };
    match is_gone {
        true => format!("later commits moved or deleted {first}{more}"),
        false => format!("later commits changed the same lines of {first}{more}"),
    }
}

/// What was merged of each file: its versions, the newest first.
fn merged<'a>(shipment: &Shipment<'a>, record: &DeliveryRecord) -> BTreeMap<&'a str, Vec<&'a FileVersion>> {
    let newest = Some(shipment.versions).filter(|_| record.merged.is_some());
    let mut files: BTreeMap<&str, Vec<&FileVersion>> = BTreeMap::new();
    for version in newest.into_iter().chain(shipment.under.iter().map(Vec::as_slice)).flatten() {
        files.entry(&version.path).or_default().push(version);
    }
    files
}

/// What a file has to be to be back; `None` where somebody changed the same lines.
pub(super) fn back(made: &[&FileVersion], present: Option<&Content>) -> Result<Option<Option<Content>>, GitError> {
    let mut now = present.cloned();
    for version in made {
        let (after, before) = (version.after.as_ref(), version.before.as_ref());
        match git::merge_contents(now.as_ref(), after, before)? {
            Some(back) => now = back,
            None => return Ok(None),
        }
    }
    Ok(Some(now))
}

/// In whose name a change set was delivered, and what its commit is called.
pub(super) fn said(shipment: &Shipment<'_>, record: &DeliveryRecord) -> Option<(String, String)> {
    let commit = record.branch.as_ref()?.1.as_ref().or(record.merged.as_ref())?;
    let place = shipment.place.git.as_ref()?;
    Repository::open(&place.toplevel).and_then(|repository| repository.said(commit)).ok().flatten()
}

pub(super) fn ground(place: &GitPlace, record: &DeliveryRecord) -> Result<(Ground, String), Obstacle> {
    if record.how == Delivery::Push {
        let remote = remote_of_record(record)?;
        let lender = place.toplevel.is_dir().then(|| Repository::open(&place.toplevel)).transpose()?;
        let (abroad, head) = remote.head(lender.as_ref(), record.into.as_deref())?;
        return Ok((Ground::There(remote, abroad), head));
    }
    let repository = Repository::open(&place.toplevel)?;
    repository.not_on_own_branch()?;
    let head = repository.head()?.ok_or_else(|| Obstacle::Failed("its repository has no commit".to_owned()))?;
    Ok((Ground::Here(repository), head))
}

/// Takes back a change set that was merged: the branch and commit that do so, for its owner
/// to merge; `None` where its files are back already.
///
/// # Errors
/// As [`plan`], and what git refuses.
pub(super) fn revert(
    shipment: &Shipment<'_>,
    record: &DeliveryRecord,
    papers: Reverting<'_>,
) -> Result<Option<(String, String)>, Obstacle> {
    let Reverting { folder, time, said, hooks } = papers;
    let Some((made, _)) = &record.branch else { return Ok(None) };
    let (id, first) = (revert_id(record), revert_branch(made, record));
    let (branch, replaces) = match slot(shipment, record, (&first, &id), folder)? {
        Slot::Made(made) => return Ok(made),
        Slot::Free(branch, replaces) => (branch, replaces),
    };
    let reverse = plan(shipment, record, Some(folder))?;
    if reverse.files.is_empty() {
        return Ok(None);
    }
    // Proven against the bytes of the present head before anybody sees it.
    let set = ChangeSet::new(&reverse.files, &shipment.set.prefix);
    changeset::prove(&reverse.files, &set).map_err(|error| Obstacle::Failed(error.to_string()))?;
    let tested = tested(&reverse, shipment, hooks.prove_back)?;
    let repository = reverse.ground.repository();
    let (author, title) = match said {
        Some((author, title)) => (author, title),
        None => {
            let (title, author) = hooks.says;
            let own = || repository.identity()?.ok_or(GitError::NoIdentity);
            (author.map_or_else(own, |author| Ok(author.to_owned()))?, title.to_owned())
        }
    };
    let message = format!(
        "Take back: {title}\n\n{TAKES_BACK}{} ({made}); what came after it stays.\n{tested}\n\n{}\n",
        record.change_id,
        trailer(&id)
    );
    let new = NewCommit {
        branch: &branch,
        expected: replaces.as_deref(),
        base: &reverse.head,
        prefix: &shipment.set.prefix,
        files: &reverse.files,
        message: &message,
        author: &author,
        time,
    };
    // A copy of its remote needs no branch: it is pushed from there.
    let commit = match &reverse.ground {
        Ground::Here(_) => repository.commit(&new)?,
        Ground::There(..) => repository.commit_alone(&new)?,
    };
    fault::point("revert.made");
    if let Ground::There(remote, _) = &reverse.ground {
        remote.push_from(repository, &branch, &commit, replaces.as_deref())?;
    }
    Ok(Some((branch, commit)))
}

/// Where a revert goes.
enum Slot {
    /// It is made already, by this branch and commit; `None` where its files are back.
    Made(Option<(String, String)>),
    /// To this branch, which may stand at this commit of gander's own.
    Free(String, Option<String>),
}

/// Looks for the branch of a revert: `first`, or one beside it.
fn slot(
    shipment: &Shipment<'_>,
    record: &DeliveryRecord,
    (first, id): (&str, &Digest),
    folder: &Path,
) -> Result<Slot, Obstacle> {
    let mut branch = first.to_owned();
    for number in 2_u32.. {
        let Some(found) = made_already(shipment, record, &branch)? else { break };
        if found.message.ends_with(&trailer(id)) {
            let left = plan(shipment, record, Some(folder))?;
            let is_known = record.revert.as_ref().is_some_and(|(_, commit)| *commit == found.commit);
            // Whether one that was asked for could still be merged is not asked: over another head it is made anew.
            if is_known && !found.parents.contains(&left.head) && !left.files.is_empty() {
                return Ok(Slot::Free(branch, Some(found.commit)));
            }
            return Ok(Slot::Made((!left.files.is_empty()).then_some((branch, found.commit))));
        }
        match git::changes_named(&found.message).next().is_some() && number < 100 {
            // It took back what was merged before, and stays as it is.
            true => branch = format!("{first}-{number}"),
            false => return Err(Obstacle::Conflict(in_the_way(record, &branch))),
        }
    }
    Ok(Slot::Free(branch, None))
}

/// What is said of a branch that stands where a revert goes, or of the revert that was there.
fn in_the_way(record: &DeliveryRecord, branch: &str) -> String {
    let is_ours = record.revert.as_ref().is_some_and(|(name, _)| name == branch);
    let what = match is_ours {
        true => format!("its owner went on with the branch {branch}, which takes it back: merge it; or"),
        false => format!("there is a branch {branch} that gander did not make:"),
    };
    format!("{what} rename or delete it, then roll this consumer back again with `gander rollback --consumer`")
}

fn made_already(
    shipment: &Shipment<'_>,
    record: &DeliveryRecord,
    branch: &str,
) -> Result<Option<git::BranchFacts>, Obstacle> {
    match (record.how, &shipment.place.git) {
        (Delivery::Push, _) => Ok(remote_of_record(record)?.facts(branch)?),
        (_, Some(place)) => Ok(git::find_branch(place, branch)?),
        _ => Ok(None),
    }
}
