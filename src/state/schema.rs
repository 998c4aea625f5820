//! The tables of `state.db` and the check that they are ours.

use std::path::Path;

use rusqlite::Connection;

use super::StateError;

/// The version of the tables that this gander reads and writes.
pub const SCHEMA_VERSION: i64 = 8;

/// The oldest version that is brought to this one; older verdicts said less, and what
/// they would have said can't be told.
const OLDEST: i64 = 3;

/// Marks a SQLite file as gander's: "gndr" in ASCII.
const APPLICATION_ID: i64 = 0x676e_6472;

/// All tables of version 3. The journal, runs and gates only ever grow.
pub(super) const TABLES: &str = "
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
    // All that are used again and again: parsing one takes longer than running it.
    db.set_prepared_statement_cache_capacity(64);
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    db.pragma_update(None, "journal_mode", "DELETE")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "trusted_schema", false)
}

/// What version 4 adds. The journal says who did it, where it led from and to, and what
/// that rests on; a person's decisions, what a wave waits for and who was told are kept;
/// a lease fences off a controller that lost its lock.
const VERSION_4: &str = "
ALTER TABLE journal ADD COLUMN run INTEGER;
ALTER TABLE journal ADD COLUMN actor TEXT NOT NULL DEFAULT '';
ALTER TABLE journal ADD COLUMN from_state TEXT;
ALTER TABLE journal ADD COLUMN to_state TEXT;
ALTER TABLE journal ADD COLUMN evidence TEXT;
ALTER TABLE waves ADD COLUMN since INTEGER;
ALTER TABLE waves ADD COLUMN waits TEXT;
CREATE TABLE decisions (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    about TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT;
CREATE TABLE told (
    listener TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT;
CREATE TABLE lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    token INTEGER NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TRIGGER gates_are_append_only_1 BEFORE UPDATE ON gates
    BEGIN SELECT RAISE(ABORT, 'the record of gates only grows'); END;
CREATE TRIGGER gates_are_append_only_2 BEFORE DELETE ON gates
    BEGIN SELECT RAISE(ABORT, 'the record of gates only grows'); END;
";

/// What version 5 adds: who is upstream of whom, and what a list of all consumers needs of
/// plans and verdicts, which are large.
const VERSION_5: &str = "
ALTER TABLE consumers ADD COLUMN upstream TEXT;
ALTER TABLE workspaces ADD COLUMN summary TEXT;
ALTER TABLE verdicts ADD COLUMN summary TEXT;
";

/// What version 6 adds: what people ask of a controller that is at work.
const VERSION_6: &str = "
CREATE TABLE requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    answer TEXT
) STRICT;
";

/// What version 7 adds: whether a request was refused; where repositories stood when they were
/// looked at; deliveries that were forgotten, since an owner may still merge what was out; and
/// short forms where the whole plans and verdicts need not be read past, which lie before them in
/// each row. Some states of version 6 have those already.
const VERSION_7: &str = "
CREATE INDEX IF NOT EXISTS workspace_briefs ON workspaces (id, pin, plan_digest, summary);
CREATE INDEX IF NOT EXISTS verdict_briefs ON verdicts (workspace, key, summary);
ALTER TABLE requests ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
CREATE TABLE heads (
    place TEXT PRIMARY KEY,
    head TEXT NOT NULL
) STRICT;
CREATE TABLE past (
    workspace TEXT NOT NULL,
    change_id TEXT NOT NULL,
    delivery TEXT NOT NULL,
    PRIMARY KEY (workspace, change_id)
) STRICT;
";

/// What version 8 adds: remotes that could not be seen; and what deliveries are refused for, where more follows from that than from its reason. Before, only
/// the reason's words told; some states of version 7 say it already.
const VERSION_8: &str = "
CREATE TABLE IF NOT EXISTS unseen (
    place TEXT PRIMARY KEY,
    why TEXT NOT NULL
) STRICT;
UPDATE deliveries SET delivery = json_set(delivery, '$.refusal', 'opted-out')
    WHERE delivery ->> '$.refusal' IS NULL AND delivery ->> '$.state.kind' = 'refused'
    AND delivery ->> '$.state.reason' LIKE 'it opts out: %';
UPDATE deliveries SET delivery = json_set(delivery, '$.refusal', 'taken')
    WHERE delivery ->> '$.refusal' IS NULL AND delivery ->> '$.state.kind' = 'refused'
    AND delivery ->> '$.state.reason' LIKE '%--retry%';
";

/// Makes the tables in an empty file; brings those of an older version to this one, all
/// at once; refuses every other.
pub(super) fn prepare(db: &mut Connection, path: &Path) -> Result<(), StateError> {
    let made = |db: &mut Connection, found: Option<i64>| {
        let transaction = db.transaction()?;
        if found.is_none() {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        } else if !has_lifecycle(&transaction)? {
            transaction.execute_batch("ALTER TABLE consumers ADD COLUMN lifecycle TEXT")?;
        }
        if found.is_none_or(|found| found < 4) {
            transaction.execute_batch(VERSION_4)?;
        }
        if found.is_none_or(|found| found < 5) {
            transaction.execute_batch(VERSION_5)?;
        }
        if found.is_none_or(|found| found < 6) {
            transaction.execute_batch(VERSION_6)?;
        }
        if found.is_none_or(|found| found < 7) {
            transaction.execute_batch(VERSION_7)?;
        }
        transaction.execute_batch(VERSION_8)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()
    };
    match version(db, path)? {
        Some(SCHEMA_VERSION) => Ok(()),
        found => made(db, found).map_err(|source| StateError::of(path, source)),
    }
}

/// Whether consumers are recorded with their lifecycle: tables of version 3 may lack it.
fn has_lifecycle(db: &Connection) -> rusqlite::Result<bool> {
    let query = "SELECT count(*) FROM pragma_table_info('consumers') WHERE name = 'lifecycle'";
    db.query_row(query, [], |row| Ok(row.get::<_, i64>(0)? > 0))
}

/// The version of the tables, one of those that are known; `None` where the file is empty.
pub(super) fn version(db: &Connection, path: &Path) -> Result<Option<i64>, StateError> {
    let number = |pragma: &str| {
        db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(|source| StateError::of(path, source))
    };
    let application = number("application_id")?;
    let version = number("user_version")?;
    let tables: i64 = db
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|source| StateError::of(path, source))?;
    match (application, version, tables) {
        (0, 0, 0) => Ok(None),
        (APPLICATION_ID, OLDEST..=SCHEMA_VERSION, _) => Ok(Some(version)),
        (APPLICATION_ID, found, _) => Err(StateError::OtherVersion { path: path.to_owned(), found }),
        _ => Err(StateError::Foreign { path: path.to_owned() }),
    }
}
