//! What a shell says behind its code stays true of it: heredocs end, and `&` speaks of the statement that it spoke of.

use super::{compare, none_wrong};

#[test]
fn a_heredoc_keeps_its_lines_and_ends() {
    let rule = ".find(\"old $X\").replace(\"cat <<EOF\\na $X\\n  b\\nEOF\")";
    let tabs = ".find(\"old $X\").replace(\"cat <<-EOF\\n\\ta $X\\n\\tEOF\")";
    let more = ".find(\"old $X\").replace(\"cat <<EOF\\na\\nEOF\\nb $X\")";
    let rows = [
        (rule, "old 1\n", "cat <<EOF\na 1\n  b\nEOF\n"),
        (rule, "if a; then\n  old 1\nfi\n", "if a; then\n  cat <<EOF\na 1\n  b\nEOF\nfi\n"),
        (rule, "f() {\n\told 1\n}\n", "f() {\n\tcat <<EOF\na 1\n  b\nEOF\n}\n"),
        (tabs, "if a; then\n  old 1\nfi\n", "if a; then\n  cat <<-EOF\n\ta 1\n\tEOF\nfi\n"),
        (more, "if a; then\n  old 1\nfi\n", "if a; then\n  cat <<EOF\na\nEOF\n  b 1\nfi\n"),
        (rule, "if a; then old 1; fi\n", "=stands alone on its line"),
        (rule, "old 1 | b\n", "=stands alone on its line"),
        (rule, "x=$(old 1)\n", "=stands alone on its line"),
        (rule, "old 1 &\n", "=stands alone on its line"),
        (rule, "old 1 # c\n", "=stands alone on its line"),
        (tabs, "case x in\n  a) old 1 ;;\nesac\n", "=stands alone on its line"),
    ];
    let mut wrong = Vec::new();
    for (rule, code, wanted) in rows {
        compare(&mut wrong, "bash", rule, code, wanted);
    }
    none_wrong(&wrong);
}

#[test]
fn what_binds_one_statement_binds_all_that_took_its_place() {
    let write = |new: &str| format!(".find(\"old $X\").replace(\"{new}\")");
    let delete = ".find(\"old $X\").delete()".to_owned();
    let rows = [
        (write("a $X; b"), "old 1 &\n", "=would speak of `b`, and spoke of `old 1`"),
        (write("a $X\\nb"), "old 1 & c\n", "=would speak of `b`"),
        (write("{ a $X; b; }"), "old 1 &\n", "{ a 1; b; } &\n"),
        (write("a $X && b"), "old 1 &\n", "a 1 && b &\n"),
        (write("a $X"), "c && old 1 &\n", "c && a 1 &\n"),
        (write("a $X; b"), "c & old 1\n", "c & a 1; b\n"),
        (write("a $X &"), "old 1 > f\n", "=can't stand in"),
        (write("! a $X"), "c | old 1\n", "=can't stand in"),
        (write("! a $X"), "c && old 1\n", "c && ! a 1\n"),
        (delete.clone(), "a; old 1 &\n", "=would speak of `a`, and spoke of `old 1`"),
        (delete, "b & old 1\n", "b &\n"),
    ];
    let mut wrong = Vec::new();
    for (rule, code, wanted) in rows {
        compare(&mut wrong, "bash", &rule, code, wanted);
    }
    none_wrong(&wrong);
}

/// Postfix operators of SQL, of which every dialect has an order of its own.
#[test]
fn what_ends_in_several_words_gets_parentheses_before_what_binds_tighter() {
    let rows = [
        ("$X ->> 'k'", "old(a)::date", "(a ->> 'k')::date"),
        ("$X ->> 'k'", "b || old(a)", "b || (a ->> 'k')"),
        ("$X ->> 'k'", "-old(a)", "-(a ->> 'k')"),
        ("$X ->> 'k'", "old(a) = b", "a ->> 'k' = b"),
        ("$X ->> 'k'", "old(a) at time zone c", "(a ->> 'k') at time zone c"),
        ("$X at time zone 'z'", "old(a)::date", "(a at time zone 'z')::date"),
        ("$X at time zone 'z'", "old(a)[0]", "(a at time zone 'z')[0]"),
        ("$X at time zone 'z'", "-old(a)", "-(a at time zone 'z')"),
        ("$X at time zone 'z'", "1 + old(a::date)", "1 + a::date at time zone 'z'"),
        ("$X::date", "old(a at time zone b)", "(a at time zone b)::date"),
        ("$X::date", "old(a ->> b)", "(a ->> b)::date"),
        ("$X::date", "old(a::b)", "a::b::date"),
        ("$X over (order by b)", "old(f(a))", "=can't stand in"),
    ];
    let mut wrong = Vec::new();
    for (template, code, wanted) in rows {
        let rule = format!(".find(expr(\"old($X)\")).replace(\"{template}\")");
        let wanted = if wanted.starts_with('=') { wanted.to_owned() } else { format!("select {wanted} from t\n") };
        compare(&mut wrong, "sql", &rule, &format!("select {code} from t\n"), &wanted);
    }
    none_wrong(&wrong);
}
