//! The second witness: which code names what is migrated, whatever any catalog says.
//! Every file is read once, as by a grep: many names at once, whole words, without
//! regard to case, in UTF-16 too.
//!
//! Must not: parse code, follow a link, decide what follows from a find, or pass over
//! text in silence.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::hash::{Hash as _, Hasher as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::AhoCorasick;
use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::files;
use crate::rule::{Clause, RuleSet};

/// The largest file that is searched, in bytes.
const MAX_FILE: u64 = if cfg!(test) { 1 << 20 } else { 1 << 30 };
/// The largest file in UTF-16 that is, for it is held as a whole.
const MAX_WIDE: u64 = if cfg!(test) { 1 << 12 } else { 64 << 20 };
/// How much of a file is held at a time.
const CHUNK: usize = if cfg!(test) { 1 << 10 } else { 4 << 20 };
/// A zero byte in the first so many makes a file binary, as for git and grep.
const HEAD: usize = 8000;
/// Shorter texts of rules stand in any code.
const SHORTEST: usize = 5;
/// Folders that hold no code of anybody.
const SKIPPED: [&str; 2] = [".git", ".gander"];
/// What makes a folder called `target` beside it one that builds write.
const BUILDS: [&str; 4] = ["Cargo.toml", "pom.xml", "build.sbt", "dbt_project.yml"];

/// Why something was not searched, and what to do.
const LOCKED: &str = "can't be searched: check its permissions and its ignore files";
const BUILT: &str = "is not searched, for builds or installers write it: list it in a .gitignore there, or leave its path out with [[consumers.exclude]]";
const LFS_POINTER: &str =
    "is kept in Git LFS, and is not searched: fetch it, or leave its path out with [[consumers.exclude]]";
const COMPRESSED: &str = "is compressed, and is not searched: leave its path out with [[consumers.exclude]]";
const LINK: &str = "is a link that leads elsewhere, and is not searched: name where it leads in `search`, or leave its path out with [[consumers.exclude]]";
/// A folder of a repository that is another repository.
pub(super) const SUBMODULE: &str = "is a submodule, and is not searched: name its repository as a consumer, or leave its path out with [[consumers.exclude]]";
/// How a pointer of Git LFS begins, and anything that gzip made.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1";
const GZIP: &[u8] = &[0x1f, 0x8b];
const HUGE: &str = "is too large to be searched: leave its path out with [[consumers.exclude]]";

/// Where a name was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    /// Absolute.
    pub(super) path: PathBuf,
    /// From 1.
    pub(super) line: usize,
    /// As the code writes it.
    pub(super) name: String,
}

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Hits {
    /// The first place of each file, ordered by path.
    pub(super) hits: Vec<Hit>,
    /// Files that were read.
    pub(super) files: u64,
    /// Digests of the paths that were, for what is asked for beside them.
    seen: HashSet<u64>,
    /// What was not searched, and why, for people.
    pub(super) unread: BTreeMap<PathBuf, &'static str>,
}

impl Hits {
    fn unread(&mut self, path: &Path, why: &'static str) {
        self.unread.insert(path.to_owned(), why);
    }

    fn take(&mut self, path: &Path, result: std::io::Result<Search>) {
        self.seen.insert(key(path));
        match result {
            Ok(Search::Found(hit)) => {
                self.files += 1;
                self.hits.push(hit);
            }
            Ok(Search::Nothing) => self.files += 1,
            Ok(Search::Huge) => self.unread(path, HUGE),
            Ok(Search::Elsewhere) => self.unread(path, LFS_POINTER),
            Ok(Search::Packed) => self.unread(path, COMPRESSED),
            Err(_) => self.unread(path, LOCKED),
        }
    }
}

/// Two paths may share one; then a tracked file is searched, or not, by mistake of one in
/// many millions.
fn key(path: &Path) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// The names that code is searched for: those that the migration gives, else what
/// rules and mappings tell.
///
/// Of each rule it is the most telling of the texts that it requires: keys of a
/// mapping where it looks for them, else its longest. Datasets count by their last part.
pub fn names(
    given: &[String],
    datasets: &[String],
    rules: &RuleSet,
    mappings: &BTreeMap<String, toml::Table>,
) -> Vec<String> {
    let mut names: BTreeSet<String> = given.iter().cloned().collect();
    if names.is_empty() {
        // A short end stands in any code: then the whole name is looked for.
        let end = |name: &String| {
            let end = name.trim_end_matches('/').rsplit(['.', '/', ':']).next().unwrap_or_default();
            if end.len() >= SHORTEST { end.to_owned() } else { name.clone() }
        };
        names.extend(datasets.iter().map(end));
        let migrated = rules.datasets.iter().flat_map(|migrated| &migrated.datasets.mappings);
        names.extend(migrated.flat_map(|mapping| &mapping.names).map(|name| end(&name.old)));
        let keys: BTreeSet<&str> = mappings.values().flat_map(keys).collect();
        for rule in 0..rules.rules.len() {
            for required in rules.required(rule) {
                names.extend(
                    telling(required.clauses, &keys).into_iter().flat_map(|clause| clause.texts.iter().cloned()),
                );
            }
        }
        names.retain(|name| name.len() >= SHORTEST && name.contains(|c: char| c.is_alphanumeric()));
    }
    // A name inside another is found with it.
    let all = names.clone();
    names.retain(|name| !all.iter().any(|other| other != name && inside(other, name)));
    names.into_iter().collect()
}

fn keys(table: &toml::Table) -> Vec<&str> {
    let inner = table.values().filter_map(toml::Value::as_table).flat_map(|table| table.keys().map(String::as_str));
    table.iter().filter(|(_, value)| !value.is_table()).map(|(key, _)| key.as_str()).chain(inner).collect()
}

fn telling<'c>(clauses: &'c [Clause], keys: &BTreeSet<&str>) -> Option<&'c Clause> {
    let shortest = |clause: &&Clause| clause.texts.iter().map(String::len).min().unwrap_or(0);
    let mapped = |clause: &&Clause| clause.texts.iter().all(|text| keys.contains(text.as_str()));
    let of_mapping = clauses.iter().filter(mapped).max_by_key(shortest);
    of_mapping.or_else(|| clauses.iter().max_by_key(shortest)).filter(|clause| shortest(clause) >= SHORTEST)
}

/// Whether each find of `long` is one of `short`, as a whole word.
fn inside(short: &str, long: &str) -> bool {
    long.match_indices(short).any(|(at, _)| whole(long.as_bytes(), at, at + short.len()))
}

/// Searches `roots` for `names`. A root inside another is searched with it, or by itself
/// where the other one ignores it.
/// `tracked` are files that count as code though an ignore file may name them.
pub(super) fn search(roots: &BTreeSet<PathBuf>, tracked: &[PathBuf], names: &[String]) -> Hits {
    let Ok(automaton) = AhoCorasick::builder().ascii_case_insensitive(true).build(names) else {
        return Hits::default();
    };
    let found = Arc::new(Mutex::new(Hits::default()));
    let roots = Arc::new(roots.clone());
    let seen: Arc<Mutex<BTreeSet<PathBuf>>> = Arc::default();
    let mut left: BTreeSet<PathBuf> = (*roots).clone();
    while !left.is_empty() {
        let top: Vec<PathBuf> = topmost(&left);
        left.retain(|root| !top.contains(root));
        walk(&top, &roots, &seen, &automaton, &found);
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|root| !seen.contains(root));
    }
    let mut found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    let passed_over = tracked.iter().filter(|path| !found.seen.contains(&key(path)));
    // What is not there any more, or behind a link, is nobody's code.
    let passed_over: Vec<&PathBuf> =
        passed_over.filter(|path| path.is_file() && path.canonicalize().is_ok_and(|real| real == **path)).collect();
    let mut buffer = Vec::new();
    for path in passed_over {
        found.take(path, first_in(path, &automaton, &mut buffer));
    }
    found.hits.sort();
    found
}

/// Those that lie in no other.
fn topmost(roots: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let mut top: Vec<PathBuf> = Vec::new();
    // Ordered part by part: what lies in a folder comes right after it.
    for root in roots {
        if !top.last().is_some_and(|last| root.starts_with(last)) {
            top.push(root.clone());
        }
    }
    top
}

fn walk(
    tops: &[PathBuf],
    roots: &Arc<BTreeSet<PathBuf>>,
    seen: &Arc<Mutex<BTreeSet<PathBuf>>>,
    automaton: &AhoCorasick,
    found: &Arc<Mutex<Hits>>,
) {
    let (open, barred): (Vec<&PathBuf>, Vec<&PathBuf>) =
        tops.iter().partition(|root| files::barred_ignore(root).is_none());
    barred.iter().for_each(|root| found.lock().unwrap_or_else(PoisonError::into_inner).unread(root, LOCKED));
    let Some((first, rest)) = open.split_first() else { return };
    let (known, passed, missed) = (Arc::clone(roots), Arc::clone(seen), Arc::clone(found));
    let mut builder = WalkBuilder::new(first);
    for root in rest {
        builder.add(root);
    }
    let walker = builder
        .hidden(false)
        .ignore(false)
        .parents(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(move |entry| enter(entry, &known, &passed, &missed))
        .build_parallel();
    walker.run(|| {
        let mut buffer = Vec::new();
        Box::new(move |entry| {
            let note = |change: &dyn Fn(&mut Hits)| change(&mut found.lock().unwrap_or_else(PoisonError::into_inner));
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    let result = first_in(entry.path(), automaton, &mut buffer);
                    found.lock().unwrap_or_else(PoisonError::into_inner).take(entry.path(), result);
                }
                Ok(entry) if entry.path_is_symlink() => {
                    // What is searched by itself needs no link to it.
                    let elsewhere = |real: &PathBuf| !real.ancestors().any(|folder| roots.contains(folder));
                    if entry.path().canonicalize().is_ok_and(|real| elsewhere(&real)) {
                        note(&|hits| hits.unread(entry.path(), LINK));
                    }
                }
                Ok(_) => {}
                Err(error) => note(&|hits| hits.unread(path_of(&error).unwrap_or(Path::new("a folder")), LOCKED)),
            }
            WalkState::Continue
        })
    });
}

/// The path that a walk could not read.
fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

fn enter(entry: &DirEntry, roots: &BTreeSet<PathBuf>, seen: &Mutex<BTreeSet<PathBuf>>, found: &Mutex<Hits>) -> bool {
    let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
    if !is_dir || entry.depth() == 0 {
        return true;
    }
    let name = entry.file_name().to_str().unwrap_or_default();
    if SKIPPED.contains(&name) {
        return false;
    }
    let barred = files::barred_ignore(entry.path()).is_some();
    if barred || built(entry.path(), name) {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.unread(entry.path(), if barred { LOCKED } else { BUILT });
        return false;
    }
    if roots.contains(entry.path()) {
        seen.lock().unwrap_or_else(PoisonError::into_inner).insert(entry.path().to_owned());
    }
    true
}

/// Whether a folder that no ignore file names holds what others' programs write.
fn built(path: &Path, name: &str) -> bool {
    let beside = |file: &&str| path.with_file_name(file).is_file();
    match name {
        "node_modules" => true,
        "target" => BUILDS.iter().any(beside) || path.join("CACHEDIR.TAG").is_file(),
        _ => false,
    }
}

/// What came of one file.
enum Search {
    Found(Hit),
    Nothing,
    Huge,
    /// A pointer of Git LFS.
    Elsewhere,
    /// Compressed.
    Packed,
}

/// The first name in a file.
fn first_in(path: &Path, automaton: &AhoCorasick, buffer: &mut Vec<u8>) -> std::io::Result<Search> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    buffer.clear();
    (&mut file).take(CHUNK as u64).read_to_end(buffer)?;
    let head = &buffer[..buffer.len().min(HEAD)];
    if let Some(wide) = Wide::of(head) {
        if length > MAX_WIDE {
            return Ok(Search::Huge);
        }
        file.take(MAX_WIDE).read_to_end(buffer)?;
        *buffer = wide.decoded(buffer).into_bytes();
        return Ok(
            first_word(automaton, buffer, (0, buffer.len())).map_or(Search::Nothing, |at| hit(path, buffer, at, 0))
        );
    }
    if head.starts_with(LFS) {
        return Ok(Search::Elsewhere);
    }
    if head.starts_with(GZIP) {
        return Ok(Search::Packed);
    }
    if length > MAX_FILE {
        return Ok(Search::Huge);
    }
    if memchr::memchr(0, head).is_some() && length <= MAX_WIDE {
        // Binary, or text in a form that nobody has told: names stand there with zeros
        // between their letters, or as they are.
        file.take(MAX_WIDE).read_to_end(buffer)?;
        if let Some(at) = first_word(automaton, buffer, (0, buffer.len())) {
            return Ok(hit(path, buffer, at, 0));
        }
        buffer.retain(|byte| *byte != 0);
        return Ok(
            first_word(automaton, buffer, (0, buffer.len())).map_or(Search::Nothing, |at| hit(path, buffer, at, 0))
        );
    }
    // Of each part the end is looked at again with the next one: a find may go on there,
    // and of one that ends there nobody knows yet what follows.
    let kept = automaton.max_pattern_len() + 1;
    let (mut lines, mut begun) = (0, false);
    loop {
        let last = buffer.len() < CHUNK;
        let window = (usize::from(begun), if last { buffer.len() } else { buffer.len() - 1 });
        if let Some(at) = first_word(automaton, buffer, window) {
            return Ok(hit(path, buffer, at, lines));
        }
        if last {
            return Ok(Search::Nothing);
        }
        let done = buffer.len().saturating_sub(kept);
        lines += memchr::memchr_iter(b'\n', &buffer[..done]).count();
        buffer.drain(..done);
        begun = done > 0 || begun;
        (&mut file).take((CHUNK - buffer.len()) as u64).read_to_end(buffer)?;
    }
}

fn hit(path: &Path, bytes: &[u8], (start, end): (usize, usize), lines: usize) -> Search {
    Search::Found(Hit {
        path: path.to_owned(),
        line: lines + memchr::memchr_iter(b'\n', &bytes[..start]).count() + 1,
        name: String::from_utf8_lossy(&bytes[start..end]).into_owned(),
    })
}

/// UTF-16, by its order of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wide {
    Little,
    Big,
}

impl Wide {
    /// By its mark, or by zeros in every other byte, as Latin letters have them.
    fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0xff, 0xfe, ..] => return Some(Self::Little),
            [0xfe, 0xff, ..] => return Some(Self::Big),
            _ => {}
        }
        let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        match (even, odd) {
            (0, odd) if odd > head.len() / 4 => Some(Self::Little),
            (even, 0) if even > head.len() / 4 => Some(Self::Big),
            _ => None,
        }
    }

    fn decoded(self, bytes: &[u8]) -> String {
        let unit = |pair: &[u8]| match self {
            Self::Little => u16::from_le_bytes([pair[0], pair[1]]),
            Self::Big => u16::from_be_bytes([pair[0], pair[1]]),
        };
        let units = bytes.chunks_exact(2).map(unit);
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }
}

/// The first find that is a whole word and lies within `window`.
fn first_word(automaton: &AhoCorasick, bytes: &[u8], window: (usize, usize)) -> Option<(usize, usize)> {
    let mut finds = automaton.find_overlapping_iter(bytes).map(|found| (found.start(), found.end()));
    finds.find(|(start, end)| *start >= window.0 && *end <= window.1 && whole(bytes, *start, *end))
}

/// Whether what stands around a find is no part of its word.
fn whole(bytes: &[u8], start: usize, end: usize) -> bool {
    let (before, inside, after) = (&bytes[..start], &bytes[start..end], &bytes[end..]);
    let begins = is_word(first(inside)) && is_word(last(before));
    let goes_on = is_word(last(inside)) && is_word(first(after));
    !begins && !goes_on
}

/// Letters and digits of scripts that put spaces between words. Of any other, and of what is
/// no UTF-8, a find is rather doubtful than lost.
fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c == '_' || (c.is_alphanumeric() && u32::from(c) < 0x2e80))
}

fn first(bytes: &[u8]) -> Option<char> {
    let head = &bytes[..bytes.len().min(4)];
    (1..=head.len()).find_map(|length| std::str::from_utf8(&head[..length]).ok()).and_then(|text| text.chars().next())
}

fn last(bytes: &[u8]) -> Option<char> {
    let tail = &bytes[bytes.len().saturating_sub(4)..];
    (0..tail.len()).rev().find_map(|at| std::str::from_utf8(&tail[at..]).ok()).and_then(|text| text.chars().next_back())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::Sandpit;

    fn found(pit: &Sandpit, names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let hits = search(&BTreeSet::from([pit.root()]), &[], &names).hits;
        let line =
            |hit: &Hit| format!("{}:{} {}", hit.path.strip_prefix(pit.root()).unwrap().display(), hit.line, hit.name);
        hits.iter().map(line).collect()
    }

    #[test]
    fn whole_words_in_any_case() {
        let pit = Sandpit::new();
        pit.write("a.sql", "\nselect 1\nfrom `p.ANALYTICS.Users_V1`");
        pit.write("b.sql", "users_v10 my_users_v1 éusers_v1 users_v1é");
        pit.write("c.lkml", "x users_v10 users_v1;");
        pit.write("bin", "\0users_v1");
        pit.write(".hidden/x", "users_v1");
        pit.write(".git/x", "users_v1");
        pit.write(".gitignore", "built/\n");
        pit.write("built/x", "users_v1");
        pit.write("d.sql", "\u{a0}users_v1\u{201d}");
        pit.write("e.sql", "从users_v1读");
        pit.write("f.sql", b"\xe9users_v1\xe9");
        pit.write(".ignore", "a.sql\n");
        pit.link("link", "/etc/passwd");
        pit.link("own", "a.sql");
        assert_eq!(
            found(&pit, &["users_v1"]),
            [
                ".hidden/x:1 users_v1",
                "a.sql:3 Users_V1",
                "bin:1 users_v1",
                "c.lkml:1 users_v1",
                "d.sql:1 users_v1",
                "e.sql:1 users_v1",
                "f.sql:1 users_v1"
            ]
        );
        pit.write("g.gz", [0x1f, 0x8b, 8, 0]);
        pit.write("h.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n");
        let hits = search(&BTreeSet::from([pit.root()]), &[], &["users_v1".to_owned()]);
        let unread: Vec<_> = hits.unread.iter().map(|(p, why)| (p.strip_prefix(pit.root()).unwrap(), *why)).collect();
        assert_eq!(
            unread,
            [(Path::new("g.gz"), COMPRESSED), (Path::new("h.csv"), LFS_POINTER), (Path::new("link"), LINK)]
        );
        assert_eq!(found(&pit, &["analytics.users_v1"]), ["a.sql:3 ANALYTICS.Users_V1"]);
    }

    #[test]
    fn roots_in_roots_are_searched_once_and_ignored_ones_too() {
        let pit = Sandpit::new();
        for path in ["a/x", "a/in/x", "out/x", "out/.gander/clone/x", "b/x"] {
            pit.write(path, "users_v1");
        }
        pit.write("a/.gitignore", "in\n");
        let roots = ["a", "a/in", "out", "out/.gander/clone", "b"].map(|path| pit.path(path));
        let hits = search(&BTreeSet::from(roots), &[], &["users_v1".to_owned()]);
        assert_eq!((hits.hits.len(), hits.files), (5, 6), "{hits:?}");
    }

    #[test]
    fn what_is_not_searched_is_said() {
        let pit = Sandpit::new();
        let long = |text: &str| format!("{}\n{text}\n{}", "x ".repeat(700), "y ".repeat(700));
        // On the border of what is held, at every place of it.
        for before in CHUNK - 12..CHUNK + 3 {
            pit.write("border", format!("{} users_v1 {}", "x".repeat(before), "y ".repeat(900)));
            assert_eq!(found(&pit, &["users_v1"]), ["border:1 users_v1"], "after {before}");
            pit.write("border", format!("{} users_v10 {}", "x".repeat(before), "y ".repeat(900)));
            assert_eq!(found(&pit, &["users_v1"]), [""; 0], "after {before}");
            pit.write("border", format!("{} a_users_v1 {}", "x".repeat(before), "y ".repeat(900)));
            assert_eq!(found(&pit, &["users_v1"]), [""; 0], "after {before}");
        }
        pit.write("border", long("users_v1"));
        assert_eq!(found(&pit, &["users_v1"]), ["border:2 users_v1"]);
        let wide = |text: &str, order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        pit.write("border", wide("\u{feff}a\nfrom users_v1", u16::to_le_bytes));
        pit.write("big", wide("select 1\n\nfrom users_v1", u16::to_be_bytes));
        assert_eq!(found(&pit, &["users_v1"]), ["big:3 users_v1", "border:2 users_v1"]);
        pit.write("big", wide(&"users_v1 ".repeat(1000), u16::to_be_bytes));
        pit.write("border", vec![b'x'; (1 << 20) + 1]);
        for path in ["js/node_modules/x", "rs/target/x", "rs/Cargo.toml", "own/target/x"] {
            pit.write(path, "users_v1");
        }
        let hits = search(&BTreeSet::from([pit.root()]), &[], &["users_v1".to_owned()]);
        let unread: Vec<_> = hits.unread.iter().map(|(p, why)| (p.strip_prefix(pit.root()).unwrap(), *why)).collect();
        let path = |text| Path::new(text);
        assert_eq!(
            unread,
            [(path("big"), HUGE), (path("border"), HUGE), (path("js/node_modules"), BUILT), (path("rs/target"), BUILT)]
        );
        let hit: Vec<_> = hits.hits.iter().map(|hit| hit.path.strip_prefix(pit.root()).unwrap()).collect();
        assert_eq!(hit, [path("own/target/x"), path("rs/Cargo.toml")]);
    }

    #[test]
    fn an_ignore_file_that_is_a_pipe_is_not_opened() {
        let pit = Sandpit::new();
        pit.write("a/x", "users_v1");
        pit.write("b/x", "users_v1");
        let pipe = crate::process::Invocation::new("mkfifo").arg(pit.path("a/.gitignore")).run().unwrap();
        assert!(pipe.success());
        assert_eq!(found(&pit, &["users_v1"]), ["b/x:1 users_v1"]);
    }

    #[test]
    fn the_most_telling_text_of_each_rule() {
        let keys = BTreeSet::from(["users", "plan_type"]);
        let clause = |texts: &[&str]| Clause::of(texts.iter().map(|text| (*text).to_owned()), false);
        let clauses = [clause(&["spark"]), clause(&["users", "plan_type"]), clause(&["createOrReplaceTempView"])];
        assert_eq!(telling(&clauses, &keys), Some(&clauses[1]));
        assert_eq!(telling(&clauses, &BTreeSet::new()), Some(&clauses[2]));
        assert_eq!(telling(&[clause(&["get"])], &BTreeSet::new()), None);
        assert!(inside("users_v1", "analytics.users_v1") && !inside("users_v1", "users_v10"));
    }
}
