//! PID 1 of a sandbox: locks it, starts one step, watches the limits, reaps
//! orphans, reports how the step ended, and takes everything down by ending.
//!
//! Without isolation it is an ordinary process that does the same as far as it can.
//!
//! Must not: outlive its step, or let the step reach its standard input, which
//! is the line to the helper.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::Pid;

use super::spec::{InitReport, InitSpec, PROXY, PROXY_PORT};
use super::syscalls::Filter;
use super::{StepEnd, fence, limits, lockdown, proxy};
use crate::process::{Invocation, ProcessError};

/// Runs the step that the spec on standard input names; returns the exit code.
pub fn main() -> i32 {
    let Ok(control) = std::io::stdin().as_fd().try_clone_to_owned() else {
        return 2;
    };
    let mut control = UnixStream::from(control);
    let spec: InitSpec = match read_spec(&mut control) {
        Ok(spec) => spec,
        Err(error) => {
            eprintln!("this command is gander's own, not for people: {error}");
            return 2;
        }
    };
    let input = if spec.interactive { control.try_clone().ok() } else { None };
    let report = Reporter { control: Mutex::new(control), isolated: spec.isolated };
    match prepare(&spec) {
        Ok(enforced) => {
            report.ready(&enforced);
            report.finish(run(&spec, input, &report))
        }
        Err(why) => report.finish(InitReport { end: StepEnd::NotStarted(why), millis: 0 }),
    }
}

/// The spec, after its length. What follows it on the line may be a person's typing.
fn read_spec(control: &mut UnixStream) -> Result<InitSpec, String> {
    let mut length = [0; 8];
    control.read_exact(&mut length).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    control.take(u64::from_be_bytes(length)).read_to_end(&mut text).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

/// The line to the helper: whoever speaks first is heard, and ends the sandbox.
struct Reporter {
    control: Mutex<UnixStream>,
    isolated: bool,
}

impl Reporter {
    /// Says what is locked, before the step begins: should the helper have to end it,
    /// there is no report.
    fn ready(&self, enforced: &[String]) {
        if let (Ok(mut control), Ok(mut text)) = (self.control.lock(), serde_json::to_vec(enforced)) {
            text.push(b'\n');
            let _ = control.write_all(&text);
        }
    }

    fn finish(&self, report: InitReport) -> ! {
        // Held until the end of the process: there is only one report.
        let mut control = match self.control.lock() {
            Ok(control) => control,
            Err(poisoned) => poisoned.into_inner(),
        };
        if !self.isolated {
            limits::kill_descendants();
        }
        if let Ok(text) = serde_json::to_vec(&report) {
            // Without a helper there is nobody left to tell.
            let _ = control.write_all(&text);
            let _ = control.shutdown(Shutdown::Both);
        }
        std::process::exit(0)
    }
}

fn prepare(spec: &InitSpec) -> Result<Vec<String>, String> {
    let mut enforced = if spec.isolated {
        let mut enforced = lockdown::lock(spec)?;
        if Filter::new().is_some() {
            enforced.extend(["keyrings-hidden", "no-terminal-injection"].map(str::to_owned));
        }
        if fence::is_to_be_had() {
            enforced.push("landlock".to_owned());
        }
        if spec.proxied {
            proxy::forward(PROXY_PORT, Path::new(PROXY))
                .map_err(|error| format!("cannot open the way to the proxy: {error}"))?;
        }
        enforced
    } else {
        let tied = prctl::set_pdeathsig(Signal::SIGKILL);
        tied.and_then(|()| prctl::set_child_subreaper(true))
            .map_err(|error| format!("cannot watch over the step: {error}"))?;
        Vec::new()
    };
    limits::set_kernel_limits(&spec.limits, spec.isolated)
        .map_err(|error| format!("cannot set the limits: {error}"))?;
    let watched = ["cpu-limit", "file-size-limit", "memory-limit", "process-limit", "time-limit"];
    enforced.extend(watched.map(str::to_owned));
    Ok(enforced)
}

fn run(spec: &InitSpec, input: Option<UnixStream>, reporter: &Reporter) -> InitReport {
    let started = Instant::now();
    let report =
        |end: StepEnd| InitReport { end, millis: started.elapsed().as_millis().try_into().unwrap_or(u64::MAX) };
    std::thread::scope(|scope| {
        // The kernel drops what a step sends to PID 1, unless it arrives while this
        // thread starts a program, with its signals held back. Then it would end the
        // process, were there a thread that takes it: the watch must not.
        let held_back = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
        scope.spawn(|| {
            let timeout = Duration::from_millis(spec.timeout_millis);
            let end = limits::watch(&spec.limits, timeout, &spec.in_memory);
            reporter.finish(report(end));
        });
        // Steps inherit the mask: they must have the one that this process began with.
        let taken_up = held_back.and_then(|mask| mask.thread_set_mask());
        if let Err(error) = taken_up {
            let why = format!("cannot hold back signals: {error}");
            reporter.finish(report(StepEnd::NotStarted(why)));
        }
        // From here on this thread, and what it starts, yields to the watch above.
        limits::step_back();
        let end = match confine(spec).and_then(|()| start(spec, input)) {
            Ok(child) => reap(child),
            Err(end) => end,
        };
        // A red step may owe it to files in memory that found no room.
        let full = end != StepEnd::Exited(0) && limits::is_full(&spec.in_memory);
        reporter.finish(report(if full { StepEnd::OutOfMemory } else { end }))
    })
}

/// Takes system calls and places from this thread, and so from the step.
fn confine(spec: &InitSpec) -> Result<(), StepEnd> {
    if !spec.isolated {
        return Ok(());
    }
    if fence::is_to_be_had() {
        fence::put_up(&spec.writable).map_err(StepEnd::NotStarted)?;
    }
    match Filter::new() {
        Some(filter) => filter.apply().map_err(StepEnd::NotStarted),
        None => Ok(()),
    }
}

/// Starts the step; the error is how it ended without ever having begun.
fn start(spec: &InitSpec, input: Option<UnixStream>) -> Result<Pid, StepEnd> {
    let Some((name, args)) = spec.run.split_first() else {
        return Err(StepEnd::NotStarted("the step names no program".to_owned()));
    };
    let path = spec.env.get("PATH").map_or("", String::as_str);
    let program = find(name, path, &spec.dir).ok_or_else(|| StepEnd::MissingProgram(name.clone()))?;
    let mut invocation = Invocation::new(&program).args(args).current_dir(&spec.dir).env_clear();
    for (name, value) in &spec.env {
        invocation = invocation.env(name, value);
    }
    let stdin = input.and_then(typed).map_or_else(Stdio::null, Stdio::from);
    match invocation.spawn(stdin, Stdio::inherit(), Stdio::inherit()) {
        Ok(child) => Ok(Pid::from_raw(child.id() as i32)),
        // The file is there, so what is missing is what its first line names.
        Err(ProcessError::Missing { .. }) => {
            Err(StepEnd::MissingProgram(interpreter(&program).unwrap_or_else(|| name.clone())))
        }
        Err(error) => Err(StepEnd::NotStarted(error.to_string())),
    }
}

/// A pipe with what a person types. The line itself stays out of the step's reach.
fn typed(mut input: UnixStream) -> Option<std::io::PipeReader> {
    let (reader, mut writer) = std::io::pipe().ok()?;
    std::thread::spawn(move || std::io::copy(&mut input, &mut writer));
    Some(reader)
}

/// Where the program is that `name` means: a path, or looked up on `PATH`.
fn find(name: &str, path: &str, dir: &Path) -> Option<PathBuf> {
    let is_program =
        |file: &PathBuf| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    if name.contains('/') {
        return Some(dir.join(name)).filter(is_program);
    }
    path.split(':').filter(|folder| !folder.is_empty()).map(|folder| dir.join(folder).join(name)).find(is_program)
}

/// The program in the `#!` line of a script.
fn interpreter(script: &Path) -> Option<String> {
    let mut head = Vec::new();
    let file = std::fs::File::open(script).ok()?;
    file.take(256).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    line.split_whitespace().next().map(str::to_owned)
}

/// Waits for the step, burying on the way what others have left to PID 1.
fn reap(step: Pid) -> StepEnd {
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid == step => return StepEnd::Exited(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == step => return signalled(signal),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return StepEnd::NotStarted(format!("lost the step: {error}")),
        }
    }
}

fn signalled(signal: Signal) -> StepEnd {
    match signal {
        Signal::SIGXCPU => StepEnd::Killed("it used up its CPU time ([sandbox] cpu)".to_owned()),
        Signal::SIGXFSZ => StepEnd::Killed("it wrote too large a file ([sandbox] file_size)".to_owned()),
        signal => StepEnd::Signalled(signal as i32),
    }
}
