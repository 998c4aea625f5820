//! What is asked about a change: the queries that it touches, as they were and as they are,
//! and the models of the dbt projects that it touches.
//!
//! Must not: leave out a query that changes without saying so.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Serialize;

use super::answers::VERSION;
use super::{Compared, Comparison, ENGINE_MEMORY, Sql};
use crate::dataset::dbt::places;
use crate::dataset::mapping::{Becomes, Column, Literal, Mapping, System};
use crate::dataset::sql::Dialect;
use crate::dataset::{Query, queries};
use crate::files;
use crate::transform::{FileOutcome, FilePlan};
use crate::tree::parse;
use crate::verify::Subject;
use crate::workspace::{FileVersion, Manifest, Mode};

/// What makes a folder a project of dbt.
const PROJECT: &str = "dbt_project.yml";
/// What the runner calls the branch of a model that is built on what was there before.
const INCREMENTAL: &str = " (incremental)";
/// The largest file of a project that is handed on, and all of them, in bytes.
const LARGEST: usize = 1 << 20;
const LARGEST_PROJECT: usize = 64 << 20;

/// What is asked, and what can't be.
pub struct Questions {
    /// As the runner reads it.
    pub asked: Asked,
    /// What can't be asked: why.
    pub untold: Vec<Comparison>,
    /// Whether every edit lies in what is asked.
    pub covered: bool,
}

/// The file that the runner reads.
#[derive(Default, Serialize)]
pub struct Asked {
    version: u32,
    seed: u32,
    limits: Limits,
    datasets: Vec<Dataset>,
    schemas: BTreeMap<String, Vec<String>>,
    default: Option<String>,
    scripts: Vec<Script>,
    projects: Vec<Project>,
}

#[derive(Default, Serialize)]
struct Limits {
    seconds: u64,
    total_seconds: u64,
    memory_mb: u64,
}

#[derive(Serialize)]
struct Dataset {
    name: String,
    old: Vec<String>,
    new: Vec<String>,
    old_sources: Vec<String>,
    new_sources: Vec<String>,
    old_models: Vec<String>,
    new_models: Vec<String>,
    columns: Vec<OneColumn>,
}

#[derive(Serialize)]
struct OneColumn {
    name: String,
    kind: &'static str,
    to: Option<String>,
    sql: Option<String>,
    values: Option<Values>,
    fields: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Values {
    old: &'static str,
    new: &'static str,
    rows: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Script {
    name: String,
    /// The file of code that it stands in, and its line.
    #[serde(skip)]
    inside: Option<(String, u32)>,
    dialect: &'static str,
    old: String,
    new: String,
}

#[derive(Serialize)]
struct Project {
    root: String,
    dialect: &'static str,
    changed: Vec<String>,
    old: Side,
    new: Side,
}

#[derive(Default, Serialize)]
struct Side {
    files: BTreeMap<String, String>,
    sources: BTreeMap<String, String>,
}

impl Questions {
    /// All that `changes` makes to be asked.
    pub fn of(sql: &Sql, subject: &Subject<'_>, manifest: &Manifest, changes: &[FileVersion]) -> Self {
        let memory = ((sql.memory / 4) >> 20).clamp(64, ENGINE_MEMORY);
        let schemas = sql.datasets.schemas.tables();
        let asked = Asked {
            version: VERSION,
            seed: 1,
            limits: Limits {
                seconds: sql.config.timeout.as_secs().max(1),
                total_seconds: sql.config.within.as_secs().max(1),
                memory_mb: memory,
            },
            datasets: sql.datasets.mappings.iter().map(dataset).collect(),
            schemas: schemas.map(|(name, of)| (name.to_owned(), of.into_iter().map(str::to_owned).collect())).collect(),
            default: sql.datasets.default.clone(),
            ..Asked::default()
        };
        let mut questions = Self { asked, untold: Vec::new(), covered: true };
        let roots = roots(manifest);
        let mut projects: BTreeMap<&str, Vec<&FileVersion>> = BTreeMap::new();
        for change in changes.iter().filter(|change| change.before != change.after) {
            match root_of(&roots, &change.path) {
                Some(root) => projects.entry(root).or_default().push(change),
                None => questions.file(sql, subject, change),
            }
        }
        for (root, changed) in projects {
            questions.project(sql, subject, manifest, &roots, root, &changed);
        }
        questions
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.asked.scripts.is_empty() && self.asked.projects.is_empty()
    }

    /// What must be answered: scripts, and files of projects that change, but for macros.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let of_project = |project: &Project| {
            let queries = project.changed.iter().filter(|path| !path.split('/').any(|part| part == "macros"));
            queries.map(|path| format!("{}{path}", project.root)).collect::<Vec<_>>()
        };
        let scripts = self.asked.scripts.iter().map(|script| script.name.clone());
        scripts.chain(self.asked.projects.iter().flat_map(of_project))
    }

    /// The project that a file is of, as it is called where it is answered as a whole.
    pub fn project_of(&self, name: &str) -> Option<String> {
        let project = self.asked.projects.iter().find(|project| {
            name.strip_prefix(&project.root).is_some_and(|path| project.old.files.contains_key(path))
        })?;
        Some(format!("{}{PROJECT}", project.root))
    }

    /// Whether an answer of this name is to something that was asked.
    pub fn knows(&self, answer: &str) -> bool {
        let of_project = |project: &Project| {
            let file = answer.strip_prefix(&project.root).unwrap_or("");
            file == PROJECT || project.old.files.contains_key(file.strip_suffix(INCREMENTAL).unwrap_or(file))
        };
        self.asked.scripts.iter().any(|script| script.name == answer) || self.asked.projects.iter().any(of_project)
    }

    /// What an answer is called that speaks of this line of its text.
    pub fn title(&self, answer: &str, line: u32) -> String {
        match self.asked.scripts.iter().find(|script| script.name == answer).and_then(|script| script.inside.as_ref()) {
            Some((path, first)) => format!("{path}:{}", first.saturating_add(line).saturating_sub(1)),
            None => format!("{answer}:{line}"),
        }
    }

    /// Everything that was asked, not compared.
    pub fn without_answer(&self, why: &str) -> Vec<Comparison> {
        let projects = self.asked.projects.iter().map(|project| format!("{}{PROJECT}", project.root));
        let scripts = self.asked.scripts.iter().map(|script| self.title(&script.name, 1));
        scripts.chain(projects).map(|name| not_compared(name, why)).collect()
    }

    fn file(&mut self, sql: &Sql, subject: &Subject<'_>, change: &FileVersion) {
        let (Some(before), Some(after)) = (text(change, false), text(change, true)) else {
            self.covered = false;
            return;
        };
        let dialect = word(sql.dialects.of(&change.path));
        let Some(language) = subject.languages.of(&change.path) else {
            self.covered = false;
            return;
        };
        if language.facts.name == "sql" {
            let script = Script {
                name: change.path.clone(),
                inside: None,
                dialect,
                old: before.to_owned(),
                new: after.to_owned(),
            };
            self.asked.scripts.push(script);
            return;
        }
        let read = |text: &str| parse(language, text).map(|tree| queries(&tree)).unwrap_or_default();
        let (old, new) = (read(before), read(after));
        let edits = edits(subject.files, &change.path);
        let within = |edit: &Range<usize>, all: &[Query]| {
            all.iter().any(|query| query.range.start <= edit.start && edit.end <= query.range.end)
        };
        self.covered &= !edits.is_empty() && edits.iter().all(|edit| within(edit, &old));
        if old.len() != new.len() {
            let touched = edits.iter().any(|edit| within(edit, &old));
            self.untold.extend(touched.then(|| not_compared(change.path.clone(), "its queries can't be told apart")));
            return;
        }
        for (old, new) in old.into_iter().zip(new).filter(|(old, new)| old.text != new.text) {
            let line = crate::tree::line_column(before, old.range.start).0;
            // Two may begin in one line.
            let name = format!("{}:{line}:{}", change.path, old.range.start);
            let inside = Some((change.path.clone(), line));
            self.asked.scripts.push(Script { name, inside, dialect, old: old.text, new: new.text });
        }
    }

    fn project(
        &mut self,
        sql: &Sql,
        subject: &Subject<'_>,
        manifest: &Manifest,
        roots: &[&str],
        root: &str,
        changes: &[&FileVersion],
    ) {
        let (mut old, mut new) = (Side::default(), Side::default());
        let mut size = 0;
        for (path, entry) in &manifest.entries {
            let wanted = matches!(extension(path), "sql" | "yml" | "yaml");
            if !wanted || root_of(roots, path) != Some(root) || !matches!(entry.mode, Mode::File | Mode::Executable) {
                continue;
            }
            let before = files::read_below(subject.pinned_tree, path).ok().flatten();
            let Some(before) = before.and_then(|content| String::from_utf8(content.bytes).ok()) else { continue };
            size += before.len();
            if before.len() > LARGEST || size > LARGEST_PROJECT {
                continue;
            }
            let change = changes.iter().find(|change| change.path == *path);
            let after = change.map_or(Some(before.as_str()), |change| text(change, true));
            new.take(&path[root.len()..], after);
            old.take(&path[root.len()..], Some(&before));
        }
        let is_sql = |change: &&&FileVersion| extension(&change.path) == "sql";
        let changed = changes.iter().filter(is_sql).map(|change| change.path[root.len()..].to_owned()).collect();
        // YAML describes what the models do; anything else is none of a project's queries.
        self.covered &= changes.iter().all(|change| matches!(extension(&change.path), "sql" | "yml" | "yaml"));
        let dialect = word(sql.dialects.of(&format!("{root}{PROJECT}")));
        self.asked.projects.push(Project { root: root.to_owned(), dialect, changed, old, new });
    }

    #[cfg(test)]
    pub fn about(names: &[&str]) -> Self {
        let script = |name: &&str| Script {
            name: (*name).to_owned(),
            inside: None,
            dialect: "bigquery",
            old: String::new(),
            new: String::new(),
        };
        let asked = Asked { scripts: names.iter().map(script).collect(), ..Asked::default() };
        Self { asked, untold: Vec::new(), covered: true }
    }
}

impl Side {
    fn take(&mut self, path: &str, text: Option<&str>) {
        let Some(text) = text else { return };
        if extension(path) == "sql" {
            self.files.insert(path.to_owned(), text.to_owned());
        } else {
            // What can't be read declares nothing.
            self.sources.extend(places(text).unwrap_or_default());
        }
    }
}

fn not_compared(name: String, why: &str) -> Comparison {
    Comparison { name, outcome: Compared::NotCompared, why: why.to_owned(), rows: 0, wrongs: BTreeMap::new() }
}

/// Text of one side of a change.
fn text(change: &FileVersion, after: bool) -> Option<&str> {
    let side = if after { &change.after } else { &change.before };
    side.as_ref().and_then(|content| std::str::from_utf8(&content.bytes).ok())
}

/// Bytes of the pinned file that a change edits.
fn edits(files: &[FilePlan], path: &str) -> Vec<Range<usize>> {
    let file = files.iter().find(|file| file.path == path);
    match file.map(|file| &file.outcome) {
        Some(FileOutcome::Edit { splices, .. }) => splices.iter().map(|splice| splice.range.clone()).collect(),
        _ => Vec::new(),
    }
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The folders that are projects, each with a `/` behind it.
fn roots(manifest: &Manifest) -> Vec<&str> {
    let root = |path: &'_ String| path.ends_with(PROJECT).then(|| path.len() - PROJECT.len());
    let all = manifest.entries.keys().filter_map(|path| Some(&path[..root(path)?]));
    all.filter(|root| root.is_empty() || root.ends_with('/')).collect()
}

/// The innermost project that a file is of.
fn root_of<'r>(roots: &[&'r str], path: &str) -> Option<&'r str> {
    let root = roots.iter().filter(|root| path.starts_with(**root)).max_by_key(|root| root.len())?;
    let built = ["target/", "dbt_packages/", "dbt_modules/", "logs/"];
    (!built.iter().any(|folder| path[root.len()..].starts_with(folder))).then_some(*root)
}

/// What sqlglot calls a dialect; its own is near the standard.
fn word(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Unsaid | Dialect::BigQuery => "bigquery",
        Dialect::Ansi => "",
        Dialect::Snowflake => "snowflake",
        Dialect::DuckDb => "duckdb",
        Dialect::Spark => "spark",
    }
}

fn dataset(mapping: &Mapping) -> Dataset {
    let names = |system: System, new: bool| -> Vec<String> {
        let of = mapping.names(system).map(|name| if new { &name.new } else { &name.old });
        of.cloned().collect::<BTreeSet<_>>().into_iter().collect()
    };
    Dataset {
        name: mapping.dataset.clone(),
        old: names(System::Table, false),
        new: names(System::Table, true),
        old_sources: names(System::DbtSource, false),
        new_sources: names(System::DbtSource, true),
        old_models: names(System::DbtRef, false),
        new_models: names(System::DbtRef, true),
        columns: mapping.columns.iter().map(column).collect(),
    }
}

fn column(column: &Column) -> OneColumn {
    let literal = |literal: Literal| match literal {
        Literal::String => "string",
        Literal::Integer => "integer",
        Literal::Boolean => "boolean",
    };
    let sql = match &column.becomes {
        Becomes::Expressions(all) => all.get("sql").map(|sql| sql.write(str::to_owned)),
        _ => None,
    };
    let kind = match (&column.becomes, &sql) {
        (Becomes::To(new), _) if *new == column.name && column.values.is_none() && !column.changes_fields() => "kept",
        (Becomes::To(_), _) => "renamed",
        (Becomes::Expressions(_), Some(_)) => "expression",
        _ => "gone",
    };
    let values = column.values.as_ref().map(|values| Values {
        old: literal(values.old),
        new: literal(values.new),
        rows: values.rows.clone(),
    });
    OneColumn {
        name: column.name.clone(),
        kind,
        to: column.to().map(str::to_owned),
        sql,
        values: values.filter(|_| kind == "renamed"),
        fields: column.fields.clone(),
    }
}
