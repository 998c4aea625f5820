//! The units of one file and what becomes of each, whatever language it is in.
//!
//! Must not: read files, or know what a project is made of.

use std::sync::Arc;

use super::decide::{Fate, Plain, decide};
use super::elsewhere::{Elsewhere, Seen};
use super::sql::{self, Dialect, Project, Setting};
use super::usage::Unit;
use super::{Datasets, code, elsewhere, net, put_in};
use crate::language::Language;
use crate::tree::{ParseError, Tree, parse};

/// A unit and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// What was found.
    pub unit: Unit,
    /// What becomes of it.
    pub fate: Fate,
}

/// What is known around a file.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Whose SQL stands in it.
    pub dialect: Dialect,
    /// The project of dbt that it is of.
    pub project: Project,
    /// Its path, and what the other files of the consumer say of its names.
    pub elsewhere: Option<(String, Arc<Elsewhere>)>,
}

impl Around {
    /// The path of the file, where others may speak of it.
    fn path(&self) -> &str {
        self.elsewhere.as_ref().map_or("", |(path, _)| path)
    }

    /// Where another file of the consumer names a column of a dataset that changes, in any way.
    pub(super) fn named_elsewhere(&self, dataset: usize) -> Option<(String, String)> {
        let (path, elsewhere) = self.elsewhere.as_ref()?;
        elsewhere.names_a_column(path, dataset)
    }

    /// Where another file reads a table whose name is put in, which may be a dataset's, and the column of it
    /// that it names.
    pub(super) fn read_elsewhere(&self, dataset: usize) -> Option<(String, String)> {
        let (path, elsewhere) = self.elsewhere.as_ref()?;
        elsewhere.reads_any_table(path, dataset)
    }

    /// Where the consumer names a dataset, as a part of a sentence: in this text, or in another file.
    pub(super) fn names(&self, text: &str, datasets: &Datasets, dataset: usize) -> Option<String> {
        if put_in::spoken(text, &datasets.mappings[dataset]).is_some() {
            return Some("this file names".to_owned());
        }
        let (path, elsewhere) = self.elsewhere.as_ref()?;
        elsewhere.names_dataset(path, dataset).map(|place| format!("{place} names"))
    }

    /// Where another file may speak of a name.
    pub(super) fn spoken(&self, name: &str, seen: &Seen) -> Option<String> {
        let (path, elsewhere) = self.elsewhere.as_ref()?;
        elsewhere.place(path, name, seen)
    }
}

/// Whether units are looked for in files of this language.
pub fn speaks(language: &Language) -> bool {
    LANGUAGES.contains(&language.facts.name.as_str())
}

/// SQL, and what holds SQL in its texts.
const LANGUAGES: [&str; 12] =
    ["sql", "python", "scala", "java", "kotlin", "typescript", "tsx", "javascript", "go", "rust", "yaml", "json"];

/// Every unit of a text, in order.
///
/// # Errors
/// The parser gave up.
pub fn decided(
    language: &'static Language,
    text: impl Into<Arc<str>>,
    datasets: &Datasets,
    around: &Around,
) -> Result<Vec<Decided>, ParseError> {
    of_tree(&parse(language, text)?, datasets, around)
}

/// As [`decided`], of a file that is parsed already.
///
/// # Errors
/// The parser gave up on a text in it.
pub fn of_tree(tree: &Tree, datasets: &Datasets, around: &Around) -> Result<Vec<Decided>, ParseError> {
    if !speaks(tree.language) {
        return Ok(Vec::new());
    }
    let mut decided = read(tree, datasets, around)?;
    let known: Vec<&Unit> = decided.iter().map(|one| &one.unit).collect();
    let unread = net::unread(tree, datasets, &known);
    decided.extend(unread.into_iter().map(|unit| {
        let fate = decide(&unit, datasets, &Plain);
        Decided { unit, fate }
    }));
    match tree.language.facts.name.as_str() {
        "yaml" | "json" => net::hold_what_stands_beside(tree, datasets, &mut decided),
        "sql" => {
            let more = put_in(tree, datasets, around, &decided);
            decided.extend(more);
        }
        _ => {
            net::hold_what_grows(tree, datasets, &mut decided);
            net::hold_what_others_have(tree, around, &mut decided);
        }
    }
    if elsewhere::is_script(around.path()) {
        net::hold_what_code_adds(tree, around, &mut decided);
    }
    decided.sort_by_key(|one| one.unit.range.start);
    Ok(decided)
}

/// Statements of a file of SQL whose table is put in at run time as a whole, beside those that are `known`.
pub fn put_in(tree: &Tree, datasets: &Datasets, around: &Around, known: &[Decided]) -> Vec<Decided> {
    let mut found = Vec::new();
    for statement in tree.root().named_children().filter(|child| !child.is_extra()) {
        let range = statement.range();
        let told = known.iter().any(|one| one.unit.uses.iter().any(|one| range.contains(&one.range.start)));
        let tables = if told { Vec::new() } else { put_in::tables(statement.text(), &[]) };
        if tables.is_empty() {
            continue;
        }
        let named = |dataset: usize| around.names(tree.text(), datasets, dataset);
        let units =
            put_in::units((range.start, statement.text()), &tables, datasets, &|_| Vec::new(), &named).into_iter();
        found.extend(units.map(|unit| {
            let fate = decide(&unit, datasets, &Plain);
            Decided { unit, fate }
        }));
    }
    found
}

fn read(tree: &Tree, datasets: &Datasets, around: &Around) -> Result<Vec<Decided>, ParseError> {
    if tree.language.facts.name != "sql" {
        return code::decided(tree, datasets, around);
    }
    let project = around.project.clone();
    let setting = Setting { dialect: around.dialect, project, file: true, ..Setting::default() };
    let units = sql::units(tree, datasets, &setting);
    let with_fate = |unit: Unit| {
        let fate = decide(&unit, datasets, &Plain);
        Decided { unit, fate }
    };
    Ok(units.into_iter().map(with_fate).collect())
}
