//! An entity as Backstage's API gives it → an [`Entity`].

use std::sync::Arc;

use serde_json::Value;

use super::entity::{At, Entity, Field, Relation, is_tier, short};
use super::location::{self, Code};
use crate::workspace::{EntityRef, without_userinfo};

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
pub(super) fn describe(item: &Value, place: &Arc<str>, github: Option<&str>) -> Result<Described, String> {
    let text = |path: &str| item.pointer(path).and_then(Value::as_str);
    let uid = text("/metadata/uid").map(short);
    let told = || uid.as_deref().unwrap_or("without a uid").chars().take(60).collect::<String>();
    let (Some(kind), Some(name)) = (text("/kind"), text("/metadata/name")) else {
        return Err(format!("the entity {} has no kind or no name: correct it in the catalog", told()));
    };
    let namespace = text("/metadata/namespace").unwrap_or("default");
    let reference = EntityRef::parse(&format!("{kind}:{namespace}/{name}"), "component");
    let reference =
        reference.ok_or_else(|| format!("the entity {} has a name that can't be referred to: correct it", told()))?;
    let mut problems = Vec::new();
    let (mut relations, mut owner) = (Vec::new(), None);
    for relation in item.get("relations").and_then(Value::as_array).into_iter().flatten() {
        let kind = relation.get("type").and_then(Value::as_str).unwrap_or_default();
        let target = target(relation);
        if target.is_none() && (kind == "ownedBy" || field(kind).is_some()) {
            problems
                .push(format!("{reference}: its relation {} has no target: correct it in the catalog", short(kind)));
        }
        let Some(target) = target else { continue };
        match field(kind) {
            Some(field) => relations.push(Relation { field, target, at: At::Entity }),
            None if kind == "ownedBy" => owner = owner.or(Some(target)),
            None => {}
        }
    }
    relations.sort();
    relations.dedup();
    let stated = || text("/spec/owner").and_then(|owner| EntityRef::parse_in(owner, "group", namespace));
    let entity = Entity {
        owner: owner.or_else(stated),
        lifecycle: text("/spec/lifecycle").map(short),
        tier: tier(item),
        tags: tags(item),
        relations,
        ..Entity::told(reference, place, code(item, github))
    };
    Ok(Described { uid, entity, problems })
}

/// A relation's other end: `targetRef`, or `target` as servers before 1.0 gave it.
fn target(relation: &Value) -> Option<EntityRef> {
    if let Some(text) = relation.get("targetRef").and_then(Value::as_str) {
        return EntityRef::parse(text, "component").filter(|_| text.contains(':'));
    }
    let target = relation.get("target")?;
    let part = |name: &str| target.get(name).and_then(Value::as_str);
    let namespace = part("namespace").unwrap_or("default");
    EntityRef::parse(&format!("{}:{namespace}/{}", part("kind")?, part("name")?), "component")
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

fn tags(item: &Value) -> Vec<String> {
    let tags = item.pointer("/metadata/tags").and_then(Value::as_array).into_iter().flatten();
    let mut tags: Vec<String> = tags.filter_map(|tag| tag.as_str().map(short)).take(200).collect();
    tags.sort();
    tags.dedup();
    tags
}

fn tier(item: &Value) -> Option<String> {
    ["/metadata/labels", "/metadata/annotations"].into_iter().find_map(|group| {
        let entries = item.pointer(group)?.as_object()?;
        let named = entries.iter().find(|(key, _)| is_tier(key))?;
        Some(short(named.1.as_str()?))
    })
}

/// Where its code lies: its source location, else where it is described, else its
/// project slug on the host that the migration names.
fn code(item: &Value, github: Option<&str>) -> Result<Code, String> {
    let annotation = |name: &str| {
        let entries = item.pointer("/metadata/annotations").and_then(Value::as_object);
        entries.and_then(|entries| entries.get(name)).and_then(Value::as_str).map(str::trim)
    };
    let mut reasons = Vec::new();
    for name in ["backstage.io/source-location", "backstage.io/managed-by-location"] {
        let Some(text) = annotation(name) else { continue };
        match location::reference(text) {
            Ok(remote) => return Ok(Code::Remote(remote)),
            Err(why) => reasons.push(short(&format!("{name} {:?} {why}", without_userinfo(text)))),
        }
    }
    if let Some(slug) = annotation("github.com/project-slug") {
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
    use serde_json::json;

    use super::*;

    fn described(item: &Value) -> Described {
        describe(item, &"https://b".into(), Some("https://github.example.org")).unwrap()
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
            assert!(describe(&item, &"https://b".into(), None).is_err(), "{item}");
        }
    }
}
