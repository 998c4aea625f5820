//! Projects of dbt: their files are decided on together, before any of them is edited.
//!
//! Must not: decide anything itself.

use std::collections::BTreeMap;

use super::file::{BOM, caught, failed};
use super::plan::{Finding, FindingKind};
use super::skip;
use crate::dataset::dbt::{ProjectFile, decided};
use crate::rule::{Facts, RuleSet};

/// What makes a folder a project.
const MARK: &str = "dbt_project.yml";

/// The folders of a workspace that are projects, each with a `/` behind it; the workspace
/// itself is empty.
pub(super) fn roots<'p>(rules: &RuleSet, paths: impl Iterator<Item = &'p str>) -> Vec<String> {
    if rules.datasets.is_none() {
        return Vec::new();
    }
    let root = |path: &'p str| {
        let root = path.strip_suffix(MARK)?;
        (root.is_empty() || root.ends_with('/')).then(|| root.to_owned())
    };
    paths.filter_map(root).collect()
}

/// The innermost project that a file is of; what a project depends on and what it builds is
/// none of it.
pub(super) fn root_of<'r>(roots: &'r [String], path: &str) -> Option<&'r str> {
    let inside = roots.iter().filter_map(|root| Some((root, path.strip_prefix(root.as_str())?)));
    let (root, rest) = inside.max_by_key(|(root, _)| root.len())?;
    let foreign = ["target/", "dbt_packages/", "dbt_modules/", "logs/"].iter().any(|folder| rest.starts_with(folder));
    (!foreign && skip::by_path(path).is_none()).then_some(root)
}

/// Adds what becomes of the files of each project to the facts of their workspace.
///
/// # Errors
/// A file that the parser gave up on.
pub(super) fn learn(
    rules: &RuleSet,
    roots: &[String],
    texts: &BTreeMap<String, String>,
    facts: &mut Facts,
) -> Result<(), Finding> {
    let Some(datasets) = &rules.datasets else { return Ok(()) };
    for root in roots {
        let own: Vec<(&String, &str)> = texts
            .iter()
            .filter(|(path, _)| root_of(roots, path) == Some(root))
            .map(|(path, text)| (path, text.strip_prefix(BOM).unwrap_or(text)))
            .collect();
        let files: Vec<ProjectFile<'_>> =
            own.iter().map(|(path, text)| ProjectFile { path: &path[root.len()..], text }).collect();
        let dialect = datasets.dialects.of(&format!("{root}{MARK}"));
        let units = caught(|| decided(&files, &datasets.datasets, dialect));
        let units = units.ok_or_else(|| failed(&format!("{root}{MARK}")))?.map_err(|error| Finding {
            rule: "gander/syntax".to_owned(),
            path: format!("{root}{MARK}"),
            line: 0,
            column: 0,
            kind: FindingKind::Errored,
            message: format!("this project can't be read: {error}"),
            subject: None,
        })?;
        for ((path, _), units) in own.into_iter().zip(units) {
            facts.insert_units(path.clone(), units);
        }
    }
    Ok(())
}
