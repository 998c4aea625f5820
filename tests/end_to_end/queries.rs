//! `[verify.sql]` through the program, over the example fleet's second migration.

use std::ffi::OsStr;

use serde_json::Value;

use super::bench::{Bench, fixture};

/// Consumers whose change is in SQL files, models of dbt or queries in code, and how many
/// queries each has.
const CONSUMERS: [(&str, usize); 10] = [
    ("account-portal", 2),
    ("adhoc-retention", 2),
    ("campaign-attribution", 1),
    ("capacity-forecast", 2),
    ("core-dbt", 1),
    ("dormant-users-export", 2),
    ("finance-dbt", 2),
    ("gdpr-export", 2),
    ("plan-mix-dashboard", 2),
    ("signup-country-report", 2),
];

fn verdict<'v>(all: &'v Value, name: &str) -> &'v Value {
    let is = |row: &&Value| row["consumers"][0].as_str().is_some_and(|entity| entity.ends_with(&format!("/{name}")));
    &all.as_array().unwrap().iter().find(is).unwrap()["verdict"]
}

#[test]
fn without_the_packages_nothing_is_said_to_be_the_same() {
    let bench = Bench::copy_of(&fixture());
    let arguments = ["verify", "-m", "datasets.toml", "--json", "adhoc-retention", "capacity-forecast"];
    let all = bench.gander(&arguments).expect(1).json();
    let alone = verdict(&all, "adhoc-retention");
    assert_eq!(alone["kind"], "no-data");
    assert!(alone["reason"].as_str().unwrap().contains("`gander verify --prepare` installs them"), "{alone}");
    assert_eq!(alone["sql"][0]["outcome"], "not-compared");
    // Its own tests say what they said.
    assert_eq!(verdict(&all, "capacity-forecast")["kind"], "pass");
    let other = bench.gander(&["verify", "-m", "migration.toml", "--prepare"]).expect(2);
    assert!(other.stderr.contains("has no [verify.sql]"), "{}", other.stderr);
}

#[test]
fn each_of_them_has_something_to_compare() {
    let bench = Bench::copy_of(&fixture());
    let planned = bench.gander(&["plan", "-m", "datasets.toml", "--no-diff"]).expect(0).stdout;
    for (name, _) in CONSUMERS {
        let row =
            planned.lines().find(|row| row.split_whitespace().next() == Some(&format!("component:default/{name}")));
        let outcome = row.and_then(|row| row.split_whitespace().nth(1));
        assert!(matches!(outcome, Some("changed" | "annotated")), "{name}: {row:?}");
    }
}

#[test]
#[ignore = "installs packages; .ci/run runs it"]
fn every_consumer_of_sql_and_dbt_is_compared() {
    let bench = Bench::copy_of(&fixture());
    bench.gander(&["verify", "-m", "datasets.toml", "--prepare"]).expect(0);
    let mut arguments = vec!["verify", "-m", "datasets.toml", "--json"];
    arguments.extend(CONSUMERS.map(|(name, _)| name));
    let all = bench.gander(&arguments).expect(0).json();
    for (name, queries) in CONSUMERS {
        let verdict = verdict(&all, name);
        assert_eq!(verdict["kind"], "pass", "{name}: {}", verdict["reason"]);
        assert_eq!(verdict["evidence"]["strength"], "strong", "{name}");
        let equal = verdict["sql"].as_array().unwrap().iter().filter(|one| one["outcome"] == "equal");
        for one in equal.clone() {
            assert!(one["rows"].as_u64().unwrap() > 0, "{one}");
            assert!(one["wrongs"].as_object().unwrap().values().all(|noticed| noticed == true), "{one}");
        }
        assert_eq!(equal.count(), queries, "{name}: {verdict}");
    }
    // A run says so in the text of the change set.
    bench.gander(&["run", "-m", "datasets.toml", "--only", "adhoc-retention", "--only", "capacity-forecast"]);
    let text = std::fs::read_dir(bench.root.join(".gander/users-v2-dataset/change-sets/wave-1")).unwrap();
    let text = text.map(|entry| std::fs::read_to_string(entry.unwrap().path().join("PULL_REQUEST.md")).unwrap());
    let text: String = text.collect();
    assert!(text.contains("| `queries/growth.sql:1` | the same rows |"), "{text}");
}

const MIGRATION: &str = "[migration]\nid = \"m\"\ntitle = \"users move\"\nrules = [\"r.rhai\"]\n\
    [datasets]\nmappings = [\"users.toml\"]\n[verify.sql]\n[[consumers.from]]\nfolders = [\"apps/*\"]\n";
const USERS: &str = "[dataset]\nname = \"users\"\n[names]\ntable = { old = \"a.users_v1\", new = \"a.users_v2\" }\n\
    [columns]\nuser_id = \"user_id\"\ncountry_code = \"country\"\n";

#[test]
#[ignore = "installs packages; .ci/run runs it"]
fn an_edit_that_changes_the_rows_is_found_and_named() {
    let bench = Bench::new();
    bench.put("migration.toml", MIGRATION);
    bench.put("users.toml", USERS);
    bench.put("r.rhai", "rule(\"wrong/market\").lang(\"sql\").find(\"'DE'\").replace(\"'FR'\");\n");
    bench.put("apps/ads/q.sql", "select user_id from a.users_v1\nwhere country_code = 'DE'\n");
    bench.put("apps/geo/q.sql", "select count(*) as n from a.users_v1 where country_code = 'SE'\n");
    bench.put("apps/geo/tests/rows.sql", "insert into a.users_v1 (user_id, country_code) values (1, 'SE')\n");
    bench.gander(&["verify", "--prepare"]).expect(0);
    let all = bench.gander_with(&[("NO_COLOR", OsStr::new("1"))], &["verify", "--json"]).expect(1).json();
    let ads = verdict(&all, "ads");
    assert_eq!(ads["kind"], "regressed", "{ads}");
    assert!(ads["reason"].as_str().unwrap().contains("because of wrong/market at q.sql:2"), "{}", ads["reason"]);
    // Test data that the change rewrites itself says less.
    let geo = verdict(&all, "geo");
    assert_eq!((geo["kind"].as_str(), geo["evidence"]["strength"].as_str()), (Some("pass"), Some("weak")), "{geo}");
    assert_eq!(geo["evidence"]["rewritten"][0], "tests/rows.sql");
}
