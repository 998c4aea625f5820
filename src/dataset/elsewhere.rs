//! What the other files of a consumer say of a file's names: who may call its functions,
//! read its values, and put parts behind its queries.
//!
//! Files are told apart by their words alone: a name counts as spoken of wherever it stands
//! as a word, in a text, too. What is outside of the consumer is not seen.
//! Must not: read files, or follow a value.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Datasets;
use super::net;
use super::replace;
use crate::language::of_path;
use crate::tree::parse;

/// Languages whose files can speak of each other's names, by how their files end.
const FAMILIES: [&[&str]; 6] = [
    &["py", "pyi", "pyx", "ipynb"],
    &["java", "scala", "sc", "sbt", "kt", "kts", "groovy"],
    &["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "vue", "svelte"],
    &["go"],
    &["rs"],
    &["sh", "bash", "zsh", "ksh"],
];
/// The one whose texts are not told from its code.
const SHELL: usize = 5;

/// Words of files that reach modules whose names they do not spell.
const IMPORTS_BY_TEXT: [&str; 2] = ["import_module", "__import__"];

/// Folders that no import names.
const SOURCES: [&str; 5] = ["src", "lib", "dist", "python", "main"];

/// Longest file that is read for its words, in bytes.
const MAX_TEXT: usize = 4 << 20;

/// What may be spoken of: the words of files that name a dataset, and the names of modules.
#[derive(Debug, Default)]
pub struct Subjects {
    numbers: HashMap<String, u32>,
}

/// A file, as far as it says something of others.
#[derive(Debug)]
pub struct Speaker {
    path: String,
    family: usize,
    /// Numbers of words, sorted, and the line on which each stands first.
    words: Vec<(u32, u32)>,
    /// Parts of queries that name a column which changes: the dataset, the column, the line.
    parts: Vec<(usize, String, u32)>,
    /// Words beside a call that replaces something in a text: their numbers, sorted, and lines.
    replaced: Vec<(u32, u32)>,
    /// Files of SQL that it names, without `.sql`, and where; an empty name is put together.
    scripts: Vec<(String, u32)>,
    /// Whether it may reach any module.
    any: bool,
    /// Whether it imports a folder by dots alone.
    dots: bool,
    /// Numbers of words that it gives another name: `USERS as PAID`.
    renames: Vec<u32>,
}

/// The files of a consumer that speak of each other.
#[derive(Debug, Default)]
pub struct Elsewhere {
    numbers: HashMap<String, u32>,
    speakers: Vec<Speaker>,
    /// By the path of a file that names a dataset: the speakers that reach it, by number.
    reach: BTreeMap<String, BTreeSet<usize>>,
}

/// From where a name can be spoken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// From nowhere but its file.
    Nowhere,
    /// From files that import its module, or one that does.
    Imported,
    /// From these, under any name.
    ImportedAs,
    /// From any file of the same family.
    Anywhere,
    /// From those that speak of this class, too.
    With(String),
}

/// Which family a file is of.
pub fn family(path: &str) -> Option<usize> {
    let (_, end) = path.rsplit('/').next().unwrap_or(path).rsplit_once('.')?;
    FAMILIES.iter().position(|ends| ends.contains(&end))
}

/// The word by which an import names a file.
fn module(path: &str) -> &str {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    match stem {
        "__init__" | "index" | "mod" => parts.next().unwrap_or(stem),
        _ => stem,
    }
}

/// The words by which imports name a file: of one that stands for its folder the folder, and of
/// `src` and the like the one around.
fn modules(path: &str) -> Vec<&str> {
    let first = module(path);
    let mut found = vec![first];
    if is_index(path) && SOURCES.contains(&first) {
        found.extend(path.rsplit('/').nth(2));
    }
    found
}

/// Whether a file stands for its folder.
fn is_index(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name.split('.').next(), Some("__init__" | "index" | "mod"))
}

/// Whether a text imports a folder by dots alone: `from "."`.
fn imports_by_dots(text: &str) -> bool {
    // Quotes are not paired: one in a comment would turn texts and what is between them round.
    let dotted = |mark: &str| {
        text.match_indices(mark).any(|(at, _)| {
            let rest = &text[at + 1..];
            let end = rest.find(['"', '\'']);
            end.is_some_and(|end| rest[..end].bytes().all(|byte| matches!(byte, b'.' | b'/')))
        })
    };
    dotted("'.") || dotted("\".") || text.contains("from . import")
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_word)?;
        let end = text[start..].find(|c| !is_word(c)).map_or(text.len(), |end| start + end);
        at = end;
        Some((start, &text[start..end]))
    })
}

impl Subjects {
    fn number(&mut self, word: &str) {
        let next = self.numbers.len() as u32;
        if !self.numbers.contains_key(word) {
            self.numbers.insert(word.to_owned(), next);
        }
    }

    /// Adds the names of the modules that there are.
    pub fn modules<'p>(&mut self, paths: impl Iterator<Item = &'p str>) {
        IMPORTS_BY_TEXT.iter().for_each(|word| self.number(word));
        paths.filter(|path| family(path).is_some()).flat_map(modules).for_each(|word| self.number(word));
    }

    /// Adds the words of a file that names a dataset.
    pub fn file(&mut self, text: &str) {
        words(text).filter(|(_, word)| !word.starts_with(|c: char| c.is_ascii_digit())).for_each(|(_, word)| {
            self.number(word);
        });
    }

    /// What a file says of them.
    pub fn speaker(&self, path: &str, text: &str, datasets: &Datasets) -> Option<Speaker> {
        let family = family(path)?;
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut first: BTreeMap<u32, usize> = BTreeMap::new();
        for (at, word) in words(text) {
            if let Some(number) = self.numbers.get(word) {
                first.entry(*number).or_insert(at);
            }
        }
        let mut lines = Lines { text, at: 0, line: 1 };
        let mut by_place: Vec<(usize, u32)> = first.into_iter().map(|(number, at)| (at, number)).collect();
        by_place.sort_unstable();
        let mut words: Vec<(u32, u32)> = by_place.into_iter().map(|(at, number)| (number, lines.of(at))).collect();
        words.sort_unstable();
        let any = IMPORTS_BY_TEXT.iter().any(|word| {
            self.numbers.get(*word).is_some_and(|number| words.binary_search_by_key(number, |(word, _)| *word).is_ok())
        });
        let (parts, replaced) = (parts(path, text, datasets), self.replaced(text));
        let (scripts, dots, renames) = (scripts(text), imports_by_dots(text), self.renamed(text));
        Some(Speaker { path: path.to_owned(), family, words, parts, replaced, scripts, any, dots, renames })
    }

    /// Words that get another name: `USERS as PAID`, `{A => B}`.
    fn renamed(&self, text: &str) -> Vec<u32> {
        let renames = |end: usize| {
            let rest = text[end..].trim_start();
            rest.starts_with("as ") || rest.starts_with("=>")
        };
        let all = words(text).filter(|(at, word)| renames(at + word.len()));
        all.filter_map(|(_, word)| self.numbers.get(word).copied()).collect()
    }

    /// The words that stand on a line on which something is replaced, or on the one before.
    fn replaced(&self, text: &str) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        // No call of them spans a line.
        if !replace::is_spoken(text) {
            return found;
        }
        let mut before = "";
        for (line, now) in (1_u32..).zip(text.lines()) {
            if replace::is_spoken(now) {
                let numbers = words(before).chain(words(now)).filter_map(|(_, word)| self.numbers.get(word));
                found.extend(numbers.map(|number| (*number, line)));
            }
            before = now;
        }
        found.sort_unstable();
        found
    }
}

/// Lines of places that come in order.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    fn of(&mut self, place: usize) -> u32 {
        self.line += self.text.as_bytes()[self.at..place].iter().filter(|byte| **byte == b'\n').count() as u32;
        self.at = place;
        self.line
    }
}

impl Speaker {
    /// Whether it names a file of SQL, or may.
    fn reads(&self, path: &str) -> bool {
        let own = module(path).to_lowercase();
        self.scripts.iter().any(|(name, _)| *name == own || name.is_empty() || name.starts_with(['-', '_']))
    }
}

/// Files of SQL that a text names.
fn scripts(text: &str) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    if !text.contains(".sql") {
        return found;
    }
    for (line, now) in (1_u32..).zip(text.lines()) {
        for (at, end) in now.match_indices(".sql") {
            let before = &now[..at];
            let goes_on = now[at + end.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
            let name = before.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'));
            // `%s.sql`, `*.sql`: any file.
            let start = if name.ends_with('%') { before.len() } else { name.len() };
            // `spark.sql(…)` is a call, not a file.
            if !goes_on && !now[at + end.len()..].trim_start().starts_with('(') {
                found.push((before[start..].to_lowercase(), line));
            }
        }
    }
    found
}

/// Parts of queries in a file.
fn parts(path: &str, text: &str, datasets: &Datasets) -> Vec<(usize, String, u32)> {
    let changes = |word: &str| {
        datasets
            .mappings
            .iter()
            .any(|mapping| mapping.index(word, true).is_some_and(|column| !mapping.columns[column].is_kept()))
    };
    if family(path) == Some(SHELL) {
        return words_of_columns(text, datasets);
    }
    let language = of_path(std::path::Path::new(path)).filter(|_| words(text).any(|(_, word)| changes(word)));
    let Some(tree) = language.and_then(|language| parse(language, text).ok()) else { return Vec::new() };
    net::parts(&tree, datasets)
}

/// Columns that change, in any word of a text.
fn words_of_columns(text: &str, datasets: &Datasets) -> Vec<(usize, String, u32)> {
    let mut found = Vec::new();
    for (line, now) in (1_u32..).zip(text.lines()) {
        for (_, word) in words(now) {
            for (dataset, mapping) in datasets.mappings.iter().enumerate() {
                let column = mapping.column(word, true).filter(|column| !column.is_kept());
                found.extend(column.map(|column| (dataset, column.name.clone(), line)));
            }
        }
    }
    found
}

impl Elsewhere {
    /// Puts together what all files say; `bearing` are the paths of those that name a dataset.
    pub fn new(subjects: Subjects, mut speakers: Vec<Speaker>, bearing: &BTreeSet<String>) -> Self {
        speakers.sort_by(|a, b| a.path.cmp(&b.path));
        let mut all = Self { numbers: subjects.numbers, speakers, reach: BTreeMap::new() };
        for path in bearing {
            let reach = all.reaching(path);
            all.reach.insert(path.clone(), reach);
        }
        all
    }

    /// Whether others may decide what becomes of a file.
    pub fn concerns(&self, path: &str) -> bool {
        self.reach.contains_key(path)
    }

    /// The files that import a module, or one that imports it, and so on.
    fn reaching(&self, path: &str) -> BTreeSet<usize> {
        let Some(family) = family(path) else { return BTreeSet::new() };
        let mut found = BTreeSet::new();
        let mut pending: Vec<&str> = vec![path];
        while let Some(of) = pending.pop() {
            let (names, index) = (modules(of), is_index(of));
            for (number, speaker) in self.speakers.iter().enumerate() {
                let names = || names.iter().any(|name| self.line(speaker, name).is_some());
                if speaker.family == family
                    && speaker.path != path
                    && !found.contains(&number)
                    && (speaker.any || index && speaker.dots || names())
                {
                    found.insert(number);
                    pending.push(&speaker.path);
                }
            }
        }
        found
    }

    fn line(&self, speaker: &Speaker, word: &str) -> Option<u32> {
        let number = self.numbers.get(word)?;
        let at = speaker.words.binary_search_by_key(number, |(word, _)| *word).ok()?;
        Some(speaker.words[at].1)
    }

    /// The files that may speak of a name of the file at `path`, and the line where they do.
    fn speaking<'e>(
        &'e self,
        path: &'e str,
        name: &'e str,
        seen: &'e Seen,
    ) -> impl Iterator<Item = (&'e Speaker, u32)> {
        let family = family(path);
        let reach = self.reach.get(path);
        // Under another name it may be had by whoever reaches the file that gives it one.
        let number = self.numbers.get(name);
        let renamed = *seen == Seen::Imported
            && reach.into_iter().flatten().any(|at| number.is_some_and(|one| self.speakers[*at].renames.contains(one)));
        let seen = if renamed { &Seen::ImportedAs } else { seen };
        self.speakers.iter().enumerate().filter_map(move |(number, speaker)| {
            if Some(speaker.family) != family || speaker.path == path {
                return None;
            }
            let imports = || reach.is_some_and(|reach| reach.contains(&number));
            let line = match seen {
                Seen::Nowhere => None,
                Seen::Imported => self.line(speaker, name).filter(|_| imports()),
                Seen::ImportedAs => imports().then_some(1),
                Seen::Anywhere => self.line(speaker, name),
                Seen::With(class) => self.line(speaker, name).filter(|_| self.line(speaker, class).is_some()),
            };
            line.map(|line| (speaker, line))
        })
    }

    /// Where another file speaks of a name: `jobs/other.py:3`.
    pub fn place(&self, path: &str, name: &str, seen: &Seen) -> Option<String> {
        self.speaking(path, name, seen).next().map(|(speaker, line)| format!("{}:{line}", speaker.path))
    }

    /// The part of a query, in another file that speaks of a name, that names a column of a
    /// dataset: its column, and where.
    pub fn part(&self, path: &str, name: &str, seen: &Seen, dataset: usize) -> Option<(String, String)> {
        self.speaking(path, name, seen).find_map(|(speaker, _)| {
            let (_, column, line) = speaker.parts.iter().find(|(of, ..)| *of == dataset)?;
            Some((column.clone(), format!("{}:{line}", speaker.path)))
        })
    }

    /// Whether other code that could speak of a file has parts of queries over a dataset.
    pub fn has_parts(&self, path: &str, dataset: usize) -> bool {
        let family = family(path);
        let others = self.speakers.iter().filter(|one| Some(one.family) == family && one.path != path);
        others.into_iter().any(|one| one.parts.iter().any(|(of, ..)| *of == dataset))
    }

    /// The part of a query, in code that names a file of SQL, that names a column of a dataset:
    /// its column, and where.
    pub fn part_beside(&self, path: &str, dataset: usize) -> Option<(String, String)> {
        self.speakers.iter().filter(|speaker| speaker.reads(path)).find_map(|speaker| {
            let (_, column, line) = speaker.parts.iter().find(|(of, ..)| *of == dataset)?;
            Some((column.clone(), format!("{}:{line}", speaker.path)))
        })
    }

    /// Where code that names a file of SQL speaks of a name.
    pub fn spoken_beside(&self, path: &str, name: &str) -> Option<String> {
        let beside = self.speakers.iter().filter(|speaker| speaker.reads(path));
        beside.into_iter().find_map(|speaker| Some(format!("{}:{}", speaker.path, self.line(speaker, name)?)))
    }

    /// Where another file may replace something in what a name holds.
    pub fn change(&self, path: &str, name: &str, seen: &Seen) -> Option<String> {
        let number = self.numbers.get(name)?;
        self.speaking(path, name, seen).find_map(|(speaker, _)| {
            let at = speaker.replaced.partition_point(|(word, _)| word < number);
            let (word, line) = speaker.replaced.get(at)?;
            (word == number).then(|| format!("{}:{line}", speaker.path))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(files: &[(&str, &str)], bearing: &str) -> Elsewhere {
        let mut subjects = Subjects::default();
        subjects.modules(files.iter().map(|(path, _)| *path));
        files.iter().filter(|(path, _)| *path == bearing).for_each(|(_, text)| subjects.file(text));
        let datasets = Datasets::default();
        let speakers = files.iter().filter_map(|(path, text)| subjects.speaker(path, text, &datasets)).collect();
        Elsewhere::new(subjects, speakers, &BTreeSet::from([bearing.to_owned()]))
    }

    #[test]
    fn an_import_by_dots_is_seen_whatever_stands_before_it() {
        for text in ["import { A } from '.'", "// don't\nimport { A } from '.'", "x = \"it's\"\nrequire(\"../\")"] {
            assert!(imports_by_dots(text), "{text}");
        }
        assert!(!imports_by_dots("f('.x') + '. '"));
    }

    #[test]
    fn code_that_names_a_file_of_sql_and_has_parts_of_queries_may_add_them() {
        let text =
            "[dataset]\nname = \"u\"\n[names]\ntable = { old = \"p.a.u1\", new = \"p.a.u2\" }\n[columns]\nc = \"d\"\n";
        let mapping = crate::dataset::mapping::read(text, crate::dataset::mapping::Notation::Toml, "m").unwrap();
        let datasets = Datasets { mappings: vec![mapping], ..Datasets::default() };
        let part = |code: &str, path: &str| {
            let subjects = Subjects::default();
            let speaker = subjects.speaker("jobs/a.py", code, &datasets).unwrap();
            let all = Elsewhere::new(subjects, vec![speaker], &BTreeSet::from([path.to_owned()]));
            all.part_beside(path, 0)
        };
        let reads = "q = open('sql/users.sql').read()\nrun(q + \" and c = 'DE'\")\n";
        assert_eq!(part(reads, "sql/users.sql"), Some(("c".to_owned(), "jobs/a.py:2".to_owned())));
        assert_eq!(part(reads, "sql/others.sql"), None);
        assert!(part(&reads.replace("users.sql", "{name}.sql"), "sql/users.sql").is_some());
        assert!(part("run(open('users.sql').read().replace('X', 'c'))\n", "users.sql").is_some());
        assert_eq!(part(&reads.replace("open('sql/users.sql').read()", "spark.sql('x')"), "sql/users.sql"), None);
        assert_eq!(part("run(open('users.sql').read())\n", "users.sql"), None);
    }

    #[test]
    fn a_folder_is_reached_by_dots_and_by_its_package_and_names_under_others() {
        let files = [
            ("packages/q/src/queries.ts", "export const USERS = 'x';\n"),
            ("packages/q/src/index.ts", "export * from './queries';\n"),
            ("packages/q/src/a.ts", "import { USERS } from '.';\n"),
            ("packages/b/src/b.ts", "import { USERS } from '@acme/q';\n"),
            ("packages/c/src/c.ts", "import { OTHER } from '@acme/c';\nconst USERS = 1;\n"),
        ];
        let of = |files: &[(&str, &str)], path: &str| {
            let all = all(files, path);
            let found = all.speaking(path, "USERS", &Seen::Imported).map(|(speaker, _)| speaker.path.clone());
            found.collect::<Vec<String>>()
        };
        assert_eq!(of(&files, "packages/q/src/queries.ts"), ["packages/b/src/b.ts", "packages/q/src/a.ts"]);
        let renamed = [
            ("pkg/queries.py", "USERS = 'x'\n"),
            ("pkg/__init__.py", "from .queries import USERS as PAID\n"),
            ("main.py", "from pkg import PAID\n"),
        ];
        assert!(of(&renamed, "pkg/queries.py").contains(&"main.py".to_owned()));
    }

    #[test]
    fn a_name_is_spoken_of_where_its_module_is_reached() {
        let files = [
            ("jobs/a.py", "def clean(df): pass\n"),
            ("jobs/__init__.py", "from .a import *\n"),
            ("main.py", "import jobs\n\njobs.clean(x)\n"),
            ("other.py", "def clean(x): pass\n"),
            ("b.scala", "import jobs.a\nclean(x)\n"),
            ("notes.md", "a jobs clean\n"),
        ];
        let all = all(&files, "jobs/a.py");
        let at = |seen: Seen| all.place("jobs/a.py", "clean", &seen);
        assert_eq!(at(Seen::Imported).as_deref(), Some("main.py:3"));
        assert_eq!(at(Seen::Anywhere).as_deref(), Some("main.py:3"));
        assert_eq!(at(Seen::Nowhere), None);
        assert_eq!(at(Seen::ImportedAs).as_deref(), Some("jobs/__init__.py:1"));
        assert_eq!(at(Seen::With("Nothing".to_owned())), None);
        assert_eq!(all.place("jobs/a.py", "df", &Seen::Imported), None);
    }
}
