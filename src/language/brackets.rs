//! Whether brackets of a piece of code belong together, before any grammar is asked: a piece
//! that opens one and leaves it to others to close it is no code by itself.
//!
//! Texts, comments and patterns of text may hold any: where there is a way to read the code in
//! which all belong together, they do.

use super::Language;

/// The first bracket that has no other one, in every reading; `None` where brackets say nothing in the language.
pub fn unpaired(language: &Language, code: &str) -> Option<char> {
    // A shell ends the patterns of a `case` by `)`; what is between the words of YAML is text.
    if !language.facts.parentheses {
        return None;
    }
    let mark = language.facts.line_comment.as_deref();
    let ways = [&['"', '`', '\''][..], &['"', '`'], &['"', '`', '/'], &['"', '`', '\'', '/'], &[]];
    let comments = |code: &str| mark.map_or_else(|| code.to_owned(), |mark| without_comments(code, mark));
    let first = alone(code, ways[0])?;
    let commented = comments(code);
    let pairs = |quotes: &[char]| alone(code, quotes).is_none() || alone(&commented, quotes).is_none();
    (!ways.into_iter().any(pairs)).then_some(first)
}

fn without_comments(code: &str, mark: &str) -> String {
    let lines = code.split('\n').map(|line| line.split(mark).next().unwrap_or(""));
    let mut text = lines.collect::<Vec<_>>().join("\n");
    while let Some(from) = text.find("/*") {
        let to = text[from..].find("*/").map_or(text.len(), |at| from + at + 2);
        text.replace_range(from..to, "");
    }
    text
}

/// The first bracket that has no other one, where these quotes stand around texts.
fn alone(code: &str, quotes: &[char]) -> Option<char> {
    let mut open: Vec<char> = Vec::new();
    let mut rest = code.chars();
    let mut before = '(';
    while let Some(c) = rest.next() {
        // A pattern of text stands where a value may begin.
        let begins = c != '/' || "(,=:[!&|?{};".contains(before);
        before = if c.is_whitespace() { before } else { c };
        let closes = match c {
            '\\' => {
                rest.next();
                continue;
            }
            // A letter between its quotes, unless that begins a lifetime.
            '\'' if !quotes.contains(&c) => {
                let mut letter = rest.clone();
                if letter.next().is_some_and(|c| c != '\\') && letter.next() == Some('\'') {
                    rest = letter;
                }
                continue;
            }
            quote if quotes.contains(&quote) && begins => {
                // One that ends nowhere is none.
                rest = behind_text(rest.as_str(), quote).unwrap_or(rest.as_str()).chars();
                continue;
            }
            '(' | '[' | '{' => {
                open.push(c);
                continue;
            }
            ')' => '(',
            ']' => '[',
            '}' => '{',
            _ => continue,
        };
        if open.pop() != Some(closes) {
            return Some(c);
        }
    }
    open.pop()
}

/// What stands behind the text that begins here.
fn behind_text(text: &str, quote: char) -> Option<&str> {
    let mut escaped = false;
    let end = text.char_indices().find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map(|(at, _)| &text[at + quote.len_utf8()..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;

    #[test]
    fn brackets_of_code_belong_together() {
        let rows = [
            ("python", "g($X", Some('(')),
            ("python", "1), g(2", Some(')')),
            ("python", "g[1)", Some(')')),
            ("python", "g('(')", None),
            ("python", "g('('", Some('(')),
            ("python", "g(1)  # :(", None),
            ("python", "f\"{a['b']}\"", None),
            ("rust", "fn f<'a>(x: &'a str) { g('(') }", None),
            ("rust", "fn f<'a>(x: &'a str) -> &'a str { x }", None),
            ("rust", "if let Some(x) = y {", Some('{')),
            ("javascript", "x.replace(/[(]/g, `${y}`)", None),
            ("javascript", "a / b), g(c / d", Some(')')),
            ("java", "f(1 /* ) */)", None),
            ("go", "a, ok := f(x); ", None),
            ("bash", "a) b ;;", None),
            ("swift", "\"\\(a)\"", None),
        ];
        for (language, code, expected) in rows {
            assert_eq!(unpaired(by_name(language).unwrap(), code), expected, "{language}: {code}");
        }
    }
}
