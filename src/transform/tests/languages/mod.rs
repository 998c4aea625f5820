//! What holds in every language that it can occur in: each of these walks a table that has rows of all
//! languages, or says why one has none.

mod access;
mod comments;
mod elements;
mod ends;
mod hollow;
mod homes;
mod lines;
mod macros;
mod names;
mod needed;
mod once;
mod overlaps;
mod sequence;
mod standing;
mod tags;
mod units;

use std::collections::{BTreeMap, BTreeSet};

use super::check;
use crate::language::{all, by_name};

/// Each language has rows, or a reason to have none, and not both.
fn covers<'a>(rows: impl Iterator<Item = &'a str>, without: &[(&str, &str)]) {
    let rows: BTreeSet<&str> = rows.collect();
    let without: BTreeMap<&str, &str> = without.iter().copied().collect();
    for language in all() {
        let name = language.facts.name.as_str();
        assert!(rows.contains(name) != without.contains_key(name), "{name}: rows, or a reason to have none");
    }
    assert!(rows.iter().chain(without.keys()).all(|name| by_name(name).is_some_and(|l| l.facts.name == *name)));
}

/// A file of that language.
fn path(language: &str) -> String {
    format!("a.{}", by_name(language).unwrap().facts.extensions[0])
}

/// What a rule, from its `find` on, makes of code.
fn made(language: &str, rule: &str, code: &str) -> String {
    check(&format!("rule(\"r\").lang({language:?}){rule};"), &path(language), code)
}

/// Every row that came out otherwise, at once.
fn none_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// One row: `wanted` is the result, or begins with `=` and says what is said of unchanged code.
fn compare(wrong: &mut Vec<String>, language: &str, rule: &str, code: &str, wanted: &str) {
    let made = made(language, rule, code);
    let fits = match wanted.strip_prefix('=') {
        Some("") => made == "=",
        Some(said) => made.starts_with("=\nRefused") && made.contains(said),
        None => made == wanted,
    };
    if !fits {
        wrong.push(format!("{language}: {rule}: {code:?}\n  {made:?}\n  {wanted:?}"));
    }
}
