//! What one file of a consumer says of the others' names: its words, the columns that it
//! names, the parts of queries that it has, and the files that it reads.
//!
//! Files are told apart by their words alone: a name counts as spoken of wherever it stands
//! as a word, in a text, too. Must not: read files, or know another one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::Datasets;
use super::given;
use super::net;
use super::put_in;
use super::replace;
use super::scripts::{self, in_folder, is_script};
use super::word::each;
use crate::language::of_path;
use crate::tree::parse;

/// Languages whose files can speak of each other's names, by how their files end.
const FAMILIES: [&[&str]; 7] = [
    &["py", "pyi", "pyx", "ipynb"],
    &["java", "scala", "sc", "sbt", "kt", "kts", "groovy"],
    &["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "vue", "svelte"],
    &["go"],
    &["rs"],
    // What runs files, puts them together, or says with what they are run.
    &["sh", "bash", "zsh", "ksh", "mk", "bat", "ps1", "cmd", "tf", "hcl", "j2", "jinja", "jinja2", "tmpl", "tpl"],
    &["sql", "yaml", "yml", "json", "toml", "avsc", "conf", "properties", "ini", "cfg", "env"],
];
/// The first of them.
const PYTHON: usize = 0;
/// Those whose files name what they import in an import, or in a text.
pub(super) const IMPORTERS: [usize; 2] = [PYTHON, 2];
/// The first whose texts are not told from its code.
pub(super) const GLUE: usize = 5;
/// Files of it without an end.
const GLUE_FILES: [&str; 7] =
    ["Makefile", "makefile", "GNUmakefile", "Justfile", "justfile", "Dockerfile", "Jenkinsfile"];

/// Words of files that reach modules whose names they do not spell.
const IMPORTS_BY_TEXT: [&str; 2] = ["import_module", "__import__"];

/// Words of code that reads files.
const OPENS: [&str; 24] = [
    "open",
    "read_text",
    "readFile",
    "readFileSync",
    "readString",
    "readAllBytes",
    "readLines",
    "getResource",
    "getResourceAsStream",
    "fromResource",
    "fromFile",
    "include_str",
    "ReadFile",
    "ReadAll",
    "glob",
    "rglob",
    "iterdir",
    "listdir",
    "get_template",
    "FileSystemLoader",
    "PackageLoader",
    "resources",
    "pkgutil",
    "embed",
];

/// Words of code that reads files of one kind, and how those end.
const OPENS_KIND: [(&str, &str); 3] = [("safe_load", ".y"), ("yaml", ".y"), ("json", ".json")];

/// Folders that no import names.
const SOURCES: [&str; 5] = ["src", "lib", "dist", "python", "main"];

/// Longest file that is read for its words, in bytes.
const MAX_TEXT: usize = 4 << 20;

/// What may be spoken of: the words of files that name a dataset, the names of modules, and
/// columns that change.
#[derive(Debug, Default)]
pub struct Subjects {
    pub(super) numbers: HashMap<String, u32>,
    /// Names of modules.
    modules: HashSet<u32>,
    /// Files of SQL, YAML and JSON with their folders, in lower case.
    pub(super) scripts: HashSet<String>,
    /// Those that more than one file of SQL, YAML or JSON has: `query`.
    pub(super) shared: HashSet<u32>,
    columns: Columns,
}

/// Columns that change, found whatever their case.
#[derive(Debug, Default)]
struct Columns {
    /// A bit for each length that one has.
    lengths: u64,
    /// In lower case; the datasets that have it, and what they call it.
    all: Vec<(String, Vec<(usize, String)>)>,
}

impl Columns {
    fn of(&self, word: &str) -> &[(usize, String)] {
        if self.lengths & length(word) == 0 {
            return &[];
        }
        let found = self.all.iter().find(|(column, _)| column.eq_ignore_ascii_case(word));
        found.map_or(&[], |(_, named)| named)
    }
}

fn length(word: &str) -> u64 {
    1 << word.len().min(63)
}

/// A column of a dataset that a file names, and the line.
type Named = (usize, String, u32);

/// A file, as far as it says something of others.
#[derive(Debug)]
pub struct Speaker {
    pub(super) path: String,
    pub(super) family: usize,
    /// Numbers of words, sorted, and the line on which each stands first.
    pub(super) words: Vec<(u32, u32)>,
    /// Parts of queries that name a column which changes.
    pub(super) parts: Vec<Named>,
    /// Columns that change, as texts of their own that go on.
    pub(super) given: Vec<Named>,
    /// For each dataset, where a column which changes is named first, in any way.
    pub(super) named: Vec<Named>,
    /// Where it first reads a table whose name is put in at run time.
    pub(super) opened: Option<u32>,
    /// Words beside a call that replaces something in a text: their numbers, sorted, and lines.
    pub(super) replaced: Vec<(u32, u32)>,
    /// Files of SQL, YAML or JSON that it names, with a folder that is written, without their end; an empty name is
    /// put together.
    pub(super) scripts: Vec<String>,
    /// Whether it reads files.
    pub(super) opens: bool,
    /// How the files end that it may read, though it has no other word for that.
    pub(super) opens_kind: Vec<&'static str>,
    /// Names of modules that stand in a text, a path or an import: their numbers.
    pub(super) asked: HashSet<u32>,
    /// Whether it may reach any module.
    pub(super) any: bool,
    /// Whether it imports a folder by dots alone.
    pub(super) dots: bool,
    /// Numbers of words that it gives another name: `USERS as PAID`.
    pub(super) renames: Vec<u32>,
}

/// Which family a file is of.
pub fn family(path: &str) -> Option<usize> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if GLUE_FILES.contains(&name) {
        return Some(GLUE);
    }
    let (_, end) = name.rsplit_once('.')?;
    FAMILIES.iter().position(|ends| ends.contains(&end))
}

/// Whether a file is code whose names other code may speak of.
pub fn is_code(path: &str) -> bool {
    family(path).is_some_and(|family| family < GLUE)
}

/// The word by which an import names a file.
pub(super) fn module(path: &str) -> &str {
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
pub(super) fn modules(path: &str) -> Vec<&str> {
    let first = module(path);
    let mut found = vec![first];
    if is_index(path) && SOURCES.contains(&first) {
        found.extend(path.rsplit('/').nth(2));
    }
    // `from "./index"`
    let name = path.rsplit('/').next().unwrap_or(path);
    found.extend(name.split('.').next().filter(|stem| is_index(path) && *stem != "__init__"));
    found
}

/// Whether a file stands for its folder.
pub(super) fn is_index(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name.split('.').next(), Some("__init__" | "index" | "mod"))
}

/// Whether a word stands at an end of a text, or in a path or a name with dots that does.
fn in_path(before: &[u8], after: &[u8]) -> bool {
    let marks = |byte: Option<&u8>| matches!(byte, Some(b'"' | b'\'' | b'`' | b'/'));
    let goes_on = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'@');
    let skipped = before.iter().rev().take_while(goes_on).count();
    marks(after.first()) || marks(before[..before.len() - skipped].last())
}

/// Where a text of Python imports, in order: lines that say so, to the end of what they open.
fn imports(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        let within = found.last().is_some_and(|last| range.start < last.end);
        let trimmed = line.trim();
        if within || !trimmed.contains("import") && !trimmed.starts_with("from ") {
            continue;
        }
        found.push(range.start..range.start + import_length(&text[range.start..]));
    }
    found
}

/// How long an import is that a text begins with, in bytes: brackets in comments close nothing.
fn import_length(text: &str) -> usize {
    // `# MAGIC from jobs import (`: a cell of a notebook.
    let is_cell = |line: &str| line.trim_start().starts_with('#');
    let cell = is_cell(text);
    let (mut length, mut open) = (0, 0_usize);
    for line in text.split_inclusive('\n').take_while(|line| !cell || is_cell(line)) {
        length += line.len();
        let line = if cell { line.trim_start().trim_start_matches('#') } else { line };
        let code = line.split('#').next().unwrap_or_default().trim_end();
        open = (open + code.matches('(').count()).saturating_sub(code.matches(')').count());
        if open == 0 && !code.ends_with('\\') {
            break;
        }
    }
    length
}

/// On which side of a place a range lies.
fn side(range: &Range<usize>, at: usize) -> Ordering {
    match (range.end <= at, range.start > at) {
        (true, _) => Ordering::Less,
        (_, true) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// Whether a text imports a folder by dots alone: `from "."`.
fn imports_by_dots(text: &str) -> bool {
    // Quotes are not paired: one in a comment would turn texts and what is between them round.
    let dotted = |mark: &str| {
        memchr::memmem::find_iter(text.as_bytes(), mark).any(|at| {
            let rest = &text[at + 1..];
            let end = rest.find(['"', '\'']);
            end.is_some_and(|end| rest[..end].bytes().all(|byte| matches!(byte, b'.' | b'/')))
        })
    };
    dotted("'.") || dotted("\".") || text.contains("from . import")
}

impl Subjects {
    /// Subjects of a consumer: of columns those that change.
    pub fn of(datasets: &Datasets) -> Self {
        let mut columns: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
        for (dataset, mapping) in datasets.mappings.iter().enumerate() {
            for column in mapping.columns.iter().filter(|column| !column.is_kept()) {
                columns.entry(column.name.to_lowercase()).or_default().push((dataset, column.name.clone()));
            }
        }
        let lengths = columns.keys().fold(0, |all, column| all | length(column));
        Self { columns: Columns { lengths, all: columns.into_iter().collect() }, ..Self::default() }
    }

    fn number(&mut self, word: &str) {
        let next = self.numbers.len() as u32;
        if !self.numbers.contains_key(word) {
            self.numbers.insert(word.to_owned(), next);
        }
    }

    /// Adds the names of the modules that there are.
    pub fn modules<'p>(&mut self, paths: impl Iterator<Item = &'p str>) {
        IMPORTS_BY_TEXT.iter().chain(&OPENS).for_each(|word| self.number(word));
        OPENS_KIND.iter().for_each(|(word, _)| self.number(word));
        let mut known = HashSet::new();
        for path in paths.filter(|path| family(path).is_some()) {
            for word in modules(path) {
                self.number(word);
                self.modules.extend(self.numbers.get(word).copied());
            }
            let shared = is_script(path) && !known.insert(module(path));
            self.scripts.extend(in_folder(&path.to_lowercase()).filter(|_| is_script(path)));
            self.shared.extend(self.numbers.get(module(path)).copied().filter(|_| shared));
        }
    }

    /// Adds the words of a file that names a dataset.
    pub fn file(&mut self, text: &str) {
        each(text).filter(|(_, word)| !word.starts_with(|c: char| c.is_ascii_digit())).for_each(|(_, word)| {
            self.number(word);
        });
    }

    /// Datasets that a text names, and the line of each.
    pub fn datasets(text: &str, datasets: &Datasets) -> Vec<(usize, u32)> {
        let line = |at: usize| 1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count() as u32;
        let all = datasets.mappings.iter().enumerate();
        all.filter_map(|(dataset, mapping)| Some((dataset, line(put_in::spoken(text, mapping)?)))).collect()
    }

    /// What a file says of them.
    pub fn speaker(&self, path: &str, text: &str, datasets: &Datasets) -> Option<Speaker> {
        let (mut speaker, grows) = self.of_words(path, text)?;
        if speaker.family < GLUE && (grows || !speaker.parts.is_empty()) {
            let tree = of_path(std::path::Path::new(path)).and_then(|language| parse(language, text).ok());
            speaker.given = tree.as_ref().map_or_else(Vec::new, |tree| given::all(tree, datasets));
            speaker.parts = tree.as_ref().map_or_else(Vec::new, |tree| net::parts(tree, datasets));
        }
        Some(speaker)
    }

    /// As [`Subjects::speaker`], told from its words alone: whatever names a column may be a part of
    /// a query.
    pub fn unread(&self, path: &str, text: &str) -> Option<Speaker> {
        self.of_words(path, text).map(|(speaker, _)| speaker)
    }

    /// What the words of a file say, and whether it may have a part into which a name is put.
    fn of_words(&self, path: &str, text: &str) -> Option<(Speaker, bool)> {
        let family = family(path)?;
        if text.len() > MAX_TEXT {
            return None;
        }
        let said = self.said(text, &if family == PYTHON { imports(text) } else { Vec::new() });
        let has = |all: &[&str]| {
            let mut numbers = all.iter().filter_map(|word| self.numbers.get(*word));
            numbers.any(|number| said.words.binary_search_by_key(number, |(word, _)| *word).is_ok())
        };
        let mut seen = BTreeSet::new();
        let named = said.named.iter().filter(|(dataset, ..)| seen.insert(*dataset)).cloned().collect();
        let speaker = Speaker {
            path: path.to_owned(),
            family,
            any: has(&IMPORTS_BY_TEXT),
            opens: has(&OPENS),
            opens_kind: OPENS_KIND.iter().filter(|(word, _)| has(&[word])).map(|(_, kind)| *kind).collect(),
            asked: said.asked,
            words: said.words,
            parts: said.named,
            opened: said.opened,
            given: Vec::new(),
            named,
            replaced: if said.replaces { self.replaced(text) } else { Vec::new() },
            scripts: scripts::named(path, text),
            dots: imports_by_dots(text),
            renames: said.renames,
        };
        Some((speaker, said.grows))
    }

    /// One walk over the words of a text; `imports` are places in order.
    fn said(&self, text: &str, imports: &[Range<usize>]) -> Said {
        let mut lines = Lines { text, at: 0, line: 1 };
        let mut seen = vec![false; self.numbers.len()];
        let (mut said, mut before) = (Said::default(), "");
        for (at, word) in each(text) {
            let rest = &text.as_bytes()[at + word.len()..];
            said.replaces |= rest.first() == Some(&b'(') && replace::is_call(word);
            said.grows |= rest.first() == Some(&b' ') && may_grow(before, word, &rest[1..]);
            before = word;
            if said.opened.is_none() && opens(word, rest) {
                said.opened = Some(lines.of(at));
            }
            for (dataset, column) in self.columns.of(word) {
                said.named.push((*dataset, column.clone(), lines.of(at)));
            }
            let Some(number) = self.numbers.get(word).copied() else { continue };
            if !std::mem::replace(&mut seen[number as usize], true) {
                said.words.push((number, lines.of(at)));
            }
            let import = || imports.binary_search_by(|one| side(one, at)).is_ok();
            if self.modules.contains(&number)
                && !said.asked.contains(&number)
                && (in_path(&text.as_bytes()[..at], rest) && !scripts::is_named(rest) || import())
            {
                said.asked.insert(number);
            }
            let rest = rest.trim_ascii_start();
            if rest.starts_with(b"as ") || rest.starts_with(b"=>") {
                said.renames.push(number);
            }
        }
        said.words.sort_unstable();
        said
    }

    /// The words that stand on a line on which something is replaced, or on the one before.
    fn replaced(&self, text: &str) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        // No call of them spans a line.
        let mut before = "";
        for (line, now) in (1_u32..).zip(text.lines()) {
            if replace::is_spoken(now) {
                let numbers = each(before).chain(each(now)).filter_map(|(_, word)| self.numbers.get(word));
                found.extend(numbers.map(|number| (*number, line)));
            }
            before = now;
        }
        found.sort_unstable();
        found
    }
}

/// What the words of a text say.
#[derive(Default)]
struct Said {
    /// Those that are subjects, sorted, with the line of each.
    words: Vec<(u32, u32)>,
    /// Of them those that get another name: `USERS as PAID`, `{A => B}`.
    renames: Vec<u32>,
    /// Of them names of modules, in a text, a path or an import.
    asked: HashSet<u32>,
    /// Every column that changes.
    named: Vec<Named>,
    /// Whether something is replaced.
    replaces: bool,
    /// Whether there may be a part of a query into which a name is put.
    grows: bool,
    /// The first line on which a table is read whose name is put in.
    opened: Option<u32>,
}

/// What a table's name stands behind in a query, and what reads one in code.
const BEFORE_TABLES: [&str; 4] = ["from", "join", "into", "update"];
const READS_TABLES: [&str; 10] = [
    "table",
    "parquet",
    "read_parquet",
    "read_gbq",
    "read_sql_table",
    "read_table",
    "get_table",
    "list_rows",
    "bigQueryTable",
    "listTableData",
];

/// Whether a table is read behind a word whose name is put in: `from {table}`, `"from " + table`,
/// `table(name)`.
fn opens(word: &str, rest: &[u8]) -> bool {
    if BEFORE_TABLES.iter().any(|one| one.eq_ignore_ascii_case(word)) {
        let name = rest.trim_ascii_start();
        if name.len() == rest.len() {
            return false;
        }
        let quoted = name.strip_prefix(b"`").or_else(|| name.strip_prefix(b"\"")).or_else(|| name.strip_prefix(b"["));
        let opened = quoted.unwrap_or(name);
        let hole = ["{", "$", "%s", "%("].iter().any(|mark| opened.starts_with(mark.as_bytes()));
        // `from {{ ref('orders') }}` says its name.
        let call = name.strip_prefix(b"{{").map(|call| call.trim_ascii_start());
        let hole = hole && !call.is_some_and(|call| call.starts_with(b"ref(") || call.starts_with(b"source("));
        // `import a from './b'` is no query.
        let module = |rest: &[u8]| [&b"./"[..], b"..", b".'", b".\""].iter().any(|mark| rest.starts_with(mark));
        let ends = matches!(name.first(), Some(b'"' | b'\'')) && !module(&name[1..]) && {
            let behind = name[1..].trim_ascii_start();
            behind.first().is_none_or(|byte| matches!(byte, b'+' | b')' | b'.' | b',' | b';' | b'%'))
        };
        return hole || ends;
    }
    let name = rest.strip_prefix(b"(").and_then(|list| list.first());
    READS_TABLES.contains(&word) && name.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
}

/// Whether a part of a query may begin with a word, into which a name is put behind it.
fn may_grow(before: &str, word: &str, rest: &[u8]) -> bool {
    let puts_in =
        rest.starts_with(b"{") || rest.starts_with(b"$") || rest.starts_with(b"%s") || rest.starts_with(b"%(");
    let ends = matches!(rest.first(), Some(b'"' | b'\'' | b'`'));
    let is = |all: &[&str], word: &str| all.iter().any(|one| one.eq_ignore_ascii_case(word));
    puts_in && is(&["where", "and", "or", "on", "by", "having", "select"], word)
        || ends && (is(&["where", "having"], word) || is(&["by"], word) && is(&["order", "group"], before))
}

/// Lines of places that come in order.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    fn of(&mut self, place: usize) -> u32 {
        self.line += memchr::memchr_iter(b'\n', &self.text.as_bytes()[self.at..place]).count() as u32;
        self.at = place;
        self.line
    }
}

impl Speaker {
    /// Where it has a word first.
    pub(super) fn line(&self, number: u32) -> Option<u32> {
        let at = self.words.binary_search_by_key(&number, |(word, _)| *word).ok()?;
        Some(self.words[at].1)
    }

    /// A part of a query over a dataset: the column that it names, and where.
    pub(super) fn part(&self, dataset: usize, open: bool) -> Option<(String, String)> {
        let given = self.given.iter().filter(|_| open);
        let (_, column, line) = self.parts.iter().chain(given).find(|(of, ..)| *of == dataset)?;
        Some((column.clone(), format!("{}:{line}", self.path)))
    }

    /// Whether it names a file of SQL, YAML or JSON, or may, by its name without an end and the same with its folder,
    /// both in lower case; `files` are all of them with their folders: one that is written as it lies there is no other
    /// of that name.
    pub(super) fn names(&self, own: &str, in_folder: Option<&String>, files: &HashSet<String>) -> bool {
        self.scripts.iter().any(|script| {
            let name = script.rsplit('/').next().unwrap_or(script);
            let any = name.is_empty() || name.starts_with(['-', '_']);
            any || name == own && (in_folder == Some(script) || !files.contains(script))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_opened_where_its_name_is_put_in() {
        for (word, rest) in [("from", " {t}"), ("FROM", " `${t}`"), ("join", " \".concat(t)"), ("table", "(name)")] {
            assert!(opens(word, rest.as_bytes()), "{word}{rest}");
        }
        for rest in [" './b'\n", " '..'", " {{ ref('a') }}", " {{source('a', 'b')}}", " users"] {
            assert!(!opens("from", rest.as_bytes()), "from{rest}");
        }
    }

    #[test]
    fn an_import_by_dots_is_seen_whatever_stands_before_it() {
        for text in ["import { A } from '.'", "// don't\nimport { A } from '.'", "x = \"it's\"\nrequire(\"../\")"] {
            assert!(imports_by_dots(text), "{text}");
        }
        assert!(!imports_by_dots("f('.x') + '. '"));
    }
}
