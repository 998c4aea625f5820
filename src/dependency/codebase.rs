//! All that the builds of a codebase declare, and which of it is for which code.
//!
//! What stands nearest above the code decides. Must not: read a file.

use std::collections::{BTreeMap, BTreeSet};

use super::{Contents, Declared, Role, Wanted, key, name_of, reader};
use crate::language::Ecosystem;
use crate::symbol::Certainty;

/// How many parents of parents are followed.
const PARENTS: usize = 20;

/// What is known of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    ecosystem: Ecosystem,
    /// Who it takes versions from and who from it, or why it can't be read.
    read: Result<Family, String>,
}

/// What a file is called as a parent, and its own one: its path from there on, and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Family {
    own: Option<String>,
    parent: Option<(String, String)>,
}

/// Declarations of one dependency, each with the file that it stands in.
type Places = Vec<(String, Declared)>;

/// All that the builds of a codebase declare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    files: BTreeMap<String, File>,
    /// By what counts of their names. Asked for each match, so nothing is searched.
    declared: BTreeMap<Ecosystem, BTreeMap<String, Places>>,
}

impl Dependencies {
    /// Adds what the file at this path declares.
    pub fn add(&mut self, path: &str, text: &str) {
        let Some((ecosystem, read)) = reader(path) else { return };
        match read(text) {
            Ok(Contents { declared, own, parent }) => {
                let all = self.declared.entry(ecosystem).or_default();
                for one in declared {
                    all.entry(key(&one.name, ecosystem)).or_default().push((path.to_owned(), one));
                }
                self.files.insert(path.to_owned(), File { ecosystem, read: Ok(Family { own, parent }) });
            }
            Err(why) => self.unreadable(path, &why),
        }
    }

    /// Adds a file that could not be read.
    pub fn unreadable(&mut self, path: &str, why: &str) {
        let Some((ecosystem, _)) = reader(path) else { return };
        self.files.insert(path.to_owned(), File { ecosystem, read: Err(why.to_owned()) });
    }

    /// Every declaration of a dependency, with the file that it stands in.
    ///
    /// # Errors
    /// Several ecosystems have one of this name, and nothing says which is meant.
    pub fn of(&self, name: &str, ecosystem: Option<Ecosystem>) -> Result<Vec<(&str, &Declared)>, String> {
        let in_one = |one: Ecosystem| self.declared.get(&one).and_then(|all| all.get(&key(name, one)));
        let asked = self.declared.keys().filter(|one| ecosystem.is_none_or(|only| only == **one));
        let mut found = asked.filter_map(|one| in_one(*one)).filter(|places| !places.is_empty());
        let (first, second) = (found.next(), found.next());
        if let (Some([(one, _), ..]), Some([(other, _), ..])) = (first.map(Vec::as_slice), second.map(Vec::as_slice)) {
            return Err(format!("{one} and {other} both name a {name}, and these are two libraries"));
        }
        let mut all: Vec<_> = first.into_iter().flatten().map(|(file, one)| (file.as_str(), one)).collect();
        all.sort_by_key(|(file, _)| *file);
        Ok(all)
    }

    /// What decides which versions of a dependency the code at a path is built with: all that its
    /// nearest files above declare, and what takes the place of that.
    ///
    /// # Errors
    /// Why nothing that was read does.
    pub fn deciding(
        &self,
        name: &str,
        path: &str,
        ecosystem: Option<Ecosystem>,
    ) -> Result<Vec<(&str, &Declared)>, String> {
        let all = self.of(name, ecosystem)?;
        let nearest = all.iter().filter_map(|(file, _)| depth(file, path)).max();
        // What can't be read may be what decides.
        let broken = self.files.iter().filter(|(_, file)| ecosystem.is_none_or(|only| only == file.ecosystem));
        let broken = broken.filter_map(|(path, file)| Some((path, file.read.as_ref().err()?)));
        let above = broken.clone().filter_map(|(file, why)| Some((depth(file, path)?, file, why)));
        if let Some((_, file, why)) = above.max_by_key(|(at, ..)| *at).filter(|(at, ..)| Some(*at) >= nearest) {
            return Err(format!("{file} can't be read: {why}"));
        }
        if nearest.is_none() {
            return Err(self.nowhere(name, ecosystem, &all));
        }
        let counts = |(file, one): &(&str, &Declared)| {
            let depth = depth(file, path);
            depth == nearest || depth.is_some() && one.role == Role::Replaces
        };
        let mut counted = Vec::new();
        for (file, one) in all.iter().copied().filter(counts) {
            match (one.role == Role::Defers).then(|| self.managed(file, &all)) {
                Some(managed) if !managed.is_empty() => counted.extend(managed),
                _ => counted.push((file, one)),
            }
        }
        Ok(counted)
    }

    /// What gives a version to those of a file that defer: of the file itself, or of its parents.
    fn managed<'d>(&self, file: &str, all: &[(&'d str, &'d Declared)]) -> Vec<(&'d str, &'d Declared)> {
        let mut file = file.to_owned();
        for _ in 0..PARENTS {
            let managed = |(of, one): &(&str, &Declared)| *of == file && one.role == Role::Manages;
            let found: Vec<_> = all.iter().copied().filter(managed).collect();
            if !found.is_empty() {
                return found;
            }
            let Some(File { read: Ok(Family { parent, .. }), .. }) = self.files.get(&file) else { break };
            let next = match parent {
                Some((relative, called)) => joined(&file, relative).filter(|path| self.is_called(path, called)),
                None => self.next_above(&file),
            };
            let Some(next) = next else { break };
            file = next;
        }
        Vec::new()
    }

    fn is_called(&self, path: &str, name: &str) -> bool {
        let own = self.files.get(path).and_then(|file| file.read.as_ref().ok()?.own.as_ref());
        own.is_some_and(|own| own == name)
    }

    /// The nearest file of the same name above a file that names no parent, where such a one is its
    /// parent: Cargo's workspaces.
    fn next_above(&self, file: &str) -> Option<String> {
        if self.files.get(file)?.ecosystem != Ecosystem::Cargo {
            return None;
        }
        let mut folder = file.rsplit_once('/')?.0;
        loop {
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            let path = if folder.is_empty() { name_of(file).to_owned() } else { format!("{folder}/{}", name_of(file)) };
            if self.files.contains_key(&path) {
                return Some(path);
            }
            if folder.is_empty() {
                return None;
            }
        }
    }

    /// Why nothing above some code declares a dependency.
    fn nowhere(&self, name: &str, ecosystem: Option<Ecosystem>, elsewhere: &[(&str, &Declared)]) -> String {
        let mut files = self.files.values().filter(|file| ecosystem.is_none_or(|only| only == file.ecosystem));
        match () {
            () if !elsewhere.is_empty() => {
                let files: BTreeSet<&str> = elsewhere.iter().map(|(file, _)| *file).collect();
                let verb = if files.len() == 1 { "does" } else { "do" };
                format!("no file of the build above it declares {name}; {} {verb}", few(files))
            }
            () if files.next().is_none() => format!("no file of a build was found that could declare {name}"),
            () => format!("no file of the build declares {name}"),
        }
    }

    /// Whether the code at a path has such a dependency; and why not, or why that can't be told.
    pub fn has(&self, wanted: &Wanted, path: &str, ecosystem: Option<Ecosystem>) -> (Certainty, String) {
        let counted = match self.deciding(&wanted.name, path, ecosystem) {
            Ok(counted) => counted,
            Err(why) => return (Certainty::Unknown, why),
        };
        let told: Vec<(Certainty, String)> = counted.iter().map(|(file, one)| answer(file, one, wanted)).collect();
        let first = told.first().map(|one| one.0);
        if let Some(first) = first.filter(|first| told.iter().all(|one| one.0 == *first)) {
            return (first, told.into_iter().next().map(|one| one.1).unwrap_or_default());
        }
        match told.into_iter().find(|one| one.0 == Certainty::Unknown) {
            Some(unknown) => unknown,
            None => {
                let files = few(counted.iter().map(|(file, _)| *file));
                (Certainty::Unknown, format!("{files} declare several versions of {}", wanted.name))
            }
        }
    }
}

/// Paths for people: each once, and at most three.
pub fn few<'p>(paths: impl IntoIterator<Item = &'p str>) -> String {
    const MOST: usize = 3;
    let all: BTreeSet<&str> = paths.into_iter().collect();
    let shown = all.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if all.len() > MOST { format!("{shown} and {} more", all.len() - MOST) } else { shown }
}

/// How near a file of a build stands above a path: greater is nearer, `None` is not above it.
fn depth(file: &str, path: &str) -> Option<usize> {
    let folder = folder_of(file);
    path.starts_with(folder).then_some(folder.len())
}

/// The folder whose code a file of a build is for, with its `/`: that of sbt's `project/` is the
/// one around it.
fn folder_of(file: &str) -> &str {
    let folder = &file[..file.len() - name_of(file).len()];
    let sbt = file.ends_with(".scala").then(|| folder.strip_suffix("project/")).flatten();
    sbt.unwrap_or(folder)
}

/// A path that is written from the folder of a file on, where it stays within the codebase.
fn joined(file: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn answer(file: &str, declared: &Declared, wanted: &Wanted) -> (Certainty, String) {
    let Wanted { name, versions: meant, .. } = wanted;
    match &declared.versions {
        Err(why) => (Certainty::Unknown, format!("{file}: which version of {name} is not known: {why}")),
        Ok(versions) => match versions.lies_in(meant) {
            Certainty::Unknown => {
                let why = format!("{file} allows {name} {versions}, of which not all need be {meant}");
                (Certainty::Unknown, why)
            }
            told => (told, format!("{file} asks for {name} {versions}, and the rule is for {meant}")),
        },
    }
}
