//! Globs → folders, one consumer each.
//!
//! Must not: follow links out of the folders it walks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::{DirEntry, WalkDir};

/// The deepest folder that `**` reaches.
const MAX_DEPTH: usize = 64;
/// The most folders that one migration may name.
const MAX_FOLDERS: usize = 250_000;

/// The folders that match any of `globs`, which are relative to `base`, each
/// with the glob that found it first; and a problem for each glob without a match.
pub(super) fn matching(globs: &[String], base: &Path) -> (BTreeMap<PathBuf, String>, Vec<String>) {
    let (mut folders, mut problems) = (BTreeMap::new(), Vec::new());
    for glob in globs {
        let found = match expand(glob, base) {
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

fn expand(glob: &str, base: &Path) -> Result<Vec<PathBuf>, String> {
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
    let entries = walk.into_iter().filter_entry(shown).filter_map(Result::ok);
    let matches = entries.filter(|entry| {
        let below = entry.path().strip_prefix(&start);
        entry.file_type().is_dir() && below.is_ok_and(|path| matcher.is_match(path))
    });
    let found: Vec<PathBuf> = matches.map(DirEntry::into_path).take(MAX_FOLDERS + 1).collect();
    if found.len() > MAX_FOLDERS {
        return Err(format!("matches more than {MAX_FOLDERS} folders: make it narrower"));
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
