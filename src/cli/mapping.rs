//! `gander mapping`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Exit;
use super::screen::Screen;
use crate::dataset::derive::{MAX_SCHEMA, Table, derive, read};
use crate::dataset::mapping::System;
use crate::report::table::counted;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  gander mapping users_v1.json users_v2.json --old acme.crm.users_v1 --new acme.crm.users_v2 > users.toml\n  \
                        gander mapping models/old.yml models/new.yml --old-model users_v1 --new-model users_v2"
)]
pub(super) struct Args {
    /// The old schema: BigQuery or Avro as JSON, or a `schema.yml` of dbt.
    old_schema: PathBuf,
    /// The new one.
    new_schema: PathBuf,
    /// What reports call the dataset; else the end of its old name, or of the file's.
    #[arg(long)]
    name: Option<String>,
    /// The old table in the warehouse: `project.dataset.table`.
    #[arg(long, requires = "new")]
    old: Option<String>,
    /// The new one.
    #[arg(long, requires = "old")]
    new: Option<String>,
    /// Of several models or source tables in the old `schema.yml`, which.
    #[arg(long)]
    old_model: Option<String>,
    /// The same of the new one.
    #[arg(long)]
    new_model: Option<String>,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let mut old = schema(&args.old_schema, args.old_model.as_deref(), screen)?;
    let mut new = schema(&args.new_schema, args.new_model.as_deref(), screen)?;
    for (table, name) in [(&mut old, &args.old), (&mut new, &args.new)] {
        if let Some(name) = name {
            table.names.retain(|(system, _)| *system != System::Table);
            table.names.push((System::Table, name.clone()));
        }
    }
    let end = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let stem = || args.old_schema.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let called = args.name.clone().or_else(|| old.names.first().map(|(_, name)| end(name))).unwrap_or_else(stem);
    let derived = derive(&called, &old, &new);
    screen.result(&derived.toml);
    screen.note(format!("{} decided, {} for a person", counted(derived.decided, "column"), derived.open));
    if !derived.named {
        screen.note("no name in any system: give --old and --new, or fill in [names]");
    }
    Ok(Exit::Done)
}

fn schema(path: &Path, model: Option<&str>, screen: &Screen) -> Result<Table, Exit> {
    let yaml = path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
    text(path).and_then(|text| read(&text, yaml, model)).map_err(|why| {
        screen.diagnostic(format!("error: {}: {why}", path.display()));
        Exit::Usage
    })
}

fn text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| format!("can't be read: {error}"))?;
    file.take(MAX_SCHEMA + 1).read_to_end(&mut bytes).map_err(|error| format!("can't be read: {error}"))?;
    if bytes.len() as u64 > MAX_SCHEMA {
        return Err(format!("is larger than {} MiB", MAX_SCHEMA >> 20));
    }
    String::from_utf8(bytes).map_err(|error| format!("is not UTF-8 (byte {})", error.utf8_error().valid_up_to()))
}
