//! What code says of the values, names and files that it reads.

use super::{MOVES, becomes, spark, spark_stays, stays};

#[test]
fn functions_that_share_a_name_are_told_apart_or_stay() {
    let code = |other: &str| {
        format!(
            "object J {{ def cc(r: TableRow): String = r.getString(\"country_code\")\n  {other}\n  def run(sc: ScioContext) = sc.bigQueryTable(Table.Spec(\"p:a.users_v1\")).map(r => cc(r)).countByValue }}"
        )
    };
    stays(
        "scala",
        &code("def cc(m: Map[String, String]): String = m(\"country_code\")"),
        "several functions of this file",
    );
    let default = code("def cc(s: String): String = s");
    let default = default.replace("cc(r: TableRow)", "cc(r: TableRow, d: String = \"\")");
    stays("scala", &default, "several functions of this file");
    let two = code("def cc(m: Map[String, String], k: String): String = m(\"country_code\")");
    becomes("scala", &two, &[("getString(\"country_code\")", "getString(\"country\")"), MOVES]);
}

#[test]
fn what_is_put_in_where_a_value_stands_is_no_name_in_any_language() {
    for (language, code) in [
        ("kotlin", "val q = \"select country_code as c from a.users_v1 where user_id = $id and user_id > ${x.y}\"\n"),
        ("scala", "object A { val q = s\"select country_code as c from a.users_v1 where user_id = $id\" }"),
        ("typescript", "const q = `select country_code as c from a.users_v1 where user_id = ${id}`;\n"),
    ] {
        becomes(language, code, &[("country_code", "country"), MOVES]);
    }
    for (language, code) in [
        ("kotlin", "val q = \"select country_code as c from a.users_v1 where user_id = $id$more\"\n"),
        ("python", "q = f\"select country_code as c from a.users_v1 where user_id = {id}{more}\"\n"),
        ("typescript", "const q = `select country_code as c from a.users_v1 where user_id = ${id}${more}`;\n"),
    ] {
        stays(language, code, "may be any part of the query");
    }
    let glued = "q = f\"select user_id from a.users_v1 where user_id = country_{i}\"\n";
    stays("python", glued, "may name any column");
}

#[test]
fn values_of_another_type_are_read_by_getters_that_say_theirs() {
    let java = |read: &str| {
        format!(
            "class A {{ void f(BigQuery q) {{ for (FieldValueList r : q.listTableData(TableId.of(\"a\", \"users_v1\")).iterateAll()) {{ if ({read}) g(); }} }} }}"
        )
    };
    stays("java", &java("r.get(\"state\").getLongValue() == 1"), "are of another type");
    stays(
        "scala",
        "object J { def f(sc: ScioContext) = sc.bigQueryTable(Table.Spec(\"p:a.users_v1\")).filter(r => r.getLong(\"state\") == 1L).count }",
        "are of another type",
    );
    spark("spark.table('a.users_v1').where(F.col('state') == 1).count()\n", &[MOVES, ("== 1", "== \"paid\"")]);
    becomes(
        "python",
        "import pandas as pd\nu = pd.read_parquet('gs://lake/users_v1')\nprint(u.query(\"state == 1\").shape)\n",
        &[MOVES, ("== 1", "== 'paid'")],
    );
}

#[test]
fn a_part_of_a_tables_name_that_has_a_name_of_its_own_stays() {
    stays(
        "typescript",
        "const T = 'users_v1';\nexport const f = async (q) => { const [rows] = await q.dataset('a').table(T).getRows(); rows.forEach((r) => console.log(r.country_code)); };\n",
        "is held by a name",
    );
}

#[test]
fn what_is_listed_where_files_are_read_stays_with_them() {
    let read = "u = spark.read{x}.parquet('gs://lake/users_v1{y}')\nu.select('country_code').count()\n";
    let of = |x: &str, y: &str| read.replace("{x}", x).replace("{y}", y);
    spark_stays(&of(".schema('user_id long, country_code string')", ""), "listed where it is read");
    spark_stays(&of("", "/country_code=DE"), "names the column country_code, which changes");
    spark_stays(&of("", "/dt=2024"), "does not list: dt");
    spark(&of("", "/user_id=3"), &[MOVES, ("'country_code'", "F.col('country').alias('country_code')")]);
    let based = of(".option('basePath', 'gs://lake/users_v1')", "/user_id=3");
    spark(&based, &[MOVES, MOVES, ("'country_code'", "F.col('country').alias('country_code')")]);
    spark_stays(&of(".option('basePath', 'gs://lake/users_v1')", "/dt=1"), "does not list: dt");
    spark_stays(
        "spark.table('a.users_v1').select(F.posexplode('address').alias('i', 'd')).select('d.postcode').count()\n",
        "under names that are not followed",
    );
}

#[test]
fn a_new_name_of_the_other_frame_is_not_met() {
    let read = "import pandas as pd\nu = pd.read_parquet('gs://lake/users_v1')[['user_id', 'country_code']]\n";
    let merge = "m = u.merge(other[['user_id', 'country']], on='user_id')\nprint(m['country'].max())\n";
    stays("python", &format!("{read}{merge}"), "which is the new name of one of these");
    becomes(
        "python",
        &format!("{read}{}", merge.replace("'country'", "'land'")),
        &[MOVES, ("country_code", "country")],
    );
    stays("python", &format!("{read}print(u.assign(**{{'country_code': 1}}).shape)\n"), "named in a dictionary");
}

#[test]
fn a_function_of_another_file_may_read_any_column() {
    let scala = |rest: &str| {
        format!("object J {{ def f(sc: ScioContext) = sc.bigQueryTable(Table.Spec(\"p:a.users_v1\")){rest}.count }}")
    };
    for rest in [
        ".filter(Preds.isDe)",
        ".filterNot(isDe)",
        ".distinctBy(Preds.key)",
        ".tap(Preds.log)",
        ".filter(Preds.isDe.andThen(!_))",
    ] {
        stays("scala", &scala(rest), "a function that this file does not show");
    }
    becomes("scala", &scala(".filter(_.getString(\"country_code\") == \"DE\")"), &[MOVES, ("country_code", "country")]);
    let script = |rest: &str| {
        format!(
            "export const f = async (q) => {{ const [rows] = await q.dataset('a').table('users_v1').getRows(); return rows{rest}.length; }};\n"
        )
    };
    for rest in [".filter(P.isDe)", ".filter(not(isDe))", ".filter(this.isDe)"] {
        stays("typescript", &script(rest), "a function that this file does not show");
    }
    becomes("typescript", &script(".filter(Boolean).slice(n)"), &[MOVES]);
    let java = |rest: &str| {
        format!(
            "class A {{ long f(BigQuery q) {{ return q.listTableData(TableId.of(\"a\", \"users_v1\")).streamAll(){rest}.count(); }} }}"
        )
    };
    for rest in [".filter(P::isDe)", ".filter(pred)", ".filter(Predicate.not(P::isDe))"] {
        stays("java", &java(rest), "a function that this file does not show");
    }
    spark_stays("spark.table('a.users_v1').rdd.filter(p.is_de).count()\n", "a function that this file does not show");
    spark_stays(
        "spark.table('a.users_v1').withColumn('n', F.row_number().over(p.W)).where('n = 1').count()\n",
        "put together at run time",
    );
    spark_stays("spark.table('a.users_v1').where((F.col('user_id') == 1) & p.IS_DE).count()\n", "put together");
    spark_stays(
        "def f(spark, c):\n    return spark.table('a.users_v1').agg(F.max(c).alias('m')).count()\n",
        "put together",
    );
}

#[test]
fn schemas_at_a_call_name_the_columns_too() {
    let java = "class A { void f(BigQuery q) { for (FieldValueList r : q.listTableData(TableId.of(\"a\", \"users_v1\"){x}).iterateAll()) g(r.get(\"country_code\").getStringValue().length()); } }";
    stays("java", &java.replace("{x}", ", Schema.of(FIELD)"), "said at the call");
    becomes(
        "java",
        &java.replace("{x}", ", BigQuery.TableDataListOption.pageSize(9)"),
        &[MOVES, ("country_code", "country")],
    );
    let scala = "object J { def f(sc: ScioContext) = sc.avroFile(\"gs://lake/users_v1\", Schemas.users).map((g: GenericRecord) => g.get(\"country_code\")).count }";
    stays("scala", scala, "by a schema that names the columns");
    spark_stays(
        "spark.table('a.users_v1').select(F.struct('*').alias('s')).select('s.country_code').count()\n",
        "become fields of a struct",
    );
}

#[test]
fn a_name_that_stands_elsewhere_holds_what_reads_it() {
    let table = "spark.table('a.users_v1')";
    for code in [
        "KEY = 'country_code'\n{t}.select(F.col(KEY)).count()\n",
        "def up(c):\n    return F.upper(F.col(c))\n{t}.filter(up('country_code') == 'DE').count()\n",
        "def by(df, c):\n    return df.groupBy(F.col(c)).count()\nby({t}, 'country_code').count()\n",
        "up = lambda c: F.col(c)\n{t}.select(up('country_code')).count()\n",
    ] {
        spark_stays(&code.replace("{t}", table), "holds the name of a column");
    }
    stays(
        "scala",
        "import org.apache.spark.sql.functions._\nobject J { def up(c: String) = upper(col(c))\n  def f(spark: SparkSession) = spark.table(\"a.users_v1\").filter(up(\"country_code\") === \"DE\").count }",
        "holds the name of a column",
    );
}

#[test]
fn an_expression_keeps_the_name_of_a_bare_text() {
    spark(
        "spark.table('a.users_v1').select('last_seen', 'user_id').count()\n",
        &[MOVES, ("'last_seen'", "F.to_date(F.col('last_active_at')).alias('last_seen')")],
    );
}

#[test]
fn what_a_name_holds_is_read_by_others_too() {
    let held = "holds the name of a column";
    for code in [
        "C = 'country_code'\nx = {t}.groupBy('user_id').agg(F.max(C).alias(C)).select('user_id', 'country_code')\n",
        "C = D = 'country_code'\n{t}.select(F.max(C).alias(D)).write.parquet('x')\n",
        "def up(c):\n    return F.upper(c).alias(c)\n{t}.select(up('country_code')).count()\n",
        "def nulls(c):\n    return F.sum(c).alias('nulls_' + c)\n{t}.select(nulls('country_code')).count()\n",
        "def n(df, c):\n    return df.groupBy(c).agg(F.max('user_id').alias(f'by_{c}'))\nn({t}, 'country_code').count()\n",
        "c = 'country_code'\nx = {t}.groupBy(c).count().toPandas()[c]\n",
        "KEYS = ['user_id', 'country_code']\na = {t}.select(KEYS)\na.join(other, KEYS, 'left_anti').count()\n",
        "KEY = 'country_code'\n{t}.select(KEY).where(f\"{KEY} = 'DE'\").count()\n",
        "E = \"upper(country_code)\"\n{t}.select(F.expr(E).alias('e')).count()\nspark.sql(f'select {E} from x.archive')\n",
        "for c in ['country_code', 'user_id']:\n    print(c, {t}.select(F.max(c)).count())\n",
        "def key():\n    return 'country_code'\n{t}.select(F.max(key()).alias(key())).count()\n",
    ] {
        spark_stays(&code.replace("{t}", "spark.table('a.users_v1')"), held);
    }
    let pandas = "import pandas as pd\nQ = \"country_code == 'DE'\"\nu = pd.read_parquet('gs://lake/users_v1')\n";
    stays("python", &format!("{pandas}print(u.query(Q).shape, pd.read_csv('x.csv').query(Q))\n"), held);
    // So is a table's name, unless each reader is one of a table.
    let table = "T = 'a.users_v1'\nprint(T)\nn = spark.table(T).select('user_id').count()\n";
    spark(table, &[MOVES]);
    for more in ["spark.sql(f'select * from {T}').show()\n", "run('select * from ' + T)\n", "report(T)\n"] {
        spark_stays(&format!("{table}{more}"), "holds the table's name");
    }
}

#[test]
fn all_columns_at_once_are_others_in_the_new_table() {
    let all = "depends on all columns";
    for call in ["dropna()", "dropna(how='all')", "distinct()", "dropDuplicates()", "drop_duplicates()"] {
        spark_stays(&format!("spark.table('a.users_v1').{call}.select('country_code').count()\n"), all);
    }
    spark(
        "spark.table('a.users_v1').dropna(subset=['country_code']).select('user_id').distinct().count()\n",
        &[MOVES, ("country_code", "country")],
    );
    for call in ["dropna()", "drop_duplicates()"] {
        let pandas = format!(
            "import pandas as pd\nprint(pd.read_parquet('gs://lake/users_v1').{call}.country_code.nunique())\n"
        );
        stays("python", &pandas, all);
    }
    for call in ["F.hash('*')", "F.xxhash64(F.col('*'))", "F.countDistinct('*')"] {
        spark_stays(&format!("spark.table('a.users_v1').select({call}.alias('h')).count()\n"), "become fields");
    }
}

#[test]
fn what_an_argument_may_name_stays() {
    let pandas = |read: &str, call: &str| {
        format!(
            "import pandas as pd\nu = pd.read_csv('gs://lake/users_v1'{read})\nprint(u{call}['country_code'].nunique())\n"
        )
    };
    for (read, call) in [
        (", names=NAMES", ""),
        (", dtype={'country_code': str}", ""),
        (", parse_dates=p.DATES", ""),
        ("", ".fillna(FILL)"),
        ("", ".fillna(value=p.FILL)"),
        ("", ".sample(5, weights=p.KEY)"),
        ("", ".sort_values('user_id', key=p.key)"),
    ] {
        stays("python", &pandas(read, call), "may name columns that this does not show");
    }
    for (read, call) in [(", sep=SEP, nrows=n", ".head(n)"), ("", ".sample(frac=f).fillna('??')")] {
        becomes("python", &pandas(read, call), &[MOVES, ("country_code", "country")]);
    }
    for code in ["concat_ws('-', p.C)", "date_trunc('day', c)", "greatest('user_id', p.C)"] {
        spark_stays(&format!("spark.table('a.users_v1').select(F.{code}.alias('x')).count()\n"), "put together");
    }
    spark_stays(
        "spark.table('a.users_v1').withWatermark(p.C, '1 day').select('country_code').count()\n",
        "put together",
    );
}

#[test]
fn functions_of_two_parameters_are_known_or_hold_the_rows() {
    let java = |call: &str| {
        format!(
            "class A {{ static boolean isDe(FieldValueList r) {{ return r.get(\"country_code\") == null; }}\n void f(BigQuery q) {{ q.listTableData(TableId.of(\"a\", \"users_v1\")).streamAll(){call}.count(); }} }}"
        )
    };
    let both = java(
        ".sorted((a, b) -> a.get(\"country_code\").getStringValue().compareTo(b.get(\"country_code\").getStringValue()))",
    );
    let (country, table) = (("\"country_code\").get", "\"country\").get"), ("\"users_v1\"", "\"users_v2\""));
    becomes(
        "java",
        &both.replace("static boolean isDe(FieldValueList r) { return r.get(\"country_code\") == null; }\n", ""),
        &[table, country, country],
    );
    stays("java", &java(".takeWhile(P::isDe)"), "does not show");
    stays("java", &java(".filter((a, b) -> b.get(\"country_code\") == null)"), "takes more than is known");
    let script = |call: &str| {
        format!(
            "export const f = async (q) => {{ const [rows] = await q.dataset('a').table('users_v1').getRows(); console.log(rows{call}.length); }};\n"
        )
    };
    becomes(
        "typescript",
        &script(".filter((r, i, all) => i > 0 && r.country_code !== all[0].country_code)"),
        &[("users_v1", "users_v2"), ("country_code", "country"), ("country_code", "country")],
    );
    stays(
        "typescript",
        &script(".filter((r): r is User => r.country_code === 'DE')"),
        "of a type that names the columns",
    );
    // A function of another class is none of this file's.
    let scala = |object: &str| {
        format!(
            "object J {{ def isDe(r: TableRow) = r.getString(\"country_code\") == \"DE\"\n  def run(sc: ScioContext) = sc.bigQueryTable(Table.Spec(\"p:a.users_v1\")).filter(r => {object}.isDe(r)).count }}"
        )
    };
    stays("scala", &scala("Preds"), "what is done with it");
    becomes("scala", &scala("J"), &[("country_code", "country"), MOVES]);
}

#[test]
fn types_of_python_name_the_columns_too() {
    let code = |head: &str, said: &str| {
        format!(
            "{head}def f(spark):\n    rows: {said} = spark.table('a.users_v1').collect()\n    for r in rows:\n        print(r['country_code'])\n"
        )
    };
    let own = "from typing import TypedDict\nclass User(TypedDict):\n    country_code: str\n";
    spark_stays(&code(own, "list[User]"), "of a type that names the columns");
    spark_stays(&code("from shapes import User\n", "list[User]"), "of a type that names the columns");
    let free = code("from pyspark.sql import Row\n", "list[Row]");
    spark(&free, &[MOVES, ("country_code", "country")]);
}
