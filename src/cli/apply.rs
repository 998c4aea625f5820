//! `gander apply`: rules over plain folders, without a migration.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Exit;
use super::known::{IndexFolder, Known};
use super::screen::{Screen, absolute};
use super::walk::{each, with_bytes};
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
    #[command(flatten)]
    rules: RuleFile,
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
    #[command(flatten)]
    index: IndexFolder,
}

/// A rule file outside of any migration, and what it asks for.
#[derive(clap::Args, Debug)]
pub(super) struct RuleFile {
    /// The rule file.
    rule: PathBuf,
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
    let rules = load(&args.rules, screen)?;
    let known =
        Known::open(&args.index, &args.paths, |language| rules.clauses(language).collect::<Vec<_>>().into_iter());
    let job = Job { rules: &rules, paths: &args.paths, known: &known, screen };
    let facts = job.facts(&BTreeMap::new())?;
    let restless = job.restless(&facts)?;
    let mut totals = Totals::default();
    let work = |path: &Path| -> Result<(FileReport, String), String> {
        let name = name(path)?;
        if known.rules_out(path) {
            return Ok((FileReport::default(), String::new()));
        }
        let now = Known::now();
        let (mut report, patch) = with_bytes(path, |bytes, meta| {
            known.learn(path, meta, bytes, now);
            let report = file(&rules, &facts, name, bytes);
            let shown = !args.no_diff && !args.json && !restless.contains_key(path);
            let patch =
                report.change.as_ref().filter(|_| shown).map(|change| patch(name, bytes, &change.bytes, screen));
            (report, patch.unwrap_or_default())
        })?;
        if let Some(rule) = restless.get(path) {
            report.refuse_as_unsettled(name, rule);
        }
        Ok((report, patch))
    };
    let read = each(
        &args.paths,
        screen,
        |path| speaks(&rules, path),
        work,
        |path, result| match result {
            Ok((report, patch)) => report_on(args, path, &report, patch, &mut totals, screen),
            Err(why) => {
                totals.errored += 1;
                screen.diagnostic(format!("error: {}: {why}", path.display()));
                Ok(())
            }
        },
    )?;
    known.save(|language| rules.speaks(language), screen);
    screen.note(format!(
        "{read} files searched, {} {}, {} edits, {} annotated, {} refused, {} errored",
        totals.changed,
        if args.write { "written" } else { "would change" },
        totals.edits,
        totals.annotated,
        totals.refused,
        totals.errored
    ));
    Ok(if totals.refused + totals.errored > 0 { Exit::Negative } else { Exit::Done })
}

pub(super) fn load(args: &RuleFile, screen: &Screen) -> Result<RuleSet, Exit> {
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

/// What is asked of all files together, before each is edited by itself.
struct Job<'a> {
    rules: &'a RuleSet,
    paths: &'a [PathBuf],
    known: &'a Known,
    screen: &'a Screen,
}

impl Job<'_> {
    /// Walks once more over all files that some rule can speak of, or that changed.
    fn each<T: Send>(
        &self,
        changed: &Changed,
        work: impl Fn(&Path) -> T + Sync,
        take: impl FnMut(&Path, T) -> Result<(), Exit> + Send,
    ) -> Result<(), Exit> {
        let wanted =
            |path: &Path| speaks(self.rules, path) && (changed.contains_key(path) || !self.known.rules_out(path));
        each(self.paths, self.screen, wanted, work, take).map(|_| ())
    }

    /// What the rules that collect learn from all files together.
    fn facts(&self, changed: &Changed) -> Result<Arc<Facts>, Exit> {
        let mut facts = Facts::default();
        if !self.rules.collects() {
            return Ok(Arc::default());
        }
        let learn = |path: &Path| {
            let name = name(path)?;
            with_bytes(path, |bytes, _| collect(self.rules, name, changed.get(path).map_or(bytes, Vec::as_slice)))?
                .map_err(|f| format!("{}:{}:{}: {}", f.path, f.line, f.column, f.message))
        };
        self.each(changed, learn, |_, learned| {
            facts.merge(learned.map_err(|why| {
                self.screen.diagnostic(format!("error: {why}"));
                Exit::Negative
            })?);
            Ok(())
        })?;
        Ok(Arc::new(facts))
    }

    /// Files that the rules would go on changing, given what the result of all files
    /// tells, and the rule that would. Where no rule collects, each file was checked by itself.
    fn restless(&self, before: &Arc<Facts>) -> Result<BTreeMap<PathBuf, String>, Exit> {
        let (mut changed, mut restless) = (Changed::new(), BTreeMap::new());
        if !self.rules.collects() {
            return Ok(restless);
        }
        let change = |path: &Path| {
            let report =
                with_bytes(path, |bytes, _| file(self.rules, before, name(path)?, bytes).change.ok_or(String::new()));
            report.flatten().ok()
        };
        self.each(&Changed::new(), change, |path, change| {
            changed.extend(change.map(|change| (path.to_owned(), change.bytes)));
            Ok(())
        })?;
        let after = self.facts(&changed)?;
        let unsettled = |path: &Path| {
            let of = |pinned: &[u8], _: &Metadata| {
                let bytes = changed.get(path).map_or(pinned, Vec::as_slice);
                transform::unsettled(self.rules, &after, name(path).ok()?, bytes)
            };
            with_bytes(path, of).ok()?
        };
        self.each(&changed, unsettled, |path, rule| {
            restless.extend(rule.map(|rule| (path.to_owned(), rule)));
            Ok(())
        })?;
        Ok(restless)
    }
}

/// Whether some rule could speak of a file, told from its name.
fn speaks(rules: &RuleSet, path: &Path) -> bool {
    crate::language::of_path(path).is_some_and(|l| rules.speaks(l))
}

fn name(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| "its name is not UTF-8".to_owned())
}

/// The change of a file for people.
fn patch(name: &str, before: &[u8], after: &[u8], screen: &Screen) -> String {
    let content = |bytes: &[u8]| Some(Content { bytes: bytes.to_vec(), executable: false });
    let version = FileVersion {
        path: name.trim_start_matches('/').to_owned(),
        before: content(before),
        after: content(after),
        renamed_from: None,
    };
    let patch = ChangeSet::new(&[version], "").change;
    super::plan::paint(&String::from_utf8_lossy(&patch), screen)
}

fn report_on(
    args: &Args,
    path: &Path,
    report: &FileReport,
    patch: String,
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
    screen.result(patch);
    if args.write { write(path, &change.bytes, screen) } else { Ok(()) }
}

fn write(path: &Path, bytes: &[u8], screen: &Screen) -> Result<(), Exit> {
    files::rewrite(&absolute(path), bytes).map_err(|error| {
        screen.diagnostic(format!("error: {error}"));
        Exit::Failed
    })
}
