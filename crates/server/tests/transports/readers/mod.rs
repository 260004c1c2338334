use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use self::rt::Over;
use crate::dice::Dice;
use crate::world::{Credential, World};

/// `GET …/events`.
mod events;
/// `GET …/history`, page by page.
mod history;
/// Subscriptions that are polled, with and without waiting.
mod polling;
/// Backendless RT, over both of its transports.
mod rt;
/// `/api/realtime`.
mod websocket;

/// For many steps, one after the other, on a slow machine too.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Every way to read a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Events,
    Polling,
    LongPolling,
    WebSocket,
    History,
    Rt,
    RtPolling,
}

impl Transport {
    pub const ALL: [Self; 7] = [
        Self::Events,
        Self::Polling,
        Self::LongPolling,
        Self::WebSocket,
        Self::History,
        Self::Rt,
        Self::RtPolling,
    ];

    /// What it can say and take.
    pub fn abilities(self) -> Abilities {
        let all = Abilities {
            tells_seq: true,
            tells_gaps: true,
            takes_subtopics: true,
            names_channels_in_paths: true,
        };
        match self {
            Self::Events | Self::History => all,
            Self::WebSocket => Abilities {
                names_channels_in_paths: false,
                ..all
            },
            // The answer to a poll has the form of Backendless, which has no `seq`.
            Self::Polling | Self::LongPolling => Abilities {
                tells_seq: false,
                ..all
            },
            Self::Rt | Self::RtPolling => Abilities {
                tells_seq: false,
                tells_gaps: false,
                takes_subtopics: false,
                names_channels_in_paths: false,
            },
        }
    }
}

/// What a transport can say and take beyond messages (api.md 3.6).
#[derive(Debug, Clone, Copy)]
pub struct Abilities {
    /// Each message comes with its `seq`.
    pub tells_seq: bool,
    /// What the window lost is told as a gap; else it is skipped.
    pub tells_gaps: bool,
    /// A reader may want a subtopic; else it gets every one.
    pub takes_subtopics: bool,
    /// The name of the channel is part of a path, percent-encoded.
    pub names_channels_in_paths: bool,
}

/// What a transport tells of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    pub id: String,
    pub at: Value,
    pub payload: Value,
    pub headers: Value,
    pub publisher: Value,
    /// Where [`Abilities::tells_seq`].
    pub seq: Option<u64>,
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
            seq: envelope["seq"].as_u64(),
        }
    }
}

/// What came at once.
pub struct Answer {
    pub messages: Vec<Heard>,
    /// It began with the news of a loss.
    pub gap: bool,
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
    Rt(rt::Reader<'a>),
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
            Transport::Rt => Self::Rt(rt::Reader::open(world, ask, Over::WebSocket).await?),
            Transport::RtPolling => Self::Rt(rt::Reader::open(world, ask, Over::Polling).await?),
        })
    }

    /// What comes next, where nothing may be lost: one message or all of an answer, which may hold none.
    pub async fn next(&mut self) -> Vec<Heard> {
        let answer = self.next_or_gap().await;
        assert!(!answer.gap, "told of a loss");
        answer.messages
    }

    /// What comes next.
    pub async fn next_or_gap(&mut self) -> Answer {
        match self {
            Self::Events(reader) => reader.next().await,
            Self::Polling(reader) => reader.next().await,
            Self::WebSocket(reader) => reader.next().await,
            Self::History(reader) => reader.next().await,
            Self::Rt(reader) => reader.next().await,
        }
    }

    /// Loses the connection, or the next answer, at a random point.
    pub async fn cut(&mut self, dice: &mut Dice) {
        match self {
            Self::Events(reader) => reader.cut(),
            Self::Polling(reader) => reader.cut(dice).await,
            Self::WebSocket(reader) => reader.cut(),
            Self::History(reader) => reader.cut().await,
            Self::Rt(reader) => reader.cut(dice).await,
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
        let read = tokio::time::timeout(PATIENCE, reading).await;
        assert!(read.is_ok(), "{count} messages did not come within {PATIENCE:?}");
        heard
    }
}
