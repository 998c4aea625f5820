//! What the processes of a step take of the machine's memory, counted by looking.
//!
//! Must not: judge it, or take so long that looking is the work.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use nix::sys::statvfs::statvfs;

use super::deleted;

/// How much longer than a look at all open files the pause until the next one is, and
/// the shortest and the longest.
const RESTRAINT: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Memory that is taken and cannot simply be dropped, in bytes. Pages of files on
/// disk are not counted: the kernel takes them back when it needs them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    private: u64,
    shared: u64,
}

impl Memory {
    /// The sum.
    pub fn and(self, other: Self) -> Self {
        Self { private: self.private.saturating_add(other.private), shared: self.shared.saturating_add(other.shared) }
    }

    /// With files in memory, which may be mapped too: the larger of both counts.
    pub fn with_files(self, files: u64) -> u64 {
        self.private.saturating_add(self.shared.max(files))
    }

    /// Of one process; pages that it shares with others count in full.
    pub fn of(pid: i32) -> Self {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        Self { private: kilobytes(&text, &["RssAnon:", "VmSwap:"]), shared: kilobytes(&text, &["RssShmem:"]) }
    }

    /// Of one process; of pages that it shares it has its share.
    pub fn share_of(pid: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        text.contains("Pss_Anon:").then(|| Self {
            private: kilobytes(&text, &["Pss_Anon:", "SwapPss:"]),
            shared: kilobytes(&text, &["Pss_Shmem:"]),
        })
    }
}

/// The sum of some fields of a `/proc` file that are given in kB, in bytes.
fn kilobytes(text: &str, fields: &[&str]) -> u64 {
    text.lines()
        .filter_map(|line| {
            let field = fields.iter().find(|field| line.starts_with(**field))?;
            let value = line[field.len()..].trim().strip_suffix("kB")?;
            value.trim().parse::<u64>().ok()
        })
        .sum::<u64>()
        .saturating_mul(1024)
}

/// Files in memory that no folder shows: shared segments, and what `memfd_create` makes.
/// Nobody has to map them for them to take memory.
#[derive(Debug)]
pub struct Nameless {
    next: Instant,
    last: u64,
}

impl Nameless {
    /// Nothing was looked at yet.
    pub fn new() -> Self {
        Self { next: Instant::now(), last: 0 }
    }

    /// Bytes that they take, those of the last look where it is too early for another.
    pub fn used(&mut self, processes: impl Iterator<Item = i32>) -> u64 {
        let now = Instant::now();
        if now >= self.next {
            self.last = segments().saturating_add(open_files(processes));
            self.next = Instant::now() + PAUSE.max((now.elapsed() * RESTRAINT).min(LONGEST_PAUSE));
        }
        self.last
    }
}

/// System V's segments. Those of an IPC namespace of our own are the step's.
fn segments() -> u64 {
    const RESIDENT: usize = 14;
    if std::process::id() != 1 {
        return 0;
    }
    let text = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let sum = |line: &str| {
        let fields = line.split_whitespace().skip(RESIDENT).take(2);
        fields.filter_map(|bytes| bytes.parse::<u64>().ok()).sum::<u64>()
    };
    text.lines().skip(1).map(sum).sum()
}

fn open_files(processes: impl Iterator<Item = i32>) -> u64 {
    let mut files = BTreeMap::new();
    for path in processes.flat_map(deleted::descriptors).flatten() {
        let nameless = fs::read_link(&path).is_ok_and(|to| to.to_string_lossy().starts_with("/memfd:"));
        if let Some(meta) = nameless.then(|| fs::metadata(&path).ok()).flatten() {
            files.insert((meta.dev(), meta.ino()), meta.blocks().saturating_mul(512));
        }
    }
    files.values().sum()
}

/// Bytes in use in a file system.
pub fn used(folder: &str) -> u64 {
    statvfs(folder).map_or(0, |stat| {
        let blocks = stat.blocks().saturating_sub(stat.blocks_free());
        blocks.saturating_mul(stat.fragment_size())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_kilobytes_are_summed() {
        let text = "VmSwap:\t       1 kB\nRssAnon:\t    2 kB\nRssFile:\t 9 kB\n";
        assert_eq!(kilobytes(text, &["RssAnon:", "VmSwap:"]), 3 << 10);
    }
}
