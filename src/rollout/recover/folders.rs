//! What the folders of change sets tell of working trees that gander wrote into: each names both
//! ends of its files, and the code that it was made of.
//!
//! Must not: take a file for gander's whose bytes are not those that it wrote.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::world::{Made, Story};
use crate::changeset::{FileDigest, FileDigests, Side};
use crate::files;
use crate::git::{GitError, Repository};
use crate::rollout::{WITHDRAWN, ship};
use crate::state::DeliveryRecord;
use crate::workspace::{FileVersion, Pin, Workspace, below};

/// What `change.json` says of a change set.
#[derive(Deserialize)]
struct Told {
    workspace: String,
    pin: Pin,
    digests: Digests,
}

#[derive(Deserialize)]
struct Digests {
    files: BTreeMap<String, FileDigests>,
}

/// What the folders below `state` say of a workspace, from `blank`, the record of one of which
/// nothing is known; `None` where its files are as they were before.
///
/// # Errors
/// Where somebody has to look, with why.
pub(super) fn tell(state: &Path, place: &Workspace, blank: &DeliveryRecord) -> Result<Option<Story>, String> {
    for (folder, told) in folders(state, place) {
        let (mut before, mut after) = (0, 0);
        for (path, ends) in &told.digests.files {
            let found = files::read_below(&place.root, path).map_err(|error| error.to_string())?;
            let found = found.as_ref().map(FileDigest::of);
            before += usize::from(found == ends.before);
            after += usize::from(found == ends.after);
        }
        let all = told.digests.files.len();
        if after == all {
            return written(&folder, place, blank, told).map(Some);
        }
        if before != all {
            return Err(format!(
                "some of its files are neither as they were nor as {folder} says: compare them with its `revert.patch`"
            ));
        }
    }
    Ok(None)
}

/// The folders of a workspace whose change sets were not taken back, the last wave first.
fn folders(state: &Path, place: &Workspace) -> Vec<(String, Told)> {
    let waves = std::fs::read_dir(state.join("change-sets")).into_iter().flatten().flatten();
    let number = |name: String| Some((name.strip_prefix("wave-")?.parse::<u32>().ok()?, name));
    let mut waves: Vec<(u32, String)> =
        waves.filter_map(|entry| number(entry.file_name().into_string().ok()?)).collect();
    waves.sort();
    let mut found = Vec::new();
    for (_, wave) in waves.into_iter().rev() {
        let sets = std::fs::read_dir(state.join("change-sets").join(&wave)).into_iter().flatten().flatten();
        for name in sets.filter_map(|entry| entry.file_name().into_string().ok()) {
            let folder = format!("change-sets/{wave}/{name}");
            let text = files::read_below(state, &format!("{folder}/change.json")).ok().flatten();
            let told = text.and_then(|text| serde_json::from_slice::<Told>(&text.bytes).ok());
            let told = told.filter(|told| told.workspace == place.id && !told.digests.files.is_empty());
            let is_back = state.join(&folder).join(WITHDRAWN).is_file();
            found.extend(told.filter(|_| !is_back).map(|told| (folder, told)));
        }
    }
    found
}

/// A change set whose files are all as it leaves them.
fn written(folder: &str, place: &Workspace, blank: &DeliveryRecord, told: Told) -> Result<Story, String> {
    let lost = |why: &str| {
        format!("its files are as {folder} leaves them, and {why}: `git apply revert.patch` from there takes it back")
    };
    let (Some(git), Pin::Commit { commit, .. }) = (&place.git, &told.pin) else {
        return Err(lost("what they were is in no commit"));
    };
    let said = |error: GitError| lost(&error.to_string());
    let repository = Repository::open(&git.toplevel).map_err(said)?;
    let mut versions = Vec::with_capacity(told.digests.files.len());
    for (path, ends) in &told.digests.files {
        let before = repository.file_at(commit, &below(&git.prefix, path)).map_err(said)?;
        if before.as_ref().map(FileDigest::of) != ends.before {
            return Err(lost(&format!("{path} is another one in {commit}")));
        }
        let after = files::read_below(&place.root, path).map_err(|error| error.to_string())?;
        versions.push(FileVersion { path: path.clone(), before, after, renamed_from: None });
    }
    let set = ship::change_set(place, &versions);
    let record = DeliveryRecord {
        change_id: set.id(),
        before: set.digest(Side::Before),
        after: set.digest(Side::After),
        pin: Some(told.pin.clone()),
        recovered: true,
        ..blank.clone()
    };
    let (pin, commit) = (told.pin.clone(), commit.clone());
    let made = vec![Made { versions, set, pin, commit, branch: None, shared: false }];
    Ok(Story { record, made, gone: None, because: format!("its files are as {folder} leaves them") })
}
