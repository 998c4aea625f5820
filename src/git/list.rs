//! What lies in a commit, and what of it is changed in the work tree: each with
//! one call for a whole repository, however many workspaces it holds.

use std::collections::{BTreeMap, BTreeSet};

use super::{GitError, Repository, garbled, object_name};
use crate::process::Exit;
use crate::workspace::Mode;

/// Arguments beyond this many bytes are not passed; everything is listed instead.
const MAX_ARGUMENTS: usize = 64 << 10;
/// How many trees are asked for one by one: git reads the whole folder above for each,
/// which is quadratic where one folder holds thousands.
const MAX_QUESTIONS: usize = 64;
/// Trees without an entry, in both hash functions.
const EMPTY_TREES: [&str; 2] =
    ["4b825dc642cb6eb9a060e54bf8d69288fbee4904", "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"];

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Relative to the tree, as git holds it: any bytes but zero.
    pub path: Vec<u8>,
    /// What it is.
    pub mode: Mode,
    /// The name of its blob, or of a submodule's commit.
    pub object: String,
}

/// Every file below a tree, ordered by path.
#[derive(Clone, Debug, Default)]
pub struct Listing(Vec<TreeEntry>);

impl Listing {
    /// All of it.
    pub fn entries(&self) -> &[TreeEntry] {
        &self.0
    }

    /// What lies below `prefix` (no trailing `/`; empty for everything), with its
    /// path relative to that.
    pub fn below<'a>(&'a self, prefix: &str) -> impl Iterator<Item = (&'a [u8], &'a TreeEntry)> {
        let mut start = prefix.as_bytes().to_vec();
        if !start.is_empty() {
            start.push(b'/');
        }
        let from = self.0.partition_point(|entry| entry.path.as_slice() < start.as_slice());
        let entries = self.0[from..].iter();
        entries.map_while(move |entry| {
            let rest = entry.path.strip_prefix(start.as_slice())?;
            Some((rest, entry))
        })
    }
}

impl Repository {
    /// Every file below a commit or tree.
    ///
    /// # Errors
    /// Where the object is missing or git can't be asked.
    pub fn listing(&self, treeish: &str) -> Result<Listing, GitError> {
        let treeish = object_name(treeish)?;
        let output = self.answer(&["ls-tree", "-r", "-z", "--full-tree", treeish])?;
        let records = output.split(|byte| *byte == 0).filter(|record| !record.is_empty());
        let mut entries = records.map(tree_entry).collect::<Result<Vec<_>, _>>()?;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Listing(entries))
    }

    /// Those of `paths` (within the work tree) that git does not track and ignores.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn ignored(&self, paths: &[String]) -> Result<Vec<String>, GitError> {
        // It refuses to take paths literally; behind `./` none begins with magic.
        let questions: Vec<u8> = paths.iter().flat_map(|path| format!("./{path}\0").into_bytes()).collect();
        let call = self.invoke(&["--no-literal-pathspecs", "check-ignore", "-z", "--stdin"]);
        let output = call.stdin(questions).run()?;
        match output.status {
            Exit::Code(0) => {}
            Exit::Code(1) => return Ok(Vec::new()),
            _ => return Err(self.failure("check-ignore", &output)),
        }
        let paths = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(|path| String::from_utf8_lossy(path.strip_prefix(b"./").unwrap_or(path)).into_owned()).collect())
    }

    /// The tree of each of `prefixes` in `commit`, in that order; `None` where
    /// there is no tree, or one without a file.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn trees(&self, commit: &str, prefixes: &[&str]) -> Result<Vec<Option<String>>, GitError> {
        let commit = object_name(commit)?;
        if prefixes.len() > MAX_QUESTIONS {
            return self.trees_listed(commit, prefixes);
        }
        let mut input = String::new();
        for prefix in prefixes {
            // A line break would be two questions; it is asked by itself below.
            let prefix = if prefix.contains('\n') { "" } else { prefix };
            input.push_str(&format!("{commit}:{prefix}\n"));
        }
        let call = self.invoke(&["cat-file", "--batch-check"]).stdin(input);
        let output = self.finish("cat-file", call)?;
        let mut trees = Vec::with_capacity(prefixes.len());
        for line in output.split(|byte| *byte == b'\n').take(prefixes.len()) {
            trees.push(tree_name(&String::from_utf8_lossy(line)));
        }
        if trees.len() != prefixes.len() {
            return Err(garbled("cat-file", &output));
        }
        for (tree, prefix) in trees.iter_mut().zip(prefixes) {
            if prefix.contains('\n') {
                *tree = self.resolve(&format!("{commit}:{prefix}"))?;
            }
        }
        Ok(trees)
    }

    /// As [`Repository::trees`], from a listing of all trees.
    fn trees_listed(&self, commit: &str, prefixes: &[&str]) -> Result<Vec<Option<String>>, GitError> {
        let output = self.answer(&["ls-tree", "-r", "-d", "-z", "--full-tree", commit])?;
        let mut known: BTreeMap<&[u8], &str> = BTreeMap::new();
        for record in output.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
            let tab = record.iter().position(|byte| *byte == b'\t').ok_or_else(|| garbled("ls-tree", record))?;
            let head = std::str::from_utf8(&record[..tab]).unwrap_or_default();
            let (kind, object) = head.rsplit_once(' ').ok_or_else(|| garbled("ls-tree", record))?;
            if kind.ends_with(" tree") && !EMPTY_TREES.contains(&object) {
                known.insert(&record[tab + 1..], object_name(object)?);
            }
        }
        let tree = |prefix: &&str| match *prefix {
            "" => Ok(self.trees(commit, &[""])?.pop().flatten()),
            prefix => Ok(known.get(prefix.as_bytes()).map(|object| (*object).to_owned())),
        };
        prefixes.iter().map(tree).collect()
    }

    /// The uncommitted changes below each of `prefixes`, in that order, as paths
    /// relative to the prefix, sorted. One call, which writes nothing.
    ///
    /// # Errors
    /// Where git can't be asked.
    pub fn dirty(&self, prefixes: &[&str]) -> Result<Vec<Vec<String>>, GitError> {
        let mut args = vec![
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=all",
            // Another repository's configuration and hooks are none of ours.
            "--ignore-submodules=all",
            "--no-renames",
            "--",
        ];
        let bytes: usize = prefixes.iter().map(|prefix| prefix.len() + 1).sum();
        if bytes <= MAX_ARGUMENTS && !prefixes.contains(&"") {
            args.extend(prefixes);
        }
        let output = self.answer(&args)?;
        let mut by_prefix: BTreeMap<&str, BTreeSet<String>> =
            prefixes.iter().map(|prefix| (*prefix, BTreeSet::new())).collect();
        for record in output.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
            let path = record.get(3..).ok_or_else(|| garbled("status", record))?;
            let path = String::from_utf8_lossy(path);
            for (prefix, rest) in above(&path) {
                if let Some(paths) = by_prefix.get_mut(prefix) {
                    paths.insert(rest.to_owned());
                }
            }
        }
        let paths = |prefix: &&str| by_prefix.get(prefix).into_iter().flatten().cloned().collect();
        Ok(prefixes.iter().map(paths).collect())
    }
}

/// Every folder above `path`, the empty one included, with what is left of the path.
fn above(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let slashes = path.match_indices('/');
    let below = slashes.map(|(at, _)| (&path[..at], &path[at + 1..]));
    std::iter::once(("", path)).chain(below)
}

fn tree_name(line: &str) -> Option<String> {
    // `<object> <type> <size>`, or `<question> missing`; the question may hold anything.
    let mut words = line.split(' ');
    let (object, kind, size) = (words.next()?, words.next()?, words.next()?);
    let whole = words.next().is_none() && size.chars().all(|c| c.is_ascii_digit());
    let found = whole && kind == "tree" && object_name(object).is_ok();
    (found && !EMPTY_TREES.contains(&object)).then(|| object.to_owned())
}

/// `<mode> <type> <object>\t<path>`.
fn tree_entry(record: &[u8]) -> Result<TreeEntry, GitError> {
    let tab = record.iter().position(|byte| *byte == b'\t');
    let tab = tab.ok_or_else(|| garbled("ls-tree", record))?;
    let head = std::str::from_utf8(&record[..tab]).unwrap_or_default();
    let words: Vec<&str> = head.split(' ').collect();
    let [mode, _, object] = words.as_slice() else {
        return Err(garbled("ls-tree", record));
    };
    let mode = match *mode {
        "100755" => Mode::Executable,
        "120000" => Mode::Symlink,
        "160000" => Mode::Submodule,
        mode if mode.starts_with("100") => Mode::File,
        _ => return Err(garbled("ls-tree", record)),
    };
    Ok(TreeEntry { path: record[tab + 1..].to_vec(), mode, object: object_name(object)?.to_owned() })
}
