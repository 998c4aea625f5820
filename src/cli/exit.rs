//! Exit codes: public, documented, one type.

use std::process::{ExitCode, Termination};

/// How a gander command ended. The numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done; nothing waits and nothing failed.
    Done = 0,
    /// 1: the question was answered with no: `find` found nothing, `apply` refused a file, a consumer
    /// of a rollout that is through ended as errored.
    Negative = 1,
    /// 2: the command line, a migration file or a rule is wrong. Nothing was done.
    Usage = 2,
    /// 3: a wave failed its gate or was taken back; somebody has to decide.
    RolledBack = 3,
    /// 4: the rollout waits for somebody or something, and goes on when run again.
    Waiting = 4,
    /// 5: gander could not know or could not do it: the state, git, the disk.
    Failed = 5,
    /// 6: this machine can't isolate as the migration requires.
    NoSandbox = 6,
    /// 7: paused: a gate can't tell, a person paused it, one could not be delivered, all are refused, or nobody can tell what is out.
    Paused = 7,
    /// 130: Ctrl-C; what was done is recorded, and the next run goes on from there.
    Interrupted = 130,
}

impl Exit {
    /// Every code with its meaning, for `--help` and the manual.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Done, "done; nothing waits and nothing failed"),
        (
            Self::Negative,
            "the answer is no: nothing was found, a file was refused, a consumer errored or was not corrected",
        ),
        (Self::Usage, "the command line, a migration file or a rule is wrong; nothing was done"),
        (Self::RolledBack, "a wave failed its gate or was taken back; somebody has to decide"),
        (Self::Waiting, "the rollout waits for time, a window, an approval or others; run it again later"),
        (Self::Failed, "gander could not know or could not do it"),
        (Self::NoSandbox, "this machine can't isolate as the migration requires"),
        (
            Self::Paused,
            "the rollout is paused: a gate can't tell, a person paused it, one could not be delivered, all are refused, or nobody can tell what is out; somebody has to look",
        ),
        (Self::Interrupted, "Ctrl-C; the next run goes on from there"),
    ];

    /// The table as text.
    pub fn table() -> String {
        let lines: Vec<String> = Self::ALL.iter().map(|(exit, what)| format!("  {:<3} {what}", *exit as u8)).collect();
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}
