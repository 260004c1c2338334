use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::{Client, Error};

/// Where a message stands (api.md 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The id asked for.
    pub message_id: String,
    /// `scheduled`, `published`, `cancelled`, `failed` or `unknown`.
    pub status: String,
    /// Why it failed.
    pub error_message: Option<String>,
    /// The channel's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Place in the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<i64>,
    /// Epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<i64>,
    /// Next due time, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<i64>,
    /// Occurrences published so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrences: Option<u64>,
    /// Due times that were missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
}

impl Client {
    /// Asks where a message stands; an id that nobody knows has the status `unknown`.
    ///
    /// # Errors
    /// Refusals of api.md 3.1.
    pub async fn status(&self, message_id: &str) -> Result<Status, Error> {
        self.json("status", self.messaging(Method::GET, &[message_id], &[])?)
            .await
    }
}
