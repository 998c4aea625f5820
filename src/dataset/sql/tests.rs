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
[columns.last_seen]
sql = "{last_active_at} + 0"
[columns.plan_type]
to = "plan"
values = { F = "free", P = "premium" }
[columns.same]
to = "one"
values = { a = "x", b = "x" }
[columns.score]
drop = "gone"
"#;

const ORDERS: &str = r#"
[dataset]
name = "orders"
[names]
table = { old = "p.s.orders_v1", new = "p.s.orders_v2" }
[columns]
user_id = "user_id"
"#;

/// The text after all that may move has moved; `!` and why for what stays.
fn moved(sql: &str) -> String {
    moved_in(sql, &Setting::default())
}

fn moved_in(sql: &str, setting: &Setting) -> String {
    let schemas = "\"b.other\" = [\"id\", \"country\", \"user_id\"]\n\"b.plain\" = [\"id\"]\n";
    let datasets = Datasets {
        mappings: [USERS, ORDERS].map(|text| mapping::read(text, Notation::Toml, "m").unwrap()).into(),
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
    let moved = moved(sql);
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
        "select date_trunc(signup_ts, month) as m, current_date as d from a.users_v1",
        "select date_trunc(signed_up_at, month) as m, current_date as d from a.users_v2",
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
