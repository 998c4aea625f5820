//! String literals: where the content lies between prefix and quotes, which
//! value it stands for, and how a value is written.
//!
//! What an escape means is decoded only where languages agree on it; anything
//! else has no known value, so that no rule acts on a guess.

use std::borrow::Cow;
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
    let inner = rest.strip_suffix(&prefix[prefix.len() - hashes..]).unwrap_or(rest);
    let is_triple = inner.len() >= 6 && inner.starts_with(triple) && inner.ends_with(triple);
    let quote = if is_triple { &rest[..3] } else { first };
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

/// True or false, as the language writes them.
pub fn truth(language: &Language, value: bool) -> &str {
    &language.facts.truth[usize::from(!value)]
}

/// The value of a literal number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Without a fraction.
    Whole(i64),
    /// With one.
    Real(f64),
}

/// The value of a number of a language.
pub fn number_of(language: &Language, text: &str) -> Option<Number> {
    let old = language.facts.old_octals && text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let octal = text.strip_prefix('0').filter(|digits| old && !digits.is_empty());
    match octal {
        Some(digits) => i64::from_str_radix(&digits.replace('_', ""), 8).ok().map(Number::Whole),
        None => number_value(text),
    }
}

/// The value of a number, where languages agree on what it is: with `_` between digits, with a prefix
/// (`0x`, `0o`, `0b`), and with a suffix that says its type. `012` is eight or twelve, and so is nothing.
pub fn number_value(text: &str) -> Option<Number> {
    let plain = text.replace('_', "");
    if text.ends_with('_') || !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let radix = plain.get(..2).and_then(|prefix| match prefix {
        "0x" | "0X" => Some(16),
        "0o" | "0O" => Some(8),
        "0b" | "0B" => Some(2),
        _ => None,
    });
    let whole = |digits: &str, radix| i64::from_str_radix(digits, radix).ok().map(Number::Whole);
    if let Some(radix) = radix {
        let digits = without_suffix(&plain[2..], radix == 16);
        return whole(digits, radix);
    }
    let digits = without_suffix(&plain, false);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let real = plain[digits.len()..].starts_with(['f', 'F', 'd', 'D']);
        let odd = digits.len() > 1 && digits.starts_with('0');
        return if real { digits.parse().ok().map(Number::Real) } else { whole(digits, 10).filter(|_| !odd) };
    }
    let decimal = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    digits.parse().ok().filter(|value: &f64| decimal && value.is_finite()).map(Number::Real)
}

/// The digits of a number, without what says its type: `L`, `ul`, `u32`, `f64`, `n`.
fn without_suffix(text: &str, hexadecimal: bool) -> &str {
    let typed = ["u", "i", "f"]
        .iter()
        .flat_map(|kind| ["8", "16", "32", "64", "128", "size"].map(|bits| format!("{kind}{bits}")));
    let mut typed = typed.filter(|suffix| !(hexadecimal && suffix.starts_with('f')));
    if let Some(digits) = typed.find_map(|suffix| text.strip_suffix(suffix.as_str())) {
        return digits;
    }
    let letters: &[char] =
        if hexadecimal { &['l', 'L', 'u', 'U', 'n'] } else { &['l', 'L', 'u', 'U', 'n', 'f', 'F', 'd', 'D'] };
    text.trim_end_matches(letters)
}

/// The value of a literal without holes, where it is certain.
pub fn value(language: &Language, text: &str) -> Option<String> {
    let parts = dissect(language, text)?;
    let mut content = Cow::Borrowed(&text[parts.content.clone()]);
    let facts = &language.facts.string;
    if formats(facts, &parts, &content) {
        return None;
    }
    for pair in facts.doubled.iter().filter(|_| doubles(language, &parts)) {
        // Which of three are a pair, and which belong to a hole, is not told here.
        let longer = format!("{pair}{}", &pair[..1]);
        if content.contains(&longer) {
            return None;
        }
        content = Cow::Owned(content.replace(pair.as_str(), &pair[..1]));
    }
    if facts.stripped_quotes.iter().any(|q| q == parts.quote) {
        content = Cow::Owned(stripped(&content)?);
    }
    if has_margin(facts, &parts) {
        content = Cow::Owned(without_margin(&content)?);
    }
    let content = content.as_ref();
    if parts.raw {
        // Swift's raw texts have escapes still, with as many `#` as the quote has.
        let hashes = parts.prefix.trim_start_matches(|c| c != '#');
        if facts.raw_prefixes.contains('#') && content.contains(&format!("\\{hashes}")) {
            return None;
        }
        let twice = facts.doubled_quotes.iter().any(|q| q == parts.quote);
        return Some(if twice { content.replace(&parts.quote.repeat(2), parts.quote) } else { content.to_owned() });
    }
    let bytes = parts.prefix.contains(['b', 'B']);
    let mut value = String::with_capacity(content.len());
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        value.push(match chars.next()? {
            'n' if facts.escape_letters => '\n',
            't' if facts.escape_letters => '\t',
            'r' if facts.escape_letters => '\r',
            'x' if facts.escape_letters => ascii(number(&mut chars, 2, 16)?)?,
            'u' if facts.escape_letters && !bytes => unicode(&mut chars)?,
            same @ ('\\' | '"' | '\'' | '`') => same,
            _ => return None,
        });
    }
    Some(value)
}

/// A text block without its indentation and the white space at the ends of its lines.
fn stripped(content: &str) -> Option<String> {
    let blanks = [' ', '\t'];
    let (first, rest) = content.split_once('\n')?;
    let lines: Vec<&str> = rest.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let odd = |c: char| c.is_whitespace() && !blanks.contains(&c);
    if !first.trim().is_empty() || lines.iter().any(|line| line.contains(odd)) {
        return None;
    }
    let indent = |line: &str| line.len() - line.trim_start_matches(blanks).len();
    let (last, before) = lines.split_last()?;
    let counted = before.iter().filter(|line| indent(line) < line.len()).chain([last]);
    let least = counted.map(|line| indent(line)).min()?;
    let each = lines.iter().map(|line| line.get(least..).unwrap_or("").trim_end_matches(blanks));
    Some(each.collect::<Vec<_>>().join("\n"))
}

/// Whether the lines of a literal lose the indentation of its closing quotes.
fn has_margin(facts: &super::StringFacts, parts: &Dissected<'_>) -> bool {
    facts.margin_quotes.iter().any(|q| q == parts.quote)
}

/// Lines between quotes, without what the closing ones are indented by. None where they are not indented
/// alike, or where a line goes on in the next one.
fn without_margin(content: &str) -> Option<String> {
    let (first, rest) = content.split_once('\n')?;
    let (body, margin) = rest.rsplit_once('\n').unwrap_or(("", rest));
    let blank = |text: &str| text.chars().all(|c| c == ' ' || c == '\t');
    if !first.trim().is_empty() || !blank(margin) {
        return None;
    }
    let mut lines = Vec::new();
    for line in body.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.ends_with('\\') {
            return None;
        }
        match line.strip_prefix(margin) {
            Some(own) => lines.push(own),
            None if blank(line) => lines.push(""),
            None => return None,
        }
    }
    Some(lines.join("\n"))
}

/// `{{` stands for `{` in this literal, or whatever pairs the language has.
fn doubles(language: &Language, parts: &Dissected<'_>) -> bool {
    let prefixes = &language.facts.string.doubled_prefixes;
    prefixes.is_empty() || prefixes.iter().any(|p| parts.prefix.eq_ignore_ascii_case(p))
}

/// Whether a `%` of a text says how something is written, where it stands in a literal like that.
fn formats(facts: &super::StringFacts, parts: &Dissected<'_>, text: &str) -> bool {
    text.contains('%') && facts.format_prefixes.iter().any(|prefix| prefix == parts.prefix)
}

fn number(chars: &mut std::str::Chars<'_>, digits: usize, radix: u32) -> Option<u32> {
    (0..digits).try_fold(0, |sum, _| Some(sum * radix + chars.next()?.to_digit(radix)?))
}

/// Beyond ASCII `\x` is a byte in some languages, and a character in others.
fn ascii(code: u32) -> Option<char> {
    char::from_u32(code).filter(char::is_ascii)
}

/// `\u0041` or `\u{41}`; half a surrogate pair has no value of its own.
fn unicode(chars: &mut std::str::Chars<'_>) -> Option<char> {
    if !chars.as_str().starts_with('{') {
        return char::from_u32(number(chars, 4, 16)?);
    }
    let digits = chars.as_str()[1..].split('}').next().filter(|d| (1..=6).contains(&d.len()))?;
    let code = u32::from_str_radix(digits, 16).ok()?;
    chars.nth(digits.len() + 1)?;
    char::from_u32(code)
}

/// Whether a literal is a string whose value can't be told, though no hole is in it.
pub fn is_uncertain(language: &Language, text: &str) -> bool {
    let facts = &language.facts.string;
    let odd = |parts: Dissected<'_>| {
        let content = &text[parts.content.clone()];
        content.contains('\\')
            || formats(facts, &parts, content)
            || facts.stripped_quotes.iter().any(|q| q == parts.quote)
            || has_margin(facts, &parts)
            || doubles(language, &parts) && facts.doubled.iter().any(|pair| content.contains(pair.as_str()))
    };
    value(language, text).is_none() && dissect(language, text).is_some_and(odd)
}

/// Whether code without quotes is text to every reader: of old ones, some take `on` for true, and `1:30` for a number.
pub fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"];
    let version = text.starts_with(|c: char| c.is_ascii_digit())
        && text.split('.').count() > 2
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    let begins = text.chars().next().is_some_and(|c| c.is_alphabetic() || "/_".contains(c));
    (begins || version) && !text.contains('\n') && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether a text can be written without quotes wherever a value may stand.
fn may_be_plain(text: &str) -> bool {
    let may = |c: char| c.is_alphanumeric() || " _-./:@+=~%".contains(c);
    is_plain(text) && text.chars().all(may) && !text.contains(": ") && !text.ends_with([' ', ':'])
}

/// Writes `value` as a literal: with the quotes of `like` where it is a literal
/// that can hold the value, else with the language's own.
pub fn write(language: &Language, value: &str, like: Option<&str>) -> String {
    let bare = |text: &str| !language.facts.string.plain.is_empty() && dissect(language, text).is_none();
    if like.is_some_and(bare) && may_be_plain(value) {
        return value.to_owned();
    }
    let like = like.and_then(|text| dissect(language, text));
    let own = &language.facts.string.quote;
    let (prefix, quote, raw) = match &like {
        Some(parts) => (parts.prefix, parts.quote, parts.raw),
        None => ("", own.as_str(), !language.facts.string.escapes),
    };
    let facts = &language.facts.string;
    // Bytes have characters of ASCII; what else they hold, they hold as UTF-8.
    let bytes = prefix.contains(|c| facts.byte_prefixes.contains(c));
    // What would open a hole is written another way.
    let holes = like.as_ref().is_some_and(|parts| {
        let doubled = !facts.doubled.is_empty() && doubles(language, parts);
        doubled && value.contains(['{', '}', '$'])
            || parts.quote == "`" && value.contains("${")
            || formats(facts, parts, value)
    });
    let strips = facts.stripped_quotes.iter().chain(&facts.margin_quotes).any(|q| q == quote);
    let opens = |c: char| facts.interpolates && c == '$' || facts.backticks && c == '`';
    let dollar = value.contains(opens);
    // Not every language has tabs in its texts, and one that has no letters behind a backslash has line breaks.
    let tab = facts.escape_letters && value.contains('\t');
    let plain = !(value.contains(quote) || value.contains(['\n', '\r', '\\']) || holes || strips || dollar || tab);
    if plain && (value.is_ascii() || !bytes) {
        let close: String = prefix.chars().filter(|c| *c == '#').collect();
        return format!("{prefix}{quote}{value}{quote}{close}");
    }
    if raw && !language.facts.string.escapes {
        return format!("{own}{}{own}", value.replace(own.as_str(), &own.repeat(2)));
    }
    // Bytes stay bytes, and what is written raw may be written with escapes.
    let kind: String = prefix.chars().filter(|c| matches!(c, 'b' | 'B' | 'c')).collect();
    let mut text = kind + own.as_str();
    for c in value.chars() {
        match c {
            '\n' if facts.escape_letters => text.push_str("\\n"),
            '\r' if facts.escape_letters => text.push_str("\\r"),
            '\t' if facts.escape_letters => text.push_str("\\t"),
            '\\' => text.push_str("\\\\"),
            c if own.contains(c) || opens(c) => {
                text.push('\\');
                text.push(c);
            }
            c if bytes && !c.is_ascii() => {
                text.extend(c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("\\x{byte:02x}")));
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
    let content = parts.content.clone();
    masked[content.clone()].copy_from_slice(&text.as_bytes()[content.clone()]);
    opaque.push(0..content.start);
    opaque.push(content.end..text.len());
    let facts = &language.facts.string;
    let doubled = doubles(language, &parts);
    let bytes = text.as_bytes();
    let (mut at, mut quotes) = (content.start, 0_u32);
    while at < content.end {
        if let Some(pair) = facts.doubled.iter().find(|p| doubled && text[at..content.end].starts_with(p.as_str())) {
            masked[at] = b' ';
            opaque.push(at..at + pair.len());
            at += pair.len();
            continue;
        }
        if parts.raw || bytes[at] != b'\\' {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let (escaped, length) = match *bytes.get(at + 1)? {
            b'\r' if bytes.get(at + 2) == Some(&b'\n') => (b'\n', 3),
            other => (other, 2),
        };
        masked[at..(at + length).min(content.end)].fill(b' ');
        match escaped {
            // A word would go on in the next line.
            b'\n' if at > content.start && !bytes[at - 1].is_ascii_whitespace() => return None,
            b'\n' => {}
            b'n' | b't' | b'r' if facts.escape_letters => {}
            quote @ (b'"' | b'\'' | b'`') => {
                // No white space on the inside: of every second one it follows.
                masked[at + usize::from(quotes % 2 == 0)] = quote;
                quotes += 1;
            }
            _ => return None,
        }
        opaque.push(at..at + length);
        at += length;
    }
    Some(masked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;

    #[test]
    fn numbers_are_certain_or_absent() {
        let whole = [
            ("255", 255),
            ("0xff", 255),
            ("0xFFL", 255),
            ("1_000", 1000),
            ("0b11u8", 3),
            ("0o17", 15),
            ("7n", 7),
            ("0", 0),
        ];
        for (text, value) in whole {
            assert_eq!(number_value(text), Some(Number::Whole(value)), "{text}");
        }
        for (text, value) in [("1.5", 1.5), ("1e3", 1000.0), ("2f", 2.0), ("2.5f32", 2.5), (".5", 0.5), ("3d", 3.0)] {
            assert_eq!(number_value(text), Some(Number::Real(value)), "{text}");
        }
        let number = |language: &str, text| number_of(crate::language::by_name(language).unwrap(), text);
        assert_eq!(
            [number("go", "0777"), number("java", "0_17"), number("go", "0")].map(Option::unwrap),
            [511, 15, 0].map(Number::Whole)
        );
        assert!(number("python", "0777").is_none() && number("go", "089").is_none() && number("go", "0.5").is_some());
        for text in
            ["012", "3j", "0x1p3", "a1", "1_", "99999999999999999999", "1.2.3", "2024-01-01", "0x", "", "infinity"]
        {
            assert_eq!(number_value(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_stay_bytes() {
        let like = |language: &str, value: &str, like: &str| write(by_name(language).unwrap(), value, Some(like));
        assert_eq!(like("python", "it's", "b'c'"), "b\"it's\"");
        assert_eq!(like("python", "it's", "r'c'"), "\"it's\"");
        assert_eq!(like("rust", "a\\b", "b\"c\""), "b\"a\\\\b\"");
        assert_eq!(like("python", "é", "b'c'"), "b\"\\xc3\\xa9\"");
        assert_eq!(like("python", "é'", "rb'c'"), "b\"\\xc3\\xa9'\"");
        assert_eq!(like("rust", "é", "b\"c\""), "b\"\\xc3\\xa9\"");
        assert_eq!(like("rust", "é", "br#\"c\"#"), "b\"\\xc3\\xa9\"");
        assert_eq!(like("python", "é", "'c'"), "'é'");
        assert_eq!(like("scala", "é", "b\"c\""), "b\"é\"", "an interpolator of someone's own");
    }

    #[test]
    fn values_are_certain_or_absent() {
        let of = |language: &str, text: &str| value(by_name(language).unwrap(), text);
        assert_eq!(of("python", "'a b'").as_deref(), Some("a b"));
        assert_eq!(of("python", "r\"a\\d\"").as_deref(), Some("a\\d"));
        assert_eq!(of("python", "'''x'y'''").as_deref(), Some("x'y"));
        assert_eq!(of("python", "\"a\\tb\"").as_deref(), Some("a\tb"));
        assert_eq!(of("python", "\"users\\x5fv1\"").as_deref(), Some("users_v1"));
        assert_eq!(of("java", "\"users\\u005fv1\"").as_deref(), Some("users_v1"));
        assert_eq!(of("javascript", "'users\\u{5f}v1'").as_deref(), Some("users_v1"));
        assert_eq!(of("python", "\"\\xe9\""), None);
        assert_eq!(of("python", "b\"\\u0041\""), None);
        assert_eq!(of("python", "\"\\N{DIGIT ONE}\""), None);
        assert_eq!(of("python", "f\"{{a}}\"").as_deref(), Some("{a}"));
        assert_eq!(of("python", "f\"{{{a}}}\""), None);
        assert_eq!(of("python", "\"{{a}}\"").as_deref(), Some("{{a}}"));
        assert_eq!(of("java", "\"\"\"\n  a\"\"\"").as_deref(), Some("a"));
        assert_eq!(of("java", "\"\"\"  \r\n    a  \r\n\r\n      b\\n\r\n   \"\"\"").as_deref(), Some(" a\n\n   b\n\n"));
        assert_eq!(of("java", "\"\"\"\n  a\\\n  b\"\"\""), None, "the line goes on");
        assert_eq!(of("swift", "\"\"\"\n    a\n      b\n\n    \"\"\"").as_deref(), Some("a\n  b\n"));
        assert_eq!(of("swift", "\"\"\"\n  a\n    \"\"\""), None, "indented less");
        assert_eq!(of("swift", "#\"\"\"\n  a\"b\\n\n  \"\"\"#").as_deref(), Some("a\"b\\n"));
        assert_eq!(of("swift", "#\"a\\#nb\"#"), None, "an escape still");
        assert_eq!(of("swift", "#\"a\\\"b\"#").as_deref(), Some("a\\\"b"));
        assert_eq!(of("bash", "\"a\\nb\""), None, "a backslash and an n");
        assert_eq!(of("yaml", "'it''s a\\tb'").as_deref(), Some("it's a\\tb"));
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
        assert_eq!(write(python, "{x}", Some("f'old'")), "\"{x}\"");
        assert_eq!(write(by_name("kotlin").unwrap(), "a$b", None), "\"a\\$b\"");
        assert_eq!(write(by_name("kotlin").unwrap(), "a`b", None), "\"a`b\"");
        assert_eq!(write(by_name("javascript").unwrap(), "${b}", Some("`a`")), "\"${b}\"");
        assert_eq!(write(python, "a\"b\n", None), "\"a\\\"b\\n\"");
        assert_eq!(write(by_name("sql").unwrap(), "it's", None), "'it\\'s'");
        assert_eq!(write(by_name("json").unwrap(), "a\tb", Some("\"q\"")), "\"a\\tb\"");
        assert_eq!(write(by_name("bash").unwrap(), "a\nb", Some("'q'")), "\"a\nb\"");
        assert_eq!(write(by_name("rust").unwrap(), "x", Some("r#\"old\"#")), "r#\"x\"#");
        let yaml = |value: &str| write(by_name("yaml").unwrap(), value, Some("old"));
        for value in ["new:1", "quay.io/x", "yes2", "1.2.3", "a b", "/usr", "a-1"] {
            assert_eq!(yaml(value), value);
        }
        for value in [
            "yes",
            "NO",
            "1",
            "1.2",
            "1:30",
            "2024-01-01",
            "~",
            "",
            "-1",
            "a: b",
            "a #b",
            "a:",
            "*a",
            "[a]",
            "a, b",
            " a",
        ] {
            assert_eq!(yaml(value), format!("\"{value}\""));
        }
    }

    #[test]
    fn a_mask_keeps_every_offset() {
        let java = by_name("java").unwrap();
        let text = r#""select \"a\" \n from t""#;
        let mut opaque = Vec::new();
        let masked = mask(java, text, &mut opaque).unwrap();
        assert_eq!(masked.len(), text.len());
        assert_eq!(String::from_utf8(masked).unwrap().trim(), "select  \"a\"     from t");
        assert!(opaque.contains(&(8..10)));
        assert_eq!(mask(java, r#""\u0041""#, &mut Vec::new()), None);
    }
}
