use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::dice::Dice;
use crate::world::{Credential, World};

/// `GET …/events`.
mod events;
/// `GET …/history`, page by page.
mod history;
/// Subscriptions that are polled, with and without waiting.
mod polling;
/// `/api/realtime`.
mod websocket;

/// Every way to read a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Events,
    Polling,
    LongPolling,
    WebSocket,
    History,
}

impl Transport {
    pub const ALL: [Self; 5] = [
        Self::Events,
        Self::Polling,
        Self::LongPolling,
        Self::WebSocket,
        Self::History,
    ];
}

/// What every transport tells of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    pub id: String,
    pub at: Value,
    pub payload: Value,
    pub headers: Value,
    pub publisher: Value,
}

impl Heard {
    /// From an envelope.
    fn of(envelope: &Value) -> Self {
        Self {
            id: envelope["messageId"].as_str().unwrap().to_owned(),
            at: envelope["timestamp"].clone(),
            payload: envelope["message"].clone(),
            headers: envelope["headers"].clone(),
            publisher: envelope["publisherId"].clone(),
        }
    }
}

/// What a reader asks for.
#[derive(Clone)]
pub struct Ask {
    pub channel: String,
    pub selector: String,
    pub subtopic: String,
    pub credential: Credential,
}

impl Ask {
    pub fn all(world: &World, channel: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            selector: String::new(),
            subtopic: String::new(),
            credential: world.credential(),
        }
    }

    fn query(&self, since: &str) -> String {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        format!(
            "?selector={}&subtopic={}&since={since}",
            encode(&self.selector),
            encode(&self.subtopic)
        )
    }
}

/// A reader that stands before the first message, and comes back where it was after its connection or an
/// answer was lost.
pub enum Reader<'a> {
    Events(events::Reader<'a>),
    Polling(polling::Reader<'a>),
    WebSocket(websocket::Reader<'a>),
    History(history::Reader<'a>),
}

impl<'a> Reader<'a> {
    /// Opens a reader of a channel without messages; else the code that it is refused with.
    pub async fn open(world: &'a World, transport: Transport, ask: Ask) -> Result<Self, u64> {
        Ok(match transport {
            Transport::Events => Self::Events(events::Reader::open(world, ask).await?),
            Transport::Polling => Self::Polling(polling::Reader::open(world, ask, 0).await?),
            Transport::LongPolling => Self::Polling(polling::Reader::open(world, ask, 5).await?),
            Transport::WebSocket => Self::WebSocket(websocket::Reader::open(world, ask).await?),
            Transport::History => Self::History(history::Reader::open(world, ask).await?),
        })
    }

    /// What comes next: one message or all of an answer, which may hold none.
    pub async fn next(&mut self) -> Vec<Heard> {
        match self {
            Self::Events(reader) => reader.next().await,
            Self::Polling(reader) => reader.next().await,
            Self::WebSocket(reader) => reader.next().await,
            Self::History(reader) => reader.next().await,
        }
    }

    /// Loses the connection, or the next answer, at a random point.
    pub async fn cut(&mut self, dice: &mut Dice) {
        match self {
            Self::Events(reader) => reader.cut(),
            Self::Polling(reader) => reader.cut(dice).await,
            Self::WebSocket(reader) => reader.cut(),
            Self::History(reader) => reader.cut().await,
        }
    }

    /// Reads until so many messages have come.
    pub async fn read(&mut self, count: usize) -> Vec<Heard> {
        let mut heard = Vec::new();
        let reading = Box::pin(async {
            while heard.len() < count {
                heard.extend(self.next().await);
            }
        });
        testkit::soon("all messages", reading).await;
        heard
    }
}
