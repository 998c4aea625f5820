//! Stage 4: [`Plan`] and verdicts → [`Ledger`]. Waves are filled, verified,
//! delivered and judged; one that fails is taken back. Everything that a decision
//! rests on is recorded before it is acted on, so that a killed run goes on where
//! it was.
//!
//! Must not: start a sandbox (the composition hands in how to verify), render a
//! report (likewise), or deliver what is unverified or refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::changeset::ChangeSet;
use crate::config::Migration;
use crate::state::{DeliveryState, StateError, WaveState};
use crate::transform::{Plan, WorkspacePlan};
use crate::verify::Verdict;
use crate::workspace::{Consumer, EntityRef, FileVersion, Fleet, Workspace};

mod back;
mod bind;
mod decisions;
mod deliver;
mod digest;
mod driver;
mod end;
mod fill;
pub mod gate;
mod judge;
mod kept;
mod ledger;
pub mod machine;
mod moved;
mod notice;
mod observe;
mod opt_out;
pub mod outcome;
pub mod pace;
mod prospect;
mod record;
mod recover;
mod renamed;
mod reopen;
mod requests;
mod rollback;
mod settle;
mod shared;
mod ship;
mod show;
pub mod simulate;
mod snapshot;
mod supersede;
#[cfg(test)]
mod tests;
mod traffic;
mod unclear;
mod units;
mod upstream;
mod verdicts;
mod versions;
pub mod waves;
mod why;

pub use bind::out_there as is_out;
pub use decisions::{About, approve, exclude, pause, resume, retry};
pub use deliver::{NOT_CORRECTED, WITHDRAWN, changed_since, is_committed};
pub use digest::{Digest, digest};
pub use driver::{run, watch};
pub use end::RunEnd;
pub use gate::{Counts, Finding, Judgement, Said};
pub use judge::dry_run;
pub use ledger::{FailureGroup, Ledger, LedgerRow, WaveReport, is_not_corrected, ledger};
pub use notice::{Kind, Notice, tell, tell_at_once};
pub use observe::look_at_owners;
pub use outcome::Outcome;
pub use prospect::{Prospect, Prospects, dry_rollback};
pub use recover::{Recovered, UNKNOWN, held_after, recover};
pub use reopen::retry_wave;
pub use requests::{Ask, heed, perform};
pub use rollback::{BY_HAND, NotBack, Scope, not_back, roll_back, shown};
pub use settle::{Settled, settle};
pub use show::{Left, View, history, left, look};
pub use units::{Preview, explain, preview};
pub use versions::{VersionsError, ends, patch, versions_of};
pub use why::{Reason, Row, Why, rows, why};

/// Reads the pinned bytes of a path of a workspace, by the workspace's index in
/// [`Fleet::workspaces`]. Must give the same bytes before and after a delivery.
pub type ReadPinned<'a> = dyn Fn(usize, &str) -> Result<Vec<u8>, String> + 'a;

/// Takes one verdict, from any thread, as soon as it is there: it is durable when
/// the call returns.
pub type TakeVerdict<'a> = dyn Fn(usize, Verdict) + Sync + 'a;

/// A workspace to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToVerify {
    /// Its index in [`Fleet::workspaces`].
    pub index: usize,
    /// Whether it has to be known what its tests notice: it travels in the first wave, on which all later ones rest,
    /// or the policy asks.
    pub challenge: bool,
}

/// Whether a workspace, by its index, may be begun now: asked from any thread, right before
/// that. A person may have wanted an end since.
pub type MayBegin<'a> = dyn Fn(usize) -> bool + Sync + 'a;

/// Verifies workspaces and hands on each verdict. One that it leaves out is verified
/// by the next run, and the wave waits for it.
pub type VerifyAll<'a> = dyn Fn(&[ToVerify], &MayBegin<'_>, &TakeVerdict<'_>) + 'a;

/// Writes the files of a change set's folder, as names and bytes. Must be a pure
/// function of what it is given.
pub type Describe<'a> = dyn Fn(&Staged<'_>) -> BTreeMap<String, Vec<u8>> + 'a;

/// A change that takes back what was merged, over the code that is there now.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Where that code lies, and at which commit.
    pub place: Workspace,
    /// Both ends of the files that go back.
    pub files: Vec<FileVersion>,
}

/// What came of building and testing one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Nothing that was green turns red by it, and what says so.
    Green(String),
    /// Something does, and what.
    Red(String),
    /// Nothing can be said, and why.
    Unknown(String),
    /// The user wanted an end.
    Ended,
}

/// Builds and tests reverts before they are used, an answer each. The same again costs nothing.
pub type ProveBack<'a> = dyn Fn(&[Trial]) -> Vec<Tried> + 'a;

/// What a rollback asks of the composition, and whom it tells.
#[derive(Clone, Copy)]
pub struct Hooks<'a> {
    /// Hears of progress, as it happens.
    pub tell: &'a dyn Fn(Event<'_>),
    /// Builds and tests reverts.
    pub prove_back: &'a ProveBack<'a>,
    /// What the migration is called, and in whose name it commits, where no commit tells.
    pub says: (&'a str, Option<&'a str>),
}

impl Hooks<'_> {
    /// Nobody hears of it, and no revert is tested: each says so.
    pub fn none() -> Self {
        Self { tell: &|_| {}, prove_back: &untested, says: ("a migration", None) }
    }
}

/// As nobody asks for a test.
fn untested(trials: &[Trial]) -> Vec<Tried> {
    trials.iter().map(|_| Tried::Unknown("nobody asked for a test of it".to_owned())).collect()
}

/// All that a rollout needs.
pub struct Request<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// Who consumes, and where the code lies.
    pub fleet: &'a Fleet,
    /// What the rules make of it.
    pub plan: &'a Plan,
    /// Reads pinned bytes.
    pub read_pinned: &'a ReadPinned<'a>,
    /// Verifies workspaces.
    pub verify: &'a VerifyAll<'a>,
    /// Writes the files of a change set's folder.
    pub describe: &'a Describe<'a>,
    /// Why a workspace, by its index, wants no change; `None` where it takes part.
    pub opted_out: &'a dyn Fn(usize) -> Option<String>,
    /// Whom CODEOWNERS names for some paths of a workspace, by its index.
    pub code_owners: &'a dyn Fn(usize, &[&str]) -> Vec<String>,
    /// Hears of progress, as it happens.
    pub tell: &'a dyn Fn(Event<'_>),
    /// Builds and tests reverts.
    pub prove_back: &'a ProveBack<'a>,
    /// Forgets verdicts that say nothing and deliveries that failed.
    pub retry: bool,
    /// Takes in a migration or plan that changed under a rollout that has begun.
    pub replan: bool,
    /// What a changed plan wants of consumers that have merged an earlier change set is
    /// delivered over it.
    pub correct: bool,
    /// Why what owners have merged is not what the rules make now, by workspace.
    pub outdated: &'a BTreeMap<usize, String>,
    /// Rules whose changes wait for a person.
    pub review: &'a BTreeSet<String>,
    /// Advances these consumers only; all where empty. A wave that is not whole
    /// is not judged.
    pub only: &'a BTreeSet<EntityRef>,
}

impl<'a> Request<'a> {
    fn hooks(&self) -> Hooks<'a> {
        let migration = self.migration;
        let says = (migration.title.as_str(), migration.deliver.author.as_deref());
        Hooks { tell: self.tell, prove_back: self.prove_back, says }
    }
}

/// A change set about to be written: all that its description rests on.
pub struct Staged<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// The consumers that share the workspace, ordered by reference.
    pub consumers: &'a [&'a Consumer],
    /// Where the code lies.
    pub place: &'a Workspace,
    /// What the rules make of it.
    pub plan: &'a WorkspacePlan,
    /// What verification found.
    pub verdict: &'a Verdict,
    /// Both ends of its files.
    pub versions: &'a [FileVersion],
    /// Its patches.
    pub set: &'a ChangeSet,
    /// Whom CODEOWNERS names for its files.
    pub code_owners: &'a [String],
    /// Its wave.
    pub wave: u32,
    /// Why it is kept back; `None` where it goes out.
    pub kept_back: Option<&'a str>,
}

/// Progress, as plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A wave is worked on.
    WaveOpened {
        /// From 1.
        number: u32,
        /// Its size as the migration writes it.
        label: &'a str,
        /// How many workspaces are in it.
        workspaces: usize,
    },
    /// A delivery or a rollback came to its end.
    Shipped {
        /// The workspace's id.
        workspace: &'a str,
        /// Where it stands now.
        state: &'a DeliveryState,
    },
    /// A change set is made over one that its owner has merged.
    Corrects {
        /// The workspace's id.
        workspace: &'a str,
    },
    /// What became of what was delivered there could not be seen.
    Unseen {
        /// A repository here or elsewhere.
        place: &'a str,
        /// Why.
        why: &'a str,
    },
    /// What somebody asked of this controller was done, or can't be.
    Heeded {
        /// What was asked.
        what: &'a str,
        /// Of whom.
        subject: &'a str,
        /// Who asked.
        by: &'a str,
        /// What came of it.
        answer: &'a str,
    },
    /// A wave that failed or was taken back is opened again.
    WaveReopened {
        /// From 1.
        number: u32,
        /// Who or what of it changed.
        why: &'a str,
    },
    /// A wave was judged, or taken back.
    WaveJudged {
        /// From 1.
        number: u32,
        /// Where it stands now.
        state: &'a WaveState,
    },
}

/// The rollout could not know what to do. What was recorded stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// The state can't be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The state belongs to another migration.
    #[error("the state belongs to the migration {found:?}: name another state folder in [state] path")]
    OtherMigration {
        /// Its id.
        found: String,
    },
    /// What is rolled out changed under a rollout that has begun.
    #[error(
        "{what} since this rollout began; `--replan` takes the change in, \
         or name another state folder in [state] path"
    )]
    Changed {
        /// What changed.
        what: String,
    },
    /// A change can't be taken in while the old one is delivered.
    #[error(
        "the change sets of {workspaces} are delivered and would be others now; \
         take them back first with `gander rollback`"
    )]
    Delivered {
        /// Ids, for people.
        workspaces: String,
    },
    /// The plan is not of this fleet.
    #[error("the plan has {planned} workspaces and the fleet {found}: plan again")]
    OtherFleet {
        /// In the plan.
        planned: usize,
        /// In the fleet.
        found: usize,
    },
    /// The state speaks of a workspace that it does not hold.
    #[error("the state does not hold the workspace {workspace}: name another state folder")]
    UnknownWorkspace {
        /// Its id.
        workspace: String,
    },
    /// What a person wants can't be, as things stand.
    #[error("{0}")]
    Undecidable(String),
    /// Nobody can tell what is out, so that nothing is done: why, and what a person can do.
    #[error("{0}")]
    Untold(String),
    /// The table of states knows no such move.
    #[error(transparent)]
    Forbidden(#[from] machine::Forbidden),
    /// There is nothing by that name to take back.
    #[error("there is no {what} in this rollout; `gander status` lists what there is")]
    NoSuch {
        /// A wave or a consumer.
        what: String,
    },
    /// A value could not be written as JSON.
    #[error("cannot write a plan as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl RolloutError {
    /// What a person asked for can't be, as things stand; gander itself did not fail.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NoSuch { .. } | Self::Undecidable(_))
    }
}
