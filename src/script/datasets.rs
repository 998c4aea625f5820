//! `column("users.country_code")` and `dataset("users")` in rules.
//!
//! Must not: know how uses are found.

use std::sync::Arc;

use rhai::EvalAltResult;

use super::error::fail;
use super::finder::Spec;
use super::reference::Api;
use crate::dataset::mapping::{self, Mapping, Notation, Position};
use crate::dataset::{Datasets, Dialects, last_part};
use crate::digest::Digest;
use crate::pattern::{Piece, split};
use crate::rule::DatasetRules;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(api: &mut Api<'_>, datasets: Option<&Arc<DatasetRules>>) {
    let known = datasets.cloned();
    let docs = "A use of a dataset that the migration declares in `[datasets]`: in SQL its whole name, in code the literal that names it. Queries in the texts of code are looked into. Where it can't be told whether a place is one, `if_unknown` says what is done.";
    let example = r#"rule("example").lang(["sql", "python"]).find(dataset("users")).annotate("moves to a.users_v2").example("select id from a.users_v1 as u", "-- gander[example]: moves to a.users_v2\nselect id from a.users_v1 as u").unchanged("select id from b.users_v1");"#;
    api.function("dataset(name) -> Matcher", docs, example, move |name: &str| of_dataset(known.as_deref(), name));
    let known = datasets.cloned();
    let docs = "A use of a column of such a dataset, or of a field: `users.country_code`, `users.address.postcode`. In SQL it is the name without its qualifier, in code the literal or the name that reads it; whose column a name is, is told by scopes and the flow of values.";
    let example = r#"rule("example").lang("sql").find(column("users.country_code")).replace("country").example("select u.country_code as c, o.country_code as d from a.users_v1 u join b.orders o on o.id = u.id", "select u.country as c, o.country_code as d from a.users_v1 u join b.orders o on o.id = u.id").unchanged("select country_code from b.orders");"#;
    api.function("column(name) -> Matcher", docs, example, move |name: &str| of_column(known.as_deref(), name, None));
    let known = datasets.cloned();
    let docs = "The same, in one position only, as mapping tables call it: `\"read\"`, `\"filter\"`, `\"using\"`, `\"group\"` or `\"write\"`.";
    let example = r#"rule("example").lang("sql").find(column("users.country_code", "using")).refuse("the join would have another column").unchanged("select u.country_code from a.users_v1 u");"#;
    api.function("column(name, position) -> Matcher", docs, example, move |name: &str, position: &str| {
        of_column(known.as_deref(), name, Some(position))
    });
    let docs = "A column where it is compared with literals, in whatever way: `=`, `in`, `case`, `isin`, `===` … `$V` is one literal, `$$$V` all of them. Where there are several and one is sought, or what it is compared with is no literal, `if_unknown` says what is done.";
    let example = r#"rule("example").lang(["sql", "python"]).find(column("users.country_code").compared_with("$V")).where(#{ V: "UK" }).edit(|m, cx| edits([replace(m.V, lit_like(m.V, "GB"))])).example("select id from a.users_v1 where country_code = 'UK'", "select id from a.users_v1 where country_code = 'GB'").unchanged("select id from b.orders where country_code = 'UK'");"#;
    api.function("Matcher.compared_with(hole) -> Matcher", docs, example, compared);
}

/// The matcher of a column, with what it must be compared with.
fn compared(sought: &mut Spec, hole: &str) -> Fallible<Spec> {
    let Spec::Use { name, position: None, datasets, words, .. } = sought else {
        return Err(fail("compared_with is for a column: column(\"users.plan_type\").compared_with(\"$V\")"));
    };
    let pieces = split(hole);
    let [Piece::Hole(hole)] = pieces.as_slice() else {
        return Err(fail(format!(
            "compared_with takes a hole, `$V` or `$$$V`, not {hole:?}; where(…) says what it must be"
        )));
    };
    if !name.contains('.') {
        return Err(fail(format!("`{name}` is a dataset: its columns are compared, as in column(\"{name}.id\")")));
    }
    let (name, datasets, words) = (name.clone(), datasets.clone(), words.clone());
    Ok(Spec::Use { name, position: None, compared: Some(hole.clone()), words, datasets })
}

fn of_dataset(known: Option<&DatasetRules>, name: &str) -> Fallible<Spec> {
    let (rules, mapping) = find(known, name)?;
    if name != mapping.dataset {
        return Err(fail(format!("`{name}` is a column: write column({name:?})")));
    }
    Ok(sought(rules, mapping, name, None))
}

fn of_column(known: Option<&DatasetRules>, name: &str, position: Option<&str>) -> Fallible<Spec> {
    let (rules, mapping) = find(known, name)?;
    let Some(column) = name.strip_prefix(mapping.dataset.as_str()).and_then(|rest| rest.strip_prefix('.')) else {
        return Err(fail(format!("`{name}` is a dataset: write dataset({name:?}), or name a column of it")));
    };
    let names: Vec<String> = mapping
        .columns
        .iter()
        .flat_map(|column| {
            let fields = column.fields.iter().map(|(field, _)| format!("{}.{field}", column.name));
            std::iter::once(column.name.clone()).chain(fields)
        })
        .collect();
    if !names.iter().any(|one| one == column) {
        let near = names.iter().min_by_key(|one| strsim::osa_distance(one, column));
        let near = near.map(|near| format!("; is `{}.{near}` meant?", mapping.dataset)).unwrap_or_default();
        return Err(fail(format!("the table of {} lists no column `{column}`{near}", mapping.dataset)));
    }
    let words: Vec<&str> = Position::ALL.iter().map(|(word, _)| *word).collect();
    if let Some(position) = position.filter(|position| !words.contains(position)) {
        return Err(fail(format!("a position is one of {}, not {position:?}", words.join(", "))));
    }
    Ok(sought(rules, mapping, name, position))
}

/// The dataset that a name begins with.
fn find<'d>(known: Option<&'d DatasetRules>, name: &str) -> Fallible<(&'d DatasetRules, &'d Mapping)> {
    let mappings = known.map(|known| known.datasets.mappings.as_slice()).unwrap_or_default();
    let is = |mapping: &&Mapping| {
        name.strip_prefix(mapping.dataset.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let found = mappings.iter().filter(is).max_by_key(|mapping| mapping.dataset.len());
    known.zip(found).ok_or_else(|| {
        let names: Vec<&str> = mappings.iter().map(|mapping| mapping.dataset.as_str()).collect();
        let there = match known {
            Some(_) if !names.is_empty() => format!("there are: {}", names.join(", ")),
            Some(_) => "the migration names none".to_owned(),
            None => "no migration says any: `gander test` reads the migration.toml above the rule file, `gander plan \
                     FILE` the migration that it is given, and `gander apply` none"
                .to_owned(),
        };
        let (of, _) = name.split_once('.').unwrap_or((name, ""));
        fail(format!(
            "no dataset is called `{of}`; {there}\nname its table in the migration's [datasets], under `mappings`, \
             or under `by_rules` where rules alone say what becomes of it"
        ))
    })
}

fn sought(rules: &DatasetRules, mapping: &Mapping, name: &str, position: Option<&str>) -> Spec {
    let mut words: Vec<String> = mapping.names.iter().map(|name| last_part(&name.old).to_owned()).collect();
    words.sort();
    words.dedup();
    let (name, position) = (name.to_owned(), position.map(str::to_owned));
    Spec::Use { name, position, compared: None, words, datasets: rules.identity.to_string() }
}

/// The dataset with which the examples of the reference run.
pub(super) fn example() -> Option<Arc<DatasetRules>> {
    let table = "[dataset]\nname = \"users\"\n[names]\ntable = { old = \"a.users_v1\", new = \"a.users_v2\" }\n\
                 [columns]\nid = \"id\"\ncountry_code = \"country\"\n";
    let mut mapping = mapping::read(table, Notation::Toml, "users.toml").ok()?;
    mapping.by_rules = true;
    let datasets = Datasets { mappings: vec![mapping], ..Datasets::default() };
    Some(Arc::new(DatasetRules::new(datasets, Dialects::default(), Digest::of(table.as_bytes()))))
}
