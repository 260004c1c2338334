use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A delivered message (api.md 3.6, "Envelope"), without the fields that only echo.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// `message:<UPPERCASE UUIDv7>`, with `-<n>` for an occurrence of a repetition.
    pub message_id: String,
    /// Publication time, epoch milliseconds.
    pub timestamp: i64,
    /// The payload, as it was written.
    pub message: Box<RawValue>,
    /// Who published, as they said.
    #[serde(default)]
    pub publisher_id: Option<String>,
    /// Dotted subtopic.
    #[serde(default)]
    pub subtopic: Option<String>,
    /// Headers, all values as strings.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The channel's name.
    #[serde(default)]
    pub channel: Option<String>,
    /// Place in the channel: 1, 2, 3 …
    #[serde(default)]
    pub seq: Option<u64>,
}

/// Messages that the history no longer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The position that was asked for.
    pub from: String,
    /// The position from which it goes on.
    pub to: String,
}
