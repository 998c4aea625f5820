//! Permissions of files that move: what was private stays private under its new path,
//! and under its old one when it is brought back.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::path::Path;

use super::{FilesError, below, make_folders, prune_empty, remove, write_as};
use crate::workspace::{Content, FileVersion};

/// The permissions of the files of a change, read before anything is written.
#[derive(Debug)]
pub struct Modes {
    found: BTreeMap<String, Permissions>,
    /// The other path of each file that moves.
    other: BTreeMap<String, String>,
}

impl Modes {
    /// Those that lie below `root`; what can't be read has none.
    pub fn read(root: &Path, versions: &[FileVersion]) -> Self {
        let found = versions.iter().filter_map(|version| {
            let metadata = fs::symlink_metadata(below(root, &version.path).ok()?).ok()?;
            metadata.is_file().then(|| (version.path.clone(), metadata.permissions()))
        });
        let moves = versions.iter().filter_map(|version| Some((version.path.clone(), version.renamed_from.clone()?)));
        let other = moves.flat_map(|(to, from)| [(to.clone(), from.clone()), (from, to)]);
        Self { found: found.collect(), other: other.collect() }
    }

    /// Brings the file at `relative` below `root` to `content`: written whole, or
    /// removed where `None`, with the folders that become empty, as git does. A file
    /// that is not there gets the permissions that it had, or that it has under its
    /// other path.
    ///
    /// # Errors
    /// As [`below`], and where the file system refuses.
    pub fn apply_below(&self, root: &Path, relative: &str, content: Option<&Content>) -> Result<(), FilesError> {
        let place = below(root, relative)?;
        let like = self.found.get(relative).or_else(|| self.found.get(self.other.get(relative)?));
        match content {
            Some(content) => {
                make_folders(root, &place)?;
                write_as(&place, &content.bytes, content.executable, like)
            }
            None => {
                remove(&place)?;
                prune_empty(root, &place)
            }
        }
    }
}
