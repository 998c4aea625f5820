//! Edits: what rules want of a file, as values, and the arithmetic of splicing
//! them into its bytes.
//!
//! Must not: know a rule, a stage, or the file system.

mod compose;
mod regions;

pub use compose::{Arranged, ComposeError, Kept, Placed, apply, arrange, compose, in_old_text};
pub use regions::{Grown, Region, in_first_text, in_new_text, regions_after};

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
    /// apply together or not at all. The largest is that of imports, which all matches of a file ask for together.
    pub match_id: u32,
    /// Whether comments in the range may go, or go elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drops: bool,
}

/// What a rule wants of a whole file. Paths are relative to the workspace, with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileEdit {
    /// There is such a file.
    Create {
        /// Where.
        path: String,
        /// All that it holds.
        text: String,
    },
    /// The file that holds the match has this path.
    Rename {
        /// The path.
        to: String,
    },
    /// The file that holds the match is gone.
    Delete,
}

impl std::fmt::Display for FileEdit {
    /// For people: what the edit does.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Create { path, .. } => write!(f, "creates {path}"),
            Self::Rename { to } => write!(f, "renames this file to {to}"),
            Self::Delete => f.write_str("deletes this file"),
        }
    }
}

/// A final, flat replacement. The splices of a file are ordered and disjoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Splice {
    /// Bytes of the pinned file.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub text: String,
}
