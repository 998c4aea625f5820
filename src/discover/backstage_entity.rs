//! An entity as Backstage's API gives it → an [`Entity`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::{MapAccess, SeqAccess};
use serde::{Deserialize, Deserializer};

use super::lenient::{Kind, Object, Text, any};

use super::entity::{At, Entity, Field, OPT_OUT, Relation, is_tier, short};
use super::location::{self, Code};
use crate::workspace::{EntityRef, without_userinfo};

/// The most of a kind that is kept of one entity, where it is for people.
const KEPT: usize = 200;
/// Annotations that say where the code lies.
const SOURCE: &str = "backstage.io/source-location";
const MANAGED: &str = "backstage.io/managed-by-location";
const SLUG: &str = "github.com/project-slug";

/// What is asked for of an entity, as the API gives it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Raw {
    kind: Text,
    metadata: Object<Metadata>,
    spec: Object<Spec>,
    relations: Relations,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    name: Text,
    namespace: Text,
    uid: Text,
    tags: Tags,
    labels: Notes,
    annotations: Notes,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Spec {
    owner: Text,
    lifecycle: Text,
}

/// The texts of a list that are kept.
#[derive(Default)]
struct Tags(Vec<String>);

/// Labels or annotations: those that say something here.
#[derive(Default)]
struct Notes {
    code: BTreeMap<&'static str, String>,
    /// The first by name whose name is that of a tier.
    tier: Option<(String, String)>,
}

/// Relations of the kinds that say something here.
#[derive(Default)]
struct Relations {
    stated: Vec<(Field, EntityRef)>,
    owner: Option<EntityRef>,
    /// Those without a target, and whether there is no list at all.
    broken: Vec<String>,
    odd: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawRelation {
    #[serde(rename = "type")]
    kind: Text,
    target_ref: Text,
    target: Object<Target>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Target {
    kind: Text,
    namespace: Text,
    name: Text,
}

impl<'de> Kind<'de> for Tags {
    fn null() -> Self {
        Self::default()
    }
    fn odd() -> Self {
        Self::default()
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut tags = Vec::new();
        while let Some(tag) = list.next_element::<Text>()? {
            tags.extend(tag.get().filter(|_| tags.len() < KEPT).map(short));
        }
        Ok(Self(tags))
    }
}

impl<'de> Kind<'de> for Notes {
    fn null() -> Self {
        Self::default()
    }
    fn odd() -> Self {
        Self::default()
    }
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut notes = Self::default();
        while let Some((key, value)) = map.next_entry::<String, Text>()? {
            let Some(value) = value.get() else { continue };
            if let Some(known) = [SOURCE, MANAGED, SLUG, OPT_OUT].into_iter().find(|known| *known == key) {
                notes.code.insert(known, value.to_owned());
            }
            if is_tier(&key) && notes.tier.as_ref().is_none_or(|(first, _)| key < *first) {
                notes.tier = Some((key, short(value)));
            }
        }
        Ok(notes)
    }
}

impl<'de> Kind<'de> for Relations {
    fn null() -> Self {
        Self::default()
    }
    fn odd() -> Self {
        Self { odd: true, ..Self::default() }
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut relations = Self::default();
        while let Some(Object(one)) = list.next_element::<Object<RawRelation>>()? {
            let kind = one.kind.get().unwrap_or_default();
            let field = field(kind);
            if field.is_none() && kind != "ownedBy" {
                continue;
            }
            match (target(&one), field) {
                (Some(target), Some(field)) => relations.stated.push((field, target)),
                (Some(target), None) => relations.owner = relations.owner.or(Some(target)),
                (None, _) if relations.broken.len() < KEPT => relations.broken.push(short(kind)),
                (None, _) => {}
            }
        }
        Ok(relations)
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer)
    }
}

impl<'de> Deserialize<'de> for Notes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer)
    }
}

impl<'de> Deserialize<'de> for Relations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer)
    }
}

impl Raw {
    /// What tells it from every other entity of the catalog; `None` where it is none.
    pub(super) fn identity(&self) -> Option<String> {
        let metadata = &self.metadata.0;
        let name =
            || Some([self.kind.get()?, metadata.namespace.get().unwrap_or_default(), metadata.name.get()?].join("\n"));
        metadata.uid.get().map(short).or_else(name)
    }
}

/// An entity, and what is wrong with it.
pub(super) struct Described {
    pub(super) uid: Option<String>,
    pub(super) entity: Entity,
    pub(super) problems: Vec<String>,
}

/// Reads one entity. `github` is the address that project slugs are relative to.
///
/// # Errors
/// Where it has no name that could be referred to.
pub(super) fn describe(raw: Raw, place: &Arc<str>, github: Option<&str>) -> Result<Described, String> {
    let (metadata, spec) = (raw.metadata.0, raw.spec.0);
    let uid = metadata.uid.get().map(short);
    let told = || uid.as_deref().unwrap_or("without a uid").chars().take(60).collect::<String>();
    let (Some(kind), Some(name)) = (raw.kind.get(), metadata.name.get()) else {
        return Err(format!("the entity {} has no kind or no name: correct it in the catalog", told()));
    };
    let namespace = metadata.namespace.get().unwrap_or("default");
    let reference = EntityRef::parse(&format!("{kind}:{namespace}/{name}"), "component");
    let reference =
        reference.ok_or_else(|| format!("the entity {} has a name that can't be referred to: correct it", told()))?;
    let without = |kind: &String| format!("{reference}: its relation {kind} has no target: correct it in the catalog");
    let mut problems: Vec<String> = raw.relations.broken.iter().map(without).collect();
    if raw.relations.odd {
        problems.push(format!("{reference}: its relations are no list: correct it in the catalog"));
    }
    let stated = raw.relations.stated.into_iter();
    let mut relations: Vec<Relation> =
        stated.map(|(field, target)| Relation { field, target, at: At::Entity }).collect();
    relations.sort();
    relations.dedup();
    let owner = || spec.owner.get().and_then(|owner| EntityRef::parse_in(owner, "group", namespace));
    let mut tags = metadata.tags.0;
    tags.sort();
    tags.dedup();
    let code = code(&metadata.annotations, github);
    let tier = metadata.labels.tier.or(metadata.annotations.tier).map(|(_, tier)| tier);
    let entity = Entity {
        owner: raw.relations.owner.or_else(owner),
        lifecycle: spec.lifecycle.get().map(short),
        tier,
        tags,
        relations,
        opt_out: metadata.annotations.code.get(OPT_OUT).map(|why| short(why)),
        ..Entity::told(reference, place, code)
    };
    Ok(Described { uid, entity, problems })
}

/// A relation's other end: `targetRef`, or `target` as servers before 1.0 gave it.
fn target(relation: &RawRelation) -> Option<EntityRef> {
    if let Some(text) = relation.target_ref.get() {
        return EntityRef::parse(text, "component").filter(|_| text.contains(':'));
    }
    let target = &relation.target.0;
    let namespace = target.namespace.get().unwrap_or("default");
    EntityRef::parse(&format!("{}:{namespace}/{}", target.kind.get()?, target.name.get()?), "component")
}

fn field(kind: &str) -> Option<Field> {
    Some(match kind.to_ascii_lowercase().as_str() {
        "dependson" => Field::DependsOn,
        "dependencyof" => Field::DependencyOf,
        "consumesapi" => Field::ConsumesApis,
        "apiconsumedby" => Field::ApiConsumedBy,
        "providesapi" => Field::ProvidesApis,
        "apiprovidedby" => Field::ApiProvidedBy,
        _ => return None,
    })
}

/// Where its code lies: its source location, else where it is described, else its
/// project slug on the host that the migration names.
fn code(annotations: &Notes, github: Option<&str>) -> Result<Code, String> {
    let annotation = |name: &str| annotations.code.get(name).map(|text| text.trim());
    let mut reasons = Vec::new();
    for name in [SOURCE, MANAGED] {
        let Some(text) = annotation(name) else { continue };
        match location::reference(text) {
            Ok(remote) => return Ok(Code::Remote(remote)),
            Err(why) => reasons.push(short(&format!("{name} {:?} {why}", without_userinfo(text)))),
        }
    }
    if let Some(slug) = annotation(SLUG) {
        match github {
            Some(host) => match location::url(&format!("{host}/{}", slug.trim_matches('/'))) {
                Ok(remote) => return Ok(Code::Remote(remote)),
                Err(why) => reasons.push(why),
            },
            None => reasons.push(format!("github.com/project-slug {slug:?} needs `github` in the migration")),
        }
    }
    match reasons.into_iter().next() {
        Some(reason) => Err(reason),
        None => Err("the catalog does not say where its code lies: give it a backstage.io/source-location".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn raw(item: &Value) -> Raw {
        let Object(raw) = serde_json::from_value(item.clone()).unwrap();
        raw
    }

    fn described(item: &Value) -> Described {
        describe(raw(item), &"https://b".into(), Some("https://github.example.org")).unwrap()
    }

    fn located(annotations: Value) -> String {
        let item = json!({"kind": "Component", "metadata": {"name": "a", "annotations": annotations}});
        let Some(entity) = Some(described(&item).entity) else { return String::new() };
        match entity.spot {
            super::super::entity::Spot::Told { code: Ok(Code::Remote(remote)), .. } => remote.to_string(),
            super::super::entity::Spot::Told { code: Err(why), .. } => why,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn source_then_description_then_slug() {
        let source = "backstage.io/source-location";
        let managed = "backstage.io/managed-by-location";
        let slug = "github.com/project-slug";
        let all = json!({source: "url:https://h/o/a/tree/main/x/", managed: "url:https://h/o/b", slug: "o/c"});
        assert_eq!(located(all), "h/o/a/x@main");
        let two = json!({source: "dir:/srv", managed: "url:https://h/o/b/blob/main/y/catalog-info.yaml", slug: "o/c"});
        assert_eq!(located(two), "h/o/b/y@main");
        assert_eq!(located(json!({managed: "file:/srv/c.yaml", slug: "o/c"})), "github.example.org/o/c");
        assert!(located(json!({managed: "file:/srv/c.yaml"})).contains("give it a `url:` location"));
        assert!(located(json!({})).contains("does not say"));
    }

    #[test]
    fn both_forms_of_relations_and_what_is_wrong_with_them() {
        let item = json!({
            "kind": "Component",
            "metadata": {"name": "A", "namespace": "ads", "uid": "1", "labels": {"example.org/tier": "gold"}},
            "spec": {"owner": "team", "lifecycle": "production"},
            "relations": [
                {"type": "dependsOn", "targetRef": "resource:default/x"},
                {"type": "consumesApi", "target": {"kind": "API", "namespace": "default", "name": "y"}},
                {"type": "dependsOn"},
                {"type": "partOf", "targetRef": "system:default/z"},
            ],
        });
        let Described { entity, problems, .. } = described(&item);
        assert_eq!(entity.reference.as_str(), "component:ads/a");
        let relations: Vec<String> =
            entity.relations.iter().map(|r| format!("{} {}", r.field.name(), r.target)).collect();
        assert_eq!(relations, ["dependsOn resource:default/x", "consumesApis api:default/y"]);
        assert_eq!((entity.owner.unwrap().as_str(), entity.tier.as_deref()), ("group:ads/team", Some("gold")));
        assert_eq!(problems, ["component:ads/a: its relation dependsOn has no target: correct it in the catalog"]);
    }

    #[test]
    fn an_entity_without_a_name_is_a_problem() {
        for item in [json!({}), json!(3), json!({"kind": "Component", "metadata": {"name": "a b", "uid": "7"}})] {
            assert!(describe(raw(&item), &"https://b".into(), None).is_err(), "{item}");
        }
    }
}
