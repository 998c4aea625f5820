//! The `gander` program from end to end: real folders, real git, the real sandbox.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "tests make the folders, and start the programs, that they judge by")]

mod backstage;
mod bench;
mod bombs;
mod book;
mod clones;
mod corrections;
mod datasets_commands;
mod datasets_corpus;
mod datasets_engine;
mod datasets_files;
mod datasets_judge;
mod datasets_program;
mod delivery;
mod differential;
mod discovery;
mod expected;
mod file_edits;
mod fleet;
mod format;
mod git_server;
mod index;
mod kill;
mod language;
mod lsp;
mod malice;
mod matchers;
mod monorepo;
mod moves;
mod newcomer;
mod operation;
mod order;
mod owners;
mod patches;
mod plan;
mod prometheus;
mod push;
mod queries;
mod recovery;
mod returns;
mod rollout;
mod rules;
mod tls;
mod verify;
mod ways;
