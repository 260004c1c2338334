use axum::Json;
use axum::extract::State as AxumState;
use axum::response::{IntoResponse as _, Response};

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
    state.engine.delete_channel(&caller, &channel).await?;
    Ok(Json(true).into_response())
}
