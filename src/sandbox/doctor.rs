//! What the sandbox can enforce on this machine: not deduced, but tried, each
//! promise by an attempt to break it.
//!
//! Must not: report a promise as enforced that was not tried just now.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::probe::Findings;
use super::spec::INIT;
use super::tail::KEPT;
use super::toolchain::Toolchain;
use super::{SUBCOMMAND, Sandbox, SandboxError, Side, StepEnd};
use crate::config::{SandboxConfig, Step};

/// Promises without which nothing is run in isolation, required or not.
pub const FOUNDATION: [&str; 5] =
    ["namespaces", "filesystem-allow-list", "network-off", "no-new-privileges", "pid-isolation"];

/// One thing that the sandbox promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// Its name in `[sandbox] require` and in verdicts.
    pub name: &'static str,
    /// What it means, for people.
    pub what: &'static str,
    /// Whether this machine keeps it.
    pub state: PromiseState,
}

/// Whether a promise is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum PromiseState {
    /// An attempt to break it failed.
    Enforced,
    /// It is not.
    NotEnforced {
        /// What went wrong.
        why: String,
        /// What to do about it: a whole sentence.
        mend: String,
    },
}

const PROMISES: [(&str, &str); 23] = [
    ("abstract-sockets-hidden", "no abstract socket of the machine can be reached"),
    ("clean-environment", "no variable of yours is inherited"),
    ("disk-limit", "steps that write more than their size are ended: a watch that looks, not a quota"),
    ("cpu-limit", "a process that computes for too long is ended"),
    ("file-size-limit", "no file grows beyond the limit"),
    (
        "filesystem-allow-list",
        "only system folders, toolchains and the consumer are visible, and only the consumer can be written",
    ),
    ("keyrings-hidden", "keys that the kernel holds for you cannot be used or listed"),
    ("landlock", "a second fence: writing only below its own folders, no devices, no signals to others"),
    ("memory-limit", "all processes of a step together stay within their memory"),
    ("memory-by-kernel", "the kernel itself holds the memory limit, by a control group; else a watch does"),
    ("namespaces", "steps run in user, mount, PID, network, IPC, UTS and cgroup namespaces of their own"),
    ("network-off", "no host, device or address can be reached"),
    ("no-nested-namespaces", "a step cannot make user namespaces"),
    ("no-new-privileges", "a step has no capabilities and cannot gain any"),
    ("no-terminal", "a step has no controlling terminal"),
    ("no-terminal-injection", "nothing can be typed into a terminal in a user's place"),
    ("nothing-left-running", "whatever a step started ends with it"),
    ("output-limit", "output beyond the limit is dropped, and said to be"),
    ("overlay", "the pinned tree is shared and never written: changes go to a private layer"),
    ("pid-isolation", "no process of the machine can be seen"),
    ("private-tmp", "/tmp is empty at first and private"),
    ("silence-limit", "a step that prints nothing for too long is ended"),
    ("process-limit", "a step cannot have more processes than allowed"),
];
const TIME_LIMIT: (&str, &str) = ("time-limit", "a step that takes too long is ended");

/// Tries every promise on this machine. `exe` is gander's own program file;
/// `scratch` is where private folders may be made.
pub fn doctor(exe: &Path, scratch: &Path) -> Vec<Promise> {
    let tried = try_all(exe, scratch);
    let mut promises: Vec<Promise> = PROMISES
        .into_iter()
        .chain([TIME_LIMIT])
        .map(|(name, what)| {
            let broken = match &tried {
                Ok(findings) => match findings.get(name) {
                    Some(broken) => broken.clone(),
                    None => Some("it could not be tried".to_owned()),
                },
                Err(why) => Some(why.clone()),
            };
            let state = match broken {
                None => PromiseState::Enforced,
                Some(why) => PromiseState::NotEnforced { mend: mend(name, &why), why },
            };
            Promise { name, what, state }
        })
        .collect();
    promises.sort_by_key(|promise| promise.name);
    promises
}

/// Each promise with how it was broken; the error is why nothing could be tried.
fn try_all(exe: &Path, scratch: &Path) -> Result<Findings, String> {
    if !cfg!(target_os = "linux") {
        return Err("isolation rests on namespaces, which only Linux has".to_owned());
    }
    #[cfg(target_os = "linux")]
    super::cgroup::make_room();
    let bench = Bench::new(exe, scratch).map_err(|error| error.to_string())?;
    let mut findings = bench.surroundings()?;
    findings.insert("namespaces".to_owned(), None);
    let tight = SandboxConfig { memory: 64 << 20, processes: 12, file_size: 1 << 20, ..bench.config.clone() };
    let short = SandboxConfig { cpu: Duration::from_millis(200), ..bench.config.clone() };
    let silent = SandboxConfig { silence: Some(Duration::from_millis(200)), ..bench.config.clone() };
    let small = SandboxConfig { disk: 4 << 20, ..bench.config.clone() };
    let roomy = &bench.config;
    let killed = |end: &StepEnd| matches!(end, StepEnd::Killed(_));
    let expect = |promise: &str, what: &str, config: &SandboxConfig, millis: u64, held: &dyn Fn(&StepEnd) -> bool| {
        (promise.to_owned(), bench.attempt(what, config, millis, held))
    };
    findings.extend([
        expect("time-limit", "sleep", roomy, 200, &|end| *end == StepEnd::TimedOut),
        expect(
            "silence-limit",
            "sleep",
            &silent,
            10_000,
            &|end| matches!(end, StepEnd::Killed(why) if why.contains("silence")),
        ),
        expect(
            "disk-limit",
            "disk",
            &small,
            10_000,
            &|end| matches!(end, StepEnd::Killed(why) if why.contains("disk")),
        ),
        expect("memory-limit", "memory", &tight, 10_000, &|end| *end == StepEnd::OutOfMemory),
        expect("process-limit", "processes", &tight, 10_000, &killed),
        expect("cpu-limit", "cpu", &short, 10_000, &killed),
        expect("file-size-limit", "file-size", &tight, 10_000, &killed),
        // The helper returns only when nobody holds the output open any more.
        expect("nothing-left-running", "daemon", roomy, 10_000, &|end| *end == StepEnd::Exited(0)),
        ("output-limit".to_owned(), bench.output()),
    ]);
    Ok(findings)
}

/// A socket of the host that has no place on disk.
#[cfg(target_os = "linux")]
fn abstract_socket(name: &str) -> Option<std::os::unix::net::UnixListener> {
    use std::os::linux::net::SocketAddrExt as _;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name.as_bytes()).ok()?;
    std::os::unix::net::UnixListener::bind_addr(&address).ok()
}

#[cfg(not(target_os = "linux"))]
fn abstract_socket(_name: &str) -> Option<()> {
    None
}

/// A small pinned tree, and something of the host to look for.
struct Bench {
    exe: std::path::PathBuf,
    scratch: std::path::PathBuf,
    folder: tempfile::TempDir,
    config: SandboxConfig,
}

impl Bench {
    fn new(exe: &Path, scratch: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(scratch)?;
        let folder = tempfile::Builder::new().prefix("doctor-").tempdir_in(scratch)?;
        let tree = folder.path().join("tree");
        std::fs::create_dir_all(tree.join("folder"))?;
        for file in ["tree/file", "tree/folder/file", "secret"] {
            std::fs::OpenOptions::new().write(true).create_new(true).open(folder.path().join(file))?;
        }
        let config = SandboxConfig {
            memory: 1 << 30,
            processes: 100,
            cpu: Duration::from_secs(60),
            output: 1 << 20,
            ..SandboxConfig::default()
        };
        Ok(Self { exe: exe.to_owned(), scratch: scratch.to_owned(), folder, config })
    }

    fn run(&self, args: &[&str], config: &SandboxConfig, millis: u64) -> Result<Side, SandboxError> {
        let mut run = vec![INIT, SUBCOMMAND, "probe"];
        run.extend(args);
        let step = Step {
            name: "probe".to_owned(),
            run: run.into_iter().map(str::to_owned).collect(),
            timeout: Duration::from_millis(millis),
            ..Step::default()
        };
        let sandbox = Sandbox::new(self.exe.clone(), config, &self.scratch);
        sandbox.run_side(&self.folder.path().join("tree"), &[], &[step])
    }

    /// What can be seen and done in there; an error where nothing could be started.
    fn surroundings(&self) -> Result<Findings, String> {
        let abstract_name = format!("gander-doctor-{}", std::process::id());
        let _abstract = abstract_socket(&abstract_name);
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let path = |name: &str| self.folder.path().join(name).to_string_lossy().into_owned();
        let toolchain = Toolchain::detect();
        let variables: Vec<String> = toolchain.env_inside().into_keys().collect();
        // A toolchain below /tmp is mounted where it lies.
        let mounted: Vec<String> = [toolchain.cargo_home, toolchain.rustup_home]
            .into_iter()
            .flatten()
            .filter_map(|path| {
                let first = path.strip_prefix("/tmp").ok()?.components().next()?;
                Some(first.as_os_str().to_string_lossy().into_owned())
            })
            .collect();
        let args = [
            "surroundings",
            &address.to_string(),
            &path("secret"),
            &path(""),
            &variables.join(","),
            &mounted.join(","),
            &abstract_name,
        ];
        let side = self.run(&args, &self.config, 20_000).map_err(|error| error.to_string())?;
        let step = side.steps.first().ok_or("nothing was run")?;
        if step.end != StepEnd::Exited(0) {
            return Err(format!("{} {}", step.end, step.output.trim()));
        }
        let mut findings: Findings = serde_json::from_str(step.output.trim()).map_err(|error| error.to_string())?;
        let by_kernel = side.enforced.iter().any(|name| name == "memory-by-kernel");
        let why = (!by_kernel).then(|| "no control group for memory can be made here, so a watch counts".to_owned());
        findings.insert("memory-by-kernel".to_owned(), why);
        if !side.enforced.iter().any(|name| name == "landlock") {
            findings.insert("landlock".to_owned(), Some("this kernel does not have it".to_owned()));
        }
        if !side.enforced.iter().any(|name| name == "overlay") {
            let how = if super::tree::clones(&self.scratch) { "by reflink" } else { "byte for byte" };
            let why = format!("an overlay could not be mounted there, so trees are copied, {how}");
            findings.insert("overlay".to_owned(), Some(why));
        } else if !self.tree_is_untouched() {
            let why = "the pinned tree was changed";
            findings.insert("overlay".to_owned(), Some(why.to_owned()));
        }
        Ok(findings)
    }

    fn tree_is_untouched(&self) -> bool {
        let tree = self.folder.path().join("tree");
        let empty = std::fs::metadata(tree.join("file")).is_ok_and(|meta| meta.len() == 0);
        empty && tree.join("folder/file").exists()
    }

    /// How a promise was broken: the attempt ended otherwise than it must.
    fn attempt(
        &self,
        what: &str,
        config: &SandboxConfig,
        millis: u64,
        held: &dyn Fn(&StepEnd) -> bool,
    ) -> Option<String> {
        match self.run(&[what], config, millis) {
            Err(error) => Some(error.to_string()),
            Ok(side) => match side.steps.first() {
                Some(step) if held(&step.end) => None,
                Some(step) => Some(format!("the attempt ended with: {}", step.end)),
                None => Some("nothing was run".to_owned()),
            },
        }
    }

    fn output(&self) -> Option<String> {
        match self.run(&["output"], &self.config, 20_000) {
            Err(error) => Some(error.to_string()),
            Ok(side) => match side.steps.first() {
                Some(step) if step.output.len() <= KEPT as usize && step.output.contains("dropped") => None,
                _ => Some("too much output was kept".to_owned()),
            },
        }
    }
}

/// What to do, guessed from what the kernel said.
fn mend(name: &str, why: &str) -> String {
    let text = if !cfg!(target_os = "linux") {
        "Run gander on Linux for isolation, or pass `--sandbox none`."
    } else if name == "memory-by-kernel" {
        "Nothing has to be done. Where the kernel must hold it, delegate the memory controller of a cgroup \
         to the user that runs gander: `systemd-run --user --scope -p Delegate=yes gander …`."
    } else if name == "landlock" {
        "Nothing has to be done: mounts and namespaces hold without it. Linux 5.13 and later have it, where it \
         is among those of /sys/kernel/security/lsm."
    } else if name == "overlay" {
        "Put the state folder on ext4, xfs, btrfs or tmpfs; copying works as well, but slower."
    } else if why.contains("unshare") || why.contains("uid_map") {
        "Allow unprivileged user namespaces: `sysctl user.max_user_namespaces=15000`, and on Ubuntu \
         `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container, allow unshare and \
         mount in its seccomp profile."
    } else if why.contains("mount") {
        "Allow mounts in user namespaces: in a container, relax its seccomp and AppArmor profiles and \
         leave /proc unmasked."
    } else {
        "Please report this with the output of `gander doctor --json`."
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_foundation_is_a_promise() {
        for name in FOUNDATION {
            assert!(PROMISES.iter().any(|(promise, _)| *promise == name), "{name}");
        }
    }
}
