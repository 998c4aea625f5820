//! gander carries one migration through a whole fleet of codebases.
//!
//! ```text
//!  discover ──▶ transform ──▶ format ──▶ verify ──▶ rollout ──▶ report
//!   Fleet         Plan         Plan      Verdict     Ledger     change sets
//! ```
//!
//! Each stage is one module: noun in, noun out. A stage knows the stages before
//! it and the foundation modules, never the ones after it; foundation modules
//! know no stage. `tests/end_to_end/order.rs` holds that.

// Foundation: what every stage is built from.
pub mod changeset;
pub mod clock;
pub mod codeowners;
pub mod config;
pub mod dataset;
pub mod dependency;
pub mod digest;
pub mod edit;
pub mod fault;
pub mod files;
pub mod git;
pub mod http;
pub mod index;
pub mod interrupt;
pub mod language;
pub mod pattern;
pub mod pin;
pub mod process;
pub mod rule;
pub mod sandbox;
pub mod script;
pub mod state;
pub mod symbol;
pub mod toolchain;
pub mod tree;
pub mod workspace;

// The stages, in order.
pub mod discover;

pub mod transform;

pub mod format;

pub mod verify;

pub mod rollout;

pub mod report;

// Above the stages: the tests of rules, without which none runs, the composition of the stages,
// and who calls them.
pub mod cli;
pub mod lsp;
pub mod pipeline;
pub mod rule_test;
