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
    work: impl Fn(&Path, Found<'_>) -> T + Sync,
    take: impl FnMut(&Path, T) -> Result<(), Exit> + Send,
) -> Result<usize, Exit> {
    paths.iter().try_for_each(|path| check(path, screen))?;
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build().map_err(|error| {
        screen.diagnostic(format!("error: no threads: {error}"));
        Exit::Failed
    })?;
    let queue = Queue {
        line: Mutex::new(Line { next: 0, waiting: BTreeMap::new(), sleepers: 0, take, ended: None }),
        moved: Condvar::new(),
    };
    let files = long_first_at_the_end(listed(paths, screen).filter(|path| wanted(path)));
    pool.install(|| {
        files.par_bridge().flat_map_iter(Vec::into_iter).for_each(|Listed { number, path, meta }| {
            if !queue.has_ended() {
                let done = work(&path, meta.as_ref().map_or(Found::File, Found::Told));
                queue.add(number, path, done);
            }
        });
    });
    let line = queue.line.into_inner().unwrap_or_else(PoisonError::into_inner);
    line.ended.map_or(Ok(line.next), Err)
}

/// What is known of a file before it is opened.
#[derive(Clone, Copy)]
pub(super) enum Found<'m> {
    /// Nothing: somebody named it.
    Nothing,
    /// That it is one.
    File,
    /// What the file system says of it.
    Told(&'m Metadata),
}

/// A file that was found, and what the file system said of it then, where it was asked.
struct Listed {
    number: usize,
    path: PathBuf,
    meta: Option<Metadata>,
}

/// Files that are looked over at once. It is much less than [`WINDOW`], so that nobody waits
/// for a file that is in no worker's hands.
const BLOCK: usize = 256;
/// Files that a worker takes at once, and their length in bytes, unless there is but one: each taking
/// waits for the walk, and for whoever takes at the same time.
const HANDFUL: usize = 16;
const HANDFUL_BYTES: u64 = 128 << 10;

/// The files with their numbers by the handful. Of the last block, the longest comes first: a long one that comes
/// last keeps one core busy and all others idle. Before it, there is always more to do; and asking the file system
/// for the length of each file takes a tenth of a search that finds nothing.
fn long_first_at_the_end(files: impl Iterator<Item = PathBuf> + Send) -> impl Iterator<Item = Vec<Listed>> + Send {
    let mut files = files.enumerate().map(|(number, path)| Listed { number, path, meta: None }).peekable();
    std::iter::from_fn(move || {
        let mut block: Vec<Listed> = files.by_ref().take(BLOCK).collect();
        if files.peek().is_none() {
            for file in &mut block {
                file.meta = std::fs::symlink_metadata(&file.path).ok().filter(Metadata::is_file);
            }
            block.sort_by_key(|file| std::cmp::Reverse(file.meta.as_ref().map_or(0, Metadata::len)));
        }
        (!block.is_empty()).then(|| handfuls(block))
    })
    .flatten()
}

fn handfuls(block: Vec<Listed>) -> Vec<Vec<Listed>> {
    let mut all: Vec<Vec<Listed>> = Vec::new();
    let mut bytes = 0;
    for file in block {
        let length = file.meta.as_ref().map_or(0, Metadata::len);
        bytes += length;
        match all.last_mut().filter(|last| last.len() < HANDFUL && bytes <= HANDFUL_BYTES) {
            Some(last) => last.push(file),
            None => {
                bytes = length;
                all.push(vec![file]);
            }
        }
    }
    all
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
    /// Who waits for the line to move: nobody is woken, and the kernel not asked, for nobody.
    sleepers: usize,
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
            line.sleepers += 1;
            line = self.moved.wait(line).unwrap_or_else(PoisonError::into_inner);
            line.sleepers -= 1;
        }
        line.waiting.insert(number, (path, done));
        let line = &mut *line;
        while line.ended.is_none()
            && let Some((path, done)) = line.waiting.remove(&line.next)
        {
            line.next += 1;
            line.ended = (line.take)(&path, done).err();
        }
        if line.sleepers > 0 {
            self.moved.notify_all();
        }
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
/// before it was read; `found` is what was known when the file was found. The bytes lie in a buffer that the next file of
/// this thread reuses.
///
/// # Errors
/// Where it is no file, too large, or can't be read.
pub(super) fn with_bytes<T>(
    path: &Path,
    found: Found<'_>,
    see: impl FnOnce(&[u8], &Metadata) -> T,
) -> Result<T, String> {
    BUFFER.with(|buffer| {
        // A file that is read while another one is looked at has a buffer of its own.
        let mut own = Vec::new();
        let mut shared = buffer.try_borrow_mut();
        let bytes = shared.as_deref_mut().unwrap_or(&mut own);
        let (meta, length) = read_into(path, found, bytes)?;
        Ok(see(&bytes[..length], &meta))
    })
}

/// Reads a file into the beginning of `bytes`, which grows where it has to. Returns what the file system says of it, and
/// its length.
fn read_into(path: &Path, found: Found<'_>, bytes: &mut Vec<u8>) -> Result<(Metadata, usize), String> {
    let no_file = || Err("it is no file".to_owned());
    // Opening some devices does something: look first.
    if matches!(found, Found::Nothing) && !std::fs::metadata(path).map_err(|e| e.to_string())?.is_file() {
        return no_file();
    }
    let mut file = open(path).map_err(|e| e.to_string())?;
    let meta = file.metadata().map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return no_file();
    }
    let too_large = || format!("it is larger than {} MiB and was not searched", MAX_BYTES >> 20);
    if meta.len() > MAX_BYTES {
        return Err(too_large());
    }
    // One byte more shows that it grew since, and saves asking once more whether there is more: a file gives
    // less than it is asked for only at its end.
    let room = meta.len() as usize + 1;
    if bytes.len() < room {
        bytes.resize(room, 0);
    }
    let mut length = 0;
    while length + 1 != room || length == 0 {
        match file.read(&mut bytes[length..room]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
        if length == room {
            bytes.truncate(length);
            file.take(MAX_BYTES + 1).read_to_end(bytes).map_err(|e| e.to_string())?;
            length = bytes.len();
            break;
        }
    }
    if length as u64 > MAX_BYTES { Err(too_large()) } else { Ok((meta, length)) }
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
    fn a_file_is_read_whole_whatever_was_read_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for length in [10_000, 3, 0, 1, 70_000, 8_192, 8_193] {
            let text: Vec<u8> = (0..length).map(|n| n as u8).collect();
            crate::files::write_cache(&path, &text).unwrap();
            assert_eq!(with_bytes(&path, Found::Nothing, |bytes, _| bytes.to_vec()).unwrap(), text);
        }
        // It has no length, and holds something.
        let text = with_bytes(Path::new("/proc/self/status"), Found::Nothing, |bytes, _| bytes.to_vec());
        assert!(!cfg!(target_os = "linux") || text.unwrap().starts_with(b"Name:"));
    }

    #[test]
    fn files_are_taken_by_the_handful_and_long_ones_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |n: usize| folder.path().join(n.to_string());
        (0..40)
            .for_each(|n| crate::files::write_cache(&path(n), &vec![b'a'; if n < 3 { 100_000 } else { n }]).unwrap());
        let taken: Vec<Vec<usize>> = long_first_at_the_end((0..40).map(path))
            .map(|files| files.into_iter().map(|file| file.number).collect())
            .collect();
        let sizes: Vec<usize> = taken.iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 1, 16, 16, 6]);
        assert_eq!((taken[0][0], taken[2][..3].to_vec()), (0, vec![2, 39, 38]));
    }

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
