//! A control group for one step, where the machine lets gander make one: the kernel
//! itself then holds the limits on memory and processes. Version 2 where its
//! controllers are to be had, else version 1.
//!
//! Must not: be needed. The watch in [`super::limits`] counts anyway.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::scratch::start_time;
use super::spec::Limits;

/// What PID 1 itself may take, in bytes: it counts as well.
const OWN: u64 = 32 << 20;

/// What the group of gander itself is called, where it had to leave its own.
const OWN_GROUP: &str = "own";

/// A group, removed when dropped.
#[derive(Debug)]
pub struct Cgroup {
    folder: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Cgroup {
    /// A new group below that of this process; `None` where there is no memory
    /// controller, or it is not ours to use.
    pub fn new(limits: &Limits) -> Option<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (parent, version) = parent()?;
        sweep(&parent);
        let (pid, start) = (std::process::id(), start_time(std::process::id())?);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let group = Self { folder: parent.join(format!("gander-{pid}-{start}-{number}")), version };
        fs::create_dir(&group.folder).ok()?;
        // From here on dropping it removes it.
        let memory = limits.memory.saturating_add(OWN).to_string();
        match version {
            Version::One => {
                group.put("memory.limit_in_bytes", &memory)?;
                // Swap would be memory by another name; not every kernel counts it.
                let _ = group.put("memory.memsw.limit_in_bytes", &memory);
            }
            Version::Two => {
                group.put("memory.max", &memory)?;
                let _ = group.put("memory.swap.max", "0");
            }
        }
        Some(group)
    }

    /// Takes in a process, before it has started another.
    pub fn add(&self, pid: u32) -> Option<()> {
        self.put("cgroup.procs", &pid.to_string())
    }

    /// Whether the kernel has killed a process for want of memory.
    pub fn out_of_memory(&self) -> bool {
        let file = match self.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
        let killed = text.lines().filter_map(|line| line.strip_prefix("oom_kill "));
        killed.filter_map(|count| count.trim().parse::<u64>().ok()).any(|count| count > 0)
    }

    fn put(&self, file: &str, value: &str) -> Option<()> {
        OpenOptions::new().write(true).open(self.folder.join(file)).ok()?.write_all(value.as_bytes()).ok()
    }
}

/// Makes room for groups of steps. Version 2 gives controllers to a group's children
/// only where the group itself holds no process: gander moves into one of them. To be
/// called by gander itself, before its first step; where nothing can be done, nothing is.
pub fn make_room() {
    let Some((folder, Version::Two)) = own() else { return };
    let has = |file: &str| {
        let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
        text.split_whitespace().any(|name| name == "memory")
    };
    let write = |file: &Path, text: &str| {
        OpenOptions::new().write(true).open(file).and_then(|mut file| file.write_all(text.as_bytes()))
    };
    let hand_down = || write(&folder.join("cgroup.subtree_control"), "+memory").is_ok();
    if !has("cgroup.controllers") || has("cgroup.subtree_control") || hand_down() {
        return;
    }
    let pid = std::process::id();
    let Some(start) = start_time(pid) else { return };
    let inner = folder.join(format!("gander-{pid}-{start}-{OWN_GROUP}"));
    let move_to = |group: &Path| write(&group.join("cgroup.procs"), &pid.to_string());
    if fs::create_dir(&inner).and_then(|()| move_to(&inner)).is_ok() && !hand_down() {
        // Others are in it too: then all stays as it was.
        let _ = move_to(&folder);
        let _ = fs::remove_dir(&inner);
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // The kernel needs a moment to forget processes that have just ended.
        for _ in 0..50 {
            if fs::remove_dir(&self.folder).is_ok() || !self.folder.exists() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

/// The group below which those of steps are made, where a memory controller is bound to
/// it.
fn parent() -> Option<(PathBuf, Version)> {
    let (folder, version) = own()?;
    if version == Version::One {
        return Some((folder, version));
    }
    let left = folder
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| owner(name).is_some() && name.ends_with(OWN_GROUP));
    let folder = if left { folder.parent()?.to_owned() } else { folder };
    let ready = fs::read_to_string(folder.join("cgroup.subtree_control")).ok()?;
    ready.split_whitespace().any(|name| name == "memory").then_some((folder, version))
}

/// The group of this process.
fn own() -> Option<(PathBuf, Version)> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let own = |wanted: &dyn Fn(&str) -> bool| {
        groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            wanted(controllers).then(|| path.to_owned())
        })
    };
    if let Some(path) = own(&|controllers| controllers.split(',').any(|name| name == "memory"))
        && let Some(folder) = mounted(&mounts, "cgroup", Some("memory"), &path)
    {
        return Some((folder, Version::One));
    }
    Some((mounted(&mounts, "cgroup2", None, &own(&str::is_empty)?)?, Version::Two))
}

/// Where the group at `path` of a hierarchy is to be found on disk.
fn mounted(mounts: &str, kind: &str, controller: Option<&str>, path: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (fields, rest) = line.split_once(" - ")?;
        let mut rest = rest.split(' ');
        let (found, options) = (rest.next()?, rest.nth(1)?);
        if found != kind || controller.is_some_and(|name| !options.split(',').any(|option| option == name)) {
            return None;
        }
        let mut fields = fields.split(' ').skip(3);
        let (root, place) = (fields.next()?, fields.next()?);
        let below = Path::new(path).strip_prefix(root).ok()?;
        Some(Path::new(place).join(below)).filter(|folder| folder.is_dir())
    })
}

/// Removes the groups of helpers that were killed. The kernel keeps those that
/// still hold a process.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().and_then(owner).is_some_and(|(pid, start)| start_time(pid) != Some(start)) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Process id and start time of the gander that a group is of.
fn owner(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix("gander-")?.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_where_they_are_mounted() {
        let mounts = "30 25 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n\
                      31 25 0:27 / /tmp rw - cgroup2 cgroup2 rw\n";
        assert_eq!(mounted(mounts, "cgroup", Some("cpu"), "/"), None);
        assert_eq!(mounted(mounts, "cgroup2", None, "/"), Some(PathBuf::from("/tmp/")));
        assert_eq!(mounted(mounts, "cgroup2", None, "/no/such/group"), None);
    }
}
