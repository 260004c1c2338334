use std::sync::Arc;

use hub::ChannelKey;
use model::channel::ChannelName;
use model::json::JsonText;
use model::permission::{Access, Principal};

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;
use crate::presence::{Command, Joined, ListenerId, Listening, Mailbox, Member, Topic};
use crate::streams::{OpenStream, Reader};

impl Engine {
    /// Connects somebody to a channel, until the answer is dropped (api.md 3.6, `PUB_SUB_CONNECT`). Needs
    /// what subscribing needs.
    ///
    /// # Errors
    /// Access, the name, [`Error::TooMany`].
    pub fn join(&self, caller: &Caller, channel: &str, connection: &Arc<str>) -> Result<Joined, Error> {
        let channel = readable(caller, channel)?;
        self.presence.join(channel, member(caller, connection))
    }

    /// Goes on being connected as another caller, who was let in ([`Engine::watch`]).
    pub fn rejoin(&self, joined: &Joined, caller: &Caller) {
        joined.set_user(user(caller));
    }

    /// Listens to a channel, until the answer is dropped (api.md 3.6, `PUB_SUB_COMMANDS`,
    /// `PUB_SUB_USERS`). Needs what subscribing needs.
    ///
    /// # Errors
    /// Access, the name.
    pub fn listen(
        &self,
        caller: &Caller,
        channel: &str,
        topic: Topic,
        (mailbox, listener): (&Arc<Mailbox>, ListenerId),
    ) -> Result<Listening, Error> {
        let channel = readable(caller, channel)?;
        Ok(self.presence.listen(channel, topic, mailbox, listener))
    }

    /// Lists a listener, or a connection to a channel, among the open streams: when access changes, its
    /// mailbox is told the end.
    ///
    /// # Errors
    /// Access, the name, [`Error::TooMany`].
    pub fn watch(
        &self,
        caller: &Caller,
        channel: &str,
        (mailbox, listener): (&Arc<Mailbox>, ListenerId),
    ) -> Result<OpenStream, Error> {
        let channel = readable(caller, channel)?;
        let reader = Reader::Listener(Arc::clone(mailbox), listener);
        self.streams.open(caller, &channel.name, reader)
    }

    /// Brings a command to all who listen to the channel on this node (api.md 3.6, `PUB_SUB_COMMAND`).
    /// Needs what publishing needs.
    ///
    /// # Errors
    /// Access, the name, [`Error::TooLarge`].
    pub fn send_command(
        &self,
        caller: &Caller,
        channel: &str,
        (kind, data): (String, JsonText),
        connection: &Arc<str>,
    ) -> Result<(), Error> {
        let name: ChannelName = channel.parse()?;
        caller.may(Access::Publish, name.as_str())?;
        let limit = caller.app.settings.limits.publish_bytes;
        if kind.len() + data.as_str().len() > limit {
            return Err(Error::TooLarge {
                what: "bytes of a command",
                limit,
            });
        }
        let channel = ChannelKey {
            app: caller.app.key,
            name,
        };
        let sender = member(caller, connection);
        self.presence.send(&channel, Command { kind, data, sender });
        Ok(())
    }

    /// How many channels somebody is connected or listening to.
    pub fn rooms(&self) -> usize {
        self.presence.rooms()
    }
}

fn readable(caller: &Caller, channel: &str) -> Result<ChannelKey, Error> {
    let name: ChannelName = channel.parse()?;
    caller.may(Access::Subscribe, name.as_str())?;
    Ok(ChannelKey {
        app: caller.app.key,
        name,
    })
}

fn member(caller: &Caller, connection: &Arc<str>) -> Member {
    Member {
        connection: Arc::clone(connection),
        user: user(caller),
    }
}

fn user(caller: &Caller) -> Option<Arc<str>> {
    match &caller.principal {
        Principal::User { id, .. } => Some(id.as_ref().into()),
        Principal::Anonymous | Principal::Key { .. } => None,
    }
}
