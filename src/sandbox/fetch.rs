//! Fetch steps: each with its own credentials and its own way to its hosts. What they
//! bring is shown to later steps, unless a credential is in it.
//!
//! Must not: let a step see the credentials or the hosts of another.

use std::path::{Path, PathBuf};

use super::credentials::{Credentials, Leak};
use super::run::{Extra, Job, Sandbox, not_started};
use super::scratch::{self, Scratch};
use super::spec::{Shown, SideReply};
use super::{SandboxError, StepEnd, StepResult, tree};
use crate::config::{SandboxMode, Step};
use crate::process::ProcessError;

/// What fetch steps have brought, for as long as it is held.
#[derive(Debug)]
pub struct Fetched {
    /// The steps, the last of which is red where it could not be brought.
    pub steps: Vec<StepResult>,
    /// The caches that later steps may see.
    pub shown: Vec<Shown>,
    /// What the steps were given, to be cut out of what later ones say.
    pub(super) credentials: Credentials,
    _scratch: Option<Scratch>,
}

/// Where fetch steps have worked.
#[derive(Clone, Copy)]
struct Place<'a> {
    scratch: &'a Scratch,
    over: bool,
}

impl Sandbox {
    /// Runs the fetch steps among `job.steps` until one is red. Their caches are shown to
    /// later sides. One that leaves a credential where somebody else would see it is
    /// refused.
    ///
    /// # Errors
    /// Where the sandbox can't be run, or the user wants an end.
    pub fn fetch(&self, job: &Job<'_>) -> Result<Fetched, SandboxError> {
        let fetches: Vec<&Step> = job.steps.iter().filter(|step| step.fetch.is_some()).collect();
        if fetches.is_empty() {
            return Ok(Fetched { steps: vec![], shown: vec![], credentials: Credentials::default(), _scratch: None });
        }
        let credentials = Credentials::of(fetches.iter().flat_map(|step| names(step)));
        // Each step is asked for alone: its neighbours' secrets and hosts are not its.
        let work = |scratch: &Scratch, lower: Option<&Path>| {
            let mut all = SideReply::default();
            for (index, step) in fetches.iter().enumerate() {
                let alone = Job { steps: std::slice::from_ref(*step), ..*job };
                let mut reply = self.fetch_one(scratch, lower, &alone, step, &credentials)?;
                all.no_overlay = reply.no_overlay;
                let place = Place { scratch, over: lower.is_some() };
                if let Some(last) = reply.steps.last_mut().filter(|step| step.end == StepEnd::Exited(0))
                    && let Some(why) = self.leak(place, &fetches, index)?
                {
                    last.end = StepEnd::Refused(credentials.cut(&why));
                }
                let green = reply.steps.iter().all(|step| step.end == StepEnd::Exited(0));
                all.steps.extend(reply.steps);
                if !green || all.no_overlay.is_some() {
                    break;
                }
            }
            Ok(all)
        };
        let (scratch, reply, lower) = self.laid_out(job, &work)?;
        let caches = Place { scratch: &scratch, over: lower.is_some() }.caches(&fetches);
        let shown = caches.into_iter().map(|(from, to)| Shown { from, to }).collect();
        Ok(Fetched { steps: reply.steps, shown, credentials, _scratch: Some(scratch) })
    }

    fn fetch_one(
        &self,
        scratch: &Scratch,
        lower: Option<&Path>,
        job: &Job<'_>,
        step: &Step,
        credentials: &Credentials,
    ) -> Result<SideReply, SandboxError> {
        if let Some(why) = names(step).iter().find_map(|name| Credentials::value(name).err()) {
            return Ok(SideReply { steps: vec![not_started(step, why)], ..SideReply::default() });
        }
        let secrets = Credentials::of(names(step).iter()).values().clone();
        #[cfg(target_os = "linux")]
        let proxy = match self.config.mode {
            SandboxMode::Namespaces => {
                let hosts = step.fetch.as_ref().map_or(&[][..], |fetch| &fetch.hosts);
                Some(super::proxy::Proxy::start(hosts).map_err(scratch::at(scratch.path()))?)
            }
            SandboxMode::None => None,
        };
        #[cfg(target_os = "linux")]
        let socket = proxy.as_ref().map(super::proxy::Proxy::socket);
        #[cfg(not(target_os = "linux"))]
        let socket = None;
        let mut reply = self.ask(scratch, lower, job, Extra { proxy: socket, secrets, shell: false })?;
        for result in &mut reply.steps {
            #[cfg(target_os = "linux")]
            for host in proxy.as_ref().map(super::proxy::Proxy::refused).unwrap_or_default() {
                result
                    .output
                    .push_str(&format!("\n[gander refused the way to {host}: it is not among the step's hosts]"));
            }
            result.cut(credentials);
        }
        // It is captured for nobody, and may hold secrets.
        let captured = scratch.path().join(scratch::CAPTURED);
        scratch::empty(&captured).map_err(scratch::at(&captured))?;
        Ok(reply)
    }

    /// Why what the `index`-th of `fetches` has left must not be seen by whoever comes next:
    /// another that fetches sees everything, and later steps see the caches.
    fn leak(&self, place: Place<'_>, fetches: &[&Step], index: usize) -> Result<Option<String>, SandboxError> {
        let given = Credentials::of(fetches[..=index].iter().flat_map(|step| names(step)));
        let (credentials, folders, who) = match fetches.get(index + 1) {
            Some(next) => (given.without(names(next)), place.everything(), "the next fetch step"),
            None => (given, place.caches(fetches), "later steps"),
        };
        let mut budget = self.config.disk;
        for (folder, shown) in folders {
            let leak = credentials.found_in(&folder, &mut budget).map_err(|_| {
                SandboxError::Helper(ProcessError::Interrupted { program: "the search for credentials".to_owned() })
            })?;
            let below = |path: PathBuf| {
                let path =
                    if path.as_os_str().is_empty() { PathBuf::from(&shown) } else { Path::new(&shown).join(path) };
                path.to_string_lossy().escape_debug().to_string()
            };
            return Ok(Some(match leak {
                None => continue,
                Some(Leak::Found { name, path }) => format!(
                    "it has left the credential {name} in {}, where {who} would see it: have the step remove it",
                    below(path)
                ),
                Some(Leak::Closed(path)) => format!(
                    "{} cannot be searched for credentials, and {who} would see it: have the step open or remove it",
                    below(path)
                ),
                Some(Leak::TooMuch) => format!(
                    "what it has left is too much to be searched for credentials: more than {} MiB ([sandbox] disk)",
                    self.config.disk >> 20
                ),
            }));
        }
        Ok(None)
    }
}

impl Place<'_> {
    /// The caches that are there, by what they are called.
    fn caches(&self, fetches: &[&Step]) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for cache in fetches.iter().filter_map(|step| step.fetch.as_ref()).flat_map(|fetch| &fetch.caches) {
            let (part, below) = match cache.strip_prefix("~/") {
                Some(below) => (scratch::HOME, below),
                None => (self.workspace(), cache.as_str()),
            };
            let base = self.scratch.path().join(part);
            let from = base.join(below);
            // A link, there or on the way, would show what it points to on the host.
            let plain = std::fs::symlink_metadata(&from).is_ok_and(|meta| meta.is_dir() || meta.is_file());
            if plain && !tree::leads_out(&base, below) {
                found.push((from, cache.clone()));
            }
        }
        found
    }

    /// All that a step may have written and the next one sees.
    fn everything(&self) -> Vec<(PathBuf, String)> {
        let parts = [(scratch::HOME, "~"), (self.workspace(), ""), (scratch::TMP, "/tmp")];
        let registry = (scratch::REGISTRY_UPPER, "~/.cargo/registry");
        parts.into_iter().chain([registry]).map(|(part, to)| (self.scratch.path().join(part), to.to_owned())).collect()
    }

    fn workspace(&self) -> &'static str {
        if self.over { scratch::UPPER } else { scratch::TREE }
    }
}

fn names(step: &Step) -> &[String] {
    step.fetch.as_ref().map_or(&[], |fetch| &fetch.credentials)
}
