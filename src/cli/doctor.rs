//! `gander doctor`.

use anstyle::AnsiColor;

use super::Exit;
use super::screen::Screen;
use crate::sandbox::{self, PromiseState};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander doctor --json")]
pub(super) struct Args {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let failed = |error: std::io::Error| {
        screen.diagnostic(format!("error: the sandbox can't be tried: {error}"));
        Exit::Failed
    };
    let exe = std::env::current_exe().map_err(failed)?;
    let scratch = tempfile::tempdir().map_err(failed)?;
    let promises = sandbox::doctor(&exe, scratch.path());
    // How the memory limit is held, and whether there is a second fence, is for the user
    // to know, and no lack.
    let besides = |name: &str| matches!(name, "landlock" | "memory-by-kernel");
    let all = promises.iter().all(|p| p.state == PromiseState::Enforced || besides(p.name));
    if args.json {
        let text = serde_json::to_string_pretty(&promises).unwrap_or_default();
        screen.result(format!("{text}\n"));
    } else {
        for promise in &promises {
            let (word, color, more) = match &promise.state {
                PromiseState::Enforced => ("enforced", AnsiColor::Green, String::new()),
                PromiseState::NotEnforced { why, mend } => {
                    ("missing", AnsiColor::Red, format!("\n{:34}because {why}\n{:34}{mend}", "", ""))
                }
            };
            let padded = format!("{word:<9}");
            screen.result(format!("{} {:<23} {}{more}\n", screen.styled(&padded, color), promise.name, promise.what));
        }
    }
    Ok(if all { Exit::Done } else { Exit::NoSandbox })
}
