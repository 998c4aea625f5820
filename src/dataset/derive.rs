//! A mapping table out of two schemas: what they leave open is marked for a person.
//!
//! Only what the schemas themselves say is decided: a column of the same name and type is
//! kept, one that the new schema gives as an alias is renamed. Names that look alike are
//! told, never mapped. Must not: read files.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use super::mapping::System;

/// Largest schema, in bytes.
pub const MAX_SCHEMA: u64 = 16 << 20;
/// Deepest nesting of structs.
const MAX_DEPTH: usize = 32;

/// A table as a schema tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What it is called, as far as the schema says.
    pub names: Vec<(System, String)>,
    /// Its columns, in order.
    pub columns: Vec<Field>,
}

/// A column, or a field of a struct.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type, as BigQuery calls it; `None` where the schema does not say.
    pub kind: Option<String>,
    /// The same as Avro has it, in full: how a value is coded, and what it may be.
    pub coded: Option<String>,
    /// Fields of a struct, or of the structs in an array.
    pub fields: Vec<Field>,
    /// Names that it had before, as the schema says.
    pub aliases: Vec<String>,
}

/// Reads a schema: BigQuery's JSON (a list of fields, or what `bq show` prints), an Avro
/// record, or a `schema.yml` of dbt with one model or source table, or with the one called
/// `model`.
///
/// # Errors
/// What is wrong with it, or what it is not.
pub fn read(text: &str, yaml: bool, model: Option<&str>) -> Result<Table, String> {
    if yaml {
        return of_dbt(text, model);
    }
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let avro = value.get("type").and_then(Value::as_str) == Some("record");
    if avro {
        return of_avro(&value);
    }
    let table = value.get("schema").unwrap_or(&value);
    let fields = table.as_array().or_else(|| table.get("fields").and_then(Value::as_array));
    let fields = fields.ok_or("neither a schema of BigQuery (a list of fields) nor a record of Avro")?;
    let mut names = Vec::new();
    let reference = value.get("tableReference");
    let part = |key: &str| reference?.get(key)?.as_str();
    if let (Some(project), Some(dataset), Some(table)) = (part("projectId"), part("datasetId"), part("tableId")) {
        names.push((System::Table, format!("{project}.{dataset}.{table}")));
    }
    Ok(Table { names, columns: fields.iter().map(|field| of_bigquery(field, 0)).collect::<Result<_, _>>()? })
}

fn of_bigquery(field: &Value, depth: usize) -> Result<Field, String> {
    let text = |key: &str| field.get(key).and_then(Value::as_str);
    let name = text("name").ok_or("a field has no name")?.to_owned();
    let kind = text("type").ok_or_else(|| format!("{name} has no type"))?.to_uppercase();
    let fields = field.get("fields").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if depth > MAX_DEPTH {
        return Err(format!("{name} lies too deep"));
    }
    let kind = match kind.as_str() {
        "INTEGER" => "INT64",
        "FLOAT" => "FLOAT64",
        "BOOLEAN" => "BOOL",
        "RECORD" => "STRUCT",
        other => other,
    };
    let kind = if text("mode").is_some_and(|mode| mode.eq_ignore_ascii_case("repeated")) {
        format!("ARRAY<{kind}>")
    } else {
        kind.to_owned()
    };
    let fields = fields.iter().map(|field| of_bigquery(field, depth + 1)).collect::<Result<_, _>>()?;
    Ok(Field { name, kind: Some(kind), fields, ..Field::default() })
}

fn of_avro(record: &Value) -> Result<Table, String> {
    let name = record.get("name").and_then(Value::as_str).ok_or("the record has no name")?;
    let whole = match record.get("namespace").and_then(Value::as_str) {
        Some(namespace) if !name.contains('.') => format!("{namespace}.{name}"),
        _ => name.to_owned(),
    };
    Ok(Table { names: vec![(System::Type, whole)], columns: avro_fields(record, 0)? })
}

fn avro_fields(record: &Value, depth: usize) -> Result<Vec<Field>, String> {
    let fields = record.get("fields").and_then(Value::as_array).ok_or("a record has no fields")?;
    let one = |field: &Value| {
        let name = field.get("name").and_then(Value::as_str).ok_or("a field has no name")?.to_owned();
        let kind = field.get("type").ok_or_else(|| format!("{name} has no type"))?;
        let aliases = field.get("aliases").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let aliases = aliases.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let coded = Some(coded(kind, 0));
        let (kind, fields) = avro_type(kind, depth)?;
        Ok(Field { name, kind: Some(kind), coded, fields, aliases })
    };
    fields.iter().map(one).collect()
}

/// A type of Avro as BigQuery calls it, and the fields of a record.
fn avro_type(kind: &Value, depth: usize) -> Result<(String, Vec<Field>), String> {
    if depth > MAX_DEPTH {
        return Err("the schema is nested too deep".to_owned());
    }
    match kind {
        Value::Array(branches) => {
            // A union with null is a column that may be null.
            let rest: Vec<&Value> = branches.iter().filter(|one| one.as_str() != Some("null")).collect();
            match rest.as_slice() {
                [one] => avro_type(one, depth + 1),
                _ => Ok(("UNION".to_owned(), Vec::new())),
            }
        }
        Value::String(name) => Ok((plain(name).to_owned(), Vec::new())),
        Value::Object(_) => {
            let text = |key: &str| kind.get(key).and_then(Value::as_str);
            let logical = text("logicalType").unwrap_or_default();
            if let Some(known) = logical_type(logical) {
                return Ok((known.to_owned(), Vec::new()));
            }
            match text("type") {
                Some("record") => Ok(("STRUCT".to_owned(), avro_fields(kind, depth + 1)?)),
                Some("array") => {
                    let items = kind.get("items").ok_or("an array has no items")?;
                    let (of, fields) = avro_type(items, depth + 1)?;
                    Ok((format!("ARRAY<{of}>"), fields))
                }
                Some("map") => Ok(("MAP".to_owned(), Vec::new())),
                Some(name) => Ok((plain(name).to_owned(), Vec::new())),
                None => avro_type(kind.get("type").ok_or("a type has no type")?, depth + 1),
            }
        }
        _ => Err("a type is neither a name nor an object".to_owned()),
    }
}

/// A type of Avro in full, but for what a record holds and whether it may be null.
fn coded(kind: &Value, depth: usize) -> String {
    let inner = |one: &Value| if depth < MAX_DEPTH { coded(one, depth + 1) } else { String::new() };
    match kind {
        Value::Array(branches) => {
            let rest = branches.iter().filter(|one| one.as_str() != Some("null"));
            rest.map(inner).collect::<Vec<_>>().join(" or ")
        }
        Value::Object(_) => {
            let text = |key: &str| kind.get(key).and_then(Value::as_str);
            let base = match (text("type"), kind.get("type")) {
                (Some("array"), _) => format!("array of {}", kind.get("items").map(inner).unwrap_or_default()),
                (Some("map"), _) => format!("map of {}", kind.get("values").map(inner).unwrap_or_default()),
                (Some(name), _) => name.to_owned(),
                (None, of) => of.map(inner).unwrap_or_default(),
            };
            let symbols = kind.get("symbols").and_then(Value::as_array).map(|all| {
                let all = all.iter().filter_map(Value::as_str);
                all.collect::<Vec<_>>().join("/")
            });
            let number = |key: &str| Some(format!("{key} {}", kind.get(key)?.as_u64()?));
            let more =
                [text("logicalType").map(str::to_owned), symbols, number("precision"), number("scale"), number("size")];
            let more: Vec<String> = more.into_iter().flatten().collect();
            if more.is_empty() { base } else { format!("{base} ({})", more.join(", ")) }
        }
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

/// As BigQuery loads Avro.
fn plain(name: &str) -> &str {
    match name {
        "string" | "enum" => "STRING",
        "int" | "long" => "INT64",
        "float" | "double" => "FLOAT64",
        "boolean" => "BOOL",
        "bytes" | "fixed" => "BYTES",
        other => other,
    }
}

fn logical_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "date" => "DATE",
        "timestamp-millis" | "timestamp-micros" => "TIMESTAMP",
        "local-timestamp-millis" | "local-timestamp-micros" => "DATETIME",
        "time-millis" | "time-micros" => "TIME",
        "decimal" => "NUMERIC",
        _ => return None,
    })
}

#[derive(Deserialize)]
struct DbtFile {
    #[serde(default)]
    models: Vec<DbtTable>,
    #[serde(default)]
    sources: Vec<DbtSource>,
}

#[derive(Deserialize)]
struct DbtSource {
    name: String,
    #[serde(default)]
    tables: Vec<DbtTable>,
}

#[derive(Deserialize)]
struct DbtTable {
    name: String,
    #[serde(default)]
    columns: Vec<DbtColumn>,
}

#[derive(Deserialize)]
struct DbtColumn {
    name: String,
    #[serde(default)]
    data_type: Option<String>,
}

fn of_dbt(text: &str, wanted: Option<&str>) -> Result<Table, String> {
    let file: DbtFile = serde_saphyr::from_str(text).map_err(|error| format!("no schema.yml of dbt: {error}"))?;
    let models = file.models.into_iter().map(|model| (System::DbtRef, model.name.clone(), model));
    let tables = file.sources.into_iter().flat_map(|source| {
        let whole = move |table: DbtTable| (System::DbtSource, format!("{}.{}", source.name, table.name), table);
        source.tables.into_iter().map(whole).collect::<Vec<_>>()
    });
    let all: Vec<(System, String, DbtTable)> = models.chain(tables).collect();
    let names: Vec<String> = all.iter().map(|(_, name, _)| name.clone()).collect();
    let mut found: Vec<_> = all.into_iter().filter(|(_, name, _)| wanted.is_none_or(|wanted| wanted == name)).collect();
    let (Some((system, name, table)), true) = (found.pop(), found.is_empty()) else {
        return Err(match names.is_empty() {
            true => "it has no model and no source".to_owned(),
            false => format!("say which is meant: {}", names.join(", ")),
        });
    };
    let column = |column: DbtColumn| Field {
        coded: None,
        name: column.name,
        kind: column.data_type.map(|kind| kind.trim().to_uppercase()),
        ..Field::default()
    };
    Ok(Table { names: vec![(system, name)], columns: table.columns.into_iter().map(column).collect() })
}

/// What two schemas tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The mapping table, as TOML.
    pub toml: String,
    /// How many columns are decided.
    pub decided: usize,
    /// How many a person decides.
    pub open: usize,
    /// Whether the table has a name in some system: without one it can't be used yet.
    pub named: bool,
}

/// The table that leads from `old` to `new`; `dataset` is what reports call it.
pub fn derive(dataset: &str, old: &Table, new: &Table) -> Derived {
    let mut names = String::new();
    for (system, from) in &old.names {
        let to = new.names.iter().find(|(other, name)| other == system && name != from);
        let word = System::ALL.iter().find(|(_, one)| one == system).map_or("table", |(word, _)| word);
        if let Some((_, to)) = to {
            let _ = writeln!(names, "{word} = {{ old = {}, new = {} }}", quoted(from), quoted(to));
        }
    }
    let named = !names.is_empty();
    if !named {
        names = "# table = { old = \"project.dataset.old\", new = \"project.dataset.new\" }\n".to_owned();
    }
    let (mut plain, mut sections, mut decided, mut open) = (String::new(), String::new(), 0, 0);
    for column in &old.columns {
        if !is_name(&column.name) {
            // Unlisted, it is unknown: what uses it stays.
            open += 1;
            let _ = writeln!(plain, "# {}: a mapping table can't hold this name", quoted(&column.name));
            continue;
        }
        match becomes(column, &new.columns) {
            Becomes::To(to, fields) if fields.is_empty() => {
                decided += 1;
                let _ = writeln!(plain, "{} = {}", key(&column.name), quoted(&to));
            }
            Becomes::To(to, fields) => {
                decided += 1;
                let pairs: Vec<String> =
                    fields.iter().map(|(from, to)| format!("{} = {}", key(from), quoted(to))).collect();
                let _ = write!(
                    sections,
                    "\n[columns.{}]\nto = {}\nfields = {{ {} }}\n",
                    key(&column.name),
                    quoted(&to),
                    pairs.join(", ")
                );
            }
            Becomes::Open(why) => {
                open += 1;
                let _ = write!(sections, "\n[columns.{}]\nannotate = {}\n", key(&column.name), quoted(&why));
            }
        }
    }
    let toml = format!(
        "# What is marked `annotate` is for a person to decide.\n\n[dataset]\nname = {}\n\n[names]\n{names}\n[columns]\n{plain}{sections}",
        quoted(dataset)
    );
    Derived { toml, decided, open, named }
}

enum Becomes {
    To(String, Vec<(String, String)>),
    Open(String),
}

fn becomes(old: &Field, new: &[Field]) -> Becomes {
    let same = new.iter().find(|field| field.name == old.name);
    let alias: Vec<&Field> = new.iter().filter(|field| field.aliases.contains(&old.name)).collect();
    let found = match (same, alias.as_slice()) {
        (Some(field), []) => field,
        (None, [field]) => field,
        (Some(_), _) => return Becomes::Open("it is there still, and another column has it as an alias".to_owned()),
        (None, []) => return Becomes::Open(missing(old, new)),
        (None, _) => return Becomes::Open("several columns have it as an alias".to_owned()),
    };
    if found.kind != old.kind {
        let word = |kind: &Option<String>| kind.clone().unwrap_or_else(|| "no type".to_owned());
        return Becomes::Open(format!("{} was {}, and is {}", found.name, word(&old.kind), word(&found.kind)));
    }
    if let (Some(was), Some(is)) = (&old.coded, &found.coded)
        && was != is
    {
        return Becomes::Open(format!("{} was {was} in Avro, and is {is}", found.name));
    }
    let mut fields = Vec::new();
    for field in &old.fields {
        match becomes(field, &found.fields) {
            Becomes::To(to, inner) if inner.iter().all(|(from, to)| from == to) => {
                fields.push((field.name.clone(), to))
            }
            Becomes::To(..) => return Becomes::Open(format!("fields of {} have other names", field.name)),
            Becomes::Open(why) => return Becomes::Open(format!("{}: {why}", field.name)),
        }
    }
    Becomes::To(found.name.clone(), fields)
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit()) && key(name) == name && !name.contains('-')
}

/// What is told of a column that the new table does not have.
fn missing(old: &Field, new: &[Field]) -> String {
    let letters = |name: &str| name.replace('_', "").to_lowercase();
    let alike: Vec<&str> = new
        .iter()
        .filter(|field| letters(&field.name) == letters(&old.name))
        .map(|field| field.name.as_str())
        .collect();
    match alike.as_slice() {
        [] => "the new table has no column of this name".to_owned(),
        alike => format!("the new table has no column of this name; {} is spelled alike", alike.join(", ")),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_coded_otherwise_are_left_to_a_person() {
        let table = |kind: &str| {
            let field = format!(r#"{{"name": "c", "type": {kind}}}"#);
            read(&format!(r#"{{"type": "record", "name": "a.B", "fields": [{field}]}}"#), false, None).unwrap()
        };
        let of = |old: &str, new: &str| derive("b", &table(old), &table(new)).toml;
        for (old, new) in [
            (r#""int""#, r#""long""#),
            (
                r#"{"type": "long", "logicalType": "timestamp-micros"}"#,
                r#"{"type": "long", "logicalType": "timestamp-millis"}"#,
            ),
            (
                r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#,
                r#"{"type": "enum", "name": "E", "symbols": ["A", "C"]}"#,
            ),
            (r#"{"type": "array", "items": "int"}"#, r#"{"type": "array", "items": "long"}"#),
        ] {
            assert!(of(old, new).contains("in Avro, and is"), "{}", of(old, new));
        }
        assert!(of(r#"["null", "int"]"#, r#""int""#).contains("c = \"c\""));
    }
}
