use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::entry::Entry;

/// The recent tail of a channel's log: consecutive messages, bounded in count here and in bytes by the
/// budget of all rings, whose sum it keeps up to date.
pub(crate) struct Ring {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    total: Arc<AtomicUsize>,
}

impl Ring {
    pub(crate) fn new(total: Arc<AtomicUsize>) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            total,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The seq of the oldest message.
    pub(crate) fn first(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.message.seq)
    }

    /// The seq of the newest message.
    pub(crate) fn last(&self) -> Option<u64> {
        self.entries.back().map(|entry| entry.message.seq)
    }

    /// The message `seq`, if it is here.
    pub(crate) fn get(&self, seq: u64) -> Option<&Arc<Entry>> {
        let index = usize::try_from(seq.checked_sub(self.first()?)?).ok()?;
        self.entries.get(index)
    }

    /// Adds the next message. One that does not follow the newest starts the ring anew: there would be
    /// a hole, which only the history can fill.
    pub(crate) fn push(&mut self, entry: Arc<Entry>, max_messages: usize) {
        if self.last().is_some_and(|last| last + 1 != entry.message.seq) {
            self.clear();
        }
        self.bytes += entry.size();
        self.total.fetch_add(entry.size(), Ordering::Relaxed);
        self.entries.push_back(entry);
        while self.entries.len() > max_messages {
            self.evict();
        }
    }

    /// Drops the older half, one message at least.
    pub(crate) fn evict_half(&mut self) {
        for _ in 0..self.entries.len().div_ceil(2) {
            self.evict();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.entries = VecDeque::new();
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = 0;
    }

    fn evict(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.size();
            self.total.fetch_sub(entry.size(), Ordering::Relaxed);
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
