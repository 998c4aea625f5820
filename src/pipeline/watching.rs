//! What is out is watched also where a run can't be begun: a source is down, a rule does not
//! parse, the migration is another one by now. Nothing new is begun by that, and no wave passes.
//!
//! Must not: hide why the run could not be begun.

use std::collections::{BTreeMap, BTreeSet};

use super::{Backs, Options, PipelineError, Progress, Tell, recorded};
use crate::clock::Clock;
use crate::config::Migration;
use crate::digest::Digest;
use crate::rollout::{self, RolloutError};
use crate::state::Store;
use crate::transform::Plan;
use crate::workspace::Fleet;

/// Watches what is out where `why` keeps a run from being begun. What goes wrong is told beside it.
pub(super) fn watch_after(
    migration: &Migration,
    options: &Options,
    clock: &Clock,
    tell: &Tell<'_>,
    why: &PipelineError,
) {
    if stops(why) {
        watch(migration, options, clock, tell, &why.to_string());
    }
}

/// Watches what is out where something keeps a run from being begun, and `why`. What goes wrong is told.
pub fn watch(migration: &Migration, options: &Options, clock: &Clock, tell: &Tell<'_>, why: &str) {
    if let Err(error) = watched(migration, options, clock, tell, &in_one_line(why)) {
        tell(Progress::Problem(&format!("what is out is not watched: {error}")));
    }
}

/// Why no run can be begun, for the history and for whoever listens: the rest is on the screen.
fn in_one_line(why: &str) -> String {
    let first = why.lines().next().unwrap_or_default();
    format!("no run can be begun: {}", first.strip_prefix("error: ").unwrap_or(first))
}

/// Whether an error leaves a rollout unwatched that could be: the state is in order, and nobody
/// wanted an end.
fn stops(why: &PipelineError) -> bool {
    use PipelineError as P;
    match why {
        P::Rollout(error) => matches!(error, RolloutError::Changed { .. } | RolloutError::Delivered { .. }),
        P::State(_)
        | P::Traces { .. }
        | P::Interrupted
        | P::NotKept(_)
        | P::NothingToPrepare
        | P::NoSuchConsumer(..) => false,
        P::Rules(_) | P::Discover(_) | P::Sandbox(_) | P::Files(_) | P::Program(_) | P::Missing(_) => true,
        P::NotComplete(_) | P::Template(_) | P::Folder(_) | P::Prepare(_) => true,
    }
}

fn watched(
    migration: &Migration,
    options: &Options,
    clock: &Clock,
    tell: &Tell<'_>,
    why: &str,
) -> Result<(), PipelineError> {
    // Where no rollout was begun there is nothing to watch, and a mistake leaves no trace.
    let known = recorded(migration)?.map(|store| store.binding()).transpose()?.flatten();
    if known.is_none_or(|known| known.migration != migration.id) {
        return Ok(());
    }
    let mut store = Store::open(&migration.state, clock)?;
    let backs = Backs::new(migration, options.sandbox);
    let request = rollout::Request {
        migration,
        fleet: &Fleet::default(),
        plan: &Plan { digest: Digest::of(b"nothing"), workspaces: Vec::new() },
        read_pinned: &|_, path| Err(format!("{path} is not read: nothing is planned")),
        verify: &|_, _, _| {},
        describe: &|_| BTreeMap::new(),
        opted_out: &|_| None,
        code_owners: &|_, _| Vec::new(),
        tell: &|event| tell(Progress::Rollout(event)),
        prove_back: &|trials| backs.try_all(trials),
        retry: false,
        replan: false,
        correct: false,
        review: &BTreeSet::new(),
        outdated: &BTreeMap::new(),
        only: &BTreeSet::new(),
    };
    Ok(rollout::watch(&mut store, &request, why)?)
}
