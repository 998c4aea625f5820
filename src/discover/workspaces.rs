//! Folders → workspaces: each place of code once, with its place in git, asked
//! for with a few calls per repository.
//!
//! Must not: read catalogs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::candidate;
use super::locate::relative;
use crate::git::{self, GitError, Repository};
use crate::process::ProcessError;
use crate::workspace::{Consumer, Fleet, GitPlace, Mode, Source, Workspace};

/// The place of a folder in git, or why its repository can't be read.
type Placed = Result<Option<GitPlace>, String>;

/// Turns consumers into a fleet. Ids of workspaces are relative to `base`. `components`
/// are folders that are somebody's code, consumer or not: none of them is part of a
/// consumer whose folder lies around it. `origins` are the repositories of clones.
///
/// # Errors
/// Where there is no git.
pub(super) fn fleet(
    settled: Vec<candidate::Placed>,
    components: &BTreeSet<PathBuf>,
    labels: &[String],
    origins: &BTreeMap<PathBuf, &str>,
    base: &Path,
) -> Result<Fleet, GitError> {
    let folders: BTreeSet<&PathBuf> = settled.iter().filter_map(|(_, folder)| folder.as_ref().ok()).collect();
    let others: BTreeSet<&PathBuf> = folders.iter().copied().chain(components).collect();
    let kept: Vec<&PathBuf> = folders.into_iter().collect();
    let (mut workspaces, lost) = workspaces(&kept, &others, base)?;
    workspaces.sort_by(|a, b| a.id.cmp(&b.id));
    for workspace in &mut workspaces {
        let top = workspace.git.as_ref().map(|git| git.toplevel.as_path());
        workspace.origin = top.and_then(|top| origins.get(top)).map(|repository| (*repository).to_owned());
    }
    // As bytes: paths are compared part by part, from their beginning, which all of these share.
    let roots = workspaces.iter().map(|workspace| workspace.root.as_os_str().to_owned());
    let index: HashMap<OsString, usize> = roots.zip(0..).collect();
    let source = |folder: Result<PathBuf, String>| match folder {
        Err(reason) => Source::Unresolved(reason),
        Ok(folder) => match (index.get(folder.as_os_str()), lost.get(&folder)) {
            (Some(index), _) => Source::Workspace(*index),
            (None, Some(reason)) => Source::Unresolved(reason.clone()),
            (None, None) => Source::Unresolved("its folder was lost: run again".to_owned()),
        },
    };
    let opted_out = settled
        .iter()
        .filter_map(|(candidate, _)| Some((candidate.entity.clone(), candidate.opt_out.clone()?)))
        .collect();
    let consumers = settled.into_iter().map(|(candidate, folder)| Consumer {
        entity: candidate.entity,
        owner: candidate.owner,
        lifecycle: candidate.lifecycle,
        tier: candidate.tier,
        tags: candidate.tags.into_iter().collect(),
        witnesses: candidate.sources.iter().filter_map(|source| labels.get(*source).cloned()).collect(),
        because: candidate.because.into_iter().collect(),
        source: source(folder),
    });
    Ok(Fleet { consumers: consumers.collect(), workspaces, opted_out, ..Fleet::default() })
}

/// A folder as a workspace of its own, and as it was at a revision.
///
/// # Errors
/// Why it can't be read, or what the revision is not.
pub fn of_folder(folder: &Path, since: Option<&str>) -> Result<(Workspace, Option<Workspace>), String> {
    let root = folder.canonicalize().map_err(|error| format!("{} can't be read: {error}", folder.display()))?;
    if !root.is_dir() {
        return Err(format!("{} is a file: name the folder of a codebase", folder.display()));
    }
    let (workspaces, lost) =
        workspaces(&[&root], &BTreeSet::new(), &root).map_err(|error| format!("git can't be asked: {error}"))?;
    let why = || lost.values().next().cloned().unwrap_or_default();
    let now = workspaces.into_iter().next().ok_or_else(why)?;
    let Some(revision) = since else { return Ok((now, None)) };
    let Some(git) = &now.git else { return Err(format!("{} is in no git repository", folder.display())) };
    let asked = Repository::open(&git.toplevel).and_then(|repository| {
        let Some(commit) = repository.commit_named(revision)? else { return Ok(None) };
        let trees = repository.trees(&commit, &[&git.prefix])?;
        Ok(Some((commit, trees.into_iter().next().flatten())))
    });
    let Some((commit, tree)) = asked.map_err(|error| error.to_string())? else {
        return Err(format!("{revision} names no commit: is it fetched?"));
    };
    // The folder may be new since.
    let then = tree.map(|tree| {
        let git = GitPlace { commit, tree, dirty: Vec::new(), ..git.clone() };
        Workspace { git: Some(git), ..now.clone() }
    });
    Ok((now, then))
}

/// The folders that can be read as workspaces, and why the others can't.
fn workspaces(
    folders: &[&PathBuf],
    others: &BTreeSet<&PathBuf>,
    base: &Path,
) -> Result<(Vec<Workspace>, BTreeMap<PathBuf, String>), GitError> {
    let (mut workspaces, mut lost) = (Vec::new(), BTreeMap::new());
    for (folder, placed) in places(folders)? {
        match placed {
            Ok(mut git) => {
                let without = inner(&folder, others);
                let mut workspace =
                    Workspace { id: relative(&folder, base), root: folder, git: None, without, origin: None };
                if let Some(git) = &mut git {
                    git.dirty.retain(|path| workspace.owns(path));
                }
                workspace.git = git;
                workspaces.push(workspace);
            }
            Err(reason) => {
                lost.insert(folder, reason);
            }
        }
    }
    Ok((workspaces, lost))
}

/// The topmost of `others` that lie below `folder`, relative to it: the same file must
/// not belong to two change sets.
fn inner(folder: &PathBuf, others: &BTreeSet<&PathBuf>) -> Vec<String> {
    let mut inner: Vec<String> = Vec::new();
    // Paths are ordered part by part: all that lies below a folder comes right after it.
    let after = others.range::<&PathBuf, _>((Bound::Excluded(&folder), Bound::Unbounded));
    for other in after.take_while(|other| other.starts_with(folder)) {
        let path = relative(other, folder);
        let nested = inner.last().is_some_and(|last| path.starts_with(&format!("{last}/")));
        if !nested {
            inner.push(path);
        }
    }
    inner
}

/// Every file of the workspaces that git tracks: such a file is code though an ignore file
/// may name it. Of a repository that can't be listed nothing; that is told elsewhere.
pub(super) fn tracked(workspaces: &[Workspace]) -> Vec<(PathBuf, Mode)> {
    let mut repositories: BTreeMap<(&Path, &str), Vec<(&str, &Path)>> = BTreeMap::new();
    for workspace in workspaces {
        let Some(git) = &workspace.git else { continue };
        let of_one = repositories.entry((git.toplevel.as_path(), git.commit.as_str())).or_default();
        of_one.push((git.prefix.as_str(), workspace.root.as_path()));
    }
    let repositories: Vec<_> = repositories.into_iter().collect();
    let files = repositories.par_iter().flat_map_iter(|((toplevel, commit), workspaces)| {
        let listing = Repository::open(toplevel).and_then(|repository| repository.listing(commit)).ok();
        let below = |listing: &git::Listing| -> Vec<(PathBuf, Mode)> {
            let paths = workspaces.iter().flat_map(|(prefix, root)| {
                listing
                    .below(prefix)
                    .filter_map(move |(path, entry)| Some((root.join(std::str::from_utf8(path).ok()?), entry.mode)))
            });
            paths.collect()
        };
        listing.as_ref().map(below).unwrap_or_default()
    });
    files.collect()
}

/// The place of every folder, one repository at a time.
fn places(folders: &[&PathBuf]) -> Result<Vec<(PathBuf, Placed)>, GitError> {
    let mut repositories: BTreeMap<Option<PathBuf>, Vec<&PathBuf>> = BTreeMap::new();
    for folder in folders {
        repositories.entry(git::toplevel(folder)).or_default().push(folder);
    }
    let repositories: Vec<_> = repositories.into_iter().collect();
    let placed: Result<Vec<_>, GitError> = repositories
        .par_iter()
        .map(|(toplevel, folders)| {
            let places: Vec<Placed> = match toplevel {
                None => vec![Ok(None); folders.len()],
                Some(toplevel) => match in_repository(toplevel, folders) {
                    Ok(places) => places.into_iter().map(Ok).collect(),
                    // Without git nothing can be known; without one repository, most can.
                    Err(error @ GitError::Process(ProcessError::Missing { .. })) => {
                        return Err(error);
                    }
                    Err(error) => vec![Err(format!("its git repository can't be read: {error}")); folders.len()],
                },
            };
            let folders = folders.iter().map(|folder| (*folder).clone());
            Ok(folders.zip(places).collect::<Vec<_>>())
        })
        .collect();
    Ok(placed?.into_iter().flatten().collect())
}

fn in_repository(toplevel: &Path, folders: &[&PathBuf]) -> Result<Vec<Option<GitPlace>>, GitError> {
    let repository = Repository::open(toplevel)?;
    let Some(commit) = repository.head()? else {
        return Ok(vec![None; folders.len()]);
    };
    let prefixes: Vec<String> = folders.iter().map(|folder| prefix(folder, toplevel)).collect();
    let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    let trees = repository.trees(&commit, &prefixes)?;
    let pairs = prefixes.iter().zip(&trees);
    let tracked: Vec<&str> = pairs.filter(|(_, tree)| tree.is_some()).map(|(p, _)| *p).collect();
    let dirty = match tracked.is_empty() {
        true => Vec::new(),
        false => repository.dirty(&tracked)?,
    };
    let mut dirty: BTreeMap<&str, Vec<String>> = tracked.into_iter().zip(dirty).collect();
    let place = |(prefix, tree): (&str, Option<String>)| {
        tree.map(|tree| GitPlace {
            toplevel: toplevel.to_path_buf(),
            prefix: prefix.to_owned(),
            commit: commit.clone(),
            tree,
            dirty: dirty.remove(prefix).unwrap_or_default(),
        })
    };
    Ok(prefixes.into_iter().zip(trees).map(place).collect())
}

fn prefix(folder: &Path, toplevel: &Path) -> String {
    match relative(folder, toplevel) {
        same if same == "." => String::new(),
        prefix => prefix,
    }
}
