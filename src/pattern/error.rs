//! What is wrong with a pattern, where, and what to do about it.

use super::spelling::Spelt;
use crate::tree::ParseError;

/// Why a pattern was refused.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// It is empty.
    #[error("the pattern is empty")]
    Empty,
    /// It fits no context of the language.
    #[error("`{pattern}` is not {language} in any context ({contexts})\n{tree}{advice}")]
    Unreadable {
        /// As written.
        pattern: String,
        /// The language.
        language: String,
        /// The contexts that were tried.
        contexts: String,
        /// The pattern with the place at which it goes wrong, and the best attempt at a tree.
        tree: String,
        /// What to do next.
        advice: String,
    },
    /// A hole is not a node of its own.
    #[error(
        "in `{pattern}`, `{hole}` is not a node of its own in {language} but part of `{inside}`\n\
         make it stand for a whole name, expression or argument"
    )]
    HoleLost {
        /// As written.
        pattern: String,
        /// The language.
        language: String,
        /// The hole.
        hole: String,
        /// The node that swallowed it.
        inside: String,
    },
    /// A hole for one node is one segment of a path whose segments are beside each other.
    #[error(
        "in `{pattern}`, `{hole}` is one segment of the path in {language} (`{inside}`), and a path of several is not found\n\
         write `{path}` for any path"
    )]
    OneSegment {
        /// As written.
        pattern: String,
        /// The language.
        language: String,
        /// The hole.
        hole: String,
        /// The same, for a whole path.
        path: String,
        /// The node that holds the path.
        inside: String,
    },
    /// Two contexts fit and mean different things.
    #[error("`{pattern}` reads in more than one way in {language}; say which:\n{candidates}")]
    Ambiguous {
        /// As written.
        pattern: String,
        /// The language.
        language: String,
        /// One tree a context, with how to ask for it.
        candidates: String,
    },
    /// A context that the language does not have.
    #[error("{language} has no context `{context}`; it has {contexts}")]
    NoSuchContext {
        /// The language.
        language: String,
        /// As asked for.
        context: String,
        /// What there is.
        contexts: String,
    },
    /// It is asked for as a call, and is none.
    #[error("`{pattern}` is no call in {language}; write one, such as `$R.$F($$$ARGS)`\n{tree}")]
    NoCall {
        /// As written.
        pattern: String,
        /// The language.
        language: String,
        /// How it reads.
        tree: String,
    },
    /// The calls of the language are not known.
    #[error("calls are not known in {language}; they are in {known}")]
    UnknownCalls {
        /// The language.
        language: String,
        /// Where they are.
        known: String,
    },
    /// A lone hole matches everything.
    #[error("`{0}` alone matches every node; say more, or use kind(\"…\")")]
    MatchesAll(String),
    /// Longer or deeper than any code that a person writes.
    #[error("the pattern is longer than {} KiB or nested more than {} deep", super::compile::MAX_TEXT >> 10, super::compile::MAX_DEPTH)]
    TooLarge,
    /// The parser gave up.
    #[error(transparent)]
    Parse(#[from] ParseError),
}

/// The line of a pattern that can't be read, with its place marked.
pub(super) fn marked(text: &str, spelt: &Spelt, at: Option<usize>) -> String {
    let Some(at) = at.and_then(|at| spelt.code.get(..at)).map(|before| spelt.show(before).len()) else {
        return String::new();
    };
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
    let line = text[start..].lines().next().unwrap_or("");
    format!("  {line}\n  {}^ it can't be read from here\n", " ".repeat(text[start..at].chars().count()))
}

/// What to do about a pattern that can't be read.
pub(super) fn advice(text: &str, context: Option<&str>) -> String {
    let lower = |(at, _): (usize, &str)| text[at + 1..].starts_with(|c: char| c.is_ascii_lowercase());
    if text.match_indices('$').any(lower) {
        return "holes are written in upper case: $X, $$$ARGS".to_owned();
    }
    let mut open = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => open.push((at, c)),
            ')' | ']' | '}' => match open.pop() {
                None => return format!("`{c}` closes nothing"),
                Some((_, other)) if !matches!((other, c), ('(', ')') | ('[', ']') | ('{', '}')) => {
                    return format!("`{other}` is not closed");
                }
                Some(_) => {}
            },
            _ => {}
        }
    }
    if let Some((_, c)) = open.first() {
        return format!("`{c}` is not closed");
    }
    match context {
        Some(context) => format!("write it as it would stand in code as {context}(\"…\")"),
        None => "write it as it would stand in code, or name a context: expr(\"…\"), stmt(\"…\")".to_owned(),
    }
}
