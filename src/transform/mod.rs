//! Stage 2: [`Fleet`] → [`Plan`]. What the rules make of every workspace.
//!
//! Must not: write anything, start a program, read a clock.

pub mod plan;

pub use plan::{FileOutcome, FilePlan, Finding, FindingKind, Plan, SkipReason, Transformed, WorkspacePlan};
