//! `gander find`, and what it shares with other commands that walk plain folders.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anstyle::AnsiColor;
use ignore::{DirEntry, WalkBuilder};
use rayon::prelude::*;

use super::Exit;
use super::screen::Screen;
use crate::files;
use crate::language::{self, Language};
use crate::pattern::{Pattern, compile};
use crate::rule::{Clause, Prefilter};
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
    /// Files and folders.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
}

/// Larger files are not searched; what was passed over is said.
const MAX_BYTES: u64 = 4 << 20;

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let language = language(Some(&args.lang), Path::new(""), screen)?;
    let pattern = compile(language, &args.pattern, args.context.as_deref()).map_err(|error| {
        screen.diagnostic(format!("error: {error}"));
        Exit::Usage
    })?;
    let fold = language.facts.case_insensitive;
    let clauses = pattern.literals().iter().map(|l| Clause::one(l.clone(), fold)).collect();
    let prefilter = Prefilter::new(&[clauses]);
    let spoken = |path: &Path| language::of_path(path).is_some_and(|l| std::ptr::eq(l, language));
    let files: Vec<PathBuf> = walk(&args.paths, screen)?.into_iter().filter(|p| spoken(p)).collect();
    let found: Vec<Result<Vec<String>, String>> =
        files.par_iter().map(|path| search(path, &pattern, &prefilter, args.json, screen)).collect();
    let (mut matches, mut unread) = (0, 0);
    for (path, result) in files.iter().zip(found) {
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
    }
    if unread > 0 {
        screen.note(format!("{unread} of {} files were not searched", files.len()));
    }
    Ok(if matches > 0 { Exit::Done } else { Exit::Negative })
}

fn search(
    path: &Path,
    pattern: &Pattern,
    prefilter: &Prefilter,
    json: bool,
    screen: &Screen,
) -> Result<Vec<String>, String> {
    let text = read_text(path)?;
    if !prefilter.scan(text.as_bytes()).any() {
        return Ok(Vec::new());
    }
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
            Some(name) => format!("error: there is no language `{name}`; `gander languages` lists them"),
            None => format!("error: {}: its name tells no language; give --lang", path.display()),
        });
        Exit::Usage
    })
}

/// The text of a file, if it is small enough and UTF-8.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    let meta = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("it is no file".to_owned());
    }
    if meta.len() > MAX_BYTES {
        return Err(format!("it is larger than {} MiB", MAX_BYTES >> 20));
    }
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// Every file below the paths, sorted; ignore files are obeyed, links not followed.
pub(super) fn walk(paths: &[PathBuf], screen: &Screen) -> Result<Vec<PathBuf>, Exit> {
    let mut files = Vec::new();
    for path in paths {
        if !path.exists() {
            screen.diagnostic(format!("error: {}: there is no such file or folder", path.display()));
            return Err(Exit::Usage);
        }
        if let Some(name) = files::barred_ignore(path) {
            screen.diagnostic(format!("error: {}: it is no file that lists what to ignore", path.join(name).display()));
            return Err(Exit::Failed);
        }
        let closed: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
        let shut = Arc::clone(&closed);
        let enter = move |entry: &DirEntry| {
            let barred = entry.file_type().is_some_and(|t| t.is_dir()).then(|| files::barred_ignore(entry.path()));
            if let (Some(Some(name)), Ok(mut shut)) = (barred, shut.lock()) {
                shut.push(entry.path().join(name));
                return false;
            }
            entry.file_name() != ".git"
        };
        let walker = WalkBuilder::new(path).hidden(false).follow_links(false).filter_entry(enter).build();
        for entry in walker {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|t| t.is_file()) => files.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => screen.diagnostic(format!("warning: {error}")),
            }
        }
        for path in closed.lock().iter().flat_map(|paths| paths.iter()) {
            let name = path.display();
            screen.diagnostic(format!(
                "warning: {name}: it is no file that lists what to ignore; its folder is left out"
            ));
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}
