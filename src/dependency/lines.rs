//! Files of one dependency a line: `requirements.txt`, and `go.mod`.

use std::ops::Range as Bytes;

use super::{Declared, Range, Version};

/// `requirements*.txt`: `name[extra]==1.2 ; marker  # comment`.
pub(super) fn requirements(text: &str) -> Result<Vec<Declared>, String> {
    let mut at = 0;
    let mut all = Vec::new();
    for line in text.split_inclusive('\n') {
        let code = line.find(" #").map_or(line, |end| &line[..end]);
        // `-r other.txt`, `--hash=…`, addresses and comments are none.
        if code.starts_with(|c: char| c.is_ascii_alphanumeric()) && !code.contains("://") {
            all.extend(requirement(code.trim_end(), at));
        }
        at += line.len();
    }
    Ok(all)
}

/// One requirement as Python writes it, which begins at this byte of its file.
pub(super) fn requirement(text: &str, at: usize) -> Option<Declared> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(text.len());
    let name = text.get(..end).filter(|name| !name.is_empty())?.to_owned();
    let mut from = end;
    if text[from..].trim_start().starts_with('[') {
        from += text[from..].find(']')? + 1;
    }
    let rest = &text[from..];
    let rest = &rest[..rest.find(';').or_else(|| rest.find(" --")).unwrap_or(rest.len())];
    let rest = rest.trim_end_matches(['\\', ' ']);
    if rest.trim().is_empty() {
        return Some(Declared { name, versions: Err("it names none".to_owned()), site: None });
    }
    let inner = rest.trim().trim_start_matches('(').trim_end_matches(')');
    let from = from + rest.find(inner).unwrap_or(0);
    let (versions, site) = pythons(inner, at + from);
    Some(Declared { name, versions, site })
}

/// `>=1.2,<2`, and `~=1.4.2`, which lets only the last number grow.
fn pythons(text: &str, at: usize) -> (Result<Range, String>, Option<Bytes<usize>>) {
    let unread = || (Err(format!("`{text}` is not read")), None);
    let Some(compatible) = text.strip_prefix("~=") else { return bounds(text, at, Range::parse) };
    let written = compatible.trim().split('.').count();
    let (Some(low), Some(dot)) = (Version::parse(compatible), written.checked_sub(2)) else { return unread() };
    let kept: Vec<&str> = compatible.trim().split('.').take(dot + 1).collect();
    let next = kept.last().and_then(|last| last.parse::<u64>().ok()).map(|last| last + 1);
    let Some(next) = next else { return unread() };
    let high = [&kept[..dot], &[next.to_string().as_str()]].concat().join(".");
    let Some(high) = Version::parse(&high) else { return unread() };
    let mut range = Range::default();
    if range.bound(">=", low).and_then(|()| range.bound("<", high)).is_none() {
        return unread();
    }
    (Ok(range), number(text, at))
}

/// Bounds as `read` understands them; the number to change where there is one bound, from below.
pub(super) fn bounds(
    text: &str,
    at: usize,
    read: impl FnOnce(&str) -> Option<Range>,
) -> (Result<Range, String>, Option<Bytes<usize>>) {
    match read(text) {
        None => (Err(format!("`{text}` is not read")), None),
        Some(range) => (Ok(range), number(text, at)),
    }
}

/// What may stand before the only number of a bound from below.
const FROM: [&str; 8] = ["", "=", "==", "===", "^", "~", ">=", "~="];

/// The bytes of the number in a bound from below that is the only one.
fn number(text: &str, at: usize) -> Option<Bytes<usize>> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let number = text[start..].trim_end();
    let alone = !number.contains(|c: char| c.is_whitespace() || c == ',');
    (alone && FROM.contains(&text[..start].trim())).then_some(at + start..at + start + number.len())
}

/// `go.mod`: `require name v1.2.3`, alone or in a list.
pub(super) fn go_mod(text: &str) -> Result<Vec<Declared>, String> {
    let (mut at, mut inside) = (0, false);
    let mut all = Vec::new();
    for line in text.split_inclusive('\n') {
        let code = line.split("//").next().unwrap_or("");
        let words: Vec<&str> = code.split_whitespace().collect();
        let pair = match words.as_slice() {
            ["require", "("] => {
                inside = true;
                None
            }
            [")"] => {
                inside = false;
                None
            }
            ["require", name, version] => Some((*name, *version)),
            [name, version] if inside => Some((*name, *version)),
            _ => None,
        };
        if let Some((name, version)) = pair {
            let start = at + code.rfind(version).unwrap_or(0);
            let (versions, site) = match Version::parse(version) {
                Some(read) => {
                    let digits = start + usize::from(version.starts_with('v'));
                    (Ok(Range::exactly(read)), Some(digits..start + version.len()))
                }
                None => (Err(format!("`{version}` is no single version")), None),
            };
            all.push(Declared { name: name.to_owned(), versions, site });
        }
        at += line.len();
    }
    Ok(all)
}
