use reqwest::Method;
use serde::Deserialize;

use super::Answer;
use crate::{Client, Error};

#[derive(Deserialize)]
struct Data {
    deleted: u64,
}

impl Client {
    /// Deletes all imported messages of a user and counts them; needs a key with `inbox` (api.md 4).
    ///
    /// # Errors
    /// 401.
    pub async fn delete_all(&self, uid: &str) -> Result<u64, Error> {
        let answer: Answer<Data> = self
            .json(
                "delete-all",
                self.inbox(Method::DELETE, &["users", uid, "messages"], &[])?,
            )
            .await?;
        Ok(answer.data.deleted)
    }
}
