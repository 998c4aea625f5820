//! The ledger for terminals, pipes and machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::rollout::{self, Ledger, LedgerRow, Outcome, RunEnd, WaveReport, is_not_corrected};
use crate::state::WaveState;

/// The version of the ledger's JSON.
pub const SCHEMA_VERSION: u32 = 1;

/// How a text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// ANSI colours.
    pub color: bool,
    /// Columns of the terminal; reasons are cut to it. `None` cuts nothing.
    pub width: Option<usize>,
}

/// A number of things, in words: `1 file`, `2 files`.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The whole ledger: one line a consumer, one a wave, the summary and what to do next.
pub fn ledger_text(ledger: &Ledger, layout: Layout) -> String {
    let mut out = rows(ledger, layout);
    out.push('\n');
    // Of one that passed, and of which everybody has gone on to another wave since, there is nothing to say.
    let is_over = |wave: &&WaveReport| wave.members.is_empty() && matches!(wave.state, WaveState::Passed(_));
    for wave in ledger.waves.iter().filter(|wave| !is_over(wave)) {
        out.push_str(&wave_line(wave, layout));
        out.push('\n');
    }
    if !ledger.waves.is_empty() {
        out.push('\n');
    }
    for group in &ledger.failures {
        let count = group.consumers.len();
        let who = counted(count, "consumer");
        let names: Vec<&str> = group.consumers.iter().take(3).map(|name| short(name)).collect();
        let more = if count > names.len() { format!(" and {} more", count - names.len()) } else { String::new() };
        let _ = writeln!(out, "{who} broken by `{}`: {}{more}", one_line(&group.signature), names.join(", "));
    }
    if !ledger.failures.is_empty() {
        out.push('\n');
    }
    out.push_str(&summary(ledger));
    out
}

/// The ledger as JSON, with counts by outcome.
///
/// # Errors
/// Where a value can't be written as JSON, which no ledger is known to cause.
pub fn ledger_json(ledger: &Ledger) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Versioned<'a> {
        schema_version: u32,
        counts: BTreeMap<&'static str, usize>,
        #[serde(flatten)]
        ledger: &'a Ledger,
    }
    let text = serde_json::to_string_pretty(&Versioned {
        schema_version: SCHEMA_VERSION,
        counts: counts(ledger).into_iter().map(|(outcome, count)| (outcome.as_str(), count)).collect(),
        ledger,
    })?;
    Ok(escaped(&text))
}

/// JSON whose strings hold no character that a terminal obeys. JSON itself escapes only
/// the first 32 of them, and these stand nowhere but in strings.
pub(super) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let shown = |byte: u8| byte == b'\n' || (b' '..=b'~').contains(&byte);
    let mut rest = json;
    // Nearly all of it is shown, and copied in long runs.
    while let Some(at) = rest.bytes().position(|byte| !shown(byte)) {
        let (run, from) = rest.split_at(at);
        out.push_str(run);
        let mut chars = from.chars();
        match chars.next() {
            Some(c) if obeyed(c) => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.extend(c),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// Whether a terminal obeys a character instead of showing it: control characters, those
/// of the second set included, and those that turn the direction of writing.
pub(super) fn obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How many consumers have each outcome, in the order for people; zeros left out.
pub fn counts(ledger: &Ledger) -> Vec<(Outcome, usize)> {
    let count = |outcome: Outcome| {
        let rows = ledger.rows.iter().filter(|row| row.outcome == outcome);
        (outcome, rows.count())
    };
    let all = Outcome::ALL.into_iter().map(count);
    all.filter(|(_, count)| *count > 0).collect()
}

/// The most columns that a name takes of those beside it.
const WIDEST: usize = 48;

const HEAD: [&str; 5] = ["consumer", "outcome", "wave", "owner", "reason"];

fn rows(ledger: &Ledger, layout: Layout) -> String {
    let cells: Vec<[String; 5]> = ledger.rows.iter().map(cells).collect();
    let mut widths = HEAD.map(str::len);
    for row in &cells {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.chars().count());
        }
    }
    // One long name does not push everybody else aside.
    widths.iter_mut().take(4).for_each(|width| *width = (*width).min(WIDEST));
    let fixed: usize = widths.iter().take(4).map(|width| width + 2).sum();
    // A reason always has some room, also where the terminal is too narrow for it.
    let room = layout.width.map(|width| width.saturating_sub(fixed).max(24));
    let mut out = String::new();
    line(&mut out, &HEAD.map(str::to_owned), &widths, room, |_| Style::new().bold(), layout);
    for (row, cells) in ledger.rows.iter().zip(&cells) {
        let style = |column| match column {
            1 => style_of(row.outcome),
            4 => Style::new().dimmed(),
            _ => Style::new(),
        };
        line(&mut out, cells, &widths, room, style, layout);
    }
    out
}

fn cells(row: &LedgerRow) -> [String; 5] {
    [
        short(&row.entity).to_owned(),
        row.outcome.to_string(),
        row.wave.map_or_else(|| "-".to_owned(), |wave| wave.to_string()),
        row.owner.as_deref().map_or("-", short).to_owned(),
        one_line(&row.reason),
    ]
}

fn line(
    out: &mut String,
    cells: &[String; 5],
    widths: &[usize; 5],
    room: Option<usize>,
    style: impl Fn(usize) -> Style,
    layout: Layout,
) {
    for (column, (text, width)) in cells.iter().zip(widths).enumerate() {
        let last = column + 1 == cells.len();
        let text = match room.filter(|_| last) {
            Some(room) => cut(text, room),
            None => text.clone(),
        };
        let pad = if last { 0 } else { (width + 2).saturating_sub(text.chars().count()).max(2) };
        if layout.color {
            let style = style(column);
            let _ = write!(out, "{style}{text}{style:#}");
        } else {
            out.push_str(&text);
        }
        out.extend(std::iter::repeat_n(' ', pad));
    }
    out.push('\n');
}

pub(super) fn style_of(outcome: Outcome) -> Style {
    let color = match outcome {
        Outcome::Changed => AnsiColor::Green,
        Outcome::Annotated | Outcome::Pending | Outcome::Unverified => AnsiColor::Yellow,
        Outcome::Unchanged => return Style::new().dimmed(),
        Outcome::RolledBack | Outcome::Refused | Outcome::Unresolved => AnsiColor::Magenta,
        Outcome::Regressed | Outcome::Errored => AnsiColor::Red,
    };
    color.on_default()
}

/// What the default kind and namespace add says nothing to people.
fn short(entity: &str) -> &str {
    let name = entity.strip_prefix("component:default/");
    name.or_else(|| entity.strip_prefix("group:default/")).unwrap_or(entity)
}

/// A consumer as it is typed: a name that begins with a dash would be taken for an option.
fn typed(entity: &str) -> &str {
    let name = short(entity);
    if name.starts_with('-') { entity } else { name }
}

/// Reasons may quote what others wrote: no line break and no escape gets through.
pub fn one_line(text: &str) -> String {
    // As nearly all are: a ledger has thousands.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !text.contains("  ") && text.trim() == text {
        return text.to_owned();
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().map(|c| if obeyed(c) { '\u{fffd}' } else { c }).collect()
}

/// As [`one_line`], of code: its white space stays.
pub fn code_line(text: &str) -> String {
    text.chars().map(|c| if c != '\t' && obeyed(c) { '\u{fffd}' } else { c }).collect()
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// How a wave went, in one line: `wave 1 (1): 1 consumer, passed: …`.
pub fn wave_line(wave: &WaveReport, layout: Layout) -> String {
    let (word, reason, color) = match &wave.state {
        WaveState::Planned => ("not opened", "", None),
        WaveState::Running => ("open", "", Some(AnsiColor::Yellow)),
        WaveState::Baking | WaveState::Judging => ("baking", "", Some(AnsiColor::Yellow)),
        WaveState::Passed(reason) => ("passed", reason.as_str(), Some(AnsiColor::Green)),
        WaveState::Inconclusive(reason) => ("inconclusive", reason.as_str(), Some(AnsiColor::Yellow)),
        WaveState::Failed(reason) => ("failed", reason.as_str(), Some(AnsiColor::Red)),
        WaveState::RollingBack(reason) => ("rolling back", reason.as_str(), Some(AnsiColor::Red)),
        WaveState::RolledBack(reason) => ("rolled back", reason.as_str(), Some(AnsiColor::Red)),
    };
    let style = color.map_or_else(Style::new, AnsiColor::on_default);
    let word = if layout.color { format!("{style}{word}{style:#}") } else { word.to_owned() };
    let members = counted(wave.members.len(), "consumer");
    let mut line = format!("wave {} ({}): {members}, {word}", wave.number, wave.label);
    if !reason.is_empty() {
        let _ = write!(line, ": {}", one_line(reason));
    }
    line
}

/// Counts by outcome, where the rollout stands, and what to do next.
pub fn summary(ledger: &Ledger) -> String {
    let total = counted(ledger.rows.len(), "consumer");
    let counts = counts(ledger);
    let parts: Vec<String> = counts.iter().map(|(o, n)| format!("{n} {o}")).collect();
    let mut out = format!("{total}: {}\n", parts.join(", "));
    if ledger.waves.is_empty() && matches!(ledger.end, RunEnd::Complete) {
        out.push_str("There is no change set to deliver.");
    } else {
        out.push_str(&next(ledger));
    }
    out.push('\n');
    if let Some(controller) = &ledger.at_work {
        let _ = writeln!(out, "{} is at work.", one_line(controller));
    }
    if let Some(pause) = ledger.paused.as_ref().filter(|_| !matches!(ledger.end, RunEnd::Paused { by: Some(_), .. })) {
        let (who, why) = (one_line(&pause.actor), one_line(&pause.reason));
        let _ = writeln!(out, "It is paused, too, by {who}: {why}. `gander resume` ends that.");
    }
    for (outcome, _) in counts {
        if let Some(hint) = hint(outcome) {
            let mut all = ledger.rows.iter().filter(|row| row.outcome == outcome);
            let name = all.next().map_or("CONSUMER", |row| typed(&row.entity));
            let more = match all.count() {
                more if more > 0 && hint.contains("NAME") => format!(" ({more} more)"),
                _ => String::new(),
            };
            let _ = writeln!(out, "  {outcome}: {}{more}", hint.replace("NAME", &one_line(name)));
        }
    }
    out
}

/// What became of it, and what to do next.
fn next(ledger: &Ledger) -> String {
    match &ledger.end {
        RunEnd::Complete => passed(ledger),
        RunEnd::RolledBack { wave, reason } => rolled_back(ledger, *wave, reason),
        RunEnd::Stopped { wave, reason } => format!(
            "Wave {wave} failed ({}), and its change sets stay as they are. Decide: `gander rollback --wave {wave}`; \
             mend or `gander exclude` consumers, then `gander retry --wave {wave}`; or mend the rules, then \
             `gander run --replan`.",
            one_line(reason)
        ),
        RunEnd::Paused { wave, reason, by: Some(_) } => format!(
            "Wave {wave} is {}. What is out is watched on, and taken back where it fails; `gander resume` ends the pause.",
            one_line(reason)
        ),
        RunEnd::Paused { wave: 0, reason, by: None } => format!("A person has to look: {}.", one_line(reason)),
        RunEnd::Paused { reason, by: None, .. } if all_passed(ledger) => {
            format!("A person has to look: {}.", one_line(reason))
        }
        RunEnd::Paused { wave, reason, by: None } => format!(
            "Wave {wave} is paused: {}. A person has to look; `gander run` goes on once its gates can tell, \
             and `--retry` verifies again what said nothing.",
            one_line(reason)
        ),
        RunEnd::Waiting { wave, waits, .. } if waits.is_empty() && ledger.at_work.is_some() => {
            format!("Wave {wave} is worked on.")
        }
        RunEnd::Waiting { wave: 0, reason, .. } => format!("Nothing is done yet: {}.", one_line(reason)),
        RunEnd::Waiting { wave, waits, reason } => {
            let until = waits.iter().filter_map(|wait| wait.until).max();
            let until = until.map(|until| format!(" until {}", super::history::when(until))).unwrap_or_default();
            let what = if all_passed(ledger) {
                "Every wave passed, and this waits".to_owned()
            } else {
                format!("Wave {wave} waits")
            };
            format!("{what}{until}: {}. `gander run` goes on.", one_line(reason))
        }
    }
}

/// Every wave passed; what makes the run end with 1 all the same is said with it.
fn passed(ledger: &Ledger) -> String {
    let errored = ledger.rows.iter().filter(|row| row.outcome == Outcome::Errored).count();
    let stuck = ledger.rows.iter().filter(|row| row.outcome != Outcome::Errored && is_not_corrected(row)).count();
    let left: Vec<String> = [(errored, "errored"), (stuck, "not corrected")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    match left.is_empty() {
        true => "Every wave passed.".to_owned(),
        false => format!("Every wave passed, and a person has to look at what is left: {}.", left.join(", ")),
    }
}

fn all_passed(ledger: &Ledger) -> bool {
    ledger.waves.iter().all(|wave| matches!(wave.state, WaveState::Passed(_)))
}

/// The states of those with whom a change set is.
const OUT: [&str; 6] = ["delivered", "baking", "healthy", "superseded", "edited", "revert-conflict"];

fn rolled_back(ledger: &Ledger, wave: u32, reason: &str) -> String {
    let back = |one: &&WaveReport| matches!(one.state, WaveState::RolledBack(_));
    let first = ledger.waves.iter().find(back).map_or(wave, |one| one.number);
    let reason = one_line(reason);
    let mut text = if reason.starts_with(rollout::BY_HAND) {
        let them = if first == wave { "it" } else { "them all" };
        format!(
            "Wave {wave} was {reason}, and later waves stay closed. `gander retry --wave {first}` tries {them} again."
        )
    } else {
        format!(
            "Wave {wave} was rolled back ({reason}), and later waves stay closed. Mend the rules, then \
             `gander run --replan`; or mend or `gander exclude` consumers, then `gander retry --wave {first}`."
        )
    };
    let open = |one: &&WaveReport| {
        let closed = matches!(one.state, WaveState::Planned | WaveState::RolledBack(_) | WaveState::RollingBack(_));
        // One that was opened may have nothing out yet.
        let is_out = |row: &LedgerRow| OUT.contains(&row.state.as_str());
        let any_out = ledger.rows.iter().any(|row| row.wave == Some(one.number) && is_out(row));
        one.number > first && !closed && any_out
    };
    let named = |one: &WaveReport| match &one.state {
        WaveState::Passed(_) => format!("wave {}, which passed", one.number),
        _ => format!("wave {}, which is watched on", one.number),
    };
    let out: Vec<String> = ledger.waves.iter().filter(open).map(named).collect();
    if !out.is_empty() {
        let _ = write!(text, "\nStill out: {}. `gander rollback --all` takes that back, too.", out.join("; "));
    }
    text
}

fn hint(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Changed | Outcome::Unchanged | Outcome::Pending | Outcome::RolledBack => None,
        Outcome::Annotated => Some("a person finishes these; `gander show NAME` lists the places"),
        Outcome::Regressed => Some("`gander show NAME` shows the step that turned red"),
        Outcome::Unverified => Some(
            "give them steps that are green, or let them out: by [policy], or by `gander approve` where their rows ask for it; see `gander show NAME`",
        ),
        Outcome::Refused => Some("`gander show NAME` says what stands in the way"),
        Outcome::Unresolved => Some("correct where the catalog says that their code lies"),
        Outcome::Errored => Some("a person has to look: `gander show NAME`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::Counts;

    fn row(name: &str, outcome: Outcome, wave: Option<u32>, reason: &str) -> LedgerRow {
        LedgerRow {
            outdated: None,
            entity: format!("component:default/{name}"),
            owner: Some("group:default/ads".to_owned()),
            workspace: None,
            wave,
            outcome,
            reason: reason.to_owned(),
            verdict: None,
            evidence: None,
            flags: Vec::new(),
            files: 1,
            left: 0,
            change_set: None,
            branch: None,
            state: String::new(),
        }
    }

    fn example() -> Ledger {
        Ledger {
            failures: Vec::new(),
            rows: vec![
                row("ads", Outcome::Changed, Some(1), "every step stayed green"),
                row("billing-service", Outcome::Regressed, Some(2), "test: exit\u{1b}[31m code\n1"),
                row("crm", Outcome::Unresolved, None, "no such folder"),
            ],
            waves: vec![
                WaveReport {
                    number: 1,
                    label: "1".to_owned(),
                    state: WaveState::Passed("1 passed".to_owned()),
                    counts: Counts::default(),
                    members: vec!["component:default/ads".to_owned()],
                },
                WaveReport {
                    number: 2,
                    label: "100%".to_owned(),
                    state: WaveState::RolledBack("1 of 1 regressed, 0 allowed".to_owned()),
                    counts: Counts::default(),
                    members: vec!["component:default/billing-service".to_owned()],
                },
            ],
            end: RunEnd::RolledBack { wave: 2, reason: "1 of 1 regressed, 0 allowed".to_owned() },
            at_work: None,
            paused: None,
        }
    }

    const PLAIN: Layout = Layout { color: false, width: None };

    #[test]
    fn the_ledger_is_aligned_and_says_what_to_do() {
        insta::assert_snapshot!(ledger_text(&example(), PLAIN), @r"
        consumer         outcome     wave  owner  reason
        ads              changed     1     ads    every step stayed green
        billing-service  regressed   2     ads    test: exit�[31m code 1
        crm              unresolved  -     ads    no such folder

        wave 1 (1): 1 consumer, passed: 1 passed
        wave 2 (100%): 1 consumer, rolled back: 1 of 1 regressed, 0 allowed

        3 consumers: 1 changed, 1 regressed, 1 unresolved
        Wave 2 was rolled back (1 of 1 regressed, 0 allowed), and later waves stay closed. Mend the rules, then `gander run --replan`; or mend or `gander exclude` consumers, then `gander retry --wave 2`.
          regressed: `gander show billing-service` shows the step that turned red
          unresolved: correct where the catalog says that their code lies
        ");
    }

    #[test]
    fn waves_that_passed_are_not_all_that_is_said_where_a_person_has_to_look() {
        let mut ledger = Ledger { end: RunEnd::Complete, ..example() };
        assert_eq!(next(&ledger), "Every wave passed.");
        ledger.rows[0].outdated = Some(format!("{}later commits changed the same lines", rollout::NOT_CORRECTED));
        ledger.rows[1].outcome = Outcome::Errored;
        let left = "Every wave passed, and a person has to look at what is left: 1 errored, 1 not corrected.";
        assert_eq!(next(&ledger), left);
    }

    #[test]
    fn long_names_and_names_like_options_are_in_nobodys_way() {
        let mut ledger = example();
        ledger.rows[0].entity = format!("component:default/{}", "n".repeat(300));
        ledger.rows[1].entity = "component:default/-rf".to_owned();
        let text = ledger_text(&ledger, PLAIN);
        let short = text.lines().find(|line| line.starts_with("crm")).unwrap();
        assert!(short.len() < 100, "{short}");
        assert!(text.contains("`gander show component:default/-rf`"), "{text}");
    }

    #[test]
    fn narrow_terminals_cut_reasons_and_colors_come_only_when_asked() {
        let narrow = Layout { color: false, width: Some(60) };
        assert!(rows(&example(), narrow).lines().all(|line| line.chars().count() <= 72));
        assert!(!ledger_text(&example(), PLAIN).contains('\u{1b}'));
        let colored = ledger_text(&example(), Layout { color: true, width: None });
        assert!(colored.contains("\u{1b}[31mregressed\u{1b}[0m"));
        assert!(!colored.contains("exit\u{1b}[31m"), "no foreign escapes");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through_and_all_else_does() {
        let text = "a\u{7f}b\n\u{202e}é\u{9b}2J 日本\u{2069}";
        assert_eq!(escaped(text), "a\\u007fb\n\\u202eé\\u009b2J 日本\\u2069");
        assert_eq!(escaped("plain"), "plain");
        for (text, line) in
            [(" a  b\n c ", "a b c"), ("a\u{1b}[31mé", "a\u{fffd}[31mé"), ("as it is", "as it is"), (" ", ""), ("", "")]
        {
            assert_eq!(one_line(text), line);
        }
    }

    #[test]
    fn json_has_counts_and_rows() {
        let text = ledger_json(&example()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["counts"]["regressed"], 1);
        assert_eq!(value["rows"][0]["outcome"], "changed");
        assert_eq!(value["end"]["kind"], "rolled-back");
        assert_eq!(value["schema_version"], 1);
    }
}
