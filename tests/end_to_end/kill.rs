//! A run that is killed at any named point, and run again, ends as if nobody had
//! killed it: the same ledger, the same bytes, the same branches.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::bench::{Bench, Tree, git, tree};

/// How the small fleet is rolled out.
struct Case {
    how: &'static str,
    /// Who comes first, in the order of the waves.
    first: &'static [&'static str],
    /// The wave that fails once it is out: that of `bad`, which regresses.
    fails: u32,
    on_failed: &'static str,
    sandbox: &'static str,
}

const CASES: [Case; 4] = [
    Case { how: "patches", first: &["ant", "bee", "bad"], fails: 2, on_failed: "rollback-wave", sandbox: "namespaces" },
    Case {
        how: "checkout",
        first: &["ant", "bee", "cat", "bad"],
        fails: 3,
        on_failed: "rollback-all",
        sandbox: "none",
    },
    Case { how: "branch", first: &["ant", "bee", "bad"], fails: 2, on_failed: "rollback-wave", sandbox: "none" },
    Case { how: "push", first: &["ant", "cat", "dog", "bad"], fails: 3, on_failed: "rollback-all", sandbox: "none" },
];

const RULES: &str = r#"
rule("small/table").lang("python").find("read_table(\"users_v1\")").replace("read_table(\"users_v2\")");
rule("small/ask").lang("python").find("referrer($X)").annotate("somebody has to decide");
rule("small/files").lang("python").find("old_home($X)").edit(|m, cx| edits([
    rename_file("moved/" + cx.path), create_file("made/why.txt", `It moved.`), replace(m.node, code("home($X)", #{ X: m.X })),
]));
rule("small/gone").lang("python").find("GONE = True").edit(|m, cx| edits([delete_file()]));
"#;

const JOB: &str = "rows = read_table(\"users_v1\")\nprint(rows)\n";

/// Six consumers: four that are fine, one that the change breaks, one without a test.
fn fleet(case: &Case) -> Bench {
    let bench = Bench::new();
    let first: Vec<String> = case.first.iter().map(|name| format!("\"component:default/{name}\"")).collect();
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"small\"\ntitle = \"Read users_v2\"\nrules = [\"small.rhai\"]\n\
             [code]\nprotocols = [\"file\"]\n[[consumers.from]]\nfolders = [\"apps/*\"]\n\
             [[verify.step]]\nname = \"test\"\nwhen = \"ci.sh\"\nrun = [\"sh\", \"ci.sh\"]\n\
             [sandbox]\nmode = \"{}\"\n\
             [policy]\nunverified = \"hold\"\n\
             [rollout]\nwaves = [\"1\", \"3\", \"100%\"]\nfirst = [{}]\non_failed_gate = \"{}\"\n\
             [[rollout.gate]]\nkind = \"regressions\"\nmax = 1\n[[rollout.gate]]\nkind = \"command\"\n\
             run = [\"sh\", \"-c\", \"case $(cat) in *'\\\"wave\\\":{}'*) exit 1;; esac\"]\n\
             [deliver]\nhow = \"{}\"\nauthor = \"Goose <goose@example.org>\"\n",
            case.sandbox,
            first.join(", "),
            case.on_failed,
            case.fails,
            case.how,
        ),
    );
    bench.put("small.rhai", RULES);
    bench.put(".gitignore", ".gander\n");
    for name in ["ant", "bee", "cat", "dog"] {
        bench.put(&format!("apps/{name}/job.py"), JOB);
        bench.put(&format!("apps/{name}/jobs/second.py"), JOB.replace('\n', "\r\n"));
        // No two are the same: two that are would be verified once or twice, as it happens, and pass more or fewer points.
        bench.put(&format!("apps/{name}/ci.sh"), format!("# {name}\ntest -s job.py && test -s jobs/second.py\n"));
    }
    bench.put("apps/bee/ask.py", "referrer(1)\n");
    bench.put("apps/bee/home.py", "old_home(1)\n");
    bench.put("apps/bee/gone/only.py", "GONE = True\n");
    bench.put("apps/bad/job.py", JOB);
    bench.put("apps/bad/ci.sh", "while read -r line; do case $line in *users_v2*) exit 1;; esac; done < job.py\n");
    bench.put("apps/untested/job.py", JOB);
    bench.commit_all();
    if case.how == "push" {
        bench.git(&["init", "-q", "--bare", "-b", "main", REMOTE]);
        bench.git(&["push", "-q", REMOTE, "main"]);
    }
    bench
}

/// Where the remote of a fleet lies that is pushed.
const REMOTE: &str = ".git/remote.git";

/// A copy of a fleet, with a remote of its own.
fn copy_of(template: &Bench) -> Bench {
    let bench = Bench::quick_copy_of(&template.root);
    let remote = bench.root.join(REMOTE);
    if remote.is_dir() {
        bench.git(&["remote", "add", "origin", &format!("file://{}", remote.display())]);
    }
    bench
}

/// Everything that has to be the same in the end.
#[derive(Debug, PartialEq)]
struct End {
    code: Option<i32>,
    ledger: Value,
    tree: Tree,
    status: String,
    branches: BTreeMap<String, (String, usize, String)>,
    pushed: BTreeMap<String, (String, usize, String)>,
    change_sets: Tree,
    scratch: Vec<String>,
}

fn finish(bench: &Bench) -> End {
    let ended = bench.gander(&["run", "-q", "--json"]);
    assert_eq!(ended.signal, None, "{ended:?}");
    let state = bench.root.join(".gander/small");
    let scratch = std::fs::read_dir(state.join("scratch")).unwrap();
    let scratch = scratch.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    End {
        code: ended.code,
        ledger: without_commits(ended.json()),
        tree: tree(&bench.root),
        status: bench.git(&["status", "--porcelain"]),
        branches: branches(&bench.root),
        pushed: Some(bench.root.join(REMOTE))
            .filter(|path| path.is_dir())
            .map(|path| branches(&path))
            .unwrap_or_default(),
        change_sets: without_times(tree(&state.join("change-sets"))),
        scratch,
    }
}

/// Commits hold the time that they were made at; their trees are compared instead.
fn without_commits(mut ledger: Value) -> Value {
    for row in ledger["rows"].as_array_mut().unwrap() {
        if let Some(branch) = row["branch"].as_array_mut() {
            branch.truncate(1);
        }
    }
    ledger
}

/// By branch: its tree, how many commits it adds, and what the last one says.
fn branches(root: &Path) -> BTreeMap<String, (String, usize, String)> {
    let names = git(root, &["for-each-ref", "--format=%(refname:short)", "refs/"]);
    let of = |name: &str| {
        let tree = git(root, &["rev-parse", &format!("{name}^{{tree}}")]);
        let commits = git(root, &["rev-list", &format!("main..{name}")]).lines().count();
        (name.to_owned(), (tree, commits, git(root, &["log", "-1", "--format=%an %ae%n%B", name])))
    };
    names.lines().map(of).collect()
}

/// How long a step took is nobody's promise.
fn without_times(mut tree: Tree) -> Tree {
    for (path, (bytes, _)) in &mut tree {
        if path.ends_with(".json") {
            let text = String::from_utf8(std::mem::take(bytes)).unwrap();
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("\"millis\":"));
            *bytes = lines.collect::<Vec<_>>().join("\n").into_bytes();
        }
    }
    tree
}

/// The points that a whole run passes, each with the number of its hits.
fn points(template: &Bench) -> BTreeMap<String, usize> {
    let bench = copy_of(template);
    let log = bench.root.join(".git/points");
    bench.gander_with(&[("GANDER_FAULT_LOG", log.as_os_str())], &["run", "-q"]).expect(3);
    let mut points = BTreeMap::new();
    for name in std::fs::read_to_string(log).unwrap().lines() {
        *points.entry(name.to_owned()).or_default() += 1;
    }
    points
}

/// Which of `count` hits are tried, from 1: the first, the middle and the last one. Every single hit
/// is tried within the library for all but `push` (`rollout::tests::killed`), where a run costs less.
fn hits(count: usize) -> Vec<usize> {
    let mut hits = vec![1, count.div_ceil(2), count];
    hits.dedup();
    hits
}

fn killed_anywhere(case: &Case) {
    let template = fleet(case);
    let reference = copy_of(&template);
    let wanted = finish(&reference);
    assert_eq!(wanted.code, Some(3), "{:#}", wanted.ledger);
    let points = points(&template);
    println!("{}:", case.how);
    for (name, count) in &points {
        println!("  {name} × {count}");
    }
    let jobs: Vec<String> = points
        .iter()
        .flat_map(|(name, count)| hits(*count).into_iter().map(move |hit| format!("{name}#{hit}")))
        .collect();
    println!("  killed {} times", jobs.len());
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(point) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = killed_at(&template, point, &wanted) {
                        wrong.lock().unwrap().push(format!("{point}: {why}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}: {} of {}\n{}", case.how, wrong.len(), jobs.len(), wrong.join("\n"));
    let again = finish(&reference);
    assert_eq!(again, wanted, "a run after the last one changes nothing");
}

fn killed_at(template: &Bench, point: &str, wanted: &End) -> Result<(), String> {
    let bench = copy_of(template);
    let killed = bench.gander_with(&[("GANDER_FAULT_POINT", OsStr::new(point))], &["run", "-q"]);
    if killed.signal != Some(9) {
        return Err(format!("not killed: {killed:?}"));
    }
    let found = finish(&bench);
    let differs = |what: &str, same: bool| if same { String::new() } else { format!("{what} differ; ") };
    let differences = [
        differs("exit codes", found.code == wanted.code),
        differs("ledgers", found.ledger == wanted.ledger),
        differs("working trees", found.tree == wanted.tree),
        differs("git's status", found.status == wanted.status),
        differs("branches", found.branches == wanted.branches),
        differs("pushed branches", found.pushed == wanted.pushed),
        differs("change sets", found.change_sets == wanted.change_sets),
        differs("leftovers", found.scratch == wanted.scratch),
    ]
    .concat();
    if differences.is_empty() {
        return Ok(());
    }
    let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>().join("\n    ");
    Err(format!(
        "{differences}\n{:#}\n  tree:\n    {}\n  change sets:\n    {}\n  scratch: {:?}\n  {}",
        found.ledger,
        names(&found.tree),
        names(&found.change_sets),
        found.scratch,
        found.status
    ))
}

#[test]
fn patches_survive_a_kill_at_any_point() {
    killed_anywhere(&CASES[0]);
}

#[test]
fn checkouts_survive_a_kill_at_any_point() {
    killed_anywhere(&CASES[1]);
}

#[test]
fn branches_survive_a_kill_at_any_point() {
    killed_anywhere(&CASES[2]);
}

#[test]
fn pushes_survive_a_kill_at_any_point() {
    killed_anywhere(&CASES[3]);
}
