//! Errors in rule files, shown in the style of rustc.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use rhai::{EvalAltResult, ImmutableString, ParseError, ParseErrorType, Position};

use super::Source;
use super::explain::{explain, file_of, place_in};

/// One error in a rule or mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The file.
    pub file: String,
    /// Line and column from 1; `None` where the whole file is meant.
    pub place: Option<(u32, u32)>,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    text: String,
}

/// Everything that was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptErrors(pub Vec<ScriptError>);

impl ScriptErrors {
    /// All of them, with the code they are about.
    pub fn render(&self, color: bool) -> String {
        self.0.iter().map(|e| e.render(color)).collect::<Vec<_>>().join("\n\n")
    }
}

impl std::fmt::Display for ScriptErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ScriptErrors {}

impl ScriptError {
    /// About a whole file.
    pub fn of_file(file: &str, message: &str) -> Self {
        Self { file: file.to_owned(), place: None, message: message.to_owned(), hint: None, text: String::new() }
    }

    /// About a place in a file with this text; line and column from 1. What follows the first line of
    /// the message is shown beneath the code.
    pub fn at(file: &str, text: &str, place: (u32, u32), message: &str) -> Self {
        Self {
            file: file.to_owned(),
            place: Some(place),
            message: message.to_owned(),
            hint: None,
            text: text.to_owned(),
        }
    }

    pub(super) fn in_source(source: &Source, position: Position, message: &str) -> Self {
        match position.line() {
            None => Self::of_file(&source.name, message),
            Some(line) => {
                let column = position.position().unwrap_or(1);
                Self::at(&source.name, &source.text, (line as u32, column as u32), message)
            }
        }
    }

    pub(super) fn parsing(source: &Source, error: &ParseError) -> Self {
        if let ParseErrorType::Reserved(word) = error.err_type() {
            let message = format!("`{word}` is a word that the rule language keeps for itself");
            return Self::in_source(source, error.position(), &message).hint("give it another name");
        }
        Self::in_source(source, error.position(), &error.err_type().to_string())
    }

    pub(super) fn running(source: &Source, error: &EvalAltResult) -> Self {
        let (position, message) = explain(error);
        match file_of(error).filter(|file| *file != source.name && !position.is_none()) {
            Some(module) => Self::of_file(&place_in(module, position), &message),
            None => Self::in_source(source, position, &message),
        }
    }

    /// With what to do next.
    #[must_use]
    pub fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }

    /// The error with the line it is about.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let (head, rest) = self.message.split_once('\n').unwrap_or((&self.message, ""));
        let title = Level::ERROR.primary_title(head.to_owned());
        let mut group = match self.place {
            None => {
                let mut text = format!("error: {}: {}", self.file, self.message);
                if let Some(hint) = &self.hint {
                    text += &format!("\n  = help: {hint}");
                }
                return text;
            }
            Some((line, column)) => {
                let start = offset(&self.text, line, column);
                let end = self.text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
                let mark = AnnotationKind::Primary.span(start..end);
                title.element(Snippet::source(&self.text).path(&self.file).annotation(mark))
            }
        };
        if !rest.is_empty() {
            group = group.element(Level::NOTE.message(rest.to_owned()));
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.clone()));
        }
        renderer.render(&[group]).to_string()
    }
}

fn offset(text: &str, line: u32, column: u32) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum();
    let rest = &text[start.min(text.len())..];
    let within: usize =
        rest.chars().take(column.saturating_sub(1) as usize).take_while(|c| *c != '\n').map(char::len_utf8).sum();
    (start + within).min(text.len())
}

/// An error of a script, for people.
pub(super) fn fail(message: impl Into<String>) -> Box<EvalAltResult> {
    let message: ImmutableString = message.into().into();
    Box::new(EvalAltResult::ErrorRuntime(message.into(), Position::NONE))
}
