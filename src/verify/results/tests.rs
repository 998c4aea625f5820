use super::*;
use TestEnd::{Failed, Passed, Skipped};

fn of_stdout(text: &str) -> TestReport {
    read(&Left { stdout: text.as_bytes().to_vec(), whole: true, files: BTreeMap::new() })
}

fn check(text: &str, expected: &[(&str, TestEnd, &str)]) -> TestReport {
    let report = of_stdout(text);
    let found: Vec<(&str, TestEnd)> = report.tests.iter().map(|(name, test)| (name.as_str(), test.end)).collect();
    let wanted: Vec<(&str, TestEnd)> = expected.iter().map(|(name, end, _)| (*name, *end)).collect();
    assert_eq!(found, wanted, "{report:#?}");
    for (name, _, said) in expected {
        assert!(report.tests[*name].message.contains(said), "{name}: {:?} lacks {said:?}", report.tests[*name]);
    }
    report
}

#[test]
fn cargo_test() {
    let text = "\nrunning 3 tests\ntest a::fails ... FAILED\ntest a::works ... ok\ntest slow ... ignored, takes long\n\n\
        failures:\n\n---- a::fails stdout ----\nthread 'a::fails' panicked at src/lib.rs:3:5:\nboom\n\n\n\
        failures:\n    a::fails\n\ntest result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n\
        \nrunning 1 test\ntest a::works - should panic ... ok\n\n\
        test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
    check(
        text,
        &[("a::fails", Failed, "boom"), ("a::works", Passed, ""), ("a::works (2)", Passed, ""), ("slow", Skipped, "")],
    );
}

#[test]
fn cargo_test_quiet_counts_what_it_does_not_name() {
    let text = "\nrunning 4 tests\n.F.. 4/4\nfailures:\n\n---- a::fails stdout ----\nboom\n\n\nfailures:\n    a::fails\n\n\
        test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
    let report = check(text, &[("a::fails", Failed, "boom")]);
    assert_eq!((report.unnamed, report.ran()), (3, 4));
}

#[test]
fn nextest() {
    let text = "    Starting 3 tests across 1 binary\n\u{1b}[32m        PASS\u{1b}[0m [   0.005s] (1/3) demo tests::works\n        \
        FAIL [   0.004s] (2/3) demo tests::fails\n        SKIP [         ] (3/3) demo tests::other\n────────────\n     \
        Summary [   0.010s] 2 tests run: 1 passed, 1 failed, 1 skipped\n        FAIL [   0.004s] (2/3) demo tests::fails\n";
    check(
        text,
        &[("demo tests::fails", Failed, ""), ("demo tests::other", Skipped, ""), ("demo tests::works", Passed, "")],
    );
}

#[test]
fn pytest_summary_and_verbose() {
    let summary = "..F [100%]\n=========== short test summary info ============\nPASSED tests/test_a.py::test_one\n\
        PASSED tests/test_a.py::test_two[a b]\nFAILED tests/test_a.py::test_three - KeyError: 'plan'\n\
        SKIPPED [1] tests/test_a.py:9: later\nERROR tests/test_b.py - ModuleNotFoundError: x\n1 failed, 2 passed in 0.02s\n";
    check(
        summary,
        &[
            ("tests/test_a.py::test_one", Passed, ""),
            ("tests/test_a.py::test_three", Failed, "KeyError: 'plan'"),
            ("tests/test_a.py::test_two[a b]", Passed, ""),
            ("tests/test_b.py", Failed, "ModuleNotFoundError"),
        ],
    );
    let verbose = "============ test session starts =============\ntests/test_a.py::test_one PASSED            [ 50%]\n\
        tests/test_a.py::test_two SKIPPED (later)   [100%]\n";
    check(verbose, &[("tests/test_a.py::test_one", Passed, ""), ("tests/test_a.py::test_two", Skipped, "")]);
}

#[test]
fn go_events() {
    let line = |action: &str, test: &str, output: &str| {
        format!(
            "{{\"Time\":\"2026-01-01T00:00:00Z\",\"Action\":\"{action}\",\"Package\":\"p\",\"Test\":\"{test}\",\"Output\":\"{output}\"}}\n"
        )
    };
    let lines = [
        line("run", "TestA", ""),
        line("output", "TestA", "=== RUN   TestA\\n"),
        line("output", "TestA", "    a_test.go:3: got 1\\n"),
        line("fail", "TestA", ""),
        line("pass", "TestB/sub_one", ""),
        line("skip", "TestC", ""),
        "{\"Action\":\"fail\",\"Package\":\"p\"}\n".to_owned(),
    ];
    let text = lines.concat();
    check(&text, &[("p TestA", Failed, "got 1"), ("p TestB/sub_one", Passed, ""), ("p TestC", Skipped, "")]);
    let verbose = "=== RUN   TestA\n--- PASS: TestA (0.00s)\n    --- FAIL: TestA/sub (0.00s)\n";
    check(verbose, &[("TestA", Passed, ""), ("TestA/sub", Failed, "")]);
}

#[test]
fn tap_with_subtests() {
    let text = "TAP version 13\n# Subtest: suite\n    # Subtest: inner\n    not ok 1 - inner\n      ---\n      error: '1 == 3'\n      ...\n    \
        ok 2 - fine\n    1..2\nnot ok 1 - suite\nok 2 - later # SKIP no network\nnot ok 3 - open # TODO\nok 4\n1..4\n";
    check(
        text,
        &[
            ("later", Skipped, ""),
            ("open", Skipped, ""),
            ("suite", Failed, ""),
            ("suite > fine", Passed, ""),
            ("suite > inner", Failed, "1 == 3"),
            ("test 4", Passed, ""),
        ],
    );
    // Without plan and version, "ok" is only a word.
    assert!(of_stdout("ok then\nnot ok at all\n").is_empty());
}

#[test]
fn nodes_own_runner() {
    let text = "✔ one (0.5ms)\n✖ two (1.1ms)\n▶ suite\n  ✔ inner (0.2ms)\n▶ suite (1.2ms)\n﹣ three (0.1ms) # SKIP\nℹ tests 4\nℹ pass 2\n\n\
        ✖ failing tests:\n\ntest at a.test.js:2:1\n✖ two (1.1ms)\n  AssertionError: 1 == 2\n";
    check(
        text,
        &[
            ("one", Passed, ""),
            ("suite > inner", Passed, ""),
            ("three", Skipped, ""),
            ("two", Failed, "AssertionError: 1 == 2"),
        ],
    );
}

#[test]
fn junit_from_pytest_surefire_and_nested_suites() {
    let pytest = r#"<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="2"><testcase classname="tests.test_a" name="test_one" time="0.1"/><testcase classname="tests.test_a" name="test_two"><failure message="KeyError: 'plan'">trace
KeyError: 'plan'</failure></testcase></testsuite></testsuites>"#;
    let surefire = r#"<testsuite name="org.example.ATest" time="0.05" tests="2"><properties><property name="a" value="b"/></properties><testcase name="one" classname="org.example.ATest" time="0.01"/><testcase name="two" classname="org.example.ATest"><error type="java.lang.IllegalStateException">at org.example</error></testcase><testcase name="three" classname="org.example.ATest"><skipped/></testcase></testsuite>"#;
    let bomb = r#"<!DOCTYPE x [<!ENTITY a "b">]><testsuite name="x"><testcase name="y"/></testsuite>"#;
    let files = [
        ("out/junit.xml", pytest),
        ("target/surefire-reports/TEST-A.xml", surefire),
        ("b.xml", bomb),
        ("c.xml", "<html/>"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into_iter().collect();
    let report = read(&Left { stdout: b"1..1\nok 1 - not this\n".to_vec(), whole: true, files });
    let found: Vec<(&str, TestEnd)> = report.tests.iter().map(|(name, test)| (name.as_str(), test.end)).collect();
    assert_eq!(
        found,
        [
            ("org.example.ATest::one", Passed),
            ("org.example.ATest::three", Skipped),
            ("org.example.ATest::two", Failed),
            ("tests.test_a::test_one", Passed),
            ("tests.test_a::test_two", Failed),
        ]
    );
    assert!(report.tests["tests.test_a::test_two"].message.contains("KeyError: 'plan'"));
}

#[test]
fn output_that_was_cut_off_is_not_guessed_at() {
    let left = Left { stdout: b"running 1 test\ntest a ... ok\n".to_vec(), whole: false, files: BTreeMap::new() };
    assert!(read(&left).is_empty());
}
