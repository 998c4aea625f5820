//! Who is left out, why, and until when.

use globset::{GlobBuilder, GlobMatcher};
use serde::Serialize;

use super::candidate::Candidates;
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
                "consumers.exclude: the exclusion of {entity} ({}) ended with {until}: take it away, or set a new date",
                exclusion.reason
            ));
        } else if candidates.remove(entity).is_some() {
            excluded.push(Excluded { entity: entity.clone(), reason: exclusion.reason.clone(), until });
        } else {
            problems
                .push(format!("consumers.exclude: no source names {entity}: take the exclusion away, or correct it"));
        }
    }
    excluded.sort_by(|a, b| a.entity.cmp(&b.entity));
    excluded
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
