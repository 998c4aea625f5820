//! What the person on call sees and decides: waiting, gates, pauses, the history.

use serde_json::Value;

use super::bench::{Bench, outcomes};

const JOB: &str = "rows = read_table(\"users_v1\")\n";

/// Three consumers that pass, in two waves, with more lines for `[rollout]` and after it.
fn fleet(rollout: &str, more: &str) -> Bench {
    let bench = Bench::new();
    migration(&bench, rollout, more);
    let rule = "rule(\"small/table\").lang(\"python\").find(\"read_table(\\\"users_v1\\\")\")\
                .replace(\"read_table(\\\"users_v2\\\")\");\n";
    bench.put("small.rhai", rule);
    bench.put(".gitignore", ".gander\n");
    for name in ["ant", "bee", "cat"] {
        bench.put(&format!("apps/{name}/job.py"), JOB);
    }
    bench.commit_all();
    bench
}

fn migration(bench: &Bench, rollout: &str, more: &str) {
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"small\"\ntitle = \"Read users_v2\"\nrules = [\"small.rhai\"]\n\
             [[consumers.from]]\nfolders = [\"apps/*\"]\n\
             [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"-c\", \"test -s job.py\"]\n\
             [sandbox]\nmode = \"none\"\n\
             [rollout]\nwaves = [\"1\", \"100%\"]\nfirst = [\"component:default/ant\"]\n{rollout}\n{more}\n\
             [deliver]\nhow = \"checkout\"\n"
        ),
    );
}

#[test]
fn a_run_ends_while_a_wave_bakes_and_says_until_when() {
    let bench = fleet("", "[[rollout.gate]]\nkind = \"bake\"\nfor = \"3h\"");
    let ended = bench.gander(&["run"]).expect(4);
    assert!(
        ended.stdout.contains("Wave 1 waits until 20") && ended.stdout.contains("it bakes for 3 h"),
        "{}",
        ended.stdout
    );
    let ledger = bench.gander(&["run", "--json"]).expect(4).json();
    assert_eq!(ledger["end"]["kind"], "waiting");
    assert_eq!(ledger["end"]["waits"][0]["for"], "bake");
    let (until, since) = (ledger["end"]["waits"][0]["until"].as_i64().unwrap(), jiff::Timestamp::now().as_second());
    assert!((since + 2 * 3600..=since + 3 * 3600).contains(&until), "{until}");
    let dry = bench.gander(&["run", "--dry-run-gates"]).expect(4);
    assert!(
        dry.stdout.contains("bake") && dry.stdout.contains("wave 1 would wait: it bakes for 3 h"),
        "{}",
        dry.stdout
    );
    bench.gander(&["status"]).expect(4);
    assert_eq!(outcomes(&bench.ledger())["bee"], "pending");
    // The bake was shortened: the file is another one, and that is noticed.
    migration(&bench, "", "[[rollout.gate]]\nkind = \"bake\"\nfor = \"1s\"");
    let ended = bench.gander(&["run"]).expect(5);
    assert!(ended.stderr.contains("--replan"), "{}", ended.stderr);
    let ended = bench.gander(&["run", "--replan", "--wait"]).expect(0);
    assert!(ended.stdout.contains("3 changed"), "{}", ended.stdout);
}

#[test]
fn a_person_pauses_approves_and_is_told() {
    let notify = "notify = [\"sh\", \"-c\", \"cat >> heard; echo >> heard\"]";
    let bench = fleet(notify, "[[rollout.gate]]\nkind = \"approval\"");
    let ended = bench.gander(&["run"]).expect(4);
    assert!(ended.stdout.contains("gander approve --wave 1"), "{}", ended.stdout);
    let heard = |bench: &Bench| {
        let text = bench.text("heard");
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(heard(&bench), ["approval-asked"]);
    bench.gander(&["pause", "--reason", "the pager rings"]).expect(0);
    bench.gander_with(&[("GANDER_ACTOR", "ana".as_ref())], &["approve", "--wave", "1", "--reason", "looked"]).expect(0);
    let ended = bench.gander(&["run"]).expect(7);
    assert!(ended.stdout.contains("is paused by somebody: the pager rings"), "{}", ended.stdout);
    assert_eq!(bench.text("apps/bee/job.py"), JOB, "nothing new is begun");
    let dry = bench.gander(&["run", "--dry-run-gates"]).expect(7);
    assert!(dry.stdout.contains("wave 2 would wait: paused by somebody: the pager rings"), "{}", dry.stdout);
    bench.gander(&["resume"]).expect(0);
    bench.gander(&["resume"]).expect(2);
    bench.gander(&["run"]).expect(4);
    assert_ne!(bench.text("apps/bee/job.py"), JOB);
    bench.gander(&["approve", "--wave", "2"]).expect(0);
    bench.gander(&["run"]).expect(0);
    let none = bench.gander(&["run", "--dry-run-gates", "--json"]).expect(0).json();
    assert!(none["wave"].is_null() && none["gates"].as_array().unwrap().is_empty(), "{none}");
    assert_eq!(heard(&bench), ["approval-asked", "paused", "resumed", "approval-asked"]);
    let history = bench.gander(&["history"]).expect(0).stdout;
    for line in ["pause", "by ana", "wave 1  judging → passed", "apps/bee  staged → delivered", "looked"] {
        assert!(history.contains(line), "no {line:?} in\n{history}");
    }
    let of_ant = bench.gander(&["history", "--consumer", "ant"]).expect(0).stdout;
    assert!(of_ant.contains("apps/ant") && !of_ant.contains("apps/bee") && !of_ant.contains("wave 2"), "{of_ant}");
    bench.gander(&["history", "--consumer", "nobody"]).expect(2);
}

#[test]
fn all_that_is_recorded_can_be_taken_along() {
    let bench = fleet("", "");
    bench.gander(&["run"]).expect(0);
    let lines: Vec<Value> =
        bench.gander(&["export"]).expect(0).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["type"], &lines[0]["migration"]), (&"gander".into(), &"small".into()));
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).collect::<Vec<_>>();
    assert_eq!((of("consumer").len(), of("wave").len(), of("verdict").len(), of("delivery").len()), (3, 2, 3, 3));
    let events = of("event");
    let numbers: Vec<i64> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=i64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>(), "without gaps");
    let verified = events.iter().find(|event| event["point"] == "verify").unwrap();
    assert_eq!((&verified["from"], &verified["to"]), (&"transformed".into(), &"verified".into()));
    assert_eq!(verified["evidence"]["verdict"], "pass");
    let looked = events.iter().find(|event| event["point"] == "wave.look").unwrap();
    assert!(looked["evidence"].to_string().contains("\"regressed\":0"), "what a judgement rests on: {looked}");
}

#[test]
fn a_gate_that_fails_after_the_fact_takes_the_wave_back() {
    let gates = "[[rollout.gate]]\nkind = \"bake\"\nfor = \"3h\"\n\
                 [[rollout.gate]]\nkind = \"command\"\nrun = [\"sh\", \"-c\", \"test ! -e bad || { echo too slow; exit 1; }\"]";
    let bench = fleet("", gates);
    bench.gander(&["run"]).expect(4);
    assert_ne!(bench.text("apps/ant/job.py"), JOB);
    bench.put(".gander/small/../../bad", "");
    let ended = bench.gander(&["run"]).expect(3);
    assert!(ended.stdout.contains("`sh` fails: too slow"), "{}", ended.stdout);
    assert_eq!(bench.text("apps/ant/job.py"), JOB);
}

#[test]
fn an_approval_ends_with_a_gate_that_fails_by_some_of_it() {
    let gates =
        "[[rollout.gate]]\nkind = \"approval\"\n[[rollout.gate]]\nkind = \"command\"\nrun = [\"sh\", \"look.sh\"]";
    let bench = fleet("on_failed_gate = \"rollback-consumer\"", gates);
    let looks = "if test -e bad; then echo '{\"consumers\": [\"component:default/ant\"]}'; exit 1; fi\n";
    bench.put("look.sh", looks);
    bench.gander(&["run"]).expect(4);
    bench.gander(&["approve", "--wave", "1"]).expect(0);
    bench.put("bad", "");
    bench.gander(&["run"]);
    assert_eq!(bench.text("apps/ant/job.py"), JOB);
    std::fs::remove_file(bench.root.join("bad")).unwrap();
    bench.gander(&["retry", "ant"]).expect(0);
    let said = bench.gander(&["run"]).expect(4).stdout;
    assert!(said.contains("gander approve --wave 1"), "{said}");
    assert_eq!(bench.text("apps/bee/job.py"), JOB, "nothing goes out by the old approval");
}

#[test]
fn owners_opt_out_by_a_file() {
    let bench = fleet("", "");
    bench.put("apps/bee/.gander-opt-out", "we are being rewritten: no --retry\n");
    bench.git(&["add", "-A"]);
    bench.git(&["commit", "-q", "-m", "no"]);
    bench.gander(&["run"]).expect(0);
    let ledger = bench.ledger();
    assert_eq!(outcomes(&ledger)["bee"], "refused");
    assert_eq!(super::bench::reason(&ledger, "bee"), "it opts out: we are being rewritten: no --retry");
    assert_eq!(bench.text("apps/bee/job.py"), JOB);
}

/// Waits until the history has a point.
fn until(bench: &Bench, point: &str) {
    for _ in 0..6000 {
        if bench.gander(&["history"]).stdout.contains(point) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{point} did not come");
}

#[test]
fn a_pause_gets_through_to_a_run_of_another_process() {
    let bench = fleet("", "");
    let (go, begun) = (bench.root.join("go"), bench.root.join("begun"));
    // Each step lasts until it is told to go on.
    let step = format!(": > {}; until test -e {}; do sleep 0.02; done; test -s job.py", begun.display(), go.display());
    bench.put("migration.toml", bench.text("migration.toml").replace("test -s job.py", &step));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| bench.gander(&["run"]));
        until(&bench, "wave.open");
        // What is asked before anything is begun keeps it from being begun.
        for _ in 0..6000 {
            if begun.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let status = bench.gander(&["status"]).stdout;
        assert!(status.contains("is at work"), "{status}");
        let let_go = scope.spawn(|| {
            until(&bench, "asked.pause");
            std::fs::write(&go, "").unwrap();
        });
        // What can't be done is refused there as it is here.
        let refused = scope.spawn(|| bench.gander(&["rollback", "--wave", "2"]));
        until(&bench, "asked.rollback");
        let asked = bench.gander_with(&[("GANDER_ACTOR", "ana".as_ref())], &["pause", "--reason", "the pager rings"]);
        assert!(asked.stderr.contains("paused: ") || asked.stderr.contains("is at work, and was asked"), "{asked:?}");
        asked.expect(0);
        let refused = refused.join().unwrap();
        assert!(refused.stderr.contains("wave 2 was not opened"), "{refused:?}");
        refused.expect(2);
        let_go.join().unwrap();
        let ended = run.join().unwrap().expect(7);
        assert!(ended.stdout.contains("paused by ana: the pager rings"), "{}", ended.stdout);
    });
    assert_eq!(bench.text("apps/cat/job.py"), JOB);
    let history = bench.gander(&["history"]).stdout;
    assert!(history.contains("asked.pause") && history.contains("by ana"), "{history}");
    bench.gander(&["resume"]).expect(0);
    bench.gander(&["run"]).expect(0);
}

/// The export of a source does not come.
fn no_export(bench: &Bench) {
    let more = "[[consumers.from]]\nopenlineage = \"gone.ndjson\"\n[[verify.step]]";
    let text = bench
        .text("migration.toml")
        .replace("[[consumers.from]]", "[consumers]\ndatasets = [\"a.b\"]\n[[consumers.from]]");
    bench.put("migration.toml", text.replace("[[verify.step]]", more));
}

#[test]
fn what_is_out_is_watched_also_where_no_run_can_be_begun() {
    let gate = "[[rollout.gate]]\nkind = \"bake\"\nfor = \"3h\"\n[[rollout.gate]]\nkind = \"command\"\n\
                run = [\"sh\", \"-c\", \"test ! -e bad || { echo too slow; exit 1; }\"]";
    type Alter = fn(&Bench);
    let rows: [(&str, Alter, i32); 4] = [
        ("a comment", |bench| bench.put("small.rhai", bench.text("small.rhai") + "// more\n"), 5),
        ("no rule", |bench| bench.put("small.rhai", bench.text("small.rhai").replace("rule(", "rule((")), 2),
        ("no file of rules", |bench| std::fs::remove_file(bench.root.join("small.rhai")).unwrap(), 2),
        ("no export", no_export, 2),
    ];
    for (name, alter, code) in rows {
        let bench = fleet("notify = [\"sh\", \"-c\", \"cat >> heard; echo >> heard\"]", gate);
        let heard = || {
            let text = std::fs::read_to_string(bench.root.join("heard")).unwrap_or_default();
            assert!(!text.contains("\\n"), "a reason is one line: {text}");
            let kind = |line: &str| serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_owned();
            text.lines().map(kind).collect::<Vec<_>>()
        };
        let texts = ["small.rhai", "migration.toml"].map(|name| (name, bench.text(name)));
        bench.gander(&["run"]).expect(4);
        alter(&bench);
        for _ in 0..2 {
            bench.gander(&["run"]).expect(code);
        }
        assert_eq!(heard(), ["paused"], "{name}: it is told once");
        assert_ne!(bench.text("apps/ant/job.py"), JOB, "{name}");
        bench.put("bad", "");
        bench.gander(&["run"]).expect(code);
        assert_eq!(bench.text("apps/ant/job.py"), JOB, "{name}: what fails is taken back");
        assert_eq!(heard(), ["paused", "failed", "rolled-back"], "{name}");
        bench.gander(&["status"]).expect(3);
        texts.iter().for_each(|(name, text)| bench.put(name, text));
        bench.gander(&["run"]).expect(3);
        assert_eq!(heard().last().unwrap(), "resumed", "{name}");
    }
}

#[test]
fn an_approval_ends_with_the_migration_that_it_was_about() {
    let bench = fleet("", "[[rollout.gate]]\nkind = \"approval\"\n[[rollout.gate]]\nkind = \"bake\"\nfor = \"3h\"");
    bench.gander(&["run"]).expect(4);
    bench.gander(&["approve", "--wave", "1"]).expect(0);
    assert!(!bench.gander(&["run"]).expect(4).stdout.contains("gander approve"));
    // It makes the same of everybody.
    bench.put("small.rhai", format!("{}// more\n", bench.text("small.rhai")));
    let said = bench.gander(&["run", "--replan"]).expect(4).stdout;
    assert!(said.contains("gander approve --wave 1"), "{said}");
}

#[test]
fn who_comes_while_the_last_wave_runs_comes_after_it() {
    let bench = fleet("", "[[rollout.gate]]\nkind = \"approval\"");
    bench.gander(&["run"]).expect(4);
    bench.gander(&["approve", "--wave", "1"]).expect(0);
    // Half of the last wave is out.
    bench.gander(&["run", "--only", "ant"]).expect(4);
    bench.gander(&["run", "--only", "bee"]).expect(4);
    bench.put("apps/dog/job.py", JOB);
    bench.git(&["add", "apps/dog"]);
    bench.git(&["commit", "-q", "-m", "more"]);
    let said = bench.gander(&["discover"]).stdout;
    assert!(said.contains("component:default/dog is new: joins wave 3, the last"), "{said}");
    bench.gander(&["run"]).expect(4);
    let ledger = bench.ledger();
    let members = |wave: &Value| wave["members"].as_array().unwrap().len();
    let waves: Vec<usize> = ledger["waves"].as_array().unwrap().iter().map(members).collect();
    assert_eq!(waves, [1, 2, 1], "{ledger:#}");
    assert_eq!(bench.text("apps/dog/job.py"), JOB);
}
