//! What became of change sets that owners have in the folder that gander reads: files that were written there, and
//! patches that somebody applies.

use super::{News, Seen, is_in_the_way};
use crate::config::Delivery;
use crate::files;
use crate::rollout::deliver::{self, Told, tells_here};
use crate::rollout::ship::change_set;
use crate::rollout::{RolloutError, unclear};
use crate::state::{Applied, DeliveryRecord, DeliveryState, Store};
use crate::workspace::{FileVersion, Workspace};

use super::contents::{partly, unclear as neither_of};

/// What became of one. `closely`: it is about to be taken back, which holds its files against both ends itself.
pub(super) fn look(
    store: &Store,
    (place, pinned): (&Workspace, Option<&str>),
    (id, record): (&str, &DeliveryRecord),
    closely: bool,
) -> Result<Option<News>, RolloutError> {
    use DeliveryState as D;
    let versions = store.versions_of(id, &record.change_id)?;
    if !versions.iter().any(|one| one.before != one.after) || unclear::is_left(&record.state) {
        return Ok(None);
    }
    let news = |seen: Seen| Some(News { id: id.to_owned(), seen: Some(seen), doubt: None });
    let here = || tells_here(&place.root, &versions).ok();
    Ok(match (record.how, &record.state) {
        (Delivery::Checkout, D::Delivered) if !closely => in_place(place, pinned, &versions).and_then(news),
        // They may have been on another branch, or put aside for a while.
        (Delivery::Checkout, D::Closed(_)) if here() == Some(Told::There) => news(Seen::Arrived),
        // Most are not applied, and git need not be asked of those.
        (Delivery::Patches, D::Delivered | D::RolledBack) | (Delivery::Checkout, D::RolledBack)
            if record.doubt.is_none() && record.applied.is_none() && here() == Some(Told::NotThere) =>
        {
            None
        }
        (Delivery::Patches, D::Delivered) => here().map(|here| {
            let (applied, doubt) = applied(place, record, &versions, here);
            News { id: id.to_owned(), seen: Some(Seen::Applied(applied)), doubt: Some(doubt) }
        }),
        (Delivery::Patches, D::Conflict(_)) if is_in_the_way(record) && here() == Some(Told::NotThere) => {
            news(Seen::Freed)
        }
        (Delivery::Checkout | Delivery::Patches, D::RolledBack) => {
            Some(News { id: id.to_owned(), seen: None, doubt: Some(stands(place, record, &versions)) })
        }
        _ => None,
    })
}

/// What became of files that were written in place.
fn in_place(place: &Workspace, pinned: Option<&str>, versions: &[FileVersion]) -> Option<Seen> {
    let mut before = 0;
    for version in versions {
        let found = files::read_below(&place.root, &version.path).ok()?;
        if found == version.before && found != version.after {
            before += 1;
        } else if found != version.after {
            return Some(Seen::Edited(format!("its owner changed {} since", version.path)));
        }
    }
    // On another commit, somebody may only look at another branch.
    let same_commit = place.git.as_ref().is_none_or(|git| Some(git.commit.as_str()) == pinned);
    match before {
        0 => None,
        all if all == versions.len() && same_commit => {
            Some(Seen::Closed("its owner put its files back as they were".to_owned()))
        }
        all if all == versions.len() => None,
        _ => Some(Seen::Edited("its owner put some of its files back as they were".to_owned())),
    }
}

/// Whether patches are applied by what the folder holds, and what can't be told of them where a part is committed.
fn applied(
    place: &Workspace,
    record: &DeliveryRecord,
    versions: &[FileVersion],
    here: Told,
) -> (Option<Applied>, Option<String>) {
    let head = match &place.git {
        Some(git) => deliver::present(git, record).and_then(|present| present.tells(&git.prefix, versions)).ok(),
        None => Some(here.clone()),
    };
    match (here, head) {
        (Told::There, Some(Told::There)) => (Some(Applied::Committed), None),
        (Told::There, _) => (Some(Applied::Here), None),
        (_, Some(Told::Unclear { whole: Some(_), path, neither, .. })) => {
            (None, Some(neither.map_or_else(|| partly(&path), |path| neither_of(&path))))
        }
        (Told::Unclear { whole: Some(_), .. }, _) => (Some(Applied::Part), None),
        _ => (None, None),
    }
}

/// What of a change set that was taken back lies in the folder all the same, or in its last commit.
fn stands(place: &Workspace, record: &DeliveryRecord, versions: &[FileVersion]) -> Option<String> {
    let set = change_set(place, versions);
    let shipment = deliver::Shipment { place, pin: None, versions, set: &set, under: &[] };
    let committed = deliver::committed(&shipment, record);
    let path = match tells_here(&place.root, versions) {
        Ok(Told::There) => versions.iter().find(|one| one.before != one.after)?.path.clone(),
        Ok(Told::Unclear { whole: Some(path), .. }) => path,
        _ => return committed,
    };
    let what = match (&committed, &place.git) {
        (Some(_), _) => format!("its last commit still holds {path} as gander left it"),
        (None, Some(_)) => format!("{path} is as gander left it, and not committed"),
        (None, None) => format!("{path} is as gander left it"),
    };
    let back = match record.how {
        Delivery::Checkout => "`gander rollback --consumer` puts it back".to_owned(),
        _ => format!("`git apply revert.patch` from {} takes it out", record.folder),
    };
    Some(format!("what was taken back is there all the same: {what}; {back}"))
}
