//! Entities → consumers: who depends on what is being replaced, or is named by
//! it as a dependent.
//!
//! Must not: read catalog files. Only direct consumers count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::candidate::{Candidate, Candidates};
use super::entity::Entity;
use super::locate;
use crate::workspace::EntityRef;

/// The entities that consume one of `of`, each with its reasons. What makes the
/// list doubtful is added to `problems`.
pub(super) fn consumers(
    of: &[EntityRef],
    entities: &[Entity],
    shown: &(dyn Fn(&Path) -> String + Sync),
    problems: &mut Vec<String>,
) -> Candidates {
    let mut described: BTreeMap<&EntityRef, Vec<&Entity>> = BTreeMap::new();
    for entity in entities {
        described.entry(&entity.reference).or_default().push(entity);
    }
    if !entities.is_empty() {
        problems.extend(of.iter().filter_map(|target| unknown(target, &described)));
    }
    let mut candidates = Candidates::default();
    for (consumer, because) in reasons(of, entities, shown) {
        let Some(descriptions) = described.get(consumer) else {
            let reason = format!(
                "no catalog file describes it, though {}: add its catalog file to the tree",
                because.iter().next().map_or("", String::as_str)
            );
            for because in because {
                candidates.add(Candidate::plain(consumer.clone(), Err(reason.clone()), because));
            }
            continue;
        };
        for entity in descriptions {
            let located = locate::of_entity(&entity.file, entity.location.as_deref(), &entity.root);
            candidates.add(Candidate::described(entity, located, because.clone(), shown));
        }
    }
    candidates
}

/// Every consumer with the relations that make it one.
fn reasons<'e>(
    of: &'e [EntityRef],
    entities: &'e [Entity],
    shown: &(dyn Fn(&Path) -> String + Sync),
) -> BTreeMap<&'e EntityRef, BTreeSet<String>> {
    let of: BTreeSet<&EntityRef> = of.iter().collect();
    let mut consumers: BTreeMap<&EntityRef, BTreeSet<String>> = BTreeMap::new();
    for entity in entities {
        for relation in &entity.relations {
            let (consumer, consumed) = match relation.field.inverse() {
                true => (&relation.target, &entity.reference),
                false => (&entity.reference, &relation.target),
            };
            if of.contains(consumed) && consumer != consumed {
                let (file, field) = (shown(&entity.file), relation.field.name());
                let because = format!(
                    "spec.{field} of {} names {} ({file}:{})",
                    entity.reference, relation.target, relation.line
                );
                consumers.entry(consumer).or_default().insert(because);
            }
        }
    }
    consumers
}

/// A problem where nothing in the catalog is what the migration replaces.
fn unknown(target: &EntityRef, described: &BTreeMap<&EntityRef, Vec<&Entity>>) -> Option<String> {
    if described.contains_key(target) {
        return None;
    }
    let distance = |known: &&&EntityRef| strsim::osa_distance(target.as_str(), known.as_str());
    let nearest = described.keys().min_by_key(distance);
    let near = nearest.filter(|known| distance(known) <= 4);
    let hint = near.map_or_else(String::new, |known| format!(" (did you mean {known}?)"));
    Some(format!("consumers.of: the catalog describes no {target}{hint}: check the reference, or add its catalog file"))
}
