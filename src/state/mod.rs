//! The durable state of one migration: `state.db` in the state folder. Everything
//! that a decision rests on is here before the decision is acted on.
//!
//! Must not: know a stage (their values are stored as JSON), decide anything, or
//! write a file other than its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rusqlite::{Connection, OpenFlags, Params, Row, Transaction, TransactionBehavior};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Clock;
use crate::digest::Digest;
use crate::fault;
use crate::files::{self, FilesError};

mod decisions;
mod deliveries;
mod journal;
mod lease;
mod lock;
mod records;
mod requests;
mod schema;
mod summaries;
mod tables;
mod waves;

pub use decisions::{Decision, DecisionKind};
pub use journal::{Entry, Phase, Recorded};
pub use records::{
    Applied, Binding, ConsumerRecord, DeliveryRecord, DeliveryState, Earlier, KeptBack, Refusal, Terms, Wait, WaitFor,
    WaveRecord, WaveState, WorkspaceRecord,
};
pub use requests::{Answer, Asked, ask};
pub use schema::SCHEMA_VERSION;
pub use summaries::{Summary, WorkspaceBrief};

/// The state can't be used. Nothing was written to it.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// SQLite refused.
    #[error("{}: {source}", path.display())]
    Database {
        /// `state.db`.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The tables are of another version.
    #[error(
        "{} was written by another version of gander (tables of version {found}; this one knows \
         {SCHEMA_VERSION}): use that gander, or name another state folder in [state] path",
        path.display()
    )]
    OtherVersion {
        /// `state.db`.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// It is a database of something else.
    #[error("{} is a database, but not gander's: name another state folder in [state] path", path.display())]
    Foreign {
        /// `state.db`.
        path: PathBuf,
    },
    /// There is none.
    #[error("{} does not exist: nothing has been run yet; start with `gander run`", path.display())]
    Missing {
        /// `state.db`.
        path: PathBuf,
    },
    /// It was lost, and what it knew of is still there.
    #[error(
        "{} is missing or empty, but {beside} of an earlier run are beside it: `gander recover` rebuilds the state; \
         to begin anew, move the folder away",
        path.display()
    )]
    Lost {
        /// `state.db`.
        path: PathBuf,
        /// The folder that is still there.
        beside: &'static str,
    },
    /// The disk, or somebody, has damaged it.
    #[error(
        "{}: {source}: restore it from a copy; or move it away, and `gander recover` rebuilds it as far as the world tells",
        path.display()
    )]
    Damaged {
        /// `state.db`.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Another process advances this migration.
    #[error(
        "{}: another gander (process {pid}) is at work on this migration; wait for it, or end it",
        folder.display()
    )]
    Locked {
        /// The state folder.
        folder: PathBuf,
        /// The process.
        pid: String,
    },
    /// Another machine advances this migration, or did until a moment ago.
    #[error(
        "{}: gander on {host} (process {pid}) was at work on this migration {ago} s ago; end it, or wait \
         until it has been silent for {} min", folder.display(), lease::SILENCE / 60
    )]
    Leased {
        /// The state folder.
        folder: PathBuf,
        /// The other machine.
        host: String,
        /// The process there.
        pid: i64,
        /// Seconds since it last wrote.
        ago: i64,
    },
    /// Another controller took the migration over while this one was away.
    #[error(
        "{}: another gander took this migration over; this one has stopped, and wrote nothing since",
        folder.display()
    )]
    Fenced {
        /// The state folder.
        folder: PathBuf,
    },
    /// The lock can't be had for another reason.
    #[error("{}: cannot lock: {source}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A value in it is not what gander wrote.
    #[error("{} holds a value that gander can't read ({detail}): restore it from a copy, or name another state folder", path.display())]
    Corrupt {
        /// `state.db`.
        path: PathBuf,
        /// What could not be read.
        detail: String,
    },
    /// The state folder can't be made.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl StateError {
    /// Who is at work, where that is why: for people.
    pub fn controller(&self) -> String {
        match self {
            Self::Locked { pid, .. } => format!("gander (process {pid})"),
            Self::Leased { host, pid, .. } => format!("gander on {host} (process {pid})"),
            _ => "another gander".to_owned(),
        }
    }

    fn of(path: &Path, source: rusqlite::Error) -> Self {
        let not_a_database = source.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase);
        if not_a_database {
            return Self::Foreign { path: path.to_owned() };
        }
        if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) {
            return Self::Damaged { path: path.to_owned(), source };
        }
        Self::Database { path: path.to_owned(), source }
    }
}

/// What lies beside a state that was used, in its folder.
const BESIDE: [&str; 2] = ["change-sets", "pins"];

/// Where the state of a folder is not there, what is left of an earlier one. Beginning anew
/// over it would forget exclusions and pauses, and deliver what was merged or taken back.
fn left_over(folder: &Path) -> Option<&'static str> {
    let path = folder.join("state.db");
    if std::fs::metadata(path).is_ok_and(|found| found.len() > 0) {
        return None;
    }
    BESIDE.into_iter().find(|name| holds_something(&folder.join(name)))
}

fn holds_something(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// An open state. Only one that holds the controller's lock writes.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    folder: PathBuf,
    clock: Clock,
    /// The number of this controller's lease; a greater one in the file fences it off.
    token: i64,
    /// The run that is going on.
    run: Option<i64>,
    /// Who is at work, for the journal.
    actor: String,
    /// Places elsewhere of which this process could not see what became of them, and why.
    unseen: BTreeMap<String, String>,
    _lock: Option<lock::ControllerLock>,
}

impl Store {
    /// Seconds since the Unix epoch, by the clock it was opened with.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// The clock it was opened with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Opens the state in `folder` to advance it, and makes it where there is
    /// none. The lock is held until the store is dropped or the process dies.
    ///
    /// # Errors
    /// [`StateError::Locked`] where another process holds it, [`StateError::Lost`] where it
    /// was lost, and where the state is of another version, foreign or unwritable.
    pub fn open(folder: &Path, clock: &Clock) -> Result<Self, StateError> {
        let path = folder.join("state.db");
        if let Some(beside) = left_over(folder) {
            return Err(StateError::Lost { path, beside });
        }
        let store = Self::rebuild(folder, clock)?;
        // Made over a lost one by a gander that did not look.
        let delivered = holds_something(&folder.join(BESIDE[0]));
        match delivered && store.binding()?.is_none() {
            true => Err(StateError::Lost { path, beside: BESIDE[0] }),
            false => Ok(store),
        }
    }

    /// The same where the state was lost: for whoever rebuilds it.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn rebuild(folder: &Path, clock: &Clock) -> Result<Self, StateError> {
        files::make_folder(folder)?;
        let lock = lock::take(folder)?;
        let path = folder.join("state.db");
        let mut db = Connection::open(&path).map_err(|source| StateError::of(&path, source))?;
        // Asked first: a file that is not ours must stay as it is.
        schema::version(&db, &path)?;
        schema::configure(&db).map_err(|source| StateError::of(&path, source))?;
        schema::prepare(&mut db, &path)?;
        let token = lease::take(&mut db, folder, clock.now())?;
        fault::point("state.opened");
        let (folder, clock) = (folder.to_owned(), clock.clone());
        Ok(Self {
            db,
            folder,
            clock,
            token,
            run: None,
            actor: String::new(),
            unseen: BTreeMap::new(),
            _lock: Some(lock),
        })
    }

    /// Opens the state in `folder` to read it, also while another process advances it.
    ///
    /// # Errors
    /// [`StateError::Missing`] where nothing has been run, else as [`Store::open`].
    pub fn read(folder: &Path) -> Result<Self, StateError> {
        let path = folder.join("state.db");
        if let Some(beside) = left_over(folder) {
            return Err(StateError::Lost { path, beside });
        }
        if !path.is_file() {
            return Err(StateError::Missing { path });
        }
        // Not opened read-only: SQLite has to be able to finish what a killed run
        // left half written. `query_only` keeps everything else out.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |source| StateError::of(&path, source);
        let db = Connection::open_with_flags(&path, flags).map_err(failed)?;
        db.busy_timeout(std::time::Duration::from_secs(10)).map_err(failed)?;
        match schema::version(&db, &path)? {
            None => return Err(StateError::Missing { path }),
            Some(SCHEMA_VERSION) => {}
            // Brought to this version by whoever holds the lock.
            Some(_) => drop(Self::open(folder, &Clock::System)?),
        }
        db.pragma_update(None, "query_only", true).map_err(failed)?;
        let (folder, clock) = (folder.to_owned(), Clock::System);
        Ok(Self { db, folder, clock, token: 0, run: None, actor: String::new(), unseen: BTreeMap::new(), _lock: None })
    }

    /// The same for a test that nobody else reads beside: nothing is locked or brought to a disk.
    #[cfg(test)]
    pub(crate) fn alone(self) -> Self {
        for (name, value) in [("locking_mode", "EXCLUSIVE"), ("synchronous", "OFF"), ("journal_mode", "MEMORY")] {
            self.db.pragma_update(None, name, value).unwrap();
        }
        self
    }

    /// The same, in the name of `actor`: what is recorded from now on says so.
    pub fn by(mut self, actor: &str) -> Self {
        actor.clone_into(&mut self.actor);
        self
    }

    /// In whose name things are recorded; empty where gander does them by itself.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Who is at work on it, where this store is only read: for people.
    pub fn at_work(&self) -> Option<String> {
        if self._lock.is_some() {
            return None;
        }
        let here = lock::holder(&self.folder).map(|pid| format!("gander (process {pid})"));
        here.or_else(|| {
            let (host, pid) = lease::elsewhere(&self.db, self.now())?;
            Some(format!("gander on {host} (process {pid})"))
        })
    }

    /// Remembers, for as long as it is open, which places were looked at and which could not be.
    pub fn note_unseen<'p>(&mut self, seen: impl Iterator<Item = &'p String>, unseen: BTreeMap<String, String>) {
        for place in seen {
            self.unseen.remove(place);
        }
        self.unseen.extend(unseen);
    }

    /// Why a place could not be looked at when that was tried last, where it could not.
    pub fn unseen(&self, place: &str) -> Option<&str> {
        self.unseen.get(place).map(String::as_str)
    }

    /// The state folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes all or nothing, then passes the fault point `name`.
    fn write<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&Transaction<'_>, i64) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        let at = self.clock.now();
        let path = self.folder.join("state.db");
        let token = self.token;
        let written = (|| {
            let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if !lease::renew(&transaction, token, at)? {
                return Ok(None);
            }
            let value = work(&transaction, at)?;
            transaction.commit()?;
            Ok(Some(value))
        })();
        let value = written.map_err(|source| StateError::of(&path, source))?;
        let value = value.ok_or_else(|| StateError::Fenced { folder: self.folder.clone() })?;
        fault::point(name);
        Ok(value)
    }

    fn rows<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StateError> {
        let rows = (|| {
            let mut statement = self.db.prepare_cached(query)?;
            let rows = statement.query_map(parameters, |row| read(row))?;
            rows.collect::<rusqlite::Result<Vec<T>>>()
        })();
        rows.map_err(|source| self.error(source))
    }

    fn error(&self, source: rusqlite::Error) -> StateError {
        StateError::of(&self.folder.join("state.db"), source)
    }

    fn corrupt(&self, detail: impl ToString) -> StateError {
        StateError::Corrupt { path: self.folder.join("state.db"), detail: detail.to_string() }
    }

    fn json<T: Serialize>(&self, value: &T) -> Result<String, StateError> {
        serde_json::to_string(value).map_err(|error| self.corrupt(error))
    }

    fn value<T: DeserializeOwned>(&self, text: &str) -> Result<T, StateError> {
        serde_json::from_str(text).map_err(|error| self.corrupt(error))
    }

    /// What each of many rows holds, read by all threads; where several are corrupt, the first is told.
    fn values<K: Send, T: DeserializeOwned + Send>(&self, rows: Vec<(K, String)>) -> Result<Vec<(K, T)>, StateError> {
        let read = |(key, text): (K, String)| serde_json::from_str(&text).map(|value| (key, value));
        let read: Vec<serde_json::Result<(K, T)>> = rows.into_par_iter().with_min_len(256).map(read).collect();
        read.into_iter().map(|row| row.map_err(|error| self.corrupt(error))).collect()
    }

    fn digest(&self, text: &str) -> Result<Digest, StateError> {
        text.parse().map_err(|error| self.corrupt(error))
    }
}

/// Executes a statement that is used again and again: it is parsed once.
fn execute(transaction: &Transaction<'_>, statement: &str, parameters: impl Params) -> rusqlite::Result<usize> {
    transaction.prepare_cached(statement)?.execute(parameters)
}

impl Drop for Store {
    fn drop(&mut self) {
        if self._lock.is_some() {
            lease::release(&self.db, self.token);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
