//! What codebases depend on, as the files of their builds say: by name, which versions, and
//! where each version is written.
//!
//! A version that is not written in the file that asks for it is unknown: nothing is guessed, no
//! build is run, and no network is asked. Must not: know a rule or a stage.

mod jvm;
mod lines;
mod manifest;
mod pom;
#[cfg(test)]
mod tests;
mod version;

use std::collections::BTreeMap;
use std::ops;

pub use version::{Range, Version};

use crate::symbol::Certainty;

/// A dependency as one file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// As people name it: `com.spotify:scio-core`, `react`, `scikit-learn`.
    pub name: String,
    /// Which versions, or why that is not known.
    pub versions: Result<Range, String>,
    /// The bytes of the file that are the one number to change for another version.
    pub site: Option<ops::Range<usize>>,
}

/// Larger files are no build files.
pub const MAX_BYTES: u64 = 4 << 20;

/// Reads what a file declares.
type Read = fn(&str) -> Result<Vec<Declared>, String>;

/// How a file is read, where it is one that declares dependencies.
fn reader(path: &str) -> Option<Read> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let scala = name.ends_with(".scala") && (folder == "project" || folder.ends_with("/project"));
    Some(match name {
        "pom.xml" => pom::read,
        "package.json" => manifest::package_json,
        "Cargo.toml" => manifest::cargo,
        "pyproject.toml" => manifest::pyproject,
        "go.mod" => lines::go_mod,
        _ if name.ends_with(".sbt") || scala => jvm::sbt,
        _ if name.ends_with(".gradle") || name.ends_with(".gradle.kts") => jvm::gradle,
        _ if name.starts_with("requirements") && name.ends_with(".txt") => lines::requirements,
        _ => return None,
    })
}

/// Files that pin versions, the files of builds whose versions they pin, and what makes them anew.
const LOCKS: [(&str, &str, &str); 9] = [
    ("package-lock.json", "package.json", "npm install"),
    ("yarn.lock", "package.json", "yarn install"),
    ("pnpm-lock.yaml", "package.json", "pnpm install"),
    ("poetry.lock", "pyproject.toml", "poetry lock"),
    ("uv.lock", "pyproject.toml", "uv lock"),
    ("pdm.lock", "pyproject.toml", "pdm lock"),
    ("Cargo.lock", "Cargo.toml", "cargo update"),
    ("go.sum", "go.mod", "go mod tidy"),
    ("gradle.lockfile", "build.gradle", "gradle dependencies --write-locks"),
];

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What makes a lockfile anew, where a file is one.
pub fn lock(path: &str) -> Option<&'static str> {
    LOCKS.iter().find(|(lock, ..)| *lock == name_of(path)).map(|(.., made)| *made)
}

/// Whether a lockfile pins what a file of a build asks for, by their names.
pub fn pins(lock: &str, build: &str) -> bool {
    LOCKS.iter().any(|(name, of, _)| *name == name_of(lock) && name_of(build).starts_with(of))
}

/// Whether a file may declare dependencies.
pub fn declares(path: &str) -> bool {
    reader(path).is_some()
}

/// The dependencies that a file declares.
///
/// # Errors
/// Why it can't be read.
pub fn read(path: &str, text: &str) -> Result<Vec<Declared>, String> {
    reader(path).map_or_else(|| Ok(Vec::new()), |read| read(text))
}

/// What a rule asks for: a dependency of versions within a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// As [`Declared::name`].
    pub name: String,
    /// Within these versions.
    pub versions: Range,
}

/// A name without what does not count in its ecosystem.
fn key(name: &str) -> String {
    match name.split_once(':') {
        // sbt adds the version of Scala to it.
        Some((group, artifact)) => {
            let plain = artifact.rsplit_once('_').filter(|(_, suffix)| ["2.11", "2.12", "2.13", "3"].contains(suffix));
            format!("{group}:{}", plain.map_or(artifact, |(artifact, _)| artifact))
        }
        // Python writes `-` or `_`; in names of npm and Go both count, and never meet there.
        None if name.contains(['/', '@']) => name.to_owned(),
        None => name.to_ascii_lowercase().replace(['_', '.'], "-"),
    }
}

/// Whether two names are one dependency.
pub fn same(one: &str, other: &str) -> bool {
    key(one) == key(other)
}

/// All that the builds of a codebase declare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    files: BTreeMap<String, Result<Vec<Declared>, String>>,
}

impl Dependencies {
    /// Adds what the file at this path declares.
    pub fn add(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), read(path, text));
    }

    /// Adds a file that could not be read.
    pub fn unreadable(&mut self, path: &str, why: &str) {
        self.files.insert(path.to_owned(), Err(why.to_owned()));
    }

    /// Every declaration of a dependency, with the file that it stands in.
    pub fn of<'d>(&'d self, name: &'d str) -> impl Iterator<Item = (&'d str, &'d Declared)> {
        let all = self.files.iter().filter_map(|(path, read)| Some((path.as_str(), read.as_ref().ok()?)));
        all.flat_map(|(path, all)| all.iter().map(move |one| (path, one))).filter(move |(_, one)| same(&one.name, name))
    }

    /// Whether the code at a path has such a dependency; and why that can't be told.
    ///
    /// What stands nearest above the code decides; where that says several things, nobody does.
    pub fn has(&self, wanted: &Wanted, path: &str) -> (Certainty, String) {
        let all: Vec<(&str, &Declared)> = self.of(&wanted.name).collect();
        let folder = |file: &str| file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let above = |file: &str| path.starts_with(&folder(file));
        let nearest = all.iter().filter(|(file, _)| above(file)).map(|(file, _)| folder(file).len()).max();
        let counted = all.iter().filter(|(file, _)| nearest.is_none_or(|len| above(file) && folder(file).len() == len));
        let told: Vec<(Certainty, String)> = counted.map(|(file, one)| answer(file, one, wanted)).collect();
        match told.split_first() {
            None => (Certainty::Unknown, self.nowhere(&wanted.name)),
            Some((first, rest)) if rest.iter().all(|other| other.0 == first.0) => first.clone(),
            Some(_) => {
                let files: Vec<&str> = all.iter().map(|(file, _)| *file).collect();
                (Certainty::Unknown, format!("{} declare several versions of {}", files.join(", "), wanted.name))
            }
        }
    }

    fn nowhere(&self, name: &str) -> String {
        let broken = self.files.iter().find_map(|(path, read)| Some((path, read.as_ref().err()?)));
        match broken {
            Some((path, why)) => format!("{path} can't be read: {why}"),
            None if self.files.is_empty() => format!("no file of a build was found that could declare {name}"),
            None => format!("no file of the build declares {name}"),
        }
    }
}

fn answer(file: &str, declared: &Declared, wanted: &Wanted) -> (Certainty, String) {
    match &declared.versions {
        Err(why) => (Certainty::Unknown, format!("{file}: which version of {} is not known: {why}", wanted.name)),
        Ok(versions) => {
            let told = versions.lies_in(&wanted.versions);
            (told, format!("{file} allows versions of {} of which not all are meant", wanted.name))
        }
    }
}
