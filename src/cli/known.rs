//! What is remembered of plain folders, so that files that can't match are not read.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::screen::{Screen, absolute};
use super::walk::Found;
use crate::clock::Clock;
use crate::digest::{Digest, DigestBuilder};
use crate::index::{Answers, Index, Key, Query, program};
use crate::language::{self, Language};
use crate::rule::Clause;

/// The name of a file in the index, by what the file system says of it.
fn key(path: &Path, found: Found<'_>) -> Option<Key> {
    match found {
        Found::Told(meta) => Some(Key::of_file(meta)),
        _ => path.symlink_metadata().ok().filter(Metadata::is_file).map(|meta| Key::of_file(&meta)),
    }
}

/// Where the index lies.
#[derive(clap::Args, Debug)]
pub(super) struct IndexFolder {
    /// Remember in this folder what lies in which file: later runs read only what can
    /// match. Where `.gander/index` is there, it is used unasked.
    #[arg(long, value_name = "FOLDER")]
    index: Option<PathBuf>,
}

impl IndexFolder {
    /// The folder that was named.
    pub(super) fn asked(&self) -> Option<PathBuf> {
        self.index.as_deref().map(absolute)
    }
}

/// An index, and what this run asks of it.
pub(super) struct Known {
    index: Option<Index>,
    /// What came of files, where the program that runs can be told from others.
    answers: Option<(Answers, Key)>,
    queries: HashMap<&'static str, Query>,
}

impl Known {
    /// Opens the index of `paths`. `clauses` gives, for a language, what each rule
    /// requires of its files.
    pub(super) fn open<'c, C>(folder: &IndexFolder, paths: &[PathBuf], clauses: impl Fn(&Language) -> C) -> Self
    where
        C: Iterator<Item = &'c [Clause]>,
    {
        let usual = || Some(PathBuf::from(".gander/index")).filter(|folder| folder.is_dir());
        let Some(folder) = folder.index.clone().or_else(usual) else {
            return Self { index: None, answers: None, queries: HashMap::new() };
        };
        let mut roots: Vec<PathBuf> = paths.iter().map(|path| absolute(path)).collect();
        roots.sort();
        let queries = language::all().iter().map(|l| (l.facts.name.as_str(), Query::new(clauses(l)))).collect();
        let index = Index::open(&absolute(&folder), &roots);
        let answers = program().map(|program| (index.answers(), program));
        Self { index: Some(index), answers, queries }
    }

    /// Whether no rule can match a file, told by what the file system said of it.
    pub(super) fn rules_out(&self, path: &Path, found: Found<'_>) -> bool {
        let Some(index) = &self.index else { return false };
        let query = language::of_path(path).and_then(|l| self.queries.get(l.facts.name.as_str()));
        query.zip(key(path, found)).is_some_and(|(query, key)| index.rules_out(&key, query))
    }

    /// The name of what comes of a file, given all that was asked of it; `None` where nothing is remembered.
    fn name(&self, asked: &Digest, path: &Path, key: &Key) -> Option<Digest> {
        let (_, program) = self.answers.as_ref()?;
        let name = DigestBuilder::new("gander.known").field(program.as_bytes()).field(asked.as_bytes());
        Some(name.field(path.as_os_str().as_encoded_bytes()).field(key.as_bytes()).finish())
    }

    /// What came of a file when the same was asked.
    pub(super) fn answer(&self, asked: &Digest, path: &Path, found: Found<'_>) -> Option<&[u8]> {
        let (answers, _) = self.answers.as_ref()?;
        answers.find(&self.name(asked, path, &key(path, found)?)?)
    }

    /// Remembers what came of a file; `meta` and `now` are as for [`Known::learn`].
    pub(super) fn keep(&self, asked: &Digest, path: &Path, meta: &Metadata, now: i64, answer: Vec<u8>) {
        let name = Key::of_settled_file(meta, now).and_then(|key| self.name(asked, path, &key));
        if let (Some(name), Some((answers, _))) = (name, &self.answers) {
            answers.learn(name, answer);
        }
    }

    /// The time, to be taken before a file is opened that is to be remembered.
    pub(super) fn now() -> i64 {
        Clock::System.now()
    }

    /// Remembers a file; `meta` is from before it was read, and `now` from before it was opened.
    pub(super) fn learn(&self, path: &Path, meta: &Metadata, bytes: &[u8], now: i64) {
        let Some(index) = &self.index else { return };
        if let (Some(key), Some(language)) = (Key::of_settled_file(meta, now), language::of_path(path)) {
            index.learn(key, language, bytes);
        }
    }

    /// Writes what was learned of all files of the languages that `spoken` names.
    pub(super) fn save(self, spoken: impl Fn(&Language) -> bool, screen: &Screen) {
        let saved = self.index.map(|index| index.save(spoken));
        let saved = saved.map(|saved| saved.and(self.answers.map_or(Ok(()), |(answers, _)| answers.save(true))));
        if let Some(Err(error)) = saved {
            screen.diagnostic(format!("warning: the index was not written, which costs time only: {error}"));
        }
    }
}
