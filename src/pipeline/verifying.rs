//! Verification within the pipeline: what the other stages hand to it, and what it
//! keeps between runs (baselines, timings, accepted snapshots, trees left for a look).
//!
//! Must not: judge or deliver.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use super::back::Backs;
use super::base::Base;
use super::{Options, PipelineError, Planned, Progress, Tell, all_known, plan_over};
use crate::clock::Clock;
use crate::codeowners;
use crate::config::{Migration, SandboxMode};
use crate::digest::{Digest, DigestBuilder};
use crate::discover::Fetching;
use crate::files;
use crate::git::Repository;
use crate::pin;
use crate::rollout::{self, MayBegin, TakeVerdict, ToVerify};
use crate::sandbox::{self, PromiseState, Sandbox, SandboxError, StepEnd};
use crate::state::Store;
use crate::verify::{self, Accepted, Cache, Job, Sql, Subject, Verdict, VerdictKind, accepted};
use crate::workspace::{EntityRef, FileVersion, Fleet, Manifest, Pin, Source, Workspace, below};

/// What verification needs of the other stages.
pub(super) struct Work<'a> {
    migration: &'a Migration,
    planned: &'a Planned,
    /// The workspaces whose owners opt out by the catalog, each with why.
    opted_out: BTreeMap<usize, &'a String>,
    sandbox: Sandbox,
    /// How queries are compared, where that is asked for.
    sql: Option<Sql>,
    /// Copies of pinned trees, named by their pins.
    pins: PathBuf,
    making: Mutex<()>,
    /// The promises that this machine keeps, or why it does not isolate as required:
    /// tried once, before the first step.
    checked: Mutex<Option<Result<(), SandboxError>>>,
    cache: Mutex<Option<std::sync::Arc<Cache>>>,
    /// What CODEOWNERS says, by repository and commit.
    code_owners: Mutex<BTreeMap<(PathBuf, String), Option<String>>>,
    /// How long each workspace took last time.
    timings: Mutex<BTreeMap<String, u64>>,
    backs: Backs<'a>,
    tell: &'a Tell<'a>,
}

/// The file by which a consumer's owners opt out of every migration; its first line says why.
const OPT_OUT: &str = ".gander-opt-out";

/// How to verify without a rollout.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// These consumers only; all with a change where empty.
    pub only: BTreeSet<EntityRef>,
    /// `--sandbox none`.
    pub sandbox: Option<SandboxMode>,
    /// `--challenge`.
    pub challenge: bool,
    /// `--keep`: the changed trees are left for a look.
    pub keep: bool,
    /// `--again`: verdicts of earlier runs are not used.
    pub again: bool,
}

/// One consumer's workspace with its verdict.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The consumers that share the workspace, ordered.
    pub consumers: Vec<EntityRef>,
    /// The workspace's id.
    pub workspace: String,
    /// What was found; `None` where it was interrupted.
    pub verdict: Option<Verdict>,
    /// Where the changed tree was left.
    pub kept: Option<PathBuf>,
    /// Where accepted snapshots of it lie.
    pub accepted: PathBuf,
}

/// How one workspace is verified.
#[derive(Clone, Copy, Default)]
struct How<'a> {
    challenge: bool,
    keep: Option<&'a Path>,
    /// Whether an earlier verdict over the same will do.
    remember: bool,
}

impl<'a> Work<'a> {
    /// Ready to verify; what a killed run left in the scratch folder goes.
    pub(super) fn new(
        migration: &'a Migration,
        planned: &'a Planned,
        mode: Option<SandboxMode>,
        tell: &'a Tell<'a>,
    ) -> Result<Self, PipelineError> {
        let exe = std::env::current_exe().map_err(PipelineError::Program)?;
        let mut config = migration.sandbox.clone();
        config.mode = mode.unwrap_or(config.mode);
        let scratch = migration.state.join("scratch");
        files::make_folder(&scratch)?;
        // This run may verify nothing. What can't be removed is in nobody's way, and
        // the next run tries again.
        let _ = sandbox::sweep(&scratch);
        let timings = std::fs::read(timings_file(migration)).ok();
        Ok(Self {
            migration,
            planned,
            opted_out: opted_out(&planned.fleet),
            sql: sql(migration, planned, config.memory),
            sandbox: Sandbox::new(exe, &config, &scratch),
            pins: migration.state.join("pins"),
            making: Mutex::new(()),
            checked: Mutex::new(None),
            cache: Mutex::new(None),
            code_owners: Mutex::new(BTreeMap::new()),
            timings: Mutex::new(timings.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()),
            backs: Backs::new(migration, mode),
            tell,
        })
    }

    /// The folder that holds exactly the pinned bytes of a workspace. It outlives
    /// a delivery into the working tree.
    fn tree(&self, index: usize) -> Result<PathBuf, String> {
        let workspace = &self.planned.fleet.workspaces[index];
        let pin = self.planned.plan.workspaces[index].pin.as_ref().ok_or("the workspace is not pinned")?;
        // One at a time: two workspaces with the same bytes share a copy.
        let _making = self.making.lock().map_err(|_| "an earlier copy failed")?;
        let manifest = || self.planned.manifests[index].clone().ok_or("the workspace can't be read".to_owned());
        copy_of(&self.pins, workspace, pin, manifest)
    }

    /// Tests reverts.
    pub(super) fn backs(&self) -> &Backs<'a> {
        &self.backs
    }

    /// The pinned bytes of a path.
    pub(super) fn read(&self, index: usize, path: &str) -> Result<Vec<u8>, String> {
        let tree = self.tree(index)?;
        let content = files::read_below(&tree, path).map_err(|e| e.to_string())?;
        content.map(|c| c.bytes).ok_or_else(|| format!("{path} is not in the pinned tree"))
    }

    /// Why a workspace wants no change: what its owners wrote into [`OPT_OUT`], or into the
    /// catalog.
    pub(super) fn opted_out(&self, index: usize) -> Option<String> {
        if let Some(reason) = self.opted_out.get(&index) {
            return Some((*reason).clone());
        }
        let manifest = self.planned.manifests[index].as_ref()?;
        manifest.entries.get(OPT_OUT)?;
        // Of what is in place the tree is that of which it was made, which may not have it yet.
        let here = || {
            files::read_below(&self.planned.fleet.workspaces[index].root, OPT_OUT)
                .ok()
                .flatten()
                .map(|found| found.bytes)
        };
        let reason = self
            .read(index, OPT_OUT)
            .or_else(|why| here().ok_or(why))
            .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        let first = reason.unwrap_or_default().lines().next().unwrap_or_default().to_owned();
        Some(if first.is_empty() { "its owners say no more".to_owned() } else { first.chars().take(200).collect() })
    }

    /// Whom CODEOWNERS names for some paths of a workspace.
    pub(super) fn code_owners(&self, index: usize, paths: &[&str]) -> Vec<String> {
        let workspace = &self.planned.fleet.workspaces[index];
        let (Some(git), Some(Pin::Commit { commit, .. })) = (&workspace.git, &self.planned.plan.workspaces[index].pin)
        else {
            return Vec::new();
        };
        let key = (git.toplevel.clone(), commit.clone());
        let Ok(mut known) = self.code_owners.lock() else { return Vec::new() };
        let text = known.entry(key).or_insert_with(|| code_owners_of(&git.toplevel, commit)).clone();
        let Some(text) = text else { return Vec::new() };
        let full: Vec<String> = paths.iter().map(|path| below(&git.prefix, path)).collect();
        codeowners::owners(&text, full.iter().map(String::as_str)).into_iter().collect()
    }

    /// Verifies for a rollout.
    pub(super) fn verify(&self, wanted: &[ToVerify], may_begin: &MayBegin<'_>, take: &TakeVerdict<'_>) {
        let challenged = |wanted: &ToVerify| wanted.challenge || self.migration.verify.challenge;
        self.verify_each(
            wanted,
            |wanted| wanted.index,
            |wanted| {
                let how = How { challenge: challenged(wanted), ..How::default() };
                may_begin(wanted.index).then(|| self.verify_one(wanted.index, how))?.map(|(verdict, _)| verdict)
            },
            take,
        );
    }

    fn verify_each<T: Sync>(
        &self,
        items: &[T],
        index_of: impl Fn(&T) -> usize + Sync,
        verify_one: impl Fn(&T) -> Option<Verdict> + Sync,
        take: &TakeVerdict<'_>,
    ) {
        if !self.check() {
            return;
        }
        crate::interrupt::listen();
        let name = |item: &T| self.planned.fleet.workspaces[index_of(item)].id.clone();
        let job = |item: &T| {
            let name = name(item);
            let took = self.timings.lock().ok().and_then(|timings| timings.get(&name).copied());
            Job { name, took: took.map(Duration::from_millis) }
        };
        let jobs = verify::jobs_for(self.migration.sandbox.jobs, self.migration.sandbox.memory);
        verify::verify_all(
            items,
            jobs,
            job,
            verify_one,
            |at, verdict, took| {
                take(index_of(&items[at]), verdict.clone());
                let name = name(&items[at]);
                (self.tell)(Progress::Verified(&name, verdict));
                if let Ok(mut timings) = self.timings.lock() {
                    timings.insert(name, took.as_millis().try_into().unwrap_or(u64::MAX));
                }
            },
            |progress| (self.tell)(Progress::Verifying(progress)),
        );
        self.keep_timings();
    }

    /// Timings only put the longest first: where they can't be kept nothing is wrong.
    fn keep_timings(&self) {
        let text = self.timings.lock().ok().and_then(|timings| serde_json::to_vec_pretty(&*timings).ok());
        if let Some(text) = text {
            let _ = files::write_whole(&timings_file(self.migration), &text, false);
        }
    }

    fn check(&self) -> bool {
        let Ok(mut checked) = self.checked.lock() else { return false };
        let tried = checked.get_or_insert_with(|| {
            let promises = self.sandbox.check()?;
            let kept = promises.iter().filter(|promise| promise.state == PromiseState::Enforced);
            let enforced = kept.map(|promise| promise.name.to_owned()).collect();
            if let Ok(mut cache) = self.cache.lock() {
                let folder = self.migration.state.join("baselines");
                *cache = Some(std::sync::Arc::new(Cache::new(folder, self.sandbox.identity(), enforced)));
            }
            Ok(())
        });
        tried.is_ok()
    }

    /// The error where the machine does not isolate as required.
    pub(super) fn finish(self) -> Result<(), SandboxError> {
        self.checked.into_inner().ok().flatten().unwrap_or(Ok(()))
    }

    /// The verdict over one workspace; true where an earlier one was used.
    fn verify_one(&self, index: usize, how: How<'_>) -> Option<(Verdict, bool)> {
        let infra = |reason: String| Some((Verdict::without_runs(VerdictKind::Infra, reason), false));
        let tree = match self.tree(index) {
            Ok(tree) => tree,
            Err(reason) => return infra(reason),
        };
        let plan = &self.planned.plan.workspaces[index];
        let versions = match rollout::versions_of(plan, &|path| self.read(index, path)) {
            Ok(versions) => versions,
            Err(error) => return infra(error.to_string()),
        };
        let Some(manifest) = &self.planned.manifests[index] else { return infra("the workspace can't be read".into()) };
        let steps = verify::steps_for(manifest, &self.migration.verify);
        let (accepted, cache) = (self.accepted(index), self.cache.lock().ok().and_then(|cache| cache.clone()));
        let pin = plan.pin.as_ref().map(crate::workspace::Pin::key);
        let subject = Subject {
            tree: pin.as_deref(),
            files: &plan.files,
            declared: Some(&self.planned.declared),
            languages: &self.migration.languages,
            challenge: how.challenge,
            accepted: &accepted,
            cache: cache.as_deref(),
            keep: how.keep,
            sql: self.sql.as_ref().map(|sql| (sql, manifest)),
            ..Subject::new(&tree, &versions, &steps)
        };
        let key = cache.as_ref().zip(pin.as_deref()).and_then(|(cache, pin)| {
            let baseline = cache.key(pin, &steps)?;
            let about = (&self.planned.rules, versions.as_slice());
            let sql = self.sql.as_ref().map(Sql::identity);
            Some(verdict_key(&baseline, about, (how.challenge, sql), &accepted))
        });
        let known = cache.as_ref().zip(key).filter(|_| how.remember).and_then(|(cache, key)| cache.verdict(&key));
        if let Some(known) = known {
            return Some((known, true));
        }
        let verdict = verify::verify(&self.sandbox, &subject)?;
        if let Some((cache, key)) = cache.as_ref().zip(key) {
            // What is not kept is found again.
            let _ = cache.put_verdict(&key, &verdict);
        }
        Some((verdict, false))
    }

    fn accepted(&self, index: usize) -> Accepted {
        accepted::load(&self.accepted_folder(index))
    }

    fn accepted_folder(&self, index: usize) -> PathBuf {
        let id = &self.planned.fleet.workspaces[index].id;
        self.migration.state.join("snapshots").join(Digest::of(id.as_bytes()).short())
    }
}

/// The folder below `pins` that holds exactly the pinned bytes of a workspace, made where it is
/// not there yet.
pub(super) fn copy_of(
    pins: &Path,
    workspace: &Workspace,
    pin: &Pin,
    manifest: impl FnOnce() -> Result<Manifest, String>,
) -> Result<PathBuf, String> {
    let place = pins.join(pin.key());
    if place.is_dir() {
        return Ok(place);
    }
    let half = pins.join(format!("{}.half", pin.key()));
    files::remove_folder(&half).map_err(|e| e.to_string())?;
    files::make_folder(&half).map_err(|e| e.to_string())?;
    pin::materialise(workspace, pin, &manifest()?, &half).map_err(|e| e.to_string())?;
    files::settle_folder(&half, &place).map_err(|e| e.to_string())?;
    Ok(place)
}

/// How queries are compared, where the migration asks for it and has datasets.
/// The first reason of a workspace's consumers, where several opt out.
fn opted_out(fleet: &Fleet) -> BTreeMap<usize, &String> {
    let mut all = BTreeMap::new();
    for consumer in &fleet.consumers {
        if let (Source::Workspace(index), Some(why)) = (&consumer.source, fleet.opted_out.get(&consumer.entity)) {
            all.entry(*index).or_insert(why);
        }
    }
    all
}

fn sql(migration: &Migration, planned: &Planned, memory: u64) -> Option<Sql> {
    let (config, rules) = migration.verify.sql.as_ref().zip(planned.datasets.as_ref())?;
    let datasets = std::sync::Arc::new(rules.datasets.clone());
    Some(Sql::new(config, datasets, rules.dialects.clone(), sql_folder(migration), memory))
}

fn sql_folder(migration: &Migration) -> PathBuf {
    migration.state.join("sql")
}

/// Installs what `[verify.sql]` needs; returns where.
///
/// # Errors
/// There is nothing to install, or it can't be.
pub fn prepare(migration: &Migration) -> Result<PathBuf, PipelineError> {
    let config = migration.verify.sql.as_ref().ok_or(PipelineError::NothingToPrepare)?;
    Ok(verify::sql::prepare(config, &sql_folder(migration))?)
}

/// The CODEOWNERS of a commit; `None` where there is none that can be read.
fn code_owners_of(toplevel: &Path, commit: &str) -> Option<String> {
    let repository = Repository::open(toplevel).ok()?;
    let file = codeowners::PLACES.iter().find_map(|place| repository.file_at(commit, place).ok().flatten())?;
    (file.bytes.len() <= codeowners::LARGEST).then(|| String::from_utf8_lossy(&file.bytes).into_owned())
}

fn timings_file(migration: &Migration) -> PathBuf {
    migration.state.join("timings.json")
}

/// Names everything that a verdict rests on.
///
/// The rules are part of it, though the change is given: blame names them, and what lies
/// outside of what they declare is flagged.
fn verdict_key(
    baseline: &Digest,
    (rules, versions): (&Digest, &[FileVersion]),
    (challenge, sql): (bool, Option<Digest>),
    accepted: &Accepted,
) -> Digest {
    let mut key = DigestBuilder::new("gander.verified").field(baseline.as_bytes()).field(rules.as_bytes());
    key = key.field([u8::from(challenge)]);
    if let Some(sql) = sql {
        key = key.field(sql.as_bytes());
    }
    for version in versions {
        key = key.field(&version.path);
        for end in [&version.before, &version.after] {
            key = match end {
                Some(content) => key.field([1, u8::from(content.executable)]).field(&content.bytes),
                None => key.field([0]),
            };
        }
    }
    for ((step, name), content) in accepted {
        key = key.field(step).field(name).field(content);
    }
    key.finish()
}

/// Verifies consumers without a rollout: nothing is delivered, and what the rollout has
/// recorded stays as it is. A verdict that an earlier call found over exactly the same
/// is not found again.
///
/// # Errors
/// See [`PipelineError`]. Of what was interrupted, the verdicts that are there.
pub fn verify(
    migration: &Migration,
    options: &VerifyOptions,
    clock: &Clock,
    tell: &Tell<'_>,
) -> Result<Vec<Verified>, PipelineError> {
    super::load_rules(migration)?;
    let store = Store::open(&migration.state, clock)?;
    let planned =
        plan_over(migration, &Options::default(), (Some(&store), Fetching::Missing, Base::Here), clock, tell)?;
    all_known(&options.only, &planned.fleet)?;
    let work = Work::new(migration, &planned, options.sandbox, tell)?;
    let mut chosen: BTreeMap<usize, Vec<EntityRef>> = BTreeMap::new();
    for consumer in &planned.fleet.consumers {
        if let Source::Workspace(index) = consumer.source {
            chosen.entry(index).or_default().push(consumer.entity.clone());
        }
    }
    chosen.retain(|index, consumers| match options.only.is_empty() {
        true => !planned.plan.workspaces[*index].files.is_empty(),
        false => consumers.iter().any(|consumer| options.only.contains(consumer)),
    });
    let indices: Vec<usize> = chosen.keys().copied().collect();
    let place = |index: usize| {
        let first = chosen.get(&index).and_then(|consumers| consumers.first());
        options.keep.then(|| kept(migration, first.map_or("unnamed", EntityRef::as_str)))
    };
    let found: Mutex<BTreeMap<usize, Verdict>> = Mutex::new(BTreeMap::new());
    let challenge = options.challenge || migration.verify.challenge;
    let remember = !options.keep && !options.again;
    work.verify_each(
        &indices,
        |index| *index,
        |index| {
            let keep = place(*index);
            Some(work.verify_one(*index, How { challenge, keep: keep.as_deref(), remember })?.0)
        },
        &|index, verdict| {
            if let Ok(mut found) = found.lock() {
                found.insert(index, verdict);
            }
        },
    );
    let mut found = found.into_inner().unwrap_or_default();
    let verified = chosen
        .into_iter()
        .map(|(index, consumers)| Verified {
            workspace: planned.fleet.workspaces[index].id.clone(),
            verdict: found.remove(&index),
            kept: options
                .keep
                .then(|| kept(migration, consumers.first().map_or("unnamed", EntityRef::as_str)))
                .filter(|place| place.is_dir()),
            accepted: work.accepted_folder(index),
            consumers,
        })
        .collect();
    work.finish()?;
    Ok(verified)
}

/// Where the tree of a consumer is left for a look.
pub fn kept(migration: &Migration, consumer: &str) -> PathBuf {
    migration.state.join("kept").join(Digest::of(consumer.as_bytes()).short())
}

/// Enters the tree that was left of a consumer, in the sandbox that its steps ran in,
/// and runs `run` there.
///
/// # Errors
/// Where nothing was left, or the sandbox can't be entered.
pub fn enter(migration: &Migration, consumer: &EntityRef, run: &[String]) -> Result<StepEnd, PipelineError> {
    let place = kept(migration, consumer.as_str());
    if !place.is_dir() {
        return Err(PipelineError::NotKept(consumer.to_string()));
    }
    let exe = std::env::current_exe().map_err(PipelineError::Program)?;
    let scratch = migration.state.join("scratch");
    Ok(Sandbox::new(exe, &migration.sandbox, &scratch).enter(&place, run)?)
}
