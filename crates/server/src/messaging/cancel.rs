use axum::Json;
use axum::extract::State as AxumState;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::path::Name;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status: &'static str,
    message_id: String,
    error_message: Option<&'static str>,
    occurrences: u64,
}

/// `DELETE /api/messaging/{message-id}` (api.md 3.3).
pub async fn cancel(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    name: Name,
) -> Result<Response, ChannelError> {
    let id = name.message_id_or_none()?;
    let occurrences = state.engine.cancel(&caller, id).await?;
    let answer = Answer {
        status: "cancelled",
        message_id: id.to_string(),
        error_message: None,
        occurrences,
    };
    Ok(Json(answer).into_response())
}
