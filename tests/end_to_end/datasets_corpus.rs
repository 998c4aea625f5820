//! The corpus of `fixtures/datasets`, judged by itself: what is labelled is really there,
//! nothing is left without a label, and no unit is half migrated.
//!
//! Nothing here runs gander: the labels are what gander is judged by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Labels {
    pub(super) framework: String,
    #[serde(default)]
    pub(super) dialect: Option<String>,
    #[serde(default)]
    pub(super) unit: BTreeMap<String, Unit>,
    #[serde(default, rename = "use")]
    pub(super) uses: Vec<Use>,
    #[serde(default, rename = "trap")]
    pub(super) traps: Vec<Trap>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unit {
    pub(super) kind: String,
    pub(super) becomes: BTreeSet<Fate>,
    pub(super) why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Use {
    pub(super) at: String,
    pub(super) text: String,
    pub(super) of: String,
    pub(super) unit: String,
    pub(super) becomes: BTreeSet<Fate>,
    pub(super) new: Option<String>,
    #[serde(default)]
    pub(super) also: Vec<String>,
    pub(super) why: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trap {
    pub(super) at: String,
    pub(super) text: String,
    pub(super) why: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fate {
    Mapped,
    Annotated,
    Refused,
}

/// A consumer's file with its labels.
pub(super) struct Case {
    /// Below `fixtures/datasets`.
    pub(super) path: String,
    pub(super) source: String,
    pub(super) after: Option<String>,
    pub(super) labels: Labels,
}

pub(super) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/datasets")
}

pub(super) fn files(below: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

/// Every file of the frameworks' folders, with what stands beside it.
pub(super) fn cases() -> Vec<Case> {
    let root = corpus();
    let mut all = Vec::new();
    files(&root, &mut all);
    let relative = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let names: BTreeSet<String> = all.iter().map(relative).collect();
    let mut cases = Vec::new();
    for name in &names {
        if !name.contains('/') || name.starts_with("mapping/") {
            continue;
        }
        let of = name.strip_suffix(".labels.toml").or_else(|| name.strip_suffix(".after"));
        if let Some(of) = of {
            assert!(names.contains(of), "{name} stands beside no file");
            continue;
        }
        let read = |suffix: &str| std::fs::read_to_string(root.join(format!("{name}{suffix}"))).ok();
        let labels = read(".labels.toml").unwrap_or_else(|| panic!("{name} has no labels"));
        let labels: Labels = toml::from_str(&labels).unwrap_or_else(|error| panic!("{name}.labels.toml: {error}"));
        assert_eq!(name.split('/').next(), Some(labels.framework.as_str()), "{name}: framework");
        cases.push(Case { path: name.clone(), source: read("").unwrap(), after: read(".after"), labels });
    }
    cases
}

/// The bytes of `text` at `at`, which is `line:column` in characters.
pub(super) fn place(case: &Case, at: &str, text: &str) -> std::ops::Range<usize> {
    let (line, column) = at.split_once(':').unwrap();
    let (line, column): (usize, usize) = (line.parse().unwrap(), column.parse().unwrap());
    let start: usize = case.source.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let start = case.source[start..].char_indices().nth(column - 1).map_or(start, |(offset, _)| start + offset);
    assert!(case.source[start..].starts_with(text), "{}:{at}: `{text}` is not there", case.path);
    start..start + text.len()
}

/// All labelled places, in order.
fn places(case: &Case) -> Vec<std::ops::Range<usize>> {
    let uses = case.labels.uses.iter().map(|one| place(case, &one.at, &one.text));
    let mut all: Vec<_> = uses.chain(case.labels.traps.iter().map(|trap| place(case, &trap.at, &trap.text))).collect();
    all.sort_by_key(|range| range.start);
    all
}

#[test]
fn labels_are_where_they_say_and_dont_overlap() {
    for case in cases() {
        for pair in places(&case).windows(2) {
            assert!(pair[0].end <= pair[1].start, "{}: labels overlap in byte {}", case.path, pair[1].start);
        }
        for trap in &case.labels.traps {
            assert!(!trap.why.is_empty(), "{}:{}: a trap says why it is none", case.path, trap.at);
        }
    }
}

/// A mapping table, as far as the corpus is judged by it.
fn tables() -> BTreeMap<String, toml::Table> {
    let mut all = Vec::new();
    files(&corpus().join("mapping"), &mut all);
    let read = |path: &PathBuf| std::fs::read_to_string(path).unwrap().parse::<toml::Table>().unwrap();
    all.iter().map(read).map(|table| (table["dataset"]["name"].as_str().unwrap().to_owned(), table)).collect()
}

/// What a mapping table says of a column or of a field of one.
fn column<'a>(tables: &'a BTreeMap<String, toml::Table>, of: &str) -> &'a toml::Value {
    let mut parts = of.split('.');
    let columns = &tables[parts.next().unwrap()]["columns"];
    let name = parts.next().unwrap();
    let column = columns.get(name).unwrap_or_else(|| panic!("{of} is not in a mapping table"));
    parts.next().map_or(column, |field| &column["fields"][field])
}

/// What is wrong with the new text of a use, if anything is.
fn wrong(says: &toml::Value, text: &str, new: &str) -> Option<String> {
    let bare = |text: &str| text.trim_matches(['\'', '"', '\\']).to_owned();
    let key = |name: &str| says.get(name).and_then(toml::Value::as_str);
    if let Some(value) = says.get("values").and_then(|values| values.get(bare(text))) {
        let value = value.as_str().unwrap();
        return (bare(new) != value).then(|| format!("the value becomes {value}"));
    }
    if key("drop").is_some() {
        return (!new.is_empty()).then(|| "a dropped column leaves nothing".to_owned());
    }
    let expression = ["sql", "pyspark"].iter().filter_map(|name| key(name)).next().and_then(|expression| {
        expression.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name)
    });
    let Some(to) = says.as_str().or(key("to")).or(expression) else {
        return Some("the mapping gives no name for it".to_owned());
    };
    let getter = camel(to, true);
    let words = Regex::new(&format!(r"(?i)\b(?:{to}|get{getter})\b")).unwrap();
    let other = text == "false" && new == "true"; // the `quote` of a dbt test
    (!words.is_match(new) && !other).then(|| format!("`{to}` is not in it"))
}

#[test]
fn new_texts_are_what_the_mapping_tables_say() {
    let tables = tables();
    let mut judged = 0;
    for case in cases() {
        for one in case.labels.uses.iter().filter(|one| one.of.contains('.')) {
            let says = column(&tables, &one.of);
            for new in one.new.iter().chain(&one.also).filter(|new| **new != one.text || says.get("values").is_some()) {
                judged += 1;
                if let Some(what) = wrong(says, &one.text, new) {
                    panic!("{}:{}: {} becomes `{new}`, but {what}", case.path, one.at, one.of);
                }
            }
        }
    }
    assert!(judged > 300, "{judged}");
}

/// Checks one use against the unit that it is of.
fn agrees(unit: &Unit, one: &Use) -> Result<(), &'static str> {
    let mapped = one.becomes.contains(&Fate::Mapped);
    if mapped != one.new.is_some() || (!mapped && !one.also.is_empty()) {
        return Err("a mapped use has a new text, no other has");
    }
    if mapped != unit.becomes.contains(&Fate::Mapped) {
        return Err("a unit moves as a whole or not at all");
    }
    if mapped && one.becomes != unit.becomes {
        return Err("in a unit that may move, every use says so");
    }
    let refused = BTreeSet::from([Fate::Refused]);
    if one.becomes == refused && unit.becomes != refused {
        return Err("one refused use refuses its unit");
    }
    Ok(())
}

#[test]
fn units_move_as_a_whole() {
    let all = cases();
    let mut whole: BTreeMap<String, (&Unit, Vec<&Use>)> = BTreeMap::new();
    for case in &all {
        for (name, unit) in &case.labels.unit {
            let uses: Vec<&Use> = case.labels.uses.iter().filter(|one| &one.unit == name).collect();
            assert!(!uses.is_empty() && !unit.why.is_empty(), "{}: unit {name} is empty", case.path);
            let key = match unit.kind.as_str() {
                "project" => case.path.split('/').take(2).collect::<Vec<_>>().join("/"),
                "query" | "flow" | "file" => format!("{}#{name}", case.path),
                other => panic!("{}: `{other}` is no kind of unit", case.path),
            };
            let entry = whole.entry(key).or_insert((unit, Vec::new()));
            assert_eq!(entry.0.becomes, unit.becomes, "{}: not as in the rest of its project", case.path);
            entry.1.extend(uses);
        }
        for one in &case.labels.uses {
            let unit = case.labels.unit.get(&one.unit);
            let unit = unit.unwrap_or_else(|| panic!("{}:{}: no unit {}", case.path, one.at, one.unit));
            agrees(unit, one).unwrap_or_else(|why| panic!("{}:{}: {why}", case.path, one.at));
        }
    }
    for (name, (unit, uses)) in whole {
        if unit.becomes.contains(&Fate::Mapped) {
            let moves = uses.iter().any(|one| !one.of.contains('.'));
            assert!(moves, "{name}: columns move and the dataset does not");
        } else {
            assert!(uses.iter().any(|one| one.why.is_some()), "{name}: nothing says why it stays");
        }
        let refused = unit.becomes == BTreeSet::from([Fate::Refused]);
        let caused = uses.iter().any(|one| one.becomes == unit.becomes);
        assert!(!refused || caused, "{name}: refused, but for what?");
    }
}

fn camel(name: &str, first: bool) -> String {
    let parts = name.split('_').enumerate().map(|(index, part)| {
        let upper = first || index > 0;
        part.chars().enumerate().map(move |(at, c)| if at == 0 && upper { c.to_ascii_uppercase() } else { c })
    });
    parts.flatten().collect()
}

/// Whether a mapping table changes anything about a column.
fn changes(name: &str, says: &toml::Value) -> bool {
    says.as_str() != Some(name)
        && says.get("fields").is_none_or(|_| says.get("to").and_then(toml::Value::as_str) != Some(name))
}

/// Finds every word that is a name of something that is migrated.
fn migrated_names() -> Regex {
    let mut names = BTreeSet::new();
    for table in tables().values() {
        for name in table["names"].as_table().unwrap().values() {
            let last = name["old"].as_str().unwrap().rsplit(['.', '/']).next().unwrap();
            names.insert(last.replace('*', r"\w*"));
        }
        for (name, says) in table["columns"].as_table().unwrap() {
            let fields = says.get("fields").and_then(toml::Value::as_table);
            let fields = fields.into_iter().flatten().filter(|(name, says)| changes(name, says)).map(|(name, _)| name);
            for name in fields.chain(changes(name, says).then_some(name)) {
                names.insert(name.clone());
                names.insert(format!("(?:get|set|has)?{}", camel(name, true)));
            }
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    // A letter before a name may be the end of an escape: `\nusers_v1`.
    Regex::new(&format!(r"(?i)(?:\\[nrt]|\b)({})\b", names.join("|"))).unwrap()
}

#[test]
fn no_name_is_left_without_a_label() {
    let names = migrated_names();
    let (mut found, mut missing) = (0, Vec::new());
    for case in cases() {
        let places = places(&case);
        for name in names.captures_iter(&case.source).map(|captures| captures.get(1).unwrap()) {
            found += 1;
            let covered = places.iter().any(|place| place.start < name.end() && name.start() < place.end);
            let line = case.source[..name.start()].matches('\n').count() + 1;
            if !covered {
                missing.push(format!("{}:{line}: `{}` has no label", case.path, name.as_str()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(found > 1_000, "{found}");
}

#[test]
fn files_after_the_migration_are_the_labels_applied() {
    for case in cases() {
        let only = BTreeSet::from([Fate::Mapped]);
        let uses = &case.labels.uses;
        let moves = !uses.is_empty() && uses.iter().all(|one| one.becomes == only);
        assert_eq!(case.after.is_some(), moves, "{}: a file that moves as a whole has an .after", case.path);
        let mut edits: Vec<_> =
            uses.iter().filter_map(|one| Some((place(&case, &one.at, &one.text), one.new.clone()?))).collect();
        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        let mut text = case.source.clone();
        for (range, new) in edits {
            text.replace_range(range, &new);
        }
        if let Some(after) = &case.after {
            assert_eq!(&text, after, "{}.after", case.path);
        }
    }
}

#[test]
fn every_framework_has_its_cases() {
    let mut table: BTreeMap<String, [usize; 6]> = BTreeMap::new();
    for case in cases() {
        let row = table.entry(case.labels.framework.clone()).or_default();
        row[0] += 1;
        for one in &case.labels.uses {
            let fates: Vec<Fate> = one.becomes.iter().copied().collect();
            match fates[..] {
                [Fate::Mapped] => row[1] += 1,
                [Fate::Annotated] => row[2] += 1,
                [Fate::Refused] => row[3] += 1,
                _ => row[4] += 1,
            }
        }
        row[5] += case.labels.traps.len();
    }
    println!("framework      files  mapped  annotated  refused  one of these  untouched");
    for (name, [files, mapped, annotated, refused, several, traps]) in &table {
        println!("{name:<14} {files:>5} {mapped:>7} {annotated:>10} {refused:>8} {several:>13} {traps:>10}");
        assert!(*files >= 3, "{name} has too few files");
    }
    let sum = |column: usize| table.values().map(|row| row[column]).sum::<usize>();
    println!("{:<14} {:>5} {:>7} {:>10} {:>8} {:>13} {:>10}", "all", sum(0), sum(1), sum(2), sum(3), sum(4), sum(5));
    assert!(sum(0) >= 120 && table.len() >= 20, "{} files of {} frameworks", sum(0), table.len());
}
