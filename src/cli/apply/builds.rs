//! The files of builds that rules ask: below the folder that was named, and above it, up to the top
//! of its repository.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Exit;
use super::super::screen::{Screen, absolute};
use super::super::walk::{Found, each, with_bytes};
use super::place::Place;
use crate::dependency;
use crate::rule::{self, RuleSet};
use crate::transform::Builds;

/// The builds of one folder.
pub(super) struct Near {
    pub(super) builds: Builds,
    /// The folder from where their names begin, as it is.
    top: PathBuf,
    /// What was named, or the folder of the file that was.
    root: PathBuf,
    /// That folder, from the top on, with its `/`.
    folder: String,
}

impl Near {
    /// Reads the builds, where rules ask for that.
    pub(super) fn read(rules: &RuleSet, paths: &[PathBuf], screen: &Screen) -> Result<Option<Self>, Exit> {
        if !rules.asks_builds() {
            return Ok(None);
        }
        let [path] = paths else {
            screen.diagnostic(
                "error: a rule asks what the build declares, and several folders have several builds; name one of them",
            );
            return Err(Exit::Usage);
        };
        let root = if path.is_dir() { path.clone() } else { path.parent().unwrap_or(Path::new("")).to_owned() };
        let whole = absolute(&root);
        let whole = whole.canonicalize().unwrap_or(whole);
        // Outside of a repository, what lies above is somebody else's.
        let top = whole.ancestors().find(|above| above.join(".git").exists()).unwrap_or(&whole).to_owned();
        let inside = whole.strip_prefix(&top).unwrap_or(Path::new(""));
        let folder: String = inside.iter().map(|part| format!("{}/", part.to_string_lossy())).collect();
        let mut near = Self { builds: Builds::default(), top, root, folder };
        near.above(path, &whole);
        near.below(paths, screen)?;
        Ok(Some(near))
    }

    /// What lies beside a file that was named, and in each folder above.
    fn above(&mut self, named: &Path, whole: &Path) {
        let own = usize::from(named.is_dir());
        let top = self.top.clone();
        for folder in whole.ancestors().skip(own).take_while(|folder| folder.starts_with(&top)) {
            let inner = folder.join("project");
            for path in [folder, &inner].into_iter().flat_map(files_of) {
                let Some(name) = path.strip_prefix(&top).ok().and_then(Path::to_str) else { continue };
                let sbt = path.parent() == Some(&inner);
                if dependency::lock(name).is_some() && !sbt {
                    self.builds.locks.push(name.to_owned());
                } else if dependency::declares(name) && (!sbt || name.ends_with(".scala")) {
                    self.add(name, &path);
                }
            }
        }
    }

    fn add(&mut self, name: &str, path: &Path) {
        let small = path.symlink_metadata().ok().filter(Metadata::is_file);
        match small.map(|meta| meta.len() <= dependency::MAX_BYTES) {
            Some(true) => match with_bytes(path, Found::Nothing, |bytes, _| bytes.to_vec()) {
                Ok(bytes) => self.builds.add(name, Some(&bytes)),
                Err(why) => Arc::make_mut(&mut self.builds.dependencies).unreadable(name, &why),
            },
            Some(false) => self.builds.add(name, None),
            None => Arc::make_mut(&mut self.builds.dependencies).unreadable(name, "it is no plain file"),
        }
    }

    fn below(&mut self, paths: &[PathBuf], screen: &Screen) -> Result<(), Exit> {
        let name = |path: &Path| path.to_string_lossy().replace('\\', "/");
        let wanted = |path: &Path| dependency::declares(&name(path)) || dependency::lock(&name(path)).is_some();
        each(
            paths,
            screen,
            wanted,
            |path, _| Place::of(paths, path),
            |path, place| {
                match place.map(|place| self.name(&place)) {
                    Ok(name) if dependency::lock(&name).is_some() => self.builds.locks.push(name),
                    Ok(name) => self.add(&name, path),
                    // What it declares is not known, and `if_unknown` says what that means.
                    Err(why) => {
                        let inside = path.strip_prefix(&self.root).unwrap_or(path);
                        let name = format!("{}{}", self.folder, inside.to_string_lossy());
                        Arc::make_mut(&mut self.builds.dependencies).unreadable(&name, &why);
                    }
                }
                Ok(())
            },
        )?;
        Ok(())
    }

    /// What the builds call a file.
    pub(super) fn name(&self, place: &Place) -> String {
        format!("{}{}", self.folder, place.name)
    }

    /// Where a file of that name lies, from the working folder on where it can be said so.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        if let Some(inner) = name.strip_prefix(&self.folder) {
            return self.root.join(inner);
        }
        let path = self.top.join(name);
        let here = std::env::current_dir().ok().and_then(|here| here.canonicalize().ok());
        here.and_then(|here| Some(path.strip_prefix(here).ok()?.to_owned())).unwrap_or(path)
    }

    /// What rules may ask.
    pub(super) fn told(&self) -> rule::Builds {
        rule::Builds::Read(Arc::clone(&self.builds.dependencies), self.folder.clone())
    }
}

/// The files in a folder, sorted.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| !path.is_dir()).collect();
    all.sort();
    all
}
