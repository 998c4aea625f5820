//! `gander uses`, `todo`, `check` and `mapping`: what people and CI ask of datasets.

use serde_json::Value;

use super::bench::Bench;
use super::datasets_corpus::corpus;

/// Two consumers of two owners, of the datasets of the corpus.
fn bench() -> Bench {
    let bench = Bench::new();
    for table in ["users", "orders"] {
        let name = format!("mapping/{table}.toml");
        bench.put(&name, std::fs::read(corpus().join(&name)).unwrap());
    }
    bench.put(
        "migration.toml",
        "[migration]\nid = \"users-v2\"\ntitle = \"users_v1 becomes users_v2\"\nguide = \"https://guide.example\"\n\
         [datasets]\nmappings = [\"mapping/users.toml\", \"mapping/orders.toml\"]\n\
         [consumers]\nof = [\"resource:users_v1\"]\n[[consumers.from]]\ncatalog = \"apps\"\n\
         [policy]\nunverified = \"deliver\"\n[deliver]\nhow = \"checkout\"\n",
    );
    for (name, owner) in [("reports", "data-eng"), ("crm", "sales")] {
        bench.put(
            &format!("apps/{name}/catalog-info.yaml"),
            format!(
                "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n  annotations:\n    \
                 backstage.io/source-location: \"dir:./\"\nspec:\n  type: service\n  lifecycle: production\n  \
                 owner: {owner}\n  dependsOn: [\"resource:users_v1\"]\n"
            ),
        );
    }
    bench.put("apps/reports/a.sql", "select country_code, referrer from analytics.users_v1;\n");
    bench.put("apps/reports/b.sql", "select user_id as u from analytics.users_v1 where country_code = 'DE';\n");
    bench.put("apps/crm/job.py", "q = \"select a.postcode as z from analytics.users_v1, unnest([address]) as a\"\n");
    bench.put("apps/crm/c.sql", "select email as e from analytics.users_v1;\n");
    bench
}

#[test]
fn uses_are_listed_by_subject_and_owner() {
    let bench = bench();
    let of = |arguments: &[&str]| {
        let all: Vec<&str> = ["uses", "--json"].iter().chain(arguments).copied().collect();
        let lines = bench.gander(&all).expect(0).stdout;
        let value = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let told = |one: Value| {
            let place = format!("{}/{}:{}:{}", text(&one, "workspace"), text(&one, "path"), one["line"], one["column"]);
            format!("{place} {} {} {}", text(&one, "subject"), text(&one, "position"), text(&one, "becomes"))
        };
        lines.lines().map(|line| told(value(line))).collect::<Vec<String>>()
    };
    assert_eq!(
        of(&["users.country_code"]),
        [
            "apps/reports/a.sql:1:8 users.country_code read annotated",
            "apps/reports/b.sql:1:51 users.country_code filter mapped"
        ]
    );
    let sales = of(&["users", "--owner", "sales"]);
    assert!(sales.iter().all(|line| line.starts_with("apps/crm/")) && sales.len() >= 4, "{sales:?}");
    assert!(sales.contains(&"apps/crm/c.sql:1:8 users.email read refused".to_owned()), "{sales:?}");
    assert_eq!(of(&["users", "--owner", "group:default/data-eng"]).len() + sales.len(), of(&[]).len());
    bench.gander(&["uses", "orders"]).expect(1);
    let unknown = bench.gander(&["uses", "users.countrycode"]).expect(2).stderr;
    assert!(unknown.contains("did you mean users.country_code?"), "{unknown}");
    let text = bench.gander(&["uses", "users.country_code"]).expect(0).stdout;
    assert!(text.ends_with("2 uses: 1 mapped, 1 annotated, 0 refused\n"), "{text}");
}

#[test]
fn what_is_left_is_listed_after_a_run() {
    let bench = bench();
    bench.gander(&["run"]);
    let all = bench.gander(&["todo"]).expect(0).stdout;
    assert_eq!(
        all,
        "group:default/data-eng\n  component:default/reports  annotated\n    a.sql:1:22: referrer: users_v2 splits it \
         into referrer_domain and referrer_campaign: decide which is meant\n      and with it users.country_code 1:8, \
         users 1:46\ngroup:default/sales\n  component:default/crm  refused\n    c.sql:1:8: email: addresses moved to \
         the restricted dataset: ask #data-platform for access\n      and with it users 1:34\n    job.py:1:62: users.address: the whole struct goes on, and one of its fields is renamed\n      and with it users 1:44\n7 places in 2 consumers\n\
         https://guide.example\n",
        "{all}"
    );
    let sales = bench.gander(&["todo", "--owner", "sales", "--json"]).expect(0).json();
    assert_eq!(sales.as_array().unwrap().len(), 1);
    assert_eq!(sales[0]["findings"].as_array().unwrap().len(), 4);
}

#[test]
fn a_new_use_fails_the_check() {
    let bench = bench();
    bench.commit_all();
    let check = |extra: &[&str]| {
        let all: Vec<&str> =
            ["check", "migration.toml", "apps/reports", "--json"].iter().chain(extra).copied().collect();
        bench.gander(&all)
    };
    assert_eq!(check(&[]).expect(1).stdout.lines().count(), 6);
    check(&["--since", "HEAD"]).expect(0);
    // A line that only moved is no new use; one that is there twice is.
    let b = bench.text("apps/reports/b.sql");
    bench.put("apps/reports/b.sql", format!("select 1;\n\n{b}"));
    check(&["--since", "HEAD"]).expect(0);
    bench.put("apps/reports/b.sql", format!("{b}{b}"));
    let twice = check(&["--since", "HEAD"]).expect(1).stdout;
    assert_eq!(twice.lines().count(), 3, "{twice}");
    assert!(twice.lines().all(|line| line.contains("\"line\":2")), "{twice}");
    bench.put("apps/reports/b.sql", "select 1;\n");
    // What a comment of gander speaks of is known.
    let a = bench.text("apps/reports/a.sql");
    bench.put("apps/reports/a.sql", format!("-- gander[dataset/users]: known\n{a}"));
    check(&[]).expect(0);
    bench.put("apps/reports/ü 1.sql", "select email from analytics.users_v1;\n");
    let sarif = bench.gander(&["check", "migration.toml", "apps/reports", "--sarif"]).expect(1).json();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "%C3%BC%201.sql");
    assert_eq!(place["region"]["startColumn"], 8);
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][0]["helpUri"], "https://guide.example");
    let missing = check(&["--since", "nobody/knows"]).expect(5).stderr;
    assert!(missing.contains("nobody/knows names no commit"), "{missing}");
}

#[test]
fn a_table_is_derived_from_two_schemas_and_what_they_leave_open_is_marked() {
    let bench = bench();
    bench.put(
        "old.json",
        r#"{"tableReference": {"projectId": "acme-data", "datasetId": "analytics", "tableId": "people_v1"},
            "schema": {"fields": [
              {"name": "id", "type": "INTEGER"}, {"name": "signupTs", "type": "TIMESTAMP"},
              {"name": "age", "type": "STRING"}, {"name": "tags", "type": "STRING", "mode": "REPEATED"},
              {"name": "odd name", "type": "STRING"},
              {"name": "home", "type": "RECORD", "fields": [{"name": "zip", "type": "STRING"}]},
              {"name": "work", "type": "RECORD", "fields": [{"name": "zip", "type": "STRING"}]}]}}"#,
    );
    bench.put(
        "new.json",
        r#"{"tableReference": {"projectId": "acme-data", "datasetId": "analytics", "tableId": "people_v2"},
            "schema": {"fields": [
              {"name": "id", "type": "INT64"}, {"name": "signup_ts", "type": "TIMESTAMP"},
              {"name": "age", "type": "INT64"}, {"name": "tags", "type": "STRING", "mode": "REPEATED"},
              {"name": "odd name", "type": "STRING"},
              {"name": "home", "type": "STRUCT", "fields": [{"name": "zip", "type": "STRING"}]},
              {"name": "work", "type": "STRUCT", "fields": [{"name": "post", "type": "STRING"}]}]}}"#,
    );
    let derived = bench.gander(&["mapping", "old.json", "new.json"]).expect(0);
    assert!(derived.stderr.contains("3 columns decided, 4 for a person"), "{}", derived.stderr);
    bench.put("mapping/users.toml", &derived.stdout);
    bench.put(
        "apps/crm/people.sql",
        "select id as a, age as b from analytics.people_v1;\nselect id as c, home.zip as d from analytics.people_v1;\n",
    );
    let uses = bench.gander(&["uses", "people_v1"]).expect(0).stdout;
    assert!(uses.contains("age was STRING, and is INT64"), "{uses}");
    assert!(uses.contains("people.sql:2:8") && uses.ends_with("4 mapped, 3 annotated, 0 refused\n"), "{uses}");
    for told in [
        "annotate = \"the new table has no column of this name; signup_ts is spelled alike\"",
        "annotate = \"zip: the new table has no column of this name\"",
        "# \"odd name\": a mapping table can't hold this name",
        "fields = { zip = \"zip\" }",
    ] {
        assert!(derived.stdout.contains(told), "{told}: {}", derived.stdout);
    }

    let avro = |name: &str, fields: &str| {
        format!(r#"{{"type": "record", "namespace": "com.acme", "name": "{name}", "fields": [{fields}]}}"#)
    };
    bench.put(
        "old.avsc",
        avro("UserV1", r#"{"name": "cc", "type": ["null", "string"]}, {"name": "at", "type": "long"}"#),
    );
    let at = r#"{"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}}"#;
    bench.put(
        "new.avsc",
        avro("UserV2", &format!(r#"{{"name": "country", "type": "string", "aliases": ["cc"]}}, {at}"#)),
    );
    let avro = bench.gander(&["mapping", "old.avsc", "new.avsc", "--name", "users"]).expect(0).stdout;
    assert!(avro.contains("type = { old = \"com.acme.UserV1\", new = \"com.acme.UserV2\" }"), "{avro}");
    assert!(avro.contains("cc = \"country\"") && avro.contains("at was INT64, and is TIMESTAMP"), "{avro}");

    bench.put("old.yml", "models:\n- name: dim_a\n  columns:\n  - name: x\n    data_type: int64\n- name: dim_b\n");
    bench.put("new.yml", "models:\n- name: dim_c\n  columns:\n  - name: x\n    data_type: INT64\n");
    let which = bench.gander(&["mapping", "old.yml", "new.yml"]).expect(2).stderr;
    assert!(which.contains("say which is meant: dim_a, dim_b"), "{which}");
    let dbt = bench.gander(&["mapping", "old.yml", "new.yml", "--old-model", "dim_a"]).expect(0).stdout;
    assert!(dbt.contains("dbt-ref = { old = \"dim_a\", new = \"dim_c\" }") && dbt.contains("x = \"x\""), "{dbt}");
    for (name, text) in [("bad.json", "{"), ("bad.json", "{\"a\": 1}"), ("bad.yml", "models: 3"), ("bad.json", "[{}]")]
    {
        bench.put(name, text);
        let bad = bench.gander(&["mapping", name, "new.json"]).expect(2).stderr;
        assert!(bad.starts_with(&format!("error: {name}: ")), "{bad}");
    }
}
