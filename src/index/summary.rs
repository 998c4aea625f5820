//! A file in a fortieth of its size: which runs of three word characters are in it.
//!
//! A text that is looked for may be a part of a longer word, so that whole words say
//! nothing; but every three word characters in a row that it has, the file must have.
//! They are kept in a Bloom filter with one hash function, which is the best number
//! at about two bits an element, without regard to ASCII case, so that one filter
//! serves languages with and without it.

use crate::rule::Clause;

/// Bytes of a file that one byte of its filter stands for.
const RATIO: usize = 40;
/// Smaller files are not remembered: reading them costs what looking them up does,
/// and their entry would be more than a twentieth of them.
const SMALLEST: usize = 700;

/// The filter of a file; `None` for one that is not remembered: a small one, or UTF-16,
/// in which no name stands in the bytes that are looked for.
pub(super) fn of(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < SMALLEST || bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return None;
    }
    Some(of_any(bytes))
}

/// The filter of any text that is UTF-8.
pub(super) fn of_any(bytes: &[u8]) -> Vec<u8> {
    let mut filter = vec![0; (bytes.len() / RATIO).max(SMALLEST / RATIO)];
    let size = filter.len();
    trigrams(bytes, |trigram| {
        let (at, bit) = place(trigram, size);
        filter[at] |= bit;
    });
    filter
}

/// Calls `see` with every three word characters in a row, in lower case, and with what
/// follows a backslash: rules ask for escapes.
fn trigrams(bytes: &[u8], mut see: impl FnMut(u32)) {
    let (mut run, mut last) = (0_u32, 0_u32);
    let mut escaped = false;
    for byte in bytes {
        if escaped {
            see(u32::from(b'\\') << 8 | u32::from(byte.to_ascii_lowercase()));
        }
        escaped = *byte == b'\\';
        if byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii() {
            last = (last << 8 | u32::from(byte.to_ascii_lowercase())) & 0x00FF_FFFF;
            run += 1;
            if run >= 3 {
                see(last);
            }
        } else {
            run = 0;
        }
    }
}

/// The byte and bit of a trigram in a filter of `size` bytes.
fn place(trigram: u32, size: usize) -> (usize, u8) {
    // Knuth's multiplicative hash, scaled to the size instead of taken modulo it.
    let hash = trigram.wrapping_mul(0x9E37_79B1) ^ (trigram.wrapping_mul(0x85EB_CA6B) >> 15);
    let bit = (u64::from(hash) * (size as u64 * 8)) >> 32;
    ((bit / 8) as usize, 1 << (bit % 8))
}

/// What rules ask of a file, as trigrams: for each rule its clauses, for each clause
/// its texts. A text without three word characters in a row may be in any file.
#[derive(Clone, Debug, Default)]
pub struct Query {
    rules: Vec<Vec<Vec<Vec<u32>>>>,
}

impl Query {
    /// What rules ask that are given by their clauses.
    pub fn new<'c>(rules: impl Iterator<Item = &'c [Clause]>) -> Self {
        let text = |text: &String| {
            let mut found = Vec::new();
            trigrams(text.as_bytes(), |trigram| found.push(trigram));
            found
        };
        let clause = |clause: &Clause| clause.texts.iter().map(text).collect();
        Self { rules: rules.map(|clauses| clauses.iter().map(clause).collect()).collect() }
    }

    /// Whether any rule can match a file with this filter; `false` is certain.
    pub(super) fn may_match(&self, filter: &[u8]) -> bool {
        self.matching(filter).next().is_some()
    }

    /// The rules that can match a file with this filter, by their number; all others can't.
    pub(super) fn matching(&self, filter: &[u8]) -> impl Iterator<Item = usize> {
        let has = move |trigram: &u32| {
            let (at, bit) = place(*trigram, filter.len());
            filter.get(at).is_none_or(|byte| byte & bit != 0)
        };
        let clause = move |texts: &Vec<Vec<u32>>| texts.iter().any(|trigrams| trigrams.iter().all(has));
        self.rules.iter().enumerate().filter(move |(_, clauses)| clauses.iter().all(clause)).map(|(rule, _)| rule)
    }
}
