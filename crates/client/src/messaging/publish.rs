use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Client, Error};

/// What to publish (api.md 3.1); `None` fields are left out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Publish {
    /// The payload: any JSON value but null, sent as written.
    pub message: Box<RawValue>,
    /// Echoed to subscribers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher_id: Option<String>,
    /// At most 64, 8 KiB together.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Dotted subtopic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtopic: Option<String>,
    /// Deliver then; epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<i64>,
    /// Publish again at this interval, whole seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_every: Option<u64>,
    /// No occurrence after it; epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_expires_at: Option<i64>,
    /// Calendar expression: publish whenever it matches, instead of an interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_cron: Option<String>,
    /// IANA zone of the expression; UTC where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Stop after so many due times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_times: Option<u64>,
    /// Sent as `Idempotency-Key`: makes a second try with the same content harmless.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

impl Publish {
    /// A message without any option.
    #[must_use]
    pub fn new(message: Box<RawValue>) -> Self {
        Self {
            message,
            publisher_id: None,
            headers: BTreeMap::new(),
            subtopic: None,
            publish_at: None,
            repeat_every: None,
            repeat_expires_at: None,
            repeat_cron: None,
            timezone: None,
            repeat_times: None,
            idempotency_key: None,
        }
    }
}

/// The answer to a publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// `message:<UPPERCASE UUIDv7>`.
    pub message_id: String,
    /// `scheduled`, also for an immediate publish, or `failed`.
    pub status: String,
    /// Why it failed.
    pub error_message: Option<String>,
    /// An earlier call with the same idempotency key had done it already.
    #[serde(default)]
    pub replayed: bool,
}

/// The answer to a dry run: epoch milliseconds, at most ten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRun {
    /// When it would be published.
    pub occurrences: Vec<i64>,
}

impl Client {
    /// Tells when a message would be published; nothing is (api.md 3.3).
    ///
    /// # Errors
    /// Refusals of api.md 3.1.
    pub async fn dry_run(&self, channel: &str, publish: &Publish) -> Result<DryRun, Error> {
        let request = self.messaging(Method::POST, &[channel], &[("dryRun", Some("true"))])?;
        self.json("publish", request.json(publish)).await
    }

    /// Publishes to a channel; once this returns, the message is durable.
    ///
    /// # Errors
    /// Refusals of api.md 3.1. After [`Error::Transport`] or code 5915 the outcome is unknown: repeat with
    /// the same idempotency key.
    pub async fn publish(&self, channel: &str, publish: &Publish) -> Result<Published, Error> {
        let mut request = self.messaging(Method::POST, &[channel], &[])?.json(publish);
        if let Some(key) = &publish.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let response = self.send(request).await?;
        let replayed = response
            .headers()
            .get("idempotent-replayed")
            .is_some_and(|value| value.as_bytes() == b"true");
        let body = response.bytes().await.map_err(|source| self.transport(source))?;
        let published: Published = serde_json::from_slice(&body).map_err(|source| Error::Decode {
            call: "publish",
            source,
        })?;
        Ok(Published {
            replayed,
            ..published
        })
    }
}
