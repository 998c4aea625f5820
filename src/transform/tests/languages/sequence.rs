//! Several statements that a hole stands for are several still where a template puts them, below what a block stands
//! below, and refused where they would be one.

use super::{compare, none_wrong};

/// A branch of two statements.
const IF: &str = "object A:\n  def f =\n    if a then\n      b\n      c\n    d\n";

#[test]
fn statements_stay_statements() {
    let both = "object A:\n  def f =\n    if a then\n      b\n      c\n    else\n      d\n      e\n";
    let choose = ".find(\"if $A then $B else $C\")";
    let rows = [
        (
            ".find(\"if $A then $$$B\").replace(\"while $A do $$$B\")",
            IF,
            "object A:\n  def f =\n    while a do\n      b\n      c\n    d\n",
        ),
        (
            ".find(\"if $A then $$$B\").replace(\"f($A) { $$$B }\").locals(\"f\")",
            IF,
            "object A:\n  def f =\n    f(a) {\n      b\n      c\n    }\n    d\n",
        ),
        (
            ".find(\"if $A then $$$B\").replace(\"g($A) {\\n  $$$B\\n}\")",
            IF,
            "object A:\n  def f =\n    g(a) {\n      b\n      c\n    }\n    d\n",
        ),
        (".find(\"if $A then $$$B\").replace(\"g($A, $$$B)\")", IF, "="),
        (&format!("{choose}.replace(\"choose($A, $B, $C)\")"), both, "=one of several statements"),
        (
            &format!("{choose}.where(#{{ A: \"a\" }}).replace(\"if p then $C else $B\")"),
            both,
            "object A:\n  def f =\n    if p then\n      d\n      e\n    else\n      b\n      c\n",
        ),
        (
            ".find(\"def old = $X\").replace(\"def fresh = $X\")",
            "object A:\n  def old =\n    a\n    b\n  def h = 2\n",
            "object A:\n  def fresh =\n    a\n    b\n  def h = 2\n",
        ),
        (
            ".find(\"def old = $X\").replace(\"def fresh = g($X)\")",
            "object A:\n  def old =\n    a\n    b\n  def h = 2\n",
            "=one of several statements",
        ),
        // Between parentheses two lines are one.
        (
            ".find(\"old($X)\").replace(\"a($X)\\nb()\")",
            "object A:\n  def g =\n    if a then old(1)\n    else b\n",
            "=",
        ),
        // What says where a body ends is no part of it.
        (
            ".find(\"if $A then $$$B\").replace(\"while $A do $$$B\")",
            "object A:\n  def f =\n    if a then\n      b\n      c\n    end if\n",
            "=",
        ),
    ];
    let mut wrong = Vec::new();
    for (rule, code, wanted) in rows {
        compare(&mut wrong, "scala", rule, code, wanted);
    }
    wrong.retain(|row| !(row.contains("\"=\\nRefused") && row.ends_with("\"=\"")));
    none_wrong(&wrong);
}
