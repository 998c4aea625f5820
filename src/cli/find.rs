//! `gander find`, and what it shares with other commands that read single files.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use anstyle::AnsiColor;

use super::Exit;
use super::known::{IndexFolder, Known};
use super::screen::Screen;
use super::walk::{each, with_bytes};
use crate::language::{self, Language};
use crate::pattern::{Pattern, compile};
use crate::report::table::counted;
use crate::rule::{Clause, Gate, Prefilter};
use crate::tree::parse;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander find -l python -p 'spark.read.table($TABLE)' src\n  \
                        gander find -l java -p 'Outer.$X' --context type .")]
pub(super) struct Args {
    /// The language of the pattern; only its files are searched.
    #[arg(long, short)]
    lang: String,
    /// Code with holes: `$X` is one node, `$$$X` any number.
    #[arg(long, short)]
    pattern: String,
    /// How to read the pattern (`expr`, `stmt`, …), where it reads in several ways.
    #[arg(long)]
    context: Option<String>,
    /// One JSON object a match.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    index: IndexFolder,
    /// Files and folders.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let language = language(Some(&args.lang), Path::new(""), screen)?;
    let pattern = compile(language, &args.pattern, args.context.as_deref()).map_err(|error| {
        screen.diagnostic(format!("error: {error}"));
        Exit::Usage
    })?;
    let fold = language.facts.case_insensitive;
    let clauses: Vec<Clause> = pattern.literals().iter().map(|l| Clause::one(l.clone(), fold)).collect();
    let required = clauses.clone();
    let sought = Sought { pattern, gate: Gate::new([clauses.as_slice()].into_iter()), all: Prefilter::new(&[clauses]) };
    let spoken = |path: &Path| language::of_path(path).is_some_and(|l| std::ptr::eq(l, language));
    let (mut matches, mut unread) = (0, 0);
    let known = Known::open(&args.index, &args.paths, |_| std::iter::once(required.as_slice()));
    let work = |path: &Path| {
        if known.rules_out(path) {
            return Ok(Vec::new());
        }
        let now = Known::now();
        let see = |bytes: &[u8], meta: &Metadata| {
            known.learn(path, meta, bytes, now);
            search(path, bytes, &sought, args.json, screen)
        };
        with_bytes(path, see).flatten()
    };
    let files = each(&args.paths, screen, spoken, work, |path, result| {
        match result {
            Ok(lines) => {
                matches += lines.len();
                screen.result(lines.concat());
            }
            Err(why) => {
                unread += 1;
                screen.diagnostic(format!("warning: {}: {why}", path.display()));
            }
        }
        Ok(())
    })?;
    known.save(|l| std::ptr::eq(l, language), screen);
    if unread > 0 {
        screen.note(format!("{unread} of {} not searched", counted(files, "file")));
    }
    Ok(if matches > 0 { Exit::Done } else { Exit::Negative })
}

/// A pattern, and what a file must hold for it to match.
struct Sought {
    pattern: Pattern,
    gate: Gate,
    all: Prefilter,
}

fn search(path: &Path, bytes: &[u8], sought: &Sought, json: bool, screen: &Screen) -> Result<Vec<String>, String> {
    let pattern = &sought.pattern;
    let no_text = || "it is not UTF-8".to_owned();
    // Its names stand in other bytes, so that not finding them says nothing.
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(no_text());
    }
    if !sought.gate.passes(bytes) || !sought.all.scan(bytes).any() {
        return Ok(Vec::new());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| no_text())?;
    let tree = parse(pattern.language, text).map_err(|e| e.to_string())?;
    let mut lines = Vec::new();
    for node in tree.iter().filter(|n| pattern.root_kind().is_none_or(|k| k == n.kind_id())) {
        if pattern.matches(node).is_none() {
            continue;
        }
        let (line, column) = node.line_column();
        let range = node.range();
        lines.push(if json {
            let object = serde_json::json!({
                "path": path.display().to_string(), "line": line, "column": column,
                "start": range.start, "end": range.end, "text": node.text(),
            });
            format!("{object}\n")
        } else {
            let first = node.text().lines().next().unwrap_or("");
            let place = screen.styled(&path.display().to_string(), AnsiColor::Magenta);
            format!("{place}:{line}:{column}: {first}\n")
        });
    }
    Ok(lines)
}

/// The language that is named, or that a file's name tells.
pub(super) fn language(name: Option<&str>, path: &Path, screen: &Screen) -> Result<&'static Language, Exit> {
    let found = match name {
        Some(name) => language::by_name(name),
        None => language::of_path(path),
    };
    found.ok_or_else(|| {
        screen.diagnostic(match name {
            Some(name) => format!("error: there is no language `{name}`\n  = help: {}", language::meant(name)),
            None => format!("error: {}: its name tells no language; give --lang", path.display()),
        });
        Exit::Usage
    })
}

/// The text of a file, if it is small enough and UTF-8.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    with_bytes(path, |bytes, _| String::from_utf8(bytes.to_vec()))?.map_err(|_| "it is not UTF-8".to_owned())
}
