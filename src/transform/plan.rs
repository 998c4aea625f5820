//! What the transform stage hands on: a value, a pure function of engine and
//! grammar versions, rules, parameters and pins. No time, absolute path or host
//! name is in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::edit::{Edit, Splice};
use crate::workspace::{Mode, Pin};

/// What the rules make of a fleet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Digest of everything that went in.
    pub digest: Digest,
    /// One for each [`crate::workspace::Fleet::workspaces`], in that order.
    pub workspaces: Vec<WorkspacePlan>,
}

/// What the rules make of one workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkspacePlan {
    /// [`crate::workspace::Workspace::id`].
    pub id: String,
    /// The bytes it was read from; `None` only where that could not be told.
    pub pin: Option<Pin>,
    /// The summary that the ledger rests on.
    pub result: Transformed,
    /// Every file that changes, ordered by path. Empty where the change set is withheld.
    pub files: Vec<FilePlan>,
    /// Every place that matters to a person, ordered by path and place.
    pub findings: Vec<Finding>,
    /// Comments that edits took away, or elsewhere, ordered by path and place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<TouchedComment>,
    /// How many files were left alone, and why.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// How many files were read.
    pub files_read: u64,
    /// How many files were parsed.
    pub files_parsed: u64,
}

impl WorkspacePlan {
    /// How many files may hold what the rules look for, and could not be searched for it.
    pub fn unsearched(&self) -> u64 {
        let reasons = [SkipReason::NotUtf8, SkipReason::PathNotUtf8, SkipReason::LfsPointer];
        reasons.iter().filter_map(|reason| self.skipped.get(reason)).sum()
    }
}

/// A comment that an edit took away with the code that it was on, or put elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchedComment {
    /// Relative to the workspace.
    pub path: String,
    /// Where it was, from 1.
    pub line: u32,
    /// The beginning of its text.
    pub text: String,
    /// Whether it is somewhere else now; gone where not.
    pub moved: bool,
}

/// The recorded transform result of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "reason")]
pub enum Transformed {
    /// There is a change set, and nothing is left to a person.
    Changed,
    /// No rule matched.
    Unchanged,
    /// Something is left to a person; there may be a change set besides.
    Annotated(String),
    /// No change set: a rule, a check or the state of the working tree forbids it.
    Refused(String),
    /// gander could not know: a file that can't be read, a rule that failed.
    Errored(String),
}

impl Transformed {
    /// As it is written everywhere.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Annotated(_) => "annotated",
            Self::Refused(_) => "refused",
            Self::Errored(_) => "errored",
        }
    }

    /// Why; empty where the word says it all.
    pub fn reason(&self) -> &str {
        match self {
            Self::Changed | Self::Unchanged => "",
            Self::Annotated(reason) | Self::Refused(reason) | Self::Errored(reason) => reason,
        }
    }
}

/// The change of one file. Edits are the truth; splices are derived from them
/// and kept because every reader needs them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FilePlan {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// Digest of the pinned bytes; `None` where the file is created.
    pub before: Option<Digest>,
    /// The pinned mode; `None` where the file is created.
    pub mode: Option<Mode>,
    /// What becomes of it.
    pub outcome: FileOutcome,
}

/// What becomes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum FileOutcome {
    /// Parts of it are replaced.
    Edit {
        /// What the rules asked for.
        edits: Vec<Edit>,
        /// The same, composed: ordered, disjoint.
        splices: Vec<Splice>,
        /// Digest of the new bytes.
        after: Digest,
    },
    /// It is new.
    Create {
        /// All its text.
        text: String,
        /// Its executable bit.
        executable: bool,
        /// The rule that asks for it.
        rule: String,
    },
    /// It goes.
    Delete {
        /// The rule that asks for it.
        rule: String,
    },
    /// It moves; the splices apply to its pinned bytes.
    Rename {
        /// New path, relative to the workspace.
        to: String,
        /// What the rules asked for besides the move.
        edits: Vec<Edit>,
        /// The same, composed: ordered, disjoint.
        splices: Vec<Splice>,
        /// Digest of the bytes under the new path.
        after: Digest,
        /// The rule that asks for it.
        rule: String,
    },
    /// Only its executable bit changes.
    SetExecutable {
        /// The new bit.
        executable: bool,
        /// The rule that asks for it.
        rule: String,
    },
}

/// One use, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule, or the name of the check that speaks.
    pub rule: String,
    /// Relative to the workspace.
    pub path: String,
    /// From 1; 0 where the whole file is meant.
    pub line: u32,
    /// From 1, in characters; 0 where the whole line is meant.
    pub column: u32,
    /// What became of it.
    pub kind: FindingKind,
    /// For people.
    pub message: String,
    /// For a use of a dataset: of what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Box<Subject>>,
}

impl Finding {
    /// Where the finding stands that decides of this one: line and column.
    pub fn follows(&self) -> Option<(u32, u32)> {
        self.subject.as_ref()?.follows
    }
}

/// A dataset, or a column of one, and where in a query it is used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// `users`, `users.country_code`, `users.address.postcode`.
    pub name: String,
    /// As mapping tables call it: `read`, `filter`, `using`, `group`, `write`.
    pub position: String,
    /// Where the finding stands that decides of this one: line and column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<(u32, u32)>,
    /// Whether a comment of an earlier run speaks of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub noted: bool,
}

impl From<crate::rule::Subject> for Subject {
    fn from(subject: crate::rule::Subject) -> Self {
        Self {
            name: subject.name,
            position: subject.position.to_owned(),
            follows: subject.follows,
            noted: subject.noted,
        }
    }
}

/// What became of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Rewritten.
    Mapped,
    /// Left to a person, with a comment where the language has one.
    Annotated,
    /// It forbids the change set.
    Refused,
    /// A rule looked at it and decided that it is not meant.
    Skipped,
    /// The rule failed on it.
    Errored,
}

/// Why a file was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// No rule speaks its language.
    OtherLanguage,
    /// It lacks what every rule requires.
    NoLiteral,
    /// A marker in its head says so.
    Generated,
    /// It lies in a folder of foreign code.
    Vendored,
    /// Its lines are too long to have been written by hand.
    Minified,
    /// It is larger than the limit.
    TooLarge,
    /// A Git LFS pointer.
    LfsPointer,
    /// A symbolic link.
    Symlink,
    /// Another repository.
    Submodule,
    /// Not UTF-8 (UTF-16 among others).
    NotUtf8,
    /// It holds a zero byte.
    Binary,
    /// Its path is not UTF-8.
    PathNotUtf8,
}
