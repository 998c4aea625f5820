//! Columns that may not reach every position, from one model to those that read it: whoever
//! speaks of the name may compare it.
//!
//! Must not: resolve a column of another model.

use std::collections::{BTreeSet, HashSet};

use super::{ProjectFile, extension, is_yaml, stem};
use crate::dataset::mapping::held_as_it_goes_on;
use crate::dataset::usage::{Doubt, Unit};
use crate::dataset::word::words;

/// Holds the units that hand such a column on to a model, or a test, that names it.
pub(super) fn hold(files: &[ProjectFile<'_>], units: &mut [Vec<Unit>]) {
    if units.iter().flatten().all(|unit| unit.gives.is_empty()) {
        return;
    }
    let said: Vec<HashSet<String>> = files
        .iter()
        .map(|file| words(file.text, false).into_iter().map(|(_, word)| word.to_ascii_lowercase()).collect())
        .collect();
    for (at, file) in files.iter().enumerate().filter(|(_, file)| extension(file.path) == "sql") {
        if units[at].iter().all(|unit| unit.gives.is_empty()) {
            continue;
        }
        let readers = readers(files, &said, at);
        for unit in &mut units[at] {
            for (name, column) in std::mem::take(&mut unit.gives) {
                let speaks = |reader: &&usize| said[**reader].contains(&name.to_ascii_lowercase());
                if let Some(reader) = readers.iter().find(speaks) {
                    let told = format!("{} names {name}, which {} hands on", files[*reader].path, file.path);
                    let why = held_as_it_goes_on(&column, &told);
                    unit.doubts.push(Doubt::annotate(unit.range.clone(), why));
                }
            }
        }
    }
}

/// The files that read a model, or one that reads it, and so on; and those that describe it.
fn readers(files: &[ProjectFile<'_>], said: &[HashSet<String>], of: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut pending = names(files[of].path);
    while let Some(model) = pending.pop() {
        for (at, file) in files.iter().enumerate().filter(|(at, _)| *at != of) {
            if !found.contains(&at) && said[at].contains(&model) {
                found.insert(at);
                if !is_yaml(file.path) {
                    pending.extend(names(file.path));
                }
            }
        }
    }
    found
}

/// What a model is read by, in small letters: `stg_v2.sql` also as `ref('stg', v=2)`.
fn names(path: &str) -> Vec<String> {
    let name = stem(path).to_ascii_lowercase();
    let versioned = name.rsplit_once("_v").filter(|(_, version)| version.bytes().all(|byte| byte.is_ascii_digit()));
    let plain = versioned.map(|(plain, _)| plain.to_owned());
    plain.into_iter().chain([name]).collect()
}

#[cfg(test)]
mod tests {
    use crate::dataset::dbt::tests::{moved, stays};

    #[test]
    fn what_may_not_be_compared_is_looked_for_in_the_models_behind() {
        let first = ("models/stg.sql", "select user_id, tier as level from {{ ref('dim_users_v1') }}\n");
        let next = ("models/mid.sql", "select * from {{ ref('stg') }}\n");
        let last = ("models/top.sql", "select user_id from {{ ref('mid') }} where level = 3\n");
        let why = "models/top.sql names level, which models/stg.sql hands on";
        stays(&[first, next, last], why);
        let yaml = "models:\n  - name: stg\n    columns:\n      - name: level\n        tests: [{accepted_values: {values: [1]}}]\n";
        stays(&[first, ("models/stg.yml", yaml)], "models/stg.yml names level");
        let versioned = ("models/stg_v2.sql", first.1);
        let reader = ("models/top.sql", "select user_id from {{ ref('stg', v=2) }} where level = 3\n");
        stays(&[versioned, reader], "models/top.sql names level, which models/stg_v2.sql hands on");
        let (texts, why) = moved(&[first, next, ("models/other.sql", "select 1 as level\n")]);
        assert!(why.is_empty() && texts[0].contains("segment as level"), "{why:?}");
    }
}
