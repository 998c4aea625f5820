//! Macros of a project, of dbt and of `dbt_utils` that put an argument where a column goes, and read nothing else.
//!
//! Must not: take a macro for one of these whose text has a name of its own.

use std::collections::BTreeMap;

use crate::dataset::sql::LIST;

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

/// What macros of dbt and `dbt_utils` take, by place: whether it is an expression of SQL.
const KNOWN: [(&str, &[bool]); 14] = [
    ("any_value", &[true]),
    ("bool_or", &[true]),
    ("cast", &[true, false]),
    ("date_trunc", &[false, true]),
    ("dateadd", &[false, false, true]),
    ("datediff", &[true, true, false]),
    ("hash", &[true]),
    ("last_day", &[true, false]),
    ("length", &[true]),
    ("position", &[false, true]),
    ("replace", &[true, false, false]),
    ("right", &[true, false]),
    ("safe_cast", &[true, false]),
    ("split_part", &[true, false, false]),
];
/// Macros that take a list of expressions.
const LISTS: [&str; 4] =
    ["dbt.concat", "dbt_utils.concat", "dbt_utils.generate_surrogate_key", "dbt_utils.surrogate_key"];

/// The macros of a project that take columns: name, and for each parameter its name, if it is a column's.
/// `package` is what the project calls itself, where it alone has its macros.
pub(super) fn macros<'t>(
    package: Option<&str>,
    texts: impl Iterator<Item = &'t str>,
) -> BTreeMap<String, Vec<Option<String>>> {
    let (mut found, mut hands_on, mut names) = (BTreeMap::new(), Vec::new(), Vec::new());
    for text in texts {
        let mut rest = text;
        while let Some((inside, body, after)) = next(rest) {
            rest = after;
            let Some((name, list)) = inside.split_once('(') else { continue };
            let name = name.trim();
            names.push(name);
            let Some(list) = list.trim_end().strip_suffix(')') else { continue };
            let parameters: Vec<&str> = list.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
            if !parameters.iter().all(|one| is_name(one)) {
                continue;
            }
            let columns: Vec<Option<String>> = parameters.iter().map(|one| Some((*one).to_owned())).collect();
            if is_expression(body, &parameters) {
                found.insert(name.to_owned(), columns);
            } else if let Some(to) = handed_to(body, &parameters, package) {
                hands_on.push((name, to, columns));
            }
        }
    }
    // `default__clean`, `snowflake__clean`: each of them may be called.
    let adapters = |of: &str| {
        let of = format!("__{of}");
        names.iter().filter(|name| name.ends_with(&of)).copied().collect::<Vec<_>>()
    };
    for (name, to, columns) in hands_on {
        let all = adapters(to);
        let plain = |one: &&str| found.get(*one).is_some_and(|own: &Vec<Option<String>>| own.len() == columns.len());
        if !all.is_empty() && all.iter().all(plain) {
            found.insert(name.to_owned(), columns);
        }
    }
    let expression = |is: &bool| is.then(|| "expression".to_owned());
    for (name, parameters) in KNOWN.into_iter().filter(|(name, _)| adapters(name).is_empty()) {
        for package in ["dbt", "dbt_utils"] {
            found.insert(format!("{package}.{name}"), parameters.iter().map(expression).collect());
        }
    }
    for name in LISTS.into_iter().filter(|name| adapters(name.rsplit('.').next().unwrap_or(name)).is_empty()) {
        found.insert(name.to_owned(), vec![Some(LIST.to_owned())]);
    }
    found
}

/// What a body hands its parameters on to, as they are: `{{ return(adapter.dispatch('clean', 'shop')(c)) }}`.
fn handed_to<'t>(body: &'t str, parameters: &[&str], package: Option<&str>) -> Option<&'t str> {
    let inside = body.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim_matches(['-', ' ', '\n', '\t']);
    let call = inside.strip_prefix("return(").and_then(|call| call.strip_suffix(')')).unwrap_or(inside).trim();
    let (name, list) = call.strip_prefix("adapter.dispatch(")?.split_once(')')?;
    let list = list.trim().strip_prefix('(')?.strip_suffix(')')?;
    let (name, of) = name.split_once(',').map_or((name, None), |(name, of)| (name, Some(of.trim())));
    let name = quoted(name)?;
    // Of another package's macros nobody knows the bodies.
    let named =
        |of: &'t str| quoted(of.strip_prefix("macro_namespace").map_or(of, |of| of.trim_start_matches([' ', '='])));
    let own = of.is_none_or(|of| named(of).is_some_and(|of| Some(of) == package));
    (own && is_name(name) && list.split(',').map(str::trim).eq(parameters.iter().copied())).then_some(name)
}

/// What a text of Jinja says.
fn quoted(text: &str) -> Option<&str> {
    let inside = |mark: char| text.trim().strip_prefix(mark)?.strip_suffix(mark);
    inside('\'').or_else(|| inside('"'))
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
