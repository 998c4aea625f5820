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
    /// Whether it is a rule file that is read.
    static READS: Cell<bool> = const { Cell::new(false) };
}

/// Gives the native functions of this thread a new budget.
pub(super) fn refill() {
    LEFT.set(NODES);
    READS.set(false);
}

/// The same, for a rule file that is read.
pub(super) fn refill_for_reading() {
    LEFT.set(READING);
    READS.set(true);
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
        None if READS.get() => Err(fail(format!(
            "reading this rule file looked at more than {READING} nodes, keys and rows: it may not cost more"
        ))),
        None => Err(fail("the rule looked at more nodes than one match may cost")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_too_much_is_named() {
        refill_for_reading();
        let of_file = charge(READING as usize + 1).unwrap_err().to_string();
        assert!(of_file.contains("reading this rule file"), "{of_file}");
        refill();
        assert!(charge(NODES as usize + 1).unwrap_err().to_string().contains("than one match may cost"));
    }
}
