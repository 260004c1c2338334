use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;

use super::Answer;
use crate::{Client, Error};

/// Removal goes in slices and may be long.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
struct Data {
    removed: u64,
}

impl Client {
    /// Removes synced, retracted and expired messages now and counts them; needs a key with `cleanup`.
    ///
    /// # Errors
    /// 401, 403 over plain HTTP where HTTPS is required, 500.
    pub async fn cleanup(&self) -> Result<u64, Error> {
        let request = self
            .inbox(Method::POST, &["messages", "cleanup"], &[])?
            .timeout(CLEANUP_TIMEOUT);
        let answer: Answer<Data> = self.json("cleanup", request).await?;
        Ok(answer.data.removed)
    }
}
