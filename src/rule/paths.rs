//! The files that a rule is for: globs over paths below the workspace.
//!
//! Must not: touch a disk.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// `paths([…])` of a rule.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    globs: Vec<String>,
    within: GlobSet,
    without: GlobSet,
}

/// A file that rules are run over.
#[derive(Clone, Copy, Debug)]
pub enum Place<'p> {
    /// At this path below its workspace.
    At(&'p str),
    /// A rule's own example, which lies nowhere: no rule's paths leave it out.
    Example(&'p str),
}

impl<'p> Place<'p> {
    /// The same file under another path.
    pub fn with(self, path: &str) -> Place<'_> {
        match self {
            Self::At(_) => Place::At(path),
            Self::Example(_) => Place::Example(path),
        }
    }

    /// The path, which tells the language.
    pub fn name(self) -> &'p str {
        match self {
            Self::At(name) | Self::Example(name) => name,
        }
    }
}

impl<'p> From<&'p str> for Place<'p> {
    fn from(path: &'p str) -> Self {
        Self::At(path)
    }
}

impl<'p> From<&'p String> for Place<'p> {
    fn from(path: &'p String) -> Self {
        Self::At(path)
    }
}

impl Paths {
    /// Compiles globs. One that begins with `!` leaves out what the others take in;
    /// where there are no others, it leaves out of everything.
    ///
    /// # Errors
    /// Why a glob is none.
    pub fn new(globs: &[String]) -> Result<Self, String> {
        let (mut within, mut without) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for text in globs {
            let (set, text) = match text.strip_prefix('!') {
                Some(rest) => (&mut without, rest),
                None => (&mut within, text.as_str()),
            };
            let leaves = text.starts_with('/') || text.split('/').any(|part| matches!(part, "." | ".."));
            if text.is_empty() || leaves {
                return Err(format!("{text:?} is no path below a workspace"));
            }
            let glob = GlobBuilder::new(text).literal_separator(true).build();
            set.add(glob.map_err(|error| error.to_string())?);
        }
        let built = |set: GlobSetBuilder| set.build().map_err(|error| error.to_string());
        Ok(Self { globs: globs.to_vec(), within: built(within)?, without: built(without)? })
    }

    /// Whether the rule is for the file at `path`.
    pub fn hold(&self, path: &str) -> bool {
        (self.within.is_empty() || self.within.is_match(path)) && !self.without.is_match(path)
    }

    /// As they were written; empty where every file is meant.
    pub fn globs(&self) -> &[String] {
        &self.globs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(globs: &[&str]) -> Result<Paths, String> {
        Paths::new(&globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn globs_take_in_and_leave_out() {
        let held = |globs: &[&str], path: &str| paths(globs).unwrap().hold(path);
        assert!(held(&[], "any/where.sql"));
        assert!(held(&["models/**/*.sql"], "models/a.sql") && held(&["models/**/*.sql"], "models/x/y/a.sql"));
        assert!(!held(&["models/**/*.sql"], "analyses/a.sql"));
        // A star stays within its folder.
        assert!(!held(&["models/*.sql"], "models/x/a.sql"));
        assert!(!held(&["**/*.sql", "!**/old/**"], "x/old/a.sql") && held(&["**/*.sql", "!**/old/**"], "x/a.sql"));
        assert!(held(&["!vendor/**"], "src/a.py") && !held(&["!vendor/**"], "vendor/a.py"));
    }

    #[test]
    fn what_is_no_glob_below_a_workspace_is_refused() {
        for glob in ["", "!", "/etc/*", "../x", "a/./b", "a/[b"] {
            assert!(paths(&[glob]).is_err(), "{glob:?}");
        }
    }
}
