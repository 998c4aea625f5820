//! Two rules, one place: matches within each other go from the inside out, those that can't are named, both
//! of them, and an order decides.

use super::{covers, none_wrong, path};
use crate::transform::tests::check;

/// Language; code whose outer part both rules match, with what the inner one makes of it; what is found and
/// written, inside and outside.
type Row = (&'static str, &'static str, &'static str, [&'static str; 2], [&'static str; 2]);

const ROWS: &[Row] = &[
    ("python", "x = h(f(1))\n", "x = k(g(1))\n", ["\"f($X)\"", "g($X)"], ["\"h($Y)\"", "k($Y)"]),
    (
        "sql",
        "select h(f(1)) from t\n",
        "select k(g(1)) from t\n",
        ["expr(\"f($X)\")", "g($X)"],
        ["expr(\"h($Y)\")", "k($Y)"],
    ),
    (
        "scala",
        "object A { val x = h(f(1)) }\n",
        "object A { val x = k(g(1)) }\n",
        ["\"f($X)\"", "g($X)"],
        ["\"h($Y)\"", "k($Y)"],
    ),
    (
        "java",
        "class A { int x = h(f(1)); }\n",
        "class A { int x = k(g(1)); }\n",
        ["\"f($X)\"", "g($X)"],
        ["\"h($Y)\"", "k($Y)"],
    ),
    ("swift", "let x = h(f(1))\n", "let x = k(g(1))\n", ["\"f($X)\"", "g($X)"], ["\"h($Y)\"", "k($Y)"]),
    ("kotlin", "val x = h(f(1))\n", "val x = k(g(1))\n", ["\"f($X)\"", "g($X)"], ["\"h($Y)\"", "k($Y)"]),
    (
        "go",
        "package p\n\nvar x = h(f(1))\n",
        "package p\n\nvar x = k(g(1))\n",
        ["\"f($X)\"", "g($X)"],
        ["\"h($Y)\"", "k($Y)"],
    ),
    ("rust", "fn m() { h(f(1)); }\n", "fn m() { k(g(1)); }\n", ["\"f($X)\"", "g($X)"], ["\"h($Y)\"", "k($Y)"]),
    ("javascript", "x = h(f(1));\n", "x = k(g(1));\n", ["\"f($X)\"", "g($X)"], ["\"h($Y)\"", "k($Y)"]),
    ("typescript", "x = h(f(1));\n", "x = k(g(1));\n", ["\"f($X)\"", "g($X)"], ["\"h($Y)\"", "k($Y)"]),
    ("tsx", "x = <p>{h(f(1))}</p>;\n", "x = <p>{k(g(1))}</p>;\n", ["\"f($X)\"", "g($X)"], ["\"h($Y)\"", "k($Y)"]),
    ("yaml", "h:\n  f: 1\n", "k:\n  g: 1\n", ["pair(\"f: $X\")", "g: $X"], ["pair(\"h: $Y\")", "k: $Y"]),
    (
        "json",
        "{\"h\": {\"f\": 1}}\n",
        "{\"k\": {\"g\": 1}}\n",
        ["member(\"\\\"f\\\": $X\")", "\"g\": $X"],
        ["member(\"\\\"h\\\": $Y\")", "\"k\": $Y"],
    ),
    ("toml", "h = { f = 1 }\n", "k = { g = 1 }\n", ["stmt(\"f = $X\")", "g = $X"], ["stmt(\"h = $Y\")", "k = $Y"]),
    ("bash", "h $(f 1)\n", "k $(g 1)\n", ["\"f $X\"", "g $X"], ["\"h $Y\"", "k $Y"]),
];

#[test]
fn matches_within_each_other_on_several_lines_are_both_made() {
    let nested = ".find(\"$F($X, $$$A)\").where(#{ X: not(regex(\"^id\\\\(\")), F: not(one_of(\"id\")) }).when(|m| m.F.text != \"id\").replace(\"$F(id($X), $$$A)\")";
    let unwrap = ".find(expr(\"old($$$E)\")).replace(\"$$$E\")";
    let rows = [
        ("python", nested, "c(d,\n  h(u,\n    w))\n", "c(id(d), h(id(u),\n    w))\n"),
        (
            "javascript",
            nested,
            "r\n  .then(b => {\n    g(x,\n      y);\n  });\n",
            "r\n  .then(id(b => {\n    g(id(x),\n      y);\n}));\n",
        ),
        ("python", unwrap, "x = g(\n  old(\n    old(\n      1,\n    ),\n    2,\n  ),\n  3,\n)\n", ""),
    ];
    for (language, rule, code, wanted) in rows {
        let made = super::made(language, rule, code);
        let words = |text: &str| text.split_whitespace().collect::<String>();
        assert!(!made.starts_with('='), "{language}: {code}{made}");
        assert!(wanted.is_empty() || words(&made) == words(wanted), "{language}: {made}");
    }
    let two = "rule(\"n\").lang(\"python\").find(\"c($X, $Y)\").replace(\"c2(e($X), $Y)\");\n\
               rule(\"o\").lang(\"python\").find(\"h($X, $$$A)\").replace(\"h2($X, $$$A)\");";
    let made = check(two, "a.py", "c(d,\n  h(u,\n    w))\n");
    assert!(made.contains("e(d)") && made.contains("h2(u,"), "{made}");
    // Statements of Python are told apart by what they go in by.
    let block = "rule(\"n\").lang(\"python\").find(stmt(\"if q: $$$B\")).replace(\"$$$B\");\n\
                 rule(\"o\").lang(\"python\").find(stmt(\"if z: $$$B\")).replace(\"while z:\\n    $$$B\");";
    let made = check(block, "a.py", "if q:\n    a()\n    if z:\n        b()\n        c()\n");
    assert!(made.starts_with('=') || made == "a()\nwhile z:\n    b()\n    c()\n", "{made}");
}

/// Language; code of three within each other, and with the innermost two joined; a pattern of two, and what
/// becomes of them.
const TOWERS: &[(&str, &str, &str, &str, &str)] = &[
    ("python", "x = f(f(f(1)))\n", "x = f(1)\n", "\"f(f($X))\"", "f($X)"),
    ("sql", "select f(f(f(1))) from t\n", "select f(1) from t\n", "expr(\"f(f($X))\")", "f($X)"),
    ("scala", "object A { val x = f(f(f(1))) }\n", "object A { val x = f(1) }\n", "\"f(f($X))\"", "f($X)"),
    ("java", "class A { int x = f(f(f(1))); }\n", "class A { int x = f(1); }\n", "\"f(f($X))\"", "f($X)"),
    ("swift", "let x = f(f(f(1)))\n", "let x = f(1)\n", "\"f(f($X))\"", "f($X)"),
    ("kotlin", "val x = f(f(f(1)))\n", "val x = f(1)\n", "\"f(f($X))\"", "f($X)"),
    ("go", "package p\n\nvar x = f(f(f(1)))\n", "package p\n\nvar x = f(1)\n", "\"f(f($X))\"", "f($X)"),
    ("rust", "fn m() { f(f(f(1))); }\n", "fn m() { f(1); }\n", "\"f(f($X))\"", "f($X)"),
    ("javascript", "x = f(f(f(1)));\n", "x = f(1);\n", "\"f(f($X))\"", "f($X)"),
    ("typescript", "x = f(f(f(1)));\n", "x = f(1);\n", "\"f(f($X))\"", "f($X)"),
    ("tsx", "x = <p>{f(f(f(1)))}</p>;\n", "x = <p>{f(1)}</p>;\n", "\"f(f($X))\"", "f($X)"),
    ("yaml", "f: {f: {f: 1}}\n", "f: 1\n", "pair(\"f: {f: $X}\")", "f: $X"),
    ("json", "{\"f\": {\"f\": {\"f\": 1}}}\n", "{\"f\": 1}\n", "member(\"\\\"f\\\": {\\\"f\\\": $X}\")", "\"f\": $X"),
    ("toml", "f = { f = { f = 1 } }\n", "f = 1\n", "stmt(\"f = { f = $X }\")", "f = $X"),
    ("bash", "f $(f $(f 1))\n", "f 1\n", "\"f $(f $X)\"", "f $X"),
];

#[test]
fn overlapping_matches_of_one_rule_are_made_from_the_inside_out() {
    covers(TOWERS.iter().map(|row| row.0), &[]);
    let mut wrong = Vec::new();
    for (language, code, wanted, pattern, template) in TOWERS {
        let made = check(
            &format!("rule(\"r\").lang({language:?}).find({pattern}).replace({template:?});"),
            &path(language),
            code,
        );
        if made != *wanted {
            wrong.push(format!("{language}: {code:?}\n  {made:?}"));
        }
    }
    none_wrong(&wrong);
    // The inner one is made first, and nothing it wrote is looked at but by what is around it.
    let first = "rule(\"r\").lang(\"python\").find(\"f(f($X))\").replace(\"f(g($X))\");";
    assert_eq!(check(first, "a.py", "f(f(f(1)))\n"), "f(g(g(1)))\n");
    let blocks = "rule(\"r\").lang(\"python\").find(stmt(\"if $A:\\n    if $B:\\n        $$$C\")).replace(\"if $A and $B:\\n    $$$C\");";
    let made = check(blocks, "a.py", "if a:\n    if b:\n        if c:\n            x()\n            y()\n");
    assert_eq!(made, "if a and (b and c):\n    x()\n    y()\n");
    // What the outer one takes away takes the inner one along.
    let away = "rule(\"r\").lang(\"python\").find(\"f(f($_))\").replace(\"0\");";
    assert_eq!(check(away, "a.py", "x = f(f(f(1)))\n"), "x = 0\n");
    let tower = |n: usize| format!("{}1{}\n", "f(".repeat(n), ")".repeat(n));
    let one = "rule(\"r\").lang(\"python\").find(\"f(f($X))\").replace(\"f($X)\");";
    assert_eq!(check(one, "a.py", &tower(60)), "f(1)\n");
    let grows = "rule(\"r\").lang(\"python\").find(\"f(f($X))\").replace(\"f(f(f($X)))\");";
    assert!(check(grows, "a.py", &tower(3)).starts_with("=\nRefused"));
}

#[test]
fn nothing_is_said_of_code_that_another_rule_deletes() {
    let rules = "rule(\"out\").lang(\"python\").find(\"h($X)\").delete();\n\
                 rule(\"in\").lang(\"python\").find(\"f($X)\").annotate(\"look\");";
    let rows = [
        ("h(f(1))\nk()\n", "k()\nSkipped: look: `out` takes this code away"),
        ("x = [\n    h(f(1)),\n    1,\n]\n", "x = [\n    1,\n]\nSkipped: look: `out` takes this code away"),
        ("h(1)\nf(1)\n", "# gander[in]: look\nf(1)\nAnnotated: look"),
    ];
    let made = rows.map(|(code, _)| check(rules, "a.py", code));
    let wanted = rows.map(|(_, wanted)| wanted.replacen("\nSkipped", "\n\nSkipped", 1).replacen("\nAnn", "\n\nAnn", 1));
    assert_eq!(made, wanted);
}

#[test]
fn matches_within_each_other_are_both_made_and_overlaps_are_named() {
    covers(ROWS.iter().map(|row| row.0), &[]);
    let mut wrong = Vec::new();
    for (language, code, both, inner, outer) in ROWS {
        let rules = |new: &str, order: &str| {
            format!(
                "rule(\"in\").lang({language:?}).find({}).replace({:?}){order};\nrule(\"out\").lang({language:?}).find({}).replace({new:?});",
                inner[0], inner[1], outer[0]
            )
        };
        let mut row = |script: &str, wanted: &dyn Fn(&str) -> bool| {
            let made = check(script, &path(language), code);
            if !wanted(&made) {
                wrong.push(format!("{language}: {script}\n  {code:?}\n  {made:?}"));
            }
        };
        row(&rules(outer[1], ""), &|made| made == *both);
        // What the inner one edits is not in what the outer one writes.
        let alone = outer[1].replace("$Y", if matches!(*language, "json" | "toml") { "0" } else { "z" });
        let named = |made: &str| made.starts_with("=\nRefused") && made.contains("`in`") && made.contains("`out`");
        row(&rules(&alone, ""), &named);
        row(&rules(&alone, ".before(\"out\")"), &|made| !made.starts_with('=') && !made.contains("Refused"));
        // Two rules that want the same code to become the same are of one mind.
        let same = format!(
            "{}\n{}",
            rules(outer[1], ""),
            rules(outer[1], "").replace("\"in\"", "\"in2\"").replace("\"out\"", "\"out2\"")
        );
        row(&same, &|made| made == *both);
        let unequal = format!(
            "rule(\"in\").lang({language:?}).find({0}).replace({1:?});\nrule(\"out\").lang({language:?}).find({0}).replace({2:?});",
            inner[0],
            inner[1],
            inner[1].replace('g', "q")
        );
        row(&unequal, &named);
    }
    none_wrong(&wrong);
}
