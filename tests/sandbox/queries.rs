//! Queries compared in the real engine: gander's own edits, wrong ones, and hostile ones.
//!
//! These tests are ignored, because they install packages (`gander verify --prepare` does the
//! same). `.ci/run` runs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gander::config::VerifySql;
use gander::dataset::decide::Fate;
use gander::dataset::file::{Around, decided};
use gander::dataset::mapping::{self, Notation};
use gander::dataset::{Datasets, Dialects};
use gander::edit::{Splice, apply};
use gander::language::by_name;
use gander::sandbox::Sandbox;
use gander::verify::sql::{Compare, prepare};
use gander::verify::{Compared, Comparison, Sql, Subject, Verdict, VerdictKind, verify};
use gander::workspace::{Content, Entry, FileVersion, Manifest, Mode};

use super::{Bench, config};

const USERS: &str = "[dataset]\nname = \"users\"\n\
    [names]\ntable = { old = \"acme.analytics.users_v1\", new = \"acme.analytics.users_v2\" }\n\
    [columns]\nuser_id = \"user_id\"\ncountry_code = \"country\"\nlanguage = \"locale\"\nsignup_ts = \"signed_up_at\"\n\
    [columns.plan_type]\nto = \"plan\"\nvalues = { F = \"free\", P = \"premium\", T = \"team\" }\n\
    [columns.last_seen]\nsql = \"date({last_active_at})\"\n\
    [columns.address]\nto = \"address\"\nfields = { postcode = \"zip\", city = \"city\" }\n";

fn asked() -> VerifySql {
    VerifySql { python: None, timeout: Duration::from_secs(2), within: Duration::from_secs(120) }
}

fn datasets(table: &str) -> Arc<Datasets> {
    let mappings = vec![mapping::read(table, Notation::Toml, "users.toml").unwrap()];
    Arc::new(Datasets { mappings, ..Datasets::default() })
}

/// The packages are installed once for all tests.
fn folder() -> PathBuf {
    static ONCE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONCE.lock();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sql");
    prepare(&asked(), &folder).unwrap();
    folder
}

/// What gander makes of a file by this mapping.
fn moved(path: &str, text: &str, datasets: &Datasets) -> String {
    let language = by_name(if path.ends_with(".py") { "python" } else { "sql" }).unwrap();
    let mut splices = Vec::new();
    for one in decided(language, text, datasets, &Around::default()).unwrap() {
        match one.fate {
            Fate::Mapped(edits) => splices.extend(edits.into_iter().map(|(range, text)| Splice { range, text })),
            other => panic!("{text} stays: {other:?}"),
        }
    }
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    apply(text, &splices)
}

struct Tried {
    bench: Bench,
    changes: Vec<FileVersion>,
    manifest: Manifest,
}

impl Tried {
    fn new(files: &[(&str, String, String)]) -> Self {
        let old: Vec<(&str, &str)> = files.iter().map(|(path, old, _)| (*path, old.as_str())).collect();
        let side = |text: &String| Some(Content { bytes: text.clone().into_bytes(), executable: false });
        let change = |(path, old, new): &(&str, String, String)| FileVersion {
            path: (*path).to_owned(),
            before: side(old),
            after: side(new),
            renamed_from: None,
        };
        let entry =
            |(path, ..): &(&str, String, String)| ((*path).to_owned(), Entry { mode: Mode::File, blob: String::new() });
        Self {
            bench: Bench::new(&old),
            changes: files.iter().map(change).collect(),
            manifest: Manifest { entries: files.iter().map(entry).collect(), unreadable: Vec::new() },
        }
    }

    fn with<T>(&self, work: impl FnOnce(&Sandbox, &Subject<'_>, &Sql) -> T) -> T {
        let tree = self.bench.tree();
        let sandbox = self.bench.sandbox(&config());
        let memory = config().memory;
        let sql = Sql::new(&asked(), datasets(USERS), Dialects::default(), folder(), memory);
        let subject = Subject { sql: Some((&sql, &self.manifest)), ..Subject::new(&tree, &self.changes, &[]) };
        work(&sandbox, &subject, &sql)
    }

    fn compare(&self) -> Compare {
        self.with(|sandbox, subject, sql| sql.compare(sandbox, subject, &self.manifest, &self.changes).unwrap().0)
    }

    fn verdict(&self) -> Verdict {
        self.with(|sandbox, subject, _| verify(sandbox, subject).unwrap())
    }
}

fn compared(files: &[(&str, String, String)]) -> BTreeMap<String, Comparison> {
    let found = Tried::new(files).compare().comparisons;
    found.into_iter().map(|one| (one.name.rsplit_once(':').unwrap().0.to_owned(), one)).collect()
}

/// Each with what gander makes of it.
const GOOD: &[(&str, &str)] = &[
    ("where.sql", "select country_code, count(*) n from analytics.users_v1 where signup_ts >= '2023-02-01' group by 1"),
    ("values.sql", "select count(*) from analytics.users_v1 where plan_type = 'P'"),
    ("expression.sql", "select user_id from analytics.users_v1 u where u.last_seen < '2024-01-01'"),
    ("struct.sql", "select u.address.postcode as p from analytics.users_v1 u"),
    (
        "cte.sql",
        "with s as (select * from analytics.users_v1), t as (select country_code from s where plan_type in ('P', 'T'))\n\
         select t.country_code, c.name from t join reference.countries c on c.country_code = t.country_code",
    ),
    (
        "window.sql",
        "select user_id, row_number() over (partition by country_code order by signup_ts desc, user_id) rn\n\
         from analytics.users_v1 qualify rn = 1",
    ),
    (
        "correlated.sql",
        "select o.id from shop.orders o where exists (select 1 from analytics.users_v1 u where u.user_id = o.user_id and u.country_code = 'DE')",
    ),
    (
        "days.sql",
        "select countif(date_diff(current_date(), date(signup_ts), day) > 20) as fresh from analytics.users_v1",
    ),
    (
        "table.sql",
        "create table marts.by_country as select country_code, count(*) n from analytics.users_v1 group by 1;\nselect * from marts.by_country",
    ),
    ("insert.sql", "insert into marts.users (id, c) select user_id, country_code from analytics.users_v1"),
    (
        "merge.sql",
        "merge into marts.users t using analytics.users_v1 u on t.user_id = u.user_id\n\
         when matched then update set c = u.country_code when not matched then insert (user_id, c) values (u.user_id, u.country_code)",
    ),
    ("code.py", "q = f\"\"\"select country_code from analytics.users_v1 where signup_ts > '{since}'\"\"\"\n"),
];

#[test]
#[ignore = "installs packages; .ci/run runs it"]
fn what_gander_writes_returns_the_same_rows_and_a_wrong_mapping_does_not() {
    let right = datasets(USERS);
    let wrong = USERS
        .replace(
            "country_code = \"country\"\nlanguage = \"locale\"",
            "country_code = \"locale\"\nlanguage = \"country\"",
        )
        .replace("P = \"premium\", T = \"team\"", "P = \"team\", T = \"premium\"");
    let with = |datasets: &Datasets| -> Vec<(&str, String, String)> {
        GOOD.iter().map(|(path, text)| (*path, (*text).to_owned(), moved(path, text, datasets))).collect()
    };
    let good = compared(&with(&right));
    assert_eq!(good.len(), GOOD.len(), "{:?}", good.keys());
    for (name, one) in &good {
        assert_eq!(one.outcome, Compared::Equal, "{name}: {}", one.why);
        assert!(one.rows > 0 && one.wrongs.values().any(|noticed| *noticed), "{one:?}");
    }
    let bad = compared(&with(&datasets(&wrong)));
    for (path, text) in GOOD {
        let touched = text.contains("country_code") || text.contains("plan_type");
        let found = &bad.iter().find(|(name, _)| name.starts_with(path)).unwrap().1;
        let expected = if touched { Compared::Different } else { Compared::Equal };
        assert_eq!(found.outcome, expected, "{path}: {}", found.why);
    }
}

/// Old, new, what it comes to, and a part of why.
const ODD: &[(&str, &str, &str, Compared, &str)] = &[
    (
        "empty.sql",
        "select country_code c from analytics.users_v1 where 1 = 2",
        "select country c from analytics.users_v2 where 1 = 2",
        Compared::Uncounted,
        "empty",
    ),
    (
        "chance.sql",
        "select country_code c, rand() r from analytics.users_v1",
        "select country c, rand() r from analytics.users_v2",
        Compared::NotCompared,
        "chance",
    ),
    (
        "order.sql",
        "select country_code c from analytics.users_v1 limit 3",
        "select country c from analytics.users_v2 limit 3",
        Compared::NotCompared,
        "order of rows",
    ),
    (
        "names.sql",
        "select country_code from analytics.users_v1",
        "select country from analytics.users_v2",
        Compared::Different,
        "other columns",
    ),
    (
        "half.sql",
        "select country_code c from analytics.users_v1",
        "select country c from analytics.users_v1",
        Compared::Different,
        "new query fails",
    ),
    (
        "unread.sql",
        "select country_code c from analytics.users_v1",
        "select from country where",
        Compared::Different,
        "can't be read",
    ),
    (
        "script.sql",
        "declare x int64; select country_code c from analytics.users_v1 where user_id = x",
        "declare x int64; select country c from analytics.users_v2 where user_id = x",
        Compared::NotCompared,
        "",
    ),
    (
        "insert.sql",
        "insert into analytics.users_v1 (country_code) values ('DE')",
        "insert into analytics.users_v2 (locale) values ('DE')",
        Compared::Different,
        "",
    ),
    // What would leave the engine, or never end.
    (
        "copy.sql",
        "copy (select country_code from analytics.users_v1) to 'out.csv'",
        "copy (select country from analytics.users_v2) to 'out.csv'",
        Compared::NotCompared,
        "",
    ),
    (
        "files.sql",
        "select country_code c, f.* from analytics.users_v1, read_text('/etc/passwd') f",
        "select country c, f.* from analytics.users_v2, read_text('/etc/passwd') f",
        Compared::NotCompared,
        "",
    ),
    (
        "attach.sql",
        "attach 'x.db'; select country_code c from analytics.users_v1",
        "attach 'y.db'; select country c from analytics.users_v2",
        Compared::NotCompared,
        "",
    ),
    (
        "endless.sql",
        "with recursive r as (select 1 n union all select n + 1 from r) select max(n), max(country_code) from r, analytics.users_v1",
        "with recursive r as (select 1 n union all select n + 1 from r) select max(n), max(country) from r, analytics.users_v2",
        Compared::NotCompared,
        "more than it may",
    ),
];

#[test]
#[ignore = "installs packages; .ci/run runs it"]
fn what_says_nothing_does_not_count_and_nothing_gets_out() {
    let files: Vec<(&str, String, String)> =
        ODD.iter().map(|(path, old, new, ..)| (*path, (*old).to_owned(), (*new).to_owned())).collect();
    let found = compared(&files);
    let red = Tried::new(&files[3..5]).verdict();
    for (path, _, _, outcome, why) in ODD {
        let one = &found[*path];
        assert_eq!(one.outcome, *outcome, "{path}: {}", one.why);
        assert!(one.why.contains(why), "{path}: {}", one.why);
        assert_ne!(one.why, "it was not run", "{path}");
    }
    assert_eq!(red.kind, VerdictKind::Regressed, "{}", red.reason);
    assert!(red.reason.contains("test `half.sql:1` of step `SQL` was green"), "{}", red.reason);
}

#[test]
#[ignore = "installs packages; .ci/run runs it"]
fn a_consumer_without_tests_passes_where_all_its_queries_were_compared() {
    let right = datasets(USERS);
    let file = |path: &'static str, text: &str| (path, text.to_owned(), moved(path, text, &right));
    let good = file("a.sql", GOOD[0].1);
    let verdict = Tried::new(std::slice::from_ref(&good)).verdict();
    assert_eq!(verdict.kind, VerdictKind::Pass, "{}", verdict.reason);
    assert_eq!(verdict.strength().map(|strength| strength.as_str()), Some("strong"));
    assert_eq!(verdict.tests, (1, 1));
    // A part says too little.
    let chance = file("b.sql", "select country_code as c, rand() as r from analytics.users_v1");
    let verdict = Tried::new(&[good, chance]).verdict();
    assert_eq!(verdict.kind, VerdictKind::NoData, "{}", verdict.reason);
    assert!(
        verdict.reason.contains("1 of 2 changed queries return the same rows; b.sql:1 not compared"),
        "{}",
        verdict.reason
    );
    // Where the packages are not there, nothing is said.
    let tried = Tried::new(&[file("a.sql", GOOD[0].1)]);
    let nowhere = tried.bench.folder.path().join("nowhere");
    let sql = Sql::new(&asked(), right, Dialects::default(), nowhere, config().memory);
    let tree = tried.bench.tree();
    let subject = Subject { sql: Some((&sql, &tried.manifest)), ..Subject::new(&tree, &tried.changes, &[]) };
    let verdict = verify(&tried.bench.sandbox(&config()), &subject).unwrap();
    assert_eq!(verdict.kind, VerdictKind::NoData);
    assert!(verdict.reason.contains("gander verify --prepare"), "{}", verdict.reason);
}
