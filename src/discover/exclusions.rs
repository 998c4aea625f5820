//! Who is left out, why, and until when.

use std::path::PathBuf;

use globset::{GlobBuilder, GlobMatcher};
use serde::Serialize;

use super::candidate::{Candidates, Placed};
use crate::config::{Exclusion, Who};
use crate::workspace::EntityRef;

/// A consumer that is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Excluded {
    /// Who.
    pub entity: EntityRef,
    /// Why, as the migration says.
    pub reason: String,
    /// The last day on which that holds: `2027-01-31`.
    pub until: String,
}

/// How each problem of an exclusion begins.
const OF_EXCLUSIONS: &str = "consumers.exclude: ";

/// Whether a problem is that of an exclusion: who was left out takes part again.
pub(super) fn is_of_exclusions(problem: &str) -> bool {
    problem.starts_with(OF_EXCLUSIONS)
}

/// Takes the consumers away that the migration leaves out today. An exclusion that
/// is over, or that is about nobody, is a problem.
pub(super) fn consumers(
    exclusions: &[Exclusion],
    now: i64,
    candidates: &mut Candidates,
    problems: &mut Vec<String>,
) -> Vec<Excluded> {
    let mut excluded = Vec::new();
    for exclusion in exclusions {
        let Who::Consumer(entity) = &exclusion.who else { continue };
        let until = exclusion.until.to_string();
        if over(exclusion, now) {
            problems.push(format!(
                "{OF_EXCLUSIONS}the exclusion of {entity} ({}) ended with {until}: take it away, or set a new date",
                exclusion.reason
            ));
        } else if candidates.remove(entity).is_some() {
            excluded.push(Excluded { entity: entity.clone(), reason: exclusion.reason.clone(), until });
        } else {
            problems.push(format!("{OF_EXCLUSIONS}no source names {entity}: take the exclusion away, or correct it"));
        }
    }
    excluded.sort_by(|a, b| a.entity.cmp(&b.entity));
    excluded
}

/// Takes those away that are left out, and that another source names after their folder or
/// repository. Whoever is described and has the same code is changed, and that is said.
pub(super) fn by_another_name(settled: Vec<Placed>, left_out: &[PathBuf], problems: &mut Vec<String>) -> Vec<Placed> {
    let left_out = |place: &Result<PathBuf, String>| place.as_ref().is_ok_and(|folder| left_out.contains(folder));
    let (out, kept): (Vec<Placed>, Vec<Placed>) =
        settled.into_iter().partition(|(one, place)| one.nameless && left_out(place));
    drop(out);
    problems.extend(kept.iter().filter(|(_, place)| left_out(place)).map(|(one, _)| {
        format!("consumers.exclude: {} has the same code as somebody who is left out, and is changed: leave it out too, or take the exclusion away", one.entity)
    }));
    kept
}

/// The globs of places that may name what is migrated and are nobody's.
pub(super) fn places(exclusions: &[Exclusion], now: i64, problems: &mut Vec<String>) -> Vec<GlobMatcher> {
    let mut globs = Vec::new();
    for exclusion in exclusions {
        let Who::Path(text) = &exclusion.who else { continue };
        if over(exclusion, now) {
            problems.push(format!(
                "consumers.exclude: the exclusion of {text:?} ({}) ended with {}: take it away, or set a new date",
                exclusion.reason, exclusion.until
            ));
        } else if let Ok(glob) = GlobBuilder::new(text).literal_separator(true).build() {
            globs.push(glob.compile_matcher());
        }
    }
    globs
}

/// Whether its last day is over, in UTC.
fn over(exclusion: &Exclusion, now: i64) -> bool {
    let today = jiff::Timestamp::from_second(now).map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    today.is_ok_and(|today| today > exclusion.until)
}
