//! `gander apply`: rules over plain folders, without a migration.

mod builds;
mod held;
mod job;
mod place;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Exit;
use builds::Near;
use held::Held;
use job::Job;
use place::Place;

use super::known::{IndexFolder, Known};
use super::screen::{Screen, absolute};
use super::walk::{Found, each, with_bytes};
use crate::changeset::ChangeSet;
use crate::dependency::few;
use crate::files;
use crate::report::table::counted;
use crate::rule::{Facts, RuleSet};
use crate::rule_test::{self, Given};
use crate::script::{self, Inputs, ScriptError, ScriptErrors};
use crate::transform::{self, Fate, FileReport, FindingKind, file};
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
struct Totals<'n> {
    changed: usize,
    edits: usize,
    annotated: usize,
    refused: usize,
    errored: usize,
    created: usize,
    renamed: usize,
    deleted: usize,
    /// Matches that were left, and what is said of the first.
    skipped: usize,
    first_skip: Option<String>,
    /// The builds, where rules ask for them, and who edited something.
    near: Option<&'n Near>,
    editors: transform::Editors,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let rules = load(&args.rules, screen)?;
    let known =
        Known::open(&args.index, &args.paths, |language| rules.clauses(language).collect::<Vec<_>>().into_iter());
    let near = Near::read(&rules, &args.paths, screen)?;
    let job = Job { rules: &rules, paths: &args.paths, known: &known, screen, near: near.as_ref() };
    let facts = job.facts()?;
    let restless = job.restless(&facts)?;
    let mut totals = Totals { near: near.as_ref(), ..Totals::default() };
    let (mut waiting, mut edited, mut beside) = (Vec::new(), BTreeMap::new(), Vec::new());
    let work = |path: &Path, found: Found<'_>| -> Result<Done, String> {
        let place = Place::of(&args.paths, path)?;
        if !rules.spreads() && known.rules_out(path, found) {
            return Ok(Done::Itself(FileReport::default(), String::new()));
        }
        let now = Known::now();
        with_bytes(path, found, |bytes, meta| {
            known.learn(path, meta, bytes, now);
            let mut report = file(&rules, &facts, &place.name, bytes);
            if let Some(rule) = restless.get(path) {
                report.refuse_as_unsettled(&place.name, rule);
            }
            if report.moves_files() {
                return Done::Waits(Held::new(path, &place, bytes, meta, report));
            }
            let name = near.as_ref().map(|near| near.name(&place));
            // It is written once, with the versions that rules set in it.
            if let (Some(near), Some(name)) = (&near, &name)
                && near.builds.texts.contains_key(name)
            {
                return Done::Build(name.clone(), report);
            }
            let change = report.change.as_ref().filter(|_| args.shows_diff());
            let patch = change.map(|change| patch(&path.to_string_lossy(), bytes, &change.bytes, screen));
            Done::Itself(report, patch.unwrap_or_default())
        })
    };
    let read = each(
        &args.paths,
        screen,
        |path| speaks(&rules, path),
        work,
        |path, result| match result {
            Ok(Done::Itself(report, patch)) => {
                let rule = report.change.as_ref().and_then(|change| Some(change.edits.first()?.rule.clone()));
                edited.extend(rule.map(|rule| (path.to_owned(), rule)));
                totals.learn(args, path, &report);
                report_on(args, path, report, patch, &mut totals, screen)
            }
            Ok(Done::Build(name, report)) => {
                let rule = report.change.as_ref().and_then(|change| Some(change.edits.first()?.rule.clone()));
                edited.extend(rule.map(|rule| (path.to_owned(), rule)));
                totals.learn(args, path, &report);
                beside.push((name, report));
                Ok(())
            }
            Ok(Done::Waits(held)) => {
                waiting.push(held);
                Ok(())
            }
            Err(why) => {
                totals.errored += 1;
                screen.diagnostic(format!("error: {}: {why}", path.display()));
                Ok(())
            }
        },
    )?;
    known.save(|language| rules.speaks(language), screen);
    together(args, &rules, &facts, waiting, &edited, &mut totals, screen)?;
    if let Some(near) = &near {
        versions(args, &rules, near, beside, &mut totals, screen)?;
    }
    screen.note(totals.line(read, args.write));
    if let Some(first) = &totals.first_skip {
        let more = if totals.skipped > 1 { "; `--json` lists all" } else { "" };
        screen.note(format!("left as it is: {first}{more}"));
    }
    Ok(match () {
        () if totals.errored > 0 => Exit::Failed,
        () if totals.refused > 0 => Exit::Negative,
        () => Exit::Done,
    })
}

/// A file that was looked at.
enum Done {
    /// What becomes of it depends on no other file; the change for people.
    Itself(FileReport, String),
    /// It asks for whole files.
    Waits(Held),
    /// It is a file of a build, in which versions may be set as well; and its name there.
    Build(String, FileReport),
}

impl Args {
    fn shows_diff(&self) -> bool {
        !self.no_diff && !self.json
    }
}

impl Totals<'_> {
    fn line(&self, read: usize, written: bool) -> String {
        let mut line = format!(
            "{} searched, {} {}, {}, {} annotated, {} refused, {} errored",
            counted(read, "file"),
            self.changed,
            if written { "written" } else { "would change" },
            counted(self.edits, "edit"),
            self.annotated,
            self.refused,
            self.errored
        );
        let more = [
            (self.skipped, "skipped"),
            (self.created, "created"),
            (self.renamed, "renamed"),
            (self.deleted, "deleted"),
        ];
        for (number, word) in more {
            if number > 0 {
                line += &format!(", {number} {word}");
            }
        }
        line
    }
}

/// The files that asked for whole files, once all of them are known.
fn together(
    args: &Args,
    rules: &RuleSet,
    facts: &Arc<Facts>,
    mut waiting: Vec<Held>,
    edited: &BTreeMap<PathBuf, String>,
    totals: &mut Totals<'_>,
    screen: &Screen,
) -> Result<(), Exit> {
    let worlds = held::decide(rules, facts, &mut waiting, edited);
    for world in &worlds {
        let versions = held::versions(world, &waiting);
        if args.shows_diff() {
            let shown = |v: &FileVersion| FileVersion { path: shown_path(&world.root.join(&v.path)), ..v.clone() };
            let change = ChangeSet::new(&versions.iter().map(shown).collect::<Vec<_>>(), "").change;
            screen.result(super::plan::paint(&String::from_utf8_lossy(&change), screen));
        }
        totals.created += world.decided.new.len();
        if args.write {
            held::write(world, &versions).map_err(|errors| {
                errors.iter().for_each(|error| screen.diagnostic(format!("error: {error}")));
                Exit::Failed
            })?;
        }
    }
    for Held { path, mut report, .. } in waiting {
        match &report.fate {
            Fate::Stays => {}
            Fate::Moves { .. } => totals.renamed += 1,
            Fate::Goes { .. } => totals.deleted += 1,
        }
        totals.learn(args, &path, &report);
        totals.count_change(&report);
        say(args, &path, &mut report, totals, screen);
    }
    Ok(())
}

/// The versions that rules set where they edited something, beside what they edited in files of
/// builds themselves.
fn versions(
    args: &Args,
    rules: &RuleSet,
    near: &Near,
    beside: Vec<(String, FileReport)>,
    totals: &mut Totals<'_>,
    screen: &Screen,
) -> Result<(), Exit> {
    let editors = std::mem::take(&mut totals.editors);
    for (name, report) in transform::set_versions(rules, &near.builds, &editors, beside) {
        let path = near.path(&name);
        let text = near.builds.texts.get(&name).map_or("", String::as_str);
        if report.change.is_some() && std::fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            screen.diagnostic(format!("refused: {}: it changed since it was read; run this again", path.display()));
            totals.refused += 1;
            continue;
        }
        let shown = report.change.as_ref().filter(|_| args.shows_diff());
        let patch = shown.map(|change| patch(&path.to_string_lossy(), text.as_bytes(), &change.bytes, screen));
        report_on(args, &path, report, patch.unwrap_or_default(), totals, screen)?;
    }
    Ok(())
}

pub(super) fn load(args: &RuleFile, screen: &Screen) -> Result<RuleSet, Exit> {
    if !args.rule.exists() {
        named(&args.rule, screen)?;
    }
    let files: BTreeMap<String, PathBuf> =
        args.mapping.iter().map(|(name, file)| (name.clone(), PathBuf::from(file))).collect();
    let loaded = script::read(std::slice::from_ref(&args.rule)).and_then(|sources| {
        let mappings = script::read_mappings(&files)?;
        let parameters = args.param.iter().map(|(k, v)| (k.clone(), toml::Value::from(v.clone()))).collect();
        rule_test::load(&sources, &Inputs { parameters, mappings, ..Inputs::default() }, Given::ByHand)
    });
    let loaded = loaded.and_then(|rules| match rules.rules.is_empty() {
        true => {
            let error = ScriptError::of_file(&args.rule.display().to_string(), "declares no rules");
            Err(ScriptErrors(vec![error.hint("a module is imported by rule files: name one of them")]))
        }
        false => Ok(rules),
    });
    let loaded = loaded.inspect(|rules| {
        if let Some(hint) = rule_test::hint_of_unexampled(rules) {
            screen.note(format!("hint: {hint}"));
        }
    });
    loaded.map_err(|errors| {
        screen.diagnostic(errors.render(screen.color_errors));
        Exit::Usage
    })
}

/// Says where the rule is declared that somebody named in place of its file.
fn named(rule: &Path, screen: &Screen) -> Result<(), Exit> {
    let declared = format!("rule(\"{}\")", rule.display());
    let here = [PathBuf::from(".")];
    let mut files = Vec::new();
    let declares = |path: &Path, found: Found<'_>| {
        with_bytes(path, found, |bytes, _| memchr::memmem::find(bytes, declared.as_bytes()).is_some()).unwrap_or(false)
    };
    each(
        &here,
        screen,
        |path| path.extension().is_some_and(|end| end == "rhai"),
        declares,
        |path, declares| {
            files.extend(declares.then(|| path.strip_prefix(".").unwrap_or(path).display().to_string()));
            Ok(())
        },
    )?;
    if files.is_empty() {
        return Ok(());
    }
    let shown = few(files.iter().map(String::as_str));
    screen.diagnostic(format!(
        "error: {}: name a file of rules, not a rule's id: it is declared in {shown}",
        rule.display()
    ));
    Err(Exit::Usage)
}

/// Whether some rule could speak of a file, told from its name.
fn speaks(rules: &RuleSet, path: &Path) -> bool {
    crate::language::of_path(path).is_some_and(|l| rules.speaks(l))
}

/// The change of a file for people.
fn patch(path: &str, before: &[u8], after: &[u8], screen: &Screen) -> String {
    let content = |bytes: &[u8]| Some(Content { bytes: bytes.to_vec(), executable: false });
    let (before, after) = (content(before), content(after));
    let version = FileVersion { path: shown_path(Path::new(path)), before, after, renamed_from: None };
    let patch = ChangeSet::new(&[version], "").change;
    super::plan::paint(&String::from_utf8_lossy(&patch), screen)
}

/// A path as patches write it: git takes none with `./` in it.
fn shown_path(path: &Path) -> String {
    let parts = path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn report_on(
    args: &Args,
    path: &Path,
    mut report: FileReport,
    patch: String,
    totals: &mut Totals<'_>,
    screen: &Screen,
) -> Result<(), Exit> {
    say(args, path, &mut report, totals, screen);
    totals.count_change(&report);
    let Some(change) = &report.change else { return Ok(()) };
    screen.result(patch);
    if args.write { write(path, &change.bytes, screen) } else { Ok(()) }
}

impl Totals<'_> {
    /// Notes who edited a file, for the versions that are set after.
    fn learn(&mut self, args: &Args, path: &Path, report: &FileReport) {
        if let (Some(near), Ok(place)) = (self.near, Place::of(&args.paths, path)) {
            transform::edited(&mut self.editors, &near.name(&place), report);
        }
    }

    fn count_change(&mut self, report: &FileReport) {
        if let Some(change) = &report.change {
            self.changed += 1;
            self.edits += change.edits.len() - change.comments;
        }
    }
}

/// What the rules say of a file.
fn say(args: &Args, path: &Path, report: &mut FileReport, totals: &mut Totals<'_>, screen: &Screen) {
    let of = |kind: FindingKind| report.findings.iter().filter(|f| f.kind == kind).count();
    totals.annotated += of(FindingKind::Annotated);
    totals.refused += usize::from(of(FindingKind::Refused) > 0);
    totals.errored += usize::from(of(FindingKind::Errored) > 0);
    totals.skipped += of(FindingKind::Skipped);
    let shown = path.strip_prefix(".").unwrap_or(path).display().to_string();
    report.findings.iter_mut().for_each(|finding| finding.path.clone_from(&shown));
    if args.json && !report.findings.is_empty() {
        let object = serde_json::json!({
            "path": shown,
            "findings": report.findings,
            "changed": report.change.is_some() || report.moves_files(),
        });
        screen.result(format!("{object}\n"));
    }
    for finding in &report.findings {
        let word = match finding.kind {
            FindingKind::Refused => "refused",
            FindingKind::Errored => "error",
            FindingKind::Annotated => "annotated",
            FindingKind::Mapped => continue,
            FindingKind::Skipped => "",
        };
        let place =
            if finding.line == 0 { shown.clone() } else { format!("{shown}:{}:{}", finding.line, finding.column) };
        let told = format!("{place}: {} [{}]", finding.message, finding.rule);
        if finding.kind == FindingKind::Skipped {
            totals.first_skip.get_or_insert(told);
        } else {
            screen.diagnostic(format!("{word}: {told}"));
        }
    }
}

fn write(path: &Path, bytes: &[u8], screen: &Screen) -> Result<(), Exit> {
    files::rewrite(&absolute(path), bytes).map_err(|error| {
        screen.diagnostic(format!("error: {error}"));
        Exit::Failed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_takes_the_paths_of_a_patch() {
        let shown = |path: &str| shown_path(Path::new(path));
        assert_eq!([shown("./a/b.sql"), shown("/a/b"), shown("../a"), shown("a")], ["a/b.sql", "a/b", "../a", "a"]);
    }
}
