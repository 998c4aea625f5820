//! The branch of one change set: made once however often it is asked for, and
//! deleted only where it is still ours.

use super::{GitError, NewCommit, Repository};
use crate::fault;
use crate::workspace::{FileVersion, GitPlace};

/// Where a branch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchFacts {
    /// The commit it points at.
    pub commit: String,
    /// That commit's tree.
    pub tree: String,
    /// Its parents.
    pub parents: Vec<String>,
    /// Its message, without the last newline.
    pub message: String,
}

/// What is committed on a branch, and in whose name.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The branch without `refs/heads/`.
    pub branch: &'a str,
    /// What changes against the parent, by paths relative to the workspace.
    pub files: &'a [FileVersion],
    /// The message.
    pub message: &'a str,
    /// `Name <address>`; the user's git identity where `None`.
    pub author: Option<&'a str>,
    /// In seconds since the Unix epoch.
    pub time: i64,
    /// The commit of gander's own that the branch may be at, and leaves for this one.
    pub replaces: Option<&'a str>,
}

/// Commits `work` over `place.commit` and returns the commit. The working tree, the
/// index and HEAD stay as they are and no hook runs. Where the branch points at a
/// commit with the same tree, parent and message already, that one is returned and
/// nothing is written.
///
/// # Errors
/// [`GitError::Moved`] where the branch is something else, and what git refuses.
pub fn commit_on_branch(place: &GitPlace, work: &Work<'_>) -> Result<String, GitError> {
    let commit = commit_beside(place, work)?;
    let repository = Repository::open(&place.toplevel)?;
    let found = repository.branch(work.branch)?;
    repository.set_branch(work.branch, &commit, work.replaces.filter(|_| found.is_some()))?;
    fault::point("git.branch-made");
    Ok(commit)
}

/// As [`commit_on_branch`], without moving the branch yet.
///
/// # Errors
/// What git refuses.
pub fn commit_beside(place: &GitPlace, work: &Work<'_>) -> Result<String, GitError> {
    let repository = Repository::open(&place.toplevel)?;
    let author = match work.author {
        Some(author) => author.to_owned(),
        None => repository.identity()?.ok_or(GitError::NoIdentity)?,
    };
    let message = format!("{}\n", work.message.trim_end());
    let found = find_branch(place, work.branch)?;
    let new = NewCommit {
        branch: work.branch,
        expected: None,
        base: &place.commit,
        prefix: &place.prefix,
        files: work.files,
        message: &message,
        author: &author,
        time: work.time,
    };
    if let Some(found) = found {
        // Where a branch may only go forward, it comes after what it takes the place of.
        let own = |parent: &String| *parent == place.commit || Some(parent.as_str()) == work.replaces;
        let same = found.parents.last() == Some(&place.commit)
            && found.parents.iter().all(own)
            && found.message == message.trim_end();
        if same && found.tree == repository.tree_of(&new)? {
            return Ok(found.commit);
        }
    }
    repository.commit_alone(&new)
}

/// Deletes `branch` where it still points at `expected`; one that is gone
/// already is fine.
///
/// # Errors
/// [`GitError::Moved`] and [`GitError::CheckedOut`], with the branch untouched.
pub fn delete_branch(place: &GitPlace, branch: &str, expected: &str) -> Result<(), GitError> {
    if find_branch(place, branch)?.is_none() {
        return Ok(());
    }
    Repository::open(&place.toplevel)?.delete_branch(branch, expected)?;
    fault::point("git.branch-deleted");
    Ok(())
}

/// Where `branch` stands; `None` where there is none.
///
/// # Errors
/// Where git can't read the repository.
pub fn find_branch(place: &GitPlace, branch: &str) -> Result<Option<BranchFacts>, GitError> {
    let repository = Repository::open(&place.toplevel)?;
    let Some(commit) = repository.branch(branch)? else { return Ok(None) };
    let format = "--format=%T%x00%P%x00%B";
    let output = repository.answer(&["log", "-1", "--no-show-signature", format, "--end-of-options", &commit])?;
    let text = String::from_utf8_lossy(&output);
    let mut fields = text.splitn(3, '\0');
    let mut next = || fields.next().unwrap_or_default().to_owned();
    let (tree, parents, message) = (next(), next(), next());
    Ok(Some(BranchFacts {
        commit,
        tree,
        parents: parents.split_whitespace().map(str::to_owned).collect(),
        message: message.trim_end().to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::{Sandpit, version};

    const AUTHOR: Option<&str> = Some("Grey Goose <goose@example.org>");
    const BRANCH: &str = "gander/m/ads";

    fn place(pit: &Sandpit) -> GitPlace {
        GitPlace {
            commit: pit.git(&["rev-parse", "HEAD"]),
            tree: pit.git(&["rev-parse", "HEAD:apps/ads"]),
            toplevel: pit.root(),
            prefix: "apps/ads".to_owned(),
            dirty: Vec::new(),
        }
    }

    #[test]
    fn a_branch_is_made_once_and_deleted_only_where_it_is_ours() {
        let pit = Sandpit::committed(&[("apps/ads/a.py", "old\n"), ("apps/ads/b.py", "b\n")]);
        let place = place(&pit);
        let files = [version("a.py", Some(("new\n", true))), version("b.py", None)];
        let work = Work { branch: BRANCH, files: &files, message: "", author: AUTHOR, time: 0, replaces: None };
        let make = |message: &str, time: i64| commit_on_branch(&place, &Work { message, time, ..work });
        let commit = make("title\n\nwhy", 1).unwrap();
        assert_eq!(make("title\n\nwhy", 2).unwrap(), commit, "the same work is found, not made again");
        assert!(matches!(make("another", 3), Err(GitError::Moved { .. })));
        let wrong = delete_branch(&place, BRANCH, &place.commit);
        assert!(matches!(wrong, Err(GitError::Moved { .. })));
        let next = commit_on_branch(&place, &Work { message: "better", replaces: Some(&commit), ..work }).unwrap();
        assert_ne!(next, commit, "what gander made itself it may make anew");
        delete_branch(&place, BRANCH, &next).unwrap();
        delete_branch(&place, BRANCH, &next).unwrap();
        assert_eq!(find_branch(&place, BRANCH).unwrap(), None);
    }
}
