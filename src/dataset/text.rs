//! Texts in code: a literal, or literals that are joined, as one text of the same length,
//! so that every place in it is a place of the file.
//!
//! Unlike a rule's embedded code, which is refused where a part of it is uncertain, a text
//! here is read as far as it goes: what is put in at run time, and an escape without a
//! plain counterpart, is a hole, and whoever reads the text must doubt it.
//! Must not: know SQL.

use std::ops::Range;

use crate::language::literal;
use crate::tree::{Node, operands};

/// A text of the file.
pub(super) struct Text {
    /// As long as the code it stands in; quotes, escapes and operators are white space.
    pub(super) masked: String,
    /// Where it begins in the file.
    pub(super) start: usize,
    /// Bytes of `masked` that are put in at run time, sorted.
    pub(super) holes: Vec<Range<usize>>,
    /// Bytes of the file that no edit may touch.
    pub(super) opaque: Vec<Range<usize>>,
    /// The literals: bytes of the file, and their quotes.
    pub(super) pieces: Vec<(Range<usize>, String)>,
}

/// How placeholders are written that a call behind or around a literal fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placeholders {
    None,
    /// `{}`, `{name}`
    Braces,
    /// `%s`, `%(name)s`
    Percent,
    /// What looks like one of these, and like nothing else of SQL.
    Any,
}

/// Reads a text; `None` where its pieces can't be told apart: `"users" + "_v1"`.
pub(super) fn read(node: Node<'_>, placeholders: Placeholders, margin: bool) -> Option<Text> {
    let language = node.tree().language;
    let whole = node.local_range();
    let pieces = operands(node);
    if !pieces.iter().any(|piece| language.is_string(piece.kind_id())) {
        return None;
    }
    let comments = pieces.iter().any(|piece| piece.text().contains("--") || piece.text().contains('#'));
    let base = node.tree().base();
    let mut text = Text {
        masked: String::new(),
        start: node.range().start,
        holes: Vec::new(),
        opaque: Vec::new(),
        pieces: Vec::new(),
    };
    let mut masked = vec![b' '; whole.len()];
    let (mut at, mut open_word) = (whole.start, false);
    let word = |c: Option<char>| c.is_some_and(super::word::is_word);
    for piece in &pieces {
        let range = piece.local_range();
        text.opaque.push(at + base..range.start + base);
        at = range.end;
        let local = range.start - whole.start..range.end - whole.start;
        if !language.is_string(piece.kind_id()) {
            if open_word {
                return None;
            }
            masked[local.clone()].fill(b'x');
            text.holes.push(local);
            text.opaque.push(range.start + base..range.end + base);
            open_word = true;
            continue;
        }
        let source = piece.text();
        let parts = literal::dissect(language, source)?;
        text.pieces.push((range.start + base..range.end + base, parts.quote.to_owned()));
        let mut mask = Mask {
            bytes: source.as_bytes(),
            out: &mut masked[local.clone()],
            holes: Vec::new(),
            opaque: vec![0..parts.content.start, parts.content.end..source.len()],
            breaks: comments,
        };
        mask.literal(*piece, &parts, placeholders, margin);
        let (holes, opaque) = (mask.holes, mask.opaque);
        // As it is read: what an escape stands for is no letter of its spelling.
        let content = std::str::from_utf8(masked.get(local.clone()).unwrap_or(&[])).unwrap_or("");
        let content = content.get(parts.content.clone()).unwrap_or("");
        if open_word && word(content.chars().next()) {
            return None;
        }
        if !content.is_empty() {
            open_word = word(content.chars().last());
        }
        text.holes.extend(holes.into_iter().map(|hole| hole.start + local.start..hole.end + local.start));
        let shift = range.start + base;
        text.opaque.extend(opaque.into_iter().map(|one| one.start + shift..one.end + shift));
    }
    text.opaque.push(at + base..whole.end + base);
    text.finish(masked)
}

/// A text without quotes, as YAML has them: everything in it stands for itself.
pub(super) fn plain(node: Node<'_>) -> Option<Text> {
    let source = node.text();
    let mut masked = source.as_bytes().to_vec();
    let mut opaque = Vec::new();
    if source.starts_with(['|', '>']) {
        let header = source.find('\n').unwrap_or(source.len());
        masked[..header].fill(b' ');
        opaque.push(node.range().start..node.range().start + header);
    }
    let pieces = vec![(node.range(), String::new())];
    Text { masked: String::new(), start: node.range().start, holes: Vec::new(), opaque, pieces }.finish(masked)
}

impl Text {
    fn finish(mut self, masked: Vec<u8>) -> Option<Self> {
        self.masked = String::from_utf8(masked).ok()?;
        self.holes.sort_by_key(|hole| (hole.start, hole.end));
        self.holes.dedup();
        self.opaque.retain(|range| !range.is_empty());
        self.opaque.sort_by_key(|range| range.start);
        Some(self)
    }

    /// Makes holes of what is replaced later.
    pub(super) fn replace(&mut self, searched: &[&str]) {
        let mut masked = std::mem::take(&mut self.masked).into_bytes();
        for text in searched {
            let places: Vec<usize> = memchr::memmem::find_iter(&masked, text.as_bytes()).collect();
            for at in places {
                masked[at..at + text.len()].fill(b'x');
                self.holes.push(at..at + text.len());
                self.opaque.push(self.start + at..self.start + at + text.len());
            }
        }
        // Whole texts were replaced by letters: it is one still.
        self.masked = String::from_utf8(masked).unwrap_or_default();
        self.holes.sort_by_key(|hole| hole.start);
        self.opaque.sort_by_key(|range| range.start);
    }

    /// The quote of the literal around a byte of the file.
    pub(super) fn quote_at(&self, at: usize) -> Option<&str> {
        self.pieces.iter().find(|(range, _)| range.contains(&at)).map(|(_, quote)| quote.as_str())
    }
}

struct Mask<'a> {
    bytes: &'a [u8],
    out: &'a mut [u8],
    holes: Vec<Range<usize>>,
    opaque: Vec<Range<usize>>,
    /// Whether what breaks a line must break it in the copy, too: a comment ends there.
    breaks: bool,
}

impl Mask<'_> {
    fn literal(&mut self, node: Node<'_>, parts: &literal::Dissected<'_>, placeholders: Placeholders, margin: bool) {
        let facts = &node.tree().language.facts.string;
        let content = parts.content.clone();
        self.out[content.clone()].copy_from_slice(&self.bytes[content.clone()]);
        let doubles = facts.doubled_prefixes.is_empty()
            || facts.doubled_prefixes.iter().any(|prefix| parts.prefix.eq_ignore_ascii_case(prefix));
        let (mut at, mut quotes) = (content.start, 0_u32);
        while at < content.end {
            let rest = &self.bytes[at..content.end];
            let length =
                if let Some(pair) = facts.doubled.iter().find(|pair| doubles && rest.starts_with(pair.as_bytes())) {
                    self.out[at] = b' ';
                    self.opaque.push(at..at + pair.len());
                    pair.len()
                } else if rest[0] == b'\\' && !parts.raw {
                    self.escape(at, content.end, &mut quotes, facts.escape_letters)
                } else if let Some(length) =
                    placeholder(rest, placeholders).filter(|_| placeholders != Placeholders::Any || self.may_begin(at))
                {
                    self.hole(at..at + length);
                    length
                } else if let Some(length) = legacy(rest) {
                    self.out[at] = b'`';
                    self.out[at + length - 1] = b'`';
                    length
                } else if margin && rest[0] == b'|' && self.begins_line(at, content.start) {
                    self.out[at] = b' ';
                    self.opaque.push(at..at + 1);
                    1
                } else {
                    1
                };
            at += length.max(1);
        }
        let start = node.local_range().start;
        for hole in node.descendants().filter(|below| facts.holes.iter().any(|hole| hole == below.kind())) {
            let range = hole.local_range();
            let is = |one: &Node<'_>, kinds: &[String]| kinds.iter().any(|kind| kind == one.kind());
            let opens = hole.prev_named().filter(|one| is(one, &facts.hole_opens));
            let closes = hole.next_named().filter(|one| is(one, &facts.hole_closes));
            let from = opens.map_or(range.start, |mark| mark.local_range().start);
            let to = closes.map_or(range.end, |mark| mark.local_range().end);
            self.hole(from - start..to - start);
        }
    }

    fn hole(&mut self, range: Range<usize>) {
        self.out[range.clone()].fill(b'x');
        self.opaque.push(range.clone());
        self.holes.push(range);
    }

    /// Whether no template, and no hole of another kind, begins before this.
    fn may_begin(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.bytes.get(at)).copied();
        // `'%s'` may be a pattern.
        let quoted = matches!(before, Some(b'\'' | b'"')) && self.bytes.get(at + 2).copied() == before;
        !quoted && !matches!(before, Some(b'{' | b'$' | b'%' | b'#'))
    }

    fn begins_line(&self, at: usize, start: usize) -> bool {
        let before = self.bytes[start..at].iter().rev().take_while(|byte| **byte != b'\n');
        before.copied().all(|byte| matches!(byte, b' ' | b'\t'))
    }

    /// An escape; how long it is.
    fn escape(&mut self, at: usize, end: usize, quotes: &mut u32, letters: bool) -> usize {
        let Some(next) = self.bytes.get(at + 1).copied().filter(|_| at + 1 < end) else { return 1 };
        let two = at..at + 2;
        match next {
            b'\n' | b'\r' => {
                self.out[at] = b' ';
                self.opaque.push(two);
                2
            }
            b'n' | b't' | b'r' if letters => {
                let break_ = self.breaks && next != b't';
                self.out[two.clone()].copy_from_slice(if break_ { b" \n" } else { b"  " });
                self.opaque.push(two);
                2
            }
            quote @ (b'"' | b'\'' | b'`') => {
                // No white space on the inside: of every second one it follows.
                self.out[two.clone()].copy_from_slice(b"  ");
                self.out[at + usize::from(quotes.is_multiple_of(2))] = quote;
                *quotes += 1;
                self.opaque.push(two);
                2
            }
            _ => {
                // It stands for a character that is none of a name's, or for any.
                let length = match next {
                    b'u' if self.bytes.get(at + 2) == Some(&b'{') => self.until(at, end, b'}'),
                    b'N' => self.until(at, end, b'}'),
                    b'u' => 6,
                    b'U' => 10,
                    b'x' => 4,
                    _ => {
                        1 + std::str::from_utf8(&self.bytes[at + 1..end])
                            .ok()
                            .and_then(|rest| rest.chars().next())
                            .map_or(1, char::len_utf8)
                    }
                };
                let range = at..(at + length).min(end);
                self.hole(range.clone());
                range.len()
            }
        }
    }

    fn until(&self, at: usize, end: usize, close: u8) -> usize {
        let found = self.bytes[at..end].iter().take(64).position(|byte| *byte == close);
        found.map_or(2, |found| found + 1)
    }
}

/// The length of a placeholder that begins here.
fn placeholder(rest: &[u8], kind: Placeholders) -> Option<usize> {
    match kind {
        Placeholders::None => None,
        Placeholders::Any if rest[0] == b'{' => {
            let name = rest[1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            (rest.get(1 + name) == Some(&b'}')).then_some(name + 2)
        }
        Placeholders::Any if rest.starts_with(b"%(") => {
            let name = rest[2..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            rest[2 + name..].starts_with(b")s").then_some(name + 4)
        }
        Placeholders::Any if rest.starts_with(b"%s") => {
            let ends = rest.get(2).is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"_%".contains(byte));
            ends.then_some(2)
        }
        Placeholders::Braces if rest[0] == b'{' => {
            let end = rest.iter().take(80).position(|byte| *byte == b'}')?;
            (!rest[1..end].contains(&b'{')).then_some(end + 1)
        }
        Placeholders::Percent if rest[0] == b'%' => {
            if rest.get(1) == Some(&b'(') {
                let end = rest.iter().take(80).position(|byte| *byte == b')')?;
                return Some((end + 2).min(rest.len()));
            }
            let flags = rest[1..].iter().take_while(|byte| b"0123456789.$-+".contains(byte)).count();
            let letter = rest.get(1 + flags).filter(|byte| b"sdvqfxXnbtT".contains(byte));
            letter.map(|_| flags + 2)
        }
        _ => None,
    }
}

/// `[project:dataset.table]` of BigQuery's first dialect.
fn legacy(rest: &[u8]) -> Option<usize> {
    if rest[0] != b'[' {
        return None;
    }
    let end = rest.iter().take(300).position(|byte| *byte == b']')?;
    let inner = &rest[1..end];
    let named = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.:$*@".contains(byte);
    (inner.contains(&b':') && inner.contains(&b'.') && inner.iter().all(named)).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::by_name;
    use crate::tree::{is_text, parse};

    /// The first text of `code`, masked and trimmed, and what its holes hold.
    fn masked(language: &str, code: &str, placeholders: Placeholders, margin: bool) -> Option<(String, Vec<String>)> {
        let tree = parse(by_name(language).unwrap(), code).unwrap();
        let node = tree.iter().find(|node| is_text(*node)).unwrap();
        let text = read(node, placeholders, margin)?;
        assert_eq!(text.masked.len(), node.text().len());
        let holes = text.holes.iter().map(|hole| node.text()[hole.clone()].to_owned()).collect();
        Some((text.masked.split_whitespace().collect::<Vec<_>>().join(" "), holes))
    }

    #[test]
    fn escapes_and_holes_keep_their_length() {
        let of = |language, code| masked(language, code, Placeholders::None, false).unwrap();
        assert_eq!(of("python", r"x = 'a\nb \'c\' -- d\ne'").0, "a b 'c' -- d e");
        let (text, holes) = of("python", r"x = 'Z\u00fcrich \N{BULLET} a'");
        assert_eq!(
            (text.as_str(), holes),
            ("Zxxxxxxrich xxxxxxxxxx a", vec![r"\u00fc".to_owned(), r"\N{BULLET}".to_owned()])
        );
        assert_eq!(of("python", "x = f'a {b} {{c}}'"), ("a xxx {c }".into(), vec!["{b}".into()]));
        assert_eq!(of("java", r#"class A { String q = "select a " + b + " c"; }"#).0, "select a x c");
        assert_eq!(of("go", "package p\nvar q = \"a\\n\" +\n\t\"b\"").0, "a b");
        assert_eq!(of("python", "x = 'from [p:d.t]'").0, "from `p:d.t`");
    }

    #[test]
    fn placeholders_are_holes_only_where_a_call_fills_them() {
        let of = |kind| masked("python", "x = 'a {} %s {b} 100% %(c)s'", kind, false).unwrap().1;
        assert_eq!(of(Placeholders::None), Vec::<String>::new());
        assert_eq!(of(Placeholders::Braces), ["{}", "{b}"]);
        assert_eq!(of(Placeholders::Percent), ["%s", "%(c)s"]);
    }

    #[test]
    fn margins_and_pieces_that_grow_together() {
        let code = "object A { val q = \"\"\"a\n  |b || c\n  |\"\"\".stripMargin }";
        assert_eq!(masked("scala", code, Placeholders::None, true).unwrap().0, "a b || c");
        let grown = "class A { String q = \"from users\" + \"_v1\"; }";
        assert_eq!(masked("java", grown, Placeholders::None, false), None);
    }
}
