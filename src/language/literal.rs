//! String literals: where the content lies between prefix and quotes, which
//! value it stands for, and how a value is written.
//!
//! What an escape means is decoded only where languages agree on it; anything
//! else has no known value, so that no rule acts on a guess.

use std::ops::Range;

use super::Language;

/// The parts of a string literal's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dissected<'a> {
    /// Letters before the opening quote, `#` of Rust's raw strings included.
    pub prefix: &'a str,
    /// The quote: `"`, `'''`, `` ` ``, …
    pub quote: &'a str,
    /// Bytes of the content, within the literal's text.
    pub content: Range<usize>,
    /// Whether backslashes stand for themselves.
    pub raw: bool,
}

/// Takes a literal apart; `None` where it is not a quoted string.
pub fn dissect<'a>(language: &Language, text: &'a str) -> Option<Dissected<'a>> {
    let start = text.find(['"', '\'', '`'])?;
    let prefix = &text[..start];
    if !prefix.chars().all(|c| c.is_alphanumeric() || c == '#' || c == '_') {
        return None;
    }
    let hashes = prefix.len() - prefix.trim_end_matches('#').len();
    let rest = &text[start..];
    let first = &rest[..1];
    let triple = &first.repeat(3);
    let quote = if rest.len() >= 6 && rest.starts_with(triple) && rest.ends_with(triple) { &rest[..3] } else { first };
    let end = text.len().checked_sub(hashes)?;
    let closed = text.len() >= start + 2 * quote.len() + hashes
        && text[..end].ends_with(quote)
        && text[end..].bytes().all(|b| b == b'#');
    if !closed {
        return None;
    }
    let facts = &language.facts.string;
    let raw = !facts.escapes
        || prefix.chars().any(|c| facts.raw_prefixes.contains(c))
        || facts.raw_quotes.iter().any(|q| q == quote);
    Some(Dissected { prefix, quote, content: start + quote.len()..end - quote.len(), raw })
}

/// The value of a literal without holes, where it is certain.
pub fn value(language: &Language, text: &str) -> Option<String> {
    let parts = dissect(language, text)?;
    let content = &text[parts.content.clone()];
    if parts.raw || !content.contains('\\') {
        return Some(content.to_owned());
    }
    let mut value = String::with_capacity(content.len());
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        value.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            same @ ('\\' | '"' | '\'' | '`') => same,
            _ => return None,
        });
    }
    Some(value)
}

/// Writes `value` as a literal: with the quotes of `like` where it is a literal
/// that can hold the value, else with the language's own.
pub fn write(language: &Language, value: &str, like: Option<&str>) -> String {
    let like = like.and_then(|text| dissect(language, text));
    let own = &language.facts.string.quote;
    let (prefix, quote, raw) = match &like {
        Some(parts) => (parts.prefix, parts.quote, parts.raw),
        None => ("", own.as_str(), !language.facts.string.escapes),
    };
    let plain = !value.contains(quote) && !value.contains(['\n', '\r', '\\']);
    if plain {
        let close: String = prefix.chars().filter(|c| *c == '#').collect();
        return format!("{prefix}{quote}{value}{quote}{close}");
    }
    if raw && !language.facts.string.escapes {
        return format!("{own}{}{own}", value.replace(own.as_str(), &own.repeat(2)));
    }
    let mut text = own.clone();
    for c in value.chars() {
        match c {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\\' => text.push_str("\\\\"),
            c if own.contains(c) => {
                text.push('\\');
                text.push(c);
            }
            c => text.push(c),
        }
    }
    text + own.as_str()
}

/// A copy of the content of a literal, of the same length, as the text of an
/// embedded language: white space stands in for what is not content.
///
/// `None` where an escape has no plain counterpart. `opaque` gets the ranges
/// that an edit must not touch, relative to `text`.
pub fn mask(language: &Language, text: &str, opaque: &mut Vec<Range<usize>>) -> Option<Vec<u8>> {
    let parts = dissect(language, text)?;
    let mut masked = vec![b' '; text.len()];
    let content = parts.content;
    masked[content.clone()].copy_from_slice(&text.as_bytes()[content.clone()]);
    opaque.push(0..content.start);
    opaque.push(content.end..text.len());
    if parts.raw {
        return Some(masked);
    }
    let mut at = content.start;
    while at < content.end {
        if masked[at] != b'\\' {
            at += 1;
            continue;
        }
        let escaped = *text.as_bytes().get(at + 1)?;
        masked[at] = b' ';
        masked[at + 1] = match escaped {
            b'n' | b't' | b'r' | b'\n' => b' ',
            same @ (b'"' | b'\'' | b'`') => same,
            _ => return None,
        };
        opaque.push(at..at + 2);
        at += 2;
    }
    Some(masked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;

    #[test]
    fn values_are_certain_or_absent() {
        let of = |language: &str, text: &str| value(by_name(language).unwrap(), text);
        assert_eq!(of("python", "'a b'").as_deref(), Some("a b"));
        assert_eq!(of("python", "r\"a\\d\"").as_deref(), Some("a\\d"));
        assert_eq!(of("python", "'''x'y'''").as_deref(), Some("x'y"));
        assert_eq!(of("python", "\"a\\tb\"").as_deref(), Some("a\tb"));
        assert_eq!(of("python", "\"\\x41\""), None);
        assert_eq!(of("rust", "r#\"a\"b\"#").as_deref(), Some("a\"b"));
        assert_eq!(of("go", "`a\\n`").as_deref(), Some("a\\n"));
        assert_eq!(of("java", "unquoted"), None);
        assert_eq!(of("python", "\""), None);
    }

    #[test]
    fn literals_are_written_as_their_neighbour() {
        let python = by_name("python").unwrap();
        assert_eq!(write(python, "x", Some("'old'")), "'x'");
        assert_eq!(write(python, "it's", Some("'old'")), "\"it's\"");
        assert_eq!(write(python, "a\"b\n", None), "\"a\\\"b\\n\"");
        assert_eq!(write(by_name("sql").unwrap(), "it's", None), "'it''s'");
        assert_eq!(write(by_name("rust").unwrap(), "x", Some("r#\"old\"#")), "r#\"x\"#");
    }

    #[test]
    fn a_mask_keeps_every_offset() {
        let java = by_name("java").unwrap();
        let text = r#""select \"a\" \n from t""#;
        let mut opaque = Vec::new();
        let masked = mask(java, text, &mut opaque).unwrap();
        assert_eq!(masked.len(), text.len());
        assert_eq!(String::from_utf8(masked).unwrap().trim(), "select  \"a \"    from t");
        assert!(opaque.contains(&(8..10)));
        assert_eq!(mask(java, r#""\u0041""#, &mut Vec::new()), None);
    }
}
