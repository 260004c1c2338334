use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::time::{MissedTickBehavior, interval_at};

/// Between two heartbeats of a stream (api.md 3.6).
pub const PERIOD: Duration = Duration::from_secs(15);
/// Streams are spread over so many places, so that not all are woken at the same time.
const PLACES: usize = 60;
/// Between two places that follow each other; it has no divisor in common with [`PLACES`].
const STRIDE: usize = 7;

/// One ticker for all streams: a timer each would cost memory, and wake the machine for one of them.
/// The ticker runs only while there are streams.
pub struct Heartbeats {
    period: Duration,
    // Taken when a stream opens and at each tick, never across an await.
    wheel: Mutex<Wheel>,
}

#[derive(Default)]
struct Wheel {
    places: Vec<Vec<Weak<Beat>>>,
    /// The place of the last tick.
    now: usize,
    /// Where the next stream goes, counted from `now`.
    next: usize,
    is_ticking: bool,
}

/// The heartbeat of one stream; dropping it ends it.
pub struct Beat {
    is_due: AtomicBool,
    waker: AtomicWaker,
}

impl Default for Heartbeats {
    fn default() -> Self {
        Self::every(PERIOD)
    }
}

impl Heartbeats {
    /// For heartbeats at this interval.
    pub fn every(period: Duration) -> Self {
        Self {
            period,
            wheel: Mutex::default(),
        }
    }

    /// The heartbeat of a new stream: due at once, and every period (the first time sooner). Runs
    /// within a tokio runtime.
    pub fn join(self: &Arc<Self>) -> Arc<Beat> {
        let beat = Arc::new(Beat {
            is_due: AtomicBool::new(true),
            waker: AtomicWaker::new(),
        });
        let mut wheel = self.wheel.lock();
        wheel.add(Arc::downgrade(&beat));
        if !wheel.is_ticking {
            wheel.is_ticking = true;
            tokio::spawn(Arc::clone(self).tick());
        }
        beat
    }

    /// Lets every stream beat now, as if it were its time.
    pub fn beat_all(&self) {
        let beats: Vec<_> = {
            let wheel = self.wheel.lock();
            wheel.places.iter().flatten().filter_map(Weak::upgrade).collect()
        };
        for beat in beats {
            beat.ring();
        }
    }

    /// Ends by itself with the last stream; dropping it with the runtime is fine.
    async fn tick(self: Arc<Self>) {
        let pause = self.period / u32::try_from(PLACES).unwrap_or(u32::MAX);
        let mut ticks = interval_at(tokio::time::Instant::now() + pause, pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let due = match self.wheel.lock().turn() {
                Some(due) => due,
                None => return,
            };
            for beat in due {
                beat.ring();
            }
        }
    }
}

impl Wheel {
    fn add(&mut self, beat: Weak<Beat>) {
        self.places.resize_with(PLACES, Vec::new);
        let place = (self.now + 1 + self.next) % PLACES;
        self.next = (self.next + STRIDE) % PLACES;
        self.places[place].push(beat);
    }

    /// Goes on to the next place and gives its streams; `None` when there are no streams at all.
    fn turn(&mut self) -> Option<Vec<Arc<Beat>>> {
        self.now = (self.now + 1) % PLACES;
        let place = self.places.get_mut(self.now)?;
        place.retain(|beat| beat.strong_count() > 0);
        let due = place.iter().filter_map(Weak::upgrade).collect();
        if self.places.iter().all(Vec::is_empty) {
            *self = Self::default();
            return None;
        }
        Some(due)
    }
}

impl Beat {
    fn ring(&self) {
        self.is_due.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// What a heartbeat that is due says, or the task is woken when the next one is: also where there is
    /// nothing to say now, as while messages are written elsewhere.
    pub fn poll_told<T>(&self, cx: &mut Context<'_>, mut tell: impl FnMut() -> Option<T>) -> Poll<T> {
        while self.poll_due(cx) {
            if let Some(told) = tell() {
                return Poll::Ready(told);
            }
        }
        Poll::Pending
    }

    /// Whether a heartbeat is due, once for each; else the task is woken when it is.
    pub fn poll_due(&self, cx: &mut Context<'_>) -> bool {
        if self.is_due.swap(false, Ordering::AcqRel) {
            return true;
        }
        self.waker.register(cx.waker());
        self.is_due.swap(false, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests;
