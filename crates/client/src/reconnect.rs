use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::Error;
use crate::messaging::events::Events;

/// A connection that stood this long was a good one: the next break starts with the short delay again.
const STABLE_AFTER: Duration = Duration::from_secs(10);
/// A server's `Retry-After` or `retry:` is believed up to this.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// Waiting times between attempts to reconnect; each is twice the one before.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// Never longer than this, unless the server asks for it.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(250),
            max: Duration::from_secs(15),
        }
    }
}

/// The connections of a stream that outlives them, one after the other.
#[derive(Debug)]
pub(crate) struct Connections {
    backoff: Backoff,
    open: Option<Events>,
    /// When the last one was opened.
    opened: Option<Instant>,
    failures: u32,
    retry_at: Option<Instant>,
}

impl Connections {
    pub(crate) fn new(backoff: Backoff) -> Self {
        Self {
            backoff,
            open: None,
            opened: None,
            failures: 0,
            retry_at: None,
        }
    }

    /// The open connection.
    pub(crate) fn open(&mut self) -> Option<&mut Events> {
        self.open.as_mut()
    }

    /// Whether one was ever opened.
    pub(crate) fn had_one(&self) -> bool {
        self.opened.is_some()
    }

    /// The position that the open connection has come to.
    pub(crate) fn position(&self) -> Option<&str> {
        self.open.as_ref().and_then(Events::position)
    }

    /// Waits until the next may be opened. Cancel safe.
    pub(crate) async fn until_retry(&self) {
        if let Some(time) = self.retry_at {
            sleep_until(time).await;
        }
    }

    pub(crate) fn opened(&mut self, events: Events) {
        self.opened = Some(Instant::now());
        self.open = Some(events);
    }

    /// Something came that a bad connection does not bring: the next break starts with the short delay.
    pub(crate) fn works(&mut self) {
        self.failures = 0;
    }

    /// The connection broke, or could not be opened; how long the next attempt waits.
    pub(crate) fn broken(&mut self, reason: Option<&Error>) -> Duration {
        let asked_for = reason
            .and_then(|error| error.refusal()?.retry_after)
            .or_else(|| self.open.as_ref().and_then(Events::retry))
            .unwrap_or_default();
        let stood = self.opened.map_or(Duration::ZERO, |since| since.elapsed());
        if self.open.take().is_some() && stood >= STABLE_AFTER {
            self.failures = 0;
        }
        let doubled = self.backoff.first.saturating_mul(1 << self.failures.min(16));
        let after = doubled.min(self.backoff.max).max(asked_for.min(LONGEST_DELAY));
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(Instant::now() + after);
        after
    }
}
