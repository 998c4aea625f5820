//! Formatters within the pipeline: which plans are laid out, over which trees, and what is
//! remembered of it between runs.
//!
//! Must not: say what of a formatter's work is taken.

use std::path::PathBuf;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::verifying::copy_of;
use super::{PipelineError, not_interrupted};
use crate::config::{Migration, SandboxMode, Step};
use crate::digest::{Digest, DigestBuilder};
use crate::files;
use crate::format::{self, Call, FormatError, Ran};
use crate::rollout;
use crate::sandbox::{Sandbox, SandboxError};
use crate::transform::{Pinned, Transformed, WorkspacePlan};
use crate::verify;
use crate::workspace::{FileVersion, Pin};

/// Grows with every change of how a result is kept or read.
const VERSION: &str = "gander.format.1";

/// Lays out plans as a migration asks for it.
pub(super) struct Formatting<'a> {
    migration: &'a Migration,
    sandbox: Sandbox,
    /// Whether the machine isolates as required: tried once, before the first call.
    checked: OnceLock<Result<(), String>>,
}

impl<'a> Formatting<'a> {
    /// Nothing is made or tried before there is something to lay out; `mode` is `--sandbox`. `None` where the
    /// migration names no formatter.
    pub(super) fn new(migration: &'a Migration, mode: Option<SandboxMode>) -> Result<Option<Self>, PipelineError> {
        if migration.formatters.is_empty() {
            return Ok(None);
        }
        let exe = std::env::current_exe().map_err(PipelineError::Program)?;
        let mut config = migration.sandbox.clone();
        config.mode = mode.unwrap_or(config.mode);
        let sandbox = Sandbox::new(exe, &config, &migration.state.join("scratch"));
        Ok(Some(Self { migration, sandbox, checked: OnceLock::new() }))
    }

    /// Lays out what is changed of each of `pinned`. A consumer whose formatter can't do its work is an error, and
    /// nothing of it changes: what it looks like is no matter of luck.
    pub(super) fn lay_out(
        &self,
        plans: &mut [WorkspacePlan],
        pinned: &[Pinned<'_>],
        is_wanted: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<(), PipelineError> {
        let jobs = verify::jobs_for(self.migration.sandbox.jobs, self.migration.sandbox.memory);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).thread_name(|n| format!("format-{n}")).build();
        let mut all = || {
            let all = plans.par_iter_mut().zip(pinned).enumerate();
            all.filter(|(index, (plan, _))| !plan.files.is_empty() && is_wanted(*index)).for_each(
                |(_, (plan, pinned))| {
                    if let Err(error) = self.one(plan, pinned) {
                        (plan.result, plan.files) = (Transformed::Errored(error.to_string()), Vec::new());
                        plan.comments.clear();
                    }
                },
            );
        };
        match pool {
            Ok(pool) => pool.install(all),
            Err(_) => all(),
        }
        not_interrupted()
    }

    fn one(&self, plan: &mut WorkspacePlan, pinned: &Pinned<'_>) -> Result<(), FormatError> {
        let Ok((manifest, pin)) = &pinned.content else { return Ok(()) };
        let languages = &self.migration.languages;
        let failed = |why: String| FormatError::Machine(format!("its files can't be laid out: {why}"));
        let versions = rollout::ends(pinned.workspace, manifest, plan).map_err(failed)?;
        let calls = format::calls(&self.migration.formatters, manifest, &versions, languages);
        if calls.is_empty() {
            return Ok(());
        }
        let mut fetches = Vec::new();
        if format::need_fetching(&calls) {
            fetches = verify::steps_for(manifest, &self.migration.verify);
            fetches.retain(|step| step.fetch.is_some());
        }
        let kept = self.place(pin, &versions, (&calls, &fetches));
        let known = kept.as_ref().and_then(|place| serde_json::from_slice::<Ran>(&std::fs::read(place).ok()?).ok());
        let ran = match known {
            Some(ran) => ran,
            None => {
                self.check().map_err(failed)?;
                let pins = self.migration.state.join("pins");
                let tree = copy_of(&pins, pinned.workspace, pin, || Ok(manifest.clone())).map_err(failed)?;
                let subject = format::Subject { tree: &tree, versions: &versions, fetches: &fetches };
                let ran = format::run(&self.sandbox, subject, &calls)?;
                if let (Some(place), Ok(text)) = (kept, serde_json::to_vec(&ran)) {
                    // What is not kept is made again.
                    let _ = files::make_folder(&self.migration.state.join(FOLDER));
                    let _ = files::write_whole(&place, &text, false);
                }
                ran
            }
        };
        format::take(plan, &versions, &ran, languages);
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let check = || {
            files::make_folder(&self.migration.state.join("scratch")).map_err(|error| error.to_string())?;
            self.sandbox.check().map(drop).map_err(|error: SandboxError| error.to_string())
        };
        self.checked.get_or_init(check).clone()
    }

    /// Where what came of some calls is kept: by everything that it rests on.
    fn place(&self, pin: &Pin, versions: &[FileVersion], calls: (&[Call], &[Step])) -> Option<PathBuf> {
        let mut key = DigestBuilder::new(VERSION).field(self.sandbox.identity().as_bytes()).field(pin.key());
        key = key.field(serde_json::to_vec(&calls).ok()?);
        for version in versions {
            let after = version.after.as_ref().map(|content| Digest::of(&content.bytes));
            key = key.field(&version.path).field(after.map(|digest| digest.to_string()).unwrap_or_default());
        }
        Some(self.migration.state.join(FOLDER).join(format!("{}.json", key.finish())))
    }
}

/// The folder, in that of the state, in which results are kept.
pub(super) const FOLDER: &str = "formatted";
