//! The sandbox and the verdicts, with real namespaces, real compilers and real
//! attempts to break out. The helper is the `gander` program itself.
#![cfg(target_os = "linux")]

mod attacks;
mod fetching;
mod lifecycle;
mod outcomes;
mod promises;
mod queries;
mod toolchains;
mod trees;
mod truth;
mod verdicts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gander::config::{SandboxConfig, SandboxMode, Step};
use gander::sandbox::{Promise, PromiseState, Sandbox, Side, StepEnd, StepResult, doctor};
use gander::workspace::{Content, FileVersion};

/// Where the helper is; another place for runs as a user who cannot read this one.
fn exe() -> PathBuf {
    match std::env::var_os("GANDER_TEST_EXE") {
        Some(exe) => exe.into(),
        None => env!("CARGO_BIN_EXE_gander").into(),
    }
}

fn config() -> SandboxConfig {
    SandboxConfig { processes: 200, cpu: Duration::from_secs(120), output: 1 << 20, ..SandboxConfig::default() }
}

fn step(name: &str, run: &[&str]) -> Step {
    Step {
        name: name.to_owned(),
        run: run.iter().map(|arg| (*arg).to_owned()).collect(),
        timeout: Duration::from_secs(60),
        ..Step::default()
    }
}

/// Without isolation: what an attempt does where nothing stops it.
fn open() -> SandboxConfig {
    SandboxConfig { mode: SandboxMode::None, ..config() }
}

fn sh(script: &str) -> Step {
    step("sh", &["sh", "-c", script])
}

/// A pinned tree and a scratch folder.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { folder };
        std::fs::create_dir(bench.tree()).unwrap();
        for (path, text) in files {
            put(&bench.tree().join(path), text);
        }
        bench
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    fn scratch(&self) -> PathBuf {
        self.folder.path().join("scratch")
    }

    fn sandbox(&self, config: &SandboxConfig) -> Sandbox {
        Sandbox::new(exe(), config, &self.scratch())
    }

    fn side(&self, config: &SandboxConfig, changes: &[FileVersion], steps: &[Step]) -> Side {
        let side = self.sandbox(config).run_side(&self.tree(), changes, steps).unwrap();
        let left: Vec<_> = std::fs::read_dir(self.scratch()).unwrap().collect();
        assert!(left.is_empty(), "left in the scratch folder: {left:?}");
        side
    }

    fn one(&self, config: &SandboxConfig, step: Step) -> StepResult {
        self.side(config, &[], &[step]).steps.remove(0)
    }
}

#[expect(clippy::disallowed_methods, reason = "a test writes the files it then reads")]
fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn changed(path: &str, after: Option<&str>) -> FileVersion {
    FileVersion {
        path: path.to_owned(),
        before: None,
        after: after.map(|text| Content { bytes: text.as_bytes().to_vec(), executable: false }),
        renamed_from: None,
    }
}

#[test]
fn doctor_finds_every_promise_kept() {
    let scratch = tempfile::tempdir().unwrap();
    let promises = doctor(&exe(), scratch.path());
    // A control group can be had by those only to whom the machine gives one, and Landlock
    // where the kernel has it.
    let besides = |name: &str| matches!(name, "landlock" | "memory-by-kernel");
    let held = |promise: &&Promise| promise.state == PromiseState::Enforced || besides(promise.name);
    let broken: Vec<&Promise> = promises.iter().filter(|promise| !held(promise)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(promises.len(), 24);
    let left: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Process ids of the machine whose command line contains `mark`.
fn running(mark: &str) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else {
            continue;
        };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if pid != std::process::id() as i32 && line.contains(mark) {
            found.push(pid);
        }
    }
    found
}

/// A time to sleep that nobody else sleeps, so that the sleeper can be found.
fn mark(test: u32) -> String {
    format!("{test}.{}1", std::process::id())
}
