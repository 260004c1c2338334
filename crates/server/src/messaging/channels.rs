use axum::Json;
use axum::extract::State as AxumState;
use axum::response::{IntoResponse as _, Response};
use http::Uri;
use model::position::Position;
use serde::Serialize;

use crate::State;
use crate::caller::Caller;
use crate::error::ChannelError;
use crate::messaging::reading;
use crate::query;

/// Channels of a page where `limit` does not say.
const DEFAULT_LIMIT: usize = 100;

#[derive(Serialize)]
struct Answer {
    channels: Vec<Channel>,
    next: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Channel {
    name: String,
    position: String,
    last_published_at: Option<i64>,
}

/// `GET /api/messaging/channels` (api.md 3.7).
pub async fn channels(
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    uri: Uri,
) -> Result<Response, ChannelError> {
    let after = query::value(uri.query().unwrap_or_default(), "after").filter(|name| !name.is_empty());
    let limit = reading::limit(&uri, DEFAULT_LIMIT)?;
    let (found, more) = state.engine.channels(&caller, after.as_deref(), limit).await?;
    let channels = found.into_iter().map(|channel| Channel {
        name: channel.name.as_str().to_owned(),
        position: match channel.head.seq {
            0 => Position::Start.to_string(),
            seq => Position::At {
                epoch: channel.head.epoch,
                seq,
            }
            .to_string(),
        },
        last_published_at: channel.head.last_published_at.map(|at| at.0),
    });
    let channels: Vec<Channel> = channels.collect();
    let next = channels
        .last()
        .filter(|_| more)
        .map(|channel| channel.name.clone());
    Ok(Json(Answer { channels, next }).into_response())
}
