//! Every workspace of a fleet, file by file, over all cores at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::file_edits::{self, Decided};
use super::memory::{Known, Memory};
use super::plan::{FileOutcome, FilePlan, Finding, FindingKind, Plan, SkipReason, Transformed, WorkspacePlan};
use super::{Fate, FileReport, facts, file, projects, skip};
use super::{dependencies, elsewhere};
use rayon::prelude::*;

use crate::config::{Dirty, Partial};
use crate::digest::{Digest, DigestBuilder};
use crate::index::{Answers, Index};
use crate::language;
use crate::pin::{Found, PinError, Wanted, contents_of};
use crate::rule::{Facts, RuleSet};
use crate::workspace::{Manifest, Mode, Pin, Workspace};

/// What the transform stage needs besides the code itself.
pub struct Request<'a> {
    /// The rules.
    pub rules: &'a RuleSet,
    /// Digest of everything that the rules were made of: their text, parameters, mappings.
    pub rules_digest: Digest,
    /// What a refused file does to the rest.
    pub partial: Partial,
    /// What to do about uncommitted changes.
    pub dirty: Dirty,
    /// Threads; `None` means as many as there are cores.
    pub threads: Option<usize>,
    /// What is remembered of contents; files that can't match are not read then.
    pub index: Option<&'a Index>,
    /// What came of files in earlier runs; those in which no other rules can match than then
    /// are not read either.
    pub answers: Option<&'a Answers>,
    /// Hears how many of all files are done, from any thread.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

/// A workspace and what is pinned of it.
pub struct Pinned<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// Its manifest and pin, or why it has none.
    pub content: Result<(Manifest, Pin), PinError>,
}

/// Rhai recurses; see the limits of `script`.
const STACK: usize = 16 << 20;

/// Makes the plan. Its workspaces are in the order of `pinned`; the result is the
/// same at any number of threads.
pub fn transform(request: &Request<'_>, pinned: &[Pinned<'_>]) -> Plan {
    let pool = rayon::ThreadPoolBuilder::new()
        .stack_size(STACK)
        .num_threads(request.threads.unwrap_or(0))
        .thread_name(|n| format!("transform-{n}"))
        .build();
    let workspaces = match pool {
        Ok(pool) => pool.install(|| all(request, pinned)),
        Err(_) => all(request, pinned),
    };
    let digest = plan_digest(request.rules_digest, request.partial, request.dirty, &workspaces);
    Plan { digest, workspaces }
}

/// The identity of a plan: a digest of everything that went in.
pub fn plan_digest(rules: Digest, partial: Partial, dirty: Dirty, workspaces: &[WorkspacePlan]) -> Digest {
    let mut digest = DigestBuilder::new("gander.plan")
        .field(env!("CARGO_PKG_VERSION"))
        .field(language::versions())
        .field(rules.as_bytes())
        .field(format!("{partial:?} {dirty:?}"));
    for workspace in workspaces {
        let key = workspace.pin.as_ref().map(Pin::key).unwrap_or_default();
        digest = digest.field(&workspace.id).field(key);
    }
    digest.finish()
}

/// A file that was read: its path, its digests where it changes, and its report.
pub(super) type Done = (String, Option<Digests>, FileReport);

/// A file before the change and after it.
#[derive(Clone, Copy)]
pub(super) struct Digests {
    pub(super) before: Digest,
    pub(super) after: Digest,
}

fn all(request: &Request<'_>, pinned: &[Pinned<'_>]) -> Vec<WorkspacePlan> {
    let mut skipped: Vec<BTreeMap<SkipReason, u64>> = Vec::new();
    let memory = Memory::new(request);
    // Workspaces that are read at all, by their index.
    let (mut indices, mut wanted, mut known, mut every) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, one) in pinned.iter().enumerate() {
        let mut counts = BTreeMap::new();
        if let Ok((manifest, pin)) = &one.content
            && !refuses_dirty(request, one.workspace)
        {
            let paths = candidates(request.rules, one.workspace, manifest, &mut counts);
            let (mut told, mut unknown): (Vec<Done>, Vec<&str>) = Default::default();
            let projects = projects::roots(request.rules, paths.iter().copied());
            every.push(paths.clone());
            for path in paths {
                // What becomes of a file of a project others say as well.
                let alone = projects::root_of(&projects, path).is_none();
                match if alone { memory.look(manifest, path) } else { Known::Nothing } {
                    Known::Nothing => unknown.push(path),
                    // What it uses of a dataset depends on the files beside it.
                    Known::Answer(_, report) if request.rules.datasets.is_some() && rests_on_others(path, &report) => {
                        unknown.push(path);
                    }
                    // As if it had been read: the plan does not depend on what is remembered.
                    Known::RuledOut => told.push((path.to_owned(), None, FileReport::without_literal())),
                    Known::Answer(digests, report) => told.push((path.to_owned(), digests, *report)),
                }
            }
            indices.push(index);
            known.push(told);
            wanted.push(Wanted { workspace: one.workspace, pin, manifest, paths: unknown });
        }
        skipped.push(counts);
    }
    let finished = AtomicUsize::new(0);
    let builds = dependencies::of(request.rules, &wanted);
    let spoken = elsewhere::of(request.rules, &wanted, &every);
    // What is remembered of a file says nothing of what others name.
    for ((told, wanted), spoken) in known.iter_mut().zip(&mut wanted).zip(&spoken) {
        let Some(spoken) = spoken else { continue };
        let again = |path: &str| spoken.opening().contains(path);
        told.retain(|(path, ..)| !again(path));
        let missing = spoken.opening().iter().map(String::as_str);
        let entries = &wanted.manifest.entries;
        let more: Vec<&str> = missing
            .filter(|path| !wanted.paths.contains(path))
            .filter_map(|path| entries.get_key_value(path))
            .map(|(path, _)| path.as_str())
            .collect();
        wanted.paths.extend(more);
        wanted.paths.sort_unstable();
    }
    let total: usize = wanted.iter().map(|w| w.paths.len()).sum();
    let beside = facts::beside(spoken, &builds);
    let facts = facts::of(request.rules, &wanted, &beside);
    let done: Vec<Mutex<Vec<Done>>> = wanted.iter().map(|w| Mutex::new(Vec::with_capacity(w.paths.len()))).collect();
    let read: Vec<Result<(), PinError>> = contents_of(&wanted, skip::MAX_BYTES, &|index, path, found| {
        let (digest, report) = match found {
            Found::TooLarge(size) => (None, too_large(path, size)),
            Found::Bytes(bytes) => look_at(request.rules, &facts[index], &memory, wanted[index].manifest, path, bytes),
        };
        done[index].lock().unwrap_or_else(PoisonError::into_inner).push((path.to_owned(), digest, report));
        (request.progress)(finished.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok(())
    });
    let mut reports: Vec<Vec<Done>> = Vec::new();
    for ((done, facts), told) in done.into_iter().zip(&facts).zip(known) {
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.extend(told.into_iter().map(|(path, digests, report)| match facts {
            Ok(_) => (path, digests, report),
            Err(_) => (path, None, FileReport::default()),
        }));
        if let Err(finding) = facts {
            let report = FileReport { findings: vec![finding.clone()], ..FileReport::default() };
            done.push((finding.path.clone(), None, report));
        }
        // Threads finish in any order; the plan has one.
        done.sort_by(|a, b| a.0.cmp(&b.0));
        reports.push(done);
    }
    let mut decided: Vec<Decided> = reports
        .par_iter_mut()
        .enumerate()
        .map(|(index, done)| decide(request.rules, &facts[index], &wanted[index], done))
        .collect();
    facts::check(request.rules, &wanted, &beside, &mut reports, &mut decided);
    for (builds, done) in builds.iter().zip(&mut reports) {
        builds.iter().for_each(|builds| dependencies::set(request.rules, builds, done));
        done.sort_by(|a, b| a.0.cmp(&b.0));
    }
    let mut results: BTreeMap<usize, Result<(Vec<Done>, Decided), PinError>> = BTreeMap::new();
    for (((index, done), decided), read) in indices.into_iter().zip(reports).zip(decided).zip(read) {
        results.insert(index, read.map(|()| (done, decided)));
    }
    let parts = pinned.iter().enumerate().zip(skipped);
    parts
        .map(|((index, one), counts)| {
            let done = results.remove(&index).unwrap_or_else(|| Ok(Default::default()));
            workspace_plan(request, one, done, counts)
        })
        .collect()
}

/// Whether what was remembered of a file may be other because of another file.
fn rests_on_others(path: &str, report: &FileReport) -> bool {
    elsewhere::is_spoken_of(path) && !report.findings.is_empty()
}

/// What comes of the bytes of a file, remembered or found out.
fn look_at(
    rules: &RuleSet,
    facts: &Result<Arc<Facts>, Finding>,
    memory: &Memory<'_>,
    manifest: &Manifest,
    path: &str,
    bytes: &[u8],
) -> (Option<Digests>, FileReport) {
    // What others say of a file, too, is not remembered, and is checked over the whole result.
    let alone = facts.as_ref().is_ok_and(|facts| facts.units_of(path).is_none() && facts.elsewhere(path).is_none());
    if let Some((digests, report)) = memory.look_into(manifest, path, bytes).filter(|_| alone) {
        memory.learn(manifest, path, bytes, None, &FileReport::without_literal());
        return (digests, report);
    }
    let mut report = match facts {
        Ok(facts) => file(rules, facts, path, bytes),
        Err(_) => FileReport::default(),
    };
    let touched = report.change.is_some() || report.fate != Fate::Stays;
    let digests = touched.then(|| {
        let before = Digest::of(bytes);
        Digests { before, after: report.change.as_ref().map_or(before, |change| Digest::of(&change.bytes)) }
    });
    if alone {
        memory.learn(manifest, path, bytes, digests.as_ref(), &report);
    }
    // Only what is collected over the result reads it once more.
    if let Some(change) = report.change.as_mut().filter(|_| alone && !rules.collects()) {
        change.bytes = Vec::new();
    }
    (digests, report)
}

/// What becomes of whole files, where rules ask for any.
fn decide(rules: &RuleSet, facts: &Result<Arc<Facts>, Finding>, wanted: &Wanted<'_>, done: &mut [Done]) -> Decided {
    let (Ok(facts), true) = (facts, done.iter().any(|(_, _, report)| report.moves_files())) else {
        return Decided::default();
    };
    let targets = file_edits::targets(done.iter().map(|(_, _, report)| report));
    let pinned = file_edits::Pinned::new(wanted, &targets);
    let mut reports: Vec<file_edits::Reported<'_>> =
        done.iter_mut().map(|(path, _, report)| (path.as_str(), report)).collect();
    file_edits::decide(rules, facts, &mut reports, &|path, from| pinned.lies(path, from))
}

fn refuses_dirty(request: &Request<'_>, workspace: &Workspace) -> bool {
    request.dirty == Dirty::Refuse && workspace.git.as_ref().is_some_and(|g| !g.dirty.is_empty())
}

/// The files that some rule could speak of, told from their paths; the others are counted.
fn candidates<'m>(
    rules: &RuleSet,
    workspace: &Workspace,
    manifest: &'m Manifest,
    counts: &mut BTreeMap<SkipReason, u64>,
) -> Vec<&'m str> {
    let mut paths = Vec::new();
    for (path, entry) in manifest.entries.iter().filter(|(path, _)| workspace.owns(path)) {
        let reason = match entry.mode {
            Mode::Symlink => Some(SkipReason::Symlink),
            Mode::Submodule => Some(SkipReason::Submodule),
            Mode::File | Mode::Executable => {
                // Datasets are looked for in every file.
                let spoken = rules.datasets.is_some() || rules.spoken_in(path).is_some();
                (!spoken).then_some(SkipReason::OtherLanguage)
            }
        };
        match reason {
            Some(reason) => *counts.entry(reason).or_default() += 1,
            None => paths.push(path.as_str()),
        }
    }
    // Of a name that can't be read its end can.
    let unreadable =
        manifest.unreadable.iter().filter(|path| rules.datasets.is_some() || rules.spoken_in(path.as_str()).is_some());
    let unreadable = unreadable.count() as u64;
    if unreadable > 0 {
        counts.insert(SkipReason::PathNotUtf8, unreadable);
    }
    paths
}

fn too_large(path: &str, size: u64) -> FileReport {
    let message = format!("{} MiB, more than the {} MiB that are searched", size >> 20, skip::MAX_BYTES >> 20);
    FileReport {
        skipped: Some(SkipReason::TooLarge),
        findings: vec![Finding {
            rule: "gander/left-alone".to_owned(),
            path: path.to_owned(),
            line: 0,
            column: 0,
            kind: FindingKind::Skipped,
            message,
            subject: None,
        }],
        ..FileReport::default()
    }
}

fn workspace_plan(
    request: &Request<'_>,
    one: &Pinned<'_>,
    done: Result<(Vec<Done>, Decided), PinError>,
    skipped: BTreeMap<SkipReason, u64>,
) -> WorkspacePlan {
    let mut plan = WorkspacePlan {
        id: one.workspace.id.clone(),
        pin: None,
        result: Transformed::Unchanged,
        files: Vec::new(),
        findings: Vec::new(),
        comments: Vec::new(),
        skipped,
        files_read: 0,
        files_parsed: 0,
    };
    let manifest = match &one.content {
        Ok((manifest, pin)) => {
            plan.pin = Some(pin.clone());
            manifest
        }
        Err(error) => {
            plan.result = Transformed::Errored(error.to_string());
            return plan;
        }
    };
    if refuses_dirty(request, one.workspace) {
        plan.result = Transformed::Refused(dirty_reason(one.workspace));
        return plan;
    }
    match done {
        Ok((done, decided)) => {
            done.into_iter().for_each(|(path, before, report)| add(&mut plan, manifest, &path, before, report));
            plan.files.extend(decided.new.into_iter().map(|(path, new)| FilePlan {
                path,
                before: None,
                mode: None,
                outcome: FileOutcome::Create { text: new.text, executable: false, rule: new.rule },
            }));
            plan.files.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Err(error) => {
            plan.result = Transformed::Errored(error.to_string());
            return plan;
        }
    }
    plan.result = summary(&mut plan, request.partial);
    plan
}

fn dirty_reason(workspace: &Workspace) -> String {
    let dirty = workspace.git.as_ref().map(|g| g.dirty.as_slice()).unwrap_or_default();
    let more = if dirty.len() > 1 { format!(" and {} more", dirty.len() - 1) } else { String::new() };
    let first = dirty.first().map_or("", String::as_str);
    format!("uncommitted changes: {first}{more}; commit or stash them, or set [consumers] dirty = \"pin\"")
}

fn add(plan: &mut WorkspacePlan, manifest: &Manifest, path: &str, digests: Option<Digests>, report: FileReport) {
    plan.files_read += u64::from(report.skipped != Some(SkipReason::TooLarge));
    plan.files_parsed += u64::from(report.parsed);
    if let Some(reason) = report.skipped {
        *plan.skipped.entry(reason).or_default() += 1;
    }
    plan.findings.extend(report.findings);
    if report.change.is_some() {
        plan.comments.extend(report.comments);
    }
    let outcome = match (report.fate, report.change, digests) {
        (Fate::Goes { rule }, ..) => FileOutcome::Delete { rule },
        (Fate::Moves { to, rule }, change, Some(Digests { after, .. })) => {
            let (edits, splices) = change.map(|change| (change.edits, change.splices)).unwrap_or_default();
            FileOutcome::Rename { to, edits, splices, after, rule }
        }
        (Fate::Stays, Some(change), Some(Digests { after, .. })) => {
            FileOutcome::Edit { edits: change.edits, splices: change.splices, after }
        }
        (Fate::Stays, None, _) | (Fate::Moves { .. } | Fate::Stays, _, None) => return,
    };
    let before = digests.map(|digests| digests.before);
    let mode = manifest.entries.get(path).map(|e| e.mode);
    plan.files.push(FilePlan { path: path.to_owned(), before, mode, outcome });
}

/// The one recorded fact about a workspace. A refusal withholds the whole change
/// set, unless the migration says otherwise; a failed rule always does.
fn summary(plan: &mut WorkspacePlan, partial: Partial) -> Transformed {
    let findings = &plan.findings;
    let reason = |kind: FindingKind| {
        let of = || findings.iter().filter(move |finding| finding.kind == kind);
        // Those that follow another one say less.
        let first = of().find(|finding| finding.follows().is_none()).or_else(|| of().next())?;
        Some(told(first, of().count()))
    };
    if let Some(reason) = reason(FindingKind::Errored) {
        plan.files.clear();
        plan.comments.clear();
        return Transformed::Errored(reason);
    }
    if let Some(reason) = reason(FindingKind::Refused) {
        if partial == Partial::Withhold || plan.files.is_empty() {
            plan.files.clear();
            plan.comments.clear();
            return Transformed::Refused(reason);
        }
        return Transformed::Annotated(format!("delivered in part: {reason}"));
    }
    if let Some(reason) = reason(FindingKind::Annotated) {
        return Transformed::Annotated(reason);
    }
    if plan.files.is_empty() { Transformed::Unchanged } else { Transformed::Changed }
}

fn told(first: &Finding, count: usize) -> String {
    let place = if first.line == 0 { first.path.clone() } else { format!("{}:{}", first.path, first.line) };
    let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
    format!("{place}: {}{more}", first.message)
}
