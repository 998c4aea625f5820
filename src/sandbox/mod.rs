//! Runs the steps of a verification apart from the machine they run on.
//!
//! ```text
//! gander ──spec──▶ gander __sandbox ──hakoniwa──▶ gander __sandbox init ──▶ a step
//! (any thread)     helper: one side,              PID 1 of new namespaces:
//!        ◀─reply── one thread, no state           last locks, limits, reaping
//! ```
//!
//! The helper exists because a sandbox dies with the thread that starts it, and
//! because a process with threads must not fork. PID 1 is gander as well: it sees
//! exactly the processes of its sandbox and cannot be killed by them, so it is
//! the one that watches the limits. Whoever dies takes everything below along.
//!
//! Must not: know a stage, judge what a step's exit code means, or write
//! anything outside of the scratch folder it was given. Everything that only
//! Linux has stays in this module.

#[cfg(unix)]
mod credentials;
mod doctor;
#[cfg(unix)]
mod fetch;
mod identity;
#[cfg(unix)]
mod run;
mod scratch;
mod spec;
mod tail;
mod toolchain;
mod tree;

#[cfg(target_os = "linux")]
mod capture;
#[cfg(target_os = "linux")]
mod cgroup;
#[cfg(target_os = "linux")]
mod deleted;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod fence;
#[cfg(target_os = "linux")]
mod init;
#[cfg(target_os = "linux")]
mod inside;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod lockdown;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod places;
#[cfg(target_os = "linux")]
mod proxy;
#[cfg(target_os = "linux")]
mod streams;
#[cfg(target_os = "linux")]
mod syscalls;

#[cfg(any(test, not(target_os = "linux")))]
mod plain;
mod probe;

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::process::ProcessError;

pub use doctor::{Promise, PromiseState, doctor};
pub use fetch::Fetched;
pub use run::{Job, Left, Sandbox, Side};
pub use scratch::sweep;
pub use spec::Shown;

/// The hidden subcommand under which `main` calls [`helper_main`].
pub const SUBCOMMAND: &str = "__sandbox";

/// One step on one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// [`crate::config::Step::name`].
    pub name: String,
    /// The argument vector.
    pub command: Vec<String>,
    /// How it ended.
    pub end: StepEnd,
    /// Wall-clock time in milliseconds: for people, part of no digest.
    pub millis: u64,
    /// The end of what it printed (stdout and stderr), at most 16 KiB, lossily UTF-8.
    pub output: String,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum StepEnd {
    /// It exited with this code; 0 is green.
    Exited(i32),
    /// A signal that gander did not send ended it.
    Signalled(i32),
    /// It ran into its wall-clock limit.
    TimedOut,
    /// It used more memory than allowed.
    OutOfMemory,
    /// gander ended it for another limit; which.
    Killed(String),
    /// The program is not there; its name.
    MissingProgram(String),
    /// The sandbox could not run it; why.
    NotStarted(String),
    /// It was green, and what it has left must not be used; why.
    Refused(String),
}

impl StepEnd {
    /// Whether the machine failed, and not the code.
    pub fn is_infra(&self) -> bool {
        // Nobody but the kernel's own out-of-memory killer sends SIGKILL into a sandbox.
        match self {
            Self::TimedOut | Self::OutOfMemory | Self::Killed(_) | Self::NotStarted(_) | Self::Refused(_) => true,
            Self::Signalled(signal) => *signal == 9,
            Self::Exited(_) | Self::MissingProgram(_) => false,
        }
    }
}

impl std::fmt::Display for StepEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Signalled(signal) => write!(f, "ended by signal {signal}"),
            Self::TimedOut => f.write_str("ran into its time limit"),
            Self::OutOfMemory => f.write_str("used more memory than allowed"),
            Self::Killed(limit) => write!(f, "killed: {limit}"),
            Self::MissingProgram(name) => write!(f, "`{name}` is not installed"),
            Self::NotStarted(why) => write!(f, "not started: {why}"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

/// Why a side could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The scratch folder cannot be used.
    #[error("cannot prepare {} for a sandbox: {source}", path.display())]
    Scratch {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A changed file cannot be laid over the pinned tree.
    #[error("cannot lay `{path}` over the pinned tree: {why}")]
    Change {
        /// Relative to the workspace.
        path: String,
        /// Why.
        why: String,
    },
    /// A path that must be handed to the sandbox is not UTF-8.
    #[error("{} cannot be used in a sandbox: its path is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
    /// A folder of `[sandbox] read_only` cannot be shown.
    #[error("[sandbox] read_only: {} {why}", path.display())]
    ReadOnly {
        /// As configured.
        path: PathBuf,
        /// Why, with a next step.
        why: String,
    },
    /// The helper could not be run.
    #[error("the sandbox helper failed: {0}")]
    Helper(#[from] ProcessError),
    /// The helper ended without a usable answer.
    #[error("the sandbox helper gave no answer: {0}")]
    NoAnswer(String),
    /// This machine does not keep a promise that is required.
    #[error(
        "this machine cannot isolate as required:\n{missing}\nRun `gander doctor` for the whole list, or pass `--sandbox none` to run without isolation."
    )]
    Required {
        /// One line for each promise.
        missing: String,
    },
}

impl SandboxError {
    /// Whether it is only that the user wanted an end.
    pub fn is_interrupt(&self) -> bool {
        matches!(self, Self::Helper(ProcessError::Interrupted { .. }))
    }
}

/// What `gander __sandbox …` does: the helper's own entry, which reads a spec on
/// its standard input and writes the reply to its standard output. Returns the
/// exit code. Not for people.
pub fn helper_main() -> i32 {
    let role = std::env::args().nth(2);
    match role.as_deref() {
        None => run::serve(),
        #[cfg(target_os = "linux")]
        Some("init") => init::main(),
        Some("enter") => run::enter(),
        Some("probe") => probe::main(),
        Some(_) => 2,
    }
}
