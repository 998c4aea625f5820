//! What of a formatter's work lies on lines that a change wrote.
//!
//! Must not: know a language.

use std::ops::Range;

use similar::{Algorithm, DiffOp};

use crate::edit::{Region, Splice, regions_after};

/// The part of `edited` → `formatted` that lies on lines which `splices`, that led to `edited`, wrote: splices of
/// `edited`, ordered and disjoint. Blank lines may come and go beside such a line, too.
pub fn taken(edited: &str, splices: &[Splice], formatted: &str) -> Vec<Splice> {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (edited.split_inclusive('\n').collect(), formatted.split_inclusive('\n').collect());
    let mut starts = vec![0];
    for line in &old {
        starts.push(starts[starts.len() - 1] + line.len());
    }
    let touched = touched(edited, splices, &starts);
    let is_touched = |line: Option<usize>| line.and_then(|line| touched.get(line)).is_some_and(|touched| *touched);
    let mut all = Vec::new();
    for (from, to) in hunks(&old, &new) {
        let beside = [from.start.checked_sub(1), Some(from.end)].map(is_touched);
        let blank = old[from.clone()].iter().chain(&new[to.clone()]).all(|line| line.trim().is_empty());
        let ours = match from.is_empty() {
            true => beside == [true, true],
            false => from.clone().all(|line| touched[line]),
        };
        if ours || blank && beside.contains(&true) {
            all.push(Splice { range: starts[from.start]..starts[from.end], text: new[to].concat() });
        }
    }
    all
}

/// The lines that differ, old and new. A line that only its white space tells from another is that line: what is laid
/// out beside it is no part of its hunk.
fn hunks(old: &[&str], new: &[&str]) -> Vec<(Range<usize>, Range<usize>)> {
    let key = |line: &&str| line.split_whitespace().collect::<String>();
    let keys = (old.iter().map(key).collect::<Vec<_>>(), new.iter().map(key).collect::<Vec<_>>());
    let mut hunks = Vec::new();
    for op in similar::capture_diff_slices(Algorithm::Patience, &keys.0, &keys.1) {
        let (from, to) = (op.old_range(), op.new_range());
        match op {
            DiffOp::Equal { .. } => {
                let pairs = from.zip(to).filter(|(from, to)| old[*from] != new[*to]);
                hunks.extend(pairs.map(|(from, to)| (from..from + 1, to..to + 1)));
            }
            _ => hunks.push((from, to)),
        }
    }
    hunks
}

/// Which lines of the edited text hold something that the splices wrote.
fn touched(edited: &str, splices: &[Splice], starts: &[usize]) -> Vec<bool> {
    let mut touched = vec![false; starts.len() - 1];
    for Region { new, .. } in regions(splices) {
        let Range { mut start, end } = new;
        // What is put behind a line begins with that line's end.
        let written = &edited[start..end];
        start += written.len() - written.trim_start_matches(['\r', '\n']).len();
        // What went took the whole of a line along, or left the rest of it.
        let inside = start == end && !starts.contains(&start);
        for (line, pair) in starts.windows(2).enumerate() {
            touched[line] |= (pair[0] < end && start < pair[1]) || inside && (pair[0]..pair[1]).contains(&start);
        }
    }
    touched
}

fn regions(splices: &[Splice]) -> Vec<Region> {
    regions_after(&[], splices).into_iter().map(|(region, ..)| region).collect()
}

/// Both rounds as one: splices of the first text that lead to `new`, the last.
pub fn composed(first: &[Splice], second: &[Splice], new: &str) -> Vec<Splice> {
    let all = regions_after(&regions(first), second);
    all.into_iter().map(|(region, ..)| Splice { range: region.old, text: new[region.new].to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply;

    /// The first text with what was taken.
    fn check(before: &str, splices: &[(Range<usize>, &str)], formatted: &str) -> String {
        let splices: Vec<Splice> =
            splices.iter().map(|(range, text)| Splice { range: range.clone(), text: (*text).to_owned() }).collect();
        let edited = apply(before, &splices);
        let second = taken(&edited, &splices, formatted);
        let new = apply(&edited, &second);
        assert_eq!(apply(before, &composed(&splices, &second, &new)), new);
        new
    }

    #[test]
    fn only_lines_that_the_change_wrote_are_laid_out() {
        // A line that was written, beside one that was not.
        assert_eq!(check("a(1)\nb( 2 )\n", &[(0..4, "a( 1,2 )")], "a(1, 2)\nb(2)\n"), "a(1, 2)\nb( 2 )\n");
        // One becomes several.
        assert_eq!(check("a(1)\nb\n", &[(2..3, "1,2")], "a(\n  1,\n  2,\n)\nb\n"), "a(\n  1,\n  2,\n)\nb\n");
        // What was there runs into what was written: nothing of it is taken.
        assert_eq!(check("a(\n1)\n", &[(3..4, "1,2")], "a(1, 2)\n"), "a(\n1,2)\n");
        // A new line, put behind another one.
        assert_eq!(check("a( 1 )\n", &[(6..6, "\nb( 2 )")], "a(1)\nb(2)\n"), "a( 1 )\nb(2)\n");
        // What is left of a line of which something went.
        assert_eq!(check("f(a, b ,c)\n", &[(5..7, "")], "f(a, c)\n"), "f(a, c)\n");
        // Lines that went touch nothing.
        assert_eq!(check("x\nf( a )\n", &[(0..2, "")], "f(a)\n"), "f( a )\n");
        // A blank line below a new one, and none elsewhere.
        assert_eq!(check("a\nb\nc\n", &[(0..0, "n\n")], "n\n\na\nb\n\nc\n"), "n\n\na\nb\nc\n");
        assert_eq!(check("", &[(0..0, "f( 1 )\n")], "f(1)\n"), "f(1)\n");
        assert_eq!(check("ü( 1 )\r\nö\r\n", &[(3..6, " 1,2 ")], "ü(1, 2)\r\nö\r\n"), "ü(1, 2)\r\nö\r\n");
    }
}
