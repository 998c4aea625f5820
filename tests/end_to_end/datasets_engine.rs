//! gander judged by the corpus of `fixtures/datasets`: each labelled use against what
//! became of it.
//!
//! `cargo test --test end_to_end datasets_engine:: -- --nocapture` prints the confusion
//! matrix. Wrong mappings and missed uses are none; what is left although it might move is
//! counted, and the count may only fall.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use gander::dataset::dbt::{self, ProjectFile};
use gander::dataset::decide::Fate as Became;
use gander::dataset::file::{Around, Decided, decided, speaks};
use gander::dataset::mapping::{self, Notation};
use gander::dataset::search::searched;
use gander::dataset::sql::Dialect;
use gander::dataset::{Datasets, Schemas};

use super::datasets_corpus::{Case, Fate, cases, corpus, place};

/// Frameworks that are judged, and how many uses of each may stay that are labelled to move.
pub(super) const JUDGED: [(&str, usize); 22] = [
    ("ansi", 0),
    ("bigquery", 0),
    ("duckdb", 6),
    ("snowflake", 0),
    ("spark-sql", 3),
    ("python-sql", 0),
    ("scala-sql", 0),
    ("java-sql", 0),
    ("kotlin-sql", 0),
    ("typescript-sql", 0),
    ("go-sql", 0),
    ("yaml", 0),
    ("json", 0),
    ("notebook", 0),
    ("shell", 0),
    ("unknown", 0),
    ("dbt", 0),
    ("pyspark", 0),
    ("pandas", 0),
    ("scio", 0),
    ("java", 0),
    ("typescript", 0),
];

fn datasets() -> Datasets {
    let mut paths = Vec::new();
    super::datasets_corpus::files(&corpus().join("mapping"), &mut paths);
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        mapping::read(&text, Notation::Toml, &path.display().to_string()).unwrap_or_else(|errors| panic!("{errors}"))
    };
    let schemas = std::fs::read_to_string(corpus().join("schemas.toml")).unwrap();
    Datasets {
        mappings: paths.iter().map(read).collect(),
        schemas: Schemas::read(&schemas, "schemas.toml").unwrap(),
        default: None,
    }
}

fn overlaps(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end || a.is_empty() && a.start >= b.start && a.start <= b.end
}

type Edits = Vec<(Range<usize>, String)>;

/// The bytes of `region` after the edits that lie in it.
fn after(source: &str, region: &Range<usize>, edits: &Edits) -> String {
    let (mut text, mut at) = (String::new(), region.start);
    for (range, new) in edits.iter().filter(|(range, _)| range.start >= region.start && range.end <= region.end) {
        text.push_str(&source[at..range.start]);
        text.push_str(new);
        at = range.end;
    }
    text + &source[at..region.end]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Mapped,
    Annotated,
    Refused,
    Missed,
}

/// What is wrong with one file, and the counts of its uses: labels × outcome.
#[derive(Default)]
struct Judged {
    wrong: Vec<String>,
    missed: Vec<String>,
    kept: Vec<String>,
    counts: BTreeMap<(String, Outcome), usize>,
}

fn judge(case: &Case, units: &[Decided], judged: &mut Judged) {
    let mut edits: Edits = Vec::new();
    for unit in units {
        if let Became::Mapped(more) = &unit.fate {
            edits.extend(more.iter().cloned());
        }
    }
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut labelled: Vec<Range<usize>> = Vec::new();
    for one in &case.labels.uses {
        let range = place(case, &one.at, &one.text);
        let covering = units
            .iter()
            .find(|unit| unit.unit.uses.iter().any(|found| found.places().iter().any(|place| overlaps(place, &range))));
        let touching: Vec<&(Range<usize>, String)> = edits.iter().filter(|(edit, _)| overlaps(edit, &range)).collect();
        let region = touching
            .iter()
            .fold(range.clone(), |region, (edit, _)| region.start.min(edit.start)..region.end.max(edit.end));
        labelled.push(region.clone());
        let outcome = match covering.map(|unit| &unit.fate) {
            Some(Became::Mapped(_)) => Outcome::Mapped,
            Some(Became::Annotated(_)) => Outcome::Annotated,
            Some(Became::Refused(_)) => Outcome::Refused,
            None => Outcome::Missed,
        };
        let words: Vec<&str> = one
            .becomes
            .iter()
            .map(|fate| match fate {
                Fate::Mapped => "mapped",
                Fate::Annotated => "annotated",
                Fate::Refused => "refused",
            })
            .collect();
        let candidates: Vec<&String> = one.new.iter().chain(&one.also).collect();
        let may = |fate: Fate| one.becomes.contains(&fate);
        let stands = candidates.iter().any(|new| **new == one.text);
        let why = covering.map_or(String::new(), |unit| match &unit.fate {
            Became::Annotated(reason) | Became::Refused(reason) => {
                let at = &case.source[..reason.range.start];
                format!("{} (line {})", reason.why, at.matches('\n').count() + 1)
            }
            Became::Mapped(_) => String::new(),
        });
        let told = format!("{}:{} `{}` labelled {}: {outcome:?} {why}", case.path, one.at, one.text, words.join("/"));
        match outcome {
            Outcome::Missed if stands && may(Fate::Mapped) => {}
            Outcome::Missed => judged.missed.push(told),
            Outcome::Mapped if !may(Fate::Mapped) => judged.wrong.push(told),
            Outcome::Mapped => {
                let got = after(&case.source, &region, &edits);
                let expected = |new: &str| {
                    let (head, tail) = (&case.source[region.start..range.start], &case.source[range.end..region.end]);
                    format!("{head}{new}{tail}")
                };
                let same = |a: &str, b: &str| a.replace(" AS ", " as ") == b.replace(" AS ", " as ");
                if !candidates.iter().any(|new| same(&expected(new), &got)) {
                    judged.wrong.push(format!("{told}: became `{got}`, not one of {candidates:?}"));
                }
            }
            Outcome::Annotated if may(Fate::Annotated) => {}
            Outcome::Refused if may(Fate::Refused) => {}
            // Milder than the label asks for.
            Outcome::Annotated if !may(Fate::Mapped) => judged.wrong.push(told),
            _ => judged.kept.push(told),
        }
        *judged.counts.entry((words.join("/"), outcome)).or_default() += 1;
    }
    for trap in &case.labels.traps {
        let range = place(case, &trap.at, &trap.text);
        if let Some((_, new)) = edits.iter().find(|(edit, _)| overlaps(edit, &range) && !edit.is_empty()) {
            judged.wrong.push(format!(
                "{}:{} `{}` is a trap ({}), and became `{new}`",
                case.path, trap.at, trap.text, trap.why
            ));
        }
    }
    for (edit, new) in &edits {
        if !labelled.iter().any(|region| overlaps(edit, region)) {
            let line = case.source[..edit.start].matches('\n').count() + 1;
            judged.wrong.push(format!("{}:{line}: `{new}` is written where no label is", case.path));
        }
    }
}

fn dialect(case: &Case) -> Dialect {
    let word = case.labels.dialect.as_deref().unwrap_or("bigquery");
    Dialect::ALL.iter().find(|(known, _)| *known == word).map(|(_, dialect)| *dialect).unwrap()
}

fn engine(case: &Case, datasets: &Datasets) -> Vec<Decided> {
    let path = std::path::Path::new(&case.path);
    let around = Around { dialect: dialect(case), ..Around::default() };
    match gander::language::of_path(path).filter(|language| speaks(language)) {
        Some(language) => decided(language, case.source.as_str(), datasets, &around).unwrap(),
        None => searched(path, &case.source, datasets),
    }
}

/// Each folder below `dbt` is a project.
fn projects(cases: &[&Case], datasets: &Datasets, judged: &mut Judged) {
    let folder = |case: &Case| case.path.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
    let folders: BTreeSet<String> = cases.iter().map(|case| folder(case)).collect();
    for of in folders {
        let files: Vec<&&Case> = cases.iter().filter(|case| folder(case) == of).collect();
        let given: Vec<ProjectFile<'_>> =
            files.iter().map(|case| ProjectFile { path: &case.path[of.len() + 1..], text: &case.source }).collect();
        let units = dbt::decided(&given, datasets, Dialect::BigQuery).unwrap();
        files.iter().zip(&units).for_each(|(case, units)| judge(case, units, judged));
    }
}

#[test]
fn nothing_is_wrongly_mapped_and_nothing_is_missed() {
    let datasets = datasets();
    let cases = cases();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.labels.framework.as_str()).collect();
    println!("framework      label × outcome    mapped annotated refused missed");
    let mut all = Judged::default();
    let mut too_many = Vec::new();
    for (framework, ceiling) in JUDGED {
        let mut judged = Judged::default();
        let of: Vec<&Case> = cases.iter().filter(|case| case.labels.framework == framework).collect();
        if framework == "dbt" {
            projects(&of, &datasets, &mut judged);
        } else {
            of.into_iter().for_each(|case| judge(case, &engine(case, &datasets), &mut judged));
        }
        let labels: BTreeSet<&String> = judged.counts.keys().map(|(label, _)| label).collect();
        for label in labels {
            let count = |outcome| judged.counts.get(&(label.clone(), outcome)).copied().unwrap_or(0);
            let row = [Outcome::Mapped, Outcome::Annotated, Outcome::Refused, Outcome::Missed].map(count);
            println!("{framework:<14} {label:<18} {:>6} {:>9} {:>7} {:>6}", row[0], row[1], row[2], row[3]);
        }
        if judged.kept.len() > ceiling {
            too_many.push(format!("{framework}: {} uses stay that might move, more than {ceiling}", judged.kept.len()));
        }
        all.wrong.extend(judged.wrong);
        all.missed.extend(judged.missed);
        all.kept.extend(judged.kept);
    }
    let left: Vec<&&str> = names.iter().filter(|name| JUDGED.iter().all(|(judged, _)| *judged != **name)).collect();
    println!("not judged yet: {left:?}");
    println!("left although they might move:\n{}", all.kept.join("\n"));
    let sections = [("wrong", &all.wrong), ("missed", &all.missed), ("more stay than before", &too_many)];
    let said: Vec<String> = sections
        .iter()
        .filter(|(_, found)| !found.is_empty())
        .map(|(what, found)| format!("{what} ({}):\n{}", found.len(), found.join("\n")))
        .collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
}
