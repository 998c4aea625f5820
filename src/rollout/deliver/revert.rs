//! Change sets that their owners have merged: a change of its own takes them back, made
//! over the present head and proven there. Where later commits changed the same lines, a
//! person gets the three versions side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::effect::{remote_of_record, trailer};
use super::{Obstacle, Shipment};
use crate::changeset::{self, ChangeSet};
use crate::config::Delivery;
use crate::digest::{Digest, DigestBuilder};
use crate::fault;
use crate::files;
use crate::git::{self, Abroad, GitError, NewCommit, Remote, Repository, Standings, TRAILER};
use crate::rollout::{Hooks, ProveBack, Trial, Tried};
use crate::state::DeliveryRecord;
use crate::workspace::{Content, FileVersion, GitPlace, Pin, Workspace, below};

/// The folder of the three versions, beside the patches.
const SIDE_BY_SIDE: &str = "conflict";

/// Where a change set is taken back.
enum Ground {
    /// In the consumer's repository here.
    Here(Repository),
    /// In its remote, of which the present head was fetched.
    There(Remote, Abroad),
}

impl Ground {
    fn repository(&self) -> &Repository {
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
    let mut stuck: Vec<&str> = Vec::new();
    let mut versions: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (path, made) in merged(shipment, record) {
        let present = ground.repository().file_at(&head, &shipment.set.joined(path))?;
        match back(&made, present.as_ref())? {
            Some(wanted) if wanted == present => {}
            Some(wanted) => {
                files.push(FileVersion { path: path.to_owned(), before: present, after: wanted, renamed_from: None })
            }
            None => {
                stuck.push(path);
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
    if let Some(first) = stuck.first() {
        let mut reason = format!("later commits changed the same lines of {first}");
        if stuck.len() > 1 {
            reason.push_str(&format!(" and of {} more", stuck.len() - 1));
        }
        if let Some(folder) = side_by_side {
            files::write_folder_whole(&folder.join(SIDE_BY_SIDE), &versions)?;
            reason.push_str(": the three versions lie side by side in the folder `conflict` of its change set");
        }
        return Err(Obstacle::Conflict(reason));
    }
    Ok(Reverse { ground, head, files })
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
fn back(made: &[&FileVersion], present: Option<&Content>) -> Result<Option<Option<Content>>, GitError> {
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

/// What the files of a history's head say of a change set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// They hold all of it, maybe beside other changes.
    There,
    /// They are as they were before it, in all of its lines.
    NotThere,
    /// Some of it is there, or other lines stand in their place.
    Unclear {
        /// The first file that does not hold its part, relative to the workspace.
        path: String,
        /// Whether that one is as it was before.
        back: bool,
        /// The first file that is neither as it was before nor as it was made.
        neither: Option<String>,
        /// Whether some of it seems to be there: a file as it was made, or one with a word that it
        /// brought.
        part: bool,
    },
}

/// The present head of a consumer's repository, to be asked about its files.
pub struct Present {
    ground: Ground,
    head: String,
    /// Files that were read already; those that are not there are `None`.
    read: BTreeMap<String, Option<Content>>,
}

/// The present head of the repository that a change set was delivered to.
///
/// # Errors
/// Where it can't be read or reached.
pub fn present(place: &GitPlace, record: &DeliveryRecord) -> Result<Present, Obstacle> {
    let (ground, head) = ground(place, record)?;
    Ok(Present { ground, head, read: BTreeMap::new() })
}

impl Present {
    /// Its commit.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Reads some files in few calls, by their paths in the repository, in the place of those that
    /// were read before.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn read(&mut self, paths: &BTreeSet<String>) -> Result<(), Obstacle> {
        let paths: Vec<String> = paths.iter().cloned().collect();
        let mut found = self.ground.repository().files_at(&self.head, &paths)?;
        let file = |path: String| (found.remove(&path), path);
        self.read = paths.into_iter().map(file).map(|(file, path)| (path, file)).collect();
        Ok(())
    }

    /// The paths that are others there than in an earlier commit; `None` where that is not here.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn moved_since(&self, before: &str) -> Result<Option<BTreeSet<String>>, Obstacle> {
        Ok(self.ground.repository().paths_between(before, &self.head)?)
    }

    /// What its files say of a change of a workspace below `prefix`.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn tells(&self, prefix: &str, versions: &[FileVersion]) -> Result<Told, Obstacle> {
        self.told_by((&self.head, &self.read), prefix, versions)
    }

    /// The same of the files of another commit, which is in the history of that head.
    ///
    /// # Errors
    /// Where it can't be read or reached.
    pub fn tells_at(&self, commit: &str, prefix: &str, versions: &[FileVersion]) -> Result<Told, Obstacle> {
        if let Ground::There(remote, abroad) = &self.ground {
            remote.bring_commit(abroad, commit)?;
        }
        self.told_by((commit, &BTreeMap::new()), prefix, versions)
    }

    /// A file whose lines were changed since, so that a change can't be taken back from it.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn stuck(&self, prefix: &str, versions: &[FileVersion]) -> Result<Option<String>, Obstacle> {
        for version in versions {
            let found = self.ground.repository().file_at(&self.head, &below(prefix, &version.path))?;
            if back(&[version], found.as_ref())?.is_none() {
                return Ok(Some(version.path.clone()));
            }
        }
        Ok(None)
    }

    fn told_by(
        &self,
        (head, read): (&str, &BTreeMap<String, Option<Content>>),
        prefix: &str,
        versions: &[FileVersion],
    ) -> Result<Told, Obstacle> {
        let (mut back, mut first, mut neither, mut part) = (0, None, None, false);
        let changed: Vec<&FileVersion> = versions.iter().filter(|one| one.before != one.after).collect();
        for version in &changed {
            let path = below(prefix, &version.path);
            let there;
            let found = match read.get(&path) {
                Some(found) => found.as_ref(),
                None => {
                    there = self.ground.repository().file_at(head, &path)?;
                    there.as_ref()
                }
            };
            let is_in = is_in(version, found)?;
            part |= is_in.unwrap_or_else(|| has_new_words(version, found));
            back += usize::from(is_in == Some(false));
            if is_in != Some(true) && first.is_none() {
                first = Some((version.path.clone(), is_in == Some(false)));
            }
            if is_in.is_none() && neither.is_none() {
                neither = Some(version.path.clone());
            }
        }
        Ok(match first {
            None => Told::There,
            Some(_) if back == changed.len() => Told::NotThere,
            Some((path, back)) => Told::Unclear { path, back, neither, part },
        })
    }
    /// A file that may hold a part of a change set with other changes in its lines, where none of
    /// its files is as it was before: which.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn half(&self, prefix: &str, versions: &[FileVersion]) -> Result<Option<String>, Obstacle> {
        let mut first = None;
        for version in versions.iter().filter(|one| one.before != one.after) {
            let found = self.ground.repository().file_at(&self.head, &below(prefix, &version.path))?;
            match is_in(version, found.as_ref())? {
                Some(true) => {}
                None if has_new_words(version, found.as_ref()) => first = first.or_else(|| Some(version.path.clone())),
                // As it was before, or something of its owner's own.
                Some(false) | None => return Ok(None),
            }
        }
        Ok(first)
    }
}

/// Whether a file holds a word that a change brought into it.
fn has_new_words(version: &FileVersion, present: Option<&Content>) -> bool {
    let words = |content: Option<&Content>| -> BTreeSet<String> {
        let text = content.map(|content| String::from_utf8_lossy(&content.bytes).into_owned()).unwrap_or_default();
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let (before, after, now) = (words(version.before.as_ref()), words(version.after.as_ref()), words(present));
    after.difference(&before).any(|word| now.contains(word))
}

/// The present head of a consumer's repository, where its files tell that a change set was
/// merged there, whatever its commit says: taken over them, it would change nothing more.
///
/// # Errors
/// Where the repository can't be read or reached.
pub fn merged_as_files(
    place: &Workspace,
    record: &DeliveryRecord,
    versions: &[FileVersion],
) -> Result<Option<String>, Obstacle> {
    let Some(git) = place.git.as_ref().filter(|_| versions.iter().any(|one| one.before != one.after)) else {
        return Ok(None);
    };
    let present = present(git, record)?;
    let there = present.tells(&git.prefix, versions)? == Told::There;
    Ok(there.then_some(present.head))
}

/// Whether a file holds all of a change, also beside others; false where it is as it was in
/// those lines, `None` where something else stands there.
fn is_in(version: &FileVersion, present: Option<&Content>) -> Result<Option<bool>, GitError> {
    if present == version.before.as_ref() || present == version.after.as_ref() {
        return Ok(Some(present != version.before.as_ref()));
    }
    let (before, after) = (version.before.as_ref(), version.after.as_ref());
    if git::merge_contents(present, before, after)?.is_some_and(|merged| merged.as_ref() == present) {
        return Ok(Some(true));
    }
    // Half of it may be there: it is as it was only where there is nothing to take back.
    let back = git::merge_contents(present, after, before)?;
    Ok(back.is_some_and(|back| back.as_ref() == present).then_some(false))
}

fn ground(place: &GitPlace, record: &DeliveryRecord) -> Result<(Ground, String), Obstacle> {
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
    let Some((branch, _)) = &record.branch else { return Ok(None) };
    let first = revert_branch(branch, record);
    let (id, mut branch) = (revert_id(record), first.clone());
    for number in 2_u32.. {
        let Some(found) = made_already(shipment, record, &branch)? else { break };
        if found.message.ends_with(&trailer(&id)) {
            // It may be one that can't be merged any more: that is for a person.
            let left = plan(shipment, record, Some(folder))?;
            return Ok((!left.files.is_empty()).then_some((branch, found.commit)));
        }
        match found.message.contains(&format!("\n{TRAILER}: ")) && number < 100 {
            // It took back what was merged before, and stays as it is.
            true => branch = format!("{first}-{number}"),
            false => {
                return Err(Obstacle::Conflict(format!(
                    "there is a branch {branch} that gander did not make: rename or delete it, then roll this consumer \
                 back again with `gander rollback --consumer`"
                )));
            }
        }
    }
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
        "Take back: {title}\n\nThis takes back what was merged here as {}; what came after it stays.\n{tested}\n\n{}\n",
        record.change_id,
        trailer(&id)
    );
    let new = NewCommit {
        branch: &branch,
        expected: None,
        base: &reverse.head,
        prefix: &shipment.set.prefix,
        files: &reverse.files,
        message: &message,
        author: &author,
        time,
    };
    let commit = repository.commit(&new)?;
    fault::point("revert.made");
    if let Ground::There(remote, _) = &reverse.ground {
        remote.push_from(repository, &branch, &commit)?;
    }
    Ok(Some((branch, commit)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_all_of_a_change_nothing_of_it_or_that_is_not_clear() {
        let lines = |changed: &[usize], beside: bool| {
            let line = |n: usize| if changed.contains(&(n / 12)) && n % 12 == 6 { "new" } else { "old" };
            let first = if beside { "theirs\n" } else { "first\n" };
            let text: String = (0..36).map(|n| format!("{n} {}\n", line(n))).collect();
            Some(Content { bytes: format!("{first}{text}").into_bytes(), executable: false })
        };
        let parts: [&[usize]; 8] = [&[], &[0], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]];
        for all in parts.into_iter().filter(|all| !all.is_empty()) {
            let (before, after) = (lines(&[], false), lines(all, false));
            let version = FileVersion { path: "x".to_owned(), before, after, renamed_from: None };
            for there in parts.into_iter().filter(|there| there.iter().all(|part| all.contains(part))) {
                for beside in [false, true] {
                    let wanted = match there.len() {
                        0 => Some(false),
                        count if count == all.len() => Some(true),
                        _ => None,
                    };
                    let found = is_in(&version, lines(there, beside).as_ref()).unwrap();
                    assert_eq!(found, wanted, "{there:?} of {all:?}, beside other changes: {beside}");
                }
            }
        }
    }
}
