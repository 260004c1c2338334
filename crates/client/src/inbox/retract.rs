use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::{Client, Error};

/// What a retraction did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retracted {
    /// Messages that are retracted now.
    pub retracted: u64,
    /// Ids that were absent or not imported.
    #[serde(default)]
    pub not_retracted: Vec<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    messages: Vec<Id<'a>>,
}

#[derive(Serialize)]
struct Id<'a> {
    id: &'a str,
}

impl Client {
    /// Takes messages back; needs a key with `import` (api.md 4).
    ///
    /// # Errors
    /// 400, 401, and 404 where none of the ids could be retracted.
    pub async fn retract(&self, ids: &[String]) -> Result<Retracted, Error> {
        let body = Body {
            messages: ids.iter().map(|id| Id { id }).collect(),
        };
        let request = self
            .inbox(Method::POST, &["messages", "retract"], &[])?
            .json(&body);
        let answer: Answer<Retracted> = self.json("retract", request).await?;
        Ok(answer.data)
    }
}
