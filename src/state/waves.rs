//! Waves as they are recorded: their members, where they stand, and what their gates saw.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::deliveries::forget;
use super::journal::{self, Entry};
use super::records::{Wait, WaveRecord, WaveState};
use super::{StateError, Store, decisions, execute};

impl Store {
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

    pub(super) fn wave_states(&self, waves: &[WaveRecord]) -> Result<Vec<String>, StateError> {
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
                // Who approved a wave did so before it failed, and has not looked since.
                if matches!(state, WaveState::Failed(_) | WaveState::RollingBack(_)) {
                    let why = "it failed, or is taken back, since it was approved";
                    decisions::unapprove(transaction, at, &signed, (*number, why))?;
                }
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
                execute(transaction, "DELETE FROM members WHERE wave = ?1", params![number])?;
                if members.is_empty() {
                    execute(transaction, "DELETE FROM waves WHERE number = ?1", params![number])?;
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
            execute(transaction, "UPDATE waves SET waits = ?2 WHERE number = ?1", params![number, text])?;
            Ok(())
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
            execute(
                transaction,
                "INSERT INTO gates (wave, result, inputs, at) VALUES (?1, ?2, ?3, ?4)",
                params![wave, result, inputs, at],
            )?;
            if let Some((state, entry)) = &moves {
                journal::append(transaction, at, &signed, entry)?;
                execute(transaction, "UPDATE waves SET state = ?2 WHERE number = ?1", params![wave, state])?;
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
}

pub(super) fn replace_waves(
    transaction: &Transaction<'_>,
    waves: &[WaveRecord],
    states: &[String],
) -> rusqlite::Result<()> {
    transaction.execute_batch("DELETE FROM waves; DELETE FROM members")?;
    let mut insert = transaction.prepare_cached("INSERT INTO members VALUES (?1, ?2, ?3)")?;
    for (wave, state) in waves.iter().zip(states) {
        execute(
            transaction,
            "INSERT INTO waves (number, label, state, since) VALUES (?1, ?2, ?3, ?4)",
            params![wave.number, wave.label, state, wave.since],
        )?;
        for (position, member) in (0_i64..).zip(&wave.members) {
            insert.execute(params![member, wave.number, position])?;
        }
    }
    Ok(())
}
