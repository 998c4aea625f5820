//! sbt and Gradle. Both are programs: what is read is what they say outright, and names that
//! the same file gives a text once.

use std::ops::Range as Bytes;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{Declared, Range, Version};

fn regex(text: &str) -> Regex {
    // Each is a constant of this file, and tested.
    Regex::new(text).unwrap_or_else(|error| unreachable!("{error}"))
}

static SBT: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#""(?<g>[\w.-]+)"\s*%{1,3}\s*"(?<a>[\w.-]+)"\s*%\s*(?:"(?<v>[^"\n]*)"|(?<n>[A-Za-z_][\w.]*))"#)
});
static COORDINATES: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"["'](?<g>[\w.-]+):(?<a>[\w.-]+):(?:\$\{?(?<n>[A-Za-z_][\w.]*)\}?|(?<v>[^"':$@\n]+))(?::[\w.-]+)?(?:@\w+)?["']"#,
    )
});
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"group\s*[:=]\s*["'](?<g>[\w.-]+)["']\s*,\s*name\s*[:=]\s*["'](?<a>[\w.-]+)["']\s*,\s*version\s*[:=]\s*(?:["'](?<v>[^"'$\n]+)["']|(?<n>[A-Za-z_][\w.]*))"#,
    )
});
static SET: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?:\b(?<n>[A-Za-z_]\w*)\s*(?::\s*String\s*)?(?:=|\bby\s+extra\()|["'](?<q>[A-Za-z_]\w*)["']\s*[,:=])\s*["'](?<v>[^"'\n]*)["']"#,
    )
});

/// `"g" %% "a" % "v"` in build.sbt and in project/*.scala.
pub(super) fn sbt(text: &str) -> Result<Vec<Declared>, String> {
    Ok(all(text, &[&SBT]))
}

/// `"g:a:v"`, and `group: 'g', name: 'a', version: 'v'`.
pub(super) fn gradle(text: &str) -> Result<Vec<Declared>, String> {
    Ok(all(text, &[&COORDINATES, &NAMED]))
}

fn all(text: &str, shapes: &[&Regex]) -> Vec<Declared> {
    let code = without_comments(text);
    let found = shapes.iter().flat_map(|shape| shape.captures_iter(&code).map(|c| declared(&code, &c)));
    let mut found: Vec<Declared> = found.collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn declared(code: &str, found: &Captures<'_>) -> Declared {
    let part = |name: &str| found.name(name).map_or("", |m| m.as_str());
    let name = format!("{}:{}", part("g"), part("a"));
    let (versions, site) = match (found.name("v"), found.name("n")) {
        (Some(version), _) => written(version.as_str(), version.range()),
        (None, Some(named)) => followed(code, named.as_str()),
        (None, None) => (Err("it names none".to_owned()), None),
    };
    Declared { name, versions, site }
}

/// A version that is written where it is needed.
fn written(text: &str, at: Bytes<usize>) -> (Result<Range, String>, Option<Bytes<usize>>) {
    match Version::parse(text) {
        Some(version) => (Ok(Range::exactly(version)), Some(at)),
        None => (Err(format!("`{text}` is no single version")), None),
    }
}

/// A version that has a name: the one text that the file gives it.
fn followed(code: &str, name: &str) -> (Result<Range, String>, Option<Bytes<usize>>) {
    let last = name.rsplit('.').next().unwrap_or(name);
    let named = |found: &Captures<'_>| found.name("n").or(found.name("q")).is_some_and(|n| n.as_str() == last);
    let mut values = SET.captures_iter(code).filter(named);
    match (values.next().and_then(|found| found.name("v")), values.next()) {
        (Some(value), None) => written(value.as_str(), value.range()),
        (Some(_), Some(_)) => (Err(format!("`{name}` is given more than one value in this file")), None),
        (None, _) => (Err(format!("`{name}` is given no value in this file")), None),
    }
}

/// The same text with spaces for its comments. What begins a comment in a text does not.
fn without_comments(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = text.to_owned().into_bytes();
    let (mut at, mut quote) = (0, None);
    while at < bytes.len() {
        let here = bytes[at];
        match quote {
            Some(open) => {
                if here == b'\\' {
                    at += 1;
                } else if here == open || here == b'\n' {
                    quote = None;
                }
                at += 1;
            }
            None if here == b'"' || here == b'\'' => {
                quote = Some(here);
                at += 1;
            }
            None if bytes[at..].starts_with(b"//") || bytes[at..].starts_with(b"/*") => {
                let ending: &[u8] = if bytes[at + 1] == b'/' { b"\n" } else { b"*/" };
                let length = memchr::memmem::find(&bytes[at + 2..], ending).map_or(bytes.len() - at - 2, |n| {
                    // The line stays one.
                    n + if ending.len() == 2 { 2 } else { 0 }
                });
                let end = at + 2 + length;
                out[at..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
                at = end;
            }
            None => at += 1,
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}
