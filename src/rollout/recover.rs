//! A state that was lost, rebuilt as far as the world tells: by branches and the change ids
//! in their commits, by what was merged, by files in place, by the folders of change sets.
//! What nobody can tell is not guessed: it is verified and judged again.

mod folders;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use world::{Scene, Story};

use super::bind::{bind, deliverable};
use super::decisions::{ROLLOUT, pause};
use super::deliver::{self, trailer};
use super::rollback::BY_HAND;
use super::snapshot::Snapshot;
use super::{Request, RolloutError, record, ship, versions_of};
use crate::changeset::ChangeSet;
use crate::config::Delivery;
use crate::files;
use crate::git::{BranchFacts, GitError, Remote, Repository, Standings};
use crate::state::{DeliveryRecord, DeliveryState, Entry, Phase, Store, WaveState};
use crate::transform::{Plan, Transformed, WorkspacePlan};
use crate::workspace::{FileVersion, GitPlace, Pin, Workspace};

/// What was found of one workspace.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Recovered {
    /// The workspace.
    pub workspace: String,
    /// Where it stands now.
    pub state: String,
    /// What tells so.
    pub because: String,
    /// gander was asked to take it back, once it was merged.
    pub back: bool,
}

/// Why nothing new goes out after a recovery: some of it was taken back, and what was withdrawn in the same go has
/// left no trace that tells it from what was never out.
pub fn held_after(found: &[Recovered]) -> Option<String> {
    let mut back = found.iter().filter(|one| one.back);
    let first = back.next()?;
    let more = match back.count() {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    Some(format!(
        "a rollback was under way, or over, when the state was lost ({} is {}{more}), and what it withdrew can't be told \
         from what was never out: nothing new goes out before `gander resume`",
        first.workspace, first.state
    ))
}

/// Binds a new state and records what the world tells of deliveries: commits first, and by what
/// the rules make now where they tell nothing. Waves that some of it
/// belongs to are open: they are verified and judged again by the next run. One that was
/// killed, or could not see all of it, begins again.
///
/// # Errors
/// [`RolloutError::Undecidable`] where the state is not lost, and where it can't be written.
pub fn recover(store: &mut Store, request: &Request<'_>) -> Result<Vec<Recovered>, RolloutError> {
    if store.binding()?.is_some() && !is_half_done(store)? {
        return Err(RolloutError::Undecidable(
            "the state is there: `gander status` shows it, and `gander run` goes on with it; where a run began it \
             anew over a lost one, move the state folder away first"
                .to_owned(),
        ));
    }
    if let Some(other) = store.binding()?.filter(|found| found.migration != request.migration.id) {
        return Err(RolloutError::OtherMigration { found: other.migration });
    }
    let (mut stories, mut unseen) = stories(request, store.folder());
    let plan = told_plan(request, &stories);
    let request = &Request { plan: &plan, ..*request };
    let run = store.begin_run()?;
    let begun = Entry { phase: Phase::Intent, ..Entry::of(RECOVERY, ROLLOUT, "") };
    // What one that was not done has found is found again, by the migration file as it is by now.
    store.begin_anew(&begun)?;
    bind(store, request)?;
    let snapshot = Snapshot::read(store)?;
    let wave_of: BTreeMap<&str, u32> = snapshot
        .waves
        .iter()
        .flat_map(|wave| wave.members.iter().map(|member| (member.as_str(), wave.number)))
        .collect();
    let mut found = Vec::new();
    let mut touched: BTreeSet<u32> = BTreeSet::new();
    for (index, place) in request.fleet.workspaces.iter().enumerate() {
        let plan = &request.plan.workspaces[index];
        let wave = wave_of.get(place.id.as_str()).copied().filter(|_| deliverable(plan));
        let Some(wave) = wave.filter(|_| !unseen.contains_key(&index)) else { continue };
        let done = match stories.remove(&index) {
            Some(story) => Some(as_told(store, request, (index, wave), story)?),
            None => match as_looked(store, request, (index, wave))? {
                Ok(done) => done,
                Err(why) => {
                    unseen.insert(index, why);
                    None
                }
            },
        };
        if let Some(done) = done {
            touched.insert(wave);
            found.push(done);
        }
    }
    open_again(store, &snapshot, touched.last().copied().unwrap_or(0))?;
    if let Some(why) = held_after(&found) {
        pause(store, &why)?;
    }
    if unseen.is_empty() {
        store.note(&Entry::of(RECOVERY, ROLLOUT, ""))?;
    }
    // Until it is seen, nothing is begun: it would be taken for not delivered.
    found.extend(unseen.into_iter().map(|(index, because)| {
        let workspace = request.fleet.workspaces[index].id.clone();
        Recovered { workspace, state: UNKNOWN.to_owned(), because, back: false }
    }));
    found.sort_by(|a, b| a.workspace.cmp(&b.workspace));
    store.end_run(run, &super::ledger(store)?.end)?;
    Ok(found)
}

/// What the commits of repositories tell, by the indices of workspaces, and where they can't
/// be asked, with why.
fn stories(request: &Request<'_>, state: &std::path::Path) -> (BTreeMap<usize, Story>, BTreeMap<usize, String>) {
    let (mut told, mut unseen) = (BTreeMap::new(), BTreeMap::new());
    let how = request.migration.deliver.how;
    if how == Delivery::Checkout {
        for (index, place) in request.fleet.workspaces.iter().enumerate() {
            let blank = record::blank_record(request, 0, &place.id, &ChangeSet::new(&[], ""));
            match folders::tell(state, place, &blank) {
                Ok(story) => told.extend(story.map(|story| (index, story))),
                Err(why) => drop(unseen.insert(index, why)),
            }
        }
    }
    if !matches!(how, Delivery::Branch | Delivery::Push) {
        return (told, unseen);
    }
    let mut scenes: BTreeMap<PathBuf, Result<Option<Scene>, String>> = BTreeMap::new();
    for (index, place) in request.fleet.workspaces.iter().enumerate() {
        let Some(git) = &place.git else { continue };
        let scene = scenes
            .entry(git.toplevel.clone())
            .or_insert_with(|| Scene::of(request, git, how).map_err(|error| error.to_string()));
        let blank = record::blank_record(request, 0, &place.id, &ChangeSet::new(&[], ""));
        let story = match scene {
            Ok(None) => Ok(None),
            Ok(Some(scene)) => scene.tell(request, place, &blank).map_err(|error| error.to_string()),
            Err(why) => Err(why.clone()),
        };
        match story {
            Ok(story) => told.extend(story.map(|story| (index, story))),
            Err(why) => drop(unseen.insert(index, why)),
        }
    }
    (told, unseen)
}

/// The plan, with what was delivered in the place of what the rules make now, where that is
/// something else: of code that has it already they make nothing.
fn told_plan(request: &Request<'_>, stories: &BTreeMap<usize, Story>) -> Plan {
    let mut plan = request.plan.clone();
    for (index, story) in stories {
        let (now, Some(last)) = (&request.plan.workspaces[*index], story.made.last()) else { continue };
        let read = |path: &str| (request.read_pinned)(*index, path);
        let place = &request.fleet.workspaces[*index];
        let same = || versions_of(now, &read).is_ok_and(|made| ship::change_set(place, &made).id() == last.set.id());
        if deliverable(now) && same() {
            continue;
        }
        let file = |one: &FileVersion| {
            crate::transform::file_plan(&one.path, one.before.as_ref(), one.after.as_ref(), "recovered")
        };
        if let Ok(files) = last.versions.iter().map(file).collect::<Result<Vec<_>, _>>() {
            let (pin, result) = (Some(last.pin.clone()), Transformed::Changed);
            plan.workspaces[*index] = WorkspacePlan { pin, result, files, findings: Vec::new(), ..now.clone() };
        }
    }
    plan
}

/// Records what commits tell of a workspace: all that was made of it, to the byte.
fn as_told(
    store: &mut Store,
    request: &Request<'_>,
    (index, wave): (usize, u32),
    story: Story,
) -> Result<Recovered, RolloutError> {
    let id = request.fleet.workspaces[index].id.as_str();
    for one in &story.made {
        store.record_versions(id, &one.versions)?;
        store.keep_versions(id, &one.set.id())?;
    }
    let folder = record::blank_record(request, wave, id, &ChangeSet::new(&[], "")).folder;
    let mut record = DeliveryRecord { wave, folder, ..story.record };
    let mut because = story.because;
    record.state = match story.gone {
        None if record.revert.is_some() => DeliveryState::RollingBack,
        None => DeliveryState::Delivered,
        Some((true, why)) => {
            because = format!("{because}; {why}");
            DeliveryState::RolledBack
        }
        Some((false, why)) => {
            (record.merged, because) = (None, why.clone());
            DeliveryState::Closed(why)
        }
    };
    // Why is lost: it speaks for nothing any more, as what a person took back.
    if matches!(record.state, DeliveryState::RollingBack | DeliveryState::RolledBack) {
        BY_HAND.clone_into(&mut record.because);
    }
    let to = super::machine::consumer::State::of_delivery(&record.state);
    let entry = Entry::of("recover", id, &*because).moving("unknown", to.as_str());
    store.record_delivery(id, &record, &entry)?;
    let back = matches!(record.how, Delivery::Branch | Delivery::Push)
        && matches!(record.state, DeliveryState::RollingBack | DeliveryState::RolledBack);
    Ok(Recovered { workspace: id.to_owned(), state: record.state.as_str().to_owned(), because, back })
}

/// Records what is told of a workspace by what the rules make of it now; nothing where nothing is,
/// and why where it can't be seen.
fn as_looked(
    store: &mut Store,
    request: &Request<'_>,
    (index, wave): (usize, u32),
) -> Result<Result<Option<Recovered>, String>, RolloutError> {
    let (place, plan) = (&request.fleet.workspaces[index], &request.plan.workspaces[index]);
    let read = |path: &str| (request.read_pinned)(index, path);
    let Ok(versions) = versions_of(plan, &read) else { return Ok(Ok(None)) };
    let set = ship::change_set(place, &versions);
    let mut record = record::blank_record(request, wave, &place.id, &set);
    let lost = Lost { request, place, pin: plan.pin.as_ref(), versions: &versions, set: &set };
    let seen = match look(&lost, &mut record, store.folder()) {
        Ok(seen) => seen,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let Some((state, because)) = seen else { return Ok(Ok(None)) };
    record.state = state;
    record.recovered = true;
    record.pin.clone_from(&plan.pin);
    store.record_versions(&place.id, &versions)?;
    let to = super::machine::consumer::State::of_delivery(&record.state);
    let entry = Entry::of("recover", &*place.id, &*because).moving("unknown", to.as_str());
    store.record_delivery(&place.id, &record, &entry)?;
    let (workspace, state) = (place.id.clone(), record.state.as_str().to_owned());
    Ok(Ok(Some(Recovered { workspace, state, because, back: false })))
}

/// Everything up to the last wave of which something is out was opened once.
fn open_again(store: &mut Store, snapshot: &Snapshot, last: u32) -> Result<(), RolloutError> {
    let moves: Vec<(u32, WaveState, Entry)> = snapshot
        .waves
        .iter()
        .filter(|wave| wave.number <= last)
        .map(|wave| {
            let entry = Entry::of("wave.recover", format!("wave {}", wave.number), "what its gates saw is lost")
                .moving(wave.state.as_str(), WaveState::Running.as_str());
            (wave.number, WaveState::Running, entry)
        })
        .collect();
    Ok(store.set_waves(&moves)?)
}

/// The state of what can't be seen.
pub const UNKNOWN: &str = "unknown";

/// The point of the journal that says that a recovery was begun, and that it was done.
const RECOVERY: &str = "recovery";

pub(super) fn is_half_done(store: &Store) -> Result<bool, RolloutError> {
    let last = store.last_of(ROLLOUT, (RECOVERY, RECOVERY))?;
    Ok(last.is_some_and(|line| line.entry.phase == Phase::Intent))
}

/// What a recovery that was killed has not looked at would be taken for not delivered.
///
/// # Errors
/// [`RolloutError::Untold`] where there is such a one.
pub(super) fn is_whole(store: &Store) -> Result<(), RolloutError> {
    match is_half_done(store)? {
        false => Ok(()),
        true => Err(RolloutError::Untold(HALF_DONE.to_owned())),
    }
}

/// What is said of a state that is recovered in part.
pub(super) const HALF_DONE: &str = "a recovery was interrupted, or could not see all of it, and what is out is not \
                                    known yet: `gander recover` begins it again, by the migration file as it is by then";

/// What would be delivered, and of which nobody knows whether it was.
struct Lost<'a> {
    request: &'a Request<'a>,
    place: &'a Workspace,
    pin: Option<&'a Pin>,
    versions: &'a [FileVersion],
    set: &'a ChangeSet,
}

/// What the world tells of one delivery; nothing where it tells nothing.
fn look(
    lost: &Lost<'_>,
    record: &mut DeliveryRecord,
    state: &std::path::Path,
) -> Result<Option<(DeliveryState, String)>, GitError> {
    let request = lost.request;
    match (record.how, &lost.place.git) {
        (Delivery::Patches, _) => Ok(of_folder(state, record, lost.set)),
        (Delivery::Checkout, _) => Ok(None),
        (_, None) => Ok(None),
        (how, Some(git)) => {
            let remote = match how {
                Delivery::Push => {
                    let repository = Repository::open(&git.toplevel)?;
                    let Some(url) = repository.push_url(&request.migration.deliver.remote)? else { return Ok(None) };
                    record.into = repository.merges_into()?;
                    Some(Remote::new(&url, &request.migration.code.protocols)?)
                }
                _ => None,
            };
            record.remote = remote.as_ref().map(|remote| remote.url().to_owned());
            of_branch(lost, git, record, remote.as_ref())
        }
    }
}

fn of_branch(
    lost: &Lost<'_>,
    git: &GitPlace,
    record: &mut DeliveryRecord,
    remote: Option<&Remote>,
) -> Result<Option<(DeliveryState, String)>, GitError> {
    let Some((name, _)) = record.branch.clone() else { return Ok(None) };
    let set = lost.set;
    let prefix = format!("gander/{}/", lost.request.migration.id);
    let here = Repository::open(&git.toplevel)?;
    let known: BTreeSet<String> = match lost.pin {
        Some(Pin::Commit { commit, .. }) => BTreeSet::from([commit.clone()]),
        _ => BTreeSet::new(),
    };
    let (standings, facts): (Standings, Option<BranchFacts>) = match remote {
        Some(remote) => {
            let history = remote.history(Some(&here), record.into.as_deref(), &prefix)?;
            let (repository, head) = history.repository();
            (repository.standings(&prefix, head, &BTreeSet::new(), &known)?, remote.facts(&name)?)
        }
        None => (here.standings(&prefix, "HEAD", &BTreeSet::new(), &known)?, crate::git::find_branch(git, &name)?),
    };
    let id = set.id().to_string();
    // Only what gander would make itself is its own to delete.
    let ours = facts.as_ref().map(|facts| is_made(lost, git, facts)).transpose()? == Some(true);
    record.branch = Some((name.clone(), facts.as_ref().filter(|_| ours).map(|facts| facts.commit.clone())));
    if let deliver::Named::In(commit) = deliver::named(&standings, &set.id()) {
        record.merged = Some(commit.clone());
        return Ok(Some((DeliveryState::Delivered, format!("its change is in {commit}"))));
    }
    let Some(facts) = facts else {
        // Squashed under a message of its owner's, and its branch deleted: its files tell.
        let merged = deliver::merged_as_files(lost.place, record, lost.versions);
        return match merged {
            Ok(None) => Ok(None),
            Ok(Some(head)) => {
                record.merged = Some(head.clone());
                Ok(Some((DeliveryState::Delivered, format!("its files are in {head} as it leaves them"))))
            }
            Err(obstacle) => Err(GitError::Away { url: name, why: obstacle.into_reason() }),
        };
    };
    if ours {
        return Ok(Some((DeliveryState::Delivered, format!("the branch {name} holds its change {id}"))));
    }
    if facts.message.contains(&trailer(&set.id())) {
        let why = format!("its owner made the commit on the branch {name} anew");
        return Ok(Some((DeliveryState::Edited(why.clone()), why)));
    }
    let why = other_content(&name, &facts.message, &standings);
    Ok(Some((DeliveryState::Conflict(why.clone()), why)))
}

/// What is said of the branch of a change set that holds something else, by the message of its commit.
fn other_content(name: &str, message: &str, standings: &Standings) -> String {
    let named: Vec<&str> = crate::git::changes_named(message).collect();
    match named.is_empty() {
        true => format!("the branch {name} is not gander's any more"),
        // Of a shared branch that this one was taken out of, before the others were merged.
        false if named.iter().all(|change| standings.named.contains_key(*change)) => {
            format!("the branch {name} holds what others have merged, and nothing of it: delete the branch and retry")
        }
        false => format!("the branch {name} holds another change of gander's: compare it, then delete it and retry"),
    }
}

/// Whether a branch holds exactly what gander makes of the change set.
fn is_made(lost: &Lost<'_>, git: &GitPlace, facts: &BranchFacts) -> Result<bool, GitError> {
    let Some(Pin::Commit { commit, .. }) = lost.pin else { return Ok(false) };
    let place = GitPlace { commit: commit.clone(), ..git.clone() };
    let same = facts.message == record::message(lost.request, lost.set).trim_end();
    Ok(same && deliver::is_ours(&place, lost.versions, &lost.set.id(), facts)?)
}

/// A folder of a change set tells of a delivery of patches.
fn of_folder(state: &std::path::Path, record: &mut DeliveryRecord, set: &ChangeSet) -> Option<(DeliveryState, String)> {
    let name = record.folder.rsplit('/').next()?.to_owned();
    let folders = std::fs::read_dir(state.join("change-sets")).ok()?;
    let mut waves: Vec<String> = folders.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    waves.retain(|wave| wave.starts_with("wave-"));
    waves.sort();
    for wave in waves {
        let folder = format!("change-sets/{wave}/{name}");
        let patch = files::read_below(state, &format!("{folder}/change.patch")).ok().flatten();
        if patch.is_some_and(|patch| patch.bytes == set.change) {
            record.folder.clone_from(&folder);
            let withdrawn = state.join(&folder).join(deliver::WITHDRAWN).is_file();
            let back = if withdrawn { DeliveryState::RolledBack } else { DeliveryState::Delivered };
            return Some((back, format!("its patches lie in {folder}")));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_that_holds_something_else_is_said_to_hold_what_it_holds() {
        let trailer = |change: &str| format!("{}: {change}", crate::git::TRAILER);
        let merged =
            Standings { named: BTreeMap::from([("b".to_owned(), "c0ffee".to_owned())]), ..Standings::default() };
        let both = format!("Move\n\n{}\n{}", trailer("a"), trailer("b"));
        for (message, said) in [
            ("Their own", "is not gander's any more"),
            (&*trailer("b"), "holds what others have merged, and nothing of it"),
            (&*trailer("a"), "holds another change of gander's"),
            (&*both, "holds another change of gander's"),
        ] {
            let told = other_content("gander/m/wave-1.team-x", message, &merged);
            assert!(told.contains(said), "{message}: {told}");
        }
    }
}
