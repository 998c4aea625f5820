//! Macros of a project that put an argument where a column goes, and read nothing else.
//!
//! Must not: take a macro for one of these whose text has a name of its own.

use std::collections::BTreeMap;

/// Words of SQL that are no names of columns.
const WORDS: [&str; 30] = [
    "case",
    "when",
    "then",
    "else",
    "end",
    "as",
    "and",
    "or",
    "not",
    "null",
    "is",
    "in",
    "like",
    "between",
    "true",
    "false",
    "string",
    "int64",
    "integer",
    "date",
    "timestamp",
    "varchar",
    "float64",
    "numeric",
    "distinct",
    "int",
    "bigint",
    "text",
    "boolean",
    "interval",
];

/// The macros of a file: name, and for each parameter its name, if it is a column's.
pub(super) fn macros(text: &str) -> BTreeMap<String, Vec<Option<String>>> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((inside, body, after)) = next(rest) {
        rest = after;
        let Some((name, list)) = inside.split_once('(') else { continue };
        let Some(list) = list.trim_end().strip_suffix(')') else { continue };
        let parameters: Vec<&str> = list.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
        if parameters.iter().all(|one| is_name(one)) && is_expression(body, &parameters) {
            let columns = parameters.iter().map(|one| Some((*one).to_owned())).collect();
            found.insert(name.trim().to_owned(), columns);
        }
    }
    found
}

/// The next macro: what its tag says, its body, and what follows.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut rest = text;
    loop {
        let at = rest.find("{%")?;
        let tag = &rest[at + 2..];
        let close = tag.find("%}")?;
        let inside = tag[..close].trim_matches(['-', ' ', '\n', '\t']);
        let behind = &tag[close + 2..];
        if let Some(inside) = inside.strip_prefix("macro ") {
            let end = behind
                .find("{%")
                .filter(|end| behind[end + 2..].trim_start_matches(['-', ' ']).starts_with("endmacro"));
            // A body with tags of its own is another kind of macro.
            let (body, after) = match end {
                Some(end) => (&behind[..end], &behind[end..]),
                None => ("{%", behind),
            };
            return Some((inside, body, after));
        }
        rest = behind;
    }
}

/// Whether a body is an expression over its parameters.
fn is_expression(body: &str, parameters: &[&str]) -> bool {
    if body.contains("{%") || body.contains("{#") {
        return false;
    }
    let mut plain = String::new();
    let mut rest = body;
    while let Some(at) = rest.find("{{") {
        let Some(end) = rest[at..].find("}}") else { return false };
        let inside = rest[at + 2..at + end].trim_matches(['-', ' ', '\n', '\t']);
        if !parameters.contains(&inside) || !is_operand(&rest[..at], &rest[at + end + 2..]) {
            return false;
        }
        plain.push_str(&rest[..at]);
        plain.push(' ');
        rest = &rest[at + end + 2..];
    }
    plain.push_str(rest);
    // Texts hold no names.
    let mut outside = String::new();
    for (at, part) in plain.split('\'').enumerate() {
        outside.push_str(if at.is_multiple_of(2) { part } else { " " });
    }
    !outside.contains([';', '"', '`', '.'])
        && crate::dataset::word::words(&outside, false).into_iter().all(|(at, word)| {
            let calls = outside[at + word.len()..].trim_start().starts_with('(');
            calls && word != "select" && word != "exists"
                || WORDS.contains(&word.to_lowercase().as_str())
                || word.chars().all(|c| c.is_ascii_digit())
        })
}

/// Whether what stands between `before` and `after` is an operand: no alias, type, name of a
/// function, text, or part of a longer name.
fn is_operand(before: &str, after: &str) -> bool {
    let touches = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '}' | '{' | '\'' | '"' | '`');
    if before.ends_with(touches) || after.starts_with(touches) || before.matches('\'').count() % 2 == 1 {
        return false;
    }
    let (before, after) = (before.trim_end(), after.trim_start());
    let word = before.rsplit(|c: char| !crate::dataset::word::is_word(c)).next().unwrap_or("").to_lowercase();
    let leads = before.is_empty()
        || before.ends_with(['(', ',', '=', '<', '>', '+', '-', '*', '/', '|', '%'])
        || ["case", "when", "then", "else", "and", "or", "not", "in", "between", "distinct", "like"]
            .contains(&word.as_str());
    leads && !after.starts_with(['(', '{'])
}

fn is_name(text: &str) -> bool {
    crate::dataset::word::is_name(text)
}
