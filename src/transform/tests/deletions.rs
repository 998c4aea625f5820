//! What goes with code that is deleted, what can't go, and what is left in its place.

use super::check;

/// Deletes what `find` finds.
fn without(language: &str, path: &str, find: &str, code: &str) -> String {
    let script = format!("rule(\"r\").lang({language:?}).find({find}).edit(|m, cx| edits([delete(m.node)]));");
    let edited = check(&script, path, code);
    let script = format!("rule(\"r\").lang({language:?}).find({find}).delete();");
    let deleted = check(&script, path, code);
    let refused = |text: &str| text.starts_with('=');
    assert!(edited == deleted || refused(&edited) && refused(&deleted), "{edited}\n{deleted}");
    edited
}

const OLD: &str = r#"all([kind("identifier"), regex("^old$")])"#;

#[test]
fn what_hangs_on_a_node_goes_with_it() {
    let rust = |find: &str, code: &str| without("rust", "a.rs", find, code);
    assert_eq!(
        rust(r#"item("fn old() { $$$B }")"#, "/// Old.\n#[cfg(test)]\nfn old() {}\n\npub fn live() {}\n"),
        "pub fn live() {}\n"
    );
    assert_eq!(rust(r#"kind("enum_variant")"#, "enum E {\n    #[default]\n    A,\n}\n"), "enum E {\n}\n");
    let field = r#"all([kind("field_declaration"), regex("^old")])"#;
    assert_eq!(
        rust(field, "struct S {\n    #[serde(default)]\n    old: u8,\n    new: u8,\n}\n"),
        "struct S {\n    new: u8,\n}\n"
    );
    let property = r#"all([kind("property_declaration"), regex("old")])"#;
    assert_eq!(
        without("kotlin", "a.kt", property, "class A {\n    var old = 1\n        private set\n    val b = 2\n}\n"),
        "class A {\n    val b = 2\n}\n"
    );
    let python = |find: &str, code: &str| without("python", "a.py", find, code);
    let code =
        "class A:\n    @property\n    def old(self):\n        return 1\n\n    def live(self):\n        return 2\n";
    assert_eq!(python(r#"stmt("def old(self): $$$")"#, code), "class A:\n\n    def live(self):\n        return 2\n");
    let ts = |find: &str, code: &str| without("typescript", "a.ts", find, code);
    assert_eq!(ts(r#"stmt("const A = 1;")"#, "export const A = 1;\nfunction f() {}\n"), "function f() {}\n");
    assert_eq!(
        ts(r#"stmt("function old() {}")"#, "export default function old() {}\nclass Live {}\n"),
        "class Live {}\n"
    );
    let method = r#"all([kind("method_definition"), regex("^old")])"#;
    assert_eq!(ts(method, "class A {\n  @Get(\"/m\")\n  old() {}\n  n() {}\n}\n"), "class A {\n  n() {}\n}\n");
    let js = |find: &str, code: &str| without("javascript", "a.js", find, code);
    assert_eq!(js(r#"stmt("const A = 1;")"#, "export const A = 1;\nfunction f() {}\n"), "function f() {}\n");
    let java = "class A {\n  /** Old. */\n  void old() {}\n  void live() {}\n}\n";
    assert_eq!(without("java", "A.java", r#"member("void old() {}")"#, java), "class A {\n  void live() {}\n}\n");
}

#[test]
fn the_value_of_a_block_goes_only_where_nobody_needs_it() {
    // Beside the code what is left, or nothing where it is refused.
    let rows = [
        ("rust", "fn f() -> i32 {\n    a();\n    old()\n}\n", ""),
        ("rust", "fn f() {\n    a();\n    old()\n}\n", "fn f() {\n    a();\n}\n"),
        ("rust", "fn f() -> i32 {\n    old();\n    a()\n}\n", "fn f() -> i32 {\n    a()\n}\n"),
        ("rust", "fn f() {\n    let x = {\n        old()\n    };\n}\n", ""),
        ("rust", "fn f() {\n    x.map(|a| {\n        b();\n        old()\n    });\n}\n", ""),
        (
            "rust",
            "fn f() {\n    if a {\n        old()\n    }\n    b();\n}\n",
            "fn f() {\n    if a {\n    }\n    b();\n}\n",
        ),
        ("rust", "fn f() -> i32 {\n    if a {\n        old()\n    } else {\n        1\n    }\n}\n", ""),
        ("scala", "object A {\n  def f = {\n    a()\n    old()\n  }\n}\n", ""),
        (
            "scala",
            "object A {\n  def f: Unit = {\n    a()\n    old()\n  }\n}\n",
            "object A {\n  def f: Unit = {\n    a()\n  }\n}\n",
        ),
        ("scala", "object A {\n  xs.map { x =>\n    a(x)\n    old()\n  }\n}\n", ""),
        ("scala", "object A {\n  old()\n}\n", "object A {\n}\n"),
        (
            "scala",
            "object A {\n  for (x <- y) {\n    a()\n    old()\n  }\n}\n",
            "object A {\n  for (x <- y) {\n    a()\n  }\n}\n",
        ),
        ("scala", "object A {\n  val z = for (x <- y) yield {\n    a()\n    old()\n  }\n}\n", ""),
        ("kotlin", "fun f() {\n    a()\n    old()\n}\n", "fun f() {\n    a()\n}\n"),
        ("kotlin", "val y = x.map {\n    a(it)\n    old()\n}\n", ""),
        ("kotlin", "fun f() {\n    if (c) {\n        old()\n    }\n}\n", "fun f() {\n    if (c) {\n    }\n}\n"),
        ("kotlin", "val y = if (c) {\n    a()\n    old()\n} else b\n", ""),
        ("kotlin", "x.map {\n    if (c) {\n        old()\n    }\n}\n", "x.map {\n    if (c) {\n    }\n}\n"),
        ("swift", "x.map { old() }\n", ""),
        ("swift", "x.map { a in\n    // why\n    old()\n}\n", ""),
        ("swift", "x.map {\n    a()\n    old()\n}\n", "x.map {\n    a()\n}\n"),
        ("swift", "x.map {\n    if c {\n        old()\n    }\n}\n", "x.map {\n    if c {\n    }\n}\n"),
        ("swift", "x.map {\n    if c {\n        old()\n    } else {\n        b()\n    }\n}\n", ""),
        ("swift", "x.map {\n    switch c {\n    case 1: old()\n    default: b()\n    }\n}\n", ""),
        ("swift", "func f() -> Int {\n    old()\n}\n", ""),
        ("swift", "func f(a: Int = 1) {\n    old()\n}\n", "func f(a: Int = 1) {\n}\n"),
        ("swift", "func f() async throws -> Void {\n    old()\n}\n", "func f() async throws -> Void {\n}\n"),
        ("swift", "var x: Int {\n    old()\n}\n", ""),
        ("swift", "var x = 1 {\n    didSet {\n        old()\n    }\n}\n", "var x = 1 {\n    didSet {\n    }\n}\n"),
        ("swift", "class A {\n    init() {\n        old()\n    }\n}\n", "class A {\n    init() {\n    }\n}\n"),
    ];
    for (language, code, left) in rows {
        let path = format!("a.{}", crate::language::by_name(language).unwrap().facts.extensions[0]);
        let found = without(language, &path, "\"old()\"", code);
        match left {
            "" => assert!(
                found.starts_with('=') && found.contains("is the last of its block"),
                "{language}: {code}{found}"
            ),
            left => assert_eq!(found, left, "{language}"),
        }
    }
    let asked = r#"rule("r").lang("kotlin").find("old()").edit(|m, cx| edits([delete(m.node, #{ value: "drop" })]));"#;
    assert_eq!(check(asked, "a.kt", "val y = x.map {\n    a(it)\n    old()\n}\n"), "val y = x.map {\n    a(it)\n}\n");
}

#[test]
fn an_element_takes_its_separator_and_a_tuple_stays_one() {
    let python = |code: &str| without("python", "a.py", OLD, code);
    assert_eq!(python("f(a, old)\n"), "f(a)\n");
    assert_eq!(python("x = {a, old}\n"), "x = {a}\n");
    assert_eq!(python("x = (old, a)\n"), "x = (a,)\n");
    assert_eq!(python("x = (a, old)\n"), "x = (a,)\n");
    assert_eq!(python("x = (a, old,)\n"), "x = (a,)\n");
    assert_eq!(python("x = (a, old, b)\n"), "x = (a, b)\n");
    assert_eq!(python("x = (old,)\n"), "x = ()\n");
    assert_eq!(python("x = a, old\n"), "x = a,\n");
    assert_eq!(python("x = {old}\n"), "x = set()\n");
    for code in ["a, old = b\n", "for a, old in b: pass\n", "x = a[old, b]\n"] {
        let said = python(code);
        assert!(said.contains("of which each place means something"), "{code}: {said}");
    }
    let rust = |code: &str| without("rust", "a.rs", OLD, code);
    assert_eq!(rust("fn f() { g((old, a)); }\n"), "fn f() { g((a,)); }\n");
    assert!(rust("fn f() { let (old, a) = b; }\n").contains("each place means something"));
    let js = |code: &str| without("javascript", "a.js", OLD, code);
    assert_eq!(js("x = [a, old];\n"), "x = [a];\n");
    assert!(js("x = [old, , a];\n").contains("each place means something"));
    assert_eq!(js("if (a) old, b();\n"), "if (a) b();\n");
    for code in ["x = (a, old);\n", "function f() { return a, old; }\n", "const x = (a, old);\n"] {
        for (language, path) in [("javascript", "a.js"), ("typescript", "a.ts"), ("tsx", "a.tsx")] {
            let said = without(language, path, OLD, code);
            assert!(said.contains("each place means something"), "{language}: {code}: {said}");
        }
    }
    let go = |code: &str| without("go", "a.go", OLD, &format!("package p\n\nfunc f() {{\n\t{code}\n}}\n"));
    for code in ["return a, old", "x, y := a, old", "x, old := a, b", "x, y = old, a", "for a, old := range b {\n\t}"] {
        assert!(go(code).contains("each place means something"), "{code}: {}", go(code));
    }
    assert!(go("switch a {\n\tcase b, old:\n\t}").contains("case b:"));
    let scala = without("scala", "a.scala", OLD, "val x = (old, a)\n");
    assert!(scala.contains("have one element only"), "{scala}");
}

#[test]
fn a_statement_leaves_its_line_and_no_block_empty() {
    let python = |code: &str| without("python", "a.py", "\"old()\"", code);
    assert_eq!(python("old(); g()\n"), "g()\n");
    assert_eq!(python("f(); old()\n"), "f()\n");
    assert_eq!(python("if x:\n    old()\ng()\n"), "if x:\n    pass\ng()\n");
    assert_eq!(python("if x: old()\ng()\n"), "if x: pass\ng()\n");
    assert_eq!(python("def f():\n    old()  # why\n    old()\n"), "def f():\n    pass\n");
    let js = without("javascript", "a.js", "\"old()\"", "f();\nold();\n");
    assert_eq!(js, "f();\n");
}

#[test]
fn a_comment_behind_deleted_yaml_stays() {
    let code = "a: 1\nold:\n  # in\n  c: 2\n  d:\n    - x\n# next\nb: 3\n";
    assert_eq!(without("yaml", "a.yaml", "pair(\"old: $V\")", code), "a: 1\n# next\nb: 3\n");
}

#[test]
fn a_value_that_something_needs_can_not_go() {
    let cases = [
        ("python", "a.py", "def f():\n    return old()\n"),
        ("python", "a.py", "x = old()[0]\n"),
        ("python", "a.py", "try: pass\nexcept E: raise old()\n"),
        ("javascript", "a.js", "function f() { return old(); }\n"),
        ("typescript", "a.ts", "x = old().a;\n"),
        ("tsx", "a.tsx", "x = -old();\n"),
        ("java", "A.java", "class A { void f() { x = (B) old(); } }\n"),
        ("kotlin", "a.kt", "fun f() {\n    return old()\n}\n"),
        ("kotlin", "a.kt", "fun f() {\n    x = -old()\n}\n"),
        ("swift", "a.swift", "func f() {\n    return old()\n}\n"),
        ("swift", "a.swift", "func f() {\n    x = !old() && a\n}\n"),
        ("swift", "a.swift", "func f() {\n    if old() { g() }\n}\n"),
        ("swift", "a.swift", "let a = old() as? B\n"),
        ("swift", "a.swift", "func f() {\n    x = try old()\n}\n"),
        ("swift", "a.swift", "func f(a: Int = old()) {}\n"),
        ("scala", "a.scala", "object A { def f = { x = a - old()\n b } }\n"),
        ("go", "a.go", "package p\n\nfunc f() {\n\treturn old()\n}\n"),
        ("rust", "a.rs", "fn f() { let x = a..old(); }\n"),
        ("kotlin", "a.kt", "val x = if (a) old() else b()\n"),
        ("kotlin", "a.kt", "fun g() = when (a) {\n    1 -> old()\n    else -> b()\n}\n"),
        ("kotlin", "a.kt", "fun g(): Int {\n    return if (a) b() else old()\n}\n"),
        ("scala", "a.scala", "object A { val x = if (a) old() else b() }\n"),
        ("go", "a.go", "package p\n\nvar x = old()\n"),
    ];
    for (language, path, code) in cases {
        let said = without(language, path, r#"expr("old()")"#, code);
        assert!(said.starts_with('=') && said.contains("is a value that"), "{language}: {code}: {said}");
    }
    let go = without("go", "a.go", r#"expr("old()")"#, "package p\n\nvar x = old()\n");
    assert!(go.contains("that `var x = old()` needs") || go.contains("that `x = old()` needs"), "{go}");
    let repeated = without("rust", "a.rs", r#"expr("old()")"#, "fn f() { let x = [old(); 3]; }\n");
    assert!(repeated.contains("does not parse"), "{repeated}");
    let python = |code: &str| without("python", "a.py", "\"old()\"", code);
    assert_eq!(python("x = [(old()), 1]\n"), "x = [1]\n", "with its parentheses");
    assert_eq!(python("f((old()))\n"), "f()\n");
    assert_eq!(without("kotlin", "a.kt", r#"expr("old()")"#, "val x = f(1, old())\n"), "val x = f(1)\n");
    let swift = |code: &str| without("swift", "a.swift", r#"expr("old()")"#, code);
    assert_eq!(swift("let x = f(1, a: old())\n"), "let x = f(1)\n", "with its label");
    assert_eq!(swift("let x = [old(), 1]\n"), "let x = [1]\n");
    assert_eq!(swift("func f() {\n    if a, old() { g() }\n}\n"), "func f() {\n    if a { g() }\n}\n");
    assert_eq!(swift("func f() {\n    // why\n    old()\n    g()\n}\n"), "func f() {\n    // why\n    g()\n}\n");
    for places in ["let x = (old(), 1)\n", "let x = [a: old(), b: 1]\n", "let x = old(), y = 1\n"] {
        assert!(swift(places).starts_with('='), "{places}: {}", swift(places));
    }
    let labelled = without(
        "swift",
        "a.swift",
        "stmt(\"while a { $$$ }\")",
        "func f() {\n    b: while a { break b }\n    g()\n}\n",
    );
    assert_eq!(labelled, "func f() {\n    g()\n}\n");
    let case = without(
        "swift",
        "a.swift",
        "kind(\"switch_pattern\")",
        "func f() {\n    switch a {\n    case .b: g()\n    }\n}\n",
    );
    assert!(case.starts_with('='), "{case}");
}

#[test]
fn an_item_of_a_query_takes_its_separator_with_it() {
    let sql = |code: &str| without("sql", "a.sql", r#"expr("old($A)")"#, code);
    assert_eq!(sql("select b, old(a) from t\n"), "select b from t\n");
    assert_eq!(sql("select old(a), b from t\n"), "select b from t\n");
    assert_eq!(sql("select b from t group by 1, old(a)\n"), "select b from t group by 1\n");
    let cases = [
        ("select old(a) x, b from t\n", "is a value that"),
        ("select distinct old(a) from t\n", "is a value that"),
        ("select 1 from t where x in (old(a))\n", "is a value that"),
        ("select 1 from t where not old(a)\n", "is a value that"),
        ("insert into t (a, b) values (old(a), 2)\n", "each place means something"),
    ];
    for (code, why) in cases {
        let said = sql(code);
        assert!(said.starts_with('=') && said.contains(why), "{code}: {said}");
    }
}

#[test]
fn what_stands_behind_a_body_does_not_become_one() {
    let cases = [
        ("javascript", "a.js", "if (a) old()\nb()\n", "if (a) {}\nb()\n"),
        ("javascript", "a.js", "if (a) b()\nelse old()\nc()\n", "if (a) b()\nelse {}\nc()\n"),
        ("typescript", "a.ts", "while (a)\n  old()\n\nb()\n", "while (a)\n  {}\n\nb()\n"),
        ("tsx", "a.tsx", "for (const x of y) old()\nb()\n", "for (const x of y) {}\nb()\n"),
        (
            "java",
            "A.java",
            "class A { void f() { if (a) old(); b(); } }\n",
            "class A { void f() { if (a) {} b(); } }\n",
        ),
        ("kotlin", "a.kt", "fun f() {\n    if (a) old()\n    b()\n}\n", "fun f() {\n    if (a) {}\n    b()\n}\n"),
        ("kotlin", "a.kt", "fun f() {\n    if (a) {old()}\n    b()\n}\n", "fun f() {\n    if (a) {}\n    b()\n}\n"),
        (
            "scala",
            "a.scala",
            "object A {\n  def f = {\n    if (a) old()\n    b()\n  }\n}\n",
            "object A {\n  def f = {\n    if (a) {}\n    b()\n  }\n}\n",
        ),
        ("javascript", "a.js", "if (a) b()\nelse if (c) old()\nelse d()\n", "if (a) b()\nelse if (c) {}\nelse d()\n"),
        (
            "java",
            "A.java",
            "class A { void f() { switch (a) { case 1: if (a) old(); } } }\n",
            "class A { void f() { switch (a) { case 1: if (a) {} } } }\n",
        ),
        (
            "kotlin",
            "a.kt",
            "fun f() {\n    if (a) b() else if (c) old() else d()\n}\n",
            "fun f() {\n    if (a) b() else if (c) {} else d()\n}\n",
        ),
        ("kotlin", "a.kt", "fun f() {\n    while (a) if (b) old()\n}\n", "fun f() {\n    while (a) if (b) {}\n}\n"),
    ];
    for (language, path, code, wanted) in cases {
        assert_eq!(without(language, path, "\"old()\"", code), wanted, "{language}: {code}");
    }
    // Whatever takes the body away.
    let said = super::replaced("javascript", "a.js", "f($$$A)", "$$$A", "if (a) f()\nb()\n");
    assert_eq!(said, "if (a) {}\nb()\n");
}

#[test]
fn neighbours_that_go_take_with_them_what_parts_them() {
    let cases = [
        ("python", "a.py", "f(old(), old())\n", "f()\n"),
        ("python", "a.py", "f(1, old(), old())\n", "f(1)\n"),
        ("python", "a.py", "f(old(), old(), 1, old(), old())\n", "f(1)\n"),
        ("python", "a.py", "f(\n    old(),\n    old(),\n)\n", "f(\n)\n"),
        ("python", "a.py", "f(\n    1,\n    old(),\n    old(),\n)\n", "f(\n    1,\n)\n"),
        ("python", "a.py", "x = {old(), old()}\n", "x = set()\n"),
        ("python", "a.py", "x = (old(), old())\n", "x = ()\n"),
        ("python", "a.py", "x = (old(), a, old())\n", "x = (a,)\n"),
        ("python", "a.py", "old(); old()\nb()\n", "b()\n"),
        ("python", "a.py", "a(); old(); old()\nb()\n", "a()\nb()\n"),
        ("python", "a.py", "old(); old(); a()\n", "a()\n"),
        ("python", "a.py", "old(); a(); old()\n", "a()\n"),
        ("python", "a.py", "if a: old(); old()\n", "if a: pass\n"),
        ("python", "a.py", "a()\nold();\nb()\n", "a()\nb()\n"),
        ("javascript", "a.js", "f(old(), old());\n", "f();\n"),
        ("javascript", "a.js", "x = [old(), old(), a];\n", "x = [a];\n"),
        ("kotlin", "a.kt", "val x = f(1, old(), old())\n", "val x = f(1)\n"),
        ("kotlin", "a.kt", "fun f() {\n    old(); old()\n    b()\n}\n", "fun f() {\n    b()\n}\n"),
        ("scala", "a.scala", "object A { f(old(), old()) }\n", "object A { f() }\n"),
        ("java", "A.java", "class A { int x = f(old(), old()); }\n", "class A { int x = f(); }\n"),
        ("go", "a.go", "package p\n\nvar x = f(old(), old())\n", "package p\n\nvar x = f()\n"),
        ("rust", "a.rs", "fn f() { g(old(), 1, old(), old()); }\n", "fn f() { g(1); }\n"),
        ("typescript", "a.ts", "f(old(), old());\n", "f();\n"),
        ("sql", "a.sql", "select a, old(), old() from t\n", "select a from t\n"),
    ];
    let mut wrong = Vec::new();
    for (language, path, code, wanted) in cases {
        let find = if matches!(language, "python" | "sql") { "\"old()\"" } else { "expr(\"old()\")" };
        let made = without(language, path, find, code);
        if made != wanted {
            wrong.push(format!("{language}: {code:?}\n  {made:?}\n  {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let scala = without("scala", "a.scala", OLD, "object A { val x = (old, a, old) }\n");
    assert!(scala.contains("have one element only"), "{scala}");
}
