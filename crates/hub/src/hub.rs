use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::RandomState;
use model::message::Message;
use model::position::Epoch;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::budget::Budget;
use crate::channel::Channel;
use crate::connection::Connection;
use crate::cursor::Cursor;
use crate::end::EndReason;
use crate::fanout::Fanout;
use crate::filter::Filter;
use crate::history::History;
use crate::key::ChannelKey;
use crate::pages::Pages;
use crate::registration::Registration;

/// The bounds of the hub, and what it tells readers that it must end by itself.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// The most messages in the ring of one channel.
    pub ring_messages: usize,
    /// The budget of all rings together, in bytes.
    pub ring_bytes: usize,
    /// The most messages of one page of history.
    pub page_messages: usize,
    /// About the most bytes of one page of history.
    pub page_bytes: usize,
    /// The budget of the pages kept for other readers, in bytes.
    pub page_cache_bytes: usize,
    /// The most reads of the history at the same time.
    pub concurrent_reads: usize,
    /// For readers of a channel that is found deleted, when nobody said so.
    pub gone: EndReason,
    /// For readers whose history cannot be read.
    pub unreadable: EndReason,
}

/// The hub of live delivery. A cheap handle: clones share everything.
#[derive(Clone)]
pub struct Hub {
    pub(crate) shared: Arc<Shared>,
}

const SHARDS: usize = 64;

type Shard = Mutex<HashMap<ChannelKey, Arc<Channel>, RandomState>>;

pub(crate) struct Shared {
    pub(crate) options: HubOptions,
    pub(crate) history: Arc<dyn History>,
    pub(crate) pages: Pages,
    pub(crate) turns: Arc<Semaphore>,
    budget: Budget,
    hasher: RandomState,
    shards: Vec<Shard>,
    /// Set before the shards are gone through, and read under a shard's lock: no channel slips through.
    closing: Mutex<Option<EndReason>>,
}

impl Hub {
    /// A hub without readers.
    pub fn new(options: HubOptions, history: Arc<dyn History>) -> Self {
        let shared = Shared {
            history,
            pages: Pages::new(options.page_cache_bytes),
            turns: Arc::new(Semaphore::new(options.concurrent_reads.max(1))),
            budget: Budget::new(options.ring_bytes),
            hasher: RandomState::default(),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            closing: Mutex::new(None),
            options,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// A connection without subscriptions.
    pub fn connect(&self) -> Connection {
        Connection::new(Arc::clone(&self.shared))
    }

    /// Adds a reader of this channel, which gets nothing before it is started. Register first, then
    /// find out where to start: so nothing published in between is lost. Registering costs no I/O and
    /// the channel need not exist.
    pub fn register(&self, channel: &ChannelKey, filter: Option<Arc<dyn Filter>>) -> Registration {
        Registration::new(Arc::clone(&self.shared), channel, filter)
    }

    /// A committed message. Called in commit order, by one task; what it gives is to be run once all that
    /// was committed at the same time is published. Costs one look-up for a channel without readers.
    pub fn publish(&self, channel: &ChannelKey, epoch: Epoch, message: Arc<Message>) -> Option<Fanout> {
        let channel = self.shared.find(channel)?;
        let (fanout, is_new) = channel.publish(epoch, message, self.shared.options.ring_messages);
        if is_new {
            self.shared.budget.add(&channel);
        }
        self.shared.budget.enforce();
        fanout
    }

    /// A hint: the store holds messages of this channel up to `head`, not all of which came through
    /// [`Hub::publish`].
    pub fn advance(&self, channel: &ChannelKey, epoch: Epoch, head: u64) {
        if let Some(channel) = self.shared.find(channel) {
            channel.advance(epoch, head);
        }
    }

    /// This incarnation of the channel was deleted: its readers end, each after what came before.
    pub fn end_channel(&self, channel: &ChannelKey, epoch: Epoch, reason: EndReason) {
        let found = {
            let mut shard = self.shared.shard(channel).lock();
            let concerned = shard.get(channel).is_some_and(|found| found.may_hold(epoch));
            concerned.then(|| shard.remove(channel)).flatten()
        };
        // Out of the map first: who registers from now on reads the next incarnation.
        if let Some(found) = found {
            found.end(Some(epoch), reason);
        }
    }

    /// Ends all readers, each after what came before, and those that register from now on.
    pub fn close_all(&self, reason: EndReason) {
        *self.shared.closing.lock() = Some(reason.clone());
        for shard in &self.shared.shards {
            let channels: Vec<_> = shard.lock().drain().collect();
            for (_, channel) in channels {
                channel.end(None, reason.clone());
            }
        }
    }

    /// How many channels have readers.
    pub fn channels(&self) -> usize {
        self.shared.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// How many bytes all rings take together.
    pub fn ring_bytes(&self) -> usize {
        self.shared.budget.used()
    }
}

impl Shared {
    fn shard(&self, channel: &ChannelKey) -> &Shard {
        &self.shards[self.hasher.hash_one(channel) as usize % SHARDS]
    }

    fn find(&self, channel: &ChannelKey) -> Option<Arc<Channel>> {
        self.shard(channel).lock().get(channel).cloned()
    }

    /// The channel, with one reader more.
    pub(crate) fn join(&self, key: &ChannelKey, filter: Option<&Arc<dyn Filter>>) -> (Arc<Channel>, Cursor) {
        let mut shard = self.shard(key).lock();
        let channel = shard.entry(key.clone()).or_insert_with(|| {
            let channel = Channel::new(key.clone(), self.budget.counter());
            if let Some(reason) = self.closing.lock().clone() {
                channel.end(None, reason);
            }
            Arc::new(channel)
        });
        let cursor = channel.join(filter);
        (Arc::clone(channel), cursor)
    }

    /// Takes a reader out of its channel, and the channel out of the hub with its last one.
    pub(crate) fn leave(&self, channel: &Arc<Channel>, cursor: &Cursor) {
        if !channel.leave(cursor) {
            return;
        }
        let mut shard = self.shard(&channel.key).lock();
        if let MapEntry::Occupied(entry) = shard.entry(channel.key.clone())
            && Arc::ptr_eq(entry.get(), channel)
            && !channel.has_readers()
        {
            entry.remove();
        }
    }
}
