use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::time::{Clock, UnixMillis};

/// The last time that a manual clock shows: the end of the year 9998, within what every part can tell.
pub const LAST: UnixMillis = UnixMillis(253_370_764_799_999);

/// A clock that stands still until it is moved: for tests, and for `serve --clock manual` (api.md 5).
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `at`.
    pub fn new(at: UnixMillis) -> Self {
        let clock = Self(AtomicI64::new(0));
        clock.set(at);
        clock
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// Moves the clock to a point in time, also back; between 1970 and [`LAST`].
    pub fn set(&self, at: UnixMillis) {
        self.0.store(at.0.clamp(0, LAST.0), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn timestamp(&self) -> jiff::Timestamp {
        // Never outside: the range is kept where it is set.
        jiff::Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(jiff::Timestamp::MAX)
    }
}
