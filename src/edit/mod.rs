//! Edits: what rules want of a file, as values, and the arithmetic of splicing
//! them into its bytes.
//!
//! Must not: know a rule, a stage, or the file system.

mod compose;

pub use compose::{Arranged, ComposeError, Kept, Placed, apply, arrange, compose, in_old_text};

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A piece of a replacement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fragment {
    /// New text.
    Text(String),
    /// The bytes that stand at this range of the pinned file, with the edits
    /// that other matches make inside it. From outside of the edit's own range,
    /// edits of the same match are left out: moving code is copying and deleting it.
    Copy(Range<usize>),
}

/// One replacement that one match of one rule asks for. Ranges are bytes of the
/// pinned file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub range: Range<usize>,
    /// By what.
    pub replacement: Vec<Fragment>,
    /// The rule that asks for it.
    pub rule: String,
    /// Which match of the rule in this file, counted from 0. Edits of one match
    /// apply together or not at all.
    pub match_id: u32,
}

/// A final, flat replacement. The splices of a file are ordered and disjoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Splice {
    /// Bytes of the pinned file.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub text: String,
}
