//! `gander languages`.

use super::Exit;
use super::screen::Screen;
use crate::language;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  gander languages --json")]
pub(super) struct Args {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let facts = || language::all().iter();
    if args.json {
        let list: Vec<_> = facts()
            .map(|l| {
                let contexts: Vec<&str> = l.facts.context.iter().map(|c| c.name.as_str()).collect();
                serde_json::json!({
                    "name": l.facts.name, "aliases": l.facts.aliases, "extensions": l.facts.extensions,
                    "contexts": contexts, "grammar": l.version,
                })
            })
            .collect();
        screen.result(format!("{:#}\n", serde_json::Value::from(list)));
        return Ok(Exit::Done);
    }
    screen.result(format!("{:<12} {:<14} {:<26} {}\n", "name", "also", "files", "patterns are read as"));
    for language in facts() {
        let files: Vec<String> = language.facts.extensions.iter().map(|e| format!(".{e}")).collect();
        let contexts: Vec<&str> = language.facts.context.iter().map(|c| c.name.as_str()).collect();
        let line = format!(
            "{:<12} {:<14} {:<26} {}\n",
            language.facts.name,
            language.facts.aliases.join(", "),
            files.join(" "),
            contexts.join(", ")
        );
        screen.result(line);
    }
    Ok(Exit::Done)
}
