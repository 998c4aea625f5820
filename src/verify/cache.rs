//! Baselines that need not be run again: the same tree, steps, tools and sandbox.
//!
//! An entry says under which promises it was made. It is used only where every
//! promise that this machine keeps now was kept then: a run under weaker isolation
//! may have reached what a stronger one hides.
//!
//! Must not: keep a run in which the machine failed, or one that flipped.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::observed::Run;
use super::{Verdict, VerdictKind};
use crate::config::Step;
use crate::digest::{Digest, DigestBuilder};
use crate::files::{self, FilesError};

/// Grows with every change of how a run is kept or read.
const VERSION: &str = "gander.baseline.2";
/// The largest entry that is kept, in bytes.
const LARGEST: usize = 32 << 20;

/// Baselines in a folder, and what they are made with.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    /// Digest of sandbox and tools: [`crate::sandbox::Sandbox::identity`].
    identity: Digest,
    /// The promises that this machine keeps now.
    enforced: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    run: Run,
}

impl Cache {
    /// Baselines below `folder`, made in a sandbox of this identity under these
    /// promises.
    pub fn new(folder: PathBuf, identity: Digest, enforced: Vec<String>) -> Self {
        Self { folder, identity, enforced }
    }

    /// Names a baseline: the bytes of the tree and how it is run.
    pub fn key(&self, tree: &str, steps: &[Step]) -> Option<Digest> {
        let mut key = DigestBuilder::new(VERSION).field(self.identity.as_bytes()).field(tree);
        key = key.field(serde_json::to_vec(steps).ok()?);
        for seed in steps.iter().flat_map(|step| &step.seeds) {
            key = key.field(files::content_digest(&seed.from).ok()?.as_bytes());
        }
        Some(key.finish())
    }

    /// The baseline of this name, where it may be used.
    pub fn get(&self, key: &Digest) -> Option<Run> {
        let text = std::fs::read(self.place(key)).ok()?;
        let entry: Entry = serde_json::from_slice(&text).ok()?;
        let kept = |promise: &String| entry.run.enforced.contains(promise);
        self.enforced.iter().all(kept).then_some(entry.run)
    }

    /// Keeps a baseline; one in which the machine failed is not kept.
    ///
    /// # Errors
    /// Where the file system refuses. The verdict does not depend on it.
    pub fn put(&self, key: &Digest, run: &Run) -> Result<(), FilesError> {
        if run.infra().is_some() || run.missing().is_some() {
            return Ok(());
        }
        let Ok(text) = serde_json::to_vec(&Entry { run: run.clone() }) else { return Ok(()) };
        if text.len() > LARGEST {
            return Ok(());
        }
        files::make_folder(&self.folder)?;
        files::write_whole(&self.place(key), &text, false)
    }

    /// The verdict over the change that `key` names, if it is one that a second run
    /// would find again.
    pub fn verdict(&self, key: &Digest) -> Option<Verdict> {
        let text = std::fs::read(self.folder.join(format!("verdict-{key}.json"))).ok()?;
        let verdict: Verdict = serde_json::from_slice(&text).ok()?;
        let kept = |promise: &String| verdict.enforced.contains(promise);
        self.enforced.iter().all(kept).then_some(verdict)
    }

    /// Keeps a verdict; not one that the machine or luck may have made.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn put_verdict(&self, key: &Digest, verdict: &Verdict) -> Result<(), FilesError> {
        if matches!(verdict.kind, VerdictKind::Infra | VerdictKind::Flaky | VerdictKind::NoData) {
            return Ok(());
        }
        let Ok(text) = serde_json::to_vec(verdict) else { return Ok(()) };
        files::make_folder(&self.folder)?;
        files::write_whole(&self.folder.join(format!("verdict-{key}.json")), &text, false)
    }

    /// Forgets a baseline that another run has contradicted.
    pub fn forget(&self, key: &Digest) {
        // One that stays is contradicted again.
        let _ = files::remove(&self.place(key));
    }

    fn place(&self, key: &Digest) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }

    /// Where the baselines lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{StepEnd, StepResult};
    use crate::verify::observed::Observed;

    fn run(end: StepEnd, enforced: &[&str]) -> Run {
        let result = StepResult { name: "test".to_owned(), command: Vec::new(), end, millis: 1, output: String::new() };
        let observed = Observed { result, report: Default::default(), snapshots: Default::default() };
        Run { steps: vec![observed], enforced: enforced.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn what_was_made_under_weaker_isolation_is_not_used_for_stronger() {
        let folder = tempfile::tempdir().unwrap();
        let cache = |enforced: &[&str]| {
            let enforced = enforced.iter().map(|name| (*name).to_owned()).collect();
            Cache::new(folder.path().join("baselines"), Digest::of(b"sandbox"), enforced)
        };
        let (strong, weak) = (cache(&["memory-limit", "network-off"]), cache(&["memory-limit"]));
        let key = strong.key("tree", &[]).unwrap();
        assert_eq!(weak.key("tree", &[]), Some(key));
        assert_eq!(strong.get(&key), None);
        let made = run(StepEnd::Exited(0), &["memory-limit"]);
        weak.put(&key, &made).unwrap();
        assert_eq!(weak.get(&key), Some(made));
        assert_eq!(strong.get(&key), None);
        let made = run(StepEnd::Exited(0), &["memory-limit", "network-off", "overlay"]);
        strong.put(&key, &made).unwrap();
        assert_eq!(strong.get(&key), Some(made));
        strong.forget(&key);
        assert_eq!(strong.get(&key), None);
    }

    #[test]
    fn names_depend_on_everything_and_failures_of_the_machine_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = |identity: &[u8]| Cache::new(folder.path().to_owned(), Digest::of(identity), Vec::new());
        let seed = folder.path().join("seed");
        let seeded = |bytes: &[u8]| {
            files::write_whole(&seed, bytes, false).unwrap();
            let seeds = vec![crate::config::Seed { from: seed.clone(), to: "x".to_owned() }];
            cache(b"a").key("tree", &[Step { seeds, ..Step::default() }])
        };
        let keys = [
            cache(b"a").key("tree", &[]),
            cache(b"b").key("tree", &[]),
            cache(b"a").key("other", &[]),
            cache(b"a").key("tree", &[Step::default()]),
            seeded(b"1"),
            seeded(b"2"),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(key.is_some() && !keys[..index].contains(key));
        }
        let (cache, key) = (cache(b"a"), keys[0].unwrap());
        for end in [StepEnd::TimedOut, StepEnd::MissingProgram("x".into())] {
            cache.put(&key, &run(end, &[])).unwrap();
            assert_eq!(cache.get(&key), None);
        }
    }
}
