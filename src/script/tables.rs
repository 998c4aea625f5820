//! The mapping tables of datasets, read from the files that a migration names.
//!
//! Must not: say what a key of a table means.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{ScriptError, ScriptErrors};
use super::read_text;
use crate::config::DatasetFiles;
use crate::dataset::mapping::{self, Mapping, Notation};
use crate::dataset::{Datasets, MAX_SCHEMA_BYTES, Schemas};
use crate::digest::DigestBuilder;
use crate::rule::DatasetRules;

/// The datasets of a migration; `None` where it names none.
///
/// # Errors
/// Everything that is wrong with the tables, each with its place.
pub fn read_datasets(files: &DatasetFiles) -> Result<Option<Arc<DatasetRules>>, ScriptErrors> {
    let mut errors = Vec::new();
    let default = files.default.as_deref().unwrap_or_default();
    let mut identity = DigestBuilder::new("gander.datasets").field(default).field(files.dialects.said());
    let mut mappings: Vec<Mapping> = Vec::new();
    let all: Vec<PathBuf> = files.mappings.iter().chain(&files.by_rules).cloned().collect();
    let (said, schemas) = files.schemas.as_deref().and_then(|file| schemas_of(file, &mut errors)).unwrap_or_default();
    for (at, file) in all.iter().enumerate() {
        let Some((text, mut mapping)) = mapping_of(file, &schemas, &mut errors) else { continue };
        mapping.by_rules = at >= files.mappings.len();
        identity = identity.field(text).field([u8::from(mapping.by_rules)]);
        mappings.push(mapping);
    }
    let identity = identity.field(said).finish();
    twice(&mappings, &all, &mut errors);
    if !errors.is_empty() {
        return Err(ScriptErrors(errors));
    }
    if mappings.is_empty() {
        return Ok(None);
    }
    let datasets = Datasets { mappings, schemas, default: files.default.clone() };
    Ok(Some(Arc::new(DatasetRules::new(datasets, files.dialects.clone(), identity))))
}

fn mapping_of(file: &Path, schemas: &Schemas, errors: &mut Vec<ScriptError>) -> Option<(String, Mapping)> {
    let shown = file.display().to_string();
    let notation = match file.extension().and_then(|e| e.to_str()) {
        Some("toml") => Notation::Toml,
        Some("yaml" | "yml") => Notation::Yaml,
        Some("csv") => Notation::Csv,
        _ => {
            let error = ScriptError::of_file(&shown, "its name does not tell how it is written");
            errors.push(error.hint("call it .toml, .yaml or .csv"));
            return None;
        }
    };
    let text = read_text(file, mapping::MAX_BYTES as u64);
    let text = text.map_err(|why| errors.push(ScriptError::of_file(&shown, &why))).ok()?;
    let told = |error: mapping::MappingError| {
        let key = if error.key.is_empty() { String::new() } else { format!("`{}`: ", error.key) };
        let place = (error.place.line, error.place.column);
        ScriptError::at(&shown, &text, place, &format!("{key}{}", error.message)).hint(&error.help)
    };
    match mapping::read(&text, notation, &shown) {
        Ok(mapping) => {
            errors.extend(mapping.unknown(schemas).into_iter().map(told));
            Some((text, mapping))
        }
        Err(wrong) => {
            errors.extend(wrong.errors.into_iter().map(told));
            None
        }
    }
}

fn schemas_of(file: &Path, errors: &mut Vec<ScriptError>) -> Option<(String, Schemas)> {
    let shown = file.display().to_string();
    let text = read_text(file, MAX_SCHEMA_BYTES as u64);
    let text = text.map_err(|why| errors.push(ScriptError::of_file(&shown, &why))).ok()?;
    match Schemas::read(&text, &shown) {
        Ok(schemas) => Some((text, schemas)),
        Err(error) => {
            let place = (error.place.line, error.place.column);
            errors.push(ScriptError::at(&shown, &text, place, &error.message).hint(&error.help));
            None
        }
    }
}

/// A dataset, or an old name, that two tables speak of.
fn twice(mappings: &[Mapping], files: &[PathBuf], errors: &mut Vec<ScriptError>) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, mapping) in mappings.iter().enumerate() {
        let old = mapping.names.iter().map(|name| format!("the old name {:?}", name.old));
        let all = std::iter::once(format!("a dataset called {:?}", mapping.dataset)).chain(old);
        for name in all {
            let first = *seen.entry(name.clone()).or_insert(index);
            if let (true, Some(first), Some(file)) = (first != index, files.get(first), files.get(index)) {
                let message = format!("{name} is in {} already", first.display());
                errors.push(ScriptError::of_file(&file.display().to_string(), &message));
                break;
            }
        }
    }
}
