//! What codebases depend on, as the files of their builds say: by name, which versions, and
//! where each version is written.
//!
//! A version that is not written in the file that asks for it is unknown: nothing is guessed, no
//! build is run, and no network is asked. Must not: know a rule or a stage.

mod codebase;
mod jvm;
mod lines;
mod manifest;
mod pom;
#[cfg(test)]
mod tests;
mod version;

use std::ops;

pub use codebase::{Dependencies, few};
pub use version::{Range, Version};

use crate::language::Ecosystem;

/// A dependency as one file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// As people name it: `com.spotify:scio-core`, `react`, `scikit-learn`.
    pub name: String,
    /// Which versions, or why that is not known.
    pub versions: Result<Range, String>,
    /// The bytes of the file that are the one number to change for another version, or why there
    /// is none.
    pub site: Result<ops::Range<usize>, String>,
    /// What it says of other declarations.
    pub role: Role,
}

/// What a declaration says of others of the same dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing: it asks for a version.
    Asks,
    /// The version is the one that this file, or a file above it, manages.
    Defers,
    /// It gives a version to those that defer.
    Manages,
    /// It takes the place of what is asked for, in its folder and in every one below.
    Replaces,
}

impl Declared {
    fn new(name: &str, versions: Result<Range, String>, site: Result<ops::Range<usize>, String>) -> Self {
        Self { name: name.to_owned(), versions, site, role: Role::Asks }
    }

    /// One whose versions are not known.
    fn unknown(name: &str, why: &str) -> Self {
        Self::new(name, Err(why.to_owned()), Err(why.to_owned()))
    }

    fn with(self, role: Role) -> Self {
        Self { role, ..self }
    }
}

/// What a file of a build says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    declared: Vec<Declared>,
    /// What others call it as their parent.
    own: Option<String>,
    /// The file whose versions it takes over, from its folder on, and what that must be called.
    parent: Option<(String, String)>,
}

impl From<Vec<Declared>> for Contents {
    fn from(declared: Vec<Declared>) -> Self {
        Self { declared, ..Self::default() }
    }
}

/// Larger files are no build files.
pub const MAX_BYTES: u64 = 4 << 20;

/// Reads what a file declares.
type Read = fn(&str) -> Result<Contents, String>;

/// How a file is read, where it is one that declares dependencies, and whose names those are.
fn reader(path: &str) -> Option<(Ecosystem, Read)> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let scala = name.ends_with(".scala") && (folder == "project" || folder.ends_with("/project"));
    Some(match name {
        "pom.xml" => (Ecosystem::Jvm, pom::read),
        "package.json" => (Ecosystem::Npm, manifest::package_json),
        "Cargo.toml" => (Ecosystem::Cargo, manifest::cargo),
        "pyproject.toml" => (Ecosystem::Python, manifest::pyproject),
        "go.mod" => (Ecosystem::Go, lines::go_mod),
        _ if name.ends_with(".sbt") || scala => (Ecosystem::Jvm, jvm::sbt),
        _ if name.ends_with(".gradle") || name.ends_with(".gradle.kts") => (Ecosystem::Jvm, jvm::gradle),
        _ if name.starts_with("requirements") && name.ends_with(".txt") => (Ecosystem::Python, lines::requirements),
        _ => return None,
    })
}

/// Files that pin versions, the files of builds whose versions they pin, and what makes them anew.
const LOCKS: [(&str, &str, &str); 11] = [
    ("package-lock.json", "package.json", "npm install"),
    ("npm-shrinkwrap.json", "package.json", "npm install"),
    ("yarn.lock", "package.json", "yarn install"),
    ("pnpm-lock.yaml", "package.json", "pnpm install"),
    ("bun.lock", "package.json", "bun install"),
    ("poetry.lock", "pyproject.toml", "poetry lock"),
    ("uv.lock", "pyproject.toml", "uv lock"),
    ("pdm.lock", "pyproject.toml", "pdm lock"),
    // Without `--workspace` it renews everything that it may.
    ("Cargo.lock", "Cargo.toml", "cargo update --workspace"),
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
    reader(path).map_or_else(|| Ok(Vec::new()), |(_, read)| Ok(read(text)?.declared))
}

/// What a rule asks for: a dependency of versions within a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// As [`Declared::name`].
    pub name: String,
    /// Within these versions.
    pub versions: Range,
    /// Whether it is taken to be there where the build does not tell.
    pub or_unknown: bool,
}

/// A name without what does not count in its ecosystem.
fn key(name: &str, ecosystem: Ecosystem) -> String {
    match ecosystem {
        // sbt adds the version of Scala to it.
        Ecosystem::Jvm => {
            let suffixed = name.rsplit_once('_').filter(|(_, suffix)| ["2.11", "2.12", "2.13", "3"].contains(suffix));
            suffixed.map_or(name, |(plain, _)| plain).to_owned()
        }
        // Runs of these are one `-`, and case does not count.
        Ecosystem::Python => {
            let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
            parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
        }
        Ecosystem::Cargo => name.replace('_', "-"),
        Ecosystem::Go | Ecosystem::Npm => name.to_owned(),
    }
}

/// Whether two names in a file of a build are one dependency.
pub fn same(path: &str, one: &str, other: &str) -> bool {
    reader(path).is_some_and(|(ecosystem, _)| key(one, ecosystem) == key(other, ecosystem))
}
