//! Stage 2½: a [`WorkspacePlan`] → the same plan, laid out by the formatters that the migration names.
//!
//! They run in the sandbox, over the workspace with its change. Of what they make of a file only what lies on
//! lines that the change wrote is taken (`within`), and only where the code stays the same (`same`): a person
//! who asked for a migration gets no second change in it.
//!
//! Must not: take anything else that a formatter does, write a file, or know what a formatter is called.

mod same;
mod within;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::{Formatter, Step};
use crate::digest::Digest;
use crate::edit::{self, Splice};
use crate::language::FileLanguages;
use crate::sandbox::{Job, Sandbox, SandboxError, StepEnd};
use crate::transform::{FileOutcome, Finding, FindingKind, Transformed, WorkspacePlan};
use crate::tree::parse;
use crate::workspace::{FileVersion, Manifest};

/// The most files that one call of a formatter is given: argument vectors have an end.
const MOST_FILES: usize = 200;
/// The rule that findings name.
const RULE: &str = "gander/format";

/// A call of a formatter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// How it is run; its `results` name the files.
    step: Step,
    /// The files that it is given.
    files: Vec<String>,
    /// Whether it needs what fetch steps bring.
    fetched: bool,
}

/// What is laid out: the pinned bytes of a workspace, and its change.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// A folder that holds exactly the pinned bytes; it is only read.
    pub tree: &'a Path,
    /// Every file that changes.
    pub versions: &'a [FileVersion],
    /// The fetch steps of the workspace.
    pub fetches: &'a [Step],
}

/// What formatters made of the files of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// The files that they changed, by path.
    made: BTreeMap<String, String>,
    /// Why files were not laid out, by path.
    failed: BTreeMap<String, String>,
}

/// Why formatters could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The sandbox can't be used, or was interrupted.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The machine failed, not the code: for people.
    #[error("{0}")]
    Machine(String),
}

/// The calls that lay out what `versions` change, in the order of the migration.
pub fn calls(
    formatters: &[Formatter],
    manifest: &Manifest,
    versions: &[FileVersion],
    languages: &FileLanguages,
) -> Vec<Call> {
    let mut calls = Vec::new();
    for formatter in formatters {
        if !formatter.when.as_deref().is_none_or(|path| manifest.holds(path)) {
            continue;
        }
        let spoken =
            |path: &str| languages.of(path).is_some_and(|language| formatter.languages.contains(&language.facts.name));
        let changed = versions.iter().filter(|version| version.before != version.after && version.after.is_some());
        let files: Vec<String> = changed.map(|version| version.path.clone()).filter(|path| spoken(path)).collect();
        calls.extend(files.chunks(MOST_FILES).map(|files| call(formatter, files)));
    }
    calls
}

fn call(formatter: &Formatter, files: &[String]) -> Call {
    // A name like `-x` is a file, not an option.
    let given = |path: &String| if path.starts_with('-') { format!("./{path}") } else { path.clone() };
    let argument = |argument: &String| match argument == Formatter::FILES {
        true => files.iter().map(given).collect(),
        false => vec![argument.clone()],
    };
    let step = Step {
        name: formatter.name.clone(),
        run: formatter.run.iter().flat_map(argument).collect(),
        timeout: formatter.timeout,
        results: files.iter().map(|path| globset::escape(path)).collect(),
        ..Step::default()
    };
    Call { step, files: files.to_vec(), fetched: formatter.fetched }
}

/// Whether any of the calls needs what fetch steps bring.
pub fn need_fetching(calls: &[Call]) -> bool {
    calls.iter().any(|call| call.fetched)
}

/// Runs `calls` one after the other over a workspace with its change.
///
/// # Errors
/// A formatter that ends with another code than 0 is an answer; one that is not there, that runs into a limit, or
/// whose fetch steps are red, is an error.
pub fn run(sandbox: &Sandbox, subject: Subject<'_>, calls: &[Call]) -> Result<Ran, FormatError> {
    let steps: Vec<Step> = calls.iter().map(|call| call.step.clone()).collect();
    let Subject { tree: pinned_tree, versions: changes, fetches } = subject;
    let job = Job { pinned_tree, changes, steps: &steps, fetched: None, keep: None };
    let fetched = match need_fetching(calls) {
        true => Some(sandbox.fetch(&Job { steps: fetches, ..job })?),
        false => None,
    };
    let red = fetched.iter().flat_map(|fetched| &fetched.steps).find(|step| step.end != StepEnd::Exited(0));
    if let Some(step) = red {
        let why = format!("what formatters need can't be fetched: step `{}`: {}", step.name, step.end);
        return Err(FormatError::Machine(why));
    }
    let mut side = sandbox.run(&Job { fetched: fetched.as_ref(), ..job })?;
    let mut ran = Ran::default();
    for (at, call) in calls.iter().enumerate() {
        let name = &call.step.name;
        let Some(result) = side.steps.get(at) else {
            return Err(FormatError::Machine(format!("the formatter `{name}` was not run")));
        };
        match &result.end {
            StepEnd::Exited(0) => {
                let left = side.left.get_mut(at).map(|left| std::mem::take(&mut left.files)).unwrap_or_default();
                for (path, bytes) in left {
                    match String::from_utf8(bytes) {
                        Ok(text) => drop(ran.made.insert(path, text)),
                        Err(_) => {
                            drop(ran.failed.insert(path, format!("`{name}` made something of it that is no UTF-8")))
                        }
                    }
                }
            }
            StepEnd::MissingProgram(program) => {
                return Err(FormatError::Machine(format!(
                    "the formatter `{name}` can't be run: `{program}` is not installed; install it where gander runs, \
                     or take its [[format]] out of the migration"
                )));
            }
            end if end.is_infra() => {
                return Err(FormatError::Machine(format!("the formatter `{name}` could not do its work: {end}")));
            }
            end => {
                let said = result.output.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
                let said: String = said.chars().take(200).collect();
                let said = if said.is_empty() { said } else { format!(": {said}") };
                let why = format!("`{name}` did not lay this out ({end}){said}");
                ran.failed.extend(call.files.iter().map(|path| (path.clone(), why.clone())));
            }
        }
    }
    // What failed once is not half laid out.
    ran.made.retain(|path, _| !ran.failed.contains_key(path));
    Ok(ran)
}

/// Takes into `plan` what formatters made on the lines that it writes. What can't be taken is left as the rules
/// made it, and to a person.
pub fn take(plan: &mut WorkspacePlan, versions: &[FileVersion], ran: &Ran, languages: &FileLanguages) {
    let mut left: Vec<(String, String)> = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for file in &mut plan.files {
        let path = match &file.outcome {
            FileOutcome::Rename { to, .. } => to.clone(),
            _ => file.path.clone(),
        };
        let Some(version) = versions.iter().find(|version| version.path == path) else { continue };
        known.insert(&version.path);
        if let Some(why) = ran.failed.get(&path) {
            left.push((path, why.clone()));
        } else if let Some(made) = ran.made.get(&path)
            && let Err(why) = lay_out(&mut file.outcome, version, made, languages)
        {
            left.push((path, why));
        }
    }
    for (path, why) in left {
        let kind = FindingKind::Annotated;
        let message = format!("{why}: lay it out by hand");
        if plan.result == Transformed::Changed {
            plan.result = Transformed::Annotated(format!("{path}: {message}"));
        }
        plan.findings.push(Finding { rule: RULE.to_owned(), path, line: 0, column: 0, kind, message, subject: None });
    }
    plan.findings.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
}

/// Puts into `outcome` what of `made` lies within what it writes.
fn lay_out(
    outcome: &mut FileOutcome,
    version: &FileVersion,
    made: &str,
    languages: &FileLanguages,
) -> Result<(), String> {
    let text = |content: &Option<crate::workspace::Content>| {
        content.as_ref().map(|content| String::from_utf8(content.bytes.clone())).transpose().ok().flatten()
    };
    let Some(edited) = text(&version.after) else { return Ok(()) };
    let whole = [Splice { range: 0..0, text: edited.clone() }];
    let first = match &*outcome {
        FileOutcome::Edit { splices, .. } | FileOutcome::Rename { splices, .. } => splices.as_slice(),
        FileOutcome::Create { .. } => &whole,
        FileOutcome::Delete { .. } | FileOutcome::SetExecutable { .. } => return Ok(()),
    };
    let second = within::taken(&edited, first, made);
    let new = edit::apply(&edited, &second);
    if new == edited {
        return Ok(());
    }
    let same = languages.of(&version.path).map(|language| {
        let tree = |text: &str| parse(language, text.strip_prefix('\u{feff}').unwrap_or(text));
        matches!((tree(&edited), tree(&new)), (Ok(old), Ok(new)) if same::same_code(&old, &new))
    });
    if same != Some(true) {
        return Err(
            "what the formatter makes of the lines that changed is not the same code without the others".to_owned()
        );
    }
    let laid = within::composed(first, &second, &new);
    match outcome {
        FileOutcome::Edit { splices, after, .. } | FileOutcome::Rename { splices, after, .. } => {
            (*splices, *after) = (laid, Digest::of(new.as_bytes()));
        }
        FileOutcome::Create { text, .. } => *text = new,
        FileOutcome::Delete { .. } | FileOutcome::SetExecutable { .. } => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
