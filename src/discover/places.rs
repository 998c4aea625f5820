//! From a location to a folder: one that is here already, a checkout of a monorepo, a
//! mirror, or a clone in the state folder.
//!
//! A clone is made once for all that lies in it, holds what is needed of it, and stays
//! at its commit until a refresh asks for a newer one. What was begun and failed is gone
//! on with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use super::candidate::Candidates;
use super::locate::inside;
use super::location::{Code, Remote};
use crate::clock::Clock;
use crate::config::CodeConfig;
use crate::digest::DigestBuilder;
use crate::files;
use crate::git::{self, Fetch, GitError, Repository};
use crate::process::ProcessError;
use crate::workspace::without_userinfo;

/// Attempts at one clone, with what the one before got.
const ATTEMPTS: u32 = 3;
/// Folders of a clone that are named one by one; of more, everything is fetched.
const MAX_PATHS: usize = 200;

/// What may be done about code that is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetching {
    /// Nothing is written.
    Never,
    /// What is missing is fetched; what is here stays at its commit.
    Missing,
    /// Everything is brought to its newest commit.
    Refresh,
}

/// What is recorded of a clone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    repository: String,
    revision: Option<String>,
    commit: String,
    /// The folders that were fetched; empty for everything.
    paths: Vec<String>,
    /// Seconds since the Unix epoch.
    at: i64,
}

/// The clones that are needed: by repository and revision, the URL and the paths.
type Needs = BTreeMap<Key, (String, BTreeSet<String>)>;

/// A repository and a revision of it.
type Key = (String, Option<String>);

/// Where each clone lies, or why there is none.
type Clones = BTreeMap<Key, Result<PathBuf, String>>;

/// Finds the folder of any code.
pub(super) struct Places<'a> {
    config: &'a CodeConfig,
    /// Where clones lie, by repository and revision; or why there is none.
    clones: Clones,
    /// Paths whose files are also in another clone, of the same commit, and why that is wrong.
    twice: BTreeMap<(Key, String), String>,
}

impl<'a> Places<'a> {
    /// Fetches what `candidates` need and the machine lacks.
    ///
    /// # Errors
    /// Where there is no git. What can't be fetched is in `problems`.
    pub(super) fn new(
        config: &'a CodeConfig,
        state: &Path,
        candidates: &Candidates,
        fetching: Fetching,
        clock: &Clock,
        problems: &mut Vec<String>,
    ) -> Result<Self, GitError> {
        let mut places = Self { config, clones: BTreeMap::new(), twice: BTreeMap::new() };
        let needs = places.needs(candidates);
        let cloning = Cloning { config, folder: state.join("clones"), fetching, clock };
        places.clones = cloning.all(&needs)?;
        places.twice = twice(&needs, &places.clones);
        problems.extend(places.twice.values().cloned().collect::<BTreeSet<_>>());
        let clones = places.clones.iter();
        problems.extend(
            clones.filter_map(|((repository, _), made)| Some(format!("{repository}: {}", made.as_ref().err()?))),
        );
        Ok(places)
    }

    /// What has to be cloned.
    fn needs(&self, candidates: &Candidates) -> Needs {
        let mut needs = Needs::new();
        for code in candidates.iter().flat_map(|candidate| candidate.codes()) {
            let Code::Remote(remote) = code else { continue };
            if !self.config.clone || self.checkout(remote).is_some() || self.mirror(remote).is_some() {
                continue;
            }
            let key = (remote.repository.clone(), remote.revision.clone());
            let (url, paths) = needs.entry(key).or_insert_with(|| (remote.url.clone(), BTreeSet::new()));
            // However it is reached: the same URL on every run.
            if remote.url < *url {
                url.clone_from(&remote.url);
            }
            paths.insert(remote.path.clone());
        }
        needs
    }

    /// The folder of some code, or why there is none.
    pub(super) fn folder(&self, code: &Code) -> Result<PathBuf, String> {
        let remote = match code {
            Code::Folder(folder) => return Ok(folder.clone()),
            Code::Remote(remote) => remote,
        };
        let top = match (self.checkout(remote), self.mirror(remote)) {
            (Some(top), _) | (None, Some(top)) => top,
            (None, None) => self.cloned(remote)?,
        };
        let top = top.canonicalize().map_err(|error| format!("{} can't be read ({error})", top.display()))?;
        let folder = if remote.path.is_empty() { top.clone() } else { top.join(&remote.path) };
        if !folder.exists() {
            return Err(format!("{remote} does not exist in its repository: correct the location in the catalog"));
        }
        let folder = if folder.is_file() { folder.parent().unwrap_or(&top) } else { &folder };
        inside(folder, &top, &remote.to_string())
    }

    fn checkout(&self, remote: &Remote) -> Option<PathBuf> {
        let known = |url: &str| super::location::url(url).is_ok_and(|known| known.repository == remote.repository);
        self.config.monorepo.iter().find(|(url, _)| known(url)).map(|(_, folder)| folder.clone())
    }

    fn mirror(&self, remote: &Remote) -> Option<PathBuf> {
        let folder = filled(self.config.mirror.as_deref()?, remote)?;
        Some(folder).filter(|folder| folder.is_dir())
    }

    fn cloned(&self, remote: &Remote) -> Result<PathBuf, String> {
        let key = (remote.repository.clone(), remote.revision.clone());
        if let Some(why) = self.twice.get(&(key.clone(), remote.path.clone())) {
            return Err(why.clone());
        }
        match self.clones.get(&key) {
            Some(made) => made.clone(),
            None => Err(format!(
                "its code is at {remote}, which is not here: set `mirror`, `monorepo` or `clone = true` under [code]"
            )),
        }
    }
}

/// The folder that a mirror's pattern means for a repository. `None` where it would lie
/// outside of the folder that the pattern begins with.
fn filled(pattern: &str, remote: &Remote) -> Option<PathBuf> {
    let (host, path, owner, name) = remote.parts();
    let fixed = pattern.split('{').next().unwrap_or_default();
    let (fixed, rest) = pattern.split_at(fixed.rfind('/').map_or(0, |at| at + 1));
    let rest = rest.replace("{host}", host).replace("{path}", path).replace("{owner}", owner).replace("{name}", name);
    let mut depth = 0_usize;
    for part in Path::new(rest.trim_start_matches('/')).components() {
        depth = match part {
            Component::Normal(_) => depth + 1,
            Component::CurDir => depth,
            _ => depth.checked_sub(1)?,
        };
    }
    Some(PathBuf::from(format!("{fixed}{rest}")))
}

/// Files that would lie in two clones of one repository, at the same commit: each would
/// get a change of its own. By what is needed, with the reason.
fn twice(needs: &Needs, clones: &Clones) -> BTreeMap<(Key, String), String> {
    let commit = |key: &Key| {
        let folder = clones.get(key)?.as_ref().ok()?;
        let record = std::fs::read(format!("{}.json", folder.display())).ok()?;
        Some(serde_json::from_slice::<Record>(&record).ok()?.commit)
    };
    let named = |key: &Key| key.1.clone().unwrap_or_else(|| "no revision".to_owned());
    let holds = |a: &str, b: &str| a.is_empty() || Path::new(b).starts_with(a);
    let mut twice = BTreeMap::new();
    for (at, (one, (_, paths))) in needs.iter().enumerate() {
        // In order: clones of one repository come one after the other.
        let others = needs.iter().skip(at + 1).take_while(|(other, _)| other.0 == one.0);
        for (other, (_, others)) in others.filter(|(other, _)| commit(one).is_some_and(|c| commit(other) == Some(c))) {
            let pairs = paths.iter().flat_map(|a| others.iter().map(move |b| (a, b)));
            for (a, b) in pairs.filter(|(a, b)| holds(a, b) || holds(b, a)) {
                let why = format!(
                    "{}: its code is asked for at {} and at {}, which are one commit: write the same in the catalog",
                    one.0,
                    named(one),
                    named(other)
                );
                twice.insert((one.clone(), a.clone()), why.clone());
                twice.insert((other.clone(), b.clone()), why);
            }
        }
    }
    twice
}

/// Clones while they are made.
struct Cloning<'a> {
    config: &'a CodeConfig,
    folder: PathBuf,
    fetching: Fetching,
    clock: &'a Clock,
}

impl Cloning<'_> {
    fn all(&self, needs: &Needs) -> Result<Clones, GitError> {
        let list: Vec<_> = needs.iter().collect();
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..self.config.jobs.clamp(1, list.len().max(1)) {
                scope.spawn(|| {
                    while let Some((key, (url, paths))) = list.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let made = self.one(&key.0, key.1.as_deref(), url, paths);
                        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(((*key).clone(), made));
                    }
                });
            }
        });
        let mut clones = BTreeMap::new();
        for (key, made) in done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            let made = match made {
                Err(Failed::Git(error @ GitError::Process(ProcessError::Missing { .. }))) => return Err(error),
                Err(Failed::Git(error)) => Err(format!("can't be cloned ({error}): check the address and your access")),
                Err(Failed::Said(reason)) => Err(reason),
                Ok(folder) => Ok(folder),
            };
            clones.insert(key, made);
        }
        Ok(clones)
    }

    fn one(
        &self,
        repository: &str,
        revision: Option<&str>,
        url: &str,
        paths: &BTreeSet<String>,
    ) -> Result<PathBuf, Failed> {
        git::check_url(url, &self.config.protocols)
            .map_err(|why| Failed::Said(format!("{:?} {why}", without_userinfo(url))))?;
        let name = repository.rsplit('/').next().unwrap_or_default();
        let digest = DigestBuilder::new("gander.clone").field(repository).field(revision.unwrap_or_default()).finish();
        let folder = self.folder.join(format!("{name}-{}", &digest.short()[..10]));
        // The name may have dots of its own.
        let record_path = self.folder.join(format!("{name}-{}.json", &digest.short()[..10]));
        let record = std::fs::read(&record_path).ok().and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok());
        let record = record.filter(|record| {
            let same = record.repository == repository && record.revision.as_deref() == revision;
            same && folder.join(".git").is_dir()
        });
        let wanted = sparse(paths);
        let enough = |record: &Record| {
            record.paths.is_empty() || (!wanted.is_empty() && wanted.iter().all(|path| record.paths.contains(path)))
        };
        match (&record, self.fetching) {
            (Some(record), Fetching::Never | Fetching::Missing) if enough(record) => return Ok(folder),
            (_, Fetching::Never) => {
                return Err(Failed::Said("is not cloned yet: `gander discover` clones it".to_owned()));
            }
            _ => {}
        }
        if record.is_some() && dirty(&folder)? {
            return Err(Failed::Said(format!(
                "its clone {} has uncommitted changes, and stays at its commit: commit or take them back",
                folder.display()
            )));
        }
        files::make_folder(&folder).map_err(|error| Failed::Said(error.to_string()))?;
        // More of a clone that stays at its commit: that commit once more.
        let pinned = record.as_ref().filter(|_| self.fetching == Fetching::Missing).map(|record| record.commit.clone());
        let fetch =
            Fetch { url, revision: pinned.as_deref().or(revision), paths: &wanted, protocols: &self.config.protocols };
        let commit = self.attempts(&folder, &fetch)?;
        let record = Record {
            repository: repository.to_owned(),
            revision: revision.map(str::to_owned),
            commit,
            paths: wanted,
            at: self.clock.now(),
        };
        let text = serde_json::to_vec_pretty(&record).map_err(|error| Failed::Said(error.to_string()))?;
        files::write_whole(&record_path, &text, false).map_err(|error| Failed::Said(error.to_string()))?;
        Ok(folder)
    }

    fn attempts(&self, folder: &Path, fetch: &Fetch<'_>) -> Result<String, Failed> {
        let mut attempt = 1;
        loop {
            match Repository::fetch_into(folder, fetch) {
                Ok(commit) => return Ok(commit),
                Err(error @ GitError::Failed { .. }) if attempt < ATTEMPTS && passes(&error) => {
                    self.clock.sleep(std::time::Duration::from_secs(1 << attempt));
                    attempt += 1;
                }
                Err(error) => return Err(Failed::Git(error)),
            }
        }
    }
}

/// Why there is no clone.
enum Failed {
    Git(GitError),
    Said(String),
}

impl From<GitError> for Failed {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// What another attempt may help against: a connection that broke, not an answer.
fn passes(error: &GitError) -> bool {
    let text = error.to_string();
    let broke = ["early EOF", "hung up", "reset by peer", "timed out", "Could not resolve", "RPC failed", "HTTP 5"];
    broke.iter().any(|word| text.contains(word)) && !text.contains("not found") && !text.contains("denied")
}

/// The folders to name to git; none where everything is needed.
fn sparse(paths: &BTreeSet<String>) -> Vec<String> {
    if paths.contains("") || paths.len() > MAX_PATHS {
        return Vec::new();
    }
    paths.iter().cloned().collect()
}

fn dirty(folder: &Path) -> Result<bool, GitError> {
    let repository = Repository::open(folder)?;
    Ok(repository.dirty(&[""])?.iter().any(|paths| !paths.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_stays_below_its_folder() {
        let remote = |repository: &str| Remote {
            repository: repository.to_owned(),
            url: String::new(),
            revision: None,
            path: String::new(),
        };
        for (pattern, repository, expected) in [
            ("/m/{host}/{path}", "h/o/r", Some("/m/h/o/r")),
            ("../m/{owner}-{name}", "h/o/r", Some("../m/o-r")),
            ("/m/{host}/{path}", "../secret/repo", None),
            ("/m/x/{host}/{path}", "h/../../r", None),
        ] {
            assert_eq!(filled(pattern, &remote(repository)), expected.map(PathBuf::from), "{repository}");
        }
    }
}
