//! The second witness: which code names what is migrated, whatever any catalog says.
//! Every file is read once, as by a grep: many names at once, whole words, without
//! regard to case.
//!
//! Must not: parse code, follow a link, or decide what follows from a find.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::AhoCorasick;
use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::files;
use crate::rule::{Clause, RuleSet};

/// The largest file that is searched, in bytes.
const MAX_FILE: u64 = 16 << 20;
/// A zero byte in the first so many makes a file binary, as for git and grep.
const HEAD: usize = 8000;
/// Shorter texts of rules stand in any code.
const SHORTEST: usize = 5;
/// Folders that are nobody's code.
const SKIPPED: [&str; 4] = [".git", ".gander", "node_modules", "target"];

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
    /// What could not be read, for people.
    pub(super) unread: BTreeSet<PathBuf>,
}

impl Hits {
    fn unread(&mut self, path: &Path) {
        self.unread.insert(path.to_owned());
    }
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
        names.extend(datasets.iter().filter_map(|name| Some(name.rsplit(['.', '/', ':']).next()?.to_owned())));
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
pub(super) fn search(roots: &BTreeSet<PathBuf>, names: &[String]) -> Hits {
    let Ok(automaton) = AhoCorasick::builder().ascii_case_insensitive(true).build(names) else {
        return Hits::default();
    };
    let found = Mutex::new(Hits::default());
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
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
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
    found: &Mutex<Hits>,
) {
    let (open, barred): (Vec<&PathBuf>, Vec<&PathBuf>) =
        tops.iter().partition(|root| files::barred_ignore(root).is_none());
    barred.iter().for_each(|root| found.lock().unwrap_or_else(PoisonError::into_inner).unread(root));
    let Some((first, rest)) = open.split_first() else { return };
    let (known, passed) = (Arc::clone(roots), Arc::clone(seen));
    let mut builder = WalkBuilder::new(first);
    for root in rest {
        builder.add(root);
    }
    let walker = builder
        .hidden(false)
        .parents(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(move |entry| enter(entry, &known, &passed))
        .build_parallel();
    walker.run(|| {
        let mut buffer = Vec::new();
        Box::new(move |entry| {
            let note = |change: &dyn Fn(&mut Hits)| change(&mut found.lock().unwrap_or_else(PoisonError::into_inner));
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    match first_in(entry.path(), automaton, &mut buffer) {
                        Ok(Some(hit)) => note(&|hits| {
                            hits.files += 1;
                            hits.hits.push(hit.clone());
                        }),
                        Ok(None) => note(&|hits| hits.files += 1),
                        Err(_) => note(&|hits| hits.unread(entry.path())),
                    }
                }
                Ok(_) => {}
                Err(error) => note(&|hits| hits.unread(path_of(&error).unwrap_or(Path::new("a folder")))),
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

fn enter(entry: &DirEntry, roots: &BTreeSet<PathBuf>, seen: &Mutex<BTreeSet<PathBuf>>) -> bool {
    let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
    if !is_dir || entry.depth() == 0 {
        return true;
    }
    let name = entry.file_name().to_str().unwrap_or_default();
    if SKIPPED.contains(&name) || files::barred_ignore(entry.path()).is_some() {
        return false;
    }
    if roots.contains(entry.path()) {
        seen.lock().unwrap_or_else(PoisonError::into_inner).insert(entry.path().to_owned());
    }
    true
}

/// The first name in a file.
fn first_in(path: &Path, automaton: &AhoCorasick, buffer: &mut Vec<u8>) -> std::io::Result<Option<Hit>> {
    let file = File::open(path)?;
    if file.metadata()?.len() > MAX_FILE {
        return Ok(None);
    }
    buffer.clear();
    file.take(MAX_FILE).read_to_end(buffer)?;
    if memchr::memchr(0, &buffer[..buffer.len().min(HEAD)]).is_some() {
        return Ok(None);
    }
    let hit = first_word(automaton, buffer);
    Ok(hit.map(|(start, end)| Hit {
        path: path.to_owned(),
        line: memchr::memchr_iter(b'\n', &buffer[..start]).count() + 1,
        name: String::from_utf8_lossy(&buffer[start..end]).into_owned(),
    }))
}

/// The first find that is a whole word.
fn first_word(automaton: &AhoCorasick, bytes: &[u8]) -> Option<(usize, usize)> {
    let mut finds = automaton.find_overlapping_iter(bytes).map(|found| (found.start(), found.end()));
    finds.find(|(start, end)| whole(bytes, *start, *end))
}

/// Whether what stands around a find is no part of its word.
fn whole(bytes: &[u8], start: usize, end: usize) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80);
    let begins = word(bytes.get(start)) && start > 0 && word(bytes.get(start - 1));
    let goes_on = end > start && word(bytes.get(end - 1)) && word(bytes.get(end));
    !begins && !goes_on
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::Sandpit;

    fn found(pit: &Sandpit, names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let hits = search(&BTreeSet::from([pit.root()]), &names).hits;
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
        pit.link("link", "/etc/passwd");
        assert_eq!(found(&pit, &["users_v1"]), [".hidden/x:1 users_v1", "a.sql:3 Users_V1", "c.lkml:1 users_v1"]);
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
        let hits = search(&BTreeSet::from(roots), &["users_v1".to_owned()]);
        assert_eq!((hits.hits.len(), hits.files), (5, 6), "{hits:?}");
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
