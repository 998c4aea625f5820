//! Short forms of large values, kept beside them: a list of all consumers reads nothing else.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{StateError, Store};
use crate::digest::Digest;

/// A value that has a short form. States of older ganders lack it: it is made from the
/// value itself then.
pub trait Summary: DeserializeOwned {
    /// The short form.
    type Brief: Serialize + DeserializeOwned;

    /// Makes it.
    fn brief(&self) -> Self::Brief;
}

/// A workspace's id, whether its bytes are named, its plan's digest, and the short form of
/// its plan.
pub type WorkspaceBrief<B> = (String, bool, Digest, B);

impl Store {
    /// The short forms of many rows. Where one was not written with its value, the value itself is read by `whole`.
    fn short<T: Summary<Brief: Send>, K: Send>(
        &self,
        rows: Vec<(K, Option<String>)>,
        whole: impl Fn(&K) -> Result<String, StateError>,
    ) -> Result<Vec<(K, T::Brief)>, StateError> {
        let text = |(key, short): (K, Option<String>)| {
            let made = || self.json(&self.value::<T>(&whole(&key)?)?.brief());
            let text = short.map_or_else(made, Ok)?;
            Ok((key, text))
        };
        self.values(rows.into_iter().map(text).collect::<Result<_, StateError>>()?)
    }

    /// Every workspace's id, whether its bytes are named, its plan's digest and the short
    /// form of its plan.
    ///
    /// # Errors
    /// Where the file can't be read, or holds what gander did not write.
    pub fn workspace_briefs<P: Summary<Brief: Send>>(&self) -> Result<Vec<WorkspaceBrief<P::Brief>>, StateError> {
        let rows = self.rows("SELECT id, pin IS NOT NULL, plan_digest, summary FROM workspaces", [], |row| {
            let key = (row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, String>(2)?);
            Ok((key, row.get::<_, Option<String>>(3)?))
        })?;
        type Key = (String, bool, String);
        let whole = |(id, ..): &Key| self.one("SELECT plan FROM workspaces WHERE id = ?1", params![id]);
        let briefs = self.short::<P, Key>(rows, whole)?;
        briefs.into_iter().map(|((id, pinned, digest), brief)| Ok((id, pinned, self.digest(&digest)?, brief))).collect()
    }

    /// The short form of every verdict that `wanted` names by workspace and key.
    ///
    /// # Errors
    /// As [`Store::workspace_briefs`].
    pub fn verdict_briefs<V: Summary<Brief: Send>>(
        &self,
        wanted: &dyn Fn(&str, &str) -> bool,
    ) -> Result<BTreeMap<String, V::Brief>, StateError> {
        let rows = self.rows("SELECT workspace, key, summary FROM verdicts", [], |row| {
            Ok(((row.get::<_, String>(0)?, row.get::<_, String>(1)?), row.get::<_, Option<String>>(2)?))
        })?;
        let wanted: Vec<_> = rows.into_iter().filter(|((id, key), _)| wanted(id, key)).collect();
        let query = "SELECT verdict FROM verdicts WHERE workspace = ?1 AND key = ?2";
        let briefs = self.short::<V, _>(wanted, |(id, key)| self.one(query, params![id, key]))?;
        Ok(briefs.into_iter().map(|((id, _), brief)| (id, brief)).collect())
    }

    fn one(&self, query: &str, parameters: impl rusqlite::Params) -> Result<String, StateError> {
        let found = self.rows(query, parameters, |row| row.get(0))?;
        found.into_iter().next().ok_or_else(|| self.corrupt("a row that was there a moment ago is gone"))
    }
}
