//! What stays, with a comment: values that are not followed, and names of which only a part is written.

use super::{MOVES, becomes, moved, spark, spark_stays, stays};

#[test]
fn structs_and_names_of_pandas_that_are_not_followed_stay() {
    let read = "import pandas as pd\ndf = pd.read_gbq('a.users_v1')\n";
    for (code, why) in [
        ("n = df.query(\"`country_code` == 'DE'\")['user_id'].sum()\n", "can't read"),
        ("n = df['address'].apply(lambda a: a['postcode']).nunique()\n", "the whole struct"),
        ("n = df['address'].tolist()[0]['postcode']\n", "the whole struct"),
        ("n = df.query(\"address['postcode'] == '1'\")['user_id'].sum()\n", "the whole struct"),
        ("n = df.merge(o, on='user_id')['country_code_y'].nunique()\n", "get suffixes"),
        ("a, b = df.shape\n", "depends on all columns"),
        ("n = df.size\n", "depends on all columns"),
        ("n = df.max().index.tolist()\n", "read as values"),
    ] {
        stays("python", &format!("{read}{code}"), why);
    }
    for code in
        ["n = df.shape[0]\n", "n = df['address'].isna().sum()\n", "n = df.merge(o, on='user_id')['n_y'].sum()\n"]
    {
        becomes("python", &format!("{read}{code}"), &[MOVES]);
    }
    for code in ["F.to_json('address')", "F.to_json(F.col('address'))", "F.col('address').cast('string')"] {
        spark_stays(&format!("x = spark.table('a.users_v1').select({code}.alias('j')).count()\n"), "the whole struct");
    }
    let scala = "object J { def f(sc: ScioContext) = sc.bigQueryTable(Table.Spec(\"p:a.users_v1\")).map { r => import r._; getString(\"country_code\") } }";
    stays("scala", scala, "does not follow values");
    let by_text = "r = run('select max(country_code) from a.users_v1')\n";
    for library in ["import MySQLdb", "from databricks import sql", "import clickhouse_connect"] {
        stays("python", &format!("{library}\n{by_text}"), "the name of what is calculated");
    }
    becomes("python", by_text, &[("country_code", "country"), MOVES]);
}

#[test]
fn the_last_part_of_a_name_is_told_where_it_can_hardly_be_anothers() {
    let told = "the last part of the dataset's name";
    for (language, code) in [
        ("python", "t = client.get_table(f'{project}.{dataset}.users_v1')\n"),
        ("python", "t = '%s.users_v1' % ds\n"),
        ("python", "t = '{}.users_v1'.format(ds)\n"),
        ("python", "df = spark.read.parquet(BASE + '/users_v1')\n"),
        ("python", "df = spark.read.parquet(f'{BASE}/users_v1/dt=1')\n"),
        ("python", "p = os.path.join(BASE, 'users_v1')\n"),
        ("python", "c = {'table': 'users_v1'}\n"),
        ("python", "d = Dataset('bigquery://p/a/users_v1')\n"),
        ("python", "d = Table('users_v1', schema='a', x=1)\n"),
        ("scala", "object A { val t = s\"$ds.users_v1\" }"),
        ("typescript", "const t = `${ds}.users_v1`;\n"),
        ("java", "class A { String t = BASE + \".users_v1\"; }"),
        ("go", "package a\n\nvar t = fmt.Sprintf(\"%s.users_v1\", ds)\n"),
        ("json", "{\"table\": \"users_v1\"}\n"),
        ("yaml", "table: users_v1\n"),
    ] {
        let (text, why) = moved(language, code);
        assert_eq!(text, code);
        assert!(why.iter().any(|why| why.contains(told) || why.contains("named as a value")), "{code}: {why:?}");
    }
    let (text, why) = moved("sql", "select country_code from ${dataset}.users_v1");
    assert!(text.contains("country_code") && why.iter().any(|why| why.contains("put in at run time")), "{why:?}");
    for (language, code) in [
        ("python", "d = {'dataset': 'crm', 'table': 'users_v1'}\n"),
        ("python", "d = client.dataset('crm').table('users_v1')\n"),
        ("python", "d = open('data/users_v1')\n"),
        ("python", "log.info('users_v1 is gone')\n"),
        ("typescript", "import x from 'users_v1';\n"),
        ("java", "class A { TableId t = TableId.of(\"crm\", \"users_v1\"); }"),
        ("yaml", "dataset: crm\ntable: users_v1\n"),
    ] {
        assert_eq!(moved(language, code).1, Vec::<String>::new(), "{code}");
    }
}

#[test]
fn a_column_that_is_put_in_where_a_value_stands_keeps_the_query() {
    let why = "put behind a query of this file";
    let query = "select user_id from a.users_v1 where user_id = ";
    for code in [
        format!("def q(i):\n    return f\"{query}{{i}}\"\nx = q('country_code')\n"),
        format!("def q(i='country_code'):\n    return f\"{query}{{i}}\"\n"),
        format!("C = 'country_code'\nx = f\"{query}{{C}}\"\n"),
        format!("x = '{query}%s' % 'country_code'\n"),
    ] {
        stays("python", &code, why);
    }
    stays("typescript", &format!("const q = (d) => `{query}${{d}}`;\nrun(q('last_seen'));\n"), why);
    stays(
        "java",
        &format!("class A {{ String q(String c) {{ return \"{query}\" + c; }} String r = q(\"tier\"); }}"),
        why,
    );
    for code in [
        format!("r = run(f\"{query}{{i}}\")\nprint(r['country_code'], r.get('country_code'))\n"),
        format!("r = run(\"{query}1\")\nx = f('country_code')\n"),
        format!("r = run(f\"{query}'{{i}}'\")\nx = f('country_code')\n"),
    ] {
        becomes("python", &code, &[MOVES]);
    }
    // A name alone is put into what has a hole, and into nothing else.
    let plain = "\ny = run(\"select country_code from a.users_v1 where user_id = 1\")\n";
    let (text, _) = moved("python", &format!("x = run(f\"{query}{{i}}\")\nf('country_code'){plain}"));
    assert!(text.contains("= {i}") && text.contains("a.users_v1 where user_id = {i}"), "{text}");
    assert!(text.contains("select country as country_code from a.users_v2 where user_id = 1"), "{text}");
}

#[test]
fn what_only_looks_like_a_reader_of_the_dataset_stays() {
    let client =
        "def f(client):\n    return client.table('a.users_v1').select('user_id').eq('country_code', 'DE').execute()\n";
    stays("python", client, "named as a value");
    let other = "import pandas as pd\nn = pd.read_gbq('a.users_v1', project_id='other')['country_code'].nunique()\n";
    stays("python", other, "another project");
    let (own, new) = (other.replace("'other'", "'p'"), [MOVES, ("country_code", "country")]);
    becomes("python", &own, &new);
    // Who pays is not whose table it is.
    becomes("python", &other.replace("'a.users_v1'", "'p.a.users_v1'"), &new);
    let given = "args = vars(parser.parse_args())\n";
    becomes("python", &own.replace("n = ", &format!("{given}n = ")), &new);
    let rows = "r = [r['COUNTRY_CODE'] for r in spark.table('a.users_v1').collect()]\n";
    stays("python", rows, "does not list COUNTRY_CODE");
    for path in ["gs://lake/users_*", "gs://lake/*", "gs://lake/{users_v1,x}", "gs://lake/users_v[12]"] {
        let code = format!("n = spark.read.parquet('{path}').count()\n");
        stays("python", &code, "a pattern that covers");
    }
    // What is put in may be anything, and so may what lies in any bucket.
    for path in ["gs://{bucket}/orders", "gs://*/x", "gs://lake/{date}/events"] {
        assert_eq!(moved("yaml", &format!("path: {path}\n")).1, Vec::<String>::new(), "{path}");
    }
    let class = |code: &str| {
        format!("object J {{ @BigQueryType.fromTable(\"p:a.users_v1\") class U\n def f(sc: ScioContext) = {code} }}")
    };
    for code in ["BigQuery().getTypedRows[U]().map(_.country_code)", "sc.bigQueryTable(Table.Spec(U.table)).count"] {
        stays("scala", &class(code), "the class is used");
    }
    // Calls that are added up are no text.
    let sums = format!("n = f({}) + g(1)\n", "spark.table('a.users_v1').count()");
    becomes("python", &sums, &[MOVES]);
}

#[test]
fn an_expression_stands_only_where_more_than_a_name_can() {
    let name = "a name is needed here";
    for code in [
        "drop('last_seen')",
        "dropDuplicates(['last_seen'])",
        "withColumnRenamed('last_seen', 'd')",
        "withWatermark('last_seen', '1 day')",
        "dropna(subset=['last_seen'])",
    ] {
        spark_stays(&format!("n = spark.table('a.users_v1').{code}.count()\n"), name);
    }
    for code in ["sort_values('last_seen')", "rename(columns={'last_seen': 'd'})", "drop(columns=['last_seen'])"] {
        stays("python", &format!("import pandas as pd\nn = len(pd.read_gbq('a.users_v1').{code})\n"), name);
    }
    let scala = |code: &str| {
        format!(
            "import b.dayOf\nobject J {{ def f(sc: ScioContext) = sc.bigQueryTable(Table.Spec(\"p:a.users_v1\")).map({code}).count }}"
        )
    };
    stays("scala", &scala("_.getString(\"last_seen\")"), "the function of a placeholder");
    let named = scala("r => r.getString(\"last_seen\")");
    stays("scala", &named.replace("import b.dayOf\n", ""), "speaks of dayOf, which is not imported");
    let moved = moved("scala", &named).0;
    assert!(moved.contains("dayOf(r.getString(\"last_active_at\"))"), "{moved}");
}

#[test]
fn what_needs_no_import_is_none_that_is_missing() {
    let frame = "import pandas as pd\ndf = pd.read_gbq('a.users_v1')\nn = df['points'].sum()\n";
    becomes("python", frame, &[MOVES, ("df['points']", "(df['score'] * 1.5)")]);
    let rows = "async function f(bq: BigQuery) {\n  const [rows] = await bq.query('select * from a.users_v1');\n  return rows.map((r) => r.points);\n}\n";
    let (text, why) = moved("typescript", rows);
    assert!(text.contains("Math.round(r.score)") || why.iter().all(|why| !why.contains("not imported")), "{why:?}");
}

#[test]
fn structs_of_frames_and_frames_by_their_names_stay() {
    for (code, why) in [
        ("df.groupBy('user_id').agg(F.max(F.struct(df.country_code)).alias('m'))", "the name of a field"),
        ("df.select(F.first(df.address).alias('a'))", "the whole struct"),
        ("df.select(F.expr('explode(address)').alias('d'))", "the whole struct"),
    ] {
        spark_stays(&format!("df = spark.table('a.users_v1')\nn = {code}.count()\n"), why);
    }
    let exploded = "df = spark.table('a.users_v1')\nn = df.select(F.explode(df.address).alias('d')).select('d.postcode').count()\n";
    let new = [MOVES, ("'d.postcode'", "F.col('d.zip').alias('postcode')")];
    spark(exploded, &new);
    let read = "import pandas as pd\ndf = pd.read_gbq('a.users_v1')\n";
    for code in [
        "n = duckdb.sql('select * from df where user_id > 3').df()['country_code'].nunique()\n",
        "n = sqldf('select user_id from df', locals())\n",
        "n = pd.eval(\"df.country_code == 'DE'\")\n",
    ] {
        stays("python", &format!("{read}{code}"), "by its name");
    }
}
