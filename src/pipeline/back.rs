//! Reverts over code that moved on since their change sets were made: built and tested over
//! it, against that code as it is.
//!
//! Must not: make a revert, or decide what follows from what its tests say.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use super::verifying::copy_of;
use crate::changeset::{ChangeSet, Side};
use crate::config::{Migration, SandboxMode};
use crate::digest::{Digest, DigestBuilder};
use crate::files;
use crate::pin;
use crate::rollout::{Trial, Tried};
use crate::sandbox::Sandbox;
use crate::verify::{self, Job, Subject, Verdict, VerdictKind};

/// Tests reverts for one migration.
pub struct Backs<'a> {
    migration: &'a Migration,
    mode: Option<SandboxMode>,
    /// What is known already, by what was tested.
    known: Mutex<BTreeMap<Digest, Tried>>,
    making: Mutex<()>,
}

impl<'a> Backs<'a> {
    /// Nothing is made or tried before the first test; `mode` is `--sandbox`.
    pub fn new(migration: &'a Migration, mode: Option<SandboxMode>) -> Self {
        Self { migration, mode, known: Mutex::default(), making: Mutex::default() }
    }

    /// Tests some, as many at once as the machine takes; an answer each, in their order.
    pub fn try_all(&self, trials: &[Trial]) -> Vec<Tried> {
        let names: Vec<Digest> = trials.iter().map(name).collect();
        let known = |name: &Digest| self.known.lock().ok().and_then(|known| known.get(name).cloned());
        let new: Vec<&Trial> =
            trials.iter().zip(&names).filter(|(_, name)| known(name).is_none()).map(|(trial, _)| trial).collect();
        if !new.is_empty() {
            match self.sandbox() {
                Ok(sandbox) => self.test(&sandbox, &new),
                Err(why) => return trials.iter().map(|_| Tried::Unknown(why.clone())).collect(),
            }
        }
        names.iter().map(|name| known(name).unwrap_or(Tried::Ended)).collect()
    }

    fn sandbox(&self) -> Result<Sandbox, String> {
        let exe = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut config = self.migration.sandbox.clone();
        config.mode = self.mode.unwrap_or(config.mode);
        let scratch = self.migration.state.join("scratch");
        files::make_folder(&scratch).map_err(|error| error.to_string())?;
        let sandbox = Sandbox::new(exe, &config, &scratch);
        sandbox.check().map_err(|error| error.to_string())?;
        Ok(sandbox)
    }

    fn test(&self, sandbox: &Sandbox, trials: &[&Trial]) {
        crate::interrupt::listen();
        let jobs = verify::jobs_for(self.migration.sandbox.jobs, self.migration.sandbox.memory);
        let job = |trial: &&Trial| Job { name: trial.place.id.clone(), took: None };
        let heard = |at: usize, verdict: &Verdict, _| {
            if let (Ok(mut known), Some(trial)) = (self.known.lock(), trials.get(at)) {
                known.insert(name(trial), said(verdict));
            }
        };
        verify::verify_all(trials, jobs, job, |trial| self.verify(sandbox, trial), heard, |_| {});
    }

    /// The verdict over the code that is there now and what the revert makes of it.
    fn verify(&self, sandbox: &Sandbox, trial: &Trial) -> Option<Verdict> {
        let infra = |why: String| Some(Verdict::without_runs(VerdictKind::Infra, why));
        let manifest = match pin::manifest(&trial.place) {
            Ok(manifest) => manifest,
            Err(error) => return infra(error.to_string()),
        };
        let pin = pin::pin_of(&trial.place, &manifest);
        let tree: Result<PathBuf, String> = match self.making.lock() {
            Ok(_making) => copy_of(&self.migration.state.join("pins"), &trial.place, &pin, || Ok(manifest.clone())),
            Err(_) => Err("an earlier copy failed".to_owned()),
        };
        match tree {
            Ok(tree) => {
                let steps = verify::steps_for(&manifest, &self.migration.verify);
                verify::verify(sandbox, &Subject::new(&tree, &trial.files, &steps))
            }
            Err(why) => infra(why),
        }
    }
}

/// Names what is tested: the code that is there now, and what becomes of it.
fn name(trial: &Trial) -> Digest {
    let set = ChangeSet::new(&trial.files, "");
    let tree = trial.place.git.as_ref().map_or("", |git| git.tree.as_str());
    DigestBuilder::new("gander.trial")
        .field(tree)
        .field(set.digest(Side::Before).as_bytes())
        .field(set.digest(Side::After).as_bytes())
        .finish()
}

fn said(verdict: &Verdict) -> Tried {
    let why = verdict.reason.clone();
    match verdict.kind {
        VerdictKind::Pass | VerdictKind::Fixed | VerdictKind::NoChange => Tried::Green(why),
        VerdictKind::Regressed => Tried::Red(why),
        VerdictKind::BaselineBroken | VerdictKind::NoData | VerdictKind::Flaky | VerdictKind::Infra => {
            Tried::Unknown(why)
        }
    }
}
