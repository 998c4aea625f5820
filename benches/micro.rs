//! The parts that a run consists of, each by itself: `cargo bench --bench micro`.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use gander::edit::{Edit, Fragment, apply, arrange};
use gander::language::{Language, by_name};
use gander::pattern::compile;
use gander::rule::{Facts, RuleSet};
use gander::script::{Inputs, Source, load};
use gander::transform::file;
use gander::tree::parse;

fn main() {
    divan::main();
}

fn python() -> &'static Language {
    by_name("python").unwrap()
}

/// About 100 KB of Python; every tenth function calls `old_name`.
fn code() -> String {
    let function = |n: usize| {
        let name = if n.is_multiple_of(10) { "old_name" } else { "other_name" };
        format!(
            "def function_{n}(rows):\n    total = 0\n    for row in rows:\n        if row['key'] == {n}:\n            \
             total += {name}(row, limit={n})\n    return total\n\n"
        )
    };
    (0..700).map(function).collect()
}

fn rules(then: &str) -> RuleSet {
    let text = format!("rule(\"r\").lang(\"python\").find(\"old_name($$$A)\"){then};");
    load(&[Source { name: "r.rhai".to_owned(), text, ..Source::default() }], &Inputs::default())
        .map_err(|e| e.render(false))
        .unwrap()
}

/// A file that lacks the name.
#[divan::bench]
fn prefilter_miss(bencher: Bencher<'_, '_>) {
    let (set, text) = (rules(".delete()"), code().replace("old_name", "new_name"));
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| set.scan(python(), "t.py", text.as_bytes()));
}

/// A file that has the name 70 times.
#[divan::bench]
fn prefilter_hit(bencher: Bencher<'_, '_>) {
    let (set, text) = (rules(".delete()"), code());
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| set.scan(python(), "t.py", text.as_bytes()));
}

#[divan::bench]
fn parse_and_lay_out(bencher: Bencher<'_, '_>) {
    let text = code();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| parse(python(), text.as_str()).unwrap().len());
}

/// A pattern against every node of a tree.
#[divan::bench]
fn match_every_node(bencher: Bencher<'_, '_>) {
    let tree = parse(python(), code()).unwrap();
    let pattern = compile(python(), "old_name($A, limit=$B)", None).unwrap();
    let matches = || tree.iter().filter(|node| pattern.matches(*node).is_some()).count();
    assert_eq!(matches(), 70);
    bencher.counter(ItemsCount::new(tree.len())).bench_local(matches);
}

#[divan::bench(args = [100, 10_000])]
fn splice(bencher: Bencher<'_, '_>, edits: usize) {
    let text = "old_name(1)\n".repeat(edits);
    let one = |n: usize| Edit {
        range: n * 12..n * 12 + 11,
        replacement: vec![Fragment::Text("new(".to_owned()), Fragment::Copy(n * 12 + 9..n * 12 + 10)],
        rule: "r".to_owned(),
        match_id: n as u32,
        drops: false,
    };
    let all: Vec<Edit> = (0..edits).map(one).collect();
    bencher.counter(ItemsCount::new(edits)).bench_local(|| apply(&text, &arrange(&text, &all).unwrap().splices).len());
}

/// A file from bytes to checked result: by a template, and by a closure for each match.
#[divan::bench(args = [".replace(\"new_name($$$A)\")", ".edit(|m, cx| edits([replace(m.node, code(\"new_name($$$A)\", #{ A: m.A }))]))"])]
fn rewrite(bencher: Bencher<'_, '_>, then: &str) {
    let (set, text, facts) = (rules(then), code(), Arc::new(Facts::default()));
    let run = || file(&set, &facts, "a.py", text.as_bytes());
    let report = run();
    assert!(report.change.is_some(), "{:?}", report.findings);
    bencher.counter(BytesCount::of_str(&text)).bench_local(run);
}
