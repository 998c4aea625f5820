//! What can be wrong with the tests themselves.

use std::path::PathBuf;

use crate::config::ConfigErrors;
use crate::files::FilesError;
use crate::script::ScriptErrors;

/// A test that can't be run, or a result that can't be kept. No snapshot was touched.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// There is no such file or folder.
    #[error("{}: there is no such file or folder", .0.display())]
    Absent(PathBuf),
    /// No rule was found.
    #[error("{}: there is no rule file (*.rhai) in it; `gander new rule NAME` makes one", .0.display())]
    NoRules(PathBuf),
    /// A case has no code.
    #[error("{}: this case has no input: put the code to be changed into the folder, or remove it", .0.display())]
    NoInput(PathBuf),
    /// A description of a case that is not there.
    #[error("{}: there is no folder of this name beside it: it describes no case", .0.display())]
    NoCase(PathBuf),
    /// A snapshot that is none.
    #[error("{}: it is no snapshot ({why}); it was left as it is: remove it, or mend it", path.display())]
    NotASnapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The description of a case is wrong.
    #[error("{}: {why}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with its place.
        why: String,
    },
    /// The same id twice.
    #[error("{second}: rule `{id}` is declared already at {first}; ids are unique")]
    SameId {
        /// The id.
        id: String,
        /// Where it was declared first.
        first: String,
        /// Where again.
        second: String,
    },
    /// The rules are wrong.
    #[error("{0}")]
    Rules(ScriptErrors),
    /// The migration of the rules is wrong.
    #[error("{}", .0.render(false))]
    Migration(ConfigErrors),
    /// The code of a case can't be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The case.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A snapshot can't be written.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The folder can't be watched.
    #[error("can't watch {}: {why}", path.display())]
    Watch {
        /// The folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
}
