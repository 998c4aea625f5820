//! Jobs that read and write datasets → entities: what OpenLineage's events and
//! Marquez have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::dataset::{Datasets, named};
use super::entity::{At, Entity, Field, Relation};
use super::location::{self, Code};
use crate::workspace::EntityRef;

/// A dataset by namespace and name.
pub(super) type DatasetName = (String, String);

/// What is known of a job.
#[derive(Debug, Default)]
pub(super) struct Job {
    pub(super) inputs: BTreeSet<DatasetName>,
    pub(super) outputs: BTreeSet<DatasetName>,
    /// Where its code lies, as its last event says.
    pub(super) code: Option<Result<Code, String>>,
    /// Where it was seen first, for people.
    pub(super) place: String,
}

/// Every job by namespace and name.
pub(super) type Jobs = BTreeMap<(String, String), Job>;

/// Datasets that are known by several names: each name with all others.
#[derive(Debug, Default)]
pub(super) struct Aliases(BTreeMap<DatasetName, BTreeSet<DatasetName>>);

impl Aliases {
    /// Notes that two names mean one dataset.
    pub(super) fn add(&mut self, one: &DatasetName, other: &DatasetName) {
        if one != other {
            self.0.entry(one.clone()).or_default().insert(other.clone());
            self.0.entry(other.clone()).or_default().insert(one.clone());
        }
    }

    /// Every name of a dataset, its own included, sorted.
    fn of<'a>(&'a self, name: &'a DatasetName) -> BTreeSet<&'a DatasetName> {
        let (mut names, mut next) = (BTreeSet::from([name]), vec![name]);
        while let Some(name) = next.pop() {
            next.extend(self.0.get(name).into_iter().flatten().filter(|other| names.insert(*other)));
        }
        names
    }
}

/// Makes entities of jobs. Those that touch a dataset of the migration are related to
/// what stands for it.
pub(super) fn entities(jobs: Jobs, aliases: &Aliases, datasets: &Datasets, source: &str) -> Vec<Entity> {
    let mut entities = Vec::new();
    for ((namespace, name), job) in jobs {
        let Some(reference) = named("job", &namespace, &name) else { continue };
        let place: Arc<str> = if job.place.is_empty() { source.into() } else { job.place.as_str().into() };
        let code = job.code.unwrap_or_else(|| {
            Err(format!("{source} does not say where the code of the job {name:?} lies: give its events a sourceCodeLocation facet"))
        });
        let mut entity = Entity::told(reference, &place, code);
        for (field, names) in [(Field::Reads, &job.inputs), (Field::Writes, &job.outputs)] {
            entity
                .relations
                .extend(names.iter().filter_map(|dataset| relation(field, &aliases.of(dataset), datasets, &place)));
        }
        entity.relations.sort();
        entity.relations.dedup();
        entities.push(entity);
    }
    entities
}

/// By whichever of its names the migration means a dataset, it means it.
fn relation(field: Field, names: &BTreeSet<&DatasetName>, datasets: &Datasets, place: &Arc<str>) -> Option<Relation> {
    let meant = names.iter().filter_map(|(namespace, name)| datasets.meant_in(namespace, name));
    // One that is sure is surer than the first.
    match meant.min_by_key(|meant| !meant.doubt().is_empty()) {
        Some(meant) => {
            let at = match meant.doubt() {
                "" => At::Entity,
                doubt => At::Place(format!("{place}{doubt}").into()),
            };
            Some(Relation { field, target: meant.root().clone(), at })
        }
        None => {
            let (namespace, name) = names.first()?;
            Some(Relation { field, target: elsewhere(namespace, name)?, at: At::Entity })
        }
    }
}

fn elsewhere(namespace: &str, name: &str) -> Option<EntityRef> {
    named("dataset", namespace, name)
}

/// Where a job's code lies, of a URL and the fields that may go with it.
pub(super) fn code(url: &str, path: Option<&str>, revision: Option<&str>) -> Result<Code, String> {
    let mut remote = location::url(url)?;
    if path.into_iter().chain(revision).any(|text| text.contains(char::is_control)) {
        return Err("its path or revision holds control characters: correct it".to_owned());
    }
    if let Some(path) =
        path.map(|path| path.trim_matches('/')).filter(|path| !path.is_empty() && remote.path.is_empty())
    {
        // A path to a file means its folder.
        let folder = match path.rsplit_once('/') {
            Some((folder, file)) if file.contains('.') => folder,
            None if path.contains('.') => "",
            _ => path,
        };
        if !folder.is_empty() && !crate::workspace::is_inner_path(folder) {
            return Err(format!("{path:?} leads out of its repository: correct it"));
        }
        remote.path = folder.to_owned();
    }
    remote.revision = remote.revision.or_else(|| revision.map(str::to_owned));
    Ok(Code::Remote(remote))
}
