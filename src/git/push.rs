//! Branches in repositories elsewhere: looked up, pushed, deleted. What stands there and
//! is not gander's own is never moved, and nothing is moved that somebody moved since.
//!
//! A consumer's repository is untrusted, and its configuration could name programs that
//! run with the user's credentials. So each call works from a temporary repository that
//! borrows the consumer's objects and sees only what the user's own git is set up with.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::fetch::OFFLINE;
use super::present::Follows;
use super::{BranchFacts, GitError, Repository, check_url, object_name, path_from_bytes};
use crate::fault;
use crate::process::Exit;
use crate::workspace::without_userinfo;

/// A repository elsewhere that gander may push to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    url: String,
    protocols: Vec<String>,
}

/// A branch to be pushed.
#[derive(Clone, Copy, Debug)]
pub struct Push<'a> {
    /// The branch without `refs/heads/`.
    pub branch: &'a str,
    /// The commit that it shall point to.
    pub commit: &'a str,
    /// The commit of gander's own that it may point to now; `None` where it must not exist.
    pub replaces: Option<&'a str>,
}

/// What a server says where two pushes of one branch meet.
const RACES: [&str; 3] = ["failed to update ref", "cannot lock ref", "failed to lock"];

/// Who refuses a push where the user's own git does.
const HOOK_HERE: &str = "the `pre-push` hook of git on this machine";

/// The branch of an [`Abroad`] that stands for the remote's HEAD.
const HEAD: &str = "head-of-the-remote";

/// What was fetched of a remote, to be asked about.
pub struct Abroad(Outbox);

impl Abroad {
    /// The repository that holds it, and the name of the remote's HEAD in it.
    pub fn repository(&self) -> (&Repository, &'static str) {
        (&self.0.repository, HEAD)
    }
}

/// A temporary repository with the settings of the user alone.
pub(super) struct Outbox {
    repository: Repository,
    _folder: tempfile::TempDir,
}

impl Outbox {
    /// One that borrows the objects of `lender`, where there is one.
    pub(super) fn new(lender: Option<&Repository>, remote: Option<&Remote>) -> Result<Self, GitError> {
        let folder = tempfile::Builder::new().prefix("gander-outbox-").tempdir().map_err(GitError::Temporary)?;
        let repository = Repository { toplevel: folder.path().to_path_buf(), filters: Vec::new() };
        let mut init = vec!["init".to_owned(), "-q".into(), "--template=".into(), "--initial-branch=out".into()];
        if let Some(lender) = lender {
            let format = String::from_utf8_lossy(&lender.answer(&["rev-parse", "--show-object-format"])?).into_owned();
            init.push(format!("--object-format={}", format.trim()));
        }
        repository.answer(&init.iter().map(String::as_str).collect::<Vec<_>>())?;
        if let Some((lender, remote)) = lender.zip(remote) {
            lender.lend(folder.path(), &repository, remote)?;
        }
        Ok(Self { repository, _folder: folder })
    }
}

impl Outbox {
    /// Lets it say to a remote that these commits need not be sent.
    pub(super) fn knows(&self, commits: &[String]) -> Result<(), GitError> {
        let mut refs = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        for (number, commit) in commits.iter().enumerate() {
            let _ = writeln!(refs, "{} refs/heads/have-{number:05}", object_name(commit)?);
        }
        let place = self.repository.toplevel.join(".git/packed-refs");
        crate::files::write_cache(&place, refs.as_bytes()).map_err(GitError::Left)
    }

    /// One that sees the objects of `lender`, and nothing of its configuration.
    pub(super) fn beside(lender: &Repository) -> Result<Self, GitError> {
        let outbox = Self::new(Some(lender), None)?;
        lender.lend_objects(outbox.repository.toplevel())?;
        Ok(outbox)
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// A call to another repository whose objects go into this folder.
    pub(super) fn write_into(
        &self,
        objects: &std::path::Path,
        args: &[&str],
        remote: &Remote,
    ) -> Result<crate::process::Output, GitError> {
        let call = self.repository.to_remote(args, remote).env("GIT_OBJECT_DIRECTORY", objects);
        call.run().map_err(|error| remote.away(&error.to_string()))
    }

    /// A call by the user's own settings.
    pub(super) fn own(&self, args: &[&str]) -> crate::process::Invocation {
        self.repository.reaching(args, &[], OFFLINE)
    }
}

impl Repository {
    /// Where commits of this repository are signed, and its objects lie, where the user
    /// signs commits.
    pub(super) fn signing(&self) -> Result<Option<(Outbox, PathBuf)>, GitError> {
        let outbox = Outbox::new(Some(self), None)?;
        let asked = outbox.repository.invoke_with(&[], &["config", "--type=bool", "--get", "commit.gpgSign"]).run()?;
        let signs = asked.status == Exit::Code(0) && asked.stdout.starts_with(b"true");
        Ok(if signs { Some((outbox, self.path_of_git("objects")?)) } else { None })
    }

    pub(super) fn path_of_git(&self, path: &str) -> Result<PathBuf, GitError> {
        let out = self.answer(&["rev-parse", "--path-format=absolute", "--git-path", path])?;
        Ok(path_from_bytes(out.strip_suffix(b"\n").unwrap_or(&out)))
    }

    /// Lets what is pushed to `origin` go to another URL than the one that it was cloned from.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn push_to(&self, url: &str) -> Result<(), GitError> {
        if self.push_url("origin")?.as_deref() != Some(url) {
            self.answer(&["config", "remote.origin.pushurl", url])?;
        }
        Ok(())
    }

    /// Where `git push` of a remote by its name goes; `None` where there is none.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn push_url(&self, remote: &str) -> Result<Option<String>, GitError> {
        if remote.is_empty() || remote.starts_with('-') {
            return Err(GitError::BadName(remote.to_owned()));
        }
        let output = self.invoke(&["remote", "get-url", "--push", remote]).run()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let url = text.lines().next().unwrap_or_default();
        Ok((output.status == Exit::Code(0) && !url.is_empty()).then(|| url.to_owned()))
    }

    /// Lets a repository in `folder` read this one's objects.
    fn lend_objects(&self, folder: &std::path::Path) -> Result<(), GitError> {
        let mut objects = self.path_of_git("objects")?.into_os_string().into_encoded_bytes();
        objects.push(b'\n');
        let place = folder.join(".git/objects/info/alternates");
        crate::files::write_cache(&place, &objects).map_err(GitError::Left)
    }

    /// The same of shallow and partial ones, too.
    fn lend(&self, folder: &std::path::Path, borrower: &Self, remote: &Remote) -> Result<(), GitError> {
        self.lend_objects(folder)?;
        if let Ok(shallow) = std::fs::read(self.path_of_git("shallow")?) {
            crate::files::write_cache(&folder.join(".git/shallow"), &shallow).map_err(GitError::Left)?;
        }
        let partial = self.invoke(&["config", "--get-regexp", "^remote\\..*\\.promisor$"]).run()?;
        if partial.status == Exit::Code(0) {
            for (key, value) in
                [("url", remote.url.as_str()), ("promisor", "true"), ("partialCloneFilter", "blob:none")]
            {
                borrower.answer(&["config", &format!("remote.origin.{key}"), value])?;
            }
        }
        Ok(())
    }

    /// A call to another repository by the user's own settings, hooks included.
    fn abroad(&self, args: &[&str], remote: &Remote) -> Result<crate::process::Output, GitError> {
        self.to_remote(args, remote).run().map_err(|error| remote.away(&error.to_string()))
    }

    fn to_remote(&self, args: &[&str], remote: &Remote) -> crate::process::Invocation {
        let without = [OFFLINE, &["core.hooksPath=/dev/null"]].concat();
        self.reaching(args, &remote.protocols, &without)
    }
}

impl Remote {
    /// A repository by its URL, where git may be given it.
    ///
    /// # Errors
    /// [`GitError::Url`] where it may not.
    pub fn new(url: &str, protocols: &[String]) -> Result<Self, GitError> {
        match check_url(url, protocols) {
            Ok(()) => Ok(Self { url: url.to_owned(), protocols: protocols.to_vec() }),
            Err(why) => Err(GitError::Url { url: without_userinfo(url), why }),
        }
    }

    /// Its URL, which holds no password.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn away(&self, why: &str) -> GitError {
        GitError::Away { url: without_userinfo(&self.url), why: why.to_owned() }
    }

    /// A call failed that says nothing about the branch itself.
    pub(super) fn failed(&self, output: &crate::process::Output) -> GitError {
        let text = String::from_utf8_lossy(&output.stderr);
        let why = in_short(text.lines());
        self.away(&if why.is_empty() { format!("git ended with {:?}", output.status) } else { why })
    }

    /// A copy of its history and of gander's branches in it, without any file: to be asked
    /// what became of them. It is that of the branch `into`, or of HEAD. What `lender` has is not
    /// fetched.
    ///
    /// # Errors
    /// [`GitError::Away`].
    pub fn history(&self, lender: Option<&Repository>, into: Option<&str>, prefix: &str) -> Result<Abroad, GitError> {
        // What a shallow clone lends ends where it does: a merge before that would not be seen.
        let whole = |lender: &&Repository| lender.path_of_git("shallow").is_ok_and(|place| !place.is_file());
        let outbox = Outbox::new(lender.filter(whole), Some(self))?;
        let branches = format!("+refs/heads/{prefix}*:refs/heads/{prefix}*");
        self.fetch_head(&outbox, (lender, into), "--filter=tree:0", &[branches.as_str()])?;
        Ok(Abroad(outbox))
    }

    /// The present commit of its branch `into`, or of its HEAD, with all files, as far as
    /// `lender` does not have them already.
    ///
    /// # Errors
    /// [`GitError::Away`].
    pub fn head(&self, lender: Option<&Repository>, into: Option<&str>) -> Result<(Abroad, String), GitError> {
        let outbox = Outbox::new(lender, Some(self))?;
        self.fetch_head(&outbox, (lender, into), "--depth=1", &[])?;
        let commit = outbox.repository.commit_named(HEAD)?.ok_or_else(|| self.away("it has no HEAD"))?;
        Ok((Abroad(outbox), commit))
    }

    /// Brings one more commit of its history to what was fetched of it, with all files.
    ///
    /// # Errors
    /// [`GitError::Away`], also where the remote gives nobody a commit by its name.
    pub fn bring_commit(&self, abroad: &Abroad, commit: &str) -> Result<(), GitError> {
        let repository = &abroad.0.repository;
        let args = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", "--", &self.url];
        let output = repository.abroad(&[&args[..], &[object_name(commit)?]].concat(), self)?;
        if output.status == Exit::Code(0) { Ok(()) } else { Err(self.failed(&output)) }
    }

    /// Fetches the branch `into`, or HEAD; where HEAD names no branch that is there, the one that
    /// `clone` stands for.
    fn fetch_head(
        &self,
        outbox: &Outbox,
        (clone, into): (Option<&Repository>, Option<&str>),
        how: &str,
        more: &[&str],
    ) -> Result<(), GitError> {
        let fetch = |reference: &str| {
            let head = format!("+{reference}:refs/heads/{HEAD}");
            let args = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", how, "--", &self.url, &head];
            outbox.repository.abroad(&[&args[..], more].concat(), self)
        };
        let mut output = fetch(&merged_into(into))?;
        let is_missing = || String::from_utf8_lossy(&output.stderr).contains("couldn't find remote ref HEAD");
        if output.status != Exit::Code(0)
            && into.is_none()
            && is_missing()
            && let Some(Follows::Branch(name)) = clone.map(Repository::follows).transpose()?
        {
            output = fetch(&format!("refs/heads/{name}"))?;
        }
        if output.status == Exit::Code(0) { Ok(()) } else { Err(self.failed(&output)) }
    }

    /// Pushes a commit that was made over [`Remote::head`] to a branch that is not there, or that
    /// stands where gander put it.
    ///
    /// # Errors
    /// As [`Remote::push`].
    pub fn push_from(
        &self,
        from: &Repository,
        branch: &str,
        commit: &str,
        replaces: Option<&str>,
    ) -> Result<(), GitError> {
        self.send(from, branch, object_name(commit)?, replaces)?;
        fault::point("git.pushed");
        Ok(())
    }

    /// The commits of its branch `into`, or of its HEAD, and of its branches whose names begin
    /// with `prefix`.
    ///
    /// # Errors
    /// [`GitError::Away`].
    pub fn tips(
        &self,
        into: Option<&str>,
        prefix: &str,
    ) -> Result<(Option<String>, BTreeMap<String, String>), GitError> {
        let reference = merged_into(into);
        let begins = format!("refs/heads/{prefix}");
        let found = self.list(&[&reference, &format!("{begins}*")])?;
        let head = found.get(&reference).cloned();
        let branch = |(name, commit): (String, String)| {
            let own = name.starts_with(&begins);
            Some((name.strip_prefix("refs/heads/").filter(|_| own)?.to_owned(), commit))
        };
        Ok((head, found.into_iter().filter_map(branch).collect()))
    }

    pub(super) fn list(&self, patterns: &[&str]) -> Result<BTreeMap<String, String>, GitError> {
        let outbox = Outbox::new(None, Some(self))?;
        let args = [&["ls-remote", "--", &self.url], patterns].concat();
        let output = outbox.repository.abroad(&args, self)?;
        if output.status != Exit::Code(0) {
            return Err(self.failed(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let line = |line: &str| {
            let (commit, reference) = line.split_once('\t')?;
            Some((reference.to_owned(), object_name(commit).ok()?.to_owned()))
        };
        Ok(text.lines().filter_map(line).collect())
    }

    /// The commits of its branches whose names begin with `prefix`, by name without
    /// `refs/heads/`.
    ///
    /// # Errors
    /// [`GitError::Away`].
    pub fn branches(&self, prefix: &str) -> Result<BTreeMap<String, String>, GitError> {
        Ok(self.tips(None, prefix)?.1)
    }

    /// The commit that one of its branches points to.
    ///
    /// # Errors
    /// [`GitError::Away`].
    pub fn branch(&self, name: &str) -> Result<Option<String>, GitError> {
        Ok(self.branches(name)?.remove(name))
    }

    /// What the commit of one of its branches is; `None` where there is none.
    ///
    /// # Errors
    /// [`GitError::Away`].
    pub fn facts(&self, name: &str) -> Result<Option<BranchFacts>, GitError> {
        let Some(commit) = self.branch(name)? else { return Ok(None) };
        let outbox = Outbox::new(None, Some(self))?;
        let args = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", "--filter=tree:0", "--"];
        let found = format!("refs/heads/{name}:refs/heads/found");
        let args = [&args[..], &[self.url.as_str(), &found]].concat();
        let output = outbox.repository.abroad(&args, self)?;
        if output.status != Exit::Code(0) {
            return Err(self.failed(&output));
        }
        // As it is written: a log would not show the parents that were not fetched.
        let text = outbox.repository.answer(&["cat-file", "commit", &commit]).map_err(|_| self.away("it moved"))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let of = |key: &str| head.lines().filter_map(|line| line.strip_prefix(key)).map(str::to_owned).collect();
        let (trees, parents): (Vec<String>, Vec<String>) = (of("tree "), of("parent "));
        let tree = trees.into_iter().next().unwrap_or_default();
        Ok(Some(BranchFacts { commit, tree, parents, message: message.trim_end().to_owned() }))
    }

    /// Pushes a commit that `lender` holds. A branch that is there already is moved only
    /// from the commit that it is said to replace.
    ///
    /// # Errors
    /// [`GitError::Moved`] and [`GitError::Rejected`] with the branch untouched;
    /// [`GitError::Away`], when it may be there or not.
    pub fn push(&self, lender: &Repository, push: &Push<'_>) -> Result<(), GitError> {
        let outbox = Outbox::new(Some(lender), Some(self))?;
        let commit = object_name(push.commit)?;
        self.send(&outbox.repository, push.branch, commit, push.replaces)?;
        fault::point("git.pushed");
        Ok(())
    }

    /// Deletes a branch where it still points to `expected`; one that is gone is fine.
    ///
    /// # Errors
    /// As [`Remote::push`].
    pub fn delete(&self, branch: &str, expected: &str) -> Result<(), GitError> {
        if self.branch(branch)?.is_none() {
            return Ok(());
        }
        let outbox = Outbox::new(None, Some(self))?;
        let sent = self.send(&outbox.repository, branch, "", Some(object_name(expected)?));
        // The push of a run that was killed goes on without it, and may have come first.
        if sent.is_err() && self.branch(branch)?.is_some() {
            return sent;
        }
        fault::point("git.remote-branch-deleted");
        Ok(())
    }

    /// A branch that is there and beside which there can be none of this name: git keeps one
    /// `a/b` and one `a` in the same place.
    fn in_the_way(&self, branch: &str) -> Result<Option<String>, GitError> {
        let above = branch.match_indices('/').map(|(at, _)| format!("refs/heads/{}", &branch[..at]));
        let patterns: Vec<String> = above.chain([format!("refs/heads/{branch}/*")]).collect();
        let found = self.list(&patterns.iter().map(String::as_str).collect::<Vec<_>>())?;
        let name = |reference: &String| reference.strip_prefix("refs/heads/").map(str::to_owned);
        // A pattern names every reference that ends so.
        let is_meant =
            |name: &String| branch.starts_with(&format!("{name}/")) || name.starts_with(&format!("{branch}/"));
        Ok(found.keys().filter_map(name).find(is_meant))
    }

    fn send(&self, from: &Repository, branch: &str, commit: &str, expected: Option<&str>) -> Result<(), GitError> {
        let reference = from.own_branch(branch)?;
        let lease = format!("--force-with-lease={reference}:{}", expected.unwrap_or_default());
        let what = format!("{commit}:{reference}");
        let args = [
            "push",
            "--porcelain",
            "--no-follow-tags",
            "--recurse-submodules=no",
            "--receive-pack=git-receive-pack",
            &lease,
            "--",
            &self.url,
            &what,
        ];
        let output = from.abroad(&args, self)?;
        if output.status == Exit::Code(0) {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let refused = said.lines().find_map(|line| line.strip_prefix("!\t")?.split_once('\t').map(|(_, why)| why));
        match refused {
            None => Err(stopped_here(&output).map_or_else(
                || self.failed(&output),
                |why| GitError::Rejected { by: HOOK_HERE.to_owned(), branch: branch.to_owned(), why },
            )),
            Some(why) if why.contains("stale info") || why.starts_with("[rejected]") => {
                let name = |commit: Option<&str>| commit.unwrap_or("no commit").to_owned();
                let found = name(self.branch(branch)?.as_deref());
                Err(GitError::Moved { branch: branch.to_owned(), expected: name(expected), found })
            }
            // Somebody else moves it at this very moment; who, the next look tells.
            Some(why) if RACES.iter().any(|race| why.contains(race)) => match self.in_the_way(branch)? {
                None => Err(self.away(why)),
                Some(other) => Err(GitError::Rejected {
                    by: without_userinfo(&self.url),
                    branch: branch.to_owned(),
                    why: format!("the branch {other} leaves no room for it: rename or delete that one"),
                }),
            },
            Some(why) => Err(GitError::Rejected {
                by: without_userinfo(&self.url),
                branch: branch.to_owned(),
                why: said_by_hook(why, &output.stderr),
            }),
        }
    }
}

/// What a `pre-push` hook of the user's own says that ended a push; `None` where the push may have
/// ended otherwise. git says no more than that some references were not pushed, and ends with 1;
/// where the remote is away, or goes away meanwhile, it says so.
fn stopped_here(output: &crate::process::Output) -> Option<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    let mut lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.pop()?;
    let is_away = |line: &&str| ["fatal:", "hung up", "disconnect", "remote:"].iter().any(|word| line.contains(word));
    if output.status != Exit::Code(1) || !last.starts_with("error: failed to push") || lines.iter().any(is_away) {
        return None;
    }
    let said = in_short(lines.into_iter());
    Some(if said.is_empty() { "it said nothing".to_owned() } else { said })
}

/// The reference that change sets are merged into: a branch, or whatever is called HEAD.
fn merged_into(branch: Option<&str>) -> String {
    branch.map_or_else(|| "HEAD".to_owned(), |name| format!("refs/heads/{name}"))
}

/// The lines that programs print, as one.
fn in_short<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let said: Vec<&str> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
    said.join("; ").chars().filter(|c| !c.is_control()).take(300).collect()
}

/// Why a push was refused, with what the other side's own programs said of it.
fn said_by_hook(why: &str, stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let said = in_short(text.lines().filter_map(|line| line.strip_prefix("remote:")));
    if said.is_empty() { why.to_owned() } else { format!("{said} {why}") }
}
