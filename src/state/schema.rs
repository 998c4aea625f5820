//! The tables of `state.db` and the check that they are ours.

use std::path::Path;

use rusqlite::Connection;

use super::StateError;

/// The version of the tables that this gander reads and writes.
pub const SCHEMA_VERSION: i64 = 3;

/// Marks a SQLite file as gander's: "gndr" in ASCII.
const APPLICATION_ID: i64 = 0x676e_6472;

/// All tables, the same since version 1 but for what [`complete`] adds. In version 2
/// verdicts say more than they did, and what an older one would have said can't be told. The journal, runs and gates only ever grow.
const TABLES: &str = "
CREATE TABLE binding (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    migration TEXT NOT NULL,
    migration_digest TEXT NOT NULL,
    plan_digest TEXT NOT NULL,
    verify_digest TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,
    end TEXT
) STRICT;
CREATE TABLE consumers (
    entity TEXT PRIMARY KEY,
    owner TEXT,
    workspace TEXT,
    unresolved TEXT,
    lifecycle TEXT
) STRICT;
CREATE TABLE workspaces (
    id TEXT PRIMARY KEY,
    place TEXT NOT NULL,
    pin TEXT,
    plan TEXT NOT NULL,
    plan_digest TEXT NOT NULL
) STRICT;
CREATE TABLE waves (
    number INTEGER PRIMARY KEY,
    label TEXT NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE TABLE members (
    workspace TEXT PRIMARY KEY,
    wave INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE TABLE verdicts (
    workspace TEXT NOT NULL,
    key TEXT NOT NULL,
    verdict TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (workspace, key)
) STRICT;
CREATE TABLE deliveries (
    workspace TEXT PRIMARY KEY,
    delivery TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE versions (
    workspace TEXT NOT NULL,
    path TEXT NOT NULL,
    before BLOB,
    before_executable INTEGER NOT NULL,
    after BLOB,
    after_executable INTEGER NOT NULL,
    renamed_from TEXT,
    PRIMARY KEY (workspace, path)
) STRICT;
CREATE TABLE gates (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    wave INTEGER NOT NULL,
    result TEXT NOT NULL,
    inputs TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    point TEXT NOT NULL,
    subject TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('intent', 'done')),
    before TEXT,
    after TEXT,
    detail TEXT NOT NULL
) STRICT;
CREATE TRIGGER journal_is_append_only_1 BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
CREATE TRIGGER journal_is_append_only_2 BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
";

/// Sets how the connection writes. A rollback journal and full syncs: one plain
/// file that survives a kill at any time, and no shared memory beside it.
pub(super) fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    db.pragma_update(None, "journal_mode", "DELETE")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "trusted_schema", false)
}

/// Makes the tables in an empty file; takes one of the known version; refuses
/// every other.
pub(super) fn prepare(db: &mut Connection, path: &Path) -> Result<(), StateError> {
    if is_ours(db, path)? {
        return complete(db).map_err(|source| StateError::of(path, source));
    }
    let made = (|| {
        let transaction = db.transaction()?;
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()
    })();
    made.map_err(|source| StateError::of(path, source))
}

/// Adds the column that tables made before it lack.
fn complete(db: &Connection) -> rusqlite::Result<()> {
    match has_lifecycle(db)? {
        true => Ok(()),
        false => db.execute_batch("ALTER TABLE consumers ADD COLUMN lifecycle TEXT"),
    }
}

/// Whether consumers are recorded with their lifecycle.
pub(super) fn has_lifecycle(db: &Connection) -> rusqlite::Result<bool> {
    let query = "SELECT count(*) FROM pragma_table_info('consumers') WHERE name = 'lifecycle'";
    db.query_row(query, [], |row| Ok(row.get::<_, i64>(0)? > 0))
}

/// True where the tables are there and known, false where the file is empty.
pub(super) fn is_ours(db: &Connection, path: &Path) -> Result<bool, StateError> {
    let number = |pragma: &str| {
        db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(|source| StateError::of(path, source))
    };
    let application = number("application_id")?;
    let version = number("user_version")?;
    let tables: i64 = db
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|source| StateError::of(path, source))?;
    match (application, version, tables) {
        (0, 0, 0) => Ok(false),
        (APPLICATION_ID, SCHEMA_VERSION, _) => Ok(true),
        (APPLICATION_ID, found, _) => Err(StateError::OtherVersion { path: path.to_owned(), found }),
        _ => Err(StateError::Foreign { path: path.to_owned() }),
    }
}
