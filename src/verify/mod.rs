//! Stage 3: a changed workspace → [`Verdict`]. Built and tested in a sandbox as
//! it was, and with the change.
//!
//! Must not: deliver anything, or touch a consumer's own folder.

pub mod verdict;

pub use verdict::{StepEnd, StepResult, Verdict, VerdictKind};
