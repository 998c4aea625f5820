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
use crate::git::{self, Fetch, GitError, Left, Repository};
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

/// The clones that are needed.
type Needs = BTreeMap<Key, Need>;

/// What is needed of a repository.
struct Need {
    url: String,
    /// It is a bare mirror on this machine, which the migration names.
    mirror: bool,
    paths: BTreeSet<String>,
}

/// A repository and a revision of it.
type Key = (String, Option<String>);

/// Where each clone lies, or why there is none.
type Clones = BTreeMap<Key, Result<PathBuf, String>>;

/// Finds the folder of any code.
pub(super) struct Places<'a> {
    config: &'a CodeConfig,
    /// Where clones lie, by repository and revision; or why there is none.
    clones: Clones,
    /// Folders that the mirror's pattern gives to several repositories.
    shared: BTreeSet<PathBuf>,
    /// Paths whose files are also asked for at another revision, and why that is wrong.
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
        let mut places = Self { config, clones: BTreeMap::new(), shared: BTreeSet::new(), twice: BTreeMap::new() };
        places.shared = places.shared(candidates);
        problems.extend(places.shared.iter().map(|folder| {
            format!(
                "{}: several repositories have this mirror: give the pattern `{{host}}` and `{{path}}`",
                folder.display()
            )
        }));
        let needs = places.needs(candidates);
        let cloning = Cloning { config, folder: state.join("clones"), fetching, clock };
        places.clones = cloning.all(&needs)?;
        places.twice = twice(&needs);
        problems.extend(places.twice.values().cloned().collect::<BTreeSet<_>>());
        let clones = places.clones.iter();
        problems.extend(
            clones.filter_map(|((repository, _), made)| Some(format!("{repository}: {}", made.as_ref().err()?))),
        );
        Ok(places)
    }

    /// Mirrors that several repositories would have.
    fn shared(&self, candidates: &Candidates) -> BTreeSet<PathBuf> {
        let mut mirrors: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
        for code in candidates.iter().flat_map(|candidate| candidate.codes()) {
            if let Code::Remote(remote) = code
                && let Some(folder) = self.mirror(remote)
            {
                mirrors.entry(folder).or_default().insert(remote.identity());
            }
        }
        mirrors.into_iter().filter(|(_, identities)| identities.len() > 1).map(|(folder, _)| folder).collect()
    }

    /// What has to be cloned.
    fn needs(&self, candidates: &Candidates) -> Needs {
        let mut needs = Needs::new();
        for code in candidates.iter().flat_map(|candidate| candidate.codes()) {
            let Code::Remote(remote) = code else { continue };
            let bare = self.mirror(remote).filter(|folder| is_bare(folder));
            let here = self.checkout(remote).is_some() || (bare.is_none() && self.mirror(remote).is_some());
            if here || (bare.is_none() && !self.config.clone) {
                continue;
            }
            let key = (remote.identity(), remote.revision.clone());
            let url = bare.as_ref().map_or_else(|| remote.url.clone(), |folder| format!("file://{}", folder.display()));
            let need = needs.entry(key).or_insert_with(|| Need {
                url: url.clone(),
                mirror: bare.is_some(),
                paths: BTreeSet::new(),
            });
            // However it is reached: the same URL on every run.
            if url < need.url {
                need.url = url;
            }
            need.paths.insert(remote.path.clone());
        }
        needs
    }

    /// The folder of some code, or why there is none.
    pub(super) fn folder(&self, code: &Code) -> Result<PathBuf, String> {
        let remote = match code {
            Code::Folder(folder) => return Ok(folder.clone()),
            Code::Remote(remote) => remote,
        };
        let mirror = self.mirror(remote);
        if mirror.as_ref().is_some_and(|folder| self.shared.contains(folder)) {
            return Err(format!(
                "{remote} has the same mirror as another repository: give the pattern `{{host}}` and `{{path}}`"
            ));
        }
        let mirror = mirror.filter(|folder| !is_bare(folder));
        let top = match (self.checkout(remote), mirror) {
            (Some(top), _) | (None, Some(top)) => top,
            (None, None) => self.cloned(remote)?,
        };
        let top = top.canonicalize().map_err(|error| format!("{} can't be read ({error})", top.display()))?;
        let folder = if remote.path.is_empty() { top.clone() } else { top.join(&remote.path) };
        if !folder.exists() {
            return Err(format!("{remote} does not exist in its repository: correct the location in the catalog"));
        }
        let folder = if folder.is_file() { folder.parent().unwrap_or(&top) } else { &folder };
        let folder = inside(folder, &top, &remote.to_string())?;
        // A link of the repository may not lead to whatever it lies in.
        match folder.starts_with(&top) {
            true => Ok(folder),
            false => Err(format!("{remote} leads out of its repository: correct the location in the catalog")),
        }
    }

    fn checkout(&self, remote: &Remote) -> Option<PathBuf> {
        let known = |url: &str| super::location::url(url).is_ok_and(|known| known.identity() == remote.identity());
        self.config.monorepo.iter().find(|(url, _)| known(url)).map(|(_, folder)| folder.clone())
    }

    fn mirror(&self, remote: &Remote) -> Option<PathBuf> {
        let folder = filled(self.config.mirror.as_deref()?, remote)?;
        Some(folder).filter(|folder| folder.is_dir())
    }

    fn cloned(&self, remote: &Remote) -> Result<PathBuf, String> {
        let key = (remote.identity(), remote.revision.clone());
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

/// Whether a folder is a repository without a work tree, as `git clone --mirror` makes it.
fn is_bare(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && !folder.join(".git").exists()
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

/// Files that are asked for at two revisions of one repository: whether that is one branch
/// by two names or really two nobody can say, and each would get a change of its own. By
/// what is needed, with the reason.
fn twice(needs: &Needs) -> BTreeMap<(Key, String), String> {
    let named = |key: &Key| key.1.clone().unwrap_or_else(|| "no revision".to_owned());
    let holds = |a: &str, b: &str| a.is_empty() || Path::new(b).starts_with(a);
    let mut twice = BTreeMap::new();
    for (at, (one, Need { paths, .. })) in needs.iter().enumerate() {
        // In order: clones of one repository come one after the other.
        let others = needs.iter().skip(at + 1).take_while(|(other, _)| other.0 == one.0);
        for (other, Need { paths: others, .. }) in others {
            let pairs = paths.iter().flat_map(|a| others.iter().map(move |b| (a, b)));
            for (a, b) in pairs.filter(|(a, b)| holds(a, b) || holds(b, a)) {
                let place = if a.len() > b.len() { a } else { b };
                let place = if place.is_empty() { "its code" } else { place };
                let why = format!(
                    "{}: {place} is asked for at {} and at {}: write the same revision in the catalog, or leave one out",
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
        if !list.is_empty() {
            // git is in groups of its own: without this, Ctrl-C would leave it behind.
            crate::interrupt::listen();
        }
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..self.config.jobs.clamp(1, list.len().max(1)) {
                scope.spawn(|| {
                    while let Some((key, need)) = list.get(next.fetch_add(1, Ordering::Relaxed))
                        && !crate::interrupt::wanted()
                    {
                        let made = self.one(&key.0, key.1.as_deref(), need);
                        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(((*key).clone(), made));
                    }
                });
            }
        });
        let mut clones = BTreeMap::new();
        for (key, made) in done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            let made = match made {
                Err(Failed::Git(error @ GitError::Process(ProcessError::Missing { .. }))) => return Err(error),
                Err(Failed::Git(error)) => Err(format!("can't be cloned ({error}): {}", next_step(&error))),
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
        Need { url, mirror, paths }: &Need,
    ) -> Result<PathBuf, Failed> {
        let local = [String::from("file")];
        let protocols = if *mirror { &local[..] } else { &self.config.protocols };
        git::check_url(url, protocols).map_err(|why| Failed::Said(format!("{:?} {why}", without_userinfo(url))))?;
        let name: String = repository.rsplit('/').next().unwrap_or_default().chars().take(60).collect();
        let digest = DigestBuilder::new("gander.clone").field(repository).field(revision.unwrap_or_default()).finish();
        let folder = self.folder.join(format!("{name}-{}", &digest.short()[..10]));
        // The name may have dots of its own.
        let record_path = self.folder.join(format!("{name}-{}.json", &digest.short()[..10]));
        let record = std::fs::read(&record_path).ok().and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok());
        let record = record.filter(|record| {
            let same = record.repository == repository && record.revision.as_deref() == revision;
            same && folder.join(".git").is_dir()
        });
        let wanted = sparse(paths, record.as_ref());
        let enough = |record: &Record| record.begun.is_none() && record.paths == wanted;
        if let Some(record) = record.as_ref().filter(|record| record.begun.is_none()) {
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
        match (&record, self.fetching) {
            (Some(record), Fetching::Never | Fetching::Missing) if enough(record) => return Ok(folder),
            (_, Fetching::Never) => {
                return Err(Failed::Said("is not cloned yet: `gander discover` clones it".to_owned()));
            }
            _ => {}
        }
        let newer = self.fetching == Fetching::Refresh;
        let left = match record.as_ref().map(|record| record.begun) {
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
        if let Some(record) = &record {
            let begun = if newer || left == Left::HalfATree { Begun::Newer } else { Begun::More };
            write(&record_path, &Record { begun: Some(begun), ..record.clone() })?;
        }
        // More of a clone that stays at its commit: that commit once more.
        let pinned = record.as_ref().filter(|_| !newer).map(|record| record.commit.clone());
        let revision_now = pinned.as_deref().or(revision);
        let fetch = Fetch { url, revision: revision_now, paths: &wanted, protocols, left };
        let commit = self.attempts(&folder, &fetch, record.is_none())?;
        let (repository, revision) = (repository.to_owned(), revision.map(str::to_owned));
        let at = self.clock.now();
        write(&record_path, &Record { repository, revision, commit, paths: wanted, at, begun: None })?;
        Ok(folder)
    }

    /// Fetches; where nothing of the clone is known to be of use, and what is there is
    /// broken, anew.
    fn attempts(&self, folder: &Path, fetch: &Fetch<'_>, expendable: bool) -> Result<String, Failed> {
        let (mut attempt, mut expendable) = (1, expendable);
        loop {
            match Repository::fetch_into(folder, fetch) {
                Ok(commit) => return Ok(commit),
                Err(error @ GitError::Failed { .. }) if attempt < ATTEMPTS && passes(&error) => {
                    self.clock.sleep(std::time::Duration::from_secs(1 << attempt));
                    attempt += 1;
                }
                Err(error @ GitError::Failed { .. }) if expendable && broken(&error) => {
                    files::remove_folder(folder).map_err(said)?;
                    files::make_folder(folder).map_err(said)?;
                    expendable = false;
                }
                Err(error) => return Err(Failed::Git(error)),
            }
        }
    }
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

impl From<GitError> for Failed {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// What to do about a clone that failed.
fn next_step(error: &GitError) -> &'static str {
    const STEPS: [(&str, &str); 9] = [
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
