//! The one clock. Everything that needs the time is handed a [`Clock`], so that
//! tests run on virtual time; time enters the journal and reports, never a digest.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where the time comes from: the machine, or a test.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Seconds since the Unix epoch, moved only by [`Clock::advance`].
    Virtual(Arc<AtomicI64>),
}

impl Clock {
    /// A virtual clock that stands at `seconds` since the Unix epoch.
    pub fn at(seconds: i64) -> Self {
        Self::Virtual(Arc::new(AtomicI64::new(seconds)))
    }

    /// Seconds since the Unix epoch.
    pub fn now(&self) -> i64 {
        match self {
            Self::System => jiff::Timestamp::now().as_second(),
            Self::Virtual(seconds) => seconds.load(Ordering::SeqCst),
        }
    }

    /// Waits. A virtual clock moves on instead, by whole seconds rounded up.
    pub fn sleep(&self, pause: std::time::Duration) {
        match self {
            Self::System => std::thread::sleep(pause),
            Self::Virtual(_) => self.advance(i64::try_from(pause.as_millis().div_ceil(1000)).unwrap_or(i64::MAX)),
        }
    }

    /// Moves a virtual clock forward; the machine's clock is not ours to move.
    pub fn advance(&self, by: i64) {
        if let Self::Virtual(seconds) = self {
            seconds.fetch_add(by, Ordering::SeqCst);
        }
    }
}
