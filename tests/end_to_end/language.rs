//! What the language of rules promises of whole migrations: rules that lie run nowhere, follow-ups
//! reach every file, modules and orders are a part of the plan, and builds follow the code.

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
    let table = bench.gander(&["reference", "rules"]).expect(2);
    assert!(table.stderr.contains("its example 1 does not hold") && table.stdout.is_empty(), "{}", table.stdout);
    // What is no file of rules is said to be none.
    bench.put("rules/modules/names.rhai", "fn f() { 1 }\n");
    let ended = bench.gander(&["apply", "rules/modules/names.rhai", "apps"]).expect(2);
    assert!(ended.stderr.contains("declares no rules"), "{}", ended.stderr);
    let ended = bench.gander(&["explain", "m/call"]).expect(2);
    assert!(ended.stderr.contains("name a file of rules, not a rule's id"), "{}", ended.stderr);
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

#[test]
fn orders_and_modules_are_a_part_of_the_plan() {
    let rules = r#"import "names" as names;
rule("m/inner").lang("python").find("f($X)").rewrite(|m, cx| code(names::named("g") + "($X)", #{ X: m.X })).example("f(1)", "new_g(1)");
rule("m/outer").lang("python").find("h($_)").replace("k()").example("h(1)", "k()");
"#;
    let bench = bench(
        "",
        rules,
        &[("apps/ant/a.py", "x = h(f(1))\n"), ("rules/modules/names.rhai", "fn named(name) { \"new_\" + name }\n")],
    );
    let refused = bench.gander(&["plan", "--json"]).expect(0).json();
    assert!(refused.to_string().contains("m/outer") && refused.to_string().contains("refused"), "{refused}");
    bench.put("migration.toml", migration("order = [[\"m/inner\", \"m/outer\"]]"));
    let ordered = bench.gander(&["plan"]).expect(0);
    assert!(ordered.stdout.contains("+x = k()"), "{}", ordered.stdout);
    bench.put("migration.toml", migration("order = [[\"m/outer\", \"m/inner\"]]"));
    assert!(bench.gander(&["plan"]).expect(0).stdout.contains("+x = k()"), "the inner match went with the outer one");
    // What came later and found nothing is no use.
    bench.put("old.toml", migration("order = [[\"m/outer\", \"m/inner\"]]"));
    let checked = bench.gander(&["check", "old.toml", "apps/ant"]).expect(1).stdout;
    assert!(checked.lines().count() == 1 && checked.contains("m/outer"), "{checked}");
    bench.put("new.toml", migration(""));
    let altered = bench.gander(&["plan", "--diff", "old.toml", "new.toml"]).expect(0).stdout;
    let why = altered.lines().nth(1).unwrap_or_default();
    assert!(altered.contains("changed → refused\n") && why.contains("want to change the same code"), "{altered}");
    let named = bench.gander(&["explain", "m/outer"]).expect(2);
    assert!(
        named.stderr.contains("m/outer: name a file of rules, not a rule's id: it is declared in rules/r.rhai"),
        "{}",
        named.stderr
    );
    bench.put("migration.toml", migration("order = [[\"m/inner\", \"m/other\"]]"));
    let ended = bench.gander(&["plan"]).expect(2);
    assert!(
        ended.stderr.contains("names `m/other`") && ended.stderr.contains("did you mean `m/outer`"),
        "{}",
        ended.stderr
    );
    // The examples of a file are tried in the order of the migration.
    bench.put(
        "migration.toml",
        migration("order = [[\"m/far\", \"m/inner\", \"m/outer\"]]\n")
            .replace("r.rhai\"", "r.rhai\", \"rules/far.rhai\""),
    );
    bench.put("rules/far.rhai", "rule(\"m/far\").lang(\"go\").find(\"f($X)\").replace(\"g($X)\");\n");
    bench.put("rules/r.rhai", rules.replace("(\"h(1)\", \"k()\")", "(\"h(f(1))\", \"k()\")"));
    bench.gander(&["plan"]).expect(0);
    bench.gander(&["test", "rules/r.rhai", "--check"]).expect(0);
    bench.put("rules/r.rhai", rules);
    // Another module is another plan: what the rule says of itself does not hold any more.
    bench.put("migration.toml", migration(""));
    bench.put("rules/modules/names.rhai", "fn named(name) { \"newer_\" + name }\n");
    let ended = bench.gander(&["plan"]).expect(2);
    assert!(ended.stderr.contains("+ newer_g(1)"), "{}", ended.stderr);
}

#[test]
fn the_version_of_a_library_goes_with_the_code_that_needs_it() {
    let rules = r#"rule("m/call").lang("python")
    .find("client.old($X)").requires(dependency("client", "<2")).set_dependency("client", "2.0.1")
    .replace("client.new($X)").example("client.old(1)", "client.new(1)");
"#;
    let files = [
        ("apps/ant/requirements.txt", "client==1.4.2  # pinned\nother==1.4.2\n"),
        ("apps/ant/src/a.py", "client.old(1)\n"),
        ("apps/bee/requirements.txt", "client==1.4.2\n"),
        ("apps/bee/a.py", "client.other(1)\n"),
        ("apps/cat/requirements.txt", "client==2.1\n"),
        ("apps/cat/a.py", "client.old(1)\n"),
        ("apps/dog/pyproject.toml", "[project]\nname = \"dog\"\ndependencies = [\"client>=1.4\"]\n"),
        ("apps/dog/a.py", "client.old(1)\n"),
    ];
    let bench = bench("", rules, &files);
    let plan = bench.gander(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("-client==1.4.2  # pinned\n+client==2.0.1  # pinned\n other==1.4.2"),
        "{}",
        plan.stdout
    );
    bench.gander(&["run"]).expect(0);
    assert_eq!(bench.text("apps/ant/requirements.txt"), "client==2.0.1  # pinned\nother==1.4.2\n");
    assert_eq!(bench.text("apps/ant/src/a.py"), "client.new(1)\n");
    files[2..].iter().for_each(|(path, text)| assert_eq!(bench.text(path), *text, "{path}"));
    // `>=1.4` is below 2 only in part: nobody guesses, and the ledger tells.
    let shown = bench.gander(&["show", "dog"]).expect(0);
    let why = "client >=1.4, of which not all need be <2";
    assert!(shown.stdout.contains("unchanged") && shown.stdout.contains(why), "{}", shown.stdout);
    // The same on plain folders.
    let ended = bench.gander(&["apply", "rules/r.rhai", "apps/ant"]).expect(0);
    assert!(!ended.stdout.contains("diff"), "a second run has nothing to do: {}", ended.stdout);
    bench.git(&["checkout", "-q", "--", "apps"]);
    bench.gander(&["apply", "rules/r.rhai", "apps/ant", "--write"]).expect(0);
    assert_eq!(bench.text("apps/ant/requirements.txt"), "client==2.0.1  # pinned\nother==1.4.2\n");
    // The version is no use of it.
    bench.git(&["checkout", "-q", "--", "apps"]);
    let checked = bench.gander(&["check", "migration.toml", "apps/ant"]).expect(1);
    assert_eq!(checked.stdout.lines().count(), 1, "{}", checked.stdout);
    let file = bench.gander(&["check", "migration.toml", "apps/ant/src/a.py"]);
    assert!(file.stderr.contains("apps/ant/src/a.py is a file: name the folder of a codebase"), "{}", file.stderr);
    let left = bench.gander(&["apply", "rules/r.rhai", "apps/dog"]).expect(0);
    assert!(left.stderr.contains("0 errored, 1 skipped\n") && left.stderr.contains(why), "{}", left.stderr);
    // A build that lies above what was named is asked as well, and set.
    for named in ["apps/ant/src", "apps/ant/src/a.py"] {
        bench.git(&["checkout", "-q", "--", "apps"]);
        let ended = bench.gander(&["apply", "rules/r.rhai", named, "--write"]).expect(0);
        assert!(ended.stdout.contains("+++ b/apps/ant/requirements.txt"), "{}", ended.stdout);
        assert_eq!(bench.text("apps/ant/requirements.txt"), "client==2.0.1  # pinned\nother==1.4.2\n", "{named}");
    }
    // One rule edits the file in which another sets a version.
    bench.put("apps/eel/package.json", r#"{ "name": "x", "dependencies": { "left": "^1.0.0" } }"#);
    bench.put("apps/eel/a.js", "old(1);\n");
    bench.put(
        "two.rhai",
        r#"rule("r").lang("javascript").find("old($X)").replace("next($X)").set_dependency("left", "2.0.0");
rule("s").lang("json").find(all([kind("string"), one_of(["x"])])).edit(|m, cx| edits([set_value(m.node, "y")]));"#,
    );
    bench.gander(&["apply", "two.rhai", "apps/eel", "--write"]).expect(0);
    let both = r#"{ "name": "y", "dependencies": { "left": "^2.0.0" } }"#;
    assert_eq!((&*bench.text("apps/eel/package.json"), &*bench.text("apps/eel/a.js")), (both, "next(1);\n"));
}
