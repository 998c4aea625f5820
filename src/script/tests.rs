use std::sync::Arc;

use super::{Inputs, Source, load};
use crate::language;
use crate::rule::{Answer, RuleSet, run};
use crate::tree::parse;

fn rules(text: &str) -> Result<RuleSet, String> {
    let source = Source { name: "test.rhai".to_owned(), text: text.to_owned(), ..Source::default() };
    let mut inputs = Inputs::default();
    inputs.parameters.insert("flag".to_owned(), "NEW_UI".into());
    let table = "[tables]\nusers_v1 = \"users_v2\"\n".parse().unwrap();
    inputs.mappings.insert("users".to_owned(), table);
    load(&[source], &inputs).map_err(|e| e.to_string())
}

/// The code after a rule, and every other answer, one a line.
fn check(script: &str, language: &str, code: &str) -> String {
    let rules = rules(script).unwrap_or_else(|e| panic!("{e}"));
    let language = language::by_name(language).unwrap();
    let hits = rules.scan(language, "a", code.as_bytes());
    let tree = Arc::new(parse(language, code).unwrap());
    let (mut edits, mut notes) = (Vec::new(), Vec::new());
    for outcome in run(&rules, crate::rule::File { path: "a", tree: &tree }, &hits, &Arc::default()).unwrap() {
        match outcome.answer {
            Answer::Edit(more) => edits.extend(more),
            Answer::Annotate(message, more) => {
                notes.push(format!("annotate: {message}"));
                edits.extend(more);
            }
            Answer::Refuse(why) => notes.push(format!("refuse: {why}")),
            Answer::Skip(why) => notes.push(format!("skip: {why}")),
            Answer::Fail(why) => notes.push(format!("fail: {why}")),
        }
    }
    let splices = crate::edit::compose(code, &edits).unwrap();
    notes.insert(0, crate::edit::apply(code, &splices));
    notes.join("\n")
}

fn error(script: &str) -> String {
    rules(script).err().unwrap_or_else(|| "loads".to_owned())
}

#[test]
fn the_issue_example_runs() {
    let script = r##"
rule("users-v2/table").lang(["python", "scala"])
    .find("spark.read.table($TABLE)")
    .where(#{ TABLE: key_of(mapping("users").tables) })
    .rewrite(|m, cx| code("spark.read.table($T)", #{ T: lit(mapping("users").tables[m.TABLE.value]) }));
"##;
    assert_eq!(
        check(script, "python", "a = spark.read.table('users_v1')\nb = spark.read.table('users_v10')\n"),
        "a = spark.read.table(\"users_v2\")\nb = spark.read.table('users_v10')\n"
    );
    assert_eq!(
        check(script, "scala", "val a = spark.read.table(\"users_v1\")"),
        "val a = spark.read.table(\"users_v2\")"
    );
}

#[test]
fn declarations_alone_rewrite() {
    let script = r#"rule("a").lang("python").find("old($A, $$$R)").inside(kind("call")).replace("new($$$R, $A)");"#;
    assert_eq!(check(script, "python", "f(old(1)); old(2)"), "f(new(1)); old(2)");
    assert_eq!(check(script, "python", "f(old(1, 2, *x))"), "f(new(2, *x, 1))");
}

#[test]
fn nested_matches_apply_inside_each_other() {
    let script = r#"
rule("opt").lang("python").find(type_pattern("Optional[$T]")).replace("$T | None");
rule("list").lang("python").find(any(["List[$T]", type_pattern("List[$T]")])).replace("list[$T]");"#;
    assert_eq!(check(script, "python", "x: Optional[List[Optional[int]]]"), "x: list[int | None] | None");
}

#[test]
fn verdicts_and_edits_of_closures() {
    let script = r#"
rule("v").lang("python").find("f($X)").edit(|m, cx| {
    if m.X.text == "1" { return annotate("look at one"); }
    if m.X.text == "2" { return refuse("two is not allowed"); }
    if m.X.text == "3" { return skip("three is fine"); }
    edits([replace(m.X, code("x$N", #{ N: m.X })), insert_before(m.node, code("g + "))])
});"#;
    let out = check(script, "python", "if a:\n    f(1)\n    f(2)\n    f(3)\n    f(4)\n");
    assert_eq!(
        out,
        "if a:\n    # gander[v]: look at one\n    f(1)\n    f(2)\n    f(3)\n    g + f(x4)\n\
         \nannotate: look at one\nrefuse: two is not allowed\nskip: three is fine"
    );
}

#[test]
fn embedded_sql_is_edited_in_place() {
    let script = r#"
rule("t").lang("sql").find(table("users_v1")).in_host("python", "spark.sql($SQL)").replace("users_v2");"#;
    let code = "spark.sql(f'select a from users_v1 where d = {day}')\nprint('select a from users_v1')\n";
    assert_eq!(check(script, "python", code), code.replacen("users_v1", "users_v2", 1));
    let broken = check(script, "python", "spark.sql('users_v1 select ((')");
    assert!(broken.contains("refuse: the text in this literal"), "{broken}");
}

#[test]
fn deleting_takes_the_line_or_the_separator() {
    let script = r#"
rule("s").lang("python").find(stmt("import old")).edit(|m, cx| edits([delete(m.node)]));
rule("e").lang("python").find(kind("keyword_argument")).where(#{}).when(|m| m.node.text == "x=1")
    .edit(|m, cx| edits([delete_element(m.node)]));"#;
    assert_eq!(
        check(script, "python", "import a\nimport old\nf(x=1, y=2)\nf(y=2, x=1)\n"),
        "import a\nf(y=2)\nf(y=2)\n"
    );
}

#[test]
fn elements_of_a_list_go_together_and_comments_stay() {
    let script = r#"
rule("e").lang("python").find(kind("import_from_statement")).edit(|m, cx|
    edits(delete_elements(m.node.children.filter(|c| c.field_name == "name" && c.text in ["B", "C", "Z"]))));"#;
    let to = |before: &str, after: &str| assert_eq!(check(script, "python", before), after);
    to("from t import A, B, C, D\n", "from t import A, D\n");
    to("from t import A, B, C\n", "from t import A\n");
    to("from t import B, C, A\n", "from t import A\n");
    to("from t import (A, B,)\n", "from t import (A,)\n");
    to(
        "from t import (\n    A,  # a\n    B,  # b\n    # on D\n    D,\n    C\n)\n",
        "from t import (\n    A,  # a\n    # on D\n    D\n)\n",
    );
    to("from t import (\n    A, B,  # both\n    C, D,\n)\n", "from t import (\n    A,  # both\n    D,\n)\n");
    to("from t import (\n    B, C,\n    D, Z\n)\n", "from t import (\n    D\n)\n");
}

#[test]
fn one_element_goes_without_the_comment_of_another() {
    let script = r#"
rule("e").lang("python").find(kind("keyword_argument")).when(|m| m.node.text == "x=1")
    .edit(|m, cx| edits([delete_element(m.node)]));"#;
    assert_eq!(check(script, "python", "f(x=1,  # on x\n  y=2)\n"), "f(# on x\n  y=2)\n");
    assert_eq!(check(script, "python", "f(y=2,  # on y\n  x=1)\n"), "f(y=2  # on y\n  )\n");
    assert_eq!(check(script, "python", "f(x=1,)\n"), "f()\n", "the only one takes the comma behind it");
    let entry = r#"rule("e").lang("kotlin").find(kind("enum_entry")).edit(|m, cx| edits([delete_element(m.node)]));"#;
    assert_eq!(check(entry, "kotlin", "enum class A {\n    B,\n}\n"), "enum class A {\n}\n");
}

#[test]
fn a_survey_is_made_once_a_file_and_costs_no_match() {
    let script = r#"
fn count(root) {
    let facts = #{};
    for name in root.find_all(kind("identifier")) {
        let key = "n:" + name.text;
        facts[key] = (if key in facts { facts[key] } else { 0 }) + 1;
    }
    facts
}
rule("f").lang("python").find("f($X)").survey(Fn("count"))
    .when(|m, cx| cx.survey("n:" + m.X.text) == 2 && cx.survey("n:none") == ())
    .replace("g($X)");"#;
    assert_eq!(check(script, "python", "f(a)\nf(b)\nprint(a)\n"), "g(a)\nf(b)\nprint(a)\n");
    // One survey visits every node: were it done for each match, or paid by it, this would fail or take minutes.
    let many = "f(a)\n".repeat(20_000);
    assert!(!check(script, "python", &many).contains("fail:"));
    let none = r#"rule("f").lang("python").find("f($X)").when(|m, cx| cx.survey("a") == ()).replace("g($X)");"#;
    assert!(check(none, "python", "f(1)").contains("surveys no file"));
    let wrong =
        r#"rule("f").lang("python").find("f($X)").survey(|root| 1).when(|m, cx| cx.survey("a")).replace("g($X)");"#;
    assert!(check(wrong, "python", "f(1)").contains("survey(…) must give a map"));
}

#[test]
fn closures_answer_or_fail_with_their_place() {
    let nothing = r#"rule("n").lang("python").find("f($X)").edit(|m, cx| { let a = 1; });"#;
    let out = check(nothing, "python", "f(1)");
    assert!(out.contains("fail: test.rhai:1:") && out.contains("the closure gave nothing"), "{out}");
    let unbound = r#"rule("n").lang("python").find("f($X)").rewrite(|m, cx| code("g($Y)", #{ Y: m.Y }));"#;
    let out = check(unbound, "python", "f(1)");
    assert!(out.contains("fail: test.rhai:1:") && out.contains("the match binds no `Y`"), "{out}");
    let bare = r#"rule("n").lang("python").find("f($X)").rewrite(|m, cx| code("g($Y)", #{ Y: "text" }));"#;
    assert!(check(bare, "python", "f(1)").contains("never a bare string"));
    let missing = r#"rule("n").lang("python").find("f($X)").rewrite(|m, cx| code("g" + #{ a: 1 }.missing));"#;
    assert!(check(missing, "python", "f(1)").contains("fail: test.rhai:1:"));
}

#[test]
fn malicious_rules_fail_and_harm_nothing() {
    let endless = r#"rule("n").lang("python").find("f($X)").edit(|m, cx| { loop { } });"#;
    assert!(check(endless, "python", "f(1)").contains("did not end within its budget"));
    let deep = r#"fn deep(n) { deep(n + 1) } rule("n").lang("python").find("f($X)").edit(|m, cx| deep(0));"#;
    let out = std::thread::Builder::new().stack_size(16 << 20).spawn(move || check(deep, "python", "f(1)")).unwrap();
    assert!(out.join().unwrap().contains("calls itself too deeply"));
    let huge = r#"rule("n").lang("python").find("f($X)").edit(|m, cx| { let s = "x"; loop { s += s; } });"#;
    let out = check(huge, "python", "f(1)");
    assert!(out.contains("fail: test.rhai:1:"), "{out}");
    let walk =
        r#"rule("n").lang("python").find("f($X)").edit(|m, cx| { loop { m.node.root.find_all(kind("call")); } });"#;
    assert!(check(walk, "python", &"f(1)\n".repeat(400)).contains("more nodes than one match may cost"));
    let again = r#"rule("n").lang("python").find("f($X)").edit(|m, cx| m.none);"#;
    assert_eq!(
        check(again, "python", "f(1)\nf(2)\n").matches("fail:").count(),
        1,
        "a rule that failed is not asked again"
    );
    assert!(error("loop { }").contains("budget"));
    assert!(error(r#"eval("1")"#).contains("eval"));
    assert!(error("timestamp()").contains("timestamp"));
    for sleep in ["sleep(1000)", "sleep(1000.0)"] {
        assert!(error(sleep).contains("can't sleep"), "{sleep}: {}", error(sleep));
    }
    let sleep = r#"rule("n").lang("python").find("f($X)").when(|m| { sleep(1000); true }).delete();"#;
    assert!(check(sleep, "python", "f(1)").contains("can't sleep"));
    assert!(error(r#"import "x" as y;"#).contains("error"));
}

#[test]
fn a_captured_variable_that_is_written_is_a_load_error() {
    for write in ["seen += 1", "seen = 2", "list.push(1)", "map.a = 1", "list[0] = 1"] {
        let script = format!(
            "let seen = 0; let list = [0]; let map = #{{ a: 0 }};\n\
             rule(\"n\").lang(\"python\").find(\"f($X)\").when(|m| {{ {write}; true }}).replace(\"g($X)\");"
        );
        let out = error(&script);
        assert!(out.contains("which it captured") && out.contains("test.rhai:2:"), "{write}: {out}");
    }
    let read = "let names = [\"f\"]; rule(\"n\").lang(\"python\").find(\"f($X)\")\
                .when(|m| { let mine = names; mine.push(\"g\"); mine.len == 2 }).replace(\"g($X)\");";
    assert_eq!(check(read, "python", "f(1)\nf(2)\n"), "g(1)\ng(2)\n");
}

#[test]
fn mistakes_are_shown_where_they_are() {
    insta::assert_snapshot!(error("rule(\"a\").lang(\"python\")\n    .find(\"f($X)\")\n    .replace(\"g($Y)\");"), @r#"
    error: rule `a`: `$Y` is not bound by the pattern; bound are: X
     --> test.rhai:3:6
      |
    3 |     .replace("g($Y)");
      |      ^
    "#);
    assert!(error("rule(\"a\").lang(\"cobol\").find(\"x\").delete();").contains("there is no language `cobol`"));
    assert!(
        error("rule(\"a\").lang(\"python\").find(\"f($X)\").where(#{ Y: \"a\" }).delete();").contains("nothing binds")
    );
    assert!(error("rule(\"a\").lang(\"python\").find(\"f(\").delete();").contains("is not python in any context"));
    assert!(
        error("rule(\"a\").lang(\"python\").find(any([\"f($X)\", \"g()\"])).replace(\"$X\");").contains("some branch")
    );
    let kind = error("rule(\"a\").lang(\"go\").find(kind(\"interpreted_string\")).delete();");
    assert!(kind.contains("`interpreted_string`, but has `interpreted_string_literal`"), "{kind}");
    assert!(!error("rule(\"a\").lang(\"go\").find(kind(\"zzz\")).delete();").contains("but has"));
    assert!(error("rule(\"a\").lang(\"python\").find(\"f()\");").contains("does nothing with a match"));
    for glob in ["/etc/*", "../x", "a/[b"] {
        let wrong = error(&format!("rule(\"a\").lang(\"python\").paths({glob:?}).find(\"f()\").delete();"));
        assert!(wrong.contains("paths(…)") && wrong.contains("models/**/*.sql"), "{wrong}");
    }
    let two = "rule(\"a\").lang(\"python\").find(\"f()\").delete();";
    assert!(error(&format!("{two}\n{two}")).contains("declared already"));
    let both =
        error("rule(\"a\").lang(\"python\").find(\"f(\").delete(); rule(\"b\").lang(\"cobol\").find(\"x\").delete();");
    assert!(both.contains("rule `a`") && both.contains("rule `b`"), "all errors at once: {both}");
}

/// A call that is renamed only where its name means the function of a module.
const SYMBOL: &str = r#"
rule("s").lang(["python"]).find(symbol("m.f")).if_unknown("IF").replace("g");"#;

#[test]
fn a_symbol_is_found_however_it_was_imported_and_no_local_of_its_name() {
    let script = SYMBOL.replace("IF", "skip");
    let check = |code: &str| check(&script, "python", code);
    assert_eq!(check("import m\nfrom m import f as k\nm.f(1)\nk(2)\n"), "import m\nfrom m import f as k\ng(1)\ng(2)\n");
    assert_eq!(
        check("from m import f\ndef a(f): f(1)\nf(2)\no.f\nf2(f=1)\n"),
        "from m import f\ndef a(f): f(1)\ng(2)\no.f\nf2(f=1)\n"
    );
}

#[test]
fn what_a_file_cannot_tell_is_the_rules_to_say() {
    let of = |what: &str| check(&SYMBOL.replace("IF", what), "python", "from m import *\nf(1)\n");
    assert!(of("skip").starts_with("from m import *\nf(1)\n\nskip: this file alone can't tell"), "{}", of("skip"));
    assert!(of("annotate").contains("\n# gander[s]: this file alone"), "{}", of("annotate"));
    assert!(of("refuse").contains("refuse: this file alone"), "{}", of("refuse"));
    assert_eq!(of("match"), "from m import *\ng(1)\n");
    assert!(error(&SYMBOL.replace("IF", "guess")).contains("if_unknown takes"));
    assert!(error(r#"rule("s").lang("sql").find(symbol("m.f")).delete();"#).contains("is not known in sql"));
}

#[test]
fn closures_know_uses_definitions_and_access() {
    let script = r#"
rule("s").lang("python").find("$X = run($_)").edit(|m, cx| {
    let x = m.X;
    edits(m.X.uses().filter(|u| u != x && u.access == "read").map(|u| insert_after(u, code(".wait()"))))
});
rule("t").lang("python").find("show($X)").edit(|m, cx|
    edits([replace(m.X, lit(if m.X.definition() == () { "none" } else { `line ${m.X.definition().line}` }))]));
rule("u").lang("python").find("name($X)").edit(|m, cx| edits([replace(m.X, lit(m.X.symbol))]));"#;
    let code = "import a.b as c\nr = run(1)\nprint(r)\ndef f(r): return r\no.r\nshow(c)\nshow(q)\nname(c.d)\n";
    let expected = "import a.b as c\nr = run(1)\nprint(r.wait())\ndef f(r): return r\no.r\nshow(\"line 1\")\nshow(\"none\")\nname(\"a.b.d\")\n";
    assert_eq!(check(script, "python", code), expected);
}

#[test]
fn an_escape_in_a_host_hides_no_name() {
    let script = r#"rule("q").lang("sql").find(table("users_v1")).in_host("java", "f($SQL)")
        .in_host("python", "f($SQL)").replace("users_v2");"#;
    let java = |arguments: &str| check(script, "java", &format!("class A {{ int x = {arguments}; }}"));
    let refused = |result: &str| result.contains("refuse: the text in this literal");
    assert!(refused(&java(r#"f("select a from users\u005fv1")"#)));
    let beside = java(r#"f("select a from users\u005fv1") + f("select a from users_v1")"#);
    assert!(refused(&beside) && beside.contains("users_v2"), "{beside}");
    assert!(refused(&check(script, "python", "f('select a from users\\\n_v1')")));
    assert!(refused(&java(r#"f("select a from users\137v1")"#)));
    let other = java(r#"f("select \u0061 from people") + f("select a from users_v1")"#);
    assert!(!refused(&other), "its escapes are certain: {other}");
    assert!(!refused(&java(r#"f(g("\377"))"#)), "no literal");
}

#[test]
fn an_escape_that_is_its_own_character_hides_no_file() {
    let asked = |language: &str, find: &str, condition: &str, code: &str| {
        let rule = format!(
            "rule(\"r\").lang(\"{language}\").find(\"{find}\").where(#{{ X: {condition} }}).if_unknown(\"refuse\").refuse(\"found\");"
        );
        assert!(check(&rule, language, code).contains("refuse: "), "{language}: {code}");
    };
    let kotlin = r#"val a = f("com.acme.Outer\$Inner")"#;
    asked("kotlin", "f($X)", r#"regex("^com\\.acme\\.Outer\\$Inner$")"#, kotlin);
    asked("kotlin", "f($X)", r#"one_of(["com.acme.Outer$Inner"])"#, kotlin);
    asked("javascript", "f($X)", r#"regex("users-v1")"#, r#"f("users\-v1");"#);
    asked("typescript", "f($X)", r#"one_of(["odd"])"#, r#"f("o\dd");"#);
    asked("java", "f($X)", r#"regex("drop table")"#, r#"class A { int x = f("drop\stable"); }"#);
    asked("bash", "run $X", r#"one_of(["a$b"])"#, r#"run "a\$b""#);
}

#[test]
fn a_text_block_and_doubled_braces_are_read() {
    let asked = |language: &str, text: &str, code: &str| {
        let rule = format!(
            "rule(\"r\").lang(\"{language}\").find(\"f($X)\").where(#{{ X: one_of([\"{text}\"]) }}).if_unknown(\"refuse\").refuse(\"found\");"
        );
        assert!(check(&rule, language, code).contains("refuse: "), "{language}: {code}");
    };
    asked("java", "users_v1", "class A { int x = f(\"\"\"\n    users_v1\"\"\"); }");
    asked("java", "users_v1", "class A { int x = f(\"\"\"\n    users\\\n    _v1\"\"\"); }");
    asked("scala", "Outer$Inner", "class A { def x = f(s\"Outer$$Inner\") }");
    asked("python", "a{b}", "f(f\"a{{b}}\")");
}

#[test]
fn mistakes_are_told_in_the_words_of_the_reference() {
    let of = |body: &str| error(&format!("rule(\"r\").lang(\"python\").find(\"f($X)\"){body};"));
    for (body, says) in [
        (".finds(\"g\")", "`Rule` has no method `finds`; did you mean `find`?"),
        (".replace(1)", "`replace` does not take a Rule, a number; there is `Rule.replace(template) -> Rule`"),
        (".when(|m| m.X.txt == \"1\").find_all(1)", "`Rule` has no method `find_all`"),
        (".rewrite(|m, cx| cod(\"g()\"))", "loads"),
        (".where(#{ X: knd(\"a\") }).delete()", "there is no function `knd`; did you mean `kind`?"),
        (".where(#{ X: params.flg }).delete()", "the map has no key `flg`"),
        (".replace(template)", "there is no variable `template`"),
        (".replace(kind)", "`kind` is a function: call it"),
        (
            ".where(#{ X: key_of(mapping(\"orders\").a) }).delete()",
            "no mapping table is named `orders`; there are: users\n",
        ),
        (".where(#{ X: param(\"colour\") }).delete()", "no parameter is named `colour`\n"),
    ] {
        let all = of(body);
        assert!(all.contains(says), "{body}: {all}");
        for raw in ["i64", "ImmutableString", "&str", "Function not found", "does nothing with a match"] {
            assert!(!all.contains(raw), "{body}: {all}");
        }
    }
    let none = load(
        &[Source { name: "t.rhai".to_owned(), text: "mapping(\"a\");".to_owned(), ..Source::default() }],
        &Inputs::default(),
    );
    let none = none.err().unwrap().to_string();
    assert!(none.contains("none is given") && none.contains("--mapping a=FILE"), "{none}");
    for (name, near) in [("pythn", "python"), ("JavaScript", "javascript"), ("golang2", "go")] {
        let all = error(&format!("rule(\"r\").lang(\"{name}\").find(\"f()\").delete();"));
        assert!(all.contains(&format!("did you mean `{near}`?")), "{name}: {all}");
    }
    let closure = |body: &str| {
        check(&format!("rule(\"r\").lang(\"python\").find(\"f($X)\").edit(|m, cx| {body});"), "python", "f(1)")
    };
    for (body, says) in [
        ("edits([replace(m.X.txt, code(\"1\"))])", "a Node has no property `txt`; did you mean `text`?"),
        (
            "edits([replace(m.X, \"1\")])",
            "`replace` does not take a Node, text; there is `replace(node, code) -> Edit`",
        ),
        ("m.X.text()", "`Node.text` is a property"),
        ("m.X.field_nam", "a Node has no property `field_nam`; did you mean `field_name`?"),
        ("m.X.fits", "`Node.fits` is a method: call it"),
        ("1", "the closure gave a number; it must give edits([…])"),
    ] {
        let all = closure(body);
        assert!(all.contains(says), "{body}: {all}");
    }
}

#[test]
fn a_replacement_keeps_line_breaks_where_it_writes_the_same() {
    let replace = |language: &str, find: &str, new: &str, code: &str| {
        check(&format!("rule(\"r\").lang({language:?}).find({find:?}).replace({new:?});"), language, code)
    };
    let python = |find: &str, new: &str, code: &str| replace("python", find, new, code);
    assert_eq!(python("f($A, $B)", "g($A, $B)", "x = f(\n    1,\n    2,\n)\n"), "x = g(\n    1,\n    2,\n)\n");
    assert_eq!(python("f($A, $B)", "g($A, $B)", "x = f(1,\n      2)\n"), "x = g(1,\n      2)\n");
    assert_eq!(python("f($$$A)", "h.g($$$A)", "f(\n    1,\n    2\n)\n"), "h.g(\n    1,\n    2\n)\n");
    assert_eq!(
        python(
            "f($A, $B)",
            "g($A, $B)",
            "if x:\n    f(\n        {\n            1: 2,\n        },\n        2,\n    )\n"
        ),
        "if x:\n    g(\n        {\n            1: 2,\n        },\n        2,\n    )\n",
        "what is in an argument stays where it is"
    );
    assert_eq!(
        python("f($A, $B)", "g($B, $A)", "f(\n    1,\n    2,\n)\n"),
        "g($B, $A)".replace("$B", "2").replace("$A", "1") + "\n"
    );
    assert_eq!(
        python("f($A)", "($A)", "x = f(\n    a + b,\n)\n"),
        "x = (\n    a + b\n)\n",
        "a comma would make it a tuple"
    );
    assert_eq!(
        python("f($A + $B)", "$A + $B", "x = f(\n  1 +\n  2\n)\n"),
        "x = 1 + 2\n",
        "outside of brackets a break ends the line"
    );
    assert_eq!(
        replace("typescript", "f($A, $B)", "g($A, $B)", "const x = f(\n  1,\n  2,\n);\n"),
        "const x = g(\n  1,\n  2,\n);\n"
    );
    assert_eq!(
        check(
            r#"rule("r").lang("java").find("f($A, $B)").rewrite(|m, cx| code("g($A, $B)", #{ A: m.A, B: m.B }));"#,
            "java",
            "class A { int x = f(\n    1,\n    2); }"
        ),
        "class A { int x = g(\n    1,\n    2); }"
    );
}

#[test]
fn what_is_put_beside_a_statement_gets_a_line_of_its_own() {
    let beside = |language: &str, edit: &str, find: &str, code: &str| {
        check(
            &format!("rule(\"r\").lang({language:?}).find(stmt({find:?})).edit(|m, cx| edits([{edit}]));"),
            language,
            code,
        )
    };
    let after = "insert_after(m.node, code(\"b()\"))";
    assert_eq!(beside("python", after, "import a", "import a  # why\nc()\n"), "import a  # why\nb()\nc()\n");
    assert_eq!(beside("python", after, "import a", "import a"), "import a\nb()");
    assert_eq!(
        beside("python", after, "def f(): $$$", "class A:\n    def f():\n        if x:\n            y()\n"),
        "class A:\n    def f():\n        if x:\n            y()\n    b()\n",
        "it stands where the statement stands"
    );
    assert_eq!(
        beside("python", "insert_before(m.node, code(\"b()\"))", "import a", "if x:\n    import a\n"),
        "if x:\n    b()\n    import a\n"
    );
    assert_eq!(
        beside(
            "javascript",
            "insert_after(m.node, code(\"b();\"))",
            "import a from 'a'",
            "import a from 'a';\r\nc();\r\n"
        ),
        "import a from 'a';\r\nb();\r\nc();\r\n"
    );
    assert_eq!(beside("python", "insert_after(m.node, code(\"\\nb()\"))", "import a", "import a\n"), "import a\nb()\n");
    let chain = r#"rule("r").lang("kotlin").find("f($X)").edit(|m, cx| edits([insert_after(m.node, code(".g()"))]));"#;
    assert_eq!(
        check(chain, "kotlin", "fun h() {\n    f(1)\n}\n"),
        "fun h() {\n    f(1).g()\n}\n",
        "what goes on goes on"
    );
}

#[test]
fn a_deletion_takes_the_comments_above_it_but_never_the_head_of_the_file() {
    let drop = r##"rule("r").lang("python").find(stmt("old($X)")).edit(|m, cx| edits([delete(m.node, #{ comments: "drop" })]));"##;
    assert_eq!(check(drop, "python", "a()\n# about old\nold(1)\nb()\n"), "a()\nb()\n");
    assert_eq!(check(drop, "python", "# Copyright\n# of somebody\nold(1)\nb()\n"), "# Copyright\n# of somebody\nb()\n");
}

#[test]
fn a_replacement_writes_its_own_literals_and_ends_lines_as_the_language_does() {
    let replace = |language: &str, find: &str, new: &str, code: &str| {
        check(&format!("rule(\"r\").lang({language:?}).find({find:?}).replace({new:?});"), language, code)
    };
    assert_eq!(
        replace("python", "f($A, 'a b', $B)", "g($A, 'ab', $B)", "f(1,\n  'a b',\n  2)\n"),
        "g(1, 'ab', 2)\n",
        "white space in a literal is its value"
    );
    assert_eq!(
        replace("typescript", "f($A - -$B)", "f($A --$B)", "f(a -\n  -b);\n"),
        "f(a --b);\n",
        "and between operators it tells them apart"
    );
    let go = |find: &str, new: &str, code: &str, after: &str| {
        let whole = |code: &str| format!("package p\n\nfunc f() {{\n{code}}}\n");
        assert_eq!(replace("go", find, new, &whole(code)), whole(after));
    };
    go("$X.Old($$$A)", "$X.New($$$A)", "\tx.Old(\n\t\ta,\n\t\tb,\n\t)\n", "\tx.New(\n\t\ta,\n\t\tb,\n\t)\n");
    go("Old($A, $B)", "make([]int, $A, $B)", "\tOld(\n\t\ta,\n\t\tb,\n\t)\n", "\tmake([]int, a,\n\t\tb,\n\t)\n");
    go("[]int{$$$A}", "[]T{$$$A}", "\ty = []int{\n\t\ta,\n\t\tb,\n\t}\n", "\ty = []T{\n\t\ta,\n\t\tb,\n\t}\n");
    go("Old($A)", "($A)", "\ty = Old(\n\t\ta,\n\t)\n", "\ty = (\n\t\ta)\n");
}

/// One edit beside, or of, each match.
fn edited(language: &str, find: &str, edit: &str, code: &str) -> String {
    check(&format!("rule(\"r\").lang({language:?}).find({find}).edit(|m, cx| edits([{edit}]));"), language, code)
}

#[test]
fn what_is_put_beside_the_inner_node_of_a_statement_is_beside_the_statement() {
    let after = |language: &str, find: &str, new: &str, code: &str| {
        edited(language, find, &format!("insert_after(m.node, code({new:?}))"), code)
    };
    let before = |language: &str, find: &str, new: &str, code: &str| {
        edited(language, find, &format!("insert_before(m.node, code({new:?}))"), code)
    };
    assert_eq!(after("python", "\"x = a\"", "y = 2", "x = a\n"), "x = a\ny = 2\n");
    assert_eq!(after("typescript", "\"x = a\"", "y = 2;", "x = a;\nb();\n"), "x = a;\ny = 2;\nb();\n");
    assert_eq!(before("python", "\"f($X)\"", "self.", "f(1)\n"), "self.f(1)\n", "what goes on goes on");
    let refused = |out: String, code: &str, says: &str| {
        assert!(out.starts_with(&format!("{code}\nfail: test.rhai:1:")) && out.contains(says), "{out}");
    };
    for (language, find, new, code, says) in [
        ("bash", "kind(\"command\")", "x", "a && b\n", "is not a statement that stands on lines of its own"),
        ("bash", "kind(\"command\")", "x", "if a; then\n  b\nfi\n", "is not a statement"),
        ("typescript", "stmt(\"return a\")", "b();", "if (x)\n    return a;\n", "is not a statement"),
        ("python", "\"f($X)\"", "g()", "y = f(1)\n", "would grow together"),
        ("python", "\"x = a\"", "[0]", "x = a\n", "may be read as going on"),
        ("python", "stmt(\"import q\")", "z()", "if x: import q\n", "shares its line"),
        ("python", "stmt(\"import q\")", "z()", "import q; import r\n", "shares its line"),
        ("python", "stmt(\"import q\")", "z()", "import q \\\n\nimport r\n", "shares its line"),
    ] {
        refused(after(language, find, new, code), code, says);
    }
    for (language, find, new, code, says) in [
        ("typescript", "stmt(\"return a\")", "log();", "if (x)\n    return a;\n", "is not a statement"),
        ("python", "stmt(\"import q\")", "z()", "if x: import q\n", "shares its line"),
        ("rust", "kind(\"function_item\")", "const A: u8 = 1;", "#[test]\nfn f() {}\n", "the attribute above"),
        ("javascript", "kind(\"expression_statement\")", "a()", "(b)();\n", "end that with `;`"),
    ] {
        refused(before(language, find, new, code), code, says);
    }
    let import = "stmt(\"import a from 'a'\")";
    assert_eq!(
        after("javascript", import, "(async () => {})();", "import a from 'a';\n"),
        "import a from 'a';\n(async () => {})();\n",
        "a statement that has ended is not gone on with"
    );
    assert_eq!(after("javascript", "\"a()\"", "b();", "f(() => { a(); });\n"), "f(() => { a(); b(); });\n");
}

#[test]
fn in_yaml_a_pair_goes_to_the_column_of_its_neighbour() {
    let find = "kind(\"block_mapping_pair\")).when(|m| m.node.text.starts_with(\"a:\")";
    let after = |code: &str| edited("yaml", find, "insert_after(m.node, code(\"b:\\n  c: 2\"))", code);
    assert_eq!(after("k:\n- a: 1\n- d: 3\n"), "k:\n- a: 1\n  b:\n    c: 2\n- d: 3\n");
    assert_eq!(after("k:\n  a: 1\n"), "k:\n  a: 1\n  b:\n    c: 2\n");
    assert_eq!(after("k:\n- - a: 1\n"), "k:\n- - a: 1\n    b:\n      c: 2\n");
    assert_eq!(after("k:\n- a: |\n    x\n"), "k:\n- a: |\n    x\n  b:\n    c: 2\n");
    let before = edited("yaml", find, "insert_before(m.node, code(\"b: 2\"))", "k:\n- a: 1\n");
    assert_eq!(before, "k:\n- b: 2\n  a: 1\n");
    let kept = "k:\n- a: |+\n    x\n\n\nd: 1\n";
    let out = after(kept);
    assert!(out.starts_with(kept) && out.contains("keeps its empty lines"), "{out}");
}

#[test]
fn comments_that_are_kept_or_dropped_are_comments_and_swallow_nothing() {
    let keep =
        |language: &str, code: &str| edited(language, "\"old($$$)\"", "delete(m.node, #{ comments: \"keep\" })", code);
    assert_eq!(keep("python", "old(  # why\n    1)\ng()\n"), "# why\ng()\n");
    for (language, code) in [
        ("python", "old(  # why\n    1); g()\n"),
        ("javascript", "a = old(  // why\n    1)\ng()\n"),
        ("javascript", "old(  // why\n    1), g()\n"),
    ] {
        let out = keep(language, code);
        assert!(out.starts_with(code) && out.contains("would swallow"), "{out}");
    }
    let find = "kind(\"block_mapping_pair\")).when(|m| m.node.text == \"d: 1\"";
    let drop = |code: &str| edited("yaml", find, "delete(m.node, #{ comments: \"drop\" })", code);
    assert_eq!(drop("a: |\n  x\n  # not a comment\nd: 1\ne: 1\n"), "a: |\n  x\n  # not a comment\ne: 1\n");
    assert_eq!(drop("a: 1\n# a comment\nd: 1\ne: 1\n"), "a: 1\ne: 1\n");
}

#[test]
fn a_name_that_is_not_known_everywhere_is_not_renamed() {
    let rename = |language: &str, find: &str, code: &str| {
        let rule = format!(
            "rule(\"r\").lang({language:?}).find({find:?}).where(#{{ F: \"old\" }}).edit(|m, cx| edits(rename(m.F, \"new\")));"
        );
        check(&rule, language, code)
    };
    let python = |code: &str| rename("python", "def $F(): $$$", code);
    assert_eq!(
        python("def old(): pass\nold()\nprint('the old way', older)\n"),
        "def new(): pass\nnew()\nprint('the old way', older)\n"
    );
    for code in [
        "def old(): pass\ndef j(old=old): pass\n",
        "def old(): pass\nclass A:\n    old = old\n",
        "__all__ = [\"old\"]\ndef old(): pass\n",
        "def old(): pass\nx = \"module:old\"\n",
        "class A:\n    def old(): pass\nA.old()\n",
    ] {
        let out = python(code);
        assert!(out.starts_with(code) && out.contains("is not known to be what is renamed"), "{out}");
    }
    for code in ["fn old() {}\nfn g() { self::old(); }\n", "fn old() {}\nfn g() { crate::old(); }\n"] {
        let out = rename("rust", "fn $F() {}", code);
        assert!(out.starts_with(code) && out.contains("is not known to be what is renamed"), "{out}");
    }
}

#[test]
fn a_value_is_set_in_toml_and_never_without_its_anchor() {
    let set = |language: &str, find: &str, code: &str| edited(language, find, "set_value(m.node, 2)", code);
    assert_eq!(set("toml", "kind(\"pair\")", "[t]\na = 1  # why\n"), "[t]\na = 2  # why\n");
    let pair = "kind(\"block_mapping_pair\")";
    assert_eq!(set("yaml", pair, "a: 1\n"), "a: 2\n");
    for code in ["a: &x 1\n", "a: !t 1\n"] {
        let out = set("yaml", pair, code);
        assert!(out.starts_with(code) && out.contains("which would go"), "{out}");
    }
}

#[test]
fn an_ambiguous_pattern_shows_its_trees_and_how_to_say_which() {
    let said = error("rule(\"a\").lang(\"java\").find(\"Outer.$X\").annotate(\"x\");");
    let wanted = [
        "reads in more than one way in java; say which:",
        "expr(\"Outer.$X\"):",
        "field_access",
        "type(\"Outer.$X\"):",
        "scoped_type_identifier",
        "test.rhai:1:24",
    ];
    for part in wanted {
        assert!(said.contains(part), "{part}: {said}");
    }
    // What it says is what helps.
    for call in ["expr", "type", "type_pattern"] {
        let script = format!("rule(\"a\").lang(\"java\").find({call}(\"Outer.$X\")).annotate(\"x\");");
        assert_eq!(error(&script), "loads", "{call}");
    }
    // Every context of every language can be asked for.
    for language in language::all() {
        for context in &language.facts.context {
            let known = super::entries().iter().any(|entry| entry.of.is_none() && entry.name == context.name);
            assert!(known, "{}: there is no {}(…)", language.facts.name, context.name);
        }
    }
}

#[test]
fn comments_of_a_list_go_with_it() {
    let script = r#"rule("r").lang("java").find(stmt("if (a) { $$$B }")).replace("$$$B");"#;
    let code = "class A { void m() {\n  if (a) {\n    // one\n    f(); /* two */\n  }\n} }";
    assert_eq!(check(script, "java", code), "class A { void m() {\n  // one\n  f(); /* two */\n} }");
    let script = r#"rule("r").lang("python").find("f($A, $$$R)").replace("g($$$R, $A)");"#;
    assert_eq!(check(script, "python", "f(1,  # one\n  2  # two\n)"), "g(# one\n  2  # two\n, 1)");
}

#[test]
fn a_node_that_is_all_of_a_statement_goes_with_its_end() {
    let script = r#"rule("r").lang("javascript").find("$S.f($$$)").edit(|m, cx| edits([delete(m.node)]));"#;
    assert_eq!(check(script, "javascript", "a();\ns.f(1);\nb(2);\n"), "a();\nb(2);\n");
    let needed = check(script, "javascript", "b(s.f(2) || 1);\n");
    assert!(needed.contains("`s.f(2)` at 1:3 is a value that `s.f(2) || 1` needs"), "{needed}");
    let script = r#"rule("r").lang("java").find("$S.f($$$)").delete();"#;
    assert_eq!(
        check(script, "java", "class A { void m() {\n  s.f(1);\n  g();\n} }"),
        "class A { void m() {\n  g();\n} }"
    );
}

#[test]
fn comments_of_deleted_code_go_where_the_rule_says() {
    let with = |policy: &str| {
        let script = format!(
            "rule(\"r\").lang(\"java\").find(\"old($$$)\").edit(|m, cx| edits([delete(m.node, #{{ comments: \"{policy}\" }})]));"
        );
        check(&script, "java", "class A { void m() {\n  old(1, // why\n      2 /* and */);\n  g();\n} }")
    };
    assert_eq!(with("drop"), "class A { void m() {\n  g();\n} }");
    assert_eq!(with("move"), "class A { void m() {\n  // why\n  /* and */\n  g();\n} }");
    let error = error("rule(\"r\").lang(\"java\").find(\"f()\").delete().comments(\"leave\");");
    assert!(error.contains("\"drop\" or \"move\", not \"leave\""), "{error}");
}

#[test]
fn code_that_goes_elsewhere_is_indented_and_its_data_is_not() {
    let java = r#"rule("r").lang("java").find(stmt("if (a) { $$$B }")).replace("$$$B");"#;
    let code = "class A { void m() {\n\tif (a) {\n\t\tf(\n\t\t\t1);\n\t\tg(\"\"\"\n\t\ttext\n\t\t\"\"\");\n\t}\n} }";
    let new = "class A { void m() {\n\tf(\n\t\t1);\n\tg(\"\"\"\n\t\ttext\n\t\t\"\"\");\n} }";
    assert_eq!(check(java, "java", code), new);
    let js = r#"rule("r").lang(["javascript", "typescript", "tsx"]).find(stmt("if (a) { $$$B }")).replace("$$$B");"#;
    for name in ["javascript", "typescript", "tsx"] {
        let code = "if (a) {\r\n  f(`\r\n  data\r\n`);\r\n  g();\r\n}\r\n";
        assert_eq!(check(js, name, code), "f(`\r\n  data\r\n`);\r\ng();\r\n", "{name}");
    }
    let go = r#"rule("r").lang("go").find(stmt("if a { $$$B }")).replace("$$$B");"#;
    let code = "package p\nfunc m() {\n\tif a {\n\t\tf(`\n\t\tx`)\n\t\tg()\n\t}\n}\n";
    assert_eq!(check(go, "go", code), "package p\nfunc m() {\n\tf(`\n\t\tx`)\n\tg()\n}\n");
    let rust = r##"rule("r").lang("rust").find(stmt("if a { $$$B }")).replace("$$$B");"##;
    let code = "fn m() {\n    if a {\n        f(\"\n        x\");\n        g();\n    }\n}\n";
    assert_eq!(check(rust, "rust", code), "fn m() {\n    f(\"\n        x\");\n    g();\n}\n");
    let kotlin = r#"rule("r").lang("kotlin").find(stmt("if (a) { $$$B }")).replace("$$$B");"#;
    let code = "fun m() {\n    if (a) {\n        f(\"\"\"\n        x\"\"\")\n        g()\n    }\n}\n";
    assert_eq!(check(kotlin, "kotlin", code), "fun m() {\n    f(\"\"\"\n        x\"\"\")\n    g()\n}\n");
    let bash = r#"rule("r").lang("bash").find(stmt("if a; then $$$B\nfi")).replace("$$$B");"#;
    let code = "if a; then\n    cat <<EOF\n    data\nEOF\n    b\nfi\n";
    assert_eq!(check(bash, "bash", code), "cat <<EOF\n    data\nEOF\nb\n");
}
