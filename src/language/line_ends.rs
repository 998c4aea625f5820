//! Where statements end with their line and the grammar has it otherwise, by the kinds of the grammar.

use super::facts::LineEndFacts;

/// Which lines begin a statement that the grammar takes for more of the one above.
#[derive(Debug)]
pub struct LineEnds {
    begin: Vec<String>,
    line_comment: Option<String>,
    /// What begins a comment that may stand before a statement on its line.
    comment: Option<String>,
    /// Kinds that go on over the end of a line, and the word that one of them must begin with.
    inside: Vec<(u16, Option<String>)>,
    /// Kinds between braces in which the grammar asks for an end behind the last statement.
    closed: Vec<u16>,
    /// Kinds of what such an end is asked for behind, where nothing of that could be read.
    unended: Vec<u16>,
    /// Kinds that the grammar makes of a declaration without it, and the word that one of them then begins with.
    mistaken: Vec<(u16, String)>,
    /// What ends a statement wherever it stands.
    pub end: u8,
}

impl LineEnds {
    /// Whether code begins a statement where it begins a line.
    pub fn begin(&self, code: &str) -> bool {
        self.begin.iter().any(|begin| code.starts_with(begin.as_str()))
    }

    /// Whether a line with this code may begin a statement: behind a comment, too.
    pub fn may_begin(&self, code: &str) -> bool {
        self.begin(code) || self.comment.as_ref().is_some_and(|comment| code.starts_with(comment.as_str()))
    }

    /// Whether a comment ends with its line.
    pub fn line_comment(&self, comment: &str) -> bool {
        self.line_comment.as_ref().is_some_and(|begin| comment.starts_with(begin.as_str()))
    }

    /// Whether a node of this kind may go on over the end of a statement, and the word that it then begins with, if
    /// that matters.
    pub fn goes_on(&self, kind: u16) -> Option<Option<&str>> {
        self.inside.iter().find(|(known, _)| *known == kind).map(|(_, word)| word.as_deref())
    }

    /// Whether nothing between these braces is read without an end behind it.
    pub fn closed(&self, kind: u16) -> bool {
        self.closed.contains(&kind)
    }

    /// Whether that is asked for behind a node of this kind.
    pub fn unended(&self, kind: u16) -> bool {
        self.unended.contains(&kind)
    }

    /// Whether a node of this kind with this code is a declaration without such an end: it begins with a word, and
    /// a name.
    pub fn mistaken(&self, kind: u16, code: &str) -> bool {
        let is_name =
            |rest: &str| rest.starts_with(char::is_whitespace) && rest.trim_start().starts_with(char::is_alphabetic);
        let row = self.mistaken.iter().find(|(known, _)| *known == kind);
        row.and_then(|(_, word)| code.strip_prefix(word.as_str())).is_some_and(is_name)
    }

    /// `id` gives the number of a kind, or what is wrong with it.
    pub(super) fn new(
        facts: &LineEndFacts,
        line_comment: Option<&str>,
        id: impl Fn(&str) -> Result<u16, String>,
    ) -> Result<Self, String> {
        let inside = |text: &String| {
            let (kind, word) = text.split_once(' ').map_or((text.as_str(), None), |(k, w)| (k, Some(w.to_owned())));
            Ok((id(kind)?, word))
        };
        let inside = facts.inside.iter().map(inside).collect::<Result<_, String>>()?;
        let mistaken = facts.mistaken.iter().filter_map(|row| row.split_once(' '));
        let mistaken = mistaken.map(|(kind, word)| Ok((id(kind)?, word.to_owned()))).collect::<Result<_, String>>()?;
        let unended = facts.unended.iter().map(|kind| id(kind)).collect::<Result<_, String>>()?;
        let closed = facts.closed.iter().map(|kind| id(kind)).collect::<Result<_, String>>()?;
        let &[end] = facts.end.as_bytes() else { return Err(format!("`{}` is no single byte", facts.end)) };
        Ok(Self {
            begin: facts.begin.clone(),
            line_comment: line_comment.map(str::to_owned),
            comment: facts.comment.clone(),
            inside,
            closed,
            unended,
            mistaken,
            end,
        })
    }
}
