mod read;
mod told;
mod ways;

use crate::dataset::decide::Fate;
use crate::dataset::file::{Around, decided};
use crate::dataset::mapping::{self, Notation};
use crate::dataset::{Datasets, Schemas};
use crate::language::by_name;

const USERS: &str = r#"
[dataset]
name = "users"
[names]
table = { old = "p.a.users_v1", new = "p.a.users_v2" }
path = { old = "gs://lake/users_v1", new = "gs://lake/users_v2" }
type = { old = "com.acme.UserV1", new = "com.acme.UserV2" }
[columns]
user_id = "user_id"
country_code = "country"
signup_ts = "count"
sort_of = "product"
[columns.last_seen]
pyspark = "F.to_date({last_active_at})"
pandas = "pd.to_datetime({last_active_at})"
scala = "dayOf({last_active_at})"
[columns.points]
pandas = "{score} * 1.5"
typescript = "Math.round({score})"
[columns.tier]
to = "segment"
filter = "annotate"
[columns.plan_type]
to = "plan"
values = { F = "free", P = "premium" }
[columns.band]
to = "bracket"
group = "annotate"
[columns.state]
to = "state"
values = { 1 = "paid", 2 = "open" }
literals = { old = "integer", new = "string" }
[columns.address]
to = "address"
fields = { postcode = "zip", city = "city" }
"#;

fn datasets() -> Datasets {
    Datasets {
        mappings: vec![mapping::read(USERS, Notation::Toml, "m").unwrap()],
        schemas: Schemas::read("\"b.other\" = [\"id\", \"country_code\"]\n", "s").unwrap(),
        default: None,
    }
}

/// The code after all that may move has moved, and why the rest stays.
pub(super) fn moved(language: &str, code: &str) -> (String, Vec<String>) {
    let units = decided(by_name(language).unwrap(), code, &datasets(), &Around::default()).unwrap();
    let (mut edits, mut why) = (Vec::new(), Vec::new());
    for unit in units {
        match unit.fate {
            Fate::Mapped(more) => edits.extend(more),
            Fate::Annotated(reason) | Fate::Refused(reason) => why.push(reason.why),
        }
    }
    edits.sort_by_key(|(range, _): &(std::ops::Range<usize>, String)| (range.start, range.end));
    let mut text = code.to_owned();
    edits.into_iter().rev().for_each(|(range, new)| text.replace_range(range, &new));
    (text, why)
}

#[track_caller]
pub(in crate::dataset) fn becomes(language: &str, code: &str, expected: &[(&str, &str)]) {
    let (text, why) = moved(language, code);
    let mut wanted = code.to_owned();
    for (old, new) in expected {
        assert!(wanted.contains(old), "{old} is not in the code");
        wanted = wanted.replacen(old, new, 1);
    }
    assert_eq!(text, wanted, "{why:?}");
}

#[track_caller]
pub(in crate::dataset) fn stays(language: &str, code: &str, because: &str) {
    let (text, why) = moved(language, code);
    assert_eq!(text, code);
    assert!(why.iter().any(|why| why.contains(because)), "{why:?}");
}

pub(super) const SPARK: &str = "from pyspark.sql import functions as F\n";

#[track_caller]
pub(super) fn spark(code: &str, expected: &[(&str, &str)]) {
    becomes("python", &format!("{SPARK}{code}"), expected);
}

#[track_caller]
pub(super) fn spark_stays(code: &str, because: &str) {
    stays("python", &format!("{SPARK}{code}"), because);
}

pub(super) const MOVES: (&str, &str) = ("users_v1", "users_v2");

#[test]
fn a_condition_is_followed_to_the_frame_that_reads_it() {
    spark(
        "def f(spark):\n    c = F.col('country_code') == 'DE'\n    return spark.table('a.users_v1').where(c).count()\n",
        &[("country_code", "country"), MOVES],
    );
    spark_stays("def f(spark, c):\n    return spark.table('a.users_v1').where(c).count()\n", "put together");
}

#[test]
fn a_function_that_others_give_other_frames_stays() {
    let code = "import pandas as pd\ndef f(df):\n    return df['country_code'].nunique()\nf(pd.read_parquet('gs://lake/users_v1/'))\n";
    becomes("python", code, &[MOVES, ("country_code", "country")]);
    stays("python", &format!("{code}f(load())\n"), "at one time and something else at another");
}

#[test]
fn an_inner_name_hides_the_outer_one() {
    becomes(
        "python",
        "import pandas as pd\nusers = pd.read_parquet('gs://lake/users_v1/')\ndef f(users):\n    return users['country_code']\nf({'country_code': 1})\nprint(users['plan_type'].nunique())\n",
        &[MOVES, ("plan_type", "plan")],
    );
}

#[test]
fn a_value_that_goes_where_nothing_is_known_stays() {
    let read = "import pandas as pd\nusers = pd.read_parquet('gs://lake/users_v1/')\n";
    for (code, because) in [
        ("train(users)\n", "does not show what is done"),
        ("self.users = users\n", "kept in an object"),
        ("frames = {'a': users}\n", "collection by name"),
        ("print(users.columns)\n", "read as values"),
        ("print(users[name].sum())\n", "printed or listed"),
        ("users.melt()\n", "does not know what this does"),
        ("print(users['country_code'].value_counts().to_csv())\n", "names of its columns"),
    ] {
        stays("python", &format!("{read}{code}"), because);
    }
}

#[test]
fn a_new_column_of_the_author_is_not_the_tables() {
    spark(
        "def f(spark):\n    df = spark.table('a.users_v1').withColumn('country_code', F.lower(F.col('country_code')))\n    return df.select(F.col('country_code').alias('c'))\n",
        &[MOVES, ("F.col('country_code')))", "F.col('country')))")],
    );
    spark_stays(
        "def f(spark):\n    df = spark.table('a.users_v1').withColumn('country', F.lit(1))\n    return df.select(F.col('country').alias('c'))\n",
        "a column country of its own",
    );
}

#[test]
fn a_column_that_leaves_keeps_its_name() {
    spark(
        "def f(spark):\n    df = spark.table('a.users_v1')\n    return df.select(df.country_code, 'user_id')\n",
        &[MOVES, ("df.country_code", "df.country.alias(\"country_code\")")],
    );
    // Without the functions there is no way to say so.
    stays("python", "def f(spark):\n    return spark.table('a.users_v1').select('country_code')\n", "not imported");
    spark_stays(
        "def f(spark):\n    return spark.table('a.users_v1').select(F.upper('country_code'))\n",
        "made of the column's name",
    );
}

#[test]
fn a_name_that_is_a_method_is_no_attribute() {
    let read = "def f(spark):\n    df = spark.table('a.users_v1')\n";
    spark(&format!("{read}    return df.agg(F.max(df['signup_ts']).alias('m'))\n"), &[MOVES, ("signup_ts", "count")]);
    spark_stays(&format!("{read}    return df.agg(F.max(df.signup_ts).alias('m'))\n"), "as an attribute");
    spark_stays("import pandas as pd\nn = pd.read_gbq('a.users_v1').sort_of.nunique()\n", "as an attribute");
}

#[test]
fn an_expression_speaks_of_names_that_are_there() {
    let code = "def f(spark):\n    return spark.table('a.users_v1').where(F.col('last_seen') > '2024').count()\n";
    spark(code, &[MOVES, ("F.col('last_seen')", "F.to_date(F.col('last_active_at'))")]);
    let other = format!("from pyspark.sql import functions as fn\n{}", code.replace("F.", "fn."));
    stays("python", &other, "speaks of F");
}

#[test]
fn a_bare_name_after_a_join_is_of_one_table_or_stays() {
    let join = |other: &str, name: &str| {
        format!(
            "def f(spark):\n    u = spark.table('a.users_v1')\n    o = spark.table('{other}')\n    return u.join(o, u.user_id == o.id).select(F.col('{name}').alias('x'))\n"
        )
    };
    spark(
        &join("b.other", "plan_type")
            .replace(".select", ".where")
            .replace(".alias('x')", " == 'P'")
            .replace("'P')", "'P').count()"),
        &[MOVES, ("plan_type", "plan"), ("'P'", "'premium'")],
    );
    spark_stays(&join("b.other", "country_code"), "may be a column of users or of the table");
    spark_stays(&join("c.unknown", "country_code"), "may be a column of users or of the table");
}

#[test]
fn names_that_are_put_together_stay() {
    let read = "def f(spark, c, day):\n    df = spark.table('a.users_v1')\n";
    spark_stays(&format!("{read}    return df.select(F.col(f'{{c}}_code').alias('x'))\n"), "put together");
    spark_stays(&format!("{read}    return df.where(F.col(c) == 1).count()\n"), "put together");
    spark_stays(
        "def f(spark, db):\n    return spark.table(f'{db}.users_v1').where(F.col('country_code') == 1).count()\n",
        "run time",
    );
    spark(
        &format!("{read}    return df.where(f\"country_code > '{{day}}'\").count()\n"),
        &[MOVES, ("country_code", "country")],
    );
    spark_stays(&format!("{read}    return df.where(f\"{{c}} = 'DE'\").count()\n"), "may name any column");
}

#[test]
fn columns_that_are_added_up_are_columns() {
    spark(
        "def f(spark):\n    df = spark.table('a.users_v1')\n    return df.select((F.col('country_code') + F.col('address.postcode')).alias('x'))\n",
        &[MOVES, ("'country_code'", "'country'"), ("postcode", "zip")],
    );
}

#[test]
fn a_name_of_a_table_that_is_kept_is_known() {
    spark(
        "TABLE = 'a.users_v1'\ndef f(spark):\n    return spark.table(TABLE).where(F.col('country_code') == 1).count()\n",
        &[MOVES, ("'country_code'", "'country'")],
    );
}

#[test]
fn rows_of_scio_are_followed_through_cases_and_placeholders() {
    let code = |body: &str| {
        format!(
            "import com.spotify.scio.bigquery._\nobject A {{\n  def f(sc: ScioContext) =\n    sc.bigQueryTable(Table.Spec(\"a.users_v1\")){body}\n}}\n"
        )
    };
    becomes(
        "scala",
        &code(".keyBy(_.getLong(\"user_id\")).map { case (_, row) => row.getString(\"country_code\") }"),
        &[MOVES, ("country_code", "country")],
    );
    becomes(
        "scala",
        &code(".map(r => r.getRecord(\"address\").getString(\"postcode\"))"),
        &[MOVES, ("postcode", "zip")],
    );
    stays("scala", &code(".map(r => Other.of(r))"), "does not show what is done");
    stays("scala", &code(".map(r => r.getString(name))"), "put together");
    stays("scala", &code(".map(r => r.getString(\"plan_type\"))"), "values of plan_type change");
    becomes(
        "scala",
        &code(".filter(_.getString(\"plan_type\") == \"P\").count"),
        &[MOVES, ("plan_type", "plan"), ("\"P\"", "\"premium\"")],
    );
}

#[test]
fn records_of_a_class_move_with_their_getters() {
    let code = |body: &str| format!("import com.acme.UserV1;\nclass A {{\n  {body}\n}}\n");
    stays("java", &code("static String f(UserV1 user) { return user.getCountryCode(); }"), "come from other files");
    stays(
        "java",
        &code("static void f(Store store) { for (var u : store.all()) { System.out.println(u.getCountryCode()); } }"),
        "may be a record",
    );
    becomes(
        "java",
        &code("static String f(Store store) { UserV1 u = store.first(); return u.getCountryCode(); }"),
        &[("UserV1", "UserV2"), ("UserV1", "UserV2"), ("getCountryCode", "getCountry")],
    );
}

#[test]
fn rows_of_javascript_are_followed_through_parts() {
    let code = |body: &str| {
        format!(
            "async function f(bq) {{\n  const [rows] = await bq.dataset('a').table('users_v1').getRows();\n  {body}\n}}\n"
        )
    };
    becomes(
        "javascript",
        &code("for (const row of rows) console.log(row.country_code, row['user_id']);"),
        &[MOVES, ("country_code", "country")],
    );
    becomes(
        "javascript",
        &code("rows.forEach(({ country_code: c, address: { postcode } }) => console.log(c, postcode));"),
        &[MOVES, ("country_code", "country"), ("postcode }", "zip: postcode }")],
    );
    stays("javascript", &code("rows.forEach(({ plan_type }) => console.log(plan_type));"), "values change");
    stays("javascript", &code("rows.forEach(({ country_code, ...rest }) => console.log(rest));"), "rest of a row");
    stays("javascript", &code("return rows;"), "leaves the file");
    stays("typescript", &code("rows.map((row: User) => row.country_code);"), "is said to be");
}

const PANDAS: &str = "import pandas as pd\nusers = pd.read_parquet('gs://lake/users_v1/')\n";

#[test]
fn what_is_compared_is_filtered_by() {
    let stays_in = |code: &str| stays("python", &format!("{PANDAS}{code}"), "in this position (filter)");
    stays_in("print(len(users[users['tier'] == 3]))\n");
    stays_in("print(len(users.loc[users.tier.isin([1]), 'user_id']))\n");
    stays_in("print(len(users.query('tier > 3')))\n");
    spark_stays(
        "def f(spark):\n    df = spark.table('a.users_v1')\n    return df.where(df['tier'].cast('int') == 3).count()\n",
        "(filter)",
    );
    let rows = "async function f(bq) {\n  const [rows] = await bq.dataset('a').table('users_v1').getRows();\n  return rows.filter((r) => r.tier === 3).length;\n}\n";
    stays("javascript", rows, "(filter)");
    becomes("python", &format!("{PANDAS}print(users['tier'].nunique())\n"), &[MOVES, ("'tier'", "'segment'")]);
}

#[test]
fn lists_of_rows_are_still_rows() {
    let code =
        "for r in sorted(list(users.to_dict('records')), key=lambda r: r['user_id']):\n    print(r['country_code'])\n";
    becomes("python", &format!("{PANDAS}{code}"), &[MOVES, ("country_code", "country")]);
    stays(
        "python",
        &format!("{PANDAS}for i, r in enumerate(users.itertuples()):\n    print(r.country_code)\n"),
        "does not show",
    );
    stays(
        "python",
        &format!("{PANDAS}for r in users.itertuples():\n    print(list(r))\n"),
        "in the order of its columns",
    );
}

#[test]
fn groups_keep_the_names_of_their_keys() {
    let code = "g = users.groupby('country_code')['user_id'].nunique().reset_index()\nprint(g['country_code'].max())\n";
    becomes(
        "python",
        &format!("{PANDAS}{code}"),
        &[MOVES, ("'country_code'", "'country'"), ("'country_code'", "'country'")],
    );
    stays(
        "python",
        &format!("{PANDAS}print(users['country_code'].value_counts().reset_index()['country_code'])\n"),
        "another name",
    );
}

#[test]
fn a_part_of_a_query_for_two_tables_stays() {
    let code = "def f(df):\n    return df.where(\"country_code = 'DE'\").count()\ndef g(spark):\n    f(spark.table('a.users_v1'))\n    f(spark.table('c.unknown'))\n";
    spark_stays(code, "at one time and something else at another");
    spark_stays(&code.replace("spark.table('c.unknown')", "load()"), "at one time and something else at another");
}

#[test]
fn names_that_functions_share_are_not_lost() {
    let python = "def f(spark):\n    global df\n    df = spark.table('a.users_v1')\ndef g():\n    return df.where(df.country_code == 1).count()\n";
    spark_stays(python, "several functions share");
    let script = "let rows = [];\nfunction show() { return rows.map((r) => r.country_code); }\nasync function load(bq) { [rows] = await bq.dataset('a').table('users_v1').getRows(); }\n";
    stays("javascript", script, "at one time and something else at another");
    let java = "class A {\n  private final TableId table = TableId.of(\"a\", \"users_v1\");\n  void f(BigQuery q) {\n    for (var row : q.listTableData(this.table).iterateAll()) { System.out.println(row.get(\"country_code\").getStringValue()); }\n  }\n}\n";
    becomes("java", java, &[MOVES, ("country_code", "country")]);
    stays(
        "typescript",
        "export const table = bq.dataset('a').table('users_v1');\n",
        "does not follow values through this",
    );
}

#[test]
fn functions_that_are_values_have_names_too() {
    let code = "const market = (row) => row.country_code;\nexport const run = async (bq) => {\n  const [rows] = await bq.dataset('a').table('users_v1').getRows();\n  return rows.map(market).join(',');\n};\n";
    becomes("javascript", code, &[("country_code", "country"), MOVES]);
}

#[test]
fn a_name_that_nothing_has_read_is_told() {
    spark_stays(
        "NAME = 'country_code'\ndef f(spark):\n    return spark.table('a.users_v1').where(F.col('plan_type') == 'P').count()\n",
        "did not follow what reads this name",
    );
    let rows = "object A {\n  def f(sc: ScioContext) = {\n    val rows = sc.bigQueryTable(Table.Spec(\"a.users_v1\"))\n    for (r <- rows) yield r.getString(\"country_code\")\n  }\n}\n";
    becomes("scala", rows, &[MOVES, ("country_code", "country")]);
}

#[test]
fn fields_of_a_column_are_read_in_every_way_or_stay() {
    let code = |read: &str| {
        format!("def f(spark):\n    df = spark.table('a.users_v1')\n    return df.where({read} == '1').count()\n")
    };
    for read in [
        "df['address']['postcode']",
        "df.address.postcode",
        "df.address.getField('postcode')",
        "F.col('address.postcode')",
    ] {
        spark(&code(read), &[MOVES, ("postcode", "zip")]);
    }
    for read in ["F.col('address')['postcode']", "F.col('address').postcode", "F.col('address').getItem('postcode')"] {
        spark_stays(&code(read), "put together");
    }
}

#[test]
fn tables_are_joined_by_a_column_that_both_keep() {
    spark(
        "def f(spark):\n    u = spark.table('a.users_v1')\n    v = spark.table('b.other')\n    return u.join(v, 'user_id').where(F.col('plan_type') == 'P').count()\n",
        &[MOVES, ("plan_type", "plan"), ("'P'", "'premium'")],
    );
    let reduce = "async function f(bq) {\n  const [rows] = await bq.dataset('a').table('users_v1').getRows();\n  return rows.reduce((n, r) => n + (r.country_code === 'DE' ? 1 : 0), 0);\n}\n";
    becomes("javascript", reduce, &[MOVES, ("country_code", "country")]);
}

#[test]
fn code_that_is_deeper_than_what_is_followed_stays() {
    let deep = format!("{PANDAS}print({}users['country_code'].nunique(){})\n", "(".repeat(200), ")".repeat(200));
    stays("python", &deep, "too large or too deep");
    let long = format!("{PANDAS}x = y{}\nprint(users['country_code'].nunique())\n", ".z()".repeat(5000));
    stays("python", &long, "too large or too deep");
}

#[test]
fn a_field_of_a_struct_keeps_its_name() {
    spark(
        "def f(spark):\n    x = spark.table('a.users_v1').select(F.struct('user_id', 'country_code').alias('s'))\n    return x.select('s.country_code').count()\n",
        &[MOVES, ("'user_id', 'country_code'", "'user_id', F.col('country').alias('country_code')")],
    );
}

#[test]
fn rows_are_sorted_by_what_is_shown() {
    let sorted = |key: &str| {
        format!(
            "import pandas as pd\nrows = pd.read_parquet('gs://lake/users_v1').to_dict('records')\nprint(len(sorted(rows, key={key}, reverse=True)))\n"
        )
    };
    becomes("python", &sorted("lambda r: r['country_code']"), &[MOVES, ("country_code", "country")]);
    stays("python", &sorted("itemgetter('country_code')"), "what it is sorted by is not shown");
    stays("python", &sorted("partial(get, name='country_code')"), "what it is sorted by is not shown");
}

#[test]
fn placeholders_are_holes_and_documentation_is_none_of_the_code() {
    for rest in ["where user_id = %s", "where user_id = %(id)s", "where user_id = 1 limit {n}", "where user_id = {id}"]
    {
        let code = format!("q = \"select country_code as c from a.users_v1 {rest}\"\n");
        becomes("python", &code, &[("country_code", "country"), MOVES]);
    }
    for rest in ["{where}", "where {condition}", "%s"] {
        let (text, why) = moved("python", &format!("q = \"select country_code as c from a.users_v1 {rest}\"\n"));
        assert!(text.contains("users_v1") && !why.is_empty(), "{text}");
    }
    let said = "def f():\n    \"\"\"select country_code from a.users_v1\"\"\"\n    'reads a.users_v1'\n";
    assert_eq!(moved("python", said), (said.to_owned(), Vec::new()));
}

#[test]
fn a_part_with_a_name_that_is_put_in_holds_the_queries_it_may_be_put_behind() {
    let query = "def f(c, col):\n    q = \"select user_id from a.users_v1\"\n";
    for rest in [
        "    return q + f\" where {col} = 1\"\n",
        "    return f\"{q} where {col} = 1\"\n",
        "    return q + \" where \" + col + \" = 1\"\n",
        "    return \"{} where {} = 1\".format(q, col)\n",
        "    return \" \".join([q, \"where\", col, \"= 1\"])\n",
        "    for k in c:\n        q += f\" and {k} = 1\"\n",
        "    return q + \" order by %s\" % col\n",
    ] {
        stays("python", &format!("{query}{rest}"), "a name is put at run time");
    }
    for rest in ["    return q + f\" where user_id = {col}\"\n", "    return q + f\" limit {col}\"\n"] {
        becomes("python", &format!("{query}{rest}"), &[MOVES]);
    }
}
