//! `gander find`, and what it shares with other commands that read single files.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use anstyle::AnsiColor;

use super::known::{IndexFolder, Known};
use super::screen::Screen;
use super::walk::{Found, each, with_bytes};
use super::{Exit, nearest};
use crate::digest::DigestBuilder;
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
    /// Why it matches nothing: the code that comes nearest, and the first difference.
    #[arg(long, conflicts_with = "json")]
    explain: bool,
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
    if args.explain {
        return nearest::explain(&pattern, &args.paths, screen);
    }
    let fold = language.facts.case_insensitive;
    let clauses: Vec<Clause> = pattern.literals().iter().map(|l| Clause::one(l.clone(), fold)).collect();
    let required = clauses.clone();
    let sought = Sought { pattern, gate: Gate::new([clauses.as_slice()].into_iter()), all: Prefilter::new(&[clauses]) };
    let spoken = |path: &Path| language::of_path(path).is_some_and(|l| std::ptr::eq(l, language));
    let (mut matches, mut unread) = (0, 0);
    let known = Known::open(&args.index, &args.paths, |_| std::iter::once(required.as_slice()));
    // What is printed of a file depends on nothing else but the file.
    let asked = DigestBuilder::new("gander.find").field(&args.lang).field(&args.pattern);
    let asked = asked.field(args.context.as_deref().unwrap_or("")).field(crate::language::versions());
    let asked = asked.field(args.json.to_string()).field(screen.styled("x", AnsiColor::Magenta)).finish();
    let work = |path: &Path, found: Found<'_>| {
        if known.rules_out(path, found) {
            return Ok(Vec::new());
        }
        if let Some(lines) = known.answer(&asked, path, found).and_then(|known| serde_json::from_slice(known).ok()) {
            return Ok(lines);
        }
        let now = Known::now();
        let see = |bytes: &[u8], meta: &Metadata| {
            known.learn(path, meta, bytes, now);
            if !sought.may_match(bytes)? {
                return Ok(Vec::new());
            }
            let lines = search(path, bytes, &sought.pattern, args.json, screen)?;
            if let Ok(kept) = serde_json::to_vec(&lines) {
                known.keep(&asked, path, meta, now, kept);
            }
            Ok(lines)
        };
        with_bytes(path, found, see).flatten()
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

impl Sought {
    fn may_match(&self, bytes: &[u8]) -> Result<bool, String> {
        // Its names stand in other bytes, so that not finding them says nothing.
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Err(NO_TEXT.to_owned());
        }
        Ok(self.gate.passes(bytes) && self.all.scan(bytes).any())
    }
}

const NO_TEXT: &str = "it is not UTF-8";

fn search(path: &Path, bytes: &[u8], pattern: &Pattern, json: bool, screen: &Screen) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| NO_TEXT.to_owned())?;
    let tree = parse(pattern.language, text).map_err(|e| e.to_string())?;
    let mut lines = Vec::new();
    let kinds = pattern.root_kinds();
    for node in tree.iter().filter(|n| kinds.as_ref().is_none_or(|kinds| kinds.contains(&n.kind_id()))) {
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
    with_bytes(path, Found::Nothing, |bytes, _| String::from_utf8(bytes.to_vec()))?.map_err(|_| NO_TEXT.to_owned())
}
