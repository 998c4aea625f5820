//! Names of which only the last part is written where they are read: `BASE + "/users_v1"`,
//! `{"table": "users_v1"}`, `${dataset}.users_v1`.
//!
//! What stands before the part tells: what is put in there may be the rest of the name, and a
//! written word that is no part of it makes another name of it. A part that stands alone is a
//! dataset's where it can hardly be anything else, or where something beside it says "table".
//! What stands around it in code is in [`around`].
//! Must not: read a tree, look into another file, or edit.

mod around;

use std::ops::Range;

pub(super) use around::behind_holes;

use super::Datasets;
use super::mapping::System;
use super::word::{each, is_word};

/// The last part of a name.
pub(super) struct Last<'d> {
    pub(super) dataset: usize,
    /// Up to a `*`.
    text: &'d str,
    /// Whether something stands for the rest of it.
    goes_on: bool,
    /// The parts before it, the nearest first.
    parts: Vec<&'d str>,
    system: System,
}

/// The last parts of the names that tables and files have.
pub(super) fn lasts(datasets: &Datasets) -> Vec<Last<'_>> {
    let mut all = Vec::new();
    for (dataset, mapping) in datasets.mappings.iter().enumerate() {
        for name in &mapping.names {
            let mut parts: Vec<&str> = match name.system {
                System::Table => name.old.rsplit('.').collect(),
                System::Path => name.old.trim_end_matches('/').rsplit('/').collect(),
                _ => continue,
            };
            let last = parts.remove(0);
            let (text, goes_on) = last.split_once('*').map_or((last, false), |(head, _)| (head, true));
            if !text.is_empty() {
                all.push(Last { dataset, text, goes_on, parts, system: name.system });
            }
        }
    }
    all
}

/// Where a last part stands in a text, so that it may be the dataset's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// Alone.
    Alone,
    /// Behind what is put in at run time, or written elsewhere.
    Behind,
    /// As [`Stands::Behind`], where what is put in stands in the text itself.
    Joined,
}

impl Last<'_> {
    /// Every place in `source` where it stands as a word, and how.
    pub(super) fn places(&self, source: &str) -> Vec<(Range<usize>, Stands)> {
        let folds = self.system != System::Path;
        let same = |word: &str| match (word.get(..self.text.len()), self.goes_on) {
            (Some(head), true) => head.eq_ignore_ascii_case(self.text) && is_rest(&word[self.text.len()..]),
            (Some(_), false) if folds => word.eq_ignore_ascii_case(self.text),
            _ => word == self.text,
        };
        let words = each(source).filter(|(_, word)| same(word));
        let at = words.map(|(at, word)| at..at + word.len());
        at.filter_map(|range| Some((range.clone(), self.stands(source, &range)?))).collect()
    }

    /// How a word stands there; `None` where what is written around it makes another name of it.
    fn stands(&self, source: &str, word: &Range<usize>) -> Option<Stands> {
        let (before, after) = (&source[..word.start], &source[word.end..]);
        let mut next = after.chars();
        let goes_on = match next.next() {
            Some('.') => next.next().is_some_and(is_word),
            Some(c) => c == '-',
            None => false,
        };
        if goes_on || before.ends_with('-') {
            return None;
        }
        let head = before.trim_end_matches(QUOTES);
        match head.chars().next_back() {
            Some('.') => self.behind_a_dot(&head[..head.len() - 1]),
            Some('/') => self.in_a_path(&head[..head.len() - 1]),
            _ => Some(Stands::Alone),
        }
    }

    /// `head` is what stands before the dot.
    fn behind_a_dot(&self, head: &str) -> Option<Stands> {
        if self.system == System::Path {
            return None;
        }
        if ends_in_hole(head) {
            return Some(Stands::Joined);
        }
        let bare = head.trim_end_matches(QUOTES);
        match (bare.len() == head.len(), bare.chars().next_back()) {
            // The text begins with the dot.
            (_, None) => Some(Stands::Behind),
            (false, Some(c)) if !is_word(c) && !ends_in_hole(bare) => Some(Stands::Behind),
            (false, Some(_)) if ends_in_hole(bare) => Some(Stands::Joined),
            _ => None,
        }
    }

    /// `head` is what stands before the last `/`.
    fn in_a_path(&self, head: &str) -> Option<Stands> {
        let ends = |c: char| c.is_whitespace() || QUOTES.contains(&c) || "(=,;<>".contains(c);
        let path = head.rsplit(ends).next().unwrap_or(head);
        let segments: Vec<&str> = path.rsplit('/').collect();
        if self.system != System::Path {
            let of = self.parts.first().copied().unwrap_or("");
            let near = segments.first().copied().unwrap_or("");
            let table = near.eq_ignore_ascii_case(of) || near.eq_ignore_ascii_case("tables");
            let stored = near.len() == of.len() + 3 && near.to_ascii_lowercase().ends_with(".db");
            let stored = stored && near[..of.len()].eq_ignore_ascii_case(of);
            return (!of.is_empty() && (table || stored)).then_some(Stands::Joined);
        }
        let mut known = self.parts.iter();
        let mut met = false;
        for segment in &segments {
            if is_hole(segment) {
                return Some(Stands::Joined);
            }
            // What the text begins with stands behind what is put before it.
            if segment.is_empty() && !path.contains("//") {
                return Some(if met { Stands::Joined } else { Stands::Behind });
            }
            if known.next() != Some(segment) {
                return None;
            }
            met = true;
        }
        Some(Stands::Joined)
    }

    /// Whether a part like this is hardly anything else's name.
    fn is_telling(&self) -> bool {
        self.text.len() >= MIN_TELLING && self.text.contains(|c: char| c.is_ascii_digit())
    }

    /// Whether a place in a file that no grammar reads is the dataset's.
    pub(super) fn is_named(&self, stands: Stands, source: &str, at: usize) -> bool {
        let line = &source[source[..at].rfind('\n').map_or(0, |end| end + 1)..at];
        let comment = ["#", "//", "--", ";", "*"].iter().any(|mark| line.trim_start().starts_with(mark));
        let table = || {
            let key = line.trim_end_matches(|c: char| !is_word(c));
            line.len() - key.len() <= MOST_BETWEEN && key.len() < line.len() && says_table(key)
        };
        // `ref("users_v1")` of Dataform.
        let reference = || ["ref(", "resolve("].iter().any(|call| line.trim_end_matches(QUOTES).ends_with(call));
        !comment && (stands == Stands::Joined || table() || self.is_telling() && reference())
    }
}

const QUOTES: [char; 3] = ['`', '"', '\''];
/// The shortest part that tells by itself, in bytes.
const MIN_TELLING: usize = 4;
/// Most of what stands between a key and its value, in bytes.
const MOST_BETWEEN: usize = 8;
/// What says that a name is a table's.
const TABLES: [&str; 3] = ["table", "tbl", "dataset"];

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b.rsplit('.').next().unwrap_or(b))
}

/// What may stand for a `*`.
fn is_rest(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text ends in what is put in at run time.
fn ends_in_hole(text: &str) -> bool {
    let word = text.trim_end_matches(is_word);
    let named = word.len() < text.len();
    let mark = word.chars().next_back();
    text.ends_with(['}', '>'])
        || [")s", "%s", "%v", "%S"].iter().any(|end| text.ends_with(end))
        || text.ends_with(')') && text.rfind("$(").is_some_and(|at| !text[at..].contains(char::is_whitespace))
        || named && matches!(mark, Some('$' | '@' | '&'))
        || named && mark == Some(':') && !word[..word.len() - 1].ends_with(|c: char| is_word(c) || c == '-')
}

/// Whether a part of a path is put in at run time.
fn is_hole(segment: &str) -> bool {
    segment.contains(['{', '}', '$']) || ["%s", "%v"].iter().any(|mark| segment.contains(mark))
}

fn says_table(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let last = lower.rsplit(|c: char| !is_word(c)).next().unwrap_or("");
    TABLES.iter().any(|word| last.contains(word))
}
