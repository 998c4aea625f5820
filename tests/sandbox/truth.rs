//! A truth table over all verdicts: each from at least five causes, each cause with
//! several projects. `GANDER_TRUTH_ROUNDS=20` judges all of them twenty times.

use super::*;
use gander::config::Replace;
use gander::process::Invocation;
use gander::verify::{Job, Subject, Verdict, VerdictKind, jobs_for, verify, verify_all};
use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::sync::{Mutex, OnceLock};

/// Connects to the socket beside it and exits with the digit that it is told: so a
/// project can end differently each time, and always in the same way.
const FLIP: &str = r#"
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    strcpy(un.sun_path, argv[1]);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    char digit;
    if (connect(s, (void *)&un, sizeof un) || read(s, &digit, 1) != 1) return 99;
    return digit - '0';
}"#;

/// A folder with the program `flip` and a socket that tells one digit after the other.
pub struct Flip {
    folder: tempfile::TempDir,
}

impl Flip {
    pub fn new(digits: &str) -> Self {
        static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();
        let program = PROGRAM.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            put(&folder.path().join("flip.c"), FLIP);
            let out = folder.path().join("flip");
            Invocation::new("cc").arg("-o").arg(&out).arg(folder.path().join("flip.c")).run().unwrap();
            std::fs::read(out).unwrap()
        });
        let folder = tempfile::tempdir().unwrap();
        gander::files::write_whole(&folder.path().join("flip"), program, true).unwrap();
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let digits = digits.to_owned();
        std::thread::spawn(move || {
            for (digit, line) in digits.bytes().zip(listener.incoming()) {
                let _ = line.unwrap().write_all(&[digit]);
            }
        });
        Self { folder }
    }

    /// The command that exits with the next digit.
    pub fn command(&self) -> String {
        format!("{0}/flip {0}/socket", self.folder.path().display())
    }

    pub fn shown(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

/// One project with its change.
struct Case {
    expected: VerdictKind,
    cause: &'static str,
    files: Vec<(String, String)>,
    changes: Vec<FileVersion>,
    steps: Vec<Step>,
    config: SandboxConfig,
    flip: Option<Flip>,
}

const VARIANTS: usize = 5;

/// A project whose step runs `run.sh`, before and after the change.
fn script(expected: VerdictKind, cause: &'static str, variant: usize, before: &str, after: &str) -> Case {
    let mut files = vec![("run.sh".to_owned(), before.to_owned())];
    // Projects of a kind differ in what lies around them.
    files.extend((0..variant).map(|number| (format!("src/file{number}"), "x\n".to_owned())));
    let mut steps = vec![step("run", &["sh", "run.sh"])];
    if variant % 2 == 1 {
        steps.insert(0, step("first", &["true"]));
    }
    let mut changes = vec![changed("run.sh", Some(after))];
    changes[0].before = Some(Content { bytes: before.as_bytes().to_vec(), executable: false });
    if before == after {
        changes = vec![changed("note", Some("changed\n"))];
    }
    Case { expected, cause, files, changes, steps, config: config(), flip: None }
}

fn tap(tests: &str) -> String {
    let mut out = format!("echo 1..{}\n", tests.len());
    for test in tests.chars() {
        let not = if test.is_uppercase() { "not " } else { "" };
        out += &format!("echo '{not}ok - {}'\n", test.to_lowercase());
    }
    out + if tests.chars().any(char::is_uppercase) { "exit 1\n" } else { "exit 0\n" }
}

fn junit(tests: &str) -> String {
    let mut cases = String::new();
    for test in tests.chars() {
        let failure = if test.is_uppercase() { "<failure message=\"no\"/>" } else { "" };
        cases += &format!("<testcase classname=\"C\" name=\"{}\">{failure}</testcase>", test.to_lowercase());
    }
    let exit = i32::from(tests.chars().any(char::is_uppercase));
    format!(
        "mkdir -p build/test-results\necho '<testsuite name=\"s\">{cases}</testsuite>' > build/test-results/a.xml\nexit {exit}\n"
    )
}

fn flipping(cause: &'static str, variant: usize, digits: &str, body: &dyn Fn(&str) -> String) -> Case {
    let flip = Flip::new(digits);
    let text = body(&flip.command());
    let mut case = script(VerdictKind::Flaky, cause, variant, &text, &text);
    case.config.read_only = vec![flip.shown()];
    case.flip = Some(flip);
    case
}

fn snapshot(mut case: Case, differs: &[(&str, &str)]) -> Case {
    let last = case.steps.last_mut().unwrap();
    last.snapshot = vec!["stdout".to_owned(), "out/*.csv".to_owned()];
    last.differs = differs.iter().map(|(a, b)| Replace { pattern: (*a).to_owned(), with: (*b).to_owned() }).collect();
    case
}

fn limited(case: Case, limit: impl FnOnce(&mut SandboxConfig)) -> Case {
    let mut case = case;
    limit(&mut case.config);
    case
}

/// Every cause of every verdict, as the `variant`-th project of its kind.
fn cases(variant: usize) -> Vec<Case> {
    use VerdictKind::{BaselineBroken, Fixed, Infra, NoChange, NoData, Pass, Regressed};
    let of = |kind, cause, before: &str, after: &str| script(kind, cause, variant, before, after);
    let (good, bad) = ("exit 0\n", "exit 1\n");
    let csv = "mkdir -p out; echo a,1 > out/a.csv; echo rows from users_v1";
    let mut all = vec![
        of(Pass, "exit code", good, good),
        of(Pass, "another good script", good, "true\n"),
        of(Pass, "tap", &tap("abc"), &(tap("abc") + "# changed\n")),
        of(Pass, "junit", &junit("abc"), &format!("# changed\n{}", junit("abc"))),
        snapshot(of(Pass, "snapshot", csv, &format!("{csv}; true")), &[]),
        snapshot(of(Pass, "declared difference", csv, &csv.replace("v1", "v2")), &[("users_v1", "users_v2")]),
        of(Regressed, "exit code", good, bad),
        of(Regressed, "crash", good, "kill -SEGV $$\n"),
        of(Regressed, "tap", &tap("abc"), &tap("aBc")),
        of(Regressed, "junit", &junit("abc"), &junit("abC")),
        of(Regressed, "another test than before", &tap("Abc"), &tap("aBc")),
        of(Regressed, "no tests any more", &tap("Abc"), bad),
        snapshot(of(Regressed, "snapshot", csv, &csv.replace("a,1", "a,2")), &[]),
        of(Fixed, "exit code", bad, good),
        of(Fixed, "crash", "kill -SEGV $$\n", good),
        of(Fixed, "tap", &tap("aB"), &tap("ab")),
        of(Fixed, "junit", &junit("aB"), &junit("ab")),
        of(Fixed, "no tests before", bad, &tap("ab")),
        of(BaselineBroken, "exit code", bad, bad),
        of(BaselineBroken, "another exit code", bad, "exit 2\n"),
        of(BaselineBroken, "the same test", &tap("aB"), &(tap("aB") + "#\n")),
        of(BaselineBroken, "fixed in part", &tap("AB"), &tap("aB")),
        of(BaselineBroken, "crash", "kill -SEGV $$\n", "kill -ABRT $$\n"),
        flipping("red once with the change", variant, "01000", &|flip| flip.to_owned()),
        flipping("green once with the change", variant, "01100", &|flip| flip.to_owned()),
        flipping("the baseline turns red", variant, "01111", &|flip| flip.to_owned()),
        flipping("the baseline turns green", variant, "10000", &|flip| flip.to_owned()),
        flipping("a test", variant, "01010", &|flip| {
            format!("echo 1..2; echo ok - a\nif {flip}; then echo ok - b; else echo not ok - b; exit 1; fi\n")
        }),
        snapshot(flipping("random output", variant, "01234", &|flip| format!("{flip}; echo $?")), &[]),
        limited(of(Infra, "hangs", good, "sleep 50\n"), |_| {}),
        limited(of(Infra, "eats memory", good, "head -c 300M /dev/zero | tail | wc -c\n"), |c| c.memory = 60 << 20),
        limited(of(Infra, "fills the disk", good, "head -c 40M /dev/zero > x; sleep 1\n"), |c| c.disk = 8 << 20),
        limited(of(Infra, "forks", good, "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; wait\n"), |c| c.processes = 5),
        limited(of(Infra, "is silent", good, "sleep 50\n"), |c| c.silence = Some(Duration::from_millis(400))),
        limited(of(Infra, "is killed", good, "kill -9 $$\n"), |_| {}),
        Case { steps: Vec::new(), ..of(NoData, "no step", good, bad) },
        Case { steps: vec![step("sbt", &["no-such-sbt", "test"])], ..of(NoData, "missing program", good, bad) },
        Case { steps: vec![step("x", &["./no-such-script"])], ..of(NoData, "missing script", good, bad) },
        Case { changes: Vec::new(), ..of(NoChange, "nothing", good, bad) },
    ];
    let tool = || step("tool", &["no-such-tool"]);
    let mut half = of(NoData, "half of the steps", good, "true\n");
    half.steps.push(tool());
    let mut all_missing = of(NoData, "several programs", good, bad);
    all_missing.steps = vec![tool(), Step { name: "other".to_owned(), ..tool() }];
    all.extend([half, all_missing]);
    for (cause, files) in [("one file", 1), ("two files", 2), ("three files", 3), ("four files", 4)] {
        let mut case = of(NoChange, cause, bad, good);
        let same = |number: usize| {
            let content = Some(Content { bytes: b"x\n".to_vec(), executable: false });
            FileVersion { before: content.clone(), after: content, ..changed(&format!("src/file{number}"), None) }
        };
        case.changes = (0..files).map(same).collect();
        all.push(case);
    }
    for case in &mut all {
        if case.cause == "hangs" {
            case.steps.iter_mut().for_each(|step| step.timeout = Duration::from_millis(700));
        }
    }
    all
}

fn judge(case: &Case) -> Option<Verdict> {
    let files: Vec<(&str, &str)> = case.files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let bench = Bench::new(&files);
    let tree = bench.tree();
    verify(&bench.sandbox(&case.config), &Subject::new(&tree, &case.changes, &case.steps))
}

#[test]
fn every_verdict_from_every_cause() {
    let rounds: usize = std::env::var("GANDER_TRUTH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let wrong = Mutex::new(Vec::new());
    let mut count = 0;
    for round in 0..rounds {
        let all: Vec<Case> = (0..VARIANTS).flat_map(cases).collect();
        for kind in VerdictKind::ALL {
            let causes = all.iter().filter(|case| case.expected == kind).map(|case| case.cause);
            let causes: std::collections::BTreeSet<&str> = causes.collect();
            assert!(causes.len() >= 5, "{kind:?} has the causes {causes:?} only");
        }
        assert!(all.len() >= 200, "{} consumers", all.len());
        count = all.len();
        let job = |case: &Case| Job { name: case.cause.to_owned(), took: None };
        // Many do nothing but wait for a limit.
        let jobs = 2 * jobs_for(None, 256 << 20);
        let hear = |index: usize, verdict: &Verdict, _| {
            let case = &all[index];
            if verdict.kind != case.expected {
                let text = format!("round {round}, {:?}, {}: {verdict:#?}", case.expected, case.cause);
                wrong.lock().unwrap().push(text);
            }
        };
        let verdicts = verify_all(&all, jobs, job, judge, hear, |_| {});
        assert!(verdicts.iter().all(Option::is_some));
        println!("round {} of {rounds}: {} wrong", round + 1, wrong.lock().unwrap().len());
    }
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("{count} consumers judged rightly {rounds} times");
}

#[test]
fn a_flip_tells_one_digit_after_the_other() {
    let flip = Flip::new("107");
    let bench = Bench::new(&[]);
    let config = SandboxConfig { read_only: vec![flip.shown()], ..config() };
    let ends: Vec<StepEnd> = (0..3).map(|_| bench.one(&config, sh(&flip.command())).end).collect();
    assert_eq!(ends, [1, 0, 7].map(StepEnd::Exited));
}
