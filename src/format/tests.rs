use std::time::Duration;

use super::*;
use crate::language::by_name;
use crate::workspace::{Content, Entry, Mode};

fn same(language: &str, a: &str, b: &str) -> bool {
    let tree = |text: &str| parse(by_name(language).unwrap(), text).unwrap();
    same::same_code(&tree(a), &tree(b))
}

#[test]
fn what_lays_out_code_keeps_its_tree_and_its_words() {
    let rows = [
        ("python", "f( a,b )\n", "f(\n    a,\n    b,\n)\n", true),
        ("python", "x = 'a'\n", "x = \"a\"\n", true),
        ("python", "x = (a + b) * c\n", "x = a + b * c\n", false),
        ("python", "x = a + b #c\n", "x = (\n    a + b\n)  # c\n", true),
        ("python", "import a\nimport b\n", "import b\nimport a\n", false),
        ("python", "import a\nimport b\n", "import a\n", false),
        ("python", "if x:\n    a()\nb()\n", "if x:\n    a()\n    b()\n", false),
        ("python", "x = 'a b'\n", "x = 'a  b'\n", false),
        ("python", "x = 'a '\n", "x = 'a'\n", false),
        ("python", "x = f'a {b} c'\n", "x = f\"a {b} c\"\n", true),
        ("python", "x = f'a {b} c'\n", "x = f'a {b}c'\n", false),
        ("python", "x = f' {b}'\n", "x = f'{b}'\n", false),
        ("python", "x = f'{ b }'\n", "x = f'{b}'\n", true),
        ("python", "x = 'a\"b'\n", "x = 'ab'\n", false),
        ("python", "x = ''\n", "x = \"\"\n", true),
        ("python", "x = r'a'\n", "x = 'ra'\n", false),
        ("javascript", "x = `a ${b} c`\n", "x = `a ${b}c`;\n", false),
        ("javascript", "x = `a ${b} c`\n", "x = `a ${ b } c`;\n", true),
        ("javascript", "x = ' a'\n", "x = \" a\";\n", true),
        ("tsx", "x = <p>a {b}</p>;\n", "x = <p>a{b}</p>;\n", false),
        ("tsx", "x = <p>a b {b}</p>;\n", "x = (\n  <p>\n    a\n    b {b}\n  </p>\n);\n", true),
        ("swift", "let x = \"a \\(b) c\"\n", "let x = \"a \\(b)c\"\n", false),
        ("kotlin", "val x = \"a $b c\"\n", "val x = \"a ${b}c\"\n", false),
        ("kotlin", "val x = \"$b \"\n", "val x = \"$b\"\n", false),
        ("scala", "val x = s\"a $b c\"\n", "val x = s\"a $b  c\"\n", false),
        ("java", "class A { char c = ' '; }\n", "class A { char c = 'x'; }\n", false),
        ("rust", "fn f() { g(\" a\") }\n", "fn f() { g(\"a\") }\n", false),
        ("go", "package p\n\nvar x = \"a \"\n", "package p\n\nvar x = \"a\"\n", false),
        ("sql", "select 'a '\n", "select 'a'\n", false),
        ("bash", "echo \"a $b c\"\n", "echo \"a $b  c\"\n", false),
        ("yaml", "a: 'x '\n", "a: 'x'\n", false),
        ("json", "{\"a\": \"b \"}\n", "{\"a\": \"b\"}\n", false),
        ("toml", "a = \"b \"\n", "a = \"b\"\n", false),
        ("python", "f(a)\n", "f(a, b)\n", false),
        ("python", "f(a)\n", "f(a\n", false),
        ("javascript", "f( a )\n", "f(a);\n", true),
        ("javascript", "x = a\n", "x = b\n", false),
        ("rust", "fn f() { g( a,b ) }\n", "fn f() {\n    g(a, b)\n}\n", true),
        ("rust", "fn f() { g(a) }\n", "fn f() {\n    g(a);\n}\n", false),
        ("java", "class A { int x=1; }\n", "class A {\n  int x = 1;\n}\n", true),
    ];
    let wrong: Vec<_> = rows.iter().filter(|(language, a, b, expected)| same(language, a, b) != *expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_call_names_the_changed_files_of_its_languages() {
    let formatter = Formatter {
        name: "lay".to_owned(),
        when: Some("setup.cfg".to_owned()),
        languages: vec!["python".to_owned()],
        run: ["lay", "-q", "{files}", "--"].map(str::to_owned).to_vec(),
        timeout: Duration::from_secs(1),
        fetched: false,
    };
    let content = |text: &str| Some(Content { bytes: text.as_bytes().to_vec(), executable: false });
    let version = |path: &str, before: &str, after: Option<Content>| FileVersion {
        path: path.to_owned(),
        before: content(before),
        after,
        renamed_from: None,
    };
    let versions = [
        version("-a.py", "1", content("2")),
        version("b[1].py", "1", content("2")),
        version("gone.py", "1", None),
        version("same.py", "1", content("1")),
        version("x.js", "1", content("2")),
    ];
    let entry = Entry { mode: Mode::File, blob: String::new() };
    let manifest = |path: &str| Manifest { entries: [(path.to_owned(), entry.clone())].into(), unreadable: Vec::new() };
    let languages = FileLanguages::default();
    let calls = |manifest| calls(std::slice::from_ref(&formatter), &manifest, &versions, &languages);
    assert!(calls(manifest("other")).is_empty());
    let [call] = calls(manifest("setup.cfg")).try_into().unwrap();
    assert_eq!(call.step.run, ["lay", "-q", "./-a.py", "b[1].py", "--"]);
    assert_eq!(call.files, ["-a.py", "b[1].py"]);
    assert_eq!(call.step.results, ["-a.py", "b[[]1[]].py"]);
}
