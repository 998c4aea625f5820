//! Stage 2: [`crate::workspace::Fleet`] → [`Plan`]. What the rules make of every workspace.
//!
//! Must not: write anything, start a program, read a clock.

mod check;
mod facts;
mod file;
mod file_edits;
mod fleet;
pub mod plan;
mod skip;
#[cfg(test)]
mod tests;

pub use file::{Change, Creation, Fate, FileReport, collect, file, unsettled};
pub use file_edits::{Decided, Lies, NewFile, Reported, decide};
pub use fleet::{Pinned, Request, plan_digest, transform};
pub use plan::{FileOutcome, FilePlan, Finding, FindingKind, Plan, SkipReason, Transformed, WorkspacePlan};
