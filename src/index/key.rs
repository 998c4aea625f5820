//! What a file's content is known by.

use std::fs::Metadata;

use crate::digest::DigestBuilder;

/// A name that content keeps, and that other content does not get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub(super) [u8; Key::BYTES]);

/// Seconds for which a changed file is not trusted: a store through a shared mapping
/// shows in no time until it is written back, which takes Linux up to 35.
const RACY: i64 = 60;

impl Key {
    /// 96 bits: among a billion contents, two that share a name are no risk that counts.
    pub(super) const BYTES: usize = 12;

    fn of(digest: &DigestBuilder) -> Self {
        let mut key = [0; Self::BYTES];
        key.copy_from_slice(&digest.finish().as_bytes()[..Self::BYTES]);
        Self(key)
    }

    /// Of a git blob, by its id.
    pub fn of_blob(id: &str) -> Self {
        Self::of(&DigestBuilder::new("gander.index.blob").field(id))
    }

    /// Of a file by what the file system says of it. It changes with the content,
    /// since nobody but the kernel sets a ctime.
    #[cfg(unix)]
    pub fn of_file(meta: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let numbers = [meta.dev(), meta.ino(), meta.size()];
        let times = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
        let mut bytes = [0; 56];
        let parts = numbers.iter().map(|n| n.to_le_bytes()).chain(times.iter().map(|t| t.to_le_bytes()));
        bytes.chunks_exact_mut(8).zip(parts).for_each(|(to, from)| to.copy_from_slice(&from));
        Self::of(&DigestBuilder::new("gander.index.file").field(bytes))
    }

    /// The same for a file that was opened after `now`, in seconds since the Unix
    /// epoch; `None` where it changed too lately, or in the future, so that it could
    /// change once more and look the same. `meta` must be from before the reading.
    #[cfg(unix)]
    pub fn of_settled_file(meta: &Metadata, now: i64) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        (meta.mtime().max(meta.ctime()) + RACY < now).then(|| Self::of_file(meta))
    }

    /// Its bytes, for digests.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Without inodes and ctimes nothing tells that a file is the same.
    #[cfg(not(unix))]
    pub fn of_file(meta: &Metadata) -> Self {
        Self::of(&DigestBuilder::new("gander.index.none").field(meta.len().to_le_bytes()))
    }

    /// Without inodes and ctimes nothing tells that a file is the same.
    #[cfg(not(unix))]
    pub fn of_settled_file(_meta: &Metadata, _now: i64) -> Option<Self> {
        None
    }
}

/// Names the program that runs: another build of it may answer otherwise. `None` where that
/// can't be told.
pub fn program() -> Option<Key> {
    let file = std::env::current_exe().and_then(std::fs::metadata);
    file.ok().filter(|_| cfg!(unix)).map(|meta| Key::of_file(&meta))
}
