//! Many edits → ordered, disjoint splices. An edit inside a copied part of
//! another one applies there; anything else that overlaps is a conflict, and
//! nothing is dropped.

use std::ops::Range;

use super::{Edit, Fragment, Splice};

/// Why edits have no common result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// Two edits want the same bytes to become different things.
    #[error("rules `{first}` and `{second}` want to change the same code in different ways")]
    Conflict {
        /// The rule whose edit begins first.
        first: String,
        /// The other one; may be the same rule.
        second: String,
        /// Where the second edit begins, in bytes.
        at: usize,
    },
    /// The result would be longer than any source file: copies of copies grow without end.
    #[error("the result of rule `{rule}` would be longer than {} MiB", MAX_OUTPUT >> 20)]
    TooLong {
        /// The rule whose edit went over the limit.
        rule: String,
        /// Where that edit begins, in bytes.
        at: usize,
    },
    /// Edits inside copies inside edits …
    #[error("edits of rule `{rule}` lie inside each other, more than {MAX_DEPTH} deep")]
    TooDeep {
        /// The rule of the innermost edit.
        rule: String,
        /// Where that edit begins, in bytes.
        at: usize,
    },
}

impl ComposeError {
    /// Where it went wrong, in bytes of the old text.
    pub fn at(&self) -> usize {
        match self {
            Self::Conflict { at, .. } | Self::TooLong { at, .. } | Self::TooDeep { at, .. } => *at,
        }
    }

    /// The rule to blame; of two, the one that begins later.
    pub fn rule(&self) -> &str {
        match self {
            Self::Conflict { second, .. } => second,
            Self::TooLong { rule, .. } | Self::TooDeep { rule, .. } => rule,
        }
    }
}

/// Longest text that all edits of a file may write, in bytes.
const MAX_OUTPUT: usize = 32 << 20;
/// Deepest nesting of edits; rendering recurses.
const MAX_DEPTH: usize = 200;

/// Splices, and what became of each part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arranged {
    /// Ordered and disjoint.
    pub splices: Vec<Splice>,
    /// Where edits and their fragments stand in the new text.
    pub placed: Vec<Placed>,
    /// Which bytes of replaced ranges survived, and where.
    pub kept: Vec<Kept>,
}

impl Arranged {
    /// Whether a range of the new text is the old text's, left in its place or copied.
    pub fn is_old(&self, range: &Range<usize>) -> bool {
        let holds = |kept: &Kept| kept.new <= range.start && range.end <= kept.new + kept.old.len();
        in_old_text(&self.splices, range).is_some() || self.kept.iter().any(holds)
    }
}

/// Where an edit, or one fragment of it, stands in the new text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Index into the edits that were composed.
    pub edit: usize,
    /// Index into its replacement; `None` for all of it.
    pub fragment: Option<usize>,
    /// Bytes of the new text.
    pub range: Range<usize>,
}

/// Bytes that were copied as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where they stood in the old text.
    pub old: Range<usize>,
    /// Where they begin in the new text.
    pub new: usize,
}

/// Composes `edits` over `text`. Equal edits count once.
///
/// # Errors
/// The first [`ComposeError`], in order of place.
pub fn compose(text: &str, edits: &[Edit]) -> Result<Vec<Splice>, ComposeError> {
    arrange(text, edits).map(|arranged| arranged.splices)
}

/// As [`compose`], with the place of every part in the new text.
///
/// # Errors
/// As [`compose`].
pub fn arrange(text: &str, edits: &[Edit]) -> Result<Arranged, ComposeError> {
    let mut sorted: Vec<Placeable<'_>> =
        edits.iter().enumerate().map(|(index, edit)| Placeable { index, edit }).collect();
    // The sort is stable: insertions at one place keep the order of rules and
    // matches, and come before what is replaced there. Imports stand above code that may need them.
    let later = |e: &Edit| e.range.is_empty() && e.match_id != u32::MAX;
    sorted.sort_by_key(|e| {
        let range = &e.edit.range;
        (range.start, !range.is_empty(), later(e.edit), std::cmp::Reverse(range.end))
    });
    let mut unique: Vec<Placeable<'_>> = Vec::with_capacity(sorted.len());
    for one in sorted {
        let same = |e: &&Placeable<'_>| e.edit.range == one.edit.range && e.edit.replacement == one.edit.replacement;
        if !unique.iter().rev().take_while(|e| one.edit.range.start == e.edit.range.start).any(|e| same(&e)) {
            unique.push(one);
        }
    }
    let mut renderer =
        Renderer { text, all: &unique, out: String::new(), written: 0, base: 0, done: Arranged::default() };
    let mut shift = 0_isize;
    for group in groups(&unique)? {
        let range = group[0].edit.range.clone();
        renderer.base = range.start.saturating_add_signed(shift);
        renderer.edit(group[0], &group[1..], 0)?;
        let text = std::mem::take(&mut renderer.out);
        renderer.written += text.len();
        shift += text.len() as isize - range.len() as isize;
        renderer.done.splices.push(Splice { range, text });
    }
    Ok(renderer.done)
}

/// An edit and its index among those that are composed.
#[derive(Clone, Copy)]
struct Placeable<'e> {
    index: usize,
    edit: &'e Edit,
}

/// Splits edits, sorted by place, into an outermost one and those inside it.
fn groups<'e>(edits: &[Placeable<'e>]) -> Result<Vec<Vec<Placeable<'e>>>, ComposeError> {
    let mut groups: Vec<Vec<Placeable<'e>>> = Vec::new();
    for &one in edits {
        let apart = |outer: &Placeable<'_>| one.edit.range.start >= outer.edit.range.end;
        let Some(group) = groups.last_mut().filter(|g| !apart(&g[0])) else {
            groups.push(vec![one]);
            continue;
        };
        let (outer, inner) = (group[0].edit, one.edit);
        if inner.range.end > outer.range.end {
            return Err(conflict(outer, inner));
        }
        // Of two edits of one node, the one that keeps it goes around the other.
        if inner.range == outer.range && !keeps(outer, inner) && keeps(inner, outer) {
            group.insert(0, one);
        } else {
            group.push(one);
        }
    }
    Ok(groups)
}

fn keeps(outer: &Edit, inner: &Edit) -> bool {
    outer.replacement.iter().any(|f| matches!(f, Fragment::Copy(r) if covers(r, &inner.range)))
}

fn covers(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn conflict(first: &Edit, second: &Edit) -> ComposeError {
    ComposeError::Conflict { first: first.rule.clone(), second: second.rule.clone(), at: second.range.start }
}

struct Renderer<'e> {
    text: &'e str,
    all: &'e [Placeable<'e>],
    /// The splice that is being written.
    out: String,
    /// Bytes of the splices before it.
    written: usize,
    /// Where it begins in the new text.
    base: usize,
    done: Arranged,
}

impl<'e> Renderer<'e> {
    fn at(&self) -> usize {
        self.base + self.out.len()
    }

    fn edit(&mut self, outer: Placeable<'e>, inside: &[Placeable<'e>], depth: usize) -> Result<(), ComposeError> {
        if depth > MAX_DEPTH {
            return Err(ComposeError::TooDeep { rule: outer.edit.rule.clone(), at: outer.edit.range.start });
        }
        let shares = shared_out(outer.edit, inside)?;
        let whole = self.at();
        for (number, (fragment, own)) in outer.edit.replacement.iter().zip(shares).enumerate() {
            let start = self.at();
            match fragment {
                Fragment::Text(text) => self.push(text, outer.edit)?,
                Fragment::Copy(range) if covers(&outer.edit.range, range) => {
                    self.copy(outer.edit, range, &own, depth)?;
                }
                Fragment::Copy(range) => {
                    let here = self.elsewhere(outer.edit, range)?;
                    self.copy(outer.edit, range, &here, depth)?;
                }
            }
            let range = start..self.at();
            self.done.placed.push(Placed { edit: outer.index, fragment: Some(number), range });
        }
        let range = whole..self.at();
        self.done.placed.push(Placed { edit: outer.index, fragment: None, range });
        Ok(())
    }

    fn copy(
        &mut self,
        by: &Edit,
        range: &Range<usize>,
        inside: &[Placeable<'e>],
        depth: usize,
    ) -> Result<(), ComposeError> {
        let mut at = range.start;
        for group in groups(inside)? {
            let inner = group[0];
            self.keep(at..inner.edit.range.start, by)?;
            self.edit(inner, &group[1..], depth + 1)?;
            at = inner.edit.range.end;
        }
        self.keep(at..range.end, by)
    }

    fn keep(&mut self, old: Range<usize>, by: &Edit) -> Result<(), ComposeError> {
        let text = self.text.get(old.clone()).unwrap_or("");
        let new = self.at();
        self.push(text, by)?;
        if !old.is_empty() {
            self.done.kept.push(Kept { old, new });
        }
        Ok(())
    }

    fn push(&mut self, text: &str, by: &Edit) -> Result<(), ComposeError> {
        if self.written + self.out.len() + text.len() > MAX_OUTPUT {
            return Err(ComposeError::TooLong { rule: by.rule.clone(), at: by.range.start });
        }
        self.out.push_str(text);
        Ok(())
    }

    /// The edits of other matches inside code that an edit copies from elsewhere.
    /// Those of its own match are written against the code as it was.
    fn elsewhere(&self, by: &Edit, range: &Range<usize>) -> Result<Vec<Placeable<'e>>, ComposeError> {
        let foreign = |e: &&Placeable<'e>| (&e.edit.rule, e.edit.match_id) != (&by.rule, by.match_id);
        let mut here = Vec::new();
        for one in self.all.iter().take_while(|e| e.edit.range.start < range.end).filter(foreign) {
            let edit = &one.edit.range;
            if edit.end <= range.start || covers(edit, range) && edit != range {
                continue;
            }
            if !covers(range, edit) {
                return Err(conflict(by, one.edit));
            }
            if !edit.is_empty() || edit.start > range.start {
                here.push(*one);
            }
        }
        Ok(here)
    }
}

/// For each fragment of `outer`, the edits that apply in it. An edit that none
/// keeps is a conflict, and so is an insertion between two copies that part.
fn shared_out<'e>(outer: &Edit, inside: &[Placeable<'e>]) -> Result<Vec<Vec<Placeable<'e>>>, ComposeError> {
    let mut shares: Vec<Vec<Placeable<'e>>> = vec![Vec::new(); outer.replacement.len()];
    if inside.is_empty() {
        return Ok(shares);
    }
    // For each inner edit, the copies that hold it.
    let mut holders: Vec<Vec<(usize, &Range<usize>)>> = vec![Vec::new(); inside.len()];
    for (number, fragment) in outer.replacement.iter().enumerate() {
        let Fragment::Copy(range) = fragment else { continue };
        let first = inside.partition_point(|e| e.edit.range.start < range.start);
        let near = inside.iter().enumerate().skip(first).take_while(|(_, e)| e.edit.range.start <= range.end);
        for (index, _) in near.filter(|(_, e)| covers(range, &e.edit.range)) {
            holders[index].push((number, range));
        }
    }
    for (inner, holders) in inside.iter().zip(holders) {
        let at = inner.edit.range.start;
        let on_border = |r: &Range<usize>| inner.edit.range.is_empty() && (r.start == at || r.end == at);
        let apart = holders.iter().any(|(_, r)| *r != holders[0].1);
        let chosen = match holders.as_slice() {
            [] => return Err(conflict(outer, inner.edit)),
            [(one, left), (two, right)] if apart && one + 1 == *two && left.end == at && right.start == at => {
                &holders[..1]
            }
            all if apart && all.iter().any(|(_, r)| on_border(r)) => return Err(conflict(outer, inner.edit)),
            all => all,
        };
        chosen.iter().for_each(|(number, _)| shares[*number].push(*inner));
    }
    Ok(shares)
}

/// The text after all splices.
pub fn apply(text: &str, splices: &[Splice]) -> String {
    let grown: usize = splices.iter().map(|s| s.text.len()).sum();
    let mut out = String::with_capacity(text.len() + grown);
    let mut at = 0;
    for splice in splices {
        out.push_str(text.get(at..splice.range.start).unwrap_or(""));
        out.push_str(&splice.text);
        at = splice.range.end;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// Where a range of the new text stood in the old one; `None` where it touches
/// text that a splice wrote.
pub fn in_old_text(splices: &[Splice], range: &std::ops::Range<usize>) -> Option<std::ops::Range<usize>> {
    let mut shift = 0_isize;
    for splice in splices {
        let start = splice.range.start.checked_add_signed(shift)?;
        let end = start + splice.text.len();
        if range.end <= start {
            break;
        }
        if range.start < end || (range.start == start && range.end > start) {
            return None;
        }
        shift += splice.text.len() as isize - splice.range.len() as isize;
    }
    Some(range.start.checked_add_signed(-shift)?..range.end.checked_add_signed(-shift)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edit(rule: &str, range: std::ops::Range<usize>, replacement: Vec<Fragment>) -> Edit {
        Edit { range, replacement, rule: rule.to_owned(), match_id: 0, drops: false }
    }

    fn text(text: &str) -> Fragment {
        Fragment::Text(text.to_owned())
    }

    fn check(source: &str, edits: &[Edit]) -> Result<String, ComposeError> {
        compose(source, edits).map(|splices| apply(source, &splices))
    }

    #[test]
    fn an_edit_inside_a_copied_part_applies_there() {
        // Optional[List[int]]
        let outer = edit("optional", 0..19, vec![Fragment::Copy(9..18), text(" | None")]);
        let inner = edit("list", 9..18, vec![text("list["), Fragment::Copy(14..17), text("]")]);
        assert_eq!(check("Optional[List[int]]", &[inner, outer]).unwrap(), "list[int] | None");
    }

    #[test]
    fn an_edit_of_code_that_another_drops_is_a_conflict() {
        let outer = edit("drop", 0..6, vec![]);
        let inner = edit("rename", 2..3, vec![text("x")]);
        let conflict = check("f(abc)", &[inner, outer]).unwrap_err();
        assert_eq!(conflict, ComposeError::Conflict { first: "drop".into(), second: "rename".into(), at: 2 });
    }

    #[test]
    fn crossing_edits_conflict_and_equal_ones_count_once() {
        assert!(check("abcd", &[edit("a", 0..2, vec![]), edit("b", 1..3, vec![])]).is_err());
        assert!(check("abcd", &[edit("a", 0..2, vec![]), edit("b", 0..2, vec![text("x")])]).is_err());
        let twice = [edit("a", 0..2, vec![text("x")]), edit("b", 0..2, vec![text("x")])];
        assert_eq!(check("abcd", &twice).unwrap(), "xcd");
    }

    #[test]
    fn a_wrap_goes_around_a_replacement_of_the_same_node() {
        let wrap = edit("wrap", 0..1, vec![text("("), Fragment::Copy(0..1), text(")")]);
        let replace = edit("replace", 0..1, vec![text("b")]);
        assert_eq!(check("a", &[replace.clone(), wrap.clone()]).unwrap(), "(b)");
        assert_eq!(check("a", &[wrap, replace]).unwrap(), "(b)");
    }

    #[test]
    fn insertions_keep_their_order_and_touch_nothing() {
        let edits = [
            edit("a", 1..1, vec![text("1")]),
            edit("b", 1..1, vec![text("2")]),
            edit("c", 1..2, vec![text("X")]),
            edit("d", 2..2, vec![text("3")]),
        ];
        assert_eq!(check("abc", &edits).unwrap(), "a12X3c");
    }

    #[test]
    fn places_map_back() {
        let splices = compose("aaabbbccc", &[edit("r", 3..6, vec![text("x")])]).unwrap();
        assert_eq!(in_old_text(&splices, &(0..3)), Some(0..3));
        assert_eq!(in_old_text(&splices, &(4..7)), Some(6..9));
        assert_eq!(in_old_text(&splices, &(2..5)), None);
        assert_eq!(in_old_text(&splices, &(3..4)), None);
    }

    fn copy(range: Range<usize>) -> Fragment {
        Fragment::Copy(range)
    }

    #[test]
    fn an_insertion_between_two_copies_applies_once_or_not_at_all() {
        let at = edit("i", 2..2, vec![text("+")]);
        let joined = edit("o", 0..4, vec![copy(0..2), copy(2..4)]);
        assert_eq!(check("abcd", &[at.clone(), joined]).unwrap(), "ab+cd");
        let swapped = edit("o", 0..4, vec![copy(2..4), copy(0..2)]);
        assert!(check("abcd", &[at.clone(), swapped]).is_err(), "it can't be told where it belongs");
        let one = edit("o", 0..4, vec![text("x"), copy(2..4)]);
        assert_eq!(check("abcd", &[at.clone(), one]).unwrap(), "x+cd");
        let twice = edit("o", 0..4, vec![copy(1..4), text("|"), copy(1..4)]);
        assert_eq!(check("abcd", &[at, twice]).unwrap(), "b+cd|b+cd", "a copy made twice carries it twice");
    }

    #[test]
    fn a_copy_from_elsewhere_carries_the_edits_made_there() {
        let up = Edit { match_id: 1, ..edit("up", 0..0, vec![copy(2..4)]) };
        let rename = edit("rename", 2..3, vec![text("X")]);
        assert_eq!(check("abcd", &[up.clone(), rename]).unwrap(), "XdabXd");
        let own = Edit { match_id: 1, ..edit("up", 2..4, vec![]) };
        assert_eq!(check("abcd", &[up.clone(), own]).unwrap(), "cdab", "a move");
        assert!(check("abcd", &[up, edit("cross", 3..4, vec![text("Y")]), edit("cross", 1..3, vec![])]).is_err());
    }

    #[test]
    fn growth_and_nesting_have_an_end() {
        let twice = |depth: usize| {
            edit("d", depth..200 - depth, vec![copy(depth + 1..199 - depth), copy(depth + 1..199 - depth)])
        };
        let edits: Vec<Edit> = (0..60).map(twice).collect();
        assert!(matches!(check(&"x".repeat(200), &edits), Err(ComposeError::TooLong { .. })));
        let wrap = |depth: usize| edit("d", depth..900 - depth, vec![text("("), copy(depth + 1..899 - depth)]);
        let edits: Vec<Edit> = (0..400).map(wrap).collect();
        assert!(matches!(check(&"x".repeat(900), &edits), Err(ComposeError::TooDeep { .. })));
    }

    /// What nested edits come to, by definition: the innermost first, each copy
    /// taken from what the edits inside it made of it.
    fn oracle(source: &str, range: Range<usize>, edits: &[Edit], skip: Option<usize>) -> Option<String> {
        let inside = |outer: &Range<usize>, e: &Edit| covers(outer, &e.range);
        let within: Vec<usize> = (0..edits.len())
            .filter(|i| Some(*i) != skip && inside(&range, &edits[*i]) && skip.is_none_or(|s| *i > s))
            .collect();
        let mut out = String::new();
        let mut at = range.start;
        for &index in &within {
            let e = &edits[index];
            if within.iter().any(|o| *o != index && *o < index && inside(&edits[*o].range, e)) {
                continue;
            }
            out.push_str(&source[at..e.range.start]);
            for fragment in &e.replacement {
                match fragment {
                    Fragment::Text(t) => out.push_str(t),
                    Fragment::Copy(r) => out.push_str(&oracle(source, r.clone(), edits, Some(index))?),
                }
            }
            let lost = within.iter().any(|i| *i > index && inside(&e.range, &edits[*i]) && !keeps(e, &edits[*i]));
            if lost {
                return None;
            }
            at = e.range.end;
        }
        out.push_str(&source[at..range.end]);
        Some(out)
    }

    /// Properly nested edits over `range`, outermost first, in order of place.
    fn nested(range: Range<usize>, seed: &mut std::slice::Iter<'_, u8>, depth: usize, edits: &mut Vec<Edit>) {
        let mut at = range.start;
        while at + 2 < range.end && edits.len() < 12 {
            let Some(&roll) = seed.next() else { return };
            let start = at + (roll as usize & 3);
            let end = start + 2 + (roll as usize >> 2 & 7);
            if end > range.end {
                return;
            }
            let kept = start + 1..end - (roll as usize >> 5 & 1).min(end - start - 1);
            let mut replacement = vec![text(&format!("<{}", edits.len())), copy(kept.clone()), text(">")];
            if roll >> 6 == 3 {
                replacement.push(copy(kept.clone()));
            }
            edits.push(edit("n", start..end, replacement));
            if depth < 3 && roll & 16 == 0 {
                nested(kept, seed, depth + 1, edits);
            }
            at = end;
        }
    }

    proptest! {
        /// Three levels of edits inside copies of edits, some copied twice.
        #[test]
        fn nested_edits_equal_the_definition(seed in prop::collection::vec(any::<u8>(), 0..24)) {
            let source: String = ('a'..='z').chain('A'..='Z').collect();
            let mut edits = Vec::new();
            nested(0..source.len(), &mut seed.iter(), 0, &mut edits);
            let expected = oracle(&source, 0..source.len(), &edits, None);
            prop_assert_eq!(check(&source, &edits).ok(), expected.clone());
            edits.reverse();
            prop_assert_eq!(check(&source, &edits).ok(), expected, "in any order");
            // Where parts are said to stand, they stand.
            if let Ok(arranged) = arrange(&source, &edits) {
                let new = apply(&source, &arranged.splices);
                for kept in &arranged.kept {
                    prop_assert_eq!(&source[kept.old.clone()], &new[kept.new..kept.new + kept.old.len()]);
                }
                for placed in arranged.placed.iter().filter(|p| p.fragment.is_none()) {
                    prop_assert!(new[placed.range.clone()].starts_with('<'));
                }
            }
        }

        /// Disjoint edits give what replacing from the back gives.
        #[test]
        fn disjoint_edits_equal_naive_splicing(source in "[a-z]{0,40}", cuts in prop::collection::vec((0usize..40, 0usize..5, "[A-Z]{0,3}"), 0..6)) {
            let mut edits: Vec<Edit> = Vec::new();
            let mut at = 0;
            for (gap, len, new) in cuts {
                let start = at + gap % 7 + 1;
                let end = start + len;
                if end > source.len() { break; }
                edits.push(edit("r", start..end, vec![text(&new)]));
                at = end;
            }
            let mut naive = source.clone();
            for e in edits.iter().rev() {
                let Some(Fragment::Text(t)) = e.replacement.first() else { continue };
                naive.replace_range(e.range.clone(), t);
            }
            prop_assert_eq!(check(&source, &edits).unwrap(), naive);
        }
    }
}
