//! What a rule's closure asked for and the file can't tell: heard once the closure has answered.
//!
//! Must not: decide what comes of it.

use std::cell::Cell;

thread_local! {
    static RAISED: Cell<bool> = const { Cell::new(false) };
}

/// Why a match is in doubt then.
pub(super) const DOUBTED_MEMBER: &str = "the rule asks for all uses of a member, and this file alone can't tell of which \
                     type another object is that a member of this name is taken of";

/// Says that an answer may leave something out.
pub fn raise() {
    RAISED.set(true);
}

/// Whether that was said since it was last asked.
pub(super) fn take() -> bool {
    RAISED.replace(false)
}
