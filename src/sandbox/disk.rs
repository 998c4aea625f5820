//! What the steps of a side have on disk, watched by looking: no file system has a
//! quota for a folder that any user may set. Files that are deleted while they are open
//! count for as long as they are.
//!
//! Must not: look so often that looking is the work.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::statvfs::statvfs;
use walkdir::WalkDir;

use super::StepEnd;
use super::deleted::Held;
use super::spec::SideSpec;
use super::{deleted, limits, mounts, scratch};

/// The shortest pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// How much longer than a look itself the pause is, and the longest: on a machine that is
/// busy with other things a look takes long, and says nothing about the disk.
const RESTRAINT: u32 = 20;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A disk with less room than this, in bytes, is full.
const FULL: u64 = 1 << 20;

/// The folders that steps write to, and what they may hold.
#[derive(Debug)]
pub struct Disk {
    folders: Vec<PathBuf>,
    /// Of their file system.
    device: u64,
    limit: u64,
    /// What was there before the first step.
    before: u64,
    free_before: u64,
    next: Instant,
}

impl Disk {
    /// Looks for the first time.
    pub fn new(spec: &SideSpec) -> Self {
        let parts = [scratch::UPPER, scratch::TREE, scratch::HOME, scratch::TMP, scratch::REGISTRY_UPPER];
        let folders: Vec<PathBuf> = parts.map(|part| spec.scratch.join(part)).to_vec();
        let device = spec.scratch.metadata().map_or(0, |meta| meta.dev());
        let (limit, next) = (spec.limits.disk, Instant::now());
        let mut disk = Self { folders, device, limit, before: 0, free_before: 0, next };
        disk.before = disk.used().0;
        disk.free_before = disk.free();
        disk
    }

    /// Looks again, if it is time to.
    pub fn look(&mut self) -> Option<StepEnd> {
        let now = Instant::now();
        if now < self.next {
            return None;
        }
        let held = deleted::held(self.device, &limits::running(), &mounts::in_memory());
        let over = self.over(held);
        self.next = Instant::now() + PAUSE.max((now.elapsed() * RESTRAINT).min(LONGEST_PAUSE));
        over
    }

    /// The last look at a step that has ended; a red one may owe it to a full disk.
    pub fn at_end(&mut self, red: bool) -> Option<StepEnd> {
        let full = || StepEnd::Killed("the disk is full".to_owned());
        // Nobody is left who could hold a file open.
        self.over(Held::default()).or_else(|| (red && self.free() < FULL).then(full))
    }

    fn over(&self, held: Held) -> Option<StepEnd> {
        let (used, unread) = self.used();
        let grown = used.saturating_sub(self.before).saturating_add(held.bytes);
        // A folder that the step has closed to everyone may hide something, or a file that
        // cannot be looked at: then the file system as a whole tells, which others fill
        // as well.
        let hidden = if unread || held.unseen { self.free_before.saturating_sub(self.free()) } else { 0 };
        (grown.max(hidden) > self.limit).then(|| {
            let most = self.limit >> 20;
            StepEnd::Killed(format!("it wrote more than {most} MiB to the disk ([sandbox] disk)"))
        })
    }

    /// Bytes on disk, and whether something could not be read.
    fn used(&self) -> (u64, bool) {
        let (mut sum, mut unread) = (0_u64, false);
        for folder in &self.folders {
            for entry in WalkDir::new(folder).follow_links(false) {
                let meta = entry.and_then(|entry| entry.metadata());
                match meta {
                    Ok(meta) => sum = sum.saturating_add(meta.blocks().saturating_mul(512)),
                    // What was removed since it was listed is no secret.
                    Err(error) => {
                        let kind = error.io_error().map(std::io::Error::kind);
                        unread |= kind == Some(std::io::ErrorKind::PermissionDenied);
                    }
                }
            }
        }
        (sum, unread)
    }

    fn free(&self) -> u64 {
        let place = self.folders.first().and_then(|folder| statvfs(folder).ok());
        // One that tells no size, as ramfs, is never full.
        let place = place.filter(|stat| stat.blocks() > 0);
        place.map_or(u64::MAX, |stat| stat.blocks_available().saturating_mul(stat.fragment_size()))
    }
}
