//! What the language of rules promises of whole migrations: rules that lie run nowhere, and follow-ups
//! reach every file of a consumer.

use super::bench::{Bench, outcomes, tree};

/// A migration over `apps/*`, whose changes are delivered into the working tree.
fn migration(more: &str) -> String {
    format!(
        "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"rules/r.rhai\"]\n{more}\n\
         [[consumers.from]]\nfolders = [\"apps/*\"]\n[sandbox]\nmode = \"none\"\n\
         [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"-c\", \"exit 0\"]\n\
         [rollout]\nwaves = [\"100%\"]\n[deliver]\nhow = \"checkout\"\n"
    )
}

fn bench(more: &str, rules: &str, files: &[(&str, &str)]) -> Bench {
    let bench = Bench::new();
    bench.put("migration.toml", migration(more));
    bench.put("rules/r.rhai", rules);
    bench.put(".gitignore", ".gander\n");
    files.iter().for_each(|(path, text)| bench.put(path, text));
    bench.commit_all();
    bench
}

#[test]
fn a_rule_that_lies_runs_nowhere_and_leaves_no_trace() {
    let rules = "rule(\"m/call\").lang(\"python\")\n    .find(\"f($X)\").replace(\"g($X)\")\n    .example(\"f(1)\", \"h(1)\");\n";
    let bench = bench("", rules, &[("apps/ant/a.py", "f(1)\n")]);
    let before = tree(&bench.root);
    for arguments in [&["plan"] as &[&str], &["run"], &["discover"], &["verify"], &["apply", "rules/r.rhai", "apps"]] {
        let ended = bench.gander(arguments).expect(2);
        let wanted = "error: rule `m/call`: its example 1 does not hold\n --> rules/r.rhai:3:6";
        assert!(ended.stderr.contains(wanted), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("- h(1)") && ended.stderr.contains("+ g(1)"), "{}", ended.stderr);
        assert_eq!(tree(&bench.root), before, "{arguments:?}");
    }
    bench.gander(&["test", "rules", "--check"]).expect(1);
    // Without examples it runs, with a hint.
    bench.put("rules/r.rhai", "rule(\"m/call\").lang(\"python\").find(\"f($X)\").replace(\"g($X)\");\n");
    for arguments in [&["plan"] as &[&str], &["apply", "rules/r.rhai", "apps"]] {
        let ended = bench.gander(arguments).expect(0);
        assert!(ended.stderr.contains("hint: `m/call` shows no example"), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_follow_up_in_the_workspace_reaches_every_file_of_a_consumer_and_of_no_other() {
    let rules = r#"rule("m/entry").lang("python")
    .find("$NAME = Flag('old')").delete()
    .then("m/use", "workspace", |m| #{ FLAG: m.NAME, VALUE: "True" })
    .example("OLD = Flag('old')\nx = is_on(OLD)\n", "x = True\n").unchanged("NEW = Flag('new')\n");
followup("m/use", ["FLAG", "VALUE"]).lang("python").find("is_on($FLAG)").replace("$VALUE");
"#;
    let files = [
        ("apps/ant/flags.py", "OLD = Flag('old')\nNEW = Flag('new')\n"),
        ("apps/ant/deep/a.py", "x = is_on(OLD) or is_on(NEW)\n"),
        ("apps/ant/deep/b.py", "y = is_on(NEW)\n"),
        ("apps/bee/a.py", "x = is_on(OLD)\n"),
    ];
    let bench = bench("", rules, &files);
    bench.gander(&["run"]).expect(0);
    assert_eq!(bench.text("apps/ant/flags.py"), "NEW = Flag('new')\n");
    assert_eq!(bench.text("apps/ant/deep/a.py"), "x = True or is_on(NEW)\n");
    assert_eq!([bench.text("apps/ant/deep/b.py"), bench.text("apps/bee/a.py")], [files[2].1, files[3].1]);
    let ledger = outcomes(&bench.ledger());
    assert_eq!((ledger["ant"].as_str(), ledger["bee"].as_str()), ("changed", "unchanged"));
    bench.gander(&["rollback", "--all"]).expect(0);
    files.iter().for_each(|(path, text)| assert_eq!(bench.text(path), *text, "{path}"));
}
