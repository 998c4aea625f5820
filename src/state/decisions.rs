//! What people decided: approvals, exclusions, pauses. The latest of each kind about a
//! subject holds; the journal keeps all of them.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

use super::journal::{self, Entry, Signed};
use super::{StateError, Store, execute};

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionKind {
    /// A change set, or a wave, may go out or on.
    Approve,
    /// A workspace gets no change set.
    Exclude,
    /// Nothing new is begun.
    Pause,
}

impl DecisionKind {
    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Exclude => "exclude",
            Self::Pause => "pause",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Approve, Self::Exclude, Self::Pause].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Who.
    pub actor: String,
    /// What exactly was looked at: a change id, or the digest of a wave. The decision is
    /// about nothing else.
    pub about: String,
    /// Why.
    pub reason: String,
    /// When, in seconds since the Unix epoch.
    pub at: i64,
}

impl Store {
    /// Records a decision about `subject`, by whoever the store is opened for.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn decide(
        &mut self,
        kind: DecisionKind,
        subject: &str,
        (about, reason): (&str, &str),
        entry: &Entry,
    ) -> Result<(), StateError> {
        let signed = self.signed();
        self.write(&entry.fault_point(), |transaction, at| {
            journal::append(transaction, at, &signed, entry)?;
            execute(
                transaction,
                "INSERT OR REPLACE INTO decisions VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![kind.as_str(), subject, signed.actor, about, reason, at],
            )?;
            Ok(())
        })
    }

    /// Lets a decision about one subject hold of another one as well, in the name of whoever made it.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn copy_decision(
        &mut self,
        kind: DecisionKind,
        (from, to): (&str, &str),
        entry: &Entry,
    ) -> Result<(), StateError> {
        let signed = self.signed();
        self.write(&entry.fault_point(), |transaction, at| {
            journal::append(transaction, at, &signed, entry)?;
            let copy = "INSERT OR REPLACE INTO decisions
                        SELECT kind, ?3, actor, about, reason, at FROM decisions WHERE kind = ?1 AND subject = ?2";
            transaction.execute(copy, params![kind.as_str(), from, to])?;
            Ok(())
        })
    }

    /// Takes a decision back; nothing happens where there is none.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn undecide(&mut self, kind: DecisionKind, subject: &str, entry: &Entry) -> Result<(), StateError> {
        let signed = self.signed();
        self.write(&entry.fault_point(), |transaction, at| {
            journal::append(transaction, at, &signed, entry)?;
            let delete = "DELETE FROM decisions WHERE kind = ?1 AND subject = ?2";
            execute(transaction, delete, params![kind.as_str(), subject])?;
            Ok(())
        })
    }

    /// Ends the approval of a wave, where it has one.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn unapprove(&mut self, wave: u32, why: &str) -> Result<(), StateError> {
        if self.decision(DecisionKind::Approve, &format!("wave {wave}"))?.is_none() {
            return Ok(());
        }
        let signed = self.signed();
        self.write("journal.unapprove.done", |transaction, at| unapprove(transaction, at, &signed, (wave, why)))
    }

    /// What holds of one kind about one subject.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn decision(&self, kind: DecisionKind, subject: &str) -> Result<Option<Decision>, StateError> {
        let query = "SELECT actor, about, reason, at FROM decisions WHERE kind = ?1 AND subject = ?2";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Decision { actor: row.get(0)?, about: row.get(1)?, reason: row.get(2)?, at: row.get(3)? })
        };
        Ok(self.rows(query, params![kind.as_str(), subject], read)?.pop())
    }

    /// All that hold, by kind and subject.
    ///
    /// # Errors
    /// Where the file can't be read, or holds what gander did not write.
    pub fn decisions(&self) -> Result<BTreeMap<(DecisionKind, String), Decision>, StateError> {
        let query = "SELECT kind, subject, actor, about, reason, at FROM decisions";
        let rows = self.rows(query, [], |row| {
            let decision = Decision { actor: row.get(2)?, about: row.get(3)?, reason: row.get(4)?, at: row.get(5)? };
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, decision))
        })?;
        let known = |(kind, subject, decision): (String, String, Decision)| {
            let kind = DecisionKind::parse(&kind).ok_or_else(|| self.corrupt(format!("the decision {kind:?}")))?;
            Ok(((kind, subject), decision))
        };
        rows.into_iter().map(known).collect()
    }
}

/// Ends the approval of a wave, where it has one, within a larger change.
pub(super) fn unapprove(
    transaction: &Transaction<'_>,
    at: i64,
    signed: &Signed,
    (wave, why): (u32, &str),
) -> rusqlite::Result<()> {
    let wave = format!("wave {wave}");
    let mut delete = transaction.prepare_cached("DELETE FROM decisions WHERE kind = ?1 AND subject = ?2")?;
    if delete.execute(params![DecisionKind::Approve.as_str(), wave])? > 0 {
        journal::append(transaction, at, signed, &Entry::of("unapprove", wave, why))?;
    }
    Ok(())
}
