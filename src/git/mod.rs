//! What gander asks of the `git` program, beyond reading pinned trees.
//!
//! Must not: touch a working tree, an index or HEAD; run a hook.

use crate::process::{Invocation, Output, ProcessError};
use std::path::{Path, PathBuf};

pub mod branch;

pub use branch::{BranchFacts, commit_on_branch, delete_branch, find_branch};

/// git could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// A git command ended with a failure.
    #[error("{}: git {command} failed: {message}", repository.display())]
    Failed {
        /// The repository.
        repository: PathBuf,
        /// The subcommand.
        command: String,
        /// What git said.
        message: String,
    },
    /// The branch exists and is not what gander would make.
    #[error(
        "{}: the branch {branch} exists and points at {found}, which gander did not make; \
         rename or delete it", repository.display()
    )]
    BranchTaken {
        /// The repository.
        repository: PathBuf,
        /// The branch.
        branch: String,
        /// The commit it points at.
        found: String,
    },
    /// The branch is not where gander left it.
    #[error(
        "{}: the branch {branch} points at {found} and no longer at {expected}; \
         somebody moved it, so look at it and delete it by hand", repository.display()
    )]
    BranchMoved {
        /// The repository.
        repository: PathBuf,
        /// The branch.
        branch: String,
        /// Where gander left it.
        expected: String,
        /// Where it is.
        found: String,
    },
    /// The branch is checked out in a working tree.
    #[error(
        "{}: the branch {branch} is checked out in {worktree}; switch to another one there",
        repository.display()
    )]
    BranchInUse {
        /// The repository.
        repository: PathBuf,
        /// The branch.
        branch: String,
        /// The working tree.
        worktree: String,
    },
    /// The author is not `Name <address>`.
    #[error("{author:?} is not an author: write `Name <address>` in [deliver] author")]
    NotAnAuthor {
        /// As given.
        author: String,
    },
    /// git could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// No room for a temporary index.
    #[error("cannot make a temporary folder for git: {0}")]
    NoFolder(std::io::Error),
}

/// A `git` that sees this repository and none of the caller's GIT_* variables;
/// the user's own configuration (identity, filters) stays.
pub(crate) fn git(repository: &Path) -> Invocation {
    let mut git = Invocation::new("git")
        .arg("-C")
        .arg(repository)
        // No hook and no monitor of the repository is started by what gander asks.
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"])
        .args(["-c", "core.fsync=all"])
        .env_clear()
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0");
    for name in ["PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            git = git.env(name, value);
        }
    }
    git
}

/// Runs it and takes its standard output; a failure is an error.
pub(crate) fn answer(repository: &Path, command: &str, git: Invocation) -> Result<Vec<u8>, GitError> {
    let output = git.run()?;
    if output.status.success() { Ok(output.stdout) } else { Err(failure(repository, command, &output)) }
}

pub(crate) fn failure(repository: &Path, command: &str, output: &Output) -> GitError {
    GitError::Failed {
        repository: repository.to_owned(),
        command: command.to_owned(),
        message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    }
}

pub(crate) fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
