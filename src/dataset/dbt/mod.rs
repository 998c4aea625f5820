//! Projects of dbt: models, tests, snapshots and macros with the YAML files that describe
//! them. What reads one dataset moves as a whole, through all files, or not at all.
//!
//! Must not: read files, or run dbt.

mod comments;
mod described;
mod handed_on;
mod keys;
mod macros;
mod places;
mod properties;
mod selected;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

pub use self::places::places;
use self::properties::Properties;
pub(in crate::dataset) use self::selected::selected;
use super::decide::{Fate, Plain, Reason, decide};
use super::file::Decided;
use super::mapping::Position;
use super::search::searched;
use super::sql::{self, Dialect, Project, Setting};
use super::usage::{Doubt, Form, Of, Unit, Use};
use super::word::words;
use super::{Datasets, net};
use crate::language::by_name;
use crate::tree::{ParseError, Tree, parse};

/// A file of a project.
#[derive(Clone, Copy, Debug)]
pub struct ProjectFile<'a> {
    /// Below the folder of `dbt_project.yml`.
    pub path: &'a str,
    /// What is in it.
    pub text: &'a str,
}

/// What becomes of the units of each file, in the order of `files`.
///
/// # Errors
/// The parser gave up.
pub fn decided(
    files: &[ProjectFile<'_>],
    datasets: &Datasets,
    dialect: Dialect,
) -> Result<Vec<Vec<Decided>>, ParseError> {
    let models: HashSet<String> = files.iter().filter(|file| is_model(file.path)).map(|file| stem(file.path)).collect();
    let (name, package, variables) = settings(files)?;
    let texts = files.iter().filter(|file| extension(file.path) == "sql").map(|file| file.text);
    let macros = macros::macros(package.as_deref(), texts);
    let mut project = Project { models, name, variables, macros, ..Project::default() };
    let mut units: Vec<Vec<Unit>> = vec![Vec::new(); files.len()];
    let mut declared: BTreeSet<usize> = BTreeSet::new();
    for (at, file) in files.iter().enumerate() {
        if is_yaml(file.path)
            && let Some(language) = by_name("yaml")
        {
            let tree: Tree = parse(language, file.text)?;
            let Properties { sources, declared: more, units: found, .. } =
                Properties::read(&tree, datasets, &project, dialect);
            project.sources.extend(sources);
            declared.extend(more);
            units[at] = found.into_values().collect();
            let unread = net::unread(&tree, datasets, &units[at].iter().collect::<Vec<_>>());
            units[at].extend(unread);
            if let Some(error) = tree.errors().next() {
                let refused = Doubt::refuse(error.range(), "YAML that can't be read, and it names the dataset");
                units[at].iter_mut().for_each(|unit| unit.doubts.push(refused.clone()));
            }
        }
    }
    if let Some(at) = files.iter().position(|file| file.path == "dbt_project.yml") {
        units[at].extend(keys::units(files[at].text, datasets, &project, dialect)?);
    }
    for (at, file) in files.iter().enumerate() {
        if extension(file.path) == "sql"
            && let Some(language) = by_name("sql")
        {
            let tree = parse(language, file.text)?;
            let setting = Setting { dialect, project: project.clone(), ..Setting::default() };
            units[at] = sql::units(&tree, datasets, &setting);
            let mut unread = net::unread(&tree, datasets, &units[at].iter().collect::<Vec<_>>());
            unread.retain(|unit| !is_other_source(file.text, unit, &project));
            units[at].extend(unread);
            units[at].extend(comments::depends_on(file.text, datasets, &project));
            for unit in &mut units[at] {
                undeclared(unit, file.text, &declared, datasets);
            }
        } else if !is_yaml(file.path) {
            units[at] = searched(std::path::Path::new(file.path), file.text, datasets)
                .into_iter()
                .map(|one| one.unit)
                .collect();
            if extension(file.path) == "py" {
                units[at].extend(comments::in_code(file.text, datasets, &project));
            }
        }
    }
    for (file, units) in files.iter().zip(units.iter_mut()).filter(|(file, _)| extension(file.path) == "sql") {
        units.iter_mut().for_each(|unit| open_templates(unit, file.text, datasets));
    }
    open_macros(files, &mut units, datasets);
    handed_on::hold(files, &mut units);
    Ok(together(files, units, datasets))
}

/// What a project calls itself, the same where no other package has macros for it, and what its variables hold.
type Settings = (Option<String>, Option<String>, HashSet<String>);

/// What its `dbt_project.yml` says of a project.
fn settings(files: &[ProjectFile<'_>]) -> Result<Settings, ParseError> {
    let (Some(file), Some(language)) = (files.iter().find(|file| file.path == "dbt_project.yml"), by_name("yaml"))
    else {
        return Ok((None, None, HashSet::new()));
    };
    let tree = parse(language, file.text)?;
    let documents: Vec<yaml::Item<'_>> = tree.root().named_children().map(yaml::read).collect();
    let name = documents.iter().find_map(|document| Some(document.get("name")?.scalar()?.0.to_owned()));
    let mut variables = HashSet::new();
    for variable in documents.iter().filter_map(|document| document.get("vars")) {
        variable.scalars(&mut Vec::new(), &mut |_, node| {
            variables.extend(yaml::text(node).map(|(text, _)| text.to_owned()));
        });
    }
    let name = name.filter(|name| !name.contains("{{"));
    let alone = documents.iter().all(|document| document.get("dispatch").is_none());
    Ok((name.clone(), name.filter(|_| alone), variables))
}

/// Whether a name is `source(…)` of a source that the project says is another table.
fn is_other_source(text: &str, unit: &Unit, project: &Project) -> bool {
    let before = text.get(..unit.range.start).unwrap_or("");
    let Some(call) = before.rfind("source(").map(|at| &before[at + "source(".len()..]) else { return false };
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | ',');
    let source = call.trim_matches(is_mark);
    let table = text.get(unit.range.clone()).unwrap_or("");
    project.sources.get(&(source.to_owned(), table.to_owned())) == Some(&sql::Known::Other)
}

/// A source that no file of the project declares can't get its new name.
fn undeclared(unit: &mut Unit, text: &str, declared: &BTreeSet<usize>, datasets: &Datasets) {
    let by_source = |one: &Use| {
        let Form::Name(edits) = &one.form else { return false };
        let before = text.get(..one.range.start).unwrap_or("");
        one.of == Of::Dataset && !edits.is_empty() && before[before.rfind("{{").unwrap_or(0)..].contains("source")
    };
    let missing = unit.uses.iter().find(|one| by_source(one) && !declared.contains(&one.dataset)).cloned();
    if let Some(one) = missing {
        let name = &datasets.mappings[one.dataset].dataset;
        let why = format!("no file of this project declares the source of {name}");
        unit.doubts.push(Doubt::annotate(one.range, why));
    }
}

/// Where a template may write any column, or all of them leave, templates of the file may
/// name them: lists of names, and options.
fn open_templates(unit: &mut Unit, text: &str, datasets: &Datasets) {
    if !unit.doubts.iter().any(|doubt| doubt.opens) {
        return;
    }
    let named: BTreeSet<usize> = unit.uses.iter().map(|one| one.dataset).collect();
    let known: Vec<std::ops::Range<usize>> = unit.uses.iter().map(|one| one.range.clone()).collect();
    for region in templates(text) {
        for (at, word) in words(text.get(region.clone()).unwrap_or(""), false) {
            let range = region.start + at..region.start + at + word.len();
            if known.iter().any(|known| known.start < range.end && range.start < known.end) {
                continue;
            }
            for dataset in &named {
                let mapping = &datasets.mappings[*dataset];
                if let Some(column) = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept()) {
                    let of = Of::Column(column);
                    let range = range.clone();
                    unit.uses.push(Use { range, dataset: *dataset, of, position: Position::Read, form: Form::Told });
                }
            }
        }
    }
    unit.uses.sort_by_key(|one| (one.range.start, one.range.end));
}

/// Bytes between the braces of templates, comments left out.
fn templates(text: &str) -> Vec<Range<usize>> {
    braces(text, false)
}

/// Bytes between the braces of comments, or of all other templates, in order.
fn braces(text: &str, comments: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|open| at + open) {
        let close = match text.get(open + 1..open + 2) {
            Some("{") => "}}",
            Some("%") => "%}",
            Some("#") => "#}",
            _ => {
                at = open + 1;
                continue;
            }
        };
        let Some(end) = text[open + 2..].find(close).map(|end| open + 2 + end) else { break };
        if (close == "#}") == comments {
            found.push(open + 2..end);
        }
        at = end + 2;
    }
    found
}

/// Where a template may write any column, macros may name it.
fn open_macros(files: &[ProjectFile<'_>], units: &mut [Vec<Unit>], datasets: &Datasets) {
    let open: BTreeSet<usize> = units
        .iter()
        .flatten()
        .filter(|unit| unit.doubts.iter().any(|doubt| doubt.opens))
        .flat_map(|unit| unit.uses.iter().map(|one| one.dataset))
        .collect();
    for (file, units) in files.iter().zip(units.iter_mut()) {
        if extension(file.path) != "sql" || !file.text.contains("endmacro") {
            continue;
        }
        let mut told = Unit { range: 0..file.text.len(), ..Unit::default() };
        let comments = braces(file.text, true);
        let next = |at: usize| comments.get(comments.partition_point(|comment| comment.end <= at));
        let said = |at: usize| next(at).is_none_or(|comment| comment.start > at);
        for (at, word) in words(file.text, false).into_iter().filter(|(at, _)| said(*at)) {
            for dataset in &open {
                let mapping = &datasets.mappings[*dataset];
                if let Some(column) = mapping.index(word, true).filter(|column| !mapping.columns[*column].is_kept()) {
                    let range = at..at + word.len();
                    let of = Of::Column(column);
                    told.uses.push(Use { range, dataset: *dataset, of, position: Position::Read, form: Form::Told });
                }
            }
        }
        if let Some(first) = told.uses.first() {
            told.doubts.push(Doubt::annotate(first.range.clone(), "a macro that models of the dataset may call"));
            units.push(told);
        }
    }
}

/// Decides on units that share a dataset as on one.
fn together(files: &[ProjectFile<'_>], units: Vec<Vec<Unit>>, datasets: &Datasets) -> Vec<Vec<Decided>> {
    let mut fates: Vec<Vec<Decided>> = Vec::new();
    for units in units {
        let with_fate = |unit: Unit| {
            let fate = decide(&unit, datasets, &Plain);
            Decided { unit, fate }
        };
        fates.push(units.into_iter().map(with_fate).collect());
    }
    // Datasets that stay, and the first place that says why.
    let mut stays: BTreeMap<usize, String> = BTreeMap::new();
    loop {
        let before = stays.len();
        for (file, decided) in files.iter().zip(&fates) {
            for one in decided {
                let of: BTreeSet<usize> = one.unit.uses.iter().map(|one| one.dataset).collect();
                let why = match &one.fate {
                    Fate::Annotated(reason) | Fate::Refused(reason) => {
                        let (line, _) = crate::tree::line_column(file.text, reason.range.start);
                        Some(format!("{}:{line}: {}", file.path, reason.why))
                    }
                    Fate::Mapped(_) => of.iter().find_map(|dataset| stays.get(dataset).cloned()),
                };
                if let Some(why) = why {
                    of.into_iter().for_each(|dataset| {
                        stays.entry(dataset).or_insert_with(|| why.clone());
                    });
                }
            }
        }
        if stays.len() == before {
            break;
        }
    }
    for decided in &mut fates {
        for one in decided {
            let why = one.unit.uses.iter().find_map(|one| stays.get(&one.dataset));
            if let (Fate::Mapped(_), Some(why)) = (&one.fate, why) {
                let range = one.unit.uses.first().map_or(0..0, |one| one.range.clone());
                let why = format!("another file of the project keeps it from moving: {why}");
                one.fate = Fate::Annotated(Reason { range, why });
            }
        }
    }
    fates
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn is_yaml(path: &str) -> bool {
    matches!(extension(path), "yml" | "yaml")
}

/// Whether `ref` may name the file.
fn is_model(path: &str) -> bool {
    let folder = |name: &str| path.starts_with(&format!("{name}/")) || path.contains(&format!("/{name}/"));
    matches!(extension(path), "sql" | "py" | "csv") && !folder("macros") && !folder("tests") && !folder("analyses")
}

fn stem(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}
