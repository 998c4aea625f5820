//! What rules write stands as they mean it: apart from what is beside it, at the indentation of its place, with the
//! comments that were there. Each row is a language, a rule from its `find` on, code, and the result.

use super::{compare, none_wrong};

const ROWS: &[(&str, &str, &str, &str)] = &[
    // Nothing is read behind a tag, `await` is no function, and several targets have no type.
    ("tsx", ".find(\"old($X)\").replace(\"<A/>\")", "x = old(1).a;\ny = old(1)!;\n", "x = (<A/>).a;\ny = (<A/>)!;\n"),
    ("javascript", ".find(\"old($X)\").replace(\"<A/>\")", "x = old(1)();\n", "x = (<A/>)();\n"),
    ("javascript", ".find(\"old($X)\").replace(\"f(await $X)\")", "async () => old(...a);\n", "=can't stand in"),
    ("python", ".find(regex(\"^old$\")).replace(\"(a, b)\")", "old: int = 1\n", "=can't stand in"),
    ("python", ".find(regex(\"^old$\")).replace(\"(a, b)\")", "old += 1\n", "=can't stand in"),
    (
        "java",
        ".find(\"old($X, $Y)\").replace(\"fresh($X, $Y, new B<>())\")",
        "class D { Object a() { return old(new A<>(), y); } }\n",
        "class D { Object a() { return fresh(new A<>(), y, new B<>()); } }\n",
    ),
    (
        "python",
        ".find(\"return $X\").when(|m| m.X.kind != \"call\").replace(\"return fresh($X)\")",
        "def f():\n    return a, b\n",
        "def f():\n    return fresh((a, b))\n",
    ),
    ("python", ".find(\"old = $X\").replace(\"x = [$X]\")", "old = a, b\n", "x = [(a, b)]\n"),
    ("python", ".find(\"old = $X\").replace(\"x = $X + q\")", "old = a, b\n", "x = (a, b) + q\n"),
    // A function that takes the place of another one has a `this` and `arguments` of its own, an arrow has not.
    (
        "javascript",
        ".find(\"function $N() { $$$B }\").replace(\"const $N = function() { $$$B };\")",
        "function b() { return this.x + arguments[0]; }\n",
        "const b = function() { return this.x + arguments[0]; };\n",
    ),
    (
        "javascript",
        ".find(\"function $N() { $$$B }\").replace(\"const $N = () => { $$$B };\")",
        "function b() { return arguments[0]; }\n",
        "=`arguments` belongs to",
    ),
    (
        "typescript",
        ".find(\"function $N() { $$$B }\").replace(\"const $N = () => { $$$B };\")",
        "function b() { return new.target; }\n",
        "=`new.target` belongs to",
    ),
    (
        "tsx",
        ".find(\"function $N() { $$$B }\").replace(\"const $N = () => { $$$B };\")",
        "function b() { return this.x; }\n",
        "=`this` belongs to",
    ),
    ("scala", ".find(\"old($X)\").replace(\"g($X + 1)\")", "object A { val x = old(_) }\n", "=can't stand in"),
    (
        "scala",
        ".find(\"old($X)\").replace(\"g($X, 1)\")",
        "object A { val x = old(_) }\n",
        "object A { val x = g(_, 1) }\n",
    ),
    (
        "scala",
        ".find(\"old($X)\").replace(\"$X match { case z => 1 }\")",
        "object A { val x = old(a: T); val y = old(a match { case _ => b }) }\n",
        "object A { val x = (a: T) match { case z => 1 }; val y = (a match { case _ => b }) match { case z => 1 } }\n",
    ),
    (
        "scala",
        ".find(regex(\"^old$\")).replace(\"p + q\")",
        "object A { val x = old[T](1) }\n",
        "object A { val x = (p + q)[T](1) }\n",
    ),
    (
        "scala",
        ".find(regex(\"^old$\")).replace(\"p _\")",
        "object A { val x = old.a }\n",
        "object A { val x = (p _).a }\n",
    ),
    // A name that becomes a path, and lines that go on.
    (
        "java",
        ".find(\"$F($$$A)\").where(#{ F: regex(\"^old$\") }).edit(|m, cx| edits([replace(m.F, ref_to(\"x.Y.fresh\"))]))",
        "class B extends Q { void f() { old(5, 6); fresh(); } }\n",
        "class B extends Q { void f() { x.Y.fresh(5, 6); fresh(); } }\n",
    ),
    (
        "java",
        ".find(\"old($X)\").replace(\"a($X)\\n        .b()\\n        .c()\")",
        "class B {\n  void f() {\n    old(1);\n  }\n}\n",
        "class B {\n  void f() {\n    a(1)\n        .b()\n        .c();\n  }\n}\n",
    ),
    // What is read as other code may be replaced with all that is around it.
    (
        "java",
        ".find(kind(\"local_variable_declaration\")).replace(\"k();\")",
        "class B { void f() { int x = (n) - b / c; } }\n",
        "class B { void f() { k(); } }\n",
    ),
    // A `%` says how something is written, where the literal is one that formats.
    (
        "scala",
        ".find(kind(\"interpolated_string_expression\")).edit(|m, cx| edits([set_value(m.node, \"%s\")]))",
        "object A { val x = f\"q\"; val y = s\"q\" }\n",
        "object A { val x = \"%s\"; val y = s\"%s\" }\n",
    ),
    // What a hole of one of several patterns stands for is spoken of.
    (
        "scala",
        ".find(any([invocation(\"$R.old[$T]($A)\"), invocation(\"$R.old($A)\")]))\
         .edit(|m, cx| edits([replace(m.node, code(\"$R.fresh($A)\", #{ R: m.R, A: m.A }))]))",
        "object A { x.old[Int](1); x.old(2) }\n",
        "object A { x.fresh(1); x.fresh(2) }\n",
    ),
    (
        "scala",
        ".find(invocation(\"$R.old($A)\")).replace(\"$R.fresh($A)\")",
        "object A { x.old[Int](1) }\n",
        "=`[Int]` would go",
    ),
    // Elements of what a declaration declares.
    ("javascript", ".find(pair(\"old: $X\")).delete()", "const x = { old: 1, a: 2 };\n", "const x = { a: 2 };\n"),
    ("typescript", ".find(regex(\"^old$\")).delete()", "let x: A[] = [old, a];\n", "let x: A[] = [a];\n"),
    ("tsx", ".find(regex(\"^old$\")).delete()", "const [b, c] = [old, a];\n", "=each place means something"),
    ("javascript", ".find(regex(\"^old$\")).delete()", "[b, c] = [old, a];\n", "=each place means something"),
    // Comments that a grammar takes for a part of what stands before them.
    (
        "kotlin",
        ".find(kind(\"function_declaration\")).has(kind(\"annotation\")).delete()",
        "import a.b\n\n/* x */\n\n/** K */\n@Dep\nfun f() {}\n\n/** Q */\nfun g() {}\n",
        "import a.b\n\n/* x */\n\n/** Q */\nfun g() {}\n",
    ),
    (
        "python",
        ".find(decorator(\"@old\")).replace(\"@old(b=1)\")",
        "@old  # type: ignore\ndef f(): pass\n",
        "@old(b=1)  # type: ignore\ndef f(): pass\n",
    ),
    (
        "python",
        ".find(stmt(\"if q:\\n    $$$B\")).replace(\"if z:\\n    $$$B\")",
        "if q:\n    a = 1  # t\nb()\n",
        "if z:\n    a = 1  # t\nb()\n",
    ),
    (
        "python",
        ".find(stmt(\"def f(): $$$B\")).replace(\"async def f():\\n    $$$B\")",
        "def f():\n    g()\n    return 1  # t\n",
        "async def f():\n    g()\n    return 1  # t\n",
    ),
    // Behind `*` the order of parameters is free.
    (
        "python",
        ".find(kind(\"identifier\")).when(|m| m.node.text == \"old\").replace(\"a=1\")",
        "def f(*, old, b): pass\n",
        "def f(*, a=1, b): pass\n",
    ),
    (
        "python",
        ".find(kind(\"identifier\")).when(|m| m.node.text == \"old\").replace(\"a=1\")",
        "def f(*c: int, old, b): pass\n",
        "def f(*c: int, a=1, b): pass\n",
    ),
    (
        "python",
        ".find(kind(\"identifier\")).when(|m| m.node.text == \"old\").replace(\"a=1\")",
        "def f(old, *b: int): pass\n",
        "def f(a=1, *b: int): pass\n",
    ),
    (
        "python",
        ".find(kind(\"identifier\")).when(|m| m.node.text == \"old\").replace(\"a=1\")",
        "def f(old, b: int): pass\n",
        "=`a=1` can't stand in",
    ),
    // Words that nothing parts any more.
    ("python", ".find(\"[old]\").replace(\"one\")", "def f():\n    return[old]\n", "def f():\n    return one\n"),
    ("python", ".find(\"[old]\").replace(\"one\")", "x = a in[old]if b else[old]\n", "x = a in one if b else one\n"),
    (
        "javascript",
        ".find(\"[old]\").replace(\"one\")",
        "for (x of[old]) typeof[old];\n",
        "for (x of one) typeof one;\n",
    ),
    (
        "javascript",
        ".find(\"[old]\").replace(\"one\")",
        "x = `a${[old]}b` + <p>c{[old]}d</p>;\n",
        "x = `a${one}b` + <p>c{one}d</p>;\n",
    ),
    // Annotations, and what goes beside them.
    (
        "java",
        ".find(decorator(\"@Old\")).when(|m| m.node.parent.text == \"@Old\").edit(|m, cx| edits([insert_after(m.node, code(\"final\"))]))",
        "class A {\n    @Old\n    void f() {}\n}\n",
        "class A {\n    @Old final\n    void f() {}\n}\n",
    ),
    (
        "java",
        ".find(decorator(\"@Old($A)\")).edit(|m, cx| if m.node.next == () { edits([insert_after(m.node, code(\"@B\"))]) } else { skip(\"\") })",
        "class A {\n    @Old(1) // why\n    void f() {}\n    @Old(1) int x;\n}\n",
        "class A {\n    @Old(1) // why\n    @B\n    void f() {}\n    @Old(1) @B int x;\n}\n",
    ),
    (
        "python",
        ".find(decorator(\"@old\")).when(|m| m.node.next.kind != \"decorator\").edit(|m, cx| edits([insert_after(m.node, code(\"@added\"))]))",
        "@old  # why\nclass B: pass\n\n\n@old\nclass C: pass\n",
        "@old  # why\n@added\nclass B: pass\n\n\n@old\n@added\nclass C: pass\n",
    ),
    (
        "kotlin",
        ".find(decorator(\"@Old($A)\")).replace(\"@New(a = $A)\")",
        "@Old(1)\nfun f(@Old(2) x: Int) {}\n",
        "@New(a = 1)\nfun f(@New(a = 2) x: Int) {}\n",
    ),
    ("scala", ".find(decorator(\"@old($A)\")).replace(\"@fresh($A)\")", "@old(1) class A\n", "@fresh(1) class A\n"),
    ("swift", ".find(decorator(\"@old\")).replace(\"@new\")", "@old func f() {}\n", "@new func f() {}\n"),
    ("typescript", ".find(decorator(\"@Old()\")).replace(\"@New()\")", "@Old() class A {}\n", "@New() class A {}\n"),
    // Functions that take the place of functions.
    (
        "javascript",
        ".find(expr(\"function ($$$P) { $$$B }\")).replace(\"($$$P) => { $$$B }\")",
        "x.map(function (u) { return u.name; });\n",
        "x.map((u) => { return u.name; });\n",
    ),
    (
        "javascript",
        ".find(expr(\"function ($$$P) { $$$B }\")).replace(\"($$$P) => { $$$B }\")",
        "x.map(function (u) { return this.name; });\n",
        "=belongs to what is around it",
    ),
    (
        "javascript",
        ".find(expr(\"function (done) { $$$B }\")).replace(\"async function () { $$$B }\")",
        "it(1, function (done) { this.a(); return 1; });\n",
        "it(1, async function () { this.a(); return 1; });\n",
    ),
    (
        "javascript",
        ".find(expr(\"function () { $$$B }\")).replace(\"() => run(() => { $$$B })\")",
        "x(function () { return 1; });\n",
        "=belongs to what is around it",
    ),
    (
        "java",
        ".find(expr(\"new M() { public int f(int $A) { $$$B } }\")).replace(\"$A -> { $$$B }\")",
        "class C { M m = new M() { public int f(int a) { g(); return a; } }; }\n",
        "class C { M m = a -> { g(); return a; }; }\n",
    ),
    (
        "java",
        ".find(stmt(\"return old($A, $B);\")).replace(\"return switch ($A) { case 1 -> $B; default -> 0; };\")",
        "class C { int f() { return old(a, b + 1); } }\n",
        "class C { int f() { return switch (a) { case 1 -> b + 1; default -> 0; }; } }\n",
    ),
    // Statements that no `;` ends.
    (
        "javascript",
        ".find(\"old()\").when(|m| m.node.parent.kind != \"await_expression\").edit(|m, cx| edits([wrap(m.node, \"await $IT\")]))",
        "async () => {\n  f()\n  old().get(1)\n  x = f()\n  old().a\n}\n",
        "async () => {\n  f()\n  ;(await old()).get(1)\n  x = f()\n  ;(await old()).a\n}\n",
    ),
    (
        "kotlin",
        ".find(\"f($A)\").replace(\"(b is C) x $A\")",
        "fun m() {\n    a(1)\n    f(2)\n}\n",
        "fun m() {\n    a(1)\n    (b is C) x 2\n}\n",
    ),
    // Imports above what is put there.
    (
        "python",
        ".find(\"f(1)\").edit(|m, cx| edits([insert_before(m.node, code(\"$L()\", #{ L: ref_to(\"lombok.log\") })), replace(m.node, code(\"f(2)\"))]))",
        "f(1)\n",
        "from lombok import log\n\nlog()\nf(2)\n",
    ),
    (
        "java",
        ".find(kind(\"class_declaration\")).when(|m| !m.node.text.contains(\"@\")).edit(|m, cx| edits([insert_before(m.node, code(\"@$L\", #{ L: ref_to(\"lombok.Log\") }))]))",
        "package p;\n\nclass A {}\n",
        "package p;\n\nimport lombok.Log;\n\n@Log\nclass A {}\n",
    ),
    // Several pieces in an indented hole.
    (
        "python",
        ".find(\"old($$$A)\").edit(|m, cx| edits([replace(m.node, code(\"with a:\\n    $B\", #{ B: codes(m.A.nodes.map(|n| code(\"g($N)\", #{ N: n })), \"\\n\") }))]))",
        "def f():\n    old(1, 2)\n",
        "def f():\n    with a:\n        g(1)\n        g(2)\n",
    ),
    // Comments of what a closure deletes.
    (
        "javascript",
        ".find(\"old($$$X)\").comments(\"move\").edit(|m, cx| edits([delete(m.node)]))",
        "old(() => {\n  // C\n  g();\n});\nh();\n",
        "// C\nh();\n",
    ),
    // What only looks like a statement or a comment.
    (
        "rust",
        ".find(\"match $E { Some($P) => $A, None => $B }\").replace(\"if let Some($P) = $E { $A } else { $B }\")",
        "fn f() -> i32 {\n    match x { Some(b) => match b { Some(c) => c, None => 3 }, None => 2 }\n}\n",
        "fn f() -> i32 {\n    if let Some(b) = x { if let Some(c) = b { c } else { 3 } } else { 2 }\n}\n",
    ),
    (
        "sql",
        ".find(jinja(\"config($A)\")).replace(\"cfg($A)\")",
        "{{ config(a='b') }}\nselect 1\n",
        "{{ cfg(a='b') }}\nselect 1\n",
    ),
    (
        "sql",
        ".find(\"f($X, $Y)\").replace(\"g($Y, $X)\")",
        "select f(a, {% if x %} b {% endif %}) from t\n",
        "=would lose",
    ),
    (
        "javascript",
        ".find(\"old($_)\").delete()",
        "for (const [k, v] of xs) {\n    old(k);\n    f();\n    old(v);\n}\n",
        "for (const [k, v] of xs) {\n    f();\n}\n",
    ),
    ("javascript", ".find(\"old\").delete()", "const [a, b] = [old, c];\n", "=each place means something"),
    // A parameter that is a field of its class is used where that is; a literal nowhere.
    (
        "typescript",
        ".find(kind(\"required_parameter\")).when(|m| m.node.field(\"pattern\").uses().len == 1).delete()",
        "class A { constructor(readonly old: string) {} f() { return this.old } }\n",
        "=",
    ),
    ("python", ".find(\"f($X)\").when(|m| m.X.uses().len == 2).if_unknown(\"refuse\").replace(\"g()\")", "f(1)\n", "="),
    ("python", ".find(\"bs($X)\").replace(\"\\\"\\\\n\\\".join($X)\")", "a = f'{bs(x)}'\n", "=can't stand in"),
    (
        "go",
        ".find(stmt(\"if old($C) { $$$B }\")).replace(\"if $C { $$$B }\")",
        "package p\n\nfunc f() {\n\tif old(v) {\n\t\tprint(v)\n\t}\n}\n",
        "package p\n\nfunc f() {\n\tif v {\n\t\tprint(v)\n\t}\n}\n",
    ),
    (
        "go",
        ".find(\"old($$$A)\").when(|m| m.node.parent.next.text != \"post()\").edit(|m, cx| edits([insert_after(m.node, code(\"post()\"))]))",
        "package p\n\nfunc f() {\n\told()\n\tx()\n}\n",
        "package p\n\nfunc f() {\n\told()\n\tpost()\n\tx()\n}\n",
    ),
    (
        "java",
        ".find(stmt(\"int $N = old();\")).edit(|m, cx| edits([replace(m.node.children[0], code(\"final var\"))]))",
        "class A { void f() { int a = old(); } }\n",
        "=is no piece of its own in",
    ),
    // Texts without quotes are texts.
    (
        "yaml",
        ".find(pair(\"a: $X\")).where(#{ X: literal(\"^old\") }).edit(|m, cx| edits([set_value(m.X, \"new\")]))",
        "- a: old:1\n- a: \"old:2\"\n- a: b\n- a: 1\n",
        "- a: new\n- a: \"new\"\n- a: b\n- a: 1\n",
    ),
    // The grammar reads `(a |@| b)[Int]`.
    (
        "scala",
        ".find(\"$A |@| $B\").replace(\"f($A, $B)\")",
        "object A { val x = a |@| b[Int] }\n",
        "=as other code than it is",
    ),
    (
        "scala",
        ".find(\"old($A)\").replace(\"f($A)\")",
        "object A { val x = a |@| b[Int](old(1)) }\n",
        "object A { val x = a |@| b[Int](f(1)) }\n",
    ),
    // Behind `export default` they would be declarations.
    (
        "javascript",
        ".find(\"old($X)\").replace(\"$X\")",
        "export default old(class {}).x;\n",
        "export default (class {}).x;\n",
    ),
    (
        "typescript",
        ".find(\"old($X)\").replace(\"$X\")",
        "export default old(function () {})();\n",
        "export default (function () {})();\n",
    ),
    (
        "tsx",
        ".find(\"old($X)\").replace(\"$X\")",
        "export default old(class {}) || b;\n",
        "export default (class {}) || b;\n",
    ),
    ("javascript", ".find(\"old($X)\").replace(\"$X\")", "export default old({}).x;\n", "export default {}.x;\n"),
];

#[test]
fn what_rules_write_stands_as_they_mean_it() {
    let mut wrong = Vec::new();
    for (language, rule, code, wanted) in ROWS {
        compare(&mut wrong, language, rule, code, wanted);
    }
    none_wrong(&wrong);
}
