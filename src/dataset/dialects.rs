//! Whose SQL stands in which files.
//!
//! Must not: read files.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::sql::Dialect;

/// One dialect for all files, and others for the files of some globs.
#[derive(Clone, Debug, Default)]
pub struct Dialects {
    /// Of files that no glob holds.
    rest: Dialect,
    globs: GlobSet,
    said: Vec<(String, Dialect)>,
}

impl Dialects {
    /// `rest` everywhere but in the files of some globs, over paths below a consumer: the
    /// first that holds a path decides.
    ///
    /// # Errors
    /// Why a glob is none.
    pub fn new<'g>(rest: Dialect, said: impl IntoIterator<Item = (&'g str, Dialect)>) -> Result<Self, String> {
        let mut globs = GlobSetBuilder::new();
        let mut kept = Vec::new();
        for (glob, dialect) in said {
            let compiled = GlobBuilder::new(glob).literal_separator(true).build();
            globs.add(compiled.map_err(|error| error.to_string())?);
            kept.push((glob.to_owned(), dialect));
        }
        Ok(Self { rest, globs: globs.build().map_err(|error| error.to_string())?, said: kept })
    }

    /// The dialect of the SQL in the file at this path.
    pub fn of(&self, path: &str) -> Dialect {
        if self.said.is_empty() {
            return self.rest;
        }
        // In the order in which they were added.
        self.globs.matches(path).first().map_or(self.rest, |&first| self.said[first].1)
    }

    /// What was said, a line for each glob: part of a plan's identity.
    pub fn said(&self) -> String {
        let lines = self.said.iter().map(|(glob, dialect)| format!("{dialect:?} {glob}\n"));
        std::iter::once(format!("{:?}\n", self.rest)).chain(lines).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_glob_decides() {
        let said = [("etl/**", Dialect::Spark), ("**/*.sql", Dialect::Snowflake)];
        let dialects = Dialects::new(Dialect::Ansi, said).unwrap();
        assert_eq!(dialects.of("etl/a.sql"), Dialect::Spark);
        assert_eq!(dialects.of("a.sql"), Dialect::Snowflake);
        assert_eq!(dialects.of("a.py"), Dialect::Ansi);
        assert!(Dialects::new(Dialect::Ansi, [("a{", Dialect::Ansi)]).is_err());
    }
}
