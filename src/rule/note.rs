//! The comments of annotations: where one stands, what it says, and whether it is there.
//!
//! Must not: decide what is annotated.

use super::layout::{indentation, line_end, line_start, statement_start};
use crate::edit::{Edit, Fragment};
use crate::tree::Node;

/// Where a comment goes.
pub(super) enum Comment {
    /// It is there already.
    There,
    /// The language has none.
    Never,
    /// This writes it.
    New(Edit),
}

/// What is said to whoever reads the code next.
pub(super) struct Note<'n> {
    /// By what a second run knows it again.
    pub(super) id: &'n str,
    /// Where more is written.
    pub(super) guide: Option<&'n str>,
    /// Why.
    pub(super) message: &'n str,
}

impl Note<'_> {
    /// The comment, on a line of its own above the code and above the comments that stand
    /// there: some of them speak to the next line.
    pub(super) fn above(&self, node: Node<'_>, match_id: u32) -> Comment {
        let text = node.tree().text();
        let language = &node.tree().language.facts;
        let Some(mark) = language.line_comment.as_deref() else { return Comment::Never };
        let mut line = line_start(text, statement_start(node));
        let indent = indentation(text, line);
        let tag = format!("gander[{}]", self.id);
        while let Some(above) = line.checked_sub(1).map(|end| line_start(text, end)) {
            let comment = text[above..line].trim_start();
            // `#!` and `# -*- coding` count only where they stand.
            if !comment.starts_with(mark) || above == 0 && comment.starts_with("#!") || comment.contains("coding") {
                break;
            }
            if comment.contains(&tag) {
                return Comment::There;
            }
            line = above;
        }
        let guide = self.guide.map(|guide| format!(" ({guide})")).unwrap_or_default();
        let message = self.message.replace(['\n', '\r', '\u{2028}', '\u{2029}'], " ");
        // Templates of dbt are evaluated in comments of SQL, too.
        let message = if language.name == "sql" { message.replace('{', "(").replace('}', ")") } else { message };
        let comment = format!("{indent}{mark} {tag}: {message}{guide}{}", line_end(text));
        let replacement = vec![Fragment::Text(comment)];
        Comment::New(Edit { range: line..line, replacement, rule: self.id.to_owned(), match_id, drops: false })
    }
}
