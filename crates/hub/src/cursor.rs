use model::position::{Epoch, Position};

use crate::group::GroupId;
use crate::parked::Ticket;
use crate::signal::Seen;

/// A reader: a place in a channel's log. Replay, live delivery and catching up are one loop over
/// (its seq, the channel's head].
pub(crate) struct Cursor {
    pub(crate) group: GroupId,
    /// The incarnation that `seq` belongs to; `None` before the channel's first publish.
    pub(crate) epoch: Option<Epoch>,
    /// Everything up to here was handed over, or is not for this reader.
    pub(crate) seq: u64,
    /// Whether the history must be asked before what the channel knows of incarnations is believed.
    pub(crate) check: bool,
    pub(crate) ticket: Option<Ticket>,
}

impl Cursor {
    pub(crate) fn new(group: GroupId) -> Self {
        Self {
            group,
            epoch: None,
            seq: 0,
            check: false,
            ticket: None,
        }
    }

    pub(crate) fn position(&self) -> Position {
        match self.epoch {
            Some(epoch) => Position::At { epoch, seq: self.seq },
            None => Position::Start,
        }
    }

    /// Takes over what its group saw while it was parked.
    pub(crate) fn unpark(&mut self, seen: Seen) {
        self.ticket = None;
        if self.epoch == seen.epoch {
            self.seq = self.seq.max(seen.seq);
        } else {
            self.epoch = seen.epoch;
            self.seq = seen.seq;
        }
    }
}

/// The most messages of one reader before the next of the same connection has its turn.
const SHARE: usize = 64;

/// What may still go into a batch: at least one message, then up to the bounds.
#[derive(Debug)]
pub(crate) struct Quota {
    messages: usize,
    bytes: usize,
    share: usize,
    is_empty: bool,
    is_full: bool,
}

impl Quota {
    pub(crate) fn new(messages: usize, bytes: usize) -> Self {
        Self {
            messages,
            bytes,
            share: SHARE,
            is_empty: true,
            is_full: false,
        }
    }

    /// The next reader has its turn.
    pub(crate) fn next_share(&mut self) {
        self.share = SHARE;
    }

    /// Whether another message of this size goes in; then it is counted.
    pub(crate) fn take(&mut self, size: usize) -> bool {
        if !self.is_empty && (self.messages == 0 || size > self.bytes) {
            self.is_full = true;
        }
        if self.is_full || self.share == 0 {
            return false;
        }
        self.is_empty = false;
        self.share -= 1;
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(size);
        true
    }

    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }
}
