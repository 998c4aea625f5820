//! What the tables hold, as values. Values of later stages are stored as the JSON
//! they serialise to; this module does not know them.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::journal::{self, Entry};
use super::{StateError, Store};
use crate::config::Delivery;
use crate::digest::Digest;
use crate::workspace::{Content, FileVersion, Pin, Workspace};

/// Which migration and plan the state belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The migration's id.
    pub migration: String,
    /// Digest of the migration file, its rules and mappings.
    pub migration_digest: Digest,
    /// Digest of the plan.
    pub plan_digest: Digest,
    /// Digest of how change sets are verified: steps and sandbox.
    pub verify_digest: Digest,
}

/// A consumer as it was discovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerRecord {
    /// Its reference.
    pub entity: String,
    /// Its owner's reference.
    pub owner: Option<String>,
    /// The id of its workspace; `None` where it is unresolved.
    pub workspace: Option<String>,
    /// Why it is unresolved.
    pub unresolved: Option<String>,
    /// `production`, `deprecated`, …; `None` also where that was not recorded yet.
    pub lifecycle: Option<String>,
}

/// A workspace as it was pinned and transformed. `P` is the plan of one workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceRecord<P> {
    /// Where it lies.
    pub place: Workspace,
    /// Its bytes.
    pub pin: Option<Pin>,
    /// What the rules make of it.
    pub plan: P,
    /// Digest of `plan`: two that are equal change the same bytes in the same way.
    pub plan_digest: Digest,
}

/// Where a wave stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "reason")]
pub enum WaveState {
    /// Its members are known, nothing was done.
    Planned,
    /// It is verified and delivered.
    Running,
    /// Its gates passed.
    Passed(String),
    /// Its gates could not tell; it waits for a person or a retry.
    Inconclusive(String),
    /// A gate failed, and its change sets stay for a person to decide.
    Failed(String),
    /// A gate failed, and its change sets are being taken back.
    RollingBack(String),
    /// Its change sets were taken back.
    RolledBack(String),
}

/// A wave as it was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveRecord {
    /// From 1.
    pub number: u32,
    /// Its size as the migration writes it.
    pub label: String,
    /// Where it stands.
    pub state: WaveState,
    /// Ids of its workspaces, in the order of the rollout.
    pub members: Vec<String>,
}

/// Where the change set of a workspace stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "reason")]
pub enum DeliveryState {
    /// Its wave has not come to it.
    #[default]
    Waiting,
    /// The verdict or the policy keeps it back.
    Held(String),
    /// The policy wants a person's approval first.
    AwaitingApproval(String),
    /// The place it should go to must not be touched.
    Refused(String),
    /// Its delivery was begun.
    Delivering,
    /// It was delivered.
    Delivered,
    /// Its rollback was begun.
    RollingBack,
    /// It was taken back: the bytes are those of the pin.
    RolledBack,
    /// It can't be taken back: a person changed the same files since.
    Conflict(String),
    /// Its delivery failed.
    Failed(String),
}

/// The change set of a workspace, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// Where it stands.
    pub state: DeliveryState,
    /// How it goes out.
    pub how: Delivery,
    /// Its wave.
    pub wave: u32,
    /// Its folder, relative to the state folder, with `/`.
    pub folder: String,
    /// The name of the change itself.
    pub change_id: Digest,
    /// Digest of all its files as pinned.
    pub before: Digest,
    /// Digest of all its files as changed.
    pub after: Digest,
    /// The branch and the commit it was delivered as.
    pub branch: Option<(String, Option<String>)>,
}

impl Store {
    /// The migration and plan that the state belongs to; `None` before the first run.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn binding(&self) -> Result<Option<Binding>, StateError> {
        let query = "SELECT migration, migration_digest, plan_digest, verify_digest FROM binding";
        let row = self.db.query_row(query, [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
        });
        let row = row.optional().map_err(|source| self.error(source))?;
        row.map(|(migration, migration_digest, plan_digest, verify_digest)| {
            Ok(Binding {
                migration,
                migration_digest: self.digest(&migration_digest)?,
                plan_digest: self.digest(&plan_digest)?,
                verify_digest: self.digest(&verify_digest)?,
            })
        })
        .transpose()
    }

    /// Binds the state to a migration and plan: replaces what is known of consumers,
    /// workspaces and waves, and forgets where the deliveries in `forgotten` stand,
    /// all at once.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn bind<P: Serialize>(
        &mut self,
        binding: &Binding,
        consumers: &[ConsumerRecord],
        workspaces: &[WorkspaceRecord<P>],
        waves: &[WaveRecord],
        forgotten: &[String],
    ) -> Result<(), StateError> {
        let states = self.wave_states(waves)?;
        let mut rows = Vec::with_capacity(workspaces.len());
        for workspace in workspaces {
            let pin = workspace.pin.as_ref().map(|pin| self.json(pin));
            rows.push((
                workspace.place.id.clone(),
                self.json(&workspace.place)?,
                pin.transpose()?,
                self.json(&workspace.plan)?,
                workspace.plan_digest.to_string(),
            ));
        }
        self.write("state.bind", |transaction, at| {
            transaction.execute_batch("DELETE FROM binding; DELETE FROM consumers; DELETE FROM workspaces")?;
            transaction.execute(
                "INSERT INTO binding VALUES (1, ?1, ?2, ?3, ?4, ?5)",
                params![
                    binding.migration,
                    binding.migration_digest.to_string(),
                    binding.plan_digest.to_string(),
                    binding.verify_digest.to_string(),
                    at
                ],
            )?;
            let mut insert = transaction.prepare_cached("INSERT INTO consumers VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for one in consumers {
                insert.execute(params![one.entity, one.owner, one.workspace, one.unresolved, one.lifecycle])?;
            }
            let mut insert = transaction.prepare_cached("INSERT INTO workspaces VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for row in &rows {
                insert.execute(params![row.0, row.1, row.2, row.3, row.4])?;
            }
            replace_waves(transaction, waves, &states)?;
            for workspace in forgotten {
                forget_delivery(transaction, workspace)?;
            }
            Ok(())
        })
    }

    /// Every consumer, ordered by reference.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn consumers(&self) -> Result<Vec<ConsumerRecord>, StateError> {
        let known = super::schema::has_lifecycle(&self.db).map_err(|source| self.error(source))?;
        let lifecycle = if known { "lifecycle" } else { "NULL" };
        let query = format!("SELECT entity, owner, workspace, unresolved, {lifecycle} FROM consumers ORDER BY entity");
        self.rows(&query, [], |row| {
            Ok(ConsumerRecord {
                entity: row.get(0)?,
                owner: row.get(1)?,
                workspace: row.get(2)?,
                unresolved: row.get(3)?,
                lifecycle: row.get(4)?,
            })
        })
    }

    /// Every workspace by its id.
    ///
    /// # Errors
    /// Where the file can't be read, or holds what gander did not write.
    pub fn workspaces<P: DeserializeOwned>(&self) -> Result<BTreeMap<String, WorkspaceRecord<P>>, StateError> {
        let query = "SELECT id, place, pin, plan, plan_digest FROM workspaces";
        let rows = self.rows(query, [], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, String>(4)?,
            ))
        })?;
        let mut workspaces = BTreeMap::new();
        for (id, place, pin, plan, plan_digest) in rows {
            let record = WorkspaceRecord {
                place: self.value(&place)?,
                pin: pin.map(|pin| self.value(&pin)).transpose()?,
                plan: self.value(&plan)?,
                plan_digest: self.digest(&plan_digest)?,
            };
            workspaces.insert(id, record);
        }
        Ok(workspaces)
    }

    /// Where every workspace lies, by its id.
    ///
    /// # Errors
    /// Where the file can't be read, or holds what gander did not write.
    pub fn places(&self) -> Result<BTreeMap<String, Workspace>, StateError> {
        let rows = self.rows("SELECT id, place FROM workspaces", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.into_iter().map(|(id, place)| Ok((id, self.value(&place)?))).collect()
    }

    /// Every wave with its members, by number.
    ///
    /// # Errors
    /// As [`Store::workspaces`].
    pub fn waves(&self) -> Result<Vec<WaveRecord>, StateError> {
        let query = "SELECT number, label, state FROM waves ORDER BY number";
        let rows = self
            .rows(query, [], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?;
        let query = "SELECT wave, workspace FROM members ORDER BY wave, position";
        let members = self.rows(query, [], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))?;
        let mut by_wave: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (wave, workspace) in members {
            by_wave.entry(wave).or_default().push(workspace);
        }
        let mut waves = Vec::with_capacity(rows.len());
        for (number, label, state) in rows {
            waves.push(WaveRecord {
                number,
                label,
                state: self.value(&state)?,
                members: by_wave.remove(&number).unwrap_or_default(),
            });
        }
        Ok(waves)
    }

    fn wave_states(&self, waves: &[WaveRecord]) -> Result<Vec<String>, StateError> {
        waves.iter().map(|wave| self.json(&wave.state)).collect()
    }

    /// Moves waves on to one state, all at once, with a journal entry.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn set_waves(&mut self, numbers: &[u32], state: &WaveState, entry: &Entry) -> Result<(), StateError> {
        let text = self.json(state)?;
        self.write(&entry.fault_point(), |transaction, at| {
            journal::append(transaction, at, entry)?;
            for number in numbers {
                transaction.execute("UPDATE waves SET state = ?2 WHERE number = ?1", params![number, text])?;
            }
            Ok(())
        })
    }

    /// Every verdict by workspace, with the key of what was verified.
    ///
    /// # Errors
    /// As [`Store::workspaces`].
    pub fn verdicts<V: DeserializeOwned>(&self) -> Result<BTreeMap<(String, String), V>, StateError> {
        let query = "SELECT workspace, key, verdict FROM verdicts";
        let rows = self.rows(query, [], |row| {
            Ok(((row.get::<_, String>(0)?, row.get::<_, String>(1)?), row.get::<_, String>(2)?))
        })?;
        rows.into_iter().map(|(key, text)| Ok((key, self.value(&text)?))).collect()
    }

    /// Records what the verification of `key` found; a second one replaces it.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn record_verdict<V: Serialize>(
        &mut self,
        workspace: &str,
        key: &Digest,
        verdict: &V,
    ) -> Result<(), StateError> {
        let text = self.json(verdict)?;
        self.write("state.verdict", |transaction, at| {
            transaction.execute(
                "INSERT OR REPLACE INTO verdicts VALUES (?1, ?2, ?3, ?4)",
                params![workspace, key.to_string(), text, at],
            )?;
            Ok(())
        })
    }

    /// Forgets verdicts and where these workspaces' deliveries stand, so that they
    /// are verified again.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn forget(&mut self, workspaces: &[String], verdicts: bool) -> Result<(), StateError> {
        self.write("state.forget", |transaction, _| {
            for workspace in workspaces {
                forget_delivery(transaction, workspace)?;
                if verdicts {
                    let delete = "DELETE FROM verdicts WHERE workspace = ?1";
                    transaction.execute(delete, params![workspace])?;
                }
            }
            Ok(())
        })
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
        self.write(&entry.fault_point(), |transaction, at| {
            journal::append(transaction, at, entry)?;
            transaction
                .execute("INSERT OR REPLACE INTO deliveries VALUES (?1, ?2, ?3)", params![workspace, text, at])?;
            Ok(())
        })
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

    /// Records the judgement of a wave and what it rests on.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn record_gate<R: Serialize, I: Serialize>(
        &mut self,
        wave: u32,
        result: &R,
        inputs: &I,
    ) -> Result<(), StateError> {
        let (result, inputs) = (self.json(result)?, self.json(inputs)?);
        self.write("state.gate", |transaction, at| {
            transaction.execute(
                "INSERT INTO gates (wave, result, inputs, at) VALUES (?1, ?2, ?3, ?4)",
                params![wave, result, inputs, at],
            )?;
            Ok(())
        })
    }

    /// Notes that a run began; its number.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn begin_run(&mut self) -> Result<i64, StateError> {
        self.write("state.run-begun", |transaction, at| {
            transaction.execute("INSERT INTO runs (pid, started) VALUES (?1, ?2)", params![std::process::id(), at])?;
            Ok(transaction.last_insert_rowid())
        })
    }

    /// Notes how a run ended.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn end_run<E: Serialize>(&mut self, run: i64, end: &E) -> Result<(), StateError> {
        let end = self.json(end)?;
        self.write("state.run-ended", |transaction, at| {
            transaction.execute("UPDATE runs SET ended = ?2, end = ?3 WHERE id = ?1", params![run, at, end])?;
            Ok(())
        })
    }

    /// How the last run that came to its end ended.
    ///
    /// # Errors
    /// As [`Store::workspaces`].
    pub fn last_end<E: DeserializeOwned>(&self) -> Result<Option<E>, StateError> {
        let query = "SELECT end FROM runs WHERE end IS NOT NULL ORDER BY id DESC LIMIT 1";
        let text: Option<String> =
            self.db.query_row(query, [], |row| row.get(0)).optional().map_err(|source| self.error(source))?;
        text.map(|text| self.value(&text)).transpose()
    }
}

fn replace_waves(transaction: &Transaction<'_>, waves: &[WaveRecord], states: &[String]) -> rusqlite::Result<()> {
    transaction.execute_batch("DELETE FROM waves; DELETE FROM members")?;
    let mut insert = transaction.prepare_cached("INSERT INTO members VALUES (?1, ?2, ?3)")?;
    for (wave, state) in waves.iter().zip(states) {
        transaction.execute("INSERT INTO waves VALUES (?1, ?2, ?3)", params![wave.number, wave.label, state])?;
        for (position, member) in (0_i64..).zip(&wave.members) {
            insert.execute(params![member, wave.number, position])?;
        }
    }
    Ok(())
}

fn forget_delivery(transaction: &Transaction<'_>, workspace: &str) -> rusqlite::Result<()> {
    for table in ["deliveries", "versions"] {
        let delete = format!("DELETE FROM {table} WHERE workspace = ?1");
        transaction.execute(&delete, params![workspace])?;
    }
    Ok(())
}
