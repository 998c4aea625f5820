//! Lines of new code that are data and no code: those of a heredoc, which keep their bytes wherever the code goes.
//!
//! Must not: know where that is.

use std::collections::BTreeSet;

use crate::edit::Fragment;
use crate::language::Language;
use crate::tree::parse;

/// The lines of new code, counted over its own texts, that are data.
pub(super) fn data_lines(language: &'static Language, fragments: &[Fragment]) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    // Strings are told apart once they are written.
    let has_data = !language.facts.verbatim.is_empty();
    let text = |fragment: &Fragment| match fragment {
        Fragment::Text(text) => text.clone(),
        Fragment::Copy(_) => "x".to_owned(),
    };
    let code: String = if has_data { fragments.iter().map(text).collect() } else { String::new() };
    if !code.contains('\n') {
        return lines;
    }
    let Ok(tree) = parse(language, code.as_str()) else { return lines };
    let line = |at: usize| code[..at].matches('\n').count();
    for node in tree.iter().filter(|n| language.is_verbatim(n.kind_id()) && !language.is_string(n.kind_id())) {
        let own = node.local_range();
        lines.extend(line(own.start) + 1..=line(own.end.saturating_sub(1)));
    }
    lines
}
