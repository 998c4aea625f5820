//! Mapping tables as rules see them: constants that all closures share. A table of ten thousand rows is
//! a handle: asking it copies a row, and never the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString, Map};

use super::budget::charge;
use super::error::fail;
use super::explain::plain;
use super::reference::Api;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// A table, or a table within one.
#[derive(Clone, Debug)]
pub(super) struct Table(Arc<BTreeMap<ImmutableString, Dynamic>>);

impl Table {
    pub(super) fn new(table: &toml::Table) -> Self {
        Self(Arc::new(table.iter().map(|(key, value)| (key.as_str().into(), value_of(value))).collect()))
    }
}

/// A value of a table: tables in it are shared as well.
fn value_of(value: &toml::Value) -> Dynamic {
    dynamic(value, &|table| Dynamic::from(Table::new(table)))
}

/// A value as rules see it; `table` makes what becomes of the tables in it.
pub(super) fn dynamic(value: &toml::Value, table: &dyn Fn(&toml::Table) -> Dynamic) -> Dynamic {
    match value {
        toml::Value::String(text) => text.clone().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.iter().map(|item| dynamic(item, table)).collect::<Array>().into(),
        toml::Value::Table(inner) => table(inner),
    }
}

/// What a function takes where it takes a map: one that a rule writes, or a table.
pub(super) fn entries(value: &Dynamic) -> Fallible<Vec<(String, Dynamic)>> {
    if let Some(table) = value.read_lock::<Table>() {
        return Ok(table.0.iter().map(|(key, value)| (key.to_string(), value.clone())).collect());
    }
    match value.read_lock::<Map>() {
        Some(map) => Ok(map.iter().map(|(key, value)| (key.to_string(), value.clone())).collect()),
        None => Err(no_table(value)),
    }
}

/// The keys of what a function takes where it takes a map.
pub(super) fn keys(value: &Dynamic) -> Fallible<Vec<String>> {
    let keys: Vec<String> = match (value.read_lock::<Table>(), value.read_lock::<Map>()) {
        (Some(table), _) => table.0.keys().map(ToString::to_string).collect(),
        (None, Some(map)) => map.keys().map(ToString::to_string).collect(),
        (None, None) => return Err(no_table(value)),
    };
    charge(keys.len())?;
    Ok(keys)
}

fn no_table(value: &Dynamic) -> Box<EvalAltResult> {
    fail(format!("expected a map or a mapping table, not {}", plain(value.type_name())))
}

pub(super) fn register(api: &mut Api<'_>) {
    let example = |when: &str| {
        format!(
            r#"const TABLES = mapping("users").tables; rule("example").lang("python").find("f($X)").when(|m| {when}).replace("g($X)").example("f('users_v1')", "g('users_v1')").unchanged("f('other')");"#
        )
    };
    let docs = "A mapping table, or a table in one. It is a constant that all closures share: asking for a row costs no more in a large one than in a small one. `key_of` reads all keys: say it outside of closures.";
    let value = example(r#"m.X.value in TABLES && TABLES[m.X.value] == "users_v2""#);
    api.type_of::<Table>("Table", docs, &value);
    let docs = "What stands under a key, also written `table.key`. A key that is not there is an error: see `in`.";
    api.function("Table[key] -> value", docs, &value, |t: &mut Table, key: ImmutableString| {
        let value = t.0.get(&key).cloned();
        value.ok_or_else(|| fail(format!("the table has no key `{key}`: ask for it first, with `\"{key}\" in …`")))
    });
    let docs = "Whether it has a key, also written `key in table`.";
    let contains = example("TABLES.contains(m.X.value)");
    api.function("Table.contains(key) -> bool", docs, &contains, |t: &mut Table, key: &str| t.0.contains_key(key));
    let keys = example(r#"m.X.value in TABLES.keys() && TABLES.values() == ["users_v2"]"#);
    api.function("Table.keys() -> Array", "Its keys, sorted.", &keys, |t: &mut Table| -> Fallible<Array> {
        charge(t.0.len())?;
        Ok(t.0.keys().map(|key| key.clone().into()).collect())
    });
    let docs = "What stands in it, in the order of the keys.";
    api.function("Table.values() -> Array", docs, &keys, |t: &mut Table| -> Fallible<Array> {
        charge(t.0.len())?;
        Ok(t.0.values().cloned().collect())
    });
    let len = example(r#"TABLES.len() == 1 && m.X.value == "users_v1""#);
    api.function("Table.len() -> number", "How many keys it has.", &len, |t: &mut Table| t.0.len() as i64);
}
