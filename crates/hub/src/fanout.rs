use std::sync::Arc;

use crate::channel::Channel;
use crate::entry::Entry;
use crate::outlet::Offered;
use crate::parked::Lent;
use crate::signal::Seen;

/// Readers that one task serves: bounds how long it keeps a thread.
#[cfg(not(loom))]
const READERS: usize = 128;

/// A message on its way to the readers that waited for it. They wait for nothing else until
/// [`Fanout::run`] has offered it to each: so dropping it would leave them where they are for ever.
#[must_use = "its readers get no further message before it has run"]
pub struct Fanout {
    pub(crate) channel: Arc<Channel>,
    pub(crate) entry: Arc<Entry>,
    /// Up to where its readers have seen the channel.
    pub(crate) seen: Seen,
    pub(crate) readers: Vec<Lent>,
}

impl Fanout {
    /// Offers the message to the outlet of each reader. Who has no outlet, or an outlet that cannot take
    /// it at once, is woken; and when more was published meanwhile all are: each then writes all that
    /// waits in one go.
    ///
    /// Runs wakers and outlets: call it without holding a lock.
    pub fn run(self) {
        let Self {
            channel,
            entry,
            seen,
            readers,
        } = self;
        let is_latest = channel.is_latest(&entry);
        let offer = |reader: Lent| {
            let offered = match &reader.waiting {
                waiting if is_latest && !waiting.is_ahead => {
                    waiting.signal.offer(waiting.subscription, &entry)
                }
                _ => Offered::Refused,
            };
            (reader, offered)
        };
        let readers = readers.into_iter().map(offer).collect();
        channel.take_back(readers, &entry, seen);
    }

    /// Keeps the first so many readers and gives the others.
    #[cfg(not(loom))]
    fn split_off(&mut self, at: usize) -> Self {
        Self {
            channel: Arc::clone(&self.channel),
            entry: Arc::clone(&self.entry),
            seen: self.seen,
            readers: self.readers.split_off(at),
        }
    }
}

/// Runs what was published at the same time, in tasks of bounded length but for the last, which runs
/// at once.
#[cfg(not(loom))]
pub fn run_all(fanouts: impl IntoIterator<Item = Fanout>) {
    let (mut task, mut room) = (Vec::new(), READERS);
    for mut fanout in fanouts {
        while fanout.readers.len() > room {
            let rest = fanout.split_off(room);
            task.push(fanout);
            let full = std::mem::take(&mut task);
            tokio::spawn(async move { full.into_iter().for_each(Fanout::run) });
            (fanout, room) = (rest, READERS);
        }
        room -= fanout.readers.len();
        task.push(fanout);
    }
    task.into_iter().for_each(Fanout::run);
}
