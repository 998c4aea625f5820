//! Deliveries as they are recorded, with both ends of their files.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};

use super::journal::{self, Entry};
use super::records::DeliveryRecord;
use super::{StateError, Store};
use crate::digest::Digest;
use crate::workspace::{Content, FileVersion};

impl Store {
    /// Forgets verdicts and where these workspaces' deliveries stand, so that they
    /// are verified again.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn forget(&mut self, workspaces: &[String], verdicts: bool) -> Result<(), StateError> {
        let signed = self.signed();
        self.write("state.forget", |transaction, at| forget(transaction, at, &signed, workspaces, verdicts))
    }

    /// Every delivery by workspace.
    ///
    /// # Errors
    /// As [`Store::workspaces`].
    pub fn deliveries(&self) -> Result<BTreeMap<String, DeliveryRecord>, StateError> {
        let query = "SELECT workspace, delivery FROM deliveries";
        let rows = self.rows(query, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        rows.into_iter().map(|(workspace, text)| Ok((workspace, self.value(&text)?))).collect()
    }

    /// Where the delivery of one workspace stands.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn delivery(&self, workspace: &str) -> Result<Option<DeliveryRecord>, StateError> {
        let query = "SELECT delivery FROM deliveries WHERE workspace = ?1";
        let rows = self.rows(query, params![workspace], |row| row.get::<_, String>(0))?;
        rows.first().map(|text| self.value(text)).transpose()
    }

    /// Records where a delivery stands, with its journal entry, at once.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn record_delivery(
        &mut self,
        workspace: &str,
        delivery: &DeliveryRecord,
        entry: &Entry,
    ) -> Result<(), StateError> {
        let text = self.json(delivery)?;
        let signed = self.signed();
        self.write(&entry.fault_point(), |transaction, at| {
            journal::append(transaction, at, &signed, entry)?;
            transaction
                .execute("INSERT OR REPLACE INTO deliveries VALUES (?1, ?2, ?3)", params![workspace, text, at])?;
            Ok(())
        })
    }

    /// When change sets went out after `since`.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn deliveries_since(&self, since: i64) -> Result<Vec<i64>, StateError> {
        let query = "SELECT at FROM journal WHERE at > ?1 AND to_state = 'delivered' AND phase = 'done' ORDER BY seq";
        self.rows(query, params![since], |row| row.get(0))
    }

    /// Keeps both ends of a workspace's files, so that a rollback needs nothing else.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn record_versions(&mut self, workspace: &str, versions: &[FileVersion]) -> Result<(), StateError> {
        self.write("state.versions", |transaction, _| {
            let delete = "DELETE FROM versions WHERE workspace = ?1";
            transaction.execute(delete, params![workspace])?;
            let mut insert = transaction.prepare_cached("INSERT INTO versions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
            for version in versions {
                let bytes = |end: &Option<Content>| end.as_ref().map(|end| end.bytes.clone());
                let runs = |end: &Option<Content>| end.as_ref().is_some_and(|end| end.executable);
                insert.execute(params![
                    workspace,
                    version.path,
                    bytes(&version.before),
                    runs(&version.before),
                    bytes(&version.after),
                    runs(&version.after),
                    version.renamed_from,
                ])?;
            }
            Ok(())
        })
    }

    /// Keeps the files of a change set also after [`Self::record_versions`] of another one.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn keep_versions(&mut self, workspace: &str, change: &Digest) -> Result<(), StateError> {
        let kept = kept_as(workspace, change);
        self.write("state.versions", |transaction, _| {
            transaction.execute(
                "INSERT INTO versions SELECT ?2, path, before, before_executable, after, after_executable, renamed_from
                 FROM versions WHERE workspace = ?1 AND NOT EXISTS (SELECT 1 FROM versions WHERE workspace = ?2)",
                params![workspace, kept],
            )?;
            Ok(())
        })
    }

    /// Both ends of the files of one change set of a workspace, which may be an earlier one.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn versions_of(&self, workspace: &str, change: &Digest) -> Result<Vec<FileVersion>, StateError> {
        let kept = self.versions(&kept_as(workspace, change))?;
        if kept.is_empty() { self.versions(workspace) } else { Ok(kept) }
    }

    /// Both ends of a workspace's files, by path.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn versions(&self, workspace: &str) -> Result<Vec<FileVersion>, StateError> {
        let query = "SELECT path, before, before_executable, after, after_executable, renamed_from
                     FROM versions WHERE workspace = ?1 ORDER BY path";
        self.rows(query, params![workspace], |row| {
            let end = |bytes: Option<Vec<u8>>, executable| bytes.map(|bytes| Content { bytes, executable });
            Ok(FileVersion {
                path: row.get(0)?,
                before: end(row.get(1)?, row.get(2)?),
                after: end(row.get(3)?, row.get(4)?),
                renamed_from: row.get(5)?,
            })
        })
    }
}

pub(super) fn forget(
    transaction: &Transaction<'_>,
    at: i64,
    signed: &journal::Signed,
    workspaces: &[String],
    verdicts: bool,
) -> rusqlite::Result<()> {
    let what = if verdicts { "its verdict and its delivery are tried again" } else { "its delivery is tried again" };
    for workspace in workspaces {
        journal::append(transaction, at, signed, &Entry::of("retry", workspace, what))?;
        forget_delivery(transaction, workspace)?;
        if verdicts {
            transaction.execute("DELETE FROM verdicts WHERE workspace = ?1", params![workspace])?;
        }
    }
    Ok(())
}

pub(super) fn forget_delivery(transaction: &Transaction<'_>, workspace: &str) -> rusqlite::Result<()> {
    for table in ["deliveries", "versions"] {
        let delete = format!("DELETE FROM {table} WHERE workspace = ?1");
        transaction.execute(&delete, params![workspace])?;
    }
    Ok(())
}

/// Under which name the files of an earlier change set are kept; no workspace has it.
fn kept_as(workspace: &str, change: &Digest) -> String {
    format!("{workspace}\n{change}")
}
