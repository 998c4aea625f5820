//! The description of a pull request: why, what changed, what the evidence is, what
//! is left to a person, and how to go back.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::change_set::rule_counts;
use super::markdown::{block, cell, code, prose};
use crate::config::{BranchPer, Delivery};
use crate::rollout::Staged;
use crate::transform::{Finding, FindingKind};
use crate::verify::{Comparison, StepEnd, StepResult, VerdictKind};

/// How many findings are listed; hosts cut long descriptions, and the rest is in
/// `change.json`.
const MOST_FINDINGS: usize = 40;

/// How many bytes of a step's output are quoted.
const MOST_OUTPUT: usize = 3000;

/// What stands where the migration names no template.
const TEMPLATE: &str =
    "{{ parts.title }}{{ parts.why }}{{ parts.what }}{{ parts.evidence }}{{ parts.left }}{{ parts.back }}";

/// How many steps a template may take: one that loops for ever ends.
const FUEL: u64 = 1_000_000;

/// The Markdown of `PULL_REQUEST.md`, by the migration's template. One that fails on this
/// change set gives way to gander's own text, and says so.
pub fn text(staged: &Staged<'_>) -> String {
    let parts = parts(staged);
    let template = staged.migration.deliver.template.as_deref().unwrap_or(TEMPLATE);
    render(template, staged, &parts).unwrap_or_else(|error| {
        let all: String =
            ["title", "why", "what", "evidence", "left", "back"].iter().map(|name| parts[name].as_str()).collect();
        format!("{all}\nThe template of this migration failed: {}\n", prose(&error))
    })
}

/// Whether the migration's template can be read.
///
/// # Errors
/// Where not: the line, and what is wrong there.
pub fn check_template(migration: &crate::config::Migration) -> Result<(), String> {
    let Some(template) = &migration.deliver.template else { return Ok(()) };
    environment().template_from_str(template).map(drop).map_err(|error| one(&error))
}

fn environment() -> minijinja::Environment<'static> {
    let mut environment = minijinja::Environment::new();
    environment.set_fuel(Some(FUEL));
    // Markdown, not HTML: what consumers say is escaped where it gets into the parts.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
}

fn one(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    format!("{line}{error}")
}

fn render(template: &str, staged: &Staged<'_>, parts: &BTreeMap<&'static str, String>) -> Result<String, String> {
    let consumers: Vec<BTreeMap<&'static str, String>> = staged
        .consumers
        .iter()
        .map(|one| {
            let owner = one.owner.as_ref().map_or_else(String::new, ToString::to_string);
            BTreeMap::from([("entity", one.entity.to_string()), ("owner", owner)])
        })
        .collect();
    let left: Vec<BTreeMap<&'static str, String>> = findings_left(staged)
        .map(|finding| {
            let (path, line) = (finding.path.clone(), finding.line.to_string());
            BTreeMap::from([
                ("path", path),
                ("line", line),
                ("message", finding.message.clone()),
                ("rule", finding.rule.clone()),
            ])
        })
        .collect();
    let rules: Vec<String> = rule_counts(&staged.plan.files).into_keys().map(str::to_owned).collect();
    let files: Vec<String> = staged.versions.iter().map(|version| version.path.clone()).collect();
    let context = minijinja::context! {
        id => staged.migration.id.clone(),
        title => staged.migration.title.clone(),
        guide => staged.migration.guide.clone(),
        consumers => consumers,
        code_owners => staged.code_owners.to_vec(),
        rules => rules,
        files => files,
        wave => staged.wave,
        kept_back => staged.kept_back.map(str::to_owned),
        verdict => staged.verdict.kind.as_str(),
        reason => staged.verdict.reason.clone(),
        evidence => staged.verdict.strength().map(|strength| strength.as_str()),
        left => left,
        change_id => staged.set.id().to_string(),
        parts => parts.clone(),
    };
    environment().render_str(template, context).map_err(|error| one(&error))
}

/// gander's own text, part by part.
fn parts(staged: &Staged<'_>) -> BTreeMap<&'static str, String> {
    let mut title = format!("# {}\n\n", prose(&staged.migration.title));
    if let Some(reason) = staged.kept_back {
        let _ = writeln!(title, "> **Not delivered.** {}\n", prose(reason));
    }
    let part = |write: fn(&mut String, &Staged<'_>)| {
        let mut out = String::new();
        write(&mut out, staged);
        out
    };
    BTreeMap::from([
        ("title", title),
        ("why", part(why)),
        ("what", part(what)),
        ("evidence", part(evidence)),
        ("left", part(left)),
        ("back", part(back)),
    ])
}

fn why(out: &mut String, staged: &Staged<'_>) {
    let migration = staged.migration;
    let _ = write!(out, "This change is part of the migration {}.", code(&migration.id));
    if let Some(guide) = &migration.guide {
        let _ = write!(out, " The guide says why and how: {guide}");
    }
    out.push_str("\n\n");
    for consumer in staged.consumers {
        let _ = write!(out, "- {}", code(consumer.entity.as_str()));
        if let Some(owner) = &consumer.owner {
            let _ = write!(out, ", owned by {}", code(owner.as_str()));
        }
        out.push('\n');
    }
    if !staged.code_owners.is_empty() {
        let owners: Vec<String> = staged.code_owners.iter().map(|owner| code(owner)).collect();
        let _ = writeln!(out, "- the files belong to {}", owners.join(", "));
    }
    out.push('\n');
}

fn what(out: &mut String, staged: &Staged<'_>) {
    out.push_str("## What changed\n\n");
    out.push_str("| rule | places | files |\n| --- | ---: | ---: |\n");
    for (rule, count) in rule_counts(&staged.plan.files) {
        let _ = writeln!(out, "| {} | {} | {} |", cell(rule), count.places, count.files);
    }
    let files = staged.set.digests.len();
    let _ = writeln!(out, "\n{files} {} in all.\n", plural(files, "file", "files"));
    comments(out, staged);
}

/// Comments that were moved, or went with their code.
fn comments(out: &mut String, staged: &Staged<'_>) {
    let comments = &staged.plan.comments;
    if comments.is_empty() {
        return;
    }
    out.push_str("Comments that went with their code, or elsewhere:\n\n");
    for one in comments.iter().take(MOST_FINDINGS) {
        let place = code(&format!("{}:{}", one.path, one.line));
        let _ = writeln!(out, "- {place}: {} {}", code(&one.text), if one.moved { "moved" } else { "is gone" });
    }
    if let Some(more) = comments.len().checked_sub(MOST_FINDINGS).filter(|n| *n > 0) {
        let _ = writeln!(out, "- and {more} more, in `change.json`");
    }
    out.push('\n');
}

fn evidence(out: &mut String, staged: &Staged<'_>) {
    let verdict = staged.verdict;
    let judged = match verdict.kind {
        VerdictKind::Pass => "What was green before is green with the change.",
        VerdictKind::Regressed => "**A step was green before and is red with the change.**",
        VerdictKind::BaselineBroken => "A step was red before the change already, so this says little about it.",
        VerdictKind::NoData => "**Nothing was tested.**",
        VerdictKind::Fixed => "What was red before is green with the change, and nothing that was green turned red.",
        VerdictKind::Flaky => "**Something is green in one run and red in another of the same code.**",
        VerdictKind::Infra => "**The verification itself failed.**",
        VerdictKind::NoChange => "There is no change.",
    };
    let _ = writeln!(out, "## Evidence\n\n{judged} {}\n", prose(&verdict.reason));
    compared(out, &verdict.sql);
    if verdict.baseline.is_empty() && verdict.patched.is_empty() {
        return;
    }
    worth(out, staged);
    out.push_str("| step | before | with the change |\n| --- | --- | --- |\n");
    let mut names: Vec<&str> = Vec::new();
    for step in verdict.baseline.iter().chain(&verdict.patched) {
        if !names.contains(&step.name.as_str()) {
            names.push(&step.name);
        }
    }
    for name in names {
        let on = |side: &[StepResult]| {
            let step = side.iter().find(|step| step.name == name);
            step.map_or_else(|| "not run".to_owned(), |step| ended(&step.end))
        };
        let (before, after) = (on(&verdict.baseline), on(&verdict.patched));
        let _ = writeln!(out, "| {} | {before} | {after} |", cell(name));
    }
    out.push('\n');
    let red = verdict.patched.iter().find(|step| step.end != StepEnd::Exited(0) && !step.output.trim().is_empty());
    if let Some(step) = red {
        let _ = writeln!(out, "The end of what {} printed:\n", code(&step.name));
        out.push_str(&block(tail(&step.output)));
        out.push('\n');
    }
}

/// Queries that were compared over generated data.
fn compared(out: &mut String, sql: &[Comparison]) {
    if sql.is_empty() {
        return;
    }
    out.push_str("Over generated data, the old query and the new one:\n\n| query | result | rows | |\n| --- | --- | ---: | --- |\n");
    for one in sql.iter().take(MOST_FINDINGS) {
        let noticed = one.wrongs.values().filter(|noticed| **noticed).count();
        let why = match (one.why.is_empty(), one.wrongs.len()) {
            (false, _) => cell(&one.why),
            (true, 0) => String::new(),
            (true, tried) => format!("{noticed} of {tried} wrong mappings change it"),
        };
        let _ = writeln!(out, "| {} | {} | {} | {why} |", cell(&one.name), one.outcome.as_str(), one.rows);
    }
    if let Some(more) = sql.len().checked_sub(MOST_FINDINGS).filter(|n| *n > 0) {
        let _ = writeln!(out, "\nand {more} more, in `change.json`");
    }
    out.push('\n');
}

/// What the evidence is worth, what the change weakens, and what causes a regression.
fn worth(out: &mut String, staged: &Staged<'_>) {
    let verdict = staged.verdict;
    if let Some(evidence) = &verdict.evidence {
        let queries = !verdict.sql.is_empty()
            && evidence.rules.keys().all(|rule| verdict.sql.iter().any(|one| one.name == *rule));
        let how = match (evidence.rules.is_empty(), queries) {
            (true, _) => "what tests it was rewritten with it",
            (false, true) => "the queries ran once more with wrong mappings",
            (false, false) => "the tests ran once more with wrong names",
        };
        let _ = writeln!(out, "The evidence is **{}**: {how}.\n", evidence.strength.as_str());
        for path in &evidence.rewritten {
            let _ = writeln!(out, "- {} is rewritten by the change itself, and says less", code(path));
        }
        for (rule, noticed) in &evidence.rules {
            let noticed = noticed.as_ref().map_or_else(|| "nothing noticed".to_owned(), |noticed| prose(noticed));
            let _ = writeln!(out, "- {}: {noticed}", code(rule));
        }
        out.push('\n');
    }
    for flag in &verdict.flags {
        let _ = writeln!(out, "- **Look at this:** {} {}", code(&flag.path), prose(&flag.message));
    }
    for blame in &verdict.blame {
        let sites: Vec<String> = blame.edits.iter().map(|site| code(&site.to_string())).collect();
        let _ = writeln!(out, "- It turns red because of {}.", sites.join(", "));
    }
    if !verdict.flags.is_empty() || !verdict.blame.is_empty() {
        out.push('\n');
    }
}

pub(super) fn ended(end: &StepEnd) -> String {
    match end {
        StepEnd::Exited(0) => "green".to_owned(),
        StepEnd::Exited(status) => format!("red (exit code {status})"),
        StepEnd::Signalled(signal) => format!("red (signal {signal})"),
        other => cell(&other.to_string()),
    }
}

fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(MOST_OUTPUT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}

fn findings_left<'s>(staged: &'s Staged<'_>) -> impl Iterator<Item = &'s Finding> {
    let is_left = |f: &&Finding| matches!(f.kind, FindingKind::Annotated | FindingKind::Refused | FindingKind::Errored);
    staged.plan.findings.iter().filter(is_left)
}

fn left(out: &mut String, staged: &Staged<'_>) {
    let findings: Vec<&Finding> = findings_left(staged).collect();
    if findings.is_empty() {
        return;
    }
    out.push_str("## Left to you\n\n");
    for finding in findings.iter().take(MOST_FINDINGS) {
        let place = match (finding.line, finding.column) {
            (0, _) => finding.path.clone(),
            (line, 0) => format!("{}:{line}", finding.path),
            (line, column) => format!("{}:{line}:{column}", finding.path),
        };
        let (place, rule) = (code(&place), code(&finding.rule));
        let _ = writeln!(out, "- [ ] {place}: {} ({rule})", prose(&finding.message));
    }
    if let Some(more) = findings.len().checked_sub(MOST_FINDINGS).filter(|n| *n > 0) {
        let _ = writeln!(out, "- and {more} more, in `change.json`");
    }
    out.push('\n');
}

fn back(out: &mut String, staged: &Staged<'_>) {
    let root = match (&staged.place.git, staged.set.prefix.is_empty()) {
        (Some(_), true) => "the top of the repository".to_owned(),
        (Some(_), false) => format!(
            "the top of the repository (not in {}, where git would skip every path and say nothing)",
            code(&staged.set.prefix)
        ),
        (None, _) => "the consumer's folder".to_owned(),
    };
    out.push_str("## Going back\n\n");
    let deliver = &staged.migration.deliver;
    if matches!(deliver.how, Delivery::Branch | Delivery::Push) {
        let consumer = staged.consumers.first().map_or("", |one| crate::rollout::shown(one.entity.as_str()));
        let alone = match deliver.branch_per {
            BranchPer::Consumer => "closing it is enough, and ",
            BranchPer::Owner | BranchPer::Wave => "",
        };
        let _ = writeln!(
            out,
            "Until this is merged, {alone}`gander rollback --consumer {consumer}` withdraws it. After that the same \
             proposes a change that takes it back and leaves what came since; so does `git revert`. \
             `revert.patch` of this change set, at {root}, gives back exactly the bytes that this change started \
             from. gander proved that when it made the patch.\n"
        );
    } else {
        let _ = writeln!(
            out,
            "`git apply revert.patch`, at {root}, gives back exactly the bytes that this change started from. \
             gander proved that when it made the patch.\n"
        );
    }
    if deliver.branch_per != BranchPer::Consumer {
        out.push_str("The branch holds the change sets of other consumers, too, each with its own change id.\n\n");
    }
    let _ = writeln!(out, "{}: {}", crate::git::TRAILER, staged.set.id());
}

fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}
