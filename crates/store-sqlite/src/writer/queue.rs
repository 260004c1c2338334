use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use store::error::{Error, Result};

use crate::writer::job::Job;

/// A queue bounded by the bytes of its jobs and the age of its oldest.
pub(crate) struct Queue {
    // Held for a push or a drain only. A plain mutex with a condition: the writer is a thread, not a task.
    state: Mutex<State>,
    filled: Condvar,
    max_bytes: usize,
    max_age: Duration,
}

struct State {
    jobs: VecDeque<Queued>,
    bytes: usize,
    /// Why nothing is taken any more.
    closed: Option<&'static str>,
    /// Whether the writer waits: only then it has to be woken.
    idle: bool,
}

struct Queued {
    job: Box<dyn Job>,
    bytes: usize,
    since: Instant,
}

/// What the writer gets when it asks for work.
pub(crate) enum Work {
    /// Jobs for one transaction.
    Batch(Vec<Box<dyn Job>>),
    /// Nothing came within the time.
    Idle,
    /// Closed, and nothing is left.
    Closed,
}

impl Queue {
    pub(crate) fn new(max_bytes: usize, max_age: Duration) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            bytes: 0,
            closed: None,
            idle: false,
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            max_bytes,
            max_age,
        }
    }

    /// Takes a job, or says why not: full, too slow, closed. Nothing was done then.
    pub(crate) fn push(&self, job: Box<dyn Job>, bytes: usize) -> Result<()> {
        let bytes = bytes + 256;
        let refuse = |reason: &str| {
            Err(Error::Unavailable {
                reason: reason.into(),
            })
        };
        let mut state = self.state.lock();
        if let Some(reason) = state.closed {
            return refuse(reason);
        }
        if !state.jobs.is_empty() && state.bytes + bytes > self.max_bytes {
            return refuse("the write queue is full");
        }
        let now = Instant::now();
        if state
            .jobs
            .front()
            .is_some_and(|oldest| now - oldest.since > self.max_age)
        {
            return refuse("writes wait too long already");
        }
        state.bytes += bytes;
        state.jobs.push_back(Queued {
            job,
            bytes,
            since: now,
        });
        let wake = std::mem::take(&mut state.idle);
        drop(state);
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// The jobs of the next transaction, waiting up to `patience` for a first one.
    pub(crate) fn take(&self, max_jobs: usize, max_bytes: usize, patience: Duration) -> Work {
        let mut state = self.state.lock();
        if state.jobs.is_empty() && state.closed.is_none() && !patience.is_zero() {
            state.idle = true;
            self.filled.wait_for(&mut state, patience);
            state.idle = false;
        }
        let mut batch = Vec::with_capacity(state.jobs.len().min(max_jobs));
        let mut bytes = 0;
        while batch.len() < max_jobs
            && let Some(next) = state.jobs.front()
            && (batch.is_empty() || bytes + next.bytes <= max_bytes)
            && let Some(next) = state.jobs.pop_front()
        {
            bytes += next.bytes;
            if !next.job.is_abandoned() {
                batch.push(next.job);
            }
        }
        state.bytes = if state.jobs.is_empty() {
            0
        } else {
            state.bytes - bytes
        };
        match (batch.is_empty(), state.closed) {
            (true, Some(_)) if state.jobs.is_empty() => Work::Closed,
            (true, _) => Work::Idle,
            (false, _) => Work::Batch(batch),
        }
    }

    /// Whether jobs wait.
    pub(crate) fn has_jobs(&self) -> bool {
        !self.state.lock().jobs.is_empty()
    }

    /// How many jobs wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().jobs.len()
    }

    /// Lets a writer that waits look around, although nothing came.
    pub(crate) fn wake(&self) {
        // Under the lock: it may be about to wait.
        let _state = self.state.lock();
        self.filled.notify_one();
    }

    /// Takes nothing more; what is queued is still run.
    pub(crate) fn close(&self, reason: &'static str) {
        self.state.lock().closed = Some(reason);
        self.filled.notify_one();
    }

    /// Refuses what is queued and what comes, until [`Queue::resume`].
    pub(crate) fn suspend(&self, reason: &'static str) {
        let mut state = self.state.lock();
        if state.closed.is_none() {
            state.closed = Some(reason);
        }
        let refused: Vec<_> = state.jobs.drain(..).collect();
        state.bytes = 0;
        drop(state);
        for queued in refused {
            queued.job.answer(Err(Error::Unavailable {
                reason: reason.into(),
            }));
        }
    }

    /// Takes jobs again, unless the queue was closed for good meanwhile: `false` then.
    pub(crate) fn resume(&self, reason: &'static str) -> bool {
        let mut state = self.state.lock();
        if state.closed == Some(reason) {
            state.closed = None;
        }
        state.closed.is_none()
    }
}

#[cfg(test)]
mod tests;
