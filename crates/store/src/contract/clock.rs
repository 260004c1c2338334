use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::time::{Clock, UnixMillis};

use super::fixtures::NOW;

/// A clock that stands until a case moves it; at first at 2026-06-01T00:00:00Z.
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(NOW.0))
    }
}

impl ManualClock {
    /// Moves on.
    pub fn forward(&self, duration: Duration) {
        self.set(self.now() + duration);
    }

    /// Moves to a time, also back.
    pub fn set(&self, to: UnixMillis) {
        self.0.store(to.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}
