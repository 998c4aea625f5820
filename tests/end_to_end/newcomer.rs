//! What somebody meets on the first day: starting points that work at once, one way to
//! name things, and counts that are true.

use super::bench::{Bench, outcomes};

#[test]
fn a_new_migration_is_found_verified_and_delivered_at_once() {
    for language in ["python", "kotlin"] {
        let bench = Bench::new();
        bench.gander(&["new", "migration", "first", "--lang", language]).expect(0);
        bench.gander(&["test", "first"]).expect(0);
        let found = bench.gander(&["discover", "first/migration.toml"]).expect(0);
        assert!(found.stdout.contains("1 consumer, 0 further downstream; complete"), "{}", found.stdout);
        let ran = bench.gander(&["run", "first/migration.toml"]).expect(0);
        assert!(ran.stdout.contains("1 consumer: 1 changed"), "{}", ran.stdout);
        let ledger = bench.gander(&["status", "-m", "first/migration.toml", "--json"]).expect(0).json();
        assert_eq!(outcomes(&ledger)["example"], "changed");
    }
}

fn fleet() -> Bench {
    let bench = Bench::new();
    bench.put(
        "migration.toml",
        "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n[[consumers.from]]\nfolders = [\"apps/*\"]\n\
         [[verify.step]]\nname = \"test\"\nrun = [\"true\"]\n[sandbox]\nmode = \"none\"\n[rollout]\nwaves = [\"100%\"]\n",
    );
    bench.put("r.rhai", "rule(\"r\").lang(\"python\").find(\"f($X)\").replace(\"g($X)\");\n");
    bench.put("apps/ant/a.py", "f(1)\n");
    bench
}

#[test]
fn where_no_name_can_be_searched_for_that_is_said() {
    let bench = fleet();
    let found = bench.gander(&["discover"]).expect(1);
    assert!(
        found.stdout.contains("no code was searched") && found.stdout.contains("[consumers] names"),
        "{}",
        found.stdout
    );
    assert!(found.stdout.contains("not complete: 1 problem\n"), "{}", found.stdout);
    assert!(!found.stdout.contains("not found"), "{}", found.stdout);
}

#[test]
fn consumers_of_folders_are_in_the_tree_and_json_is_json() {
    let bench = fleet();
    let tree = bench.gander(&["discover", "--format", "tree"]).expect(1);
    assert!(tree.stdout.contains("\n  component:default/ant\n"), "{}", tree.stdout);
    let json = bench.gander(&["discover", "--json"]).expect(1);
    assert_eq!(json.json(), bench.gander(&["discover", "--format", "json"]).expect(1).json());
}

#[test]
fn every_command_takes_the_migration_by_the_same_option() {
    let bench = fleet();
    bench.put(
        "other/migration.toml",
        bench.text("migration.toml").replace("apps/*", "../apps/*").replace("r.rhai", "../r.rhai"),
    );
    let file = "migration.toml";
    for command in ["plan", "run", "status", "discover"] {
        let by_option = bench.gander(&[command, "-m", file]);
        let by_word = bench.gander(&[command, file]);
        assert_eq!(by_option.code, by_word.code, "{command}: {by_option:?}");
        assert_eq!(by_option.stdout, by_word.stdout, "{command}");
        bench.gander(&[command, file, "-m", file]).expect(2);
    }
    let shown = bench.gander(&["show", "ant", "-m", file]).expect(0);
    assert_eq!(shown.stdout, bench.gander(&["show", "ant", file]).expect(0).stdout, "as it was written before");
    bench.gander(&["verify", "ant", "-m", file]).expect(0);
    bench.gander(&["rollback", "-m", file, "--all"]).expect(0);
}

#[test]
fn apply_counts_what_it_says_and_ends_as_documented() {
    let bench = Bench::new();
    bench.put(
        "r.rhai",
        "rule(\"e\").lang(\"python\").find(\"f($X)\").replace(\"g($X)\");\n\
         rule(\"n\").lang(\"python\").find(\"ask($X)\").annotate(\"look\");\n\
         rule(\"b\").lang(\"python\").find(\"bad($X)\").edit(|m, cx| m.X.nothing);\n",
    );
    bench.put("one/a.py", "f(1)\nask(1)\n");
    let one = bench.gander(&["apply", "r.rhai", "one"]).expect(0);
    assert!(one.stderr.contains("1 file searched, 1 would change, 1 edit, 1 annotated, 0 refused"), "{}", one.stderr);
    bench.put("two/a.py", "bad(1)\n");
    let two = bench.gander(&["apply", "r.rhai", "two"]).expect(5);
    assert!(two.stderr.contains("a Node has no property `nothing`"), "{}", two.stderr);
}
