//! What repositories tell of change sets of which nobody knows any more: by the commits that
//! name changes, in histories and on gander's branches, and by what these commits change. Only
//! what is gander's to the byte is taken for it.
//!
//! Must not: record anything, or take a message alone for a proof that something is out. (That it was taken back, the
//! message of a revert may tell: nothing is delivered or deleted by that.)

use std::collections::{BTreeMap, BTreeSet};

use crate::changeset::ChangeSet;
use crate::config::Delivery;
use crate::git::{GitError, Remote, Repository, Standings, changes_named};
use crate::rollout::deliver::{self, Named, Obstacle, Told};
use crate::rollout::{Request, record, ship};
use crate::state::DeliveryRecord;
use crate::workspace::{FileVersion, GitPlace, Pin, Workspace, below};

/// What one repository tells.
pub(super) struct Scene {
    repository: Repository,
    remote: Option<Remote>,
    /// gander's branches of this migration, where they count.
    tips: BTreeMap<String, String>,
    /// Commits of the history that name changes, the oldest first.
    history: Vec<Naming>,
    /// The same of the branches.
    open: Vec<(String, Naming)>,
    /// Of the history, to look changes up in.
    standings: Standings,
}

/// A commit that names changes.
struct Naming {
    commit: String,
    ids: Vec<String>,
    parent: String,
    paths: Vec<String>,
    message: String,
}

/// A change set as it was found.
pub(super) struct Made {
    /// Both ends of its files.
    pub versions: Vec<FileVersion>,
    /// Its patches.
    pub set: ChangeSet,
    /// The code that it was made of.
    pub pin: Pin,
    /// The commit that holds it, or that it was made over.
    pub commit: String,
    /// The branch that it is on; `None` where it was merged, or written into a working tree.
    pub branch: Option<String>,
    /// Its branch is that of others, too.
    pub shared: bool,
}

/// What a repository tells of one workspace.
#[derive(Default)]
pub(super) struct Found {
    /// What was merged and is there, the oldest first.
    merged: Vec<Made>,
    /// What was merged and taken back by gander after that: the newest.
    back: Option<Made>,
    /// What is on a branch.
    open: Option<Made>,
}

/// What became of a workspace.
pub(super) struct Story {
    /// Its record, but for its state.
    pub record: DeliveryRecord,
    /// All that was made, the oldest first; the last one is what the record is about.
    pub made: Vec<Made>,
    /// Its revert was merged, or its owner took it back: how that is known.
    pub gone: Option<(bool, String)>,
    /// What tells so.
    pub because: String,
}

impl Scene {
    /// Looks at the repository of a workspace, and where its branches are pushed to.
    pub(super) fn of(request: &Request<'_>, git: &GitPlace, how: Delivery) -> Result<Option<Self>, GitError> {
        let repository = Repository::open(&git.toplevel)?;
        let prefix = format!("gander/{}/", request.migration.id);
        let (remote, tips, head) = match how {
            Delivery::Push => {
                let Some(url) = repository.push_url(&request.migration.deliver.remote)? else { return Ok(None) };
                let remote = Remote::new(&url, &request.migration.code.protocols)?;
                let present = remote.present(&repository.follows()?, &prefix)?;
                let Some(head) = present.commit.clone() else { return Ok(None) };
                remote.bring(&repository, &present)?;
                let names = present.tips.iter().map(|(name, tip)| (name.as_str(), tip.as_str())).collect();
                remote.bring_branches(&repository, &names)?;
                (Some(remote), present.tips, head)
            }
            _ => {
                repository.not_on_own_branch()?;
                let Some(head) = repository.head()? else { return Ok(None) };
                (None, repository.tips(&prefix)?, head)
            }
        };
        let naming = |commit: &str, ids: Vec<String>| -> Result<Option<Naming>, GitError> {
            let Some((parent, paths)) = repository.changed_by(commit)? else { return Ok(None) };
            let message = repository.message(commit)?;
            Ok(Some(Naming { commit: commit.to_owned(), ids, parent, paths, message }))
        };
        let (mut history, mut named) = (Vec::new(), BTreeMap::new());
        for (commit, ids) in repository.naming(&head, &BTreeSet::new())? {
            for id in &ids {
                named.entry(id.clone()).or_insert_with(|| commit.clone());
            }
            history.extend(naming(&commit, ids)?);
        }
        history.reverse();
        let mut open = Vec::new();
        for (name, tip) in &tips {
            let message = repository.message(tip)?;
            let ids: Vec<String> = changes_named(&message).map(str::to_owned).collect();
            if !ids.is_empty() {
                open.extend(naming(tip, ids)?.map(|naming| (name.clone(), naming)));
            }
        }
        let standings = Standings { head: Some(head), named, ..Standings::default() };
        Ok(Some(Self { repository, remote, tips, history, open, standings }))
    }

    /// What it tells of a workspace: change sets of this migration, whose commits change in it
    /// exactly what they say.
    fn find(&self, request: &Request<'_>, place: &Workspace, git: &GitPlace) -> Result<Found, GitError> {
        let mut found = Found::default();
        for naming in &self.history {
            let Some(made) = self.made(request, place, git, naming, None)? else {
                match self.taken_back(request, place, git, naming)? {
                    // It was merged again after that, under other words.
                    Some(made) if self.stands(git, &made)? => {
                        let commit = self.standings.head.clone().unwrap_or_default();
                        found.merged.push(Made { commit, ..made });
                    }
                    Some(made) => found.back = Some(made),
                    None => {}
                }
                continue;
            };
            match deliver::named(&self.standings, &made.set.id()) {
                Named::In(commit) if commit == naming.commit => found.merged.push(made),
                Named::Reverted => found.back = Some(made),
                Named::In(_) | Named::Nowhere => {}
            }
        }
        for (name, naming) in &self.open {
            let in_history = self.standings.head.as_deref().is_some_and(|head| head == naming.commit)
                || self.history.iter().any(|one| one.commit == naming.commit);
            if !in_history && let Some(made) = self.made(request, place, git, naming, Some(name))? {
                found.open = Some(made);
            }
        }
        Ok(found)
    }

    /// What a revert of gander's took back that nothing names, as its owner had merged it under other words: what was
    /// there before it, over what it left.
    fn taken_back(
        &self,
        request: &Request<'_>,
        place: &Workspace,
        git: &GitPlace,
        naming: &Naming,
    ) -> Result<Option<Made>, GitError> {
        if !deliver::is_revert(&naming.message, &format!("gander/{}/", request.migration.id)) {
            return Ok(None);
        }
        let versions = self.versions(git, naming, (&naming.commit, &naming.parent))?;
        if versions.is_empty() {
            return Ok(None);
        }
        let set = ship::change_set(place, &versions);
        // What a commit names is known by that.
        if self.standings.named.contains_key(&set.id().to_string()) {
            return Ok(None);
        }
        let tree = self.repository.trees(&naming.commit, &[git.prefix.as_str()])?.pop().flatten();
        let pin = Pin::Commit { commit: naming.commit.clone(), tree: tree.unwrap_or_default() };
        Ok(Some(Made { versions, set, pin, commit: naming.parent.clone(), branch: None, shared: false }))
    }

    /// Whether the files of a change set are in the history as it leaves them.
    fn stands(&self, git: &GitPlace, made: &Made) -> Result<bool, GitError> {
        let Some(head) = &self.standings.head else { return Ok(false) };
        let paths: Vec<String> = made.versions.iter().map(|one| below(&git.prefix, &one.path)).collect();
        let now = self.repository.files_at(head, &paths)?;
        let is_there = |(one, path): (&FileVersion, &String)| now.get(path) == one.after.as_ref();
        Ok(made.versions.iter().zip(&paths).all(is_there))
    }

    /// What becomes of the files of a workspace that a commit changes, from one commit to another one.
    fn versions(
        &self,
        git: &GitPlace,
        naming: &Naming,
        (from, to): (&str, &str),
    ) -> Result<Vec<FileVersion>, GitError> {
        let inner = |path: &String| match git.prefix.as_str() {
            "" => Some(path.clone()),
            prefix => path.strip_prefix(prefix)?.strip_prefix('/').map(str::to_owned),
        };
        let mut versions = Vec::new();
        for path in naming.paths.iter().filter_map(inner) {
            let full = below(&git.prefix, &path);
            let (before, after) = (self.repository.file_at(from, &full)?, self.repository.file_at(to, &full)?);
            versions.push(FileVersion { path, before, after, renamed_from: None });
        }
        Ok(versions)
    }

    fn made(
        &self,
        request: &Request<'_>,
        place: &Workspace,
        git: &GitPlace,
        naming: &Naming,
        branch: Option<&String>,
    ) -> Result<Option<Made>, GitError> {
        // What was squashed may go by other words; its name is a digest of what it changes.
        if branch.is_some() && !naming.message.contains(&record::head(request)) {
            return Ok(None);
        }
        let versions = self.versions(git, naming, (&naming.parent, &naming.commit))?;
        if versions.is_empty() {
            return Ok(None);
        }
        let set = ship::change_set(place, &versions);
        if !naming.ids.contains(&set.id().to_string()) {
            return Ok(None);
        }
        let tree = self.repository.trees(&naming.parent, &[git.prefix.as_str()])?.pop().flatten();
        let pin = Pin::Commit { commit: naming.parent.clone(), tree: tree.unwrap_or_default() };
        let shared = naming.ids.len() > 1 || branch.is_some_and(|name| name.contains("/wave-"));
        let (commit, branch) = (naming.commit.clone(), branch.cloned());
        Ok(Some(Made { versions, set, pin, commit, branch, shared }))
    }

    /// What became of a workspace, from `blank`, the record of one of which nothing is known;
    /// `None` where nothing of it is exactly gander's.
    pub(super) fn tell(
        &self,
        request: &Request<'_>,
        place: &Workspace,
        blank: &DeliveryRecord,
    ) -> Result<Option<Story>, GitError> {
        let Some(git) = &place.git else { return Ok(None) };
        let found = self.find(request, place, git)?;
        let url = self.remote.as_ref().map(|remote| remote.url().to_owned());
        let into = self.remote.as_ref().map(|_| self.repository.merges_into()).transpose()?.flatten();
        let blank = DeliveryRecord { remote: url, into, ..blank.clone() };
        let mut made: Vec<Made> = found.merged;
        let mut gone = None;
        if made.is_empty() && found.open.is_none() {
            let Some(back) = found.back else { return Ok(None) };
            gone = Some((true, "what takes it back is in the history".to_owned()));
            made.push(back);
        }
        made.extend(found.open);
        let mut record: Option<DeliveryRecord> = None;
        for (number, one) in (0..).zip(&made) {
            record = Some(self.record(request, (&blank, record), one, number));
        }
        let (Some(mut record), Some(last)) = (record, made.last()) else { return Ok(None) };
        let because = match &record.merged {
            Some(commit) => format!("its change is in {commit}"),
            None => {
                let name = record.branch.as_ref().map_or("", |(name, _)| name.as_str());
                format!("the branch {name} holds its change {}", record.change_id)
            }
        };
        if record.merged.is_some() && gone.is_none() {
            record.revert = self.revert_of(&record);
            if let Ok(present) = deliver::present(git, &record) {
                let told = present.tells(&git.prefix, &last.versions).map_err(Obstacle::into_reason);
                if told == Ok(Told::NotThere) {
                    let why = format!("its change was merged, and is not in {} any more", present.head());
                    gone = Some((false, format!("{why}: its owner took it back")));
                }
            }
        }
        Ok(Some(Story { record, made, gone, because }))
    }

    fn record(
        &self,
        request: &Request<'_>,
        (blank, below): (&DeliveryRecord, Option<DeliveryRecord>),
        one: &Made,
        number: u32,
    ) -> DeliveryRecord {
        use crate::changeset::Side;
        let usual = blank.branch.as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
        let usual = match usual.rsplit_once('/').filter(|_| number > 0) {
            Some((folder, part)) => format!("{folder}/{}", record::numbered(request, part, number + 1)),
            None => usual,
        };
        let is_open = one.branch.is_some();
        let commit = (is_open || self.tips.get(&usual) == Some(&one.commit)).then(|| one.commit.clone());
        DeliveryRecord {
            change_id: one.set.id(),
            before: one.set.digest(Side::Before),
            after: one.set.digest(Side::After),
            branch: Some((one.branch.clone().unwrap_or(usual), commit)),
            merged: (!is_open).then(|| one.commit.clone()),
            pin: Some(one.pin.clone()),
            shared: one.shared,
            number,
            over: below.map(Box::new),
            recovered: true,
            ..blank.clone()
        }
    }

    /// The branch that takes a merged change set back, where gander has made it.
    fn revert_of(&self, record: &DeliveryRecord) -> Option<(String, String)> {
        let id = deliver::revert_id(record).to_string();
        let found = self.open.iter().find(|(_, naming)| naming.ids.contains(&id));
        found.map(|(name, naming)| (name.clone(), naming.commit.clone()))
    }
}
