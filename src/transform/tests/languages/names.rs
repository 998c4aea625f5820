//! A name that says what code is called is no value: nothing but a name takes its place, and it does not go alone.

use super::{compare, none_wrong};

/// What nothing but a name may take the place of.
const CALLED: &[(&str, &str)] = &[
    ("kotlin", "enum class E { old, b }\n"),
    ("kotlin", "val x = a.old\n"),
    ("kotlin", "val x = a?.old\n"),
    ("kotlin", "val x = a::old\n"),
    ("kotlin", "var x: Int = 1\n    set(old) { field = old }\n"),
    ("swift", "enum E { case old, b }\n"),
    ("swift", "func f() { switch x { case .old: a; default: b } }\n"),
    ("swift", "func f() { switch x { case E.old: a; default: b } }\n"),
    ("swift", "func f() { for case let old? in xs { } }\n"),
    ("swift", "let (old, b) = p\n"),
    ("swift", "let x = a.old\n"),
    ("swift", "let x = .old\n"),
    ("swift", "let x = \\A.old\n"),
    ("swift", "let x = #old(1)\n"),
    ("swift", "protocol P { func old() }\n"),
    ("scala", "object A { x match { case old => old } }\n"),
    ("scala", "object A { x match { case B(old, c) => c } }\n"),
    ("scala", "object A { x match { case old: Int => 1 } }\n"),
    ("scala", "object A { val old = 1 }\n"),
    ("scala", "object A { val (old, b) = p }\n"),
    ("scala", "object A { for (old <- xs) yield 1 }\n"),
    ("scala", "object A { xs.map { (old, b) => b } }\n"),
    ("scala", "object A { val x = a old b }\n"),
    ("scala", "enum A { case old }\n"),
    ("java", "enum E { old, b }\n"),
    ("java", "class A { void f() { if (x instanceof B old) { } } }\n"),
    ("go", "package p\n\nfunc f() { old := 1 }\n"),
    ("go", "package p\n\nfunc f() { for old, b := range xs { } }\n"),
    ("rust", "fn f() { let old = 1; }\n"),
    ("rust", "fn f() { |old| 1; }\n"),
    ("rust", "fn f() { if let Some(old) = x { } }\n"),
    ("python", "match x:\n    case old: pass\n"),
    ("python", "with a as old: pass\n"),
    ("python", "for old in xs: pass\n"),
    ("javascript", "const old = 1;\n"),
    ("typescript", "function f(old: number) {}\n"),
    ("tsx", "const old = 1;\n"),
];

#[test]
fn nothing_but_a_name_takes_the_place_of_a_name() {
    let mut wrong = Vec::new();
    for (language, code) in CALLED {
        compare(&mut wrong, language, ".find(expr(\"old\")).replace(\"fresh()\")", code, "=");
    }
    wrong.retain(|row| !row.contains("\"=\\nRefused"));
    // What takes a value apart is as good, and a variable may become a place.
    let fit = [
        (
            "javascript",
            "{ a, b }",
            "const old = 1;\nfunction f(old) { }\n",
            "const { a, b } = 1;\nfunction f({ a, b }) { }\n",
        ),
        ("typescript", "{ a, b }", "function f(old: T) { }\n", "function f({ a, b }: T) { }\n"),
        ("python", "(a, b)", "for old in xs: pass\n", "for (a, b) in xs: pass\n"),
        ("python", "self.fresh", "old = 1\n", "self.fresh = 1\n"),
        ("java", "fresh()", "class A { int x = old; }\n", "class A { int x = fresh(); }\n"),
        (
            "go",
            "fresh()",
            "package p\n\nvar x = map[string]int{old: 1}\n",
            "package p\n\nvar x = map[string]int{fresh(): 1}\n",
        ),
        ("kotlin", "fresh", "enum class E { old, b }\nval x = a.old\n", "enum class E { fresh, b }\nval x = a.fresh\n"),
        ("kotlin", "fresh", "val x = \"$old ${old} $older\"\n", "val x = \"$fresh ${fresh} $older\"\n"),
        ("kotlin", "fresh()", "val x = \"$old\"\n", "=no piece of its own"),
        ("kotlin", "a.b", "val x = \"$old\"\n", "=no piece of its own"),
        ("kotlin", "fresh", "val x = \"$old${b}c ${old}c\"\n", "val x = \"$fresh${b}c ${fresh}c\"\n"),
        ("scala", "fresh", "object old:\n  def f = 1\nend old\n", "=says the name again"),
        ("scala", "fresh", "object old:\n  def f = 1\nobject B\n", "object fresh:\n  def f = 1\nobject B\n"),
        ("swift", "fresh", "func f() { old: for x in xs { break old } }\n", "=is a name in `break old`"),
    ];
    for (language, new, code, wanted) in fit {
        compare(&mut wrong, language, &format!(".find(expr(\"old\")).replace({new:?})"), code, wanted);
    }
    none_wrong(&wrong);
}

#[test]
fn a_name_does_not_go_alone() {
    let rows = [
        ("kotlin", "val old = 1\n", "=needs"),
        ("kotlin", "fun old() = 1\n", "=needs"),
        ("kotlin", "typealias old = Int\n", "=needs"),
        ("kotlin", "class A(val old: Int)\n", "=needs"),
        ("kotlin", "val x = try { a } catch (old: E) { b }\n", "=needs"),
        ("kotlin", "@old class A\n", "=needs"),
        ("kotlin", "val x = a::old\n", "=needs"),
        ("kotlin", "fun f() { when (x) { old -> a; else -> b } }\n", "=needs"),
        ("kotlin", "fun f() { when (x) { old, 2 -> a; else -> b } }\n", "fun f() { when (x) { 2 -> a; else -> b } }\n"),
        ("swift", "func f() { switch a { case old: b\n} }\n", "=needs"),
        ("kotlin", "enum class E { old, b }\n", "enum class E { b }\n"),
        ("swift", "enum E { case a, old(Int) }\n", "enum E { case a }\n"),
        ("swift", "enum E: Int { case old = 1, b }\n", "enum E: Int { case b }\n"),
        ("swift", "enum E { case old(Int)\n    case b\n}\n", "enum E {\n    case b\n}\n"),
        ("swift", "func f() { switch x { case .old: a; default: b } }\n", "=needs"),
        ("swift", "func f() { if let old { } }\n", "=needs"),
        ("swift", "func f() { for case let old? in xs { } }\n", "=needs"),
        ("swift", "protocol P { var old: Int { get } }\n", "=needs"),
        ("swift", "func f() throws(old) { }\n", "=needs something"),
        ("swift", "extension A where T == old { }\n", "=needs something"),
        ("swift", "let (old, b) = p\n", "=each place means something"),
        ("swift", "@old(1) func f() { }\n", "=needs"),
        ("swift", "macro old() = #m\n", "=needs"),
        ("swift", "precedencegroup old { }\n", "=needs"),
        ("swift", "#if old\n#endif\n", "=needs"),
        ("swift", "var x = 1 { willSet(old) { y } }\n", "=needs"),
        ("swift", "func f() { do { try a() } catch old { } }\n", "=needs"),
        ("swift", "func f(old x: Int) { }\n", "=needs"),
        ("swift", "import old\nimport a\n", "import a\n"),
        ("scala", "object A { x match { case B(old*) => b } }\n", "=needs"),
        ("scala", "object A { val B(old) = p }\n", "=needs"),
        ("scala", "object A { val x = old _ }\n", "=needs"),
        ("scala", "object A { val x = old\"a\" }\n", "=needs"),
        ("scala", "object A { val x = new old(1) }\n", "=needs"),
        ("java", "class A { void f() { if (x instanceof B old) { } } }\n", "=needs"),
        ("python", "with a as old: pass\n", "=does not parse"),
        ("rust", "fn f() { let old = 1; }\n", "=needs"),
    ];
    let mut wrong = Vec::new();
    for (language, code, wanted) in rows {
        compare(&mut wrong, language, ".find(regex(\"^old$\")).delete()", code, wanted);
    }
    none_wrong(&wrong);
}

#[test]
fn a_declaration_on_one_line_is_one() {
    let rows = [
        ("object old { val x = 1 }\n", "object fresh { val x = 1 }\n"),
        ("class A { object old { val x = 1 } }\n", "class A { object fresh { val x = 1 } }\n"),
        ("class A { class B { object old { val x = 1 } } }\n", "class A { class B { object fresh { val x = 1 } } }\n"),
        ("object old {val x = 1}\n", "=as other code than it is"),
    ];
    let mut wrong = Vec::new();
    for (code, wanted) in rows {
        compare(&mut wrong, "kotlin", ".find(regex(\"^old$\")).replace(\"fresh\")", code, wanted);
    }
    none_wrong(&wrong);
}

#[test]
fn a_switch_has_a_case() {
    let mut wrong = Vec::new();
    let code = "func f() {\n    switch a {\n    case 1: b\n    }\n}\n";
    compare(&mut wrong, "swift", ".find(kind(\"switch_entry\")).delete()", code, "=needs something");
    none_wrong(&wrong);
}
