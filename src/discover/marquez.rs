//! A live Marquez: `GET /api/v1/lineage`, which gives the graph around a dataset.
//!
//! API: <https://marquezproject.ai/docs/api/get-lineage>.

use serde::Deserialize;

use super::backstage::client;
use super::lineage::{self, Aliases, Jobs};
use super::source::{Context, Found, Source, null_is_default};
use crate::config;
use crate::http::{HttpError, Why, encoded};

/// How far from the dataset the graph is asked for.
const DEPTH: u32 = 20;

/// `marquez = "https://…"`.
pub(super) struct Live<'a>(pub(super) &'a config::Marquez);

#[derive(Deserialize)]
struct Lineage {
    /// Each node is read by itself: one that is broken hides no other.
    graph: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "null_is_default")]
    data: Data,
    #[serde(default, deserialize_with = "null_is_default")]
    in_edges: Vec<Edge>,
    #[serde(default, deserialize_with = "null_is_default")]
    out_edges: Vec<Edge>,
}

#[derive(Deserialize, Default)]
struct Data {
    namespace: Option<String>,
    name: Option<String>,
    location: Option<String>,
}

#[derive(Deserialize)]
struct Edge {
    origin: Option<String>,
    destination: Option<String>,
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
                Ok(Lineage { graph: Some(graph) }) if graph.is_empty() => {}
                Ok(Lineage { graph: Some(graph) }) => {
                    // Nobody may read it, but it is known there.
                    cx.datasets.meant(dataset);
                    graph.into_iter().for_each(|node| {
                    if let Err(problem) = take(&mut jobs, node) {
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

/// Notes a job of the graph.
fn take(jobs: &mut Jobs, node: serde_json::Value) -> Result<(), String> {
    let id: String = node.get("id").map(ToString::to_string).unwrap_or_default().chars().take(200).collect();
    let node: Node = serde_json::from_value(node)
        .map_err(|_| format!("a node of another form ({id}): it was left out, with whoever it names"))?;
    if node.kind != "JOB" {
        return Ok(());
    }
    let (namespace, name) = match (node.data.namespace, node.data.name) {
        (Some(namespace), Some(name)) => (namespace, name),
        _ => parts(&node.id, "job").ok_or_else(|| format!("a job without a name ({:?}): it was left out", node.id))?,
    };
    let job = jobs.entry((namespace, name)).or_default();
    job.inputs.extend(node.in_edges.iter().filter_map(|edge| parts(edge.origin.as_deref()?, "dataset")));
    job.outputs.extend(node.out_edges.iter().filter_map(|edge| parts(edge.destination.as_deref()?, "dataset")));
    if let Some(location) = node.data.location.filter(|location| !location.is_empty()) {
        job.code = Some(lineage::code(&location, None, None));
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
