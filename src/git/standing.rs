//! What became of gander's branches: where they point, and what of them is in a history.

use std::collections::{BTreeMap, BTreeSet};

use super::{GitError, Repository, object_name};
use crate::process::Exit;

/// The key of the trailer that names a change.
pub const TRAILER: &str = "Gander-Change-Id";

/// The changes that the message of a commit names, in its order.
pub fn changes_named(message: &str) -> impl Iterator<Item = &str> {
    message.lines().filter_map(|line| Some(line.strip_prefix(TRAILER)?.strip_prefix(": ")?.trim()))
}

/// The most commits that are named as seen already: an argument each.
const MOST_KNOWN: usize = 200;

/// What became of the branches below a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standings {
    /// Where each branch points, by its name without `refs/heads/`.
    pub tips: BTreeMap<String, String>,
    /// The commit of the history that was looked at; `None` where there is none.
    pub head: Option<String>,
    /// Commits that are in that history, of those that were asked about.
    pub merged: BTreeSet<String>,
    /// Change ids that a commit of that history names, with the newest such commit.
    pub named: BTreeMap<String, String>,
}

impl Repository {
    /// What became of the branches below `prefix`, against the history of `head`. `asked`
    /// are the commits that gander made, `known` those from which it made them.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn standings(
        &self,
        prefix: &str,
        head: &str,
        asked: &BTreeSet<String>,
        known: &BTreeSet<String>,
    ) -> Result<Standings, GitError> {
        let tips = self.tips(prefix)?;
        let Some(head) = self.commit_named(head)? else { return Ok(Standings { tips, ..Standings::default() }) };
        let merged = self.contained(&head, asked)?;
        let mut named = BTreeMap::new();
        for (commit, ids) in self.naming(&head, known)? {
            for id in ids {
                named.entry(id).or_insert_with(|| commit.clone());
            }
        }
        Ok(Standings { tips, head: Some(head), merged, named })
    }

    /// The commits of a history that name changes, the newest first, each with what it names;
    /// without those that `known` commits have in theirs.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn naming(&self, head: &str, known: &BTreeSet<String>) -> Result<Vec<(String, Vec<String>)>, GitError> {
        let mut args: Vec<String> = ["log", "-F", "--topo-order", "--no-show-signature"].map(str::to_owned).to_vec();
        args.push(format!("--grep={TRAILER}: "));
        args.push(format!("--format=%H %(trailers:key={TRAILER},valueonly,separator=%x2C)"));
        args.extend(["--end-of-options".to_owned(), head.to_owned()]);
        let known: BTreeSet<&str> = known.iter().take(MOST_KNOWN).map(String::as_str).collect();
        let missing = self.missing(&known)?;
        for commit in known.into_iter().filter(|commit| !missing.contains(*commit)) {
            args.push(format!("^{}", object_name(commit)?));
        }
        let text = self.answer(&args.iter().map(String::as_str).collect::<Vec<_>>())?;
        let line = |line: &str| {
            let (commit, ids) = line.split_once(' ')?;
            Some((commit.to_owned(), ids.split(',').map(|id| id.trim().to_owned()).collect()))
        };
        Ok(String::from_utf8_lossy(&text).lines().filter_map(line).collect())
    }

    /// What a commit was made over, and the paths that it changes there: against its last parent.
    /// `None` where it has none.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn changed_by(&self, commit: &str) -> Result<Option<(String, Vec<String>)>, GitError> {
        let commit = object_name(commit)?;
        let args = ["log", "-1", "--no-show-signature", "--format=%P", "--end-of-options", commit];
        let parents = String::from_utf8_lossy(&self.answer(&args)?).into_owned();
        let Some(parent) = parents.split_whitespace().next_back() else { return Ok(None) };
        let parent = object_name(parent)?;
        let text = self.answer(&["diff-tree", "-r", "-z", "--no-renames", "--name-only", parent, commit])?;
        let text = String::from_utf8_lossy(&text);
        let paths = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        Ok(Some((parent.to_owned(), paths)))
    }

    /// The paths at which two commits differ; `None` where one of them, or a tree of it, is not here.
    ///
    /// # Errors
    /// Where git can't be run.
    pub fn paths_between(&self, one: &str, other: &str) -> Result<Option<BTreeSet<String>>, GitError> {
        if !self.has(one)? || !self.has(other)? {
            return Ok(None);
        }
        let args = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", object_name(one)?, object_name(other)?];
        let output = self.invoke(&args).run()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let paths = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned);
        Ok((output.status == Exit::Code(0)).then(|| paths.collect()))
    }

    /// The newest commit of a history that changed a path; `None` where that history is not here.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn last_change(&self, head: &str, path: &str) -> Result<Option<String>, GitError> {
        if !self.has(head)? {
            return Ok(None);
        }
        let args =
            ["log", "-1", "--no-show-signature", "--format=%H", "--end-of-options", object_name(head)?, "--", path];
        let text = self.answer(&args)?;
        let text = String::from_utf8_lossy(&text);
        Ok(Some(text.trim().to_owned()).filter(|commit| !commit.is_empty()))
    }

    /// Whether an object is here.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn has(&self, commit: &str) -> Result<bool, GitError> {
        let call = self.invoke(&["cat-file", "-e", object_name(commit)?]);
        Ok(call.run()?.status == Exit::Code(0))
    }

    /// Whether `commit` is `later` or one of its ancestors; one that is not here is not.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn contains(&self, later: &str, commit: &str) -> Result<bool, GitError> {
        if !self.has(commit)? || !self.has(later)? {
            return Ok(false);
        }
        let args = ["merge-base", "--is-ancestor", object_name(commit)?, object_name(later)?];
        let output = self.invoke(&args).run()?;
        match output.status {
            Exit::Code(0) => Ok(true),
            Exit::Code(1) => Ok(false),
            _ => Err(self.failure("merge-base", &output)),
        }
    }

    /// Those of some commits that are `later` or ancestors of it, with one question for all; those
    /// that are not here are not.
    fn contained(&self, later: &str, commits: &BTreeSet<String>) -> Result<BTreeSet<String>, GitError> {
        let asked: BTreeSet<&str> = commits.iter().map(String::as_str).collect();
        if asked.is_empty() {
            return Ok(BTreeSet::new());
        }
        let missing = self.missing(&asked)?;
        let here: BTreeSet<&str> = asked.into_iter().filter(|commit| !missing.contains(*commit)).collect();
        let mut questions = format!("^{}\n", object_name(later)?);
        for commit in &here {
            questions.push_str(commit);
            questions.push('\n');
        }
        let output = self.finish("rev-list", self.invoke(&["rev-list", "--stdin"]).stdin(questions.into_bytes()))?;
        let output = String::from_utf8_lossy(&output);
        let outside: BTreeSet<&str> = output.lines().collect();
        Ok(here.into_iter().filter(|commit| !outside.contains(commit)).map(str::to_owned).collect())
    }

    /// Whether two commits hold the same files; one that is not here does not.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn same_tree(&self, one: &str, other: &str) -> Result<bool, GitError> {
        self.same("--format=%T", one, other)
    }

    /// Whether two commits were written by one person at one moment, as an amended one and the one before it; one
    /// that is not here was not.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn same_writing(&self, one: &str, other: &str) -> Result<bool, GitError> {
        self.same("--format=%an <%ae> %at", one, other)
    }

    /// Whether git prints the same line of two commits.
    fn same(&self, format: &str, one: &str, other: &str) -> Result<bool, GitError> {
        if !self.has(one)? || !self.has(other)? {
            return Ok(false);
        }
        let args = ["log", "--no-walk=unsorted", "--no-show-signature", format, "--end-of-options"];
        let args = [&args[..], &[object_name(one)?, object_name(other)?]].concat();
        let text = self.answer(&args)?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        Ok(matches!(lines[..], [one, other] if one == other))
    }

    /// The message of a commit.
    ///
    /// # Errors
    /// Where git can't be asked, or it is not here.
    pub fn message(&self, commit: &str) -> Result<String, GitError> {
        let args = ["log", "-1", "--no-show-signature", "--format=%B", "--end-of-options", object_name(commit)?];
        Ok(String::from_utf8_lossy(&self.answer(&args)?).trim_end().to_owned())
    }
}
