//! Edits are units, and closures honest. Neither is a matter of a language: one of each family of grammars
//! shows it (braces, indentation, tags, queries, data).

use super::{compare, made, none_wrong};

/// Language, what two places are found by, code, the code with both edited, and what is no code.
const ROWS: &[(&str, &str, &str, &str, &str)] = &[
    ("python", "\"f($A, $B)\"", "x = f(1, 2)\ny = f(3, 4)\n", "x = f(n, n)\ny = f(n, n)\n", "("),
    ("java", "\"f($A, $B)\"", "class A { int x = f(1, 2); }\n", "class A { int x = f(n, n); }\n", "("),
    ("tsx", "\"<A b={$A} c={$B} />\"", "x = <A b={1} c={2} />;\n", "x = <A b={n} c={n} />;\n", "("),
    ("sql", "expr(\"f($A, $B)\")", "select f(1, 2) from t\n", "select f(n, n) from t\n", "("),
    ("yaml", "\"a: $A\\nb: $B\"", "a: 1\nb: 2\n", "a: n\nb: n\n", "["),
    ("bash", "\"f $A $B\"", "f 1 2\n", "f n n\n", "("),
];

#[test]
fn edits_of_a_match_are_made_together_or_not_at_all() {
    let mut wrong = Vec::new();
    for (language, find, code, wanted, broken) in ROWS {
        let edits = |second: &str| {
            format!(".find({find}).edit(|m, cx| edits([replace(m.A, code(\"n\")), replace(m.B, {second})]))")
        };
        compare(&mut wrong, language, &edits("code(\"n\")"), code, wanted);
        // One of the two can't be made.
        let half = made(language, &edits(&format!("code({broken:?})")), code);
        if !half.starts_with("=\n") {
            wrong.push(format!("{language}: {code:?}: {half:?}"));
        }
        // Nor can a second rule make half of the first go.
        let script = format!(
            "rule(\"a\").lang({language:?}).find({find}).edit(|m, cx| edits([replace(m.A, code(\"n\")), replace(m.B, code(\"n\"))]));\n\
             rule(\"b\").lang({language:?}).find({find}).edit(|m, cx| edits([replace(m.B, code(\"o\"))]));"
        );
        let both = crate::transform::tests::check(&script, &super::path(language), code);
        if !(both.starts_with("=\nRefused") && both.contains("`a`") && both.contains("`b`")) {
            wrong.push(format!("{language}: {code:?}: {both:?}"));
        }
    }
    none_wrong(&wrong);
}

#[test]
fn closures_that_answer_with_nothing_are_errors_with_their_place() {
    let answers = [
        ("let a = 1;", "gave nothing"),
        ("", "gave nothing"),
        ("()", "gave nothing"),
        ("#{ a: 1 }.b", "the map has no key `b`"),
        ("\"x\" + #{ a: 1 }.b", "the map has no key `b`"),
        ("let s = \"x\"; s.replace(\"x\", \"y\")", "gave nothing"),
        ("m.C", "binds no `C`"),
        ("1", "must"),
        ("if false { edits([]) }", "gave nothing"),
    ];
    let mut wrong = Vec::new();
    for (language, find, code, _, _) in ROWS {
        for (closure, says) in answers {
            let said = made(language, &format!(".find({find}).edit(|m, cx| {{ {closure} }})"), code);
            let place = said.contains("test.rhai:1:");
            if !(said.starts_with("=\nErrored") && place && said.contains(says)) {
                wrong.push(format!("{language}: {closure:?}: {said:?}"));
            }
        }
        for (closure, says) in
            [("skip(\"so\")", "Skipped: so"), ("refuse(\"so\")", "Refused: so"), ("annotate(\"so\")", "Annotated: so")]
        {
            let said = made(language, &format!(".find({find}).edit(|m, cx| {closure})"), code);
            if !said.contains(says) {
                wrong.push(format!("{language}: {closure:?}: {said:?}"));
            }
        }
    }
    none_wrong(&wrong);
}
