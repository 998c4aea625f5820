//! Files that rules make, move and remove: planned, tried, delivered and taken back.

use super::bench::{Bench, outcomes, tree};
use super::patches;

const RULES: &str = r#"
rule("conf/split").lang("python").find("SETTINGS = $S")
    .edit(|m, cx| edits([
        create_file("conf/settings.py", code("VALUES = $S", #{ S: m.S })),
        replace(m.node, code("from conf.settings import VALUES as SETTINGS")),
    ]));
rule("conf/move").lang("python").find("OLD_HOME = $X")
    .edit(|m, cx| edits([
        rename_file("home/" + cx.path.split("/")[-1]),
        replace(m.node, code("HOME = $X", #{ X: m.X })),
    ]));
rule("conf/dead").lang("python").find("DEAD = True").edit(|m, cx| edits([delete_file()]));
"#;

fn fleet(how: &str) -> Bench {
    let bench = Bench::new();
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"conf\"\ntitle = \"Settings get a home\"\nrules = [\"conf.rhai\"]\n\
             [[consumers.from]]\nfolders = [\"apps/*\"]\n\
             [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"check.sh\"]\n\
             [sandbox]\nmode = \"none\"\n[rollout]\nwaves = [\"100%\"]\n[deliver]\nhow = \"{how}\"\n"
        ),
    );
    bench.put("conf.rhai", RULES);
    bench.put(".gitignore", ".gander\n");
    for name in ["ant", "bee"] {
        bench.put(&format!("apps/{name}/app.py"), "SETTINGS = {'a': 1}\n");
        bench.put(&format!("apps/{name}/lib/place.py"), "OLD_HOME = '/'\nx = 1\n");
        bench.put(&format!("apps/{name}/dead/code.py"), "DEAD = True\n");
        // Green before and after, and red where only a part of the change was made.
        let check = "if test -f conf/settings.py; then test -f home/place.py && test ! -e lib && test ! -e dead && \
                     ! grep -q SETTINGS.= app.py; else test -f lib/place.py && test -f dead/code.py && test ! -e home; fi\n";
        bench.put(&format!("apps/{name}/check.sh"), check);
    }
    bench.commit_all();
    bench
}

const AFTER: [(&str, &str); 4] = [
    ("app.py", "from conf.settings import VALUES as SETTINGS\n"),
    ("check.sh", ""),
    ("conf/settings.py", "VALUES = {'a': 1}\n"),
    ("home/place.py", "HOME = '/'\nx = 1\n"),
];

#[test]
fn a_plan_shows_files_that_come_go_and_move() {
    let bench = fleet("patches");
    let before = tree(&bench.root);
    let plan = bench.gander(&["plan"]).expect(0);
    for shown in [
        "new file mode 100644\n--- /dev/null\n+++ b/apps/ant/conf/settings.py",
        "deleted file mode 100644\n--- a/apps/bee/dead/code.py",
        "+++ b/apps/bee/home/place.py",
    ] {
        assert!(plan.stdout.contains(shown), "{shown}: {}", plan.stdout);
    }
    assert_eq!(tree(&bench.root), before);
}

#[test]
fn patches_carry_files_there_and_back() {
    let bench = fleet("patches");
    bench.gander(&["run"]).expect(0);
    let seen = patches::all_apply_and_revert(&bench, &bench.root.join(".gander/conf"));
    assert_eq!(seen.len(), 2);
    for applied in seen {
        let paths: Vec<&str> = applied.changed.keys().map(String::as_str).collect();
        assert_eq!(paths, AFTER.map(|(path, _)| path), "{}", applied.workspace);
    }
    let shown = bench.gander(&["show", "ant"]).expect(0);
    assert!(shown.stdout.contains("conf/split: 2 places in 2 files"), "{}", shown.stdout);
    let text = bench.text(".gander/conf/change-sets/wave-1/ant/change.json");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let kinds: Vec<&str> =
        json["files"].as_array().unwrap().iter().map(|f| f["outcome"]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["edit", "create", "delete", "rename"]);
}

#[test]
fn a_working_tree_gets_them_and_is_given_back() {
    let bench = fleet("checkout");
    let before = tree(&bench.root);
    bench.gander(&["run"]).expect(0);
    for name in ["ant", "bee"] {
        let now = tree(&bench.root.join("apps").join(name));
        assert_eq!(now.len(), AFTER.len(), "{now:?}");
        for (path, text) in AFTER.iter().filter(|(_, text)| !text.is_empty()) {
            assert_eq!(bench.text(&format!("apps/{name}/{path}")), *text);
        }
    }
    let again = bench.gander(&["run"]).expect(0);
    assert!(again.stdout.contains("2 changed"), "{}", again.stdout);
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(tree(&bench.root), before);
    assert!(outcomes(&bench.ledger()).values().all(|word| word == "rolled-back"));
}

#[test]
fn branches_hold_them() {
    let bench = fleet("branch");
    bench.gander(&["run"]).expect(0);
    let listed = bench.git(&["ls-tree", "-r", "--name-only", "gander/conf/ant", "apps/ant"]);
    assert_eq!(listed.lines().collect::<Vec<_>>(), AFTER.map(|(path, _)| format!("apps/ant/{path}")));
    assert_eq!(bench.git(&["show", "gander/conf/ant:apps/ant/home/place.py"]), AFTER[3].1);
}

#[test]
fn apply_makes_moves_and_removes_together_and_a_second_time_nothing() {
    let bench = fleet("patches");
    let before = tree(&bench.root);
    let dry = bench.gander(&["apply", "conf.rhai", "apps/ant", "apps/bee/app.py"]).expect(0);
    assert_eq!(tree(&bench.root), before);
    assert!(dry.stdout.contains("+++ b/apps/ant/conf/settings.py\n"), "{}", dry.stdout);
    assert!(dry.stderr.contains("2 created, 1 renamed, 1 deleted"), "{}", dry.stderr);
    bench.gander(&["apply", "conf.rhai", "apps/ant", "--write"]).expect(0);
    let now = tree(&bench.root.join("apps/ant"));
    assert_eq!(now.keys().map(String::as_str).collect::<Vec<_>>(), AFTER.map(|(path, _)| path));
    let again = bench.gander(&["apply", "conf.rhai", "apps/ant", "--write"]).expect(0);
    assert_eq!(again.stdout, "");
}

#[test]
fn apply_names_both_rules_of_a_conflict_and_does_neither() {
    let bench = Bench::new();
    let rules = r#"
rule("one").lang("python").find("one()").edit(|m, cx| edits([create_file("x.txt", "1"), replace(m.node, code("a()"))]));
rule("two").lang("python").find("two()").edit(|m, cx| edits([create_file("x.txt", "2"), replace(m.node, code("b()"))]));
"#;
    bench.put("r.rhai", rules);
    bench.put("code/a.py", "one()\n");
    bench.put("code/b.py", "two()\n");
    let before = tree(&bench.root);
    let ended = bench.gander(&["apply", "r.rhai", "code", "--write"]).expect(1);
    assert!(
        ended.stderr.contains("`one` (a.py:1) creates x.txt, and `two` (b.py:1) creates x.txt"),
        "{}",
        ended.stderr
    );
    assert_eq!(tree(&bench.root), before);
    bench.put("code/b.py", "pass\n");
    std::os::unix::fs::symlink("/tmp", bench.root.join("code/x.txt")).unwrap();
    let ended = bench.gander(&["apply", "r.rhai", "code", "--write"]).expect(1);
    assert!(ended.stderr.contains("symbolic link"), "{}", ended.stderr);
}

#[test]
fn apply_checks_facts_over_files_that_come_and_go() {
    let bench = Bench::new();
    let rules = r#"
rule("learns").lang("python").find("MOVED = $N").collect("moved", |m| m.N.value);
rule("uses").lang("python").find("$F()").where(#{ F: kind("identifier") })
    .edit(|m, cx| if m.F.text in cx.facts("moved") { edits([replace(m.F, code("new"))]) } else { skip("no") });
rule("makes").lang("python").find("LATER = $N")
    .edit(|m, cx| edits([create_file("later.py", code("MOVED = $N", #{ N: m.N })), delete(m.node)]));
"#;
    bench.put("r.rhai", rules);
    bench.put("code/a.py", "LATER = 'f'\n");
    bench.put("code/b.py", "f()\n");
    let ended = bench.gander(&["apply", "r.rhai", "code"]).expect(1);
    assert!(ended.stderr.contains("refused: code/b.py") && ended.stderr.contains("second run"), "{}", ended.stderr);
}

#[test]
fn a_case_shows_files_that_come_go_and_move() {
    let bench = Bench::new();
    bench.put("conf.rhai", RULES);
    bench.put("tests/conf/all/app.py", "SETTINGS = {'a': 1}\n");
    bench.put("tests/conf/all/lib/place.py", "OLD_HOME = '/'\n");
    bench.put("tests/conf/all/dead.py", "DEAD = True\n");
    bench.put("tests/conf/unchanged-done/conf/settings.py", "VALUES = {'a': 1}\n");
    bench.gander(&["test", "conf.rhai", "--accept"]).expect(0);
    bench.gander(&["test", "conf.rhai", "--check"]).expect(0);
    let snapshot = bench.text("tests/conf/all.snap");
    for line in [
        "app.py:1:1: mapped by conf/split: creates conf/settings.py\n",
        "dead.py:1:1: mapped by conf/dead: deletes this file\n",
        "lib/place.py:1:1: mapped by conf/move: renames this file to home/place.py\n",
        "new file mode 100644\n--- /dev/null\n+++ b/conf/settings.py\n@@ -0,0 +1 @@\n+VALUES = {'a': 1}\n",
        "deleted file mode 100644\n--- a/dead.py\n",
        "+++ b/home/place.py\n",
    ] {
        assert!(snapshot.contains(line), "{line}: {snapshot}");
    }
}

#[test]
fn apply_takes_one_folder_for_one_however_it_is_spelled() {
    let rules = r#"
rule("moves").lang("python").find("mv = $N").edit(|m, cx| edits([rename_file("t.py"), delete(m.node)]));
rule("up").lang("python").find("up()").edit(|m, cx| edits([create_file("sub/t.py", "y = 1"), delete(m.node)]));
"#;
    let cases: [(&[&str], &[&str]); 4] = [
        (&["code/a.py", "code/b.py"], &["code/a.py", "./code/b.py"]),
        (&["code/a.py", "code/b.py"], &["code", "./code"]),
        (&["code/a.py", "code/b.py"], &["code/a.py", "code/sub/../b.py"]),
        (&["code/up.py", "code/sub/b.py"], &["code", "code/sub"]),
    ];
    for (files, paths) in cases {
        let bench = Bench::new();
        bench.put("r.rhai", rules);
        bench.put("code/sub/c.py", "c = 1\n");
        for (number, file) in files.iter().enumerate() {
            let code =
                if file.ends_with("up.py") { "up()\nz = 1\n".to_owned() } else { format!("mv = 1\nx = {number}\n") };
            bench.put(file, code);
        }
        let before = tree(&bench.root);
        let arguments: Vec<&str> = ["apply", "r.rhai", "--write"].iter().chain(paths).copied().collect();
        let ended = bench.gander(&arguments).expect(1);
        assert!(ended.stderr.contains("refused: "), "{paths:?}: {}", ended.stderr);
        assert_eq!(tree(&bench.root), before, "{paths:?}");
    }
}

#[test]
fn apply_makes_no_twin_of_what_is_there() {
    let bench = Bench::new();
    bench.put(
        "r.rhai",
        r#"rule("m").lang("python").find("f()").edit(|m, cx| edits([create_file("Conf/new.txt", "x")]));"#,
    );
    bench.put("code/a.py", "f()\n");
    bench.put("code/conf/x.txt", "x\n");
    let before = tree(&bench.root);
    let ended = bench.gander(&["apply", "r.rhai", "code", "--write"]).expect(1);
    assert!(ended.stderr.contains("conf is there, and on some systems both are one file"), "{}", ended.stderr);
    assert_eq!(tree(&bench.root), before);
}

#[cfg(unix)]
fn mode(bench: &Bench, path: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(bench.root.join(path)).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[test]
fn a_private_file_that_moves_stays_private_there_and_back() {
    use std::os::unix::fs::PermissionsExt as _;
    let private = |bench: &Bench, path: &str, mode: u32| {
        std::fs::set_permissions(bench.root.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let bench = fleet("checkout");
    private(&bench, "apps/ant/lib/place.py", 0o600);
    bench.gander(&["run"]).expect(0);
    assert_eq!(mode(&bench, "apps/ant/home/place.py"), 0o600);
    bench.gander(&["rollback", "--all"]).expect(0);
    assert_eq!(mode(&bench, "apps/ant/lib/place.py"), 0o600);
    private(&bench, "apps/bee/lib/place.py", 0o700);
    bench.gander(&["apply", "conf.rhai", "apps/bee", "--write"]).expect(0);
    assert_eq!(mode(&bench, "apps/bee/home/place.py"), 0o700);
}

#[test]
fn no_file_goes_where_git_ignores_it() {
    let bench = fleet("checkout");
    bench.put("apps/ant/.gitignore", "home/\n");
    bench.commit_all();
    let before = tree(&bench.root.join("apps/ant"));
    let ran = bench.gander(&["run"]);
    assert_eq!(tree(&bench.root.join("apps/ant")), before, "{}", ran.stderr);
    let ledger = bench.ledger();
    assert_eq!(outcomes(&ledger)["ant"], "refused", "{ledger}");
    assert!(super::bench::reason(&ledger, "ant").contains("git ignores apps/ant/home/place.py"), "{ledger}");
    assert!(bench.root.join("apps/bee/home/place.py").exists());
}

#[test]
fn a_move_that_was_killed_half_way_is_finished_by_the_next_run() {
    let bench = Bench::new();
    bench.put(
        "r.rhai",
        r#"rule("m").lang("python").find("OLD = $X").edit(|m, cx| edits([rename_file("new.py"), delete(m.node)]));"#,
    );
    bench.put("code/a.py", "OLD = 1\nx = 1\n");
    bench.put("code/new.py", "x = 1\n");
    // As the kill leaves it: the new path is written, the old one is not gone yet.
    bench.gander(&["apply", "r.rhai", "code", "--write"]).expect(0);
    let now = tree(&bench.root.join("code"));
    assert_eq!(now.keys().map(String::as_str).collect::<Vec<_>>(), ["new.py"]);
    assert_eq!(bench.text("code/new.py"), "x = 1\n");
    bench.put("code/a.py", "OLD = 1\nx = 2\n");
    bench.gander(&["apply", "r.rhai", "code", "--write"]).expect(1);
    assert_eq!(bench.text("code/new.py"), "x = 1\n", "another file is not written over");
    assert_eq!(bench.text("code/a.py"), "OLD = 1\nx = 2\n");
}
