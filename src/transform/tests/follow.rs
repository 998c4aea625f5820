//! Follow-ups: what is left to clean up where an edit was made.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{FindingKind, file, spread};
use super::check;
use crate::rule::{Facts, RuleSet};
use crate::script::{Inputs, Source, load};

/// Folds what a stale flag leaves of Java.
const FOLD: &str = r#"
const FOLD = ["fold/not", "fold/and", "fold/or", "fold/paren", "fold/if", "fold/if-else", "fold/never", "fold/variable"];
rule("flag").lang("java").find("$_.isEnabled(\"NEW\")").replace("true").then(FOLD, "parent");
followup("fold/not", []).lang("java").find("!true").replace("false").then(FOLD, "parent");
followup("fold/and", []).lang("java").find("true && $X").replace("$X").then(FOLD, "parent");
followup("fold/or", []).lang("java").find(any(["true || $_", "$_ || true"])).replace("true").then(FOLD, "parent");
followup("fold/paren", []).lang("java").find("(($X))").replace("($X)").then(FOLD, "parent");
followup("fold/if", []).lang("java").find(stmt("if (true) { $$$A }")).replace("$$$A");
followup("fold/if-else", []).lang("java").find(stmt("if (true) { $$$A } else { $$$B }")).replace("$$$A")
    .then(["unused/method", "unused/import"], "file");
followup("fold/never", []).lang("java").find(stmt("if (false) { $$$A }")).delete()
    .then("unused/method", "class");
followup("fold/variable", []).lang("java").find(stmt("boolean $V = $B;")).where(#{ B: one_of(["true", "false"]) })
    .delete().then("inline", "function");
followup("inline", ["V", "B"]).lang("java").find(all([kind("identifier"), given("V")])).replace("$B").then(FOLD, "parent");
followup("unused/method", []).lang("java").find(member("private void $F() { $$$ }")).when(|m| m.F.uses().len == 1).delete();
followup("unused/import", []).lang("java").find(kind("import_declaration"))
    .edit(|m, cx| edits([remove_import(m.node.children[0].text)]));
"#;

#[test]
fn a_stale_flag_is_cleaned_up_to_its_import() {
    let code = "import a.Flags;\nimport b.Old;\n\nclass A {\n    void m(Flags flags) {\n        boolean isNew = flags.isEnabled(\"NEW\");\n        if (isNew && ready()) {\n            go();\n        }\n        if (isNew) {\n            // the new way\n            go();\n        } else {\n            Old.go();\n        }\n        if (!isNew) {\n            legacy();\n        }\n    }\n\n    private void legacy() {\n        stop();\n    }\n}\n";
    let after = "import a.Flags;\n\nclass A {\n    void m(Flags flags) {\n        if (ready()) {\n            go();\n        }\n        // the new way\n        go();\n    }\n}\n";
    assert_eq!(check(FOLD, "A.java", code), after);
}

#[test]
fn comments_that_go_are_told_at_their_first_place() {
    let code = "class A {\n    void m() {\n        boolean b = p.isEnabled(\"NEW\");\n        if (b) {\n            go();\n        } else {\n            // the old way\n            stop();\n        }\n    }\n}\n";
    let refused = check(FOLD, "A.java", code);
    assert!(refused.contains("would lose the comment `// the old way` on line 7"), "{refused}");
    let dropping =
        FOLD.replace("else { $$$B }\")).replace(\"$$$A\")", "else { $$$B }\")).replace(\"$$$A\").comments(\"drop\")");
    let report = file(&rules(&dropping), &Arc::default(), "A.java", code.as_bytes());
    let told: Vec<String> = report.comments.iter().map(|c| format!("{}: {} {}", c.line, c.text, c.moved)).collect();
    assert_eq!(told, ["7: // the old way false"]);
    assert!(report.change.is_some());
    let moving = dropping.replace("(\"drop\")", "(\"move\")");
    let report = file(&rules(&moving), &Arc::default(), "A.java", code.as_bytes());
    let new = String::from_utf8(report.change.unwrap().bytes).unwrap();
    assert_eq!(new, "class A {\n    void m() {\n        // the old way\n        go();\n    }\n}\n");
    assert!(report.comments[0].moved, "{:?}", report.comments);
}

fn rules(script: &str) -> RuleSet {
    let source = Source { name: "test.rhai".to_owned(), text: script.to_owned(), ..Source::default() };
    load(&[source], &Inputs::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// The new text of every file of a workspace, then what was said.
fn workspace(script: &str, files: &[(&str, &str)]) -> Vec<String> {
    let rules = rules(script);
    let planted = |facts: &Arc<Facts>| {
        files.iter().flat_map(|(path, code)| file(&rules, facts, *path, code.as_bytes()).seeds).collect()
    };
    let facts = match spread(&rules, Facts::default(), planted) {
        Ok(facts) => facts,
        Err(finding) => return vec![finding.message],
    };
    let one = |(path, code): &(&str, &str)| {
        let report = file(&rules, &facts, *path, code.as_bytes());
        let said: Vec<&str> =
            report.findings.iter().filter(|f| f.kind != FindingKind::Mapped).map(|f| f.message.as_str()).collect();
        report.change.map_or_else(|| format!("={}", said.join("; ")), |change| String::from_utf8(change.bytes).unwrap())
    };
    files.iter().map(one).collect()
}

#[test]
fn the_whole_workspace_follows_an_edit_in_one_file() {
    let script = r#"
rule("constant").lang("python").find("$NAME = Flag('old')").delete().then("use", "workspace");
followup("use", ["NAME"]).lang("python").find("is_on($NAME)").replace("True").then("gone", "workspace", |m| #{ F: "only_" + m.NAME.text });
followup("gone", ["F"]).lang("python").find(stmt("$F()")).where(#{ F: given("F") }).delete();
"#;
    let files = [
        ("a.py", "A = 1\nNEW = Flag('old')\n"),
        ("b.py", "x = is_on(NEW)\ny = is_on(OTHER)\nonly_NEW()\n"),
        ("c.py", "only_NEW()\nonly_OTHER()\n"),
        ("d.py", "z = 'NEW'\n"),
    ];
    let wanted = ["A = 1\n", "x = True\ny = is_on(OTHER)\n", "only_OTHER()\n", "="];
    assert_eq!(workspace(script, &files), wanted);
    assert_eq!(workspace(script, &files[1..]), ["="; 3], "a follow-up never starts alone");
}

#[test]
fn a_search_may_end_at_what_a_follow_up_is_given() {
    let script = r#"
rule("flag").lang("python").find("$V = enabled('new')").delete().then("uses", "function", |m| #{ V: m.V });
followup("uses", ["V"]).lang("python").find("h(1)").follows("z()", given("V")).replace("k(1)");
"#;
    let code = |between: &str| format!("def f():\n    new = enabled('new')\n    z()\n    {between}\n    h(1)\n");
    assert_eq!(check(script, "a.py", &code("new")), "def f():\n    z()\n    new\n    h(1)\n");
    assert_eq!(check(script, "a.py", &code("old")), "def f():\n    z()\n    old\n    k(1)\n");
}

#[test]
fn rounds_have_an_end_and_no_circle() {
    let circle = r#"
rule("a").lang("python").find("f()").replace("g()").then("b", "parent");
followup("b", []).lang("python").find("g()").replace("f()");
"#;
    assert_eq!(check(circle, "a.py", "f()\n"), "=\nRefused: its follow-ups go in a circle: the text was there before");
    let endless = r#"
rule("a").lang("python").find("f()").replace("g(1)").then("b", "file");
followup("b", []).lang("python").find("g($X)").replace("g(h($X))").then("b", "file");
"#;
    let said = check(endless, "a.py", "x = 1\nf()\n");
    assert!(said.starts_with("=\nRefused: its follow-ups have no end: `b`"), "{said}");
}

#[test]
fn what_belongs_together_is_one_match() {
    let rules = rules(FOLD);
    let code = "class A {\n    int k = p.isEnabled(\"NEW\") ? 1 : 2;\n    void m() {\n        boolean b = p.isEnabled(\"NEW\");\n        use(b);\n        other(p.isEnabled(\"NEW\") && p.isEnabled(\"NEW\") && x);\n    }\n}\n";
    let report = file(&rules, &Arc::default(), "A.java", code.as_bytes());
    let change = report.change.unwrap();
    let new = "class A {\n    int k = true ? 1 : 2;\n    void m() {\n        use(true);\n        other(x);\n    }\n}\n";
    assert_eq!(String::from_utf8(change.bytes).unwrap(), new);
    // Each match, with all that followed from it, can be left out by itself.
    let mut matches: BTreeMap<(&str, u32), Vec<&crate::edit::Edit>> = BTreeMap::new();
    change.edits.iter().for_each(|edit| matches.entry((&edit.rule, edit.match_id)).or_default().push(edit));
    let counts: Vec<usize> = matches.values().map(Vec::len).collect();
    assert_eq!(counts, [1, 2, 1], "{:?}", change.edits);
    for own in matches.values() {
        let edits: Vec<crate::edit::Edit> = own.iter().map(|edit| (*edit).clone()).collect();
        let splices = crate::edit::compose(code, &edits).unwrap();
        let alone = crate::edit::apply(code, &splices);
        let tree = crate::tree::parse(crate::language::by_name("java").unwrap(), alone).unwrap();
        assert_eq!(tree.errors().count(), 0, "{}", tree.text());
    }
}

#[test]
fn a_follow_up_may_remove_the_file_and_refuse_it() {
    let script = r#"
rule("entry").lang("java").find(kind("enum_constant")).where(#{}).when(|m| m.node.text == "OLD").edit(|m, cx| edits([delete_element(m.node)])).then("empty", "file");
followup("empty", []).lang("java").find(kind("enum_body")).when(|m| m.node.children.len == 0).edit(|m, cx| edits([delete_file()]));
"#;
    let report = file(&rules(script), &Arc::default(), "E.java", b"enum E { OLD }\n");
    assert!(matches!(report.fate, super::super::Fate::Goes { .. }), "{:?}", report.findings);
    assert_eq!(check(script, "E.java", "enum E { OLD, NEW }\n"), "enum E { NEW }\n");
    let refuses = r#"
rule("a").lang("python").find("f()").replace("g()").then("b", "file");
followup("b", []).lang("python").find("h($_)").refuse("h must go first");
"#;
    assert_eq!(check(refuses, "a.py", "f()\nh(1)\n"), "=\nRefused: h must go first");
    assert_eq!(check(refuses, "a.py", "f()\n"), "g()\n");
}

#[test]
fn what_a_rule_names_must_be_a_follow_up_that_gets_what_it_takes() {
    let error = |script: &str| {
        let source = Source { name: "t.rhai".to_owned(), text: script.to_owned(), ..Source::default() };
        load(&[source], &Inputs::default()).err().map_or("loads".to_owned(), |e| e.to_string())
    };
    let rule = "rule(\"a\").lang(\"python\").find(\"f($X)\").replace(\"g($X)\")\n    .then(\"b\", \"parent\");\n";
    let said = error(rule);
    assert!(said.contains("there is no follow-up `b`") && said.contains("t.rhai:2:6"), "{said}");
    let alone = error(&format!("{rule}rule(\"b\").lang(\"python\").find(\"g($X)\").replace(\"h($X)\");"));
    assert!(alone.contains("`b` is a rule that starts alone"), "{alone}");
    let takes = error(&format!("{rule}followup(\"b\", [\"Y\"]).lang(\"python\").find(\"g($Y)\").replace(\"h($Y)\");"));
    assert!(takes.contains("`b` takes `Y`, which no hole of this rule binds"), "{takes}");
    let other = error(&format!("{rule}followup(\"b\", []).lang(\"java\").find(\"g($Y)\").replace(\"h($Y)\");"));
    assert!(other.contains("speaks none of its languages"), "{other}");
    let scope = error(&rule.replace("parent", "method"));
    assert!(scope.contains("not \"method\""), "{scope}");
    let given = error("followup(\"b\", []).lang(\"python\").find(all([kind(\"identifier\"), given(\"V\")])).delete();");
    assert!(given.contains("given(\"V\") is no name that it takes"), "{given}");
}
