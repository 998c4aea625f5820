//! A dbt project by its `manifest.json` (v12): the project reads a dataset where one
//! of its models does, and exposures are downstream of its models.
//!
//! Format: <https://schemas.getdbt.com/dbt/manifest/v12.json>.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::dataset::{Meant, named};
use super::entity::{At, Entity, Field, Relation};
use super::location::{self, Code};
use super::source::{Context, Found, Source, null_is_default};
use crate::workspace::{EntityRef, without_userinfo};

/// The largest manifest, in bytes.
const MAX_MANIFEST: u64 = if cfg!(test) { 1 << 20 } else { 2 << 30 };
/// The version that is known.
const VERSION: &str = "/manifest/v12.json";

/// `dbt = "target/manifest.json"`.
pub(super) struct Project<'a> {
    pub(super) manifest: &'a Path,
    /// A folder or URL; `None` means the folder that the manifest was made in.
    pub(super) code: Option<&'a str>,
}

#[derive(Deserialize)]
struct Manifest {
    metadata: Metadata,
    nodes: BTreeMap<String, Node>,
    #[serde(default, deserialize_with = "null_is_default")]
    sources: BTreeMap<String, Node>,
    #[serde(default, deserialize_with = "null_is_default")]
    exposures: BTreeMap<String, Node>,
    #[serde(default, deserialize_with = "null_is_default")]
    metrics: BTreeMap<String, Node>,
    #[serde(default, deserialize_with = "null_is_default")]
    semantic_models: BTreeMap<String, Node>,
    #[serde(default, deserialize_with = "null_is_default")]
    saved_queries: BTreeMap<String, Node>,
    #[serde(default)]
    child_map: Option<BTreeMap<String, Vec<String>>>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default, deserialize_with = "null_is_default")]
    dbt_schema_version: String,
    project_name: Option<String>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default, deserialize_with = "null_is_default")]
    resource_type: String,
    #[serde(default, deserialize_with = "null_is_default")]
    package_name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    name: String,
    database: Option<String>,
    schema: Option<String>,
    identifier: Option<String>,
    alias: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    original_file_path: String,
    #[serde(default, deserialize_with = "null_is_default")]
    depends_on: DependsOn,
    owner: Option<Owner>,
    maturity: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize, Default)]
struct DependsOn {
    #[serde(default, deserialize_with = "null_is_default")]
    nodes: Vec<String>,
}

#[derive(Deserialize)]
struct Owner {
    email: Option<serde_json::Value>,
    name: Option<String>,
}

impl Source for Project<'_> {
    fn label(&self, cx: &Context<'_>) -> String {
        format!("dbt {}", (cx.shown)(self.manifest))
    }

    fn read(&self, cx: &Context<'_>) -> Found {
        let shown = (cx.shown)(self.manifest);
        let manifest = match parsed(self.manifest) {
            Ok(manifest) => manifest,
            Err(reason) => return Found::problem(format!("{shown}:{reason}")),
        };
        let mut found = Found::default();
        if !manifest.metadata.dbt_schema_version.ends_with(VERSION) {
            found.problems.push(format!(
                "{shown}: is of the version {:?}, read as v12: make it anew with dbt 1.8 or later",
                manifest.metadata.dbt_schema_version
            ));
        }
        let code = self.code(cx);
        let graph = Graph::new(&manifest, cx, &shown);
        found.problems.extend(graph.dangling());
        graph.entities(&code, &mut found);
        found
    }
}

impl Project<'_> {
    fn code(&self, cx: &Context<'_>) -> Result<Code, String> {
        let folder = |path: PathBuf| {
            let found = path.canonicalize().ok().filter(|path| path.is_dir());
            found.map(Code::Folder).ok_or_else(|| format!("there is no folder {}: correct `code`", (cx.shown)(&path)))
        };
        match self.code {
            Some(text) if text.contains("://") || text.contains('@') => location::url(text).map(Code::Remote),
            Some(text) => folder(cx.base.join(text)),
            None => {
                let above = self.manifest.ancestors().skip(1).find(|dir| dir.join("dbt_project.yml").is_file());
                above.map(|dir| Code::Folder(dir.to_path_buf())).ok_or_else(|| {
                    format!("no dbt_project.yml lies above {}: name the project with `code`", (cx.shown)(self.manifest))
                })
            }
        }
    }
}

/// The manifest, or place and reason.
fn parsed(path: &Path) -> Result<Manifest, String> {
    let file = std::fs::File::open(path).map_err(|e| format!("1:1: can't be read ({e}): check its permissions"))?;
    if file.metadata().is_ok_and(|meta| meta.len() > MAX_MANIFEST) {
        return Err(format!("1:1: larger than {} MiB, not read: name a smaller project", MAX_MANIFEST >> 20));
    }
    let reader = BufReader::with_capacity(1 << 16, file.take(MAX_MANIFEST));
    serde_json::from_reader(reader).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "cut short",
            _ => "not a dbt manifest",
        };
        format!("{}:{}: {what} ({error}): make it anew with `dbt parse`", error.line(), error.column().max(1))
    })
}

/// The nodes of a manifest and their edges.
struct Graph<'m> {
    manifest: &'m Manifest,
    shown: &'m str,
    /// Nodes that are a dataset of the migration.
    replaced: BTreeMap<&'m str, Meant<'m>>,
    /// What each node depends on, by both of dbt's maps.
    parents: BTreeMap<&'m str, BTreeSet<&'m str>>,
}

impl<'m> Graph<'m> {
    fn new(manifest: &'m Manifest, cx: &'m Context<'_>, shown: &'m str) -> Self {
        let mut replaced = BTreeMap::new();
        for (id, node) in manifest.nodes.iter().chain(&manifest.sources) {
            let table = node.identifier.as_deref().or(node.alias.as_deref()).unwrap_or(&node.name);
            let parts: Vec<&str> =
                [node.database.as_deref(), node.schema.as_deref(), Some(table)].into_iter().flatten().collect();
            // A test or an analysis makes no table.
            let makes = matches!(node.resource_type.as_str(), "model" | "snapshot" | "seed" | "source" | "");
            if let Some(meant) = cx.datasets.meant(&parts.join(".")).filter(|_| makes) {
                replaced.insert(id.as_str(), meant);
            }
        }
        let mut parents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (id, node) in all(manifest) {
            let list = parents.entry(id).or_default();
            list.extend(node.depends_on.nodes.iter().map(String::as_str));
        }
        for (parent, children) in manifest.child_map.iter().flatten() {
            for child in children {
                parents.entry(child).or_default().insert(parent);
            }
        }
        Self { manifest, shown, replaced, parents }
    }

    fn node(&self, id: &str) -> Option<&'m Node> {
        let Manifest { nodes, sources, exposures, metrics, semantic_models, saved_queries, .. } = self.manifest;
        let maps = [nodes, sources, exposures, metrics, semantic_models, saved_queries];
        maps.into_iter().find_map(|map| map.get(id))
    }

    /// References to nodes that are not there. Macros are no nodes.
    fn dangling(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (child, parents) in &self.parents {
            for id in std::iter::once(child).chain(parents) {
                let other = ["macro.", "unit_test.", "group.", "doc."].iter().any(|kind| id.starts_with(kind));
                if !other && self.node(id).is_none() {
                    problems.push(format!("{}: names {id:?}, which it does not hold: make it anew", self.shown));
                }
            }
        }
        problems.sort();
        problems.dedup();
        problems
    }

    /// A project for each package that reads a dataset itself; and what is downstream.
    fn entities(&self, code: &Result<Code, String>, found: &mut Found) {
        let own = self.manifest.metadata.project_name.as_deref();
        let mut projects: BTreeMap<&str, Vec<Relation>> = BTreeMap::new();
        for (id, node) in all(self.manifest) {
            if node.resource_type == "exposure" {
                continue;
            }
            let what = format!("{} {}", node.resource_type, node.name);
            let relations = self.reads(id, &format!("{}: {what}", node.original_file_path));
            if !relations.is_empty() {
                projects.entry(&node.package_name).or_default().extend(relations);
            }
        }
        for (package, mut relations) in projects {
            let Some(reference) = project(package) else { continue };
            let here = own.is_none_or(|own| own == package);
            let elsewhere =
                || Err(format!("a package that the project installs: name the manifest of {package} itself"));
            let code = if here { code.clone() } else { elsewhere() };
            relations.sort();
            relations.dedup();
            let place: Arc<str> = self.shown.into();
            found.entities.push(Entity { relations, ..Entity::told(reference, &place, code) });
        }
        for (id, node) in all(self.manifest) {
            let direct = self.parents.get(id).into_iter().flatten().any(|parent| self.replaced.contains_key(parent));
            let shown = !matches!(node.resource_type.as_str(), "test" | "unit_test" | "operation" | "analysis");
            if node.resource_type == "exposure" || (shown && !direct && !self.replaced.contains_key(id)) {
                found.entities.extend(self.downstream(id, node));
            }
        }
    }

    /// Relations of a node to the datasets of the migration.
    fn reads(&self, id: &str, place: &str) -> Vec<Relation> {
        let parents = self.parents.get(id).into_iter().flatten();
        let meant = parents.filter_map(|parent| self.replaced.get(parent));
        let relation = |meant: &Meant<'_>| Relation {
            field: Field::Reads,
            target: meant.root().clone(),
            at: At::Place(format!("{}, {place}{}", self.shown, meant.doubt()).into()),
        };
        meant.map(relation).collect()
    }

    /// An exposure, or a node that reads no dataset of the migration itself.
    fn downstream(&self, id: &str, node: &Node) -> Option<Entity> {
        let place: Arc<str> = format!("{}, {}", self.shown, node.original_file_path).as_str().into();
        let code = match &node.url {
            Some(url) => format!("an exposure of dbt at {:?}: change it there", without_userinfo(url)),
            None => "a node of dbt without code of its own: it changes with its project".to_owned(),
        };
        let mut entity = Entity::told(reference(node)?, &place, Err(code));
        entity.relations = self.reads(id, &node.original_file_path);
        for parent in self.parents.get(id).into_iter().flatten() {
            let reads = |id: &str| self.parents.get(id).into_iter().flatten().any(|p| self.replaced.contains_key(p));
            let Some(other) = self.node(parent).filter(|_| !self.replaced.contains_key(parent)) else { continue };
            let target = if reads(parent) { project(&other.package_name) } else { reference(other) };
            if let Some(target) = target.filter(|target| *target != entity.reference) {
                entity.relations.push(Relation { field: Field::DependsOn, target, at: At::Entity });
            }
        }
        entity.relations.sort();
        entity.relations.dedup();
        entity.lifecycle = node.maturity.clone();
        let email = |owner: &Owner| match &owner.email {
            Some(serde_json::Value::String(email)) => Some(email.clone()),
            Some(serde_json::Value::Array(all)) => all.first().and_then(|e| e.as_str()).map(str::to_owned),
            _ => owner.name.clone(),
        };
        entity.owner = node.owner.as_ref().and_then(email).and_then(|owner| named("user", "default", &owner));
        Some(entity)
    }
}

/// Everything that may depend on something, in the order of the ids of each kind.
fn all(manifest: &Manifest) -> impl Iterator<Item = (&str, &Node)> {
    let rest = manifest.exposures.iter().chain(&manifest.metrics).chain(&manifest.semantic_models);
    let all = manifest.nodes.iter().chain(rest).chain(&manifest.saved_queries);
    all.map(|(id, node)| (id.as_str(), node))
}

fn project(package: &str) -> Option<EntityRef> {
    named("component", "default", package)
}

fn reference(node: &Node) -> Option<EntityRef> {
    let kind = if node.resource_type.is_empty() { "node" } else { &node.resource_type };
    named(kind, &node.package_name, &node.name)
}
