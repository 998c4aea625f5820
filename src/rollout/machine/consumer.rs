//! What may become of a consumer. Where it stands is a function of what is recorded of
//! it; nothing keeps it twice.

use super::Forbidden;
use crate::state::{DeliveryState, WaveState};

/// Where a consumer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is known, and its code was not found yet.
    Discovered,
    /// Its bytes are named.
    Pinned,
    /// The rules were run over it, and there is a change set.
    Transformed,
    /// There is a verdict over its change set.
    Verified,
    /// Its change set is proven and recorded, and on its way out.
    Staged,
    /// Its change set is out.
    Delivered,
    /// All of its wave is out, and a gate waits or looks.
    Baking,
    /// Its wave passed.
    Healthy,
    /// It is kept back: by its verdict, the policy, a failure, or a person.
    Quarantined,
    /// Its base moved: its change set is made anew, over the one that is out.
    Superseded,
    /// Its owner changed what was delivered.
    Edited,
    /// Its owner threw away what was delivered.
    Closed,
    /// Something else is where its change set was.
    Replaced,
    /// Its change set is taken back.
    Reverting,
    /// Its change set was taken back: the bytes are those of the pin.
    Reverted,
    /// Its change set can't be taken back: a person must look.
    RevertConflict,
    /// It is in no source any more, or elsewhere; what was delivered stays on record.
    Departed,
}

/// What happens to a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Its bytes are read.
    Pin,
    /// The rules are run over it.
    Transform,
    /// A verdict is there.
    Verify,
    /// Its verdict, the policy, a failure or a person keeps it back.
    Quarantine,
    /// Its delivery is begun, or begun again after a kill.
    Stage,
    /// Its delivery is done.
    Deliver,
    /// All of its wave is out.
    Bake,
    /// Its wave passed.
    Pass,
    /// It is tried again.
    Retry,
    /// Its base is another, and nobody has merged what is out.
    Supersede,
    /// Its owner changed what was delivered.
    Edit,
    /// Its owner threw away what was delivered.
    Close,
    /// Something else is where its change set was.
    Replace,
    /// It is taken back.
    Revert,
    /// It is back.
    Back,
    /// It can't be taken back now.
    Conflict,
    /// It moved, or no source names it any more.
    Depart,
}

/// What is recorded of a consumer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// Its code was found and its bytes are named.
    pub pinned: bool,
    /// There is a change set.
    pub changes: bool,
    /// There is a verdict.
    pub verified: bool,
    /// Where its delivery stands, where there is one.
    pub delivery: Option<&'a DeliveryState>,
    /// Where its wave stands, where it has one.
    pub wave: Option<&'a WaveState>,
    /// No source names it any more, or names another place.
    pub departed: bool,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Discovered,
        Self::Pinned,
        Self::Transformed,
        Self::Verified,
        Self::Staged,
        Self::Delivered,
        Self::Baking,
        Self::Healthy,
        Self::Quarantined,
        Self::Superseded,
        Self::Edited,
        Self::Closed,
        Self::Replaced,
        Self::Reverting,
        Self::Reverted,
        Self::RevertConflict,
        Self::Departed,
    ];

    /// Where a consumer stands, by what is recorded of it.
    pub fn of(facts: &Facts<'_>) -> Self {
        if let Some(delivery) = facts.delivery.filter(|delivery| **delivery != DeliveryState::Waiting) {
            let state = Self::of_delivery(delivery);
            return match (state, facts.wave) {
                (Self::Delivered, _) if facts.departed => Self::Departed,
                (Self::Delivered, Some(WaveState::Passed(_))) => Self::Healthy,
                (Self::Delivered, Some(WaveState::Baking | WaveState::Judging | WaveState::Inconclusive(_))) => {
                    Self::Baking
                }
                (state, _) => state,
            };
        }
        match (facts.departed, facts.verified, facts.changes, facts.pinned) {
            (true, ..) => Self::Departed,
            (_, true, ..) => Self::Verified,
            (_, _, true, _) => Self::Transformed,
            (_, _, _, true) => Self::Pinned,
            _ => Self::Discovered,
        }
    }

    /// By its delivery alone.
    pub fn of_delivery(state: &DeliveryState) -> Self {
        match state {
            DeliveryState::Waiting => Self::Verified,
            DeliveryState::Held(_)
            | DeliveryState::AwaitingApproval(_)
            | DeliveryState::Refused(_)
            | DeliveryState::Failed(_) => Self::Quarantined,
            DeliveryState::Delivering => Self::Staged,
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Superseded => Self::Superseded,
            DeliveryState::Edited(_) => Self::Edited,
            DeliveryState::Closed(_) => Self::Closed,
            DeliveryState::Replaced(_) => Self::Replaced,
            DeliveryState::RollingBack => Self::Reverting,
            DeliveryState::RolledBack => Self::Reverted,
            DeliveryState::Conflict(_) => Self::RevertConflict,
        }
    }

    /// Its name, as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discovered => "discovered",
            Self::Pinned => "pinned",
            Self::Transformed => "transformed",
            Self::Verified => "verified",
            Self::Staged => "staged",
            Self::Delivered => "delivered",
            Self::Baking => "baking",
            Self::Healthy => "healthy",
            Self::Quarantined => "quarantined",
            Self::Superseded => "superseded",
            Self::Edited => "edited",
            Self::Closed => "closed",
            Self::Replaced => "replaced",
            Self::Reverting => "reverting",
            Self::Reverted => "reverted",
            Self::RevertConflict => "revert-conflict",
            Self::Departed => "departed",
        }
    }

    /// The change set is in the consumer's hands, or may be.
    pub fn is_out(self) -> bool {
        use State as S;
        matches!(
            self,
            S::Staged
                | S::Delivered
                | S::Baking
                | S::Healthy
                | S::Superseded
                | S::Edited
                | S::Reverting
                | S::RevertConflict
        )
    }

    /// What it becomes by `event`; `None` where that can't be.
    pub fn after(self, event: Event) -> Option<Self> {
        use Event as E;
        use State as S;
        Some(match (self, event) {
            // Before anything is out, it may be read, planned and verified anew at any time.
            (S::Discovered | S::Pinned | S::Transformed | S::Verified, E::Pin) => S::Pinned,
            (S::Pinned | S::Transformed | S::Verified, E::Transform) => S::Transformed,
            (S::Transformed | S::Verified, E::Verify) => S::Verified,
            // A person may exclude somebody who was never verified.
            (S::Transformed | S::Verified | S::Staged | S::Quarantined, E::Quarantine) => S::Quarantined,
            // Only what has a verdict, or was kept back with one, goes out; a kill may
            // come between the intent and the effect.
            (S::Verified | S::Quarantined | S::Staged | S::Superseded, E::Stage) => S::Staged,
            // What was to be corrected, and is not, stays what it is.
            (S::Staged | S::Superseded, E::Deliver) => S::Delivered,
            // Its owner threw the branch away, and merged what was on it; or what was merged
            // under it is what is left.
            (S::Closed | S::Replaced, E::Deliver) => S::Delivered,
            // It was withdrawn for its base, and its owner had merged it before that.
            (S::Reverted, E::Deliver) => S::Delivered,
            // It was to be made anew, and its owner merged what was there.
            (S::RevertConflict, E::Deliver) => S::Delivered,
            (S::Delivered | S::Baking | S::Healthy, E::Bake) => S::Baking,
            (S::Baking, E::Pass) => S::Healthy,
            (S::Verified | S::Quarantined | S::Reverted | S::Closed | S::Replaced, E::Retry) => S::Transformed,
            (S::Pinned | S::Transformed | S::Verified | S::Quarantined, E::Supersede) => S::Transformed,
            (S::Reverted | S::Closed | S::Replaced, E::Supersede) => S::Transformed,
            // Nobody has merged it yet: the new change set takes its place.
            (S::Delivered | S::Baking | S::Healthy | S::Superseded, E::Supersede) => S::Superseded,
            // Its base moved on before it was out.
            (S::Staged, E::Supersede) => S::Superseded,
            (S::Delivered | S::Baking | S::Healthy | S::Edited, E::Edit) => S::Edited,
            (S::Delivered | S::Baking | S::Healthy | S::Edited, E::Close) => S::Closed,
            (S::Delivered | S::Baking | S::Healthy | S::Edited, E::Replace) => S::Replaced,
            (S::Staged | S::Delivered | S::Baking | S::Healthy, E::Revert) => S::Reverting,
            (S::Edited | S::Departed | S::Superseded | S::Reverting | S::RevertConflict, E::Revert) => S::Reverting,
            // Its owner had merged it before its branch was withdrawn.
            (S::Reverted, E::Revert) => S::Reverting,
            (S::Reverting, E::Back) => S::Reverted,
            // What its owner has of it can't be told, and a person leaves it to them.
            (S::Reverting, E::Close) => S::Closed,
            (S::Reverting, E::Conflict) => S::RevertConflict,
            // The new one can't take the place of the old one, which is still there.
            (S::Staged | S::Superseded, E::Conflict) => S::RevertConflict,
            (S::Superseded, E::Edit) => S::Edited,
            (S::Superseded, E::Close) => S::Closed,
            (S::Superseded, E::Replace) => S::Replaced,
            (_, E::Depart) => S::Departed,
            // Whoever comes back is found again.
            (S::Departed, E::Pin) => S::Pinned,
            _ => return None,
        })
    }

    /// The same, where anything else is a bug.
    ///
    /// # Errors
    /// [`Forbidden`], with nothing done.
    pub fn step(self, event: Event, subject: &str) -> Result<Self, Forbidden> {
        let forbidden = || Forbidden { subject: subject.to_owned(), from: self.as_str(), event: event.as_str() };
        self.after(event).ok_or_else(forbidden)
    }
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Pin,
        Self::Transform,
        Self::Verify,
        Self::Quarantine,
        Self::Stage,
        Self::Deliver,
        Self::Bake,
        Self::Pass,
        Self::Retry,
        Self::Supersede,
        Self::Edit,
        Self::Close,
        Self::Replace,
        Self::Revert,
        Self::Back,
        Self::Conflict,
        Self::Depart,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Transform => "transform",
            Self::Verify => "verify",
            Self::Quarantine => "quarantine",
            Self::Stage => "stage",
            Self::Deliver => "deliver",
            Self::Bake => "bake",
            Self::Pass => "pass",
            Self::Retry => "retry",
            Self::Supersede => "supersede",
            Self::Edit => "edit",
            Self::Close => "close",
            Self::Replace => "replace",
            Self::Revert => "revert",
            Self::Back => "back",
            Self::Conflict => "conflict",
            Self::Depart => "depart",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn letter(state: State) -> char {
        let letters = "dptvsDbhqxEcRrBCg";
        let index = State::ALL.iter().position(|one| *one == state).unwrap();
        letters.chars().nth(index).unwrap()
    }

    /// One row a state, one column an event.
    #[test]
    fn every_state_and_event() {
        let cell = |state: State, event: &Event| state.after(*event).map_or('.', letter);
        let rows: Vec<String> =
            State::ALL.iter().map(|state| Event::ALL.iter().map(|event| cell(*state, event)).collect()).collect();
        // pin transform verify quarantine stage deliver bake pass retry supersede edit
        // close replace revert back conflict depart
        let table = [
            "p...............g", // discovered
            "pt.......t......g", // pinned
            "ptvq.....t......g", // transformed
            "ptvqs...tt......g", // verified
            "...qsD...x...r.Cg", // staged
            "......b..xEcRr..g", // delivered
            "......bh.xEcRr..g", // baking
            "......b..xEcRr..g", // healthy
            "...qs...tt......g", // quarantined
            "....sD...xEcRr.Cg", // superseded
            "..........EcRr..g", // edited
            ".....D..tt......g", // closed
            ".....D..tt......g", // replaced
            "...........c.rBCg", // reverting
            ".....D..tt...r..g", // reverted
            ".....D.......r..g", // revert-conflict
            "p............r..g", // departed
        ];
        assert_eq!(rows, table);
    }

    fn before(goal: State) -> Vec<State> {
        State::ALL.into_iter().filter(|s| *s != goal && Event::ALL.iter().any(|e| s.after(*e) == Some(goal))).collect()
    }

    #[test]
    fn nothing_unverified_goes_out_and_nothing_that_is_out_is_forgotten() {
        use State as S;
        let before_delivered = [S::Staged, S::Superseded, S::Closed, S::Replaced, S::Reverted, S::RevertConflict];
        assert_eq!(before(State::Delivered), before_delivered);
        assert_eq!(before(State::Staged), [State::Verified, State::Quarantined, State::Superseded]);
        assert_eq!(before(State::Healthy), [State::Baking]);
        assert_eq!(before(State::Reverted), [State::Reverting]);
        // What is out leaves only by being taken back, by its owner, by an end of its own
        // delivery, or with its consumer.
        for state in State::ALL.into_iter().filter(|state| state.is_out()) {
            for event in Event::ALL {
                let Some(next) = state.after(event) else { continue };
                let ends = [State::Reverted, State::Closed, State::Replaced, State::Departed, State::Quarantined];
                assert!(next.is_out() || ends.contains(&next), "{state:?} by {event:?} is {next:?}");
            }
        }
    }

    #[test]
    fn every_state_is_reached_and_none_is_stuck() {
        let reach = |start: State| {
            let mut seen = BTreeSet::from([start]);
            let mut open = vec![start];
            while let Some(state) = open.pop() {
                let next = Event::ALL.iter().filter_map(|event| state.after(*event));
                open.extend(next.filter(|next| seen.insert(*next)));
            }
            seen
        };
        assert_eq!(reach(State::Discovered), State::ALL.into_iter().collect());
        for state in State::ALL {
            assert!(reach(state).contains(&State::Healthy), "{state:?}");
        }
    }

    #[test]
    fn where_somebody_stands_follows_from_what_is_recorded() {
        let facts = |pinned, changes, verified| Facts { pinned, changes, verified, ..Facts::default() };
        assert_eq!(State::of(&facts(false, false, false)), State::Discovered);
        assert_eq!(State::of(&facts(true, false, false)), State::Pinned);
        assert_eq!(State::of(&facts(true, true, false)), State::Transformed);
        assert_eq!(State::of(&facts(true, true, true)), State::Verified);
        let (delivered, passed) = (DeliveryState::Delivered, WaveState::Passed(String::new()));
        let out = Facts { delivery: Some(&delivered), ..facts(true, true, true) };
        assert_eq!(State::of(&out), State::Delivered);
        assert_eq!(State::of(&Facts { wave: Some(&WaveState::Baking), ..out }), State::Baking);
        assert_eq!(State::of(&Facts { wave: Some(&passed), ..out }), State::Healthy);
        assert_eq!(State::of(&Facts { wave: Some(&passed), departed: true, ..out }), State::Departed);
    }
}
