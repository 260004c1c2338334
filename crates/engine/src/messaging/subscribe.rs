use hub::{ChannelKey, Connection, SubscriptionId};
use model::channel::ChannelName;
use model::permission::Access;
use model::position::Since;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;
use crate::messaging::Wanted;
use crate::streams::OpenStream;

/// The one subscription of a stream that has no more.
pub const ONLY: SubscriptionId = SubscriptionId(0);

/// A live stream of one channel.
pub struct Stream {
    /// What is to be sent; its subscription is [`ONLY`].
    pub connection: Connection,
    /// The channel.
    pub channel: ChannelName,
    _open: OpenStream,
}

impl Engine {
    /// Opens a live stream: from `since` on, or from now on (api.md 3.6). Writes nothing: a channel that
    /// is not there yet is waited for.
    ///
    /// # Errors
    /// Access, the name, [`Error::TooMany`], filters that are [`Error::NotBuilt`].
    pub async fn subscribe(
        &self,
        caller: &Caller,
        channel: &str,
        since: Option<Since>,
        wanted: &Wanted,
    ) -> Result<Stream, Error> {
        let channel: ChannelName = channel.parse()?;
        caller.may(Access::Subscribe, channel.as_str())?;
        let filter = wanted.filter(caller)?;
        let mut connection = self.hub.connect();
        let open = self.streams.open(caller, &channel, connection.handle())?;
        // Registered first, then the head is read: nothing published in between is lost.
        let key = ChannelKey {
            app: caller.app.key,
            name: channel.clone(),
        };
        let registration = self.hub.register(&key, filter);
        let start = self
            .store
            .start(caller.app.key, &channel, since, self.clock.now())
            .await?;
        let start = hub::Start {
            epoch: start.head.map(|head| head.epoch),
            after: start.after,
            head: start.head.map_or(0, |head| head.seq),
            gap: since.filter(|_| start.gap),
        };
        connection.subscribe(ONLY, registration, start);
        Ok(Stream {
            connection,
            channel,
            _open: open,
        })
    }
}
