use reqwest::Method;
use serde::Deserialize;

use super::{Answer, Message};
use crate::{Client, Error};

/// Which of the caller's messages to list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Kind of client; the server's default is `web`.
    pub client: Option<String>,
    /// 1 to 1,000; the server's default is 5.
    pub limit: Option<u32>,
    /// Last id of the page before.
    pub after: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    messages: Vec<Message>,
}

impl Client {
    /// Lists the token's user's messages, best first (api.md 4).
    ///
    /// # Errors
    /// 400 for a bad client or limit, 401 without a valid token.
    pub async fn list(&self, query: &ListQuery) -> Result<Vec<Message>, Error> {
        let limit = query.limit.map(|limit| limit.to_string());
        let parameters = [
            ("client", query.client.as_deref()),
            ("limit", limit.as_deref()),
            ("after", query.after.as_deref()),
        ];
        let answer: Answer<Data> = self
            .json("list", self.inbox(Method::GET, &["messages"], &parameters)?)
            .await?;
        Ok(answer.data.messages)
    }
}
