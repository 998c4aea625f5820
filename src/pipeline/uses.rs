//! Uses of what is migrated: over the fleet, and in one folder.
//!
//! Must not: write, or print.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{PipelineError, Planned, load_rules};
use crate::config::{Dirty, Migration, Partial};
use crate::discover;
use crate::pin::{self, Found, PinError};
use crate::transform::{self, Finding, FindingKind, Pinned, WorkspacePlan};
use crate::workspace::{EntityRef, Source, Workspace};

/// A use of a dataset by a consumer.
#[derive(Clone, Debug)]
pub struct FleetUse<'p> {
    /// Who.
    pub consumer: &'p EntityRef,
    /// Its owner, where one is known.
    pub owner: Option<&'p EntityRef>,
    /// The workspace's path.
    pub workspace: &'p str,
    /// Where, of what, and what becomes of it.
    pub finding: &'p Finding,
}

impl Planned {
    /// Every use of `subject` (`users`, `users.country_code`, `users.address.postcode`) and
    /// of what is part of it, by the consumers of `owner`; of every dataset and everybody
    /// where these are not given.
    pub fn uses<'p>(&'p self, subject: Option<&str>, owner: Option<&EntityRef>) -> Vec<FleetUse<'p>> {
        let meant = |name: &str| {
            let Some(subject) = subject else { return true };
            name.strip_prefix(subject).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut uses = Vec::new();
        for consumer in &self.fleet.consumers {
            let Source::Workspace(index) = consumer.source else { continue };
            if owner.is_some() && consumer.owner.as_ref() != owner {
                continue;
            }
            let plan = &self.plan.workspaces[index];
            let found = plan.findings.iter().filter(|f| f.subject.as_ref().is_some_and(|s| meant(&s.name)));
            uses.extend(found.map(|finding| FleetUse {
                consumer: &consumer.entity,
                owner: consumer.owner.as_ref(),
                workspace: &plan.id,
                finding,
            }));
        }
        uses
    }
}

/// The names that uses may be asked for: datasets, columns, fields.
///
/// # Errors
/// What is wrong with rules and mapping tables.
pub fn subjects(migration: &Migration) -> Result<BTreeSet<String>, PipelineError> {
    let (rules, _) = load_rules(migration)?;
    let mappings = rules.datasets.iter().flat_map(|datasets| &datasets.datasets.mappings);
    let mut names = BTreeSet::new();
    for mapping in mappings {
        names.insert(mapping.dataset.clone());
        for column in &mapping.columns {
            let name = format!("{}.{}", mapping.dataset, column.name);
            names.extend(column.fields.iter().map(|(field, _)| format!("{name}.{field}")));
            names.insert(name);
        }
    }
    Ok(names)
}

/// What a folder still uses of what is migrated.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What nobody has accounted for, in order.
    pub new: Vec<Finding>,
    /// How many places are known: a comment speaks of them, or they were there before.
    pub known: usize,
}

/// Looks for uses of what a migration replaces in one folder: what it would rewrite, what it
/// leaves to a person, and what it refuses. Known is what has a comment of gander, and, where
/// `since` names a revision, what stood there word for word.
///
/// # Errors
/// Where rules or the folder can't be read.
pub fn check(migration: &Migration, folder: &Path, since: Option<&str>) -> Result<Checked, PipelineError> {
    let (mut rules, rules_digest) = load_rules(migration)?;
    // The version of a library is no use of it.
    rules.rules.iter_mut().for_each(|rule| rule.sets.clear());
    let request = transform::Request {
        rules: &rules,
        rules_digest,
        partial: Partial::Deliver,
        dirty: Dirty::Pin,
        threads: None,
        index: None,
        answers: None,
        progress: &|_, _| {},
    };
    let (now, then) = discover::of_folder(folder, since).map_err(PipelineError::Folder)?;
    let mut before: BTreeMap<Stands, usize> = BTreeMap::new();
    if let Some(then) = then {
        for (_, stands) in places(&request, then)? {
            *before.entry(stands).or_default() += 1;
        }
    }
    let mut checked = Checked::default();
    for (finding, stands) in places(&request, now)? {
        let noted = finding.subject.as_ref().is_some_and(|subject| subject.noted);
        let known = before.get_mut(&stands).filter(|count| **count > 0).map(|count| *count -= 1).is_some();
        match noted || known {
            true => checked.known += 1,
            false => checked.new.push(finding),
        }
    }
    Ok(checked)
}

/// What makes two places the same at two times: file, rule, subject, and the text of the line.
type Stands = (String, String, Option<String>, String);

/// Every place of a folder that says something of what is migrated.
fn places(request: &transform::Request<'_>, workspace: Workspace) -> Result<Vec<(Finding, Stands)>, PipelineError> {
    let manifest = pin::manifest(&workspace).map_err(|error| PipelineError::Folder(error.to_string()))?;
    let pin = pin::pin_of(&workspace, &manifest);
    let pinned = [Pinned { workspace: &workspace, content: Ok((manifest.clone(), pin.clone())) }];
    let plan = transform::transform(request, &pinned);
    let Some(WorkspacePlan { findings, result, .. }) = plan.workspaces.into_iter().next() else {
        return Ok(Vec::new());
    };
    if let (transform::Transformed::Errored(why), true) = (result, findings.is_empty()) {
        return Err(PipelineError::Folder(why));
    }
    let tells = |finding: &Finding| finding.kind != FindingKind::Skipped;
    let findings: Vec<Finding> = findings.into_iter().filter(tells).collect();
    let paths: BTreeSet<&str> = findings.iter().map(|finding| finding.path.as_str()).collect();
    let paths: Vec<&str> = paths.into_iter().collect();
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    pin::contents(&workspace, &pin, &manifest, &paths, u64::MAX, &mut |path, found| {
        if let Found::Bytes(bytes) = found {
            let text = String::from_utf8_lossy(bytes);
            lines.insert(path.to_owned(), text.lines().map(|line| line.trim().to_owned()).collect());
        }
        Ok::<(), PinError>(())
    })
    .map_err(|error| PipelineError::Folder(error.to_string()))?;
    let stands = |finding: &Finding| {
        let line = lines.get(&finding.path).and_then(|lines| lines.get((finding.line as usize).checked_sub(1)?));
        let subject = finding.subject.as_ref().map(|subject| subject.name.clone());
        (finding.path.clone(), finding.rule.clone(), subject, line.cloned().unwrap_or_default())
    };
    Ok(findings.iter().map(|finding| (finding.clone(), stands(finding))).collect())
}

/// What subjects are probably meant by one that is none.
pub fn meant(typed: &str, known: &BTreeSet<String>) -> Option<String> {
    let near = known.iter().map(|name| (strsim::osa_distance(typed, name), name));
    near.min().filter(|(distance, _)| *distance <= typed.len() / 3 + 1).map(|(_, name)| name.clone())
}

/// Of whom a name speaks: `data-eng`, `group:default/data-eng`.
pub fn owner(name: &str) -> Option<EntityRef> {
    EntityRef::parse(name, "group")
}
