//! Stage 5: what people and machines read of a rollout: the folder of each change
//! set, and the ledger.
//!
//! Must not: decide anything, start a program, or write a file (bytes and texts are
//! handed back to whoever asks).

pub mod change_set;
pub mod discovery;
pub mod gates;
pub mod history;
pub mod markdown;
pub mod operation;
pub mod pull_request;
pub mod show;
pub mod simulation;
pub mod table;
pub mod uses;
pub mod verdicts;
pub mod waves;

pub use change_set::folder;
pub use gates::{json as gates_json, text as gates_text};
pub use show::view_text;
pub use simulation::text as simulation;
pub use table::{Layout, ledger_json, ledger_text, summary, wave_line};
pub use verdicts::{difference, verdicts_text};
pub use waves::{json as waves_json, text as waves_text};
