use std::path::{Path, PathBuf};

use super::*;

const RULE: &str = r#"
rule("demo/old").lang("python").title("old is called new")
    .find(any(["old($X)", "older($X)"])).where(#{ X: not("0") }).replace("new($X)")
    .example("old(1)", "new(1)");
"#;

/// A folder with these files, removed at the end.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test makes the folder that it judges by")]
        std::fs::write(path, text).unwrap();
    }
    root
}

fn write(path: &Path, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "a test makes the folder that it judges by")]
    std::fs::write(path, text).unwrap();
}

fn tested(root: &Path, memory: &Memory) -> Report {
    run(find(&[root.to_owned()]), Options { check: false, coverage: true }, memory)
}

fn errors(root: &Path) -> String {
    tested(root, &Memory::default()).errors.iter().map(|e| format!("{e}\n")).collect()
}

#[test]
fn a_module_that_changes_is_a_change_of_its_rules() {
    let rule = "import \"names\" as names;\nrule(\"m/old\").lang(\"python\").find(\"old($X)\")\n    .rewrite(|m, cx| code(names::called() + \"($X)\", #{ X: m.X })).example(\"old(1)\", \"new(1)\");\n";
    let module = |name: &str| format!("fn called() {{ \"{name}\" }}\n");
    let root = folder(&[
        ("rules/demo.rhai", rule),
        ("rules/modules/names.rhai", &module("new")),
        ("rules/tests/demo/call/a.py", "old(1)\n"),
    ]);
    let memory = Memory::default();
    assert_eq!(errors(root.path()), "");
    tested(root.path(), &memory);
    accept(&root.path().join("rules/tests/demo/call.snap")).unwrap();
    assert!(tested(root.path(), &memory).passed());
    assert!(tested(root.path(), &memory).cases().all(|case| !case.ran), "nothing changed");
    write(&root.path().join("rules/modules/names.rhai"), &module("other"));
    assert_eq!(tested(root.path(), &memory).failures(), 2, "the example and the case");
}

#[test]
fn a_case_is_new_then_accepted_then_kept_until_something_changes() {
    let root = folder(&[
        ("rules/demo.rhai", RULE),
        ("rules/tests/demo/call/src/a.py", "old(1)\nold(0)\n"),
        ("rules/tests/demo/call/notes.txt", "old(1)\n"),
        ("rules/tests/demo/unchanged-other/a.py", "print(old)\n"),
    ]);
    let case = root.path().join("rules/tests/demo/call.snap");
    let memory = Memory::default();
    let report = tested(root.path(), &memory);
    assert!(!report.passed() && report.failures() == 1, "{report:?}");
    assert!(!case.exists(), "a snapshot is written only when asked");
    assert!(insta::Snapshot::from_file(&case.with_extension("snap.new")).unwrap().metadata().source().is_some());
    accept(&case).unwrap();
    assert!(!case.with_extension("snap.new").exists());
    let snapshot = std::fs::read_to_string(&case).unwrap();
    assert!(
        snapshot.contains("changed\n\nsrc/a.py:1:1: mapped by demo/old\n\ndiff --git a/src/a.py b/src/a.py"),
        "{snapshot}"
    );

    let report = tested(root.path(), &memory);
    assert!(report.passed(), "{report:?}");
    let ran = |report: &Report| report.cases().filter(|c| c.ran).map(|c| c.name.clone()).collect::<Vec<_>>();
    assert_eq!(ran(&report), ["call"], "the snapshot is new to the memory, the other case is not");
    assert_eq!(ran(&tested(root.path(), &memory)), Vec::<String>::new());
    write(&root.path().join("rules/tests/demo/unchanged-other/a.py"), "older(2)\n");
    let report = tested(root.path(), &memory);
    assert_eq!(ran(&report), ["unchanged-other"]);
    assert!(report.cases().any(|c| matches!(&c.outcome, Outcome::Touched(text) if text.contains("+new(2)"))));

    write(&root.path().join("rules/demo.rhai"), &RULE.replace("new($X)", "newer($X)").replace("new(1)", "newer(1)"));
    let report = tested(root.path(), &memory);
    assert_eq!(ran(&report).len(), 2, "a rule affects all its cases");
    assert_eq!(std::fs::read_to_string(&case).unwrap(), snapshot);
    assert!(report.cases().any(|c| matches!(&c.outcome, Outcome::Changed { new, .. } if new.contains("+newer(1)"))));
    reject(&case).unwrap();
    assert!(!case.with_extension("snap.new").exists());
}

#[test]
fn a_check_writes_nothing() {
    let root = folder(&[("demo.rhai", RULE), ("tests/demo/call/a.py", "old(1)\n")]);
    let report = run(find(&[root.path().to_owned()]), Options { check: true, coverage: false }, &Memory::default());
    assert_eq!(report.failures(), 1);
    assert!(!root.path().join("tests/demo/call.snap.new").exists());
}

#[test]
fn a_case_is_a_whole_repository_with_inputs_of_its_own() {
    let rule = r#"
rule("demo/table").lang(["sql", "yaml"]).find(regex("^users_v1$")).replace("users_v2").unchanged("users");
rule("demo/flag").lang("python").find("flag($X)").where(#{ X: one_of([param("flag")]) })
    .rewrite(|m, cx| code("$T", #{ T: lit(mapping("flags").value[m.X.value]) }));
"#;
    let root = folder(&[
        ("demo.rhai", rule),
        (
            "tests/demo/repo/catalog-info.yaml",
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: billing}\nspec: {type: service, owner: payments}\n",
        ),
        ("tests/demo/repo/q.sql", "select a from users_v1;\r\n"),
        ("tests/demo/repo/a.py", "flag('ui')\nflag('other')\n"),
        ("tests/demo/repo.toml", "description = \"three languages\"\n[parameters]\nflag = \"ui\"\n"),
        ("tests/demo.toml", "[parameters]\nflag = \"none\"\n[mappings]\nflags = \"flags.toml\"\n"),
        ("tests/flags.toml", "[value]\nui = \"on\"\n"),
    ]);
    let report = tested(root.path(), &Memory::default());
    let Some(Outcome::New(text)) = report.cases().next().map(|c| c.outcome.clone()) else { panic!("{report:?}") };
    assert!(text.starts_with("component:default/billing, of group:default/payments\nchanged\n"), "{text}");
    assert!(text.contains("+\"on\"") && text.contains("+select a from users_v2;␍"), "{text}");
    let snapshot = std::fs::read_to_string(root.path().join("tests/demo/repo.snap.new")).unwrap();
    assert!(snapshot.contains("description: \"three languages\""));
}

#[test]
fn bad_input_is_named_and_nothing_is_overwritten() {
    let root = folder(&[
        ("demo.rhai", RULE),
        ("tests/demo/call/a.py", "old(1)\n"),
        ("tests/demo/call.snap", "my shopping list\n"),
    ]);
    let said = errors(root.path());
    assert!(said.contains("call.snap: it is no snapshot"), "{said}");
    assert_eq!(std::fs::read_to_string(root.path().join("tests/demo/call.snap")).unwrap(), "my shopping list\n");
    assert!(accept(&root.path().join("tests/demo/call.snap")).is_err());

    let root =
        folder(&[("demo.rhai", RULE), ("tests/demo/call/a.py", "old(1)\n"), ("tests/demo/call.snap.new", "mine\n")]);
    assert!(errors(root.path()).contains("call.snap.new: it is no snapshot"));
    assert_eq!(std::fs::read_to_string(root.path().join("tests/demo/call.snap.new")).unwrap(), "mine\n");

    let root = folder(&[("demo.rhai", RULE)]);
    std::fs::create_dir_all(root.path().join("tests/demo/empty")).unwrap();
    let said = errors(root.path());
    assert!(said.contains("tests/demo/empty: this case has no input"), "{said}");

    let root = folder(&[("one.rhai", RULE), ("two.rhai", RULE)]);
    let said = errors(root.path());
    assert!(
        said.contains("two.rhai:2: rule `demo/old` is declared already at") && said.contains("one.rhai:2"),
        "{said}"
    );

    let root = folder(&[]);
    #[expect(clippy::disallowed_methods, reason = "a test makes the folder that it judges by")]
    std::fs::write(root.path().join("latin.rhai"), b"// caf\xe9\n").unwrap();
    let said = errors(root.path());
    assert!(said.contains("latin.rhai: is not UTF-8 (byte 6)"), "{said}");

    let root = folder(&[
        ("demo.rhai", RULE),
        ("tests/demo/gone.toml", ""),
        ("tests/demo/call/a.py", "x\n"),
        ("tests/demo/call.toml", "\nparameter = 1\n"),
    ]);
    let said = errors(root.path());
    assert!(
        said.contains("gone.toml: there is no folder") && said.contains("call.toml: 2:1: unknown field `parameter`"),
        "{said}"
    );
    assert!(errors(Path::new("/nowhere/at/all")).contains("there is no such file"));
}

#[test]
fn what_no_test_exercises_is_told() {
    let rule = RULE.to_owned()
        + r#"rule("demo/never").lang("python").find("never($X)").delete();
rule("demo/guarded").lang("python").find("guarded($X)").where(#{ X: kind("integer") }).when(|m| m.X.text != "7").replace("g($X)")
    .example("guarded(1)", "g(1)").unchanged("guarded(7)");"#;
    let root = folder(&[("demo.rhai", &rule), ("tests/demo/gone.snap", "---\n---\n")]);
    let report = tested(root.path(), &Memory::default());
    let gaps: Vec<String> = report.suites[0].gaps.iter().map(|g| format!("{}: {}", g.rule, g.what)).collect();
    assert_eq!(
        gaps,
        [
            "demo/old: find: branch 2 of any(…), `older($X)` never matches",
            "demo/old: where X: not(`0`) held whenever it was asked: no test shows what it leaves out",
            "demo/never: never matches",
            "demo/guarded: where X: kind(integer) held whenever it was asked: no test shows what it leaves out",
        ]
    );
    let rules: Vec<(&str, bool)> = report.suites[0].rules.iter().map(|r| (r.id.as_str(), r.untested)).collect();
    assert_eq!(rules, [("demo/old", false), ("demo/never", true), ("demo/guarded", false)]);
    assert!(report.suites[0].rules[0].time > std::time::Duration::ZERO);
    assert_eq!(report.suites[0].unused, [root.path().join("tests/demo/gone.snap")]);
    // One more case closes the gap.
    let path = root.path().join("tests/demo/older/a.py");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    write(&path, "older(1)\nold(0)\n");
    let report = tested(root.path(), &Memory::default());
    assert!(report.suites[0].gaps.iter().all(|g| g.rule != "demo/old"), "{:?}", report.suites[0].gaps);
}

#[test]
fn rules_of_a_migration_have_its_inputs() {
    let root = folder(&[
        (
            "migration.toml",
            "[migration]\nid = \"m\"\ntitle = \"T\"\nrules = [\"rules/a.rhai\", \"rules/b.rhai\"]\n\n[parameters]\nflag = \"x\"\n\n[consumers]\n[[consumers.from]]\nfolders = [\"consumers/*\"]\n",
        ),
        (
            "rules/a.rhai",
            "rule(\"a\").lang(\"python\").find(\"a($X)\").where(#{ X: param(\"flag\") }).replace(\"b($X)\").example(\"a(x)\", \"b(x)\");",
        ),
        (
            "rules/b.rhai",
            "rule(\"b\").lang(\"python\").find(\"c($X)\").replace(\"d($X)\").example(\"c(x)\", \"d(x)\");\nrule(\"c\").lang(\"python\").find(\"e($X)\").replace(\"f($X)\");",
        ),
        ("tests/both/a.py", "a(x); c(x); e(x)\n"),
    ]);
    let report = tested(root.path(), &Memory::default());
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert_eq!(report.suites.len(), 3);
    let Some(Outcome::New(text)) = report.cases().next().map(|c| c.outcome.clone()) else { panic!("{report:?}") };
    assert!(text.contains("+b(x); d(x); f(x)"), "{text}");
    // What only the migration's own case exercises is exercised.
    let gaps: Vec<&Gap> = report.suites.iter().flat_map(|s| &s.gaps).collect();
    assert!(gaps.iter().all(|gap| gap.what != "never matches"), "{gaps:?}");
    assert!(report.suites.iter().flat_map(|s| &s.rules).all(|rule| !rule.untested && rule.matches > 0));
    assert!(report.suites.iter().flat_map(|s| &s.examples).all(ExampleResult::passed));
}

#[test]
fn a_path_may_name_one_case() {
    let root = folder(&[("demo.rhai", RULE), ("tests/demo/one/a.py", "old(1)\n"), ("tests/demo/two/a.py", "old(2)\n")]);
    let names = |path: &str| {
        let report = run(find(&[root.path().join(path)]), Options::default(), &Memory::default());
        assert!(report.errors.is_empty(), "{:?}", report.errors);
        report.cases().map(|c| c.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("tests/demo/two"), ["two"]);
    assert_eq!(names("tests/demo"), ["one", "two"]);
    assert_eq!(names("demo.rhai"), ["one", "two"]);
}

#[test]
fn junit_is_xml_whatever_the_code_holds() {
    let root = folder(&[("demo.rhai", RULE), ("tests/demo/a&b/a.py", "old('<\u{1}>')\n"), ("latin.rhai", "rule(")]);
    let xml = junit(&tested(root.path(), &Memory::default()));
    assert!(xml.contains("name=\"a&amp;b\"") && xml.contains("&lt;") && !xml.contains('\u{1}'), "{xml}");
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"1\""), "{xml}");
}

#[test]
fn a_change_is_seen_at_once() {
    let root = folder(&[("demo.rhai", RULE)]);
    let path = root.path().join("demo.rhai");
    let paths: Vec<PathBuf> = vec![root.path().to_owned()];
    let (send, receive) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        watch(&paths, |event| {
            let _ = send.send(event);
            event == Watched::Ready
        })
    });
    let wait = || receive.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    assert_eq!(wait(), Watched::Ready);
    write(&path, &format!("{RULE}// more\n"));
    assert_eq!(wait(), Watched::Changed);
    assert!(thread.join().unwrap().is_ok());
}

#[test]
fn what_is_only_supposed_counts_for_no_coverage() {
    let rule = r#"
rule("demo/old").lang("python").title("old is called new").if_unknown("annotate")
    .find("old($X)").when(|m| m.X.fits(symbol("m.k"))).replace("new($X)")
    .example("from m import k\nold(k)", "from m import k\nnew(k)");
"#;
    let gaps = |code: &str| {
        let root = folder(&[("rules/demo.rhai", rule), ("rules/tests/demo/call/a.py", code)]);
        let report = tested(root.path(), &Memory::default());
        report.suites[0].gaps.iter().map(|gap| gap.what.clone()).collect::<Vec<_>>()
    };
    assert_eq!(gaps("k = 1\nold(k)\n"), Vec::<String>::new());
    let held = "when held whenever it was asked: no test shows what it leaves out";
    assert_eq!(gaps("from m import *\nold(k)\n"), [held], "it may be what is meant, and may not");
}
