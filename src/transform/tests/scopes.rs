//! Names that mean something else where an edit puts their code.

use super::check;

#[test]
fn a_name_that_a_rule_writes_is_no_local_by_chance() {
    // Language and file, the rule from its `find` on, code, and what becomes of it; `=` is refused.
    let min = ".find(\"less($A, $B)\").replace(\"min($A, $B)\")";
    let cases = [
        ("go", "a.go", min, "package p\n\nfunc f(a, b int) int {\n\tmin := 1\n\treturn less(a, min)\n}\n", "="),
        ("python", "a.py", min, "def f(min):\n    return less(1, 2)\n", "="),
        ("python", "a.py", min, "def f(min):\n    pass\nx = less(1, 2)\n", "def f(min):\n    pass\nx = min(1, 2)\n"),
        ("javascript", "a.js", min, "function f(min) {\n  return less(1, min);\n}\n", "="),
        ("kotlin", "a.kt", min, "fun f(min: Int) = less(1, 2)\n", "="),
        ("scala", "a.scala", min, "object A { def f(min: Int) = less(1, 2) }\n", "="),
        ("rust", "a.rs", min, "fn f(min: u8) -> u8 {\n    less(1, 2)\n}\n", "="),
        ("swift", "a.swift", min, "func f(min: Int) {\n    x = less(1, 2)\n}\n", "="),
        // A variable is no method, and is not seen in what it is set to.
        (
            "java",
            "A.java",
            min,
            "class A { int f(int min) { return less(min, 1); } }\n",
            "class A { int f(int min) { return min(min, 1); } }\n",
        ),
        (
            "go",
            "a.go",
            min,
            "package p\n\nfunc f(a, b int) int {\n\tmin := less(a, b)\n\treturn min\n}\n",
            "package p\n\nfunc f(a, b int) int {\n\tmin := min(a, b)\n\treturn min\n}\n",
        ),
        (
            "kotlin",
            "a.kt",
            min,
            "fun f() {\n    val min = less(1, 2)\n    g(min)\n}\n",
            "fun f() {\n    val min = min(1, 2)\n    g(min)\n}\n",
        ),
        // A hole puts in what the code says.
        (
            "python",
            "a.py",
            ".find(\"less($A)\").edit(|m, cx| edits([replace(m.node, code(\"g()\")), insert_after(m.node, code(\" or $A()\", #{ A: m.A }))]))",
            "def f(min):\n    return less(min)\n",
            "def f(min):\n    return g() or min()\n",
        ),
        // The code that was taken said so.
        (
            "python",
            "a.py",
            ".find(\"call(min, $A)\").replace(\"min($A)\")",
            "def f(min):\n    call(min, 1)\n",
            "def f(min):\n    min(1)\n",
        ),
        // So does the rule.
        (
            "python",
            "a.py",
            ".find(\"less($A)\").replace(\"min($A)\").locals([\"min\"])",
            "def f(min):\n    less(1)\n",
            "def f(min):\n    min(1)\n",
        ),
        // What is no call is often a parameter that the rule means.
        (
            "go",
            "a.go",
            ".find(\"f($A)\").replace(\"g(ctx, $A)\")",
            "package p\n\nfunc m(ctx C) {\n\tf(1)\n}\n",
            "package p\n\nfunc m(ctx C) {\n\tg(ctx, 1)\n}\n",
        ),
        ("python", "a.py", ".find(\"f($A)\").replace(\"g(lib, $A)\")", "import lib\ndef m(lib):\n    f(1)\n", "="),
        (
            "python",
            "a.py",
            ".find(\"f($A)\").replace(\"g(lib=$A)\")",
            "import lib\ndef m(lib):\n    f(1)\n",
            "import lib\ndef m(lib):\n    g(lib=1)\n",
        ),
        // The rule brings it.
        ("javascript", "a.js", ".find(\"f($A)\").replace(\"p(done => done($A))\")", "f(1);\n", "p(done => done(1));\n"),
    ];
    let mut wrong = Vec::new();
    for (language, path, rule, code, wanted) in cases {
        let made = check(&format!("rule(\"r\").lang({language:?}){rule};"), path, code);
        let refused = made.starts_with("=\nRefused") && made.contains("is a local at");
        if if wanted == "=" { !refused } else { made != wanted } {
            wrong.push(format!("{language}: {rule}: {code:?}\n  {made:?}\n  {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_name_that_a_rule_defines_captures_none_that_it_copies() {
    let each = ".find(stmt(\"f($S, $V);\")).replace(\"$S.forEach(v => g(v, $V));\")";
    let list = ".find(\"f($S, $V)\").replace(\"[g(x, $V) for x in $S]\")";
    let cases = [
        ("javascript", "a.js", each, "function a(s, v) {\n  f(s, v);\n}\n", "="),
        (
            "javascript",
            "a.js",
            each,
            "function a(v, w) {\n  f(v, w);\n}\n",
            "function a(v, w) {\n  v.forEach(v => g(v, w));\n}\n",
        ),
        ("python", "a.py", list, "def a(s, x):\n    return f(s, x)\n", "="),
        (
            "python",
            "a.py",
            list,
            "def a(x, y):\n    return f(x, y)\n",
            "def a(x, y):\n    return [g(x, y) for x in x]\n",
        ),
        (
            "java",
            "A.java",
            ".find(\"f($S, $V)\").replace(\"$S.map(x -> x + $V)\")",
            "class A { int a(int x) { return f(s, x); } }\n",
            "=",
        ),
        // What is there already is set, and a word that the pattern shows is meant; so is one that the rule says.
        ("python", "a.py", ".find(stmt(\"f($V)\")).replace(\"x = g($V)\")", "x = 1\nf(x)\n", "x = 1\nx = g(x)\n"),
        (
            "javascript",
            "a.js",
            ".find(\"f(x => $B)\").replace(\"g((x, y) => $B)\")",
            "f(x => x + 1);\n",
            "g((x, y) => x + 1);\n",
        ),
        (
            "javascript",
            "a.js",
            ".find(\"f($B)\").replace(\"g(x => $B)\").locals([\"x\"])",
            "f(x + 1);\n",
            "g(x => x + 1);\n",
        ),
    ];
    let mut wrong = Vec::new();
    for (language, path, rule, code, wanted) in cases {
        let made = check(&format!("rule(\"r\").lang({language:?}){rule};"), path, code);
        let refused = made.starts_with("=\nRefused") && made.contains("what the rule defines at");
        if if wanted == "=" { !refused } else { made != wanted } {
            wrong.push(format!("{language}: {rule}: {code:?}\n  {made:?}\n  {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_local_of_a_block_that_goes_meets_its_own_uses() {
    let rows = [
        (
            "typescript",
            "a.ts",
            "if (true) {\n  const a = 1;\n\n  f(a);\n  g(a);\n}\n",
            "const a = 1;\n\nf(a);\ng(a);\n",
        ),
        (
            "java",
            "A.java",
            "class A { void m() {\n    if (true) {\n        int a = 1;\n        f(a);\n    }\n} }\n",
            "class A { void m() {\n    int a = 1;\n    f(a);\n} }\n",
        ),
        (
            "kotlin",
            "a.kt",
            "fun m() {\n    if (true) {\n        val a = 1\n        f(a)\n    }\n}\n",
            "fun m() {\n    val a = 1\n    f(a)\n}\n",
        ),
        (
            "go",
            "a.go",
            "package p\n\nfunc m() {\n\tif true {\n\t\ta := 1\n\t\tf(a)\n\t}\n}\n",
            "package p\n\nfunc m() {\n\ta := 1\n\tf(a)\n}\n",
        ),
        (
            "swift",
            "a.swift",
            "func m() {\n    if true {\n        let a = 1\n        f(a)\n    }\n}\n",
            "func m() {\n    let a = 1\n    f(a)\n}\n",
        ),
        (
            "rust",
            "a.rs",
            "fn m() {\n    if true {\n        let a = 1;\n        f(a);\n    }\n    g();\n}\n",
            "fn m() {\n    let a = 1;\n    f(a);\n    g();\n}\n",
        ),
        // One that is another is met.
        (
            "typescript",
            "a.ts",
            "const a = 2;\nif (true) {\n  const b = 1;\n  const a = 1;\n  f(a);\n}\n",
            "=stands another `a`",
        ),
        ("typescript", "a.ts", "if (true) {\n  const b = 1;\n  const a = 1;\n}\nf(a);\n", "=stands another `a`"),
    ];
    for (language, path, code, wanted) in rows {
        let block = match language {
            "go" | "swift" | "rust" => "if true { $$$A }",
            _ => "if (true) { $$$A }",
        };
        let made =
            check(&format!("rule(\"r\").lang({language:?}).find(stmt({block:?})).replace(\"$$$A\");"), path, code);
        match wanted.strip_prefix('=') {
            Some(said) => assert!(made.starts_with('=') && made.contains(said), "{path}: {made}"),
            None => assert_eq!(made, wanted, "{path}"),
        }
    }
}

#[test]
fn a_copied_name_is_not_caught_by_a_nearer_local() {
    let lambda = |pattern: &str, to: &str| format!(".find({pattern:?}).replace({to:?})");
    let cases = [
        ("javascript", "a.js", lambda("f($A, $P => mk($X))", "f($A, $P => $A)"), "f(t, t => mk(1));\n", "=`t` at 1:11"),
        (
            "javascript",
            "a.js",
            lambda("f($A, $P => mk($X))", "f($A, $P => $A)"),
            "f(u, t => mk(1));\n",
            "f(u, t => u);\n",
        ),
        (
            "typescript",
            "a.ts",
            lambda("f($A, $P => mk($X))", "f($A, $P => $A)"),
            "f(t, t => mk(1));\n",
            "=was another one where it stood",
        ),
        (
            "tsx",
            "a.tsx",
            lambda("f($A, $P => mk($X))", "f($A, $P => $A)"),
            "f(t, t => mk(1));\n",
            "=was another one where it stood",
        ),
        (
            "rust",
            "a.rs",
            lambda("f($A, |$P| mk($X))", "f($A, |$P| g($A))"),
            "fn z(t: u8) { f(t, |t| mk(1)); }\n",
            "=was another one where it stood",
        ),
        (
            "python",
            "a.py",
            lambda("f($A, lambda $P: mk($X))", "f($A, lambda $P: g($A))"),
            "def z(t):\n    f(t, lambda t: mk(1))\n",
            "=was another one where it stood",
        ),
        (
            "go",
            "a.go",
            lambda("f($A, func($P int) { mk($X) })", "f($A, func($P int) { g($A) })"),
            "package p\n\nfunc z(t int) {\n\tf(t, func(t int) { mk(1) })\n}\n",
            "=was another one where it stood",
        ),
        (
            "kotlin",
            "a.kt",
            lambda("f($A) { $P -> mk($X) }", "f($A) { $P -> g($A) }"),
            "fun z(t: Int) = f(t) { t -> mk(1) }\n",
            "=was another one where it stood",
        ),
        (
            "scala",
            "a.scala",
            lambda("f($A, $P => mk($X))", "f($A, $P => g($A))"),
            "object A { def z(t: Int) = f(t, t => mk(1)) }\n",
            "=was another one where it stood",
        ),
        (
            "java",
            "A.java",
            lambda("f($A, $P -> mk($X))", "f($A, $P -> g($A))"),
            "class A { void z() { f(t, t -> mk(1)); } int t; }\n",
            "=was another one where it stood",
        ),
        (
            "swift",
            "a.swift",
            lambda("f($A, { $P in mk($X) })", "f($A, { $P in g($A) })"),
            "func z(t: Int) {\n    f(t, { t in mk(1) })\n}\n",
            "=was another one where it stood",
        ),
        // What moves within its scope, and what takes its own along, is what it was.
        (
            "python",
            "a.py",
            lambda("swap($A, $B)", "swap($B, $A)"),
            "def z(t):\n    u = 1\n    u = swap(t, u)\n    return [swap(t, x) for x in u]\n",
            "=a second run",
        ),
        (
            "javascript",
            "a.js",
            lambda("old($A, $P => $X)", "fresh($P => $X, $A)"),
            "function z(t) { old(t, t => t + 1); }\n",
            "function z(t) { fresh(t => t + 1, t); }\n",
        ),
        (
            "javascript",
            "a.js",
            lambda("function $F($P) { $$$B }", "const $F = ($P) => { $$$B };"),
            "function z(t) { let u = t; { let t = u; f(t); } }\n",
            "const z = (t) => { let u = t; { let t = u; f(t); } };\n",
        ),
        // The rule may mean it.
        (
            "javascript",
            "a.js",
            format!("{}.locals([\"t\"])", lambda("f($A, $P => mk($X))", "f($A, $P => $A)")),
            "f(t, t => mk(1));\n",
            "f(t, t => t);\n",
        ),
    ];
    let mut wrong = Vec::new();
    for (language, path, rule, code, wanted) in cases {
        let made = check(&format!("rule(\"r\").lang({language:?}){rule};"), path, code);
        let refused = made.strip_prefix("=\nRefused: ");
        let ok = match wanted.strip_prefix('=') {
            Some(why) => refused.is_some_and(|made| made.contains(why)),
            None => made == wanted,
        };
        if !ok {
            wrong.push(format!("{language}: {code}{made}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
