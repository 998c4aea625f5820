//! What `gander doctor` runs inside of a sandbox: gander itself, trying to break
//! one promise after the other with the means any program has.
//!
//! Must not: be dangerous where nothing holds it. Every attempt is bounded.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::SUBCOMMAND;
use crate::process::Invocation;

/// How long an attempt may take that nothing ends.
const PATIENCE: Duration = Duration::from_secs(20);
/// What an attempt may take that nothing ends, in bytes.
pub const MUCH: usize = 192 << 20;
/// How many processes an attempt may start.
pub const MANY: usize = 40;

/// Promise → how it was broken; `None` where it held.
pub type Findings = BTreeMap<String, Option<String>>;

/// Runs the attempt that the command line names; returns the exit code.
pub fn main() -> i32 {
    let mut args = std::env::args().skip(3);
    let what = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let done = match what.as_str() {
        "surroundings" => surroundings(&rest),
        "sleep" => {
            std::thread::sleep(PATIENCE);
            Ok(())
        }
        "cpu" => {
            spin();
            Ok(())
        }
        "memory" => {
            hold_memory();
            Ok(())
        }
        "processes" => start_sleepers(MANY).map(|()| std::thread::sleep(PATIENCE)),
        "daemon" => start_sleepers(1),
        "output" => print_much(),
        "disk" => write_many().map(|()| std::thread::sleep(PATIENCE)),
        "file-size" => write_much(Path::new("probe-file")),
        _ => return 2,
    };
    match done {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            1
        }
    }
}

/// Looks around and prints [`Findings`] as JSON. Arguments: the address of a
/// listener, a file and a folder of the host, the names of all variables, what may
/// lie in `/tmp`, and an abstract socket; lists are separated by commas.
fn surroundings(args: &[String]) -> io::Result<()> {
    let arg = |index: usize| args.get(index).map_or("", String::as_str);
    let findings = Findings::from([
        ("network-off".to_owned(), network(arg(0))),
        ("filesystem-allow-list".to_owned(), disk(arg(1), arg(2))),
        ("clean-environment".to_owned(), environment(arg(3))),
        ("abstract-sockets-hidden".to_owned(), abstract_socket(arg(5))),
        ("landlock".to_owned(), devices()),
        ("no-terminal-injection".to_owned(), typing()),
        ("pid-isolation".to_owned(), processes()),
        ("no-new-privileges".to_owned(), privileges()),
        ("keyrings-hidden".to_owned(), keyrings()),
        ("no-nested-namespaces".to_owned(), nested()),
        ("no-terminal".to_owned(), terminal()),
        ("private-tmp".to_owned(), private_tmp(arg(4))),
        ("overlay".to_owned(), overlay()),
    ]);
    println!("{}", serde_json::to_string(&findings)?);
    Ok(())
}

fn network(listener: &str) -> Option<String> {
    let address: SocketAddr = listener.parse().ok()?;
    if TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok() {
        return Some("a listener of the host could be reached".to_owned());
    }
    let sent = UdpSocket::bind("0.0.0.0:0").and_then(|udp| udp.send_to(b"x", "192.0.2.1:9"));
    if sent.is_ok() {
        return Some("a datagram could be sent".to_owned());
    }
    if let Some(family) = odd_socket() {
        return Some(format!("a socket of the family {family} could be made"));
    }
    let devices = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    devices
        .lines()
        .filter_map(|line| Some(line.split_once(':')?.0.trim()))
        .find(|device| *device != "lo")
        .map(|device| format!("the network device {device} is there"))
}

/// Families that network namespaces do not part: `vsock` leads to the host of a virtual
/// machine.
#[cfg(target_os = "linux")]
fn odd_socket() -> Option<&'static str> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
    let families =
        [(AddressFamily::Vsock, SockType::Stream, "vsock"), (AddressFamily::Alg, SockType::SeqPacket, "alg")];
    families
        .into_iter()
        .find_map(|(family, kind, name)| socket(family, kind, SockFlag::SOCK_CLOEXEC, None).is_ok().then_some(name))
}

#[cfg(not(target_os = "linux"))]
fn odd_socket() -> Option<&'static str> {
    None
}

#[cfg(target_os = "linux")]
fn abstract_socket(name: &str) -> Option<String> {
    use std::os::linux::net::SocketAddrExt as _;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name.as_bytes()).ok()?;
    let reached = std::os::unix::net::UnixStream::connect_addr(&address);
    reached.is_ok().then(|| "an abstract socket of the host could be reached".to_owned())
}

#[cfg(not(target_os = "linux"))]
fn abstract_socket(_name: &str) -> Option<String> {
    Some("this system has no namespaces".to_owned())
}

/// Who may not make a device is told so by Landlock before anybody asks for privileges.
#[cfg(target_os = "linux")]
fn devices() -> Option<String> {
    use nix::errno::Errno;
    use nix::sys::stat::{Mode, SFlag, makedev, mknod};
    let place = std::env::home_dir()?.join("gander-probe");
    match mknod(&place, SFlag::S_IFCHR, Mode::empty(), makedev(1, 3)) {
        Err(Errno::EACCES) => None,
        Err(_) => Some("nothing but a lack of privileges keeps a step from making devices".to_owned()),
        Ok(()) => Some("a device could be made".to_owned()),
    }
}

#[cfg(not(target_os = "linux"))]
fn devices() -> Option<String> {
    Some("this system has no Landlock".to_owned())
}

/// The request is refused before anyone looks what it is made of: a pipe would say
/// that it is no terminal.
#[cfg(target_os = "linux")]
fn typing() -> Option<String> {
    let filtered = status("Seccomp:").as_deref() == Some("2");
    (!filtered).then(|| "no request to a terminal is refused".to_owned())
}

#[cfg(not(target_os = "linux"))]
fn typing() -> Option<String> {
    Some("this system has no filter for system calls".to_owned())
}

fn disk(file: &str, folder: &str) -> Option<String> {
    for secret in [file, "/etc/shadow", "/root/.ssh", "/var/log"] {
        if fs::symlink_metadata(secret).is_ok() {
            return Some(format!("{secret} can be seen"));
        }
    }
    for place in [folder, "/", "/usr", "/etc", "/proc/sys/kernel", "/dev"] {
        if create(&Path::new(place).join("gander-probe")).is_ok() {
            return Some(format!("a file could be made in {place}"));
        }
    }
    let setting = OpenOptions::new().write(true).open("/proc/sys/kernel/core_pattern");
    setting.is_ok().then(|| "a setting of the kernel could be opened for writing".to_owned())
}

fn environment(expected: &str) -> Option<String> {
    std::env::vars_os()
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .find(|name| !expected.split(',').any(|known| known == name))
        .map(|name| format!("the variable {name} was inherited"))
}

fn processes() -> Option<String> {
    let seen = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .count();
    // PID 1 and this one.
    (seen != 2).then(|| format!("{seen} processes can be seen, not 2"))
}

/// A field of `/proc/self/status`.
fn status(name: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line[name.len()..].trim().to_owned())
}

fn keyrings() -> Option<String> {
    if status("Seccomp:").as_deref() != Some("2") {
        return Some("no system call is refused".to_owned());
    }
    let listed = fs::read_to_string("/proc/keys").is_ok_and(|keys| !keys.is_empty());
    listed.then(|| "the kernel lists keys".to_owned())
}

fn privileges() -> Option<String> {
    if status("NoNewPrivs:").as_deref() != Some("1") {
        return Some("a program could gain privileges".to_owned());
    }
    ["CapPrm:", "CapEff:", "CapAmb:"]
        .into_iter()
        .find(|name| status(name).is_none_or(|value| value.bytes().any(|digit| digit != b'0')))
        .map(|name| format!("{name} is not empty"))
}

#[cfg(target_os = "linux")]
fn nested() -> Option<String> {
    use nix::sched::{CloneFlags, unshare};
    unshare(CloneFlags::CLONE_NEWUSER).is_ok().then(|| "a user namespace could be made".to_owned())
}

#[cfg(not(target_os = "linux"))]
fn nested() -> Option<String> {
    Some("this system has no namespaces".to_owned())
}

fn terminal() -> Option<String> {
    let opened = OpenOptions::new().read(true).write(true).open("/dev/tty");
    opened.is_ok().then(|| "the terminal could be opened".to_owned())
}

fn private_tmp(mounted: &str) -> Option<String> {
    let entries = match fs::read_dir("/tmp") {
        Ok(entries) => entries,
        Err(error) => return Some(error.to_string()),
    };
    let foreign = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| !mounted.split(',').any(|known| known == name));
    if let Some(name) = foreign {
        return Some(format!("/tmp/{name} is in it"));
    }
    let written = create(Path::new("/tmp/gander-probe"));
    written.err().map(|error| format!("it cannot be written: {error}"))
}

/// The pinned tree holds `file` and `folder/file`; all of it may be changed here.
fn overlay() -> Option<String> {
    let change = || {
        let mut file = OpenOptions::new().append(true).open("file")?;
        file.write_all(b"changed")?;
        fs::remove_dir_all("folder")?;
        fs::create_dir("folder")?;
        match fs::read_dir("folder")?.count() {
            0 => Ok(()),
            _ => Err(io::Error::other("a deleted file came back")),
        }
    };
    change().err().map(|error| error.to_string())
}

fn create(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path).map(drop)
}

fn spin() {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

fn hold_memory() {
    let mut held: Vec<Vec<u8>> = Vec::new();
    for _ in 0..MUCH >> 20 {
        held.push(vec![1; 1 << 20]);
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(PATIENCE);
    std::hint::black_box(&held);
}

fn start_sleepers(count: usize) -> io::Result<()> {
    let exe = std::env::current_exe()?;
    for _ in 0..count {
        Invocation::new(&exe)
            .args([SUBCOMMAND, "probe", "sleep"])
            .spawn(Stdio::null(), Stdio::inherit(), Stdio::inherit())
            .map_err(io::Error::other)?;
    }
    Ok(())
}

fn print_much() -> io::Result<()> {
    let line = [b'x'; 1 << 10];
    let mut out = io::stdout().lock();
    (0..1 << 10).try_for_each(|_| out.write_all(&line))
}

/// Many files, none of which is large.
fn write_many() -> io::Result<()> {
    let block = vec![1; 512 << 10];
    (0..32).try_for_each(|number| {
        OpenOptions::new().write(true).create_new(true).open(format!("probe-{number}"))?.write_all(&block)
    })
}

fn write_much(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let block = [0; 1 << 16];
    (0..64).try_for_each(|_| file.write_all(&block))
}
