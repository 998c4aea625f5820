//! Ties a state to a migration and a plan, plans its waves, and notices when
//! either changed under a rollout that has begun.

use std::collections::{BTreeMap, BTreeSet};

use super::driver::move_waves;
use super::kept::{Kept, Still, kept_waves};
use super::machine::consumer::State;
use super::machine::wave::Event as Move;
use super::moved;
use super::reopen;
use super::supersede::{self, Turned};
use super::units::units_of;
use super::waves::{self, Earlier, Unit};
use super::{Request, RolloutError};
use crate::config::Migration;
use crate::digest::{Digest, DigestBuilder};
use crate::state::{
    Binding, ConsumerRecord, DeliveryRecord, DeliveryState, Entry, Store, Terms, WaveRecord, WaveState, WorkspaceRecord,
};
use crate::transform::{Transformed, WorkspacePlan};
use crate::workspace::{Pin, Source, Workspace};

/// Ties `store` to what is asked for, unless it is already. What moved since is made anew;
/// what changed in the migration itself is taken in only where that is asked for.
pub(super) fn bind(store: &mut Store, request: &Request<'_>) -> Result<(), RolloutError> {
    let fresh = workspace_records(request)?;
    let found = store.binding()?;
    let before: BTreeMap<String, WorkspaceRecord<WorkspacePlan>> = store.workspaces()?;
    if let Some(found) = &found
        && found.migration != request.migration.id
    {
        return Err(RolloutError::OtherMigration { found: found.migration.clone() });
    }
    let began = |waves: &[WaveRecord]| waves.iter().any(|w| w.state != WaveState::Planned);
    let asked = binding(request, found.as_ref(), &fresh);
    let another = found.as_ref().filter(|found| !same_migration(found, &asked));
    if let Some(found) = another
        && began(&store.waves()?)
        && !request.replan
    {
        return Err(RolloutError::Changed { what: what_changed(store, found, &asked)? });
    }
    let another = another.is_some();
    let turned = supersede::turn_all(store, request, &before, fresh)?;
    if another && !turned.stuck.is_empty() {
        let stuck: BTreeSet<&str> = turned.stuck.iter().map(String::as_str).collect();
        return Err(RolloutError::Delivered { workspaces: some_of(&stuck) });
    }
    let workspaces = &turned.records;
    let wanted = binding(request, found.as_ref(), workspaces);
    let same_fleet =
        found.as_ref().is_some_and(|found| same_migration(found, &wanted) && found.plan_digest == wanted.plan_digest);
    // What goes out all the same has its wave to be in.
    let same_fleet = same_fleet && turned.over.is_empty();
    if same_fleet
        && workspaces.iter().all(|now| before.get(&now.place.id).is_some_and(|old| same_place(&old.place, &now.place)))
    {
        return Ok(());
    }
    moved::carry_over(store, &consumer_records(request), &|id| before.contains_key(id))?;
    let (departed, departed_consumers) = departed(store, &before, workspaces)?;
    let consumers = together(consumer_records(request), departed_consumers);
    let all: Vec<WorkspaceRecord<&WorkspacePlan>> = workspaces.iter().chain(&departed).cloned().collect();
    let waves = store.waves()?;
    if same_fleet {
        // The whole fleet was moved to another folder: the same bytes, elsewhere.
        store.bind(&wanted, &consumers, &all, &waves, &[])?;
        return Ok(());
    }
    let begun = began(&waves);
    let (waves, forgotten) = match &found {
        // What was taken back opens again for its own reasons, not by being planned anew.
        Some(_) if begun && !another && (!request.replan || waves.iter().any(reopen::is_back)) => {
            going_on(store, request, waves, &turned, &departed)?
        }
        _ => {
            let still = Still::of(store, found.as_ref().zip(Some(&wanted)), (&before, &turned))?;
            let (kept, forgotten) = kept_waves(store, workspaces, &still)?;
            let known = if begun { Some(&before) } else { None };
            (all_waves(request, workspaces, kept, known), forgotten)
        }
    };
    mark_departed(store, &departed)?;
    if another && begun {
        end_approvals(store, &waves)?;
    }
    store.bind(&wanted, &consumers, &all, &waves, &forgotten)?;
    Ok(())
}

/// Who approved a wave has seen it under another migration, also where nothing of it is made anew.
fn end_approvals(store: &mut Store, waves: &[WaveRecord]) -> Result<(), RolloutError> {
    let open = waves.iter().filter(|wave| !matches!(wave.state, WaveState::Passed(_)));
    for wave in open {
        store.unapprove(wave.number, "the migration is another one since it was approved")?;
    }
    Ok(())
}

fn same_migration(found: &Binding, wanted: &Binding) -> bool {
    found.migration_digest == wanted.migration_digest
}

/// Names how change sets are verified. Of a file that says the same as when it was bound it is what
/// it was then: a later gander may name that otherwise, and nobody changed anything.
pub(super) fn verify_digest(found: Option<&Binding>, migration: &Migration) -> Digest {
    let same = found.filter(|found| found.migration_digest == migration.digest);
    same.map_or(migration.verify_digest, |found| found.verify_digest)
}

/// Puts on record whose consumer is in no source any more, and whose came back.
fn mark_departed(store: &mut Store, departed: &[WorkspaceRecord<&WorkspacePlan>]) -> Result<(), RolloutError> {
    let gone: BTreeSet<&str> = departed.iter().map(|record| record.place.id.as_str()).collect();
    for (id, record) in store.deliveries()? {
        let is_gone = gone.contains(id.as_str());
        if record.departed != is_gone {
            let what = if is_gone { "no source names it any more, or names another place" } else { "it is back" };
            let entry = Entry::of(if is_gone { "depart" } else { "return" }, &*id, what);
            store.record_delivery(&id, &DeliveryRecord { departed: is_gone, ..record }, &entry)?;
        }
    }
    Ok(())
}

/// Workspaces whose change set is out and that are in no fleet any more, with their
/// consumers: what was delivered stays on record, so that it can be taken back.
fn departed<'b>(
    store: &Store,
    before: &'b BTreeMap<String, WorkspaceRecord<WorkspacePlan>>,
    now: &[WorkspaceRecord<&WorkspacePlan>],
) -> Result<(Vec<WorkspaceRecord<&'b WorkspacePlan>>, Vec<ConsumerRecord>), RolloutError> {
    let present: BTreeSet<&str> = now.iter().map(|w| w.place.id.as_str()).collect();
    let deliveries = store.deliveries()?;
    // What was merged under a correction that its owner threw away is out all the same.
    let is_out = |record: &DeliveryRecord| out_there(&record.state) || record.over.is_some();
    let out = |id: &str| !present.contains(id) && deliveries.get(id).is_some_and(is_out);
    let departed = before.values().filter(|old| out(&old.place.id)).map(|old| WorkspaceRecord {
        place: old.place.clone(),
        pin: old.pin.clone(),
        plan: &old.plan,
        plan_digest: old.plan_digest,
    });
    let mut consumers = store.consumers()?;
    consumers.retain(|one| one.workspace.as_deref().is_some_and(out));
    Ok((departed.collect(), consumers))
}

/// Those of the fleet, and those who left. Whoever has moved is both: what was delivered
/// where their code lay is on record under a name that tells the place.
fn together(now: Vec<ConsumerRecord>, mut departed: Vec<ConsumerRecord>) -> Vec<ConsumerRecord> {
    let present: BTreeSet<&str> = now.iter().map(|one| one.entity.as_str()).collect();
    for one in departed.iter_mut().filter(|one| present.contains(one.entity.as_str())) {
        one.entity = format!("{} (at {})", one.entity, one.workspace.as_deref().unwrap_or_default());
    }
    [now, departed].concat()
}

/// The waves as they stand, without those who left before they got anything. Whoever is
/// made anew stays in its wave where that has not passed, which is judged anew with it, and joins
/// the next one that is open where it has; newcomers join the last one where that was not opened.
/// Where there is none, one comes after them.
fn going_on(
    store: &mut Store,
    request: &Request<'_>,
    mut waves: Vec<WaveRecord>,
    turned: &Turned<'_>,
    departed: &[WorkspaceRecord<&WorkspacePlan>],
) -> Result<(Vec<WaveRecord>, Vec<String>), RolloutError> {
    let deliveries = store.deliveries()?;
    let now: BTreeMap<&str, &WorkspacePlan> = turned.records.iter().map(|w| (w.place.id.as_str(), w.plan)).collect();
    let gone: BTreeSet<&str> = departed.iter().map(|w| w.place.id.as_str()).collect();
    let is_out = |id: &str| deliveries.get(id).is_some_and(|record| out_there(&record.state));
    let stays = |id: &str| {
        gone.contains(id) || now.get(id).is_some_and(|plan| deliverable(plan) || deliveries.contains_key(id))
    };
    let here = |id: &str| gone.contains(id) || now.contains_key(id);
    let mut forgotten: Vec<String> = deliveries.keys().filter(|id| !here(id)).cloned().collect();
    forgotten.extend(turned.anew.iter().cloned());
    let again: BTreeSet<&str> = turned.anew.iter().chain(&turned.over).map(String::as_str).collect();
    let open =
        |wave: &WaveRecord| matches!(wave.state, WaveState::Planned | WaveState::Running | WaveState::Inconclusive(_));
    let wanted = |id: &str| now.get(id).is_some_and(|plan| deliverable(plan));
    reopen_judged(store, &mut waves, &|id| again.contains(id) && wanted(id))?;
    let mut moving: BTreeSet<String> = BTreeSet::new();
    for wave in &mut waves {
        // Who did not pass is tried again where it stands.
        let stays_put = open(wave) || reopen::is_back(wave);
        wave.members.retain(|id| {
            let again = again.contains(id.as_str());
            if again && wanted(id) && !stays_put {
                moving.insert(id.clone());
                return false;
            }
            stays(id) && (!again || wanted(id) || is_out(id))
        });
    }
    let ended = |wave: &WaveRecord| matches!(wave.state, WaveState::Passed(_)) || reopen::is_back(wave);
    waves.retain(|wave| !wave.members.is_empty() || ended(wave));
    let standing: BTreeSet<&str> = waves.iter().flat_map(|wave| &wave.members).map(String::as_str).collect();
    let plans: Vec<&WorkspacePlan> = turned.records.iter().map(|w| w.plan).collect();
    let rollout = &request.migration.rollout;
    let mut new: Vec<Unit> = units_of(&rollout.lineup, request.fleet, &plans).into_values().collect();
    new.retain(|unit| !standing.contains(unit.workspace.as_str()));
    waves::order(&mut new, &rollout.first, &rollout.seed, &request.migration.id);
    let (moving, new): (Vec<String>, Vec<String>) =
        new.into_iter().map(|unit| unit.workspace).partition(|id| moving.contains(id));
    let label = free_tail(store, &mut waves)?.unwrap_or_else(|| "100%".to_owned());
    // Nothing new goes out beside what can't be told.
    let takes = |wave: &WaveRecord| matches!(wave.state, WaveState::Planned | WaveState::Running);
    let next = waves.iter().position(takes);
    join(&mut waves, next, (moving, &label));
    // Of a wave that is at work its size has said how many it may be.
    let last = waves.len().checked_sub(1).filter(|last| waves[*last].state == WaveState::Planned);
    join(&mut waves, last, (new, "100%"));
    Ok((waves, forgotten))
}

/// Opens waves that bake or are judged, and of which somebody is made anew: they are judged with that.
fn reopen_judged(
    store: &mut Store,
    waves: &mut [WaveRecord],
    is_anew: &dyn Fn(&str) -> bool,
) -> Result<(), RolloutError> {
    let unwhole = |wave: &WaveRecord| {
        matches!(wave.state, WaveState::Baking | WaveState::Judging) && wave.members.iter().any(|id| is_anew(id))
    };
    let reopened: Vec<&WaveRecord> = waves.iter().filter(|wave| unwhole(wave)).collect();
    move_waves(store, &reopened, Move::Reopen, "some of it is made anew, and it is judged with that")?;
    for wave in waves.iter_mut().filter(|wave| unwhole(wave)) {
        (wave.state, wave.since) = (WaveState::Running, None);
    }
    Ok(())
}

/// Takes away the waves at the end that passed, and of which everybody has gone on to another one since: whoever is
/// made anew time and again has one wave, and not one each time. What it was called, where it was one.
fn free_tail(store: &mut Store, waves: &mut Vec<WaveRecord>) -> Result<Option<String>, RolloutError> {
    let (mut label, mut count) = (None, 0);
    while let Some(last) = waves.pop_if(|wave| wave.members.is_empty() && matches!(wave.state, WaveState::Passed(_))) {
        store.unapprove(last.number, "everybody of it has gone on to another wave")?;
        (label, count) = (Some(last.label), count + 1);
    }
    Ok(label.filter(|_| count == 1))
}

/// Adds members to a wave, or a wave of them after the others.
fn join(waves: &mut Vec<WaveRecord>, index: Option<usize>, (members, label): (Vec<String>, &str)) {
    if members.is_empty() {
        return;
    }
    match index.and_then(|index| waves.get_mut(index)) {
        Some(wave) => wave.members.extend(members),
        None => {
            let number = waves.last().map_or(1, |wave| wave.number + 1);
            waves.push(WaveRecord::planned(number, label.to_owned(), members));
        }
    }
}

fn workspace_records<'a>(request: &Request<'a>) -> Result<Vec<WorkspaceRecord<&'a WorkspacePlan>>, RolloutError> {
    let (places, plans) = (&request.fleet.workspaces, &request.plan.workspaces);
    if places.len() != plans.len() {
        return Err(RolloutError::OtherFleet { planned: plans.len(), found: places.len() });
    }
    let pairs = places.iter().zip(plans);
    pairs
        .map(|(place, plan)| {
            Ok(WorkspaceRecord { place: place.clone(), pin: plan.pin.clone(), plan, plan_digest: plan_digest(plan)? })
        })
        .collect()
}

fn same_place(old: &Workspace, now: &Workspace) -> bool {
    let git = |place: &Workspace| place.git.as_ref().map(|git| (git.toplevel.clone(), git.prefix.clone()));
    old.root == now.root && old.origin == now.origin && git(old) == git(now)
}

/// Names the change of one workspace: its bytes, its files and its findings. A
/// commit elsewhere in its repository changes none of them.
fn plan_digest(plan: &WorkspacePlan) -> Result<Digest, RolloutError> {
    let bytes = plan.pin.as_ref().map(Pin::key).unwrap_or_default();
    let text = serde_json::to_vec(&WorkspacePlan { pin: None, ..plan.clone() })?;
    Ok(DigestBuilder::new("gander.workspace-plan").field(bytes).field(text).finish())
}

fn consumer_records(request: &Request<'_>) -> Vec<ConsumerRecord> {
    let record = |consumer: &crate::workspace::Consumer| {
        let (workspace, unresolved) = match &consumer.source {
            Source::Workspace(index) => match request.fleet.workspaces.get(*index) {
                Some(workspace) => (Some(workspace.id.clone()), None),
                None => (None, Some("its workspace is not in the fleet".to_owned())),
            },
            Source::Unresolved(reason) => (None, Some(reason.clone())),
        };
        ConsumerRecord {
            entity: consumer.entity.to_string(),
            owner: consumer.owner.as_ref().map(ToString::to_string),
            workspace,
            unresolved,
            lifecycle: consumer.lifecycle.clone(),
            upstream: request
                .fleet
                .upstream
                .get(&consumer.entity)
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect(),
        }
    };
    request.fleet.consumers.iter().map(record).collect()
}

fn binding(request: &Request<'_>, found: Option<&Binding>, workspaces: &[WorkspaceRecord<&WorkspacePlan>]) -> Binding {
    let mut plan = DigestBuilder::new("gander.fleet-plan");
    for workspace in workspaces {
        plan = plan.field(&workspace.place.id).field(workspace.plan_digest.as_bytes());
    }
    for consumer in consumer_records(request) {
        plan = plan
            .field(consumer.entity)
            .field(consumer.owner.unwrap_or_default())
            .field(consumer.workspace.unwrap_or_default())
            .field(consumer.unresolved.unwrap_or_default());
    }
    Binding {
        migration: request.migration.id.clone(),
        migration_digest: request.migration.digest,
        plan_digest: plan.finish(),
        verify_digest: verify_digest(found, request.migration),
        terms: terms_of(request),
    }
}

/// What a rollout rests on besides its change sets, by name.
fn terms_of(request: &Request<'_>) -> Terms {
    let migration = request.migration;
    let mut delivery = DigestBuilder::new("gander.delivery").field(migration.delivery_digest.as_bytes());
    for rule in request.review {
        delivery = delivery.field(rule);
    }
    let (gates, delivery) = (Some(migration.gates_digest), Some(delivery.finish()));
    Terms { file: Some(file_of(migration)), gates, delivery }
}

fn what_changed(store: &Store, found: &Binding, wanted: &Binding) -> Result<String, RolloutError> {
    let file = store.bound_terms(&found.migration)?.file;
    Ok(match (file, &wanted.terms.file) {
        (Some(file), Some(now)) if file != *now => format!(
            "this state is that of {file}, which has the same id: give this migration an id of its own, unless it is \
             that one by another name; it changed"
        ),
        _ => "the migration file, a rule or a mapping changed".to_owned(),
    })
}

/// A migration file as it is named where its state lies: beside it, whatever folder both are moved
/// to.
fn file_of(migration: &Migration) -> String {
    let folder = migration.file.parent().unwrap_or(std::path::Path::new(""));
    let file = match migration.state.starts_with(folder) {
        true => migration.file.strip_prefix(folder).unwrap_or(&migration.file),
        false => &migration.file,
    };
    file.display().to_string()
}

fn some_of(names: &BTreeSet<&str>) -> String {
    let shown: Vec<&str> = names.iter().take(5).copied().collect();
    match names.len() {
        count if count > shown.len() => {
            format!("{} and {} more", shown.join(", "), count - shown.len())
        }
        _ => shown.join(", "),
    }
}

/// The change set is in the consumer's hands, or may be.
pub fn out_there(state: &DeliveryState) -> bool {
    State::of_delivery(state).is_out()
}

pub(super) fn deliverable(plan: &WorkspacePlan) -> bool {
    let changes = matches!(plan.result, Transformed::Changed | Transformed::Annotated(_));
    changes && !plan.files.is_empty()
}

/// The waves that stand, and new ones for everything else; where a rollout was begun,
/// those that it does not know come last.
fn all_waves(
    request: &Request<'_>,
    workspaces: &[WorkspaceRecord<&WorkspacePlan>],
    Kept { waves: mut kept, back }: Kept,
    known: Option<&BTreeMap<String, WorkspaceRecord<WorkspacePlan>>>,
) -> Vec<WaveRecord> {
    let plans: Vec<&WorkspacePlan> = workspaces.iter().map(|w| w.plan).collect();
    let units = units_of(&request.migration.rollout.lineup, request.fleet, &plans);
    let standing: BTreeSet<&str> = kept.iter().flat_map(|w| &w.members).map(String::as_str).collect();
    let (settled, mut free): (Vec<Unit>, Vec<Unit>) =
        units.into_values().partition(|unit| standing.contains(unit.workspace.as_str()));
    // A wave that did not pass stands for none of the sizes: those that come again begin small.
    let counts: BTreeSet<&str> = kept
        .iter()
        .filter(|wave| !back.contains(&wave.number))
        .flat_map(|wave| &wave.members)
        .map(String::as_str)
        .collect();
    let counted = settled.iter().filter(|unit| counts.contains(unit.workspace.as_str()));
    let last = |wanted: &dyn Fn(&&WaveRecord) -> bool| kept.iter().filter(wanted).map(|wave| wave.number).max();
    let earlier = Earlier {
        waves: last(&|wave| !back.contains(&wave.number)).unwrap_or(0),
        consumers: counted.map(|unit| unit.consumers.len() as u64).sum(),
    };
    let beyond = last(&|_| true).unwrap_or(0) - earlier.waves;
    let rollout = &request.migration.rollout;
    // Newcomers come last.
    for unit in &mut free {
        let new = known.is_some_and(|known| !known.contains_key(&unit.workspace));
        unit.tail |= new;
        unit.lead = unit.lead.filter(|_| !new);
    }
    waves::order(&mut free, &rollout.first, &rollout.seed, &request.migration.id);
    let new = waves::fill(&rollout.waves, &free, earlier);
    kept.extend(new.into_iter().map(|wave| WaveRecord::planned(wave.number + beyond, wave.label, wave.members)));
    kept
}
