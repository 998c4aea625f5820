//! What the files of a consumer's present head tell of a change set.
//!
//! Must not: change anything.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Obstacle;
use super::revert::{Ground, back, changed_since, ground};
use crate::files;
use crate::git::{self, GitError, Merging};
use crate::state::{DeliveryRecord, StateError, Store};
use crate::workspace::{Content, FileVersion, GitPlace, Workspace, below};

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
        /// The first file that is as it was before.
        missing: Option<String>,
        /// The first file that is neither as it was before nor as it was made.
        neither: Option<String>,
        /// The first file that holds all of its part.
        whole: Option<String>,
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
        self.bring(commit)?;
        self.told_by((commit, &BTreeMap::new()), prefix, versions)
    }

    fn bring(&self, commit: &str) -> Result<(), Obstacle> {
        match &self.ground {
            Ground::There(remote, abroad) => Ok(remote.bring_commit(abroad, commit)?),
            Ground::Here(_) => Ok(()),
        }
    }

    /// Why a branch that takes a change back can't be merged any more, where that is so. `fork` is
    /// where its history parts from that of the head, and its commit.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn stuck(
        &self,
        (base, tip): (Option<&str>, &str),
        prefix: &str,
        versions: &[FileVersion],
    ) -> Result<Option<String>, Obstacle> {
        let Some(base) = base else {
            return Ok(Some("the history that it was made over is not there any more".to_owned()));
        };
        let changed = |path: &str| {
            let is_gone = self.ground.repository().file_at(&self.head, &below(prefix, path))?.is_none();
            let beside = if is_gone { "" } else { ", or lines beside them" };
            Ok::<_, Obstacle>(format!("{}{beside}", changed_since(&[(path, is_gone)])))
        };
        let merging = || {
            self.bring(base)?;
            self.bring(tip)?;
            Ok::<_, Obstacle>(self.ground.repository().merging(base, &self.head, tip)?)
        };
        Ok(match merging() {
            Ok(Merging::Clean) => None,
            Ok(Merging::Nothing) => {
                Some("the history that it was made over was written anew, and merging it changes nothing".to_owned())
            }
            Ok(Merging::Conflict(path)) => Some(changed(path.strip_prefix(&below(prefix, "")).unwrap_or(&path))?),
            // A remote may give nobody a commit by its name, and an older git does not tell.
            Err(_) => self.stuck_file(prefix, versions)?.map(|path| changed(&path)).transpose()?,
        })
    }

    /// A file whose lines were changed since, so that a change can't be taken back from it.
    fn stuck_file(&self, prefix: &str, versions: &[FileVersion]) -> Result<Option<String>, Obstacle> {
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
        told(versions, |path| {
            let path = below(prefix, path);
            Ok(match read.get(&path) {
                Some(found) => Cow::Borrowed(found),
                None => Cow::Owned(self.ground.repository().file_at(head, &path)?),
            })
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

/// What the files that lie in a folder say of a change set.
///
/// # Errors
/// Where they can't be read.
pub fn tells_here(root: &Path, versions: &[FileVersion]) -> Result<Told, Obstacle> {
    told(versions, |path| Ok(Cow::Owned(files::read_below(root, path)?)))
}

/// What files say of a change set, by what is read at their paths.
fn told<'r>(
    versions: &[FileVersion],
    read: impl Fn(&str) -> Result<Cow<'r, Option<Content>>, Obstacle>,
) -> Result<Told, Obstacle> {
    let (mut back, mut first, mut missing) = (0, None, None);
    let (mut neither, mut whole, mut part) = (None, None, false);
    let changed: Vec<&FileVersion> = versions.iter().filter(|one| one.before != one.after).collect();
    for version in &changed {
        let found = read(&version.path)?;
        let found = (*found).as_ref();
        let is_in = is_in(version, found)?;
        part |= is_in.unwrap_or_else(|| has_new_words(version, found));
        if is_in == Some(true) && whole.is_none() {
            whole = Some(version.path.clone());
        }
        back += usize::from(is_in == Some(false));
        if is_in == Some(false) && missing.is_none() {
            missing = Some(version.path.clone());
        }
        if is_in != Some(true) && first.is_none() {
            first = Some(version.path.clone());
        }
        if is_in.is_none() && neither.is_none() {
            neither = Some(version.path.clone());
        }
    }
    Ok(match first {
        None => Told::There,
        Some(_) if back == changed.len() => Told::NotThere,
        Some(path) => Told::Unclear { path, missing, neither, whole, part },
    })
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

/// Whether all of what was delivered into a folder is in its last commit.
///
/// # Errors
/// Where the state can't be read.
pub fn is_committed(store: &Store, place: &Workspace, record: &DeliveryRecord) -> Result<bool, StateError> {
    let versions = store.versions_of(&place.id, &record.change_id)?;
    Ok(merged_as_files(place, record, &versions).is_ok_and(|head| head.is_some()))
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
