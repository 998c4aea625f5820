//! Which controller may write. The lock of the state folder keeps a second one away on
//! the same machine; the lease also does so from another machine that shares the
//! folder, and fences off one that was taken for dead and comes back: its number is
//! older than the one in the file, and every write asks for that first.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::StateError;

/// For how many seconds a controller on another machine may write nothing before it is
/// taken for dead. A wave of long builds writes at each verdict.
pub(super) const SILENCE: i64 = 30 * 60;

/// Takes the lease with the next number, where its holder is dead, silent or this
/// machine (whose lock was free).
pub(super) fn take(db: &mut Connection, folder: &Path, now: i64) -> Result<i64, StateError> {
    let failed = |source| StateError::of(&folder.join("state.db"), source);
    let host = host();
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    let holder = transaction
        .query_row("SELECT token, host, pid, at FROM lease", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
        })
        .optional()
        .map_err(failed)?;
    let last = match holder {
        None => 0,
        Some((_, other, pid, at)) if other != host && !other.is_empty() && now - at < SILENCE => {
            return Err(StateError::Leased { folder: folder.to_owned(), host: other, pid, ago: (now - at).max(0) });
        }
        Some((token, ..)) => token,
    };
    let token = last + 1;
    let taken = transaction
        .execute(
            "INSERT OR REPLACE INTO lease VALUES (1, ?1, ?2, ?3, ?4)",
            params![token, host, std::process::id(), now],
        )
        .and_then(|_| transaction.commit());
    taken.map_err(failed)?;
    Ok(token)
}

/// The controller of another machine that was at work a moment ago.
pub(super) fn elsewhere(db: &Connection, now: i64) -> Option<(String, i64)> {
    let query = "SELECT host, pid, at FROM lease";
    let row =
        db.query_row(query, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)));
    let (name, pid, at) = row.optional().ok().flatten()?;
    (!name.is_empty() && name != host() && now - at < SILENCE).then_some((name, pid))
}

/// Says that the holder of `token` lives; false where another one holds the lease.
pub(super) fn renew(transaction: &Transaction<'_>, token: i64, now: i64) -> rusqlite::Result<bool> {
    let mut update = transaction.prepare_cached("UPDATE lease SET at = ?2 WHERE token = ?1")?;
    Ok(update.execute(params![token, now])? == 1)
}

/// Lets go of the lease, so that another machine need not wait; its number stays.
pub(super) fn release(db: &Connection, token: i64) {
    // Whoever comes next waits a while where it fails.
    let _ = db.execute("UPDATE lease SET host = '' WHERE token = ?1", params![token]);
}

/// The name of this machine; where it tells none, all such are taken for one.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}
