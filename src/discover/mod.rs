//! Stage 1: [`Migration`] → [`Fleet`]. Who consumes what is being replaced, where
//! their code lies, and what sources and code disagree on.
//!
//! Sources are asked one after the other and their union is taken; each consumer
//! remembers who named it. What can't be read is a problem with its place, the rest
//! stands, and the result does not claim to be complete.
//!
//! Must not: change a consumer, or drop one: whose code can't be found is listed as
//! unresolved, with the reason.

mod access_log;
mod agreement;
mod backstage;
mod backstage_entity;
mod candidate;
mod catalog;
mod changes;
mod cloning;
mod dataset;
mod dbt;
mod entity;
mod exclusions;
mod folders;
mod graph;
mod lenient;
mod lineage;
mod locate;
mod location;
mod marquez;
mod mirror;
mod openlineage;
mod order;
mod places;
mod repositories;
mod search;
mod source;
#[cfg(test)]
mod tests;
mod workspaces;
mod yaml;

pub use agreement::{Agreement, Declared, Place, Shown, Undeclared};
pub use changes::{Change, What, changes, missing};
pub use cloning::{Fetching, holds_work, remove as remove_clone};
pub use exclusions::Excluded;
pub use graph::{Graph, GraphNode};
pub use search::names;
pub use workspaces::of_folder;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::clock::Clock;
use crate::config::{ConsumerSource, Migration};
use crate::git::GitError;
use crate::workspace::{EntityRef, Fleet, Mode, Source};
use agreement::Owner;
use candidate::{Candidate, Candidates};
use dataset::Datasets;
use entity::{Entity, Spot};
use graph::Relations;
use places::{Finding, Places};
use source::{Context, Found};

/// Who a folder says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The component.
    pub entity: EntityRef,
    /// Its owner, where one is named.
    pub owner: Option<EntityRef>,
}

/// Reads the catalog file of one folder, if it has one: the first component in it.
///
/// # Errors
/// What is wrong with the file, with its place.
pub fn identify(folder: &Path) -> Result<Option<Identity>, String> {
    let Some(file) = catalog::file_in(folder) else { return Ok(None) };
    let shown = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let catalog = catalog::file(&file, folder, &shown);
    if let Some(problem) = catalog.problems.into_iter().next() {
        return Err(problem);
    }
    let component = catalog.entities.into_iter().find(|e| e.reference.as_str().starts_with("component:"));
    Ok(component.map(|e| Identity { entity: e.reference, owner: e.owner }))
}

/// Why the fleet could not be known. A single broken source, file, repository or
/// consumer is no such reason: it is in the [`Discovery`].
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// git itself could not be run.
    #[error("the consumers' repositories can't be read: {0}")]
    Git(#[from] GitError),
}

/// How to discover.
pub struct Request<'a> {
    /// Tells which exclusions hold, and waits for servers.
    pub clock: &'a Clock,
    /// What may be done about code that is not here.
    pub fetching: Fetching,
    /// The names to search the code for; `None` searches nothing.
    pub names: Option<Vec<String>>,
}

/// All that discovery found.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// The direct consumers and their code; its problems are those of all sources.
    pub fleet: Fleet,
    /// Everybody downstream.
    pub graph: Graph,
    /// What the code shows; `None` where it was not searched.
    pub agreement: Option<Agreement>,
    /// Who is left out.
    pub excluded: Vec<Excluded>,
    /// Every source, in the order of the migration.
    pub sources: Vec<SourceReport>,
}

/// A fleet, and what became of it since the last run.
#[derive(Clone, Debug)]
pub struct Discovered {
    /// What was found.
    pub discovery: Discovery,
    /// Against the record of the last run.
    pub changes: Vec<Change>,
}

/// What came of a source.
#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    /// What people call it.
    pub label: String,
    /// Direct consumers that it names.
    pub consumers: usize,
    /// Entities that it describes.
    pub entities: usize,
    /// Whether all of it could be read.
    pub complete: bool,
}

impl Discovery {
    /// Whether nothing is known to be missing: every source was read, every consumer's
    /// code was found, and code and sources agree as far as the code was searched.
    pub fn is_complete(&self) -> bool {
        let resolved = |one: &crate::workspace::Consumer| matches!(one.source, Source::Workspace(_));
        self.fleet.problems.is_empty()
            && self.fleet.consumers.iter().all(resolved)
            && self.agreement.as_ref().is_none_or(Agreement::holds)
    }

    /// Whether some source could not be read in full.
    pub fn sources_failed(&self) -> bool {
        self.sources.iter().any(|source| !source.complete)
    }
}

/// Finds every consumer that the migration's sources know of.
///
/// # Errors
/// Where the fleet can't be known at all; what is wrong with a part of it is
/// told by the discovery itself.
pub fn discover(migration: &Migration, request: &Request<'_>) -> Result<Discovery, DiscoverError> {
    let base = migration.file.parent().unwrap_or(Path::new("/"));
    let shown = |path: &Path| locate::relative(path, base);
    let consumers = &migration.consumers;
    let datasets = Datasets::new(&consumers.datasets);
    let cx = Context { consumers, datasets: &datasets, base, shown: &shown, clock: request.clock };
    let Union { entities, named, labels, mut reports, mut problems } = union(&cx);
    let relations = Relations::new(&entities);
    let catalogs = |s: &ConsumerSource| matches!(s, ConsumerSource::Catalog(_));
    if consumers.from.iter().any(catalogs) && !entities.is_empty() {
        problems.extend(consumers.of.iter().filter_map(|target| relations.unknown(target)));
    }
    let lineage = |s: &ConsumerSource| {
        use ConsumerSource as S;
        matches!(s, S::Dbt { .. } | S::OpenLineage(_) | S::Marquez(_) | S::AccessLog(_))
    };
    if consumers.from.iter().any(lineage) && reports.iter().all(|report| report.complete) {
        problems.extend(datasets.unmet().map(|text| {
            format!(
                "consumers.datasets: no source names {text:?}, or anything that it could mean: check how they call it"
            )
        }));
    }
    let live = |s: &ConsumerSource| matches!(s, ConsumerSource::Backstage(_));
    if !consumers.from.iter().any(live) {
        // Of a live catalog only a part is here; it is asked itself.
        problems.extend(limited(relations.dangling(&shown)));
    }
    let roots: Vec<EntityRef> = consumers.of.iter().chain(datasets.roots()).cloned().collect();
    let mut candidates = relations.direct(&roots, &shown);
    for candidate in named {
        let entity = candidate.entity.clone();
        candidates.add(candidate);
        relations.described(&entity, &shown).for_each(|described| candidates.add(described));
    }
    for (index, report) in reports.iter_mut().enumerate() {
        report.consumers = candidates.iter().filter(|one| one.sources.contains(&index)).count();
    }
    let now = request.clock.now();
    let left_out: Vec<Candidate> =
        consumers.exclude.iter().filter_map(|one| excluded_candidate(one, &candidates)).collect();
    let excluded = exclusions::consumers(&consumers.exclude, now, &mut candidates, &mut problems);
    let graph = relations.graph(&roots, &shown);
    problems.extend(graph.cycles.iter().map(|cycle| cycle_problem(cycle)));
    let finding = Finding {
        config: &migration.code,
        state: &migration.state,
        fetching: request.fetching,
        clock: request.clock,
        all_known: reports.iter().all(|report| report.complete),
    };
    let left_out: Vec<Candidate> =
        left_out.into_iter().filter(|one| excluded.iter().any(|e| e.entity == one.entity)).collect();
    let places = Places::new(&finding, &candidates, &left_out, &mut problems)?;
    let components = components(&entities);
    let left_out: Vec<PathBuf> =
        left_out.iter().flat_map(Candidate::codes).filter_map(|code| places.folder(code).ok()).collect();
    // Whoever is left out is not changed with those around them either.
    let held: BTreeSet<PathBuf> = components.keys().chain(&left_out).cloned().collect();
    let (settled, contradictions) = candidates.settle(&|code| places.folder(code));
    problems.extend(contradictions);
    let settled = exclusions::by_another_name(settled, &left_out, &mut problems);
    let mut fleet = workspaces::fleet(candidate::together(settled), &held, &labels, &places.origins(), base)?;
    drop(relations);
    let agreement = request
        .names
        .clone()
        .map(|names| witnessed(migration, &fleet, names, components, left_out, now, &mut problems));
    problems.sort();
    problems.dedup();
    fleet.problems = problems;
    Ok(Discovery { fleet, graph, agreement, excluded, sources: reports })
}

/// What all sources say together.
struct Union {
    entities: Vec<Entity>,
    named: Vec<Candidate>,
    labels: Vec<String>,
    reports: Vec<SourceReport>,
    problems: Vec<String>,
}

fn union(cx: &Context<'_>) -> Union {
    let mut union = Union {
        entities: Vec::new(),
        named: Vec::new(),
        labels: Vec::new(),
        reports: Vec::new(),
        problems: Vec::new(),
    };
    for (index, from) in cx.consumers.from.iter().enumerate() {
        let source = source::of(from);
        let label = source.label(cx);
        let Found { entities, consumers, problems, doubts, .. } = source::read(source.as_ref(), index, cx);
        union.reports.push(SourceReport {
            label: label.clone(),
            consumers: 0,
            entities: entities.len().max(consumers.len()),
            complete: problems.is_empty(),
        });
        union.labels.push(label);
        union.entities.extend(entities);
        union.named.extend(consumers);
        union.problems.extend(problems.into_iter().chain(doubts));
    }
    union
}

/// What was not searched, but for what is left out.
fn unread(
    hits: &search::Hits,
    owners: &BTreeMap<PathBuf, Owner>,
    allowed: &[globset::GlobMatcher],
    base: &Path,
) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, why) in &hits.unread {
        let owner = path.ancestors().find_map(|folder| owners.get(folder));
        let shown = locate::relative(path, base);
        // A glob for all that lies in a folder means the folder.
        let is_left_out = |glob: &globset::GlobMatcher| glob.is_match(&shown) || glob.is_match(format!("{shown}/x"));
        if !matches!(owner, Some(Owner::Excluded)) && !allowed.iter().any(is_left_out) {
            problems.push(format!("{shown} {why}"));
        }
    }
    let more = problems.len().saturating_sub(source::MAX_PROBLEMS);
    if more > 0 {
        problems.truncate(source::MAX_PROBLEMS);
        problems.push(format!("and {more} more files and folders are not searched"));
    }
    problems
}

/// The first of many problems of a kind, and how many more there are.
fn limited(mut problems: Vec<String>) -> Vec<String> {
    let more = problems.len().saturating_sub(source::MAX_PROBLEMS);
    if more > 0 {
        problems.truncate(source::MAX_PROBLEMS);
        problems.push(format!("and {more} more references to nowhere"));
    }
    problems
}

fn excluded_candidate(exclusion: &crate::config::Exclusion, candidates: &Candidates) -> Option<Candidate> {
    let crate::config::Who::Consumer(entity) = &exclusion.who else { return None };
    candidates.iter().find(|one| one.entity == *entity).cloned()
}

fn cycle_problem(cycle: &[EntityRef]) -> String {
    let shown: Vec<&str> = cycle.iter().take(5).map(EntityRef::as_str).collect();
    let more = if cycle.len() > 5 { format!(" and {} more", cycle.len() - 5) } else { String::new() };
    format!("{}{more}{IN_A_CIRCLE}", shown.join(", "))
}

/// How the problem of relations ends that lead back to where they begin.
const IN_A_CIRCLE: &str = " depend on each other in a circle: one of these relations is wrong";

/// Whether nobody is unknown by a problem, or without their code: running again would find nobody else.
pub fn leaves_all_known(problem: &str) -> bool {
    exclusions::is_of_exclusions(problem) || problem.ends_with(IN_A_CIRCLE)
}

/// The folders of all components that catalog files describe, each with its component.
fn components(entities: &[Entity]) -> BTreeMap<PathBuf, EntityRef> {
    let mut components = BTreeMap::new();
    for entity in entities.iter().filter(|entity| entity.reference.as_str().starts_with("component:")) {
        let Spot::File { file, root, location, .. } = &entity.spot else { continue };
        // Found by walking from a canonical root: without links on the way.
        let folder = match (file.parent(), location) {
            (Some(folder), None) => Some(folder.to_path_buf()),
            (_, location) => match locate::of_entity(file, location.as_deref(), root) {
                Ok(location::Code::Folder(folder)) => Some(folder),
                _ => None,
            },
        };
        if let Some(folder) = folder {
            components.entry(folder).or_insert_with(|| entity.reference.clone());
        }
    }
    components
}

/// Searches the code and compares.
fn witnessed(
    migration: &Migration,
    fleet: &Fleet,
    names: Vec<String>,
    components: BTreeMap<PathBuf, EntityRef>,
    excluded: Vec<PathBuf>,
    now: i64,
    problems: &mut Vec<String>,
) -> Agreement {
    let base = migration.file.parent().unwrap_or(Path::new("/"));
    if names.is_empty() {
        problems
            .push("no rule or mapping tells a name to search the code for: set `names` under [consumers]".to_owned());
    }
    let mut owners: BTreeMap<PathBuf, Owner> = BTreeMap::new();
    owners.extend(components.into_iter().map(|(folder, component)| (folder, Owner::Component(component))));
    owners.extend(excluded.into_iter().map(|folder| (folder, Owner::Excluded)));
    let workspaces = fleet.workspaces.iter().enumerate();
    owners.extend(workspaces.map(|(index, workspace)| (workspace.root.clone(), Owner::Workspace(index))));
    let catalogs = migration.consumers.from.iter().filter_map(|from| match from {
        ConsumerSource::Catalog(folder) => folder.canonicalize().ok(),
        _ => None,
    });
    let monorepos = migration.code.monorepo.values().cloned();
    let roots = fleet.workspaces.iter().map(|workspace| workspace.root.clone());
    let roots: BTreeSet<PathBuf> =
        roots.chain(catalogs).chain(monorepos).chain(migration.consumers.search.iter().cloned()).collect();
    let (submodules, tracked): (Vec<_>, Vec<_>) =
        workspaces::tracked(&fleet.workspaces).into_iter().partition(|(_, mode)| *mode == Mode::Submodule);
    let tracked: Vec<PathBuf> = tracked.into_iter().map(|(path, _)| path).collect();
    let mut hits = search::search(&roots, &tracked, &names);
    hits.unread.extend(submodules.into_iter().map(|(path, _)| (path, search::SUBMODULE)));
    let allowed = exclusions::places(&migration.consumers.exclude, now, problems);
    problems.extend(unread(&hits, &owners, &allowed, base));
    let tables = migration.mappings.values().chain(&migration.datasets.mappings).chain(&migration.datasets.schemas);
    // The cases of a rule file are about what is migrated, and use nothing.
    let cases = migration.rules.iter().filter_map(|rules| {
        let tests = rules.parent()?.join("tests").join(rules.file_stem()?);
        Some([tests.with_extension("toml"), tests])
    });
    let own = migration.rules.iter().chain(tables).chain([&migration.file]).cloned().chain(cases.flatten());
    agreement::compare(fleet, names, &hits, &owners, &allowed, &own.collect(), base)
}
