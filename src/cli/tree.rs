//! `gander tree`.

use std::path::PathBuf;

use super::screen::Screen;
use super::{Exit, find};
use crate::tree::{PrintOptions, parse, print};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander tree src/main.rs\n  gander tree query.txt --lang sql --all --ranges")]
pub(super) struct Args {
    /// The file.
    file: PathBuf,
    /// Its language, where its name does not tell.
    #[arg(long, short)]
    lang: Option<String>,
    /// Tokens too, not only named nodes.
    #[arg(long, short)]
    all: bool,
    /// Line and column ranges.
    #[arg(long, short)]
    ranges: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let language = find::language(args.lang.as_deref(), &args.file, screen)?;
    let text = find::read_text(&args.file).map_err(|why| {
        screen.diagnostic(format!("error: {}: {why}", args.file.display()));
        Exit::Failed
    })?;
    let tree = parse(language, text).map_err(|error| {
        screen.diagnostic(format!("error: {}: {error}", args.file.display()));
        Exit::Failed
    })?;
    let options = PrintOptions { anonymous: args.all, ranges: args.ranges };
    screen.result(print(&tree, tree.root(), options));
    match tree.errors().next() {
        None => Ok(Exit::Done),
        Some(error) => {
            let (line, column) = error.line_column();
            screen.diagnostic(format!(
                "warning: {}:{line}:{column}: the {} grammar can't read this",
                args.file.display(),
                language.facts.name
            ));
            Ok(Exit::Negative)
        }
    }
}
