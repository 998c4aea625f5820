//! Contents, many at once and with a bound on memory.

use super::{GitError, Repository, garbled, object_name};

/// How many bytes of content are held at once, unless a single blob is larger.
const BATCH_BYTES: u64 = 32 << 20;
/// How many blobs are asked for at once.
const BATCH_COUNT: usize = 20_000;
/// What git prints around one blob, at most.
const FRAME: usize = 160;

/// The answer about one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blob<'a> {
    /// All its bytes, as committed: no filter, no line-end conversion.
    Bytes(&'a [u8]),
    /// It is larger than the limit; its size in bytes.
    TooLarge(u64),
    /// The repository doesn't have it (a partial clone, a damaged one).
    Missing,
}

impl Repository {
    /// Hands the content of each blob to `sink`, with its index in `ids`, in
    /// that order. At most 32 MiB, or one blob, is in memory at a time; blobs
    /// larger than `limit` bytes are not read.
    ///
    /// # Errors
    /// Those of git, and those of `sink`, which end the reading.
    pub fn blobs<E: From<GitError>>(
        &self,
        ids: &[&str],
        limit: u64,
        sink: &mut dyn FnMut(usize, Blob<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sizes = self.sizes(ids)?;
        let mut next = 0;
        while next < ids.len() {
            let mut total = 0;
            let mut end = next;
            while end < ids.len() && end - next < BATCH_COUNT {
                let size = wanted(sizes[end], limit).unwrap_or(0);
                if end > next && total + size > BATCH_BYTES {
                    break;
                }
                total += size;
                end += 1;
            }
            self.batch(next, &ids[next..end], &sizes[next..end], limit, sink)?;
            next = end;
        }
        Ok(())
    }

    /// Writes one blob into `file` without holding it in memory.
    ///
    /// # Errors
    /// Where git can't be run, or the repository lacks the blob.
    pub fn blob_into(&self, id: &str, file: std::fs::File) -> Result<(), GitError> {
        let call = self.invoke(&["cat-file", "blob", "--end-of-options", object_name(id)?]);
        self.finish_into("cat-file", call, file)
    }

    /// The size of each blob in bytes; `None` where it is missing or no blob.
    fn sizes(&self, ids: &[&str]) -> Result<Vec<Option<u64>>, GitError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let call = self.invoke(&["cat-file", "--batch-check"]).stdin(questions(ids)?);
        let output = self.finish("cat-file", call)?;
        let text = String::from_utf8_lossy(&output);
        let sizes: Vec<Option<u64>> = text.lines().map(blob_size).collect();
        if sizes.len() != ids.len() {
            return Err(garbled("cat-file", &output));
        }
        Ok(sizes)
    }

    fn batch<E: From<GitError>>(
        &self,
        first: usize,
        ids: &[&str],
        sizes: &[Option<u64>],
        limit: u64,
        sink: &mut dyn FnMut(usize, Blob<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let pairs = ids.iter().zip(sizes);
        let asked: Vec<&str> = pairs.filter(|(_, size)| wanted(**size, limit).is_some()).map(|(id, _)| *id).collect();
        let bytes: u64 = sizes.iter().filter_map(|size| wanted(*size, limit)).sum();
        let output = if asked.is_empty() {
            Vec::new()
        } else {
            let room = usize::try_from(bytes).unwrap_or(usize::MAX);
            let room = room.saturating_add(asked.len() * FRAME);
            let call = self.invoke(&["cat-file", "--batch"]).output_limit(room);
            self.finish("cat-file", call.stdin(questions(&asked)?))?
        };
        let mut rest = output.as_slice();
        for (index, size) in sizes.iter().enumerate() {
            let blob = match *size {
                None => Blob::Missing,
                Some(size) if size > limit => Blob::TooLarge(size),
                Some(size) => Blob::Bytes(content(&mut rest, size)?),
            };
            sink(first + index, blob)?;
        }
        Ok(())
    }
}

fn wanted(size: Option<u64>, limit: u64) -> Option<u64> {
    size.filter(|size| *size <= limit)
}

fn questions(ids: &[&str]) -> Result<String, GitError> {
    let mut input = String::with_capacity(ids.len() * 41);
    for id in ids {
        input.push_str(object_name(id)?);
        input.push('\n');
    }
    Ok(input)
}

fn blob_size(line: &str) -> Option<u64> {
    let (head, size) = line.rsplit_once(' ')?;
    head.ends_with(" blob").then(|| size.parse().ok()).flatten()
}

/// Takes `<object> blob <size>\n<content>\n` off the front of `rest`.
fn content<'a>(rest: &mut &'a [u8], size: u64) -> Result<&'a [u8], GitError> {
    let bytes: &'a [u8] = rest;
    let unexpected = || garbled("cat-file", bytes);
    let line = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(unexpected)?;
    let head = String::from_utf8_lossy(&bytes[..line]);
    if blob_size(&head) != Some(size) {
        return Err(unexpected());
    }
    let length = usize::try_from(size).map_err(|_| unexpected())?;
    let content = bytes.get(line + 1..line + 1 + length).ok_or_else(unexpected)?;
    *rest = bytes.get(line + 2 + length..).ok_or_else(unexpected)?;
    Ok(content)
}
