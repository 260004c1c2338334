use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use model::channel::ChannelName;
use model::message::Message;
use model::position::{Epoch, Position};

/// The ways in which a message is written to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A server-sent event.
    Sse,
    /// A WebSocket envelope.
    WebSocket,
    /// A socket.io event.
    SocketIo,
}

/// A message on its way to readers, with its wire forms: each is encoded once, on first use, and its
/// bytes are shared by all readers.
#[derive(Debug)]
pub struct Entry {
    /// The message.
    pub message: Arc<Message>,
    /// The incarnation of the channel that it belongs to.
    pub epoch: Epoch,
    /// The channel's name.
    pub channel: ChannelName,
    wires: [OnceLock<Bytes>; 3],
}

impl Entry {
    pub(crate) fn new(channel: ChannelName, epoch: Epoch, message: Arc<Message>) -> Self {
        Self {
            message,
            epoch,
            channel,
            wires: [const { OnceLock::new() }; 3],
        }
    }

    /// The bytes of this form; `encode` runs at most once for an entry and a form.
    pub fn wire(&self, form: Form, encode: impl FnOnce(&Entry) -> Bytes) -> Bytes {
        self.wires[form as usize].get_or_init(|| encode(self)).clone()
    }

    /// The position of a reader that has seen this message.
    pub fn position(&self) -> Position {
        Position::At {
            epoch: self.epoch,
            seq: self.message.seq,
        }
    }

    /// About how many bytes it takes in memory, with one wire form.
    pub(crate) fn size(&self) -> usize {
        2 * self.message.content.size() + size_of::<Self>() + size_of::<Message>()
    }

    /// About how many bytes it takes on the wire.
    pub(crate) fn wire_size(&self) -> usize {
        self.message.content.size()
    }
}
