//! Everything gander asks of git, through the `git` program.
//!
//! Repositories are untrusted: their configuration must not make git start a
//! program, reach a network, or look at another repository. So every call is
//! made with a cleared environment and with hooks, file-system monitors, filters,
//! lazy fetches and transports switched off; and calls that read take no lock
//! and refresh no index. Only `fetch` and `push` use the network, from folders of gander's own.
//!
//! Must not: know a stage, or touch a work tree that is not gander's own.

mod blob;
mod branch;
mod checkout;
mod commit;
mod fetch;
mod list;
mod merge;
mod present;
mod push;
mod standing;
#[cfg(test)]
pub(crate) mod tests;

pub use blob::Blob;
pub use branch::{BranchFacts, Work, commit_beside, commit_on_branch, delete_branch, find_branch};
pub use checkout::Standing;
pub use commit::NewCommit;
pub use fetch::{Fetch, Left, check_url};
pub use list::{Listing, TreeEntry};
pub use merge::{Merging, merge_contents, merge_texts};
pub use present::{Follows, Present};
pub use push::{Abroad, Push, Remote};
pub use standing::{Standings, TRAILER, changes_named};

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Exit, Invocation, Output, ProcessError};

/// How long one call may take: a status over a cold monorepo takes minutes.
const LIMIT: Duration = Duration::from_secs(900);
/// The most that a call may print, where it isn't known beforehand, in bytes.
const OUTPUT_LIMIT: usize = 1 << 30;

/// Variables that git needs from the user. None of those that name a
/// repository (`GIT_DIR`, `GIT_INDEX_FILE`, `GIT_WORK_TREE`, …) is among them.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
    "TMP",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
];

/// Settings that win over whatever a repository says.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.untrackedCache=keep",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "core.askPass=",
    "core.pager=cat",
    "credential.helper=",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "status.submoduleSummary=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "commit.gpgSign=false",
];

/// Why git could not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program could not be run to its end.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It ended with an error of its own.
    #[error("`git {command}` failed in {}: {message}", repository.display())]
    Failed {
        /// The work tree.
        repository: PathBuf,
        /// The subcommand.
        command: String,
        /// What git says, on one line.
        message: String,
    },
    /// git refuses the repository because of its owner.
    #[error(
        "git refuses {0}, which another user owns: run `git config --global --add safe.directory {0}` if you trust it"
    )]
    Owner(String),
    /// The repository claims a work tree that lies elsewhere.
    #[error("the repository at {} claims the work tree {claimed}: remove `core.worktree` from its configuration", repository.display())]
    ForeignWorkTree {
        /// Where its `.git` lies.
        repository: PathBuf,
        /// What it claims.
        claimed: String,
    },
    /// It printed what this version of gander does not understand.
    #[error("`git {command}` printed something unexpected: {line:?}; is it git 2.31 or later?")]
    Garbled {
        /// The subcommand.
        command: String,
        /// The line, cut short.
        line: String,
    },
    /// A name that git would not take as one.
    #[error("{0:?} is not a name that gander gives to git")]
    BadName(String),
    /// A URL that git may not be given: without its password, and why.
    #[error("{url} {why}")]
    Url {
        /// The URL.
        url: String,
        /// Why not, and what to do.
        why: String,
    },
    /// A branch points elsewhere than gander left it.
    #[error(
        "the branch {branch} is at {found}, not at {expected}: someone else moved it; rename or delete it, then run again"
    )]
    Moved {
        /// The branch.
        branch: String,
        /// Where it was expected.
        expected: String,
        /// Where it is.
        found: String,
    },
    /// The other side takes a branch from nobody, or not from here; or a hook here keeps it back.
    #[error("{by} refuses the branch {branch}: {why}")]
    Rejected {
        /// Where it was to go, or the hook.
        by: String,
        /// The branch.
        branch: String,
        /// What it says.
        why: String,
    },
    /// The other side could not be reached, or failed on the way: it may work later.
    #[error("{url} can't be reached: {why}")]
    Away {
        /// Where to.
        url: String,
        /// What git says.
        why: String,
    },
    /// A branch is checked out, so that moving it would make that work tree dirty.
    #[error("the branch {branch} is checked out: switch to another branch, then run again")]
    CheckedOut {
        /// The branch.
        branch: String,
    },
    /// Nobody to name as the author.
    #[error("git knows no identity for the author: set `user.name` and `user.email`, or [deliver] author")]
    NoIdentity,
    /// What an earlier git left could not be taken away.
    #[error("what an earlier `git` left can't be taken away: {0}")]
    Left(crate::files::FilesError),
    /// A temporary file could not be made.
    #[error("cannot make a temporary folder: {0}; check TMPDIR and the free space")]
    Temporary(std::io::Error),
}

/// A repository with a work tree.
#[derive(Clone, Debug)]
pub struct Repository {
    toplevel: PathBuf,
    /// Filter drivers that its configuration names, all of which stay off.
    filters: Vec<String>,
}

/// The nearest folder, at or above `folder`, that has a `.git` which git would
/// take for a repository. Starts no program. `folder` should be canonical.
pub fn toplevel(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|dir| is_toplevel(dir)).map(Path::to_path_buf)
}

fn is_toplevel(dir: &Path) -> bool {
    let marker = dir.join(".git");
    match marker.metadata() {
        Ok(meta) if meta.is_dir() => marker.join("HEAD").symlink_metadata().is_ok(),
        Ok(meta) => meta.is_file(),
        Err(_) => false,
    }
}

impl Repository {
    /// Opens the repository whose work tree is `toplevel` (see [`toplevel`]).
    ///
    /// # Errors
    /// Where git refuses it, or where it claims another work tree.
    pub fn open(toplevel: &Path) -> Result<Self, GitError> {
        let mut repository = Self { toplevel: toplevel.to_path_buf(), filters: Vec::new() };
        let output = repository.answer(&["rev-parse", "--show-toplevel"])?;
        let line = output.strip_suffix(b"\n").unwrap_or(&output);
        let claimed = path_from_bytes(line);
        let same = claimed.canonicalize().ok() == toplevel.canonicalize().ok();
        if !same || claimed.as_os_str().is_empty() {
            return Err(GitError::ForeignWorkTree {
                repository: toplevel.to_path_buf(),
                claimed: claimed.display().to_string(),
            });
        }
        repository.filters = repository.filter_names()?;
        Ok(repository)
    }

    /// Absolute path of the work tree.
    pub fn toplevel(&self) -> &Path {
        &self.toplevel
    }

    /// The commit that HEAD names; `None` where nothing was committed yet.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn head(&self) -> Result<Option<String>, GitError> {
        self.resolve("HEAD^{commit}")
    }

    /// The commit that a revision names: a branch, a tag, a name of a commit.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn commit_named(&self, revision: &str) -> Result<Option<String>, GitError> {
        self.resolve(&format!("{revision}^{{commit}}"))
    }

    /// The object that a revision names.
    fn resolve(&self, revision: &str) -> Result<Option<String>, GitError> {
        let args = ["rev-parse", "--verify", "--quiet", "--end-of-options", revision];
        let output = self.invoke(&args).run()?;
        if output.status != Exit::Code(0) {
            // `--quiet` leaves stderr empty where the name is simply not there.
            let quiet = output.status == Exit::Code(1) && output.stderr.is_empty();
            return if quiet { Ok(None) } else { Err(self.failure("rev-parse", &output)) };
        }
        let text = String::from_utf8_lossy(&output.stdout);
        // Old versions print the option itself first.
        let last = text.lines().last().unwrap_or_default();
        object_name(last).map(|name| Some(name.to_owned()))
    }

    fn filter_names(&self) -> Result<Vec<String>, GitError> {
        let args = ["config", "-z", "--name-only", "--get-regexp", "^filter\\."];
        let output = self.invoke(&args).run()?;
        if output.status == Exit::Code(1) {
            return Ok(Vec::new());
        }
        if output.status != Exit::Code(0) {
            return Err(self.failure("config", &output));
        }
        let keys = output.stdout.split(|byte| *byte == 0);
        let names = keys.filter_map(|key| {
            let key = std::str::from_utf8(key).ok()?;
            let (name, _) = key.strip_prefix("filter.")?.rsplit_once('.')?;
            Some(name.to_owned())
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// A call of git in this repository with everything dangerous switched off.
    pub(crate) fn invoke(&self, args: &[&str]) -> Invocation {
        self.invoke_with(SETTINGS, args).env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none")
    }

    /// The same with these settings only, and nothing said about the network.
    fn invoke_with(&self, settings: &[&str], args: &[&str]) -> Invocation {
        let mut call = Invocation::new("git")
            .env_clear()
            .args(["--no-pager", "--literal-pathspecs"])
            .current_dir(&self.toplevel)
            .limit(LIMIT)
            .output_limit(OUTPUT_LIMIT);
        for setting in settings {
            call = call.args(["-c", setting]);
        }
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                call = call.env(name, value);
            }
        }
        let fixed = [
            ("LC_ALL", "C"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
        ];
        for (name, value) in fixed {
            call = call.env(name, value);
        }
        if let Some(parent) = self.toplevel.parent() {
            call = call.env("GIT_CEILING_DIRECTORIES", parent);
        }
        self.without_filters(call).args(args)
    }

    /// Filter drivers run programs; `git status` would call them for every file
    /// whose time stamp changed.
    fn without_filters(&self, mut call: Invocation) -> Invocation {
        let keys = [("clean", ""), ("smudge", ""), ("process", ""), ("required", "false")];
        let mut count = 0_usize;
        for name in &self.filters {
            for (key, value) in keys {
                call = call
                    .env(format!("GIT_CONFIG_KEY_{count}"), format!("filter.{name}.{key}"))
                    .env(format!("GIT_CONFIG_VALUE_{count}"), value);
                count += 1;
            }
        }
        call.env("GIT_CONFIG_COUNT", count.to_string())
    }

    /// The standard output of a call that must succeed.
    pub(crate) fn answer(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        self.finish(args[0], self.invoke(args))
    }

    /// The standard output of a call of `command` that must succeed.
    pub(crate) fn finish(&self, command: &str, call: Invocation) -> Result<Vec<u8>, GitError> {
        let output = call.run()?;
        if output.status == Exit::Code(0) { Ok(output.stdout) } else { Err(self.failure(command, &output)) }
    }

    /// The same with the standard output going into a file.
    fn finish_into(&self, command: &str, call: Invocation, file: std::fs::File) -> Result<(), GitError> {
        let output = call.run_into(file)?;
        if output.status == Exit::Code(0) { Ok(()) } else { Err(self.failure(command, &output)) }
    }

    fn failure(&self, command: &str, output: &Output) -> GitError {
        let text = String::from_utf8_lossy(&output.stderr);
        if text.contains("dubious ownership") {
            return GitError::Owner(self.toplevel.display().to_string());
        }
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        let mut message: String = lines.join("; ").chars().take(500).collect();
        if message.is_empty() {
            message = output.status.to_string();
        }
        GitError::Failed { repository: self.toplevel.clone(), command: command.to_owned(), message }
    }
}

/// Checks that `text` is a full object name: only such are ever given to git as
/// arguments or input.
fn object_name(text: &str) -> Result<&str, GitError> {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if matches!(text.len(), 40 | 64) && text.chars().all(hex) {
        Ok(text)
    } else {
        Err(GitError::BadName(text.chars().take(80).collect()))
    }
}

fn garbled(command: &str, line: &[u8]) -> GitError {
    let line = String::from_utf8_lossy(&line[..line.len().min(120)]).into_owned();
    GitError::Garbled { command: command.to_owned(), line }
}

#[cfg(unix)]
fn path_from_bytes(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_from_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
