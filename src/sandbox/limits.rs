//! The limits of a step: what the kernel enforces for each process, and the
//! watch that looks at all of them together.
//!
//! The kernel's own limits do not add up over processes, `RLIMIT_AS` stops a JVM
//! at any sane value, and `RLIMIT_NPROC` does not bind root. So PID 1 counts
//! every few milliseconds, and ends the sandbox where a sum is too large.
//!
//! Must not: know how the processes were started.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::statvfs::statvfs;
use nix::unistd::{Pid, SysconfVar, sysconf};

use super::StepEnd;
use super::memory::{self, Memory, Nameless};
use super::spec::Limits;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// The pause between two counts of processes, which are cheap: a fork bomb is fast.
const SHORT_PAUSE: Duration = Duration::from_millis(4);
/// How long to try to end what a step without isolation left behind.
const KILLING: Duration = Duration::from_secs(3);
/// Threads that the kernel allows for each process of the limit, and for all.
const THREADS_PER_PROCESS: u64 = 8;
const THREADS: u64 = 256;

/// The bound on threads that backs the watch's bound on processes: generous, for
/// a build may well run many threads in few processes.
pub fn most_tasks(limits: &Limits) -> u64 {
    limits.processes.saturating_mul(THREADS_PER_PROCESS).saturating_add(THREADS)
}

/// Sets what the kernel enforces, for this process and all it will start.
pub fn set_kernel_limits(limits: &Limits, isolated: bool) -> nix::Result<()> {
    let cpu = limits.cpu_millis.div_ceil(1000).saturating_add(1);
    lower(Resource::RLIMIT_CPU, cpu, cpu.saturating_add(1))?;
    lower(Resource::RLIMIT_FSIZE, limits.file_size, limits.file_size)?;
    lower(Resource::RLIMIT_CORE, 0, 0)?;
    if isolated {
        // Outside of a namespace it would count what else the user runs.
        let tasks = most_tasks(limits);
        lower(Resource::RLIMIT_NPROC, tasks, tasks)?;
    }
    Ok(())
}

/// Sets a limit, or leaves it where the machine's own is lower: raising it is
/// not ours to do.
fn lower(resource: Resource, soft: u64, hard: u64) -> nix::Result<()> {
    let (_, most) = getrlimit(resource)?;
    setrlimit(resource, soft.min(most), hard.min(most))
}

/// Lowers the priority of the calling thread, and of all it starts. A step that
/// fills every core would keep the watch from looking for seconds otherwise.
pub fn step_back() {
    const BY: i32 = 5;
    // It may have been that low already; the watch is then only later.
    let _ = rustix::process::nice(BY);
}

/// Looks on until a limit is passed; returns which. Never returns otherwise.
pub fn watch(limits: &Limits, timeout: Duration, in_memory: &[String]) -> StepEnd {
    let deadline = Instant::now().checked_add(timeout);
    let (tick, mut nameless) = (ticks_per_second(), Nameless::new());
    loop {
        let left = deadline.map_or(PAUSE, |at| at.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return StepEnd::TimedOut;
        }
        pause(left.min(PAUSE), limits);
        let processes = descendants();
        if let Some(end) = passed(&processes, limits, (in_memory, &mut nameless), tick) {
            return end;
        }
    }
}

/// Sleeps, but not on where there are suddenly many processes. Only in a PID
/// namespace of our own is the count about the step.
fn pause(time: Duration, limits: &Limits) {
    if std::process::id() != 1 {
        return std::thread::sleep(time);
    }
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        std::thread::sleep(left.min(SHORT_PAUSE));
        // This process is one of them.
        if left.is_zero() || process_ids().count() as u64 > limits.processes.saturating_add(1) {
            return;
        }
    }
}

fn passed(
    processes: &[Process],
    limits: &Limits,
    (in_memory, nameless): (&[String], &mut Nameless),
    tick: u64,
) -> Option<StepEnd> {
    let running = processes.iter().filter(|process| !process.zombie).count() as u64;
    if running > limits.processes {
        let most = limits.processes;
        return Some(StepEnd::Killed(format!("more than {most} processes at once ([sandbox] processes)")));
    }
    let cpu = processes.iter().map(|process| process.ticks).max()?;
    if cpu.saturating_mul(1000) / tick >= limits.cpu_millis {
        return Some(StepEnd::Killed(format!(
            "a process used {} s of CPU time ([sandbox] cpu)",
            limits.cpu_millis / 1000
        )));
    }
    let ids = || processes.iter().map(|process| process.pid);
    let files = in_memory.iter().map(|folder| memory::used(folder)).sum::<u64>();
    let files = files.saturating_add(nameless.used(ids()));
    let quick = ids().map(Memory::of).fold(Memory::default(), |sum, memory| sum.and(memory));
    if quick.with_files(files) <= limits.memory {
        return None;
    }
    // The quick sum counts pages that processes share once for each of them.
    let exact = ids()
        .map(|pid| Memory::share_of(pid).unwrap_or_else(|| Memory::of(pid)))
        .fold(Memory::default(), |sum, memory| sum.and(memory));
    (exact.with_files(files) > limits.memory).then_some(StepEnd::OutOfMemory)
}

/// Whether a file system in memory has no room left.
pub fn is_full(in_memory: &[String]) -> bool {
    const PAGES: u64 = 4;
    in_memory
        .iter()
        .any(|folder| statvfs(folder.as_str()).is_ok_and(|stat| stat.blocks() > 0 && stat.blocks_free() < PAGES))
}

/// A process below this one.
#[derive(Clone, Copy, Debug)]
struct Process {
    pid: i32,
    parent: i32,
    zombie: bool,
    ticks: u64,
}

fn process_ids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The ids of all that run below this one.
pub fn running() -> Vec<i32> {
    descendants().iter().filter(|process| !process.zombie).map(|process| process.pid).collect()
}

/// Every process below this one. In a PID namespace of our own that is everyone.
fn descendants() -> Vec<Process> {
    let all: BTreeMap<i32, Process> = process_ids().filter_map(process).map(|process| (process.pid, process)).collect();
    let me = std::process::id() as i32;
    all.values().filter(|process| process.pid != me && is_below(&all, process.parent, me)).copied().collect()
}

fn is_below(all: &BTreeMap<i32, Process>, mut pid: i32, me: i32) -> bool {
    // The list is not from one instant: a chain may be broken, but must end.
    for _ in 0..=all.len() {
        if pid == me {
            return true;
        }
        match all.get(&pid) {
            Some(process) => pid = process.parent,
            None => return false,
        }
    }
    false
}

fn process(pid: i32) -> Option<Process> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // Fields are counted from the end of the name, which may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        zombie: matches!(fields.first(), Some(&"Z" | &"X")),
        ticks: number(11)?.saturating_add(number(12)?),
    })
}

fn ticks_per_second() -> u64 {
    sysconf(SysconfVar::CLK_TCK)
        .ok()
        .flatten()
        .and_then(|ticks| ticks.try_into().ok())
        .filter(|ticks| *ticks > 0)
        .unwrap_or(100)
}

/// Ends every process below this one, again and again, for they may be forking.
pub fn kill_descendants() {
    let until = Instant::now() + KILLING;
    loop {
        let left: Vec<Process> = descendants().into_iter().filter(|process| !process.zombie).collect();
        if left.is_empty() || Instant::now() > until {
            return;
        }
        for process in left {
            // It may have ended since.
            let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_children_are_seen() {
        let mut child = crate::process::Invocation::new("sleep")
            .arg("30")
            .spawn(std::process::Stdio::null(), std::process::Stdio::null(), std::process::Stdio::null())
            .unwrap();
        let pid = child.id() as i32;
        assert!(descendants().iter().any(|process| process.pid == pid));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!descendants().iter().any(|process| process.pid == pid));
    }
}
