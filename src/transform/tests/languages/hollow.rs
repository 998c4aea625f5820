//! Code that its grammar reads and its language does not: repaired where that is said, else refused.

use super::{compare, covers, none_wrong};
use crate::language::all;

/// A member that becomes a call.
const COUNT: (&str, &str) = ("expr(\"$A.size\")", "$A.count()");

/// Language, what is found, what becomes of it (deleted where empty), code, the result.
const ROWS: &[(&str, &str, &str, &str, &str)] = &[
    ("python", "\"old()\"", "", "if x:\n    old()\ng()\n", "if x:\n    pass\ng()\n"),
    ("python", "\"old()\"", "", "try:\n    old()  # c\nexcept E:\n    g()\n", "try:\n    pass\nexcept E:\n    g()\n"),
    ("python", "\"old()\"", "", "class A:\n    old()\n    old()\n", "class A:\n    pass\n"),
    ("python", "\"old()\"", "", "match k:\n    case 1: old()\n", "match k:\n    case 1: pass\n"),
    ("python", "\"old()\"", "", "if x:\r\n\told(); old()\r\n", "if x:\r\n\tpass\r\n"),
    ("python", "\"f($A)\"", "if q:", "f(1)\n", "=an empty block"),
    ("python", "\"$A.b\"", "g($A)", "del x.b\n", "=can't stand in"),
    ("sql", "expr(\"f($$$A)\")", "g($$$A)", "select 1 from unnest(f())\n", "select 1 from unnest(g())\n"),
    ("sql", "expr(\"old()\")", "", "select 1 from unnest(old())\n", "=needs something"),
    ("scala", "\"old()\"", "", "object A { val x = s\"${old()}\" }\n", "=is the last of its block"),
    ("java", "\"f($A)\"", "$A", "class A { void m() { f(1); } }\n", "=can't stand in"),
    ("java", "expr(\"$A.b\")", "g($A)", "class A { void m() { a.b++; } }\n", "=can't stand in"),
    ("swift", "expr(\"old()\")", "", "x = a[old()]\n", "=needs something"),
    ("swift", "expr(\"f($A)\")", "$A", "func m() { f(1) = c }\n", "=can't stand in"),
    ("swift", "expr(\"$A.b\")", "g($A)", "func m() { a.b = c }\n", "=can't stand in"),
    ("swift", "expr(\"$A.b\")", "g($A)", "func m() { a.b += c }\n", "=can't stand in"),
    ("swift", "expr(\"$A.b\")", "g { $A }", "func m() { a.b = c }\n", "=can't stand in"),
    ("swift", "expr(\"$A.b\")", "g($A)[0]", "func m() { a.b = a.b }\n", "func m() { g(a)[0] = g(a)[0] }\n"),
    ("swift", "expr(\"$A.b\")", "g($A).d", "func m() { a.b = e[a.b] }\n", "func m() { g(a).d = e[g(a).d] }\n"),
    ("swift", COUNT.0, COUNT.1, "func m() { (a.size, b) = c }\n", "=can't stand in"),
    ("swift", COUNT.0, COUNT.1, "func m() { g(&a.size) }\n", "=can't stand in"),
    (
        "swift",
        COUNT.0,
        COUNT.1,
        "func m() { (a.size.b, g(a.size)[0]) = g(&a.size[0]) }\n",
        "func m() { (a.count().b, g(a.count())[0]) = g(&a.count()[0]) }\n",
    ),
    ("scala", COUNT.0, COUNT.1, "object A { a.size = 1 }\n", "=can't stand in"),
    ("scala", "\"set($A, $V)\"", "$A(0) = $V", "object A { set(b, 1) }\n", "object A { b(0) = 1 }\n"),
    ("go", COUNT.0, COUNT.1, "package p\n\nfunc m() {\n\tfor a.size = range x {\n\t}\n}\n", "=can't stand in"),
    ("go", COUNT.0, COUNT.1, "package p\n\nfunc m() {\n\tselect {\n\tcase a.size = <-c:\n\t}\n}\n", "=can't stand in"),
    ("typescript", "expr(\"$A!\")", "nn($A)", "(a!) += 2;\n", "=can't stand in"),
    ("rust", COUNT.0, COUNT.1, "fn m() { let x = a.size; }\n", "fn m() { let x = a.count(); }\n"),
    ("rust", "expr(\"f($A)\")", "$A.count()", "fn m() { let x = f(a.b); }\n", "fn m() { let x = a.b.count(); }\n"),
    ("rust", "expr(\"f($A)\")", "$A()", "fn m() { let x = f(a.b); }\n", "fn m() { let x = (a.b)(); }\n"),
    ("bash", "\"if $C; then $B; fi\"", "$C && $B", "if a; then b; fi > out\n", "=can't stand in"),
    ("kotlin", "expr(\"$A.b\")", "g($A)", "fun m() { a.b = c }\n", "=can't stand in"),
    ("kotlin", "expr(\"$A.b\")", "1", "fun m() { a.b += c }\n", "=can't stand in"),
    ("kotlin", "expr(\"a[$I]\")", "a.get($I)", "fun m() { a[0] = c }\n", "=can't stand in"),
    ("kotlin", "expr(\"$A.b\")", "g($A)[0]", "fun m() { a.b = a.b }\n", "fun m() { g(a)[0] = g(a)[0] }\n"),
    ("kotlin", "expr(\"f($A)\")", "$A", "fun m() { f(a as B).c = d }\n", "fun m() { (a as B).c = d }\n"),
    ("kotlin", "expr(\"f($$$A)\")", "$$$A", "fun m() { if (f()) a() }\n", "=is a value that"),
    ("kotlin", "stmt(\"if ($A) b()\")", "if () b()", "fun m() { if (a) b() }\n", "=needs something"),
    ("kotlin", "stmt(\"f($A)\")", "while () b()", "fun m() { f(1) }\n", "=needs something"),
    ("kotlin", "stmt(\"f($A)\")", "for (x in ) b()", "fun m() { f(1) }\n", "=needs something"),
    ("kotlin", "expr(\"a[$A]\")", "a[]", "val x = a[1]\n", "=needs something"),
    ("go", "expr(\"f($A)\")", "$A", "package p\n\nfunc m() {\n\tf(1)\n}\n", "=can't stand in"),
    (
        "rust",
        "expr(\"f($A)\")",
        "$A",
        "fn m() { if let Some(k) = f(a || b) {} }\n",
        "fn m() { if let Some(k) = (a || b) {} }\n",
    ),
    ("javascript", "expr(\"f($A)\")", "{}", "x = <A b={f(1)} />;\n", "x = <A b={{}} />;\n"),
    ("javascript", "\"<A b={$X} />\"", "<A b={} />", "x = <A b={c} />;\n", "=needs something"),
    ("javascript", "\"$A.b\"", "(1)", "a.b = 1;\n", "=can't stand in"),
    ("javascript", "\"$A.b\"", "g($A)", "for (a.b of c) d();\n", "=can't stand in"),
    ("typescript", "\"$A.b\"", "g($A)", "a.b++;\n", "=can't stand in"),
    ("tsx", "\"<A b={$X} />\"", "<A b={} />", "x = <A b={c} />;\n", "=needs something"),
    ("tsx", "\"$A.b\"", "g($A)", "a.b = 1;\n", "=can't stand in"),
    ("bash", "\"old\"", "", "if k; then\n  old\nfi\n", "if k; then\n  :\nfi\n"),
    ("bash", "\"old\"", "", "if k; then old; else old; fi\n", "if k; then :; else :; fi\n"),
    ("bash", "\"old\"", "", "if k; then z; elif y; then\n\told\nfi\n", "if k; then z; elif y; then\n\t:\nfi\n"),
    ("bash", "\"old\"", "", "for x in a; do\n  old # c\ndone\n", "for x in a; do\n  :\ndone\n"),
    ("bash", "\"old\"", "", "f() { old; }\n", "f() { :; }\n"),
    ("bash", "\"old\"", "", "k || {\n  old\n  old\n}\n", "k || {\n  :\n}\n"),
    ("bash", "\"old\"", "", "case a in\nb) old;;\nesac\n", "case a in\nb) ;;\nesac\n"),
    ("yaml", "pair(\"old: $V\")", "", "a:\n  old: 1\nb: 1\n", "a:\n  {}\nb: 1\n"),
    ("yaml", "pair(\"old: $V\")", "", "a:\n  - old:\n      - 1\n  - c: 1\n", "a:\n  - {}\n  - c: 1\n"),
    ("yaml", "kind(\"block_sequence_item\")", "", "a:\n  - 1\n  - 2\nb: 1\n", "a:\n  []\nb: 1\n"),
    ("yaml", "pair(\"old: $V\")", "", "a: 1\nold:\n  b:\n    - 1\n# c\nd: 1\n", "a: 1\n# c\nd: 1\n"),
    ("yaml", "pair(\"old: $V\")", "new: $V", "a: {old: 1, b: [old: 2]}\n", "a: {new: 1, b: [new: 2]}\n"),
    ("yaml", "pair(\"old: $V\")", "", "a: {b: 1, old: 1}\nb: {old: 2}\n", "a: {b: 1}\nb: {}\n"),
    ("yaml", "pair(\"old: $V\")", "new: c, d", "a: {old: 1}\n", "=no piece of its own"),
    ("yaml", "expr(\"old\")", "c, d", "a: {b: old}\n", "=no piece of its own"),
    ("yaml", "expr(\"old\")", "c, d", "a: [old]\nb: old\n", "a: [c, d]\nb: c, d\n"),
    ("yaml", "pair(\"old: $V\")", "new:\n  b: $V", "a: {old: 1}\n", "=does not parse"),
    ("yaml", "pair(\"old: $V\")", "new: $V\nb: 1", "a: {old: 1}\n", "=does not parse"),
    ("javascript", "stmt(\"if (true) { $$$A }\")", "$$$A", "if (q)\n  if (true) {\n    const z = 1;\n  }\n", "=can't"),
    ("typescript", "stmt(\"if (true) { $$$A }\")", "$$$A", "for (;;) if (true) { class A {} }\n", "=can't"),
    ("tsx", "stmt(\"if (true) { $$$A }\")", "$$$A", "for (;;) if (true) { f(); }\n", "for (;;) f();\n"),
    ("tsx", "stmt(\"f();\")", "function g() {}", "while (a) f();\n", "=can't"),
    ("javascript", "stmt(\"f();\")", "import \"m\";", "if (a) f();\n", "=can't"),
    ("kotlin", "stmt(\"if (true) { $$$A }\")", "$$$A", "fun m() {\n    if (q) if (true) { val z = 1 }\n}\n", "=can't"),
    ("kotlin", "stmt(\"f()\")", "val z = 1", "fun m() {\n    while (q) f()\n}\n", "=can't"),
    (
        "kotlin",
        "stmt(\"f()\")",
        "val z = 1",
        "fun m() {\n    if (q) { f() }\n}\n",
        "fun m() {\n    if (q) { val z = 1 }\n}\n",
    ),
    ("java", "stmt(\"if (true) { $$$A }\")", "$$$A", "class A { A() { if (q) if (true) { int x = 1; } } }\n", "=can't"),
    ("java", "stmt(\"f();\")", "int x = 1;", "class A { A() { if (q) { f(); } else f(); } }\n", "=can't"),
    (
        "java",
        "stmt(\"f();\")",
        "int x = 1;",
        "class A { A() { if (q) { f(); } } }\n",
        "class A { A() { if (q) { int x = 1; } } }\n",
    ),
    (
        "javascript",
        "stmt(\"if (true) { $$$A }\")",
        "$$$A",
        "if (q) {\n  if (true) {\n    const z = 1;\n  }\n}\n",
        "if (q) {\n  const z = 1;\n}\n",
    ),
    ("yaml", "pair(\"old: $V\")", "new:\n  v: $V", "a:\n  old: 1 # c\n  b: 2\n", "a:\n  new:\n    v: 1 # c\n  b: 2\n"),
    ("yaml", "pair(\"old: $V\")", "new:\n  v: $V", "old: 1 # c\n# d\n", "new:\n  v: 1 # c\n# d\n"),
    ("bash", "\"f $X\"", "if k; then fi", "f 1\n", "=needs something"),
    ("bash", "kind(\"variable_assignment\")", "", "export old=1\nf\n", "f\n"),
    ("bash", "kind(\"variable_assignment\")", "", "f() {\n  local -r old=1\n  k\n}\n", "f() {\n  k\n}\n"),
    ("bash", "kind(\"variable_assignment\")", "", "f() { local old=1; }\n", "f() { :; }\n"),
    ("bash", "kind(\"variable_assignment\")", "", "export b old=1\n", "export b\n"),
    ("bash", "kind(\"variable_assignment\")", "", "export old=1 b=1; k\n", "k\n"),
    ("bash", "kind(\"variable_assignment\")", "", "declare -x old=1 b=1\nf\n", "f\n"),
    ("bash", "kind(\"variable_name\")", "", "f() {\n  unset -v old b\n}\n", "f() {\n  :\n}\n"),
    ("bash", "\"export $A\"", "export", "export old\n", "=needs something"),
    ("bash", "kind(\"variable_assignment\")", "", "declare -x old=1; k\n", "k\n"),
    ("bash", "regex(\"^-n$\")", "", "export -n old=1\n", "export old=1\n"),
];

#[test]
fn what_a_grammar_reads_and_its_language_does_not_is_repaired_or_refused() {
    let without = [("json", "what its grammar reads is JSON"), ("toml", "what its grammar reads is TOML")];
    covers(ROWS.iter().map(|row| row.0), &without);
    for language in all() {
        let facts = &language.facts;
        let any = !(facts.hollow.is_empty() && facts.never_empty.is_empty() && facts.refused.is_empty());
        assert!(!any || without.iter().all(|(name, _)| *name != facts.name), "{}", facts.name);
    }
    let mut wrong = Vec::new();
    for (language, find, new, code, wanted) in ROWS {
        let what = if new.is_empty() { "delete()".to_owned() } else { format!("replace({new:?})") };
        compare(&mut wrong, language, &format!(".find({find}).{what}"), code, wanted);
    }
    none_wrong(&wrong);
}
