//! `gander merge`: the parts of a plan, put together.

use std::path::{Path, PathBuf};

use super::Exit;
use super::plan::{print_json, print_rows};
use super::screen::{Screen, absolute};
use crate::files;
use crate::pipeline::{Part, PlannedRow};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander merge parts/*.part")]
pub(super) struct Args {
    /// Files that `gander plan --shard N/M --out FILE` wrote, in any order.
    #[arg(required = true)]
    parts: Vec<PathBuf>,
    /// Write what they come to into a file, complete or not, to be merged further.
    #[arg(long, value_name = "PATH", conflicts_with = "json")]
    out: Option<PathBuf>,
    /// The plan as JSON: the same bytes as `gander plan --json` of the whole fleet.
    #[arg(long)]
    json: bool,
}

/// A part of a plan is not larger, in bytes.
const LARGEST_PART: u64 = 2 << 30;

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let mut merged: Option<Part> = None;
    for path in &args.parts {
        let wrong = |why: String| {
            screen.diagnostic(format!("error: {}: {why}", path.display()));
            Exit::Usage
        };
        let part = Part::from_bytes(&read(path).map_err(wrong)?).map_err(|error| wrong(error.to_string()))?;
        merged = Some(match merged {
            None => part,
            Some(before) => before.merge(part).map_err(|error| wrong(error.to_string()))?,
        });
    }
    let Some(merged) = merged else { return Err(Exit::Usage) };
    if let Some(out) = &args.out {
        write(&merged, out, screen)?;
        return Ok(Exit::Done);
    }
    let missing = merged.missing();
    if !missing.is_empty() {
        let numbers: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let (what, them) = if missing.len() == 1 { ("shard", "it") } else { ("shards", "them") };
        screen.diagnostic(format!(
            "error: {what} {} missing; plan {them} with `gander plan --shard`, or use --out to merge further",
            numbers.join(", ")
        ));
        return Ok(Exit::Negative);
    }
    merged.problems().iter().for_each(|problem| screen.diagnostic(format!("warning: {problem}")));
    let whole = merged.finish();
    if args.json {
        print_json(&whole.plan, screen)?;
    } else {
        let rows = whole.rows();
        print_rows(&rows.iter().collect::<Vec<&PlannedRow<'_>>>(), screen);
    }
    Ok(Exit::Done)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let meta = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if !meta.is_file() || meta.len() > LARGEST_PART {
        return Err("it is no file, or larger than any plan".to_owned());
    }
    std::fs::read(path).map_err(|e| e.to_string())
}

/// Writes a part whole or not at all, and says where.
pub(super) fn write(part: &Part, out: &Path, screen: &Screen) -> Result<(), Exit> {
    let failed = |why: String| {
        screen.diagnostic(format!("error: {why}"));
        Exit::Failed
    };
    let bytes = part.to_bytes().map_err(|error| failed(error.to_string()))?;
    let mut place = absolute(out);
    if place.is_dir() {
        place.push(format!("{}.part", crate::digest::Digest::of(&bytes)));
    }
    files::write_whole(&place, &bytes, false).map_err(|error| failed(error.to_string()))?;
    screen.result(format!("{}\n", place.display()));
    Ok(())
}
