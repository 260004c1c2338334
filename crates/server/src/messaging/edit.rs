use axum::extract::{Request, State as AxumState};
use axum::response::{IntoResponse as _, Response};

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::path::Name;
use crate::messaging::publish::{body, fields, require_json};
use crate::messaging::status::StatusObject;

/// `PATCH /api/messaging/{message-id}` (api.md 3.3).
pub async fn edit(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    name: Name,
    request: Request,
) -> Result<Response, ChannelError> {
    let id = name.message_id_or_none()?;
    // The engine asks too; this spares reading what strangers send.
    state.engine.may_edit(&caller, id).await?;
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let limits = &caller.app.settings.limits;
    let body = body::read(body, limits.publish_bytes).await?;
    let edit = fields::parse_edit(&body, limits)?;
    let schedule = state.engine.edit(&caller, id, &edit).await?;
    Ok(StatusObject::of(&schedule).into_response())
}
