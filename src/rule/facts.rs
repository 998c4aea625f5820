//! What rules learn from all files of a workspace before any of them is edited.

use std::collections::{BTreeMap, BTreeSet};

/// Facts of a workspace: sets of texts, by name. Collecting is a union, so that
/// neither the order of files nor the number of threads matters; the edit phase
/// reads facts and cannot write them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, BTreeSet<String>>);

impl Facts {
    /// Adds one fact.
    pub fn insert(&mut self, name: &str, value: String) {
        self.0.entry(name.to_owned()).or_default().insert(value);
    }

    /// Adds all facts of another file.
    pub fn merge(&mut self, other: Self) {
        for (name, values) in other.0 {
            self.0.entry(name).or_default().extend(values);
        }
    }

    /// The facts of one name, sorted.
    pub fn get(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(String::as_str)
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
        assert_eq!(ab, ba);
        assert_eq!(ab.get("moved").collect::<Vec<_>>(), ["w", "x"]);
    }
}
