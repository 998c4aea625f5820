//! `gander find --explain`: why a pattern matches nothing.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::Exit;
use super::screen::Screen;
use super::walk::{each, with_bytes};
use crate::language;
use crate::pattern::{Nearest, Pattern, nearest};
use crate::report::table::counted;
use crate::tree::parse;

/// What a file holds of it.
enum Found {
    Match((u32, u32)),
    Near(Nearest, String),
    Nothing,
}

/// Says where the pattern matches first, or which code comes nearest and where it differs.
pub(super) fn explain(pattern: &Pattern, paths: &[PathBuf], screen: &Screen) -> Result<Exit, Exit> {
    let spoken = |path: &Path| language::of_path(path).is_some_and(|l| std::ptr::eq(l, pattern.language));
    let work = |path: &Path, found: Option<&Metadata>| {
        with_bytes(path, found, |bytes, _| {
            let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
            let tree = parse(pattern.language, text).map_err(|error| error.to_string())?;
            if let Some(node) = tree.iter().find(|node| pattern.matches(*node).is_some()) {
                return Ok(Found::Match(node.line_column()));
            }
            Ok(nearest(pattern, &tree).map_or(Found::Nothing, |near| Found::Near(near, text.to_owned())))
        })?
    };
    let (mut matched, mut best): (usize, Option<(PathBuf, Nearest, String)>) = (0, None);
    let files = each(paths, screen, spoken, work, |path, found: Result<Found, String>| {
        match found {
            Ok(Found::Match((line, column))) => {
                matched += 1;
                if matched == 1 {
                    screen.result(format!("{}:{line}:{column}: it matches\n", path.display()));
                }
            }
            Ok(Found::Near(near, text)) if best.as_ref().is_none_or(|(_, best, _)| near.agreed > best.agreed) => {
                best = Some((path.to_owned(), near, text));
            }
            Ok(_) => {}
            Err(why) => screen.diagnostic(format!("warning: {}: {why}", path.display())),
        }
        Ok(())
    })?;
    if matched > 0 {
        screen.note(format!("it matches in {} of {}", matched, counted(files, "file")));
        return Ok(Exit::Done);
    }
    let title = format!("`{}` matches nothing in {}", pattern.source, counted(files, "file"));
    screen.result(format!("{}\n", shown(pattern, &title, best.as_ref(), screen)));
    Ok(Exit::Negative)
}

/// The difference, in the code that comes nearest.
fn shown(pattern: &Pattern, title: &str, best: Option<&(PathBuf, Nearest, String)>, screen: &Screen) -> String {
    let renderer = if screen.color { Renderer::styled() } else { Renderer::plain() };
    let title = Level::NOTE.primary_title(title.to_owned());
    let path = best.map_or_else(String::new, |(file, ..)| file.display().to_string());
    let mut group = match best {
        Some((_, near, text)) => {
            let next = text[near.at.start..].chars().next().map_or(0, char::len_utf8);
            let mark = AnnotationKind::Primary.span(near.at.start..near.at.end.max(near.at.start + next));
            let mark = mark.label(near.difference.as_str());
            title.element(Snippet::source(text.as_str()).path(path.as_str()).annotation(mark))
        }
        None => {
            let kind = format!("it was read as {}, and no code there is of its kind", pattern.context);
            title.element(Level::NOTE.message(kind))
        }
    };
    if pattern.source.contains("...") {
        group = group.element(Level::HELP.message("`...` is code here; `$$$` stands for any number of neighbours"));
    }
    let tree = format!("`gander tree --lang {} --pattern '…'` shows how it is understood", pattern.language.facts.name);
    renderer.render(&[group.element(Level::HELP.message(tree))]).to_string()
}
