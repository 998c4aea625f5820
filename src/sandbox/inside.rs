//! The helper: starts each step of a side in a container of its own, over one
//! scratch folder, and collects what PID 1 tells and what the step prints.
//!
//! It forks (hakoniwa does), so it must have one thread at each start: the thread
//! that reads a step's output ends before the next step begins.
//!
//! Must not: decide anything about a limit; that is PID 1's work. Its own clock
//! is only for a PID 1 that no longer answers.

use std::io::{self, PipeReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd;

use super::spec::{INIT, InitReport, InitSpec, SideReply, SideSpec, WORKSPACE};
use super::tail::Tail;
use super::{SUBCOMMAND, StepEnd, StepResult, limits, mounts, scratch};
use crate::config::{SandboxMode, Step};
use crate::process::Invocation;

/// How much longer than the step's own limit PID 1 may take to report.
const GRACE: Duration = Duration::from_secs(5);
/// The most that PID 1 may report.
const REPORT_LIMIT: u64 = 1 << 20;

/// Promises that mounts and namespaces keep: without them the step does not start.
const BY_CONSTRUCTION: [&str; 10] = [
    "clean-environment",
    "filesystem-allow-list",
    "namespaces",
    "network-off",
    "no-new-privileges",
    "no-terminal",
    "nothing-left-running",
    "output-limit",
    "pid-isolation",
    "private-tmp",
];

/// Runs the side; only a broken call of the helper itself is an error.
pub fn run(spec: &SideSpec) -> io::Result<SideReply> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // gander may have died before the line above took effect.
    if unistd::getppid().as_raw() as u32 != spec.parent {
        return Err(io::Error::other("gander is gone"));
    }
    let isolated = spec.mode == SandboxMode::Namespaces;
    if !isolated {
        prctl::set_child_subreaper(true)?;
    }
    let mut reply = SideReply::default();
    for step in &spec.steps {
        let ran = if isolated { in_namespaces(spec, step)? } else { in_the_open(spec, step)? };
        if let Some(why) = ran.no_overlay {
            reply.no_overlay = Some(why);
            break;
        }
        if isolated && reply.steps.is_empty() {
            reply.enforced = ran.enforced;
        }
        let infra = ran.result.end.is_infra();
        reply.steps.push(ran.result);
        if infra {
            break;
        }
    }
    if isolated && !reply.enforced.is_empty() {
        reply.enforced.extend(BY_CONSTRUCTION.map(str::to_owned));
        if spec.lower.is_some() {
            reply.enforced.push("overlay".to_owned());
        }
        reply.enforced.sort();
    }
    Ok(reply)
}

/// One step that was run, or that could not be.
struct Ran {
    result: StepResult,
    enforced: Vec<String>,
    no_overlay: Option<String>,
}

/// The three streams between the helper and PID 1.
struct Streams {
    /// The helper's end of PID 1's standard input: specs go in, a report comes out.
    control: UnixStream,
    /// PID 1's end.
    control_inside: OwnedFd,
    output: PipeReader,
    stdout_inside: OwnedFd,
    stderr_inside: OwnedFd,
}

impl Streams {
    fn new() -> io::Result<Self> {
        let (control, control_inside) = UnixStream::pair()?;
        let (output, writer) = io::pipe()?;
        Ok(Self {
            control,
            control_inside: control_inside.into(),
            output,
            stdout_inside: writer.try_clone()?.into(),
            stderr_inside: writer.into(),
        })
    }
}

fn in_namespaces(spec: &SideSpec, step: &Step) -> io::Result<Ran> {
    let streams = Streams::new()?;
    let mut env = spec.toolchain.env_inside();
    env.extend(spec.env.clone());
    let init = InitSpec {
        isolated: true,
        dir: WORKSPACE.into(),
        env,
        writable: mounts::writable(),
        in_memory: mounts::in_memory(),
        ..init_spec(spec, step)
    };
    let container = mounts::container(spec);
    let started = Instant::now();
    let child = container
        .command(INIT)
        .args([SUBCOMMAND, "init"])
        .current_dir(WORKSPACE)
        .stdin(streams.control_inside)
        .stdout(streams.stdout_inside)
        .stderr(streams.stderr_inside)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            let end = StepEnd::NotStarted(error.to_string());
            return Ok(Ran::ended(step, end, started, String::new()));
        }
    };
    let reader = read_in_thread(streams.output, spec.limits.output);
    let report = converse(streams.control, &init, step.timeout.saturating_add(GRACE));
    if !matches!(report, Report::Told(_)) {
        // PID 1 dies with its parent, and everything in its namespace with it.
        let _ = child.kill();
    }
    let status = child.wait();
    let output = reader.join().unwrap_or_default();
    let why = match status {
        Ok(status) => status.reason,
        Err(error) => error.to_string(),
    };
    Ok(conclude(step, report, &why, started, output))
}

/// The same without isolation, in the private copy of the tree.
fn in_the_open(spec: &SideSpec, step: &Step) -> io::Result<Ran> {
    let streams = Streams::new()?;
    let part = |name: &str| spec.scratch.join(name);
    let mut env = spec.toolchain.env_outside(&part(scratch::HOME), &part(scratch::TMP));
    env.extend(spec.env.clone());
    let init = InitSpec { dir: part(scratch::TREE), env, ..init_spec(spec, step) };
    let started = Instant::now();
    let child = Invocation::new(&spec.exe).args([SUBCOMMAND, "init"]).current_dir(&init.dir).spawn(
        Stdio::from(streams.control_inside),
        Stdio::from(streams.stdout_inside),
        Stdio::from(streams.stderr_inside),
    );
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            let end = StepEnd::NotStarted(error.to_string());
            return Ok(Ran::ended(step, end, started, String::new()));
        }
    };
    let reader = read_in_thread(streams.output, spec.limits.output);
    let report = converse(streams.control, &init, step.timeout.saturating_add(GRACE));
    let _ = child.kill();
    let why = match child.wait() {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    // What it started is ours now that it is gone.
    limits::kill_descendants();
    let output = reader.join().unwrap_or_default();
    Ok(conclude(step, report, &why, started, output))
}

fn init_spec(spec: &SideSpec, step: &Step) -> InitSpec {
    InitSpec {
        isolated: false,
        run: step.run.clone(),
        dir: WORKSPACE.into(),
        env: Default::default(),
        timeout_millis: step.timeout.as_millis().try_into().unwrap_or(u64::MAX),
        limits: spec.limits,
        writable: Vec::new(),
        in_memory: Vec::new(),
    }
}

fn read_in_thread(output: PipeReader, limit: u64) -> thread::JoinHandle<String> {
    thread::spawn(move || Tail::new(limit).read(output).text())
}

/// What PID 1 said.
enum Report {
    Told(InitReport),
    /// It went without a word.
    Nothing,
    /// It no longer answers.
    Late,
}

fn converse(mut control: UnixStream, init: &InitSpec, patience: Duration) -> Report {
    let Ok(text) = serde_json::to_vec(init) else {
        return Report::Nothing;
    };
    // Where PID 1 is gone already, reading tells.
    let _ = control.write_all(&text);
    let _ = control.shutdown(Shutdown::Write);
    if control.set_read_timeout(Some(patience)).is_err() {
        return Report::Nothing;
    }
    let mut answer = Vec::new();
    match (&control).take(REPORT_LIMIT).read_to_end(&mut answer) {
        Ok(_) => match serde_json::from_slice(&answer) {
            Ok(report) => Report::Told(report),
            Err(_) => Report::Nothing,
        },
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Report::Late,
        Err(_) => Report::Nothing,
    }
}

fn conclude(step: &Step, report: Report, why: &str, started: Instant, output: String) -> Ran {
    let end = match report {
        Report::Told(report) => {
            let mut ran = Ran::ended(step, report.end, started, output);
            ran.result.millis = report.millis;
            ran.enforced = report.enforced;
            return ran;
        }
        Report::Late => StepEnd::TimedOut,
        Report::Nothing => {
            let said = output.trim();
            let detail = if said.is_empty() { why } else { said };
            StepEnd::NotStarted(detail.to_owned())
        }
    };
    let mut ran = Ran::ended(step, end, started, output);
    if let StepEnd::NotStarted(detail) = &ran.result.end
        && detail.contains("overlay")
        && detail.contains("mount(")
    {
        ran.no_overlay = Some(detail.clone());
    }
    ran
}

impl Ran {
    fn ended(step: &Step, end: StepEnd, started: Instant, output: String) -> Self {
        let millis = started.elapsed().as_millis();
        Self {
            result: StepResult {
                name: step.name.clone(),
                command: step.run.clone(),
                end,
                millis: millis.try_into().unwrap_or(u64::MAX),
                output,
            },
            enforced: Vec::new(),
            no_overlay: None,
        }
    }
}
