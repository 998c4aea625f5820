//! All that is known of one consumer, as text.

use std::fmt::Write as _;

use super::change_set::rule_counts;
use super::pull_request::ended;
use super::table::{Layout, counted, one_line, style_of};
use crate::rollout::View;
use crate::state::DeliveryState;
use crate::transform::{Finding, FindingKind, WorkspacePlan};
use crate::verify::{StepEnd, Verdict};

/// How many findings of a kind are listed.
const MOST_FINDINGS: usize = 200;

/// What `gander show` prints: where a consumer stands and why, what the rules did,
/// what is left, the evidence, and what was done when.
pub fn view_text(view: &View, layout: Layout) -> String {
    let mut out = head(view, layout);
    if let Some(plan) = &view.plan {
        let counts = rule_counts(&plan.files);
        if !counts.is_empty() {
            out.push_str("\nrules\n");
        }
        for (rule, count) in counts {
            let (places, files) = (counted(count.places, "place"), counted(count.files, "file"));
            let _ = writeln!(out, "  {}: {places} in {files}", one_line(rule));
        }
        findings(&mut out, "left to a person", &plan.findings, FindingKind::Annotated);
        findings(&mut out, "refused", &plan.findings, FindingKind::Refused);
        findings(&mut out, "errors", &plan.findings, FindingKind::Errored);
        findings(&mut out, "not meant, or left alone", &plan.findings, FindingKind::Skipped);
        files(&mut out, plan);
    }
    if let Some(verdict) = &view.verdict {
        evidence(&mut out, verdict);
    }
    if !view.history.is_empty() {
        out.push_str("\nhistory\n");
    }
    for line in &view.history {
        let at = jiff::Timestamp::from_second(line.at).map_or_else(|_| line.at.to_string(), |at| at.to_string());
        let phase = match line.entry.phase {
            crate::state::Phase::Intent => "begun",
            crate::state::Phase::Done => "done",
        };
        let _ = write!(out, "  {at}  {} {phase}", line.entry.point);
        if !line.entry.detail.is_empty() {
            let _ = write!(out, ": {}", one_line(&line.entry.detail));
        }
        out.push('\n');
    }
    out
}

fn head(view: &View, layout: Layout) -> String {
    let row = &view.row;
    let mut out = format!("{}\n", one_line(&row.entity));
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(out, "  {name:<11} {value}");
    };
    let outcome = if layout.color {
        let style = style_of(row.outcome);
        format!("{style}{}{style:#}", row.outcome)
    } else {
        row.outcome.to_string()
    };
    field("outcome", &format!("{outcome}: {}", one_line(&row.reason)));
    let wave = row.wave.map(|wave| wave.to_string());
    let delivery = view.delivery.as_ref();
    let merged = delivery.and_then(|delivery| delivery.merged.as_ref()).map(|commit| format!("in {commit}"));
    let revert = delivery.and_then(|delivery| delivery.revert.as_ref()).map(|(name, at)| format!("{name} at {at}"));
    let back = delivery.is_some_and(|delivery| delivery.state == DeliveryState::RolledBack);
    // What is merged, or was taken back, needs no branch any more.
    let others = if delivery.is_some_and(|delivery| delivery.shared) { ", with other consumers" } else { "" };
    let branch = row.branch.as_ref().filter(|_| merged.is_none() && !back).map(|(name, commit)| match commit {
        Some(commit) => format!("{name} at {commit}{others}"),
        None => format!("{name}{others}"),
    });
    let under = delivery.and_then(|delivery| delivery.over.as_ref()).and_then(|over| over.merged.clone());
    let under = under.map(|commit| format!("the change set that was merged in {commit}"));
    let shared = (!view.shared_with.is_empty()).then(|| view.shared_with.join(", "));
    for (name, value) in [
        ("owner", &row.owner),
        ("workspace", &row.workspace),
        ("shared with", &shared),
        ("wave", &wave),
        ("change set", &row.change_set),
        ("branch", &branch),
        ("merged", &merged),
        ("corrects", &under),
        ("revert", &revert),
    ] {
        if let Some(value) = value {
            field(name, &one_line(value));
        }
    }
    if let Some(next) = &view.next {
        field("next", &one_line(next));
    }
    out
}

/// What was read, and what was left alone.
fn files(out: &mut String, plan: &WorkspacePlan) {
    let _ = writeln!(
        out,
        "\nfiles\n  {} read, {} parsed, {} changed",
        plan.files_read,
        plan.files_parsed,
        plan.files.len()
    );
    for (reason, count) in &plan.skipped {
        let _ = writeln!(out, "  {count} {}", reason.words());
    }
}

fn findings(out: &mut String, title: &str, findings: &[Finding], kind: FindingKind) {
    let of_kind: Vec<&Finding> = findings.iter().filter(|finding| finding.kind == kind).collect();
    if of_kind.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for finding in of_kind.iter().take(MOST_FINDINGS) {
        let (path, rule, message) = (one_line(&finding.path), one_line(&finding.rule), one_line(&finding.message));
        let place = match finding.line {
            0 => path,
            line => format!("{path}:{line}:{}", finding.column),
        };
        let _ = writeln!(out, "  {place}: {message} [{rule}]");
    }
    if of_kind.len() > MOST_FINDINGS {
        let _ = writeln!(out, "  and {} more; `--json` has all of them", of_kind.len() - MOST_FINDINGS);
    }
}

fn evidence(out: &mut String, verdict: &Verdict) {
    let _ = writeln!(out, "\nevidence: {}", one_line(&verdict.reason));
    for (side, steps) in [("before", &verdict.baseline), ("changed", &verdict.patched)] {
        for step in steps {
            let (name, ended) = (one_line(&step.name), one_line(&ended(&step.end)));
            let _ = writeln!(out, "  {side:<8} {name}: {ended}, {} ms", step.millis);
        }
    }
    for difference in
        verdict.differences.iter().filter_map(|difference| difference.test.as_ref().map(|test| (test, difference)))
    {
        let (test, difference) = difference;
        let (before, after) = (super::verdicts::runs(&difference.before), super::verdicts::runs(&difference.after));
        let _ = writeln!(out, "  test {}: {before} → {after}", one_line(test));
    }
    for blame in &verdict.blame {
        let sites: Vec<String> = blame.edits.iter().map(|site| one_line(&site.to_string())).collect();
        let _ = writeln!(out, "  because of {}", sites.join(", "));
    }
    for flag in &verdict.flags {
        let _ = writeln!(out, "  look at {} {}", one_line(&flag.path), one_line(&flag.message));
    }
    if let Some(evidence) = &verdict.evidence {
        let _ = writeln!(out, "  the evidence is {}", evidence.strength.as_str());
        for (rule, noticed) in &evidence.rules {
            let noticed = noticed.as_ref().map_or("nothing noticed a wrong name", |noticed| noticed);
            let _ = writeln!(out, "  challenged {}: {}", one_line(rule), one_line(noticed));
        }
        for path in &evidence.rewritten {
            let _ = writeln!(out, "  {} is rewritten by the change itself, and says less", one_line(path));
        }
    }
    let red = verdict.patched.iter().find(|step| step.end != StepEnd::Exited(0));
    let red = red.or_else(|| verdict.baseline.iter().find(|step| step.end != StepEnd::Exited(0)));
    if let Some(step) = red.filter(|step| !step.output.trim().is_empty()) {
        let _ = writeln!(out, "  {} printed at its end:", one_line(&step.name));
        for line in step.output.lines() {
            let clean: String =
                line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
            let _ = writeln!(out, "  | {clean}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{LedgerRow, Outcome};
    use crate::state::{Entry, Phase, Recorded};
    use crate::verify::{StepResult, VerdictKind};

    #[test]
    fn one_consumer_is_shown_whole() {
        let step = |end, output: &str| StepResult {
            name: "test".to_owned(),
            command: Vec::new(),
            end,
            millis: 7,
            output: output.to_owned(),
        };
        let view = View {
            row: LedgerRow {
                outdated: None,
                entity: "component:default/ads".to_owned(),
                owner: None,
                workspace: Some("apps/ads".to_owned()),
                wave: Some(2),
                outcome: Outcome::Regressed,
                reason: "test: exited with 1".to_owned(),
                verdict: Some(VerdictKind::Regressed),
                evidence: None,
                flags: Vec::new(),
                files: 1,
                left: 0,
                change_set: Some("change-sets/held/ads".to_owned()),
                branch: None,
                state: "verified".to_owned(),
            },
            shared_with: vec!["component:default/ads-ui".to_owned()],
            plan: None,
            verdict: Some(Verdict {
                baseline: vec![step(StepEnd::Exited(0), "fine")],
                patched: vec![step(StepEnd::Exited(1), "no column\n\u{1b}[31mplan_type\n")],
                ..Verdict::without_runs(VerdictKind::Regressed, "test: exited with 1")
            }),
            delivery: None,
            next: None,
            history: vec![Recorded {
                seq: 1,
                at: 0,
                run: None,
                actor: String::new(),
                entry: Entry {
                    point: "keep.patches".to_owned(),
                    subject: "apps/ads".to_owned(),
                    phase: Phase::Done,
                    before: None,
                    after: None,
                    detail: "kept back".to_owned(),
                    ..Entry::default()
                },
            }],
        };
        insta::assert_snapshot!(view_text(&view, Layout { color: false, width: None }), @r"
        component:default/ads
          outcome     regressed: test: exited with 1
          workspace   apps/ads
          shared with component:default/ads-ui
          wave        2
          change set  change-sets/held/ads

        evidence: test: exited with 1
          before   test: green, 7 ms
          changed  test: red (exit code 1), 7 ms
          test printed at its end:
          | no column
          | �[31mplan_type

        history
          1970-01-01T00:00:00Z  keep.patches done: kept back
");
    }
}
