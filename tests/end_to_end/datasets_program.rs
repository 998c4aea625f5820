//! Datasets through the program: the corpus of `fixtures/datasets` as consumers of a
//! migration that has mapping tables and no rule.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bench::{Bench, copy};
use super::datasets_corpus::{Case, cases, corpus};
use super::datasets_engine::JUDGED;

/// A migration of all datasets of the corpus; `rest` is TOML.
fn migration(id: &str, rest: &str) -> String {
    let dialects: String = ["ansi", "snowflake", "duckdb", "spark"]
        .map(|dialect| format!("[[datasets.dialects]]\nfiles = [\"{dialect}/**\"]\ndialect = \"{dialect}\"\n"))
        .concat();
    format!(
        "[migration]\nid = \"{id}\"\ntitle = \"Three datasets move\"\n\
         [datasets]\nmappings = [\"mapping/users.toml\", \"mapping/orders.toml\", \"mapping/clicks.toml\"]\n\
         schemas = \"schemas.toml\"\n{dialects}{rest}"
    )
}

const FLEET: &str = "[[consumers.from]]\nfolders = [\"apps/*\"]\n[transform]\npartial = \"deliver\"\n\
                     [deliver]\nhow = \"checkout\"\n[policy]\nunverified = \"deliver\"\n[rollout]\nwaves = [\"100%\"]\n";

/// Files that stand alone, and where each lies: a consumer for each framework, a folder
/// for each dialect.
fn placed() -> Vec<(String, Case)> {
    let judged = |case: &Case| JUDGED.iter().any(|(framework, _)| *framework == case.labels.framework);
    // A project of dbt is more than its files.
    let alone = cases().into_iter().filter(|case| judged(case) && case.labels.framework != "dbt");
    let place = |case: &Case| {
        let (framework, name) = case.path.split_once('/').unwrap();
        format!("apps/{framework}/{}/{name}", case.labels.dialect.as_deref().unwrap_or("bigquery"))
    };
    alone.map(|case| (place(&case), case)).collect()
}

fn bench(id: &str) -> Bench {
    let bench = Bench::new();
    copy(&corpus().join("mapping"), &bench.root.join("mapping"));
    bench.put("schemas.toml", std::fs::read(corpus().join("schemas.toml")).unwrap());
    bench.put("migration.toml", migration(id, FLEET));
    bench
}

/// Without the comments of annotations.
fn uncommented(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.contains("gander[dataset/")).collect()
}

/// Findings of a plan that are uses of datasets: for each file, the words of their kinds.
fn uses(plan: &Value) -> BTreeMap<String, Vec<String>> {
    let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for workspace in plan["workspaces"].as_array().unwrap() {
        for finding in workspace["findings"].as_array().unwrap().iter().filter(|f| f["subject"].is_object()) {
            let path = format!("{}/{}", workspace["id"].as_str().unwrap(), finding["path"].as_str().unwrap());
            uses.entry(path).or_default().push(finding["kind"].as_str().unwrap().to_owned());
        }
    }
    uses
}

#[test]
fn a_run_leaves_every_file_as_its_labels_say_and_a_second_one_changes_nothing() {
    let bench = bench("first");
    let placed = placed();
    placed.iter().for_each(|(path, case)| bench.put(path, &case.source));
    let plan = bench.gander(&["plan", "--json"]).expect(0).json();
    let told = uses(&plan);
    // No step applies, so that no wave yields evidence.
    bench.gander(&["run"]).expect(7);
    let (mut moved, mut stayed) = (0, 0);
    for (path, case) in &placed {
        let became = bench.text(path);
        let speaks = told.keys().any(|file| path.ends_with(file.as_str()) || file.ends_with(path.as_str()));
        match &case.after {
            Some(after) if uncommented(&became) != case.source => {
                // Where another text is right, too, the file may be another as well.
                let one_way = case.labels.uses.iter().all(|one| one.also.is_empty());
                let (became, after) = (became.replace(" AS ", " as "), after.replace(" AS ", " as "));
                assert!(became == after || !one_way, "{path}: {became}\nis not\n{after}");
                assert!(speaks, "{path} is changed and no use in it is told");
                moved += 1;
            }
            // Every use that moves is one of a unit that does: the corpus of the engine judges which.
            _ => stayed += usize::from(uncommented(&became) == case.source),
        }
    }
    assert!(moved >= 120 && stayed >= 100, "{moved} moved as a whole, {stayed} stayed as a whole");

    let again = self::bench("second");
    copy(&bench.root.join("apps"), &again.root.join("apps"));
    let plan = again.gander(&["plan", "--json"]).expect(0).json();
    for workspace in plan["workspaces"].as_array().unwrap() {
        assert_eq!(workspace["files"].as_array().unwrap().len(), 0, "{workspace}");
    }
    assert!(uses(&plan).values().flatten().all(|kind| kind != "mapped"), "{plan}");
}

#[test]
fn a_unit_that_stays_has_one_comment_that_a_second_run_knows() {
    let bench = bench("notes");
    let query = "select u.country_code, u.referrer\nfrom `acme-data.analytics.users_v1` as u;\n\nselect 1;\n";
    bench.put("apps/one/a.sql", query);
    bench
        .put("apps/one/b.yaml", "jobs:\n  # nightly\n  - source: acme-data.analytics.users_v1\n    text: |\n      x\n");
    bench.put("apps/one/c.json", "{\"source\": \"acme-data.analytics.users_v1\"}\n");
    bench.put(
        "apps/one/d.py",
        "def f(c):\n    return c.query(\n        \"\"\"select * from analytics.users_v1\"\"\")\n",
    );
    bench.gander(&["run"]).expect(7);
    let guide = "(https://handbook.example.com/data/users-v2)";
    let why = "referrer: users_v2 splits it into referrer_domain and referrer_campaign: decide which is meant";
    assert_eq!(bench.text("apps/one/a.sql"), format!("-- gander[dataset/users]: {why} {guide}\n{query}"));
    let valued = "the dataset is named as a value: what is read through it is not shown here";
    assert_eq!(
        bench.text("apps/one/b.yaml"),
        format!(
            "jobs:\n  # gander[dataset/users]: {valued} {guide}\n  # nightly\n  \
             - source: acme-data.analytics.users_v1\n    text: |\n      x\n"
        )
    );
    assert_eq!(bench.text("apps/one/c.json"), "{\"source\": \"acme-data.analytics.users_v1\"}\n");
    let python = bench.text("apps/one/d.py");
    assert!(python.starts_with("def f(c):\n    # gander[dataset/users]: "), "{python}");
    assert_eq!(uncommented(&python).matches("users_v1").count(), 1);
    let shown = bench.gander(&["show", "one", "--json"]).expect(0).stdout;
    for subject in ["users.country_code", "users.referrer", "\"users\""] {
        assert!(shown.contains(subject), "{subject} is told: {shown}");
    }
}

#[test]
fn code_that_cannot_be_read_and_names_a_dataset_refuses_the_change_set() {
    let bench = bench("unread");
    bench.put("apps/sql/a.sql", "select country_code from analytics.users_v1;\n");
    bench.put("apps/sql/b.sql", "select (((country_code frm from analytics.users_v1 where;\n");
    bench.put("apps/python/a.py", "q = 'select country_code from analytics.users_v1'\ndef f(:\n    users_v1 = = 3\n");
    bench.put("apps/fine/a.py", "def f(:\n    users_v12 = = 3\n");
    let plan = bench.gander(&["plan", "--json"]).expect(0).json();
    let result = |id: &str| {
        let workspaces = plan["workspaces"].as_array().unwrap();
        let one = workspaces.iter().find(|w| w["id"].as_str().unwrap().ends_with(id)).unwrap();
        (one["result"]["kind"].as_str().unwrap().to_owned(), one["files"].as_array().unwrap().len())
    };
    // `partial = "deliver"`: the readable file goes on its own.
    assert_eq!(result("sql"), ("annotated".to_owned(), 1));
    assert_eq!(result("python"), ("refused".to_owned(), 0));
    assert_eq!(result("fine"), ("unchanged".to_owned(), 0));
}

#[test]
fn a_wrong_mapping_table_is_an_error_at_its_line() {
    let bench = bench("wrong");
    bench.put("apps/one/a.sql", "select 1");
    let with = |extra: &str| {
        let users = std::fs::read_to_string(corpus().join("mapping/users.toml")).unwrap();
        bench.put("mapping/users.toml", format!("{users}{extra}"));
        let ended = bench.gander(&["plan"]).expect(2);
        (ended.stderr, users.lines().count())
    };
    for (extra, line, told) in [
        ("\n[columns.nick]\nto = \"country\"\n", 2, "country"),
        ("\n[columns.nick]\nbecomes = \"x\"\n", 3, "becomes"),
        ("\n[columns.nick]\nto = 3\n", 3, "to"),
    ] {
        let (stderr, lines) = with(extra);
        assert!(stderr.contains(&format!("users.toml:{}", lines + line)), "{stderr}");
        assert!(stderr.contains(told) && stderr.contains("help"), "{stderr}");
    }
    bench.put("mapping/users.toml", std::fs::read(corpus().join("mapping/orders.toml")).unwrap());
    let twice = bench.gander(&["plan"]).expect(2).stderr;
    assert!(twice.contains("a dataset called \"orders\" is in") && twice.contains("already"), "{twice}");
    let said = migration("wrong", FLEET).replace("\"spark\"", "\"sparc\"");
    bench.put("migration.toml", said);
    let dialect = bench.gander(&["plan"]).expect(2).stderr;
    assert!(dialect.contains("did you mean \"spark\"?"), "{dialect}");
}

#[test]
fn what_is_left_of_the_old_names_is_told_in_every_kind_of_file() {
    let bench = bench("left");
    bench.put(
        "apps/one/a.sql",
        "-- users_v1 was late\nselect country_code as c from analytics.users_v1 -- in users_v12\n",
    );
    bench.put("apps/one/README.md", "We read users_v1.\n");
    bench.put("apps/one/main.tf", "dataset_id = \"analytics\"\ntable_id = \"users_v1\"\n");
    bench.put("apps/one/latin.sql", b"select country_code -- \xe9\nfrom analytics.users_v1\n");
    bench.put("apps/one/job.sh", "bq query 'select country_code from analytics.users_v1'\n");
    bench.put("apps/one/client.rs", "fn users_v1() {}\n");
    bench.put("apps/one/vendor/x.sql", "select country_code from analytics.users_v1\n");
    bench.put("apps/one/data.bin", b"analytics.users_v1\0");
    bench.put("apps/one/free.txt", "nothing of it\n");
    let plan = bench.gander(&["plan", "--json"]).expect(0).json();
    let findings = plan["workspaces"][0]["findings"].as_array().unwrap();
    let told: Vec<String> = findings
        .iter()
        .map(|f| {
            let text = |key: &str| f[key].as_str().unwrap();
            format!("{}:{} {}: {}", text("path"), f["line"], text("kind"), text("message"))
        })
        .collect();
    let expected = [
        "README.md:1 skipped: the old name, left as it is: in a text that is not code",
        "a.sql:1 skipped: the old name, left as it is: in a comment",
        "a.sql:2 mapped: ",
        "a.sql:2 mapped: ",
        "client.rs:1 skipped: the old name, left as it is: a name of the code's own",
        "data.bin:0 skipped: names what the rules look for, but is left alone: binary",
        "job.sh:1 annotated: moves only together with what stands at 1:36",
        "job.sh:1 annotated: shell scripts are searched, not edited",
        "latin.sql:0 annotated: may name a dataset that moves, and is left alone: not UTF-8",
        "main.tf:2 annotated: this kind of file is searched, not edited",
        "vendor/x.sql:0 skipped: names what the rules look for, but is left alone: vendored",
    ];
    assert_eq!(told, expected, "{told:#?}");
}

#[test]
fn a_project_of_dbt_moves_through_all_its_files_or_not_at_all() {
    let bench = bench("dbt");
    copy(&corpus().join("dbt"), &bench.root.join("apps"));
    let labelled: Vec<Case> = cases().into_iter().filter(|case| case.labels.framework == "dbt").collect();
    let beside = |path: &str| path.ends_with(".labels.toml") || path.ends_with(".after");
    let mut all = Vec::new();
    super::datasets_corpus::files(&bench.root.join("apps"), &mut all);
    all.iter().filter(|path| beside(path.to_str().unwrap())).for_each(|path| std::fs::remove_file(path).unwrap());
    for project in std::fs::read_dir(bench.root.join("apps")).unwrap() {
        std::fs::write(project.unwrap().path().join("dbt_project.yml"), "name: p\n").unwrap();
    }
    // The same model where no project is: what declares its source is not known.
    let alone = "select country_code from {{ source('analytics', 'users_v1') }}\n";
    bench.put("apps/alone/models/a.sql", alone);
    bench.gander(&["run"]);
    assert_eq!(uncommented(&bench.text("apps/alone/models/a.sql")), alone);
    let (mut moved, mut stayed) = (0, 0);
    for case in &labelled {
        let path = format!("apps/{}", case.path.strip_prefix("dbt/").unwrap());
        let became = bench.text(&path);
        match &case.after {
            Some(after) if uncommented(&became) != case.source => {
                let one_way = case.labels.uses.iter().all(|one| one.also.is_empty());
                assert!(became == *after || !one_way, "{path}: {became}\nis not\n{after}");
                moved += 1;
            }
            _ => {
                assert_eq!(uncommented(&became), case.source, "{path} has no `.after`, and is changed");
                stayed += 1;
            }
        }
    }
    assert!(moved >= 18 && stayed >= 25, "{moved} moved as a whole, {stayed} stayed as a whole");

    let again = self::bench("again");
    copy(&bench.root.join("apps"), &again.root.join("apps"));
    let plan = again.gander(&["plan", "--json"]).expect(0).json();
    for workspace in plan["workspaces"].as_array().unwrap() {
        assert_eq!(workspace["files"].as_array().unwrap().len(), 0, "{workspace}");
    }
}

#[test]
fn what_nobody_has_read_keeps_what_rests_on_it() {
    let bench = bench("net");
    let python = [
        "sql = 'select user_id from analytics.users_v1 where 1=1'\nif cc:\n    sql += f\" and country_code = '{cc}'\"\n",
        "BASE = 'select user_id from analytics.users_v1'\nq = f\"{BASE} where country_code = 'DE'\"\n",
        "parts = ['select user_id from analytics.users_v1']\nconds = ['country_code = @cc']\n",
        "q = '#standardSQL\\nselect country_code from analytics.users_v1'\n",
        "m = f\"rows: {run('select country_code from analytics.users_v1')}\"\n",
        "os.system(\"bq query 'select country_code from analytics.users_v1'\")\n",
    ];
    for (number, text) in python.iter().enumerate() {
        bench.put(&format!("apps/py{number}/a.py"), text);
    }
    bench.put("apps/sql/a.sql", "select country_code from `{{ params.project }}.analytics.users_v1`\n");
    bench.put("apps/ci/ci.yaml", "run: bq extract acme-data:analytics.users_v1 x\n");
    let source = "{{ source('analytics', 'users_v1') }}";
    bench.put("apps/dbt/dbt_project.yml", "name: p\n");
    bench.put("apps/dbt/macros/m.sql", format!("{{% macro users() %}}{source}{{% endmacro %}}\n"));
    bench.put("apps/dbt/models/m.sql", "select country_code from {{ users() }}\n");
    bench.put("apps/dbt/models/n.sql", format!("select country_code from {source}\n"));
    bench.put("apps/dbt/models/s.yml", "sources:\n  - name: analytics\n    tables:\n      - name: users_v1\n");
    // Another project's table, a name in prose and a reader of the result rest on nothing.
    bench.put(
        "apps/free/a.py",
        "a = 'other-data.analytics.users_v1'\nq = 'select country_code from analytics.users_v1'\n\
               v = row['country_code']\nlog('where is the country?')\n",
    );
    let plan = bench.gander(&["plan", "--json"]).expect(0).json();
    for workspace in plan["workspaces"].as_array().unwrap() {
        let id = workspace["id"].as_str().unwrap();
        let kinds: Vec<&str> =
            workspace["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
        if id == "apps/free" {
            assert_eq!(workspace["result"]["kind"], "changed", "{workspace}");
            continue;
        }
        assert_eq!(workspace["result"]["kind"], "annotated", "{workspace}");
        assert!(!kinds.contains(&"mapped"), "{id}: {workspace}");
    }
}
