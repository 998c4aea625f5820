//! What is written is told from what is read, however it stands among the targets.

use super::{covers, made, none_wrong};

/// Language; code that writes `x.meta`, statement by statement; code around each, where `@` is the statement.
const WRITES: &[(&str, &[&str], &str)] = &[
    (
        "python",
        &[
            "x.meta = 1",
            "x.meta += 1",
            "del x.meta",
            "(x.meta, b) = c",
            "[x.meta, *b] = c",
            "a, *x.meta = c",
            "(x.meta) = 1",
            "y = [1 for x.meta in z]",
            "for x.meta in z: pass",
            "for a, x.meta in z: pass",
            "with a as x.meta: pass",
        ],
        "@\n",
    ),
    (
        "javascript",
        &[
            "x.meta = 1",
            "x.meta += 1",
            "x.meta++",
            "--x.meta",
            "(x.meta)++",
            "delete x.meta",
            "(x.meta) = 1",
            "[x.meta] = y",
            "[...x.meta] = y",
            "({a: x.meta} = y)",
            "for (x.meta of y) {}",
        ],
        "@;\n",
    ),
    ("typescript", &["x.meta! = 1", "x.meta!++", "(x.meta as any) = 1", "delete x.meta", "(<any>x.meta) = 1"], "@;\n"),
    ("tsx", &["x.meta! = 1", "(x.meta as any) = 1", "delete x.meta"], "@;\n"),
    (
        "rust",
        &[
            "x.meta = 1",
            "x.meta += 1",
            "(x.meta, b) = c",
            "[x.meta, b] = c",
            "(x.meta) = 1",
            "S { a: x.meta } = y",
            "f(&mut x.meta)",
        ],
        "fn f() { @; }\n",
    ),
    (
        "go",
        &["x.meta = 1", "x.meta++", "(x.meta) = 1", "(x.meta)++", "a, x.meta = b, c"],
        "package p\n\nfunc f() {\n\t@\n}\n",
    ),
    ("kotlin", &["x.meta = 1", "x.meta += 1", "x.meta++", "++x.meta", "(x.meta) = 1"], "fun f() {\n    @\n}\n"),
    ("swift", &["x.meta = 1", "x.meta += 1", "(x.meta, b) = c", "(x.meta) = 1"], "func f() {\n    @\n}\n"),
    ("scala", &["x.meta = 1", "x.meta += 1", "x.meta ++= y"], "object A { def f = { @ } }\n"),
    ("java", &["x.meta = 1", "x.meta++", "(x.meta)--"], "class A { void f() { @; } }\n"),
];

#[test]
fn what_is_written_is_told_from_what_is_read() {
    let without = [
        ("bash", "it has no members"),
        ("sql", "nothing is written to a member"),
        ("yaml", "it is data"),
        ("json", "it is data"),
        ("toml", "it is data"),
    ];
    covers(WRITES.iter().map(|row| row.0), &without);
    let rule = ".find(expr(\"x.meta\")).when(|m, cx| m.node.access == \"read\").replace(\"x.head\")";
    let mut wrong = Vec::new();
    for (language, statements, around) in WRITES {
        for statement in *statements {
            let code = around.replace('@', statement);
            let made = made(language, rule, &code);
            if !made.starts_with(&code) && made != "=" {
                wrong.push(format!("{language}: {statement}: {made}"));
            }
        }
        let code = around.replace('@', "f(x.meta)");
        let read = made(language, rule, &code);
        if read != code.replace("meta", "head") {
            wrong.push(format!("{language}: {code}: {read}"));
        }
    }
    none_wrong(&wrong);
}
