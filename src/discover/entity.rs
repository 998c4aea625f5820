//! One catalog entity: what a document of a catalog file says that discovery
//! needs to know.
//!
//! Must not: read files, or decide who is a consumer.

use std::path::{Path, PathBuf};

use super::yaml::{Node, Placed};
use crate::workspace::EntityRef;

/// A relation as an entity states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Relation {
    /// `dependsOn`, `consumesApis` or `dependencyOf`.
    pub(super) field: Field,
    /// The other end.
    pub(super) target: EntityRef,
    /// Line of the catalog file.
    pub(super) line: u64,
}

/// The field of `spec` that states a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    DependsOn,
    ConsumesApis,
    DependencyOf,
    ApiConsumedBy,
}

impl Field {
    const ALL: [Self; 4] = [Self::DependsOn, Self::ConsumesApis, Self::DependencyOf, Self::ApiConsumedBy];

    /// As it is written under `spec`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::DependsOn => "dependsOn",
            Self::ConsumesApis => "consumesApis",
            Self::DependencyOf => "dependencyOf",
            Self::ApiConsumedBy => "apiConsumedBy",
        }
    }

    /// True where the entity that states it is the one consumed.
    pub(super) fn inverse(self) -> bool {
        matches!(self, Self::DependencyOf | Self::ApiConsumedBy)
    }

    /// The kind that a reference without one means. Backstage itself insists on
    /// a kind everywhere but in `consumesApis`; a catalog of files is read before
    /// Backstage sees it, so the likeliest kind is taken and a problem noted.
    fn default_kind(self) -> &'static str {
        match self {
            Self::ConsumesApis => "api",
            _ => "component",
        }
    }

    fn needs_kind(self) -> bool {
        self != Self::ConsumesApis
    }
}

/// What a document says.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    pub(super) reference: EntityRef,
    /// The catalog file, absolute.
    pub(super) file: PathBuf,
    /// The tree that the file was found in, absolute.
    pub(super) root: PathBuf,
    pub(super) line: u64,
    pub(super) owner: Option<EntityRef>,
    pub(super) lifecycle: Option<String>,
    pub(super) tags: Vec<String>,
    /// `backstage.io/source-location`.
    pub(super) location: Option<String>,
    pub(super) relations: Vec<Relation>,
    /// Targets of a Location, each with its line.
    pub(super) targets: Vec<(String, u64)>,
}

/// Something wrong at a place of a file.
pub(super) type Wrong = (u64, u64, String);

/// Reads one document. `None`, and a reason in `wrong`, where it is no entity.
pub(super) fn read(document: &Placed, file: &Path, root: &Path, wrong: &mut Vec<Wrong>) -> Option<Entity> {
    if !matches!(document.node, Node::Mapping(_)) {
        note(wrong, document, "an entity is a mapping with `kind`, `metadata` and `spec`");
        return None;
    }
    let (reference, metadata) = identity(document, wrong)?;
    let namespace = namespace(metadata);
    let spec = document.get("spec");
    let field = |name: &str| spec.and_then(|spec| spec.get(name));
    let owner = field("owner").and_then(|owner| reference_in(owner, "group", namespace, wrong));
    let mut relations = Vec::new();
    for relation in Field::ALL {
        for item in items(field(relation.name()), wrong) {
            relations.extend(relate(relation, item, namespace, wrong));
        }
    }
    Some(Entity {
        file: file.to_path_buf(),
        root: root.to_path_buf(),
        line: document.line,
        owner,
        lifecycle: field("lifecycle").and_then(Placed::text).map(str::to_owned),
        tags: tags(metadata),
        location: annotation(metadata, "backstage.io/source-location"),
        relations,
        targets: match reference.as_str().starts_with("location:") {
            true => targets(field("target"), field("targets"), wrong),
            false => Vec::new(),
        },
        reference,
    })
}

/// Who an entity is, and its metadata.
fn identity<'a>(document: &'a Placed, wrong: &mut Vec<Wrong>) -> Option<(EntityRef, &'a Placed)> {
    let kind = text(document, "kind", document, wrong)?;
    let metadata = document.get("metadata").or_else(|| {
        note(wrong, document, "the entity has no `metadata`: give it a `metadata.name`");
        None
    })?;
    let name = text(metadata, "name", metadata, wrong)?;
    let namespace = namespace(metadata);
    let Some(reference) = EntityRef::parse(&format!("{kind}:{namespace}/{name}"), "component") else {
        let message = format!("{kind:?}, {namespace:?} and {name:?} make no entity reference");
        note(wrong, metadata, &message);
        return None;
    };
    Some((reference, metadata))
}

fn namespace(metadata: &Placed) -> &str {
    let namespace = metadata.get("namespace").and_then(Placed::text);
    namespace.unwrap_or("default")
}

/// The targets of a Location, each with its line.
fn targets(single: Option<&Placed>, several: Option<&Placed>, wrong: &mut Vec<Wrong>) -> Vec<(String, u64)> {
    let targets = single.into_iter().chain(items(several, wrong));
    targets.filter_map(|target| Some((target.text()?.to_owned(), target.line))).collect()
}

fn relate(field: Field, item: &Placed, namespace: &str, wrong: &mut Vec<Wrong>) -> Option<Relation> {
    let target = reference_in(item, field.default_kind(), namespace, wrong)?;
    if field.needs_kind() && item.text().is_some_and(|text| !text.contains(':')) {
        let message = format!(
            "`spec.{}` names no kind; it is read as {target}: write the kind, Backstage insists on it",
            field.name()
        );
        note(wrong, item, &message);
    }
    Some(Relation { field, target, line: item.line })
}

fn reference_in(item: &Placed, kind: &str, namespace: &str, wrong: &mut Vec<Wrong>) -> Option<EntityRef> {
    let text = item.text();
    let reference = text.and_then(|text| EntityRef::parse_in(text, kind, namespace));
    if reference.is_none() {
        let shown = text.unwrap_or("this value");
        let message = format!("{shown:?} is not an entity reference: write `kind:namespace/name`");
        note(wrong, item, &message);
    }
    reference
}

/// The elements of a list; a single value counts as a list of one.
fn items<'a>(list: Option<&'a Placed>, wrong: &mut Vec<Wrong>) -> Vec<&'a Placed> {
    let Some(list) = list else {
        return Vec::new();
    };
    match &list.node {
        Node::Sequence(items) => items.iter().collect(),
        Node::Scalar(_) => vec![list],
        Node::Null => Vec::new(),
        Node::Mapping(_) => {
            note(wrong, list, "a list is expected here");
            Vec::new()
        }
    }
}

fn text<'a>(parent: &'a Placed, key: &str, place: &Placed, wrong: &mut Vec<Wrong>) -> Option<&'a str> {
    let text = parent.get(key).and_then(Placed::text);
    if text.is_none() {
        let path = if key == "name" { "metadata.name" } else { key };
        note(wrong, place, &format!("the entity has no `{path}`: give it one"));
    }
    text
}

fn tags(metadata: &Placed) -> Vec<String> {
    let Some(Node::Sequence(items)) = metadata.get("tags").map(|tags| &tags.node) else {
        return Vec::new();
    };
    let mut tags: Vec<String> = items.iter().filter_map(|t| t.text().map(str::to_owned)).collect();
    tags.sort();
    tags.dedup();
    tags
}

fn annotation(metadata: &Placed, name: &str) -> Option<String> {
    let value = metadata.get("annotations")?.get(name)?.text()?;
    Some(value.trim().to_owned())
}

fn note(wrong: &mut Vec<Wrong>, place: &Placed, message: &str) {
    wrong.push((place.line, place.column, message.to_owned()));
}
