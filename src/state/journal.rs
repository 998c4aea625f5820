//! The append-only journal: what gander is about to do, and that it was done.

use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

use super::{StateError, Store};
use crate::digest::Digest;

/// Before or after the effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It is about to be done.
    Intent,
    /// It was done.
    Done,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Entry {
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
    /// The line.
    pub entry: Entry,
}

pub(super) fn append(transaction: &Transaction<'_>, at: i64, entry: &Entry) -> rusqlite::Result<()> {
    let phase = match entry.phase {
        Phase::Intent => "intent",
        Phase::Done => "done",
    };
    let mut insert = transaction.prepare_cached(
        "INSERT INTO journal (at, point, subject, phase, before, after, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    insert.execute(params![
        at,
        entry.point,
        entry.subject,
        phase,
        entry.before.map(|digest| digest.to_string()),
        entry.after.map(|digest| digest.to_string()),
        entry.detail,
    ])?;
    Ok(())
}

impl Store {
    /// All of it, oldest first.
    ///
    /// # Errors
    /// Where the file can't be read, or holds what gander did not write.
    pub fn journal(&self) -> Result<Vec<Recorded>, StateError> {
        self.entries("SELECT * FROM journal ORDER BY seq")
    }

    /// Intents without their completion: what a killed run was about to do.
    ///
    /// # Errors
    /// As [`Store::journal`].
    pub fn unfinished(&self) -> Result<Vec<Recorded>, StateError> {
        self.entries(
            "SELECT * FROM journal AS j WHERE phase = 'intent' AND NOT EXISTS (
                SELECT 1 FROM journal AS later WHERE later.seq > j.seq
                AND later.subject = j.subject) ORDER BY seq",
        )
    }

    fn entries(&self, query: &str) -> Result<Vec<Recorded>, StateError> {
        let digest = |text: Option<String>| match text {
            None => Ok(None),
            Some(text) => text.parse::<Digest>().map(Some).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
            }),
        };
        self.rows(query, [], |row| {
            let phase: String = row.get("phase")?;
            Ok(Recorded {
                seq: row.get("seq")?,
                at: row.get("at")?,
                entry: Entry {
                    point: row.get("point")?,
                    subject: row.get("subject")?,
                    phase: if phase == "done" { Phase::Done } else { Phase::Intent },
                    before: digest(row.get("before")?)?,
                    after: digest(row.get("after")?)?,
                    detail: row.get("detail")?,
                },
            })
        })
    }
}
