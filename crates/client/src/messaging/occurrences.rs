use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::{Client, Error};

/// A page of the due times of a schedule that have passed (api.md 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrences {
    /// Ascending by `n`.
    pub occurrences: Vec<Occurrence>,
    /// `after` of the next page; `None` on the last one.
    pub next: Option<u64>,
}

/// A due time that has passed. Times are epoch milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Which, from 1.
    pub n: u64,
    /// When it was due.
    pub due: i64,
    /// When it was published; `None`: it was skipped.
    pub fired: Option<i64>,
    /// Its place in the channel.
    #[serde(default)]
    pub seq: Option<u64>,
}

impl Client {
    /// Tells what a schedule has published and skipped, after number `after`.
    ///
    /// # Errors
    /// Refusals of api.md 3.1.
    pub async fn occurrences(
        &self,
        message_id: &str,
        after: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Occurrences, Error> {
        let after = after.map(|after| after.to_string());
        let limit = limit.map(|limit| limit.to_string());
        let parameters = [("after", after.as_deref()), ("limit", limit.as_deref())];
        let request = self.messaging(Method::GET, &[message_id, "occurrences"], &parameters)?;
        self.json("occurrences", request).await
    }
}
