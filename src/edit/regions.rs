//! Rounds of edits: what two rounds of splices come to as one, and where places go.

use std::ops::Range;

use super::Splice;

/// A part of a text that was written anew, maybe several times over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Bytes of the first text.
    pub old: Range<usize>,
    /// Bytes of the last one.
    pub new: Range<usize>,
}

/// A region after one more round, the numbers of those that went into it and of the splices.
pub type Grown = (Region, Vec<usize>, Vec<usize>);

/// What is written anew once `splices` are made in a text of which `regions` are new already.
/// Both are ordered and disjoint; what touches becomes one.
pub fn regions_after(regions: &[Region], splices: &[Splice]) -> Vec<Grown> {
    let (mut done, mut at, mut next) = (Vec::new(), 0, 0);
    // How far the middle text is ahead of the first one, and the last text of the middle one.
    let (mut before, mut after) = (0_isize, 0_isize);
    while at < regions.len() || next < splices.len() {
        let region = regions.get(at).map_or(usize::MAX, |region| region.new.start);
        let start = splices.get(next).map_or(region, |splice| splice.range.start.min(region));
        let (mut end, from) = (start, (at, next));
        let (old_start, new_start) = (start.saturating_add_signed(-before), start.saturating_add_signed(after));
        loop {
            if let Some(one) = regions.get(at).filter(|one| one.new.start <= end) {
                end = one.new.end.max(end);
                before += one.new.len() as isize - one.old.len() as isize;
                at += 1;
            } else if let Some(one) = splices.get(next).filter(|one| one.range.start <= end) {
                end = one.range.end.max(end);
                after += one.text.len() as isize - one.range.len() as isize;
                next += 1;
            } else {
                break;
            }
        }
        let old = old_start..end.saturating_add_signed(-before);
        let new = new_start..end.saturating_add_signed(after);
        done.push((Region { old, new }, (from.0..at).collect(), (from.1..next).collect()));
    }
    done
}

/// Where a range of the text before these splices stands after them: what they wrote in it
/// counts whole.
pub fn in_new_text(splices: &[Splice], range: &Range<usize>) -> Range<usize> {
    let (mut whole, mut ahead, mut within) = (range.clone(), 0_isize, 0_isize);
    for splice in splices {
        let grown = splice.text.len() as isize - splice.range.len() as isize;
        if splice.range.end <= range.start {
            ahead += grown;
        } else if splice.range.start < range.end {
            within += grown;
            whole = splice.range.start.min(whole.start)..splice.range.end.max(whole.end);
        }
    }
    whole.start.saturating_add_signed(ahead)..whole.end.saturating_add_signed(ahead + within)
}

/// Where a byte of the last text stood in the first one; where it was written anew, the
/// beginning of what it took the place of.
pub fn in_first_text(regions: &[Region], at: usize) -> usize {
    let passed = regions.iter().take_while(|region| region.new.start <= at).last();
    passed.map_or(at, |region| match region.new.contains(&at) || region.new.start == at {
        true => region.old.start,
        false => region.old.end + (at - region.new.end),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply;

    fn splice(range: Range<usize>, text: &str) -> Splice {
        Splice { range, text: text.to_owned() }
    }

    /// Both rounds, one after the other, and as one.
    fn check(text: &str, first: &[Splice], second: &[Splice]) -> Vec<(Range<usize>, String)> {
        let regions: Vec<Region> = regions_after(&[], first).into_iter().map(|(region, ..)| region).collect();
        let last = apply(&apply(text, first), second);
        let all = regions_after(&regions, second);
        let parts: Vec<(Range<usize>, String)> =
            all.into_iter().map(|(region, ..)| (region.old, last[region.new].to_owned())).collect();
        let splices: Vec<Splice> = parts.iter().map(|(range, text)| splice(range.clone(), text)).collect();
        assert_eq!(apply(text, &splices), last);
        parts
    }

    #[test]
    fn two_rounds_are_one() {
        let first = [splice(2..3, "XYZ"), splice(6..8, "")];
        assert_eq!(check("0123456789", &first, &[]), [(2..3, "XYZ".to_owned()), (6..8, String::new())]);
        // `01XYZ34589`: within one, over the border of one, over both, and elsewhere.
        assert_eq!(check("0123456789", &first, &[splice(3..4, "-")])[0], (2..3, "X-Z".to_owned()));
        assert_eq!(check("0123456789", &first, &[splice(1..3, "-")])[0], (1..3, "-YZ".to_owned()));
        assert_eq!(check("0123456789", &first, &[splice(3..9, "-")]), [(2..9, "X-".to_owned())]);
        assert_eq!(check("0123456789", &first, &[splice(9..9, "-")]).len(), 3);
        assert_eq!(check("0123456789", &first, &[splice(0..1, ""), splice(9..10, "++")]).len(), 4);
    }

    #[test]
    fn places_follow_the_text_there_and_back() {
        let splices = [splice(2..3, "XYZ"), splice(6..8, "")];
        assert_eq!(in_new_text(&splices, &(4..5)), 6..7);
        assert_eq!(in_new_text(&splices, &(2..3)), 2..5);
        assert_eq!(in_new_text(&splices, &(0..7)), 0..8, "what is inside counts whole");
        assert_eq!(in_new_text(&splices, &(9..10)), 9..10);
        let regions: Vec<Region> = regions_after(&[], &splices).into_iter().map(|(region, ..)| region).collect();
        assert_eq!([0, 3, 6, 9].map(|at| in_first_text(&regions, at)), [0, 2, 4, 9]);
    }
}
