//! `gander plan`.

use std::path::PathBuf;

use anstyle::AnsiColor;

use super::known::IndexFolder;
use super::screen::Screen;
use super::{Exit, MigrationFile};
use crate::clock::Clock;
use crate::pipeline::{self, Options, Part, PlannedRow, Shard};
use crate::report;
use crate::transform::Plan;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander plan fixtures/fleets/users-v2/migration.toml --only geo-lookup\n  \
                        gander plan migration.toml --waves\n  gander plan migration.toml --shard 3/16 --out parts/")]
pub(super) struct Args {
    #[command(flatten)]
    file: MigrationFile,
    /// Show only this consumer; may be given several times.
    #[arg(long, value_name = "CONSUMER")]
    only: Vec<String>,
    /// Leave the diff out.
    #[arg(long)]
    no_diff: bool,
    /// Show who would be in which wave, why, and what each wave can prove.
    #[arg(long, conflicts_with_all = ["out", "shard"])]
    waves: bool,
    /// What a changed rule or mapping alters: the same fleet by two migration files, with
    /// what is delivered already.
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["out", "shard", "json", "waves", "only", "word", "migration"])]
    diff: Vec<PathBuf>,
    /// The plan as JSON: the same bytes on every machine.
    #[arg(long)]
    json: bool,
    /// Threads that read and rewrite; the result is the same at any number.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Plan only this part of the fleet: which of how many.
    #[arg(long, value_name = "N/M")]
    shard: Option<Shard>,
    /// Write what was planned into a file for `gander merge`; in a folder it is named by its content.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["json", "only"])]
    out: Option<PathBuf>,
    #[command(flatten)]
    index: IndexFolder,
}

/// `gander plan --diff OLD NEW`.
fn compare(old: &std::path::Path, new: &std::path::Path, no_diff: bool, screen: &Screen) -> Result<Exit, Exit> {
    let (old, new) = (super::load_migration(old, screen)?, super::load_migration(new, screen)?);
    let altered = pipeline::compare(&old, &new, &Clock::System, &|p| screen.progress(&p));
    let altered = altered.map_err(|error| screen.failure(&error))?;
    for one in &altered {
        let consumers: Vec<&str> = one.consumers.iter().map(|consumer| consumer.as_str()).collect();
        let words = match one.words {
            (was, now) if was == now => now.to_owned(),
            (was, now) => format!("{was} → {now}"),
        };
        let delivered = one.delivered.as_ref().map(|state| format!(", {state}")).unwrap_or_default();
        let title = screen.styled(&format!("# {}: {words}{delivered}", consumers.join(", ")), AnsiColor::BrightBlack);
        screen.result(format!("{title}\n"));
        for line in one.why.lines() {
            screen.result(format!("{}\n", screen.styled(&format!("# {line}"), AnsiColor::BrightBlack)));
        }
        if !no_diff {
            screen.result(paint(&one.diff, screen));
        }
    }
    screen.note(format!("{} altered", crate::report::table::counted(altered.len(), "workspace")));
    Ok(Exit::Done)
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    if let [old, new] = args.diff.as_slice() {
        return compare(old, new, args.no_diff, screen);
    }
    let migration = args.file.load(screen)?;
    let index = args.index.asked();
    let only = super::run::consumers(&args.only, screen)?;
    let options = Options { threads: args.threads, shard: args.shard, index, only: only.clone(), ..Options::default() };
    let planned = pipeline::plan(&migration, &options, &Clock::System, &|p| screen.progress(&p));
    let planned = planned.map_err(|error| screen.failure(&error))?;
    if let Some(out) = &args.out {
        let shard = args.shard.unwrap_or(Shard { number: 1, of: 1 });
        super::merge::write(&Part::new(&migration, planned, shard), out, screen)?;
        return Ok(Exit::Done);
    }
    if args.waves {
        let waves = planned.waves(&migration);
        screen.result(if args.json { report::waves_json(&waves) } else { report::waves_text(&waves) });
        return Ok(Exit::Done);
    }
    if args.json {
        print_json(&planned.plan, screen)?;
        return Ok(Exit::Done);
    }
    let rows = planned.rows(&migration);
    let shown = || rows.iter().filter(|row| only.is_empty() || only.contains(row.entity));
    if !args.no_diff {
        let mut workspaces: Vec<usize> = shown().filter_map(|row| row.workspace).collect();
        workspaces.sort_unstable();
        workspaces.dedup();
        for index in workspaces {
            match planned.diff(index) {
                Ok(diff) if diff.is_empty() => {}
                // Two consumers may have the same paths. `git apply` passes over such a line.
                Ok(diff) => {
                    let title = format!("# {}", planned.fleet.workspaces[index].id);
                    let title = screen.styled(&title, AnsiColor::BrightBlack);
                    screen.result(format!("{title}\n{}", paint(&diff, screen)));
                }
                Err(error) => screen.diagnostic(format!("error: {error}")),
            }
        }
    }
    let rows: Vec<&PlannedRow<'_>> = shown().collect();
    print_rows(&rows, screen);
    Ok(Exit::Done)
}

pub(super) fn print_json(plan: &Plan, screen: &Screen) -> Result<(), Exit> {
    let text = serde_json::to_string_pretty(plan).map_err(|error| {
        screen.diagnostic(format!("error: the plan can't be written as JSON: {error}"));
        Exit::Failed
    })?;
    screen.result(format!("{text}\n"));
    Ok(())
}

pub(super) fn print_rows(rows: &[&PlannedRow<'_>], screen: &Screen) {
    let width = rows.iter().map(|row| row.entity.as_str().len()).max().unwrap_or(0);
    let lines: Vec<String> = rows.iter().map(|row| line(row, width, screen)).collect();
    screen.result(lines.concat());
}

fn line(row: &PlannedRow<'_>, width: usize, screen: &Screen) -> String {
    let wave = row.wave.map(|w| format!("wave {w}")).unwrap_or_default();
    let word = screen.styled(&format!("{:<10}", row.word), color(row.word));
    let left = row.left.first().map_or_else(String::new, |first| {
        let more = if row.left.len() > 1 { format!(" (and {} more)", row.left.len() - 1) } else { String::new() };
        format!("{}:{}: {}{more}", first.path, first.line, first.message)
    });
    let text = format!("{:<width$}  {word}  {wave:<7}  {}{left}", row.entity.as_str(), row.reason);
    format!("{}\n", text.trim_end())
}

fn color(word: &str) -> AnsiColor {
    match word {
        "changed" => AnsiColor::Green,
        "refused" | "errored" | "unresolved" => AnsiColor::Red,
        "annotated" => AnsiColor::Yellow,
        _ => AnsiColor::BrightBlack,
    }
}

/// Colours a patch line by line.
pub(super) fn paint(diff: &str, screen: &Screen) -> String {
    let line = |line: &str| match line.as_bytes().first() {
        Some(b'+') => screen.styled(line, AnsiColor::Green),
        Some(b'-') => screen.styled(line, AnsiColor::Red),
        Some(b'@') => screen.styled(line, AnsiColor::Cyan),
        _ => line.to_owned(),
    };
    diff.split_inclusive('\n')
        .map(|l| line(l.trim_end_matches('\n')) + if l.ends_with('\n') { "\n" } else { "" })
        .collect()
}
