//! Columns that may not reach every position, from one model to those that read it.
//!
//! Must not: resolve a column of another model: whoever speaks of its name may compare it.

use std::collections::BTreeSet;

use super::{ProjectFile, extension, is_yaml, stem};
use crate::dataset::sql::words;
use crate::dataset::usage::{Doubt, Unit};

/// Holds the units that hand such a column on to a model, or a test, that names it.
pub(super) fn hold(files: &[ProjectFile<'_>], units: &mut [Vec<Unit>]) {
    for (at, file) in files.iter().enumerate().filter(|(_, file)| extension(file.path) == "sql") {
        if units[at].iter().all(|unit| unit.gives.is_empty()) {
            continue;
        }
        let readers = readers(files, at);
        for unit in &mut units[at] {
            for (name, column) in std::mem::take(&mut unit.gives) {
                let speaks = |reader: &&usize| has_word(files[**reader].text, &name);
                if let Some(reader) = readers.iter().find(speaks) {
                    let why = format!(
                        "the mapping does not let {column} move in every position, and {} names {name}, which {} hands on",
                        files[*reader].path, file.path
                    );
                    unit.doubts.push(Doubt::annotate(unit.range.clone(), why));
                }
            }
        }
    }
}

/// The files that read a model, or one that reads it, and so on; and those that describe it.
fn readers(files: &[ProjectFile<'_>], of: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut pending = vec![stem(files[of].path)];
    while let Some(model) = pending.pop() {
        for (at, file) in files.iter().enumerate().filter(|(at, _)| *at != of) {
            if !found.contains(&at) && has_word(file.text, &model) {
                found.insert(at);
                if !is_yaml(file.path) {
                    pending.push(stem(file.path));
                }
            }
        }
    }
    found
}

fn has_word(text: &str, word: &str) -> bool {
    words(text, false).into_iter().any(|(_, one)| one.eq_ignore_ascii_case(word))
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
        let (texts, why) = moved(&[first, next, ("models/other.sql", "select 1 as level\n")]);
        assert!(why.is_empty() && texts[0].contains("segment as level"), "{why:?}");
    }
}
