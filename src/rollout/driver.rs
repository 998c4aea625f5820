//! Advances a rollout as far as it can: one wave after the other, and back where
//! one fails.

use super::bind::{bind, out_there};
use super::decisions::ROLLOUT;
use super::end::RunEnd;
use super::fill::fill_up;
use super::judge::{self, judge_wave, note_waits};
use super::ledger::{Ledger, LedgerRow, ledger};
use super::machine::wave::{Event as Move, State};
use super::notice::note_left;
use super::observe::{Look, observe};
use super::opt_out::heed_owners;
use super::recover;
use super::renamed;
use super::reopen::{reopen_changed, reopen_free, reopen_heard};
use super::requests::heed;
use super::rollback::finish_rollbacks;
use super::ship::ship_all;
use super::snapshot::Snapshot;
use super::verdicts::verify;
use super::{Event, Request, RolloutError};
use crate::state::{DecisionKind, DeliveryState, Entry, Store, Wait, WaitFor, WaveRecord, WaveState};
use crate::verify::VerdictKind;

/// Advances the rollout as far as it can and says where everybody stands. What an
/// earlier run did is not done again.
///
/// # Errors
/// Where the state can't be used, or does not belong to what is asked for.
pub fn run(store: &mut Store, request: &Request<'_>) -> Result<Ledger, RolloutError> {
    recover::is_whole(store)?;
    let run = store.begin_run()?;
    observe(store, &Look::at(request), request.tell)?;
    renamed::follow(store, request)?;
    heed_owners(store, request)?;
    bind(store, request)?;
    goes_on(store)?;
    heed_all(store, request)?;
    if request.replan {
        reopen_changed(store, request.tell)?;
    }
    reopen_free(store)?;
    reopen_heard(store, request)?;
    if request.retry {
        open_silent(store, None)?;
    }
    advance(store, request)?;
    let mut ledger = ledger(store)?;
    if !request.only.is_empty() {
        say_who_comes_first(&mut ledger, request);
    }
    if request.only.is_empty() {
        note_left(store, &ledger)?;
    }
    store.end_run(run, &ledger.end)?;
    Ok(ledger)
}

/// Watches what is out where a run can't be begun, and says `why` it can't, once. What people
/// ask for is done, what was to go back goes back, and a gate that fails is acted on; nothing new
/// is begun, and no wave passes. The fleet and the plan of `request` are not looked at.
///
/// # Errors
/// As [`run`].
pub fn watch(store: &mut Store, request: &Request<'_>, why: &str) -> Result<(), RolloutError> {
    let open = |wave: &WaveRecord| wave.state != WaveState::Planned;
    if recover::is_half_done(store)? || !store.waves()?.iter().any(open) {
        return Ok(());
    }
    if stopped(store)?.as_deref() != Some(why) {
        store.note(&Entry::of(STOPPED, ROLLOUT, why))?;
    }
    observe(store, &Look::default(), request.tell)?;
    heed_all(store, request)?;
    finish_rollbacks(store, &request.hooks(), false)?;
    for number in store.waves()?.iter().map(|wave| wave.number) {
        use State as S;
        let Some(wave) = store.waves()?.into_iter().find(|wave| wave.number == number) else { continue };
        let is_next = store.waves()?.iter().take_while(|one| one.number < number).all(is_passed);
        let is_open = matches!(State::of(&wave.state), S::Running | S::Baking | S::Judging | S::Inconclusive);
        if is_open || (is_next && wave.state == WaveState::Planned) {
            judge::watch(store, request, &Snapshot::read(store)?, &wave)?;
        }
    }
    Ok(())
}

fn is_passed(wave: &WaveRecord) -> bool {
    matches!(wave.state, WaveState::Passed(_))
}

/// The points of the journal that say that runs can't be begun, and that they can again.
pub(super) const STOPPED: &str = "run.stopped";
pub(super) const GOES_ON: &str = "run.goes-on";

/// Why no run could be begun, where the last one could not.
fn stopped(store: &Store) -> Result<Option<String>, RolloutError> {
    let last = store.last_of(ROLLOUT, (STOPPED, GOES_ON))?;
    Ok(last.filter(|line| line.entry.point == STOPPED).map(|line| line.entry.detail))
}

/// A run was begun: whoever heard that none can be hears of that, too.
fn goes_on(store: &mut Store) -> Result<(), RolloutError> {
    if stopped(store)?.is_some() {
        store.note(&Entry::of(GOES_ON, ROLLOUT, "a run was begun again"))?;
    }
    Ok(())
}

/// Whoever is advanced alone may have to wait for others: a run of the same helps nobody.
fn say_who_comes_first(ledger: &mut Ledger, request: &Request<'_>) {
    let RunEnd::Waiting { wave, waits, reason } = &mut ledger.end else { return };
    if !waits.is_empty() {
        return;
    }
    let asked = |row: &&LedgerRow| request.only.iter().any(|only| only.as_str() == row.entity);
    *reason = match ledger.rows.iter().filter(asked).filter_map(|row| row.wave).min() {
        Some(theirs) if theirs > *wave => {
            format!("who was asked for is in wave {theirs}, and wave {wave} comes first: run without --only")
        }
        _ => "only some of it was asked for: run without --only".to_owned(),
    };
}

/// Forgets verdicts that say nothing and deliveries that failed, of one wave or of all, and
/// opens their waves again; false where there are none.
pub(super) fn open_silent(store: &mut Store, only: Option<u32>) -> Result<bool, RolloutError> {
    let snapshot = Snapshot::read(store)?;
    let (mut unverified, mut undelivered, mut waves) = (Vec::new(), Vec::new(), Vec::new());
    let asked = |wave: &&WaveRecord| only.is_none_or(|only| only == wave.number);
    for wave in snapshot.waves.iter().filter(asked) {
        if wave.state == WaveState::Planned || State::of(&wave.state).after(Move::Reopen).is_none() {
            continue;
        }
        let before = unverified.len() + undelivered.len();
        for member in &wave.members {
            let state = snapshot.deliveries.get(member).map(|record| &record.state);
            if state.is_some_and(|state| out_there(state) || state.was_out()) {
                continue;
            }
            let silent = snapshot.verdict(member).is_some_and(|verdict| {
                use VerdictKind as V;
                matches!(verdict.kind, V::Infra | V::NoData | V::BaselineBroken | V::Flaky | V::NoChange)
            });
            if silent {
                unverified.push(member.clone());
            } else if matches!(state, Some(DeliveryState::Failed(_) | DeliveryState::Refused(_))) {
                undelivered.push(member.clone());
            }
        }
        if unverified.len() + undelivered.len() > before {
            waves.push(wave);
        }
    }
    let moves = moves_of(&waves, Move::Reopen, "some of it is tried again")?;
    store.reopen(&moves, &unverified, &undelivered)?;
    Ok(!waves.is_empty())
}

fn advance(store: &mut Store, request: &Request<'_>) -> Result<(), RolloutError> {
    finish_rollbacks(store, &request.hooks(), false)?;
    if !request.only.is_empty() {
        let all: Vec<String> = store.waves()?.into_iter().flat_map(|wave| wave.members).collect();
        verify(store, request, &all)?;
    }
    let numbers: Vec<u32> = store.waves()?.iter().map(|wave| wave.number).collect();
    let mut open = true;
    for number in numbers {
        heed_all(store, request)?;
        let waves = store.waves()?;
        // What was heeded may have taken an earlier one back.
        open &= waves.iter().filter(|wave| wave.number < number).all(is_passed);
        // Another one may have taken all of it over.
        if let Some(wave) = waves.into_iter().find(|wave| wave.number == number) {
            open = advance_or_watch(store, request, wave, open)?;
        }
    }
    heed_all(store, request)
}

/// Does what people asked of this run.
fn heed_all(store: &mut Store, request: &Request<'_>) -> Result<(), RolloutError> {
    heed(store, &request.migration.rollout.gates, &request.hooks())
}

/// Advances a wave, or watches what is out of it where an earlier one has not passed or a
/// person wants nothing new to be begun; true where the next one may open.
fn advance_or_watch(
    store: &mut Store,
    request: &Request<'_>,
    wave: WaveRecord,
    open: bool,
) -> Result<bool, RolloutError> {
    let wave = if open { fill_up(store, request, wave)? } else { wave };
    Ok(match wave.state {
        WaveState::Passed(_) => open,
        WaveState::Failed(_) | WaveState::RolledBack(_) | WaveState::RollingBack(_) => false,
        // Its gates are asked again, and it goes on only where they pass.
        WaveState::Inconclusive(_) if is_whole(&Snapshot::read(store)?, &wave) => {
            judge_wave(store, request, wave.number)? && open
        }
        WaveState::Baking | WaveState::Judging => judge_wave(store, request, wave.number)? && open,
        WaveState::Planned | WaveState::Running | WaveState::Inconclusive(_) => {
            if open && !is_paused(store)? {
                return advance_wave(store, request, &wave);
            }
            if open || wave.state != WaveState::Planned {
                judge::watch(store, request, &Snapshot::read(store)?, &wave)?;
            }
            false
        }
    })
}

/// A person wants nothing new to be begun.
pub(super) fn is_paused(store: &Store) -> Result<bool, RolloutError> {
    Ok(store.decision(DecisionKind::Pause, ROLLOUT)?.is_some())
}

/// How long what gates said of the wave before holds while the next one is verified, in seconds.
const WATCHED_FOR: i64 = 60;

/// Verifies, delivers and judges one wave; true where the next one may open.
fn advance_wave(store: &mut Store, request: &Request<'_>, wave: &WaveRecord) -> Result<bool, RolloutError> {
    // Verifying may take its time.
    let (snapshot, begun) = (Snapshot::read(store)?, store.now());
    if !judge::watch_before(store, request, &snapshot, wave)? {
        return Ok(false);
    }
    drop(snapshot);
    if wave.state != WaveState::Running {
        move_waves(store, &[wave], Move::Open, "")?;
    }
    (request.tell)(Event::WaveOpened { number: wave.number, label: &wave.label, workspaces: wave.members.len() });
    verify(store, request, &wave.members)?;
    if crate::interrupt::wanted() {
        return Ok(false);
    }
    let snapshot = Snapshot::read(store)?;
    let members: Vec<&str> = wave.members.iter().map(String::as_str).collect();
    let members: Vec<&str> = members.into_iter().filter(|member| chosen(&snapshot, request, member)).collect();
    // Nothing new goes out while what is out already fails, of this wave or of the one before it.
    let own = current(store, wave.number)?;
    let fails = judge::fails(request, &snapshot, wave) || judge::fails_so_far(store, request, &snapshot, &own)?;
    let is_late = store.now() - begun > WATCHED_FOR;
    if !fails && is_late && !judge::watch_before(store, request, &snapshot, &own)? {
        return Ok(false);
    }
    let mut waits = ship_all(store, request, &snapshot, wave.number, (&members, fails))?;
    if fails && !crate::interrupt::wanted() {
        judge::give_up(store, request, wave.number)?;
        return Ok(false);
    }
    let snapshot = Snapshot::read(store)?;
    if !is_whole(&snapshot, wave) {
        let wave = current(store, wave.number)?;
        // Not all of it has to be out before somebody hears of what can't be.
        waits.splice(..0, undelivered(&snapshot, &wave));
        note_waits(store, &wave, &waits)?;
        judge::watch(store, request, &snapshot, &wave)?;
        return Ok(false);
    }
    move_waves(store, &[&current(store, wave.number)?], Move::Whole, "")?;
    judge_wave(store, request, wave.number)
}

/// What of a wave could not be delivered, for a person to look at.
fn undelivered(snapshot: &Snapshot, wave: &WaveRecord) -> Option<Wait> {
    let failed = |id: &&String| match snapshot.deliveries.get(*id).map(|record| &record.state) {
        Some(DeliveryState::Failed(why)) if snapshot.excluded(id).is_none() => Some(((*id).clone(), why.clone())),
        _ => None,
    };
    let failed: Vec<(String, String)> = wave.members.iter().filter_map(|id| failed(&id)).collect();
    let (first, why) = failed.first()?;
    let why = format!(
        "{} could not be delivered, first {first} ({why}): mend that, then `gander run --retry`, or `gander exclude` it",
        failed.len()
    );
    Some(Wait { what: WaitFor::Person, until: None, why, maker: None })
}

/// A wave as it is recorded now.
pub(super) fn current(store: &Store, number: u32) -> Result<WaveRecord, RolloutError> {
    let found = store.waves()?.into_iter().find(|wave| wave.number == number);
    found.ok_or_else(|| RolloutError::NoSuch { what: format!("wave {number}") })
}

/// Every member has a verdict and an end to its delivery.
pub(super) fn is_whole(snapshot: &Snapshot, wave: &WaveRecord) -> bool {
    wave.members.iter().all(|member| {
        let state = snapshot.deliveries.get(member).map(|record| &record.state);
        let ended = !matches!(
            state,
            None | Some(DeliveryState::Waiting | DeliveryState::Superseded | DeliveryState::Delivering)
        );
        // Whom a person has excluded needs no verdict.
        let judged = snapshot.verdict(member).is_some() || snapshot.excluded(member).is_some();
        // What a person has approved since is still to go out.
        let approved = snapshot.deliveries.get(member).is_some_and(|record| {
            let correction = record.correction.as_ref().filter(|_| record.state == DeliveryState::Delivered);
            snapshot.approved(member, record)
                || correction.is_some_and(|kept| snapshot.has_approved(member, &kept.change_id))
        });
        judged && ended && !approved
    })
}

/// The request is about this workspace.
pub(super) fn chosen(snapshot: &Snapshot, request: &Request<'_>, workspace: &str) -> bool {
    request.only.is_empty()
        || snapshot.consumers.iter().any(|consumer| {
            consumer.workspace.as_deref() == Some(workspace)
                && request.only.iter().any(|only| only.as_str() == consumer.entity)
        })
}

/// Moves waves on together: the table is asked, and each move is in the journal.
pub(super) fn move_waves(
    store: &mut Store,
    waves: &[&WaveRecord],
    event: Move,
    reason: &str,
) -> Result<(), RolloutError> {
    Ok(store.set_waves(&moves_of(waves, event, reason)?)?)
}

/// What the table says of moving waves on, with what the journal is to say.
pub(super) fn moves_of(
    waves: &[&WaveRecord],
    event: Move,
    reason: &str,
) -> Result<Vec<(u32, WaveState, Entry)>, RolloutError> {
    let mut moves = Vec::with_capacity(waves.len());
    for wave in waves {
        let to = State::of(&wave.state).step(event, wave.number)?;
        let entry = Entry::of(format!("wave.{}", event.as_str()), format!("wave {}", wave.number), reason)
            .moving(wave.state.as_str(), to.as_str());
        moves.push((wave.number, to.because(reason.to_owned()), entry));
    }
    Ok(moves)
}
