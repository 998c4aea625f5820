//! Files that no folder shows any more and that take room all the same, for a process
//! has them open, mapped, or runs them.
//!
//! Must not: judge it, or count what lies in memory: that is `memory`'s.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::statfs::{OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC, statfs};
use rustix::fs::{MemfdFlags, fstat, major, makedev, memfd_create, minor};

/// What the kernel adds to the name of a file that is deleted.
const DELETED: &str = " (deleted)";

/// What processes hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Bytes on disk, of each file once. One of the pinned tree counts as well: who has
    /// written a file that is gone can't be told.
    pub bytes: u64,
    /// Whether there may be more: descriptors that are closed to us or under way in a
    /// socket, a mapping whose file only root may look at.
    pub unseen: bool,
}

/// What `processes` hold of the file system of this device, and of overlays over it.
/// `in_memory` are the mount points, as they see them, whose files are not on disk.
pub fn held(device: u64, processes: &[i32], in_memory: &[String]) -> Held {
    let mut look = Look { device, files: BTreeMap::new(), unseen: false };
    for pid in processes {
        look.process(*pid, in_memory);
    }
    Held { bytes: look.files.values().sum(), unseen: look.unseen }
}

/// The open files of a process, those of each thread: a thread may have its own table.
/// An error says that they are closed to us.
pub fn descriptors(pid: i32) -> Vec<io::Result<PathBuf>> {
    let mut found = Vec::new();
    for task in tasks(pid) {
        match fs::read_dir(task.join("fd")) {
            Ok(entries) => found.extend(entries.flatten().map(|entry| Ok(entry.path()))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => found.push(Err(error)),
            // It has ended since.
            Err(_) => {}
        }
    }
    found
}

fn tasks(pid: i32) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten().map(|entry| entry.path())
}

struct Look {
    device: u64,
    files: BTreeMap<(u64, u64), u64>,
    unseen: bool,
}

impl Look {
    fn process(&mut self, pid: i32, in_memory: &[String]) {
        for descriptor in descriptors(pid) {
            match descriptor.and_then(|path| fs::read_link(&path).map(|to| (path, to))) {
                Ok((path, to)) => match to.to_str() {
                    Some(to) if to.starts_with("socket:") => self.unseen |= carries(&path),
                    _ => self.file(&path, &to),
                },
                Err(error) => self.unseen |= error.kind() == io::ErrorKind::PermissionDenied,
            }
        }
        let program = PathBuf::from(format!("/proc/{pid}/exe"));
        if let Ok(to) = fs::read_link(&program) {
            self.file(&program, &to);
        }
        self.mappings(pid, in_memory);
    }

    /// Counts a file, if it is deleted and lies on the disk.
    fn file(&mut self, path: &Path, to: &Path) {
        if !to.as_os_str().as_encoded_bytes().ends_with(DELETED.as_bytes()) {
            return;
        }
        let meta = match fs::metadata(path) {
            Ok(meta) => meta,
            Err(error) => {
                self.unseen |= error.kind() == io::ErrorKind::PermissionDenied;
                return;
            }
        };
        let over = || statfs(path).is_ok_and(|system| system.filesystem_type() == OVERLAYFS_SUPER_MAGIC);
        if meta.is_file() && meta.nlink() == 0 && (meta.dev() == self.device || over()) {
            self.files.insert((meta.dev(), meta.ino()), meta.blocks().saturating_mul(512));
        }
    }

    /// Mapped files need not be open. Their size can be had through a link that only
    /// root may follow.
    fn mappings(&mut self, pid: i32, in_memory: &[String]) {
        // The first thread may have ended before the others.
        let maps = |task: PathBuf| fs::read(task.join("maps")).ok().filter(|text| !text.is_empty());
        let Some(text) = tasks(pid).find_map(maps) else { return };
        let text = String::from_utf8_lossy(&text);
        let deleted = text.lines().filter(|line| line.ends_with(DELETED)).filter_map(Mapping::read);
        let mut memory = None;
        for mapping in deleted {
            let memory = memory.get_or_insert_with(|| memory_devices(pid, in_memory));
            if mapping.device == self.device || !memory.contains(&mapping.device) {
                let path = PathBuf::from(format!("/proc/{pid}/map_files/{}", mapping.range));
                match fs::read_link(&path) {
                    Ok(to) => self.file(&path, &to),
                    Err(error) => self.unseen |= error.kind() == io::ErrorKind::PermissionDenied,
                }
            }
        }
    }
}

/// A line of `/proc/PID/maps`.
struct Mapping<'a> {
    range: &'a str,
    device: u64,
}

impl<'a> Mapping<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let range = fields.next()?;
        let (major, minor) = fields.nth(2)?.split_once(':')?;
        let number = |text: &str| u32::from_str_radix(text, 16).ok();
        Some(Self { range, device: makedev(number(major)?, number(minor)?) })
    }
}

/// The devices whose files are in memory: the kernel's own, and those of mount points.
fn memory_devices(pid: i32, in_memory: &[String]) -> Vec<u64> {
    let own = memfd_create("device", MemfdFlags::CLOEXEC).and_then(|file| fstat(&file)).map(|stat| stat.st_dev);
    // Without isolation they are the machine's, and may well be on disk.
    let seen = |folder: &String| {
        let folder = format!("/proc/{pid}/root{folder}");
        let in_memory = statfs(folder.as_str()).is_ok_and(|system| system.filesystem_type() == TMPFS_MAGIC);
        fs::metadata(folder).ok().filter(|_| in_memory).map(|meta| meta.dev())
    };
    own.into_iter().chain(in_memory.iter().filter_map(seen)).map(|dev| makedev(major(dev), minor(dev))).collect()
}

/// Whether descriptors are under way in a socket.
fn carries(descriptor: &Path) -> bool {
    let Some((task, number)) = descriptor.parent().and_then(Path::parent).zip(descriptor.file_name()) else {
        return false;
    };
    let info = fs::read_to_string(task.join("fdinfo").join(number)).unwrap_or_default();
    let count = info.lines().find_map(|line| line.strip_prefix("scm_fds:"));
    count.is_some_and(|count| count.trim() != "0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::IoSlice;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::process::Stdio;

    use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

    #[test]
    fn a_process_that_hides_nothing_is_seen_whole() {
        let mut child = crate::process::Invocation::new("sleep")
            .arg("30")
            .spawn(Stdio::null(), Stdio::null(), Stdio::null())
            .unwrap();
        let device = fs::metadata(std::env::temp_dir()).unwrap().dev();
        assert_eq!(held(device, &[child.id() as i32], &[]), Held::default());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(held(device, &[child.id() as i32], &[]), Held::default());
    }

    #[test]
    fn descriptors_that_are_under_way_are_noticed() {
        let (there, here) = UnixStream::pair().unwrap();
        let file = fs::File::open("/proc/self/exe").unwrap();
        let carried = || carries(Path::new(&format!("/proc/self/task/{}/fd/{}", std::process::id(), here.as_raw_fd())));
        assert!(!carried());
        let files = [file.as_raw_fd()];
        let message = [ControlMessage::ScmRights(&files)];
        sendmsg::<()>(there.as_raw_fd(), &[IoSlice::new(b"x")], &message, MsgFlags::empty(), None).unwrap();
        drop(file);
        assert!(carried());
    }

    #[test]
    fn mappings_are_read() {
        let line = "7f0a-7f1b rw-s 00000000 fd:1c 42                         /workspace/a b (deleted)";
        let mapping = Mapping::read(line).unwrap();
        assert_eq!((mapping.range, mapping.device), ("7f0a-7f1b", makedev(0xfd, 0x1c)));
    }
}
