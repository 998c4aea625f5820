//! Projects named by their outcome, in `fixtures/outcomes`: what each does to the
//! machine, and the verdict that it earns.

use super::truth::Flip;
use super::*;
use gander::verify::{Subject, VerdictKind, verify};

/// `expected.toml` of a project.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    verdict: String,
    /// What the last step's end must say.
    end: Option<String>,
    reason: Option<String>,
    output: Option<String>,
    /// Instead of `sh build.sh`.
    run: Option<Vec<String>>,
    /// Milliseconds.
    timeout: Option<u64>,
    silence: Option<u64>,
    /// MiB.
    memory: Option<u64>,
    disk: Option<u64>,
    processes: Option<u64>,
    /// What the runs are told one after the other.
    flip: Option<String>,
    /// A file of the machine that must not have come to be.
    absent: Option<PathBuf>,
    /// Nothing that it started may be left.
    #[serde(default)]
    gone: bool,
    /// What it tries with the change succeeds where nothing isolates it.
    #[serde(default)]
    bites: bool,
}

const NAMES: [&str; 17] = [
    "build-fails",
    "builds",
    "eats-memory",
    "fills-disk",
    "flaky",
    "floods-output",
    "forks",
    "hangs",
    "ignores-sigterm",
    "leaves-daemon",
    "needs-toolchain",
    "one-test-flips",
    "reads-keys",
    "silent",
    "tests-fail",
    "uses-network",
    "writes-outside",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/outcomes")
}

fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    texts.sort();
    texts
}

fn check(name: &str) {
    let place = folder().join(name);
    let expected: Expected = toml::from_str(&std::fs::read_to_string(place.join("expected.toml")).unwrap()).unwrap();
    let before = texts(&place.join("before"));
    let files: Vec<(&str, &str)> = before.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let bench = Bench::new(&files);
    let mut changes: Vec<FileVersion> =
        texts(&place.join("after")).iter().map(|(path, text)| changed(path, Some(text))).collect();
    if changes.is_empty() {
        changes.push(changed("note", Some("changed\n")));
    }
    let (mark, flip) = (mark(77001), expected.flip.as_deref().map(Flip::new));
    let millis = Duration::from_millis;
    let default = config();
    // Somebody listens on the machine, and has a key and a folder.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let outside = tempfile::tempdir().unwrap();
    put(&outside.path().join("id_ed25519"), "secret\n");
    let mut env = BTreeMap::from([
        ("MARK".to_owned(), mark.clone()),
        ("PORT".to_owned(), listener.local_addr().unwrap().port().to_string()),
        ("OUTSIDE".to_owned(), outside.path().to_str().unwrap().to_owned()),
    ]);
    env.extend(flip.as_ref().map(|flip| ("FLIP".to_owned(), flip.command())));
    let config = SandboxConfig {
        memory: expected.memory.map_or(default.memory, |mib| mib << 20),
        disk: expected.disk.map_or(default.disk, |mib| mib << 20),
        processes: expected.processes.unwrap_or(default.processes),
        silence: expected.silence.map(millis),
        read_only: flip.iter().map(Flip::shown).collect(),
        env,
        ..default
    };
    let step = Step {
        name: "build".to_owned(),
        run: expected.run.unwrap_or_else(|| vec!["sh".to_owned(), "build.sh".to_owned()]),
        timeout: expected.timeout.map_or(Duration::from_secs(60), millis),
        ..Step::default()
    };
    let (tree, steps) = (bench.tree(), [step]);
    let verdict = verify(&bench.sandbox(&config), &Subject::new(&tree, &changes, &steps)).unwrap();
    assert_eq!(verdict.kind.as_str(), expected.verdict, "{name}: {verdict:#?}");
    let last = verdict.patched.last().or(verdict.baseline.last()).unwrap();
    if let Some(end) = expected.end {
        assert!(last.end.to_string().contains(&end), "{name}: {verdict:#?}");
    }
    if let Some(reason) = expected.reason {
        assert!(verdict.reason.contains(&reason), "{name}: {verdict:#?}");
    }
    if let Some(output) = expected.output {
        assert!(last.output.contains(&output), "{name}: {verdict:#?}");
    }
    if let Some(absent) = expected.absent {
        assert!(!absent.exists(), "{name} wrote {}", absent.display());
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1, "{name}");
    if expected.bites {
        let open = SandboxConfig { mode: SandboxMode::None, ..config.clone() };
        let side = bench.side(&open, &changes, &steps);
        assert_eq!(side.steps[0].end, StepEnd::Exited(0), "{name} proves nothing: {side:?}");
    }
    if expected.gone {
        assert_eq!(running(&mark), Vec::<i32>::new(), "{name}");
    }
    if verdict.kind != VerdictKind::NoData {
        assert!(verdict.enforced.iter().any(|promise| promise == "network-off"), "{name}: {verdict:#?}");
    }
    assert_eq!(std::fs::read_dir(bench.scratch()).unwrap().count(), 0);
}

#[test]
fn every_project_has_the_outcome_it_is_named_by() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    assert_eq!(found, NAMES);
    for name in NAMES {
        check(name);
    }
}
