//! The rules that lie in this repository, and `gander test` as people and CI use it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gander::rule_test::{CATALOGUE_MARK, Memory, Options, catalogue, find, run};
use gander::script::{self, Inputs};
use gander::transform::file;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn rules_do_what_their_examples_and_cases_say() {
    gander::assert_rules!("rules");
}

#[test]
fn rules_of_the_fleets_do_what_their_examples_and_cases_say() {
    gander::assert_rules!("fixtures/fleets");
}

#[test]
fn every_rule_has_a_title_and_cases_in_which_it_matches() {
    let found = find(&[root().join("rules"), root().join("fixtures/fleets")]);
    assert!(found.suites.iter().all(|s| s.migration || !s.cases.is_empty()), "a rule file has no cases");
    for suite in &found.suites {
        let rules = script::load(&script::read(&suite.rules).unwrap(), &suite.inputs).unwrap();
        let untitled: Vec<&str> = rules.rules.iter().filter(|r| r.title.is_none()).map(|r| r.place.as_str()).collect();
        assert!(untitled.is_empty(), "no title: {untitled:?}");
    }
    let report = run(found, Options { check: true, coverage: true }, &Memory::default());
    assert!(report.passed(), "{:#}", report.json());
    for suite in &report.suites {
        assert!(suite.unused.is_empty(), "{:?}", suite.unused);
        let never: Vec<&str> = suite.rules.iter().filter(|r| r.matches == 0).map(|r| r.id.as_str()).collect();
        assert!(never.is_empty(), "{}: no test makes these match: {never:?}", suite.file.display());
    }
}

/// The tables in the READMEs of `rules/` are those that the rules make.
#[test]
fn every_rule_file_is_in_the_table_of_a_readme() {
    let found = find(&[root().join("rules")]);
    let mut tables = std::collections::BTreeSet::new();
    for suite in &found.suites {
        let folders = suite.file.ancestors().skip(1).take_while(|folder| folder.starts_with(root().join("rules")));
        let pack = folders.into_iter().find(|folder| folder.join("README.md").is_file());
        let pack = pack.unwrap_or_else(|| panic!("{} has no README.md above it", suite.file.display()));
        tables.insert(pack.to_owned());
    }
    for pack in tables {
        let readme = std::fs::read_to_string(pack.join("README.md")).unwrap();
        let made = catalogue(&pack).unwrap();
        let written = readme.find(CATALOGUE_MARK).map_or("", |at| &readme[at..]);
        let name = pack.strip_prefix(root()).unwrap().display();
        assert!(written == made, "{name}/README.md is stale: `gander reference {name}` makes what follows its mark");
    }
}

/// Below the version that a place needs, only what Python never evaluates goes.
#[test]
fn an_older_python_keeps_what_it_evaluates() {
    let path = root().join("rules/python/typing.rhai");
    let sources = script::read(&[path]).unwrap_or_else(|e| panic!("{e}"));
    let after = |python: &str, before: &str| {
        let mut inputs = Inputs::default();
        inputs.parameters.insert("python".to_owned(), python.into());
        let rules = script::load(&sources, &inputs).unwrap_or_else(|e| panic!("{e}"));
        let report = file(&rules, &Arc::default(), "a.py", before.as_bytes());
        report.change.map_or_else(|| before.to_owned(), |c| String::from_utf8_lossy(&c.bytes).into_owned())
    };
    let code = "from typing import List, Optional\na: List[int]\nb: Optional[int]\n";
    assert_eq!(after("3.8", code), code);
    assert_eq!(after("3.9", code), "from typing import Optional\na: list[int]\nb: Optional[int]\n");
    assert_eq!(after("3.10", code), "a: list[int]\nb: int | None\n");
    let lazy = "from __future__ import annotations\n";
    assert_eq!(
        after("3.7", &format!("{lazy}{code}A = List[int]\n")),
        format!("{lazy}from typing import List\na: list[int]\nb: int | None\nA = List[int]\n")
    );
    let local = "from typing import Optional\ndef f():\n    a: Optional[Any] = 1\n";
    assert_eq!(after("3.8", local), "def f():\n    a: Any | None = 1\n");
    let forward = "from typing import List\na: List[\"A\"]\n";
    assert_eq!(after("3.10", forward), forward);
    assert_eq!(after("3.11", forward), "a: list[\"A\"]\n");
}

const RULE: &str = r#"rule("demo/old").lang("python").find("old($X)").replace("new($X)").example("old(1)", "new(1)");
"#;

/// A folder with a rule and two cases whose results nobody has seen.
fn demo() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [("demo.rhai", RULE), ("tests/demo/one/a.py", "old(1)\n"), ("tests/demo/two/a.py", "old(2)\n")]
    {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

fn gander(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_gander"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = program.stdin.take().unwrap().write_all(input.as_bytes());
    program.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_review_asks_for_each_and_keeps_what_is_accepted() {
    let root = demo();
    let snap = |name: &str| root.path().join(format!("tests/demo/{name}.snap"));
    let check = gander(root.path(), &["test", "--check"], "");
    assert_eq!(check.status.code(), Some(1));
    assert!(!snap("one.snap.new").exists() && !snap("one").exists(), "a check writes nothing");
    let review = gander(root.path(), &["test", "--review"], "what?\na\nr\n");
    let said = out(&review);
    assert!(
        said.contains("1 of 2: new tests/demo/one")
            && said.contains("+ +new(1)")
            && said.contains("1 accepted, 1 left"),
        "{said}"
    );
    assert_eq!(review.status.code(), Some(1));
    assert!(snap("one").exists() && !snap("two").exists() && !root.path().join("tests/demo/two.snap.new").exists());
    // The end of the input is no consent.
    let ended = gander(root.path(), &["test", "--review"], "");
    assert!(out(&ended).contains("0 accepted, 1 left") && !snap("two").exists());
    assert_eq!(gander(root.path(), &["test", "--accept"], "").status.code(), Some(0));
    assert_eq!(gander(root.path(), &["test", "--check"], "").status.code(), Some(0));

    let before = std::fs::read_to_string(snap("one")).unwrap();
    std::fs::write(root.path().join("demo.rhai"), RULE.replace("new(", "newer(")).unwrap();
    let json = gander(root.path(), &["test", "--json", "--check"], "");
    let report: serde_json::Value = serde_json::from_str(&out(&json)).unwrap();
    assert_eq!(report["failures"], 2);
    assert_eq!(report["suites"][0]["cases"][0]["outcome"], "changed");
    assert!(report["suites"][0]["cases"][0]["wanted"].as_str().unwrap().contains("+new(1)"));
    assert_eq!(std::fs::read_to_string(snap("one")).unwrap(), before);
}

#[test]
fn what_can_not_be_tested_is_wrong_usage_and_named() {
    let root = demo();
    std::fs::create_dir_all(root.path().join("tests/demo/empty")).unwrap();
    let empty = gander(root.path(), &["test"], "");
    assert_eq!(empty.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&empty.stderr).contains("tests/demo/empty: this case has no input"));
    let nothing = gander(root.path(), &["test", "nowhere"], "");
    assert_eq!(nothing.status.code(), Some(2));
    std::fs::write(root.path().join("demo.rhai"), "rule(\"a\").lang(\"cobol\").find(\"x\").delete();").unwrap();
    let broken = gander(root.path(), &["test"], "");
    let said = String::from_utf8_lossy(&broken.stderr).into_owned();
    assert_eq!(broken.status.code(), Some(2));
    assert!(said.contains("--> demo.rhai:1:1") && said.contains("there is no language `cobol`"), "{said}");
}

#[test]
fn watching_runs_again_what_a_change_affects() {
    let root = demo();
    gander(root.path(), &["test", "--accept"], "");
    let mut program = Command::new(env!("CARGO_BIN_EXE_gander"))
        .args(["test", "--watch"])
        .current_dir(root.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    let (stdout, stderr) = (program.stdout.take().unwrap(), program.stderr.take().unwrap());
    let streams: [Box<dyn std::io::Read + Send>; 2] = [Box::new(stdout), Box::new(stderr)];
    for stream in streams {
        let send = send.clone();
        std::thread::spawn(move || {
            BufReader::new(stream).lines().map_while(Result::ok).for_each(|l| drop(send.send(l)))
        });
    }
    let wait_for = |wanted: &str| {
        let since = Instant::now();
        let mut said = Vec::new();
        while since.elapsed() < Duration::from_secs(60) {
            if let Ok(line) = receive.recv_timeout(Duration::from_millis(100)) {
                said.push(line.clone());
                if line == wanted {
                    return;
                }
            }
        }
        panic!("{wanted:?} was never said, but {said:#?}");
    };
    wait_for("ran one, two");
    wait_for("watching");
    std::fs::write(root.path().join("tests/demo/two/a.py"), "old(3)\n").unwrap();
    wait_for("ran two");
    std::fs::write(root.path().join("demo.rhai"), RULE.replace("new(", "newer(")).unwrap();
    wait_for("ran one, two");
    program.kill().unwrap();
    program.wait().unwrap();
}

#[test]
fn a_starting_point_is_made_once() {
    let root = tempfile::tempdir().unwrap();
    let made = gander(root.path(), &["new", "rule", "first", "--lang", "go"], "");
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let text = std::fs::read_to_string(root.path().join("first.rhai")).unwrap();
    std::fs::write(root.path().join("first.rhai"), format!("{text}// mine\n")).unwrap();
    let again = gander(root.path(), &["new", "rule", "first"], "");
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already; nothing was written"));
    assert!(std::fs::read_to_string(root.path().join("first.rhai")).unwrap().ends_with("// mine\n"));
    let bad: Vec<PathBuf> = vec![];
    for name in ["../up", "A", "", "-x"] {
        assert_eq!(gander(root.path(), &["new", "rule", "--", name], "").status.code(), Some(2), "{name} {bad:?}");
    }
}

#[test]
fn trees_of_snippets_and_patterns() {
    let root = tempfile::tempdir().unwrap();
    let tree = |args: &[&str], input: &str| gander(root.path(), &[&["tree"], args].concat(), input);
    let code = tree(&["--lang", "python", "--code", "f(x)", "--all", "--ranges"], "");
    assert!(out(&code).contains("arguments: argument_list [1:2-1:5]\n        \"(\" [1:2-1:3]"), "{}", out(&code));
    let stdin = tree(&["-", "--lang", "sql", "--lines", "2"], "select a\nfrom t;\n");
    assert!(out(&stdin).starts_with("from") && !out(&stdin).contains("select"), "{}", out(&stdin));
    let pattern = tree(&["--lang", "java", "--pattern", "Outer.$X"], "");
    assert!(out(&pattern).contains("expr: ") && out(&pattern).contains("type: "), "{}", out(&pattern));
    let broken = tree(&["--lang", "python", "--pattern", "f("], "");
    assert_eq!(broken.status.code(), Some(1));
    assert!(out(&broken).contains("expr: does not read"));
}

/// What a language of rules is asked to say: eight migrations, each with code before and after and
/// code that stays, and with what takes a whole workspace.
#[test]
fn eight_migrations_are_said_in_the_language() {
    let sketches = root().join("fixtures/sketches");
    let found = find(&[sketches.join("migration.toml")]);
    let files: Vec<_> = found.suites.iter().filter(|suite| !suite.migration).collect();
    assert_eq!(files.len(), 8, "{:?}", found.errors);
    for suite in files {
        let rules = script::load(&script::read(&suite.rules).unwrap(), &suite.inputs).unwrap();
        let examples = || rules.rules.iter().flat_map(|rule| &rule.examples);
        let stays = |e: &&gander::rule::Example| e.after == gander::rule::After::Text(e.before.clone());
        assert!(examples().any(|e| !stays(&e)) && examples().any(|e| stays(&e)), "{}", suite.file.display());
    }
    gander::assert_rules!("fixtures/sketches");
    // A flag may be decided either way, and its rule shows both.
    let flag = found.suites.iter().find(|suite| suite.file.ends_with("rules/java_flag.rhai")).unwrap();
    let sources = script::read(&flag.rules).unwrap();
    for (treated, holds) in [(true, true), (false, true)] {
        let mut inputs = flag.inputs.clone();
        inputs.parameters.insert("treated".to_owned(), treated.into());
        let loaded = gander::rule_test::load(&sources, &inputs, gander::rule_test::Given::ByMigration);
        assert_eq!(loaded.is_ok(), holds, "{treated}: {:?}", loaded.err());
    }
}
