//! Where a test works: a folder of its own, `gander` and `git` with a fixed
//! environment, and listings to compare by.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A folder of its own that goes with the test.
pub struct Bench {
    _folder: tempfile::TempDir,
    /// The folder, without links on the way.
    pub root: PathBuf,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// The signal.
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// The most memory that it held itself, in KiB, as far as it was seen.
    pub peak: u64,
}

impl Ended {
    /// Fails the test unless the program ended with `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "exit code; stdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}

/// The users-v2 fleet of the repository.
pub fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fleets/users-v2")
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        Self { _folder: folder, root }
    }

    /// A bench that begins as a copy of a folder.
    pub fn copy_of(from: &Path) -> Self {
        let bench = Self::new();
        copy(from, &bench.root);
        bench
    }

    /// The same where nothing is written to a disk, if the machine has such a place:
    /// for tests that run gander hundreds of times.
    pub fn quick_copy_of(from: &Path) -> Self {
        let Ok(folder) = tempfile::tempdir_in("/dev/shm") else { return Self::copy_of(from) };
        let root = folder.path().canonicalize().unwrap();
        copy(from, &root);
        Self { _folder: folder, root }
    }

    /// Writes a file, with the folders above it.
    pub fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let place = self.root.join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
    }

    pub fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Everything below the root, committed into a new repository.
    pub fn commit_all(&self) {
        self.git(&["init", "-q", "-b", "main"]);
        self.git(&["add", "-A", "-f", "."]);
        self.git(&["commit", "-q", "-m", "one"]);
    }

    /// What git prints, which must end well.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.root, arguments)
    }

    /// Runs gander in the root.
    pub fn gander(&self, arguments: &[&str]) -> Ended {
        self.gander_with(&[], arguments)
    }

    /// The same with more environment variables.
    pub fn gander_with(&self, variables: &[(&str, &OsStr)], arguments: &[&str]) -> Ended {
        let mut command = program(env!("CARGO_BIN_EXE_gander"), &self.root);
        command.args(arguments).envs(variables.iter().copied());
        end(command)
    }

    /// The ledger of `migration.toml` in the root.
    #[track_caller]
    pub fn ledger(&self) -> Value {
        self.gander(&["status", "--json"]).json()
    }
}

/// The outcome of every consumer, by the name after `component:default/`.
pub fn outcomes(ledger: &Value) -> BTreeMap<String, String> {
    let row = |row: &Value| {
        let entity = row["entity"].as_str().unwrap();
        let name = entity.rsplit(['/', ':']).next().unwrap();
        (name.to_owned(), row["outcome"].as_str().unwrap().to_owned())
    };
    ledger["rows"].as_array().unwrap().iter().map(row).collect()
}

/// The reason of one consumer.
pub fn reason<'a>(ledger: &'a Value, name: &str) -> &'a str {
    let rows = ledger["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["entity"].as_str().unwrap().ends_with(&format!("/{name}")));
    row.unwrap_or_else(|| panic!("no row for {name}"))["reason"].as_str().unwrap()
}

/// A program with the environment that every test has, and no other.
fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    for kept in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "TMPDIR"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Goose").env(format!("GIT_{role}_EMAIL"), "goose@example.org");
        command.env(format!("GIT_{role}_DATE"), "2024-05-06T07:08:09Z");
    }
    command
}

/// What git prints in `folder`, which must end well.
#[track_caller]
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = program("git", folder);
    command.args(arguments);
    end(command).expect(0).stdout
}

/// How long a program may take before the test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(600);

fn end(mut command: Command) -> Ended {
    // Files, not pipes: nobody has to read while the program is watched.
    let [mut out, mut err] = [(); 2].map(|()| tempfile::tempfile().unwrap());
    let mut child =
        command.stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap()).spawn().expect("the program starts");
    let begun = Instant::now();
    let mut peak = 0;
    let memory = format!("/proc/{}/status", child.id());
    let status = loop {
        peak = peak.max(std::fs::read_to_string(&memory).map_or(0, |text| high_water(&text)));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("hangs: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = |file: &mut std::fs::File| {
        use std::io::{Read as _, Seek as _};
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ended { code: status.code(), signal: status.signal(), stdout: text(&mut out), stderr: text(&mut err), peak }
}

fn high_water(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Copies a folder, links as links, executable bits kept.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            // Builds and states of somebody who tried the fixture in place.
            if !matches!(entry.file_name().to_str(), Some("target" | ".gander")) {
                copy(&entry.path(), &place);
            }
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path()).unwrap(), place).unwrap();
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// What is compared of a file: its bytes, and whether it may be executed.
pub type Tree = BTreeMap<String, (Vec<u8>, bool)>;

/// Every file below a folder but those in `.git`, `.gander` and of no interest to
/// anybody; links are given by their targets.
pub fn tree(root: &Path) -> Tree {
    let mut found = Tree::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(root).unwrap().to_string_lossy().into_owned();
        if entry.file_type().is_dir() || path.split('/').any(|part| part == ".git" || part == ".gander") {
            continue;
        }
        let meta = entry.path().symlink_metadata().unwrap();
        let bytes = if meta.is_symlink() {
            std::fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
        } else {
            std::fs::read(entry.path()).unwrap()
        };
        found.insert(path, (bytes, meta.permissions().mode() & 0o111 != 0));
    }
    found
}

/// Everything that a stat tells of everything below a folder, and the bytes:
/// whatever was written, even with the same bytes, shows.
pub fn stats(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.unwrap();
        let meta = entry.path().symlink_metadata().unwrap();
        let bytes = if meta.is_file() { std::fs::read(entry.path()).unwrap() } else { Vec::new() };
        let line = format!(
            "inode {} mode {:o} owner {} size {} mtime {}.{:09} ctime {}.{:09} bytes {}",
            meta.ino(),
            meta.mode(),
            meta.uid(),
            if meta.is_dir() { 0 } else { meta.size() },
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ctime(),
            meta.ctime_nsec(),
            gander::digest::Digest::of(&bytes),
        );
        found.insert(entry.path().strip_prefix(root).unwrap().to_owned(), line);
    }
    found
}
