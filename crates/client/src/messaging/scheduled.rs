use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Client, Error};

/// Which schedules to list (api.md 3.3).
#[derive(Debug, Clone, Default)]
pub struct ScheduleQuery {
    /// Into this channel alone.
    pub channel: Option<String>,
    /// At most this many, 1 to 1000; the server's default is 100.
    pub limit: Option<u32>,
    /// Those after this id: [`Schedules::next`] of the page before.
    pub after: Option<String>,
}

/// A page of schedules, in the order in which they were made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Schedules {
    /// The schedules.
    pub schedules: Vec<Schedule>,
    /// `after` of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// A schedule: where it stands and what it publishes (api.md 3.2, 3.3). Times are epoch milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Its id.
    pub message_id: String,
    /// `scheduled`, `published` (it has ended), `cancelled` or `failed`.
    pub status: String,
    /// Why it failed.
    pub error_message: Option<String>,
    /// The channel's name.
    pub channel: String,
    /// Place of its last occurrence in the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When it was published last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<i64>,
    /// The earliest time that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<i64>,
    /// Next due time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<i64>,
    /// Occurrences published so far.
    #[serde(default)]
    pub occurrences: u64,
    /// Due times that were missed.
    #[serde(default)]
    pub skipped: u64,
    /// Interval in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_every: Option<u64>,
    /// No occurrence after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_expires_at: Option<i64>,
    /// Calendar expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_cron: Option<String>,
    /// IANA zone of the expression; UTC where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// It ends after so many due times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_times: Option<u64>,
    /// The payload.
    pub message: Box<RawValue>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Dotted subtopic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtopic: Option<String>,
    /// Publisher id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher_id: Option<String>,
}

impl Client {
    /// Lists the caller's schedules, those that have ended included as long as the server keeps them;
    /// needs the scope `schedule`, with `admin` those of everybody.
    ///
    /// # Errors
    /// Refusals of api.md 3.1.
    pub async fn scheduled(&self, query: &ScheduleQuery) -> Result<Schedules, Error> {
        let limit = query.limit.map(|limit| limit.to_string());
        let parameters = [
            ("channel", query.channel.as_deref()),
            ("limit", limit.as_deref()),
            ("after", query.after.as_deref()),
        ];
        let request = self.messaging(Method::GET, &["scheduled"], &parameters)?;
        self.json("scheduled", request).await
    }
}
