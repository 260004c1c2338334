use axum::Json;
use axum::extract::State as AxumState;
use axum::response::{IntoResponse, Response};
use engine::messaging::status::Status;
use model::message::MessageId;
use serde::Serialize;
use store::messages::Published;
use store::schedules::{Schedule, ScheduleState};

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::path::Name;

/// What became of a message (api.md 3.2).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusObject {
    status: &'static str,
    message_id: String,
    error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occurrences: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<u64>,
}

impl StatusObject {
    fn new(status: &'static str, message_id: String) -> Self {
        Self {
            status,
            message_id,
            error_message: None,
            channel: None,
            seq: None,
            published_at: None,
            publish_at: None,
            next_at: None,
            occurrences: None,
            skipped: None,
        }
    }

    fn published(id: MessageId, published: &Published) -> Self {
        Self {
            channel: Some(published.channel.as_str().to_owned()),
            seq: Some(published.seq),
            published_at: Some(published.published_at.0),
            ..Self::new("published", id.to_string())
        }
    }

    /// The status of a schedule; place and time are those of its last occurrence.
    pub fn of(schedule: &Schedule) -> Self {
        let (status, next, error_message) = match &schedule.state {
            ScheduleState::Waiting { next } => ("scheduled", Some(next.at.0), None),
            ScheduleState::Published => ("published", None, None),
            ScheduleState::Cancelled => ("cancelled", None, None),
            ScheduleState::Failed { reason } => ("failed", None, Some(reason.to_string())),
        };
        Self {
            error_message,
            channel: Some(schedule.channel.as_str().to_owned()),
            seq: schedule.last.map(|last| last.seq),
            published_at: schedule.last.map(|last| last.published_at.0),
            publish_at: schedule.timing.publish_at,
            next_at: next,
            occurrences: Some(schedule.occurrences),
            skipped: Some(schedule.skipped),
            ..Self::new(status, MessageId::one_shot(schedule.id).to_string())
        }
    }
}

impl IntoResponse for StatusObject {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// `GET /api/messaging/{message-id}` (api.md 3.2).
pub async fn status(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    name: Name,
) -> Result<StatusObject, ChannelError> {
    // An id that was never given is unknown, whatever it looks like.
    let id = name.message_id_or_none()?;
    let status = state.engine.status(&caller, id).await?;
    Ok(match &status {
        Status::Published(published) => StatusObject::published(id, published),
        Status::Scheduled(schedule) => StatusObject::of(schedule),
        Status::Unknown => StatusObject::new("unknown", name.0),
    })
}
