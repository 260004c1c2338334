use std::time::Duration;

use model::time::parse_duration;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::events::EventsQuery;
use super::{Envelope, Gap};
use crate::reconnect::{Backoff, Connections};
use crate::sse::Event;
use crate::{Client, Error};

/// Going back to a point in time, a reader goes a little further: the first request may have reached the
/// server faster than the second, and too much is better than too little.
const SLACK_SECONDS: u64 = 2;

/// What happens on a subscription.
#[derive(Debug)]
pub enum Notice {
    /// A message, given once.
    Message(Box<Message>),
    /// Messages are lost to this reader: the history no longer holds them.
    Gap(Gap),
    /// The server announces that it closes the stream, and why; the subscription tries to go on.
    End(End),
    /// The connection is gone; [`Subscription::next`] will try again after the delay.
    Reconnecting {
        /// How long it will wait.
        after: Duration,
        /// What happened.
        reason: Option<Error>,
    },
}

/// A delivered message.
#[derive(Debug)]
pub struct Message {
    /// Position after it, `<epoch>-<seq>`.
    pub position: String,
    /// The message.
    pub envelope: Envelope,
    /// The whole envelope as the server wrote it.
    pub json: Box<RawValue>,
}

/// Why the server closes a stream.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct End {
    /// A code of api.md 3.1.
    pub code: u32,
    /// Text for people.
    pub message: String,
}

/// Reads a channel live over as many connections as it takes, without loss inside the history window and
/// without repeats.
#[derive(Debug)]
pub struct Subscription {
    client: Client,
    channel: String,
    query: EventsQuery,
    connections: Connections,
    /// When the first connection was asked for: what a reader without any position goes back to.
    started: Option<Instant>,
    delivered: Option<(String, u64)>,
}

impl Client {
    /// Prepares a subscription; the first [`Subscription::next`] connects.
    #[must_use]
    pub fn subscribe(&self, channel: &str, query: EventsQuery, backoff: Backoff) -> Subscription {
        Subscription {
            client: self.clone(),
            channel: channel.to_owned(),
            query,
            connections: Connections::new(backoff),
            started: None,
            delivered: None,
        }
    }
}

impl Subscription {
    /// Waits for what happens next. Cancel safe.
    ///
    /// # Errors
    /// What no reconnecting can mend: any failure of the first connection, later on refusals such as 401 or
    /// 403, and answers that cannot be read.
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
                    self.remember_position();
                    if let Some(notice) = self.read(&event)? {
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
        let query = EventsQuery {
            since: self.since(),
            ..self.query.clone()
        };
        let first = self.started.is_none();
        let asked = Instant::now();
        match self.client.events(&self.channel, &query).await {
            Ok(events) => {
                self.started.get_or_insert(asked);
                self.connections.opened(events);
                Ok(None)
            }
            Err(error) if !first && error.is_temporary() => Ok(Some(self.disconnected(Some(error)))),
            Err(error) => Err(error),
        }
    }

    /// `since` of the next connection. A reader that never got a position and began at a point in time
    /// (now, or `10m` ago) goes back to that point: nothing of it was shown yet, so nothing can repeat.
    fn since(&self) -> Option<String> {
        let since = self.query.since.as_deref();
        let back = since.map_or(Ok(Duration::ZERO), parse_duration);
        match (self.started, back) {
            (Some(started), Ok(back)) => {
                let seconds = back.saturating_add(started.elapsed()).as_secs();
                Some(format!("{}s", seconds.saturating_add(SLACK_SECONDS)))
            }
            _ => since.map(str::to_owned),
        }
    }

    fn remember_position(&mut self) {
        if let Some(position) = self.connections.position() {
            self.query.last_event_id = Some(position.to_owned());
        }
    }

    fn disconnected(&mut self, reason: Option<Error>) -> Notice {
        self.remember_position();
        let after = self.connections.broken(reason.as_ref());
        Notice::Reconnecting { after, reason }
    }

    /// Turns an event into a notice; `None` for a repeat and for kinds that this version does not know.
    fn read(&mut self, event: &Event) -> Result<Option<Notice>, Error> {
        Ok(match event.event.as_str() {
            "message" => {
                self.connections.works();
                let place = place(&event.id);
                if let (Some(new), Some(old)) = (&place, &self.delivered)
                    && new.0 == old.0
                    && new.1 <= old.1
                {
                    return Ok(None);
                }
                let notice = Notice::Message(Box::new(Message {
                    position: event.id.clone(),
                    envelope: decode(&event.data)?,
                    json: decode(&event.data)?,
                }));
                self.delivered = place;
                Some(notice)
            }
            "gap" => {
                let gap: Gap = decode(&event.data)?;
                if event.id.is_empty() || self.query.last_event_id.as_deref() == Some(gap.from.as_str()) {
                    self.query.last_event_id = Some(gap.to.clone());
                }
                Some(Notice::Gap(gap))
            }
            "end" => Some(Notice::End(decode(&event.data)?)),
            _ => None,
        })
    }
}

fn decode<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, Error> {
    serde_json::from_str(data).map_err(|source| Error::Decode {
        call: "events",
        source,
    })
}

/// Splits a position `<epoch>-<seq>`.
fn place(position: &str) -> Option<(String, u64)> {
    let (epoch, seq) = position.rsplit_once('-')?;
    Some((epoch.to_owned(), seq.parse().ok()?))
}

#[cfg(test)]
mod tests;
