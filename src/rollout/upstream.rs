//! Who comes before whom: what makes something is out before what consumes it goes.

use std::collections::BTreeMap;

use super::bind::deliverable;
use super::snapshot::Snapshot;
use super::{Request, RolloutError};
use crate::state::{DecisionKind, DeliveryState, Store, Wait, WaitFor};
use crate::workspace::{Consumer, EntityRef, Source};

/// Whether one of `consumers` consumes what one of `makers` makes.
pub(super) fn is_below(request: &Request<'_>, makers: &[&Consumer], consumers: &[&Consumer]) -> bool {
    let upstream = |consumer: &&Consumer| request.fleet.upstream.get(&consumer.entity);
    let makes = |name: &EntityRef| makers.iter().any(|consumer| consumer.entity == *name);
    consumers.iter().filter_map(upstream).any(|all| all.iter().any(makes))
}

/// Where everybody stands, looked up once for many.
pub(super) struct Places<'s> {
    /// The wave of each workspace, and its place in that.
    waves: BTreeMap<&'s str, (u32, usize)>,
    /// The code of each consumer, by its index.
    code: BTreeMap<&'s EntityRef, usize>,
}

impl<'s> Places<'s> {
    pub(super) fn of(request: &Request<'s>, snapshot: &'s Snapshot) -> Self {
        let mut waves = BTreeMap::new();
        for wave in &snapshot.waves {
            waves.extend(wave.members.iter().enumerate().map(|(at, id)| (id.as_str(), (wave.number, at))));
        }
        let code = |one: &'s Consumer| match one.source {
            Source::Workspace(index) => Some((&one.entity, index)),
            Source::Unresolved(_) => None,
        };
        Self { waves, code: request.fleet.consumers.iter().filter_map(code).collect() }
    }
}

/// What a workspace has to wait for that is upstream of it, comes before it and is not out. What a
/// verdict, a policy, an owner or a person has the last word on is waited for no more; neither is
/// what failed in a wave that has passed. Whoever is asked for by name waits for nobody.
pub(super) fn comes_first(
    store: &Store,
    request: &Request<'_>,
    snapshot: &Snapshot,
    places: &Places<'_>,
    (id, consumers): (&str, &[&Consumer]),
) -> Result<Option<Wait>, RolloutError> {
    if request.fleet.upstream.is_empty() || !request.only.is_empty() {
        return Ok(None);
    }
    let Some(own) = places.waves.get(id) else { return Ok(None) };
    let makers = consumers.iter().filter_map(|one| request.fleet.upstream.get(&one.entity)).flatten();
    for maker in makers {
        let Some(index) = places.code.get(maker) else { continue };
        let Some(above) = request.fleet.workspaces.get(*index).map(|workspace| workspace.id.as_str()) else { continue };
        let Some(theirs) = places.waves.get(above).filter(|theirs| *theirs < own) else { continue };
        let wanted = snapshot.workspaces.get(above).is_some_and(|record| deliverable(&record.plan));
        if !wanted || store.decision(DecisionKind::Exclude, above)?.is_some() || (request.opted_out)(*index).is_some() {
            continue;
        }
        if let Some((what, why)) = not_out(store.delivery(above)?.map(|record| record.state), theirs.0 == own.0) {
            let why = format!("{maker} goes out before what consumes it: {why}");
            return Ok(Some(Wait { what, until: None, why, maker: Some(maker.to_string()) }));
        }
    }
    Ok(None)
}

/// Why something is not out that is still to go, and what that waits for.
fn not_out(state: Option<DeliveryState>, same_wave: bool) -> Option<(WaitFor, String)> {
    use DeliveryState as D;
    let upstream = |why: &str| Some((WaitFor::Upstream, why.to_owned()));
    match state {
        None | Some(D::Waiting) => upstream("it is not out yet"),
        Some(D::Delivering) => upstream("its delivery was begun and has not ended"),
        Some(D::AwaitingApproval(why)) => upstream(&why),
        Some(D::Failed(why) | D::Refused(why)) if same_wave => {
            Some((WaitFor::Person, format!("{why} (`gander run --retry`, or `gander exclude` it)")))
        }
        _ => None,
    }
}
