//! What is printed where: results on stdout, progress and diagnostics on stderr,
//! colours only where they are wanted.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Color, Exit};
use crate::pipeline::{PipelineError, Progress};
use crate::report;
use crate::report::table::{Layout, counted};
use crate::rollout::{Event, RolloutError};
use crate::state::{DeliveryState, WaveState};

/// The two streams and how they like to be written to.
pub(super) struct Screen {
    /// Colours on stdout.
    pub(super) color: bool,
    /// Colours on stderr.
    pub(super) color_errors: bool,
    quiet: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Screen {
    pub(super) fn new(color: Color, quiet: bool) -> Self {
        let wanted = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        Self {
            color: wanted(std::io::stdout().is_terminal()),
            color_errors: wanted(std::io::stderr().is_terminal()),
            quiet,
            bar: Mutex::new(None),
        }
    }

    /// Colours, and the width of the terminal if there is one.
    pub(super) fn layout(&self) -> Layout {
        let width = std::io::stdout().is_terminal().then(|| console_width().unwrap_or(100));
        Layout { color: self.color, width }
    }

    /// A result. A reader that went away (`| head`) ends the program quietly.
    pub(super) fn result(&self, text: impl Display) {
        self.clear();
        if write!(std::io::stdout().lock(), "{text}").is_err() {
            std::process::exit(Exit::Done as i32);
        }
    }

    /// A result with a style, where colours are wanted.
    pub(super) fn styled(&self, text: &str, color: AnsiColor) -> String {
        if self.color {
            let style = Style::new().fg_color(Some(color.into()));
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// An error or a warning.
    pub(super) fn diagnostic(&self, text: impl Display) {
        self.clear();
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// What a person may want to know while it goes on.
    pub(super) fn note(&self, text: impl Display) {
        if !self.quiet {
            self.diagnostic(text);
        }
    }

    /// An error of the pipeline, with what to do, and the code to end with.
    pub(super) fn failure(&self, error: &PipelineError) -> Exit {
        match error {
            PipelineError::Rules(errors) => {
                self.diagnostic(errors.render(self.color_errors));
                Exit::Usage
            }
            PipelineError::NoSuchConsumer(..) => {
                self.diagnostic(format!("error: {error}"));
                Exit::Usage
            }
            PipelineError::Template(_) | PipelineError::NotKept(_) | PipelineError::NothingToPrepare => {
                self.diagnostic(format!("error: {error}"));
                Exit::Usage
            }
            PipelineError::Interrupted => {
                self.diagnostic(format!("error: {error}"));
                Exit::Interrupted
            }
            PipelineError::NotComplete(found) => {
                self.result(report::discovery::table(found));
                self.diagnostic(format!(
                    "error: {error}\n  = help: mend what the table shows, or leave consumers and places out with \
                     [[consumers.exclude]]"
                ));
                Exit::Waiting
            }
            PipelineError::Missing(_) => {
                self.diagnostic(format!("error: {error}"));
                Exit::Waiting
            }
            PipelineError::Sandbox(_) => {
                self.diagnostic(format!(
                    "error: {error}\n  = help: `gander doctor` shows what this machine enforces; \
                     `--sandbox none` runs the steps without isolation"
                ));
                Exit::NoSandbox
            }
            _ => {
                self.diagnostic(format!("error: {error}"));
                Exit::Failed
            }
        }
    }

    /// An error of the rollout, where what a person asked for may not be possible.
    pub(super) fn refusal(&self, error: RolloutError) -> Exit {
        if error.is_refusal() {
            self.diagnostic(format!("error: {error}"));
            return Exit::Usage;
        }
        self.failure(&error.into())
    }

    /// An error of the rollout, where it may be that nobody is called so.
    pub(super) fn no_such(&self, error: RolloutError, name: &str) -> Exit {
        match error {
            RolloutError::NoSuch { .. } => {
                self.diagnostic(format!("error: no consumer is called {name}; `gander status` lists them"));
                Exit::Usage
            }
            error => self.failure(&error.into()),
        }
    }

    /// Progress: a bar on a terminal, plain lines elsewhere.
    pub(super) fn progress(&self, progress: &Progress<'_>) {
        if let Progress::Problem(problem) = progress {
            // Not progress: it is said to those too who want none.
            return self.diagnostic(format!("warning: {}", report::table::one_line(problem)));
        }
        if self.quiet {
            return;
        }
        match progress {
            Progress::Problem(_) => {}
            Progress::Discovered(consumers, workspaces) => {
                let (consumers, workspaces) = (counted(*consumers, "consumer"), counted(*workspaces, "workspace"));
                self.note(format!("discovered {consumers} in {workspaces}"));
            }
            Progress::Changed(change) => self.note(format!("  {}", report::discovery::change(change))),
            Progress::Hint(hint) => self.note(format!("hint: {hint}")),
            Progress::Behind(behind) => self.note(behind_text(behind)),
            Progress::Transformed(done, total) => self.files(*done, *total),
            Progress::Verified(workspace, verdict) => {
                let word = format!("{:<10}", verdict.kind.as_str());
                self.note(format!("  {word} {workspace}: {}", verdict.reason));
            }
            Progress::Verifying(progress) => self.verifying(progress),
            Progress::Rollout(event) => self.event(event),
        }
    }

    /// What runs, what waits and how long it will take: a line that changes, on a
    /// terminal.
    fn verifying(&self, progress: &crate::verify::Progress) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        let Ok(mut bar) = self.bar.lock() else { return };
        if progress.running.is_empty() && progress.waiting == 0 {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
            return;
        }
        let new = || {
            let bar = ProgressBar::new_spinner();
            bar.set_style(
                ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar
        };
        if bar.as_ref().is_none_or(ProgressBar::is_finished) {
            *bar = Some(new());
        }
        if let Some(bar) = bar.as_ref() {
            bar.set_message(verifying_line(progress));
        }
    }

    fn files(&self, done: usize, total: usize) {
        if !std::io::stderr().is_terminal() {
            if done == total {
                self.note(format!("read {}", counted(total, "file")));
            }
            return;
        }
        let Ok(mut bar) = self.bar.lock() else { return };
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(total as u64);
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} files");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        bar.set_position(done as u64);
        if done == total {
            bar.finish_and_clear();
        }
    }

    fn event(&self, event: &Event<'_>) {
        match event {
            Event::WaveOpened { number, label, workspaces } => {
                self.note(format!("wave {number} ({label}): {workspaces} to verify and deliver"));
            }
            Event::Corrects { workspace } => {
                self.note(format!("  correction {workspace}: over what its owner has merged"))
            }
            Event::Unseen { place, why } => {
                self.note(format!("  {place}: what became of the change sets there can't be seen: {why}"));
            }
            Event::Shipped { workspace, state } => match state {
                DeliveryState::Failed(reason) => self.note(format!("  failed     {workspace}: {reason}")),
                DeliveryState::Conflict(reason) => self.note(format!("  not taken back {workspace}: {reason}")),
                DeliveryState::RolledBack => self.note(format!("  taken back {workspace}")),
                _ => {}
            },
            Event::Heeded { what, subject, by, answer } => {
                let (subject, by) = (report::table::one_line(subject), report::table::one_line(by));
                self.note(format!("{what} ({subject}) by {by}: {}", report::table::one_line(answer)));
            }
            Event::WaveReopened { number, why } => {
                self.note(format!("wave {number} is opened again: {}", report::table::one_line(why)));
            }
            Event::WaveJudged { number, state } => {
                let word = match state {
                    WaveState::Passed(reason) => format!("passed: {reason}"),
                    WaveState::Failed(reason) => format!("failed: {reason}"),
                    WaveState::Inconclusive(reason) => format!("inconclusive: {reason}"),
                    WaveState::RolledBack(reason) => format!("rolled back: {reason}"),
                    _ => return,
                };
                self.note(format!("wave {number} {word}"));
            }
        }
    }

    fn clear(&self) {
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref()
        {
            bar.finish_and_clear();
        }
    }
}

/// `2 clones are not where their remotes are (apps/ads by 3 commits, …): …`.
fn behind_text(behind: &crate::pipeline::Behind) -> String {
    let first = behind.first.as_ref().map_or_else(String::new, |(workspace, commits)| {
        // One that is ahead of its remote is not there either, by none.
        let commits = commits.filter(|commits| *commits > 0);
        let by = commits.map_or_else(String::new, |commits| format!(" by {}", counted(commits as usize, "commit")));
        format!(" ({workspace}{by}{})", if behind.clones > 1 { ", …" } else { "" })
    });
    let are = if behind.clones == 1 { "is not where its remote is" } else { "are not where their remotes are" };
    format!("{} {are}{first}: what is there now is what counts", counted(behind.clones, "clone"))
}

/// `verifying 3 of 25 done, 20 wait, about 1 min left: ads, geo-lookup`.
fn verifying_line(progress: &crate::verify::Progress) -> String {
    let all = progress.done + progress.waiting + progress.running.len();
    let left = match progress.left.map(|left| left.as_secs()) {
        None => String::new(),
        Some(0..=1) => ", almost done".to_owned(),
        Some(seconds @ 2..=90) => format!(", about {seconds} s left"),
        Some(seconds) => format!(", about {} min left", seconds.div_ceil(60)),
    };
    let running = progress.running.join(", ");
    format!("verifying: {} of {all} done, {} wait{left}: {running}", progress.done, progress.waiting)
}

/// Columns of the terminal that stdout is.
fn console_width() -> Option<usize> {
    let (_, columns) = console::Term::stdout().size_checked()?;
    Some(usize::from(columns))
}

/// Paths that a command was given, made absolute.
pub(super) fn absolute(path: &std::path::Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
