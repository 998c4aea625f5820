//! What a rule's closures ask and the file can't tell: whether it matters, by asking again with the other answer.
//!
//! Must not: decide what comes of it.

use std::cell::RefCell;

use super::decide::DOUBT;
use super::{Decision, IfUnknown, Rule, exercise};
use crate::symbol::Certainty;

thread_local! {
    static ASKED: RefCell<Asked> = RefCell::default();
}

/// One run of a closure.
#[derive(Default)]
struct Asked {
    /// What is answered to each question that the file can't, in their order.
    answers: Vec<bool>,
    /// How many were asked.
    number: usize,
    /// What is answered to those beyond.
    beyond: bool,
    /// Whether an answer may have left something out.
    open: bool,
}

/// Why a match is in doubt where an answer leaves something out.
const DOUBTED_MEMBER: &str = "the rule asks for all uses of a member, and this file alone can't tell of which \
                     type another object is that a member of this name is taken of";

/// How often a closure is run to find out whether what the file can't tell matters.
const MAX_RUNS: usize = 16;

/// Says that an answer may leave something out.
pub fn raise() {
    ASKED.with_borrow_mut(|asked| asked.open = true);
}

/// Yes or no for a closure; what the file can't tell is either, one after the other.
pub fn is(answer: Certainty) -> bool {
    if answer != Certainty::Unknown {
        return answer == Certainty::Yes;
    }
    ASKED.with_borrow_mut(|asked| {
        let answer = asked.answers.get(asked.number).copied().unwrap_or(asked.beyond);
        asked.number += 1;
        answer
    })
}

/// What a rule's closure gives, and why that is in doubt: the file can't tell something that it depends on.
pub(super) fn settled<T: PartialEq>(rule: &Rule, run: impl FnMut() -> T) -> (T, Option<&'static str>) {
    exercise::tried(|| {
        let settled = settled_by(rule, run);
        let counts = settled.1.is_none();
        (settled, counts)
    })
}

fn settled_by<T: PartialEq>(rule: &Rule, mut run: impl FnMut() -> T) -> (T, Option<&'static str>) {
    let mut with = |answers: Vec<bool>, beyond: bool| {
        ASKED.set(Asked { answers, beyond, ..Asked::default() });
        let given = run();
        (given, ASKED.take())
    };
    if rule.if_unknown == IfUnknown::Match {
        return (with(Vec::new(), true).0, None);
    }
    let (first, asked) = with(Vec::new(), false);
    if asked.open {
        return (first, Some(DOUBTED_MEMBER));
    }
    let mut answers = vec![false; asked.number];
    for run in 1.. {
        // The next way to answer: the last `false` is `true`, and what it leads to is asked anew.
        while answers.last() == Some(&true) {
            answers.pop();
        }
        let Some(last) = answers.last_mut() else { return (first, None) };
        if run == MAX_RUNS {
            break;
        }
        *last = true;
        // What is only supposed tells nothing of the rule.
        let (given, asked) = exercise::tried(|| (with(answers.clone(), false), false));
        if asked.open || given != first {
            return (first, Some(if asked.open { DOUBTED_MEMBER } else { DOUBT }));
        }
        answers.resize(asked.number.max(answers.len()), false);
    }
    (first, Some(DOUBT))
}

/// As [`settled`], for what becomes of a match: to leave it is an answer that may be in doubt, too.
pub(super) fn decided(
    rule: &Rule,
    run: impl FnMut() -> Result<Decision, String>,
) -> (Result<Decision, String>, Option<&'static str>) {
    match settled(rule, run) {
        (Ok(Decision::Skip(_)), Some(DOUBT)) => (Ok(Decision::Edits(Vec::new())), Some(DOUBT)),
        other => other,
    }
}
