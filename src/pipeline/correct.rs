//! Corrections: owners have merged what a rule made, and the rule is another one by now. What
//! leads from the old result to the new one is carried over to the code that is there now,
//! as a plan like any other.
//!
//! Must not: deliver, or decide whether a correction is wanted.

use std::collections::BTreeMap;

use super::PipelineError;
use super::planning::with_pin;
use crate::config::Delivery;
use crate::git::{GitError, Repository, merge_contents};
use crate::pin;
use crate::rollout;
use crate::state::{DeliveryRecord, DeliveryState, Store};
use crate::transform::{self, FileOutcome, FilePlan, Finding, FindingKind, Pinned, Plan, Transformed, WorkspacePlan};
use crate::workspace::{Content, FileVersion, Fleet, GitPlace, Pin, Workspace, below};

/// Whose correction is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Those of which one is out already.
    Begun,
    /// And all who have merged something.
    Everybody,
}

/// What came of looking for a correction.
#[derive(Clone, Debug)]
pub(super) enum Correction {
    /// What was merged is what the rules make.
    Right,
    /// What has to become of the code that is there now.
    Needed(Box<WorkspacePlan>),
    /// It is not what the rules make, and why that can't be mended.
    Stuck(String),
}

/// A workspace of which something was merged.
struct Subject {
    index: usize,
    /// As it was when the first change set was made.
    then: Workspace,
    /// What all that was merged has made of it, by path: before and after.
    made: BTreeMap<String, (Option<Content>, Option<Content>)>,
    /// The rule that each file was changed by.
    rules: BTreeMap<String, String>,
}

type Optional = Option<Content>;

/// Runs rules over workspaces as they were; the composition knows with which.
pub(super) type Again<'a> = dyn Fn(&[Pinned<'_>]) -> Result<Plan, PipelineError> + 'a;

/// Looks for corrections, by the indices of their workspaces.
///
/// # Errors
/// Where the state can't be read.
pub(super) fn look(
    store: &Store,
    fleet: &Fleet,
    whose: Whose,
    again: &Again<'_>,
) -> Result<BTreeMap<usize, Correction>, PipelineError> {
    let deliveries = store.deliveries()?;
    let merged: Vec<(usize, &DeliveryRecord)> = fleet
        .workspaces
        .iter()
        .enumerate()
        .filter_map(|(index, workspace)| Some((index, deliveries.get(&workspace.id)?)))
        .filter(|(_, record)| is_asked(record, whose))
        .collect();
    let mut found = BTreeMap::new();
    if merged.is_empty() {
        return Ok(found);
    }
    let recorded = store.workspaces::<WorkspacePlan>()?;
    let mut subjects = Vec::new();
    for (index, record) in merged {
        let workspace = &fleet.workspaces[index];
        // What is not committed is planned over what was committed before it.
        if is_in_folder(record) && !rollout::is_committed(store, workspace, record)? {
            continue;
        }
        let known = recorded.get(&workspace.id);
        let pin = known.and_then(|known| known.pin.clone());
        match subject(store, (index, workspace), record, pin)? {
            Ok(mut subject) => {
                subject.rules = known.map(|known| rules_of(&known.plan)).unwrap_or_default();
                subjects.push(subject);
            }
            Err(why) => drop(found.insert(index, Correction::Stuck(why))),
        }
    }
    let manifests: Vec<_> = subjects.iter().map(|subject| pin::manifest(&subject.then)).collect();
    let kept: Vec<_> = manifests.iter().map(|manifest| manifest.as_ref().ok().cloned()).collect();
    let pinned: Vec<Pinned<'_>> = subjects
        .iter()
        .zip(manifests)
        .map(|(subject, manifest)| Pinned {
            workspace: &subject.then,
            content: manifest.map(|manifest| with_pin(&subject.then, manifest)),
        })
        .collect();
    let plan = again(&pinned)?;
    for ((subject, manifest), wanted) in subjects.iter().zip(&kept).zip(&plan.workspaces) {
        let now = &fleet.workspaces[subject.index];
        let manifest = manifest.as_ref().ok_or("the code that it was made of can't be read any more");
        let correction = manifest.map_err(str::to_owned).and_then(|manifest| {
            let versions = match &wanted.result {
                Transformed::Refused(why) | Transformed::Errored(why) => return Err(why.clone()),
                _ => crate::rollout::ends(&subject.then, manifest, wanted)?,
            };
            match carry(subject, now, wanted, &versions)? {
                Correction::Needed(_) if deliveries.get(&now.id).is_some_and(is_in_folder) => Err(IN_FOLDER.to_owned()),
                correction => Ok(correction),
            }
        });
        found.insert(subject.index, correction.unwrap_or_else(Correction::Stuck));
    }
    Ok(found)
}

/// Whether a correction of it was begun: it is out, on its way, or kept back.
pub(super) fn is_begun(record: &DeliveryRecord) -> bool {
    (record.merged.is_none() && record.over.is_some())
        || record.state == DeliveryState::Superseded
        || record.correction.is_some()
}

fn is_asked(record: &DeliveryRecord, whose: Whose) -> bool {
    let branches = matches!(record.how, Delivery::Branch | Delivery::Push);
    match (&record.merged, &record.over) {
        (Some(_), _) if is_begun(record) => branches,
        (Some(_), _) => branches && whose == Whose::Everybody && record.state == DeliveryState::Delivered,
        // One that is out goes on being what it is about.
        (None, Some(_)) => branches && !matches!(record.state, DeliveryState::RolledBack | DeliveryState::RollingBack),
        (None, None) => !branches && whose == Whose::Everybody && record.state == DeliveryState::Delivered,
    }
}

/// Whether it is one of files in a folder, of which there is no branch that a correction could be over.
pub(super) fn is_in_folder(record: &DeliveryRecord) -> bool {
    matches!(record.how, Delivery::Checkout | Delivery::Patches)
}

/// Why such a one is not corrected.
const IN_FOLDER: &str = "it is in its owner's files: have it taken back with `gander rollback --consumer`, and that \
                         committed; then `gander retry` makes it by the rules as they are now";

/// All that was merged of a workspace, or why nobody can tell.
fn subject(
    store: &Store,
    (index, workspace): (usize, &Workspace),
    record: &DeliveryRecord,
    pinned: Option<Pin>,
) -> Result<Result<Subject, String>, PipelineError> {
    let mut chain: Vec<&DeliveryRecord> = std::iter::successors(Some(record), |one| one.over.as_deref()).collect();
    chain.retain(|one| one.merged.is_some() || is_in_folder(one));
    chain.reverse();
    let first = chain.first().and_then(|one| one.pin.clone());
    // A state of an older gander has it with the workspace alone.
    let Some(Pin::Commit { commit, tree }) = first.or(pinned) else {
        return Ok(Err("what it was made of was no commit".to_owned()));
    };
    let Some(git) = &workspace.git else { return Ok(Err("it is in no git repository any more".to_owned())) };
    let mut made: BTreeMap<String, (Optional, Optional)> = BTreeMap::new();
    for one in chain {
        for version in store.versions_of(&workspace.id, &one.change_id)? {
            let Some((_, after)) = made.get_mut(&version.path) else {
                made.insert(version.path, (version.before, version.after));
                continue;
            };
            match merge_contents(after.as_ref(), version.before.as_ref(), version.after.as_ref()) {
                Ok(Some(merged)) => *after = merged,
                _ => return Ok(Err(format!("what was merged of {} is in pieces", version.path))),
            }
        }
    }
    let git = GitPlace { commit, tree, dirty: Vec::new(), ..git.clone() };
    let then = Workspace { git: Some(git), ..workspace.clone() };
    Ok(Ok(Subject { index, then, made, rules: BTreeMap::new() }))
}

/// Carries the way from what was made to what is wanted over to the present code.
fn carry(
    subject: &Subject,
    now: &Workspace,
    wanted: &WorkspacePlan,
    versions: &[FileVersion],
) -> Result<Correction, String> {
    let git = now.git.as_ref().ok_or("it is in no git repository any more")?;
    let said = |error: GitError| error.to_string();
    let repository = Repository::open(&git.toplevel).map_err(said)?;
    let wanted_of = rules_of(wanted);
    let mut ways: BTreeMap<&str, (Optional, Optional)> = BTreeMap::new();
    for (path, (before, after)) in &subject.made {
        ways.insert(path, (after.clone(), before.clone()));
    }
    for version in versions {
        let way = ways.entry(&version.path).or_insert_with(|| (version.before.clone(), None));
        way.1.clone_from(&version.after);
    }
    let (mut files, mut stuck) = (Vec::new(), Vec::new());
    for (path, (made, wanted)) in ways.iter().filter(|(_, (made, wanted))| made != wanted) {
        let full = below(&git.prefix, path);
        let present = repository.file_at(&git.commit, &full).map_err(said)?;
        match merge_contents(present.as_ref(), made.as_ref(), wanted.as_ref()).map_err(said)? {
            None => stuck.push((*path, present.is_none())),
            Some(becomes) if becomes == present => {}
            Some(becomes) => {
                let rule = wanted_of.get(*path).or_else(|| subject.rules.get(*path));
                let rule = rule.map_or("correct", String::as_str);
                files.push(transform::file_plan(path, present.as_ref(), becomes.as_ref(), rule)?);
            }
        }
    }
    if !stuck.is_empty() {
        return Err(rollout::changed_since(&stuck));
    }
    if files.is_empty() {
        return Ok(Correction::Right);
    }
    let findings = files.iter().map(|file: &FilePlan| mapped(file)).collect();
    let result = match &wanted.result {
        left @ Transformed::Annotated(_) => left.clone(),
        _ => Transformed::Changed,
    };
    let pin = Some(Pin::Commit { commit: git.commit.clone(), tree: git.tree.clone() });
    Ok(Correction::Needed(Box::new(WorkspacePlan { pin, result, files, findings, ..wanted.clone() })))
}

fn mapped(file: &FilePlan) -> Finding {
    let rule = rule_of(file).unwrap_or_default().to_owned();
    Finding {
        rule,
        path: file.path.clone(),
        line: 0,
        column: 0,
        kind: FindingKind::Mapped,
        message: "what an earlier rule made of it, and was merged, is corrected".to_owned(),
        subject: None,
    }
}

/// The rule that each file is changed by.
fn rules_of(plan: &WorkspacePlan) -> BTreeMap<String, String> {
    plan.files.iter().filter_map(|file| Some((file.path.clone(), rule_of(file)?.to_owned()))).collect()
}

fn rule_of(file: &FilePlan) -> Option<&str> {
    match &file.outcome {
        FileOutcome::Edit { edits, .. } => edits.first().map(|edit| edit.rule.as_str()),
        FileOutcome::Create { rule, .. }
        | FileOutcome::Delete { rule }
        | FileOutcome::Rename { rule, .. }
        | FileOutcome::SetExecutable { rule, .. } => Some(rule),
    }
}
