//! A commit on a branch of its own, made from objects alone.

use std::path::Path;

use super::{GitError, answer, failure, git, line};
use crate::fault;
use crate::process::Invocation;
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
    /// The working tree that has it checked out; empty where none.
    pub worktree: String,
}

/// Commits `files` over `place.commit` on `branch` and returns the commit. The
/// working tree, the index and HEAD stay as they are and no hook runs. Where the
/// branch points at a commit with the same tree, parent and message already,
/// that one is returned and nothing is written.
///
/// # Errors
/// [`GitError::BranchTaken`] where the branch is something else, and what git refuses.
pub fn commit_on_branch(
    place: &GitPlace,
    branch: &str,
    files: &[FileVersion],
    message: &str,
    author: Option<&str>,
) -> Result<String, GitError> {
    let repository = place.toplevel.as_path();
    let reference = checked_reference(repository, branch)?;
    let tree = tree_with(place, files)?;
    if let Some(found) = find_branch(place, branch)? {
        let same = found.tree == tree && found.parents == [place.commit.clone()] && found.message == message.trim_end();
        if same {
            return Ok(found.commit);
        }
        return Err(GitError::BranchTaken {
            repository: repository.to_owned(),
            branch: branch.to_owned(),
            found: found.commit,
        });
    }
    let commit = commit_tree(place, &tree, message, author)?;
    fault::point("git.commit-made");
    let update = git(repository)
        .args(["update-ref", "--end-of-options", &reference, &commit])
        // The old value says that the branch must not exist.
        .arg("0".repeat(commit.len()));
    answer(repository, "update-ref", update)?;
    fault::point("git.branch-made");
    Ok(commit)
}

/// Deletes `branch` where it still points at `expected_commit`; one that is gone
/// already is fine.
///
/// # Errors
/// [`GitError::BranchMoved`] and [`GitError::BranchInUse`], with the branch untouched.
pub fn delete_branch(place: &GitPlace, branch: &str, expected_commit: &str) -> Result<(), GitError> {
    let repository = place.toplevel.as_path();
    let Some(found) = find_branch(place, branch)? else {
        return Ok(());
    };
    if found.commit != expected_commit {
        return Err(GitError::BranchMoved {
            repository: repository.to_owned(),
            branch: branch.to_owned(),
            expected: expected_commit.to_owned(),
            found: found.commit,
        });
    }
    if !found.worktree.is_empty() {
        return Err(GitError::BranchInUse {
            repository: repository.to_owned(),
            branch: branch.to_owned(),
            worktree: found.worktree,
        });
    }
    let reference = checked_reference(repository, branch)?;
    let delete = git(repository).args(["update-ref", "-d", "--end-of-options", &reference, expected_commit]);
    answer(repository, "update-ref", delete)?;
    fault::point("git.branch-deleted");
    Ok(())
}

/// Where `branch` stands; `None` where there is none.
///
/// # Errors
/// Where git can't read the repository.
pub fn find_branch(place: &GitPlace, branch: &str) -> Result<Option<BranchFacts>, GitError> {
    let repository = place.toplevel.as_path();
    let reference = checked_reference(repository, branch)?;
    let format = "--format=%(objectname)%00%(tree)%00%(parent)%00%(worktreepath)%00%(contents)";
    let list =
        git(repository).env("GIT_OPTIONAL_LOCKS", "0").args(["for-each-ref", "--count=1", format, "--", &reference]);
    let output = answer(repository, "for-each-ref", list)?;
    let text = String::from_utf8_lossy(&output);
    let mut fields = text.splitn(5, '\0');
    let mut next = || fields.next().unwrap_or_default().to_owned();
    let (commit, tree, parents, worktree, message) = (next(), next(), next(), next(), next());
    if commit.trim().is_empty() {
        return Ok(None);
    }
    Ok(Some(BranchFacts {
        commit,
        tree,
        parents: parents.split_whitespace().map(str::to_owned).collect(),
        message: message.trim_end().to_owned(),
        worktree,
    }))
}

fn checked_reference(repository: &Path, branch: &str) -> Result<String, GitError> {
    let reference = format!("refs/heads/{branch}");
    let check = git(repository).args(["check-ref-format", &reference]);
    let output = check.run()?;
    if output.status.success() {
        return Ok(reference);
    }
    Err(GitError::Failed {
        repository: repository.to_owned(),
        command: "check-ref-format".to_owned(),
        message: format!("{branch:?} is no name for a branch"),
    })
}

/// The tree of `place.commit` with `files` in it, made in an index of its own.
fn tree_with(place: &GitPlace, files: &[FileVersion]) -> Result<String, GitError> {
    let repository = place.toplevel.as_path();
    let folder = tempfile::Builder::new().prefix("gander-index-").tempdir().map_err(GitError::NoFolder)?;
    let index = folder.path().join("index");
    let with_index = || git(repository).env("GIT_INDEX_FILE", &index);
    let read = with_index().args(["read-tree", "--end-of-options", &place.commit]);
    answer(repository, "read-tree", read)?;
    let entries = index_entries(place, files)?;
    let update = with_index().args(["update-index", "-z", "--index-info"]);
    answer(repository, "update-index", update.stdin(entries))?;
    let write = with_index().arg("write-tree");
    Ok(line(&answer(repository, "write-tree", write)?))
}

/// What `git update-index -z --index-info` reads. Deletions come first, so that a
/// file can become a folder.
fn index_entries(place: &GitPlace, files: &[FileVersion]) -> Result<Vec<u8>, GitError> {
    let repository = place.toplevel.as_path();
    let none = "0".repeat(place.commit.len());
    let (mut gone, mut entries) = (Vec::new(), Vec::new());
    for file in files {
        let path = if place.prefix.is_empty() { file.path.clone() } else { format!("{}/{}", place.prefix, file.path) };
        let Some(after) = &file.after else {
            gone.extend_from_slice(format!("0 {none}\t{path}\0").as_bytes());
            continue;
        };
        let hash = git(repository).args(["hash-object", "-w", "--stdin", "--no-filters"]);
        let hash = hash.stdin(after.bytes.clone());
        let blob = line(&answer(repository, "hash-object", hash)?);
        let mode = if after.executable { "100755" } else { "100644" };
        entries.extend_from_slice(format!("{mode} {blob}\t{path}\0").as_bytes());
    }
    gone.append(&mut entries);
    Ok(gone)
}

fn commit_tree(place: &GitPlace, tree: &str, message: &str, author: Option<&str>) -> Result<String, GitError> {
    let repository = place.toplevel.as_path();
    let mut commit = git(repository);
    if let Some(author) = author {
        commit = signed_by(commit, author)?;
    }
    let commit =
        commit.args(["commit-tree", "-p", &place.commit, "-F", "-", tree]).stdin(format!("{}\n", message.trim_end()));
    let output = commit.run()?;
    if output.status.success() {
        return Ok(line(&output.stdout));
    }
    let mut error = failure(repository, "commit-tree", &output);
    if let GitError::Failed { message, .. } = &mut error
        && author.is_none()
    {
        message.push_str("; set [deliver] author, or your git identity");
    }
    Err(error)
}

fn signed_by(git: Invocation, author: &str) -> Result<Invocation, GitError> {
    let parts = author
        .strip_suffix('>')
        .and_then(|rest| rest.split_once(" <"))
        .filter(|(name, address)| !name.trim().is_empty() && !address.is_empty());
    let (name, address) = parts.ok_or_else(|| GitError::NotAnAuthor { author: author.to_owned() })?;
    Ok(git
        .env("GIT_AUTHOR_NAME", name.trim())
        .env("GIT_AUTHOR_EMAIL", address)
        .env("GIT_COMMITTER_NAME", name.trim())
        .env("GIT_COMMITTER_EMAIL", address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write_whole;
    use crate::workspace::Content;

    const AUTHOR: Option<&str> = Some("Grey Goose <goose@example.org>");

    fn run(folder: &Path, arguments: &[&str]) -> String {
        let git = git(folder).args(["-c", "user.name=T", "-c", "user.email=t@example.org"]);
        line(&answer(folder, arguments[0], git.args(arguments)).unwrap())
    }

    fn repository() -> (tempfile::TempDir, GitPlace) {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        run(&top, &["init", "-q", "-b", "main"]);
        std::fs::create_dir_all(top.join("apps/ads")).unwrap();
        write_whole(&top.join("apps/ads/a.py"), b"old\n", false).unwrap();
        write_whole(&top.join("apps/ads/b.py"), b"b\n", false).unwrap();
        run(&top, &["add", "."]);
        run(&top, &["commit", "-q", "-m", "one"]);
        let place = GitPlace {
            commit: run(&top, &["rev-parse", "HEAD"]),
            tree: run(&top, &["rev-parse", "HEAD:apps/ads"]),
            toplevel: top,
            prefix: "apps/ads".to_owned(),
            dirty: Vec::new(),
        };
        (folder, place)
    }

    fn file(path: &str, after: Option<&str>, executable: bool) -> FileVersion {
        FileVersion {
            path: path.to_owned(),
            before: None,
            after: after.map(|text| Content { bytes: text.as_bytes().to_vec(), executable }),
            renamed_from: None,
        }
    }

    #[test]
    fn a_branch_is_made_once_and_deleted_only_where_it_is_ours() {
        let (_folder, place) = repository();
        let top = place.toplevel.as_path();
        // A hook that would fail every update of a branch: it must not run.
        let hook = top.join(".git/hooks/reference-transaction");
        write_whole(&hook, b"#!/bin/sh\nexit 1\n", true).unwrap();
        let files = [file("a.py", Some("new\n"), true), file("b.py", None, false), file("c d\n.py", Some(""), false)];
        let branch = "gander/m/ads";
        let commit = commit_on_branch(&place, branch, &files, "title\n\nwhy", AUTHOR).unwrap();
        let again = commit_on_branch(&place, branch, &files, "title\n\nwhy", AUTHOR).unwrap();
        assert_eq!(commit, again);
        assert_eq!(run(top, &["show", &format!("{commit}:apps/ads/a.py")]), "new");
        let tree = run(top, &["ls-tree", "-r", "-z", &commit]);
        assert!(tree.contains("100755") && tree.contains("c d\n.py") && !tree.contains("b.py"));
        assert_eq!(run(top, &["status", "--porcelain"]), "");
        assert_eq!(run(top, &["log", "-1", "--format=%an %ce", &commit]), "Grey Goose goose@example.org");

        let other = commit_on_branch(&place, branch, &files, "another", AUTHOR);
        assert!(matches!(other, Err(GitError::BranchTaken { .. })));
        let wrong = delete_branch(&place, branch, &place.commit);
        assert!(matches!(wrong, Err(GitError::BranchMoved { .. })));
        delete_branch(&place, branch, &commit).unwrap();
        delete_branch(&place, branch, &commit).unwrap();
        assert_eq!(find_branch(&place, branch).unwrap(), None);
    }

    #[test]
    fn a_branch_in_use_is_left_alone() {
        let (_folder, place) = repository();
        let top = place.toplevel.as_path();
        let files = [file("a.py", Some("new\n"), false)];
        let commit = commit_on_branch(&place, "g/x", &files, "m", AUTHOR).unwrap();
        run(top, &["checkout", "-q", "g/x"]);
        let error = delete_branch(&place, "g/x", &commit).unwrap_err();
        assert!(matches!(error, GitError::BranchInUse { .. }), "{error}");
        assert_eq!(run(top, &["rev-parse", "g/x"]), commit);
    }

    #[test]
    fn bad_names_and_authors_are_refused() {
        let (_folder, place) = repository();
        let files = [file("a.py", Some("new\n"), false)];
        assert!(commit_on_branch(&place, "a..b", &files, "m", AUTHOR).is_err());
        let error = commit_on_branch(&place, "ok", &files, "m", Some("nobody")).unwrap_err();
        assert!(matches!(error, GitError::NotAnAuthor { .. }), "{error}");
        assert_eq!(find_branch(&place, "ok").unwrap(), None);
    }
}
