//! A live Backstage catalog, by its REST API (`/api/catalog`).
//!
//! Direct consumers are asked for by their *relations*: only there are short
//! references resolved. Whoever is further downstream is followed by reference.
//! Catalogs are eventually consistent, so nothing is read before two counts agree,
//! and what changed while it was read is read again.
//!
//! Must not: write to the catalog, or keep a token anywhere.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::backstage_entity::{Described, Raw, describe};
use super::entity::{Entity, Field, Relation};
use super::lenient::{Many, Object};
use super::source::{Context, Found, Source, null_is_default};
use crate::clock::Clock;
use crate::config::{self, Token, Trust};
use crate::digest::Digest;
use crate::http::{Client, HttpError, Secret, Why, encoded};
use crate::workspace::EntityRef;

/// Counts that are waited for to agree.
const MAX_COUNTS: usize = 12;
/// How often a catalog is read that changes meanwhile.
const MAX_READS: usize = 3;
/// References that are asked for at once.
const REFS: usize = 200;
/// The most entities that are taken in.
const MAX_ENTITIES: usize = if cfg!(test) { 40 } else { 1_000_000 };
/// The most entities of one answer: twice as many as are ever asked for.
const MAX_ITEMS: usize = 10_000;
/// Pages in a row without a new entity, after which no more are asked for.
const MAX_IDLE: u32 = 3;
/// Asked for with every page: cursors don't remember it.
const FIELDS: [&str; 10] = [
    "kind",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.tags",
    "metadata.labels",
    "metadata.annotations",
    "spec.owner",
    "spec.lifecycle",
    "relations",
];

/// A live catalog.
pub(super) struct Live<'a>(pub(super) &'a config::Backstage);

/// A client for a server that a source names, or why there is none.
pub(super) fn client(token: Option<&Token>, trust: &Trust, clock: &Clock) -> Result<Client, String> {
    let secret = match token {
        None => Ok(None),
        Some(Token::Env(name)) => Secret::from_env(name, "token_env").map(Some),
        Some(Token::File(path)) => Secret::from_file(path).map(Some),
    };
    let client = Client::new(secret.map_err(|error| error.to_string())?, clock).within(trust.limit);
    match &trust.authorities {
        None => Ok(client),
        Some(file) => client.trusting(file).map_err(|error| error.to_string()),
    }
}

impl Source for Live<'_> {
    fn label(&self, _: &Context<'_>) -> String {
        format!("backstage {}", self.0.url)
    }

    fn read(&self, cx: &Context<'_>) -> Found {
        let client = match client(self.0.token.as_ref(), &self.0.trust, cx.clock) {
            Ok(client) => client,
            Err(error) => return Found::problem(format!("{}: {error}", self.label(cx))),
        };
        let catalog = Catalog { client: &client, live: self.0, label: self.label(cx) };
        let mut counts = match catalog.settled(cx) {
            Ok(counts) => counts,
            Err(error) => return Found::problem(format!("{}: {error}", catalog.label)),
        };
        let mut found = Found::default();
        for attempt in 1.. {
            found = catalog.read(cx, &counts);
            let complete = found.problems.is_empty();
            let now = match catalog.counts(cx) {
                Ok(now) => now,
                Err(error) if complete => {
                    found.problems.push(format!("{}: {error}", catalog.label));
                    break;
                }
                Err(_) => break,
            };
            if !complete || (now == counts.now && counts.stable) {
                break;
            }
            if attempt >= MAX_READS {
                found.problems.push(format!(
                    "{}: it still changes ({} entities and {} consumers, then {} and {}): run again once it is quiet",
                    catalog.label, counts.now.0, counts.now.1, now.0, now.1
                ));
                break;
            }
            counts = Counts { now, stable: true };
        }
        found
    }
}

/// All entities, and those that consume what is replaced.
struct Counts {
    now: (u64, u64),
    stable: bool,
}

struct Catalog<'a> {
    client: &'a Client,
    live: &'a config::Backstage,
    label: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Many<Object<Raw>, MAX_ITEMS>,
    #[serde(default)]
    total_items: Option<u64>,
    #[serde(default, deserialize_with = "null_is_default")]
    page_info: PageInfo,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct ByRefs {
    items: Many<Option<Object<Raw>>, MAX_ITEMS>,
}

impl Catalog<'_> {
    fn api(&self, path: &str) -> String {
        format!("{}/api/catalog/entities/{path}", self.live.url)
    }

    /// Everybody with a relation to one of `of`.
    fn filter(of: &[EntityRef]) -> String {
        let relation = |kind: &str, of: &EntityRef| format!("&filter=relations.{kind}={}", encoded(of.as_str()));
        let one = |of: &EntityRef| [relation("dependsOn", of), relation("consumesApi", of)].concat();
        of.iter().map(one).collect()
    }

    fn counts(&self, cx: &Context<'_>) -> Result<(u64, u64), HttpError> {
        let count = |filter: &str| {
            let page: Page = self.client.get(&self.api(&format!("by-query?limit=0{filter}")))?;
            page.total_items.ok_or_else(|| HttpError {
                url: self.api("by-query"),
                why: Why::Unexpected("it has no `totalItems`".to_owned()),
            })
        };
        Ok((count("")?, count(&Self::filter(&cx.consumers.of))?))
    }

    /// Waits until two counts agree.
    fn settled(&self, cx: &Context<'_>) -> Result<Counts, HttpError> {
        let mut last = self.counts(cx)?;
        for _ in 1..MAX_COUNTS {
            cx.clock.sleep(self.live.settle);
            let now = self.counts(cx)?;
            if now == last {
                return Ok(Counts { now, stable: true });
            }
            last = now;
        }
        Ok(Counts { now: last, stable: false })
    }

    fn read(&self, cx: &Context<'_>, counts: &Counts) -> Found {
        let mut reading = Reading {
            catalog: self,
            found: Found::default(),
            seen: HashSet::new(),
            known: HashSet::new(),
            gone: false,
        };
        let place: Arc<str> = self.live.url.as_str().into();
        reading.roots(cx, &place);
        reading.direct(cx, &place, counts.now.1);
        reading.downstream(&place);
        reading.dangling();
        let Reading { mut found, .. } = reading;
        once(&mut found.entities);
        found.entities.sort_by(|a, b| a.reference.cmp(&b.reference));
        found
    }
}

/// Backstage states each relation at both ends; the consumer's own is enough.
fn once(entities: &mut [Entity]) {
    let stated: HashSet<(EntityRef, Field, EntityRef)> = entities
        .iter()
        .flat_map(|entity| entity.relations.iter().map(|r| (entity.reference.clone(), r.field, r.target.clone())))
        .collect();
    for entity in entities {
        let me = &entity.reference;
        entity.relations.retain(|relation| {
            let forward = match relation.field {
                Field::DependencyOf => Field::DependsOn,
                Field::ApiConsumedBy => Field::ConsumesApis,
                _ => return true,
            };
            !stated.contains(&(relation.target.clone(), forward, me.clone()))
        });
    }
}

struct Reading<'a> {
    catalog: &'a Catalog<'a>,
    found: Found,
    /// By `metadata.uid`: pages move while they are read.
    seen: HashSet<String>,
    known: HashSet<EntityRef>,
    /// The server does not answer any more; each further question would only wait.
    gone: bool,
}

impl Reading<'_> {
    fn problem(&mut self, text: &str) {
        self.found.note(format!("{}: {text}", self.catalog.label));
    }

    /// What is being replaced, with everybody that it names itself.
    fn roots(&mut self, cx: &Context<'_>, place: &Arc<str>) {
        let of: Vec<EntityRef> = cx.consumers.of.clone();
        for missing in self.by_refs(&of, place) {
            self.problem(&format!("the catalog has no {missing}: check `of`, or whether the token may see it"));
        }
    }

    /// Every page of those with a relation to what is replaced.
    fn direct(&mut self, cx: &Context<'_>, place: &Arc<str>, expected: u64) {
        let filter = Catalog::filter(&cx.consumers.of);
        let (fields, page) = (FIELDS.join(","), self.catalog.live.page);
        let (mut cursor, mut count, mut distinct) = (None::<String>, 0_u64, HashSet::new());
        // Pages in a row that brought nothing new.
        let mut idle = 0;
        while !self.gone {
            let query = match &cursor {
                None => format!("by-query?fields={fields}&limit={page}{filter}"),
                Some(cursor) => format!("by-query?fields={fields}&limit={page}&cursor={}", encoded(cursor)),
            };
            let answer: Page = match self.catalog.client.get(&self.catalog.api(&query)) {
                Ok(answer) => answer,
                Err(error) => {
                    self.gone = true;
                    return self.problem(&format!("after {count} of {expected} consumers: {error}"));
                }
            };
            let Many(items) = answer.items;
            let (empty, before, given) = (items.is_empty(), distinct.len(), items.len() as u64);
            for (number, Object(item)) in items.into_iter().enumerate() {
                // What is no entity is nobody else either.
                let told = item.identity().unwrap_or_else(|| format!("{count}+{number}"));
                distinct.insert(Digest::of(told.as_bytes()));
                let before = self.found.entities.len();
                self.take(item, place);
                let new = self.found.entities.get(before);
                let says = |r: &Relation| r.field.consumes() && cx.consumers.of.contains(&r.target);
                if let Some(silent) = new.filter(|entity| !entity.relations.iter().any(says)) {
                    let text = format!(
                        "{} was given as a consumer and states no relation to what is replaced: look at it by hand",
                        silent.reference
                    );
                    self.problem(&text);
                }
            }
            count = count.saturating_add(given);
            idle = if distinct.len() > before { 0 } else { idle + 1 };
            let next = answer.page_info.next_cursor.filter(|next| !next.is_empty());
            let stuck = next == cursor
                || empty
                || idle >= MAX_IDLE
                || count > expected.saturating_mul(2).saturating_add(10_000);
            let Some(next) = next else { break };
            if distinct.len() > MAX_ENTITIES {
                return self.problem(&format!("more than {MAX_ENTITIES} entities are consumers, the rest is not read"));
            }
            if stuck {
                return self
                    .problem(&format!("its pages don't end (after {count} of {expected} consumers): tell its owner"));
            }
            cursor = Some(next);
        }
        let count = distinct.len() as u64;
        if count < expected && !self.gone {
            self.problem(&format!("counts {expected} consumers, and gives {count}: run again once it is quiet"));
        }
    }

    /// Everybody downstream of what is known so far, by reference.
    fn downstream(&mut self, place: &Arc<str>) {
        let mut from = 0;
        while !self.gone && from < self.found.entities.len() && self.found.entities.len() <= MAX_ENTITIES {
            let new = &self.found.entities[from..];
            let leads =
                |field: Field| matches!(field, Field::DependencyOf | Field::ApiConsumedBy | Field::ProvidesApis);
            let targets = new.iter().flat_map(|entity| {
                entity.relations.iter().filter(|r| leads(r.field)).map(move |r| (&r.target, &entity.reference))
            });
            let mut wanted: Vec<(EntityRef, EntityRef)> =
                targets.filter(|(to, _)| !self.known.contains(*to)).map(|(to, by)| (to.clone(), by.clone())).collect();
            wanted.sort();
            wanted.dedup_by(|a, b| a.0 == b.0);
            from = self.found.entities.len();
            for chunk in wanted.chunks(REFS) {
                let refs: Vec<EntityRef> = chunk.iter().map(|(to, _)| to.clone()).collect();
                // Those that are not there are told below, with all other references.
                self.by_refs(&refs, place);
                if self.gone {
                    return;
                }
            }
        }
        if from < self.found.entities.len() && !self.gone {
            self.problem(&format!("more than {MAX_ENTITIES} entities are downstream, the rest is not read"));
        }
    }

    /// Notes references to nowhere: a wrong one may be meant for what is replaced.
    fn dangling(&mut self) {
        let named = self.found.entities.iter().flat_map(|entity| {
            entity.relations.iter().map(move |relation| (relation.target.clone(), entity.reference.clone()))
        });
        let mut named: Vec<(EntityRef, EntityRef)> = named.filter(|(to, _)| !self.known.contains(to)).collect();
        named.sort();
        named.dedup_by(|a, b| a.0 == b.0);
        for chunk in named.chunks(REFS) {
            let names: Vec<&str> = chunk.iter().map(|(to, _)| to.as_str()).collect();
            let body = json!({ "entityRefs": names, "fields": ["kind"] });
            if self.gone {
                return;
            }
            match self.catalog.client.post::<ByRefs>(&self.catalog.api("by-refs"), &body) {
                Ok(answer) => {
                    for (_, (to, by)) in answer.items.0.iter().zip(chunk).filter(|(item, _)| item.is_none()) {
                        let label = &self.catalog.label;
                        self.found.doubts.push(format!(
                            "{label}: {by} names {to}, which the catalog does not have: correct the reference"
                        ));
                    }
                }
                Err(error) => {
                    self.gone = true;
                    self.problem(&error.to_string());
                }
            }
        }
    }

    /// Takes in entities by reference, and returns those that are not there.
    fn by_refs(&mut self, refs: &[EntityRef], place: &Arc<str>) -> Vec<EntityRef> {
        let mut missing = Vec::new();
        for refs in refs.chunks(REFS) {
            let names: Vec<&str> = refs.iter().map(EntityRef::as_str).collect();
            let body = json!({ "entityRefs": names, "fields": FIELDS });
            let answer: ByRefs = match self.catalog.client.post(&self.catalog.api("by-refs"), &body) {
                Ok(answer) => answer,
                Err(error) => {
                    self.gone = true;
                    self.problem(&error.to_string());
                    return missing;
                }
            };
            let Many(items) = answer.items;
            if items.len() != refs.len() {
                self.problem(&format!("was asked for {} entities and answers with {}", refs.len(), items.len()));
            }
            for (item, name) in items.into_iter().zip(refs) {
                match item {
                    Some(Object(item)) => self.take(item, place),
                    None => missing.push(name.clone()),
                }
            }
        }
        missing
    }

    fn take(&mut self, item: Raw, place: &Arc<str>) {
        match describe(item, place, self.catalog.live.github.as_deref()) {
            Err(problem) => self.problem(&problem),
            Ok(Described { uid, entity, problems }) => {
                let new = uid.is_none_or(|uid| self.seen.insert(uid));
                if new {
                    problems.iter().for_each(|problem| self.problem(problem));
                    self.add(entity);
                }
            }
        }
    }

    fn add(&mut self, entity: Entity) {
        self.known.insert(entity.reference.clone());
        self.found.entities.push(entity);
    }
}
