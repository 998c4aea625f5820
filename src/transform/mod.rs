//! Stage 2: [`crate::workspace::Fleet`] → [`Plan`]. What the rules make of every workspace.
//!
//! Must not: write anything, start a program, read a clock.

mod again;
mod asked;
mod blank_lines;
mod check;
mod compose;
mod covers;
mod dependencies;
mod elsewhere;
mod ends;
mod facts;
mod file;
mod file_edits;
mod fleet;
mod follow;
mod inside;
mod lines;
mod macros;
mod meanings;
mod memory;
mod moves;
mod naming;
mod neighbours;
mod nesting;
mod once;
mod parting;
pub mod places;
mod plan;
mod projects;
mod scopes;
mod sequence;
mod shadowed;
mod skip;
mod standing;
mod swallowed;
mod tags;
#[cfg(test)]
mod tests;
mod together;
mod twins;
mod written;

pub use dependencies::{Builds, Editors, edited, set_versions};
pub use file::{Change, Creation, Fate, FileReport, collect, file, spread, unsettled};
pub use file_edits::{Decided, Lies, NewFile, Reported, decide, is_twin};
pub use fleet::{Pinned, Request, plan_digest, transform};
pub use plan::{
    FileOutcome, FilePlan, Finding, FindingKind, Plan, SkipReason, Subject, TouchedComment, Transformed, WorkspacePlan,
};
pub use twins::{folded, prefixes};
pub use written::file_plan;
