//! Files of one dependency a line: `requirements.txt`, and `go.mod`.

use std::ops::Range as Bytes;

use super::{Contents, Declared, Range, Version};

/// Which versions, and the one number to change.
type Read = (Result<Range, String>, Result<Bytes<usize>, String>);

/// `requirements*.txt`: `name[extra]==1.2 ; marker  # comment`.
pub(super) fn requirements(text: &str) -> Result<Contents, String> {
    let (mut at, mut all) = (0, Vec::new());
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let (start, code) = (at, line.find(" #").map_or(line, |end| &line[..end]).trim_end());
        at += line.len();
        // What a line goes on with.
        let (mut goes_on, mut more) = (line.trim_end().ends_with('\\'), String::new());
        while let Some(next) = lines.next_if(|_| goes_on) {
            at += next.len();
            goes_on = next.trim_end().ends_with('\\');
            more += next.trim_end().trim_end_matches('\\');
        }
        // `-r other.txt` and comments are none.
        let read = code.starts_with(|c: char| c.is_ascii_alphanumeric()).then(|| requirement(code, start)).flatten();
        all.extend(read.map(|one| match () {
            () if more.split_whitespace().any(|word| !word.starts_with("--")) => {
                Declared::unknown(&one.name, "it goes on in the next line")
            }
            // They are those of one version.
            () if code.contains("--hash") || more.contains("--hash") => {
                Declared { site: Err("its hashes pin it: make the file anew with what made it".to_owned()), ..one }
            }
            () => one,
        }));
    }
    Ok(all.into())
}

/// Why a requirement without a version has none.
const NONE: &str = "it names none";

/// One requirement as Python writes it, which begins at this byte of its file.
pub(super) fn requirement(text: &str, at: usize) -> Option<Declared> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(text.len());
    let name = text.get(..end).filter(|name| !name.is_empty())?;
    let mut from = end;
    if text[from..].trim_start().starts_with('[') {
        from += text[from..].find(']')? + 1;
    }
    let rest = &text[from..];
    if rest.trim_start().starts_with('@') {
        return Some(Declared::unknown(name, "an address decides it"));
    }
    if rest.contains("://") {
        // An address without a name.
        return None;
    }
    let rest = &rest[..rest.find(';').or_else(|| rest.find(" --")).unwrap_or(rest.len())];
    let rest = rest.trim_end_matches(['\\', ' ']);
    if rest.trim().is_empty() {
        return Some(Declared::unknown(name, NONE));
    }
    let inner = rest.trim().trim_start_matches('(').trim_end_matches(')');
    let from = from + rest.find(inner).unwrap_or(0);
    let (versions, site) = pythons(inner, at + from);
    Some(Declared::new(name, versions, site))
}

/// Versions as Python and Poetry write them: `>=1.2,<2`, and `~=1.4.2`, which lets only the last
/// number grow.
pub(super) fn pythons(text: &str, at: usize) -> Read {
    let Some(compatible) = text.strip_prefix("~=") else { return bounds(text, at, Range::parse) };
    bounds(text, at, |_| {
        let low = Version::parse(compatible)?;
        let kept: Vec<&str> = compatible.trim().split('.').collect();
        let (last, before) = kept.get(..kept.len().checked_sub(1)?)?.split_last()?;
        let next = last.parse::<u64>().ok()?.checked_add(1)?.to_string();
        let high = Version::parse(&[before, &[next.as_str()]].concat().join("."))?;
        let mut range = Range::default();
        range.bound(">=", low)?;
        range.bound("<", high)?;
        Some(range)
    })
}

/// Bounds as `read` understands them; the number to change where there is one bound, from below.
pub(super) fn bounds(text: &str, at: usize, read: impl FnOnce(&str) -> Option<Range>) -> Read {
    let Some(range) = read(text) else {
        let why = format!("`{text}` is not read");
        return (Err(why.clone()), Err(why));
    };
    let site = number(text, at).ok_or_else(|| format!("`{range}` is no single bound"));
    (Ok(range), site)
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
pub(super) fn go_mod(text: &str) -> Result<Contents, String> {
    let (mut at, mut inside) = (0, "");
    let (mut all, mut replaced) = (Vec::<Declared>::new(), Vec::new());
    for line in text.split_inclusive('\n') {
        let code = line.split("//").next().unwrap_or("");
        let words: Vec<&str> = code.split_whitespace().collect();
        let words = match words.as_slice() {
            [verb, "("] => {
                inside = verb;
                &[]
            }
            [")"] => {
                inside = "";
                &[]
            }
            words if inside.is_empty() => words,
            words => &[&[inside], words].concat(),
        };
        match words {
            ["require", name, version] => all.push(required(name, version, at + code.rfind(version).unwrap_or(0))),
            ["replace", name, ..] => replaced.push((*name).to_owned()),
            _ => {}
        }
        at += line.len();
    }
    for one in all.iter_mut().filter(|one| replaced.contains(&one.name)) {
        *one = Declared::unknown(&one.name, "`replace` says what is built instead");
    }
    Ok(all.into())
}

/// `v1.2.3`, which begins at this byte.
fn required(name: &str, version: &str, at: usize) -> Declared {
    // Says how the library is laid out, and stays.
    let plain = version.strip_suffix("+incompatible").unwrap_or(version);
    match Version::parse(plain) {
        Some(read) => {
            let digits = at + usize::from(version.starts_with('v'));
            Declared::new(name, Ok(Range::exactly(read)), Ok(digits..at + plain.len()))
        }
        None => Declared::unknown(name, &format!("`{version}` is no single version")),
    }
}
