mod edits;

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
    applied(&rules(script).unwrap_or_else(|e| panic!("{e}")), language, code)
}

fn applied(rules: &RuleSet, language: &str, code: &str) -> String {
    let language = language::by_name(language).unwrap();
    let hits = rules.scan(language, "a", code.as_bytes());
    let tree = Arc::new(parse(language, code).unwrap());
    let (mut edits, mut notes) = (Vec::new(), Vec::new());
    for outcome in run(rules, crate::rule::File { path: "a", tree: &tree }, &hits, &Arc::default()).unwrap() {
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
fn a_table_is_a_handle_however_large() {
    let row = |at: usize| (format!("k{at}"), toml::Value::from(format!("v{at}")));
    let rows = toml::Value::Table((0..100_000).map(row).collect());
    let mut inputs = Inputs::default();
    inputs.mappings.insert("t".to_owned(), toml::Table::from_iter([("rows".to_owned(), rows)]));
    let script = r#"const ROWS = mapping("t").rows;
rule("r").lang("python").find("f($X)").rewrite(|m, cx| {
    if !(m.X.value in ROWS) { return skip("none"); }
    code("g($A, $B)", #{ A: lit(ROWS[m.X.value]), B: lit(mapping("t").rows.k1) })
});"#;
    let source = Source { name: "test.rhai".to_owned(), text: script.to_owned(), ..Source::default() };
    let rules = load(&[source], &inputs).unwrap_or_else(|e| panic!("{e}"));
    let started = std::time::Instant::now();
    let found = applied(&rules, "python", &"f('k7')\n".repeat(2_000));
    assert_eq!(found, "g(\"v7\", \"v1\")\n".repeat(2_000));
    // A copy of the table for each of them takes minutes.
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
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
rule("list").lang("python").find(any([expr("List[$T]"), type_pattern("List[$T]")])).replace("list[$T]");"#;
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
    // Each piece of code is one by itself.
    for code in ["code(\"1), g(2\")", "code(\"g($X)\", #{ X: code(\"1), h(2\") })", "codes([m.X, m.X], \"), g(\")"] {
        let torn = format!("rule(\"r\").lang(\"python\").find(\"f($X)\").edit(|m, cx| edits([replace(m.X, {code})]));");
        let said = check(&torn, "python", "f(1)");
        assert!(said.starts_with("f(1)") && said.contains("is no code by itself: `)`"), "{said}");
    }
    let said = error("rule(\"r\").lang([\"python\", \"bash\"]).find(\"f = $X\").replace(\"g($X\");");
    assert!(said.contains("this is no python by itself: `(` has no other one"), "{said}");
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
    let keys = r#"rule("n").lang("python").find("f($X)").edit(|m, cx| { let all = #{}; for i in 0..1000 { all["k" + i] = i; } loop { key_of(all); } });"#;
    assert!(check(keys, "python", "f(1)").contains("more nodes than one match may cost"));
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
fn what_a_closure_asks_and_a_file_cannot_tell_is_unknown_where_it_matters() {
    let unknown = [
        // An answer that hangs on it.
        ".when(|m| m.F.fits(symbol(\"m.f\"))).delete()",
        ".when(|m| !m.F.fits(symbol(\"m.f\"))).delete()",
        ".when(|m| m.F.fits(symbol(\"m.f\")) && !m.X.fits(symbol(\"m.x\"))).delete()",
        ".when(|m| m.F.capture(symbol(\"m.f\")) != ()).delete()",
        ".when(|m| m.node.find_all(symbol(\"m.f\")).len == 1).delete()",
        ".when(|m| m.F.enclosing(all([kind(\"call\"), has(symbol(\"m.x\"))])) != ()).delete()",
        ".rewrite(|m, cx| if m.F.fits(symbol(\"m.f\")) { code(\"g()\") } else { skip(\"another\") })",
        ".edit(|m, cx| edits(if m.F.fits(symbol(\"m.f\")) { [delete(m.node)] } else { [] }))",
        ".group_by(|m, cx| if m.F.fits(symbol(\"m.f\")) { 1 } else { 2 }).edit_group(|k, ms, cx| edits([delete(ms[0].node)]))",
        ".group_by(|m, cx| 1).edit_group(|k, ms, cx| if ms[0].F.fits(symbol(\"m.f\")) { edits([delete(ms[0].node)]) } else { skip(\"no\") })",
        ".then(\"s/next\", \"file\", |m| #{ X: if m.F.fits(symbol(\"m.f\")) { m.X } else { m.F } }).delete()",
    ];
    let certain = [
        // What is certain, and what comes to the same either way.
        (".when(|m| m.F.fits(symbol(\"n.g\"))).delete()", true),
        (".when(|m| m.F.fits(symbol(\"m.f\")) && m.X.text == \"y\").delete()", true),
        (".when(|m| m.F.fits(symbol(\"m.f\")) || m.X.text == \"x\").delete()", false),
        (".edit(|m, cx| { let mine = m.F.fits(symbol(\"m.f\")); edits([delete(m.node)]) })", false),
        // Four questions, in sixteen ways.
        (
            ".edit(|m, cx| { for path in [\"a\", \"b\", \"c\", \"d\"] { m.F.fits(symbol(`m.${path}`)); } edits([delete(m.node)]) })",
            false,
        ),
        (".rewrite(|m, cx| if m.F.fits(symbol(\"n.g\")) { code(\"g()\") } else { skip(\"another\") })", true),
    ];
    let next = "followup(\"s/next\", [\"X\"]).lang(\"python\").find(\"g($X)\").delete();";
    let said = |rest: &str, what: &str, code: &str| {
        check(
            &format!("rule(\"s\").lang(\"python\").find(\"$F($X)\").if_unknown(\"{what}\"){rest};\n{next}"),
            "python",
            code,
        )
    };
    let code = "from m import *\nf(x)\n";
    for rest in unknown {
        assert!(said(rest, "skip", code).starts_with(&format!("{code}\nskip: this file alone can't tell")), "{rest}");
        assert!(said(rest, "refuse", code).starts_with(&format!("{code}\nrefuse: this file alone")), "{rest}");
        assert!(said(rest, "annotate", code).contains("\n# gander[s]: this file alone"), "{rest}");
        let matched = said(rest, "match", code);
        assert!(!matched.contains("alone can't tell"), "{rest}: {matched}");
    }
    assert_eq!(said(unknown[0], "match", code), "from m import *\n");
    for (rest, stays) in certain {
        let found = said(rest, "annotate", code);
        assert!(found.starts_with(if stays { code } else { "from m import *\n" }), "{rest}: {found}");
        assert!(!found.contains("alone can't tell") && found.contains("f(x)") == stays, "{rest}: {found}");
    }
    // What is collected is certain.
    let collects = "rule(\"s\").lang(\"python\").find(\"$F($X)\").collect(\"c\", |m| if m.F.fits(symbol(\"m.f\")) { \"a\" } else { \"b\" });";
    let rules = rules(collects).unwrap_or_else(|e| panic!("{e}"));
    let python = language::by_name("python").unwrap();
    let tree = Arc::new(parse(python, code).unwrap());
    let hits = rules.scan(python, "a", code.as_bytes());
    let (facts, told) = crate::rule::collect(&rules, crate::rule::File { path: "a", tree: &tree }, &hits).unwrap();
    let skipped = |answer: &Answer| matches!(answer, Answer::Skip(why) if why.contains("alone can't tell"));
    assert!(told.len() == 1 && skipped(&told[0].answer) && facts.get("c").next().is_none(), "{told:?}");
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
        (".requires(dependency(\"a\", \">=1 <2\"))", "\">=1 <2\" are no versions: part them by a comma, \">=1, <2\""),
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
        (".when(|m, cx, z| z).delete()", "the closure takes 3 arguments"),
        (".collect(\"moved\", |m, cx, z| z)", "it is given |m, cx|: leave the others out"),
        (".when(|m, cx| m.X.text in cx.facts(\"movd\")).delete()", "no rule collects `movd`"),
        (
            ".collect(\"moved\", |m| \"a\"); rule(\"q\").lang(\"python\").find(\"g()\").when(|m, cx| cx.facts(\"movd\").len > 0).delete()",
            "did you mean `moved`?",
        ),
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
        ("edits([replace(m.X, code(\"y\", #{ Q: m.X }))])", "has no hole `$Q`"),
        ("cx.facts(\"mov\" + \"ed\")", "no rule collects `moved`"),
        ("m.X.field_nam", "a Node has no property `field_nam`; did you mean `field_name`?"),
        ("m.X.fits", "`Node.fits` is a method: call it"),
        ("1", "the closure gave a number; it must give edits([…])"),
    ] {
        let all = closure(body);
        assert!(all.contains(says), "{body}: {all}");
    }
}

#[test]
fn a_closure_keeps_what_it_captured_when_the_rule_got_it() {
    let rules = "for one in [\"a\", \"b\"] {
        rule(\"r\" + one).lang(\"python\").find(one + \"()\").when(|m| m.node.text == one + \"()\").rewrite(|m, cx| code(one + \"2()\"));
    }";
    assert_eq!(check(rules, "python", "a()\nb()\n"), "a2()\nb2()\n");
}

#[test]
fn a_word_in_a_condition_is_a_text_wherever_it_stands() {
    for language in ["python", "go", "java", "rust", "typescript", "bash", "kotlin", "scala", "swift"] {
        let code = |name: &str| match language {
            "go" => format!("package p\n\nfunc m() {{ {name}(1) }}\n"),
            "java" => format!("class A {{ Object x = {name}(1); }}\n"),
            "rust" => format!("fn m() {{ {name}(1); }}\n"),
            "bash" => format!("{name} 1\n"),
            "kotlin" | "scala" => format!("val x = {name}(1)\n"),
            _ => format!("{name}(1)\n"),
        };
        let call = if language == "bash" { "$F $X" } else { "$F($X)" };
        let rule = |condition: &str| {
            format!("rule(\"r\").lang({language:?}).find({call:?}).where(#{{ F: {condition} }}).refuse(\"found\");")
        };
        let found = |condition: &str, name: &str| check(&rule(condition), language, &code(name)).contains("refuse: ");
        assert!(found("not(\"id1\")", "id2") && !found("not(\"id1\")", "id1"), "{language}");
        if matches!(language, "kotlin" | "scala" | "swift") {
            assert!(found("\"id1\"", "`id1`") && !found("\"id1\"", "`id2`"), "{language}: in backticks");
        }
        assert!(found("any([\"id1\", \"id3\"])", "id3") && !found("any([\"id1\", \"id3\"])", "id2"), "{language}");
    }
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
        "class A:\n    def old(): pass\nx.old()\n",
    ] {
        let out = python(code);
        assert!(out.starts_with(code) && out.contains("is not known to be what is renamed"), "{out}");
    }
    for code in ["fn old() {}\nfn g() { self::old(); }\n", "fn old() {}\nfn g() { crate::old(); }\n"] {
        let out = rename("rust", "fn $F() {}", code);
        assert!(out.starts_with(code) && out.contains("is not known to be what is renamed"), "{out}");
    }
    // Others know it, or it has another name where it comes from.
    for (language, find, code, says) in [
        ("javascript", "const $F = 1", "export const old = 1;\n", "`old` is exported on line 1"),
        ("javascript", "const $F = 1", "const old = 1;\nexport { old };\n", "`old` is exported on line 2"),
        ("javascript", "function $F() {}", "export function old() {}\n", "`old` is exported on line 1"),
        ("python", "$F = 1", "old = 1\nimport old\n", "`old` is imported on line 2"),
        ("python", "$F = 1", "old = 1\nfrom x import old\n", "`old` is imported on line 2"),
        ("rust", "let $F = 1;", "fn g() { let old = 1; old!(old); }\n", "is a macro"),
        ("rust", "let $F = 1;", "fn g() { let old = 1; f(\"{old:?} {0}\", old); }\n", "is not known to be"),
        ("rust", "let $F = 1;", "fn g() { let old = 1; f(\"a {old}\"); }\n", "is not known to be"),
    ] {
        let out = rename(language, find, code);
        assert!(out.starts_with(code) && out.contains(says), "{code}: {out}");
    }
    for (language, find, code, wanted) in [
        ("rust", "let $F = 1;", "fn g() { let old = 1; S { old }; }\n", "fn g() { let new = 1; S { old: new }; }\n"),
        ("javascript", "let $F = 1", "let old = 1;\nf({ old });\n", "let new = 1;\nf({ old: new });\n"),
        (
            "javascript",
            "let $F = 1",
            "export function g() { let old = 1; }\n",
            "export function g() { let new = 1; }\n",
        ),
        ("python", "$F = 1", "old = 1\nx = f\"a{old}\"\n", "new = 1\nx = f\"a{new}\"\n"),
        ("javascript", "let $F = 1", "let old = 1;\nx = `${old}`;\n", "let new = 1;\nx = `${new}`;\n"),
    ] {
        assert_eq!(rename(language, find, code), wanted);
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
