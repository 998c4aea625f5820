//! The code that change sets are made of, where they are pushed: what the remote has now. A
//! clone here may be behind it, hold work that nobody else has seen, or have somebody's
//! changes in its work tree.
//!
//! Must not: move a branch of a clone, or touch its work tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::PipelineError;
use crate::config::{Delivery, Migration};
use crate::git::{Follows, GitError, Remote, Repository};
use crate::rollout;
use crate::state::Store;
use crate::transform::{Plan, Transformed};
use crate::workspace::{Fleet, GitPlace, Pin};

/// How many remotes are asked at once.
pub(super) const AT_ONCE: usize = 16;

/// Which code a plan is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// What is checked out here.
    Here,
    /// Where change sets are pushed, what the remote has.
    Remote,
}

/// Clones that are not where their remotes are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// How many.
    pub clones: usize,
    /// The first of them: a workspace, and by how many commits, where that can be told.
    pub first: Option<(String, Option<u64>)>,
}

/// Where the code of one repository stands.
struct Standing {
    commit: String,
    /// The tree of each prefix that was asked for.
    trees: Vec<Option<String>>,
    behind: Option<u64>,
}

/// The branches of this migration at a remote, by name, with their commits: by the repository here whose remote was asked.
pub(super) type Tips = BTreeMap<PathBuf, BTreeMap<String, String>>;

/// What asking the remotes came to.
#[derive(Default)]
pub(super) struct Remotes {
    pub behind: Behind,
    pub refused: Refused,
    pub tips: Tips,
}

/// What one of them says.
#[derive(Default)]
struct Said {
    /// `None` where it may not be asked, or where the code stays at the commit that somebody named.
    standing: Option<Standing>,
    /// `None` where it was not asked.
    tips: Option<BTreeMap<String, String>>,
}

/// Why nothing can be pushed, by workspace: known before anything is built.
pub(super) type Refused = BTreeMap<String, Refusal>;

/// Why nothing of a workspace can be pushed.
pub(super) struct Refusal {
    why: String,
    /// Its code is not there any more: what is out of it has no use, either.
    is_gone: bool,
}

/// Makes the remote's present commit the place of every workspace that is pushed to one.
/// Where a remote can't be reached, what was planned over last stays.
///
/// # Errors
/// Where the state can't be read.
pub(super) fn at_remotes(migration: &Migration, store: &Store, fleet: &mut Fleet) -> Result<Remotes, PipelineError> {
    let mut remotes = Remotes::default();
    if migration.deliver.how != Delivery::Push {
        return Ok(remotes);
    }
    let mut repositories: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (index, workspace) in fleet.workspaces.iter().enumerate() {
        if let Some(git) = &workspace.git {
            repositories.entry(git.toplevel.clone()).or_default().push(index);
        }
    }
    let places = |indices: &[usize]| -> Vec<GitPlace> {
        indices.iter().filter_map(|index| fleet.workspaces[*index].git.clone()).collect()
    };
    let asked: Vec<(PathBuf, Vec<usize>, Vec<GitPlace>)> =
        repositories.into_iter().map(|(top, indices)| (top, indices.clone(), places(&indices))).collect();
    let recorded = store.workspaces::<serde::de::IgnoredAny>()?;
    for (top, indices, said) in ask_all(migration, asked) {
        match said {
            Ok(Said { standing, tips }) => {
                remotes.tips.extend(tips.map(|tips| (top, tips)));
                let Some(standing) = standing else { continue };
                if let Some(first) = settle(fleet, &indices, &standing, &mut remotes.refused) {
                    remotes.behind.clones += 1;
                    remotes.behind.first.get_or_insert((first, standing.behind));
                }
            }
            Err(error @ GitError::Url { .. }) => {
                let ids = indices.iter().map(|index| fleet.workspaces[*index].id.clone());
                remotes.refused.extend(ids.map(|id| (id, Refusal { why: error.to_string(), is_gone: false })));
            }
            // Not known is not changed.
            Err(_) => {
                for index in indices {
                    let workspace = &mut fleet.workspaces[index];
                    let pin = recorded.get(&workspace.id).and_then(|record| record.pin.as_ref());
                    if let (Some(git), Some(Pin::Commit { commit, tree })) = (&mut workspace.git, pin)
                        && is_here(&top, commit)
                    {
                        (git.commit, git.tree) = (commit.clone(), tree.clone());
                        git.dirty.clear();
                    }
                }
            }
        }
    }
    Ok(remotes)
}

/// Refuses what can be pushed nowhere, before it is verified; of what is out already, its plan stays
/// where its code is still there.
///
/// # Errors
/// Where the state can't be read.
pub(super) fn refuse(refused: &Refused, store: &Store, plan: &mut Plan) -> Result<(), PipelineError> {
    if refused.is_empty() {
        return Ok(());
    }
    let deliveries = store.deliveries()?;
    let is_out = |id: &str| deliveries.get(id).is_some_and(|record| rollout::is_out(&record.state));
    for workspace in plan.workspaces.iter_mut().filter(|workspace| !workspace.files.is_empty()) {
        if let Some(one) = refused.get(&workspace.id).filter(|one| one.is_gone || !is_out(&workspace.id)) {
            workspace.result = Transformed::Refused(one.why.clone());
            workspace.files.clear();
        }
    }
    Ok(())
}

/// Makes a commit the place of some workspaces; the first one that lay elsewhere before.
fn settle(fleet: &mut Fleet, indices: &[usize], standing: &Standing, refused: &mut Refused) -> Option<String> {
    let mut first = None;
    for (index, tree) in indices.iter().zip(&standing.trees) {
        let workspace = &mut fleet.workspaces[*index];
        let Some(git) = &mut workspace.git else { continue };
        let Some(tree) = tree else {
            let why = format!(
                "its remote has no folder {} at {}: it was moved or deleted there, or is not pushed yet",
                git.prefix,
                standing.commit.get(..12).unwrap_or(&standing.commit)
            );
            refused.insert(workspace.id.clone(), Refusal { why, is_gone: true });
            continue;
        };
        if git.commit != standing.commit && first.is_none() {
            first = Some(workspace.id.clone());
        }
        (git.commit, git.tree) = (standing.commit.clone(), tree.clone());
        git.dirty.clear();
    }
    first
}

fn is_here(toplevel: &Path, commit: &str) -> bool {
    Repository::open(toplevel).and_then(|repository| repository.has(commit)).unwrap_or(false)
}

/// What came of asking for one repository.
type Answer = (PathBuf, Vec<usize>, Result<Said, GitError>);

fn ask_all(migration: &Migration, asked: Vec<(PathBuf, Vec<usize>, Vec<GitPlace>)>) -> Vec<Answer> {
    let queue = Mutex::new(asked.into_iter());
    let answers = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((top, indices, places)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let said = ask(migration, &top, &places);
                    let Ok(mut answers) = answers.lock() else { return };
                    answers.push((top, indices, said));
                }
            });
        }
    });
    let mut answers = answers.into_inner().unwrap_or_default();
    answers.sort_by(|a, b| a.0.cmp(&b.0));
    answers
}

/// Where one repository stands at its remote, and which branches of this migration are there.
fn ask(migration: &Migration, toplevel: &Path, places: &[GitPlace]) -> Result<Said, GitError> {
    let Some(first) = places.first() else { return Ok(Said::default()) };
    let repository = Repository::open(toplevel)?;
    let Some(url) = repository.push_url(&migration.deliver.remote)? else { return Ok(Said::default()) };
    let remote = Remote::new(&url, &migration.code.protocols)?;
    let follows = repository.follows()?;
    if follows == Follows::Nothing {
        return Ok(Said::default());
    }
    let present = remote.present(&follows, &format!("gander/{}/", migration.id))?;
    let tips = Some(present.tips.clone());
    let Some(commit) = present.commit.clone() else { return Ok(Said { standing: None, tips }) };
    remote.bring(&repository, &present)?;
    // A commit without a branch may be anywhere: only one that the remote has left behind
    // is known to stand for it.
    if follows == Follows::Head && !repository.contains(&commit, &first.commit)? {
        return Ok(Said { standing: None, tips });
    }
    let prefixes: Vec<&str> = places.iter().map(|place| place.prefix.as_str()).collect();
    let trees = repository.trees(&commit, &prefixes)?;
    let behind = repository.count_between(&first.commit, &commit)?;
    Ok(Said { standing: Some(Standing { commit, trees, behind }), tips })
}
