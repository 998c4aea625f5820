//! What is learned from all files of a workspace before any of them is edited.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Seed;
use crate::dataset::elsewhere::Elsewhere;
use crate::dataset::file::Decided;
use crate::dependency::{Dependencies, Wanted};
use crate::language::Ecosystem;
use crate::symbol::Certainty;

/// Facts of a workspace: sets of texts, by name. Collecting is a union, so that
/// neither the order of files nor the number of threads matters; the edit phase
/// reads facts and cannot write them.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    sets: BTreeMap<String, BTreeSet<String>>,
    /// The units of the files that move only together with others, by path.
    together: BTreeMap<String, Vec<Decided>>,
    /// What files say of each other's names.
    elsewhere: Option<Arc<Elsewhere>>,
    /// Follow-ups that edits ask for in the whole workspace.
    seeds: BTreeSet<Seed>,
    /// What the workspace depends on.
    builds: Builds,
}

/// What is known of the builds of a workspace.
#[derive(Clone, Debug, Default)]
pub enum Builds {
    /// Nobody read them: what depends on them is unknown.
    #[default]
    Unread,
    /// They have whatever a rule asks for, as those of an example do.
    AsAsked,
    /// This is what they declare, and the folder of the code with its `/`, from where their paths
    /// begin.
    Read(Arc<Dependencies>, String),
}

impl Facts {
    /// Adds one fact.
    pub fn insert(&mut self, name: &str, value: String) {
        self.sets.entry(name.to_owned()).or_default().insert(value);
    }

    /// Adds all facts of another file.
    pub fn merge(&mut self, other: Self) {
        for (name, values) in other.sets {
            self.sets.entry(name).or_default().extend(values);
        }
        self.together.extend(other.together);
        self.seeds.extend(other.seeds);
        self.elsewhere = self.elsewhere.take().or(other.elsewhere);
    }

    /// Says what files say of each other's names.
    pub fn set_elsewhere(&mut self, elsewhere: Arc<Elsewhere>) {
        self.elsewhere = Some(elsewhere);
    }

    /// The same, where it concerns a file.
    pub fn elsewhere(&self, path: &str) -> Option<&Arc<Elsewhere>> {
        self.elsewhere.as_ref().filter(|elsewhere| elsewhere.concerns(path))
    }

    /// Says what becomes of the datasets that a file uses, decided with other files.
    pub fn insert_units(&mut self, path: String, units: Vec<Decided>) {
        self.together.insert(path, units);
    }

    /// The same, as it was said; `None` for a file that stands alone.
    pub fn units_of(&self, path: &str) -> Option<&[Decided]> {
        self.together.get(path).map(Vec::as_slice)
    }

    /// Says what the workspace depends on.
    pub fn set_builds(&mut self, builds: Builds) {
        self.builds = builds;
    }

    /// Whether the code at a path has all of these dependencies, which come from where its language
    /// has them from; and why not, or why that can't be told.
    pub fn have(&self, wanted: &[Wanted], path: &str, ecosystem: Option<Ecosystem>) -> (Certainty, String) {
        let (builds, folder) = match &self.builds {
            Builds::AsAsked => return (Certainty::Yes, String::new()),
            Builds::Unread if wanted.is_empty() => return (Certainty::Yes, String::new()),
            Builds::Unread if wanted.iter().all(|one| one.or_unknown) => return (Certainty::Yes, String::new()),
            Builds::Unread => return (Certainty::Unknown, "the files of its build were not read".to_owned()),
            Builds::Read(builds, folder) => (builds, folder),
        };
        let path = if folder.is_empty() { Cow::Borrowed(path) } else { Cow::Owned(format!("{folder}{path}")) };
        let mut doubt = None;
        for one in wanted {
            match builds.has(one, &path, ecosystem) {
                (Certainty::No, why) => return (Certainty::No, why),
                (Certainty::Unknown, why) if !one.or_unknown => doubt = doubt.or(Some(why)),
                _ => {}
            }
        }
        doubt.map_or((Certainty::Yes, String::new()), |why| (Certainty::Unknown, why))
    }

    /// Adds follow-ups for the whole workspace; whether there were new ones.
    pub fn plant(&mut self, seeds: impl IntoIterator<Item = Seed>) -> bool {
        let before = self.seeds.len();
        self.seeds.extend(seeds);
        self.seeds.len() > before
    }

    /// The follow-ups for the whole workspace.
    pub fn seeds(&self) -> &BTreeSet<Seed> {
        &self.seeds
    }

    /// The facts of one name, sorted.
    pub fn get(&self, name: &str) -> impl Iterator<Item = &str> {
        self.sets.get(name).into_iter().flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_does_not_depend_on_order() {
        let facts = |pairs: &[(&str, &str)]| {
            let mut facts = Facts::default();
            pairs.iter().for_each(|(name, value)| facts.insert(name, (*value).to_owned()));
            facts
        };
        let (a, b) = (facts(&[("moved", "x"), ("seen", "1")]), facts(&[("moved", "w"), ("moved", "x")]));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(b);
        ba.merge(a);
        assert_eq!(ab.sets, ba.sets);
        assert_eq!(ab.get("moved").collect::<Vec<_>>(), ["w", "x"]);
    }
}
