use std::sync::atomic::{AtomicU64, Ordering};

/// What the writer has done since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Transactions that were committed, those of maintenance included.
    pub commits: u64,
    /// Jobs that were committed in them.
    pub jobs: u64,
    /// Transactions that were rolled back.
    pub rollbacks: u64,
    /// How often the file was opened again after a failed commit.
    pub recoveries: u64,
}

/// The same while it is being counted, by the writer alone.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) commits: Counter,
    pub(crate) jobs: Counter,
    pub(crate) rollbacks: Counter,
    pub(crate) recoveries: Counter,
}

impl Counters {
    pub(crate) fn read(&self) -> Statistics {
        Statistics {
            commits: self.commits.get(),
            jobs: self.jobs.get(),
            rollbacks: self.rollbacks.get(),
            recoveries: self.recoveries.get(),
        }
    }
}

/// A number that only grows; nothing is ordered by it.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
