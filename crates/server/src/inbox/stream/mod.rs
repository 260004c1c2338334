use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State as AxumState};
use axum::response::Response;
use engine::error::Error;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::list::{DEFAULT_CLIENT, parse_limit};
use crate::State;
use crate::caller::Caller;
use crate::error::InboxFailure;
use crate::messaging::events::heartbeats::Heartbeats;
use crate::query;
use crate::serve::streaming;

/// The body of an answer that goes on.
mod body;
/// Events as bytes.
pub mod event;

/// Tells nginx to pass events on at once.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// `GET /messages/stream?client=&limit=`: the calling user's messages, live (api.md 4).
pub async fn stream(
    heartbeats: Arc<Heartbeats>,
    AxumState(state): AxumState<State>,
    Caller(caller): Caller,
    request: Request,
) -> Result<Response, InboxFailure> {
    // Who has no inbox at all is told so first.
    caller.user().map_err(Error::from)?;
    let given = request.uri().query().unwrap_or_default();
    let limit = query::value(given, "limit");
    let limit = limit.map(|text| parse_limit(&text)).transpose()?;
    let client = query::value(given, "client");
    let client = client.as_deref().unwrap_or(DEFAULT_CLIENT);
    let since = match last_event_id(request.headers())? {
        Some(last) => Some(last),
        None => query::value(given, "since").map(Cow::into_owned),
    };
    let watch = state
        .engine
        .watch_inbox(&caller, client, limit, since.as_deref())
        .await?;
    let mut response = streaming::answer(body::Events::new(watch, &heartbeats));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// A browser that reconnects repeats the URL with its old `since`: what it says of the last event is
/// newer.
fn last_event_id(headers: &HeaderMap) -> Result<Option<String>, Error> {
    const LAST_EVENT_ID: &str = "Last-Event-ID";
    match headers.get(LAST_EVENT_ID).map(HeaderValue::to_str) {
        Some(Err(_)) => Err(Error::parameter(LAST_EVENT_ID, "expected a cursor in ASCII")),
        Some(Ok(last)) => Ok(Some(last.to_owned()).filter(|last| !last.is_empty())),
        None => Ok(None),
    }
}
