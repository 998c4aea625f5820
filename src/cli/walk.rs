//! Plain folders, file by file over all cores: the walk feeds the workers while it
//! goes on, and what they made of each file is taken in the order of the walk.
//!
//! Memory does not grow with the number of files: what is done but not yet taken is
//! bounded, and files are read into one buffer a thread.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use ignore::{DirEntry, Walk, WalkBuilder};
use rayon::prelude::*;

use super::Exit;
use super::screen::Screen;
use crate::files;

/// Rhai recurses; see the limits of `script`.
const STACK: usize = 16 << 20;
/// Files that are done and wait for an earlier one.
const WINDOW: usize = 1024;
/// Larger files are not searched; what was passed over is said.
pub(super) const MAX_BYTES: u64 = 4 << 20;

/// Calls `work` for every file below `paths` that is `wanted`, from many threads, and
/// `take` with what came of each, one at a time, in the order of the walk: sorted,
/// each file once. Ignore files are obeyed, links not followed. Returns how many
/// files there were.
pub(super) fn each<T: Send>(
    paths: &[PathBuf],
    screen: &Screen,
    wanted: impl Fn(&Path) -> bool + Send + Sync,
    work: impl Fn(&Path, Option<&Metadata>) -> T + Sync,
    take: impl FnMut(&Path, T) -> Result<(), Exit> + Send,
) -> Result<usize, Exit> {
    paths.iter().try_for_each(|path| check(path, screen))?;
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build().map_err(|error| {
        screen.diagnostic(format!("error: no threads: {error}"));
        Exit::Failed
    })?;
    let queue = Queue {
        line: Mutex::new(Line { next: 0, waiting: BTreeMap::new(), take, ended: None }),
        moved: Condvar::new(),
    };
    let files = long_first(listed(paths, screen).filter(|path| wanted(path)));
    pool.install(|| {
        files.par_bridge().for_each(|Listed { number, path, meta }| {
            if !queue.has_ended() {
                let done = work(&path, meta.as_ref());
                queue.add(number, path, done);
            }
        });
    });
    let line = queue.line.into_inner().unwrap_or_else(PoisonError::into_inner);
    line.ended.map_or(Ok(line.next), Err)
}

/// A file that was found, and what the file system said of it then.
struct Listed {
    number: usize,
    path: PathBuf,
    meta: Option<Metadata>,
}

/// Files that are looked over at once. It is much less than [`WINDOW`], so that nobody waits
/// for a file that is in no worker's hands.
const BLOCK: usize = 256;

/// The files with their numbers, of each block the longest first: a long one that comes last
/// keeps one core busy and all others idle.
fn long_first(files: impl Iterator<Item = PathBuf> + Send) -> impl Iterator<Item = Listed> + Send {
    let mut files = files.enumerate();
    std::iter::from_fn(move || {
        let listed = |(number, path): (usize, PathBuf)| {
            let meta = std::fs::symlink_metadata(&path).ok().filter(Metadata::is_file);
            Listed { number, path, meta }
        };
        let mut block: Vec<Listed> = files.by_ref().take(BLOCK).map(listed).collect();
        block.sort_by_key(|file| std::cmp::Reverse(file.meta.as_ref().map_or(0, Metadata::len)));
        (!block.is_empty()).then_some(block)
    })
    .flatten()
}

/// What is done, in line to be taken.
struct Queue<T, F> {
    line: Mutex<Line<T, F>>,
    moved: Condvar,
}

struct Line<T, F> {
    /// The number of the file that is taken next.
    next: usize,
    waiting: BTreeMap<usize, (PathBuf, T)>,
    take: F,
    /// Set once `take` failed: nothing more is done.
    ended: Option<Exit>,
}

impl<T, F: FnMut(&Path, T) -> Result<(), Exit>> Queue<T, F> {
    fn line(&self) -> MutexGuard<'_, Line<T, F>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        self.line().ended.is_some()
    }

    fn add(&self, number: usize, path: PathBuf, done: T) {
        let mut line = self.line();
        // Whoever works on the next file never waits here, so that the line moves on.
        while line.waiting.len() >= WINDOW && number != line.next && line.ended.is_none() {
            line = self.moved.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        line.waiting.insert(number, (path, done));
        let line = &mut *line;
        while line.ended.is_none()
            && let Some((path, done)) = line.waiting.remove(&line.next)
        {
            line.next += 1;
            line.ended = (line.take)(&path, done).err();
        }
        self.moved.notify_all();
    }
}

fn check(path: &Path, screen: &Screen) -> Result<(), Exit> {
    if !path.exists() {
        screen.diagnostic(format!("error: {}: there is no such file or folder", path.display()));
        return Err(Exit::Usage);
    }
    if let Some(name) = files::barred_ignore(path) {
        screen.diagnostic(format!("error: {}: it is no file that lists what to ignore", path.join(name).display()));
        return Err(Exit::Failed);
    }
    Ok(())
}

/// Every file below the paths.
fn listed<'s>(paths: &[PathBuf], screen: &'s Screen) -> impl Iterator<Item = PathBuf> + Send + use<'s> {
    let mut roots = paths.to_vec();
    roots.sort();
    roots.dedup();
    // One place has many names: `.` and `src`, or a link to it.
    let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let mut places: Vec<PathBuf> = roots.iter().map(real).collect();
    places.sort();
    let overlap = places.windows(2).any(|pair| pair[1].starts_with(&pair[0]));
    let mut seen = overlap.then(HashSet::new);
    let fresh = move |path: &PathBuf| seen.as_mut().is_none_or(|seen| seen.insert(real(path)));
    roots.into_iter().flat_map(move |root| Below::new(&root, screen)).filter(fresh)
}

/// The files below one root, in order.
struct Below<'s> {
    walk: Walk,
    /// Ignore files that must not be opened: their folders are left out.
    closed: Arc<Mutex<Vec<PathBuf>>>,
    screen: &'s Screen,
}

impl<'s> Below<'s> {
    fn new(root: &Path, screen: &'s Screen) -> Self {
        let closed: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
        let shut = Arc::clone(&closed);
        let enter = move |entry: &DirEntry| {
            let barred = entry.file_type().is_some_and(|t| t.is_dir()).then(|| files::barred_ignore(entry.path()));
            if let (Some(Some(name)), Ok(mut shut)) = (barred, shut.lock()) {
                shut.push(entry.path().join(name));
                return false;
            }
            entry.file_name() != ".git"
        };
        let mut builder = WalkBuilder::new(root);
        builder.hidden(false).follow_links(false).filter_entry(enter).sort_by_file_name(Ord::cmp);
        Self { walk: builder.build(), closed, screen }
    }
}

impl Iterator for Below<'_> {
    type Item = PathBuf;

    fn next(&mut self) -> Option<PathBuf> {
        loop {
            match self.walk.next() {
                Some(Ok(entry)) if entry.file_type().is_some_and(|t| t.is_file()) => return Some(entry.into_path()),
                Some(Ok(_)) => {}
                Some(Err(error)) => self.screen.diagnostic(format!("warning: {error}")),
                None => break,
            }
        }
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        for path in closed.drain(..) {
            let name = path.display();
            self.screen.diagnostic(format!(
                "warning: {name}: it is no file that lists what to ignore; its folder is left out"
            ));
        }
        None
    }
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What `see` makes of the bytes of a file, and of what the file system said of it
/// before it was read; `seen` is what it said when the file was found. The bytes lie in a buffer that the next file of
/// this thread reuses.
///
/// # Errors
/// Where it is no file, too large, or can't be read.
pub(super) fn with_bytes<T>(
    path: &Path,
    seen: Option<&Metadata>,
    see: impl FnOnce(&[u8], &Metadata) -> T,
) -> Result<T, String> {
    BUFFER.with(|buffer| {
        // A file that is read while another one is looked at has a buffer of its own.
        let mut own = Vec::new();
        let mut shared = buffer.try_borrow_mut();
        let bytes = shared.as_deref_mut().unwrap_or(&mut own);
        bytes.clear();
        let meta = read_into(path, seen, bytes)?;
        Ok(see(bytes, &meta))
    })
}

fn read_into(path: &Path, seen: Option<&Metadata>, bytes: &mut Vec<u8>) -> Result<Metadata, String> {
    let no_file = || Err("it is no file".to_owned());
    // Opening some devices does something: look first.
    if seen.is_none() && !std::fs::metadata(path).map_err(|e| e.to_string())?.is_file() {
        return no_file();
    }
    let file = open(path).map_err(|e| e.to_string())?;
    let meta = file.metadata().map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return no_file();
    }
    let too_large = || format!("it is larger than {} MiB and was not searched", MAX_BYTES >> 20);
    if meta.len() > MAX_BYTES {
        return Err(too_large());
    }
    bytes.reserve(meta.len() as usize + 1);
    // One byte more shows that it grew since.
    file.take(MAX_BYTES + 1).read_to_end(bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > MAX_BYTES { Err(too_large()) } else { Ok(meta) }
}

/// Opens a file, without waiting for whoever writes to it where it has become a pipe.
#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Color;

    #[test]
    fn a_file_with_two_names_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let src = folder.path().join("src");
        crate::files::make_folder(&src).unwrap();
        crate::files::write_cache(&src.join("a.py"), b"f(1)").unwrap();
        let again = folder.path().join("src/../src");
        let whole = folder.path().join("src/..");
        let screen = Screen::new(Color::Never, true);
        let count = |paths: &[PathBuf]| listed(paths, &screen).count();
        assert_eq!(count(&[src.clone(), again]), 1);
        assert_eq!(count(&[whole, src]), 1);
    }
}
