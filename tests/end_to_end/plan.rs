//! `gander plan` is pure: it changes nothing, and says the same at any number of
//! threads, in any folder, with git and without.

use std::path::Path;

use super::bench::{Bench, fixture, stats};

#[test]
fn a_plan_leaves_no_trace_and_depends_on_nothing_but_the_pins() {
    let bench = Bench::copy_of(&fixture());
    bench.commit_all();
    let before = stats(&bench.root);
    let one = bench.gander(&["plan", "migration.toml", "--json", "--threads", "1"]).expect(0);
    let eight = bench.gander(&["plan", "migration.toml", "--json", "--threads", "8"]).expect(0);
    let text = bench.gander(&["plan", "migration.toml"]).expect(0);
    let after = stats(&bench.root);
    for (path, was) in &before {
        assert_eq!(after.get(path), Some(was), "{} was touched", path.display());
    }
    assert_eq!(before.len(), after.len(), "something was made: {:?}", after.keys().find(|p| !before.contains_key(*p)));
    assert!(before.contains_key(Path::new(".git/index")));
    assert!(one.stdout == eight.stdout, "one thread and eight make different plans");

    let elsewhere = Bench::copy_of(&bench.root);
    let there = elsewhere.gander(&["plan", "migration.toml", "--json"]).expect(0);
    assert!(one.stdout == there.stdout, "the plan depends on the folder that the fleet lies in");
    let text_there = elsewhere.gander(&["plan", "migration.toml"]).expect(0);
    assert!(text.stdout == text_there.stdout, "the printed plan depends on the folder that the fleet lies in");

    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for (what, out) in [("--json", &one.stdout), ("the text", &text.stdout)] {
        assert!(out.contains("signed_up_at"), "{what} shows the change");
        for private in [bench.root.to_str().unwrap(), env!("CARGO_MANIFEST_DIR"), host.trim()] {
            assert!(!out.contains(private), "{what} names {private}");
        }
    }
    assert!(one.json()["digest"].is_string());
}

#[test]
fn a_fleet_without_git_is_planned_alike_everywhere() {
    let [here, there] = [(); 2].map(|()| Bench::copy_of(&fixture()));
    let before = stats(&here.root);
    let plans = [&here, &there].map(|b| b.gander(&["plan", "migration.toml", "--json"]).expect(0).stdout);
    assert!(plans[0] == plans[1]);
    assert_eq!(stats(&here.root), before);
}

#[test]
fn the_migration_says_what_language_a_file_is_of() {
    let bench = Bench::new();
    let migration = |languages: &str| {
        format!(
            "[migration]\nid = \"q\"\ntitle = \"Queries\"\nrules = [\"q.rhai\"]\n{languages}\
             [[consumers.from]]\nfolders = [\"apps/*\"]\n"
        )
    };
    let rules = r#"rule("q/table").lang("sql").find("from old.users").replace("from fresh.users");
rule("q/flags").lang("python").find("FLAGS = $X")
    .edit(|m, cx| edits([create_file("conf/flags.conf", code("$V", #{ V: lit(true) })), replace(m.node, code("FLAGS = 2"))]));
"#;
    bench.put("q.rhai", rules);
    for path in ["a.hql", "jobs/b.txt", "notes/c.txt", "legacy/d.sql", "e.sql"] {
        bench.put(&format!("apps/one/{path}"), "select 1 from old.users\n");
    }
    bench.put("apps/one/flags.py", "FLAGS = 1\n");
    let planned = |languages: &str| {
        bench.put("migration.toml", migration(languages));
        bench.gander(&["plan"]).expect(0).stdout
    };
    let plain = planned("");
    let touched = |plan: &str, path: &str| plan.contains(&format!("+++ b/{path}\n"));
    let all = ["a.hql", "jobs/b.txt", "notes/c.txt", "legacy/d.sql", "e.sql"];
    assert_eq!(all.map(|path| touched(&plain, path)), [false, false, false, true, true], "{plain}");
    assert!(plain.contains("+True\n"), "{plain}");
    let said = planned(
        "[[languages]]\nfiles = [\"legacy/**\"]\nlanguage = \"none\"\n\
         [[languages]]\nfiles = [\"**/*.hql\", \"jobs/*.txt\"]\nlanguage = \"sql\"\n\
         [[languages]]\nfiles = [\"**/*.conf\"]\nlanguage = \"json\"\n",
    );
    assert_eq!(all.map(|path| touched(&said, path)), [true, true, false, false, true], "{said}");
    assert!(said.contains("+true\n"), "a new file is written in its language\n{said}");
}

#[test]
fn shards_merge_to_the_plan_of_one_run() {
    let bench = Bench::copy_of(&fixture());
    bench.commit_all();
    let whole = bench.gander(&["plan", "migration.toml", "--json"]).expect(0).stdout;
    let ledger = bench.gander(&["plan", "migration.toml", "--no-diff"]).expect(0).stdout;
    // Each shard sees the fleet in a folder of its own, as on a machine of its own.
    let elsewhere = Bench::copy_of(&bench.root);
    std::fs::create_dir(bench.root.join("parts")).unwrap();
    let parts = bench.root.join("parts");
    for (on, shard) in [(&elsewhere, "3/3"), (&bench, "1/3")] {
        on.gander(&["plan", "migration.toml", "--shard", shard, "--out", parts.to_str().unwrap()]).expect(0);
    }
    let named = |skip: &str| -> Vec<String> {
        let files = std::fs::read_dir(&parts).unwrap().map(|e| e.unwrap().path().to_str().unwrap().to_owned());
        files.filter(|f| skip.is_empty() || !f.ends_with(skip)).collect()
    };
    let merge = |files: &[String], more: &[&str]| {
        let args: Vec<&str> =
            ["merge"].into_iter().chain(files.iter().map(String::as_str)).chain(more.to_vec()).collect();
        bench.gander(&args)
    };
    let half = parts.join("half");
    let half = half.to_str().unwrap();
    assert!(merge(&named(""), &[]).expect(1).stderr.contains("shard 2 missing"));
    merge(&named(""), &["--out", half]).expect(0);
    bench.gander(&["plan", "migration.toml", "--shard", "2/3", "--out", parts.to_str().unwrap()]).expect(0);
    // The third one with the two that were merged before, and all of them once more.
    let merged = merge(&named(""), &["--json"]).expect(0);
    assert!(merged.stdout == whole, "the merged plan differs from the plan of one run");
    assert_eq!(merge(&named("half"), &[]).expect(0).stdout, ledger);
}

#[test]
fn who_is_asked_for_is_there_and_waves_are_those_of_the_rollout() {
    let bench = Bench::new();
    let migration = |first: &str, folders: &str| {
        format!(
            "[migration]\nid = \"small\"\ntitle = \"t\"\nrules = [\"small.rhai\"]\n\
             [[consumers.from]]\nfolders = [\"{folders}\"]\n\
             [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"-c\", \"test -s job.py\"]\n\
             [sandbox]\nmode = \"none\"\n\
             [rollout]\nwaves = [\"1\", \"100%\"]\nfirst = [\"component:default/{first}\"]\n"
        )
    };
    bench.put("small.rhai", "rule(\"small/r\").lang(\"python\").find(\"old($X)\").replace(\"new($X)\");\n");
    for name in ["billing", "orders"] {
        bench.put(&format!("apps/{name}/job.py"), "old(1)\n");
    }
    bench.put("apps/quiet/job.py", "old = 1\n");
    bench.put("apps/still/job.py", "x = 1\n");
    bench.put("migration.toml", migration("orders", "nothing/*"));
    bench.commit_all();
    let nobody = bench.gander(&["run"]);
    assert!(nobody.stderr.contains("no consumer was found: correct [consumers]"), "{}", nobody.stderr);
    nobody.expect(2);
    // A word that means nobody would let another one lead.
    bench.put("migration.toml", migration("ordres\", \"tier=1\", \"language=python", "apps/*"));
    let said = bench.gander(&["plan", "--waves"]).expect(0).stderr;
    for who in ["component:default/ordres", "tier=1"] {
        assert!(said.contains(&format!("[rollout] first: nobody is {who}; see `gander discover`")), "{said}");
    }
    assert!(!said.contains("language=python"), "{said}");
    bench.put("migration.toml", migration("orders", "apps/*"));
    for arguments in [["plan", "--only", "biling"], ["run", "--only", "biling"]] {
        let ended = bench.gander(&arguments);
        assert!(ended.stderr.contains("no consumer is called component:default/biling (is it billing?)"), "{ended:?}");
        ended.expect(2);
    }
    bench.gander(&["run"]).expect(0);
    // Another order in the file is not that of the rollout that has begun.
    bench.put("migration.toml", migration("billing", "apps/*"));
    let rows = bench.gander(&["plan", "--no-diff"]).expect(0).stdout;
    let of = |name: &str| rows.lines().find(|line| line.contains(name)).unwrap_or_default();
    assert!(of("orders").contains("wave 1") && of("billing").contains("wave 2"), "{rows}");
    let waves = bench.gander(&["plan", "--waves"]).expect(0).stdout;
    assert!(waves.contains("component:default/orders: the rollout has it there"), "{waves}");
    let ledger = bench.ledger();
    let why = |name: &str| super::bench::reason(&ledger, name);
    assert_eq!(why("still"), "no rule matched");
    assert!(why("quiet").contains("though a file holds names that the rules look for"), "{}", why("quiet"));
}
