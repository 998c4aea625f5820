//! Patterns are strict and exact in every language: what does not read, loses a hole or reads in two ways is
//! an error; nothing in the code goes unmatched. Tables with rows of all languages.

use super::tests::check_in;
use crate::language::{all, by_name};
use crate::pattern::{PatternError, compile};

fn covered<'a>(rows: impl Iterator<Item = &'a str>) {
    let mut names: Vec<&str> = rows.collect();
    names.dedup();
    let known: Vec<&str> = all().iter().map(|language| language.facts.name.as_str()).collect();
    assert_eq!(names, known, "a row for each language, in the order of the table");
}

#[test]
fn a_pattern_is_read_strictly_in_every_language() {
    // Language; what does not read; what loses its hole; what reads in two ways, and as which it is meant.
    let rows = [
        // Annotations are asked for, so that nothing reads in two ways.
        ("python", "f(", "'$X y'", None),
        ("sql", "f(,", "'$X y'", Some(("users.$X", "table"))),
        ("scala", "f(", "\"$X y\"", None),
        ("java", "f(", "\"$X y\"", Some(("Outer.$X", "type"))),
        ("swift", "f(", "\"$X y\"", Some(("init() {}", "item"))),
        ("kotlin", "f(", "f(\"$X y\")", None),
        ("go", "f(", "\"$X y\"", Some(("p.$X", "type"))),
        ("rust", "f(", "\"$X y\"", Some(("a::$X", "expr"))),
        ("javascript", "f(", "'$X y'", Some(("{ $X }", "stmt"))),
        ("typescript", "f(", "'$X y'", Some(("{ $X }", "expr"))),
        ("tsx", "<A>", "'$X y'", Some(("{ $X }", "expr"))),
        // What has one context, or no two that differ, reads in one way.
        ("yaml", "a: [", "'$X y'", None),
        ("json", "[1,", "[\"a $X\"]", None),
        ("toml", "a = [", "a = \"b $X\"", Some(("[$X]", "expr"))),
        ("bash", "if a; then", "f 'b $X'", None),
    ];
    covered(rows.iter().map(|row| row.0));
    for (name, unreadable, lost, two) in rows {
        let language = by_name(name).unwrap();
        let error = |pattern: &str| compile(language, pattern, None).err();
        let said = error(unreadable);
        assert!(matches!(said, Some(PatternError::Unreadable { .. })), "{name}: {unreadable}: {said:?}");
        assert!(said.unwrap().to_string().contains(name), "{name}");
        let said = error(lost);
        assert!(
            matches!(said, Some(PatternError::HoleLost { .. } | PatternError::Unreadable { .. })),
            "{name}: {lost}: {said:?}"
        );
        let Some((pattern, context)) = two else { continue };
        let said = error(pattern).map(|error| error.to_string()).unwrap_or_default();
        let asks = said.contains("say which") && said.contains(&format!("{context}({pattern:?})"));
        assert!(asks, "{name}: {pattern}: {said}");
        assert!(compile(language, pattern, Some(context)).is_ok(), "{name}: {pattern}");
    }
}

#[test]
fn what_reads_in_two_ways_is_asked_about_and_what_nobody_means_is_not() {
    // Language, pattern, the contexts in which it may be meant: one where the others are noise.
    let rows: &[(&str, &str, &[&str])] = &[
        ("kotlin", "init { $$$B }", &["expr", "member"]),
        ("kotlin", "constructor($$$A) { $$$B }", &["member"]),
        ("typescript", "$A | $B", &["expr", "type"]),
        ("typescript", "[$A, $B]", &["expr", "type"]),
        ("typescript", "{ $K: $V }", &["expr", "type"]),
        ("typescript", "$K: $V", &["member", "pair"]),
        ("typescript", "f($A) | $B", &["expr"]),
        ("typescript", "export = $A", &["stmt"]),
        ("tsx", "$A & $B", &["expr", "type"]),
        ("javascript", "$K: $V", &["pair"]),
        ("javascript", "$L: for (;;) { $$$B }", &["stmt"]),
        ("javascript", "catch ($E) { $$$B }", &["clause"]),
        ("go", "$K: $V", &["pair"]),
        ("java", "private final $T $N;", &["member"]),
        ("java", "final $T $N = $V;", &["stmt", "member"]),
        ("java", "catch ($T $E) { $$$B }", &["clause"]),
        ("java", "$T.class", &["expr"]),
        ("python", "Optional[$T]", &["expr", "type"]),
        ("python", "$D[\"k\"]", &["expr"]),
        ("python", "$A[$B:$C]", &["expr"]),
        ("python", "**$A", &["pair"]),
    ];
    for (name, pattern, contexts) in rows {
        let language = by_name(name).unwrap();
        match compile(language, pattern, None) {
            Ok(read) => assert_eq!(vec![read.context.as_str()], *contexts, "{name}: {pattern}"),
            Err(error) => {
                let said = error.to_string();
                assert!(contexts.len() > 1 && said.contains("say which"), "{name}: {pattern}: {said}");
                for context in *contexts {
                    assert!(said.contains(&format!("{context}({pattern:?})")), "{name}: {pattern}: {said}");
                    assert!(compile(language, pattern, Some(context)).is_ok(), "{name}: {pattern}: {context}");
                }
            }
        }
    }
    let segment = compile(by_name("scala").unwrap(), "import $P._", None).unwrap_err().to_string();
    assert!(segment.contains("`$P` is one segment") && segment.contains("write `$$$P`"), "{segment}");
    assert!(compile(by_name("scala").unwrap(), "import cats.$P", None).is_ok());
}

/// Language, context, pattern, how often it is in code that has it, and code that has it not.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const EXACT: &[Row] = &[
    (
        "python",
        "",
        "def f($A): return 1",
        "def f(a):  # c\n    return 1\n",
        &[
            "async def f(a): return 1\n",
            "def f(a) -> int: return 1\n",
            "def f(a): return 1; x\n",
            "def f(a, b): return 1\n",
        ],
    ),
    (
        "python",
        "",
        "try: a()\nexcept: b()",
        "try:\n    # c\n    a()\nexcept: b()\n",
        &["try: a()\nexcept E: b()\n", "try: a()\nexcept: b()\nfinally: c()\n"],
    ),
    (
        "python",
        "",
        "f(\"a\")",
        "f(  # c\n    \"a\")\n",
        &["f(\"a \")\n", "f(\"A\")\n", "f('a')\n", "f(\"a\", b)\n", "f(b\"a\")\n"],
    ),
    ("python", "", "f($_, $_)", "f(1, 2)\n", &["f(1)\n"]),
    (
        "sql",
        "stmt",
        "select $A from t",
        "select /* c */ a from t\n",
        &[
            "select distinct a from t\n",
            "select a, b from t\n",
            "select a from t where b\n",
            "select a from t x\n",
            "select a from d.t\n",
        ],
    ),
    (
        "sql",
        "expr",
        "f($A)",
        "select F(a -- c\n) from t\n",
        &[
            "select f(distinct a) from t\n",
            "select f(a) over () from t\n",
            "select d.f(a) from t\n",
            "select f(a order by b) from t\n",
        ],
    ),
    (
        "sql",
        "expr",
        "a = 'b'",
        "select A = 'b' from t\n",
        &[
            "select a = 'B' from t\n",
            "select a = \"b\" from t\n",
            "select a = 'b ' from t\n",
            "select a = r'b' from t\n",
        ],
    ),
    ("sql", "expr", "f($_, $_)", "select f(1, 2) from t\n", &["select f(1) from t\n"]),
    (
        "scala",
        "",
        "def f() = 1",
        "object A { def f(/* c */) = 1 }\n",
        &[
            "object A { private def f() = 1 }\n",
            "object A { def f(): Int = 1 }\n",
            "object A { def f[T]() = 1 }\n",
            "object A { def f()(implicit a: B) = 1 }\n",
        ],
    ),
    (
        "scala",
        "",
        "val $A = 1",
        "object A { val a = /* c */ 1 }\n",
        &["object A { lazy val a = 1 }\n", "object A { val a: Int = 1 }\n", "object A { val a, b = 1 }\n"],
    ),
    (
        "scala",
        "",
        "f(\"a\", $_, $_)",
        "object A { f(\"a\", 1, 2) }\n",
        &["object A { f(\"a \", 1, 2) }\n", "object A { f(s\"a\", 1, 2) }\n", "object A { f[T](\"a\", 1, 2) }\n"],
    ),
    (
        "java",
        "member",
        "void f() {}",
        "class A { void f(/* c */) {} }\n",
        &[
            "class A { public void f() {} }\n",
            "class A { @B void f() {} }\n",
            "class A { void f() throws E {} }\n",
            "class A { <T> void f() {} }\n",
        ],
    ),
    (
        "java",
        "expr",
        "f($_, $_)",
        "class A { int x = f(1, /* c */ 2); }\n",
        &["class A { int x = a.f(1, 2); }\n", "class A { int x = f(1, 2, 3); }\n", "class A { A x = new f(1, 2); }\n"],
    ),
    (
        "java",
        "expr",
        "new A(\"a\")",
        "class A { A x = new A(\"a\"); }\n",
        &[
            "class A { A x = new A(\"a\") {}; }\n",
            "class A { A x = new A<T>(\"a\"); }\n",
            "class A { A x = new A(\"a \"); }\n",
        ],
    ),
    (
        "swift",
        "",
        "func f() {}",
        "func f(/* c */) {}\n",
        &[
            "private func f() {}\n",
            "func f() throws {}\n",
            "func f() -> Int {}\n",
            "func f<T>() {}\n",
            "@b func f() {}\n",
        ],
    ),
    (
        "swift",
        "",
        "let $A = \"a\"",
        "let a = /* c */ \"a\"\n",
        &["var a = \"a\"\n", "let a: String = \"a\"\n", "let a = \"a \"\n", "let a = #\"a\"#\n"],
    ),
    ("swift", "expr", "f($_, $_)", "let x = f(1, 2)\n", &["let x = f(1)\n", "let x = f(1, 2) { a }\n"]),
    (
        "kotlin",
        "",
        "fun f() {}",
        "fun f(/* c */) {}\n",
        &["private fun f() {}\n", "suspend fun f() {}\n", "fun f(): Int {}\n", "fun A.f() {}\n", "@B fun f() {}\n"],
    ),
    (
        "kotlin",
        "",
        "val $A = \"a\"",
        "val a = /* c */ \"a\"\n",
        &[
            "var a = \"a\"\n",
            "val a: String = \"a\"\n",
            "const val a = \"a\"\n",
            "val (a, b) = \"a\"\n",
            "val a = \"a \"\n",
        ],
    ),
    (
        "kotlin",
        "expr",
        "f($_, $_)",
        "val x = f(1, 2)\n",
        &["val x = f<T>(1, 2)\n", "val x = f(1, 2) { a }\n", "val x = f(1)\n"],
    ),
    (
        "go",
        "",
        "func f() {}",
        "package p\n\nfunc f( /* c */ ) {}\n",
        &[
            "package p\n\nfunc (r R) f() {}\n",
            "package p\n\nfunc f() int {}\n",
            "package p\n\nfunc f[T any]() {}\n",
            "package p\n\nfunc f()\n",
        ],
    ),
    (
        "go",
        "expr",
        "f(\"a\", $_, $_)",
        "package p\n\nvar x = f(\"a\", 1, 2)\n",
        &[
            "package p\n\nvar x = f(`a`, 1, 2)\n",
            "package p\n\nvar x = f(\"a \", 1, 2)\n",
            "package p\n\nvar x = f(\"a\", 1, 2, b...)\n",
        ],
    ),
    (
        "go",
        "stmt",
        "if $A { b() }",
        "package p\n\nfunc m() { if a { /* c */ b() } }\n",
        &[
            "package p\n\nfunc m() { if a { b() } else { c() } }\n",
            "package p\n\nfunc m() { if a := d(); a { b() } }\n",
        ],
    ),
    (
        "rust",
        "",
        "fn f() {}",
        "fn f(/* c */) {}\n",
        &["pub fn f() {}\n", "async fn f() {}\n", "fn f() -> u8 {}\n", "fn f<T>() {}\n", "fn f() where A: B {}\n"],
    ),
    (
        "rust",
        "expr",
        "f(\"a\", $_, $_)",
        "fn m() { f(\"a\", 1, 2); }\n",
        &[
            "fn m() { f(r\"a\", 1, 2); }\n",
            "fn m() { f(\"a \", 1, 2); }\n",
            "fn m() { f::<T>(\"a\", 1, 2); }\n",
            "fn m() { f!(\"a\", 1, 2); }\n",
        ],
    ),
    (
        "rust",
        "stmt",
        "let $A = 1;",
        "fn m() { let a = /* c */ 1; }\n",
        &["fn m() { let mut a = 1; }\n", "fn m() { let a: u8 = 1; }\n", "fn m() { let a = 1 else { return }; }\n"],
    ),
    (
        "javascript",
        "",
        "function f() {}",
        "function f(/* c */) {}\n",
        &["async function f() {}\n", "function* f() {}\n", "function f(a) {}\n"],
    ),
    (
        "javascript",
        "expr",
        "f('a', $_, $_)",
        "f('a', 1, 2);\n",
        &["new f('a', 1, 2);\n", "f?.('a', 1, 2);\n", "f(\"a\", 1, 2);\n", "f('a ', 1, 2);\n"],
    ),
    (
        "javascript",
        "",
        "let $A = `b`;",
        "let a = /* c */ `b`;\n",
        &["let a = `b`, c = 2;\n", "const a = `b`;\n", "let a = `b `;\n", "let a = `b${c}`;\n"],
    ),
    (
        "typescript",
        "",
        "function f() {}",
        "function f(/* c */) {}\n",
        &["function f(): void {}\n", "function f<T>() {}\n", "async function f() {}\n"],
    ),
    (
        "typescript",
        "member",
        "a = 1",
        "class A { a = /* c */ 1 }\n",
        &[
            "class A { static a = 1 }\n",
            "class A { private a = 1 }\n",
            "class A { a: number = 1 }\n",
            "class A { a? = 1 }\n",
        ],
    ),
    ("typescript", "expr", "f('a', $_, $_)", "f('a', 1, 2);\n", &["f<T>('a', 1, 2);\n", "f('a ', 1, 2);\n"]),
    (
        "tsx",
        "",
        "<A b={$X} />",
        "x = <A b={/* c */ d} />;\n",
        &["x = <A b={c} d />;\n", "x = <A b=\"c\" />;\n", "x = <A {...z} b={c} />;\n", "x = <B.A b={c} />;\n"],
    ),
    (
        "tsx",
        "expr",
        "f('a', $_, $_)",
        "x = <p>{f('a', 1, 2)}</p>;\n",
        &["x = <p>{f<T>('a', 1, 2)}</p>;\n", "x = <p>{f('a ', 1, 2)}</p>;\n"],
    ),
    (
        "yaml",
        "",
        "a: \"x\"",
        "a: \"x\" # c\n",
        &["a: \"x \"\n", "a: \" x\"\n", "a: x\n", "a: 'x'\n", "a: &b \"x\"\n", "aa: \"x\"\n"],
    ),
    ("yaml", "", "a: [$_, $_]", "a: [1, # c\n 2]\n", &["a: [1]\n", "a: [1, 2, 3]\n"]),
    ("yaml", "", "a: $X\nb: $Y", "a: 1\n# c\nb: 2\n", &["a: 1\nb: 2\nc: 3\n", "b: 2\na: 1\n", "a: 1\n"]),
    ("json", "", "{\"a\": $X}", "{\"a\": /* c */ 1}\n", &["{\"a\": 1, \"b\": 2}\n", "{\"a \": 1}\n", "{\"A\": 1}\n"]),
    ("json", "", "[$_, $_]", "[1, 2]\n", &["[1]\n", "[1, 2, 3]\n"]),
    ("toml", "stmt", "a = [$_, $_]", "a = [1, # c\n 2]\n", &["a = [1]\n", "b.a = [1, 2]\n", "a = [1, 2, 3]\n"]),
    ("toml", "expr", "\"a\"", "x = \"a\"\n", &["x = 'a'\n", "x = \"a \"\n", "x = \"\"\"a\"\"\"\n"]),
    ("bash", "", "f $_ $_", "f a b # c\n", &["f a\n", "f a b c\n", "A=1 f a b\n", "f a b <<< c\n"]),
    (
        "bash",
        "",
        "if a; then b; fi",
        "if a; then # c\n  b\nfi\n",
        &["if a; then b & fi\n", "if a; then b; else c; fi\n", "if a; then b; c; fi\n", "if ! a; then b; fi\n"],
    ),
    ("bash", "", "f \"a\"", "f \"a\"\n", &["f 'a'\n", "f \"a \"\n", "f \"a$b\"\n"]),
];

#[test]
fn nothing_in_the_code_goes_unmatched_in_any_language() {
    covered(EXACT.iter().map(|row| row.0));
    let mut wrong = Vec::new();
    for (language, context, pattern, code, others) in EXACT {
        let context = Some(*context).filter(|context| !context.is_empty());
        let found = |code: &str| check_in(language, pattern, context, code).map(|found| found.len());
        let once = std::iter::once((*code, 1)).chain(others.iter().map(|other| (*other, 0)));
        for (code, times) in once {
            match found(code) {
                Ok(found) if found == times => {}
                Ok(found) => wrong.push(format!("{language}: `{pattern}` is {found} times in {code:?}")),
                Err(error) => wrong.push(format!("{language}: {error}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
