//! What is wrong with a mapping table: where, and what to do.
//!
//! Must not: print.

use std::fmt;

use super::source::Place;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingError {
    /// Where, in the file.
    pub place: Place,
    /// The path of the key: `columns.plan_type.values`; empty where the file is meant.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// The next step.
    pub help: String,
}

/// Everything that is wrong with a table, in the order of the file; at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingErrors {
    /// The path, as the user wrote it.
    pub file: String,
    /// What is wrong.
    pub errors: Vec<MappingError>,
}

impl fmt::Display for MappingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let Place { line, column } = error.place;
            write!(f, "{}:{line}:{column}: ", self.file)?;
            if !error.key.is_empty() {
                write!(f, "`{}`: ", error.key)?;
            }
            write!(f, "{} ({})", error.message, error.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for MappingErrors {}

/// Where errors are noted while reading goes on.
#[derive(Default)]
pub(super) struct Notes(Vec<MappingError>);

impl Notes {
    pub(super) fn add(&mut self, place: Place, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(MappingError { place, key: key.to_owned(), message: message.into(), help: help.into() });
    }

    /// What was noted, in the order of the file.
    pub(super) fn into_errors(mut self) -> Vec<MappingError> {
        self.0.sort_by_key(|error| error.place);
        self.0
    }
}

/// `help` for a word that is none of those known.
pub(super) fn nearest(typed: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (strsim::osa_distance(typed, known), *known)).min();
    match near {
        Some((distance, near)) if distance <= 2.max(typed.len() / 3) => format!("did you mean `{near}`?"),
        _ => format!("there are {}", known.join(", ")),
    }
}
