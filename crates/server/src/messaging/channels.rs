use axum::Json;
use axum::extract::State as AxumState;
use axum::response::{IntoResponse as _, Response};
use http::Uri;
use model::channel::DEFAULT;
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
    let (found, mut more) = state.engine.channels(&caller, after.as_deref(), limit).await?;
    let mut channels: Vec<Channel> = found
        .into_iter()
        .map(|channel| Channel {
            name: channel.name.as_str().to_owned(),
            position: match channel.head.seq {
                0 => Position::Start,
                seq => Position::At {
                    epoch: channel.head.epoch,
                    seq,
                },
            }
            .to_string(),
            last_published_at: channel.head.last_published_at.map(|at| at.0),
        })
        .collect();
    add_default(&mut channels, after.as_deref().unwrap_or_default(), more);
    if channels.len() > limit {
        channels.truncate(limit);
        more = true;
    }
    let next = channels
        .last()
        .filter(|_| more)
        .map(|channel| channel.name.clone());
    Ok(Json(Answer { channels, next }).into_response())
}

/// The channel `default` exists before it is published to (api.md 3.1), when the store does not know it.
fn add_default(channels: &mut Vec<Channel>, after: &str, more: bool) {
    let place = channels.partition_point(|channel| channel.name.as_str() < DEFAULT);
    let is_there = channels.get(place).is_some_and(|channel| channel.name == DEFAULT);
    let on_another_page = after >= DEFAULT || (more && place == channels.len());
    if !is_there && !on_another_page {
        let default = Channel {
            name: DEFAULT.to_owned(),
            position: Position::Start.to_string(),
            last_published_at: None,
        };
        channels.insert(place, default);
    }
}
