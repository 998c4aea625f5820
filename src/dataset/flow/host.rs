//! What code asks of the text that is written into it.

use std::ops::Range;

use crate::dataset::code::fits_literal;
use crate::dataset::decide::Host;
use crate::dataset::text::Text;
use crate::tree::Tree;

/// A file of code, and the queries in its texts.
pub(super) struct Code<'a> {
    pub(super) tree: &'a Tree,
    pub(super) texts: Vec<Text>,
}

impl Code<'_> {
    fn text_at(&self, at: usize) -> Option<&Text> {
        self.texts.iter().find(|text| text.quote_at(at).is_some())
    }
}

impl Host for Code<'_> {
    fn fits(&self, range: &Range<usize>, text: &str) -> bool {
        if let Some(read) = self.text_at(range.start) {
            return fits_literal(read, range, text);
        }
        let base = self.tree.base();
        let local = range.start - base..range.end - base;
        let inside = self.tree.spanning(local.start, local.end).is_some_and(|node| {
            std::iter::once(node).chain(node.ancestors()).any(|up| {
                let whole = up.local_range();
                self.tree.language.is_string(up.kind_id()) && whole.start < local.start && local.end < whole.end
            })
        });
        !inside || !text.contains(['"', '\'', '`', '\\', '\n', '\r', '{', '}', '$'])
    }

    fn quote(&self, range: &Range<usize>) -> Option<char> {
        match self.text_at(range.start) {
            Some(read) if read.quote_at(range.start) == Some("'") => None,
            Some(_) => Some('\''),
            None => Some('"'),
        }
    }
}
