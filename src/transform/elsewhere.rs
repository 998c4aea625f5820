//! What the files of a workspace say of each other's names, where one of them names a dataset.
//!
//! Files that may name one are read first; only if there are any, all code of the same
//! workspace is read for the names that stand in them.
//! Must not: say what follows from a name.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::file::caught;
use super::skip;
use crate::dataset::elsewhere::{Elsewhere, Speaker, Subjects, family, is_code, is_script};
use crate::pin::{Found, PinError, Wanted, contents_of};
use crate::rule::RuleSet;

/// A dataset that a file names, the file, and the line.
type Named = (usize, String, u32);

/// What may be spoken of in a workspace, the files of it that may name a dataset, and what they name.
type Bearing = (Subjects, BTreeSet<String>, Vec<Named>);

/// Whether a file may say something of others.
fn speaks(path: &str) -> bool {
    family(path).is_some() && skip::by_path(path).is_none()
}

/// Whether what becomes of a file may depend on others.
pub(super) fn is_spoken_of(path: &str) -> bool {
    (is_code(path) || is_script(path)) && skip::by_path(path).is_none()
}

/// For each workspace, what its files say of each other; `all` are the paths of its files,
/// and those of `wanted` may name a dataset.
pub(super) fn of(rules: &RuleSet, wanted: &[Wanted<'_>], all: &[Vec<&str>]) -> Vec<Option<Arc<Elsewhere>>> {
    let Some(datasets) = &rules.datasets else { return wanted.iter().map(|_| None).collect() };
    let narrowed =
        |paths: &dyn Fn(usize) -> Vec<String>| -> Vec<Vec<String>> { (0..wanted.len()).map(paths).collect() };
    // A file that is alone is spoken of by none.
    let first = narrowed(&|index| {
        let many = all[index].iter().filter(|path| speaks(path)).nth(1).is_some();
        let paths = wanted[index].paths.iter().filter(|path| many && speaks(path));
        paths.map(|path| (*path).to_owned()).collect()
    });
    let bearing: Vec<Mutex<Vec<(String, String)>>> = wanted.iter().map(|_| Mutex::default()).collect();
    read(wanted, &first, &|index, path, text| {
        if datasets.may_stand(text.as_bytes()) {
            let mut slot = bearing[index].lock().unwrap_or_else(PoisonError::into_inner);
            slot.push((path.to_owned(), text.to_owned()));
        }
    });
    let subjects: Vec<Option<Bearing>> = bearing
        .into_iter()
        .zip(all)
        .map(|(slot, all)| {
            let files = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
            if files.is_empty() {
                return None;
            }
            let mut subjects = Subjects::of(&datasets.datasets);
            subjects.modules(all.iter().copied());
            files.iter().for_each(|(_, text)| subjects.file(text));
            let named = files.iter().flat_map(|(path, text)| {
                let found = Subjects::datasets(text, &datasets.datasets).into_iter();
                found.map(move |(dataset, line)| (dataset, path.clone(), line))
            });
            let named = named.collect();
            Some((subjects, files.into_iter().map(|(path, _)| path).collect(), named))
        })
        .collect();
    let second = narrowed(&|index| {
        let paths = all[index].iter().filter(|path| subjects[index].is_some() && speaks(path));
        paths.map(|path| (*path).to_owned()).collect()
    });
    let speakers: Vec<Mutex<Vec<Speaker>>> = wanted.iter().map(|_| Mutex::default()).collect();
    read(wanted, &second, &|index, path, text| {
        let Some((subjects, ..)) = &subjects[index] else { return };
        // A file that gander fails on says what its words say; the edit phase reports it.
        let speaker = caught(|| subjects.speaker(path, text, &datasets.datasets));
        let speaker = speaker.or_else(|| caught(|| subjects.unread(path, text))).flatten();
        speakers[index].lock().unwrap_or_else(PoisonError::into_inner).extend(speaker);
    });
    let both = subjects.into_par_iter().zip(speakers);
    both.map(|(subjects, speakers)| {
        let (subjects, bearing, named) = subjects?;
        let speakers = speakers.into_inner().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::new(Elsewhere::new(subjects, speakers, &bearing).naming(&named)))
    })
    .collect()
}

/// Reads the texts of these files, in any order. What can't be read says nothing; the edit
/// phase reads it again, and reports it.
fn read(wanted: &[Wanted<'_>], paths: &[Vec<String>], sink: &(dyn Fn(usize, &str, &str) + Sync)) {
    let asked: Vec<Wanted<'_>> = wanted
        .iter()
        .zip(paths)
        .map(|(wanted, paths)| Wanted {
            workspace: wanted.workspace,
            pin: wanted.pin,
            manifest: wanted.manifest,
            paths: paths.iter().map(String::as_str).collect(),
        })
        .collect();
    if asked.iter().all(|wanted| wanted.paths.is_empty()) {
        return;
    }
    let _: Vec<Result<(), PinError>> = contents_of(&asked, skip::MAX_BYTES, &|index, path, found| {
        if let Found::Bytes(bytes) = found
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            sink(index, path, text);
        }
        Ok(())
    });
}
