//! Fault points: named places between durable writes and external effects, where
//! a test can kill the process and see that nothing is lost.
//!
//! Off unless the environment asks for it. Must not: do anything else than stop
//! the process or note the name.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

/// Names the point (or `name#n`, its n-th hit counted from 1) that kills the process.
pub const POINT_VARIABLE: &str = "GANDER_FAULT_POINT";
/// Names a file that gets one line, the point's name, for every point passed.
pub const LOG_VARIABLE: &str = "GANDER_FAULT_LOG";

struct Plan {
    kill_at: Option<(String, u64)>,
    log: Option<PathBuf>,
    hits: Mutex<BTreeMap<String, u64>>,
}

/// Passes the point `name`: kills this process with SIGKILL where
/// [`POINT_VARIABLE`] says so, and notes the name where [`LOG_VARIABLE`] does.
pub fn point(name: &str) {
    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
    let Some(plan) = PLAN.get_or_init(Plan::from_environment) else {
        return;
    };
    plan.note(name);
    if plan.hit(name) {
        die();
    }
}

impl Plan {
    fn from_environment() -> Option<Self> {
        let kill_at = std::env::var(POINT_VARIABLE).ok().map(|text| split(&text));
        let log = std::env::var_os(LOG_VARIABLE).map(PathBuf::from);
        (kill_at.is_some() || log.is_some()).then(|| Self { kill_at, log, hits: Mutex::new(BTreeMap::new()) })
    }

    fn note(&self, name: &str) {
        let Some(path) = &self.log else { return };
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // One write per line, so that lines of several threads do not mix.
        let written = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
        if let Err(error) = written {
            eprintln!("{LOG_VARIABLE}: {}: {error}", path.display());
        }
    }

    fn hit(&self, name: &str) -> bool {
        let Some((wanted, at)) = &self.kill_at else {
            return false;
        };
        if wanted != name {
            return false;
        }
        let mut hits = match self.hits.lock() {
            Ok(hits) => hits,
            Err(poisoned) => poisoned.into_inner(),
        };
        let count = hits.entry(name.to_owned()).or_insert(0);
        *count += 1;
        *count == *at
    }
}

fn split(text: &str) -> (String, u64) {
    match text.rsplit_once('#') {
        Some((name, count)) => match count.parse() {
            Ok(count) => (name.to_owned(), count),
            Err(_) => (text.to_owned(), 1),
        },
        None => (text.to_owned(), 1),
    }
}

/// Ends the process as an out-of-memory killer would: no destructor runs.
fn die() -> ! {
    #[cfg(unix)]
    {
        let myself = rustix::process::getpid();
        // If the signal can't be sent, aborting is the nearest thing.
        let _ = rustix::process::kill_process(myself, rustix::process::Signal::KILL);
    }
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_hit_is_counted() {
        assert_eq!(split("state.verdict#3"), ("state.verdict".to_owned(), 3));
        assert_eq!(split("state.verdict"), ("state.verdict".to_owned(), 1));
        let plan = Plan { kill_at: Some(split("x#2")), log: None, hits: Mutex::new(BTreeMap::new()) };
        let hits: Vec<bool> = ["x", "y", "x", "x"].map(|name| plan.hit(name)).to_vec();
        assert_eq!(hits, [false, false, true, false]);
    }
}
