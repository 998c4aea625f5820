//! Every workspace of a fleet, file by file, over all cores at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::plan::{FileOutcome, FilePlan, Finding, FindingKind, Plan, SkipReason, Transformed, WorkspacePlan};
use super::{FileReport, facts, file, skip};
use crate::config::{Dirty, Partial};
use crate::digest::{Digest, DigestBuilder};
use crate::language;
use crate::pin::{Found, PinError, Wanted, contents_of};
use crate::rule::RuleSet;
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
    let mut digest = DigestBuilder::new("gander.plan")
        .field(env!("CARGO_PKG_VERSION"))
        .field(language::versions())
        .field(request.rules_digest.as_bytes())
        .field(format!("{:?} {:?}", request.partial, request.dirty));
    for workspace in &workspaces {
        let key = workspace.pin.as_ref().map(Pin::key).unwrap_or_default();
        digest = digest.field(&workspace.id).field(key);
    }
    Plan { digest: digest.finish(), workspaces }
}

/// A file that was read: its path, its digest where it changes, and its report.
pub(super) type Done = (String, Option<Digest>, FileReport);

fn all(request: &Request<'_>, pinned: &[Pinned<'_>]) -> Vec<WorkspacePlan> {
    let mut skipped: Vec<BTreeMap<SkipReason, u64>> = Vec::new();
    // Workspaces that are read at all, by their index.
    let (mut indices, mut wanted) = (Vec::new(), Vec::new());
    for (index, one) in pinned.iter().enumerate() {
        let mut counts = BTreeMap::new();
        if let Ok((manifest, pin)) = &one.content
            && !refuses_dirty(request, one.workspace)
        {
            let paths = candidates(request.rules, one.workspace, manifest, &mut counts);
            indices.push(index);
            wanted.push(Wanted { workspace: one.workspace, pin, manifest, paths });
        }
        skipped.push(counts);
    }
    let total: usize = wanted.iter().map(|w| w.paths.len()).sum();
    let finished = AtomicUsize::new(0);
    let facts = facts::of(request.rules, &wanted);
    let done: Vec<Mutex<Vec<Done>>> = wanted.iter().map(|_| Mutex::default()).collect();
    let read: Vec<Result<(), PinError>> = contents_of(&wanted, skip::MAX_BYTES, &|index, path, found| {
        let (digest, report) = match found {
            Found::TooLarge(size) => (None, too_large(path, size)),
            Found::Bytes(bytes) => {
                let report = match &facts[index] {
                    Ok(facts) => file(request.rules, facts, path, bytes),
                    Err(_) => FileReport::default(),
                };
                (report.change.is_some().then(|| Digest::of(bytes)), report)
            }
        };
        done[index].lock().unwrap_or_else(PoisonError::into_inner).push((path.to_owned(), digest, report));
        (request.progress)(finished.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok(())
    });
    let mut reports: Vec<Vec<Done>> = Vec::new();
    for (done, facts) in done.into_iter().zip(&facts) {
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Err(finding) = facts {
            let report = FileReport { findings: vec![finding.clone()], ..FileReport::default() };
            done.push((finding.path.clone(), None, report));
        }
        // Threads finish in any order; the plan has one.
        done.sort_by(|a, b| a.0.cmp(&b.0));
        reports.push(done);
    }
    facts::check(request.rules, &wanted, &mut reports);
    let mut results: BTreeMap<usize, Result<Vec<Done>, PinError>> = BTreeMap::new();
    for ((index, done), read) in indices.into_iter().zip(reports).zip(read) {
        results.insert(index, read.map(|()| done));
    }
    let parts = pinned.iter().enumerate().zip(skipped);
    parts
        .map(|((index, one), counts)| {
            let done = results.remove(&index).unwrap_or(Ok(Vec::new()));
            workspace_plan(request, one, done, counts)
        })
        .collect()
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
                let spoken = language::of_path(std::path::Path::new(path)).is_some_and(|l| rules.speaks(l));
                (!spoken).then_some(SkipReason::OtherLanguage)
            }
        };
        match reason {
            Some(reason) => *counts.entry(reason).or_default() += 1,
            None => paths.push(path.as_str()),
        }
    }
    if !manifest.unreadable.is_empty() {
        counts.insert(SkipReason::PathNotUtf8, manifest.unreadable.len() as u64);
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
        }],
        ..FileReport::default()
    }
}

fn workspace_plan(
    request: &Request<'_>,
    one: &Pinned<'_>,
    done: Result<Vec<Done>, PinError>,
    skipped: BTreeMap<SkipReason, u64>,
) -> WorkspacePlan {
    let mut plan = WorkspacePlan {
        id: one.workspace.id.clone(),
        pin: None,
        result: Transformed::Unchanged,
        files: Vec::new(),
        findings: Vec::new(),
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
        Ok(done) => done.into_iter().for_each(|(path, before, report)| add(&mut plan, manifest, &path, before, report)),
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

fn add(plan: &mut WorkspacePlan, manifest: &Manifest, path: &str, before: Option<Digest>, report: FileReport) {
    plan.files_read += u64::from(report.skipped != Some(SkipReason::TooLarge));
    plan.files_parsed += u64::from(report.parsed);
    if let Some(reason) = report.skipped {
        *plan.skipped.entry(reason).or_default() += 1;
    }
    plan.findings.extend(report.findings);
    if let Some(change) = report.change {
        let after = Digest::of(&change.bytes);
        let outcome = FileOutcome::Edit { edits: change.edits, splices: change.splices, after };
        let mode = manifest.entries.get(path).map(|e| e.mode);
        plan.files.push(FilePlan { path: path.to_owned(), before, mode, outcome });
    }
}

/// The one recorded fact about a workspace. A refusal withholds the whole change
/// set, unless the migration says otherwise; a failed rule always does.
fn summary(plan: &mut WorkspacePlan, partial: Partial) -> Transformed {
    let of = |kind: FindingKind| plan.findings.iter().filter(move |f| f.kind == kind);
    if let Some(first) = of(FindingKind::Errored).next() {
        let reason = told(first, of(FindingKind::Errored).count());
        plan.files.clear();
        return Transformed::Errored(reason);
    }
    if let Some(first) = of(FindingKind::Refused).next() {
        let reason = told(first, of(FindingKind::Refused).count());
        if partial == Partial::Withhold || plan.files.is_empty() {
            plan.files.clear();
            return Transformed::Refused(reason);
        }
        return Transformed::Annotated(format!("delivered in part: {reason}"));
    }
    if let Some(first) = of(FindingKind::Annotated).next() {
        return Transformed::Annotated(told(first, of(FindingKind::Annotated).count()));
    }
    if plan.files.is_empty() { Transformed::Unchanged } else { Transformed::Changed }
}

fn told(first: &Finding, count: usize) -> String {
    let place = if first.line == 0 { first.path.clone() } else { format!("{}:{}", first.path, first.line) };
    let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
    format!("{place}: {}{more}", first.message)
}
