//! What is read from the tables and written to them. Values of later stages are stored
//! as the JSON they serialise to; this module does not know them.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::journal::{self, Entry};
use super::records::{Binding, ConsumerRecord, DeliveryRecord, Wait, WaveRecord, WaveState, WorkspaceRecord};
use super::summaries::Summary;
use super::{StateError, Store};
use crate::digest::Digest;
use crate::workspace::{Content, FileVersion, Pin, Workspace};

/// What the journal keeps of a plan that is taken in.
#[derive(Serialize)]
struct BindEvidence<'a> {
    migration: String,
    plan: String,
    verify: String,
    pins: BTreeMap<&'a str, Option<&'a Pin>>,
    waves: BTreeMap<u32, &'a [String]>,
    forgotten: &'a [String],
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
    pub fn bind<P: Serialize + Summary>(
        &mut self,
        binding: &Binding,
        consumers: &[ConsumerRecord],
        workspaces: &[WorkspaceRecord<&P>],
        waves: &[WaveRecord],
        forgotten: &[String],
    ) -> Result<(), StateError> {
        let states = self.wave_states(waves)?;
        let signed = self.signed();
        let entry =
            Entry::of("bind", &*binding.migration, "the plan and its waves are taken in").resting_on(&BindEvidence {
                migration: binding.migration_digest.to_string(),
                plan: binding.plan_digest.to_string(),
                verify: binding.verify_digest.to_string(),
                pins: workspaces.iter().map(|w| (w.place.id.as_str(), w.pin.as_ref())).collect(),
                waves: waves.iter().map(|w| (w.number, w.members.as_slice())).collect(),
                forgotten,
            });
        let mut rows = Vec::with_capacity(workspaces.len());
        for workspace in workspaces {
            let pin = workspace.pin.as_ref().map(|pin| self.json(pin));
            rows.push((
                workspace.place.id.clone(),
                self.json(&workspace.place)?,
                pin.transpose()?,
                self.json(&workspace.plan)?,
                workspace.plan_digest.to_string(),
                self.json(&workspace.plan.brief())?,
            ));
        }
        self.write("state.bind", |transaction, at| {
            journal::append(transaction, at, &signed, &entry)?;
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
            let mut insert = transaction.prepare_cached("INSERT INTO consumers VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for one in consumers {
                let upstream = (!one.upstream.is_empty()).then(|| one.upstream.join("\n"));
                insert.execute(params![
                    one.entity,
                    one.owner,
                    one.workspace,
                    one.unresolved,
                    one.lifecycle,
                    upstream
                ])?;
            }
            let mut insert = transaction.prepare_cached(
                "INSERT INTO workspaces (id, place, pin, plan, plan_digest, summary) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for row in &rows {
                insert.execute(params![row.0, row.1, row.2, row.3, row.4, row.5])?;
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
        let query = "SELECT entity, owner, workspace, unresolved, lifecycle, upstream FROM consumers ORDER BY entity";
        self.rows(query, [], |row| {
            Ok(ConsumerRecord {
                entity: row.get(0)?,
                owner: row.get(1)?,
                workspace: row.get(2)?,
                unresolved: row.get(3)?,
                lifecycle: row.get(4)?,
                // No reference holds a line end.
                upstream: row
                    .get::<_, Option<String>>(5)?
                    .map_or_else(Vec::new, |text| text.lines().map(str::to_owned).collect()),
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
        let query = "SELECT number, label, state, since, waits FROM waves ORDER BY number";
        let rows = self.rows(query, [], |row| {
            Ok((
                row.get::<_, u32>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, Option<i64>>(3)?,
                row.get::<_, Option<String>>(4)?,
            ))
        })?;
        let query = "SELECT wave, workspace FROM members ORDER BY wave, position";
        let members = self.rows(query, [], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))?;
        let mut by_wave: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (wave, workspace) in members {
            by_wave.entry(wave).or_default().push(workspace);
        }
        let mut waves = Vec::with_capacity(rows.len());
        for (number, label, state, since, waits) in rows {
            waves.push(WaveRecord {
                number,
                label,
                state: self.value(&state)?,
                members: by_wave.remove(&number).unwrap_or_default(),
                since,
                waits: waits.map(|waits| self.value(&waits)).transpose()?.unwrap_or_default(),
            });
        }
        Ok(waves)
    }

    fn wave_states(&self, waves: &[WaveRecord]) -> Result<Vec<String>, StateError> {
        waves.iter().map(|wave| self.json(&wave.state)).collect()
    }

    /// Moves waves on, all at once, each with a journal entry. One that bakes does so
    /// since it was whole; one that is opened is not whole any more. What they waited
    /// for is over.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn set_waves(&mut self, moves: &[(u32, WaveState, Entry)]) -> Result<(), StateError> {
        self.reopen(moves, &[], &[])
    }

    /// As [`Store::set_waves`], and forgets where the deliveries of some workspaces stand, and
    /// of `unverified` the verdicts, too: they are tried again.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn reopen(
        &mut self,
        moves: &[(u32, WaveState, Entry)],
        unverified: &[String],
        undelivered: &[String],
    ) -> Result<(), StateError> {
        let Some((_, _, first)) = moves.first() else { return Ok(()) };
        let point = first.fault_point();
        let signed = self.signed();
        let mut texts = Vec::with_capacity(moves.len());
        for (_, state, _) in moves {
            texts.push(self.json(state)?);
        }
        self.write(&point, |transaction, at| {
            let mut update = transaction.prepare_cached(
                "UPDATE waves SET state = ?2, waits = NULL, since = CASE ?3 WHEN 'baking' THEN COALESCE(since, ?4)
                 WHEN 'planned' THEN NULL WHEN 'running' THEN NULL ELSE since END WHERE number = ?1",
            )?;
            for ((number, state, entry), text) in moves.iter().zip(&texts) {
                journal::append(transaction, at, &signed, entry)?;
                update.execute(params![number, text, state.as_str(), at])?;
            }
            forget(transaction, at, &signed, unverified, true)?;
            forget(transaction, at, &signed, undelivered, false)
        })
    }

    /// Puts other members into waves; one of which nobody is left is a wave no more.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn set_members(&mut self, moves: &[(u32, Vec<String>)], entry: &Entry) -> Result<(), StateError> {
        let signed = self.signed();
        self.write(&entry.fault_point(), |transaction, at| {
            journal::append(transaction, at, &signed, entry)?;
            for (number, members) in moves {
                transaction.execute("DELETE FROM members WHERE wave = ?1", params![number])?;
                if members.is_empty() {
                    transaction.execute("DELETE FROM waves WHERE number = ?1", params![number])?;
                }
            }
            let mut insert = transaction.prepare_cached("INSERT INTO members VALUES (?1, ?2, ?3)")?;
            for (number, members) in moves {
                for (position, member) in (0_i64..).zip(members) {
                    insert.execute(params![member, number, position])?;
                }
            }
            Ok(())
        })
    }

    /// Notes what a wave waits for.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn set_waits(&mut self, number: u32, waits: &[Wait], entry: &Entry) -> Result<(), StateError> {
        let text = self.json(&waits)?;
        let signed = self.signed();
        self.write(&entry.fault_point(), |transaction, at| {
            journal::append(transaction, at, &signed, entry)?;
            transaction.execute("UPDATE waves SET waits = ?2 WHERE number = ?1", params![number, text])?;
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

    /// Records what the verification of `key` found; a second one replaces it, and the
    /// journal keeps what `entry` says of each.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn record_verdict<V: Serialize + Summary>(
        &mut self,
        workspace: &str,
        key: &Digest,
        verdict: &V,
        entry: &Entry,
    ) -> Result<(), StateError> {
        let (text, short) = (self.json(verdict)?, self.json(&verdict.brief())?);
        let signed = self.signed();
        self.write("state.verdict", |transaction, at| {
            journal::append(transaction, at, &signed, entry)?;
            transaction.execute(
                "INSERT OR REPLACE INTO verdicts (workspace, key, verdict, at, summary) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![workspace, key.to_string(), text, at, short],
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

    /// Records what the gates of a wave saw and say, and moves the wave on, at once.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn record_gate<R: Serialize, I: Serialize>(
        &mut self,
        wave: u32,
        (result, inputs): (&R, &I),
        moves: Option<(&WaveState, &Entry)>,
    ) -> Result<(), StateError> {
        let (result, inputs) = (self.json(result)?, self.json(inputs)?);
        let signed = self.signed();
        let moves = moves.map(|(state, entry)| Ok::<_, StateError>((self.json(state)?, entry))).transpose()?;
        self.write("state.gate", |transaction, at| {
            transaction.execute(
                "INSERT INTO gates (wave, result, inputs, at) VALUES (?1, ?2, ?3, ?4)",
                params![wave, result, inputs, at],
            )?;
            if let Some((state, entry)) = &moves {
                journal::append(transaction, at, &signed, entry)?;
                transaction.execute("UPDATE waves SET state = ?2 WHERE number = ?1", params![wave, state])?;
            }
            Ok(())
        })
    }

    /// What the gates of a wave said and saw last, as it was recorded.
    ///
    /// # Errors
    /// As [`Store::workspaces`].
    pub fn last_gate<R: DeserializeOwned, I: DeserializeOwned>(&self, wave: u32) -> Result<Option<(R, I)>, StateError> {
        let query = "SELECT result, inputs FROM gates WHERE wave = ?1 ORDER BY seq DESC LIMIT 1";
        let rows = self.rows(query, params![wave], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let read = |(result, inputs): &(String, String)| Ok((self.value(result)?, self.value(inputs)?));
        rows.first().map(read).transpose()
    }

    /// Notes that a run began; its number.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn begin_run(&mut self) -> Result<i64, StateError> {
        let run = self.write("state.run-begun", |transaction, at| {
            transaction.execute("INSERT INTO runs (pid, started) VALUES (?1, ?2)", params![std::process::id(), at])?;
            Ok(transaction.last_insert_rowid())
        })?;
        self.run = Some(run);
        Ok(run)
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
        transaction.execute(
            "INSERT INTO waves (number, label, state, since) VALUES (?1, ?2, ?3, ?4)",
            params![wave.number, wave.label, state, wave.since],
        )?;
        for (position, member) in (0_i64..).zip(&wave.members) {
            insert.execute(params![member, wave.number, position])?;
        }
    }
    Ok(())
}

fn forget(
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

fn forget_delivery(transaction: &Transaction<'_>, workspace: &str) -> rusqlite::Result<()> {
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
