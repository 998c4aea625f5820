//! The nouns that every stage speaks of: who consumes ([`Consumer`]), where the
//! code lies ([`Workspace`]), and which bytes of it are meant ([`Pin`]).
//!
//! This module holds data only: it reads no file and starts no program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The longest reference, in bytes: Backstage's own are far shorter, and nobody's name
/// shall fill a memory.
const LONGEST: usize = 1_000;

/// A canonical Backstage entity reference, `kind:namespace/name`, in lower case.
/// Every list of consumers in gander is ordered by it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct EntityRef(String);

/// How many bytes of a reference a file name keeps.
const LONGEST_SLUG: usize = 100;

impl EntityRef {
    /// Reads `[kind:][namespace/]name`; what is left out is taken from
    /// `default_kind` and the namespace `default`. `None` where a part is empty, or all
    /// together are longer than a thousand bytes.
    pub fn parse(text: &str, default_kind: &str) -> Option<Self> {
        Self::parse_in(text, default_kind, "default")
    }

    /// As [`EntityRef::parse`], with the namespace that a short reference means.
    pub fn parse_in(text: &str, default_kind: &str, default_namespace: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or((default_kind, text));
        let (namespace, name) = rest.split_once('/').unwrap_or((default_namespace, rest));
        let parts = [kind, namespace, name];
        let broken =
            |part: &&str| part.is_empty() || part.contains(|c: char| c.is_control() || c.is_whitespace() || c == '/');
        if parts.iter().any(broken) || parts.iter().map(|part| part.len()).sum::<usize>() > LONGEST {
            return None;
        }
        Some(Self(format!("{kind}:{namespace}/{name}").to_lowercase()))
    }

    /// The whole reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the slash.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// A file name that is unique to this reference and safe on every system:
    /// the name itself for components of the default namespace.
    pub fn slug(&self) -> String {
        let text = self.0.strip_prefix("component:default/").unwrap_or(&self.0);
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let slug: String = text.chars().map(|c| if safe(c) { c } else { '-' }).collect();
        if slug == text && !slug.starts_with('.') && slug.len() <= LONGEST_SLUG {
            return slug;
        }
        // Two references that read alike once cleaned must not share a folder.
        let head: String = slug.trim_start_matches('.').chars().take(LONGEST_SLUG).collect();
        format!("{head}-{}", &Digest::of(self.0.as_bytes()).short()[..8])
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One downstream codebase, as the catalog or the migration names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Consumer {
    /// Who it is.
    pub entity: EntityRef,
    /// The owning group or user, where one is known.
    pub owner: Option<EntityRef>,
    /// `production`, `experimental`, `deprecated`, …
    pub lifecycle: Option<String>,
    /// How much rests on it, as its catalog says: `tier-1`, `gold`, …
    pub tier: Option<String>,
    /// Tags of the entity, sorted.
    pub tags: Vec<String>,
    /// The sources that name it, sorted.
    pub witnesses: Vec<String>,
    /// How it came to be a consumer, for people: one line per relation.
    pub because: Vec<String>,
    /// Where its code lies.
    pub source: Source,
}

/// Where a consumer's code lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum Source {
    /// Index into [`Fleet::workspaces`]; several consumers may share one.
    Workspace(usize),
    /// It could not be found; the reason is for people and ends in a next step.
    Unresolved(String),
}

/// What `discover` found, in the order of entity references.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Fleet {
    /// Every consumer, resolved or not, ordered by reference.
    pub consumers: Vec<Consumer>,
    /// Every distinct place of code, ordered by [`Workspace::id`].
    pub workspaces: Vec<Workspace>,
    /// What could not be read on the way (a broken catalog file, …), with its place.
    pub problems: Vec<String>,
    /// Consumers that consume what other consumers make, each with those.
    #[serde(default)]
    pub upstream: BTreeMap<EntityRef, BTreeSet<EntityRef>>,
    /// Why owners want no change of any migration, as their catalog entities say.
    #[serde(default)]
    pub opted_out: BTreeMap<EntityRef, String>,
    /// What each workspace, by its id, is built with; those of which nothing tells are not in it.
    #[serde(default)]
    pub tools: BTreeMap<String, BTreeSet<String>>,
}

/// The unit that is transformed, verified and delivered, once however many
/// consumers point to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    /// The same on every machine: the path relative to the migration file, with `/`.
    pub id: String,
    /// Absolute, canonical path of the folder.
    pub root: PathBuf,
    /// Where it lies in git, if git tracks anything below it.
    pub git: Option<GitPlace>,
    /// Folders below it that are other components' code, relative to it, sorted: what
    /// lies in them is not part of it, and is never changed with it.
    #[serde(default)]
    pub without: Vec<String>,
    /// The repository that it was cloned from, as `host/path`; `None` where its code lay
    /// here already.
    #[serde(default)]
    pub origin: Option<String>,
}

impl Workspace {
    /// Whether a path below the workspace is part of it.
    pub fn owns(&self, path: &str) -> bool {
        let inside = |folder: &String| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
        !self.without.iter().any(|folder| path == folder || inside(folder))
    }
}

/// A workspace's place in a git repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitPlace {
    /// Absolute path of the repository's work tree.
    pub toplevel: PathBuf,
    /// The workspace below it, with `/` and without a trailing one; empty for the top.
    pub prefix: String,
    /// The commit that HEAD named when the fleet was discovered.
    pub commit: String,
    /// The tree object of `prefix` in that commit.
    pub tree: String,
    /// Paths below the workspace with uncommitted changes, relative to it, sorted.
    pub dirty: Vec<String>,
}

/// Which bytes of a workspace are meant. Transform, sandbox and delivery read
/// exactly these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Pin {
    /// A tree of a commit, and the work tree is clean.
    Commit {
        /// The commit.
        commit: String,
        /// The workspace's tree in it.
        tree: String,
    },
    /// No git, or a dirty work tree that the migration allowed: the digest of
    /// the [`Manifest`].
    Content {
        /// Digest over all paths, modes and contents.
        digest: Digest,
        /// True where git tracks the folder and it has uncommitted changes.
        dirty: bool,
    },
}

impl Pin {
    /// One word that names the bytes: a tree id or a content digest.
    pub fn key(&self) -> String {
        match self {
            Self::Commit { tree, .. } => tree.clone(),
            Self::Content { digest, .. } => digest.to_string(),
        }
    }
}

/// What lies at a path of a pinned tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A regular file.
    File,
    /// A regular file with the executable bit.
    Executable,
    /// A symbolic link: listed and kept, never followed, never edited.
    Symlink,
    /// Another repository below this one: left alone.
    Submodule,
}

/// One entry of a [`Manifest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub mode: Mode,
    /// The name of its bytes: a git blob id, or a [`Digest`] as text.
    pub blob: String,
}

/// Every file of a pinned tree by its path relative to the workspace, with `/`.
/// Paths that are not UTF-8 are not in it; they are counted in `unreadable`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The entries.
    pub entries: BTreeMap<String, Entry>,
    /// Paths that could not be listed or are not UTF-8, lossily, for people.
    pub unreadable: Vec<String>,
}

impl Manifest {
    /// Whether `path`, a file or a folder, lies in the tree.
    pub fn holds(&self, path: &str) -> bool {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        if let Some(entry) = self.entries.get(path) {
            return entry.mode != Mode::Submodule;
        }
        let below = format!("{path}/");
        let mut from = self.entries.range::<str, _>((Bound::Included(below.as_str()), Bound::Unbounded));
        from.next().is_some_and(|(first, _)| first.starts_with(&below))
    }
}

/// A path of a workspace as its repository has it: below where the workspace lies in it.
pub fn below(prefix: &str, path: &str) -> String {
    if prefix.is_empty() { path.to_owned() } else { format!("{prefix}/{path}") }
}

/// Whether a path from a tree, a plan or a rule stays below the folder it is
/// relative to, out of git's own folder, and has one spelling only.
pub fn is_inner_path(path: &str) -> bool {
    let fine = |part: &str| {
        let git = part.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(".git"));
        // `.git`, and the names that other file systems take for it.
        let gitlike = git && part[4..].trim_end_matches(['.', ' ']).is_empty();
        let short = part.eq_ignore_ascii_case("git~1");
        !matches!(part, "" | "." | "..") && !gitlike && !short
    };
    !path.contains('\0') && path.split('/').all(fine)
}

/// Whether a text is surely the name of a variable that holds a secret, as in
/// `BACKSTAGE_TOKEN`, and not a secret that was written in its place: only such may be
/// repeated to people.
pub fn names_a_secret(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let words = ["TOKEN", "KEY", "SECRET", "PASSWORD", "PAT", "AUTH", "CREDENTIAL", "CREDENTIALS"];
    text.len() <= 64 && text.chars().all(plain) && text.split('_').any(|part| words.contains(&part))
}

/// `text` without the name, password and query of any URL in it: what others wrote may hold
/// both, and is quoted in problems.
pub fn without_userinfo(text: &str) -> String {
    if !text.contains("://") {
        // `user:password@host:path`.
        return match text.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => format!("…@{host}"),
            _ => text.to_owned(),
        };
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        let ends = |c: char| c.is_whitespace() || c.is_control() || "/?#\"'".contains(c);
        let (authority, after) = tail.split_at(tail.find(ends).unwrap_or(tail.len()));
        out += head;
        match authority.rsplit_once('@') {
            Some((_, host)) => out.extend(["…@", host]),
            None => out += authority,
        }
        // A query may hold a token.
        let end = after.find(|c: char| c.is_whitespace() || c.is_control() || "\"'".contains(c)).unwrap_or(after.len());
        let (path, beyond) = after.split_at(end);
        match path.split_once('?') {
            Some((path, _)) => out.extend([path, "?…"]),
            None => out += path,
        }
        rest = beyond;
    }
    out + rest
}

/// One file before and after a change; both `None` never occurs. A rename is a
/// deletion and a creation with [`FileVersion::renamed_from`] set on the latter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// Bytes and executable bit of the pinned file; `None` where it is created.
    pub before: Option<Content>,
    /// Bytes and executable bit after the change; `None` where it is deleted.
    pub after: Option<Content>,
    /// The old path, for people; patches are derived from before and after alone.
    pub renamed_from: Option<String>,
}

/// What a regular file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// Its executable bit.
    pub executable: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_canonical() {
        let full = EntityRef::parse("Component:Default/Ads", "component").unwrap();
        assert_eq!(full.as_str(), "component:default/ads");
        assert_eq!(EntityRef::parse("ads", "Component"), Some(full));
        assert_eq!(EntityRef::parse("api:x", "component").unwrap().as_str(), "api:default/x");
        assert_eq!(EntityRef::parse(&"x".repeat(LONGEST), "component"), None);
        for broken in ["", "a:", "a:b/", "a:/c", "a b", "a:b/c/d", "x\n"] {
            assert_eq!(EntityRef::parse(broken, "component"), None, "{broken:?}");
        }
    }

    #[test]
    fn inner_paths() {
        for fine in ["a", "a/b", "..\n", ".gitignore", "a/.github/x", "a b/ü"] {
            assert!(is_inner_path(fine), "{fine:?}");
        }
        let climbing = ["", "/a", "a//b", "a/", "..", "a/../b", "./a", "a\0"];
        let gits = [".git", "a/.GIT/x", ".git.", ".git /x", "GIT~1"];
        for bad in climbing.iter().chain(&gits) {
            assert!(!is_inner_path(bad), "{bad:?}");
        }
    }

    #[test]
    fn slugs_are_safe_and_distinct() {
        let slug = |text: &str| EntityRef::parse(text, "component").unwrap().slug();
        assert_eq!(slug("ads"), "ads");
        assert_ne!(slug("a:b-c"), slug("a:b/c"));
        assert!(!slug("..").starts_with('.'));
        // File systems take 255 bytes, and branches grow endings.
        let long = |last: char| slug(&format!("{}{last}", "n".repeat(299)));
        assert!(long('a').len() < 120 && long('a') != long('b'), "{}", long('a'));
    }
}
