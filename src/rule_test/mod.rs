//! Rules are tested like code: their inline examples, and cases in folders, whose
//! results are snapshots in insta's format.
//!
//! ```text
//! rules/python/typing.rhai
//! rules/python/tests/typing.toml         parameters and mapping tables of all of these
//! rules/python/tests/typing/CASE/        the code: one file, or a whole repository
//! rules/python/tests/typing/CASE.toml    the same for one of them
//! rules/python/tests/typing/CASE.snap    what became of it
//! ```
//!
//! A rule file that a `migration.toml` above it names is tested with that migration's
//! parameters and mapping tables; the migration itself has cases beside it, in
//! `tests/CASE/`, which all its rules run over.
//!
//! Must not: print, ask a person, or know the command line.

mod assert;
mod case;
mod catalogue;
mod coverage;
mod difference;
mod error;
mod example;
mod hold;
mod junit;
mod report;
mod run;
mod snapshot;
mod suite;
mod watch;

pub use assert::{ForInsta, for_insta};
pub use catalogue::{MARK as CATALOGUE_MARK, catalogue};
pub use coverage::{Gap, gaps};
pub use difference::difference;
pub use error::TestError;
pub use example::{ExampleResult, examples};
pub use hold::{Given, hint_of_unexampled, load, unexampled};
pub use junit::junit;
pub use report::{CaseResult, Outcome, Report, RuleResult, SuiteResult};
pub use run::{Memory, Options, run};
pub use snapshot::{accept, reject};
pub use suite::{Case, Found, Suite, find};
pub use watch::{Watched, watch};

#[cfg(test)]
mod tests;
