//! gander's side of `benches/datasets/judge.py`: every column of every table renamed in
//! turn, and where that changes each query.
//!
//! Ignored: the questions come from that script, which knows another resolver's answers.

use std::collections::{BTreeMap, HashSet};

use gander::dataset::decide::{Fate, Plain, decide};
use gander::dataset::mapping::{self, Notation};
use gander::dataset::sql::{self, Dialect, Setting};
use gander::dataset::{Datasets, Schemas};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Questions {
    schemas: Vec<BTreeMap<String, Vec<String>>>,
    cases: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    sql: String,
    schema: usize,
    dialect: String,
    /// Tables that the query may read.
    tables: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    case: usize,
    table: String,
    column: String,
    fate: &'static str,
    why: String,
    edits: Vec<(usize, usize, String)>,
}

/// A mapping of `table` that renames `column` and keeps the others.
fn renaming(table: &str, columns: &[String], column: &str) -> mapping::Mapping {
    let mut text = format!(
        "[dataset]\nname = \"x\"\n[names]\ntable = {{ old = \"d.{table}\", new = \"d.{table}__new\" }}\n[columns]\n"
    );
    for one in columns {
        let new = if one == column { format!("{one}__new") } else { one.clone() };
        text.push_str(&format!("{one} = \"{new}\"\n"));
    }
    mapping::read(&text, Notation::Toml, "judge").unwrap_or_else(|errors| panic!("{errors}"))
}

fn schemas_of(all: &BTreeMap<String, Vec<String>>) -> Schemas {
    let mut schemas = Schemas::default();
    for (name, columns) in all {
        let columns: HashSet<String> = columns.iter().map(|column| column.to_lowercase()).collect();
        schemas.add(&format!("d.{name}"), columns);
    }
    schemas
}

#[test]
#[ignore = "asked by benches/datasets/judge.py"]
fn answers() {
    let (Ok(asked), Ok(told)) = (std::env::var("GANDER_JUDGE_QUESTIONS"), std::env::var("GANDER_JUDGE_ANSWERS")) else {
        panic!("run benches/datasets/run, which asks the questions");
    };
    let questions: Questions = serde_json::from_str(&std::fs::read_to_string(asked).unwrap()).unwrap();
    let language = gander::language::by_name("sql").unwrap();
    let mut answers = Vec::new();
    for (case, question) in questions.cases.iter().enumerate() {
        let tree = gander::tree::parse(language, question.sql.as_str()).unwrap();
        let dialect = Dialect::ALL.iter().find(|(name, _)| *name == question.dialect).unwrap().1;
        let setting = Setting { dialect, ..Setting::default() };
        let all = &questions.schemas[question.schema];
        for table in &question.tables {
            let columns = &all[table];
            for column in columns {
                let datasets = Datasets {
                    mappings: vec![renaming(table, columns, column)],
                    schemas: schemas_of(all),
                    default: Some("d".to_owned()),
                };
                let (mut fate, mut why, mut edits) = ("none", String::new(), Vec::new());
                for unit in sql::units(&tree, &datasets, &setting) {
                    match decide(&unit, &datasets, &Plain) {
                        Fate::Mapped(more) => {
                            if fate == "none" {
                                fate = "mapped";
                            }
                            edits.extend(more.into_iter().map(|(range, new)| (range.start, range.end, new)));
                        }
                        Fate::Annotated(reason) => (fate, why) = ("annotated", reason.why),
                        Fate::Refused(reason) => (fate, why) = ("refused", reason.why),
                    }
                }
                answers.push(Answer { case, table: table.clone(), column: column.clone(), fate, why, edits });
            }
        }
    }
    std::fs::write(told, serde_json::to_string(&answers).unwrap()).unwrap();
}
