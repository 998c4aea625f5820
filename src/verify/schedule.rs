//! Many verifications at once: as many as cores and memory allow, the longest first.
//!
//! Must not: know what a verification is.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::Verdict;
use crate::interrupt;

/// One verification in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What it is called.
    pub name: String,
    /// How long it took last time.
    pub took: Option<Duration>,
}

/// How far it is, whenever one begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Those that run, in the order in which they began.
    pub running: Vec<String>,
    /// How many have not begun.
    pub waiting: usize,
    /// How many are done.
    pub done: usize,
    /// How long the rest will take, as far as that can be told.
    pub left: Option<Duration>,
}

/// How many sandboxes may run at once: one a core, and no more than fit into the
/// memory that is free, each at its limit. At least one.
pub fn jobs_for(wanted: Option<usize>, memory: u64) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most = wanted.unwrap_or_else(|| match free_memory() {
        Some(free) => cores.min(usize::try_from(free / memory.max(1)).unwrap_or(usize::MAX)),
        None => cores,
    });
    most.max(1)
}

/// Bytes that new programs may take, by what the kernel says.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

struct Queue {
    waiting: VecDeque<usize>,
    running: BTreeMap<u64, (usize, Instant)>,
    begun: u64,
    done: Vec<Duration>,
}

/// Verifies many: `verify_one` for each of `items`, at most `jobs` at a time, the one
/// that took longest first. Results come in the order of `items`; what Ctrl-C kept
/// from being verified is `None`. `heard` hears of each as it is ready, `progress`
/// whenever one begins or ends; both from any thread.
pub fn verify_all<T: Sync>(
    items: &[T],
    jobs: usize,
    job: impl Fn(&T) -> Job,
    verify_one: impl Fn(&T) -> Option<Verdict> + Sync,
    heard: impl Fn(usize, &Verdict, Duration) + Sync,
    progress: impl Fn(&Progress) + Sync,
) -> Vec<Option<Verdict>> {
    let all: Vec<Job> = items.iter().map(job).collect();
    let queue = Queue { waiting: in_order(&all).into(), running: BTreeMap::new(), begun: 0, done: Vec::new() };
    let queue = Mutex::new(queue);
    let results: Vec<Mutex<Option<Verdict>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let workers = jobs.clamp(1, items.len().max(1));
    let work = || {
        while !interrupt::wanted() {
            let Some((ticket, index)) = begin(&queue, &all, workers, &progress) else { return };
            let started = Instant::now();
            // A thread waits for its sandbox, so the sandbox cannot outlive it.
            let verdict = items.get(index).and_then(&verify_one);
            let took = started.elapsed();
            if let Some(verdict) = &verdict {
                heard(index, verdict, took);
            }
            if let Some(Ok(mut result)) = results.get(index).map(Mutex::lock) {
                *result = verdict;
            }
            end(&queue, ticket, took, &all, workers, &progress);
        }
    };
    std::thread::scope(|scope| {
        for number in 1..workers {
            let builder = std::thread::Builder::new().name(format!("verify-{number}"));
            // Fewer threads are later, but right.
            let _ = builder.spawn_scoped(scope, work);
        }
        work();
    });
    results.into_iter().map(|result| result.into_inner().unwrap_or(None)).collect()
}

/// Longest first; those that were never run come before, for one of them may be longer
/// still. In the order of the items where that says nothing.
fn in_order(all: &[Job]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|index| {
        let took = all.get(*index).and_then(|job| job.took);
        (took.is_some(), std::cmp::Reverse(took), *index)
    });
    order
}

fn begin(queue: &Mutex<Queue>, all: &[Job], workers: usize, tell: &dyn Fn(&Progress)) -> Option<(u64, usize)> {
    let mut queue = queue.lock().ok()?;
    let index = queue.waiting.pop_front()?;
    let ticket = queue.begun;
    queue.begun += 1;
    queue.running.insert(ticket, (index, Instant::now()));
    tell(&queue.progress(all, workers));
    Some((ticket, index))
}

fn end(queue: &Mutex<Queue>, ticket: u64, took: Duration, all: &[Job], workers: usize, tell: &dyn Fn(&Progress)) {
    if let Ok(mut queue) = queue.lock() {
        queue.running.remove(&ticket);
        queue.done.push(took);
        tell(&queue.progress(all, workers));
    }
}

impl Queue {
    fn progress(&self, all: &[Job], workers: usize) -> Progress {
        let name = |index: &usize| all.get(*index).map(|job| job.name.clone()).unwrap_or_default();
        Progress {
            running: self.running.values().map(|(index, _)| name(index)).collect(),
            waiting: self.waiting.len(),
            done: self.done.len(),
            left: self.left(all, workers),
        }
    }

    /// By earlier timings, and by the mean of this run for those that have none.
    fn left(&self, all: &[Job], workers: usize) -> Option<Duration> {
        let known: Vec<Duration> = all.iter().filter_map(|job| job.took).collect();
        let sample = if self.done.is_empty() { &known } else { &self.done };
        let mean = sample.iter().sum::<Duration>().checked_div(u32::try_from(sample.len()).ok()?)?;
        let of = |index: &usize| all.get(*index).and_then(|job| job.took).unwrap_or(mean);
        let waiting: Duration = self.waiting.iter().map(of).sum();
        let running: Duration =
            self.running.values().map(|(index, since)| of(index).saturating_sub(since.elapsed())).sum();
        (waiting + running).checked_div(u32::try_from(workers).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::VerdictKind;

    fn job(number: &u64) -> Job {
        Job { name: number.to_string(), took: (!number.is_multiple_of(4)).then(|| Duration::from_secs(*number)) }
    }

    #[test]
    fn results_keep_their_order_and_progress_hears_of_all() {
        let items: Vec<u64> = (0..40).collect();
        let (heard, steps) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let one = |item: &u64| {
            std::thread::sleep(Duration::from_millis(40 - item));
            Some(Verdict::without_runs(VerdictKind::NoData, item.to_string()))
        };
        let verdicts = verify_all(
            &items,
            8,
            job,
            one,
            |index, verdict, _| heard.lock().unwrap().push((index, verdict.reason.clone())),
            |progress| steps.lock().unwrap().push(progress.clone()),
        );
        let order: Vec<u64> = verdicts.into_iter().map(|verdict| verdict.unwrap().reason.parse().unwrap()).collect();
        assert_eq!(order, items);
        let mut heard = heard.into_inner().unwrap();
        heard.sort();
        assert_eq!(heard.len(), 40);
        assert!(heard.iter().all(|(index, reason)| index.to_string() == *reason));
        let steps = steps.into_inner().unwrap();
        assert_eq!(steps.len(), 80);
        assert!(steps.iter().all(|step| step.running.len() <= 8 && step.left.is_some()));
        let all = |step: &Progress| step.running.len() + step.waiting + step.done;
        assert!(steps.iter().all(|step| all(step) == 40));
        assert_eq!(steps.last().map(|step| (step.done, step.left)), Some((40, Some(Duration::ZERO))));
    }

    #[test]
    fn the_longest_come_first_and_the_unknown_before_them() {
        let all: Vec<Job> = [3, 4, 9, 1, 8].iter().map(job).collect();
        assert_eq!(in_order(&all), [1, 4, 2, 0, 3]);
    }

    #[test]
    fn memory_bounds_how_many_run_at_once() {
        assert_eq!(jobs_for(Some(7), u64::MAX), 7);
        assert_eq!(jobs_for(None, u64::MAX), 1);
        let cores = std::thread::available_parallelism().unwrap().get();
        assert_eq!(jobs_for(None, 1), cores);
    }
}
