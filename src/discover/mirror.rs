//! What lies on this machine already of a repository: mirrors by a pattern, checkouts that
//! the migration names, and at which revision they are.
//!
//! Must not: fetch anything, or change what it finds.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::location::{self, Code, Remote};
use crate::git::{self, Repository};

/// How a folder has the revision that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It lies there.
    AsItLies,
    /// Among its objects, by this name; something else lies there.
    Inside(String),
    /// It does not: the reason, for people.
    Not(String),
}

/// Looks for a revision in a folder. No revision is whatever lies there.
pub(super) fn held(folder: &Path, revision: Option<&str>) -> Held {
    let Some(revision) = revision.filter(|revision| !is_on(folder, revision)) else {
        return Held::AsItLies;
    };
    let shown = folder.display();
    if !folder.join(".git").exists() {
        return Held::Not(format!(
            "{shown} is no git repository, so that {revision:?} can't be found in it: clone it there, or take the revision out of the location"
        ));
    }
    let found = Repository::open(folder).and_then(|repository| {
        let standing = repository.standing(revision)?;
        Ok((standing, repository.head()?))
    });
    match found {
        Err(error) => Held::Not(format!("{shown} can't be read: {error}")),
        Ok((None, _)) => Held::Not(format!(
            "{shown} has no revision {revision:?}: fetch it there, or correct the location in the catalog"
        )),
        Ok((Some(standing), Some(head))) if standing.commit == head => Held::AsItLies,
        Ok((Some(standing), _)) => Held::Inside(standing.name),
    }
}

/// Whether the branch that is asked for is checked out. Nearly always it is: no program
/// is started to see that.
fn is_on(folder: &Path, revision: &str) -> bool {
    let head = std::fs::read_to_string(folder.join(".git/HEAD")).unwrap_or_default();
    head.trim_end().strip_prefix("ref: refs/heads/") == Some(revision)
}

/// What is checked out in a folder, for people: a branch, else a commit.
pub(super) fn checked_out(folder: &Path) -> String {
    let head = std::fs::read_to_string(folder.join(".git/HEAD")).unwrap_or_default();
    let head = head.trim_end();
    match head.strip_prefix("ref: refs/heads/") {
        Some(branch) => branch.to_owned(),
        None if head.is_empty() => "another commit".to_owned(),
        None => head.chars().take(12).collect(),
    }
}

/// Whether a folder is a repository without a work tree, as `git clone --mirror` makes it.
pub(super) fn is_bare(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && !folder.join(".git").exists()
}

/// The folder that a mirror's pattern means for a repository, where there is one. Where
/// the host does not tell `Org` from `org`, neither does this.
pub(super) fn mirror(pattern: &str, remote: &Remote) -> Option<PathBuf> {
    let folder = filled(pattern, remote)?;
    if folder.is_dir() {
        return Some(folder);
    }
    if !remote.is_careless() {
        return None;
    }
    let lower = Remote { repository: remote.identity(), ..remote.clone() };
    let fixed = filled(pattern, &lower)?;
    let end = pattern.split('{').next().unwrap_or_default().rfind('/').map_or(0, |at| at + 1);
    let rest = fixed.to_str()?.get(end..)?;
    Path::new(rest.trim_start_matches('/')).components().try_fold(PathBuf::from(&pattern[..end]), |above, part| {
        let plain = above.join(part);
        if plain.is_dir() {
            return Some(plain);
        }
        let same = |name: &std::ffi::OsStr| {
            name.to_str().map(str::to_lowercase) == part.as_os_str().to_str().map(str::to_lowercase)
        };
        let entries = std::fs::read_dir(&above).ok()?.flatten().map(|entry| entry.file_name());
        let found = entries.filter(|name| same(name)).min()?;
        Some(above.join(found)).filter(|folder| folder.is_dir())
    })
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

/// The checkouts that folders lie in, by the repository that each was cloned from, with
/// the folders' paths in it.
pub(super) fn checkouts<'c>(codes: impl Iterator<Item = &'c Code>) -> BTreeMap<String, BTreeMap<PathBuf, Vec<String>>> {
    let mut tops: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for code in codes {
        let Code::Folder(folder) = code else { continue };
        if let Some(top) = git::toplevel(folder)
            && let Some(path) = folder.strip_prefix(&top).ok().and_then(Path::to_str)
        {
            tops.entry(top.clone()).or_default().push(path.to_owned());
        }
    }
    let tops: Vec<_> = tops.into_iter().collect();
    let known: Vec<_> = tops
        .into_par_iter()
        .filter_map(|(top, paths)| {
            let origin = Repository::open(&top).and_then(|repository| repository.origin()).ok()??;
            Some((location::url(&origin).ok()?.identity(), top, paths))
        })
        .collect();
    let mut checkouts: BTreeMap<String, BTreeMap<PathBuf, Vec<String>>> = BTreeMap::new();
    for (identity, top, paths) in known {
        checkouts.entry(identity).or_default().insert(top, paths);
    }
    checkouts
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

    #[test]
    fn a_host_that_does_not_mind_case_finds_its_mirror_in_any() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().display().to_string();
        let place = |path: &str| folder.path().join(path);
        for path in ["github.com/Org/Repo", "github.com/other/x", "h/Org/Repo"] {
            crate::files::make_folder(&place(path)).unwrap();
        }
        let pattern = format!("{base}/{{host}}/{{path}}");
        let found = |url: &str| mirror(&pattern, &location::url(url).unwrap());
        for url in ["https://GitHub.com/Org/Repo", "https://github.com/org/repo", "https://github.com/ORG/REPO.git"] {
            assert_eq!(found(url), Some(place("github.com/Org/Repo")), "{url}");
        }
        assert_eq!(found("https://github.com/OTHER/X"), Some(place("github.com/other/x")));
        assert_eq!(found("https://github.com/org/gone"), None);
        assert_eq!(found("https://H/Org/Repo"), Some(place("h/Org/Repo")));
        assert_eq!(found("https://h/org/repo"), None, "this host may tell them apart");
        let flat = format!("{base}/{{host}}/{{owner}}/{{name}}");
        assert_eq!(
            mirror(&flat, &location::url("https://github.com/org/REPO").unwrap()),
            Some(place("github.com/Org/Repo"))
        );
    }
}
