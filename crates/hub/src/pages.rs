use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use foldhash::quality::RandomState;
use model::position::Epoch;
use parking_lot::Mutex;

use crate::entry::Entry;
use crate::key::ChannelKey;

/// A stretch of a channel's log, complete from after `start` up to `end`.
pub(crate) struct Page {
    pub(crate) entries: Vec<Arc<Entry>>,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Page {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.entries.iter().map(|entry| entry.size()).sum::<usize>()
    }
}

/// The pages read last, bounded in bytes, so that many slow readers at about the same place cost few
/// reads of the store. The oldest page goes first: readers move forward, so age is what counts.
pub(crate) struct Pages {
    max_bytes: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    logs: HashMap<(ChannelKey, Epoch), BTreeMap<u64, Arc<Page>>, RandomState>,
    order: VecDeque<(ChannelKey, Epoch, u64)>,
    bytes: usize,
}

impl Pages {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            inner: Mutex::new(Inner::default()),
        }
    }

    /// A page that holds the message next to `after`.
    pub(crate) fn get(&self, channel: &ChannelKey, epoch: Epoch, after: u64) -> Option<Arc<Page>> {
        let inner = self.inner.lock();
        let log = inner.logs.get(&(channel.clone(), epoch))?;
        let (_, page) = log.range(..=after).next_back()?;
        (page.end > after).then(|| Arc::clone(page))
    }

    pub(crate) fn insert(&self, channel: &ChannelKey, epoch: Epoch, page: &Arc<Page>) {
        let mut inner = self.inner.lock();
        let log = inner.logs.entry((channel.clone(), epoch)).or_default();
        let replaced = log.insert(page.start, Arc::clone(page));
        inner.bytes += page.bytes();
        match replaced {
            Some(old) => inner.bytes -= old.bytes(),
            None => inner.order.push_back((channel.clone(), epoch, page.start)),
        }
        while inner.bytes > self.max_bytes && inner.evict_oldest() {}
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.inner.lock().bytes
    }
}

impl Inner {
    fn evict_oldest(&mut self) -> bool {
        let Some((channel, epoch, start)) = self.order.pop_front() else {
            return false;
        };
        let key = (channel, epoch);
        if let Some(log) = self.logs.get_mut(&key) {
            if let Some(page) = log.remove(&start) {
                self.bytes -= page.bytes();
            }
            if log.is_empty() {
                self.logs.remove(&key);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
