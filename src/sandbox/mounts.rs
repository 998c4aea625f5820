//! What a sandbox sees of the disk: an allow-list, built anew for every step.
//!
//! Everything is mounted where it lies on the host, except the consumer, which
//! always lies in `/workspace`, and the private home folder. From `/etc` only
//! what programs need to start is shown; accounts are made up.
//!
//! Must not: show a folder only because it exists.

use std::fs;
use std::path::{Path, PathBuf};

use hakoniwa::{Container, MountOptions, Namespace, Runctl};

use super::scratch;
use super::spec::{HOME, INIT, PROXY, Shown, SideSpec, WORKSPACE};
use crate::config::Step;

/// System folders; a link among them is rebuilt as a link.
const SYSTEM: [&str; 8] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/gnu"];

/// Parts of `/etc` that are shown where they exist. None of them holds a secret.
const ETC: [&str; 12] = [
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
];

/// Accounts, so that looking oneself up works.
const PASSWD: &str = "root:x:0:0:root:/:/bin/sh\n\
    gander:x:1000:1000:gander:/home/gander:/bin/sh\n\
    nobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP: &str = "root:x:0:\ngander:x:1000:\nnogroup:x:65534:\n";
const HOSTS: &str = "127.0.0.1 localhost gander\n::1 localhost\n";

/// Mount points that steps may write to.
pub fn writable() -> Vec<String> {
    let registry = format!("{HOME}/.cargo/registry");
    [WORKSPACE, HOME, &registry, "/tmp", "/dev/shm", "/dev/pts"].map(str::to_owned).to_vec()
}

/// Mount points whose content takes memory.
pub fn in_memory() -> Vec<String> {
    ["/tmp", "/dev/shm"].map(str::to_owned).to_vec()
}

/// The container of one step: namespaces and mounts, everything but the program.
pub fn container(spec: &SideSpec, step: &Step) -> Container {
    let mut container = Container::new();
    for namespace in [Namespace::Cgroup, Namespace::Ipc, Namespace::Network, Namespace::Uts] {
        container.unshare(namespace);
    }
    // PID 1 needs to be root of its own namespace until it has locked it.
    container.uidmap(0).gidmap(0).hostname("gander");
    container.runctl(Runctl::MountFallback);
    container.rootdir(spec.scratch.join(scratch::ROOT));
    system(&mut container);
    etc(&mut container);
    private(&mut container, spec);
    rust(&mut container, spec);
    for path in &spec.read_only {
        if !shown_by_system(path) {
            bind(&mut container, path);
        }
    }
    for shown in &spec.shown {
        container.bindmount_ro(&text(&shown.from), &shown.inside());
    }
    for seed in &step.seeds {
        let shown = Shown { from: seed.from.clone(), to: seed.to.clone() };
        container.bindmount_ro(&text(&shown.from), &shown.inside());
    }
    container.bindmount_ro(&text(&spec.exe), INIT);
    if let Some(proxy) = &spec.proxy {
        container.bindmount_ro(&text(proxy), PROXY);
    }
    container
}

fn system(container: &mut Container) {
    for folder in SYSTEM {
        let path = Path::new(folder);
        match fs::read_link(path) {
            Ok(link) => {
                container.symlink(&text(&link), folder);
            }
            Err(_) if path.is_dir() => bind(container, path),
            Err(_) => {}
        }
    }
}

fn shown_by_system(path: &Path) -> bool {
    SYSTEM.iter().any(|folder| path.starts_with(folder))
}

fn etc(container: &mut Container) {
    for part in ETC.map(PathBuf::from).into_iter().chain(java()) {
        match fs::read_link(&part) {
            Ok(link) if shown_by_system(&link) || link.is_relative() => {
                if let Some(parent) = part.parent() {
                    container.dir(&text(parent), 0o755);
                }
                container.symlink(&text(&link), &text(&part));
            }
            _ if part.exists() => bind(container, &part),
            _ => {}
        }
    }
    container.dir("/etc", 0o755);
    container.file("/etc/passwd", PASSWD);
    container.file("/etc/group", GROUP);
    container.file("/etc/hosts", HOSTS);
}

/// Debian keeps a part of each JDK, without which it does not start, in `/etc/java-*`.
fn java() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/etc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("java"))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn private(container: &mut Container, spec: &SideSpec) {
    let part = |name: &str| spec.scratch.join(name);
    match &spec.lower {
        Some(lower) => overlay(container, lower, &part(scratch::UPPER), &part(scratch::WORK), WORKSPACE),
        None => {
            container.bindmount_rw(&text(&part(scratch::TREE)), WORKSPACE);
        }
    }
    container.bindmount_rw(&text(&part(scratch::HOME)), HOME);
    container.devfsmount("/dev");
    let flags = MountOptions::NOSUID | MountOptions::NODEV;
    for folder in in_memory() {
        // The size is the last line of defence; the watch counts what is in them.
        let data = format!("mode=1777,size={}", spec.limits.memory);
        container.mount("tmpfs", &folder, "tmpfs", flags, Some(data));
    }
}

/// Whether the machine's own crates are shown. What is fetched is the consumer's own, and
/// complete.
pub fn shows_crates(spec: &SideSpec) -> bool {
    let own = format!("{HOME}/.cargo");
    spec.proxy.is_none() && !spec.shown.iter().any(|shown| shown.inside().starts_with(&own))
}

/// Rust from a home folder: its programs and its crates, and nothing else of it.
fn rust(container: &mut Container, spec: &SideSpec) {
    let toolchain = &spec.toolchain;
    for path in [toolchain.bin(), toolchain.rustup_home.clone()].into_iter().flatten() {
        bind(container, &path);
    }
    if !shows_crates(spec) {
        return;
    }
    if let Some(registry) = toolchain.registry() {
        let inside = format!("{HOME}/.cargo/registry");
        if spec.lower.is_some() {
            // cargo unpacks crates into it: onto a private layer.
            overlay(
                container,
                &registry,
                &spec.scratch.join(scratch::REGISTRY_UPPER),
                &spec.scratch.join(scratch::REGISTRY_WORK),
                &inside,
            );
        } else {
            container.bindmount_ro(&text(&registry), &inside);
        }
    }
    if let Some(git) = toolchain.git() {
        container.bindmount_ro(&text(&git), &format!("{HOME}/.cargo/git"));
    }
}

fn bind(container: &mut Container, path: &Path) {
    let path = text(path);
    container.bindmount_ro(&path, &path);
}

fn overlay(container: &mut Container, lower: &Path, upper: &Path, work: &Path, target: &str) {
    // `userxattr`: without it, an unprivileged overlay cannot replace a folder.
    let data = format!("lowerdir={},upperdir={},workdir={},userxattr", escape(lower), escape(upper), escape(work));
    let flags = MountOptions::NOSUID | MountOptions::NODEV;
    container.mount("overlay", target, "overlay", flags, Some(data));
}

/// The option string gives meaning to commas, colons and backslashes.
fn escape(path: &Path) -> String {
    let mut escaped = String::new();
    for c in text(path).chars() {
        if matches!(c, ',' | ':' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Paths of a spec have come through JSON and are UTF-8.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
