//! OpenLineage run events, one JSON object a line: who read and wrote what. The
//! `sourceCodeLocation` facet of a job names its repository.
//!
//! Format: <https://openlineage.io/spec/2-0-2/OpenLineage.json>.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;

use super::lineage::{self, Aliases, Job, Jobs};
use super::source::{Context, Found, Source, null_is_default};

/// The longest event, in bytes.
pub(super) const MAX_LINE: u64 = 8 << 20;
/// The most jobs.
const MAX_JOBS: usize = if cfg!(test) { 50 } else { 500_000 };

/// `openlineage = "events.ndjson"`.
pub(super) struct Events<'a>(pub(super) &'a Path);

#[derive(Deserialize)]
struct Event {
    job: JobOf,
    #[serde(default, deserialize_with = "null_is_default")]
    inputs: Vec<DatasetOf>,
    #[serde(default, deserialize_with = "null_is_default")]
    outputs: Vec<DatasetOf>,
}

#[derive(Deserialize)]
struct JobOf {
    #[serde(default, deserialize_with = "null_is_default")]
    namespace: String,
    name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    facets: Facets,
}

#[derive(Deserialize, Default)]
struct Facets {
    #[serde(rename = "sourceCodeLocation")]
    location: Option<Location>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    url: Option<String>,
    repo_url: Option<String>,
    path: Option<String>,
    branch: Option<String>,
    tag: Option<String>,
}

#[derive(Deserialize)]
struct DatasetOf {
    #[serde(default, deserialize_with = "null_is_default")]
    namespace: String,
    name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    facets: DatasetFacets,
}

#[derive(Deserialize, Default)]
struct DatasetFacets {
    symlinks: Option<Symlinks>,
}

/// Other names of a dataset: a table and the folder that it lies in, say.
/// Format: <https://openlineage.io/spec/facets/1-0-1/SymlinksDatasetFacet.json>.
#[derive(Deserialize)]
struct Symlinks {
    #[serde(default, deserialize_with = "null_is_default")]
    identifiers: Vec<Identifier>,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(default, deserialize_with = "null_is_default")]
    namespace: String,
    #[serde(default, deserialize_with = "null_is_default")]
    name: String,
}

impl Source for Events<'_> {
    fn label(&self, cx: &Context<'_>) -> String {
        format!("openlineage {}", (cx.shown)(self.0))
    }

    fn read(&self, cx: &Context<'_>) -> Found {
        let shown = (cx.shown)(self.0);
        let mut found = Found::default();
        let (mut jobs, mut aliases) = (Jobs::new(), Aliases::default());
        let read = lines(self.0, |number, line| match line {
            Err(reason) => found.note(format!("{shown}:{number}:1: {reason}")),
            Ok(line) => match serde_json::from_slice::<Event>(line) {
                Ok(event) if jobs.len() < MAX_JOBS => {
                    take(&mut jobs, &mut aliases, event, &format!("{shown}:{number}"))
                }
                Ok(_) => {}
                Err(error) => found.note(format!(
                    "{shown}:{number}:{}: not a run event ({error}): it was left out",
                    error.column().max(1)
                )),
            },
        });
        if let Err(error) = read {
            found.note(format!("{shown}: can't be read ({error}): check its permissions"));
        }
        if jobs.len() >= MAX_JOBS {
            found.note(format!("{shown}: more than {MAX_JOBS} jobs, the rest is not read: split it"));
        }
        found.entities = lineage::entities(jobs, &aliases, cx.datasets, &shown);
        found
    }
}

fn take(jobs: &mut Jobs, aliases: &mut Aliases, event: Event, place: &str) {
    let mut named = |dataset: DatasetOf| {
        let name = (dataset.namespace, dataset.name);
        let others = dataset.facets.symlinks.into_iter().flat_map(|links| links.identifiers);
        for other in others.filter(|other| !other.name.trim().is_empty()) {
            aliases.add(&name, &(other.namespace, other.name));
        }
        name
    };
    let key = (event.job.namespace, event.job.name);
    let job = jobs.entry(key).or_insert_with(|| Job { place: place.to_owned(), ..Job::default() });
    job.inputs.extend(event.inputs.into_iter().map(&mut named));
    job.outputs.extend(event.outputs.into_iter().map(&mut named));
    if let Some(at) = event.job.facets.location
        && let Some(url) = at.repo_url.or(at.url)
    {
        job.code = Some(lineage::code(&url, at.path.as_deref(), at.branch.as_deref().or(at.tag.as_deref())));
    }
}

/// Hands on every line that is not blank, with its number from 1, or why it can't be.
pub(super) fn lines(path: &Path, mut each: impl FnMut(u64, Result<&[u8], String>)) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, std::fs::File::open(path)?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if (&mut reader).take(MAX_LINE + 1).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() as u64 > MAX_LINE {
            each(number, Err(format!("longer than {} MiB: it was left out", MAX_LINE >> 20)));
            // The rest of the line, without holding it.
            while line.last() != Some(&b'\n') {
                line.clear();
                if (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
                    return Ok(());
                }
            }
            continue;
        }
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line[..]).trim_ascii();
        if !text.is_empty() {
            each(number, Ok(text));
        }
    }
    Ok(())
}
