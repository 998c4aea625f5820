//! `gander find --explain`: why a pattern matches nothing.

use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::Exit;
use super::screen::Screen;
use super::walk::{self, each, with_bytes};
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

/// What a file holds of it, and of its words, by their number.
type Seen = (Found, Vec<bool>);

/// Says where the pattern matches first, or which code comes nearest and where it differs.
pub(super) fn explain(pattern: &Pattern, paths: &[PathBuf], screen: &Screen) -> Result<Exit, Exit> {
    let spoken = |path: &Path| language::of_path(path).is_some_and(|l| std::ptr::eq(l, pattern.language));
    let work = |path: &Path, found: walk::Found<'_>| {
        with_bytes(path, found, |bytes, _| {
            let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
            let tree = parse(pattern.language, text).map_err(|error| error.to_string())?;
            let stands = |word: &String| match pattern.language.facts.case_insensitive {
                true => text.to_ascii_lowercase().contains(&word.to_ascii_lowercase()),
                false => text.contains(word.as_str()),
            };
            let words = pattern.literals().iter().map(stands).collect();
            let found = match tree.iter().find(|node| pattern.matches(*node).is_some()) {
                Some(node) => Found::Match(node.line_column()),
                None => nearest(pattern, &tree).map_or(Found::Nothing, |near| Found::Near(near, text.to_owned())),
            };
            Ok((found, words))
        })?
    };
    let (mut matched, mut best): (usize, Option<(PathBuf, Nearest, String)>) = (0, None);
    let mut words = vec![false; pattern.literals().len()];
    let files = each(paths, screen, spoken, work, |path, seen: Result<Seen, String>| {
        if let Ok((_, here)) = &seen {
            words.iter_mut().zip(here).for_each(|(word, here)| *word |= here);
        }
        match seen.map(|(found, _)| found) {
            Ok(Found::Match((line, column))) => {
                matched += 1;
                if matched == 1 {
                    screen.result(format!("{}:{line}:{column}: it matches\n", path.display()));
                }
            }
            Ok(Found::Near(near, text)) if best.as_ref().is_none_or(|(_, best, _)| near.rank() > best.rank()) => {
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
    if files == 0 {
        let facts = &pattern.language.facts;
        let names = facts.extensions.iter().map(|end| format!("*.{end}")).chain(facts.filenames.iter().cloned());
        let names = names.collect::<Vec<_>>().join(", ");
        screen.result(format!(
            "`{}` matches nothing: there is no file of {} here ({names})\n",
            pattern.source, facts.name
        ));
        return Ok(Exit::Negative);
    }
    let absent = pattern.literals().iter().zip(words).filter(|(_, there)| !there).map(|(word, _)| word.as_str());
    let absent: Vec<&str> = absent.collect();
    let none = match best.is_some() {
        true => "there is code of its kind, and none with its names".to_owned(),
        false => format!("it was read as {}, and no code there is of its kind", pattern.reading()),
    };
    // What has nothing of its names says nothing of it.
    let best = best.filter(|(_, near, _)| near.is_near());
    let title = format!("`{}` matches nothing in {}", pattern.source, counted(files, "file"));
    screen.result(format!("{}\n", shown(pattern, &title, &absent, best.as_ref().ok_or(none.as_str()), screen)));
    Ok(Exit::Negative)
}

/// The difference, in the code that comes nearest.
fn shown(
    pattern: &Pattern,
    title: &str,
    absent: &[&str],
    best: Result<&(PathBuf, Nearest, String), &str>,
    screen: &Screen,
) -> String {
    let renderer = if screen.color { Renderer::styled() } else { Renderer::plain() };
    let title = Level::NOTE.primary_title(title.to_owned());
    let path = best.map_or_else(|_| String::new(), |(file, ..)| file.display().to_string());
    let mut group = match best {
        Ok((_, near, text)) => {
            let next = text[near.at.start..].chars().next().map_or(0, char::len_utf8);
            let mark = AnnotationKind::Primary.span(near.at.start..near.at.end.max(near.at.start + next));
            let mark = mark.label(near.difference.as_str());
            title.element(Snippet::source(text.as_str()).path(path.as_str()).annotation(mark))
        }
        Err(_) if !absent.is_empty() => title.element(Level::NOTE.message("no code there comes near it")),
        Err(why) => title.element(Level::NOTE.message(why)),
    };
    for word in absent {
        group = group.element(Level::NOTE.message(format!("`{word}` stands in none of them")));
    }
    if best.is_ok_and(|(_, near, _)| near.difference.ends_with("the pattern has nothing more")) {
        group = group.element(Level::HELP.message("`$$$REST` at the end of the list stands for any number more"));
    }
    if pattern.source.contains("...") {
        group = group.element(Level::HELP.message("`...` is code here; `$$$` stands for any number of neighbours"));
    }
    let source = match pattern.source.contains('\n') {
        true => "PATTERN".to_owned(),
        false => format!("'{}'", pattern.source.replace('\'', "'\\''")),
    };
    let name = &pattern.language.facts.name;
    let tree = format!("`gander tree --lang {name} --pattern {source}` shows how it is understood");
    renderer.render(&[group.element(Level::HELP.message(tree))]).to_string()
}
