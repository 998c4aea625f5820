//! Code holds together as it did: what is put somewhere is one piece there, or it is refused.

use super::replaced;

/// Refused.
const NO: &str = "=\nRefused";

#[test]
fn new_code_is_one_piece_where_it_comes_to_stand() {
    // Language and file, what is looked for, what is written, code, and what becomes of it.
    let cases = [
        // Comparisons are chained.
        ("python", "lt($A, $B)", "$A < $B", "x = lt(a, b) == c\n", "x = (a < b) == c\n"),
        ("python", "lt($A, $B)", "$A < $B", "x = lt(a < b, c)\n", "x = (a < b) < c\n"),
        ("rust", "f($A, $B)", "$A == $B", "fn m() { let x = f(a, b) == c; }\n", "fn m() { let x = (a == b) == c; }\n"),
        // What Python's own parser does not read.
        ("python", "f($A)", "await $A", "async def h():\n    x = f(-a)\n", "async def h():\n    x = await (-a)\n"),
        ("python", "f($A)", "not $A", "x = f(lambda: 1)\n", "x = not (lambda: 1)\n"),
        ("python", "f($A)", "$A", "f(y := 3)\n", "(y := 3)\n"),
        ("python", "f($A, $B)", "$A, $B", "x = [i for i in f(1, 2)]\n", "x = [i for i in (1, 2)]\n"),
        ("python", "f($A)", "$A.b", "x = f(1)\n", "x = (1).b\n"),
        ("python", "f($A)", "lambda: $A", "x = f'{f(1)}'\n", "x = f'{(lambda: 1)}'\n"),
        ("python", "f($A)", "g($A, 'x')", "x = f'{f(1)}'\n", NO),
        ("python", "f($A)", "$A", "x = f(a +\n  b)\n", "x = (a +\n  b)\n"),
        ("python", "f($A)", "g($A)", "x = f(a +\n  b)\n", "x = g(a +\n  b)\n"),
        ("python", "f($A, $B)", "f2($B, $A)", "f(1, k=2)\n", NO),
        ("python", "f($A)", "$A + 1", "x = f(*a)\n", NO),
        ("python", "f($A)", "[$A]", "x = f(*a)\n", "x = [*a]\n"),
        ("python", "$A.b", "f($A)", "del x.b\n", NO),
        // A comment in SQL, a decrement elsewhere.
        ("sql", "f($A)", "-$A", "select a, 1 -f(b), c from t\n", "select a, 1 -(-b), c from t\n"),
        ("sql", "f($A)", "not $A", "select f(a or b) from t\n", "select not (a or b) from t\n"),
        ("sql", "f($A)", "$A", "select 1 from t where x and f(a or b)\n", "select 1 from t where x and (a or b)\n"),
        ("sql", "f($A)", "$A OR b", "select 1 from t where f(a) AND c\n", "select 1 from t where (a OR b) AND c\n"),
        ("go", "f($A)", "-$A", "package p\n\nvar x = y -f(a)\n", "package p\n\nvar x = y -(-a)\n"),
        ("go", "f($A)", "$A", "package p\n\nfunc m() {\n\tf(1)\n}\n", NO),
        // A body of an arrow function that is no block, and a statement that is none.
        ("javascript", "f($A)", "() => $A", "x = f({a: 1});\n", "x = () => ({a: 1});\n"),
        ("javascript", "f($A)", "$A.c()", "f({a: 1});\n", "({a: 1}).c();\n"),
        ("javascript", "f($A)", "$A.c()", "f(function () {});\n", "(function () {}).c();\n"),
        ("javascript", "f($A)", "new $A()", "x = f(a.b());\n", "x = new (a.b())();\n"),
        ("javascript", "f($A, $B)", "$A || $B", "x = f(a, b) ?? c;\n", "x = (a || b) ?? c;\n"),
        ("javascript", "f($A)", "$A ** 2", "x = f(-a);\n", "x = (-a) ** 2;\n"),
        ("javascript", "$A.b", "-$A", "a.b++;\n", NO),
        ("typescript", "f($A)", "$A!", "x = f(a || b);\n", "x = (a || b)!;\n"),
        // Nothing parts these lines.
        ("javascript", "f($A)", "[$A]", "a\nf(1)\n", NO),
        ("javascript", "f($A)", "`x${$A}`", "a\nf(1)\n", NO),
        ("javascript", "f($A)", "[$A]", "a;\nf(1)\n", "a;\n[1]\n"),
        ("kotlin", "f($A)", "{ $A }", "fun m() {\n    g()\n    f(1)\n}\n", NO),
        // Code is no text, and text no code.
        ("tsx", "<A>{$X}</A>", "f($X)", "x = <p><A>{y}</A></p>;\n", NO),
        ("tsx", "<A>$X</A>", "$X", "x = <A>text</A>;\n", NO),
        // A cast binds closer than it looks, or less.
        ("java", "f($A)", "(B) $A", "class A { int x = f(-a); }\n", "class A { int x = (B) (-a); }\n"),
        ("java", "f($A)", "$A[0]", "class A { int x = f(new int[3]); }\n", "class A { int x = (new int[3])[0]; }\n"),
        ("java", "f($A)", "$A", "class A { void m() { f(a); } }\n", NO),
        ("rust", "f($A)", "$A as usize", "fn m() { let x = f(a) << c; }\n", "fn m() { let x = (a as usize) << c; }\n"),
        ("rust", "f($A)", "$A.0", "fn m() { let x = f(1); }\n", "fn m() { let x = (1).0; }\n"),
        ("kotlin", "f($A)", "$A!!", "val x = f(a as B)\n", "val x = (a as B)!!\n"),
        // Of what a placeholder makes a function.
        ("scala", "f($A)", "g(h($A))", "object A { val x = xs.map(f(_)) }\n", NO),
        ("scala", "f($A)", "h($A)", "object A { val x = xs.map(f(_)) }\n", "object A { val x = xs.map(h(_)) }\n"),
        ("scala", "f($A)", "$A + 1", "object A { val x = f(_ * 2) }\n", NO),
        // Several elements of a list are what a rule may write.
        ("python", "f($A, $B)", "$A, $B", "g(f(1, 2))\n", "g(1, 2)\n"),
    ];
    let mut wrong = Vec::new();
    for (language, find, replace, code, wanted) in cases {
        let path = match language {
            "python" => "a.py",
            "javascript" => "a.js",
            "typescript" => "a.ts",
            "tsx" => "a.tsx",
            "java" => "A.java",
            "kotlin" => "a.kt",
            "rust" => "a.rs",
            "go" => "a.go",
            "scala" => "a.scala",
            _ => "a.sql",
        };
        let made = replaced(language, path, find, replace, code);
        if made != wanted && !(wanted == NO && made.starts_with(NO)) {
            wrong.push(format!("{language}: {find} -> {replace}: {code:?}\n  {made:?}\n  {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
