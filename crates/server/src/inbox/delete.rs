use axum::extract::State as AxumState;
use http::StatusCode;

use super::path::MessageId;
use crate::State;
use crate::caller::Caller;
use crate::error::InboxFailure;

/// `DELETE /messages/{id}`: imported → deleted; a user's own, any with key `inbox` (api.md 4).
pub async fn delete(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    MessageId(id): MessageId,
) -> Result<StatusCode, InboxFailure> {
    state.engine.delete_inbox_message(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
