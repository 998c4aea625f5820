//! Words of a text, as code and configuration have names.
//!
//! Must not: know what a word means.

/// Whether a character may stand in a name.
pub(in crate::dataset) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() && c.is_alphanumeric()
}

/// Whether all of a text is a name.
pub(in crate::dataset) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word)
}

/// Where a word stands alone, whatever its case; one that goes on may end anywhere.
pub(in crate::dataset) fn alone(text: &str, word: &str, goes_on: bool) -> Vec<std::ops::Range<usize>> {
    if word.is_empty() {
        return Vec::new();
    }
    // Letters that are no ASCII stay as they are, so that places are those of the text.
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let all = lower.match_indices(word.as_str()).map(|(at, found)| at..at + found.len());
    all.filter(|range| {
        let after = text[range.end..].starts_with(is_word);
        !text[..range.start].ends_with(is_word) && (goes_on || !after)
    })
    .collect()
}

/// Whether a text holds one of these, which are in lower case, whatever its own case.
pub(in crate::dataset) fn has_any(text: &str, all: &[&str]) -> bool {
    let lower = text.to_ascii_lowercase();
    all.iter().any(|one| lower.contains(one))
}

/// What a byte is to a word: outside, in it, or a part of a character that decides.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        classes[at] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => IN,
            128.. => WIDE,
            _ => OUT,
        };
        at += 1;
    }
    classes
};
const OUT: u8 = 0;
const IN: u8 = 1;
const WIDE: u8 = 2;

/// Words of a text and where they begin: one walk over its bytes.
pub(in crate::dataset) fn each(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    // Where what begins at a place ends, and whether it is a part of a word.
    let wide = move |at: usize| {
        let c = text[at..].chars().next().unwrap_or(' ');
        (at + c.len_utf8(), is_word(c))
    };
    std::iter::from_fn(move || {
        loop {
            match CLASSES[usize::from(*bytes.get(at)?)] {
                OUT => at += 1,
                IN => break,
                _ => match wide(at) {
                    (_, true) => break,
                    (end, false) => at = end,
                },
            }
        }
        let start = at;
        while let Some(byte) = bytes.get(at) {
            match CLASSES[usize::from(*byte)] {
                OUT => break,
                IN => at += 1,
                _ => match wide(at) {
                    (end, true) => at = end,
                    (_, false) => break,
                },
            }
        }
        Some((start, &text[start..at]))
    })
}

/// Words of a text and where they begin: names, with their dots where `paths`.
pub(in crate::dataset) fn words(text: &str, paths: bool) -> Vec<(usize, &str)> {
    let inside = |c: char| is_word(c) || paths && matches!(c, '.' | ':' | '-' | '*' | '/');
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (inside(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, &text[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_any_script() {
        let of = |text| each(text).collect::<Vec<_>>();
        assert_eq!(of("a_1 = “b”;é"), [(0, "a_1"), (9, "b"), (14, "é")]);
        assert_eq!(of(" "), []);
        assert!(is_name("straße_1") && !is_name("a-b") && !is_name(""));
    }
}
