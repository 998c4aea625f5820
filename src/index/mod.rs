//! A cache of what lies in which file, so that a later run reads only the files
//! whose summary can match its rules.
//!
//! A file is known by the name of its content (git's blob id) or, in a plain folder,
//! by what the file system says of it: device, inode, size, mtime and ctime. One that
//! was touched in the minute before it was read is not remembered, as git does with
//! racy entries: it could change again without a sign. What a process stores through a
//! shared mapping is seen once the kernel has written it back.
//!
//! Beside it lie answers: what came of a file when it was last looked at, as bytes that only
//! the asker reads, named by all that they depend on.
//!
//! It is a cache in every sense: without it, or with one that is damaged, every file
//! is read, and no result is different. Must not: know a rule's meaning, a stage, or
//! decide where it lies.

mod answers;
mod key;
mod stored;
mod summary;
#[cfg(test)]
mod tests;

pub use answers::{Answers, summary_of};
pub use key::{Key, program};
pub use summary::Query;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::digest::DigestBuilder;
use crate::files::{self, FilesError};
use crate::language::Language;
use stored::{Entry, Stored};

/// What is known of the files below one place, and what this run learned.
pub struct Index {
    place: PathBuf,
    known: Stored,
    /// For each known entry, whether this run asked for it.
    asked: Vec<AtomicBool>,
    fresh: Mutex<HashMap<Key, Entry>>,
}

impl Index {
    /// Opens the index of what lies below `roots`, in `folder`. One that is not there,
    /// or damaged, is empty.
    pub fn open(folder: &Path, roots: &[PathBuf]) -> Self {
        let mut name = DigestBuilder::new("gander.index");
        for root in roots {
            name = name.field(root.as_os_str().as_encoded_bytes());
        }
        let place = folder.join(name.finish().short());
        let known = Stored::read(&place);
        let asked = (0..known.len()).map(|_| AtomicBool::new(false)).collect();
        Self { place, known, asked, fresh: Mutex::default() }
    }

    /// Whether no file of this name can hold what is asked for; `false` where it is
    /// not known.
    pub fn rules_out(&self, key: &Key, query: &Query) -> bool {
        let Some(at) = self.known.find(key) else { return false };
        self.asked[at].store(true, Ordering::Relaxed);
        !query.may_match(self.known.filter(at))
    }

    /// Which rules can match a file of this name; `None` where it is not known.
    pub fn matching(&self, key: &Key, query: &Query) -> Option<Vec<usize>> {
        let at = self.known.find(key)?;
        self.asked[at].store(true, Ordering::Relaxed);
        Some(query.matching(self.known.filter(at)).collect())
    }

    /// The answers that lie beside it: they take no more than it does, or a MiB.
    pub fn answers(&self) -> Answers {
        Answers::open(&self.place.with_extension("answers"))
    }

    /// Remembers what lies in a file that was read whole.
    pub fn learn(&self, key: Key, language: &Language, bytes: &[u8]) {
        if self.known.find(&key).is_some() {
            return;
        }
        let Some(filter) = summary::of(bytes) else { return };
        let entry = Entry { language: stored::mark(language), filter };
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner).insert(key, entry);
    }

    /// Writes what was learned, if it was anything; call it after a run that looked at
    /// every file. Entries of the languages that `spoken` names, which this run did not
    /// ask for, are of files that are gone.
    ///
    /// # Errors
    /// Where the file system refuses: the next run is slower then, and nothing else.
    pub fn save(self, spoken: impl Fn(&Language) -> bool) -> Result<(), FilesError> {
        let fresh = self.fresh.into_inner().unwrap_or_else(PoisonError::into_inner);
        let marks: Vec<u8> = crate::language::all().iter().filter(|l| spoken(l)).map(stored::mark).collect();
        let gone = |at: usize| !self.asked[at].load(Ordering::Relaxed) && marks.contains(&self.known.language(at));
        let gone_count = (0..self.known.len()).filter(|at| gone(*at)).count();
        if fresh.is_empty() && gone_count * 2 <= self.known.len() {
            return Ok(());
        }
        let bytes = self.known.with(fresh, |at| !gone(at));
        if let Some(folder) = self.place.parent() {
            files::make_folder(folder)?;
        }
        files::write_cache(&self.place, &bytes)
    }
}
