//! A change set: the patch that carries a workspace from its pinned bytes to the
//! changed ones, the patch that carries it back, and the digests of both ends.
//!
//! Patches are derived from file versions; they are never the stored truth.
//! Must not: know a stage, or write into a consumer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestBuilder};
use crate::workspace::{Content, FileVersion, below};

pub mod patch;
mod prove;

pub use prove::{ProofError, prove};

/// The patches of one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet {
    /// Where the workspace lies below the root that the patches are relative to,
    /// with `/`; empty where it is that root.
    pub prefix: String,
    /// `git apply` takes this from before to after.
    pub change: Vec<u8>,
    /// `git apply` takes this from after to before.
    pub revert: Vec<u8>,
    /// Both ends of every file, by its path relative to the workspace.
    pub digests: BTreeMap<String, FileDigests>,
}

/// Both ends of one file; `None` where it does not exist on that side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigests {
    /// As pinned.
    pub before: Option<FileDigest>,
    /// As changed.
    pub after: Option<FileDigest>,
}

/// What a file holds, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Of its bytes.
    pub digest: Digest,
    /// Its executable bit.
    pub executable: bool,
}

impl FileDigest {
    /// Names `content`.
    pub fn of(content: &Content) -> Self {
        Self { digest: Digest::of(&content.bytes), executable: content.executable }
    }
}

/// Which end of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// As pinned.
    Before,
    /// As changed.
    After,
}

impl ChangeSet {
    /// The change set of `versions`, with paths below `prefix`. Versions whose two
    /// ends are equal are left out.
    pub fn new(versions: &[FileVersion], prefix: &str) -> Self {
        let mut sorted: Vec<&FileVersion> = versions.iter().filter(|version| version.before != version.after).collect();
        sorted.sort_by(|a, b| a.path.cmp(&b.path));
        let mut set = Self {
            prefix: prefix.trim_matches('/').to_owned(),
            change: Vec::new(),
            revert: Vec::new(),
            digests: BTreeMap::new(),
        };
        for version in sorted {
            let path = set.joined(&version.path);
            let (before, after) = (version.before.as_ref(), version.after.as_ref());
            patch::append(&mut set.change, &path, before, after);
            patch::append(&mut set.revert, &path, after, before);
            let digests = FileDigests { before: before.map(FileDigest::of), after: after.map(FileDigest::of) };
            set.digests.insert(version.path.clone(), digests);
        }
        set
    }

    /// The path of a file of the workspace as the patches write it.
    pub fn joined(&self, path: &str) -> String {
        below(&self.prefix, path)
    }

    /// One digest for all files as they are on `side`.
    pub fn digest(&self, side: Side) -> Digest {
        let ends = self.digests.iter().map(|(path, digests)| {
            let end = match side {
                Side::Before => digests.before,
                Side::After => digests.after,
            };
            (path.as_str(), end)
        });
        digest_of_ends(ends)
    }

    /// Names the change itself: the same files from the same bytes to the same bytes.
    pub fn id(&self) -> Digest {
        DigestBuilder::new("gander.change-set")
            .field(&self.prefix)
            .field(self.digest(Side::Before).as_bytes())
            .field(self.digest(Side::After).as_bytes())
            .finish()
    }
}

/// One digest over files, each by path and what it holds; `None` where it is absent.
pub fn digest_of_ends<'a>(ends: impl Iterator<Item = (&'a str, Option<FileDigest>)>) -> Digest {
    let mut digest = DigestBuilder::new("gander.files");
    for (path, end) in ends {
        digest = digest.field(path);
        digest = match end {
            None => digest.field("absent"),
            Some(file) => {
                digest.field(if file.executable { "executable" } else { "file" }).field(file.digest.as_bytes())
            }
        };
    }
    digest.finish()
}
