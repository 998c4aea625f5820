//! What may become of a wave.

use super::Forbidden;
use crate::state::WaveState;

/// Where a wave stands, without its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Its members are known, nothing was done.
    Planned,
    /// It is verified and delivered.
    Running,
    /// All of it is out, and a gate waits.
    Baking,
    /// What its gates saw is recorded and not acted on yet.
    Judging,
    /// The next wave may open.
    Passed,
    /// It can't be told: paused.
    Inconclusive,
    /// A gate failed, and a person decides.
    Failed,
    /// It is taken back.
    RollingBack,
    /// It was taken back.
    RolledBack,
}

/// What happens to a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// It is worked on.
    Open,
    /// Every member has come to the end of its delivery.
    Whole,
    /// What the gates see is recorded.
    Look,
    /// Every gate passes.
    Pass,
    /// A gate waits, and none fails.
    Wait,
    /// A gate can't tell, none waits and none fails.
    Doubt,
    /// A gate fails, and a person decides.
    Fail,
    /// A gate fails, or a person wants it back.
    RollBack,
    /// All that can be taken back is.
    Back,
    /// Some of it is tried again, or goes out late.
    Reopen,
    /// A changed plan was taken in, and some of it is out.
    Replan,
    /// It failed or was taken back, and is to be tried again.
    Again,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Planned,
        Self::Running,
        Self::Baking,
        Self::Judging,
        Self::Passed,
        Self::Inconclusive,
        Self::Failed,
        Self::RollingBack,
        Self::RolledBack,
    ];

    /// Without its reason.
    pub fn of(state: &WaveState) -> Self {
        match state {
            WaveState::Planned => Self::Planned,
            WaveState::Running => Self::Running,
            WaveState::Baking => Self::Baking,
            WaveState::Judging => Self::Judging,
            WaveState::Passed(_) => Self::Passed,
            WaveState::Inconclusive(_) => Self::Inconclusive,
            WaveState::Failed(_) => Self::Failed,
            WaveState::RollingBack(_) => Self::RollingBack,
            WaveState::RolledBack(_) => Self::RolledBack,
        }
    }

    /// With a reason, where it has one.
    pub fn because(self, reason: String) -> WaveState {
        match self {
            Self::Planned => WaveState::Planned,
            Self::Running => WaveState::Running,
            Self::Baking => WaveState::Baking,
            Self::Judging => WaveState::Judging,
            Self::Passed => WaveState::Passed(reason),
            Self::Inconclusive => WaveState::Inconclusive(reason),
            Self::Failed => WaveState::Failed(reason),
            Self::RollingBack => WaveState::RollingBack(reason),
            Self::RolledBack => WaveState::RolledBack(reason),
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Baking => "baking",
            Self::Judging => "judging",
            Self::Passed => "passed",
            Self::Inconclusive => "inconclusive",
            Self::Failed => "failed",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
        }
    }

    /// What it becomes by `event`; `None` where that can't be.
    pub fn after(self, event: Event) -> Option<Self> {
        use Event as E;
        use State as S;
        Some(match (self, event) {
            (S::Planned | S::Running | S::Inconclusive, E::Open) => S::Running,
            (S::Running, E::Whole) => S::Baking,
            // One that was killed between the look and the judgement looks again.
            (S::Baking | S::Judging | S::Inconclusive, E::Look) => S::Judging,
            (S::Judging, E::Pass) => S::Passed,
            (S::Judging, E::Wait) => S::Baking,
            (S::Judging, E::Doubt) => S::Inconclusive,
            // Of what is out so far, where the rest still waits, it may fail, too.
            // One that has passed is watched until something of the next one is out.
            (S::Judging | S::Running | S::Inconclusive | S::Passed, E::Fail) => S::Failed,
            // What was taken back may be asked for again: some of it may have stuck.
            (_, E::RollBack) => S::RollingBack,
            (S::RollingBack, E::Back) => S::RolledBack,
            (S::Running | S::Baking | S::Judging | S::Passed | S::Inconclusive, E::Reopen) => S::Running,
            (_, E::Replan) => S::Running,
            // What is out stays out, and is judged again.
            (S::Failed, E::Again) => S::Running,
            // It opens once the waves before it have passed.
            (S::RolledBack, E::Again) => S::Planned,
            _ => return None,
        })
    }

    /// The same, where anything else is a bug.
    ///
    /// # Errors
    /// [`Forbidden`], with nothing done.
    pub fn step(self, event: Event, number: u32) -> Result<Self, Forbidden> {
        let forbidden = || Forbidden { subject: format!("wave {number}"), from: self.as_str(), event: event.as_str() };
        self.after(event).ok_or_else(forbidden)
    }
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Open,
        Self::Whole,
        Self::Look,
        Self::Pass,
        Self::Wait,
        Self::Doubt,
        Self::Fail,
        Self::RollBack,
        Self::Back,
        Self::Reopen,
        Self::Replan,
        Self::Again,
    ];

    /// Its name, as the journal writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Whole => "whole",
            Self::Look => "look",
            Self::Pass => "pass",
            Self::Wait => "wait",
            Self::Doubt => "doubt",
            Self::Fail => "fail",
            Self::RollBack => "rollback",
            Self::Back => "rolled-back",
            Self::Reopen => "reopen",
            Self::Replan => "replan",
            Self::Again => "again",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// One row a state, one column an event.
    #[test]
    fn every_state_and_event() {
        let letter = |state: State| match state {
            State::Planned => 'p',
            State::Running => 'r',
            State::Baking => 'b',
            State::Judging => 'j',
            State::Passed => 'P',
            State::Inconclusive => '?',
            State::Failed => 'F',
            State::RollingBack => '<',
            State::RolledBack => 'B',
        };
        let cell = |state: State, event| state.after(event).map_or('.', letter);
        let row = |state: &State| Event::ALL.iter().map(|event| cell(*state, *event)).collect::<String>();
        let rows: Vec<String> = State::ALL.iter().map(row).collect();
        // open whole look pass wait doubt fail rollback back reopen replan again
        let table = [
            "r......<..r.", // planned
            "rb....F<.rr.", // running
            "..j....<.rr.", // baking
            "..jPb?F<.rr.", // judging
            "......F<.rr.", // passed
            "r.j...F<.rr.", // inconclusive
            ".......<..rr", // failed
            ".......<B.r.", // rolling back
            ".......<..rp", // rolled back
        ];
        assert_eq!(rows, table);
    }

    #[test]
    fn no_wave_passes_that_was_not_judged_and_none_is_stuck() {
        let before_passed: Vec<State> = State::ALL
            .into_iter()
            .filter(|state| Event::ALL.iter().any(|e| state.after(*e) == Some(State::Passed)))
            .collect();
        assert_eq!(before_passed, [State::Judging]);
        let before_judging =
            State::ALL.into_iter().filter(|s| Event::ALL.iter().any(|e| s.after(*e) == Some(State::Judging)));
        assert_eq!(before_judging.collect::<Vec<_>>(), [State::Baking, State::Judging, State::Inconclusive]);
        for start in State::ALL {
            let mut seen = BTreeSet::from([start]);
            let mut open = vec![start];
            while let Some(state) = open.pop() {
                let next = Event::ALL.iter().filter_map(|event| state.after(*event));
                open.extend(next.filter(|next| seen.insert(*next)));
            }
            assert!(seen.contains(&State::RolledBack) && seen.contains(&State::Passed), "{start:?}");
        }
    }

    #[test]
    fn names_are_those_of_the_record() {
        for state in State::ALL {
            assert_eq!(State::of(&state.because("why".to_owned())), state);
        }
    }
}
