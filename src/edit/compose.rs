//! Many edits → ordered, disjoint splices. An edit inside a copied part of
//! another one applies there; anything else that overlaps is a conflict, and
//! nothing is dropped.

use super::{Edit, Fragment, Splice};

/// Two edits that want the same bytes to become different things.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rules `{first}` and `{second}` want to change the same code in different ways")]
pub struct Conflict {
    /// The rule whose edit begins first.
    pub first: String,
    /// The other one; may be the same rule.
    pub second: String,
    /// Where the second edit begins, in bytes.
    pub at: usize,
}

/// Composes `edits` over `text`. Equal edits count once.
///
/// # Errors
/// The first [`Conflict`], in order of place.
pub fn compose(text: &str, edits: &[Edit]) -> Result<Vec<Splice>, Conflict> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    // The sort is stable: insertions at one place keep the order of rules and
    // matches, and come before what is replaced there.
    sorted.sort_by_key(|e| (e.range.start, !e.range.is_empty(), std::cmp::Reverse(e.range.end)));
    let mut unique: Vec<&Edit> = Vec::with_capacity(sorted.len());
    for edit in sorted {
        let same = |e: &&Edit| e.range == edit.range && e.replacement == edit.replacement;
        if !unique.iter().rev().take_while(|e| e.range.start == edit.range.start).any(same) {
            unique.push(edit);
        }
    }
    let mut splices = Vec::new();
    for group in groups(&unique)? {
        let outer = group[0];
        splices.push(Splice { range: outer.range.clone(), text: render(text, outer, &group[1..])? });
    }
    Ok(splices)
}

/// Splits edits, sorted by place, into an outermost one and those inside it.
fn groups<'e>(edits: &[&'e Edit]) -> Result<Vec<Vec<&'e Edit>>, Conflict> {
    let mut groups: Vec<Vec<&Edit>> = Vec::new();
    for &edit in edits {
        let Some(outer) = groups.last().map(|g| g[0]) else {
            groups.push(vec![edit]);
            continue;
        };
        let apart = edit.range.start >= outer.range.end;
        if apart {
            groups.push(vec![edit]);
        } else if edit.range.end <= outer.range.end {
            let same_range = edit.range == outer.range;
            let Some(group) = groups.last_mut() else { continue };
            // Of two edits of one node, the one that keeps it goes around the other.
            if same_range && !keeps(outer, edit) && keeps(edit, outer) {
                group.insert(0, edit);
            } else {
                group.push(edit);
            }
        } else {
            return Err(conflict(outer, edit));
        }
    }
    Ok(groups)
}

fn keeps(outer: &Edit, inner: &Edit) -> bool {
    outer
        .replacement
        .iter()
        .any(|f| matches!(f, Fragment::Copy(r) if r.start <= inner.range.start && inner.range.end <= r.end))
}

fn conflict(first: &Edit, second: &Edit) -> Conflict {
    Conflict { first: first.rule.clone(), second: second.rule.clone(), at: second.range.start }
}

fn render(text: &str, outer: &Edit, inside: &[&Edit]) -> Result<String, Conflict> {
    if let Some(lost) = inside.iter().find(|e| !keeps(outer, e)) {
        return Err(conflict(outer, lost));
    }
    let mut out = String::new();
    for fragment in &outer.replacement {
        match fragment {
            Fragment::Text(text) => out.push_str(text),
            Fragment::Copy(range) => {
                let here: Vec<&Edit> = inside
                    .iter()
                    .copied()
                    .filter(|e| range.start <= e.range.start && e.range.end <= range.end)
                    .collect();
                let mut at = range.start;
                for group in groups(&here)? {
                    let inner = group[0];
                    out.push_str(text.get(at..inner.range.start).unwrap_or(""));
                    out.push_str(&render(text, inner, &group[1..])?);
                    at = inner.range.end;
                }
                out.push_str(text.get(at..range.end).unwrap_or(""));
            }
        }
    }
    Ok(out)
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
        Edit { range, replacement, rule: rule.to_owned(), match_id: 0 }
    }

    fn text(text: &str) -> Fragment {
        Fragment::Text(text.to_owned())
    }

    fn check(source: &str, edits: &[Edit]) -> Result<String, Conflict> {
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
        assert_eq!((conflict.first.as_str(), conflict.second.as_str(), conflict.at), ("drop", "rename", 2));
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

    proptest! {
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
