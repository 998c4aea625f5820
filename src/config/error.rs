//! What is wrong with a migration file, with places, in the style of rustc.
//!
//! Must not: print. Callers decide where the text goes.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One thing that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The path of the key: `verify.step[1].run`; empty where the whole file is meant.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// The next step.
    pub help: String,
    /// Bytes of the file that are meant; `None` where it could not be read at all.
    pub span: Option<Range<usize>>,
}

impl ConfigError {
    /// The line that heads its report.
    fn title(&self) -> String {
        if self.key.is_empty() { self.message.clone() } else { format!("`{}`: {}", self.key, self.message) }
    }
}

/// Everything that is wrong with a migration file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    file: String,
    source: String,
    errors: Vec<ConfigError>,
}

impl ConfigErrors {
    /// `file` is the path as the user wrote it, `source` the text it held.
    pub(super) fn new(file: String, source: String, mut errors: Vec<ConfigError>) -> Self {
        let source = masked(&source);
        errors.sort_by_key(|error| error.span.clone().map_or(0, |span| span.start));
        Self { file, source, errors }
    }

    /// A single error about a file whose text is not to be had.
    pub(super) fn unreadable(file: String, message: String, help: &str) -> Self {
        let error = ConfigError { key: String::new(), message, help: help.to_owned(), span: None };
        Self::new(file, String::new(), vec![error])
    }

    /// The errors, at least one.
    pub fn errors(&self) -> &[ConfigError] {
        &self.errors
    }

    /// Line and column (in characters), both from 1, at which `error` begins.
    pub fn place(&self, error: &ConfigError) -> (usize, usize) {
        let start = error.span.as_ref().map_or(0, |span| span.start);
        let before = self.source.get(..start).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// Every error with its place and its next step, one below the other.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let reports: Vec<String> = self.errors.iter().map(|error| self.render_one(&renderer, error)).collect();
        reports.join("\n\n")
    }

    fn render_one(&self, renderer: &Renderer, error: &ConfigError) -> String {
        let title = Level::ERROR.primary_title(error.title());
        let help = Level::HELP.message(error.help.as_str());
        let Some(span) = error.span.clone() else {
            let origin = annotate_snippets::Origin::path(self.file.as_str());
            return renderer.render(&[title.element(origin).element(help)]);
        };
        let span = first_line(&self.source, span);
        let snippet = Snippet::source(self.source.as_str())
            .path(self.file.as_str())
            .annotation(AnnotationKind::Primary.span(span));
        renderer.render(&[title.element(snippet).element(help)])
    }
}

/// The text with what may be a secret made unreadable, each byte for one, so that
/// places stay: names and passwords of URLs, tokens in queries and in `token_env`.
fn masked(source: &str) -> String {
    let mut bytes = source.as_bytes().to_vec();
    let mut hide = |from: usize, to: usize| bytes[from..to].fill(b'*');
    let until = |from: usize, ends: &str| {
        let end = source[from..].find(|c: char| c.is_whitespace() || ends.contains(c));
        end.map_or(source.len(), |at| from + at)
    };
    for (at, found) in source.match_indices("://") {
        let from = at + found.len();
        let to = until(from, "/?#\"'");
        if let Some(user) = source[from..to].rfind('@') {
            hide(from, from + user);
        }
    }
    for (at, found) in source.match_indices("token=") {
        let from = at + found.len();
        if !source[from..].starts_with(['"', '\'']) {
            hide(from, until(from, "\"'&#"));
        }
    }
    for (at, found) in source.match_indices("token_env") {
        let rest = &source[at + found.len()..];
        let value = rest.trim_start_matches(['"', '\'', ' ', '\t', '=']);
        let from = source.len() - value.len();
        let to = from + value.find(['"', '\'', '\n', '\r']).unwrap_or(value.len());
        if !crate::workspace::names_a_secret(&source[from..to]) {
            hide(from, to);
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// A span that covers a whole table says no more than its first line.
fn first_line(source: &str, span: Range<usize>) -> Range<usize> {
    let start = span.start.min(source.len());
    let end = span.end.clamp(start, source.len());
    let text = source.get(start..end).unwrap_or("");
    let line = text.split(['\n', '\r']).next().unwrap_or("");
    start..start + line.len()
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let (line, column) = self.place(error);
            write!(f, "{}:{line}:{column}: {} ({})", self.file, error.title(), error.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn secrets_in_shown_lines() {
        for (text, expected) in [
            ("a = \"https://u:pw@h/x\"", "a = \"https://****@h/x\""),
            ("a = \"https://h/x?token=abc&b=1\"", "a = \"https://h/x?token=***&b=1\""),
            ("{ token_env = \"ghp_é\", page = 0 }", "{ token_env = \"******\", page = 0 }"),
            ("token_env = \"GH_TOKEN\"", "token_env = \"GH_TOKEN\""),
            ("token_env = \"AKIAIOSFODNN7EXAMPLE\"", "token_env = \"********************\""),
            ("a = \"https://h/@x\"", "a = \"https://h/@x\""),
        ] {
            assert_eq!(masked(text), expected);
            assert_eq!(masked(text).len(), text.len());
        }
    }
}
