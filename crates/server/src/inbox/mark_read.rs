use axum::extract::State as AxumState;
use http::StatusCode;

use super::path::MessageId;
use crate::State;
use crate::caller::Caller;
use crate::error::InboxFailure;

/// `POST /messages/{id}/read`: marks a message of the calling user as read (api.md 4).
pub(super) async fn mark_read(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    MessageId(id): MessageId,
) -> Result<StatusCode, InboxFailure> {
    state.engine.mark_inbox_message_read(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
