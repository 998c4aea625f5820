//! From a location to a folder: one that is here already, a checkout, a mirror, or a clone
//! in the state folder. One repository at one revision has one place, whichever sources
//! name it and however they write it.
//!
//! Must not: run git over the network. That is [`super::cloning`]'s work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::candidate::{Candidate, Candidates};
use super::cloning::{Clones, Cloning, Fetching, Key, Need, Needs};
use super::locate::inside;
use super::location::{self, Code, Remote};
use super::mirror::{self, Held};
use crate::clock::Clock;
use crate::config::CodeConfig;
use crate::git::GitError;

/// What is asked for of a repository at a revision.
struct Asked {
    /// Some way to name it; the same on every run.
    remote: Remote,
    paths: BTreeSet<String>,
}

/// How code is had.
enum Way {
    /// It lies in this folder.
    Here(PathBuf),
    /// It has to be cloned from here.
    Clone { url: String, mirror: bool, named: Option<String> },
    /// It is not to be had.
    Not(String),
}

/// Paths whose files are also asked for at another revision, and why that is wrong.
type Twice = BTreeMap<(Key, String), String>;

/// Finds the folder of any code.
pub(super) struct Places {
    ways: BTreeMap<Key, Way>,
    /// Where clones lie, by repository and revision; or why there is none.
    clones: Clones,
    twice: Twice,
}

/// What finding code depends on.
pub(super) struct Finding<'a> {
    pub(super) config: &'a CodeConfig,
    /// The state folder.
    pub(super) state: &'a Path,
    pub(super) fetching: Fetching,
    pub(super) clock: &'a Clock,
    /// Every source was read.
    pub(super) all_known: bool,
}

impl Places {
    /// Fetches what `candidates` need and the machine lacks. Nothing is fetched for those
    /// who are left out.
    ///
    /// # Errors
    /// Where there is no git. What can't be fetched is in `problems`.
    pub(super) fn new(
        finding: &Finding<'_>,
        candidates: &Candidates,
        left_out: &[Candidate],
        problems: &mut Vec<String>,
    ) -> Result<Self, GitError> {
        let asked = asked(candidates.iter());
        let others = self::asked(left_out.iter());
        let all: Vec<(&Key, &Asked)> =
            asked.iter().chain(others.iter().filter(|(key, _)| !asked.contains_key(*key))).collect();
        let checkouts = match all.is_empty() {
            true => BTreeMap::new(),
            false => mirror::checkouts(candidates.iter().flat_map(Candidate::codes)),
        };
        let shared = shared(finding.config, &all);
        problems.extend(shared.iter().map(|folder| {
            format!(
                "{}: several repositories have this mirror: give the pattern `{{host}}` and `{{path}}`",
                folder.display()
            )
        }));
        let found: Vec<(Key, Way, Option<String>)> = all
            .par_iter()
            .map(|(key, asked)| {
                let (way, doubt) = way(finding.config, &asked.remote, &checkouts, &shared);
                ((*key).clone(), way, doubt)
            })
            .collect();
        let mut ways = BTreeMap::new();
        for (key, way, doubt) in found {
            problems.extend(doubt);
            ways.insert(key, way);
        }
        let cloning = Cloning {
            config: finding.config,
            folder: finding.state.join("clones"),
            fetching: finding.fetching,
            clock: finding.clock,
            all_known: finding.all_known,
        };
        let clones = cloning.all(&needs(&asked, &ways), &others.into_keys().collect(), problems)?;
        let twice = twice(&asked, &ways, &checkouts);
        problems.extend(twice.values().cloned().collect::<BTreeSet<_>>());
        let failed = clones.iter().filter(|(key, _)| asked.contains_key(*key));
        problems.extend(
            failed.filter_map(|((repository, _), made)| Some(format!("{repository}: {}", made.as_ref().err()?))),
        );
        Ok(Self { ways, clones, twice })
    }

    /// The folder of some code, or why there is none.
    pub(super) fn folder(&self, code: &Code) -> Result<PathBuf, String> {
        let remote = match code {
            Code::Folder(folder) => return Ok(folder.clone()),
            Code::Remote(remote) => remote,
        };
        let top = self.top(remote)?;
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

    fn top(&self, remote: &Remote) -> Result<PathBuf, String> {
        let key = key(remote);
        if let Some(why) = self.twice.get(&(key.clone(), remote.path.clone())) {
            return Err(why.clone());
        }
        match self.ways.get(&key) {
            Some(Way::Here(folder)) => Ok(folder.clone()),
            Some(Way::Not(why)) => Err(why.clone()),
            Some(Way::Clone { .. }) | None => match self.clones.get(&key) {
                Some(made) => made.clone(),
                None => Err(format!("the code at {remote} was not asked for: run again")),
            },
        }
    }

    /// The repository of every clone, by its folder.
    pub(super) fn origins(&self) -> BTreeMap<PathBuf, &str> {
        let made = self.clones.iter().filter_map(|((repository, _), made)| Some((made.as_ref().ok()?, repository)));
        made.filter_map(|(folder, repository)| Some((folder.canonicalize().ok()?, repository.as_str()))).collect()
    }
}

fn key(remote: &Remote) -> Key {
    (remote.identity(), remote.revision.clone())
}

/// What is asked for, by repository and revision.
fn asked<'c>(candidates: impl Iterator<Item = &'c Candidate>) -> BTreeMap<Key, Asked> {
    let mut asked: BTreeMap<Key, Asked> = BTreeMap::new();
    for code in candidates.flat_map(Candidate::codes) {
        let Code::Remote(remote) = code else { continue };
        let one = asked.entry(key(remote)).or_insert_with(|| Asked { remote: remote.clone(), paths: BTreeSet::new() });
        // However it is reached: the same way on every run.
        if (&remote.url, &remote.repository) < (&one.remote.url, &one.remote.repository) {
            one.remote = remote.clone();
        }
        one.paths.insert(remote.path.clone());
    }
    asked
}

/// Mirrors that several repositories would have.
fn shared(config: &CodeConfig, asked: &[(&Key, &Asked)]) -> BTreeSet<PathBuf> {
    let Some(pattern) = &config.mirror else { return BTreeSet::new() };
    let mut mirrors: BTreeMap<PathBuf, BTreeSet<&str>> = BTreeMap::new();
    for (key, asked) in asked {
        if let Some(folder) = mirror::mirror(pattern, &asked.remote) {
            mirrors.entry(folder).or_default().insert(&key.0);
        }
    }
    mirrors.into_iter().filter(|(_, identities)| identities.len() > 1).map(|(folder, _)| folder).collect()
}

/// The checkouts of each repository, with the folders that are consumers in each.
type Checkouts = BTreeMap<String, BTreeMap<PathBuf, Vec<String>>>;

/// How a repository at a revision is had, and what is doubtful about it. First the checkout
/// that the migration gives it, then one that another source names a folder of, then the
/// mirror, then a clone.
fn way(
    config: &CodeConfig,
    remote: &Remote,
    checkouts: &Checkouts,
    shared: &BTreeSet<PathBuf>,
) -> (Way, Option<String>) {
    let revision = remote.revision.as_deref();
    let at = revision.unwrap_or_default();
    let elsewhere = |folder: &Path| {
        format!(
            "{} is at {}, and the catalog asks for {at} of {}: check that out there, or correct the location",
            folder.display(),
            mirror::checked_out(folder),
            remote.repository,
        )
    };
    let known = |url: &str| location::url(url).is_ok_and(|known| known.identity() == remote.identity());
    if let Some((_, folder)) = config.monorepo.iter().find(|(url, _)| known(url)) {
        // What the migration says of this folder holds; a folder without git is at nothing.
        let other = folder.join(".git").exists() && mirror::held(folder, revision) != Held::AsItLies;
        return (Way::Here(folder.clone()), other.then(|| elsewhere(folder)));
    }
    let mut doubt = None;
    if let Some(tops) = checkouts.get(&remote.identity()) {
        let fitting = tops.keys().filter(|top| mirror::held(top, revision) == Held::AsItLies);
        match fitting.collect::<Vec<_>>().as_slice() {
            [] => doubt = tops.keys().next().map(|top| elsewhere(top)),
            [one] => return (Way::Here((*one).clone()), None),
            [one, other, ..] => {
                let why = format!(
                    "{} has two checkouts here, {} and {}: leave one of them out",
                    remote.repository,
                    one.display(),
                    other.display()
                );
                return (Way::Not(why), None);
            }
        }
    }
    let Some(folder) = config.mirror.as_ref().and_then(|pattern| mirror::mirror(pattern, remote)) else {
        let way = match config.clone {
            true => Way::Clone { url: remote.url.clone(), mirror: false, named: None },
            false => Way::Not(format!(
                "its code is at {remote}, which is not here: set `mirror`, `monorepo` or `clone = true` under [code]"
            )),
        };
        return (way, doubt);
    };
    let why = format!("{remote} has the same mirror as another repository: give the pattern `{{host}}` and `{{path}}`");
    let from = |named| Way::Clone { url: format!("file://{}", folder.display()), mirror: true, named };
    let way = match folder {
        _ if shared.contains(&folder) => Way::Not(why),
        _ if mirror::is_bare(&folder) => from(None),
        _ => match mirror::held(&folder, revision) {
            Held::AsItLies => Way::Here(folder),
            Held::Inside(name) => from(Some(name)),
            Held::Not(why) => Way::Not(why),
        },
    };
    (way, doubt)
}

/// What has to be cloned.
fn needs(asked: &BTreeMap<Key, Asked>, ways: &BTreeMap<Key, Way>) -> Needs {
    let need = |(key, asked): (&Key, &Asked)| match ways.get(key)? {
        Way::Clone { url, mirror, named } => {
            let (url, mirror, named, paths) = (url.clone(), *mirror, named.clone(), asked.paths.clone());
            let push = mirror.then(|| asked.remote.url.clone());
            Some((key.clone(), Need { url, mirror, push, named, paths }))
        }
        _ => None,
    };
    asked.iter().filter_map(need).collect()
}

/// Files that are asked for at two revisions of one repository: whether that is one branch
/// by two names or really two nobody can say, and each would get a change of its own. By
/// what is needed, with the reason.
fn twice(asked: &BTreeMap<Key, Asked>, ways: &BTreeMap<Key, Way>, checkouts: &Checkouts) -> Twice {
    struct One<'a> {
        place: String,
        key: Option<&'a Key>,
        paths: Vec<&'a str>,
    }
    let here = |folder: &Path| format!("what is checked out in {}", folder.display());
    let mut repositories: BTreeMap<&str, Vec<One<'_>>> = BTreeMap::new();
    for (key, asked) in asked {
        let place = match ways.get(key) {
            Some(Way::Not(_)) | None => continue,
            Some(Way::Here(folder)) => here(folder),
            Some(Way::Clone { .. }) => key.1.clone().unwrap_or_else(|| "no revision".to_owned()),
        };
        let paths = asked.paths.iter().map(String::as_str).collect();
        repositories.entry(&key.0).or_default().push(One { place, key: Some(key), paths });
    }
    for (identity, ones) in &mut repositories {
        for (top, paths) in checkouts.get(*identity).into_iter().flatten() {
            ones.push(One { place: here(top), key: None, paths: paths.iter().map(String::as_str).collect() });
        }
    }
    let holds = |a: &str, b: &str| a.is_empty() || Path::new(b).starts_with(a);
    let mut twice = BTreeMap::new();
    for (identity, ones) in &repositories {
        for (at, one) in ones.iter().enumerate() {
            for other in ones[at + 1..].iter().filter(|other| other.place != one.place) {
                let pairs = one.paths.iter().flat_map(|a| other.paths.iter().map(move |b| (*a, *b)));
                for (a, b) in pairs.filter(|(a, b)| holds(a, b) || holds(b, a)) {
                    let place = if a.len() > b.len() { a } else { b };
                    let place = if place.is_empty() { "its code" } else { place };
                    let why = format!(
                        "{identity}: {place} is asked for at {} and at {}: write the same revision in the catalog, or leave one out",
                        one.place, other.place
                    );
                    for (key, path) in [(one.key, a), (other.key, b)] {
                        twice.extend(key.map(|key| ((key.clone(), path.to_owned()), why.clone())));
                    }
                }
            }
        }
    }
    twice
}
