use axum::response::Response;
use engine::error::Error;

use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::cancel::may_schedule;
use crate::messaging::path::Name;

/// `GET /api/messaging/{message-id}/occurrences` (api.md 3.3).
pub async fn occurrences(Caller(caller): Caller, name: Name) -> Result<Response, ChannelError> {
    may_schedule(&caller)?;
    name.message_id()?;
    Err(Error::NotBuilt {
        what: "publishing repeatedly",
    }
    .into())
}
