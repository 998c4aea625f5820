//! What became of a consumer: a total function of three recorded facts.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::{Disposition, Policy};
use crate::state::DeliveryState;
use crate::transform::Transformed;
use crate::verify::VerdictKind;

/// What became of a consumer. Every discovered consumer has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Its change set was delivered, and nothing is left to a person.
    Changed,
    /// No rule matched.
    Unchanged,
    /// Something is left to a person.
    Annotated,
    /// A rule, a check or the state of its working tree forbids the change.
    Refused,
    /// A step was green and turned red; nothing was delivered.
    Regressed,
    /// Red before the change, or no data: held.
    Unverified,
    /// Its source can't be found.
    Unresolved,
    /// Its change set was taken back.
    RolledBack,
    /// Its wave has not come, or a person's approval is awaited.
    Pending,
    /// gander could not know, or could not do it: a person must look.
    Errored,
}

impl Outcome {
    /// All of them, in the order in which they are listed for people.
    pub const ALL: [Self; 10] = [
        Self::Changed,
        Self::Annotated,
        Self::Unchanged,
        Self::Pending,
        Self::RolledBack,
        Self::Regressed,
        Self::Unverified,
        Self::Refused,
        Self::Unresolved,
        Self::Errored,
    ];

    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Annotated => "annotated",
            Self::Refused => "refused",
            Self::Regressed => "regressed",
            Self::Unverified => "unverified",
            Self::Unresolved => "unresolved",
            Self::RolledBack => "rolled-back",
            Self::Pending => "pending",
            Self::Errored => "errored",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The first fact: what is known of a consumer's source and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFact<'a> {
    /// Its source can't be found, and why.
    Unresolved(&'a str),
    /// Its source was found and not transformed yet.
    Untransformed,
    /// What the rules make of it, and whether there is a change set.
    Transformed {
        /// The recorded result.
        result: &'a Transformed,
        /// Whether any file changes.
        changes: bool,
    },
}

/// The second fact: what verification found, with its one line for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictFact<'a> {
    /// The judgement.
    pub kind: VerdictKind,
    /// Which step, and how it ended.
    pub reason: &'a str,
}

/// The one outcome of a consumer, with its reason.
pub fn outcome(
    source: SourceFact<'_>,
    verdict: Option<VerdictFact<'_>>,
    delivery: &DeliveryState,
) -> (Outcome, String) {
    let (result, changes) = match source {
        SourceFact::Unresolved(reason) => return (Outcome::Unresolved, reason.to_owned()),
        SourceFact::Untransformed => {
            return (Outcome::Pending, "not transformed yet".to_owned());
        }
        SourceFact::Transformed { result, changes } => (result, changes),
    };
    let without_change = match result {
        Transformed::Unchanged => Some((Outcome::Unchanged, "no rule matched".to_owned())),
        Transformed::Refused(reason) => Some((Outcome::Refused, reason.clone())),
        Transformed::Errored(reason) => Some((Outcome::Errored, reason.clone())),
        Transformed::Annotated(reason) if !changes => Some((Outcome::Annotated, reason.clone())),
        Transformed::Changed if !changes => {
            let reason = "the plan says changed and names no file: please report this";
            Some((Outcome::Errored, reason.to_owned()))
        }
        Transformed::Annotated(_) | Transformed::Changed => None,
    };
    match without_change {
        Some(plain) => undelivered(plain, delivery),
        None => of_change_set(result, verdict, delivery),
    }
}

/// Where there is nothing to deliver, a delivery that was begun is a contradiction.
fn undelivered(plain: (Outcome, String), delivery: &DeliveryState) -> (Outcome, String) {
    use DeliveryState as D;
    match delivery {
        D::Waiting | D::Held(_) | D::AwaitingApproval(_) | D::Refused(_) | D::RolledBack => plain,
        // What stands there now is its owner's, whatever the rules say of it.
        D::Closed(reason) if plain.0 == Outcome::Unchanged => (Outcome::Refused, reason.clone()),
        D::Closed(_) => plain,
        D::RollingBack => (Outcome::Pending, interrupted("rollback")),
        D::Delivering | D::Delivered | D::Superseded | D::Edited(_) | D::Replaced(_) => {
            let reason = "a change set was delivered that the plan no longer has: roll it back";
            (Outcome::Errored, reason.to_owned())
        }
        D::Conflict(reason) | D::Failed(reason) => (Outcome::Errored, reason.clone()),
    }
}

fn of_change_set(
    result: &Transformed,
    verdict: Option<VerdictFact<'_>>,
    delivery: &DeliveryState,
) -> (Outcome, String) {
    use DeliveryState as D;
    let kept_back = |reason: &str| match verdict {
        None => (Outcome::Pending, reason.to_owned()),
        Some(verdict) => unsent(result, verdict, reason, Some(reason).filter(|_| *delivery != D::Waiting)),
    };
    match delivery {
        D::Conflict(reason) => (Outcome::Errored, reason.clone()),
        D::Failed(reason) => (Outcome::Errored, reason.clone()),
        D::Refused(reason) => (Outcome::Refused, reason.clone()),
        D::RolledBack => (Outcome::RolledBack, "taken back".to_owned()),
        D::Delivering => (Outcome::Pending, interrupted("delivery")),
        D::RollingBack => (Outcome::Pending, interrupted("rollback")),
        D::Delivered => sent(result, verdict),
        D::Superseded => {
            (Outcome::Pending, "its base moved, or its plan is another one: its change set is made anew".to_owned())
        }
        D::Edited(reason) => {
            let (outcome, seen) = sent(result, verdict);
            (outcome, format!("{reason}; {seen}"))
        }
        D::Closed(reason) => (Outcome::Refused, reason.clone()),
        D::Replaced(reason) => (Outcome::Errored, reason.clone()),
        D::Waiting => kept_back("its wave has not come"),
        D::AwaitingApproval(reason) => match kept_back(reason) {
            // What verified well and waits for a person is still to come.
            (Outcome::Annotated, reason) => (Outcome::Pending, reason),
            other => other,
        },
        D::Held(reason) => kept_back(reason),
    }
}

fn interrupted(what: &str) -> String {
    format!("its {what} was interrupted: run again")
}

/// A change set that did not go out.
fn unsent(result: &Transformed, verdict: VerdictFact<'_>, reason: &str, held: Option<&str>) -> (Outcome, String) {
    let seen = verdict.reason.to_owned();
    match (verdict.kind, result) {
        (VerdictKind::Regressed, _) => (Outcome::Regressed, seen),
        (VerdictKind::BaselineBroken | VerdictKind::Flaky | VerdictKind::NoData | VerdictKind::NoChange, _) => {
            // What waits for its wave is not held by its verdict yet.
            (Outcome::Unverified, held.map_or_else(|| seen.clone(), |held| format!("{seen}; {held}")))
        }
        (VerdictKind::Infra, _) => (Outcome::Errored, seen),
        (VerdictKind::Pass | VerdictKind::Fixed, Transformed::Annotated(left)) => {
            (Outcome::Annotated, format!("{left}; {reason}"))
        }
        (VerdictKind::Pass | VerdictKind::Fixed, _) => (Outcome::Pending, reason.to_owned()),
    }
}

/// A change set that went out.
fn sent(result: &Transformed, verdict: Option<VerdictFact<'_>>) -> (Outcome, String) {
    let evidence = match verdict {
        Some(verdict) => match verdict.kind {
            VerdictKind::Pass | VerdictKind::Fixed => verdict.reason.to_owned(),
            VerdictKind::BaselineBroken | VerdictKind::Flaky | VerdictKind::NoData | VerdictKind::NoChange => {
                format!("out, and unverified: {}", verdict.reason)
            }
            VerdictKind::Regressed | VerdictKind::Infra => {
                let reason = format!("delivered against its verdict: {}", verdict.reason);
                return (Outcome::Errored, reason);
            }
        },
        None => {
            let reason = "delivered without a recorded verdict: roll it back";
            return (Outcome::Errored, reason.to_owned());
        }
    };
    match result {
        Transformed::Annotated(left) => (Outcome::Annotated, format!("{left}; {evidence}")),
        _ => (Outcome::Changed, evidence),
    }
}

/// What else is known of a change set that a policy may speak of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// It weakens what tests it, or leaves what its rules declare.
    pub flagged: bool,
    /// It passed, and tests did not notice a deliberately wrong variant of it.
    pub weak: bool,
    /// A rule whose changes want a person's look touched it.
    pub review: bool,
}

/// What the policy says of a verified change set. Regressions and failures of the
/// machine are never delivered, whatever it says; where several of its rules apply,
/// the strictest one holds. What is flagged waits for a person. The reason says why it
/// stays, where it does.
pub fn disposition(
    result: &Transformed,
    verdict: VerdictKind,
    marks: Marks,
    policy: &Policy,
) -> (Disposition, &'static str) {
    let left = match result {
        Transformed::Changed => (Disposition::Deliver, ""),
        Transformed::Annotated(_) => (policy.annotated, "the policy on annotated change sets"),
        Transformed::Unchanged | Transformed::Refused(_) | Transformed::Errored(_) => {
            (Disposition::Hold, "there is no change set to deliver")
        }
    };
    let evidence = match verdict {
        VerdictKind::Pass | VerdictKind::Fixed => (Disposition::Deliver, ""),
        VerdictKind::BaselineBroken | VerdictKind::Flaky | VerdictKind::NoData | VerdictKind::NoChange => {
            (policy.unverified, "the policy on unverified change sets")
        }
        VerdictKind::Regressed => (Disposition::Hold, "it regressed"),
        VerdictKind::Infra => (Disposition::Hold, "its verification failed"),
    };
    let weak = match marks.weak {
        true => (policy.weak, "the policy on weakly verified change sets"),
        false => (Disposition::Deliver, ""),
    };
    let review = match marks.review {
        true => (policy.review, "the policy on rules that want a review"),
        false => (Disposition::Deliver, ""),
    };
    let flagged = match marks.flagged {
        true => (Disposition::Approve, "it weakens what tests it, or leaves what its rules declare"),
        false => (Disposition::Deliver, ""),
    };
    let stricter = |one: (Disposition, &'static str), two: (Disposition, &'static str)| {
        if strictness(one.0) >= strictness(two.0) { one } else { two }
    };
    [flagged, left, review, weak].into_iter().fold(evidence, stricter)
}

fn strictness(disposition: Disposition) -> u8 {
    match disposition {
        Disposition::Deliver => 0,
        Disposition::Approve => 1,
        Disposition::Hold => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(word: &str) -> String {
        word.to_owned()
    }

    fn deliveries() -> Vec<DeliveryState> {
        use DeliveryState as D;
        vec![
            D::Waiting,
            D::Held(text("held")),
            D::AwaitingApproval(text("approval")),
            D::Refused(text("dirty")),
            D::Delivering,
            D::Delivered,
            D::RollingBack,
            D::RolledBack,
            D::Conflict(text("conflict")),
            D::Failed(text("failed")),
            D::Edited(text("edited")),
            D::Closed(text("closed")),
            D::Replaced(text("replaced")),
            D::Superseded,
        ]
    }

    fn verdicts() -> Vec<Option<VerdictFact<'static>>> {
        use VerdictKind as V;
        let kinds = [V::Pass, V::Regressed, V::BaselineBroken, V::NoData, V::Infra, V::Fixed, V::Flaky, V::NoChange];
        let some = kinds.map(|kind| Some(VerdictFact { kind, reason: "seen" }));
        [None].into_iter().chain(some).collect()
    }

    /// The first letters of the outcomes, one row a delivery state, one column a
    /// verdict (none, pass, regressed, red before, no data, infra, fixed, flaky, no change).
    fn table(source: SourceFact<'_>) -> Vec<String> {
        let short = |outcome: Outcome| match outcome {
            Outcome::Changed => 'C',
            Outcome::Unchanged => 'U',
            Outcome::Annotated => 'A',
            Outcome::Refused => 'f',
            Outcome::Regressed => 'r',
            Outcome::Unverified => 'v',
            Outcome::Unresolved => '?',
            Outcome::RolledBack => 'B',
            Outcome::Pending => 'p',
            Outcome::Errored => 'E',
        };
        deliveries()
            .iter()
            .map(|delivery| {
                let row = verdicts().into_iter().map(|verdict| {
                    let (outcome, reason) = outcome(source, verdict, delivery);
                    assert!(!reason.is_empty());
                    short(outcome)
                });
                row.collect()
            })
            .collect()
    }

    #[test]
    fn every_combination_has_its_outcome() {
        const F: &str = "fffffffff";
        const P: &str = "ppppppppp";
        const B: &str = "BBBBBBBBB";
        const E: &str = "EEEEEEEEE";
        let of = |result: &Transformed, changes| table(SourceFact::Transformed { result, changes });
        let annotated = Transformed::Annotated(text("left"));
        // Waiting, held, approval, refused, delivering, delivered, rolling back,
        // rolled back, conflict, failed, edited, closed, replaced, superseded.
        let changed = ["pprvvEpvv", "pprvvEpvv", "pprvvEpvv", F, P, "ECECCECCC", P, B, E, E, "ECECCECCC", F, E, P];
        assert_eq!(of(&Transformed::Changed, true), changed);
        let left = ["pArvvEAvv", "pArvvEAvv", "pprvvEpvv", F, P, "EAEAAEAAA", P, B, E, E, "EAEAAEAAA", F, E, P];
        assert_eq!(of(&annotated, true), left);
        let plain = |letter: &str| {
            let row = letter.repeat(9);
            let (errored, closed) = (text(E), if letter == "U" { text(F) } else { row.clone() });
            // What is on its way back is no error, also where nothing is wanted there any more.
            let back = text(P);
            let rows = [
                &row, &row, &row, &row, &errored, &errored, &back, &row, &errored, &errored, &errored, &closed,
                &errored, &errored,
            ];
            rows.map(Clone::clone).to_vec()
        };
        for changes in [false, true] {
            assert_eq!(of(&Transformed::Unchanged, changes), plain("U"));
            assert_eq!(of(&Transformed::Refused(text("no")), changes), plain("f"));
            assert_eq!(of(&Transformed::Errored(text("no")), changes), plain("E"));
        }
        assert_eq!(of(&annotated, false), plain("A"));
        assert_eq!(of(&Transformed::Changed, false), plain("E"));
        assert_eq!(table(SourceFact::Unresolved("gone")), ["?????????"; 14]);
        assert_eq!(table(SourceFact::Untransformed), [P; 14]);
    }

    #[test]
    fn the_policy_never_delivers_regressions_and_the_stricter_rule_holds() {
        use Disposition::{Approve, Deliver, Hold};
        let annotated = Transformed::Annotated(text("left"));
        let say = |result: &Transformed, kind, on_annotated, on_unverified| {
            let policy = Policy { annotated: on_annotated, unverified: on_unverified, ..Policy::default() };
            disposition(result, kind, Marks::default(), &policy).0
        };
        for verdict in [VerdictKind::Regressed, VerdictKind::Infra] {
            assert_eq!(say(&Transformed::Changed, verdict, Deliver, Deliver), Hold);
        }
        for verdict in [VerdictKind::NoData, VerdictKind::BaselineBroken, VerdictKind::Flaky] {
            assert_eq!(say(&Transformed::Changed, verdict, Hold, Deliver), Deliver);
            assert_eq!(say(&annotated, verdict, Approve, Deliver), Approve);
            assert_eq!(say(&annotated, verdict, Approve, Hold), Hold);
        }
        assert_eq!(say(&Transformed::Changed, VerdictKind::Pass, Hold, Hold), Deliver);
        assert_eq!(say(&annotated, VerdictKind::Pass, Hold, Deliver), Hold);
        assert_eq!(say(&Transformed::Changed, VerdictKind::Fixed, Hold, Hold), Deliver);
        // What is flagged never goes out by itself, and is held where it would be anyway.
        let flagged = |kind, unverified| {
            let policy = Policy { annotated: Deliver, unverified, ..Policy::default() };
            disposition(&Transformed::Changed, kind, Marks { flagged: true, ..Marks::default() }, &policy).0
        };
        assert_eq!(flagged(VerdictKind::Pass, Deliver), Approve);
        assert_eq!(flagged(VerdictKind::NoData, Deliver), Approve);
        assert_eq!(flagged(VerdictKind::NoData, Hold), Hold);
        assert_eq!(flagged(VerdictKind::Regressed, Deliver), Hold);
        // Weak evidence and rules that want a review are the migration's to say.
        for to in [Deliver, Hold, Approve] {
            let policy = Policy { weak: to, review: Deliver, ..Policy::default() };
            let weak = Marks { weak: true, ..Marks::default() };
            assert_eq!(disposition(&Transformed::Changed, VerdictKind::Pass, weak, &policy).0, to);
            let policy = Policy { review: to, ..Policy::default() };
            let review = Marks { review: true, ..Marks::default() };
            assert_eq!(disposition(&Transformed::Changed, VerdictKind::Pass, review, &policy).0, to);
            assert_eq!(disposition(&Transformed::Changed, VerdictKind::Regressed, review, &policy).0, Hold);
        }
        let usual = Policy::default();
        let both = Marks { weak: true, review: true, ..Marks::default() };
        assert_eq!(disposition(&Transformed::Changed, VerdictKind::Pass, both, &usual).0, Approve);
        for result in [Transformed::Unchanged, Transformed::Refused(text("no"))] {
            assert_eq!(say(&result, VerdictKind::Pass, Deliver, Deliver), Hold);
        }
    }
}
