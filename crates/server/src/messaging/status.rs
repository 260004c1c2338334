use axum::Json;
use axum::extract::State as AxumState;
use axum::response::{IntoResponse as _, Response};
use engine::messaging::status::Status;
use model::message::MessageId;
use serde::Serialize;
use uuid::Uuid;

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::path::Name;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    status: &'static str,
    message_id: &'a str,
    error_message: Option<&'a str>,
    #[serde(flatten)]
    place: Option<Place<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place<'a> {
    channel: &'a str,
    seq: u64,
    published_at: i64,
}

/// `GET /api/messaging/{message-id}` (api.md 3.2).
pub async fn status(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    name: Name,
) -> Result<Response, ChannelError> {
    // An id that was never given is unknown, whatever it looks like.
    let id = name.message_id()?.unwrap_or(MessageId::one_shot(Uuid::nil()));
    let status = state.engine.status(&caller, id).await?;
    let answer = match &status {
        Status::Published(published) => Answer {
            status: "published",
            message_id: &id.to_string(),
            error_message: None,
            place: Some(Place {
                channel: published.channel.as_str(),
                seq: published.seq,
                published_at: published.published_at.0,
            }),
        },
        Status::Unknown => Answer {
            status: "unknown",
            message_id: &name.0,
            error_message: None,
            place: None,
        },
    };
    Ok(Json(answer).into_response())
}
