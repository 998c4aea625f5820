//! What the runner answers, read strictly: an answer that is not whole is none.
//!
//! Must not: trust a name or a number that was not asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::questions::Questions;
use super::{Compared, Comparison};

/// The version of questions and answers.
pub const VERSION: u32 = 1;
/// The longest text of an answer that is kept, in characters.
const LONGEST: usize = 400;
/// The most answers to one question.
const MOST: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    version: u32,
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    name: String,
    line: u32,
    outcome: Compared,
    why: String,
    rows: u64,
    wrongs: BTreeMap<String, bool>,
}

/// The answers to `questions`.
///
/// # Errors
/// Why they are none.
pub fn read(text: &[u8], questions: &Questions) -> Result<Vec<Comparison>, String> {
    let bad = |why: &str| Err(format!("the comparison gave no usable answer: {why}"));
    let Ok(read) = serde_json::from_slice::<Answers>(text) else { return bad("it is not as agreed") };
    if read.version != VERSION {
        return bad("it is of another version");
    }
    if read.answers.len() > MOST * (1 + questions.names().count()) {
        return bad("there is more than was asked for");
    }
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for answer in &read.answers {
        if !questions.knows(&answer.name) {
            return bad("it speaks of what was not asked");
        }
        seen.insert(&answer.name);
        let noticed = answer.wrongs.values().any(|noticed| *noticed);
        if answer.outcome == Compared::Equal && (answer.rows == 0 || !noticed) {
            return bad("it counts what does not count");
        }
    }
    let answered = |name: &String| {
        seen.contains(name.as_str())
            || questions.project_of(name).is_some_and(|project| seen.contains(project.as_str()))
    };
    if let Some(missing) = questions.names().find(|name| !answered(name)) {
        return bad(&format!("it leaves out {missing}"));
    }
    let one = |answer: Answer| Comparison {
        name: questions.title(&answer.name, answer.line),
        outcome: answer.outcome,
        why: cut(&answer.why),
        rows: answer.rows,
        wrongs: answer.wrongs.into_iter().map(|(wrong, noticed)| (cut(&wrong), noticed)).collect(),
    };
    Ok(read.answers.into_iter().map(one).collect())
}

/// On one line, and not too long.
fn cut(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"version": 1, "answers": [{"name": "a.sql", "line": 3, "outcome": "equal", "why": "",
        "rows": 4, "wrongs": {"users.a read from b": true}}]}"#;

    fn asked(text: &str) -> Result<Vec<Comparison>, String> {
        read(text.as_bytes(), &Questions::about(&["a.sql"]))
    }

    #[test]
    fn an_answer_is_whole_or_none() {
        let good = asked(GOOD).unwrap();
        assert_eq!((good[0].name.as_str(), good[0].outcome), ("a.sql:3", Compared::Equal));
        let bad = [
            ("\"version\": 1", "\"version\": 2"),
            ("a.sql", "b.sql"),
            ("\"rows\": 4", "\"rows\": 0"),
            ("true", "false"),
            ("\"equal\"", "\"fine\""),
            ("\"line\": 3,", ""),
            ("\"line\": 3", "\"line\": 3, \"passed\": true"),
            ("}}]}", "}}]"),
        ];
        for (from, to) in bad {
            assert!(asked(&GOOD.replace(from, to)).is_err(), "{to}");
        }
        assert!(asked(r#"{"version": 1, "answers": []}"#).unwrap_err().contains("leaves out a.sql"));
        assert!(asked("Traceback").is_err());
    }
}
