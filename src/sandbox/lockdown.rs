//! The last locks, put on from inside by PID 1 while it still may: it is root of
//! a namespace that nobody else is in yet. What it starts afterwards has no
//! capability, and no way to get one.
//!
//! Must not: run outside of namespaces of its own. It would change the machine.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use nix::sys::{prctl, signal::Signal};
use nix::unistd;

use super::limits;
use super::spec::InitSpec;

/// User and group of the steps, as they see themselves.
const USER: u32 = 1000;
/// Below it, process ids are kept back by the kernel.
const RESERVED_PIDS: u64 = 300;
/// Since this version the largest process id belongs to the PID namespace.
const OWN_PID_MAX: (u32, u32) = (6, 14);

/// Locks the sandbox; returns the promises that it saw to. Any error means that
/// the step must not be started.
pub fn lock(spec: &InitSpec) -> Result<Vec<String>, String> {
    if std::process::id() != 1 {
        return Err("not in a PID namespace of its own".to_owned());
    }
    let mut enforced = Vec::new();
    // A private loopback is a convenience for tests; nothing rests on it.
    let _ = raise_loopback();
    bound_tasks(spec)?;
    overwrite("/proc/sys/user/max_user_namespaces", "1")?;
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
        .map_err(|error| format!("cannot enter a second user namespace: {error}"))?;
    overwrite("/proc/self/setgroups", "deny")?;
    overwrite("/proc/self/gid_map", &format!("{USER} 0 1"))?;
    overwrite("/proc/self/uid_map", &format!("{USER} 0 1"))?;
    enforced.push("no-nested-namespaces".to_owned());
    for file in MASKED {
        mask(file)?;
    }
    close_mounts(&spec.writable)?;
    let step = |what: &str, done: nix::Result<()>| done.map_err(|error| format!("cannot {what}: {error}"));
    step("hide PID 1", prctl::set_dumpable(false))?;
    step("tie PID 1 to its parent", prctl::set_pdeathsig(Signal::SIGKILL))?;
    step("leave the terminal", unistd::setsid().map(drop))?;
    Ok(enforced)
}

/// Files of `/proc` that tell of more than the sandbox.
const MASKED: [&str; 3] = ["/proc/keys", "/proc/key-users", "/proc/kcore"];

/// Puts an empty file in the place of `file`, where the kernel has it.
fn mask(file: &str) -> Result<(), String> {
    if fs::symlink_metadata(file).is_err() {
        return Ok(());
    }
    mount(Some("/dev/null"), file, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .map_err(|error| format!("cannot hide {file}: {error}"))
}

/// Where the kernel counts process ids for each namespace, it bounds them, for
/// root as well. On older ones the same file is the whole machine's.
fn bound_tasks(spec: &InitSpec) -> Result<(), String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if version(&release).is_none_or(|version| version < OWN_PID_MAX) {
        return Ok(());
    }
    let most = limits::most_tasks(&spec.limits).saturating_add(RESERVED_PIDS).min(1 << 20);
    overwrite("/proc/sys/kernel/pid_max", &most.to_string())
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Makes everything read-only that is mounted and not meant to be written,
/// `/proc` and mounts below mounts included.
fn close_mounts(writable: &[String]) -> Result<(), String> {
    let table =
        fs::read_to_string("/proc/self/mountinfo").map_err(|error| format!("cannot read the mounts: {error}"))?;
    // The last line for a path is the mount that is seen.
    for line in table.lines() {
        let mut fields = line.split(' ').skip(4);
        let (Some(path), Some(options)) = (fields.next(), fields.next()) else {
            return Err(format!("a mount cannot be read: {line}"));
        };
        let path = unescape(path);
        let options: Vec<&str> = options.split(',').collect();
        if options.contains(&"ro") || writable.contains(&path) {
            continue;
        }
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | kept(&options);
        mount(None::<&Path>, Path::new(&path), None::<&str>, flags, None::<&str>)
            .map_err(|error| format!("cannot make {path} read-only: {error}"))?;
    }
    Ok(())
}

/// Flags that a mount already has and that may not be taken from it.
fn kept(options: &[&str]) -> MsFlags {
    let names = [
        ("nosuid", MsFlags::MS_NOSUID),
        ("nodev", MsFlags::MS_NODEV),
        ("noexec", MsFlags::MS_NOEXEC),
        ("noatime", MsFlags::MS_NOATIME),
        ("nodiratime", MsFlags::MS_NODIRATIME),
        ("relatime", MsFlags::MS_RELATIME),
    ];
    names.into_iter().filter(|(name, _)| options.contains(name)).fold(MsFlags::empty(), |all, (_, flag)| all | flag)
}

/// Blanks and the like are octal in the table of mounts: `\040`.
fn unescape(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let octal = (bytes[at] == b'\\')
            .then(|| path.get(at + 1..at + 4))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => {
                plain.push(byte);
                at += 4;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Brings up `lo` of the private network namespace: it leads nowhere but back.
fn raise_loopback() -> io::Result<()> {
    const NEW_LINK: u16 = 16;
    const REQUEST_AND_ACKNOWLEDGE: u16 = 1 | 4;
    const LOOPBACK: i32 = 1;
    const UP: u32 = 1;
    let mut message = Vec::with_capacity(32);
    message.extend_from_slice(&32u32.to_ne_bytes());
    message.extend_from_slice(&NEW_LINK.to_ne_bytes());
    message.extend_from_slice(&REQUEST_AND_ACKNOWLEDGE.to_ne_bytes());
    message.extend_from_slice(&[0; 8]); // sequence and port
    message.extend_from_slice(&[0; 4]); // family, padding, type
    message.extend_from_slice(&LOOPBACK.to_ne_bytes());
    message.extend_from_slice(&UP.to_ne_bytes());
    message.extend_from_slice(&UP.to_ne_bytes());
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    send(socket.as_raw_fd(), &message, MsgFlags::empty())?;
    let mut answer = [0; 256];
    recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    Ok(())
}

fn overwrite(path: &str, text: &str) -> Result<(), String> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("cannot write {path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_mount_points_are_read() {
        assert_eq!(unescape(r"/a\040b\134c"), r"/a b\c");
        assert_eq!(unescape(r"/plain\"), r"/plain\");
    }

    #[test]
    fn kernel_versions_are_compared_as_numbers() {
        assert_eq!(version("6.18.44-x\n"), Some((6, 18)));
        assert!(version("6.2.0") < Some(OWN_PID_MAX));
        assert_eq!(version("strange"), None);
    }
}
