//! Two texts side by side, for people.

use similar::{ChangeTag, TextDiff};

/// How many lines around a change are shown.
const AROUND: usize = 3;

/// What differs between two texts, line by line: each line as `shown` writes it.
pub fn difference(old: &str, new: &str, shown: &dyn Fn(ChangeTag, &str) -> String) -> String {
    // What follows the last line counts where nothing else differs.
    let same = old.trim_end() == new.trim_end();
    let whole = |text: &str| match text {
        _ if same => text.to_owned(),
        _ if text.trim().is_empty() => String::new(),
        _ => format!("{}\n", text.trim_end()),
    };
    let (old, new) = (whole(old), whole(new));
    let diff = TextDiff::from_lines(&old, &new);
    let mut out = String::new();
    for (at, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if at > 0 {
            out.push_str("    …\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            out += &shown(change.tag(), change.value().trim_end_matches('\n'));
            out.push('\n');
        }
    }
    out
}
