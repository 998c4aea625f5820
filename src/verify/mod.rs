//! Stage 3: a changed workspace → [`Verdict`]. Built and tested in a sandbox as
//! it was (the baseline), and with the change (patched); the two are compared
//! step by step.
//!
//! Must not: deliver anything, or touch a consumer's own folder.

mod detect;
mod judge;
mod steps;
pub mod verdict;

use std::path::Path;

use rayon::prelude::*;

use crate::config::Step;
use crate::sandbox::{Sandbox, SandboxError, Side};
use crate::workspace::FileVersion;

pub use judge::judge;
pub use steps::steps_for;
pub use verdict::{StepEnd, StepResult, Verdict, VerdictKind};

/// What is verified: a pinned tree, its change set, and how.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// A folder that holds exactly the pinned bytes; it is only read.
    pub pinned_tree: &'a Path,
    /// Every file that changes.
    pub changes: &'a [FileVersion],
    /// What to run, in order: see [`steps_for`].
    pub steps: &'a [Step],
}

/// Runs both sides of `subject` and compares them; [`judge`] says by which rules.
///
/// The patched side is run only where a step of the baseline was green: nothing
/// else can regress, and nothing else can pass. A sandbox that cannot be run at
/// all is an `infra` verdict that says why.
pub fn verify(sandbox: &Sandbox, subject: &Subject<'_>) -> Verdict {
    match both_sides(sandbox, subject) {
        Ok((baseline, patched)) => {
            let mut enforced = baseline.enforced;
            if let Some(patched) = &patched {
                enforced.retain(|name| patched.enforced.contains(name));
            }
            let patched = patched.map(|side| side.steps).unwrap_or_default();
            let (kind, reason) = judge(&baseline.steps, &patched);
            Verdict { kind, reason, baseline: baseline.steps, patched, enforced }
        }
        Err(error) => Verdict {
            kind: VerdictKind::Infra,
            reason: error.to_string(),
            baseline: Vec::new(),
            patched: Vec::new(),
            enforced: Vec::new(),
        },
    }
}

fn both_sides(sandbox: &Sandbox, subject: &Subject<'_>) -> Result<(Side, Option<Side>), SandboxError> {
    if subject.steps.is_empty() {
        let nothing = Side { steps: Vec::new(), enforced: Vec::new() };
        return Ok((nothing, None));
    }
    let baseline = sandbox.run_side(subject.pinned_tree, &[], subject.steps)?;
    if !baseline.steps.iter().any(judge::is_green) {
        return Ok((baseline, None));
    }
    let patched = sandbox.run_side(subject.pinned_tree, subject.changes, subject.steps)?;
    Ok((baseline, Some(patched)))
}

/// Verifies many at once: `verify_one` for each of `items`, at most `jobs` at a
/// time (as many as there are cores where it is `None`). Results come in the order
/// of `items`; `progress` hears of each as it is ready, from any thread, with its
/// index. `verify_one` lays out the pinned tree, calls [`verify`], and clears away.
pub fn verify_all<T: Sync>(
    items: &[T],
    jobs: Option<usize>,
    verify_one: impl Fn(&T) -> Verdict + Sync,
    progress: impl Fn(usize, &Verdict) + Sync,
) -> Vec<Verdict> {
    let one = |(index, item): (usize, &T)| {
        let verdict = verify_one(item);
        progress(index, &verdict);
        verdict
    };
    // A pool of their own: steps take minutes, and whoever else uses rayon must not
    // wait for them. A thread waits for its sandbox, so the sandbox cannot outlive it.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.unwrap_or(0))
        .thread_name(|index| format!("verify-{index}"))
        .build();
    match pool {
        Ok(pool) => pool.install(|| {
            // One item at a time: sandboxes take very different times.
            items.par_iter().enumerate().with_max_len(1).map(one).collect()
        }),
        // No thread to be had: one after the other is late, but right.
        Err(_) => items.iter().enumerate().map(one).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn results_keep_their_order_and_progress_hears_of_all() {
        let items: Vec<u64> = (0..40).collect();
        let heard = Mutex::new(Vec::new());
        let one = |item: &u64| {
            std::thread::sleep(std::time::Duration::from_millis(40 - item));
            Verdict {
                kind: VerdictKind::NoData,
                reason: item.to_string(),
                baseline: Vec::new(),
                patched: Vec::new(),
                enforced: Vec::new(),
            }
        };
        let verdicts = verify_all(&items, Some(8), one, |index, verdict| {
            heard.lock().unwrap().push((index, verdict.reason.clone()));
        });
        let order: Vec<u64> = verdicts.iter().map(|verdict| verdict.reason.parse().unwrap()).collect();
        assert_eq!(order, items);
        let mut heard = heard.into_inner().unwrap();
        heard.sort();
        assert_eq!(heard.len(), 40);
        assert!(heard.iter().all(|(index, reason)| index.to_string() == *reason));
    }
}
