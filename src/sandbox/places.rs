//! The places at which something is mounted into what a step can write: they must be
//! reached without a link. Mount points are made and mounted on while the host's own
//! root is still the root, so that a link which an earlier step has left there, or which
//! the consumer brought along, would lead out of the sandbox.
//!
//! Must not: be asked while a step runs. Nobody else writes to these folders then.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::scratch;
use super::spec::{HOME, Shown, SideSpec, WORKSPACE};
use crate::config::Step;

/// Where something is mounted, seen from inside, and the folders that it shows, the
/// upper one first.
type Mounted = (PathBuf, Vec<PathBuf>);

/// Why a step of `spec` cannot be given all that it should see; `None` where it can.
pub fn obstructed(spec: &SideSpec, step: &Step) -> Option<String> {
    let mounts = mounts(spec, step);
    mounts.iter().find_map(|(target, _)| blocked(&mounts, target))
}

fn mounts(spec: &SideSpec, step: &Step) -> Vec<Mounted> {
    let part = |name: &str| spec.scratch.join(name);
    let workspace = match &spec.lower {
        Some(lower) => vec![part(scratch::UPPER), lower.clone()],
        None => vec![part(scratch::TREE)],
    };
    let mut mounts = vec![(PathBuf::from(WORKSPACE), workspace), (PathBuf::from(HOME), vec![part(scratch::HOME)])];
    let home = Path::new(HOME);
    let toolchain = &spec.toolchain;
    let rust = super::mounts::shows_crates(spec);
    if let Some(registry) = toolchain.registry().filter(|_| rust) {
        mounts.push((home.join(".cargo/registry"), vec![part(scratch::REGISTRY_UPPER), registry]));
    }
    if let Some(git) = toolchain.git().filter(|_| rust) {
        mounts.push((home.join(".cargo/git"), vec![git]));
    }
    let seeds = step.seeds.iter().map(|seed| Shown { from: seed.from.clone(), to: seed.to.clone() });
    for shown in spec.shown.iter().cloned().chain(seeds) {
        mounts.push((shown.inside().into(), vec![shown.from]));
    }
    mounts
}

/// What stands in the way to `target` among what is mounted above it.
fn blocked(mounts: &[Mounted], target: &Path) -> Option<String> {
    let mut here = PathBuf::from("/");
    let mut layers: Vec<PathBuf> = Vec::new();
    for name in target.components().skip(1) {
        here.push(name);
        layers.iter_mut().for_each(|layer| layer.push(name));
        let kind = layers.iter().find_map(|layer| fs::symlink_metadata(layer).ok()).map(|meta| meta.file_type());
        match kind {
            Some(kind) if kind.is_symlink() => {
                return Some(format!(
                    "{} cannot be shown to it: {} is a symbolic link",
                    target.display(),
                    here.display()
                ));
            }
            // What is not there, or was deleted, is made; nothing is below it.
            None => layers.clear(),
            Some(kind) if kind.is_char_device() => layers.clear(),
            Some(_) => {}
        }
        if let Some((_, sources)) = mounts.iter().find(|(at, _)| *at == here) {
            layers.clone_from(sources);
        }
    }
    None
}
