//! What macros are given: code, where it is a list of expressions. Rust alone has macros whose grammar keeps tokens.

use super::{made, none_wrong};
use crate::language::all;

const CALL: &str = r#".find(expr("old($A)")).replace("new($A)")"#;
const DELETE: &str = r#".find(expr("old($A)")).delete()"#;

const UNUSED: &str = r#".find(stmt("let $X = 1;")).when(|m| m.X.uses().len == 1).delete()"#;
const RENAMED: &str = r#".find(stmt("let $X = 1;")).where(#{ X: "x" }).edit(|m, cx| edits(rename(m.X, "w")))"#;

/// Language, rule, code in a function, and what it becomes; `!` begins the reason of a refusal.
const ROWS: &[[&str; 4]] = &[
    ["rust", CALL, "assert_eq!(old(a), 1, \"{}\", old(2));", "assert_eq!(new(a), 1, \"{}\", new(2));"],
    ["rust", CALL, "let v = vec![old(c); 2];", "let v = vec![new(c); 2];"],
    ["rust", CALL, "a!(b!(old(old_one), x));", "a!(b!(new(old_one), x));"],
    ["rust", CALL, "format!(\"{a}\", a = old(1));", "format!(\"{a}\", a = new(1));"],
    [
        "rust",
        CALL,
        "info!(a.b = ?old(1), %old(2), target: \"t\", \"x\");",
        "info!(a.b = ?new(1), %new(2), target: \"t\", \"x\");",
    ],
    ["rust", CALL, "assert!(matches!(old(1), Some(_)));", "assert!(matches!(new(1), Some(_)));"],
    ["rust", CALL, "m!(\n    old(1), // why\n    2,\n);", "m!(\n    new(1), // why\n    2,\n);"],
    ["rust", CALL, "m!(|x| { let y = old(x); y });", "m!(|x| { let y = new(x); y });"],
    [
        "rust",
        CALL,
        "m!(x.iter().map(|y| old(y)).collect::<Vec<Vec<_>>>());",
        "m!(x.iter().map(|y| new(y)).collect::<Vec<Vec<_>>>());",
    ],
    ["rust", CALL, "stringify!(old(1));", "="],
    ["rust", CALL, "quote!(old(1));", "="],
    // Precedence is kept as it is elsewhere.
    ["rust", r#".find(expr("cmp($A, $B)")).replace("$A < $B")"#, "assert!(cmp(1, 2) == x);", "assert!((1 < 2) == x);"],
    [
        "rust",
        r#".find(expr("or($A, $B)")).replace("$A || $B")"#,
        "assert!(!or(1, 2), \"x\");",
        "assert!(!(1 || 2), \"x\");",
    ],
    [
        "rust",
        r#".find(expr("or($A, $B)")).replace("$A || $B")"#,
        "assert!(or(1, 2), \"x\");",
        "assert!(1 || 2, \"x\");",
    ],
    // A pattern of a macro is read as the code is.
    [
        "rust",
        r#".find(expr("assert_eq!($A, old($B))")).replace("check($B, $A)")"#,
        "assert_eq!(x + 1, old(2));",
        "check(2, x + 1);",
    ],
    [
        "rust",
        r#".find(expr("println!($$$A)")).replace("log!($$$A)")"#,
        "println!(\"{}\", old(1), a = 2);",
        "log!(\"{}\", old(1), a = 2);",
    ],
    ["rust", r#".find(expr("println!($$$A)")).replace("log!($$$A)")"#, "println!(a => b, c d);", "log!(a => b, c d);"],
    [
        "rust",
        r#".find(expr("vec![$X; $N]")).replace("repeat($X, $N)")"#,
        "f(vec![a.b(); n + 1]);",
        "f(repeat(a.b(), n + 1));",
    ],
    ["rust", r#".find(expr("$X == $X")).replace("true")"#, "assert!(a.b == a.b);", "assert!(true);"],
    [
        "rust",
        r#".find(invocation("$R.$F($$$A)")).where(#{ F: "old" }).edit(|m, cx| edits([replace(m.F, code("new"))]))"#,
        "assert!(a.b().old::<T>(1));",
        "assert!(a.b().new::<T>(1));",
    ],
    [
        "rust",
        r#".find(query("(call_expression function: (identifier) @F) @match")).where(#{ F: "old" }).replace("g()")"#,
        "m!(m!(old(1)), f(old(2)));",
        "m!(m!(g()), f(g()));",
    ],
    ["rust", r#".find(query("(arguments (call_expression) @match)")).replace("g()")"#, "m!(old(1));", "="],
    [
        "rust",
        r#".find(expr("old($A)")).inside(expr("$_ == $_")).replace("g()")"#,
        "m!(old(1), old(2) == 3);",
        "m!(old(1), g() == 3);",
    ],
    // A name and `=` are no assignment there, and none comes to be a name.
    [
        "rust",
        r#".find(expr("$A = $B")).replace("set($A, $B)")"#,
        "a = 1; format!(\"{a}\", a = 2);",
        "set(a, 1); format!(\"{a}\", a = 2);",
    ],
    ["rust", r#".find(expr("old($A)")).replace("$A = 2")"#, "println!(\"{}\", old(a));", "println!(\"{}\", (a = 2));"],
    // What each of the elements means, the macro knows.
    ["rust", DELETE, "println!(\"{}\", old(1));", "!can't go from a list of which each place means something"],
    ["rust", DELETE, "let v = vec![old(1), 2, old(3)];", "let v = vec![2];"],
    ["rust", DELETE, "let v = vec![old(1); 2];", "!"],
    // A text that names a local in braces keeps it.
    ["rust", UNUSED, "let x = 1; f(x);", "="],
    ["rust", UNUSED, "let x = 1; println!(\"{}\", x);", "="],
    ["rust", UNUSED, "let x = 1; println!(\"{x:?}\");", "="],
    ["rust", UNUSED, "let x = 1; println!(\"{:>x$.2}\", 1.0);", "="],
    ["rust", UNUSED, "let x = 1;\n    println!(\"x {y}\");", "println!(\"x {y}\");"],
    ["rust", UNUSED, "{ let x = 1;\n    } let x = 2; println!(\"{x}\");", "{\n    } let x = 2; println!(\"{x}\");"],
    ["rust", RENAMED, "let x = 1; println!(\"{}\", x);", "let w = 1; println!(\"{}\", w);"],
    ["rust", RENAMED, "let x = 1; println!(\"{x}\", x = x);", "!"],
    ["rust", RENAMED, "let x = 1; println!(\"{x}\");", "!"],
];

#[test]
fn what_a_macro_is_given_is_code() {
    let given: Vec<&str> = all().iter().filter(|l| l.macro_calls.is_some()).map(|l| l.facts.name.as_str()).collect();
    assert_eq!(given, ["rust"], "rows of every language that has these");
    let mut wrong = Vec::new();
    for [language, rule, code, new] in ROWS {
        let whole = |code: &str| format!("fn z() {{\n    {code}\n}}\n");
        let made = made(language, rule, &whole(code));
        let right = match new.strip_prefix('!') {
            Some(why) => made.starts_with('=') && made.contains(why) && made != "=",
            None if *new == "=" => made.starts_with('='),
            None => made == whole(new),
        };
        if !right {
            wrong.push(format!("{code}\n  {new}\n  {made}"));
        }
    }
    none_wrong(&wrong);
}
