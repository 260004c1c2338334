use axum::response::Response;

use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::cancel::{may_schedule, not_waiting};
use crate::messaging::path::Name;

/// `PATCH /api/messaging/{message-id}` (api.md 3.3). Nothing can be waiting yet.
pub async fn edit(Caller(caller): Caller, name: Name) -> Result<Response, ChannelError> {
    may_schedule(&caller)?;
    name.message_id()?;
    Err(not_waiting())
}
