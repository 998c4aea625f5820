//! What `[consumers]` and `[code]` mean: where consumers come from, which of them
//! are left out, and how their code is found.
//!
//! Must not: read a source, or know what a catalog is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::workspace::EntityRef;

/// `[consumers]`: where the consumers come from.
#[derive(Clone, Debug, Default)]
pub struct Consumers {
    /// `of`: the entities being replaced; whoever depends on one or consumes it is a consumer.
    pub of: Vec<EntityRef>,
    /// `datasets`: the same things as lineage, dbt and logs name them:
    /// `database.schema.table`, or a shorter end of it, or a URL.
    pub datasets: Vec<String>,
    /// `names`: what the code is searched for. Where empty, the names that rules,
    /// mappings and `datasets` tell.
    pub names: Vec<String>,
    /// `[[consumers.from]]`, in the order written.
    pub from: Vec<ConsumerSource>,
    /// `[[consumers.exclude]]`.
    pub exclude: Vec<Exclusion>,
    /// `search`: folders that are searched beside the consumers' own.
    pub search: Vec<PathBuf>,
    /// `complete`: what a list that is not complete does.
    pub complete: Complete,
    /// `dirty`: what to do about uncommitted changes below a consumer's path.
    pub dirty: Dirty,
}

/// One `[[consumers.from]]`.
#[derive(Clone, Debug)]
pub enum ConsumerSource {
    /// `catalog = "folder"`: a tree of Backstage `catalog-info.yaml` files.
    Catalog(PathBuf),
    /// `folders = ["glob", …]`: each folder that matches is one consumer. Globs
    /// are relative to the migration file.
    Folders(Vec<String>),
    /// `backstage = "https://…"`: a live catalog.
    Backstage(Backstage),
    /// `dbt = "target/manifest.json"`.
    Dbt {
        /// The manifest.
        manifest: PathBuf,
        /// `code`: the project's folder, or the URL of its repository; by default the
        /// nearest folder above the manifest with a `dbt_project.yml`.
        code: Option<String>,
    },
    /// `openlineage = "events.ndjson"`: run events, one a line.
    OpenLineage(PathBuf),
    /// `marquez = "https://…"`: a live lineage server.
    Marquez(Marquez),
    /// `repositories = "list.txt"`: a repository a line.
    Repositories(PathBuf),
    /// `access_log = "reads.csv"`: who read what, and when.
    AccessLog(AccessLog),
}

/// A live Backstage catalog.
#[derive(Clone, Debug)]
pub struct Backstage {
    /// `backstage`: the address of the backend, without `/api/catalog` and a trailing `/`.
    pub url: String,
    /// `token_env` or `token_file`.
    pub token: Option<Token>,
    /// `ca_file` and `limit`.
    pub trust: Trust,
    /// `github`: the host that `github.com/project-slug` is relative to.
    pub github: Option<String>,
    /// `page`: entities a page.
    pub page: u64,
    /// `settle`: how long to wait between two counts that must agree.
    pub settle: Duration,
}

/// A live Marquez server.
#[derive(Clone, Debug)]
pub struct Marquez {
    /// `marquez`: its address, without `/api/v1` and a trailing `/`.
    pub url: String,
    /// `namespace`: of the datasets.
    pub namespace: String,
    /// `token_env` or `token_file`.
    pub token: Option<Token>,
    /// `ca_file` and `limit`.
    pub trust: Trust,
}

/// How far a server is trusted.
#[derive(Clone, Debug)]
pub struct Trust {
    /// `ca_file`: the certificates that may vouch for it, as PEM; by default the machine's.
    pub authorities: Option<PathBuf>,
    /// `limit`: how long reading all of it may take.
    pub limit: Duration,
}

/// Where a token is kept. Never the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// `token_env`: a variable of the environment.
    Env(String),
    /// `token_file`: a file that holds nothing else.
    File(PathBuf),
}

/// An access log or job history.
#[derive(Clone, Debug)]
pub struct AccessLog {
    /// NDJSON, or CSV where its name ends in `.csv`.
    pub file: PathBuf,
    /// `who`: the column or field (`a.b` goes into objects) of the reader.
    pub who: String,
    /// `dataset`: that of what was read.
    pub dataset: String,
    /// `when`: that of the time.
    pub when: String,
    /// `since`: older reads don't count, in seconds since the Unix epoch.
    pub since: Option<i64>,
    /// `principals`: the consumer that an account reads for.
    pub principals: BTreeMap<String, EntityRef>,
}

/// One `[[consumers.exclude]]`.
#[derive(Clone, Debug)]
pub struct Exclusion {
    /// What is left out.
    pub who: Who,
    /// `reason`, for people.
    pub reason: String,
    /// `until`: the last day on which it holds.
    pub until: jiff::civil::Date,
}

/// What an exclusion is about.
#[derive(Clone, Debug)]
pub enum Who {
    /// `consumer`: a consumer.
    Consumer(EntityRef),
    /// `path`: places that the search may find and that are nobody's, as a glob
    /// relative to the migration file.
    Path(String),
}

/// What a list of consumers that is not complete does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Complete {
    /// It is said.
    #[default]
    Reported,
    /// Nothing is changed until sources and code agree.
    Required,
}

/// What to do about a consumer whose working tree has uncommitted changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dirty {
    /// Its outcome is `refused`, naming the paths.
    #[default]
    Refuse,
    /// It is pinned by content, uncommitted changes included, and marked as dirty.
    Pin,
}

/// `[code]`: from the URL of a repository to a folder.
#[derive(Clone, Debug)]
pub struct CodeConfig {
    /// `mirror`: a folder a repository, with `{host}`, `{path}`, `{owner}` and `{name}`
    /// for the parts of its URL.
    pub mirror: Option<String>,
    /// `[code.monorepo]`: the URL of a repository and the folder it is checked out to.
    pub monorepo: BTreeMap<String, PathBuf>,
    /// `clone`: whether repositories that are not here are cloned into the state folder.
    pub clone: bool,
    /// `protocols`: those that git may clone by.
    pub protocols: Vec<String>,
    /// `jobs`: clones at once.
    pub jobs: usize,
    /// `disk` in bytes: all that one clone may take.
    pub disk: u64,
}

impl Default for CodeConfig {
    fn default() -> Self {
        let protocols = vec!["https".to_owned(), "ssh".to_owned()];
        Self { mirror: None, monorepo: BTreeMap::new(), clone: false, protocols, jobs: 4, disk: 4 << 30 }
    }
}
