//! What native functions may cost: counted in nodes, never in time, so that a
//! rule fails at the same place on every machine.

use std::cell::Cell;

use rhai::EvalAltResult;

use super::error::fail;

/// Nodes that native functions may visit in one closure call.
const NODES: u64 = 1_000_000;

/// And while a rule file is read, which happens once.
const READING: u64 = 10 * NODES;

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(NODES) };
}

/// Gives the native functions of this thread a new budget.
pub(super) fn refill() {
    LEFT.set(NODES);
}

/// The same, for a rule file that is read.
pub(super) fn refill_for_reading() {
    LEFT.set(READING);
}

/// Runs `work` with a budget of its own: what it costs is not the caller's.
pub(super) fn with_budget<T>(nodes: u64, work: impl FnOnce() -> T) -> T {
    let before = LEFT.replace(nodes);
    let result = work();
    LEFT.set(before);
    result
}

/// Pays for visiting `nodes` nodes.
pub(super) fn charge(nodes: usize) -> Result<(), Box<EvalAltResult>> {
    match LEFT.get().checked_sub(nodes as u64) {
        Some(left) => {
            LEFT.set(left);
            Ok(())
        }
        None => Err(fail("the rule looked at more nodes than one match may cost")),
    }
}
