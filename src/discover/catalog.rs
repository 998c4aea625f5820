//! A tree of catalog files → entities. Locations are followed within the tree.
//!
//! Must not: decide who is a consumer, or where its code lies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobBuilder;
use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use super::entity::{self, Entity, Spot};
use super::source::{Context, Found, MAX_PROBLEMS, Source};
use super::yaml;
use crate::workspace::without_userinfo;

/// The largest catalog file, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// The most catalog files in one tree.
const MAX_FILES: usize = if cfg!(test) { 1_500 } else { 250_000 };
/// The most globs of Locations that are followed: each of them walks a part of the tree.
const MAX_GLOBS: usize = if cfg!(test) { 20 } else { 1_000 };
/// The deepest folder of a tree that is looked into.
const MAX_DEPTH: usize = 64;
/// What makes a target a glob.
const WILD: [char; 4] = ['*', '?', '[', '{'];
/// Names that Backstage's own convention gives to catalog files.
const NAMES: [&str; 2] = ["catalog-info.yaml", "catalog-info.yml"];
/// Folders that hold no catalog of their own.
const SKIPPED: [&str; 3] = [".git", ".gander", "node_modules"];

/// What a tree of catalog files says.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// Ordered by file and place.
    pub(super) entities: Vec<Entity>,
    /// What could not be read: path, place, and what to do.
    pub(super) problems: Vec<String>,
}

/// `catalog = "folder"`.
pub(super) struct Tree<'a>(pub(super) &'a Path);

impl Source for Tree<'_> {
    fn label(&self, cx: &Context<'_>) -> String {
        format!("catalog {}", (cx.shown)(self.0))
    }

    fn read(&self, cx: &Context<'_>) -> Found {
        match self.0.canonicalize() {
            Ok(root) => {
                let Catalog { entities, problems } = tree(&root, cx.shown);
                Found { entities, problems, ..Found::default() }
            }
            Err(error) => {
                let label = self.label(cx);
                Found::problem(format!("{label}: can't be read ({error}): check the path and its permissions"))
            }
        }
    }
}

/// Reads every catalog file below `root` (canonical), and what Locations there
/// point to. `shown` turns a path into the form that people see.
pub(super) fn tree(root: &Path, shown: &(dyn Fn(&Path) -> String + Sync)) -> Catalog {
    let mut catalog = Catalog::default();
    let mut found = files(root, shown, &mut catalog.problems);
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let (mut globs, mut steps) = (0, Steps::new());
    while !found.is_empty() {
        found.retain(|file| seen.insert(file.clone()));
        found.sort();
        let read: Vec<Catalog> = found.par_iter().map(|path| file(path, root, shown)).collect();
        found = Vec::new();
        for part in read {
            for entity in part.entities.iter().filter(|entity| !entity.targets.is_empty()) {
                found.extend(follow(root, entity, shown, &mut globs, &mut catalog.problems));
                note_steps(entity, &mut steps);
            }
            catalog.entities.extend(part.entities);
            catalog.problems.extend(part.problems);
        }
    }
    catalog.entities.sort_by(|a, b| spot(a).cmp(&spot(b)));
    catalog.problems.extend(circles(&steps, shown));
    catalog
}

/// From each file to those that its Locations name, with the line and the target. What a
/// glob finds is not named: that it finds its own file is nobody's mistake.
type Steps = BTreeMap<PathBuf, Vec<(PathBuf, u64, String)>>;

fn note_steps(entity: &Entity, steps: &mut Steps) {
    let Spot::File { file, .. } = &entity.spot else { return };
    for (target, line) in entity.targets.iter().filter(|(target, _)| !target.contains(WILD)) {
        let to = file.parent().and_then(|folder| folder.join(target).canonicalize().ok());
        steps.entry(file.to_path_buf()).or_default().extend(to.map(|to| (to, *line, target.clone())));
    }
}

/// Targets that lead back to a file on the way to them. Each file is read once, so that
/// they hide nobody; but whoever wrote them meant something else.
fn circles(steps: &Steps, shown: &(dyn Fn(&Path) -> String + Sync)) -> Vec<String> {
    let (mut done, mut on_the_way) = (BTreeSet::new(), BTreeSet::new());
    let mut problems = Vec::new();
    for start in steps.keys() {
        if done.contains(start) {
            continue;
        }
        // Files on the way, each with how many of its targets were looked at.
        let mut way = vec![(start.clone(), 0)];
        on_the_way.insert(start.clone());
        while let Some((file, at)) = way.last_mut() {
            let Some((to, line, target)) = steps.get(file).and_then(|targets| targets.get(*at)) else {
                on_the_way.remove(file);
                done.insert(file.clone());
                way.pop();
                continue;
            };
            *at += 1;
            if on_the_way.contains(to) {
                problems.push(format!(
                    "{}:{line}:1: the target {target:?} leads back in a circle of Locations: take it away",
                    shown(file)
                ));
            } else if !done.contains(to) {
                on_the_way.insert(to.clone());
                way.push((to.clone(), 0));
            }
        }
    }
    problems
}

/// What entities of one tree are ordered by.
fn spot(entity: &Entity) -> Option<(&Path, u64)> {
    match &entity.spot {
        Spot::File { file, line, .. } => Some((file, *line)),
        Spot::Told { .. } => None,
    }
}

/// Whether a file of this name holds a catalog.
pub(super) fn is_catalog_file(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The catalog file of a folder, if it has one.
pub(super) fn file_in(folder: &Path) -> Option<PathBuf> {
    let regular = |path: &PathBuf| path.symlink_metadata().is_ok_and(|meta| meta.is_file());
    NAMES.iter().map(|name| folder.join(name)).find(regular)
}

/// Reads one catalog file of the tree at `root`.
pub(super) fn file(path: &Path, root: &Path, shown: &(dyn Fn(&Path) -> String + Sync)) -> Catalog {
    let mut catalog = Catalog::default();
    let name = shown(path);
    let text = match text(path) {
        Ok(text) => text,
        Err(problem) => {
            catalog.problems.push(format!("{name}:{problem}"));
            return catalog;
        }
    };
    let (documents, broken) = yaml::documents(&text);
    let mut wrong = Vec::new();
    let (place, root) = (Arc::from(path), Arc::from(root));
    for document in &documents {
        catalog.entities.extend(entity::read(document, &place, &root, &mut wrong));
    }
    for broken in broken {
        let message = format!("not readable as YAML from here on: {}", broken.message);
        wrong.push((broken.line, broken.column, message));
    }
    wrong.sort();
    let more = wrong.len().saturating_sub(MAX_PROBLEMS);
    if more > 0 {
        wrong.truncate(MAX_PROBLEMS);
        catalog.problems.push(format!("{name}: and {more} more problems"));
    }
    for (line, column, message) in wrong {
        catalog.problems.push(format!("{name}:{line}:{column}: {message}"));
    }
    catalog
}

/// The text of a file, or its place and problem.
fn text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return Err(format!("1:1: can't be read: {error}; check its permissions"));
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err("1:1: larger than 1 MiB, not read: split it into several files".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        let last = valid.rsplit(|byte| *byte == b'\n').next().unwrap_or(valid);
        let column = String::from_utf8_lossy(last).chars().count() + 1;
        format!("{line}:{column}: not UTF-8: save it as UTF-8")
    })
}

fn wanted(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_str().unwrap_or_default();
    entry.depth() == 0 || !entry.file_type().is_dir() || !SKIPPED.contains(&name)
}

/// Whether a link leads to a folder that is not looked into by itself.
fn leads_away(entry: &DirEntry, root: &Path) -> bool {
    let real = || entry.path().canonicalize();
    entry.file_type().is_symlink() && real().is_ok_and(|real| real.is_dir() && !real.starts_with(root))
}

fn files(root: &Path, shown: &(dyn Fn(&Path) -> String + Sync), problems: &mut Vec<String>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let walk = WalkDir::new(root).follow_links(false).max_depth(MAX_DEPTH);
    for entry in walk.into_iter().filter_entry(wanted) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root);
                problems.push(format!("{}: can't be read: check its permissions", shown(path)));
                continue;
            }
        };
        if entry.depth() == MAX_DEPTH && entry.file_type().is_dir() {
            problems.push(format!(
                "{}: deeper than {MAX_DEPTH} folders, and not looked into: name a folder nearer to it",
                shown(entry.path())
            ));
        }
        let named = entry.file_name().to_str().is_some_and(|name| NAMES.contains(&name));
        if named && entry.file_type().is_file() {
            files.push(entry.into_path());
        } else if named && entry.file_type().is_symlink() {
            let path = shown(entry.path());
            problems.push(format!("{path}:1:1: a symbolic link, not read: put the file itself there"));
        } else if leads_away(&entry, root) {
            problems.push(format!(
                "{}: a link to a folder elsewhere, not looked into: name that folder",
                shown(entry.path())
            ));
        }
        if files.len() >= MAX_FILES {
            problems.push(format!(
                "{}: more than {MAX_FILES} catalog files, the rest is not read: name a smaller folder",
                shown(root)
            ));
            break;
        }
    }
    files
}

/// The files that a Location points to. Whatever leaves the tree is a problem.
fn follow(
    root: &Path,
    location: &Entity,
    shown: &(dyn Fn(&Path) -> String + Sync),
    globs: &mut usize,
    problems: &mut Vec<String>,
) -> Vec<PathBuf> {
    let Spot::File { file, .. } = &location.spot else { return Vec::new() };
    let folder = file.parent().unwrap_or(root);
    let mut files = Vec::new();
    for (target, line) in &location.targets {
        let place = format!("{}:{line}:1", shown(file));
        let remote = target.contains("://");
        if remote {
            problems.push(format!(
                "{place}: the target {:?} is remote and was not read: put a copy of it into the tree",
                without_userinfo(target)
            ));
            continue;
        }
        let target = target.strip_prefix("file:").unwrap_or(target);
        *globs += usize::from(target.contains(WILD));
        if *globs > MAX_GLOBS && target.contains(WILD) {
            problems.push(format!(
                "{place}: the target {target:?} was not read: more than {MAX_GLOBS} targets have wildcards: name files"
            ));
            continue;
        }
        match matching(folder, target, root) {
            Ok(found) if found.is_empty() => problems.push(format!(
                "{place}: the target {target:?} does not exist: correct the path, which is relative to this file"
            )),
            Ok(found) => files.extend(found),
            Err(reason) => problems.push(format!("{place}: the target {target:?} {reason}")),
        }
    }
    files
}

fn matching(folder: &Path, target: &str, root: &Path) -> Result<Vec<PathBuf>, String> {
    let outside = || "leaves the catalog's tree and was not read: name a wider folder in the migration".to_owned();
    if !target.contains(WILD) {
        let Ok(path) = folder.join(target).canonicalize() else {
            return Ok(Vec::new());
        };
        let inside = path.starts_with(root);
        return match inside {
            true => Ok(path.is_file().then_some(path).into_iter().collect()),
            false => Err(outside()),
        };
    }
    let pattern = target.strip_prefix("./").unwrap_or(target);
    if pattern.split('/').any(|part| part == "..") || pattern.starts_with('/') {
        return Err("climbs out of its folder: globs look only below it".to_owned());
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.map_err(|error| format!("is not a glob: {}", error.kind()))?;
    let matcher = glob.compile_matcher();
    let walk = WalkDir::new(folder).follow_links(false).max_depth(MAX_DEPTH);
    let mut files = Vec::new();
    for entry in walk.into_iter().filter_entry(wanted) {
        let entry = entry.map_err(|error| {
            let path = error.path().and_then(|path| path.strip_prefix(folder).ok()).unwrap_or(Path::new("."));
            format!("was not read, for {:?} below it can't be read: check its permissions", path.display())
        })?;
        let below = entry.path().strip_prefix(folder).is_ok_and(|path| matcher.is_match(path));
        if below && entry.file_type().is_file() {
            files.push(entry.into_path());
        }
        if files.len() > MAX_FILES {
            return Err(format!("matches more than {MAX_FILES} files, and was not read: narrow it"));
        }
    }
    Ok(files)
}
