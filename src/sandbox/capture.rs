//! Keeps what a step produced, for gander to read: files that some glob names, from
//! the layer that takes what the steps write.
//!
//! Must not: follow a link, read what was there before, or keep more than its limits.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use walkdir::WalkDir;

use super::scratch;
use super::spec::{Captured, SideSpec};
use super::streams::Printed;
use crate::config::Step;

/// Where build tools leave results per test, in JUnit's XML.
const RESULTS: [&str; 7] = [
    "**/{surefire,failsafe}-reports/TEST-*.xml",
    "**/test-results/**/*.xml",
    "**/test-reports/*.xml",
    "**/nextest/**/*.xml",
    "**/*junit*.xml",
    "**/TEST-*.xml",
    "**/test-results.xml",
];

/// The largest file that is kept, in bytes.
const LARGEST: u64 = 16 << 20;
/// The most files of a step.
const MOST_FILES: usize = 5000;
/// The most bytes of a step.
const MOST_BYTES: u64 = 64 << 20;

/// What earlier steps of the side have left: it is not a later step's.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<PathBuf, (u64, SystemTime)>);

/// Keeps what the `index`-th step left.
pub fn keep(spec: &SideSpec, index: usize, step: &Step, printed: &Printed, seen: &mut Seen) -> io::Result<Captured> {
    let place = spec.scratch.join(scratch::CAPTURED).join(index.to_string());
    fs::create_dir(&place)?;
    put(&place.join("stdout"), &printed.stdout)?;
    let mut captured = Captured { whole: printed.whole, files: Vec::new() };
    if step.fetch.is_some() {
        return Ok(captured);
    }
    let workspace = match spec.lower {
        Some(_) => spec.scratch.join(scratch::UPPER),
        None => spec.scratch.join(scratch::TREE),
    };
    let mut budget = MOST_BYTES;
    for (folder, prefix) in [(workspace, ""), (spec.scratch.join(scratch::HOME), "~/")] {
        let mut found = produced(&folder, (step, prefix), seen)?;
        found.sort();
        for relative in found {
            if captured.files.len() >= MOST_FILES {
                break;
            }
            let Ok(bytes) = read(&folder.join(&relative), LARGEST.min(budget)) else { continue };
            budget = budget.saturating_sub(bytes.len() as u64);
            put(&place.join(captured.files.len().to_string()), &bytes)?;
            captured.files.push(format!("{prefix}{relative}"));
        }
    }
    Ok(captured)
}

/// The globs that are meant below one of the two folders.
fn globs(step: &Step, prefix: &str) -> io::Result<GlobSet> {
    let own = step.results.iter().chain(step.snapshot.iter().filter(|glob| *glob != "stdout"));
    let mut texts: Vec<&str> = own
        .filter_map(|glob| match glob.strip_prefix("~/") {
            Some(below) => (!prefix.is_empty()).then_some(below),
            None => prefix.is_empty().then_some(glob.as_str()),
        })
        .collect();
    if step.results.is_empty() && prefix.is_empty() {
        texts.extend(RESULTS);
    }
    let mut set = GlobSetBuilder::new();
    for text in texts {
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        set.add(glob.map_err(io::Error::other)?);
    }
    set.build().map_err(io::Error::other)
}

/// Regular files below `folder` that a glob names and that are new since the last look.
fn produced(folder: &Path, (step, prefix): (&Step, &str), seen: &mut Seen) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let entries = WalkDir::new(folder).follow_links(false).into_iter().flatten();
    let mut files = entries.filter(|entry| entry.file_type().is_file()).peekable();
    // Globs take longer to compile than a small step takes: only where there is a file.
    if files.peek().is_none() {
        return Ok(found);
    }
    let globs = globs(step, prefix)?;
    for entry in files {
        let Some(relative) = entry.path().strip_prefix(folder).ok().and_then(Path::to_str) else { continue };
        if !globs.is_match(relative) {
            continue;
        }
        let Ok(meta) = entry.metadata() else { continue };
        let state = (meta.len(), meta.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        if seen.0.insert(entry.path().to_owned(), state) != Some(state) {
            found.push(relative.to_owned());
        }
    }
    Ok(found)
}

impl Seen {
    /// What lies there before the first step: the change, or a copy of the tree.
    pub fn before(spec: &SideSpec) -> io::Result<Self> {
        let mut seen = Self::default();
        for step in spec.steps.iter().filter(|step| step.fetch.is_none()) {
            for part in [scratch::UPPER, scratch::TREE] {
                produced(&spec.scratch.join(part), (step, ""), &mut seen)?;
            }
        }
        Ok(seen)
    }
}

/// A file of at most `limit` bytes; no link, no pipe.
fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_file() || meta.len() > limit {
        return Err(io::Error::other("not a file of bounded size"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}
