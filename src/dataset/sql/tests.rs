use super::*;
use crate::dataset::decide::{Fate, Plain, decide};
use crate::dataset::mapping::{self, Notation};
use crate::dataset::{Datasets, Schemas};
use crate::language::by_name;
use crate::tree::parse;

const USERS: &str = r#"
[dataset]
name = "users"
[names]
table = { old = "p.a.users_v1", new = "p.a.users_v2" }
[columns]
user_id = "user_id"
country_code = "country"
signup_ts = "signed_up_at"
display_name = "display_name"
born = "current_date"
[columns.last_seen]
sql = "{last_active_at} + 0"
[columns.born_on]
sql = "{current_date} + 0"
[columns.plan_type]
to = "plan"
values = { F = "free", P = "premium" }
[columns.same]
to = "one"
values = { a = "x", b = "x" }
[columns.score]
drop = "gone"
[columns.tier]
to = "segment"
filter = "annotate"
using = "refuse"
[columns.band]
to = "bracket"
group = "annotate"
"#;

const ORDERS: &str = r#"
[dataset]
name = "orders"
[names]
table = { old = "p.s.orders_v1", new = "p.s.orders_v2" }
[columns]
user_id = "user_id"
"#;

const CLICKS: &str = r#"
[dataset]
name = "clicks"
[names]
table = { old = "p.s.clicks_v1", new = "p.s.clicks_v2" }
[columns]
user_id = "user_id"
"#;

/// The text after all that may move has moved; `!` and why for what stays.
fn moved(sql: &str) -> String {
    moved_in(sql, &Setting::default())
}

fn moved_in(sql: &str, setting: &Setting) -> String {
    let schemas = "\"b.other\" = [\"id\", \"country\", \"user_id\"]\n\"b.plain\" = [\"id\"]\n\
                   \"s.clicks_v1\" = [\"user_id\", \"page\"]\n";
    let datasets = Datasets {
        mappings: [USERS, ORDERS, CLICKS].map(|text| mapping::read(text, Notation::Toml, "m").unwrap()).into(),
        schemas: Schemas::read(schemas, "s").unwrap(),
        default: None,
    };
    let tree = parse(by_name("sql").unwrap(), sql).unwrap();
    let mut text = sql.to_owned();
    for unit in units(&tree, &datasets, setting).into_iter().rev() {
        match decide(&unit, &datasets, &Plain) {
            Fate::Mapped(edits) => edits.into_iter().rev().for_each(|(range, new)| text.replace_range(range, &new)),
            Fate::Annotated(reason) | Fate::Refused(reason) => return format!("! {}", reason.why),
        }
    }
    text
}

#[track_caller]
fn check(sql: &str, expected: &str) {
    check_in(Dialect::BigQuery, sql, expected);
}

#[track_caller]
fn check_in(dialect: Dialect, sql: &str, expected: &str) {
    let moved = moved_in(sql, &Setting { dialect, ..Setting::default() });
    let same = if expected.starts_with('!') {
        moved.contains(expected.trim_start_matches(['!', ' ']))
    } else {
        moved == expected
    };
    assert!(same && moved.starts_with('!') == expected.starts_with('!'), "{sql}\nbecame\n{moved}\nnot\n{expected}");
}

#[test]
fn a_new_name_never_meets_another_thing() {
    // The list's name comes first behind `order by`: `country` would be the alias.
    check("select upper(display_name) as country from a.users_v1 order by country_code", "! its new name, country");
    check(
        "select upper(display_name) as country from a.users_v1 order by display_name",
        "select upper(display_name) as country from a.users_v2 order by display_name",
    );
    // `country` of the inner table would capture the outer one.
    check(
        "select 1 from a.users_v1 where exists (select 1 from b.other where country_code = 'x')",
        "! its new name, country",
    );
    check(
        "select 1 from a.users_v1 as u where exists (select 1 from b.other where u.country_code = 'x')",
        "select 1 from a.users_v2 as u where exists (select 1 from b.other where u.country = 'x')",
    );
    // A name that is another table's now would be both afterwards.
    check(
        "select country from a.users_v1 as u join b.other as o on o.user_id = u.user_id",
        "! users will have a column country",
    );
    check(
        "select 1 from b.other where id in (select 2 from a.users_v1 where country = 'x')",
        "! the mapping of users does not list country",
    );
    // A star beside a name that it will have.
    check(
        "with s as (select *, upper(country_code) as country from a.users_v1) select user_id from s",
        "! the star will have a column country",
    );
}

#[test]
fn a_column_that_is_not_listed_holds_its_unit() {
    check("select upper(home_page) as home_page from a.users_v1", "! does not list home_page");
    check("select u.home_page as x from a.users_v1 u", "! does not list home_page");
    check("with s as (select * from a.users_v1) select home_page as x from s", "! does not list home_page");
    check(
        "select date_trunc(signup_ts, month) as m, date_trunc(signup_ts, week(monday)) as w, current_date as d from a.users_v1",
        "select date_trunc(signed_up_at, month) as m, date_trunc(signed_up_at, week(monday)) as w, current_date as d from a.users_v2",
    );
    check("select week(monday) as w from a.users_v1", "! does not list monday");
    check("select coalesce(date, user_id) as d from a.users_v1", "! does not list date");
    check(
        "select dateadd(day, 1, signup_ts) as d, safe.timestamp_trunc(signup_ts, hour) as h from a.users_v1",
        "select dateadd(day, 1, signed_up_at) as d, safe.timestamp_trunc(signed_up_at, hour) as h from a.users_v2",
    );
    // A name of time is a column where no function takes it.
    let join = "from a.users_v1 u join b.other p on p.id = u.user_id";
    for (item, name) in [
        ("month", "month"),
        ("max(date)", "date"),
        ("p.x + year", "year"),
        ("coalesce(date, p.x)", "date"),
        ("date(year, 1, 1)", "year"),
        ("date_diff(date, p.x, day)", "date"),
    ] {
        check(&format!("select {item} as m {join}"), &format!("! does not list {name}"));
    }
    check(
        &format!("select date_trunc(u.signup_ts, month) as m, extract(day from u.signup_ts) as d {join}"),
        "select date_trunc(u.signed_up_at, month) as m, extract(day from u.signed_up_at) as d from a.users_v2 u join \
         b.other p on p.id = u.user_id",
    );
}

#[test]
fn values_move_only_where_they_are_all_seen() {
    check(
        "select 1 from a.users_v1 where plan_type in ('F', 'P')",
        "select 1 from a.users_v2 where plan in ('free', 'premium')",
    );
    check(
        "select 1 from a.users_v1 where plan_type in ('F', other)",
        "! compared with a value that is not written here",
    );
    check("select count(distinct same) as n from a.users_v1", "! several values of same become one");
    check("select 1 from a.users_v1 where (plan_type) = ('F')", "select 1 from a.users_v2 where (plan) = ('free')");
    check("select 1 from a.users_v1 where plan_type = 'it''s'", "! the value is not known here");
    check("update a.users_v1 set plan_type = upper('p') where true", "! keeps the old meaning");
    check("select max(plan_type) as m from a.users_v1", "! goes through a function");
}

#[test]
fn expressions_keep_their_precedence() {
    check("select u.last_seen * 2 as x from a.users_v1 u", "select (u.last_active_at + 0) * 2 as x from a.users_v2 u");
    check("select last_seen from a.users_v1", "select last_active_at + 0 as last_seen from a.users_v2");
    check("select 1 from a.users_v1 join b.plain using (last_seen)", "! a name is needed here");
}

#[test]
fn a_dropped_column_is_taken_out_only_where_nobody_can_tell() {
    let kept = "with s as (select user_id, score from a.users_v1) select user_id from s";
    check(kept, "with s as (select user_id from a.users_v2) select user_id from s");
    check(
        "with s as (select distinct user_id, score from a.users_v1) select user_id from s",
        "! score has no successor",
    );
    check(
        "with s as (select user_id, score from a.users_v1 order by 2) select user_id from s",
        "! score has no successor",
    );
    check("with s as (select user_id, score from a.users_v1) select * from s", "! score has no successor");
    check(
        "with s as (select score, user_id from a.users_v1 union all select 1, 2) select user_id from s",
        "! score has no successor",
    );
    check("with s as (select score from a.users_v1) select count(*) as n from s", "! score has no successor");
}

#[test]
fn what_is_not_followed_holds_its_unit() {
    check(
        "select u.country_code as c from a.users_v1 u match_recognize (measures country_code as x pattern (a) define a as true)",
        "! gander does not follow",
    );
    check("select * except (score) from a.users_v1", "! ");
    check("create table x as select * from a.users_v1", "! its star leaves");
    check("create table x clone a.users_v1", "! a copy of the whole table");
    check("grant select on table a.users_v1 to 'x'", "! a statement about the table itself");
    check("insert into b.other select * from a.users_v1", "! columns of its star are paired by place");
    check(
        "select 1 from a.users_v1 where exists (select * from a.users_v1)",
        "select 1 from a.users_v2 where exists (select * from a.users_v2)",
    );
    check("select count(u) as n from a.users_v1 u", "! the whole row is a value");
    check("select (select as struct u.*).country_code as c from a.users_v1 u", "! ");
    check("{% for c in cols %}select {{ c }} from a.users_v1{% endfor %}", "! may name any column");
    check("select {{ f(x) }} as y from a.users_v1", "! may name any column");
    check("{% macro m() %}select country_code from a.users_v1{% endmacro %}", "! a macro writes this");
}

#[test]
fn nesting_has_a_limit_that_is_told() {
    let deep = |levels: usize| {
        format!("{}select country_code from a.users_v1{}", "select 1 from (".repeat(levels), ") x".repeat(levels))
    };
    assert!(!moved(&deep(20)).starts_with('!'));
    check(&deep(60), "! queries lie too deep");
    // Operators nest as deep as they are many, and are read without recursion.
    let many = format!("select 1 from a.users_v1 where {}country_code = 'x'", "display_name = 'y' or ".repeat(3000));
    assert!(moved(&many).ends_with("or country = 'x'"));
    let unions = vec!["select country_code from a.users_v1"; 400].join(" union all ");
    assert!(moved(&unions).ends_with("select country from a.users_v2"));
}

#[test]
fn a_table_further_in_may_have_a_column_that_nobody_listed() {
    let outer = "select user_id as a from a.users_v1 where user_id in (select user_id from s.orders_v1 where ";
    check(&format!("{outer}country_code = 'x')"), "! may belong to orders, whose mapping does not list it, or to");
    check(&format!("{outer}display_name = 'x')"), "! does not list display_name");
    // The schema of the nearer table says that it has none.
    check(
        &outer.replace("orders_v1 where ", "clicks_v1 where country_code = 'x')"),
        "select user_id as a from a.users_v2 where user_id in (select user_id from s.clicks_v2 where country = 'x')",
    );
    check(&outer.replace("orders_v1 where ", "clicks_v1 where page = 'x')"), "! does not list page");
    check(
        &format!("{outer}users_v1.country_code = 'x')"),
        "select user_id as a from a.users_v2 where user_id in (select user_id from s.orders_v2 where users_v2.country = 'x')",
    );
}

#[test]
fn a_parameter_of_a_function_is_not_taken_for_a_new_column() {
    for create in ["create function f(country string) as ((", "create table function f(country string) as (("] {
        let sql = format!("{create}select count(*) as n from a.users_v1 where country_code = country))");
        check(&sql, "! users will have a column country");
    }
}

#[test]
fn a_name_of_the_list_is_not_taken_for_a_new_column() {
    let snowflake = Setting { dialect: Dialect::Snowflake, ..Setting::default() };
    let sql = "select upper(country_code) as country, country || 'x' as y from a.users_v1";
    assert!(moved_in(sql, &snowflake).contains("will have a column country"), "{}", moved_in(sql, &snowflake));
    let plain = "select country_code as country from a.users_v1";
    assert_eq!(moved_in(plain, &snowflake), "select country as country from a.users_v2");
}

#[test]
fn what_is_called_like_a_new_name_never_becomes_it() {
    // A column further in is nearer than a parameter of the function.
    let of = "create function f(country string) as ((select count(*) from a.users_v1 where country_code = country))";
    check(of, "! will have a column country, which would be meant and not the parameter");
    check(
        "create table function f(country_code string) as select user_id from a.users_v1 where country_code = 'x'",
        "! a column and a parameter have this name",
    );
    // A lambda's own parameter is nearer than any column.
    check(
        "select array_filter(x.l, country -> country = 'x') as y from b.plain x, a.users_v1 u where u.country_code = 'x'",
        "select array_filter(x.l, country -> country = 'x') as y from b.plain x, a.users_v2 u where u.country = 'x'",
    );
    // Items see each other's names, and columns come first.
    for dialect in [Dialect::Snowflake, Dialect::Spark, Dialect::DuckDb] {
        check_in(
            dialect,
            "select upper(country_code) as country, concat(country, 'x') as y from a.users_v1",
            "! users will have a column country",
        );
        check_in(
            dialect,
            "select signup_ts as country from a.users_v1 where country > 'x'",
            "! users will have a column country",
        );
    }
    check(
        "select upper(display_name) as country from a.users_v1 order by country",
        "select upper(display_name) as country from a.users_v2 order by country",
    );
    // A table's name alone is its row.
    check("select country_code from a.users_v1 as country group by country_code", "! its new name, country");
    check(
        "select country.id from b.plain as country where exists (select 1 from a.users_v1 where country.id = user_id)",
        "! a table further in will have a column country",
    );
    check(
        "select users_v1.user_id from a.users_v1 join c.users_v2 on true",
        "! two tables of this query would be called users_v2",
    );
}

#[test]
fn a_dropped_column_stays_where_anything_may_read_it() {
    let list = "select user_id, score from a.users_v1";
    check(&format!("select user_id from ({list} order by score limit 10)"), "! score has no successor");
    check(&format!("select user_id from ({list} order by upper(score) limit 10)"), "! score has no successor");
    let with = format!("with u as ({list}) select");
    check(&format!("{with} a.user_id from u a join b.plain b using (score)"), "! score has no successor");
    check(&format!("{with} a.user_id from u a natural join b.plain b"), "! score has no successor");
    for row in ["u", "to_json_string(u)", "array_agg(u)", "count(distinct to_json_string(u))"] {
        check(&format!("{with} {row} as x from u"), "! score has no successor");
    }
    check(&format!("{with} to_json(struct(*)) as x from u"), "! score has no successor");
    check(
        &format!("{with} user_id from u order by user_id"),
        "with u as (select user_id from a.users_v2) select user_id from u order by user_id",
    );
}

#[test]
fn a_star_that_is_an_argument_is_a_value() {
    for call in ["object_construct(*)", "to_json(struct(*))", "hash(*)", "concat_ws(',', *)", "count(distinct *)"] {
        for dialect in [Dialect::Snowflake, Dialect::Spark, Dialect::BigQuery] {
            check_in(dialect, &format!("select {call} as x from a.users_v1"), "! its star is a value");
        }
    }
    check("select count(*) as n from a.users_v1", "select count(*) as n from a.users_v2");
    check("select count(*) over () as n from a.users_v1", "select count(*) over () as n from a.users_v2");
}

#[test]
fn names_in_quotes_keep_the_case_that_snowflake_has_them_in() {
    check_in(
        Dialect::Snowflake,
        "select \"COUNTRY_CODE\", u.\"COUNTRY_CODE\" as c, signup_ts as s from \"P\".\"A\".\"USERS_V1\" u",
        "select \"COUNTRY\" as \"COUNTRY_CODE\", u.\"COUNTRY\" as c, signed_up_at as s from \"P\".\"A\".\"USERS_V2\" u",
    );
    check_in(
        Dialect::Snowflake,
        "select \"USERS_V1\".\"COUNTRY_CODE\" as c from A.\"USERS_V1\"",
        "select \"USERS_V2\".\"COUNTRY\" as c from A.\"USERS_V2\"",
    );
    check_in(Dialect::Snowflake, "select \"LAST_SEEN\" as c from A.USERS_V1", "! in quotes case counts");
    check_in(Dialect::Ansi, "select \"COUNTRY_CODE\" as c from a.users_v1", "select \"country\" as c from a.users_v2");
}

#[test]
fn what_is_put_in_beside_a_clause_holds_its_unit() {
    check("select user_id from a.users_v1 {{ where }}", "! may name any column");
    check("select user_id from a.users_v1 u {{ only('u', 'country_code') }} order by 1", "! may name any column");
    check("select 1 from a.users_v1 u join b.plain c {{ on_country() }}", "! may name any column");
    check("{{ ctes() }} select user_id from a.users_v1", "! may name any column");
    let config = "{{ config(materialized='table') }} select user_id from a.users_v1";
    check(config, &config.replace("users_v1", "users_v2"));
    let ordinals = "select user_id, count(*) as n from a.users_v1 {{ dbt_utils.group_by(n=1) }}";
    check(ordinals, &ordinals.replace("users_v1", "users_v2"));
    check("select 1 from a.users_v1 {{ dbt_utils.group_by(columns) }} {{ dbt_utils.group_by('x') }}", "! may name any");
    check(
        "with u as (select user_id, score from a.users_v1 {{ dbt_utils.group_by(2) }}) select user_id from u",
        "! score has no successor",
    );
    let text = "select user_id from a.users_v1 where date(signup_ts) = '{{ ds }}'";
    check(text, &text.replace("users_v1", "users_v2").replace("signup_ts", "signed_up_at"));
    check("select @@COL as x from a.users_v1", "! no variable of the warehouse's");
    let known = "select @@project_id as x from a.users_v1";
    check(known, &known.replace("users_v1", "users_v2"));
    check(
        "select country_code as c from external_query('c', 'select country_code from a.users_v1')",
        "! SQL in a text",
    );
    check(
        "select c from a.users_v1 u cross join unnest(split(u.country_code, ',')) as c",
        "select c from a.users_v2 u cross join unnest(split(u.country, ',')) as c",
    );
}

#[test]
fn what_is_named_by_its_text_keeps_its_query_where_the_name_leaves() {
    let made = "! the name of what is calculated is made of";
    for dialect in [Dialect::Spark, Dialect::DuckDb, Dialect::Snowflake, Dialect::Ansi] {
        check_in(dialect, "select max(signup_ts) from a.users_v1", made);
        check_in(dialect, "with t as (select upper(country_code) from a.users_v1) select * from t", made);
        check_in(
            dialect,
            "select max(signup_ts) as m, count(user_id) from a.users_v1 where upper(country_code) = 'DE'",
            "select max(signed_up_at) as m, count(user_id) from a.users_v2 where upper(country) = 'DE'",
        );
    }
    check("select max(signup_ts) from a.users_v1", "select max(signed_up_at) from a.users_v2");
    // A table's name that qualifies goes into the expression.
    check("select users_v1.last_seen as l from a.users_v1", "select users_v2.last_active_at + 0 as l from a.users_v2");
    // A word of SQL is no name without quotes.
    check("select born as b from a.users_v1", "! has to be written in quotes");
    check("select born_on as b from a.users_v1", "! has to be written in quotes");
    check("select `born` as b from a.users_v1", "select `current_date` as b from a.users_v2");
    // A part of a value is another value.
    check_in(Dialect::DuckDb, "select plan_type[1] = 'P' as p from a.users_v1", "! a part of its value is taken");
}

#[test]
fn names_that_other_clauses_and_other_queries_mean_stay_what_they_are() {
    let kept = "country as country_code";
    for sql in [
        "insert into x.y select country_code from a.users_v1 order by country_code limit 3",
        "select array(select country_code from a.users_v1 order by country_code) as a",
        "select 1 from x.y where c in (select country_code from a.users_v1 order by country_code limit 3)",
        "select c from x.y union all (select country_code from a.users_v1 order by country_code limit 3)",
    ] {
        let moved = moved(sql);
        assert!(moved.contains(kept) && moved.contains("order by country_code"), "{moved}");
    }
    for sql in [
        "select user_id, (select count(*) from b.x as users_v2 where users_v2.i = users_v1.user_id) as n from a.users_v1",
        "select (select max(users_v2.user_id) from a.users_v1 as users_v2 where users_v1.user_id = 1) as n from a.users_v1",
        "select 1 from b.x as users_v2 where exists (select 1 from a.users_v1 where users_v1.user_id = users_v2.i)",
    ] {
        check(sql, "! is what another table is called");
    }
    let two = "with x as (select u.*, o.* from a.users_v1 u join b.x o using (user_id)) select country_code from x";
    check(two, "! two stars");
}

#[test]
fn a_table_of_whose_name_a_part_is_put_in_is_told() {
    let put_in = |sql: &str, hole: &str| {
        let at = sql.find(hole).unwrap();
        moved_in(sql, &Setting { holes: std::iter::once(at..at + hole.len()).collect(), ..Setting::default() })
    };
    assert!(put_in("select country_code from a.xxx", "xxx").starts_with("! which table is read"));
    assert_eq!(put_in("select other from a.xxx", "xxx"), "select other from a.xxx");
    assert_eq!(put_in("select country_code from b.xxx", "xxx"), "select country_code from b.xxx");
    check("select country_code from a.`users_v1$20240101`", "! a partition of the table is named");
    check("select country_code from `p.a.users_v1@-3600000-`", "! a partition of the table is named");
}

#[test]
fn a_policy_of_positions_follows_the_value() {
    let filter = "! the mapping does not let tier move in this position (filter)";
    for sql in [
        "with u as (select user_id, tier from a.users_v1) select user_id from u where tier = 3",
        "select user_id from (select user_id, tier + 1 as t from a.users_v1) where t = 3",
        "select case tier when 3 then 'a' end as x from a.users_v1",
        "select case when tier = 3 then 'a' end as x from a.users_v1",
        "select if(tier > 2, 1, 0) as y from a.users_v1",
        "select nullif(tier, 3) as y from a.users_v1",
        "from a.users_v1 |> aggregate count(*) as n group by tier |> where tier = 3",
        "select coalesce(tier, 0) in (1, 2) as y from a.users_v1",
        "select max(tier) as t, user_id from a.users_v1 group by user_id having t = 3",
        "with u(k, t) as (select user_id, tier from a.users_v1) select k from u where t = 3",
        "with u as (select id as t from b.other union all select tier from a.users_v1) select t from u where t = 3",
        "select 1 as one from b.plain where id in (select tier from a.users_v1)",
        "select id from b.plain join (select tier as t from a.users_v1) as s on s.t = id",
        "with u as (select tier as t from a.users_v1), v as (select *, 1 as n from u) select n from v where t > 2",
        "select id from b.plain except distinct select tier from a.users_v1",
        "select n from (select (select max(tier) from a.users_v1) as m, 1 as n) where m = 3",
    ] {
        check(sql, filter);
    }
    check(
        "select count(*) as n from (select tier from a.users_v1) as a join (select id as tier from b.plain) using (tier)",
        "! the mapping does not let tier move in this position (using)",
    );
    for sql in [
        "select b from (select band as b from a.users_v1) group by b",
        "select band as b, count(*) as n from a.users_v1 group by 1",
        "select distinct b from (select band as b from a.users_v1)",
        "select band from a.users_v1 union distinct select id from b.plain",
    ] {
        check(sql, "! the mapping does not let band move in this position (group)");
    }
    check("select user_id from a.users_v1 for system_time as of '2024-01-01'", "! the table is read as it was");
    for table in ["a.users_v1", "s.orders_v1"] {
        check(
            &format!("with u as (select distinct * from {table}) select user_id from u"),
            "! rows are the same or not",
        );
    }
    for sql in [
        "select x from unnest(array(select tier from a.users_v1)) as x where x = 3",
        "create table m.x as select tier as y from a.users_v1",
        "insert into m.x (y) select tier from a.users_v1",
        "merge into m.x as t using a.users_v1 as u on t.id = u.user_id when matched then update set y = u.tier",
        "merge into m.x as t using a.users_v1 as u on t.id = u.user_id when not matched then insert (y) values (u.tier)",
        "update m.x as t set y = u.tier from a.users_v1 as u where t.id = u.user_id",
        "create temp table t as select tier from a.users_v1; select 1 as n from t where tier = 3",
        "create or replace view m.x as select tier as y from a.users_v1; select y from m.x",
        "insert into m.x (y) select tier from a.users_v1; delete from m.x where y = 3",
        "with recursive r as (select tier as t from a.users_v1 union all select t from r where t > 2) select t from r",
        "with u as (select *, 1 as n from b.plain union all select tier, 1 from a.users_v1) select n from u where id = 3",
    ] {
        check(sql, "! the mapping does not let tier move in every position");
    }
}

#[test]
fn a_value_under_a_policy_moves_where_it_is_only_read() {
    for (sql, moved) in [
        (
            "tier as t, count(*) as n from a.users_v1 group by tier order by t",
            "segment as t, count(*) as n from a.users_v2 group by segment order by t",
        ),
        (
            "user_id from (select user_id, tier from a.users_v1)",
            "user_id from (select user_id, segment as tier from a.users_v2)",
        ),
        (
            "n from (select count(tier) as n from a.users_v1) where n > 3",
            "n from (select count(segment) as n from a.users_v2) where n > 3",
        ),
        (
            "t from (select tier as t, 1 as n from a.users_v1) where n = 1",
            "t from (select segment as t, 1 as n from a.users_v2) where n = 1",
        ),
    ] {
        check(&format!("select {sql}"), &format!("select {moved}"));
    }
}

#[test]
fn columns_come_before_names_of_the_list_where_the_dialect_says_so() {
    let sql = "select upper(country_code) as country_code, count(*) as n from a.users_v1 group by country_code";
    let moved = "select upper(country) as country_code, count(*) as n from a.users_v2 group by country";
    check_in(Dialect::Unsaid, sql, "! a name of the list or a column");
    // In BigQuery the list comes first for an item that is a name, and does not count in any other.
    let big = |by: &str, becomes: &str| {
        let all = |table: &str, column: &str, by: &str| {
            format!("select upper({column}) as country_code from a.{table} group by {by}")
        };
        let becomes = if becomes.starts_with('!') { becomes.to_owned() } else { all("users_v2", "country", becomes) };
        check_in(Dialect::BigQuery, &all("users_v1", "country_code", by), &becomes);
    };
    for by in ["country_code", "rollup(country_code)", "(country_code)"] {
        big(by, by);
    }
    big("upper(country_code)", "upper(country)");
    big("grouping sets((country_code, user_id))", "! a name of the list or a column");
    check_in(
        Dialect::BigQuery,
        "select upper(country_code) as country from a.users_v1 group by country",
        "select upper(country) as country from a.users_v2 group by country",
    );
    check_in(
        Dialect::BigQuery,
        "select upper(country_code) as country from a.users_v1 group by country_code",
        "! its new name, country",
    );
    check_in(
        Dialect::BigQuery,
        "from a.users_v1 |> aggregate max(user_id) as country_code group by country_code",
        "from a.users_v2 |> aggregate max(user_id) as country_code group by country as country_code",
    );
    for dialect in [Dialect::Ansi, Dialect::Snowflake, Dialect::DuckDb, Dialect::Spark] {
        check_in(dialect, sql, moved);
    }
    let having = "select max(country_code) as country_code from a.users_v1 having country_code = 'x'";
    check_in(Dialect::Snowflake, having, "! a name of the list or a column");
}

#[test]
fn what_using_made_one_is_no_other_tables() {
    check(
        "select country_code as c from a.users_v1 as u join (select country_code from a.users_v1) as w using (country_code)",
        "! the two sides would no longer have the column in common",
    );
    check(
        "select country_code as c from a.users_v1 as u join a.users_v1 as w using (country_code)",
        "select country as c from a.users_v2 as u join a.users_v2 as w using (country)",
    );
}

#[test]
fn what_a_template_puts_in_is_a_value_only_beside_a_column() {
    for part in ["$col = 'x'", "${COL} = 'x'", "identifier(:col) = 'x'", "user_id = 1 and $filter"] {
        let sql = format!("select user_id from a.users_v1 where {part}");
        assert!(moved(&sql).starts_with('!'), "{sql}: {}", moved(&sql));
    }
    let file = |part: &str| {
        let sql = format!("select user_id from a.users_v1 where {part}");
        moved_in(&sql, &Setting { file: true, ..Setting::default() })
    };
    assert!(file("user_id = 1 order by :by").starts_with('!') && file(":cond").starts_with('!'));
    assert!(!file("country_code = :c and signup_ts > :since limit :n").starts_with('!'));
    for part in ["country = $c", "country = ${C}", "country in ($a, $b)", "country = $1"] {
        let old = format!("select user_id from a.users_v1 where {}", part.replace("country", "country_code"));
        check(&old, &format!("select user_id from a.users_v2 where {part}"));
    }
}
