//! Contents, many at once and with a bound on memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use super::{GitError, Repository, garbled, object_name};
use crate::process::ProcessError;

/// How many bytes of content are held at once, unless a single blob is larger.
const BATCH_BYTES: u64 = 32 << 20;
/// How many blobs are asked for at once.
const BATCH_COUNT: usize = 20_000;
/// How much of git's answers is read at once, in bytes.
const READ_BYTES: usize = 256 << 10;
/// How long what git prints around one blob may be, in bytes: a line before it, a line break behind it.
const FRAME: u64 = 160;

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
        let call = self.invoke(&["cat-file", "--batch-check", "--buffer"]).stdin(questions(ids)?);
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
        let room: u64 = sizes.iter().filter_map(|size| wanted(*size, limit)).map(|size| size + FRAME).sum();
        let mut answers = if asked.is_empty() { None } else { Some(self.answers(&asked, room)?) };
        let mut bytes = Vec::new();
        for (index, size) in sizes.iter().enumerate() {
            let blob = match *size {
                None => Blob::Missing,
                Some(size) if size > limit => Blob::TooLarge(size),
                Some(size) => {
                    content(answers.as_mut(), size, &mut bytes)?;
                    Blob::Bytes(&bytes)
                }
            };
            sink(first + index, blob)?;
        }
        Ok(())
    }

    /// What git prints of these blobs, to be read from the beginning; it fails where that is more than `room` bytes. It
    /// goes into a file of the memory: git writes each blob by itself, and through a pipe both sides would wait
    /// for each other at every one.
    fn answers(&self, asked: &[&str], room: u64) -> Result<BufReader<File>, GitError> {
        let call = self.invoke(&["cat-file", "--batch"]).stdin(questions(asked)?);
        let mut file = memory(room).map_err(unheld)?;
        self.finish_into("cat-file", call, file.try_clone().map_err(unheld)?)?;
        file.rewind().map_err(unheld)?;
        Ok(BufReader::with_capacity(READ_BYTES, file))
    }
}

/// What git printed can't be held, or read again.
fn unheld(source: io::Error) -> ProcessError {
    ProcessError::Io { program: "git".to_owned(), source }
}

/// A file that has no name, ends with its last holder, and does not grow beyond `room` bytes where the system can
/// say so: the blobs may be others than those that were measured.
fn memory(room: u64) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        if let Ok(file) = memfd_create("blobs", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING) {
            let file = File::from(file);
            file.set_len(room)?;
            fcntl_add_seals(&file, SealFlags::GROW)?;
            return Ok(file);
        }
    }
    let _ = room;
    tempfile::tempfile()
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

/// Reads `<object> blob <size>\n<content>\n`, and leaves the content in `bytes`.
fn content(answers: Option<&mut BufReader<File>>, size: u64, bytes: &mut Vec<u8>) -> Result<(), GitError> {
    bytes.clear();
    let read = answers.map_or(Ok(false), |answers| {
        answers.take(FRAME).read_until(b'\n', bytes)?;
        let known = bytes.strip_suffix(b"\n").and_then(|line| blob_size(&String::from_utf8_lossy(line))) == Some(size);
        if known {
            bytes.clear();
            answers.take(size + 1).read_to_end(bytes)?;
        }
        Ok::<_, io::Error>(known)
    });
    match read.map_err(unheld)? {
        true if bytes.pop() == Some(b'\n') && bytes.len() as u64 == size => Ok(()),
        _ => Err(garbled("cat-file", bytes)),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write;

    #[test]
    fn answers_have_as_much_room_as_was_measured_and_no_more() {
        let mut file = super::memory(4).unwrap();
        file.write_all(b"1234").unwrap();
        assert!(file.write_all(b"5").is_err());
    }
}
