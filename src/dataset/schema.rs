//! Columns of tables that are not migrated.
//!
//! Must not: guess. A table that is not listed has any columns.

use std::collections::{HashMap, HashSet};

use super::mapping::Place;

/// The largest file of schemas, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// Tables and their columns.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    tables: Vec<(String, HashSet<String>)>,
    /// By the last part of their names, in lower case.
    by_last: HashMap<String, Vec<usize>>,
}

/// Why schemas can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{}:{}: {message} ({help})", place.line, place.column)]
pub struct SchemaError {
    /// The path, as the user wrote it.
    pub file: String,
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// The next step.
    pub help: String,
}

impl Schemas {
    /// Reads `"dataset.table" = ["column", …]`, a line for each table.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(text: &str, file: &str) -> Result<Self, SchemaError> {
        let fail = |at: usize, message: String, help: &str| {
            let (line, column) = crate::tree::line_column(text, at);
            SchemaError { file: file.to_owned(), place: Place { line, column }, message, help: help.to_owned() }
        };
        if text.len() > MAX_BYTES {
            return Err(fail(0, format!("longer than {} MiB", MAX_BYTES >> 20), "leave out what no query joins"));
        }
        let table = toml::de::DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            fail(at, format!("not TOML: {}", error.message()), "correct the syntax here")
        })?;
        let mut schemas = Self::default();
        for (name, columns) in table.get_ref() {
            let help = "write `\"dataset.table\" = [\"column\", …]`";
            let list = columns.get_ref().as_array().ok_or_else(|| {
                fail(columns.span().start, format!("the columns of {} are no list", name.get_ref()), help)
            })?;
            let mut known = HashSet::new();
            for column in list {
                let name = column.get_ref().as_str();
                let name = name.ok_or_else(|| fail(column.span().start, "this is no text".to_owned(), help))?;
                known.insert(name.to_lowercase());
            }
            schemas.add(name.get_ref(), known);
        }
        Ok(schemas)
    }

    /// Adds a table by its path, with columns in lower case.
    pub fn add(&mut self, table: &str, columns: HashSet<String>) {
        let last = table.rsplit('.').next().unwrap_or(table).to_lowercase();
        self.by_last.entry(last).or_default().push(self.tables.len());
        self.tables.push((table.to_owned(), columns));
    }

    /// The schema of a table, by as much of its path as both give; never by its last part
    /// alone, unless that is all that the schema gives.
    pub fn of(&self, parts: &[&str]) -> Option<usize> {
        let last = parts.last()?.to_lowercase();
        self.by_last.get(&last)?.iter().copied().find(|index| {
            let known: Vec<&str> = self.tables[*index].0.split('.').collect();
            let both = known.iter().rev().zip(parts.iter().rev());
            both.clone().count() >= 2.min(known.len()) && both.clone().all(|(a, b)| a.eq_ignore_ascii_case(b))
        })
    }

    /// Every table with its columns, in lower case and in order.
    pub fn tables(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.tables.iter().enumerate().map(|(index, (name, _))| (name.as_str(), self.columns(index)))
    }

    /// The columns of a table, in lower case and in order.
    pub fn columns(&self, index: usize) -> Vec<&str> {
        let mut columns: Vec<&str> = self.tables[index].1.iter().map(String::as_str).collect();
        columns.sort_unstable();
        columns
    }

    /// The table's name.
    pub fn name(&self, index: usize) -> &str {
        &self.tables[index].0
    }

    /// Whether the table has a column.
    pub fn has(&self, index: usize, column: &str) -> bool {
        self.tables[index].1.contains(&column.to_lowercase())
    }
}
