//! Every change set that a run leaves, judged by what `git apply` makes of it.

use std::path::Path;

use gander::digest::Digest;
use serde_json::Value;

use super::bench::{Bench, Tree, copy, git, tree};

/// Both ends of a workspace, as real patches made them.
pub struct Applied {
    /// The workspace's id.
    pub workspace: String,
    /// Its files as pinned.
    pub pinned: Tree,
    /// Its files after `change.patch`.
    pub changed: Tree,
}

/// Applies and reverts every change set of a state on a copy of the fleet, which
/// is a repository where the fleet is one and a plain folder where it is none.
pub fn all_apply_and_revert(bench: &Bench, state: &Path) -> Vec<Applied> {
    let mut applied = Vec::new();
    for entry in walkdir::WalkDir::new(state.join("change-sets")).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.file_name() == "change.json" {
            applied.push(applies_and_reverts(bench, entry.path().parent().unwrap()));
        }
    }
    assert!(!applied.is_empty(), "no change set in {}", state.display());
    applied
}

fn applies_and_reverts(bench: &Bench, set: &Path) -> Applied {
    let json: Value = serde_json::from_slice(&std::fs::read(set.join("change.json")).unwrap()).unwrap();
    let workspace = json["workspace"].as_str().unwrap().to_owned();
    let pin = json["pin"]["kind"].as_str().unwrap();
    let place = Bench::new();
    // With a commit: the whole pinned repository, and paths from its root. Without: the
    // consumer's folder alone.
    let inside = if pin == "commit" {
        let commit = json["pin"]["commit"].as_str().unwrap();
        git(&bench.root, &["clone", "-q", "--no-hardlinks", ".", place.root.to_str().unwrap()]);
        place.git(&["checkout", "-q", commit]);
        assert_eq!(json["prefix"], workspace.as_str());
        place.root.join(&workspace)
    } else {
        assert_eq!(json["prefix"], "", "{workspace}: without git, paths start at the consumer");
        copy(&bench.root.join(&workspace), &place.root);
        place.root.clone()
    };
    let (everything, pinned) = (tree(&place.root), tree(&inside));
    place.git(&["apply", set.join("change.patch").to_str().unwrap()]);
    let changed = tree(&inside);
    verified(&json, &pinned, &changed);
    let others = |tree: Tree| -> Tree { tree.into_iter().filter(|(path, _)| !path.starts_with(&workspace)).collect() };
    if pin == "commit" {
        assert_eq!(others(tree(&place.root)), others(everything.clone()), "{workspace}: something else moved");
    }
    place.git(&["apply", set.join("revert.patch").to_str().unwrap()]);
    assert_eq!(tree(&place.root), everything, "{workspace}: revert.patch gives the pinned tree");
    Applied { workspace, pinned, changed }
}

/// The changed tree is the one that the sandbox saw: the pinned one, with the files
/// that the change set names by their digests.
fn verified(json: &Value, pinned: &Tree, changed: &Tree) {
    let ends = json["digests"]["files"].as_object().unwrap();
    assert!(!ends.is_empty());
    let of = |file: Option<&(Vec<u8>, bool)>| match file {
        Some((bytes, executable)) => serde_json::json!({
            "digest": Digest::of(bytes).to_string(), "executable": executable,
        }),
        None => Value::Null,
    };
    let paths: std::collections::BTreeSet<&String> = pinned.keys().chain(changed.keys()).chain(ends.keys()).collect();
    for path in paths {
        let (before, after) = (pinned.get(path), changed.get(path));
        match ends.get(path) {
            Some(end) => {
                assert_eq!((of(before), of(after)), (end["before"].clone(), end["after"].clone()), "{path}");
                assert_ne!(before, after, "{path} does not change");
            }
            None => assert_eq!(before, after, "{path} is not named by the change set"),
        }
    }
}
