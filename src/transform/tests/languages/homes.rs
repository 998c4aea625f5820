//! What can't stand anywhere: what a rule writes has its loop, its function, and what that must be, around it.

use super::{compare, covers, none_wrong};

const ROWS: &[(&str, &str, &str, &str)] = &[
    (
        "python",
        ".find(\"old($X)\").replace(\"await g($X)\")",
        "def f():\n    return old(1)\n",
        "=needs an `async` function",
    ),
    ("python", ".find(\"old($X)\").replace(\"await g($X)\")", "x = old(1)\n", "=needs an `async` function"),
    (
        "python",
        ".find(\"old($X)\").replace(\"await g($X)\")",
        "async def f():\n    return [old(a) for a in b]\n",
        "async def f():\n    return [await g(a) for a in b]\n",
    ),
    ("python", ".find(\"old($X)\").replace(\"await g($X)\")", "async def f():\n    h(lambda: old(1))\n", "=needs an"),
    (
        "python",
        ".find(\"def f($$$P): $$$B\").replace(\"async def f($$$P):\\n    await g()\\n    $$$B\")",
        "def f(a):\n    h(a)\n",
        "async def f(a):\n    await g()\n    h(a)\n",
    ),
    ("python", ".find(stmt(\"old($X)\")).replace(\"return g($X)\")", "old(1)\n", "=needs a function"),
    ("python", ".find(stmt(\"old($X)\")).replace(\"return g($X)\")", "class A:\n    old(1)\n", "=needs a function"),
    ("python", ".find(\"old($X)\").replace(\"(yield $X)\")", "class A:\n    x = old(1)\n", "=needs a function"),
    ("python", ".find(stmt(\"old($X)\")).replace(\"continue\")", "def f():\n    old(1)\n", "=needs a loop"),
    (
        "python",
        ".find(stmt(\"old($X)\")).replace(\"continue\")",
        "for a in b:\n    if a:\n        old(1)\n",
        "for a in b:\n    if a:\n        continue\n",
    ),
    (
        "python",
        ".find(stmt(\"old($X)\")).replace(\"break\")",
        "for a in b:\n    def f():\n        old(1)\n",
        "=needs a loop",
    ),
    (
        "javascript",
        ".find(\"old($X)\").replace(\"await g($X)\")",
        "function f() { return old(1); }\n",
        "=needs an `async`",
    ),
    (
        "javascript",
        ".find(\"old($X)\").replace(\"await g($X)\")",
        "const f = async () => { [1].map(x => old(x)); }\n",
        "=needs an `async` function",
    ),
    (
        "javascript",
        ".find(\"old($X)\").replace(\"await g($X)\")",
        "old(1);\nclass A { static async m() { return old(2); } }\n",
        "await g(1);\nclass A { static async m() { return await g(2); } }\n",
    ),
    ("javascript", ".find(\"old($X)\").replace(\"yield $X\")", "function f() { x = old(1); }\n", "=needs a generator"),
    (
        "javascript",
        ".find(\"old($X)\").replace(\"yield $X\")",
        "function* f() { x = old(1); }\nclass A { *g() { old(2); } }\n",
        "function* f() { x = yield 1; }\nclass A { *g() { yield 2; } }\n",
    ),
    ("javascript", ".find(\"old($X)\").replace(\"super.f($X)\")", "function f() { x = old(1); }\n", "=needs a method"),
    (
        "javascript",
        ".find(stmt(\"old($X);\")).replace(\"continue;\")",
        "function f() { old(1); }\n",
        "=`continue;` at 1:16 of the result needs a loop around it",
    ),
    ("javascript", ".find(stmt(\"old($X);\")).replace(\"break out;\")", "out: { old(1); }\n", "out: { break out; }\n"),
    (
        "typescript",
        ".find(\"old($X)\").replace(\"await g($X)\")",
        "class A { m() { return old(1); } }\n",
        "=needs an `async`",
    ),
    ("typescript", ".find(stmt(\"old($X);\")).replace(\"return;\")", "old(1);\n", "=needs a function"),
    ("tsx", ".find(\"old($X)\").replace(\"await g($X)\")", "const a = () => <p>{old(1)}</p>;\n", "=needs an `async`"),
    ("java", ".find(stmt(\"old($X);\")).replace(\"break;\")", "class A { void f() { old(1); } }\n", "=needs a loop"),
    (
        "java",
        ".find(stmt(\"old($X);\")).replace(\"break;\")",
        "class A { void f() { while (a) { if (b) old(1); } } }\n",
        "class A { void f() { while (a) { if (b) break; } } }\n",
    ),
    ("go", ".find(stmt(\"old($X)\")).replace(\"break\")", "package p\n\nfunc f() {\n\told(1)\n}\n", "=needs a loop"),
    (
        "go",
        ".find(stmt(\"old($X)\")).replace(\"continue\")",
        "package p\n\nfunc f() {\n\tfor {\n\t\tswitch {\n\t\tcase a:\n\t\t\told(1)\n\t\t}\n\t}\n}\n",
        "package p\n\nfunc f() {\n\tfor {\n\t\tswitch {\n\t\tcase a:\n\t\t\tcontinue\n\t\t}\n\t}\n}\n",
    ),
    ("rust", ".find(\"old($X)\").replace(\"g($X).await\")", "fn f() { old(1); }\n", "=needs an `async` function"),
    (
        "rust",
        ".find(\"old($X)\").replace(\"g($X).await\")",
        "async fn f() { old(1); }\nfn h() { async { old(2) } }\n",
        "async fn f() { g(1).await; }\nfn h() { async { g(2).await } }\n",
    ),
    ("rust", ".find(\"old($X)\").replace(\"g($X)?\")", "fn f() { old(1); }\n", "=needs a function that gives"),
    (
        "rust",
        ".find(\"old($X)\").replace(\"g($X)?\")",
        "fn f() -> R { old(1); h(|| old(2)) }\n",
        "fn f() -> R { g(1)?; h(|| g(2)?) }\n",
    ),
    ("rust", ".find(stmt(\"old($X);\")).replace(\"break;\")", "fn f() { old(1); }\n", "=needs a loop"),
    (
        "rust",
        ".find(stmt(\"old($X);\")).replace(\"break;\")",
        "fn f() { loop { old(1); } }\n",
        "fn f() { loop { break; } }\n",
    ),
    ("kotlin", ".find(stmt(\"old($X)\")).replace(\"break\")", "fun f() {\n    old(1)\n}\n", "=needs a loop"),
    (
        "kotlin",
        ".find(stmt(\"old($X)\")).replace(\"continue\")",
        "fun f() {\n    for (a in b) {\n        old(1)\n    }\n}\n",
        "fun f() {\n    for (a in b) {\n        continue\n    }\n}\n",
    ),
    ("swift", ".find(\"old($X)\").replace(\"await g($X)\")", "func f() {\n    old(1)\n}\n", "=needs an `async`"),
    (
        "swift",
        ".find(\"old($X)\").replace(\"await g($X)\")",
        "func f() async throws -> Int {\n    old(1)\n}\n",
        "func f() async throws -> Int {\n    await g(1)\n}\n",
    ),
    ("swift", ".find(stmt(\"old($X)\")).replace(\"break\")", "func f() {\n    old(1)\n}\n", "=needs a loop"),
];

#[test]
fn what_is_written_has_what_it_belongs_to_around_it() {
    let without = [
        ("scala", "a `return` may leave a lambda, and `break` is a method"),
        ("bash", "it is seen when it runs"),
        ("sql", "it has none"),
        ("yaml", "it is data"),
        ("json", "it is data"),
        ("toml", "it is data"),
    ];
    covers(ROWS.iter().map(|row| row.0), &without);
    let mut wrong = Vec::new();
    for (language, rule, code, wanted) in ROWS {
        compare(&mut wrong, language, rule, code, wanted);
    }
    none_wrong(&wrong);
}
