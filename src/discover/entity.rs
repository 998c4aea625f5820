//! One entity, as any source describes it, and how a document of a catalog file is
//! read as one.
//!
//! Must not: read files, or decide who is a consumer.

use std::path::Path;
use std::sync::Arc;

use super::location::Code;
use super::yaml::{Node, Placed};
use crate::workspace::EntityRef;

/// A relation as an entity states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Relation {
    /// What it says.
    pub(super) field: Field,
    /// The other end.
    pub(super) target: EntityRef,
    /// Where it says so.
    pub(super) at: At,
}

/// Where a relation is stated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    /// Line of the catalog file.
    Line(u64),
    /// A place of the source, for people.
    Place(Box<str>),
    /// The entity is place enough.
    Entity,
}

/// What a relation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Field {
    DependsOn,
    ConsumesApis,
    DependencyOf,
    ApiConsumedBy,
    ProvidesApis,
    ApiProvidedBy,
    Reads,
    Writes,
}

impl Field {
    /// Those that stand under `spec` of a catalog file.
    const ALL: [Self; 5] =
        [Self::DependsOn, Self::ConsumesApis, Self::DependencyOf, Self::ApiConsumedBy, Self::ProvidesApis];

    /// As it is written under `spec`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::DependsOn => "dependsOn",
            Self::ConsumesApis => "consumesApis",
            Self::DependencyOf => "dependencyOf",
            Self::ApiConsumedBy => "apiConsumedBy",
            Self::ProvidesApis => "providesApis",
            Self::ApiProvidedBy => "apiProvidedBy",
            Self::Reads => "reads",
            Self::Writes => "writes",
        }
    }

    /// True where the entity that states it is the one consumed.
    pub(super) fn inverse(self) -> bool {
        matches!(self, Self::DependencyOf | Self::ApiConsumedBy | Self::ProvidesApis | Self::Writes)
    }

    /// True where it makes somebody a consumer of what is replaced. Whoever makes
    /// something is no consumer of it, though what is made leads on to others.
    pub(super) fn consumes(self) -> bool {
        !matches!(self, Self::ProvidesApis | Self::ApiProvidedBy | Self::Writes)
    }

    /// The kind that a reference without one means. Backstage itself insists on
    /// a kind everywhere but for APIs; a catalog of files is read before
    /// Backstage sees it, so the likeliest kind is taken and a problem noted.
    fn default_kind(self) -> &'static str {
        match self {
            Self::ConsumesApis | Self::ProvidesApis => "api",
            _ => "component",
        }
    }

    fn needs_kind(self) -> bool {
        !matches!(self, Self::ConsumesApis | Self::ProvidesApis)
    }
}

/// Where an entity is described, and where its code is said to lie.
#[derive(Clone, Debug)]
pub(super) enum Spot {
    /// A catalog file.
    File {
        /// Absolute.
        file: Arc<Path>,
        /// The tree that it was found in, absolute.
        root: Arc<Path>,
        /// Of the document.
        line: u64,
        /// `backstage.io/source-location`.
        location: Option<String>,
    },
    /// Another source, which says itself where the code lies.
    Told {
        /// The source, and the place in it, for people.
        place: Arc<str>,
        /// The code, or why there is none.
        code: Result<Code, String>,
    },
}

/// What a source says of an entity.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    pub(super) reference: EntityRef,
    /// Index of the source.
    pub(super) source: usize,
    pub(super) spot: Spot,
    pub(super) owner: Option<EntityRef>,
    pub(super) lifecycle: Option<String>,
    pub(super) tier: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) relations: Vec<Relation>,
    /// Targets of a Location, each with its line.
    pub(super) targets: Vec<(String, u64)>,
    /// Why its owners want no change of any migration.
    pub(super) opt_out: Option<String>,
}

/// The annotation by which owners opt out; its value is the reason.
pub(super) const OPT_OUT: &str = "gander/opt-out";

impl Entity {
    /// An entity of which a source tells no more than a name and where its code lies.
    pub(super) fn told(reference: EntityRef, place: &Arc<str>, code: Result<Code, String>) -> Self {
        Self {
            reference,
            source: 0,
            spot: Spot::Told { place: Arc::clone(place), code },
            owner: None,
            lifecycle: None,
            tier: None,
            tags: Vec::new(),
            relations: Vec::new(),
            targets: Vec::new(),
            opt_out: None,
        }
    }

    /// Where it is described, for people.
    pub(super) fn place(&self, shown: &(dyn Fn(&Path) -> String + Sync)) -> String {
        match &self.spot {
            Spot::File { file, line, .. } => format!("{}:{line}", shown(file)),
            Spot::Told { place, .. } => place.to_string(),
        }
    }

    /// What one of its relations says, in a sentence.
    pub(super) fn says(&self, relation: &Relation, shown: &(dyn Fn(&Path) -> String + Sync)) -> String {
        let (me, other) = (&self.reference, &relation.target);
        let place = match (&relation.at, &self.spot) {
            (At::Line(line), Spot::File { file, .. }) => format!("{}:{line}", shown(file)),
            (At::Place(place), _) => place.to_string(),
            _ => self.place(shown),
        };
        match (relation.field, &self.spot) {
            (Field::Reads | Field::Writes, _) => format!("{me} {} {other} ({place})", relation.field.name()),
            (field, Spot::File { .. }) => format!("spec.{} of {me} names {other} ({place})", field.name()),
            (field, Spot::Told { .. }) => format!("{} of {me} names {other} ({place})", field.name()),
        }
    }
}

/// Something wrong at a place of a file.
pub(super) type Wrong = (u64, u64, String);

/// Reads one document. `None`, and a reason in `wrong`, where it is no entity.
pub(super) fn read(document: &Placed, file: &Arc<Path>, root: &Arc<Path>, wrong: &mut Vec<Wrong>) -> Option<Entity> {
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
        source: 0,
        spot: Spot::File {
            file: Arc::clone(file),
            root: Arc::clone(root),
            line: document.line,
            location: annotation(metadata, "backstage.io/source-location"),
        },
        owner,
        lifecycle: field("lifecycle").and_then(Placed::text).map(short),
        tier: tier(metadata),
        tags: tags(metadata),
        relations,
        targets: match reference.as_str().starts_with("location:") {
            true => targets(field("target"), field("targets"), wrong),
            false => Vec::new(),
        },
        opt_out: annotation(metadata, OPT_OUT).map(|why| short(&why)),
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
    Some(Relation { field, target, at: At::Line(item.line) })
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
    let mut tags: Vec<String> = items.iter().filter_map(|t| t.text().map(short)).take(KEPT).collect();
    tags.sort();
    tags.dedup();
    tags
}

/// The first label or annotation whose last part is `tier`: catalogs have no field
/// for it, and call it `example.com/tier`.
fn tier(metadata: &Placed) -> Option<String> {
    ["labels", "annotations"].into_iter().find_map(|group| {
        let Node::Mapping(entries) = &metadata.get(group)?.node else { return None };
        let named = entries.iter().find(|(key, _)| is_tier(key));
        Some(short(named?.1.text()?))
    })
}

/// The longest text of an entity that is kept, in characters, and the most of a kind.
const KEPT: usize = 200;

/// A text as much of it as is shown to anybody.
pub(super) fn short(text: &str) -> String {
    text.chars().take(KEPT).collect()
}

/// Whether a label's name is that of a tier.
pub(super) fn is_tier(key: &str) -> bool {
    matches!(key.rsplit('/').next(), Some("tier" | "service-tier"))
}

fn annotation(metadata: &Placed, name: &str) -> Option<String> {
    let value = metadata.get("annotations")?.get(name)?.text()?;
    Some(value.trim().to_owned())
}

fn note(wrong: &mut Vec<Wrong>, place: &Placed, message: &str) {
    wrong.push((place.line, place.column, message.to_owned()));
}
