use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use store::error::{Error, Result};

use crate::writer::job::Job;

/// Jobs, or bytes of them, that are worth a transaction beside the flush of the one before. Fewer collect
/// until that is done: each transaction has its own locks, pages and flush, which few jobs would share.
const WORTH: Worth = Worth {
    jobs: 64,
    bytes: 128 * 1024,
};

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
    /// What the writer waits for: only then it has to be woken.
    awaited: Option<Worth>,
    /// Transactions that are committed and not flushed yet.
    unflushed: usize,
    /// What the writer took last.
    taken: Worth,
}

/// How much has to wait for the writer to take it.
#[derive(Clone, Copy, Default)]
struct Worth {
    jobs: usize,
    bytes: usize,
}

impl State {
    fn has(&self, worth: Worth) -> bool {
        self.jobs.len() >= worth.jobs || (!self.jobs.is_empty() && self.bytes >= worth.bytes)
    }

    /// Whether what was taken last or what has come since is worth a transaction beside a flush.
    fn is_busy(&self) -> bool {
        self.taken.jobs >= WORTH.jobs || self.taken.bytes >= WORTH.bytes || self.has(WORTH)
    }

    /// What the writer would take now.
    fn worth(&self) -> Worth {
        match self.unflushed {
            0 => Worth { jobs: 1, bytes: 0 },
            _ => WORTH,
        }
    }
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
            awaited: None,
            unflushed: 0,
            taken: Worth::default(),
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
        self.notify(state);
        Ok(())
    }

    /// Wakes the writer if what it waits for is there.
    fn notify(&self, mut state: MutexGuard<'_, State>) {
        let is_there = state.awaited.is_some_and(|awaited| state.has(awaited));
        if is_there {
            state.awaited = None;
            drop(state);
            self.filled.notify_one();
        }
    }

    /// A transaction is committed and is flushed next. Whether beside that: where so little comes that it
    /// would wait for the flush anyway, the writer may as well flush itself.
    pub(crate) fn flush_begins(&self) -> bool {
        let mut state = self.state.lock();
        state.unflushed += 1;
        state.unflushed > 1 || state.is_busy()
    }

    /// A flush is over, or came to nothing: what waits is worth the next transaction.
    pub(crate) fn flush_ended(&self) {
        let mut state = self.state.lock();
        state.unflushed -= 1;
        if state.awaited.is_some() {
            state.awaited = Some(state.worth());
        }
        self.notify(state);
    }

    /// The jobs of the next transaction, waiting up to `patience` for enough of them.
    pub(crate) fn take(&self, max_jobs: usize, max_bytes: usize, patience: Duration) -> Work {
        let mut state = self.state.lock();
        let worth = state.worth();
        if !state.has(worth) && state.closed.is_none() && !patience.is_zero() {
            state.awaited = Some(worth);
            self.filled.wait_for(&mut state, patience);
            state.awaited = None;
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
        state.taken = Worth {
            jobs: batch.len(),
            bytes,
        };
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
