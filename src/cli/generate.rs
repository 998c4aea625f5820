//! `gander completions` and `gander man`, from the same definitions as the command
//! line itself; `gander reference`, from those of what rules may use.

use std::path::PathBuf;

use super::Exit;
use super::screen::Screen;
use crate::files;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander completions bash > ~/.local/share/bash-completion/completions/gander")]
pub(super) struct Completions {
    /// The shell.
    shell: clap_complete::Shell,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander man /usr/local/share/man/man1")]
pub(super) struct Man {
    /// The folder to write into.
    folder: PathBuf,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander reference > docs/rules.md\n  gander reference rules/scio")]
pub(super) struct Reference {
    /// A folder of rules: prints a table of them instead, for its README.
    folder: Option<PathBuf>,
}

pub(super) fn reference(args: &Reference, screen: &Screen) -> Result<Exit, Exit> {
    let Some(folder) = &args.folder else {
        screen.result(crate::script::markdown());
        return Ok(Exit::Done);
    };
    match crate::rule_test::catalogue(folder) {
        Ok(table) => {
            screen.result(table);
            Ok(Exit::Done)
        }
        Err(why) => {
            screen.diagnostic(format!("error: {why}"));
            Err(Exit::Usage)
        }
    }
}

pub(super) fn completions(args: &Completions, command: &mut clap::Command, screen: &Screen) -> Result<Exit, Exit> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, command, "gander", &mut text);
    screen.result(String::from_utf8_lossy(&text));
    Ok(Exit::Done)
}

pub(super) fn man(args: &Man, mut command: clap::Command, screen: &Screen) -> Result<Exit, Exit> {
    command.build();
    let mut pages = vec![("gander.1".to_owned(), command.clone())];
    for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
        pages.push((format!("gander-{}.1", sub.get_name()), sub.clone()));
    }
    for (name, command) in pages {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut page).map_err(|e| e.to_string());
        let path = args.folder.join(name);
        let written = rendered.and_then(|()| {
            files::make_folder(&args.folder).map_err(|e| e.to_string())?;
            files::write_whole(&path, &page, false).map_err(|e| e.to_string())
        });
        if let Err(error) = written {
            screen.diagnostic(format!("error: {}: {error}", path.display()));
            return Err(Exit::Failed);
        }
    }
    Ok(Exit::Done)
}
