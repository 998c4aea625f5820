//! What travels between gander, its helper and PID 1 of a sandbox, as JSON.
//!
//! Must not: do anything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::toolchain::Toolchain;
use super::{StepEnd, StepResult};
use crate::config::{SandboxMode, Step};

/// Where the consumer lies, seen from inside.
pub const WORKSPACE: &str = "/workspace";
/// The private, initially empty home folder, seen from inside.
pub const HOME: &str = "/home/gander";
/// Where gander itself lies, seen from inside.
pub const INIT: &str = "/.gander/init";
/// Where programs are looked for, seen from inside.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where PID 1 finds the way to the filtering proxy, seen from inside.
pub const PROXY: &str = "/.gander/proxy";
/// The port of the private loopback at which steps find it.
pub const PROXY_PORT: u16 = 3128;

/// gander → helper: one side. Not `Debug`: it may hold secrets.
#[derive(Serialize, Deserialize)]
pub struct SideSpec {
    /// Process id of gander: the helper stops where it is not its child.
    pub parent: u32,
    /// How steps are isolated.
    pub mode: SandboxMode,
    /// gander's own program file.
    pub exe: PathBuf,
    /// The private folder of this side; its parts are named in [`super::scratch`].
    pub scratch: PathBuf,
    /// The pinned tree below the overlay; `None` where the scratch folder holds a copy.
    pub lower: Option<PathBuf>,
    /// What to run, in order.
    pub steps: Vec<Step>,
    /// The limits of each step.
    pub limits: Limits,
    /// `[sandbox] env`.
    pub env: BTreeMap<String, String>,
    /// `[sandbox] read_only`.
    pub read_only: Vec<PathBuf>,
    /// Where Rust lies, if it lies below a home folder.
    pub toolchain: Toolchain,
    /// What is shown besides, read-only, in the place of what may be there.
    pub shown: Vec<Shown>,
    /// The socket of the filtering proxy, for steps that fetch.
    pub proxy: Option<PathBuf>,
    /// Variables that hold secrets.
    pub secrets: BTreeMap<String, String>,
    /// Whether the only step is a person's shell: it reads what the helper reads.
    pub shell: bool,
}

/// A file or folder of the host and where it is seen, read-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// On the host.
    pub from: PathBuf,
    /// Below the consumer or, with `~/`, below the home folder.
    pub to: String,
}

impl Shown {
    /// Where it is seen from inside.
    pub fn inside(&self) -> String {
        match self.to.strip_prefix("~/") {
            Some(below) => format!("{HOME}/{below}"),
            None => format!("{WORKSPACE}/{}", self.to),
        }
    }
}

/// The limits of a step besides its wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes, over all its processes.
    pub memory: u64,
    /// Processes at once.
    pub processes: u64,
    /// CPU time of one process, in milliseconds.
    pub cpu_millis: u64,
    /// Bytes of output that are kept.
    pub output: u64,
    /// Bytes of the largest file.
    pub file_size: u64,
    /// Bytes on disk, over all steps of a side.
    pub disk: u64,
    /// How long a step may print nothing, in milliseconds.
    pub silence_millis: Option<u64>,
}

/// Helper → gander.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SideReply {
    /// The steps that were run, in order.
    pub steps: Vec<StepResult>,
    /// The promises that held for all of them.
    pub enforced: Vec<String>,
    /// The overlay could not be mounted; what the kernel said.
    pub no_overlay: Option<String>,
    /// What each step left, as it lies in the scratch folder.
    pub captured: Vec<Captured>,
}

/// What a step left: an entry of [`super::scratch::CAPTURED`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Captured {
    /// Whether what it printed to stdout was kept whole.
    pub whole: bool,
    /// The files that it produced, as the globs name them; the n-th lies there as `n`.
    pub files: Vec<String>,
}

/// Helper → PID 1: one step.
#[derive(Debug, Serialize, Deserialize)]
pub struct InitSpec {
    /// Whether this process is PID 1 of new namespaces and has to lock them.
    pub isolated: bool,
    /// The argument vector.
    pub run: Vec<String>,
    /// The working directory.
    pub dir: PathBuf,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// Wall-clock limit in milliseconds.
    pub timeout_millis: u64,
    /// All other limits.
    pub limits: Limits,
    /// Mount points that stay writable; every other is made read-only.
    pub writable: Vec<String>,
    /// Mount points that live in memory and count as such.
    pub in_memory: Vec<String>,
    /// Whether the way to the proxy is to be opened.
    pub proxied: bool,
    /// Whether what follows on the line is the step's input.
    pub interactive: bool,
}

/// PID 1 → helper: how the step ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct InitReport {
    /// How.
    pub end: StepEnd,
    /// Wall-clock time in milliseconds.
    pub millis: u64,
}
