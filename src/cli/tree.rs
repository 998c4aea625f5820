//! `gander tree`: the syntax tree of a file or a snippet, and how a pattern is understood.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::screen::Screen;
use super::{Exit, find};
use crate::language::Language;
use crate::pattern::{self, compile};
use crate::tree::{Node, PrintOptions, Tree, parse, print};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander tree src/main.rs --lines 3-5 --ranges\n  \
                        gander tree --lang python --code 'f(x, *rest)' --all\n  \
                        gander tree --lang java --pattern 'Outer.$X'\n  git show HEAD:a.py | gander tree - --lang python")]
pub(super) struct Args {
    /// The file; `-` is stdin.
    #[arg(required_unless_present_any = ["code", "pattern"])]
    file: Option<PathBuf>,
    /// A snippet instead of a file.
    #[arg(long, short, conflicts_with = "file", requires = "lang")]
    code: Option<String>,
    /// A pattern instead of a file: how it reads in each context of the language.
    #[arg(long, short, conflicts_with_all = ["file", "code"], requires = "lang")]
    pattern: Option<String>,
    /// The language, where a file's name does not tell.
    #[arg(long, short)]
    lang: Option<String>,
    /// Tokens too, not only named nodes.
    #[arg(long, short)]
    all: bool,
    /// Line and column ranges.
    #[arg(long, short)]
    ranges: bool,
    /// Only the nodes that begin on these lines: `12` or `12-15`.
    #[arg(long, value_name = "FROM-TO", value_parser = lines)]
    lines: Option<(u32, u32)>,
}

fn lines(text: &str) -> Result<(u32, u32), String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let number = |n: &str| n.trim().parse::<u32>().map_err(|_| format!("expected 12 or 12-15, not {text:?}"));
    let (from, to) = (number(from)?, number(to)?);
    if from == 0 || from > to {
        Err("lines count from 1, and the first comes first".to_owned())
    } else {
        Ok((from, to))
    }
}

/// Larger input is refused.
const MAX_BYTES: u64 = 4 << 20;

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let stdin = args.file.as_deref() == Some(Path::new("-"));
    let path = args.file.as_deref().unwrap_or(Path::new(""));
    let language = find::language(args.lang.as_deref(), path, screen)?;
    let options = PrintOptions { anonymous: args.all, ranges: args.ranges };
    if let Some(pattern) = &args.pattern {
        return readings(language, pattern, screen);
    }
    let shown = if args.code.is_some() || stdin { "the code".to_owned() } else { path.display().to_string() };
    let failed = |why: String| {
        screen.diagnostic(format!("error: {shown}: {why}"));
        Exit::Failed
    };
    let text = match &args.code {
        Some(code) => code.clone(),
        None if stdin => read_stdin().map_err(failed)?,
        None => find::read_text(path).map_err(failed)?,
    };
    let tree = parse(language, text).map_err(|error| failed(error.to_string()))?;
    for node in chosen(&tree, args.lines) {
        screen.result(print(&tree, node, options));
    }
    match tree.errors().next() {
        None => Ok(Exit::Done),
        Some(error) => {
            let (line, column) = error.line_column();
            let name = &language.facts.name;
            screen.diagnostic(format!("warning: {shown}:{line}:{column}: the {name} grammar can't read this"));
            Ok(Exit::Negative)
        }
    }
}

fn read_stdin() -> Result<String, String> {
    let mut text = String::new();
    std::io::stdin().take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|e| e.to_string())?;
    if text.len() as u64 > MAX_BYTES { Err(format!("it is larger than {} MiB", MAX_BYTES >> 20)) } else { Ok(text) }
}

/// The outermost nodes that begin on these lines; the whole tree without any.
fn chosen(tree: &Tree, lines: Option<(u32, u32)>) -> Vec<Node<'_>> {
    let Some((from, to)) = lines else { return vec![tree.root()] };
    let mut chosen: Vec<Node<'_>> = Vec::new();
    for node in tree.iter() {
        let within = (from..=to).contains(&node.line_column().0) && node.id.0 != 0;
        if within && !chosen.last().is_some_and(|last| last.contains(node)) {
            chosen.push(node);
        }
    }
    chosen
}

fn readings(language: &'static Language, pattern: &str, screen: &Screen) -> Result<Exit, Exit> {
    let wrong = |error: pattern::PatternError| {
        screen.diagnostic(format!("error: {error}"));
        Exit::Usage
    };
    let readings = pattern::readings(language, pattern).map_err(wrong)?;
    let chosen = compile(language, pattern, None);
    let mut seen: Vec<(String, String)> = Vec::new();
    for reading in readings {
        if let Some((first, _)) = seen.iter().find(|(_, tree)| reading.fits && *tree == reading.tree) {
            screen.result(format!("{}: the same as {first}\n", reading.context));
            continue;
        }
        let meant = chosen.as_ref().is_ok_and(|p| p.context == reading.context);
        let word = match (reading.fits, meant) {
            (_, true) => "this is meant",
            (true, false) => "reads otherwise",
            (false, false) => "does not read",
        };
        screen.result(format!("{}: {word}\n", reading.context));
        screen.result(reading.tree.lines().map(|line| format!("  {line}\n")).collect::<String>());
        if reading.fits {
            seen.push((reading.context, reading.tree));
        }
    }
    match chosen {
        Ok(_) => Ok(Exit::Done),
        Err(error) => {
            screen.diagnostic(format!("error: {error}"));
            Ok(Exit::Negative)
        }
    }
}
