//! The command line: one file a command. Results go to stdout, progress and
//! diagnostics to stderr.
//!
//! Must not: decide anything that the library should.

mod apply;
mod check;
mod decide;
mod digest;
mod discover;
mod doctor;
mod exit;
mod explain;
mod find;
mod gc;
mod generate;
mod history;
mod known;
mod languages;
mod lsp;
mod mapping;
mod merge;
mod nearest;
mod new;
mod plan;
mod recover;
mod repl;
mod rollback;
mod run;
mod screen;
mod show;
mod simulate;
mod status;
mod test;
mod todo;
mod tree;
mod uses;
mod verify;
mod walk;
mod why;

pub use exit::Exit;

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::config::{self, ConfigErrors, Migration};
use screen::Screen;

/// One file carries a migration through a whole fleet.
#[derive(Parser, Debug)]
#[command(name = "gander", version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = Exit::table())]
struct Args {
    #[command(subcommand)]
    command: Command,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// No progress on stderr.
    #[arg(long, short, global = true)]
    quiet: bool,
}

/// `--color`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Advance a migration as far as it can go: discover, transform, verify, roll out.
    Run(run::Args),
    /// Who consumes what is migrated, where their code lies, and what sources and code
    /// disagree on.
    Discover(discover::Args),
    /// Show what a migration would do: the diff and the ledger. Writes nothing.
    Plan(plan::Args),
    /// Build and test consumers before and after their change. Delivers nothing.
    Verify(verify::Args),
    /// Enter the tree that `verify --keep` has left, in its sandbox.
    Shell(verify::Shell),
    /// Put the parts of a plan together that were made with `plan --shard`.
    Merge(merge::Args),
    /// Where a migration stands.
    Status(status::Args),
    /// Everything that is known of one consumer.
    Show(show::Args),
    /// Why a consumer's change is as it is: rule, match, mapping and evidence.
    Why(why::Args),
    /// What happened within the last hours, counted.
    Digest(digest::Args),
    /// What this migration's waves and gates would let through, by many made-up rollouts.
    Simulate(simulate::Args),
    /// Begin nothing new until `gander resume`; what is open is watched on.
    Pause(decide::Pause),
    /// End a pause.
    Resume(decide::Resume),
    /// Let a wave go on, or a change set go out, that waits for a person.
    Approve(decide::Approve),
    /// Leave a consumer out of the rollout.
    Exclude(decide::Exclude),
    /// Have a consumer verified and delivered again by the next run.
    Retry(decide::Retry),
    /// All that happened, in order: when, what, to whom, from where to where, and why.
    History(history::Args),
    /// All that is recorded, as NDJSON.
    Export(history::Export),
    /// Who uses a dataset or a column, where, and what becomes of it.
    Uses(uses::Args),
    /// What is left to people after a run.
    Todo(todo::Args),
    /// Fail where a folder uses what a migration replaces: for a consumer's CI.
    Check(check::Args),
    /// Make a mapping table from two schemas; what they leave open is marked.
    Mapping(mapping::Args),
    /// Take back what was delivered.
    Rollback(rollback::Args),
    /// Deliver a mended rule also to consumers that have merged what the wrong one made.
    Correct(run::Correct),
    /// Rebuild a lost state from branches, change ids and change sets, as far as they tell.
    Recover(recover::Args),
    /// Remove caches and clones that nothing needs any more.
    Gc(gc::Args),
    /// Run rules over plain folders: a dry run unless `--write` is given.
    Apply(apply::Args),
    /// Test rules: their examples, and their cases against snapshots.
    Test(test::Args),
    /// Make a rule or a migration to start from, with tests that pass.
    New(new::Args),
    /// Show what a file must hold for a rule to match in it.
    Explain(explain::Args),
    /// Find code by a pattern.
    Find(find::Args),
    /// Show the syntax tree of a file or a snippet, or how a pattern is understood.
    Tree(tree::Args),
    /// Try patterns and rules on a file.
    Repl(repl::Args),
    /// Serve an editor: diagnostics, hover, completion, rewrites.
    Lsp(lsp::Args),
    /// List the languages that rules can speak.
    Languages(languages::Args),
    /// Try what the sandbox can enforce on this machine.
    Doctor(doctor::Args),
    /// Print the reference of what rules may use, or a table of the rules in a folder.
    Reference(generate::Reference),
    /// Print completions for a shell.
    Completions(generate::Completions),
    /// Write manual pages into a folder.
    Man(generate::Man),
}

/// Where a migration file is named, by commands that take no other word.
#[derive(clap::Args, Debug)]
struct MigrationFile {
    /// The migration file; without it, `migration.toml`.
    #[arg(value_name = "MIGRATION", conflicts_with = "migration")]
    word: Option<PathBuf>,
    #[command(flatten)]
    option: MigrationOption,
}

/// Where every command may name it.
#[derive(clap::Args, Debug)]
struct MigrationOption {
    /// The migration file, as every command takes it; without it, `migration.toml`.
    #[arg(long, short, value_name = "FILE")]
    migration: Option<PathBuf>,
}

impl MigrationFile {
    fn path(&self) -> &std::path::Path {
        self.word.as_deref().unwrap_or(self.option.path())
    }

    fn load(&self, screen: &Screen) -> Result<Migration, Exit> {
        load_migration(self.path(), screen)
    }

    /// As [`load_of_state`].
    fn load_of_state(&self, screen: &Screen) -> Result<Migration, Exit> {
        load_of_state(self.path(), screen)
    }
}

impl MigrationOption {
    fn path(&self) -> &std::path::Path {
        self.migration.as_deref().unwrap_or(std::path::Path::new("migration.toml"))
    }

    fn load(&self, screen: &Screen) -> Result<Migration, Exit> {
        load_migration(self.path(), screen)
    }
}

fn load_migration(file: &std::path::Path, screen: &Screen) -> Result<Migration, Exit> {
    let (migration, missing) = what_is_there(file, screen)?;
    missing.map_or(Ok(migration), |missing| Err(wrong(&missing, screen)))
}

/// A migration of which files may be missing that it names, and what is missing.
fn what_is_there(file: &std::path::Path, screen: &Screen) -> Result<(Migration, Option<ConfigErrors>), Exit> {
    config::load_what_is_there(file).map_err(|errors| wrong(&errors, screen))
}

/// For what is done by the state alone: files that the migration names may be missing, which is said.
fn load_of_state(file: &std::path::Path, screen: &Screen) -> Result<Migration, Exit> {
    let (migration, missing) = what_is_there(file, screen)?;
    match missing {
        // Where nothing was run, nothing is known by the state.
        Some(missing) if !migration.state.join("state.db").is_file() => return Err(wrong(&missing, screen)),
        Some(missing) => screen.diagnostic(format!("warning: {missing}")),
        None => {}
    }
    Ok(migration)
}

/// Says what is wrong with a migration file.
fn wrong(errors: &ConfigErrors, screen: &Screen) -> Exit {
    screen.diagnostic(errors.render(screen.color_errors));
    Exit::Usage
}

/// Parses the command line and runs it.
pub fn main() -> Exit {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let screen = Screen::new(args.color, args.quiet);
    let done = match &args.command {
        Command::Run(args) => run::main(args, &screen),
        Command::Discover(args) => discover::main(args, &screen),
        Command::Plan(args) => plan::main(args, &screen),
        Command::Verify(args) => verify::main(args, &screen),
        Command::Shell(args) => verify::shell(args, &screen),
        Command::Merge(args) => merge::main(args, &screen),
        Command::Status(args) => status::main(args, &screen),
        Command::Show(args) => show::main(args, &screen),
        Command::Why(args) => why::main(args, &screen),
        Command::Digest(args) => digest::main(args, &screen),
        Command::Simulate(args) => simulate::main(args, &screen),
        Command::Pause(args) => decide::pause(args, &screen),
        Command::Resume(args) => decide::resume(args, &screen),
        Command::Approve(args) => decide::approve(args, &screen),
        Command::Exclude(args) => decide::exclude(args, &screen),
        Command::Retry(args) => decide::retry(args, &screen),
        Command::History(args) => history::main(args, &screen),
        Command::Export(args) => history::export(args, &screen),
        Command::Uses(args) => uses::main(args, &screen),
        Command::Todo(args) => todo::main(args, &screen),
        Command::Check(args) => check::main(args, &screen),
        Command::Mapping(args) => mapping::main(args, &screen),
        Command::Rollback(args) => rollback::main(args, &screen),
        Command::Correct(args) => run::correct(args, &screen),
        Command::Recover(args) => recover::main(args, &screen),
        Command::Gc(args) => gc::main(args, &screen),
        Command::Apply(args) => apply::main(args, &screen),
        Command::Test(args) => test::main(args, &screen),
        Command::New(args) => new::main(args, &screen),
        Command::Explain(args) => explain::main(args, &screen),
        Command::Find(args) => find::main(args, &screen),
        Command::Tree(args) => tree::main(args, &screen),
        Command::Repl(args) => repl::main(args, &screen),
        Command::Lsp(args) => lsp::main(args, &screen),
        Command::Languages(args) => languages::main(args, &screen),
        Command::Doctor(args) => doctor::main(args, &screen),
        Command::Reference(args) => generate::reference(args, &screen),
        Command::Completions(args) => generate::completions(args, &mut Args::command(), &screen),
        Command::Man(args) => generate::man(args, Args::command(), &screen),
    };
    done.unwrap_or_else(|exit| exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        for command in Args::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("gander "), "`gander {} --help` has no example", command.get_name());
        }
    }
}
