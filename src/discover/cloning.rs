//! Clones in the state folder. A clone is made once for all that lies in it, holds what is
//! needed of it, and stays at its commit until a refresh asks for a newer one. What was
//! begun and failed is gone on with; a repository that goes by another name now is known
//! by its history, and keeps its clone.
//!
//! Must not: decide whose code lies where.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::config::CodeConfig;
use crate::digest::DigestBuilder;
use crate::files::{self, FilesError};
use crate::git::{self, Fetch, GitError, Left, Repository};
use crate::process::ProcessError;
use crate::workspace::without_userinfo;

/// Attempts at one clone, with what the one before got.
const ATTEMPTS: u32 = 3;
/// Folders of a clone that are named one by one; of more, everything is fetched.
const MAX_PATHS: usize = 200;
/// How often servers are asked whether they have the commit of a clone that nobody names
/// any more.
const MAX_COMPARED: usize = 200;

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
    /// What was begun since; until it has come to its end, the clone is not to be read.
    #[serde(default)]
    begun: Option<Begun>,
}

/// Work on a clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Begun {
    /// More folders of the same commit.
    More,
    /// A newer commit; nobody had changed anything in the work tree.
    Newer,
}

/// A repository and a revision of it.
pub(super) type Key = (String, Option<String>);

/// What is needed of a repository.
#[derive(Clone, Debug)]
pub(super) struct Need {
    pub(super) url: String,
    /// It is a mirror on this machine, which the migration names.
    pub(super) mirror: bool,
    /// Where its branches are pushed to, where that is not what it is cloned from.
    pub(super) push: Option<String>,
    /// What the revision is called there, where that is not its own name.
    pub(super) named: Option<String>,
    pub(super) paths: BTreeSet<String>,
}

/// The clones that are needed.
pub(super) type Needs = BTreeMap<Key, Need>;

/// Where each clone lies, or why there is none.
pub(super) type Clones = BTreeMap<Key, Result<PathBuf, String>>;

/// A clone on this disk.
#[derive(Clone, Debug)]
struct Known {
    folder: PathBuf,
    record: Record,
}

impl Known {
    fn key(&self) -> Key {
        (self.record.repository.clone(), self.record.revision.clone())
    }
}

/// How clones are made.
pub(super) struct Cloning<'a> {
    pub(super) config: &'a CodeConfig,
    pub(super) folder: PathBuf,
    pub(super) fetching: Fetching,
    pub(super) clock: &'a Clock,
    /// Every source was read: what nobody names is really gone.
    pub(super) all_known: bool,
}

impl Cloning<'_> {
    /// Clones what is needed. `others` are in nobody's way: they are looked up, never made.
    ///
    /// # Errors
    /// Where there is no git.
    pub(super) fn all(
        &self,
        needs: &Needs,
        others: &BTreeSet<Key>,
        problems: &mut Vec<String>,
    ) -> Result<Clones, GitError> {
        if needs.is_empty() && others.is_empty() {
            return Ok(Clones::new());
        }
        let known: BTreeMap<Key, Known> = self.known().into_iter().map(|one| (one.key(), one)).collect();
        // git is in groups of its own: without this, Ctrl-C would leave it behind.
        crate::interrupt::listen();
        let mut clones = self.made(needs, &known)?;
        for key in others.iter().filter(|key| !needs.contains_key(*key)) {
            let here = known.get(key).filter(|one| one.record.begun.is_none());
            clones.insert(key.clone(), here.map(|one| one.folder.clone()).ok_or_else(|| "is not cloned".to_owned()));
        }
        let left: Vec<&Known> =
            known.values().filter(|one| !needs.contains_key(&one.key()) && !others.contains(&one.key())).collect();
        if self.all_known && self.fetching != Fetching::Never && !left.is_empty() {
            let new = needs.iter().filter(|(key, _)| !known.contains_key(*key));
            self.renamed(new, left, &mut clones, problems);
        }
        Ok(clones)
    }

    /// The clones that are on record, ordered by folder.
    fn known(&self) -> Vec<Known> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut known: Vec<Known> = entries.filter_map(|entry| known(&entry.path())).collect();
        known.sort_by(|a, b| a.folder.cmp(&b.folder));
        known
    }

    fn made(&self, needs: &Needs, known: &BTreeMap<Key, Known>) -> Result<Clones, GitError> {
        let list: Vec<_> = needs.iter().collect();
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..self.config.jobs.clamp(1, list.len().max(1)) {
                scope.spawn(|| {
                    while let Some((key, need)) = list.get(next.fetch_add(1, Ordering::Relaxed))
                        && !crate::interrupt::wanted()
                    {
                        let made = self.one(key, need, known.get(*key));
                        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(((*key).clone(), made));
                    }
                });
            }
        });
        let mut clones = BTreeMap::new();
        for (key, made) in done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            let made = match made {
                Err(Failed::Git(error @ GitError::Process(ProcessError::Missing { .. }))) => return Err(error),
                other => other.map_err(Failed::told),
            };
            clones.insert(key, made);
        }
        Ok(clones)
    }

    /// The folder for a clone that is not on record: no other one's.
    fn free(&self, (repository, revision): &Key) -> PathBuf {
        let name: String = repository.rsplit('/').next().unwrap_or_default().chars().take(60).collect();
        let digest = DigestBuilder::new("gander.clone")
            .field(repository)
            .field(revision.as_deref().unwrap_or_default())
            .finish();
        let plain = format!("{name}-{}", &digest.short()[..10]);
        // A repository that goes by another name now may still have this one's folder.
        let names = std::iter::once(plain.clone()).chain((2..).map(|number| format!("{plain}-{number}")));
        let mut folders = names.map(|name| self.folder.join(name));
        folders.find(|folder| known(&record_of(folder)).is_none()).unwrap_or_else(|| self.folder.join(plain))
    }

    fn one(&self, key: &Key, need: &Need, known: Option<&Known>) -> Result<PathBuf, Failed> {
        let folder = self.had(key, need, known)?;
        if let Some(url) = &need.push {
            // Nobody reads what is pushed into a mirror, and its next update deletes it.
            Repository::open(&folder)?.push_to(url)?;
        }
        Ok(folder)
    }

    fn had(&self, key: &Key, need: &Need, known: Option<&Known>) -> Result<PathBuf, Failed> {
        let (repository, revision) = (key.0.as_str(), key.1.as_deref());
        let Need { url, mirror, named, paths, .. } = need;
        let local = [String::from("file")];
        let protocols = if *mirror { &local[..] } else { &self.config.protocols };
        git::check_url(url, protocols).map_err(|why| Failed::Said(format!("{:?} {why}", without_userinfo(url))))?;
        let folder = known.map_or_else(|| self.free(key), |one| one.folder.clone());
        let record_path = record_of(&folder);
        let record = known.map(|one| &one.record);
        let wanted = sparse(paths, record);
        let enough = |record: &Record| record.begun.is_none() && record.paths == wanted;
        if let Some(record) = record.filter(|record| record.begun.is_none()) {
            // Detached, HEAD holds the name itself.
            let head = std::fs::read_to_string(folder.join(".git/HEAD")).unwrap_or_default();
            if head.trim() != record.commit {
                return Err(Failed::Said(format!(
                    "its clone {} is not at the commit on record ({}): check that out there, or remove the clone",
                    folder.display(),
                    record.commit
                )));
            }
        }
        match (record, self.fetching) {
            (Some(record), Fetching::Never | Fetching::Missing) if enough(record) => return Ok(folder),
            (_, Fetching::Never) => {
                return Err(Failed::Said("is not cloned yet: `gander discover` clones it".to_owned()));
            }
            _ => {}
        }
        let newer = self.fetching == Fetching::Refresh;
        let left = match record.map(|record| record.begun) {
            None | Some(Some(Begun::Newer)) => Left::HalfATree,
            Some(Some(Begun::More)) => Left::Locks,
            Some(None) => Left::Nothing,
        };
        if newer && left < Left::HalfATree && dirty(&folder)? {
            return Err(Failed::Said(format!(
                "its clone {} has uncommitted changes, and stays at its commit: commit or take them back",
                folder.display()
            )));
        }
        files::make_folder(&folder).map_err(said)?;
        if let Some(record) = record {
            let begun = if newer || left == Left::HalfATree { Begun::Newer } else { Begun::More };
            write(&record_path, &Record { begun: Some(begun), ..record.clone() })?;
        }
        // More of a clone that stays at its commit: that commit once more.
        let pinned = record.filter(|_| !newer).map(|record| record.commit.clone());
        let revision_now = pinned.as_deref().or(named.as_deref()).or(revision);
        let disk = self.config.disk;
        let fetch = Fetch { url, revision: revision_now, paths: &wanted, protocols, left, disk };
        let commit = self.attempts(&folder, &fetch, record.is_none())?;
        let (repository, revision) = (repository.to_owned(), revision.map(str::to_owned));
        let at = self.clock.now();
        write(&record_path, &Record { repository, revision, commit, paths: wanted, at, begun: None })?;
        Ok(folder)
    }

    /// Fetches; where nothing of the clone is known to be of use, and what is there is
    /// broken, anew. What is larger than a clone may be does not stay.
    fn attempts(&self, folder: &Path, fetch: &Fetch<'_>, expendable: bool) -> Result<String, Failed> {
        let (mut attempt, mut broken_once) = (1, !expendable);
        loop {
            match Repository::fetch_into(folder, fetch) {
                Ok(commit) => return Ok(commit),
                Err(error @ GitError::Failed { .. }) if attempt < ATTEMPTS && passes(&error) => {
                    self.clock.sleep(std::time::Duration::from_secs(1 << attempt));
                    attempt += 1;
                }
                Err(error @ GitError::Failed { .. }) if !broken_once && broken(&error) => {
                    files::remove_folder(folder).map_err(said)?;
                    files::make_folder(folder).map_err(said)?;
                    broken_once = true;
                }
                Err(error @ GitError::Process(ProcessError::TooMuchDisk { .. })) => {
                    if expendable {
                        files::remove_folder(folder).map_err(said)?;
                    }
                    return Err(Failed::Git(error));
                }
                Err(error) => return Err(Failed::Git(error)),
            }
        }
    }

    /// Repositories that are needed for the first time, and clones that nobody names any
    /// more: where the new server has the very commit that the old clone is at, both are
    /// one repository, and the clone goes on with all that was delivered in it.
    fn renamed<'n>(
        &self,
        new: impl Iterator<Item = (&'n Key, &'n Need)>,
        mut left: Vec<&Known>,
        clones: &mut Clones,
        problems: &mut Vec<String>,
    ) {
        let mut asked = 0;
        for (key, need) in new {
            let Some(Ok(folder)) = clones.get(key).cloned() else { continue };
            let Some(record) = known(&record_of(&folder)).map(|one| one.record) else { continue };
            // The same repository at another revision is other code.
            left.sort_by_key(|old| (old.record.commit != record.commit, old.folder.clone()));
            let mut same = |old: &Known| {
                let compared = |asked: &mut usize| {
                    *asked += 1;
                    *asked <= MAX_COMPARED && self.has(&folder, need, &old.record.commit)
                };
                let same_revision = old.record.revision == key.1;
                old.record.repository != key.0
                    && (old.record.commit == record.commit || (same_revision && compared(&mut asked)))
            };
            if let Some(at) = left.iter().position(|old| same(old)) {
                let old = left.remove(at);
                let kept = self.adopt(key, need, old, &folder).map_err(Failed::told);
                clones.insert(key.clone(), kept);
            }
        }
        if asked > MAX_COMPARED {
            problems.push(format!(
                "{} repositories are new, and {} clones are named by nobody any more: whether some are the same under another name was not asked of every server",
                clones.len(),
                left.len()
            ));
        }
    }

    /// Whether the server of a new clone has a commit.
    fn has(&self, folder: &Path, need: &Need, commit: &str) -> bool {
        let local = [String::from("file")];
        let protocols = if need.mirror { &local[..] } else { &self.config.protocols };
        let (left, disk) = (Left::Nothing, self.config.disk);
        let fetch = Fetch { url: &need.url, revision: Some(commit), paths: &[], protocols, left, disk };
        !crate::interrupt::wanted() && Repository::fetch_commit(folder, &fetch).is_ok()
    }

    /// Gives an old clone to a repository that goes by another name now, in place of the
    /// new one. Killed in between, the next run makes the new one again and comes back here.
    fn adopt(&self, key: &Key, need: &Need, old: &Known, new: &Path) -> Result<PathBuf, Failed> {
        files::remove(&record_of(new)).map_err(said)?;
        files::remove_folder(new).map_err(said)?;
        let (repository, revision) = key.clone();
        let record = Record { repository, revision, ..old.record.clone() };
        write(&record_of(&old.folder), &record)?;
        self.one(key, need, Some(&Known { folder: old.folder.clone(), record }))
    }
}

/// Whether a clone of gander's own holds what is nowhere else: another commit than the one that
/// was cloned, changes of files, branches that gander did not make, a stash.
///
/// # Errors
/// Where it can't be read.
pub fn holds_work(folder: &Path) -> Result<bool, String> {
    if !folder.join(".git").exists() {
        return Ok(false);
    }
    let repository = Repository::open(folder).map_err(|error| error.to_string())?;
    if repository.has_work().map_err(|error| error.to_string())? {
        return Ok(true);
    }
    let place = record_of(folder);
    let Some(Known { record, .. }) = known(&place) else {
        // Without a record it was never finished.
        return if place.exists() { Err(format!("{} is not what gander wrote", place.display())) } else { Ok(false) };
    };
    // Half of a newer tree is nobody's: it is begun only where nobody had changed anything.
    if record.begun == Some(Begun::Newer) {
        return Ok(false);
    }
    let head = std::fs::read_to_string(folder.join(".git/HEAD")).unwrap_or_default();
    Ok(head.trim() != record.commit || dirty(folder).map_err(|error| error.to_string())?)
}

/// Removes a clone, and what is on record of it.
///
/// # Errors
/// Where it can't be removed.
pub fn remove(folder: &Path) -> Result<(), FilesError> {
    files::remove(&record_of(folder))?;
    files::remove_folder(folder)
}

fn record_of(folder: &Path) -> PathBuf {
    // The name may have dots of its own.
    let mut name = folder.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}

/// The clone that a record is about, where both are there.
fn known(record_path: &Path) -> Option<Known> {
    let folder = PathBuf::from(record_path.to_str()?.strip_suffix(".json")?);
    let record = serde_json::from_slice::<Record>(&std::fs::read(record_path).ok()?).ok()?;
    folder.join(".git").is_dir().then_some(Known { folder, record })
}

fn said(error: impl std::fmt::Display) -> Failed {
    Failed::Said(error.to_string())
}

fn write(path: &Path, record: &Record) -> Result<(), Failed> {
    let text = serde_json::to_vec_pretty(record).map_err(said)?;
    files::write_whole(path, &text, false).map_err(said)
}

/// Why there is no clone.
enum Failed {
    Git(GitError),
    Said(String),
}

impl Failed {
    fn told(self) -> String {
        match self {
            Self::Git(error) => format!("can't be cloned ({error}): {}", next_step(&error)),
            Self::Said(reason) => reason,
        }
    }
}

impl From<GitError> for Failed {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// What to do about a clone that failed.
fn next_step(error: &GitError) -> &'static str {
    const STEPS: [(&str, &str); 10] = [
        ("MiB of disk", "give a clone more room with `disk` under [code] if you trust it"),
        (
            "terminal prompts disabled",
            "it wants a name and password, and no credential helper of git's has them: set one up \
             (`git help credentials`), and try it with `git ls-remote`",
        ),
        ("Authentication failed", "what git's credential helper gave was not accepted: renew it there"),
        ("Host key verification failed", "ssh does not know this host: connect to it once by hand"),
        ("Permission denied (", "ssh has no key that it accepts: add one with `ssh-add`, or name it in ~/.ssh/config"),
        ("SSL certificate problem", CERTIFICATE),
        ("certificate verification failed", CERTIFICATE),
        ("certificate verify failed", CERTIFICATE),
        ("not allowed", "add its protocol to [code] protocols if you trust it"),
        ("Could not resolve host", "check the address, the network and the name server"),
    ];
    const CERTIFICATE: &str = "name your company's certificate in git's `http.sslCAInfo`";
    let text = error.to_string();
    STEPS.iter().find(|(word, _)| text.contains(word)).map_or("check the address and your access", |(_, step)| step)
}

/// What another attempt may help against: a connection that broke, not an answer.
fn passes(error: &GitError) -> bool {
    let text = error.to_string();
    let broke = ["early EOF", "hung up", "reset by peer", "timed out", "Could not resolve", "RPC failed", "HTTP 5"];
    broke.iter().any(|word| text.contains(word)) && !text.contains("not found") && !text.contains("denied")
}

/// Whether what is on this disk is at fault, as after a power cut.
fn broken(error: &GitError) -> bool {
    let text = error.to_string();
    ["corrupt", "is empty", "bad object", "loose object", "invalid index-pack", "bad index"]
        .iter()
        .any(|word| text.contains(word))
}

/// The folders to name to git, with those that are there; none where everything is needed.
fn sparse(paths: &BTreeSet<String>, record: Option<&Record>) -> Vec<String> {
    let known = record.map_or(&[][..], |record| &record.paths);
    let everything = record.is_some_and(|record| record.paths.is_empty());
    let all: BTreeSet<&String> = paths.iter().chain(known).collect();
    if everything || paths.contains("") || all.len() > MAX_PATHS {
        return Vec::new();
    }
    all.into_iter().cloned().collect()
}

fn dirty(folder: &Path) -> Result<bool, GitError> {
    let repository = Repository::open(folder)?;
    Ok(repository.dirty(&[""])?.iter().any(|paths| !paths.is_empty()))
}
