//! Reads what a step prints: the end of everything for people, all of stdout for
//! those who look for results in it, and the time of the last word.
//!
//! Must not: grow beyond its limits, however much is printed.

use std::io::{self, PipeReader, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};

use super::tail::Tail;

/// What was printed.
#[derive(Debug, Default)]
pub struct Printed {
    /// The end of both streams, as they came.
    pub tail: String,
    /// Stdout from its beginning, up to the limit.
    pub stdout: Vec<u8>,
    /// Whether that is all of it.
    pub whole: bool,
}

/// A thread that reads.
pub struct Reader {
    thread: thread::JoinHandle<Printed>,
    started: Instant,
    last: Arc<AtomicU64>,
}

impl Reader {
    /// Starts to read both streams until nobody holds them open any more. With `echo`,
    /// what comes is printed here as well.
    pub fn start(stdout: PipeReader, stderr: PipeReader, limit: u64, echo: bool) -> Self {
        let (started, last) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let heard = Arc::clone(&last);
        let thread = thread::spawn(move || {
            read(stdout, stderr, limit, &|stream, bytes| {
                let millis = started.elapsed().as_millis();
                heard.store(millis.try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
                if echo {
                    // Who no longer reads misses it.
                    let _ = match stream {
                        0 => io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()),
                        _ => io::stderr().write_all(bytes),
                    };
                }
            })
        });
        Self { thread, started, last }
    }

    /// For how many milliseconds nothing has been printed.
    pub fn silent_for(&self) -> u64 {
        let now: u64 = self.started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        now.saturating_sub(self.last.load(Ordering::Relaxed))
    }

    /// What was printed, once both streams have ended.
    pub fn finish(self) -> Printed {
        self.thread.join().unwrap_or_default()
    }
}

/// Stdout is read first wherever both have something: what a step printed there
/// before it turned to stderr comes before that.
fn read(stdout: PipeReader, stderr: PipeReader, limit: u64, heard: &dyn Fn(usize, &[u8])) -> Printed {
    let mut tail = Tail::new(limit);
    let mut printed = Printed { whole: true, ..Printed::default() };
    let mut open = [Some(stdout), Some(stderr)];
    let mut buffer = vec![0; 64 << 10];
    while let Some(index) = ready(&open) {
        let Some(pipe) = &mut open[index] else { break };
        match pipe.read(&mut buffer) {
            Ok(0) => open[index] = None,
            Ok(count) => {
                heard(index, &buffer[..count]);
                tail.push(&buffer[..count]);
                if index == 0 {
                    let room = (limit as usize).saturating_sub(printed.stdout.len());
                    printed.stdout.extend_from_slice(&buffer[..count.min(room)]);
                    printed.whole &= count <= room;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => open[index] = None,
        }
    }
    printed.tail = tail.text();
    printed
}

/// The first stream that has something to read, or has ended; `None` once all have.
fn ready(open: &[Option<PipeReader>; 2]) -> Option<usize> {
    let wanted = PollFlags::IN;
    loop {
        let indices: Vec<usize> = (0..open.len()).filter(|index| open[*index].is_some()).collect();
        let mut fds: Vec<PollFd<'_>> = open.iter().flatten().map(|pipe| PollFd::new(pipe, wanted)).collect();
        if fds.is_empty() {
            return None;
        }
        match poll(&mut fds, None) {
            Ok(_) => {
                let first = fds.iter().position(|fd| !fd.revents().is_empty());
                if let Some(first) = first {
                    return Some(indices[first]);
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            // A pipe that can't be asked is read until it ends.
            Err(_) => return indices.first().copied(),
        }
    }
}
