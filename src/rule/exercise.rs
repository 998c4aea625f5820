//! What of the rules was exercised by the code that they ran over: which rules
//! matched, which branches of `any`, which conditions held and which did not, and
//! how long each rule took.
//!
//! Nothing is recorded, and next to nothing is paid, unless a [`RuleSet`] was
//! given an [`Exercise`].
//!
//! [`RuleSet`]: super::RuleSet

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A record, shared by every thread that runs the rules.
#[derive(Debug, Default)]
pub struct Exercise(Mutex<Record>);

#[derive(Debug, Default)]
struct Record {
    /// Conditions and branches that held, by their place in memory.
    held: BTreeSet<usize>,
    /// Those that did not.
    failed: BTreeSet<usize>,
    /// How often each rule matched, by its index, and the time it took.
    rules: BTreeMap<usize, (u64, Duration)>,
}

thread_local! {
    static CURRENT: RefCell<Option<Record>> = const { RefCell::new(None) };
}

/// Recording of one traversal; ends when dropped.
pub(super) struct Recording(Option<Arc<Exercise>>);

/// Begins to record what this thread does, if anybody wants to know.
pub(super) fn begin(exercise: Option<&Arc<Exercise>>) -> Recording {
    if exercise.is_some() {
        CURRENT.set(Some(Record::default()));
    }
    Recording(exercise.cloned())
}

impl Drop for Recording {
    fn drop(&mut self) {
        let Some(exercise) = &self.0 else { return };
        let Some(record) = CURRENT.take() else { return };
        let mut all = exercise.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.held.extend(record.held);
        all.failed.extend(record.failed);
        for (rule, (matches, time)) in record.rules {
            let one = all.rules.entry(rule).or_default();
            one.0 += matches;
            one.1 += time;
        }
    }
}

fn record(with: impl FnOnce(&mut Record)) {
    CURRENT.with_borrow_mut(|record| {
        if let Some(record) = record {
            with(record);
        }
    });
}

/// What a run tells, recorded only where it counts.
pub(super) fn tried<T>(run: impl FnOnce() -> (T, bool)) -> T {
    if CURRENT.with_borrow(Option::is_none) {
        return run().0;
    }
    let before = CURRENT.replace(Some(Record::default()));
    let (given, counts) = run();
    let own = CURRENT.replace(before).filter(|_| counts).unwrap_or_default();
    record(|r| {
        r.held.extend(own.held);
        r.failed.extend(own.failed);
    });
    given
}

/// A condition or branch was asked; gives back its answer.
pub(super) fn asked<T: ?Sized>(part: &T, held: bool) -> bool {
    let place = std::ptr::from_ref(part).cast::<()>() as usize;
    record(|r| {
        if held { &mut r.held } else { &mut r.failed }.insert(place);
    });
    held
}

/// A rule was asked about a node: since when.
pub(super) fn started() -> Option<Instant> {
    CURRENT.with_borrow(|record| record.is_some().then(Instant::now))
}

/// A rule answered: whether it matched.
pub(super) fn ended(rule: usize, since: Option<Instant>, matched: bool) {
    let Some(since) = since else { return };
    record(|r| {
        let one = r.rules.entry(rule).or_default();
        one.0 += u64::from(matched);
        one.1 += since.elapsed();
    });
}

impl Exercise {
    /// Whether a condition or branch held, and whether it failed, at least once.
    pub fn of<T: ?Sized>(&self, part: &T) -> (bool, bool) {
        let place = std::ptr::from_ref(part).cast::<()>() as usize;
        let record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (record.held.contains(&place), record.failed.contains(&place))
    }

    /// How often a rule matched, and how long it took.
    pub fn of_rule(&self, rule: usize) -> (u64, Duration) {
        let record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        record.rules.get(&rule).copied().unwrap_or_default()
    }
}
