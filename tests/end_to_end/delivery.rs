//! What is delivered where, and taken back; and the commands around it.

use super::bench::{Bench, outcomes, reason, stats, tree};

const JOB: &str = "rows = read_table(\"users_v1\")\n";

/// Three consumers that pass, delivered as `how`; `more` is added to `[consumers]`.
fn fleet(how: &str, more: &str) -> Bench {
    let bench = Bench::new();
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"small\"\ntitle = \"Read users_v2\"\nrules = [\"small.rhai\"]\n\
             [consumers]\n{more}\n[[consumers.from]]\nfolders = [\"apps/*\"]\n\
             [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"-c\", \"test -s job.py\"]\n\
             [rollout]\nwaves = [\"1\", \"100%\"]\nfirst = [\"component:default/ant\"]\n\
             [deliver]\nhow = \"{how}\"\n"
        ),
    );
    let rule = "rule(\"small/table\").lang(\"python\").find(\"read_table(\\\"users_v1\\\")\")\
                .replace(\"read_table(\\\"users_v2\\\")\");\n";
    bench.put("small.rhai", rule);
    bench.put(".gitignore", ".gander\n");
    for name in ["ant", "bee", "cat"] {
        bench.put(&format!("apps/{name}/job.py"), JOB);
        bench.put(&format!("apps/{name}/notes.txt"), "kept\n");
    }
    bench.commit_all();
    bench
}

fn migrated(bench: &Bench, name: &str) -> bool {
    match bench.text(&format!("apps/{name}/job.py")) {
        text if text == JOB => false,
        text if text == JOB.replace("users_v1", "users_v2") => true,
        text => panic!("{name}: {text}"),
    }
}

#[test]
fn a_checkout_is_refused_where_somebody_works() {
    for more in ["", "dirty = \"pin\""] {
        let bench = fleet("checkout", more);
        bench.put("apps/bee/notes.txt", "half a sentence");
        let before = stats(&bench.root.join("apps/bee"));
        let ended = bench.gander(&["run"]);
        let ledger = bench.ledger();
        assert_eq!(outcomes(&ledger)["bee"], "refused", "{ledger:#}");
        assert!(reason(&ledger, "bee").contains("notes.txt"), "{}", reason(&ledger, "bee"));
        assert!(reason(&ledger, "bee").contains("commit or stash"), "{}", reason(&ledger, "bee"));
        assert_eq!(stats(&bench.root.join("apps/bee")), before, "{ended:?}");
        assert!(migrated(&bench, "ant") && migrated(&bench, "cat"), "{ledger:#}");
    }
}

#[test]
fn what_git_lays_out_with_other_bytes_is_nobodys_change() {
    let bench = fleet("checkout", "");
    bench.put("apps/bee/.gitattributes", "job.py text eol=crlf\n");
    bench.commit_all();
    std::fs::remove_file(bench.root.join("apps/bee/job.py")).unwrap();
    bench.git(&["checkout", "-q", "--", "apps/bee/job.py"]);
    assert!(bench.text("apps/bee/job.py").ends_with("\r\n"));
    bench.gander(&["run"]);
    let ledger = bench.ledger();
    assert_eq!(outcomes(&ledger)["bee"], "refused", "{ledger:#}");
    assert!(reason(&ledger, "bee").contains("job.py: git does not lay it out as it is committed"), "{ledger:#}");
}

#[test]
fn a_rollback_brings_every_byte_back() {
    let bench = fleet("checkout", "");
    let before = tree(&bench.root);
    bench.gander(&["run"]).expect(0);
    assert!(["ant", "bee", "cat"].iter().all(|name| migrated(&bench, name)));
    let again = bench.gander(&["run"]).expect(0);
    assert!(again.stdout.contains("3 changed"), "gander's own writes are no foreign ones: {}", again.stdout);
    bench.gander(&["rollback", "--consumer", "bee"]).expect(0);
    assert!(migrated(&bench, "ant") && !migrated(&bench, "bee"));
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(tree(&bench.root), before);
    assert_eq!(bench.git(&["status", "--porcelain"]), "");
    assert!(outcomes(&bench.ledger()).values().all(|word| word == "rolled-back"));
}

#[test]
fn branches_come_and_go_beside_the_working_tree() {
    let bench = fleet("branch", "");
    let before = stats(&bench.root.join("apps"));
    let refs = |b: &Bench| b.git(&["for-each-ref", "--format=%(refname)"]);
    let (head, index) = (bench.git(&["rev-parse", "HEAD"]), std::fs::read(bench.root.join(".git/index")).unwrap());
    bench.gander(&["run"]).expect(0);
    for name in ["ant", "bee", "cat"] {
        let branch = format!("gander/small/{name}");
        let shown = bench.git(&["show", &format!("{branch}:apps/{name}/job.py")]);
        assert_eq!(shown, JOB.replace("users_v1", "users_v2"));
        assert_eq!(bench.git(&["diff", "--name-only", "main", &branch]), format!("apps/{name}/job.py\n"));
        assert_eq!(bench.git(&["rev-parse", &format!("{branch}^")]), head);
    }
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(refs(&bench), "refs/heads/main\n");
    assert_eq!(bench.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(std::fs::read(bench.root.join(".git/index")).unwrap(), index);
    assert_eq!(stats(&bench.root.join("apps")), before, "the working tree was touched");
}

#[test]
fn nothing_that_a_person_did_since_is_overwritten() {
    let bench = fleet("checkout", "");
    bench.gander(&["run"]).expect(0);
    let mine = "rows = read_table(\"users_v2\", since=7)\n";
    bench.put("apps/bee/job.py", mine);
    bench.git(&["add", "-A"]);
    bench.git(&["commit", "-q", "-m", "mine"]);
    let before = stats(&bench.root.join("apps/bee"));
    let ended = bench.gander(&["rollback", "--all"]);
    assert_eq!(stats(&bench.root.join("apps/bee")), before);
    assert_eq!(bench.text("apps/bee/job.py"), mine);
    let ledger = bench.ledger();
    let why = reason(&ledger, "bee");
    assert_eq!(outcomes(&ledger)["bee"], "errored", "{why}; {ended:?}");
    assert!(why.contains("job.py") && why.contains("somebody changed it"), "{why}");
    assert!(!migrated(&bench, "ant") && !migrated(&bench, "cat"));
    assert!(ended.stderr.contains("not taken back apps/bee: job.py"), "{}", ended.stderr);
    ended.expect(5);
}

#[test]
fn a_persons_branch_of_that_name_stays() {
    let bench = fleet("branch", "");
    bench.git(&["branch", "gander/small/bee"]);
    let mine = bench.git(&["rev-parse", "gander/small/bee"]);
    bench.gander(&["run"]);
    let ledger = bench.ledger();
    assert_eq!(bench.git(&["rev-parse", "gander/small/bee"]), mine);
    assert_ne!(outcomes(&ledger)["bee"], "changed", "{}", reason(&ledger, "bee"));
    assert!(reason(&ledger, "bee").contains("gander/small/bee"), "{}", reason(&ledger, "bee"));
    assert!(reason(&ledger, "bee").ends_with("then run again with --retry"), "{}", reason(&ledger, "bee"));
    let status = bench.gander(&["status"]).expect(7).stdout;
    assert!(status.contains("; not out: 1 × refused"), "{status}");
}

#[test]
fn only_those_that_are_named_advance() {
    let bench = fleet("checkout", "");
    bench.gander(&["run", "--only", "ant"]).expect(4);
    assert_eq!(["ant", "bee", "cat"].map(|name| migrated(&bench, name)), [true, false, false]);
    let words = outcomes(&bench.ledger());
    assert_eq!((words["ant"].as_str(), words["bee"].as_str()), ("changed", "pending"));
    let verdict = |name: &str| {
        let ledger = bench.ledger();
        let rows = ledger["rows"].as_array().unwrap();
        rows.iter().find(|r| r["entity"].as_str().unwrap().ends_with(name)).unwrap()["verdict"].clone()
    };
    assert!(verdict("/ant").is_string() && verdict("/bee").is_null(), "nobody else is verified");
    bench.gander(&["run", "--only", "nobody"]).expect(2);
    bench.gander(&["run"]).expect(0);
    assert!(["ant", "bee", "cat"].iter().all(|name| migrated(&bench, name)));
}

#[test]
fn apply_refuses_what_its_own_result_would_change_again() {
    let bench = Bench::new();
    let rules = r#"
rule("declared").lang("python").find("MOVED = $NAME").collect("moved", |m| m.NAME.value);
rule("declares").lang("python").find("LATER = $NAME").replace("MOVED = $NAME");
rule("renamed").lang("python").find("$F($$$A)").where(#{ F: kind("identifier") })
    .edit(|m, cx| if m.F.text in cx.facts("moved") { edits([replace(m.F, code("n"))]) } else { skip("") });
"#;
    bench.put("r.rhai", rules);
    bench.put("code/a.py", "MOVED = 'load'\nLATER = 'save'\n");
    bench.put("code/b.py", "load(1)\nsave(2)\n");
    let ended = bench.gander(&["apply", "r.rhai", "code", "--write"]).expect(1);
    assert!(ended.stderr.contains("refused: code/b.py") && ended.stderr.contains("second run"), "{}", ended.stderr);
    assert_eq!(bench.text("code/b.py"), "load(1)\nsave(2)\n");
}

#[test]
fn apply_is_dry_until_it_is_told_to_write() {
    let bench = fleet("patches", "");
    let before = stats(&bench.root);
    let dry = bench.gander(&["apply", "small.rhai", "apps/ant"]).expect(0);
    assert!(dry.stdout.contains("+rows = read_table(\"users_v2\")"), "{}", dry.stdout);
    assert_eq!(stats(&bench.root), before);
    bench.gander(&["apply", "small.rhai", "apps/ant", "--write"]).expect(0);
    assert!(migrated(&bench, "ant") && !migrated(&bench, "bee"));
    let again = bench.gander(&["apply", "small.rhai", "apps/ant", "--write"]).expect(0);
    assert_eq!(again.stdout, "", "the second time there is nothing left");
    assert!(!bench.root.join(".gander").exists());
}

#[test]
fn no_escape_codes_where_no_terminal_is() {
    let bench = fleet("patches", "");
    let commands: [&[&str]; 7] = [
        &["plan"],
        &["run"],
        &["status"],
        &["show", "ant"],
        &["--help"],
        &["run", "no-such-file.toml"],
        &["find", "-l", "python", "-p", "read_table($X)"],
    ];
    for arguments in commands {
        for variables in [vec![], vec![("NO_COLOR", "1".as_ref())]] {
            let ended = bench.gander_with(&variables, arguments);
            let printed = [ended.stdout.as_str(), &ended.stderr].concat();
            assert!(!printed.is_empty() && !printed.contains('\u{1b}'), "{arguments:?}: {printed:?}");
        }
        assert!(!arguments.is_empty());
    }
    let colored = bench.gander(&["plan", "--color", "always"]).expect(0);
    assert!(colored.stdout.contains('\u{1b}'), "colours can be asked for");
}

#[test]
fn a_migration_file_is_understood_before_anything_is_written() {
    let bench = fleet("patches", "");
    let good = bench.text("migration.toml");
    for (bad, key, line, help) in [
        (good.replace("waves", "vawes"), "rollout.vawes", "vawes", "waves"),
        (good.replace("how = \"patches\"", "how = \"post\""), "deliver.how", "how = \"post\"", "patches"),
        (good.replace("title = \"Read users_v2\"", "title = 7"), "migration.title", "title = 7", "title = "),
        (good.replace("small.rhai", "lost.rhai"), "migration.rules", "lost.rhai", "lost.rhai"),
    ] {
        bench.put("migration.toml", &bad);
        let before = stats(&bench.root);
        let number = bad.lines().position(|l| l.contains(line)).unwrap() + 1;
        for command in ["run", "plan", "status"] {
            let ended = bench.gander(&[command]).expect(2);
            let place = format!("migration.toml:{number}:");
            assert!(ended.stderr.contains(&place), "{command}: no {place} in {}", ended.stderr);
            assert!(ended.stderr.contains(key) && ended.stderr.contains(help), "{command}: {}", ended.stderr);
            assert_eq!(ended.stdout, "");
        }
        assert_eq!(stats(&bench.root), before, "something was written");
    }
}

#[test]
fn patches_that_somebody_has_applied_are_not_said_to_be_back() {
    let bench = fleet("patches", "");
    bench.gander(&["run"]).expect(0);
    let folder = ".gander/small/change-sets/wave-1/ant";
    bench.git(&["apply", &format!("{folder}/change.patch")]);
    let dry = bench.gander(&["rollback", "--all", "--dry-run"]).expect(5).stdout;
    assert!(dry.contains("it is applied: job.py"), "{dry}");
    bench.gander(&["rollback", "--all"]).expect(5);
    let ledger = bench.ledger();
    assert!(reason(&ledger, "ant").contains("git apply revert.patch"), "{ledger:#}");
    assert_eq!(outcomes(&ledger)["bee"], "rolled-back");
    assert!(bench.text(&format!("{folder}/WITHDRAWN.md")).contains("git apply revert.patch"));
    bench.git(&["apply", &format!("{folder}/revert.patch")]);
    bench.gander(&["rollback", "--all"]).expect(0);
    assert!(!migrated(&bench, "ant"));
}

#[test]
fn what_was_put_back_in_a_working_tree_alone_is_to_be_committed() {
    let bench = fleet("checkout", "");
    bench.gander(&["run"]).expect(0);
    bench.git(&["add", "apps/ant"]);
    bench.git(&["commit", "-q", "-m", "ours"]);
    bench.gander(&["rollback", "--all"]).expect(5);
    assert!(!migrated(&bench, "ant"));
    let committed = "its last commit still holds job.py";
    assert!(reason(&bench.ledger(), "ant").contains(committed), "{:#}", bench.ledger());
    // Its owner throws that away: it is there again, and goes again.
    bench.git(&["checkout", "-q", "--", "apps/ant"]);
    bench.gander(&["run"]);
    assert!(migrated(&bench, "ant") && reason(&bench.ledger(), "ant").contains(committed), "{:#}", bench.ledger());
    bench.gander(&["rollback", "--consumer", "ant"]).expect(5);
    assert!(!migrated(&bench, "ant"));
    bench.git(&["commit", "-q", "-am", "back"]);
    bench.gander(&["rollback", "--consumer", "ant"]).expect(0);
    assert!(!reason(&bench.ledger(), "ant").contains(committed), "{:#}", bench.ledger());
}

#[test]
fn a_lost_state_knows_what_was_written_into_working_trees() {
    let bench = fleet("checkout", "");
    bench.gander(&["run"]).expect(0);
    // One has committed it, one has changed it since.
    bench.git(&["add", "apps/ant"]);
    bench.git(&["commit", "-q", "-m", "ours"]);
    bench.put("apps/cat/job.py", "rows = read_table(\"users_v2\", 7)\n");
    std::fs::remove_file(bench.root.join(".gander/small/state.db")).unwrap();
    let said = bench.gander(&["recover"]).expect(4).stdout;
    for line in ["apps/ant  delivered: its files are as change-sets/wave-1/ant", "apps/cat  unknown: some of its files"]
    {
        assert!(said.contains(line), "{said}");
    }
    bench.put("apps/cat/job.py", JOB.replace("users_v1", "users_v2"));
    let said = bench.gander(&["recover"]).expect(0).stdout;
    assert!(said.contains("3 change sets recovered"), "{said}");
    bench.gander(&["run"]).expect(0);
    assert!(outcomes(&bench.ledger()).values().all(|word| word == "changed"), "{:#}", bench.ledger());
    bench.gander(&["rollback", "--all"]).expect(5);
    assert!(["ant", "bee", "cat"].iter().all(|name| !migrated(&bench, name)), "{:#}", bench.ledger());
}

/// The file of a change set of a consumer.
fn papers(name: &str, file: &str) -> String {
    let wave = if name == "ant" { 1 } else { 2 };
    format!(".gander/small/change-sets/wave-{wave}/{name}/{file}")
}

#[test]
fn patches_are_told_by_what_is_applied_and_what_is_committed() {
    let bench = fleet("patches", "");
    bench.put("apps/bee/more.py", JOB);
    bench.put("apps/cat/more.py", format!("{JOB}\n\n\n\nlast = 1\n"));
    bench.commit_all();
    bench.gander(&["run"]).expect(0);
    // One is not committed, of one a half is, one goes on in a file of it.
    bench.git(&["apply", &papers("ant", "change.patch")]);
    bench.git(&["apply", "--include=apps/bee/job.py", &papers("bee", "change.patch")]);
    bench.git(&["apply", &papers("cat", "change.patch")]);
    bench.git(&["add", "apps/bee", "apps/cat"]);
    bench.git(&["commit", "-q", "-m", "ours"]);
    bench.put("apps/cat/more.py", bench.text("apps/cat/more.py") + "mine = 2\n");
    bench.git(&["add", "apps/cat"]);
    bench.git(&["commit", "-q", "-m", "more"]);
    for _ in 0..2 {
        bench.gander(&["run"]).expect(7);
        let ledger = bench.ledger();
        assert!(outcomes(&ledger).values().all(|word| word == "changed"), "{ledger:#}");
        assert_eq!(ledger["waves"].as_array().unwrap().len(), 2, "nothing is made anew: {ledger:#}");
        for (name, why) in [
            ("ant", "; it is applied in its folder, and not committed"),
            ("bee", "its owner may have merged a part of it"),
            ("cat", "; applied and committed"),
        ] {
            assert!(reason(&ledger, name).contains(why), "{name}: {}", reason(&ledger, name));
        }
    }
    let said = bench.gander(&["rollback", "--consumer", "bee"]).expect(5).stderr;
    assert!(said.contains("bring the rest of it in or take it out by hand, then run again"), "{said}");
    bench.git(&["apply", "--include=apps/bee/more.py", &papers("bee", "change.patch")]);
    bench.git(&["commit", "-q", "-m", "the rest", "apps/bee"]);
    bench.gander(&["run"]).expect(0);
    bench.gander(&["rollback", "--all"]).expect(5);
    let ledger = bench.ledger();
    for name in ["ant", "bee", "cat"] {
        assert!(reason(&ledger, name).contains("it is applied: job.py is as gander left it"), "{ledger:#}");
        bench.git(&["apply", &papers(name, "revert.patch")]);
    }
    bench.gander(&["run"]).expect(3);
    let ledger = bench.ledger();
    assert!(outcomes(&ledger).values().all(|word| word == "rolled-back"), "{ledger:#}");
    assert!(reason(&ledger, "bee").contains("its last commit still holds job.py as gander left it: commit that"));
    assert!(!reason(&ledger, "ant").contains("as gander left it"), "{ledger:#}");
}

#[test]
fn files_that_come_back_are_told() {
    let bench = fleet("checkout", "");
    bench.gander(&["run"]).expect(0);
    // One is committed on another branch, which is merged later; one is put aside.
    bench.git(&["checkout", "-q", "-b", "feature"]);
    bench.git(&["commit", "-q", "-m", "ours", "apps/ant"]);
    bench.git(&["checkout", "-q", "main"]);
    bench.git(&["stash", "push", "-q", "apps/cat"]);
    bench.gander(&["run"]).expect(0);
    for name in ["ant", "cat"] {
        let said = reason(&bench.ledger(), name).to_owned();
        assert!(said.contains("its owner put its files back as they were"), "{said}");
    }
    bench.git(&["merge", "-q", "feature"]);
    bench.gander(&["run"]).expect(0);
    assert_eq!(outcomes(&bench.ledger())["ant"], "changed", "{:#}", bench.ledger());
    // One is put aside for the time of the rollback.
    bench.git(&["stash", "push", "-q", "apps/bee"]);
    bench.gander(&["rollback", "--all"]).expect(5);
    bench.git(&["commit", "-q", "-m", "back", "apps/ant"]);
    bench.git(&["stash", "pop", "-q"]);
    bench.git(&["stash", "pop", "-q"]);
    for _ in 0..2 {
        bench.gander(&["run"]).expect(3);
        let ledger = bench.ledger();
        for (name, why) in [
            ("bee", "what was taken back is there all the same: job.py is as gander left it, and not committed"),
            ("cat", "it is there though its wave was taken back"),
        ] {
            assert!(reason(&ledger, name).contains(why), "{}", reason(&ledger, name));
            assert!(!reason(&ledger, name).contains("commit or stash"), "{}", reason(&ledger, name));
        }
    }
    bench.gander(&["rollback", "--consumer", "bee"]).expect(0);
    bench.gander(&["rollback", "--all"]).expect(0);
    assert!(["ant", "bee", "cat"].iter().all(|name| !migrated(&bench, name)), "{:#}", bench.ledger());
}

#[test]
fn what_is_committed_and_outdated_is_said_not_to_be_corrected() {
    for how in ["checkout", "patches"] {
        let bench = fleet(how, "");
        bench.gander(&["run"]).expect(0);
        for name in ["ant", "bee", "cat"].iter().filter(|_| how == "patches") {
            bench.git(&["apply", &papers(name, "change.patch")]);
        }
        bench.git(&["commit", "-q", "-am", "ours"]);
        bench.gander(&["run"]).expect(0);
        bench.put("small.rhai", bench.text("small.rhai").replace("users_v2", "users_v3"));
        for _ in 0..2 {
            let said = bench.gander(&["correct"]).expect(1).stderr;
            assert_eq!(said.matches("not corrected: it is in its owner's files").count(), 3, "{how}: {said}");
        }
        bench.gander(&["run"]).expect(1);
        bench.gander(&["rollback", "--consumer", "ant"]).expect(5);
        assert!(!reason(&bench.ledger(), "ant").contains("not corrected"), "{:#}", bench.ledger());
    }
}
