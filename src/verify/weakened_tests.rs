use super::*;
use crate::digest::Digest;
use crate::language::FileLanguages;
use FlagKind::{AssertionDeleted, Loosened, TestDeleted, TestSkipped};

fn content(text: &str) -> Option<Content> {
    Some(Content { bytes: text.as_bytes().to_vec(), executable: false })
}

fn kinds(path: &str, before: &str, after: &str) -> Vec<FlagKind> {
    let change =
        FileVersion { path: path.to_owned(), before: content(before), after: content(after), renamed_from: None };
    flags(&[change], &FileLanguages::default()).into_iter().map(|flag| flag.kind).collect()
}

/// A test file, and how it is weakened: what is replaced, by what, and what is flagged.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static [FlagKind])]);

const CASES: &[Case] = &[
    (
        "test_a.py",
        "import pytest\n\ndef test_one():\n    assert f(1) == 2\n\ndef test_two():\n    assert g(1) == 3\n\nclass T:\n    def test_three(self):\n        self.assertEqual(h(), 1)\n",
        &[
            ("def test_one", "def helper_one", &[TestDeleted]),
            ("def test_two():\n    assert g(1) == 3\n", "", &[TestDeleted, AssertionDeleted]),
            ("def test_one", "@pytest.mark.skip\ndef test_one", &[TestSkipped]),
            ("    assert f(1) == 2", "    pytest.skip('later')\n    assert f(1) == 2", &[TestSkipped]),
            ("    assert f(1) == 2", "    f(1)", &[AssertionDeleted]),
            ("assert f(1) == 2", "assert f(1)", &[Loosened]),
            ("assertEqual(h(), 1)", "assertTrue(h())", &[Loosened]),
            ("== 2", "== pytest.approx(2)", &[Loosened]),
            ("f(1) == 2", "f(2) == 4", &[]),
        ],
    ),
    (
        "ATest.java",
        "class ATest {\n  @Test\n  void one() { assertEquals(1, f()); }\n  @Test\n  void two() { assertTrue(g()); }\n}\n",
        &[
            ("  @Test\n  void two() { assertTrue(g()); }\n", "", &[TestDeleted, AssertionDeleted]),
            ("  @Test\n  void one", "  @Disabled\n  @Test\n  void one", &[TestSkipped]),
            ("assertEquals(1, f())", "assertNotNull(f())", &[Loosened]),
            ("assertEquals(1, f());", "f();", &[AssertionDeleted]),
            ("assertEquals(1, f())", "assertEquals(2, f2())", &[]),
        ],
    ),
    (
        "ATest.kt",
        "class ATest {\n  @Test\n  fun one() { assertEquals(1, f()) }\n  @Test\n  fun two() { assertTrue(g()) }\n}\n",
        &[
            ("  @Test\n  fun two() { assertTrue(g()) }\n", "", &[TestDeleted, AssertionDeleted]),
            ("  @Test\n  fun one", "  @Ignore\n  @Test\n  fun one", &[TestSkipped]),
            ("assertEquals(1, f())", "assertNotNull(f())", &[Loosened]),
        ],
    ),
    (
        "ASpec.scala",
        "class ASpec extends AnyFunSuite {\n  test(\"one\") {\n    assertResult(1)(f())\n  }\n  test(\"two\") {\n    assert(g())\n  }\n}\n",
        &[
            ("  test(\"two\") {\n    assert(g())\n  }\n", "", &[TestDeleted, AssertionDeleted]),
            ("test(\"one\")", "ignore(\"one\")", &[TestDeleted, TestSkipped]),
            ("    assert(g())\n", "    g()\n", &[AssertionDeleted]),
        ],
    ),
    (
        "a_test.go",
        "package a\n\nfunc TestOne(t *testing.T) {\n\tif f() != 1 {\n\t\tt.Errorf(\"no\")\n\t}\n}\n\nfunc TestTwo(t *testing.T) {\n\tassert.Equal(t, 1, g())\n}\n",
        &[
            ("func TestOne", "func testOne", &[TestDeleted]),
            ("\tif f()", "\tt.Skip()\n\tif f()", &[TestSkipped]),
            ("\t\tt.Errorf(\"no\")\n", "", &[AssertionDeleted]),
            ("assert.Equal(t, 1, g())", "assert.NotNil(t, g())", &[Loosened]),
        ],
    ),
    (
        "a.rs",
        "#[test]\nfn one() {\n    assert_eq!(f(), 1);\n}\n\n#[test]\nfn two() {\n    assert!(g());\n}\n",
        &[
            ("#[test]\nfn two() {\n    assert!(g());\n}\n", "", &[TestDeleted, AssertionDeleted]),
            ("#[test]\nfn one", "#[test]\n#[ignore]\nfn one", &[TestSkipped]),
            ("assert_eq!(f(), 1)", "assert!(f() > 0)", &[Loosened]),
            ("#[test]\nfn one", "#[test]\n#[should_panic]\nfn one", &[Loosened]),
            ("    assert!(g());\n", "", &[AssertionDeleted]),
        ],
    ),
    (
        "a.test.js",
        "test('one', () => {\n  expect(f()).toEqual(1);\n});\nit('two', () => { assert.equal(g(), 2); });\n",
        &[
            ("it('two', () => { assert.equal(g(), 2); });\n", "", &[TestDeleted, AssertionDeleted]),
            ("test('one'", "test.skip('one'", &[TestDeleted, TestSkipped]),
            ("toEqual(1)", "toBeDefined()", &[Loosened]),
            ("  expect(f()).toEqual(1);\n", "  f();\n", &[AssertionDeleted]),
        ],
    ),
    (
        "a.test.ts",
        "test('one', () => {\n  expect(f<number>()).toEqual(1);\n});\n",
        &[("test('one'", "it.skip('one'", &[TestDeleted, TestSkipped]), ("toEqual(1)", "toBeTruthy()", &[Loosened])],
    ),
    (
        "ci.sh",
        "#!/bin/sh\nset -e\npytest\n",
        &[("pytest", "pytest || true", &[Loosened]), ("pytest", "pytest --ignore=tests/slow", &[Loosened])],
    ),
    (
        "workflow.yml",
        "jobs:\n  test:\n    steps:\n      - run: make test\n",
        &[("make test\n", "make test\n        continue-on-error: true\n", &[Loosened])],
    ),
];

#[test]
fn every_idiom_is_flagged() {
    for (path, text, cases) in CASES {
        assert_eq!(kinds(path, text, text), [], "{path}");
        for (from, to, expected) in *cases {
            assert!(text.contains(from), "{path} lacks {from:?}");
            let mut expected = expected.to_vec();
            let mut found = kinds(path, text, &text.replacen(from, to, 1));
            expected.sort();
            found.sort();
            found.dedup();
            assert_eq!(found, expected, "{path}: {from:?} → {to:?}");
        }
    }
}

#[test]
fn the_language_may_be_one_that_the_name_does_not_tell() {
    let (before, after) = (content("def test_a():\n    assert f()\n"), content("x = 1\n"));
    let changes = [FileVersion { path: "checks.spec".to_owned(), before, after, renamed_from: None }];
    assert_eq!(flags(&changes, &FileLanguages::default()), []);
    let said = FileLanguages::new([("*.spec", crate::language::by_name("python"))]).unwrap();
    let kinds: Vec<FlagKind> = flags(&changes, &said).into_iter().map(|flag| flag.kind).collect();
    assert_eq!(kinds, [TestDeleted, AssertionDeleted]);
}

#[test]
fn every_languages_idioms_compile() {
    for language in crate::language::all() {
        if let Err(error) = Query::new(&language.grammar, language.tests) {
            panic!("grammars/{}/tests.scm: {error}", language.facts.name);
        }
    }
}

#[test]
fn a_deleted_test_file_is_flagged_and_a_moved_one_is_not() {
    let text = "def test_one():\n    assert f() == 1\n";
    let version = |path: &str, before: Option<&str>, after: Option<&str>, from: Option<&str>| FileVersion {
        path: path.to_owned(),
        before: before.and_then(content),
        after: after.and_then(content),
        renamed_from: from.map(str::to_owned),
    };
    let gone = flags(&[version("test_a.py", Some(text), None, None)], &FileLanguages::default());
    assert!(gone.iter().any(|flag| flag.kind == TestDeleted && flag.message.contains("test_one")), "{gone:?}");
    let moved =
        [version("test_a.py", Some(text), None, None), version("test_b.py", None, Some(text), Some("test_a.py"))];
    assert_eq!(flags(&moved, &FileLanguages::default()), []);
    let weaker = [
        version("test_a.py", Some(text), None, None),
        version("test_b.py", None, Some("def test_one():\n    f()\n"), Some("test_a.py")),
    ];
    assert_eq!(flags(&weaker, &FileLanguages::default())[0].kind, AssertionDeleted);
}

#[test]
fn a_rule_that_leaves_its_languages_is_flagged() {
    let python = || BTreeSet::from(["python".to_owned()]);
    let declared = Declared::from([("a".to_owned(), Scope { languages: python(), ..Scope::default() })]);
    let file =
        |path: &str, outcome| FilePlan { path: path.to_owned(), before: Some(Digest::of(b"")), mode: None, outcome };
    let delete = || FileOutcome::Delete { rule: "a".to_owned() };
    assert_eq!(outside(&[file("x/a.py", delete())], &declared, &FileLanguages::default()), []);
    for path in ["ci.sh", "Makefile", "a.sql"] {
        let flags = outside(&[file(path, delete())], &declared, &FileLanguages::default());
        assert_eq!(flags.len(), 1, "{path}");
        assert_eq!(flags[0].kind, FlagKind::OutsideRule);
    }
    let renamed = FileOutcome::Rename {
        to: "a.txt".to_owned(),
        edits: Vec::new(),
        splices: Vec::new(),
        after: Digest::of(b""),
        rule: "a".to_owned(),
    };
    assert_eq!(outside(&[file("a.py", renamed)], &declared, &FileLanguages::default()).len(), 1);
    let unknown = FileOutcome::Delete { rule: "b".to_owned() };
    assert_eq!(outside(&[file("a.py", unknown)], &declared, &FileLanguages::default()).len(), 1);
    // Versions are set in the files of builds.
    let scope = Scope { languages: python(), builds: true, ..Scope::default() };
    let builds = Declared::from([("a".to_owned(), scope)]);
    for (path, wanted) in [("requirements.txt", 0), ("x/pom.xml", 0), ("ci.sh", 1)] {
        assert_eq!(outside(&[file(path, delete())], &builds, &FileLanguages::default()).len(), wanted, "{path}");
    }
    // The right language in the wrong place.
    let paths = Paths::new(&["jobs/**".to_owned(), "!**/vendor/**".to_owned()]).unwrap();
    let declared = Declared::from([("a".to_owned(), Scope { languages: python(), paths, builds: false })]);
    assert_eq!(outside(&[file("jobs/a.py", delete())], &declared, &FileLanguages::default()), []);
    for path in ["a.py", "jobs/vendor/a.py"] {
        let flags = outside(&[file(path, delete())], &declared, &FileLanguages::default());
        assert!(flags.len() == 1 && flags[0].message.contains("beside the paths"), "{path}: {flags:?}");
    }
    let renamed = FileOutcome::Rename {
        to: "b.py".to_owned(),
        edits: Vec::new(),
        splices: Vec::new(),
        after: Digest::of(b""),
        rule: "a".to_owned(),
    };
    assert_eq!(outside(&[file("jobs/a.py", renamed)], &declared, &FileLanguages::default()).len(), 1);
}

#[test]
fn tests_that_move_out_of_sight_are_flagged() {
    let flagged = |from: &str, to: &str, text: &str| {
        let version = |path: &str, before, after, from: Option<&str>| FileVersion {
            path: path.to_owned(),
            before,
            after,
            renamed_from: from.map(str::to_owned),
        };
        flags(
            &[version(from, content(text), None, None), version(to, None, content(text), Some(from))],
            &FileLanguages::default(),
        )
    };
    let python = "def test_one():\n    assert f() == 1\n";
    let gone = flagged("tests/test_b.py", "tests/helper.py", python);
    assert!(gone.len() == 1 && gone[0].kind == TestDeleted && gone[0].path == "tests/helper.py", "{gone:?}");
    assert_eq!(flagged("tests/test_b.py", "lib/b_test.py", python), []);
    assert_eq!(flagged("tests/test_b.py", "tests/helper.py", "x = 1\n"), []);
    let go = "package a\n\nimport \"testing\"\n\nfunc TestOne(t *testing.T) {\n\tt.Fatal(1)\n}\n";
    assert_eq!(flagged("a/b_test.go", "a/b.go", go).len(), 1);
}
