//! Indentation moves code, never data: lines of literals keep their bytes, those of comments and code follow;
//! tabs, and the line ends of the file, stay.

use super::{compare, covers, made, none_wrong};

#[test]
fn a_lambda_behind_its_brace_has_lines_of_its_own() {
    let rule = ".find(\"def $F = $B\").where(#{ B: kind(\"block\") }).edit(|m, cx| edits([wrap(m.B, \"$IT.w()\")]))";
    let code = "object A {\n  def f = {\n    run { sc =>\n      {\n        ()\n      }\n    }\n  }\n}\n";
    let wanted = "object A {\n  def f = {\n    run { sc =>\n      {\n        ()\n      }\n    }\n  }.w()\n}\n";
    assert_eq!(made("scala", rule, code), wanted);
}

/// Language, what is found, what is written, code, and what becomes of it.
const MOVES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "python",
        "stmt(\"if FLAG: $$$B\")",
        "$$$B",
        "def z():\n    if FLAG:\n        f(\n            '''a\n        b\n      ''',\n            f\"\"\"x\n        {y}\"\"\", 'a\\\n        b')\n        # c\n        g()\n    h()\n",
        "def z():\n    f(\n        '''a\n        b\n      ''',\n        f\"\"\"x\n        {y}\"\"\", 'a\\\n        b')\n    # c\n    g()\n    h()\n",
    ),
    (
        "python",
        "stmt(\"f($$$A)\")",
        "with q:\n    g($$$A)",
        "def z():\n    f('''a\n    b\n  ''', [\n        1,\n    ])\n",
        "def z():\n    with q:\n        g('''a\n    b\n  ''', [\n            1,\n        ])\n",
    ),
    (
        "sql",
        "expr(\"f($A)\")",
        "g(\n  $A\n)",
        "select\n    f('''a\n    b''') -- c\nfrom t\n",
        "select\n    g(\n      '''a\n    b'''\n    ) -- c\nfrom t\n",
    ),
    (
        "scala",
        "stmt(\"if (FLAG) { $$$B }\")",
        "$$$B",
        "object A {\n    def z = {\n        if (FLAG) {\n            f(\"\"\"a\n            |b\n        c\"\"\", s\"\"\"x\n            ${y}\n            \"\"\")\n            /* c\n             * d\n             */\n            g()\n        }\n        h()\n    }\n}\n",
        "object A {\n    def z = {\n        f(\"\"\"a\n            |b\n        c\"\"\", s\"\"\"x\n            ${y}\n            \"\"\")\n        /* c\n         * d\n         */\n        g()\n        h()\n    }\n}\n",
    ),
    (
        "java",
        "stmt(\"if (FLAG) { $$$B }\")",
        "$$$B",
        "class A {\n    void z() {\n        if (FLAG) {\n            f(\"\"\"\n            a\n              b\n            \"\"\", 1\n                + 2);\n            /* c\n             * d\n             */\n            g();\n        }\n        h();\n    }\n}\n",
        "class A {\n    void z() {\n        f(\"\"\"\n            a\n              b\n            \"\"\", 1\n            + 2);\n        /* c\n         * d\n         */\n        g();\n        h();\n    }\n}\n",
    ),
    (
        "java",
        "stmt(\"f($$$A);\")",
        "if (q) {\n    g($$$A);\n}",
        "class A {\n    void z() {\n        f(\"\"\"\n        a\n        \"\"\", 1\n            + 2);\n    }\n}\n",
        "class A {\n    void z() {\n        if (q) {\n            g(\"\"\"\n        a\n        \"\"\", 1\n                + 2);\n        }\n    }\n}\n",
    ),
    (
        "swift",
        "stmt(\"if FLAG { $$$B }\")",
        "$$$B",
        "func z() {\n    if FLAG {\n        f(\"\"\"\n        a\n          b\n        \"\"\", 1)\n        // c\n        g()\n    }\n    h()\n}\n",
        "func z() {\n    f(\"\"\"\n        a\n          b\n        \"\"\", 1)\n    // c\n    g()\n    h()\n}\n",
    ),
    (
        "kotlin",
        "stmt(\"if (FLAG) { $$$B }\")",
        "$$$B",
        "fun z() {\n    if (FLAG) {\n        f(\"\"\"a\n        b ${x}\n      \"\"\", 1)\n        /* c\n           d */\n        g()\n    }\n    h()\n}\n",
        "fun z() {\n    f(\"\"\"a\n        b ${x}\n      \"\"\", 1)\n    /* c\n       d */\n    g()\n    h()\n}\n",
    ),
    (
        "go",
        "stmt(\"if FLAG { $$$B }\")",
        "$$$B",
        "package p\n\nfunc z() {\n    if FLAG {\n        f(`a\n        b`,\n            1)\n        /* c\n           d */\n        g()\n    }\n    h()\n}\n",
        "package p\n\nfunc z() {\n    f(`a\n        b`,\n        1)\n    /* c\n       d */\n    g()\n    h()\n}\n",
    ),
    (
        "rust",
        "stmt(\"f($$$A);\")",
        "if q {\n    g($$$A);\n}",
        "fn z() {\n    f(\"a\n    b\", r#\"c\n    d\"#, [\n        1,\n    ]);\n}\n",
        "fn z() {\n    if q {\n        g(\"a\n    b\", r#\"c\n    d\"#, [\n            1,\n        ]);\n    }\n}\n",
    ),
    (
        "javascript",
        "stmt(\"if (FLAG) { $$$B }\")",
        "$$$B",
        "function z() {\n    if (FLAG) {\n        f(`a\n        b ${x(\n            1)}\n      `, 'a\\\n        b');\n        /* c\n         * d */\n        g();\n    }\n    h();\n}\n",
        "function z() {\n    f(`a\n        b ${x(\n            1)}\n      `, 'a\\\n        b');\n    /* c\n     * d */\n    g();\n    h();\n}\n",
    ),
    (
        "typescript",
        "stmt(\"f($$$A);\")",
        "if (q) {\n    g($$$A);\n}",
        "function z() {\n    f(`a\n    b\n    `, [\n        1,\n    ]);\n}\n",
        "function z() {\n    if (q) {\n        g(`a\n    b\n    `, [\n            1,\n        ]);\n    }\n}\n",
    ),
    (
        "tsx",
        "stmt(\"if (FLAG) { $$$B }\")",
        "$$$B",
        "function z() {\n    if (FLAG) {\n        f(`a\n        b`, <pre>\n          a\n        </pre>);\n    }\n}\n",
        "function z() {\n    f(`a\n        b`, <pre>\n      a\n    </pre>);\n}\n",
    ),
    (
        "yaml",
        "pair(\"old: $V\")",
        "new: $V",
        "a:\n  - old: # c\n      k: |\n        x\n          y\n      l: \"x\n        y\"\n    z: 1\n",
        "a:\n  - new: # c\n      k: |\n        x\n          y\n      l: \"x\n        y\"\n    z: 1\n",
    ),
    (
        "yaml",
        "pair(\"old: $V\")",
        "new:\n  v: $V",
        "a:\n  - old: |\n      x\n        y\n    k: 3\n  - - old: 1\n",
        "a:\n  - new:\n      v: |\n        x\n          y\n    k: 3\n  - - new:\n        v: 1\n",
    ),
    (
        "yaml",
        "pair(\"old: $V\")",
        "new: $V",
        "a:\n  old:\n  - 1\n  - b: 2\nold:\n  x y\n  z\n",
        "a:\n  new:\n  - 1\n  - b: 2\nnew:\n  x y\n  z\n",
    ),
    (
        "yaml",
        "pair(\"old: $V\")",
        "new:\n  v: $V",
        "a:\n  old:\n    - x\n    - y: 1\n      # c\n      z: 2\n",
        "a:\n  new:\n    v:\n      - x\n      - y: 1\n        # c\n        z: 2\n",
    ),
    (
        "toml",
        "stmt(\"old = $V\")",
        "new = { v = $V }",
        "[a]\nold = \"\"\"\n  x\n    y\"\"\"\nb = 1\n",
        "[a]\nnew = { v = \"\"\"\n  x\n    y\"\"\" }\nb = 1\n",
    ),
    (
        "toml",
        "stmt(\"old = $V\")",
        "new = $V",
        "[a]\nold = [\n    1, # c\n    2,\n]\n",
        "[a]\nnew = [\n    1, # c\n    2,\n]\n",
    ),
    (
        "javascript",
        "stmt(\"if (FLAG) { $$$B }\")",
        "while (q) {\n  $$$B\n}",
        "if (FLAG) { // c\n  f();\n  g(\n    1);\n}\n",
        "while (q) {\n  // c\n  f();\n  g(\n    1);\n}\n",
    ),
    (
        "bash",
        "stmt(\"if FLAG; then $$$B; fi\")",
        "while q; do\n  $$$B\ndone",
        "if FLAG; then # c\n  f\n  if a; then\n    b\n  fi\nfi\n",
        "while q; do\n  # c\n  f\n  if a; then\n    b\n  fi\ndone\n",
    ),
    (
        "bash",
        "stmt(\"if FLAG; then $$$B\\nfi\")",
        "$$$B",
        "z() {\n    if FLAG; then\n        f \"a\n        b\" 'c\n        d'\n        cat <<EOF\n        data\nEOF\n        # c\n        g \\\n            h\n    fi\n}\n",
        "z() {\n    f \"a\n        b\" 'c\n        d'\n    cat <<EOF\n        data\nEOF\n    # c\n    g \\\n        h\n}\n",
    ),
];

#[test]
fn indentation_moves_code_and_never_data() {
    covers(MOVES.iter().map(|row| row.0), &[("json", "its literals have no lines")]);
    let mut wrong = Vec::new();
    for (language, find, new, code, wanted) in MOVES {
        let rule = format!(".find({find}).replace({new:?})");
        let tabs = |text: &str| text.replace("    ", "\t");
        let crlf = |text: &str| text.replace('\n', "\r\n");
        let mut ways = vec![((*code).to_owned(), (*wanted).to_owned()), (crlf(code), crlf(wanted))];
        // YAML has no tabs, and new lines go in by the spaces that the rule writes where the file has none.
        if *language != "yaml" && !new.contains("\n  ") {
            ways.push((tabs(code), tabs(wanted)));
            ways.push((crlf(&tabs(code)), crlf(&tabs(wanted))));
        }
        for (code, wanted) in ways {
            let made = made(language, &rule, &code);
            if made != wanted {
                wrong.push(format!("{language}: {find} -> {new:?}: {code:?}\n  {made:?}\n  {wanted:?}"));
            }
        }
    }
    none_wrong(&wrong);
}

/// Language, what is found, what is written, code, and what becomes of it.
const BLOCKS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "javascript",
        "if ($A) { if ($B) { $$$C } }",
        "if ($A && $B) {\\n    $$$C\\n}",
        "function f() {\n  if (a) {\n    if (b) {\n      g();\n      h();\n    }\n  }\n}\n",
        "function f() {\n  if (a && b) {\n    g();\n    h();\n  }\n}\n",
    ),
    (
        "tsx",
        "if ($A) { if ($B) { $$$C } }",
        "while ($A && $B) {\\n  x();\\n  $$$C\\n}",
        "function f() {\n  if (a) {\n    if (b) {\n      g();\n    }\n  }\n}\n",
        "function f() {\n  while (a && b) {\n    x();\n    g();\n  }\n}\n",
    ),
    (
        "typescript",
        "if ($A) { if ($B) { $$$C } }",
        "if ($A && $B) { $$$C }",
        "function f() {\n  if (a) {\n    if (b) {\n      g();\n    }\n  }\n}\n",
        "function f() {\n  if (a && b) {\n    g();\n  }\n}\n",
    ),
    (
        "java",
        "if ($A) { if ($B) { $$$C } }",
        "if ($A && $B) { $$$C }",
        "class A {\n    void f() {\n        if (a) {\n            if (b) {\n                g();\n                h();\n            }\n        }\n    }\n}\n",
        "class A {\n    void f() {\n        if (a && b) {\n            g();\n            h();\n        }\n    }\n}\n",
    ),
    (
        "go",
        "if $A { if $B { $$$C } }",
        "if $A && $B { $$$C }",
        "package p\n\nfunc f() {\n\tif a {\n\t\tif b {\n\t\t\tg()\n\t\t\th()\n\t\t}\n\t}\n}\n",
        "package p\n\nfunc f() {\n\tif a && b {\n\t\tg()\n\t\th()\n\t}\n}\n",
    ),
    (
        "rust",
        "if $A { if $B { $$$C } }",
        "if $A && $B { $$$C }",
        "fn f() {\n    if a {\n        if b {\n            g();\n            h();\n        }\n    }\n}\n",
        "fn f() {\n    if a && b {\n        g();\n        h();\n    }\n}\n",
    ),
    (
        "kotlin",
        "if ($A) { if ($B) { $$$C } }",
        "if ($A && $B) { $$$C }",
        "fun f() {\n    if (a) {\n        if (b) {\n            g()\n            h()\n        }\n    }\n}\n",
        "fun f() {\n    if (a && b) {\n        g()\n        h()\n    }\n}\n",
    ),
    (
        "swift",
        "if $A { if $B { $$$C } }",
        "if $A && $B { $$$C }",
        "func f() {\n    if a {\n        if b {\n            g()\n            h()\n        }\n    }\n}\n",
        "func f() {\n    if a && b {\n        g()\n        h()\n    }\n}\n",
    ),
    (
        "scala",
        "if ($A) { if ($B) { $$$C } }",
        "if ($A && $B) { $$$C }",
        "object A {\n  def f() = {\n    if (a) {\n      if (b) {\n        g()\n        h()\n      }\n    }\n  }\n}\n",
        "object A {\n  def f() = {\n    if (a && b) {\n      g()\n      h()\n    }\n  }\n}\n",
    ),
    // A comment stays behind its brace, and what a statement stood before begins its line still.
    (
        "go",
        "if $A { $$$B }",
        "for $A { $$$B }",
        "package p\n\nfunc f() {\n\tif a { // x\n\t\th()\n\t\tk()\n\t}\n}\n",
        "package p\n\nfunc f() {\n\tfor a { // x\n\t\th()\n\t\tk()\n\t}\n}\n",
    ),
    (
        "java",
        "if ($A) { $$$B }",
        "while ($A) { $$$B }",
        "class A {\n    void f() {\n        if (a) { // x\n            h();\n            k();\n        }\n    }\n}\n",
        "class A {\n    void f() {\n        while (a) { // x\n            h();\n            k();\n        }\n    }\n}\n",
    ),
    (
        "typescript",
        "if ($A) { $$$B }",
        "while ($A) {\\n    $$$B\\n}",
        "function f() {\n  if (a) { // x\n    h();\n    k();\n  }\n}\n",
        "function f() {\n  while (a) {\n    // x\n    h();\n    k();\n  }\n}\n",
    ),
    (
        "go",
        "go func() { defer $W.Done(); $$$B }()",
        "$W.Go(func() { $$$B })",
        "package p\n\nfunc f() {\n\tgo func() {\n\t\tdefer wg.Done()\n\t\tx()\n\t\ty()\n\t}()\n}\n",
        "package p\n\nfunc f() {\n\twg.Go(func() {\n\t\tx()\n\t\ty()\n\t})\n}\n",
    ),
    // Blocks that change places keep their lines.
    (
        "javascript",
        "if (!$A) { $$$B } else { $$$C }",
        "if ($A) { $$$C } else { $$$B }",
        "if (!a) {\n  g();\n  h();\n} else {\n  i();\n  j();\n}\n",
        "if (a) {\n  i();\n  j();\n} else {\n  g();\n  h();\n}\n",
    ),
    (
        "go",
        "if !$A { $$$B } else { $$$C }",
        "if $A { $$$C } else { $$$B }",
        "package p\n\nfunc f() {\n\tif !a {\n\t\tg()\n\t\th()\n\t} else {\n\t\ti()\n\t}\n}\n",
        "package p\n\nfunc f() {\n\tif a {\n\t\ti()\n\t} else {\n\t\tg()\n\t\th()\n\t}\n}\n",
    ),
];

#[test]
fn a_body_that_comes_out_of_another_one_goes_in_as_its_new_place_does() {
    let mut wrong = Vec::new();
    for (language, find, write, code, wanted) in BLOCKS {
        let rule = format!(".find(stmt({find:?})).replace(\"{write}\")");
        let made = made(language, &rule, code);
        if made != *wanted {
            wrong.push(format!("{language}: {find}\n{made}"));
        }
    }
    none_wrong(&wrong);
}

/// Of YAML: what stands behind a text may be a part of it, and what is at the column of its key, its value.
#[test]
fn empty_lines_and_columns_that_mean_something_are_kept() {
    let delete = ".find(\"a: $_\").delete()";
    let item = ".find(\"old\").delete()";
    let turned = ".find(\"k:\\n  - $X\\n  - $Y\").when(|m| m.X.text != \"z\").edit(|m, cx| edits([replace(m.X, code(\"z\")), replace(m.Y, code_of(m.X))]))";
    let value = ".find(\"k: $_\").edit(|m, cx| edits([set_value(m.node, \"new\")]))";
    let pair = ".find(\"k: $_\").edit(|m, cx| edits([set_value(m.node, code(\"c: 1\"))]))";
    let text = ".find(\"a: $_\").when(|m| m.node.next == ()).edit(|m, cx| edits([insert_after(m.node, code(\"t: |\\n  x\\n\\n  y\"))]))";
    let rows = [
        (delete, "b: |+\n  q\n\na: 1\n", "b: |+\n  q\n\n"),
        (delete, "b: |+\n  q\n\na: 1\n\nc: 2\n", "b: |+\n  q\n\nc: 2\n"),
        (delete, "b: |+\n  q\na: 1\n\n\nc: 2\n", "b: |+\n  q\nc: 2\n"),
        (delete, "b: |\n  q\n\na: 1\n\nc: 2\n", "b: |\n  q\n\nc: 2\n"),
        (delete, "k:\n  b: >2+\n    q\n\n  a: 1\n", "k:\n  b: >2+\n    q\n\n"),
        (turned, "k:\n- |+\n  q\n\n- y\n", "=keeps the empty lines"),
        (turned, "k:\n- |\n  q\n- y\n", "k:\n- z\n- |\n  q\n"),
        (value, "k: >-\n  old\n", "k: \"new\"\n"),
        (value, "k:\n  a: 1\nb: 2\n", "k:\n  \"new\"\nb: 2\n"),
        (pair, "k:\n- a\nb: 2\n", "=no piece of its own"),
        (text, "k:\n  a: 1\n", "k:\n  a: 1\n  t: |\n    x\n\n    y\n"),
        (item, "key:\n- old\n", "key:\n  []\n"),
        (item, "key:\n- old\nb: 1\n", "key:\n  []\nb: 1\n"),
        (item, "key:\r\n- old\r\nb: 1\r\n", "key:\r\n  []\r\nb: 1\r\n"),
        (item, "key:\n- old # c\nb: 1\n", "key:\n  []\nb: 1\n"),
        (item, "key: # c\n- old\n# d\nb: 1\n", "key: # c\n  []\n# d\nb: 1\n"),
        (item, "key: &a\n- old\nb: *a\n", "key: &a\n  []\nb: *a\n"),
        (item, "key:\n- old\n- old\n", "key:\n  []\n"),
        (item, "a:\n- k:\n  - old\n- c\n", "a:\n- k:\n    []\n- c\n"),
        (item, "key:\n  - old\nb: 1\n", "key:\n  []\nb: 1\n"),
        (item, "- old\n", "[]\n"),
        (item, "- - old\n", "- []\n"),
    ];
    let mut wrong = Vec::new();
    for (rule, code, wanted) in rows {
        compare(&mut wrong, "yaml", rule, code, wanted);
    }
    none_wrong(&wrong);
}
