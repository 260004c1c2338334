use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as AxumState;
use axum::response::{IntoResponse as _, Response};
use engine::error::Error;
use http::Uri;
use model::json::JsonText;
use model::message::{Echo, MessageId, Subtopic};
use serde::Serialize;
use serde_json::value::RawValue;
use store::schedules::Schedule;

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::reading;
use crate::messaging::status::StatusObject;
use crate::query;

/// Schedules of a page where `limit` does not say.
const DEFAULT_LIMIT: usize = 100;

#[derive(Serialize)]
struct Answer {
    schedules: Vec<Item>,
    next: Option<String>,
}

/// A schedule: its status and the publish fields that it has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(flatten)]
    status: StatusObject,
    message: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher_id: Option<String>,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtopic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_every: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_cron: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_times: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    push_singlecast: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    push_broadcast: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_values: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Box<RawValue>>,
}

/// `GET /api/messaging/scheduled` (api.md 3.3).
pub async fn scheduled(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    uri: Uri,
) -> Result<Response, ChannelError> {
    let given =
        |name: &str| query::value(uri.query().unwrap_or_default(), name).filter(|value| !value.is_empty());
    let channel = given("channel");
    let after = given("after").map(|after| after.parse::<MessageId>()).transpose();
    let after = after.map_err(|error| Error::parameter("after", error))?;
    let limit = reading::limit(&uri, DEFAULT_LIMIT)?;
    let page = state
        .engine
        .scheduled(&caller, channel.as_deref(), after, limit)
        .await?;
    let last = page.schedules.last().filter(|_| page.more);
    let answer = Answer {
        next: last.map(|schedule| MessageId::one_shot(schedule.id).to_string()),
        schedules: page
            .schedules
            .iter()
            .map(item)
            .collect::<Result<_, _>>()
            .map_err(|error| Error::Internal(Box::new(error)))?,
    };
    Ok(Json(answer).into_response())
}

fn item(schedule: &Schedule) -> serde_json::Result<Item> {
    let (content, timing) = (&*schedule.content, &schedule.timing);
    let nothing = Echo::default();
    let echo = content.echo.as_deref().unwrap_or(&nothing);
    let headers = content.headers.iter();
    Ok(Item {
        status: StatusObject::of(schedule),
        message: raw(&content.payload)?,
        publisher_id: content.publisher_id.as_deref().map(str::to_owned),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        subtopic: content.subtopic.as_ref().map(Subtopic::as_str).map(str::to_owned),
        publish_policy: content.publish_policy.map(|policy| policy.as_str()),
        repeat_every: timing.repeat_every,
        repeat_expires_at: timing.repeat_expires_at,
        repeat_cron: timing.repeat_cron.clone(),
        timezone: timing.timezone.clone(),
        repeat_times: timing.repeat_times,
        push_singlecast: echo.push_singlecast.as_ref().map(raw).transpose()?,
        push_broadcast: echo.push_broadcast.as_ref().map(raw).transpose()?,
        template_values: echo.template_values.as_ref().map(raw).transpose()?,
        query: echo.query.as_ref().map(raw).transpose()?,
    })
}

fn raw(text: &JsonText) -> serde_json::Result<Box<RawValue>> {
    RawValue::from_string(text.as_str().trim().to_owned())
}
