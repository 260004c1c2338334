use std::sync::Arc;

use async_trait::async_trait;
use model::app::AppKey;
use model::channel::ChannelName;
use model::message::{Content, Message, MessageId};
use model::position::{Epoch, Since};
use model::time::UnixMillis;

use crate::error::Result;

/// A message to be appended to a channel's log.
#[derive(Debug, Clone)]
pub struct Append {
    /// The app.
    pub app: AppKey,
    /// The channel; made if it is not there.
    pub channel: ChannelName,
    /// What was published.
    pub content: Arc<Content>,
    /// Who published, as [`model::permission::Principal`] is written.
    pub principal: Box<str>,
    /// The idempotency key, if one came.
    pub idempotency: Option<Idempotency>,
    /// How many channels the app may have: making one more is refused.
    pub max_channels: u64,
}

/// An `Idempotency-Key` and what it was used for (api.md 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Digest of principal, method, path and key; with the app it is the scope.
    pub key: [u8; 32],
    /// Digest of the request body.
    pub body: [u8; 32],
}

/// What became of an [`Append`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is durable.
    New {
        /// The channel's incarnation.
        epoch: Epoch,
        /// The message as it stands in the log.
        message: Arc<Message>,
    },
    /// The same key and body came before: this was the answer.
    Replayed {
        /// The id that was answered.
        id: MessageId,
    },
    /// The same key came before with another body; nothing was done.
    KeyReused,
    /// The app has as many channels as it may; nothing was done.
    TooManyChannels,
}

/// Where a channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The channel's incarnation.
    pub epoch: Epoch,
    /// The seq of its last message; 0 before the first.
    pub seq: u64,
    /// When that was published; `None` before the first.
    pub last_published_at: Option<UnixMillis>,
}

/// Where a reader starts (api.md 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Where the channel stands; `None` if it was never published to.
    pub head: Option<Head>,
    /// The reader goes on after this seq.
    pub after: u64,
    /// Whether what the reader asked for is not all there: it is told a gap first.
    pub gap: bool,
}

/// What to read of a channel's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// After this seq.
    pub after: u64,
    /// So many messages at most, at least 1.
    pub max_messages: usize,
    /// About so many bytes at most; the first message always comes.
    pub max_bytes: usize,
}

/// A piece of a channel's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where the channel stands.
    pub head: Head,
    /// The last seq that the history window no longer holds; with `after < floor` there is a gap.
    pub floor: u64,
    /// The messages from `max(after, floor) + 1` on, ascending, without holes.
    pub messages: Vec<Arc<Message>>,
}

/// What is known of a message id (api.md 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The channel.
    pub channel: ChannelName,
    /// Its place there.
    pub seq: u64,
    /// When.
    pub published_at: UnixMillis,
}

/// A channel in the list of channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub name: ChannelName,
    /// Where it stands.
    pub head: Head,
}

/// Channels and their logs (api.md 3).
///
/// The history window of a channel ([`model::settings::HistorySettings`] of its app) holds at once:
/// what has left it is never answered, whether its rows are removed yet or not.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Appends a message, durable when this returns; many concurrent calls share one flush.
    ///
    /// The store mints the id (UUIDv7, ascending as the log) and the time (never backwards within the
    /// channel), and remembers the idempotency key for 24 h in the same transaction.
    async fn append(&self, append: Append) -> Result<Appended>;

    /// Where a channel stands; `None` if it was never published to. The channel `default` always is.
    async fn head(&self, app: AppKey, channel: &ChannelName) -> Result<Option<Head>>;

    /// Where a reader that asks for `since` starts, at `now`; `None` asks for what comes from now on.
    async fn start(
        &self,
        app: AppKey,
        channel: &ChannelName,
        since: Option<Since>,
        now: UnixMillis,
    ) -> Result<Start>;

    /// Reads a piece of a channel's log; `None` if there is no such channel.
    async fn read(
        &self,
        app: AppKey,
        channel: &ChannelName,
        range: Range,
        now: UnixMillis,
    ) -> Result<Option<Page>>;

    /// What is known of a message id; `None` if it is unknown or has left its channel's window.
    async fn published(&self, app: AppKey, id: MessageId, now: UnixMillis) -> Result<Option<Published>>;

    /// The app's channels by name, after `after`, `limit` at most.
    async fn channels(&self, app: AppKey, after: Option<&ChannelName>, limit: usize) -> Result<Vec<Channel>>;

    /// Deletes a channel: it is gone at once, its rows go in slices later; a publish makes a new
    /// incarnation. `false` if there is no such channel.
    async fn delete_channel(&self, app: AppKey, channel: &ChannelName) -> Result<bool>;
}
