//! Folders → workspaces: each place of code once, with its place in git, asked
//! for with a few calls per repository.
//!
//! Must not: read catalogs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::DiscoverError;
use super::candidate::Candidates;
use super::locate::relative;
use crate::git::{self, GitError, Repository};
use crate::process::ProcessError;
use crate::workspace::{Consumer, Fleet, GitPlace, Source, Workspace};

/// The place of a folder in git, or why its repository can't be read.
type Placed = Result<Option<GitPlace>, String>;

/// Turns candidates into a fleet. Ids of workspaces are relative to `base`.
pub(super) fn fleet(candidates: Candidates, base: &Path) -> Result<Fleet, DiscoverError> {
    let candidates: Vec<_> = candidates.into_sorted().collect();
    let located = candidates.iter().filter_map(|candidate| candidate.located.as_ref().ok());
    let folders: BTreeSet<PathBuf> = located.cloned().collect();
    let mut refused = outer(&folders, base);
    let kept: Vec<&PathBuf> = folders.iter().filter(|folder| !refused.contains_key(*folder)).collect();
    let (mut workspaces, lost) = workspaces(&kept, base)?;
    refused.extend(lost);
    workspaces.sort_by(|a, b| a.id.cmp(&b.id));
    let index: BTreeMap<&Path, usize> =
        workspaces.iter().enumerate().map(|(index, workspace)| (workspace.root.as_path(), index)).collect();
    let source = |located: Result<PathBuf, String>| match located {
        Err(reason) => Source::Unresolved(reason),
        Ok(folder) => match (index.get(folder.as_path()), refused.get(&folder)) {
            (Some(index), _) => Source::Workspace(*index),
            (None, Some(reason)) => Source::Unresolved(reason.clone()),
            (None, None) => Source::Unresolved("its folder was lost: run again".to_owned()),
        },
    };
    let consumers = candidates.into_iter().map(|candidate| Consumer {
        entity: candidate.entity,
        owner: candidate.owner,
        lifecycle: candidate.lifecycle,
        tags: candidate.tags.into_iter().collect(),
        because: candidate.because.into_iter().collect(),
        source: source(candidate.located),
    });
    Ok(Fleet { consumers: consumers.collect(), problems: Vec::new(), workspaces })
}

/// The folders that can be read as workspaces, and why the others can't.
fn workspaces(folders: &[&PathBuf], base: &Path) -> Result<(Vec<Workspace>, BTreeMap<PathBuf, String>), GitError> {
    let (mut workspaces, mut lost) = (Vec::new(), BTreeMap::new());
    for (folder, placed) in places(folders)? {
        match placed {
            Ok(git) => workspaces.push(Workspace { id: relative(&folder, base), root: folder, git }),
            Err(reason) => {
                lost.insert(folder, reason);
            }
        }
    }
    Ok((workspaces, lost))
}

/// The folders that hold others, with the reason why they are left out: the
/// same file must not belong to two change sets.
fn outer(folders: &BTreeSet<PathBuf>, base: &Path) -> BTreeMap<PathBuf, String> {
    let mut inner: BTreeMap<&Path, Vec<String>> = BTreeMap::new();
    for folder in folders {
        for above in folder.ancestors().skip(1).filter(|above| folders.contains(*above)) {
            inner.entry(above).or_default().push(relative(folder, base));
        }
    }
    let reason = |(folder, inner): (&Path, Vec<String>)| {
        let others = inner.len();
        let first: Vec<String> = inner.into_iter().take(3).collect();
        let reason = format!(
            "its folder {} holds the code of other consumers ({others}: {}{}), which would be changed twice: give it a folder of its own with backstage.io/source-location",
            relative(folder, base),
            first.join(", "),
            if others > 3 { ", …" } else { "" },
        );
        (folder.to_path_buf(), reason)
    };
    inner.into_iter().map(reason).collect()
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
