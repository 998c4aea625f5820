use super::*;
use crate::dataset::mapping::{self, Notation};

const USERS: &str = r#"
[dataset]
name = "users"
[names]
table = { old = "p.a.users_v1", new = "p.a.users_v2" }
dbt-source = { old = "a.users_v1", new = "a.users_v2" }
dbt-ref = { old = "dim_users_v1", new = "dim_users_v2" }
[columns]
user_id = "user_id"
country_code = "country"
signup_ts = "signed_up_at"
[columns.referrer]
annotate = "split"
[columns.plan_type]
to = "plan"
values = { F = "free", P = "premium" }
[columns.tier]
to = "segment"
filter = "annotate"
[columns.address]
to = "address"
fields = { postcode = "zip" }
"#;

const SOURCES: (&str, &str) = ("models/sources.yml", "sources:\n  - name: a\n    tables:\n      - name: users_v1\n");

/// Files after all that may move has moved, and why the rest stays.
pub(super) fn moved(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    moved_by(USERS, files)
}

fn moved_by(mapping: &str, files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    moved_in(Dialect::BigQuery, mapping, files)
}

fn moved_in(dialect: Dialect, mapping: &str, files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let mappings = vec![mapping::read(mapping, Notation::Toml, "m").unwrap()];
    let datasets = Datasets { mappings, ..Datasets::default() };
    let given: Vec<ProjectFile<'_>> = files.iter().map(|(path, text)| ProjectFile { path, text }).collect();
    let all = decided(&given, &datasets, dialect).unwrap();
    let mut why = Vec::new();
    let texts = files.iter().zip(all).map(|((_, text), units)| {
        let mut edits = Vec::new();
        for one in units {
            match one.fate {
                Fate::Mapped(more) => edits.extend(more),
                Fate::Annotated(reason) | Fate::Refused(reason) => why.push(reason.why),
            }
        }
        edits.sort_by_key(|(range, _): &(std::ops::Range<usize>, String)| range.start);
        let mut text = (*text).to_owned();
        edits.into_iter().rev().for_each(|(range, new)| text.replace_range(range, &new));
        text
    });
    (texts.collect(), why)
}

#[track_caller]
pub(super) fn stays(files: &[(&str, &str)], because: &str) {
    let (texts, why) = moved(files);
    assert!(texts.iter().zip(files).all(|(after, (_, before))| after == before), "{texts:?}");
    assert!(why.iter().any(|why| why.contains(because)), "{why:?}");
}

#[test]
fn models_and_sources_move_together_or_not_at_all() {
    let good = ("models/m.sql", "select country_code as c from {{ source('a', 'users_v1') }}");
    let (texts, why) = moved(&[good, SOURCES]);
    assert!(why.is_empty(), "{why:?}");
    assert_eq!(texts[0], "select country as c from {{ source('a', 'users_v2') }}");
    assert!(texts[1].contains("name: users_v2"));
    let bad = ("models/n.sql", "select referrer as r from {{ source('a', 'users_v1') }}");
    stays(&[good, bad, SOURCES], "another file of the project keeps it from moving: models/n.sql:1");
    let settings = ("dbt_project.yml", "name: p\nsources:\n  p:\n    a:\n      users_v1:\n        +enabled: true\n");
    let (texts, why) = moved(&[good, settings, SOURCES]);
    assert_eq!(texts[1], settings.1.replace("users_v1", "users_v2"), "{why:?}");
    let settings = ("dbt_project.yml", "name: p\nmodels:\n  q:\n    dim_users_v1: {+enabled: false}\n");
    stays(
        &[("models/m.sql", "select country_code as c from {{ ref('dim_users_v1') }}"), settings],
        "settings name the",
    );
    // A source that lies in a package gets no new name by moving a model.
    stays(&[good], "no file of this project declares the source");
}

#[test]
fn a_project_that_cannot_be_read_whole_stays() {
    let good = ("models/m.sql", "select country_code as c from {{ source('a', 'users_v1') }}");
    stays(
        &[good, ("models/n.sql", "select country_code frm where from {{ source('a', 'users_v1') }}"), SOURCES],
        "keeps it from moving",
    );
    let python = ("models/p.py", "def model(dbt, session):\n    return dbt.source('a', 'users_v1')\n");
    stays(&[good, python, SOURCES], "searched, not edited");
    let broken =
        ("models/sources.yml", "sources:\n  - name: a\n    tables:\n      - name: users_v1\n        columns: [\n");
    stays(&[good, broken], "");
}

#[test]
fn a_source_may_have_another_name_or_be_another_table() {
    let sources = |entry: &str| format!("sources:\n  - name: a\n    tables:\n{entry}");
    let model = |name: &str| format!("select country_code as c from {{{{ source('a', '{name}') }}}}");
    let text = sources("      - name: people\n        identifier: users_v1\n");
    let (texts, _) = moved(&[("models/m.sql", &model("people")), ("models/s.yml", &text)]);
    assert_eq!(texts, [model("people").replace("country_code", "country"), text.replace("users_v1", "users_v2")]);
    let other = sources("      - name: users_v1\n        identifier: elsewhere\n");
    let (texts, why) = moved(&[("models/m.sql", &model("users_v1")), ("models/s.yml", &other)]);
    assert_eq!((texts, why), (vec![model("users_v1"), other], Vec::new()));
    // Snowflake compares names without their case, and theirs stays.
    let upper = "sources:\n  - name: raw\n    schema: A\n    tables:\n      - name: u\n        identifier: USERS_V1\n";
    let reads = "select country_code as c from {{ source('raw', 'u') }}";
    let (texts, why) = moved_in(Dialect::Snowflake, USERS, &[("models/m.sql", reads), ("models/s.yml", upper)]);
    assert_eq!(texts, [reads.replace("country_code", "country"), upper.replace("V1", "V2")], "{why:?}");
    // In BigQuery another case is another table.
    let (text, mapping) = (upper.replace("schema: A", "schema: a"), USERS.replace("a.users_v1", "a.USERS_V1"));
    let (texts, why) = moved_in(Dialect::BigQuery, &mapping, &[("models/m.sql", reads), ("models/s.yml", &text)]);
    assert_eq!(texts[1], text.replace("USERS_V1", "users_v2"), "{why:?}");
    let named = "sources:\n  - name: ecom\n    schema: RAW\n    tables:\n      - name: orders\n";
    let orders = "[dataset]\nname = \"o\"\n[names]\ntable = { old = \"p.raw.orders\", new = \"p.raw.orders2\" }\n\
        dbt-source = { old = \"ecom.orders\", new = \"ecom.orders2\" }\n[columns]\nplaced = \"ordered\"\n";
    let placed = ("models/m.sql", "select placed as p from {{ source('ecom', 'orders') }}");
    let (texts, why) = moved_in(Dialect::Snowflake, orders, &[placed, ("models/s.yml", named)]);
    assert!(texts[1].contains("name: orders2"), "{why:?}");
    // The name of a table that has none in dbt is its path.
    let (schema, plain) =
        ("sources:\n  - name: b\n    schema: a\n    tables:\n      - name: users_v1\n", model("users_v1"));
    stays(&[("models/m.sql", &plain.replace("'a'", "'b'")), ("models/s.yml", schema)], "must become an identifier");
}

#[test]
fn where_a_source_is_stored_tells_it_from_the_dataset_only_where_the_mapping_knows_tables() {
    let names = |table: &str, new: &str| {
        let table = if table.is_empty() {
            String::new()
        } else {
            format!("table = {{ old = \"p.{table}.orders\", new = \"p.raw.orders2\" }}\n")
        };
        format!(
            "[dataset]\nname = \"o\"\n[names]\n{table}dbt-source = {{ old = \"ecom.orders\", new = \"{new}\" }}\n[columns]\nplaced = \"ordered\"\n"
        )
    };
    let sources =
        |more: &str| format!("sources:\n  - name: ecom\n    schema: raw\n    tables:\n      - name: orders\n{more}");
    let model = ("models/m.sql", "select placed as p from {{ source('ecom', 'orders') }}");
    let of = |mapping: &str, more: &str| moved_by(mapping, &[model, ("models/s.yml", &sources(more))]);
    for table in ["", "raw"] {
        let (texts, why) = of(&names(table, "ecom.orders2"), "");
        assert!(texts[0].contains("ordered as p") && texts[1].contains("name: orders2"), "{table}: {why:?}");
    }
    for (mapping, more, because) in [
        (names("", "shop.orders2"), "", "the source says itself which schema"),
        (names("", "ecom.orders2"), "        identifier: x\n", "an identifier besides"),
        (names("raw", "ecom.orders3"), "", "have different names"),
    ] {
        let (texts, why) = of(&mapping, more);
        assert_eq!(texts, [model.1.to_owned(), sources(more)]);
        assert!(why.iter().any(|why| why.contains(because)), "{why:?}");
    }
    // It is another table.
    assert_eq!(of(&names("other", "ecom.orders2"), ""), (vec![model.1.to_owned(), sources("")], Vec::new()));
}

#[test]
fn a_source_that_is_named_in_any_way_is_the_projects() {
    let named = "select country_code as c from {{ source(source_name='a', table_name='users_v1') }}";
    let (texts, why) = moved(&[("models/m.sql", named), SOURCES]);
    assert!(texts[0].contains("country as c") && texts[0].contains("table_name='users_v2'"), "{why:?}");
    let vars = ("dbt_project.yml", "name: p\nvars:\n  t: dim_users_v1\n");
    let plain = ("dbt_project.yml", "name: p\n");
    for (settings, text) in [
        (plain, "select country_code as c from {{ source('a', var('t')) }}"),
        (plain, "{% for t in ['users_v1', 'x'] %} select country_code as c from {{ source('a', t) }} {% endfor %}"),
        (plain, "select country_code as c from {{ builtins.ref('dim_users_v1', v=1) }}"),
        (plain, "select country_code as c from {{ ref(var('t', 'dim_users_v1')) }}"),
        (vars, "select country_code as c from {{ ref(var('t')) }}"),
    ] {
        let (texts, why) = moved(&[("models/m.sql", text), SOURCES, settings]);
        assert_eq!(texts[..2], [text, SOURCES.1], "{text}");
        assert!(!why.is_empty(), "{text}");
    }
    let other = "select country_code as c from {{ ref(var('t')) }}";
    assert_eq!(moved(&[("models/m.sql", other), plain]).1, Vec::<String>::new());
}

#[test]
fn a_column_that_a_template_names_keeps_its_query() {
    let from = "from {{ source('a', 'users_v1') }}";
    for list in [
        "{% if x %} country_code {% else %} 'x' as country_code {% endif %}",
        "{% if x %} country_code {% else %} signup_ts {% endif %}",
        "country_code {% if x %} as c {% endif %}",
        "{% if x %} country_code {% elif weekend %} 'x' as country_code {% endif %}",
        "{% if x %} country_code {% elif weekend %} 'x' as country_code, 1 as n {% endif %}",
    ] {
        stays(&[("models/m.sql", &format!("select user_id, {list} {from}")), SOURCES], "a template decides");
    }
    for (text, new) in [
        (format!("select user_id, {{% if x %}} country_code {{% else %}} 'x' {{% endif %}} as c {from}"), "country {%"),
        (format!("select {{% if x %}} country_code, {{% endif %}} user_id {from}"), "country as country_code"),
        (
            format!("{{% if x %}} select c from {{{{ ref('o') }}}} union all {{% endif %}} select country_code {from}"),
            "country as country_code",
        ),
    ] {
        let (texts, why) = moved(&[("models/m.sql", &text), SOURCES]);
        assert!(texts[0].contains(new), "{}: {why:?}", texts[0]);
    }
}

#[test]
fn tests_of_a_column_follow_it() {
    let text = "sources:\n  - name: a\n    tables:\n      - name: users_v1\n        loaded_at_field: signup_ts\n        columns:\n          \
        - name: plan_type\n            description: plan_type, as it was\n            tests:\n              - accepted_values:\n                  values: ['F', \"P\"]\n";
    let (texts, why) = moved(&[("models/s.yml", text)]);
    assert!(why.is_empty(), "{why:?}");
    let wanted = text
        .replace("users_v1", "users_v2")
        .replace("signup_ts", "signed_up_at")
        .replace("name: plan_type", "name: plan");
    assert_eq!(texts[0], wanted.replace("'F'", "'free'").replace("\"P\"", "\"premium\""));
    stays(&[("models/s.yml", &text.replace("\"P\"", "\"X\""))], "has no row");
    let odd = text.replace("loaded_at_field: signup_ts", "odd_test: signup_ts is not null");
    stays(&[("models/s.yml", &odd)], "does not know what this says");
}

#[test]
fn a_relationship_leads_to_the_datasets_column() {
    let text = "models:\n  - name: m\n    columns:\n      - name: country_code\n        tests:\n          - relationships:\n              \
        to: ref('q', 'dim_users_v1')\n              field: country_code\n";
    let text = text.replace("'q', ", "");
    let (texts, why) = moved(&[("models/s.yml", &text)]);
    assert!(why.is_empty(), "{why:?}");
    assert_eq!(texts[0], text.replace("dim_users_v1", "dim_users_v2").replace("field: country_code", "field: country"));
    // A model of the project that has the name is another one.
    let own = ("models/dim_users_v1.sql", "select 1 as country_code");
    assert_eq!(moved(&[("models/s.yml", &text), own]).0, [text, own.1.to_owned()]);
}

#[test]
fn only_macros_that_are_plain_expressions_take_columns() {
    let of = |text: &str| {
        let mut all = macros::macros(Some("shop"), [text].into_iter());
        all.retain(|name, _| !name.contains('.'));
        all
    };
    let clean = of("{% macro clean(c) %} upper(trim({{ c }})) {% endmacro %}");
    assert_eq!(clean.get("clean"), Some(&vec![Some("c".to_owned())]));
    for other in [
        "{% macro m(c) %} coalesce({{ c }}, country_code) {% endmacro %}",
        "{% macro m(c) %} {% if c %}{{ c }}{% endif %} {% endmacro %}",
        "{% macro m(c) %} {{ c | upper }} {% endmacro %}",
        "{% macro m(c) %} (select {{ c }} from t.u) {% endmacro %}",
        "{% macro m(c='x') %} {{ c }} {% endmacro %}",
        "{% macro m(c) %} date({{ c }}) as {{ c }} {% endmacro %}",
        "{% macro m(c) %} date({{ c }}) {{ c }} {% endmacro %}",
        "{% macro m(c, t) %} cast({{ c }} as {{ t }}) {% endmacro %}",
        "{% macro m(c) %} '{{ c }}' {% endmacro %}",
        "{% macro m(c) %} {{ c }}1 {% endmacro %}",
        "{% macro m(f) %} {{ f }}(1) {% endmacro %}",
    ] {
        assert!(of(other).is_empty(), "{other}");
    }
    // Handed on to one of several, of which each may be the one.
    let hands = "{% macro up(c) -%} {{ return(adapter.dispatch('up')(c)) }} {%- endmacro %}\n\
                 {% macro default__up(c) %} upper({{ c }})::varchar(2) {% endmacro %}\n";
    assert_eq!(of(hands).get("up"), Some(&vec![Some("c".to_owned())]));
    for (called, known) in [
        ("'up', 'shop'", true),
        ("'up', macro_namespace = 'shop'", true),
        ("\"up\", \"shop\"", true),
        ("'up', 'other'", false),
        ("'up', shop", false),
        ("up", false),
    ] {
        assert_eq!(of(&hands.replace("'up'", called)).contains_key("up"), known, "{called}");
    }
    let other = "{% macro up(c) %} {{ adapter.dispatch('up')(c) }} {% endmacro %}\n\
                 {% macro default__up(c) %} upper({{ c }}) {% endmacro %}\n\
                 {% macro spark__up(c) %} country_code {% endmacro %}\n";
    assert_eq!(of(other).get("up"), None);
    assert_eq!(of("{% macro up(c) %} {{ adapter.dispatch('up')(c) }} {% endmacro %}\n").get("up"), None);
}

#[test]
fn what_macros_of_dbt_take_moves_with_the_dataset() {
    let model = |item: &str| format!("select {item} as x from {{{{ source('a', 'users_v1') }}}}");
    for (item, becomes) in [
        ("{{ dbt.date_trunc('day', 'signup_ts') }}", "{{ dbt.date_trunc('day', 'signed_up_at') }}"),
        ("{{ dbt.dateadd('day', -1, 'signup_ts') }}", "{{ dbt.dateadd('day', -1, 'signed_up_at') }}"),
        (
            "{{ dbt.safe_cast('country_code', api.Column.translate_type(\"string\")) }}",
            "{{ dbt.safe_cast('country', api.Column.translate_type(\"string\")) }}",
        ),
        (
            "{{ dbt_utils.generate_surrogate_key(['user_id', 'country_code']) }}",
            "{{ dbt_utils.generate_surrogate_key(['user_id', 'country']) }}",
        ),
        (
            "{{ dbt_utils.surrogate_key('user_id', \"country_code\") }}",
            "{{ dbt_utils.surrogate_key('user_id', \"country\") }}",
        ),
    ] {
        let (texts, why) = moved(&[("models/m.sql", &model(item)), SOURCES]);
        assert_eq!(texts[0], model(becomes).replace("users_v1", "users_v2"), "{why:?}");
    }
    for item in [
        "{{ dbt.date_trunc('day', \"'country_code'\") }}",
        "{{ dbt.date_trunc('country_code', 'signup_ts') }}",
        "{{ dbt.date_trunc(part, 'signup_ts') }}",
        "{{ dbt.dateadd('day', -n, 'signup_ts') }}",
        "{{ dbt.dateadd('day', 1 - n, 'signup_ts') }}",
        "{{ dbt_utils.generate_surrogate_key(columns) }}",
        "{{ dbt_utils.generate_surrogate_key(['user_id', \"coalesce(country_code, '')\"]) }}",
        "{{ dbt_utils.pivot('country_code', ['a']) }}",
    ] {
        stays(&[("models/m.sql", &model(item)), SOURCES], "may name any column");
    }
    // Another package may come first, where the project says so.
    let up = "{% macro up(c) %} {{ adapter.dispatch('up', 'shop')(c) }} {% endmacro %}\n\
              {% macro default__up(c) %} upper({{ c }}) {% endmacro %}\n";
    let first = "name: shop\ndispatch:\n  - macro_namespace: shop\n    search_order: ['other', 'shop']\n";
    for (settings, moves) in [("name: shop\n", true), (first, false), ("name: other\n", false)] {
        let model = ("models/m.sql", model("{{ up('country_code') }}"));
        let files = [(model.0, &*model.1), SOURCES, ("macros/up.sql", up), ("dbt_project.yml", settings)];
        assert_eq!(moved(&files).0[0].contains("up('country')"), moves, "{settings}");
    }
    // The project has its own.
    let own = ("macros/d.sql", "{% macro default__date_trunc(a, b) %} country_code {% endmacro %}");
    stays(&[("models/m.sql", &model("{{ dbt.date_trunc('day', 'signup_ts') }}")), SOURCES, own], "may name any column");
}

#[test]
fn what_a_template_may_write_is_told_with_the_macros_that_may_write_it() {
    let model = ("models/m.sql", "select {{ columns() }} from {{ source('a', 'users_v1') }}");
    let written = ("macros/columns.sql", "{% macro columns() %}country_code{% endmacro %}");
    let mappings = vec![mapping::read(USERS, Notation::Toml, "m").unwrap()];
    let datasets = Datasets { mappings, ..Datasets::default() };
    let files = [model, written, SOURCES].map(|(path, text)| ProjectFile { path, text });
    let all = decided(&files, &datasets, Dialect::BigQuery).unwrap();
    let told: Vec<&str> =
        all[1].iter().flat_map(|one| &one.unit.uses).map(|one| &written.1[one.range.clone()]).collect();
    assert_eq!(told, ["country_code"]);
    assert!(all.iter().flatten().all(|one| matches!(one.fate, Fate::Annotated(_))));
}

#[test]
fn what_templates_do_with_a_dataset_is_not_shown_and_holds_it() {
    let good = ("models/m.sql", "select country_code as c from {{ ref('dim_users_v1') }}");
    for (text, because) in [
        ("{{ dbt_utils.deduplicate(relation=ref('dim_users_v1'), partition_by='country_code') }}", "not shown here"),
        ("{{ dbt_utils.union_relations(relations=[ref('dim_users_v1'), ref('o')]) }}", "not shown here"),
        ("{% for r in run_query(\"select country_code from a.users_v1\") %} select 1 {% endfor %}", "SQL in a text"),
        ("{% for c in adapter.get_columns_in_relation(ref('dim_users_v1')) %} select 1 {% endfor %}", "not shown here"),
        (
            "{{ config(pre_hook=\"delete from a.users_v1 where country_code is null\") }} select 1 from {{ ref('o') }}",
            "SQL in a text",
        ),
        ("select country_code as c from {{ ref('dim_users_v1', v=2) }}", "a version of the model"),
        ("select {{ up('signup_ts') }} from {{ ref('dim_users_v1') }}", "may name any column"),
        ("select user_id from {{ ref('dim_users_v1') }} {{ up('signup_ts') }}", "may name any column"),
    ] {
        let up = ("macros/up.sql", "{% macro up(c) %} date({{ c }}) as {{ c }} {% endmacro %}");
        stays(&[good, ("models/n.sql", text), up], because);
    }
    for text in [
        "selectors:\n  - name: u\n    definition: 'source:a.users_v1+'\n",
        "selectors:\n  - name: u\n    definition: {method: source, value: a.users_v1}\n",
        "selectors:\n  - name: u\n    definition: dim_users_v1+\n",
    ] {
        stays(&[good, ("selectors.yml", text)], "named as a value");
    }
    let versioned = "models:\n  - name: m\n    columns:\n      - name: c\n        tests:\n          - relationships: {to: \"ref('dim_users_v1', v=2)\", field: user_id}\n";
    stays(&[good, ("models/s.yml", versioned)], "a version of the model");
}

#[test]
fn fields_and_tests_of_a_source_are_read() {
    let model = |list: &str| format!("select {list} from {{{{ source('a', 'users_v1') }}}}");
    let source = |column: &str| format!("{}        columns:\n          - name: {column}\n", SOURCES.1);
    let (texts, why) =
        moved(&[("models/m.sql", &model("address.postcode as p")), ("models/s.yml", &source("address.postcode"))]);
    assert!(why.is_empty() && texts[0].contains("address.zip as p") && texts[1].contains("address.zip"), "{why:?}");
    let street = source("address.street");
    stays(&[("models/m.sql", &model("user_id")), ("models/s.yml", &street)], "does not list this field");
    for test in ["accepted_values: {values: [1, 2]}", "relationships: {to: ref('t'), field: id}", "my_test"] {
        let tests = format!("{}            tests:\n              - {test}\n", source("tier"));
        stays(&[("models/m.sql", &model("user_id")), ("models/s.yml", &tests)], "a test compares its values");
    }
    let counted = source("tier") + "            tests:\n              - not_null\n";
    let (texts, why) = moved(&[("models/m.sql", &model("user_id")), ("models/s.yml", &counted)]);
    assert!(texts[1].contains("name: segment"), "{why:?}");
}

#[test]
fn what_the_model_built_before_has_the_names_of_its_list() {
    let newer = "where signup_ts > (select max(signup_ts) from {{ this }})";
    for (old, new) in [
        (
            format!("select user_id, signup_ts from {{{{ source('a', 'users_v1') }}}} {newer}"),
            format!(
                "select user_id, signed_up_at as signup_ts from {{{{ source('a', 'users_v2') }}}} {}",
                newer.replacen("signup_ts", "signed_up_at", 1)
            ),
        ),
        (
            format!(
                "with s as (select signup_ts from {{{{ source('a', 'users_v1') }}}}) select signup_ts from s {newer}"
            ),
            format!(
                "with s as (select signed_up_at as signup_ts from {{{{ source('a', 'users_v2') }}}}) select signup_ts from s {newer}"
            ),
        ),
    ] {
        let (texts, why) = moved(&[("models/m.sql", &old), SOURCES]);
        assert_eq!(texts[0], new, "{why:?}");
    }
    // A name that the list does not show may be either's.
    let other = "select user_id, * from {{ source('a', 'users_v1') }} where signup_ts > (select max(signup_ts) from {{ this }})";
    let (texts, _) = moved(&[("models/m.sql", other), SOURCES]);
    assert_eq!(texts[0], other);
}

#[test]
fn comments_of_templates_are_found_in_one_walk() {
    assert_eq!(braces("a {# b #} {{ '{#' }} {# c #}", true), [4..7, 23..26]);
    assert!(braces(&"{#".repeat(1 << 20), true).is_empty());
}
