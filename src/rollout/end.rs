//! Where a rollout stands: by its waves, and where all of them passed, by what waits or needs a person all the same.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::decisions::ROLLOUT;
use super::deliver::NOT_OF_THIS_STATE;
use super::ledger::{LedgerRow, doubt_said};
use super::observe::{is_half, is_unclear};
use super::outcome::Outcome;
use super::rollback::{shown, stands_again};
use super::snapshot::Briefs;
use crate::state::{
    ConsumerRecord, DecisionKind, DeliveryRecord, DeliveryState, Refusal, Wait, WaitFor, WaveRecord, WaveState,
};

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

/// Nobody can be delivered to, as all that would be are refused: no wave says so.
pub(super) fn all_refused(snapshot: &Briefs, rows: &[LedgerRow]) -> Option<RunEnd> {
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
pub(super) fn not_begun(why: &str) -> RunEnd {
    RunEnd::Waiting { wave: 0, waits: Vec::new(), reason: why.to_owned() }
}

/// What a state says that no run has brought a fleet into.
pub(super) const NOTHING_KNOWN: &str = "no run came so far as to know the fleet: `gander run`";

pub(super) fn in_words<'w>(waits: impl IntoIterator<Item = &'w Wait>) -> String {
    waits.into_iter().map(|wait| wait.why.as_str()).collect::<Vec<_>>().join("; ")
}

/// The change sets that are so, each once, with the first of the consumers that share it.
fn sets<'s>(
    snapshot: &'s Briefs,
    is_so: impl Fn(&str, &DeliveryRecord) -> bool,
) -> Vec<(&'s ConsumerRecord, &'s DeliveryRecord)> {
    let mut seen = BTreeSet::new();
    let of = |one: &'s ConsumerRecord| {
        let id = one.workspace.as_deref()?;
        let record = snapshot.deliveries.get(id).filter(|record| is_so(id, record))?;
        seen.insert(id).then_some((one, record))
    };
    snapshot.consumers.iter().filter_map(of).collect()
}

fn is_excluded(snapshot: &Briefs, id: &str) -> bool {
    snapshot.decisions.contains_key(&(DecisionKind::Exclude, id.to_owned()))
}

/// Rollbacks of single consumers that are not over, each with its wave: of some waves, by their state.
fn going_back(snapshot: &Briefs, of: impl Fn(&WaveState) -> bool) -> Vec<(u32, Wait)> {
    // Who has gone on to another wave is of that one, whichever it was delivered in.
    let others = snapshot.waves.iter().filter(|wave| !of(&wave.state)).flat_map(|wave| &wave.members);
    let others: BTreeSet<&str> = others.map(String::as_str).collect();
    let is_going = |record: &DeliveryRecord| record.state == DeliveryState::RollingBack;
    let going = |id: &str, record: &DeliveryRecord| is_going(record) && !others.contains(id);
    let more = |count: usize| if count > 1 { format!(", and {} more", count - 1) } else { String::new() };
    let mut waits = Vec::new();
    let merges = sets(snapshot, |id, record| going(id, record) && record.revert.is_some());
    if let Some((first, record)) = merges.first() {
        let more = more(merges.len());
        let why = format!("{}: its owner is asked to merge a revert{more}", shown(&first.entity));
        waits.push((record.wave, Wait { what: WaitFor::Merge, until: None, why, maker: None }));
    }
    let remotes = sets(snapshot, |id, record| going(id, record) && record.revert.is_none());
    if let Some((first, record)) = remotes.first() {
        let more = more(remotes.len());
        let why = format!("{}: its rollback is not over: run again{more}", shown(&first.entity));
        let until = remotes.iter().filter_map(|(_, record)| record.again).min();
        waits.push((record.wave, Wait { what: WaitFor::Remote, until, why, maker: None }));
    }
    waits
}

/// What waits though every wave has passed, each with its wave: rollbacks of single consumers, change sets that
/// wait for a person's yes, and those of which nobody can see what became. Nobody else would tell.
fn left_waiting(snapshot: &Briefs) -> Vec<(u32, Wait)> {
    let asks = |record: &DeliveryRecord| match &record.state {
        DeliveryState::AwaitingApproval(_) => true,
        DeliveryState::Delivered => record.correction.as_ref().is_some_and(|kept| kept.asks),
        _ => false,
    };
    let mut waits = going_back(snapshot, |_| true);
    let unseen = sets(snapshot, |id, record| snapshot.unseen(record).is_some() && !is_excluded(snapshot, id));
    if let Some((first, record)) = unseen.first() {
        let more = if unseen.len() > 1 { format!(" ({} more)", unseen.len() - 1) } else { String::new() };
        let why = format!(
            "the remote of {} can't be seen, and whether it was merged{more}; leave it out of [consumers] where it is gone",
            shown(&first.entity)
        );
        waits.push((record.wave, Wait { what: WaitFor::Remote, until: None, why, maker: None }));
    }
    let asked = sets(snapshot, |id, record| asks(record) && !is_excluded(snapshot, id));
    if let Some((first, record)) = asked.first() {
        let sets = match asked.len() {
            1 => "a change set waits".to_owned(),
            count => format!("{count} change sets wait"),
        };
        let why = format!("{sets} for approval: `gander approve {}`", shown(&first.entity));
        waits.push((record.wave, Wait { what: WaitFor::Approval, until: None, why, maker: None }));
    }
    waits
}

/// What a person has to look at though every wave has passed, with its wave: whether it is out can't be told, what was
/// taken back stands all the same, or a branch of others is where it goes.
fn person_needed(snapshot: &Briefs) -> Option<(u32, String)> {
    let is_taken = |record: &DeliveryRecord| record.refusal == Some(Refusal::Taken);
    let why = |record: &DeliveryRecord, entity: &str| match &record.state {
        DeliveryState::Refused(why) if is_taken(record) => Some(why.clone()),
        DeliveryState::Replaced(why) if why.ends_with(NOT_OF_THIS_STATE) => Some(why.clone()),
        _ if is_unclear(record) || is_half(record) || stands_again(record) => doubt_said(record, entity),
        _ => None,
    };
    let needed = sets(snapshot, |id, record| !is_excluded(snapshot, id) && why(record, "").is_some());
    let (first, record) = needed.first()?;
    let more = if needed.len() > 1 { format!(" ({} more)", needed.len() - 1) } else { String::new() };
    let why = why(record, &first.entity)?;
    Some((record.wave, format!("every wave passed, and somebody has to look at {}: {why}{more}", shown(&first.entity))))
}

/// Where a rollout stands of which every wave has passed. What needs a person outweighs what goes on when it is run
/// again, and hides nothing of it.
fn all_passed(snapshot: &Briefs) -> RunEnd {
    let left = left_waiting(snapshot);
    let wave = left.first().map_or(0, |(wave, _)| *wave);
    let waits: Vec<Wait> = left.into_iter().map(|(_, wait)| wait).collect();
    match person_needed(snapshot) {
        Some((wave, why)) if waits.is_empty() => RunEnd::Paused { wave, reason: why, by: None },
        Some((wave, why)) => RunEnd::Paused { wave, reason: format!("{why}; {}", in_words(&waits)), by: None },
        None if waits.is_empty() => RunEnd::Complete,
        None => RunEnd::Waiting { wave, reason: in_words(&waits), waits },
    }
}

/// Where a rollout stands, by its waves. What was taken back outweighs what passed;
/// of several, the last one is where it stopped.
pub(super) fn end_of(snapshot: &Briefs) -> RunEnd {
    let waves = &snapshot.waves;
    let is_back = |wave: &&WaveRecord| matches!(wave.state, WaveState::RolledBack(_));
    let is_going_back = |wave: &&WaveRecord| matches!(wave.state, WaveState::RollingBack(_));
    let is_open = |wave: &&WaveRecord| !matches!(wave.state, WaveState::Passed(_));
    let decisive = waves.iter().rfind(is_going_back);
    let decisive = decisive.or_else(|| waves.iter().rfind(is_back));
    let Some(wave) = decisive.or_else(|| waves.iter().find(is_open)) else {
        return all_passed(snapshot);
    };
    let number = wave.number;
    let waiting = |reason: String| RunEnd::Waiting { wave: number, waits: wave.waits.clone(), reason };
    match wave.state.clone() {
        WaveState::RolledBack(reason) => {
            // One of it may have been taken back once more since.
            let is_back = |state: &WaveState| matches!(state, WaveState::RolledBack(_));
            let waits: Vec<Wait> = going_back(snapshot, is_back).into_iter().map(|(_, wait)| wait).collect();
            match waits.is_empty() {
                true => RunEnd::RolledBack { wave: number, reason },
                false => {
                    let reason = format!("it goes back ({reason}): {}", in_words(&waits));
                    RunEnd::Waiting { wave: number, waits, reason }
                }
            }
        }
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
                // Whatever else of it goes on by itself.
                None if wave.waits.iter().any(|wait| wait.what == WaitFor::Person) => {
                    RunEnd::Paused { wave: number, reason: in_words(&wave.waits), by: None }
                }
                None => waiting(in_words(&wave.waits)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::state::tests::delivery;

    #[test]
    fn the_revert_of_one_does_not_hide_that_another_wave_was_rolled_back() {
        let wave = |number, state| WaveRecord { state, ..WaveRecord::planned(number, "1".to_owned(), Vec::new()) };
        let first = |state| WaveRecord { members: vec!["a".to_owned()], ..wave(1, state) };
        let consumer = ConsumerRecord {
            entity: "component:default/a".to_owned(),
            owner: None,
            workspace: Some("a".to_owned()),
            unresolved: None,
            lifecycle: None,
            upstream: Vec::new(),
        };
        let revert = Some(("gander/m/a.revert".to_owned(), "c0ffee".to_owned()));
        let record = DeliveryRecord { revert, ..delivery(DeliveryState::RollingBack) };
        let mut briefs = Briefs {
            consumers: vec![consumer],
            plans: BTreeMap::new(),
            waves: vec![
                first(WaveState::Passed(String::new())),
                wave(2, WaveState::RolledBack("a gate failed".to_owned())),
            ],
            verdicts: BTreeMap::new(),
            deliveries: [("a".to_owned(), record)].into(),
            decisions: BTreeMap::new(),
            unseen: BTreeMap::new(),
        };
        assert_eq!(end_of(&briefs), RunEnd::RolledBack { wave: 2, reason: "a gate failed".to_owned() });
        // One of that wave was taken back once more since.
        briefs.waves[0].state = WaveState::RolledBack("by hand".to_owned());
        assert!(matches!(end_of(&briefs), RunEnd::Waiting { wave: 2, .. }));
    }
}
