//! `gander apply`: rules over plain folders, without a migration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::Exit;
use super::find::walk;
use super::screen::{Screen, absolute};
use crate::changeset::ChangeSet;
use crate::files;
use crate::rule::{Facts, RuleSet};
use crate::script::{self, Inputs};
use crate::transform::{self, FileReport, FindingKind, collect, file};
use crate::workspace::{Content, FileVersion};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander apply rules/python/typing.rhai src\n  \
                        gander apply rule.rhai . --write --mapping users=mapping/users.toml")]
pub(super) struct Args {
    /// The rule file.
    rule: PathBuf,
    /// Files and folders.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Write the files; without it, only the diff is shown.
    #[arg(long)]
    write: bool,
    /// One JSON object a file that changes or has findings.
    #[arg(long)]
    json: bool,
    /// Leave the diff out.
    #[arg(long)]
    no_diff: bool,
    /// A mapping table: `name=file.toml`.
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    mapping: Vec<(String, String)>,
    /// A parameter: `name=value`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    param: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Rhai recurses; see the limits of `script`.
const STACK: usize = 16 << 20;
/// Larger files are left alone.
const MAX_BYTES: u64 = 4 << 20;

/// What became of all files.
#[derive(Default)]
struct Totals {
    changed: usize,
    edits: usize,
    annotated: usize,
    refused: usize,
    errored: usize,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let rules = load(args, screen)?;
    let paths = walk(&args.paths, screen)?;
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build().map_err(|error| {
        screen.diagnostic(format!("error: no threads: {error}"));
        Exit::Failed
    })?;
    let failed = |why: String| {
        screen.diagnostic(format!("error: {why}"));
        Exit::Negative
    };
    let facts = pool.install(|| facts(&rules, &paths, &BTreeMap::new())).map_err(failed)?;
    let restless = pool.install(|| restless(&rules, &facts, &paths)).map_err(failed)?;
    let mut totals = Totals::default();
    let mut read = 0;
    // In portions, so that what is held in memory does not grow with the folder.
    for portion in paths.chunks(512) {
        let done: Vec<_> = pool.install(|| portion.par_iter().map(|path| one(&rules, &facts, path)).collect());
        for (path, result) in portion.iter().zip(done) {
            read += 1;
            match result {
                Ok((bytes, mut report)) => {
                    if let Some(rule) = restless.get(path) {
                        report.refuse_as_unsettled(&path.display().to_string(), rule);
                    }
                    report_on(args, path, &bytes, &report, &mut totals, screen)?;
                }
                Err(why) => {
                    totals.errored += 1;
                    screen.diagnostic(format!("error: {}: {why}", path.display()));
                }
            }
        }
    }
    screen.note(format!(
        "{read} files read, {} {}, {} edits, {} annotated, {} refused, {} errored",
        totals.changed,
        if args.write { "written" } else { "would change" },
        totals.edits,
        totals.annotated,
        totals.refused,
        totals.errored
    ));
    Ok(if totals.refused + totals.errored > 0 { Exit::Negative } else { Exit::Done })
}

fn load(args: &Args, screen: &Screen) -> Result<RuleSet, Exit> {
    let files: BTreeMap<String, PathBuf> =
        args.mapping.iter().map(|(name, file)| (name.clone(), PathBuf::from(file))).collect();
    let loaded = script::read(std::slice::from_ref(&args.rule)).and_then(|sources| {
        let mappings = script::read_mappings(&files)?;
        let parameters = args.param.iter().map(|(k, v)| (k.clone(), toml::Value::from(v.clone()))).collect();
        script::load(&sources, &Inputs { parameters, mappings, guide: None })
    });
    loaded.map_err(|errors| {
        screen.diagnostic(errors.render(screen.color_errors));
        Exit::Usage
    })
}

/// The bytes that files would have, by path.
type Changed = BTreeMap<PathBuf, Vec<u8>>;

/// Files that the rules would go on changing, given what the result of all files
/// tells, and the rule that would. Where no rule collects, each file was checked by itself.
fn restless(rules: &RuleSet, before: &Arc<Facts>, paths: &[PathBuf]) -> Result<BTreeMap<PathBuf, String>, String> {
    if !rules.collects() {
        return Ok(BTreeMap::new());
    }
    let change = |path: &PathBuf| Some((path.clone(), one(rules, before, path).ok()?.1.change?.bytes));
    let changed: Changed = paths.par_iter().filter_map(change).collect();
    let after = facts(rules, paths, &changed)?;
    let unsettled = |path: &PathBuf| {
        let (name, pinned) = read(rules, path).ok()??;
        let rule = transform::unsettled(rules, &after, name, changed.get(path).unwrap_or(&pinned))?;
        Some((path.clone(), rule))
    };
    Ok(paths.par_iter().filter_map(unsettled).collect())
}

/// What the rules that collect learn from all files together.
fn facts(rules: &RuleSet, paths: &[PathBuf], changed: &Changed) -> Result<Arc<Facts>, String> {
    if !rules.collects() {
        return Ok(Arc::default());
    }
    let learned: Vec<Result<Facts, String>> = paths
        .par_iter()
        .map(|path| {
            let Some((name, bytes)) = read(rules, path)? else { return Ok(Facts::default()) };
            collect(rules, name, changed.get(path).unwrap_or(&bytes))
                .map_err(|f| format!("{}:{}:{}: {}", f.path, f.line, f.column, f.message))
        })
        .collect();
    let mut facts = Facts::default();
    for one in learned {
        facts.merge(one?);
    }
    Ok(Arc::new(facts))
}

fn one(rules: &RuleSet, facts: &Arc<Facts>, path: &Path) -> Result<(Vec<u8>, FileReport), String> {
    let Some((name, bytes)) = read(rules, path)? else { return Ok((Vec::new(), FileReport::default())) };
    let report = file(rules, facts, name, &bytes);
    Ok((bytes, report))
}

/// The name and bytes of a file that some rule could speak of.
fn read<'p>(rules: &RuleSet, path: &'p Path) -> Result<Option<(&'p str, Vec<u8>)>, String> {
    let name = path.to_str().ok_or("its name is not UTF-8")?;
    let spoken = crate::language::of_path(path).is_some_and(|l| rules.speaks(l));
    if !spoken {
        return Ok(None);
    }
    let meta = std::fs::symlink_metadata(path).map_err(|e| e.to_string())?;
    if meta.len() > MAX_BYTES {
        return Err(format!("it is larger than {} MiB and was not searched", MAX_BYTES >> 20));
    }
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    Ok(Some((name, bytes)))
}

fn report_on(
    args: &Args,
    path: &Path,
    bytes: &[u8],
    report: &FileReport,
    totals: &mut Totals,
    screen: &Screen,
) -> Result<(), Exit> {
    let of = |kind: FindingKind| report.findings.iter().filter(|f| f.kind == kind).count();
    totals.annotated += of(FindingKind::Annotated);
    totals.refused += usize::from(of(FindingKind::Refused) > 0);
    totals.errored += usize::from(of(FindingKind::Errored) > 0);
    if args.json && !report.findings.is_empty() {
        let object = serde_json::json!({
            "path": path.display().to_string(),
            "findings": report.findings,
            "changed": report.change.is_some(),
        });
        screen.result(format!("{object}\n"));
    }
    for finding in &report.findings {
        let word = match finding.kind {
            FindingKind::Refused => "refused",
            FindingKind::Errored => "error",
            FindingKind::Annotated => "annotated",
            FindingKind::Mapped | FindingKind::Skipped => continue,
        };
        let place = format!("{}:{}:{}", finding.path, finding.line, finding.column);
        screen.diagnostic(format!("{word}: {place}: {} [{}]", finding.message, finding.rule));
    }
    let Some(change) = &report.change else { return Ok(()) };
    totals.changed += 1;
    totals.edits += change.edits.len();
    if !args.no_diff && !args.json {
        let content = |bytes: &[u8]| Some(Content { bytes: bytes.to_vec(), executable: false });
        let version = FileVersion {
            path: path.display().to_string().trim_start_matches('/').to_owned(),
            before: content(bytes),
            after: content(&change.bytes),
            renamed_from: None,
        };
        let patch = ChangeSet::new(&[version], "").change;
        screen.result(super::plan::paint(&String::from_utf8_lossy(&patch), screen));
    }
    if args.write { write(path, &change.bytes, screen) } else { Ok(()) }
}

fn write(path: &Path, bytes: &[u8], screen: &Screen) -> Result<(), Exit> {
    files::rewrite(&absolute(path), bytes).map_err(|error| {
        screen.diagnostic(format!("error: {error}"));
        Exit::Failed
    })
}
