//! `gander verify`, and what a rollout makes of verdicts: blame, challenges, flags,
//! snapshots, baselines that are kept, a tree that is kept, and Ctrl-C.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::bench::{Bench, outcomes, reason};

/// Consumers of a table, each a shell script that stands for its tests.
fn fleet(more: &str, consumers: &[(&str, &[(&str, &str)])]) -> Bench {
    let bench = Bench::new();
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"small\"\ntitle = \"Read users_v2\"\nrules = [\"small.rhai\"]\n\
             [consumers]\n[[consumers.from]]\nfolders = [\"apps/*\"]\n{more}\n\
             [rollout]\nwaves = [\"1\", \"100%\"]\nfirst = [\"component:default/ant\"]\n"
        ),
    );
    let rules = "rule(\"small/table\").lang(\"python\").find(\"read_table(\\\"users_v1\\\")\").replace(\"read_table(\\\"users_v2\\\")\");\n\
                 rule(\"small/plan\").lang(\"python\").find(\"$ROW.plan\").replace(\"$ROW.plan_type\");\n";
    bench.put("small.rhai", rules);
    for (name, files) in consumers {
        for (path, text) in *files {
            bench.put(&format!("apps/{name}/{path}"), text);
        }
    }
    bench
}

const STEP: &str = "[[verify.step]]\nname = \"tests\"\nrun = [\"sh\", \"test.sh\"]\n";

const JOB: &str = "rows = read_table(\"users_v1\")\nfirst = rows[0].plan\nlast = rows[1].plan\nother = rows[2].plan\n";

#[track_caller]
fn verdict<'a>(all: &'a Value, name: &str) -> &'a Value {
    let rows = all.as_array().unwrap();
    let of = |row: &&Value| row["consumers"][0].as_str().unwrap().ends_with(&format!("/{name}"));
    &rows.iter().find(of).unwrap_or_else(|| panic!("no {name} in {all:#}"))["verdict"]
}

#[test]
fn a_regression_names_the_edits_that_cause_it() {
    // Line 3 must keep its column; both tables together are wrong as well.
    let test = "echo 1..2\necho ok - loads\nif grep -q 'last = rows.1..plan_type' job.py; then\n\
                echo 'KeyError: plan_type' >&2; echo not ok - last; exit 1; fi\necho ok - last\n";
    let bench =
        fleet(STEP, &[("ant", &[("job.py", JOB), ("test.sh", test)]), ("bee", &[("job.py", JOB), ("test.sh", test)])]);
    let ended = bench.gander(&["verify", "--json"]).expect(1);
    let all = ended.json();
    let ant = verdict(&all, "ant");
    assert_eq!(ant["kind"], "regressed", "{ant:#}");
    assert!(ant["reason"].as_str().unwrap().contains("test `last`"), "{ant:#}");
    let edits = ant["blame"][0]["edits"].as_array().unwrap();
    assert_eq!(ant["blame"].as_array().unwrap().len(), 1, "{ant:#}");
    assert_eq!(edits.len(), 1, "{ant:#}");
    assert_eq!((&edits[0]["rule"], &edits[0]["line"]), (&"small/plan".into(), &3.into()));
    assert_eq!(ant["blame"][0]["minimal"], true);
    let last = ant["differences"].as_array().unwrap().iter().find(|d| d["test"] == "last").unwrap();
    assert_eq!(last["before"], serde_json::json!(["green", "green"]));
    assert_eq!(last["after"], serde_json::json!(["red", "red", "red"]));
    assert_eq!(ant["signature"], verdict(&all, "bee")["signature"]);
    let text = bench.gander(&["verify"]).expect(1).stdout;
    assert!(text.contains("2 broken by `"), "one cause reads as one: {text}");
    assert!(text.contains("small/plan at job.py:3"), "{text}");
}

#[test]
fn baselines_are_kept_and_not_used_for_another_tree() {
    let test = "echo ran\nexit 0\n";
    let bench = fleet(STEP, &[("ant", &[("job.py", JOB), ("test.sh", test)])]);
    bench.gander(&["verify"]).expect(0);
    let kept = || {
        let entries = std::fs::read_dir(bench.root.join(".gander/small/baselines")).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with("verdict-"));
        names.sort();
        names
    };
    let first = kept();
    assert_eq!(first.len(), 1);
    // What is kept is what is used: a red baseline in its place is believed.
    let place = bench.root.join(".gander/small/baselines").join(&first[0]);
    let text = std::fs::read_to_string(&place).unwrap();
    std::fs::write(&place, text.replace("{\"kind\":\"exited\",\"value\":0}", "{\"kind\":\"exited\",\"value\":5}"))
        .unwrap();
    let all = bench.gander(&["verify", "--again", "--json"]).json();
    // It is run once more before anything is said, and is found to have flipped.
    assert_eq!(verdict(&all, "ant")["kind"], "flaky", "{all:#}");
    assert_eq!(kept(), Vec::<String>::new(), "what was contradicted is forgotten");
    bench.gander(&["verify", "--again"]).expect(0);
    bench.put("apps/ant/other.txt", "another tree\n");
    bench.gander(&["verify"]).expect(0);
    assert_eq!(kept().len(), 2);
}

#[test]
fn a_challenge_tells_strong_evidence_from_weak() {
    let strong = "grep -q '\"users_v[12]\"' job.py && ! grep -q misspelt job.py\n";
    let weak = "test -s job.py\n";
    let bench = fleet(
        STEP,
        &[("ant", &[("job.py", JOB), ("test.sh", strong)]), ("bee", &[("job.py", JOB), ("test.sh", weak)])],
    );
    let all = bench.gander(&["verify", "--challenge", "--json"]).expect(0).json();
    assert_eq!(verdict(&all, "ant")["evidence"]["strength"], "strong", "{all:#}");
    let bee = verdict(&all, "bee");
    assert_eq!(bee["evidence"]["strength"], "weak", "{all:#}");
    assert_eq!(bee["evidence"]["rules"]["small/plan"], Value::Null);
    // In a rollout the first wave is always challenged, the others where asked for.
    bench.gander(&["run"]).expect(0);
    let ledger = bench.ledger();
    assert!(reason(&ledger, "ant").contains("[strong evidence]"), "{ledger:#}");
    assert!(!reason(&ledger, "bee").contains("evidence]"), "{ledger:#}");
    assert_eq!(ledger["waves"][0]["counts"]["strong"], 1);
    let text = bench.text(".gander/small/change-sets/wave-1/ant/PULL_REQUEST.md");
    assert!(text.contains("The evidence is **strong**"), "{text}");
}

#[test]
fn a_policy_on_weak_evidence_asks_in_every_wave() {
    let weak = "test -s job.py\n";
    let files = [("job.py", JOB), ("test.sh", weak)];
    let bench = fleet(STEP, &[("ant", &files), ("bee", &files), ("cat", &files)]);
    let text = bench.text("migration.toml");
    bench.put("migration.toml", format!("{text}\n[policy]\nweak = \"approve\"\n"));
    bench.gander(&["run"]).expect(4);
    bench.gander(&["approve", "ant"]).expect(0);
    bench.gander(&["run"]).expect(4);
    for name in ["bee", "cat"] {
        let why = reason(&bench.ledger(), name).to_owned();
        assert!(why.contains("the policy on weakly verified change sets"), "{name}: {why}");
    }
}

#[test]
fn weakened_tests_wait_for_a_person() {
    let test = "def test_one():\n    assert read().plan == 1\n\ndef test_two():\n    assert read_table(\"users_v1\")\n";
    let bench = fleet(
        STEP,
        &[
            ("ant", &[("job.py", JOB), ("test.sh", "exit 0\n")]),
            ("bee", &[("test_job.py", test), ("test.sh", "exit 0\n")]),
        ],
    );
    bench.put(
        "small.rhai",
        "rule(\"small/table\").lang(\"python\").find(\"read_table(\\\"users_v1\\\")\").replace(\"read_table(\\\"users_v2\\\")\");\n\
         rule(\"small/loosen\").lang(\"python\").find(\"assert $X.plan == 1\").replace(\"assert $X\");\n",
    );
    bench.gander(&["run"]);
    let ledger = bench.ledger();
    let outcomes = outcomes(&ledger);
    assert_eq!((outcomes["ant"].as_str(), outcomes["bee"].as_str()), ("changed", "pending"), "{ledger:#}");
    let row = ledger["rows"].as_array().unwrap().iter().find(|row| row["entity"] == "component:default/bee").unwrap();
    assert!(row["flags"][0].as_str().unwrap().contains("compare with a value"), "{row:#}");
    assert!(reason(&ledger, "bee").contains("weakens"), "{row:#}");
}

#[test]
fn a_verdict_is_found_again_where_the_rules_declare_something_else() {
    let test = ("test.sh", "exit 0\n");
    let bench = fleet(STEP, &[("ant", &[("src/app.py", "SETTINGS = {'a': 1}\n"), test])]);
    let rules = r#"
rule("conf/split").lang("python").paths(PATHS).find("SETTINGS = $S")
    .edit(|m, cx| edits([create_file("conf/settings.py", code("VALUES = $S", #{ S: m.S })),
                         replace(m.node, code("from conf.settings import VALUES"))]));
"#;
    let flags = |paths: &str| {
        bench.put("small.rhai", rules.replace("PATHS", paths));
        let all = bench.gander(&["verify", "--json"]).expect(0).json();
        verdict(&all, "ant")["flags"].to_string()
    };
    assert_eq!(flags(r#"["src/**", "conf/**"]"#), "[]");
    // The change is the same, byte for byte; what the rule declares is not.
    let narrow = flags(r#""src/**""#);
    assert!(narrow.contains("it lies beside the paths of the rule conf/split: src/**"), "{narrow}");
}

/// Each consumer meets one rule that does more than it declares, or takes a test away.
#[test]
fn changes_beside_what_a_rule_declares_wait_for_a_person() {
    let rules = r#"
rule("conf/table").lang("python").paths("src/**").find("read_table(\"users_v1\")").replace("read_table(\"users_v2\")");
rule("conf/split").lang("python").paths("src/**").find("SETTINGS = $S")
    .edit(|m, cx| edits([create_file("conf/settings.py", code("SETTINGS = $S", #{ S: m.S })),
                         replace(m.node, code("from conf.settings import SETTINGS"))]));
rule("conf/yaml").lang("python").paths(["src/**", "deploy.yml"]).find("DEPLOY = $S")
    .edit(|m, cx| edits([create_file("deploy.yml", "a: 1\n"), replace(m.node, code("DEPLOYED = $S", #{ S: m.S }))]));
rule("conf/move").lang("python").paths("src/**").find("OLD_HOME = $X")
    .edit(|m, cx| edits([rename_file("home/place.py"), replace(m.node, code("HOME = $X", #{ X: m.X }))]));
rule("conf/dead").lang("python").paths("src/**").find("DEAD = True").edit(|m, cx| edits([delete_file()]));
"#;
    let test = ("test.sh", "exit 0\n");
    let dead = "DEAD = True\ndef test_one():\n    assert DEAD\n\ndef test_two():\n    assert DEAD\n";
    let bench = fleet(
        STEP,
        &[
            ("ant", &[("src/app.py", "read_table(\"users_v1\")\n"), test]),
            ("bee", &[("src/app.py", "SETTINGS = {'a': 1}\n"), test]),
            ("cat", &[("src/app.py", "DEPLOY = 1\n"), test]),
            ("dog", &[("src/app.py", "OLD_HOME = 1\n"), test]),
            ("eel", &[("src/test_app.py", dead), ("src/app.py", "read_table(\"users_v1\")\n"), test]),
            // What lies beside the paths is not touched in the first place.
            ("fox", &[("app.py", "OLD_HOME = 1\nread_table(\"users_v1\")\n"), test]),
        ],
    );
    bench.put("small.rhai", rules);
    bench.gander(&["run"]);
    let ledger = bench.ledger();
    let row = |name: &str| {
        let of = |row: &&Value| row["entity"] == format!("component:default/{name}");
        ledger["rows"].as_array().unwrap().iter().find(of).unwrap_or_else(|| panic!("no {name} in {ledger:#}")).clone()
    };
    let outcomes = outcomes(&ledger);
    assert_eq!(outcomes["ant"], "changed", "{ledger:#}");
    assert_eq!(row("ant")["flags"], serde_json::json!([]));
    assert_eq!(outcomes["fox"], "unchanged", "{ledger:#}");
    let flagged = [
        ("bee", "conf/settings.py", "it lies beside the paths of the rule conf/split: src/**"),
        ("cat", "deploy.yml", "it is yaml code, which the rule conf/yaml does not declare"),
        ("dog", "home/place.py", "it lies beside the paths of the rule conf/move: src/**"),
        ("eel", "src/test_app.py", "the test test_one is gone"),
        ("eel", "src/test_app.py", "the test test_two is gone"),
    ];
    for (name, path, message) in flagged {
        let row = row(name);
        assert_eq!(outcomes[name], "pending", "{row:#}");
        let flags = row["flags"].to_string();
        assert!(flags.contains(path) && flags.contains(message), "{name}: {row:#}");
        assert!(reason(&ledger, name).starts_with("waits for approval"), "{row:#}");
        // It lies apart, and says why to whoever looks.
        assert!(!bench.root.join(format!(".gander/small/change-sets/wave-2/{name}")).exists());
        let text = bench.text(&format!(".gander/small/change-sets/held/{name}/PULL_REQUEST.md"));
        assert!(text.contains("**Look at this:**") && text.contains(path), "{text}");
        let shown = bench.gander(&["show", name]).expect(0).stdout;
        assert!(shown.contains(message), "{shown}");
    }
}

#[test]
fn snapshots_give_a_test_to_those_that_have_none() {
    let step = "[[verify.step]]\nname = \"report\"\nrun = [\"sh\", \"report.sh\"]\nsnapshot = [\"stdout\", \"out/*.csv\"]\nfilters = [\"times\"]\n";
    let report =
        "mkdir -p out; grep -c plan_type job.py > out/columns.csv; echo \"done at $(date +%H:%M:%S)\"; exit 0\n";
    let bench = fleet(step, &[("ant", &[("job.py", JOB), ("report.sh", report)])]);
    let all = bench.gander(&["verify", "--json"]).expect(1).json();
    let ant = verdict(&all, "ant");
    assert_eq!(ant["kind"], "regressed", "{ant:#}");
    assert!(ant["reason"].as_str().unwrap().contains("snapshot out/columns.csv"), "{ant:#}");
    bench.gander(&["run"]);
    let folder = bench.root.join(".gander/small/change-sets/held/ant/snapshots");
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names[1].ends_with(".snap.new") && names[0].starts_with("report__out_columns.csv"), "{names:?}");
    // A person accepts what is meant.
    let mut review = Command::new(env!("CARGO_BIN_EXE_gander"))
        .args(["verify", "--review"])
        .current_dir(&bench.root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    review.stdin.take().unwrap().write_all(b"y\n").unwrap();
    let said = String::from_utf8(review.wait_with_output().unwrap().stdout).unwrap();
    assert!(said.contains("-0\n+3\n") && said.contains("accepted 1"), "{said}");
    let all = bench.gander(&["verify", "--json"]).expect(0).json();
    assert_eq!(verdict(&all, "ant")["kind"], "pass", "{all:#}");
    // Another difference is another question.
    bench.put("apps/ant/job.py", format!("{JOB}more = rows[3].plan\n"));
    bench.gander(&["verify"]).expect(1);
}

#[test]
fn a_kept_tree_can_be_entered() {
    let bench = fleet(STEP, &[("ant", &[("job.py", JOB), ("test.sh", "echo left > made-by-test\n")])]);
    let said = bench.gander(&["verify", "ant", "--keep"]).expect(0).stdout;
    assert!(said.contains("gander shell ant"), "{said}");
    let run = bench
        .gander(&["shell", "ant", "--", "sh", "-c", "pwd; cat made-by-test; grep -c users_v2 job.py; id -u"])
        .expect(0);
    assert_eq!(run.stdout, "/workspace\nleft\n1\n1000\n", "{run:?}");
    // It is the same sandbox: no way to the machine.
    bench.gander(&["shell", "ant", "--", "test", "-e", "/etc/shadow"]).expect(1);
    let mut shell = Command::new(env!("CARGO_BIN_EXE_gander"))
        .args(["shell", "ant"])
        .current_dir(&bench.root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(b"echo typed > typed\ncat typed\n").unwrap();
    let ended = shell.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&ended.stdout).contains("typed\n"), "{ended:?}");
    assert_eq!(bench.text("apps/ant/job.py"), JOB, "the consumer itself is untouched");
    bench.gander(&["shell", "bee"]).expect(2);
}

fn running(mark: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").contains(mark)
    })
}

fn wait_for(what: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !what() {
        assert!(Instant::now() < until, "it never came to pass");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn ctrl_c_leaves_nothing_behind_and_the_next_run_goes_on() {
    let mark = format!("sleep 6{}.25", std::process::id());
    let flag = tempfile::tempdir().unwrap();
    let slow = format!("test -e {}/go || {mark}\n", flag.path().display());
    let more = format!("{STEP}[sandbox]\nread_only = [\"{}\"]\njobs = 2\n", flag.path().display());
    let bench = fleet(
        &more,
        &[("ant", &[("job.py", JOB), ("test.sh", "exit 0\n")]), ("bee", &[("job.py", JOB), ("test.sh", &slow)])],
    );
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gander"));
        command.arg("run").current_dir(&bench.root).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    // Each goes on from where the one before was ended.
    let tries = std::env::var("GANDER_CTRL_C_TRIES").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut times: Vec<(Duration, Duration)> = (0..tries)
        .map(|_| {
            let mut run = start();
            wait_for(|| running(&mark));
            let asked = Instant::now();
            let kill = Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
            assert!(kill.success());
            let status = run.wait().unwrap();
            let ended = asked.elapsed();
            assert_eq!(status.code(), Some(130));
            // The kernel takes down what was in the sandbox while gander ends.
            wait_for(|| !running(&mark));
            let gone = asked.elapsed();
            let scratch = bench.root.join(".gander/small/scratch");
            let left: Vec<_> = walkdir::WalkDir::new(scratch).min_depth(1).into_iter().collect();
            assert!(left.is_empty(), "{left:#?}");
            (ended, gone)
        })
        .collect();
    times.sort();
    let (median, (longest, _)) = (times[times.len() / 2].0, times[times.len() - 1]);
    let gone = times.iter().map(|(_, gone)| *gone).max().unwrap();
    println!("Ctrl-C takes {median:?}, at most {longest:?}, and nothing is left after {gone:?} ({tries} times)");
    // Two seconds are promised. A machine that is far too busy may take longer to notice.
    assert!(median < Duration::from_secs(2) && gone < Duration::from_secs(10), "{times:?}");
    std::fs::write(flag.path().join("go"), "").unwrap();
    let went_on = bench.gander(&["run"]).expect(0);
    assert!(!went_on.stderr.contains("apps/ant:"), "what was done is not done again: {}", went_on.stderr);
    assert!(outcomes(&bench.ledger()).values().all(|word| word == "changed"));
}
