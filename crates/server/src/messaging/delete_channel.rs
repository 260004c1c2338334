use axum::Json;
use axum::extract::State as AxumState;
use axum::response::{IntoResponse as _, Response};
use engine::error::Error;
use model::channel::DEFAULT;

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::path::SecondName;

/// `DELETE /api/messaging/channels/{channel}` (api.md 3.7).
pub async fn delete_channel(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    SecondName(channel): SecondName,
) -> Result<Response, ChannelError> {
    match state.engine.delete_channel(&caller, &channel).await {
        // It always exists, and is empty now.
        Err(Error::NotFound { .. }) if channel == DEFAULT => {}
        outcome => outcome?,
    }
    Ok(Json(true).into_response())
}
