//! Deleting an element takes its separator with it, wherever it stands; an empty list leaves none behind.

use super::{compare, covers, none_wrong};

/// Language, how its elements are parted, and lists of it: `%` are the elements.
const LISTS: &[(&str, &str, &[&str])] = &[
    (
        "python",
        ", ",
        &["x = f(%)\n", "x = [%]\n", "def f(%): pass\n", "class A(%): pass\n", "x = f'{f(%)}'\n", "x = lambda %: 1\n"],
    ),
    (
        "sql",
        ", ",
        &[
            "select f(%) from t\n",
            "with q as (select f(%) from t) select 1 from q\n",
            "select b from t where a = f(%)\n",
        ],
    ),
    (
        "scala",
        ", ",
        &[
            "object A { val x = f(%) }\n",
            "object A { new B(%) }\n",
            "object A { val x = (%) => 1 }\n",
            "object A { val x = s\"${f(%)}\" }\n",
        ],
    ),
    (
        "java",
        ", ",
        &[
            "class A { int x = f(%); }\n",
            "class A { int[] x = {%}; }\n",
            "class A { B x = new B(%) {}; }\n",
            "class A { F x = (%) -> 1; }\n",
        ],
    ),
    ("swift", ", ", &["let x = f(%)\n", "let x = [%]\n"]),
    ("kotlin", ", ", &["val x = f(%)\n", "enum class A {%}\n", "val x = \"${f(%)}\"\n", "class B : A(%)\n"]),
    (
        "go",
        ", ",
        &[
            "package p\n\nvar x = f(%)\n",
            "package p\n\nvar x = []int{%}\n",
            "package p\n\nvar x = A{%}\n",
            "package p\n\nfunc f(%) {}\n",
        ],
    ),
    (
        "rust",
        ", ",
        &[
            "fn m() { x = f(%); }\n",
            "fn m() { x = [%]; }\n",
            "enum A {%}\n",
            "fn m() { x = A {%}; }\n",
            "use m::{%};\n",
            "fn m() { let A {%} = b; }\n",
        ],
    ),
    (
        "javascript",
        ", ",
        &[
            "f(%);\n",
            "x = [%];\n",
            "x = {%};\n",
            "function f(%) {}\n",
            "import {%} from 'm';\n",
            "export {%};\n",
            "new A(%);\n",
            "(%) => 1;\n",
            "x = `${f(%)}`;\n",
        ],
    ),
    (
        "typescript",
        ", ",
        &[
            "f(%);\n",
            "x = [%];\n",
            "function f(%) {}\n",
            "import {%} from 'm';\n",
            "export {%} from 'm';\n",
            "enum A {%}\n",
        ],
    ),
    ("tsx", ", ", &["f(%);\n", "x = <A b={[%]} />;\n", "import {%} from 'm';\n", "x = <p>{f(%)}</p>;\n"]),
    ("yaml", ", ", &["a: [%]\n", "a:\n  - [%]\n"]),
    ("json", ", ", &["[%]\n", "{\"a\": [%]}\n"]),
    ("toml", ", ", &["a = [%]\n", "[t]\na = { b = [%] }\n"]),
    ("bash", " ", &["f %\n", "A=(%)\n", "f | g % > h\n"]),
];

/// Of elements, which go (`-`) and which stay (`+`).
const ELEMENTS: [&str; 9] = ["-", "-+", "+-", "+-+", "--", "+--", "--+", "-+-", "+-+-+"];

#[test]
fn an_element_takes_its_separator_wherever_it_stands() {
    covers(LISTS.iter().map(|row| row.0), &[]);
    let mut wrong = Vec::new();
    for (language, separator, lists) in LISTS {
        let quoted = matches!(*language, "json" | "toml");
        let word = |name: String| if quoted { format!("{name:?}") } else { name };
        let find = ".find(regex(\"^\\\"?old\\\"?$\")).delete()";
        for list in *lists {
            for elements in ELEMENTS {
                let all = elements
                    .char_indices()
                    .map(|(at, c)| (c, word(if c == '-' { "old".to_owned() } else { format!("k{at}") })));
                let (all, left): (Vec<_>, Vec<_>) = (all.clone().collect(), all.filter(|(c, _)| *c == '+').collect());
                let text = |some: &[(char, String)]| {
                    list.replace('%', &some.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(separator))
                };
                let (code, wanted) = (text(&all), text(&left));
                // A command without arguments has none to be parted from, either.
                let wanted = wanted.replace("f \n", "f\n").replace("g  >", "g >");
                compare(&mut wrong, language, find, &code, &wanted);
            }
        }
    }
    none_wrong(&wrong);
}

#[test]
fn an_element_on_its_own_line_takes_its_line() {
    let rows = [
        ("python", "f(\n    a,\n    old,\n)\n", "f(\n    a,\n)\n"),
        ("python", "f(\n    old,  # c\n    a,\n)\n", "f(\n    a,\n)\n"),
        ("python", "f(\n    old,\n    # c\n    a,\n)\n", "f(\n    # c\n    a,\n)\n"),
        ("python", "f(old,  # c\n  a)\n", "f(# c\n  a)\n"),
        ("python", "x = [\n    a,\n    old  # c\n]\n", "x = [\n    a\n]\n"),
        ("python", "x = [\n    a,\n    old,  # c\n    # d\n]\n", "x = [\n    a,\n    # d\n]\n"),
        ("python", "x = [\n    old,  # c\n    old,  # d\n    a,  # e\n]\n", "x = [\n    a,  # e\n]\n"),
        ("python", "x = [\n    old,  # c\n]\n", "x = [\n]\n"),
        ("scala", "object A {\n  f(\n    a, // a\n    old // c\n  )\n}\n", "object A {\n  f(\n    a // a\n  )\n}\n"),
        ("java", "enum A {\n  old, // c\n  /** b */\n  b\n}\n", "enum A {\n  /** b */\n  b\n}\n"),
        ("swift", "let x = [\n    old, // c\n    a,\n]\n", "let x = [\n    a,\n]\n"),
        ("kotlin", "val x = f(\n    a,\n    old, // c\n)\n", "val x = f(\n    a,\n)\n"),
        ("go", "package p\n\nvar x = f(\n\told, // c\n\ta,\n)\n", "package p\n\nvar x = f(\n\ta,\n)\n"),
        (
            "rust",
            "fn m() {\n    f(\n        old, // c\n        a,\n    );\n}\n",
            "fn m() {\n    f(\n        a,\n    );\n}\n",
        ),
        ("javascript", "f(\r\n\told, // c\r\n\ta,\r\n);\r\n", "f(\r\n\ta,\r\n);\r\n"),
        ("typescript", "import {\n  a,\n  old, // c\n} from 'm';\n", "import {\n  a,\n} from 'm';\n"),
        ("sql", "select f(\n  old, -- c\n  a\n) from t\n", "select f(\n  a\n) from t\n"),
        ("toml", "a = [\n  \"old\", # c\n  \"b\",\n]\n", "a = [\n  \"b\",\n]\n"),
        ("python", "f(\n    a,  # c\n    old\n)\n", "f(\n    a  # c\n)\n"),
        ("sql", "select f(\n  a,\n  old\n) from t\n", "select f(\n  a\n) from t\n"),
        ("scala", "object A {\n  f(\n    old,\n    a\n  )\n}\n", "object A {\n  f(\n    a\n  )\n}\n"),
        ("java", "class A {\n  int x = f(\n    a,\n    old);\n}\n", "class A {\n  int x = f(\n    a);\n}\n"),
        ("swift", "let x = [\n    old,\n    a,\n]\n", "let x = [\n    a,\n]\n"),
        ("kotlin", "val x = f(\n    a,\n    old,\n)\n", "val x = f(\n    a,\n)\n"),
        ("go", "package p\n\nvar x = f(\n\ta,\n\told,\n)\n", "package p\n\nvar x = f(\n\ta,\n)\n"),
        (
            "rust",
            "fn m() {\n    f(\n        old,\n        a,\n    );\n}\n",
            "fn m() {\n    f(\n        a,\n    );\n}\n",
        ),
        ("javascript", "f(\r\n\ta,\r\n\told,\r\n);\r\n", "f(\r\n\ta,\r\n);\r\n"),
        ("typescript", "import {\n  a,\n  old,\n} from 'm';\n", "import {\n  a,\n} from 'm';\n"),
        ("tsx", "x = <A>\n  {old}\n  {b}\n</A>;\n", "x = <A>\n  {b}\n</A>;\n"),
        ("yaml", "a:\n  - old\n  - b\n", "a:\n  - b\n"),
        ("yaml", "a: [\n  b,\n  old,\n]\n", "a: [\n  b,\n]\n"),
        ("json", "[\n  \"a\",\n  \"old\"\n]\n", "[\n  \"a\"\n]\n"),
        ("toml", "a = [\n  \"old\",\n  \"b\",\n]\n", "a = [\n  \"b\",\n]\n"),
        ("bash", "f \\\n  old \\\n  k\ng\n", "f \\\n  k\ng\n"),
        ("bash", "f k \\\n  old\ng\n", "f k\ng\n"),
        ("bash", "f k \\\r\n  old\r\ng\r\n", "f k\r\ng\r\n"),
        ("bash", "f a \\\n\nold\ng\n", "f a \\\n\ng\n"),
        ("bash", "f a\\\\\n\told\ng\n", "f a\\\\\ng\n"),
        ("bash", "f a # c:\\\nold\ng\n", "f a # c:\\\ng\n"),
        ("python", "# c:\\\nold\ng()\n", "# c:\\\ng()\n"),
    ];
    covers(rows.iter().map(|row| row.0), &[]);
    let mut wrong = Vec::new();
    for (language, code, wanted) in rows {
        compare(&mut wrong, language, ".find(regex(\"^\\\"?old\\\"?$\")).delete()", code, wanted);
    }
    none_wrong(&wrong);
}

#[test]
fn a_comment_of_the_file_or_of_a_section_stays() {
    let rows = [
        ("javascript", "/**\n * Copyright.\n */\n\nold();\nx();\n", "/**\n * Copyright.\n */\n\nx();\n"),
        ("javascript", "/** Copyright. */\nold();\nx();\n", "/** Copyright. */\nx();\n"),
        ("typescript", "x();\n\n/** Section. */\n\nfunction old() {}\n", "x();\n\n/** Section. */\n"),
        ("typescript", "x();\n\n/** Of it. */\nfunction old() {}\n", "x();\n"),
        ("rust", "/// Section.\n\n/// Of it.\n#[a]\nfn old() {}\nfn k() {}\n", "/// Section.\n\nfn k() {}\n"),
        (
            "java",
            "class A {\n  /** Section. */\n\n  /** Of it. */\n  void old() {}\n\n  int k;\n}\n",
            "class A {\n  /** Section. */\n\n  int k;\n}\n",
        ),
    ];
    let mut wrong = Vec::new();
    for (language, code, wanted) in rows {
        let find = ".find(all([any([kind(\"identifier\")]), regex(\"^old$\")]))";
        let rule = ".edit(|m, cx| { let up = m.node.ancestors.filter(|n| [\"expression_statement\", \"function_declaration\", \"function_item\", \"method_declaration\"].contains(n.kind)); edits([delete(up[0])]) })";
        compare(&mut wrong, language, &format!("{find}{rule}"), code, wanted);
    }
    none_wrong(&wrong);
}

#[test]
fn a_name_that_what_is_around_it_needs_does_not_go_alone() {
    const VALUE: &str = "=is a value that";
    const PLACE: &str = "=each place means something";
    let rows = [
        ("python", "type old = int\n", VALUE),
        ("java", "class A { void m() { old(1); } }\n", VALUE),
        ("java", "record A(int old) {}\n", VALUE),
        ("rust", "struct A { old: u8 }\n", VALUE),
        ("swift", "typealias old = B\n", VALUE),
        ("swift", "func f() { if let old = a { b() } }\n", "=needs: delete"),
        ("swift", "let q: A<old> = b\n", "=needs something"),
        ("swift", "let q: [old] = b\n", "=needs something"),
        ("swift", "func f<old>() {}\n", "=needs something"),
        ("python", "def old(): pass\n", VALUE),
        ("javascript", "x = function old() {};\n", "x = function () {};\n"),
        ("tsx", "x = <old a={1} />;\n", VALUE),
        ("go", "package p\n\nimport old \"m\"\n", "package p\n\nimport \"m\"\n"),
        ("kotlin", "var q = old\n    set(v) {}\n", VALUE),
        ("kotlin", "val q = \"$old\"\n", VALUE),
        ("kotlin", "fun f(old: Int) {}\n", VALUE),
        ("scala", "object A { for (i <- a) yield old }\n", VALUE),
        ("scala", "object A { for (i <- a) old }\n", "object A { for (i <- a) {} }\n"),
        ("kotlin", "fun f() = if (a) { old } else { b }\n", "=is the last of its block"),
        ("kotlin", "fun f() { if (a) { old } else { b } }\n", "fun f() { if (a) { } else { b } }\n"),
        ("kotlin", "val x = z { when (a) { b -> old } }\n", "=is the last of its block"),
        ("go", "package p\n\nvar a, old = 1, 2\n", PLACE),
        ("go", "package p\n\nvar a, old int\n", "package p\n\nvar a int\n"),
        ("go", "package p\n\nfunc f(a int, old int) {}\n", VALUE),
        ("go", "package p\n\nfunc f(a int, old ...int) {}\n", VALUE),
        ("go", "package p\n\nfunc f(a, old int) {}\n", "package p\n\nfunc f(a int) {}\n"),
        ("go", "package p\n\nfunc f(a int, b old) {}\n", VALUE),
        ("go", "package p\n\ntype A struct{ old int }\n", VALUE),
        ("go", "package p\n\ntype A struct {\n\told\n\tb int\n}\n", "package p\n\ntype A struct {\n\tb int\n}\n"),
        ("go", "package p\n\nvar x [old]int\n", VALUE),
        ("rust", "fn m() { if let Some(old) = a {} }\n", VALUE),
        ("rust", "fn m() { if let A(old, b) = a {} }\n", PLACE),
        ("rust", "fn m() { old!(); }\n", VALUE),
        ("rust", "fn m() { match a { old | b => 1, _ => 2 }; }\n", "fn m() { match a { b => 1, _ => 2 }; }\n"),
        ("javascript", "async old => 1;\n", "=needs: delete"),
        ("javascript", "(old) => 1;\n", "() => 1;\n"),
    ];
    let mut wrong = Vec::new();
    for (language, code, wanted) in rows {
        compare(&mut wrong, language, ".find(regex(\"^old$\")).delete()", code, wanted);
    }
    none_wrong(&wrong);
}

#[test]
fn what_speaks_of_a_line_that_goes_goes_with_it() {
    let rows = [
        ("python", "if a:\n    %  # c\n    k()\n", "if a:\n    k()\n"),
        ("python", "%  # a\n%  # b\n# k\nk()\n", "# k\nk()\n"),
        ("python", "k();%  # c\n", "k()  # c\n"),
        ("scala", "object A {\n  % // a\n\n  % /* b */\n\n  k()\n}\n", "object A {\n  k()\n}\n"),
        (
            "java",
            "class A { A() {\n    %; // a\n    %; // b\n    k(); // k\n} }\n",
            "class A { A() {\n    k(); // k\n} }\n",
        ),
        (
            "java",
            "class A { A() {\n    %; /* a\n    b */\n    k();\n} }\n",
            "class A { A() {\n    /* a\n    b */\n    k();\n} }\n",
        ),
        ("swift", "% // a\n% // b\nk()\n", "k()\n"),
        ("kotlin", "fun m() {\n    %; // a\n    % // b\n    k()\n}\n", "fun m() {\n    k()\n}\n"),
        ("go", "package p\n\nfunc m() {\n\t% // a\n\t% // b\n\tk()\n}\n", "package p\n\nfunc m() {\n\tk()\n}\n"),
        ("rust", "fn m() {\n    %; // a\n    %; // b\n    k();\n}\n", "fn m() {\n    k();\n}\n"),
        ("javascript", "%; // a\r\n%; // b\r\nk();\r\n", "k();\r\n"),
        ("typescript", "% // a\n%; /* b */\nk();\n", "k();\n"),
        ("tsx", "%; // a\n%; // b\nx = <p/>;\n", "x = <p/>;\n"),
        ("yaml", "a: 1\nold: 2  # a\nb: 3\n", "a: 1\nb: 3\n"),
        ("toml", "a = 1\nold = 2  # a\nb = 3\n", "a = 1\nb = 3\n"),
        ("bash", "old # a\nold # b\nk\n", "k\n"),
    ];
    covers(
        rows.iter().map(|row| row.0),
        &[("json", "has no statements"), ("sql", "a statement ends behind its comment")],
    );
    let mut wrong = Vec::new();
    for (language, code, wanted) in rows {
        let find = match language {
            "yaml" => ".find(pair(\"old: $_\"))",
            "toml" => ".find(stmt(\"old = $_\"))",
            "bash" => ".find(stmt(\"old\"))",
            "java" => ".find(stmt(\"old();\"))",
            _ => ".find(stmt(\"old()\"))",
        };
        compare(&mut wrong, language, &format!("{find}.delete()"), &code.replace('%', "old()"), wanted);
    }
    let kept = ".find(stmt(\"old()\")).edit(|m, cx| edits([delete(m.node, #{ comments: \"keep\" })]))";
    compare(&mut wrong, "python", kept, "if a:\n    old()  # c\n    k()\n", "if a:\n    # c\n    k()\n");
    compare(
        &mut wrong,
        "kotlin",
        kept,
        "fun m() {\n  old(/* a */); // b\n  k()\n}\n",
        "fun m() {\n  /* a */\n  // b\n  k()\n}\n",
    );
    let element = kept.replace("stmt", "expr");
    compare(&mut wrong, "python", &element, "x = [\n    old(),  # c\n    1,\n]\n", "# c\nx = [\n    1,\n]\n");
    let export = kept.replace("stmt(\"old()\")", "kind(\"lexical_declaration\")");
    compare(&mut wrong, "typescript", &export, "export const old = 1; // why\nk();\n", "// why\nk();\n");
    let moved = kept.replace("keep", "move");
    compare(&mut wrong, "python", &moved, "if a:\n    old()  # c\n    k()\n", "if a:\n    # c\n    k()\n");
    none_wrong(&wrong);
}

#[test]
fn blank_lines_part_what_is_left_once() {
    let rows = [
        ("a()\n\nold()\n\nb()\n", "a()\n\nb()\n"),
        ("a()\n\nold()\n\nold()\nold()\n\n\nb()\n", "a()\n\n\nb()\n"),
        ("a()\n\n\nold()\n\nb()\n", "a()\n\n\nb()\n"),
        ("a()\nold()\n\nb()\n", "a()\n\nb()\n"),
        ("a()\n\nold()\nb()\n", "a()\n\nb()\n"),
        ("old()\n\nb()\n", "b()\n"),
        ("a()\n\nold()\n", "a()\n"),
        ("a()\n\nold()", "a()\n"),
        ("f() {\n  old()\n\n  b()\n}\n", "f() {\n  b()\n}\n"),
        ("f() {\n  b()\n\n  old()\n  \n  old()\n}\n", "f() {\n  b()\n}\n"),
        ("f() {\n\n  old()\n\n}\n", "f() {\n}\n"),
        ("a()\r\n\r\nold()\r\n\r\nb()\r\n", "a()\r\n\r\nb()\r\n"),
    ];
    let mut wrong = Vec::new();
    for (code, wanted) in rows {
        compare(&mut wrong, "javascript", ".find(stmt(\"old()\")).delete()", code, wanted);
    }
    // A member that goes in ends where its code does.
    let last = "trait A {\n  def x = 1\n\n  def old: Int =\n    2\n}\n";
    let find = ".find(all([kind(\"function_definition\"), regex(\"old\")])).delete()";
    compare(&mut wrong, "scala", find, last, "trait A {\n  def x = 1\n}\n");
    let wrap = ".find(\"def old: Int = $X\").where(#{ X: \"2\" }).edit(|m, cx| edits([wrap(m.X, \"h($IT)\")]))";
    compare(&mut wrong, "scala", wrap, last, &last.replace('2', "h(2)"));
    // Within a text they are data.
    let text = "f(\"\"\"\n\nold\n\n\"\"\")\n\nold()\n";
    compare(&mut wrong, "python", ".find(stmt(\"old()\")).delete()", text, &text.replace("\nold()\n", ""));
    none_wrong(&wrong);
}

#[test]
fn what_only_brings_an_element_goes_with_the_only_one() {
    let rows = [
        ("scala", "class A extends old with B { }\n", "class A extends B { }\n"),
        ("scala", "class A extends B with old { }\n", "class A extends B { }\n"),
        ("scala", "class A extends B with old with C\n", "class A extends B with C\n"),
        ("scala", "class A extends old { }\n", "class A { }\n"),
        ("java", "class A implements old {}\n", "class A {}\n"),
        ("java", "class A extends old implements B {}\n", "class A implements B {}\n"),
        ("java", "interface A extends B, old {}\n", "interface A extends B {}\n"),
        ("java", "interface A extends old {}\n", "interface A {}\n"),
        ("java", "class A { void f() throws old { } }\n", "class A { void f() { } }\n"),
        ("kotlin", "interface A : old\n", "interface A\n"),
        ("kotlin", "class A : old { }\n", "class A { }\n"),
        ("kotlin", "class A : old, B { }\n", "class A : B { }\n"),
        ("kotlin", "class A : B(), old { }\n", "class A : B() { }\n"),
        ("swift", "class A: old { }\n", "class A { }\n"),
        ("swift", "class A: B, old { }\n", "class A: B { }\n"),
        ("typescript", "class A implements old { }\n", "class A { }\n"),
        ("typescript", "class A extends B implements C, old { }\n", "class A extends B implements C { }\n"),
        ("typescript", "interface A extends old { }\n", "interface A { }\n"),
        ("tsx", "class A extends old { }\n", "class A { }\n"),
        ("javascript", "class A extends old { }\n", "class A { }\n"),
        ("python", "class A(old): pass\n", "class A(): pass\n"),
        ("typescript", "type A = B | old | C;\n", "type A = B | C;\n"),
        ("typescript", "type A = old | C;\n", "type A = C;\n"),
        ("typescript", "type A = B & C & old;\n", "type A = B & C;\n"),
        ("typescript", "type A =\n  | old\n  | B;\n", "type A =\n  | B;\n"),
        ("tsx", "type A =\n  | B\n  | old;\n", "type A =\n  | B;\n"),
        ("typescript", "let x: old[] = 1;\n", "=needs"),
        ("python", "def f(*, old): pass\n", "def f(): pass\n"),
        ("python", "def f(a, *, old): pass\n", "def f(a): pass\n"),
        ("python", "def f(a, *, old, **k): pass\n", "def f(a, **k): pass\n"),
        ("python", "def f(a, *, old, b): pass\n", "def f(a, *, b): pass\n"),
        ("python", "def f(old, /, a): pass\n", "def f(a): pass\n"),
        ("python", "def f(old, /): pass\n", "def f(): pass\n"),
        ("python", "def f(a, old, /, b): pass\n", "def f(a, /, b): pass\n"),
        ("python", "x = lambda *, old: 1\n", "x = lambda : 1\n"),
        ("java", "class A { F<old> f; }\n", "=needs something"),
        ("scala", "class A extends B\n    with old {\n}\n", "class A extends B {\n}\n"),
        ("swift", "let x: old & B = 1\n", "let x: B = 1\n"),
        ("swift", "let x: [old: B] = 1\n", "=needs something"),
        ("swift", "typealias A = old\n", "=is a value that"),
        ("swift", "func f<T>(x: T) where T: old {}\n", "=needs something"),
        ("kotlin", "fun f(x: List<old>) {}\n", "=needs something"),
        ("kotlin", "fun <T> f() where T : old, T : B {}\n", "=needs something"),
        ("scala", "object A { def f(x: Int)(implicit old: B) = 1 }\n", "=needs something"),
        ("kotlin", "fun f(a: Int, old: Int = 1) {}\n", "fun f(a: Int) {}\n"),
        ("kotlin", "fun f(old: Int = 1, a: Int = 2) {}\n", "fun f(a: Int = 2) {}\n"),
        ("kotlin", "fun f(old: Int = 1) {}\n", "fun f() {}\n"),
        ("kotlin", "fun f(old: Int = 1, b: Int, old: Int = 2, old: Int) {}\n", "fun f(b: Int) {}\n"),
        ("kotlin", "fun f(a: Int = 1, @X vararg old: Int) {}\n", "fun f(a: Int = 1) {}\n"),
        ("swift", "func f(a: Int, old: Int = 1) {}\n", "func f(a: Int) {}\n"),
        ("swift", "func f(old: Int = nil, a: Int = 2) {}\n", "func f(a: Int = 2) {}\n"),
        ("swift", "func f(old: Int = 1) {}\n", "func f() {}\n"),
        ("swift", "func f(a: Int = 1, old: Int = 2, old: Int) {}\n", "func f(a: Int = 1) {}\n"),
        ("typescript", "type A = { old?: X; c: number };\n", "type A = { c: number };\n"),
        ("typescript", "type A = { c: number; old: X };\n", "type A = { c: number };\n"),
        ("typescript", "type A = { old: X; };\n", "type A = { };\n"),
        ("typescript", "interface A {\n  a: string;\n  old?: X;\n}\n", "interface A {\n  a: string;\n}\n"),
        ("typescript", "interface A {\n  old: X,\n  b: string,\n}\n", "interface A {\n  b: string,\n}\n"),
        ("tsx", "class A {\n  old = 1;\n  b = 2;\n}\n", "class A {\n  b = 2;\n}\n"),
        ("javascript", "class A { old = 1; b = 2; }\n", "class A { b = 2; }\n"),
    ];
    let mut wrong = Vec::new();
    for (language, code, wanted) in rows {
        // Of a parameter or a member, its name is a part.
        let part =
            code.contains("old: Int") || code.contains("old: X") || code.contains("old?:") || code.contains("old =");
        let find = match (language, part || code.contains("vararg")) {
            ("scala", _) if code.contains("implicit") => "all([kind(\"parameter\"), regex(\"^old\")])",
            ("kotlin" | "swift", true) => "all([kind(\"parameter\"), regex(\"^old\")])",
            ("typescript", true) => "all([kind(\"property_signature\"), regex(\"^old\")])",
            ("tsx", true) => "all([kind(\"public_field_definition\"), regex(\"^old\")])",
            ("javascript", true) => "all([kind(\"field_definition\"), regex(\"^old\")])",
            _ => "regex(\"^old$\")",
        };
        compare(&mut wrong, language, &format!(".find({find}).delete()"), code, wanted);
    }
    none_wrong(&wrong);
}

#[test]
fn an_empty_list_hole_leaves_no_separator_behind() {
    let rows = [
        ("python", "f($$$A)", "g(c, $$$A)", "f()\nf(1)\n", "g(c)\ng(c, 1)\n"),
        ("python", "f($$$A)", "g($$$A, c)", "f()\nf(1)\n", "g(c)\ng(1, c)\n"),
        ("python", "f($$$A)", "g(b, $$$A, c)", "f()\nf(1)\n", "g(b, c)\ng(b, 1, c)\n"),
        ("sql", "expr:f($$$A)", "g(c, $$$A)", "select f(), f(1) from t\n", "select g(c), g(c, 1) from t\n"),
        ("scala", "f($$$A)", "g(c, $$$A)", "object A { f(); f(1) }\n", "object A { g(c); g(c, 1) }\n"),
        ("java", "f($$$A)", "g($$$A, c)", "class A { int x = f() + f(1); }\n", "class A { int x = g(c) + g(1, c); }\n"),
        ("swift", "f($$$A)", "g(c, $$$A)", "let x = [f(), f(1)]\n", "let x = [g(c), g(c, 1)]\n"),
        ("kotlin", "f($$$A)", "g($$$A, c)", "val x = f() + f(1)\n", "val x = g(c) + g(1, c)\n"),
        (
            "go",
            "f($$$A)",
            "g(ctx, $$$A)",
            "package p\n\nvar x = f() + f(1)\n",
            "package p\n\nvar x = g(ctx) + g(ctx, 1)\n",
        ),
        ("rust", "f($$$A)", "g(c, $$$A)", "fn m() { f(); f(1); }\n", "fn m() { g(c); g(c, 1); }\n"),
        ("javascript", "[$$$A]", "[b, $$$A, c]", "x = []; y = [1];\n", "="),
        ("javascript", "f($$$A)", "[b, $$$A, c]", "x = f(); y = f(1);\n", "x = [b, c]; y = [b, 1, c];\n"),
        ("typescript", "f($$$A)", "{ b, $$$A }", "x = f();\n", "x = { b };\n"),
        ("tsx", "f($$$A)", "g($$$A, c)", "x = <p>{f()}</p>;\n", "x = <p>{g(c)}</p>;\n"),
        ("yaml", "pair:a: [$$$A]", "b: [x, $$$A]", "a: []\n", "b: [x]\n"),
        ("json", "member:\"a\": [$$$A]", "\"b\": [1, $$$A]", "{\"a\": []}\n", "{\"b\": [1]}\n"),
        ("toml", "stmt:a = [$$$A]", "b = [$$$A, 1]", "a = []\n", "b = [1]\n"),
        ("bash", "f $$$A", "g -c $$$A", "f\nf 1\n", "g -c\ng -c 1\n"),
    ];
    covers(rows.iter().map(|row| row.0), &[]);
    let mut wrong = Vec::new();
    for (language, find, new, code, wanted) in rows {
        let find = match find.split_once(':').filter(|(context, _)| context.chars().all(|c| c.is_ascii_lowercase())) {
            Some((context, pattern)) if context != "a" => format!("{context}({pattern:?})"),
            _ => format!("{find:?}"),
        };
        let rule = format!(".find({find}).replace({new:?})");
        match wanted {
            "=" => {
                let said = super::made(language, &rule, code);
                assert!(said.contains("a second run would"), "{said}");
            }
            _ => compare(&mut wrong, language, &rule, code, wanted),
        }
    }
    none_wrong(&wrong);
}
