//! What came of files, remembered: bytes under a name that tells all they depend on.
//!
//! One file: entries, each with its age, and a digest of it all. What was not asked for in
//! the last runs is forgotten, so that a rule that is edited back and forth is known still.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Query, summary};
use crate::digest::Digest;
use crate::files::{self, FilesError};

/// Begins every file of answers; the number changes with the layout.
const MAGIC: &[u8; 17] = b"gander answers 1\n";
const DIGEST: usize = 32;
/// Of an entry: its name, its age and its length.
const HEAD: usize = 32 + 1 + 4;
/// No file of answers is larger, in bytes.
const LARGEST: u64 = 1 << 28;
/// Runs in which nobody asked after which an answer is forgotten.
const OLD: u8 = 8;
/// What answers may always take, in bytes; beyond it no more than the index beside them.
const ALWAYS: usize = 1 << 20;

/// Answers that were kept, and those of this run.
pub struct Answers {
    place: PathBuf,
    bytes: Vec<u8>,
    /// Where each lies in `bytes`, and in how many runs nobody asked for it.
    known: HashMap<Digest, (Range<usize>, u8)>,
    asked: Mutex<HashSet<Digest>>,
    fresh: Mutex<HashMap<Digest, Vec<u8>>>,
}

impl Answers {
    /// Reads what is kept at `place`; a file that is not there, or damaged, holds nothing.
    pub(super) fn open(place: &Path) -> Self {
        let bytes = read(place).unwrap_or_default();
        let known = parse(&bytes).unwrap_or_default();
        Self { place: place.to_owned(), bytes, known, asked: Mutex::default(), fresh: Mutex::default() }
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The answer of this name.
    pub fn find(&self, name: &Digest) -> Option<&[u8]> {
        let (range, _) = self.known.get(name)?;
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(*name);
        Some(&self.bytes[range.clone()])
    }

    /// Keeps an answer.
    pub fn learn(&self, name: Digest, answer: Vec<u8>) {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner).insert(name, answer);
    }

    /// Writes what was learned, if it was anything. `whole` tells that this run asked for all that it could know.
    ///
    /// # Errors
    /// Where the file system refuses: the next run is slower then, and nothing else.
    pub fn save(self, whole: bool) -> Result<(), FilesError> {
        let fresh = self.fresh.into_inner().unwrap_or_else(PoisonError::into_inner);
        if fresh.is_empty() {
            return Ok(());
        }
        let asked = self.asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        let kept = self.known.iter().filter(|(name, _)| !fresh.contains_key(*name)).map(|(name, (range, age))| {
            let age = if asked.contains(name) { 0 } else { age + u8::from(whole) };
            (age, *name, &self.bytes[range.clone()])
        });
        let mut all: Vec<(u8, Digest, &[u8])> = fresh.iter().map(|(name, answer)| (0, *name, &**answer)).collect();
        all.extend(kept.filter(|(age, ..)| *age < OLD));
        all.sort_by_key(|(age, name, _)| (*age, *name.as_bytes()));
        let beside = std::fs::metadata(self.place.with_extension("")).map_or(0, |meta| meta.len() as usize);
        let most = beside.max(ALWAYS).min(LARGEST as usize) - DIGEST;
        let mut out = MAGIC.to_vec();
        for (age, name, answer) in all {
            if out.len() + HEAD + answer.len() <= most {
                out.extend(name.as_bytes());
                out.push(age);
                out.extend((answer.len() as u32).to_le_bytes());
                out.extend(answer);
            }
        }
        let digest = Digest::of(&out);
        out.extend(digest.as_bytes());
        if let Some(folder) = self.place.parent() {
            files::make_folder(folder)?;
        }
        files::write_cache(&self.place, &out)
    }
}

fn read(place: &Path) -> Option<Vec<u8>> {
    let meta = std::fs::symlink_metadata(place).ok()?;
    (meta.is_file() && meta.len() <= LARGEST).then(|| std::fs::read(place).ok())?
}

/// `None` where the bytes are not to the last one what was written.
fn parse(bytes: &[u8]) -> Option<HashMap<Digest, (Range<usize>, u8)>> {
    let body = bytes.len().checked_sub(DIGEST)?;
    if !bytes.starts_with(MAGIC) || Digest::of(&bytes[..body]).as_bytes() != &bytes[body..] {
        return None;
    }
    let mut known = HashMap::new();
    let mut at = MAGIC.len();
    while at < body {
        let head = bytes.get(at..at + HEAD)?;
        let name = Digest::from_bytes(head[..32].try_into().ok()?);
        let length = u32::from_le_bytes(head[33..].try_into().ok()?) as usize;
        let range = at + HEAD..at + HEAD + length;
        at = range.end;
        known.insert(name, (range, head[32]));
    }
    (at == body).then_some(known)
}

/// What the rules ask of a text, told from its bytes, and the summary that tells it again without them.
pub fn summary_of(text: &[u8]) -> Vec<u8> {
    summary::of_any(text)
}

impl Query {
    /// Which rules can match a text of this summary, by their number; all others can't.
    pub fn matching_summary(&self, summary: &[u8]) -> Vec<usize> {
        self.matching(summary).collect()
    }
}
