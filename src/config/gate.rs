//! What a wave must pass: the kinds of gates.

use std::path::PathBuf;
use std::time::Duration;

/// One `[[rollout.gate]]`, or one limit of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Gate {
    /// `regressions`, `max`: fails where more than `max` consumers of the wave regressed.
    Regressions {
        /// The most that still passes.
        max: u64,
    },
    /// `regressions`, `rate`: fails where more than so many per cent of those that
    /// yielded evidence regressed.
    RegressionRate {
        /// In [0, 100].
        percent: f64,
    },
    /// `regressions`, `same_error`: fails where so many regressed with one signature.
    SameError {
        /// At least 2.
        times: u64,
    },
    /// `evidence`: inconclusive where fewer than `min` consumers of the wave yielded a
    /// pass or a regression.
    Evidence {
        /// The least that is enough.
        min: u64,
    },
    /// `discordant`: fails where green→red outweighs red→green by more than chance.
    Discordant {
        /// The level of the exact one-sided sign test (McNemar's), in (0, 0.5].
        max_p: f64,
    },
    /// `command`: a program of the migration's author says so by its exit code.
    Command {
        /// The argument vector.
        run: Vec<String>,
        /// The exit codes that mean fail; 0 means pass, and any other that it can't tell.
        fails: Vec<u64>,
        /// Wall-clock limit.
        timeout: Duration,
        /// The migration's folder, in which it is run.
        folder: PathBuf,
    },
    /// `http`: a number, or a word, in the JSON of an endpoint.
    Http {
        /// Where it is asked.
        source: Endpoint,
        /// A JSON pointer to what is judged; without it, `/result` must say `pass` or `fail`.
        value: Option<String>,
        /// What a number must keep to.
        limits: Limits,
    },
    /// `prometheus`, `query`: every series of an instant query.
    Query {
        /// The base address of the server.
        source: Endpoint,
        /// PromQL.
        query: String,
        /// What each value must keep to.
        limits: Limits,
    },
    /// `prometheus`, `baseline` and `canary`: two range queries over the bake.
    Compare {
        /// The base address of the server.
        source: Endpoint,
        /// PromQL of the one side.
        baseline: String,
        /// PromQL of the other.
        canary: String,
        /// How they are compared.
        test: Comparison,
    },
    /// `approval`: a person says so.
    Approval,
    /// `bake`, `for`: so long after all of the wave is out.
    Bake {
        /// How long.
        time: Duration,
    },
    /// `bake`, `runs`: so many runs of what consumes, as a Prometheus server counts them.
    Runs {
        /// How many.
        runs: u64,
        /// The base address of the server.
        source: Endpoint,
        /// PromQL whose values are added up; `$SINCE` is the age of the wave, as in `3600s`.
        query: String,
    },
}

/// Where a gate asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `http://` or `https://`.
    pub url: String,
    /// The variable of gander's own environment that holds the token.
    pub token: Option<String>,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// What a number must keep to; at least one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// The most.
    pub max: Option<f64>,
    /// The least.
    pub min: Option<f64>,
}

/// How the samples of a canary are compared with those of a baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// `worse = "higher"`: higher is worse, else lower is.
    pub higher_is_worse: bool,
    /// The most chance, in (0, 0.5], with which a difference may come about by itself.
    pub max_p: f64,
    /// The least effect that counts: the chance that a sample of the canary is worse than
    /// one of the baseline, in [0.5, 1).
    pub min_effect: f64,
    /// The fewest samples of each side.
    pub min_samples: u64,
    /// The pause between two samples.
    pub step: Duration,
}

impl Gate {
    /// Its name for people.
    pub fn label(&self) -> String {
        match self {
            Self::Regressions { max } => format!("at most {max} regressed"),
            Self::RegressionRate { percent } => format!("at most {percent} % regressed"),
            Self::SameError { times } => format!("no error {times} times"),
            Self::Evidence { min } => format!("at least {min} with evidence"),
            Self::Discordant { .. } => "green→red against red→green".to_owned(),
            Self::Command { run, .. } => format!("`{}`", run.join(" ")),
            Self::Http { source, .. } => source.url.clone(),
            Self::Query { query, .. } => format!("`{query}`"),
            Self::Compare { canary, .. } => format!("`{canary}` against its baseline"),
            Self::Approval => "approval".to_owned(),
            Self::Bake { .. } => "bake".to_owned(),
            Self::Runs { runs, .. } => format!("bake of {runs} runs"),
        }
    }
}
