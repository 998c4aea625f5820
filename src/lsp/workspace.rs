//! The rules of the folder that is open in the editor, and what they learn from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::WalkBuilder;

use super::server::{Document, Documents};
use crate::dependency::{Dependencies, declares};
use crate::rule::{Builds, Facts, RuleSet};
use crate::rule_test::{self, Given, Suite, find};
use crate::script::{Source, read};
use crate::transform::collect;

/// Rules that are loaded together.
pub(super) struct Loaded {
    /// The rule file.
    file: PathBuf,
    pub(super) rules: RuleSet,
    /// What those that collect know of the workspace.
    pub(super) facts: Arc<Facts>,
}

/// Files that facts are collected from; more are not read.
const MAX_FILES: usize = 20_000;
/// Larger files are left alone.
const MAX_BYTES: u64 = 4 << 20;

/// The rule files below the roots.
pub(super) fn suites(roots: &[PathBuf]) -> Vec<Suite> {
    find(roots).suites.into_iter().filter(|suite| !suite.migration).collect()
}

/// Loads rules as they stand in the editor. Files that don't load are left out: they
/// have diagnostics of their own.
///
/// What they learn from the workspace is taken over from `known`, where that is given:
/// a folder is not read again with every key.
pub(super) fn load_rules(suites: &[Suite], roots: &[PathBuf], documents: &Documents, known: &[Loaded]) -> Vec<Loaded> {
    suites.iter().filter_map(|suite| one(suite, roots, documents, known)).collect()
}

fn one(suite: &Suite, roots: &[PathBuf], documents: &Documents, known: &[Loaded]) -> Option<Loaded> {
    let mut sources = read(&suite.rules).ok()?;
    for source in &mut sources {
        let is_it = |d: &&Document| d.path.as_deref().is_some_and(|p| same(p, Path::new(&source.name)));
        if let Some(document) = documents.values().find(is_it) {
            *source = Source { name: source.name.clone(), text: document.text.clone(), folder: source.folder.clone() };
        }
    }
    // As everywhere, a rule whose example does not hold runs nowhere.
    let rules = rule_test::load(&sources, &suite.inputs, Given::ByHand).ok().filter(|rules| !rules.rules.is_empty())?;
    let facts = match known.iter().find(|k| k.file == suite.file) {
        _ if !rules.collects() && !rules.asks_builds() => Arc::default(),
        Some(Loaded { rules: old, facts, .. })
            if (old.collects(), old.asks_builds()) == (rules.collects(), rules.asks_builds()) =>
        {
            Arc::clone(facts)
        }
        _ => Arc::new(facts(&rules, roots, documents)),
    };
    Some(Loaded { file: suite.file.clone(), rules, facts })
}

fn same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// What the rules learn from every file below the roots, as it stands in the editor, and what the
/// builds of the only root declare: of several, no path tells which is meant.
fn facts(rules: &RuleSet, roots: &[PathBuf], documents: &Documents) -> Facts {
    let (mut all, mut builds) = (Facts::default(), Dependencies::default());
    for root in roots {
        let walk = WalkBuilder::new(root).follow_links(false).require_git(false).build();
        let files = walk.filter_map(Result::ok).filter(|e| e.file_type().is_some_and(|t| t.is_file()));
        for entry in files.take(MAX_FILES) {
            let file = entry.path();
            let name = file.strip_prefix(root).unwrap_or(file).to_string_lossy().into_owned();
            let build = rules.asks_builds() && declares(&name);
            let spoken = rules.collects() && rules.spoken_in(&name).is_some();
            if !build && !spoken {
                continue;
            }
            let open = documents.values().find(|d| d.path.as_deref() == Some(file));
            let small = entry.metadata().is_ok_and(|m| m.len() <= MAX_BYTES);
            let bytes = match open {
                Some(document) => Some(document.text.clone().into_bytes()),
                None => small.then(|| std::fs::read(file).ok()).flatten(),
            };
            match bytes.as_deref().map(std::str::from_utf8) {
                Some(Ok(text)) if build => builds.add(&name, text),
                _ if build => builds.unreadable(&name, "it is too large, or no text"),
                _ => {}
            }
            let bytes = bytes.filter(|_| spoken);
            if let Some(facts) = bytes.and_then(|bytes| collect(rules, &name, &bytes).ok()) {
                all.merge(facts);
            }
        }
    }
    if roots.len() == 1 {
        all.set_builds(Builds::Read(Arc::new(builds), String::new()));
    }
    all
}
