//! How the holes of a pattern are spelt so that a grammar can read them: as a name, or, where none can stand, as
//! what can.
//!
//! Must not: parse, or know what a spelling reads as.

use super::{Hole, Piece, split};
use crate::language::Language;

/// The pattern with its holes spelt so that the grammar can read them.
pub(super) struct Spelt {
    pub(super) code: String,
    pub(super) holes: Vec<(String, Hole)>,
    /// What the names of all its holes begin with.
    stem: String,
}

impl Spelt {
    pub(super) fn new(language: &Language, text: &str, statements: bool) -> Self {
        Self::made(language, text, statements, &[])
    }

    /// With some holes, by their number, spelt otherwise.
    pub(super) fn with(language: &Language, text: &str, others: &[Option<&str>]) -> Self {
        Self::made(language, text, false, others)
    }

    fn made(language: &Language, text: &str, statements: bool, others: &[Option<&str>]) -> Self {
        // A stem that the pattern does not use, so that no code is taken for a hole.
        let stem = (0..).map(|n| format!("gndr{n}x")).find(|stem| !text.contains(stem.as_str())).unwrap_or_default();
        let mut code = String::new();
        let mut holes: Vec<(String, Hole)> = Vec::new();
        let pieces = split(text);
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => code.push_str(text),
                Piece::Hole(hole) => {
                    let other = others.get(holes.len()).copied().flatten();
                    let how = other.unwrap_or(&language.facts.hole);
                    let mut spelling = how.replace("{}", &format!("{stem}{}x", holes.len()));
                    let begins = code.trim_end().ends_with(['{', ';', '}']);
                    let ends = match pieces.get(at + 1) {
                        Some(Piece::Text(next)) => next.trim_start_matches(' ').starts_with(['}', '\n', '\r']),
                        _ => false,
                    };
                    if statements && begins && ends {
                        spelling.push(';');
                    }
                    code.push_str(&spelling);
                    holes.push((spelling.trim().to_owned(), hole.clone()));
                }
            }
        }
        Self { code, holes, stem }
    }

    pub(super) fn hole(&self, text: &str) -> Option<&Hole> {
        self.holes.iter().find(|(spelling, _)| spelling == text).map(|(_, hole)| hole)
    }

    pub(super) fn show(&self, text: &str) -> String {
        let shown = self.holes.iter().enumerate().rev();
        shown.fold(text.to_owned(), |text, (at, (spelling, hole))| {
            let name = written(hole);
            text.replace(spelling, &name).replace(&format!("{}{at}x", self.stem), &name)
        })
    }
}

pub(super) fn written(hole: &Hole) -> String {
    format!("{}{}", if hole.many { "$$$" } else { "$" }, hole.name.as_deref().unwrap_or("_"))
}

/// How holes may be spelt besides, those first that change the fewest: holes for lists alone, then all.
pub(super) fn spellings(language: &'static Language, spelt: &Spelt) -> Vec<Vec<Option<&'static str>>> {
    let facts = &language.facts;
    let ways = |values: &'static [String]| -> Vec<&'static [String]> {
        spelt.holes.iter().map(|(_, hole)| if hole.many { facts.list_holes.as_slice() } else { values }).collect()
    };
    let mut all = Vec::new();
    for ways in [ways(&[]), ways(&facts.value_holes)] {
        let end = all.len() + MAX_SPELLINGS;
        for changes in 1..=ways.len() {
            vary(&ways, changes, &mut vec![None; ways.len()], 0, &mut all, end);
        }
        if facts.value_holes.is_empty() {
            break;
        }
    }
    all
}

/// Adds each way to spell so many of the holes from `from` on otherwise.
fn vary(
    ways: &[&'static [String]],
    changes: usize,
    one: &mut Vec<Option<&'static str>>,
    from: usize,
    all: &mut Vec<Vec<Option<&'static str>>>,
    end: usize,
) {
    if changes == 0 {
        all.push(one.clone());
        return;
    }
    for at in from..ways.len() {
        for way in ways[at] {
            if all.len() >= end {
                return;
            }
            one[at] = Some(way);
            vary(ways, changes - 1, one, at + 1, all, end);
            one[at] = None;
        }
    }
}

/// More spellings are not tried.
const MAX_SPELLINGS: usize = 256;
