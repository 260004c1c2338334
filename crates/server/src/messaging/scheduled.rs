use axum::response::Response;
use engine::error::Error;

use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::cancel::may_schedule;

/// `GET /api/messaging/scheduled` (api.md 3.3).
pub async fn scheduled(Caller(caller): Caller) -> Result<Response, ChannelError> {
    may_schedule(&caller)?;
    Err(Error::NotBuilt {
        what: "publishing later or repeatedly",
    }
    .into())
}
