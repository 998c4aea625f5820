//! Repositories from elsewhere: fetched into a folder of gander's own, as little of
//! them as the server allows, and checked out at one commit.
//!
//! Unlike every other call these use the network, by the protocols that they are
//! given, and git's own credential helpers. The URL comes from a catalog and is not
//! trusted: it can be no option, name no helper program and hold no password.

use std::path::Path;
use std::time::Duration;

use super::present::REVISION;
use super::{GitError, Repository, SETTINGS, object_name};
use crate::process::{Exit, Invocation};
use crate::workspace::without_userinfo;

/// How long one fetch may take.
const FETCH_LIMIT: Duration = Duration::from_secs(3600);
/// The most that git may say about it, in bytes.
const SAID_LIMIT: usize = 16 << 20;
/// Settings that only calls without a network need.
pub(super) const OFFLINE: &[&str] = &["core.sshCommand=false", "core.askPass=", "credential.helper="];
/// A transfer that stands still ends, instead of waiting for ever: bytes a second, seconds.
const STALLED: &[&str] = &["http.lowSpeedLimit=1", "http.lowSpeedTime=120"];
/// Variables of git's own that reach the network, with those of [`super::INHERITED`]. No
/// other one does: `GIT_DIR` and the like name repositories, `GIT_TRACE` tells secrets.
const NETWORK: &[&str] = &["GIT_ASKPASS", "GIT_SSH", "GIT_SSH_VARIANT", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"];
/// A window that asks a person something, while nobody may be there.
const PROMPT: &str = "SSH_ASKPASS";

/// What to fetch.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// The repository; see [`check_url`].
    pub url: &'a str,
    /// A branch, tag or commit; `None` means what the server calls HEAD.
    pub revision: Option<&'a str>,
    /// The folders that are needed; where empty, everything is.
    pub paths: &'a [String],
    /// The protocols that may be used.
    pub protocols: &'a [String],
    /// What an earlier fetch left, where it did not come to its end.
    pub left: Left,
    /// All that the folder may take on the disk, in bytes.
    pub disk: u64,
}

/// What is left of an earlier fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// It came to its end, or there was none.
    Nothing,
    /// Perhaps locks and half of a pack: git was killed. What stands in the work tree stays.
    Locks,
    /// Those, and a work tree between two commits: it held nothing of anybody's before.
    HalfATree,
}

/// Checks that a URL is one that git may be given: of a known protocol, no option,
/// no helper program (`ext::`), without a password.
///
/// # Errors
/// Why not, for people.
pub fn check_url(url: &str, protocols: &[String]) -> Result<(), String> {
    let odd = |c: char| c.is_control() || c.is_whitespace();
    if url.is_empty() || url.starts_with('-') || url.contains(odd) {
        return Err("is no URL that git may be given: correct it in the catalog".to_owned());
    }
    let (scheme, host) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme, rest.split('/').next().unwrap_or_default()),
        // `user@host:path`, but not `helper::…`.
        None => match url.split_once(':') {
            Some((host, path)) if host.contains('@') && !path.starts_with(':') && !host.contains('/') => ("ssh", host),
            _ if url.starts_with(['/', '.', '~']) => {
                return Err(
                    "is a path, and no URL: write `file:///path`, and add \"file\" to [code] protocols".to_owned()
                );
            }
            _ => return Err("is no URL of a repository: write `https://host/path`".to_owned()),
        },
    };
    if !protocols.iter().any(|known| known == scheme) {
        return Err(format!(
            "is of the protocol {scheme:?}, and only {} may be used: add it to [code] protocols if you trust it",
            protocols.join(", ")
        ));
    }
    let (user, name) = host.rsplit_once('@').unwrap_or(("", host));
    // Decoded, it would say something else to whoever is asked for a password.
    if host.contains('%') || name.starts_with('-') || user.starts_with('-') || (name.is_empty() && scheme != "file") {
        return Err("names no host that git may be given: correct it in the catalog".to_owned());
    }
    if user.contains(':') || (!user.is_empty() && scheme.starts_with("http")) {
        return Err("holds a name or password: leave that to git's credential helpers".to_owned());
    }
    Ok(())
}

/// What stands for other things than itself in the paths of a sparse checkout.
const PATTERNS: &str = "!*?[]\\\"#";

impl Repository {
    /// Fetches into `folder`, which is gander's own and may hold what an earlier
    /// attempt got, and checks out one commit there. Returns the commit.
    ///
    /// Asks for one commit without the content of its files, and then for the content
    /// of those that are checked out; where the server can't do that, for more.
    ///
    /// # Errors
    /// Those of git; the folder then holds a part, from which the next attempt goes on.
    pub fn fetch_into(folder: &Path, what: &Fetch<'_>) -> Result<String, GitError> {
        check_url(what.url, what.protocols).map_err(|why| GitError::Url { url: without_userinfo(what.url), why })?;
        let mut repository = Self { toplevel: folder.to_path_buf(), filters: Vec::new() };
        if what.left != Left::Nothing {
            repository.sweep()?;
        }
        repository.answer(&["init", "-q", "--template=", "--initial-branch=fetched"])?;
        for (key, value) in [
            ("remote.origin.url", what.url),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialCloneFilter", "blob:none"),
            ("core.autocrlf", "false"),
        ] {
            repository.answer(&["config", key, value])?;
        }
        // More of the same commit is asked for by its name: what it was cloned at stays.
        let revision = what.revision.unwrap_or("HEAD");
        if object_name(revision).is_err() || !repository.is_set(REVISION)? {
            repository.answer(&["config", REVISION, revision])?;
        }
        repository.filters = repository.filter_names()?;
        let commit = match what.revision.filter(|revision| object_name(revision).is_ok()) {
            // A commit that is here already stays what it is.
            Some(name) if repository.resolve(&format!("{name}^{{commit}}"))?.is_some() => name.to_owned(),
            _ => {
                repository.fetch_revision(what)?;
                let commit = repository.resolve("FETCH_HEAD^{commit}")?;
                commit.ok_or_else(|| GitError::BadName("FETCH_HEAD".to_owned()))?
            }
        };
        repository.check_out(&commit, what)?;
        Ok(commit)
    }

    /// Fetches one commit by its name into a folder of gander's own, without its files and
    /// without checking it out: whether the server has it.
    ///
    /// # Errors
    /// Those of git, also where the server does not have it.
    pub fn fetch_commit(folder: &Path, what: &Fetch<'_>) -> Result<(), GitError> {
        let commit = object_name(what.revision.unwrap_or_default())?;
        let repository = Self { toplevel: folder.to_path_buf(), filters: Vec::new() };
        let args = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"];
        let args =
            [&args[..], &["--no-write-fetch-head", "--depth=1", "--filter=tree:0", "--", what.url, commit]].concat();
        repository.finish("fetch", repository.network(&args, what)).map(drop)
    }

    /// Takes away what a git that was killed has left: while they are there, no other one
    /// can write, and half a pack is of no use to anybody.
    fn sweep(&self) -> Result<(), GitError> {
        let git = self.toplevel.join(".git");
        for (folder, of_packs) in [("", false), ("info", false), ("objects/pack", true), ("objects", true)] {
            let left = |name: &str| if of_packs { name.starts_with("tmp_") } else { name.ends_with(".lock") };
            for entry in std::fs::read_dir(git.join(folder)).into_iter().flatten().flatten() {
                if entry.file_name().to_str().is_some_and(left) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                    crate::files::remove(&entry.path()).map_err(GitError::Left)?;
                }
            }
        }
        Ok(())
    }

    /// The least that the server gives: newer git servers give one commit without
    /// files, others one commit, the plainest all there is.
    fn fetch_revision(&self, what: &Fetch<'_>) -> Result<(), GitError> {
        let revision = what.revision.unwrap_or("HEAD");
        if revision.starts_with('-') || revision.contains([':', '^', '~', ' ', '*']) || revision.contains("..") {
            return Err(GitError::BadName(revision.to_owned()));
        }
        let ways: [&[&str]; 3] = [&["--depth=1", "--filter=blob:none"], &["--depth=1"], &[]];
        let mut last = None;
        for way in ways {
            let mut args = vec!["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"];
            args.extend(way);
            args.extend(["--", "origin", revision]);
            match self.finish("fetch", self.network(&args, what)) {
                Ok(_) => return Ok(()),
                Err(error @ GitError::Failed { .. }) if is_about_the_way(&error) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| GitError::BadName(revision.to_owned())))
    }

    /// Makes the work tree that of `commit`: all of it, or the folders that are needed.
    fn check_out(&self, commit: &str, what: &Fetch<'_>) -> Result<(), GitError> {
        let commit = object_name(commit)?;
        let sparse = self.toplevel.join(".git/info/sparse-checkout").is_file();
        // Of a name that could be a pattern, git would make one: then everything is taken.
        let plain = |path: &String| !path.contains(|c: char| c.is_control() || PATTERNS.contains(c));
        let narrow = !what.paths.is_empty() && what.paths.iter().all(plain);
        if narrow {
            let mut args = vec!["sparse-checkout", "set", "--cone", "--end-of-options"];
            args.extend(what.paths.iter().map(String::as_str));
            self.finish("sparse-checkout", self.network(&args, what))?;
        }
        let mut args = vec!["checkout", "--quiet", "--detach", commit, "--"];
        if what.left == Left::HalfATree {
            args.insert(1, "--force");
        }
        self.finish("checkout", self.network(&args, what))?;
        if !narrow && sparse {
            self.finish("sparse-checkout", self.network(&["sparse-checkout", "disable"], what))?;
        }
        Ok(())
    }

    /// A call that may use the network. Credential helpers and ssh see what the user's own
    /// git would show them, but for what would ask a person.
    fn network(&self, args: &[&str], what: &Fetch<'_>) -> Invocation {
        self.reaching(args, what.protocols, OFFLINE).disk_limit(&self.toplevel, what.disk)
    }

    /// The same by these protocols, without the settings that are said not to hold, and
    /// with no bound on what its folder may take.
    pub(super) fn reaching(&self, args: &[&str], protocols: &[String], without: &[&str]) -> Invocation {
        let settings = SETTINGS.iter().filter(|setting| !without.contains(setting)).chain(STALLED);
        let settings: Vec<&str> = settings.copied().collect();
        let mut call = self.invoke_with(&settings, args).limit(FETCH_LIMIT).output_limit(SAID_LIMIT).interruptible();
        for (name, value) in std::env::vars_os() {
            let git = name.to_string_lossy().starts_with("GIT_");
            if name != PROMPT && (!git || NETWORK.iter().any(|known| name == *known)) {
                call = call.env(name, value);
            }
        }
        if let Some(ssh) = self.ssh() {
            call = call.env("GIT_SSH_COMMAND", ssh);
        }
        // Not even `GIT_NO_LAZY_FETCH=0`: a server on this machine would take it as leave to
        // fetch by the configuration of the repository that it serves.
        call.env("LC_ALL", "C").env("GIT_ALLOW_PROTOCOL", protocols.join(":"))
    }

    /// The user's ssh, told to ask nobody; `None` where it is a program of another kind.
    fn ssh(&self) -> Option<String> {
        let configured = || {
            let output = self.invoke_with(&[], &["config", "--get", "core.sshCommand"]).run().ok()?;
            let text = String::from_utf8(output.stdout).ok()?.trim_end().to_owned();
            (output.status == Exit::Code(0) && !text.is_empty()).then_some(text)
        };
        let chosen = std::env::var("GIT_SSH_COMMAND").ok().or_else(configured);
        match chosen {
            Some(command) => Some(in_batch(&command)),
            None if std::env::var_os("GIT_SSH").is_some() => None,
            None => Some(in_batch("ssh")),
        }
    }
}

/// A command that runs OpenSSH, without its questions; any other as it is.
fn in_batch(command: &str) -> String {
    let program = command.split_whitespace().next().unwrap_or_default();
    match program.rsplit('/').next() {
        Some("ssh" | "ssh.exe") => format!("{command} -oBatchMode=yes"),
        _ => command.to_owned(),
    }
}

/// A server that knows no shallow or partial clones says so, one way or the other.
fn is_about_the_way(error: &GitError) -> bool {
    let text = error.to_string();
    ["shallow", "filter", "dumb http"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::Sandpit;

    fn protocols(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn urls_that_git_may_be_given() {
        let known = protocols(&["https", "ssh"]);
        for fine in ["https://example.org/a/b", "ssh://git@example.org:22/a", "git@example.org:a/b.git"] {
            assert_eq!(check_url(fine, &known), Ok(()), "{fine}");
        }
        for bad in [
            "",
            "-u",
            "--upload-pack=touch /tmp/x",
            "ext::sh -c touch",
            "ext::sh",
            "https::x",
            "fd::17",
            "file:///etc",
            "/etc",
            "../x",
            "http://example.org/a",
            "https://user:secret@example.org/a",
            "https://token@example.org/a",
            "ssh://-oProxyCommand=x/a",
            "ssh://-l@example.org/a",
            "-oProxyCommand=x@example.org:a",
            "git@-x:a",
            "https:///a",
            "https://evil.example.org%0ahost=example.org/a",
            "https://example.org/a\n--x",
        ] {
            assert!(check_url(bad, &known).is_err(), "{bad:?}");
        }
        for path in ["/srv/git/x.git", "../x", "~/x"] {
            let why = check_url(path, &known).unwrap_err();
            assert!(why.contains("write `file:///path`"), "{path}: {why}");
        }
    }

    #[test]
    fn one_commit_and_the_folders_that_are_needed() {
        let origin = Sandpit::committed(&[("a/x", "1"), ("b/y", "2"), ("top", "3")]);
        origin.commit(&[("a/x", "newer")]);
        origin.git(&["config", "uploadpack.allowFilter", "true"]);
        let (here, url) = (tempfile::tempdir().unwrap(), format!("file://{}", origin.root().display()));
        let (file, paths) = (protocols(&["file"]), vec!["a".to_owned()]);
        let what =
            Fetch { url: &url, revision: None, paths: &paths, protocols: &file, left: Left::Nothing, disk: u64::MAX };
        let commit = Repository::fetch_into(here.path(), &what).unwrap();
        assert_eq!(commit, origin.git(&["rev-parse", "HEAD"]));
        assert_eq!(std::fs::read_to_string(here.path().join("a/x")).unwrap(), "newer");
        assert!(!here.path().join("b").exists(), "only what is needed");
        let repository = Repository::open(here.path()).unwrap();
        assert_eq!(repository.answer(&["rev-list", "--count", "HEAD"]).unwrap(), b"1\n");
        assert_eq!(repository.dirty(&["a"]).unwrap(), [[""; 0]]);
        // Once more after the origin moved, and more of it.
        origin.commit(&[("b/y", "4")]);
        let what = Fetch { paths: &[], ..what };
        let commit = Repository::fetch_into(here.path(), &what).unwrap();
        assert_eq!(commit, origin.git(&["rev-parse", "HEAD"]));
        assert_eq!(std::fs::read_to_string(here.path().join("b/y")).unwrap(), "4");
        let revision = Some("no-such-branch");
        assert!(Repository::fetch_into(here.path(), &Fetch { revision, ..what }).is_err());
        let refused = Repository::fetch_into(here.path(), &Fetch { protocols: &protocols(&["https"]), ..what });
        assert!(refused.is_err(), "a protocol that is not allowed");
    }

    #[test]
    fn a_folder_whose_name_could_be_a_pattern() {
        let origin = Sandpit::committed(&[("a/x", "1"), ("!b/y*/z", "2")]);
        let (here, url) = (tempfile::tempdir().unwrap(), format!("file://{}", origin.root().display()));
        let (file, paths) = (protocols(&["file"]), ["!b/y*".to_owned(), "a".to_owned()]);
        let what = Fetch {
            url: &url,
            revision: None,
            paths: &paths[1..],
            protocols: &file,
            left: Left::Nothing,
            disk: u64::MAX,
        };
        Repository::fetch_into(here.path(), &what).unwrap();
        assert!(!here.path().join("!b").exists());
        Repository::fetch_into(here.path(), &Fetch { paths: &paths, ..what }).unwrap();
        assert!(here.path().join("!b/y*/z").exists() && here.path().join("a/x").exists());
    }

    /// A repository on this machine is served by git with the configuration that lies in it.
    #[test]
    fn what_a_served_repository_is_configured_to_start_is_not_started() {
        let origin = Sandpit::committed(&[("x", "1"), ("y", "2")]);
        let owned = origin.path("owned");
        let script = format!("#!/bin/sh\ntouch '{}'\n", owned.display());
        for hook in ["post-checkout", "reference-transaction", "post-index-change", "post-upload-pack"] {
            origin.write(&format!(".git/hooks/{hook}"), &script);
            origin.executable(&format!(".git/hooks/{hook}"));
        }
        origin.write(".git/evil.sh", &script);
        origin.executable(".git/evil.sh");
        let evil = origin.path(".git/evil.sh").display().to_string();
        // A file that is not there, and a remote that promises it by way of a program.
        let blob = origin.git(&["rev-parse", "HEAD:x"]);
        std::fs::remove_file(origin.path(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
        for (key, value) in [
            ("remote.origin.url", origin.path("nowhere").display().to_string()),
            ("remote.origin.promisor", "true".to_owned()),
            ("remote.origin.uploadpack", evil.clone()),
            ("extensions.partialClone", "origin".to_owned()),
            ("core.repositoryFormatVersion", "1".to_owned()),
            ("core.fsmonitor", evil.clone()),
            ("core.sshCommand", evil.clone()),
            ("uploadpack.packObjectsHook", evil),
        ] {
            origin.git(&["config", key, &value]);
        }
        let here = tempfile::tempdir().unwrap();
        let (url, file) = (format!("file://{}", origin.root().display()), protocols(&["file"]));
        let what = Fetch {
            url: &url,
            revision: Some("main"),
            paths: &[],
            protocols: &file,
            left: Left::Nothing,
            disk: u64::MAX,
        };
        assert!(Repository::fetch_into(here.path(), &what).is_err(), "a file of it is missing");
        assert!(!owned.exists(), "a program of the repository ran");
        // The trap works: whoever allows the server to fetch falls into it.
        let by_hand = tempfile::tempdir().unwrap();
        let cloned = Invocation::new("git")
            .args(["clone", "-q", "--no-local", &url, "x"])
            .current_dir(by_hand.path())
            .env("GIT_NO_LAZY_FETCH", "0")
            .env("GIT_ALLOW_PROTOCOL", "file")
            .run()
            .unwrap();
        assert!(owned.exists(), "the test would not notice: {}", String::from_utf8_lossy(&cloned.stderr));
    }
}
