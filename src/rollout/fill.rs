//! A wave of which everybody is left out shows nothing, and must not open the next one:
//! others take their place.

use std::collections::BTreeMap;

use super::bind::out_there;
use super::driver::{current, move_waves};
use super::machine::wave::{Event as Move, State};
use super::{Request, RolloutError};
use crate::state::{Decision, DecisionKind, Entry, Store, WaveRecord, WaveState};
use crate::transform::Transformed;

type Decisions = BTreeMap<(DecisionKind, String), Decision>;

/// Brings as many of those who come next into a wave as it has members, where a person has
/// excluded all of them, their owners opt out, or did it themselves. Where nobody comes next, it
/// stays as it is.
pub(super) fn fill_up(store: &mut Store, request: &Request<'_>, wave: WaveRecord) -> Result<WaveRecord, RolloutError> {
    use State as S;
    if !matches!(State::of(&wave.state), S::Planned | S::Running | S::Baking | S::Judging | S::Inconclusive) {
        return Ok(wave);
    }
    let decisions = store.decisions()?;
    let left_out = |id: &String| is_left_out(request, &decisions, id);
    // The first one that takes part says so: nothing large is read for most waves.
    if wave.members.is_empty() || !wave.members.iter().all(left_out) {
        return Ok(wave);
    }
    let deliveries = store.deliveries()?;
    if wave.members.iter().any(|id| deliveries.get(id).is_some_and(|record| out_there(&record.state))) {
        return Ok(wave);
    }
    let waves = store.waves()?;
    let later = waves.iter().filter(|one| one.number > wave.number && one.state == WaveState::Planned);
    let (mut members, mut moves) = (wave.members.clone(), Vec::new());
    for one in later {
        let wanted = 2 * wave.members.len() - members.len();
        let takes_part = |member: &&String| !left_out(member);
        let taken: Vec<String> = one.members.iter().filter(takes_part).take(wanted).cloned().collect();
        if !taken.is_empty() {
            let rest = one.members.iter().filter(|member| !taken.contains(member)).cloned().collect();
            moves.push((one.number, rest));
            members.extend(taken);
        }
    }
    if moves.is_empty() {
        return Ok(wave);
    }
    if !matches!(State::of(&wave.state), S::Planned | S::Running) {
        move_waves(store, &[&wave], Move::Reopen, "others take the place of those who are left out")?;
    }
    let new = members[wave.members.len()..].join(", ");
    let why = format!("all of it are left out: {new} take their place");
    moves.insert(0, (wave.number, members));
    store.set_members(&moves, &Entry::of("wave.fill", format!("wave {}", wave.number), why).resting_on(&moves))?;
    current(store, wave.number)
}

/// A person has excluded it, its owners opt out, or there is nothing to change in it any more.
fn is_left_out(request: &Request<'_>, decisions: &Decisions, id: &str) -> bool {
    let index = || request.fleet.workspaces.iter().position(|workspace| workspace.id == id);
    decisions.contains_key(&(DecisionKind::Exclude, id.to_owned()))
        || index().is_some_and(|index| {
            request.plan.workspaces[index].result == Transformed::Unchanged || (request.opted_out)(index).is_some()
        })
}
