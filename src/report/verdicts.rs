//! Verdicts without a rollout, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::table::one_line;
use crate::verify::{Color, Compared, Verdict};

/// The most differences of one consumer that are listed.
const MOST: usize = 10;

/// One line a consumer, what differs below it, and regressions by their error.
pub fn verdicts_text(rows: &[(String, Option<&Verdict>)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, verdict) in rows {
        let Some(verdict) = verdict else {
            let _ = writeln!(out, "{name:<width$}  not verified");
            continue;
        };
        let worth = verdict.strength().map(|strength| format!(" [{} evidence]", strength.as_str()));
        let (kind, worth) = (verdict.kind.as_str(), worth.unwrap_or_default());
        let _ = writeln!(out, "{name:<width$}  {kind:<10}  {}{worth}", one_line(&verdict.reason));
        details(&mut out, verdict);
        if let Some(signature) = &verdict.signature {
            groups.entry(signature).or_default().push(name);
        }
    }
    let mut groups: Vec<(&str, Vec<&str>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    for (signature, names) in groups {
        let _ = writeln!(out, "{} broken by `{}`: {}", names.len(), one_line(signature), names.join(", "));
    }
    out
}

/// How a test ended in each run, in words.
pub(super) fn runs(colors: &[Color]) -> String {
    let word = |color: &Color| match color {
        Color::Green => "green",
        Color::Red => "red",
        Color::Skipped => "skipped",
        Color::Absent => "absent",
    };
    colors.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn details(out: &mut String, verdict: &Verdict) {
    for difference in verdict.differences.iter().take(MOST) {
        let what = difference.test.as_deref().unwrap_or(&difference.step);
        let (before, after) = (runs(&difference.before), runs(&difference.after));
        let _ = writeln!(out, "    {}: {before} → {after}", one_line(what));
    }
    for blame in &verdict.blame {
        let sites: Vec<String> = blame.edits.iter().map(|site| one_line(&site.to_string())).collect();
        let certain = if blame.minimal { "" } else { ", or some of these" };
        let _ = writeln!(out, "    because of {}{certain}", sites.join(", "));
    }
    for flag in &verdict.flags {
        let _ = writeln!(out, "    look at {} {}", one_line(&flag.path), one_line(&flag.message));
    }
    for one in verdict.sql.iter().filter(|one| one.outcome != Compared::Equal).take(MOST) {
        let why = if one.why.is_empty() { String::new() } else { format!(": {}", one_line(&one.why)) };
        let _ = writeln!(out, "    {}: {}{why}", one_line(&one.name), one.outcome.as_str());
    }
    for path in verdict.evidence.iter().flat_map(|evidence| &evidence.rewritten).take(MOST) {
        let _ = writeln!(out, "    the change rewrites what tests it: {}", one_line(path));
    }
    for (rule, noticed) in verdict.evidence.iter().flat_map(|evidence| &evidence.rules) {
        let noticed = noticed.as_ref().map_or("nothing noticed a wrong name", |noticed| noticed);
        let _ = writeln!(out, "    challenged {}: {}", one_line(rule), one_line(noticed));
    }
}

/// A difference in lines, for people; nothing in it can steer a terminal.
pub fn difference(before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(3).to_string();
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}
