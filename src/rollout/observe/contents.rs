//! What files tell of a delivery where its branch and the history don't, or say too much: a
//! squash under other words, a merge without some of it, one that its owner took back.

use std::collections::BTreeMap;

use super::branches::{Looked, NOT_MERGED, Subject};
use super::{AT_ONCE, Look, News, Seen, Sight, made, stands};
use crate::digest::Digest;
use crate::rollout::RolloutError;
use crate::rollout::deliver::{self, Obstacle, Told};
use crate::rollout::snapshot::Snapshot;
use crate::state::{DeliveryRecord, DeliveryState, Store, WaveRecord, WaveState};
use crate::workspace::{FileVersion, below};

/// The files of how many are read at once.
const CASES_AT_ONCE: usize = 256;

/// Of how many change sets that were out before, the newest ones, files tell that one is merged.
/// Commits and their words tell it of all.
pub(in crate::rollout) const EARLIER_COMPARED: usize = 50;

/// What could not be seen, with why.
type Unseen = Vec<(String, String)>;

/// One whose files are compared.
struct Case<'a> {
    subject: Subject<'a>,
    sight: Sight,
    /// Both ends of its files; of the change sets that it took the place of, too.
    versions: Vec<FileVersion>,
    earlier: Vec<(Digest, Vec<FileVersion>)>,
}

/// What files say of one, and of those that it took the place of.
struct Answer {
    head: String,
    told: Told,
    earlier: Vec<(Digest, Told)>,
    /// What the files of the commit say that names it, where those of the head don't tell.
    named: Option<Told>,
    /// Why what takes it back can't be merged any more, where its owner is asked to do so.
    stuck: Option<String>,
}

/// What became of all that was looked at, and what could not be seen, with why.
pub(super) fn settle(
    store: &Store,
    snapshot: &Snapshot,
    look: &Look<'_>,
    looked: Vec<Looked<'_>>,
) -> Result<(Vec<News>, Unseen), RolloutError> {
    let (mut news, mut unseen, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for one in looked {
        let mut cases = Vec::new();
        for (subject, sight) in one.sights {
            if is_asked(snapshot, look, &subject, &sight, one.same) {
                cases.push(case(store, subject, sight)?);
            } else if let Some(seen) = sight.seen {
                news.push(News { id: subject.id.to_owned(), seen: Some(seen), doubt: None });
            }
        }
        if !cases.is_empty() {
            groups.push((one.place, one.before, cases));
        }
    }
    for chunk in groups.chunks(AT_ONCE) {
        let answers: Vec<Result<Vec<Option<Answer>>, Obstacle>> = std::thread::scope(|scope| {
            let handles: Vec<_> =
                chunk.iter().map(|(_, before, cases)| scope.spawn(move || compare(before.as_deref(), cases))).collect();
            let failed = |_| Err(Obstacle::Failed("the comparison of its files failed".to_owned()));
            handles.into_iter().map(|handle| handle.join().unwrap_or_else(failed)).collect()
        });
        for ((place, _, cases), answers) in chunk.iter().zip(answers) {
            match answers {
                Ok(answers) => news.extend(cases.iter().zip(answers).filter_map(|(case, answer)| told(case, answer))),
                // Not known is not closed.
                Err(obstacle) => unseen.push((place.clone(), obstacle.into_reason())),
            }
        }
    }
    Ok((news, unseen))
}

/// Whether files are to be asked.
fn is_asked(snapshot: &Snapshot, look: &Look<'_>, subject: &Subject<'_>, sight: &Sight, same: bool) -> bool {
    use DeliveryState as D;
    let record = subject.record;
    if is_stuck(record) {
        // Its owner may have put the two together.
        return !same || look.closely;
    }
    if is_asked_back(record) {
        // Its owner may take it back in another way than by merging gander's revert.
        return sight.seen.is_some() || sight.named.is_some() || !same;
    }
    if record.merged.is_some() {
        return !same && matches!(record.state, D::Delivered | D::Edited(_)) && sight.seen.is_none();
    }
    if sight.named.is_some() || sight.earlier.is_some() {
        return true;
    }
    let going = |wave: &WaveRecord| {
        matches!(wave.state, WaveState::RollingBack(_)) && wave.members.iter().any(|member| member == subject.id)
    };
    match &sight.seen {
        Some(Seen::Merged(_) | Seen::Closed(_) | Seen::Undone { .. } | Seen::Replaced(_) | Seen::Freed) => true,
        Some(Seen::Earlier { .. } | Seen::Back(_) | Seen::Refused(_) | Seen::Arrived | Seen::Applied(_)) => false,
        // The same files may be their owner's own work by now: that is said.
        None if record.state == D::RolledBack => (!same || look.closely) && made(record).is_some(),
        Some(Seen::Edited(_)) | None => {
            record.state.is_thrown_away()
                || (stands(&record.state)
                    && (look.closely
                        || (record.doubt.is_some() && !same)
                        || record.state == D::RollingBack
                        || snapshot.waves.iter().any(going)))
        }
    }
}

/// Its owner is asked to merge a revert of it.
fn is_asked_back(record: &DeliveryRecord) -> bool {
    record.state == DeliveryState::RollingBack && record.revert.is_some()
}

/// Its revert could not be made, or not be merged as it was: a person may have put the two together, or taken it back
/// otherwise.
pub(super) fn is_stuck(record: &DeliveryRecord) -> bool {
    matches!(record.state, DeliveryState::Conflict(_)) && record.merged.is_some()
}

/// Both ends of all files of a delivery, with those that were merged under it.
fn all_versions(store: &Store, id: &str, record: &DeliveryRecord) -> Result<Vec<FileVersion>, RolloutError> {
    let mut files: BTreeMap<String, FileVersion> = BTreeMap::new();
    for one in std::iter::successors(Some(record), |one| one.over.as_deref()).filter(|one| one.merged.is_some()) {
        for version in store.versions_of(id, &one.change_id)? {
            match files.get_mut(&version.path) {
                Some(newer) => newer.before = version.before,
                None => drop(files.insert(version.path.clone(), version)),
            }
        }
    }
    Ok(files.into_values().collect())
}

fn case<'a>(store: &Store, subject: Subject<'a>, sight: Sight) -> Result<Case<'a>, RolloutError> {
    let record = subject.record;
    let versions = match is_asked_back(record) || is_stuck(record) {
        true => all_versions(store, subject.id, record)?,
        false => store.versions_of(subject.id, &record.change_id)?,
    };
    let mut earlier = Vec::new();
    for one in record.earlier.iter().take(EARLIER_COMPARED) {
        earlier.push((one.change_id, store.kept_versions(subject.id, &one.change_id)?));
    }
    Ok(Case { subject, sight, versions, earlier })
}

/// Compares the files of some that lie in one repository with what its owners have there.
fn compare(before: Option<&str>, cases: &[Case<'_>]) -> Result<Vec<Option<Answer>>, Obstacle> {
    let Some((git, first)) = cases.iter().find_map(|one| Some((one.subject.git?, one.subject.record))) else {
        return Ok(cases.iter().map(|_| None).collect());
    };
    let mut present = deliver::present(git, first)?;
    // Of what is merged most stays as it is, whatever else a large repository does.
    let moved = before.map(|before| present.moved_since(before)).transpose()?.flatten();
    let stays = |case: &Case<'_>, prefix: &str| {
        let is_moved =
            |version: &FileVersion| moved.as_ref().is_none_or(|moved| moved.contains(&below(prefix, &version.path)));
        let record = case.subject.record;
        record.merged.is_some() && !is_asked_back(record) && !is_stuck(record) && !case.versions.iter().any(is_moved)
    };
    let asked =
        |case: &&Case<'_>| case.subject.git.is_some_and(|git| !case.versions.is_empty() && !stays(case, &git.prefix));
    let mut answers = Vec::with_capacity(cases.len());
    for cases in cases.chunks(CASES_AT_ONCE) {
        let paths = |case: &Case<'_>| {
            let prefix = case.subject.git.map_or("", |git| git.prefix.as_str()).to_owned();
            let earlier = case.earlier.iter().flat_map(|(_, versions)| versions);
            let all = case.versions.iter().chain(earlier);
            all.map(|version| below(&prefix, &version.path)).collect::<Vec<_>>()
        };
        present.read(&cases.iter().filter(asked).flat_map(paths).collect())?;
        for case in cases {
            answers.push(if asked(&case) { Some(answer(&present, case)?) } else { None });
        }
    }
    Ok(answers)
}

/// What the files of one say.
fn answer(present: &deliver::Present, case: &Case<'_>) -> Result<Answer, Obstacle> {
    let prefix = case.subject.git.map_or("", |git| git.prefix.as_str());
    let head = present.head().to_owned();
    let told = present.tells(prefix, &case.versions)?;
    let mut earlier = Vec::new();
    for (change, versions) in case.earlier.iter().filter(|(_, versions)| !versions.is_empty()) {
        earlier.push((*change, present.tells(prefix, versions)?));
    }
    let is_asked = is_asked_back(case.subject.record) && told != Told::NotThere;
    let unclear = is_asked || matches!(told, Told::Unclear { .. });
    let named = match case.sight.named.as_ref().filter(|_| unclear) {
        // A remote may give nobody a commit by its name: then its message is all there is.
        Some(commit) => present.tells_at(commit, prefix, &case.versions).ok(),
        None => None,
    };
    let stuck = match case.sight.fork.as_ref().filter(|_| is_asked) {
        Some(fork) => present.stuck((fork.base.as_deref(), &fork.tip), prefix, &case.versions)?,
        None => None,
    };
    Ok(Answer { head, told, earlier, named, stuck })
}

/// What follows from what the files say.
fn told(case: &Case<'_>, answer: Option<Answer>) -> Option<News> {
    use DeliveryState as D;
    let (id, record, sight) = (case.subject.id.to_owned(), case.subject.record, &case.sight);
    let news = |seen: Option<Seen>, doubt: Option<String>| Some(News { id: id.clone(), seen, doubt: Some(doubt) });
    let Some(Answer { head, told, earlier, named: by_name, stuck }) = answer else {
        if is_stuck(record) {
            return None;
        }
        // That it was in the history once says nothing any more.
        if (record.state == D::RolledBack || record.state.is_thrown_away()) && record.once.is_some() {
            return None;
        }
        let by_name = |commit| if is_asked_back(record) { back_in(commit) } else { Seen::Merged(commit) };
        let seen = sight.named.clone().map(by_name).or_else(|| sight.seen.clone());
        return seen.map(|seen| News { id: id.clone(), seen: Some(seen), doubt: None });
    };
    if is_stuck(record) {
        return match told {
            Told::NotThere => news(Some(Seen::Back(format!("its files are as they were before it in {head}"))), None),
            Told::There | Told::Unclear { .. } => None,
        };
    }
    if is_asked_back(record) {
        if told == Told::NotThere {
            return news(Some(Seen::Back(format!("its files are as they were before it in {head}"))), None);
        }
        // Of a file with several places one may be left, as of a change set a file.
        let is_part = matches!(by_name, Some(Told::There | Told::Unclear { part: true, .. }));
        return match sight.named.as_ref().filter(|_| !is_part) {
            Some(commit) => news(Some(back_in(commit.clone())), left_of(&told)),
            None => {
                let stuck = stuck.map(|why| {
                    Seen::Refused(format!(
                        "{why}, so that its revert can't be merged any more as it is: `gander rollback --consumer` makes \
                         it anew, or lays the three versions side by side"
                    ))
                });
                news(sight.seen.clone().or(stuck), sight.named.as_ref().map(|commit| half_back(commit, &told)))
            }
        };
    }
    let gone = |commit: String| {
        let why = format!("its change was merged, and is not in {head} any more: its owner took it back");
        Seen::Undone { why, commit }
    };
    if let Some(commit) = &record.merged {
        return match told {
            Told::NotThere => news(Some(gone(commit.clone())), None),
            Told::There | Told::Unclear { .. } => news(None, missing_of(&told)),
        };
    }
    if record.state.is_thrown_away() && record.once.is_some() {
        // Only the files say whether it is there again: the history names it all the same.
        return match told {
            Told::There => news(Some(Seen::Merged(head)), None),
            told => news(None, doubt_of(record, sight, told)),
        };
    }
    let back = record.state == D::RolledBack;
    if back && record.once.is_some() {
        // That it was in the history once says nothing any more: only the files do.
        let seen = sight.seen.clone().filter(|seen| *seen == Seen::Arrived);
        return news(seen, left_of(&told));
    }
    if let Some(Seen::Merged(commit)) = &sight.seen {
        let out = matches!(record.state, D::Delivered | D::Edited(_) | D::Superseded);
        return match told {
            // In the history, and not in the files: left out, or taken back since.
            Told::NotThere => news(Some(gone(commit.clone())).filter(|_| out), None),
            told => news(Some(Seen::Merged(commit.clone())), missing_of(&told)),
        };
    }
    let of = |change: &Digest| earlier.iter().find(|(one, _)| one == change).map(|(_, told)| told);
    let in_history = || sight.earlier.clone().filter(|(change, _)| of(change) != Some(&Told::NotThere));
    // What a history names says more than files that another one may have left so, too.
    if let Some((change, commit)) = in_history().filter(|_| sight.named.is_none()) {
        return news(Some(Seen::Earlier { change, commit }), None);
    }
    match (&told, &sight.named) {
        (Told::There, None) if back => return news(sight.seen.clone(), Some(AGAIN.to_owned())),
        (Told::There, named) => return news(Some(Seen::Merged(named.clone().unwrap_or(head))), None),
        (Told::Unclear { .. }, Some(named)) if by_name == Some(Told::NotThere) => {
            let out = matches!(record.state, D::Delivered | D::Edited(_) | D::Superseded);
            let left_out = || Seen::Closed(format!("{named} names its change, and leaves it out"));
            return news(out.then(left_out), None);
        }
        // What its commits say it is, they may say of a part of it alone.
        (Told::Unclear { .. }, Some(named)) => return news(Some(Seen::Merged(named.clone())), missing_of(&told)),
        _ => {}
    }
    if let Some((change, _)) = earlier.iter().find(|(_, told)| *told == Told::There).filter(|_| !back) {
        return news(Some(Seen::Earlier { change: *change, commit: head }), None);
    }
    let doubt = doubt_of(record, sight, told);
    let seen = match sight.seen.clone() {
        // That it was not merged can't be told, then.
        Some(Seen::Closed(why)) if doubt.is_some() => Some(Seen::Closed(why.replace(NOT_MERGED, ""))),
        seen => seen,
    };
    news(seen, doubt)
}

/// What of one that is merged is not there.
fn missing_of(told: &Told) -> Option<String> {
    let Told::Unclear { missing: Some(path), .. } = told else { return None };
    Some(format!(
        "of what was merged, {path} is as it was before: its owner left that out, or took it back; bring it in, \
         or `gander rollback --consumer` takes back what is there"
    ))
}

/// Whether a part of what is merged is not there, so that somebody has to look.
pub(in crate::rollout) fn is_half(record: &DeliveryRecord) -> bool {
    record.merged.is_some() && record.state == DeliveryState::Delivered && record.doubt.is_some()
}

/// Why nobody can tell what became of one that seems to be thrown away, or of which its owner seems to
/// have a part though its branch stands.
fn doubt_of(record: &DeliveryRecord, sight: &Sight, told: Told) -> Option<String> {
    let thrown = record.state.is_thrown_away()
        || record.doubt.is_some()
        || matches!(sight.seen, Some(Seen::Closed(_) | Seen::Replaced(_)));
    let thrown = thrown || (may_be_half(record) && matches!(told, Told::Unclear { part: true, .. }));
    // What was taken back may be edited since: what tells is a part of it.
    let is_there = |part: bool| part || record.once.is_none();
    match told {
        Told::Unclear { neither: Some(path), part, .. } if thrown && is_there(part) => Some(unclear(&path)),
        Told::Unclear { path, part, .. } if thrown && is_there(part) => Some(partly(&path)),
        _ => None,
    }
}

/// Its revert is in this commit.
fn back_in(commit: String) -> Seen {
    Seen::Back(format!("its revert is in {commit}"))
}

/// Of what takes it back, a commit names all and takes back a part at most.
fn half_back(commit: &str, told: &Told) -> String {
    let what = match told {
        Told::Unclear { whole: Some(path), .. } => format!("{path} is as gander left it"),
        Told::Unclear { neither: Some(path), .. } => format!("{path} holds some of it"),
        _ => "not all of it is as it was before".to_owned(),
    };
    format!("{commit} says that it takes it back, and {what}: its owner may have merged a part")
}

/// What of a change set that was taken back is there all the same.
fn left_of(told: &Told) -> Option<String> {
    match told {
        Told::There => Some(AGAIN.to_owned()),
        Told::Unclear { whole: Some(path), .. } => Some(format!(
            "of what was taken back, {path} is as gander left it all the same; `gander rollback --consumer` makes a \
             revert of it"
        )),
        Told::Unclear { part: true, neither: Some(path), .. } => Some(format!(
            "of what was taken back, {path} may hold some all the same: look there; `gander rollback --consumer` makes \
             a revert of it"
        )),
        Told::NotThere | Told::Unclear { whole: None, .. } => None,
    }
}

/// What was taken back is there all the same. As every doubt, it names no commit: it is said once,
/// and not with each further commit of its owner.
const AGAIN: &str = "what was taken back is there all the same: it was merged after that, or is its owner's own work by \
                     now; `gander rollback --consumer` makes a revert of it";

/// What is said of one that its owner may have merged with changes of their own.
pub(in crate::rollout) fn unclear(path: &str) -> String {
    format!(
        "{path} is neither as it was before nor as gander left it: its owner may have merged it with \
         changes of their own, which gander can't tell and won't take back: look there"
    )
}

/// What is said of one of which its owner may have merged a part.
pub(in crate::rollout) fn partly(path: &str) -> String {
    format!(
        "{path} is as it was before, and other files of it are as gander left them: its owner may have merged a \
         part of it, which gander can't tell and won't take back: look there"
    )
}

/// What stands in the way of saying that a delivery is back, or nothing of it is out.
pub(in crate::rollout) fn is_unclear(record: &DeliveryRecord) -> bool {
    record.doubt.is_some() && (record.state.is_thrown_away() || may_be_half(record))
}

/// Its branch stands, also where it is to be withdrawn, and its owner may have merged a part of it.
fn may_be_half(record: &DeliveryRecord) -> bool {
    use DeliveryState as D;
    let stands = match record.state {
        D::Delivered | D::Edited(_) => true,
        // Where one is merged below it, a rollback that was begun goes on with its revert.
        D::RollingBack => record.revert.is_none() && record.over.is_none(),
        _ => false,
    };
    stands && record.merged.is_none()
}

/// The places that were looked at, each with its head.
pub(super) fn heads(looked: &[Looked<'_>]) -> BTreeMap<String, String> {
    looked.iter().filter_map(|one| Some((one.place.clone(), one.head.clone()?))).collect()
}
