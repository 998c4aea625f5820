//! What people ask of a rollout, also while a controller is at work on it: that reads what
//! was asked before each thing that it begins, and does it in the asker's name.

use serde::{Deserialize, Serialize};

use super::decisions::{self, About};
use super::rollback::{Scope, roll_back};
use super::{Event, Hooks, RolloutError, retry_wave};
use crate::config::Gate;
use crate::state::{Answer, Asked, Entry, Store};

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Ask {
    /// Nothing new is begun.
    Pause {
        /// Why.
        reason: String,
    },
    /// A pause ends.
    Resume {
        /// Why.
        reason: String,
    },
    /// A wave goes on, or a change set goes out.
    Approve {
        /// Which.
        about: About,
        /// Why.
        reason: String,
    },
    /// A consumer is left out.
    Exclude {
        /// Its reference.
        entity: String,
        /// Why.
        reason: String,
    },
    /// A consumer is verified and delivered again.
    Retry {
        /// Its reference.
        entity: String,
    },
    /// A wave is tried again.
    RetryWave {
        /// Its number.
        number: u32,
    },
    /// Something is taken back.
    RollBack {
        /// What.
        scope: Scope,
        /// Reverts are not built and tested first.
        #[serde(default)]
        untested: bool,
    },
}

impl Ask {
    /// The line of the journal that says that it was asked.
    pub fn entry(&self) -> Entry {
        let (word, subject, why) = match self {
            Self::Pause { reason } => ("pause", decisions::ROLLOUT.to_owned(), reason.as_str()),
            Self::Resume { reason } => ("resume", decisions::ROLLOUT.to_owned(), reason.as_str()),
            Self::Approve { about: About::Wave(number), reason } => ("approve", format!("wave {number}"), &**reason),
            Self::Approve { about: About::Consumer(entity), reason } => ("approve", entity.clone(), &**reason),
            Self::Exclude { entity, reason } => ("exclude", entity.clone(), &**reason),
            Self::Retry { entity } => ("retry", entity.clone(), ""),
            Self::RetryWave { number } => ("retry", format!("wave {number}"), ""),
            Self::RollBack { scope: Scope::All, .. } => ("rollback", decisions::ROLLOUT.to_owned(), ""),
            Self::RollBack { scope: Scope::Wave(number), .. } => ("rollback", format!("wave {number}"), ""),
            Self::RollBack { scope: Scope::Consumer(entity), .. } => ("rollback", entity.clone(), ""),
        };
        Entry::of(format!("asked.{word}"), subject, why)
    }

    /// What a controller that is at work makes of it, and when.
    pub fn prospect(&self) -> &'static str {
        match self {
            Self::Pause { .. } => "it finishes what it has begun, and begins nothing new from then on",
            Self::Exclude { .. } => "it leaves it out of all that it has not begun yet",
            Self::RollBack { .. } => "it finishes what it has begun, and takes it back then",
            Self::Resume { .. } => "it goes on from its next step",
            Self::Approve { .. } | Self::Retry { .. } | Self::RetryWave { .. } => {
                "it does so once the wave that it works on is done, or the next run does"
            }
        }
    }

    /// Whoever has a consumer tried again and excludes it then wants it excluded.
    fn is_undone_by(&self, later: &Self) -> bool {
        matches!((self, later), (Self::Retry { entity }, Self::Exclude { entity: other, .. }) if entity == other)
    }

    /// It is heard before each single step; everything else between two waves.
    fn is_urgent(&self) -> bool {
        matches!(self, Self::Pause { .. } | Self::Resume { .. } | Self::Exclude { .. })
    }
}

/// Does what somebody wants: what came of it, for that person.
///
/// # Errors
/// [`RolloutError::Undecidable`] and [`RolloutError::NoSuch`] where it can't be, as things
/// stand; where the state can't be used.
pub fn perform(store: &mut Store, ask: &Ask, gates: &[Gate], hooks: &Hooks<'_>) -> Result<String, RolloutError> {
    super::recover::is_whole(store)?;
    Ok(match ask {
        Ask::Pause { reason } => {
            decisions::pause(store, reason)?;
            "paused: `gander run` watches and takes back, and begins nothing new; `gander resume` ends it".to_owned()
        }
        Ask::Resume { reason } => {
            decisions::resume(store, reason)?;
            "resumed: `gander run` goes on".to_owned()
        }
        Ask::Approve { about, reason } => match decisions::approve(store, about, reason, gates)? {
            Some(wave) => format!("approved: it goes out once `gander retry --wave {wave}` opens its wave again"),
            None if super::driver::is_paused(store)? => {
                "approved; the rollout is paused: it goes on by that once `gander resume` has ended the pause"
                    .to_owned()
            }
            None => "approved: `gander run` goes on".to_owned(),
        },
        Ask::Exclude { entity, reason } => excluded(entity, decisions::exclude(store, entity, reason)?),
        Ask::Retry { entity } => match decisions::retry(store, entity)? {
            Some(wave) => format!("{entity} takes part again, once `gander retry --wave {wave}` opens its wave"),
            None => format!("{entity} is verified and delivered again by the next `gander run`"),
        },
        Ask::RetryWave { number } => {
            let later =
                retry_wave(store, *number)?.iter().skip(1).map(|wave| format!(", then {wave}")).collect::<String>();
            format!("wave {number}{later} is tried again by the next `gander run`")
        }
        Ask::RollBack { scope, untested } => {
            let hooks = if *untested { Hooks { prove_back: Hooks::none().prove_back, ..*hooks } } else { *hooks };
            roll_back(store, scope, &hooks)?;
            "taken back, as far as the ledger says: `gander status`".to_owned()
        }
    })
}

fn excluded(entity: &str, back: Option<u32>) -> String {
    let name = super::rollback::shown(entity);
    let text = format!("excluded: {entity} gets no change set; `gander retry {name}` takes it in again");
    match back {
        None => text,
        Some(wave) => format!(
            "{text}\nits wave {wave} stays as it is: `gander retry --wave {wave}`, or `gander run --replan`, tries it \
             without {entity}"
        ),
    }
}

/// Does all that was asked, between two things that are done.
///
/// # Errors
/// Where the state can't be used; what can't be done is answered so.
pub fn heed(store: &mut Store, gates: &[Gate], hooks: &Hooks<'_>) -> Result<(), RolloutError> {
    heed_some(store, gates, hooks, |_| true).map(drop)
}

/// Does what can be done in the midst of a wave; false where nothing more of it may be begun.
pub(super) fn heed_urgent(store: &mut Store, tell: &dyn Fn(Event<'_>)) -> Result<bool, RolloutError> {
    let left = heed_some(store, &[], &Hooks { tell, ..Hooks::none() }, Ask::is_urgent)?;
    let stops = |asked: &Asked<Ask>| matches!(asked.what, Ask::RollBack { .. });
    Ok(!left.iter().any(stops) && !super::driver::is_paused(store)?)
}

/// What was asked and stays so.
fn heed_some(
    store: &mut Store,
    gates: &[Gate],
    hooks: &Hooks<'_>,
    wanted: impl Fn(&Ask) -> bool,
) -> Result<Vec<Asked<Ask>>, RolloutError> {
    let (now, later): (Vec<_>, Vec<_>) = store.asked::<Ask>()?.into_iter().partition(|asked| wanted(&asked.what));
    for one in now {
        // What could not wait may have been asked after this: the later one holds.
        let overtaken = store.done_after::<Ask>(one.seq)?.iter().any(|later| one.what.is_undone_by(later));
        let done = match overtaken {
            true => Err(RolloutError::Undecidable("something else was asked of it after that, and done".to_owned())),
            false => store.in_the_name_of(&one.actor, |store| perform(store, &one.what, gates, hooks)),
        };
        let (point, answer) = match done {
            Err(error @ RolloutError::State(_)) => return Err(error),
            // Unanswered, it would stop every run after this one.
            Err(error) if error.is_refusal() => ("answer.refused", Answer::Refused(error.to_string())),
            Err(error) => ("answer.failed", Answer::Failed(error.to_string())),
            Ok(text) => ("answer.done", Answer::Done(text)),
        };
        let (text, asked) = (answer.text(), one.what.entry());
        (hooks.tell)(Event::Heeded { what: &asked.point, subject: &asked.subject, by: &one.actor, answer: text });
        store.answer(one.seq, &answer, &Entry::of(point, asked.subject, text))?;
    }
    Ok(later)
}
