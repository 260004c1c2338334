//! Who is connected to a channel, and the commands that are sent there (api.md 3.6, Backendless RT).
//!
//! Neither is stored: both are of this node and of now, so a room is there only while somebody is in it.
//! Every room and every mailbox is bounded.

use std::collections::HashMap;
use std::sync::Arc;

use hub::ChannelKey;
use model::json::JsonText;
use parking_lot::Mutex;

use crate::error::Error;

/// What waits for a connection.
mod mailbox;

pub use mailbox::{ListenerId, Mailbox, Notice, Overflowed};

/// Connections that may be in one channel at the same time; over it 429/5913.
pub const MAX_MEMBERS: usize = 10_000;

/// Somebody who is connected to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The id of the connection.
    pub connection: Arc<str>,
    /// The user of its token, if it came with one.
    pub user: Option<Arc<str>>,
}

/// A command: it reaches who listens at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// `type`.
    pub kind: String,
    /// `data`, any JSON value.
    pub data: JsonText,
    /// Who sent it.
    pub sender: Member,
}

impl Command {
    fn size(&self) -> usize {
        self.kind.len() + self.data.as_str().len() + 128
    }
}

/// What became of the users of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// All who are connected, for a new listener.
    Listing,
    /// One more.
    Connected,
    /// One less.
    Disconnected,
}

/// Users of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserStatus {
    /// What became of them.
    pub change: Change,
    /// Who.
    pub members: Vec<Member>,
}

/// Which notices a listener gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Commands.
    Commands,
    /// Users.
    Users,
}

/// The rooms of this node. A cheap handle.
#[derive(Clone, Default)]
pub(crate) struct Presence {
    // Taken when somebody comes, goes or sends a command; the mailboxes' locks are taken within it, so that
    // all listeners are told in one order. Never held across an await.
    rooms: Arc<Mutex<HashMap<ChannelKey, Room>>>,
}

#[derive(Default)]
struct Room {
    /// By connection; a connection may be in the room several times.
    members: HashMap<Arc<str>, (Member, usize)>,
    listeners: HashMap<(usize, ListenerId), Listener>,
}

struct Listener {
    topic: Topic,
    mailbox: Arc<Mailbox>,
}

/// Being connected to a channel; dropping it disconnects.
pub struct Joined {
    presence: Presence,
    channel: ChannelKey,
    connection: Arc<str>,
}

/// Listening to a channel; dropping it ends that.
pub struct Listening {
    presence: Presence,
    channel: ChannelKey,
    key: (usize, ListenerId),
}

impl Presence {
    /// Connects somebody; who listens is told, unless that connection was in the room already.
    pub(crate) fn join(&self, channel: ChannelKey, member: Member) -> Result<Joined, Error> {
        let connection = Arc::clone(&member.connection);
        let mut rooms = self.rooms.lock();
        let room = rooms.entry(channel.clone()).or_default();
        if let Some((_, times)) = room.members.get_mut(&connection) {
            *times += 1;
        } else if room.members.len() >= MAX_MEMBERS {
            return Err(Error::TooMany {
                what: "connections in one channel",
                limit: MAX_MEMBERS as u64,
            });
        } else {
            room.members.insert(Arc::clone(&connection), (member.clone(), 1));
            room.tell_users(Change::Connected, member);
        }
        drop(rooms);
        Ok(Joined {
            presence: self.clone(),
            channel,
            connection,
        })
    }

    /// Adds a listener. One of users is told who is connected, at once.
    pub(crate) fn listen(
        &self,
        channel: ChannelKey,
        topic: Topic,
        mailbox: &Arc<Mailbox>,
        listener: ListenerId,
    ) -> Listening {
        let key = (Arc::as_ptr(mailbox).addr(), listener);
        let mut rooms = self.rooms.lock();
        let room = rooms.entry(channel.clone()).or_default();
        if topic == Topic::Users {
            let members = room.members.values().map(|(member, _)| member.clone());
            let status = UserStatus {
                change: Change::Listing,
                members: members.collect(),
            };
            mailbox.push(listener, Notice::Users(Arc::new(status)));
        }
        let mailbox = Arc::clone(mailbox);
        room.listeners.insert(key, Listener { topic, mailbox });
        drop(rooms);
        Listening {
            presence: self.clone(),
            channel,
            key,
        }
    }

    /// Brings a command to all who listen, its sender too.
    pub(crate) fn send(&self, channel: &ChannelKey, command: Command) {
        let rooms = self.rooms.lock();
        if let Some(room) = rooms.get(channel) {
            room.tell(Topic::Commands, &Notice::Command(Arc::new(command)));
        }
    }

    /// How many rooms there are.
    pub(crate) fn rooms(&self) -> usize {
        self.rooms.lock().len()
    }

    /// Changes a room that is there, and takes it away when nobody is left.
    fn change(&self, channel: &ChannelKey, change: impl FnOnce(&mut Room)) {
        let mut rooms = self.rooms.lock();
        let Some(room) = rooms.get_mut(channel) else {
            return;
        };
        change(room);
        if room.members.is_empty() && room.listeners.is_empty() {
            rooms.remove(channel);
        }
    }
}

impl Room {
    fn tell(&self, topic: Topic, notice: &Notice) {
        for ((_, id), listener) in &self.listeners {
            if listener.topic == topic {
                listener.mailbox.push(*id, notice.clone());
            }
        }
    }

    fn tell_users(&self, change: Change, member: Member) {
        let status = UserStatus {
            change,
            members: vec![member],
        };
        self.tell(Topic::Users, &Notice::Users(Arc::new(status)));
    }
}

impl Joined {
    /// Says who the user of the connection is from now on; who listens is told the next time it is listed.
    pub(crate) fn set_user(&self, user: Option<Arc<str>>) {
        self.presence.change(&self.channel, |room| {
            if let Some((member, _)) = room.members.get_mut(&self.connection) {
                member.user = user;
            }
        });
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.presence.change(&self.channel, |room| {
            let Some((_, times)) = room.members.get_mut(&self.connection) else {
                return;
            };
            *times -= 1;
            if *times == 0
                && let Some((member, _)) = room.members.remove(&self.connection)
            {
                room.tell_users(Change::Disconnected, member);
            }
        });
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.presence.change(&self.channel, |room| {
            room.listeners.remove(&self.key);
        });
    }
}

#[cfg(test)]
mod tests;
