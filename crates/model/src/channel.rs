use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names that are routes and therefore no channels (api.md 3.1).
pub const RESERVED: [&str; 6] = [
    "channels",
    "push",
    "pushtemplates",
    "email",
    "registrations",
    "scheduled",
];

/// The channel that always exists.
pub const DEFAULT: &str = "default";

/// The name of a channel (api.md 3.1): 1 to 255 bytes of UTF-8 without `/ ? #` or control characters,
/// not `.` or `..`, none of [`RESERVED`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(Arc<str>);

impl ChannelName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name read back from where it was stored, trusted to be valid.
    pub fn from_stored(name: &str) -> Self {
        Self(name.into())
    }
}

/// Why a text is no channel name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelNameError {
    /// Empty, or over 255 bytes.
    #[error("a channel name has 1 to 255 bytes, found {0}")]
    Length(usize),
    /// A character that no name may have.
    #[error("a channel name has none of / ? # or control characters, found {0:?}")]
    Character(char),
    /// `.`, `..` or a route's name.
    #[error("the channel name {0:?} is reserved")]
    Reserved(String),
}

impl FromStr for ChannelName {
    type Err = ChannelNameError;

    fn from_str(text: &str) -> Result<Self, ChannelNameError> {
        if text.is_empty() || text.len() > 255 {
            return Err(ChannelNameError::Length(text.len()));
        }
        let forbidden = |c: &char| matches!(c, '/' | '?' | '#') || c.is_control();
        if let Some(found) = text.chars().find(forbidden) {
            return Err(ChannelNameError::Character(found));
        }
        if text == "." || text == ".." || RESERVED.contains(&text) {
            return Err(ChannelNameError::Reserved(text.into()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pattern over channel names in which `*` stands for any characters, also none (api.md 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelPattern(Box<str>);

impl ChannelPattern {
    /// A pattern from its text; every text is one.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether the whole name matches. Linear in the name times the number of stars at most.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }

    /// The pattern's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for ChannelPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChannelPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() || text.len() > 255 {
            return Err(serde::de::Error::custom("a pattern has 1 to 255 bytes"));
        }
        Ok(Self::new(&text))
    }
}

#[cfg(test)]
mod tests;
