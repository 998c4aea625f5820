//! The ledger: what became of every discovered consumer, read from the state alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::RolloutError;
use super::decisions::ROLLOUT;
use super::deliver;
use super::gate::Counts;
use super::machine::consumer::{Facts, State};
use super::observe::is_unclear;
use super::outcome::{Outcome, SourceFact, VerdictFact, outcome};
use super::recover;
use super::reopen;
use super::rollback::{BY_HAND, NAMED, shown, stands_again};
use super::snapshot::{Briefs, PlanBrief, VerdictBrief};
use crate::state::{
    ConsumerRecord, Decision, DecisionKind, DeliveryRecord, DeliveryState, Store, Wait, WaitFor, WaveRecord, WaveState,
};
use crate::verify::{Strength, VerdictKind};

/// What became of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Every discovered consumer exactly once, ordered by reference.
    pub rows: Vec<LedgerRow>,
    /// Every wave, by number.
    pub waves: Vec<WaveReport>,
    /// Regressions by their error, the most frequent first.
    pub failures: Vec<FailureGroup>,
    /// Where the rollout stands.
    pub end: RunEnd,
    /// The controller that is at work meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_work: Option<String>,
    /// Who wants nothing new to be begun, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Decision>,
}

/// What became of one consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Who.
    pub entity: String,
    /// Who answers for it, where known.
    pub owner: Option<String>,
    /// The id of its workspace; `None` where it is unresolved.
    pub workspace: Option<String>,
    /// Its wave, from 1; `None` where there is nothing to deliver.
    pub wave: Option<u32>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, in one line.
    pub reason: String,
    /// What verification found.
    pub verdict: Option<VerdictKind>,
    /// What a pass is worth, where a wrong variant was tried.
    pub evidence: Option<Strength>,
    /// What keeps it from going out by itself: weakened tests, files outside the rules.
    pub flags: Vec<String>,
    /// How many files its change set touches.
    pub files: usize,
    /// How many places are left to a person.
    pub left: usize,
    /// The folder of its change set, relative to the state folder; `None` where none was
    /// written for people to use.
    pub change_set: Option<String>,
    /// The branch and commit that it was delivered as.
    pub branch: Option<(String, Option<String>)>,
    /// Where it stands, by the table of [`super::machine`].
    pub state: String,
    /// Why it is not what the rules make now, and stays what it is.
    #[serde(default)]
    pub outdated: Option<String>,
}

/// Consumers that a change broke in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureGroup {
    /// The error, without what differs from one to the next.
    pub signature: String,
    /// The consumers, ordered by reference.
    pub consumers: Vec<String>,
}

/// How a wave went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveReport {
    /// From 1.
    pub number: u32,
    /// Its size as the migration writes it.
    pub label: String,
    /// Where it stands.
    pub state: WaveState,
    /// Verdicts over its consumers.
    pub counts: Counts,
    /// Its consumers, in the order of the rollout.
    pub members: Vec<String>,
}

/// Where a rollout stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum RunEnd {
    /// Every wave passed.
    Complete,
    /// A wave was taken back, and the rollout stopped.
    RolledBack {
        /// The wave.
        wave: u32,
        /// Why.
        reason: String,
    },
    /// A gate failed, and its change sets wait for a person's decision.
    Stopped {
        /// The wave.
        wave: u32,
        /// Why.
        reason: String,
    },
    /// A gate can't tell, or a person paused it: a person has to look.
    Paused {
        /// The wave.
        wave: u32,
        /// Why.
        reason: String,
        /// The person who paused it; `None` where a gate did.
        #[serde(default)]
        by: Option<String>,
    },
    /// It goes on when it is run again, once what it waits for has come.
    Waiting {
        /// The wave.
        wave: u32,
        /// What it waits for; nothing where running it again is enough.
        waits: Vec<Wait>,
        /// In words.
        reason: String,
    },
}

/// The ledger of what is recorded.
///
/// # Errors
/// Where the state can't be read.
pub fn ledger(store: &Store) -> Result<Ledger, RolloutError> {
    let snapshot = Briefs::read(store)?;
    let mut wave_of: BTreeMap<&str, &WaveRecord> = BTreeMap::new();
    for wave in &snapshot.waves {
        wave_of.extend(wave.members.iter().map(|m| (m.as_str(), wave)));
    }
    let rows: Vec<LedgerRow> = snapshot.consumers.iter().map(|consumer| row(&snapshot, &wave_of, consumer)).collect();
    let sharing = snapshot.sharing();
    let report = |wave: &WaveRecord| WaveReport {
        number: wave.number,
        label: wave.label.clone(),
        state: wave.state.clone(),
        counts: snapshot.counts(wave, &sharing),
        members: wave
            .members
            .iter()
            .flat_map(|member| sharing.get(member.as_str()).into_iter().flatten())
            .map(|consumer| consumer.entity.clone())
            .collect(),
    };
    Ok(Ledger {
        waves: snapshot.waves.iter().map(report).collect(),
        failures: failures(&snapshot),
        end: match store.binding()? {
            _ if recover::is_half_done(store)? => not_begun(recover::HALF_DONE),
            Some(_) => all_refused(&snapshot, &rows).unwrap_or_else(|| end_of(&snapshot)),
            // A run that was killed, or found no room, before it knew the fleet: nothing is done yet.
            None => not_begun(NOTHING_KNOWN),
        },
        at_work: store.at_work(),
        rows,
        paused: snapshot.decisions.get(&(DecisionKind::Pause, ROLLOUT.to_owned())).cloned(),
    })
}

/// Nobody can be delivered to, as all that would be are refused: no wave says so.
fn all_refused(snapshot: &Briefs, rows: &[LedgerRow]) -> Option<RunEnd> {
    if !snapshot.waves.is_empty() || !snapshot.deliveries.is_empty() {
        return None;
    }
    let refused = rows.iter().filter(|row| row.outcome == Outcome::Refused);
    let (first, count) = (refused.clone().next()?, refused.count());
    let who = if count == 1 { "1 consumer is".to_owned() } else { format!("{count} consumers are") };
    let reason = format!("{who} refused, and nothing is left to deliver ({}: {})", shown(&first.entity), first.reason);
    Some(RunEnd::Paused { wave: 0, reason, by: None })
}

/// Where nothing can go on before something else is done.
fn not_begun(why: &str) -> RunEnd {
    RunEnd::Waiting { wave: 0, waits: Vec::new(), reason: why.to_owned() }
}

/// What a state says that no run has brought a fleet into.
pub(super) const NOTHING_KNOWN: &str = "no run came so far as to know the fleet: `gander run`";

/// Groups regressions by signature, so that one cause of many reads as one.
fn failures(snapshot: &Briefs) -> Vec<FailureGroup> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for consumer in &snapshot.consumers {
        let verdict = consumer.workspace.as_deref().and_then(|id| snapshot.verdicts.get(id));
        if let Some(signature) = verdict.and_then(|verdict| verdict.signature.as_deref()) {
            groups.entry(signature).or_default().push(consumer.entity.clone());
        }
    }
    let group =
        |(signature, consumers): (&str, Vec<String>)| FailureGroup { signature: signature.to_owned(), consumers };
    let mut groups: Vec<FailureGroup> = groups.into_iter().map(group).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.consumers.len()));
    groups
}

/// What is recorded of one consumer.
struct Known<'s> {
    plan: Option<&'s PlanBrief>,
    verdict: Option<&'s VerdictBrief>,
    delivery: Option<&'s DeliveryRecord>,
    wave: Option<&'s WaveRecord>,
    /// Where its delivery stands; who is excluded before anything of it was recorded is refused.
    state: DeliveryState,
}

fn row(snapshot: &Briefs, wave_of: &BTreeMap<&str, &WaveRecord>, consumer: &ConsumerRecord) -> LedgerRow {
    let id = consumer.workspace.as_deref().unwrap_or_default();
    let delivery = snapshot.deliveries.get(id);
    let excluded = snapshot.decisions.get(&(DecisionKind::Exclude, id.to_owned()));
    let known = Known {
        plan: snapshot.plans.get(id).map(|(_, plan)| plan),
        verdict: snapshot.verdicts.get(id),
        delivery,
        wave: wave_of.get(id).copied(),
        state: match (delivery.map(|delivery| &delivery.state), excluded) {
            (None | Some(DeliveryState::Waiting), Some(by)) => DeliveryState::Refused(excluded_by(by)),
            (state, _) => state.cloned().unwrap_or_default(),
        },
    };
    let (outcome, reason) = said(snapshot, &known, consumer);
    let Known { plan, verdict, wave, state, .. } = known;
    LedgerRow {
        outdated: delivery.and_then(|delivery| delivery.outdated.clone()),
        entity: consumer.entity.clone(),
        owner: consumer.owner.clone(),
        workspace: consumer.workspace.clone(),
        wave: wave.map(|wave| wave.number),
        outcome,
        reason,
        verdict: verdict.map(|verdict| verdict.kind),
        evidence: verdict.and_then(|verdict| verdict.strength),
        flags: verdict.map(|verdict| verdict.flags.clone()).unwrap_or_default(),
        files: plan.map_or(0, |plan| plan.files),
        left: plan.map_or(0, |plan| plan.left),
        change_set: delivery
            .filter(|delivery| !matches!(delivery.state, DeliveryState::Refused(_) | DeliveryState::Failed(_)))
            .map(|delivery| delivery.folder.clone()),
        branch: delivery.and_then(|delivery| delivery.branch.clone()),
        state: State::of(&Facts {
            pinned: snapshot.plans.get(id).is_some_and(|(pinned, _)| *pinned),
            changes: plan.is_some_and(|plan| plan.files > 0),
            verified: verdict.is_some(),
            delivery: Some(&state),
            wave: wave.map(|wave| &wave.state),
            departed: delivery.is_some_and(|delivery| delivery.departed),
        })
        .as_str()
        .to_owned(),
    }
}

/// What became of a consumer, and why, in one line.
fn said(snapshot: &Briefs, known: &Known<'_>, consumer: &ConsumerRecord) -> (Outcome, String) {
    let Known { plan, verdict, delivery, wave, state } = known;
    let source = match (&consumer.unresolved, plan) {
        (Some(reason), _) => SourceFact::Unresolved(reason),
        (None, Some(plan)) => SourceFact::Transformed { result: &plan.result, changes: plan.files > 0 },
        (None, None) => SourceFact::Untransformed,
    };
    let fact = verdict.map(|verdict| VerdictFact { kind: verdict.kind, reason: &verdict.reason });
    let (mut outcome, mut reason) = outcome(source, fact, state);
    if verdict.is_none() && delivery.is_some_and(|one| one.recovered) && outcome == Outcome::Errored {
        match state {
            DeliveryState::Delivered => (outcome, reason) = (Outcome::Pending, FOUND.to_owned()),
            DeliveryState::Edited(why) => (outcome, reason) = (Outcome::Pending, format!("{why}; {FOUND}")),
            _ => {}
        }
    }
    if let Some(back) = delivery.and_then(|delivery| taken_back(delivery, *wave)) {
        (outcome, reason) = (Outcome::RolledBack, back.to_owned());
    } else if *state == DeliveryState::Waiting && outcome == Outcome::Pending && plan.is_some() {
        reason = not_out_yet(snapshot, *wave, verdict.is_some());
    }
    if let Some(plan) = plan.filter(|plan| outcome == Outcome::Unchanged && plan.parsed > 0) {
        let files = if plan.parsed == 1 { "a file holds".to_owned() } else { format!("{} files hold", plan.parsed) };
        reason = format!("{reason}, though {files} names that the rules look for: `gander explain`");
    }
    let strength = verdict.and_then(|verdict| verdict.strength).filter(|strength| *strength != Strength::Untried);
    if let Some(strength) = strength {
        reason = format!("{reason} [{} evidence]", strength.as_str());
    }
    if let Some(delivery) = delivery.filter(|one| one.state == DeliveryState::Delivered && one.branch.is_some()) {
        match (&delivery.merged, &delivery.doubt) {
            (Some(_), _) => reason = format!("{reason}; merged"),
            (None, None) => reason = format!("{reason}; its owner has not merged it yet"),
            (None, Some(_)) => {}
        }
    }
    if let Some(delivery) = delivery
        && matches!(delivery.state, DeliveryState::Delivering | DeliveryState::RollingBack)
        && delivery.tries > 0
        && delivery.revert.is_none()
    {
        let (tries, most) = (delivery.tries, deliver::MOST_TRIES);
        let why = delivery.away.as_ref().map(|why| format!("; the last try: {why}")).unwrap_or_default();
        reason = format!("its remote can't be reached: try {tries} of {most}, `gander run` tries again{why}");
    }
    if let Some(why) = delivery.filter(|one| one.state == DeliveryState::Superseded).and_then(|one| one.away.as_ref()) {
        reason = format!("{reason}; it could not be pushed yet: {why}");
    }
    let reverting = delivery.filter(|delivery| delivery.state == DeliveryState::RollingBack);
    if let Some((branch, _)) = reverting.and_then(|delivery| delivery.revert.as_ref()) {
        reason = format!("it was merged: its owner is asked to merge the revert on the branch {branch}");
    }
    if delivery.is_some_and(|one| one.state == DeliveryState::Superseded && one.merged.is_some()) {
        "what it has merged is to be corrected: the change set over that is not out yet".clone_into(&mut reason);
    }
    if let Some(delivery) = delivery.filter(|one| matches!(one.state, DeliveryState::AwaitingApproval(_))) {
        let about = |by: &&Decision| by.about == delivery.change_id.to_string();
        let approval = snapshot.decisions.get(&(DecisionKind::Approve, consumer.workspace.clone().unwrap_or_default()));
        if let Some(by) = approval.filter(about) {
            let who = &by.actor;
            reason = match wave.filter(|wave| reopen::is_back(wave)) {
                Some(wave) => {
                    let number = wave.number;
                    format!("approved by {who}: it goes out once `gander retry --wave {number}` opens its wave again")
                }
                None => format!("approved by {who}: it goes out by the next `gander run`"),
            };
        }
    }
    let said = |of: fn(&DeliveryRecord) -> Option<&String>| delivery.and_then(of);
    // What was out once keeps its state, and why it stays away is said beside it.
    let was_out = state.was_out();
    let id = consumer.workspace.as_deref().unwrap_or_default();
    if let Some(by) = snapshot.decisions.get(&(DecisionKind::Exclude, id.to_owned())).filter(|_| was_out) {
        reason = format!("{reason}; {}", excluded_by(by));
    }
    for why in [said(|one| one.outdated.as_ref()), said(|one| one.doubt.as_ref())].into_iter().flatten() {
        reason = format!("{reason}; {why}");
    }
    (outcome, reason)
}

/// What is said of one that was found after the state was lost, until it has a verdict again.
const FOUND: &str = "it is out, as it was found after the state was lost: `gander run` verifies it again";

/// Why it is back, where a person or its wave took it back; what was withdrawn as nobody
/// needs it any more is what its plan says.
fn taken_back<'r>(record: &'r DeliveryRecord, wave: Option<&WaveRecord>) -> Option<&'r str> {
    let with_wave =
        || wave.is_some_and(|wave| matches!(wave.state, WaveState::RollingBack(_) | WaveState::RolledBack(_)));
    match record.state == DeliveryState::RolledBack {
        true if record.because == BY_HAND => Some("taken back by hand"),
        true if record.because.starts_with(NAMED) => Some(&record.because),
        true if with_wave() => Some("taken back with its wave"),
        _ => None,
    }
}

/// As a ledger names who left somebody out, and why.
pub(super) fn excluded_by(decision: &Decision) -> String {
    format!("excluded by {}: {}", decision.actor, decision.reason)
}

/// Why a change set is not out that nothing keeps back.
fn not_out_yet(snapshot: &Briefs, wave: Option<&WaveRecord>, verified: bool) -> String {
    let Some(wave) = wave else { return "its wave has not come".to_owned() };
    let back = |one: &&WaveRecord| matches!(one.state, WaveState::RollingBack(_) | WaveState::RolledBack(_));
    let is_or_was = |one: &WaveRecord| if matches!(one.state, WaveState::RollingBack(_)) { "is" } else { "was" };
    match (&wave.state, snapshot.waves.iter().find(back)) {
        (WaveState::Planned, Some(back)) => {
            format!("its wave has not come, and wave {} {} rolled back", back.number, is_or_was(back))
        }
        (WaveState::Planned, None) => "its wave has not come".to_owned(),
        (WaveState::RollingBack(_) | WaveState::RolledBack(_), _) => {
            format!("its wave {} rolled back before it went out", is_or_was(wave))
        }
        (WaveState::Failed(_), _) => "its wave failed before it went out".to_owned(),
        _ if !verified => "its wave is open: it is to be verified".to_owned(),
        _ if wave.waits.is_empty() => "verified, and to go out: run again".to_owned(),
        _ => format!("verified, and not out yet: {}", in_words(&wave.waits)),
    }
}

fn in_words(waits: &[Wait]) -> String {
    waits.iter().map(|wait| wait.why.as_str()).collect::<Vec<_>>().join("; ")
}

/// Change sets that wait for a person though every wave has passed: nobody else would tell.
fn asked_for(snapshot: &Briefs) -> Option<RunEnd> {
    let asks = |record: &DeliveryRecord| match &record.state {
        DeliveryState::AwaitingApproval(_) => true,
        DeliveryState::Delivered => record.correction.as_ref().is_some_and(|kept| kept.asks),
        _ => false,
    };
    let excluded = |id: &str| snapshot.decisions.contains_key(&(DecisionKind::Exclude, id.to_owned()));
    let waits = |id: &str| !excluded(id) && snapshot.deliveries.get(id).is_some_and(asks);
    let mut waiting = snapshot.consumers.iter().filter(|one| one.workspace.as_deref().is_some_and(waits));
    let first = waiting.next()?;
    let sets: BTreeSet<&Option<String>> = waiting.map(|one| &one.workspace).chain([&first.workspace]).collect();
    let wave = first.workspace.as_ref().and_then(|id| snapshot.deliveries.get(id)).map_or(0, |record| record.wave);
    let sets = match sets.len() {
        1 => "a change set waits".to_owned(),
        count => format!("{count} change sets wait"),
    };
    let reason = format!("{sets} for approval: `gander approve {}`", shown(&first.entity));
    let waits = vec![Wait { what: WaitFor::Approval, until: None, why: reason.clone() }];
    Some(RunEnd::Waiting { wave, waits, reason })
}

/// Rollbacks of single consumers that are not over, though every wave has passed.
fn going_back(snapshot: &Briefs) -> Option<RunEnd> {
    let record = |id: &str| snapshot.deliveries.get(id).filter(|record| record.state == DeliveryState::RollingBack);
    let mut all = snapshot.consumers.iter().filter_map(|one| Some((one, record(one.workspace.as_deref()?)?)));
    let (first, record) = all.next()?;
    let more = match all.count() {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    let (what, until, why) = match record.revert {
        Some(_) => (WaitFor::Merge, None, "its owner is asked to merge a revert"),
        None => (WaitFor::Remote, record.again, "its rollback is not over: run again"),
    };
    let reason = format!("{}: {why}{more}", shown(&first.entity));
    let waits = vec![Wait { what, until, why: reason.clone() }];
    Some(RunEnd::Waiting { wave: record.wave, waits, reason })
}

/// What a person has to look at though every wave has passed: whether it is out can't be told, what was taken back
/// stands all the same, or a branch of others was where it goes.
fn person_needed(snapshot: &Briefs) -> Option<RunEnd> {
    let needs = |record: &DeliveryRecord| match &record.state {
        DeliveryState::Refused(why) if why.contains("--retry") => Some(why.clone()),
        _ if is_unclear(record) || stands_again(record) => record.doubt.clone(),
        _ => None,
    };
    let needed = snapshot.consumers.iter().filter_map(|one| {
        let id = one.workspace.as_deref()?;
        let excluded = snapshot.decisions.contains_key(&(DecisionKind::Exclude, id.to_owned()));
        let record = snapshot.deliveries.get(id).filter(|_| !excluded)?;
        Some((one, record.wave, needs(record)?))
    });
    let mut needed = needed.collect::<Vec<_>>().into_iter();
    let (first, wave, why) = needed.next()?;
    let more = match needed.len() {
        0 => String::new(),
        more => format!(" ({more} more)"),
    };
    let reason = format!("every wave passed, and somebody has to look at {}: {why}{more}", shown(&first.entity));
    Some(RunEnd::Paused { wave, reason, by: None })
}

/// Where a rollout stands, by its waves. What was taken back outweighs what passed;
/// of several, the last one is where it stopped.
fn end_of(snapshot: &Briefs) -> RunEnd {
    let waves = &snapshot.waves;
    let is_back = |wave: &&WaveRecord| matches!(wave.state, WaveState::RolledBack(_));
    let is_going_back = |wave: &&WaveRecord| matches!(wave.state, WaveState::RollingBack(_));
    let is_open = |wave: &&WaveRecord| !matches!(wave.state, WaveState::Passed(_));
    let decisive = waves.iter().rfind(is_going_back);
    let decisive = decisive.or_else(|| waves.iter().rfind(is_back));
    let Some(wave) = decisive.or_else(|| waves.iter().find(is_open)) else {
        let end = going_back(snapshot).or_else(|| asked_for(snapshot));
        return end.or_else(|| person_needed(snapshot)).unwrap_or(RunEnd::Complete);
    };
    let number = wave.number;
    let waiting = |reason: String| RunEnd::Waiting { wave: number, waits: wave.waits.clone(), reason };
    match wave.state.clone() {
        WaveState::RolledBack(reason) => RunEnd::RolledBack { wave: number, reason },
        WaveState::Failed(reason) => RunEnd::Stopped { wave: number, reason },
        WaveState::Inconclusive(reason) => RunEnd::Paused { wave: number, reason, by: None },
        WaveState::RollingBack(reason) => match wave.waits.first() {
            Some(wait) => waiting(format!("it goes back ({reason}): {}", wait.why)),
            None => waiting(format!("its rollback was interrupted ({reason}): run again")),
        },
        WaveState::Planned | WaveState::Running | WaveState::Baking | WaveState::Judging | WaveState::Passed(_) => {
            match snapshot.decisions.get(&(DecisionKind::Pause, ROLLOUT.to_owned())) {
                Some(pause) => {
                    let reason = format!("paused by {}: {}", pause.actor, pause.reason);
                    RunEnd::Paused { wave: number, reason, by: Some(pause.actor.clone()) }
                }
                None if wave.waits.is_empty() => waiting("it is not judged yet: run again".to_owned()),
                None => waiting(in_words(&wave.waits)),
            }
        }
    }
}
