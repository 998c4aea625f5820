use crate::language::by_name;
use crate::pattern::{Binding, PatternError, compile};
use crate::tree::parse;

/// Every match of a pattern in some code, with its bindings, one a line.
fn check(language: &str, pattern: &str, code: &str) -> String {
    check_in(language, pattern, None, code).unwrap_or_else(|e| panic!("{e}")).join("\n")
}

/// Every match of a pattern in a context, with its bindings, or its text where it has none.
pub(super) fn check_in(
    language: &str,
    pattern: &str,
    context: Option<&str>,
    code: &str,
) -> Result<Vec<String>, PatternError> {
    let language = by_name(language).unwrap();
    let pattern = compile(language, pattern, context)?;
    let tree = parse(language, code).unwrap();
    let mut out = Vec::new();
    for node in tree.iter() {
        // What the prefilter asks of a file must be in every file that matches.
        let Some(bindings) = pattern.matches(node) else { continue };
        let lower = code.to_ascii_lowercase();
        let there = |text: &String| {
            if language.facts.case_insensitive {
                lower.contains(&text.to_ascii_lowercase())
            } else {
                code.contains(text)
            }
        };
        assert!(pattern.literals().iter().all(there), "{:?} are asked of {code:?}", pattern.literals());
        assert!(pattern.root_kinds().is_none_or(|kinds| kinds.contains(&node.kind_id())));
        let shown: Vec<String> = bindings
            .iter()
            .map(|(name, binding)| match binding {
                Binding::One(node) => format!("{name}={}", node.text()),
                Binding::Many(nodes) => {
                    format!("{name}=[{}]", nodes.iter().map(|n| n.text()).collect::<Vec<_>>().join(" "))
                }
            })
            .collect();
        out.push(if shown.is_empty() { node.text().to_owned() } else { shown.join("; ") });
    }
    Ok(out)
}

#[test]
fn one_node_and_many() {
    assert_eq!(check("python", "f($X)", "f(1); f(1, 2); g(f(a.b))"), "X=1\nX=a.b");
    assert_eq!(check("python", "f($A, $$$REST)", "f(1); f(1, 2, 3)"), "A=1; REST=[]\nA=1; REST=[2 , 3]");
    assert_eq!(check("python", "f($$$REST, $A)", "f(1); f(1, 2, 3)"), "REST=[]; A=1\nREST=[1 , 2]; A=3");
    assert_eq!(check("python", "f($$$)", "f(); f(1, 2)"), "f()\nf(1, 2)");
    assert_eq!(check("python", "f($A, $B)", "f(1, 2,)"), "A=1; B=2");
    assert_eq!(check("java", "f($A, $$$R)", "class A { Object x = f(1, 2); }"), "A=1; R=[2]");
}

#[test]
fn nothing_named_goes_unmatched() {
    let pattern = "if $A:\n  yield\nelse:\n  yield";
    assert_eq!(check("python", pattern, "if a:\n  yield 2\n  important()\nelse:\n  yield\n"), "");
    assert_eq!(check("python", pattern, "if a:\n  yield\nelse:\n  yield\n"), "A=a");
    assert_eq!(check("javascript", "($A) => $B", "x = async (a) => b"), "", "a token is not dropped either");
    assert_eq!(check("javascript", "($A) => $B", "x = (a) => b"), "A=a; B=b");
    assert_eq!(check("rust", "fn $F() {}", "pub fn a() {}  fn b() {}"), "F=b");
    // Nothing between two commas is an element all the same.
    let holes = "a = [, old]; b = [k, , old]; c = [k, old]; d = [k, , l, old,]; e = [old]";
    assert_eq!(check("javascript", "[$$$A, old]", holes), "A=[k]\nA=[k , , l]\nA=[]");
    assert_eq!(check("javascript", "[$A, $B]", "a = [k, , l]; b = [k, l,]; c = [k, l,,]"), "A=k; B=l");
}

#[test]
fn a_hole_is_one_statement_of_a_block() {
    assert_eq!(check("python", "if $A: $B", "if a:\n  b()\n"), "A=a; B=b()");
    assert_eq!(check("python", "if $A: $B", "if a:\n  b()\n  c()\n"), "");
    assert_eq!(check("python", "if $A: $$$B", "if a:\n  b()\n  c()\n"), "A=a; B=[b() c()]");
}

#[test]
fn a_repeated_name_is_the_same_code() {
    assert_eq!(check("python", "$A == $A", "a == a; a == b; f( x ) == f(x)"), "A=a\nA=f( x )");
    assert_eq!(check("python", "$_ == $_", "a == b"), "a == b");
}

#[test]
fn comments_do_not_prevent_a_match() {
    assert_eq!(check("python", "f($A, $B)", "f(1, # one\n  2)"), "A=1; B=2");
    assert_eq!(check("java", "f($A)", "class A { Object x = f(/* why */ 1); }"), "A=1");
}

#[test]
fn literals_compare_as_written() {
    assert_eq!(check("python", "f(\"a\")", "f(\"a\"); f('a'); f(\"ab\")"), "f(\"a\")");
    assert_eq!(check("scala", "f(\"a\")", "val x = f(\"a\")\nval y = f(\"b\")"), "f(\"a\")");
    assert_eq!(check("go", "f(\"a\")", "package p\nvar x = f(\"a\")\nvar y = f(\"b\")"), "f(\"a\")");
    assert_eq!(check("kotlin", "f(\"a\")", "val x = f(\"a\")\nval y = f(\"b\")"), "f(\"a\")");
    assert_eq!(check("swift", "f(\"a\")", "let x = f(\"a\")\nlet y = f(\"b\")\nlet z = f(#\"a\"#)"), "f(\"a\")");
    assert_eq!(check("swift", "f(\"\\n\")", "f(\"\\n\")\nf(\"\\n \")\nf(\" \\n\")"), "f(\"\\n\")");
    assert_eq!(check("typescript", "f(\"a\")", "f(\"a\"); f(\"b\")"), "f(\"a\")");
}

#[test]
fn sql_ignores_case() {
    assert_eq!(check("sql", "select $C from users_v1", "SELECT a FROM Users_V1;"), "C=a");
    assert_eq!(check("sql", "select $C from users_v1", "SELECT a, b FROM users_v1;"), "", "one is not two");
}

#[test]
fn patterns_that_mean_nothing_are_refused() {
    let error = |language: &str, pattern: &str| compile(by_name(language).unwrap(), pattern, None).err();
    assert!(matches!(error("python", "f("), Some(PatternError::Unreadable { .. })));
    assert!(matches!(error("python", "$X"), Some(PatternError::MatchesAll(_))));
    assert!(matches!(error("python", " "), Some(PatternError::Empty)));
    let lost = error("scala", "f(\"$X\")");
    assert!(matches!(&lost, Some(PatternError::HoleLost { hole, .. }) if hole == "$X"), "{lost:?}");
    let two = error("java", "Outer.$X");
    assert!(matches!(two, Some(PatternError::Ambiguous { .. })), "a field or a type: {two:?}");
    assert!(compile(by_name("java").unwrap(), "Outer.$X", Some("type")).is_ok());
}

#[test]
fn a_hole_of_a_list_may_be_a_member_or_a_parameter() {
    assert_eq!(check("java", "class $C { $$$B }", "class A { int x; void m() {} }"), "C=A; B=[int x; void m() {}]");
    let params = check_in("java", "void f($$$A) { $$$B }", Some("member"), "class A { void f(int a, int b) { g(); } }");
    assert_eq!(params.unwrap(), ["A=[int a , int b]; B=[g();]"]);
    assert_eq!(check("scala", "def f($$$A) = $B", "def f(a: Int, b: Int) = 1"), "A=[a: Int , b: Int]; B=1");
    assert_eq!(check("kotlin", "fun f($$$X) { $$$B }", "fun f(a: Int) { g() }"), "X=[a: Int]; B=[g()]");
    assert_eq!(check("rust", "struct $S { $$$F }", "struct A { x: u8, y: u8 }"), "S=A; F=[x: u8 , y: u8]");
    assert_eq!(
        check("go", "func f($$$A) { $$$B }", "package p\nfunc f(a int, b int) { g() }"),
        "A=[a int , b int]; B=[g()]"
    );
}

#[test]
fn a_list_may_be_empty_though_its_grammar_has_no_node_for_it() {
    assert_eq!(check("go", "if $A { $$$B }", "package p\nfunc f() { if a {} }"), "A=a; B=[]");
    assert_eq!(check("go", "if $A { $$$B }", "package p\nfunc f() { if a { g() } }"), "A=a; B=[g()]");
    assert_eq!(check("kotlin", "if ($A) { $$$B }", "fun f() { if (a) {} }"), "A=a; B=[]");
    assert_eq!(
        check("swift", "if $A { $$$B } else { $$$C }", "func f() { if a {} else { b(); c() } }"),
        "A=a; B=[]; C=[b() c()]"
    );
    assert_eq!(
        check("swift", "if $$$A { $$$B } else $$$C", "func f() { if a, let b { } else if c { d() } }"),
        "A=[a , let b]; B=[]; C=[if c { d() }]"
    );
    assert_eq!(check("java", "if ($A) { $$$B }", "class A { void f() { if (a) {} } }"), "A=a; B=[]");
}

#[test]
fn a_hole_is_one_thing() {
    assert_eq!(check("python", "$A = $B", "x = y = 1\nz = 2"), "A=z; B=2", "neither end of a chain");
    assert_eq!(check("python", "lambda $X: $Y", "lambda x, y: x\nlambda z: z"), "X=z; Y=z");
    assert_eq!(check("javascript", "import $X from 'a'", "import x, {y} from 'a'\nimport z from 'a'"), "X=z");
    assert_eq!(check("python", "if $A: $B", "if a:\n  b = 1\n"), "A=a; B=b = 1", "a statement may be an assignment");
}

#[test]
fn what_reads_as_a_statement_is_one() {
    assert_eq!(check("javascript", "function f($$$A) { $$$B }", "function f(a) { g(); }"), "A=[a]; B=[g();]");
    assert_eq!(check("typescript", "class A { $$$B }", "class A {}"), "B=[]");
    assert_eq!(check("javascript", "function ($A) { $$$B }", "x = function (a) {}"), "A=a; B=[]");
}

#[test]
fn a_pattern_that_does_not_read_shows_where_and_what_next() {
    let error = |pattern: &str| compile(by_name("python").unwrap(), pattern, None).unwrap_err().to_string();
    assert!(error("f($x)").contains("  f($x)\n    ^ it can't be read from here\n"), "{}", error("f($x)"));
    assert!(error("f($x)").ends_with("holes are written in upper case: $X, $$$ARGS"));
    assert!(error("foo($X").ends_with("`(` is not closed"), "{}", error("foo($X"));
    assert!(error("f(]").ends_with("`]` closes nothing") || error("f(]").ends_with("`(` is not closed"));
}
