//! The helper: starts each step of a side in a container of its own, over one
//! scratch folder, and collects what PID 1 tells, what the step prints and what it
//! leaves.
//!
//! It forks (hakoniwa does), so it must have one thread at each start: the thread
//! that reads a step's output ends before the next step begins.
//!
//! What PID 1 can see it watches itself. The helper watches what only it can: how
//! long nothing was printed, and what is on the disk.
//!
//! Must not: know what a step's exit code means.

use std::io::{self, PipeReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd;

use super::capture::{self, Seen};
use super::cgroup::Cgroup;
use super::disk::Disk;
use super::spec::{INIT, InitReport, InitSpec, PROXY_PORT, SideReply, SideSpec, WORKSPACE};
use super::streams::{Printed, Reader};
use super::{SUBCOMMAND, StepEnd, StepResult, limits, mounts, places, scratch};
use crate::config::{SandboxMode, Step};
use crate::process::Invocation;

/// How much longer than the step's own limit PID 1 may take to report.
const GRACE: Duration = Duration::from_secs(5);
/// The most that PID 1 may report.
const REPORT_LIMIT: u64 = 1 << 20;
/// The pause between two looks at silence and disk.
const LOOK: Duration = Duration::from_millis(100);

/// Promises that mounts and namespaces keep: without them the step does not start.
const BY_CONSTRUCTION: [&str; 13] = [
    "abstract-sockets-hidden",
    "clean-environment",
    "disk-limit",
    "filesystem-allow-list",
    "namespaces",
    "network-off",
    "no-new-privileges",
    "no-terminal",
    "nothing-left-running",
    "output-limit",
    "pid-isolation",
    "private-tmp",
    "silence-limit",
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
    let mut seen = Seen::before(spec)?;
    let mut disk = Disk::new(spec);
    for (index, step) in spec.steps.iter().enumerate() {
        let ran = if isolated { in_namespaces(spec, step, &mut disk)? } else { in_the_open(spec, step, &mut disk)? };
        if let Some(why) = ran.no_overlay {
            reply.no_overlay = Some(why);
            break;
        }
        if isolated && reply.steps.is_empty() {
            reply.enforced = ran.enforced;
        }
        let infra = ran.result.end.is_infra();
        reply.captured.push(capture::keep(spec, index, step, &ran.printed, &mut seen)?);
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
        if spec.proxy.is_some() {
            reply.enforced.retain(|name| name != "network-off");
        }
        reply.enforced.sort();
    }
    Ok(reply)
}

/// One step that was run, or that could not be.
struct Ran {
    result: StepResult,
    printed: Printed,
    enforced: Vec<String>,
    no_overlay: Option<String>,
}

/// The three streams between the helper and PID 1.
struct Streams {
    /// The helper's end of PID 1's standard input: specs go in, a report comes out.
    control: UnixStream,
    /// PID 1's end.
    control_inside: OwnedFd,
    stdout: PipeReader,
    stderr: PipeReader,
    stdout_inside: OwnedFd,
    stderr_inside: OwnedFd,
}

impl Streams {
    fn new() -> io::Result<Self> {
        let (control, control_inside) = UnixStream::pair()?;
        let (stdout, stdout_inside) = io::pipe()?;
        let (stderr, stderr_inside) = io::pipe()?;
        Ok(Self {
            control,
            control_inside: control_inside.into(),
            stdout,
            stderr,
            stdout_inside: stdout_inside.into(),
            stderr_inside: stderr_inside.into(),
        })
    }
}

fn in_namespaces(spec: &SideSpec, step: &Step, disk: &mut Disk) -> io::Result<Ran> {
    if let Some(why) = places::obstructed(spec, step) {
        return Ok(Ran::ended(step, StepEnd::NotStarted(why), Instant::now(), Printed::default()));
    }
    let streams = Streams::new()?;
    let mut env = spec.toolchain.env_inside();
    env.extend(spec.env.clone());
    if spec.proxy.is_some() {
        env.extend(proxied());
        env.remove("CARGO_NET_OFFLINE");
    }
    env.extend(spec.secrets.clone());
    let init = InitSpec {
        isolated: true,
        dir: WORKSPACE.into(),
        env,
        writable: mounts::writable(),
        in_memory: mounts::in_memory(),
        proxied: spec.proxy.is_some(),
        ..init_spec(spec, step)
    };
    let container = mounts::container(spec, step);
    // Before the fork: what is left of it is removed when the step is over.
    let group = Cgroup::new(&spec.limits);
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
            return Ok(Ran::ended(step, end, started, Printed::default()));
        }
    };
    // PID 1 waits for its spec: nothing has been started yet.
    let held = group.as_ref().and_then(|group| group.add(child.id())).is_some();
    let reader = Reader::start(streams.stdout, streams.stderr, spec.limits.output, spec.shell);
    let (mut report, locked) = converse(streams.control, &init, &mut Watch { spec, step, reader: &reader, disk });
    if !matches!(report, Report::Told(_)) {
        // PID 1 dies with its parent, and everything in its namespace with it.
        let _ = child.kill();
    }
    let status = child.wait();
    let printed = reader.finish();
    let mut locked = locked;
    if held && !locked.is_empty() {
        locked.push("memory-by-kernel".to_owned());
    }
    if let (Report::Told(told), Some(group)) = (&mut report, &group)
        && told.end != StepEnd::Exited(0)
        && group.out_of_memory()
    {
        told.end = StepEnd::OutOfMemory;
    }
    let why = match status {
        Ok(status) => status.reason,
        Err(error) => error.to_string(),
    };
    let ran = Ran { enforced: locked, ..conclude(step, report, &why, started, printed) };
    Ok(disk.weigh(ran))
}

/// What tells programs of the proxy.
fn proxied() -> Vec<(String, String)> {
    let address = format!("http://127.0.0.1:{PROXY_PORT}");
    let names = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "CARGO_HTTP_PROXY"];
    let mut env: Vec<(String, String)> = names.iter().map(|name| ((*name).to_owned(), address.clone())).collect();
    let java =
        ["http", "https"].map(|scheme| format!("-D{scheme}.proxyHost=127.0.0.1 -D{scheme}.proxyPort={PROXY_PORT}"));
    env.push(("JAVA_TOOL_OPTIONS".to_owned(), java.join(" ")));
    env
}

/// The same without isolation, in the private copy of the tree.
fn in_the_open(spec: &SideSpec, step: &Step, disk: &mut Disk) -> io::Result<Ran> {
    let streams = Streams::new()?;
    let part = |name: &str| spec.scratch.join(name);
    let mut env = spec.toolchain.env_outside(&part(scratch::HOME), &part(scratch::TMP));
    env.extend(spec.env.clone());
    if step.fetch.is_some() {
        env.remove("CARGO_NET_OFFLINE");
    }
    env.extend(spec.secrets.clone());
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
            return Ok(Ran::ended(step, end, started, Printed::default()));
        }
    };
    let reader = Reader::start(streams.stdout, streams.stderr, spec.limits.output, spec.shell);
    let (report, locked) = converse(streams.control, &init, &mut Watch { spec, step, reader: &reader, disk });
    let _ = child.kill();
    let why = match child.wait() {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    // What it started is ours now that it is gone.
    limits::kill_descendants();
    let printed = reader.finish();
    let ran = Ran { enforced: locked, ..conclude(step, report, &why, started, printed) };
    Ok(disk.weigh(ran))
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
        proxied: false,
        interactive: spec.shell,
    }
}

/// What PID 1 said.
enum Report {
    Told(InitReport),
    /// It went without a word.
    Nothing,
    /// It no longer answers.
    Late,
    /// The helper ends the step; why.
    Stopped(StepEnd),
}

/// What the helper watches while it waits.
struct Watch<'a> {
    spec: &'a SideSpec,
    step: &'a Step,
    reader: &'a Reader,
    disk: &'a mut Disk,
}

impl Watch<'_> {
    fn passed(&mut self) -> Option<StepEnd> {
        if let Some(most) = self.spec.limits.silence_millis
            && self.reader.silent_for() > most
        {
            return Some(StepEnd::Killed(format!(
                "it printed nothing for {} s ([sandbox] silence)",
                most as f64 / 1000.0
            )));
        }
        self.disk.look()
    }
}

fn converse(mut control: UnixStream, init: &InitSpec, watch: &mut Watch<'_>) -> (Report, Vec<String>) {
    let Ok(text) = serde_json::to_vec(init) else {
        return (Report::Nothing, Vec::new());
    };
    // Where PID 1 is gone already, reading tells.
    let _ = control.write_all(&(text.len() as u64).to_be_bytes()).and_then(|()| control.write_all(&text));
    if init.interactive {
        feed(&control);
    } else {
        let _ = control.shutdown(Shutdown::Write);
    }
    if control.set_read_timeout(Some(LOOK)).is_err() {
        return (Report::Nothing, Vec::new());
    }
    let deadline = Instant::now().checked_add(watch.step.timeout.saturating_add(GRACE));
    let mut answer = Vec::new();
    let ended = listen(&mut control, &mut answer, deadline, watch);
    // What it has locked comes first, in a line of its own.
    let line = answer.iter().position(|byte| *byte == b'\n');
    let (locked, report) = answer.split_at(line.map_or(0, |line| line + 1));
    let locked = serde_json::from_slice(locked).unwrap_or_default();
    let report = ended.unwrap_or_else(|| match serde_json::from_slice(report) {
        Ok(report) => Report::Told(report),
        Err(_) => Report::Nothing,
    });
    (report, locked)
}

/// Reads what PID 1 says to its end, into `answer`; something else where it is not
/// waited for any longer.
fn listen(
    control: &mut UnixStream,
    answer: &mut Vec<u8>,
    deadline: Option<Instant>,
    watch: &mut Watch<'_>,
) -> Option<Report> {
    let mut buffer = [0; 4096];
    loop {
        match control.read(&mut buffer) {
            Ok(0) => return None,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Some(Report::Nothing),
        }
        if answer.len() as u64 > REPORT_LIMIT {
            return Some(Report::Nothing);
        }
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Some(Report::Late);
        }
        if let Some(end) = watch.passed() {
            return Some(Report::Stopped(end));
        }
    }
}

/// Carries what a person types to the shell. The thread ends with the helper, which
/// starts nothing after a shell.
fn feed(control: &UnixStream) {
    let Ok(mut to_shell) = control.try_clone() else { return };
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut to_shell);
        let _ = to_shell.shutdown(Shutdown::Write);
    });
}

fn conclude(step: &Step, report: Report, why: &str, started: Instant, printed: Printed) -> Ran {
    let end = match report {
        Report::Told(report) => {
            let mut ran = Ran::ended(step, report.end, started, printed);
            ran.result.millis = report.millis;
            return ran;
        }
        Report::Late => StepEnd::TimedOut,
        Report::Stopped(end) => end,
        Report::Nothing => {
            let said = printed.tail.trim();
            let detail = if said.is_empty() { why } else { said };
            StepEnd::NotStarted(detail.to_owned())
        }
    };
    let mut ran = Ran::ended(step, end, started, printed);
    if let StepEnd::NotStarted(detail) = &ran.result.end
        && detail.contains("overlay")
        && detail.contains("mount(")
    {
        ran.no_overlay = Some(detail.clone());
    }
    ran
}

impl Ran {
    fn ended(step: &Step, end: StepEnd, started: Instant, printed: Printed) -> Self {
        let millis = started.elapsed().as_millis();
        Self {
            result: StepResult {
                name: step.name.clone(),
                command: step.run.clone(),
                end,
                millis: millis.try_into().unwrap_or(u64::MAX),
                output: printed.tail.clone(),
            },
            printed,
            enforced: Vec::new(),
            no_overlay: None,
        }
    }
}

impl Disk {
    /// A step that ended while the disk was over its limit, or full, has not shown
    /// what the code does.
    fn weigh(&mut self, mut ran: Ran) -> Ran {
        if !ran.result.end.is_infra()
            && let Some(end) = self.at_end(ran.result.end != StepEnd::Exited(0))
        {
            ran.result.end = end;
        }
        ran
    }
}
