//! What is nothing without a part goes with it, and what something needs does not go without a word.

use super::{compare, covers, none_wrong};

#[test]
fn what_is_nothing_without_a_part_goes_with_it() {
    const DECLARATOR: &str = "all([kind(\"variable_declarator\"), regex(\"^old\")])";
    let rows = [
        ("javascript", DECLARATOR, "const old = 1;\nf();\n", "f();\n"),
        ("javascript", DECLARATOR, "/** Why. */\nexport const old = 1, old2 = 2;\nf();\n", "f();\n"),
        ("javascript", DECLARATOR, "let a = 1, old = 2, old2 = 3;\n", "let a = 1;\n"),
        ("javascript", DECLARATOR, "if (a) var old = 1;\nf();\n", "if (a) {}\nf();\n"),
        ("javascript", DECLARATOR, "for (let old = 1; a; b) f();\n", "=does not parse"),
        ("javascript", "imported(\"m.default\")", "import old from \"m\";\nf();\n", "f();\n"),
        ("typescript", DECLARATOR, "export declare const old: A;\nf();\n", "f();\n"),
        ("tsx", DECLARATOR, "var old = 1;\nf();\n", "f();\n"),
        ("java", DECLARATOR, "class A {\n  int old = 1;\n  int old1, b;\n}\n", "class A {\n  int b;\n}\n"),
        ("java", DECLARATOR, "class A { A() { int old = 1, old2; f(); } }\n", "class A { A() { f(); } }\n"),
        ("java", "imported(\"a.Old\")", "import a.Old;\nclass A {}\n", "class A {}\n"),
        ("kotlin", "imported(\"a.Old\")", "import a.Old\nimport a.B\nclass A\n", "import a.B\nclass A\n"),
        ("swift", "all([kind(\"identifier\"), regex(\"^Old$\")])", "import Old\nimport B\n", "import B\n"),
        ("rust", "imported(\"a::Old\")", "pub use a::Old;\nuse a::B;\n", "use a::B;\n"),
        ("python", "imported(\"a.old\")", "from a import old\nf()\n", "f()\n"),
        ("python", "regex(\"^old$\")", "def f():\n    global old\n", "def f():\n    pass\n"),
        ("go", "regex(\"^old = 1$\")", "package p\n\nvar old = 1\n\nconst (\n\told = 1\n)\n", "package p\n"),
        (
            "go",
            "regex(\"^old = 1$\")",
            "package p\n\nvar (\n\told = 1\n\tb = 1\n)\n",
            "package p\n\nvar (\n\tb = 1\n)\n",
        ),
        (
            "go",
            "imported(\"a/old\")",
            "package p\n\nimport (\n\t\"a/old\"\n)\n\nvar x int\n",
            "package p\n\nvar x int\n",
        ),
        (
            "go",
            "regex(\"^old = iota$\")",
            "package p\n\nconst (\n\told = iota\n\tb\n)\n",
            "=each place means something",
        ),
        ("bash", "kind(\"variable_name\")", "unset -v old b\nf\n", "f\n"),
    ];
    let without = [
        ("scala", "its declarations have no part that is all of them but the name"),
        ("sql", "its statements are no declarations"),
        ("yaml", "see the rows of pairs below"),
        ("json", "what lacks a value does not parse"),
        ("toml", "what lacks a value does not parse"),
    ];
    covers(rows.iter().map(|row| row.0), &without);
    let mut wrong = Vec::new();
    for (language, find, code, wanted) in rows {
        compare(&mut wrong, language, &format!(".find({find}).delete()"), code, wanted);
    }
    none_wrong(&wrong);
}

#[test]
fn what_something_needs_does_not_go_without_a_word() {
    const VALUE: &str = "=is a value that";
    let rows = [
        ("yaml", "a: b\n", "="),
        ("javascript", "function h() { return { a: 1, b: old() }; }\n", VALUE),
        ("java", "class A { int m() { return switch (a) { case 1 -> old(); default -> b(); }; } }\n", VALUE),
        (
            "java",
            "class A { void m() { switch (a) { case 1 -> old(); default -> b(); } } }\n",
            "class A { void m() { switch (a) { case 1 -> {} default -> b(); } } }\n",
        ),
        (
            "scala",
            "object A { def m() = {\n  do old() while (a)\n} }\n",
            "object A { def m() = {\n  do {} while (a)\n} }\n",
        ),
        (
            "scala",
            "object A {\n  def f(): Unit =\n    old()\n  def g = 1\n}\n",
            "object A {\n  def f(): Unit =\n    ()\n  def g = 1\n}\n",
        ),
        ("kotlin", "fun m() { a(); old(); b() }\n", "fun m() { a(); b() }\n"),
        ("kotlin", "fun m() { old(); b() }\n", "fun m() { b() }\n"),
        ("swift", "func m() { a(); old(); b() }\n", "func m() { a(); b() }\n"),
        (
            "swift",
            "func m() {\n    switch a {\n    case 1: old()\n    default: b()\n    }\n}\n",
            "func m() {\n    switch a {\n    case 1: break\n    default: b()\n    }\n}\n",
        ),
        ("python", "try: k()\nexcept old(): z()\n", VALUE),
        ("python", "x = k[old():1]\n", VALUE),
        ("python", "assert old(), k\n", "=each place means something"),
        ("python", "@old()\ndef f(): pass\n", "def f(): pass\n"),
        ("sql", "select interval old() day from t\n", VALUE),
        ("sql", "select 1 from unnest(old())\n", "=nothing where `()` needs something"),
        ("scala", "object A { val x = s\"a${old()}\" }\n", "=is the last of its block"),
        ("scala", "object A { x = old() }\n", VALUE),
        ("java", "class A { void m() { for (a(); old(); b()) c(); } }\n", VALUE),
        (
            "java",
            "class A { void m() { for (a(); b; old()) c(); } }\n",
            "class A { void m() { for (a(); b;) c(); } }\n",
        ),
        (
            "java",
            "class A { void m() { switch (a) { case 1: old(); b(); } } }\n",
            "class A { void m() { switch (a) { case 1: b(); } } }\n",
        ),
        ("swift", "x = a[old()]\n", "=nothing where"),
        ("swift", "func f() { guard a else { old() } }\n", "=needs something"),
        ("swift", "func f() {\n    try old()\n    a()\n}\n", "func f() {\n    a()\n}\n"),
        ("swift", "func f() {\n    await old()\n    a()\n}\n", "func f() {\n    a()\n}\n"),
        ("swift", "let x = try old()\n", VALUE),
        ("rust", "fn m() {\n    old()?;\n    a();\n}\n", "fn m() {\n    a();\n}\n"),
        ("rust", "fn m() {\n    old().await;\n    a();\n}\n", "fn m() {\n    a();\n}\n"),
        ("rust", "fn m() { let x = old()?; }\n", VALUE),
        ("kotlin", "class A : B by old() {}\n", VALUE),
        ("scala", "object A { try old() catch { case e => b } }\n", "object A { try {} catch { case e => b } }\n"),
        ("kotlin", "fun m() { if (old()) a() }\n", VALUE),
        ("kotlin", "fun m() { while (old()) a() }\n", VALUE),
        ("kotlin", "fun m() { for (x in old()) a() }\n", VALUE),
        ("kotlin", "fun m() { when (a) { in old() -> b() } }\n", VALUE),
        ("kotlin", "val x = a[old()]\n", VALUE),
        ("kotlin", "val x get() = old()\n", VALUE),
        ("go", "package p\n\nfunc m() {\n\tfor i := 0; old(); i++ {\n\t}\n}\n", VALUE),
        ("rust", "fn m() { yield old(); }\n", VALUE),
        ("javascript", "for (a; old(); b) c();\n", VALUE),
        ("javascript", "export default old();\n", VALUE),
        ("javascript", "x = <A b={old()} />;\n", VALUE),
        ("javascript", "x = <A>{old()}</A>;\n", "x = <A></A>;\n"),
        ("javascript", "switch (a) { case 1: old(); break; }\n", "switch (a) { case 1: break; }\n"),
        ("javascript", "@old() class A {}\n", "class A {}\n"),
        ("typescript", "for (a; old(); b) c();\n", VALUE),
        ("typescript", "export = old();\n", VALUE),
        ("tsx", "x = <A b={old()} />;\n", VALUE),
    ];
    let without = [
        ("json", "what lacks a value does not parse"),
        ("toml", "what lacks a value does not parse"),
        ("bash", "its commands are no calls: see below"),
    ];
    covers(rows.iter().map(|row| row.0), &without);
    let mut wrong = Vec::new();
    for (language, code, wanted) in rows {
        let find = if matches!(language, "python" | "scala") { "\"old()\"" } else { "expr(\"old()\")" };
        compare(&mut wrong, language, &format!(".find({find}).delete()"), code, wanted);
    }
    for (code, wanted) in [
        ("A=old k\n", VALUE),
        ("old > k\n", VALUE),
        ("f a old # c\n", "f a # c\n"),
        ("f \"a old b\"\n", "="),
        ("old; k\n", "k\n"),
        ("x=$(f old)\n", "x=$(f)\n"),
    ] {
        compare(&mut wrong, "bash", ".find(regex(\"^old$\")).delete()", code, wanted);
    }
    for (code, wanted) in [
        ("a: old\nb: 1\n", VALUE),
        ("{a: old}\n", VALUE),
        ("a:\n  - old\n  - b\n", "a:\n  - b\n"),
        ("a:\n  - old\nb: 1\n", "a:\n  []\nb: 1\n"),
        ("a:\n- old\n- old\nb: 1\n", "a:\n  []\nb: 1\n"),
    ] {
        compare(&mut wrong, "yaml", ".find(regex(\"^old$\")).delete()", code, wanted);
    }
    for (code, wanted) in [
        ("a:\n  old: 1\nb: 1\n", "a:\n  {}\nb: 1\n"),
        ("a:\n  - old: 1\n  - c: 1\n", "a:\n  - {}\n  - c: 1\n"),
        ("a:\n  - old: 1\n    c: 1\n", "a:\n  - c: 1\n"),
        ("a:\n  c: 1\n  old:\n    d: 1\nb: 1\n", "a:\n  c: 1\nb: 1\n"),
    ] {
        compare(&mut wrong, "yaml", ".find(pair(\"old: $V\")).delete()", code, wanted);
    }
    none_wrong(&wrong);
}

#[test]
fn branches_that_both_go_are_empty_both() {
    for (language, code, wanted) in [
        (
            "java",
            "class A { int f() {\n    if (a) old(1); else old(2);\n    return 3;\n} }\n",
            "class A { int f() {\n    if (a) {} else {}\n    return 3;\n} }\n",
        ),
        (
            "scala",
            "object A { def f() = {\n    if (a) old(1) else old(2)\n    k()\n} }\n",
            "object A { def f() = {\n    if (a) {} else {}\n    k()\n} }\n",
        ),
        ("javascript", "if (a) old(1); else old(2);\nk();\n", "if (a) {} else {}\nk();\n"),
        (
            "kotlin",
            "fun f() {\n    if (a) old(1) else old(2)\n    k()\n}\n",
            "fun f() {\n    if (a) {} else {}\n    k()\n}\n",
        ),
    ] {
        assert_eq!(super::made(language, ".find(\"old($_)\").delete()", code), wanted, "{language}");
    }
}
