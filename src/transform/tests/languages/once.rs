//! What a language has once under one name is neither doubled nor lost: keys, arguments by name, anchors.

use super::{compare, covers, none_wrong};

/// Language, what is found and written, code, and the result, or `=` and why there is none.
const DOUBLES: &[(&str, &str, &str, &str)] = &[
    ("json", "member(\"'old': $X\")|'new': $X", "{'old': 1, 'new': 2}", "=again at 1:12"),
    ("json", "member(\"'old': $X\")|'new': $X", "{'old': 1, 'n\\u0065w': 2}", "=again at 1:12"),
    ("json", "member(\"'old': $X\")|'new': $X", "{'new': 2, 'a': {'old': 1}}", "{'new': 2, 'a': {'new': 1}}"),
    // What was doubled before is not the edit's.
    ("json", "member(\"'old': $X\")|'new': $X", "{'a': 1, 'a': 2, 'old': 3}", "{'a': 1, 'a': 2, 'new': 3}"),
    ("json", "member(\"'old': $X\")|'new': $X", "{'old': 1, 'old': 2}", "{'new': 1, 'new': 2}"),
    ("json", "member(\"'w': {$$$X}\")|$$$X", "{'w': {'a': 1}, 'a': 2}", "=again at 1:10"),
    ("yaml", "\"old: $X\"|new: $X", "old: 1\nnew: 2\n", "=again at 2:1"),
    ("yaml", "\"old: $X\"|new: $X", "old: 1\n'new': 2\n", "=again at 2:1"),
    ("yaml", "\"old: $X\"|new: $X", "a: {old: 1, new: 2}\n", "=again at 1:13"),
    ("yaml", "\"old: $X\"|new: $X", "a: {old: 1, new}\n", "=again at 1:13"),
    ("yaml", "\"old: $X\"|<<: $X", "- &a {b: 1}\n- <<: *a\n  old: *a\n", "=again at 3:3"),
    ("yaml", "\"old: $X\"|new: $X", "- old: 1\n- new: 2\n", "- new: 1\n- new: 2\n"),
    ("yaml", "\"old: $X\"|new: $X", "old: 1\n---\nnew: 2\n", "new: 1\n---\nnew: 2\n"),
    ("yaml", "\"old: $X\"|1: $X", "old: 1\n'1': 2\n", "1: 1\n'1': 2\n"),
    ("toml", "\"old = $X\"|new = $X", "old = 1\nnew = 2\n", "=duplicate key"),
    ("toml", "\"old = $X\"|new = $X", "old = 1\n'new' = 2\n", "=duplicate key"),
    ("toml", "\"old = $X\"|new = $X", "old = 1\nnew.x = 2\n", "=dotted key"),
    ("toml", "\"old = $X\"|new = $X", "old = 1\n[new]\nx = 2\n", "=duplicate key"),
    ("toml", "\"old = $X\"|a.b = $X", "old = 1\n[a]\nb = 2\n", "=duplicate key"),
    ("toml", "\"old = $X\"|a.b = $X", "old = 1\na.c = 2\n", "a.b = 1\na.c = 2\n"),
    ("toml", "\"old = $X\"|new = $X", "a = {old = 1, new = 2}\n", "=duplicate key"),
    ("toml", "\"old = $X\"|new = $X", "[t]\nold = 1\n[u]\nnew = 1\n", "[t]\nnew = 1\n[u]\nnew = 1\n"),
    ("toml", "\"[old]\\n$$$X\"|[new]\n$$$X", "[old]\na = 1\n[new]\nb = 1\n", "=duplicate key"),
    ("python", "\"$F($$$A, old=$X)\"|$F($$$A, new=$X)", "f(new=1, old=2)\n", "=again at 1:10"),
    ("python", "\"{'old': $X, $$$A}\"|{'new': $X, $$$A}", "x = {'old': 1, \"new\": 2}\n", "=again at 1:16"),
    ("python", "\"{'old': $X, $$$A}\"|{'new': $X, $$$A}", "x = {'old': 1, new: 2}\n", "x = {'new': 1, new: 2}\n"),
    // What comes from elsewhere is there to be overwritten.
    (
        "python",
        "\"{'old': $X, $$$A}\"|{'new': $X, $$$A}",
        "x = {'old': 1, **a, 'new': 2}\n",
        "x = {'new': 1, **a, 'new': 2}\n",
    ),
    ("javascript", "\"x = {old: $X, $$$A}\"|x = {new: $X, $$$A}", "x = {old: 1, 'new': 2};\n", "=again at 1:14"),
    ("javascript", "\"x = {old: $X, $$$A}\"|x = {a: $X, $$$A}", "x = {old: 1, a};\n", "=again at 1:12"),
    ("javascript", "\"x = {old: $X, $$$A}\"|x = {a: $X, $$$A}", "x = {old: 1, ...b, a};\n", "x = {a: 1, ...b, a};\n"),
    ("javascript", "\"<A old={$X} $$$A />\"|<A b={$X} $$$A />", "x = <A old={1} b={2} />;\n", "=again at 1:14"),
    ("typescript", "\"x = {old: $X, $$$A}\"|x = {new: $X, $$$A}", "x = {old: 1, new: 2};\n", "=again at 1:14"),
    ("tsx", "\"x = {old: $X, $$$A}\"|x = {new: $X, $$$A}", "x = {old: 1, new: 2};\n", "=again at 1:14"),
    ("tsx", "\"<A old={$X} $$$A />\"|<A b={$X} $$$A />", "x = <A old={1} b={2} />;\n", "=again at 1:14"),
    ("rust", "\"A { old: $X, $$$A }\"|A { b: $X, $$$A }", "fn f() { A { old: 1, b: 2 } }\n", "=again at 1:20"),
    ("rust", "\"A { old: $X, $$$A }\"|A { b: $X, $$$A }", "fn f() { A { old: 1, b } }\n", "=again at 1:20"),
    ("javascript", "\"const {old, $$$A} = x\"|const {b, $$$A} = x", "const {old, b} = x;\n", "=again at 1:11"),
    (
        "javascript",
        "\"import {old, $$$A} from 'm'\"|import {b, $$$A} from 'm'",
        "import {old, b} from 'm';\n",
        "=again at 1:12",
    ),
    (
        "typescript",
        "\"import {old, $$$A} from 'm'\"|import {b, $$$A} from 'm'",
        "import {old, b as c} from 'm';\n",
        "import {b, b as c} from 'm';\n",
    ),
    ("kotlin", "\"f(old = $X, $$$A)\"|f(b = $X, $$$A)", "val x = f(old = 1, b = 2)\n", "=again at 1:18"),
    ("kotlin", "\"f(old, $$$A)\"|f(b, $$$A)", "val x = f(old, b)\n", "val x = f(b, b)\n"),
    ("scala", "\"f(old = $X, $$$A)\"|f(b = $X, $$$A)", "object A { val x = f(old = 1, b = 2) }\n", "=again at 1:29"),
    ("go", "\"A{old: $X, $$$A}\"|A{b: $X, $$$A}", "package p\n\nvar x = A{old: 1, b: 2}\n", "=again at 3:17"),
    ("java", "\"@A(old = $X, $$$A)\"|@A(b = $X, $$$A)", "@A(old = 1, b = 2) class B {}\n", "=again at 1:11"),
];

#[test]
fn a_name_that_stands_once_is_not_doubled() {
    let without = [
        ("sql", "a name may stand twice, and readers of the query say where it may not"),
        ("bash", "it has no names that stand once"),
        ("swift", "a label may stand twice, and keys of a dictionary have no pair"),
    ];
    covers(DOUBLES.iter().map(|row| row.0), &without);
    let mut wrong = Vec::new();
    for (language, rule, code, wanted) in DOUBLES {
        let quotes = |text: &str| if *language == "json" { text.replace('\'', "\\\"") } else { text.to_owned() };
        let (find, template) = rule.split_once('|').unwrap();
        let template = format!("{template:?}");
        let template = if *language == "json" { template.replace('\'', "\\\"") } else { template };
        let rule = format!(".find({}).replace({template})", quotes(find));
        let json = |text: &str| if *language == "json" { text.replace('\'', "\"") } else { (*text).to_owned() };
        compare(&mut wrong, language, &rule, &json(code), &json(wanted));
    }
    none_wrong(&wrong);
}

#[test]
fn what_an_alias_calls_stays_what_it_was() {
    let (delete, same) = (".find(\"old: $_\").delete()", ".find(\"old: $X\").replace(\"new: $X\")");
    let twice = ".find(\"old: $X\").replace(\"new: $X\\nother: $X\")";
    let turned = ".find(\"k: [$A, $B]\").when(|m| m.A.text != \"*x\").edit(|m, cx| edits([replace(m.node, code(\"k: [$B, $A]\", #{ A: m.A, B: m.B }))]))";
    let rows = [
        (delete, "old: &a 1\nb: *a\n", "=needs the anchor `&a`"),
        (delete, "old:\n  &a\n  x: 1\nb:\n  <<: *a\n", "=needs the anchor `&a`"),
        (delete, "b: &a 1\nold: *a\n", "b: &a 1\n"),
        (delete, "old: &a 1\n---\nb: &a 2\nc: *a\n", "{}\n---\nb: &a 2\nc: *a\n"),
        // Of two, the last one before it is meant.
        (delete, "c: &a 1\nold: &a 2\nb: *a\n", "=another value than before"),
        (delete, "old: &a 1\nc: &a 2\nb: *a\n", "c: &a 2\nb: *a\n"),
        // What was lost before is not the edit's.
        (delete, "old: 1\nb: *a\n", "b: *a\n"),
        (same, "old: &a 1\nb: *a\n", "new: &a 1\nb: *a\n"),
        (twice, "old: &a 1\n", "=again at 2:9"),
        (twice, "old: 1\nb: &a 1\nc: &a 2\n", "new: 1\nother: 1\nb: &a 1\nc: &a 2\n"),
        (turned, "k: [&x 1, *x]\n", "=needs the anchor `&x`"),
        (".find(\"old: $_\").replace(\"new: 1\")", "old: &a 1\nb: *a\n", "=needs the anchor `&a`"),
        (".find(\"old: $_\").replace(\"new: &a 1\")", "old: &a 2\nb: *a\n", "new: &a 1\nb: *a\n"),
        (".find(\"old: $_\").replace(\"new: *a\")", "b: &a 1\nold: 2\n", "b: &a 1\nnew: *a\n"),
        (".find(\"old: $_\").replace(\"new: *a\")", "old: 2\nb: &a 1\n", "=needs the anchor `&a`"),
    ];
    let mut wrong = Vec::new();
    for (rule, code, wanted) in rows {
        compare(&mut wrong, "yaml", rule, code, wanted);
    }
    none_wrong(&wrong);
}
