//! Every comment inside a match: it does not prevent the match, and is in the result, or the edit is refused.

use super::{covers, made, none_wrong};

/// Language, what stands before the code and behind it, how comments look, the tokens, between which they go,
/// the pattern, and what is written.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
);

const CALL: &[&str] = &["f", "(", "a", "(", "1", ")", ",", " b", ")"];
const FIND: &str = "expr(\"f($A, $B)\")";
const NEW: &[&str] = &["g($A, $B)", "k($B, $A)", "$A + $B", "g($A)"];
const SLASHES: &[&str] = &["/* c */", "// c\n"];

const ROWS: &[Row] = &[
    ("python", "x = (", ")\n", &["# c\n"], CALL, FIND, NEW),
    ("sql", "select ", " from t\n", &["/* c */", "-- c\n"], CALL, FIND, NEW),
    ("scala", "object A { val x = ", " }\n", SLASHES, CALL, FIND, NEW),
    ("java", "class A { int x = ", "; }\n", SLASHES, CALL, FIND, NEW),
    ("swift", "let x = ", "\n", SLASHES, CALL, FIND, NEW),
    ("kotlin", "val x = ", "\n", SLASHES, CALL, FIND, NEW),
    ("go", "package p\n\nvar x = ", "\n", SLASHES, CALL, FIND, NEW),
    ("rust", "fn m() { x = ", "; }\n", SLASHES, CALL, FIND, NEW),
    ("javascript", "x = ", ";\n", SLASHES, CALL, FIND, NEW),
    ("typescript", "x = ", ";\n", SLASHES, CALL, FIND, NEW),
    ("tsx", "x = <p>{", "}</p>;\n", SLASHES, CALL, FIND, NEW),
    (
        "yaml",
        "",
        "",
        &["# c\n"],
        &["old: [\n", "  [a,\n", "   c],\n", "  b,\n", " ]\n"],
        "pair(\"old: [$A, $B]\")",
        &["new: [$A, $B]", "new: $B"],
    ),
    (
        "json",
        "{",
        "}\n",
        SLASHES,
        &["\"old\"", ":", "[", "1", ",", "2", "]"],
        "member(\"\\\"old\\\": [$$$A]\")",
        &["\"new\": [$$$A]", "\"new\": 1"],
    ),
    (
        "toml",
        "",
        "",
        &["# c\n"],
        &["old = [\n", "  1,\n", "  2,\n", "]\n"],
        "stmt(\"old = [$$$A]\")",
        &["new = [$$$A]", "new = 1"],
    ),
    (
        "bash",
        "",
        "",
        &["# c\n"],
        &["if f; then\n", "  a\n", "  b\n", "fi\n"],
        "stmt(\"if f; then $$$B\\nfi\")",
        &["while f; do\n$$$B\ndone", "g"],
    ),
];

#[test]
fn a_comment_prevents_no_match_and_is_not_lost() {
    covers(ROWS.iter().map(|row| row.0), &[]);
    let mut wrong = Vec::new();
    for (language, before, behind, marks, tokens, find, templates) in ROWS {
        let mut refused = 0;
        for (new, mark) in templates.iter().flat_map(|new| marks.iter().map(move |mark| (new, mark))) {
            let mut kept = 0;
            for at in 1..tokens.len() {
                // A line break ends the name that would be called.
                if at == 1 && mark.ends_with('\n') && matches!(*language, "scala" | "go" | "swift" | "kotlin") {
                    continue;
                }
                let code = format!("{before}{} {mark}{}{behind}", tokens[..at].concat(), tokens[at..].concat());
                let made = made(language, &format!(".find({find}).replace({new:?})"), &code);
                let lost = made.starts_with("=\nRefused") && made.contains("would lose the comment");
                // A comment may be in the way of what the template puts there.
                let other = made.starts_with("=\nRefused");
                let there = made.matches(mark.trim_end()).count() == 1 && !made.starts_with('=');
                kept += usize::from(there);
                refused += usize::from(lost);
                if !there && !other {
                    wrong.push(format!("{language}: {find} -> {new}: {code:?}\n  {made:?}"));
                }
            }
            // What copies code can keep its comments.
            if kept == 0 && new.contains('$') {
                wrong.push(format!("{language}: {find} -> {new}: no {mark:?} was kept"));
            }
        }
        if refused == 0 {
            wrong.push(format!("{language}: no comment would have been lost"));
        }
    }
    none_wrong(&wrong);
}

#[test]
fn a_comment_that_moves_is_a_line_of_its_own() {
    // The grammar of Kotlin has no node for one before a statement.
    let kotlin = r#".find("f($A, $B)").replace("g($B)").comments("move")"#;
    for (code, wanted) in [
        (
            "fun h() {\n    a()\n    when (q) {\n        1 -> f(1 /* w */, 2)\n    }\n}\n",
            "fun h() {\n    a()\n    /* w */\n    when (q) {\n        1 -> g(2)\n    }\n}\n",
        ),
        (
            "fun h() {\n    a()\n    k(f(1 /* w */ /* b */, 2))\n}\n",
            "fun h() {\n    a()\n    /* w */\n    /* b */\n    k(g(2))\n}\n",
        ),
        (
            "fun h() {\n    val x = f(1, // one\n        2)\n    b()\n}\n",
            "fun h() {\n    // one\n    val x = g(2)\n    b()\n}\n",
        ),
    ] {
        assert_eq!(made("kotlin", kotlin, code), wanted);
    }
    let python = r#".find("$V = old($$$A)").comments("move").delete()"#;
    assert_eq!(
        made("python", python, "def f():\n    x()\n    a; b = old(1, # z\n      2)\n"),
        "def f():\n    x()\n    # z\n    a\n"
    );
}
