//! Stage 2: [`Fleet`] → [`Plan`]. What the rules make of every workspace.
//!
//! Must not: write anything, start a program, read a clock.

mod check;
mod file;
mod fleet;
pub mod plan;
mod skip;

pub use file::{Change, FileReport, file};
pub use fleet::{Pinned, Request, transform};
pub use plan::{FileOutcome, FilePlan, Finding, FindingKind, Plan, SkipReason, Transformed, WorkspacePlan};

#[cfg(test)]
mod tests;
