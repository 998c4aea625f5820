//! gander's side of a sandbox: prepares the scratch folder, starts the helper,
//! reads its reply. And the helper's own entry, which picks the way to run.
//!
//! Must not: fork, or mount anything, in a process that may have threads.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::scratch::{self, Scratch};
use super::spec::{HOME, Limits, SideReply, SideSpec, WORKSPACE};
use super::toolchain::Toolchain;
use super::{Promise, PromiseState, SUBCOMMAND, SandboxError, StepResult, tree};
use crate::config::{SandboxConfig, SandboxMode, Step};
use crate::process::{Exit, Invocation};
use crate::workspace::FileVersion;

/// What the helper needs besides the steps' own time, per step: mounting,
/// killing, and looking on while a loaded machine does both.
const SLACK: Duration = Duration::from_secs(30);
/// The most that a helper may reply.
const REPLY_LIMIT: usize = 256 << 20;

/// Runs steps in isolation, as configured. Shared by all threads.
#[derive(Debug)]
pub struct Sandbox {
    exe: PathBuf,
    config: SandboxConfig,
    scratch: PathBuf,
    toolchain: Toolchain,
    /// Set once an overlay could not be mounted: from then on trees are copied.
    copying: AtomicBool,
}

/// What became of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The steps that were run, in order. A step that gander had to end, or could
    /// not start, is the last: what follows it would not be data.
    pub steps: Vec<StepResult>,
    /// The promises that were enforced for all of them, sorted; empty without isolation.
    pub enforced: Vec<String>,
}

impl Sandbox {
    /// A sandbox whose helper is `exe` (gander's own program file) and which
    /// keeps its private folders below `scratch`.
    pub fn new(exe: PathBuf, config: &SandboxConfig, scratch: &Path) -> Self {
        Self {
            exe,
            config: config.clone(),
            scratch: scratch.to_owned(),
            toolchain: Toolchain::detect(),
            copying: AtomicBool::new(false),
        }
    }

    /// How steps are isolated.
    pub fn mode(&self) -> SandboxMode {
        self.config.mode
    }

    /// Clears away what killed runs left, tries what this machine enforces, and
    /// fails where a promise is missing that the migration requires or that
    /// isolation rests on. To be called once, before anything is verified. Without
    /// isolation nothing is tried, and whatever is required is missing.
    pub fn check(&self) -> Result<Vec<Promise>, SandboxError> {
        super::sweep(&self.scratch)?;
        if self.config.mode == SandboxMode::None {
            return demand(Vec::new(), &self.config.require);
        }
        let promises = super::doctor(&self.exe, &self.scratch);
        let mut required = self.config.require.clone();
        required.extend(super::doctor::FOUNDATION.map(str::to_owned));
        required.sort();
        required.dedup();
        demand(promises, &required)
    }

    /// Runs `steps` one after the other over `pinned_tree` with `changes` laid
    /// over it. The tree itself is only read. A red step does not keep the later
    /// ones from running.
    pub fn run_side(&self, pinned_tree: &Path, changes: &[FileVersion], steps: &[Step]) -> Result<Side, SandboxError> {
        let pinned = pinned_tree.canonicalize().map_err(scratch::at(pinned_tree))?;
        let isolated = self.config.mode == SandboxMode::Namespaces;
        if isolated && !self.copying.load(Ordering::Relaxed) {
            let scratch = Scratch::new(&self.scratch)?;
            tree::lay_over(&pinned, &scratch.path().join(scratch::UPPER), changes)?;
            let reply = self.ask(&scratch, Some(&pinned), steps)?;
            if reply.no_overlay.is_none() {
                return Ok(reply.into());
            }
            self.copying.store(true, Ordering::Relaxed);
        }
        let scratch = Scratch::new(&self.scratch)?;
        let copy = scratch.path().join(scratch::TREE);
        tree::copy(&pinned, &copy)?;
        tree::apply(&copy, changes)?;
        Ok(self.ask(&scratch, None, steps)?.into())
    }

    /// Has the helper run the steps in `scratch`.
    fn ask(&self, scratch: &Scratch, lower: Option<&Path>, steps: &[Step]) -> Result<SideReply, SandboxError> {
        let spec = SideSpec {
            parent: std::process::id(),
            mode: self.config.mode,
            exe: utf8(&self.exe)?.to_owned(),
            scratch: utf8(scratch.path())?.to_owned(),
            lower: lower.map(|path| utf8(path).map(Path::to_owned)).transpose()?,
            steps: steps.to_vec(),
            limits: limits(&self.config),
            env: self.config.env.clone(),
            read_only: read_only(&self.config.read_only)?,
            toolchain: self.toolchain.clone(),
        };
        let spec = serde_json::to_vec(&spec).map_err(|e| SandboxError::NoAnswer(e.to_string()))?;
        let time = steps.iter().fold(SLACK, |sum, step| sum.saturating_add(step.timeout).saturating_add(SLACK));
        let output = Invocation::new(&self.exe)
            .arg(SUBCOMMAND)
            .current_dir(scratch.path())
            .stdin(spec)
            .limit(time)
            .output_limit(REPLY_LIMIT)
            .run()?;
        if output.status != Exit::Code(0) {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(SandboxError::NoAnswer(format!("it ended with {}: {}", output.status, said.trim())));
        }
        serde_json::from_slice(&output.stdout).map_err(|e| SandboxError::NoAnswer(e.to_string()))
    }
}

impl From<SideReply> for Side {
    fn from(reply: SideReply) -> Self {
        Self { steps: reply.steps, enforced: reply.enforced }
    }
}

/// The helper: reads the spec, runs the side, writes the reply.
pub fn serve() -> i32 {
    let mut text = Vec::new();
    if let Err(error) = std::io::stdin().read_to_end(&mut text) {
        eprintln!("cannot read the spec: {error}");
        return 2;
    }
    let spec: SideSpec = match serde_json::from_slice(&text) {
        Ok(spec) => spec,
        Err(error) => {
            eprintln!("this command is gander's own, not for people: {error}");
            return 2;
        }
    };
    #[cfg(target_os = "linux")]
    let reply = super::inside::run(&spec);
    #[cfg(not(target_os = "linux"))]
    let reply = super::plain::run(&spec);
    match reply
        .map_err(|error| error.to_string())
        .and_then(|reply| serde_json::to_vec(&reply).map_err(|error| error.to_string()))
        .and_then(|reply| std::io::stdout().write_all(&reply).map_err(|error| error.to_string()))
    {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            1
        }
    }
}

fn limits(config: &SandboxConfig) -> Limits {
    Limits {
        memory: config.memory,
        processes: config.processes,
        cpu_millis: config.cpu.as_millis().try_into().unwrap_or(u64::MAX),
        output: config.output,
        file_size: config.file_size,
    }
}

/// Absolute, existing, and not so wide that the allow-list would mean nothing.
fn read_only(paths: &[PathBuf]) -> Result<Vec<PathBuf>, SandboxError> {
    for path in paths {
        let refuse = |why: &str| SandboxError::ReadOnly { path: path.clone(), why: why.to_owned() };
        utf8(path)?;
        if !path.is_absolute() {
            return Err(refuse("is not absolute: write the whole path"));
        }
        let real = path.canonicalize().map_err(|error| refuse(&format!("cannot be shown: {error}")))?;
        let inside = |own: &str| path.starts_with(own) || real.starts_with(own);
        let above = |own: &str| Path::new(own).starts_with(path) || Path::new(own).starts_with(&real);
        if ["/proc", "/dev", "/sys", WORKSPACE, HOME, "/.gander"].into_iter().any(inside)
            || ["/tmp", "/proc", WORKSPACE, HOME].into_iter().any(above)
        {
            return Err(refuse(
                "is private to every sandbox: name the folder below it that is needed, or move it elsewhere",
            ));
        }
    }
    Ok(paths.to_vec())
}

fn utf8(path: &Path) -> Result<&Path, SandboxError> {
    match path.to_str() {
        Some(_) => Ok(path),
        None => Err(SandboxError::NotUtf8(path.to_owned())),
    }
}

/// The promises, unless one that is required is not enforced.
fn demand(promises: Vec<Promise>, required: &[String]) -> Result<Vec<Promise>, SandboxError> {
    let mut missing = Vec::new();
    for name in required {
        match promises.iter().find(|promise| promise.name == name.as_str()) {
            Some(promise) => {
                if let PromiseState::NotEnforced { why, mend } = &promise.state {
                    missing.push(format!("- {name}: {why}. {mend}"));
                }
            }
            None => missing.push(format!("- {name}: not enforced in this mode, or no such promise")),
        }
    }
    if missing.is_empty() {
        return Ok(promises);
    }
    Err(SandboxError::Required { missing: missing.join("\n") })
}
