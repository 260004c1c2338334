use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::{Client, Error};

/// How many messages a user is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Those that are not marked as read.
    pub unread: u64,
    /// All.
    pub total: u64,
}

impl Client {
    /// Counts what the token's user is shown on a kind of client, by default `web` (api.md 4).
    ///
    /// # Errors
    /// 400 for a bad client, 401 without a valid token.
    pub async fn count(&self, client: Option<&str>) -> Result<Counts, Error> {
        let request = self.inbox(Method::GET, &["messages", "count"], &[("client", client)])?;
        let answer: Answer<Counts> = self.json("count", request).await?;
        Ok(answer.data)
    }
}
