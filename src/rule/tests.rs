//! The prefilter never hides a match: generated rules over generated files give
//! the same outcomes whether it is asked or not, and a filter that asks for too
//! much is caught by the same comparison.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Clause, Hits, Prefilter, RuleSet, run};
use crate::language::{self, Language};
use crate::script::{Inputs, Source, load};
use crate::tree::parse;

fn rules(finder: &str, condition: &str, context: &str) -> RuleSet {
    let action = if finder.contains("$A") { "replace(\"g($A)\")" } else { "replace(\"g()\")" };
    let condition = if finder.contains("$A") || finder.contains("$$$A") { condition } else { "" };
    let text = format!(
        "rule(\"plain\").lang(\"python\").find({finder}){condition}{context}.{action};\n\
         rule(\"sql\").lang(\"sql\").find(any([table(\"users_v1\"), table(\"people\")]))\
         .in_host(\"python\", \"f($X)\").replace(\"t\");"
    );
    load(&[Source { name: "t.rhai".to_owned(), text: text.clone(), ..Source::default() }], &Inputs::default())
        .unwrap_or_else(|e| panic!("{text}\n{e}"))
}

/// Everything that comes of a file.
fn outcomes(set: &RuleSet, language: &'static Language, code: &str, hits: &Hits) -> Vec<String> {
    let tree = Arc::new(parse(language, code).unwrap());
    run(set, super::File { path: "a", tree: &tree }, hits, &Default::default())
        .unwrap()
        .iter()
        .map(|o| format!("{:?} {:?} {:?}", o.origin, o.range, o.answer))
        .collect()
}

/// What a filter hides, if anything: outcomes with every rule possible, and with its hits.
fn hidden(set: &RuleSet, code: &str, hits: &Hits) -> Option<(Vec<String>, Vec<String>)> {
    let language = language::by_name("python").unwrap();
    let all = Hits { possible: vec![true; hits.possible.len()], ..Hits::default() };
    let (open, filtered) = (outcomes(set, language, code, &all), outcomes(set, language, code, hits));
    (open != filtered).then_some((open, filtered))
}

/// A template that leaves type arguments out would lose them without a word.
#[test]
fn a_template_drops_no_type_arguments() {
    let scala = language::by_name("scala").unwrap();
    let answer = |pattern: &str, template: &str, code: &str| {
        let text = format!("rule(\"r\").lang(\"scala\").find(invocation({pattern:?})).replace({template:?});");
        let set = load(&[Source { name: "t.rhai".to_owned(), text, ..Source::default() }], &Inputs::default()).unwrap();
        let hits = set.scan(scala, "a", code.as_bytes());
        outcomes(&set, scala, code, &hits).join("; ")
    };
    let dropped = answer("$R.f($X)", "$R.g($X)", "object O { a.f[T](1) }");
    assert!(dropped.contains("Refuse") && dropped.contains("[T]"), "{dropped}");
    assert!(answer("$R.f($X)", "$R.g($X)", "object O { a.f(1) }").contains("Edit"));
    assert!(answer("$R.f[$T]($X)", "$R.g[$T]($X)", "object O { a.f[T](1) }").contains("Edit"));
}

const FINDERS: &[&str] = &[
    r#""f($A)""#,
    r#""f($$$A)""#,
    r#""h(\"users_v1\")""#,
    r#"any(["f($A)", "h($A)"])"#,
    r#"all(["f($A)", not("f(1)")])"#,
    r#"all([kind("string"), one_of(["users_v1", "people"])])"#,
    r#"all([kind("string"), literal("^users")])"#,
    r#"all([kind("string"), literal("(users|people)(_v[0-9])?$")])"#,
    r#"all([kind("identifier"), regex("^peo?ple")])"#,
    r#""not $A""#,
    r#""$A not in x""#,
    r#""$A == $A""#,
    r#""$A << $B""#,
    r#"symbol("m.f")"#,
    r#"symbol(["m.{f,h}", "n.T#f"])"#,
    r#"all(["f($A)", not(symbol("m.f"))])"#,
    r#"query("(call arguments: (argument_list) @A) @match")"#,
];
const CONDITIONS: &[&str] = &[
    "",
    r#".where(#{ A: one_of(["users_v1"]) })"#,
    r#".where(#{ A: any([one_of(["users_v1", "b"]), "h($B)"]) })"#,
    r#".where(#{ A: not(one_of(["people"])) })"#,
    r#".where(#{ A: literal("v1$") })"#,
    r#".where(#{ A: symbol("m.people") })"#,
    r#".where(#{ A: typed("m.people") })"#,
];
const CONTEXTS: &[&str] = &[
    "",
    r#".inside("h($$$)")"#,
    r#".has("people")"#,
    r#".outside("h($$$)")"#,
    r#".lacks("b")"#,
    r#".file_has("people")"#,
    r#".inside(symbol("m.h"))"#,
    r#".outside(symbol("m.people"))"#,
];
const LINES: &[&str] = &[
    "f('users_v1')",
    r#"f("users_\x76\u0031")"#,
    "f('''users_\\\nv1''')",
    "f()",
    "h(f('people'), b)",
    "h(\"users_v1\")",
    "f(1)",
    "x = not people",
    "b == b",
    "b = = b",
    "x = 1 << b",
    "x <<= b",
    "b not  in x",
    "f('select a from USERS_v1')",
    "f(h('b'))",
    "f(people)",
    "# users_v1",
    "f('select a from ' 'people')",
    "f(f'users_v1 {b}')",
    "from m import f",
    "from m import *",
    "from m import f as g, people as b",
    "import m",
    "g(b)",
    "m.f(m.people)",
    "from n import T",
    "x = T()",
    "x.f(1)",
];

fn code() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(LINES), 0..4).prop_map(|lines| lines.join("\n") + "\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_prefilter_hides_nothing(
        finder in prop::sample::select(FINDERS),
        condition in prop::sample::select(CONDITIONS),
        context in prop::sample::select(CONTEXTS),
        files in prop::collection::vec(code(), 1..4),
    ) {
        let set = rules(finder, condition, context);
        let python = language::by_name("python").unwrap();
        for code in files {
            let found = hidden(&set, &code, &set.scan(python, "t.py", code.as_bytes()));
            prop_assert!(found.is_none(), "{finder} {condition} {context} in {code:?}: {found:?}");
        }
    }
}

/// What chance seldom puts together.
#[test]
fn the_prefilter_hides_no_line_from_any_finder() {
    let python = language::by_name("python").unwrap();
    for finder in FINDERS {
        let set = rules(finder, "", "");
        for line in LINES {
            let found = hidden(&set, line, &set.scan(python, "t.py", line.as_bytes()));
            assert!(found.is_none(), "{finder} in {line:?}: {found:?}");
        }
    }
}

#[test]
fn beginnings_and_ends_of_regular_expressions_are_asked_for() {
    let asked = |condition: &str| {
        let set = rules(r#""f($A)""#, &format!(".where(#{{ A: literal(\"{condition}\") }})"), "");
        let clauses = set.required(0).remove(0).clauses;
        let longest =
            |c: &Clause| c.texts.iter().filter(|t| !t.starts_with('\\')).cloned().collect::<Vec<_>>().join("|");
        clauses.iter().map(longest).collect::<Vec<_>>()
    };
    assert_eq!(asked("^(HTTP_[A-Z]+|CONTENT_LENGTH)$"), ["CONTENT_LENGTH|HTTP_", "f"]);
    assert_eq!(asked("[a-z]+_v1$"), ["_v1", "f"]);
    for nothing in ["^[a-z]+$", "us|.*", "^ab?"] {
        assert_eq!(asked(nothing), ["f"], "{nothing}");
    }
}

#[test]
fn a_filter_that_asks_for_too_much_is_caught() {
    let set = rules(FINDERS[0], CONDITIONS[1], "");
    let strict = Prefilter::new(&[vec![Clause::one("users_v1".into(), false)], vec![]]);
    let caught = |code: &&&str| hidden(&set, code, &strict.scan(code.as_bytes())).is_some();
    assert!(LINES.iter().filter(caught).count() > 0, "an escaped key must show that the clause is too strict");
}

#[test]
fn only_names_of_this_language_are_places() {
    let text = "rule(\"k\").lang(\"kotlin\").find(\"kt_only($X)\").replace(\"h($X)\");\n\
                rule(\"p\").lang(\"python\").find(\"py($X)\").where(#{ X: one_of([\"users_v1\"]) }).replace(\"h($X)\");";
    let set =
        load(&[Source { name: "t.rhai".to_owned(), text: text.to_owned(), ..Source::default() }], &Inputs::default())
            .unwrap();
    let python = language::by_name("python").unwrap();
    let code = "py('users_v1')\nx = = kt_only('\\x41'";
    let hits = set.scan(python, "t.py", code.as_bytes());
    assert!(hits.any());
    assert_eq!(hits.places, [0, 4], "neither the Kotlin rule's name nor an escape");
}
