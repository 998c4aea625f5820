//! Globs → folders, one consumer each.
//!
//! Must not: follow links out of the folders it walks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use super::candidate::Candidate;
use super::catalog;
use super::entity;
use super::locate::{Located, relative};
use super::location::Code;
use super::source::{Context, Found, Source};
use crate::workspace::EntityRef;

/// The deepest folder that `**` reaches.
const MAX_DEPTH: usize = 64;
/// The most folders that one migration may name.
const MAX_FOLDERS: usize = if cfg!(test) { 1_500 } else { 250_000 };

/// `folders = ["glob", …]`.
pub(super) struct Globs<'a>(pub(super) &'a [String]);

impl Source for Globs<'_> {
    fn label(&self, _: &Context<'_>) -> String {
        format!("folders {}", self.0.join(", "))
    }

    fn read(&self, cx: &Context<'_>) -> Found {
        let (folders, problems) = matching(self.0, cx.base);
        let mut found = Found { problems, ..Found::default() };
        add_folders(&folders, cx.base, cx.shown, &mut found);
        found
    }
}

/// The folders that match any of `globs`, which are relative to `base`, each
/// with the glob that found it first; and a problem for each glob without a match.
pub(super) fn matching(globs: &[String], base: &Path) -> (BTreeMap<PathBuf, String>, Vec<String>) {
    let (mut folders, mut problems) = (BTreeMap::new(), Vec::new());
    for glob in globs {
        let found = match expand(glob, base, &mut problems) {
            Ok(found) => found,
            Err(reason) => {
                problems.push(format!("folders = {glob:?}: {reason}"));
                continue;
            }
        };
        if found.is_empty() {
            problems.push(format!(
                "folders = {glob:?} matches no folder: correct it; it is relative to the migration file"
            ));
        }
        for folder in found {
            folders.entry(folder).or_insert_with(|| glob.clone());
        }
    }
    (folders, problems)
}

/// Of what can't be read there is a problem: a consumer may lie there.
fn expand(glob: &str, base: &Path, problems: &mut Vec<String>) -> Result<Vec<PathBuf>, String> {
    let (literal, pattern) = split(glob);
    let Ok(start) = base.join(&literal).canonicalize() else {
        return Ok(Vec::new());
    };
    if pattern.is_empty() {
        return Ok(start.is_dir().then_some(start).into_iter().collect());
    }
    let matcher = compile(&pattern)?;
    let depth = match pattern.contains("**") {
        true => MAX_DEPTH,
        false => pattern.split('/').count(),
    };
    let walk = WalkDir::new(&start).follow_links(false).min_depth(1).max_depth(depth);
    // Hidden folders hold tools and caches, `.git` and gander's own state among them.
    let shown = |entry: &DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    let mut found = Vec::new();
    for entry in walk.into_iter().filter_entry(shown) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = relative(error.path().unwrap_or(&start), base);
                problems.push(format!("folders = {glob:?}: {path} can't be read: check its permissions"));
                continue;
            }
        };
        let below = entry.path().strip_prefix(&start);
        if entry.file_type().is_symlink()
            && entry.path().is_dir()
            && below.as_ref().is_ok_and(|path| matcher.is_match(path))
        {
            let path = relative(entry.path(), base);
            problems.push(format!("folders = {glob:?}: {path} is a link, and is not followed: name the folder itself"));
        }
        if entry.file_type().is_dir() && below.is_ok_and(|path| matcher.is_match(path)) {
            found.push(entry.into_path());
        }
        if found.len() > MAX_FOLDERS {
            return Err(format!("matches more than {MAX_FOLDERS} folders: make it narrower"));
        }
    }
    Ok(found)
}

fn compile(pattern: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| format!("is not a glob: {}", error.kind()))
}

/// The part of a glob before its first component with a wildcard, and the rest.
fn split(glob: &str) -> (String, String) {
    let parts: Vec<&str> = glob.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let wild = |part: &&str| part.contains(['*', '?', '[', '{', '\\']);
    let at = parts.iter().position(wild).unwrap_or(parts.len());
    (parts[..at].join("/"), parts[at..].join("/"))
}

/// Makes each folder a consumer: the component that its catalog file describes,
/// or one that has the folder's name.
fn add_folders(
    folders: &BTreeMap<PathBuf, String>,
    base: &Path,
    shown: &(dyn Fn(&Path) -> String + Sync),
    found: &mut Found,
) {
    let described: Vec<_> = folders
        .par_iter()
        .map(|(folder, glob)| {
            let catalog = catalog::file_in(folder).map(|file| catalog::file(&file, folder, shown));
            (folder, glob, catalog.unwrap_or_default())
        })
        .collect();
    let mut names: BTreeMap<EntityRef, usize> = BTreeMap::new();
    for (folder, _, _) in &described {
        if let Some(name) = named(folder, None) {
            *names.entry(name).or_default() += 1;
        }
    }
    for (folder, glob, catalog) in described {
        found.problems.extend(catalog.problems);
        let because = format!("its folder matches {glob:?}");
        let located = folder_itself(folder);
        let component = |e: &&entity::Entity| e.reference.as_str().starts_with("component:");
        let entity = catalog.entities.iter().find(component).or(catalog.entities.first());
        let candidate = match entity {
            // Its folder is what was asked for, wherever its catalog file points.
            Some(entity) => Some(Candidate::described(entity, [because], shown).at(located)),
            None => alone(folder, base, &names)
                .map(|reference| Candidate::plain(reference, located).because(because, 0).nameless()),
        };
        match candidate {
            Some(candidate) => found.consumers.push(candidate),
            None => found.problems.push(format!("{}: can't name a consumer: rename the folder", shown(folder))),
        }
    }
}

/// The name of a folder that no catalog file describes: two folders of one name
/// are two consumers, each named after its whole path.
fn alone(folder: &Path, base: &Path, names: &BTreeMap<EntityRef, usize>) -> Option<EntityRef> {
    let plain = named(folder, None)?;
    match names.get(&plain) {
        Some(count) if *count > 1 => named(folder, Some(base)),
        _ => Some(plain),
    }
}

fn folder_itself(folder: &Path) -> Located {
    match folder.to_str() {
        Some(_) => Ok(Code::Folder(folder.to_path_buf())),
        None => Err("its folder has a path that is not UTF-8: rename it".to_owned()),
    }
}

/// The component that a folder without a catalog file stands for: named after
/// the folder, or after its whole path below `base`.
fn named(folder: &Path, base: Option<&Path>) -> Option<EntityRef> {
    let name = match base {
        Some(base) => relative(folder, base),
        None => folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
    };
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    let name = if name.is_empty() { "root".to_owned() } else { name };
    EntityRef::parse(&format!("component:default/{name}"), "component")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_heads_are_split_off() {
        let split = |glob| {
            let (head, tail) = split(glob);
            format!("{head}|{tail}")
        };
        assert_eq!(split("services/*/x"), "services|*/x");
        assert_eq!(split("../a/./b/"), "../a/b|");
        assert_eq!(split("*"), "|*");
    }
}
