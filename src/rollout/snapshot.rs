//! What the state knows, read once: all of it, or what a list of all consumers needs. Plans
//! and verdicts are large, and status has to answer at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Counts, RolloutError};
use crate::digest::{Digest, DigestBuilder};
use crate::state::{
    ConsumerRecord, Decision, DecisionKind, DeliveryRecord, DeliveryState, Store, Summary, WaveRecord, WorkspaceRecord,
};
use crate::transform::{FindingKind, Transformed, WorkspacePlan};
use crate::verify::{Flag, Strength, Verdict, VerdictKind};

/// What a ledger says of a plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanBrief {
    /// What the rules made of it.
    pub result: Transformed,
    /// How many files change.
    pub files: usize,
    /// Places that are left to a person.
    pub left: usize,
    /// Files that hold what a rule looks for.
    #[serde(default)]
    pub parsed: u64,
    /// Files that may hold it, too, and could not be searched.
    #[serde(default)]
    pub unsearched: u64,
}

/// What a ledger says of a verdict.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerdictBrief {
    /// The judgement.
    pub kind: VerdictKind,
    /// Why, in one line.
    pub reason: String,
    /// What a pass is worth, where a wrong variant was tried.
    pub strength: Option<Strength>,
    /// The error of a regression, without what differs.
    pub signature: Option<String>,
    /// What keeps it from going out by itself.
    pub flags: Vec<String>,
}

impl Summary for WorkspacePlan {
    type Brief = PlanBrief;

    fn brief(&self) -> PlanBrief {
        let left = self.findings.iter().filter(|finding| finding.kind == FindingKind::Annotated).count();
        let (result, parsed, unsearched) = (self.result.clone(), self.files_parsed, self.unsearched());
        PlanBrief { result, files: self.files.len(), left, parsed, unsearched }
    }
}

impl Summary for Verdict {
    type Brief = VerdictBrief;

    fn brief(&self) -> VerdictBrief {
        let flag = |flag: &Flag| match flag.path.as_str() {
            "" => flag.message.clone(),
            path => format!("{path}: {}", flag.message),
        };
        VerdictBrief {
            kind: self.kind,
            reason: self.reason.clone(),
            strength: self.strength(),
            signature: self.signature.clone(),
            flags: self.flags.iter().map(flag).collect(),
        }
    }
}

/// What a list of all consumers needs.
pub(super) struct Briefs {
    pub consumers: Vec<ConsumerRecord>,
    /// Whether its bytes are named, and what its plan says.
    pub plans: BTreeMap<String, (bool, PlanBrief)>,
    pub waves: Vec<WaveRecord>,
    pub verdicts: BTreeMap<String, VerdictBrief>,
    pub deliveries: BTreeMap<String, DeliveryRecord>,
    pub decisions: BTreeMap<(DecisionKind, String), Decision>,
    /// The remotes that could not be seen, and why.
    pub unseen: BTreeMap<String, String>,
}

impl Briefs {
    pub(super) fn read(store: &Store) -> Result<Self, RolloutError> {
        let steps = store.binding()?.map(|binding| binding.verify_digest);
        let mut plans = BTreeMap::new();
        let mut keys: BTreeMap<String, String> = BTreeMap::new();
        for (id, pinned, digest, plan) in store.workspace_briefs::<WorkspacePlan>()? {
            keys.extend(steps.as_ref().map(|steps| (id.clone(), verdict_key(&digest, steps).to_string())));
            plans.insert(id, (pinned, plan));
        }
        let current = |id: &str, key: &str| keys.get(id).is_some_and(|current| current == key);
        let verdicts = store.verdict_briefs::<Verdict>(&current)?;
        Ok(Self {
            consumers: store.consumers()?,
            plans,
            waves: store.waves()?,
            verdicts,
            deliveries: store.deliveries()?,
            decisions: store.decisions()?,
            unseen: store.unseen_places()?,
        })
    }

    /// Why nobody can see what became of what is out and was not merged; `None` where that can be seen.
    pub(super) fn unseen(&self, record: &DeliveryRecord) -> Option<&str> {
        let is_open = matches!(record.state, DeliveryState::Delivered | DeliveryState::Edited(_));
        let is_open = is_open && record.merged.is_none() && !record.departed;
        let place = record.pushed_to().filter(|_| is_open && !self.unseen.is_empty())?;
        self.unseen.get(&place).map(String::as_str)
    }

    /// The consumers of each workspace, ordered.
    pub(super) fn sharing(&self) -> BTreeMap<&str, Vec<&ConsumerRecord>> {
        sharing(&self.consumers)
    }

    pub(super) fn counts(&self, wave: &WaveRecord, sharing: &BTreeMap<&str, Vec<&ConsumerRecord>>) -> Counts {
        let mut counts = Counts::default();
        let excluded = |id: &String| self.decisions.contains_key(&(DecisionKind::Exclude, id.clone()));
        for member in wave.members.iter().filter(|member| !excluded(member)) {
            let consumers = sharing.get(member.as_str()).map_or(0, Vec::len) as u64;
            let verdict = self.verdicts.get(member);
            counts.add(verdict.map(|verdict| verdict.kind), consumers);
            counts.add_strength(verdict.and_then(|verdict| verdict.strength), consumers);
        }
        counts
    }
}

fn sharing(consumers: &[ConsumerRecord]) -> BTreeMap<&str, Vec<&ConsumerRecord>> {
    let mut sharing: BTreeMap<&str, Vec<&ConsumerRecord>> = BTreeMap::new();
    for consumer in consumers {
        if let Some(workspace) = &consumer.workspace {
            sharing.entry(workspace).or_default().push(consumer);
        }
    }
    sharing
}

/// Names what a verdict is about: the change of one workspace, and how it is verified.
pub(super) fn verdict_key(plan: &Digest, verify: &Digest) -> Digest {
    DigestBuilder::new("gander.verdict").field(plan.as_bytes()).field(verify.as_bytes()).finish()
}

/// What the state knows, read once.
pub(super) struct Snapshot {
    pub consumers: Vec<ConsumerRecord>,
    pub workspaces: BTreeMap<String, WorkspaceRecord<WorkspacePlan>>,
    pub waves: Vec<WaveRecord>,
    pub verdicts: BTreeMap<String, Verdict>,
    pub deliveries: BTreeMap<String, DeliveryRecord>,
    pub decisions: BTreeMap<(DecisionKind, String), Decision>,
}

impl Snapshot {
    pub(super) fn read(store: &Store) -> Result<Self, RolloutError> {
        let workspaces: BTreeMap<String, WorkspaceRecord<WorkspacePlan>> = store.workspaces()?;
        let steps = store.binding()?.map(|binding| binding.verify_digest);
        let mut verdicts = BTreeMap::new();
        for ((workspace, key), verdict) in store.verdicts::<Verdict>()? {
            // Verdicts over other plans or steps stay in the state; they are not about
            // what is rolled out now.
            let current = workspaces.get(&workspace).zip(steps.as_ref());
            let current = current.map(|(record, steps)| verdict_key(&record.plan_digest, steps));
            if current.is_some_and(|current| current.to_string() == key) {
                verdicts.insert(workspace, verdict);
            }
        }
        Ok(Self {
            consumers: store.consumers()?,
            workspaces,
            waves: store.waves()?,
            verdicts,
            deliveries: store.deliveries()?,
            decisions: store.decisions()?,
        })
    }

    /// Why a person has left a workspace out, and who.
    pub(super) fn excluded(&self, workspace: &str) -> Option<&Decision> {
        self.decisions.get(&(DecisionKind::Exclude, workspace.to_owned()))
    }

    /// A person has approved exactly this change set, and it waits for that.
    pub(super) fn approved(&self, workspace: &str, record: &DeliveryRecord) -> bool {
        matches!(record.state, DeliveryState::AwaitingApproval(_)) && self.has_approved(workspace, &record.change_id)
    }

    /// A person has approved exactly this change set.
    pub(super) fn has_approved(&self, workspace: &str, change: &Digest) -> bool {
        let decision = self.decisions.get(&(DecisionKind::Approve, workspace.to_owned()));
        decision.is_some_and(|decision| decision.about == change.to_string())
    }

    pub(super) fn verdict(&self, workspace: &str) -> Option<&Verdict> {
        self.verdicts.get(workspace)
    }

    /// The consumers of each workspace, ordered.
    pub(super) fn sharing(&self) -> BTreeMap<&str, Vec<&ConsumerRecord>> {
        sharing(&self.consumers)
    }

    pub(super) fn counts(&self, wave: &WaveRecord) -> Counts {
        let sharing = self.sharing();
        let mut counts = Counts::default();
        for member in wave.members.iter().filter(|member| self.excluded(member).is_none()) {
            let consumers = sharing.get(member.as_str()).map_or(0, Vec::len) as u64;
            let verdict = self.verdict(member);
            counts.add(verdict.map(|verdict| verdict.kind), consumers);
            counts.add_strength(verdict.and_then(Verdict::strength), consumers);
        }
        counts
    }
}
