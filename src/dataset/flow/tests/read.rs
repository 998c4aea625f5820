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
        spark_stays(&code.replace("{t}", table), "stands elsewhere than where it is read");
    }
    stays(
        "scala",
        "import org.apache.spark.sql.functions._\nobject J { def up(c: String) = upper(col(c))\n  def f(spark: SparkSession) = spark.table(\"a.users_v1\").filter(up(\"country_code\") === \"DE\").count }",
        "stands elsewhere than where it is read",
    );
}

#[test]
fn an_expression_keeps_the_name_of_a_bare_text() {
    spark(
        "spark.table('a.users_v1').select('last_seen', 'user_id').count()\n",
        &[MOVES, ("'last_seen'", "F.to_date(F.col('last_active_at')).alias('last_seen')")],
    );
}
