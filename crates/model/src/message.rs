use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use crate::headers::Headers;
use crate::json::JsonText;
use crate::time::UnixMillis;

/// The id of a message: `message:<UPPERCASE UUIDv7>`, for occurrence n of a repetition with `-n` behind
/// it (api.md 3.1, 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId {
    /// The id that the publisher was told.
    pub base: Uuid,
    /// Which due time of a repetition, counted from 1.
    pub occurrence: Option<u32>,
}

impl MessageId {
    /// The id of a one-shot message or of a whole schedule.
    pub fn one_shot(base: Uuid) -> Self {
        Self {
            base,
            occurrence: None,
        }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = Uuid::encode_buffer();
        write!(f, "message:{}", self.base.hyphenated().encode_upper(&mut buffer))?;
        match self.occurrence {
            Some(n) => write!(f, "-{n}"),
            None => Ok(()),
        }
    }
}

/// A text that is no message id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a message id such as message:0199…, found {0:?}")]
pub struct MessageIdError(String);

impl FromStr for MessageId {
    type Err = MessageIdError;

    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        let fail = || MessageIdError(text.chars().take(60).collect());
        let rest = text.strip_prefix("message:").ok_or_else(fail)?;
        let (uuid, suffix) = rest.split_at_checked(36).ok_or_else(fail)?;
        let base = Uuid::try_parse(uuid).map_err(|_| fail())?;
        let occurrence = match suffix.strip_prefix('-') {
            None if suffix.is_empty() => None,
            Some(n) if n.bytes().all(|byte| byte.is_ascii_digit()) && !n.starts_with('0') => {
                Some(n.parse().map_err(|_| fail())?)
            }
            _ => return Err(fail()),
        };
        Ok(Self { base, occurrence })
    }
}

/// A dotted subtopic such as `news.dallas.sports` (api.md 3.5): 1 to 255 bytes, no empty token,
/// no control characters, no `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subtopic(Box<str>);

/// A text that is no subtopic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a dotted subtopic such as news.dallas.sports (1 to 255 bytes, no empty part, no `*`), found {0:?}"
)]
pub struct SubtopicError(String);

impl Subtopic {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Subtopic {
    type Err = SubtopicError;

    fn from_str(text: &str) -> Result<Self, SubtopicError> {
        let bad_part = |part: &str| part.is_empty() || part.contains(|c: char| c == '*' || c.is_control());
        if text.len() > 255 || text.split('.').any(bad_part) {
            return Err(SubtopicError(text.chars().take(60).collect()));
        }
        Ok(Self(text.into()))
    }
}

/// `publishPolicy` of a message (api.md 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishPolicy {
    /// To subscribers.
    PubSub,
    /// To subscribers and to devices.
    Both,
    /// To devices alone, which asks for a push provider.
    Push,
}

impl PublishPolicy {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PubSub => "PUBSUB",
            Self::Both => "BOTH",
            Self::Push => "PUSH",
        }
    }
}

impl FromStr for PublishPolicy {
    type Err = PublishPolicyError;

    fn from_str(text: &str) -> Result<Self, PublishPolicyError> {
        match text {
            "PUBSUB" => Ok(Self::PubSub),
            "BOTH" => Ok(Self::Both),
            "PUSH" => Ok(Self::Push),
            _ => Err(PublishPolicyError(text.chars().take(40).collect())),
        }
    }
}

/// A text that is no publish policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected PUBSUB, BOTH or PUSH, found {0:?}")]
pub struct PublishPolicyError(String);

/// Fields that delivery ignores and the envelope echoes (api.md 3.1, 3.6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Echo {
    /// `pushSinglecast` as published.
    pub push_singlecast: Option<JsonText>,
    /// `pushBroadcast` as published.
    pub push_broadcast: Option<JsonText>,
    /// `templateValues` as published.
    pub template_values: Option<JsonText>,
    /// `query` as published.
    pub query: Option<JsonText>,
    /// `publishAt` as published.
    pub publish_at: Option<UnixMillis>,
    /// `repeatEvery` as published, in seconds.
    pub repeat_every: Option<u64>,
    /// `repeatExpiresAt` as published.
    pub repeat_expires_at: Option<UnixMillis>,
}

/// What a publisher sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// `message`: any JSON value but null.
    pub payload: JsonText,
    /// `publisherId`.
    pub publisher_id: Option<Box<str>>,
    /// `subtopic`.
    pub subtopic: Option<Subtopic>,
    /// `headers`.
    pub headers: Headers,
    /// `publishPolicy`.
    pub publish_policy: Option<PublishPolicy>,
    /// What is only echoed; absent in most messages.
    pub echo: Option<Box<Echo>>,
}

impl Content {
    /// About how many bytes the content takes in memory, for bounded queues and rings.
    pub fn size(&self) -> usize {
        let texts = |text: &Option<JsonText>| text.as_ref().map_or(0, |text| text.as_str().len());
        let echo = self.echo.as_ref().map_or(0, |echo| {
            128 + texts(&echo.push_singlecast)
                + texts(&echo.push_broadcast)
                + texts(&echo.template_values)
                + texts(&echo.query)
        });
        self.payload.as_str().len()
            + self.publisher_id.as_ref().map_or(0, |id| id.len())
            + self
                .subtopic
                .as_ref()
                .map_or(0, |subtopic| subtopic.as_str().len())
            + self.headers.bytes()
            + 32 * self.headers.iter().len()
            + echo
            + 160
    }
}

/// A published message, as its channel's log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Its place in the channel's order: 1, 2, 3 …
    pub seq: u64,
    /// When it was published; never goes backwards within a channel (api.md 3.8).
    pub published_at: UnixMillis,
    /// What the publisher sent.
    pub content: Arc<Content>,
}

#[cfg(test)]
mod tests;
