//! Code holds together as it did: what is put somewhere is one piece there, or it is refused.

use super::{check, replaced};

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
        ("javascript", "$A.size", "$A.count()", "new a.size(1);\n", "new (a.count())(1);\n"),
        ("typescript", "$A.size", "$A.count()", "x = new a.size;\n", "x = new (a.count());\n"),
        // Of what a macro is given only tokens are known.
        ("rust", "ok($A)", "assert!(!$A)", "fn m() { ok(a || b); }\n", "fn m() { assert!(!(a || b)); }\n"),
        ("rust", "ok($A)", "assert!(!$A, 1)", "fn m() { ok(a.b()); }\n", "fn m() { assert!(!a.b(), 1); }\n"),
        ("rust", "ok($A)", "assert!($A, 1)", "fn m() { ok(a || b); }\n", "fn m() { assert!(a || b, 1); }\n"),
        ("rust", "ok($A)", "p!(k = $A)", "fn m() { ok(a || b); }\n", "fn m() { p!(k = a || b); }\n"),
        (
            "rust",
            "ok($A)",
            "p!(\"{}\", $A.abs())",
            "fn m() { ok(x + 1); }\n",
            "fn m() { p!(\"{}\", (x + 1).abs()); }\n",
        ),
        ("rust", "ok($A)", "p!({ q!(-$A) })", "fn m() { ok(x as B); }\n", "fn m() { p!({ q!(-(x as B)) }); }\n"),
        ("javascript", "f($A, $B)", "$A || $B", "x = f(a, b) ?? c;\n", "x = (a || b) ?? c;\n"),
        ("javascript", "f($A)", "$A ** 2", "x = f(-a);\n", "x = (-a) ** 2;\n"),
        ("javascript", "$A.b", "-$A", "a.b++;\n", NO),
        ("typescript", "f($A)", "$A!", "x = f(a || b);\n", "x = (a || b)!;\n"),
        // Nothing parts these lines.
        ("javascript", "f($A)", "[$A]", "a\nf(1)\nf(2)\n", "a\n;[1]\n;[2]\n"),
        ("javascript", "f($A)", "`x${$A}`", "a\nf(1)\n", "a\n;`x${1}`\n"),
        ("javascript", "f($A)", "[$A]", "a;\nf(1)\n", "a;\n[1]\n"),
        ("kotlin", "f($A)", "{ $A }", "fun m() {\n    g()\n    f(1)\n}\n", NO),
        // A line that begins with `(` is a statement.
        (
            "kotlin",
            "f($A)",
            "$A shouldBe 1",
            "fun m() {\n    g()\n    f(k is E)\n}\n",
            "fun m() {\n    g()\n    (k is E) shouldBe 1\n}\n",
        ),
        (
            "kotlin",
            "$X.foo()",
            "h($X)",
            "fun m() {\n    g(1)\n    (b as C).foo()\n}\n",
            "fun m() {\n    g(1)\n    h((b as C))\n}\n",
        ),
        (
            "kotlin",
            "g($X)",
            "h($X)",
            "val z = when {\n    a -> g(1)\n    (b && c) -> x\n}\n",
            "val z = when {\n    a -> h(1)\n    (b && c) -> x\n}\n",
        ),
        // Braces around statements are none around a value.
        ("javascript", "() => $B", "lazy($B)", "y = () => { a };\n", NO),
        ("typescript", "if ($A) $B", "when($A, $B)", "if (a) { b }\n", NO),
        ("kotlin", "if ($A) $B else $C", "pick($A, $B, $C)", "val x = if (a) { b() } else { c() }\n", NO),
        ("kotlin", "f($A)", "if (a) $A", "fun m() { f({ b() }) }\n", NO),
        // What the grammar reads otherwise.
        ("typescript", "$X.B()", "b($X)", "x = new a!.B();\n", NO),
        ("typescript", "$X!", "$X", "x = y + new a!.B();\n", NO),
        ("typescript", "$A < $B", "lt($A, $B)", "x = a < b < c;\n", "x = lt(lt(a, b), c);\n"),
        ("java", "$A / $B", "div($A, $B)", "class A { int x = (n) - b / c; }\n", NO),
        ("java", "$A * $B", "mul($A, $B)", "class A { int x = d * (a.n) + b / c; }\n", NO),
        (
            "java",
            "$A / $B",
            "div($A, $B)",
            "class A { int x = (int) -b / c; }\n",
            "class A { int x = div((int) -b, c); }\n",
        ),
        ("bash", "$A | grep x", "has x $A", "time a | grep x\n", NO),
        ("bash", "$A | grep x", "has x $A", "a | grep x; timed b | c\n", "has x a; timed b | c\n"),
        ("sql", "$A -> $B", "f($A, $B)", "select a -> b ->> c from t\n", NO),
        ("sql", "$A ->> $B", "f($A, $B)", "select g(a -> b ->> c) from t\n", NO),
        ("sql", "$A -> $B", "f($A, $B)", "select g(a -> b + 1) from t\n", "select g(f(a, b + 1)) from t\n"),
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
        // What the grammar reads without parentheses, and the language does not, or as other code.
        (
            "python",
            "f($A)",
            "$A",
            "async def h():\n    x = await f(a ** b)\n",
            "async def h():\n    x = await (a ** b)\n",
        ),
        ("python", "f($A)", "$A", "with f((a, b)): pass\n", "with ((a, b)): pass\n"),
        ("python", "f($A)", "$A", "x = f'{f(a := 1)}'\n", "x = f'{(a := 1)}'\n"),
        ("python", "f($A)", "$A", "x = f(a := 1) and b\n", "x = (a := 1) and b\n"),
        ("python", "f($A)", "$A", "if f(a := 1): pass\n", "if a := 1: pass\n"),
        ("python", "f($A)", "$A", "x = b and f(lambda: 1)\n", "x = b and (lambda: 1)\n"),
        ("python", "f($A)", "$A", "x = {**f(a or b)}\n", "x = {**(a or b)}\n"),
        ("python", "f($A)", "$A", "x = 1 if f(a if b else c) else 2\n", "x = 1 if (a if b else c) else 2\n"),
        ("python", "f($A)", "$A", "x = f(**a)\n", NO),
        ("python", "f($A)", "$A", "x = [f(*a) for b in c]\n", NO),
        ("python", "f($A)", "f'{$A}'", "x = f('s')\n", NO),
        ("python", "f($A)", "not $A", "x = 1 + f(a)\n", "x = 1 + (not a)\n"),
        ("python", "f($A)", "{**$A or b}", "x = f(a)\n", NO),
        ("javascript", "f($A)", "$A", "x = f(a?.b).c;\n", "x = (a?.b).c;\n"),
        ("javascript", "f($A)", "$A(z)", "x = f(a?.b.c);\n", "x = (a?.b.c)(z);\n"),
        ("javascript", "$A.b()", "$A.c()", "x = a?.d.b();\n", "x = a?.d.c();\n"),
        ("javascript", "f($A)", "{}", "x = () => f(a);\n", "x = () => ({});\n"),
        ("javascript", "f($A)", "$A", "f(function () {}());\n", "(function () {}());\n"),
        ("javascript", "f($A)", "$A", "x = y => f({a: 1}.a);\n", "x = y => ({a: 1}.a);\n"),
        ("javascript", "f($A)", "$A", "f(function* () {});\n", "(function* () {});\n"),
        ("javascript", "f($A)", "$A", "x = b && f(() => 1);\n", "x = b && (() => 1);\n"),
        ("javascript", "f($A)", "$A", "x = !f(a = 1);\n", "x = !(a = 1);\n"),
        ("javascript", "f($A)", "$A", "for (let i = f('a' in b); ;) c();\n", "for (let i = ('a' in b); ;) c();\n"),
        ("javascript", "f($A)", "$A", "class A extends f(a || b) {}\n", "class A extends (a || b) {}\n"),
        ("javascript", "$A.b", "g($A)", "a.b = 1;\n", NO),
        ("javascript", "f($A)", "-$A ** 2", "x = f(a);\n", NO),
        ("typescript", "f($A)", "$A", "x = f(a && b) as B;\n", "x = (a && b) as B;\n"),
        ("typescript", "f($A)", "$A", "x = f(a as B).c;\n", "x = (a as B).c;\n"),
        ("typescript", "f($A)", "$A", "x = 2 ** f(a as B);\n", "x = 2 ** (a as B);\n"),
        ("typescript", "f($A)", "$A", "x = k in f(a < b);\n", "x = k in (a < b);\n"),
        ("tsx", "f($A)", "$A", "x = f(a?.b).c as B;\n", "x = (a?.b).c as B;\n"),
        ("java", "f($A)", "$A", "class A { void m() { f(a instanceof B); } }\n", NO),
        ("java", "f($A)", "$A", "class A { void m() { for (f(a + b);;) {} } }\n", NO),
        ("java", "f($A)", "$A", "class A { int x = 1 + f(a = 1); }\n", "class A { int x = 1 + (a = 1); }\n"),
        ("java", "f($A)", "$A", "class A { int x = (int)f(a + b); }\n", "class A { int x = (int)(a + b); }\n"),
        ("java", "f($A)", "$A", "class A { int x = (int) f(a + b); }\n", "class A { int x = (int) (a + b); }\n"),
        ("kotlin", "f($A)", "$A", "val x = f(a as B).c\n", "val x = (a as B).c\n"),
        ("kotlin", "f($A)", "$A", "val x = f(a as B)[0]\n", "val x = (a as B)[0]\n"),
        ("kotlin", "f($A)", "$A", "val x = f(a as B)(0)\n", "val x = (a as B)(0)\n"),
        ("kotlin", "f($A)", "$A", "val x = f(a is B).c\n", "val x = (a is B).c\n"),
        ("kotlin", "f($A)", "$A", "val x = f(a is B) + 1\n", "val x = (a is B) + 1\n"),
        ("kotlin", "f($A)", "$A", "val x = f(a is B) ?: c\n", "val x = (a is B) ?: c\n"),
        ("kotlin", "f($A)", "$A", "val x = f(a is B) && c\n", "val x = a is B && c\n"),
        ("kotlin", "f($A)", "$A", "val x = f(a as B) + 1\n", "val x = a as B + 1\n"),
        ("kotlin", "f($A)", "$A", "val x = c < f(a < b)\n", "val x = c < (a < b)\n"),
        ("kotlin", "f($A)", "$A", "val x = f(A::g)(1)\n", "val x = (A::g)(1)\n"),
        (
            "go",
            "f($A)",
            "$A",
            "package p\n\nfunc m() {\n\tif k := f(A{1}); k.b {\n\t}\n}\n",
            "package p\n\nfunc m() {\n\tif k := (A{1}); k.b {\n\t}\n}\n",
        ),
        ("go", "f($A)", "$A", "package p\n\nfunc m() {\n\tgo f(a[0])\n}\n", NO),
        ("rust", "f($A)", "$A", "fn m() { let x = f(a.b)(c); }\n", "fn m() { let x = (a.b)(c); }\n"),
        (
            "rust",
            "f($A)",
            "$A",
            "fn m() { if let Some(k) = f(a || b) {} }\n",
            "fn m() { if let Some(k) = (a || b) {} }\n",
        ),
        ("rust", "f($A)", "$A", "fn m() { f({ a }) * k; }\n", "fn m() { ({ a }) * k; }\n"),
        // What belongs to a function, or a loop, stays in it.
        ("python", "f($A)", "[$A for q in r]", "def h():\n    x = f((yield))\n", NO),
        ("python", "f($A)", "lambda: $A", "async def h():\n    x = f(await a)\n", NO),
        (
            "python",
            "f($A)",
            "[$A for q in r]",
            "async def h():\n    x = f(await a)\n",
            "async def h():\n    x = [await a for q in r]\n",
        ),
        ("javascript", "f($A)", "() => $A", "async () => f(await a);\n", NO),
        (
            "javascript",
            "f($A)",
            "async () => $A",
            "async () => f(async () => await a);\n",
            "async () => async () => async () => await a;\n",
        ),
        ("javascript", "f($A)", "function () { return $A; }", "x = f(this.a);\n", NO),
        ("javascript", "f($A)", "() => $A", "x = f(this.a);\n", "x = () => this.a;\n"),
        ("rust", "f($A)", "g(|| $A)", "fn m() { let x = f(a?); }\n", NO),
        ("go", "f(func() { $$$B })", "$$$B", "package p\n\nfunc m() {\n\tf(func() { return })\n}\n", NO),
        (
            "java",
            "f(() -> { $$$B });",
            "f(new R() { public void run() { $$$B } });",
            "class A { void m() { while (a) { f(() -> { return; }); } } }\n",
            "class A { void m() { while (a) { f(new R() { public void run() { return; } }); } } }\n",
        ),
        (
            "java",
            "synchronized (q) { $$$B }",
            "g(new R() { public void run() { $$$B } });",
            "class A { void m() { while (a) { synchronized (q) { continue; } } } }\n",
            NO,
        ),
        (
            "java",
            "synchronized (q) { $$$B }",
            "g(new R() { public void run() { $$$B } });",
            "class A { void m() { while (a) { synchronized (q) { break; } } } }\n",
            NO,
        ),
        (
            "java",
            "synchronized (q) { $$$B }",
            "g(new R() { public void run() { $$$B } });",
            "class A { int m() { return switch (a) { default -> { synchronized (q) { yield 1; } } }; } }\n",
            NO,
        ),
        ("scala", "f($A)", "g(() => $A)", "object A { def m: Int = f(return 1) }\n", NO),
        // What must come last in its list, and what may not come behind a name.
        ("python", "f($$$A)", "g($$$A, x)", "f(a, k=1)\n", NO),
        ("python", "f($$$A)", "g($$$A, *x)", "f(**k)\n", NO),
        ("python", "f($$$A)", "g($$$A, x)", "f(*a)\n", "g(*a, x)\n"),
        ("python", "lambda $P: $B", "lambda $P, b: $B", "x = lambda a=1: a\n", NO),
        ("python", "lambda $P: $B", "lambda $P, b: $B", "x = lambda **a: a\n", NO),
        ("javascript", "($$$P) => $B", "h(($$$P, z) => $B)", "x = (...a) => 1;\n", NO),
        ("typescript", "($$$P) => $B", "h(($$$P, z) => $B)", "x = (...a: A[]) => 1;\n", NO),
        ("java", "void f($$$P) {}", "void g($$$P, int z) {}", "class A { void f(int... a) {} }\n", NO),
        ("go", "f($$$A)", "g($$$A, x)", "package p\n\nvar x = f(a...)\n", NO),
        ("rust", "S { $$$F }", "T { $$$F, z: 1 }", "fn m() { let x = S { old: 1, ..d }; }\n", NO),
        (
            "rust",
            "S { $$$F }",
            "T { z: 1, $$$F }",
            "fn m() { let x = S { ..d }; }\n",
            "fn m() { let x = T { z: 1, ..d }; }\n",
        ),
        // A statement with a block begins its line.
        ("python", "f($A)", "with q:\n    g($A)", "x = 1; f(1)\n", NO),
        ("python", "f($A)", "with q:\n    g($A)", "x = 1\nf(1)\n", "x = 1\nwith q:\n    g(1)\n"),
        ("python", "f($A)", "if q: g($A)", "if a: f(1)\n", NO),
        ("python", "if f($A): $$$B", "$$$B", "if f(1):\n    if b: c()\n", "if b: c()\n"),
        ("scala", "f($A)", "$A", "object A { def m = {\n  b()\n  f({ a })\n} }\n", NO),
        (
            "scala",
            "f($A)",
            "$A",
            "object A { def m = {\n  b()\n\n  f({ a })\n} }\n",
            "object A { def m = {\n  b()\n\n  { a }\n} }\n",
        ),
        // A comment ends the line.
        (
            "javascript",
            "f($$$A)",
            "$$$A",
            "function h() { return f(/* c\n d */ a); }\n",
            "function h() { return (/* c\n d */ a); }\n",
        ),
        (
            "typescript",
            "f($$$A)",
            "$$$A",
            "function h() { return f(/* c\n d */ a); }\n",
            "function h() { return (/* c\n d */ a); }\n",
        ),
        (
            "tsx",
            "f($$$A)",
            "$$$A",
            "function h() { throw f(/* c\n d */ a); }\n",
            "function h() { throw (/* c\n d */ a); }\n",
        ),
        (
            "javascript",
            "f($$$A)",
            "$$$A",
            "function h() { throw f(// c\n a); }\n",
            "function h() { throw (// c\n a); }\n",
        ),
        ("javascript", "f($$$A)", "$$$A", "x = f(// c\n  a);\n", "x = // c\n  a;\n"),
        (
            "javascript",
            "if (f($A)) { $$$B }",
            "$$$B",
            "for (;;) { if (f(1)) { return; // c\n b() } }\n",
            "for (;;) { return; // c\n b() }\n",
        ),
        (
            "go",
            "f($$$A)",
            "$$$A",
            "package p\n\nfunc h() int {\n\treturn f(/* c\n d */ a)\n}\n",
            "package p\n\nfunc h() int {\n\treturn (/* c\n d */ a)\n}\n",
        ),
        ("python", "f($$$A)", "$$$A", "x = f(  # c\n    a)\n", "x = (# c\n    a)\n"),
        ("python", "f($$$A)", "$$$A", "assert f(  # c\n  a), b\n", "assert (# c\n  a), b\n"),
        ("python", "f($$$A)", "$$$A", "x = [f(  # c\n  a), b]\n", "x = [# c\n  a, b]\n"),
        ("python", "if f($A): $$$B", "$$$B", "if f(1):\n    a()\n    # d\n    b()\n", "a()\n# d\nb()\n"),
        // Several where one is wanted.
        ("javascript", "f($$$A)", "$$$A", "x = f(a, b);\n", NO),
        ("python", "f($$$A)", "$$$A", "x = f(a, b)\n", NO),
        ("python", "f($$$A)", "$$$A", "g(f(a, b))\n", "g(a, b)\n"),
        ("python", "f($$$A)", "($$$A)", "x = f(a, b)\n", "x = (a, b)\n"),
        // A block that goes leaves its names to what is around it.
        ("javascript", "if (f($A)) { $$$B }", "$$$B", "if (f(1)) { let q = 1; a(q); }\nlet q = 2;\n", NO),
        ("javascript", "if (f($A)) { $$$B }", "$$$B", "if (f(1)) { const q = 1; }\nuse(q);\n", NO),
        ("javascript", "if (f($A)) { $$$B }", "$$$B", "if (f(1)) { var q = 1; }\nuse(q);\n", "var q = 1;\nuse(q);\n"),
        (
            "javascript",
            "if (f($A)) { $$$B }",
            "$$$B",
            "if (f(1)) { let q = 1; a(q); }\nuse(p);\n",
            "let q = 1; a(q);\nuse(p);\n",
        ),
        (
            "javascript",
            "if (f($A)) { $$$B }",
            "while (a) { $$$B }",
            "if (f(1)) { let q = 1; }\nlet q;\n",
            "while (a) { let q = 1; }\nlet q;\n",
        ),
        ("typescript", "if (f($A)) { $$$B }", "$$$B", "if (f(1)) { const q = 1; }\nuse(q);\n", NO),
        ("tsx", "if (f($A)) { $$$B }", "$$$B", "if (f(1)) { const q = 1; }\nuse(q);\n", NO),
        ("java", "if (f($A)) { $$$B }", "$$$B", "class A { void m() { if (f(1)) { int q = 1; }\nint q = 2; } }\n", NO),
        ("kotlin", "if (f($A)) { $$$B }", "$$$B", "fun m() {\n    if (f(1)) { val q = 1 }\n    use(q)\n}\n", NO),
        (
            "scala",
            "if (f($A)) { $$$B }",
            "$$$B",
            "object A { def m = {\n  if (f(1)) { val q = 1 }\n  use(q)\n} }\n",
            NO,
        ),
        (
            "go",
            "if f($A) { $$$B }",
            "$$$B",
            "package p\n\nfunc m() {\n\tif f(1) {\n\t\tq := 1\n\t\ta(q)\n\t}\n\tb(q)\n}\n",
            NO,
        ),
        ("rust", "if f($A) { $$$B }", "$$$B", "fn m() {\n    if f(1) { let q = 1; a(q); }\n    b(q);\n}\n", NO),
        ("python", "if f($A): $$$B", "$$$B", "if f(1):\n    q = 1\nuse(q)\n", "q = 1\nuse(q)\n"),
        // A keyword is the statement that it is all of.
        ("python", "return", "pass", "def h():\n    return a\n", "="),
        ("python", "return", "pass", "def h():\n    return\n", "def h():\n    pass\n"),
        // What is misread is not missed.
        ("python", "f($A)", "g($A)", "x = [*f(a)]\n", NO),
        ("python", "f($A)", "g($A)", "x = f(a for a in b)\n", "x = g((a for a in b))\n"),
        ("python", "f($$$A)", "g(1, $$$A)", "x = f(a for a in b)\n", "x = g(1, (a for a in b))\n"),
        ("python", "x = ($A)", "x = list($A)", "x = (q for q in y)\n", "="),
        ("scala", "f($A)", "$A + 1", "object A { val x = f(g(_)) }\n", NO),
        ("scala", "f($A)", "h($A)", "object A { val x = f(g(_)) }\n", "object A { val x = h(g(_)) }\n"),
        ("scala", "f($A)", "1 + $A", "object A { val x = f((a, b)) }\n", "object A { val x = 1 + ((a, b)) }\n"),
        ("scala", "f($A)", "$A(1)", "object A { val x = f(new B(1)) }\n", "object A { val x = (new B(1))(1) }\n"),
        ("sql", "f($A)", "$A + 1", "select f(a || b) from t\n", "select (a || b) + 1 from t\n"),
        ("python", "$A.b", "True", "del x.b\n", NO),
        // Operators of Swift bind as the language has it, whatever its grammar says.
        ("swift", "f($A, $B)", "$A == $B", "let x = f(a, b) && c\n", "let x = a == b && c\n"),
        ("swift", "f($A)", "$A == b", "let x = f(a && c)\n", "let x = (a && c) == b\n"),
        ("swift", "f($A)", "!$A", "let x = f(a == b)\n", "let x = !(a == b)\n"),
        ("swift", "f($A)", "!$A", "let x = f(!a)\n", "let x = !(!a)\n"),
        ("swift", "f($A)", "!$A", "let x = f(a.b())\n", "let x = !a.b()\n"),
        ("swift", "f($A)", "$A.c", "let x = f(a as? B)\n", "let x = (a as? B).c\n"),
        ("swift", "f($A)", "$A.c()", "let x = f(a as! B)\n", "let x = (a as! B).c()\n"),
        ("swift", "f($A)", "$A.c()", "let x = f(a is B)\n", "let x = (a is B).c()\n"),
        ("swift", "f($A)", "$A as! B.C", "let x = f(a)\n", "let x = a as! B.C\n"),
        ("swift", "f($A)", "$A as! B.C", "let x = f(a as? D)\n", "let x = a as? D as! B.C\n"),
        ("swift", "$A as! B", "$A as! D", "let x = a as! B\n", "let x = a as! D\n"),
        ("swift", "f($A)", "$A ?? b", "let x = f(a == c)\n", "let x = (a == c) ?? b\n"),
        ("swift", "f($A)", "b + $A", "let x = f(try a())\n", "let x = b + (try a())\n"),
        ("swift", "f($A)", "$A + b", "let x = f(c ? d : e)\n", "let x = (c ? d : e) + b\n"),
        ("swift", "f($A)", "$A", "func m() { if f(a { b }) { c } }\n", "func m() { if (a { b }) { c } }\n"),
        ("swift", "f($A)", "$A", "func m() { f(1).b = c }\n", "func m() { 1.b = c }\n"),
        ("swift", "f($A)", "$A", "func m() { f(1) = c }\n", NO),
        ("swift", "f($A)", "[$A]", "let x = f(a: 1)\n", NO),
        ("swift", "f($A)", "g($A)", "let x = f(a: 1)\n", "let x = g(a: 1)\n"),
        ("swift", "f($A)", "{ $A }", "func m() {\n    g()\n    f(1)\n}\n", NO),
        ("swift", "f($A)", ".b", "func m() {\n    g()\n    f(1)\n}\n", NO),
        ("swift", "f($A)", "g { $A }", "func m() { x = f(try a()) }\n", NO),
        ("swift", "f($A)", "h($A)", "let x = a.f<Int>(f(1))\n", NO),
        ("swift", "f($A)", "h($A)", "let x = a |> f(1) + b\n", NO),
        ("swift", "f($A)", "h($A)", "let x = !(f(1)).b\n", NO),
        ("swift", "f { $$$B }", "$$$B", "func m() {\n    f { return }\n}\n", NO),
        ("swift", "$A && true", "$A", "let x = a == b && true\n", "let x = a == b\n"),
        ("swift", "true && $A", "$A", "let x = true && a == b\n", "let x = a == b\n"),
        ("swift", "$A < $B", "less($A, $B)", "let x = a < b && c\n", "let x = less(a, b) && c\n"),
        ("swift", "$A ?? $B", "or($A, $B)", "let x = a ?? b == c\n", "let x = or(a, b) == c\n"),
        ("swift", "-$A", "neg($A)", "let x = -a + b\n", "let x = neg(a) + b\n"),
        ("swift", "$A ? $B : $C", "if($A, $B, $C)", "let x = a ? b : c ? d : e\n", NO),
        // A line's end is no part of the comment before it.
        ("python", "if f($A): $$$B", "$$$B", "if f(1):\r\n    z = 2  # t\r\nb\r\n", "z = 2  # t\r\nb\r\n"),
        (
            "go",
            "if f($A) { $$$B }",
            "$$$B",
            "package p\r\n\r\nfunc m() {\r\n\tif f(1) {\r\n\t\ta() // t\r\n\t}\r\n}\r\n",
            "package p\r\n\r\nfunc m() {\r\n\ta() // t\r\n}\r\n",
        ),
        ("bash", "if f; then $$$B; fi", "$$$B", "if f; then\r\n  a # t\r\nfi\r\n", "a # t\r\n"),
        ("python", "if f($A): $$$B", "$$$B", "def h():\n    if f(1):\n        yield\n", "def h():\n    yield\n"),
        // What stood in a list on lines of its own stands so in another one.
        ("python", "f($S, $$$A)", "$S.g($$$A)", "f(\n    me,\n    a,\n    b,\n)\n", "me.g(\n    a,\n    b,\n)\n"),
        ("javascript", "f($S, $$$A)", "$S.g($$$A)", "f(\n  me,\n  a,\n  b\n);\n", "me.g(\n  a,\n  b\n);\n"),
        ("python", "f($S, $$$A)", "$S.g($$$A)", "f(me,\n  a)\nf(me,\n)\n", "me.g(\n  a)\nme.g()\n"),
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
            "swift" => "a.swift",
            "bash" => "a.sh",
            _ => "a.sql",
        };
        let made = replaced(language, path, find, replace, code);
        if made != wanted && !(wanted == NO && made.starts_with(NO)) {
            wrong.push(format!("{language}: {find} -> {replace}: {code:?}\n  {made:?}\n  {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_call_has_besides_is_not_dropped() {
    // Language and file, what is done with `$R.f($A)` or `f($A)`, and code of which nothing may be lost.
    let whole = ".replace(\"$R.g($A)\")";
    let closure = ".edit(|m, cx| edits([replace(m.node, code(\"g($A)\", #{ A: m.A }))]))";
    let cases = [
        ("javascript", "a.js", "$R.f($A)", whole, "a?.f(1);\n"),
        ("javascript", "a.js", "$R.f($A)", whole, "a.f?.(1);\n"),
        ("kotlin", "a.kt", "$R.f($A)", whole, "val x = a?.f(1)\n"),
        ("swift", "a.swift", "$R.f($A)", whole, "a?.f(1)\n"),
        ("rust", "a.rs", "f($A)", closure, "fn m() { f::<T>(1); }\n"),
        ("scala", "a.scala", "f($A)", closure, "object A { f[T](1) }\n"),
    ];
    for (language, path, find, rule, code) in cases {
        let script = format!("rule(\"r\").lang({language:?}).find(invocation({find:?})){rule};");
        let made = check(&script, path, code);
        assert!(made.starts_with("=\nRefused") && made.contains("would go"), "{language}: {code}: {made}");
    }
    // What the pattern names is not dropped behind its back.
    for (language, path, code, wanted) in [
        ("javascript", "a.js", "a?.f(1);\nb.f(2);\n", "a?.g(1);\nb.f(2);\n"),
        ("kotlin", "a.kt", "val x = a?.f(1)\nval y = b.f(2)\n", "val x = a?.g(1)\nval y = b.f(2)\n"),
    ] {
        let script = format!("rule(\"r\").lang({language:?}).find(invocation(\"$R?.f($A)\")).replace(\"$R?.g($A)\");");
        assert_eq!(check(&script, path, code), wanted);
    }
    let part = "rule(\"r\").lang(\"javascript\").find(invocation(\"$R.f($A)\")).edit(|m, cx| edits([wrap(m.node, \"h($IT)\")])).when(|m, cx| !m.node.parent.fits(kind(\"arguments\")));";
    assert_eq!(check(part, "a.js", "a?.f(1);\n"), "h(a?.f(1));\n");
    let name =
        "rule(\"r\").lang(\"kotlin\").find(all([kind(\"interpolated_identifier\"), regex(\"^x$\")])).replace(\"y.z\");";
    let made = check(name, "a.kt", "val q = \"$x\"\n");
    assert!(made.starts_with("=\nRefused"), "{made}");
}

#[test]
fn code_in_a_literal_is_one_piece_as_well() {
    // What is looked for, what is written, the code in the literal, and what becomes of it.
    let cases = [
        ("f($A)", "$A + 1", "select f(a) * 2 from t", "select (a + 1) * 2 from t"),
        ("f($A)", "$A + 1", "select b - f(a) from t", "select b - (a + 1) from t"),
        ("f($A)", "$A + 1", "select f(a or b) from t", "select (a or b) + 1 from t"),
        ("f($A)", "$A", "select not f(a or b) from t", "select not (a or b) from t"),
        ("f($A)", "$A", "select f(a) from t", "select a from t"),
        ("f($A)", "g($A)", "select f(/* why */ a) from t", "="),
        ("f($A)", "g($A) -- c", "select f(a) from t", "="),
    ];
    for (find, replace, code, wanted) in cases {
        let rule = format!(
            "rule(\"r\").lang(\"sql\").find(expr({find:?})).in_host(\"python\", \"q($S)\").replace({replace:?});"
        );
        let made = super::check(&rule, "a.py", &format!("q('{code}')\n"));
        let fits = if wanted == "=" { made.starts_with(NO) } else { made == format!("q('{wanted}')\n") };
        assert!(fits, "{find} -> {replace}: {code}: {made}");
    }
}
