//! Entities → who is downstream of what is being replaced: the consumers, how far
//! away everybody else is, and in which order a change reaches them.
//!
//! Must not: read sources, or look for code.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde::Serialize;

use super::candidate::{Candidate, Candidates};
use super::entity::{At, Entity, Relation, Spot};
use super::order;
use crate::workspace::EntityRef;

/// Everybody downstream of what is being replaced.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Graph {
    /// What is being replaced.
    pub roots: Vec<EntityRef>,
    /// Upstream first; what is in no order among itself by depth and reference.
    pub nodes: Vec<GraphNode>,
    /// Entities that depend on each other in a circle, each circle sorted. It was cut
    /// where its first member of the least depth begins.
    pub cycles: Vec<Vec<EntityRef>>,
}

/// Somebody downstream.
#[derive(Clone, Debug, Serialize)]
pub struct GraphNode {
    /// Who.
    pub entity: EntityRef,
    /// 1 for a direct consumer.
    pub depth: u32,
    /// What it consumes of the graph, sorted.
    pub upstream: Vec<EntityRef>,
    /// Its owner.
    pub owner: Option<EntityRef>,
    /// Its lifecycle.
    pub lifecycle: Option<String>,
    /// Its tier.
    pub tier: Option<String>,
    /// The relation that makes it part of the graph, for people: that with the least depth.
    pub because: String,
}

/// One step: `consumer` consumes something, as `entity` says in `relation`.
struct Edge<'e> {
    consumer: &'e EntityRef,
    entity: &'e Entity,
    relation: &'e Relation,
}

/// Entities and the relations between them.
pub(super) struct Relations<'e> {
    described: HashMap<&'e EntityRef, Vec<&'e Entity>>,
    /// By what is consumed.
    consumers: HashMap<&'e EntityRef, Vec<Edge<'e>>>,
}

impl<'e> Relations<'e> {
    /// Takes note of what all sources say.
    pub(super) fn new(entities: &'e [Entity]) -> Self {
        let mut described: HashMap<&EntityRef, Vec<&Entity>> = HashMap::new();
        let mut consumers: HashMap<&EntityRef, Vec<Edge<'e>>> = HashMap::new();
        for entity in entities {
            described.entry(&entity.reference).or_default().push(entity);
            for relation in &entity.relations {
                let (consumer, consumed) = match relation.field.inverse() {
                    true => (&relation.target, &entity.reference),
                    false => (&entity.reference, &relation.target),
                };
                if consumer != consumed {
                    consumers.entry(consumed).or_default().push(Edge { consumer, entity, relation });
                }
            }
        }
        Self { described, consumers }
    }

    /// Whether some source describes it.
    pub(super) fn knows(&self, entity: &EntityRef) -> bool {
        self.described.contains_key(entity)
    }

    /// What catalog files say of an entity that another source names: not that it is a
    /// consumer, but whose it is and where its code lies.
    pub(super) fn described(
        &self,
        entity: &EntityRef,
        shown: &(dyn Fn(&Path) -> String + Sync),
    ) -> impl Iterator<Item = Candidate> {
        let all = self.described.get(entity).into_iter().flatten();
        all.map(|entity| Candidate::described(entity, [], shown).unnamed())
    }

    /// References of catalog files to what no source describes.
    pub(super) fn dangling(&self, shown: &(dyn Fn(&Path) -> String + Sync)) -> Vec<String> {
        let mut problems = Vec::new();
        for entity in self.described.values().flatten() {
            let Spot::File { file, .. } = &entity.spot else { continue };
            for relation in entity.relations.iter().filter(|relation| !self.knows(&relation.target)) {
                let At::Line(line) = relation.at else { continue };
                problems.push(format!(
                    "{}:{line}:1: spec.{} names {}, which no catalog describes: correct the reference, or add its catalog file",
                    shown(file),
                    relation.field.name(),
                    relation.target
                ));
            }
        }
        problems.sort();
        problems
    }

    /// A problem where nothing that a catalog describes is what is replaced.
    pub(super) fn unknown(&self, target: &EntityRef) -> Option<String> {
        if self.knows(target) {
            return None;
        }
        let distance = |known: &EntityRef| strsim::osa_distance(target.as_str(), known.as_str());
        let near = self.described.keys().map(|known| (distance(known), *known)).filter(|(far, _)| *far <= 4).min();
        let hint = near.map_or_else(String::new, |(_, known)| format!(" (did you mean {known}?)"));
        Some(format!(
            "consumers.of: the catalog describes no {target}{hint}: check the reference, or add its catalog file"
        ))
    }

    /// The entities that consume one of `roots`, each with its reasons.
    pub(super) fn direct(&self, roots: &[EntityRef], shown: &(dyn Fn(&Path) -> String + Sync)) -> Candidates {
        let set: BTreeSet<&EntityRef> = roots.iter().collect();
        let mut reasons: BTreeMap<&EntityRef, BTreeMap<String, BTreeSet<usize>>> = BTreeMap::new();
        for root in &set {
            for edge in self.consumers.get(*root).into_iter().flatten() {
                if edge.relation.field.consumes() && !set.contains(edge.consumer) {
                    let sentence = edge.entity.says(edge.relation, shown);
                    let naming = reasons.entry(edge.consumer).or_default().entry(sentence).or_default();
                    naming.insert(edge.entity.source);
                }
            }
        }
        let mut candidates = Candidates::default();
        for (consumer, because) in reasons {
            let first = because.keys().next().cloned().unwrap_or_default();
            // Whoever describes it does not thereby say that it is a consumer.
            let sources: BTreeSet<usize> = because.values().flatten().copied().collect();
            for entity in self.described.get(consumer).into_iter().flatten() {
                let mut described = Candidate::described(entity, because.keys().cloned(), shown);
                described.sources.clone_from(&sources);
                candidates.add(described);
            }
            if !self.knows(consumer) {
                let missing = format!("no catalog file describes it, though {first}: add its catalog file to the tree");
                let mut plain = Candidate::plain(consumer.clone(), Err(missing));
                (plain.sources, plain.because) = (sources, because.into_keys().collect());
                candidates.add(plain);
            }
        }
        candidates
    }

    /// Everybody downstream of `roots`, upstream first.
    pub(super) fn graph(&self, roots: &[EntityRef], shown: &(dyn Fn(&Path) -> String + Sync)) -> Graph {
        let mut depth: BTreeMap<&EntityRef, u32> = roots.iter().map(|root| (root, 0)).collect();
        let mut because: BTreeMap<&EntityRef, String> = BTreeMap::new();
        let mut upstream: BTreeMap<&EntityRef, BTreeSet<&EntityRef>> = BTreeMap::new();
        let mut front: Vec<&EntityRef> = depth.keys().copied().collect();
        for far in 1.. {
            let mut next: BTreeMap<&EntityRef, String> = BTreeMap::new();
            for consumed in front {
                for edge in self.consumers.get(consumed).into_iter().flatten() {
                    let known = depth.get(edge.consumer);
                    if known == Some(&0) || (far == 1 && !edge.relation.field.consumes()) {
                        continue;
                    }
                    upstream.entry(edge.consumer).or_default().insert(consumed);
                    if known.is_none() {
                        let sentence = edge.entity.says(edge.relation, shown);
                        let slot = next.entry(edge.consumer).or_insert_with(|| sentence.clone());
                        if sentence < *slot {
                            *slot = sentence;
                        }
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            front = next.keys().copied().collect();
            depth.extend(front.iter().map(|entity| (*entity, far)));
            because.extend(next);
        }
        let ordered = order::upstream_first(&depth, &upstream);
        let below = ordered.order.iter().filter(|entity| depth[**entity] > 0);
        let nodes = below.map(|entity| self.node(entity, depth[*entity], &upstream, &mut because)).collect();
        Graph { roots: roots.to_vec(), nodes, cycles: ordered.cycles }
    }

    fn node(
        &self,
        entity: &EntityRef,
        depth: u32,
        upstream: &BTreeMap<&EntityRef, BTreeSet<&EntityRef>>,
        because: &mut BTreeMap<&EntityRef, String>,
    ) -> GraphNode {
        let descriptions = || self.described.get(entity).into_iter().flatten();
        GraphNode {
            entity: entity.clone(),
            depth,
            upstream: upstream.get(entity).into_iter().flatten().map(|other| (*other).clone()).collect(),
            owner: descriptions().find_map(|entity| entity.owner.clone()),
            lifecycle: descriptions().find_map(|entity| entity.lifecycle.clone()),
            tier: descriptions().find_map(|entity| entity.tier.clone()),
            because: because.remove(entity).unwrap_or_default(),
        }
    }
}

impl Graph {
    /// The node of an entity.
    pub fn node(&self, entity: &EntityRef) -> Option<&GraphNode> {
        self.nodes.iter().find(|node| node.entity == *entity)
    }

    /// The chain of nodes from a direct consumer down to `entity`: at each step the
    /// upstream of the least depth, the first by reference.
    pub fn chain(&self, entity: &EntityRef) -> Vec<&GraphNode> {
        let mut chain = Vec::new();
        let mut at = self.node(entity);
        while let Some(node) = at {
            chain.push(node);
            let above = node.upstream.iter().filter_map(|other| self.node(other));
            at = above.filter(|other| other.depth < node.depth).min_by_key(|other| (other.depth, &other.entity));
        }
        chain.reverse();
        chain
    }
}
