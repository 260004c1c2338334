use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::{Client, Error};

/// A page of the app's channels, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channels {
    /// The channels.
    pub channels: Vec<Channel>,
    /// `after` of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// The name.
    pub name: String,
    /// `<epoch>-<seq>` of its newest message.
    pub position: String,
    /// Epoch milliseconds; `None` where nothing was published yet.
    pub last_published_at: Option<i64>,
}

impl Client {
    /// Lists channels after the named one (api.md 3.7); needs the scope `admin`.
    ///
    /// # Errors
    /// Refusals of api.md 3.1.
    pub async fn channels(&self, after: Option<&str>, limit: Option<u32>) -> Result<Channels, Error> {
        let limit = limit.map(|limit| limit.to_string());
        let parameters = [("after", after), ("limit", limit.as_deref())];
        self.json(
            "channels",
            self.messaging(Method::GET, &["channels"], &parameters)?,
        )
        .await
    }

    /// Deletes a channel with its history and subscriptions (api.md 3.7); needs the scope `admin`.
    ///
    /// # Errors
    /// Refusals of api.md 3.1.
    pub async fn delete_channel(&self, channel: &str) -> Result<(), Error> {
        self.send(self.messaging(Method::DELETE, &["channels", channel], &[])?)
            .await
            .map(drop)
    }
}
