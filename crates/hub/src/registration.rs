use std::sync::Arc;

use model::position::{Epoch, Since};

use crate::channel::Channel;
use crate::cursor::Cursor;
use crate::filter::Filter;
use crate::hub::Shared;
use crate::key::ChannelKey;

/// Where a reader starts, found out after it was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The channel's current incarnation; `None` when the channel does not exist yet.
    pub epoch: Option<Epoch>,
    /// The last seq that the reader does not get; it goes on from there.
    pub after: u64,
    /// The channel's head at that time.
    pub head: u64,
    /// What the reader asked for, where that is no longer to be had: it is told of a gap from there to
    /// `after` first.
    pub gap: Option<Since>,
}

/// A reader of a channel, known to the hub. Give it to [`crate::Connection::subscribe`]; dropping it
/// takes the reader out.
pub struct Registration {
    pub(crate) shared: Arc<Shared>,
    pub(crate) channel: Arc<Channel>,
    pub(crate) filter: Option<Arc<dyn Filter>>,
    pub(crate) cursor: Cursor,
}

impl Registration {
    pub(crate) fn new(shared: Arc<Shared>, key: &ChannelKey, filter: Option<Arc<dyn Filter>>) -> Self {
        let (channel, cursor) = shared.join(key, filter.as_ref());
        Self {
            shared,
            channel,
            filter,
            cursor,
        }
    }

    /// The channel that it reads.
    pub fn channel(&self) -> &ChannelKey {
        &self.channel.key
    }

    pub(crate) fn start(&mut self, start: Start) {
        self.cursor.check = !self.channel.begin(start.epoch, start.head);
        self.cursor.epoch = start.epoch;
        self.cursor.seq = start.epoch.map_or(0, |_| start.after);
    }

    /// Joins the channel anew, after another incarnation ended. What was published before is found in
    /// the history.
    pub(crate) fn rejoin(&mut self) {
        let (channel, mut cursor) = self.shared.join(&self.channel.key, self.filter.as_ref());
        cursor.epoch = self.cursor.epoch;
        cursor.seq = self.cursor.seq;
        cursor.check = true;
        self.shared.leave(&self.channel, &self.cursor);
        self.channel = channel;
        self.cursor = cursor;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.shared.leave(&self.channel, &self.cursor);
    }
}
