//! Which rules there are to test, with which cases and inputs: paths → [`Found`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use serde::Deserialize;

use super::TestError;
use crate::config::{self, Migration, Partial};
use crate::script::{self, Inputs};

/// Rules that are loaded together, and their cases.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The rule file or the migration file, as people name it.
    pub file: PathBuf,
    /// The rule files, in order.
    pub rules: Vec<PathBuf>,
    /// Paths in messages of rules are relative to this folder.
    pub base: PathBuf,
    /// What the rules may read besides code.
    pub inputs: Inputs,
    /// What a refused file does to the rest.
    pub partial: Partial,
    /// Whether it is a whole migration: its examples are run with the files of its rules.
    pub migration: bool,
    /// The migration that names the rules, if one does.
    pub owner: Option<PathBuf>,
    /// The cases, by name.
    pub cases: Vec<Case>,
    /// Snapshots that belong to no case.
    pub unused: Vec<PathBuf>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name of its folder.
    pub name: String,
    /// The code.
    pub folder: PathBuf,
    /// `CASE.snap`.
    pub snapshot: PathBuf,
    /// One line for people.
    pub description: Option<String>,
    /// As the suite's, with its own parameters and mappings on top.
    pub inputs: Inputs,
}

impl Case {
    /// A case whose name begins so must leave its code as it is, and has no snapshot.
    pub const UNCHANGED: &'static str = "unchanged";

    /// Whether nothing may change.
    pub fn must_stay(&self) -> bool {
        self.name.starts_with(Self::UNCHANGED)
    }
}

/// What there is to test, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Found {
    /// Ordered by file.
    pub suites: Vec<Suite>,
    /// What can't be tested.
    pub errors: Vec<TestError>,
}

/// `CASE.toml`, or `RULES.toml` for all cases and examples of a rule file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Description {
    description: Option<String>,
    #[serde(default)]
    parameters: toml::Table,
    #[serde(default)]
    mappings: BTreeMap<String, toml::Value>,
}

/// Finds the rules at or below `paths`. A path below a folder of cases means these cases.
pub fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let mut migrations: BTreeMap<PathBuf, Option<Migration>> = BTreeMap::new();
    let mut wanted: BTreeMap<PathBuf, Option<BTreeSet<PathBuf>>> = BTreeMap::new();
    for path in paths {
        if !path.exists() {
            found.errors.push(TestError::Absent(path.clone()));
        } else if let Some((file, cases)) = owner(path) {
            if let Some(chosen) = wanted.entry(file).or_insert_with(|| Some(BTreeSet::new())) {
                chosen.insert(cases);
            }
        } else {
            let files = files(path);
            if files.is_empty() {
                found.errors.push(TestError::NoRules(path.clone()));
            }
            // Who names a migration means its rules, too.
            let named = if path.is_file() { rules_of(path, &mut migrations, &mut found.errors) } else { Vec::new() };
            wanted.extend(files.into_iter().chain(named).map(|file| (file, None)));
        }
    }
    for (file, chosen) in wanted {
        match suite(&file, &mut migrations, &mut found.errors) {
            Ok(Some(mut suite)) => {
                if let Some(chosen) = chosen {
                    suite.cases.retain(|c| chosen.iter().any(|path| c.folder.starts_with(path)));
                    suite.unused.clear();
                }
                found.suites.push(suite);
            }
            Ok(None) => {}
            Err(error) => found.errors.push(error),
        }
    }
    found
}

/// The rule files that `file` names, if it is a `migration.toml`, as `file` was named.
fn rules_of(
    file: &Path,
    migrations: &mut BTreeMap<PathBuf, Option<Migration>>,
    errors: &mut Vec<TestError>,
) -> Vec<PathBuf> {
    if file.file_name().is_none_or(|name| name != "migration.toml") {
        return Vec::new();
    }
    let Belongs::To(migration) = load(file, migrations, errors) else { return Vec::new() };
    let shown = file.parent().unwrap_or(Path::new(""));
    let full = migration.file.parent().unwrap_or(Path::new(""));
    let name = |rule: &PathBuf| rule.strip_prefix(full).map_or_else(|_| rule.clone(), |below| shown.join(below));
    migration.rules.iter().map(name).collect()
}

/// The file whose cases lie at `path`, which is below its folder of cases.
fn owner(path: &Path) -> Option<(PathBuf, PathBuf)> {
    if !path.is_dir() {
        return None;
    }
    let full = std::path::absolute(path).ok()?;
    let shown = |file: PathBuf| relative_to(&file, path, &full);
    for folder in full.ancestors() {
        let tests = folder.parent()?;
        if tests.file_name().is_some_and(|n| n == "tests") {
            let above = tests.parent()?;
            let stem = folder.file_name()?.to_str()?;
            let (rule, migration) = (above.join(format!("{stem}.rhai")), above.join("migration.toml"));
            let file = if rule.is_file() { rule } else { migration };
            if file.is_file() {
                return Some((shown(file), path.to_owned()));
            }
        }
    }
    None
}

/// Names `file`, which lies above `path`, as `path` was named.
fn relative_to(file: &Path, path: &Path, full: &Path) -> PathBuf {
    let up = full.ancestors().zip(path.ancestors()).find(|(full, _)| file.parent() == Some(*full));
    match (up, file.file_name()) {
        (Some((_, shown)), Some(name)) => shown.join(name),
        _ => file.to_owned(),
    }
}

/// Every rule and migration file at or below a path; not those in the code of cases.
fn files(path: &Path) -> Vec<PathBuf> {
    let is_ours = |path: &Path| {
        path.extension().is_some_and(|e| e == "rhai") || path.file_name().is_some_and(|n| n == "migration.toml")
    };
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let walk = WalkBuilder::new(path)
        .follow_links(false)
        .require_git(false)
        .filter_entry(|entry| {
            let below = |name: &str| entry.depth() > 0 && entry.file_name() == name && entry.path().is_dir();
            let cases = below("tests") && entry.path().parent().is_some_and(has_rules);
            // Modules declare no rules.
            !cases && !below("modules")
        })
        .build();
    let files = walk.filter_map(Result::ok).filter(|e| e.file_type().is_some_and(|t| t.is_file()));
    let mut files: Vec<PathBuf> = files.map(|e| e.into_path()).filter(|p| is_ours(p)).collect();
    files.iter_mut().for_each(|file| *file = file.strip_prefix(".").unwrap_or(file).to_owned());
    files.sort();
    files
}

fn has_rules(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        let path = entry.path();
        path.extension().is_some_and(|e| e == "rhai") || entry.file_name() == "migration.toml"
    })
}

fn suite(
    file: &Path,
    migrations: &mut BTreeMap<PathBuf, Option<Migration>>,
    errors: &mut Vec<TestError>,
) -> Result<Option<Suite>, TestError> {
    let base = file.parent().unwrap_or(Path::new("")).to_owned();
    let is_migration = file.extension().is_none_or(|e| e != "rhai");
    let belongs = if is_migration { load(file, migrations, errors) } else { owner_of(file, migrations, errors) };
    let migration = match belongs {
        Belongs::Alone => None,
        Belongs::To(migration) => Some(migration),
        // That was said.
        Belongs::Broken => return Ok(None),
    };
    let mut suite = Suite {
        file: file.to_owned(),
        rules: vec![file.to_owned()],
        base,
        inputs: Inputs::default(),
        partial: Partial::default(),
        migration: is_migration,
        owner: None,
        cases: Vec::new(),
        unused: Vec::new(),
    };
    let mut folder = suite.base.join("tests");
    if !is_migration {
        folder.push(file.file_stem().unwrap_or_default());
    }
    if let Some(migration) = migration {
        suite.inputs = given_by(&migration)?;
        suite.partial = migration.transform.partial;
        suite.owner = Some(migration.file.clone());
        if is_migration {
            suite.rules = migration.rules.clone();
            suite.base = migration.file.parent().unwrap_or(Path::new("")).to_owned();
        }
    }
    if !is_migration {
        suite.inputs.alone = true;
        described(&description_of(file), &mut suite.inputs)?;
    }
    cases(&folder, &mut suite, errors)?;
    Ok(Some(suite))
}

fn given_by(migration: &Migration) -> Result<Inputs, TestError> {
    let mappings = script::read_mappings(&migration.mappings).map_err(TestError::Rules)?;
    let guide = migration.guide.clone();
    let (parameters, languages) = (migration.parameters.clone(), migration.languages.clone());
    let datasets = script::read_datasets(&migration.datasets).map_err(TestError::Rules)?;
    let order = migration.order.clone();
    Ok(Inputs { parameters, mappings, guide, languages, datasets, order, alone: false })
}

/// What lies beside the cases of a rule file, for all of them.
fn description_of(file: &Path) -> PathBuf {
    let name = format!("{}.toml", file.file_stem().unwrap_or_default().to_string_lossy());
    file.parent().unwrap_or(Path::new("")).join("tests").join(name)
}

/// What the examples of a rule file may read: what `base` gives, or the migration above that names
/// the file, and what lies beside its cases.
pub(super) fn inputs_of(file: &Path, base: Option<&Inputs>) -> Result<Inputs, TestError> {
    let mut inputs = match base {
        Some(base) => base.clone(),
        None => match owner_of(file, &mut BTreeMap::new(), &mut Vec::new()) {
            Belongs::To(migration) => given_by(&migration)?,
            Belongs::Alone | Belongs::Broken => Inputs::default(),
        },
    };
    inputs.alone = true;
    described(&description_of(file), &mut inputs)?;
    Ok(inputs)
}

/// The migration that gives a rule file its inputs.
enum Belongs {
    /// There is none.
    Alone,
    To(Box<Migration>),
    /// It can't be read.
    Broken,
}

fn load(file: &Path, migrations: &mut BTreeMap<PathBuf, Option<Migration>>, errors: &mut Vec<TestError>) -> Belongs {
    let key = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let loaded = migrations.entry(key).or_insert_with(|| match config::load(file) {
        Ok(migration) => Some(migration),
        Err(error) => {
            errors.push(TestError::Migration(error));
            None
        }
    });
    loaded.clone().map_or(Belongs::Broken, |migration| Belongs::To(Box::new(migration)))
}

/// The nearest migration above a rule file, where it names the file.
fn owner_of(
    file: &Path,
    migrations: &mut BTreeMap<PathBuf, Option<Migration>>,
    errors: &mut Vec<TestError>,
) -> Belongs {
    let Ok(full) = file.canonicalize() else { return Belongs::Alone };
    let above = full.ancestors().skip(1).find(|folder| folder.join("migration.toml").is_file());
    let Some(above) = above else { return Belongs::Alone };
    match load(&above.join("migration.toml"), migrations, errors) {
        Belongs::To(migration) if !migration.rules.contains(&full) => Belongs::Alone,
        belongs => belongs,
    }
}

/// The cases in a folder, and the snapshots that belong to none.
fn cases(folder: &Path, suite: &mut Suite, errors: &mut Vec<TestError>) -> Result<(), TestError> {
    let unreadable = |e: std::io::Error| TestError::Unreadable { path: folder.to_owned(), why: e.to_string() };
    if !folder.is_dir() {
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        entries.push(entry.map_err(unreadable)?.path());
    }
    entries.sort();
    let beside_rules = suite.migration;
    for path in entries {
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
            errors.push(TestError::Unreadable { path, why: "its name is not UTF-8".to_owned() });
            continue;
        };
        let case_of = |ending: &str| name.strip_suffix(ending).map(|case| folder.join(case));
        if path.is_symlink() {
            errors.push(TestError::Unreadable { path, why: "it is a symbolic link, which no case may be".to_owned() });
        } else if path.is_dir() {
            let name = name.to_owned();
            match case(&name, &path, suite) {
                Ok(case) => suite.cases.push(case),
                Err(error) => errors.push(error),
            }
        } else if let Some(case) = case_of(".toml") {
            if !case.is_dir() && !beside_rules {
                errors.push(TestError::NoCase(path));
            }
        } else if let Some(case) = case_of(".snap").or_else(|| case_of(".snap.new")) {
            let stays = case.file_name().is_some_and(|n| n.to_string_lossy().starts_with(Case::UNCHANGED));
            if !case.is_dir() || stays {
                suite.unused.push(path);
            }
        }
    }
    Ok(())
}

/// Larger descriptions are refused.
const MAX_DESCRIPTION: u64 = 1 << 20;

fn case(name: &str, folder: &Path, suite: &Suite) -> Result<Case, TestError> {
    let beside = |ending: &str| folder.with_file_name(format!("{name}{ending}"));
    let mut inputs = suite.inputs.clone();
    let description = described(&beside(".toml"), &mut inputs)?;
    let (name, folder, snapshot) = (name.to_owned(), folder.to_owned(), beside(".snap"));
    Ok(Case { name, folder, snapshot, description, inputs })
}

/// Puts what a description gives, if there is one, on top of `inputs`.
fn described(file: &Path, inputs: &mut Inputs) -> Result<Option<String>, TestError> {
    if !file.exists() {
        return Ok(None);
    }
    let wrong = |why: String| TestError::Description { path: file.to_owned(), why };
    let text = read_text(file, MAX_DESCRIPTION).map_err(wrong)?;
    let read: Description = toml::from_str(&text).map_err(|error| {
        let (line, column) = crate::tree::line_column(&text, error.span().map_or(0, |s| s.start));
        wrong(format!("{line}:{column}: {}", error.message()))
    })?;
    inputs.parameters.extend(read.parameters);
    for (name, value) in read.mappings {
        let table = match value {
            toml::Value::Table(table) => table,
            toml::Value::String(path) => {
                let files = BTreeMap::from([(name.clone(), file.with_file_name(path))]);
                let read = script::read_mappings(&files).map_err(TestError::Rules)?;
                read.into_values().next().unwrap_or_default()
            }
            other => {
                let why = format!("mapping `{name}` must be a table or a file name, not {}", other.type_str());
                return Err(wrong(why));
            }
        };
        inputs.mappings.insert(name, table);
    }
    Ok(read.description)
}

/// The text of a file that is not larger than `most`.
pub(super) fn read_text(path: &Path, most: u64) -> Result<String, String> {
    let meta = std::fs::symlink_metadata(path).map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("it is no regular file".to_owned());
    }
    if meta.len() > most {
        return Err(format!("it is larger than {} MiB", most >> 20));
    }
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|e| format!("it is not UTF-8 (byte {})", e.utf8_error().valid_up_to()))
}
