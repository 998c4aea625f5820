//! The index as bytes: keys in order, then lengths, languages and filters, and a
//! digest of it all. What does not add up to its digest is no index.

use std::collections::HashMap;
use std::path::Path;

use super::Key;
use crate::digest::Digest;
use crate::language::Language;

/// Begins every index; the number changes with the layout or the summaries.
const MAGIC: &[u8; 16] = b"gander index 2\n\0";
/// No index is larger, in bytes: 20 GB of source.
const LARGEST: u64 = 1 << 30;
const DIGEST: usize = 32;

/// What is remembered of a file.
pub(super) struct Entry {
    /// [`mark`] of its language.
    pub(super) language: u8,
    pub(super) filter: Vec<u8>,
}

/// A language as one byte: it only decides which entries are forgotten.
pub(super) fn mark(language: &Language) -> u8 {
    Digest::of(language.facts.name.as_bytes()).as_bytes()[0]
}

/// An index that was read.
#[derive(Default)]
pub(super) struct Stored {
    bytes: Vec<u8>,
    /// Where each entry's filter begins in `bytes`, and one more for where the last ends.
    starts: Vec<u32>,
}

impl Stored {
    /// Reads an index; empty where there is none that is whole.
    pub(super) fn read(path: &Path) -> Self {
        let whole = |path: &Path| {
            let meta = std::fs::symlink_metadata(path).ok()?;
            let bytes = (meta.is_file() && meta.len() <= LARGEST).then(|| std::fs::read(path).ok())??;
            Self::parse(bytes)
        };
        whole(path).unwrap_or_default()
    }

    pub(super) fn parse(bytes: Vec<u8>) -> Option<Self> {
        let body = bytes.len().checked_sub(DIGEST)?;
        let count = u32::from_le_bytes(bytes.get(MAGIC.len()..MAGIC.len() + 4)?.try_into().ok()?) as usize;
        if !bytes.starts_with(MAGIC) || Digest::of(&bytes[..body]).as_bytes() != &bytes[body..] {
            return None;
        }
        let mut stored = Self { starts: Vec::with_capacity(count + 1), bytes };
        let mut at = head(count);
        for entry in 0..count {
            stored.starts.push(u32::try_from(at).ok()?);
            at += stored.length(entry, count)?;
        }
        stored.starts.push(u32::try_from(at).ok()?);
        (at == body).then_some(stored)
    }

    fn length(&self, entry: usize, count: usize) -> Option<usize> {
        let at = MAGIC.len() + 4 + count * Key::BYTES + entry * 3;
        let three = self.bytes.get(at..at + 3)?;
        Some(usize::from(three[0]) | usize::from(three[1]) << 8 | usize::from(three[2]) << 16)
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn key(&self, at: usize) -> &[u8] {
        let start = MAGIC.len() + 4 + at * Key::BYTES;
        &self.bytes[start..start + Key::BYTES]
    }

    /// The number of an entry.
    pub(super) fn find(&self, key: &Key) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.key(middle).cmp(&key.0) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    pub(super) fn filter(&self, at: usize) -> &[u8] {
        &self.bytes[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    pub(super) fn language(&self, at: usize) -> u8 {
        let count = self.len();
        self.bytes[MAGIC.len() + 4 + count * (Key::BYTES + 3) + at]
    }

    /// The bytes of an index of these entries and of those of this one that are kept.
    pub(super) fn with(&self, fresh: HashMap<Key, Entry>, kept: impl Fn(usize) -> bool) -> Vec<u8> {
        let mut all: Vec<(Key, u8, &[u8])> = Vec::with_capacity(self.len() + fresh.len());
        for at in (0..self.len()).filter(|at| kept(*at)) {
            let mut key = [0; Key::BYTES];
            key.copy_from_slice(self.key(at));
            all.push((Key(key), self.language(at), self.filter(at)));
        }
        all.extend(fresh.iter().map(|(key, entry)| (*key, entry.language, entry.filter.as_slice())));
        all.sort_by_key(|(key, ..)| *key);
        let mut out = MAGIC.to_vec();
        out.extend((all.len() as u32).to_le_bytes());
        all.iter().for_each(|(key, ..)| out.extend(key.0));
        all.iter().for_each(|(.., filter)| out.extend(&(filter.len() as u32).to_le_bytes()[..3]));
        all.iter().for_each(|(_, language, _)| out.push(*language));
        all.iter().for_each(|(.., filter)| out.extend(*filter));
        let digest = Digest::of(&out);
        out.extend(digest.as_bytes());
        out
    }
}

/// Where the filters begin.
fn head(count: usize) -> usize {
    MAGIC.len() + 4 + count * (Key::BYTES + 3 + 1)
}
