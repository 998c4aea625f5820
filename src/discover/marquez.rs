//! A live Marquez: `GET /api/v1/lineage`, which gives the graph around a dataset.
//!
//! API: <https://marquezproject.ai/docs/api/get-lineage>.

use serde::Deserialize;

use super::backstage::client;
use super::entity::short;
use super::lenient::{List, Many, Object, Text};
use super::lineage::{self, Aliases, Jobs};
use super::source::{Context, Found, Source};
use crate::config;
use crate::http::{HttpError, Why, encoded};

/// How far from the dataset the graph is asked for.
const DEPTH: u32 = 20;
/// The most nodes of one graph.
const MAX_NODES: usize = 100_000;

/// `marquez = "https://…"`.
pub(super) struct Live<'a>(pub(super) &'a config::Marquez);

#[derive(Deserialize)]
struct Lineage {
    graph: Option<Many<Object<Node>, MAX_NODES>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Node {
    id: Text,
    #[serde(rename = "type")]
    kind: Text,
    data: Object<Data>,
    in_edges: List<Object<Edge>>,
    out_edges: List<Object<Edge>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    namespace: Text,
    name: Text,
    location: Text,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(default)]
struct Edge {
    origin: Text,
    destination: Text,
}

impl Node {
    /// Whether something of it is of another kind than Marquez gives.
    fn is_odd(&self) -> bool {
        let (data, edges) = (&self.data.0, self.in_edges.items.iter().chain(&self.out_edges.items));
        let texts = [&self.id, &self.kind, &data.namespace, &data.name, &data.location].into_iter();
        let mut texts = texts.chain(edges.flat_map(|Object(edge)| [&edge.origin, &edge.destination]));
        self.in_edges.odd || self.out_edges.odd || texts.any(Text::is_odd)
    }
}

impl Source for Live<'_> {
    fn label(&self, _: &Context<'_>) -> String {
        format!("marquez {}", self.0.url)
    }

    fn read(&self, cx: &Context<'_>) -> Found {
        let label = self.label(cx);
        let client = match client(self.0.token.as_ref(), &self.0.trust, cx.clock) {
            Ok(client) => client,
            Err(error) => return Found::problem(format!("{label}: {error}")),
        };
        let mut found = Found::default();
        let mut jobs = Jobs::new();
        for dataset in &cx.consumers.datasets {
            let id = format!("dataset:{}:{dataset}", self.0.namespace);
            let url = format!("{}/api/v1/lineage?nodeId={}&depth={DEPTH}", self.0.url, encoded(&id));
            match client.get::<Lineage>(&url) {
                Ok(Lineage { graph: None }) => found.note(format!(
                    "{label}: answers for {dataset:?} without a graph: check that the address is Marquez's own"
                )),
                Ok(Lineage { graph: Some(Many(graph)) }) if graph.is_empty() => {}
                Ok(Lineage { graph: Some(Many(graph)) }) => {
                    // Nobody may read it, but it is known there.
                    cx.datasets.meant(dataset);
                    graph.into_iter().for_each(|Object(node)| {
                    if let Err(problem) = take(&mut jobs, &node) {
                        found.note(format!("{label}: {problem}"));
                    }
                    });
                }
                Err(HttpError { why: Why::NotFound, .. }) => found.note(format!(
                    "{label}: knows no dataset {dataset:?} in the namespace {:?}: correct `datasets`, `namespace` or the address",
                    self.0.namespace
                )),
                Err(error) => found.note(format!("{label}: {error}")),
            }
        }
        found.entities = lineage::entities(jobs, &Aliases::default(), cx.datasets, &label);
        found
    }
}

/// Notes a job of the graph. A node that is broken hides no other.
fn take(jobs: &mut Jobs, node: &Node) -> Result<(), String> {
    let (Some(id), Some(kind), false) = (node.id.get(), node.kind.get(), node.is_odd()) else {
        let id = node.id.get().map(|id| format!("{:?}", short(id))).unwrap_or_default();
        return Err(format!("a node of another form ({id}): it was left out, with whoever it names"));
    };
    if kind != "JOB" {
        return Ok(());
    }
    let data = &node.data.0;
    let (namespace, name) = match (data.namespace.get(), data.name.get()) {
        (Some(namespace), Some(name)) => (namespace.to_owned(), name.to_owned()),
        _ => parts(id, "job").ok_or_else(|| format!("a job without a name ({:?}): it was left out", short(id)))?,
    };
    let job = jobs.entry((namespace, name)).or_default();
    let ends = |edges: &List<Object<Edge>>, end: fn(&Edge) -> &Text| -> Vec<_> {
        edges.items.iter().filter_map(|Object(edge)| parts(end(edge).get()?, "dataset")).collect()
    };
    job.inputs.extend(ends(&node.in_edges, |edge| &edge.origin));
    job.outputs.extend(ends(&node.out_edges, |edge| &edge.destination));
    if let Some(location) = data.location.get().filter(|location| !location.is_empty()) {
        job.code = Some(lineage::code(location, None, None));
    }
    Ok(())
}

/// Namespace and name of `kind:namespace:name`. The namespace may hold colons, as in
/// `dataset:postgres://host:5432:public.users`; the name comes last.
fn parts(id: &str, kind: &str) -> Option<(String, String)> {
    let rest = id.strip_prefix(kind)?.strip_prefix(':')?;
    let (namespace, name) = rest.rsplit_once(':')?;
    Some((namespace.to_owned(), name.to_owned()))
}
