//! One case: the rules over a folder, as the transform stage runs them over a
//! consumer, and the result as text.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Case, TestError};
use crate::config::{Dirty, Partial};
use crate::digest::Digest;
use crate::discover::{self, Identity};
use crate::pin;
use crate::rollout;
use crate::rule::RuleSet;
use crate::script::Inputs;
use crate::transform::{Finding, FindingKind, Pinned, Request, SkipReason, Transformed, WorkspacePlan, transform};
use crate::workspace::{Manifest, Pin, Workspace};

/// The code of a case, named by its bytes.
pub(super) struct Input {
    workspace: Workspace,
    manifest: Manifest,
    pin: Pin,
}

impl Input {
    /// Changes with every byte of the code.
    pub(super) fn key(&self) -> String {
        self.pin.key()
    }
}

/// Reads what there is to change.
pub(super) fn read(case: &Case) -> Result<Input, TestError> {
    let unreadable = |why: String| TestError::Unreadable { path: case.folder.clone(), why };
    let root = case.folder.canonicalize().map_err(|e| unreadable(e.to_string()))?;
    let workspace = Workspace { id: case.name.clone(), root, git: None, without: Vec::new(), origin: None };
    let manifest = pin::manifest(&workspace).map_err(|e| unreadable(e.to_string()))?;
    if manifest.entries.is_empty() {
        return Err(TestError::NoInput(case.folder.clone()));
    }
    let pin = pin::pin_of(&workspace, &manifest);
    Ok(Input { workspace, manifest, pin })
}

/// What became of a case.
pub(super) struct Became {
    /// The snapshot's text.
    pub(super) text: String,
    /// Whether nothing changes, and nobody has to look.
    pub(super) unchanged: bool,
}

/// Runs the rules over a case.
pub(super) fn run(rules: &RuleSet, case: &Case, input: Input, partial: Partial) -> Result<Became, TestError> {
    let unreadable = |why: String| TestError::Unreadable { path: case.folder.clone(), why };
    let Input { workspace, manifest, pin } = input;
    let request = Request {
        rules,
        rules_digest: Digest::of(&[]),
        partial,
        dirty: Dirty::Refuse,
        threads: Some(1),
        index: None,
        answers: None,
        progress: &|_, _| {},
    };
    let pinned = [Pinned { workspace: &workspace, content: Ok((manifest.clone(), pin)) }];
    let plan = transform(&request, &pinned);
    let plan = plan.workspaces.first().ok_or_else(|| unreadable("no plan was made of it".to_owned()))?;
    let patch = rollout::patch(&workspace, &manifest, plan).map_err(unreadable)?;
    let identity = discover::identify(&workspace.root).map_err(unreadable)?;
    let noted = plan.findings.iter().any(|f| f.kind != FindingKind::Skipped);
    let unchanged = plan.result == Transformed::Unchanged && !noted;
    Ok(Became { text: told(identity.as_ref(), plan, &patch), unchanged })
}

/// Ledger, findings, and the diff.
fn told(identity: Option<&Identity>, plan: &WorkspacePlan, patch: &str) -> String {
    let mut out = String::new();
    if let Some(identity) = identity {
        let owner = identity.owner.as_ref().map_or(String::new(), |owner| format!(", of {owner}"));
        let _ = writeln!(out, "{}{owner}", identity.entity);
    }
    let _ = match &plan.result {
        Transformed::Changed => writeln!(out, "changed"),
        Transformed::Unchanged => writeln!(out, "unchanged"),
        Transformed::Annotated(why) => writeln!(out, "annotated: {why}"),
        Transformed::Refused(why) => writeln!(out, "refused: {why}"),
        Transformed::Errored(why) => writeln!(out, "errored: {why}"),
    };
    if !plan.findings.is_empty() {
        out.push('\n');
    }
    plan.findings.iter().for_each(|finding| line(&mut out, finding));
    let mut alone: BTreeMap<SkipReason, u64> = plan.skipped.clone();
    alone.retain(|reason, _| !matches!(reason, SkipReason::OtherLanguage | SkipReason::NoLiteral));
    for (reason, count) in alone {
        let _ = writeln!(out, "left alone: {count} {}", reason.words());
    }
    if !patch.is_empty() {
        // A snapshot is lines of text: what ends them in the code is shown.
        let _ = write!(out, "\n{}", patch.replace('\r', "␍"));
    }
    out
}

fn line(out: &mut String, finding: &Finding) {
    let Finding { rule, path, line, column, kind, message, subject, .. } = finding;
    let word = match kind {
        FindingKind::Mapped => "mapped",
        FindingKind::Annotated => "annotated",
        FindingKind::Refused => "refused",
        FindingKind::Skipped => "skipped",
        FindingKind::Errored => "errored",
    };
    let place = if *line == 0 { path.clone() } else { format!("{path}:{line}:{column}") };
    let message = if message.is_empty() { String::new() } else { format!(": {}", message.replace('\n', "\n    ")) };
    let of = subject.as_ref().map_or(String::new(), |subject| format!(" {} ({})", subject.name, subject.position));
    let _ = writeln!(out, "{place}:{of} {word} by {rule}{message}");
}

/// Changes with everything that rules read besides code.
pub(super) fn inputs_key(inputs: &Inputs) -> String {
    let Inputs { parameters, mappings, guide, languages, datasets, order, .. } = inputs;
    let datasets = datasets.as_ref().map(|datasets| datasets.identity);
    format!("{parameters} {mappings:?} {guide:?} {datasets:?} {} {order:?}", languages.said())
}
