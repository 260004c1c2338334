use hub::{ChannelKey, Connection, ConnectionHandle, Registration, Start, SubscriptionId};
use model::channel::ChannelName;
use model::permission::Access;
use model::position::Since;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;
use crate::messaging::Wanted;
use crate::streams::{OpenStream, Reader};

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

/// A subscription that was let in, to be started on the connection that it was opened for.
pub struct Opening {
    registration: Registration,
    start: Start,
    open: OpenStream,
}

impl Opening {
    /// Starts it: deliveries come under this name, which is the one that it was opened for. The stream is
    /// on the list of those that are looked at when access changes, until it is dropped.
    pub fn start(self, connection: &mut Connection, id: SubscriptionId) -> OpenStream {
        connection.subscribe(id, self.registration, self.start);
        self.open
    }
}

impl Engine {
    /// A connection without subscriptions, for transports that have many on one.
    pub fn connect(&self) -> Connection {
        self.hub.connect()
    }

    /// Opens one subscription of a connection: from `since` on, or from now on (api.md 3.6). When access
    /// changes it ends by itself, and the others stay.
    ///
    /// # Errors
    /// Those of [`Engine::subscribe`].
    pub async fn open_subscription(
        &self,
        caller: &Caller,
        channel: &str,
        since: Option<Since>,
        wanted: &Wanted,
        (handle, id): (ConnectionHandle, SubscriptionId),
    ) -> Result<Opening, Error> {
        let reader = Reader::Subscription(handle, id);
        self.open(caller, channel, since, wanted, reader).await
    }

    /// Opens a live stream: from `since` on, or from now on (api.md 3.6). Writes nothing: a channel that
    /// is not there yet is waited for.
    ///
    /// # Errors
    /// Access, the name, a bad selector or subtopic, [`Error::TooMany`].
    pub async fn subscribe(
        &self,
        caller: &Caller,
        channel: &str,
        since: Option<Since>,
        wanted: &Wanted,
    ) -> Result<Stream, Error> {
        let mut connection = self.hub.connect();
        let reader = Reader::Connection(connection.handle());
        let opening = self.open(caller, channel, since, wanted, reader).await?;
        let channel = opening.registration.channel().name.clone();
        let open = opening.start(&mut connection, ONLY);
        Ok(Stream {
            connection,
            channel,
            _open: open,
        })
    }

    async fn open(
        &self,
        caller: &Caller,
        channel: &str,
        since: Option<Since>,
        wanted: &Wanted,
        reader: Reader,
    ) -> Result<Opening, Error> {
        let channel: ChannelName = channel.parse()?;
        caller.may(Access::Subscribe, channel.as_str())?;
        let filter = self.filters.open(wanted, caller)?;
        let open = self.streams.open(caller, &channel, reader)?;
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
        let start = Start {
            epoch: start.head.map(|head| head.epoch),
            after: start.after,
            head: start.head.map_or(0, |head| head.seq),
            gap: since.filter(|_| start.gap),
        };
        Ok(Opening {
            registration,
            start,
            open,
        })
    }
}
