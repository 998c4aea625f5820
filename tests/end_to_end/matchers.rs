//! `column("…")` and `dataset("…")` in rules, in every framework, through the program.

use serde_json::Value;

use super::bench::Bench;

const USERS: &str = "[dataset]\nname = \"users\"\n[names]\ntable = { old = \"a.users_v1\", new = \"a.users_v2\" }\n\
    dbt-source = { old = \"a.users_v1\", new = \"a.users_v2\" }\ntype = { old = \"com.acme.UserV1\", new = \"com.acme.UserV2\" }\n\
    [columns]\nid = \"id\"\ncountry_code = \"country\"\nreferrer = \"referrer\"\n";

const RULES: &str = r#"
const ALL = ["sql", "python", "scala", "java", "typescript", "yaml"];
rule("users/country").lang(ALL).find(column("users.country_code")).if_unknown("annotate")
    .rewrite(|m, cx| if m.node.is_literal { lit_like(m.node, "country") } else { code("country") });
rule("users/table").lang(ALL).find(dataset("users")).if_unknown("annotate")
    .rewrite(|m, cx| {
        let name = if m.node.is_literal { m.node.value } else { m.node.text };
        name.replace("users_v1", "users_v2");
        if m.node.is_literal { lit_like(m.node, name) } else { code(name) }
    });
"#;

fn bench(datasets: &str, rules: &str) -> Bench {
    let bench = Bench::new();
    let migration = format!(
        "[migration]\nid = \"m\"\ntitle = \"users move\"\nrules = [\"r.rhai\"]\n[datasets]\n{datasets}\
         [[consumers.from]]\nfolders = [\"apps/*\"]\n[transform]\npartial = \"deliver\"\n[deliver]\nhow = \"checkout\"\n\
         [policy]\nunverified = \"deliver\"\n[rollout]\nwaves = [\"100%\"]\n"
    );
    bench.put("migration.toml", migration);
    bench.put("users.toml", USERS);
    bench.put("r.rhai", rules);
    bench
}

/// A file of each framework, before and after; every other name of the same spelling stays.
const FILES: &[(&str, &str, &str)] = &[
    (
        "sql/q.sql",
        "with s as (select * from `a.users_v1`)\nselect s.country_code as c, o.country_code as d\nfrom s join b.orders o on o.id = s.id\n",
        "with s as (select * from `a.users_v2`)\nselect s.country as c, o.country_code as d\nfrom s join b.orders o on o.id = s.id\n",
    ),
    (
        "strings/job.py",
        "def f(run, since):\n    country_code = 1\n    return run(f\"select u.country_code as c from a.users_v1 u where u.id > {since}\")\n",
        "def f(run, since):\n    country_code = 1\n    return run(f\"select u.country as c from a.users_v2 u where u.id > {since}\")\n",
    ),
    (
        "java/Report.java",
        "class Report {\n  String q = \"select country_code as c \" +\n      \"from a.users_v1\";\n  String country_code = \"country_code\";\n}\n",
        "class Report {\n  String q = \"select country as c \" +\n      \"from a.users_v2\";\n  String country_code = \"country_code\";\n}\n",
    ),
    (
        "spark/job.py",
        "from pyspark.sql import functions as F\n\n\ndef job(spark):\n    users = spark.read.table(\"a.users_v1\")\n    orders = spark.read.table(\"b.orders\")\n    orders.select(\"country_code\").show()\n    return users.filter(F.col(\"country_code\") == \"DE\").select(users.id)\n",
        "from pyspark.sql import functions as F\n\n\ndef job(spark):\n    users = spark.read.table(\"a.users_v2\")\n    orders = spark.read.table(\"b.orders\")\n    orders.select(\"country_code\").show()\n    return users.filter(F.col(\"country\") == \"DE\").select(users.id)\n",
    ),
    (
        "pandas/load.py",
        "import pandas as pd\n\n\ndef load():\n    df = pd.read_gbq(\"a.users_v1\")\n    other = pd.read_csv(\"x.csv\")\n    print(other[\"country_code\"])\n    return df[df[\"country_code\"] == \"DE\"].id.count()\n",
        "import pandas as pd\n\n\ndef load():\n    df = pd.read_gbq(\"a.users_v2\")\n    other = pd.read_csv(\"x.csv\")\n    print(other[\"country_code\"])\n    return df[df[\"country\"] == \"DE\"].id.count()\n",
    ),
    (
        "scio/Job.scala",
        "import com.spotify.scio.bigquery._\n\nobject Job {\n  def run(sc: com.spotify.scio.ScioContext) = {\n    val users = sc.bigQueryTable(Table.Spec(\"a.users_v1\"))\n    users.filter(r => r.get(\"country_code\") == \"DE\").count\n  }\n}\n",
        "import com.spotify.scio.bigquery._\n\nobject Job {\n  def run(sc: com.spotify.scio.ScioContext) = {\n    val users = sc.bigQueryTable(Table.Spec(\"a.users_v2\"))\n    users.filter(r => r.get(\"country\") == \"DE\").count\n  }\n}\n",
    ),
    (
        "beam/Read.java",
        "import org.apache.beam.sdk.Pipeline;\nimport org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO;\n\nfinal class Read {\n  static void build(Pipeline p, String country_code) {\n    p.apply(BigQueryIO.readTableRows().from(\"a.users_v1\"))\n        .apply(MapElements.into(TypeDescriptors.strings()).via(row -> (String) row.get(\"country_code\")));\n  }\n}\n",
        "import org.apache.beam.sdk.Pipeline;\nimport org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO;\n\nfinal class Read {\n  static void build(Pipeline p, String country_code) {\n    p.apply(BigQueryIO.readTableRows().from(\"a.users_v2\"))\n        .apply(MapElements.into(TypeDescriptors.strings()).via(row -> (String) row.get(\"country\")));\n  }\n}\n",
    ),
    (
        "rows/rows.ts",
        "export async function lines(bq: BigQuery, other: any) {\n  const [rows] = await bq.dataset(\"a\").table(\"users_v1\").getRows();\n  return rows.map((row) => [row.id, row.country_code, row[\"country_code\"], other.country_code]);\n}\n",
        "export async function lines(bq: BigQuery, other: any) {\n  const [rows] = await bq.dataset(\"a\").table(\"users_v2\").getRows();\n  return rows.map((row) => [row.id, row.country, row[\"country\"], other.country_code]);\n}\n",
    ),
    (
        "web/users.ts",
        "export async function countries(db: any) {\n  const [rows] = await db.query(`select country_code as c from a.users_v1 where id > ${1}`);\n  return rows.map((row: any) => row.c);\n}\n",
        "export async function countries(db: any) {\n  const [rows] = await db.query(`select country as c from a.users_v2 where id > ${1}`);\n  return rows.map((row: any) => row.c);\n}\n",
    ),
];

#[test]
fn a_rule_finds_every_use_of_a_column_in_every_framework() {
    let bench = bench("by_rules = [\"users.toml\"]\n", RULES);
    for (path, before, _) in FILES {
        bench.put(&format!("apps/{path}"), before);
    }
    // A project of dbt says elsewhere what its source is; its model need not name the table.
    bench.put("apps/dbt/dbt_project.yml", "name: shop\n");
    bench.put(
        "apps/dbt/models/sources.yml",
        "sources:\n  - name: a\n    tables:\n      - name: people\n        identifier: users_v1\n        columns:\n          - name: country_code\n",
    );
    bench.put(
        "apps/dbt/models/m.sql",
        "select u.country_code as c, o.country_code from {{ source('a', 'people') }} u, b.orders o\n",
    );
    bench.gander(&["run"]).expect(7);
    for (path, _, after) in FILES {
        assert_eq!(&bench.text(&format!("apps/{path}")), after, "{path}");
    }
    let model = bench.text("apps/dbt/models/m.sql");
    assert_eq!(model, "select u.country as c, o.country_code from {{ source('a', 'people') }} u, b.orders o\n");
    let yaml = bench.text("apps/dbt/models/sources.yml");
    assert!(yaml.contains("identifier: users_v2") && yaml.contains("- name: country\n"), "{yaml}");
    // Nothing is left to do, and nothing is said of the dataset by itself.
    let again = bench.gander(&["plan", "--json"]).expect(0).json();
    assert!(!again.to_string().contains("dataset/users"), "{again:#}");
}

fn findings(plan: &Value) -> Vec<(String, String, u64)> {
    let all = plan["workspaces"].as_array().unwrap().iter().flat_map(|one| one["findings"].as_array().unwrap());
    let mut found: Vec<_> = all
        .filter(|one| one["rule"].as_str().unwrap().starts_with("r/"))
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            (text("rule"), text("kind"), one["line"].as_u64().unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn it_is_composed_with_what_is_around_and_what_is_unknown_is_told() {
    let rules = r#"
rule("r/where").lang("sql").find(column("users.country_code", "filter")).annotate("in a filter");
rule("r/has").lang("sql").find(kind("on_clause")).has(column("users.id")).annotate("joined by id");
rule("r/inside").lang("python").find(column("users.country_code")).inside("def old($$$): $$$").annotate("in old code");
rule("r/hole").lang("python").find("$F.col($C)").where(#{ C: column("users.country_code") })
    .when(|m| m.F.text == "F").annotate("compared");
rule("r/near/inside").lang("python").find(all([column("users.country_code"), inside("def old($$$): $$$")])).annotate("in");
rule("r/near/outside").lang("python").find(all([column("users.country_code"), outside("def old($$$): $$$")])).annotate("out");
rule("r/near/not").lang("python").find(all([column("users.country_code"), not(inside("def old($$$): $$$"))])).annotate("not");
rule("r/near/hole").lang("python").find(column("users.id").compared_with("$V")).where(#{ V: inside("def old($$$): $$$") })
    .annotate("compared");
rule("r/unknown").lang("python").find(dataset("users")).if_unknown("refuse").annotate("a reader");
"#;
    let bench = bench("by_rules = [\"users.toml\"]\n", rules);
    bench.put(
        "apps/sql/q.sql",
        "select u.country_code as c from a.users_v1 u\njoin b.o o on o.id = u.id\nwhere u.country_code = 'DE'\n",
    );
    bench.put(
        "apps/python/job.py",
        "def new(run):\n    return run('select country_code as c from a.users_v1 where id = 1')\n\n\n\
         def old(run):\n    return run('select country_code as c from a.users_v1 where id = 1')\n",
    );
    bench.put("apps/unknown/job.py", "TABLE = 'a.users_v1'\n\n\ndef job(read):\n    return read(TABLE)\n");
    bench.put(
        "apps/hole/job.py",
        "from pyspark.sql import functions as F\n\n\ndef job(spark):\n    users = spark.read.table('a.users_v1')\n    \
         orders = spark.read.table('b.orders')\n    orders.filter(F.col('country_code') == 'x').count()\n    \
         return users.filter(F.col('country_code') == 'DE').count()\n",
    );
    let found = findings(&bench.gander(&["plan", "--json"]).expect(0).json());
    let named = |rule: &str, kind: &str, line| (rule.to_owned(), kind.to_owned(), line);
    for expected in [
        named("r/where", "annotated", 3),
        named("r/has", "annotated", 2),
        named("r/inside", "annotated", 6),
        named("r/hole", "annotated", 8),
        named("r/unknown", "annotated", 2),
        named("r/unknown", "refused", 1),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:#?}");
    }
    let alone = ["r/inside", "r/where", "r/hole"];
    assert_eq!(found.iter().filter(|one| alone.contains(&one.0.as_str())).count(), 3, "{found:#?}");
    // As matchers as well; `hole/job.py` has one on line 8.
    let near: Vec<_> = found.iter().filter_map(|one| Some((one.0.strip_prefix("r/near/")?, one.2))).collect();
    assert_eq!(near, [("hole", 6), ("inside", 6), ("not", 2), ("not", 8), ("outside", 2), ("outside", 8)]);
}

#[test]
fn a_name_that_no_table_lists_is_a_mistake_in_the_rule() {
    for (rule, why) in [
        ("column(\"users.contry_code\")", "is `users.country_code` meant?"),
        ("column(\"orders.id\")", "no dataset is called `orders`; there are: users"),
        ("column(\"users\")", "is a dataset"),
        ("dataset(\"users.id\")", "is a column"),
        ("column(\"users.id\", \"select\")", "a position is one of"),
    ] {
        let rules = format!("rule(\"r/a\").lang(\"sql\").find({rule}).annotate(\"x\");\n");
        let bench = bench("by_rules = [\"users.toml\"]\n", &rules);
        bench.put("apps/a/q.sql", "select 1\n");
        let ended = bench.gander(&["plan"]).expect(2);
        assert!(ended.stderr.contains(why) && ended.stderr.contains("r.rhai:1"), "{}", ended.stderr);
    }
}

#[test]
fn beside_a_table_that_moves_by_itself_a_rule_may_tell_and_two_edits_are_a_conflict() {
    let tells = "rule(\"r/a\").lang(\"sql\").find(column(\"users.country_code\")).refuse(\"ask first\");\n";
    let bench = bench("mappings = [\"users.toml\"]\n", tells);
    bench.put("apps/a/q.sql", "select country_code as c from a.users_v1\n");
    let plan = bench.gander(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["workspaces"][0]["result"]["kind"], "refused", "{plan:#}");
    bench.put("r.rhai", "rule(\"r/a\").lang(\"sql\").find(column(\"users.country_code\")).replace(\"land\");\n");
    let plan = bench.gander(&["plan", "--json"]).expect(0).json();
    assert_eq!(plan["workspaces"][0]["result"]["kind"], "refused", "{plan:#}");
    assert!(plan["workspaces"][0]["files"].as_array().unwrap().is_empty());
}
