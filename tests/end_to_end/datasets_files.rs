//! What one file of a consumer has of another: functions, values and queries that move only
//! where nothing else can reach them.

use super::bench::{Bench, copy};
use super::datasets_corpus::corpus;

/// A migration of the corpus' users over the folders of `apps`.
fn bench() -> Bench {
    let bench = Bench::new();
    copy(&corpus().join("mapping"), &bench.root.join("mapping"));
    bench.put(
        "migration.toml",
        "[migration]\nid = \"files\"\ntitle = \"Users move\"\n[datasets]\nmappings = [\"mapping/users.toml\"]\n\
         [[consumers.from]]\nfolders = [\"apps/*\"]\n[deliver]\nhow = \"checkout\"\n",
    );
    bench
}

/// For each consumer what became of it, and why.
fn results(bench: &Bench) -> Vec<(String, String, String)> {
    let plan = bench.gander(&["plan", "--json"]).expect(0).json();
    let one = |workspace: &serde_json::Value| {
        let kind = workspace["result"]["kind"].as_str().unwrap().to_owned();
        (workspace["id"].as_str().unwrap().to_owned(), kind, workspace["findings"].to_string())
    };
    plan["workspaces"].as_array().unwrap().iter().map(one).collect()
}

const TABLE: &str = "spark.table('analytics.users_v1')";

const QUERY: &str = "\"select user_id from analytics.users_v1 where user_id > 1\"";
const SQL: &str = "select user_id from analytics.users_v1 where user_id > 1\n";

/// The files of a consumer: path and text.
type Files = Vec<(&'static str, String)>;

/// Consumers of several files, and a word of why they stay.
fn stays() -> Vec<(Files, &'static str)> {
    let own = |text: &str| text.replace("TABLE", TABLE);
    let clean = own("def clean(df):\n    return df.where(df['country_code'] == 'DE').count()\n\
                     def run(spark):\n    return clean(TABLE)\n");
    let main = "def run(spark):\n    return clean(spark.table('crm.leads'))\n";
    vec![
        (vec![("a.py", clean.clone()), ("b.py", format!("from a import clean\n{main}"))], "b.py:1 speaks of clean"),
        (vec![("a.py", clean.clone()), ("b.py", format!("import a\n{}", main.replace("clean", "a.clean")))], "b.py:3"),
        // What others give where a value stands may be a column.
        (
            vec![
                ("a.py", own("from pyspark.sql import functions as F\ndef f(spark, c):\n    return TABLE.filter(F.col('user_id') > c).count()\n")),
                ("b.py", "from a import f\nf(spark, F.col('country_code'))\n".into()),
            ],
            "put together at run time",
        ),
        (
            vec![
                ("a.py", own("from pyspark.sql import functions as F\nclass J:\n    def f(self, spark):\n        \
                              m = self.most\n        return TABLE.filter(F.col('user_id').between(1, m)).count()\n")),
                ("b.py", "from a import J\nJ().most = F.col('country_code')\n".into()),
            ],
            "put together at run time",
        ),
        (
            vec![
                ("q.py", "def q(i):\n    return f\"select user_id from analytics.users_v1 where user_id = {i}\"\n".into()),
                ("b.py", "from q import q\nrun(q(\"country_code\"))\n".into()),
            ],
            "b.py:2",
        ),
        // The rest of a name stands elsewhere, and so does what is read by it.
        (
            vec![
                ("a.yaml", "table: users_v1\n".into()),
                ("b.py", "def f(t):\n    return run(f\"select country_code from {t}\")\n".into()),
            ],
            "b.py:2 reads a table whose name is put in, and names country_code",
        ),
        // A query over a table that is put in as a whole, and a file that names the dataset.
        (
            vec![
                ("app.properties", "source=analytics.users_v1\n".into()),
                ("b.py", "def f(d, t):\n    return run(f\"select country_code from {d}.{t}\")\n".into()),
            ],
            "where it is users, which app.properties:1 names, country_code changes",
        ),
        (
            vec![
                ("app.yaml", "source: analytics.users_v1\n".into()),
                ("q.sql", "select user_id from crm.leads;\nselect max(signup_ts) from {{ params.table }}\n".into()),
            ],
            "which app.yaml:1 names, signup_ts changes",
        ),
        (
            vec![
                ("app.yaml", "source: analytics.users_v1\n".into()),
                ("a.ts", "const q = (t) => run(`select * from ${t}`).map((r) => r.country_code);\n".into()),
            ],
            "which app.yaml:1 names, country_code changes",
        ),
        // By a package that hands it on, and by a name that is put together.
        (
            vec![
                ("jobs/a.py", clean.clone()),
                ("jobs/__init__.py", "from .a import *\n".into()),
                ("main.py", format!("from jobs import *\n{main}")),
            ],
            "main.py:3",
        ),
        (
            vec![("a.py", clean.clone()), ("b.py", format!("m = import_module(name)\n{}", main.replace("clean", "m.clean")))],
            "b.py:3",
        ),
        // A test of it has a frame with the old names.
        (vec![("src/a.py", clean.clone()), ("tests/test_a.py", "from src import a\nassert a.clean(frame) == 1\n".into())], "tests/test_a.py:2"),
        (vec![("a.py", clean.clone()), ("n.ipynb", r#"{"cells":[{"source":["from a import clean"]}]}"#.into())], "n.ipynb:1"),
        // What it gives, what it is called besides, what it makes, and a method.
        (
            vec![
                ("a.py", own("def load(spark):\n    return TABLE\ndef run(spark):\n    return load(spark).count()\n")),
                ("b.py", "from a import load\nprint(load(spark)['country_code'])\n".into()),
            ],
            "what becomes there of what it gives",
        ),
        (
            vec![
                ("a.py", format!("{clean}tidy = clean\n")),
                ("b.py", "import a\na.tidy(spark.table('crm.leads'))\n".into()),
            ],
            "b.py:2",
        ),
        (
            vec![
                ("a.py", own("def cleaner(x):\n    def inner(df):\n        return df['country_code'].count()\n    return inner\n\
                              def run(spark):\n    return cleaner(1)(TABLE)\n")),
                ("b.py", "from a import cleaner\ncleaner(2)(leads)\n".into()),
            ],
            "b.py:1",
        ),
        (
            vec![
                ("a.py", own("class Job:\n    def clean(self, df):\n        return df['country_code'].count()\n\
                              \x20   def run(self, spark):\n        return self.clean(TABLE)\n")),
                ("b.py", "def f(job, df):\n    return job.clean(df)\n".into()),
            ],
            "b.py:2",
        ),
        // Queries that other files have under a second name, in whatever holds them.
        (
            vec![
                ("q.ts", "export const USERS = 'select user_id from analytics.users_v1 where user_id > 1';\n".into()),
                ("index.ts", "export { USERS as PAID } from './q';\n".into()),
                ("b.ts", "import { PAID } from './index';\nrun(`${PAID} and country_code = 'DE'`);\n".into()),
            ],
            "b.ts:2",
        ),
        (
            vec![
                ("q.py", format!("USERS = {QUERY}\n")),
                ("b.py", "import q\ndef f(k):\n    return getattr(q, k) + \" and country_code = 'DE'\"\n".into()),
            ],
            "b.py:3",
        ),
        (
            vec![
                ("Q.java", format!("enum Q {{ USERS({QUERY}); final String sql; Q(String s) {{ sql = s; }} }}\n")),
                ("B.java", "class B { String f(Q q) { return q.sql + \" and country_code = 'DE'\"; } }\n".into()),
            ],
            "B.java:1",
        ),
        (
            vec![
                ("Q.kt", format!("object Q {{ const val USERS = {QUERY} }}\n")),
                ("B.kt", "fun f() = Q.USERS + \" and country_code = 'DE'\"\n".into()),
            ],
            "B.kt:1",
        ),
        // Queries in other files than code, and what puts those together.
        (
            vec![
                ("q.yaml", format!("users: {QUERY}\n")),
                ("b.py", "q = safe_load(open('q.yaml'))['users'] + \" and country_code = 'DE'\"\n".into()),
            ],
            "b.py:1",
        ),
        (
            vec![
                ("q.json", format!("{{\"users\": {QUERY}}}\n")),
                ("b.py", "q = json.load(f)['users'] + \" and country_code = 'DE'\"\n".into()),
            ],
            "b.py:1",
        ),
        (vec![("q.yaml", format!("base: {QUERY}\nfilters: [\"country_code = 'DE'\"]\n"))], "beside a query"),
        (vec![("q.yaml", format!("base: {QUERY}\norder_by: country_code\n"))], "beside a query"),
        (
            vec![
                ("sql/base.sql", SQL.into()),
                ("sql/de.sql", "{% include 'base.sql' %} and country_code = 'DE'\n".into()),
            ],
            "sql/de.sql:1",
        ),
        (
            vec![
                ("sql/de.sql", SQL.into()),
                ("Makefile", "run:\n\t(cat sql/de.sql; echo \"and country_code = 'DE'\") | bq query\n".into()),
            ],
            "Makefile:2",
        ),
        (
            vec![
                ("sql/users.sql", SQL.into()),
                ("load.py", "def load(name):\n    return resources.files('sql').joinpath(name + EXT).read_text()\n".into()),
                ("b.py", "from load import load\nq = load(name) + \" and country_code = 'DE'\"\n".into()),
            ],
            "b.py:2",
        ),
        (vec![("q.sql", "select :cols from analytics.users_v1 where :col = 'x' order by user_id\n".into())], "may name any column"),
        (vec![("q.sql", "select f.value:os_name from analytics.users_v1 u, table(flatten(u.devices)) f\n".into())], "go through a function"),
        (vec![("q.sql", "select country_code from `analytics.us*`\n".into())], "a pattern that covers the dataset"),
        (
            vec![("q.ts", "export const f = (db) => db.any('select $1:name from analytics.users_v1', ['country_code']);\n".into())],
            "is replaced",
        ),
        (
            vec![("q.py", format!("BASE = {QUERY}\n")), ("b.py", "from q import *\nrun(BASE + f\" and {c} = 'DE'\")\n".into())],
            "b.py:2",
        ),
        (
            vec![("q.py", format!("BASE = {QUERY}\n")), ("b.py", "from q import BASE\nrun(BASE + filters({\"country_code\": \"DE\"}))\n".into())],
            "b.py:2",
        ),
        (vec![("q.py", format!("B = {QUERY}\nrun(' '.join([B, 'and', 'country_code', \"= 'DE'\"]))\n"))], "may be put behind"),
        (vec![("q.py", format!("B = {QUERY}\nrun(B + filters({{'country_code': 'DE'}}))\n"))], "may be put behind"),
        // What names columns besides.
        (
            vec![
                ("J.scala", "import org.apache.avro.generic.GenericRecord\nobject J { def f(sc: ScioContext, schema: Schema) =\n  sc.avroFile(\"gs://acme-lake/users_v1/*.avro\", schema).map((g: GenericRecord) => g.get(\"country_code\")).count }\n".into()),
                ("user.avsc", "{\"type\": \"record\", \"name\": \"U\", \"fields\": [{\"name\": \"country_code\", \"type\": \"string\"}]}\n".into()),
            ],
            "user.avsc:1",
        ),
        // A value of the module.
        (
            vec![
                ("a.py", own("USERS = TABLE\ndef f():\n    return USERS.where(USERS['country_code'] == 'DE').count()\n")),
                ("b.py", "from a import USERS\nprint(USERS['country_code'])\n".into()),
            ],
            "speaks of USERS",
        ),
        // Names of columns that a value or a function holds.
        (
            vec![
                ("a.py", own("from pyspark.sql import functions as F\nIS_DE = F.col('country_code') == 'DE'\n\
                              def run(spark):\n    return TABLE.where(IS_DE).count()\n")),
                ("b.py", "from a import IS_DE\nleads.where(IS_DE)\n".into()),
            ],
            "at one time and something else at another",
        ),
        (
            vec![
                ("a.py", own("from pyspark.sql import functions as F\ndef is_de():\n    return F.col('country_code') == 'DE'\n\
                              def run(spark):\n    return TABLE.where(is_de()).count()\n")),
                ("b.py", "from a import is_de\nleads.where(is_de())\n".into()),
            ],
            "at one time and something else at another",
        ),
        // Other languages.
        (
            vec![
                ("A.scala", "object A {\n  def clean(rows: SCollection[TableRow]) = rows.map(r => r.getString(\"country_code\"))\n\
                   \x20 def run(sc: ScioContext) = clean(sc.bigQueryTable(Table.Spec(\"acme-data:analytics.users_v1\")))\n}\n".into()),
                ("B.scala", "object B { def run(x: SCollection[TableRow]) = A.clean(x) }\n".into()),
            ],
            "B.scala:1",
        ),
        (
            vec![
                ("a.ts", "export const pick = (rows) => rows.map((r) => r.country_code);\n\
                          export async function run(bq) { const [rows] = await bq.dataset('analytics').table('users_v1').getRows();\n  return pick(rows).length; }\n".into()),
                ("b.ts", "import { pick } from './a';\nexport const x = (leads) => pick(leads);\n".into()),
            ],
            "b.ts:1",
        ),
        (
            vec![
                ("a.ts", "const pick = (rows) => rows.map((r) => r.country_code);\nexport default pick;\n\
                          export async function run(bq) { const [rows] = await bq.dataset('analytics').table('users_v1').getRows();\n  return pick(rows).length; }\n".into()),
                ("b.ts", "import taken from './a';\nexport const x = (leads) => taken(leads);\n".into()),
            ],
            "b.ts:1",
        ),
        (
            vec![
                ("A.java", "class A {\n  static long clean(java.util.List<TableRow> rows) { return rows.stream().filter(r -> r.get(\"country_code\") != null).count(); }\n\
                   \x20 long run(BigQuery bq) { return clean(bq.listTableData(TableId.of(\"analytics\", \"users_v1\"))); }\n}\n".into()),
                ("B.java", "class B { long run(java.util.List<TableRow> x) { return A.clean(x); } }\n".into()),
            ],
            "B.java:1",
        ),
        // Queries that another file goes on with, or changes.
        (
            vec![
                ("a.py", "BASE = 'select user_id from analytics.users_v1'\n".into()),
                ("b.py", "from a import BASE\nq = BASE + \" where country_code = 'DE'\"\n".into()),
            ],
            "may put a part behind this query that names country_code",
        ),
        (
            vec![
                ("a.py", "class Q:\n    base = 'select user_id from analytics.users_v1'\n".into()),
                ("b.py", "def f(q):\n    return q.base + \" order by signup_ts\"\n".into()),
            ],
            "names signup_ts",
        ),
        (
            vec![
                ("a.go", "package a\n\nconst base = `select user_id from analytics.users_v1`\n".into()),
                ("b.go", "package a\n\nvar q = base + \" where country_code = 'x'\"\n".into()),
            ],
            "names country_code",
        ),
        (
            vec![
                ("a.py", "BASE = 'select country_code from analytics.users_v1'\n".into()),
                ("b.py", "from a import BASE\nq = BASE.replace(old, new)\n".into()),
            ],
            "replaces something in it",
        ),
        // A part of a query that a function of this file is handed.
        (
            vec![
                ("a.py", "Q = 'select user_id from analytics.users_v1 where true '\ndef f(c, extra=''):\n    return c.query(Q + extra)\n".into()),
                ("b.py", "from a import f\nf(None, \"and country_code = 'DE'\")\n".into()),
            ],
            "b.py:2",
        ),
        (
            vec![
                ("a.py", "Q = 'select user_id from analytics.users_v1 where true '\ndef f(c, extra=''):\n    return c.query(Q + extra)\n".into()),
                ("b.py", "from a import f\ndef g(c, x):\n    return f(c, x)\n".into()),
                ("c.py", "from b import g\ng(None, \"and country_code = 'DE'\")\n".into()),
            ],
            "c.py:2",
        ),
        (
            vec![
                ("a.py", "USERS = 'select user_id from analytics.users_v1'\nALL = {'users': USERS}\n".into()),
                ("b.py", "from a import ALL\nq = ALL['users'] + \" and country_code = 'DE'\"\n".into()),
            ],
            "and may put a part behind this query",
        ),
        (
            vec![
                ("a.ts", "export default 'select user_id from analytics.users_v1';\n".into()),
                ("b.ts", "import users from './a';\nexport const q = users + \" and country_code = 'DE'\";\n".into()),
            ],
            "can reach default, and may put a part behind this query",
        ),
        (
            vec![
                ("q.sql", "select user_id from analytics.users_v1\n".into()),
                ("run.sh", "(cat q.sql; echo \" where country_code = 'DE'\") | bq query\n".into()),
            ],
            "run.sh:1",
        ),
        (
            vec![
                ("a.py", own("def de(df):\n    return df.where(df['country_code'] == 'DE').count()\nSTEPS = [de]\n\
                              def run(spark):\n    return [s(TABLE) for s in STEPS]\n")),
                ("b.py", "from a import STEPS\nfor s in STEPS:\n    s(leads)\n".into()),
            ],
            "b.py:1",
        ),
        // The name of the table, and a class that is made of it.
        (
            vec![
                ("a.py", "T = 'analytics.users_v1'\ndef run(spark):\n    u = spark.table(T)\n    return u.where(u['country_code'] == 'DE').count()\n".into()),
                ("b.py", "from a import T\nspark.table(T).select('country_code')\n".into()),
            ],
            "b.py:1 speaks of T",
        ),
        (
            vec![
                ("A.scala", format!("object A {{ val T = \"{SPEC}\"\n  def run(sc: ScioContext) = {SCIO}(T)).map(_.getString(\"country_code\").size) }}\n")),
                ("B.scala", format!("object B {{ def run(sc: ScioContext) = {SCIO}(A.T)).map(_.getString(\"country_code\")) }}\n")),
            ],
            "B.scala:1 speaks of T",
        ),
        (
            vec![
                ("A.scala", format!("object A {{ @BigQueryType.fromTable(\"{SPEC}\") class U }}\n")),
                ("B.scala", "import A._\nobject B { def run(sc: ScioContext) = sc.typedBigQuery[U]().map(_.country_code) }\n".into()),
            ],
            "B.scala:2 speaks of U",
        ),
        // Files in which the name does not stand.
        (
            vec![("a.sql", "select country_code as c from `analytics.users_*` where _table_suffix = 'v1'\n".into())],
            "a pattern that covers the dataset",
        ),
        (
            vec![("a.py", "V = 'v1'\nq = f'select country_code as c from analytics.users_{V}'\n".into())],
            "its name is put together at run time",
        ),
        // A column that may not be compared, and a file that may do so.
        (
            vec![
                ("a.py", "Q = 'select user_id, tier from analytics.users_v1'\n".into()),
                ("b.py", "from a import Q\nfor row in client.query(Q):\n    print(row['tier'] == 3)\n".into()),
            ],
            "b.py:3 speaks of tier",
        ),
    ]
}

const SPEC: &str = "acme-data:analytics.users_v1";
const SCIO: &str = "sc.bigQueryTable(Table.Spec";

/// As [`stays`]: these move, as nothing of another file meets them.
fn moves() -> Vec<Files> {
    let own = |text: &str| text.replace("TABLE", TABLE);
    let clean = own("def clean(df):\n    return df.where(df['country_code'] == 'DE').count()\n\
                     def run(spark):\n    return clean(TABLE)\n");
    vec![
        // Who calls it gives it no frame; a namesake of another module; a namesake in a note.
        vec![("a.py", clean.clone()), ("main.py", "from a import run\nrun(spark)\n".into())],
        vec![("a.py", clean.clone()), ("b.py", "def clean(x):\n    return x\nclean(1)\n".into())],
        vec![("a.py", clean.clone()), ("README.md", "import a, then a.clean(df)\n".into())],
        // What is put in is no table of the dataset's, or no column of it is named.
        vec![
            ("a.py", clean.clone()),
            ("b.py", "q = f'select country_code from {d}.leads'\nr = f'select lead_id from {d}.{t}'\n".into()),
            ("q.sql", "select country_code from {{ ref('leads') }}\n".into()),
        ],
        // A query that is read as it is.
        vec![
            ("a.py", "BASE = 'select user_id, country_code from analytics.users_v1'\n".into()),
            ("b.py", "from a import BASE\nfor row in client.query(BASE):\n    print(row['country_code'])\n".into()),
        ],
        vec![
            ("A.java", "class A { private static long clean(java.util.List<TableRow> rows) { return rows.stream().filter(r -> r.get(\"country_code\") != null).count(); }\n\
               \x20 long run(BigQuery bq) { return clean(bq.listTableData(TableId.of(\"analytics\", \"users_v1\"))); }\n}\n".into()),
            ("B.java", "class B { long run(java.util.List<TableRow> x) { return A.clean(x); } }\n".into()),
        ],
        vec![
            ("A.scala", format!("object A {{ private val T = \"{SPEC}\"\n  def run(sc: ScioContext) = {SCIO}(T)).map(_.getString(\"country_code\").size) }}\n")),
            ("B.scala", "object B { val n = A.T }\n".into()),
        ],
    ]
}

#[test]
fn what_another_file_may_reach_stays() {
    let bench = bench();
    let (stays, moves) = (stays(), moves());
    let all = stays.iter().map(|(files, _)| files).chain(&moves);
    for (number, files) in all.enumerate() {
        for (path, text) in files {
            bench.put(&format!("apps/c{number:03}/{path}"), text);
        }
    }
    let results = results(&bench);
    assert_eq!(results.len(), stays.len() + moves.len());
    let mut failed: Vec<String> = Vec::new();
    for ((id, kind, findings), (files, why)) in results.iter().zip(&stays) {
        let stayed = kind == "annotated" && findings.contains(why) && !findings.contains("\"mapped\"");
        if !stayed {
            failed.push(format!("{id} {kind}, not for {why}: {files:?}\n{findings}"));
        }
    }
    let rest = results[stays.len()..].iter().zip(&moves);
    failed.extend(rest.filter(|((_, kind, _), _)| kind != "changed").map(|one| format!("{one:?}")));
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn what_is_remembered_of_a_file_does_not_outlive_another_one() {
    let bench = bench();
    let job = "def clean(df):\n    return df.where(df['country_code'] == 'DE').count()\n\
               def run(spark):\n    return clean(spark.table('analytics.users_v1'))\n";
    let kinds = |bench: &Bench| results(bench).into_iter().map(|(_, kind, _)| kind).collect::<Vec<String>>();
    bench.put("apps/a/a.py", job);
    bench.put("apps/a/b.py", "print(1)\n");
    bench.put("apps/b/q.sql", SQL);
    bench.put("apps/b/b.py", "print(1)\n");
    assert_eq!(kinds(&bench), ["changed", "changed"]);
    assert_eq!(kinds(&bench), ["changed", "changed"]);
    bench.put("apps/a/b.py", "from a import clean\nclean(spark.table('crm.leads'))\n");
    bench.put("apps/b/b.py", "run(open('q.sql').read() + \" and country_code = 'DE'\")\n");
    assert_eq!(kinds(&bench), ["annotated", "annotated"]);
    bench.put("apps/a/b.py", "print(2)\n");
    bench.put("apps/b/b.py", "print(2)\n");
    assert_eq!(kinds(&bench), ["changed", "changed"]);
}

#[test]
fn code_that_is_no_text_and_names_a_dataset_is_left_to_a_person() {
    let bench = bench();
    let query = "select country_code from analytics.users_v1\n";
    let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(query.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    bench.put("apps/a/a.sql", wide);
    bench.put("apps/b/b.sql", format!("{query}\0"));
    bench.put("apps/c/dbt_packages/p/models/a.sql", query);
    let kinds: Vec<String> = results(&bench).into_iter().map(|(_, kind, _)| kind).collect();
    assert_eq!(kinds, ["annotated", "annotated", "unchanged"]);
}
