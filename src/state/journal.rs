//! The append-only journal: what gander is about to do, that it was done, where that
//! led, and what was decided on which evidence. It is the history of a rollout.

use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{StateError, Store, execute};
use crate::digest::Digest;

/// Before or after the effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It is about to be done.
    Intent,
    /// It was done.
    #[default]
    Done,
}

/// One line of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What is done: `deliver.checkout`, `rollback.branch`, …
    pub point: String,
    /// To whom: a workspace id, or a wave.
    pub subject: String,
    /// Before or after the effect.
    pub phase: Phase,
    /// What the subject is before the effect.
    pub before: Option<Digest>,
    /// What it is after the effect.
    pub after: Option<Digest>,
    /// For people, and what recovery needs besides.
    pub detail: String,
    /// The state that it leads from, where it moves one.
    pub from: Option<String>,
    /// The state that it leads to.
    pub to: Option<String>,
    /// What it rests on.
    pub evidence: Option<Value>,
}

/// In whose name something is recorded.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// Empty where gander does it by itself.
    pub actor: String,
    /// The run that is going on.
    pub run: Option<i64>,
}

impl Entry {
    /// Something that happened to `subject`, without digests.
    pub fn of(point: impl Into<String>, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { point: point.into(), subject: subject.into(), detail: detail.into(), ..Self::default() }
    }

    /// The same as a move from one state to another.
    pub fn moving(self, from: &str, to: &str) -> Self {
        Self { from: Some(from.to_owned()), to: Some(to.to_owned()), ..self }
    }

    /// The same with what it rests on.
    pub fn resting_on(self, evidence: &impl Serialize) -> Self {
        // What can't be written as JSON is shown as its absence.
        Self { evidence: serde_json::to_value(evidence).ok(), ..self }
    }

    /// The fault point that is passed once the entry is on disk.
    pub(super) fn fault_point(&self) -> String {
        let phase = match self.phase {
            Phase::Intent => "intent",
            Phase::Done => "done",
        };
        format!("journal.{}.{phase}", self.point)
    }
}

/// An [`Entry`] as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its number, from 1, without gaps.
    pub seq: i64,
    /// Seconds since the Unix epoch.
    pub at: i64,
    /// The run that wrote it, where one did.
    pub run: Option<i64>,
    /// Who; empty where gander did it by itself.
    pub actor: String,
    /// The line.
    #[serde(flatten)]
    pub entry: Entry,
}

pub(super) fn append(transaction: &Transaction<'_>, at: i64, signed: &Signed, entry: &Entry) -> rusqlite::Result<()> {
    let phase = match entry.phase {
        Phase::Intent => "intent",
        Phase::Done => "done",
    };
    let mut insert = transaction.prepare_cached(
        "INSERT INTO journal (at, point, subject, phase, before, after, detail, run, actor, from_state, to_state, evidence)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    insert.execute(params![
        at,
        entry.point,
        entry.subject,
        phase,
        entry.before.map(|digest| digest.to_string()),
        entry.after.map(|digest| digest.to_string()),
        entry.detail,
        signed.run,
        signed.actor,
        entry.from,
        entry.to,
        entry.evidence.as_ref().map(Value::to_string),
    ])?;
    Ok(())
}

impl Store {
    /// All of it, oldest first.
    ///
    /// # Errors
    /// Where the file can't be read, or holds what gander did not write.
    pub fn journal(&self) -> Result<Vec<Recorded>, StateError> {
        self.lines("SELECT * FROM journal ORDER BY seq", [])
    }

    /// The lines after the one with number `seq`, oldest first.
    ///
    /// # Errors
    /// As [`Store::journal`].
    pub fn journal_after(&self, seq: i64) -> Result<Vec<Recorded>, StateError> {
        self.lines("SELECT * FROM journal WHERE seq > ?1 ORDER BY seq", params![seq])
    }

    /// The lines that were written after `at`, oldest first.
    ///
    /// # Errors
    /// As [`Store::journal`].
    pub fn journal_since(&self, at: i64) -> Result<Vec<Recorded>, StateError> {
        self.lines("SELECT * FROM journal WHERE at > ?1 ORDER BY seq", params![at])
    }

    /// The lines about one subject, oldest first.
    ///
    /// # Errors
    /// As [`Store::journal`].
    pub fn journal_of(&self, subject: &str) -> Result<Vec<Recorded>, StateError> {
        self.lines("SELECT * FROM journal WHERE subject = ?1 ORDER BY seq", params![subject])
    }

    /// The last line about one subject at one of two points; `None` where there is none.
    ///
    /// # Errors
    /// As [`Store::journal`].
    pub fn last_of(&self, subject: &str, (one, other): (&str, &str)) -> Result<Option<Recorded>, StateError> {
        let query = "SELECT * FROM journal WHERE subject = ?1 AND point IN (?2, ?3) ORDER BY seq DESC LIMIT 1";
        Ok(self.lines(query, params![subject, one, other])?.pop())
    }

    /// Adds a line that changes nothing else.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn note(&mut self, entry: &Entry) -> Result<(), StateError> {
        let signed = self.signed();
        self.write(&entry.fault_point(), |transaction, at| append(transaction, at, &signed, entry))
    }

    /// The last line that a listener was told of; `None` where it never was.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn told(&self, listener: &str) -> Result<Option<i64>, StateError> {
        let seen = self.rows("SELECT seq FROM told WHERE listener = ?1", params![listener], |row| row.get(0))?;
        Ok(seen.first().copied())
    }

    /// Notes that a listener was told of all lines up to `seq`.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn set_told(&mut self, listener: &str, seq: i64) -> Result<(), StateError> {
        self.write("state.told", |transaction, _| {
            execute(transaction, "INSERT OR REPLACE INTO told VALUES (?1, ?2)", params![listener, seq])?;
            Ok(())
        })
    }

    pub(super) fn signed(&self) -> Signed {
        Signed { actor: self.actor.clone(), run: self.run }
    }

    /// Intents without their completion: what a killed run was about to do.
    ///
    /// # Errors
    /// As [`Store::journal`].
    pub fn unfinished(&self) -> Result<Vec<Recorded>, StateError> {
        self.lines(
            "SELECT * FROM journal AS j WHERE phase = 'intent' AND NOT EXISTS (
                SELECT 1 FROM journal AS later WHERE later.seq > j.seq
                AND later.subject = j.subject AND (later.point = j.point OR later.phase = 'intent')) ORDER BY seq",
            [],
        )
    }

    fn lines(&self, query: &str, parameters: impl rusqlite::Params) -> Result<Vec<Recorded>, StateError> {
        let digest = |text: Option<String>| match text {
            None => Ok(None),
            Some(text) => text.parse::<Digest>().map(Some).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
            }),
        };
        let json = |text: Option<String>| match text.map(|text| serde_json::from_str(&text)) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(error)) => {
                Err(rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error)))
            }
        };
        self.rows(query, parameters, |row| {
            let phase: String = row.get("phase")?;
            Ok(Recorded {
                seq: row.get("seq")?,
                at: row.get("at")?,
                run: row.get("run")?,
                actor: row.get("actor")?,
                entry: Entry {
                    point: row.get("point")?,
                    subject: row.get("subject")?,
                    phase: if phase == "done" { Phase::Done } else { Phase::Intent },
                    before: digest(row.get("before")?)?,
                    after: digest(row.get("after")?)?,
                    detail: row.get("detail")?,
                    from: row.get("from_state")?,
                    to: row.get("to_state")?,
                    evidence: json(row.get("evidence")?)?,
                },
            })
        })
    }
}
