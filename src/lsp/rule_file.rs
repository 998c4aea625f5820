//! What is wrong with a rule file as it stands in the editor.

use std::path::Path;

use lsp_types::{Diagnostic, DiagnosticSeverity, Range};

use super::position::{offset_of_column, position, range};
use crate::rule_test::{ExampleResult, examples, find};
use crate::script::{Inputs, ScriptError, Source, load};

/// Mistakes, and examples that fail.
pub(super) fn diagnostics(path: &Path, text: &str) -> Vec<Diagnostic> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let source = Source { name: name.clone(), text: text.to_owned(), folder: path.parent().map(Path::to_owned) };
    match load(&[source], &inputs(path)) {
        Err(errors) => errors.0.iter().map(|error| mistake(text, &name, error)).collect(),
        Ok(rules) => examples(&rules).iter().filter(|e| !e.passed()).map(|e| failed(text, e)).collect(),
    }
}

/// What the rules of a file may read: what their migration gives them.
pub(super) fn inputs(path: &Path) -> Inputs {
    if !path.is_file() {
        return Inputs::default();
    }
    find(&[path.to_owned()]).suites.into_iter().next().map(|suite| suite.inputs).unwrap_or_default()
}

fn mistake(text: &str, name: &str, error: &ScriptError) -> Diagnostic {
    // What is wrong in a module has its place there.
    let own = error.place.filter(|_| error.file == name);
    let said = match error.place {
        Some((line, column)) if own.is_none() => format!("{}:{line}:{column}: {}", error.file, error.message),
        None if error.file != name => format!("{}: {}", error.file, error.message),
        _ => error.message.clone(),
    };
    let at = own.map_or(0, |(line, column)| offset_of_column(text, line, column));
    let word = text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8).sum::<usize>();
    let end = at + word.max(text[at..].chars().next().map_or(0, char::len_utf8));
    let hint = error.hint.as_ref().map_or(String::new(), |hint| format!("\nhelp: {hint}"));
    of(range(text, at..end), DiagnosticSeverity::ERROR, format!("{said}{hint}"))
}

fn failed(text: &str, example: &ExampleResult) -> Diagnostic {
    let (line, column) = example.at;
    let from = offset_of_column(text, line, column);
    // At its own code, if that is written as it is.
    let at = text[from..].find(&example.before).filter(|_| !example.before.is_empty());
    let at = at.map_or(from..from, |at| from + at..from + at + example.before.len());
    let wanted = if example.before == example.wanted { "nothing may change, and " } else { "" };
    let why = example.failed.as_ref().map_or_else(|| format!("{wanted}this becomes\n{}", example.came), Clone::clone);
    let message =
        format!("example {} of {} fails: {why}\nUntil it holds, nothing runs the rule.", example.number, example.rule);
    of(Range { start: position(text, at.start), end: position(text, at.end) }, DiagnosticSeverity::ERROR, message)
}

pub(super) fn of(range: Range, severity: DiagnosticSeverity, message: String) -> Diagnostic {
    Diagnostic { range, severity: Some(severity), source: Some("gander".to_owned()), message, ..Diagnostic::default() }
}
