//! The channel log: one append-only table for all channels, in commit order.
//!
//! A channel is a chain: each row carries the row of its channel's previous message. Every 64th message
//! has an anchor, where a reader enters the chain; the last one is known from the channel's head. What
//! has left a channel's window is dead at once, by its seq or its time, and removed later.

use std::sync::Arc;

use async_trait::async_trait;
use model::app::AppKey;
use model::channel::ChannelName;
use model::message::MessageId;
use model::position::Since;
use model::time::UnixMillis;
use store::error::{Error, Result};
use store::messages::{Append, Appended, Channel, Head, Messages, Page, Published, Range, Start};

use crate::heads::ChannelHead;
use crate::{Role, SqliteStore};

/// Appending a message.
pub(crate) mod append;
/// Listing and deleting channels.
mod channels;
/// Looking up a message id.
mod published;
/// Reading pieces of a channel.
mod read;
/// Removing what was deleted, and old idempotency keys.
pub(crate) mod retention;
/// Rows as messages.
pub(crate) mod row;
/// Where a reader starts.
pub(crate) mod start;
/// Removing what no window holds any more.
pub(crate) mod sweep;
/// What a channel's window holds.
mod window;

/// Every so many messages of a channel there is an anchor.
pub(crate) const ANCHOR_EVERY: u64 = 64;

impl SqliteStore {
    /// Only the server knows where channels stand.
    pub(crate) fn require_server(&self) -> Result<()> {
        match self.role {
            Role::Server => Ok(()),
            Role::Admin => Err(Error::Unavailable {
                reason: "channels are written by the server alone; this store is opened beside it".into(),
            }),
        }
    }
}

#[async_trait]
impl Messages for SqliteStore {
    async fn append(&self, append: Append) -> Result<Appended> {
        self.require_server()?;
        let bytes = append.content.size() + append.channel.as_str().len();
        self.writer
            .run_tx(bytes, move |tx| append::append(tx, &append))
            .await
    }

    async fn head(&self, app: AppKey, channel: &ChannelName) -> Result<Option<Head>> {
        if let Some(known) = self.heads.remembered(app, channel) {
            return Ok(known.was_published_to().then(|| known.head()));
        }
        let (heads, channel) = (self.heads.clone(), channel.clone());
        self.readers
            .run(move |connection| {
                let known = heads.find(connection, app, &channel)?;
                let known = known.filter(ChannelHead::was_published_to);
                Ok(known.map(|known| known.head()))
            })
            .await
    }

    async fn start(
        &self,
        app: AppKey,
        channel: &ChannelName,
        since: Option<Since>,
        now: UnixMillis,
    ) -> Result<Start> {
        let (heads, windows, channel) = (self.heads.clone(), Arc::clone(&self.windows), channel.clone());
        self.readers
            .run(move |connection| {
                let head = match heads.find(connection, app, &channel)? {
                    Some(head) if head.was_published_to() => head,
                    unpublished => {
                        return Ok(start::of_unpublished_channel(
                            since,
                            unpublished.map(|head| head.epoch),
                        ));
                    }
                };
                let window = windows.of(connection, app)?.window(channel.as_str());
                start::resolve(connection, &head, window, since, now)
            })
            .await
    }

    async fn read(
        &self,
        app: AppKey,
        channel: &ChannelName,
        range: Range,
        now: UnixMillis,
    ) -> Result<Option<Page>> {
        let (heads, windows, channel) = (self.heads.clone(), Arc::clone(&self.windows), channel.clone());
        self.readers
            .run(move |connection| {
                let head = heads.find(connection, app, &channel)?;
                let Some(head) = head.filter(ChannelHead::was_published_to) else {
                    return Ok(None);
                };
                let window = windows.of(connection, app)?.window(channel.as_str());
                read::read(connection, &head, window, range, now).map(Some)
            })
            .await
    }

    async fn published(&self, app: AppKey, id: MessageId, now: UnixMillis) -> Result<Option<Published>> {
        let (heads, windows) = (self.heads.clone(), Arc::clone(&self.windows));
        self.readers
            .run(move |connection| {
                let Some(found) = published::find(connection, app, id)? else {
                    return Ok(None);
                };
                let Some(head) = heads.find(connection, app, &found.channel)? else {
                    return Ok(None);
                };
                let window = windows.of(connection, app)?.window(found.channel.as_str());
                let bounds = window::Bounds::new(window, &head, now);
                Ok(bounds.holds(found.seq, found.published_at).then_some(found))
            })
            .await
    }

    async fn channels(&self, app: AppKey, after: Option<&ChannelName>, limit: usize) -> Result<Vec<Channel>> {
        let (heads, after) = (self.heads.clone(), after.cloned());
        self.readers
            .run(move |connection| channels::list(connection, &heads, app, after.as_ref(), limit))
            .await
    }

    async fn delete_channel(&self, app: AppKey, channel: &ChannelName) -> Result<bool> {
        self.require_server()?;
        let channel = channel.clone();
        self.writer
            .run_tx(256, move |tx| channels::delete(tx, app, &channel))
            .await
    }
}

#[cfg(test)]
mod tests;
