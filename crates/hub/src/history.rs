use std::error::Error;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use model::message::Message;
use model::position::Epoch;

use crate::key::ChannelKey;

/// Where readers that fell behind the rings get their messages: the store, seen through the one
/// operation that the hub needs.
pub trait History: Send + Sync + 'static {
    /// Reads one page of a channel's log. The hub holds few of these at once.
    fn read(&self, query: HistoryQuery) -> BoxFuture<'static, Result<HistoryPage, HistoryError>>;
}

/// Which page of a channel's log.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    /// The channel.
    pub channel: ChannelKey,
    /// The incarnation that the reader knows; `None` stands for whichever is current.
    pub epoch: Option<Epoch>,
    /// The last seq that the reader has seen.
    pub after: u64,
    /// The most messages of the page.
    pub max_messages: usize,
    /// About the most bytes of the page; the first message goes in whatever its size.
    pub max_bytes: usize,
}

/// One page of a channel's log, with what the log says about itself, all of one snapshot that is not
/// older than the call.
#[derive(Debug, Clone, Default)]
pub struct HistoryPage {
    /// The messages with seq above `after`, ascending from the first that there is. Empty when the
    /// query named an incarnation that is not the current one. Where it is empty otherwise, there is
    /// nothing up to `head`.
    pub messages: Vec<Arc<Message>>,
    /// The last seq of the current incarnation that the window no longer holds; 0 when it holds all.
    pub floor: u64,
    /// The current incarnation; `None` when the channel does not exist.
    pub epoch: Option<Epoch>,
    /// The last seq of the current incarnation.
    pub head: u64,
}

/// The history could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the history of a channel could not be read")]
pub struct HistoryError(#[source] pub Box<dyn Error + Send + Sync>);
