//! `gander uses`.

use anstyle::AnsiColor;

use super::screen::Screen;
use super::{Exit, MigrationOption};
use crate::clock::Clock;
use crate::pipeline::{self, FleetUse, Options};
use crate::report::table::{counted, one_line};
use crate::report::uses::place_of;
use crate::transform::FindingKind;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  gander uses users.country_code --owner data-eng\n  \
                        gander uses -m migration.toml --json")]
pub(super) struct Args {
    /// A dataset, a column or a field: `users`, `users.country_code`, `users.address.postcode`;
    /// everything where it is left out.
    #[arg(value_name = "SUBJECT")]
    subject: Option<String>,
    /// Only consumers of this group or user.
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    #[command(flatten)]
    file: MigrationOption,
    /// One JSON object a use.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &Args, screen: &Screen) -> Result<Exit, Exit> {
    let migration = args.file.load(screen)?;
    let known = pipeline::subjects(&migration).map_err(|error| screen.failure(&error))?;
    if let Some(subject) = args.subject.as_ref().filter(|subject| !known.contains(*subject)) {
        let help = match pipeline::meant(subject, &known) {
            Some(near) => format!("did you mean {near}?"),
            None if known.is_empty() => "name mapping tables under [datasets] in the migration".to_owned(),
            None => {
                let datasets: Vec<&str> = known.iter().filter(|n| !n.contains('.')).map(String::as_str).collect();
                format!("datasets are {}; a column is DATASET.COLUMN", datasets.join(", "))
            }
        };
        screen.diagnostic(format!("error: no mapping table knows {subject}\n  = help: {help}"));
        return Err(Exit::Usage);
    }
    let owner = owner(args.owner.as_deref(), screen)?;
    let planned = pipeline::plan(&migration, &Options::default(), &Clock::System, &|p| screen.progress(&p));
    let planned = planned.map_err(|error| screen.failure(&error))?;
    let uses = planned.uses(args.subject.as_deref(), owner.as_ref());
    if args.json {
        screen.result(uses.iter().map(json).collect::<String>());
    } else {
        screen.result(text(&uses, screen));
    }
    Ok(if uses.is_empty() { Exit::Negative } else { Exit::Done })
}

/// The owner that `--owner` names.
pub(super) fn owner(name: Option<&str>, screen: &Screen) -> Result<Option<crate::workspace::EntityRef>, Exit> {
    let Some(name) = name else { return Ok(None) };
    let owner = pipeline::owner(name).ok_or_else(|| {
        screen.diagnostic(format!("error: {name:?} is no owner; write a group, or user:NAME"));
        Exit::Usage
    })?;
    Ok(Some(owner))
}

fn json(one: &FleetUse<'_>) -> String {
    let subject = one.finding.subject.as_ref();
    let object = serde_json::json!({
        "consumer": one.consumer.as_str(),
        "owner": one.owner.map(|owner| owner.as_str()),
        "workspace": one.workspace,
        "path": one.finding.path,
        "line": one.finding.line,
        "column": one.finding.column,
        "subject": subject.map(|subject| &subject.name),
        "position": subject.map(|subject| &subject.position),
        "becomes": one.finding.kind,
        "reason": one.finding.message,
    });
    format!("{object}\n")
}

fn text(uses: &[FleetUse<'_>], screen: &Screen) -> String {
    let mut counts = [0_usize; 3];
    let cells: Vec<[String; 4]> = uses
        .iter()
        .map(|one| {
            let subject = one.finding.subject.as_ref();
            let place = format!("{}/{}", one.workspace, place_of(one.finding));
            let name = subject.map_or(String::new(), |subject| one_line(&subject.name));
            let position = subject.map_or(String::new(), |subject| subject.position.clone());
            [one_line(one.consumer.name()), place, name, position]
        })
        .collect();
    let width = |column: usize| cells.iter().map(|cell| cell[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let mut out = String::new();
    for (one, [consumer, place, name, position]) in uses.iter().zip(&cells) {
        let (word, color, slot) = match one.finding.kind {
            FindingKind::Mapped => ("mapped", AnsiColor::Green, 0),
            FindingKind::Annotated => ("annotated", AnsiColor::Yellow, 1),
            _ => ("refused", AnsiColor::Red, 2),
        };
        counts[slot] += 1;
        let word = screen.styled(&format!("{word:<9}"), color);
        let [a, b, c, d] = widths;
        let line = format!(
            "{consumer:<a$}  {place:<b$}  {name:<c$}  {position:<d$}  {word}  {}",
            one_line(&one.finding.message)
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let [mapped, annotated, refused] = counts;
    let sum = counted(uses.len(), "use");
    out.push_str(&format!("{sum}: {mapped} mapped, {annotated} annotated, {refused} refused\n"));
    out
}
