//! Judges waves, and acts on what their gates say. What gates saw is on record before
//! anything follows from it.

use std::collections::{BTreeMap, BTreeSet};

use super::back::take_back_all;
use super::bind::out_there;
use super::decisions::{ROLLOUT, covers, wave_digest};
use super::driver::{current, is_whole, move_waves};
use super::gate::{self, Around, Finding, Judgement, Said, Seen, Sent};
use super::machine::wave::{Event as Move, State};
use super::observe::{Look, is_unclear, observe};
use super::rollback::{BY_HAND, NAMED, early_back, finish_rollbacks};
use super::ship::OPTED_OUT;
use super::snapshot::Snapshot;
use super::supersede::{UNWANTED, is_withdrawn};
use super::{Event, Request, RolloutError};
use crate::config::{Migration, OnFailedGate};
use crate::state::{
    ConsumerRecord, DecisionKind, DeliveryRecord, DeliveryState, Entry, Refusal, Store, Wait, WaitFor, WaveRecord,
    WaveState,
};
use crate::transform::Transformed;
use crate::verify::VerdictKind;

/// What the gates of a wave see and say now. Nothing is recorded and nothing follows.
fn look(
    store: &Store,
    migration: &Migration,
    snapshot: &Snapshot,
    wave: &WaveRecord,
    all: bool,
) -> Result<(Seen, Vec<Finding>), RolloutError> {
    let seen = seen(snapshot, wave);
    let takes_part = |id: &String| snapshot.excluded(id).is_none() && left_by(snapshot, id).is_none();
    if !wave.members.is_empty() && !wave.members.iter().any(takes_part) {
        let is_excluded = |id: &String| snapshot.excluded(id).is_some();
        let why = match wave.members.iter().all(is_excluded) {
            true => "every consumer of it is excluded",
            false => "every consumer of it opted out, is excluded, or has nothing to change any more",
        };
        let why = why.to_owned();
        let nothing = Finding {
            gate: "members".to_owned(),
            says: Said::Pass,
            why,
            wait: None,
            own: false,
            reading: None,
            consumers: Vec::new(),
        };
        return Ok((seen, vec![nothing]));
    }
    let gates = &migration.rollout.gates;
    let mut findings = gate::own(gates, &seen);
    // Where gander's own evidence fails already, nobody else need be asked.
    if all || !findings.iter().any(|finding| finding.says == Said::Fail) {
        let approval = store.decision(DecisionKind::Approve, &format!("wave {}", wave.number))?;
        let digest = wave_digest(snapshot, wave);
        let around = Around {
            migration: &migration.id,
            wave: wave.number,
            since: wave.since.unwrap_or_else(|| store.now()),
            clock: store.clock(),
            approval: approval.as_ref().filter(|approval| covers(approval, &digest)),
            seen: &seen,
            out: out_of(snapshot, wave),
        };
        findings.extend(gate::ask(gates, &around));
    }
    Ok((seen, findings))
}

/// The consumers of a wave whose change sets are out.
fn out_of<'s>(snapshot: &'s Snapshot, wave: &WaveRecord) -> Vec<&'s str> {
    let is_out = |id: &String| snapshot.deliveries.get(id).is_some_and(|record| out_there(&record.state));
    let out: BTreeSet<&String> = wave.members.iter().filter(|id| is_out(id)).collect();
    let of = |one: &'s ConsumerRecord| one.workspace.as_ref().is_some_and(|id| out.contains(id));
    snapshot.consumers.iter().filter(|one| of(one)).map(|one| one.entity.as_str()).collect()
}

/// Why one takes no part in its wave, of which nothing is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    OptedOut,
    Unwanted,
}

/// Whether one takes no part in its wave any more.
fn left_by(snapshot: &Snapshot, id: &str) -> Option<Left> {
    let record = snapshot.deliveries.get(id)?;
    let is_back = record.state == DeliveryState::RolledBack && record.merged.is_none();
    let refused = matches!(record.state, DeliveryState::Refused(_)) && record.refusal == Some(Refusal::OptedOut);
    if refused || (is_back && record.because.starts_with(OPTED_OUT)) {
        return Some(Left::OptedOut);
    }
    // What can't be read for now, or fails, may be wanted again.
    let changes = snapshot.workspaces.get(id).is_none_or(|one| one.plan.result != Transformed::Unchanged);
    (is_back && record.because == UNWANTED && !changes).then_some(Left::Unwanted)
}

/// What gander itself knows of a wave. What was taken back speaks for nothing any more.
fn seen(snapshot: &Snapshot, wave: &WaveRecord) -> Seen {
    use DeliveryState as D;
    let sharing = snapshot.sharing();
    let mut signatures: BTreeMap<String, u64> = BTreeMap::new();
    let (mut pairs, mut undelivered, mut sent) = ((0, 0), 0, Sent::default());
    let mut there = WaveRecord { members: Vec::new(), ..wave.clone() };
    for member in wave.members.iter().filter(|member| snapshot.excluded(member).is_none()) {
        let record = snapshot.deliveries.get(member);
        if let Some(left) = left_by(snapshot, member) {
            *(if left == Left::OptedOut { &mut sent.opted_out } else { &mut sent.unwanted }) += 1;
            continue;
        }
        match record.map(|record| &record.state) {
            // What is merged is out until its owner has merged what takes it back.
            Some(D::RollingBack) if record.is_some_and(|record| by_hand(record) && record.revert.is_some()) => {
                sent.going += 1;
                continue;
            }
            Some(D::RolledBack | D::RollingBack | D::Conflict(_)) if record.is_some_and(by_hand) => {
                let by_gate = record.is_some_and(|record| record.because.starts_with(NAMED));
                *(if by_gate { &mut sent.named } else { &mut sent.back }) += 1;
                continue;
            }
            // Nothing of it is out: what was seen of it is of a change set that nobody has.
            Some(D::RolledBack) if record.is_some_and(is_withdrawn) => {
                sent.withdrawn += 1;
                continue;
            }
            Some(D::Delivering | D::Delivered | D::Superseded | D::Edited(_)) => sent.out += 1,
            Some(D::Closed(_) | D::Replaced(_)) => sent.closed += 1,
            Some(D::AwaitingApproval(_)) => sent.asked += 1,
            Some(D::Refused(_)) => sent.refused += 1,
            Some(D::Conflict(_) | D::RollingBack) => sent.out += 1,
            Some(D::Held(_)) => sent.held += 1,
            Some(D::Waiting | D::Failed(_) | D::RolledBack) | None => {}
        }
        there.members.push(member.clone());
        let verdict = snapshot.verdict(member);
        if let Some(signature) = verdict.and_then(|verdict| verdict.signature.clone()) {
            *signatures.entry(signature).or_default() += sharing.get(member.as_str()).map_or(0, Vec::len) as u64;
        }
        match verdict.map(|verdict| verdict.kind) {
            Some(VerdictKind::Regressed) => pairs.0 += 1,
            Some(VerdictKind::Fixed) => pairs.1 += 1,
            _ => {}
        }
        let failed = snapshot.deliveries.get(member).is_some_and(|d| matches!(d.state, DeliveryState::Failed(_)));
        undelivered += u64::from(failed);
    }
    Seen { counts: snapshot.counts(&there), signatures, pairs, undelivered, sent }
}

/// What the gates of the wave that is open would decide now: its number, what each says,
/// and what they say together. Nothing is recorded.
///
/// # Errors
/// Where the state can't be read.
pub fn dry_run(store: &Store, migration: &Migration) -> Result<Option<(u32, Vec<Finding>, Judgement)>, RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let next = || snapshot.waves.iter().find(|wave| wave.state == WaveState::Planned);
    let Some(wave) = open_wave(&snapshot.waves).or_else(next) else { return Ok(None) };
    // One that bakes is judged as it is; one that failed waits for a person.
    let is_whole = is_whole(&snapshot, wave) || !matches!(State::of(&wave.state), State::Planned | State::Running);
    let about = if is_whole { Some(wave) } else { watched(&snapshot, wave) };
    if about.is_none() && wave.state == WaveState::Planned {
        return Ok(None);
    }
    let about = about.unwrap_or(wave);
    let (seen, findings) = match about.number == wave.number {
        true => look(store, migration, &snapshot, about, true)?,
        false => look_to_watch(store, migration, &snapshot, about)?,
    };
    Ok(Some(match gate::together(&findings, &seen) {
        judgement if is_whole => (wave.number, findings, judgement),
        failed @ Judgement::Failed(_) => (about.number, findings, failed),
        // What is not out yet is judged by no run.
        _ => (wave.number, findings, Judgement::Waiting(not_whole(&snapshot, wave))),
    }))
}

/// What a wave waits for of which not all is out.
fn not_whole(snapshot: &Snapshot, wave: &WaveRecord) -> Vec<Wait> {
    let wait = |what, why: String| vec![Wait { what, until: None, why, maker: None }];
    if let Some(pause) = snapshot.decisions.get(&(DecisionKind::Pause, ROLLOUT.to_owned())) {
        return wait(WaitFor::Resume, format!("paused by {}: {}", pause.actor, pause.reason));
    }
    match wave.waits.is_empty() {
        true => wait(WaitFor::Observation, "not all of it is out yet: `gander run` goes on with it".to_owned()),
        false => wave.waits.clone(),
    }
}

/// The wave that the gates are asked about: the first one that is worked on, or that failed where none was taken
/// back. Of one that was not opened nothing is out that they could judge.
fn open_wave(waves: &[WaveRecord]) -> Option<&WaveRecord> {
    use State as S;
    let at_work =
        |wave: &&WaveRecord| matches!(State::of(&wave.state), S::Running | S::Baking | S::Judging | S::Inconclusive);
    let back = waves.iter().any(|wave| matches!(State::of(&wave.state), S::RollingBack | S::RolledBack));
    let failed = |wave: &&WaveRecord| State::of(&wave.state) == S::Failed && !back;
    waves.iter().find(at_work).or_else(|| waves.iter().find(failed))
}

/// Whether a gate fails while not all of a wave is out: what is out, of it or of the one before it, is watched, and
/// taken back, also while the rest waits or nothing more may be begun. True where nothing failed.
pub(super) fn watch(
    store: &mut Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    wave: &WaveRecord,
) -> Result<bool, RolloutError> {
    watch_one(store, request, snapshot, watched(snapshot, wave))
}

/// As [`watch`], of the wave before this one, where nothing of this one is out.
pub(super) fn watch_before(
    store: &mut Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    wave: &WaveRecord,
) -> Result<bool, RolloutError> {
    watch_one(store, request, snapshot, watched(snapshot, wave).filter(|one| one.number != wave.number))
}

fn watch_one(
    store: &mut Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    wave: Option<&WaveRecord>,
) -> Result<bool, RolloutError> {
    let Some(wave) = wave.filter(|_| request.only.is_empty()) else { return Ok(true) };
    let (seen, findings) = look_to_watch(store, request.migration, snapshot, wave)?;
    let judgement = gate::together(&findings, &seen);
    if !matches!(judgement, Judgement::Failed(_)) {
        return Ok(true);
    }
    match wave.state {
        // One that can't tell may not be whole: it is not to be judged by that.
        WaveState::Running | WaveState::Passed(_) | WaveState::Inconclusive(_) => {
            store.record_gate(wave.number, (&judgement, &(&seen, &findings)), None)?;
        }
        _ => record(store, wave, &judgement, &(&seen, &findings))?,
    }
    act(store, request, wave.number, judgement, &findings)?;
    Ok(false)
}

/// As [`look`]. Of a wave that has passed gander's own evidence has been judged: whoever left it since must not turn that.
fn look_to_watch(
    store: &Store,
    migration: &Migration,
    snapshot: &Snapshot,
    wave: &WaveRecord,
) -> Result<(Seen, Vec<Finding>), RolloutError> {
    let passed = matches!(wave.state, WaveState::Passed(_));
    let (seen, mut findings) = look(store, migration, snapshot, wave, passed)?;
    findings.retain(|finding| !(passed && finding.own));
    Ok((seen, findings))
}

/// What the gates are to watch while not all of a wave is out: itself where some is; else, where it is the next one,
/// the last one before it of which something is out.
fn watched<'s>(snapshot: &'s Snapshot, wave: &WaveRecord) -> Option<&'s WaveRecord> {
    let is_out = |wave: &&WaveRecord| is_any_out(snapshot, wave);
    if wave.state != WaveState::Planned
        && let Some(own) = snapshot.waves.iter().find(|one| one.number == wave.number).filter(is_out)
    {
        return Some(own);
    }
    let next = snapshot.waves.iter().position(|one| !matches!(one.state, WaveState::Passed(_)))?;
    let (before, rest) = snapshot.waves.split_at(next);
    rest.first().filter(|next| next.number == wave.number)?;
    before.iter().rfind(is_out)
}

/// Whether anything is out that went out with this wave: what its members had before they came to it speaks for others.
fn is_any_out(snapshot: &Snapshot, wave: &WaveRecord) -> bool {
    let members = wave.members.iter().filter(|id| snapshot.excluded(id).is_none());
    members.filter_map(|id| snapshot.deliveries.get(id)).any(|record| {
        out_there(&record.state) && record.state != DeliveryState::Delivering && record.wave == wave.number
    })
}

/// Whether gander's own gates fail of a wave by its verdicts alone, of which it has all: nothing
/// that is still to come changes that.
pub(super) fn fails(request: &Request<'_>, snapshot: &Snapshot, wave: &WaveRecord) -> bool {
    let places = request.fleet.workspaces.iter().enumerate();
    let index: BTreeMap<&str, usize> = places.map(|(index, place)| (place.id.as_str(), index)).collect();
    let opts_out = |id: &String| index.get(id.as_str()).is_some_and(|index| (request.opted_out)(*index).is_some());
    let is_judged = |id: &String| snapshot.verdict(id).is_some() || snapshot.excluded(id).is_some() || opts_out(id);
    request.only.is_empty()
        && wave.members.iter().all(is_judged)
        && gate::own(&request.migration.rollout.gates, &seen(snapshot, wave)).iter().any(|one| one.says == Said::Fail)
}

/// Whether a gate fails by what is out already of a wave that earlier runs left waiting: then nothing more of it goes out.
/// A wave that is sent off in one go is judged once it is out, also where that was interrupted.
pub(super) fn fails_so_far(
    store: &Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    wave: &WaveRecord,
) -> Result<bool, RolloutError> {
    if !request.only.is_empty() || wave.waits.is_empty() || !is_any_out(snapshot, wave) {
        return Ok(false);
    }
    let (seen, findings) = look(store, request.migration, snapshot, wave, false)?;
    Ok(matches!(gate::together(&findings, &seen), Judgement::Failed(_)))
}

/// Acts on a wave that fails before all of it is out.
pub(super) fn give_up(store: &mut Store, request: &Request<'_>, number: u32) -> Result<(), RolloutError> {
    let (snapshot, wave) = (Snapshot::read(store)?, current(store, number)?);
    let (seen, findings) = look(store, request.migration, &snapshot, &wave, false)?;
    let judgement = gate::together(&findings, &seen);
    if !matches!(judgement, Judgement::Failed(_)) {
        return Ok(()); // a gate has changed its mind: the next run goes on
    }
    store.record_gate(number, (&judgement, &(&seen, &findings)), None)?;
    act(store, request, number, judgement, &findings).map(drop)
}

/// Judges a wave of which all is out, and acts on it; true where the next one may open.
/// One that says the same as before, of the same, leaves no trace.
pub(super) fn judge_wave(store: &mut Store, request: &Request<'_>, number: u32) -> Result<bool, RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let wave = current(store, number)?;
    let (seen, findings) = look(store, request.migration, &snapshot, &wave, false)?;
    let judgement = gate::together(&findings, &seen);
    let last: Option<(Judgement, (Seen, Vec<Finding>))> = store.last_gate(number).ok().flatten();
    let same = last.is_some_and(|(said, inputs)| said == judgement && inputs == (seen.clone(), findings.clone()));
    if let Judgement::Waiting(waits) = &judgement {
        return wait(store, (&wave, &judgement), (&seen, &findings), waits, same);
    }
    if same && matches!(wave.state, WaveState::Inconclusive(_)) {
        return Ok(false);
    }
    record(store, &wave, &judgement, &(&seen, &findings))?;
    act(store, request, number, judgement, &findings)
}

/// Nothing follows yet; what is waited for is noted where it is new.
fn wait(
    store: &mut Store,
    (wave, judgement): (&WaveRecord, &Judgement),
    inputs: (&Seen, &Vec<Finding>),
    waits: &[Wait],
    same: bool,
) -> Result<bool, RolloutError> {
    let number = wave.number;
    if wave.state != WaveState::Baking {
        record(store, wave, judgement, &inputs)?;
        move_waves(store, &[&current(store, number)?], Move::Wait, "")?;
    } else if !same {
        store.record_gate(number, (judgement, &inputs), None)?;
    }
    note_waits(store, &current(store, number)?, waits)?;
    Ok(false)
}

/// The points of the journal at which a wave waits, and at which it waits otherwise, while what it asks of people is
/// what they have heard already.
pub(super) const WAITS: &str = "wave.waits";
const WAITS_STILL: &str = "wave.waits-still";

/// Notes what a wave waits for, where that is news. What people are asked for is new where it is said in other words.
pub(super) fn note_waits(store: &mut Store, wave: &WaveRecord, waits: &[Wait]) -> Result<(), RolloutError> {
    if wave.waits == waits {
        return Ok(());
    }
    let why: Vec<&str> = waits.iter().map(|wait| wait.why.as_str()).collect();
    let asks = |wait: &&Wait| matches!(wait.what, WaitFor::Person | WaitFor::Approval);
    let known = |wait: &Wait| wave.waits.iter().any(|old| old.what == wait.what && old.why == wait.why);
    let mut asked = waits.iter().filter(asks).peekable();
    let point = if asked.peek().is_some() && asked.all(known) { WAITS_STILL } else { WAITS };
    let entry = Entry::of(point, format!("wave {}", wave.number), why.join("; ")).resting_on(&waits);
    Ok(store.set_waits(wave.number, waits, &entry)?)
}

/// Records what gates saw and say before it is acted on.
fn record(
    store: &mut Store,
    wave: &WaveRecord,
    judgement: &Judgement,
    inputs: &(&Seen, &Vec<Finding>),
) -> Result<(), RolloutError> {
    let judging = State::of(&wave.state).step(Move::Look, wave.number)?.because(String::new());
    let entry = Entry::of("wave.look", format!("wave {}", wave.number), "")
        .moving(wave.state.as_str(), judging.as_str())
        .resting_on(&(judgement, inputs));
    Ok(store.record_gate(wave.number, (judgement, inputs), Some((&judging, &entry)))?)
}

fn act(
    store: &mut Store,
    request: &Request<'_>,
    number: u32,
    judgement: Judgement,
    findings: &[Finding],
) -> Result<bool, RolloutError> {
    let wave = current(store, number)?;
    match judgement {
        Judgement::Passed(reason) => move_waves(store, &[&wave], Move::Pass, &reason)?,
        Judgement::Waiting(_) => move_waves(store, &[&wave], Move::Wait, "")?,
        Judgement::Inconclusive(reason) => move_waves(store, &[&wave], Move::Doubt, &reason)?,
        Judgement::Failed(reason) => match request.migration.rollout.on_failed_gate {
            OnFailedGate::Stop => move_waves(store, &[&wave], Move::Fail, &reason)?,
            OnFailedGate::RollbackConsumer if names(findings).next().is_some() => {
                named_back(store, request, &wave, (&reason, findings))?;
            }
            OnFailedGate::RollbackConsumer => move_waves(store, &[&wave], Move::RollBack, &reason)?,
            OnFailedGate::RollbackWave => move_waves(store, &[&wave], Move::RollBack, &reason)?,
            OnFailedGate::RollbackAll => {
                let reason = format!("wave {number}: {reason}");
                early_back(store, None, &reason, &request.hooks())?;
                let (all, deliveries) = (store.waves()?, store.deliveries()?);
                let is_out = |id: &String| deliveries.get(id).is_some_and(|record| out_there(&record.state));
                // What is back already stays so for its own reason.
                let goes = |wave: &&WaveRecord| {
                    wave.number <= number
                        && (!matches!(wave.state, WaveState::RolledBack(_)) || wave.members.iter().any(is_out))
                };
                let all: Vec<&WaveRecord> = all.iter().filter(goes).collect();
                move_waves(store, &all, Move::RollBack, &reason)?;
            }
        },
    }
    let state = current(store, number)?.state;
    (request.tell)(Event::WaveJudged { number, state: &state });
    if matches!(state, WaveState::RollingBack(_)) {
        // Verification takes its time: owners may have merged since this run began.
        observe(store, &Look { closely: true, ..Look::at(request) }, request.tell)?;
        finish_rollbacks(store, &request.hooks(), false)?;
    }
    Ok(matches!(state, WaveState::Passed(_)))
}

/// The consumers by which gates fail that name them.
fn names(findings: &[Finding]) -> impl Iterator<Item = &String> {
    findings.iter().filter(|finding| finding.says == Said::Fail).flat_map(|finding| &finding.consumers)
}

/// Takes back those by whom a gate fails, of whichever wave they are; it is asked again without
/// them. Where nothing of them is out any more and it fails all the same, a person decides. Names
/// that mean nobody are as none: all of the wave goes back.
fn named_back(
    store: &mut Store,
    request: &Request<'_>,
    wave: &WaveRecord,
    (reason, findings): (&str, &[Finding]),
) -> Result<(), RolloutError> {
    observe(store, &Look { closely: true, ..Look::at(request) }, request.tell)?;
    let snapshot = Snapshot::read(store)?;
    let named: BTreeSet<&String> = names(findings).collect();
    let is_named = |one: &&ConsumerRecord| named.contains(&one.entity);
    let ids: BTreeSet<&String> =
        snapshot.consumers.iter().filter(is_named).filter_map(|one| one.workspace.as_ref()).collect();
    let goes = |id: &&String| {
        let record = snapshot.deliveries.get(*id);
        ids.contains(id)
            && record.is_some_and(|record| out_there(&record.state) && !by_hand(record) && !is_unclear(record))
    };
    if ids.is_empty() {
        // As one that names nobody.
        return move_waves(store, &[wave], Move::RollBack, &format!("{reason}; it names nobody of this rollout"));
    }
    // What was out first goes back last.
    let going: Vec<&String> =
        snapshot.waves.iter().rev().flat_map(|wave| wave.members.iter().rev()).filter(goes).collect();
    if going.is_empty() {
        let why = format!("{reason}; nothing more is out of those that it names");
        return move_waves(store, &[wave], Move::Fail, &why);
    }
    store.unapprove(wave.number, "a gate failed by some of it since it was approved")?;
    let because = format!("{NAMED}: {reason}");
    let going: Vec<(&str, &str)> = going.iter().map(|id| (id.as_str(), because.as_str())).collect();
    take_back_all(store, &snapshot, &going, &request.hooks())?;
    if State::of(&wave.state) == State::Judging {
        move_waves(store, &[wave], Move::Wait, reason)?;
        let why = "a gate failed by some of it, which are taken back: it is asked again without them".to_owned();
        let waits = [Wait { what: WaitFor::Observation, until: Some(store.now()), why, maker: None }];
        note_waits(store, &current(store, wave.number)?, &waits)?;
    }
    Ok(())
}

/// It was taken back by itself, and speaks for nothing any more: a person did so, or a gate named it.
fn by_hand(record: &DeliveryRecord) -> bool {
    record.because == BY_HAND || record.because.starts_with(NAMED)
}
