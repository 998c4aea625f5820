//! `migration.toml`, understood whole: what was typed becomes a [`Migration`] or
//! a list of errors with their places. Nothing here writes, and nothing else in
//! gander reads the file.
//!
//! Must not: know a stage, resolve consumers, compile rules.

mod calendar;
mod consumer_sections;
mod consumers;
mod error;
mod format_sections;
mod gate;
mod gate_sections;
mod lineup;
mod load;
mod raw;
mod rollout_sections;
mod sections;
#[cfg(test)]
mod tests;
mod units;
mod verify_sections;
#[cfg(test)]
mod verify_tests;
mod wave;

pub use calendar::{Calendar, Freeze, Window};
pub use consumers::{
    AccessLog, Backstage, CodeConfig, Complete, ConsumerSource, Consumers, Dirty, Exclusion, Marquez, Token, Trust, Who,
};
pub use error::{ConfigError, ConfigErrors};
pub use gate::{Comparison, Endpoint, Gate, Limits};
pub use lineup::{Lineup, Selector};
pub use load::{load, load_what_is_there};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dataset::Dialects;
use crate::language::FileLanguages;
use crate::workspace::EntityRef;

/// A migration file, checked. Every path is absolute.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The file itself.
    pub file: PathBuf,
    /// `[migration] id`: lower-case letters, digits, `-` and `_`; names the state folder and branches.
    pub id: String,
    /// `[migration] title`: one line for people.
    pub title: String,
    /// `[migration] guide`: the human guide that annotations and pull requests link to.
    pub guide: Option<String>,
    /// `[migration] rules`, in the order of findings.
    pub rules: Vec<PathBuf>,
    /// `[migration] order`: ids of rules; of two in a list that want the same code the first goes first.
    pub order: Vec<Vec<String>>,
    /// `[parameters]`: what rules read as `params`.
    pub parameters: toml::Table,
    /// `[mappings]`: name to file, what rules read as `mapping("name")`.
    pub mappings: BTreeMap<String, PathBuf>,
    /// `[datasets]`.
    pub datasets: DatasetFiles,
    /// `[[languages]]`: what language files are of, where their names don't tell.
    pub languages: FileLanguages,
    /// `[consumers]`.
    pub consumers: Consumers,
    /// `[code]`.
    pub code: CodeConfig,
    /// `[transform]`.
    pub transform: Transform,
    /// `[[format]]`, in the order in which they run.
    pub formatters: Vec<Formatter>,
    /// `[verify]`.
    pub verify: Verify,
    /// `[sandbox]`.
    pub sandbox: SandboxConfig,
    /// `[policy]`.
    pub policy: Policy,
    /// `[rollout]`.
    pub rollout: Rollout,
    /// `[deliver]`.
    pub deliver: Deliver,
    /// `[state] path`, by default `.gander/<id>` beside the migration file.
    pub state: PathBuf,
    /// Digest of everything above that decides what the plan and rollout do
    /// (the file's own bytes and those of rules and mappings).
    pub digest: crate::digest::Digest,
    /// Digest of what `[verify]` and `[sandbox]` say: how change sets are verified. What they leave
    /// unsaid is none of it, so that a later gander with other defaults goes on.
    pub verify_digest: crate::digest::Digest,
    /// Digest of what `[[rollout.gate]]` says: what waves are judged by.
    pub gates_digest: crate::digest::Digest,
    /// Digest of what `[policy]`, `[deliver]` and `[code]` say: which change sets go out, and where.
    pub delivery_digest: crate::digest::Digest,
}

/// `[datasets]`: the tables that say what becomes of datasets.
#[derive(Clone, Debug, Default)]
pub struct DatasetFiles {
    /// `mappings`: a table for each dataset.
    pub mappings: Vec<PathBuf>,
    /// `by_rules`: tables of datasets of which rules alone say what becomes.
    pub by_rules: Vec<PathBuf>,
    /// `schemas`: columns of other tables.
    pub schemas: Option<PathBuf>,
    /// `default`: `project.dataset` or `dataset`, in which tables of one part lie.
    pub default: Option<String>,
    /// `dialect` and `[[datasets.dialects]]`: whose SQL stands where.
    pub dialects: Dialects,
}

/// `[transform]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transform {
    /// `partial`: what happens to the other files of a consumer when one is refused.
    pub partial: Partial,
}

/// `[[format]]`: a program that lays out the files that change, in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formatter {
    /// What people call it.
    pub name: String,
    /// A path relative to the consumer that must exist; `None` always holds.
    pub when: Option<String>,
    /// Names of the languages whose files it is given.
    pub languages: Vec<String>,
    /// The argument vector; [`Formatter::FILES`] stands for the files.
    pub run: Vec<String>,
    /// Wall-clock limit of one call.
    pub timeout: Duration,
    /// `fetched`: whether it needs what `[[verify.fetch]]` brings.
    pub fetched: bool,
}

impl Formatter {
    /// The argument in whose place the files are put.
    pub const FILES: &'static str = "{files}";
}

/// What happens to a consumer's change set when one of its files is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partial {
    /// The whole change set is withheld: nobody wants half a migration.
    #[default]
    Withhold,
    /// The files that could be changed are delivered.
    Deliver,
}

/// `[verify]`.
#[derive(Clone, Debug, Default)]
pub struct Verify {
    /// `[[verify.fetch]]`, then `[[verify.step]]`; without any of the latter, steps
    /// are detected from what lies in the consumer.
    pub steps: Vec<Step>,
    /// `challenge`: whether every pass is tried with a deliberately wrong edit, and
    /// not only those of the first wave.
    pub challenge: bool,
    /// `[verify.sql]`: how queries that change are compared, if they are.
    pub sql: Option<VerifySql>,
}

/// `[verify.sql]`: old queries over old data and new ones over new data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifySql {
    /// `python`: the program; `python3` of the system where it is not said.
    pub python: Option<PathBuf>,
    /// `timeout`: of one query.
    pub timeout: Duration,
    /// `within`: of all comparisons of a consumer.
    pub within: Duration,
}

/// One `[[verify.step]]` or `[[verify.fetch]]`: it runs where `when` exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Unique within the migration.
    pub name: String,
    /// A path relative to the consumer that must exist; `None` always holds.
    pub when: Option<String>,
    /// The argument vector; no shell is involved unless it names one.
    pub run: Vec<String>,
    /// Wall-clock limit.
    pub timeout: Duration,
    /// `results`: globs of JUnit XML that the step writes; where it is empty, the
    /// places that build tools use are searched.
    #[serde(default)]
    pub results: Vec<String>,
    /// `snapshot`: globs of what the step produces and the change must keep, below
    /// the consumer or `~/`; `stdout` is what it prints.
    #[serde(default)]
    pub snapshot: Vec<String>,
    /// `filters`: what may differ from one run to the next.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// `differs`: what the migration means to change in a snapshot.
    #[serde(default)]
    pub differs: Vec<Replace>,
    /// `seed`: files that are there before the step.
    #[serde(default)]
    pub seeds: Vec<Seed>,
    /// What makes it a `[[verify.fetch]]`.
    #[serde(default)]
    pub fetch: Option<Fetch>,
}

/// What is done to a snapshot before it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// `"times"`: dates, times of day and durations become `<time>`.
    Times,
    /// `"paths"`: absolute paths become `<path>`.
    Paths,
    /// `"order"`: lines are sorted.
    Order,
    /// `{ match = "…", replace = "…" }`.
    Replace(Replace),
}

/// A regular expression and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replace {
    /// In the syntax of the `regex` crate; checked when the migration is read.
    pub pattern: String,
    /// May name groups: `$1`.
    pub with: String,
}

/// A file or folder of the migration that a step finds in its place, read-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed {
    /// Absolute.
    pub from: PathBuf,
    /// Below the consumer, or below the home folder where it starts with `~/`.
    pub to: String,
}

/// A step that fetches what later ones need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// `hosts`: `name:port`, all that it may reach.
    pub hosts: Vec<String>,
    /// `credentials`: names of variables of gander's own environment that it is given.
    pub credentials: Vec<String>,
    /// `caches`: folders that it fills and that later steps see read-only, below
    /// the consumer or `~/`.
    pub caches: Vec<String>,
}

/// `[sandbox]`.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// `mode`.
    pub mode: SandboxMode,
    /// `memory` in bytes, over all processes of a step.
    pub memory: u64,
    /// `processes`: how many at once.
    pub processes: u64,
    /// `cpu`: CPU time of one process.
    pub cpu: Duration,
    /// `output` in bytes, stdout and stderr together; what is beyond is dropped and said.
    pub output: u64,
    /// `file_size` in bytes: the largest file a step may write.
    pub file_size: u64,
    /// `disk` in bytes: all that the steps of one side may write.
    pub disk: u64,
    /// `silence`: how long a step may print nothing; `None` means as long as it likes.
    pub silence: Option<Duration>,
    /// `read_only`: host folders made visible, read-only, at the same path.
    pub read_only: Vec<PathBuf>,
    /// `env`: variables set in the sandbox; nothing else is inherited.
    pub env: BTreeMap<String, String>,
    /// `require`: promises without which gander stops, by the names `gander doctor` prints.
    pub require: Vec<String>,
    /// `jobs`: sandboxes at once; `None` means as many as cores and memory allow.
    pub jobs: Option<usize>,
}

impl Default for SandboxConfig {
    /// What a migration gets that says nothing in `[sandbox]`.
    fn default() -> Self {
        Self {
            mode: SandboxMode::Namespaces,
            memory: 2 << 30,
            processes: 256,
            cpu: Duration::from_secs(600),
            output: 10 << 20,
            file_size: 1 << 30,
            disk: 8 << 30,
            silence: None,
            read_only: Vec::new(),
            env: BTreeMap::new(),
            require: Vec::new(),
            jobs: None,
        }
    }
}

/// How steps are isolated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxMode {
    /// Linux namespaces and overlay mounts.
    #[default]
    Namespaces,
    /// No isolation at all: the explicit way round, also `--sandbox none`.
    None,
}

/// `[policy]`: what happens to change sets that are not plainly verified.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// `annotated`: change sets that leave something to a person.
    pub annotated: Disposition,
    /// `unverified`: red baselines and consumers that yield no data.
    pub unverified: Disposition,
    /// `weak`: passes whose tests did not notice a deliberately wrong variant.
    pub weak: Disposition,
    /// `review`: change sets that rules of `safety("review")` touched.
    pub review: Disposition,
}

impl Default for Policy {
    /// What a migration gets that says nothing in `[policy]`.
    fn default() -> Self {
        use Disposition::{Approve, Deliver, Hold};
        Self { annotated: Deliver, unverified: Hold, weak: Deliver, review: Approve }
    }
}

/// What the policy says of a change set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// It goes out with its wave.
    Deliver,
    /// It stays in the ledger, with its patches, for a person.
    Hold,
    /// It goes out once a person has approved it.
    Approve,
}

/// `[rollout]`.
#[derive(Clone, Debug, Default)]
pub struct Rollout {
    /// `waves`: cumulative sizes, the last of which covers everything.
    pub waves: Vec<WaveSize>,
    /// `seed`: shuffles who comes first; the order is a hash of it and the reference.
    pub seed: String,
    /// `first`: consumers that lead the first waves, in this order.
    pub first: Vec<EntityRef>,
    /// Selectors of `first`, and `last`.
    pub lineup: Lineup,
    /// `[[rollout.gate]]`: all must pass.
    pub gates: Vec<Gate>,
    /// `on_failed_gate`.
    pub on_failed_gate: OnFailedGate,
    /// When change sets may go out, and how many.
    pub calendar: Calendar,
    /// `notify`: the program that hears of pauses, failures and approvals asked for, with
    /// its arguments; empty where there is none.
    pub notify: Vec<String>,
    /// `revertible_until`: the last day on which a rollback makes sense.
    pub revertible_until: Option<jiff::civil::Date>,
}

/// A cumulative wave size: the larger of its parts, of the consumers with a
/// deliverable change, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaveSize {
    /// As written, for people: `max(25%, 59)`.
    pub text: String,
    /// At least one.
    pub parts: Vec<WavePart>,
}

/// `59` or `25%`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WavePart {
    /// So many consumers.
    Count(u64),
    /// So many per cent of them, in (0, 100].
    Percent(f64),
}

/// What a failed gate does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailedGate {
    /// Those of the wave that the gate names; all of it where it names nobody.
    RollbackConsumer,
    /// Roll back the wave and stop.
    #[default]
    RollbackWave,
    /// Roll back every delivered wave and stop.
    RollbackAll,
    /// Stop; a person decides.
    Stop,
}

/// `[deliver]`.
#[derive(Clone, Debug)]
pub struct Deliver {
    /// `how`.
    pub how: Delivery,
    /// `author`: `Name <address>` of commits; by default the user's git identity.
    pub author: Option<String>,
    /// `remote`: the remote of a consumer's repository that branches are pushed to.
    pub remote: String,
    /// `template`: what takes the place of gander's own text for pull requests.
    pub template: Option<String>,
    /// `branch_per`: whose change sets of one repository are on one branch.
    pub branch_per: BranchPer,
}

/// Whose change sets of one repository are on one branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BranchPer {
    /// Those of each consumer.
    #[default]
    Consumer,
    /// Those of each owner in a wave.
    Owner,
    /// All of a wave.
    Wave,
}

/// How change sets reach their consumers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Change sets only, in the state folder.
    #[default]
    Patches,
    /// Applied to the working tree.
    Checkout,
    /// A commit on `gander/<id>/<consumer>`, the working tree untouched.
    Branch,
    /// The same, pushed to the consumer's remote.
    Push,
}
