//! Files whose matches ask for whole files: they wait until all of them are known,
//! since two may ask for the same one, and are then written together.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::screen::absolute;
use super::place::Place;
use crate::files::{self, FilesError};
use crate::rule::{Facts, RuleSet};
use crate::transform::{Decided, Fate, FileReport, Lies, Reported, decide as decided};
use crate::workspace::{Content, FileVersion};

/// A file that waits.
pub(super) struct Held {
    pub(super) path: PathBuf,
    pub(super) place: Place,
    content: Content,
    pub(super) report: FileReport,
}

/// All that was decided below one folder.
pub(super) struct World {
    pub(super) root: PathBuf,
    pub(super) decided: Decided,
}

impl Held {
    pub(super) fn new(path: &Path, place: &Place, bytes: &[u8], meta: &Metadata, report: FileReport) -> Self {
        let content = Content { bytes: bytes.to_vec(), executable: files::is_executable(meta) };
        Self { path: path.to_owned(), place: place.clone(), content, report }
    }

    pub(super) fn asks_for(&self, path: &str) -> bool {
        self.report.creations.iter().any(|creation| creation.path == path)
    }

    /// Both ends of the file, and of the path that it moves to.
    fn versions(&self) -> Vec<FileVersion> {
        let changed = match &self.report.change {
            Some(change) => Content { bytes: change.bytes.clone(), executable: self.content.executable },
            None => self.content.clone(),
        };
        let version = |path: &str, before: Option<&Content>, after: Option<Content>| FileVersion {
            path: path.to_owned(),
            before: before.cloned(),
            after,
            renamed_from: None,
        };
        let own = &self.place.name;
        match &self.report.fate {
            Fate::Stays if self.report.change.is_none() => Vec::new(),
            Fate::Stays => vec![version(own, Some(&self.content), Some(changed))],
            Fate::Goes { .. } => vec![version(own, Some(&self.content), None)],
            Fate::Moves { to, .. } => {
                vec![version(to, None, Some(changed)), version(own, Some(&self.content), None)]
            }
        }
    }
}

/// Decides for each folder that was named. `edited` are the files that change without
/// asking for others, and the rules that change them.
pub(super) fn decide(
    rules: &RuleSet,
    facts: &Arc<Facts>,
    held: &mut [Held],
    edited: &BTreeMap<PathBuf, String>,
) -> Vec<World> {
    let mut roots: BTreeMap<PathBuf, Vec<Reported<'_>>> = BTreeMap::new();
    for one in held {
        roots.entry(one.place.root.clone()).or_default().push((&one.place.name, &mut one.report));
    }
    let of = |(root, mut reports): (PathBuf, Vec<Reported<'_>>)| {
        let top = absolute(if root.as_os_str().is_empty() { Path::new(".") } else { &root });
        let decided = decided(rules, facts, &mut reports, &|path, _| match edited.get(&root.join(path)) {
            Some(rule) => Lies::Never(format!("it is there already, and `{rule}` changes it")),
            None => lies(&top, path),
        });
        World { root, decided }
    };
    roots.into_iter().map(of).collect()
}

/// What lies at a path of a plain folder.
fn lies(root: &Path, path: &str) -> Lies {
    let above = path.match_indices('/').map(|(at, _)| &path[..at]);
    let mut above = above.filter(|above| root.join(above).symlink_metadata().is_ok_and(|meta| !meta.is_dir()));
    match files::read_below(root, path) {
        Err(error) => Lies::Never(error.to_string()),
        Ok(Some(content)) => Lies::File(content.bytes),
        Ok(None) if root.join(path).is_dir() => Lies::Never("it is a folder".to_owned()),
        Ok(None) => match above.next() {
            Some(above) => Lies::Never(format!("{above} is no folder")),
            None => Lies::Nothing,
        },
    }
}

/// Both ends of every file below a folder: new ones first, so that nothing is gone
/// before what holds it now is there.
pub(super) fn versions(world: &World, held: &[Held]) -> Vec<FileVersion> {
    let new = world.decided.new.iter().map(|(path, new)| FileVersion {
        path: path.clone(),
        before: None,
        after: Some(Content { bytes: new.text.clone().into_bytes(), executable: false }),
        renamed_from: None,
    });
    let own = held.iter().filter(|one| one.place.root == world.root).flat_map(Held::versions);
    new.chain(own).collect()
}

/// Writes all of them; where one can't be, those that were are brought back.
///
/// # Errors
/// The one that could not be written, and what could not be brought back.
pub(super) fn write(root: &Path, versions: &[FileVersion]) -> Result<(), Vec<FilesError>> {
    let root = absolute(if root.as_os_str().is_empty() { Path::new(".") } else { root });
    for (number, version) in versions.iter().enumerate() {
        if let Err(error) = files::apply_below(&root, &version.path, version.after.as_ref()) {
            let back = versions[..number].iter().rev();
            let failed = back.filter_map(|v| files::apply_below(&root, &v.path, v.before.as_ref()).err());
            return Err(std::iter::once(error).chain(failed).collect());
        }
    }
    Ok(())
}
