//! What a name holds, by the ways that lead to where it is read.

use super::*;

#[test]
fn what_a_name_holds_depends_on_the_way() {
    let code = |other: &str| {
        format!(
            "def f(spark, x):\n    df = spark.table('a.users_v1')\n    if x:\n        df = spark.table('{other}')\n    return df.where(F.col('country_code') == 'DE').count()\n"
        )
    };
    spark_stays(&code("b.other"), "at one time and something else at another");
    spark_stays(&code("c.unknown"), "at one time and something else at another");
    let (text, why) = moved("python", &format!("{SPARK}{}", code("a.users_v1")));
    assert!(why.is_empty() && text.matches("users_v2").count() == 2 && text.contains("F.col('country')"), "{why:?}");
}

#[test]
fn a_loop_may_change_what_it_reads() {
    spark_stays(
        "def f(spark):\n    df = spark.table('b.other')\n    for i in range(2):\n        print(df.where(df['country_code'] == 'DE').count())\n        df = spark.table('a.users_v1')\n",
        "at one time and something else at another",
    );
}

/// A way in which `df` is the users in some runs and something else in others, where
/// `BEFORE` and `AFTER` stand for two frames.
fn both(code: &str) {
    let (users, other) = ("spark.table('a.users_v1')", "spark.table('c.unknown')");
    let reads = "    return df.where(F.col('country_code') == 'DE').count()\n";
    for (before, after) in [(users, other), (other, users)] {
        let code = code.replace("BEFORE", before).replace("AFTER", after);
        spark_stays(&format!("def f(spark, x):\n{code}{reads}"), "at one time and something else at another");
    }
    // Where all ways give the same, it moves.
    let code = code.replace("BEFORE", users).replace("AFTER", users);
    let (text, why) = moved("python", &format!("{SPARK}def f(spark, x):\n{code}{reads}"));
    assert!(why.is_empty() && text.contains("F.col('country')"), "{code}: {why:?}");
}

#[test]
fn what_a_name_holds_after_ways_that_meet_is_any_of_them() {
    for code in [
        "    df = BEFORE\n    try:\n        df = AFTER\n        x()\n    except E:\n        pass\n",
        "    df = BEFORE\n    try:\n        x()\n    except E:\n        df = AFTER\n",
        "    df = BEFORE\n    try:\n        df = AFTER\n        x()\n        df = BEFORE\n    except E as e:\n        log(e)\n",
        "    df = BEFORE\n    try:\n        x()\n    except E:\n        pass\n    else:\n        df = AFTER\n",
        "    df = BEFORE\n    with suppress(E):\n        x()\n        df = AFTER\n",
        "    df = BEFORE\n    match x:\n        case 1:\n            df = AFTER\n",
        "    match x:\n        case 1:\n            df = BEFORE\n        case _:\n            df = AFTER\n",
        "    for y in x:\n        df = BEFORE\n        if y:\n            break\n        df = AFTER\n",
        "    df = BEFORE\n    while x:\n        df = AFTER\n        if x():\n            continue\n        df = BEFORE\n",
        "    a = BEFORE\n    b = a\n    c = a\n    df = a\n    for y in x:\n        df = c\n        c = b\n        b = AFTER\n",
        "    df = BEFORE if x else AFTER\n",
        "    df = BEFORE\n    x() and (df := AFTER).count()\n",
        "    df = BEFORE\n    y = [(df := AFTER) for z in x]\n",
        "    if x:\n        return_early()\n    df = BEFORE\n    if x:\n        df = AFTER\n",
        "    def g():\n        if x:\n            return BEFORE\n        return AFTER\n    df = g()\n",
    ] {
        both(code);
    }
}

#[test]
fn what_is_raised_from_the_end_of_a_handler_does_not_come_back() {
    spark(
        "def f(spark):\n    df = None\n    try:\n        df = spark.table('a.users_v1')\n    except E:\n        log()\n        raise\n    finally:\n        done()\n    return df.where(F.col('country_code') == 'DE').count()\n",
        &[MOVES, ("country_code", "country")],
    );
    spark_stays(
        "def f(spark):\n    df = spark.table('b.other')\n    try:\n        df = spark.table('a.users_v1')\n        x()\n    finally:\n        print(df.where(F.col('country_code') == 'DE').count())\n",
        "at one time and something else at another",
    );
}

#[test]
fn ways_of_other_languages_meet_alike() {
    let start = "async function f(bq, x) {\n  const users = bq.dataset('a').table('users_v1');\n  const other = bq.dataset('b').table('leads');\n  let [rows] = await users.getRows();\n";
    let end = "  return rows.map((r) => r.country_code).length;\n}\n";
    for way in [
        "switch (x) { case 1: [rows] = await other.getRows(); break; default: x(); }",
        "switch (x) { case 1: [rows] = await other.getRows(); if (x()) break; [rows] = await users.getRows(); }",
        "try { [rows] = await other.getRows(); } catch (e) { log(e); }",
        "for (const y of x) { [rows] = await other.getRows(); if (y) break; [rows] = await users.getRows(); }",
        "x && ([rows] = await other.getRows()).length;",
        "loop: for (const y of x) { [rows] = await other.getRows(); continue loop; }",
    ] {
        stays("typescript", &format!("{start}  {way}\n{end}"), "at one time and something else at another");
    }
    becomes("typescript", &format!("{start}{end}"), &[MOVES, ("country_code", "country")]);
    let java = |way: &str| {
        format!(
            "class A {{\n  long f(BigQuery bq, Iterable<TableRow> other, int x) {{\n    var rows = bq.listTableData(TableId.of(\"a\", \"users_v1\"));\n    {way}\n    long n = 0;\n    for (var r : rows) {{ if (r.get(\"country_code\") != null) n++; }}\n    return n;\n  }}\n}}\n"
        )
    };
    becomes("java", &java(""), &[MOVES, ("country_code", "country")]);
    for way in [
        "switch (x) { case 1: rows = other; break; default: x(); }",
        "switch (x) { case 1 -> rows = other; default -> x(); }",
        "rows = switch (x) { case 1 -> other; default -> rows; };",
        "try { rows = other; } catch (E e) { log(e); }",
        "try (R r = open()) { rows = other; } catch (E e) { log(e); }",
        "while (x > 0) { rows = other; if (x()) break; rows = bq.listTableData(TableId.of(\"a\", \"users_v1\")); }",
    ] {
        stays("java", &java(way), "at one time and something else at another");
    }
    let scala = |way: &str| {
        format!(
            "object A {{\n  def f(sc: ScioContext, other: SCollection[TableRow], x: Int) = {{\n    var rows = sc.bigQueryTable(Table.Spec(\"p:a.users_v1\"))\n    {way}\n    rows.map(r => r.getString(\"country_code\")).count\n  }}\n}}\n"
        )
    };
    becomes("scala", &scala(""), &[MOVES, ("country_code", "country")]);
    for way in [
        "x match { case 1 => rows = other; case _ => log() }",
        "try { rows = other; log() } catch { case e: E => log(e) }",
        "try { log() } catch { case e: E => rows = other }",
    ] {
        stays("scala", &scala(way), "at one time and something else at another");
    }
}

#[test]
fn a_function_reads_what_a_name_holds_when_it_runs() {
    let start = "let rows = null;\n";
    let end = "rows = (await bq.dataset('a').table('users_v1').getRows())[0];\n";
    let reads = "on('x', () => rows.map((r) => r.country_code).length);\n";
    becomes("typescript", &format!("{start}{reads}{end}"), &[("country_code", "country"), MOVES]);
    let other = "rows = (await bq.dataset('b').table('leads').getRows())[0];\n";
    stays("typescript", &format!("{start}{other}{reads}{end}"), "at one time and something else at another");
    stays("typescript", &format!("{start}{end}{reads}{other}"), "at one time and something else at another");
    let closure = |last: &str| {
        format!(
            "def f(spark):\n    df = spark.table('a.users_v1')\n    def g():\n        return df.where(F.col('country_code') == 'DE').count()\n    register(g)\n{last}"
        )
    };
    spark(&closure(""), &[MOVES, ("country_code", "country")]);
    spark_stays(&closure("    df = spark.table('b.other')\n"), "at one time and something else at another");
    spark_stays(
        "df = None\ndef f(spark):\n    global df\n    df = spark.table('a.users_v1')\ndef g():\n    return df['country_code']\n",
        "a name that several functions share",
    );
}
