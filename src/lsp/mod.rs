//! `gander lsp`: what editors show while rules are written and code is migrated.
//!
//! In rule files: mistakes and failing examples as diagnostics, hover and completion.
//! In code: the matches of the workspace's rules, each with its rewrite as an action.
//!
//! Must not: write a file (the editor applies edits), or know the command line.

mod code;
pub mod completion;
mod hover;
mod position;
mod rule_file;
mod server;
mod workspace;

pub use server::{LspError, serve};
