//! Which files are of which language: what their names tell, unless the user says
//! otherwise.
//!
//! Must not: touch a disk.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{Language, of_path};

/// The languages of files, by their paths below the workspace.
#[derive(Clone, Debug, Default)]
pub struct FileLanguages {
    globs: GlobSet,
    /// Each glob and what it says; `None` means no language.
    said: Vec<(String, Option<&'static Language>)>,
}

impl FileLanguages {
    /// What `said` names for some globs, in its order: the first that holds a path decides.
    /// A path that none holds is told by its name.
    ///
    /// # Errors
    /// Why a glob is none.
    pub fn new<'g>(said: impl IntoIterator<Item = (&'g str, Option<&'static Language>)>) -> Result<Self, String> {
        let mut globs = GlobSetBuilder::new();
        let mut kept = Vec::new();
        for (glob, language) in said {
            let compiled = GlobBuilder::new(glob).literal_separator(true).build();
            globs.add(compiled.map_err(|error| error.to_string())?);
            kept.push((glob.to_owned(), language));
        }
        Ok(Self { globs: globs.build().map_err(|error| error.to_string())?, said: kept })
    }

    /// The language of the file at this path, if it has one.
    pub fn of(&self, path: &str) -> Option<&'static Language> {
        if self.said.is_empty() {
            return of_path(Path::new(path));
        }
        // In the order in which they were added.
        match self.globs.matches(path).first() {
            Some(&first) => self.said[first].1,
            None => of_path(Path::new(path)),
        }
    }

    /// What was said, a line for each glob: part of a plan's identity.
    pub fn said(&self) -> String {
        let name = |language: &Option<&'static Language>| language.map_or("none", |l| l.facts.name.as_str());
        self.said.iter().map(|(glob, language)| format!("{} {glob}\n", name(language))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::by_name;
    use super::*;

    fn name(languages: &FileLanguages, path: &str) -> Option<&'static str> {
        languages.of(path).map(|language| language.facts.name.as_str())
    }

    #[test]
    fn the_first_glob_decides_and_names_tell_the_rest() {
        let sql = by_name("sql");
        let said = [("legacy/**", None), ("**/*.hql", sql), ("etl/*.txt", sql), ("**/*.txt", by_name("python"))];
        let languages = FileLanguages::new(said).unwrap();
        assert_eq!(name(&languages, "q.hql"), Some("sql"));
        assert_eq!(name(&languages, "a/b/q.hql"), Some("sql"));
        assert_eq!(name(&languages, "legacy/q.hql"), None);
        assert_eq!(name(&languages, "legacy/q.py"), None);
        assert_eq!(name(&languages, "etl/a.txt"), Some("sql"));
        assert_eq!(name(&languages, "etl/deep/a.txt"), Some("python"));
        assert_eq!(name(&languages, "a.py"), Some("python"));
        assert_eq!(name(&FileLanguages::default(), "q.hql"), None);
        assert!(FileLanguages::new([("a{", None)]).is_err());
    }
}
