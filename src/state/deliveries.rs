//! Deliveries as they are recorded, with both ends of their files.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::journal::{self, Entry};
use super::records::DeliveryRecord;
use super::{StateError, Store, execute};
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
        let query = "SELECT workspace, delivery FROM deliveries ORDER BY workspace";
        let rows = self.rows(query, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        Ok(self.values(rows)?.into_iter().collect())
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
            execute(
                transaction,
                "INSERT OR REPLACE INTO deliveries VALUES (?1, ?2, ?3)",
                params![workspace, text, at],
            )?;
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
            execute(transaction, delete, params![workspace])?;
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
        self.write("state.versions", |transaction, _| execute(transaction, KEEP, params![workspace, kept]).map(drop))
    }

    /// Both ends of the files of one change set of a workspace, which may be an earlier one.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn versions_of(&self, workspace: &str, change: &Digest) -> Result<Vec<FileVersion>, StateError> {
        let kept = self.kept_versions(workspace, change)?;
        if kept.is_empty() { self.versions(workspace) } else { Ok(kept) }
    }

    /// The same, of an earlier change set alone; nothing where none of that name was kept.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn kept_versions(&self, workspace: &str, change: &Digest) -> Result<Vec<FileVersion>, StateError> {
        self.versions(&kept_as(workspace, change))
    }

    /// Change sets of a workspace that were out and are forgotten: it was delivered again since.
    ///
    /// # Errors
    /// Where the file can't be read, or holds what gander did not write.
    pub fn past_deliveries(&self, workspace: &str) -> Result<Vec<DeliveryRecord>, StateError> {
        let query = "SELECT delivery FROM past WHERE workspace = ?1 ORDER BY rowid DESC";
        let rows = self.rows(query, params![workspace], |row| row.get::<_, String>(0))?;
        rows.iter().map(|text| self.value(text)).collect()
    }

    /// Where repositories stood when they were last looked at, by URL or path.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn heads(&self) -> Result<BTreeMap<String, String>, StateError> {
        let rows = self.rows("SELECT place, head FROM heads", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.into_iter().collect())
    }

    /// Notes where repositories stand now, so that what has not moved is not looked at again.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn set_heads(&mut self, heads: &BTreeMap<String, String>) -> Result<(), StateError> {
        let known = self.heads()?;
        let new: Vec<_> = heads.iter().filter(|(place, head)| known.get(*place) != Some(*head)).collect();
        if new.is_empty() {
            return Ok(());
        }
        self.write("state.heads", |transaction, _| {
            let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO heads VALUES (?1, ?2)")?;
            new.iter().try_for_each(|(place, head)| insert.execute(params![place, head]).map(drop))
        })
    }

    /// The repositories that could not be looked at when all were, and why.
    ///
    /// # Errors
    /// Where the state can't be read.
    pub fn unseen_places(&self) -> Result<BTreeMap<String, String>, StateError> {
        Ok(self.rows("SELECT place, why FROM unseen", [], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
    }

    /// Notes which repositories can't be looked at now, where others could not before.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn set_unseen_places(&mut self, unseen: &BTreeMap<String, String>) -> Result<(), StateError> {
        if self.unseen_places()?.keys().eq(unseen.keys()) {
            return Ok(());
        }
        self.write("state.unseen", |transaction, _| {
            transaction.execute_batch("DELETE FROM unseen")?;
            let mut insert = transaction.prepare_cached("INSERT INTO unseen VALUES (?1, ?2)")?;
            unseen.iter().try_for_each(|(place, why)| insert.execute(params![place, why]).map(drop))
        })
    }

    /// Deletes the files of change sets that no record names any more; how many rows went.
    ///
    /// # Errors
    /// Where the file can't be read or written.
    pub fn sweep_versions(&mut self) -> Result<usize, StateError> {
        let mut named: Vec<String> = Vec::new();
        let mut note = |id: &str, record: &DeliveryRecord| {
            for one in std::iter::successors(Some(record), |one| one.over.as_deref()) {
                named.push(kept_as(id, &one.change_id));
                named.extend(one.earlier.iter().map(|one| kept_as(id, &one.change_id)));
            }
        };
        let query = "SELECT workspace, delivery FROM deliveries UNION ALL SELECT workspace, delivery FROM past";
        for (id, text) in self.rows(query, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))? {
            note(&id, &self.value(&text)?);
        }
        let query = "SELECT DISTINCT workspace FROM versions WHERE instr(workspace, char(10)) > 0";
        let mut kept = self.rows(query, [], |row| row.get::<_, String>(0))?;
        kept.retain(|name| !named.contains(name));
        if kept.is_empty() {
            return Ok(0);
        }
        self.write("state.sweep", |transaction, _| {
            let mut delete = transaction.prepare_cached("DELETE FROM versions WHERE workspace = ?1")?;
            kept.iter().map(|name| delete.execute(params![name])).sum()
        })
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
            execute(transaction, "DELETE FROM verdicts WHERE workspace = ?1", params![workspace])?;
        }
    }
    Ok(())
}

/// Forgets where a delivery stands. What was out is kept as what it was: an owner may have a
/// copy of it, and merge it.
pub(super) fn forget_delivery(transaction: &Transaction<'_>, workspace: &str) -> rusqlite::Result<()> {
    let query = "SELECT delivery FROM deliveries WHERE workspace = ?1";
    let text: Option<String> = transaction.query_row(query, params![workspace], |row| row.get(0)).optional()?;
    let record = text.as_deref().and_then(|text| serde_json::from_str::<DeliveryRecord>(text).ok());
    let is_out = |record: &DeliveryRecord| record.branch.as_ref().is_some_and(|(_, commit)| commit.is_some());
    if let Some(record) = record.filter(|record| is_out(record) || !record.earlier.is_empty()) {
        let change = record.change_id;
        let insert = "INSERT OR REPLACE INTO past VALUES (?1, ?2, ?3)";
        execute(transaction, insert, params![workspace, change.to_string(), text])?;
        execute(transaction, KEEP, params![workspace, kept_as(workspace, &change)])?;
    }
    for table in ["deliveries", "versions"] {
        let delete = format!("DELETE FROM {table} WHERE workspace = ?1");
        execute(transaction, &delete, params![workspace])?;
    }
    Ok(())
}

/// Copies the files of a workspace to a name under which they are kept.
const KEEP: &str = "INSERT INTO versions
    SELECT ?2, path, before, before_executable, after, after_executable, renamed_from
    FROM versions WHERE workspace = ?1 AND NOT EXISTS (SELECT 1 FROM versions WHERE workspace = ?2)";

/// Under which name the files of an earlier change set are kept; no workspace has it.
fn kept_as(workspace: &str, change: &Digest) -> String {
    format!("{workspace}\n{change}")
}
