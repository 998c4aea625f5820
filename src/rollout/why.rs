//! Why a change is as it is: which rule, which match, which row of a mapping, and what
//! speaks for it.

use super::snapshot::Snapshot;
use super::{RolloutError, Verdict};
use crate::digest::Digest;
use crate::files;
use crate::state::Store;
use crate::transform::{FileOutcome, FilePlan, Finding};
use crate::workspace::Content;

/// All that a rule did at one match.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Reason {
    /// Relative to the workspace.
    pub path: String,
    /// Its first line as pinned, from 1; 0 where the whole file is meant.
    pub line: u32,
    /// Its last line as pinned.
    pub last_line: u32,
    /// The rule.
    pub rule: String,
    /// Which match of the rule in the file, from 1; 0 where it acts on the whole file.
    pub match_number: u32,
    /// The lines as pinned; empty where the pinned bytes are not at hand.
    pub before: Vec<String>,
    /// What stands there instead.
    pub after: Vec<String>,
    /// Rows of mappings of which the old name stood there and the new one stands there now.
    pub mappings: Vec<Row>,
    /// What a deliberately wrong variant of the rule's edits came to: what noticed it.
    pub noticed: Option<String>,
}

/// A row of a mapping.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// The mapping's name, with the keys that lead to the row.
    pub place: String,
    /// The old name.
    pub from: String,
    /// The new one.
    pub to: String,
}

/// Why a consumer's change is as it is.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Why {
    /// Who.
    pub entity: String,
    /// What was done, by path and line.
    pub reasons: Vec<Reason>,
    /// What was left, refused or not meant.
    pub findings: Vec<Finding>,
    /// Why its code was not found, where it was not.
    pub unresolved: Option<String>,
    /// The verdict, in one line.
    pub evidence: Option<String>,
}

/// Why the change of a consumer is as it is; with `place`, only what touches that file, or
/// that line of it, before or after the change.
///
/// # Errors
/// [`RolloutError::NoSuch`] where there is no such consumer, and where the state can't be read.
pub fn why(
    store: &Store,
    entity: &str,
    place: Option<(&str, Option<u32>)>,
    mappings: &[Row],
) -> Result<Why, RolloutError> {
    let mut snapshot = Snapshot::read(store)?;
    let consumer = snapshot.consumers.iter().find(|consumer| consumer.entity == entity);
    let consumer = consumer.ok_or_else(|| RolloutError::NoSuch { what: format!("consumer {entity}") })?;
    let id = consumer.workspace.clone().unwrap_or_default();
    let unresolved = consumer.unresolved.clone();
    let mut why =
        Why { entity: entity.to_owned(), reasons: Vec::new(), findings: Vec::new(), unresolved, evidence: None };
    let Some(record) = snapshot.workspaces.remove(&id) else { return Ok(why) };
    let verdict = snapshot.verdicts.remove(&id);
    let versions = store.versions(&id)?;
    if let Some((path, _)) = place {
        let known = record.plan.files.iter().any(|file| file.path == path)
            || record.plan.findings.iter().any(|finding| finding.path == path)
            || versions.iter().any(|version| version.path == path);
        if !known && files::read_below(&record.place.root, path).ok().flatten().is_none() {
            let what = format!("file {path} in {}, as far as its folder {} tells", entity, record.place.root.display());
            return Err(RolloutError::Undecidable(format!("there is no {what}")));
        }
    }
    let wanted = |path: &str| place.is_none_or(|(wanted, _)| wanted == path);
    let line = place.and_then(|(_, line)| line);
    for file in record.plan.files.iter().filter(|file| wanted(&file.path)) {
        let known =
            versions.iter().find(|version| version.path == file.path).and_then(|version| version.before.clone());
        let lying = || files::read_below(&record.place.root, &file.path).ok().flatten();
        let pinned = known.or_else(lying).filter(|content| Some(Digest::of(&content.bytes)) == file.before);
        why.reasons.extend(of_file(file, pinned.as_ref(), mappings, verdict.as_ref()));
    }
    if let Some(line) = line {
        let near = |reason: &Reason| {
            let last =
                reason.last_line.max(reason.line + u32::try_from(reason.after.len()).unwrap_or(0).saturating_sub(1));
            reason.line == 0 || (reason.line..=last).contains(&line)
        };
        why.reasons.retain(near);
    }
    let here = |finding: &&Finding| wanted(&finding.path) && line.is_none_or(|line| finding.line == line);
    why.findings = record.plan.findings.iter().filter(here).cloned().collect();
    why.evidence = verdict.map(|verdict| match verdict.strength() {
        Some(strength) => format!("{} [{} evidence]", verdict.reason, strength.as_str()),
        None => verdict.reason,
    });
    Ok(why)
}

fn of_file(file: &FilePlan, pinned: Option<&Content>, mappings: &[Row], verdict: Option<&Verdict>) -> Vec<Reason> {
    let whole = |rule: &str, what: &str| Reason {
        path: file.path.clone(),
        line: 0,
        last_line: 0,
        rule: rule.to_owned(),
        match_number: 0,
        before: Vec::new(),
        after: vec![what.to_owned()],
        mappings: Vec::new(),
        noticed: noticed(verdict, rule),
    };
    let (edits, splices, mut reasons) = match &file.outcome {
        FileOutcome::Create { rule, .. } => return vec![whole(rule, "the file is made")],
        FileOutcome::Delete { rule } => return vec![whole(rule, "the file is removed")],
        FileOutcome::SetExecutable { rule, .. } => return vec![whole(rule, "its executable bit changes")],
        FileOutcome::Rename { to, rule, edits, splices, .. } => {
            (edits, splices, vec![whole(rule, &format!("the file moves to {to}"))])
        }
        FileOutcome::Edit { edits, splices, .. } => (edits, splices, Vec::new()),
    };
    let text = pinned.map(|content| String::from_utf8_lossy(&content.bytes).into_owned());
    let mut seen: Vec<(&str, u32)> = Vec::new();
    for edit in edits {
        if seen.contains(&(edit.rule.as_str(), edit.match_id)) {
            continue;
        }
        seen.push((&edit.rule, edit.match_id));
        let of_match = edits.iter().filter(|other| other.rule == edit.rule && other.match_id == edit.match_id);
        let (start, end) =
            of_match.fold((usize::MAX, 0), |(start, end), one| (start.min(one.range.start), end.max(one.range.end)));
        let mut reason = Reason { match_number: edit.match_id + 1, after: Vec::new(), ..whole(&edit.rule, "") };
        if let Some(text) = text.as_deref().filter(|text| text.is_char_boundary(start) && text.is_char_boundary(end)) {
            let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
            let to = text[end..].find('\n').map_or(text.len(), |at| end + at);
            reason.line = line_of(text, start);
            reason.last_line = line_of(text, end);
            let (mut new, mut at) = (String::new(), from);
            for splice in splices.iter().filter(|splice| splice.range.start >= from && splice.range.end <= to) {
                new.push_str(text.get(at..splice.range.start).unwrap_or_default());
                new.push_str(&splice.text);
                at = splice.range.end;
            }
            new.push_str(text.get(at..to).unwrap_or_default());
            (reason.before, reason.after) = (lines(&text[from..to]), lines(&new));
            only_what_differs(&mut reason);
            reason.mappings = mappings.iter().filter(|row| says(row, &text[from..to], &new)).cloned().collect();
        }
        reasons.push(reason);
    }
    reasons.sort_by_key(|reason| reason.line);
    reasons
}

/// Leaves out the lines at both ends that stay as they are: what is removed or put in as whole lines reaches to those
/// beside it.
fn only_what_differs(reason: &mut Reason) {
    let same = |(one, other): &(&String, &String)| one == other;
    let first = reason.before.iter().zip(&reason.after).take_while(same).count();
    reason.before.drain(..first);
    reason.after.drain(..first);
    let last = reason.before.iter().rev().zip(reason.after.iter().rev()).take_while(same).count();
    reason.before.truncate(reason.before.len() - last);
    reason.after.truncate(reason.after.len() - last);
    let lines = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    reason.line = reason.line.saturating_add(lines(first));
    reason.last_line = reason.line.saturating_add(lines(reason.before.len().saturating_sub(1)));
}

/// The old name stood there and does not any more, and the new one stands there now.
fn says(row: &Row, before: &str, after: &str) -> bool {
    let words = |text: &str, name: &str| {
        let inner = |c: char| c.is_alphanumeric() || c == '_';
        text.match_indices(name)
            .filter(|(at, _)| !text[..*at].ends_with(inner) && !text[at + name.len()..].starts_with(inner))
            .count()
    };
    !row.from.is_empty()
        && !row.to.is_empty()
        && words(before, &row.from) > words(after, &row.from)
        && words(after, &row.to) > words(before, &row.to)
}

fn noticed(verdict: Option<&Verdict>, rule: &str) -> Option<String> {
    let evidence = verdict?.evidence.as_ref()?;
    let noticed = evidence.rules.get(rule)?;
    let who = noticed.as_deref().unwrap_or("nothing");
    Some(format!("{who} noticed a wrong variant of it"))
}

fn line_of(text: &str, at: usize) -> u32 {
    u32::try_from(text[..at].matches('\n').count() + 1).unwrap_or(u32::MAX)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Every row of some mapping tables: each text below a key, with the keys that lead to it.
pub fn rows<'t>(tables: impl IntoIterator<Item = (&'t String, &'t toml::Table)>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, table) in tables {
        below(name, table, &mut rows);
    }
    rows
}

fn below(place: &str, table: &toml::Table, rows: &mut Vec<Row>) {
    for (key, value) in table {
        match value {
            toml::Value::String(to) => {
                rows.push(Row { place: format!("{place}.{key}"), from: key.clone(), to: to.clone() });
            }
            toml::Value::Table(inner) => below(&format!("{place}.{key}"), inner, rows),
            _ => {}
        }
    }
}
