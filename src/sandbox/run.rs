//! gander's side of a sandbox: prepares the scratch folder, starts the helper,
//! reads its reply. And the helper's own entry, which picks the way to run.
//!
//! Must not: fork, or mount anything, in a process that may have threads.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::credentials::Credentials;
use super::fetch::Fetched;
use super::scratch::{self, Scratch};
use super::spec::{HOME, Limits, Shown, SideReply, SideSpec, WORKSPACE};
use super::toolchain::Toolchain;
use super::{Promise, PromiseState, SUBCOMMAND, SandboxError, StepEnd, StepResult, tree};
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
    pub(super) config: SandboxConfig,
    scratch: PathBuf,
    toolchain: Toolchain,
    /// Set once an overlay could not be mounted: from then on trees are copied.
    copying: AtomicBool,
}

/// What became of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// The steps that were run, in order. A step that gander had to end, or could
    /// not start, is the last: what follows it would not be data.
    pub steps: Vec<StepResult>,
    /// What each of them left.
    pub left: Vec<Left>,
    /// The promises that were enforced for all of them, sorted; empty without isolation.
    pub enforced: Vec<String>,
}

/// What a step left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// What it printed to stdout, from the beginning, up to `[sandbox] output`.
    pub stdout: Vec<u8>,
    /// Whether that is all.
    pub whole: bool,
    /// The files that it produced and that some glob names, by path.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A side to be run.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// A folder that holds exactly the pinned bytes; it is only read.
    pub pinned_tree: &'a Path,
    /// Every file that changes.
    pub changes: &'a [FileVersion],
    /// What to run, in order.
    pub steps: &'a [Step],
    /// What fetch steps have brought: it is shown, read-only.
    pub fetched: Option<&'a Fetched>,
    /// Where the tree is to be left for a person to look at.
    pub keep: Option<&'a Path>,
}

impl<'a> Job<'a> {
    fn shown(&self) -> &'a [Shown] {
        self.fetched.map_or(&[], |fetched| &fetched.shown)
    }
}

impl Side {
    /// Cuts credentials out of all that was printed and left.
    fn cut(&mut self, credentials: &Credentials) {
        for step in &mut self.steps {
            step.cut(credentials);
        }
        for left in &mut self.left {
            left.stdout = credentials.cut_bytes(std::mem::take(&mut left.stdout));
            let files = std::mem::take(&mut left.files).into_iter();
            left.files = files.map(|(path, bytes)| (credentials.cut(&path), credentials.cut_bytes(bytes))).collect();
        }
    }
}

impl StepResult {
    /// Cuts credentials out of what is told of it.
    pub(super) fn cut(&mut self, credentials: &Credentials) {
        self.output = credentials.cut_tail(&self.output);
        if let StepEnd::MissingProgram(text) | StepEnd::NotStarted(text) | StepEnd::Refused(text) = &mut self.end {
            *text = credentials.cut(text);
        }
    }
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

    /// What steps run with, as a digest: made of the programs, folders and limits that they see.
    pub fn identity(&self) -> crate::digest::Digest {
        super::identity::identity(&self.config, &self.toolchain)
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
        // One that mounts and then fails over a folder that is deleted and made anew, as
        // on a file system without extended attributes, is worse than none.
        let overlay = promises.iter().find(|promise| promise.name == "overlay");
        if overlay.is_some_and(|promise| promise.state != PromiseState::Enforced) {
            self.copying.store(true, Ordering::Relaxed);
        }
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
        self.run(&Job { pinned_tree, changes, steps, fetched: None, keep: None })
    }

    /// The same with all that a side may need.
    pub fn run(&self, job: &Job<'_>) -> Result<Side, SandboxError> {
        let (scratch, reply, lower) =
            self.laid_out(job, &|scratch, lower| self.ask(scratch, lower, job, Extra::default()))?;
        let mut side = read_side(&scratch, reply)?;
        if let Some(fetched) = job.fetched {
            // A cache may hold what they were not to write there.
            side.cut(&fetched.credentials);
        }
        if let Some(place) = job.keep {
            self.leave(scratch, lower, job, place)?;
        }
        Ok(side)
    }

    /// Lays out a scratch folder for `job` and does `work` in it, over an overlay
    /// where there can be one and else over a copy.
    pub(super) fn laid_out(
        &self,
        job: &Job<'_>,
        work: &InScratch<'_>,
    ) -> Result<(Scratch, SideReply, Option<PathBuf>), SandboxError> {
        let pinned = job.pinned_tree.canonicalize().map_err(scratch::at(job.pinned_tree))?;
        let isolated = self.config.mode == SandboxMode::Namespaces;
        if isolated && !self.copying.load(Ordering::Relaxed) {
            let scratch = Scratch::new(&self.scratch)?;
            tree::lay_over(&pinned, &scratch.path().join(scratch::UPPER), job.changes)?;
            let reply = work(&scratch, Some(&pinned))?;
            if reply.no_overlay.is_none() {
                return Ok((scratch, reply, Some(pinned)));
            }
            self.copying.store(true, Ordering::Relaxed);
        }
        let scratch = Scratch::new(&self.scratch)?;
        let copy = scratch.path().join(scratch::TREE);
        tree::copy(&pinned, &copy)?;
        tree::apply(&copy, job.changes)?;
        if !isolated {
            self.put_in_place(&scratch, job)?;
        }
        let reply = work(&scratch, None)?;
        Ok((scratch, reply, None))
    }

    /// Without mounts, what is to be shown is copied.
    fn put_in_place(&self, scratch: &Scratch, job: &Job<'_>) -> Result<(), SandboxError> {
        let seeds = job.steps.iter().flat_map(|step| &step.seeds);
        let seeds = seeds.map(|seed| Shown { from: seed.from.clone(), to: seed.to.clone() });
        for shown in job.shown().iter().cloned().chain(seeds) {
            let (base, below) = match shown.to.strip_prefix("~/") {
                Some(below) => (scratch.path().join(scratch::HOME), below),
                None => (scratch.path().join(scratch::TREE), shown.to.as_str()),
            };
            if tree::leads_out(&base, below) {
                let why = "a symbolic link is on its way".to_owned();
                return Err(SandboxError::Change { path: shown.to.clone(), why });
            }
            tree::put(&shown.from, &base.join(below))?;
        }
        Ok(())
    }

    /// Moves what a side has left to `place`, with what is needed to enter it again.
    fn leave(&self, scratch: Scratch, lower: Option<PathBuf>, job: &Job<'_>, place: &Path) -> Result<(), SandboxError> {
        let mut spec = self.spec(&scratch, lower.as_deref(), job, Extra { shell: true, ..Extra::default() })?;
        spec.scratch = place.to_owned();
        let text = serde_json::to_vec(&spec).map_err(|e| SandboxError::NoAnswer(e.to_string()))?;
        let file = scratch.path().join(scratch::KEPT);
        let written = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(&file);
        written.and_then(|mut file| file.write_all(&text)).map_err(scratch::at(&file))?;
        scratch.keep(place)
    }

    /// Enters a tree that was kept at `place`, with `run` in the place of its steps:
    /// it reads what this process reads, and what it prints is printed here. Returns
    /// how it ended.
    pub fn enter(&self, place: &Path, run: &[String]) -> Result<StepEnd, SandboxError> {
        let file = place.join(scratch::KEPT);
        let text = std::fs::read(&file).map_err(scratch::at(&file))?;
        let mut spec: SideSpec = serde_json::from_slice(&text).map_err(|e| SandboxError::NoAnswer(e.to_string()))?;
        let timeout = Duration::from_secs(24 * 3600);
        let seeds = spec.steps.iter().flat_map(|step| step.seeds.clone()).collect();
        spec.steps = vec![Step { name: "shell".to_owned(), run: run.to_vec(), timeout, seeds, ..Step::default() }];
        spec.parent = std::process::id();
        spec.exe = utf8(&self.exe)?.to_owned();
        let captured = place.join(scratch::CAPTURED);
        scratch::empty(&captured).map_err(scratch::at(&captured))?;
        let spec_file = place.join(scratch::ENTERED);
        let bytes = serde_json::to_vec(&spec).map_err(|e| SandboxError::NoAnswer(e.to_string()))?;
        let written = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(&spec_file);
        written.and_then(|mut file| file.write_all(&bytes)).map_err(scratch::at(&spec_file))?;
        let inherit = std::process::Stdio::inherit;
        let child = Invocation::new(&self.exe).args([SUBCOMMAND, "enter"]).arg(&spec_file).current_dir(place);
        let lost = |error: std::io::Error| SandboxError::NoAnswer(error.to_string());
        let status = child.spawn(inherit(), inherit(), inherit())?.wait().map_err(lost)?;
        Ok(match Exit::from(status) {
            Exit::Code(code) => StepEnd::Exited(code),
            Exit::Signal(signal) => StepEnd::Signalled(signal),
        })
    }

    fn spec(
        &self,
        scratch: &Scratch,
        lower: Option<&Path>,
        job: &Job<'_>,
        extra: Extra,
    ) -> Result<SideSpec, SandboxError> {
        Ok(SideSpec {
            parent: std::process::id(),
            mode: self.config.mode,
            exe: utf8(&self.exe)?.to_owned(),
            scratch: utf8(scratch.path())?.to_owned(),
            lower: lower.map(|path| utf8(path).map(Path::to_owned)).transpose()?,
            steps: job.steps.to_vec(),
            limits: limits(&self.config),
            env: self.config.env.clone(),
            read_only: read_only(&self.config.read_only)?,
            toolchain: self.toolchain.clone(),
            shown: job.shown().to_vec(),
            proxy: extra.proxy,
            secrets: extra.secrets,
            shell: extra.shell,
        })
    }

    /// Has the helper run the steps in `scratch`.
    pub(super) fn ask(
        &self,
        scratch: &Scratch,
        lower: Option<&Path>,
        job: &Job<'_>,
        extra: Extra,
    ) -> Result<SideReply, SandboxError> {
        let spec = self.spec(scratch, lower, job, extra)?;
        let spec = serde_json::to_vec(&spec).map_err(|e| SandboxError::NoAnswer(e.to_string()))?;
        let time = job.steps.iter().fold(SLACK, |sum, step| sum.saturating_add(step.timeout).saturating_add(SLACK));
        let output = Invocation::new(&self.exe)
            .arg(SUBCOMMAND)
            .current_dir(scratch.path())
            .stdin(spec)
            .limit(time)
            .output_limit(REPLY_LIMIT)
            .interruptible()
            .run()?;
        if output.status != Exit::Code(0) {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(SandboxError::NoAnswer(format!("it ended with {}: {}", output.status, said.trim())));
        }
        serde_json::from_slice(&output.stdout).map_err(|e| SandboxError::NoAnswer(e.to_string()))
    }
}

/// What is done in a scratch folder, over a pinned tree or over a copy of it.
pub type InScratch<'a> = dyn Fn(&Scratch, Option<&Path>) -> Result<SideReply, SandboxError> + 'a;

/// What only some sides have.
#[derive(Default)]
pub struct Extra {
    /// The way to the proxy.
    pub proxy: Option<PathBuf>,
    /// Variables that hold secrets.
    pub secrets: BTreeMap<String, String>,
    /// Whether a person sits before it.
    pub shell: bool,
}

/// A step that could not begin.
pub fn not_started(step: &Step, why: String) -> StepResult {
    StepResult {
        name: step.name.clone(),
        command: step.run.clone(),
        end: StepEnd::NotStarted(why),
        millis: 0,
        output: String::new(),
    }
}

/// Reads what the steps left, before the scratch folder goes.
fn read_side(scratch: &Scratch, reply: SideReply) -> Result<Side, SandboxError> {
    let mut left = Vec::with_capacity(reply.captured.len());
    for (index, captured) in reply.captured.iter().enumerate() {
        let folder = scratch.path().join(scratch::CAPTURED).join(index.to_string());
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(scratch::at(&path))
        };
        let mut files = BTreeMap::new();
        for (number, path) in captured.files.iter().enumerate() {
            files.insert(path.clone(), read(&number.to_string())?);
        }
        left.push(Left { stdout: read("stdout")?, whole: captured.whole, files });
    }
    Ok(Side { steps: reply.steps, left, enforced: reply.enforced })
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
    match run_spec(&spec)
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

fn run_spec(spec: &SideSpec) -> std::io::Result<SideReply> {
    #[cfg(target_os = "linux")]
    return super::inside::run(spec);
    #[cfg(not(target_os = "linux"))]
    return super::plain::run(spec);
}

/// The helper for a person: the spec is in a file, for the line it would come on is
/// what the person types.
pub fn enter() -> i32 {
    let file = std::env::args_os().nth(3).map(PathBuf::from).unwrap_or_default();
    let spec = std::fs::read(&file).map_err(|error| error.to_string());
    let spec = spec.and_then(|text| serde_json::from_slice::<SideSpec>(&text).map_err(|error| error.to_string()));
    let reply = spec.and_then(|spec| run_spec(&spec).map_err(|error| error.to_string()));
    match reply.as_ref().map(|reply| reply.steps.first().map(|step| &step.end)) {
        Ok(Some(StepEnd::Exited(code))) => *code,
        Ok(Some(end)) => {
            eprintln!("{end}");
            1
        }
        Ok(None) => 1,
        Err(error) => {
            eprintln!("{error}");
            2
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
        disk: config.disk,
        silence_millis: config.silence.map(|time| time.as_millis().try_into().unwrap_or(u64::MAX)),
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
