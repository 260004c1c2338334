use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Message;
use super::count::Counts;
use crate::messaging::subscription::End;
use crate::reconnect::{Backoff, Connections};
use crate::sse;
use crate::{Client, Error};

/// Which messages to follow.
#[derive(Debug, Clone, Default)]
pub struct WatchQuery {
    /// Kind of client; the server's default is `web`.
    pub client: Option<String>,
    /// Messages of the first list; the server's default is 100.
    pub limit: Option<u32>,
    /// The cursor of the last event seen, to go on from there.
    pub last_event_id: Option<String>,
}

/// What happens in a live inbox.
#[derive(Debug)]
pub enum Notice {
    /// An event of api.md 4, `stream`.
    Event(Box<Event>),
    /// The server announces that it closes the stream, and why; the watch tries to go on.
    End(End),
    /// The connection is gone; [`Watch::next`] will try again after the delay.
    Reconnecting {
        /// How long it will wait.
        after: Duration,
        /// What happened.
        reason: Option<Error>,
    },
}

/// An event. A reader keeps messages by id: one that comes twice does no harm.
#[derive(Debug)]
pub struct Event {
    /// Its name on the wire.
    pub name: String,
    /// Where a reader goes on that has seen all up to this one.
    pub cursor: String,
    /// What happened.
    pub what: Happening,
    /// The data as the server wrote it.
    pub json: Box<RawValue>,
}

/// What an event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// The message is shown: of the list, or from now on.
    Message(Box<Shown>),
    /// A message was marked as read.
    Read(Read),
    /// A message is no longer shown.
    Removed(Removed),
    /// The list, or what was missed, is complete.
    Synced(Counts),
    /// What was told before no longer counts: the list comes anew.
    Reset(Counts),
}

/// A message that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Shown {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// How many are unread now.
    pub unread: u64,
}

/// A read mark.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Read {
    /// The message's id.
    pub id: String,
    /// How many are unread now.
    pub unread: u64,
}

/// A removal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Removed {
    /// The message's id.
    pub id: String,
    /// `deleted`, `retracted` or `expired`.
    pub reason: String,
    /// How many are unread now.
    pub unread: u64,
}

/// Follows the token's user's inbox over as many connections as it takes, without loss.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    query: WatchQuery,
    connections: Connections,
}

impl Client {
    /// Prepares a live inbox; the first [`Watch::next`] connects.
    #[must_use]
    pub fn watch(&self, query: WatchQuery, backoff: Backoff) -> Watch {
        Watch {
            client: self.clone(),
            query,
            connections: Connections::new(backoff),
        }
    }
}

impl Watch {
    /// Waits for what happens next. Cancel safe.
    ///
    /// # Errors
    /// What no reconnecting can mend: any failure of the first connection, later on refusals such as 401,
    /// and answers that cannot be read.
    pub async fn next(&mut self) -> Result<Notice, Error> {
        loop {
            let Some(events) = self.connections.open() else {
                if let Some(notice) = self.connect().await? {
                    return Ok(notice);
                }
                continue;
            };
            match events.next().await {
                Ok(Some(event)) => {
                    self.remember_cursor();
                    if let Some(notice) = read(&event)? {
                        return Ok(notice);
                    }
                }
                Ok(None) => return Ok(self.disconnected(None)),
                Err(error) if error.is_temporary() => return Ok(self.disconnected(Some(error))),
                Err(error) => return Err(error),
            }
        }
    }

    async fn connect(&mut self) -> Result<Option<Notice>, Error> {
        self.connections.until_retry().await;
        let limit = self.query.limit.map(|limit| limit.to_string());
        let parameters = [
            ("client", self.query.client.as_deref()),
            ("limit", limit.as_deref()),
        ];
        let request = self
            .client
            .inbox(Method::GET, &["messages", "stream"], &parameters)?;
        let cursor = self.query.last_event_id.as_deref();
        match self.client.open_events(request, cursor).await {
            Ok(events) => {
                self.connections.opened(events);
                Ok(None)
            }
            Err(error) if self.connections.had_one() && error.is_temporary() => {
                Ok(Some(self.disconnected(Some(error))))
            }
            Err(error) => Err(error),
        }
    }

    fn remember_cursor(&mut self) {
        if let Some(cursor) = self.connections.position() {
            self.query.last_event_id = Some(cursor.to_owned());
        }
    }

    fn disconnected(&mut self, reason: Option<Error>) -> Notice {
        self.remember_cursor();
        let after = self.connections.broken(reason.as_ref());
        Notice::Reconnecting { after, reason }
    }
}

/// Turns an event into a notice; `None` for kinds that this version does not know.
fn read(event: &sse::Event) -> Result<Option<Notice>, Error> {
    let what = match event.event.as_str() {
        "message" => Happening::Message(decode(&event.data)?),
        "read" => Happening::Read(decode(&event.data)?),
        "removed" => Happening::Removed(decode(&event.data)?),
        "synced" => Happening::Synced(decode(&event.data)?),
        "reset" => Happening::Reset(decode(&event.data)?),
        "end" => return Ok(Some(Notice::End(decode(&event.data)?))),
        _ => return Ok(None),
    };
    Ok(Some(Notice::Event(Box::new(Event {
        name: event.event.clone(),
        cursor: event.id.clone(),
        what,
        json: decode(&event.data)?,
    }))))
}

fn decode<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, Error> {
    serde_json::from_str(data).map_err(|source| Error::Decode {
        call: "stream",
        source,
    })
}

#[cfg(test)]
mod tests;
