//! What simulated rollouts came to.

use std::fmt::Write as _;

use crate::rollout::simulate::{Odds, Summary};

/// A table: each figure as its median and what nine of ten rollouts stay within.
pub fn text(odds: &Odds, summary: &Summary) -> String {
    let mut out = format!(
        "{} rollouts of {} consumers: {} % broken, of which {:.0} % are noticed by their own tests\n\n",
        summary.runs,
        odds.consumers,
        (odds.broken * 10_000.0).round() / 100.0,
        odds.noticed * 100.0
    );
    let mut row = |name: &str, median: String, most: String| {
        let _ = writeln!(out, "{name:<42}{median:>10}{most:>14}");
    };
    row("", "median".to_owned(), "nine of ten".to_owned());
    let count = |(median, most): (u32, u32)| (median.to_string(), format!("≤ {most}"));
    for (name, figures) in [
        ("broken changes that were out at some time", summary.exposed),
        ("broken changes that are out in the end", summary.through),
        ("good changes that were taken back", summary.back),
    ] {
        let (median, most) = count(figures);
        row(name, median, most);
    }
    row("time", hours(summary.took.0), format!("≤ {}", hours(summary.took.1)));
    let _ = writeln!(out, "\n{} of {} went through to the last wave", summary.complete, summary.runs);
    for (wave, count) in &summary.stopped {
        let _ = writeln!(out, "wave {wave} stopped {count} of {}", summary.runs);
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a rollout are far below 2^52")]
fn hours(seconds: i64) -> String {
    format!("{:.1} h", seconds as f64 / 3600.0)
}
