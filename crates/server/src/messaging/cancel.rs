use axum::response::Response;
use engine::error::Error;
use http::StatusCode;
use model::key::Scope;
use model::permission::Principal;

use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::path::Name;

/// `DELETE /api/messaging/{message-id}` (api.md 3.3). Nothing can be waiting yet: every message is
/// published before its publisher is answered.
pub async fn cancel(Caller(caller): Caller, name: Name) -> Result<Response, ChannelError> {
    may_schedule(&caller)?;
    name.message_id()?;
    Err(not_waiting())
}

/// Cancel, edit and the lists of schedules: as publish, and a key also needs `schedule` (api.md 2). Which
/// channel it is about is known once there is a schedule.
pub(super) fn may_schedule(caller: &engine::access::caller::Caller) -> Result<(), ChannelError> {
    let allowed = match caller.principal {
        Principal::User { .. } => Ok(()),
        Principal::Key { .. } | Principal::Anonymous => caller.needs(Scope::Schedule),
    };
    Ok(allowed.map_err(Error::from)?)
}

/// 409/5040.
pub(super) fn not_waiting() -> ChannelError {
    let text =
        "there is nothing to cancel or edit: the message is already published, already cancelled, or absent";
    ChannelError::new(StatusCode::CONFLICT, 5040, text)
}
