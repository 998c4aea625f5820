//! The rules of a migration, for the stages: compiled, held to their own examples, and named by a digest.
//!
//! Must not: know a fleet, or run a rule over code.

use std::collections::BTreeSet;
use std::path::Path;

use super::PipelineError;
use crate::config::Migration;
use crate::digest::{Digest, DigestBuilder};
use crate::discover;
use crate::rule::{Rule, RuleSet, Safety};
use crate::rule_test::{self, Given};
use crate::script::{self, Inputs, ScriptErrors};

/// Rules, parameters and mappings of a migration, compiled, and held to their own examples.
///
/// # Errors
/// Everything that is wrong with them.
pub fn load_rules(migration: &Migration) -> Result<(RuleSet, Digest), ScriptErrors> {
    let sources = script::read(&migration.rules)?;
    let mappings = script::read_mappings(&migration.mappings)?;
    let mut digest = DigestBuilder::new("gander.rules").field(migration.guide.as_deref().unwrap_or(""));
    for source in &sources {
        digest = digest.field(&source.text);
    }
    digest = digest.field(migration.parameters.to_string());
    for (name, table) in &mappings {
        digest = digest.field(name).field(table.to_string());
    }
    digest = digest.field(migration.languages.said());
    digest = digest.field(format!("{:?}", migration.order));
    for formatter in &migration.formatters {
        digest = digest.field(format!("{formatter:?}"));
    }
    let datasets = script::read_datasets(&migration.datasets)?;
    if let Some(rules) = &datasets {
        digest = digest.field(rules.identity.as_bytes());
    }
    let (parameters, languages) = (migration.parameters.clone(), migration.languages.clone());
    let order = migration.order.clone();
    let inputs =
        Inputs { parameters, mappings, guide: migration.guide.clone(), languages, datasets, order, alone: false };
    let sources: Vec<script::Source> = sources.into_iter().map(|s| relative(s, migration)).collect();
    let rules = rule_test::load(&sources, &inputs, Given::ByMigration)?;
    if rules.modular || !rules.libraries.is_empty() {
        // What they import or declare lies in files of its own; each rule's identity holds it.
        digest = rules.rules.iter().fold(digest, |digest, rule| digest.field(rule.identity.as_bytes()));
    }
    Ok((rules, digest.finish()))
}

/// Names a rule file relative to the migration, so that no absolute path gets
/// into findings.
fn relative(source: script::Source, migration: &Migration) -> script::Source {
    let folder = migration.file.parent().unwrap_or(Path::new(""));
    let name = Path::new(&source.name).strip_prefix(folder).map(|p| p.display().to_string());
    script::Source { name: name.unwrap_or(source.name), ..source }
}

/// The names to search the code for.
pub(super) fn names(migration: &Migration, rules: &RuleSet) -> Result<Vec<String>, PipelineError> {
    let mappings = script::read_mappings(&migration.mappings)?;
    let consumers = &migration.consumers;
    Ok(discover::names(&consumers.names, &consumers.datasets, rules, &mappings))
}

/// The rules that say `safety("review")`.
pub(super) fn review(rules: &RuleSet) -> BTreeSet<String> {
    let wants = |rule: &&Rule| rule.safety == Safety::Review;
    rules.rules.iter().filter(wants).map(|rule| rule.id.clone()).collect()
}
