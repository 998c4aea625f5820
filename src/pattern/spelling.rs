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
                    holes.push((spelling, hole.clone()));
                }
            }
        }
        Self { code, holes }
    }

    pub(super) fn hole(&self, text: &str) -> Option<&Hole> {
        self.holes.iter().find(|(spelling, _)| spelling == text).map(|(_, hole)| hole)
    }

    pub(super) fn show(&self, text: &str) -> String {
        self.holes.iter().rev().fold(text.to_owned(), |text, (spelling, hole)| text.replace(spelling, &written(hole)))
    }
}

pub(super) fn written(hole: &Hole) -> String {
    format!("{}{}", if hole.many { "$$$" } else { "$" }, hole.name.as_deref().unwrap_or("_"))
}

/// How each hole may be spelt besides, in every combination, those first that change the fewest:
/// none for the plain one.
pub(super) fn spellings(language: &'static Language, spelt: &Spelt) -> Vec<Vec<Option<&'static str>>> {
    let facts = &language.facts;
    let count = |ways: &dyn Fn(&Hole) -> &'static [String]| {
        spelt.holes.iter().map(|(_, hole)| ways(hole).len() + 1).fold(1_usize, usize::saturating_mul)
    };
    let of_lists = |hole: &Hole| if hole.many { facts.list_holes.as_slice() } else { &[] };
    let of_all = |hole: &Hole| if hole.many { facts.list_holes.as_slice() } else { facts.value_holes.as_slice() };
    // What many holes may be, lists may be still.
    let ways: &dyn Fn(&Hole) -> &'static [String] = if count(&of_all) > MAX_COMBINATIONS { &of_lists } else { &of_all };
    let count = count(ways);
    if count == 1 || count > MAX_COMBINATIONS {
        return Vec::new();
    }
    let nth = |mut number: usize| {
        let mut one = Vec::new();
        for (_, hole) in &spelt.holes {
            let (ways, choices) = (ways(hole), ways(hole).len() + 1);
            one.push((number % choices).checked_sub(1).map(|way| ways[way].as_str()));
            number /= choices;
        }
        one
    };
    let mut all: Vec<Vec<Option<&'static str>>> = (1..count).map(nth).collect();
    all.sort_by_key(|one| one.iter().flatten().count());
    all.truncate(MAX_SPELLINGS);
    all
}

/// More spellings are not tried.
const MAX_SPELLINGS: usize = 256;
/// More combinations are no pattern that a person writes.
const MAX_COMBINATIONS: usize = 1 << 12;
