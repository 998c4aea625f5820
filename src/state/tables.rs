//! What is read from the tables and written to them. Values of later stages are stored
//! as the JSON they serialise to; this module does not know them.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::deliveries::forget_delivery;
use super::journal::{self, Entry};
use super::records::{Binding, ConsumerRecord, Terms, WaveRecord, WorkspaceRecord};
use super::summaries::Summary;
use super::waves::replace_waves;
use super::{StateError, Store, execute};
use crate::digest::Digest;
use crate::workspace::{Pin, Workspace};

/// What the journal keeps of a plan that is taken in.
#[derive(Serialize)]
struct BindEvidence<'a> {
    migration: String,
    plan: String,
    verify: String,
    #[serde(flatten)]
    terms: &'a Terms,
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
        let rows = self.rows(query, [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
        })?;
        rows.into_iter()
            .next()
            .map(|(migration, migration_digest, plan_digest, verify_digest)| {
                Ok(Binding {
                    migration,
                    migration_digest: self.digest(&migration_digest)?,
                    plan_digest: self.digest(&plan_digest)?,
                    verify_digest: self.digest(&verify_digest)?,
                    terms: Terms::default(),
                })
            })
            .transpose()
    }

    /// What else the rollout rests on that the state is bound to, as it was then.
    ///
    /// # Errors
    /// Where the state can't be read.
    pub fn bound_terms(&self, migration: &str) -> Result<Terms, StateError> {
        let last = self.last_of(migration, ("bind", "bind"))?;
        let terms = last.and_then(|line| serde_json::from_value(line.entry.evidence?).ok());
        Ok(terms.unwrap_or_default())
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
                terms: &binding.terms,
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
            execute(
                transaction,
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

    /// Forgets the fleet and what is out; the journal, in which `entry` says why, and what people decided stay.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn begin_anew(&mut self, entry: &Entry) -> Result<(), StateError> {
        let signed = self.signed();
        let tables = ["binding", "consumers", "workspaces", "waves", "members"];
        let tables = tables.into_iter().chain(["verdicts", "deliveries", "versions", "heads", "past"]);
        self.write("state.anew", |transaction, at| {
            journal::append(transaction, at, &signed, entry)?;
            tables.into_iter().try_for_each(|table| transaction.execute_batch(&format!("DELETE FROM {table}")))
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
        Ok(self.values(rows)?.into_iter().collect())
    }

    /// What there are verdicts over: each workspace, with the key of what was verified.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn verdict_keys(&self) -> Result<BTreeSet<(String, String)>, StateError> {
        let rows = self.rows("SELECT workspace, key FROM verdicts", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.into_iter().collect())
    }

    /// Every verdict by workspace, with the key of what was verified.
    ///
    /// # Errors
    /// As [`Store::workspaces`].
    pub fn verdicts<V: DeserializeOwned + Send>(&self) -> Result<BTreeMap<(String, String), V>, StateError> {
        let query = "SELECT workspace, key, verdict FROM verdicts";
        let rows = self.rows(query, [], |row| {
            Ok(((row.get::<_, String>(0)?, row.get::<_, String>(1)?), row.get::<_, String>(2)?))
        })?;
        Ok(self.values(rows)?.into_iter().collect())
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
            execute(
                transaction,
                "INSERT OR REPLACE INTO verdicts (workspace, key, verdict, at, summary) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![workspace, key.to_string(), text, at, short],
            )?;
            Ok(())
        })
    }

    /// Notes that a run began; its number.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn begin_run(&mut self) -> Result<i64, StateError> {
        let run = self.write("state.run-begun", |transaction, at| {
            execute(transaction, "INSERT INTO runs (pid, started) VALUES (?1, ?2)", params![std::process::id(), at])?;
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
            execute(transaction, "UPDATE runs SET ended = ?2, end = ?3 WHERE id = ?1", params![run, at, end])?;
            Ok(())
        })
    }
}
