use axum::response::Response;
use engine::error::Error;
use model::channel::ChannelName;
use model::permission::Access;

use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::path::Name;

/// `POST /api/messaging/{channel}/subscribe` (api.md 3.6).
pub async fn subscribe(Caller(caller): Caller, Name(channel): Name) -> Result<Response, ChannelError> {
    not_built(&caller, &channel)
}

/// `GET /api/messaging/{channel}/{subscription-id}` (api.md 3.6).
pub async fn poll(Caller(caller): Caller, Name(channel): Name) -> Result<Response, ChannelError> {
    not_built(&caller, &channel)
}

/// `DELETE /api/messaging/{channel}/{subscription-id}` (api.md 3.6).
pub async fn unsubscribe(Caller(caller): Caller, Name(channel): Name) -> Result<Response, ChannelError> {
    not_built(&caller, &channel)
}

fn not_built(caller: &engine::access::caller::Caller, channel: &str) -> Result<Response, ChannelError> {
    let channel: ChannelName = channel.parse().map_err(Error::from)?;
    caller
        .may(Access::Subscribe, channel.as_str())
        .map_err(Error::from)?;
    Err(Error::NotBuilt {
        what: "subscribing by polling",
    }
    .into())
}
