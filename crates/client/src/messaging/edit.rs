use std::collections::BTreeMap;

use reqwest::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use super::status::Status;
use crate::{Client, Error};

/// A change of a schedule that waits (api.md 3.3): `None` leaves a field as it is, `Some(None)` removes it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// Another payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<RawValue>>,
    /// Other headers in the place of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// Epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<Option<i64>>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_every: Option<Option<u64>>,
    /// Epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_expires_at: Option<Option<i64>>,
    /// Calendar expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_cron: Option<Option<String>>,
    /// IANA zone of the expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Option<String>>,
    /// Due times in all, those that have passed counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_times: Option<Option<u64>>,
}

impl Client {
    /// Changes a schedule; the status after it.
    ///
    /// # Errors
    /// 409/5040 where nothing waits, and the refusals of api.md 3.1.
    pub async fn edit(&self, message_id: &str, edit: &Edit) -> Result<Status, Error> {
        let request = self.messaging(Method::PATCH, &[message_id], &[])?;
        self.json("edit", request.json(edit)).await
    }
}
