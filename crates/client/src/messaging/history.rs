use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{Envelope, Gap};
use crate::{Client, Error};

/// What to read of a channel's history (api.md 3.7).
#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    /// Position (exclusive), `all` (the default) or a duration such as `10m`.
    pub since: Option<String>,
    /// 1 to 1,000; default 100.
    pub limit: Option<u32>,
    /// Condition over headers (api.md 3.4).
    pub selector: Option<String>,
    /// Subtopic pattern (api.md 3.5).
    pub subtopic: Option<String>,
}

/// A page of history, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// The messages.
    pub messages: Vec<Envelope>,
    /// `since` of the next page.
    pub next_since: String,
    /// Set where the history no longer held the asked position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

impl Client {
    /// Reads a page of a channel's history.
    ///
    /// # Errors
    /// Refusals of api.md 3.1.
    pub async fn history(&self, channel: &str, query: &HistoryQuery) -> Result<History, Error> {
        let limit = query.limit.map(|limit| limit.to_string());
        let parameters = [
            ("since", query.since.as_deref()),
            ("limit", limit.as_deref()),
            ("selector", query.selector.as_deref()),
            ("subtopic", query.subtopic.as_deref()),
        ];
        self.json(
            "history",
            self.messaging(Method::GET, &[channel, "history"], &parameters)?,
        )
        .await
    }
}
