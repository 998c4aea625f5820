//! Plans of what was written already, or has to be: from both ends of a file, not from rules.
//!
//! Must not: read a file, or know where both ends come from.

use similar::{Algorithm, DiffOp};

use super::{FileOutcome, FilePlan};
use crate::digest::Digest;
use crate::edit::{Edit, Fragment, Splice};
use crate::workspace::{Content, Mode};

/// One file as a plan has it: whole lines that differ become edits of `rule`.
///
/// # Errors
/// What can't be said so, for people.
pub fn file_plan(
    path: &str,
    before: Option<&Content>,
    after: Option<&Content>,
    rule: &str,
) -> Result<FilePlan, String> {
    let rule = rule.to_owned();
    let text = |content: &Content| {
        String::from_utf8(content.bytes.clone()).map_err(|_| format!("{path} is not UTF-8, and can't be corrected"))
    };
    let mode = before.map(|before| if before.executable { Mode::Executable } else { Mode::File });
    let outcome = match (before, after) {
        (Some(before), Some(after)) if before.bytes == after.bytes => {
            FileOutcome::SetExecutable { executable: after.executable, rule }
        }
        (Some(before), Some(after)) if before.executable != after.executable => {
            return Err(format!(
                "{path} would change its bytes and whether it is executable, which is not done at once"
            ));
        }
        (Some(before), Some(after)) => {
            let (edits, splices) = edits(&text(before)?, &text(after)?, &rule);
            FileOutcome::Edit { edits, splices, after: Digest::of(&after.bytes) }
        }
        (None, Some(after)) => FileOutcome::Create { text: text(after)?, executable: after.executable, rule },
        (_, None) => FileOutcome::Delete { rule },
    };
    let before = before.map(|before| Digest::of(&before.bytes));
    Ok(FilePlan { path: path.to_owned(), before, mode, outcome })
}

/// Whole lines that differ, as edits and as splices.
fn edits(before: &str, after: &str, rule: &str) -> (Vec<Edit>, Vec<Splice>) {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let starts: Vec<usize> = std::iter::once(0)
        .chain(old.iter().scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        }))
        .collect();
    let ops = similar::capture_diff_slices(Algorithm::Myers, &old, &new);
    let mut splices = Vec::new();
    for op in ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. })) {
        let (from, to) = (op.old_range(), op.new_range());
        splices.push(Splice { range: starts[from.start]..starts[from.end], text: new[to].concat() });
    }
    let edit = |(number, splice): (usize, &Splice)| Edit {
        range: splice.range.clone(),
        replacement: vec![Fragment::Text(splice.text.clone())],
        rule: rule.to_owned(),
        match_id: u32::try_from(number).unwrap_or(u32::MAX),
        drops: false,
    };
    (splices.iter().enumerate().map(edit).collect(), splices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit;

    #[test]
    fn lines_that_differ_become_edits_that_compose_to_the_whole() {
        for (before, after) in
            [("a\nb\nc\n", "a\nB\nc\nd\n"), ("", "x\n"), ("x\ny", "y"), ("same\n", "same\n"), ("ü\nö", "ü\nä\nö\n")]
        {
            let (edits, splices) = edits(before, after, "r");
            assert_eq!(edit::compose(before, &edits).unwrap(), splices);
            let mut made = String::new();
            let mut at = 0;
            for splice in &splices {
                made += &before[at..splice.range.start];
                made += &splice.text;
                at = splice.range.end;
            }
            assert_eq!(made + &before[at..], after);
        }
    }
}
