//! The sandbox and the verdicts, with real namespaces, real compilers and real
//! attempts to break out. The helper is the `gander` program itself.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gander::config::{SandboxConfig, SandboxMode, Step};
use gander::sandbox::{Promise, PromiseState, Sandbox, Side, StepEnd, StepResult, doctor};
use gander::workspace::{Content, FileVersion};

fn exe() -> PathBuf {
    match std::env::var_os("GANDER_TEST_EXE") {
        Some(exe) => exe.into(),
        None => env!("CARGO_BIN_EXE_gander").into(),
    }
}

fn config() -> SandboxConfig {
    SandboxConfig {
        mode: SandboxMode::Namespaces,
        memory: 2 << 30,
        processes: 200,
        cpu: Duration::from_secs(120),
        output: 1 << 20,
        file_size: 1 << 30,
        read_only: Vec::new(),
        env: BTreeMap::new(),
        require: Vec::new(),
        jobs: None,
    }
}

fn step(name: &str, run: &[&str]) -> Step {
    Step {
        name: name.to_owned(),
        when: None,
        run: run.iter().map(|arg| (*arg).to_owned()).collect(),
        timeout: Duration::from_secs(60),
    }
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
        let side = self
            .sandbox(config)
            .run_side(&self.tree(), changes, steps)
            .unwrap();
        let left: Vec<_> = std::fs::read_dir(self.scratch()).unwrap().collect();
        assert!(left.is_empty(), "left in the scratch folder: {left:?}");
        side
    }

    fn one(&self, config: &SandboxConfig, step: Step) -> StepResult {
        self.side(config, &[], &[step]).steps.remove(0)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test writes the files it then reads"
)]
fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn changed(path: &str, after: Option<&str>) -> FileVersion {
    FileVersion {
        path: path.to_owned(),
        before: None,
        after: after.map(|text| Content {
            bytes: text.as_bytes().to_vec(),
            executable: false,
        }),
        renamed_from: None,
    }
}

#[test]
fn doctor_finds_every_promise_kept() {
    let scratch = tempfile::tempdir().unwrap();
    let promises = doctor(&exe(), scratch.path());
    let broken: Vec<&Promise> = promises
        .iter()
        .filter(|promise| promise.state != PromiseState::Enforced)
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(promises.len() >= 15);
    let left: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_step_runs_over_the_changed_tree_in_a_clean_place() {
    let bench = Bench::new(&[("a.txt", "old"), ("gone.txt", "x"), ("sub/kept.txt", "k")]);
    let script = "pwd; cat a.txt; ls; cat new/file; echo $HOME $PATH; id -u; id -un; hostname; ls -A $HOME /tmp";
    let side = bench.side(
        &config(),
        &[
            changed("a.txt", Some("new\n")),
            changed("gone.txt", None),
            changed("new/file", Some("made\n")),
        ],
        &[sh(script)],
    );
    let result = &side.steps[0];
    println!("{}", result.output);
    assert_eq!(result.end, StepEnd::Exited(0), "{}", result.output);
    assert!(
        result
            .output
            .starts_with("/workspace\nnew\na.txt\nnew\nsub\nmade\n")
    );
    println!("{:?}", side.enforced);
}

#[test]
fn a_missing_program_is_named() {
    let bench = Bench::new(&[]);
    let end = bench
        .one(&config(), step("x", &["no-such-tool", "--version"]))
        .end;
    assert_eq!(end, StepEnd::MissingProgram("no-such-tool".to_owned()));
}
