//! The ledger: what became of every discovered consumer, read from the state alone.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::RolloutError;
use super::bind::out_there;
use super::decisions::ROLLOUT;
use super::deliver;
use super::end::{NOTHING_KNOWN, RunEnd, all_refused, end_of, in_words, not_begun};
use super::gate::Counts;
use super::machine::consumer::{Facts, State};
use super::observe::{is_half, is_unclear};
use super::opt_out;
use super::outcome::{Outcome, SourceFact, VerdictFact, outcome};
use super::recover;
use super::reopen;
use super::rollback::{BY_HAND, NAMED, shown, stands_again};
use super::ship::OPTED_OUT;
use super::snapshot::{Briefs, PlanBrief, VerdictBrief};
use super::supersede::is_withdrawn;
use super::traffic::is_open;
use crate::config::Delivery;
use crate::state::{
    Applied, ConsumerRecord, Decision, DecisionKind, DeliveryRecord, DeliveryState, Store, Wait, WaitFor, WaveRecord,
    WaveState,
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

/// Whether something else was to take the place of what is out, and can't: a person has to see to that.
pub fn is_not_corrected(row: &LedgerRow) -> bool {
    row.outdated.as_ref().is_some_and(|why| why.contains(deliver::NOT_CORRECTED))
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
    // Half of the time that 12,000 of them take; their order stays.
    let rows: Vec<LedgerRow> =
        snapshot.consumers.par_iter().map(|consumer| row(&snapshot, &wave_of, consumer)).collect();
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
        outdated: delivery.and_then(outdated),
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

/// Why what is out is not what the rules make now. Of what goes back there is nothing to say.
fn outdated(delivery: &DeliveryRecord) -> Option<String> {
    use DeliveryState as D;
    let stands = matches!(delivery.state, D::Delivered | D::Edited(_) | D::Superseded);
    delivery.outdated.clone().filter(|_| stands)
}

/// What became of a consumer, and why, in one line.
fn said(snapshot: &Briefs, known: &Known<'_>, consumer: &ConsumerRecord) -> (Outcome, String) {
    let (outcome, mut reason) = became(snapshot, known, consumer);
    let strength = known.verdict.and_then(|verdict| verdict.strength).filter(|one| *one != Strength::Untried);
    if let Some(strength) = strength {
        reason = format!("{reason} [{} evidence]", strength.as_str());
    }
    let Some(delivery) = known.delivery else { return (outcome, reason) };
    let id = consumer.workspace.as_deref().unwrap_or_default();
    reason = approved(snapshot, known, id).unwrap_or_else(|| match snapshot.unseen(delivery) {
        Some(why) => {
            let why = why.lines().next().unwrap_or_default();
            format!("{reason}; its owner had not merged it when its remote was last seen: {why}")
        }
        None => on_its_way(delivery, reason),
    });
    let is_back = known.wave.is_some_and(|wave| matches!(wave.state, WaveState::RolledBack(_)));
    if is_back && delivery.how == Delivery::Checkout && delivery.state == DeliveryState::Delivered {
        let name = shown(&consumer.entity);
        reason = format!(
            "{reason}; it is there though its wave was taken back: `gander rollback --consumer {name}` takes it back"
        );
    }
    let excluded = snapshot.decisions.get(&(DecisionKind::Exclude, id.to_owned()));
    // What was out once keeps its state, and why it stays away is said beside it.
    if let Some(by) = excluded.filter(|_| known.state.was_out()) {
        reason = format!("{reason}; {}", excluded_by(by));
    }
    if delivery.departed && out_there(&delivery.state) && delivery.state != DeliveryState::RollingBack {
        let name = shown(&consumer.entity);
        reason = format!(
            "{reason}; it is left out since, or gone from its sources, and what is out stays: `gander rollback --consumer \
             {name}` takes it back"
        );
    }
    let doubt = match excluded {
        Some(_) => delivery.doubt.clone(),
        None => doubt_said(delivery, &consumer.entity),
    };
    for why in [outdated(delivery), doubt].into_iter().flatten() {
        reason = format!("{reason}; {why}");
    }
    if let Some(why) = opt_out::too_late(delivery, shown(&consumer.entity)) {
        reason = format!("{reason}; {why}");
    }
    (outcome, reason)
}

/// What the recorded facts come to, and what is not out yet waits for.
fn became(snapshot: &Briefs, known: &Known<'_>, consumer: &ConsumerRecord) -> (Outcome, String) {
    let Known { plan, verdict, delivery, wave, state } = known;
    let source = match (&consumer.unresolved, plan) {
        (Some(reason), _) => SourceFact::Unresolved(reason),
        (None, Some(plan)) => SourceFact::Transformed { result: &plan.result, changes: plan.files > 0 },
        (None, None) => SourceFact::Untransformed,
    };
    let fact = verdict.map(|verdict| VerdictFact { kind: verdict.kind, reason: &verdict.reason });
    // Nobody took it back: it is not out for what its base has become, as it would be had it never been.
    let held = delivery.filter(|one| is_withdrawn(one)).map(|one| DeliveryState::Held(one.because.clone()));
    let state = held.as_ref().unwrap_or(state);
    let (mut outcome, mut reason) = outcome(source, fact, state);
    if let Some(again) = to_be_verified_again(snapshot, known).filter(|_| outcome == Outcome::Errored) {
        match state {
            DeliveryState::Delivered => (outcome, reason) = (Outcome::Pending, again),
            DeliveryState::Edited(why) => (outcome, reason) = (Outcome::Pending, format!("{why}; {again}")),
            _ => {}
        }
    }
    if let Some(back) = delivery.and_then(|delivery| taken_back(delivery, *wave)) {
        (outcome, reason) = (Outcome::RolledBack, back.to_owned());
    } else if *state == DeliveryState::Waiting && outcome == Outcome::Pending && plan.is_some() {
        reason = not_out_yet(snapshot, *wave, (verdict.is_some(), &consumer.upstream));
    }
    let opted_out = |one: &&DeliveryRecord| *state == DeliveryState::RolledBack && one.because.starts_with(OPTED_OUT);
    if let Some(delivery) = delivery.filter(opted_out) {
        (outcome, reason) = (Outcome::Refused, delivery.because.clone());
    }
    if let Some(plan) = plan.filter(|plan| outcome == Outcome::Unchanged && plan.parsed > 0) {
        let files = if plan.parsed == 1 { "a file holds".to_owned() } else { format!("{} files hold", plan.parsed) };
        reason = format!("{reason}, though {files} names that the rules look for: `gander explain`");
    }
    let unsearched = plan.map_or(0, |plan| plan.unsearched);
    let is_told = matches!(outcome, Outcome::Changed | Outcome::Annotated | Outcome::Unchanged | Outcome::Pending);
    if unsearched > 0 && is_told {
        let files = if unsearched == 1 { "1 file".to_owned() } else { format!("{unsearched} files") };
        reason = format!("{reason}; {files} could not be searched: `gander show {}`", shown(&consumer.entity));
    }
    (outcome, reason)
}

/// Where what is out or on its way stands with its owner and its remote, beside `reason` or in its place.
fn on_its_way(delivery: &DeliveryRecord, reason: String) -> String {
    use DeliveryState as D;
    match (&delivery.state, &delivery.revert) {
        (D::Delivered, _) if delivery.over.is_some() && delivery.merged.is_none() => {
            format!("{reason}; it corrects what its owner has merged, who has not merged this yet")
        }
        (D::Delivered, _) if delivery.branch.is_some() => match (&delivery.merged, &delivery.doubt) {
            (Some(_), _) => format!("{reason}; merged"),
            (None, None) => format!("{reason}; its owner has not merged it yet"),
            (None, Some(_)) => reason,
        },
        (D::Delivered, _) if delivery.how == Delivery::Patches => match delivery.applied {
            Some(Applied::Here) => format!("{reason}; it is applied in its folder, and not committed"),
            Some(Applied::Part) => format!("{reason}; a part of it is applied in its folder, and not committed"),
            Some(Applied::Committed) => format!("{reason}; applied and committed"),
            None => reason,
        },
        // Its owner went on with the branch, and merged it with that.
        (D::Edited(_), _) if delivery.merged.is_some() => format!("{reason}; merged"),
        (D::RollingBack, Some((branch, _))) => {
            format!("it was merged: its owner is asked to merge the revert on the branch {branch}")
        }
        (D::Delivering | D::RollingBack, None) if delivery.tries > 0 => {
            let (tries, most) = (delivery.tries, deliver::MOST_TRIES);
            let why = delivery.away.as_ref().map(|why| format!("; the last try: {why}")).unwrap_or_default();
            format!("its remote can't be reached: try {tries} of {most}, `gander run` tries again{why}")
        }
        (D::Superseded, _) if delivery.merged.is_some() => {
            "what it has merged is to be corrected: the change set over that is not out yet".to_owned()
        }
        (D::Superseded, _) => match &delivery.away {
            Some(why) => format!("{reason}; it could not be pushed yet: {why}"),
            None => reason,
        },
        _ => reason,
    }
}

/// Who has approved what waits for that, and what lets it out.
fn approved(snapshot: &Briefs, known: &Known<'_>, id: &str) -> Option<String> {
    let delivery = known.delivery.filter(|one| matches!(one.state, DeliveryState::AwaitingApproval(_)))?;
    let by = snapshot.decisions.get(&(DecisionKind::Approve, id.to_owned()))?;
    if by.about != delivery.change_id.to_string() {
        return None;
    }
    let then = match known.wave.filter(|wave| reopen::is_back(wave)) {
        Some(wave) => format!("once `gander retry --wave {}` opens its wave again", wave.number),
        None => "by the next `gander run`".to_owned(),
    };
    Some(format!("approved by {}: it goes out {then}", by.actor))
}

/// What can't be told of a delivery, and how a person can leave it at that.
pub(super) fn doubt_said(delivery: &DeliveryRecord, entity: &str) -> Option<String> {
    let doubt = delivery.doubt.as_ref()?;
    let open = is_unclear(delivery) || is_half(delivery) || stands_again(delivery);
    if !open {
        return Some(doubt.clone());
    }
    let leave = format!("`gander exclude {} --reason …` leaves it as it is", shown(entity));
    Some(match &delivery.branch {
        Some((branch, _)) if is_open(delivery) => {
            format!("{doubt}; it counts as open until its branch {branch} is deleted; {leave}")
        }
        _ => format!("{doubt}; {leave}"),
    })
}

/// What is said of one that was found after the state was lost, until it has a verdict again.
const FOUND: &str = "it is out, as it was found after the state was lost: `gander run` verifies it again";

/// What is said of one that is out and has no verdict, where a run brings it one.
fn to_be_verified_again(snapshot: &Briefs, known: &Known<'_>) -> Option<String> {
    let delivery = known.delivery.filter(|_| known.verdict.is_none())?;
    if delivery.recovered {
        return Some(FOUND.to_owned());
    }
    let wave = known.wave.filter(|wave| matches!(wave.state, WaveState::Planned | WaveState::Running))?;
    Some(match not_passed_before(&snapshot.waves, wave) {
        Some(first) => format!("it is out, and verified in another way now; {}", comes_first(first, false)),
        None => "it is out, and verified in another way now: run again".to_owned(),
    })
}

/// Why it is back, where a person or its wave took it back; what was withdrawn as nobody
/// needs it any more is what its plan says.
fn taken_back<'r>(record: &'r DeliveryRecord, wave: Option<&WaveRecord>) -> Option<&'r str> {
    let with_wave =
        || wave.is_some_and(|wave| matches!(wave.state, WaveState::RollingBack(_) | WaveState::RolledBack(_)));
    match record.state == DeliveryState::RolledBack {
        true if record.because == BY_HAND => Some("taken back by hand"),
        true if record.because.starts_with(NAMED) => Some(&record.because),
        true if with_wave() && !is_withdrawn(record) => Some("taken back with its wave"),
        _ => None,
    }
}

/// As a ledger names who left somebody out, and why.
pub(super) fn excluded_by(decision: &Decision) -> String {
    format!("excluded by {}: {}", decision.actor, decision.reason)
}

/// Why a change set is not out that nothing keeps back.
fn not_out_yet(snapshot: &Briefs, wave: Option<&WaveRecord>, (verified, upstream): (bool, &[String])) -> String {
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
        _ if snapshot.decisions.contains_key(&(DecisionKind::Pause, ROLLOUT.to_owned())) => {
            format!("{}: the rollout is paused", if verified { "verified, and not out yet" } else { "to be verified" })
        }
        _ if let Some(first) = not_passed_before(&snapshot.waves, wave) => comes_first(first, verified),
        _ if !verified => "its wave is open: it is to be verified".to_owned(),
        _ => {
            // What others wait for upstream of them, with their remotes and for somebody to mend what failed of
            // theirs is not what this one waits for.
            let is_own = |wait: &&Wait| match &wait.maker {
                Some(maker) => upstream.contains(maker),
                None => !matches!(wait.what, WaitFor::Person | WaitFor::Remote | WaitFor::Base),
            };
            match in_words(wave.waits.iter().filter(is_own)) {
                waits if waits.is_empty() => "verified, and to go out: run again".to_owned(),
                waits => format!("verified, and not out yet: {waits}"),
            }
        }
    }
}

/// The first wave before another one that has not passed: until it has, nothing more of the other one goes out.
fn not_passed_before<'w>(waves: &'w [WaveRecord], wave: &WaveRecord) -> Option<&'w WaveRecord> {
    waves.iter().find(|one| one.number < wave.number && !matches!(one.state, WaveState::Passed(_)))
}

/// Why one waits of a wave that is open, where an earlier one is open, too.
fn comes_first(first: &WaveRecord, verified: bool) -> String {
    let what = if verified { "verified, and not out yet" } else { "to be verified" };
    let why = match (first.state.reason(), first.waits.as_slice()) {
        (reason, _) if !reason.is_empty() => format!(": {reason}"),
        (_, []) => String::new(),
        // One line of a table, of thousands: the rest is said of that wave.
        (_, [first, rest @ ..]) => {
            let more = if rest.is_empty() { String::new() } else { format!(" ({} more)", rest.len()) };
            format!(": {}{more}", first.why)
        }
    };
    format!("{what}: wave {} comes first, and has not passed yet{why}", first.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_it_waits_for_itself() {
        let wait = |why: &str, maker: Option<&str>| Wait {
            what: WaitFor::Upstream,
            until: None,
            why: why.to_owned(),
            maker: maker.map(str::to_owned),
        };
        let mut wave = WaveRecord::planned(1, "100%".to_owned(), Vec::new());
        wave.state = WaveState::Running;
        wave.waits = vec![wait("its window", None), wait("a is not out", Some("a")), wait("b is not out", Some("b"))];
        for what in [WaitFor::Person, WaitFor::Remote, WaitFor::Base] {
            wave.waits.push(Wait { what, ..wait("of others", None) });
        }
        wave.waits[0].what = WaitFor::Window;
        let nobody = Briefs {
            consumers: Vec::new(),
            plans: BTreeMap::new(),
            waves: vec![wave.clone()],
            verdicts: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            decisions: BTreeMap::new(),
            unseen: BTreeMap::new(),
        };
        for (upstream, waits) in [(&[][..], "its window"), (&["a".to_owned()], "its window; a is not out")] {
            let said = not_out_yet(&nobody, Some(&wave), (true, upstream));
            assert_eq!(said, format!("verified, and not out yet: {waits}"));
        }
    }
}
