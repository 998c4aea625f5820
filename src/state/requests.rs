//! What people ask of a controller that is at work. It holds the lock, so that they can't
//! write what they decide: they leave it here, and it reads that before each thing that it
//! begins. One that is killed leaves it to the next.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::journal::{self, Entry, Signed};
use super::{SCHEMA_VERSION, StateError, Store, execute, schema};

/// What somebody asked and nobody has answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<A> {
    /// Its number.
    pub seq: i64,
    /// Who asked.
    pub actor: String,
    /// What.
    pub what: A,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was done, and what came of it.
    Done(String),
    /// It can't be, as things stand, and why.
    Refused(String),
    /// gander could not know or could not do it, and why.
    Failed(String),
}

impl Answer {
    /// In words.
    pub fn text(&self) -> &str {
        match self {
            Self::Done(text) | Self::Refused(text) | Self::Failed(text) => text,
        }
    }

    /// As it lies in the column `refused`.
    fn code(&self) -> i64 {
        match self {
            Self::Done(_) => 0,
            Self::Refused(_) => 1,
            Self::Failed(_) => 2,
        }
    }

    fn of(code: i64, text: String) -> Self {
        match code {
            0 => Self::Done(text),
            1 => Self::Refused(text),
            _ => Self::Failed(text),
        }
    }
}

/// Leaves a request for whoever holds the lock of `folder`, in the name of `actor`: its
/// number. It is in the journal at once, as `entry`.
///
/// # Errors
/// [`StateError::Missing`] where nothing was run, and where the file can't be written.
pub fn ask<A: Serialize>(folder: &Path, actor: &str, now: i64, what: &A, entry: &Entry) -> Result<i64, StateError> {
    let path = folder.join("state.db");
    if !path.is_file() {
        return Err(StateError::Missing { path });
    }
    let failed = |source| StateError::of(&path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(&path, flags).map_err(failed)?;
    match schema::version(&db, &path)? {
        Some(SCHEMA_VERSION) => {}
        Some(found) => return Err(StateError::OtherVersion { path, found }),
        None => return Err(StateError::Missing { path }),
    }
    schema::configure(&db).map_err(failed)?;
    let text = serde_json::to_string(what)
        .map_err(|error| StateError::Corrupt { path: path.clone(), detail: error.to_string() })?;
    let signed = Signed { actor: actor.to_owned(), run: None };
    let written = (|| {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        journal::append(&transaction, now, &signed, entry)?;
        let insert = "INSERT INTO requests (at, actor, what) VALUES (?1, ?2, ?3)";
        execute(&transaction, insert, params![now, actor, text])?;
        let seq = transaction.last_insert_rowid();
        transaction.commit()?;
        Ok(seq)
    })();
    written.map_err(failed)
}

impl Store {
    /// What was asked and is not answered, oldest first.
    ///
    /// # Errors
    /// Where the file can't be read, or holds what gander did not write.
    pub fn asked<A: DeserializeOwned>(&self) -> Result<Vec<Asked<A>>, StateError> {
        let query = "SELECT seq, actor, what FROM requests WHERE answer IS NULL ORDER BY seq";
        let rows = self
            .rows(query, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?;
        rows.into_iter().map(|(seq, actor, what)| Ok(Asked { seq, actor, what: self.value(&what)? })).collect()
    }

    /// What was asked after a request, and is done already.
    ///
    /// # Errors
    /// As [`Store::asked`].
    pub fn done_after<A: DeserializeOwned>(&self, seq: i64) -> Result<Vec<A>, StateError> {
        let query = "SELECT what FROM requests WHERE seq > ?1 AND answer IS NOT NULL AND refused = 0 ORDER BY seq";
        let rows = self.rows(query, params![seq], |row| row.get::<_, String>(0))?;
        rows.iter().map(|text| self.value(text)).collect()
    }

    /// Answers a request.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn answer(&mut self, seq: i64, answer: &Answer, entry: &Entry) -> Result<(), StateError> {
        let signed = self.signed();
        self.write(&entry.fault_point(), |transaction, at| {
            journal::append(transaction, at, &signed, entry)?;
            let update = "UPDATE requests SET answer = ?2, refused = ?3 WHERE seq = ?1";
            execute(transaction, update, params![seq, answer.text(), answer.code()])?;
            Ok(())
        })
    }

    /// What was answered to a request, once it was.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn answered(&self, seq: i64) -> Result<Option<Answer>, StateError> {
        let query = "SELECT answer, refused FROM requests WHERE seq = ?1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, i64>(1)?));
        let found = self.db.query_row(query, params![seq], read).optional().map_err(|source| self.error(source))?;
        Ok(found.and_then(|(answer, code)| Some(Answer::of(code, answer?))))
    }

    /// Does something in the name of somebody else: the journal says so.
    pub fn in_the_name_of<T>(&mut self, actor: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let own = std::mem::replace(&mut self.actor, actor.to_owned());
        let done = work(self);
        self.actor = own;
        done
    }
}
