use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;

use super::Answer;
use crate::{Client, Error};

/// The server works up to 25 s in one call (api.md 4).
const SYNC_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Data {
    synced: u64,
}

impl Client {
    /// Reports deleted messages to the campaign system now and counts them; needs a key with `sync`.
    ///
    /// # Errors
    /// 401, 404, 500 where the campaign system did not take them, 503 where sync is disabled.
    pub async fn sync(&self) -> Result<u64, Error> {
        let request = self
            .inbox(Method::POST, &["messages", "sync"], &[])?
            .timeout(SYNC_TIMEOUT);
        let answer: Answer<Data> = self.json("sync", request).await?;
        Ok(answer.data.synced)
    }
}
