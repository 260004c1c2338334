use reqwest::Method;
use serde::Deserialize;

use super::{Answer, Message};
use crate::{Client, Error};

#[derive(Deserialize)]
struct Data {
    message: Message,
}

impl Client {
    /// Shows any message in any state; needs a key with `inbox` (api.md 4).
    ///
    /// # Errors
    /// 400 for a bad id, 401, 404 for an absent one.
    pub async fn show(&self, id: &str) -> Result<Message, Error> {
        let answer: Answer<Data> = self
            .json("show", self.inbox(Method::GET, &["messages", id], &[])?)
            .await?;
        Ok(answer.data.message)
    }
}
