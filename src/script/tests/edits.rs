//! What edits write: lines, separators, comments and indentation.

use super::*;

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
    let element = |policy: &str, code: &str| {
        let delete = format!("delete(m.node, #{{ comments: \"{policy}\" }})");
        edited(
            "java",
            "query(\"(enum_constant name: (identifier) @N) @match\")).when(|m| m.N.text == \"A\"",
            &delete,
            code,
        )
    };
    assert_eq!(element("keep", "enum E {\n    // a\n    A,\n    B\n}\n"), "enum E {\n    // a\n    B\n}\n");
    assert_eq!(element("drop", "enum E {\n    // a\n    A,\n    B\n}\n"), "enum E {\n    B\n}\n");
    assert_eq!(element("drop", "enum E {\n    B,\n    A\n}\n"), "enum E {\n    B\n}\n");
    assert_eq!(element("drop", "enum E {\n    B,\n    // a\n    A\n}\n"), "enum E {\n    B\n}\n");
    assert_eq!(element("drop", "enum E {\n    B, // b\n    // a\n    A\n}\n"), "enum E {\n    B // b\n}\n");
    assert_eq!(element("drop", "enum E {\n    B, // b\n    // a\n    A }\n"), "enum E {\n    B // b\n }\n");
    assert_eq!(element("drop", "enum E {\n    B,\n    // a\n    A }\n"), "enum E {\n    B }\n");
    let part = "enum E {\n    B,\n    // of all\n\n    // a\n    A\n}\n";
    assert_eq!(element("drop", part), "enum E {\n    B\n    // of all\n}\n");
    assert_eq!(element("keep", "enum E { A(/* a */ 1), B(2) }\n"), "/* a */\nenum E { B(2) }\n");
}

#[test]
fn a_value_is_set_in_toml_and_never_without_its_anchor() {
    let set = |language: &str, find: &str, code: &str| edited(language, find, "set_value(m.node, 2)", code);
    assert_eq!(set("toml", "kind(\"pair\")", "[t]\na = 1  # why\n"), "[t]\na = 2  # why\n");
    let pair = "kind(\"block_mapping_pair\")";
    assert_eq!(set("yaml", pair, "a: 1\n"), "a: 2\n");
    let text = |value: &str, code: &str| edited("yaml", pair, &format!("set_value(m.node, {value:?})"), code);
    assert_eq!(text("new:1", "a: old\n"), "a: new:1\n");
    assert_eq!(text("yes", "a: old\n"), "a: \"yes\"\n");
    assert_eq!(text("new", "a: 'old'\n"), "a: 'new'\n");
    assert_eq!(text("new", "a: 1\n"), "a: \"new\"\n");
    let value = r#"rule("r").lang("yaml").find(pair("a: $X")).when(|m| m.X.value in ["q.io/x", 8]).replace("b: $X");"#;
    for plain in ["q.io/x", "'q.io/x'", "8"] {
        assert_eq!(check(value, "yaml", &format!("a: {plain}\n")), format!("b: {plain}\n"));
    }
    let unsure = check(value, "yaml", "a: on\n");
    assert!(unsure.contains("no string or number with a known value"), "{unsure}");
    for code in ["a: &x 1\n", "a: !t 1\n"] {
        let out = set("yaml", pair, code);
        assert!(out.starts_with(code) && out.contains("which would go"), "{out}");
    }
}

#[test]
fn comments_of_a_list_go_with_it() {
    let script = r#"rule("r").lang("java").find(stmt("if (a) { $$$B }")).replace("$$$B");"#;
    let code = "class A { void m() {\n  if (a) {\n    // one\n    f(); /* two */\n  }\n} }";
    assert_eq!(check(script, "java", code), "class A { void m() {\n  // one\n  f(); /* two */\n} }");
    let script = r#"rule("r").lang("python").find("f($A, $$$R)").replace("g($$$R, $A)");"#;
    assert_eq!(check(script, "python", "f(1,  # one\n  2  # two\n)"), "g(# one\n  2  # two\n, 1)");
    let turned = r#"rule("r").lang("python").find("f($$$A)").edit(|m, cx| edits([set_list(m.A, [m.A.nodes[1], m.A.nodes[0]])]));"#;
    let said = check(turned, "python", "f(1,\n  2)\nf(1, 2  # two\n)");
    assert!(said.contains("`# two` on line 3 speaks of the last element"), "{said}");
    let rows = [
        ("f(\n    1,\n    2  # two\n)", "f(\n    2,  # two\n    1\n)"),
        ("f(\n    1,\n    2,  # two\n)", "f(\n    2,  # two\n    1,\n)"),
    ];
    for (code, wanted) in rows {
        assert_eq!(check(turned, "python", code), wanted);
    }
    let more = r#"rule("r").lang("javascript").find("f({ $$$P })").when(|m| m.P.nodes.len < 3).edit(|m, cx| edits([set_list(m.P, m.P.nodes + [code("z: 1")])]));"#;
    let rows = [
        ("f({\n  a: 1, // one\n  b: 2,\n});\n", "f({\n  a: 1, // one\n  b: 2,\n  z: 1,\n});\n"),
        ("f({\n  a: 1,\n  b: 2 // last\n});\n", "f({\n  a: 1,\n  b: 2, // last\n  z: 1\n});\n"),
        ("f({\n  a: 1,\n  b: 2, // last\n});\n", "f({\n  a: 1,\n  b: 2, // last\n  z: 1,\n});\n"),
        ("f({ a: 1, b: 2 });\n", "f({ a: 1, b: 2, z: 1 });\n"),
    ];
    for (code, wanted) in rows {
        assert_eq!(check(more, "javascript", code), wanted);
    }
    // A comment before a separator is none.
    let first = r#"rule("r").lang("javascript").find("f($$$A)").edit(|m, cx| edits([set_list(m.A, [code("n"), m.A.nodes[0], m.A.nodes[1]])]));"#;
    assert_eq!(check(first, "javascript", "f(a /* x */, b);\n"), "f(n, a /* x */, b);\n");
    let first = first.replace("javascript", "python");
    assert_eq!(check(&first, "python", "f(a  # x\n  , b)\n"), "f(n, a  # x\n  , b)\n");
    // A statement is found once.
    let once = r#"rule("r").lang("javascript").find("f(() => { $$$B })").edit(|m, cx| edits(m.node.find_all(stmt("old($X)")).map(|n| replace(n, code("g()")))));"#;
    assert_eq!(check(once, "javascript", "f(() => { old(1); h(old(2)); });\n"), "f(() => { g(); h(old(2)); });\n");
    // What a rule has in its hands is the statement.
    let beside =
        r#"rule("r").lang("go").find("x()").when(|m, cx| m.node.parent.prev.fits(stmt("$V.Add(1)"))).replace("y()");"#;
    assert_eq!(
        check(beside, "go", "package p\n\nfunc f() {\n\twg.Add(1)\n\tx()\n}\n"),
        "package p\n\nfunc f() {\n\twg.Add(1)\n\ty()\n}\n"
    );
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
    let swift = r#"rule("r").lang("swift").find(stmt("if a { $$$B }")).replace("$$$B");"#;
    let code = "func m() {\n    if a {\n        // why\n        f(\"\"\"\n        x\n        \"\"\")\n        g()\n        // so\n    }\n}\n";
    let moved = "func m() {\n    // why\n    f(\"\"\"\n        x\n        \"\"\")\n    g()\n    // so\n}\n";
    assert_eq!(check(swift, "swift", code), moved, "comments go with what they stand beside");
    let bash = r#"rule("r").lang("bash").find(stmt("if a; then $$$B\nfi")).replace("$$$B");"#;
    let code = "if a; then\n    cat <<EOF\n    data\nEOF\n    b\nfi\n";
    assert_eq!(check(bash, "bash", code), "cat <<EOF\n    data\nEOF\nb\n");
}

#[test]
fn two_calls_side_by_side_are_an_error() {
    let before =
        |language: &str, code: &str| edited(language, "\"old($X)\"", "insert_before(m.node, code(\"neww(2)\"))", code);
    for (language, code) in [
        ("kotlin", "fun f() { if (a) old(1) }\n"),
        ("kotlin", "fun f() = old(1)\n"),
        ("scala", "object A { def f = old(1) }\n"),
        ("swift", "let x = g(old(1))\n"),
    ] {
        let said = before(language, code);
        assert!(said.starts_with(code) && said.contains("would grow together"), "{said}");
    }
    assert_eq!(before("python", "if old(1): pass\n").lines().next(), Some("if old(1): pass"));
}

#[test]
fn comments_above_an_element_go_with_it_and_nothing_stands_before_a_directive() {
    let turned = |language: &str, find: &str, code: &str| {
        edited(language, find, "set_list(m.A, [m.A.nodes[1], m.A.nodes[0]])", code)
    };
    assert_eq!(
        turned("javascript", "\"f({ $$$A })\"", "f({\n  // of c\n  c: 1,\n  a: 2,\n});\n"),
        "f({\n  a: 2,\n  // of c\n  c: 1,\n});\n"
    );
    assert_eq!(
        turned("python", "\"f($$$A)\"", "f(\n    # of c\n    # and so on\n    c,\n    # of a\n    a,\n)\n"),
        "f(\n    # of a\n    a,\n    # of c\n    # and so on\n    c,\n)\n"
    );
    let section = "f(\n    # all\n\n    c,\n    a,\n)\n";
    assert_eq!(turned("python", "\"f($$$A)\"", section), "f(\n    # all\n\n    a,\n    c,\n)\n");
    for (language, code) in [
        ("javascript", "'use strict';\nold();\n"),
        ("python", "from __future__ import annotations\nold()\n"),
        ("python", "\"\"\"Of it.\"\"\"\nold()\n"),
    ] {
        let find = "\"old()\"";
        let said = edited(language, find, "insert_before(m.node.root.children[0], code(\"k()\"))", code);
        assert!(said.starts_with(code) && said.contains("says something only as the first"), "{said}");
    }
}
