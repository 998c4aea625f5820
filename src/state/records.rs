//! What the tables hold, as values.

use serde::{Deserialize, Serialize};

use crate::config::Delivery;
use crate::digest::Digest;
use crate::workspace::{Pin, Workspace};

/// Which migration and plan the state belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The migration's id.
    pub migration: String,
    /// Digest of the migration file, its rules and mappings.
    pub migration_digest: Digest,
    /// Digest of the plan.
    pub plan_digest: Digest,
    /// Digest of how change sets are verified: steps and sandbox.
    pub verify_digest: Digest,
    /// What else it rests on; read by [`crate::state::Store::bound_terms`] alone.
    pub terms: Terms,
}

/// What a rollout rests on besides its change sets: each is `None` where no gander has put it on record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// The migration file, for people.
    pub file: Option<String>,
    /// Digest of what waves are judged by.
    pub gates: Option<Digest>,
    /// Digest of which change sets go out, and where.
    pub delivery: Option<Digest>,
}

/// A consumer as it was discovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerRecord {
    /// Its reference.
    pub entity: String,
    /// Its owner's reference.
    pub owner: Option<String>,
    /// The id of its workspace; `None` where it is unresolved.
    pub workspace: Option<String>,
    /// Why it is unresolved.
    pub unresolved: Option<String>,
    /// `production`, `deprecated`, …; `None` also where that was not recorded yet.
    pub lifecycle: Option<String>,
    /// Other consumers that make what it consumes.
    pub upstream: Vec<String>,
}

/// A workspace as it was pinned and transformed. `P` is the plan of one workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceRecord<P> {
    /// Where it lies.
    pub place: Workspace,
    /// Its bytes.
    pub pin: Option<Pin>,
    /// What the rules make of it.
    pub plan: P,
    /// Digest of `plan`: two that are equal change the same bytes in the same way.
    pub plan_digest: Digest,
}

/// Where a wave stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "reason")]
pub enum WaveState {
    /// Its members are known, nothing was done.
    Planned,
    /// It is verified and delivered.
    Running,
    /// All of it is out, and a gate waits: for time, for a person, for what it can see.
    Baking,
    /// What its gates saw is recorded, and what follows from it was not done yet.
    Judging,
    /// Its gates passed.
    Passed(String),
    /// Its gates could not tell: it is paused, until they can or a person acts.
    Inconclusive(String),
    /// A gate failed, and its change sets stay for a person to decide.
    Failed(String),
    /// A gate failed, and its change sets are being taken back.
    RollingBack(String),
    /// Its change sets were taken back.
    RolledBack(String),
}

impl WaveState {
    /// Its name, as it is written everywhere.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Baking => "baking",
            Self::Judging => "judging",
            Self::Passed(_) => "passed",
            Self::Inconclusive(_) => "inconclusive",
            Self::Failed(_) => "failed",
            Self::RollingBack(_) => "rolling-back",
            Self::RolledBack(_) => "rolled-back",
        }
    }

    /// Why it is in this state; empty where the name says it all.
    pub fn reason(&self) -> &str {
        match self {
            Self::Planned | Self::Running | Self::Baking | Self::Judging => "",
            Self::Passed(reason)
            | Self::Inconclusive(reason)
            | Self::Failed(reason)
            | Self::RollingBack(reason)
            | Self::RolledBack(reason) => reason,
        }
    }
}

/// What a wave waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitFor {
    /// Its bake is not over.
    Bake,
    /// No window is open, or a holiday or a freeze keeps them shut.
    Window,
    /// A person has to say yes.
    Approval,
    /// As many changes are open, or went out within the hour, as may be.
    Pace,
    /// A person paused the rollout.
    Resume,
    /// What another program counts.
    Observation,
    /// A git remote that could not be reached.
    Remote,
    /// Owners who have to merge reverts.
    Merge,
    /// Code that moved on while its change set was verified: it is made anew.
    Base,
    /// What it consumes, which goes out first.
    Upstream,
    /// Something of it that could not go out: somebody has to look, and running it again does not help.
    Person,
}

/// One thing that a wave waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// What.
    #[serde(rename = "for")]
    pub what: WaitFor,
    /// Until when, in seconds since the Unix epoch, where that is known.
    pub until: Option<i64>,
    /// In words.
    pub why: String,
    /// The consumer that goes out first, where some wait for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
}

/// A wave as it was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveRecord {
    /// From 1.
    pub number: u32,
    /// Its size as the migration writes it.
    pub label: String,
    /// Where it stands.
    pub state: WaveState,
    /// Ids of its workspaces, in the order of the rollout.
    pub members: Vec<String>,
    /// Since when all of it is out, in seconds since the Unix epoch.
    pub since: Option<i64>,
    /// What it waited for when it was last looked at.
    pub waits: Vec<Wait>,
}

impl WaveRecord {
    /// A wave that was not opened.
    pub fn planned(number: u32, label: String, members: Vec<String>) -> Self {
        Self { number, label, state: WaveState::Planned, members, since: None, waits: Vec::new() }
    }
}

/// Where the change set of a workspace stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "reason")]
pub enum DeliveryState {
    /// Its wave has not come to it.
    #[default]
    Waiting,
    /// The verdict or the policy keeps it back.
    Held(String),
    /// The policy wants a person's approval first.
    AwaitingApproval(String),
    /// The place it should go to must not be touched.
    Refused(String),
    /// Its delivery was begun.
    Delivering,
    /// It was delivered.
    Delivered,
    /// Its base moved since: what is out is to be replaced by a change set made anew.
    Superseded,
    /// Its rollback was begun.
    RollingBack,
    /// It was taken back: the bytes are those of the pin.
    RolledBack,
    /// It can't be taken back: a person changed the same files since.
    Conflict(String),
    /// Its delivery failed.
    Failed(String),
    /// Its owner changed what was delivered.
    Edited(String),
    /// Its owner threw away what was delivered.
    Closed(String),
    /// Something else is where its change set was.
    Replaced(String),
}

impl DeliveryState {
    /// Its name, as it is written everywhere.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held(_) => "held",
            Self::AwaitingApproval(_) => "awaiting-approval",
            Self::Refused(_) => "refused",
            Self::Delivering => "delivering",
            Self::Delivered => "delivered",
            Self::Superseded => "superseded",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
            Self::Conflict(_) => "conflict",
            Self::Failed(_) => "failed",
            Self::Edited(_) => "edited",
            Self::Closed(_) => "closed",
            Self::Replaced(_) => "replaced",
        }
    }

    /// Its owner threw it away, or put something else there.
    pub fn is_thrown_away(&self) -> bool {
        matches!(self, Self::Closed(_) | Self::Replaced(_))
    }

    /// It was out once and is not any more: it comes again only where it is asked for by name.
    pub fn was_out(&self) -> bool {
        *self == Self::RolledBack || self.is_thrown_away()
    }
}

/// What a change set is refused for, where more follows from that than from its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Its owner opts out, and takes no part.
    OptedOut,
    /// A branch that gander did not make is where it goes: a person has to make room.
    Taken,
}

/// The change set of a workspace, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// Where it stands.
    pub state: DeliveryState,
    /// How it goes out.
    pub how: Delivery,
    /// Its wave.
    pub wave: u32,
    /// Its folder, relative to the state folder, with `/`.
    pub folder: String,
    /// The name of the change itself.
    pub change_id: Digest,
    /// Digest of all its files as pinned.
    pub before: Digest,
    /// Digest of all its files as changed.
    pub after: Digest,
    /// The branch and the commit it was delivered as.
    pub branch: Option<(String, Option<String>)>,
    /// The URL that it was pushed to.
    #[serde(default)]
    pub remote: Option<String>,
    /// The branch of that remote that it is to be merged into; `None` for its HEAD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// The commit of an earlier change set that this one replaces on its branch.
    #[serde(default)]
    pub replaces: Option<String>,
    /// How many runs did not reach the remote since it was begun.
    #[serde(default)]
    pub tries: u32,
    /// The commit of the consumer's own history in which it was seen merged.
    #[serde(default)]
    pub merged: Option<String>,
    /// The commit in which it was merged before it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
    /// How many change sets of it were merged before this one.
    #[serde(default)]
    pub number: u32,
    /// The branch and commit that take it back, once merged by its owner.
    #[serde(default)]
    pub revert: Option<(String, String)>,
    /// No source names its consumer any more, or names another place.
    #[serde(default)]
    pub departed: bool,
    /// The bytes that it was made of.
    #[serde(default)]
    pub pin: Option<Pin>,
    /// The change set that its owner merged before this one, which corrects it.
    #[serde(default)]
    pub over: Option<Box<DeliveryRecord>>,
    /// Why it is not what the rules make now, and stays what it is.
    #[serde(default)]
    pub outdated: Option<String>,
    /// What a person has approved it in spite of.
    #[serde(default)]
    pub approved: Option<String>,
    /// Its branch is that of others, too.
    #[serde(default)]
    pub shared: bool,
    /// Why it is taken back, once that was begun.
    #[serde(default)]
    pub because: String,
    /// From when on a further try counts where its remote was away, in seconds since the
    /// Unix epoch.
    #[serde(default)]
    pub again: Option<i64>,
    /// Why its remote took nothing when it was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
    /// Change sets that were out in its place before, and that an owner may still merge, the
    /// newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
    /// What the world does not tell of it, for a person to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// It was found after the state was lost: what its verification saw is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovered: bool,
    /// What it is refused for, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// The correction of it that is kept back, once it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<KeptBack>,
    /// Why its owner wants no change, where they said so once they had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_out: Option<String>,
    /// What of its patches is applied in the folder that gander reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
}

/// What somebody did with patches in the folder that gander reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Applied {
    /// All of it is there, and not committed.
    Here,
    /// A part of it is there, and not committed.
    Part,
    /// All of it is committed.
    Committed,
}

/// A change set over a merged one that does not go out by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBack {
    /// The name of the change itself.
    pub change_id: Digest,
    /// Whether a person's approval lets it out; else the policy has to be another one.
    pub asks: bool,
}

/// A change set that another one has taken the place of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The name of the change itself.
    pub change_id: Digest,
    /// Digest of all its files as pinned.
    pub before: Digest,
    /// Digest of all its files as changed.
    pub after: Digest,
    /// The commit that it was.
    pub commit: Option<String>,
    /// The bytes that it was made of.
    pub pin: Option<Pin>,
}

impl Earlier {
    /// What has to be known of a change set once another one takes its place.
    pub fn of(record: &DeliveryRecord) -> Self {
        Self {
            change_id: record.change_id,
            before: record.before,
            after: record.after,
            commit: record.branch.as_ref().and_then(|(_, commit)| commit.clone()),
            pin: record.pin.clone(),
        }
    }
}

impl DeliveryRecord {
    /// The name under which it is remembered where the place that it was pushed to stands.
    pub fn pushed_to(&self) -> Option<String> {
        let url = self.remote.as_ref()?;
        Some(self.into.as_ref().map_or_else(|| url.clone(), |branch| format!("{url} at {branch}")))
    }

    /// A change set of which nothing has gone out: its folder, its id, and the digests of its
    /// files before and after.
    pub fn waiting(
        how: Delivery,
        wave: u32,
        folder: String,
        (change_id, before, after): (Digest, Digest, Digest),
    ) -> Self {
        Self {
            state: DeliveryState::Waiting,
            how,
            wave,
            folder,
            change_id,
            before,
            after,
            branch: None,
            remote: None,
            into: None,
            replaces: None,
            tries: 0,
            merged: None,
            once: None,
            number: 0,
            revert: None,
            departed: false,
            pin: None,
            over: None,
            outdated: None,
            approved: None,
            shared: false,
            because: String::new(),
            again: None,
            away: None,
            earlier: Vec::new(),
            doubt: None,
            recovered: false,
            refusal: None,
            correction: None,
            opted_out: None,
            applied: None,
        }
    }
}
