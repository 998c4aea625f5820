//! The users-v2 fleet as it lies in the repository, against what a person wrote
//! down for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use super::bench::{Bench, fixture, outcomes, tree};
use super::expected::{Expected, Fate, Use};
use super::patches;

fn expected() -> Expected {
    Expected::parse(&std::fs::read_to_string(fixture().join("EXPECTED.md")).unwrap())
}

/// Every word that the ledger knows.
const WORDS: [&str; 10] = [
    "changed",
    "unchanged",
    "annotated",
    "refused",
    "regressed",
    "unverified",
    "unresolved",
    "rolled-back",
    "pending",
    "errored",
];

#[test]
fn the_fleet_ends_as_written_down() {
    let bench = Bench::copy_of(&fixture());
    bench.commit_all();
    let before = tree(&bench.root);
    let ended = bench.gander(&["run", "migration.toml"]).expect(3);
    assert_eq!(tree(&bench.root), before, "delivered as patches: no file of the fleet moves");
    let ledger = bench.ledger();
    matches_the_table(&ledger);
    for outcome in outcomes(&ledger).values().collect::<BTreeSet<_>>() {
        assert!(ended.stdout.contains(outcome.as_str()), "{outcome} is not printed");
    }
    let state = bench.root.join(".gander/users-v2");
    let seen = patches::all_apply_and_revert(&bench, &state);
    judge_places(&seen);
    nothing_is_done_twice(&bench, &ledger);
}

/// Each consumer alone comes to what the table says; waves decide the rest.
fn matches_the_table(ledger: &Value) {
    let expected = expected().outcomes;
    let waves: BTreeMap<u64, &str> = ledger["waves"].as_array().unwrap().iter().map(wave_state).collect();
    let of = |word: &str| waves.values().filter(|state| **state == word).count();
    assert_eq!((of("rolled-back"), of("passed") >= 1), (1, true), "{waves:?}");
    let mut wanted = BTreeMap::new();
    for row in ledger["rows"].as_array().unwrap() {
        let name = row["entity"].as_str().unwrap().rsplit(['/', ':']).next().unwrap();
        let alone = expected.get(name).unwrap_or_else(|| panic!("{name} is no consumer")).as_str();
        let wave = row["wave"].as_u64().map(|number| waves[&number]);
        let deliverable = matches!(alone, "changed" | "annotated");
        let word = match wave {
            Some("planned") => "pending",
            // It failed by its verdicts, before any of it went out.
            Some("rolled-back") if deliverable => "pending",
            _ => alone,
        };
        assert!(!row["reason"].as_str().unwrap().is_empty(), "{name} has no reason");
        wanted.insert(name.to_owned(), word.to_owned());
    }
    assert_eq!(outcomes(ledger), wanted);
    assert_eq!(expected.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "every consumer, once");
    let words: BTreeSet<&str> = wanted.values().map(String::as_str).collect();
    let shown = WORDS.into_iter().filter(|word| *word != "rolled-back");
    assert_eq!(words, shown.collect(), "every outcome is shown but the one that nothing comes to here");
}

fn wave_state(wave: &Value) -> (u64, &str) {
    (wave["number"].as_u64().unwrap(), wave["state"]["kind"].as_str().unwrap())
}

/// A second run answers from the state: no verdict, no attempt, no change set anew.
fn nothing_is_done_twice(bench: &Bench, ledger: &Value) {
    let state = bench.root.join(".gander/users-v2");
    let (tables, sets) = (tables(&state), tree(&state.join("change-sets")));
    let begun = Instant::now();
    bench.gander(&["run", "migration.toml"]).expect(3);
    let took = begun.elapsed();
    assert!(took.as_secs() < 15, "a step that waits for its time limit of 20 s ran again: {took:?}");
    assert_eq!(bench.ledger(), *ledger);
    assert_eq!(self::tables(&state), tables);
    assert_eq!(tree(&state.join("change-sets")), sets);
}

/// Every row of the state that tells of work done.
fn tables(state: &Path) -> BTreeMap<&'static str, Vec<String>> {
    let db = rusqlite::Connection::open(state.join("state.db")).unwrap();
    let rows = |table: &'static str| {
        let mut query = db.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = query.column_count();
        let rows = query.query_map([], |row| {
            let cells = (0..columns).map(|c| row.get::<_, rusqlite::types::Value>(c));
            Ok(format!("{:?}", cells.collect::<Result<Vec<_>, _>>()?))
        });
        let rows = rows.unwrap().map(Result::unwrap).collect();
        (table, rows)
    };
    ["verdicts", "deliveries", "versions", "gates", "journal", "waves"].into_iter().map(rows).collect()
}

/// The same fleet in no repository, with everybody in one wave: every change set
/// there can be, judged place by place.
#[test]
fn every_place_is_as_written_down() {
    let bench = Bench::copy_of(&fixture());
    // It only waits for its time limit, and without git it would be a content pin like the others.
    let ci = bench.text("consumers/nightly-compactor/ci.sh");
    bench.put("consumers/nightly-compactor/ci.sh", format!("exit 0\n{ci}"));
    let file = bench.text("migration.toml");
    let waves = file.lines().find(|line| line.starts_with("waves = ")).unwrap();
    let file = file.replace(waves, "waves = [\"100%\"]").replace("max = 0", "max = 1");
    bench.put("migration.toml", file);
    // One of them has no code that could be found.
    bench.gander(&["run", "-q", "migration.toml"]).expect(4);
    let seen = patches::all_apply_and_revert(&bench, &bench.root.join(".gander/users-v2"));
    let judged = judge_places(&seen);
    let refused = ["lead-scoring"];
    let all: BTreeSet<String> = expected().uses.into_keys().filter(|name| !refused.contains(&name.as_str())).collect();
    assert_eq!(judged, all, "every consumer with something to change has a change set");
}

/// Compares every place of every consumer that has a change set with the table,
/// and says whose were judged.
fn judge_places(seen: &[patches::Applied]) -> BTreeSet<String> {
    let expected = expected();
    let mut judged = BTreeSet::new();
    for applied in seen {
        let name = applied.workspace.rsplit('/').next().unwrap();
        let uses = expected.uses.get(name).unwrap_or_else(|| panic!("{name} has no table"));
        let mut files: BTreeMap<&str, Vec<&Use>> = BTreeMap::new();
        for one in uses {
            files.entry(&one.path).or_default().push(one);
        }
        for (path, (old, _)) in &applied.pinned {
            let new = &applied.changed[path].0;
            match files.get(path.as_str()) {
                Some(uses) => judge_file(&format!("{name}/{path}"), old, new, uses),
                None => assert_eq!(old, new, "{name}/{path} must not change"),
            }
        }
        assert_eq!(applied.pinned.keys().collect::<Vec<_>>(), applied.changed.keys().collect::<Vec<_>>(), "{name}");
        for path in expected.untouched.get(name).into_iter().flatten() {
            assert_eq!(applied.pinned[path], applied.changed[path], "{name}/{path}");
        }
        judged.insert(name.to_owned());
    }
    judged
}

/// The file with the table's names is, byte for byte, the changed one without the
/// comments that were added.
fn judge_file(name: &str, old: &[u8], new: &[u8], uses: &[&Use]) {
    let old = std::str::from_utf8(old).unwrap();
    let new = std::str::from_utf8(new).unwrap();
    let comments = new.split_inclusive('\n').filter(|line| line.contains("gander[")).count();
    assert_eq!(comments > 0, uses.iter().any(|one| one.fate == Fate::Annotated), "{name}: comments");
    let new: String = new.split_inclusive('\n').filter(|line| !line.contains("gander[")).collect();
    // Where the table tells of two right ways in prose: the name kept as an alias, or
    // moved in both places.
    let kept = with_names(old, uses, |first| if first { Some("country as country_code") } else { None });
    let moved = with_names(old, uses, |_| Some("country"));
    assert!(new == kept || new == moved, "{name}: expected\n{kept}\nfound\n{new}");
}

fn with_names(old: &str, uses: &[&Use], prose: impl Fn(bool) -> Option<&'static str>) -> String {
    let mut first = true;
    let mut out = String::new();
    for (index, line) in old.split_inclusive('\n').enumerate() {
        let here: Vec<&Use> = uses.iter().copied().filter(|one| one.line == index + 1).collect();
        let mut places: Vec<(usize, &Use)> = Vec::new();
        for one in here {
            let taken: Vec<usize> =
                places.iter().filter(|(_, other)| other.name == one.name).map(|(at, _)| *at).collect();
            let at = words(line, &one.name).into_iter().find(|at| !taken.contains(at));
            places.push((at.unwrap_or_else(|| panic!("line {}: no further {}", one.line, one.name)), one));
        }
        places.sort_by_key(|(at, _)| *at);
        let mut done = 0;
        for (at, one) in places {
            let becomes = match &one.fate {
                Fate::Mapped(name) => Some(name.as_str()),
                Fate::Prose => prose(std::mem::take(&mut first)),
                _ => None,
            };
            out += &line[done..at];
            out += becomes.unwrap_or(&one.name);
            done = at + one.name.len();
        }
        out += &line[done..];
    }
    out
}

/// Where `name` stands in a line as a word of its own.
fn words(line: &str, name: &str) -> Vec<usize> {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let alone =
        |at: &usize| !is_word(line[..*at].chars().next_back()) && !is_word(line[at + name.len()..].chars().next());
    line.match_indices(name).map(|(at, _)| at).filter(alone).collect()
}
