//! Where code lies, as catalogs write it: `type:target` and the URLs of code hosts →
//! a repository, a revision and a path.
//!
//! Must not: look at a disk, or fetch anything.

use std::path::PathBuf;

use crate::workspace::{is_inner_path, without_userinfo};

/// Where code lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Code {
    /// In a folder that is here.
    Folder(PathBuf),
    /// In a repository elsewhere.
    Remote(Remote),
}

/// A path in a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Remote {
    /// What the repository is known by however it is reached: `host/path`.
    pub(super) repository: String,
    /// How git reaches it.
    pub(super) url: String,
    /// A branch, tag or commit.
    pub(super) revision: Option<String>,
    /// With `/`; empty for the top.
    pub(super) path: String,
}

/// Reads a location reference. `github` is the host that project slugs mean.
///
/// # Errors
/// Why it is none, with a next step.
pub(super) fn reference(text: &str) -> Result<Remote, String> {
    // The target has colons of its own.
    match text.split_once(':') {
        Some(("url", target)) => url(target.trim()),
        Some(("dir" | "file", _)) => {
            Err("names a folder of the machine that the catalog runs on: give it a `url:` location".to_owned())
        }
        Some((kind, _)) => Err(format!("is of the unknown type {kind:?}: write `url:https://host/repository`")),
        None => Err("has no type: write `url:https://host/repository`".to_owned()),
    }
}

/// Reads the URL of a repository, or of a folder or file in one, as GitHub, GitLab,
/// Bitbucket, Gitea and Azure DevOps write them.
///
/// # Errors
/// Why it is none, with a next step.
pub(super) fn url(text: &str) -> Result<Remote, String> {
    let bad = || format!("{:?} is no URL of a repository: write `https://host/path`", without_userinfo(text));
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) || text.starts_with('-') {
        return Err(bad());
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        // `git@host:path`.
        let (host, path) = text.split_once(':').ok_or_else(bad)?;
        let plain = host.contains('@') && !host.contains('/') && !path.starts_with(':');
        return if plain { whole(text, host, path).ok_or_else(bad) } else { Err(bad()) };
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let rest = rest.split('#').next().unwrap_or(rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let Some(found) = split(&parts, query) else {
        return whole(&format!("{scheme}://{host}/{path}"), host, path).ok_or_else(bad);
    };
    let repository = parts[..found.repository].join("/");
    let inside: Option<Vec<String>> = found.inside.iter().map(|part| decoded(part)).collect();
    let mut inside = inside.ok_or_else(bad)?;
    if found.is_file {
        inside.pop();
    }
    let path = inside.join("/");
    if !path.is_empty() && !is_inner_path(&path) {
        return Err(format!("{:?} leads out of its repository: correct it", without_userinfo(text)));
    }
    let remote = whole(&format!("{scheme}://{host}/{repository}"), host, &repository).ok_or_else(bad)?;
    let revision = found.revision.and_then(|r| decoded(&r));
    // Once decoded, they may hold what the URL itself may not.
    if path.chars().chain(revision.iter().flat_map(|r| r.chars())).any(char::is_control) {
        return Err(bad());
    }
    Ok(Remote { revision, path, ..remote })
}

/// The parts of a URL's path.
struct Split {
    /// How many of them name the repository.
    repository: usize,
    revision: Option<String>,
    inside: Vec<String>,
    /// The last of `inside` is a file.
    is_file: bool,
}

fn split(parts: &[&str], query: &str) -> Option<Split> {
    let owned = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    let at = |repository: usize, verb: &str, revision: usize| {
        let is_file = matches!(verb, "blob" | "raw" | "edit");
        let inside = owned(parts.get(revision + 1..).unwrap_or_default());
        Some(Split { repository, revision: parts.get(revision).map(|r| (*r).to_owned()), inside, is_file })
    };
    if let Some(dash) = parts.iter().position(|part| *part == "-")
        && let Some(verb @ ("tree" | "blob" | "raw" | "edit")) = parts.get(dash + 1).copied()
    {
        return at(dash, verb, dash + 2);
    }
    if let Some(git) = parts.iter().position(|part| *part == "_git") {
        let field = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let path = field("path").and_then(decoded).unwrap_or_default();
        let inside: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let is_file = inside.last().is_some_and(|last| last.ends_with(".yaml") || last.ends_with(".yml"));
        let revision = field("version").and_then(|v| v.strip_prefix("GB")).map(str::to_owned);
        return (parts.len() > git + 1).then_some(Split { repository: git + 2, revision, inside, is_file });
    }
    match (parts.get(2), parts.get(3)) {
        (Some(verb @ (&"tree" | &"blob" | &"raw" | &"edit")), Some(_)) => at(2, verb, 3),
        (Some(&"src"), Some(&"branch" | &"commit" | &"tag")) => {
            let file = parts.last().is_some_and(|last| last.ends_with(".yaml") || last.ends_with(".yml"));
            at(2, if file { "blob" } else { "tree" }, 4)
        }
        (Some(&"src"), Some(_)) => {
            let file = parts.last().is_some_and(|last| last.ends_with(".yaml") || last.ends_with(".yml"));
            at(2, if file { "blob" } else { "tree" }, 3)
        }
        _ => None,
    }
}

/// A repository as a whole.
fn whole(url: &str, host: &str, path: &str) -> Option<Remote> {
    let name = host.rsplit_once('@').map_or(host, |(_, name)| name).to_lowercase();
    // The port that a protocol has anyway tells no repository from another.
    let port = match url.split_once("://").map(|(scheme, _)| scheme) {
        Some("https") => ":443",
        Some("http") => ":80",
        Some("ssh") => ":22",
        Some("git") => ":9418",
        _ => "",
    };
    let name = name.strip_suffix(port).map_or(name.clone(), str::to_owned);
    let path = path.trim_matches('/');
    let known = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    if known.is_empty() || !is_inner_path(known) || !(name.is_empty() || is_host(&name)) {
        return None;
    }
    Some(Remote {
        repository: format!("{name}/{known}"),
        url: url.trim_end_matches('/').to_owned(),
        revision: None,
        path: String::new(),
    })
}

/// Whether it can be the name of a host. It becomes the name of a folder: none climbs.
fn is_host(name: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '/' | '{' | '}');
    !name.contains(odd) && is_inner_path(name)
}

/// Percent-encoding undone; `None` where it is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

/// Hosts that take `Owner/Name` and `owner/name` for one repository.
const CARELESS: [&str; 5] = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "dev.azure.com"];

impl Remote {
    /// What tells its repository from every other one.
    pub(super) fn identity(&self) -> String {
        if self.is_careless() { self.repository.to_lowercase() } else { self.repository.clone() }
    }

    /// Whether its host takes names in any case.
    pub(super) fn is_careless(&self) -> bool {
        CARELESS.contains(&self.parts().0)
    }

    /// The parts of the repository's name: host, path, owner and name.
    pub(super) fn parts(&self) -> (&str, &str, &str, &str) {
        let (host, path) = self.repository.split_once('/').unwrap_or((&self.repository, ""));
        let (owner, name) = path.rsplit_once('/').unwrap_or(("", path));
        (host, path, owner, name)
    }
}

impl std::fmt::Display for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.repository)?;
        if !self.path.is_empty() {
            write!(f, "/{}", self.path)?;
        }
        match &self.revision {
            Some(revision) => write!(f, "@{revision}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urls_of_code_hosts() {
        for (text, expected) in [
            ("https://github.com/org/repo", "github.com/org/repo"),
            ("https://GitHub.com/org/repo.git/", "github.com/org/repo"),
            ("https://github.com/org/repo/tree/main/a/b/", "github.com/org/repo/a/b@main"),
            ("https://github.com/org/repo/tree/main", "github.com/org/repo@main"),
            ("https://github.com/org/repo/blob/main/a/catalog-info.yaml", "github.com/org/repo/a@main"),
            ("https://gitlab.example.org/g/s/repo/-/tree/v1/a", "gitlab.example.org/g/s/repo/a@v1"),
            ("https://gitlab.example.org/g/repo/-/blob/main/catalog-info.yaml", "gitlab.example.org/g/repo@main"),
            ("https://bitbucket.org/w/repo/src/main/a%20b/", "bitbucket.org/w/repo/a b@main"),
            ("https://git.example.org/o/repo/src/branch/main/a/catalog-info.yaml", "git.example.org/o/repo/a@main"),
            (
                "https://dev.azure.com/o/p/_git/repo?path=/a/catalog-info.yaml&version=GBmain",
                "dev.azure.com/o/p/_git/repo/a@main",
            ),
            ("git@github.com:org/repo.git", "github.com/org/repo"),
            ("ssh://git@example.org:22/org/repo", "example.org/org/repo"),
            ("https://example.org:8443/org/repo", "example.org:8443/org/repo"),
            ("file:///srv/git/repo.git", "/srv/git/repo"),
        ] {
            assert_eq!(url(text).map(|remote| remote.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for bad in ["", "x", "https://", "https://host", "https://h/a/../b", "ext::sh -c x", "ext::sh", "-u", "a\nb"] {
            assert!(url(bad).is_err(), "{bad}");
        }
        // A host becomes the name of a folder.
        for bad in ["https://../secret/repo", "https://./o/r", "git@..:a/b", "https://a\\b/o/r", "https://{path}/o/r"] {
            assert!(url(bad).is_err(), "{bad}");
        }
        assert!(url("https://github.com/o/r/tree/main/%2e%2e/x").is_err());
        assert!(url("https://github.com/o/r/tree/main/a%1b").is_err());
        assert!(url("https://github.com/o/r/tree/ma%0ain/a").is_err());
        for bad in ["https://h?token=pw&user=1", "https://h/o/r/tree/main/%2e%2e?token=pw#user", "x://h/../r?user=pw"] {
            let why = url(bad).unwrap_err();
            assert!(!why.contains("pw") && !why.contains("user"), "{why}");
        }
        for bad in ["https://user:pw@h", "https://user:pw@h/o/r/tree/main/%2e%2e", "user:pw@h:o/r"] {
            let why = url(bad).unwrap_err();
            assert!(!why.contains("pw") && !why.contains("user"), "{why}");
        }
    }

    #[test]
    fn references_have_a_type_and_targets_their_own_colons() {
        assert_eq!(reference("url:https://h:8443/o/r/tree/main/").unwrap().to_string(), "h:8443/o/r@main");
        for bad in ["https", "dir:./x", "file:/x", "git:x"] {
            assert!(reference(bad).is_err(), "{bad}");
        }
        // Without a type the scheme is taken for one, and said to be unknown.
        assert!(reference("https://h/o/r").unwrap_err().contains("unknown type"));
    }
}
