//! `gander lsp`.

use super::Exit;
use super::screen::Screen;
use crate::lsp;

#[derive(clap::Args, Debug)]
#[command(after_help = "An editor starts it and speaks with it over stdin and stdout. Example, for Helix:\n  \
                        [language-server.gander]\n  command = \"gander\"\n  args = [\"lsp\"]\n\n\
                        By hand, it waits for the protocol:\n  gander lsp")]
pub(super) struct Args {
    /// What most editors append; stdin and stdout are used in any case.
    #[arg(long)]
    stdio: bool,
}

pub(super) fn main(_: &Args, screen: &Screen) -> Result<Exit, Exit> {
    lsp::serve().map_err(|error| {
        screen.diagnostic(format!("error: {error}"));
        Exit::Failed
    })?;
    Ok(Exit::Done)
}
